/* SPDX-License-Identifier: MIT */
/*
 * The DHCP client's state machine (RFC 2131, 4.4 and figure 5).
 *
 *     INIT --DISCOVER--> SELECTING --offer--> REQUESTING --ack--> CHECKING --free--> BOUND
 *      ^                                          | nak, silence      | in use         | T1
 *      |<-----------------------------------------+<------------------+                v
 *      |<--- nak, lease over --- REBINDING <--T2-- RENEWING <--------------------------+
 *      |                             | ack          | ack
 *      |                             +---> BOUND <--+
 *
 * All doing is in run: each state has one thing to do when its time `due` has come (the
 * table `steps`). Input never does anything but move to another state and set due to 0, so
 * that nothing is sent and nobody called from within a receiver. The address that the user
 * was told of is `told`: run compares it with the state first, and calls lost.
 *
 * Waiting is randomised exponential back-off (4.1): 4, 8, 16, 32, 64 s, each give or take a
 * second. One second comes before these, because a room is often up a moment after its
 * first member, and four seconds look like a fault.
 */
#include "base/array.h"
#include "base/container.h"
#include "base/mac.h"
#include "base/rng.h"
#include "service/dhcp_frame.h"
#include "service/dhcp_lease.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/ether.h"

#include <weft/dhcpc.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000u

/* DHCPREQUESTs before beginning anew, in half a minute (RFC 2131, 3.1 5: four in a whole). */
#define REQUESTS_MAX 4u

/* RFC 2131, 3.1 5: the pause after a declined address. */
#define DECLINE_PAUSE_NS (10ull * SECOND_NS)

/* RFC 2131, 4.4.5: no more often than this while there is an address. */
#define RENEW_PAUSE_MIN_NS (60ull * SECOND_NS)

/* RFC 5227 asks for three probes in some five seconds. A room answers within a few hundred
   milliseconds or is unusable, and the server should have looked before (2.2 of RFC 2131). */
#define PROBES         2u
#define PROBE_PAUSE_NS (SECOND_NS / 4)

/* However often we are hurried: a peer may come and go to make us send. */
#define HURRY_PAUSE_NS (SECOND_NS / 4)

#define BROADCAST_IP UINT32_MAX

struct weft_dhcpc {
	struct weft_dhcpc_opts opts;
	char hostname[DHCP_TEXT_LEN];
	struct weft_task task;
	struct rng rng;

	enum weft_dhcpc_state state;
	uint64_t due;      /* When the state's step is taken. */
	unsigned attempts; /* Messages or probes sent in this state. */
	unsigned failures; /* Refusals since the last success: how long INIT pauses. */
	bool in_use;       /* CHECKING: somebody else has the address. */
	struct weft_mac rival; /* Who, with in_use. */
	bool told;             /* The user has the lease's address. */

	uint32_t xid;
	uint64_t begun;  /* When this xid's exchange began: for secs. */
	uint64_t asked;  /* When the last DHCPREQUEST was sent: a lease runs from then. */
	uint32_t wanted; /* The address to ask for again; 0 for any. */
	struct weft_dhcpc_lease lease;  /* Offered, or held. */
	struct weft_mac server_mac;     /* Where the server's frames come from. */
	uint64_t renew, rebind, expiry; /* T1, T2 and the end, in ns. */

	uint64_t counts[WEFT_DHCPC_OUTCOMES];
};

const char *weft_dhcpc_state_name(enum weft_dhcpc_state state)
{
	static const char *const names[] = {
		[WEFT_DHCPC_INIT] = "init",
		[WEFT_DHCPC_SELECTING] = "selecting",
		[WEFT_DHCPC_REQUESTING] = "requesting",
		[WEFT_DHCPC_CHECKING] = "checking",
		[WEFT_DHCPC_BOUND] = "bound",
		[WEFT_DHCPC_RENEWING] = "renewing",
		[WEFT_DHCPC_REBINDING] = "rebinding",
		[WEFT_DHCPC_STOPPED] = "stopped",
	};
	static_assert(ARRAY_LEN(names) == WEFT_DHCPC_STATES, "a name for each state");
	return names[state];
}

