/* SPDX-License-Identifier: MIT */
/*
 * Rules of one room and of one member at a relay: they hold for who is there, for who comes, and
 * after a restart; and the relay says which they are.
 */
#include "../unit.h"
#include "lan/pass.h"
#include "lan/visitor.h"
#include "party.h"
#include "wire/ether.h"

#include <weft/log.h>

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
	struct party party;
	struct guest alice, bob;
};

static void begin(struct scene *s)
{
	party_init(&s->party, test_seed());
	party_open_relay(&s->party);
	guest_join(&s->alice, &s->party, "alice", 1);
	guest_join(&s->bob, &s->party, "bob", 2);
}

static void end(struct scene *s)
{
	guest_leave(&s->alice);
	guest_leave(&s->bob);
	party_fini(&s->party);
}

static void say(struct scene *s, const char *text)
{
	struct weft_error err = { "" };
	if (weft_relay_rule(s->party.relay, text, true, &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

/* How many of so many broadcasts reach the other. */
static unsigned broadcasts(struct guest *from, struct guest *to, unsigned n)
{
	(void)guest_got(to);
	for (unsigned i = 0; i < n; i++)
		probe_sends(&from->probe, from->opts.mac, party_broadcast, 60,
			    sim_now(from->party->sim));
	party_run(from->party, 100);
	return guest_got(to);
}

/* The rules in the facts of a room or, by its name, of a member, as text that is freed. */
static char *rules_told(const struct scene *s, const char *member_name)
{
	char *text = weft_relay_json(s->party.relay, sim_now(s->party.sim));
	json_t *facts = json_loads(text, 0, NULL), *member;
	const json_t *room = json_array_get(json_object_get(facts, "rooms"), 0);
	const json_t *rules = json_object_get(room, "own_rules");
	size_t i;
	json_array_foreach(json_object_get(room, "members"), i, member)
	{
		const char *name = json_string_value(json_object_get(member, "name"));
		if (member_name && strcmp(name, member_name) == 0)
			rules = json_object_get(member, "rules");
	}
	char *told = rules ? json_dumps(rules, JSON_COMPACT) : strdup("none");
	json_decref(facts);
	free(text);
	return told;
}

static void assert_told(const struct scene *s, const char *member, const char *rules)
{
	char *told = rules_told(s, member);
	assert_string_equal(told, rules);
	free(told);
}

static void one_member_has_its_own(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_told(&s, NULL, "none");
	say(&s, "FRIDAY:group=5");
	say(&s, "FRIDAY/bob:group=20/30");
	assert_told(&s, NULL, "{\"group\":\"5/10\"}");
	assert_told(&s, "alice", "none");
	assert_told(&s, "bob", "{\"group\":\"20/30\"}");
	party_run(&s.party, 5000);
	assert_int_equal(broadcasts(&s.alice, &s.bob, 100), 10);
	assert_int_equal(broadcasts(&s.bob, &s.alice, 100), 30);
	say(&s, "MONDAY:group=1"); /* is another room */
	say(&s, "FRIDAY/bob:group=default");
	assert_told(&s, "bob", "none");
	party_run(&s.party, 5000);
	assert_int_equal(broadcasts(&s.bob, &s.alice, 100), 10);
	end(&s);
}

static void assert_bears(const struct visitor *visitor, uint32_t rate, uint32_t burst)
{
	const struct bucket expected = bucket_of(rate, burst);
	assert_int_equal(visitor->malformed.interval_ns, expected.interval_ns);
	assert_int_equal(visitor->malformed.depth_ns, expected.depth_ns);
}

/* How much that makes no sense is borne before a member is closed. */
static void nonsense_is_borne_as_long_as_said(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	const struct list *visitors = &s.party.relay->visitors;
	const struct visitor *alice = container_of(visitors->next, struct visitor, node);
	const struct visitor *bob = container_of(visitors->prev, struct visitor, node);
	assert_bears(bob, 1, 100);
	say(&s, "malformed=5/7");
	assert_bears(alice, 5, 7);
	assert_bears(bob, 5, 7);
	say(&s, "FRIDAY/bob:malformed=off");
	assert_bears(alice, 5, 7);
	assert_bears(bob, 0, 0);
	say(&s, "FRIDAY/bob:malformed=default");
	assert_bears(bob, 5, 7);
	end(&s);
}

/* An id is of who has it now, and the next one to have it is another. */
static void by_id_and_by_mac(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	say(&s, "FRIDAY/2:bytes=7");
	assert_told(&s, "bob", "{\"bytes\":\"7/14\"}");
	assert_told(&s, "alice", "none");
	char *text = weft_relay_save(s.party.relay, sim_now(s.party.sim));
	assert_non_null(strstr(text, "\"FRIDAY/02:00:00:00:00:02:bytes=7/14\""));
	free(text);
	say(&s, "FRIDAY/02:00:00:00:00:02:bytes=8");
	assert_told(&s, "bob", "{\"bytes\":\"8/16\"}");
	text = weft_relay_save(s.party.relay, sim_now(s.party.sim));
	assert_null(strstr(text, "bytes=7")); /* It is one line, said in two ways. */
	free(text);
	end(&s);
}

/* A name goes before an id: rules for one are not to hold for whom chance gave that number. */
static void who_is_called_by_a_number(void **state)
{
	(void)state;
	struct scene s;
	struct guest carol;
	begin(&s);
	guest_join(&carol, &s.party, "1", 3);
	say(&s, "FRIDAY/1:bytes=7");
	assert_told(&s, "1", "{\"bytes\":\"7/14\"}");
	assert_told(&s, "alice", "none");
	guest_leave(&carol);
	end(&s);
}

/* Whatever name somebody gives itself, the pass is whose it is. */
static void by_the_key_of_a_pass(void **state)
{
	(void)state;
	struct scene s;
	struct guest carol;
	char line[200], hex[2 * PROOF_KEY_LEN + 1];
	begin(&s);
	guest_init(&carol, &s.party, "bob", 3);
	const struct weft_invite whole = carol.opts.invite;
	assert_int_equal(
		weft_invite_restrict(&whole, WEFT_PASS_NEVER, &carol.opts.invite), 0);
	guest_start(&carol);
	assert_true(guest_reaches(&carol, WEFT_MEMBER_JOINED, 5000));
	const struct visitor *visitor =
		container_of(s.party.relay->visitors.prev, struct visitor, node);
	assert_true(visitor->hello.has_pass);
	(void)sodium_bin2hex(hex, sizeof(hex), visitor->hello.pass.key, PROOF_KEY_LEN);
	char *facts = weft_relay_json(s.party.relay, sim_now(s.party.sim));
	assert_non_null(strstr(facts, hex));
	free(facts);
	(void)snprintf(line, sizeof(line), "FRIDAY/%s:group=3", hex);
	say(&s, line);
	say(&s, "FRIDAY/bob:group=4");
	party_run(&s.party, 5000);
	assert_int_equal(broadcasts(&carol, &s.alice, 100), 6);
	assert_int_equal(broadcasts(&s.bob, &s.alice, 100), 8);
	guest_leave(&carol);
	end(&s);
}

/* What was said is known of who comes back, also at the relay after this one. */
static void over_a_restart(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err = { "" };
	begin(&s);
	say(&s, "FRIDAY/bob:group=6");
	say(&s, "FRIDAY:eapol=off");
	assert_int_equal(weft_relay_rule(s.party.relay, "FRIDAY:lldp=off", false, &err),
			 0);
	char *text = weft_relay_save(s.party.relay, sim_now(s.party.sim));
	party_kill_relay(&s.party);
	party_open_relay(&s.party);
	assert_int_equal(
		weft_relay_restore(s.party.relay, text, sim_now(s.party.sim), &err), 1);
	free(text);
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_WAITING, 20000));
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 20000));
	assert_true(guest_reaches(&s.alice, WEFT_MEMBER_JOINED, 20000));
	assert_told(&s, NULL, "{\"eapol\":\"off\"}");
	assert_int_equal(broadcasts(&s.bob, &s.alice, 100), 12);
	/* What its command line says of the same goes before. */
	assert_int_equal(weft_relay_rule(s.party.relay, "FRIDAY:eapol=on", false, &err),
			 0);
	assert_told(&s, NULL, "none");
	text = weft_relay_save(s.party.relay, sim_now(s.party.sim));
	assert_null(strstr(text, "eapol"));
	assert_non_null(strstr(text, "FRIDAY/bob:group=6/12"));
	free(text);
	end(&s);
}

