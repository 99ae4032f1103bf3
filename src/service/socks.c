/* SPDX-License-Identifier: MIT */
/*
 * A client of the SOCKS proxy, from its greeting to the end of what it asked for.
 *
 *     GREETING ------------> REQUEST --> RESOLVING --CONNECT--> CONNECTING --.
 *        '---> PASSWORD ---^    |               '-----BIND----> LISTENING ---'--> FLOWING
 *                               '--UDP ASSOCIATE--> RELAYING, until the connection ends
 *
 * Until it flows, the socket is watched here, and what takes too long is ended, as is the client
 * that ends its direction before it has its answer: it does not want one. All that a client can
 * send before that fits into one small buffer; what it has sent beyond its request is the beginning
 * of its data.
 */
#include "wire/socks.h"

#include "base/container.h"
#include "io/hostsock.h"
#include "io/socket.h"
#include "service/socks.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum stage {
	GREETING,
	PASSWORD,
	REQUEST,
	RESOLVING,
	CONNECTING,
	LISTENING,
	RELAYING,
	FLOWING, /* the socket is the pump's */
};

struct socks {
	struct weft_task task; /* of the socket until it flows */
	struct weft_forwarder *forwarder;
	struct list node; /* of forwarder->socks */
	struct pump pump;
	enum stage stage;
	uint64_t give_up_at;
	uint8_t command;        /* of the request */
	struct target target;   /* of whom it asked for */
	struct socks_bind bind; /* LISTENING */
	struct socks_udp *udp;  /* RELAYING */
	uint8_t in[SOCKS_MESSAGE_MAX];
	size_t in_len;
};

/* ---- the end ----------------------------------------------------------------------------- */

static void socks_free(struct socks *s)
{
	weft_loop_remove(s->forwarder->opts.loop, &s->task);
	socks_bind_end(&s->bind, weft_loop_now(s->forwarder->opts.loop));
	socks_udp_free(s->udp);
	target_end(&s->target, weft_loop_now(s->forwarder->opts.loop));
	list_remove(&s->node);
	forward_leave(s->forwarder);
	free(s);
}

/* Ends it while the socket is still its own. */
static void hang_up(struct socks *s)
{
	hostsock_shutdown(s->task.fd);
	hostsock_close(s->task.fd);
	socks_free(s);
}

static void drop(struct socks *s, enum weft_forward_outcome outcome)
{
	forward_count(s->forwarder, outcome);
	hang_up(s);
}

/* Few bytes into a socket that is empty: who has no room for them has no use for them. */
static int say(struct socks *s, const uint8_t *data, size_t len)
{
	const struct socket_piece piece = { data, len };
	int n = socket_send(s->task.fd, &piece, 1);
	return n == (int)len ? 0 : -EPIPE;
}

static int reply(struct socks *s, enum socks_reply what, const union weft_sockaddr *addr)
{
	uint8_t buf[SOCKS_REPLY_MAX];
	return say(s, buf, socks_reply_emit(buf, what, addr));
}

static enum socks_reply reply_of(int error)
{
	switch (error) {
	case -ECONNREFUSED:
		return SOCKS_REFUSED;
	case -ENETUNREACH:
	case -EADDRNOTAVAIL:
		return SOCKS_NETWORK_UNREACHABLE;
	case -EHOSTUNREACH:
	case -EHOSTDOWN:
	case -ENOENT:
		return SOCKS_HOST_UNREACHABLE;
	case -ETIMEDOUT:
		return SOCKS_TTL_EXPIRED;
	case -EACCES:
		return SOCKS_NOT_ALLOWED;
	default:
		return SOCKS_FAILURE;
	}
}

static void refuse(struct socks *s, int error)
{
	(void)!reply(s, reply_of(error), NULL);
	drop(s, error == -ENOENT ? WEFT_FORWARD_DROP_NAME : WEFT_FORWARD_DROP_TARGET);
}

/* ---- CONNECT ----------------------------------------------------------------------------- */

/* Hands the socket to the pump. */
static int flow(struct socks *s, uint64_t now)
{
	weft_loop_remove(s->forwarder->opts.loop, &s->task);
	s->stage = FLOWING;
	int r = pump_start(&s->pump, s->in, s->in_len, now);
	if (r < 0)
		s->stage = CONNECTING;
	else
		forward_count(s->forwarder, WEFT_FORWARD_STREAM);
	return r;
}

static void on_connected(void *user, uint64_t now)
{
	struct socks *s = user;
	const union weft_sockaddr local = weft_tcp_local(s->pump.tcp);
	int r = reply(s, SOCKS_SUCCEEDED, &local);
	if (r == 0)
		r = flow(s, now);
	if (r == 0)
		return;
	weft_tcp_abort(s->pump.tcp, now);
	drop(s, WEFT_FORWARD_DROP_FULL);
}

static void connect_next(struct socks *s, int error, uint64_t now);

/* A connection that could not be made is tried with the next address. */
static void on_end(void *user, int error, uint64_t now)
{
	struct socks *s = user;
	if (s->stage == FLOWING)
		socks_free(s);
	else if (s->stage == CONNECTING)
		connect_next(s, error, now);
	else
		refuse(s, error);
}

