/* SPDX-License-Identifier: MIT */
/*
 * The phases of a link (RFC 1661, 3.2), and what belongs to each.
 *
 *     DEAD --LCP opens--> LOGIN --PAP--> ADDRESS --has one--> NETWORK
 *      ^                    '-- or without -^                    |
 *      '---- LCP leaves Opened, for whatever reason <------------'
 *
 * IPCP begins with NETWORK, when there is an address to tell. What the peer has asked by then
 * is kept, the last packet of it, and answered at once instead of at its next try.
 *
 * The address is sought from the peer's first word on, whatever becomes of LCP: a game that
 * dials again finds its old one.
 */
#include "serve/ppp.h"

#include "base/array.h"
#include "base/mac.h"
#include "base/rng.h"
#include "serve/ipcp.h"
#include "serve/lcp.h"
#include "serve/ppp_address.h"
#include "service/dhcp_lease.h"
#include "wire/ether.h"
#include "wire/ppp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Longest IPCP packet that is kept while there is no address. */
#define HELD_MAX 128u

#define NAME_MAX_LEN 63u

enum phase { PHASE_DEAD, PHASE_LOGIN, PHASE_ADDRESS, PHASE_NETWORK };

struct ppp {
	struct weft_link link;
	struct ppp_opts opts;
	struct lcp lcp;
	struct ipcp ipcp;
	struct iphost host;
	struct ppp_address address;
	enum phase phase;
	uint64_t due;       /* When the phase has lasted too long. */
	const char *reason; /* Why we hang up; NULL: the peer does. */
	uint8_t held[HELD_MAX];
	size_t held_len;
	uint64_t counts[PPP_OUTCOMES];
};

const char *ppp_outcome_name(enum ppp_outcome outcome)
{
	static const char *const names[] = {
		[PPP_TAKEN] = "taken",
		[PPP_DROP_MALFORMED] = "drop-malformed",
		[PPP_DROP_UNEXPECTED] = "drop-unexpected",
		[PPP_DROP_PROTOCOL] = "drop-protocol",
	};
	static_assert(ARRAY_LEN(names) == PPP_OUTCOMES, "a name for each outcome");
	return names[outcome];
}

static struct ppp *ppp_of(struct weft_link *link)
{
	return (struct ppp *)(void *)link;
}

static void tell(struct ppp *p, enum ppp_event event, const char *text, uint64_t now)
{
	if (p->opts.told)
		p->opts.told(p->opts.user, &p->link, event, text, now);
}

/* ---- to the peer ------------------------------------------------------------------------- */

/* A frame under way: room for headers, the protocol, and what anybody takes. */
struct outgoing {
	uint8_t room[WEFT_HEADROOM];
	uint8_t data[PPP_HDR_LEN + PPP_MRU];
};

static void send_frame(struct ppp *p, struct outgoing *out, uint16_t protocol, size_t len,
		       uint64_t now)
{
	const struct weft_frame frame = { .data = out->data,
					  .len = (uint32_t)(PPP_HDR_LEN + len),
					  .headroom = WEFT_HEADROOM };
	int r = ppp_hdr_emit(out->data, PPP_HDR_LEN, protocol);
	assert(r == PPP_HDR_LEN);
	weft_link_send(p->link.inner, &frame, 1, now);
}

static void send_control(void *user, uint16_t protocol, const struct ppp_packet *packet,
			 uint64_t now)
{
	struct outgoing out;
	int len = ppp_packet_emit(out.data + PPP_HDR_LEN, PPP_MRU, packet);
	assert(len > 0); /* Whoever made it has kept to the MRU. */
	send_frame(user, &out, protocol, (size_t)len, now);
}

static void send_ip(void *user, const uint8_t *packet, size_t len, uint64_t now)
{
	struct outgoing out;
	assert(len <= PPP_MRU);
	memcpy(out.data + PPP_HDR_LEN, packet, len);
	send_frame(user, &out, PPP_IP4, len, now);
}

/* ---- phases ------------------------------------------------------------------------------ */

static void enter(struct ppp *p, enum phase phase, uint64_t due)
{
	p->phase = phase;
	p->due = due;
}

