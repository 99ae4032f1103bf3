/* SPDX-License-Identifier: MIT */
/*
 * Errors: when one is sent, how often, and what is made of one that comes; and what routers
 * say about how long a packet may be.
 */
#include "base/time.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/udp.h"
#include "world.h"

#include <errno.h>
#include <string.h>

struct family {
	const char *own, *peer, *router, *all;
	bool is_ip4;
};

static const struct family families[] = {
	{ "10.1.0.2", "10.1.0.1", "10.1.0.1", "10.1.0.255", true },
	{ "2001:db8::2", "2001:db8::1", "2001:db8::1", "ff02::1", false },
};

static enum weft_stack_outcome rx_udp(struct world *w, const struct family *f,
				      const char *dst, size_t len)
{
	static const uint8_t data[2000];
	const struct packet p = { .src = f->peer, .dst = dst, .sport = 9, .dport = 99 };
	return rx_packet(w, &p, data, len);
}

static void nobody_listens(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		struct world w;
		world_init(&w, NULL);
		assert_outcome(rx_udp(&w, f, f->own, 1400), DROP_UDP_NO_SOCKET);
		struct seen s = see(tx(&w));
		assert_string_equal(text(&s.dst), f->peer);
		assert_string_equal(text(&s.src), f->own);
		assert_int_equal(s.payload[0], f->is_ip4 ? 3 : 1);
		assert_int_equal(s.payload[1], f->is_ip4 ? 3 : 4);
		/* As much of it as fits (RFC 1812, 4.3.2.3; RFC 4443, 2.4 (c)). */
		assert_int_equal(s.payload - s.packet + (ptrdiff_t)s.len,
				 f->is_ip4 ? 576 : 1280);
		uint32_t sum = compose_pseudo(&s.src, &s.dst, s.proto, (uint32_t)s.len);
		assert_true(checksum_is_right(f->is_ip4 ? 0 : sum, s.payload, s.len));
		assert_int_equal(load_be32(s.payload + 4), 0); /* Unused. */
		/* All of one that is short. */
		assert_outcome(rx_udp(&w, f, f->own, 10), DROP_UDP_NO_SOCKET);
		assert_int_equal(see(tx(&w)).len, f->is_ip4 ? 8 + 20 + 18 : 8 + 40 + 18);
		/* Nothing is said about what was for all. */
		assert_outcome(rx_udp(&w, f, f->all, 10), DROP_UDP_NO_SOCKET);
		tx_none(&w);
		world_fini(&w);
	}
}

static void errors_have_a_rate(void **state)
{
	const struct world_opts opts = { .stack = { .errors_per_s = 10 } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct world w;
		world_init(&w, &opts);
		for (unsigned n = 0; n < 100; n++)
			(void)rx_udp(&w, &families[i], families[i].own, 10);
		assert_true(w.sent_n <= 3);
		assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_ERROR_SENT),
				 w.sent_n);
		assert_int_equal(
			weft_stack_event_count(w.stack, WEFT_STACK_ERROR_LIMITED),
			100 - w.sent_n);
		world_pass(&w, NS_PER_S);
		tx_forget(&w);
		(void)rx_udp(&w, &families[i], families[i].own, 10);
		assert_int_equal(w.sent_n, 1);
		world_fini(&w);
	}
}

static size_t errors_to(struct world *w, const struct family *f, const char *peer,
			unsigned datagrams)
{
	struct family from = *f;
	from.peer = peer;
	tx_forget(w);
	for (unsigned n = 0; n < datagrams; n++)
		(void)rx_udp(w, &from, f->own, 10);
	world_run(w);
	return w->sent_n;
}

static void a_flood_silences_its_own_errors_only(void **state)
{
	static const char *const others[] = { "10.1.0.3", "2001:db8::3" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		const struct weft_ip other = ip(others[i]);
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(
			weft_iface_add_neighbour(w.iface, &other, mac(TEST_MAC), w.now),
			0);
		for (unsigned tenth = 0; tenth < 10; tenth++) {
			size_t sent = errors_to(&w, f, f->peer, 1000);
			assert_true(sent > 0 && sent <= 12);
			assert_int_equal(errors_to(&w, f, others[i], 1), 1);
			world_pass(&w, NS_PER_S / 10);
		}
		world_fini(&w);
	}
}

/* How many errors all others together can be sent at once. */
static size_t errors_to_all(struct world *w)
{
	char peer[16];
	size_t sent = 0;
	for (unsigned i = 3; i < 250; i++) {
		(void)snprintf(peer, sizeof(peer), "10.1.0.%u", i);
		const struct weft_ip known = ip(peer);
		assert_int_equal(
			weft_iface_add_neighbour(w->iface, &known, mac(TEST_MAC), w->now),
			0);
		sent += errors_to(w, &families[0], peer, 1);
	}
	return sent;
}

