/* SPDX-License-Identifier: MIT */
/*
 * The parser is tested with the tables of the program, so that these are tested too.
 */
#include "link/spec.h"

#include "../unit.h"
#include "link/drivers.h"
#include "link/local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct weft_error err;
static char copy[SPEC_LEN_MAX + 1];

/* Parses the head of text by the tables of the program. */
static int parse(const char *text, struct spec *ret_spec)
{
	const struct spec_source source = { .drivers = link_drivers,
					    .whole = text,
					    .text = copy };
	(void)snprintf(copy, sizeof(copy), "%s", text);
	err.text[0] = '\0';
	return spec_parse(&source, 0, &err, ret_spec);
}

static void assert_says(const char *part)
{
	if (!strstr(err.text, part))
		fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void assert_fails(const char *text, const char *part)
{
	struct spec spec;
	assert_int_equal(parse(text, &spec), -EINVAL);
	assert_says(part);
}

static void names_and_options(void **state)
{
	struct spec spec;
	const struct weft_mac mac = { { 2, 0, 0, 0, 0, 1 } };
	(void)state;
	assert_int_equal(parse("tap:weft0,persist,mac=02:00:00:00:00:01", &spec), 0);
	assert_string_equal(spec.driver->kind, "tap");
	assert_string_equal(spec.name, "weft0");
	assert_true(spec.values[TAP_PERSIST].flag);
	assert_false(spec.values[TAP_MULTIQUEUE].flag);
	assert_true(spec.values[TAP_OFFLOAD].flag);
	assert_true(spec.given[TAP_MAC]);
	assert_memory_equal(&spec.values[TAP_MAC].mac, &mac, sizeof(mac));
}

static void the_name_may_be_left_out(void **state)
{
	static const char *const texts[] = { "tap", "tap:", "tap:,offload=off",
					     "tap,offload=off", "tap:offload=off" };
	struct spec spec;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i], &spec), 0);
		assert_string_equal(spec.name, "");
		assert_int_equal(spec.values[TAP_OFFLOAD].flag, i < 2);
	}
}

static void wrappers_end_at_a_colon(void **state)
{
	struct spec spec;
	(void)state;
	assert_int_equal(parse("impair:loss=1%,delay=20ms:tap:x,persist", &spec), 0);
	assert_true(spec.values[IMPAIR_LOSS].fraction > 0.0099);
	assert_true(spec.values[IMPAIR_LOSS].fraction < 0.0101);
	assert_int_equal(spec.values[IMPAIR_DELAY].number, 20000000);
	assert_string_equal(spec.inner, "tap:x,persist");
	assert_int_equal(parse("capture:a.pcap:impair:loss=1%:tap:x", &spec), 0);
	assert_string_equal(spec.name, "a.pcap");
	assert_string_equal(spec.inner, "impair:loss=1%:tap:x");
	assert_int_equal(parse("impair::tap:x", &spec), 0);
	assert_string_equal(spec.inner, "tap:x");
}

static void every_type_of_value(void **state)
{
	struct spec spec;
	(void)state;
	assert_int_equal(
		parse("impair:rate=1.5gbit,limit=64k,dir=rx,seed=9,jitter=1us:x", &spec),
		0);
	assert_int_equal(spec.values[IMPAIR_RATE].number, 1500000000);
	assert_int_equal(spec.values[IMPAIR_LIMIT].limit.bytes, 65536);
	assert_int_equal(spec.values[IMPAIR_LIMIT].limit.frames, 0);
	assert_int_equal(spec.values[IMPAIR_DIR].choice, 2);
	assert_int_equal(spec.values[IMPAIR_SEED].number, 9);
	assert_int_equal(spec.values[IMPAIR_JITTER].number, 1000);
	assert_int_equal(parse("impair:limit=50:x", &spec), 0);
	assert_int_equal(spec.values[IMPAIR_LIMIT].limit.frames, 50);
	assert_int_equal(parse("packet:eth0,buffer=1m,promisc=off", &spec), 0);
	assert_int_equal(spec.values[PACKET_BUFFER].number, 1048576);
	assert_false(spec.values[PACKET_PROMISC].flag);
}

static void backslashes_quote(void **state)
{
	struct spec spec;
	(void)state;
	assert_int_equal(parse("capture:a\\:b\\,c\\=d\\\\e,snap=100:tap:x", &spec), 0);
	assert_string_equal(spec.name, "a:b,c=d\\e");
	assert_int_equal(spec.values[CAPTURE_SNAP].number, 100);
	assert_string_equal(spec.inner, "tap:x");
	assert_int_equal(parse("pcap:C:/trace.pcap", &spec), 0);
	assert_string_equal(spec.name, "C:/trace.pcap");
}

