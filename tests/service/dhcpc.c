/* SPDX-License-Identifier: MIT */
/*
 * The DHCP client as transcripts: what it sends and says, line by line, against a server
 * that is played by the test. Time is virtual; the client is run exactly when it asks to.
 */
#include "../unit.h"
#include "base/array.h"
#include "base/fmt.h"
#include "base/mac.h"
#include "base/rng.h"
#include "service/dhcp_frame.h"
#include "service/dhcp_lease.h"
#include "wire/arp.h"
#include "wire/ether.h"

#include <weft/dhcpc.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SENT_MAX 128u

static const struct weft_mac client_mac = { { 2, 0, 0, 0, 0, 7 } };
static const struct weft_mac server_mac = { { 2, 0, 0, 0, 0, 1 } };
static const struct weft_mac other_mac = { { 2, 0, 0, 0, 0, 9 } };

#define ADDRESS 0xc0a8070au /* 192.168.7.10 */
#define SERVER  0xc0a80701u /* 192.168.7.1 */

/* One client, and all that it has sent and said since the transcript was last compared. */
struct net {
	struct weft_dhcpc *client;
	uint64_t now;
	char text[2000];
	struct fmt log;
	struct dhcp_msg last; /* The last message it sent. */
	struct udp_path path;
	uint64_t sent_at[SENT_MAX];
	unsigned sent_n;
};

static uint64_t ms(uint64_t n)
{
	return n * 1000000;
}

static uint64_t s(uint64_t n)
{
	return n * 1000000000;
}

static void forget(struct net *net)
{
	fmt_init(&net->log, net->text, sizeof(net->text));
	net->sent_n = 0;
}

static void log_ip(struct net *net, const char *word, uint32_t addr)
{
	char text[WEFT_IP_TEXT];
	const struct weft_ip ip = dhcp_ip(addr, 32);
	if (addr)
		fmt_add(&net->log, "%s%s", word, weft_ip_print(&ip, text));
}

static void log_message(struct net *net)
{
	const struct dhcp_msg *msg = &net->last;
	fmt_add(&net->log, "%s", dhcp_type_name(msg->type) + strlen("DHCP"));
	log_ip(net, " as ", msg->ciaddr);
	log_ip(net, " for ", msg->requested_ip);
	log_ip(net, " of ", msg->server_id);
	if (net->path.dst == UINT32_MAX)
		fmt_add(&net->log, " to all");
	else
		log_ip(net, " to ", net->path.dst);
	fmt_add(&net->log, msg->broadcast ? " (answer all)\n" : "\n");
}

static void on_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct net *net = user;
	struct ether_hdr ether;
	struct arp_hdr arp;
	assert_int_equal(now, net->now);
	assert_true(frame->headroom >= WEFT_HEADROOM);
	if (net->sent_n < SENT_MAX)
		net->sent_at[net->sent_n++] = now;
	int off = ether_hdr_parse(frame->data, frame->len, &ether);
	assert_true(off > 0);
	if (ether.type == ETHER_TYPE_ARP) {
		assert_int_equal(
			arp_hdr_parse(frame->data + off, frame->len - (size_t)off, &arp),
			ARP_LEN);
		assert_int_equal(arp.sender_ip, 0);
		log_ip(net, "who has ", arp.target_ip);
		fmt_add(&net->log, "\n");
		return;
	}
	assert_int_equal(
		dhcp_frame_parse(frame, DHCP_SERVER_PORT, &net->path, &net->last), 0);
	assert_int_equal(net->path.sport, DHCP_CLIENT_PORT);
	assert_memory_equal(&net->path.src_mac, &client_mac, sizeof(client_mac));
	assert_memory_equal(&net->last.chaddr, &client_mac, sizeof(client_mac));
	assert_int_equal(net->path.src, net->last.ciaddr);
	assert_int_equal(mac_is_broadcast(net->path.dst_mac),
			 net->path.dst == UINT32_MAX);
	log_message(net);
}

static void on_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct net *net = user;
	char text[WEFT_IP_TEXT];
	fmt_add(&net->log, "bound %s\n", weft_ip_print(&lease->address, text));
}

