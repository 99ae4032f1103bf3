/* SPDX-License-Identifier: MIT */
/*
 * What all protocols have in common, and whole stacks of them on a port.
 */
#include "../unit.h"
#include "recorder.h"

#include <weft/port.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct weft_device_memory *memory;
static struct weft_protocol *ethernet, *ip, *udp;
static struct recorder a, b;
static char told[200];

static int setup(void **state)
{
	(void)state;
	assert_int_equal(weft_device_memory_new(NULL, &memory), 0);
	make_layers(&ethernet, &ip, &udp);
	recorder_init(&a, WEFT_LAYER_DATAGRAM, "a");
	recorder_init(&b, WEFT_LAYER_DATAGRAM, "b");
	told[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_protocol_free(udp);
	weft_protocol_free(ip);
	weft_protocol_free(ethernet);
	weft_device_memory_free(memory);
	recorder_clear(&a);
	recorder_clear(&b);
	return 0;
}

static void on_failed(void *user, const char *protocol, const char *handler, int code)
{
	(void)user;
	size_t used = strlen(told);
	(void)snprintf(told + used, sizeof(told) - used, "%s.%s %d; ", protocol, handler,
		       code);
}

static struct weft_port *start(struct weft_protocol *top)
{
	const struct weft_port_opts opts = { .name = "weft0",
					     .protocol = top,
					     .system = weft_device_memory_system(memory),
					     .events = { .failed = on_failed } };
	struct weft_error err = { "" };
	struct weft_port *port;
	if (weft_port_new(&opts, &err, &port) < 0 || weft_port_start(port, &err) < 0)
		fail_msg("%s", err.text);
	return port;
}

static void put_udp_in(const struct weft_port *port, const char *to, const char *text)
{
	struct weft_tunnel *wire = weft_device_memory_tunnel(memory, weft_port_fd(port));
	const struct weft_ip ip_to = test_ip(to);
	assert_int_equal(weft_tunnel_put_udp(wire, &ip_to, 7, text, strlen(text)), 0);
}

static void every_outcome_and_layer_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WEFT_OUTCOMES; i++) {
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(weft_outcome_name(i),
						weft_outcome_name(j));
	}
	assert_string_equal(weft_outcome_name(WEFT_OUTCOME_DROP_CUT), "drop-cut");
	assert_string_equal(weft_outcome_name(WEFT_OUTCOMES), "unknown");
	assert_string_equal(weft_layer_name(WEFT_LAYER_ETHERNET), "Ethernet frames");
}

/* A program's own protocol gives nothing on. */
static void what_takes_no_others_says_so(void **state)
{
	(void)state;
	assert_add_refused(&a.protocol, 7, &b.protocol, -EINVAL,
			   "a takes no other protocols");
}

/* All layers, both versions, from the TAP to the datagram, with every header on the way. */
static void a_stack_on_a_tap(void **state)
{
	(void)state;
	add(udp, 7, &a);
	struct weft_port *port = start(ethernet);
	put_udp_in(port, "192.0.2.7", "four");
	put_udp_in(port, "2001:db8::7", "six");
	assert_int_equal(weft_port_read(port, 1), 2);
	assert_record(&a, 0, "four");
	assert_record(&a, 1, "six");
	for (size_t i = 0; i < 2; i++) {
		assert_true(a.records[i].has_ethernet && a.records[i].has_ip &&
			    a.records[i].has_udp);
		assert_int_equal(a.records[i].ip.version, i == 0 ? 4 : 6);
		assert_int_equal(a.records[i].udp.src_port, WEFT_TUNNEL_UDP_PORT);
	}
	assert_int_equal(weft_port_address(port).kind, WEFT_DEVICE_TAP);
	weft_port_free(port);
}

/* IP takes packets, and so it can stand on a TUN as it is. */
static void a_stack_on_a_tun(void **state)
{
	(void)state;
	add(udp, 7, &a);
	struct weft_port *port = start(ip);
	put_udp_in(port, "192.0.2.7", "four");
	put_udp_in(port, "2001:db8::7", "six");
	assert_int_equal(weft_port_read(port, 1), 2);
	assert_record(&a, 0, "four");
	assert_record(&a, 1, "six");
	assert_false(a.records[0].has_ethernet);
	assert_int_equal(weft_port_address(port).kind, WEFT_DEVICE_TUN);
	assert_string_equal(told, "");
	weft_port_free(port);
}

/* UDP alone carries nothing to a device; the words say what is missing. */
static void udp_alone_is_refused(void **state)
{
	const struct weft_port_opts opts = { .protocol = udp };
	struct weft_error err = { "" };
	struct weft_port *port;
	(void)state;
	assert_int_equal(weft_port_new(&opts, &err, &port), -EINVAL);
	assert_non_null(strstr(err.text, "UDP takes what IP carries"));
	assert_non_null(strstr(err.text, "add it to an IP protocol"));
}

