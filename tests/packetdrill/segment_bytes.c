/* SPDX-License-Identifier: MIT */
/*
 * The bytes. What comes in is written option by option as the script has it, right or wrong;
 * what the stack has sent has to be a packet with right checksums between the two ends.
 */
#include "base/array.h"
#include "segment.h"
#include "wire/checksum.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define PAYLOAD_MAX 2048u

uint8_t segment_byte(uint32_t seq)
{
	return (uint8_t)('a' + seq % 26);
}

static void fill(uint8_t *data, uint32_t seq, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		data[i] = segment_byte(seq + i);
}

/* ---- in ---------------------------------------------------------------------------------- */

/* The live timestamp that the script calls so: the latest of that name. */
static uint32_t live_stamp(const struct flow *flow, uint32_t script)
{
	for (size_t i = flow->stamps_n; i-- > 0;) {
		if (flow->stamps[i].script == script)
			return flow->stamps[i].live;
	}
	return script;
}

static size_t emit_option(uint8_t *at, const struct segment_option *option,
			  const struct flow *flow)
{
	size_t len = 2;
	at[0] = option->kind;
	switch (option->kind) {
	case TCP_OPT_END:
	case TCP_OPT_NOP:
		return 1;
	case TCP_OPT_MSS:
		store_be16(at + len, (uint16_t)option->number[0]);
		len += 2;
		break;
	case TCP_OPT_WSCALE:
		at[len++] = (uint8_t)option->number[0];
		break;
	case TCP_OPT_TIMESTAMPS:
		store_be32(at + len, option->number[0]);
		store_be32(at + len + 4, live_stamp(flow, option->number[1]));
		len += 8;
		break;
	default:
		for (unsigned i = 0; i < option->n; i++, len += 4)
			store_be32(at + len, option->number[i] + flow->iss);
		break;
	}
	at[1] = (uint8_t)len;
	return len;
}

/* Returns how many bytes; -EMSGSIZE if they are too many, or no multiple of four. */
static int emit_options(const struct segment *s, const struct flow *flow,
			uint8_t ret_bytes[TCP_OPTIONS_MAX])
{
	uint8_t bytes[SEGMENT_OPTIONS_MAX * 34u] = { 0 };
	size_t len = 0;
	for (unsigned i = 0; i < s->options_n; i++)
		len += emit_option(bytes + len, &s->options[i], flow);
	if (len > TCP_OPTIONS_MAX || len % 4 != 0)
		return -EMSGSIZE;
	memcpy(ret_bytes, bytes, len);
	return (int)len;
}

static int emit_tcp(const struct segment *s, const struct flow *flow, uint8_t *buf,
		    size_t len)
{
	uint8_t options[TCP_OPTIONS_MAX], bytes[PAYLOAD_MAX];
	int options_len = emit_options(s, flow, options);
	if (options_len < 0 || s->len > PAYLOAD_MAX - 60)
		return -EMSGSIZE;
	struct tcp_hdr hdr = {
		.sport = flow->rport,
		.dport = flow->lport,
		.seq = s->seq,
		.ack = s->flags & TCP_ACK ? s->ack + flow->iss : s->ack,
		.flags = s->flags,
		.window = s->has_window ? s->window : 65535,
		.urgent = s->urgent,
		.options = options,
		.options_len = (uint8_t)options_len,
	};
	struct compose c = {
		.src = flow->remote,
		.dst = flow->local,
		.proto = IPPROTO_TCP,
		.tos = s->has_tos  ? s->tos
		       : s->is_ect ? 2
				   : s->ecn,
		.df = true,
		.csum_offset = TCP_OFF_CSUM,
	};
	int n = tcp_hdr_emit(bytes, sizeof(bytes), &hdr);
	if (n < 0)
		return n;
	fill(bytes + n, s->seq, s->len);
	return compose_ip(&c, bytes, (size_t)n + s->len, buf, len);
}

