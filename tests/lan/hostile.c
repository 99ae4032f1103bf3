/* SPDX-License-Identifier: MIT */
/*
 * A relay among people who mean it ill. Whatever a stranger sends, it ends with him: the
 * relay lives, and alice and bob, who are in the room as well, notice nothing.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"
#include "lan/channel.h"
#include "lan/visitor.h"
#include "quic/conn.h"
#include "visit.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
	struct party party;
	struct guest alice, bob;
	struct stranger eve;
	struct weft_log log;
	unsigned denials; /* That the log tells of. */
};

static void on_line(void *user, enum weft_log_level level, const char *text)
{
	(void)level;
	struct scene *scene = user;
	scene->denials += strstr(text, " may not have ") != NULL;
}

static void scene_begin(struct scene *scene)
{
	party_init(&scene->party, test_seed());
	scene->denials = 0;
	scene->log = (struct weft_log){ .write = on_line,
					.user = scene,
					.level = WEFT_LOG_INFO };
	scene->party.relay_opts.log = &scene->log;
	party_open_relay(&scene->party);
	guest_join(&scene->alice, &scene->party, "alice", 1);
	guest_join(&scene->bob, &scene->party, "bob", 2);
}

/* The room is as it was, however the stranger ended. */
static void scene_end(struct scene *scene)
{
	stranger_fini(&scene->eve);
	party_run(&scene->party, 60000);
	assert_int_equal(weft_relay_stats(scene->party.relay).members, 2);
	assert_int_equal(scene->alice.waits_n + scene->bob.waits_n, 0);
	(void)guest_got(&scene->bob);
	guest_sends(&scene->alice, guest_mac(2));
	assert_int_equal(guest_got(&scene->bob), 1);
	guest_leave(&scene->alice);
	guest_leave(&scene->bob);
	party_fini(&scene->party);
}

/* The session of the stranger at the relay, who joined last. */
static const struct session *session_of_eve(const struct scene *scene)
{
	const struct visitor *visitor =
		container_of(scene->party.relay->visitors.prev, struct visitor, node);
	assert_non_null(visitor->member);
	return &visitor->session;
}

/* ---- datagrams --------------------------------------------------------------------------- */

struct forged {
	uint8_t data[2048];
	size_t len;
};

/* A right datagram from eve to bob, to be made wrong. */
static struct forged datagram_of_eve(const struct scene *scene)
{
	const struct overlay_hdr hdr = { .type = OVERLAY_ETHERNET,
					 .room = scene->eve.welcome.room,
					 .peer = scene->eve.welcome.peer };
	struct forged forged = { .len = OVERLAY_LEN + 60 };
	struct weft_mac dst = guest_mac(2), src = guest_mac(9);
	overlay_hdr_emit(forged.data, &hdr);
	memcpy(forged.data + OVERLAY_LEN, dst.octet, 6);
	memcpy(forged.data + OVERLAY_LEN + 6, src.octet, 6);
	return forged;
}

static void assert_dropped(struct scene *scene, const struct forged *forged,
			   enum session_outcome outcome)
{
	uint64_t before = session_of_eve(scene)->counts[outcome];
	stranger_sends(&scene->eve, forged->data, forged->len);
	if (session_of_eve(scene)->counts[outcome] != before + 1)
		fail_msg("not counted as %s", session_outcome_name(outcome));
	assert_int_equal(guest_got(&scene->bob), 0);
	assert_int_equal(guest_got(&scene->alice), 0);
}

static void test_forged_headers(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		uint8_t bits;
		enum session_outcome outcome;
	} rows[] = {
		{ OVERLAY_OFF_MAGIC, 0x01, SESSION_DROP_MALFORMED },
		{ OVERLAY_OFF_VERSION, 0x30, SESSION_DROP_MALFORMED },
		{ OVERLAY_OFF_VERSION, 0x04, SESSION_DROP_MALFORMED },
		{ OVERLAY_OFF_NUMBER, 0x80, SESSION_DROP_MALFORMED },
		{ OVERLAY_OFF_NUMBER + 1, 0x01, SESSION_DROP_MALFORMED },
		{ OVERLAY_OFF_ROOM, 0x01, SESSION_DROP_WRONG_IDS },
		{ OVERLAY_OFF_ROOM + 1, 0x02, SESSION_DROP_WRONG_IDS },
		{ OVERLAY_OFF_PEER, 0x01, SESSION_DROP_WRONG_IDS },
		{ OVERLAY_OFF_PEER + 1, 0x02, SESSION_DROP_WRONG_IDS },
	};
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	struct forged right = datagram_of_eve(&scene);
	stranger_sends(&scene.eve, right.data, right.len);
	assert_int_equal(guest_got(&scene.bob), 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct forged forged = datagram_of_eve(&scene);
		forged.data[rows[i].offset] ^= rows[i].bits;
		assert_dropped(&scene, &forged, rows[i].outcome);
	}
	scene_end(&scene);
}

