/* SPDX-License-Identifier: MIT */
/*
 * All of them at once. Alice and bob play, 25 frames of 160 bytes a second each way as games
 * send them; in their room and on their relay are everybody of tests/lan/villain.c, and
 * someone beside the path who throws copied, damaged and invented packets at the relay in
 * everybody's name. Each frame of the game has to arrive, once and in time.
 *
 *     alice 10.0.1.1 <---- game ----.                       ,--- villains, 10.0.2.x
 *                                    >--- relay 10.0.0.1 --<
 *     bob   10.0.1.2 <---- game ----'                       '--- packets from anywhere
 */
#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"
#include "party.h"
#include "villain.h"
#include "wire/arp.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <stdio.h>
#include <string.h>

#define SECONDS   12u
#define FRAME_LEN 160u
#define PERIOD_MS 40u

/** The network takes 10 ms from alice to bob. Nothing of the relay's is to add to it. */
#define DELAY_MAX_MS 15u

#define FRAMES_MAX   8192u
#define VILLAINS_MAX 40u

/* ---- alice and bob ----------------------------------------------------------------------- */

struct player {
	struct guest guest;
	struct weft_task task; /* Sends. */
	struct party *party;
	struct player *other;
	uint64_t next_at;
	uint32_t sent;
	uint64_t sent_at[FRAMES_MAX];
	bool has[FRAMES_MAX]; /* Of the other's. */
	unsigned got, again, forged, late, forbidden;
	uint64_t worst_ns;
	unsigned noise[256]; /* By number of the villain; 0 is the gateway's LAN. */
};

static void send_frame(struct player *player, uint16_t type, const uint8_t *body,
		       size_t len, struct weft_mac dst)
{
	uint8_t bytes[FRAME_LEN] = { 0 };
	const struct ether_hdr hdr = { .dst = dst,
				       .src = player->guest.opts.mac,
				       .type = type };
	assert_true(ether_hdr_emit(bytes, sizeof(bytes), &hdr) > 0);
	memcpy(bytes + ETHER_LEN, body, len);
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	link_deliver(&player->guest.probe.link, &frame, 1, sim_now(player->party->sim));
}

static uint64_t player_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct player, task)->next_at;
}

/* By turns to the other alone and to everybody, as games do. */
static void player_run(struct weft_task *task, uint64_t now)
{
	struct player *player = container_of(task, struct player, task);
	uint8_t number[4];
	if (now < player->next_at)
		return;
	assert_true(player->sent < FRAMES_MAX);
	store_be32(number, player->sent);
	player->sent_at[player->sent] = now;
	player->next_at += sim_ms(PERIOD_MS);
	bool is_for_all = player->sent++ & 1;
	send_frame(player, ETHER_TYPE_LOCAL_EXPERIMENT, number, sizeof(number),
		   is_for_all ? party_broadcast : player->other->guest.opts.mac);
}

static void on_game_frame(struct player *player, const struct weft_frame *frame,
			  uint64_t now)
{
	uint32_t number = load_be32(frame->data + ETHER_LEN);
	const struct player *other = player->other;
	if (frame->len != FRAME_LEN || number >= other->sent || player->has[number]) {
		player->forged++;
		return;
	}
	uint64_t delay = now - other->sent_at[number];
	player->has[number] = true;
	player->got++;
	player->late += delay > sim_ms(DELAY_MAX_MS);
	if (delay > player->worst_ns)
		player->worst_ns = delay;
}

static bool from_room(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct player *player = container_of(user, struct player, guest);
	uint16_t type = load_be16(frame->data + ETHER_LEN - 2);
	const struct weft_mac other = player->other->guest.opts.mac;
	bool is_others = memcmp(frame->data + 6, other.octet, 6) == 0;
	if (type == ETHER_TYPE_LOCAL_EXPERIMENT && is_others)
		on_game_frame(player, frame, now);
	else if (type == VILLAIN_ETHER_TYPE)
		player->noise[frame->data[6] == 2 ? frame->data[11] : 0]++;
	else
		player->forbidden += !is_others;
	return true;
}

