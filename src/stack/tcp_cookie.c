/* SPDX-License-Identifier: MIT */
/*
 * The MSS is rounded down to one of eight that are common. A window scale of 15, which no
 * option can say, stands for none.
 */
#include "stack/tcp_cookie.h"

#include "base/array.h"
#include "base/time.h"
#include "stack/tcp.h"

#define PERIOD_NS   (60 * NS_PER_S)
#define HASH_MASK   0xffffffu
#define MSS_SHIFT   24u
#define TIME_SHIFT  27u
#define TIME_MASK   31u
#define TS_MASK     63u
#define TS_SACK     0x10u
#define TS_ECN      0x20u
#define WSCALE_MASK 0x0fu
#define WSCALE_NONE 15u

static const uint16_t sizes[] = { 88, 536, 1220, 1360, 1440, 1460, 4312, 8960 };

static uint32_t hash_of(const struct tcp *tcp, const struct tcp_flow *flow, uint32_t irs,
			uint32_t top)
{
	struct {
		struct tcp_flow flow;
		uint32_t irs, top;
	} input = { .flow = *flow, .irs = irs, .top = top };
	return (uint32_t)hash_bytes(tcp->secret, &input, sizeof(input)) & HASH_MASK;
}

static uint32_t size_index(uint16_t mss)
{
	uint32_t i = ARRAY_LEN(sizes) - 1;
	while (i > 0 && sizes[i] > mss)
		i--;
	return i;
}

/* The SYN,ACK's timestamp, with the options in its last bits; never later than now. */
static uint32_t timestamp_of(const struct tcp_syn *syn, uint64_t now)
{
	uint32_t clock = (uint32_t)(now / NS_PER_MS) + syn->ts_offset;
	uint32_t bits = syn->has_wscale ? syn->wscale_peer : WSCALE_NONE;
	bits |= (syn->has_sack ? TS_SACK : 0) | (syn->has_ecn ? TS_ECN : 0);
	uint32_t value = (clock & ~TS_MASK) | bits;
	return seq_after(value, clock) ? value - TS_MASK - 1 : value;
}

void tcp_cookie_answer(struct tcp_syn *syn, uint64_t now)
{
	struct tcp_listener *listener = syn->listener;
	uint32_t minutes = (uint32_t)(now / PERIOD_NS) & TIME_MASK;
	uint32_t top = minutes << TIME_SHIFT | size_index(syn->mss_peer) << MSS_SHIFT;
	syn->iss = top | hash_of(listener->tcp, &syn->node.flow, syn->irs, top);
	if (syn->has_timestamps) {
		/* tcp_syn_answer adds the clock that is taken off here. */
		syn->ts_offset = timestamp_of(syn, now) - (uint32_t)(now / NS_PER_MS);
	} else {
		syn->has_wscale = syn->has_sack = syn->has_ecn = false;
	}
	listener->cookie_ns = now;
	tcp_count(listener->tcp, TCP_COUNT_COOKIES_SENT);
	tcp_syn_answer(syn, now);
}

static void read_options(struct tcp_syn *syn, const struct tcp_opts *opts)
{
	syn->has_timestamps = opts->has_timestamps;
	if (!opts->has_timestamps)
		return;
	syn->ts_recent = opts->ts_val;
	syn->wscale_peer = opts->ts_ecr & WSCALE_MASK;
	syn->has_wscale = syn->wscale_peer <= TCP_WSCALE_MAX;
	syn->has_sack = (opts->ts_ecr & TS_SACK) != 0;
	syn->has_ecn = (opts->ts_ecr & TS_ECN) != 0;
}

bool tcp_cookie_read(struct tcp_listener *listener, const struct tcp_rx *rx, uint64_t now,
		     struct tcp_syn *ret_syn)
{
	uint32_t cookie = rx->hdr.ack - 1, irs = rx->hdr.seq - 1;
	uint32_t minutes = (uint32_t)(now / PERIOD_NS) & TIME_MASK;
	uint32_t age = (minutes - (cookie >> TIME_SHIFT)) & TIME_MASK;
	bool is_believed = listener->cookie_ns != 0 &&
			   now - listener->cookie_ns < 2 * PERIOD_NS && age <= 1;
	if (!is_believed || (cookie & HASH_MASK) != hash_of(listener->tcp, &rx->flow, irs,
							    cookie & ~HASH_MASK))
		return false;
	struct tcp_rx as_syn = *rx;
	as_syn.hdr.seq = irs;
	*ret_syn = tcp_syn_of(listener, &as_syn, now);
	ret_syn->iss = cookie;
	ret_syn->mss_peer = sizes[(cookie >> MSS_SHIFT) % ARRAY_LEN(sizes)];
	ret_syn->has_wscale = ret_syn->has_sack = ret_syn->has_ecn = false;
	ret_syn->sent_ns = now;
	ret_syn->retries = 1; /* When it was sent is not known: no sample. */
	read_options(ret_syn, &rx->opts);
	return true;
}