static void test_wrong_lengths(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	struct forged forged = datagram_of_eve(&scene);
	for (forged.len = 0; forged.len < OVERLAY_LEN; forged.len++)
		assert_dropped(&scene, &forged, SESSION_DROP_MALFORMED);
	for (; forged.len < OVERLAY_LEN + 14; forged.len++)
		assert_dropped(&scene, &forged, SESSION_DROP_RUNT);
	stranger_sends(&scene.eve, forged.data, forged.len);
	assert_int_equal(guest_got(&scene.bob), 1);
	scene_end(&scene);
}

/* Part of a frame of eve's: type and number, and what of the frame. */
static void eve_sends_part(struct scene *scene, enum overlay_type type, uint16_t number,
			   size_t off, size_t len)
{
	const struct overlay_hdr hdr = { .type = (uint8_t)type,
					 .number = number,
					 .room = scene->eve.welcome.room,
					 .peer = scene->eve.welcome.peer };
	const struct forged whole = datagram_of_eve(scene);
	struct forged part = { .len = OVERLAY_LEN + len };
	overlay_hdr_emit(part.data, &hdr);
	memcpy(part.data + OVERLAY_LEN, whole.data + OVERLAY_LEN + off, len);
	stranger_sends(&scene->eve, part.data, part.len);
}

static void test_parts_are_held_to_the_same_rules(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	const struct session *session = session_of_eve(&scene);
	eve_sends_part(&scene, OVERLAY_FIRST, 1, 0, 20);
	assert_int_equal(session->counts[SESSION_PART], 1);
	eve_sends_part(&scene, OVERLAY_LAST, 1, 20, 40);
	assert_int_equal(guest_got(&scene.bob), 1);
	/* Too little of a frame, too much of one, and nothing at all. */
	eve_sends_part(&scene, OVERLAY_FIRST, 2, 0, 6);
	eve_sends_part(&scene, OVERLAY_LAST, 2, 6, 7);
	assert_int_equal(session->counts[SESSION_DROP_RUNT], 1);
	eve_sends_part(&scene, OVERLAY_FIRST, 3, 0, 1000);
	eve_sends_part(&scene, OVERLAY_LAST, 3, 0, 519);
	assert_int_equal(session->counts[SESSION_DROP_TOO_LONG], 1);
	eve_sends_part(&scene, OVERLAY_FIRST, 4, 0, 0);
	eve_sends_part(&scene, OVERLAY_LAST, 4, 0, 0);
	assert_int_equal(session->counts[SESSION_DROP_RUNT], 3);
	assert_int_equal(guest_got(&scene.bob), 0);
	/* Parts without an end: so many wait and no more. */
	for (uint16_t i = 0; i < 100; i++)
		eve_sends_part(&scene, OVERLAY_FIRST, (uint16_t)(1000 + i), 0, 60);
	assert_true(session->parts.n <= PARTS_MAX);
	assert_int_equal(guest_got(&scene.bob), 0);
	scene_end(&scene);
}

/* The room's MTU may be less than what the path carries. */
static void test_frame_above_the_mtu(void **state)
{
	(void)state;
	struct scene scene;
	party_init(&scene.party, test_seed());
	scene.party.relay_opts.mtu = 1280;
	party_open_relay(&scene.party);
	guest_join(&scene.alice, &scene.party, "alice", 1);
	guest_join(&scene.bob, &scene.party, "bob", 2);
	assert_int_equal(scene.alice.joined.mtu, 1280);
	stranger_joins(&scene.eve, &scene.party, 9);
	struct forged forged = datagram_of_eve(&scene);
	forged.len = OVERLAY_LEN + 18 + 1280;
	stranger_sends(&scene.eve, forged.data, forged.len);
	assert_int_equal(guest_got(&scene.bob), 1);
	forged.len++;
	assert_dropped(&scene, &forged, SESSION_DROP_TOO_LONG);
	scene_end(&scene);
}

