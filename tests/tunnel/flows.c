/* SPDX-License-Identifier: MIT */
/*
 * What passes, as transcripts: each line a packet, when it comes, and what becomes of it. Then
 * packets by chance, beside a model that keeps everything in a list and thinks slowly.
 *
 * Clients: 0 is "a" (10.0.0.2, fd00::2), 1 is "b" (10.0.0.3, fd00::3). a may open connections
 * to b: TCP 80, UDP 53, and pings.
 */
#include "tunnel/flows.h"

#include "../unit.h"
#include "base/rng.h"
#include "site.h"
#include "tunnel/selection.h"
#include "wire/cursor.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wires.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define S UINT64_C(1000000000)

#define A4 "10.0.0.2"
#define B4 "10.0.0.3"
#define A6 "fd00::2"
#define B6 "fd00::3"

static const uint8_t secret[16] = { 7 };

struct fixture {
	struct site site;
	struct acl *acl;
	struct flows *flows;
};

static void load_rules(struct fixture *f)
{
	acl_free(f->acl);
	f->acl = NULL;
	assert_int_equal(acl_new(&f->site.conf, &f->acl), 0);
}

static void begin_site(struct fixture *f)
{
	site_init(&f->site, "10.0.0.1/24 fd00::1/64");
	site_client(&f->site, "a", "", A4 " " A6, "");
	site_client(&f->site, "b", "", B4 " " B6, "");
}

static int set_up_limit(void **state, uint32_t flows_max)
{
	static struct fixture f;
	memset(&f, 0, sizeof(f));
	begin_site(&f);
	site_rule(&f.site, "a", "b", IPPROTO_TCP, "80");
	site_rule(&f.site, "a", "b", IPPROTO_UDP, "53");
	site_rule(&f.site, "a", "b", IPPROTO_ICMP, "");
	load_rules(&f);
	assert_int_equal(flows_new(flows_max, secret, &f.flows), 0);
	*state = &f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_limit(state, 1000);
}

static int set_up_small(void **state)
{
	return set_up_limit(state, 4);
}

/* Small, and b may begin as well: at a's UDP and TCP 99. */
static int set_up_fair(void **state)
{
	const int r = set_up_limit(state, 4);
	struct fixture *f = *state;
	site_rule(&f->site, "b", "a", IPPROTO_UDP, "99");
	site_rule(&f->site, "b", "a", IPPROTO_TCP, "99");
	load_rules(f);
	return r;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	flows_free(f->flows);
	acl_free(f->acl);
	return 0;
}

/* Who has an address: a, b, or the server. */
static uint32_t party_of(const char *address)
{
	if (strcmp(address, A4) == 0 || strcmp(address, A6) == 0)
		return 0;
	return strcmp(address, B4) == 0 || strcmp(address, B6) == 0 ? 1 : PARTY_SELF;
}

static enum flows_verdict judge_bytes(struct fixture *f, const uint8_t *data,
				      uint32_t len, uint32_t from, uint32_t to,
				      uint64_t now)
{
	uint8_t *copy = malloc(len + !len); /* for the sanitizer to see each overrun */
	assert_non_null(copy);
	memcpy(copy, data, len);
	const struct flows_packet packet = { copy, len, from, to };
	const enum flows_verdict verdict = flows_judge(f->flows, f->acl, &packet, now);
	free(copy);
	return verdict;
}

static enum flows_verdict judge(struct fixture *f, const struct packet *p)
{
	uint8_t bytes[WIRE_PACKET_MAX];
	const uint32_t len = packet_build(p, bytes);
	return judge_bytes(f, bytes, len, party_of(p->src), party_of(p->dst), p->now);
}

#define expect(verdict, ...)                                                   \
	do {                                                                   \
		const enum flows_verdict got_ = judge(f, PACKET(__VA_ARGS__)); \
		assert_string_equal(flows_verdict_name(got_),                  \
				    flows_verdict_name(verdict));              \
	} while (0)

#define TCP(s, d, f) .protocol = IPPROTO_TCP, .sport = (s), .dport = (d), .flags = (f)
#define UDP(s, d)    .protocol = IPPROTO_UDP, .sport = (s), .dport = (d)
#define PING4(id)    .protocol = IPPROTO_ICMP, .type = ICMP4_ECHO, .sport = (id)
#define PONG4(id)    .protocol = IPPROTO_ICMP, .type = ICMP4_ECHO_REPLY, .sport = (id)

