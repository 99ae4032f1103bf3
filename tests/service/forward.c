/* SPDX-License-Identifier: MIT */
/*
 * A forwarder between socket pairs and a stack, with another stack at the end of a link in
 * memory. No address of this machine is used.
 *
 *     test --- socket pair --- [ forwarder, 10.1.0.1 ] --- pair --- [ room, 10.1.0.2 ] --- test
 */
#include "service/forward.h"

#include "../unit.h"
#include "stack/tcp.h"
#include "stack/tcp_ip.h"
#include "wire/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY     ((size_t)3 << 20)
#define TURNS    2000000u
#define ROOM     "10.1.0.2"
#define HELD_MAX ((size_t)24 << 20) /* what may be on its way when nobody reads */

/* The far end: listens at port 80, keeps what comes, sends what it is told to. */
struct far {
	struct weft_tcp *tcp;
	struct weft_tcp_listener *listener;
	uint8_t *got;
	size_t got_len, sent, to_send;
	bool is_slow; /* reads nothing */
	bool has_ended, is_closed, closes_at_once;
	int error;
};

struct world {
	struct weft_loop *loop;
	struct weft_link *link[2];
	struct weft_stack *stack[2];
	struct weft_forwarder *forwarder;
	struct weft_resolver *resolver; /* NULL unless names are known */
	struct weft_udp *names;         /* the room's name server */
	struct door door;
	struct far far;
	char host[32]; /* that the door leads to */
	int fd;        /* the test's end of the socket pair */
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* ---- the far end ------------------------------------------------------------------------- */

static void far_write(struct far *f, struct weft_tcp *tcp, uint64_t now)
{
	uint8_t buf[4096];
	while (f->sent < f->to_send) {
		size_t n = f->to_send - f->sent;
		n = n < sizeof(buf) ? n : sizeof(buf);
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(f->sent + i);
		int taken = weft_tcp_send(tcp, buf, n, now);
		if (taken < 0)
			return;
		f->sent += (size_t)taken;
		if ((size_t)taken < n)
			return;
	}
	(void)weft_tcp_shutdown(tcp, SHUT_WR, now);
}

static void far_read(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct far *f = user;
	int n = 1;
	while (!f->is_slow && n > 0) {
		assert_true(f->got_len < 2 * MANY);
		n = weft_tcp_receive(tcp, f->got + f->got_len, 2 * MANY - f->got_len,
				     now);
		f->got_len += n > 0 ? (size_t)n : 0;
	}
	f->has_ended |= n == 0;
}

static void far_writable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	far_write(user, tcp, now);
}

static void far_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct far *f = user;
	f->is_closed = true;
	f->error = error;
	f->tcp = NULL;
	weft_tcp_close(tcp, now);
}

static const struct weft_tcp_events far_events = { .on_readable = far_read,
						   .on_writable = far_writable,
						   .on_closed = far_closed };

static void far_accept(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	struct far *f = user;
	const struct weft_tcp_opts opts = { .events = &far_events, .user = f };
	assert_int_equal(weft_tcp_accept(listener, &opts, now, &f->tcp), 0);
	if (f->closes_at_once) {
		weft_tcp_abort(f->tcp, now);
		f->tcp = NULL;
		f->is_closed = true;
	} else if (f->to_send > 0) {
		far_write(f, f->tcp, now);
	}
}

/* ---- the world --------------------------------------------------------------------------- */

static union weft_sockaddr addr(const char *text)
{
	union weft_sockaddr sa;
	assert_int_equal(weft_listen_parse(text, &sa), 0);
	return sa;
}

static void make_stack(struct world *w, unsigned i)
{
	static const char *const addresses[] = { "10.1.0.1/24", ROOM "/24" };
	static const uint8_t secrets[][16] = { "one stack", "the other stack" };
	const struct weft_stack_opts opts = { .secret = secrets[i] };
	uint64_t now = weft_loop_now(w->loop);
	struct weft_iface *iface;
	struct weft_ip ip;
	assert_int_equal(weft_stack_new(&opts, now, &w->stack[i]), 0);
	assert_int_equal(
		weft_stack_add_interface(w->stack[i], w->link[i], NULL, now, &iface), 0);
	assert_int_equal(weft_ip_parse(addresses[i], &ip), 0);
	assert_int_equal(weft_iface_add_address(iface, &ip, 0, now), 0);
	assert_int_equal(weft_loop_add(w->loop, weft_link_task(w->link[i])), 0);
	assert_int_equal(weft_loop_add(w->loop, weft_stack_task(w->stack[i])), 0);
}