/* The relay's facts have the text, behind that other one. */
static void assert_told_behind(const struct scene *scene, const char *start,
			       const char *text)
{
	char *json = weft_relay_json(scene->party.relay, sim_now(scene->party.sim));
	assert_non_null(json);
	const char *rest = strstr(json, start);
	assert_non_null(rest);
	if (!strstr(rest, text))
		fail_msg("%s is not told in %s", text, json);
	free(json);
}

/* Of eve, who joined last. */
static void assert_told(const struct scene *scene, const char *text)
{
	assert_told_behind(scene, "\"name\":\"stranger\"", text);
}

static void test_spoofed_sources(void **state)
{
	(void)state;
	static const struct {
		uint8_t src[6];
		enum weft_bridge_outcome outcome;
	} rows[] = {
		{ { 2, 0, 0, 0, 0, 1 }, WEFT_BRIDGE_DROP_SPOOFED },
		{ { 2, 0, 0, 0, 0, 77 }, WEFT_BRIDGE_DROP_SPOOFED },
		{ { 0, 0x16, 0x3e, 0, 0, 7 }, WEFT_BRIDGE_DROP_SPOOFED },
		{ { 0, 0, 0, 0, 0, 0 }, WEFT_BRIDGE_DROP_BAD_SOURCE },
		{ { 3, 0, 0, 0, 0, 9 }, WEFT_BRIDGE_DROP_BAD_SOURCE },
		{ { 255, 255, 255, 255, 255, 255 }, WEFT_BRIDGE_DROP_BAD_SOURCE },
	};
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	const struct weft_bridge *bridge =
		relay_find_room(scene.party.relay, "FRIDAY")->bridge;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct forged forged = datagram_of_eve(&scene);
		uint64_t before = weft_bridge_count(bridge, NULL, rows[i].outcome);
		memcpy(forged.data + OVERLAY_LEN + 6, rows[i].src, 6);
		stranger_sends(&scene.eve, forged.data, forged.len);
		assert_int_equal(guest_got(&scene.bob), 0);
		assert_int_equal(weft_bridge_count(bridge, NULL, rows[i].outcome),
				 before + 1);
	}
	assert_told(&scene, "\"bridge\":{\"drop-bad-source\":3,\"drop-spoofed\":3}");
	scene_end(&scene);
}

static void test_others_macs_are_denied(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	stranger_says_json(&scene.eve, "{\"type\":\"claim\",\"macs\":[\"02:00:00:00:00:"
				       "01\",\"02:00:00:00:00:02\"]}");
	assert_int_equal(scene.eve.heard[MESSAGE_DENIED], 2);
	assert_told(&scene, "\"denied\":2");
	scene_end(&scene);
}

static void eve_says_of_all(struct scene *scene, enum message_type type)
{
	struct message message = { .type = type, .claim.n = LAN_CLAIMS_MAX };
	for (uint8_t i = 0; i < LAN_CLAIMS_MAX; i++)
		message.claim.macs[i] = (struct weft_mac){ { 2, 0, 0, 0, 1, i } };
	stranger_says(&scene->eve, &message);
}

/* What is claimed and given back is news to everybody, each time. */
static void test_claims_have_a_rate(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	for (unsigned i = 0; i < VISITOR_CLAIMS_BURST / LAN_CLAIMS_MAX; i++) {
		eve_says_of_all(&scene, MESSAGE_CLAIM);
		eve_says_of_all(&scene, MESSAGE_RELEASE);
	}
	assert_int_equal(scene.eve.heard[MESSAGE_DENIED], 0);
	eve_says_of_all(&scene, MESSAGE_CLAIM);
	const unsigned denied = scene.eve.heard[MESSAGE_DENIED];
	assert_in_range(denied, LAN_CLAIMS_MAX - 2, LAN_CLAIMS_MAX);
	/* So many seconds, so many more. */
	party_run(&scene.party, LAN_CLAIMS_MAX * 1000);
	eve_says_of_all(&scene, MESSAGE_CLAIM);
	assert_int_equal(scene.eve.heard[MESSAGE_DENIED], denied);
	/* A log is not for a stranger to fill. */
	for (unsigned i = 0; i < 3; i++)
		eve_says_of_all(&scene, MESSAGE_CLAIM);
	assert_true(scene.eve.heard[MESSAGE_DENIED] > 2 * LAN_CLAIMS_MAX);
	assert_int_equal(scene.denials, LAN_CLAIMS_MAX);
	scene_end(&scene);
}

