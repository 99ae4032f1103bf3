/* SPDX-License-Identifier: MIT */
/*
 * Memberships stand in one table, of group and port, so that a frame on its way costs one
 * look-up per port and holds on to nothing; and on their port's list, so that they go with it.
 * Nothing has a timer: what has expired is passed over, and is tidied up when its place is
 * wanted.
 */
#include "bridge/snoop.h"

#include "base/container.h"
#include "base/table.h"
#include "base/time.h"
#include "wire/igmp.h"
#include "wire/segment.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Places for memberships of all ports together. */
#define MEMBERSHIPS_MAX 16384u

/* An answer may be late by so much: it goes over the Internet, as the query did. */
#define SLACK_NS (2 * NS_PER_S)

/* A flow that has been silent for so long gives its place to another. */
#define FLOW_SILENT_NS (10 * NS_PER_S)

/* Between two walks over all flows, which a full table asks for. */
#define SWEEP_NS NS_PER_S

/* A group as one port is concerned with it. No padding: it is hashed as it lies. */
struct key {
	uint8_t group[16];
	uint32_t port;
	uint32_t family;
};

struct membership {
	struct key key;
	struct list of_port;
	uint64_t until;
};

struct flow {
	struct bucket free;
	uint64_t seen_ns;
};

static struct key key_of(const struct weft_ip *group, const struct snoop_port *port)
{
	struct key key = { .port = port->number, .family = group->family };
	memcpy(key.group, group->octet, sizeof(key.group));
	return key;
}

static unsigned voice_of(uint8_t family)
{
	return family == AF_INET6;
}

