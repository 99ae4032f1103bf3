/* SPDX-License-Identifier: MIT */
/*
 * A relay that lies: right key, wrong words. A member that hears what the protocol does not
 * know gives that relay up, says so, and tries again later; it never believes half of it.
 */
#include "../unit.h"
#include "base/array.h"
#include "lan/channel.h"
#include "party.h"
#include "wire/overlay.h"

#include <string.h>

#define WELCOME                                                                   \
	"{\"type\":\"welcome\",\"version\":1,\"peer\":2,\"room\":1,\"mtu\":1400," \
	"\"members\":[]}"
#define BOB                                                         \
	"{\"type\":\"peer-joined\",\"peer\":3,\"role\":\"client\"," \
	"\"mac\":\"02:00:00:00:00:03\"}"

/* What the liar says to a hello: texts, each framed; or bytes as they are. */
struct lie {
	const char *texts[4];
	const char *bytes;
	size_t bytes_len;
	bool fin;
	bool other_stream;
	bool to_gateway;
};

struct liar {
	struct party party;
	struct guest guest;
	struct quic_tls *tls;
	struct quic_endpoint *endpoint;
	struct quic_conn *conn; /* To the member, as long as that keeps it. */
	const struct lie *lie;
	unsigned hellos;
	struct quic_close why; /* How the member ended the connection. */
};

static void say(struct quic_conn *conn, int64_t stream, const void *data, size_t len,
		bool fin)
{
	assert_int_equal(quic_conn_send_stream(conn, stream, data, len, fin), 0);
}

static void say_text(struct quic_conn *conn, int64_t stream, const char *text)
{
	uint8_t head[CONTROL_HEAD_LEN];
	control_emit_head(head, strlen(text));
	say(conn, stream, head, sizeof(head), false);
	say(conn, stream, text, strlen(text), false);
}

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	(void)now;
	struct liar *liar = user;
	int64_t stream = input->stream;
	const struct lie *lie = liar->lie;
	if (liar->hellos++ > 0)
		return;
	if (lie->other_stream)
		assert_int_equal(quic_conn_open_stream(conn, true, &stream), 0);
	for (unsigned i = 0; i < ARRAY_LEN(lie->texts) && lie->texts[i]; i++)
		say_text(conn, stream, lie->texts[i]);
	if (lie->bytes || lie->fin)
		say(conn, stream, lie->bytes, lie->bytes_len, lie->fin);
}

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)now;
	((struct liar *)user)->conn = conn;
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	(void)user, (void)conn, (void)data, (void)len, (void)now;
}

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	(void)conn, (void)now;
	((struct liar *)user)->why = *why;
}

static void liar_begin(struct liar *liar, const struct lie *lie)
{
	static const struct quic_events events = { .established = on_established,
						   .datagram = on_datagram,
						   .stream = on_stream,
						   .closed = on_closed };
	static const uint8_t secret[32] = { 5 };
	*liar = (struct liar){ .lie = lie };
	party_init(&liar->party, test_seed());
	assert_int_equal(quic_tls_server_new(liar->party.cert, liar->party.key, LAN_ALPN,
					     NULL, &liar->tls),
			 0);
	quic_tls_pin(liar->tls, liar->party.venue.invite.pin);
	const struct quic_endpoint_opts opts = { .dgram = sim_socket(liar->party.sim,
								     PARTY_RELAY),
						 .tls = liar->tls,
						 .is_server = true,
						 .events = &events,
						 .user = liar,
						 .secret = secret };
	assert_int_equal(quic_endpoint_new(&opts, &liar->endpoint), 0);
	sim_add(liar->party.sim, quic_endpoint_task(liar->endpoint));
	guest_init(&liar->guest, &liar->party, "alice", lie->to_gateway ? 0 : 1);
	guest_start(&liar->guest);
}