static void test_datagrams_before_the_hello(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_connect(&scene.eve, &scene.party, 9);
	scene.eve.welcome = (struct welcome){ .room = 1, .peer = 1 };
	struct forged forged = datagram_of_eve(&scene);
	stranger_sends(&scene.eve, forged.data, forged.len);
	assert_int_equal(guest_got(&scene.bob), 0);
	assert_told_behind(&scene, "\"rejected\":", "\"early_datagrams\":1,");
	scene_end(&scene);
}

/* ---- control messages -------------------------------------------------------------------- */

static void test_hellos_of_wrong_shape_are_answered(void **state)
{
	(void)state;
	static const char *const hellos[] = {
		"x",
		"[]",
		"{\"type\":\"hallo\"}",
		"{\"type\":\"hello\"}",
		"{\"type\":\"hello\",\"versions\":[1]}",
		"{\"type\":\"hello\",\"versions\":[1],\"role\":\"client\",\"mac\":\"x\"}",
		("{\"type\":\"hello\",\"versions\":[1],\"role\":\"client\",\"mac\":"
		 "\"02:00:00:00:00:09\",\"budget\":1400,\"room\":\"A\",\"address\":7}"),
	};
	for (size_t i = 0; i < ARRAY_LEN(hellos); i++) {
		struct scene scene;
		scene_begin(&scene);
		stranger_connect(&scene.eve, &scene.party, 9);
		stranger_says_json(&scene.eve, hellos[i]);
		assert_int_equal(scene.eve.heard[MESSAGE_REJECT], 1);
		assert_int_equal(scene.eve.reject.code, REJECT_BAD_HELLO);
		assert_false(scene.eve.reject.retry);
		/* Who stays nevertheless is closed. */
		party_run(&scene.party, 2500);
		assert_closed(&scene.eve, CLOSE_REFUSED);
		assert_told_behind(&scene, "\"rejects\":", "{\"bad-hello\":1}");
		assert_told_behind(&scene, "\"closes\":", "{\"refused\":1}");
		scene_end(&scene);
	}
}

/* The first one's budget makes a room what it is: of none so small that nothing fits. */
static void test_a_room_for_a_path_that_is_too_small(void **state)
{
	(void)state;
	const uint32_t need = room_budget_of_mtu(LAN_MTU_MAX);
	struct party party;
	struct stranger eve;
	party_init(&party, test_seed());
	party_open_relay(&party);
	for (uint32_t lack = 0; lack < 2; lack++) {
		stranger_connect(&eve, &party, 9);
		struct message message = { .type = MESSAGE_HELLO,
					   .hello = stranger_hello(&eve) };
		message.hello.budget = need - lack;
		stranger_says(&eve, &message);
		assert_int_equal(eve.heard[MESSAGE_WELCOME], 1 - lack);
		assert_int_equal(eve.heard[MESSAGE_REJECT], lack);
		assert_int_equal(weft_relay_stats(party.relay).rooms, 1 - lack);
		stranger_says_json(&eve, "{\"type\":\"disconnect\",\"code\":\"left\"}");
		party_run(&party, 1000);
		stranger_fini(&eve);
	}
	assert_int_equal(eve.reject.code, REJECT_PATH_TOO_SMALL);
	party_fini(&party);
}

static void test_hello_of_another_version(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_connect(&scene.eve, &scene.party, 9);
	stranger_says_json(&scene.eve, "{\"type\":\"hello\",\"versions\":[2,3]}");
	assert_int_equal(scene.eve.reject.code, REJECT_VERSION);
	assert_false(scene.eve.reject.retry);
	scene_end(&scene);
}

