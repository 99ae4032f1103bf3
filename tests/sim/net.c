/* SPDX-License-Identifier: MIT */
/*
 * Datagrams on the way are in a heap by time of arrival; those of the same instant keep the
 * order in which they were sent, by a number in the lower bits of the heap's key. A turn
 * delivers what has arrived, runs each task that has something to do, and repeats until none
 * has; only then does time move on, to the next arrival or deadline. A task that never comes
 * to rest is a defect of the task, and is reported as such.
 */
#include "sim/net.h"

#include "base/heap.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FD_FIRST      1000000
#define TASKS_MAX     64u
#define SEGMENTS_MAX  64u
#define RX_BUF_LEN    (1u << 20)
#define DEFAULT_QUEUE 65536u
#define TURNS_AT_ONCE 100000u
#define SEQUENCE_BITS 16u

struct flight {
	/** Deadline: ns, shifted by SEQUENCE_BITS, and a number. */
	struct heap_node arrival;
	struct list node; /**< In the receiver's queue, after arrival. */
	union weft_sockaddr from, to;
	uint8_t ecn;
	size_t len;
	uint8_t data[];
};

struct socket {
	struct dgram dgram;
	struct list node;
	struct sim *sim;
	struct sim_link link;
	union weft_sockaddr public;
	struct list arrived;
	uint64_t link_free;    /**< When the link has sent what is queued. */
	uint64_t last_arrival; /**< Keeps order where there is no jitter. */
	bool is_full;
	uint8_t *rx_buf;
};

struct sim {
	uint64_t now;
	struct rng rng;
	struct list sockets;
	struct heap flights;
	struct weft_task *tasks[TASKS_MAX];
	size_t tasks_count;
	int next_fd;
	uint16_t sequence;
	struct sim_link link;
	struct sim_stats stats;
	void (*tap)(void *user, const struct dgram_msg *msg);
	void *tap_user;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static union weft_sockaddr parse_address(const char *text)
{
	char host[64];
	uint16_t port;
	union weft_sockaddr addr = { 0 };
	if (weft_hostport_parse(text, 0, host, sizeof(host), &port) < 0)
		abort();
	if (inet_pton(AF_INET, host, &addr.in.sin_addr) == 1) {
		addr.in.sin_family = AF_INET;
		addr.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, host, &addr.in6.sin6_addr) == 1) {
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
	} else {
		abort();
	}
	return addr;
}

static struct socket *socket_of(struct dgram *d)
{
	return container_of(d, struct socket, dgram);
}

struct sim *sim_new(uint64_t seed)
{
	struct sim *sim = must(calloc(1, sizeof(*sim)));
	sim->now = NS_PER_S;
	sim->next_fd = FD_FIRST;
	rng_init(&sim->rng, seed);
	list_init(&sim->sockets);
	return sim;
}

void sim_free(struct sim *sim)
{
	list_for_each (node, &sim->sockets)
		dgram_free(&container_of(node, struct socket, node)->dgram);
	struct heap_node *node;
	while ((node = heap_min(&sim->flights))) {
		heap_remove(&sim->flights, node);
		free(container_of(node, struct flight, arrival));
	}
	heap_fini(&sim->flights);
	free(sim);
}

uint64_t sim_now(const struct sim *sim)
{
	return sim->now;
}

struct sim_stats sim_stats(const struct sim *sim)
{
	return sim->stats;
}

static bool happens(struct sim *sim, double probability)
{
	return probability > 0 && rng_double(&sim->rng) < probability;
}

static void launch(struct sim *sim, const struct flight *what, uint64_t arrival)
{
	struct flight *flight = must(malloc(sizeof(*flight) + what->len));
	memcpy(flight, what, sizeof(*flight) + what->len);
	uint64_t key = arrival << SEQUENCE_BITS | sim->sequence++;
	flight->arrival = (struct heap_node){ .deadline = key };
	list_init(&flight->node);
	if (heap_insert(&sim->flights, &flight->arrival) < 0)
		abort();
}

/* When the link has put the datagram on the wire, or false when its queue is full. */
static bool pass_rate(struct socket *s, size_t len, uint64_t *ret_when)
{
	const struct sim_link *link = &s->link;
	*ret_when = s->sim->now;
	if (link->rate_bps == 0)
		return true;
	size_t room = link->queue_len > 0 ? link->queue_len : DEFAULT_QUEUE;
	uint64_t free_at = s->link_free > s->sim->now ? s->link_free : s->sim->now;
	double waiting = (double)(free_at - s->sim->now) * (double)link->rate_bps / 8e9;
	if (waiting + (double)len > (double)room)
		return false;
	s->link_free = free_at + (uint64_t)((double)len * 8e9 / (double)link->rate_bps);
	*ret_when = s->link_free;
	return true;
}

