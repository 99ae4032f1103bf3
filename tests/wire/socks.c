/* SPDX-License-Identifier: MIT */
/*
 * Every message of SOCKS 5 as RFC 1928 and 1929 draw it, whole, cut at each byte, and wrong.
 */
#include "wire/socks.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>

#define BYTES(...) \
	(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void a_greeting_offers_methods(void **state)
{
	bool has_none, has_password;
	(void)state;
	assert_int_equal(
		socks_greeting_parse(BYTES(5, 2, 2, 0), &has_none, &has_password), 4);
	assert_true(has_none && has_password);
	/* What follows is not looked at. */
	assert_int_equal(
		socks_greeting_parse(BYTES(5, 1, 1, 5, 1), &has_none, &has_password), 3);
	assert_false(has_none || has_password);
	assert_int_equal(socks_greeting_parse(BYTES(5, 2, 0), &has_none, &has_password),
			 0);
	assert_int_equal(socks_greeting_parse(BYTES(4, 1, 0), &has_none, &has_password),
			 -EBADMSG);
}

static void a_password_has_two_parts(void **state)
{
	static const uint8_t message[] = { 1, 2, 'm', 'e', 3, 'k', 'e', 'y', 9 };
	struct socks_password p;
	(void)state;
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(socks_password_parse(message, len, &p), 0);
	assert_int_equal(socks_password_parse(message, sizeof(message), &p), 8);
	assert_int_equal(p.user_len, 2);
	assert_memory_equal(p.user, "me", 2);
	assert_int_equal(p.password_len, 3);
	assert_memory_equal(p.password, "key", 3);
	assert_int_equal(socks_password_parse(BYTES(2, 0, 0), &p), -EBADMSG);
}

/* Each beginning is not whole yet; the whole is taken. */
static void expect_request(const uint8_t *data, size_t len,
			   struct socks_request *ret_request)
{
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(socks_request_parse(data, cut, ret_request), 0);
	assert_int_equal(socks_request_parse(data, len, ret_request), (int)len);
}

static void requests_have_three_kinds_of_address(void **state)
{
	char text[WEFT_IP_TEXT];
	struct socks_request r;
	(void)state;
	expect_request(BYTES(5, 1, 0, 1, 10, 0, 0, 5, 0, 80), &r);
	assert_int_equal(r.command, SOCKS_CONNECT);
	assert_int_equal(r.address.port, 80);
	assert_string_equal(weft_ip_print(&r.address.ip, text), "10.0.0.5");

	expect_request(BYTES(5, 3, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			     0, 1, 0x1f, 0x90),
		       &r);
	assert_int_equal(r.command, SOCKS_UDP_ASSOCIATE);
	assert_int_equal(r.address.port, 8080);
	assert_string_equal(weft_ip_print(&r.address.ip, text), "2001:db8::1");

	expect_request(BYTES(5, 2, 0, 3, 4, 'g', 'a', 'm', 'e', 0, 1), &r);
	assert_int_equal(r.command, SOCKS_BIND);
	assert_int_equal(r.address.ip.family, 0);
	assert_string_equal(r.address.name, "game");
}

static void an_address_may_come_as_a_name(void **state)
{
	char text[WEFT_IP_TEXT];
	struct socks_request r;
	(void)state;
	expect_request(BYTES(5, 1, 0, 3, 7, '1', '0', '.', '0', '.', '0', '5', 0, 80),
		       &r);
	assert_string_equal(r.address.name, "10.0.05"); /* no address, and so a name */
	expect_request(
		BYTES(5, 1, 0, 3, 8, '1', '0', '.', '0', '.', '0', '.', '5', 0, 80), &r);
	assert_string_equal(weft_ip_print(&r.address.ip, text), "10.0.0.5");
	expect_request(BYTES(5, 1, 0, 3, 3, ':', ':', '1', 0, 80), &r);
	assert_int_equal(r.address.ip.family, AF_INET6);
}

static void requests_that_are_wrong(void **state)
{
	struct socks_request r;
	(void)state;
	assert_int_equal(socks_request_parse(BYTES(4, 1, 0, 80, 1, 2, 3, 4), &r),
			 -EBADMSG);
	assert_int_equal(socks_request_parse(BYTES(5, 1, 0, 2), &r), -EAFNOSUPPORT);
	/* Nothing, a NUL, a blank and a line's end are in no name. */
	assert_int_equal(socks_request_parse(BYTES(5, 1, 0, 3, 0, 0, 80), &r), -EBADMSG);
	assert_int_equal(socks_request_parse(BYTES(5, 1, 0, 3, 2, 'a', 0, 0, 80), &r),
			 -EBADMSG);
	assert_int_equal(socks_request_parse(BYTES(5, 1, 0, 3, 2, 'a', ' ', 0, 80), &r),
			 -EBADMSG);
	assert_int_equal(socks_request_parse(BYTES(5, 1, 0, 3, 2, 'a', '\n', 0, 80), &r),
			 -EBADMSG);
}

static void replies_name_an_address(void **state)
{
	static const uint8_t nobody[] = { 5, 5, 0, 1, 0, 0, 0, 0, 0, 0 };
	static const uint8_t ip4[] = { 5, 0, 0, 1, 10, 0, 0, 5, 0, 80 };
	uint8_t buf[SOCKS_REPLY_MAX];
	union weft_sockaddr addr;
	(void)state;
	assert_int_equal(socks_reply_emit(buf, SOCKS_REFUSED, NULL), sizeof(nobody));
	assert_memory_equal(buf, nobody, sizeof(nobody));
	assert_int_equal(weft_listen_parse("10.0.0.5:80", &addr), 0);
	assert_int_equal(socks_reply_emit(buf, SOCKS_SUCCEEDED, &addr), sizeof(ip4));
	assert_memory_equal(buf, ip4, sizeof(ip4));
	assert_int_equal(weft_listen_parse("[2001:db8::1]:80", &addr), 0);
	assert_int_equal(socks_reply_emit(buf, SOCKS_SUCCEEDED, &addr), SOCKS_REPLY_MAX);
	assert_int_equal(buf[3], 4);
	assert_memory_equal(buf + 4, &addr.in6.sin6_addr, 16);
}

static void datagrams_have_a_header(void **state)
{
	uint8_t buf[SOCKS_DATAGRAM_HEADER_MAX];
	struct socks_address address, again;
	union weft_sockaddr from;
	(void)state;
	assert_int_equal(socks_datagram_parse(BYTES(0, 0, 0, 1, 10, 0, 0, 5, 0, 53, 'x'),
					      &address),
			 10);
	assert_int_equal(address.port, 53);
	assert_int_equal(weft_listen_parse("10.0.0.5:53", &from), 0);
	assert_int_equal(socks_datagram_emit(buf, &from), 10);
	assert_int_equal(socks_datagram_parse(buf, 10, &again), 10);
	assert_memory_equal(&again.ip, &address.ip, sizeof(again.ip));
	for (size_t len = 0; len < 10; len++)
		assert_int_equal(socks_datagram_parse(buf, len, &again), -EBADMSG);
	assert_int_equal(
		socks_datagram_parse(BYTES(0, 0, 1, 1, 10, 0, 0, 5, 0, 53), &again),
		-ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_greeting_offers_methods),
		cmocka_unit_test(a_password_has_two_parts),
		cmocka_unit_test(requests_have_three_kinds_of_address),
		cmocka_unit_test(an_address_may_come_as_a_name),
		cmocka_unit_test(requests_that_are_wrong),
		cmocka_unit_test(replies_name_an_address),
		cmocka_unit_test(datagrams_have_a_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
