/* SPDX-License-Identifier: MIT */
/*
 * The stateless DHCPv6 client (RFC 8415, 18.2.6): one exchange, repeated when what it brought is
 * to be refreshed.
 *
 *     RESTING --due--> PAUSING --0..1 s--> ASKING --Reply--> TELLING
 *        ^                                  ^  |                |
 *        |                 RT doubles (15)  '--' no answer      |
 *        '------------- until the refresh time (21.23) ---------'
 *
 * All doing is in run. What comes from the network moves to TELLING and makes run due, so that
 * nobody is called from within a receiver.
 */
#include "base/array.h"
#include "base/container.h"
#include "base/mac.h"
#include "base/rng.h"
#include "base/time.h"
#include "stack/addr.h"
#include "wire/dhcp6.h"

#include <weft/dhcp6c.h>
#include <weft/udp.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8415, 7.6. */
#define INF_MAX_DELAY_NS NS_PER_S
#define INF_TIMEOUT_NS   NS_PER_S
#define INF_MAX_RT_S     3600u
#define IRT_DEFAULT_S    86400u
#define IRT_MINIMUM_S    600u

/* What INF_MAX_RT may be set to (21.25). */
#define MAX_RT_MIN_S 60u
#define MAX_RT_MAX_S 86400u

/* All_DHCP_Relay_Agents_and_Servers (7.1). */
static const struct ip_addr all_servers = { { 0xff, 0x02, [13] = 1, [15] = 2 } };
static const struct ip_addr any;

enum state { RESTING, PAUSING, ASKING, TELLING };

struct weft_dhcp6c {
	struct weft_task task;
	struct weft_dhcp6c_opts opts;
	struct weft_udp *udp;
	struct dhcp6_duid duid;
	struct rng rng;
	enum state state;
	uint64_t due; /* When run has something to do. */
	uint32_t xid; /* Of the exchange, 24 bits. */
	uint64_t begun, rt_ns;
	uint32_t max_rt_s;
	uint32_t refresh_s;
	struct weft_dns dns;
	uint64_t counts[WEFT_DHCP6C_OUTCOMES];
};

const char *weft_dhcp6c_outcome_name(enum weft_dhcp6c_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_DHCP6C_TAKEN] = "taken",
		[WEFT_DHCP6C_DROP_MALFORMED] = "drop-malformed",
		[WEFT_DHCP6C_DROP_NOT_OURS] = "drop-not-ours",
		[WEFT_DHCP6C_DROP_UNEXPECTED] = "drop-unexpected",
		[WEFT_DHCP6C_DROP_SERVER] = "drop-server",
		[WEFT_DHCP6C_DROP_STATUS] = "drop-status",
	};
	static_assert(ARRAY_LEN(names) == WEFT_DHCP6C_OUTCOMES,
		      "a name for each outcome");
	return (unsigned)outcome < WEFT_DHCP6C_OUTCOMES ? names[outcome] : "unknown";
}

uint64_t weft_dhcp6c_count(const struct weft_dhcp6c *c, enum weft_dhcp6c_outcome outcome)
{
	return (unsigned)outcome < WEFT_DHCP6C_OUTCOMES ? c->counts[outcome] : 0;
}

/* ---- asking ------------------------------------------------------------------------------ */

/* Hosts that heard the same router shall not all ask at the same time (18.2.6). */
static void pause_first(struct weft_dhcp6c *c, uint64_t now)
{
	c->state = PAUSING;
	c->due = now + rng_below(&c->rng, INF_MAX_DELAY_NS + 1);
}

/* x + RAND * x, where RAND is in -0.1 .. 0.1 (15). */
static uint64_t about(struct weft_dhcp6c *c, uint64_t ns)
{
	return ns - ns / 10 + rng_below(&c->rng, ns / 5 + 1);
}

