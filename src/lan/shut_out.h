/* SPDX-License-Identifier: MIT */
/*
 * Who is kept out of a relay's rooms: passes, and networks that members of a room came from. As
 * text, which is what people, files and programs that ask a relay use:
 *
 *     friday/00112233...ddeeff          a pass, by its key in hex; it is good for no other room,
 *                                       so the room may be left out
 *     friday/192.0.2.7                  an address of IPv4
 *     friday/2001:db8:1:2::/64          a network; of IPv6 what one household has at least
 *
 * A network keeps out who comes, and nobody who is there. It keeps out those with a pass, too:
 * whoever has the room's secret makes passes.
 */
#ifndef LAN_SHUT_OUT_H
#define LAN_SHUT_OUT_H

#include "base/hash.h"
#include "base/list.h"
#include "lan/proof.h"

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/lan.h>

#include <stddef.h>
#include <stdint.h>

/** Passes and networks of all rooms of a relay. */
#define SHUT_OUT_PASSES_MAX   65536u
#define SHUT_OUT_NETWORKS_MAX 1024u

struct shut_out_who {
	char room[WEFT_ROOM_NAME_MAX + 1]; /**< Empty for a pass of any room. */
	struct weft_ip network;            /**< family 0: it is a pass. */
	uint8_t key[PROOF_KEY_LEN];        /**< Of the pass. */
};

/** Reads the text. Returns 0, or -EINVAL with err. */
int shut_out_parse(const char *text, struct weft_error *err,
		   struct shut_out_who *ret_who) WEFT_MUST_CHECK;

/** Prints it in its one form into buf and returns buf. */
const char *shut_out_print(const struct shut_out_who *who, char buf[WEFT_SHUT_OUT_TEXT]);

/** Whom to keep out by a pass of a room, and by the address that somebody comes from. */
struct shut_out_who shut_out_by_pass(const char *room, const uint8_t key[PROOF_KEY_LEN]);
struct shut_out_who shut_out_by_address(const char *room,
					const union weft_sockaddr *addr);

/** Whether somebody in the room, or who wants to come in, is meant. key: NULL without a pass. */
bool shut_out_means(const struct shut_out_who *who, const char *room, const uint8_t *key,
		    const union weft_sockaddr *addr);

/** All of them. */
struct shut_out {
	struct table *passes;
	struct list networks; /**< In the order in which they were told. */
	size_t networks_n;
};

/** Begins with nobody. Returns 0 or -ENOMEM. */
int shut_out_init(struct shut_out *all,
		  const uint8_t secret[HASH_SECRET_LEN]) WEFT_MUST_CHECK;

/** Frees what there is; nothing of what was never begun, and is zero. */
void shut_out_fini(struct shut_out *all);

/** One more; twice is once. Returns 0, -ENOSPC or -ENOMEM. */
int shut_out_add(struct shut_out *all, const struct shut_out_who *who) WEFT_MUST_CHECK;

/** One less. Whether there was one. */
bool shut_out_remove(struct shut_out *all, const struct shut_out_who *who);

bool shut_out_has_pass(const struct shut_out *all, const uint8_t key[PROOF_KEY_LEN]);
bool shut_out_has_address(const struct shut_out *all, const char *room,
			  const union weft_sockaddr *addr);

#endif