/* CVE-2020-25705: a limit that is used up exactly can be counted with. */
static void what_is_left_of_the_rate_says_little(void **state)
{
	static const uint8_t secrets[][16] = { "one", "two", "three", "four" };
	size_t first = 0;
	bool differs = false;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		const struct world_opts opts = { .stack = { .secret = secrets[i] } };
		struct world w;
		world_init(&w, &opts);
		size_t sent = errors_to_all(&w);
		assert_true(sent >= 60 && sent <= 150);
		first = i == 0 ? sent : first;
		differs |= sent != first;
		world_fini(&w);
	}
	assert_true(differs);
}

static void echoes_have_a_rate_if_wanted(void **state)
{
	const struct world_opts opts = { .stack = { .echoes_per_s = 10 } };
	const struct world_opts none = { .stack = { .no_echo = true } };
	const struct world_opts all = { .stack = { .broadcast_echo = true } };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	unsigned answered = 0;
	for (unsigned n = 0; n < 100; n++)
		answered += rx_echo(&w, "10.1.0.1", "10.1.0.2") == WEFT_STACK_ANSWERED;
	assert_true(answered > 0 && answered <= 3);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), DROP_ECHO_LIMIT);
	world_fini(&w);
	world_init(&w, &none);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), IGNORED);
	world_fini(&w);
	world_init(&w, &all);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.255"), ANSWERED);
	struct seen s = see(tx(&w));
	assert_string_equal(text(&s.src), "10.1.0.2");
	world_fini(&w);
}

/* ---- errors that come -------------------------------------------------------------------- */

struct open_socket {
	struct weft_udp *udp;
	unsigned told;
};

static void on_ready(void *user, struct weft_udp *udp, uint64_t now)
{
	struct open_socket *o = user;
	(void)udp;
	(void)now;
	o->told++;
}

/* A socket that is connected to the peer's port 9, from port 1000. */
static void open_socket(struct world *w, const struct family *f, struct open_socket *o)
{
	const struct weft_udp_opts opts = { .on_ready = on_ready, .user = o };
	const union weft_sockaddr local = at(f->own, 1000), peer = at(f->peer, 9);
	memset(o, 0, sizeof(*o));
	assert_int_equal(weft_udp_new(w->stack, &opts, &o->udp), 0);
	assert_int_equal(weft_udp_bind(o->udp, &local), 0);
	assert_int_equal(weft_udp_connect(o->udp, &peer, w->now), 0);
}

/* What the socket has sent, as a router quotes it: IP header on. */
static size_t quote(const struct family *f, uint16_t sport, uint8_t *buf, size_t len)
{
	const struct compose c = {
		.src = ip(f->own), .dst = ip(f->peer), .sport = sport, .dport = 9
	};
	int n = compose_udp(&c, "quoted data", 11, buf, len);
	assert_true(n > 0);
	return (size_t)n;
}

static enum weft_stack_outcome rx_error(struct world *w, const struct family *f,
					uint8_t type, uint8_t code, uint32_t rest,
					uint16_t sport)
{
	uint8_t packet[200];
	size_t len = quote(f, sport, packet, sizeof(packet));
	return rx_icmp(w, f->router, f->own, type, code, rest, packet, len);
}

static int send_one(struct weft_udp *udp, uint64_t now)
{
	const struct weft_udp_message msg = { .data = "x", .len = 1 };
	return weft_udp_send(udp, &msg, now);
}

static void an_error_reaches_its_socket(void **state)
{
	static const struct {
		uint8_t ip4[2], ip6[2];
		int error;
	} errors[] = {
		{ { 3, 3 }, { 1, 4 }, -ECONNREFUSED },
		{ { 3, 1 }, { 1, 3 }, -EHOSTUNREACH },
		{ { 3, 0 }, { 1, 0 }, -ENETUNREACH },
		{ { 3, 13 }, { 1, 1 }, -EACCES },
		{ { 3, 2 }, { 4, 1 }, -ENOPROTOOPT },
		{ { 11, 0 }, { 3, 0 }, -EHOSTUNREACH },
		{ { 12, 0 }, { 4, 0 }, -EPROTO },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		struct world w;
		struct open_socket o;
		world_init(&w, NULL);
		open_socket(&w, f, &o);
		for (size_t j = 0; j < ARRAY_LEN(errors); j++) {
			const uint8_t *e = f->is_ip4 ? errors[j].ip4 : errors[j].ip6;
			assert_outcome(rx_error(&w, f, e[0], e[1], 0, 1000), DELIVERED);
			assert_int_equal(o.told, j + 1);
			assert_int_equal(send_one(o.udp, w.now), errors[j].error);
			assert_int_equal(send_one(o.udp, w.now), 0);
		}
		/* About a port that nobody has: who makes that up? */
		assert_outcome(rx_error(&w, f, f->is_ip4 ? 3 : 1, 3, 0, 1001),
			       DROP_ICMP_QUOTE);
		world_fini(&w);
	}
}