static void begin_exchange(struct weft_dhcp6c *c, uint64_t now)
{
	c->state = ASKING;
	c->xid = (uint32_t)rng_below(&c->rng, UINT64_C(1) << 24);
	c->begun = now;
	c->rt_ns = about(c, INF_TIMEOUT_NS);
}

static void double_rt(struct weft_dhcp6c *c)
{
	const uint64_t max = c->max_rt_s * NS_PER_S;
	c->rt_ns += about(c, c->rt_ns);
	if (c->rt_ns > max)
		c->rt_ns = about(c, max);
}

static struct dhcp6_msg request(const struct weft_dhcp6c *c, uint64_t now)
{
	const uint64_t elapsed_cs = (now - c->begun) / (NS_PER_S / 100);
	return (struct dhcp6_msg){
		.type = DHCP6_INFORMATION_REQUEST,
		.xid = c->xid,
		.client_id = c->duid,
		.requested_n = 4,
		.requested = { DHCP6_OPT_DNS_SERVERS, DHCP6_OPT_DOMAINS,
			       DHCP6_OPT_REFRESH, DHCP6_OPT_INF_MAX_RT },
		.has_elapsed = true,
		.elapsed_cs =
			(uint16_t)(elapsed_cs < UINT16_MAX ? elapsed_cs : UINT16_MAX),
	};
}

/* What cannot be sent is lost like what was: the next one comes. Until the interface's own
   address is found to be nobody else's, nothing can be sent. */
static void send_request(struct weft_dhcp6c *c, uint64_t now)
{
	const uint32_t iface = weft_iface_index(c->opts.iface);
	const struct dhcp6_msg msg = request(c, now);
	uint8_t buf[DHCP6_LEN_MAX];
	const int len = dhcp6_msg_emit(buf, sizeof(buf), &msg);
	assert(len > 0); /* No message of ours is long. */
	const struct weft_udp_message datagram = {
		.peer = addr_to_sockaddr(&all_servers, DHCP6_SERVER_PORT, iface),
		.data = buf,
		.len = (size_t)len,
		.iface = iface,
	};
	(void)!weft_udp_send(c->udp, &datagram, now);
}

/* ---- answers ----------------------------------------------------------------------------- */

/* RFC 8415, 16.10. */
static enum weft_dhcp6c_outcome judge(const struct weft_dhcp6c *c,
				      const struct dhcp6_msg *msg)
{
	if (msg->type != DHCP6_REPLY || msg->xid != c->xid ||
	    !dhcp6_duid_equal(&msg->client_id, &c->duid))
		return WEFT_DHCP6C_DROP_NOT_OURS;
	if (msg->server_id.len == 0)
		return WEFT_DHCP6C_DROP_SERVER;
	if (c->state != ASKING)
		return WEFT_DHCP6C_DROP_UNEXPECTED;
	return msg->status == 0 ? WEFT_DHCP6C_TAKEN : WEFT_DHCP6C_DROP_STATUS;
}

static bool is_server(const struct ip6_addr *addr)
{
	static const struct ip6_addr none, loopback = { { [15] = 1 } };
	return !ip6_addr_is_multicast(addr) && !ip6_addr_equal(addr, &none) &&
	       !ip6_addr_equal(addr, &loopback);
}

static struct weft_dns dns_of(const struct dhcp6_msg *msg)
{
	struct weft_dns dns = { .servers_n = 0 };
	static_assert(DHCP6_SERVERS_MAX <= WEFT_DNS_SERVERS_MAX &&
			      DHCP6_DOMAINS_MAX <= WEFT_DNS_SEARCH_MAX,
		      "all that is read can be told");
	for (unsigned i = 0; i < msg->servers_n; i++) {
		struct weft_ip ip = { .family = AF_INET6, .prefix = 128 };
		memcpy(ip.octet, msg->servers[i].octet, sizeof(msg->servers[i].octet));
		if (is_server(&msg->servers[i]))
			dns.servers[dns.servers_n++] = ip;
	}
	for (unsigned i = 0; i < msg->domains_n; i++)
		dns.search_n +=
			dns_name_print_plain(&msg->domains[i], dns.search[dns.search_n],
					     sizeof(dns.search[0]));
	return dns;
}

