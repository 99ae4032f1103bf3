/* SPDX-License-Identifier: MIT */
/*
 * What an IPv4 packet has to be to be taken, and how each that is not ends.
 */
#include "stack/group.h"
#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "world.h"

#include <string.h>

#define ECHO_LEN 18u

/* A good echo request as a frame: Ethernet 14, IPv4 20, ICMP 18. */
static size_t echo_frame(const struct world *w, const char *src, const char *dst,
			 uint8_t *buf, size_t len)
{
	uint8_t message[ECHO_LEN] = { ICMP4_ECHO, [4] = 7 };
	const struct packet p = { .src = src,
				  .dst = dst,
				  .proto = IPPROTO_ICMP,
				  .csum_offset = ICMP_OFF_CSUM };
	return make(w, &p, message, sizeof(message), buf, len);
}

/* Makes the header checksum of a frame right again, whatever its IHL says. */
static void fix_header(uint8_t *frame)
{
	uint8_t *ip4 = frame + ETHER_LEN;
	size_t len = (size_t)(ip4[0] & 0x0f) * 4;
	store_be16(ip4 + IP4_OFF_CSUM, 0);
	store_be16(ip4 + IP4_OFF_CSUM, checksum(ip4, len));
}

static void answers_an_echo(void **state)
{
	struct world w;
	struct seen s;
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), ANSWERED);
	s = see(tx(&w));
	assert_string_equal(text(&s.src), "10.1.0.2");
	assert_string_equal(text(&s.dst), "10.1.0.1");
	assert_int_equal(s.proto, IPPROTO_ICMP);
	assert_int_equal(s.ttl, 64);
	assert_int_equal(s.payload[0], ICMP4_ECHO_REPLY);
	assert_int_equal(s.len, 18);
	assert_memory_equal(s.payload + ICMP_LEN, "0123456789", 10);
	assert_true(checksum_is_right(0, s.payload, s.len));
	tx_none(&w);
	world_fini(&w);
}

static void drops_headers_that_lie(void **state)
{
	static const struct {
		size_t off;
		uint8_t value;
		const char *outcome;
	} lies[] = {
		{ 0, 0x44, "drop-ip-header" }, /* IHL below 5. */
		{ 0, 0x4f, "drop-ip-header" }, /* IHL past the end. */
		{ 0, 0x55, "drop-ip-header" }, /* Version 5. */
		{ 0, 0x65, "drop-ip-header" }, /* Version 6 under IPv4's type. */
		{ 2, 0xff, "drop-ip-header" }, /* Total length past the frame. */
		{ 3, 19, "drop-ip-header" },   /* Total length below the header's. */
		{ 3, 0, "drop-ip-header" },    /* None at all (microps underflows). */
		{ 10, 0xee, "drop-ip-checksum" },
	};
	struct world w;
	uint8_t frame[128];
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		size_t len = echo_frame(&w, "10.1.0.1", "10.1.0.2", frame, sizeof(frame));
		frame[ETHER_LEN + lies[i].off] = lies[i].value;
		if (lies[i].off != 10 && (frame[ETHER_LEN] & 0x0f) <= 5)
			fix_header(frame);
		assert_string_equal(weft_stack_outcome_name(rx(&w, frame, len)),
				    lies[i].outcome);
	}
	tx_none(&w);
	world_fini(&w);
}

static void drops_addresses_that_cannot_be(void **state)
{
	static const struct {
		const char *src, *dst, *outcome;
	} pairs[] = {
		{ "224.0.0.5", "10.1.0.2", "drop-martian" },
		{ "255.255.255.255", "10.1.0.2", "drop-martian" },
		{ "10.1.0.255", "10.1.0.2", "drop-martian" },
		{ "127.0.0.1", "10.1.0.2", "drop-martian" },
		{ "240.0.0.1", "10.1.0.2", "drop-martian" },
		{ "0.1.2.3", "10.1.0.2", "drop-martian" },
		{ "1.1.2.3", "10.1.0.2",
		  "ignored" }, /* It may be; there is no way back. */
		{ "0.0.0.0", "10.1.0.2", "drop-martian" },
		{ "10.1.0.2", "10.1.0.2", "drop-martian" }, /* LAND. */
		{ "10.1.0.1", "127.0.0.1", "drop-martian" },
		{ "10.1.0.1", "0.0.0.0", "drop-martian" },
		{ "10.1.0.1", "10.1.0.3", "drop-no-host" },
		{ "10.1.0.1", "8.8.8.8", "drop-no-host" },
		{ "10.1.0.1", "224.0.0.99", "drop-no-host" },
		{ "10.1.0.1", "10.1.0.255", "ignored" }, /* Echo to a broadcast. */
		{ "10.1.0.1", "255.255.255.255", "ignored" },
		{ "10.1.0.1", "224.0.0.1", "ignored" },
	};
	struct world w;
	uint8_t frame[128];
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		size_t len =
			echo_frame(&w, pairs[i].src, pairs[i].dst, frame, sizeof(frame));
		print_message("# %s > %s\n", pairs[i].src, pairs[i].dst);
		assert_string_equal(weft_stack_outcome_name(rx(&w, frame, len)),
				    pairs[i].outcome);
	}
	tx_none(&w);
	world_fini(&w);
}

