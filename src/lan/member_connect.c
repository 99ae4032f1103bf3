/* SPDX-License-Identifier: MIT */
/*
 * From a name to a place in a room. Whatever goes wrong on the way ends in member_wait or
 * member_refused with one sentence that says what it was; there is no other way out.
 *
 * Back-off: the n-th wait in a row is somewhere between 0.5 s and 1 s * 2^n, 15 s at most. The
 * members of a relay that was restarted come back spread out, and one whose relay is gone for
 * a week asks four to eight times a minute.
 */
#include "base/time.h"
#include "lan/member.h"
#include "lan/proof.h"

#include <weft/log.h>

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define BACKOFF_FIRST_NS NS_PER_S

/* ---- states ------------------------------------------------------------------------------ */

const char *weft_member_state_name(enum weft_member_state state)
{
	static const char *const names[] = {
		[WEFT_MEMBER_RESOLVING] = "resolving",
		[WEFT_MEMBER_CONNECTING] = "connecting",
		[WEFT_MEMBER_JOINING] = "joining",
		[WEFT_MEMBER_JOINED] = "joined",
		[WEFT_MEMBER_WAITING] = "waiting",
		[WEFT_MEMBER_REFUSED] = "refused",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == WEFT_MEMBER_REFUSED + 1,
		      "each state has a name");
	return state <= WEFT_MEMBER_REFUSED ? names[state] : "unknown";
}

#define BIT(state) (1u << (state))

static bool transition_is_legal(enum weft_member_state from, enum weft_member_state to)
{
	const unsigned failed = BIT(WEFT_MEMBER_WAITING) | BIT(WEFT_MEMBER_REFUSED);
	const unsigned after[] = {
		[WEFT_MEMBER_RESOLVING] =
			BIT(WEFT_MEMBER_CONNECTING) | BIT(WEFT_MEMBER_WAITING),
		[WEFT_MEMBER_CONNECTING] = BIT(WEFT_MEMBER_JOINING) | failed,
		[WEFT_MEMBER_JOINING] = BIT(WEFT_MEMBER_JOINED) | failed,
		[WEFT_MEMBER_JOINED] = failed,
		[WEFT_MEMBER_WAITING] = BIT(WEFT_MEMBER_RESOLVING),
		[WEFT_MEMBER_REFUSED] = BIT(WEFT_MEMBER_RESOLVING),
	};
	return (after[from] & BIT(to)) != 0;
}

void member_set_state(struct weft_member *member, enum weft_member_state state,
		      const char *reason, uint64_t now)
{
	const struct weft_member_events *events = member->opts.events;
	assert(transition_is_legal(member->state, state));
	member->state = state;
	(void)snprintf(member->reason, sizeof(member->reason), "%s",
		       reason ? reason : "");
	weft_log_debug(member->opts.log, "%s%s%s", weft_member_state_name(state),
		       reason ? ": " : "", member->reason);
	if (events && events->state)
		events->state(member->opts.user, state, member->reason, now);
}

/* ---- giving up --------------------------------------------------------------------------- */

static void drop_tries(struct weft_member *member, uint64_t now)
{
	while (member->tries_n > 0) {
		struct quic_conn *conn = member->tries[--member->tries_n];
		quic_conn_set_user(conn, NULL);
		quic_conn_close(conn, CLOSE_NORMAL, "another address is taken", now);
	}
}

/* True if it was one of them. */
static bool take_try(struct weft_member *member, const struct quic_conn *conn)
{
	for (size_t i = 0; i < member->tries_n; i++) {
		if (member->tries[i] != conn)
			continue;
		member->tries[i] = member->tries[--member->tries_n];
		return true;
	}
	return false;
}

static void forget_conn(struct weft_member *member)
{
	if (!member->conn)
		return;
	member_leave(member);
	channel_fini(&member->channel);
	quic_conn_set_user(member->conn, NULL);
	member->conn = NULL;
	member->stats_at = WEFT_NEVER;
}

void member_drop_conn(struct weft_member *member, uint64_t code, const char *text,
		      uint64_t now)
{
	struct quic_conn *conn = member->conn;
	forget_conn(member);
	drop_tries(member, now);
	member_away_rest(member, now);
	if (conn)
		quic_conn_close(conn, code, text, now);
}

static uint64_t backoff_ns(struct weft_member *member)
{
	uint64_t most = BACKOFF_FIRST_NS;
	for (unsigned i = 0; i < member->attempts && most < MEMBER_BACKOFF_MAX_NS; i++)
		most *= 2;
	if (most > MEMBER_BACKOFF_MAX_NS)
		most = MEMBER_BACKOFF_MAX_NS;
	member->attempts++;
	return MEMBER_BACKOFF_MIN_NS +
	       rng_below(&member->rng, most - MEMBER_BACKOFF_MIN_NS + 1);
}

void member_wait(struct weft_member *member, const char *reason, uint64_t now)
{
	member_away_on_wait(member);
	member_drop_conn(member, CLOSE_NORMAL, "the member gives up", now);
	member->state_until = now + backoff_ns(member);
	member_set_state(member, WEFT_MEMBER_WAITING, reason, now);
}

