/* SPDX-License-Identifier: MIT */
/*
 * The way out: fragments, checksums that are left to the link or made, super-frames, and which
 * source and which hop a packet gets.
 */
#include "base/time.h"
#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "world.h"

#include <errno.h>
#include <string.h>

struct pair {
	const char *own, *peer;
	bool is_ip4;
};

static const struct pair pairs[] = {
	{ "10.1.0.2", "10.1.0.1", true },
	{ "2001:db8::2", "2001:db8::1", false },
};

/* A datagram of UDP with len bytes of data. */
static int send_udp(struct world *w, const struct pair *p, const uint8_t *data,
		    size_t len, bool dont_fragment)
{
	uint8_t header[UDP_LEN];
	const struct udp_hdr hdr = { 1, 2, (uint16_t)(UDP_LEN + len), 0 };
	/* In several pieces of odd lengths. */
	const struct ip_slice slices[] = { { header, UDP_LEN },
					   { data, len / 3 },
					   { NULL, 0 },
					   { data + len / 3, len - len / 3 } };
	const struct ip_tx tx = {
		.src = addr(p->own),
		.dst = addr(p->peer),
		.protocol = IPPROTO_UDP,
		.tos = 0xb8,
		.csum_offset = UDP_OFF_CSUM,
		.dont_fragment = dont_fragment,
		.slices = slices,
		.slices_n = 4,
	};
	assert_int_equal(udp_hdr_emit(header, UDP_LEN, &hdr), UDP_LEN);
	return ip_output(w->stack, &tx, w->now);
}

static bool is_sum_right(const struct seen *s, const uint8_t *datagram, size_t len)
{
	uint32_t sum = compose_pseudo(&s->src, &s->dst, IPPROTO_UDP, (uint32_t)len);
	return checksum_udp_is_right(sum, datagram, len, true);
}

static void a_datagram_is_whole_up_to_the_mtu(void **state)
{
	static uint8_t data[2000];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct pair *p = &pairs[i];
		size_t fits = 1500 - UDP_LEN - (p->is_ip4 ? IP4_LEN : IP6_LEN);
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(send_udp(&w, p, data, fits, true), 0);
		struct seen s = see(tx(&w));
		assert_int_equal(s.tos, 0xb8);
		assert_int_equal(s.df, p->is_ip4);
		assert_true(is_sum_right(&s, s.payload, s.len));
		assert_int_equal(send_udp(&w, p, data, fits + 1, true), -EMSGSIZE);
		assert_int_equal(send_udp(&w, p, data, fits + 1, false), 0);
		assert_true(see(tx(&w)).more);
		s = see(tx(&w));
		assert_false(s.more);
		assert_true(s.frag_off > 0);
		tx_none(&w);
		world_fini(&w);
	}
}

static void fragments_make_the_datagram(void **state)
{
	static uint8_t data[65000], whole[70000];
	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13 + i / 256);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct world w;
		world_init(&w, NULL);
		assert_int_equal(send_udp(&w, p, data, sizeof(data), false), 0);
		world_run(&w);
		size_t at = 0;
		uint32_t id = see(&w.sent[0]).id;
		struct seen s = { .more = true };
		while (s.more) {
			s = see(tx(&w));
			assert_int_equal(s.frag_off, at);
			assert_int_equal(s.id, id);
			assert_true(w.sent[w.taken - 1].len <= 1514);
			memcpy(whole + at, s.payload, s.len);
			at += s.len;
		}
		assert_int_equal(at, UDP_LEN + sizeof(data));
		assert_memory_equal(whole + UDP_LEN, data, sizeof(data));
		assert_true(is_sum_right(&s, whole, at));
		tx_none(&w);
		/* The next one has another identification. */
		assert_int_equal(send_udp(&w, p, data, 3000, false), 0);
		assert_int_not_equal(see(tx(&w)).id, id);
		world_fini(&w);
	}
}

/* The identification that a datagram's fragments have. */
static uint32_t id_to(struct world *w, const char *peer)
{
	static const uint8_t data[3000];
	const struct pair p = { "2001:db8::2", peer, false };
	assert_int_equal(send_udp(w, &p, data, sizeof(data), false), 0);
	struct seen first = see(tx(w));
	assert_true(first.more);
	tx_forget(w);
	return first.id;
}

