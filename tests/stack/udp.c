/* SPDX-License-Identifier: MIT */
/*
 * Sockets: who gets a datagram, from and to which address, and what each call refuses.
 */
#include "stack/udp.h"

#include "base/time.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/udp.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define PEER4 "10.1.0.1"
#define OWN4  "10.1.0.2"

struct inbox {
	struct weft_udp *udp;
	unsigned n;
	char last[64];
	size_t len;
	union weft_sockaddr peer, local;
	bool closes;
	struct inbox *other; /* Closed when something comes. */
};

static void got(void *user, struct weft_udp *udp, const struct weft_udp_message *msg,
		uint64_t now)
{
	struct inbox *in = user;
	(void)now;
	in->n++;
	in->len = msg->len;
	in->peer = msg->peer;
	in->local = msg->local;
	size_t kept = msg->len < sizeof(in->last) - 1 ? msg->len : sizeof(in->last) - 1;
	memcpy(in->last, msg->data, kept);
	in->last[kept] = '\0';
	if (in->other)
		weft_udp_free(in->other->udp);
	if (in->closes)
		weft_udp_free(udp);
}

static void open_box(struct world *w, struct inbox *in, const char *host, uint16_t port)
{
	const struct weft_udp_opts opts = { .on_receive = got, .user = in };
	const union weft_sockaddr local = at(host, port);
	memset(in, 0, sizeof(*in));
	assert_int_equal(weft_udp_new(w->stack, &opts, &in->udp), 0);
	assert_int_equal(weft_udp_bind(in->udp, &local), 0);
}

static enum weft_stack_outcome rx_udp(struct world *w, const char *src, uint16_t sport,
				      const char *dst, uint16_t dport, const char *data)
{
	const struct packet p = {
		.src = src, .dst = dst, .sport = sport, .dport = dport
	};
	return rx_packet(w, &p, data, strlen(data));
}

static void the_best_fit_gets_it(void **state)
{
	struct world w;
	struct inbox any, own, connected;
	const union weft_sockaddr peer = at(PEER4, 1000);
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &any, "0.0.0.0", 7);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "one"), DELIVERED);
	assert_string_equal(any.last, "one");
	open_box(&w, &own, OWN4, 7);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "two"), DELIVERED);
	assert_string_equal(own.last, "two");
	/* A second of the same address would be no fit at all, but a connected one is. */
	const struct weft_udp_opts opts = { .on_receive = got, .user = &connected };
	const union weft_sockaddr taken = at(OWN4, 7);
	memset(&connected, 0, sizeof(connected));
	assert_int_equal(weft_udp_new(w.stack, &opts, &connected.udp), 0);
	assert_int_equal(weft_udp_bind(connected.udp, &taken), -EADDRINUSE);
	assert_int_equal(weft_udp_connect(own.udp, &peer, w.now), 0);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "three"), DELIVERED);
	assert_string_equal(own.last, "three");
	assert_outcome(rx_udp(&w, PEER4, 1001, OWN4, 7, "four"), DELIVERED);
	assert_string_equal(any.last, "four");
	weft_udp_free(own.udp);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "five"), DELIVERED);
	assert_string_equal(any.last, "five");
	assert_int_equal(weft_sockaddr_port(&any.peer), 1000);
	assert_int_equal(weft_sockaddr_port(&any.local), 7);
	/* IPv6 is another matter. */
	assert_outcome(rx_udp(&w, "2001:db8::1", 1000, "2001:db8::2", 7, "six"),
		       DROP_UDP_NO_SOCKET);
	world_fini(&w);
}

