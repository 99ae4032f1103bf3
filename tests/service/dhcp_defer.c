/* SPDX-License-Identifier: MIT */
/*
 * Whose question is answered beside a network that may have a server, in virtual time.
 */
#include "service/dhcp_defer.h"

#include "../unit.h"

#define S      UINT64_C(1000000000)
#define OWN    0x644000feu
#define OTHER  0xc0a80101u
#define CLIENT 1u

struct scene {
	struct dhcp_defer defer;
	uint64_t now;
};

static void begin(struct scene *s)
{
	*s = (struct scene){ .now = 100 * S };
	dhcp_defer_begin(&s->defer, OWN);
}

static struct dhcp_msg from(uint8_t client, enum dhcp_type type, uint32_t server_id)
{
	return (struct dhcp_msg){ .op = DHCP_OP_REQUEST,
				  .type = (uint8_t)type,
				  .chaddr = { { 2, 0, 0, 0, 0, client } },
				  .server_id = server_id };
}

static bool is_answered(struct scene *s, uint8_t client, enum dhcp_type type,
			uint32_t server_id, bool holds)
{
	const struct dhcp_msg msg = from(client, type, server_id);
	return dhcp_defer_may_answer(&s->defer, &msg, holds, s->now);
}

static bool discovers(struct scene *s, uint8_t client)
{
	return is_answered(s, client, DHCP_DISCOVER, 0, false);
}

static bool hears(struct scene *s, enum dhcp_op op, enum dhcp_type type, uint32_t server)
{
	struct dhcp_msg msg = from(9, type, server);
	msg.op = (uint8_t)op;
	return dhcp_defer_hear(&s->defer, &msg);
}

/* At 0, 4 and 8 s, or each 3 s. */
static void who_asks_again_is_answered(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_false(discovers(&s, CLIENT));
	s.now += 3 * S;
	assert_false(discovers(&s, CLIENT));
	s.now += S - 1;
	assert_false(discovers(&s, CLIENT));
	s.now++;
	assert_true(discovers(&s, CLIENT));
	assert_false(discovers(&s, 2)); /* each for itself */
	s.now += DHCP_DEFER_FORGET_NS - 1;
	assert_true(discovers(&s, CLIENT));
	s.now += DHCP_DEFER_FORGET_NS; /* by now there may be a server */
	assert_false(discovers(&s, CLIENT));
	s.now += 4 * S;
	assert_true(discovers(&s, CLIENT));
}

/* The next time it asks, a server may have come. */
static void who_was_served_waits_again(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_false(discovers(&s, CLIENT));
	s.now += 4 * S;
	assert_true(discovers(&s, CLIENT));
	assert_true(is_answered(&s, CLIENT, DHCP_REQUEST, OWN, false));
	assert_true(is_answered(&s, CLIENT, DHCP_REQUEST, OWN, true)); /* repeated */
	assert_false(discovers(&s, CLIENT));
	s.now += 4 * S;
	assert_true(discovers(&s, CLIENT));
}

/* What a client says of its patience is not ours to believe. */
static void the_first_question_is_never_answered(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	struct dhcp_msg msg = from(CLIENT, DHCP_DISCOVER, 0);
	msg.secs = 600;
	assert_false(dhcp_defer_may_answer(&s.defer, &msg, false, s.now));
}

static void another_that_is_heard_has_it_all(void **state)
{
	static const enum dhcp_type types[] = { DHCP_OFFER, DHCP_ACK, DHCP_NAK };
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct scene s;
		begin(&s);
		assert_false(discovers(&s, CLIENT));
		assert_true(hears(&s, DHCP_OP_REPLY, types[i], OTHER));
		assert_false(hears(&s, DHCP_OP_REPLY, types[i], OTHER)); /* no news */
		assert_int_equal(s.defer.server, OTHER);
		s.now += 3600 * S;
		assert_false(discovers(&s, CLIENT));
		assert_false(is_answered(&s, CLIENT, DHCP_REQUEST, OWN, true));
		assert_false(is_answered(&s, CLIENT, DHCP_REQUEST, 0, true));
		dhcp_defer_begin(&s.defer, OWN); /* another gateway */
		assert_false(discovers(&s, CLIENT));
		s.now += 4 * S;
		assert_true(discovers(&s, CLIENT));
	}
}