/* RFC 7739: one destination's say nothing of another's, and come again only after all others. */
static void identifications_cannot_be_foreseen(void **state)
{
	static const uint8_t secrets[][16] = { "one of a stack's", "another stack's" };
	const struct weft_ip other = ip("2001:db8::3");
	uint32_t first[ARRAY_LEN(secrets)];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		const struct world_opts opts = { .stack = { .secret = secrets[i] } };
		struct world w;
		world_init(&w, &opts);
		assert_int_equal(
			weft_iface_add_neighbour(w.iface, &other, mac(TEST_MAC), w.now),
			0);
		first[i] = id_to(&w, "2001:db8::1");
		uint32_t between = id_to(&w, "2001:db8::3");
		assert_true(between - first[i] > 1000 && first[i] - between > 1000);
		for (uint32_t n = 1; n < 100; n++) {
			assert_int_equal(id_to(&w, "2001:db8::1"), first[i] + n);
			assert_int_equal(id_to(&w, "2001:db8::3"), between + n);
		}
		world_fini(&w);
	}
	assert_true(first[0] - first[1] > 1000 && first[1] - first[0] > 1000);
}

static void a_link_that_sums_is_left_to(void **state)
{
	const struct world_opts opts = { .link_flags = WEFT_LINK_CSUM };
	static uint8_t data[100];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct pair *p = &pairs[i];
		struct world w;
		world_init(&w, &opts);
		assert_int_equal(send_udp(&w, p, data, sizeof(data), false), 0);
		const struct sent *sent = tx(&w);
		struct seen s = see(sent);
		assert_int_equal(sent->offload.flags, WEFT_OFFLOAD_NEEDS_CSUM);
		assert_int_equal(sent->offload.csum_start, s.payload - sent->bytes);
		assert_int_equal(sent->offload.csum_offset, UDP_OFF_CSUM);
		uint32_t sum =
			compose_pseudo(&s.src, &s.dst, IPPROTO_UDP, (uint32_t)s.len);
		assert_int_equal(load_be16(s.payload + UDP_OFF_CSUM), checksum_fold(sum));
		/* Fragments cannot be left to it. */
		assert_int_equal(send_udp(&w, p, data, 90, false), 0);
		world_fini(&w);
	}
}

static struct ip_tx super(const struct pair *p, const struct ip_slice *slices, size_t n)
{
	return (struct ip_tx){
		.src = addr(p->own),
		.dst = addr(p->peer),
		.protocol = IPPROTO_TCP,
		.dont_fragment = true,
		.csum_offset = TCP_OFF_CSUM,
		.gso = p->is_ip4 ? WEFT_GSO_TCP4 : WEFT_GSO_TCP6,
		.gso_size = 1000,
		.hdr_len = TCP_LEN,
		.slices = slices,
		.slices_n = n,
	};
}

static void super_frames_go_whole_or_are_cut(void **state)
{
	static uint8_t data[60000];
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(pairs); i++) {
		const struct pair *p = &pairs[i / 2];
		const struct world_opts opts = {
			.link_flags =
				i % 2 ? WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6
				      : 0,
		};
		uint8_t header[TCP_LEN];
		const struct tcp_hdr hdr = { .sport = 1, .dport = 2, .flags = TCP_ACK };
		const struct ip_slice slices[] = { { header, TCP_LEN },
						   { data, sizeof(data) } };
		struct world w;
		assert_int_equal(tcp_hdr_emit(header, TCP_LEN, &hdr), TCP_LEN);
		world_init(&w, &opts);
		struct ip_tx tx_super = super(p, slices, 2);
		assert_int_equal(ip_output(w.stack, &tx_super, w.now), 0);
		const struct sent *sent = tx(&w);
		if (i % 2) {
			size_t headers =
				ETHER_LEN + (p->is_ip4 ? IP4_LEN : IP6_LEN) + TCP_LEN;
			assert_int_equal(sent->len, headers + sizeof(data));
			assert_int_equal(sent->offload.gso, tx_super.gso);
			assert_int_equal(sent->offload.gso_size, 1000);
			assert_int_equal(sent->offload.hdr_len, headers);
			tx_none(&w);
		} else {
			assert_int_equal(w.sent_n, 60);
			assert_int_equal(sent->offload.gso, WEFT_GSO_NONE);
			struct seen first = see(sent), last = see(&w.sent[59]);
			assert_int_equal(first.len, TCP_LEN + 1000);
			if (p->is_ip4)
				assert_int_equal((uint16_t)(first.id + 59), last.id);
			/* Sixty identifications are used up. */
			w.taken = w.sent_n;
			assert_int_equal(ip_output(w.stack, &tx_super, w.now), 0);
			if (p->is_ip4)
				assert_int_equal((uint16_t)(first.id + 60),
						 see(tx(&w)).id);
		}
		/* A segment that does not fit, and one that is alone. */
		tx_forget(&w);
		tx_super.gso_size = 1470;
		assert_int_equal(ip_output(w.stack, &tx_super, w.now), -EMSGSIZE);
		const struct ip_slice small[] = { { header, TCP_LEN }, { data, 700 } };
		tx_super = super(p, small, 2);
		assert_int_equal(ip_output(w.stack, &tx_super, w.now), 0);
		assert_int_equal(tx(&w)->offload.gso, WEFT_GSO_NONE);
		world_fini(&w);
	}
}

