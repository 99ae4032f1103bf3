/* SPDX-License-Identifier: MIT */
/*
 * One pass over argv. Each argument is an operand, which moves to the front, or an option,
 * which is found in the table and stored by its type. The first thing that is wrong ends the
 * pass with one line:
 *
 *     weft bridge: --ageing: "20x" is not a time such as 20ms (see `weft help bridge`)
 */
#include "cli/options.h"

#include "cli/exit_status.h"
#include "cli/units.h"

#include <weft/addr.h>
#include <weft/lan.h>
#include <weft/nearest.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN ((int)sizeof(OPTION_INDENT) - 1)

/* Returned by the parts of the parser where it is to end. */
enum { DONE = -1 };

struct parse {
	const struct command *command;
	int argc;
	char **argv;
	int next;           /* The argument that is looked at next. */
	int operands;       /* How many were found. */
	bool only_operands; /* "--" was seen. */
	void *values;
	int status; /* When DONE. */
};

static int usage_error(struct parse *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int usage_error(struct parse *p, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	p->status = options_fail(p->command, text);
	return DONE;
}

int options_fail(const struct command *command, const char *text)
{
	(void)fprintf(stderr, "weft %s: %s (see `weft help %s`)\n", command->verb, text,
		      command->verb);
	return STATUS_USAGE;
}

/* ---- help -------------------------------------------------------------------------------- */

static void print_option(const struct option *option)
{
	char left[64];
	int len = snprintf(
		left, sizeof(left), "  %c%c%c --%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ', option->letter ? ',' : ' ',
		option->name, option->syntax ? " " : "",
		option->syntax ? option->syntax : "");
	bool fits = len < HELP_COLUMN;
	printf("%-*s%s", HELP_COLUMN, left, fits ? "" : "\n");
	printf("%*s%s\n", fits ? 0 : HELP_COLUMN, "", option->help);
}

static void print_help(const struct command *command)
{
	static const struct option help = { .name = "help",
					    .letter = 'h',
					    .help = "show this text" };
	printf("usage: weft %s [OPTION]...%s%s\n\n%s\n\n", command->verb,
	       command->operands ? " " : "", command->operands ? command->operands : "",
	       command->summary);
	for (const struct option *o = command->options; o->name; o++)
		print_option(o);
	print_option(&help);
	if (command->notes)
		printf("\n%s\n", command->notes);
}

static int show_help(struct parse *p)
{
	print_help(p->command);
	p->status = fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
	return DONE;
}

/* ---- values ------------------------------------------------------------------------------ */

static int store_number(struct parse *p, const struct option *option, const char *text,
			uint32_t *number)
{
	const uint32_t min = option->min ? option->min : 1;
	const uint32_t max = option->max ? option->max : UINT32_MAX;
	const size_t word_len = strcspn(option->syntax, "|");
	const bool has_word = option->syntax[word_len] != '\0';
	if (has_word && strlen(text) == word_len &&
	    strncmp(text, option->syntax, word_len) == 0) {
		*number = 0;
		return 0;
	}
	errno = 0;
	unsigned long long value = strtoull(text, NULL, 10);
	if (!*text || strspn(text, "0123456789") != strlen(text))
		return usage_error(p, "--%s: \"%s\" is not a number%s%.*s", option->name,
				   text, has_word ? ", nor " : "",
				   has_word ? (int)word_len : 0, option->syntax);
	if (errno == ERANGE || value < min || value > max)
		return usage_error(p, "--%s: %s is not from %" PRIu32 " to %" PRIu32,
				   option->name, text, min, max);
	*number = (uint32_t)value;
	return 0;
}

static int store_duration(struct parse *p, const struct option *option, const char *text,
			  uint64_t *ns)
{
	if (units_parse_duration(text, ns) < 0 || *ns == 0)
		return usage_error(p,
				   "--%s: \"%s\" is not a time such as 20ms, 1.5s or 3d",
				   option->name, text);
	return 0;
}

/* Finds text among the words of "a|b|c"; true with its index, false with that of the last. */
static bool find_word(const char *words, const char *text, unsigned *ret_index)
{
	for (unsigned i = 0;; i++) {
		size_t len = strcspn(words, "|");
		bool is_it = strlen(text) == len && strncmp(text, words, len) == 0;
		*ret_index = i;
		if (is_it || words[len] == '\0')
			return is_it;
		words += len + 1;
	}
}

static int store_choice(struct parse *p, const struct option *option, const char *text,
			unsigned *index)
{
	unsigned found;
	if (!find_word(option->syntax, text, &found))
		return usage_error(p, "--%s: \"%s\" is none of %s", option->name, text,
				   option->syntax);
	*index = found;
	return 0;
}

/* Without its prefix length an address would be one of a network of its own. */
static int store_ip(struct parse *p, const struct option *option, const char *text,
		    struct option_ip *value)
{
	struct option_ip found = { 0 };
	bool is_word = find_word(option->syntax, text, &found.word);
	if (strchr(text, '/') ? weft_ip_parse(text, &found.ip) < 0 : !is_word)
		return usage_error(p,
				   "--%s: \"%s\" is none of %s; an address has its "
				   "prefix length, such as 192.168.7.1/24",
				   option->name, text, option->syntax);
	*value = found;
	return 0;
}

static int check_name(struct parse *p, const struct option *option, const char *text)
{
	if (weft_room_name_is_valid(text))
		return 0;
	return usage_error(p,
			   "--%s: \"%s\" is not 1 to %u letters, digits, \"-\", "
			   "\"_\" and \".\"",
			   option->name, text, WEFT_ROOM_NAME_MAX);
}

static int store_host(struct parse *p, const struct option *option, const char *text,
		      const char **value)
{
	char host[256];
	uint16_t port;
	if (text[strcspn(text, " /#@")] ||
	    weft_hostport_parse(text, 443, host, sizeof(host), &port) < 0)
		return usage_error(
			p,
			"--%s: \"%s\" is no name or address such as "
			"relay.example.org, 192.0.2.1:443 or [2001:db8::1]:443",
			option->name, text);
	*value = text;
	return 0;
}

static int store_list(struct parse *p, const struct option *option, char *text,
		      struct option_list *list)
{
	if (list->n == OPTIONS_LIST_MAX)
		return usage_error(p, "--%s: more than %u times", option->name,
				   OPTIONS_LIST_MAX);
	list->items[list->n++] = text;
	return 0;
}

static int store_mac(struct parse *p, const struct option *option, const char *text,
		     struct weft_mac *mac)
{
	struct weft_mac value;
	if (weft_mac_parse(text, &value) < 0 || (value.octet[0] & 1) ||
	    weft_mac_is_zero(value))
		return usage_error(p,
				   "--%s: \"%s\" is not a station's address such as "
				   "02:00:00:00:00:01",
				   option->name, text);
	*mac = value;
	return 0;
}

static int store_listen(struct parse *p, const struct option *option, const char *text,
			union weft_sockaddr *addr)
{
	if (weft_listen_parse(text, addr) < 0)
		return usage_error(p,
				   "--%s: \"%s\" is not a UDP port such as 443 or an "
				   "address such as 192.0.2.1:443",
				   option->name, text);
	return 0;
}

static int store(struct parse *p, const struct option *option, char *text)
{
	void *place = (char *)p->values + option->offset;
	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)place = text;
		return 0;
	case OPTION_LINK:
		*(char **)place = text;
		return 0;
	case OPTION_LIST:
		return store_list(p, option, text, place);
	case OPTION_NUMBER:
		return store_number(p, option, text, place);
	case OPTION_DURATION:
		return store_duration(p, option, text, place);
	case OPTION_CHOICE:
		return store_choice(p, option, text, place);
	case OPTION_MAC:
		return store_mac(p, option, text, place);
	case OPTION_IP:
		return store_ip(p, option, text, place);
	case OPTION_NAME:
		*(const char **)place = text;
		return check_name(p, option, text);
	case OPTION_NAMES:
		return check_name(p, option, text) < 0
			       ? DONE
			       : store_list(p, option, text, place);
	case OPTION_HOST:
		return store_host(p, option, text, place);
	case OPTION_LISTEN:
		return store_listen(p, option, text, place);
	}
	abort();
}

