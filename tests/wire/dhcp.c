/* SPDX-License-Identifier: MIT */
/*
 * DHCP: what a client and a server say comes out as it went in; options in overloaded
 * fields and in pieces are found; fields that lie are refused.
 */
#include "wire/dhcp.h"

#include "base/array.h"
#include "base/mac.h"
#include "bytes.h"
#include "wire/cursor.h"

#include <errno.h>

static int parse(const uint8_t *data, size_t len)
{
	struct dhcp_msg msg;
	return dhcp_msg_parse(data, len, &msg);
}

/* A reply up to its magic, and behind it the options given in hex. */
static struct bytes reply_with(const char *options)
{
	struct bytes b = { .len = DHCP_LEN };
	b.data[DHCP_OFF_OP] = DHCP_OP_REPLY;
	b.data[DHCP_OFF_HTYPE] = 1;
	b.data[DHCP_OFF_HLEN] = MAC_LEN;
	store_be32(b.data + DHCP_OFF_MAGIC, 0x63825363);
	struct bytes tail = bytes_of(options);
	memcpy(b.data + DHCP_LEN, tail.data, tail.len);
	b.len += tail.len;
	return b;
}

static void put_hex(struct bytes *b, size_t off, const char *hex)
{
	struct bytes value = bytes_of(hex);
	memcpy(b->data + off, value.data, value.len);
}

static void ack_round_trip(void **state)
{
	(void)state;
	const struct dhcp_msg ack = {
		.op = DHCP_OP_REPLY,
		.type = DHCP_ACK,
		.hops = 1,
		.xid = 0x12345678,
		.secs = 3,
		.broadcast = true,
		.ciaddr = 0xc0000264,
		.yiaddr = 0xc000020a,
		.siaddr = 0xc0000201,
		.giaddr = 0xc00002fe,
		.chaddr = { { 2, 0, 0, 0, 0, 1 } },
		.subnet_mask = 0xffffff00,
		.broadcast_addr = 0xc00002ff,
		.server_id = 0xc0000201,
		.lease_s = 3600,
		.renewal_s = 1800,
		.rebinding_s = 3150,
		.mtu = 1400,
		.routers_n = 1,
		.routers = { 0xc0000201 },
		.dns_n = 2,
		.dns = { 0xc0000201, 0xc0000202 },
		.domain = "lan.example",
		.message = "welcome",
		.domain_dns = 0xc00002fe,
		.domain_dns_domain = { .len = 5, .octet = { 3, 'l', 'a', 'n', 0 } },
	};
	uint8_t buf[DHCP_LEN_MAX];
	int len = dhcp_msg_emit(buf, sizeof(buf), &ack);
	assert_in_range(len, DHCP_LEN_MIN, sizeof(buf));
	struct dhcp_msg back;
	assert_int_equal(dhcp_msg_parse(buf, (size_t)len, &back), 0);
	assert_memory_equal(&back, &ack, sizeof(ack));
}

static void discover_round_trip(void **state)
{
	(void)state;
	const struct dhcp_msg discover = {
		.op = DHCP_OP_REQUEST,
		.type = DHCP_DISCOVER,
		.xid = 7,
		.chaddr = { { 2, 0, 0, 0, 0, 1 } },
		.requested_ip = 0xc000020a,
		.len_max = 1500,
		.params_n = 4,
		.params = { DHCP_OPT_SUBNET_MASK, DHCP_OPT_ROUTER, DHCP_OPT_DNS,
			    DHCP_OPT_MTU },
		.client_id_len = 7,
		.client_id = { 1, 2, 0, 0, 0, 0, 1 },
		.host_name = "player",
	};
	uint8_t buf[DHCP_LEN_MAX];
	int len = dhcp_msg_emit(buf, sizeof(buf), &discover);
	assert_int_equal(len, DHCP_LEN_MIN);
	struct dhcp_msg back;
	assert_int_equal(dhcp_msg_parse(buf, (size_t)len, &back), 0);
	assert_memory_equal(&back, &discover, sizeof(discover));
	for (size_t n = 0; n < (size_t)len; n++)
		assert_int_equal(dhcp_msg_emit(buf, n, &discover), -ENOBUFS);
}

/* RFC 2131, 2, figure 2: the other bits are reserved, and ignored. */
static void one_flag_of_sixteen(void **state)
{
	(void)state;
	const struct dhcp_msg discover = { .op = DHCP_OP_REQUEST,
					   .type = DHCP_DISCOVER,
					   .broadcast = true,
					   .chaddr = { { 2, 0, 0, 0, 0, 1 } } };
	uint8_t buf[DHCP_LEN_MAX];
	struct dhcp_msg back;
	int len = dhcp_msg_emit(buf, sizeof(buf), &discover);
	assert_true(len > 0);
	assert_int_equal(load_be16(buf + 10), 0x8000);
	store_be16(buf + 10, 0x7fff);
	assert_int_equal(dhcp_msg_parse(buf, (size_t)len, &back), 0);
	assert_false(back.broadcast);
}