/* ---- flows ------------------------------------------------------------------------------- */

static void answers_pass_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_DENIED, B4, A4, TCP(80, 1000, TCP_SYN | TCP_ACK));
	expect(FLOWS_NEW, A4, B4, TCP(1000, 80, TCP_SYN));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1000, TCP_SYN | TCP_ACK));
	expect(FLOWS_KNOWN, A4, B4, TCP(1000, 80, TCP_ACK));
	expect(FLOWS_DENIED, B4, A4, TCP(80, 1001, TCP_ACK));
	expect(FLOWS_DENIED, B4, A4, TCP(81, 1000, TCP_ACK));
	expect(FLOWS_DENIED, A4, B4, TCP(1000, 81, TCP_SYN));
	expect(FLOWS_DENIED, B4, A4, UDP(80, 1000));
	expect(FLOWS_NEW, A4, B4, UDP(1000, 53));
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 1000));
	expect(FLOWS_DENIED, A4, "10.0.0.1", TCP(1000, 80, TCP_SYN));
	/* Nor does anybody else answer. */
	expect(FLOWS_DENIED, "10.0.0.4", A4, TCP(80, 1000, TCP_ACK));
	expect(FLOWS_DENIED, "10.0.0.1", A4, TCP(80, 1000, TCP_ACK));
	assert_int_equal(flows_stats(f->flows).flows, 2);
}

static void ip6_is_no_other(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A6, B6, TCP(1000, 80, TCP_SYN), .options = 2);
	expect(FLOWS_KNOWN, B6, A6, TCP(80, 1000, TCP_SYN | TCP_ACK));
	expect(FLOWS_DENIED, B6, A6, TCP(80, 1001, TCP_ACK), .options = 1);
	expect(FLOWS_NEW, A6, B6, .protocol = IPPROTO_ICMPV6, .type = ICMP6_ECHO,
	       .sport = 9);
	expect(FLOWS_KNOWN, B6, A6, .protocol = IPPROTO_ICMPV6, .type = ICMP6_ECHO_REPLY,
	       .sport = 9);
	expect(FLOWS_DENIED, B6, A6, .protocol = IPPROTO_ICMPV6, .type = ICMP6_ECHO_REPLY,
	       .sport = 10);
	/* The same numbers as of IPv4 are another flow's. */
	expect(FLOWS_DENIED, B4, A4, TCP(80, 1000, TCP_ACK));
	expect(FLOWS_NEW, A4, B4, UDP(1000, 53));
	expect(FLOWS_DENIED, "a00:3::", "a00:2::", UDP(53, 1000));
	expect(FLOWS_DENIED_MALFORMED, A6, B6, TCP(1000, 80, TCP_SYN), .options = 9);
}

/* An answer does not open anything, even between ports that have talked. */
static void who_answers_may_not_begin(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, TCP(1000, 80, TCP_SYN));
	expect(FLOWS_DENIED, B4, A4, TCP(80, 1000, TCP_SYN));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1000, TCP_ACK));
	expect(FLOWS_NEW, A4, B4, PING4(5));
	expect(FLOWS_DENIED, B4, A4, PING4(5));
	expect(FLOWS_KNOWN, B4, A4, PONG4(5));
	/* Where a rule lets it, it may. */
	site_rule(&f->site, "b", "a", 0, "");
	load_rules(f);
	expect(FLOWS_NEW, B4, A4, TCP(80, 1000, TCP_SYN));
	assert_int_equal(flows_stats(f->flows).flows, 2);
}

/* ---- time -------------------------------------------------------------------------------- */

static void a_silent_flow_is_forgotten(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, UDP(1000, 53), .now = 10 * S);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 1000), .now = 130 * S - 1);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 1000), .now = 250 * S - 2);
	expect(FLOWS_DENIED, B4, A4, UDP(53, 1000), .now = 370 * S - 2);
	assert_int_equal(flows_stats(f->flows).flows, 0);
	expect(FLOWS_NEW, A4, B4, UDP(1000, 53), .now = 400 * S);
	flows_age(f->flows, 520 * S - 1);
	assert_int_equal(flows_stats(f->flows).flows, 1);
	flows_age(f->flows, 520 * S);
	assert_int_equal(flows_stats(f->flows).flows, 0);
}