static void what_ip_cannot_say_is_refused(void **state)
{
	static uint8_t data[65536];
	(void)state;
	struct world w;
	world_init(&w, NULL);
	assert_int_equal(send_udp(&w, &pairs[0], data, 65535 - IP4_LEN - UDP_LEN, false),
			 0);
	assert_int_equal(send_udp(&w, &pairs[0], data, 65536 - IP4_LEN - UDP_LEN, false),
			 -EMSGSIZE);
	assert_int_equal(send_udp(&w, &pairs[1], data, 65535 - UDP_LEN, false), 0);
	assert_int_equal(send_udp(&w, &pairs[1], data, 65536 - UDP_LEN, false),
			 -EMSGSIZE);
	world_fini(&w);
}

/* ---- the way ----------------------------------------------------------------------------- */

static int find(struct world *w, const char *src, const char *dst, struct ip_path *path)
{
	struct ip_addr from, to = addr(dst);
	if (src)
		from = addr(src);
	return ip_path_find(w->stack, src ? &from : NULL, &to, NULL, w->now, path);
}

static void the_longest_network_decides(void **state)
{
	struct world w;
	struct ip_path path;
	struct weft_ip any = ip("0.0.0.0/0"), net = ip("192.168.0.0/16"),
		       sub = ip("192.168.7.0/24"), g1 = ip("10.1.0.1"),
		       g2 = ip("10.1.0.22"), g3 = ip("10.1.0.33");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(find(&w, NULL, "192.168.7.7", &path), -ENETUNREACH);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g1, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &sub, &g3, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &net, &g2, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &net, &g2, w.iface), -EEXIST);
	static const struct {
		const char *dst;
		uint32_t hop;
	} ways[] = { { "192.168.7.7", 0x0a010021 },
		     { "192.168.8.7", 0x0a010016 },
		     { "8.8.8.8", 0x0a010001 },
		     { "10.1.0.99", 0x0a010063 } };
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		assert_int_equal(find(&w, NULL, ways[i].dst, &path), 0);
		assert_int_equal(addr_to_ip4(&path.neigh->addr), ways[i].hop);
		assert_int_equal(addr_to_ip4(&path.src), 0x0a010002);
	}
	weft_stack_remove_route(w.stack, &sub, w.iface);
	assert_false(ip_path_is_current(w.stack, &path));
	assert_int_equal(find(&w, NULL, "192.168.7.7", &path), 0);
	assert_int_equal(addr_to_ip4(&path.neigh->addr), 0x0a010016);
	assert_int_equal(find(&w, NULL, "8.8.8.8", &path), 0);
	assert_int_equal(addr_to_ip4(&path.neigh->addr), 0x0a010001);
	assert_int_equal(find(&w, NULL, "2001:db8::9", &path), 0);
	/* IPv6 is not in 0.0.0.0/0. */
	assert_int_equal(find(&w, NULL, "2001:db8:7::1", &path), -ENETUNREACH);
	world_fini(&w);
}