static void on_lost(void *user)
{
	struct net *net = user;
	fmt_add(&net->log, "lost\n");
}

static void start_with(struct net *net, struct weft_dhcpc_opts opts)
{
	opts.mac = client_mac;
	opts.hostname = "player";
	opts.seed = test_seed();
	opts.send = on_send;
	opts.bound = on_bound;
	opts.lost = on_lost;
	opts.user = net;
	*net = (struct net){ .now = s(1000) };
	forget(net);
	assert_int_equal(weft_dhcpc_new(&opts, &net->client), 0);
}

static void start(struct net *net)
{
	start_with(net, (struct weft_dhcpc_opts){ .no_check = true });
}

/* Lets time pass up to now + span, running the client whenever it asks to. */
static void pass(struct net *net, uint64_t span)
{
	uint64_t end = net->now + span;
	for (unsigned runs = 0; weft_dhcpc_deadline(net->client) <= end; runs++) {
		assert_true(runs < 1000);
		uint64_t due = weft_dhcpc_deadline(net->client);
		net->now = due > net->now ? due : net->now;
		weft_dhcpc_run(net->client, net->now);
	}
	net->now = end;
}

/* Does what is due now. */
static void settle(struct net *net)
{
	pass(net, 0);
}

/* The transcript since the last time. */
#define expect(net, words)                                         \
	do {                                                       \
		assert_string_equal(fmt_text(&(net)->log), words); \
		forget(net);                                       \
	} while (0)

static void expect_state(const struct net *net, const char *name)
{
	assert_string_equal(weft_dhcpc_state_name(weft_dhcpc_state(net->client)), name);
}

/* The server */

static struct dhcp_msg reply(const struct net *net, enum dhcp_type type)
{
	struct dhcp_msg msg = {
		.op = DHCP_OP_REPLY,
		.type = (uint8_t)type,
		.xid = net->last.xid,
		.chaddr = client_mac,
		.server_id = SERVER,
	};
	if (type == DHCP_NAK)
		return msg;
	msg.yiaddr = ADDRESS;
	msg.subnet_mask = 0xffffff00;
	msg.lease_s = 3600;
	return msg;
}