static void liar_end(struct liar *liar)
{
	guest_leave(&liar->guest);
	sim_remove(liar->party.sim, quic_endpoint_task(liar->endpoint));
	quic_endpoint_free(liar->endpoint);
	quic_tls_free(liar->tls);
	party_fini(&liar->party);
}

static void assert_given_up(const struct lie *lie, const char *words)
{
	struct liar liar;
	liar_begin(&liar, lie);
	if (!guest_reaches(&liar.guest, WEFT_MEMBER_WAITING, 5000))
		fail_msg("\"%s\" was believed", lie->texts[0] ? lie->texts[0] : "bytes");
	if (!strstr(liar.guest.reason, words))
		fail_msg("\"%s\" does not speak of \"%s\"", liar.guest.reason, words);
	party_run(&liar.party, 100);
	assert_int_equal(liar.why.kind, QUIC_CLOSE_PEER_APP);
	liar_end(&liar);
}

static void test_lies_instead_of_a_welcome(void **state)
{
	(void)state;
	static const struct lie lies[] = {
		{ .texts = { "nonsense" } },
		{ .texts = { "{\"type\":\"welcome\"}" } },
		{ .texts = { "{\"type\":\"welcome\",\"version\":1,\"peer\":0,\"room\":1,"
			     "\"mtu\":1400,\"members\":[]}" } },
		{ .texts = { "{\"type\":\"welcome\",\"version\":1,\"peer\":1,\"room\":1,"
			     "\"mtu\":65535,\"members\":[]}" } },
		{ .texts = { BOB } },
		{ .texts = { "{\"type\":\"disconnect\",\"code\":\"left\"}" } },
		{ .texts = { "{\"type\":\"stats\"}" } },
		{ .bytes = "\0\0\0\0", .bytes_len = 4 },
		{ .bytes = "\377\377\377\377", .bytes_len = 4 },
		{ .fin = true },
		{ .texts = { WELCOME }, .other_stream = true },
	};
	for (size_t i = 0; i < ARRAY_LEN(lies); i++)
		assert_given_up(&lies[i], "does not keep to the protocol");
}

static void test_lies_after_the_welcome(void **state)
{
	(void)state;
	static const struct lie lies[] = {
		{ .texts = { WELCOME, WELCOME } },
		{ .texts = { WELCOME, "{\"type\":\"reject\",\"code\":\"version\","
				      "\"retry\":false}" } },
		{ .texts = { WELCOME, "{\"type\":\"peer-joined\",\"peer\":3}" } },
		{ .texts = { WELCOME, BOB, BOB } },
		{ .texts = { WELCOME, "{\"type\":\"disconnect\",\"code\":\"shutdown\","
				      "\"go_to\":\"a b\"}" } },
		{ .texts = { WELCOME, "{\"type\":\"disconnect\",\"code\":\"shutdown\","
				      "\"go_to\":\"relay:65536\"}" } },
		{ .texts = { WELCOME, "{\"type\":\"hello\",\"versions\":[1]}" } },
		{ .texts = { WELCOME }, .fin = true },
	};
	for (size_t i = 0; i < ARRAY_LEN(lies); i++)
		assert_given_up(&lies[i], "does not keep to the protocol");
}

static void test_goodbye_after_the_welcome(void **state)
{
	(void)state;
	static const struct lie lie = {
		.texts = { WELCOME, "{\"type\":\"disconnect\",\"code\":\"shutdown\","
				    "\"text\":\"power\\u001b\"}" }
	};
	assert_given_up(&lie, "the relay says goodbye: power?");
}

/* Sent to where nobody is, and to what is no address, a member asks at home in between. */
static void test_sent_to_nowhere(void **state)
{
	(void)state;
	static const struct lie lies[] = {
		{ .texts = { WELCOME, "{\"type\":\"disconnect\",\"code\":\"shutdown\","
				      "\"go_to\":\"10.0.0.77:9\"}" } },
		{ .texts = { WELCOME, "{\"type\":\"disconnect\",\"code\":\"shutdown\","
				      "\"go_to\":\"no.such.name\"}" } },
	};
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct liar liar;
		liar_begin(&liar, &lies[i]);
		assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_WAITING, 5000));
		assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_JOINING, 60000));
		liar_end(&liar);
	}
}

