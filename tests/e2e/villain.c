/* SPDX-License-Identifier: MIT */
/*
 * Villains on a real network: what tests/lan/villain.c does to a relay in memory, this does to
 * one that is asked by UDP. How it goes is told as JSON, ten times a second.
 *
 *     villain KIND INVITATION NUMBER [HOW-MANY]       MACs 02:00:00:00:00:NUMBER and the next
 *     villain                                         which kinds there are
 */
#include "../lan/villain.h"

#include "../unit.h"
#include "base/container.h"
#include "lan/member.h"

#include <weft/loop.h>

#include <stdio.h>
#include <string.h>

#define TURN_NS    UINT64_C(10000000)
#define TELL_TURNS 10u
#define MANY_MAX   64u

struct trip {
	struct venue venue;
	struct weft_loop *loop;
	struct weft_task task; /* All of their turns. */
	uint64_t next_at;
	unsigned turns;
	struct villain villains[MANY_MAX];
	size_t n;
};

/* ---- a real network ---------------------------------------------------------------------- */

static const struct trip *trip_at(const struct venue *venue)
{
	return container_of_const(venue, struct trip, venue);
}

static uint64_t venue_now(const struct venue *venue)
{
	return weft_loop_now(trip_at(venue)->loop);
}

static struct dgram *venue_socket(const struct venue *venue, uint8_t number)
{
	struct dgram_udp_opts opts = { .bind = { .sa.sa_family = AF_INET } };
	struct weft_error err = { "" };
	struct dgram *dgram = NULL;
	(void)venue, (void)number;
	if (dgram_udp_new(&opts, &err, &dgram) < 0)
		fail_msg("%s", err.text);
	return dgram;
}

static void venue_add(const struct venue *venue, struct weft_task *task)
{
	assert_int_equal(weft_loop_add(trip_at(venue)->loop, task), 0);
}

static void venue_remove(const struct venue *venue, struct weft_task *task)
{
	weft_loop_remove(trip_at(venue)->loop, task);
}

static struct venue venue_of(const char *invitation)
{
	struct venue venue = { .now = venue_now,
			       .socket = venue_socket,
			       .add = venue_add,
			       .remove = venue_remove };
	struct weft_error err = { "" };
	if (weft_invite_parse(invitation, &err, &venue.invite) < 0)
		fail_msg("%s", err.text);
	assert_true(member_host_is_literal(venue.invite.host, venue.invite.port,
					   &venue.relay));
	return venue;
}

/* ---- how it goes ------------------------------------------------------------------------- */

static void tell(const struct trip *trip)
{
	unsigned deeds = 0, visits = 0, ends = 0, other_ends = 0;
	unsigned long long sent = 0, received = 0;
	for (size_t i = 0; i < trip->n; i++) {
		const struct villain *villain = &trip->villains[i];
		deeds += villain->deeds;
		visits += villain->visits;
		ends += villain->ends;
		other_ends += villain->other_ends;
		const struct muffle *socket = villain->stranger.socket;
		sent += villain->sent + (villain->is_here ? socket->sent : 0);
		received += villain->received + (villain->is_here ? socket->received : 0);
	}
	(void)printf("{\"event\":\"tally\",\"deeds\":%u,\"visits\":%u,\"ends\":%u,"
		     "\"other_ends\":%u,\"sent\":%llu,\"received\":%llu}\n",
		     deeds, visits, ends, other_ends, sent, received);
}

static uint64_t trip_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct trip, task)->next_at;
}

static void trip_run(struct weft_task *task, uint64_t now)
{
	struct trip *trip = container_of(task, struct trip, task);
	if (now < trip->next_at)
		return;
	for (size_t i = 0; i < trip->n; i++)
		villain_turn(&trip->villains[i]);
	trip->next_at = now + TURN_NS;
	if (++trip->turns % TELL_TURNS == 0)
		tell(trip);
}

static const struct villain_kind *kind_called(const char *name)
{
	size_t i = 0;
	while (i + 1 < villain_kinds_n && strcmp(villain_kinds[i].name, name) != 0)
		i++;
	assert_string_equal(villain_kinds[i].name, name);
	return &villain_kinds[i];
}

static void trip_init(struct trip *trip, char **words, size_t n)
{
	const struct villain_kind *kind = kind_called(words[0]);
	const unsigned long number =
		kind->way == VILLAIN_IS_GATEWAY ? 0 : strtoul(words[2], NULL, 10);
	trip->n = n > 3 ? strtoul(words[3], NULL, 10) : 1;
	assert_in_range(trip->n, 1, MANY_MAX);
	assert_in_range(number + trip->n, 1, UINT8_MAX);
	trip->venue = venue_of(words[1]);
	trip->task = (struct weft_task){ .fd = -1,
					 .deadline = trip_deadline,
					 .run = trip_run };
	for (size_t i = 0; i < trip->n; i++)
		villain_init(&trip->villains[i], kind, &trip->venue,
			     (uint8_t)(number + i));
	assert_int_equal(weft_loop_new(NULL, &trip->loop), 0);
	assert_int_equal(weft_loop_add(trip->loop, &trip->task), 0);
}

int main(int argc, char **argv)
{
	static struct trip trip;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	/* What an assertion says is shown before the end. */
	(void)setenv("CMOCKA_TEST_ABORT", "1", true);
	if (argc < 4) {
		for (size_t i = 0; i < villain_kinds_n; i++)
			(void)printf("%s\n", villain_kinds[i].name);
		return 0;
	}
	trip_init(&trip, argv + 1, (size_t)argc - 1);
	return weft_loop_run(trip.loop);
}
