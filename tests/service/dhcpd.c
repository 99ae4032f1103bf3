/* SPDX-License-Identifier: MIT */
/*
 * The DHCP server: each message of RFC 2131 in each situation, who gets which address, and
 * where answers are sent.
 */
#include "service/dhcpd.h"

#include "../unit.h"
#include "base/array.h"
#include "base/mac.h"

#include <errno.h>
#include <string.h>

#define NETWORK 0x64400700u /* 100.64.7.0 */
#define SERVER  0x644007feu
#define S       UINT64_C(1000000000)

static const struct weft_mac server_mac = { { 2, 0xff, 0, 0, 0, 1 } };
static const struct weft_mac everybody = { { 255, 255, 255, 255, 255, 255 } };

static struct weft_mac mac_of(unsigned n)
{
	return (struct weft_mac){ { 2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n } };
}

struct scene {
	struct dhcpd *dhcpd;
	uint64_t now;
	struct udp_path path;  /* of the last answer */
	struct dhcp_msg reply; /* type 0: none */
};

/* Number 7 belongs to client 7 without a lease; 253 is somebody's. */
static uint8_t host_of(void *user, struct weft_mac mac)
{
	(void)user;
	return mac.octet[5] == 7 && mac.octet[4] == 0 ? 7 : 0;
}

static bool is_taken(void *user, uint8_t host)
{
	(void)user;
	return host == 253 || host == 7;
}

static void begin(struct scene *s)
{
	const struct dhcpd_opts opts = { .mac = server_mac,
					 .network = NETWORK,
					 .mtu = 1400,
					 .lease_s = 600,
					 .domain = "friday.weft",
					 .host_of = host_of,
					 .is_taken = is_taken };
	*s = (struct scene){ .now = 5 * S };
	assert_int_equal(dhcpd_new(&opts, &s->dhcpd), 0);
}

static void end(struct scene *s)
{
	dhcpd_free(s->dhcpd);
}

/* Sends a client's message and reads the answer. */
static void rx(struct scene *s, const struct dhcp_msg *msg, struct weft_mac source)
{
	const struct udp_path path = { .src_mac = source,
				       .dst_mac = everybody,
				       .dst = UINT32_MAX,
				       .sport = DHCP_CLIENT_PORT,
				       .dport = DHCP_SERVER_PORT };
	uint8_t buf[DHCP_FRAME_LEN_MAX], answer[DHCP_FRAME_LEN_MAX];
	int len = dhcp_frame_emit(buf, sizeof(buf), &path, msg);
	assert_true(len > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)len };
	size_t n = dhcpd_input(s->dhcpd, &frame, s->now, answer);
	const struct weft_frame back = { .data = answer, .len = (uint32_t)n };
	s->reply = (struct dhcp_msg){ .type = 0 };
	if (n == 0)
		return;
	assert_int_equal(dhcp_frame_parse(&back, DHCP_CLIENT_PORT, &s->path, &s->reply),
			 0);
	assert_int_equal(s->reply.op, DHCP_OP_REPLY);
	assert_int_equal(s->reply.xid, msg->xid);
	assert_int_equal(s->reply.server_id, SERVER);
	assert_int_equal(s->path.src, SERVER);
	assert_memory_equal(&s->path.src_mac, &server_mac, sizeof(server_mac));
}

static struct dhcp_msg message(enum dhcp_type type, unsigned client)
{
	return (struct dhcp_msg){ .op = DHCP_OP_REQUEST,
				  .type = (uint8_t)type,
				  .xid = 0x1000 + client,
				  .chaddr = mac_of(client) };
}

static uint32_t discover(struct scene *s, unsigned client, uint32_t wanted)
{
	struct dhcp_msg msg = message(DHCP_DISCOVER, client);
	msg.requested_ip = wanted;
	rx(s, &msg, msg.chaddr);
	assert_true(s->reply.type == 0 || s->reply.type == DHCP_OFFER);
	return s->reply.yiaddr;
}

/* Returns the type of the answer. */
static unsigned request(struct scene *s, unsigned client, uint32_t wanted,
			uint32_t server)
{
	struct dhcp_msg msg = message(DHCP_REQUEST, client);
	msg.requested_ip = wanted;
	msg.server_id = server;
	rx(s, &msg, msg.chaddr);
	return s->reply.type;
}

