/* SPDX-License-Identifier: MIT */
/*
 * Link control. A magic number that is our own coming back says that the line is looped
 * (RFC 1661, 6.4): it is refused, and if that goes on the negotiation ends by itself.
 */
#include "serve/lcp.h"

#include "base/container.h"

#include <string.h>

#define MAGIC_LEN 4u

static struct lcp *lcp_of(struct negotiation *n)
{
	return container_of(n, struct lcp, negotiation);
}

/* 0 is no magic number. */
static uint32_t new_magic(struct lcp *lcp)
{
	return (uint32_t)rng_below(&lcp->rng, UINT32_MAX) + 1;
}

static void lcp_begin(struct negotiation *n)
{
	lcp_of(n)->mru = PPP_MRU;
}

static enum negotiation_verdict judge_mru(struct lcp *lcp,
					  const struct ppp_option *option,
					  struct writer *nak)
{
	uint16_t mru = ppp_option_u16(option);
	if (mru < LCP_MRU_MIN) {
		ppp_option_put_u16(nak, LCP_MRU, PPP_MRU);
		return NEGOTIATION_NAK;
	}
	lcp->mru = mru < PPP_MRU ? mru : PPP_MRU;
	return NEGOTIATION_ACK;
}

static enum negotiation_verdict judge_magic(struct lcp *lcp,
					    const struct ppp_option *option,
					    struct writer *nak)
{
	uint32_t magic = ppp_option_u32(option);
	if (magic != 0 && magic != lcp->magic)
		return NEGOTIATION_ACK;
	ppp_option_put_u32(nak, LCP_MAGIC, new_magic(lcp));
	return NEGOTIATION_NAK;
}

static enum negotiation_verdict lcp_judge(struct negotiation *n,
					  const struct ppp_option *option,
					  struct writer *nak)
{
	switch (option->type) {
	case LCP_MRU:
		return judge_mru(lcp_of(n), option, nak);
	case LCP_MAGIC:
		return judge_magic(lcp_of(n), option, nak);
	case LCP_ACCM: /* The framing sees to it, when the Ack passes. */
		return option->len == sizeof(uint32_t) ? NEGOTIATION_ACK
						       : NEGOTIATION_REJECT;
	case LCP_PFC:
	case LCP_ACFC:
		return option->len == 0 ? NEGOTIATION_ACK : NEGOTIATION_REJECT;
	default:
		return NEGOTIATION_REJECT;
	}
}

static void lcp_request(struct negotiation *n, struct writer *options)
{
	struct lcp *lcp = lcp_of(n);
	if (lcp->asks_accm)
		ppp_option_put_u32(options, LCP_ACCM, lcp->accm);
	if (lcp->asks_auth)
		ppp_option_put_u16(options, LCP_AUTH, PPP_PAP);
	if (lcp->asks_magic)
		ppp_option_put_u32(options, LCP_MAGIC, lcp->magic);
}

/* A peer that would rather log in by another protocol need not log in. */
static void lcp_refused(struct negotiation *n, const struct ppp_option *option,
			bool is_reject)
{
	struct lcp *lcp = lcp_of(n);
	switch (option->type) {
	case LCP_ACCM:
		lcp->accm |= ppp_option_u32(option);
		lcp->asks_accm = lcp->asks_accm && !is_reject;
		break;
	case LCP_AUTH:
		lcp->asks_auth = false;
		break;
	case LCP_MAGIC:
		lcp->magic = new_magic(lcp);
		lcp->asks_magic = lcp->asks_magic && !is_reject;
		break;
	default:
		break;
	}
}

static void on_protocol_reject(struct lcp *lcp, const struct ppp_packet *packet,
			       uint64_t now)
{
	uint16_t protocol;
	if (ppp_hdr_parse(packet->data, packet->len, &protocol) == PPP_HDR_LEN)
		lcp->rejected(lcp->negotiation.user, protocol, now);
}

/* The data goes back behind our own magic number, or 0 if there is none. */
static void on_echo_request(struct lcp *lcp, const struct ppp_packet *packet,
			    uint64_t now)
{
	struct negotiation *n = &lcp->negotiation;
	uint8_t data[PPP_MRU - PPP_PACKET_LEN];
	struct writer w = writer_of(data, sizeof(data));
	if (packet->len < MAGIC_LEN)
		return;
	writer_u32(&w, lcp->asks_magic ? lcp->magic : 0);
	writer_bytes(&w, packet->data + MAGIC_LEN, packet->len - MAGIC_LEN);
	const struct ppp_packet reply = { PPP_ECHO_REPLY, packet->id, data, w.off };
	if (!w.bad)
		n->events->send(n->user, PPP_LCP, &reply, now);
}

/* Those that ask something of an open link are passed over before it is open. */
static bool lcp_extra(struct negotiation *n, const struct ppp_packet *packet,
		      uint64_t now)
{
	bool is_open = n->state == NEGOTIATION_OPENED;
	switch (packet->code) {
	case PPP_PROTOCOL_REJECT:
		if (is_open)
			on_protocol_reject(lcp_of(n), packet, now);
		return true;
	case PPP_ECHO_REQUEST:
		if (is_open)
			on_echo_request(lcp_of(n), packet, now);
		return true;
	case PPP_ECHO_REPLY:
	case PPP_DISCARD_REQUEST:
	case PPP_IDENTIFICATION:
	case PPP_TIME_REMAINING:
		return true;
	default:
		return false;
	}
}

static const struct negotiation_ops lcp_ops = {
	.protocol = PPP_LCP,
	.begin = lcp_begin,
	.judge = lcp_judge,
	.request = lcp_request,
	.refused = lcp_refused,
	.extra = lcp_extra,
};

void lcp_init(struct lcp *lcp, const struct negotiation_events *events, void *user,
	      uint64_t seed)
{
	*lcp = (struct lcp){ .mru = PPP_MRU };
	negotiation_init(&lcp->negotiation, &lcp_ops, events, user);
	rng_init(&lcp->rng, seed);
	lcp_reset(lcp);
}

void lcp_reset(struct lcp *lcp)
{
	lcp->asks_accm = lcp->asks_auth = lcp->asks_magic = true;
	lcp->accm = 0;
	lcp->magic = new_magic(lcp);
}

void lcp_reject_protocol(struct lcp *lcp, uint16_t protocol, const uint8_t *packet,
			 size_t len, uint64_t now)
{
	uint8_t data[PPP_MRU - PPP_PACKET_LEN];
	struct writer w = writer_of(data, sizeof(data));
	writer_u16(&w, protocol);
	writer_bytes(&w, packet, len < writer_left(&w) ? len : writer_left(&w));
	negotiation_send(&lcp->negotiation, PPP_PROTOCOL_REJECT, data, w.off, now);
}