static void hang_up(struct ppp *p, const char *reason, uint64_t now)
{
	p->reason = reason;
	negotiation_fail(&p->lcp.negotiation, now);
}

static void open_network(struct ppp *p, uint64_t now)
{
	enter(p, PHASE_NETWORK, WEFT_NEVER);
	const struct ipcp_addresses addresses =
		ppp_address_told(&p->address, &p->host.place);
	ipcp_set_addresses(&p->ipcp, &addresses);
	negotiation_up(&p->ipcp.negotiation, now);
	if (p->held_len > 0)
		(void)negotiation_input(&p->ipcp.negotiation, p->held, p->held_len, now);
	p->held_len = 0;
}

static void logged_in(struct ppp *p, const char *name, uint64_t now)
{
	enter(p, PHASE_ADDRESS, now + PPP_ADDRESS_WAIT_NS);
	tell(p, PPP_LOGGED_IN, name, now);
	if (p->host.place.address)
		open_network(p, now);
}

static void timed_out(struct ppp *p, uint64_t now)
{
	hang_up(p,
		p->phase == PHASE_LOGIN ? "it has not said who it is"
					: "there is no address for it: no DHCP server "
					  "has answered",
		now);
}

/* ---- the address ------------------------------------------------------------------------- */

static void emit_frame(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct ppp *p = user;
	link_deliver(&p->link, frame, 1, now);
}

static void address_found(void *user, const struct iphost_place *place, uint64_t now)
{
	struct ppp *p = user;
	iphost_set_place(&p->host, place, now);
	if (p->phase == PHASE_ADDRESS)
		open_network(p, now);
}

static void address_lost(void *user, uint64_t now)
{
	struct ppp *p = user;
	iphost_set_place(&p->host, &(struct iphost_place){ 0 }, now);
	if (p->phase == PHASE_NETWORK)
		hang_up(p, "its address is another's now: the lease is over", now);
}

static const struct ppp_address_events address_events = {
	.emit_frame = emit_frame,
	.found = address_found,
	.lost = address_lost,
};

/* ---- what the layers tell ---------------------------------------------------------------- */

static void lcp_up(struct ppp *p, uint64_t now)
{
	p->reason = NULL;
	p->held_len = 0;
	if (p->lcp.asks_auth)
		enter(p, PHASE_LOGIN, now + PPP_LOGIN_WAIT_NS);
	else
		logged_in(p, "", now);
}

static void lcp_down(struct ppp *p, uint64_t now)
{
	bool has_ended = p->lcp.negotiation.state == NEGOTIATION_STOPPING;
	const char *reason = has_ended ? "" : "it begins anew";
	if (p->phase == PHASE_NETWORK)
		negotiation_down(&p->ipcp.negotiation, now);
	enter(p, PHASE_DEAD, WEFT_NEVER);
	tell(p, PPP_DOWN, p->reason ? p->reason : reason, now);
}

static void ipcp_up(struct ppp *p, uint64_t now)
{
	char text[WEFT_IP_TEXT];
	const struct weft_ip ip = dhcp_ip(p->host.place.address, p->host.place.prefix);
	iphost_set_peer(&p->host, p->lcp.mru);
	tell(p, PPP_UP, weft_ip_print(&ip, text), now);
}

static void layer_up(void *user, struct negotiation *n, uint64_t now)
{
	struct ppp *p = user;
	if (n == &p->lcp.negotiation)
		lcp_up(p, now);
	else
		ipcp_up(p, now);
}

static void layer_down(void *user, struct negotiation *n, uint64_t now)
{
	struct ppp *p = user;
	if (n == &p->lcp.negotiation)
		lcp_down(p, now);
	else
		iphost_set_peer(&p->host, 0);
}

static void layer_finished(void *user, struct negotiation *n, uint64_t now)
{
	struct ppp *p = user;
	if (n == &p->lcp.negotiation)
		lcp_reset(&p->lcp);
	else
		hang_up(p, "it does not want IPv4", now);
}

static void protocol_rejected(void *user, uint16_t protocol, uint64_t now)
{
	if (protocol == PPP_IPCP || protocol == PPP_IP4)
		hang_up(user, "it does not speak IPv4", now);
}