static void an_echo_server_is_one_call(void **state)
{
	static const char *const pairs[][2] = { { PEER4, OWN4 },
						{ "2001:db8::1", "2001:db8::2" } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct world w;
		struct inbox in;
		struct udp_hdr hdr;
		world_init(&w, NULL);
		open_box(&w, &in, i == 0 ? "0.0.0.0" : "::", 7);
		assert_outcome(rx_udp(&w, pairs[i][0], 1000, pairs[i][1], 7, "hello"),
			       DELIVERED);
		const struct weft_udp_message answer = {
			.peer = in.peer, .local = in.local, .data = in.last, .len = in.len
		};
		assert_int_equal(weft_udp_send(in.udp, &answer, w.now), 0);
		struct seen s = see(tx(&w));
		assert_string_equal(text(&s.src), pairs[i][1]);
		assert_string_equal(text(&s.dst), pairs[i][0]);
		assert_int_equal(udp_hdr_parse(s.payload, s.len, &hdr), UDP_LEN);
		assert_int_equal(hdr.sport, 7);
		assert_int_equal(hdr.dport, 1000);
		assert_memory_equal(s.payload + UDP_LEN, "hello", 5);
		uint32_t sum =
			compose_pseudo(&s.src, &s.dst, IPPROTO_UDP, (uint32_t)s.len);
		assert_true(checksum_udp_is_right(sum, s.payload, s.len, i == 1));
		world_fini(&w);
	}
}

/* The frame of a datagram, to be spoilt. */
static size_t datagram(struct world *w, const char *src, const char *dst, uint8_t *frame,
		       size_t len)
{
	const struct packet p = { .src = src, .dst = dst, .sport = 1000, .dport = 7 };
	return make(w, &p, "abcd", 4, frame, len);
}

static void lengths_and_checksums_count(void **state)
{
	struct world w;
	struct inbox in4, in6;
	uint8_t frame[200];
	uint8_t *udp = frame + ETHER_LEN + IP4_LEN;
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in4, "0.0.0.0", 7);
	open_box(&w, &in6, "::", 7);
	size_t len = datagram(&w, PEER4, OWN4, frame, sizeof(frame));
	udp[UDP_OFF_CSUM] ^= 1;
	assert_outcome(rx(&w, frame, len), DROP_UDP_CHECKSUM);
	store_be16(udp + UDP_OFF_CSUM, 0); /* None, which IPv4 allows. */
	assert_outcome(rx(&w, frame, len), DELIVERED);
	store_be16(udp + UDP_OFF_LEN, 10); /* Less than IP has: the rest is nobody's. */
	assert_outcome(rx(&w, frame, len), DELIVERED);
	assert_int_equal(in4.len, 2);
	store_be16(udp + UDP_OFF_LEN, 7);
	assert_outcome(rx(&w, frame, len), DROP_UDP_HEADER);
	store_be16(udp + UDP_OFF_LEN, 13);
	assert_outcome(rx(&w, frame, len), DROP_UDP_HEADER);
	store_be16(udp + UDP_OFF_LEN, 12);
	store_be16(udp + UDP_OFF_DPORT, 0);
	assert_outcome(rx(&w, frame, len), DROP_UDP_HEADER);

	len = datagram(&w, "2001:db8::1", "2001:db8::2", frame, sizeof(frame));
	udp = frame + ETHER_LEN + IP6_LEN;
	assert_outcome(rx(&w, frame, len), DELIVERED);
	store_be16(udp + UDP_OFF_CSUM, 0); /* None, which IPv6 forbids (RFC 8200, 8.1). */
	assert_outcome(rx(&w, frame, len), DROP_UDP_CHECKSUM);
	tx_none(&w);
	world_fini(&w);
}

/* A sum that comes to zero is sent as 0xffff: zero would mean that there is none. */
static void a_sum_of_zero_is_sent_as_ones(void **state)
{
	struct world w;
	struct inbox in;
	uint8_t data[2] = { 0 };
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, OWN4, 7);
	struct weft_udp_message msg = { .peer = at(PEER4, 1000), .data = data, .len = 2 };
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	uint16_t sum = load_be16(see(tx(&w)).payload + UDP_OFF_CSUM);
	store_be16(data, sum); /* Now the sum comes to zero. */
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	assert_int_equal(load_be16(see(tx(&w)).payload + UDP_OFF_CSUM), 0xffff);
	world_fini(&w);
}