static void a_lease_as_a_whole(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_int_equal(discover(&s, 1, 0), NETWORK | 252);
	assert_int_equal(s.reply.subnet_mask, 0xffffff00);
	assert_int_equal(s.reply.broadcast_addr, NETWORK | 255);
	assert_int_equal(s.reply.lease_s, 600);
	assert_int_equal(s.reply.renewal_s, 300);
	assert_int_equal(s.reply.rebinding_s, 525);
	assert_int_equal(s.reply.mtu, 1400);
	assert_int_equal(s.reply.routers_n, 0);
	assert_int_equal(s.reply.dns_n, 0);
	assert_int_equal(request(&s, 1, NETWORK | 252, SERVER), DHCP_ACK);
	assert_int_equal(s.reply.yiaddr, NETWORK | 252);
	assert_true(dhcpd_has_leased(s.dhcpd, 252, s.now));
	/* To the station itself, before it has the address. */
	const struct weft_mac client = mac_of(1);
	assert_memory_equal(&s.path.dst_mac, &client, sizeof(client));
	assert_int_equal(s.path.dst, NETWORK | 252);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_OFFERED), 1);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_ACKED), 1);
	end(&s);
}

static void who_cannot_hear_unicast_gets_broadcast(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	struct dhcp_msg msg = message(DHCP_DISCOVER, 1);
	msg.broadcast = true;
	rx(&s, &msg, msg.chaddr);
	assert_memory_equal(&s.path.dst_mac, &everybody, 6);
	assert_int_equal(s.path.dst, UINT32_MAX);
	end(&s);
}

static void a_member_gets_what_it_was_offered_elsewhere(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_int_equal(discover(&s, 7, NETWORK | 99), NETWORK | 7);
	assert_int_equal(request(&s, 7, NETWORK | 99, SERVER), DHCP_NAK);
	assert_memory_equal(&s.path.dst_mac, &everybody, 6);
	assert_int_equal(request(&s, 7, NETWORK | 7, SERVER), DHCP_ACK);
	assert_int_equal(discover(&s, 1, NETWORK | 7), NETWORK | 252); /* nobody else */
	end(&s);
}

static void wishes_are_granted_where_they_can_be(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_int_equal(discover(&s, 1, NETWORK | 42), NETWORK | 42);
	assert_int_equal(discover(&s, 2, NETWORK | 42), NETWORK | 252);
	assert_int_equal(discover(&s, 3, NETWORK | 253), NETWORK | 251);
	assert_int_equal(discover(&s, 4, NETWORK | 254), NETWORK | 250);
	assert_int_equal(discover(&s, 5, NETWORK), NETWORK | 249);
	assert_int_equal(discover(&s, 6, 0xc0a80101), NETWORK | 248);
	assert_int_equal(discover(&s, 1, 0), NETWORK | 42); /* still its own */
	end(&s);
}

static void offers_and_leases_end(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_int_equal(discover(&s, 1, NETWORK | 42), NETWORK | 42);
	s.now += 61 * S;
	assert_int_equal(discover(&s, 2, NETWORK | 42), NETWORK | 42);
	assert_int_equal(request(&s, 2, NETWORK | 42, SERVER), DHCP_ACK);
	s.now += 599 * S;
	assert_int_equal(discover(&s, 1, NETWORK | 42), NETWORK | 252);
	s.now += 61 * S;
	assert_int_equal(discover(&s, 1, NETWORK | 42), NETWORK | 42);
	end(&s);
}

static void renewing_and_rebooting(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_int_equal(request(&s, 1, NETWORK | 42, 0), DHCP_ACK); /* INIT-REBOOT */
	s.now += 300 * S;
	struct dhcp_msg renew = message(DHCP_REQUEST, 1);
	renew.ciaddr = NETWORK | 42;
	rx(&s, &renew, renew.chaddr);
	assert_int_equal(s.reply.type, DHCP_ACK);
	assert_int_equal(s.path.dst, NETWORK | 42);
	s.now += 599 * S;
	assert_true(dhcpd_has_leased(s.dhcpd, 42, s.now));
	/* Of another network, or another's. */
	assert_int_equal(request(&s, 1, 0xc0a80105, 0), DHCP_NAK);
	assert_int_equal(request(&s, 2, NETWORK | 42, 0), DHCP_NAK);
	end(&s);
}

/* A second DISCOVER (a boot loader's, a tool's) does not end the lease of who says it. */
static void an_offer_shortens_no_lease(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	assert_int_equal(request(&s, 1, NETWORK | 42, 0), DHCP_ACK);
	assert_int_equal(discover(&s, 1, 0), NETWORK | 42);
	s.now += 61 * S;
	assert_int_equal(discover(&s, 2, NETWORK | 42), NETWORK | 252);
	s.now += 539 * S;
	assert_false(dhcpd_has_leased(s.dhcpd, 42, s.now));
	end(&s);
}

