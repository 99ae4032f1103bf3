/* SPDX-License-Identifier: MIT */
/*
 * An invitation has to name this machine as others reach it, which no machine knows of
 * itself. Without --public it names the address that the relay listens on, or, where that is
 * every one, the address from which packets to the Internet would leave (asked of the routing
 * table; nothing is sent), and says so where it is a private one.
 */
#include "cmd/relaying.h"

#include "cli/qr.h"
#include "cli/units.h"
#include "cmd/identity.h"
#include "cmd/invitation.h"
#include "cmd/relay_asked.h"
#include "cmd/shut_out_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

union weft_sockaddr relaying_default_listen(void)
{
	union weft_sockaddr any;

	if (weft_listen_parse("443", &any) < 0)
		any = (union weft_sockaddr){ .in6 = { .sin6_family = AF_INET6 } };
	return any;
}

static void on_member(void *user, const char *room, const struct weft_peer *peer,
		      bool is_here, const char *reason)
{
	bool is_client = peer->role == WEFT_ROLE_CLIENT;
	struct relaying *r = user;
	char mac[WEFT_MAC_TEXT];

	weft_mac_print(peer->mac, mac);
	output_event(&r->output, is_here ? "came" : "left",
		     json_pack("{s:s, s:i, s:s, s:s, s:s*, s:s}", "room", room, "peer",
			       peer->id, "role", is_client ? "client" : "gateway", "name",
			       peer->name, "mac", is_client ? mac : NULL, "reason",
			       reason));
}

/* The library was given texts, and cannot say which files they came from. */
static void name_files(const struct relaying *r, const struct weft_error *why,
		       struct weft_error *err)
{
	if (r->args->cert)
		weft_error_set(err, -EINVAL, "--cert %s, --key %s: %.200s", r->args->cert,
			       r->args->key, why->text);
	else
		weft_error_set(err, -EINVAL,
			       "%s/relay.crt and relay.key: %.200s; put them back, or "
			       "remove both to have new ones made (old invitations then "
			       "stop working)",
			       r->state.dir, why->text);
}

/* How often what has changed in rooms is written down. */
#define SAVE_NS (30 * NS_PER_S)

static uint64_t unix_s(void)
{
	return (uint64_t)time(NULL);
}

static void on_drained(void *user)
{
	const struct relaying *r = user;
	weft_loop_stop(r->loop);
}

static struct weft_relay_opts relay_opts_of(struct relaying *r)
{
	return (struct weft_relay_opts){
		.listen = r->args->listen,
		.log = &r->output.log,
		.member = on_member,
		.drained = on_drained,
		.user = r,
		.cc = (enum weft_cc)r->args->cc,
		.rooms_max = r->args->rooms,
		.room_members_max = r->args->members,
		.address_sessions_max = r->args->sessions,
		.handshake_rate = r->args->handshakes,
		.grace_ns = r->args->grace_ns,
		.memory_mib = r->args->memory,
		.mtu = r->args->mtu,
		.unix_s = unix_s,
		.no_dhcp = r->args->no_dhcp,
		.network = r->args->network.ip,
		.network_is_taken = r->network_is_taken,
		.mtu_auto = r->args->mtu == 0,
		.always_retry = r->args->retry,
		.drain_to = r->args->drain_to,
		.open_token = r->open_token[0] ? r->open_token : NULL,
	};
}

/* Says with an error of weft_relay_new what mends it; returns the error. */
static int explain(const struct relaying *r, int error, struct weft_error *err)
{
	const struct weft_error why = *err;
	if (error == -EINVAL)
		name_files(r, &why, err);
	else if (error == -EADDRINUSE)
		return weft_error_set(
			err, error,
			"UDP port %u is in use by another program; end it, or "
			"listen elsewhere with --listen PORT",
			weft_sockaddr_port(&r->args->listen));
	else if (error == -EACCES)
		return weft_error_set(err, error,
				      "%.300s, or another port: --listen PORT", why.text);
	return error;
}

static int make_relay(struct relaying *r, struct weft_error *err)
{
	struct weft_relay_opts opts = relay_opts_of(r);
	struct relay_identity identity;
	int status =
		identity_relay(&r->state, r->args->cert, r->args->key, err, &identity);
	if (status < 0)
		return status;
	opts.cert_pem = identity.cert_pem;
	opts.key_pem = identity.key_pem;
	opts.secret = identity.secret;
	status = weft_relay_new(&opts, err, &r->relay);
	identity_relay_fini(&identity);
	sodium_memzero(r->open_token, sizeof(r->open_token));
	return status < 0 ? explain(r, status, err) : status;
}

