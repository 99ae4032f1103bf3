/* SPDX-License-Identifier: MIT */
/*
 * In the room: a bridge of two ports joins the local link and the session.
 *
 *     client:   TAP --[]------------[]-- session
 *     gateway:  NIC --[]------------[locked, no_flood]-- session
 *
 * A client's frames all go to the relay, which knows where they belong. A gateway must not
 * send the whole LAN's traffic there: on its bridge the MACs of the others are bound to the
 * session's port, so that unicast for anyone else stays at home, and what comes from the room
 * has to come under one of those MACs. Broadcast and multicast pass both ways.
 */
#include "lan/member.h"
#include "service/dhcpd.h"

#include <weft/log.h>

#include <errno.h>
#include <stdlib.h>

/* Whether duplicates of a client's IPv6 addresses are looked for. */
static bool looks_for_duplicates(const struct weft_member *member)
{
	const struct weft_member_events *events = member->opts.events;
	return member->opts.role == WEFT_ROLE_CLIENT && events && events->duplicate;
}

static void look_for_duplicate(struct weft_member *member, const struct weft_frame *frame,
			       uint64_t now)
{
	struct duplicate_found found;
	if (looks_for_duplicates(member) &&
	    duplicate_received(&member->duplicate, frame, now, &found))
		member->opts.events->duplicate(member->opts.user, &found.address,
					       found.mac, found.is_first);
}

static enum session_outcome filter(void *user, const struct weft_frame *frame,
				   uint64_t now)
{
	struct weft_member *member = user;
	const struct weft_member_events *events = member->opts.events;
	look_for_duplicate(member, frame, now);
	if (events && events->from_room &&
	    events->from_room(member->opts.user, frame, now))
		return SESSION_TAKEN;
	return member_gateway_from_room(member, frame, now);
}

static enum session_outcome gate(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct weft_member *member = user;
	if (member->opts.role == WEFT_ROLE_GATEWAY)
		return member_gateway_from_lan(member, frame, now);
	if (looks_for_duplicates(member))
		duplicate_sent(&member->duplicate, frame, now);
	if (!member->opts.claims)
		return SESSION_SENT;
	switch (claims_judge(&member->claims, frame, now)) {
	case CLAIMS_PASS:
		return SESSION_SENT;
	case CLAIMS_HELD:
		return SESSION_HELD;
	case CLAIMS_DROP:
		break;
	}
	return SESSION_DROP_UNCLAIMED;
}

/* Makes a MAC one of the room's on a gateway's bridge. */
static void bind_mac(struct weft_member *member, struct weft_mac mac, uint64_t now)
{
	char text[WEFT_MAC_TEXT];
	if (member->opts.role != WEFT_ROLE_GATEWAY)
		return;
	member_gateway_add(member, mac, now);
	if (weft_bridge_bind(member->bridge, mac, member->room_port) < 0)
		weft_log_warning(member->opts.log,
				 "no frames from or to %s: out of memory",
				 weft_mac_print(mac, text));
}

static void bind_peer(struct weft_member *member, const struct weft_peer *peer,
		      uint64_t now)
{
	if (peer->role == WEFT_ROLE_CLIENT)
		bind_mac(member, peer->mac, now);
}

static void unbind_mac(struct weft_member *member, struct weft_mac mac)
{
	weft_bridge_unbind(member->bridge, mac);
	member_gateway_remove(member, mac);
}

static void tell_came(struct weft_member *member, const struct weft_peer *peer,
		      uint64_t now)
{
	const struct weft_member_events *events = member->opts.events;
	if (events && events->peer)
		events->peer(member->opts.user, peer, true, "", now);
}

static void tell_left(struct weft_member *member, const struct weft_peer *peer,
		      const char *reason, uint64_t now)
{
	const struct weft_member_events *events = member->opts.events;
	if (events && events->peer)
		events->peer(member->opts.user, peer, false, reason, now);
}

/* ---- coming and going -------------------------------------------------------------------- */

