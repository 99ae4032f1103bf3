/* SPDX-License-Identifier: MIT */
/*
 * Questions that are answered in another's name, and all those that must not be.
 */
#include "bridge/suppress.h"

#include "../unit.h"
#include "base/mac.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/nd.h"

#include <netinet/in.h>
#include <string.h>

#define S UINT64_C(1000000000)

static const struct weft_mac everybody = { { 255, 255, 255, 255, 255, 255 } };
static const struct weft_mac alice_mac = { { 2, 0, 0, 0, 0, 1 } };
static const struct weft_mac bob_mac = { { 2, 0, 0, 0, 0, 2 } };
static const struct weft_mac lan_mac = { { 2, 0, 0, 0, 0, 3 } };

struct scene {
	struct filter *filter;
	struct filter_member alice, bob, lan;
	uint8_t buf[256], out[SUPPRESS_FRAME_MAX];
	struct weft_frame frame;
	struct suppress_question question;
	struct filter_binding binding;
	uint64_t now;
};

static void begin(struct scene *s)
{
	static const uint8_t secret[HASH_SECRET_LEN] = { 7 };
	const struct filter_opts opts = filter_defaults();
	*s = (struct scene){ .now = 100 * S };
	assert_int_equal(filter_new(&opts, secret, &s->filter), 0);
	filter_join(s->filter, &s->alice, false);
	filter_join(s->filter, &s->bob, false);
	filter_join(s->filter, &s->lan, true);
}

static void end(struct scene *s)
{
	filter_leave(s->filter, &s->alice);
	filter_leave(s->filter, &s->bob);
	filter_leave(s->filter, &s->lan);
	filter_free(s->filter);
}

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static void arp(struct scene *s, struct weft_mac src, uint32_t sender, uint32_t target)
{
	const struct ether_hdr ether = { .dst = everybody,
					 .src = src,
					 .type = ETHER_TYPE_ARP };
	const struct arp_hdr hdr = { .op = ARP_OP_REQUEST,
				     .sender_mac = src,
				     .sender_ip = sender,
				     .target_ip = target };
	memset(s->buf, 0, 60);
	assert_true(ether_hdr_emit(s->buf, ETHER_LEN, &ether) > 0);
	assert_true(arp_hdr_emit(s->buf + ETHER_LEN, ARP_LEN, &hdr) > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = 60 };
}

static void nd(struct scene *s, struct weft_mac src, const char *from,
	       const struct nd_msg *msg)
{
	uint8_t icmp[128];
	const struct compose packet = { .is_ether = true,
					.dst_mac = { { 0x33, 0x33, 0xff, 0, 0, 2 } },
					.src_mac = src,
					.src = ip_of(from),
					.dst = ip_of("ff02::1:ff00:2"),
					.proto = IPPROTO_ICMPV6,
					.ttl = ND_HOP_LIMIT,
					.csum_offset = ICMP_OFF_CSUM };
	int len = nd_msg_emit(icmp, sizeof(icmp), msg);
	assert_true(len > 0);
	len = compose_ip(&packet, icmp, (size_t)len, s->buf, sizeof(s->buf));
	assert_true(len > 0);
	s->frame = (struct weft_frame){ .data = s->buf, .len = (uint32_t)len };
}

static struct ip6_addr addr6(const char *text)
{
	const struct weft_ip ip = ip_of(text);
	return ip6_addr_load(ip.octet);
}

static void solicit(struct scene *s, struct weft_mac src, const char *from,
		    const char *target)
{
	const struct nd_msg msg = { .type = ICMP6_NEIGHBOR_SOLICIT,
				    .target = addr6(target),
				    .has_source_mac = true,
				    .source_mac = src };
	nd(s, src, from, &msg);
}

static void advertise(struct scene *s, struct weft_mac src, const char *address,
		      bool is_router)
{
	const struct nd_msg msg = { .type = ICMP6_NEIGHBOR_ADVERT,
				    .target = addr6(address),
				    .router = is_router,
				    .override = true,
				    .has_target_mac = true,
				    .target_mac = src };
	nd(s, src, address, &msg);
}

/* The filter sees the frame, as it sees each one before it is answered. */
static void seen_of(struct scene *s, struct filter_member *member)
{
	assert_int_equal(filter_decide(s->filter, member, &s->frame, true, s->now),
			 FILTER_PASS);
}