int relaying_check(const struct relaying_args *args, struct weft_error *err)
{
	for (size_t i = 0; i < args->filter.n; i++) {
		struct weft_error why;
		int r = weft_rule_check(args->filter.items[i], &why);
		if (r < 0)
			return weft_error_set(err, r, "--filter %.80s: %.300s",
					      args->filter.items[i], why.text);
	}
	if (args->network.ip.family &&
	    (args->network.ip.family != AF_INET || args->network.ip.prefix != 24))
		return weft_error_set(err, -EINVAL,
				      "--network is a /24 of IPv4, such as 10.77.0.0/24");
	return !args->cert == !args->key
		       ? 0
		       : weft_error_set(err, -EINVAL, "--cert and --key belong together");
}

/* ---- while it runs ----------------------------------------------------------------------- */

/* Everything that was counted, with --json: each minute, and of all who are there at the end. */
static void print_facts(struct relaying *r)
{
	char *text = r->relay && r->output.json
			     ? weft_relay_json(r->relay, weft_loop_now(r->loop))
			     : NULL;

	if (text)
		output_event(&r->output, "facts", json_loads(text, 0, NULL));
	free(text);
}

static void begin_end(struct relaying *r)
{
	r->is_ending = true;
	print_facts(r);
	rooms_file_save(&r->rooms, r->relay, weft_loop_now(r->loop));
	weft_relay_drain(r->relay, weft_loop_now(r->loop));
}

/* The first time politely; whoever asks again will not wait. */
static void on_signal(void *user, int signo)
{
	struct relaying *r = user;
	(void)signo;
	if (r->is_ending || !r->relay)
		weft_loop_stop(r->loop);
	else
		begin_end(r);
}

static int drain_on_signals(struct relaying *r)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int status = weft_loop_on_signal(r->loop, signals[i], on_signal, r);
		if (status < 0)
			return status;
	}
	return 0;
}

/* After what an earlier run has kept, because this is what was said last. */
static int set_rules(struct relaying *r, struct weft_error *err)
{
	int status = 0;
	for (size_t i = 0; i < r->args->filter.n && status == 0; i++)
		status = weft_relay_rule(r->relay, r->args->filter.items[i], false, err);
	return status;
}

int relaying_open(struct relaying *r, struct weft_error *err)
{
	const struct weft_loop_opts loop_opts = { .busy_poll = r->args->busy_poll };
	char text[WEFT_SOCKADDR_TEXT];
	union weft_sockaddr addr;
	int status = state_open(r->args->state, err, &r->state);

	if (status < 0)
		return status;
	status = weft_loop_new(&loop_opts, &r->loop);
	if (status == 0)
		status = drain_on_signals(r);
	if (status < 0)
		return weft_error_set(err, status, "cannot make an event loop: %s",
				      strerror(-status));
	status = make_relay(r, err);
	if (status == 0)
		status = shut_out_file_load(&r->state, r->relay, err);
	if (status < 0)
		return status;
	rooms_file_open(&r->rooms, &r->state, r->relay, &r->output.log,
			weft_loop_now(r->loop));
	status = set_rules(r, err);
	if (status < 0)
		return status;
	relay_asked_open(r);
	addr = weft_relay_addr(r->relay);
	weft_sockaddr_print(&addr, text);
	output_event(&r->output, "listening", json_pack("{s:s}", "address", text));
	weft_log_info(&r->output.log, "relay listens on %s/udp", text);
	return 0;
}

