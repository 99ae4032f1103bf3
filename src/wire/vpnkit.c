/* SPDX-License-Identifier: MIT */
/*
 * All messages have one length each, so that there is nothing to check but their first byte
 * and the numbers in them.
 */
#include "wire/vpnkit.h"

#include "base/hash.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VERSION 22u

enum { COMMAND_ETHERNET = 1, COMMAND_ETHERNET_IP4 = 8 };
enum { REPLY_VIF = 1, REPLY_DISCONNECT = 2 };

/* The least that IPv4 asks of a link (RFC 791, 3.2). */
#define MTU_MIN 68u

static const uint8_t magic[VPNKIT_MAGIC_LEN] = { 'V', 'M', 'N', '3', 'T' };

bool vpnkit_is_init(const uint8_t *data, size_t len)
{
	return memcmp(data, magic, len < sizeof(magic) ? len : sizeof(magic)) == 0;
}

/* Any commit will do: servers compare the magic, some the version. */
void vpnkit_init_emit(uint8_t buf[VPNKIT_INIT_LEN])
{
	struct writer w = writer_of(buf, VPNKIT_INIT_LEN);
	writer_bytes(&w, magic, sizeof(magic));
	writer_u32_le(&w, VERSION);
	writer_fill(&w, '0', writer_left(&w));
}

int vpnkit_command_parse(const uint8_t buf[VPNKIT_COMMAND_LEN],
			 uint8_t ret_uuid[VPNKIT_UUID_LEN])
{
	if (buf[0] != COMMAND_ETHERNET && buf[0] != COMMAND_ETHERNET_IP4)
		return -EBADMSG;
	memcpy(ret_uuid, buf + 1, VPNKIT_UUID_LEN);
	return 0;
}

void vpnkit_command_emit(uint8_t buf[VPNKIT_COMMAND_LEN], const char *uuid)
{
	struct writer w = writer_of(buf, VPNKIT_COMMAND_LEN);
	writer_u8(&w, COMMAND_ETHERNET);
	writer_bytes(&w, uuid, VPNKIT_UUID_LEN);
	writer_fill(&w, 0, writer_left(&w));
}

static void why_copy(char *why, size_t why_len, const uint8_t *text, size_t len)
{
	size_t n = len < why_len - 1 ? len : why_len - 1;
	memcpy(why, text, n);
	why[n] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (why[i] < ' ' || why[i] > '~')
			why[i] = '?';
	}
}

int vpnkit_reply_parse(const uint8_t buf[VPNKIT_REPLY_LEN],
		       struct vpnkit_reply *ret_reply)
{
	struct vpnkit_reply reply = { .is_refused = buf[0] == REPLY_DISCONNECT };

	if (reply.is_refused) {
		why_copy(reply.why, sizeof(reply.why), buf + 2, buf[1]);
		*ret_reply = reply;
		return 0;
	}
	struct reader r = reader_of(buf + 1, VPNKIT_REPLY_LEN - 1);
	reply.mtu = reader_u16_le(&r);
	reader_skip(&r, 2);
	reader_copy(&r, reply.mac.octet, sizeof(reply.mac.octet));
	if (buf[0] != REPLY_VIF || reply.mtu < MTU_MIN ||
	    reply.mtu > UINT16_MAX - ETHER_LEN)
		return -EBADMSG;
	*ret_reply = reply;
	return 0;
}

void vpnkit_reply_emit(uint8_t buf[VPNKIT_REPLY_LEN], const struct vpnkit_reply *reply)
{
	struct writer w = writer_of(buf, VPNKIT_REPLY_LEN);

	writer_u8(&w, reply->is_refused ? REPLY_DISCONNECT : REPLY_VIF);
	if (reply->is_refused) {
		size_t n = strnlen(reply->why, sizeof(reply->why));
		writer_u8(&w, (uint8_t)n);
		writer_bytes(&w, reply->why, n);
	} else {
		writer_u16_le(&w, reply->mtu);
		writer_u16_le(&w, (uint16_t)(reply->mtu + ETHER_LEN));
		writer_bytes(&w, reply->mac.octet, sizeof(reply->mac.octet));
	}
	writer_fill(&w, 0, writer_left(&w));
}

struct weft_mac vpnkit_mac_of(const uint8_t uuid[VPNKIT_UUID_LEN])
{
	/* No secret: who chooses a UUID may choose its address. */
	static const uint8_t key[HASH_SECRET_LEN] = { 'v', 'p', 'n', 'k', 'i', 't' };
	uint8_t bytes[8];
	struct weft_mac mac;

	store_be64(bytes, hash_bytes(key, uuid, VPNKIT_UUID_LEN));
	memcpy(mac.octet, bytes, sizeof(mac.octet));
	mac.octet[0] = (uint8_t)((mac.octet[0] & 0xfcu) | 0x02u);
	return mac;
}