static void a_connection_is_kept_for_two_hours(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, TCP(1, 80, TCP_SYN));
	expect(FLOWS_NEW, A4, B4, TCP(2, 80, TCP_SYN));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 2, TCP_SYN | TCP_ACK));
	flows_age(f->flows, 7199 * S); /* the first has been heard from one side only */
	assert_int_equal(flows_stats(f->flows).flows, 1);
	expect(FLOWS_DENIED, B4, A4, TCP(80, 1, TCP_ACK), .now = 7199 * S);
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 2, TCP_ACK), .now = 7199 * S);
	flows_age(f->flows, (7199 + 7200) * S);
	assert_int_equal(flows_stats(f->flows).flows, 0);
}

static void a_closed_connection_is_not(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint8_t by_a, by_b;
		bool is_kept;
	} ends[] = {
		{ TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK, false },
		{ TCP_FIN | TCP_ACK, TCP_ACK, true },
		{ TCP_RST, TCP_ACK, false },
		{ TCP_ACK, TCP_RST, false },
	};
	for (uint16_t i = 0; i < 4; i++) {
		expect(FLOWS_NEW, A4, B4, TCP(i, 80, TCP_SYN));
		expect(FLOWS_KNOWN, B4, A4, TCP(80, i, TCP_SYN | TCP_ACK));
		expect(FLOWS_KNOWN, A4, B4, TCP(i, 80, ends[i].by_a));
		expect(FLOWS_KNOWN, B4, A4, TCP(80, i, ends[i].by_b));
	}
	for (uint16_t i = 0; i < 4; i++)
		expect(ends[i].is_kept ? FLOWS_KNOWN : FLOWS_DENIED, B4, A4,
		       TCP(80, i, TCP_ACK), .now = 120 * S);
	/* The ports may be used again. */
	expect(FLOWS_NEW, A4, B4, TCP(0, 80, TCP_SYN), .now = 121 * S);
}

static void used_again_a_flow_is_as_new(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, TCP(1, 80, TCP_SYN));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1, TCP_RST));
	expect(FLOWS_KNOWN, A4, B4, TCP(1, 80, TCP_SYN));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1, TCP_SYN | TCP_ACK));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1, TCP_ACK), .now = 7000 * S);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void the_most_silent_makes_room(void **state)
{
	struct fixture *f = *state;
	for (uint16_t i = 0; i < 4; i++)
		expect(FLOWS_NEW, A4, B4, UDP(i, 53), .now = i);
	expect(FLOWS_KNOWN, A4, B4, UDP(0, 53), .now = 5);
	expect(FLOWS_NEW, A4, B4, UDP(9, 53), .now = 6);
	expect(FLOWS_DENIED, B4, A4, UDP(53, 1), .now = 6);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 0), .now = 6);
	assert_int_equal(flows_stats(f->flows).flows, 4);
	assert_int_equal(flows_stats(f->flows).evicted, 1);
}

/* What stands makes no room for what knocks. */
static void connections_are_not_pushed_out(void **state)
{
	struct fixture *f = *state;
	for (uint16_t i = 0; i < 4; i++) {
		expect(FLOWS_NEW, A4, B4, TCP(i, 80, TCP_SYN));
		expect(FLOWS_KNOWN, B4, A4, TCP(80, i, TCP_SYN | TCP_ACK));
	}
	expect(FLOWS_DENIED_FULL, A4, B4, UDP(9, 53));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 0, TCP_ACK));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 0, TCP_RST));
	expect(FLOWS_NEW, A4, B4, UDP(9, 53));
	assert_int_equal(flows_stats(f->flows).verdicts[FLOWS_DENIED_FULL], 1);
}

static void datagrams_have_a_limit_of_their_own(void **state)
{
	struct fixture *f = *state;
	for (uint32_t i = 0; i <= FLOWS_DATAGRAMS_MAX; i++)
		(void)judge(f, PACKET(A4, B4, UDP(1, 53), .id = i, .frag_more = true));
	expect(FLOWS_DENIED_FRAGMENT, A4, B4, UDP(0, 0), .id = 0, .frag_off = 8);
	expect(FLOWS_FRAGMENT, A4, B4, UDP(0, 0), .id = 1, .frag_off = 8);
	assert_int_equal(flows_stats(f->flows).datagrams, FLOWS_DATAGRAMS_MAX);
	assert_int_equal(flows_stats(f->flows).flows, 1);
}

