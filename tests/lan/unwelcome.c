/* SPDX-License-Identifier: MIT */
/*
 * A welcome that cannot be sent, when the others may have heard already of who comes: the join
 * is undone. Only a lack of memory leads there, so that here the linker puts a channel_send that
 * fails when it is told to between the relay and the real one.
 */
#include "../unit.h"
#include "lan/channel.h"
#include "party.h"

#include <errno.h>

int __real_channel_send(struct channel *channel, const struct message *message);
int __wrap_channel_send(struct channel *channel, const struct message *message);

static unsigned failures; /* Of welcomes, that are to come. */

int __wrap_channel_send(struct channel *channel, const struct message *message)
{
	if (message->type != MESSAGE_WELCOME || failures == 0)
		return __real_channel_send(channel, message);
	failures--;
	return -ENOMEM;
}

struct scene {
	struct party party;
	struct guest alice, late;
};

/* Alice is in the room; who comes late is refused by a lack of memory, and asks again. */
static void come_twice(struct scene *scene, const char *name, uint8_t number)
{
	party_init(&scene->party, test_seed());
	party_open_relay(&scene->party);
	guest_join(&scene->alice, &scene->party, "alice", 1);
	guest_init(&scene->late, &scene->party, name, number);
	failures = 1;
	guest_start(&scene->late);
	assert_true(guest_reaches(&scene->late, WEFT_MEMBER_WAITING, 5000));
	assert_int_equal(failures, 0);
	assert_int_equal(scene->late.joined_n, 0);
	party_run(&scene->party, 50);
	assert_int_equal(weft_relay_stats(scene->party.relay).members, 1);
	assert_int_equal(weft_relay_stats(scene->party.relay).gateways, 0);
	assert_true(guest_reaches(&scene->late, WEFT_MEMBER_JOINED, 20000));
	party_run(&scene->party, 50);
}

static void leave(struct scene *scene)
{
	guest_leave(&scene->late);
	guest_leave(&scene->alice);
	party_fini(&scene->party);
}

/* The others were told first, so they are told that it has left; its MAC is free again. */
static void a_client_is_taken_back(void **state)
{
	struct scene scene;
	(void)state;
	come_twice(&scene, "bob", 2);
	assert_int_equal(scene.alice.came_n, 2);
	assert_int_equal(scene.alice.left_n, 1);
	assert_int_equal(scene.party.joins, 3);
	assert_int_equal(scene.party.leaves, 1);
	assert_string_equal(scene.party.reason, "no welcome could be sent");
	leave(&scene);
}

/* Of a gateway nobody is told before it has its welcome. */
static void a_gateway_was_never_there(void **state)
{
	struct scene scene;
	(void)state;
	come_twice(&scene, "lan", 0);
	assert_int_equal(scene.alice.came_n, 1);
	assert_int_equal(scene.alice.left_n, 0);
	leave(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_taken_back),
		cmocka_unit_test(a_gateway_was_never_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
