/* SPDX-License-Identifier: MIT */
/*
 * The end point as transcripts: a game dials in the way that console modems do, and reaches
 * a host on the Ethernet; then everything that can go wrong with that.
 */
#include "serve/ppp.h"

#include "../unit.h"
#include "base/array.h"
#include "base/rng.h"
#include "dialler.h"
#include "serve/negotiation.h"
#include "wire/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OPTS                                            \
	(struct ppp_opts)                               \
	{                                               \
		.address = { 2, 24, { 10, 0, 0, 5 } },  \
		.router = { 2, 24, { 10, 0, 0, 1 } },   \
		.dns = { { 2, 32, { 10, 0, 0, 53 } } }, \
	}

/* What a console's modem stack asks for: MRU, ACCM, magic number, PFC, ACFC. */
#define GAME_REQUEST "c021 01 01 0018 0104 05dc 0206 000a0000 0506 12345678 0702 0802"

static struct dialler line;

static int stop(void **state)
{
	(void)state;
	dialler_stop(&line);
	return 0;
}

static void a_game_dials_in(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_pass(&line, s(60));
	expect(&line, ""); /* A modem is silent until it is spoken to. */

	dialler_say(&line, GAME_REQUEST);
	expect(&line, "ppp: LCP request 1 2=00000000 3=c023 5=magic\n"
		      "ppp: LCP ack 1 1=05dc 2=000a0000 5=magic 7 8\n"
		      "eth: who has 10.0.0.5? 10.0.0.5\n"); /* An announcement. */
	dialler_agree(&line);
	expect(&line, "");
	dialler_say(&line, "c023 01 01 000c 03 70736f 03 313233");
	expect(&line, "ppp: PAP ack 1\n"
		      "logged in: pso\n"
		      "ppp: IPCP request 1 3=0a000001\n");
	dialler_agree(&line);
	expect(&line, "");

	/* Address and name servers unknown; header compression is old hat. */
	dialler_say(&line, "8021 01 02 001c 0206 002d0f01 0306 00000000 8106 00000000 "
			   "8306 00000000");
	expect(&line, "ppp: IPCP reject 2 2=002d0f01\n");
	dialler_say(&line, "8021 01 03 0016 0306 00000000 8106 00000000 8306 00000000");
	expect(&line, "ppp: IPCP nak 3 3=0a000005 129=0a000035 131=0a000035\n");
	dialler_say(&line, "8021 01 04 0016 0306 0a000005 8106 0a000035 8306 0a000035");
	expect(&line, "ppp: IPCP ack 4 3=0a000005 129=0a000035 131=0a000035\n"
		      "up: 10.0.0.5/24\n");
}

#define HOST 0x0a000009u /* 10.0.0.9, which has the MAC 02:00:00:00:00:09. */

static const uint8_t ether_header[] = { 2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 9, 8, 0 };

/* There and back: the first packet waits for ARP, and goes out with its answer. */
static void a_ping_goes_through(void **state)
{
	uint8_t buf[1600] = { 0x00, 0x21 };
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	size_t len = dialler_echo(buf + 2, 1500,
				  &(struct echo){ 0x0a000005, HOST, 84, false });
	dialler_say_bytes(&line, buf, 2 + len);
	expect(&line, "eth: who has 10.0.0.9? 10.0.0.5\n");
	dialler_ethernet(&line, "020000000007 020000000009 0806 0001 0800 06 04 0002 "
				"020000000009 0a000009 020000000007 0a000005");
	expect(&line,
	       "eth: to 02:00:00:00:00:09 10.0.0.5 > 10.0.0.9 84 bytes icmp 8/0\n");
	assert_memory_equal(line.last_ether + 14, buf + 2, len);

	memcpy(buf, ether_header, sizeof(ether_header));
	len = dialler_echo(buf + 14, 1500, &(struct echo){ HOST, 0x0a000005, 84, false });
	dialler_ethernet_bytes(&line, buf, 14 + len);
	expect(&line, "ppp: 10.0.0.9 > 10.0.0.5 84 bytes icmp 8/0\n");
	assert_memory_equal(line.last_ppp + 2, buf + 14, len);
}