/* Of a hundred knocks, those of b cost b alone. */
static void who_has_most_makes_room(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, UDP(1, 53), .now = 1);
	expect(FLOWS_NEW, A4, B4, UDP(2, 53), .now = 2);
	for (uint16_t i = 0; i < 100; i++)
		expect(FLOWS_NEW, B4, A4, UDP(i, 99), .now = 3 + i);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 1), .now = 200);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 2), .now = 200);
	expect(FLOWS_DENIED, A4, B4, UDP(99, 97), .now = 200);
	expect(FLOWS_KNOWN, A4, B4, UDP(99, 98), .now = 200);
	expect(FLOWS_KNOWN, A4, B4, UDP(99, 99), .now = 200);
	assert_int_equal(flows_stats(f->flows).evicted, 98);
}

/* Whoever holds all there is by connections has to give of them, but not to itself. */
static void connections_make_room_for_others(void **state)
{
	struct fixture *f = *state;
	for (uint16_t i = 0; i < 4; i++) {
		expect(FLOWS_NEW, B4, A4, TCP(i, 99, TCP_SYN), .now = i);
		expect(FLOWS_KNOWN, A4, B4, TCP(99, i, TCP_SYN | TCP_ACK), .now = i);
	}
	expect(FLOWS_DENIED_FULL, B4, A4, UDP(9, 99), .now = 9);
	expect(FLOWS_NEW, A4, B4, UDP(1, 53), .now = 9);
	expect(FLOWS_NEW, A4, B4, UDP(2, 53), .now = 9);
	expect(FLOWS_KNOWN, A4, B4, TCP(99, 3, TCP_ACK), .now = 10);
	expect(FLOWS_KNOWN, A4, B4, TCP(99, 2, TCP_ACK), .now = 10);
	expect(FLOWS_DENIED, A4, B4, TCP(99, 1, TCP_ACK), .now = 10);
	/* Now both have as many. */
	expect(FLOWS_NEW, A4, B4, UDP(3, 53), .now = 11);
	expect(FLOWS_DENIED, B4, A4, UDP(53, 1), .now = 11);
	expect(FLOWS_DENIED_FULL, B4, A4, UDP(9, 99), .now = 11);
}

static void shares_survive_other_numbers(void **state)
{
	struct fixture *f = *state;
	for (uint16_t i = 0; i < 3; i++)
		expect(FLOWS_NEW, B4, A4, UDP(i, 99), .now = i);
	expect(FLOWS_NEW, A4, B4, UDP(1, 53), .now = 3);
	flows_rules_changed(f->flows);
	expect(FLOWS_KNOWN, A4, B4, UDP(99, 2), .now = 4);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 1), .now = 4);
	for (uint16_t i = 3; i < 50; i++)
		expect(FLOWS_NEW, B4, A4, UDP(i, 99), .now = 5 + i);
	expect(FLOWS_KNOWN, B4, A4, UDP(53, 1), .now = 60);
	assert_int_equal(flows_stats(f->flows).flows, 4);
}

static void datagrams_have_shares_too(void **state)
{
	struct fixture *f = *state;
	(void)judge(f, PACKET(A4, B4, UDP(1, 53), .id = 7, .frag_more = true));
	for (uint32_t i = 0; i < 2 * FLOWS_DATAGRAMS_MAX; i++)
		(void)judge(f, PACKET(B4, A4, UDP(1, 99), .id = i, .frag_more = true));
	expect(FLOWS_FRAGMENT, A4, B4, UDP(0, 0), .id = 7, .frag_off = 8);
	assert_int_equal(flows_stats(f->flows).datagrams, FLOWS_DATAGRAMS_MAX);
	assert_int_equal(flows_stats(f->flows).datagrams_evicted,
			 FLOWS_DATAGRAMS_MAX + 1);
}

/* ---- fragments --------------------------------------------------------------------------- */

