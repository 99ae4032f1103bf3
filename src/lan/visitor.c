/* SPDX-License-Identifier: MIT */
/*
 * What a connection may do depends on its state, and each event starts by asking for it.
 * A peer that breaks the protocol is told which rule it was and closed; nothing that it sends
 * can end more than its own connection.
 */
#include "lan/visitor.h"

#include "lan/admission.h"

#include <weft/log.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- states ------------------------------------------------------------------------------ */

static bool transition_is_legal(enum visitor_state from, enum visitor_state to)
{
	static const unsigned after[] = {
		[VISITOR_GREETING] = 1u << VISITOR_MEASURING | 1u << VISITOR_REFUSED |
				     1u << VISITOR_LEAVING,
		[VISITOR_MEASURING] = 1u << VISITOR_JOINED | 1u << VISITOR_REFUSED |
				      1u << VISITOR_LEAVING,
		[VISITOR_JOINED] = 1u << VISITOR_LEAVING,
		[VISITOR_REFUSED] = 1u << VISITOR_LEAVING,
		[VISITOR_LEAVING] = 0,
	};
	return (after[from] & 1u << to) != 0;
}

void visitor_set_state(struct visitor *visitor, enum visitor_state state,
		       uint64_t deadline)
{
	assert(transition_is_legal(visitor->state, state));
	visitor->state = state;
	visitor_set_timer(visitor, deadline);
}

void visitor_set_timer(struct visitor *visitor, uint64_t deadline)
{
	heap_change(&visitor->relay->timers, &visitor->timer, deadline);
}

/* ---- the others in the room -------------------------------------------------------------- */

static void tell(struct visitor *visitor, const struct message *message, uint64_t now)
{
	if (visitor->state != VISITOR_JOINED)
		return;
	int r = channel_send(&visitor->channel, message);
	if (r < 0)
		visitor_close(visitor, r == -ENOBUFS ? CLOSE_TOO_SLOW : CLOSE_INTERNAL,
			      "the relay could not send a control message", now);
}

static void tell_others(const struct room_member *member, const struct message *message,
			uint64_t now)
{
	list_for_each (node, &member->room->members) {
		const struct room_member *other =
			container_of(node, struct room_member, of_room);
		if (other != member && other->user)
			tell(other->user, message, now);
	}
}

void visitor_announce_joined(const struct room_member *member, uint64_t now)
{
	const struct message message = { .type = MESSAGE_PEER_JOINED,
					 .peer_joined = member->peer };
	tell_others(member, &message, now);
}

void visitor_announce_left(const struct room_member *member, const struct peer_left *left,
			   uint64_t now)
{
	const struct message message = { .type = MESSAGE_PEER_LEFT, .peer_left = *left };
	tell_others(member, &message, now);
}

void visitor_tell_claims(struct visitor *visitor, uint64_t now)
{
	list_for_each (node, &visitor->member->room->members) {
		const struct room_member *other =
			container_of(node, struct room_member, of_room);
		struct message message = { .type = MESSAGE_CLAIMED,
					   .claim = { .peer = other->peer.id,
						      .n = other->claims_n } };
		memcpy(message.claim.macs, other->claims, sizeof(other->claims));
		if (other->claims_n > 0)
			tell(visitor, &message, now);
	}
}

/* ---- leaving ----------------------------------------------------------------------------- */

/* Frees what the member has in its room, and tells the others. */
static void leave_room(struct visitor *visitor, uint64_t now)
{
	struct room_member *member = visitor->member;
	if (!member)
		return;
	struct room *room = member->room;
	struct weft_relay *relay = visitor->relay;
	struct peer_left left = { .id = member->peer.id, .code = visitor->leave_code };
	message_print(left.text, "%s", visitor->leave_text ? visitor->leave_text : "");
	visitor->member = NULL;

	weft_log_info(relay->log, "room %s: %s %u %s has left: %s", room->name,
		      role_name(member->peer.role), member->peer.id, member->peer.name,
		      left.text);
	if (!relay_is_draining(relay))
		visitor_announce_left(member, &left, now);
	relay_tell_member(relay, member, false, left.text);
	if (visitor->is_lost && member != room->gateway)
		relay_keep(relay, member, &visitor->hello, now);
	room_remove(member);
	relay_count_session(&relay->gone, &visitor->session);
	session_fini(&visitor->session);
	relay_close_room(relay, room);
}

