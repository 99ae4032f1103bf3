/* SPDX-License-Identifier: MIT */
/*
 * Throwing members out, and keeping them out. What is known of a member over its connections is
 * its pass, and where it comes from. Who has the room's own secret makes itself passes and names
 * as it likes: of it there is only the address.
 */
#include "base/container.h"
#include "base/net.h"
#include "lan/relay.h"
#include "lan/visitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool has_id(const struct weft_peer *peer, const char *text)
{
	char id[8];
	(void)snprintf(id, sizeof(id), "%u", peer->id);
	return strcmp(id, text) == 0;
}

/*
 * By its id, before all who call themselves like that. Those on the relay's own links are not
 * asked for: they are its operator's. NULL with err.
 */
static struct visitor *find_visitor(const struct room *room, const char *text,
				    struct weft_error *err)
{
	struct visitor *found = NULL;
	unsigned found_n = 0;
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		if (member->user && has_id(&member->peer, text))
			return member->user;
		if (!member->user || strcmp(member->peer.name, text) != 0)
			continue;
		found = member->user;
		found_n++;
	}
	if (found_n == 1)
		return found;
	(void)weft_error_set(
		err, -ENOENT,
		found_n > 1 ? "several in room %s are called %s; name the one by "
			      "its id"
			    : "nobody in room %s is called %s",
		room->name, text);
	return NULL;
}

static int keep_out(struct weft_relay *relay, const struct shut_out_who *who,
		    struct weft_error *err)
{
	int r = shut_out_add(&relay->shut_out, who);
	return r < 0 ? weft_error_set(err, r, "no more can be shut out: %s", strerror(-r))
		     : 0;
}

int weft_relay_shut_out(struct weft_relay *relay, const char *text,
			struct weft_error *err)
{
	struct shut_out_who who = { .room = "" };
	int r = shut_out_parse(text, err, &who);
	return r < 0 ? r : keep_out(relay, &who, err);
}

int weft_relay_let_in(struct weft_relay *relay, const char *text, struct weft_error *err)
{
	struct shut_out_who who = { .room = "" };
	int r = shut_out_parse(text, err, &who);
	return r < 0 ? r : shut_out_remove(&relay->shut_out, &who);
}

static bool is_meant(const struct visitor *visitor, const struct shut_out_who *who)
{
	const struct hello *hello = &visitor->hello;
	return shut_out_means(who, hello->room, hello->has_pass ? hello->pass.key : NULL,
			      quic_conn_peer(visitor->conn));
}

int weft_relay_revoke(struct weft_relay *relay, const char *text, struct weft_error *err)
{
	struct shut_out_who who = { .room = "" };
	int n = 0;
	int r = shut_out_parse(text, err, &who);
	if (r == 0)
		r = keep_out(relay, &who, err);
	if (r < 0)
		return r;
	list_for_each (node, &relay->visitors) {
		struct visitor *visitor = container_of(node, struct visitor, node);
		if (!is_meant(visitor, &who))
			continue;
		n += visitor->state == VISITOR_JOINED;
		visitor_close(visitor, CLOSE_KICKED,
			      who.network.family ? "your address is kept out of the room"
						 : "the invitation has been taken back",
			      relay->now);
	}
	return n;
}

/* ---- one member -------------------------------------------------------------------------- */

static unsigned count_others(const struct room *room, const struct visitor *visitor,
			     const struct shut_out_who *who)
{
	unsigned n = 0;
	list_for_each (node, &room->members) {
		const struct room_member *member =
			container_of(node, struct room_member, of_room);
		n += member->user && member->user != visitor &&
		     is_meant(member->user, who);
	}
	return n;
}

/* Everybody who is on a machine with the relay, or behind a proxy there, has the same. */
static int keep_out_address(struct weft_relay *relay, const struct room *room,
			    const struct visitor *visitor, struct weft_error *err,
			    struct weft_kicked *kicked)
{
	const union weft_sockaddr *peer = quic_conn_peer(visitor->conn);
	const struct weft_ip ip = net_address(peer);
	const struct shut_out_who who = shut_out_by_address(room->name, peer);
	if (!net_is_usable(&ip))
		return weft_error_set(
			err, -EADDRNOTAVAIL,
			"it comes from %s, the relay's own machine, which is "
			"not kept out",
			kicked->from);
	int r = keep_out(relay, &who, err);
	if (r < 0)
		return r;
	(void)shut_out_print(&who, kicked->address);
	kicked->others = count_others(room, visitor, &who);
	return 0;
}

static int keep_out_pass(struct weft_relay *relay, const struct hello *hello,
			 struct weft_error *err, struct weft_kicked *kicked)
{
	const struct shut_out_who who = shut_out_by_pass(hello->room, hello->pass.key);
	int r = hello->has_pass ? keep_out(relay, &who, err) : 0;
	if (r == 0 && hello->has_pass)
		(void)shut_out_print(&who, kicked->pass);
	return r;
}

int weft_relay_kick(struct weft_relay *relay, const char *room_name, const char *member,
		    bool by_address, struct weft_error *err,
		    struct weft_kicked *ret_kicked)
{
	const struct room *room = relay_find_room(relay, room_name);
	struct weft_kicked kicked = { .others = 0 };
	int r = 0;
	if (!room)
		return weft_error_set(err, -ENOENT, "there is no room %s now", room_name);
	struct visitor *visitor = find_visitor(room, member, err);
	if (!visitor)
		return -ENOENT;
	const struct weft_ip ip = net_address(quic_conn_peer(visitor->conn));
	(void)weft_ip_print(&ip, kicked.from);
	(void)snprintf(kicked.name, sizeof(kicked.name), "%s", visitor->hello.name);
	if (by_address)
		r = keep_out_address(relay, room, visitor, err, &kicked);
	if (r == 0)
		r = keep_out_pass(relay, &visitor->hello, err, &kicked);
	if (r < 0)
		return r;
	if (ret_kicked)
		*ret_kicked = kicked;
	visitor_close(visitor, CLOSE_KICKED, "thrown out by the relay's operator",
		      relay->now);
	return kicked.pass[0] || kicked.address[0] ? 1 : 0;
}