/* Returns what the client made of it. */
static bool deliver(struct net *net, const struct dhcp_msg *msg)
{
	const struct udp_path path = {
		.src_mac = server_mac,
		.dst_mac = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.src = SERVER,
		.dst = UINT32_MAX,
		.sport = DHCP_SERVER_PORT,
		.dport = DHCP_CLIENT_PORT,
	};
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	int len = dhcp_frame_emit(buf, sizeof(buf), &path, msg);
	assert_true(len > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	return weft_dhcpc_input(net->client, &frame, net->now);
}

static void server(struct net *net, enum dhcp_type type)
{
	const struct dhcp_msg msg = reply(net, type);
	assert_true(deliver(net, &msg));
}

/* The common beginning: bound to 192.168.7.10 for an hour, nothing in the transcript. */
static void become_bound(struct net *net)
{
	settle(net);
	server(net, DHCP_OFFER);
	settle(net);
	server(net, DHCP_ACK);
	settle(net);
	expect_state(net, "bound");
	forget(net);
}

static void stop(struct net *net)
{
	weft_dhcpc_free(net->client);
}

/* Getting an address */

static void test_discover_offer_request_ack(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	expect_state(&net, "init");
	settle(&net);
	expect(&net, "DISCOVER to all (answer all)\n");
	expect_state(&net, "selecting");
	pass(&net, ms(100));
	server(&net, DHCP_OFFER);
	expect(&net, ""); /* Nothing from within input. */
	assert_int_equal(weft_dhcpc_deadline(net.client), 0);
	settle(&net);
	expect(&net, "REQUEST for 192.168.7.10 of 192.168.7.1 to all (answer all)\n");
	expect_state(&net, "requesting");
	pass(&net, ms(100));
	server(&net, DHCP_ACK);
	settle(&net);
	expect(&net, "bound 192.168.7.10/24\n");
	expect_state(&net, "bound");
	assert_int_equal(weft_dhcpc_count(net.client, WEFT_DHCPC_TAKEN), 2);
	pass(&net, s(1700));
	expect(&net, "");
	stop(&net);
}

static void test_what_the_messages_say(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	static const uint8_t client_id[] = { 1, 2, 0, 0, 0, 0, 7 };
	static const uint8_t params[] = { 1, 3, 6, 51, 58, 59, 15, 146 };
	uint32_t xid = net.last.xid;
	assert_int_equal(net.last.client_id_len, sizeof(client_id));
	assert_memory_equal(net.last.client_id, client_id, sizeof(client_id));
	assert_int_equal(net.last.params_n, sizeof(params));
	assert_memory_equal(net.last.params, params, sizeof(params));
	assert_string_equal(net.last.host_name, "player");
	assert_int_equal(net.last.secs, 0);
	pass(&net, s(3));
	assert_int_equal(net.last.xid, xid); /* The same in a retransmission, ... */
	assert_in_range(net.last.secs, 0, 1);
	pass(&net, s(40));
	assert_true(net.last.secs > 4);
	server(&net, DHCP_OFFER);
	settle(&net);
	assert_int_equal(net.last.xid, xid); /* ... and the offer's in the request. */
	stop(&net);
}

/* 1, 4, 8, 16, 32, 64, 64 ... seconds, give or take one (a quarter for the first). */
static void test_back_off(void **state)
{
	(void)state;
	struct net net;
	static const uint64_t pauses_s[] = { 1, 4, 8, 16, 32, 64, 64, 64 };
	start(&net);
	pass(&net, s(400));
	assert_true(net.sent_n > ARRAY_LEN(pauses_s));
	for (size_t i = 0; i < ARRAY_LEN(pauses_s); i++) {
		uint64_t pause = net.sent_at[i + 1] - net.sent_at[i];
		uint64_t jitter = i == 0 ? ms(250) : s(1);
		assert_in_range(pause, s(pauses_s[i]) - jitter, s(pauses_s[i]) + jitter);
	}
	stop(&net);
}

static void test_hurry_cuts_the_pause_short(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	pass(&net, s(200));
	forget(&net);
	weft_dhcpc_hurry(net.client, net.now);
	pass(&net, ms(250));
	expect(&net, "DISCOVER to all (answer all)\n");
	for (unsigned i = 0; i < 1000; i++) {
		weft_dhcpc_hurry(net.client, net.now);
		pass(&net, ms(1));
	}
	assert_in_range(net.sent_n, 1, 4); /* In one second. */
	stop(&net);
}

static void test_hurry_disturbs_nothing_else(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	weft_dhcpc_hurry(net.client, net.now);
	pass(&net, s(10));
	expect(&net, "");
	stop(&net);
}

/* After a sleep, or on another network: who has an address asks whether it still has it. */
static void test_confirming_an_address(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	weft_dhcpc_confirm(net.client, net.now);
	become_bound(&net);
	weft_dhcpc_confirm(net.client, net.now);
	settle(&net);
	expect(&net, "REQUEST as 192.168.7.10 to all\n");
	forget(&net);
	pass(&net, s(59));
	expect(&net, "");
	server(&net, DHCP_ACK);
	settle(&net);
	expect(&net, "bound 192.168.7.10/24\n");
	expect_state(&net, "bound");
	weft_dhcpc_confirm(net.client, net.now);
	settle(&net);
	forget(&net);
	server(&net, DHCP_NAK);
	settle(&net);
	expect(&net, "lost\n");
	stop(&net);
}

static void test_a_silent_server_is_given_up(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	uint32_t xid = net.last.xid;
	server(&net, DHCP_OFFER);
	forget(&net);
	pass(&net, s(10));
	expect(&net, "REQUEST for 192.168.7.10 of 192.168.7.1 to all (answer all)\n"
		     "REQUEST for 192.168.7.10 of 192.168.7.1 to all (answer all)\n"
		     "REQUEST for 192.168.7.10 of 192.168.7.1 to all (answer all)\n");
	pass(&net, s(23));
	assert_non_null(strstr(net.text, "DISCOVER to all (answer all)\n"));
	assert_int_not_equal(net.last.xid, xid);
	stop(&net);
}

static void test_nak_begins_anew_and_slower_each_time(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	uint64_t pause = 0;
	for (unsigned i = 0; i < 4; i++) {
		pass(&net, pause);
		expect(&net, "DISCOVER to all (answer all)\n");
		server(&net, DHCP_OFFER);
		settle(&net);
		forget(&net);
		server(&net, DHCP_NAK);
		settle(&net);
		expect(&net, "");
		expect_state(&net, "init");
		uint64_t next = weft_dhcpc_deadline(net.client) - net.now;
		assert_true(next > pause);
		pause = next;
	}
	stop(&net);
}

/* Keeping it */

static void test_renewal_is_asked_of_the_server(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	uint32_t xid = net.last.xid;
	pass(&net, s(1800));
	expect(&net, "REQUEST as 192.168.7.10 to 192.168.7.1\n");
	expect_state(&net, "renewing");
	assert_memory_equal(&net.path.dst_mac, &server_mac, sizeof(server_mac));
	assert_int_not_equal(net.last.xid, xid);
	server(&net, DHCP_ACK);
	settle(&net);
	expect(&net, "bound 192.168.7.10/24\n");
	pass(&net, s(1600));
	expect(&net, "");
	pass(&net, s(200));
	expect(&net, "REQUEST as 192.168.7.10 to 192.168.7.1\n");
	stop(&net);
}

/* T1 at 1800 s or up to a twentieth earlier, T2 at 3150 s, the end at 3600 s. */
static void test_renewing_rebinding_and_the_end(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	uint64_t begin = net.now;
	pass(&net, s(3149));
	assert_in_range(net.sent_at[0], begin + s(1710), begin + s(1800));
	assert_in_range(net.sent_at[1], begin + s(2430),
			begin + s(2475)); /* Half of the rest. */
	for (unsigned i = 1; i < net.sent_n; i++)
		assert_true(net.sent_at[i] - net.sent_at[i - 1] >= s(60));
	expect_state(&net, "renewing");
	forget(&net);
	pass(&net, s(1));
	expect(&net, "REQUEST as 192.168.7.10 to all\n");
	expect_state(&net, "rebinding");
	pass(&net, s(449));
	assert_null(strstr(net.text, "lost"));
	forget(&net);
	pass(&net, s(1));
	expect(&net, "lost\nDISCOVER for 192.168.7.10 to all (answer all)\n");
	stop(&net);
}

static void test_any_server_may_rebind(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	pass(&net, s(3150));
	expect_state(&net, "rebinding");
	forget(&net);
	struct dhcp_msg ack = reply(&net, DHCP_ACK);
	ack.server_id = SERVER + 1;
	assert_true(deliver(&net, &ack));
	settle(&net);
	expect(&net, "bound 192.168.7.10/24\n");
	pass(&net, s(1800));
	expect(&net, "REQUEST as 192.168.7.10 to 192.168.7.2\n");
	stop(&net);
}

static void test_nak_while_renewing_takes_the_address(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	pass(&net, s(1800));
	forget(&net);
	server(&net, DHCP_NAK);
	expect(&net, "");
	assert_int_equal(weft_dhcpc_deadline(net.client), 0);
	settle(&net);
	expect(&net, "lost\n");
	pass(&net, ms(1400));
	expect(&net, "DISCOVER to all (answer all)\n");
	stop(&net);
}

static void test_the_lease_runs_from_the_request(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	pass(&net, s(100)); /* A server that comes late takes nothing off the lease. */
	server(&net, DHCP_OFFER);
	settle(&net);
	uint64_t asked = net.now;
	pass(&net, ms(700));
	server(&net, DHCP_ACK);
	pass(&net, asked + s(3600) - 1 - net.now);
	assert_null(strstr(net.text, "lost"));
	pass(&net, 1);
	assert_non_null(strstr(net.text, "lost"));
	stop(&net);
}

static void test_a_lease_without_end(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	struct dhcp_msg msg = reply(&net, DHCP_OFFER);
	msg.lease_s = WEFT_DHCPC_FOREVER;
	assert_true(deliver(&net, &msg));
	settle(&net);
	msg.type = DHCP_ACK;
	assert_true(deliver(&net, &msg));
	settle(&net);
	expect_state(&net, "bound");
	assert_true(weft_dhcpc_deadline(net.client) == WEFT_NEVER);
	stop(&net);
}

/* Giving it back */

static void test_release(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	weft_dhcpc_release(net.client, net.now);
	expect(&net, "RELEASE as 192.168.7.10 of 192.168.7.1 to 192.168.7.1\n");
	expect_state(&net, "stopped");
	assert_true(weft_dhcpc_deadline(net.client) == WEFT_NEVER);
	weft_dhcpc_run(net.client, net.now + s(9999));
	weft_dhcpc_release(net.client, net.now);
	expect(&net, "");
	stop(&net);
}

static void test_release_of_nothing(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	forget(&net);
	weft_dhcpc_release(net.client, net.now);
	pass(&net, s(100));
	expect(&net, "");
	stop(&net);
}

/* Is the address free? */

static void arp_from(struct net *net, struct weft_mac mac, uint32_t sender_ip,
		     uint32_t target_ip)
{
	uint8_t buf[ETHER_LEN + ARP_LEN];
	const struct ether_hdr ether = { .dst = client_mac,
					 .src = mac,
					 .type = ETHER_TYPE_ARP };
	const struct arp_hdr arp = {
		.op = sender_ip ? ARP_OP_REPLY : ARP_OP_REQUEST,
		.sender_mac = mac,
		.sender_ip = sender_ip,
		.target_ip = target_ip,
	};
	assert_int_equal(ether_hdr_emit(buf, ETHER_LEN, &ether), ETHER_LEN);
	assert_int_equal(arp_hdr_emit(buf + ETHER_LEN, ARP_LEN, &arp), ARP_LEN);
	const struct weft_frame frame = { .data = buf, .len = sizeof(buf) };
	assert_false(weft_dhcpc_input(net->client, &frame, net->now));
}

static void begin_check(struct net *net)
{
	start_with(net, (struct weft_dhcpc_opts){ .no_check = false });
	settle(net);
	server(net, DHCP_OFFER);
	settle(net);
	server(net, DHCP_ACK);
	forget(net);
	settle(net);
	expect(net, "who has 192.168.7.10\n");
	expect_state(net, "checking");
}

static void test_a_free_address_is_taken_after_two_probes(void **state)
{
	(void)state;
	struct net net;
	begin_check(&net);
	arp_from(&net, other_mac, 0xc0a80708, ADDRESS); /* Others talk of it, */
	arp_from(&net, client_mac, 0, ADDRESS);         /* our own probe comes back, */
	arp_from(&net, other_mac, 0, ADDRESS + 1);      /* somebody probes another. */
	pass(&net, ms(250));
	expect(&net, "who has 192.168.7.10\n");
	pass(&net, ms(249));
	expect(&net, "");
	pass(&net, ms(1));
	expect(&net, "bound 192.168.7.10/24\n");
	arp_from(&net, other_mac, ADDRESS, 0);
	assert_int_equal(weft_dhcpc_count(net.client, WEFT_DHCPC_CONFLICT), 0);
	stop(&net);
}

static void test_an_address_in_use_is_declined(void **state)
{
	(void)state;
	struct net net;
	begin_check(&net);
	arp_from(&net, other_mac, ADDRESS, 0);
	arp_from(&net, other_mac, ADDRESS, 0);
	settle(&net);
	expect(&net, "DECLINE for 192.168.7.10 of 192.168.7.1 to all\n");
	assert_int_equal(weft_dhcpc_count(net.client, WEFT_DHCPC_CONFLICT), 1);
	pass(&net, ms(9999));
	expect(&net, "");
	pass(&net, ms(1));
	expect(&net, "DISCOVER to all (answer all)\n");
	stop(&net);
}

static void test_two_that_check_the_same_address(void **state)
{
	(void)state;
	struct net net;
	begin_check(&net);
	arp_from(&net, other_mac, 0, ADDRESS);
	settle(&net);
	expect(&net, "DECLINE for 192.168.7.10 of 192.168.7.1 to all\n");
	stop(&net);
}

/* Hostile and stray replies */

/* Delivers and checks how it ended, and that nothing came of it. */
static void expect_dropped(struct net *net, const struct dhcp_msg *msg,
			   enum weft_dhcpc_outcome outcome, bool is_consumed)
{
	enum weft_dhcpc_state state = weft_dhcpc_state(net->client);
	uint64_t count = weft_dhcpc_count(net->client, outcome);
	uint64_t deadline = weft_dhcpc_deadline(net->client);
	assert_int_equal(deliver(net, msg), is_consumed);
	assert_int_equal(weft_dhcpc_count(net->client, outcome), count + 1);
	assert_int_equal(weft_dhcpc_state(net->client), state);
	assert_true(weft_dhcpc_deadline(net->client) == deadline);
	expect(net, "");
}

static void test_replies_to_others_are_passed_on(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	forget(&net);
	struct dhcp_msg msg = reply(&net, DHCP_OFFER);
	msg.xid ^= 1;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_NOT_OURS, false);
	msg = reply(&net, DHCP_OFFER);
	msg.chaddr = other_mac;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_NOT_OURS, false);
	msg = reply(&net, DHCP_OFFER);
	msg.op = DHCP_OP_REQUEST;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_NOT_OURS, false);
	stop(&net);
}