/* ---- arguments --------------------------------------------------------------------------- */

/* The next argument as the value of an option; one that looks like an option is none. */
static char *take_value(struct parse *p)
{
	if (p->next >= p->argc)
		return NULL;
	char *text = p->argv[p->next];
	if (text[0] == '-' && text[1] != '\0')
		return NULL;
	p->next++;
	return text;
}

static int missing_value(struct parse *p, const struct option *option)
{
	return usage_error(p, "--%s needs a value: --%s %s", option->name, option->name,
			   option->syntax);
}

static int unknown_name(struct parse *p, const char *name)
{
	struct weft_nearest nearest = { 0 };
	for (const struct option *o = p->command->options; o->name; o++)
		weft_nearest_offer(&nearest, name, o->name);
	weft_nearest_offer(&nearest, name, "help");
	if (nearest.word)
		return usage_error(p, "there is no --%s; did you mean --%s?", name,
				   nearest.word);
	return usage_error(p, "there is no --%s", name);
}

/* "--name", "--name=value" or "--name value"; text stands behind the dashes. */
static int parse_name(struct parse *p, char *text)
{
	char name[40];
	size_t len = strcspn(text, "=");
	char *value = text[len] == '=' ? text + len + 1 : NULL;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len < 39 ? len : 39), text);
	if (strcmp(name, "help") == 0)
		return show_help(p);
	const struct option *o = p->command->options;
	while (o->name && strcmp(o->name, name) != 0)
		o++;
	if (!o->name)
		return unknown_name(p, name);
	if (o->type == OPTION_FLAG && value)
		return usage_error(p, "--%s takes no value", name);
	if (o->type != OPTION_FLAG && !value)
		value = take_value(p);
	if (o->type != OPTION_FLAG && !value)
		return missing_value(p, o);
	return store(p, o, value);
}