/* A switch keeps the server's answers from us, but not what its clients say to all. */
static void its_clients_tell_of_it(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_false(hears(&s, DHCP_OP_REQUEST, DHCP_DISCOVER, 0));
	assert_false(hears(&s, DHCP_OP_REQUEST, DHCP_REQUEST, 0));
	assert_false(hears(&s, DHCP_OP_REQUEST, DHCP_REQUEST, OWN));
	assert_true(hears(&s, DHCP_OP_REQUEST, DHCP_REQUEST, OTHER));
}

static void what_is_no_servers_word(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_false(hears(&s, DHCP_OP_REPLY, DHCP_OFFER, OWN)); /* our own, by a loop */
	assert_false(hears(&s, DHCP_OP_REPLY, DHCP_OFFER, 0));
	assert_false(hears(&s, DHCP_OP_REQUEST, DHCP_OFFER, OTHER));
	assert_false(hears(&s, DHCP_OP_REPLY, DHCP_REQUEST, OTHER));
	assert_false(hears(&s, DHCP_OP_REPLY, 0, OTHER)); /* BOOTP */
	assert_int_equal(s.defer.server, 0);
}

/* RFC 2131, 4.3.2: what another has given is not refused, and not granted. */
static void requests_are_for_whom_they_name(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_true(is_answered(&s, CLIENT, DHCP_REQUEST, OWN, false));
	assert_false(is_answered(&s, CLIENT, DHCP_REQUEST, OTHER, true));
	assert_false(is_answered(&s, CLIENT, DHCP_REQUEST, 0, false));
	assert_true(is_answered(&s, CLIENT, DHCP_REQUEST, 0, true));
	assert_true(is_answered(&s, CLIENT, DHCP_INFORM, 0, true));
	assert_false(is_answered(&s, CLIENT, DHCP_INFORM, 0, false));
}

/* More than are kept begin to wait again, and nobody is answered too early. */
/* A member of a room may speak as seventeen: it alone makes nobody begin anew. */
static void one_with_many_addresses_holds_up_nobody(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_false(discovers(&s, 200));
	for (unsigned second = 0; second < 4; second++) {
		for (uint8_t i = 1; i <= 17; i++)
			(void)discovers(&s, i);
		s.now += S;
	}
	assert_true(discovers(&s, 200));
}

static void a_crowd_waits_longer(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	for (uint8_t i = 1; i <= DHCP_DEFER_CLIENTS + 1; i++)
		assert_false(discovers(&s, i));
	s.now += 4 * S;
	assert_false(discovers(&s, 1)); /* was overwritten, and overwrites 2 */
	assert_false(discovers(&s, 2));
	assert_true(discovers(&s, DHCP_DEFER_CLIENTS + 1));
	assert_true(discovers(&s, 4));
	assert_false(is_answered(&s, 0, DHCP_DISCOVER, 0, false));
	const struct dhcp_msg nobody = { .op = DHCP_OP_REQUEST, .type = DHCP_DISCOVER };
	s.now += 10 * S;
	assert_false(dhcp_defer_may_answer(&s.defer, &nobody, false, s.now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_again_is_answered),
		cmocka_unit_test(who_was_served_waits_again),
		cmocka_unit_test(the_first_question_is_never_answered),
		cmocka_unit_test(another_that_is_heard_has_it_all),
		cmocka_unit_test(its_clients_tell_of_it),
		cmocka_unit_test(what_is_no_servers_word),
		cmocka_unit_test(requests_are_for_whom_they_name),
		cmocka_unit_test(one_with_many_addresses_holds_up_nobody),
		cmocka_unit_test(a_crowd_waits_longer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
