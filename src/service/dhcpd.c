/* SPDX-License-Identifier: MIT */
/*
 * The table of leases is indexed by host number and made with the first of them: most rooms
 * have members that need none. New clients get addresses from the top, because those whose
 * numbers come from elsewhere (a relay's offers) have them from the bottom.
 */
#include "service/dhcpd.h"

#include "base/mac.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_S      3600u
#define OFFER_NS     (60 * NS_PER_S)
#define DECLINE_NS   (600 * NS_PER_S)
#define MASK         0xffffff00u
#define BROADCAST_IP UINT32_MAX

/* Free once its time is over. */
struct lease {
	struct weft_mac mac; /* zero: declined by somebody, for nobody */
	uint64_t until;
};

struct dhcpd {
	struct dhcpd_opts opts;
	struct dns_name domain; /* len 0: none */
	struct lease *leases;   /* by host number; NULL until there is one */
	uint32_t lease_s;       /* of those that are given now */
	uint64_t counts[DHCPD_OUTCOMES];
};

const char *dhcpd_outcome_name(enum dhcpd_outcome outcome)
{
	static const char *const names[] = {
		[DHCPD_NOT_DHCP] = "not-dhcp",
		[DHCPD_OFFERED] = "offered",
		[DHCPD_ACKED] = "acked",
		[DHCPD_REFUSED] = "refused",
		[DHCPD_FREED] = "freed",
		[DHCPD_DECLINED] = "declined",
		[DHCPD_DEFERRED] = "deferred",
		[DHCPD_IGNORED] = "ignored",
		[DHCPD_DROP_MALFORMED] = "drop-malformed",
		[DHCPD_DROP_SPOOFED] = "drop-spoofed",
		[DHCPD_DROP_FULL] = "drop-full",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == DHCPD_OUTCOMES,
		      "each outcome has a name");
	return outcome < DHCPD_OUTCOMES ? names[outcome] : "unknown";
}

int dhcpd_new(const struct dhcpd_opts *opts, struct dhcpd **ret_dhcpd)
{
	struct dhcpd *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->opts = *opts;
	if (d->opts.lease_s == 0)
		d->opts.lease_s = LEASE_S;
	d->lease_s = d->opts.lease_s;
	if (opts->domain && (dns_name_of_text(opts->domain, &d->domain) < 0 ||
			     d->domain.len > DHCP_DOMAIN_LEN_MAX))
		d->domain.len = 0;
	d->opts.domain = NULL;
	*ret_dhcpd = d;
	return 0;
}

void dhcpd_set_lease(struct dhcpd *d, uint32_t lease_s)
{
	d->lease_s = lease_s ? lease_s : d->opts.lease_s;
}

void dhcpd_free(struct dhcpd *d)
{
	if (!d)
		return;
	free(d->leases);
	free(d);
}

/* ---- whose address ----------------------------------------------------------------------- */

bool dhcpd_has_leased(const struct dhcpd *d, uint8_t host, uint64_t now)
{
	return d->leases && host <= DHCPD_HOST_MAX && now < d->leases[host].until;
}

/* The host number of an address of our network that a client can have; 0 for no such. */
static uint8_t host_of_address(const struct dhcpd *d, uint32_t address)
{
	uint8_t host = (uint8_t)(address & ~MASK);
	return (address & MASK) == d->opts.network && host <= DHCPD_HOST_MAX ? host : 0;
}

static bool is_taken(const struct dhcpd *d, uint8_t host)
{
	return d->opts.is_taken && d->opts.is_taken(d->opts.user, host);
}

static uint8_t find_lease(const struct dhcpd *d, struct weft_mac mac, uint64_t now)
{
	for (uint8_t host = 1; d->leases && host <= DHCPD_HOST_MAX; host++)
		if (dhcpd_has_leased(d, host, now) && mac_equal(d->leases[host].mac, mac))
			return host;
	return 0;
}

/* The number that a client is to have: its own, its lease's, what it asks for, any. 0: none. */
static uint8_t choose_host(const struct dhcpd *d, struct weft_mac mac, uint32_t wanted,
			   uint64_t now)
{
	uint8_t host = d->opts.host_of ? d->opts.host_of(d->opts.user, mac) : 0;
	if (host == 0)
		host = find_lease(d, mac, now);
	if (host != 0)
		return host;
	host = host_of_address(d, wanted);
	if (host != 0 && !dhcpd_has_leased(d, host, now) && !is_taken(d, host))
		return host;
	for (host = DHCPD_HOST_MAX; host > 0; host--)
		if (!dhcpd_has_leased(d, host, now) && !is_taken(d, host))
			return host;
	return 0;
}

static int lease(struct dhcpd *d, uint8_t host, struct weft_mac mac, uint64_t until)
{
	if (!d->leases)
		d->leases = calloc(DHCPD_HOST_MAX + 1, sizeof(*d->leases));
	if (!d->leases)
		return -ENOMEM;
	d->leases[host] = (struct lease){ .mac = mac, .until = until };
	return 0;
}

