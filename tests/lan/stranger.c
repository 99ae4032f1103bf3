/* SPDX-License-Identifier: MIT */
/*
 * The stranger remembers what the relay says to him, by type.
 */
#include "stranger.h"

#include "../unit.h"
#include "lan/channel.h"
#include "lan/member.h"
#include "lan/proof.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct weft_mac party_broadcast = { { 255, 255, 255, 255, 255, 255 } };

struct weft_mac guest_mac(uint8_t number)
{
	return (struct weft_mac){ { 2, 0, 0, 0, 0, number } };
}

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

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	(void)conn, (void)now;
	struct stranger *stranger = user;
	struct control_body body;
	control_reader_feed(&stranger->reader, input->data, input->len);
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

void stranger_dials(struct stranger *stranger, struct venue *venue, uint8_t number)
{
	static const struct quic_events events = { .established = on_established,
						   .datagram = on_datagram,
						   .stream = on_stream,
						   .closed = on_closed };
	static const uint8_t secret[32] = { 3 };
	const struct weft_invite *invite = &venue->invite;
	*stranger = (struct stranger){ .venue = venue, .number = number };
	assert_int_equal(
		quic_tls_client_new(invite->pin, NULL, LAN_ALPN, NULL, &stranger->tls),
		0);
	stranger->socket = muffle_new(venue->socket(venue, number));
	const struct quic_endpoint_opts opts = { .dgram = &stranger->socket->base,
						 .tls = stranger->tls,
						 .events = &events,
						 .user = stranger,
						 .secret = secret };
	assert_int_equal(quic_endpoint_new(&opts, &stranger->endpoint), 0);
	assert_int_equal(quic_connect(stranger->endpoint, &venue->relay, invite->host,
				      venue->now(venue), &stranger->conn),
			 0);
	venue->add(venue, quic_endpoint_task(stranger->endpoint));
}

void stranger_fini(struct stranger *stranger)
{
	const struct venue *venue = stranger->venue;
	venue->remove(venue, quic_endpoint_task(stranger->endpoint));
	quic_endpoint_free(stranger->endpoint);
	quic_tls_free(stranger->tls);
	control_reader_fini(&stranger->reader);
}

struct hello stranger_hello(const struct stranger *stranger)
{
	const struct weft_invite *invite = &stranger->venue->invite;
	bool is_gateway = stranger->number == 0;
	struct hello hello = { .has_version = true,
			       .role = is_gateway ? WEFT_ROLE_GATEWAY : WEFT_ROLE_CLIENT,
			       .name = "stranger",
			       .budget = 1412 };
	struct proof_claim claim = { .role = hello.role, .room = hello.room };
	(void)snprintf(hello.room, sizeof(hello.room), "%s", invite->room);
	if (!is_gateway)
		hello.mac = guest_mac(stranger->number);
	assert_int_equal(quic_conn_export(stranger->conn, PROOF_LABEL, claim.binding,
					  sizeof(claim.binding)),
			 0);
	member_prove(invite, &claim, &hello);
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

int stranger_writes_json(struct stranger *stranger, const char *json)
{
	uint8_t frame[4096];
	size_t len = strlen(json);
	assert_in_range(len, 1, sizeof(frame) - CONTROL_HEAD_LEN);
	control_emit_head(frame, len);
	memcpy(frame + CONTROL_HEAD_LEN, json, len);
	return stranger_writes(stranger, frame, CONTROL_HEAD_LEN + len);
}

int stranger_throws(struct stranger *stranger, const uint8_t *data, size_t len)
{
	const struct quic_datagram datagram = { .head = data,
						.body = data,
						.body_len = len };
	return quic_conn_send_datagram(stranger->conn, &datagram,
				       stranger->venue->now(stranger->venue));
}