static void largest_message_fits(void **state)
{
	(void)state;
	struct dhcp_msg msg;
	memset(&msg, 'x', sizeof(msg));
	msg.broadcast = true;
	msg.routers_n = msg.dns_n = DHCP_ADDRS_MAX;
	msg.params_n = DHCP_PARAMS_MAX;
	msg.client_id_len = DHCP_CLIENT_ID_MAX;
	msg.domain_dns_domain.len = DHCP_DOMAIN_LEN_MAX;
	uint8_t buf[DHCP_LEN_MAX];
	assert_in_range(dhcp_msg_emit(buf, sizeof(buf), &msg), DHCP_LEN_MAX - 80,
			DHCP_LEN_MAX);
	msg.dns_n++;
	assert_int_equal(dhcp_msg_emit(buf, sizeof(buf), &msg), -EINVAL);
}

/* RFC 6731, 4.3: flags, two servers, and names, of which there may be several or none. */
static void a_server_is_for_a_domain(void **state)
{
	static const uint8_t option[] = { 146, 21,  1,   10,  0,   0,   1,   10,
					  0,   0,   2,   3,   'l', 'a', 'n', 0,
					  4,   'w', 'e', 'f', 't', 0,   0 };
	uint8_t buf[DHCP_LEN + sizeof(option)] = { 0 };
	const struct dhcp_msg plain = { .op = DHCP_OP_REPLY };
	uint8_t whole[DHCP_LEN_MAX];
	struct dhcp_msg msg;
	(void)state;
	assert_true(dhcp_msg_emit(whole, sizeof(whole), &plain) > 0);
	memcpy(buf, whole, DHCP_LEN);
	memcpy(buf + DHCP_LEN, option, sizeof(option));
	assert_int_equal(dhcp_msg_parse(buf, sizeof(buf), &msg), 0);
	assert_int_equal(msg.domain_dns, 0x0a000001);
	assert_int_equal(msg.domain_dns_domain.len, 5);
	/* For all names, or with a name that is cut: not at all. */
	buf[DHCP_LEN + 11] = 0;
	assert_int_equal(dhcp_msg_parse(buf, sizeof(buf), &msg), 0);
	assert_int_equal(msg.domain_dns, 0);
	buf[DHCP_LEN + 11] = 40;
	assert_int_equal(dhcp_msg_parse(buf, sizeof(buf), &msg), 0);
	assert_int_equal(msg.domain_dns, 0);
}

static void absent_options_are_zero(void **state)
{
	(void)state;
	struct bytes b = reply_with("");
	struct dhcp_msg msg;
	memset(&msg, 'x', sizeof(msg));
	assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
	const struct dhcp_msg want = { .op = DHCP_OP_REPLY };
	assert_memory_equal(&msg, &want, sizeof(want));
}

/* Options behind the end option and pads between options are no options. */
static void pads_and_end(void **state)
{
	(void)state;
	struct bytes b = reply_with("00 00 350105 00 00 330400000e10 ff 0304c0000201");
	struct dhcp_msg msg;
	assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.type, DHCP_ACK);
	assert_int_equal(msg.lease_s, 3600);
	assert_int_equal(msg.routers_n, 0);
}

static void overloaded_fields_are_read(void **state)
{
	(void)state;
	struct dhcp_msg msg;
	for (unsigned overload = 0; overload < 4; overload++) {
		struct bytes b = reply_with("350105 340100 ff");
		b.data[DHCP_LEN + 5] = (uint8_t)overload;
		put_hex(&b, DHCP_OFF_FILE, "330400000e10 ff");
		put_hex(&b, DHCP_OFF_SNAME, "0104ffffff00 ff");
		assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
		assert_int_equal(msg.lease_s, overload & 1 ? 3600 : 0);
		assert_int_equal(msg.subnet_mask, overload & 2 ? 0xffffff00 : 0);
	}
}

/* RFC 3396: joined in the order options, file, sname, even within an address. */
static void pieces_are_joined(void **state)
{
	(void)state;
	struct bytes b = reply_with("0f046c616e2e 340103 0302c000 ff");
	put_hex(&b, DHCP_OFF_FILE, "0f046578616d 03020201 ff");
	put_hex(&b, DHCP_OFF_SNAME, "0f03706c65 0304c0000202 ff");
	struct dhcp_msg msg;
	assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
	assert_string_equal(msg.domain, "lan.example");
	assert_int_equal(msg.routers_n, 2);
	assert_int_equal(msg.routers[0], 0xc0000201);
	assert_int_equal(msg.routers[1], 0xc0000202);
}