static void send_one(struct socket *s, const struct flight *flight)
{
	struct sim *sim = s->sim;
	const struct sim_link *link = &s->link;
	uint64_t when;
	sim->stats.sent++;
	if (link->payload_max > 0 && flight->len > link->payload_max) {
		sim->stats.too_long++;
	} else if (!pass_rate(s, flight->len, &when)) {
		sim->stats.overflowed++;
	} else if (link->is_down || happens(sim, link->loss)) {
		sim->stats.lost++;
	} else {
		uint64_t arrival = when + link->delay_ns;
		if (link->jitter_ns > 0)
			arrival += rng_below(&sim->rng, link->jitter_ns);
		else if (arrival < s->last_arrival)
			arrival = s->last_arrival;
		s->last_arrival = arrival;
		launch(sim, flight, arrival);
		if (happens(sim, link->duplication))
			launch(sim, flight, arrival + link->delay_ns);
	}
}

static void send_segments(struct socket *s, const struct dgram_msg *msg)
{
	size_t step = msg->segment_len > 0 ? msg->segment_len : msg->len;
	for (size_t off = 0; off < msg->len; off += step) {
		size_t len = step < msg->len - off ? step : msg->len - off;
		struct flight *flight = must(calloc(1, sizeof(*flight) + len));
		flight->from = s->public;
		flight->to = msg->peer;
		flight->ecn = msg->ecn;
		flight->len = len;
		memcpy(flight->data, msg->data + off, len);
		send_one(s, flight);
		free(flight);
	}
}

static int socket_send(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	struct socket *s = socket_of(d);
	if (s->is_full)
		return 0;
	for (size_t i = 0; i < n; i++) {
		/* What a kernel would refuse is a defect of the sender. */
		assert(msgs[i].len > 0 && msgs[i].len <= DGRAM_LEN_MAX);
		assert(msgs[i].segment_len == 0 ||
		       msgs[i].len <= msgs[i].segment_len * s->dgram.segments_max);
		if (s->sim->tap)
			s->sim->tap(s->sim->tap_user, &msgs[i]);
		send_segments(s, &msgs[i]);
	}
	return (int)n;
}

static bool can_merge(const struct dgram_msg *msg, const struct flight *flight)
{
	bool is_whole = msg->len % msg->segment_len == 0;
	return is_whole && flight->len <= msg->segment_len && flight->ecn == msg->ecn &&
	       msg->len / msg->segment_len < SEGMENTS_MAX &&
	       weft_sockaddr_equal(&flight->from, &msg->peer);
}

/* Takes what has arrived, merging as UDP_GRO does. */
static int socket_recv(struct dgram *d, struct dgram_msg *ret_msgs, size_t n)
{
	struct socket *s = socket_of(d);
	size_t used = 0, count = 0;
	struct list *node;
	while ((node = list_first(&s->arrived))) {
		struct flight *flight = container_of(node, struct flight, node);
		bool merged = count > 0 && can_merge(&ret_msgs[count - 1], flight);
		if (used + flight->len > RX_BUF_LEN || (!merged && count == n))
			break;
		if (!merged)
			ret_msgs[count++] = (struct dgram_msg){
				.peer = flight->from,
				.local = flight->to,
				.data = s->rx_buf + used,
				.segment_len = flight->len,
				.ecn = flight->ecn,
			};
		memcpy(s->rx_buf + used, flight->data, flight->len);
		ret_msgs[count - 1].len += flight->len;
		used += flight->len;
		list_remove(node);
		free(flight);
	}
	return count > 0 ? (int)count : -EAGAIN;
}

static void socket_free(struct dgram *d)
{
	struct socket *s = socket_of(d);
	list_for_each (node, &s->arrived) {
		list_remove(node);
		free(container_of(node, struct flight, node));
	}
	list_remove(&s->node);
	free(s->rx_buf);
	free(s);
}

struct dgram *sim_socket(struct sim *sim, const char *address)
{
	static const struct dgram_ops ops = { socket_recv, socket_send, socket_free };
	struct socket *s = must(calloc(1, sizeof(*s)));
	s->dgram = (struct dgram){
		.ops = &ops,
		.fd = sim->next_fd++,
		.segments_max = SEGMENTS_MAX,
		.bound = parse_address(address),
	};
	s->sim = sim;
	s->link = sim->link;
	s->public = s->dgram.bound;
	s->rx_buf = must(malloc(RX_BUF_LEN));
	list_init(&s->arrived);
	list_push_back(&sim->sockets, &s->node);
	return &s->dgram;
}

void sim_set_default_link(struct sim *sim, const struct sim_link *link)
{
	sim->link = *link;
}

