/* SPDX-License-Identifier: MIT */
/*
 * The words of rules: what they stand for, how they are printed, and what is refused with which
 * words.
 */
#include "lan/rules.h"

#include "../unit.h"
#include "base/array.h"
#include "lan/message.h"

#include <errno.h>
#include <string.h>

#define S UINT64_C(1000000000)

static void say(struct rules *rules, const char *text)
{
	struct weft_error err = { "" };
	struct rule_value value;
	bool said;
	int rule = rule_parse(text, &value, &said, &err);
	if (rule < 0)
		fail_msg("%s: %s", text, err.text);
	rules_set(rules, (enum rule)rule, &value, said);
}

static struct rules rules_with(const char *text)
{
	struct rules rules = rules_defaults();
	say(&rules, text);
	return rules;
}

/* What holds where nothing was said is what the filter and the bridge have of their own. */
static void the_defaults_are_those_of_the_parts(void **state)
{
	(void)state;
	const struct rules rules = rules_defaults();
	const struct filter_opts filter = rules_filter(&rules);
	const struct filter_opts own = filter_defaults();
	const struct bridge_help help = rules_help(&rules);
	assert_int_equal(rules.said, (1u << RULES) - 1);
	assert_int_equal(filter.off, 0);
	assert_int_equal(filter.group.rate, own.group.rate);
	assert_int_equal(filter.group.burst, own.group.burst);
	assert_int_equal(filter.unknown.burst, own.unknown.burst);
	assert_int_equal(filter.bytes.rate, 0);
	assert_int_equal(filter.address_ns, FILTER_ADDRESS_NS);
	assert_int_equal(filter.addresses_max, FILTER_CLIENT_ADDRESSES_MAX);
	assert_true(help.snooping);
	assert_true(help.ipx);
	assert_int_equal(help.free.rate, SNOOP_FREE_RATE);
	assert_int_equal(rules.values[RULE_MACS].number, LAN_CLAIMS_MAX);
}