static const struct negotiation_events layer_events = {
	.up = layer_up,
	.down = layer_down,
	.finished = layer_finished,
	.send = send_control,
};

/* ---- from the peer ----------------------------------------------------------------------- */

static enum ppp_outcome outcome_of(int r)
{
	if (r == -EBADMSG)
		return PPP_DROP_MALFORMED;
	return r < 0 ? PPP_DROP_UNEXPECTED : PPP_TAKEN;
}

static enum ppp_outcome on_lcp(struct ppp *p, const uint8_t *data, size_t len,
			       uint64_t now)
{
	int r = negotiation_input(&p->lcp.negotiation, data, len, now);
	if (p->lcp.negotiation.state != NEGOTIATION_STOPPED)
		ppp_address_seek(&p->address, now);
	return outcome_of(r);
}

/* What can be printed of a name, for a log. */
static const char *name_of(const struct pap_request *request, char buf[NAME_MAX_LEN + 1])
{
	size_t n = request->name_len < NAME_MAX_LEN ? request->name_len : NAME_MAX_LEN;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = request->name[i];
		bool is_plain = c > ' ' && c < 0x7f;
		buf[i] = (char)(is_plain ? c : '?');
	}
	buf[n] = '\0';
	return buf;
}

/* Whoever it is may come in. Said again where the first answer was lost (RFC 1334, 2.2.1). */
static enum ppp_outcome on_pap(struct ppp *p, const uint8_t *data, size_t len,
			       uint64_t now)
{
	static const uint8_t no_message[] = { 0 };
	struct ppp_packet packet;
	struct pap_request request;
	char name[NAME_MAX_LEN + 1];
	if (ppp_packet_parse(data, len, &packet) < 0)
		return PPP_DROP_MALFORMED;
	if (packet.code != PAP_REQUEST || p->phase == PHASE_DEAD)
		return PPP_DROP_UNEXPECTED;
	if (pap_request_parse(packet.data, packet.len, &request) < 0)
		return PPP_DROP_MALFORMED;
	const struct ppp_packet ack = { PAP_ACK, packet.id, no_message,
					sizeof(no_message) };
	send_control(p, PPP_PAP, &ack, now);
	if (p->phase == PHASE_LOGIN)
		logged_in(p, name_of(&request, name), now);
	return PPP_TAKEN;
}

static enum ppp_outcome on_ipcp(struct ppp *p, const uint8_t *data, size_t len,
				uint64_t now)
{
	if (p->phase == PHASE_NETWORK)
		return outcome_of(
			negotiation_input(&p->ipcp.negotiation, data, len, now));
	if (p->phase != PHASE_ADDRESS || len > HELD_MAX)
		return PPP_DROP_UNEXPECTED;
	memcpy(p->held, data, len);
	p->held_len = len;
	return PPP_TAKEN;
}

static enum ppp_outcome on_ip4(struct ppp *p, const uint8_t *data, size_t len,
			       uint64_t now)
{
	if (p->ipcp.negotiation.state != NEGOTIATION_OPENED)
		return PPP_DROP_UNEXPECTED;
	iphost_from_peer(&p->host, data, len, now);
	return PPP_TAKEN;
}

static enum ppp_outcome on_frame(struct ppp *p, const struct weft_frame *frame,
				 uint64_t now)
{
	uint16_t protocol;
	int off = ppp_hdr_parse(frame->data, frame->len, &protocol);
	if (off < 0)
		return PPP_DROP_MALFORMED;
	const uint8_t *data = frame->data + off;
	size_t len = frame->len - (size_t)off;
	switch (protocol) {
	case PPP_LCP:
		return on_lcp(p, data, len, now);
	case PPP_PAP:
		return on_pap(p, data, len, now);
	case PPP_IPCP:
		return on_ipcp(p, data, len, now);
	case PPP_IP4:
		return on_ip4(p, data, len, now);
	default: /* RFC 1661, 3.5: before the login, without a word. */
		if (p->phase == PHASE_ADDRESS || p->phase == PHASE_NETWORK)
			lcp_reject_protocol(&p->lcp, protocol, data, len, now);
		return PPP_DROP_PROTOCOL;
	}
}