void sim_set_link(struct dgram *d, const struct sim_link *link)
{
	socket_of(d)->link = *link;
}

void sim_set_public(struct dgram *d, const char *address)
{
	socket_of(d)->public = parse_address(address);
}

void sim_set_full(struct dgram *d, bool is_full)
{
	socket_of(d)->is_full = is_full;
}

void sim_set_tap(struct sim *sim, void (*tap)(void *user, const struct dgram_msg *msg),
		 void *user)
{
	sim->tap = tap;
	sim->tap_user = user;
}

void sim_inject(struct sim *sim, const char *from, const union weft_sockaddr *to,
		const uint8_t *data, size_t len)
{
	struct flight *flight = must(calloc(1, sizeof(*flight) + len));
	flight->from = parse_address(from);
	flight->to = *to;
	flight->len = len;
	memcpy(flight->data, data, len);
	launch(sim, flight, sim->now);
	free(flight);
}

void sim_add(struct sim *sim, struct weft_task *task)
{
	if (sim->tasks_count == TASKS_MAX)
		abort();
	sim->tasks[sim->tasks_count++] = task;
}

void sim_remove(struct sim *sim, struct weft_task *task)
{
	for (size_t i = 0; i < sim->tasks_count; i++)
		if (sim->tasks[i] == task)
			sim->tasks[i] = sim->tasks[--sim->tasks_count];
}

static struct socket *find_socket(const struct sim *sim, const union weft_sockaddr *to)
{
	list_for_each (node, &sim->sockets) {
		struct socket *s = container_of(node, struct socket, node);
		if (weft_sockaddr_equal(&s->public, to))
			return s;
	}
	return NULL;
}

static void deliver_arrived(struct sim *sim)
{
	struct heap_node *node;
	while ((node = heap_min(&sim->flights)) &&
	       node->deadline >> SEQUENCE_BITS <= sim->now) {
		struct flight *flight = container_of(node, struct flight, arrival);
		heap_remove(&sim->flights, node);
		struct socket *s = find_socket(sim, &flight->to);
		if (!s) {
			sim->stats.unreachable++;
			free(flight);
			continue;
		}
		sim->stats.delivered++;
		list_push_back(&s->arrived, &flight->node);
	}
}

static uint64_t deadline_of(const struct weft_task *task)
{
	return task->deadline ? task->deadline(task) : WEFT_NEVER;
}

static bool is_ready(const struct sim *sim, const struct weft_task *task)
{
	if (task->fd < FD_FIRST)
		return false;
	list_for_each (node, &sim->sockets) {
		const struct socket *s = container_of(node, struct socket, node);
		if (s->dgram.fd == task->fd)
			return ((task->events & WEFT_READABLE) &&
				!list_is_empty(&s->arrived)) ||
			       ((task->events & WEFT_WRITABLE) && !s->is_full);
	}
	return false;
}

/* One round over all tasks. Returns whether any had something to do. */
static bool run_tasks(struct sim *sim)
{
	bool busy = false;
	for (size_t i = 0; i < sim->tasks_count; i++) {
		struct weft_task *task = sim->tasks[i];
		if (!is_ready(sim, task) && deadline_of(task) > sim->now)
			continue;
		task->run(task, sim->now);
		busy = true;
	}
	return busy;
}

static uint64_t next_event(const struct sim *sim)
{
	const struct heap_node *arrival = heap_min(&sim->flights);
	uint64_t next = arrival ? arrival->deadline >> SEQUENCE_BITS : WEFT_NEVER;
	for (size_t i = 0; i < sim->tasks_count; i++) {
		uint64_t deadline = deadline_of(sim->tasks[i]);
		if (deadline < next)
			next = deadline;
	}
	return next;
}

/* Ends the program if a task never comes to rest. */
static void check_rest(const struct sim *sim, unsigned turns)
{
	if (turns <= TURNS_AT_ONCE)
		return;
	(void)fprintf(stderr, "sim: a task spins at %llu ns\n",
		      (unsigned long long)sim->now);
	abort();
}

bool sim_run_until(struct sim *sim, bool (*done)(void *user), void *user, uint64_t until)
{
	unsigned turns = 0;
	while (!done || !done(user)) {
		deliver_arrived(sim);
		if (run_tasks(sim)) {
			check_rest(sim, ++turns);
			continue;
		}
		turns = 0;
		uint64_t next = next_event(sim);
		if (next > until) {
			sim->now = until > sim->now ? until : sim->now;
			return done && done(user);
		}
		sim->now = next > sim->now ? next : sim->now;
	}
	return true;
}

void sim_run(struct sim *sim, uint64_t until)
{
	sim_run_until(sim, NULL, NULL, until);
}