static void assert_hello_refused(const struct hello *hello, struct scene *scene,
				 enum reject_code code)
{
	const struct message message = { .type = MESSAGE_HELLO, .hello = *hello };
	stranger_says(&scene->eve, &message);
	assert_int_equal(scene->eve.heard[MESSAGE_REJECT], 1);
	assert_int_equal(scene->eve.reject.code, code);
	assert_int_equal(scene->eve.heard[MESSAGE_WELCOME], 0);
}

static void test_forged_proofs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct scene scene;
		scene_begin(&scene);
		stranger_connect(&scene.eve, &scene.party, 9);
		struct hello hello = stranger_hello(&scene.eve);
		switch (i) {
		case 0:
			hello.proof[0] ^= 1;
			break;
		case 1: /* The key of the room, as everyone in it could know it, is not enough. */
			memset(hello.proof, 0, sizeof(hello.proof));
			break;
		case 2:
			hello.key[0] ^= 1;
			break;
		case 3:
			(void)strcpy(hello.room, "SATURDAY");
			break;
		case 4:
			hello.role = WEFT_ROLE_GATEWAY;
			hello.mac = (struct weft_mac){ { 0 } };
			break;
		}
		assert_hello_refused(&hello, &scene, REJECT_BAD_PROOF);
		scene_end(&scene);
	}
}

/* A proof is worth nothing on another connection. */
static void test_replayed_proof(void **state)
{
	(void)state;
	struct scene scene;
	struct stranger first;
	scene_begin(&scene);
	stranger_joins(&first, &scene.party, 9);
	struct hello hello = stranger_hello(&first);
	stranger_fini(&first);
	stranger_connect(&scene.eve, &scene.party, 10);
	hello.mac = guest_mac(10);
	assert_hello_refused(&hello, &scene, REJECT_BAD_PROOF);
	scene_end(&scene);
}

/* What a relay may take of memory is said in MiB: sessions are all that it grows by. */
static void test_memory_bounds_sessions(void **state)
{
	(void)state;
	static struct stranger all[RELAY_CONNS_PER_MIB + 1];
	struct party party;
	unsigned established = 0;
	party_init(&party, test_seed());
	party.relay_opts.memory_mib = 1;
	party_open_relay(&party);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		stranger_dials(&all[i], &party.venue, (uint8_t)(1 + i));
	party_run(&party, 1000);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		established += all[i].is_established;
	assert_int_equal(established, RELAY_CONNS_PER_MIB);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		stranger_fini(&all[i]);
	party_fini(&party);
}

static void test_silence_instead_of_a_hello(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_connect(&scene.eve, &scene.party, 9);
	stranger_says_bytes(&scene.eve, "\0\0\1\0{", 5);
	party_run(&scene.party, 4500);
	assert_non_null(scene.eve.conn);
	party_run(&scene.party, 500);
	assert_closed(&scene.eve, CLOSE_HELLO_TIMEOUT);
	scene_end(&scene);
}

/* What is out of turn, or wrong, after the welcome. */
static void test_wrong_messages_of_a_member(void **state)
{
	(void)state;
	static const char *const messages[] = {
		"x",
		"{\"type\":\"nonsense\"}",
		"{\"type\":\"stats\",\"drops\":-1}",
		("{\"type\":\"welcome\",\"version\":1,\"peer\":1,\"room\":1,\"mtu\":1400,"
		 "\"members\":[]}"),
		"{\"type\":\"peer-left\",\"peer\":1,\"code\":\"left\"}",
		"{\"type\":\"reject\",\"code\":\"other\",\"retry\":false}",
		"{\"type\":\"hello\",\"versions\":[1],\"role\":\"gateway\"}",
	};
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct scene scene;
		scene_begin(&scene);
		stranger_joins(&scene.eve, &scene.party, 9);
		stranger_says_json(&scene.eve, messages[i]);
		assert_closed(&scene.eve, CLOSE_PROTOCOL);
		assert_int_equal(scene.alice.left_n, 1);
		assert_string_equal(scene.alice.peer.name, "stranger");
		scene_end(&scene);
	}
}

static void test_second_hello(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	const struct message message = { .type = MESSAGE_HELLO,
					 .hello = stranger_hello(&scene.eve) };
	stranger_says(&scene.eve, &message);
	assert_closed(&scene.eve, CLOSE_PROTOCOL);
	scene_end(&scene);
}