static void looks_at_the_frame_s_addresses(void **state)
{
	struct world w;
	uint8_t frame[128];
	(void)state;
	world_init(&w, NULL);
	size_t len = echo_frame(&w, "10.1.0.1", "10.1.0.2", frame, sizeof(frame));
	assert_outcome(rx(&w, frame, 13), DROP_RUNT);
	assert_outcome(rx(&w, frame, 0), DROP_RUNT);

	uint8_t other[128];
	memcpy(other, frame, len);
	other[5] ^= 1; /* To another host. */
	assert_outcome(rx(&w, other, len), DROP_NOT_OURS);
	memset(other, 0xff, 6); /* A packet for one, in a frame for all. */
	assert_outcome(rx(&w, other, len), DROP_MARTIAN);
	memcpy(other, frame, len);
	other[6] |= 1; /* From a group. */
	assert_outcome(rx(&w, other, len), DROP_MARTIAN);
	memcpy(other, frame, len);
	memcpy(other + 6, w.iface->mac.octet, 6); /* Our own, come back. */
	assert_outcome(rx(&w, other, len), DROP_NOT_OURS);
	memcpy(other, frame, len);
	store_be16(other + 12, ETHER_TYPE_LLDP);
	assert_outcome(rx(&w, other, len), DROP_ETHERTYPE);
	tx_none(&w);
	world_fini(&w);
}

/* A frame is padded to 60 bytes; what is behind the packet is not part of it. */
static void does_not_answer_with_padding(void **state)
{
	struct world w;
	uint8_t frame[128] = { 0 };
	(void)state;
	world_init(&w, NULL);
	(void)echo_frame(&w, "10.1.0.1", "10.1.0.2", frame, sizeof(frame));
	assert_outcome(rx(&w, frame, 90), ANSWERED);
	assert_int_equal(see(tx(&w)).len, ECHO_LEN);
	world_fini(&w);
}

/* The frame with options between its header and its payload. */
static enum weft_stack_outcome rx_options(struct world *w, const uint8_t *options,
					  size_t n)
{
	uint8_t frame[128], whole[128];
	size_t len = echo_frame(w, "10.1.0.1", "10.1.0.2", frame, sizeof(frame));
	size_t at = ETHER_LEN + IP4_LEN;
	memcpy(whole, frame, at);
	memcpy(whole + at, options, n);
	memcpy(whole + at + n, frame + at, len - at);
	whole[ETHER_LEN] = (uint8_t)(0x45 + n / 4);
	store_be16(whole + ETHER_LEN + 2, (uint16_t)(len + n - ETHER_LEN));
	fix_header(whole);
	return rx(w, whole, len + n);
}

static void passes_over_options_but_source_routes(void **state)
{
	static const struct {
		uint8_t bytes[8];
		const char *outcome;
	} options[] = {
		{ { 1, 1, 1, 1, 1, 1, 1, 1 }, "answered" },
		{ { 0, 99, 99, 99, 99, 99, 99, 99 }, "answered" }, /* End of them. */
		{ { 7, 7, 4, 0, 0, 0, 0, 0 }, "answered" },        /* Record route. */
		{ { 148, 4, 0, 0, 0, 0, 0, 0 }, "answered" },      /* Router alert. */
		{ { 200, 8, 1, 2, 3, 4, 5, 6 }, "answered" },      /* Unknown. */
		{ { 131, 7, 4, 10, 1, 0, 9, 0 },
		  "drop-option" }, /* Loose source route. */
		{ { 137, 7, 4, 10, 1, 0, 9, 0 },
		  "drop-option" },                             /* Strict source route. */
		{ { 7, 0, 0, 0, 0, 0, 0, 0 }, "drop-option" }, /* Length 0: for ever. */
		{ { 7, 1, 0, 0, 0, 0, 0, 0 }, "drop-option" },
		{ { 7, 9, 0, 0, 0, 0, 0, 0 }, "drop-option" }, /* Past the end. */
		{ { 1, 1, 1, 1, 1, 1, 1, 7 }, "drop-option" }, /* Without a length. */
	};
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		assert_string_equal(
			weft_stack_outcome_name(rx_options(&w, options[i].bytes, 8)),
			options[i].outcome);
	world_fini(&w);
}

