/* SPDX-License-Identifier: MIT */
/*
 * The words of --filter: the rules that they stand for, and those that are refused.
 */
#include "cmd/relay_rules.h"

#include "../unit.h"
#include "base/array.h"

#include <stdio.h>

/* A command line may be written to. */
struct words {
	char texts[4][32];
	struct option_list list;
};

static void add(struct words *words, const char *text)
{
	const size_t n = words->list.n;
	assert_true(n < ARRAY_LEN(words->texts));
	(void)snprintf(words->texts[n], sizeof(words->texts[n]), "%s", text);
	words->list.items[n] = words->texts[n];
	words->list.n++;
}

static struct weft_room_rules rules_of(const char *text)
{
	struct words words = { .list.n = 0 };
	add(&words, text);
	if (relay_rules_check(&words.list))
		fail_msg("%s is refused", text);
	return relay_rules_of(&words.list);
}

static void words_add_up(void **state)
{
	struct words words = { .list.n = 0 };
	(void)state;
	add(&words, "eapol=off");
	add(&words, "group=7");
	add(&words, "bytes=off");
	add(&words, "lldp=off");
	assert_null(relay_rules_check(&words.list));
	const struct weft_room_rules rules = relay_rules_of(&words.list);
	assert_int_equal(rules.allow, WEFT_ALLOW_EAPOL | WEFT_ALLOW_LLDP);
	assert_int_equal(rules.off, 0);
	assert_int_equal(rules.group_rate, 7);
	assert_int_equal(rules.unknown_rate, 0);
	assert_int_equal(rules.byte_rate, WEFT_RATE_UNLIMITED);
}

static void no_words_are_the_defaults(void **state)
{
	const struct option_list none = { .n = 0 };
	(void)state;
	assert_null(relay_rules_check(&none));
	const struct weft_room_rules rules = relay_rules_of(&none);
	assert_int_equal(rules.allow, 0);
	assert_int_equal(rules.off, 0);
	assert_int_equal(rules.group_rate, 0);
}

/* Each word sets its own bit or rate, and no other. */
static void each_word_has_its_rule(void **state)
{
	static const struct {
		const char *text;
		struct weft_room_rules rules;
	} rows[] = {
		{ "eapol=off", { .allow = WEFT_ALLOW_EAPOL } },
		{ "lldp=off", { .allow = WEFT_ALLOW_LLDP } },
		{ "slow=off", { .allow = WEFT_ALLOW_SLOW } },
		{ "vlan=off", { .allow = WEFT_ALLOW_VLAN } },
		{ "dhcp=off", { .allow = WEFT_ALLOW_DHCP } },
		{ "router=off", { .allow = WEFT_ALLOW_ROUTER } },
		{ "address=off", { .allow = WEFT_ALLOW_ADDRESS } },
		{ "query=off", { .allow = WEFT_ALLOW_QUERY } },
		{ "snoop=off", { .off = WEFT_ROOM_SNOOP } },
		{ "ipx=off", { .off = WEFT_ROOM_IPX } },
		{ "neighbour=off", { .off = WEFT_ROOM_NEIGHBOUR } },
		{ "group=off", { .group_rate = WEFT_RATE_UNLIMITED } },
		{ "unknown=1", { .unknown_rate = 1 } },
		{ "bytes=1000000000", { .byte_rate = 1000000000 } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct weft_room_rules rules = rules_of(rows[i].text);
		assert_memory_equal(&rules, &rows[i].rules, sizeof(rules));
	}
}

static void the_rest_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"=",
		"=off",
		"x=off",
		"eapol",
		"eapol=",
		"eapol=3",
		"eapol=on",
		"eapo=off",
		"eapol=off ",
		"group",
		"group=",
		"group=0",
		"group=-1",
		"group=+1",
		"group=1x",
		"group= 1",
		"group=0x1",
		"bytes=1000000001",
		"bytes=4294967297",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct words words = { .list.n = 0 };
		add(&words, "lldp=off");
		add(&words, texts[i]);
		if (!relay_rules_check(&words.list))
			fail_msg("\"%s\" is taken", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_add_up),
		cmocka_unit_test(no_words_are_the_defaults),
		cmocka_unit_test(each_word_has_its_rule),
		cmocka_unit_test(the_rest_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
