/* SPDX-License-Identifier: MIT */
/*
 * Messages: what is encoded decodes to the same, and each wrong shape has its named fault.
 */
#include "lan/message.h"

#include "../unit.h"
#include "base/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 32 and 64 zero bytes in base64url. */
#define A21   "AAAAAAAAAAAAAAAAAAAAA"
#define KEY   A21 A21 "A"
#define PROOF A21 A21 A21 A21 "AA"

#define HELLO_WITH(fields)                                                            \
	"{\"type\":\"hello\",\"versions\":[1],\"key\":\"" KEY "\",\"proof\":\"" PROOF \
	"\"," fields "}"
#define MAC "\"mac\":\"02:00:00:00:00:01\""

static int decode(const char *json, struct message *message, struct message_error *error)
{
	const struct control_body body = { .data = (const uint8_t *)json,
					   .len = strlen(json) };
	return message_decode(&body, message, error);
}

static struct message decode_ok(const char *json)
{
	struct message message;
	struct message_error error = { .field = "" };
	int r = decode(json, &message, &error);
	if (r < 0)
		print_error("%s: %s %s\n", json, error.field,
			    message_fault_name(error.fault));
	assert_int_equal(r, 0);
	return message;
}

/* ---- there and back ---------------------------------------------------------------------- */

static struct message there_and_back(const struct message *message)
{
	struct message_frame frame;
	struct control_body body;
	struct message back;
	struct message_error error;
	assert_int_equal(message_encode(message, &frame), 0);
	assert_int_equal(control_find(frame.data, frame.len, &body), frame.len);
	assert_int_equal(message_decode(&body, &back, &error), 0);
	free(frame.data);
	assert_int_equal(back.type, message->type);
	return back;
}

static void test_hello(void **state)
{
	(void)state;
	struct message message = {
		.type = MESSAGE_HELLO,
		.hello = { .has_version = true,
			   .role = WEFT_ROLE_CLIENT,
			   .room = "FRIDAY",
			   .name = "alice",
			   .mac = { { 2, 0, 0, 0, 0, 1 } },
			   .budget = 1412 },
	};
	memset(message.hello.key, 0xa5, PROOF_KEY_LEN);
	memset(message.hello.proof, 0x5a, PROOF_LEN);
	struct message back = there_and_back(&message);
	assert_memory_equal(&back.hello, &message.hello, sizeof(back.hello));
	message.hello.has_opening = true;
	memset(message.hello.opening, 0x3c, OPENING_LEN);
	assert_int_equal(weft_ip_parse("100.64.12.2/24", &message.hello.address), 0);
	back = there_and_back(&message);
	assert_memory_equal(&back.hello, &message.hello, sizeof(back.hello));
}

static void test_hello_of_a_gateway(void **state)
{
	(void)state;
	struct message message = {
		.type = MESSAGE_HELLO,
		.hello = { .has_version = true,
			   .role = WEFT_ROLE_GATEWAY,
			   .room = "FRIDAY",
			   .budget = 1200 },
	};
	struct message back = there_and_back(&message);
	assert_memory_equal(&back.hello, &message.hello, sizeof(back.hello));
}

static void test_welcome(void **state)
{
	(void)state;
	struct weft_peer members[] = {
		{ .id = 1, .role = WEFT_ROLE_GATEWAY, .name = "lan" },
		{ .id = 65534, .mac = { { 2, 0, 0, 0, 0, 9 } } },
	};
	struct message message = { .type = MESSAGE_WELCOME,
				   .welcome = { .peer = 7,
						.room = 3,
						.mtu = 1386,
						.members_n = ARRAY_LEN(members),
						.members = members } };
	assert_int_equal(weft_ip_parse("100.64.12.2/24", &message.welcome.address), 0);
	struct message back = there_and_back(&message);
	assert_int_equal(back.welcome.peer, 7);
	assert_int_equal(back.welcome.room, 3);
	assert_int_equal(back.welcome.mtu, 1386);
	assert_memory_equal(&back.welcome.address, &message.welcome.address,
			    sizeof(struct weft_ip));
	assert_int_equal(back.welcome.members_n, ARRAY_LEN(members));
	assert_memory_equal(back.welcome.members, members, sizeof(members));
	message_fini(&back);
}

