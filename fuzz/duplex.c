/* SPDX-License-Identifier: MIT */
/*
 * A peer of several lanes that says whatever it likes, at times that jump, while streams come and
 * go. The input is a list of steps, one byte each; what a step needs follows it. Control records
 * are made around the input's bytes, so that their text is reached at once.
 *
 *     clang -g -fsanitize=fuzzer,address,undefined -Iinclude -Isrc fuzz/duplex.c ...
 */
#include "tunnel/duplex.h"

#include "../tests/tunnel/fake_http.h"
#include "wire/tunnel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LANES 4u

static const uint8_t secret[16];

struct state {
	struct duplex duplex;
	struct http_stream tx[LANES], rx[LANES];
	uint8_t out[4096];
	uint64_t now;
	const uint8_t *data;
	size_t size;
};

static uint8_t next(struct state *s)
{
	if (s->size == 0)
		return 0;
	s->size--;
	return *s->data++;
}

/* The next few bytes of the input. */
static size_t some(struct state *s, const uint8_t **ret_data)
{
	size_t len = next(s);
	len = len < s->size ? len : s->size;
	*ret_data = s->data;
	s->data += len;
	s->size -= len;
	return len;
}

static void on_control(void *user, const char *text, size_t len, uint64_t now)
{
	struct state *s = user;
	assert(len >= TUNNEL_PACKET_MIN);
	if (text[len / 2] == '!')
		duplex_set_rx(&s->duplex, 0, &s->rx[0], now);
	if (text[len / 2] == '?')
		duplex_set_extended(&s->duplex, false);
}

/* A copy that ends where it ends, so that a read behind it is seen. */
static void input(struct state *s, unsigned lane, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + !len);
	assert(copy);
	memcpy(copy, data, len);
	duplex_input(&s->duplex, &s->rx[lane], copy, len, s->now);
	free(copy);
}

static void step_control(struct state *s, unsigned lane)
{
	uint8_t record[TUNNEL_LEN + 256];
	const uint8_t *text;
	size_t len = some(s, &text);
	int n = tunnel_control_emit(record, sizeof(record), (const char *)text, len);
	assert(n > 0);
	size_t cut = next(s) % (size_t)n;
	input(s, lane, record, cut);
	input(s, lane, record + cut, (size_t)n - cut);
}

static void step_stream(struct state *s, unsigned lane)
{
	const uint8_t *data;
	size_t len = some(s, &data);
	input(s, lane, data, len);
}

static void step_send(struct state *s)
{
	uint8_t bytes[WEFT_HEADROOM + 256];
	const uint8_t *data;
	struct weft_frame frame = { .data = bytes + WEFT_HEADROOM,
				    .headroom = WEFT_HEADROOM };
	frame.len = (uint32_t)some(s, &data);
	memcpy(frame.data, data, frame.len);
	weft_link_send(&s->duplex.link, &frame, 1, s->now);
}

static void step_output(struct state *s, unsigned lane)
{
	size_t room = 1u + next(s) * 16u;
	int n = duplex_output(&s->duplex, &s->tx[lane], s->out, room, s->now);
	assert(n <= (int)room);
}

static void step_lane(struct state *s, unsigned lane, unsigned how)
{
	lane %= s->duplex.lanes_n;
	if (how == 0)
		duplex_set_tx(&s->duplex, lane, &s->tx[lane], DUPLEX_LIFE_NS, s->now);
	else if (how == 1)
		duplex_set_rx(&s->duplex, lane, &s->rx[lane], s->now);
	else if (how == 2)
		(void)duplex_closed(&s->duplex, &s->tx[lane], s->now);
	else
		duplex_set_lanes(&s->duplex, 1 + next(s) % LANES);
}

static void step_time(struct state *s)
{
	static const uint64_t jumps[] = { 1000,       1000000,     100000000,
					  1000000000, 60000000000, UINT64_C(1) << 50 };
	s->now += jumps[next(s) % 6];
	duplex_tick(&s->duplex, s->now);
	struct duplex_health health = duplex_health(&s->duplex, s->now);
	assert(health.loss_permille <= 1000);
}

static void step(struct state *s)
{
	uint8_t what = next(s);
	unsigned lane = what >> 4 & 3u;
	switch (what & 7u) {
	case 0:
		step_control(s, lane);
		break;
	case 1:
		step_stream(s, lane);
		break;
	case 2:
		step_send(s);
		break;
	case 3:
		step_output(s, lane);
		break;
	case 4:
		step_lane(s, lane, what >> 6);
		break;
	case 5:
		step_time(s);
		break;
	default:
		duplex_set_extended(&s->duplex, what & 8u);
		break;
	}
	assert(s->duplex.outbox.control_n <= OUTBOX_CONTROL_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state *s = calloc(1, sizeof(*s));
	assert(s);
	s->data = data;
	s->size = size;
	s->now = 1000000000;
	duplex_init(&s->duplex, "fuzz",
		    next(s) & 1 ? WEFT_TUNNEL_IP : WEFT_TUNNEL_ETHERNET, secret);
	duplex_on_control(&s->duplex, on_control, s);
	duplex_set_extended(&s->duplex, true);
	duplex_set_lanes(&s->duplex, LANES);
	for (unsigned i = 0; i < LANES; i++) {
		duplex_set_tx(&s->duplex, i, &s->tx[i], DUPLEX_LIFE_NS, s->now);
		duplex_set_rx(&s->duplex, i, &s->rx[i], s->now);
	}
	while (s->size > 0)
		step(s);
	duplex_fini(&s->duplex);
	free(s);
	return 0;
}
