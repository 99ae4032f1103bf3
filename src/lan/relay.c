/* SPDX-License-Identifier: MIT */
/*
 * The relay as an object: its making and its end, and its task.
 */
#include "lan/relay.h"

#include "lan/visitor.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)WEFT_CC_BBR == (int)QUIC_CC_BBR &&
		      (int)WEFT_CC_CUBIC == (int)QUIC_CC_CUBIC &&
		      (int)WEFT_CC_RENO == (int)QUIC_CC_RENO,
	      "the same words inside and outside");
static_assert(WEFT_PIN_LEN == QUIC_PIN_LEN, "the same pin");

/* Of weft_relay_opts.secret and quic_endpoint_opts.secret. */
#define SECRET_LEN 32u

/* ---- task -------------------------------------------------------------------------------- */

static void run_timers(struct weft_relay *relay, uint64_t now)
{
	struct heap_node *node;
	while ((node = heap_min(&relay->timers)) && node->deadline <= now)
		visitor_on_timer(container_of(node, struct visitor, timer), now);
}

static void run_rooms(struct weft_relay *relay, uint64_t now)
{
	struct heap_node *node;
	while ((node = heap_min(&relay->rooms_due)) && node->deadline <= now) {
		struct room *room = container_of(node, struct room, timer);
		room_run(room, now);
		heap_change(&relay->rooms_due, node, room_deadline(room, now));
	}
}

/* Where nothing else has it run, the next visitor does. */
static void tell_rest_of_refusals(struct weft_relay *relay, uint64_t now)
{
	const uint64_t rest = refusals_rest(&relay->refusals, now);
	if (rest > 0)
		weft_log_info(relay->log, "refused %" PRIu64 " more within a minute",
			      rest);
}

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_relay *relay = container_of(task, struct weft_relay, task);
	struct weft_task *inner = quic_endpoint_task(relay->endpoint);
	relay->now = now;
	run_timers(relay, now);
	run_rooms(relay, now);
	tell_rest_of_refusals(relay, now);
	if (now >= relay->sweep_at)
		relay_sweep(relay, now);
	weft_task_run_inner(task, inner, now);
	relay_look_drained(relay, now);
}

/* When its owner is to be told that it is drained. */
static uint64_t drain_deadline(const struct weft_relay *relay)
{
	if (!relay->on_drained || !relay_is_draining(relay))
		return WEFT_NEVER;
	return list_is_empty(&relay->visitors) ? 0 : relay->drain_until;
}

static uint64_t earliest(const struct heap *heap)
{
	const struct heap_node *node = heap_min(heap);
	return node ? node->deadline : WEFT_NEVER;
}

static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_relay *relay =
		container_of_const(task, struct weft_relay, task);
	const struct weft_task *inner = quic_endpoint_task(relay->endpoint);
	uint64_t visitors = earliest(&relay->timers);
	uint64_t rooms = earliest(&relay->rooms_due);
	uint64_t own = visitors < rooms ? visitors : rooms;
	uint64_t its = inner->deadline ? inner->deadline(inner) : WEFT_NEVER;
	if (relay->sweep_at < own)
		own = relay->sweep_at;
	if (drain_deadline(relay) < own)
		own = drain_deadline(relay);
	return own < its ? own : its;
}

struct weft_task *weft_relay_task(struct weft_relay *relay)
{
	return &relay->task;
}

/* ---- the relay --------------------------------------------------------------------------- */

/*
 * The date is fixed: members know the relay by its key and do not look at dates, and the clock
 * of a machine may be wrong when its relay starts for the first time.
 */
int weft_relay_make_identity(char **ret_cert_pem, char **ret_key_pem)
{
	const uint64_t start_of_2024 = 1704067200;
	return quic_tls_make_identity("weft relay", start_of_2024, ret_cert_pem,
				      ret_key_pem);
}

/* The endpoint's secret; the relay's own key for hashes is made from it. */
static void make_secrets(struct weft_relay *relay, const uint8_t *given,
			 uint8_t ret_secret[SECRET_LEN])
{
	static const char domain[] = "weft hash key 1";
	if (given)
		memcpy(ret_secret, given, SECRET_LEN);
	else
		randombytes_buf(ret_secret, SECRET_LEN);
	(void)crypto_generichash(relay->hash_secret, sizeof(relay->hash_secret),
				 (const uint8_t *)domain, sizeof(domain) - 1, ret_secret,
				 SECRET_LEN);
}