static void the_first_fragment_decides(void **state)
{
	struct fixture *f = *state;
	static const char *const ends[][2] = { { A4, B4 }, { A6, B6 } };
	for (size_t i = 0; i < 2; i++) {
		const char *a = ends[i][0], *b = ends[i][1];
		expect(FLOWS_DENIED_FRAGMENT, a, b, UDP(0, 0), .id = 5, .frag_off = 64);
		expect(FLOWS_NEW, a, b, UDP(1, 53), .id = 5, .frag_more = true);
		expect(FLOWS_FRAGMENT, a, b, UDP(0, 0), .id = 5, .frag_off = 64);
		expect(FLOWS_DENIED_FRAGMENT, b, a, UDP(0, 0), .id = 5, .frag_off = 64);
		expect(FLOWS_DENIED_FRAGMENT, a, b, UDP(0, 0), .id = 6, .frag_off = 64);
		expect(FLOWS_DENIED, a, b, UDP(1, 54), .id = 6, .frag_more = true);
		expect(FLOWS_DENIED_FRAGMENT, a, b, UDP(0, 0), .id = 6, .frag_off = 64);
		expect(FLOWS_KNOWN, b, a, UDP(53, 1), .id = 7, .frag_more = true);
		expect(FLOWS_FRAGMENT, b, a, UDP(0, 0), .id = 7, .frag_off = 64,
		       .now = 30 * S - 1);
		expect(FLOWS_DENIED_FRAGMENT, b, a, UDP(0, 0), .id = 7, .frag_off = 64,
		       .now = 30 * S);
		flows_free(f->flows);
		assert_int_equal(flows_new(1000, secret, &f->flows), 0);
	}
}

/* RFC 1858 3.1, RFC 3128: neither a first one without flags, nor one that writes over them. */
static void fragments_do_not_hide_a_header(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[WIRE_PACKET_MAX];
	const struct packet *first =
		PACKET(A4, B4, TCP(1, 80, TCP_SYN), .id = 5, .frag_more = true);
	(void)packet_build(first, bytes);
	bytes[3] = 28; /* Eight bytes of TCP. */
	assert_int_equal(judge_bytes(f, bytes, 28, 0, 1, 0), FLOWS_DENIED_MALFORMED);
	expect(FLOWS_NEW, A4, B4, TCP(1, 80, TCP_SYN), .id = 5, .frag_more = true);
	expect(FLOWS_DENIED_MALFORMED, A4, B4, TCP(0, 0, 0), .id = 5, .frag_off = 8);
	expect(FLOWS_FRAGMENT, A4, B4, TCP(0, 0, 0), .id = 5, .frag_off = 24);
	expect(FLOWS_NEW, A6, B6, TCP(1, 80, TCP_SYN), .id = 5, .frag_more = true);
	expect(FLOWS_DENIED_MALFORMED, A6, B6, TCP(0, 0, 0), .id = 5, .frag_off = 16);
}

/* ---- ICMP errors ------------------------------------------------------------------------- */

/* An error of from about a packet, which goes to the packet's source. */
static enum flows_verdict judge_error(struct fixture *f, const char *from, uint8_t type,
				      size_t quote_len, const struct packet *about)
{
	uint8_t quote[WIRE_PACKET_MAX];
	const uint32_t len = packet_build(about, quote);
	const bool is_ip6 = strchr(from, ':');
	const struct packet error = {
		.src = from,
		.dst = about->src,
		.protocol = is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.type = type,
		.payload = quote,
		.payload_len = quote_len && quote_len < len ? quote_len : len,
	};
	return judge(f, &error);
}

