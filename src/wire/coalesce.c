/* SPDX-License-Identifier: MIT */
/*
 * Each frame takes three steps. It is classified: what is it, and is it plain enough to be
 * merged? Its flow is looked up among the few that are held, last used first, because
 * segments come in trains. Then it joins what is held of the flow, or that leaves and the
 * frame is held in its place, or goes its way.
 *
 *     held[0]     held[1]     ...     held[held_n - 1]  |  unused, with their memory
 *     last used                       first to leave    |
 *
 * What is held is the first frame as it came, with the payloads of the others behind it.
 * Only when it leaves are the lengths and the checksum written anew. The payload is summed
 * up while it is copied; if the sum is wrong the copy is forgotten and the frame passes, so
 * that the receiver finds and counts the mistake. 1400 bytes of TCP that join take 104 ns on
 * a Zen 3, 40 of them in that copy.
 */
#include "wire/coalesce.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A frame that came in. */
struct incoming {
	const struct weft_frame *frame;
	const uint8_t *ip; /* In the frame, as the next. */
	const uint8_t *transport;
	struct layout at;
	uint32_t payload_len;
};

/* A super-frame in the making. */
struct held {
	struct layout at;
	struct weft_offload offload; /* Of the first frame. */
	uint32_t addr_sum;           /* Pseudo header without the length. */
	uint32_t len;                /* Of the frame so far. */
	uint32_t count;
	uint16_t gso_size;
	uint16_t next_id;
	uint32_t next_seq;
	uint8_t *buf; /* WEFT_HEADROOM, then the frame. */
};

struct coalesce {
	struct coalesce_opts opts;
	uint64_t merged;
	unsigned held_n;
	struct weft_frame *out; /* Room for all that is held, and one more. */
	struct held **held;
};

#define BUF_LEN (WEFT_HEADROOM + WEFT_FRAME_LEN_MAX)

/* Longest IP packet, as its header can say it; the header is counted for IPv6 too. */
#define IP_LEN_MAX 65535u

int coalesce_new(const struct coalesce_opts *opts, struct coalesce **ret_coalesce)
{
	struct coalesce *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->opts = *opts;
	if (c->opts.flows_max == 0)
		c->opts.flows_max = COALESCE_FLOWS;
	c->out = calloc((size_t)c->opts.flows_max + 1, sizeof(*c->out));
	c->held = calloc(c->opts.flows_max, sizeof(struct held *));
	if (!c->out || !c->held) {
		coalesce_free(c);
		return -ENOMEM;
	}
	*ret_coalesce = c;
	return 0;
}

void coalesce_free(struct coalesce *c)
{
	if (!c)
		return;
	for (unsigned i = 0; c->held && i < c->opts.flows_max; i++) {
		if (c->held[i])
			free(c->held[i]->buf);
		free(c->held[i]);
	}
	free(c->held);
	free(c->out);
	free(c);
}

bool coalesce_is_pending(const struct coalesce *c)
{
	return c->held_n > 0;
}

uint64_t coalesce_merged(const struct coalesce *c)
{
	return c->merged;
}

/* Source and destination, which stand behind each other in both versions. */
static const uint8_t *addrs_of(const uint8_t *ip)
{
	return ip + (ip[IP4_OFF_VERSION] >> 4 == 4 ? IP4_OFF_SRC : IP6_OFF_SRC);
}

static size_t addrs_len(const struct layout *at)
{
	return at->version == 4 ? 8 : 2 * IP6_ADDR_LEN;
}

/*
 * Leaving: headers of a super-frame, and who goes when
 */

static void finish_ip(const struct held *h, uint8_t *ip)
{
	uint16_t len = (uint16_t)(h->len - h->at.ip_off);

	if (h->at.version == 4) {
		store_be16(ip + IP4_OFF_TOTAL_LEN, len);
		store_be16(ip + IP4_OFF_CSUM, 0);
		store_be16(ip + IP4_OFF_CSUM, checksum(ip, IP4_LEN));
	} else {
		store_be16(ip + IP6_OFF_PAYLOAD_LEN, (uint16_t)(len - IP6_LEN));
	}
}

/* What the receiver needs to take, or to cut, the whole (tcp_gro_complete and so on). */
static struct weft_offload finish_transport(const struct held *h, uint8_t *transport)
{
	bool is_tcp = h->at.proto == IPPROTO_TCP;
	uint8_t tcp_gso = h->at.version == 4 ? WEFT_GSO_TCP4 : WEFT_GSO_TCP6;
	uint16_t csum_offset = is_tcp ? TCP_OFF_CSUM : UDP_OFF_CSUM;
	uint16_t len = (uint16_t)(h->len - h->at.transport_off);

