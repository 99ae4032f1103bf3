/* SPDX-License-Identifier: MIT */
/*
 * The host on the Ethernet, through an end point whose peer is up:
 *
 *     peer 10.0.0.5  --ppp--  [ 02:...:07 ]  --ethernet--  10.0.0.9 (02:...:09)
 *                                                          router 10.0.0.1 (02:...:01)
 */
#include "serve/iphost.h"

#include "../unit.h"
#include "dialler.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ip4.h"

#include <stdio.h>
#include <string.h>

#define PEER   0x0a000005u
#define HOST   0x0a000009u
#define ROUTER 0x0a000001u
#define AFAR   0x08080808u

#define TO_US   "020000000007 020000000009 "
#define TO_ALL  "ffffffffffff 020000000009 "
#define ARP_ASK "0806 0001 0800 06 04 0001 "
#define ARP_SAY "0806 0001 0800 06 04 0002 "

static struct dialler line;
static uint8_t buf[2000];

static void start_with(struct ppp_opts opts)
{
	opts.address = (struct weft_ip){ 2, 24, { 10, 0, 0, 5 } };
	dialler_start(&line, opts);
	dialler_connect(&line);
}

static int start(void **state)
{
	(void)state;
	start_with((struct ppp_opts){ .router = { 2, 24, { 10, 0, 0, 1 } } });
	return 0;
}

static int stop(void **state)
{
	(void)state;
	dialler_stop(&line);
	return 0;
}

static uint64_t count(enum iphost_outcome outcome)
{
	return ppp_host(line.end)->counts[outcome];
}

static void from_peer(struct echo echo)
{
	echo.len = echo.len ? echo.len : 60;
	store_be16(buf, PPP_IP4);
	size_t len = dialler_echo(buf + 2, sizeof(buf) - 2, &echo);
	dialler_say_bytes(&line, buf, 2 + len);
}

/* IPv4 from the host 02:00:00:00:00:09 to the end point. */
static const uint8_t ether_header[] = { 2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 9, 8, 0 };

/* To a MAC. */
static void from_ether_to(const char *to, struct echo echo)
{
	echo.len = echo.len ? echo.len : 60;
	memcpy(buf, ether_header, sizeof(ether_header));
	memcpy(buf, to, 6);
	size_t len = dialler_echo(buf + 14, sizeof(buf) - 14, &echo);
	dialler_ethernet_bytes(&line, buf, 14 + len);
}

static void from_ether(struct echo echo)
{
	from_ether_to("\x02\0\0\0\0\x07", echo);
}

/* ---- ARP --------------------------------------------------------------------------------- */

static void it_says_where_it_is(void **state)
{
	(void)state;
	dialler_ethernet(&line,
			 TO_ALL ARP_ASK "020000000009 0a000009 000000000000 0a000005");
	expect(&line, "eth: to 02:00:00:00:00:09 10.0.0.5 is here, 10.0.0.9\n");
	/* Whoever asks is known, and need not be asked. */
	from_peer((struct echo){ .src = PEER, .dst = HOST });
	expect(&line,
	       "eth: to 02:00:00:00:00:09 10.0.0.5 > 10.0.0.9 60 bytes icmp 8/0\n");
}

static void it_answers_a_probe(void **state)
{
	(void)state;
	dialler_ethernet(&line,
			 TO_ALL ARP_ASK "020000000009 00000000 000000000000 0a000005");
	expect(&line, "eth: to 02:00:00:00:00:09 10.0.0.5 is here, 0.0.0.0\n");
}

static void it_answers_for_nobody_else(void **state)
{
	(void)state;
	dialler_ethernet(&line,
			 TO_ALL ARP_ASK "020000000009 0a000009 000000000000 0a000006");
	dialler_ethernet(&line,
			 TO_US ARP_SAY "020000000009 0a000009 020000000007 0a000005");
	dialler_ethernet(&line,
			 TO_US ARP_ASK "030000000009 0a000009 000000000000 0a000005");
	dialler_ethernet(&line, TO_US "0806 0001 0800 06 04 0001 0200");
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_SPOOFED), 1);
	assert_int_equal(count(IPHOST_DROP_MALFORMED), 1);
}