static void test_offers_that_cannot_be_used(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	forget(&net);
	struct dhcp_msg msg = reply(&net, DHCP_OFFER);
	msg.yiaddr = 0xe0000001;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_ADDRESS, true);
	msg = reply(&net, DHCP_OFFER);
	msg.subnet_mask = 0xff00ff00;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_MASK, true);
	msg = reply(&net, DHCP_OFFER);
	msg.yiaddr = 0x08080809;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_PUBLIC, true);
	msg = reply(&net, DHCP_OFFER);
	msg.lease_s = 0;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_LEASE, true);
	msg = reply(&net, DHCP_OFFER);
	msg.server_id = 0;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_SERVER, true);
	msg = reply(&net, DHCP_OFFER);
	msg.type = 0; /* BOOTP. */
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_UNEXPECTED, true);
	server(&net, DHCP_OFFER); /* And then a good one. */
	expect_state(&net, "requesting");
	stop(&net);
}

static void test_answers_that_do_not_fit_the_request(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	server(&net, DHCP_OFFER);
	settle(&net);
	forget(&net);
	struct dhcp_msg msg = reply(&net, DHCP_OFFER); /* A second server, too late. */
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_UNEXPECTED, true);
	msg = reply(&net, DHCP_ACK);
	msg.server_id = SERVER + 1;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_SERVER, true);
	msg = reply(&net, DHCP_NAK);
	msg.server_id = SERVER + 1;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_SERVER, true);
	msg = reply(&net, DHCP_ACK);
	msg.yiaddr++;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_ADDRESS, true);
	stop(&net);
}

