/* SPDX-License-Identifier: MIT */
/*
 * Command lines: what they set, and what is said about the wrong ones.
 */
#include "cli/options.h"

#include "../unit.h"
#include "cli/exit_status.h"
#include "cli/output.h"

#include <weft/addr.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct args {
	struct output_opts output;
	const char *name;
	struct option_list extra;
	uint32_t count;
	uint64_t ageing_ns;
	unsigned cc;
	struct weft_mac mac;
	struct option_ip address;
	const char *label, *public;
	uint32_t mtu;
	union weft_sockaddr listen;
};

static const struct option options[] = {
	{ .name = "name",
	  .letter = 'n',
	  .type = OPTION_TEXT,
	  .syntax = "NAME",
	  .offset = OFFSET(struct args, name),
	  .help = "the name" },
	{ .name = "extra",
	  .letter = 'e',
	  .type = OPTION_LIST,
	  .syntax = "LINK",
	  .offset = OFFSET(struct args, extra),
	  .help = "one more" },
	{ .name = "count",
	  .letter = 'c',
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .offset = OFFSET(struct args, count),
	  .help = "how many" },
	{ .name = "ageing",
	  .letter = 'a',
	  .type = OPTION_DURATION,
	  .syntax = "TIME",
	  .offset = OFFSET(struct args, ageing_ns),
	  .help = "how long" },
	{ .name = "cc",
	  .type = OPTION_CHOICE,
	  .syntax = "bbr|cubic|reno",
	  .offset = OFFSET(struct args, cc),
	  .help = "which" },
	{ .name = "mac",
	  .type = OPTION_MAC,
	  .syntax = "MAC",
	  .offset = OFFSET(struct args, mac),
	  .help = "the MAC" },
	{ .name = "address",
	  .type = OPTION_IP,
	  .syntax = "auto|none|IP/LEN",
	  .offset = OFFSET(struct args, address),
	  .help = "the IP" },
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPTION_LISTEN,
	  .syntax = "[ADDRESS:]PORT",
	  .offset = OFFSET(struct args, listen),
	  .help = "where" },
	{ .name = "label",
	  .type = OPTION_NAME,
	  .syntax = "NAME",
	  .offset = OFFSET(struct args, label),
	  .help = "who" },
	{ .name = "public",
	  .type = OPTION_HOST,
	  .syntax = "HOST",
	  .offset = OFFSET(struct args, public),
	  .help = "who for others" },
	{ .name = "mtu",
	  .type = OPTION_NUMBER,
	  .syntax = "auto|BYTES",
	  .offset = OFFSET(struct args, mtu),
	  .min = 1000,
	  .max = 1500,
	  .help = "how long" },
	OUTPUT_OPTIONS(struct args),
	{ 0 },
};

static const struct command command = {
	.verb = "test",
	.operands = "FROM TO...",
	.operands_min = 1,
	.operands_max = 3,
	.summary = "Tests the parser.",
	.options = options,
	.notes = "That is all.",
};

#define ARGS_MAX 24
#define SAID_LEN 4096

struct line {
	char *argv[ARGS_MAX + 1];
	struct args args;
	int status;
	int operands;
	char said[SAID_LEN]; /* What was printed, on stdout and stderr. */
};

/* What argv points to must not be constant. */
static char verb[] = "test", operand[] = "x", one_more[] = "-ex";

/* Sends what a stream prints into a file; returns where it went before. */
static int divert(FILE *stream, FILE *to)
{
	(void)fflush(stream);
	int before = dup(fileno(stream));
	assert_true(before >= 0 && dup2(fileno(to), fileno(stream)) >= 0);
	return before;
}

static void restore(FILE *stream, int before)
{
	(void)fflush(stream);
	assert_true(dup2(before, fileno(stream)) >= 0);
	(void)close(before);
}

/* Parses "weft test" and the words of the line, which are divided by spaces. */
static struct line *parse_as(const struct command *as, const char *words)
{
	static char text[256];
	static struct line line;
	char *save = NULL;
	int argc = 1;
	line = (struct line){ .argv = { verb }, .status = -1 };
	(void)snprintf(text, sizeof(text), "%s", words);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc < ARGS_MAX);
		line.argv[argc++] = w;
	}
	FILE *said = tmpfile();
	assert_non_null(said);
	int out = divert(stdout, said), err = divert(stderr, said);
	line.operands = options_parse(as, argc, line.argv, &line.args, &line.status);
	restore(stderr, err);
	restore(stdout, out);
	rewind(said);
	line.said[fread(line.said, 1, SAID_LEN - 1, said)] = '\0';
	(void)fclose(said);
	return &line;
}