const char *weft_dhcpc_outcome_name(enum weft_dhcpc_outcome outcome)
{
	static const char *const names[] = {
		[WEFT_DHCPC_TAKEN] = "taken",
		[WEFT_DHCPC_DROP_MALFORMED] = "drop-malformed",
		[WEFT_DHCPC_DROP_NOT_OURS] = "drop-not-ours",
		[WEFT_DHCPC_DROP_UNEXPECTED] = "drop-unexpected",
		[WEFT_DHCPC_DROP_SERVER] = "drop-server",
		[WEFT_DHCPC_DROP_ADDRESS] = "drop-address",
		[WEFT_DHCPC_DROP_MASK] = "drop-mask",
		[WEFT_DHCPC_DROP_PUBLIC] = "drop-public",
		[WEFT_DHCPC_DROP_LEASE] = "drop-lease",
		[WEFT_DHCPC_CONFLICT] = "conflict",
	};
	static_assert(ARRAY_LEN(names) == WEFT_DHCPC_OUTCOMES, "a name for each outcome");
	return names[outcome];
}

/* States */

#define TO(state) (1u << WEFT_DHCPC_##state)

/* Moves to a state, whose step is taken at due. */
static void enter(struct weft_dhcpc *c, enum weft_dhcpc_state state, uint64_t due)
{
	static const unsigned allowed[] = {
		[WEFT_DHCPC_INIT] = TO(SELECTING) | TO(STOPPED),
		[WEFT_DHCPC_SELECTING] = TO(REQUESTING) | TO(STOPPED),
		[WEFT_DHCPC_REQUESTING] =
			TO(INIT) | TO(CHECKING) | TO(BOUND) | TO(STOPPED),
		[WEFT_DHCPC_CHECKING] = TO(INIT) | TO(BOUND) | TO(STOPPED),
		[WEFT_DHCPC_BOUND] = TO(RENEWING) | TO(STOPPED),
		[WEFT_DHCPC_RENEWING] =
			TO(INIT) | TO(BOUND) | TO(REBINDING) | TO(STOPPED),
		[WEFT_DHCPC_REBINDING] = TO(INIT) | TO(BOUND) | TO(STOPPED),
		[WEFT_DHCPC_STOPPED] = TO(STOPPED),
	};
	static_assert(ARRAY_LEN(allowed) == WEFT_DHCPC_STATES, "a row for each state");
	assert(allowed[c->state] & (1u << state));
	c->state = state;
	c->due = due;
	c->attempts = 0;
}

static bool has_address(const struct weft_dhcpc *c)
{
	return c->state == WEFT_DHCPC_BOUND || c->state == WEFT_DHCPC_RENEWING ||
	       c->state == WEFT_DHCPC_REBINDING;
}

/* How long to wait after the given number of tries before this one. */
static uint64_t backoff(struct weft_dhcpc *c, unsigned tries)
{
	static const uint8_t seconds[] = { 1, 4, 8, 16, 32, 64 };
	uint64_t pause =
		seconds[tries < ARRAY_LEN(seconds) ? tries : ARRAY_LEN(seconds) - 1];
	uint64_t jitter = pause == 1 ? SECOND_NS / 4 : SECOND_NS;
	return pause * SECOND_NS - jitter + rng_below(&c->rng, 2 * jitter + 1);
}

/* After a refusal: begins anew, after a pause that grows with each in a row. */
static void begin_anew(struct weft_dhcpc *c, uint64_t pause_min_ns, uint64_t now)
{
	uint64_t pause = backoff(c, c->failures++);
	c->wanted = 0;
	enter(c, WEFT_DHCPC_INIT, now + (pause > pause_min_ns ? pause : pause_min_ns));
}

/* Sending */

