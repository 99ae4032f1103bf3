/* SPDX-License-Identifier: MIT */
/*
 * Datagrams over the loopback device, from each implementation to each:
 *
 *     batched (GSO, GRO, mmsg) --.      .--> batched
 *                                 >----<
 *     plain                    --'      '--> plain
 *
 * On loopback a datagram is in the receiver's queue when send returns, so nothing waits.
 */
#include "io/dgram.h"

#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MSGS_MAX 64u

/* A sending and a receiving socket; in the order of this array of pairs. */
struct pair {
	struct dgram *from, *to;
};

static const struct {
	bool from_plain, to_plain;
} kinds[] = { { false, false }, { false, true }, { true, false }, { true, true } };

static struct dgram *open_on(const char *addr, uint16_t port, bool plain)
{
	struct dgram_udp_opts opts = { .plain = plain };
	if (strchr(addr, ':')) {
		opts.bind.in6.sin6_family = AF_INET6;
		opts.bind.in6.sin6_port = port;
		assert_int_equal(inet_pton(AF_INET6, addr, &opts.bind.in6.sin6_addr), 1);
	} else {
		opts.bind.in.sin_family = AF_INET;
		opts.bind.in.sin_port = port;
		assert_int_equal(inet_pton(AF_INET, addr, &opts.bind.in.sin_addr), 1);
	}
	struct dgram *d = NULL;
	struct weft_error err = { .text = "" };
	if (dgram_udp_new(&opts, &err, &d) < 0)
		fail_msg("%s: %s", addr, err.text);
	return d;
}

/* The address of d on a loopback address of the given family. */
static union weft_sockaddr loopback(const struct dgram *d, int family)
{
	union weft_sockaddr addr = { .sa = { .sa_family = (sa_family_t)family } };
	if (family == AF_INET) {
		addr.in.sin_port = d->bound.in.sin_port;
		addr.in.sin_addr.s_addr = inet_addr("127.0.0.1");
	} else {
		addr.in6.sin6_port = d->bound.in6.sin6_port;
		addr.in6.sin6_addr = in6addr_loopback;
	}
	return addr;
}

/* ---- what came in ------------------------------------------------------------------------ */

/* Bytes of all datagrams in order, and the length of each. */
struct inbox {
	uint8_t bytes[1 << 19];
	size_t len;
	size_t lens[1024];
	size_t count;
	size_t messages; /* Fewer than datagrams where GRO put them together. */
	struct dgram_msg last;
};

static void put_datagram(struct inbox *in, const uint8_t *data, size_t len)
{
	assert_true(in->len + len <= sizeof(in->bytes) &&
		    in->count < ARRAY_LEN(in->lens));
	memcpy(in->bytes + in->len, data, len);
	in->len += len;
	in->lens[in->count++] = len;
}

static void put_msg(struct inbox *in, const struct dgram_msg *msg)
{
	size_t step = msg->segment_len > 0 ? msg->segment_len : msg->len;
	size_t off = 0;
	do {
		size_t len = msg->len - off < step ? msg->len - off : step;
		put_datagram(in, msg->data + off, len);
		off += len;
	} while (off < msg->len);
	in->messages++;
	in->last = *msg;
}

/* Takes everything that waits in d. */
static void drain(struct dgram *d, struct inbox *in)
{
	struct dgram_msg msgs[MSGS_MAX];
	int n;
	while ((n = dgram_recv(d, msgs, ARRAY_LEN(msgs))) > 0)
		for (int i = 0; i < n; i++)
			put_msg(in, &msgs[i]);
	assert_int_equal(n, -EAGAIN);
}

static struct inbox *empty_inbox(void)
{
	static struct inbox in;
	memset(&in, 0, sizeof(in));
	return &in;
}