/* ---- logging in -------------------------------------------------------------------------- */

static void a_peer_that_will_not_log_in_need_not(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0004");
	dialler_forget(&line);
	dialler_answer(&line, PPP_CONFIGURE_REJECT, "0304 c023");
	expect(&line, "ppp: LCP request 2 2=00000000 5=magic\n");
	dialler_agree(&line);
	expect(&line, "logged in\n"
		      "ppp: IPCP request 1 3=0a000001\n");
}

static void a_peer_that_would_rather_use_chap_need_not_either(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0004");
	dialler_forget(&line);
	dialler_answer(&line, PPP_CONFIGURE_NAK, "0305 c22305");
	expect(&line, "ppp: LCP request 2 2=00000000 5=magic\n");
}

static void we_never_say_who_we_are(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0013 0104 05dc 0304 c023 0305 c22305 0702");
	expect(&line, "ppp: LCP request 1 2=00000000 3=c023 5=magic\n"
		      "ppp: LCP reject 1 3=c023 3=c22305\n"
		      "eth: who has 10.0.0.5? 10.0.0.5\n");
}

static void who_says_nothing_is_hung_up_on(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0004");
	dialler_agree(&line);
	dialler_pass(&line, s(19));
	dialler_forget(&line);
	dialler_say(&line, "8021 01 02 000a 0306 00000000"); /* Out of turn. */
	expect(&line, "");
	assert_int_equal(ppp_count(line.end, PPP_DROP_UNEXPECTED), 1);
	dialler_pass(&line, s(1));
	expect(&line, "down: it has not said who it is\n"
		      "ppp: LCP term-request 2\n");
	dialler_say(&line, "c021 06 02 0004");
	dialler_pass(&line, s(60));
	expect(&line, "");
}

/* The Ack was lost, and IPCP has begun: it is said again, and nothing else happens. */
static void a_login_can_be_repeated(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	dialler_say(&line, "c023 01 09 0006 00 00");
	expect(&line, "ppp: PAP ack 9\n");
}

static void a_name_is_made_printable(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0004");
	dialler_agree(&line);
	dialler_forget(&line);
	dialler_say(&line, "c023 01 01 000b 05 611b5bff25 00");
	expect(&line, "ppp: PAP ack 1\n"
		      "logged in: a?[?%\n"
		      "ppp: IPCP request 1 3=0a000001\n");
}

/* ---- the link ---------------------------------------------------------------------------- */

static void magic_numbers_tell_loops(void **state)
{
	char hex[64];
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 000a 0506 00000000");
	dialler_forget(&line);
	/* Our own request comes back, options and all. */
	uint32_t magic = load_be32(line.asked + line.asked_len - 4);
	(void)snprintf(hex, sizeof(hex), "c021 01 02 000a 0506 %08x", magic);
	dialler_say(&line, hex);
	expect(&line, "ppp: LCP nak 2 5=magic\n");
	assert_int_not_equal(load_be32(line.last_ppp + line.last_ppp_len - 4), magic);
	dialler_say(&line, "c021 01 03 000a 0506 00000000");
	expect(&line, "ppp: LCP nak 3 5=magic\n");
	dialler_answer(&line, PPP_CONFIGURE_NAK, "0506 01020304");
	expect(&line, "ppp: LCP request 2 2=00000000 3=c023 5=magic\n");
	assert_int_not_equal(load_be32(line.asked + line.asked_len - 4), magic);
}

static void an_mru_of_next_to_nothing_is_not_taken(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0008 0104 007f");
	dialler_forget(&line);
	dialler_say(&line, "c021 01 02 0008 0104 007f");
	expect(&line, "ppp: LCP nak 2 1=05dc\n");
	dialler_say(&line, "c021 01 03 0008 0104 0080");
	expect(&line, "ppp: LCP ack 3 1=0080\n");
	dialler_say(&line, "c021 01 04 0008 0104 ffff");
	expect(&line, "ppp: LCP ack 4 1=ffff\n");
}