static void each_switch_has_its_bit(void **state)
{
	static const struct {
		const char *text;
		unsigned bit;
	} rows[] = {
		{ "eapol=off", FILTER_RULE_EAPOL },
		{ "lldp=off", FILTER_RULE_LLDP },
		{ "slow=off", FILTER_RULE_SLOW },
		{ "vlan=off", FILTER_RULE_VLAN },
		{ "dhcp=off", FILTER_RULE_DHCP },
		{ "router=off", FILTER_RULE_ROUTER },
		{ "address=off", FILTER_RULE_ADDRESS },
		{ "query=off", FILTER_RULE_QUERY },
		{ "lldp=on", 0 },
		{ "address=7", 0 },
		{ "bytes=off", 0 },
		{ "snoop=off", 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct rules rules = rules_with(rows[i].text);
		assert_int_equal(rules_filter(&rules).off, rows[i].bit);
	}
}

static void each_number_has_its_place(void **state)
{
	(void)state;
	struct rules rules = rules_defaults();
	say(&rules, "group=7");
	say(&rules, "unknown=8/9");
	say(&rules, "bytes=1000000000");
	say(&rules, "address=3600");
	say(&rules, "addresses=40");
	say(&rules, "macs=0");
	say(&rules, "malformed=off");
	say(&rules, "stream=1/5");
	say(&rules, "snoop=off");
	say(&rules, "ipx=off");
	const struct filter_opts filter = rules_filter(&rules);
	assert_int_equal(filter.group.rate, 7);
	assert_int_equal(filter.group.burst, 14);
	assert_int_equal(filter.unknown.rate, 8);
	assert_int_equal(filter.unknown.burst, 9);
	assert_int_equal(filter.bytes.rate, 1000000000);
	assert_int_equal(filter.bytes.burst, 2000000000);
	assert_int_equal(filter.address_ns, 3600 * S);
	assert_int_equal(filter.addresses_max, 40);
	assert_int_equal(rules.values[RULE_MACS].number, 0);
	assert_int_equal(rules.values[RULE_MALFORMED].number, 0);
	const struct bridge_help help = rules_help(&rules);
	assert_int_equal(help.free.rate, 1);
	assert_int_equal(help.free.burst, 5);
	assert_false(help.snooping);
	assert_false(help.ipx);
}

/* Every rule, at both ends of what it can be, is printed as it can be read. */
static void what_is_printed_can_be_read(void **state)
{
	static const char *const texts[] = {
		"eapol=on",        "eapol=off",
		"address=off",     "address=86400",
		"addresses=1024",  "group=off",
		"group=1/1",       "bytes=1000000000/2000000000",
		"malformed=1/100", "macs=0",
		"macs=16",         "snoop=off",
		"stream=64/128",   "neighbour=on",
		"ipx=on",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct weft_error err = { "" };
		struct rule_value value;
		struct rules rules = { .said = 0 };
		char text[RULE_TEXT];
		bool said;
		int rule = rule_parse(texts[i], &value, &said, &err);
		assert_true(rule >= 0 && said);
		rules_set(&rules, (enum rule)rule, &value, said);
		assert_string_equal(rule_print(&rules, (enum rule)rule, text), texts[i]);
	}
}

static void one_lies_on_top_of_another(void **state)
{
	(void)state;
	struct rules below = rules_defaults(), top = { .said = 0 };
	const struct rules defaults = rules_defaults();
	say(&below, "group=7");
	say(&below, "eapol=off");
	say(&top, "group=9");
	rules_lay(&below, &top);
	assert_int_equal(below.values[RULE_GROUP].number, 9);
	assert_int_equal(below.values[RULE_EAPOL].number, 0);
	const struct rules rest = rules_difference(&below, &defaults);
	assert_int_equal(rest.said, 1u << RULE_GROUP | 1u << RULE_EAPOL);
	json_t *object = rules_json(&rest);
	assert_int_equal(json_object_size(object), 2);
	assert_string_equal(json_string_value(json_object_get(object, "group")), "9/18");
	assert_string_equal(json_string_value(json_object_get(object, "eapol")), "off");
	json_decref(object);
	say(&top, "group=default");
	assert_int_equal(top.said, 0);
}

/* And says what would be right. */
static void the_rest_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "there is no rule \"\"" },
		{ "=off", "there is no rule" },
		{ "x=off", "eapol, lldp," },
		{ "eapo=off", "did you mean \"eapol\"?" },
		{ "byte=3", "did you mean \"bytes\"?" },
		{ "eapol", "eapol is on, off or default" },
		{ "eapol=", "eapol is on, off" },
		{ "eapol=1", "eapol is on, off" },
		{ "eapol=off ", "eapol is on, off" },
		{ "group", "group is N a second" },
		{ "group=", "group is N a second" },
		{ "group=0", "1 to 1000000000" },
		{ "group=on", "group is" },
		{ "group=-1", "group is" },
		{ "group=+1", "group is" },
		{ "group=1x", "group is" },
		{ "group= 1", "group is" },
		{ "group=0x1", "group is" },
		{ "group=1/", "group is" },
		{ "group=1/0", "group is" },
		{ "group=1/2/3", "group is" },
		{ "bytes=1000000001", "bytes is" },
		{ "bytes=4294967297", "bytes is" },
		{ "bytes=99999999999999999999999", "bytes is" },
		{ "address=0", "1 to 86400 seconds, off" },
		{ "address=1/2", "seconds" },
		{ "macs=17", "from 0 to 16, or default" },
		{ "macs=off", "from 0 to 16" },
		{ "addresses=0", "from 1 to 1024" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct weft_error err = { "" };
		struct rule_value value;
		bool said;
		if (rule_parse(rows[i].text, &value, &said, &err) != -EINVAL)
			fail_msg("\"%s\" is taken", rows[i].text);
		if (!strstr(err.text, rows[i].words))
			fail_msg("\"%s\": %s", rows[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_parts),
		cmocka_unit_test(each_switch_has_its_bit),
		cmocka_unit_test(each_number_has_its_place),
		cmocka_unit_test(what_is_printed_can_be_read),
		cmocka_unit_test(one_lies_on_top_of_another),
		cmocka_unit_test(the_rest_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