static void world_init(struct world *w, const struct weft_forwarder_opts *given)
{
	struct weft_forwarder_opts opts =
		given ? *given : (struct weft_forwarder_opts){ 0 };
	const struct weft_tcp_listen_opts listen = { .on_acceptable = far_accept,
						     .user = &w->far };
	const union weft_sockaddr at = addr("0.0.0.0:80");
	*w = (struct world){ .host = ROOM, .fd = -1 };
	w->far.got = malloc(2 * MANY);
	assert_non_null(w->far.got);
	assert_int_equal(weft_loop_new(NULL, &w->loop), 0);
	assert_int_equal(weft_link_pair(4096, &w->link[0], &w->link[1]), 0);
	make_stack(w, 0);
	make_stack(w, 1);
	opts.stack = w->stack[0];
	opts.loop = w->loop;
	assert_int_equal(weft_forwarder_new(&opts, &w->forwarder), 0);
	w->door = (struct door){ .forwarder = w->forwarder, .host = w->host, .port = 80 };
	assert_int_equal(weft_tcp_listen(w->stack[1], &at, &listen, &w->far.listener), 0);
}

static void world_fini(struct world *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	weft_forwarder_free(w->forwarder);
	if (w->resolver)
		weft_loop_remove(w->loop, weft_resolver_task(w->resolver));
	weft_resolver_free(w->resolver, weft_loop_now(w->loop));
	weft_udp_free(w->names);
	for (unsigned i = 0; i < 2; i++) {
		weft_loop_remove(w->loop, weft_stack_task(w->stack[i]));
		weft_loop_remove(w->loop, weft_link_task(w->link[i]));
		weft_stack_free(w->stack[i]);
		weft_link_free(w->link[i]);
	}
	weft_loop_free(w->loop);
	free(w->far.got);
}

/* A program that has come to a door; the test holds its end. */
static int come(struct world *w, void (*admit)(struct door *door, int fd, uint64_t now))
{
	int fd[2];
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
		0);
	admit(&w->door, fd[1], weft_loop_now(w->loop));
	return fd[0];
}

/* Turns the loop until something holds. */
#define UNTIL(w, what)                                               \
	do {                                                         \
		bool holds_ = (what);                                \
		for (unsigned i_ = 0; i_ < TURNS && !holds_; i_++) { \
			(void)weft_loop_turn((w)->loop);             \
			holds_ = (what);                             \
		}                                                    \
		assert_true(holds_);                                 \
	} while (0)

static uint64_t count(const struct world *w, enum weft_forward_outcome outcome)
{
	return weft_forwarder_count(w->forwarder, outcome);
}

/* Reads what is there. Returns how much, or -1 at the end, -2 for a reset. */
static ssize_t look(int fd, uint8_t *buf, size_t len)
{
	ssize_t n = recv(fd, buf, len, 0);
	if (n < 0)
		return errno == EAGAIN ? 0 : -2;
	return n == 0 ? -1 : n;
}

/* ---- names ------------------------------------------------------------------------------- */