static void test_frames_of_wrong_length(void **state)
{
	(void)state;
	static const uint8_t heads[][4] = { { 0, 0, 0, 0 },
					    { 0, 1, 0, 1 },
					    { 0xff, 0xff, 0xff, 0xff } };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct scene scene;
		scene_begin(&scene);
		stranger_joins(&scene.eve, &scene.party, 9);
		stranger_says_bytes(&scene.eve, heads[i], 4);
		assert_closed(&scene.eve, CLOSE_PROTOCOL);
		scene_end(&scene);
	}
}

/* Streams that the protocol does not use, and the end of the one that it does. */
static void test_wrong_streams(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct scene scene;
		int64_t stream = CHANNEL_STREAM;
		scene_begin(&scene);
		stranger_joins(&scene.eve, &scene.party, 9);
		if (i < 2)
			assert_int_equal(
				quic_conn_open_stream(scene.eve.conn, i == 1, &stream),
				0);
		assert_int_equal(quic_conn_send_stream(scene.eve.conn, stream,
						       (const uint8_t *)"x", i < 2,
						       i == 2),
				 0);
		party_run(&scene.party, 100);
		assert_closed(&scene.eve, CLOSE_PROTOCOL);
		scene_end(&scene);
	}
}

static void test_flood_of_messages(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	unsigned sent = 0;
	while (scene.eve.conn && sent < 100) {
		stranger_says_json(&scene.eve, "{\"type\":\"stats\"}");
		sent++;
	}
	assert_closed(&scene.eve, CLOSE_TOO_MANY);
	assert_in_range(sent, VISITOR_MESSAGES_BURST, VISITOR_MESSAGES_BURST + 6);
	scene_end(&scene);
}

static void test_patient_members_may_talk(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	for (unsigned i = 0; i < 100; i++) {
		stranger_says_json(&scene.eve, "{\"type\":\"stats\",\"future\":[]}");
		party_run(&scene.party, 900);
	}
	assert_non_null(scene.eve.conn);
	stranger_says_json(&scene.eve, "{\"type\":\"disconnect\",\"code\":\"left\","
				       "\"text\":\"dinner\"}");
	assert_closed(&scene.eve, CLOSE_NORMAL);
	assert_string_equal(scene.party.reason, "dinner");
	assert_string_equal(scene.alice.peer_reason, "dinner");
	scene_end(&scene);
}

/* What the others are told is JSON, which takes UTF-8 only: none of them is to go for that. */
static void test_last_words_that_are_no_text(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	quic_conn_close(scene.eve.conn, CLOSE_NORMAL, "", sim_now(scene.party.sim));
	(void)strcpy(scene.eve.conn->close.reason, "b\xffye");
	party_run(&scene.party, 200);
	assert_string_equal(scene.alice.peer_reason, "b?ye");
	assert_string_equal(scene.bob.peer_reason, "b?ye");
	scene_end(&scene);
}

/* ---- noise ------------------------------------------------------------------------------- */

/* The rules themselves are tests/bridge/filter.c's. */
static void test_what_the_filter_drops(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	struct forged eapol = datagram_of_eve(&scene);
	store_be16(eapol.data + OVERLAY_LEN + 12, ETHER_TYPE_EAPOL);
	assert_dropped(&scene, &eapol, SESSION_DROP_FILTERED);
	struct forged flood = datagram_of_eve(&scene);
	memset(flood.data + OVERLAY_LEN, 0xff, 6);
	for (unsigned i = 0; i < 1000; i++)
		stranger_sends_for(&scene.eve, flood.data, flood.len, 1);
	party_run(&scene.party, 100);
	/* 400 at once, and 200 in that second. */
	assert_in_range(guest_got(&scene.bob), 590, 610);
	assert_in_range(session_of_eve(&scene)->counts[SESSION_DROP_FILTERED], 390, 412);
	scene_end(&scene);
}