/* The rest of what is said with a reject is not listened to. */
static void test_reject_is_the_last_word(void **state)
{
	(void)state;
	static const struct lie lie = {
		.texts = { "{\"type\":\"reject\",\"code\":\"new-code\",\"retry\":false,"
			   "\"text\":\"because\"}",
			   WELCOME }
	};
	struct liar liar;
	liar_begin(&liar, &lie);
	assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_REFUSED, 5000));
	assert_string_equal(liar.guest.reason, "the relay refuses: because");
	party_run(&liar.party, 3600 * 1000);
	assert_int_equal(liar.guest.refusals_n, 1);
	assert_int_equal(liar.guest.joined_n, 0);
	liar_end(&liar);
}

static void test_peer_left_that_never_came(void **state)
{
	(void)state;
	static const struct lie lie = {
		.texts = { WELCOME,
			   "{\"type\":\"peer-left\",\"peer\":9,\"code\":\"left\"}", BOB }
	};
	struct liar liar;
	liar_begin(&liar, &lie);
	assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_JOINED, 5000));
	party_run(&liar.party, 1000);
	assert_int_equal(liar.guest.left_n, 0);
	assert_int_equal(liar.guest.came_n, 1);
	liar_end(&liar);
}

/* How many frames come out at the member's end of one from that MAC. */
static unsigned gets_from(struct liar *liar, struct weft_mac src)
{
	const struct overlay_hdr hdr = { .type = OVERLAY_ETHERNET, .room = 1, .peer = 2 };
	uint8_t head[OVERLAY_LEN], body[60] = { 0 };
	const struct quic_datagram datagram = { .head = head,
						.head_len = sizeof(head),
						.body = body,
						.body_len = sizeof(body) };
	overlay_hdr_emit(head, &hdr);
	memcpy(body, party_broadcast.octet, 6);
	memcpy(body + 6, src.octet, 6);
	assert_int_equal(
		quic_conn_send_datagram(liar->conn, &datagram, sim_now(liar->party.sim)),
		0);
	party_run(&liar->party, 50);
	return guest_got(&liar->guest);
}

/* Onto a gateway's LAN comes only what is from a client that the gateway was told of. */
static void test_frames_of_nobody(void **state)
{
	(void)state;
	static const struct lie lie = { .texts = { WELCOME, BOB }, .to_gateway = true };
	struct liar liar;
	liar_begin(&liar, &lie);
	assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_JOINED, 5000));
	party_run(&liar.party, 50);
	assert_int_equal(gets_from(&liar, guest_mac(3)), 1);
	assert_int_equal(gets_from(&liar, guest_mac(4)), 0);
	assert_int_equal(gets_from(&liar, party_lan_host), 0);
	assert_int_equal(gets_from(&liar, guest_mac(3)), 1);
	liar_end(&liar);
}

static void test_no_answer_at_all(void **state)
{
	(void)state;
	static const struct lie lie = { .bytes = NULL };
	struct liar liar;
	liar_begin(&liar, &lie);
	assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_JOINING, 2000));
	assert_true(guest_reaches(&liar.guest, WEFT_MEMBER_WAITING, 12000));
	assert_string_equal(liar.guest.reason, "the relay does not answer our hello");
	liar_end(&liar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies_instead_of_a_welcome),
		cmocka_unit_test(test_lies_after_the_welcome),
		cmocka_unit_test(test_goodbye_after_the_welcome),
		cmocka_unit_test(test_sent_to_nowhere),
		cmocka_unit_test(test_reject_is_the_last_word),
		cmocka_unit_test(test_peer_left_that_never_came),
		cmocka_unit_test(test_frames_of_nobody),
		cmocka_unit_test(test_no_answer_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