	if (!is_tcp)
		store_be16(transport + UDP_OFF_LEN, len);
	store_be16(transport + csum_offset, checksum_fold(h->addr_sum + len));
	return (struct weft_offload){
		.flags = WEFT_OFFLOAD_NEEDS_CSUM,
		.gso = is_tcp ? tcp_gso : WEFT_GSO_UDP,
		.hdr_len = h->at.payload_off,
		.gso_size = h->gso_size,
		.csum_start = h->at.transport_off,
		.csum_offset = csum_offset,
	};
}

/* The frame that h has become; it stays in h's memory. */
static struct weft_frame finish(const struct held *h)
{
	struct weft_frame frame = {
		.data = h->buf + WEFT_HEADROOM,
		.len = h->len,
		.headroom = WEFT_HEADROOM,
		.offload = h->offload,
	};

	if (h->count > 1) {
		finish_ip(h, frame.data + h->at.ip_off);
		frame.offload = finish_transport(h, frame.data + h->at.transport_off);
	}
	return frame;
}

/* Takes held[i] out of what is held; its memory becomes the first unused. */
static struct held *take_out(struct coalesce *c, unsigned i)
{
	struct held *h = c->held[i];

	for (c->held_n--; i < c->held_n; i++)
		c->held[i] = c->held[i + 1];
	c->held[i] = h;
	return h;
}

static void emit_held(struct coalesce *c, unsigned i)
{
	c->out[0] = finish(take_out(c, i));
	c->opts.emit(c->opts.user, c->out, 1);
}

/* Emits frame, and before it what is held at i, if anything. */
static void emit_after(struct coalesce *c, unsigned i, const struct weft_frame *frame)
{
	size_t n = 0;

	if (i < c->held_n)
		c->out[n++] = finish(take_out(c, i));
	c->out[n++] = *frame;
	c->opts.emit(c->opts.user, c->out, n);
}

void coalesce_flush(struct coalesce *c)
{
	size_t n = 0;

	while (c->held_n > 0)
		c->out[n++] = finish(c->held[--c->held_n]);
	if (n > 0)
		c->opts.emit(c->opts.user, c->out, n);
}

/*
 * Classifying
 */

enum kind {
	KIND_FOREIGN,  /* Has no part in any flow. */
	KIND_FRAGMENT, /* May be of any flow. */
	KIND_PASSING,  /* Of a flow, but not to be merged. */
	KIND_PLAIN,    /* May be merged. */
};

/*
 * A checksum has two spellings of zero, of which segment_cut writes 0 (and 0xffff in UDP).
 * Linux writes the other one where it completes a single TCP segment.
 */
static bool is_plain_csum(const uint8_t *field)
{
	return load_be16(field) != 0xffff;
}

static bool is_plain_ip(const struct incoming *in)
{
	uint32_t hdr_len = in->at.transport_off - in->at.ip_off;

	if (in->at.end - in->at.ip_off > IP_LEN_MAX)
		return false;
	if (in->at.version == 6)
		return hdr_len == IP6_LEN;
	return hdr_len == IP4_LEN && is_plain_csum(in->ip + IP4_OFF_CSUM) &&
	       checksum_is_right(0, in->ip, IP4_LEN);
}

/* A datagram without a checksum is left alone as Linux does (udp_gro_receive). */
static bool is_plain_transport(const struct incoming *in)
{
	const uint16_t never = TCP_SYN | TCP_RST | TCP_URG | TCP_CWR;
	uint16_t flags;

	if (in->at.proto == IPPROTO_UDP)
		return load_be16(in->transport + UDP_OFF_CSUM) != 0 &&
		       load_be16(in->transport + UDP_OFF_LEN) ==
			       UDP_LEN + in->payload_len;
	flags = load_be16(in->transport + TCP_OFF_FLAGS);
	return (flags & (never | TCP_ACK)) == TCP_ACK &&
	       is_plain_csum(in->transport + TCP_OFF_CSUM);
}

/* True if the output takes super-frames of this kind. */
static bool is_wanted(const struct coalesce *c, const struct layout *at)
{
	unsigned tso = at->version == 4 ? WEFT_LINK_TSO4 : WEFT_LINK_TSO6;

	return c->opts.link_flags & (at->proto == IPPROTO_TCP ? tso : WEFT_LINK_USO);
}

static enum kind classify(const struct coalesce *c, const struct weft_frame *frame,
			  struct incoming *in)
{
	const struct weft_offload *offload = &frame->offload;
	bool is_complete = offload->gso == WEFT_GSO_NONE &&
			   !(offload->flags & WEFT_OFFLOAD_NEEDS_CSUM);