static struct line *parse(const char *words)
{
	return parse_as(&command, words);
}

static void every_form_of_an_option(void **state)
{
	static const char *const lines[] = { "x --count 7", "x --count=7", "x -c 7",
					     "x -c7",       "--count 7 x", "-qvc7 x",
					     "-qvc 7 x",    "-c3 -c7 x" };
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct line *line = parse(lines[i]);
		assert_int_equal(line->operands, 1);
		assert_int_equal(line->args.count, 7);
		assert_string_equal(line->argv[1], "x");
		assert_string_equal(line->said, "");
	}
}

static void operands_and_options_mix(void **state)
{
	(void)state;
	struct line *line = parse("a --json b -n me -- -c");
	assert_int_equal(line->operands, 3);
	assert_string_equal(line->argv[1], "a");
	assert_string_equal(line->argv[2], "b");
	assert_string_equal(line->argv[3], "-c");
	assert_true(line->args.output.json);
	assert_string_equal(line->args.name, "me");
	line = parse("-");
	assert_int_equal(line->operands, 1);
	assert_string_equal(line->argv[1], "-");
}

static void every_type_is_stored(void **state)
{
	char text[WEFT_SOCKADDR_TEXT];
	(void)state;
	struct line *line = parse("x --name=-odd --ageing 1.5s --cc reno "
				  "--mac 02:00:00:00:00:07 --address 192.0.2.1/24 "
				  "--listen 127.0.0.1:99 -e a -e=b --label my-pc "
				  "--public [2001:db8::1]:44 --mtu 1000");
	assert_int_equal(line->operands, 1);
	assert_string_equal(line->args.name, "-odd");
	assert_int_equal(line->args.ageing_ns, 1500000000u);
	assert_int_equal(line->args.cc, 2);
	assert_int_equal(line->args.mac.octet[5], 7);
	assert_int_equal(line->args.address.word, 2);
	assert_int_equal(line->args.address.ip.prefix, 24);
	assert_string_equal(line->args.label, "my-pc");
	assert_string_equal(line->args.public, "[2001:db8::1]:44");
	assert_int_equal(line->args.mtu, 1000);
	assert_string_equal(weft_sockaddr_print(&line->args.listen, text),
			    "127.0.0.1:99");
	assert_int_equal(line->args.extra.n, 2);
	assert_string_equal(line->args.extra.items[0], "a");
	assert_string_equal(line->args.extra.items[1], "=b");
}

static void a_word_stands_for_an_address(void **state)
{
	(void)state;
	struct line *line = parse("x --address none");
	assert_int_equal(line->operands, 1);
	assert_int_equal(line->args.address.word, 1);
	assert_int_equal(line->args.address.ip.family, 0);
}

static void what_is_not_given_stays(void **state)
{
	struct args args = { .count = 5, .name = "before" };
	char *argv[] = { verb, operand, NULL };
	int status;
	(void)state;
	assert_int_equal(options_parse(&command, 2, argv, &args, &status), 1);
	assert_int_equal(args.count, 5);
	assert_string_equal(args.name, "before");
}

static void the_operand_that_is_missing_is_named(void **state)
{
	struct command both = command;
	(void)state;
	both.operands_min = 2;
	assert_non_null(strstr(parse_as(&both, "")->said, "test: FROM TO... is missing"));
	assert_non_null(strstr(parse_as(&both, "a")->said, "test: TO... is missing"));
	both.operands = "FROM TO [VIA]";
	assert_non_null(strstr(parse_as(&both, "a")->said, "test: TO is missing"));
}