/* Knows that everybody is at ROOM but "nobody", and first where no way leads. */
static void tell_name(void *user, struct weft_udp *udp,
		      const struct weft_udp_message *msg, uint64_t now)
{
	static const uint8_t addresses[2][4] = { { 192, 0, 2, 1 }, { 10, 1, 0, 2 } };
	struct dns_record record = { .type = DNS_A, .class = DNS_CLASS_IN, .ttl_s = 60 };
	struct reader r = reader_of(msg->data, msg->len);
	struct weft_udp_message out = { .peer = msg->peer, .local = msg->local };
	struct dns_question q;
	struct dns_hdr hdr;
	uint8_t buf[512];
	struct writer w = writer_of(buf, sizeof(buf));
	(void)user;
	assert_int_equal(dns_hdr_parse(&r, &hdr), 0);
	assert_int_equal(dns_question_parse(&r, &q), 0);
	bool is_known = q.type == DNS_A && q.name.octet[1] != 'n';
	hdr.is_response = true;
	hdr.additionals_n = 0;
	hdr.rcode = q.name.octet[1] == 'n' ? DNS_NXDOMAIN : DNS_NOERROR;
	hdr.answers_n = is_known ? 2 : 0;
	dns_hdr_emit(&w, &hdr);
	dns_question_emit(&w, &q);
	for (unsigned i = 0; i < hdr.answers_n; i++) {
		dns_record_emit(&w, &record, sizeof(addresses[i]));
		writer_bytes(&w, addresses[i], sizeof(addresses[i]));
	}
	out.data = buf;
	out.len = w.off;
	assert_int_equal(weft_udp_send(udp, &out, now), 0);
}

static void know_names(struct world *w)
{
	const struct weft_udp_opts udp = { .on_receive = tell_name };
	const struct weft_resolver_opts opts = {
		.stack = w->stack[0], .secret = (const uint8_t *)"sixteen bytes ..."
	};
	const union weft_sockaddr at = addr(ROOM ":53");
	assert_int_equal(weft_resolver_new(&opts, &w->resolver), 0);
	assert_int_equal(weft_resolver_add_server(w->resolver, &at, NULL), 0);
	assert_int_equal(weft_loop_add(w->loop, weft_resolver_task(w->resolver)), 0);
	assert_int_equal(weft_udp_new(w->stack[1], &udp, &w->names), 0);
	assert_int_equal(weft_udp_bind(w->names, &at), 0);
	w->forwarder->opts.resolver = w->resolver;
}

/* ---- streams ----------------------------------------------------------------------------- */

struct talk {
	size_t sent, got;
	bool has_ended;
};

/* Writes and reads as much as goes; says the end after MANY bytes. */
static void talk(int fd, struct talk *t)
{
	uint8_t buf[8192];
	size_t n = MANY - t->sent < sizeof(buf) ? MANY - t->sent : sizeof(buf);
	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(t->sent + i);
	ssize_t moved = n ? send(fd, buf, n, MSG_NOSIGNAL) : 0;
	t->sent += moved > 0 ? (size_t)moved : 0;
	if (n > 0 && t->sent == MANY)
		(void)shutdown(fd, SHUT_WR);
	moved = t->has_ended ? 0 : look(fd, buf, sizeof(buf));
	for (ssize_t i = 0; i < moved; i++)
		assert_int_equal(buf[i], byte_at(t->got + (size_t)i));
	t->got += moved > 0 ? (size_t)moved : 0;
	t->has_ended |= moved == -1;
}

static bool is_over(struct world *w, struct talk *t)
{
	talk(w->fd, t);
	return t->sent == MANY && t->has_ended && w->far.has_ended;
}

