/* SPDX-License-Identifier: MIT */
/*
 * Freed outside of its own run: the address is given up in between, so what is over stays
 * until the next begins or the member ends.
 */
#include "cmd/conflict.h"

#include "cmd/membership.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* "bob (02:...)", "a machine behind bob (02:...)" or "a machine on the LAN (02:...)". */
static void describe(const struct membership *m, struct weft_mac mac, char *buf,
		     size_t len)
{
	char text[WEFT_MAC_TEXT];
	struct weft_peer peer;
	const bool is_peer = weft_member_find_peer(m->member, mac, &peer);
	const bool is_own = is_peer && memcmp(&peer.mac, &mac, sizeof(mac)) == 0;
	const char *name = is_peer && peer.name[0] ? peer.name : "a member";
	weft_mac_print(mac, text);
	if (!is_peer)
		(void)snprintf(buf, len, "a machine on the LAN (%s)", text);
	else
		(void)snprintf(buf, len, "%s%s (%s)", is_own ? "" : "a machine behind ",
			       name, text);
}

void conflict_tell(struct membership *m, const struct weft_ip *address,
		   struct weft_mac mac, const char *remedy)
{
	char who[WEFT_MEMBER_NAME_MAX + 64], ip[WEFT_IP_TEXT], text[WEFT_MAC_TEXT];
	describe(m, mac, who, sizeof(who));
	weft_ip_print(address, ip);
	output_event(&m->output, "conflict",
		     json_pack("{s:s, s:s, s:s}", "address", ip, "mac",
			       weft_mac_print(mac, text), "holder", who));
	weft_log_warning(&m->output.log, "%.*s is the address of %s as well: %s",
			 (int)strcspn(ip, "/"), ip, who, remedy);
}

static void acd_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	const struct conflict *conflict = user;
	weft_member_send(conflict->m->member, frame, 1, now);
}

static void acd_conflict(void *user, enum weft_acd_state state, struct weft_mac mac)
{
	struct conflict *conflict = user;
	if (state == WEFT_ACD_PROBING)
		conflict->taken(conflict->user);
	conflict_tell(conflict->m, &conflict->address, mac,
		      state == WEFT_ACD_PROBING
			      ? "you have none in the room; take another one with "
				"--address"
			      : "it came later, and one of you needs another address");
}

void conflict_begin(struct conflict *conflict, struct weft_mac mac,
		    const struct weft_ip *address, bool was_probed)
{
	struct weft_acd_opts opts = { .mac = mac,
				      .address = *address,
				      .was_probed = was_probed,
				      .send = acd_send,
				      .conflict = acd_conflict,
				      .user = conflict };
	conflict_end(conflict);
	conflict->address = *address;
	randombytes_buf(&opts.seed, sizeof(opts.seed));
	if (weft_acd_new(&opts, &conflict->acd) < 0)
		return; /* IPv6: the kernel asks, and the member overhears it */
	if (weft_loop_add(conflict->m->loop, weft_acd_task(conflict->acd)) < 0)
		conflict_end(conflict);
}

void conflict_end(struct conflict *conflict)
{
	if (conflict->acd)
		weft_loop_remove(conflict->m->loop, weft_acd_task(conflict->acd));
	weft_acd_free(conflict->acd);
	conflict->acd = NULL;
}

void conflict_input(struct conflict *conflict, const struct weft_frame *frame)
{
	if (conflict->acd)
		weft_acd_input(conflict->acd, frame);
}
