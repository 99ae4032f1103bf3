/* SPDX-License-Identifier: MIT */
/*
 * The member as an object: its making and its end, its task, and what it can be asked. It is
 * one task, like the relay: the endpoint's descriptor, and the earliest of all deadlines.
 */
#include "lan/member.h"

#include "base/container.h"
#include "base/mac.h"
#include "lan/facts.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of quic_endpoint_opts.secret. */
#define SECRET_LEN 32u

/* ---- task -------------------------------------------------------------------------------- */

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_member *member = container_of(task, struct weft_member, task);
	struct weft_task *inner = quic_endpoint_task(member->endpoint);
	member->now = now;
	if (now >= member->state_until)
		member_on_state_timer(member, now);
	if (now >= member->stats_at)
		member_send_stats(member, now);
	if (member->opts.claims)
		member_ask_claims(member, now);
	if (now >= member->away.knock_at)
		member_away_run(member, now);
	if (now >= member_gateway_deadline(member))
		member_gateway_run(member, now);
	weft_task_run_inner(task, inner, now);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_member *member =
		container_of_const(task, struct weft_member, task);
	const struct weft_task *inner = quic_endpoint_task(member->endpoint);
	uint64_t own = earlier(member->state_until, member->stats_at);
	if (member->opts.claims && member->room_port)
		own = earlier(own, claims_deadline(&member->claims));
	own = earlier(own, member->away.knock_at);
	own = earlier(own, member_gateway_deadline(member));
	return inner->deadline ? earlier(own, inner->deadline(inner)) : own;
}

struct weft_task *member_task(struct weft_member *member)
{
	return &member->task;
}

/* ---- making ------------------------------------------------------------------------------ */

static int check_opts(const struct weft_member_opts *opts, struct weft_error *err)
{
	const char *name = opts->name ? opts->name : "";
	char text[WEFT_MAC_TEXT];
	if (!opts->link)
		return weft_error_set(err, -EINVAL, "a member needs a link");
	if (!weft_room_name_is_valid(opts->invite.room))
		return weft_error_set(err, -EINVAL, "the invitation names no valid room");
	if (name[0] && !weft_room_name_is_valid(name))
		return weft_error_set(err, -EINVAL,
				      "\"%.40s\" cannot be a member's name: use up to %u "
				      "letters, digits, \"-\", \"_\" and \".\"",
				      name, WEFT_MEMBER_NAME_MAX);
	if (opts->role == WEFT_ROLE_CLIENT &&
	    (mac_is_group(opts->mac) || !mac_is_local(opts->mac)))
		return weft_error_set(
			err, -EINVAL,
			"%s is no MAC for a member: it has to be a unicast "
			"address with the local bit, such as 02:00:00:00:00:01",
			weft_mac_print(opts->mac, text));
	return 0;
}

static int make_bridge(struct weft_member *member, const uint8_t secret[16],
		       struct weft_error *err)
{
	static const struct weft_bridge_port_opts port = { .no_learning = true };
	const struct weft_bridge_opts opts = {
		.fdb_max = ROSTER_MAX, .ports_max = 2, .secret = secret, .too_big = true
	};
	struct weft_link *link = member->opts.link;
	int r = weft_bridge_new(&opts, &member->bridge);
	if (r == 0)
		r = weft_bridge_add(member->bridge, link, &port, &member->link_port);
	if (r == -EINVAL)
		return weft_error_set(
			err, r,
			"%s carries IP packets and no Ethernet frames: a room "
			"needs a TAP or a NIC",
			weft_link_name(link));
	return r < 0 ? weft_error_set(err, r, "out of memory") : 0;
}

/*
 * QUIC counts from the first packet that is not answered (RFC 9000 10.1), and that is sent up
 * to one keep-alive after the last answer.
 */
static uint64_t quic_idle_ns(const struct weft_member_opts *opts)
{
	return opts->idle_timeout_ns > 2 * opts->keep_alive_ns
		       ? opts->idle_timeout_ns - opts->keep_alive_ns
		       : opts->idle_timeout_ns;
}

static int make_endpoint(struct weft_member *member, const struct member_env *env)
{
	const struct quic_endpoint_opts opts = {
		.dgram = env->dgram,
		.tls = member->tls,
		.events = &member_events,
		.user = member,
		.secret = env->secret,
		.cc = (enum quic_cc)member->opts.cc,
		.idle_timeout_ns = quic_idle_ns(&member->opts),
		.keep_alive_ns = member->opts.keep_alive_ns,
		.handshake_timeout_ns = MEMBER_HANDSHAKE_NS,
		.conns_max = 16,
	};
	int r = quic_endpoint_new(&opts, &member->endpoint);
	if (r < 0)
		return r;
	const struct weft_task *inner = quic_endpoint_task(member->endpoint);
	member->task = (struct weft_task){ .fd = inner->fd,
					   .events = inner->events,
					   .run = task_run,
					   .deadline = task_deadline };
	return 0;
}

