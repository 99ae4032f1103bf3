/* SPDX-License-Identifier: MIT */
/*
 * TCP's place on IP: what becomes of a segment before TCP looks at it, of both families. A SYN to
 * a port where somebody listens shows it, because what is let in is answered.
 */
#include "base/mac.h"
#include "base/time.h"
#include "wire/ether.h"
#include "wire/tcp.h"
#include "world.h"

#include <weft/socket.h>
#include <weft/tcp.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_MAX 200u

static const struct {
	const char *own, *peer;
	size_t ip_len;
} families[] = {
	{ "10.1.0.2", "10.1.0.1", IP4_LEN },
	{ "2001:db8::2", "2001:db8::1", IP6_LEN },
};

static void never(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	(void)user;
	(void)listener;
	(void)now;
	fail();
}

static void listen_at(struct world *w, const char *host)
{
	static const struct weft_tcp_listen_opts opts = { .on_acceptable = never };
	const union weft_sockaddr local = at(host, 80);
	struct weft_tcp_listener *listener;
	assert_int_equal(weft_tcp_listen(w->stack, &local, &opts, &listener), 0);
}

static void begin(struct world *w)
{
	world_init(w, NULL);
	listen_at(w, "0.0.0.0");
	listen_at(w, "::");
}

/* The frame of a SYN to port 80, with data, which the checksum is about as well. */
static size_t make_syn(const struct world *w, const char *src, const char *dst,
		       uint8_t *frame)
{
	const struct packet p = {
		.src = src, .dst = dst, .proto = IPPROTO_TCP, .csum_offset = TCP_OFF_CSUM
	};
	const struct tcp_hdr hdr = {
		.sport = 1000, .dport = 80, .flags = TCP_SYN, .window = 1000
	};
	uint8_t segment[TCP_LEN + 3] = { 0 };
	assert_int_equal(tcp_hdr_emit(segment, sizeof(segment), &hdr), TCP_LEN);
	return make(w, &p, segment, sizeof(segment), frame, FRAME_MAX);
}

static void assert_answered(struct world *w)
{
	const struct seen answer = see(tx(w));
	struct tcp_hdr hdr;
	assert_int_equal(answer.proto, IPPROTO_TCP);
	assert_true(tcp_hdr_parse(answer.payload, answer.len, &hdr) > 0);
	assert_int_equal(hdr.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(hdr.dport, 1000);
}

static void assert_silent(struct world *w)
{
	world_run(w);
	tx_none(w);
}

/* RFC 9293, 3.1: header, data and pseudo-header, each byte of them. */
static void wrong_checksums_are_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct world w;
		uint8_t frame[FRAME_MAX];
		begin(&w);
		size_t len = make_syn(&w, families[i].peer, families[i].own, frame);
		uint8_t *segment = frame + ETHER_LEN + families[i].ip_len;
		static const size_t spoilt[] = { TCP_OFF_SPORT, TCP_OFF_SEQ,
						 TCP_OFF_CSUM,  TCP_OFF_CSUM + 1,
						 TCP_LEN,       TCP_LEN + 2 };
		for (size_t j = 0; j < ARRAY_LEN(spoilt); j++) {
			segment[spoilt[j]] ^= 0x10;
			assert_outcome(rx(&w, frame, len), DROP_TCP_CHECKSUM);
			assert_silent(&w);
			segment[spoilt[j]] ^= 0x10;
		}
		/* As it was, it is right. */
		assert_outcome(rx(&w, frame, len), DELIVERED);
		assert_answered(&w);
		world_fini(&w);
	}
}

/* A segment that went astray: the pseudo-header is not that of the sums. */
static void a_checksum_is_about_the_addresses(void **state)
{
	(void)state;
	struct world w;
	uint8_t frame[FRAME_MAX];
	begin(&w);
	size_t len = make_syn(&w, "2001:db8::1", "2001:db8::2", frame);
	frame[ETHER_LEN + IP6_OFF_SRC + 15] = 9;
	assert_outcome(rx(&w, frame, len), DROP_TCP_CHECKSUM);
	assert_silent(&w);
	world_fini(&w);
}

/* Without a sum: there is no such thing in TCP, unlike in UDP. */
static void a_checksum_cannot_be_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct world w;
		uint8_t frame[FRAME_MAX];
		begin(&w);
		size_t len = make_syn(&w, families[i].peer, families[i].own, frame);
		store_be16(frame + ETHER_LEN + families[i].ip_len + TCP_OFF_CSUM, 0);
		assert_outcome(rx(&w, frame, len), DROP_TCP_CHECKSUM);
		assert_silent(&w);
		world_fini(&w);
	}
}