static void player_join(struct player *player, struct player *other, struct party *party,
			uint8_t number)
{
	static struct weft_member_events events;
	guest_init(&player->guest, party, number == 1 ? "alice" : "bob", number);
	events = *player->guest.opts.events;
	events.from_room = from_room;
	player->guest.opts.events = &events;
	player->party = party;
	player->other = other;
	player->next_at = WEFT_NEVER;
	player->task = (struct weft_task){ .fd = -1,
					   .deadline = player_deadline,
					   .run = player_run };
	guest_start(&player->guest);
	assert_true(guest_reaches(&player->guest, WEFT_MEMBER_JOINED, 5000));
	sim_add(party->sim, &player->task);
}

/* "10.9.0.1 is me": so it is known whose the address is. */
static void announce(struct player *player)
{
	uint8_t body[ARP_LEN];
	const struct arp_hdr arp = { .op = ARP_OP_REQUEST,
				     .sender_mac = player->guest.opts.mac,
				     .sender_ip = 0x0a090001,
				     .target_ip = 0x0a090001 };
	assert_true(arp_hdr_emit(body, sizeof(body), &arp) > 0);
	send_frame(player, ETHER_TYPE_ARP, body, sizeof(body), party_broadcast);
}

/* ---- who stands beside the path ---------------------------------------------------------- */

#define COPIES_MAX   64u
#define COPY_LEN_MAX 1500u

/* Packets to the relay that were seen, the newest of them last. */
struct copyist {
	struct rng rng;
	struct copy {
		uint8_t data[COPY_LEN_MAX];
		size_t len;
		uint64_t seen_at;
	} copies[COPIES_MAX];
	size_t next;
	uint64_t now;
	unsigned thrown;
};

static void on_packet(void *user, const struct dgram_msg *msg)
{
	struct copyist *copyist = user;
	if (msg->len > COPY_LEN_MAX || rng_below(&copyist->rng, 16) > 0)
		return;
	struct copy *copy = &copyist->copies[copyist->next++ % COPIES_MAX];
	memcpy(copy->data, msg->data, msg->len);
	copy->len = msg->len;
	copy->seen_at = copyist->now;
}

/* A copy as it was, a damaged one, or nothing that ever was; in whose name it happens. */
static void copyist_turn(struct copyist *copyist, struct party *party)
{
	static const char *const froms[] = { "10.0.1.1:1000", "10.0.1.2:1000",
					     "10.0.2.9:999", "10.0.3.1:7",
					     "10.0.3.2:443" };
	struct rng *rng = &copyist->rng;
	union weft_sockaddr relay;
	copyist->now = sim_now(party->sim);
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &relay), 0);
	for (unsigned i = 0; i < 5; i++) {
		const struct copy *copy = &copyist->copies[rng_below(rng, COPIES_MAX)];
		uint8_t data[COPY_LEN_MAX];
		size_t len = copy->len;
		if (len == 0 || copy->seen_at + sim_ms(100) > copyist->now)
			continue;
		memcpy(data, copy->data, len);
		if (i & 1)
			data[rng_below(rng, len)] ^= (uint8_t)(1u << rng_below(rng, 8));
		if (i == 4)
			for (size_t j = 0; j < len; j++)
				data[j] = (uint8_t)rng_u64(rng);
		sim_inject(party->sim, froms[rng_below(rng, ARRAY_LEN(froms))], &relay,
			   data, len);
		copyist->thrown++;
	}
}

/* ---- the evening ------------------------------------------------------------------------- */

struct scene {
	struct party party;
	struct player alice, bob;
	struct villain villains[VILLAINS_MAX];
	struct copyist copyist;
};