/* The limit on members is what makes a welcome fit, with the longest names. */
static void test_fullest_welcome_fits(void **state)
{
	(void)state;
	struct weft_peer *members = calloc(LAN_MEMBERS_MAX, sizeof(*members));
	assert_non_null(members);
	for (size_t i = 0; i < LAN_MEMBERS_MAX; i++) {
		members[i] = (struct weft_peer){ .id = (uint16_t)(LAN_ID_MAX - i),
						 .mac = { { 2, 0, 0, 0, 0, 9 } } };
		memset(members[i].name, 'n', WEFT_MEMBER_NAME_MAX);
	}
	struct message message = { .type = MESSAGE_WELCOME,
				   .welcome = { .peer = 7,
						.room = 3,
						.mtu = 1386,
						.members_n = LAN_MEMBERS_MAX,
						.members = members } };
	struct message back = there_and_back(&message);
	assert_int_equal(back.welcome.members_n, LAN_MEMBERS_MAX);
	message_fini(&back);
	free(members);
}

static void test_reject(void **state)
{
	(void)state;
	for (unsigned code = 0; code < REJECT_CODES; code++) {
		struct message message = { .type = MESSAGE_REJECT,
					   .reject = { .code = (enum reject_code)code,
						       .retry = code % 2 == 1,
						       .text = "not now" } };
		struct message back = there_and_back(&message);
		assert_memory_equal(&back.reject, &message.reject, sizeof(back.reject));
	}
}

static void test_peer_joined(void **state)
{
	(void)state;
	struct message message = {
		.type = MESSAGE_PEER_JOINED,
		.peer_joined = { .id = 5, .mac = { { 6, 1, 2, 3, 4, 5 } }, .name = "bob" }
	};
	struct message back = there_and_back(&message);
	assert_memory_equal(&back.peer_joined, &message.peer_joined,
			    sizeof(back.peer_joined));
}

static void test_peer_left(void **state)
{
	(void)state;
	for (unsigned code = 0; code < LEAVE_CODES; code++) {
		struct message message = { .type = MESSAGE_PEER_LEFT,
					   .peer_left = { .id = 5,
							  .code = (enum leave_code)code,
							  .text = "bye" } };
		struct message back = there_and_back(&message);
		/* There are bytes between id and code that nobody sets. */
		assert_int_equal(back.peer_left.id, 5);
		assert_int_equal(back.peer_left.code, code);
		assert_memory_equal(back.peer_left.text, message.peer_left.text,
				    sizeof(back.peer_left.text));
	}
}

static void test_stats(void **state)
{
	(void)state;
	struct message message = { .type = MESSAGE_STATS,
				   .stats = { .rx_frames = 1,
					      .tx_frames = 2,
					      .rx_bytes = INT64_MAX,
					      .tx_bytes = 1u << 31,
					      .drops = 5 } };
	struct message back = there_and_back(&message);
	assert_memory_equal(&back.stats, &message.stats, sizeof(back.stats));
}

static void test_disconnect(void **state)
{
	(void)state;
	struct message message = { .type = MESSAGE_DISCONNECT,
				   .disconnect = { .code = LEAVE_NORMAL,
						   .text = "bye",
						   .go_to = "[2001:db8::1]:444" } };
	struct message back = there_and_back(&message);
	assert_memory_equal(&back.disconnect, &message.disconnect,
			    sizeof(back.disconnect));
}

static void test_claims(void **state)
{
	(void)state;
	static const enum message_type types[] = { MESSAGE_CLAIM, MESSAGE_RELEASE,
						   MESSAGE_CLAIMED, MESSAGE_RELEASED,
						   MESSAGE_DENIED };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct message message = {
			.type = types[i],
			.claim = { .n = 2,
				   .macs = { { { 0, 9, 0xbf, 1, 2, 3 } },
					     { { 0x52, 0x54, 0, 1, 2, 3 } } } },
		};
		if (types[i] == MESSAGE_CLAIMED || types[i] == MESSAGE_RELEASED)
			message.claim.peer = 7;
		if (types[i] == MESSAGE_DENIED)
			message.claim.code = DENY_MAC_TAKEN;
		struct message back = there_and_back(&message);
		assert_int_equal(back.type, types[i]);
		assert_memory_equal(&back.claim, &message.claim, sizeof(back.claim));
	}
}

/* ---- from other versions ----------------------------------------------------------------- */