static void errors_about_a_flow_pass(void **state)
{
	struct fixture *f = *state;
	const struct packet *out = PACKET(A4, B4, UDP(1, 53));
	const struct packet *back = PACKET(B4, A4, UDP(53, 1));
	const struct packet *other = PACKET(A4, B4, UDP(2, 53));
	expect(FLOWS_NEW, A4, B4, UDP(1, 53));
	assert_int_equal(judge_error(f, B4, ICMP4_UNREACHABLE, 28, out), FLOWS_ERROR);
	assert_int_equal(judge_error(f, "10.0.0.1", ICMP4_TIME_EXCEEDED, 0, out),
			 FLOWS_ERROR);
	/* About an answer, to the one who gave it. */
	assert_int_equal(judge_error(f, "10.0.0.1", ICMP4_UNREACHABLE, 0, back),
			 FLOWS_ERROR);
	assert_int_equal(judge_error(f, B4, ICMP4_UNREACHABLE, 0, other), FLOWS_DENIED);
	assert_int_equal(judge_error(f, B4, ICMP4_REDIRECT, 0, out), FLOWS_DENIED);
	assert_int_equal(judge_error(f, B4, ICMP4_UNREACHABLE, 23, out), FLOWS_DENIED);
	assert_int_equal(judge_error(f, B4, ICMP4_UNREACHABLE, 12, out), FLOWS_DENIED);
	assert_int_equal(flows_stats(f->flows).flows, 1);
}

static void errors_of_ip6_too(void **state)
{
	struct fixture *f = *state;
	const struct packet *out = PACKET(A6, B6, TCP(1, 80, TCP_SYN), .options = 1);
	expect(FLOWS_NEW, A6, B6, TCP(1, 80, TCP_SYN));
	assert_int_equal(judge_error(f, "fd00::1", ICMP6_PACKET_TOO_BIG, 0, out),
			 FLOWS_ERROR);
	assert_int_equal(judge_error(f, "fd00::1", ICMP6_PACKET_TOO_BIG, 52, out),
			 FLOWS_ERROR);
	assert_int_equal(judge_error(f, "fd00::1", ICMP6_PACKET_TOO_BIG, 51, out),
			 FLOWS_DENIED);
}

/* Who quotes a flow of others does not get through to a third. */
static void an_error_goes_to_who_sent(void **state)
{
	struct fixture *f = *state;
	uint8_t quote[WIRE_PACKET_MAX];
	expect(FLOWS_NEW, A4, B4, UDP(1, 53));
	const size_t len = packet_build(PACKET(A4, B4, UDP(1, 53)), quote);
	expect(FLOWS_DENIED, B4, "10.0.0.1", .protocol = IPPROTO_ICMP,
	       .type = ICMP4_UNREACHABLE, .payload = quote, .payload_len = len);
}

/* Allowed by a rule, an error passes without a flow, and makes none. */
static void an_error_makes_no_flow(void **state)
{
	struct fixture *f = *state;
	const struct packet *about = PACKET(B4, A4, UDP(1, 2));
	assert_int_equal(judge_error(f, A4, ICMP4_UNREACHABLE, 0, about), FLOWS_NEW);
	assert_int_equal(flows_stats(f->flows).flows, 0);
}

/* ---- rules that change ------------------------------------------------------------------- */

static void new_rules_are_asked_again(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, TCP(1, 80, TCP_SYN));
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1, TCP_SYN | TCP_ACK));
	expect(FLOWS_NEW, A4, B4, UDP(1, 53));
	begin_site(f);
	site_rule(&f->site, "10.0.0.2", "*", IPPROTO_TCP, "");
	load_rules(f);
	flows_rules_changed(f->flows);
	/* Nobody says of an error whose flow it is about: the flow is asked first. */
	assert_int_equal(judge_error(f, B4, ICMP4_UNREACHABLE, 0,
				     PACKET(A4, B4, TCP(1, 80, TCP_ACK))),
			 FLOWS_DENIED);
	expect(FLOWS_KNOWN, B4, A4, TCP(80, 1, TCP_ACK));
	assert_int_equal(judge_error(f, B4, ICMP4_UNREACHABLE, 0,
				     PACKET(A4, B4, TCP(1, 80, TCP_ACK))),
			 FLOWS_ERROR);
	expect(FLOWS_DENIED, B4, A4, UDP(53, 1));
	expect(FLOWS_DENIED, A4, B4, UDP(1, 53));
	assert_int_equal(flows_stats(f->flows).flows, 1);
}

/* ---- nonsense ---------------------------------------------------------------------------- */