static void bytes_and_ends_go_both_ways(void **state)
{
	struct talk t = { .sent = 0 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.far.to_send = MANY;
	w.fd = come(&w, stream_admit);
	UNTIL(&w, is_over(&w, &t));
	assert_int_equal(t.got, MANY);
	assert_int_equal(w.far.got_len, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(w.far.got[i], byte_at(i));
	UNTIL(&w, w.forwarder->streams_n == 0);
	assert_int_equal(count(&w, WEFT_FORWARD_STREAM), 1);
	world_fini(&w);
}

/* Writes until nothing goes for long. Returns how much went. */
static size_t write_until_full(struct world *w)
{
	static const uint8_t zeros[65536];
	size_t sent = 0;
	for (unsigned idle = 0; idle < 200 && sent < 2 * HELD_MAX; idle++) {
		ssize_t n = send(w->fd, zeros, sizeof(zeros), MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
			idle = 0;
		}
		(void)weft_loop_turn(w->loop);
	}
	return sent;
}

static void who_does_not_read_stops_who_writes(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.far.is_slow = true;
	w.fd = come(&w, stream_admit);
	UNTIL(&w, w.far.tcp);
	assert_in_range(write_until_full(&w), 65536, HELD_MAX);
	world_fini(&w);
}

static void what_the_program_does_not_read_waits_in_the_room(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.far.to_send = 2 * HELD_MAX;
	w.fd = come(&w, stream_admit);
	UNTIL(&w, w.far.tcp);
	for (unsigned i = 0; i < 5000; i++)
		(void)weft_loop_turn(w.loop);
	assert_in_range(w.far.sent, 65536, HELD_MAX);
	world_fini(&w);
}

static void a_refusal_ends_the_program_s_connection(void **state)
{
	uint8_t buf[16];
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.door.port = 81;
	w.fd = come(&w, stream_admit);
	UNTIL(&w, look(w.fd, buf, sizeof(buf)) < 0);
	assert_int_equal(w.forwarder->streams_n, 0);
	world_fini(&w);
}

static void a_reset_in_the_room_ends_the_program_s_connection(void **state)
{
	uint8_t buf[16];
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.far.closes_at_once = true;
	w.fd = come(&w, stream_admit);
	UNTIL(&w, look(w.fd, buf, sizeof(buf)) < 0);
	assert_int_equal(w.forwarder->streams_n, 0);
	world_fini(&w);
}

/* A Unix socket that is closed with something unread resets its peer. */
static void a_program_that_breaks_off_resets_the_room(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.far.to_send = 100000;
	w.fd = come(&w, stream_admit);
	UNTIL(&w, w.far.sent == 100000 && w.far.tcp);
	for (unsigned i = 0; i < 100; i++)
		(void)weft_loop_turn(w.loop);
	(void)close(w.fd);
	w.fd = -1;
	UNTIL(&w, w.far.is_closed);
	assert_int_equal(w.far.error, -ECONNRESET);
	UNTIL(&w, w.forwarder->streams_n == 0);
	world_fini(&w);
}

static void there_are_only_so_many_streams(void **state)
{
	const struct weft_forwarder_opts opts = { .streams_max = 2 };
	uint8_t buf[16];
	int fd[3];
	struct world w;
	(void)state;
	world_init(&w, &opts);
	for (unsigned i = 0; i < 3; i++)
		fd[i] = come(&w, socks_admit);
	assert_true(look(fd[2], buf, sizeof(buf)) < 0);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_FULL), 1);
	for (unsigned i = 0; i < 3; i++)
		(void)close(fd[i]);
	UNTIL(&w, w.forwarder->streams_n == 0);
	world_fini(&w);
}

/* ---- SOCKS ------------------------------------------------------------------------------- */

static const uint8_t connect_80[] = { 5, 1, 0, 5, 1, 0, 1, 10, 1, 0, 2, 0, 80 };

static void say(const struct world *w, const void *data, size_t len)
{
	assert_int_equal(send(w->fd, data, len, MSG_NOSIGNAL), (int)len);
}

/* Waits for exactly these bytes. */
static void expect(struct world *w, const void *data, size_t len)
{
	uint8_t buf[64];
	size_t got = 0;
	ssize_t n = 0;
	UNTIL(w,
	      (n = look(w->fd, buf + got, len - got)) < 0 || (got += (size_t)n) == len);
	assert_int_equal(got, len);
	assert_memory_equal(buf, data, len);
}

static void expect_end(struct world *w)
{
	uint8_t buf[64];
	UNTIL(w, look(w->fd, buf, sizeof(buf)) < 0);
	assert_int_equal(w->forwarder->streams_n, 0);
}

static void socks_connects(void **state)
{
	uint8_t buf[16];
	ssize_t n = 0;
	size_t got = 0;
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.far.to_send = 1;
	w.fd = come(&w, socks_admit);
	for (size_t i = 0; i < sizeof(connect_80); i++) {
		say(&w, connect_80 + i, 1);
		(void)weft_loop_turn(w.loop);
	}
	say(&w, "data at once", 12);
	expect(&w, (const uint8_t[]){ 5, 0, 5, 0, 0, 1, 10, 1, 0, 1 }, 10);
	/* The port, and what the room says. */
	UNTIL(&w, (n = look(w.fd, buf, 1)) < 0 || (got += (size_t)n) == 3);
	assert_int_equal(got, 3);
	UNTIL(&w, w.far.got_len == 12);
	assert_memory_equal(w.far.got, "data at once", 12);
	world_fini(&w);
}