uint32_t dhcpd_lease(const struct dhcpd *d, uint8_t host, uint64_t now,
		     struct weft_mac *ret_mac)
{
	if (!dhcpd_has_leased(d, host, now) || mac_is_zero(d->leases[host].mac))
		return 0;
	*ret_mac = d->leases[host].mac;
	return (uint32_t)((d->leases[host].until - now) / NS_PER_S);
}

int dhcpd_restore(struct dhcpd *d, uint8_t host, struct weft_mac mac, uint64_t until)
{
	if (host == 0 || host > DHCPD_HOST_MAX)
		return -EINVAL;
	return lease(d, host, mac, until);
}

/* ---- messages ---------------------------------------------------------------------------- */

/* What is being answered, and with what. */
struct exchange {
	const struct dhcp_msg *request;
	struct dhcp_msg reply; /* type 0: none */
	uint64_t now;
};

static uint32_t own_address(const struct dhcpd *d)
{
	return d->opts.network | DHCPD_HOST_SERVER;
}

static void reply_begin(const struct dhcpd *d, struct exchange *x, enum dhcp_type type)
{
	x->reply = (struct dhcp_msg){ .op = DHCP_OP_REPLY,
				      .type = (uint8_t)type,
				      .xid = x->request->xid,
				      .broadcast = x->request->broadcast,
				      .chaddr = x->request->chaddr,
				      .server_id = own_address(d) };
}

static bool is_asked(const struct exchange *x, uint8_t option)
{
	return memchr(x->request->params, option, x->request->params_n) != NULL;
}

static void reply_names(const struct dhcpd *d, struct exchange *x)
{
	char text[DNS_NAME_TEXT];
	if (d->domain.len == 0)
		return;
	if (is_asked(x, DHCP_OPT_DOMAIN))
		(void)snprintf(x->reply.domain, sizeof(x->reply.domain), "%s",
			       dns_name_print(&d->domain, text));
	if (is_asked(x, DHCP_OPT_DNS_SELECTION)) {
		x->reply.domain_dns = own_address(d);
		x->reply.domain_dns_domain = d->domain;
	}
}

static void reply_facts(const struct dhcpd *d, struct exchange *x)
{
	reply_names(d, x);
	x->reply.subnet_mask = MASK;
	x->reply.broadcast_addr = d->opts.network | 0xff;
	x->reply.mtu = d->opts.mtu;
}

static void reply_address(const struct dhcpd *d, struct exchange *x, uint8_t host)
{
	reply_facts(d, x);
	x->reply.yiaddr = d->opts.network | host;
	x->reply.lease_s = d->lease_s;
	x->reply.renewal_s = d->lease_s / 2;
	x->reply.rebinding_s = d->lease_s / 8 * 7;
}

/* An offer takes nothing away: who has the address already, has it for as long as before. */
static int offer(struct dhcpd *d, uint8_t host, struct weft_mac mac, uint64_t now)
{
	const uint64_t until = now + OFFER_NS;
	const bool is_held =
		dhcpd_has_leased(d, host, until) && mac_equal(d->leases[host].mac, mac);
	return is_held ? 0 : lease(d, host, mac, until);
}

static enum dhcpd_outcome on_discover(struct dhcpd *d, struct exchange *x)
{
	const struct dhcp_msg *request = x->request;
	uint8_t host = choose_host(d, request->chaddr, request->requested_ip, x->now);
	if (host == 0 || offer(d, host, request->chaddr, x->now) < 0)
		return DHCPD_DROP_FULL;
	reply_begin(d, x, DHCP_OFFER);
	reply_address(d, x, host);
	return DHCPD_OFFERED;
}

static enum dhcpd_outcome refuse(const struct dhcpd *d, struct exchange *x)
{
	reply_begin(d, x, DHCP_NAK);
	return DHCPD_REFUSED;
}

/*
 * SELECTING names us and repeats our offer, INIT-REBOOT asks for an address by option,
 * RENEWING and REBINDING have one (RFC 2131, 4.3.2). We are the room's only server, so all
 * of them hear if it is another's or of another network.
 */
static enum dhcpd_outcome on_request(struct dhcpd *d, struct exchange *x)
{
	const struct dhcp_msg *request = x->request;
	uint32_t wanted = request->ciaddr ? request->ciaddr : request->requested_ip;
	uint8_t host = choose_host(d, request->chaddr, wanted, x->now);
	if (request->server_id && request->server_id != own_address(d))
		return DHCPD_IGNORED;
	if (host == 0 || wanted != (d->opts.network | host))
		return refuse(d, x);
	if (lease(d, host, request->chaddr, x->now + d->lease_s * NS_PER_S) < 0)
		return DHCPD_DROP_FULL;
	reply_begin(d, x, DHCP_ACK);
	reply_address(d, x, host);
	x->reply.ciaddr = request->ciaddr;
	return DHCPD_ACKED;
}

