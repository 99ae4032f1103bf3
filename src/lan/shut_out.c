/* SPDX-License-Identifier: MIT */
/*
 * A pass is looked up by its key. Networks have any length, and are few; they are gone through.
 */
#include "lan/shut_out.h"

#include "base/container.h"
#include "base/net.h"
#include "base/table.h"
#include "lan/pass.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one household has of IPv6 at least, out of which it takes addresses as it likes. */
#define HOUSEHOLD6_PREFIX 64u

#define KEY_TEXT (2 * PROOF_KEY_LEN + 1)

static_assert(WEFT_SHUT_OUT_TEXT >= WEFT_ROOM_NAME_MAX + 1 + KEY_TEXT &&
		      KEY_TEXT >= WEFT_IP_TEXT,
	      "a room, a slash, and a key or a network");

struct network {
	struct list node;
	struct shut_out_who who;
};

static struct network *network_of(struct list *node)
{
	return container_of(node, struct network, node);
}

/* ---- one of them ------------------------------------------------------------------------- */

/* All who are on one link have its link-local network: there an address is one machine's. */
static struct weft_ip household_of(const struct weft_ip *ip)
{
	const bool is_link_local = ip->octet[0] == 0xfe && (ip->octet[1] & 0xc0) == 0x80;
	struct weft_ip network = *ip;
	if (ip->family == AF_INET6 && ip->prefix > HOUSEHOLD6_PREFIX && !is_link_local)
		network.prefix = HOUSEHOLD6_PREFIX;
	return net_of(&network);
}

static bool read_key(const char *text, uint8_t ret_key[PROOF_KEY_LEN])
{
	size_t len = 0;
	return sodium_hex2bin(ret_key, PROOF_KEY_LEN, text, strlen(text), NULL, &len,
			      NULL) == 0 &&
	       len == PROOF_KEY_LEN;
}

/* What stands behind the room. An address is one in a room only. */
static bool read_what(const char *text, struct shut_out_who *who)
{
	struct weft_ip ip;
	if (read_key(text, who->key))
		return true;
	if (!who->room[0] || weft_ip_parse(text, &ip) < 0)
		return false;
	who->network = household_of(&ip);
	return true;
}

int shut_out_parse(const char *text, struct weft_error *err, struct shut_out_who *ret_who)
{
	struct shut_out_who who = { .room = "" };
	const size_t room_len = strcspn(text, "/");
	const char *what = text;
	bool is_good = true;
	if (text[room_len] == '/') {
		(void)snprintf(who.room, sizeof(who.room), "%.*s", (int)room_len, text);
		is_good =
			room_len < sizeof(who.room) && weft_room_name_is_valid(who.room);
		what = text + room_len + 1;
	}
	if (!is_good || !read_what(what, &who))
		return weft_error_set(err, -EINVAL,
				      "\"%.100s\" is neither ROOM/ADDRESS nor the key of "
				      "a pass, 64 digits 0-9a-f",
				      text);
	*ret_who = who;
	return 0;
}

const char *shut_out_print(const struct shut_out_who *who, char buf[WEFT_SHUT_OUT_TEXT])
{
	char what[KEY_TEXT];
	if (who->network.family)
		(void)weft_ip_print(&who->network, what);
	else
		(void)sodium_bin2hex(what, sizeof(what), who->key, sizeof(who->key));
	(void)snprintf(buf, WEFT_SHUT_OUT_TEXT, "%s%s%s", who->room,
		       who->room[0] ? "/" : "", what);
	return buf;
}

int weft_shut_out_check(const char *text, struct weft_error *err,
			char ret_text[WEFT_SHUT_OUT_TEXT])
{
	struct shut_out_who who = { .room = "" };
	int r = shut_out_parse(text, err, &who);
	if (r == 0)
		(void)shut_out_print(&who, ret_text);
	return r;
}

struct shut_out_who shut_out_by_pass(const char *room, const uint8_t key[PROOF_KEY_LEN])
{
	struct shut_out_who who = { .room = "" };
	(void)snprintf(who.room, sizeof(who.room), "%s", room);
	memcpy(who.key, key, sizeof(who.key));
	return who;
}

struct shut_out_who shut_out_by_address(const char *room, const union weft_sockaddr *addr)
{
	const struct weft_ip ip = net_address(addr);
	struct shut_out_who who = { .network = household_of(&ip) };
	(void)snprintf(who.room, sizeof(who.room), "%s", room);
	return who;
}

bool shut_out_means(const struct shut_out_who *who, const char *room, const uint8_t *key,
		    const union weft_sockaddr *addr)
{
	const struct weft_ip ip = net_address(addr);
	if (!who->network.family)
		return key && memcmp(who->key, key, sizeof(who->key)) == 0;
	return strcmp(who->room, room) == 0 && net_contains(&who->network, &ip);
}

int weft_invite_print_pass(const struct weft_invite *invite,
			   char ret_text[WEFT_SHUT_OUT_TEXT])
{
	uint8_t key[PROOF_KEY_LEN];
	if (!invite->has_pass)
		return -EINVAL;
	pass_key(invite->pass.seed, key);
	const struct shut_out_who who = shut_out_by_pass(invite->room, key);
	(void)shut_out_print(&who, ret_text);
	return 0;
}

/* ---- all of them ------------------------------------------------------------------------- */

int shut_out_init(struct shut_out *all, const uint8_t secret[HASH_SECRET_LEN])
{
	all->networks_n = 0;
	list_init(&all->networks);
	return table_new(PROOF_KEY_LEN, SHUT_OUT_PASSES_MAX, secret, &all->passes);
}

static void drop(struct shut_out *all, struct network *network)
{
	list_remove(&network->node);
	all->networks_n--;
	free(network);
}

void shut_out_fini(struct shut_out *all)
{
	if (!all->passes)
		return;
	table_free(all->passes);
	list_for_each (node, &all->networks)
		drop(all, network_of(node));
}

static struct network *find_network(const struct shut_out *all,
				    const struct shut_out_who *who)
{
	list_for_each (node, &all->networks) {
		struct network *network = network_of(node);
		if (strcmp(network->who.room, who->room) == 0 &&
		    net_is_same(&network->who.network, &who->network))
			return network;
	}
	return NULL;
}

static int add_network(struct shut_out *all, const struct shut_out_who *who)
{
	if (find_network(all, who))
		return 0;
	if (all->networks_n >= SHUT_OUT_NETWORKS_MAX)
		return -ENOSPC;
	struct network *network = calloc(1, sizeof(*network));
	if (!network)
		return -ENOMEM;
	network->who = *who;
	list_push_back(&all->networks, &network->node);
	all->networks_n++;
	return 0;
}

int shut_out_add(struct shut_out *all, const struct shut_out_who *who)
{
	if (who->network.family)
		return add_network(all, who);
	int r = table_set(all->passes, who->key, all);
	return r < 0 ? r : 0;
}

bool shut_out_remove(struct shut_out *all, const struct shut_out_who *who)
{
	if (!who->network.family)
		return table_remove(all->passes, who->key) != NULL;
	struct network *network = find_network(all, who);
	if (network)
		drop(all, network);
	return network != NULL;
}

bool shut_out_has_pass(const struct shut_out *all, const uint8_t key[PROOF_KEY_LEN])
{
	return table_get(all->passes, key) != NULL;
}

bool shut_out_has_address(const struct shut_out *all, const char *room,
			  const union weft_sockaddr *addr)
{
	list_for_each (node, &all->networks)
		if (shut_out_means(&network_of(node)->who, room, NULL, addr))
			return true;
	return false;
}