/* What every message of ours says (RFC 2131, table 5). */
static struct dhcp_msg message(const struct weft_dhcpc *c, enum dhcp_type type,
			       uint64_t now)
{
	static const uint8_t params[] = {
		DHCP_OPT_SUBNET_MASK, DHCP_OPT_ROUTER,        DHCP_OPT_DNS,
		DHCP_OPT_LEASE,       DHCP_OPT_RENEWAL,       DHCP_OPT_REBINDING,
		DHCP_OPT_DOMAIN,      DHCP_OPT_DNS_SELECTION,
	};
	uint64_t secs = (now - c->begun) / SECOND_NS;
	struct dhcp_msg msg = {
		.op = DHCP_OP_REQUEST,
		.type = (uint8_t)type,
		.xid = c->xid,
		.secs = (uint16_t)(secs < UINT16_MAX ? secs : UINT16_MAX),
		.chaddr = c->opts.mac,
		.client_id_len = 1 + MAC_LEN,
		.client_id = { 1 }, /* Hardware type Ethernet (RFC 2132, 9.14). */
	};
	mac_store(msg.client_id + 1, c->opts.mac);
	if (type != DHCP_DISCOVER && type != DHCP_REQUEST)
		return msg;
	memcpy(msg.params, params, sizeof(params));
	msg.params_n = sizeof(params);
	memcpy(msg.host_name, c->hostname, sizeof(msg.host_name));
	return msg;
}

static void send_message(struct weft_dhcpc *c, const struct udp_path *path,
			 const struct dhcp_msg *msg, uint64_t now)
{
	uint8_t buf[WEFT_HEADROOM + DHCP_FRAME_LEN_MAX];
	uint8_t *data = buf + WEFT_HEADROOM;
	int len = dhcp_frame_emit(data, DHCP_FRAME_LEN_MAX, path, msg);
	assert(len > 0); /* No message of ours is long. */
	const struct weft_frame frame = {
		.data = data,
		.len = (uint32_t)len,
		.headroom = WEFT_HEADROOM,
	};
	c->opts.send(c->opts.user, &frame, now);
}

static void broadcast(struct weft_dhcpc *c, const struct dhcp_msg *msg, uint64_t now)
{
	const struct udp_path path = {
		.src_mac = c->opts.mac,
		.dst_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.src = msg->ciaddr,
		.dst = BROADCAST_IP,
		.sport = DHCP_CLIENT_PORT,
		.dport = DHCP_SERVER_PORT,
	};
	send_message(c, &path, msg, now);
}

/* To the server itself, by the way that its frames came: it may stand behind a relay agent. */
static void unicast(struct weft_dhcpc *c, const struct dhcp_msg *msg, uint64_t now)
{
	const struct udp_path path = {
		.src_mac = c->opts.mac,
		.dst_mac = c->server_mac,
		.src = msg->ciaddr,
		.dst = dhcp_ip_number(&c->lease.server),
		.sport = DHCP_CLIENT_PORT,
		.dport = DHCP_SERVER_PORT,
	};
	send_message(c, &path, msg, now);
}

/* RFC 5227, 2.1.1: who has this address? Asked without telling one of our own. */
static void send_probe(struct weft_dhcpc *c, uint64_t now)
{
	uint8_t buf[WEFT_HEADROOM + COMPOSE_ARP_LEN];
	const struct weft_frame frame = {
		.data = buf + WEFT_HEADROOM,
		.len = COMPOSE_ARP_LEN,
		.headroom = WEFT_HEADROOM,
	};
	const struct arp_hdr arp = {
		.op = ARP_OP_REQUEST,
		.sender_mac = c->opts.mac,
		.target_ip = dhcp_ip_number(&c->lease.address),
	};
	compose_arp(NULL, &arp, frame.data);
	c->opts.send(c->opts.user, &frame, now);
}

/* Steps: what each state does when it is due */

static void new_exchange(struct weft_dhcpc *c, uint64_t now)
{
	c->xid = (uint32_t)rng_u64(&c->rng);
	c->begun = now;
}

static void step_selecting(struct weft_dhcpc *c, uint64_t now)
{
	struct dhcp_msg msg = message(c, DHCP_DISCOVER, now);
	msg.broadcast = true;
	msg.requested_ip = c->wanted;
	c->due = now + backoff(c, c->attempts++);
	broadcast(c, &msg, now);
}

static void step_init(struct weft_dhcpc *c, uint64_t now)
{
	new_exchange(c, now);
	enter(c, WEFT_DHCPC_SELECTING, now);
	step_selecting(c, now);
}

static void step_requesting(struct weft_dhcpc *c, uint64_t now)
{
	if (c->attempts == REQUESTS_MAX) {
		enter(c, WEFT_DHCPC_INIT, now);
		return;
	}
	struct dhcp_msg msg = message(c, DHCP_REQUEST, now);
	msg.broadcast = true;
	msg.requested_ip = dhcp_ip_number(&c->lease.address);
	msg.server_id = dhcp_ip_number(&c->lease.server);
	c->asked = now;
	c->due = now + backoff(c, c->attempts++);
	broadcast(c, &msg, now);
}

