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
#include "service/dhcpc.h"

#include "base/array.h"
#include "base/container.h"
#include "service/dhcp_lease.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* DHCPREQUESTs before beginning anew, in half a minute (RFC 2131, 3.1 5: four in a whole). */
#define REQUESTS_MAX 4u

/* RFC 2131, 3.1 5: the pause after a declined address. */
#define DECLINE_PAUSE_NS (10ull * NS_PER_S)

/* RFC 2131, 4.4.5: no more often than this while there is an address. */
#define RENEW_PAUSE_MIN_NS (60ull * NS_PER_S)

/* However often we are hurried: a peer may come and go to make us send. */
#define HURRY_PAUSE_NS (NS_PER_S / 4)

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
	return (unsigned)state < WEFT_DHCPC_STATES ? names[state] : "unknown";
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
	return (unsigned)outcome < WEFT_DHCPC_OUTCOMES ? names[outcome] : "unknown";
}

/* States */

#define TO(state) (1u << WEFT_DHCPC_##state)

void dhcpc_enter(struct weft_dhcpc *c, enum weft_dhcpc_state state, uint64_t due)
{
	static const unsigned allowed[] = {
		[WEFT_DHCPC_INIT] = TO(SELECTING) | TO(STOPPED),
		[WEFT_DHCPC_SELECTING] = TO(REQUESTING) | TO(STOPPED),
		[WEFT_DHCPC_REQUESTING] =
			TO(INIT) | TO(CHECKING) | TO(BOUND) | TO(STOPPED),
		[WEFT_DHCPC_CHECKING] = TO(INIT) | TO(BOUND) | TO(STOPPED),
		[WEFT_DHCPC_BOUND] = TO(RENEWING) | TO(REBINDING) | TO(STOPPED),
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
	uint64_t jitter = pause == 1 ? NS_PER_S / 4 : NS_PER_S;
	return pause * NS_PER_S - jitter + rng_below(&c->rng, 2 * jitter + 1);
}

void dhcpc_begin_anew(struct weft_dhcpc *c, uint64_t pause_min_ns, uint64_t now)
{
	uint64_t pause = backoff(c, c->failures++);
	c->wanted = 0;
	dhcpc_enter(c, WEFT_DHCPC_INIT,
		    now + (pause > pause_min_ns ? pause : pause_min_ns));
}

/* Steps: what each state does when it is due */

static void new_exchange(struct weft_dhcpc *c, uint64_t now)
{
	c->xid = (uint32_t)rng_u64(&c->rng);
	c->begun = now;
}

static void step_selecting(struct weft_dhcpc *c, uint64_t now)
{
	struct dhcp_msg msg = dhcpc_message(c, DHCP_DISCOVER, now);
	msg.broadcast = true;
	msg.requested_ip = c->wanted;
	c->due = now + backoff(c, c->attempts++);
	dhcpc_broadcast(c, &msg, now);
}

static void step_init(struct weft_dhcpc *c, uint64_t now)
{
	new_exchange(c, now);
	dhcpc_enter(c, WEFT_DHCPC_SELECTING, now);
	step_selecting(c, now);
}

static void step_requesting(struct weft_dhcpc *c, uint64_t now)
{
	if (c->attempts == REQUESTS_MAX) {
		dhcpc_enter(c, WEFT_DHCPC_INIT, now);
		return;
	}
	struct dhcp_msg msg = dhcpc_message(c, DHCP_REQUEST, now);
	msg.broadcast = true;
	msg.requested_ip = dhcp_ip_number(&c->lease.address);
	msg.server_id = dhcp_ip_number(&c->lease.server);
	c->asked = now;
	c->due = now + backoff(c, c->attempts++);
	dhcpc_broadcast(c, &msg, now);
}

static void decline(struct weft_dhcpc *c, uint64_t now)
{
	struct dhcp_msg msg = dhcpc_message(c, DHCP_DECLINE, now);
	msg.requested_ip = dhcp_ip_number(&c->lease.address);
	msg.server_id = dhcp_ip_number(&c->lease.server);
	const struct weft_ip address = c->lease.address;
	dhcpc_begin_anew(c, DECLINE_PAUSE_NS, now);
	dhcpc_broadcast(c, &msg, now);
	if (c->opts.conflict)
		c->opts.conflict(c->opts.user, &address, c->acd.rival);
}

static void step_checking(struct weft_dhcpc *c, uint64_t now)
{
	weft_acd_run(&c->acd, now);
	switch (weft_acd_state(&c->acd)) {
	case WEFT_ACD_PROBING:
		c->due = acd_deadline(&c->acd);
		break;
	case WEFT_ACD_OVER:
		decline(c, now);
		break;
	default: /* Free. Who sets it announces it. */
		dhcpc_enter(c, WEFT_DHCPC_BOUND, now);
		break;
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
	dhcpc_enter(c, WEFT_DHCPC_RENEWING, now);
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
		dhcpc_enter(c, WEFT_DHCPC_REBINDING, now);
		return;
	}
	struct dhcp_msg msg = dhcpc_message(c, DHCP_REQUEST, now);
	msg.ciaddr = dhcp_ip_number(&c->lease.address);
	c->asked = now;
	c->due = now + renew_pause(c->rebind, now);
	dhcpc_unicast(c, &msg, now);
}

static void step_rebinding(struct weft_dhcpc *c, uint64_t now)
{
	if (now >= c->expiry) {
		dhcpc_enter(c, WEFT_DHCPC_INIT, now);
		return;
	}
	struct dhcp_msg msg = dhcpc_message(c, DHCP_REQUEST, now);
	msg.ciaddr = dhcp_ip_number(&c->lease.address);
	c->asked = now;
	c->due = now + renew_pause(c->expiry, now);
	dhcpc_broadcast(c, &msg, now);
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

void weft_dhcpc_confirm(struct weft_dhcpc *c, uint64_t now)
{
	if (!c->told)
		return;
	if (c->state == WEFT_DHCPC_BOUND)
		new_exchange(c, now);
	if (c->state == WEFT_DHCPC_BOUND || c->state == WEFT_DHCPC_RENEWING)
		dhcpc_enter(c, WEFT_DHCPC_REBINDING, now);
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
		(void)snprintf(c->hostname, sizeof(c->hostname), "%s", opts->hostname);
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
	dhcpc_enter(c, WEFT_DHCPC_STOPPED, WEFT_NEVER);
	if (!is_held)
		return;
	new_exchange(c, now);
	struct dhcp_msg msg = dhcpc_message(c, DHCP_RELEASE, now);
	msg.ciaddr = dhcp_ip_number(&c->lease.address);
	msg.server_id = dhcp_ip_number(&c->lease.server);
	dhcpc_unicast(c, &msg, now);
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
	return (unsigned)outcome < WEFT_DHCPC_OUTCOMES ? c->counts[outcome] : 0;
}