static bool is_any(const union weft_sockaddr *addr)
{
	return addr->sa.sa_family == AF_INET
		       ? addr->in.sin_addr.s_addr == INADDR_ANY
		       : IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

static void print_host(const union weft_sockaddr *addr, char *buf, size_t len)
{
	const void *bytes = addr->sa.sa_family == AF_INET
				    ? (const void *)&addr->in.sin_addr
				    : (const void *)&addr->in6.sin6_addr;

	if (!inet_ntop(addr->sa.sa_family, bytes, buf, (socklen_t)len))
		buf[0] = '\0';
}

/* The source address that the routing table gives to packets for the destination. */
static int source_address(const char *destination, union weft_sockaddr *ret_addr)
{
	union weft_sockaddr addr;
	socklen_t len = sizeof(addr);
	int r = weft_listen_parse(destination, &addr);
	int fd = r < 0 ? -1 : socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return r < 0 ? r : -errno;
	if (connect(fd, &addr.sa, weft_sockaddr_len(&addr)) < 0 ||
	    getsockname(fd, &addr.sa, &len) < 0)
		r = -errno;
	(void)close(fd);
	if (r == 0)
		*ret_addr = addr;
	return r;
}

/*
 * How others reach this machine: by the address that it listens on, if that is one, or else
 * by the one that it would speak to the Internet from. The destinations are of the ranges for
 * documentation (RFC 5737, RFC 3849), and connect sends nothing.
 */
static int own_address(const union weft_sockaddr *listen, char *buf, size_t len)
{
	union weft_sockaddr addr = *listen;
	int r = 0;

	if (is_any(listen))
		r = source_address("198.51.100.1:9", &addr);
	if (r < 0 && listen->sa.sa_family == AF_INET6)
		r = source_address("[2001:db8::1]:9", &addr);
	if (r == 0)
		print_host(&addr, buf, len);
	return r;
}

static bool is_private(const char *host)
{
	struct weft_ip ip;

	if (weft_ip_parse(host, &ip) < 0)
		return false;
	if (ip.family == AF_INET6)
		return (ip.octet[0] & 0xfe) == 0xfc;
	return ip.octet[0] == 10 || (ip.octet[0] == 172 && (ip.octet[1] & 0xf0) == 16) ||
	       (ip.octet[0] == 192 && ip.octet[1] == 168) ||
	       (ip.octet[0] == 100 && (ip.octet[1] & 0xc0) == 64);
}

static int name_host(struct relaying *r, struct weft_invite *invite,
		     struct weft_error *err)
{
	const union weft_sockaddr addr = weft_relay_addr(r->relay);
	uint16_t port = weft_sockaddr_port(&addr);

	invite->port = port;
	if (r->args->public) {
		if (weft_hostport_parse(r->args->public, port, invite->host,
					sizeof(invite->host), &invite->port) < 0)
			return weft_error_set(err, -EINVAL,
					      "--public: '%s' is not HOST or HOST:PORT",
					      r->args->public);
		return 0;
	}
	if (own_address(&addr, invite->host, sizeof(invite->host)) < 0)
		return weft_error_set(
			err, -EADDRNOTAVAIL,
			"this machine has no route to the Internet: say with "
			"--public HOST how members reach it");
	if (is_private(invite->host))
		weft_log_warning(
			&r->output.log,
			"%s is a private address: friends elsewhere need --public "
			"NAME-OR-ADDRESS and UDP port %u forwarded to this machine",
			invite->host, port);
	return 0;
}

/* Turns the room's own invitation into one that expires, where that is asked for. */
static int limit(const struct relaying *r, struct weft_invite *invite,
		 struct weft_error *err)
{
	const struct weft_invite own = *invite;
	const int64_t expires_s = invitation_expiry(r->args->expires_ns);

	if (r->args->expires_ns == 0)
		return 0;
	if (expires_s < 0)
		return weft_error_set(err, -EINVAL, "--expires: that is too far away");
	return weft_invite_restrict(&own, (uint32_t)expires_s, invite);
}

int relaying_invite(struct relaying *r, const char *room, struct weft_error *err)
{
	struct weft_invite invite = { .has_pin = !r->args->cert };
	char text[WEFT_INVITE_TEXT];
	int status = name_host(r, &invite, err);

	if (status == 0)
		status = identity_room(&r->state, room, err, invite.secret);
	if (status < 0)
		return status;
	(void)snprintf(invite.room, sizeof(invite.room), "%s", room);
	weft_relay_pin(r->relay, invite.pin);
	status = limit(r, &invite, err);
	if (status < 0)
		return status;
	weft_invite_print(&invite, text);
	if (r->output.json)
		output_event(&r->output, "invitation",
			     json_pack("{s:s, s:s}", "room", room, "invitation", text));
	else if (printf("invitation: %s\n", text) < 0 || fflush(stdout) != 0)
		return weft_error_set(err, -EIO, "cannot print the invitation");
	if (!r->args->qr || r->output.json)
		return 0;
	status = qr_print(stdout, text);
	if (status < 0)
		return weft_error_set(err, status, "cannot print the QR code: %s",
				      strerror(-status));
	return fflush(stdout) == 0 ? 0 : weft_error_set(err, -EIO, "cannot print");
}

static void tick(void *user, uint64_t now)
{
	struct relaying *r = user;
	struct weft_relay_stats stats = weft_relay_stats(r->relay);
	char text[OUTPUT_STATUS_LEN];

	rates_update(&r->rates, now, stats.rx_bytes, stats.tx_bytes);
	output_status(&r->output, now,
		      status_relay(&stats, &r->rates, text, sizeof(text)));
	if (output_facts_are_due(&r->output, now))
		print_facts(r);
	if (!r->is_ending && now - r->saved_at >= SAVE_NS) {
		r->saved_at = now;
		rooms_file_save(&r->rooms, r->relay, now);
	}
}

int relaying_run(struct relaying *r, struct weft_error *err)
{
	int status;

	status = weft_loop_add(r->loop, weft_relay_task(r->relay));
	if (status == 0)
		status = ticker_start(&r->ticker, r->loop, NS_PER_S, tick, r);
	if (status < 0)
		return weft_error_set(err, status, "cannot watch the relay's socket: %s",
				      strerror(-status));
	weft_loop_run(r->loop);
	return 0;
}

void relaying_close(struct relaying *r)
{
	remote_free(r->remote);
	if (!r->is_ending)
		print_facts(r);
	if (r->loop && r->relay) {
		weft_loop_remove(r->loop, weft_relay_task(r->relay));
		ticker_stop(&r->ticker, r->loop);
	}
	rooms_file_close(&r->rooms);
	weft_relay_free(r->relay);
	weft_loop_free(r->loop);
	output_end(&r->output);
}