static void decline(struct weft_dhcpc *c, uint64_t now)
{
	struct dhcp_msg msg = message(c, DHCP_DECLINE, now);
	msg.requested_ip = dhcp_ip_number(&c->lease.address);
	msg.server_id = dhcp_ip_number(&c->lease.server);
	const struct weft_ip address = c->lease.address;
	begin_anew(c, DECLINE_PAUSE_NS, now);
	broadcast(c, &msg, now);
	if (c->opts.conflict)
		c->opts.conflict(c->opts.user, &address, c->rival);
}

static void step_checking(struct weft_dhcpc *c, uint64_t now)
{
	if (c->in_use) {
		decline(c, now);
	} else if (c->attempts == PROBES) {
		enter(c, WEFT_DHCPC_BOUND, now);
	} else {
		c->attempts++;
		c->due = now + PROBE_PAUSE_NS;
		send_probe(c, now);
	}
}

/* Due twice: at once, to tell the user, and at T1. */
static void step_bound(struct weft_dhcpc *c, uint64_t now)
{
	if (c->attempts++ == 0) {
		c->due = c->renew;
		c->failures = 0;
		c->wanted = dhcp_ip_number(&c->lease.address);
		c->told = true;
		c->opts.bound(c->opts.user, &c->lease);
		return;
	}
	new_exchange(c, now);
	enter(c, WEFT_DHCPC_RENEWING, now);
}

/* RFC 2131, 4.4.5: half of what is left until then, but 60 s at least. */
static uint64_t renew_pause(uint64_t until, uint64_t now)
{
	uint64_t left = until - now;
	uint64_t pause = left / 2 > RENEW_PAUSE_MIN_NS ? left / 2 : RENEW_PAUSE_MIN_NS;
	return pause < left ? pause : left;
}

static void step_renewing(struct weft_dhcpc *c, uint64_t now)
{
	if (now >= c->rebind) {
		enter(c, WEFT_DHCPC_REBINDING, now);
		return;
	}
	struct dhcp_msg msg = message(c, DHCP_REQUEST, now);
	msg.ciaddr = dhcp_ip_number(&c->lease.address);
	c->asked = now;
	c->due = now + renew_pause(c->rebind, now);
	unicast(c, &msg, now);
}

static void step_rebinding(struct weft_dhcpc *c, uint64_t now)
{
	if (now >= c->expiry) {
		enter(c, WEFT_DHCPC_INIT, now);
		return;
	}
	struct dhcp_msg msg = message(c, DHCP_REQUEST, now);
	msg.ciaddr = dhcp_ip_number(&c->lease.address);
	c->asked = now;
	c->due = now + renew_pause(c->expiry, now);
	broadcast(c, &msg, now);
}

static void step_stopped(struct weft_dhcpc *c, uint64_t now)
{
	(void)now;
	c->due = WEFT_NEVER;
}

uint64_t weft_dhcpc_deadline(const struct weft_dhcpc *c)
{
	return c->told && !has_address(c) ? 0 : c->due;
}

void weft_dhcpc_run(struct weft_dhcpc *c, uint64_t now)
{
	static void (*const steps[])(struct weft_dhcpc * c, uint64_t now) = {
		[WEFT_DHCPC_INIT] = step_init,
		[WEFT_DHCPC_SELECTING] = step_selecting,
		[WEFT_DHCPC_REQUESTING] = step_requesting,
		[WEFT_DHCPC_CHECKING] = step_checking,
		[WEFT_DHCPC_BOUND] = step_bound,
		[WEFT_DHCPC_RENEWING] = step_renewing,
		[WEFT_DHCPC_REBINDING] = step_rebinding,
		[WEFT_DHCPC_STOPPED] = step_stopped,
	};
	static_assert(ARRAY_LEN(steps) == WEFT_DHCPC_STATES, "a step for each state");
	if (c->told && !has_address(c)) {
		c->told = false;
		c->opts.lost(c->opts.user);
	}
	if (now >= c->due)
		steps[c->state](c, now);
}