static void no_beginning_of_a_packet_passes(void **state)
{
	struct fixture *f = *state;
	const struct packet *const whole[] = {
		PACKET(A4, B4, TCP(1, 80, TCP_SYN)),
		PACKET(A6, B6, TCP(1, 80, TCP_SYN), .options = 1),
		PACKET(A4, B4, PING4(1)),
		PACKET(A6, B6, UDP(1, 53)),
	};
	uint8_t bytes[WIRE_PACKET_MAX];
	for (size_t i = 0; i < 4; i++) {
		const uint32_t len = packet_build(whole[i], bytes);
		for (uint32_t cut = 0; cut < len; cut++)
			assert_int_equal(judge_bytes(f, bytes, cut, 0, 1, 0),
					 FLOWS_DENIED_MALFORMED);
		assert_int_equal(judge_bytes(f, bytes, len, 0, 1, 0), FLOWS_NEW);
	}
}

static void a_further_destination_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[WIRE_PACKET_MAX];
	const uint32_t len =
		packet_build(PACKET(A6, B6, TCP(1, 80, TCP_SYN), .options = 1), bytes);
	bytes[6] = IPPROTO_ROUTING;
	bytes[43] = 1; /* segments left */
	assert_int_equal(judge_bytes(f, bytes, len, 0, 1, 0), FLOWS_DENIED_MALFORMED);
	bytes[43] = 0;
	assert_int_equal(judge_bytes(f, bytes, len, 0, 1, 0), FLOWS_NEW);
}

static void verdicts_are_counted_by_name(void **state)
{
	struct fixture *f = *state;
	expect(FLOWS_NEW, A4, B4, UDP(1, 53));
	expect(FLOWS_KNOWN, A4, B4, UDP(1, 53));
	expect(FLOWS_DENIED, B4, A4, UDP(1, 1));
	const struct flows_stats stats = flows_stats(f->flows);
	assert_int_equal(stats.verdicts[FLOWS_NEW], 1);
	assert_int_equal(stats.verdicts[FLOWS_KNOWN], 1);
	assert_int_equal(stats.verdicts[FLOWS_DENIED], 1);
	assert_string_equal(flows_verdict_name(FLOWS_DENIED_FULL), "denied-full");
	assert_string_equal(flows_verdict_name(FLOWS_VERDICTS), "unknown");
	flows_free(NULL);
}

/* ---- by chance, beside a model ----------------------------------------------------------- */

#define MODEL_MAX 64u

/* All that was ever let pass between two ends, as it was said. */
struct known {
	char by[16], to[16];
	uint16_t sport, dport;
	uint8_t protocol;
	uint64_t heard;
	bool is_answered, fin_by, fin_to, is_closed;
};

struct model {
	struct known known[MODEL_MAX];
	size_t n;
};

static bool model_lives(const struct known *k, uint64_t now)
{
	const bool lasts = k->protocol == IPPROTO_TCP && k->is_answered && !k->is_closed;
	return now - k->heard < (lasts ? 7200 : 120) * S;
}

static struct known *model_find(struct model *m, const struct packet *p, bool turned)
{
	for (size_t i = 0; i < m->n; i++) {
		struct known *k = &m->known[i];
		if (k->protocol == p->protocol && model_lives(k, p->now) &&
		    strcmp(k->by, turned ? p->dst : p->src) == 0 &&
		    strcmp(k->to, turned ? p->src : p->dst) == 0 &&
		    k->sport == (turned ? p->dport : p->sport) &&
		    k->dport == (turned ? p->sport : p->dport))
			return k;
	}
	return NULL;
}

static bool model_allows(const struct packet *p)
{
	if (party_of(p->src) != 0 || party_of(p->dst) != 1)
		return false;
	return p->dport == (p->protocol == IPPROTO_TCP ? 80 : 53);
}

static void model_hear(struct known *k, const struct packet *p, bool is_answer)
{
	k->heard = p->now;
	k->is_answered |= is_answer;
	if (is_answer)
		k->fin_to |= (p->flags & TCP_FIN) != 0;
	else
		k->fin_by |= (p->flags & TCP_FIN) != 0;
	k->is_closed |= (p->flags & TCP_RST) || (k->fin_by && k->fin_to);
	if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		k->is_answered = k->is_closed = k->fin_by = k->fin_to = false;
}