static void test_unknown_fields_are_passed_over(void **state)
{
	(void)state;
	struct message message = decode_ok(HELLO_WITH(
		"\"role\":\"gateway\",\"room\":\"R\",\"budget\":1,\"new\":[{}]"));
	assert_int_equal(message.hello.role, WEFT_ROLE_GATEWAY);
	message = decode_ok("{\"type\":\"stats\",\"novel\":\"x\"}");
	assert_int_equal(message.stats.rx_frames, 0);
}

static void test_unknown_codes_are_other(void **state)
{
	(void)state;
	struct message message =
		decode_ok("{\"type\":\"reject\",\"code\":\"new\",\"retry\":true}");
	assert_int_equal(message.reject.code, REJECT_OTHER);
	assert_string_equal(message.reject.text, "");
	message = decode_ok("{\"type\":\"peer-left\",\"peer\":1,\"code\":\"new\"}");
	assert_int_equal(message.peer_left.code, LEAVE_OTHER);
}

/* A relay of this version must be able to answer a hello that it cannot read. */
static void test_hello_of_another_version(void **state)
{
	(void)state;
	struct message message =
		decode_ok("{\"type\":\"hello\",\"versions\":[2,3],\"room\":{}}");
	assert_false(message.hello.has_version);
	message = decode_ok("{\"type\":\"hello\",\"versions\":[2,1],\"role\":\"gateway\","
			    "\"room\":\"R\",\"budget\":1,\"key\":\"" KEY
			    "\",\"proof\":\"" PROOF "\"}");
	assert_true(message.hello.has_version);
}

static void test_sentences_are_made_printable(void **state)
{
	(void)state;
	struct message message =
		decode_ok("{\"type\":\"disconnect\",\"code\":\"left\","
			  "\"text\":\"a\\u001b[2Jb\\n\\u0085\\u007f\xc3\xa4\"}");
	assert_string_equal(message.disconnect.text, "a?[2Jb???\xc3\xa4");
}

/* ---- wrong shapes ------------------------------------------------------------------------ */

struct wrong {
	const char *json;
	enum message_fault fault;
	const char *field;
};

static void assert_wrong(const struct wrong *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct message message;
		struct message_error error = { .field = NULL };
		int r = decode(cases[i].json, &message, &error);
		if (r != -EBADMSG || error.fault != cases[i].fault ||
		    strcmp(error.field, cases[i].field) != 0)
			fail_msg("%s: %d, %s %s", cases[i].json, r, error.field,
				 message_fault_name(error.fault));
	}
}

static void test_wrong_wholes(void **state)
{
	(void)state;
	static const struct wrong cases[] = {
		{ "", MESSAGE_NOT_JSON, "" },
		{ "{", MESSAGE_NOT_JSON, "" },
		{ "{}{}", MESSAGE_NOT_JSON, "" },
		{ "\xff", MESSAGE_NOT_JSON, "" },
		{ "{\"type\":\"stats\",\"type\":\"stats\"}", MESSAGE_NOT_JSON, "" },
		{ "{\"type\":\"st\\u0000ats\"}", MESSAGE_NOT_JSON, "" },
		{ "{\"type\":\"stats\",\"drops\":99999999999999999999}", MESSAGE_NOT_JSON,
		  "" },
		{ "[]", MESSAGE_NOT_OBJECT, "" },
		{ "{}", MESSAGE_MISSING_FIELD, "type" },
		{ "{\"type\":1}", MESSAGE_WRONG_KIND, "type" },
		{ "{\"type\":\"helo\"}", MESSAGE_UNKNOWN_TYPE, "type" },
	};
	assert_wrong(cases, ARRAY_LEN(cases));
}

