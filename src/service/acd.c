/* SPDX-License-Identifier: MIT */
/*
 * Address conflict detection (RFC 5227). All doing is in run; input only notes who has the
 * address, so that nobody is called from within a receiver.
 *
 * Another's probe is no conflict of an address that is set already, as 2.1.1 would have it: our
 * machine answers, and who probes gives way. (Where both did, neither would have it.) Of two
 * that both have it each says so once in ten seconds (2.4, c): who was given an address by a
 * person shall keep it and complain, rather than lose it to whoever comes.
 */
#include "service/acd.h"

#include "base/container.h"
#include "base/mac.h"
#include "base/time.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 5227, 1.1. */
#define ANNOUNCEMENTS        2u
#define ANNOUNCE_INTERVAL_NS (2 * NS_PER_S)
#define DEFEND_INTERVAL_NS   (10 * NS_PER_S)

/* How an address is asked for. */
struct pace {
	unsigned probes;
	uint64_t min_ns, max_ns; /* between probes */
	uint64_t wait_ns;        /* after the last */
};

static const struct pace thorough = { 3, NS_PER_S, 2 * NS_PER_S,
				      2 * NS_PER_S }; /* RFC 5227, 1.1. */

/* A room answers within a few hundred milliseconds or is unusable, and the server should have
   looked before (RFC 2131, 2.2). Whoever uses it already does harm until he knows better. */
static const struct pace brief = { 2, NS_PER_S / 4, NS_PER_S / 4, NS_PER_S / 4 };

static void send_arp(struct weft_acd *acd, uint32_t sender_ip, uint64_t now)
{
	uint8_t buf[WEFT_HEADROOM + COMPOSE_ARP_LEN];
	const struct weft_frame frame = {
		.data = buf + WEFT_HEADROOM,
		.len = COMPOSE_ARP_LEN,
		.headroom = WEFT_HEADROOM,
	};
	const struct arp_hdr arp = {
		.op = ARP_OP_REQUEST,
		.sender_mac = acd->opts.mac,
		.sender_ip = sender_ip,
		.target_ip = acd->address,
	};
	compose_arp(NULL, &arp, frame.data);
	acd->opts.send(acd->opts.user, &frame, now);
}

/* ---- what is due ------------------------------------------------------------------------- */

/* The pause after a probe. */
static uint64_t pause_of(struct weft_acd *acd, const struct pace *pace)
{
	return acd->sent == pace->probes
		       ? pace->wait_ns
		       : pace->min_ns +
				 rng_below(&acd->rng, pace->max_ns - pace->min_ns + 1);
}

static void probe(struct weft_acd *acd, uint64_t now)
{
	const bool is_brief = acd->opts.is_offered || acd->opts.is_used;
	const struct pace *pace = is_brief ? &brief : &thorough;
	if (acd->sent == pace->probes) {
		acd->state = WEFT_ACD_ANNOUNCING;
		acd->sent = 0;
		acd->due = 0;
		return;
	}
	acd->sent++;
	acd->due = now + pause_of(acd, pace);
	send_arp(acd, 0, now);
}

static void announce(struct weft_acd *acd, uint64_t now)
{
	acd->sent++;
	acd->due = now + ANNOUNCE_INTERVAL_NS;
	if (acd->sent == ANNOUNCEMENTS) {
		acd->state = WEFT_ACD_WATCHING;
		acd->due = WEFT_NEVER;
	}
	send_arp(acd, acd->address, now);
}

static void meet_rival(struct weft_acd *acd, uint64_t now)
{
	const enum weft_acd_state state = acd->state;
	acd->has_rival = false;
	if (state == WEFT_ACD_PROBING) {
		acd->state = WEFT_ACD_OVER;
		acd->due = WEFT_NEVER;
	} else if (acd->defended_ns && now < acd->defended_ns + DEFEND_INTERVAL_NS) {
		return;
	} else {
		acd->defended_ns = now;
		send_arp(acd, acd->address, now);
	}
	acd->opts.conflict(acd->opts.user, state, acd->rival);
}

void weft_acd_run(struct weft_acd *acd, uint64_t now)
{
	if (acd->has_rival)
		meet_rival(acd, now);
	else if (now >= acd->due && acd->state == WEFT_ACD_PROBING)
		probe(acd, now);
	else if (now >= acd->due && acd->state == WEFT_ACD_ANNOUNCING)
		announce(acd, now);
}

/* ---- what is heard ----------------------------------------------------------------------- */

/* Whether who sent it has our address, or is about to take it as we are (2.1.1). */
static bool is_of_rival(const struct weft_acd *acd, const struct arp_hdr *arp)
{
	const bool is_probe = arp->op == ARP_OP_REQUEST && arp->sender_ip == 0 &&
			      arp->target_ip == acd->address;
	return arp->sender_ip == acd->address || (is_probe && acd->opts.is_offered);
}

void weft_acd_input(struct weft_acd *acd, const struct weft_frame *frame)
{
	struct ether_hdr ether;
	struct arp_hdr arp;
	int off = ether_hdr_parse(frame->data, frame->len, &ether);
	if (off < 0 || ether.tags_n > 0 || ether.type != ETHER_TYPE_ARP ||
	    arp_hdr_parse(frame->data + off, frame->len - (size_t)off, &arp) < 0 ||
	    acd->state == WEFT_ACD_OVER || mac_equal(arp.sender_mac, acd->opts.mac) ||
	    !is_of_rival(acd, &arp))
		return;
	acd->has_rival = true;
	acd->rival = arp.sender_mac;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static void task_run(struct weft_task *task, uint64_t now)
{
	weft_acd_run(container_of(task, struct weft_acd, task), now);
}

uint64_t acd_deadline(const struct weft_acd *acd)
{
	return acd->has_rival ? 0 : acd->due;
}

static uint64_t task_deadline(const struct weft_task *task)
{
	return acd_deadline(container_of_const(task, struct weft_acd, task));
}

int acd_init(struct weft_acd *acd, const struct weft_acd_opts *opts)
{
	if (opts->address.family != AF_INET)
		return -EINVAL;
	*acd = (struct weft_acd){
		.task = { .fd = -1, .run = task_run, .deadline = task_deadline },
		.opts = *opts,
		.address = load_be32(opts->address.octet),
		.state = opts->was_probed ? WEFT_ACD_ANNOUNCING : WEFT_ACD_PROBING,
	};
	rng_init(&acd->rng, opts->seed);
	return 0;
}

int weft_acd_new(const struct weft_acd_opts *opts, struct weft_acd **ret_acd)
{
	struct weft_acd *acd = malloc(sizeof(*acd));
	if (!acd)
		return -ENOMEM;
	int r = acd_init(acd, opts);
	if (r < 0) {
		free(acd);
		return r;
	}
	*ret_acd = acd;
	return 0;
}

void weft_acd_free(struct weft_acd *acd)
{
	free(acd);
}

struct weft_task *weft_acd_task(struct weft_acd *acd)
{
	return &acd->task;
}

enum weft_acd_state weft_acd_state(const struct weft_acd *acd)
{
	return acd->state;
}
