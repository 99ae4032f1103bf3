/* SPDX-License-Identifier: MIT */
/*
 * Each step either goes on or fills in a reject and ends there. What has been made by then
 * (an empty room) is taken back.
 */
#include "lan/admission.h"

#include "base/net.h"

#include <weft/log.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void admission_refuse(struct visitor *visitor, const struct reject *reject, uint64_t now)
{
	const struct message message = { .type = MESSAGE_REJECT, .reject = *reject };
	struct weft_relay *relay = visitor->relay;
	char peer[WEFT_SOCKADDR_TEXT];
	relay->rejects[reject->code]++;
	if (refusals_tell(&relay->refusals, now))
		weft_log_info(relay->log, "refused %s (%s): %s",
			      weft_sockaddr_print(quic_conn_peer(visitor->conn), peer),
			      reject_code_name(reject->code), reject->text);
	visitor_set_state(visitor, VISITOR_REFUSED, now + VISITOR_REFUSED_NS);
	if (channel_send(&visitor->channel, &message) < 0)
		visitor_close(visitor, CLOSE_INTERNAL, "no answer could be sent", now);
}

/* ---- hello ------------------------------------------------------------------------------- */

static bool version_fails(const struct hello *hello, struct reject *reject)
{
	if (hello->has_version)
		return false;
	reject->code = REJECT_VERSION;
	message_print(
		reject->text,
		"this relay speaks version %u of the protocol only: it or the member "
		"has to be brought up to date",
		LAN_VERSION);
	return true;
}

static bool proof_fails(const struct visitor *visitor, const struct hello *hello,
			struct reject *reject)
{
	struct proof_claim claim = { .role = hello->role, .room = hello->room };
	const uint8_t *key = hello->has_pass ? hello->pass.key : hello->key;
	if (quic_conn_export(visitor->conn, PROOF_LABEL, claim.binding,
			     sizeof(claim.binding)) == 0 &&
	    proof_check(key, &claim, hello->proof) == 0)
		return false;
	reject->code = REJECT_BAD_PROOF;
	message_print(reject->text, "the proof of the room's key is not right");
	return true;
}

static bool pass_fails(const struct visitor *visitor, const struct hello *hello,
		       struct reject *reject)
{
	const struct weft_relay *relay = visitor->relay;
	const char *why = NULL;
	if (!hello->has_pass)
		return false;
	if (hello->role == WEFT_ROLE_GATEWAY)
		why = "this invitation is for a client, and not for a gateway";
	else if (pass_check(&hello->pass, hello->key, hello->room) < 0)
		why = "this invitation's pass is none of the room's";
	else if (hello->pass.expires_s != WEFT_PASS_NEVER &&
		 (!relay->unix_s || relay->unix_s() >= hello->pass.expires_s))
		why = "this invitation has expired; ask for another one";
	else if (shut_out_has_pass(&relay->shut_out, hello->pass.key))
		why = "this invitation has been taken back";
	if (!why)
		return false;
	reject->code = REJECT_PASS;
	message_print(reject->text, "%s", why);
	return true;
}

void admission_on_hello(struct visitor *visitor, const struct hello *hello, uint64_t now)
{
	struct reject reject = { .retry = false };
	if (version_fails(hello, &reject) || pass_fails(visitor, hello, &reject) ||
	    proof_fails(visitor, hello, &reject)) {
		admission_refuse(visitor, &reject, now);
		return;
	}
	visitor->hello = *hello;
	visitor->measured_by_ns = now + VISITOR_MEASURE_NS;
	visitor_set_state(visitor, VISITOR_MEASURING, now);
	admission_measure(visitor, now);
}

/* ---- the room ---------------------------------------------------------------------------- */

/* Refused for now only: who has the token may open the room in the meantime. */
static bool token_fails(const struct visitor *visitor, struct reject *reject)
{
	const struct weft_relay *relay = visitor->relay;
	const struct hello *hello = &visitor->hello;
	struct proof_claim claim = { .room = hello->room };
	if (!relay->asks_for_token)
		return false;
	reject->code = REJECT_OPEN_TOKEN;
	if (!hello->has_opening) {
		message_print(reject->text,
			      "room %s is not open, and opening one on this relay takes "
			      "its operator's token: wait for who has it, or give it "
			      "with --open-token FILE",
			      hello->room);
		return true;
	}
	if (quic_conn_export(visitor->conn, PROOF_LABEL, claim.binding,
			     sizeof(claim.binding)) == 0 &&
	    opening_check(relay->opening_key, &claim, hello->opening) == 0)
		return false;
	message_print(reject->text,
		      "room %s is not open, and the token to open it is not this "
		      "relay's: ask its operator for the right one",
		      hello->room);
	return true;
}

static int open_room(struct visitor *visitor, struct reject *reject,
		     struct room **ret_room)
{
	struct weft_relay *relay = visitor->relay;
	const struct hello *hello = &visitor->hello;
	struct room_opts opts = {
		.name = hello->room,
		.mtu = relay->mtu ? relay->mtu : room_mtu_of_budget(hello->budget),
	};
	if (token_fails(visitor, reject))
		return -EACCES;
	if (hello->budget < room_budget_of_mtu(opts.mtu)) {
		reject->code = REJECT_PATH_TOO_SMALL;
		message_print(
			reject->text,
			"a room with an MTU of %u needs datagrams of %u bytes, and this "
			"path carries no more than %u",
			opts.mtu, room_budget_of_mtu(opts.mtu), hello->budget);
		return -EMSGSIZE;
	}
	memcpy(opts.key, hello->key, sizeof(opts.key));
	int r = relay_open_room(relay, &opts, ret_room);
	if (r == -ENOSPC) {
		reject->code = REJECT_ROOMS_FULL;
		message_print(reject->text,
			      "the relay opens no more rooms: its limit is %u",
			      relay->rooms_max);
	}
	return r;
}