/* RFC 826: from what others say to each other nobody new is learned. */
static void who_asks_for_others_is_not_learned(void **state)
{
	(void)state;
	dialler_ethernet(&line,
			 TO_ALL ARP_ASK "020000000009 0a000009 000000000000 0a000006");
	dialler_ethernet(&line,
			 TO_US ARP_SAY "020000000009 0a000009 020000000007 0a000005");
	from_peer((struct echo){ .src = PEER, .dst = HOST });
	expect(&line, "eth: who has 10.0.0.9? 10.0.0.5\n");
}

/* RFC 5227, 2.4: once, and again no sooner than ten seconds later. */
static void it_defends_its_address(void **state)
{
	const char *conflict =
		TO_ALL ARP_ASK "020000000009 0a000005 000000000000 0a000005";
	(void)state;
	dialler_ethernet(&line, conflict);
	expect(&line, "eth: who has 10.0.0.5? 10.0.0.5\n");
	dialler_ethernet(&line, conflict);
	dialler_pass(&line, s(9));
	dialler_ethernet(&line, conflict);
	expect(&line, "");
	dialler_pass(&line, s(1));
	dialler_ethernet(&line, conflict);
	expect(&line, "eth: who has 10.0.0.5? 10.0.0.5\n");
	assert_int_equal(ppp_host(line.end)->conflicts, 4);
}

static void it_announces_its_address_twice(void **state)
{
	(void)state;
	dialler_stop(&line);
	dialler_start(&line, (struct ppp_opts){ .address = { 2, 24, { 10, 0, 0, 5 } } });
	line.is_cut = true;
	dialler_say(&line, "c021 01 01 0004");
	expect(&line, "eth: who has 10.0.0.5? 10.0.0.5\n");
	dialler_pass(&line, IPHOST_ANNOUNCE_NS - 1);
	expect(&line, "");
	dialler_pass(&line, s(1));
	expect(&line, "eth: who has 10.0.0.5? 10.0.0.5\n");
}

/* ---- where packets go -------------------------------------------------------------------- */

static void ignore_frame(void *user, const struct weft_frame *frame, uint64_t now)
{
	(void)user;
	(void)frame;
	(void)now;
}

/* A lease that is renewed changes nothing, and so is told to nobody. */
static void only_a_new_place_is_announced(void **state)
{
	static const struct iphost_events events = { .emit_frame = ignore_frame };
	struct iphost_place place = { .address = PEER, .prefix = 24 };
	struct iphost h;
	(void)state;
	iphost_init(&h, &events, NULL, dialler_mac);
	iphost_set_place(&h, &place, s(1));
	iphost_run(&h, s(1));
	iphost_run(&h, s(3));
	assert_int_equal(iphost_deadline(&h), WEFT_NEVER);
	place.router = ROUTER;
	iphost_set_place(&h, &place, s(4));
	assert_int_equal(iphost_deadline(&h), WEFT_NEVER);
	place.prefix = 16;
	iphost_set_place(&h, &place, s(5));
	assert_int_equal(iphost_deadline(&h), s(5));
	iphost_run(&h, s(5));
	place.address = HOST;
	iphost_set_place(&h, &place, s(6));
	assert_int_equal(iphost_deadline(&h), s(6));
	place.address = 0;
	iphost_set_place(&h, &place, s(7));
	assert_int_equal(iphost_deadline(&h), WEFT_NEVER);
	iphost_fini(&h);
}

static void off_the_network_the_router_is_asked_for(void **state)
{
	(void)state;
	from_peer((struct echo){ .src = PEER, .dst = AFAR });
	expect(&line, "eth: who has 10.0.0.1? 10.0.0.5\n");
	dialler_ethernet(&line,
			 TO_US ARP_SAY "020000000001 0a000001 020000000007 0a000005");
	expect(&line, "eth: to 02:00:00:00:00:01 10.0.0.5 > 8.8.8.8 60 bytes icmp 8/0\n");
}