/* What one server has leased, another one goes on with. */
static void leases_outlive_their_server(void **state)
{
	(void)state;
	struct scene s;
	struct weft_mac mac;
	begin(&s);
	assert_int_equal(dhcpd_lease(s.dhcpd, 42, s.now, &mac), 0);
	assert_int_equal(dhcpd_restore(s.dhcpd, 42, mac_of(1), s.now + 300 * S), 0);
	assert_int_equal(dhcpd_lease(s.dhcpd, 42, s.now, &mac), 300);
	assert_true(mac_equal(mac, mac_of(1)));
	assert_int_equal(request(&s, 2, NETWORK | 42, 0), DHCP_NAK);
	assert_int_equal(request(&s, 1, NETWORK | 42, 0), DHCP_ACK);
	/* Only hosts, of which the server is none. */
	assert_int_equal(dhcpd_restore(s.dhcpd, 1, mac_of(3), s.now + S), 0);
	assert_int_equal(dhcpd_restore(s.dhcpd, DHCPD_HOST_MAX, mac_of(4), s.now + S), 0);
	assert_int_equal(dhcpd_restore(s.dhcpd, 0, mac_of(5), s.now + S), -EINVAL);
	assert_int_equal(dhcpd_restore(s.dhcpd, DHCPD_HOST_SERVER, mac_of(5), s.now + S),
			 -EINVAL);
	end(&s);
}

static void another_server_is_chosen(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	discover(&s, 1, 0);
	assert_int_equal(request(&s, 1, NETWORK | 252, 0xc0a80101), 0);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_IGNORED), 1);
	end(&s);
}

static void released_and_declined(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	request(&s, 1, NETWORK | 42, 0);
	struct dhcp_msg msg = message(DHCP_RELEASE, 2);
	msg.ciaddr = NETWORK | 42;
	rx(&s, &msg, msg.chaddr); /* not its own */
	assert_true(dhcpd_has_leased(s.dhcpd, 42, s.now));
	msg.chaddr = mac_of(1);
	rx(&s, &msg, msg.chaddr);
	assert_int_equal(s.reply.type, 0);
	assert_false(dhcpd_has_leased(s.dhcpd, 42, s.now));
	request(&s, 1, NETWORK | 42, 0);
	msg = message(DHCP_DECLINE, 1);
	msg.requested_ip = NETWORK | 42;
	rx(&s, &msg, msg.chaddr);
	assert_int_equal(discover(&s, 1, NETWORK | 42), NETWORK | 252);
	s.now += 601 * S;
	assert_int_equal(discover(&s, 2, NETWORK | 42), NETWORK | 42);
	end(&s);
}

static void informed(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	struct dhcp_msg msg = message(DHCP_INFORM, 1);
	msg.ciaddr = NETWORK | 42;
	rx(&s, &msg, msg.chaddr);
	assert_int_equal(s.reply.type, DHCP_ACK);
	assert_int_equal(s.reply.yiaddr, 0);
	assert_int_equal(s.reply.lease_s, 0);
	msg.ciaddr = 0xc0a80101;
	rx(&s, &msg, msg.chaddr);
	assert_int_equal(s.reply.type, 0);
	end(&s);
}

static void no_more_than_there_are(void **state)
{
	(void)state;
	struct scene s;
	bool given[256] = { false };
	begin(&s);
	for (unsigned client = 0x100; client < 0x100 + 251; client++) {
		uint32_t address = discover(&s, client, 0);
		assert_int_equal(address & 0xffffff00, NETWORK);
		assert_false(given[address & 0xff]);
		given[address & 0xff] = true;
	}
	assert_false(given[0] || given[7] || given[253] || given[254] || given[255]);
	assert_int_equal(discover(&s, 0x300, 0), 0);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_DROP_FULL), 1);
	end(&s);
}