static void send_all(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	assert_int_equal(dgram_send(d, msgs, n), n);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void send_trains(struct pair pair, struct rng *rng, struct inbox *want)
{
	static uint8_t bytes[4][60000];
	struct dgram_msg msgs[4];
	for (size_t i = 0; i < ARRAY_LEN(msgs); i++) {
		size_t segment_len = 900 + rng_below(rng, 500);
		size_t len = 1 + rng_below(rng, 40 * segment_len);
		for (size_t j = 0; j < len; j++)
			bytes[i][j] = (uint8_t)rng_u64(rng);
		msgs[i] = (struct dgram_msg){ .peer = loopback(pair.to, AF_INET),
					      .data = bytes[i],
					      .len = len,
					      .segment_len = segment_len };
		put_msg(want, &msgs[i]);
	}
	send_all(pair.from, msgs, ARRAY_LEN(msgs));
}

static void trains_arrive_as_sent(void **state)
{
	(void)state;
	static struct inbox want;
	struct rng rng;
	rng_init(&rng, test_seed());
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct pair pair = { open_on("127.0.0.1", 0, kinds[k].from_plain),
				     open_on("127.0.0.1", 0, kinds[k].to_plain) };
		struct inbox *in = empty_inbox();
		memset(&want, 0, sizeof(want));
		send_trains(pair, &rng, &want);
		drain(pair.to, in);
		assert_int_equal(in->count, want.count);
		assert_memory_equal(in->lens, want.lens, sizeof(want.lens));
		assert_int_equal(in->len, want.len);
		assert_memory_equal(in->bytes, want.bytes, want.len);
		dgram_free(pair.from);
		dgram_free(pair.to);
	}
}

/* Where the kernel has both, a train stays one message from end to end. */
static void trains_stay_together(void **state)
{
	(void)state;
	struct dgram *from = open_on("::1", 0, false), *to = open_on("::1", 0, false);
	static uint8_t bytes[40 * 1200 + 100];
	const struct dgram_msg msg = { .peer = loopback(to, AF_INET6),
				       .data = bytes,
				       .len = sizeof(bytes),
				       .segment_len = 1200 };
	struct inbox *in = empty_inbox();
	if (from->segments_max == 1)
		skip();
	send_all(from, &msg, 1);
	drain(to, in);
	assert_int_equal(in->count, 41);
	assert_int_equal(in->messages, 1);
	assert_int_equal(in->last.segment_len, 1200);
	dgram_free(from);
	dgram_free(to);
}

static void empty_datagrams_count(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct dgram *from = open_on("127.0.0.1", 0, kinds[k].from_plain);
		struct dgram *to = open_on("127.0.0.1", 0, kinds[k].to_plain);
		uint8_t nothing = 0;
		const struct dgram_msg msg = { .peer = loopback(to, AF_INET),
					       .data = &nothing };
		struct inbox *in = empty_inbox();
		send_all(from, &msg, 1);
		drain(to, in);
		assert_int_equal(in->count, 1);
		assert_int_equal(in->len, 0);
		dgram_free(from);
		dgram_free(to);
	}
}

/* One datagram from one socket to another, whose ECN bits and addresses are then compared. */
static struct dgram_msg carry(struct dgram *from, struct dgram *to, int family,
			      uint8_t ecn)
{
	uint8_t byte = 7;
	const struct dgram_msg msg = {
		.peer = loopback(to, family), .data = &byte, .len = 1, .ecn = ecn
	};
	struct inbox *in = empty_inbox();
	send_all(from, &msg, 1);
	drain(to, in);
	assert_int_equal(in->count, 1);
	return in->last;
}

static void check_facts(struct dgram *from, struct dgram *to, int family)
{
	const union weft_sockaddr from_addr = loopback(from, family);
	const union weft_sockaddr to_addr = loopback(to, family);
	for (uint8_t ecn = 0; ecn < 4; ecn++) {
		struct dgram_msg got = carry(from, to, family, ecn);
		assert_int_equal(got.ecn, ecn);
		assert_true(weft_sockaddr_equal(&got.peer, &from_addr));
		assert_true(weft_sockaddr_equal(&got.local, &to_addr));
		assert_int_equal(got.segment_len, 0);
	}
}

/*
 *     from          to             seen as
 *     127.0.0.1     127.0.0.1      IPv4
 *     ::1           ::1            IPv6
 *     [::]          [::]           both, and IPv4 is never ::ffff:127.0.0.1
 */
static void ecn_and_addresses_arrive(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		int family;
	} rows[] = {
		{ "127.0.0.1", AF_INET }, { "0.0.0.0", AF_INET }, { "::1", AF_INET6 },
		{ "::", AF_INET6 },       { "::", AF_INET },
	};
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct dgram *from =
				open_on(rows[i].addr, 0, kinds[k].from_plain);
			struct dgram *to = open_on(rows[i].addr, 0, kinds[k].to_plain);
			check_facts(from, to, rows[i].family);
			dgram_free(from);
			dgram_free(to);
		}
}