static void a_queue_has_a_limit(void **state)
{
	const struct weft_udp_opts opts = { .queue_bytes_max = 3 * 68 };
	struct world w;
	struct weft_udp *udp;
	struct weft_udp_message msg;
	char buf[8];
	const union weft_sockaddr local = at("0.0.0.0", 7);
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_udp_new(w.stack, &opts, &udp), 0);
	assert_int_equal(weft_udp_bind(udp, &local), 0);
	assert_int_equal(weft_udp_receive(udp, buf, sizeof(buf), &msg), -EAGAIN);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "aaaa"), DELIVERED);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "bbbb"), DELIVERED);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "cccc"), DELIVERED);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "dddd"), DROP_UDP_FULL);
	assert_int_equal(weft_udp_receive(udp, buf, sizeof(buf), &msg), 4);
	assert_memory_equal(msg.data, "aaaa", 4);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "eeee"), DELIVERED);
	/* What does not fit is lost, and told. */
	assert_int_equal(weft_udp_receive(udp, buf, 2, &msg), 4);
	assert_int_equal(msg.len, 2);
	assert_memory_equal(buf, "bb", 2);
	world_fini(&w);
}

static void a_receiver_may_close_anything(void **state)
{
	struct world w;
	struct inbox a, b;
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &a, OWN4, 7);
	a.closes = true;
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "x"), DELIVERED);
	assert_outcome(rx_udp(&w, PEER4, 1000, OWN4, 7, "x"), DROP_UDP_NO_SOCKET);
	/* In the middle of a walk: the next one, and itself. */
	open_box(&w, &a, "0.0.0.0", 7);
	open_box(&w, &b, OWN4, 7);
	a.closes = true;
	a.other = &b;
	assert_outcome(rx_udp(&w, PEER4, 1000, "10.1.0.255", 7, "x"), DELIVERED);
	assert_int_equal(a.n, 1);
	assert_outcome(rx_udp(&w, PEER4, 1000, "10.1.0.255", 7, "x"), DROP_UDP_NO_SOCKET);
	world_fini(&w);
}

/* A call of the program's is not the time for its callbacks, however much it sends itself. */
static void what_is_sent_to_oneself_comes_in_by_a_run(void **state)
{
	struct world w;
	struct inbox in;
	const union weft_sockaddr itself = at("127.0.0.1", 7);
	const struct weft_udp_message msg = { .data = "x", .len = 1 };
	unsigned sent = 0;
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, "127.0.0.1", 7);
	assert_int_equal(weft_udp_connect(in.udp, &itself, w.now), 0);
	in.closes = true;
	for (unsigned i = 0; i < 200; i++)
		sent += weft_udp_send(in.udp, &msg, w.now) == 0;
	assert_int_equal(sent, IFACE_BATCH);
	assert_int_equal(in.n, 0);
	world_run(&w);
	assert_int_equal(in.n, 1);
	world_fini(&w);
}

static void back(void *user, struct weft_udp *udp, const struct weft_udp_message *msg,
		 uint64_t now)
{
	unsigned *n = user;
	if (++*n < 50000)
		assert_int_equal(weft_udp_send(udp, msg, now), 0);
}

/* Two that answer each other do so turn by turn, not one within the other. */
static void who_answers_itself_does_not_sink(void **state)
{
	struct world w;
	struct weft_udp *a, *b;
	unsigned n = 0;
	const struct weft_udp_opts opts = { .on_receive = back, .user = &n };
	const union weft_sockaddr at_a = at("127.0.0.1", 7), at_b = at("127.0.0.1", 8);
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_udp_new(w.stack, &opts, &a), 0);
	assert_int_equal(weft_udp_new(w.stack, &opts, &b), 0);
	assert_int_equal(weft_udp_bind(a, &at_a), 0);
	assert_int_equal(weft_udp_bind(b, &at_b), 0);
	const struct weft_udp_message msg = { .peer = at_b, .data = "x", .len = 1 };
	assert_int_equal(weft_udp_send(a, &msg, w.now), 0);
	struct weft_task *task = weft_stack_task(w.stack);
	unsigned runs = 0;
	for (; task->deadline(task) <= w.now; runs++)
		task->run(task, w.now);
	assert_int_equal(n, 50000);
	assert_int_equal(runs, 50000);
	world_fini(&w);
}