/* The host number of an address that the client holds; 0 for none. */
static uint8_t held_host(const struct dhcpd *d, const struct exchange *x,
			 uint32_t address)
{
	uint8_t host = host_of_address(d, address);
	return host != 0 && find_lease(d, x->request->chaddr, x->now) == host ? host : 0;
}

static enum dhcpd_outcome on_decline(struct dhcpd *d, const struct exchange *x)
{
	uint8_t host = held_host(d, x, x->request->requested_ip);
	if (host == 0)
		return DHCPD_IGNORED;
	d->leases[host] = (struct lease){ .until = x->now + DECLINE_NS };
	return DHCPD_DECLINED;
}

static enum dhcpd_outcome on_release(struct dhcpd *d, const struct exchange *x)
{
	uint8_t host = held_host(d, x, x->request->ciaddr);
	if (host == 0)
		return DHCPD_IGNORED;
	d->leases[host].until = 0;
	return DHCPD_FREED;
}

static enum dhcpd_outcome on_inform(const struct dhcpd *d, struct exchange *x)
{
	if (host_of_address(d, x->request->ciaddr) == 0)
		return DHCPD_IGNORED;
	reply_begin(d, x, DHCP_ACK);
	reply_facts(d, x);
	x->reply.ciaddr = x->request->ciaddr;
	return DHCPD_ACKED;
}

static enum dhcpd_outcome answer(struct dhcpd *d, struct exchange *x)
{
	switch (x->request->type) {
	case DHCP_DISCOVER:
		return on_discover(d, x);
	case DHCP_REQUEST:
		return on_request(d, x);
	case DHCP_DECLINE:
		return on_decline(d, x);
	case DHCP_RELEASE:
		return on_release(d, x);
	case DHCP_INFORM:
		return on_inform(d, x);
	default:
		return DHCPD_IGNORED;
	}
}

/* ---- frames ------------------------------------------------------------------------------ */

/* Where the answer goes (RFC 2131, 4.1): a refusal, and who asks for it, hears a broadcast. */
static struct udp_path way_back(const struct dhcpd *d, const struct exchange *x)
{
	static const struct weft_mac everybody = { { 255, 255, 255, 255, 255, 255 } };
	struct udp_path path = { .src_mac = d->opts.mac,
				 .dst_mac = x->reply.chaddr,
				 .src = own_address(d),
				 .dst = x->reply.ciaddr ? x->reply.ciaddr
							: x->reply.yiaddr,
				 .sport = DHCP_SERVER_PORT,
				 .dport = DHCP_CLIENT_PORT };
	if (x->reply.type != DHCP_NAK && (x->reply.ciaddr || !x->reply.broadcast))
		return path;
	path.dst_mac = everybody;
	path.dst = BROADCAST_IP;
	return path;
}

static bool may_answer(const struct dhcpd *d, const struct exchange *x)
{
	const struct dhcp_msg *request = x->request;
	const uint32_t address =
		request->ciaddr ? request->ciaddr : request->requested_ip;
	return !d->opts.may_answer ||
	       d->opts.may_answer(d->opts.user, request, held_host(d, x, address) != 0,
				  x->now);
}

static enum dhcpd_outcome take(struct dhcpd *d, const struct weft_frame *frame,
			       const struct dhcp_msg *request, struct exchange *x)
{
	if (request->op != DHCP_OP_REQUEST || request->giaddr ||
	    mac_is_zero(request->chaddr))
		return DHCPD_IGNORED;
	if (!mac_equal(request->chaddr, mac_load(frame->data + MAC_LEN)))
		return DHCPD_DROP_SPOOFED;
	return may_answer(d, x) ? answer(d, x) : DHCPD_DEFERRED;
}

size_t dhcpd_input(struct dhcpd *d, const struct weft_frame *frame, uint64_t now,
		   uint8_t reply[DHCP_FRAME_LEN_MAX])
{
	struct udp_path path;
	struct dhcp_msg request;
	struct exchange x = { .request = &request, .now = now };
	enum dhcpd_outcome outcome;
	int len = 0;
	int r = dhcp_frame_parse(frame, DHCP_SERVER_PORT, &path, &request);
	if (r == 0)
		outcome = take(d, frame, &request, &x);
	else
		outcome = r == -ENOMSG ? DHCPD_NOT_DHCP : DHCPD_DROP_MALFORMED;
	d->counts[outcome]++;
	if (x.reply.type == 0)
		return 0;
	path = way_back(d, &x);
	len = dhcp_frame_emit(reply, DHCP_FRAME_LEN_MAX, &path, &x.reply);
	return len > 0 ? (size_t)len : 0;
}

uint64_t dhcpd_count(const struct dhcpd *d, enum dhcpd_outcome outcome)
{
	return d->counts[outcome];
}