static void test_wrong_hellos(void **state)
{
	(void)state;
#define CLIENT "\"role\":\"client\","
#define ROOM   "\"room\":\"R\",\"budget\":1400"
	static const struct wrong cases[] = {
		{ "{\"type\":\"hello\"}", MESSAGE_MISSING_FIELD, "versions" },
		{ "{\"type\":\"hello\",\"versions\":1}", MESSAGE_WRONG_KIND, "versions" },
		{ "{\"type\":\"hello\",\"versions\":[]}", MESSAGE_OUT_OF_RANGE,
		  "versions" },
		{ "{\"type\":\"hello\",\"versions\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
		  MESSAGE_OUT_OF_RANGE, "versions" },
		{ "{\"type\":\"hello\",\"versions\":[1,\"2\"]}", MESSAGE_WRONG_KIND,
		  "versions" },
		{ "{\"type\":\"hello\",\"versions\":[1]}", MESSAGE_MISSING_FIELD,
		  "role" },
		{ HELLO_WITH("\"role\":\"king\"," MAC "," ROOM), MESSAGE_BAD_TEXT,
		  "role" },
		{ HELLO_WITH("\"role\":0," MAC "," ROOM), MESSAGE_WRONG_KIND, "role" },
		{ HELLO_WITH(CLIENT ROOM), MESSAGE_MISSING_FIELD, "mac" },
		{ HELLO_WITH(CLIENT "\"mac\":\"02:00:00:00:00\"," ROOM), MESSAGE_BAD_TEXT,
		  "mac" },
		{ HELLO_WITH(CLIENT "\"mac\":\"03:00:00:00:00:01\"," ROOM),
		  MESSAGE_BAD_TEXT, "mac" },
		{ HELLO_WITH(CLIENT "\"mac\":\"00:16:3e:00:00:01\"," ROOM),
		  MESSAGE_BAD_TEXT, "mac" },
		{ HELLO_WITH(CLIENT "\"mac\":\"02:00:00:00:00:01 \"," ROOM),
		  MESSAGE_OUT_OF_RANGE, "mac" },
		{ HELLO_WITH(CLIENT MAC), MESSAGE_MISSING_FIELD, "budget" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":-1,\"room\":\"R\""),
		  MESSAGE_OUT_OF_RANGE, "budget" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":65536,\"room\":\"R\""),
		  MESSAGE_OUT_OF_RANGE, "budget" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":1400.5,\"room\":\"R\""),
		  MESSAGE_WRONG_KIND, "budget" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":1400,\"room\":\"\""),
		  MESSAGE_BAD_TEXT, "room" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":1400,\"room\":\"a b\""),
		  MESSAGE_BAD_TEXT, "room" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":1400,\"room\":null"),
		  MESSAGE_WRONG_KIND, "room" },
		{ HELLO_WITH(CLIENT MAC ",\"budget\":1400,\"room\":"
					"\"123456789012345678901234567890123\""),
		  MESSAGE_OUT_OF_RANGE, "room" },
		{ HELLO_WITH(CLIENT MAC "," ROOM ",\"name\":\"a\\u0007\""),
		  MESSAGE_BAD_TEXT, "name" },
		{ HELLO_WITH(CLIENT MAC "," ROOM ",\"name\":7"), MESSAGE_WRONG_KIND,
		  "name" },
	};
	assert_wrong(cases, ARRAY_LEN(cases));
}

static void test_wrong_keys_and_proofs(void **state)
{
	(void)state;
#define HEAD "{\"type\":\"hello\",\"versions\":[1],\"role\":\"gateway\"," ROOM
	static const struct wrong cases[] = {
		{ HEAD "}", MESSAGE_MISSING_FIELD, "key" },
		{ HEAD ",\"key\":\"" KEY "\"}", MESSAGE_MISSING_FIELD, "proof" },
		{ HEAD ",\"key\":\"AAAA\",\"proof\":\"" PROOF "\"}", MESSAGE_BAD_TEXT,
		  "key" },
		{ HEAD ",\"key\":\"" KEY "=\",\"proof\":\"" PROOF "\"}", MESSAGE_BAD_TEXT,
		  "key" },
		{ HEAD ",\"key\":\"" KEY "\",\"proof\":\"" PROOF "AAAA\"}",
		  MESSAGE_BAD_TEXT, "proof" },
		{ HEAD ",\"key\":\"" KEY "\",\"proof\":\"" KEY "\"}", MESSAGE_BAD_TEXT,
		  "proof" },
	};
	assert_wrong(cases, ARRAY_LEN(cases));
}