#define WARNING_LEN 200u

static void note(void *user, enum weft_log_level level, const char *text)
{
	(void)level;
	(void)snprintf(user, WARNING_LEN, "%s", text);
}

static void stations_behind_one(void **state)
{
	(void)state;
	struct scene s;
	char warning[WARNING_LEN] = "";
	const struct weft_log log = { .write = note,
				      .user = warning,
				      .level = WEFT_LOG_WARNING };
	const struct weft_mac console = { { 2, 0, 0, 0, 1, 1 } };
	begin(&s);
	guest_leave(&s.bob);
	s.bob.opts.claims = true;
	s.bob.opts.log = &log;
	guest_start(&s.bob);
	say(&s, "FRIDAY/bob:macs=0");
	assert_true(guest_reaches(&s.bob, WEFT_MEMBER_JOINED, 5000));
	probe_sends(&s.bob.probe, console, party_broadcast, 60, sim_now(s.party.sim));
	party_run(&s.party, 1000);
	guest_sends(&s.alice, console);
	assert_int_equal(guest_got(&s.bob), 0);
	assert_non_null(strstr(warning, "02:00:00:00:01:01"));
	assert_null(strstr(warning, "16")); /* here it is none */
	say(&s, "FRIDAY/bob:macs=1");
	for (unsigned i = 0; i < 70; i++) {
		probe_sends(&s.bob.probe, console, party_broadcast, 60,
			    sim_now(s.party.sim));
		party_run(&s.party, 1000);
	}
	(void)guest_got(&s.bob);
	guest_sends(&s.alice, console);
	assert_int_equal(guest_got(&s.bob), 1);
	end(&s);
}