/* Others have seen the same network come back, so not all at once. */
void weft_member_hurry(struct weft_member *member, uint64_t now)
{
	const uint64_t soon = now + rng_below(&member->rng, MEMBER_BACKOFF_MIN_NS + 1);
	if (member->state == WEFT_MEMBER_WAITING && soon < member->state_until)
		member->state_until = soon;
}

/* Waiting will hardly help: ask again seldom, or never. */
static void give_in(struct weft_member *member, const char *reason, bool retry,
		    uint64_t now)
{
	member_drop_conn(member, CLOSE_NORMAL, "the member was refused", now);
	member->state_until = retry ? now + MEMBER_REFUSED_NS : WEFT_NEVER;
	member_set_state(member, WEFT_MEMBER_REFUSED, reason, now);
}

/* The same, unless there is another relay that may say yes. */
static void member_refused(struct weft_member *member, const char *reason, bool retry,
			   uint64_t now)
{
	if (member_away_on_refusal(member))
		member_wait(member, reason, now);
	else
		give_in(member, reason, retry, now);
}

/* ---- hello ------------------------------------------------------------------------------- */

void member_prove(const struct weft_invite *invite, const struct proof_claim *claim,
		  struct hello *hello)
{
	const struct weft_pass *pass = &invite->pass;
	hello->has_pass = invite->has_pass;
	if (!invite->has_pass) {
		proof_key(invite->secret, hello->key);
		proof_sign(invite->secret, claim, hello->proof);
		return;
	}
	memcpy(hello->key, pass->room_key, sizeof(hello->key));
	pass_key(pass->seed, hello->pass.key);
	hello->pass.expires_s = pass->expires_s;
	memcpy(hello->pass.signature, pass->signature, sizeof(hello->pass.signature));
	proof_sign_by_pass(pass->seed, claim, hello->proof);
}

static int send_hello(struct weft_member *member)
{
	const struct weft_member_opts *opts = &member->opts;
	struct proof_claim claim = { .role = opts->role, .room = opts->invite.room };
	struct message message = { .type = MESSAGE_HELLO,
				   .hello = { .has_version = true, .role = opts->role } };
	struct hello *hello = &message.hello;
	(void)snprintf(hello->room, sizeof(hello->room), "%s", opts->invite.room);
	(void)snprintf(hello->name, sizeof(hello->name), "%s", member->name);
	if (opts->role == WEFT_ROLE_CLIENT)
		hello->mac = opts->mac;
	hello->address = member->last_address;
	hello->budget = (uint32_t)quic_conn_datagram_max(member->conn);
	int r = quic_conn_export(member->conn, PROOF_LABEL, claim.binding,
				 sizeof(claim.binding));
	if (r < 0)
		return r;
	member_prove(&opts->invite, &claim, hello);
	hello->has_opening = member->has_token;
	if (hello->has_opening)
		opening_prove(member->opening_key, &claim, hello->opening);
	return channel_open(&member->channel, &message);
}

static void say_hello(struct weft_member *member, uint64_t now)
{
	member->said_hello = true;
	member->state_until = now + MEMBER_ANSWER_NS;
	if (send_hello(member) < 0)
		member_wait(member, "the hello could not be sent", now);
}

/* Says hello once the path is known, or has been waited for long enough. */
static void measure(struct weft_member *member, bool is_late, uint64_t now)
{
	if (member->said_hello)
		return;
	if (is_late || quic_conn_path_is_settled(member->conn))
		say_hello(member, now);
}

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)user;
	struct weft_member *member = quic_conn_user(conn);
	if (!member || member_away_on_answer(member, conn, now) ||
	    !take_try(member, conn))
		return;
	drop_tries(member, now);
	member->conn = conn;
	channel_init(&member->channel, conn);
	member->said_hello = false;
	member->measure_by = now + MEMBER_MEASURE_NS;
	member->state_until = now + MEMBER_MEASURE_POLL_NS;
	member_set_state(member, WEFT_MEMBER_JOINING, NULL, now);
	if (member->conn == conn)
		measure(member, false, now);
}

static void on_path(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)user;
	struct weft_member *member = quic_conn_user(conn);
	if (member && member->state == WEFT_MEMBER_JOINING)
		measure(member, false, now);
}

/* ---- what the relay says ----------------------------------------------------------------- */

static void on_reject(struct weft_member *member, const struct reject *reject,
		      uint64_t now)
{
	struct weft_error reason;
	(void)weft_error_set(&reason, 0, "the relay refuses: %s", reject->text);
	if (reject->retry && reject->code != REJECT_WRONG_KEY)
		member_wait(member, reason.text, now);
	else
		member_refused(member, reason.text, reject->retry, now);
}