static void without_a_router_the_peer_hears_so(void **state)
{
	(void)state;
	dialler_stop(&line);
	start_with((struct ppp_opts){ 0 });
	from_peer((struct echo){ .src = PEER, .dst = AFAR });
	expect(&line, "ppp: 10.0.0.5 > 10.0.0.5 88 bytes icmp 3/0\n");
	assert_true(checksum_is_right(0, line.last_ppp + 2 + IP4_LEN, 68));
	assert_memory_equal(line.last_ppp + 2 + IP4_LEN + 8, buf + 2, 60);
	assert_int_equal(count(IPHOST_DROP_NO_ROUTE), 1);
	/* To itself, and about an error: no answer to the latter. */
	buf[2 + IP4_LEN] = 3;
	dialler_say_bytes(&line, buf, 62);
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_NO_ROUTE), 2);
}

static void broadcasts_and_multicasts_go_out(void **state)
{
	(void)state;
	from_peer((struct echo){ .src = PEER, .dst = 0xffffffff });
	from_peer((struct echo){ .src = PEER, .dst = 0x0a0000ff });
	from_peer((struct echo){ .src = PEER, .dst = 0xe98000fb }); /* 233.128.0.251 */
	expect(&line,
	       "eth: 10.0.0.5 > 255.255.255.255 60 bytes icmp 8/0\n"
	       "eth: 10.0.0.5 > 10.0.0.255 60 bytes icmp 8/0\n"
	       "eth: to 01:00:5e:00:00:fb 10.0.0.5 > 233.128.0.251 60 bytes icmp 8/0\n");
}

/* xemu and others send to 0.0.0.1, which is as good an address as any other. */
static void strange_addresses_are_not_filtered(void **state)
{
	(void)state;
	from_peer((struct echo){ .src = PEER, .dst = 1 });
	expect(&line, "eth: who has 10.0.0.1? 10.0.0.5\n");
}

static void broadcasts_and_multicasts_come_in(void **state)
{
	(void)state;
	from_ether_to("\xff\xff\xff\xff\xff\xff",
		      (struct echo){ .src = HOST, .dst = 0xffffffff });
	from_ether_to("\xff\xff\xff\xff\xff\xff",
		      (struct echo){ .src = HOST, .dst = 0x0a0000ff });
	from_ether_to("\x01\0\x5e\0\0\xfb",
		      (struct echo){ .src = HOST, .dst = 0xe00000fb });
	expect(&line, "ppp: 10.0.0.9 > 255.255.255.255 60 bytes icmp 8/0\n"
		      "ppp: 10.0.0.9 > 10.0.0.255 60 bytes icmp 8/0\n"
		      "ppp: 10.0.0.9 > 224.0.0.251 60 bytes icmp 8/0\n");
}

static void a_packet_passes_as_it_is(void **state)
{
	(void)state;
	from_ether((struct echo){ .src = AFAR, .dst = PEER, .len = 1500 });
	expect(&line, "ppp: 8.8.8.8 > 10.0.0.5 1500 bytes icmp 8/0\n");
	assert_memory_equal(line.last_ppp + 2, buf + 14, 1500); /* Its TTL, too. */
}

static void padding_stays_behind(void **state)
{
	(void)state;
	from_ether((struct echo){ .src = HOST, .dst = PEER, .len = 28 });
	memset(buf + 14 + 28, 0, 18);
	dialler_ethernet_bytes(&line, buf, 60);
	expect(&line, "ppp: 10.0.0.9 > 10.0.0.5 28 bytes icmp 8/0\n"
		      "ppp: 10.0.0.9 > 10.0.0.5 28 bytes icmp 8/0\n");
}

/* ---- what is not passed on --------------------------------------------------------------- */

