/* SPDX-License-Identifier: MIT */
/*
 * A member who takes nothing of what is said on its control stream, and goes on sending: what
 * waits for it is bounded, and then it has to go; the others do not notice.
 */
#include "../unit.h"
#include "lan/visitor.h"
#include "party.h"
#include "visit.h"

#include <string.h>

#define EVE 9u

struct scene {
	struct party party;
	struct guest alice, bob;
	struct stranger eve;
	bool is_deaf;
};

/* Nothing that is sent to eve can be read by her: in each datagram a byte is wrong. */
static void deafen(void *user, const struct dgram_msg *msg)
{
	const struct scene *s = user;
	const size_t step = msg->segment_len ? msg->segment_len : msg->len;
	char peer[WEFT_SOCKADDR_TEXT];
	if (!s->is_deaf || !strstr(weft_sockaddr_print(&msg->peer, peer), "10.0.2.9"))
		return;
	for (size_t end = step; end < msg->len; end += step)
		msg->data[end - 1] ^= 0xff;
	msg->data[msg->len - 1] ^= 0xff;
}

static struct room_member *member_of(const struct scene *s, const char *name)
{
	const struct room *room = relay_find_room(s->party.relay, "FRIDAY");
	list_for_each (node, &room->members) {
		struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (strcmp(member->peer.name, name) == 0)
			return member;
	}
	return NULL;
}

/* The others hear that alice has left and come so often, some of it at a time. */
static void alice_comes(struct scene *s, unsigned n)
{
	const struct room_member *alice = member_of(s, "alice");
	assert_non_null(alice);
	const struct peer_left left = { .id = alice ? alice->peer.id : 0 };
	for (unsigned i = 0; i < n && member_of(s, "stranger"); i++) {
		visitor_announce_left(alice, &left, sim_now(s->party.sim));
		visitor_announce_joined(alice, sim_now(s->party.sim));
		if (i % 100 == 99)
			party_run(&s->party, 20);
	}
}

static void who_never_reads_has_to_go(void **state)
{
	(void)state;
	struct scene s = { .is_deaf = false };
	party_init(&s.party, test_seed());
	party_open_relay(&s.party);
	sim_set_tap(s.party.sim, deafen, &s);
	guest_join(&s.alice, &s.party, "alice", 1);
	guest_join(&s.bob, &s.party, "bob", 2);
	stranger_joins(&s.eve, &s.party, EVE);

	alice_comes(&s, 2000); /* who reads has no limit of them */
	party_run(&s.party, 1000);
	assert_non_null(member_of(&s, "stranger"));
	s.is_deaf = true;
	alice_comes(&s, 500); /* what waits is less than is borne */
	assert_non_null(member_of(&s, "stranger"));
	alice_comes(&s, 20000);
	assert_null(member_of(&s, "stranger"));
	assert_non_null(strstr(s.party.reason, "could not send a control message"));
	s.is_deaf = false;
	party_run(&s.party, 100);
	const uint8_t anything[60] = { 0 };
	if (s.eve.conn)
		stranger_sends(&s.eve, anything, sizeof(anything));
	party_run(&s.party, 2000);
	assert_closed(&s.eve, CLOSE_TOO_SLOW);
	stranger_fini(&s.eve);

	assert_int_equal(s.alice.waits_n + s.bob.waits_n, 0);
	(void)guest_got(&s.bob);
	guest_sends(&s.alice, guest_mac(2));
	assert_int_equal(guest_got(&s.bob), 1);
	guest_leave(&s.alice);
	guest_leave(&s.bob);
	party_fini(&s.party);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_never_reads_has_to_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