static enum flows_verdict model_judge(struct model *m, const struct packet *p)
{
	const bool opens = (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct known *k = model_find(m, p, false);
	struct known *answered = model_find(m, p, true);
	if (k) {
		model_hear(k, p, false);
		return FLOWS_KNOWN;
	}
	if (answered && !opens) {
		model_hear(answered, p, true);
		return FLOWS_KNOWN;
	}
	if (!model_allows(p))
		return FLOWS_DENIED;
	if (answered)
		return FLOWS_NEW;
	assert_true(m->n < MODEL_MAX);
	k = &m->known[m->n++];
	*k = (struct known){ .sport = p->sport,
			     .dport = p->dport,
			     .protocol = p->protocol };
	(void)snprintf(k->by, sizeof(k->by), "%s", p->src);
	(void)snprintf(k->to, sizeof(k->to), "%s", p->dst);
	model_hear(k, p, false);
	return FLOWS_NEW;
}

static void model_forget(struct model *m, uint64_t now)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n; i++)
		if (model_lives(&m->known[i], now))
			m->known[kept++] = m->known[i];
	m->n = kept;
}

static struct packet packet_by_chance(struct rng *rng, uint64_t now)
{
	static const char *const addresses[2][5] = { { A4, B4, A4, B4, "10.0.0.1" },
						     { A6, B6, A6, B6, "fd00::1" } };
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK,
					 TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST };
	static const uint16_t ports[] = { 80, 53, 80, 53, 1000 };
	const char *const *of = addresses[rng_below(rng, 2)];
	struct packet p = {
		.src = of[rng_below(rng, 5)],
		.dst = of[rng_below(rng, 5)],
		.protocol = rng_below(rng, 2) ? IPPROTO_TCP : IPPROTO_UDP,
		.sport = ports[rng_below(rng, 5)],
		.dport = ports[rng_below(rng, 5)],
		.now = now,
	};
	if (p.protocol == IPPROTO_TCP)
		p.flags = flags[rng_below(rng, 7)];
	return p;
}

/* The few flows there can be come and go by time: each step is of up to two hours. */
static void it_does_as_the_model(void **state)
{
	struct fixture *f = *state;
	static struct model m;
	struct rng rng;
	uint64_t now = S;
	size_t seen[FLOWS_VERDICTS] = { 0 };
	rng_init(&rng, test_seed());
	m.n = 0;
	for (unsigned i = 0; i < 20000; i++) {
		now += rng_below(&rng, 50) ? rng_below(&rng, 2) * S
					   : rng_below(&rng, 7300) * S;
		const struct packet p = packet_by_chance(&rng, now);
		if (strcmp(p.src, p.dst) == 0)
			continue;
		model_forget(&m, now);
		if (rng_below(&rng, 4) == 0)
			flows_age(f->flows, now);
		const enum flows_verdict expected = model_judge(&m, &p);
		const enum flows_verdict got = judge(f, &p);
		assert_string_equal(flows_verdict_name(got),
				    flows_verdict_name(expected));
		seen[got]++;
	}
	assert_true(seen[FLOWS_NEW] > 200 && seen[FLOWS_KNOWN] > 200 &&
		    seen[FLOWS_DENIED] > 1000);
}

#define with(f)       cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define with_fair(f)  cmocka_unit_test_setup_teardown(f, set_up_fair, tear_down)
#define with_small(f) cmocka_unit_test_setup_teardown(f, set_up_small, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with(answers_pass_and_nothing_else),
		with(ip6_is_no_other),
		with(who_answers_may_not_begin),
		with(a_silent_flow_is_forgotten),
		with(a_connection_is_kept_for_two_hours),
		with(a_closed_connection_is_not),
		with(used_again_a_flow_is_as_new),
		with_small(the_most_silent_makes_room),
		with_small(connections_are_not_pushed_out),
		with_small(datagrams_have_a_limit_of_their_own),
		with_fair(who_has_most_makes_room),
		with_fair(connections_make_room_for_others),
		with_fair(shares_survive_other_numbers),
		with_fair(datagrams_have_shares_too),
		with(the_first_fragment_decides),
		with(fragments_do_not_hide_a_header),
		with(errors_about_a_flow_pass),
		with(errors_of_ip6_too),
		with(an_error_goes_to_who_sent),
		with(an_error_makes_no_flow),
		with(new_rules_are_asked_again),
		with(no_beginning_of_a_packet_passes),
		with(a_further_destination_is_refused),
		with(verdicts_are_counted_by_name),
		with(it_does_as_the_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