static void test_wrong_welcomes(void **state)
{
	(void)state;
#define WELCOME "{\"type\":\"welcome\",\"version\":1,\"room\":1,\"mtu\":1400,"
#define BOB     "{\"peer\":2,\"role\":\"client\"," MAC "}"
	static const struct wrong cases[] = {
		{ "{\"type\":\"welcome\"}", MESSAGE_MISSING_FIELD, "version" },
		{ "{\"type\":\"welcome\",\"version\":2}", MESSAGE_OUT_OF_RANGE,
		  "version" },
		{ WELCOME "\"members\":[]}", MESSAGE_MISSING_FIELD, "peer" },
		{ WELCOME "\"peer\":0,\"members\":[]}", MESSAGE_OUT_OF_RANGE, "peer" },
		{ WELCOME "\"peer\":65535,\"members\":[]}", MESSAGE_OUT_OF_RANGE,
		  "peer" },
		{ "{\"type\":\"welcome\",\"version\":1,\"room\":1,\"peer\":1,\"mtu\":999,"
		  "\"members\":[]}",
		  MESSAGE_OUT_OF_RANGE, "mtu" },
		{ "{\"type\":\"welcome\",\"version\":1,\"room\":1,\"peer\":1,\"mtu\":"
		  "1501,"
		  "\"members\":[]}",
		  MESSAGE_OUT_OF_RANGE, "mtu" },
		{ WELCOME "\"peer\":1}", MESSAGE_MISSING_FIELD, "members" },
		{ WELCOME "\"peer\":1,\"members\":{}}", MESSAGE_WRONG_KIND, "members" },
		{ WELCOME "\"peer\":1,\"members\":[1]}", MESSAGE_WRONG_KIND, "members" },
		{ WELCOME "\"peer\":1,\"members\":[" BOB ",{}]}", MESSAGE_MISSING_FIELD,
		  "peer" },
		{ WELCOME "\"peer\":1,\"members\":[" BOB "," BOB "]}", MESSAGE_DUPLICATE,
		  "members" },
		{ WELCOME "\"peer\":2,\"members\":[" BOB "]}", MESSAGE_DUPLICATE,
		  "members" },
		{ WELCOME "\"peer\":1,\"members\":[],\"address\":\"10.0.0.1/33\"}",
		  MESSAGE_BAD_TEXT, "address" },
		{ WELCOME "\"peer\":1,\"members\":[],\"address\":0}", MESSAGE_WRONG_KIND,
		  "address" },
	};
	assert_wrong(cases, ARRAY_LEN(cases));
}

static void test_too_many_members(void **state)
{
	(void)state;
	struct message message;
	struct message_error error;
	char *json = malloc(65536);
	assert_non_null(json);
	int len = snprintf(json, 65536, WELCOME "\"peer\":1,\"members\":[0");
	for (unsigned i = 0; i < LAN_MEMBERS_MAX; i++)
		len += snprintf(json + len, 65536 - (size_t)len, ",0");
	(void)snprintf(json + len, 65536 - (size_t)len, "]}");
	assert_int_equal(decode(json, &message, &error), -EBADMSG);
	assert_int_equal(error.fault, MESSAGE_OUT_OF_RANGE);
	assert_string_equal(error.field, "members");
	free(json);
}