/* RFC 9293, 3.9.2.3 (MUST-57): whoever answered would answer for all. Nor is there a reset. */
static void a_syn_to_a_group_is_not_answered(void **state)
{
	static const struct {
		const char *src, *dst;
	} pairs[] = {
		{ "10.1.0.1", "255.255.255.255" }, { "10.1.0.1", "10.1.0.255" },
		{ "10.1.0.1", "224.0.0.1" },       { "2001:db8::1", "ff02::1" },
		{ "fe80::1", "ff02::1" },
	};
	(void)state;
	for (unsigned is_heard = 0; is_heard < 2; is_heard++) {
		struct world w;
		uint8_t frame[FRAME_MAX];
		world_init(&w, NULL);
		if (is_heard) {
			listen_at(&w, "0.0.0.0");
			listen_at(&w, "::");
		}
		for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
			size_t len = make_syn(&w, pairs[i].src, pairs[i].dst, frame);
			assert_outcome(rx(&w, frame, len), DROP_TCP_UNACCEPTED);
			assert_silent(&w);
		}
		world_fini(&w);
	}
}

/* To one host in IP, to all on the link: IPv4 has no such thing (RFC 1122, 3.3.6). */
static void a_syn_to_all_on_the_link_is_not_answered(void **state)
{
	static const enum weft_stack_outcome outcomes[] = {
		WEFT_STACK_DROP_MARTIAN, WEFT_STACK_DROP_TCP_UNACCEPTED
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct world w;
		uint8_t frame[FRAME_MAX];
		begin(&w);
		size_t len = make_syn(&w, families[i].peer, families[i].own, frame);
		memset(frame, 0xff, sizeof(struct weft_mac));
		assert_int_equal(rx(&w, frame, len), outcomes[i]);
		assert_silent(&w);
		world_fini(&w);
	}
}

/* ---- TTL and DSCP ------------------------------------------------------------------------ */

static void assert_marked(struct world *w, uint8_t ttl, uint8_t tos)
{
	const struct seen s = see(tx(w));
	assert_true(s.proto == IPPROTO_TCP || s.proto == IPPROTO_UDP);
	assert_int_equal(s.ttl, ttl);
	assert_int_equal(s.tos, tos);
}

/* RFC 9293, 3.9.1.9 and 3.9.2 (MUST-48, MUST-49, SHLD-22): from the SYN on, and changed later. */
static void a_connection_has_a_ttl_and_a_dscp_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct weft_tcp_opts opts = { .ttl = 3, .tos = 0xbb };
		const union weft_sockaddr peer = at(families[i].peer, 9);
		struct world w;
		struct weft_tcp *tcp;
		world_init(&w, NULL);
		assert_int_equal(weft_tcp_connect(w.stack, &peer, &opts, w.now, &tcp), 0);
		assert_marked(&w, 3, 0xb8); /* ECN is TCP's own. */
		weft_tcp_set_ttl(tcp, 200);
		weft_tcp_set_tos(tcp, 0x20);
		world_pass(&w, 1100 * NS_PER_MS);
		assert_marked(&w, 200, 0x20);
		weft_tcp_set_ttl(tcp, 0);
		world_pass(&w, 2 * NS_PER_S);
		assert_marked(&w, 64, 0x20);
		world_fini(&w);
	}
}

static void a_listener_answers_with_its_ttl_and_dscp(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct weft_tcp_listen_opts opts = { .ttl = 5, .tos = 0x40 };
		const union weft_sockaddr local = at(families[i].own, 80);
		struct weft_tcp_listener *listener;
		struct world w;
		uint8_t frame[FRAME_MAX];
		world_init(&w, NULL);
		assert_int_equal(weft_tcp_listen(w.stack, &local, &opts, &listener), 0);
		size_t len = make_syn(&w, families[i].peer, families[i].own, frame);
		assert_outcome(rx(&w, frame, len), DELIVERED);
		assert_marked(&w, 5, 0x40);
		world_fini(&w);
	}
}

