/* SPDX-License-Identifier: MIT */
/*
 * From values to JSON. Texts in a message are valid by construction, so that packing fails
 * for want of memory only.
 */
#include "base/mac.h"
#include "lan/message.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Letters of base64url for n bytes, and a NUL. */
#define BASE64_TEXT(n) (((n) + 2) / 3 * 4 + 1)

void message_print(char text[MESSAGE_TEXT_MAX + 1], const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, MESSAGE_TEXT_MAX + 1, fmt, args);
	va_end(args);
}

/* Adds "mac" for a client and "name" unless it is empty. Takes the object over. */
static json_t *with_identity(json_t *object, const char *name, struct weft_mac mac)
{
	char text[WEFT_MAC_TEXT];
	bool failed = !object;
	if (!failed && !mac_is_zero(mac))
		failed = json_object_set_new(object, "mac",
					     json_string(weft_mac_print(mac, text))) < 0;
	if (!failed && name[0])
		failed = json_object_set_new(object, "name", json_string(name)) < 0;
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *opening_pack(const uint8_t opening[OPENING_LEN])
{
	char text[BASE64_TEXT(OPENING_LEN)];
	(void)sodium_bin2base64(text, sizeof(text), opening, OPENING_LEN,
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return json_string(text);
}

static json_t *pass_pack(const struct pass *pass)
{
	uint8_t bytes[PASS_LEN];
	char text[BASE64_TEXT(PASS_LEN)];
	pass_emit(pass, bytes);
	(void)sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return json_string(text);
}

/* Takes the object over; NULL if that was NULL, or without memory. */
static json_t *with_address(json_t *object, const struct weft_ip *address)
{
	char text[WEFT_IP_TEXT];
	if (!object || address->family == 0 ||
	    json_object_set_new(object, "address",
				json_string(weft_ip_print(address, text))) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *hello_pack(const struct hello *hello)
{
	char key[BASE64_TEXT(PROOF_KEY_LEN)], proof[BASE64_TEXT(PROOF_LEN)];
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	(void)sodium_bin2base64(key, sizeof(key), hello->key, PROOF_KEY_LEN, variant);
	(void)sodium_bin2base64(proof, sizeof(proof), hello->proof, PROOF_LEN, variant);
	json_t *object = json_pack("{s:s, s:[i], s:s, s:s, s:i, s:s, s:s}", "type",
				   "hello", "versions", LAN_VERSION, "role",
				   role_name(hello->role), "room", hello->room, "budget",
				   (int)hello->budget, "key", key, "proof", proof);
	if (object && hello->has_pass)
		(void)json_object_set_new(object, "pass", pass_pack(&hello->pass));
	if (object && hello->has_opening)
		(void)json_object_set_new(object, "opening",
					  opening_pack(hello->opening));
	object = with_address(object, &hello->address);
	return with_identity(object, hello->name, hello->mac);
}

static json_t *peer_pack(const struct weft_peer *peer)
{
	json_t *object =
		json_pack("{s:i, s:s}", "peer", peer->id, "role", role_name(peer->role));
	return with_identity(object, peer->name, peer->mac);
}

static json_t *members_pack(const struct welcome *welcome)
{
	json_t *list = json_array();
	for (size_t i = 0; list && i < welcome->members_n; i++) {
		if (json_array_append_new(list, peer_pack(&welcome->members[i])) == 0)
			continue;
		json_decref(list);
		list = NULL;
	}
	return list;
}

static json_t *welcome_pack(const struct welcome *welcome)
{
	json_t *object =
		json_pack("{s:s, s:i, s:i, s:i, s:i, s:o}", "type", "welcome", "version",
			  LAN_VERSION, "peer", welcome->peer, "room", welcome->room,
			  "mtu", welcome->mtu, "members", members_pack(welcome));
	return with_address(object, &welcome->address);
}

static json_t *peer_joined_pack(const struct weft_peer *peer)
{
	json_t *object = peer_pack(peer);
	if (object &&
	    json_object_set_new(object, "type", json_string("peer-joined")) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *stats_pack(const struct member_counts *counts)
{
	return json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "type", "stats",
		"rx_frames", (json_int_t)counts->rx_frames, "tx_frames",
		(json_int_t)counts->tx_frames, "rx_bytes", (json_int_t)counts->rx_bytes,
		"tx_bytes", (json_int_t)counts->tx_bytes, "drops",
		(json_int_t)counts->drops, "sent", (json_int_t)counts->sent, "lost",
		(json_int_t)counts->lost, "jitter_us", (json_int_t)counts->jitter_us);
}

static json_t *macs_pack(const struct mac_list *list)
{
	char text[WEFT_MAC_TEXT];
	json_t *macs = json_array();
	for (size_t i = 0; macs && i < list->n; i++) {
		if (json_array_append_new(
			    macs, json_string(weft_mac_print(list->macs[i], text))) == 0)
			continue;
		json_decref(macs);
		macs = NULL;
	}
	return macs;
}

static json_t *claim_pack(enum message_type type, const struct mac_list *list)
{
	json_t *macs = macs_pack(list);
	const char *name = message_type_name(type);
	switch (type) {
	case MESSAGE_CLAIMED:
	case MESSAGE_RELEASED:
		return json_pack("{s:s, s:i, s:o}", "type", name, "peer", list->peer,
				 "macs", macs);
	case MESSAGE_DENIED:
		return json_pack("{s:s, s:s, s:o}", "type", name, "code",
				 deny_code_name(list->code), "macs", macs);
	default:
		return json_pack("{s:s, s:o}", "type", name, "macs", macs);
	}
}

static json_t *message_pack(const struct message *message)
{
	const struct reject *reject = &message->reject;
	const struct peer_left *left = &message->peer_left;
	const struct disconnect *disconnect = &message->disconnect;
	switch (message->type) {
	case MESSAGE_HELLO:
		return hello_pack(&message->hello);
	case MESSAGE_WELCOME:
		return welcome_pack(&message->welcome);
	case MESSAGE_REJECT:
		return json_pack("{s:s, s:s, s:b, s:s}", "type", "reject", "code",
				 reject_code_name(reject->code), "retry",
				 (int)reject->retry, "text", reject->text);
	case MESSAGE_PEER_JOINED:
		return peer_joined_pack(&message->peer_joined);
	case MESSAGE_PEER_LEFT:
		return json_pack("{s:s, s:i, s:s, s:s}", "type", "peer-left", "peer",
				 left->id, "code", leave_code_name(left->code), "text",
				 left->text);
	case MESSAGE_STATS:
		return stats_pack(&message->stats);
	case MESSAGE_DISCONNECT:
		return json_pack("{s:s, s:s, s:s, s:i, s:s*}", "type", "disconnect",
				 "code", leave_code_name(disconnect->code), "text",
				 disconnect->text, "wait_ms", (int)disconnect->wait_ms,
				 "go_to",
				 disconnect->go_to[0] ? disconnect->go_to : NULL);
	case MESSAGE_CLAIM:
	case MESSAGE_RELEASE:
	case MESSAGE_CLAIMED:
	case MESSAGE_RELEASED:
	case MESSAGE_DENIED:
		return claim_pack(message->type, &message->claim);
	case MESSAGE_TYPES:
		break;
	}
	return NULL;
}

/* Head and text of a packed message, in one piece of memory. */
static int frame_new(const json_t *json, struct message_frame *ret_frame)
{
	size_t len = json_dumpb(json, NULL, 0, JSON_COMPACT);
	if (len == 0)
		return -ENOMEM;
	if (len > CONTROL_BODY_MAX)
		return -EMSGSIZE;
	uint8_t *data = malloc(CONTROL_HEAD_LEN + len);
	if (!data)
		return -ENOMEM;
	control_emit_head(data, len);
	if (json_dumpb(json, (char *)data + CONTROL_HEAD_LEN, len, JSON_COMPACT) != len) {
		free(data);
		return -ENOMEM;
	}
	*ret_frame =
		(struct message_frame){ .data = data, .len = CONTROL_HEAD_LEN + len };
	return 0;
}

int message_encode(const struct message *message, struct message_frame *ret_frame)
{
	json_t *json = message_pack(message);
	if (!json)
		return -ENOMEM;
	int r = frame_new(json, ret_frame);
	json_decref(json);
	return r;
}