static void on_reply(void *user, const struct weft_ping_reply *reply, uint64_t now)
{
	struct weft_ping_reply *last = user;
	(void)now;
	*last = *reply;
}

/* Who pings is told of errors about his own requests, and by whom. */
static void an_error_reaches_who_pings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		const struct weft_ping_request request = { .to = ip(f->peer),
							   .sequence = 5 };
		struct world w;
		struct weft_ping *ping;
		struct weft_ping_reply last = { 0 };
		uint8_t type = f->is_ip4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED;
		uint8_t quoted[64];
		world_init(&w, NULL);
		assert_int_equal(weft_ping_new(w.stack, on_reply, &last, &ping), 0);
		assert_int_equal(weft_ping_send(ping, &request, w.now), 0);
		struct seen s = see(tx(&w));
		size_t len = (size_t)(s.payload - s.packet) + s.len;
		memcpy(quoted, s.packet, len);
		assert_outcome(rx_icmp(&w, f->router, f->own, type, 0, 0, quoted, len),
			       DELIVERED);
		assert_int_equal(last.error, -EHOSTUNREACH);
		assert_int_equal(last.sequence, 5);
		assert_string_equal(text(&last.from), f->router);
		/* About another's request, or an answer. */
		quoted[len - 3] ^= 1;
		assert_outcome(rx_icmp(&w, f->router, f->own, type, 0, 0, quoted, len),
			       DROP_ICMP_QUOTE);
		quoted[len - 3] ^= 1;
		quoted[len - ICMP_LEN] ^= 1;
		assert_outcome(rx_icmp(&w, f->router, f->own, type, 0, 0, quoted, len),
			       DROP_ICMP_QUOTE);
		world_fini(&w);
	}
}

/* Every truncation of the quote. */
static void a_quote_has_to_be_long_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		struct world w;
		struct open_socket o;
		uint8_t packet[200];
		size_t whole = quote(f, 1000, packet, sizeof(packet));
		size_t needed = (f->is_ip4 ? IP4_LEN : IP6_LEN) + UDP_LEN;
		world_init(&w, NULL);
		open_socket(&w, f, &o);
		for (size_t len = 0; len <= whole; len++) {
			enum weft_stack_outcome got =
				rx_icmp(&w, f->router, f->own, f->is_ip4 ? 3 : 1, 3, 0,
					packet, len);
			assert_int_equal(got == WEFT_STACK_DELIVERED, len >= needed);
		}
		world_fini(&w);
	}
}

static uint32_t mtu_to(struct world *w, const char *dst)
{
	struct ip_path path;
	struct ip_addr to = addr(dst);
	assert_int_equal(ip_path_find(w->stack, NULL, &to, NULL, w->now, &path), 0);
	return path.mtu;
}

static void a_path_s_mtu_is_learnt_and_forgotten(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = &families[i];
		struct world w;
		struct open_socket o;
		uint8_t type = f->is_ip4 ? 3 : 2, code = f->is_ip4 ? 4 : 0;
		world_init(&w, NULL);
		open_socket(&w, f, &o);
		struct ip_path path;
		struct ip_addr to = addr(f->peer);
		assert_int_equal(ip_path_find(w.stack, NULL, &to, NULL, w.now, &path), 0);
		assert_int_equal(path.mtu, 1500);
		assert_outcome(rx_error(&w, f, type, code, 1400, 1000), DELIVERED);
		assert_false(ip_path_is_current(w.stack, &path));
		assert_int_equal(mtu_to(&w, f->peer), 1400);
		assert_int_equal(o.told, 0); /* No error for a socket of UDP. */
		/* It grows only with time. */
		assert_outcome(rx_error(&w, f, type, code, 1450, 1000), DELIVERED);
		assert_int_equal(mtu_to(&w, f->peer), 1400);
		/* Who did not send anything has nothing to be told. */
		assert_outcome(rx_error(&w, f, type, code, 1300, 1001), DROP_ICMP_QUOTE);
		assert_int_equal(mtu_to(&w, f->peer), 1400);
		/* Less than any link has. */
		assert_outcome(rx_error(&w, f, type, code, f->is_ip4 ? 67 : 1279, 1000),
			       DROP_ICMP);
		assert_int_equal(mtu_to(&w, f->peer), 1400);
		uint32_t least = f->is_ip4 ? 68 : 1280;
		assert_outcome(rx_error(&w, f, type, code, least, 1000), DELIVERED);
		assert_int_equal(mtu_to(&w, f->peer), least);
		assert_int_equal(ip_path_find(w.stack, NULL, &to, NULL, w.now, &path), 0);
		world_pass(&w, 601 * NS_PER_S);
		assert_false(ip_path_is_current(w.stack, &path));
		assert_int_equal(mtu_to(&w, f->peer), 1500);
		world_fini(&w);
	}
}

