/* SPDX-License-Identifier: MIT */
/*
 * A VDE request as libvdeplug 4 sends it, byte by byte, and what is no request.
 */
#include "wire/vde.h"

#include "bytes.h"

#include <errno.h>

/* Numbers in this machine's order, as on the wire. */
static void native32(struct bytes *b, size_t off, uint32_t value)
{
	memcpy(b->data + off, &value, sizeof(value));
}

/* "/tmp/sw/.00016-00000", port 5, described as "vde_plug user=root". */
static struct bytes request(void)
{
	const uint16_t family = 1;
	struct bytes b = { .len = VDE_REQUEST_LEN + 18 };
	native32(&b, 0, 0xfeedface);
	native32(&b, 4, 3);
	native32(&b, 8, 5 << 8);
	memcpy(b.data + 12, &family, sizeof(family));
	memcpy(b.data + 14, "/tmp/sw/.00016-00000", 21);
	memcpy(b.data + 122, "vde_plug user=root", 18);
	return b;
}

static int parse(const uint8_t *data, size_t len)
{
	struct vde_request r;
	return vde_request_parse(data, len, &r);
}

static void as_libvdeplug_sends_it(void **state)
{
	uint8_t out[VDE_REQUEST_LEN_MAX];
	struct bytes b = request();
	struct vde_request r;
	(void)state;
	assert_int_equal(vde_request_parse(b.data, b.len, &r), 0);
	assert_int_equal(r.type, VDE_NEW_CONTROL);
	assert_int_equal(r.port, 5);
	assert_string_equal(r.path, "/tmp/sw/.00016-00000");
	assert_string_equal(r.description, "vde_plug user=root");
	assert_int_equal(vde_request_emit(out, &r), b.len);
	assert_memory_equal(out, b.data, b.len);
}

static void the_description_may_be_missing(void **state)
{
	struct bytes b = request();
	(void)state;
	b.len = VDE_REQUEST_LEN;
	assert_needs_all(b.data, b.len, parse);
}

static void a_description_is_made_printable(void **state)
{
	struct bytes b = request();
	struct vde_request r;
	(void)state;
	memset(b.data + VDE_REQUEST_LEN, 0x1b, 300);
	b.len = VDE_REQUEST_LEN + 300;
	assert_int_equal(vde_request_parse(b.data, b.len, &r), 0);
	assert_int_equal(strlen(r.description), VDE_DESCRIPTION_LEN);
	assert_int_equal(strspn(r.description, "?"), VDE_DESCRIPTION_LEN);
	memcpy(b.data + VDE_REQUEST_LEN, "\x1f ~\x7f\x80", 6);
	b.len = VDE_REQUEST_LEN + 6;
	assert_int_equal(vde_request_parse(b.data, b.len, &r), 0);
	assert_string_equal(r.description, "? ~??");
}

static void other_versions_are_told_apart(void **state)
{
	struct bytes b = request();
	(void)state;
	for (uint32_t version = 0; version < 10; version++) {
		native32(&b, 4, version);
		assert_int_equal(parse(b.data, b.len),
				 version == VDE_VERSION ? 0 : -EPROTONOSUPPORT);
	}
}

static void what_is_wrong_is_refused(void **state)
{
	(void)state;
	struct bytes b = request();
	native32(&b, 0, 0xfeedfacf);
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b = request();
	b.data[12] = 2; /* AF_INET */
	b.data[13] = 0;
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b = request();
	native32(&b, 8, 2);
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	native32(&b, 8, UINT32_MAX << 8);
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b = request();
	b.data[14] = '\0';
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
}

/* The NUL has to be inside of the address, whatever follows it. */
static void a_path_has_an_end(void **state)
{
	struct bytes b = request();
	struct vde_request r;
	(void)state;
	memset(b.data + 14, 'x', VDE_PATH_LEN);
	b.data[VDE_REQUEST_LEN] = '\0';
	assert_int_equal(parse(b.data, b.len), -EBADMSG);
	b.data[14 + VDE_PATH_LEN - 1] = '\0';
	assert_int_equal(vde_request_parse(b.data, b.len, &r), 0);
	assert_int_equal(strlen(r.path), VDE_PATH_LEN - 1);
}

static void an_answer_is_an_address(void **state)
{
	uint8_t buf[VDE_ADDRESS_LEN];
	char path[VDE_PATH_LEN];
	(void)state;
	vde_address_emit(buf, "/tmp/sw/001.7");
	for (size_t n = 0; n < VDE_ADDRESS_LEN; n++)
		assert_int_equal(vde_address_parse(buf, n, path), -EBADMSG);
	assert_int_equal(vde_address_parse(buf, VDE_ADDRESS_LEN, path), 0);
	assert_string_equal(path, "/tmp/sw/001.7");
}

static void any_bit_may_be_wrong(void **state)
{
	(void)state;
	try_each_bit_flipped(request(), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_libvdeplug_sends_it),
		cmocka_unit_test(the_description_may_be_missing),
		cmocka_unit_test(a_description_is_made_printable),
		cmocka_unit_test(other_versions_are_told_apart),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(a_path_has_an_end),
		cmocka_unit_test(an_answer_is_an_address),
		cmocka_unit_test(any_bit_may_be_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
