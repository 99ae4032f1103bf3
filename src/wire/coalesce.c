/* SPDX-License-Identifier: MIT */
/*
 * Each frame takes three steps. It is classified: what is it, and is it plain enough to be
 * merged? Its flow is looked up among the few that are held, last used first, because
 * segments come in trains. Then it joins what is held of the flow, or that leaves and the
 * frame is held in its place, or goes its way.
 *
 *     held[0]     held[1]     ...     held[held_n - 1]  |  unused, with their memory
 *     last used                       first to leave    |
 */
#include "wire/coalesce.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/superframe.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct coalesce {
	struct coalesce_opts opts;
	uint64_t merged;
	unsigned held_n;
	struct weft_frame *out; /* Room for all that is held, and one more. */
	struct superframe **held;
};

int coalesce_new(const struct coalesce_opts *opts, struct coalesce **ret_coalesce)
{
	struct coalesce *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->opts = *opts;
	if (c->opts.flows_max == 0)
		c->opts.flows_max = COALESCE_FLOWS;
	c->out = calloc((size_t)c->opts.flows_max + 1, sizeof(*c->out));
	c->held = calloc(c->opts.flows_max, sizeof(struct superframe *));
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
	for (unsigned i = 0; c->held && i < c->opts.flows_max; i++)
		superframe_free(c->held[i]);
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

/* ---- leaving ----------------------------------------------------------------------------- */

/* Takes held[i] out of what is held; its memory becomes the first unused. */
static struct superframe *take_out(struct coalesce *c, unsigned i)
{
	struct superframe *h = c->held[i];

	for (c->held_n--; i < c->held_n; i++)
		c->held[i] = c->held[i + 1];
	c->held[i] = h;
	return h;
}

static void emit_held(struct coalesce *c, unsigned i)
{
	c->out[0] = superframe_finish(take_out(c, i));
	c->opts.emit(c->opts.user, c->out, 1);
}

/* Emits frame, and before it what is held at i, if anything. */
static void emit_after(struct coalesce *c, unsigned i, const struct weft_frame *frame)
{
	size_t n = 0;

	if (i < c->held_n)
		c->out[n++] = superframe_finish(take_out(c, i));
	c->out[n++] = *frame;
	c->opts.emit(c->opts.user, c->out, n);
}

void coalesce_flush(struct coalesce *c)
{
	size_t n = 0;

	while (c->held_n > 0)
		c->out[n++] = superframe_finish(c->held[--c->held_n]);
	if (n > 0)
		c->opts.emit(c->opts.user, c->out, n);
}

/* ---- classifying ------------------------------------------------------------------------- */

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

static bool is_plain_ip(const struct superframe_segment *in)
{
	uint32_t hdr_len = in->at.transport_off - in->at.ip_off;

	if (in->at.end - in->at.ip_off > SUPERFRAME_IP_LEN_MAX)
		return false;
	if (in->at.version == 6)
		return hdr_len == IP6_LEN;
	return hdr_len == IP4_LEN && is_plain_csum(in->ip + IP4_OFF_CSUM) &&
	       checksum_is_right(0, in->ip, IP4_LEN);
}

/* A datagram without a checksum is left alone as Linux does (udp_gro_receive). */
static bool is_plain_transport(const struct superframe_segment *in)
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
			  struct superframe_segment *in)
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

/* ---- merging ----------------------------------------------------------------------------- */

/* The first unused place, at held[held_n]; NULL without memory. */
static struct superframe *unused(struct coalesce *c)
{
	if (c->held_n == c->opts.flows_max)
		emit_held(c, c->held_n - 1);
	if (!c->held[c->held_n])
		c->held[c->held_n] = superframe_new();
	return c->held[c->held_n];
}

/* Makes held[i] (which may be the one behind the last) the last used. */
static void move_to_front(struct coalesce *c, unsigned i)
{
	struct superframe *h = c->held[i];

	for (; i > 0; i--)
		c->held[i] = c->held[i - 1];
	c->held[0] = h;
}

/* Holds in as the first of its flow, unless nothing could follow it. */
static void hold(struct coalesce *c, const struct superframe_segment *in)
{
	struct superframe *h = superframe_is_last(in) ? NULL : unused(c);

	if (!h || !superframe_begin(h, in)) {
		c->opts.emit(c->opts.user, in->frame, 1);
		return;
	}
	move_to_front(c, c->held_n++);
}

/* Where the flow is held; held_n if it is not. */
static unsigned find(const struct coalesce *c, const struct superframe_segment *in)
{
	for (unsigned i = 0; i < c->held_n; i++) {
		if (superframe_is_of_flow(c->held[i], in))
			return i;
	}
	return c->held_n;
}

/* A frame that may be merged, and held[i] its flow, if any. */
static void push_plain(struct coalesce *c, unsigned i,
		       const struct superframe_segment *in)
{
	if (i < c->held_n) {
		struct superframe *h = c->held[i];

		if (superframe_append(h, in)) {
			c->merged++;
			move_to_front(c, i);
			if (superframe_is_whole(h, in))
				emit_held(c, 0);
			return;
		}
		emit_held(c, i);
	}
	hold(c, in);
}

void coalesce_push(struct coalesce *c, const struct weft_frame *frame)
{
	struct superframe_segment in;

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