/* "-abc" or "-nVALUE"; text stands behind the dash. */
static int parse_letters(struct parse *p, char *text)
{
	for (; *text; text++) {
		if (*text == 'h')
			return show_help(p);
		const struct option *o = p->command->options;
		while (o->name && o->letter != *text)
			o++;
		if (!o->name)
			return usage_error(p, "there is no -%c", *text);
		if (o->type != OPTION_FLAG) {
			char *value = text[1] ? text + 1 : take_value(p);
			return value ? store(p, o, value) : missing_value(p, o);
		}
		if (store(p, o, NULL) < 0)
			return DONE;
	}
	return 0;
}

static int parse_argument(struct parse *p)
{
	char *text = p->argv[p->next++];
	if (p->only_operands || text[0] != '-' || text[1] == '\0') {
		p->argv[++p->operands] = text;
		return 0;
	}
	if (strcmp(text, "--") == 0) {
		p->only_operands = true;
		return 0;
	}
	return text[1] == '-' ? parse_name(p, text + 2) : parse_letters(p, text + 1);
}

/* The operands of a command from the n-th word on. */
static const char *operands_from(const char *operands, int n)
{
	for (; n > 0 && *operands; n--) {
		operands += strcspn(operands, " ");
		operands += *operands == ' ';
	}
	return operands;
}

/* Names those that are needed: not what stands in brackets behind them. */
static int missing_operand(struct parse *p)
{
	const char *missing = operands_from(p->command->operands, p->operands);
	const char *others = strstr(missing, " [");
	const size_t len = others ? (size_t)(others - missing) : strlen(missing);
	return usage_error(p, "%.*s is missing", (int)len, missing);
}

static int check_operands(struct parse *p)
{
	const struct command *command = p->command;
	if ((unsigned)p->operands < command->operands_min)
		return missing_operand(p);
	if ((unsigned)p->operands > command->operands_max)
		return usage_error(p, "\"%s\" is one too many",
				   p->argv[command->operands_max + 1]);
	return p->operands;
}

int options_parse(const struct command *command, int argc, char **argv, void *values,
		  int *ret_status)
{
	struct parse p = { .command = command,
			   .argc = argc,
			   .argv = argv,
			   .next = 1,
			   .values = values };
	int r = 0;
	while (r == 0 && p.next < argc)
		r = parse_argument(&p);
	if (r == 0)
		r = check_operands(&p);
	if (r < 0)
		*ret_status = p.status;
	return r;
}
