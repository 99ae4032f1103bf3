/* SPDX-License-Identifier: MIT */
/*
 * A relay that ends for a while may send its members to another one:
 *
 *              goodbye, go to B                        somebody answers at A
 *     at A -----------------------> trying B --> at B -----------------------> trying A --> at A
 *                                    |    ^      knocks at A
 *                                    v    |
 *                                   trying A
 *
 * Everybody of a room has to end up at the same relay. So all are sent at once, whoever comes
 * new finds nobody at A and waits, and those at B knock at A: with a handshake and nothing
 * more, at first soon, later once or twice a minute. As soon as it is answered they go home. A
 * try that fails is followed by one at the other of the two, until home is reached again.
 */
#include "lan/member.h"

#include <errno.h>
#include <string.h>

void member_away_init(struct weft_member *member)
{
	member->away.knock_at = WEFT_NEVER;
}

void member_away_fini(struct weft_member *member)
{
	weft_job_cancel(member->away.job);
}

/* ---- which relay is next ----------------------------------------------------------------- */

static void forget(struct member_away *away)
{
	away->host[0] = '\0';
	away->is_next = false;
	away->is_there = false;
	away->knocks_n = 0;
}

static bool is_home(const struct weft_member *member)
{
	const struct weft_invite *invite = &member->opts.invite;
	return member->away.port == invite->port &&
	       strcmp(member->away.host, invite->host) == 0;
}

bool member_away_on_goodbye(struct weft_member *member, const char *go_to)
{
	struct member_away *away = &member->away;
	if (go_to[0] == '\0') {
		forget(away);
		return false;
	}
	if (weft_hostport_parse(go_to, WEFT_RELAY_PORT, away->host, sizeof(away->host),
				&away->port) < 0 ||
	    is_home(member))
		forget(away);
	away->is_next = away->host[0] != '\0';
	return away->is_next;
}

void member_away_on_wait(struct weft_member *member)
{
	struct member_away *away = &member->away;
	if (away->host[0] && member->state != WEFT_MEMBER_JOINED)
		away->is_next = !away->is_there;
}

bool member_away_on_refusal(struct weft_member *member)
{
	struct member_away *away = &member->away;
	const bool has_other = away->host[0] != '\0';
	if (away->is_there)
		forget(away);
	return has_other;
}

/* ---- is anybody home? -------------------------------------------------------------------- */

static uint64_t pause_ns(struct weft_member *member)
{
	uint64_t least = MEMBER_KNOCK_MIN_NS;
	for (unsigned i = 0; i < member->away.knocks_n && least < MEMBER_KNOCK_MAX_NS;
	     i++)
		least *= 2;
	if (least > MEMBER_KNOCK_MAX_NS)
		least = MEMBER_KNOCK_MAX_NS;
	return least + rng_below(&member->rng, least);
}

void member_away_on_joined(struct weft_member *member, uint64_t now)
{
	if (member->away.is_there)
		member->away.knock_at = now + pause_ns(member);
	else
		forget(&member->away);
}

void member_away_rest(struct weft_member *member, uint64_t now)
{
	struct member_away *away = &member->away;
	struct quic_conn *knock = away->knock;
	weft_job_cancel(away->job);
	away->job = NULL;
	away->knock = NULL;
	away->knock_at = WEFT_NEVER;
	if (!knock)
		return;
	quic_conn_set_user(knock, NULL);
	quic_conn_close(knock, CLOSE_NORMAL, "nobody waits for an answer", now);
}

static void knock_at(struct weft_member *member, const union weft_sockaddr *addr,
		     uint64_t now)
{
	struct member_away *away = &member->away;
	if (quic_connect(member->endpoint, addr, member->opts.invite.host, now,
			 &away->knock) < 0)
		away->knock = NULL;
	else
		quic_conn_set_user(away->knock, member);
}

/* Another one of its addresses each time: the first may lead nowhere. */
static void on_home_found(void *user, int status, const union weft_sockaddr *addrs,
			  size_t n)
{
	struct weft_member *member = user;
	const uint64_t now = member->loop ? weft_loop_now(member->loop) : member->now;
	member->away.job = NULL;
	if (status == 0 && n > 0)
		knock_at(member, &addrs[member->away.knocks_n % n], now);
}

void member_away_run(struct weft_member *member, uint64_t now)
{
	const struct weft_invite *invite = &member->opts.invite;
	const struct member_env *env = &member->env;
	struct member_away *away = &member->away;
	union weft_sockaddr addr;
	away->knocks_n++;
	away->knock_at = now + pause_ns(member);
	if (away->knock || away->job)
		return;
	if (member_host_is_literal(invite->host, invite->port, &addr))
		knock_at(member, &addr, now);
	else if (env->resolve &&
		 env->resolve(env->resolve_user, invite->host, invite->port,
			      on_home_found, member, &away->job) < 0)
		away->job = NULL;
}

/* The handshake has shown that it is our relay. The way in is the same as ever. */
bool member_away_on_answer(struct weft_member *member, struct quic_conn *conn,
			   uint64_t now)
{
	struct member_away *away = &member->away;
	if (conn != away->knock)
		return false;
	away->is_next = false;
	member_wait(member, "our relay is back", now);
	member->state_until = now;
	return true;
}

bool member_away_on_silence(struct weft_member *member, const struct quic_conn *conn)
{
	if (conn != member->away.knock)
		return false;
	member->away.knock = NULL;
	return true;
}