static int emit_udp(const struct segment *s, const struct flow *flow, uint8_t *buf,
		    size_t len)
{
	uint8_t data[PAYLOAD_MAX];
	struct compose c = {
		.src = flow->remote,
		.dst = flow->local,
		.sport = flow->rport,
		.dport = flow->lport,
		.tos = s->ecn,
	};
	if (s->len > sizeof(data))
		return -EMSGSIZE;
	fill(data, 0, s->len);
	return compose_udp(&c, data, s->len, buf, len);
}

/* The beginning of the packet that an error is about: from here to the other side. */
static int emit_quote(const struct segment *s, const struct flow *flow, uint8_t *buf,
		      size_t len)
{
	uint8_t header[ICMP_LEN], packet[PAYLOAD_MAX + 60];
	struct compose c = {
		.src = flow->local,
		.dst = flow->remote,
		.proto = s->quotes_udp ? IPPROTO_UDP : IPPROTO_TCP,
		.df = true,
	};
	/* As routers have to quote: eight bytes behind a header that tells the whole length. */
	size_t ip = flow->local.family == AF_INET ? IP4_LEN : IP6_LEN;
	size_t whole = (s->quotes_udp ? UDP_LEN : TCP_LEN) + s->len;
	static const uint8_t nothing[PAYLOAD_MAX];
	store_be16(header, flow->lport);
	store_be16(header + 2, flow->rport);
	store_be32(header + 4,
		   s->quotes_udp ? (uint32_t)(whole << 16) : s->seq + flow->iss);
	if (whole > sizeof(nothing))
		return -EMSGSIZE;
	int n = compose_ip(&c, nothing, whole, packet, sizeof(packet));
	if (n < 0 || len < ip + sizeof(header))
		return -EMSGSIZE;
	memcpy(buf, packet, ip);
	memcpy(buf + ip, header, sizeof(header));
	return (int)ip + (int)sizeof(header);
}

static int emit_icmp(const struct segment *s, const struct flow *flow, uint8_t *buf,
		     size_t len)
{
	uint8_t bytes[PAYLOAD_MAX];
	struct icmp_hdr hdr = { .type = s->type, .code = s->code, .rest = s->mtu };
	struct compose c = {
		.src = flow->remote,
		.dst = flow->local,
		.proto = flow->local.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.csum_offset = ICMP_OFF_CSUM,
	};
	int n = icmp_hdr_emit(bytes, sizeof(bytes), &hdr);
	int quoted = emit_quote(s, flow, bytes + ICMP_LEN, sizeof(bytes) - ICMP_LEN);
	if (n < 0 || quoted < 0)
		return -EMSGSIZE;
	return compose_ip(&c, bytes, (size_t)n + (size_t)quoted, buf, len);
}

int segment_emit(const struct segment *segment, const struct flow *flow, uint8_t *buf,
		 size_t len)
{
	switch (segment->kind) {
	case SEGMENT_TCP:
		return emit_tcp(segment, flow, buf, len);
	case SEGMENT_UDP:
		return emit_udp(segment, flow, buf, len);
	default:
		return emit_icmp(segment, flow, buf, len);
	}
}

/* ---- out --------------------------------------------------------------------------------- */

/* What is inside of an IP packet. */
struct inner {
	struct weft_ip src, dst;
	uint8_t proto, tos, ttl;
	const uint8_t *data;
	size_t len;
};

static bool read_ip4(const uint8_t *bytes, size_t len, struct inner *ret_inner)
{
	struct ip4_hdr hdr;
	int n = ip4_hdr_parse(bytes, len, &hdr);
	if (n < 0 || !checksum_is_right(0, bytes, (size_t)n))
		return false;
	*ret_inner = (struct inner){
		.src = { .family = AF_INET, .prefix = 32 },
		.dst = { .family = AF_INET, .prefix = 32 },
		.proto = hdr.proto,
		.tos = hdr.tos,
		.ttl = hdr.ttl,
		.data = bytes + n,
		.len = (size_t)hdr.total_len - (size_t)n,
	};
	memcpy(ret_inner->src.octet, bytes + IP4_OFF_SRC, 4);
	memcpy(ret_inner->dst.octet, bytes + IP4_OFF_DST, 4);
	return true;
}