static void set_opts(struct weft_member *member, const struct weft_member_opts *opts)
{
	member->opts = *opts;
	(void)snprintf(member->name, sizeof(member->name), "%s",
		       opts->name ? opts->name : "");
	member->opts.name = member->name;
	member->has_token = opts->open_token != NULL;
	if (opts->open_token)
		opening_key(opts->open_token, member->opening_key);
	member->opts.open_token = NULL;
	if (opts->idle_timeout_ns == 0)
		member->opts.idle_timeout_ns = MEMBER_IDLE_NS;
	if (opts->keep_alive_ns == 0)
		member->opts.keep_alive_ns = member->opts.idle_timeout_ns / 3;
}

/* The endpoint comes last: what fails before it leaves the socket with the caller. */
static int fill(struct weft_member *member, const struct weft_member_opts *opts,
		const struct member_env *env, struct weft_error *err)
{
	const struct weft_invite *invite = &opts->invite;
	uint8_t secret[16];
	randombytes_buf(secret, sizeof(secret));
	set_opts(member, opts);
	member->env = *env;
	member->now = env->now;
	member->state_until = WEFT_NEVER;
	member->stats_at = WEFT_NEVER;
	roster_init(&member->roster);
	claims_init(&member->claims, opts->mac);
	rng_init(&member->rng, env->seed);
	member_away_init(member);
	member_gateway_init(member, secret);
	int r = make_bridge(member, secret, err);
	if (r == 0)
		r = quic_tls_client_new(invite->has_pin ? invite->pin : NULL,
					opts->ca_file, LAN_ALPN, err, &member->tls);
	if (r < 0)
		return r;
	r = make_endpoint(member, env);
	member->env.dgram = NULL;
	member->env.secret = NULL;
	return r < 0 ? weft_error_set(err, r, "the member could not be made: %s",
				      strerror(-r))
		     : 0;
}

int member_new_on(const struct weft_member_opts *opts, const struct member_env *env,
		  struct weft_error *err, struct weft_member **ret_member)
{
	int r = check_opts(opts, err);
	if (r < 0)
		return r;
	if (sodium_init() < 0)
		return weft_error_set(err, -EIO, "libsodium does not work here");
	struct weft_member *member = calloc(1, sizeof(*member));
	if (!member)
		return weft_error_set(err, -ENOMEM, "out of memory");
	r = fill(member, opts, env, err);
	if (r < 0) {
		weft_member_free(member);
		return r;
	}
	/* The first step is taken in the first run: nobody is called back from here. */
	member->state = WEFT_MEMBER_RESOLVING;
	member->state_until = env->now;
	*ret_member = member;
	return 0;
}

static int resolve(void *user, const char *host, uint16_t port, member_resolved *fn,
		   void *fn_user, struct weft_job **ret_job)
{
	return weft_loop_resolve(user, host, port, fn, fn_user, ret_job);
}

/* A socket for both families, or for IPv4 where the machine has no IPv6. */
static int open_socket(struct weft_error *err, struct dgram **ret_dgram)
{
	struct dgram_udp_opts opts = { .bind.in6.sin6_family = AF_INET6 };
	int r = dgram_udp_new(&opts, err, ret_dgram);
	if (r < 0) {
		opts = (struct dgram_udp_opts){ .bind.in.sin_family = AF_INET };
		r = dgram_udp_new(&opts, err, ret_dgram);
	}
	return r;
}

int weft_member_new(const struct weft_member_opts *opts, struct weft_loop *loop,
		    struct weft_error *err, struct weft_member **ret_member)
{
	uint8_t secret[SECRET_LEN];
	struct member_env env = { .secret = secret,
				  .now = weft_loop_now(loop),
				  .resolve = resolve,
				  .resolve_user = loop };
	struct weft_member *member = NULL;
	int r = open_socket(err, &env.dgram);
	if (r < 0)
		return r;
	randombytes_buf(secret, sizeof(secret));
	randombytes_buf(&env.seed, sizeof(env.seed));
	r = member_new_on(opts, &env, err, &member);
	sodium_memzero(secret, sizeof(secret));
	if (r < 0) {
		dgram_free(env.dgram);
		return r;
	}
	assert(member);
	member->loop = loop;
	r = weft_loop_add(loop, &member->task);
	if (r < 0) {
		weft_member_free(member);
		return weft_error_set(err, r, "the member cannot be run: %s",
				      strerror(-r));
	}
	*ret_member = member;
	return 0;
}