/* A dual-stack socket hears an IPv4 one, and can answer to what it was told. */
static void dual_stack_answers_ipv4(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct dgram *client = open_on("127.0.0.1", 0, kinds[k].from_plain);
		struct dgram *server = open_on("::", 0, kinds[k].to_plain);
		struct dgram_msg got = carry(client, server, AF_INET, 1);
		uint8_t byte = 9;
		const struct dgram_msg answer = { .peer = got.peer,
						  .local = got.local,
						  .data = &byte,
						  .len = 1,
						  .ecn = 2 };
		send_all(server, &answer, 1);
		struct inbox *in = empty_inbox();
		drain(client, in);
		assert_int_equal(in->count, 1);
		assert_int_equal(in->last.ecn, 2);
		assert_true(weft_sockaddr_equal(&in->last.peer, &got.local));
		dgram_free(client);
		dgram_free(server);
	}
}

/* The whole of 127.0.0.0/8 is this machine: an answer comes from the address asked. */
static void source_address_is_chosen(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct dgram *from =
			open_on(k % 2 ? "0.0.0.0" : "::", 0, kinds[k].from_plain);
		struct dgram *to = open_on("127.0.0.1", 0, kinds[k].to_plain);
		static uint8_t bytes[3000];
		struct dgram_msg msg = { .peer = loopback(to, AF_INET),
					 .local = loopback(from, AF_INET),
					 .data = bytes,
					 .len = sizeof(bytes),
					 .segment_len = 1000 };
		msg.local.in.sin_addr.s_addr = inet_addr("127.0.0.77");
		struct inbox *in = empty_inbox();
		send_all(from, &msg, 1);
		drain(to, in);
		assert_int_equal(in->count, 3);
		assert_true(weft_sockaddr_equal(&in->last.peer, &msg.local));
		dgram_free(from);
		dgram_free(to);
	}
}

/*
 * A message that can never be sent is loss and holds nothing up: too long for any datagram,
 * a wrong source, a peer of a family that the socket does not have.
 */
static void refused_messages_are_loss(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct dgram *from = open_on("127.0.0.1", 0, kinds[k].from_plain);
		struct dgram *to = open_on("127.0.0.1", 0, kinds[k].to_plain);
		static uint8_t bytes[70000];
		struct dgram_msg msgs[6];
		for (size_t i = 0; i < ARRAY_LEN(msgs); i++)
			msgs[i] = (struct dgram_msg){ .peer = loopback(to, AF_INET),
						      .data = bytes + i,
						      .len = 1 };
		bytes[0] = 1;
		bytes[5] = 5;
		msgs[1].len = sizeof(bytes) - 1;
		msgs[2].local = loopback(from, AF_INET);
		msgs[2].local.in.sin_addr.s_addr = inet_addr("192.0.2.1");
		msgs[3].peer = loopback(to, AF_INET6);
		msgs[4].peer.in.sin_port = 0;
		send_all(from, msgs, ARRAY_LEN(msgs));
		struct inbox *in = empty_inbox();
		drain(to, in);
		assert_int_equal(in->count, 2);
		assert_int_equal(in->bytes[0], 1);
		assert_int_equal(in->bytes[1], 5);
		dgram_free(from);
		dgram_free(to);
	}
}

/* The state that a device without checksum offload leaves behind: trains go out singly. */
static void works_without_gso(void **state)
{
	(void)state;
	static uint8_t bytes[4500];
	struct dgram *from = open_on("127.0.0.1", 0, false),
		     *to = open_on("127.0.0.1", 0, false);
	from->segments_max = 1;
	struct dgram_msg msgs[3];
	for (size_t i = 0; i < ARRAY_LEN(msgs); i++)
		msgs[i] = (struct dgram_msg){ .peer = loopback(to, AF_INET),
					      .data = bytes,
					      .len = i == 1 ? sizeof(bytes) : 10,
					      .segment_len = i == 1 ? 1000 : 0 };
	struct inbox *in = empty_inbox();
	send_all(from, msgs, ARRAY_LEN(msgs));
	drain(to, in);
	static const size_t want[] = { 10, 1000, 1000, 1000, 1000, 500, 10 };
	assert_int_equal(in->count, ARRAY_LEN(want));
	assert_memory_equal(in->lens, want, sizeof(want));
	dgram_free(from);
	dgram_free(to);
}

