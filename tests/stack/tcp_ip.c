/* SPDX-License-Identifier: MIT */
/*
 * TCP's place on IP: what becomes of a segment before TCP looks at it, of both families. A SYN to
 * a port where somebody listens shows it, because what is let in is answered.
 */
#include "wire/ether.h"
#include "wire/tcp.h"
#include "world.h"

#include <weft/tcp.h>

#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_checksums_are_dropped),
		cmocka_unit_test(a_checksum_is_about_the_addresses),
		cmocka_unit_test(a_checksum_cannot_be_left_out),
		cmocka_unit_test(a_syn_to_a_group_is_not_answered),
		cmocka_unit_test(a_syn_to_all_on_the_link_is_not_answered),
	};
	return cmocka_run_group_tests_name("tcp_ip", tests, NULL, NULL);
}