static void says_which_protocol_is_not_spoken(void **state)
{
	struct world w;
	const struct packet p = { .src = "10.1.0.1", .dst = "10.1.0.2", .proto = 254 };
	struct packet all = p;
	(void)state;
	world_init(&w, NULL);
	assert_outcome(rx_packet(&w, &p, "what", 4), DROP_NO_PROTOCOL);
	struct seen s = see(tx(&w));
	assert_int_equal(s.payload[0], ICMP4_UNREACHABLE);
	assert_int_equal(s.payload[1], 2);
	all.dst = "10.1.0.255";
	assert_outcome(rx_packet(&w, &all, "what", 4), DROP_NO_PROTOCOL);
	tx_none(&w);
	world_fini(&w);
}

static void takes_its_own_vlan_only(void **state)
{
	const struct world_opts opts = { .iface = { .vlan = 7 } };
	struct world w;
	uint8_t frame[128], tagged[128];
	(void)state;
	world_init(&w, &opts);
	size_t len = echo_frame(&w, "10.1.0.1", "10.1.0.2", frame, sizeof(frame));
	memcpy(tagged, frame, 12);
	memcpy(tagged + 16, frame + 12, len - 12);
	store_be16(tagged + 12, ETHER_TYPE_VLAN);
	store_be16(tagged + 14, 0xa007);
	assert_outcome(rx(&w, frame, len), DROP_ETHERTYPE);
	assert_outcome(rx(&w, tagged, len + 4), ANSWERED);
	const struct sent *sent = tx(&w);
	assert_int_equal(load_be16(sent->bytes + 12), ETHER_TYPE_VLAN);
	assert_int_equal(load_be16(sent->bytes + 14), 7);
	store_be16(tagged + 14, 8);
	assert_outcome(rx(&w, tagged, len + 4), DROP_ETHERTYPE);
	world_fini(&w);

	/* A tag for priority alone is no VLAN. */
	world_init(&w, NULL);
	memcpy(tagged, w.iface->mac.octet, 6);
	store_be16(tagged + 14, 0xe000);
	assert_outcome(rx(&w, tagged, len + 4), ANSWERED);
	world_fini(&w);
}

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

/* Who was let in once is not for ever: each change of addresses has all judged anew. */
static void addresses_that_change_are_judged_anew(void **state)
{
	struct world w;
	uint8_t frame[128];
	const struct packet p = {
		.src = "10.1.0.127", .dst = "10.1.0.2", .sport = 1, .dport = 9
	};
	struct weft_ip ours = ip_of("10.1.0.2/24"), half = ip_of("10.1.0.3/25");
	struct weft_ip theirs = ip_of("10.1.0.127/24");
	(void)state;
	world_init(&w, NULL);
	size_t len = make(&w, &p, "data", 4, frame, sizeof(frame));
	for (unsigned i = 0; i < 3; i++)
		assert_outcome(rx(&w, frame, len), DROP_UDP_NO_SOCKET);
	weft_iface_remove_address(w.iface, &ours, w.now);
	assert_outcome(rx(&w, frame, len), DROP_NO_HOST);
	assert_int_equal(weft_iface_add_address(w.iface, &ours, 0, w.now), 0);
	assert_outcome(rx(&w, frame, len), DROP_UDP_NO_SOCKET);
	assert_int_equal(weft_iface_add_address(w.iface, &theirs, 0, w.now), 0);
	assert_outcome(rx(&w, frame, len), DROP_MARTIAN);
	weft_iface_remove_address(w.iface, &theirs, w.now);
	assert_outcome(rx(&w, frame, len), DROP_UDP_NO_SOCKET);
	/* The broadcast address of a network, also while its address is still being probed. */
	assert_int_equal(
		weft_iface_add_address(w.iface, &half, WEFT_ADDRESS_PROBE, w.now), 0);
	assert_outcome(rx(&w, frame, len), DROP_MARTIAN);
	world_fini(&w);
}