static void test_wrong_others(void **state)
{
	(void)state;
	static const struct wrong cases[] = {
		{ "{\"type\":\"reject\",\"retry\":true}", MESSAGE_MISSING_FIELD, "code" },
		{ "{\"type\":\"reject\",\"code\":\"version\"}", MESSAGE_MISSING_FIELD,
		  "retry" },
		{ "{\"type\":\"reject\",\"code\":\"version\",\"retry\":1}",
		  MESSAGE_WRONG_KIND, "retry" },
		{ "{\"type\":\"peer-joined\",\"peer\":1,\"role\":\"client\"}",
		  MESSAGE_MISSING_FIELD, "mac" },
		{ "{\"type\":\"peer-joined\",\"role\":\"gateway\"}",
		  MESSAGE_MISSING_FIELD, "peer" },
		{ "{\"type\":\"peer-left\",\"peer\":1}", MESSAGE_MISSING_FIELD, "code" },
		{ "{\"type\":\"peer-left\",\"peer\":\"1\",\"code\":\"left\"}",
		  MESSAGE_WRONG_KIND, "peer" },
		{ "{\"type\":\"stats\",\"drops\":-1}", MESSAGE_OUT_OF_RANGE, "drops" },
		{ "{\"type\":\"stats\",\"rx_bytes\":1e3}", MESSAGE_WRONG_KIND,
		  "rx_bytes" },
		{ "{\"type\":\"claim\"}", MESSAGE_MISSING_FIELD, "macs" },
		{ "{\"type\":\"claim\",\"macs\":\"02:00:00:00:00:01\"}",
		  MESSAGE_WRONG_KIND, "macs" },
		{ "{\"type\":\"claim\",\"macs\":[]}", MESSAGE_OUT_OF_RANGE, "macs" },
		{ "{\"type\":\"claim\",\"macs\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}",
		  MESSAGE_OUT_OF_RANGE, "macs" },
		{ "{\"type\":\"claim\",\"macs\":[1]}", MESSAGE_WRONG_KIND, "macs" },
		{ "{\"type\":\"claim\",\"macs\":[\"01:00:00:00:00:01\"]}",
		  MESSAGE_BAD_TEXT, "macs" },
		{ "{\"type\":\"release\",\"macs\":[\"00:00:00:00:00:00\"]}",
		  MESSAGE_BAD_TEXT, "macs" },
		{ "{\"type\":\"claim\",\"macs\":[\"02:00:00:00:00:01\","
		  "\"02:00:00:00:00:01\"]}",
		  MESSAGE_DUPLICATE, "macs" },
		{ "{\"type\":\"claimed\",\"macs\":[\"02:00:00:00:00:01\"]}",
		  MESSAGE_MISSING_FIELD, "peer" },
		{ "{\"type\":\"denied\",\"macs\":[\"02:00:00:00:00:01\"]}",
		  MESSAGE_MISSING_FIELD, "code" },
		{ "{\"type\":\"disconnect\"}", MESSAGE_MISSING_FIELD, "code" },
		{ "{\"type\":\"disconnect\",\"code\":\"left\",\"text\":[]}",
		  MESSAGE_WRONG_KIND, "text" },
		{ "{\"type\":\"disconnect\",\"code\":\"left\",\"go_to\":7}",
		  MESSAGE_WRONG_KIND, "go_to" },
		{ "{\"type\":\"disconnect\",\"code\":\"left\",\"go_to\":\"\"}",
		  MESSAGE_BAD_TEXT, "go_to" },
		{ "{\"type\":\"disconnect\",\"code\":\"left\",\"go_to\":\"a:0\"}",
		  MESSAGE_BAD_TEXT, "go_to" },
		{ "{\"type\":\"disconnect\",\"code\":\"left\",\"go_to\":\"a\\u001b\"}",
		  MESSAGE_BAD_TEXT, "go_to" },
	};
	assert_wrong(cases, ARRAY_LEN(cases));
}

/* Sentences have a limit; jansson has one on nesting. */
static void test_monsters(void **state)
{
	(void)state;
	static char json[CONTROL_BODY_MAX + 1];
	struct message message;
	struct message_error error;
	memset(json, '[', CONTROL_BODY_MAX);
	assert_int_equal(decode(json, &message, &error), -EBADMSG);
	assert_int_equal(error.fault, MESSAGE_NOT_JSON);
	memset(json, 'x', CONTROL_BODY_MAX);
	const char head[] = "{\"type\":\"disconnect\",\"code\":\"left\",\"text\":\"";
	char *text = json + strlen(head);
	memcpy(json, head, strlen(head));
	strcpy(text + MESSAGE_TEXT_MAX, "\"}");
	assert_int_equal(decode(json, &message, &error), 0);
	text[MESSAGE_TEXT_MAX] = 'x';
	strcpy(text + MESSAGE_TEXT_MAX + 1, "\"}");
	assert_int_equal(decode(json, &message, &error), -EBADMSG);
	assert_int_equal(error.fault, MESSAGE_OUT_OF_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_hello_of_a_gateway),
		cmocka_unit_test(test_welcome),
		cmocka_unit_test(test_fullest_welcome_fits),
		cmocka_unit_test(test_reject),
		cmocka_unit_test(test_peer_joined),
		cmocka_unit_test(test_peer_left),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_disconnect),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_unknown_fields_are_passed_over),
		cmocka_unit_test(test_unknown_codes_are_other),
		cmocka_unit_test(test_hello_of_another_version),
		cmocka_unit_test(test_sentences_are_made_printable),
		cmocka_unit_test(test_wrong_wholes),
		cmocka_unit_test(test_wrong_hellos),
		cmocka_unit_test(test_wrong_keys_and_proofs),
		cmocka_unit_test(test_wrong_welcomes),
		cmocka_unit_test(test_too_many_members),
		cmocka_unit_test(test_wrong_others),
		cmocka_unit_test(test_monsters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
