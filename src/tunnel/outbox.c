/* SPDX-License-Identifier: MIT */
/*
 * Each packet is one block of memory with its record in it, so that putting out is copying.
 * Ages are looked at when something is pushed or put out: between the two nobody can tell.
 *
 * A queue knows its packets by a list, and so does the outbox, by their age; as a queue is in
 * order, the oldest packet of all is the first of its queue.
 *
 * A queue is made when it is needed and kept until outbox_trim, so that CoDel remembers what it
 * knew of a flow that had nothing to send for a moment. An idle outbox has none.
 *
 * OUTBOX_QUANTUM is small beside a super-frame: a queue of those is passed over some forty times
 * for each, which is little beside the copying, and lets packets of usual length have their
 * share in between.
 */
#include "tunnel/outbox.h"

#include "base/hash.h"
#include "tunnel/codel.h"
#include "wire/ecn.h"
#include "wire/flow_key.h"
#include "wire/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a flow of usual packets can have waiting without that being called a queue. */
#define SHORT_LEN 1514u

/* How many packets the longest queue loses at once where there is no room (RFC 8290, 4.1). */
#define FULL_BATCH 64u

struct outbox_packet {
	struct list node;         /* in its queue, or in control */
	struct list by_age;       /* in the outbox; not of control */
	struct outbox_flow *flow; /* NULL for control */
	uint64_t since;           /* when it was pushed */
	unsigned lane;            /* of control: the one that it is for */
	size_t len;
	uint8_t record[];
};

struct outbox_flow {
	struct list node;    /* in its lane's fresh or turns, or in none */
	struct list packets; /* outbox_packet, in order */
	size_t n, len;       /* how many, and the bytes of their records */
	int64_t credit;      /* bytes that it may still put out in this turn */
	struct codel codel;
	unsigned lane;
};

static struct outbox_packet *packet_of(struct list *node)
{
	return container_of(node, struct outbox_packet, node);
}

static struct outbox_flow *flow_of(struct list *node)
{
	return container_of(node, struct outbox_flow, node);
}

/* ---- lanes ------------------------------------------------------------------------------- */

/* The first open one from start on, around the end; start where none is. */
static unsigned open_from(const struct outbox *q, unsigned start)
{
	for (unsigned i = 0; i < q->lanes_n; i++) {
		unsigned lane = (start + i) % q->lanes_n;
		if (q->lanes[lane].is_open)
			return lane;
	}
	return start < q->lanes_n ? start : 0;
}

static unsigned lane_of(const struct outbox *q, unsigned bucket)
{
	return open_from(q, bucket % q->lanes_n);
}

static bool is_open(const struct outbox *q, unsigned lane)
{
	return lane < q->lanes_n && q->lanes[lane].is_open;
}

/* Has every queue stand where it can go out. In its new lane it has had its turn. */
static void move_all(struct outbox *q)
{
	for (unsigned i = 0; q->flows && i < OUTBOX_FLOWS; i++) {
		struct outbox_flow *flow = q->flows[i];
		if (!flow || is_open(q, flow->lane))
			continue;
		q->lanes[flow->lane].n -= flow->n;
		flow->lane = lane_of(q, i);
		q->lanes[flow->lane].n += flow->n;
		if (list_is_empty(&flow->node))
			continue;
		list_remove(&flow->node);
		list_push_back(&q->lanes[flow->lane].turns, &flow->node);
	}
}

void outbox_set_lanes(struct outbox *q, unsigned n)
{
	q->lanes_n = n;
	move_all(q);
}

static void cut(struct outbox *q, struct outbox_lane *lane)
{
	if (!lane->begun)
		return;
	if (lane->begun->flow) {
		q->len -= lane->begun->len;
		q->dropped_cut++;
	}
	free(lane->begun);
	lane->begun = NULL;
}

void outbox_open(struct outbox *q, unsigned lane)
{
	cut(q, &q->lanes[lane]);
	q->lanes[lane].is_open = true;
	move_all(q);
}

void outbox_close(struct outbox *q, unsigned lane)
{
	cut(q, &q->lanes[lane]);
	q->lanes[lane].is_open = false;
	move_all(q);
}