static void test_nothing_is_expected_while_bound(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	become_bound(&net);
	struct dhcp_msg msg = reply(&net, DHCP_ACK);
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_UNEXPECTED, true);
	msg = reply(&net, DHCP_NAK);
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_UNEXPECTED, true);
	pass(&net, s(1800));
	forget(&net);
	msg = reply(&net, DHCP_ACK);
	msg.subnet_mask = 0xffff0000;
	expect_dropped(&net, &msg, WEFT_DHCPC_DROP_MASK, true);
	stop(&net);
}

static void test_malformed_replies_are_counted(void **state)
{
	(void)state;
	struct net net;
	start(&net);
	settle(&net);
	const struct dhcp_msg msg = reply(&net, DHCP_OFFER);
	const struct udp_path path = { .dst = UINT32_MAX, .dport = DHCP_CLIENT_PORT };
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	int len = dhcp_frame_emit(buf, sizeof(buf), &path, &msg);
	buf[len - 1] ^= 1;
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	assert_false(weft_dhcpc_input(net.client, &frame, net.now));
	assert_int_equal(weft_dhcpc_count(net.client, WEFT_DHCPC_DROP_MALFORMED), 1);
	stop(&net);
}

/* A server that says anything at all, with the right xid, for a long time: the client never
   asserts, never is told to use what dhcp_lease_of refuses, never sends in a storm. */