static void a_peer_that_wants_characters_escaped_is_asked_for_that(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 01 01 0004");
	dialler_forget(&line);
	dialler_answer(&line, PPP_CONFIGURE_NAK, "0206 000a0000");
	expect(&line, "ppp: LCP request 2 2=000a0000 3=c023 5=magic\n");
	dialler_answer(&line, PPP_CONFIGURE_REJECT, "0206 000a0000 0506 00000000");
	expect(&line, "ppp: LCP request 3 3=c023\n");
}

static void echoes_come_back_from_an_open_link(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "c021 09 05 000b 12345678 616263");
	expect(&line, "");
	dialler_connect(&line);
	uint32_t magic = load_be32(line.asked); /* Of IPCP by now: not it. */
	dialler_say(&line, "c021 09 05 000b 12345678 616263");
	expect(&line, "ppp: LCP echo-reply 5\n");
	assert_int_equal(line.last_ppp_len, 2 + 11);
	assert_int_not_equal(load_be32(line.last_ppp + 6), 0x12345678);
	assert_int_not_equal(load_be32(line.last_ppp + 6), magic);
	assert_memory_equal(line.last_ppp + 10, "abc", 3);
	dialler_say(&line, "c021 09 05 0007 123456"); /* Too short for a magic number. */
	dialler_say(&line, "c021 0a 05 0008 12345678");
	dialler_say(&line, "c021 0b 05 0008 12345678");
	dialler_say(&line, "c021 0c 05 0008 12345678");
	expect(&line, "");
}

static void other_protocols_are_rejected(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_say(&line, "80fd 01 01 0004");
	expect(&line, "");
	dialler_connect(&line);
	dialler_say(&line, "80fd 01 01 0004"); /* Compression. */
	expect(&line, "ppp: LCP protocol-reject 2\n");
	assert_memory_equal(line.last_ppp + 6, "\x80\xfd\1\1\0\4", 6);
	dialler_say(&line, "8057 01 01 0004"); /* IPv6. */
	dialler_say(&line, "c223 01 01 0004"); /* CHAP. */
	expect(&line, "ppp: LCP protocol-reject 3\n"
		      "ppp: LCP protocol-reject 4\n");
	assert_int_equal(ppp_count(line.end, PPP_DROP_PROTOCOL), 4);
}

static void a_peer_without_ipv4_is_hung_up_on(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	dialler_say(&line, "c021 08 01 000a 8057 01010004"); /* We have not said that. */
	expect(&line, "");
	dialler_say(&line, "c021 08 01 000a 8021 01010004");
	expect(&line, "down: it does not speak IPv4\n"
		      "ppp: LCP term-request 2\n");
}

static void the_peer_hangs_up_and_dials_again(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	dialler_say(&line, "c021 05 09 0004");
	expect(&line, "down\n"
		      "ppp: LCP term-ack 9\n");
	assert_false(ppp_host(line.end)->peer_is_up);
	dialler_pass(&line, s(10));
	dialler_connect(&line);
	assert_int_equal(ppp_host(line.end)->place.address, 0x0a000005);
}

/* The emulator was stopped and started: nobody has hung up. */
static void the_peer_dials_again_without_hanging_up(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	dialler_say(&line, "c021 01 01 0004");
	expect(&line, "down: it begins anew\n"
		      "ppp: LCP request 2 2=00000000 3=c023 5=magic\n"
		      "ppp: LCP ack 1\n");
	dialler_agree(&line);
	dialler_say(&line, "c023 01 01 0006 00 00");
	expect(&line, "ppp: PAP ack 1\n"
		      "logged in\n"
		      "ppp: IPCP request 2 3=0a000001\n");
}

/* ---- IPCP -------------------------------------------------------------------------------- */