/* sin6_scope_id says on which link such an address is meant, to connect as well. */
static void a_link_local_peer_is_on_its_link(void **state)
{
	struct world w;
	struct weft_link *a, *b;
	struct weft_iface *second;
	struct weft_udp *udp;
	union weft_sockaddr peer = at("fe80::77", 9);
	const struct weft_udp_message msg = { .data = "x", .len = 1 };
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_link_pair(16, &a, &b), 0);
	assert_int_equal(weft_stack_add_interface(w.stack, a, NULL, w.now, &second), 0);
	world_pass(&w, 20 * NS_PER_S);
	tx_forget(&w);
	assert_int_equal(weft_udp_new(w.stack, NULL, &udp), 0);
	peer.in6.sin6_scope_id = weft_iface_index(second);
	assert_int_equal(weft_udp_connect(udp, &peer, w.now), 0);
	assert_ptr_equal(udp->path.iface, second);
	assert_int_equal(weft_udp_peer(udp).in6.sin6_scope_id, weft_iface_index(second));
	assert_int_equal(weft_udp_local(udp).in6.sin6_scope_id, weft_iface_index(second));
	/* And after the ways have changed. */
	stack_changed(w.stack);
	assert_int_equal(weft_udp_send(udp, &msg, w.now), 0);
	assert_ptr_equal(udp->path.iface, second);
	world_run(&w);
	tx_none(&w);
	weft_stack_remove_interface(second, w.now);
	weft_link_free(a);
	weft_link_free(b);
	world_fini(&w);
}

static void groups_are_joined(void **state)
{
	static const struct {
		const char *group, *any, *src;
	} cases[] = { { "239.1.2.3", "0.0.0.0", PEER4 },
		      { "ff05::1234", "::", "2001:db8::1" } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		struct inbox a, b, bound;
		struct weft_ip group = ip(cases[i].group);
		world_init(&w, NULL);
		open_box(&w, &a, cases[i].any, 7);
		open_box(&w, &b, cases[i].any, 8);
		open_box(&w, &bound, cases[i].group, 7);
		assert_outcome(rx_udp(&w, cases[i].src, 1000, cases[i].group, 7, "x"),
			       DROP_NO_HOST);
		assert_int_equal(weft_udp_join(a.udp, &group, w.iface, w.now), 0);
		assert_int_equal(weft_udp_join(a.udp, &group, w.iface, w.now), -EEXIST);
		assert_int_equal(weft_udp_join(b.udp, &group, w.iface, w.now), 0);
		assert_int_equal(weft_udp_join(bound.udp, &group, w.iface, w.now), 0);
		assert_outcome(rx_udp(&w, cases[i].src, 1000, cases[i].group, 7, "x"),
			       DELIVERED);
		assert_int_equal(a.n, 1);
		assert_int_equal(b.n, 0);
		assert_int_equal(bound.n, 1);
		weft_udp_leave(a.udp, &group, w.iface, w.now);
		assert_outcome(rx_udp(&w, cases[i].src, 1000, cases[i].group, 7, "x"),
			       DELIVERED);
		assert_int_equal(a.n, 1);
		assert_int_equal(bound.n, 2);
		weft_udp_free(bound.udp);
		weft_udp_free(b.udp);
		assert_outcome(rx_udp(&w, cases[i].src, 1000, cases[i].group, 7, "x"),
			       DROP_NO_HOST);
		world_fini(&w);
	}
}

static void groups_go_with_their_interface(void **state)
{
	struct world w;
	struct inbox in;
	struct weft_ip group = ip("239.1.2.3");
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, "0.0.0.0", 7);
	assert_int_equal(weft_udp_join(in.udp, &group, w.iface, w.now), 0);
	struct weft_udp_message msg = { .peer = at("239.1.2.3", 9),
					.data = "x",
					.len = 1 };
	weft_stack_remove_interface(w.iface, w.now);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -ENETUNREACH);
	weft_udp_leave(in.udp, &group, NULL, w.now);
	weft_udp_free(in.udp);
	world_fini(&w);
}