static struct scene *scene_begin(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	assert_true(villain_kinds_n <= VILLAINS_MAX);
	uint64_t seed = test_seed();
	party_init(&scene->party, seed);
	rng_init(&scene->copyist.rng, seed);
	scene->party.relay_opts.room_members_max = VILLAINS_MAX;
	party_open_relay(&scene->party);
	player_join(&scene->alice, &scene->bob, &scene->party, 1);
	player_join(&scene->bob, &scene->alice, &scene->party, 2);
	announce(&scene->alice);
	for (size_t i = 0; i < villain_kinds_n; i++)
		villain_init(&scene->villains[i], &villain_kinds[i], &scene->party.venue,
			     villain_kinds[i].way == VILLAIN_IS_GATEWAY
				     ? 0
				     : (uint8_t)(10 + i));
	sim_set_tap(scene->party.sim, on_packet, &scene->copyist);
	return scene;
}

static void play(struct scene *scene)
{
	uint64_t now = sim_now(scene->party.sim);
	scene->alice.next_at = now;
	scene->bob.next_at = now + sim_ms(PERIOD_MS / 2);
	for (unsigned i = 0; i < SECONDS * 1000 / VILLAIN_TURN_MS; i++) {
		for (size_t j = 0; j < villain_kinds_n; j++)
			villain_turn(&scene->villains[j]);
		copyist_turn(&scene->copyist, &scene->party);
		party_run(&scene->party, VILLAIN_TURN_MS);
	}
}

/* Each has done what he could, and was thrown out for what he has to be thrown out for. */
static void check_villains(struct scene *scene)
{
	for (size_t i = 0; i < villain_kinds_n; i++) {
		struct villain *villain = &scene->villains[i];
		villain_fini(villain);
		print_message("# who %s: %u deeds, %u visits, %u ends\n",
			      villain->kind->name, villain->deeds, villain->visits,
			      villain->ends);
		assert_true(villain->deeds > 0);
		assert_int_equal(villain->other_ends, 0);
		assert_int_equal(villain->ends > 0, villain->kind->end != VILLAIN_STAYS);
	}
}

static void check_player(const struct player *player)
{
	print_message("# %s got %u of %u frames, the slowest in %llu us\n",
		      player->guest.opts.name, player->got, player->other->sent,
		      (unsigned long long)player->worst_ns / 1000);
	assert_int_equal(player->got, player->other->sent);
	assert_int_equal(player->late, 0);
	assert_int_equal(player->forged, 0);
	assert_int_equal(player->forbidden, 0);
	assert_int_equal(player->guest.joined_n, 1);
	assert_int_equal(player->guest.waits_n, 0);
}

static size_t villain_called(const char *name)
{
	for (size_t i = 0; i < villain_kinds_n; i++)
		if (strcmp(villain_kinds[i].name, name) == 0)
			return i;
	fail_msg("nobody %s", name);
	return 0;
}

/* Of what they may send, no more than their buckets hold reaches a player. */
static void check_noise(const struct scene *scene)
{
	const unsigned *noise = scene->bob.noise;
	const struct villain *flood =
		&scene->villains[villain_called("floods everybody")];
	const struct villain *lost = &scene->villains[villain_called("floods nobody")];
	const struct villain *claimer =
		&scene->villains[villain_called("claims others' MACs")];
	assert_in_range(noise[flood->number], 400, 400 + 200 * (SECONDS + 1));
	assert_true(flood->deeds * 20 > 2 * noise[flood->number]);
	assert_int_equal(noise[lost->number], 0);
	assert_true(claimer->denials > 0);
	assert_true(scene->copyist.thrown > SECONDS * 100);
}

static void test_everybody_at_once(void **state)
{
	(void)state;
	struct scene *scene = scene_begin();
	play(scene);
	check_villains(scene);

	/* They are gone; who vanished is missed within half a minute. */
	sim_set_tap(scene->party.sim, NULL, NULL);
	party_run(&scene->party, 60000);
	scene->alice.next_at = scene->bob.next_at = WEFT_NEVER;
	party_run(&scene->party, 100);
	assert_int_equal(weft_relay_stats(scene->party.relay).members, 2);
	assert_int_equal(weft_relay_stats(scene->party.relay).rooms, 1);
	check_player(&scene->alice);
	check_player(&scene->bob);
	check_noise(scene);

	guest_leave(&scene->alice.guest);
	guest_leave(&scene->bob.guest);
	party_fini(&scene->party);
	free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