static struct dhcp_msg any_reply(const struct net *net, struct rng *rng)
{
	struct dhcp_msg msg = reply(net, (enum dhcp_type)rng_below(rng, 9));
	if (rng_below(rng, 4) == 0)
		msg.yiaddr = (uint32_t)rng_u64(rng);
	if (rng_below(rng, 4) == 0)
		msg.subnet_mask = (uint32_t)rng_u64(rng);
	if (rng_below(rng, 4) == 0)
		msg.server_id = SERVER + (uint32_t)rng_below(rng, 2);
	if (rng_below(rng, 2) == 0)
		msg.lease_s = (uint32_t)(rng_u64(rng) >> rng_below(rng, 64));
	if (rng_below(rng, 2) == 0)
		msg.renewal_s = (uint32_t)(rng_u64(rng) >> rng_below(rng, 64));
	if (rng_below(rng, 2) == 0)
		msg.rebinding_s = (uint32_t)(rng_u64(rng) >> rng_below(rng, 64));
	return msg;
}

static void test_a_server_gone_mad(void **state)
{
	(void)state;
	struct net net;
	struct rng rng;
	start_with(&net, (struct weft_dhcpc_opts){ .no_check = false });
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 20000; i++) {
		pass(&net, rng_below(&rng, s(rng_below(&rng, 20) ? 1 : 4000)));
		assert_true(net.sent_n < SENT_MAX);
		assert_true(weft_dhcpc_deadline(net.client) >= net.now);
		forget(&net);
		const struct dhcp_msg msg = any_reply(&net, &rng);
		deliver(&net, &msg);
		if (rng_below(&rng, 10) == 0)
			arp_from(&net, other_mac, rng_below(&rng, 2) ? ADDRESS : 0,
				 ADDRESS);
	}
	stop(&net);
}