static void up_to_ipcp(struct ppp_opts opts)
{
	dialler_start(&line, opts);
	dialler_log_in(&line);
}

static void a_peer_that_asks_for_nothing_is_told_its_address(void **state)
{
	(void)state;
	up_to_ipcp(OPTS);
	dialler_say(&line, "8021 01 01 0004");
	expect(&line, "ppp: IPCP nak 1 3=0a000005\n");
}

/* It gets what it insists on, which is nothing: five times No, and then without. */
static void a_peer_that_insists_on_another_address_goes_without(void **state)
{
	(void)state;
	up_to_ipcp(OPTS);
	for (unsigned i = 0; i < NEGOTIATION_FAILURE_MAX; i++) {
		dialler_say(&line, "8021 01 01 000a 0306 c0a80001");
		expect(&line, "ppp: IPCP nak 1 3=0a000005\n");
	}
	dialler_say(&line, "8021 01 01 000a 0306 c0a80001");
	expect(&line, "ppp: IPCP reject 1 3=c0a80001\n");
	dialler_say(&line, "8021 01 02 0004");
	expect(&line, "ppp: IPCP ack 2\n");
}

static void name_servers_that_there_are_not_are_rejected(void **state)
{
	struct ppp_opts opts = OPTS;
	(void)state;
	memset(opts.dns, 0, sizeof(opts.dns));
	up_to_ipcp(opts);
	dialler_say(&line, "8021 01 01 0010 8106 00000000 8206 00000000");
	expect(&line, "ppp: IPCP reject 1 129=00000000 130=00000000\n");
}

static void two_name_servers_are_both_told(void **state)
{
	struct ppp_opts opts = OPTS;
	(void)state;
	opts.dns[1] = (struct weft_ip){ 2, 32, { 9, 9, 9, 9 } };
	up_to_ipcp(opts);
	dialler_say(&line, "8021 01 01 0016 0306 0a000005 8106 00000000 8306 00000000");
	expect(&line, "ppp: IPCP nak 1 129=0a000035 131=09090909\n");
}

static void a_peer_that_dislikes_our_address_does_without(void **state)
{
	(void)state;
	up_to_ipcp(OPTS);
	dialler_answer(&line, PPP_CONFIGURE_NAK, "0306 0a0a0a0a");
	expect(&line, "ppp: IPCP request 2\n");
}

/* RFC 7600: where there is no router, somebody has to be at the other end. */
static void without_a_router_we_have_the_dummy_address(void **state)
{
	struct ppp_opts opts = OPTS;
	(void)state;
	opts.router.family = 0;
	dialler_start(&line, opts);
	dialler_say(&line, "c021 01 01 0004");
	dialler_agree(&line);
	dialler_forget(&line);
	dialler_say(&line, "c023 01 01 0006 00 00");
	expect(&line, "ppp: PAP ack 1\n"
		      "logged in\n"
		      "ppp: IPCP request 1 3=c0000008\n");
}

/* ---- loss -------------------------------------------------------------------------------- */

static void requests_are_repeated(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	line.is_cut = true;
	dialler_say(&line, "c021 01 01 0004");
	line.is_cut = false;
	dialler_pass(&line, s(2));
	dialler_forget(&line);
	dialler_pass(&line, s(1));
	expect(&line, "ppp: LCP request 1 2=00000000 3=c023 5=magic\n");
	dialler_pass(&line, s(60)); /* Nine of ten are left, less the one above. */
	assert_non_null(strstr(fmt_text(&line.log), "request 1"));
	dialler_forget(&line);
	dialler_pass(&line, s(60));
	expect(&line, "");
}

/* A client of its own on a line that loses, duplicates and damages. It repeats each second
   what it has had no answer to. */
struct client {
	struct rng rng;
	double loss;
	bool lcp_agreed, logged_in, ipcp_agreed;
	uint32_t address;
};