/* ---- beginning and end ------------------------------------------------------------------- */

void outbox_init(struct outbox *q, const uint8_t *secret, bool is_ip)
{
	*q = (struct outbox){ .secret = secret, .is_ip = is_ip, .lanes_n = 1 };
	list_init(&q->by_age);
	list_init(&q->control);
	for (unsigned i = 0; i < OUTBOX_LANES_MAX; i++) {
		list_init(&q->lanes[i].fresh);
		list_init(&q->lanes[i].turns);
	}
}

/* Takes a packet out of its queue; it still counts as waiting. */
static void take_off(struct outbox *q, struct outbox_packet *packet)
{
	struct outbox_flow *flow = packet->flow;
	list_remove(&packet->node);
	list_remove(&packet->by_age);
	flow->len -= packet->len;
	flow->n--;
	q->lanes[flow->lane].n--;
}

static void drop(struct outbox *q, struct outbox_packet *packet)
{
	take_off(q, packet);
	q->len -= packet->len;
	free(packet);
}

void outbox_drop_control(struct outbox *q)
{
	list_for_each (node, &q->control) {
		list_remove(node);
		free(packet_of(node));
	}
	q->control_n = 0;
	q->control_len = 0;
}

static void free_flows(struct outbox *q)
{
	for (unsigned i = 0; q->flows && i < OUTBOX_FLOWS; i++) {
		if (q->flows[i])
			list_remove(&q->flows[i]->node);
		free(q->flows[i]);
	}
	free(q->flows);
	q->flows = NULL;
}

void outbox_trim(struct outbox *q)
{
	if (q->len == 0)
		free_flows(q);
}

void outbox_fini(struct outbox *q)
{
	outbox_drop_control(q);
	for (unsigned i = 0; i < OUTBOX_LANES_MAX; i++)
		cut(q, &q->lanes[i]);
	list_for_each (node, &q->by_age)
		drop(q, container_of(node, struct outbox_packet, by_age));
	free_flows(q);
}

/* ---- in ---------------------------------------------------------------------------------- */

static bool has_begun(const struct outbox *q)
{
	for (unsigned i = 0; i < q->lanes_n; i++)
		if (q->lanes[i].begun)
			return true;
	return false;
}

/* They are in the order of their age: the first that is young enough ends it. */
static void drop_old(struct outbox *q, uint64_t now)
{
	if (list_is_empty(&q->by_age))
		return;
	struct list *node = q->by_age.next;
	if (!has_begun(q))
		node = node->next;
	while (node != &q->by_age) {
		struct outbox_packet *packet =
			container_of(node, struct outbox_packet, by_age);
		node = node->next;
		if (now <= packet->since + OUTBOX_AGE_NS)
			return;
		drop(q, packet);
		q->dropped_old++;
	}
}

/* A queue that another lane has taken over goes home when none of its packets is left there. */
static void pin(struct outbox *q, struct outbox_flow *flow, unsigned bucket)
{
	const struct outbox_packet *begun = q->lanes[flow->lane].begun;
	if (flow->n > 0 || (begun && begun->flow == flow))
		return;
	const unsigned lane = lane_of(q, bucket);
	if (lane != flow->lane)
		list_remove(&flow->node);
	flow->lane = lane;
}

/* Makes the queue of a packet if there is none. NULL without memory. */
static struct outbox_flow *flow_for(struct outbox *q, const struct weft_frame *packet)
{
	uint8_t key[FLOW_KEY_MAX];
	size_t key_len = flow_key(packet->data, packet->len, q->is_ip, key);
	unsigned bucket = hash_bytes(q->secret, key, key_len) % OUTBOX_FLOWS;
	if (!q->flows)
		q->flows = calloc(OUTBOX_FLOWS, sizeof(struct outbox_flow *));
	if (!q->flows)
		return NULL;
	if (q->flows[bucket]) {
		pin(q, q->flows[bucket], bucket);
		return q->flows[bucket];
	}
	struct outbox_flow *flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	list_init(&flow->node);
	list_init(&flow->packets);
	flow->lane = lane_of(q, bucket);
	q->flows[bucket] = flow;
	return flow;
}