/* Whoever opens the room, or has another pass: the address is that of somebody thrown out. */
static bool address_fails(const struct visitor *visitor, struct reject *reject)
{
	const char *room = visitor->hello.room;
	const union weft_sockaddr *peer = quic_conn_peer(visitor->conn);
	const struct weft_ip ip = net_address(peer);
	char text[WEFT_IP_TEXT];
	if (!shut_out_has_address(&visitor->relay->shut_out, room, peer))
		return false;
	reject->code = REJECT_ADDRESS;
	reject->retry = false;
	message_print(
		reject->text,
		"your address, %s, is kept out of room %s; ask its host to let it in",
		weft_ip_print(&ip, text), room);
	return true;
}

/* The room that the hello asks for, if it may come in. */
static int find_room(struct visitor *visitor, struct reject *reject,
		     struct room **ret_room)
{
	struct room *room = relay_find_room(visitor->relay, visitor->hello.room);
	if (address_fails(visitor, reject))
		return -EACCES;
	if (!room)
		return open_room(visitor, reject, ret_room);
	if (room_refuses(room, &visitor->hello, reject))
		return -EACCES;
	*ret_room = room;
	return 0;
}

static enum session_outcome on_frame(void *user, const struct weft_frame *frame,
				     uint64_t now)
{
	const struct visitor *visitor = user;
	return relay_judge(visitor->relay, visitor->member, frame, now);
}

/* Makes the visitor a member of the room, with its session on the bridge. */
static int enter_room(struct visitor *visitor, struct room *room, uint64_t now)
{
	const struct hello *hello = &visitor->hello;
	struct weft_peer peer = { .role = hello->role, .mac = hello->mac };
	struct room_member *member;
	(void)snprintf(peer.name, sizeof(peer.name), "%s", hello->name);
	int r = room_add(room, &peer, visitor, &member);
	if (r < 0)
		return r;
	room_prefer(member, &hello->address);
	const struct session_ids ids = { .room = room->id,
					 .peer = member->peer.id,
					 .mtu = room->mtu };
	session_init(&visitor->session, visitor->conn, &ids, room->name);
	r = room_attach(member, &visitor->session.link);
	if (r < 0) {
		room_remove(member);
		session_fini(&visitor->session);
		return r;
	}
	visitor->session.filter = on_frame;
	visitor->session.filter_user = visitor;
	visitor->member = member;
	relay_rule_member(visitor->relay, member);
	relay_touch_room(visitor->relay, room, now);
	return 0;
}

static void log_joined(const struct visitor *visitor)
{
	const struct room_member *member = visitor->member;
	char from[WEFT_SOCKADDR_TEXT], mac[WEFT_MAC_TEXT];
	bool is_client = member->peer.role == WEFT_ROLE_CLIENT;
	weft_sockaddr_print(quic_conn_peer(visitor->conn), from);
	weft_log_info(visitor->relay->log, "room %s: %s %u %s%s%s%s has joined from %s",
		      member->room->name, role_name(member->peer.role), member->peer.id,
		      member->peer.name, is_client ? " (" : "",
		      is_client ? weft_mac_print(member->peer.mac, mac) : "",
		      is_client ? ")" : "", from);
}

static int send_welcome(struct visitor *visitor)
{
	const struct room_member *member = visitor->member;
	const struct room *room = member->room;
	struct message message = { .type = MESSAGE_WELCOME,
				   .welcome = { .peer = member->peer.id,
						.room = room->id,
						.mtu = (uint16_t)room->mtu,
						.address = room_address(member) } };
	struct welcome *welcome = &message.welcome;
	welcome->members = calloc(room->clients_n + 1u, sizeof(*welcome->members));
	if (!welcome->members)
		return -ENOMEM;
	list_for_each (node, &room->members) {
		const struct room_member *other =
			container_of(node, struct room_member, of_room);
		if (other != member)
			welcome->members[welcome->members_n++] = other->peer;
	}
	int r = channel_send(&visitor->channel, &message);
	message_fini(&message);
	return r;
}

static void admit(struct visitor *visitor, uint64_t now)
{
	struct reject reject = { .code = REJECT_NO_MEMORY,
				 .retry = true,
				 .text = "the relay is out of memory" };
	struct room *room = NULL;
	int r = find_room(visitor, &reject, &room);
	if (r == 0)
		r = enter_room(visitor, room, now);
	if (r < 0) {
		if (room)
			relay_close_room(visitor->relay, room);
		admission_refuse(visitor, &reject, now);
		return;
	}
	bool is_client = visitor->hello.role == WEFT_ROLE_CLIENT;
	visitor_set_state(visitor, VISITOR_JOINED, WEFT_NEVER);
	log_joined(visitor);
	relay_tell_member(visitor->relay, visitor->member, true, "");
	if (is_client)
		visitor_announce_joined(visitor->member, now);
	if (send_welcome(visitor) < 0) {
		visitor_close(visitor, CLOSE_INTERNAL, "no welcome could be sent", now);
		return;
	}
	visitor_tell_claims(visitor, now);
	if (!is_client)
		visitor_announce_joined(visitor->member, now);
}

void admission_measure(struct visitor *visitor, uint64_t now)
{
	size_t max = quic_conn_datagram_max(visitor->conn);
	if (!quic_conn_path_is_settled(visitor->conn) && now < visitor->measured_by_ns &&
	    max < visitor->hello.budget) {
		visitor_set_timer(visitor, now + VISITOR_MEASURE_POLL_NS);
		return;
	}
	if (max < visitor->hello.budget)
		visitor->hello.budget = (uint32_t)max;
	admit(visitor, now);
}