static void set_leave(struct visitor *visitor, enum leave_code code, const char *text)
{
	visitor->leave_code = code;
	free(visitor->leave_text);
	visitor->leave_text = text[0] != '\0' ? strdup(text) : NULL;
}

void visitor_close(struct visitor *visitor, enum close_code code, const char *text,
		   uint64_t now)
{
	if (visitor->state == VISITOR_LEAVING)
		return;
	if (visitor->leave_code == LEAVE_OTHER && !visitor->leave_text)
		set_leave(visitor,
			  code == CLOSE_PROTOCOL ? LEAVE_PROTOCOL_ERROR : LEAVE_OTHER,
			  text);
	visitor->relay->closes[code]++;
	visitor_set_state(visitor, VISITOR_LEAVING, WEFT_NEVER);
	quic_conn_close(visitor->conn, code, text, now);
}

void visitor_dismiss(struct visitor *visitor, const struct message *disconnect,
		     uint64_t now)
{
	const struct disconnect *why = &disconnect->disconnect;
	set_leave(visitor, why->code, why->text);
	if (visitor->state == VISITOR_JOINED)
		tell(visitor, disconnect, now);
	else
		visitor_close(visitor, CLOSE_SHUTDOWN, why->text, now);
}

void visitor_free(struct visitor *visitor)
{
	heap_remove(&visitor->relay->timers, &visitor->timer);
	list_remove(&visitor->node);
	channel_fini(&visitor->channel);
	free(visitor->leave_text);
	free(visitor);
}

/* ---- events of the connection ------------------------------------------------------------ */

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	struct weft_relay *relay = user;
	if (relay_is_draining(relay)) {
		quic_conn_close(conn, CLOSE_SHUTDOWN, VISITOR_SHUTDOWN, now);
		return;
	}
	struct visitor *visitor = calloc(1, sizeof(*visitor));
	if (visitor) {
		visitor->timer.deadline = now + VISITOR_HELLO_NS;
		visitor->relay = relay;
		visitor->conn = conn;
	}
	if (!visitor || heap_insert(&relay->timers, &visitor->timer) < 0) {
		free(visitor);
		quic_conn_close(conn, CLOSE_INTERNAL, "out of memory", now);
		return;
	}
	visitor->messages = bucket_of(1, VISITOR_MESSAGES_BURST);
	visitor->claims = bucket_of(VISITOR_CLAIMS_RATE, VISITOR_CLAIMS_BURST);
	visitor->malformed = bucket_of(VISITOR_MALFORMED_RATE, VISITOR_MALFORMED_BURST);
	channel_init(&visitor->channel, conn);
	list_push_back(&relay->visitors, &visitor->node);
	quic_conn_set_user(conn, visitor);
}

/* What no member sends that speaks the protocol; what rules forbid is not among it. */
static bool is_malformed(enum session_outcome outcome)
{
	return outcome == SESSION_DROP_MALFORMED || outcome == SESSION_DROP_WRONG_IDS ||
	       outcome == SESSION_DROP_RUNT || outcome == SESSION_DROP_TOO_LONG;
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	(void)user;
	struct visitor *visitor = quic_conn_user(conn);
	if (!visitor)
		return;
	if (!visitor->member) {
		visitor->relay->early_datagrams++;
		return;
	}
	const enum session_outcome outcome =
		session_input(&visitor->session, data, len, now);
	if (visitor->member)
		relay_touch_room(visitor->relay, visitor->member->room, now);
	if (is_malformed(outcome) && !bucket_take(&visitor->malformed, 1, now))
		visitor_close(visitor, CLOSE_PROTOCOL, "too many malformed datagrams",
			      now);
}