/* Nor is a group that was left, whatever MAC its packets come to. */
static void a_group_that_was_left_is_not_taken(void **state)
{
	struct world w;
	uint8_t frame[128];
	struct ip_addr group = addr("239.1.2.3");
	(void)state;
	world_init(&w, NULL);
	size_t len = echo_frame(&w, "10.1.0.1", "239.1.2.3", frame, sizeof(frame));
	memcpy(frame, w.iface->mac.octet, sizeof(w.iface->mac.octet));
	assert_int_equal(group_join(w.iface, &group, w.now), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_outcome(rx(&w, frame, len), IGNORED);
	group_leave(w.iface, &group, w.now);
	assert_outcome(rx(&w, frame, len), DROP_NO_HOST);
	world_fini(&w);
}

static void takes_offload_facts_that_are_true_only(void **state)
{
	struct world w;
	uint8_t frame[128];
	const struct packet p = {
		.src = "10.1.0.1", .dst = "10.1.0.2", .sport = 1, .dport = 9
	};
	(void)state;
	world_init(&w, NULL);
	size_t len = make(&w, &p, "data", 4, frame, sizeof(frame));
	struct weft_frame f = { .data = frame, .len = (uint32_t)len };

	/* Verified by the link: what stands in the field does not matter. */
	frame[ETHER_LEN + IP4_LEN + 6] ^= 0xff;
	assert_outcome(rx_frame(&w, &f), DROP_UDP_CHECKSUM);
	f.offload.flags = WEFT_OFFLOAD_CSUM_VALID;
	assert_outcome(rx_frame(&w, &f), DROP_UDP_NO_SOCKET);
	f.offload = (struct weft_offload){ .flags = WEFT_OFFLOAD_NEEDS_CSUM,
					   .csum_start = ETHER_LEN + IP4_LEN,
					   .csum_offset = 6 };
	assert_outcome(rx_frame(&w, &f), DROP_UDP_NO_SOCKET);
	f.offload.csum_start = 6; /* Over a MAC. */
	assert_outcome(rx_frame(&w, &f), DROP_OFFLOAD);
	f.offload.csum_start = 60000;
	assert_outcome(rx_frame(&w, &f), DROP_OFFLOAD);
	f.offload = (struct weft_offload){ .gso = WEFT_GSO_TCP4, .gso_size = 100 };
	assert_outcome(rx_frame(&w, &f), DROP_OFFLOAD);
	f.offload = (struct weft_offload){ .gso = WEFT_GSO_UDP };
	assert_outcome(rx_frame(&w, &f), DROP_OFFLOAD);
	f.offload = (struct weft_offload){ .gso = 77, .gso_size = 1 };
	assert_outcome(rx_frame(&w, &f), DROP_OFFLOAD);
	world_fini(&w);
}

static bool take_all(void *user, const struct weft_frame *frame, uint64_t now)
{
	unsigned *taken = user;
	(void)now;
	*taken += frame->len > 0;
	return *taken == 1;
}

static void somebody_else_may_look_first(void **state)
{
	struct world w;
	unsigned seen = 0;
	(void)state;
	world_init(&w, NULL);
	weft_iface_on_frame(w.iface, take_all, &seen);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), DELIVERED);
	tx_none(&w);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), ANSWERED);
	weft_iface_on_frame(w.iface, NULL, NULL);
	assert_outcome(rx_echo(&w, "10.1.0.1", "10.1.0.2"), ANSWERED);
	assert_int_equal(seen, 2);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_an_echo),
		cmocka_unit_test(drops_headers_that_lie),
		cmocka_unit_test(drops_addresses_that_cannot_be),
		cmocka_unit_test(looks_at_the_frame_s_addresses),
		cmocka_unit_test(does_not_answer_with_padding),
		cmocka_unit_test(passes_over_options_but_source_routes),
		cmocka_unit_test(says_which_protocol_is_not_spoken),
		cmocka_unit_test(takes_its_own_vlan_only),
		cmocka_unit_test(addresses_that_change_are_judged_anew),
		cmocka_unit_test(a_group_that_was_left_is_not_taken),
		cmocka_unit_test(takes_offload_facts_that_are_true_only),
		cmocka_unit_test(somebody_else_may_look_first),
	};
	return cmocka_run_group_tests_name("ip4", tests, NULL, NULL);
}