static void options_of_sockets_reach_the_wire(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(families); i++) {
		const union weft_sockaddr peer = at(families[i / 2].peer, 9);
		struct weft_sockets *set;
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(weft_sockets_new(w.stack, NULL, &set), 0);
		int s = weft_socket_open(set, peer.sa.sa_family, types[i % 2]);
		assert_int_equal(weft_socket_set(set, s, WEFT_SO_TTL, 9, w.now), 0);
		assert_int_equal(weft_socket_set(set, s, WEFT_SO_TOS, 0x48, w.now), 0);
		assert_int_equal(weft_socket_set(set, s, WEFT_SO_TTL, 256, w.now),
				 -EINVAL);
		assert_int_equal(weft_socket_set(set, s, WEFT_SO_TOS, -1, w.now),
				 -EINVAL);
		assert_int_equal(weft_socket_connect(set, s, &peer, w.now),
				 i % 2 ? 0 : -EINPROGRESS);
		(void)!weft_socket_send(set, s, "x", 1, w.now);
		assert_marked(&w, 9, 0x48);
		assert_int_equal(weft_socket_set(set, s, WEFT_SO_TTL, 0, w.now), 0);
		if (i % 2)
			assert_int_equal(weft_socket_send(set, s, "x", 1, w.now), 1);
		else
			world_pass(&w, 1100 * NS_PER_MS);
		assert_marked(&w, 64, 0x48);
		weft_sockets_free(set, w.now);
		world_fini(&w);
	}
}

/* ---- routers ----------------------------------------------------------------------------- */

#define FIRST_MAC  "02:00:00:00:00:21"
#define SECOND_MAC "02:00:00:00:00:22"

static void note_report(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	unsigned *reports = user;
	(void)tcp;
	(void)now;
	assert_int_equal(error, -ETIMEDOUT);
	(*reports)++;
}

/* What was sent meanwhile, by the MAC that it was sent to: SYNs, and questions for the MAC. */
static void count_sent(struct world *w, const char *to, unsigned *syns,
		       unsigned *questions)
{
	while (w->taken < w->sent_n) {
		const struct seen s = see(tx(w));
		if (!mac_equal(s.dst_mac, mac(to)))
			continue;
		*syns += s.proto == IPPROTO_TCP;
		*questions += s.type == ETHER_TYPE_ARP;
	}
}

/*
 * The first of two routers dies when it has just answered. By itself it would be trusted for 15 to
 * 45 s. The third time-out, after 7 s, has it asked; after 10 s it is known to be dead; and the
 * SYN that is due after 15 s goes to the second.
 */
static void a_router_that_dies_is_left(void **state)
{
	struct world w;
	struct weft_tcp *tcp;
	unsigned reports = 0, syns = 0, questions = 0, others = 0, none = 0;
	static const struct weft_tcp_events events = { .on_report = note_report };
	const struct weft_tcp_opts opts = { .events = &events, .user = &reports };
	const struct weft_ip any = ip("0.0.0.0/0"), g1 = ip("10.1.0.21"),
			     g2 = ip("10.1.0.22");
	const struct ip_addr first = addr("10.1.0.21"), second = addr("10.1.0.22");
	const union weft_sockaddr peer = at("8.8.8.8", 80);
	struct neigh_news news = { .mac = mac(FIRST_MAC),
				   .is_solicited = true,
				   .may_create = true };
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g1, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g2, w.iface), 0);
	neigh_update(w.iface, &first, &news, w.now);
	news.mac = mac(SECOND_MAC);
	neigh_update(w.iface, &second, &news, w.now);
	tx_forget(&w);
	assert_int_equal(weft_tcp_connect(w.stack, &peer, &opts, w.now, &tcp), 0);
	world_pass(&w, 6900 * NS_PER_MS);
	count_sent(&w, FIRST_MAC, &syns, &questions);
	assert_int_equal(syns, 3);
	assert_int_equal(questions + reports, 0);
	world_pass(&w, 7 * NS_PER_S);
	count_sent(&w, FIRST_MAC, &syns, &questions);
	assert_int_equal(syns, 4);
	assert_int_equal(questions, 3);
	assert_int_equal(reports, 1);
	world_pass(&w, 2 * NS_PER_S);
	count_sent(&w, SECOND_MAC, &others, &none);
	assert_int_equal(others, 1);
	/* And goes on there, although the first one's failure is forgotten. */
	world_pass(&w, 17 * NS_PER_S);
	count_sent(&w, SECOND_MAC, &others, &none);
	assert_int_equal(others, 2);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_checksums_are_dropped),
		cmocka_unit_test(a_checksum_is_about_the_addresses),
		cmocka_unit_test(a_checksum_cannot_be_left_out),
		cmocka_unit_test(a_syn_to_a_group_is_not_answered),
		cmocka_unit_test(a_syn_to_all_on_the_link_is_not_answered),
		cmocka_unit_test(a_connection_has_a_ttl_and_a_dscp_of_its_own),
		cmocka_unit_test(a_listener_answers_with_its_ttl_and_dscp),
		cmocka_unit_test(options_of_sockets_reach_the_wire),
		cmocka_unit_test(a_router_that_dies_is_left),
	};
	return cmocka_run_group_tests_name("tcp_ip", tests, NULL, NULL);
}