static enum suppress_action action_of(struct scene *s, struct filter_member *asker)
{
	seen_of(s, asker);
	if (!suppress_parse(&s->frame, &s->question) ||
	    !filter_find(s->filter, &s->question.target, s->now, &s->binding))
		return SUPPRESS_PASS;
	return suppress_decide(&s->question, asker, &s->binding);
}

/* Bob has 10.0.0.2, and has said so. */
static void bob_is_known(struct scene *s)
{
	begin(s);
	arp(s, bob_mac, 0x0a000002, 0x0a000002);
	seen_of(s, &s->bob);
}

static void a_fresh_address_is_answered_for(void **state)
{
	struct scene s;
	struct ether_hdr ether;
	struct arp_hdr answer;
	(void)state;
	bob_is_known(&s);
	arp(&s, alice_mac, 0x0a000001, 0x0a000002);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_ANSWER);
	size_t len = suppress_answer(&s.question, &s.binding, s.out);
	int off = ether_hdr_parse(s.out, len, &ether);
	assert_int_equal(off, ETHER_LEN);
	assert_true(mac_equal(ether.dst, alice_mac) && mac_equal(ether.src, bob_mac));
	assert_true(arp_hdr_parse(s.out + off, len - (size_t)off, &answer) > 0);
	assert_int_equal(answer.op, ARP_OP_REPLY);
	assert_true(mac_equal(answer.sender_mac, bob_mac));
	assert_int_equal(answer.sender_ip, 0x0a000002);
	assert_true(mac_equal(answer.target_mac, alice_mac));
	assert_int_equal(answer.target_ip, 0x0a000001);
	end(&s);
}

static void everyone_is_asked(void **state)
{
	struct scene s;
	(void)state;
	bob_is_known(&s);
	arp(&s, alice_mac, 0, 0x0a000002); /* a probe */
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	arp(&s, alice_mac, 0x0a000001, 0x0a000001); /* an announcement */
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	arp(&s, alice_mac, 0x0a000001, 0x0a000009); /* about a stranger */
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	arp(&s, alice_mac, 0x0a000001, 0x0a000002); /* somebody else's MAC inside */
	s.buf[ETHER_LEN + ARP_OFF_SENDER_MAC + 5] = 9;
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	arp(&s, alice_mac, 0x0a000001, 0x0a000002); /* to one station */
	mac_store(s.buf, bob_mac);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	end(&s);
}

/* What ARP says under another MAC than its frame's binds nothing that we could answer. */
static void a_mac_that_is_not_the_frames_is_not_believed(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	arp(&s, bob_mac, 0x0a000002, 0x0a000002);
	s.buf[ETHER_LEN + ARP_OFF_SENDER_MAC + 5] = 9;
	seen_of(&s, &s.bob);
	arp(&s, alice_mac, 0x0a000001, 0x0a000002);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	end(&s);
}

static void a_stale_address_is_asked_alone_and_once(void **state)
{
	struct scene s;
	(void)state;
	bob_is_known(&s);
	s.now += FILTER_ADDRESS_NS;
	arp(&s, alice_mac, 0x0a000001, 0x0a000002);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_DIRECT);
	assert_int_equal(suppress_direct(&s.frame, &s.binding, s.out), 60);
	assert_true(mac_equal(mac_load(s.out), bob_mac));
	assert_memory_equal(s.out + 6, s.buf + 6, 54);
	filter_note_directed(s.filter, &s.question.target, s.now);
	/* It has not answered: everyone is asked. */
	s.now += S;
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	s.now += FILTER_DIRECT_NS;
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_DIRECT);
	/* It answers, and is known again. */
	arp(&s, bob_mac, 0x0a000002, 0x0a000001);
	seen_of(&s, &s.bob);
	arp(&s, alice_mac, 0x0a000001, 0x0a000002);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_ANSWER);
	end(&s);
}

static void the_lan_answers_for_itself(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	arp(&s, lan_mac, 0x0a0000fe, 0x0a0000fe);
	seen_of(&s, &s.lan);
	arp(&s, alice_mac, 0x0a000001, 0x0a0000fe);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_DIRECT);
	assert_true(mac_equal(s.binding.mac, lan_mac));
	/* And asks itself: nobody in the room is concerned. */
	arp(&s, (struct weft_mac){ { 2, 0, 0, 0, 0, 4 } }, 0x0a0000fd, 0x0a0000fe);
	assert_int_equal(action_of(&s, &s.lan), SUPPRESS_LOCAL);
	s.now += FILTER_ADDRESS_NS;
	assert_int_equal(action_of(&s, &s.lan), SUPPRESS_PASS);
	end(&s);
}