static void ppp_received(void *user, struct weft_link *inner,
			 const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct ppp *p = user;
	(void)inner;
	for (size_t i = 0; i < n; i++) {
		enum ppp_outcome outcome = on_frame(p, &frames[i], now);
		p->counts[outcome]++;
		if (outcome == PPP_DROP_MALFORMED)
			p->link.stats.rx_errors++;
	}
}

/* ---- the Ethernet ------------------------------------------------------------------------ */

static const struct iphost_events host_events = {
	.emit_frame = emit_frame,
	.emit_packet = send_ip,
};

static size_t ppp_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
		       uint64_t now)
{
	struct ppp *p = ppp_of(link);
	for (size_t i = 0; i < n; i++) {
		if (!ppp_address_input(&p->address, &frames[i], now))
			iphost_from_ether(&p->host, &frames[i], now);
	}
	return n;
}

/* ---- life -------------------------------------------------------------------------------- */

static void ppp_run(struct weft_link *link, uint64_t now)
{
	struct ppp *p = ppp_of(link);
	ppp_address_run(&p->address, now);
	negotiation_run(&p->lcp.negotiation, now);
	negotiation_run(&p->ipcp.negotiation, now);
	if (now >= p->due)
		timed_out(p, now);
	iphost_run(&p->host, now);
}

static uint64_t ppp_deadline(const struct weft_link *link)
{
	const struct ppp *p = (const struct ppp *)(const void *)link;
	const uint64_t all[] = {
		p->due,
		p->lcp.negotiation.due,
		p->ipcp.negotiation.due,
		iphost_deadline(&p->host),
		ppp_address_deadline(&p->address),
	};
	uint64_t first = WEFT_NEVER;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		first = all[i] < first ? all[i] : first;
	return first;
}

static void ppp_free(struct weft_link *link)
{
	struct ppp *p = ppp_of(link);
	link_fini(link);
	iphost_fini(&p->host);
	ppp_address_fini(&p->address);
	free(p);
}

static const struct link_ops ppp_ops = {
	.run = ppp_run,
	.deadline = ppp_deadline,
	.send = ppp_send,
	.free = ppp_free,
};

/* A number of 48 bits as the address of one host, locally administered. */
static struct weft_mac make_mac(struct rng *rng)
{
	struct weft_mac mac = mac_from_u64(rng_u64(rng));
	mac.octet[0] = (uint8_t)((mac.octet[0] & 0xfc) | 0x02);
	return mac;
}

static void set_up_link(struct ppp *p, struct weft_link *inner)
{
	link_init_wrapper(&p->link, &ppp_ops, inner, ppp_received);
	p->link.caps = (struct weft_link_caps){ .frame_len_max = ETHER_LEN + IPHOST_MTU };
	p->link.mac = p->host.mac;
	p->link.has_mac = true;
}

int ppp_new(const struct ppp_opts *opts, struct weft_link *inner,
	    struct weft_link **ret_link)
{
	struct rng rng;
	if (!(inner->caps.flags & WEFT_LINK_PPP) || !ppp_address_is_sound(opts))
		return -EINVAL;
	struct ppp *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	rng_init(&rng, opts->seed);
	p->opts = *opts;
	p->due = WEFT_NEVER;
	iphost_init(&p->host, &host_events, p,
		    mac_is_zero(opts->mac) ? make_mac(&rng) : opts->mac);
	if (ppp_address_init(&p->address, &p->opts, p->host.mac, &rng) < 0) {
		free(p);
		return -ENOMEM;
	}
	p->address.events = &address_events;
	p->address.user = p;
	p->opts.hostname = NULL;
	lcp_init(&p->lcp, &layer_events, p, rng_u64(&rng));
	p->lcp.rejected = protocol_rejected;
	ipcp_init(&p->ipcp, &layer_events, p);
	negotiation_wait(&p->lcp.negotiation);
	set_up_link(p, inner);
	*ret_link = &p->link;
	return 0;
}

uint64_t ppp_count(const struct weft_link *link, enum ppp_outcome outcome)
{
	return ((const struct ppp *)(const void *)link)->counts[outcome];
}

const struct iphost *ppp_host(const struct weft_link *link)
{
	return &((const struct ppp *)(const void *)link)->host;
}