static void count(struct snoop *s, enum weft_bridge_event event)
{
	s->events[event]++;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int snoop_init(struct snoop *s, uint32_t ports_max, const uint8_t secret[HASH_SECRET_LEN],
	       uint64_t *events)
{
	const size_t wanted = (size_t)ports_max * SNOOP_PORT_GROUPS_MAX;
	*s = (struct snoop){ .free = { SNOOP_FREE_RATE, SNOOP_FREE_BURST } };
	s->events = events;
	list_init(&s->ports);
	int r = table_new(sizeof(struct key),
			  wanted < MEMBERSHIPS_MAX ? wanted : MEMBERSHIPS_MAX, secret,
			  &s->memberships);
	if (r == 0)
		r = table_new(sizeof(struct key), SNOOP_FLOWS_MAX, secret, &s->flows);
	if (r < 0)
		snoop_fini(s);
	return r;
}

static void free_values(struct table *t)
{
	struct table_iter it;
	const void *key;
	void *value;
	if (!t)
		return;
	table_iter_init(&it, t);
	while (table_iter_next(&it, &key, &value))
		free(value);
	table_free(t);
}

void snoop_fini(struct snoop *s)
{
	free_values(s->memberships);
	free_values(s->flows);
	heap_fini(&s->asks);
	*s = (struct snoop){ .events = NULL };
}

void snoop_set_free(struct snoop *s, struct snoop_rate rate)
{
	struct table_iter it;
	const void *key;
	void *flow;
	if (rate.rate == s->free.rate && rate.burst == s->free.burst)
		return;
	s->free = rate;
	table_iter_init(&it, s->flows);
	while (table_iter_next(&it, &key, &flow))
		((struct flow *)flow)->free = bucket_of(rate.rate, rate.burst);
}

void snoop_doubt(struct snoop *s)
{
	list_for_each (node, &s->ports)
		memset(container_of(node, struct snoop_port, of_snoop)->voices, 0,
		       sizeof(((struct snoop_port *)NULL)->voices));
}

int snoop_port_init(struct snoop *s, struct snoop_port *port, bool is_router)
{
	*port = (struct snoop_port){ .ask.deadline = s->wanted_until ? 0 : WEFT_NEVER,
				     .number = ++s->last_number,
				     .is_router = is_router };
	list_init(&port->memberships);
	list_init(&port->of_snoop);
	int r = is_router ? 0 : heap_insert(&s->asks, &port->ask);
	if (r == 0)
		list_push_back(&s->ports, &port->of_snoop);
	return r;
}

static void membership_end(struct snoop *s, struct snoop_port *port,
			   struct membership *membership)
{
	(void)table_remove(s->memberships, &membership->key);
	list_remove(&membership->of_port);
	free(membership);
	port->memberships_n--;
}

void snoop_port_fini(struct snoop *s, struct snoop_port *port)
{
	list_for_each (node, &port->memberships)
		membership_end(s, port, container_of(node, struct membership, of_port));
	heap_remove(&s->asks, &port->ask);
	list_remove(&port->of_snoop);
}

/* ---- reports ----------------------------------------------------------------------------- */

static void forget_expired(struct snoop *s, struct snoop_port *port, uint64_t now)
{
	list_for_each (node, &port->memberships) {
		struct membership *membership =
			container_of(node, struct membership, of_port);
		if (membership->until <= now)
			membership_end(s, port, membership);
	}
}

static struct membership *membership_make(struct snoop *s, struct snoop_port *port,
					  const struct key *key, uint64_t now)
{
	if (port->memberships_n == SNOOP_PORT_GROUPS_MAX)
		forget_expired(s, port, now);
	if (port->memberships_n == SNOOP_PORT_GROUPS_MAX)
		return NULL;
	struct membership *membership = malloc(sizeof(*membership));
	if (!membership)
		return NULL;
	*membership = (struct membership){ .key = *key };
	if (table_set(s->memberships, key, membership) < 0) {
		free(membership);
		return NULL;
	}
	list_push_back(&port->memberships, &membership->of_port);
	port->memberships_n++;
	return membership;
}

/* Leaving works at once: there is one station behind a port that is kept from anything. */
static void take_record(struct snoop *s, struct snoop_port *port,
			const struct igmp_record *record, uint64_t now)
{
	const struct key key = key_of(&record->group, port);
	struct membership *membership = table_get(s->memberships, &key);
	if (!record->is_member) {
		if (membership)
			membership_end(s, port, membership);
		return;
	}
	if (!membership)
		membership = membership_make(s, port, &key, now);
	if (membership) {
		membership->until = now + SNOOP_MEMBER_NS;
	} else {
		port->full_until = now + SNOOP_MEMBER_NS;
		count(s, WEFT_BRIDGE_GROUP_FULL);
	}
}

/*
 * A report at another time than after a query says what its host has just done, and not that
 * it would say what it did before.
 */
static void note_answer(struct snoop_voice *voice, uint64_t now)
{
	if (voice->asked_ns != 0 && now <= voice->asked_ns + SNOOP_ANSWER_NS + SLACK_NS)
		voice->answered_ns = now;
}

static struct snoop_way take_report(struct snoop *s, struct snoop_port *port,
				    struct igmp_msg *msg, uint64_t now)
{
	struct igmp_record record;
	while (igmp_next(msg, &record))
		take_record(s, port, &record, now);
	note_answer(&port->voices[voice_of(msg->family)], now);
	count(s, WEFT_BRIDGE_GROUP_REPORT);
	return (struct snoop_way){ .reach = SNOOP_TO_ROUTERS };
}

/* ---- queries ----------------------------------------------------------------------------- */

static void note_asked(struct snoop_port *port, unsigned voice, uint64_t now)
{
	struct snoop_voice *v = &port->voices[voice];
	if (v->asked_first_ns == 0)
		v->asked_first_ns = now;
	v->asked_ns = now;
}

static struct snoop_way take_query(struct snoop *s, struct snoop_port *port,
				   const struct igmp_msg *msg, uint64_t now)
{
	const unsigned voice = voice_of(msg->family);
	port->router_until = now + SNOOP_QUERIER_NS;
	count(s, WEFT_BRIDGE_GROUP_QUERY);
	if (!msg->is_general)
		return (struct snoop_way){ .reach = SNOOP_TO_ALL };
	s->querier_until[voice] = now + SNOOP_QUERIER_NS;
	list_for_each (node, &s->ports) {
		struct snoop_port *other =
			container_of(node, struct snoop_port, of_snoop);
		if (other != port)
			note_asked(other, voice, now);
	}
	return (struct snoop_way){ .reach = SNOOP_TO_ALL };
}

uint64_t snoop_deadline(const struct snoop *s)
{
	const struct heap_node *first = heap_min(&s->asks);
	return first ? first->deadline : WEFT_NEVER;
}

/* There is a stream: all who are not being asked already are from now on. */
static void want_answers(struct snoop *s, uint64_t now)
{
	const bool was_wanted = now < s->wanted_until;
	s->wanted_until = now + SNOOP_QUERIER_NS;
	if (was_wanted)
		return;
	list_for_each (node, &s->ports) {
		struct snoop_port *port = container_of(node, struct snoop_port, of_snoop);
		if (!heap_holds(&port->ask))
			continue;
		port->turns_n = port->turns_n ? port->turns_n : 1;
		heap_change(&s->asks, &port->ask, now);
	}
}

/* Puts the port off, and says for which families it is to be asked now. */
static unsigned take_turn(struct snoop *s, struct snoop_port *port, uint64_t now)
{
	static const uint64_t pauses_ns[] = { SNOOP_FIRST_NS, SNOOP_STARTUP_NS };
	const unsigned turn = port->turns_n;
	unsigned families = 0;
	if (now >= s->wanted_until) {
		heap_change(&s->asks, &port->ask, WEFT_NEVER);
		return 0;
	}
	if (turn < 2)
		port->turns_n++;
	heap_change(&s->asks, &port->ask,
		    now + (turn < 2 ? pauses_ns[turn] : SNOOP_INTERVAL_NS));
	for (unsigned voice = 0; turn > 0 && voice < 2; voice++) {
		if (turn > 1 && now < s->querier_until[voice])
			continue;
		note_asked(port, voice, now);
		families |= 1u << voice;
	}
	return families;
}

struct snoop_port *snoop_due(struct snoop *s, uint64_t now, unsigned *ret_families)
{
	struct heap_node *first;
	while ((first = heap_min(&s->asks)) && first->deadline <= now) {
		struct snoop_port *port = container_of(first, struct snoop_port, ask);
		*ret_families = take_turn(s, port, now);
		if (*ret_families)
			return port;
	}
	return NULL;
}

/* ---- frames ------------------------------------------------------------------------------ */

/* Of this link: hosts need not report these, and do not (RFC 4541, 2.1.2 and 3). */
static bool is_of_link(const struct weft_ip *group)
{
	static const uint8_t link4[] = { 224, 0, 0 };
	return group->family == AF_INET ? memcmp(group->octet, link4, sizeof(link4)) == 0
					: (group->octet[1] & 0x0f) <= 2;
}

static void sweep_flows(struct snoop *s, uint64_t now)
{
	struct table_iter it;
	const void *key;
	void *value;
	if (s->swept_ns && now < s->swept_ns + SWEEP_NS)
		return;
	s->swept_ns = now;
	table_iter_init(&it, s->flows);
	while (table_iter_next(&it, &key, &value)) {
		if (now < ((const struct flow *)value)->seen_ns + FLOW_SILENT_NS)
			continue;
		(void)table_remove(s->flows, key);
		free(value);
	}
}

static struct flow *flow_make(struct snoop *s, const struct key *key, uint64_t now)
{
	if (table_count(s->flows) == SNOOP_FLOWS_MAX)
		sweep_flows(s, now);
	if (table_count(s->flows) == SNOOP_FLOWS_MAX)
		return NULL;
	struct flow *flow = malloc(sizeof(*flow));
	if (!flow)
		return NULL;
	*flow = (struct flow){ .free = bucket_of(s->free.rate, s->free.burst) };
	if (table_set(s->flows, key, flow) < 0) {
		free(flow);
		return NULL;
	}
	return flow;
}

/* Whether the sender's frames to the group are still few. */
static bool is_free(struct snoop *s, const struct snoop_port *ingress,
		    const struct weft_ip *group, const struct weft_frame *frame,
		    uint64_t now)
{
	const struct key key = key_of(group, ingress);
	struct flow *flow = table_get(s->flows, &key);
	if (!flow)
		flow = flow_make(s, &key, now);
	if (!flow) {
		count(s, WEFT_BRIDGE_GROUP_FULL);
		return true;
	}
	flow->seen_ns = now;
	return bucket_take(&flow->free, segment_count(frame), now);
}

struct snoop_way snoop_decide(struct snoop *s, struct snoop_port *ingress,
			      const struct weft_frame *frame, uint64_t now)
{
	struct snoop_way way = { .reach = SNOOP_TO_ALL };
	struct igmp_msg msg;
	int r = igmp_find(frame, &msg);
	if (r == 0)
		return msg.kind == IGMP_QUERY ? take_query(s, ingress, &msg, now)
					      : take_report(s, ingress, &msg, now);
	if (r == -EBADMSG || !igmp_group_of(frame, &way.group) ||
	    is_of_link(&way.group) || is_free(s, ingress, &way.group, frame, now))
		return way;
	want_answers(s, now);
	way.reach = SNOOP_TO_MEMBERS;
	count(s, WEFT_BRIDGE_GROUP_PRUNED);
	return way;
}

static bool is_recent(uint64_t at, uint64_t now)
{
	return now < at + SNOOP_MEMBER_NS;
}

/* Whether what the port has not reported is nothing that it wants. */
static bool may_be_left_out(const struct snoop_port *port, uint8_t family, uint64_t now)
{
	const struct snoop_voice *v = &port->voices[voice_of(family)];
	return now >= port->full_until && v->asked_first_ns != 0 &&
	       now >= v->asked_first_ns + 2 * SNOOP_ANSWER_NS && v->answered_ns != 0 &&
	       is_recent(v->answered_ns, now);
}

bool snoop_reaches(const struct snoop *s, const struct snoop_way *way,
		   const struct snoop_port *egress, uint64_t now)
{
	const bool is_router = egress->is_router || now < egress->router_until;
	if (way->reach == SNOOP_TO_ALL || is_router)
		return true;
	if (way->reach == SNOOP_TO_ROUTERS)
		return false;
	const struct key key = key_of(&way->group, egress);
	const struct membership *membership = table_get(s->memberships, &key);
	return (membership && now < membership->until) ||
	       !may_be_left_out(egress, way->group.family, now);
}

bool snoop_way_is_same(const struct snoop_way *a, const struct snoop_way *b)
{
	return a->reach == b->reach &&
	       (a->reach != SNOOP_TO_MEMBERS ||
		(a->group.family == b->group.family &&
		 memcmp(a->group.octet, b->group.octet, sizeof(a->group.octet)) == 0));
}