static void a_solicitation_is_answered_with_the_targets_flags(void **state)
{
	struct scene s;
	struct nd_msg msg;
	(void)state;
	for (int is_router = 0; is_router < 2; is_router++) {
		begin(&s);
		advertise(&s, bob_mac, "fe80::2", is_router);
		seen_of(&s, &s.bob);
		solicit(&s, bob_mac, "fe80::2", "fe80::7"); /* changes no flag */
		seen_of(&s, &s.bob);
		solicit(&s, alice_mac, "fe80::1", "fe80::2");
		assert_int_equal(action_of(&s, &s.alice), SUPPRESS_ANSWER);
		size_t len = suppress_answer(&s.question, &s.binding, s.out);
		const size_t off = ETHER_LEN + IP6_LEN;
		assert_true(len > off);
		assert_int_equal(s.out[ETHER_LEN + IP6_OFF_HOP_LIMIT], ND_HOP_LIMIT);
		assert_int_equal(nd_msg_parse(s.out + off, len - off, &msg), 0);
		assert_int_equal(msg.type, ICMP6_NEIGHBOR_ADVERT);
		assert_int_equal(msg.router, is_router);
		assert_true(msg.solicited && !msg.override && msg.has_target_mac);
		assert_true(mac_equal(msg.target_mac, bob_mac));
		end(&s);
	}
}

static void solicitations_for_everyone(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	solicit(&s, bob_mac, "fe80::2", "fe80::9"); /* its flags are not known */
	seen_of(&s, &s.bob);
	solicit(&s, alice_mac, "fe80::1", "fe80::2");
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_DIRECT);
	advertise(&s, bob_mac, "fe80::2", false);
	seen_of(&s, &s.bob);
	solicit(&s, alice_mac, "fe80::1", "fe80::2");
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_ANSWER);
	assert_true(suppress_parse(&s.frame, &s.question));
	s.buf[ETHER_LEN + IP6_LEN + ICMP_OFF_CSUM] ^= 1;
	assert_false(suppress_parse(&s.frame, &s.question));
	solicit(&s, alice_mac, "fe80::1", "fe80::2");
	mac_store(s.buf + ETHER_OFF_SRC, lan_mac); /* another one than inside */
	assert_false(suppress_parse(&s.frame, &s.question));
	solicit(&s, alice_mac, "::", "fe80::2"); /* Duplicate Address Detection */
	assert_false(suppress_parse(&s.frame, &s.question));
	solicit(&s, alice_mac, "fe80::1", "fe80::2");
	s.buf[ETHER_LEN + IP6_OFF_HOP_LIMIT] = 254; /* from beyond the link */
	assert_false(suppress_parse(&s.frame, &s.question));
	solicit(&s, alice_mac, "fe80::1", "fe80::1"); /* for its own address */
	assert_false(suppress_parse(&s.frame, &s.question));
	const struct nd_msg no_question = { .type = ICMP6_NEIGHBOR_ADVERT,
					    .target = addr6("fe80::2"),
					    .has_source_mac = true,
					    .source_mac = alice_mac };
	nd(&s, alice_mac, "fe80::1", &no_question);
	assert_false(suppress_parse(&s.frame, &s.question));
	end(&s);
}

static void who_leaves_is_forgotten(void **state)
{
	struct scene s;
	(void)state;
	bob_is_known(&s);
	filter_leave(s.filter, &s.bob);
	arp(&s, alice_mac, 0x0a000001, 0x0a000002);
	assert_int_equal(action_of(&s, &s.alice), SUPPRESS_PASS);
	end(&s);
}

/* No length of a question reads past its end. */
static void every_length(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	solicit(&s, alice_mac, "fe80::1", "fe80::2");
	for (uint32_t len = 0; len < s.frame.len; len++) {
		uint8_t *copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy, s.buf, len);
		const struct weft_frame frame = { .data = copy, .len = len };
		assert_false(suppress_parse(&frame, &s.question));
		free(copy);
	}
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_address_is_answered_for),
		cmocka_unit_test(everyone_is_asked),
		cmocka_unit_test(a_mac_that_is_not_the_frames_is_not_believed),
		cmocka_unit_test(a_stale_address_is_asked_alone_and_once),
		cmocka_unit_test(the_lan_answers_for_itself),
		cmocka_unit_test(a_solicitation_is_answered_with_the_targets_flags),
		cmocka_unit_test(solicitations_for_everyone),
		cmocka_unit_test(who_leaves_is_forgotten),
		cmocka_unit_test(every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