static void take(struct weft_dhcp6c *c, const struct dhcp6_msg *msg)
{
	const uint32_t said_s = msg->has_refresh ? msg->refresh_s : IRT_DEFAULT_S;
	c->refresh_s = said_s < IRT_MINIMUM_S ? IRT_MINIMUM_S : said_s;
	if (msg->inf_max_rt_s >= MAX_RT_MIN_S && msg->inf_max_rt_s <= MAX_RT_MAX_S)
		c->max_rt_s = msg->inf_max_rt_s;
	c->dns = dns_of(msg);
	c->state = TELLING;
	c->due = 0;
}

static void receive(void *user, struct weft_udp *udp,
		    const struct weft_udp_message *datagram, uint64_t now)
{
	struct weft_dhcp6c *c = user;
	struct dhcp6_msg msg;
	(void)udp;
	(void)now;
	if (dhcp6_msg_parse(datagram->data, datagram->len, &msg) < 0) {
		c->counts[WEFT_DHCP6C_DROP_MALFORMED]++;
		return;
	}
	const enum weft_dhcp6c_outcome outcome = judge(c, &msg);
	c->counts[outcome]++;
	if (outcome == WEFT_DHCP6C_TAKEN)
		take(c, &msg);
}

/* ---- the task ---------------------------------------------------------------------------- */

static void tell(struct weft_dhcp6c *c, uint64_t now)
{
	c->state = RESTING;
	c->due = c->refresh_s == DHCP6_FOREVER_S ? WEFT_NEVER
						 : now + c->refresh_s * NS_PER_S;
	c->opts.told(c->opts.user, &c->dns, now);
}

static void ask(struct weft_dhcp6c *c, uint64_t now)
{
	if (c->state == ASKING)
		double_rt(c);
	else
		begin_exchange(c, now);
	c->due = now + c->rt_ns;
	send_request(c, now);
}

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_dhcp6c *c = container_of(task, struct weft_dhcp6c, task);
	if (now < c->due)
		return;
	if (c->state == RESTING)
		pause_first(c, now);
	else if (c->state == TELLING)
		tell(c, now);
	else
		ask(c, now);
}

static uint64_t task_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct weft_dhcp6c, task)->due;
}

struct weft_task *weft_dhcp6c_task(struct weft_dhcp6c *c)
{
	return &c->task;
}

/* ---- life -------------------------------------------------------------------------------- */

static int open_socket(struct weft_dhcp6c *c)
{
	const struct weft_udp_opts opts = { .on_receive = receive, .user = c };
	const union weft_sockaddr local = addr_to_sockaddr(&any, DHCP6_CLIENT_PORT, 0);
	int r = weft_udp_new(c->opts.stack, &opts, &c->udp);
	return r < 0 ? r : weft_udp_bind(c->udp, &local);
}

int weft_dhcp6c_new(const struct weft_dhcp6c_opts *opts, struct weft_dhcp6c **ret_dhcp6c)
{
	const struct weft_mac mac = weft_iface_mac(opts->iface);
	if (mac_is_zero(mac))
		return -EINVAL;
	struct weft_dhcp6c *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->opts = *opts;
	c->task = (struct weft_task){ .fd = -1,
				      .run = task_run,
				      .deadline = task_deadline };
	c->duid = dhcp6_duid_of_mac(mac);
	c->max_rt_s = INF_MAX_RT_S;
	rng_init(&c->rng, opts->seed);
	int r = open_socket(c);
	if (r < 0) {
		weft_dhcp6c_free(c);
		return r;
	}
	*ret_dhcp6c = c;
	return 0;
}

void weft_dhcp6c_free(struct weft_dhcp6c *c)
{
	if (c)
		weft_udp_free(c->udp);
	free(c);
}