static int attach(struct weft_member *member, const struct welcome *welcome)
{
	static const struct weft_bridge_port_opts client = { .no_learning = true };
	static const struct weft_bridge_port_opts gateway = { .no_learning = true,
							      .no_flood = true,
							      .locked = true };
	const struct weft_member_events *events = member->opts.events;
	const struct session_ids ids = { .room = welcome->room,
					 .peer = welcome->peer,
					 .mtu = welcome->mtu };
	bool is_gateway = member->opts.role == WEFT_ROLE_GATEWAY;
	session_init(&member->session, member->conn, &ids, member->opts.invite.room);
	const bool looks = looks_for_duplicates(member);
	if (is_gateway || looks || (events && events->from_room)) {
		member->session.filter = filter;
		member->session.filter_user = member;
	}
	if (is_gateway || looks || member->opts.claims) {
		member->session.gate = gate;
		member->session.gate_user = member;
	}
	int r = weft_bridge_add(member->bridge, &member->session.link,
				is_gateway ? &gateway : &client, &member->room_port);
	if (r < 0)
		session_fini(&member->session);
	return r;
}

static int note_members(struct weft_member *member, const struct welcome *welcome)
{
	for (size_t i = 0; i < welcome->members_n; i++) {
		int r = roster_add(&member->roster, &welcome->members[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The relay's own host: its number is the same in each room (docs/protocol.md). */
static struct weft_ip name_server_of(const struct weft_ip *address)
{
	struct weft_ip server = *address;
	if (server.family != AF_INET)
		return (struct weft_ip){ .family = 0 };
	server.prefix = 32;
	server.octet[3] = DHCPD_HOST_SERVER;
	return server;
}

int member_enter(struct weft_member *member, const struct welcome *welcome, uint64_t now)
{
	const struct weft_member_events *events = member->opts.events;
	int r = note_members(member, welcome);
	if (r < 0)
		return r;
	member->joined =
		(struct weft_joined){ .peer = welcome->peer,
				      .room = welcome->room,
				      .relay = member_relay_host(member),
				      .mtu = welcome->mtu,
				      .address = welcome->address,
				      .name_server = name_server_of(&welcome->address),
				      .has_gateway = member->roster.gateways_n > 0 };
	if (events && events->joined)
		events->joined(member->opts.user, &member->joined, now);
	r = attach(member, welcome);
	if (r < 0)
		return r;
	if (welcome->address.family != 0)
		member->last_address = welcome->address;
	member->attempts = 0;
	member->joins++;
	member->state_until = WEFT_NEVER;
	member->stats_at = now + MEMBER_STATS_NS;
	claims_restart(&member->claims, now);
	member_away_on_joined(member, now);
	member_gateway_enter(member, now);
	member_set_state(member, WEFT_MEMBER_JOINED, NULL, now);
	list_for_each (node, &member->roster.entries) {
		const struct roster_entry *entry =
			container_of(node, struct roster_entry, node);
		bind_peer(member, &entry->peer, now);
		tell_came(member, &entry->peer, now);
	}
	return 0;
}

static void keep_counts(struct weft_member *member)
{
	const struct weft_link_stats *stats = &member->session.link.stats;
	member->gone_stats.rx_frames += stats->rx_frames;
	member->gone_stats.rx_bytes += stats->rx_bytes;
	member->gone_stats.tx_frames += stats->tx_frames;
	member->gone_stats.tx_bytes += stats->tx_bytes;
	member->gone_drops += session_drops(&member->session);
	for (unsigned i = 0; i < SESSION_OUTCOMES; i++)
		member->gone_counts[i] += member->session.counts[i];
}

void member_leave(struct weft_member *member)
{
	roster_fini(&member->roster);
	member_gateway_leave(member);
	if (!member->room_port)
		return;
	weft_bridge_remove(member->bridge, member->room_port);
	member->room_port = NULL;
	keep_counts(member);
	session_fini(&member->session);
}

/* ---- news -------------------------------------------------------------------------------- */

int member_on_peer_joined(struct weft_member *member, const struct weft_peer *peer,
			  uint64_t now)
{
	int r = roster_add(&member->roster, peer);
	if (r < 0)
		return r;
	member->joined.has_gateway = member->roster.gateways_n > 0;
	bind_peer(member, peer, now);
	tell_came(member, peer, now);
	return 0;
}

void member_on_peer_left(struct weft_member *member, const struct peer_left *left,
			 uint64_t now)
{
	struct roster_entry gone;
	if (!roster_remove(&member->roster, left->id, &gone))
		return;
	member->joined.has_gateway = member->roster.gateways_n > 0;
	unbind_mac(member, gone.peer.mac);
	for (size_t i = 0; i < gone.claims_n; i++)
		unbind_mac(member, gone.claims[i]);
	tell_left(member, &gone.peer, left->text, now);
}

/* ---- stations behind members ------------------------------------------------------------- */

/* The relay has answered: what was held for it goes out, or is given up. */
static void on_answer(struct weft_member *member, const struct message *answer,
		      uint64_t now)
{
	struct weft_frame frame;
	enum claims_verdict verdict;
	claims_answer(&member->claims, answer, now);
	while (claims_unhold(&member->claims, &frame, &verdict)) {
		if (verdict == CLAIMS_PASS)
			weft_link_send(&member->session.link, &frame, 1, now);
		else
			member->session.counts[SESSION_DROP_UNCLAIMED]++;
		free(frame.data);
	}
}

static void on_denied(struct weft_member *member, const struct mac_list *denied)
{
	char text[WEFT_MAC_TEXT];
	for (size_t i = 0; i < denied->n; i++)
		weft_log_warning(
			member->opts.log, "nothing is heard of %s in the room: %s",
			weft_mac_print(denied->macs[i], text),
			denied->code == DENY_MAC_TAKEN
				? "somebody there has that MAC already, so give the "
				  "emulator another one"
				: "the relay lets no more stations be behind you");
}

/* A MAC of another member came or went. */
static int on_others(struct weft_member *member, const struct message *message,
		     uint64_t now)
{
	const struct mac_list *list = &message->claim;
	bool is_claimed = message->type == MESSAGE_CLAIMED;
	for (size_t i = 0; i < list->n; i++) {
		struct weft_mac mac = list->macs[i];
		bool known = is_claimed
				     ? roster_claim(&member->roster, list->peer, mac)
				     : roster_release(&member->roster, list->peer, mac);
		if (!known)
			return -EPROTO;
		if (is_claimed)
			bind_mac(member, mac, now);
		else
			unbind_mac(member, mac);
	}
	return 0;
}

int member_on_claims(struct weft_member *member, const struct message *message,
		     uint64_t now)
{
	bool is_ours = message->type == MESSAGE_DENIED ||
		       message->claim.peer == member->joined.peer;
	if (!is_ours)
		return on_others(member, message, now);
	if (!member->opts.claims || message->type == MESSAGE_RELEASED)
		return -EPROTO;
	if (message->type == MESSAGE_DENIED)
		on_denied(member, &message->claim);
	on_answer(member, message, now);
	return 0;
}

void member_ask_claims(struct weft_member *member, uint64_t now)
{
	struct message message;
	while (member->room_port && claims_next(&member->claims, &message, now))
		if (channel_send(&member->channel, &message) < 0)
			member_wait(member,
				    "the relay takes no control messages any more", now);
}

void member_send_stats(struct weft_member *member, uint64_t now)
{
	const struct weft_member_stats stats = weft_member_stats(member);
	const struct message message = { .type = MESSAGE_STATS,
					 .stats = { .rx_frames = stats.rx_frames,
						    .tx_frames = stats.tx_frames,
						    .rx_bytes = stats.rx_bytes,
						    .tx_bytes = stats.tx_bytes,
						    .drops = stats.drops,
						    .sent = stats.sent,
						    .lost = stats.lost,
						    .jitter_us =
							    stats.jitter_ns / 1000 } };
	member->stats_at = now + MEMBER_STATS_NS;
	if (channel_send(&member->channel, &message) < 0)
		member_wait(member, "the relay takes no control messages any more", now);
}