/* As many as its rooms hold, with their gateways; a small relay has some to spare. */
static uint32_t conns_max(const struct weft_relay *relay, uint32_t memory_mib)
{
	uint32_t members = relay->rooms_max * (relay->clients_max + 1);
	uint32_t max = members > RELAY_CONNS_MIN ? members : RELAY_CONNS_MIN;
	if (memory_mib > 0 && memory_mib < max / RELAY_CONNS_PER_MIB)
		max = memory_mib * RELAY_CONNS_PER_MIB;
	return max;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static int make_endpoint(struct weft_relay *relay, const struct weft_relay_opts *opts,
			 const uint8_t secret[SECRET_LEN], struct dgram *dgram)
{
	const struct quic_endpoint_opts endpoint = {
		.dgram = dgram,
		.tls = relay->tls,
		.is_server = true,
		.events = &visitor_events,
		.user = relay,
		.secret = secret,
		.cc = (enum quic_cc)opts->cc,
		.conns_max = conns_max(relay, opts->memory_mib),
		.conns_per_peer_max = or_default(opts->address_sessions_max,
						 RELAY_ADDRESS_SESSIONS_DEFAULT),
		.handshake_rate = relay->handshake_rate,
		.keep_alive_ns = RELAY_KEEP_ALIVE_NS,
		.always_retry = opts->always_retry,
	};
	int r = quic_endpoint_new(&endpoint, &relay->endpoint);
	if (r < 0)
		return r;
	const struct weft_task *inner = quic_endpoint_task(relay->endpoint);
	relay->task = (struct weft_task){ .fd = inner->fd,
					  .events = inner->events,
					  .run = task_run,
					  .deadline = task_deadline };
	return 0;
}

static int check_opts(const struct weft_relay_opts *opts, struct weft_error *err)
{
	if (opts->room_members_max >= LAN_MEMBERS_MAX)
		return weft_error_set(err, -EINVAL,
				      "a room takes at most %u clients, not %u",
				      LAN_MEMBERS_MAX - 1, opts->room_members_max);
	if (opts->rooms_max > LAN_ID_MAX)
		return weft_error_set(err, -EINVAL,
				      "a relay has at most %u rooms, not %u", LAN_ID_MAX,
				      opts->rooms_max);
	if (opts->mtu != 0 && (opts->mtu < LAN_MTU_MIN || opts->mtu > LAN_MTU_MAX))
		return weft_error_set(err, -EINVAL,
				      "a room's MTU is from %u to %u, not %u",
				      LAN_MTU_MIN, LAN_MTU_MAX, opts->mtu);
	if (opts->network.family &&
	    (opts->network.family != AF_INET || opts->network.prefix != 24))
		return weft_error_set(err, -EINVAL,
				      "the network of rooms is a /24 of IPv4, such as "
				      "10.77.0.0/24");
	if (opts->drain_to && !message_place_is_valid(opts->drain_to))
		return weft_error_set(err, -EINVAL,
				      "\"%.100s\" is no relay to go to: a name or an "
				      "address is, with a port or without",
				      opts->drain_to);
	if (opts->open_token && strlen(opts->open_token) < OPENING_TOKEN_MIN)
		return weft_error_set(err, -ERANGE,
				      "the token to open rooms has fewer than %u "
				      "characters: others could guess it",
				      OPENING_TOKEN_MIN);
	return 0;
}

void relay_tell_member(const struct weft_relay *relay, const struct room_member *member,
		       bool is_here, const char *reason)
{
	if (relay->on_member)
		relay->on_member(relay->user, member->room->name, &member->peer, is_here,
				 reason);
}

static void take_opts(struct weft_relay *relay, const struct weft_relay_opts *opts)
{
	relay->log = opts->log;
	relay->on_member = opts->member;
	relay->user = opts->user;
	relay->rooms_max = or_default(opts->rooms_max, RELAY_ROOMS_DEFAULT);
	relay->clients_max = or_default(opts->room_members_max, RELAY_CLIENTS_DEFAULT);
	relay->handshake_rate =
		or_default(opts->handshake_rate, RELAY_HANDSHAKE_RATE_DEFAULT);
	relay->on_drained = opts->drained;
	(void)snprintf(relay->drain_to, sizeof(relay->drain_to), "%s",
		       opts->drain_to ? opts->drain_to : "");
	relay->grace_ns = opts->grace_ns ? opts->grace_ns : RELAY_GRACE_NS;
	relay->no_dhcp = opts->no_dhcp;
	relay->network = opts->network;
	relay->network_is_taken = opts->network_is_taken;
	relay->unix_s = opts->unix_s;
	relay->asks_for_token = opts->open_token != NULL;
	if (opts->open_token)
		opening_key(opts->open_token, relay->opening_key);
	relay->mtu = opts->mtu ? opts->mtu : LAN_MTU_MAX;
	if (opts->mtu_auto)
		relay->mtu = 0;
}

/* The endpoint comes last: what fails before it leaves dgram with the caller. */
static int make_parts(struct weft_relay *relay, const struct weft_relay_opts *opts,
		      struct dgram *dgram, struct weft_error *err)
{
	uint8_t secret[SECRET_LEN];
	int r = quic_tls_server_new(opts->cert_pem, opts->key_pem, LAN_ALPN, err,
				    &relay->tls);
	if (r < 0)
		return r;
	make_secrets(relay, opts->secret, secret);
	r = relay_init_rooms(relay);
	if (r == 0)
		r = shut_out_init(&relay->shut_out, relay->hash_secret);
	if (r == 0)
		r = make_endpoint(relay, opts, secret, dgram);
	sodium_memzero(secret, sizeof(secret));
	return r < 0 ? weft_error_set(err, r, "the relay could not be made: %s",
				      strerror(-r))
		     : 0;
}

int relay_new_on(const struct weft_relay_opts *opts, struct dgram *dgram,
		 struct weft_error *err, struct weft_relay **ret_relay)
{
	int r = check_opts(opts, err);
	if (r < 0)
		return r;
	if (sodium_init() < 0)
		return weft_error_set(err, -EIO, "libsodium does not work here");
	struct weft_relay *relay = calloc(1, sizeof(*relay));
	if (!relay)
		return weft_error_set(err, -ENOMEM, "out of memory");
	list_init(&relay->visitors);
	list_init(&relay->locals);
	rulebook_init(&relay->rules);
	relay->sweep_at = WEFT_NEVER;
	relay->drain_until = WEFT_NEVER;
	take_opts(relay, opts);
	r = make_parts(relay, opts, dgram, err);
	if (r < 0) {
		weft_relay_free(relay);
		return r;
	}
	*ret_relay = relay;
	return 0;
}

int weft_relay_new(const struct weft_relay_opts *opts, struct weft_error *err,
		   struct weft_relay **ret_relay)
{
	const struct dgram_udp_opts udp = { .bind = opts->listen };
	struct dgram *dgram;
	int r = dgram_udp_new(&udp, err, &dgram);
	if (r < 0)
		return r;
	r = relay_new_on(opts, dgram, err, ret_relay);
	if (r < 0)
		dgram_free(dgram);
	return r;
}

/* Tells everyone in a way that does not wait for an answer. */
static void say_goodbye(struct weft_relay *relay)
{
	struct weft_task *inner = quic_endpoint_task(relay->endpoint);
	list_for_each (node, &relay->visitors)
		visitor_close(container_of(node, struct visitor, node), CLOSE_SHUTDOWN,
			      VISITOR_SHUTDOWN, relay->now);
	inner->run(inner, relay->now);
}

void weft_relay_free(struct weft_relay *relay)
{
	if (!relay)
		return;
	relay->log = NULL;
	relay->on_member = NULL;
	relay->on_drained = NULL;
	if (relay->endpoint)
		say_goodbye(relay);
	quic_endpoint_free(relay->endpoint);
	list_for_each (node, &relay->visitors)
		visitor_free(container_of(node, struct visitor, node));
	relay_free_rooms(relay);
	relay_free_locals(relay);
	heap_fini(&relay->timers);
	quic_tls_free(relay->tls);
	sodium_memzero(relay->hash_secret, sizeof(relay->hash_secret));
	sodium_memzero(relay->opening_key, sizeof(relay->opening_key));
	shut_out_fini(&relay->shut_out);
	rulebook_fini(&relay->rules);
	free(relay);
}

void weft_relay_pin(const struct weft_relay *relay, uint8_t ret_pin[WEFT_PIN_LEN])
{
	quic_tls_pin(relay->tls, ret_pin);
}

union weft_sockaddr weft_relay_addr(const struct weft_relay *relay)
{
	return *quic_endpoint_addr(relay->endpoint);
}