/* More than fits before the connection is there waits in the socket. */
static void socks_keeps_what_comes_early(void **state)
{
	static uint8_t early[5000];
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < sizeof(early); i++)
		early[i] = (uint8_t)(i % 251);
	w.fd = come(&w, socks_admit);
	say(&w, connect_80, sizeof(connect_80));
	say(&w, early, sizeof(early));
	UNTIL(&w, w.far.got_len == sizeof(early));
	assert_memory_equal(w.far.got, early, sizeof(early));
	world_fini(&w);
}

/* Nobody answers there; but who asked has gone, with some data said, and is not waited for. */
static void socks_notices_who_leaves_early(void **state)
{
	uint8_t request[sizeof(connect_80)];
	struct world w;
	(void)state;
	world_init(&w, NULL);
	memcpy(request, connect_80, sizeof(request));
	request[sizeof(request) - 3] = 77;
	w.fd = come(&w, socks_admit);
	say(&w, request, sizeof(request));
	say(&w, "hello", 5);
	UNTIL(&w, tcp_of_stack(w.stack[0])->conns == 1);
	(void)close(w.fd);
	w.fd = -1;
	UNTIL(&w, w.forwarder->streams_n == 0);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_SOCKS), 1);
	assert_int_equal(tcp_of_stack(w.stack[0])->conns, 0);
	world_fini(&w);
}

/* By the second of its addresses, as no way leads to the first. */
static void socks_connects_by_name(void **state)
{
	static const uint8_t request[] = { 5, 1, 0, 5, 1, 0, 3, 3, 'f', 'a', 'r', 0, 80 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	know_names(&w);
	w.far.to_send = 1;
	w.fd = come(&w, socks_admit);
	say(&w, request, sizeof(request));
	expect(&w, (const uint8_t[]){ 5, 0, 5, 0, 0, 1, 10, 1, 0, 1 }, 10);
	assert_int_equal(count(&w, WEFT_FORWARD_STREAM), 1);
	world_fini(&w);
}

static void socks_tells_of_a_name_that_nobody_has(void **state)
{
	static const uint8_t request[] = { 5, 1, 0, 5, 1, 0, 3, 3, 'n', 'o', 't', 0, 80 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	know_names(&w);
	w.fd = come(&w, socks_admit);
	say(&w, request, sizeof(request));
	expect(&w, (const uint8_t[]){ 5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0 }, 12);
	expect_end(&w);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_NAME), 1);
	world_fini(&w);
}

/* What has been sent, with a space behind each. */
struct told {
	unsigned n;
	char text[64];
};

static void told_send(void *user, const union weft_sockaddr *to, const void *data,
		      size_t len, uint64_t now)
{
	struct told *told = user;
	(void)to;
	(void)now;
	size_t at = strlen(told->text);
	assert_true(at + len + 2 <= sizeof(told->text));
	memcpy(told->text + at, data, len);
	memcpy(told->text + at + len, " ", 2);
	told->n++;
}

/* What is held while a name is looked for goes on in its order; what is too much does not. */
static void datagrams_wait_for_a_name(void **state)
{
	static uint8_t big[40000];
	struct told told = { .n = 0 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	know_names(&w);
	struct post post = { .forwarder = w.forwarder, .send = told_send, .user = &told };
	post_init(&post);
	post_datagram(&post, "far", 9000, "one", 3, 0);
	post_datagram(&post, "far", 9000, "two", 3, 0);
	post_datagram(&post, "not", 9000, big, sizeof(big), 0);
	post_datagram(&post, "far", 9000, big, sizeof(big), 0);
	assert_int_equal(told.n, 0);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_FULL), 1);
	post_datagram(&post, ROOM, 9000, "now", 3, 0);
	assert_int_equal(told.n, 1);
	UNTIL(&w, told.n == 3 && count(&w, WEFT_FORWARD_DROP_NAME) == 1);
	assert_string_equal(told.text, "now one two ");
	/* One that is still looked for goes with the rest. */
	post_datagram(&post, "other", 9000, "late", 4, 0);
	post_end(&post, 0);
	assert_int_equal(post.bytes, 0);
	world_fini(&w);
}