static const struct pump_events pump_events = { .on_connected = on_connected,
						.on_end = on_end };

static int begin_connect(struct socks *s, const union weft_sockaddr *peer, uint64_t now)
{
	struct weft_forwarder *f = s->forwarder;
	struct weft_tcp *tcp;
	pump_init(&s->pump, f->opts.loop, s->task.fd, false, &pump_events, s);
	const struct weft_tcp_opts opts = pump_tcp_opts(&s->pump);
	int r = weft_tcp_connect(f->opts.stack, peer, &opts, now, &tcp);
	if (r == 0)
		r = pump_attach(&s->pump, tcp, now);
	return r;
}

/* Tries the host's next address; without one, the error is what it comes to. */
static void connect_next(struct socks *s, int error, uint64_t now)
{
	union weft_sockaddr peer;
	s->stage = CONNECTING;
	while (target_next(&s->target, &peer)) {
		error = begin_connect(s, &peer, now);
		if (error == 0)
			return;
	}
	refuse(s, error);
}

/* ---- BIND -------------------------------------------------------------------------------- */

static void on_peer(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct socks *s = user;
	const union weft_sockaddr peer = weft_tcp_peer(tcp);
	int r = pump_attach(&s->pump, tcp, now);
	if (r == 0)
		r = reply(s, SOCKS_SUCCEEDED, &peer);
	if (r == 0)
		r = flow(s, now);
	socks_bind_end(&s->bind, now);
	if (r < 0) {
		weft_tcp_abort(tcp, now);
		drop(s, WEFT_FORWARD_DROP_FULL);
	}
}

static void begin_bind(struct socks *s, const union weft_sockaddr *peer, uint64_t now)
{
	union weft_sockaddr local;
	int r = socks_bind_begin(&s->bind, peer, now, &local);
	if (r == 0)
		r = reply(s, SOCKS_SUCCEEDED, &local);
	if (r < 0) {
		refuse(s, r);
		return;
	}
	s->stage = LISTENING;
	s->give_up_at = now + SOCKS_BIND_NS;
}

/* ---- UDP ASSOCIATE ----------------------------------------------------------------------- */

static void begin_relay(struct socks *s)
{
	const union weft_sockaddr client = hostsock_peer(s->task.fd);
	union weft_sockaddr local, bound;
	int r = socket_addr(s->task.fd, &local);
	if (r == 0)
		r = socks_udp_new(s->forwarder, &local, &client, &s->udp, &bound);
	if (r == 0)
		r = reply(s, SOCKS_SUCCEEDED, &bound);
	if (r < 0) {
		refuse(s, r);
		return;
	}
	s->stage = RELAYING;
	s->give_up_at = WEFT_NEVER;
	s->in_len = 0;
}

/* ---- what it says ------------------------------------------------------------------------ */

static void consume(struct socks *s, size_t n)
{
	s->in_len -= n;
	memmove(s->in, s->in + n, s->in_len);
}

/* The steps return 1 to go on, 0 for more bytes, or -Exxx when the client is gone. */

static int take_greeting(struct socks *s)
{
	bool has_none = false, has_password = false;
	int n = socks_greeting_parse(s->in, s->in_len, &has_none, &has_password);
	if (n == 0)
		return 0;
	bool wants_password = s->forwarder->has_password;
	bool can = n > 0 && (wants_password ? has_password : has_none);
	const uint8_t answer[] = { 5, can ? (wants_password ? SOCKS_METHOD_PASSWORD
							    : SOCKS_METHOD_NONE)
					  : SOCKS_NO_METHOD };
	if ((n > 0 && say(s, answer, sizeof(answer)) < 0) || !can) {
		drop(s, n > 0 ? WEFT_FORWARD_DROP_AUTH : WEFT_FORWARD_DROP_SOCKS);
		return -EPROTO;
	}
	consume(s, (size_t)n);
	s->stage = wants_password ? PASSWORD : REQUEST;
	return 1;
}

/* Compares in a time that tells nothing of where the texts differ. */
static bool is_same(const char *ours, const uint8_t *theirs, size_t theirs_len)
{
	uint8_t padded[2][WEFT_FORWARD_USER_MAX + 1] = { { 0 } };
	memcpy(padded[0], ours, strlen(ours));
	if (theirs_len > 0)
		memcpy(padded[1], theirs, theirs_len);
	return sodium_memcmp(padded[0], padded[1], sizeof(padded[0])) == 0;
}

static int take_password(struct socks *s)
{
	struct socks_password p = { .user_len = 0 };
	int n = socks_password_parse(s->in, s->in_len, &p);
	if (n == 0)
		return 0;
	bool is_user = n > 0 && is_same(s->forwarder->user, p.user, p.user_len);
	bool is_right =
		n > 0 && is_same(s->forwarder->password, p.password, p.password_len);
	const uint8_t answer[] = { 1, is_user && is_right ? 0 : 1 };
	if (say(s, answer, sizeof(answer)) < 0 || !is_user || !is_right) {
		drop(s, WEFT_FORWARD_DROP_AUTH);
		return -EACCES;
	}
	consume(s, (size_t)n);
	s->stage = REQUEST;
	return 1;
}

