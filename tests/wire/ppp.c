/* SPDX-License-Identifier: MIT */
/*
 * PPP's packets: as a game's modem stack sends them, and with every length a lie.
 */
#include "wire/ppp.h"

#include "bytes.h"

#include <errno.h>

#define REQUEST "01 07 0014 0104 05dc 0206 000a0000 0506 deadbeef"

static int parse_packet(const uint8_t *data, size_t len)
{
	struct ppp_packet packet;
	return ppp_packet_parse(data, len, &packet);
}

static int parse_options(const uint8_t *data, size_t len)
{
	struct reader r = reader_of(data, len);
	struct ppp_option option;
	int n;
	while ((n = ppp_option_next(&r, &option)) > 0)
		assert_true(option.len == 0 || option.value);
	return n;
}

static int parse_pap(const uint8_t *data, size_t len)
{
	struct pap_request request;
	return pap_request_parse(data, len, &request);
}

static int protocol_of(const char *hex, uint16_t *ret_protocol)
{
	struct bytes b = bytes_of(hex);
	uint8_t *copy = bytes_exactly(b.data, b.len);
	int r = ppp_hdr_parse(copy, b.len, ret_protocol);
	free(copy);
	return r;
}

static void protocol_in_two_octets_or_one(void **state)
{
	(void)state;
	uint16_t protocol = 0;
	assert_int_equal(protocol_of("c021 01", &protocol), 2);
	assert_int_equal(protocol, PPP_LCP);
	assert_int_equal(protocol_of("0021 45", &protocol), 2);
	assert_int_equal(protocol, PPP_IP4);
	assert_int_equal(protocol_of("21 45", &protocol), 1);
	assert_int_equal(protocol, PPP_IP4);
}

/* RFC 1661, 2: the last octet is odd, and only the last. */
static void protocols_that_cannot_be(void **state)
{
	(void)state;
	uint16_t protocol = 77;
	assert_int_equal(protocol_of("", &protocol), -EBADMSG);
	assert_int_equal(protocol_of("c0", &protocol), -EBADMSG);
	assert_int_equal(protocol_of("c022", &protocol), -EBADMSG);
	assert_int_equal(protocol, 77);
}

static void protocol_round_trip(void **state)
{
	(void)state;
	uint8_t out[2];
	assert_int_equal(ppp_hdr_emit(out, 2, PPP_IPCP), 2);
	assert_memory_equal(out, "\x80\x21", 2);
	assert_int_equal(ppp_hdr_emit(out, 1, PPP_IPCP), -ENOBUFS);
}

static void configure_request(void **state)
{
	(void)state;
	struct bytes b = bytes_of(REQUEST);
	struct ppp_packet packet;
	assert_int_equal(ppp_packet_parse(b.data, b.len, &packet), 20);
	assert_int_equal(packet.code, PPP_CONFIGURE_REQUEST);
	assert_int_equal(packet.id, 7);
	assert_int_equal(packet.len, 16);

	struct reader r = reader_of(packet.data, packet.len);
	struct ppp_option option;
	assert_int_equal(ppp_option_next(&r, &option), 1);
	assert_int_equal(option.type, LCP_MRU);
	assert_int_equal(ppp_option_u16(&option), 1500);
	assert_int_equal(ppp_option_u32(&option), 0);
	assert_int_equal(ppp_option_next(&r, &option), 1);
	assert_int_equal(option.type, LCP_ACCM);
	assert_int_equal(ppp_option_u32(&option), 0x000a0000);
	assert_int_equal(ppp_option_u16(&option), 0);
	assert_int_equal(ppp_option_next(&r, &option), 1);
	assert_int_equal(ppp_option_u32(&option), 0xdeadbeef);
	assert_int_equal(ppp_option_next(&r, &option), 0);

	uint8_t out[20];
	assert_int_equal(ppp_packet_emit(out, sizeof(out), &packet), 20);
	assert_memory_equal(out, b.data, 20);
	assert_int_equal(ppp_packet_emit(out, sizeof(out) - 1, &packet), -ENOBUFS);
	packet.len = UINT16_MAX;
	assert_int_equal(ppp_packet_emit(out, sizeof(out), &packet), -ENOBUFS);
}

static void options_round_trip(void **state)
{
	(void)state;
	struct bytes b = bytes_of("0104 05dc 0206 000a0000 0702");
	uint8_t out[12];
	struct writer w = writer_of(out, sizeof(out));
	ppp_option_put_u16(&w, LCP_MRU, 1500);
	ppp_option_put_u32(&w, LCP_ACCM, 0x000a0000);
	ppp_option_put(&w, &(struct ppp_option){ .type = LCP_PFC });
	assert_false(w.bad);
	assert_int_equal(w.off, b.len);
	assert_memory_equal(out, b.data, b.len);
	ppp_option_put(&w, &(struct ppp_option){ .type = LCP_ACFC });
	assert_true(w.bad);
}

static void octets_behind_the_length_are_padding(void **state)
{
	(void)state;
	struct bytes b = bytes_of("05 01 0004 ffffff");
	struct ppp_packet packet;
	assert_int_equal(ppp_packet_parse(b.data, b.len, &packet), 4);
	assert_int_equal(packet.len, 0);
}

static void packets_with_false_lengths(void **state)
{
	(void)state;
	static const char *const wrong[] = { "01 01 0000", "01 01 0003", "01 01 0005",
					     "01 01 ffff 0104" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct bytes b = bytes_of(wrong[i]);
		assert_int_equal(bytes_parse(b.data, b.len, parse_packet), -EBADMSG);
	}
	struct bytes b = bytes_of(REQUEST);
	assert_needs_all(b.data, b.len, parse_packet);
	try_each_bit_flipped(b, parse_packet);
}

static void options_with_false_lengths(void **state)
{
	(void)state;
	static const char *const wrong[] = { "01",      "0100",    "0101",
					     "0104 05", "0702 01", "0702 0103" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct bytes b = bytes_of(wrong[i]);
		assert_int_equal(bytes_parse(b.data, b.len, parse_options), -EBADMSG);
	}
	assert_int_equal(parse_options(NULL, 0), 0);
	try_each_bit_flipped(bytes_of("0104 05dc 0206 000a0000 0506 deadbeef 0702"),
			     parse_options);
}

static void name_and_password(void **state)
{
	(void)state;
	struct bytes b = bytes_of("03 706f73 02 7077");
	struct pap_request request;
	assert_int_equal(pap_request_parse(b.data, b.len, &request), 0);
	assert_int_equal(request.name_len, 3);
	assert_memory_equal(request.name, "pos", 3);
	assert_int_equal(request.password_len, 2);
	assert_memory_equal(request.password, "pw", 2);
	assert_needs_all(b.data, b.len, parse_pap);
	try_each_bit_flipped(b, parse_pap);
}

static void name_and_password_may_be_empty(void **state)
{
	(void)state;
	struct bytes b = bytes_of("00 00");
	struct pap_request request;
	assert_int_equal(pap_request_parse(b.data, b.len, &request), 0);
	assert_int_equal(request.name_len + request.password_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocol_in_two_octets_or_one),
		cmocka_unit_test(protocols_that_cannot_be),
		cmocka_unit_test(protocol_round_trip),
		cmocka_unit_test(configure_request),
		cmocka_unit_test(options_round_trip),
		cmocka_unit_test(octets_behind_the_length_are_padding),
		cmocka_unit_test(packets_with_false_lengths),
		cmocka_unit_test(options_with_false_lengths),
		cmocka_unit_test(name_and_password),
		cmocka_unit_test(name_and_password_may_be_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