static void deny(struct visitor *visitor, struct weft_mac mac, int why, uint64_t now)
{
	const struct message message = {
		.type = MESSAGE_DENIED,
		.claim = { .code = why == -EEXIST ? DENY_MAC_TAKEN : DENY_LIMIT,
			   .n = 1,
			   .macs = { mac } },
	};
	char text[WEFT_MAC_TEXT];
	/* As many lines as it may have MACs: who asks on and on is not to fill the log. */
	if (visitor->member->denied++ < LAN_CLAIMS_MAX)
		weft_log_info(visitor->relay->log, "room %s: %u may not have %s: %s",
			      visitor->member->room->name, visitor->member->peer.id,
			      weft_mac_print(mac, text),
			      deny_code_name(message.claim.code));
	tell(visitor, &message, now);
}

/* What holds of a list is told to everyone, and what does not to the member alone. */
static void on_claim(struct visitor *visitor, const struct mac_list *asked, uint64_t now)
{
	struct room_member *member = visitor->member;
	struct message message = { .type = MESSAGE_CLAIMED,
				   .claim.peer = member->peer.id };
	struct mac_list *held = &message.claim;
	for (size_t i = 0; i < asked->n && visitor->state == VISITOR_JOINED; i++) {
		const bool may_ask = bucket_take(&visitor->claims, 1, now);
		int r = may_ask ? room_claim(member, asked->macs[i]) : -ENOSPC;
		if (r == 0)
			held->macs[held->n++] = asked->macs[i];
		else
			deny(visitor, asked->macs[i], r, now);
	}
	if (held->n == 0)
		return;
	/* The gateway first, because it takes frames only under MACs that it knows. */
	tell_others(member, &message, now);
	tell(visitor, &message, now);
}

static void on_release(struct visitor *visitor, const struct mac_list *asked,
		       uint64_t now)
{
	struct room_member *member = visitor->member;
	struct message message = { .type = MESSAGE_RELEASED,
				   .claim.peer = member->peer.id };
	struct mac_list *gone = &message.claim;
	for (size_t i = 0; i < asked->n; i++)
		if (room_release(member, asked->macs[i]))
			gone->macs[gone->n++] = asked->macs[i];
	if (gone->n > 0)
		tell_others(member, &message, now);
}

static void on_member_message(struct visitor *visitor, const struct message *message,
			      uint64_t now)
{
	if (!bucket_take(&visitor->messages, 1, now)) {
		visitor_close(visitor, CLOSE_TOO_MANY, "too many control messages", now);
	} else if (message->type == MESSAGE_STATS) {
		visitor->counts = message->stats;
	} else if (message->type == MESSAGE_CLAIM) {
		on_claim(visitor, &message->claim, now);
	} else if (message->type == MESSAGE_RELEASE) {
		on_release(visitor, &message->claim, now);
	} else if (message->type == MESSAGE_DISCONNECT) {
		set_leave(visitor, message->disconnect.code, message->disconnect.text);
		leave_room(visitor, now);
		visitor_close(visitor, CLOSE_NORMAL, "goodbye", now);
	} else {
		visitor_close(visitor, CLOSE_PROTOCOL,
			      "a control message that a member does not send", now);
	}
}

static void on_message(struct visitor *visitor, const struct message *message,
		       uint64_t now)
{
	if (visitor->state == VISITOR_GREETING && message->type == MESSAGE_HELLO)
		admission_on_hello(visitor, &message->hello, now);
	else if (visitor->state == VISITOR_JOINED)
		on_member_message(visitor, message, now);
	else
		visitor_close(visitor, CLOSE_PROTOCOL, "a control message out of turn",
			      now);
}