static void what_is_not_to_be_believed(void **state)
{
	(void)state;
	struct scene s;
	begin(&s);
	struct dhcp_msg msg = message(DHCP_DISCOVER, 1);
	rx(&s, &msg, mac_of(2));
	assert_int_equal(s.reply.type, 0);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_DROP_SPOOFED), 1);
	msg.giaddr = 0x0a000001;
	rx(&s, &msg, mac_of(1));
	assert_int_equal(s.reply.type, 0);
	for (unsigned type = 0; type < 256; type++) {
		msg = message((enum dhcp_type)type, 1);
		rx(&s, &msg, msg.chaddr);
		assert_int_equal(s.reply.type, type == DHCP_DISCOVER  ? DHCP_OFFER
					       : type == DHCP_REQUEST ? DHCP_NAK
								      : 0);
	}
	msg = message(DHCP_DISCOVER, 1);
	msg.op = DHCP_OP_REPLY;
	rx(&s, &msg, msg.chaddr);
	assert_int_equal(s.reply.type, 0);
	uint8_t garbage[342] = { 0 }, answer[DHCP_FRAME_LEN_MAX];
	const struct weft_frame frame = { .data = garbage, .len = sizeof(garbage) };
	assert_int_equal(dhcpd_input(s.dhcpd, &frame, s.now, answer), 0);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_NOT_DHCP), 1);
	end(&s);
}

static bool may_answer(void *user, const struct dhcp_msg *msg, bool holds, uint64_t now)
{
	(void)user, (void)now;
	return holds || msg->type == DHCP_DISCOVER;
}

/* Who else may speak decides: what the client has from us is told with the question. */
static void others_may_have_the_word(void **state)
{
	const struct dhcpd_opts opts = { .mac = server_mac,
					 .network = NETWORK,
					 .may_answer = may_answer };
	struct scene s = { .now = 5 * S };
	(void)state;
	assert_int_equal(dhcpd_new(&opts, &s.dhcpd), 0);
	assert_int_equal(request(&s, 1, NETWORK | 50, 0), 0);
	assert_int_equal(dhcpd_count(s.dhcpd, DHCPD_DEFERRED), 1);
	const uint32_t address = discover(&s, 1, 0);
	assert_int_equal(request(&s, 1, address, SERVER), DHCP_ACK);
	assert_int_equal(request(&s, 1, 0xc0a80105, 0), 0); /* another network's */
	assert_int_equal(request(&s, 2, address, 0), 0);    /* not its own */
	assert_int_equal(request(&s, 1, address, 0), DHCP_ACK);
	assert_int_equal(s.reply.lease_s, 3600);
	dhcpd_set_lease(s.dhcpd, 300);
	assert_int_equal(request(&s, 1, address, 0), DHCP_ACK);
	assert_int_equal(s.reply.lease_s, 300);
	assert_int_equal(s.reply.renewal_s, 150);
	s.now += 300 * S;
	assert_int_equal(request(&s, 1, address, 0), 0);
	dhcpd_set_lease(s.dhcpd, 0);
	assert_int_equal(discover(&s, 1, 0), address);
	assert_int_equal(s.reply.lease_s, 3600);
	end(&s);
}

/* Never a server for all names: who has the Internet, too, would not get there any more. */
static void names_are_told_to_who_asks(void **state)
{
	static const uint8_t params[] = { DHCP_OPT_DNS, DHCP_OPT_DOMAIN,
					  DHCP_OPT_DNS_SELECTION };
	struct dhcp_msg msg = message(DHCP_DISCOVER, 1);
	char text[DNS_NAME_TEXT];
	struct scene s;
	(void)state;
	begin(&s);
	rx(&s, &msg, msg.chaddr);
	assert_string_equal(s.reply.domain, "");
	assert_int_equal(s.reply.domain_dns, 0);
	memcpy(msg.params, params, sizeof(params));
	msg.params_n = sizeof(params);
	rx(&s, &msg, msg.chaddr);
	assert_string_equal(s.reply.domain, "friday.weft");
	assert_int_equal(s.reply.dns_n, 0);
	assert_int_equal(s.reply.domain_dns, SERVER);
	assert_string_equal(dns_name_print(&s.reply.domain_dns_domain, text),
			    "friday.weft");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_as_a_whole),
		cmocka_unit_test(who_cannot_hear_unicast_gets_broadcast),
		cmocka_unit_test(a_member_gets_what_it_was_offered_elsewhere),
		cmocka_unit_test(wishes_are_granted_where_they_can_be),
		cmocka_unit_test(offers_and_leases_end),
		cmocka_unit_test(renewing_and_rebooting),
		cmocka_unit_test(an_offer_shortens_no_lease),
		cmocka_unit_test(leases_outlive_their_server),
		cmocka_unit_test(another_server_is_chosen),
		cmocka_unit_test(released_and_declined),
		cmocka_unit_test(informed),
		cmocka_unit_test(no_more_than_there_are),
		cmocka_unit_test(what_is_not_to_be_believed),
		cmocka_unit_test(others_may_have_the_word),
		cmocka_unit_test(names_are_told_to_who_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