static void socks_tells_of_a_refusal(void **state)
{
	uint8_t request[sizeof(connect_80)];
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.fd = come(&w, socks_admit);
	memcpy(request, connect_80, sizeof(request));
	request[sizeof(request) - 1] = 81;
	say(&w, request, sizeof(request));
	expect(&w, (const uint8_t[]){ 5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0 }, 12);
	expect_end(&w);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_TARGET), 1);
	world_fini(&w);
}

struct rude {
	const char *data;
	size_t len;
	enum weft_forward_outcome outcome;
};

static void rude_clients_are_sent_away(void **state)
{
	static const struct rude clients[] = {
		{ "GET / HTTP/1.1\r\n", 16, WEFT_FORWARD_DROP_SOCKS },
		{ "\4\1\0\120\12\1\0\2", 8, WEFT_FORWARD_DROP_SOCKS },
		{ "\5\1\1", 3, WEFT_FORWARD_DROP_AUTH },
		{ "\5\1\0\5\7\0\1\12\1\0\2\0\120", 13, WEFT_FORWARD_DROP_SOCKS },
		{ "\5\1\0\5\1\0\2", 7, WEFT_FORWARD_DROP_SOCKS },
		{ "\5\1\0\5\1\0\3\4gone\0\120", 14, WEFT_FORWARD_DROP_NAME },
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		uint64_t before = count(&w, clients[i].outcome);
		w.fd = come(&w, socks_admit);
		say(&w, clients[i].data, clients[i].len);
		expect_end(&w);
		assert_int_equal(count(&w, clients[i].outcome), before + 1);
		(void)close(w.fd);
		w.fd = -1;
	}
	world_fini(&w);
}

static void who_says_nothing_is_sent_away(void **state)
{
	const struct weft_forwarder_opts opts = { .patience_ns = 1000000 };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	w.fd = come(&w, socks_admit);
	say(&w, "\5", 1);
	expect_end(&w);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_SOCKS), 1);
	world_fini(&w);
}