static void nobody_lends_an_address(void **state)
{
	(void)state;
	from_peer((struct echo){ .src = HOST, .dst = AFAR });
	from_peer((struct echo){ .src = 0, .dst = 0xffffffff });
	from_ether((struct echo){ .src = PEER, .dst = PEER });
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_SPOOFED), 3);
}

static void what_is_for_others_stays_with_them(void **state)
{
	(void)state;
	from_ether((struct echo){ .src = HOST, .dst = 0x0a000006 });
	from_ether_to("\x02\0\0\0\0\x08", (struct echo){ .src = HOST, .dst = PEER });
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_NOT_OURS), 2);
}

static void other_protocols_are_passed_over(void **state)
{
	(void)state;
	dialler_ethernet(&line, TO_ALL "8137 ffff 0022");
	dialler_ethernet(&line, TO_ALL "86dd 6000");
	dialler_ethernet(&line, TO_ALL "8100 0005 0800 4500");
	dialler_ethernet(&line, TO_ALL);
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_OTHER), 3);
	assert_int_equal(count(IPHOST_DROP_MALFORMED), 1);
}

static void damaged_packets_are_counted(void **state)
{
	(void)state;
	from_ether((struct echo){ .src = HOST, .dst = PEER });
	dialler_forget(&line);
	for (size_t off = 14; off < 14 + IP4_LEN; off++) {
		buf[off] ^= 0x10;
		dialler_ethernet_bytes(&line, buf, 74);
		buf[off] ^= 0x10;
	}
	for (size_t len = 14; len < 74; len++)
		dialler_ethernet_bytes(&line, buf, len);
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_MALFORMED), IP4_LEN + 60);
}

static void a_peer_that_is_not_up_gets_nothing(void **state)
{
	(void)state;
	dialler_say(&line, "c021 05 09 0004");
	dialler_forget(&line);
	from_ether((struct echo){ .src = HOST, .dst = PEER });
	from_peer((struct echo){ .src = PEER, .dst = HOST });
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_NO_PEER), 1);
	assert_int_equal(ppp_count(line.end, PPP_DROP_UNEXPECTED), 1);
}

static void packets_longer_than_an_ethernet_are_counted(void **state)
{
	(void)state;
	from_peer((struct echo){ .src = PEER, .dst = 0xffffffff, .len = 1501 });
	assert_int_equal(count(IPHOST_DROP_TOO_LONG), 1);
	from_ether((struct echo){ .src = HOST, .dst = PEER, .len = 1501 });
	assert_int_equal(weft_link_stats(line.end).tx_too_long, 1);
	expect(&line, "");
}

/* ---- a small MRU ------------------------------------------------------------------------- */

static void start_with_mru(const char *mru)
{
	char hex[40];
	dialler_stop(&line);
	dialler_start(&line, (struct ppp_opts){ .address = { 2, 24, { 10, 0, 0, 5 } } });
	(void)snprintf(hex, sizeof(hex), "c021 01 01 0008 0104 %s", mru);
	dialler_say(&line, hex);
	dialler_agree(&line);
	dialler_say(&line, "c023 01 01 0006 00 00");
	dialler_agree(&line);
	dialler_say(&line, "8021 01 02 000a 0306 0a000005");
	dialler_pass(&line, s(5));
	dialler_forget(&line);
}

static void long_packets_are_cut(void **state)
{
	(void)state;
	start_with_mru("0240"); /* 576: 552 bytes of payload by eights. */
	from_ether((struct echo){ .src = HOST, .dst = PEER, .len = 1500 });
	expect(&line, "ppp: 10.0.0.9 > 10.0.0.5 572 bytes from 0 on\n"
		      "ppp: 10.0.0.9 > 10.0.0.5 572 bytes from 552 on\n"
		      "ppp: 10.0.0.9 > 10.0.0.5 396 bytes from 1104\n");
	assert_memory_equal(line.last_ppp + 2 + IP4_LEN, buf + 14 + IP4_LEN + 1104, 376);
	assert_int_equal(count(IPHOST_FRAGMENTED), 1);
	from_ether((struct echo){ .src = HOST, .dst = PEER, .len = 576 });
	expect(&line, "ppp: 10.0.0.9 > 10.0.0.5 576 bytes icmp 8/0\n");
}