static void client_hear(struct client *c, const uint8_t *data, size_t len)
{
	uint16_t protocol;
	struct ppp_packet packet;
	if (ppp_hdr_parse(data, len, &protocol) != 2 || protocol == PPP_IP4 ||
	    ppp_packet_parse(data + 2, len - 2, &packet) < 0)
		return;
	if (protocol == PPP_PAP && packet.code == PAP_ACK)
		c->logged_in = true;
	if (protocol == PPP_LCP && packet.code == PPP_CONFIGURE_ACK)
		c->lcp_agreed = true;
	if (protocol == PPP_IPCP && packet.code == PPP_CONFIGURE_ACK)
		c->ipcp_agreed = true;
	if (protocol == PPP_IPCP && packet.code == PPP_CONFIGURE_NAK)
		c->address = load_be32(packet.data + 2);
}

static bool client_loses(struct client *c)
{
	return rng_double(&c->rng) < c->loss;
}

/* One second of the client's life: it says what is missing, and hears what arrives. */
static void client_second(struct client *c)
{
	char hex[64];
	line.last_ppp_len = 0;
	if (!c->lcp_agreed)
		(void)snprintf(hex, sizeof(hex), "c021 01 01 0004");
	else if (!c->logged_in)
		(void)snprintf(hex, sizeof(hex), "c023 01 01 0006 00 00");
	else
		(void)snprintf(hex, sizeof(hex), "8021 01 %02x 000a 0306 %08x",
			       c->address ? 2 : 1, c->address);
	if (!client_loses(c) && !c->ipcp_agreed)
		dialler_say(&line, hex);
	if (line.last_ppp_len && !client_loses(c))
		client_hear(c, line.last_ppp, line.last_ppp_len);
	if (line.asked_len && !client_loses(c))
		dialler_agree(&line);
	line.last_ppp_len = 0;
	dialler_pass(&line, s(1));
}

/* It gives up after a minute, and dials again. */
static void client_connect(struct client *c)
{
	for (unsigned seconds = 0; !ppp_host(line.end)->peer_is_up; seconds++) {
		if (seconds % 60 == 0)
			*c = (struct client){ .rng = c->rng, .loss = c->loss };
		if (seconds == 600)
			fail_msg("not up after ten minutes");
		client_second(c);
		dialler_forget(&line);
	}
}

static void a_bad_line_connects_in_the_end(void **state)
{
	(void)state;
	struct client c = { .loss = 0.4 };
	rng_init(&c.rng, test_seed());
	for (unsigned round = 0; round < 50; round++) {
		dialler_start(&line, OPTS);
		client_connect(&c);
		dialler_stop(&line);
	}
}

/* ---- hostility --------------------------------------------------------------------------- */

static void hostile_packets_are_counted(void **state)
{
	static const char *const hostile[] = {
		"",
		"c0",
		"c021",
		"c021 01 01 0003",
		"c021 01 01 0005",
		"c021 01 01 ffff",
		"c021 01 01 0006 0100",
		"c021 01 01 0006 0101",
		"c021 01 01 0006 0103",
		"c021 01 01 0005 01",
		"c023 01 01 0004",
		"c023 01 01 0006 ff 00",
		"c023 01 01 0006 01 ff",
		"8021 01 01 0006 0300",
		"8022",
	};
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		dialler_say(&line, hostile[i]);
		if (ppp_count(line.end, PPP_DROP_MALFORMED) != i + 1)
			fail_msg("%s was taken", hostile[i]);
	}
	assert_int_equal(weft_link_stats(line.end).rx_errors, ARRAY_LEN(hostile));
	expect(&line, "");
	assert_true(ppp_host(line.end)->peer_is_up);
}

