/* SPDX-License-Identifier: MIT */
/*
 * The time that passes is that of the party whose venue the stranger has come to.
 */
#include "visit.h"

#include "../unit.h"

static struct party *party_of(const struct stranger *stranger)
{
	return container_of(stranger->venue, struct party, venue);
}

static bool is_up(void *user)
{
	const struct stranger *stranger = user;
	return stranger->is_established || !stranger->conn;
}

void stranger_connect(struct stranger *stranger, struct party *party, uint8_t number)
{
	stranger_dials(stranger, &party->venue, number);
	assert_true(sim_run_until(party->sim, is_up, stranger,
				  sim_now(party->sim) + sim_ms(3000)));
}

void stranger_joins(struct stranger *stranger, struct party *party, uint8_t number)
{
	stranger_connect(stranger, party, number);
	const struct message message = { .type = MESSAGE_HELLO,
					 .hello = stranger_hello(stranger) };
	stranger_says(stranger, &message);
	assert_int_equal(stranger->heard[MESSAGE_WELCOME], 1);
}

void stranger_says_bytes(struct stranger *stranger, const void *data, size_t len)
{
	assert_int_equal(stranger_writes(stranger, data, len), 0);
	party_run(party_of(stranger), 200);
}

void stranger_says_json(struct stranger *stranger, const char *json)
{
	assert_int_equal(stranger_writes_json(stranger, json), 0);
	party_run(party_of(stranger), 200);
}

void stranger_says(struct stranger *stranger, const struct message *message)
{
	struct message_frame frame;
	assert_int_equal(message_encode(message, &frame), 0);
	stranger_says_bytes(stranger, frame.data, frame.len);
	free(frame.data);
}

void stranger_sends_for(struct stranger *stranger, const uint8_t *data, size_t len,
			uint64_t ms)
{
	assert_int_equal(stranger_throws(stranger, data, len), 0);
	party_run(party_of(stranger), ms);
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