static void errors_say_what_where_and_how(void **state)
{
	(void)state;
	assert_fails("tpa:x",
		     "character 1: unknown kind \"tpa\" (did you mean \"tap\"?)");
	assert_fails("", "unknown kind \"\"");
	assert_fails("eth0",
		     "unknown kind \"eth0\" (a link is KIND:NAME, such as packet:eth0)");
	assert_fails("nothing:x", "unknown kind \"nothing\"; there are: tap, ");
	assert_fails("ethernet:x", "there are: tap, tun, packet, pcap, capture, impair");
	assert_fails("tap:x,perist",
		     "character 7: tap has no option \"perist\" (did you mean "
		     "\"persist\"?)");
	assert_fails("tap:x,qqqqqq=1", "it has: persist, multiqueue, offload, fd, mac");
	assert_fails("tap:x,", "character 7: tap has no option \"\"");
	assert_fails("tun:x,mac=02:00:00:00:00:01", "tun has no option \"mac\"");
	assert_fails("tap:x,mac=1", "character 7: mac=1: give an address such as 02:");
	assert_fails("tap:x,mac", "mac=: give an address");
	assert_fails("tap:x,persist=yes", "persist=yes: give on or off");
	assert_fails("tap:x,offload=on,offload=on",
		     "character 18: offload= is given twice");
	assert_fails("packet:", "packet needs a name, as in packet:eth0");
	assert_fails("pcap:f,rate=slow", "rate=slow: give real|fast");
	assert_fails("pcap:f,rate=rea", "rate=rea: give real|fast");
	assert_fails("impair:loss=1:tap:x",
		     "character 8: loss=1: give a part such as 1%");
	assert_fails("impair:delay=20:tap:x", "delay=20: give a time such as 20ms");
	assert_fails("impair:limit=x:tap:x", "limit=x: give frames such as 1000");
	assert_fails("impair:loss=1%", "impair goes around another link");
	assert_fails("impair:tap:x", "impair has no option \"tap\"");
	assert_fails("capture:f", "capture goes around another link");
}

static void errors_count_from_the_start_of_the_whole(void **state)
{
	struct weft_link *link = NULL;
	(void)state;
	assert_int_equal(
		weft_link_open("impair:loss=1%:capture:f\\:g:pcap:f,lop", &err, &link),
		-EINVAL);
	assert_says("character 36: pcap has no option \"lop\" (did you mean \"loop\"?)");
	assert_null(link);
}

static void nesting_and_length_are_bounded(void **state)
{
	struct weft_link *link = NULL;
	char text[SPEC_LEN_MAX + 2];
	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(text + 8 * i, "impair::", 9);
	assert_int_equal(weft_link_open(text, &err, &link), -EINVAL);
	assert_says("more than 8 wrappers");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(weft_link_open(text, &err, &link), -EINVAL);
	assert_says("at most 4096 characters");
}

/* Each default parses, each option has help, and the help text shows every one. */
static void the_tables_are_sound(void **state)
{
	char *help = weft_link_help();
	(void)state;
	assert_non_null(help);
	for (size_t i = 0; link_drivers[i]; i++) {
		const struct spec_driver *d = link_drivers[i];
		struct spec spec;
		size_t n = 0;
		assert_non_null(strstr(help, d->summary));
		assert_non_null(strstr(help, d->example));
		assert_int_equal(parse(d->example, &spec), 0);
		for (const struct spec_option *o = d->options; o->name; o++, n++) {
			assert_true(n < SPEC_OPTIONS_MAX);
			assert_non_null(strstr(help, o->help));
			assert_true(spec.given[n] || !o->standard);
		}
	}
	free(help);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;
	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* All plugs begin with the same options. Help has them once, and again only where one differs. */
static void help_says_once_what_all_plugs_take(void **state)
{
	char *help = weft_link_help();
	const struct spec_option *common = NULL;
	size_t other_queues = 0;
	(void)state;
	assert_non_null(help);
	for (size_t i = 0; link_drivers[i]; i++) {
		const struct spec_option *own = link_drivers[i]->options;
		if (!link_drivers[i]->plug)
			continue;
		common = common ? common : own;
		for (size_t o = 0; o < LOCAL_OPTIONS_N; o++)
			assert_string_equal(own[o].name, common[o].name);
		if (strcmp(own[LOCAL_QUEUE].standard, common[LOCAL_QUEUE].standard) != 0)
			other_queues++;
	}
	assert_non_null(common);
	for (size_t o = 0; o < LOCAL_OPTIONS_N; o++)
		assert_int_equal(count(help, common[o].help),
				 o == LOCAL_QUEUE ? 1 + other_queues : 1);
	assert_int_equal(count(help, "All plugs have these options:\n"), 1);
	free(help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_options),
		cmocka_unit_test(the_name_may_be_left_out),
		cmocka_unit_test(wrappers_end_at_a_colon),
		cmocka_unit_test(every_type_of_value),
		cmocka_unit_test(backslashes_quote),
		cmocka_unit_test(errors_say_what_where_and_how),
		cmocka_unit_test(errors_count_from_the_start_of_the_whole),
		cmocka_unit_test(nesting_and_length_are_bounded),
		cmocka_unit_test(the_tables_are_sound),
		cmocka_unit_test(help_says_once_what_all_plugs_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