/* A hello that cannot be read is answered, so that people see what is wrong with it. */
static void on_wrong_input(struct visitor *visitor, int64_t stream,
			   const struct weft_error *err, uint64_t now)
{
	struct reject reject = { .code = REJECT_BAD_HELLO };
	if (visitor->state != VISITOR_GREETING || stream != CHANNEL_STREAM) {
		visitor_close(visitor, CLOSE_PROTOCOL, err->text, now);
		return;
	}
	message_print(reject.text, "%.*s", (int)MESSAGE_TEXT_MAX, err->text);
	admission_refuse(visitor, &reject, now);
}

static bool is_listening(const struct visitor *visitor)
{
	return visitor->state < VISITOR_REFUSED;
}

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	(void)user;
	struct visitor *visitor = quic_conn_user(conn);
	struct message message;
	struct weft_error err;
	if (!visitor || !is_listening(visitor))
		return;
	int r = channel_feed(&visitor->channel, input, &err);
	while (r >= 0 && is_listening(visitor)) {
		r = channel_next(&visitor->channel, &message, &err);
		if (r <= 0)
			break;
		on_message(visitor, &message, now);
		message_fini(&message);
	}
	if (r == -ENOMEM)
		visitor_close(visitor, CLOSE_INTERNAL, err.text, now);
	else if (r < 0)
		on_wrong_input(visitor, input->stream, &err, now);
}

/* What the others are told when the connection ended without a disconnect. */
static void leave_as_closed(struct visitor *visitor, const struct quic_close *why)
{
	if (relay_is_draining(visitor->relay))
		return; /* visitor_dismiss has said why. */
	switch (why->kind) {
	case QUIC_CLOSE_LOCAL: /* visitor_close has said why. */
		break;
	case QUIC_CLOSE_PEER_APP:
		set_leave(visitor, why->code == CLOSE_NORMAL ? LEAVE_NORMAL : LEAVE_OTHER,
			  why->reason);
		break;
	case QUIC_CLOSE_TIMEOUT:
		visitor->is_lost = true;
		set_leave(visitor, LEAVE_TIMED_OUT, "nothing was heard of it any more");
		break;
	case QUIC_CLOSE_TRANSPORT:
	case QUIC_CLOSE_IDENTITY:
		set_leave(visitor, LEAVE_PROTOCOL_ERROR, why->reason);
		break;
	case QUIC_CLOSE_RESET:
		visitor->is_lost = true;
		set_leave(visitor, LEAVE_OTHER, "it has lost its connection");
		break;
	}
}

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	(void)user;
	struct visitor *visitor = quic_conn_user(conn);
	if (!visitor)
		return;
	leave_as_closed(visitor, why);
	leave_room(visitor, now);
	visitor_free(visitor);
}

static void on_path(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)user;
	struct visitor *visitor = quic_conn_user(conn);
	if (visitor && visitor->state == VISITOR_MEASURING)
		admission_measure(visitor, now);
}

const struct quic_events visitor_events = {
	.established = on_established,
	.datagram = on_datagram,
	.stream = on_stream,
	.closed = on_closed,
	.path = on_path,
};

/* ---- time -------------------------------------------------------------------------------- */

void visitor_on_timer(struct visitor *visitor, uint64_t now)
{
	switch (visitor->state) {
	case VISITOR_GREETING:
		visitor_close(visitor, CLOSE_HELLO_TIMEOUT, "no hello came", now);
		break;
	case VISITOR_MEASURING:
		admission_measure(visitor, now);
		break;
	case VISITOR_REFUSED:
		visitor_close(visitor, CLOSE_REFUSED, "refused", now);
		break;
	case VISITOR_JOINED:
	case VISITOR_LEAVING:
		visitor_set_timer(visitor, WEFT_NEVER);
		break;
	}
}