static struct outbox_flow *longest(const struct outbox *q)
{
	struct outbox_flow *most = NULL;
	for (unsigned i = 0; i < OUTBOX_FLOWS; i++)
		if (q->flows[i] && (!most || q->flows[i]->len > most->len))
			most = q->flows[i];
	return most;
}

/*
 * Where there is no room the longest queue loses its first packets, half of it and FULL_BATCH at
 * most, so that the search is rare. The longest itself gets no more.
 */
static bool make_room(struct outbox *q, const struct outbox_flow *flow, size_t len)
{
	if (q->len + len <= OUTBOX_LEN_MAX)
		return true;
	struct outbox_flow *fat = longest(q);
	const size_t enough = fat->len / 2;
	unsigned left = fat != flow ? FULL_BATCH : 0;
	list_for_each (node, &fat->packets) {
		if (left-- == 0 || fat->len <= enough)
			break;
		drop(q, packet_of(node));
		q->dropped_full++;
	}
	return q->len + len <= OUTBOX_LEN_MAX;
}

static void append(struct outbox *q, struct outbox_flow *flow,
		   struct outbox_packet *packet)
{
	packet->flow = flow;
	list_push_back(&flow->packets, &packet->node);
	list_push_back(&q->by_age, &packet->by_age);
	flow->len += packet->len;
	flow->n++;
	q->lanes[flow->lane].n++;
	q->len += packet->len;
	if (!list_is_empty(&flow->node))
		return;
	flow->credit = OUTBOX_QUANTUM;
	list_push_back(&q->lanes[flow->lane].fresh, &flow->node);
}

int outbox_push(struct outbox *q, const struct weft_frame *packet, uint64_t now)
{
	const size_t len = TUNNEL_LEN + packet->len;
	drop_old(q, now);
	struct outbox_flow *flow = flow_for(q, packet);
	if (!flow || !make_room(q, flow, len)) {
		q->dropped_full++;
		return flow ? -ENOBUFS : -ENOMEM;
	}
	struct outbox_packet *copy = malloc(sizeof(*copy) + len);
	int r = copy ? tunnel_emit(copy->record, len, packet) : -ENOMEM;
	if (r < 0) {
		q->dropped_length += r == -EMSGSIZE;
		q->dropped_full += r == -ENOMEM;
		free(copy);
		return r;
	}
	copy->since = now;
	copy->len = len;
	append(q, flow, copy);
	return (int)flow->lane;
}

int outbox_push_control(struct outbox *q, unsigned lane, const char *text, size_t n)
{
	const size_t len = tunnel_control_len(n);
	const bool has_room = q->control_n < OUTBOX_CONTROL_MAX &&
			      q->control_len + len <= OUTBOX_CONTROL_LEN_MAX;
	struct outbox_packet *copy = has_room ? malloc(sizeof(*copy) + len) : NULL;
	int r = copy ? tunnel_control_emit(copy->record, len, text, n) : -ENOBUFS;
	if (r < 0) {
		q->dropped_control++;
		free(copy);
		return r;
	}
	copy->flow = NULL;
	copy->lane = lane;
	copy->len = len;
	list_push_back(&q->control, &copy->node);
	q->control_n++;
	q->control_len += len;
	return (int)open_from(q, lane);
}

/* ---- out --------------------------------------------------------------------------------- */

/* Whose turn it is: the first with credit. Who has none gets some and goes behind the others. */
static struct outbox_flow *next_flow(struct outbox_lane *lane)
{
	struct list *node;
	while ((node = list_first(&lane->fresh)) || (node = list_first(&lane->turns))) {
		struct outbox_flow *flow = flow_of(node);
		if (flow->credit > 0)
			return flow;
		flow->credit += OUTBOX_QUANTUM;
		list_remove(node);
		list_push_back(&lane->turns, node);
	}
	return NULL;
}