	in->frame = frame;
	if (layout_find(frame->data, frame->len, c->opts.is_ip, &in->at) < 0)
		return KIND_FOREIGN;
	if (in->at.is_fragment)
		return KIND_FRAGMENT;
	if (in->at.proto != IPPROTO_TCP && in->at.proto != IPPROTO_UDP)
		return KIND_FOREIGN;
	in->ip = frame->data + in->at.ip_off;
	in->transport = frame->data + in->at.transport_off;
	in->payload_len = in->at.end - in->at.payload_off;
	if (!is_complete || !is_wanted(c, &in->at) || in->at.end != frame->len ||
	    in->payload_len == 0 || !is_plain_ip(in) || !is_plain_transport(in))
		return KIND_PASSING;
	return KIND_PLAIN;
}

/*
 * Merging
 */

/* The last of a super-frame: segment_cut puts FIN and PSH there. */
static bool ends_super(const struct incoming *in)
{
	return in->at.proto == IPPROTO_TCP &&
	       (load_be16(in->transport + TCP_OFF_FLAGS) & (TCP_FIN | TCP_PSH));
}

static bool ip_joins(const struct held *h, const uint8_t *first,
		     const struct incoming *in)
{
	const uint8_t *a = first + h->at.ip_off, *b = in->ip;

	if (h->at.version == 4)
		return load_be16(b + IP4_OFF_ID) == h->next_id &&
		       a[IP4_OFF_TOS] == b[IP4_OFF_TOS] &&
		       a[IP4_OFF_TTL] == b[IP4_OFF_TTL] &&
		       load_be16(a + IP4_OFF_FRAG) == load_be16(b + IP4_OFF_FRAG);
	return load_be32(a + IP6_OFF_FLOW) == load_be32(b + IP6_OFF_FLOW) &&
	       a[IP6_OFF_HOP_LIMIT] == b[IP6_OFF_HOP_LIMIT];
}

static bool tcp_joins(const struct held *h, const uint8_t *first,
		      const struct incoming *in)
{
	const uint8_t *a = first + h->at.transport_off, *b = in->transport;
	uint16_t changed = load_be16(a + TCP_OFF_FLAGS) ^ load_be16(b + TCP_OFF_FLAGS);

	return load_be32(b + TCP_OFF_SEQ) == h->next_seq &&
	       load_be32(a + TCP_OFF_ACK) == load_be32(b + TCP_OFF_ACK) &&
	       (changed & ~(TCP_FIN | TCP_PSH)) == 0 &&
	       load_be16(a + TCP_OFF_WINDOW) == load_be16(b + TCP_OFF_WINDOW) &&
	       load_be16(a + TCP_OFF_URGENT) == load_be16(b + TCP_OFF_URGENT) &&
	       memcmp(a + TCP_LEN, b + TCP_LEN,
		      h->at.payload_off - h->at.transport_off - TCP_LEN) == 0;
}

/*
 * True if in, which is of h's flow, is what comes next in it; its checksum is another matter.
 * Equal bytes up to the IP header and equal data offsets make all offsets equal.
 */
static bool joins(const struct held *h, const struct incoming *in)
{
	const uint8_t *first = h->buf + WEFT_HEADROOM;

	if (in->payload_len > h->gso_size ||
	    h->len - h->at.ip_off + in->payload_len > IP_LEN_MAX)
		return false;
	if (memcmp(first, in->frame->data, h->at.ip_off) != 0 || !ip_joins(h, first, in))
		return false;
	return h->at.proto == IPPROTO_UDP || tcp_joins(h, first, in);
}

/* Copies in's payload to dst. False if the checksum says that it, or its header, is damaged. */
static bool copy_payload(uint8_t *dst, const struct incoming *in, uint32_t addr_sum)
{
	const uint8_t *payload = in->frame->data + in->at.payload_off;
	uint32_t hdr_len = in->at.payload_off - in->at.transport_off;
	uint32_t sum;

	if (in->frame->offload.flags & WEFT_OFFLOAD_CSUM_VALID) {
		memcpy(dst, payload, in->payload_len);
		return true;
	}
	sum = checksum_add(addr_sum + hdr_len + in->payload_len, in->transport, hdr_len);
	return checksum_fold(checksum_copy(sum, dst, payload, in->payload_len)) == 0xffff;
}