static void a_broadcast_is_not_for_who_is_bound_to_one(void **state)
{
	struct world w;
	struct inbox in;
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, OWN4, 7);
	assert_outcome(rx_udp(&w, PEER4, 1000, "10.1.0.255", 7, "x"), DROP_UDP_NO_SOCKET);
	assert_int_equal(in.n, 0);
	world_fini(&w);
}

/* And what is of another interface stays: routes, redirects and groups. */
static void the_other_interface_keeps_what_it_has(void **state)
{
	struct world w;
	struct weft_link *a, *b;
	struct weft_iface *second;
	struct inbox in;
	struct weft_ip group = ip("239.1.2.3"), more = ip("10.2.0.2/24");
	struct ip_addr far = addr("8.8.8.8"), gateway = addr(PEER4);
	struct weft_udp_message msg = { .peer = at(PEER4, 9), .data = "x", .len = 1 };
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_link_pair(16, &a, &b), 0);
	assert_int_equal(weft_stack_add_interface(w.stack, a, NULL, w.now, &second), 0);
	assert_int_equal(weft_iface_add_address(second, &more, 0, w.now), 0);
	open_box(&w, &in, "0.0.0.0", 7);
	assert_int_equal(weft_udp_join(in.udp, &group, w.iface, w.now), 0);
	assert_int_equal(weft_udp_join(in.udp, &group, second, w.now), 0);
	dest_redirect(w.stack, &far, &gateway, w.iface, w.now);
	weft_stack_remove_interface(second, w.now);
	for (size_t i = 0; i < w.stack->routes.n; i++)
		assert_ptr_not_equal(w.stack->routes.entries[i].iface, second);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	assert_outcome(rx_udp(&w, PEER4, 1000, "239.1.2.3", 7, "x"), DELIVERED);
	assert_int_equal(in.udp->groups_n, 1);
	assert_non_null(dest_find(w.stack, &far, w.now));
	weft_link_free(a);
	weft_link_free(b);
	world_fini(&w);
}

/* Whom it is connected to counts for what came in a frame for all as well: address and port. */
static void who_is_connected_hears_its_peer_alone(void **state)
{
	static const struct {
		const char *src;
		uint16_t sport;
		bool is_heard;
	} cases[] = { { "2001:db8::1", 1000, true },
		      { "2001:db8::1", 1001, false },
		      { "2001:db8::9", 1000, false } };
	struct world w;
	struct inbox in;
	uint8_t frame[128];
	const union weft_sockaddr peer = at("2001:db8::1", 1000);
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, "2001:db8::2", 7);
	assert_int_equal(weft_udp_connect(in.udp, &peer, w.now), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct packet p = { .src = cases[i].src,
					  .dst = "2001:db8::2",
					  .sport = cases[i].sport,
					  .dport = 7 };
		size_t len = make(&w, &p, "x", 1, frame, sizeof(frame));
		memcpy(frame, "\x33\x33\x00\x00\x00\x01", 6);
		assert_int_equal(rx(&w, frame, len) == WEFT_STACK_DELIVERED,
				 cases[i].is_heard);
	}
	assert_int_equal(in.n, 1);
	tx_none(&w);
	world_fini(&w);
}

static void sending_to_groups_and_broadcasts(void **state)
{
	struct world w;
	struct inbox in;
	struct weft_udp *loud;
	const struct weft_udp_opts opts = { .broadcast = true };
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, "0.0.0.0", 7);
	struct weft_udp_message msg = { .peer = at("239.1.2.3", 9),
					.data = "x",
					.len = 1 };
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	struct seen s = see(tx(&w));
	assert_int_equal(s.ttl, 1);
	assert_memory_equal(s.dst_mac.octet, "\x01\x00\x5e\x01\x02\x03", 6);
	msg.peer = at("10.1.0.255", 9);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EACCES);
	msg.peer = at("255.255.255.255", 9);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EACCES);
	assert_int_equal(weft_udp_new(w.stack, &opts, &loud), 0);
	assert_int_equal(weft_udp_send(loud, &msg, w.now), 0);
	s = see(tx(&w));
	assert_memory_equal(s.dst_mac.octet, "\xff\xff\xff\xff\xff\xff", 6);
	assert_string_equal(text(&s.src), OWN4);
	msg.peer = at("10.1.0.255", 9);
	assert_int_equal(weft_udp_send(loud, &msg, w.now), 0);
	assert_memory_equal(see(tx(&w)).dst_mac.octet, "\xff\xff\xff\xff\xff\xff", 6);
	world_fini(&w);
}

