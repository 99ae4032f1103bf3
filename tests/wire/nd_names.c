/* SPDX-License-Identifier: MIT */
/*
 * What a router says about names: the options as scapy builds them, cut at every length, and
 * those that lie.
 */
#include "wire/nd_names.h"

#include "base/array.h"
#include "bytes.h"

#include <errno.h>
#include <stdio.h>

#define ADVERT "86000000 40 40 0708 00000000 00000000 "
#define PREFIX                                   \
	"0304 40 c0 00015180 00003840 00000000 " \
	"20010db8000000000000000000000000 "
#define TWO_SERVERS                                            \
	"1905 0000 00000258 20010db8000000000000000000000053 " \
	"fe800000000000000000000000000001 "
#define TWO_DOMAINS \
	"1f04 0000 ffffffff 036c616e076578616d706c6500 0663616d70757300 000000 "
#define ALL ADVERT TWO_SERVERS PREFIX TWO_DOMAINS

static int parse(const uint8_t *data, size_t len)
{
	struct nd_names names;
	return nd_names_parse(data, len, &names);
}

static struct nd_names parsed(const char *hex)
{
	struct bytes b = bytes_of(hex);
	struct nd_names names;
	assert_int_equal(nd_names_parse(b.data, b.len, &names), 0);
	return names;
}

static void assert_name(const struct dns_name *name, const char *want)
{
	char text[DNS_NAME_TEXT];
	assert_string_equal(dns_name_print(name, text), want);
}

static void servers_and_domains(void **state)
{
	const struct nd_names names = parsed(ALL);
	(void)state;
	assert_int_equal(names.servers_n, 2);
	assert_int_equal(names.servers[0].lifetime_s, 600);
	assert_int_equal(names.servers[0].addr.octet[15], 0x53);
	assert_int_equal(names.servers[1].addr.octet[0], 0xfe);
	assert_int_equal(names.domains_n, 2);
	assert_int_equal(names.domains[0].lifetime_s, ND_FOREVER_S);
	assert_name(&names.domains[0].name, "lan.example");
	assert_name(&names.domains[1].name, "campus");
}

static void one_option_for_each(void **state)
{
	const struct nd_names names = parsed(ALL);
	struct bytes b = bytes_of(ADVERT);
	struct nd_names again;
	uint8_t *out = b.data + b.len;
	(void)state;
	int len = nd_names_emit(out, sizeof(b.data) - b.len, &names);
	assert_int_equal(len, 2 * 24 + 24 + 16);
	for (int n = 0; n < len; n++)
		assert_int_equal(nd_names_emit(out, (size_t)n, &names), -ENOBUFS);
	assert_int_equal(nd_names_emit(out, (size_t)len, &names), len);
	assert_int_equal(nd_names_parse(b.data, b.len + (size_t)len, &again), 0);
	assert_memory_equal(&again, &names, sizeof(names));
	again.servers_n = ND_SERVERS_MAX + 1;
	assert_int_equal(nd_names_emit(out, (size_t)len, &again), -EINVAL);
}

/* An advertisement may end behind any option, and nowhere else. */
static void truncations(void **state)
{
	static const size_t ends[] = { 16, 56, 88, 120 };
	struct bytes b = bytes_of(ALL);
	(void)state;
	assert_int_equal(b.len, ends[3]);
	for (size_t n = 0; n <= b.len; n++) {
		bool is_whole = false;
		for (size_t i = 0; i < ARRAY_LEN(ends); i++)
			is_whole |= n == ends[i];
		assert_int_equal(bytes_parse(b.data, n, parse), is_whole ? 0 : -EBADMSG);
	}
}

static void options_of_strange_content_are_passed_over(void **state)
{
	static const char *const options[] = {
		"1902 0000 00000258 20010db800000000", /* Half an address. */
		"1904 0000 00000258 20010db80000000000000000000000530000000000000000",
		"1901 0000 00000258",                  /* None at all. */
		"1f01 0000 00000258",                  /* No domain. */
		"1f02 0000 00000258 0161000162c00000", /* One that is compressed, */
		"1f02 0000 00000258 0861626364656667", /* one that does not end. */
		"1f02 0000 00000258 0000000000000000", /* The root. */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		char hex[256];
		(void)snprintf(hex, sizeof(hex), ADVERT "%s", options[i]);
		const struct nd_names names = parsed(hex);
		if (names.servers_n + names.domains_n != 0)
			fail_msg("%s says something", options[i]);
	}
}

static void lists_have_limits(void **state)
{
	struct bytes b = bytes_of(ADVERT);
	struct nd_names names;
	(void)state;
	for (uint8_t i = 0; i < 12; i++) {
		uint8_t server[24] = { 25, 3, [7] = 60, [8] = 0x20, [23] = i };
		uint8_t domain[16] = { 31,
				       2, [7] = 60, [8] = 1, [9] = (uint8_t)('a' + i) };
		memcpy(b.data + b.len, server, sizeof(server));
		memcpy(b.data + b.len + sizeof(server), domain, sizeof(domain));
		b.len += sizeof(server) + sizeof(domain);
	}
	assert_int_equal(nd_names_parse(b.data, b.len, &names), 0);
	assert_int_equal(names.servers_n, ND_SERVERS_MAX);
	assert_int_equal(names.servers[7].addr.octet[15], 7);
	assert_int_equal(names.domains_n, ND_DOMAINS_MAX);
	assert_name(&names.domains[5].name, "f");
	uint8_t out[1024];
	assert_true(nd_names_emit(out, sizeof(out), &names) > 0);
	names.domains_n++;
	assert_int_equal(nd_names_emit(out, sizeof(out), &names), -EINVAL);
	names.domains_n--;
	names.servers_n++;
	assert_int_equal(nd_names_emit(out, sizeof(out), &names), -EINVAL);
}

static void flipped_bits_stay_inside(void **state)
{
	(void)state;
	try_each_bit_flipped(bytes_of(ALL), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_and_domains),
		cmocka_unit_test(one_option_for_each),
		cmocka_unit_test(truncations),
		cmocka_unit_test(options_of_strange_content_are_passed_over),
		cmocka_unit_test(lists_have_limits),
		cmocka_unit_test(flipped_bits_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
