/* SPDX-License-Identifier: MIT */
/*
 * Which relay, and where it is: the invitation's, or the one that it has sent its members to.
 *
 * A relay may have several addresses, and some of them may lead nowhere from here, above all
 * those of IPv6. So each gets a quarter of a second before the next is tried as well, in the
 * order of the resolver, and the first that answers is taken (RFC 8305, 5).
 *
 * Whichever it is, it has to be the one of the invitation by its key, or by a certificate for
 * the invitation's host: nobody is trusted because a relay has named it.
 */
#include "lan/member.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *member_relay_host(const struct weft_member *member)
{
	return member->away.is_there ? member->away.host : member->opts.invite.host;
}

uint16_t member_relay_port(const struct weft_member *member)
{
	return member->away.is_there ? member->away.port : member->opts.invite.port;
}

void member_try_next(struct weft_member *member, const char *reason, uint64_t now)
{
	const struct weft_invite *invite = &member->opts.invite;
	struct quic_conn *conn = NULL;
	while (!conn && member->address < member->addresses_n) {
		const union weft_sockaddr *address =
			&member->addresses[member->address++];
		if (quic_connect(member->endpoint, address, invite->host, now, &conn) < 0)
			conn = NULL;
	}
	member->state_until = member->address < member->addresses_n
				      ? now + MEMBER_STAGGER_NS
				      : WEFT_NEVER;
	if (conn) {
		quic_conn_set_user(conn, member);
		member->tries[member->tries_n++] = conn;
	} else if (member->tries_n == 0) {
		member_wait(member, reason, now);
	}
}

static void use_addresses(struct weft_member *member, const union weft_sockaddr *addrs,
			  size_t n, uint64_t now)
{
	if (n > MEMBER_ADDRESSES_MAX)
		n = MEMBER_ADDRESSES_MAX;
	memcpy(member->addresses, addrs, n * sizeof(*addrs));
	member->addresses_n = n;
	member->address = 0;
	member->tx_taken = quic_endpoint_stats(member->endpoint).tx_taken;
	member_set_state(member, WEFT_MEMBER_CONNECTING, NULL, now);
	member_try_next(member, "no connection could be begun", now);
}

static void on_resolved(void *user, int status, const union weft_sockaddr *addrs,
			size_t n)
{
	struct weft_member *member = user;
	struct weft_error reason;
	uint64_t now = member->loop ? weft_loop_now(member->loop) : member->now;
	member->job = NULL;
	if (status == 0 && n > 0) {
		use_addresses(member, addrs, n, now);
		return;
	}
	(void)weft_error_set(
		&reason, 0,
		"the name %s could not be resolved: it is wrong, or there is no "
		"network",
		member_relay_host(member));
	member_wait(member, reason.text, now);
}

size_t weft_member_relay_addresses(const struct weft_member *member,
				   union weft_sockaddr *ret_addrs, size_t max)
{
	const size_t n = member->addresses_n < max ? member->addresses_n : max;
	memcpy(ret_addrs, member->addresses, n * sizeof(*ret_addrs));
	return n;
}

bool member_host_is_literal(const char *host, uint16_t port,
			    union weft_sockaddr *ret_addr)
{
	char text[MEMBER_HOST_LEN + 16];
	const bool is_ip6 = strchr(host, ':') != NULL;
	(void)snprintf(text, sizeof(text), is_ip6 ? "[%s]:%u" : "%s:%u", host, port);
	return weft_listen_parse(text, ret_addr) == 0;
}

void member_start(struct weft_member *member, uint64_t now)
{
	const struct member_env *env = &member->env;
	union weft_sockaddr addr;
	member->away.is_there = member->away.is_next;
	member->state_until = WEFT_NEVER;
	const char *host = member_relay_host(member);
	const uint16_t port = member_relay_port(member);
	if (member_host_is_literal(host, port, &addr)) {
		use_addresses(member, &addr, 1, now);
		return;
	}
	int r = -ENOTSUP;
	if (env->resolve)
		r = env->resolve(env->resolve_user, host, port, on_resolved, member,
				 &member->job);
	if (r < 0)
		on_resolved(member, r, NULL, 0);
}