static void on_disconnect(struct weft_member *member, const struct disconnect *disconnect,
			  uint64_t now)
{
	struct weft_error reason;
	const bool is_sent = member_away_on_goodbye(member, disconnect->go_to);
	(void)weft_error_set(&reason, 0, "the relay says goodbye: %s%s%s",
			     disconnect->text,
			     is_sent ? "; until it is back we meet at " : "",
			     is_sent ? disconnect->go_to : "");
	member_wait(member, reason.text, now);
	/* All of its members were told so at once: not all of them back at once. */
	if (disconnect->wait_ms > 0)
		member->state_until =
			now + MEMBER_BACKOFF_MIN_NS +
			rng_below(&member->rng, disconnect->wait_ms * NS_PER_MS + 1);
}

static int on_news(struct weft_member *member, const struct message *message,
		   uint64_t now)
{
	switch (message->type) {
	case MESSAGE_PEER_JOINED:
		return member_on_peer_joined(member, &message->peer_joined, now);
	case MESSAGE_PEER_LEFT:
		member_on_peer_left(member, &message->peer_left, now);
		return 0;
	case MESSAGE_CLAIMED:
	case MESSAGE_RELEASED:
	case MESSAGE_DENIED:
		return member_on_claims(member, message, now);
	case MESSAGE_DISCONNECT:
		on_disconnect(member, &message->disconnect, now);
		return 0;
	default:
		return -EPROTO;
	}
}

/* Returns 0, or -EPROTO for a message out of turn. */
static int on_message(struct weft_member *member, const struct message *message,
		      uint64_t now)
{
	if (member->room_port)
		return on_news(member, message, now);
	if (!member->said_hello)
		return -EPROTO;
	switch (message->type) {
	case MESSAGE_WELCOME:
		return member_enter(member, &message->welcome, now);
	case MESSAGE_REJECT:
		on_reject(member, &message->reject, now);
		return 0;
	default:
		return -EPROTO;
	}
}

static void fail(struct weft_member *member, const char *what, uint64_t now)
{
	struct weft_error reason;
	(void)weft_error_set(&reason, 0, "the relay does not keep to the protocol: %s",
			     what);
	member_drop_conn(member, CLOSE_PROTOCOL, what, now);
	member_wait(member, reason.text, now);
}

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	(void)user;
	struct weft_member *member = quic_conn_user(conn);
	struct message message;
	struct weft_error err = { "a control message out of turn" };
	if (!member || conn != member->conn)
		return;
	int r = channel_feed(&member->channel, input, &err);
	/* A message may end the connection, and with it the channel. */
	while (r >= 0 && member->conn == conn) {
		r = channel_next(&member->channel, &message, &err);
		if (r <= 0)
			break;
		r = on_message(member, &message, now);
		message_fini(&message);
	}
	if (r == -EPROTO)
		fail(member, err.text, now);
	else if (r < 0)
		member_wait(member, strerror(-r), now);
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	(void)user;
	struct weft_member *member = quic_conn_user(conn);
	if (!member)
		return;
	if (member->room_port)
		(void)session_input(&member->session, data, len, now);
	else
		member->early_datagrams++;
}

/* ---- the end of a connection ------------------------------------------------------------- */

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	(void)user;
	struct weft_member *member = quic_conn_user(conn);
	struct weft_error reason = { "" };
	if (!member || member_away_on_silence(member, conn))
		return;
	member_explain_close(member, why, &reason);
	bool was_try = take_try(member, conn);
	if (!was_try)
		forget_conn(member);
	if (why->kind == QUIC_CLOSE_IDENTITY)
		member_refused(member, reason.text, true, now);
	else if (why->kind == QUIC_CLOSE_PEER_APP && why->code == CLOSE_KICKED)
		give_in(member, reason.text, false, now);
	else if (was_try)
		member_try_next(member, reason.text, now);
	else
		member_wait(member, reason.text, now);
}

const struct quic_events member_events = {
	.established = on_established,
	.datagram = on_datagram,
	.stream = on_stream,
	.closed = on_closed,
	.path = on_path,
};

/* ---- time -------------------------------------------------------------------------------- */

static void on_joining_timer(struct weft_member *member, uint64_t now)
{
	if (member->said_hello) {
		member_wait(member, "the relay does not answer our hello", now);
		return;
	}
	member->state_until = now + MEMBER_MEASURE_POLL_NS;
	measure(member, now >= member->measure_by, now);
}

void member_on_state_timer(struct weft_member *member, uint64_t now)
{
	switch (member->state) {
	case WEFT_MEMBER_JOINING:
		on_joining_timer(member, now);
		break;
	case WEFT_MEMBER_WAITING:
	case WEFT_MEMBER_REFUSED:
		member_set_state(member, WEFT_MEMBER_RESOLVING, NULL, now);
		member_start(member, now);
		break;
	case WEFT_MEMBER_RESOLVING:
		member_start(member, now);
		break;
	case WEFT_MEMBER_CONNECTING:
		member_try_next(member, "no connection could be begun", now);
		break;
	case WEFT_MEMBER_JOINED:
		member->state_until = WEFT_NEVER;
		break;
	}
}
