/* SPDX-License-Identifier: MIT */
/*
 * The messages of VPNKit's handshake, byte for byte.
 */
#include "wire/vpnkit.h"

#include "../unit.h"

#include <errno.h>
#include <string.h>

#define UUID "0F25C1B7-3D05-4C4F-9F4B-7A4A3E8B1F00"

static const uint8_t *uuid_bytes(void)
{
	static uint8_t bytes[VPNKIT_UUID_LEN];
	memcpy(bytes, UUID, sizeof(bytes));
	return bytes;
}

static void init_is_known_by_its_magic(void **state)
{
	uint8_t init[VPNKIT_INIT_LEN];
	(void)state;
	vpnkit_init_emit(init);
	assert_memory_equal(init, "VMN3T\x16\0\0\0", 9);
	for (size_t len = 1; len <= sizeof(init); len++)
		assert_true(vpnkit_is_init(init, len));
	init[4] = 'X';
	assert_true(vpnkit_is_init(init, 4));
	assert_false(vpnkit_is_init(init, 5));
}

static void commands(void **state)
{
	uint8_t command[VPNKIT_COMMAND_LEN], uuid[VPNKIT_UUID_LEN];
	(void)state;
	vpnkit_command_emit(command, UUID);
	assert_int_equal(command[0], 1);
	assert_memory_equal(command + 1, UUID, VPNKIT_UUID_LEN);
	assert_memory_equal(command + 37, "\0\0\0\0", 4);
	assert_int_equal(vpnkit_command_parse(command, uuid), 0);
	assert_memory_equal(uuid, UUID, VPNKIT_UUID_LEN);
	command[0] = 8;
	assert_int_equal(vpnkit_command_parse(command, uuid), 0);
	command[0] = 2;
	assert_int_equal(vpnkit_command_parse(command, uuid), -EBADMSG);
}

static void a_port_with_its_mtu_and_mac(void **state)
{
	static const uint8_t expected[] = "\1\xdc\x05\xea\x05\2\0\0\0\0\7\0";
	const struct vpnkit_reply reply = { .mtu = 1500,
					    .mac = { { 2, 0, 0, 0, 0, 7 } } };
	struct vpnkit_reply got;
	uint8_t bytes[VPNKIT_REPLY_LEN];
	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	vpnkit_reply_emit(bytes, &reply);
	assert_memory_equal(bytes, expected, sizeof(expected) - 1);
	for (size_t i = 11; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(vpnkit_reply_parse(bytes, &got), 0);
	assert_false(got.is_refused);
	assert_int_equal(got.mtu, 1500);
	assert_memory_equal(&got.mac, &reply.mac, sizeof(got.mac));
	bytes[1] = 10;
	bytes[2] = 0;
	assert_int_equal(vpnkit_reply_parse(bytes, &got), -EBADMSG);
	bytes[0] = 3;
	assert_int_equal(vpnkit_reply_parse(bytes, &got), -EBADMSG);
}

static void refusals_are_plain_text(void **state)
{
	const struct vpnkit_reply reply = { .is_refused = true, .why = "no more ports" };
	struct vpnkit_reply got;
	uint8_t bytes[VPNKIT_REPLY_LEN];
	(void)state;
	vpnkit_reply_emit(bytes, &reply);
	assert_memory_equal(bytes, "\2\x0dno more ports\0", 16);
	assert_int_equal(vpnkit_reply_parse(bytes, &got), 0);
	assert_true(got.is_refused);
	assert_string_equal(got.why, "no more ports");

	memset(bytes + 1, 0xff, sizeof(bytes) - 1);
	assert_int_equal(vpnkit_reply_parse(bytes, &got), 0);
	assert_int_equal(strlen(got.why), sizeof(got.why) - 1);
	assert_int_equal(got.why[0], '?');
}

static void a_machine_keeps_its_address(void **state)
{
	uint8_t other[VPNKIT_UUID_LEN];
	struct weft_mac mac = vpnkit_mac_of(uuid_bytes()), again;
	(void)state;
	assert_int_equal(mac.octet[0] & 3, 2);
	again = vpnkit_mac_of(uuid_bytes());
	assert_memory_equal(&mac, &again, sizeof(mac));
	memcpy(other, uuid_bytes(), sizeof(other));
	other[35] = '1';
	again = vpnkit_mac_of(other);
	assert_memory_not_equal(&mac, &again, sizeof(mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_is_known_by_its_magic),
		cmocka_unit_test(commands),
		cmocka_unit_test(a_port_with_its_mtu_and_mac),
		cmocka_unit_test(refusals_are_plain_text),
		cmocka_unit_test(a_machine_keeps_its_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