static void help_can_be_left_undone_and_done_again(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	struct room *room = relay_find_room(s.party.relay, "FRIDAY");
	assert_false(room->bridge->is_snoop_paused);
	say(&s, "FRIDAY:snoop=off");
	say(&s, "FRIDAY:ipx=off");
	say(&s, "neighbour=off");
	say(&s, "FRIDAY:stream=9");
	assert_true(room->bridge->is_snoop_paused);
	assert_false(room->bridge->ipx);
	assert_int_equal(room->bridge->snoop.free.rate, 9);
	assert_told(&s, NULL,
		    "{\"snoop\":\"off\",\"stream\":\"9/18\",\"neighbour\":\"off\","
		    "\"ipx\":\"off\"}");
	say(&s, "FRIDAY:snoop=default");
	say(&s, "FRIDAY:ipx=on");
	assert_false(room->bridge->is_snoop_paused);
	assert_true(room->bridge->ipx);
	end(&s);
}

static void what_is_no_rule_changes_nothing(void **state)
{
	(void)state;
	struct scene s;
	struct weft_error err = { "" };
	begin(&s);
	assert_int_equal(weft_relay_rule(s.party.relay, "FRIDAY:group=no", true, &err),
			 -EINVAL);
	assert_int_equal(weft_rule_check("FRIDAY:group=no", &err), -EINVAL);
	assert_non_null(strstr(err.text, "group is"));
	assert_int_equal(weft_rule_check("FRIDAY:group=1", &err), 0);
	assert_told(&s, NULL, "none");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_member_has_its_own),
		cmocka_unit_test(by_id_and_by_mac),
		cmocka_unit_test(nonsense_is_borne_as_long_as_said),
		cmocka_unit_test(who_is_called_by_a_number),
		cmocka_unit_test(by_the_key_of_a_pass),
		cmocka_unit_test(over_a_restart),
		cmocka_unit_test(stations_behind_one),
		cmocka_unit_test(help_can_be_left_undone_and_done_again),
		cmocka_unit_test(what_is_no_rule_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