static void calls_refuse_what_is_wrong(void **state)
{
	struct world w;
	struct inbox in;
	struct weft_udp *udp;
	static const uint8_t data[65535];
	(void)state;
	world_init(&w, NULL);
	open_box(&w, &in, OWN4, 7);
	struct weft_udp_message msg = { .data = "x", .len = 1 };
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EDESTADDRREQ);
	msg.peer = at("2001:db8::1", 9);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EAFNOSUPPORT);
	msg.peer = at("8.8.8.8", 9);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -ENETUNREACH);
	msg.peer = at(PEER4, 0);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EINVAL);
	msg.peer = at(PEER4, 9);
	msg.data = data;
	msg.len = sizeof(data);
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EMSGSIZE);
	const union weft_sockaddr peer = at(PEER4, 9), foreign = at("10.1.0.3", 7);
	assert_int_equal(weft_udp_connect(in.udp, &peer, w.now), 0);
	msg.peer = at(PEER4, 10);
	msg.len = 1;
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EISCONN);
	assert_int_equal(weft_udp_bind(in.udp, &peer), -EINVAL);
	assert_int_equal(weft_udp_new(w.stack, NULL, &udp), 0);
	assert_int_equal(weft_udp_bind(udp, &foreign), -EADDRNOTAVAIL);
	const union weft_sockaddr none = { .sa = { .sa_family = 0 } };
	assert_int_equal(weft_udp_bind(udp, &none), -EINVAL);
	world_fini(&w);
}

static void ports_are_given_at_random_and_run_out(void **state)
{
	const struct world_opts opts = { .stack = { .udp_sockets_max = 20 } };
	const union weft_sockaddr any = at("0.0.0.0", 0);
	struct world w;
	struct weft_udp *udp;
	unsigned in_a_row = 0;
	uint16_t before = 0;
	(void)state;
	world_init(&w, &opts);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(weft_udp_new(w.stack, NULL, &udp), 0);
		assert_int_equal(weft_udp_bind(udp, &any), 0);
		const union weft_sockaddr local = weft_udp_local(udp);
		uint16_t port = weft_sockaddr_port(&local);
		assert_true(port >= 49152);
		in_a_row += port == before + 1;
		before = port;
	}
	assert_true(in_a_row < 3);
	assert_int_equal(weft_udp_new(w.stack, NULL, &udp), -ENOSPC);
	world_fini(&w);
}

static void a_super_frame_is_handed_out_in_pieces(void **state)
{
	struct world w;
	struct inbox in;
	uint8_t frame[4096];
	uint8_t data[2500];
	const struct packet p = { .src = PEER4, .dst = OWN4, .sport = 1000, .dport = 7 };
	(void)state;
	memset(data, 'x', sizeof(data));
	world_init(&w, NULL);
	open_box(&w, &in, OWN4, 7);
	size_t len = make(&w, &p, data, sizeof(data), frame, sizeof(frame));
	const struct weft_frame f = {
		.data = frame,
		.len = (uint32_t)len,
		.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM,
			     .gso = WEFT_GSO_UDP,
			     .gso_size = 1000,
			     .hdr_len = 42,
			     .csum_start = 34,
			     .csum_offset = 6 },
	};
	assert_outcome(rx_frame(&w, &f), DELIVERED);
	assert_int_equal(in.n, 3);
	assert_int_equal(in.len, 500);
	world_fini(&w);
}