void weft_dhcpc_hurry(struct weft_dhcpc *c, uint64_t now)
{
	if (c->state != WEFT_DHCPC_SELECTING)
		return;
	c->attempts = 0;
	if (c->due > now + HURRY_PAUSE_NS)
		c->due = now + HURRY_PAUSE_NS;
}

/* Input */

static uint64_t after(uint64_t begin, uint32_t seconds)
{
	if (seconds == WEFT_DHCPC_FOREVER)
		return WEFT_NEVER;
	return begin + (uint64_t)seconds * SECOND_NS;
}

/* Takes an acknowledged lease. It runs from when it was asked for (4.4.1), so that ours is
   over before the server's. T1 comes up to a twentieth early, lest all members of a room
   that began together renew together (4.4.5). */
static void hold(struct weft_dhcpc *c, const struct weft_dhcpc_lease *lease)
{
	c->lease = *lease;
	c->renew = after(c->asked, lease->renew_s);
	c->rebind = after(c->asked, lease->rebind_s);
	c->expiry = after(c->asked, lease->lease_s);
	if (c->renew != WEFT_NEVER)
		c->renew -= rng_below(&c->rng, (c->renew - c->asked) / 20 + 1);
}

static enum weft_dhcpc_outcome on_offer(struct weft_dhcpc *c, const struct dhcp_msg *msg)
{
	struct weft_dhcpc_lease lease;
	if (c->state != WEFT_DHCPC_SELECTING)
		return WEFT_DHCPC_DROP_UNEXPECTED;
	enum weft_dhcpc_outcome outcome =
		dhcp_lease_of(msg, c->opts.allow_public, &lease);
	if (outcome != WEFT_DHCPC_TAKEN)
		return outcome;
	c->lease = lease;
	enter(c, WEFT_DHCPC_REQUESTING, 0);
	return WEFT_DHCPC_TAKEN;
}

/* Answers to a DHCPREQUEST come from the server that was asked; when rebinding, from any. */
static enum weft_dhcpc_outcome check_answer(const struct weft_dhcpc *c,
					    const struct dhcp_msg *msg)
{
	if (c->state == WEFT_DHCPC_REBINDING)
		return dhcp_is_host(msg->server_id) ? WEFT_DHCPC_TAKEN
						    : WEFT_DHCPC_DROP_SERVER;
	if (c->state != WEFT_DHCPC_REQUESTING && c->state != WEFT_DHCPC_RENEWING)
		return WEFT_DHCPC_DROP_UNEXPECTED;
	return msg->server_id == dhcp_ip_number(&c->lease.server)
		       ? WEFT_DHCPC_TAKEN
		       : WEFT_DHCPC_DROP_SERVER;
}

static enum weft_dhcpc_outcome on_ack(struct weft_dhcpc *c, const struct udp_path *path,
				      const struct dhcp_msg *msg)
{
	struct weft_dhcpc_lease lease;
	enum weft_dhcpc_outcome outcome = check_answer(c, msg);
	if (outcome == WEFT_DHCPC_TAKEN)
		outcome = dhcp_lease_of(msg, c->opts.allow_public, &lease);
	if (outcome != WEFT_DHCPC_TAKEN)
		return outcome;
	bool is_new = c->state == WEFT_DHCPC_REQUESTING;
	if (msg->yiaddr != dhcp_ip_number(&c->lease.address))
		return WEFT_DHCPC_DROP_ADDRESS;
	if (!is_new && lease.address.prefix != c->lease.address.prefix)
		return WEFT_DHCPC_DROP_MASK;
	hold(c, &lease);
	c->server_mac = path->src_mac;
	c->in_use = false;
	enter(c, is_new && !c->opts.no_check ? WEFT_DHCPC_CHECKING : WEFT_DHCPC_BOUND, 0);
	return WEFT_DHCPC_TAKEN;
}

static enum weft_dhcpc_outcome on_nak(struct weft_dhcpc *c, const struct dhcp_msg *msg,
				      uint64_t now)
{
	enum weft_dhcpc_outcome outcome = check_answer(c, msg);
	if (outcome == WEFT_DHCPC_TAKEN)
		begin_anew(c, 0, now);
	return outcome;
}