/* A packet of options of type 0 and length 2: as many as there can be. */
static void a_flood_of_options_is_answered_or_dropped(void **state)
{
	static uint8_t frame[2048] = { 0xc0, 0x21, 1, 1, 0x05, 0xdc };
	(void)state;
	for (size_t i = 6; i < sizeof(frame); i += 2)
		frame[i + 1] = 2;
	dialler_start(&line, OPTS);
	dialler_say_bytes(&line, frame, 2 + PPP_MRU);
	assert_int_equal(line.last_ppp_len, 2 + PPP_MRU);
	assert_int_equal(line.last_ppp[2], PPP_CONFIGURE_REJECT);
	store_be16(frame + 4, PPP_MRU + 2);
	dialler_say_bytes(&line, frame, 2 + PPP_MRU + 2);
	assert_int_equal(ppp_count(line.end, PPP_DROP_MALFORMED), 1);
}

static void options_that_cannot_be_are_refused(void **state)
{
	struct weft_link *far, *near, *end;
	struct ppp_opts bad[5];
	(void)state;
	dialler_start(&line, OPTS);
	assert_int_equal(weft_link_pair(4, &near, &far), 0);
	assert_int_equal(ppp_new(&OPTS, near, &end), -EINVAL); /* Ethernet inside. */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = OPTS;
	bad[0].address.octet[0] = 224;
	bad[1].address.family = 10;
	bad[2].router.octet[0] = 127;
	bad[3].dns[1] = (struct weft_ip){ .family = 2, .prefix = 32 };
	bad[4].address.prefix = 33;
	near->caps.flags = WEFT_LINK_PPP;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ppp_new(&bad[i], near, &end), -EINVAL);
	weft_link_free(near);
	weft_link_free(far);
}

static void a_mac_is_made_of_the_seed(void **state)
{
	struct ppp_opts opts = OPTS;
	struct weft_mac mac;
	(void)state;
	opts.mac = (struct weft_mac){ 0 };
	dialler_start(&line, OPTS);
	struct weft_link *far, *near, *end;
	assert_int_equal(weft_link_pair(4, &near, &far), 0);
	near->caps.flags = WEFT_LINK_PPP;
	opts.seed = test_seed();
	assert_int_equal(ppp_new(&opts, near, &end), 0);
	assert_true(weft_link_mac(end, &mac));
	assert_int_equal(mac.octet[0] & 3, 2); /* Locally administered, no group. */
	assert_int_equal(weft_link_caps(end).flags, 0);
	assert_int_equal(weft_link_caps(end).frame_len_max, 1514);
	weft_link_free(end);
	weft_link_free(far);
}

#define TEST(name) cmocka_unit_test_teardown(name, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_game_dials_in),
		TEST(a_ping_goes_through),
		TEST(a_peer_that_will_not_log_in_need_not),
		TEST(a_peer_that_would_rather_use_chap_need_not_either),
		TEST(we_never_say_who_we_are),
		TEST(who_says_nothing_is_hung_up_on),
		TEST(a_login_can_be_repeated),
		TEST(a_name_is_made_printable),
		TEST(magic_numbers_tell_loops),
		TEST(an_mru_of_next_to_nothing_is_not_taken),
		TEST(a_peer_that_wants_characters_escaped_is_asked_for_that),
		TEST(echoes_come_back_from_an_open_link),
		TEST(other_protocols_are_rejected),
		TEST(a_peer_without_ipv4_is_hung_up_on),
		TEST(the_peer_hangs_up_and_dials_again),
		TEST(the_peer_dials_again_without_hanging_up),
		TEST(a_peer_that_asks_for_nothing_is_told_its_address),
		TEST(a_peer_that_insists_on_another_address_goes_without),
		TEST(name_servers_that_there_are_not_are_rejected),
		TEST(two_name_servers_are_both_told),
		TEST(a_peer_that_dislikes_our_address_does_without),
		TEST(without_a_router_we_have_the_dummy_address),
		TEST(requests_are_repeated),
		cmocka_unit_test(a_bad_line_connects_in_the_end),
		TEST(hostile_packets_are_counted),
		TEST(a_flood_of_options_is_answered_or_dropped),
		TEST(options_that_cannot_be_are_refused),
		TEST(a_mac_is_made_of_the_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
