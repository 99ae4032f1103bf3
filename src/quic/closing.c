/* SPDX-License-Identifier: MIT */
/*
 * Small and few: a closed connection gives back its TLS session and its ngtcp2_conn at once
 * and costs a few hundred bytes until it is forgotten.
 */
#include "quic/closing.h"

#include "quic/conn.h"
#include "quic/endpoint.h"

#include <stdlib.h>
#include <string.h>

struct closing {
	struct heap_node timer;
	struct list routes;
	uint64_t received;
	size_t len;
	uint8_t answer[];
};

static void closing_free(struct quic_endpoint *endpoint, struct closing *c)
{
	heap_remove(&endpoint->closings, &c->timer);
	route_remove_all(endpoint->routes, &c->routes);
	free(c);
}

static void take_routes(struct closing *c, struct list *from)
{
	struct list *node;
	while ((node = list_pop_front(from))) {
		struct route *route = container_of(node, struct route, node);
		route->conn = NULL;
		route->closing = c;
		list_push_back(&c->routes, node);
	}
}

void closing_begin(struct quic_conn *conn, const uint8_t *answer, size_t len)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	/* As many as there may be connections; the oldest makes room. */
	if (endpoint->closings.count >= endpoint->opts.conns_max)
		closing_free(endpoint, container_of(heap_min(&endpoint->closings),
						    struct closing, timer));
	struct closing *c = calloc(1, sizeof(*c) + len);
	if (!c)
		return;
	list_init(&c->routes);
	c->timer.deadline = endpoint->now + 3 * ngtcp2_conn_get_pto(conn->ng);
	if (heap_insert(&endpoint->closings, &c->timer) < 0) {
		free(c);
		return;
	}
	c->len = len;
	if (len > 0)
		memcpy(c->answer, answer, len);
	take_routes(c, &conn->routes);
}

void closing_receive(struct quic_endpoint *endpoint, struct closing *c,
		     const struct packet *packet)
{
	c->received++;
	bool is_power_of_two = (c->received & (c->received - 1)) == 0;
	if (c->len == 0 || !is_power_of_two)
		return;
	uint8_t *room = endpoint_tx_room(endpoint, c->len);
	if (!room)
		return;
	memcpy(room, c->answer, c->len);
	endpoint_tx_add(endpoint, &packet->path, c->len, 0);
}

void closing_expire(struct quic_endpoint *endpoint, uint64_t now)
{
	struct heap_node *node;
	while ((node = heap_min(&endpoint->closings)) && node->deadline <= now)
		closing_free(endpoint, container_of(node, struct closing, timer));
}

void closing_free_all(struct quic_endpoint *endpoint)
{
	closing_expire(endpoint, UINT64_MAX);
	heap_fini(&endpoint->closings);
}