static void on_found(void *user, int error, uint64_t now)
{
	struct socks *s = user;
	union weft_sockaddr peer;
	if (error < 0)
		refuse(s, error);
	else if (s->command == SOCKS_CONNECT)
		connect_next(s, -EHOSTUNREACH, now);
	else if (target_next(&s->target, &peer))
		begin_bind(s, &peer, now);
	else
		refuse(s, -EHOSTUNREACH);
}

/* Looks for the host. It ends in the resolver's time, and in the stack's. */
static void begin_finding(struct socks *s, const struct socks_request *request,
			  uint64_t now)
{
	const struct socks_address *a = &request->address;
	char text[WEFT_IP_TEXT];
	const char *host = a->ip.family ? weft_ip_print(&a->ip, text) : a->name;
	s->command = request->command;
	s->stage = RESOLVING;
	s->give_up_at = WEFT_NEVER;
	int r = target_find(&s->target, host, a->port, now);
	if (r != -EINPROGRESS)
		on_found(s, r, now);
}

static void obey(struct socks *s, const struct socks_request *request, uint64_t now)
{
	switch (request->command) {
	case SOCKS_UDP_ASSOCIATE:
		begin_relay(s); /* wherever it says that it will send from */
		break;
	case SOCKS_CONNECT:
	case SOCKS_BIND:
		begin_finding(s, request, now);
		break;
	default:
		(void)!reply(s, SOCKS_NO_COMMAND, NULL);
		drop(s, WEFT_FORWARD_DROP_SOCKS);
	}
}

static int take_request(struct socks *s, uint64_t now)
{
	struct socks_request request = { .command = 0 };
	int n = socks_request_parse(s->in, s->in_len, &request);
	if (n == 0)
		return 0;
	if (n < 0) {
		(void)!reply(s,
			     n == -EAFNOSUPPORT ? SOCKS_NO_ADDRESS_TYPE : SOCKS_FAILURE,
			     NULL);
		drop(s, WEFT_FORWARD_DROP_SOCKS);
		return n;
	}
	consume(s, (size_t)n);
	obey(s, &request, now);
	return 0;
}

static int take_message(struct socks *s, uint64_t now)
{
	switch (s->stage) {
	case GREETING:
		return take_greeting(s);
	case PASSWORD:
		return take_password(s);
	case REQUEST:
		return take_request(s, now);
	default:
		return 0;
	}
}

/* The client has gone: what is being connected for it is for nobody. */
static void leave(struct socks *s, uint64_t now)
{
	if (s->pump.tcp)
		weft_tcp_abort(s->pump.tcp, now);
	drop(s, WEFT_FORWARD_DROP_SOCKS);
}

static void socks_run(struct weft_task *task, uint64_t now)
{
	struct socks *s = container_of(task, struct socks, task);
	if (now >= s->give_up_at) {
		drop(s, WEFT_FORWARD_DROP_SOCKS);
		return;
	}
	if (!(task->events & WEFT_READABLE))
		return;
	if (s->stage >= RESOLVING && s->in_len == sizeof(s->in)) {
		task->events = 0; /* The pump will see what comes behind that. */
		return;
	}
	int n = socket_recv(task->fd, s->in + s->in_len, sizeof(s->in) - s->in_len);
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		leave(s, now);
		return;
	}
	if (s->stage == RELAYING)
		return; /* nothing more is to be said there */
	s->in_len += (size_t)n;
	while (take_message(s, now) > 0)
		continue;
}

static uint64_t socks_deadline(const struct weft_task *task)
{
	return container_of_const(task, struct socks, task)->give_up_at;
}

/* ---- coming and going -------------------------------------------------------------------- */

void socks_admit(struct door *door, int fd, uint64_t now)
{
	struct weft_forwarder *f = door->forwarder;
	if (!forward_enter(f)) {
		hostsock_reset(fd);
		return;
	}
	struct socks *s = malloc(sizeof(*s));
	if (!s) {
		forward_count(f, WEFT_FORWARD_DROP_FULL);
		forward_leave(f);
		hostsock_reset(fd);
		return;
	}
	*s = (struct socks){
		.task = { .fd = fd,
			  .events = WEFT_READABLE,
			  .run = socks_run,
			  .deadline = socks_deadline },
		.forwarder = f,
		.give_up_at = now + f->opts.patience_ns,
		.target = { .forwarder = f, .found = on_found, .user = s },
		.bind = { .forwarder = f, .pump = &s->pump, .came = on_peer, .user = s },
	};
	pump_init(&s->pump, f->opts.loop, fd, false, &pump_events, s);
	list_push_back(&f->socks, &s->node);
	if (weft_loop_add(f->opts.loop, &s->task) < 0)
		drop(s, WEFT_FORWARD_DROP_FULL);
}

void socks_abort_all(struct weft_forwarder *f, uint64_t now)
{
	list_for_each (node, &f->socks) {
		struct socks *s = container_of(node, struct socks, node);
		pump_abort(&s->pump, now);
		socks_free(s);
	}
}