/* ---- the end ----------------------------------------------------------------------------- */

/*
 * Once with a reason for the others in the room, and once more as the end of the connection:
 * whichever of the two is lost, the other may arrive.
 */
static void say_goodbye(struct weft_member *member)
{
	const struct message message = { .type = MESSAGE_DISCONNECT,
					 .disconnect = { .code = LEAVE_NORMAL,
							 .text = "goodbye" } };
	struct weft_task *inner = quic_endpoint_task(member->endpoint);
	struct quic_conn *conn = member->conn;
	uint64_t now = member->loop ? weft_loop_now(member->loop) : member->now;
	if (!conn)
		return;
	inner->run(inner, now); /* Frames go out before the session ends. */
	if (member->conn != conn)
		return;
	if (member->room_port && channel_send(&member->channel, &message) == 0)
		inner->run(inner, now);
	if (member->conn != conn)
		return;
	member_drop_conn(member, CLOSE_NORMAL, "goodbye", now);
	inner->run(inner, now);
}

void weft_member_free(struct weft_member *member)
{
	if (!member)
		return;
	/* Nobody is called back any more, though frames may still come in until the end. */
	member->opts.events = NULL;
	member->session.filter = NULL;
	member->opts.log = NULL;
	if (member->loop) {
		weft_loop_remove(member->loop, &member->task);
		member->now = weft_loop_now(member->loop);
	}
	weft_job_cancel(member->job);
	member_away_fini(member);
	if (member->endpoint)
		say_goodbye(member);
	quic_endpoint_free(member->endpoint);
	weft_bridge_free(member->bridge);
	quic_tls_free(member->tls);
	roster_fini(&member->roster);
	claims_fini(&member->claims);
	member_gateway_fini(member);
	sodium_memzero(&member->opts.invite, sizeof(member->opts.invite));
	sodium_memzero(member->opening_key, sizeof(member->opening_key));
	free(member);
}

/* ---- in use ------------------------------------------------------------------------------ */

void weft_member_send(struct weft_member *member, const struct weft_frame *frames,
		      size_t n, uint64_t now)
{
	member->now = now;
	if (member->room_port)
		weft_link_send(&member->session.link, frames, n, now);
}

bool weft_member_find_peer(const struct weft_member *member, struct weft_mac mac,
			   struct weft_peer *ret_peer)
{
	const struct weft_peer *peer = roster_find_mac(&member->roster, mac);
	if (peer)
		*ret_peer = *peer;
	return peer != NULL;
}

int member_rebind_on(struct weft_member *member, struct dgram *dgram, uint64_t now)
{
	int r = quic_endpoint_rebind(member->endpoint, dgram, now);
	const struct weft_task *inner = quic_endpoint_task(member->endpoint);
	member->task.fd = inner->fd;
	member->task.events = inner->events;
	return r;
}

int weft_member_rebind(struct weft_member *member, uint64_t now)
{
	struct dgram *dgram;
	int r = open_socket(NULL, &dgram);
	if (r < 0)
		return r;
	weft_loop_remove(member->loop, &member->task);
	r = member_rebind_on(member, dgram, now);
	if (r < 0)
		dgram_free(dgram);
	int added = weft_loop_add(member->loop, &member->task);
	return r < 0 ? r : added;
}

struct weft_member_stats weft_member_stats(const struct weft_member *member)
{
	struct weft_member_stats stats = {
		.state = member->state,
		.rx_frames = member->gone_stats.rx_frames,
		.tx_frames = member->gone_stats.tx_frames,
		.rx_bytes = member->gone_stats.rx_bytes,
		.tx_bytes = member->gone_stats.tx_bytes,
		.drops = member->gone_drops,
	};
	if (member->conn) {
		const struct quic_conn_stats conn = quic_conn_stats(member->conn);
		stats.rtt_ns = conn.srtt_ns;
		stats.rttvar_ns = conn.rttvar_ns;
		stats.jitter_ns = conn.jitter_ns;
		stats.sent = conn.datagrams_tx;
		stats.lost = conn.datagrams_lost;
		stats.loss_ppm =
			(uint32_t)facts_loss_ppm(conn.recent_tx, conn.recent_lost);
	}
	if (member->room_port) {
		const struct weft_link_stats *link = &member->session.link.stats;
		stats.rx_frames += link->rx_frames;
		stats.tx_frames += link->tx_frames;
		stats.rx_bytes += link->rx_bytes;
		stats.tx_bytes += link->tx_bytes;
		stats.drops += session_drops(&member->session);
		stats.peers = member->roster.n;
		stats.has_gateway = member->joined.has_gateway;
		stats.mtu = member->joined.mtu;
	}
	return stats;
}