static void an_old_router_does_not_say_how_much(void **state)
{
	struct world w;
	struct open_socket o;
	uint8_t packet[200];
	(void)state;
	world_init(&w, NULL);
	open_socket(&w, &families[0], &o);
	size_t len = quote(&families[0], 1000, packet, sizeof(packet));
	store_be16(packet + IP4_OFF_TOTAL_LEN, 1500);
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 3, 4, 0, packet, len),
		       DELIVERED);
	assert_int_equal(mtu_to(&w, "10.1.0.1"), 1492); /* RFC 1191, 7.1. */
	world_fini(&w);
}

static void known_mtus_have_a_limit(void **state)
{
	const struct world_opts opts = { .stack = { .path_mtus_max = 8 } };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	for (unsigned i = 0; i < 200; i++) {
		struct ip_addr a = addr_of_ip4(0x0a010100 + i);
		dest_set_mtu(w.stack, &a, 1000, w.now);
		assert_true(table_count(w.stack->dests.table) <= 8);
		assert_non_null(dest_find(w.stack, &a, w.now));
	}
	world_fini(&w);
}

static void a_redirect_is_judged(void **state)
{
	struct world w;
	struct ip_path path;
	uint8_t packet[200];
	struct weft_ip any = ip("0.0.0.0/0"), gateway = ip("10.1.0.1");
	struct ip_addr far = addr("192.168.7.7");
	const struct compose c = {
		.src = ip("10.1.0.2"), .dst = ip("192.168.7.7"), .sport = 1, .dport = 2
	};
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &gateway, w.iface), 0);
	int len = compose_udp(&c, "x", 1, packet, sizeof(packet));
	/* From who is not the router; to who is not a neighbour; to ourselves. */
	assert_outcome(rx_icmp(&w, "10.1.0.66", "10.1.0.2", 5, 1, 0x0a010042, packet,
			       (size_t)len),
		       DROP_ICMP);
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 5, 1, 0x08080808, packet,
			       (size_t)len),
		       DROP_ICMP);
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 5, 1, 0x0a010002, packet,
			       (size_t)len),
		       DROP_ICMP);
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 5, 1, 0x0a0100ff, packet,
			       (size_t)len),
		       DROP_ICMP);
	/* Who is not of our network is no neighbour, be it the target or link-local (3.2.2.2). */
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 5, 1, 0xc0a80707, packet,
			       (size_t)len),
		       DROP_ICMP);
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 5, 1, 0xa9fe0101, packet,
			       (size_t)len),
		       DROP_ICMP);
	assert_outcome(rx_icmp(&w, "10.1.0.1", "10.1.0.2", 5, 1, 0x0a010042, packet,
			       (size_t)len),
		       NOTED);
	assert_int_equal(ip_path_find(w.stack, NULL, &far, NULL, w.now, &path), 0);
	assert_int_equal(addr_to_ip4(&path.neigh->addr), 0x0a010042);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(errors_have_a_rate),
		cmocka_unit_test(a_flood_silences_its_own_errors_only),
		cmocka_unit_test(what_is_left_of_the_rate_says_little),
		cmocka_unit_test(echoes_have_a_rate_if_wanted),
		cmocka_unit_test(an_error_reaches_its_socket),
		cmocka_unit_test(an_error_reaches_who_pings),
		cmocka_unit_test(a_quote_has_to_be_long_enough),
		cmocka_unit_test(a_path_s_mtu_is_learnt_and_forgotten),
		cmocka_unit_test(an_old_router_does_not_say_how_much),
		cmocka_unit_test(known_mtus_have_a_limit),
		cmocka_unit_test(a_redirect_is_judged),
	};
	return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}