/* Bytes of the next datagram that was sent, which are those of data from there on. */
static size_t sent_len(struct world *w, const uint8_t *data)
{
	struct udp_hdr hdr;
	struct seen s = see(tx(w));
	assert_int_equal(udp_hdr_parse(s.payload, s.len, &hdr), UDP_LEN);
	assert_int_equal(hdr.dport, 9);
	assert_int_equal(hdr.len, s.len);
	uint32_t sum = compose_pseudo(&s.src, &s.dst, IPPROTO_UDP, (uint32_t)s.len);
	assert_true(checksum_udp_is_right(sum, s.payload, s.len, false));
	assert_memory_equal(s.payload + UDP_LEN, data, s.len - UDP_LEN);
	return s.len - UDP_LEN;
}

/* A segment of no more than the message is none; more of them than the limit is refused. */
static void a_long_message_leaves_as_datagrams(void **state)
{
	struct world w;
	struct inbox in;
	uint8_t data[2500];
	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i / 7);
	world_init(&w, NULL);
	open_box(&w, &in, OWN4, 7);
	struct weft_udp_message msg = {
		.peer = at(PEER4, 9), .data = data, .len = sizeof(data), .segment = 1000
	};
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	assert_int_equal(sent_len(&w, data), 1000);
	assert_int_equal(sent_len(&w, data + 1000), 1000);
	assert_int_equal(sent_len(&w, data + 2000), 500);
	msg.len = 1000;
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	assert_int_equal(sent_len(&w, data), 1000);
	msg.len = 64 * 10;
	msg.segment = 10;
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), 0);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(sent_len(&w, data + 10 * i), 10);
	msg.len++;
	assert_int_equal(weft_udp_send(in.udp, &msg, w.now), -EMSGSIZE);
	tx_none(&w);
	world_fini(&w);
}

static void a_socket_s_groups_have_a_limit(void **state)
{
	static const uint32_t given[] = { 0, 3 }, limits[] = { 32, 3 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		const struct world_opts opts = {
			.stack = { .groups_max = 100, .socket_groups_max = given[i] },
		};
		struct weft_udp *udp;
		struct world w;
		world_init(&w, &opts);
		assert_int_equal(weft_udp_new(w.stack, NULL, &udp), 0);
		struct weft_ip group = ip("239.1.1.0");
		for (; group.octet[3] < limits[i]; group.octet[3]++)
			assert_int_equal(weft_udp_join(udp, &group, w.iface, w.now), 0);
		assert_int_equal(weft_udp_join(udp, &group, w.iface, w.now), -ENOSPC);
		group.octet[3] = 0;
		weft_udp_leave(udp, &group, w.iface, w.now);
		assert_int_equal(weft_udp_join(udp, &group, w.iface, w.now), 0);
		world_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_fit_gets_it),
		cmocka_unit_test(an_echo_server_is_one_call),
		cmocka_unit_test(lengths_and_checksums_count),
		cmocka_unit_test(a_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(a_queue_has_a_limit),
		cmocka_unit_test(a_receiver_may_close_anything),
		cmocka_unit_test(what_is_sent_to_oneself_comes_in_by_a_run),
		cmocka_unit_test(who_answers_itself_does_not_sink),
		cmocka_unit_test(a_link_local_peer_is_on_its_link),
		cmocka_unit_test(groups_are_joined),
		cmocka_unit_test(groups_go_with_their_interface),
		cmocka_unit_test(a_broadcast_is_not_for_who_is_bound_to_one),
		cmocka_unit_test(the_other_interface_keeps_what_it_has),
		cmocka_unit_test(who_is_connected_hears_its_peer_alone),
		cmocka_unit_test(sending_to_groups_and_broadcasts),
		cmocka_unit_test(calls_refuse_what_is_wrong),
		cmocka_unit_test(ports_are_given_at_random_and_run_out),
		cmocka_unit_test(a_super_frame_is_handed_out_in_pieces),
		cmocka_unit_test(a_long_message_leaves_as_datagrams),
		cmocka_unit_test(a_socket_s_groups_have_a_limit),
	};
	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
