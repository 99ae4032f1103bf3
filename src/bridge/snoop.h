/* SPDX-License-Identifier: MIT */
/*
 * Who behind which port wants which multicast group, overheard from IGMP and MLD (RFC 4541),
 * so that a stream goes to those who watch it and not to everyone.
 *
 *     report   "I am in G"   --> membership (G, port), for 260 s;  goes on to routers only
 *     query    "who is in?"  --> its port leads to a router;       goes to everyone
 *     data to G              --> everyone, or routers and members of G
 *
 * It must never cost a game the frames by which it finds others, and games and consoles are
 * careless with IGMP. So a port is kept from a group only where all of this holds, and any
 * doubt, loss or full table means that it gets everything, as without snooping:
 *
 *   - there is one station behind it, which has been asked what it is in, has had the time
 *     to answer, goes on being asked and goes on answering;
 *   - it has not said that it is in the group;
 *   - the group is not of the link itself (224.0.0.0/24, ff02::/16), which hosts need not
 *     report, and the sender has had its SNOOP_FREE_RATE of frames to that group a second:
 *     what looks for others is less than that, and streams are more.
 *
 * Reports go to routers only because a host of IGMP 1 or 2 that hears another one's report
 * keeps its own to itself (RFC 4541, 2.1.1).
 *
 * Somebody has to ask. Where no querier is heard, the caller sends general queries to each
 * port when snoop_due says so, each SNOOP_INTERVAL_NS; but only while there is a stream, so
 * that a network without any never hears of this.
 */
#ifndef BRIDGE_SNOOP_H
#define BRIDGE_SNOOP_H

#include "base/bucket.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/time.h"

#include <weft/addr.h>
#include <weft/bridge.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Between two queries, and what hosts have for their answers (RFC 3376, 8.2 and 8.3). */
#define SNOOP_INTERVAL_NS (125 * NS_PER_S)
#define SNOOP_ANSWER_NS   (10 * NS_PER_S)

/** A port is asked first when its link has had the time to come up. */
#define SNOOP_FIRST_NS (2 * NS_PER_S)

/** From a port's first query to its second (RFC 3376, 8.6). */
#define SNOOP_STARTUP_NS (SNOOP_INTERVAL_NS / 4)

/** How long a report is believed (RFC 3376, 8.4), and a querier (8.5). */
#define SNOOP_MEMBER_NS  (2 * SNOOP_INTERVAL_NS + SNOOP_ANSWER_NS)
#define SNOOP_QUERIER_NS (2 * SNOOP_INTERVAL_NS + SNOOP_ANSWER_NS / 2)

/** Groups that are remembered of one port; one with more gets everything. */
#define SNOOP_PORT_GROUPS_MAX 64u

/** Pairs of sender and group whose rate is looked at; beyond, frames go to everyone. */
#define SNOOP_FLOWS_MAX 512u

/**
 * Frames a second of one port to one group that go to everyone whatever was reported, unless
 * told otherwise.
 */
#define SNOOP_FREE_RATE  64u
#define SNOOP_FREE_BURST 128u

/** What is known of a port in one family. Times are 0 for never. */
struct snoop_voice {
	uint64_t asked_first_ns, asked_ns; /**< A general query went there. */
	uint64_t answered_ns;              /**< A report came from there soon after. */
};

/** What snooping keeps of a port. Embedded. */
struct snoop_port {
	struct heap_node ask; /**< When it is to be asked next. */
	struct list of_snoop;
	struct list memberships;
	unsigned memberships_n;
	unsigned turns_n;      /**< 0: new; 1: its link has come up; 2: has been asked. */
	uint32_t number;       /**< Of its own on this bridge. */
	bool is_router;        /**< Always gets everything, and is never asked by us. */
	uint64_t router_until; /**< Queries came from there. */
	uint64_t full_until;   /**< It has reported more than is remembered. */
	struct snoop_voice voices[2];
};

/** Where a frame to a group goes. */
enum snoop_reach {
	SNOOP_TO_ALL,
	SNOOP_TO_ROUTERS,
	SNOOP_TO_MEMBERS, /**< Of the group, to routers, and to whoever may not be left out. */
};

struct snoop_way {
	enum snoop_reach reach;
	struct weft_ip group; /**< With SNOOP_TO_MEMBERS. */
};

/** So many frames a second, and that many at once; rate 0: all. */
struct snoop_rate {
	uint32_t rate, burst;
};

struct snoop {
	struct table *memberships; /**< Of group and port. */
	struct table *flows;       /**< Of group and sending port. */
	struct list ports;
	struct heap asks;
	struct snoop_rate free; /**< Frames of a flow that go to everyone. */
	uint32_t last_number;
	uint64_t querier_until[2]; /**< Another querier is believed in. */
	uint64_t wanted_until;     /**< There has been a stream: ports are to be asked. */
	uint64_t swept_ns;         /**< When flows were tidied up last. */
	uint64_t *events;          /**< Of the bridge: WEFT_BRIDGE_EVENTS of them. */
};

/**
 * Begins with no ports; ports_max are to come. events is where WEFT_BRIDGE_GROUP_* are
 * counted. Returns 0 or -ENOMEM.
 */
int snoop_init(struct snoop *s, uint32_t ports_max, const uint8_t secret[HASH_SECRET_LEN],
	       uint64_t *events) WEFT_MUST_CHECK;

/** Frees all but the ports, which are there still or were taken out. */
void snoop_fini(struct snoop *s);

/** Another rate of frames that go to everyone, also of flows that are there. */
void snoop_set_free(struct snoop *s, struct snoop_rate rate);

/** Something may have been missed: whoever has answered has to do so again. */
void snoop_doubt(struct snoop *s);

/** Begins a port. Returns 0 or -ENOMEM. */
int snoop_port_init(struct snoop *s, struct snoop_port *port,
		    bool is_router) WEFT_MUST_CHECK;

/** Forgets a port. */
void snoop_port_fini(struct snoop *s, struct snoop_port *port);

/** Says where a frame to a group address goes that came in on the port, and learns from it. */
struct snoop_way snoop_decide(struct snoop *s, struct snoop_port *ingress,
			      const struct weft_frame *frame, uint64_t now);

/** Whether a frame on that way goes out on the port, behind which there is one station. */
bool snoop_reaches(const struct snoop *s, const struct snoop_way *way,
		   const struct snoop_port *egress, uint64_t now);

/** Whether two frames can be sent together. */
bool snoop_way_is_same(const struct snoop_way *a, const struct snoop_way *b);

/** When a port is to be asked next; WEFT_NEVER while none is. */
uint64_t snoop_deadline(const struct snoop *s);

/**
 * Takes a port that is due to be asked, and puts it off to the next time. ret_families says
 * for which of IPv4 (bit 0) and IPv6 (bit 1) a query is to be sent there. NULL when none is.
 */
struct snoop_port *snoop_due(struct snoop *s, uint64_t now, unsigned *ret_families);

#endif