/* A router of the one family is none for the other, though :: is the shortest prefix of both. */
static void a_family_has_routes_of_its_own(void **state)
{
	struct world w;
	struct ip_path path;
	struct weft_ip any6 = ip("::/0"), low6 = ip("::/64"), g6 = ip("2001:db8::1");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_add_route(w.stack, &any6, &g6, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &low6, NULL, w.iface), 0);
	assert_int_equal(find(&w, NULL, "2001:db8:7::1", &path), 0);
	assert_int_equal(find(&w, NULL, "8.8.8.8", &path), -ENETUNREACH);
	world_fini(&w);
}

/* A way by a gateway and one straight to the link are two, whichever came first. */
static void a_network_may_have_a_gateway_as_well(void **state)
{
	struct world w;
	struct ip_path path;
	struct weft_ip own = ip("10.2.0.2/24"), net = ip("10.2.0.0/24"),
		       gateway = ip("10.1.0.1");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_add_route(w.stack, &net, &gateway, w.iface), 0);
	assert_int_equal(weft_iface_add_address(w.iface, &own, 0, w.now), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &net, NULL, w.iface), -EEXIST);
	weft_iface_remove_address(w.iface, &own, w.now);
	assert_int_equal(find(&w, NULL, "10.2.0.9", &path), 0);
	assert_int_equal(addr_to_ip4(&path.neigh->addr), 0x0a010001);
	weft_stack_remove_route(w.stack, &net, w.iface);
	assert_int_equal(find(&w, NULL, "10.2.0.9", &path), -ENETUNREACH);
	world_fini(&w);
}

static void a_dead_gateway_gives_way_to_another(void **state)
{
	struct world w;
	struct ip_path path;
	struct weft_ip any = ip("0.0.0.0/0"), g1 = ip("10.1.0.21"), g2 = ip("10.1.0.22");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g1, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g2, w.iface), 0);
	assert_int_equal(find(&w, NULL, "8.8.8.8", &path), 0);
	assert_int_equal(addr_to_ip4(&path.neigh->addr), 0x0a010015);
	world_pass(&w, 4 * NS_PER_S); /* It does not answer. */
	assert_false(ip_path_is_current(w.stack, &path));
	assert_int_equal(find(&w, NULL, "8.8.8.8", &path), 0);
	assert_int_equal(addr_to_ip4(&path.neigh->addr), 0x0a010016);
	world_fini(&w);
}

/* Where the next packet to the world outside goes. */
static uint32_t gateway_of(struct world *w)
{
	struct ip_path path;
	assert_int_equal(find(w, NULL, "8.8.8.8", &path), 0);
	return addr_to_ip4(&path.neigh->addr);
}

/* RFC 4861, 6.3.6: who is known to be there goes before who was not when last asked. */
static void who_has_taken_over_keeps_its_place(void **state)
{
	struct world w;
	struct weft_ip any = ip("0.0.0.0/0"), g1 = ip("10.1.0.21"), g2 = ip("10.1.0.22");
	struct ip_addr first = addr("10.1.0.21"), second = addr("10.1.0.22");
	const struct neigh_news answer = { .mac = mac(TEST_MAC),
					   .is_solicited = true,
					   .may_create = true };
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g1, w.iface), 0);
	assert_int_equal(weft_stack_add_route(w.stack, &any, &g2, w.iface), 0);
	assert_int_equal(gateway_of(&w), 0x0a010015);
	world_pass(&w, 4 * NS_PER_S);
	assert_int_equal(gateway_of(&w), 0x0a010016);
	neigh_update(w.iface, &second, &answer, w.now);
	for (unsigned i = 0; i < 10; i++) {
		world_pass(&w, NS_PER_S); /* The first one's failure is forgotten. */
		assert_int_equal(gateway_of(&w), 0x0a010016);
	}
	assert_null(neigh_find(w.iface, &first));
	/* It is heard of again. */
	neigh_update(w.iface, &first, &answer, w.now);
	assert_int_equal(gateway_of(&w), 0x0a010015);
	world_fini(&w);
}