/* However deep it stands, who fails is told by its own name, and the others get theirs. */
static void a_failure_below_is_told_by_name(void **state)
{
	(void)state;
	add(udp, 7, &a);
	add(udp, 7, &b);
	a.result = -EDOM;
	struct weft_port *port = start(ethernet);
	put_udp_in(port, "192.0.2.7", "one");
	put_udp_in(port, "192.0.2.7", "two");
	assert_int_equal(weft_port_read(port, 1), 2);
	assert_int_equal(a.n, 2);
	assert_int_equal(b.n, 2);
	assert_string_equal(told, "a.received -33; a.received -33; ");
	assert_int_equal(weft_port_stats(port).failures, 2);
	weft_port_free(port);
}

/* Fed by hand there is no port to tell, and nothing is lost by it. */
static void a_failure_by_hand_is_returned(void **state)
{
	const struct weft_packet packet = { .data = (const uint8_t *)"x", .len = 1 };
	(void)state;
	a.result = -EDOM;
	assert_int_equal(weft_protocol_receive(&a.protocol, &packet), -EDOM);
	b.result = 5;
	assert_int_equal(weft_protocol_receive(&b.protocol, &packet), 5);
}

static struct recorder late[20];

static void add_more(struct recorder *r, const struct weft_packet *packet)
{
	(void)packet;
	r->on_received = NULL;
	for (unsigned i = 0; i < 20; i++) {
		recorder_init(&late[i], WEFT_LAYER_DATAGRAM, "late");
		add(udp, i % 2 ? 7 : i, &late[i]);
	}
}

/* The table grows and shifts under the walk; each gets the packet once all the same. */
static void a_handler_may_add_others(void **state)
{
	uint8_t datagram[100];
	(void)state;
	add(udp, 7, &a);
	add(udp, 7, &b);
	a.on_received = add_more;
	feed(udp, datagram, put_udp(datagram, 1, 7, "packet"));
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 1);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(late[i].n, i % 2);
		recorder_clear(&late[i]);
	}
}

/* Two ports share what stands below their own protocols; what is half here is not half there. */
static void fragments_of_two_ports_do_not_meet(void **state)
{
	const struct ip4_fields first = { .frag = 0x2000 };
	const struct ip4_fields last = { .frag = 1 };
	struct weft_protocol *other;
	uint8_t datagram[16], packet[40];
	(void)state;
	add(udp, 7, &a);
	assert_int_equal(weft_protocol_new_ethernet(&other), 0);
	assert_int_equal(weft_protocol_add(other, 0x0800, ip, NULL), 0);
	struct weft_port *ports[] = { start(ethernet), start(other) };
	size_t len = put_udp(datagram, 1, 7, "12345678");
	for (size_t i = 0; i < 3; i++) {
		struct weft_port *port = ports[i > 0];
		len = i < 2 ? put_ip4(packet, i ? &last : &first, datagram + 8 * i, 8)
			    : put_ip4(packet, &first, datagram, 8);
		struct weft_tunnel *wire =
			weft_device_memory_tunnel(memory, weft_port_fd(port));
		assert_int_equal(weft_tunnel_put_packet(wire, packet, len), 0);
		assert_int_equal(weft_port_read(port, 1), 1);
		assert_int_equal(a.n, i == 2);
	}
	assert_record(&a, 0, "12345678");
	assert_int_equal(weft_protocol_reassembly(ip).waiting, 1);
	weft_port_free(ports[0]);
	weft_port_free(ports[1]);
	weft_protocol_free(other);
}

/* A flood of everything at random ends in exactly one outcome each. */
static void every_packet_ends_once(void **state)
{
	uint64_t seed = test_seed() | 1;
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t frame[80];
		for (size_t j = 0; j < sizeof(frame); j++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			frame[j] = (uint8_t)(seed >> 56);
		}
		frame[12] = 8;
		frame[13] = 0;
		frame[14] = i % 3 ? 0x45 : frame[14];
		feed(ethernet, frame, seed % sizeof(frame));
	}
	uint64_t frames = 0;
	uint64_t packets = 0;
	for (unsigned i = 0; i < WEFT_OUTCOMES; i++) {
		frames += weft_protocol_count(ethernet, i);
		packets += weft_protocol_count(ip, i);
	}
	assert_int_equal(frames, 20000);
	assert_int_equal(packets, weft_protocol_count(ethernet, WEFT_OUTCOME_DELIVERED));
	assert_true(packets > 0);
}

static void freeing_nothing_is_nothing(void **state)
{
	(void)state;
	weft_protocol_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_outcome_and_layer_has_a_name),
		TEST(what_takes_no_others_says_so),
		TEST(a_stack_on_a_tap),
		TEST(a_stack_on_a_tun),
		TEST(udp_alone_is_refused),
		TEST(a_failure_below_is_told_by_name),
		TEST(a_failure_by_hand_is_returned),
		TEST(a_handler_may_add_others),
		TEST(fragments_of_two_ports_do_not_meet),
		TEST(every_packet_ends_once),
		TEST(freeing_nothing_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