/*
 * A kernel that refuses to cut: it does so for sockets that send no checksums (SO_NO_CHECK).
 * The train goes out singly, and nothing is asked of the kernel again.
 */
static void falls_back_when_gso_is_refused(void **state)
{
	(void)state;
	static uint8_t bytes[4500];
	struct dgram *from = open_on("127.0.0.1", 0, false),
		     *to = open_on("127.0.0.1", 0, false);
	const int on = 1;
	assert_int_equal(setsockopt(from->fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)),
			 0);
	const struct dgram_msg msg = { .peer = loopback(to, AF_INET),
				       .data = bytes,
				       .len = sizeof(bytes),
				       .segment_len = 1000 };
	for (size_t round = 1; round <= 2; round++) {
		struct inbox *in = empty_inbox();
		send_all(from, &msg, 1);
		drain(to, in);
		assert_int_equal(in->count, 5);
		assert_int_equal(in->len, sizeof(bytes));
		assert_int_equal(from->segments_max, 1);
	}
	dgram_free(from);
	dgram_free(to);
}

/* Nobody listens at the peer: ICMP says so, and neither direction fails for it. */
static void unreachable_peers_do_no_harm(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct dgram *d = open_on("127.0.0.1", 0, k == 1);
		struct dgram *gone = open_on("127.0.0.1", 0, false);
		uint8_t byte = 1;
		struct dgram_msg msgs[2] = {
			{ .peer = loopback(gone, AF_INET), .data = &byte, .len = 1 },
			{ .peer = loopback(d, AF_INET), .data = &byte, .len = 1 }
		};
		dgram_free(gone);
		struct inbox *in = empty_inbox();
		for (unsigned i = 0; i < 3; i++)
			send_all(d, msgs, 2);
		drain(d, in);
		assert_int_equal(in->count, 3);
		dgram_free(d);
	}
}

/* A connected socket does get ICMP's errors on the next call; they are swallowed. */
static void icmp_errors_are_swallowed(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct dgram *d = open_on("127.0.0.1", 0, k == 1);
		struct dgram *gone = open_on("127.0.0.1", 0, false);
		const union weft_sockaddr peer = loopback(gone, AF_INET);
		uint8_t byte = 1;
		const struct dgram_msg msg = { .peer = peer, .data = &byte, .len = 1 };
		dgram_free(gone);
		assert_int_equal(connect(d->fd, &peer.sa, weft_sockaddr_len(&peer)), 0);
		send_all(d, &msg, 1);
		struct pollfd poll_fd = { .fd = d->fd, .events = POLLIN };
		assert_int_equal(poll(&poll_fd, 1, 1000), 1);
		struct dgram_msg got;
		assert_int_equal(dgram_recv(d, &got, 1), -EAGAIN);
		send_all(d, &msg, 1);
		send_all(d, &msg, 1); /* This one is told of the last. */
		dgram_free(d);
	}
}

static void errors_say_what_to_do(void **state)
{
	(void)state;
	struct dgram *first = open_on("127.0.0.1", 0, false);
	struct dgram_udp_opts opts = { .bind = first->bound };
	struct dgram *second = NULL;
	struct weft_error err = { .text = "" };
	assert_int_equal(dgram_udp_new(&opts, &err, &second), -EADDRINUSE);
	assert_non_null(strstr(err.text, "in use by another program"));
	opts.bind.in.sin_addr.s_addr = inet_addr("192.0.2.1");
	assert_int_equal(dgram_udp_new(&opts, &err, &second), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "192.0.2.1:"));
	assert_null(second);
	dgram_free(first);
	dgram_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trains_arrive_as_sent),
		cmocka_unit_test(trains_stay_together),
		cmocka_unit_test(empty_datagrams_count),
		cmocka_unit_test(ecn_and_addresses_arrive),
		cmocka_unit_test(dual_stack_answers_ipv4),
		cmocka_unit_test(source_address_is_chosen),
		cmocka_unit_test(refused_messages_are_loss),
		cmocka_unit_test(works_without_gso),
		cmocka_unit_test(falls_back_when_gso_is_refused),
		cmocka_unit_test(unreachable_peers_do_no_harm),
		cmocka_unit_test(icmp_errors_are_swallowed),
		cmocka_unit_test(errors_say_what_to_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