static enum weft_dhcpc_outcome on_reply(struct weft_dhcpc *c, const struct udp_path *path,
					const struct dhcp_msg *msg, uint64_t now)
{
	switch (msg->type) {
	case DHCP_OFFER:
		return on_offer(c, msg);
	case DHCP_ACK:
		return on_ack(c, path, msg);
	case DHCP_NAK:
		return on_nak(c, msg, now);
	default:
		return WEFT_DHCPC_DROP_UNEXPECTED;
	}
}

/* RFC 5227, 2.1.1: another that has our address, or that is about to take it. */
static void input_arp(struct weft_dhcpc *c, const struct weft_frame *frame)
{
	struct ether_hdr ether;
	struct arp_hdr arp;
	int off = ether_hdr_parse(frame->data, frame->len, &ether);
	if (off < 0 || ether.tags_n > 0 || ether.type != ETHER_TYPE_ARP ||
	    arp_hdr_parse(frame->data + off, frame->len - (size_t)off, &arp) < 0)
		return;
	uint32_t addr = dhcp_ip_number(&c->lease.address);
	bool has = arp.sender_ip == addr;
	bool probes =
		arp.sender_ip == 0 && arp.target_ip == addr && arp.op == ARP_OP_REQUEST;
	if ((!has && !probes) || mac_equal(arp.sender_mac, c->opts.mac) || c->in_use)
		return;
	c->in_use = true;
	c->rival = arp.sender_mac;
	c->due = 0;
	c->counts[WEFT_DHCPC_CONFLICT]++;
}

bool weft_dhcpc_input(struct weft_dhcpc *c, const struct weft_frame *frame, uint64_t now)
{
	struct udp_path path;
	struct dhcp_msg msg;
	if (c->state == WEFT_DHCPC_CHECKING)
		input_arp(c, frame);
	int r = dhcp_frame_parse(frame, DHCP_CLIENT_PORT, &path, &msg);
	if (r == -ENOMSG)
		return false;
	if (r < 0) {
		c->counts[WEFT_DHCPC_DROP_MALFORMED]++;
		return false;
	}
	if (msg.op != DHCP_OP_REPLY || msg.xid != c->xid ||
	    !mac_equal(msg.chaddr, c->opts.mac)) {
		c->counts[WEFT_DHCPC_DROP_NOT_OURS]++;
		return false;
	}
	c->counts[on_reply(c, &path, &msg, now)]++;
	return true;
}

/* Life */

static struct weft_dhcpc *of_task(struct weft_task *task)
{
	return container_of(task, struct weft_dhcpc, task);
}

static void task_run(struct weft_task *task, uint64_t now)
{
	weft_dhcpc_run(of_task(task), now);
}

static uint64_t task_deadline(const struct weft_task *task)
{
	return weft_dhcpc_deadline(container_of_const(task, struct weft_dhcpc, task));
}

int weft_dhcpc_new(const struct weft_dhcpc_opts *opts, struct weft_dhcpc **ret_dhcpc)
{
	struct weft_dhcpc *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->opts = *opts;
	c->opts.hostname = NULL;
	if (opts->hostname)
		snprintf(c->hostname, sizeof(c->hostname), "%s", opts->hostname);
	c->task = (struct weft_task){ .fd = -1,
				      .run = task_run,
				      .deadline = task_deadline };
	rng_init(&c->rng, opts->seed);
	*ret_dhcpc = c;
	return 0;
}

void weft_dhcpc_free(struct weft_dhcpc *c)
{
	free(c);
}

void weft_dhcpc_release(struct weft_dhcpc *c, uint64_t now)
{
	bool is_held = has_address(c);
	c->told = false;
	enter(c, WEFT_DHCPC_STOPPED, WEFT_NEVER);
	if (!is_held)
		return;
	new_exchange(c, now);
	struct dhcp_msg msg = message(c, DHCP_RELEASE, now);
	msg.ciaddr = dhcp_ip_number(&c->lease.address);
	msg.server_id = dhcp_ip_number(&c->lease.server);
	unicast(c, &msg, now);
}

struct weft_task *weft_dhcpc_task(struct weft_dhcpc *c)
{
	return &c->task;
}

enum weft_dhcpc_state weft_dhcpc_state(const struct weft_dhcpc *c)
{
	return c->state;
}

uint64_t weft_dhcpc_count(const struct weft_dhcpc *c, enum weft_dhcpc_outcome outcome)
{
	return c->counts[outcome];
}
