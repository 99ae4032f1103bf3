/* SPDX-License-Identifier: MIT */
/*
 * A connection has several ids at a time: those it has given to its peer, and on a server
 * the one that the client made up for its first packets.
 */
#include "quic/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void make_key(uint8_t key[ROUTE_KEY_LEN], const uint8_t *cid, size_t len)
{
	memset(key, 0, ROUTE_KEY_LEN);
	key[0] = (uint8_t)len;
	memcpy(key + 1, cid, len);
}

int route_add(struct table *table, const ngtcp2_cid *cid, struct quic_conn *conn,
	      struct list *owner)
{
	if (route_find(table, cid->data, cid->datalen))
		return -EEXIST;
	struct route *route = calloc(1, sizeof(*route));
	if (!route)
		return -ENOMEM;
	make_key(route->key, cid->data, cid->datalen);
	int r = table_set(table, route->key, route);
	if (r < 0) {
		free(route);
		return r;
	}
	route->conn = conn;
	list_push_back(owner, &route->node);
	return 0;
}

struct route *route_find(const struct table *table, const uint8_t *cid, size_t len)
{
	if (len > NGTCP2_MAX_CIDLEN)
		return NULL;
	uint8_t key[ROUTE_KEY_LEN];
	make_key(key, cid, len);
	return table_get(table, key);
}

void route_remove(struct table *table, struct route *route)
{
	table_remove(table, route->key);
	list_remove(&route->node);
	free(route);
}

void route_remove_all(struct table *table, struct list *owner)
{
	list_for_each (node, owner)
		route_remove(table, container_of(node, struct route, node));
}