static bool read_ip6(const uint8_t *bytes, size_t len, struct inner *ret_inner)
{
	struct ip6_hdr hdr;
	int n = ip6_hdr_parse(bytes, len, &hdr);
	if (n < 0)
		return false;
	*ret_inner = (struct inner){
		.src = { .family = AF_INET6, .prefix = 128 },
		.dst = { .family = AF_INET6, .prefix = 128 },
		.proto = hdr.next,
		.tos = hdr.tclass,
		.ttl = hdr.hop_limit,
		.data = bytes + n,
		.len = hdr.payload_len,
	};
	memcpy(ret_inner->src.octet, hdr.src.octet, 16);
	memcpy(ret_inner->dst.octet, hdr.dst.octet, 16);
	return true;
}

static bool same_host(const struct weft_ip *a, const struct weft_ip *b)
{
	return a->family == b->family && memcmp(a->octet, b->octet, 16) == 0;
}

static void read_option(const uint8_t *at, size_t len, struct segment_option *option)
{
	*option = (struct segment_option){ .kind = at[0] };
	if (at[0] == TCP_OPT_MSS && len == 4)
		option->number[option->n++] = load_be16(at + 2);
	else if (at[0] == TCP_OPT_WSCALE && len == 3)
		option->number[option->n++] = at[2];
	else
		for (size_t i = 2; i + 4 <= len && option->n < 8; i += 4)
			option->number[option->n++] = load_be32(at + i);
}

static bool read_options(const struct tcp_hdr *hdr, struct segment *s)
{
	const uint8_t *at = hdr->options;
	size_t left = hdr->options_len;
	while (left > 0 && s->options_n < SEGMENT_OPTIONS_MAX) {
		bool is_single = at[0] == TCP_OPT_END || at[0] == TCP_OPT_NOP;
		size_t len = is_single ? 1 : left > 1 ? at[1] : 0;
		if (len == 0 || len > left || (!is_single && len < 2))
			return false;
		read_option(at, len, &s->options[s->options_n++]);
		at += len;
		left -= len;
	}
	return left == 0;
}

static bool is_right_data(const uint8_t *data, uint32_t seq, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (data[i] != segment_byte(seq + i))
			return false;
	}
	return true;
}

static const char *read_tcp(const struct inner *inner, struct flow *flow,
			    struct segment *s)
{
	struct tcp_hdr hdr;
	int n = tcp_hdr_parse(inner->data, inner->len, &hdr);
	if (n < 0)
		return "a TCP header that is none";
	if (hdr.flags & TCP_SYN && !flow->knows_iss) {
		flow->iss = hdr.seq;
		flow->lport = hdr.sport;
		flow->knows_iss = true;
	}
	if (hdr.sport != flow->lport || hdr.dport != flow->rport)
		return "TCP between other ports";
	s->kind = SEGMENT_TCP;
	s->flags = hdr.flags;
	s->seq = hdr.seq - flow->iss;
	s->ack = hdr.ack;
	s->len = (uint32_t)(inner->len - (size_t)n);
	s->has_window = true;
	s->window = hdr.window;
	s->has_urgent = hdr.flags & TCP_URG;
	s->urgent = hdr.urgent;
	if (!read_options(&hdr, s))
		return "TCP options that are none";
	return is_right_data(inner->data + n, s->seq, s->len) ? NULL : "the wrong data";
}

static const char *read_udp(const struct inner *inner, struct flow *flow,
			    struct segment *s)
{
	struct udp_hdr hdr;
	if (udp_hdr_parse(inner->data, inner->len, &hdr) < 0)
		return "a UDP header that is none";
	if (flow->lport == 0)
		flow->lport = hdr.sport;
	if (hdr.sport != flow->lport || hdr.dport != flow->rport)
		return "UDP between other ports";
	s->kind = SEGMENT_UDP;
	s->len = hdr.len - UDP_LEN;
	return NULL;
}

static const char *read_icmp(const struct inner *inner, struct segment *s)
{
	struct icmp_hdr hdr;
	if (icmp_hdr_parse(inner->data, inner->len, &hdr) < 0)
		return "an ICMP header that is none";
	s->kind = SEGMENT_ICMP;
	s->type = hdr.type;
	s->code = hdr.code;
	s->mtu = hdr.rest;
	return NULL;
}

