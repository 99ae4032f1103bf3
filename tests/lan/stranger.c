/* SPDX-License-Identifier: MIT */
/*
 * The stranger remembers what the relay says to him, by type.
 */
#include "stranger.h"

#include "../unit.h"
#include "lan/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)conn, (void)now;
	((struct stranger *)user)->is_established = true;
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	(void)conn, (void)data, (void)len, (void)now;
	((struct stranger *)user)->datagrams++;
}

static void on_message(struct stranger *stranger, struct message *message)
{
	stranger->heard[message->type]++;
	if (message->type == MESSAGE_REJECT)
		stranger->reject = message->reject;
	if (message->type == MESSAGE_WELCOME)
		stranger->welcome = message->welcome;
	message_fini(message);
	stranger->welcome.members = NULL;
}

static void on_stream(void *user, struct quic_conn *conn, int64_t stream,
		      const uint8_t *data, size_t len, bool fin, uint64_t now)
{
	(void)conn, (void)stream, (void)fin, (void)now;
	struct stranger *stranger = user;
	struct control_body body;
	control_reader_feed(&stranger->reader, data, len);
	while (control_reader_next(&stranger->reader, &body) > 0) {
		struct message message;
		struct message_error error;
		assert_int_equal(message_decode(&body, &message, &error), 0);
		on_message(stranger, &message);
	}
}

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	(void)conn, (void)now;
	struct stranger *stranger = user;
	stranger->conn = NULL;
	stranger->why = *why;
}

static bool is_up(void *user)
{
	const struct stranger *stranger = user;
	return stranger->is_established || !stranger->conn;
}

void stranger_dials(struct stranger *stranger, struct party *party, uint8_t number)
{
	static const struct quic_events events = { .established = on_established,
						   .datagram = on_datagram,
						   .stream = on_stream,
						   .closed = on_closed };
	static const uint8_t secret[32] = { 3 };
	char address[32];
	union weft_sockaddr relay;
	*stranger = (struct stranger){ .party = party, .number = number };
	(void)snprintf(address, sizeof(address), "10.0.2.%u:999", number);
	assert_int_equal(
		quic_tls_client_new(party->pin, NULL, LAN_ALPN, NULL, &stranger->tls), 0);
	stranger->socket = sim_socket(party->sim, address);
	const struct quic_endpoint_opts opts = { .dgram = stranger->socket,
						 .tls = stranger->tls,
						 .events = &events,
						 .user = stranger,
						 .secret = secret };
	assert_int_equal(quic_endpoint_new(&opts, &stranger->endpoint), 0);
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &relay), 0);
	assert_int_equal(quic_connect(stranger->endpoint, &relay, "relay",
				      sim_now(party->sim), &stranger->conn),
			 0);
	sim_add(party->sim, quic_endpoint_task(stranger->endpoint));
}

void stranger_connect(struct stranger *stranger, struct party *party, uint8_t number)
{
	stranger_dials(stranger, party, number);
	assert_true(sim_run_until(party->sim, is_up, stranger,
				  sim_now(party->sim) + sim_ms(3000)));
}

void stranger_fini(struct stranger *stranger)
{
	sim_remove(stranger->party->sim, quic_endpoint_task(stranger->endpoint));
	quic_endpoint_free(stranger->endpoint);
	quic_tls_free(stranger->tls);
	control_reader_fini(&stranger->reader);
}

struct hello stranger_hello(const struct stranger *stranger)
{
	static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = "0123456789abcde";
	bool is_gateway = stranger->number == 0;
	struct hello hello = { .has_version = true,
			       .role = is_gateway ? WEFT_ROLE_GATEWAY : WEFT_ROLE_CLIENT,
			       .room = "FRIDAY",
			       .name = "stranger",
			       .budget = 1412 };
	struct proof_claim claim = { .role = hello.role, .room = hello.room };
	if (!is_gateway)
		hello.mac = guest_mac(stranger->number);
	assert_int_equal(quic_conn_export(stranger->conn, PROOF_LABEL, claim.binding,
					  sizeof(claim.binding)),
			 0);
	proof_key(secret, hello.key);
	proof_sign(secret, &claim, hello.proof);
	return hello;
}

int stranger_writes(struct stranger *stranger, const void *data, size_t len)
{
	int64_t stream;
	assert_non_null(stranger->conn);
	int r = quic_conn_send_stream(stranger->conn, CHANNEL_STREAM, data, len, false);
	if (r != -ENOENT)
		return r;
	assert_int_equal(quic_conn_open_stream(stranger->conn, false, &stream), 0);
	assert_int_equal(stream, CHANNEL_STREAM);
	return quic_conn_send_stream(stranger->conn, stream, data, len, false);
}

void stranger_says_bytes(struct stranger *stranger, const void *data, size_t len)
{
	assert_int_equal(stranger_writes(stranger, data, len), 0);
	party_run(stranger->party, 200);
}

void stranger_says_json(struct stranger *stranger, const char *json)
{
	uint8_t frame[4096];
	size_t len = strlen(json);
	assert_in_range(len, 1, sizeof(frame) - CONTROL_HEAD_LEN);
	control_emit_head(frame, len);
	memcpy(frame + CONTROL_HEAD_LEN, json, len);
	stranger_says_bytes(stranger, frame, CONTROL_HEAD_LEN + len);
}

void stranger_says(struct stranger *stranger, const struct message *message)
{
	struct message_frame frame;
	assert_int_equal(message_encode(message, &frame), 0);
	stranger_says_bytes(stranger, frame.data, frame.len);
	free(frame.data);
}

void stranger_joins(struct stranger *stranger, struct party *party, uint8_t number)
{
	stranger_connect(stranger, party, number);
	const struct message message = { .type = MESSAGE_HELLO,
					 .hello = stranger_hello(stranger) };
	stranger_says(stranger, &message);
	assert_int_equal(stranger->heard[MESSAGE_WELCOME], 1);
}

void stranger_sends_for(struct stranger *stranger, const uint8_t *data, size_t len,
			uint64_t ms)
{
	const struct quic_datagram datagram = { .head = data,
						.body = data,
						.body_len = len };
	assert_int_equal(quic_conn_send_datagram(stranger->conn, &datagram,
						 sim_now(stranger->party->sim)),
			 0);
	party_run(stranger->party, ms);
}

void stranger_sends(struct stranger *stranger, const uint8_t *data, size_t len)
{
	stranger_sends_for(stranger, data, len, 50);
}

void assert_closed(const struct stranger *stranger, enum close_code code)
{
	assert_null(stranger->conn);
	assert_int_equal(stranger->why.kind, QUIC_CLOSE_PEER_APP);
	assert_int_equal(stranger->why.code, code);
}