static void test_too_much_that_makes_no_sense(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_joins(&scene.eve, &scene.party, 9);
	struct forged kinds[] = { datagram_of_eve(&scene), datagram_of_eve(&scene),
				  datagram_of_eve(&scene), datagram_of_eve(&scene) };
	kinds[0].data[OVERLAY_OFF_MAGIC] ^= 1;
	kinds[1].data[OVERLAY_OFF_ROOM] ^= 1;
	kinds[2].len = OVERLAY_LEN + 13;
	for (unsigned i = 0; i < 99; i++)
		stranger_sends_for(&scene.eve, kinds[i % 3].data, kinds[i % 3].len, 1);
	eve_sends_part(&scene, OVERLAY_FIRST, 1, 0, 1000);
	eve_sends_part(&scene, OVERLAY_LAST, 1, 0, 519); /* too long together */
	party_run(&scene.party, 100);
	assert_non_null(scene.eve.conn);
	for (unsigned i = 0; i < 2; i++)
		stranger_sends_for(&scene.eve, kinds[0].data, kinds[0].len, 1);
	party_run(&scene.party, 100);
	assert_closed(&scene.eve, CLOSE_PROTOCOL);
	scene_end(&scene);
}

/* No faster than one a second, which the relay bears for ever. */
static void test_random_noise(void **state)
{
	(void)state;
	struct scene scene;
	struct rng rng;
	uint8_t noise[1200];
	scene_begin(&scene);
	rng_init(&rng, test_seed());
	stranger_joins(&scene.eve, &scene.party, 9);
	for (unsigned i = 0; i < 300; i++) {
		struct forged forged = datagram_of_eve(&scene);
		size_t keep = rng_below(&rng, 24);
		for (size_t j = keep; j < sizeof(forged.data); j++)
			forged.data[j] = (uint8_t)rng_u64(&rng);
		stranger_sends_for(&scene.eve, forged.data, rng_below(&rng, 1300), 1050);
	}
	for (size_t j = 0; j < sizeof(noise); j++)
		noise[j] = (uint8_t)rng_u64(&rng);
	stranger_says_bytes(&scene.eve, noise, sizeof(noise));
	assert_null(scene.eve.conn);
	(void)guest_got(&scene.alice);
	scene_end(&scene);
}

static void test_someone_else_answers_slowly(void **state)
{
	(void)state;
	struct scene scene;
	scene_begin(&scene);
	stranger_connect(&scene.eve, &scene.party, 9);
	const struct message message = { .type = MESSAGE_HELLO,
					 .hello = stranger_hello(&scene.eve) };
	struct message_frame frame;
	assert_int_equal(message_encode(&message, &frame), 0);
	for (size_t i = 0; i + 1 < frame.len; i += 40)
		stranger_says_bytes(&scene.eve, frame.data + i,
				    frame.len - i < 40 ? frame.len - i : 40);
	assert_int_equal(scene.eve.heard[MESSAGE_WELCOME], 1);
	free(frame.data);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forged_headers),
		cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_parts_are_held_to_the_same_rules),
		cmocka_unit_test(test_frame_above_the_mtu),
		cmocka_unit_test(test_spoofed_sources),
		cmocka_unit_test(test_others_macs_are_denied),
		cmocka_unit_test(test_claims_have_a_rate),
		cmocka_unit_test(test_datagrams_before_the_hello),
		cmocka_unit_test(test_hellos_of_wrong_shape_are_answered),
		cmocka_unit_test(test_a_room_for_a_path_that_is_too_small),
		cmocka_unit_test(test_hello_of_another_version),
		cmocka_unit_test(test_forged_proofs),
		cmocka_unit_test(test_replayed_proof),
		cmocka_unit_test(test_memory_bounds_sessions),
		cmocka_unit_test(test_silence_instead_of_a_hello),
		cmocka_unit_test(test_wrong_messages_of_a_member),
		cmocka_unit_test(test_second_hello),
		cmocka_unit_test(test_frames_of_wrong_length),
		cmocka_unit_test(test_wrong_streams),
		cmocka_unit_test(test_flood_of_messages),
		cmocka_unit_test(test_patient_members_may_talk),
		cmocka_unit_test(test_last_words_that_are_no_text),
		cmocka_unit_test(test_what_the_filter_drops),
		cmocka_unit_test(test_too_much_that_makes_no_sense),
		cmocka_unit_test(test_random_noise),
		cmocka_unit_test(test_someone_else_answers_slowly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