const char *segment_read(const uint8_t *bytes, size_t len, struct flow *flow,
			 struct segment *ret_segment)
{
	struct inner inner;
	*ret_segment = (struct segment){ 0 };
	if (!read_ip4(bytes, len, &inner) && !read_ip6(bytes, len, &inner))
		return "what is no IP packet";
	if (!same_host(&inner.src, &flow->local) || !same_host(&inner.dst, &flow->remote))
		return "a packet between other hosts";
	uint32_t pseudo =
		compose_pseudo(&inner.src, &inner.dst, inner.proto, (uint32_t)inner.len);
	if (!checksum_is_right(pseudo, inner.data, inner.len))
		return "a packet with a wrong checksum";
	ret_segment->has_ecn = true;
	ret_segment->ecn = inner.tos & 3;
	ret_segment->tos = inner.tos;
	ret_segment->ttl = inner.ttl;
	if (inner.proto == IPPROTO_TCP)
		return read_tcp(&inner, flow, ret_segment);
	if (inner.proto == IPPROTO_UDP)
		return read_udp(&inner, flow, ret_segment);
	return read_icmp(&inner, ret_segment);
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool same_option(const struct segment_option *want,
			const struct segment_option *sent)
{
	if (want->kind != sent->kind || want->n != sent->n)
		return false;
	/* The stack's own clock is its own; what it echoes is the script's. */
	unsigned first = want->kind == TCP_OPT_TIMESTAMPS ? 1 : 0;
	for (unsigned i = first; i < want->n; i++) {
		if (want->number[i] != sent->number[i])
			return false;
	}
	return true;
}

static void note_stamp(struct flow *flow, const struct segment_option *want,
		       const struct segment_option *sent)
{
	if (want->kind != TCP_OPT_TIMESTAMPS)
		return;
	if (flow->stamps_n == FLOW_STAMPS_MAX)
		flow->stamps_n = 0;
	flow->stamps[flow->stamps_n].script = want->number[0];
	flow->stamps[flow->stamps_n++].live = sent->number[0];
}

static const char *options_differ(const struct segment *want, const struct segment *sent,
				  struct flow *flow)
{
	if (want->has_any_options)
		return NULL;
	if (want->options_n != sent->options_n)
		return "the options";
	for (unsigned i = 0; i < want->options_n; i++) {
		if (!same_option(&want->options[i], &sent->options[i]))
			return "the options";
		note_stamp(flow, &want->options[i], &sent->options[i]);
	}
	return NULL;
}

static const char *tcp_differs(const struct segment *want, const struct segment *sent,
			       struct flow *flow)
{
	if (want->flags != sent->flags)
		return "the flags";
	if (want->seq != sent->seq)
		return "the sequence number";
	if (want->ack != sent->ack)
		return "the ACK";
	if (want->len != sent->len)
		return "the length";
	if (want->has_window && want->window != sent->window)
		return "the window";
	if (want->has_urgent && want->urgent != sent->urgent)
		return "the urgent pointer";
	return options_differ(want, sent, flow);
}

const char *segment_differs(const struct segment *want, const struct segment *sent,
			    struct flow *flow)
{
	if (want->kind != sent->kind)
		return "the protocol";
	if (want->is_ect ? sent->ecn != 1 && sent->ecn != 2
			 : want->has_ecn && want->ecn != sent->ecn)
		return "the ECN bits";
	if (want->has_tos && want->tos != sent->tos)
		return "the TOS";
	if (want->has_ttl && want->ttl != sent->ttl)
		return "the TTL";
	if (want->kind == SEGMENT_TCP)
		return tcp_differs(want, sent, flow);
	if (want->kind == SEGMENT_UDP)
		return want->len == sent->len ? NULL : "the length";
	if (want->type != sent->type || want->code != sent->code)
		return "the type and code";
	return want->mtu == sent->mtu ? NULL : "the MTU";
}