static void a_password_is_asked_for(void **state)
{
	/* A wrong password, a wrong user, and no user. */
	static const char *const wrong[] = { "\5\2\0\2\1\2me\4keys",
					     "\5\2\0\2\1\2my\3key", "\5\2\0\2\1\0\3key" };
	static const size_t lens[] = { 13, 12, 10 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	w.forwarder->has_password = true;
	strcpy(w.forwarder->user, "me");
	strcpy(w.forwarder->password, "key");
	w.fd = come(&w, socks_admit);
	say(&w, "\5\2\0\2\1\2me\3key", 12);
	expect(&w, "\5\2\1\0", 4);
	(void)close(w.fd);
	UNTIL(&w, w.forwarder->streams_n == 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		w.fd = come(&w, socks_admit);
		say(&w, wrong[i], lens[i]);
		expect(&w, "\5\2\1\1", 4);
		expect_end(&w);
		(void)close(w.fd);
	}
	w.fd = come(&w, socks_admit);
	say(&w, "\5\1\0", 3);
	expect(&w, "\5\377", 2);
	expect_end(&w);
	assert_int_equal(count(&w, WEFT_FORWARD_DROP_AUTH), 4);
	world_fini(&w);
}

/* ---- rules ------------------------------------------------------------------------------- */

static void rules_as_text(void **state)
{
	char text[WEFT_SOCKADDR_TEXT];
	struct weft_forward_rule rule;
	struct weft_error err;
	(void)state;
	assert_int_equal(weft_forward_parse("tcp:8080=10.0.0.5:80", &err, &rule), 0);
	assert_string_equal(weft_sockaddr_print(&rule.listen, text), "127.0.0.1:8080");
	assert_string_equal(rule.host, "10.0.0.5");
	assert_int_equal(rule.port, 80);
	assert_false(rule.is_udp);
	assert_int_equal(weft_forward_parse("udp:[::1]:53=[fe80::1]:53", &err, &rule), 0);
	assert_true(rule.is_udp);
	assert_string_equal(rule.host, "fe80::1");
	assert_int_equal(weft_expose_parse("udp:27015=27016", &err, &rule), 0);
	assert_string_equal(weft_sockaddr_print(&rule.listen, text), "[::]:27015");
	assert_string_equal(rule.host, "127.0.0.1");
	assert_int_equal(rule.port, 27016);
}

static void rules_that_are_wrong(void **state)
{
	static const char *const wrong[] = {
		"",
		"8080=10.0.0.5:80",
		"tcp:8080",
		"tcp:=10.0.0.5:80",
		"tcp:8080=",
		"tcp:8080=80",
		"tcp:0=10.0.0.5:1",
		"tcp:65536=10.0.0.5:1",
		"tcp:8080=10.0.0.5",
	};
	struct weft_forward_rule rule;
	struct weft_error err;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(weft_forward_parse(wrong[i], &err, &rule), -EINVAL);
		assert_non_null(strstr(err.text, "tcp:8080=10.0.0.5:80"));
	}
	assert_int_equal(weft_expose_parse("tcp:80=host:80", &err, &rule), -EINVAL);
	/* Of either side, and each by one character more. */
	for (unsigned len = 1; len < 2 * WEFT_FORWARD_HOST_MAX; len++) {
		char text[4 * WEFT_FORWARD_HOST_MAX];
		(void)snprintf(text, sizeof(text), "tcp:%0*d=10.0.0.5", len, 7);
		assert_int_equal(weft_forward_parse(text, &err, &rule), -EINVAL);
		(void)snprintf(text, sizeof(text), "tcp:8080=%0*d", len, 7);
		assert_int_equal(weft_forward_parse(text, &err, &rule), -EINVAL);
	}
}

static void a_proxy_for_others_needs_a_password(void **state)
{
	const struct weft_socks_opts opts = { .listen = addr("0.0.0.0:1080") };
	struct weft_error err;
	struct world w;
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_forwarder_socks(w.forwarder, &opts, &err), -EACCES);
	world_fini(&w);
}

static void outcomes_have_names(void **state)
{
	(void)state;
	assert_string_equal(weft_forward_outcome_name(WEFT_FORWARD_STREAM), "stream");
	assert_string_equal(weft_forward_outcome_name(WEFT_FORWARD_DROP_AUTH),
			    "drop-auth");
	assert_string_equal(weft_forward_outcome_name(WEFT_FORWARD_OUTCOMES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_ends_go_both_ways),
		cmocka_unit_test(who_does_not_read_stops_who_writes),
		cmocka_unit_test(what_the_program_does_not_read_waits_in_the_room),
		cmocka_unit_test(a_refusal_ends_the_program_s_connection),
		cmocka_unit_test(a_reset_in_the_room_ends_the_program_s_connection),
		cmocka_unit_test(a_program_that_breaks_off_resets_the_room),
		cmocka_unit_test(there_are_only_so_many_streams),
		cmocka_unit_test(socks_connects),
		cmocka_unit_test(socks_keeps_what_comes_early),
		cmocka_unit_test(socks_notices_who_leaves_early),
		cmocka_unit_test(socks_connects_by_name),
		cmocka_unit_test(socks_tells_of_a_name_that_nobody_has),
		cmocka_unit_test(datagrams_wait_for_a_name),
		cmocka_unit_test(socks_tells_of_a_refusal),
		cmocka_unit_test(rude_clients_are_sent_away),
		cmocka_unit_test(who_says_nothing_is_sent_away),
		cmocka_unit_test(a_password_is_asked_for),
		cmocka_unit_test(rules_as_text),
		cmocka_unit_test(rules_that_are_wrong),
		cmocka_unit_test(a_proxy_for_others_needs_a_password),
		cmocka_unit_test(outcomes_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