static void test_states_and_outcomes_have_names(void **state)
{
	struct net net;
	(void)state;
	start(&net);
	assert_string_equal(weft_dhcpc_state_name(WEFT_DHCPC_REBINDING), "rebinding");
	assert_string_equal(weft_dhcpc_state_name(WEFT_DHCPC_STATES), "unknown");
	assert_string_equal(weft_dhcpc_outcome_name(WEFT_DHCPC_CONFLICT), "conflict");
	assert_string_equal(weft_dhcpc_outcome_name(WEFT_DHCPC_OUTCOMES), "unknown");
	assert_int_equal(weft_dhcpc_count(net.client, WEFT_DHCPC_OUTCOMES), 0);
	stop(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover_offer_request_ack),
		cmocka_unit_test(test_what_the_messages_say),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_hurry_cuts_the_pause_short),
		cmocka_unit_test(test_hurry_disturbs_nothing_else),
		cmocka_unit_test(test_confirming_an_address),
		cmocka_unit_test(test_a_silent_server_is_given_up),
		cmocka_unit_test(test_nak_begins_anew_and_slower_each_time),
		cmocka_unit_test(test_renewal_is_asked_of_the_server),
		cmocka_unit_test(test_renewing_rebinding_and_the_end),
		cmocka_unit_test(test_any_server_may_rebind),
		cmocka_unit_test(test_nak_while_renewing_takes_the_address),
		cmocka_unit_test(test_the_lease_runs_from_the_request),
		cmocka_unit_test(test_a_lease_without_end),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_release_of_nothing),
		cmocka_unit_test(test_a_free_address_is_taken_after_two_probes),
		cmocka_unit_test(test_an_address_in_use_is_declined),
		cmocka_unit_test(test_two_that_check_the_same_address),
		cmocka_unit_test(test_replies_to_others_are_passed_on),
		cmocka_unit_test(test_offers_that_cannot_be_used),
		cmocka_unit_test(test_answers_that_do_not_fit_the_request),
		cmocka_unit_test(test_nothing_is_expected_while_bound),
		cmocka_unit_test(test_malformed_replies_are_counted),
		cmocka_unit_test(test_a_server_gone_mad),
		cmocka_unit_test(test_states_and_outcomes_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