/* Each is refused with one line that names what is wrong and the way to the help. */
static void mistakes_are_explained(void **state)
{
	static const struct {
		const char *line, *said;
	} wrong[] = {
		{ "", "FROM TO... is missing" },
		{ "a b c d", "\"d\" is one too many" },
		{ "x --cuont 3", "there is no --cuont; did you mean --count?" },
		{ "x --coun 3", "did you mean --count?" },
		{ "x --nothing-like-it", "there is no --nothing-like-it (see" },
		{ "x -z", "there is no -z" },
		{ "x --count", "--count needs a value: --count N" },
		{ "x --count --json", "--count needs a value" },
		{ "x -c", "--count needs a value" },
		{ "x --count=", "--count: \"\" is not a number" },
		{ "x --count 3x", "\"3x\" is not a number" },
		{ "x --count=-3", "\"-3\" is not a number" },
		{ "x --count 0", "0 is not from 1 to 4294967295" },
		{ "x --count 4294967296", "is not from 1 to 4294967295" },
		{ "x --count 99999999999999999999", "is not from 1 to 4294967295" },
		{ "x --json=yes", "--json takes no value" },
		{ "x --ageing 20", "--ageing: \"20\" is not a time such as" },
		{ "x --ageing 0", "--ageing: \"0\" is not a time such as" },
		{ "x --ageing 0ms", "\"0ms\" is not a time such as" },
		{ "x --cc b", "\"b\" is none of bbr|cubic|reno" },
		{ "x --cc bbrr", "\"bbrr\" is none of" },
		{ "x --mac 01:00:00:00:00:00", "is not a station's address" },
		{ "x --mac 00:00:00:00:00:00", "is not a station's address" },
		{ "x --address 1.2.3", "\"1.2.3\" is none of auto|none|IP/LEN; " },
		{ "x --address 192.0.2.1", "an address has its prefix length" },
		{ "x --address 192.0.2.1/33", "is none of auto|none|IP/LEN" },
		{ "x --address IP/LEN", "is none of" },
		{ "x --address aut", "is none of" },
		{ "x --label a!b", "\"a!b\" is not 1 to 32 letters" },
		{ "x --label=", "\"\" is not 1 to 32 letters" },
		{ "x --public a/b", "\"a/b\" is no name or address" },
		{ "x --public :1", "\":1\" is no name or address" },
		{ "x --public h:99999", "\"h:99999\" is no name or address" },
		{ "x --mtu 999", "--mtu: 999 is not from 1000 to 1500" },
		{ "x --mtu jumbo", "--mtu: \"jumbo\" is not a number, nor auto (see" },
		{ "x --mtu 1501", "--mtu: 1501 is not from 1000 to 1500" },
		{ "x --listen 99999", "\"99999\" is not a UDP port" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct line *line = parse(wrong[i].line);
		assert_int_equal(line->operands, -1);
		assert_int_equal(line->status, STATUS_USAGE);
		if (!strstr(line->said, wrong[i].said))
			fail_msg("%s: %s", wrong[i].line, line->said);
		assert_non_null(strstr(line->said, "weft test: "));
		assert_non_null(strstr(line->said, "(see `weft help test`)\n"));
		assert_ptr_equal(strchr(line->said, '\n'),
				 line->said + strlen(line->said) - 1);
	}
}

static void a_list_has_an_end(void **state)
{
	char *argv[2 * OPTIONS_LIST_MAX + 5];
	struct args args = { 0 };
	int argc = 0, status;
	(void)state;
	argv[argc++] = verb;
	for (size_t i = 0; i < OPTIONS_LIST_MAX; i++)
		argv[argc++] = one_more;
	argv[argc++] = operand;
	assert_int_equal(options_parse(&command, argc, argv, &args, &status), 1);
	assert_int_equal(args.extra.n, OPTIONS_LIST_MAX);
	assert_string_equal(argv[1], "x");
	argv[1] = one_more;
	assert_int_equal(options_parse(&command, argc, argv, &args, &status), -1);
	assert_int_equal(status, STATUS_USAGE);
}

static void help_is_made_from_the_table(void **state)
{
	static const char *const lines[] = { "--help", "-h", "a --count 3 -qh",
					     "--help x y" };
	static const char *const parts[] = {
		"usage: weft test [OPTION]... FROM TO...\n",
		"Tests the parser.\n",
		"  -c, --count N           how many\n",
		"      --cc bbr|cubic|reno which\n",
		"  -l, --listen [ADDRESS:]PORT\n                          where\n",
		"      --json              print facts",
		"  -h, --help              show this text\n",
		"That is all.\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct line *line = parse(lines[i]);
		assert_int_equal(line->operands, -1);
		assert_int_equal(line->status, STATUS_OK);
		for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++)
			if (!strstr(line->said, parts[j]))
				fail_msg("no \"%s\" in:\n%s", parts[j], line->said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_an_option),
		cmocka_unit_test(operands_and_options_mix),
		cmocka_unit_test(every_type_is_stored),
		cmocka_unit_test(a_word_stands_for_an_address),
		cmocka_unit_test(what_is_not_given_stays),
		cmocka_unit_test(the_operand_that_is_missing_is_named),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(help_is_made_from_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