/* A fragment is cut into fragments of the same packet. */
static void fragments_are_cut_as_well(void **state)
{
	(void)state;
	start_with_mru("0240");
	dialler_forget(&line);
	memcpy(buf, ether_header, sizeof(ether_header));
	const struct ip4_hdr ip = { .total_len = 820,
				    .ttl = 9,
				    .proto = 17,
				    .mf = true,
				    .frag_off = 1480,
				    .src = HOST,
				    .dst = PEER };
	assert_int_equal(ip4_hdr_emit(buf + 14, IP4_LEN, &ip), IP4_LEN);
	dialler_ethernet_bytes(&line, buf, 14 + 820);
	expect(&line, "ppp: 10.0.0.9 > 10.0.0.5 572 bytes from 1480 on\n"
		      "ppp: 10.0.0.9 > 10.0.0.5 268 bytes from 2032 on\n");
}

/* A packet ends at 65,535: pieces behind that would count from 0 again. */
static void no_piece_is_beyond_a_packet(void **state)
{
	(void)state;
	start_with_mru("0240");
	memcpy(buf, ether_header, sizeof(ether_header));
	const struct ip4_hdr ip = { .total_len = 820,
				    .ttl = 9,
				    .proto = 17,
				    .frag_off = 65528,
				    .src = HOST,
				    .dst = PEER };
	assert_int_equal(ip4_hdr_emit(buf + 14, IP4_LEN, &ip), IP4_LEN);
	dialler_ethernet_bytes(&line, buf, 14 + 820);
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_MALFORMED), 1);
}

static void what_must_not_be_cut_is_answered(void **state)
{
	(void)state;
	start_with_mru("0240");
	from_ether((struct echo){ .src = AFAR, .dst = PEER, .len = 1500, .df = true });
	/* Back to the MAC that it came from. */
	expect(&line,
	       "eth: to 02:00:00:00:00:09 10.0.0.5 > 8.8.8.8 576 bytes icmp 3/4\n");
	assert_int_equal(load_be32(line.last_ether + 14 + IP4_LEN + 4), 576);
	assert_true(checksum_is_right(0, line.last_ether + 14 + IP4_LEN, 556));
	assert_memory_equal(line.last_ether + 14 + IP4_LEN + 8, buf + 14, 548);
	/* But never about a broadcast. */
	from_ether(
		(struct echo){ .src = HOST, .dst = 0x0a0000ff, .len = 1500, .df = true });
	expect(&line, "");
	assert_int_equal(count(IPHOST_DROP_TOO_LONG), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_says_where_it_is),
		TEST(it_answers_a_probe),
		TEST(it_answers_for_nobody_else),
		TEST(who_asks_for_others_is_not_learned),
		TEST(it_defends_its_address),
		TEST(it_announces_its_address_twice),
		TEST(only_a_new_place_is_announced),
		TEST(off_the_network_the_router_is_asked_for),
		TEST(without_a_router_the_peer_hears_so),
		TEST(broadcasts_and_multicasts_go_out),
		TEST(strange_addresses_are_not_filtered),
		TEST(broadcasts_and_multicasts_come_in),
		TEST(a_packet_passes_as_it_is),
		TEST(padding_stays_behind),
		TEST(nobody_lends_an_address),
		TEST(what_is_for_others_stays_with_them),
		TEST(other_protocols_are_passed_over),
		TEST(damaged_packets_are_counted),
		TEST(a_peer_that_is_not_up_gets_nothing),
		TEST(packets_longer_than_an_ethernet_are_counted),
		TEST(long_packets_are_cut),
		TEST(fragments_are_cut_as_well),
		TEST(no_piece_is_beyond_a_packet),
		TEST(what_must_not_be_cut_is_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