static void wrong_lengths_are_passed_over(void **state)
{
	(void)state;
	struct bytes b =
		reply_with("35020505 330300000e 0105ffffff0000 1a0105 0303c00002 ff");
	struct dhcp_msg msg;
	assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(msg.type, 0);
	assert_int_equal(msg.lease_s, 0);
	assert_int_equal(msg.subnet_mask, 0);
	assert_int_equal(msg.mtu, 0);
	assert_int_equal(msg.routers_n, 0);
}

static void long_values_are_cut(void **state)
{
	(void)state;
	struct bytes b = reply_with("");
	/* Twice 200 bytes of each. */
	static const uint8_t codes[] = { DHCP_OPT_DOMAIN, DHCP_OPT_PARAMS,
					 DHCP_OPT_CLIENT_ID };
	for (size_t i = 0; i < 2 * ARRAY_LEN(codes); i++) {
		uint8_t *p = b.data + b.len;
		memset(p, 'a', 202);
		p[0] = codes[i % ARRAY_LEN(codes)];
		p[1] = 200;
		b.len += 202;
	}
	struct dhcp_msg msg;
	assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
	assert_int_equal(strlen(msg.domain), DHCP_TEXT_LEN - 1);
	assert_int_equal(msg.params_n, DHCP_PARAMS_MAX);
	assert_int_equal(msg.client_id_len, DHCP_CLIENT_ID_MAX);
}

static void text_ends_at_a_nul(void **state)
{
	(void)state;
	struct bytes b = reply_with("0c06616263006465 ff");
	struct dhcp_msg msg;
	assert_int_equal(dhcp_msg_parse(b.data, b.len, &msg), 0);
	assert_string_equal(msg.host_name, "abc");
}

static void lies_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"35",                /* no length */
		"3501",              /* no value */
		"350105 33ff00",     /* past the end */
		"350105 0304c00002", /* the last byte is missing */
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bytes b = reply_with(bad[i]);
		if (bytes_parse(b.data, b.len, parse) != -EBADMSG)
			fail_msg("took %s", bad[i]);
	}
	struct bytes b = reply_with("340101 ff");
	put_hex(&b, DHCP_OFF_FILE + 126,
		"0c05"); /* past the file field, inside the message */
	memset(b.data + DHCP_OFF_FILE, 0, 126);
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
}

static void other_messages_are_refused(void **state)
{
	(void)state;
	struct bytes b = reply_with("350105 ff");
	b.data[DHCP_OFF_MAGIC]++;
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b = reply_with("350105 ff");
	b.data[DHCP_OFF_OP] = 3;
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b = reply_with("350105 ff");
	b.data[DHCP_OFF_HTYPE] = 6;
	assert_int_equal(parse(b.data, b.len), -EPROTONOSUPPORT);
	b = reply_with("350105 ff");
	b.data[DHCP_OFF_HLEN] = 16;
	assert_int_equal(parse(b.data, b.len), -EPROTONOSUPPORT);
}

static void every_truncation_of_the_fixed_part_is_refused(void **state)
{
	(void)state;
	struct bytes b = reply_with("");
	assert_needs_all(b.data, b.len, parse);
}

static void flipped_bits_stay_inside(void **state)
{
	(void)state;
	struct bytes b = reply_with("350105 340103 330400000e10 0304c0000201 ff");
	put_hex(&b, DHCP_OFF_FILE, "0604c0000201 ff");
	put_hex(&b, DHCP_OFF_SNAME, "0104ffffff00 ff");
	try_each_bit_flipped(b, parse);
}

static void every_type_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(dhcp_type_name(0), "BOOTP");
	assert_string_equal(dhcp_type_name(DHCP_DISCOVER), "DHCPDISCOVER");
	assert_string_equal(dhcp_type_name(DHCP_INFORM), "DHCPINFORM");
	for (unsigned type = 9; type < 256; type++)
		assert_string_equal(dhcp_type_name((uint8_t)type), "DHCP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ack_round_trip),
		cmocka_unit_test(discover_round_trip),
		cmocka_unit_test(one_flag_of_sixteen),
		cmocka_unit_test(largest_message_fits),
		cmocka_unit_test(a_server_is_for_a_domain),
		cmocka_unit_test(absent_options_are_zero),
		cmocka_unit_test(pads_and_end),
		cmocka_unit_test(overloaded_fields_are_read),
		cmocka_unit_test(pieces_are_joined),
		cmocka_unit_test(wrong_lengths_are_passed_over),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(text_ends_at_a_nul),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(other_messages_are_refused),
		cmocka_unit_test(every_truncation_of_the_fixed_part_is_refused),
		cmocka_unit_test(flipped_bits_stay_inside),
		cmocka_unit_test(every_type_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