/* An empty queue leaves; a fresh one not before all others have had a turn (RFC 8290, 4.2). */
static void retire(struct outbox_lane *lane, struct outbox_flow *flow)
{
	const bool was_fresh = list_first(&lane->fresh) == &flow->node;
	list_remove(&flow->node);
	if (was_fresh && !list_is_empty(&lane->turns))
		list_push_back(&lane->turns, &flow->node);
}

static bool mark(const struct outbox *q, struct outbox_packet *packet)
{
	return ecn_mark(packet->record + TUNNEL_LEN, packet->len - TUNNEL_LEN, q->is_ip);
}

/* The first packet of a queue that CoDel lets pass, taken off; NULL where there is none. */
static struct outbox_packet *take_first(struct outbox *q, struct outbox_flow *flow,
					uint64_t now)
{
	struct list *node;
	while ((node = list_first(&flow->packets))) {
		struct outbox_packet *packet = packet_of(node);
		const uint64_t sojourn = now > packet->since ? now - packet->since : 0;
		const size_t behind = flow->len - packet->len;
		const bool is_short = behind <= packet->len || behind <= SHORT_LEN;
		const bool is_told = codel_drops(&flow->codel, sojourn, is_short, now);
		const bool is_marked = is_told && mark(q, packet);
		q->marked += is_marked;
		if (!is_told || is_marked) {
			take_off(q, packet);
			return packet;
		}
		drop(q, packet);
		q->dropped_codel++;
	}
	codel_empty(&flow->codel);
	return NULL;
}

static struct outbox_packet *next_packet(struct outbox *q, struct outbox_lane *lane,
					 uint64_t now)
{
	struct outbox_flow *flow;
	while ((flow = next_flow(lane))) {
		struct outbox_packet *packet = take_first(q, flow, now);
		if (packet) {
			flow->credit -= (int64_t)packet->len;
			return packet;
		}
		retire(lane, flow);
	}
	return NULL;
}

/* The first that goes out by a lane, or NULL. They are few. */
static struct outbox_packet *control_of(const struct outbox *q, unsigned lane)
{
	list_for_each (node, &q->control) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): freed ones are off this list. */
		struct outbox_packet *packet = packet_of(node);
		if (open_from(q, packet->lane) == lane)
			return packet;
	}
	return NULL;
}

bool outbox_has_control(const struct outbox *q, unsigned lane)
{
	return control_of(q, lane) != NULL;
}

static struct outbox_packet *next_control(struct outbox *q,
					  const struct outbox_lane *lane)
{
	struct outbox_packet *packet = control_of(q, (unsigned)(lane - q->lanes));
	if (!packet)
		return NULL;
	list_remove(&packet->node);
	q->control_n--;
	q->control_len -= packet->len;
	return packet;
}

static bool begin(struct outbox *q, struct outbox_lane *lane, uint64_t now)
{
	lane->begun = next_control(q, lane);
	if (!lane->begun)
		lane->begun = next_packet(q, lane, now);
	lane->begun_off = 0;
	return lane->begun != NULL;
}

/* Returns how many bytes went. */
static size_t put_begun(struct outbox *q, struct outbox_lane *lane, uint8_t *buf,
			size_t len)
{
	struct outbox_packet *packet = lane->begun;
	size_t left = packet->len - lane->begun_off;
	size_t n = len < left ? len : left;
	memcpy(buf, packet->record + lane->begun_off, n);
	lane->begun_off += n;
	if (n < left)
		return n;
	q->len -= packet->flow ? packet->len : 0;
	free(packet);
	lane->begun = NULL;
	return n;
}

size_t outbox_put(struct outbox *q, unsigned number, uint8_t *buf, size_t len,
		  uint64_t now)
{
	struct outbox_lane *lane = &q->lanes[number];
	size_t off = 0;
	drop_old(q, now);
	while (off < len && (lane->begun || begin(q, lane, now)))
		off += put_begun(q, lane, buf + off, len - off);
	return off;
}

bool outbox_is_empty(const struct outbox *q, unsigned number)
{
	const struct outbox_lane *lane = &q->lanes[number];
	return !lane->begun && lane->n == 0 && !outbox_has_control(q, number);
}