/* Notes what may follow in. */
static void expect_after(struct held *h, const struct incoming *in)
{
	h->count++;
	if (h->at.version == 4)
		h->next_id = (uint16_t)(load_be16(in->ip + IP4_OFF_ID) + 1);
	if (h->at.proto == IPPROTO_TCP)
		h->next_seq = load_be32(in->transport + TCP_OFF_SEQ) + in->payload_len;
}

/* Puts in at the end of h. False, and h as it was, if in is damaged. */
static bool append(struct held *h, const struct incoming *in)
{
	uint8_t *first = h->buf + WEFT_HEADROOM;

	if (!copy_payload(first + h->len, in, h->addr_sum))
		return false;
	h->len += in->payload_len;
	if (h->at.proto == IPPROTO_TCP)
		memcpy(first + h->at.transport_off + TCP_OFF_FLAGS,
		       in->transport + TCP_OFF_FLAGS, 2);
	expect_after(h, in);
	return true;
}

/* Begins a super-frame with in. False if in is damaged. */
static bool begin(struct held *h, const struct incoming *in)
{
	uint32_t addr_sum =
		checksum_add(in->at.proto, addrs_of(in->ip), addrs_len(&in->at));
	uint8_t *first = h->buf + WEFT_HEADROOM;

	memcpy(first, in->frame->data, in->at.payload_off);
	if (!copy_payload(first + in->at.payload_off, in, addr_sum))
		return false;
	*h = (struct held){
		.at = in->at,
		.offload = in->frame->offload,
		.addr_sum = addr_sum,
		.len = in->frame->len,
		.gso_size = (uint16_t)in->payload_len,
		.buf = h->buf,
	};
	expect_after(h, in);
	return true;
}

static struct held *held_new(void)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->buf = malloc(BUF_LEN);
	if (!h->buf) {
		free(h);
		return NULL;
	}
	return h;
}

/* The first unused place, at held[held_n]; NULL without memory. */
static struct held *unused(struct coalesce *c)
{
	if (c->held_n == c->opts.flows_max)
		emit_held(c, c->held_n - 1);
	if (!c->held[c->held_n])
		c->held[c->held_n] = held_new();
	return c->held[c->held_n];
}

/* Makes held[i] (which may be the one behind the last) the last used. */
static void move_to_front(struct coalesce *c, unsigned i)
{
	struct held *h = c->held[i];

	for (; i > 0; i--)
		c->held[i] = c->held[i - 1];
	c->held[0] = h;
}

/* Holds in as the first of its flow, unless nothing could follow it. */
static void hold(struct coalesce *c, const struct incoming *in)
{
	struct held *h = ends_super(in) ? NULL : unused(c);

	if (!h || !begin(h, in)) {
		c->opts.emit(c->opts.user, in->frame, 1);
		return;
	}
	move_to_front(c, c->held_n++);
}

/* What may not be reordered: addresses, protocol and ports. */
static bool is_of_flow(const struct held *h, const struct incoming *in)
{
	const uint8_t *first = h->buf + WEFT_HEADROOM;
	const uint8_t *ip = first + h->at.ip_off;
	const uint8_t *transport = first + h->at.transport_off;

	return h->at.version == in->at.version && h->at.proto == in->at.proto &&
	       load_be32(transport) == load_be32(in->transport) &&
	       memcmp(addrs_of(ip), addrs_of(in->ip), addrs_len(&in->at)) == 0;
}

/* Where the flow is held; held_n if it is not. */
static unsigned find(const struct coalesce *c, const struct incoming *in)
{
	for (unsigned i = 0; i < c->held_n; i++) {
		if (is_of_flow(c->held[i], in))
			return i;
	}
	return c->held_n;
}

/* A frame that may be merged, and held[i] its flow, if any. */
static void push_plain(struct coalesce *c, unsigned i, const struct incoming *in)
{
	if (i < c->held_n) {
		struct held *h = c->held[i];

		if (joins(h, in) && append(h, in)) {
			c->merged++;
			move_to_front(c, i);
			if (ends_super(in) || in->payload_len < h->gso_size ||
			    h->count == COALESCE_SEGMENTS_MAX)
				emit_held(c, 0);
			return;
		}
		emit_held(c, i);
	}
	hold(c, in);
}

void coalesce_push(struct coalesce *c, const struct weft_frame *frame)
{
	struct incoming in;

	switch (classify(c, frame, &in)) {
	case KIND_PLAIN:
		push_plain(c, find(c, &in), &in);
		break;
	case KIND_PASSING:
		emit_after(c, find(c, &in), frame);
		break;
	case KIND_FRAGMENT:
		coalesce_flush(c);
		emit_after(c, c->held_n, frame);
		break;
	case KIND_FOREIGN:
		emit_after(c, c->held_n, frame);
		break;
	}
}