static void the_source_suits_the_destination(void **state)
{
	static const struct {
		const char *dst, *src;
	} cases[] = {
		{ "10.1.0.9", "10.1.0.2" },
		{ "10.2.0.9", "10.2.0.2" },
		{ "2001:db8::9", "2001:db8::2" },
		{ "2001:db8:2::9", "2001:db8:2::2" },
		{ "fe80::9", NULL }, /* The link-local one. */
		{ "127.0.0.1", "127.0.0.1" },
		{ "10.1.0.2", "10.1.0.2" },
		{ "::1", "::1" },
	};
	struct world w;
	struct ip_path path;
	struct weft_ip second4 = ip("10.2.0.2/24"), second6 = ip("2001:db8:2::2/64");
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_iface_add_address(w.iface, &second4, 0, w.now), 0);
	assert_int_equal(
		weft_iface_add_address(w.iface, &second6, WEFT_ADDRESS_NO_DAD, w.now), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(find(&w, NULL, cases[i].dst, &path), 0);
		struct weft_ip src = addr_to_ip(&path.src, ADDR_BITS);
		if (cases[i].src)
			assert_string_equal(text(&src), cases[i].src);
		else
			assert_true(addr_is_link_local(&path.src));
	}
	assert_int_equal(find(&w, "10.2.0.2", "10.1.0.9", &path), 0);
	assert_int_equal(find(&w, "10.1.0.3", "10.1.0.9", &path), -EADDRNOTAVAIL);
	assert_int_equal(find(&w, NULL, "0.0.0.0", &path), -ENETUNREACH);
	assert_int_equal(find(&w, NULL, "::", &path), -ENETUNREACH);
	/* An address that goes takes its network with it. */
	weft_iface_remove_address(w.iface, &second4, w.now);
	assert_int_equal(find(&w, NULL, "10.2.0.9", &path), -ENETUNREACH);
	world_fini(&w);
}

static void addresses_that_are_no_host_s_are_refused(void **state)
{
	static const char *const bad[] = { "0.0.0.0/8",    "127.0.0.2/8",
					   "224.0.0.1/24", "255.255.255.255/32",
					   "10.9.0.0/24",  "10.9.0.255/24",
					   "::/64",        "::1/128",
					   "ff02::1/64" };
	static const char *const good[] = { "10.9.0.0/31", "10.9.1.1/32", "10.9.2.1/30" };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct weft_ip a = ip(bad[i]);
		assert_int_equal(weft_iface_add_address(w.iface, &a, 0, w.now), -EINVAL);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct weft_ip a = ip(good[i]);
		assert_int_equal(weft_iface_add_address(w.iface, &a, 0, w.now), 0);
		assert_int_equal(weft_iface_add_address(w.iface, &a, 0, w.now), -EEXIST);
	}
	world_fini(&w);
}

static void interfaces_have_to_be_possible(void **state)
{
	const struct weft_iface_opts bad[] = { { .mtu = 1279 },
					       { .mtu = 1501 },
					       { .vlan = 4095 },
					       { .vlan = 1, .mtu = 1497 },
					       { .mac = { { 0x01 } } } };
	struct world w;
	struct weft_iface *iface;
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(weft_stack_add_interface(w.stack, &w.link, &bad[i],
							  w.now, &iface),
				 -EINVAL);
	assert_int_equal(weft_iface_mtu(w.iface), 1500);
	assert_int_equal(weft_iface_index(w.iface), 1);
	weft_stack_remove_interface(w.iface, w.now);
	struct ip_path path;
	assert_int_equal(find(&w, NULL, "10.1.0.9", &path), -ENETUNREACH);
	assert_int_equal(find(&w, NULL, "127.0.0.1", &path), 0);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_is_whole_up_to_the_mtu),
		cmocka_unit_test(fragments_make_the_datagram),
		cmocka_unit_test(identifications_cannot_be_foreseen),
		cmocka_unit_test(a_link_that_sums_is_left_to),
		cmocka_unit_test(super_frames_go_whole_or_are_cut),
		cmocka_unit_test(what_ip_cannot_say_is_refused),
		cmocka_unit_test(the_longest_network_decides),
		cmocka_unit_test(a_family_has_routes_of_its_own),
		cmocka_unit_test(a_network_may_have_a_gateway_as_well),
		cmocka_unit_test(a_dead_gateway_gives_way_to_another),
		cmocka_unit_test(who_has_taken_over_keeps_its_place),
		cmocka_unit_test(the_source_suits_the_destination),
		cmocka_unit_test(addresses_that_are_no_host_s_are_refused),
		cmocka_unit_test(interfaces_have_to_be_possible),
	};
	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
