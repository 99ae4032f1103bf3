/* SPDX-License-Identifier: MIT */
/*
 * From JSON to values. Like the cursor of src/wire, a struct fields reads straight through:
 * a field that is missing or wrong gives zero and leaves the first fault behind, which is
 * tested once, at the end. Nothing that was read counts before that.
 */
#include "lan/message.h"

#include "base/mac.h"
#include "lan/words.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One JSON object that is being read. */
struct fields {
	const json_t *object;
	bool bad;
	struct message_error error; /* The first one. */
};

static void fault(struct fields *f, enum message_fault fault, const char *field)
{
	if (f->bad)
		return;
	f->bad = true;
	f->error = (struct message_error){ .fault = fault, .field = field };
}

/* The value of a field, or NULL with a fault when it is missing or of another kind. */
static const json_t *take(struct fields *f, const char *field, json_type type)
{
	const json_t *value = json_object_get(f->object, field);
	if (!value) {
		fault(f, MESSAGE_MISSING_FIELD, field);
		return NULL;
	}
	if (json_typeof(value) != type) {
		fault(f, MESSAGE_WRONG_KIND, field);
		return NULL;
	}
	return value;
}

static bool has(const struct fields *f, const char *field)
{
	return json_object_get(f->object, field) != NULL;
}

static uint64_t take_number(struct fields *f, const char *field, uint64_t min,
			    uint64_t max)
{
	const json_t *value = take(f, field, JSON_INTEGER);
	if (!value)
		return 0;
	json_int_t number = json_integer_value(value);
	if (number < 0 || (uint64_t)number < min || (uint64_t)number > max) {
		fault(f, MESSAGE_OUT_OF_RANGE, field);
		return 0;
	}
	return (uint64_t)number;
}

static uint64_t take_count(struct fields *f, const char *field)
{
	return has(f, field) ? take_number(f, field, 0, LLONG_MAX) : 0;
}

static uint16_t take_id(struct fields *f, const char *field)
{
	return (uint16_t)take_number(f, field, LAN_ID_MIN, LAN_ID_MAX);
}

static bool take_bool(struct fields *f, const char *field)
{
	const json_t *value = json_object_get(f->object, field);
	if (!value)
		fault(f, MESSAGE_MISSING_FIELD, field);
	else if (!json_is_boolean(value))
		fault(f, MESSAGE_WRONG_KIND, field);
	return json_is_true(value);
}

/* A text of at most len_max bytes; "" after a fault. jansson has refused NULs in it. */
static const char *take_text(struct fields *f, const char *field, size_t len_max)
{
	const json_t *value = take(f, field, JSON_STRING);
	if (!value)
		return "";
	if (json_string_length(value) > len_max) {
		fault(f, MESSAGE_OUT_OF_RANGE, field);
		return "";
	}
	return json_string_value(value);
}

/* Bytes of the control character that text begins with: C0, DEL, or C1 in UTF-8; or 0. */
static size_t control_len(const char *text)
{
	const uint8_t first = (uint8_t)text[0], second = (uint8_t)text[1];
	if (first < 0x20 || first == 0x7f)
		return 1;
	return first == 0xc2 && second < 0xa0 ? 2 : 0;
}

/*
 * A sentence from the peer that is shown to people: control characters could command a
 * terminal and become "?".
 */
static void take_sentence(struct fields *f, char out[MESSAGE_TEXT_MAX + 1])
{
	const char *text = has(f, "text") ? take_text(f, "text", MESSAGE_TEXT_MAX) : "";
	size_t len = 0;
	while (*text) {
		size_t control = control_len(text);
		out[len] = *text;
		if (control > 0)
			out[len] = '?';
		len++;
		text += control > 0 ? control : 1;
	}
	out[len] = '\0';
}

/* Which of n words the field's text is; other for none of them. */
static size_t take_word(struct fields *f, const char *field, const struct words *words,
			size_t other)
{
	size_t word = words_find(words, take_text(f, field, MESSAGE_TEXT_MAX));
	return word < words->n ? word : other;
}

static enum weft_role take_role(struct fields *f)
{
	size_t role = take_word(f, "role", &role_words, role_words.n);
	if (role == role_words.n)
		fault(f, MESSAGE_BAD_TEXT, "role");
	return role == WEFT_ROLE_GATEWAY ? WEFT_ROLE_GATEWAY : WEFT_ROLE_CLIENT;
}

/* A client has a MAC of its own making; a gateway speaks for many and has none. */
static struct weft_mac take_mac(struct fields *f, enum weft_role role)
{
	struct weft_mac mac = { { 0 } };
	if (role == WEFT_ROLE_GATEWAY)
		return mac;
	const char *text = take_text(f, "mac", WEFT_MAC_TEXT - 1);
	if (weft_mac_parse(text, &mac) < 0 || mac_is_group(mac) || !mac_is_local(mac))
		fault(f, MESSAGE_BAD_TEXT, "mac");
	return mac;
}

static void take_room(struct fields *f, char out[WEFT_ROOM_NAME_MAX + 1])
{
	const char *text = take_text(f, "room", WEFT_ROOM_NAME_MAX);
	if (!weft_room_name_is_valid(text))
		fault(f, MESSAGE_BAD_TEXT, "room");
	(void)snprintf(out, WEFT_ROOM_NAME_MAX + 1, "%s", text);
}

static void take_name(struct fields *f, char out[WEFT_MEMBER_NAME_MAX + 1])
{
	const char *text =
		has(f, "name") ? take_text(f, "name", WEFT_MEMBER_NAME_MAX) : "";
	if (text[0] && !weft_room_name_is_valid(text))
		fault(f, MESSAGE_BAD_TEXT, "name");
	(void)snprintf(out, WEFT_MEMBER_NAME_MAX + 1, "%s", text);
}

bool message_place_is_valid(const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_.:[]";
	char host[MESSAGE_PLACE_MAX + 1];
	uint16_t port;
	return strlen(text) <= MESSAGE_PLACE_MAX && text[strspn(text, letters)] == '\0' &&
	       weft_hostport_parse(text, WEFT_RELAY_PORT, host, sizeof(host), &port) == 0;
}

static void take_place(struct fields *f, const char *field,
		       char out[MESSAGE_PLACE_MAX + 1])
{
	const char *text = has(f, field) ? take_text(f, field, MESSAGE_PLACE_MAX) : NULL;
	if (text && !message_place_is_valid(text))
		fault(f, MESSAGE_BAD_TEXT, field);
	(void)snprintf(out, MESSAGE_PLACE_MAX + 1, "%s", text ? text : "");
}

static void take_address(struct fields *f, struct weft_ip *address)
{
	if (!has(f, "address"))
		return;
	const char *text = take_text(f, "address", WEFT_IP_TEXT - 1);
	if (weft_ip_parse(text, address) < 0)
		fault(f, MESSAGE_BAD_TEXT, "address");
}

/* Exactly len bytes in base64url without padding. */
static void take_bytes(struct fields *f, const char *field, uint8_t *out, size_t len)
{
	size_t out_len = 0;
	const char *text = take_text(f, field, MESSAGE_TEXT_MAX);
	memset(out, 0, len);
	if (sodium_base642bin(out, len, text, strlen(text), NULL, &out_len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    out_len != len)
		fault(f, MESSAGE_BAD_TEXT, field);
}

/* ---- one function for each message ------------------------------------------------------- */

/* Whether LAN_VERSION is among the versions that a hello offers. */
static bool take_versions(struct fields *f)
{
	const json_t *list = take(f, "versions", JSON_ARRAY);
	size_t n = json_array_size(list);
	bool found = false;
	if (list && (n == 0 || n > MESSAGE_VERSIONS_MAX))
		fault(f, MESSAGE_OUT_OF_RANGE, "versions");
	for (size_t i = 0; i < n; i++) {
		const json_t *version = json_array_get(list, i);
		if (!json_is_integer(version))
			fault(f, MESSAGE_WRONG_KIND, "versions");
		found |= json_integer_value(version) == LAN_VERSION;
	}
	return found;
}

/* Of a hello that speaks another version nothing else is read: it may look different. */
static void hello_decode(struct fields *f, struct hello *hello)
{
	hello->has_version = take_versions(f);
	if (f->bad || !hello->has_version)
		return;
	hello->role = take_role(f);
	hello->mac = take_mac(f, hello->role);
	hello->budget = (uint32_t)take_number(f, "budget", 1, UINT16_MAX);
	take_room(f, hello->room);
	take_name(f, hello->name);
	take_address(f, &hello->address);
	take_bytes(f, "key", hello->key, sizeof(hello->key));
	take_bytes(f, "proof", hello->proof, sizeof(hello->proof));
	hello->has_opening = has(f, "opening");
	if (hello->has_opening)
		take_bytes(f, "opening", hello->opening, sizeof(hello->opening));
	hello->has_pass = has(f, "pass");
	if (!hello->has_pass)
		return;
	uint8_t bytes[PASS_LEN];
	take_bytes(f, "pass", bytes, sizeof(bytes));
	pass_load(bytes, &hello->pass);
}

static void peer_decode(struct fields *f, struct weft_peer *peer)
{
	peer->id = take_id(f, "peer");
	peer->role = take_role(f);
	peer->mac = take_mac(f, peer->role);
	take_name(f, peer->name);
}

static bool list_has(const struct weft_peer *peers, size_t n, uint16_t id)
{
	for (size_t i = 0; i < n; i++)
		if (peers[i].id == id)
			return true;
	return false;
}

/* Reads one entry of the list; a fault in it is a fault of the whole. */
static void member_decode(struct fields *f, const json_t *entry, struct welcome *welcome)
{
	struct fields inner = { .object = entry };
	struct weft_peer *peer = &welcome->members[welcome->members_n];
	if (!json_is_object(entry)) {
		fault(f, MESSAGE_WRONG_KIND, "members");
		return;
	}
	peer_decode(&inner, peer);
	if (inner.bad)
		fault(f, inner.error.fault, inner.error.field);
	else if (list_has(welcome->members, welcome->members_n, peer->id))
		fault(f, MESSAGE_DUPLICATE, "members");
	welcome->members_n++;
}

static int members_decode(struct fields *f, struct welcome *welcome)
{
	const json_t *list = take(f, "members", JSON_ARRAY);
	size_t n = json_array_size(list);
	if (n > LAN_MEMBERS_MAX)
		fault(f, MESSAGE_OUT_OF_RANGE, "members");
	if (f->bad || n == 0)
		return 0;
	welcome->members = calloc(n, sizeof(*welcome->members));
	if (!welcome->members)
		return -ENOMEM;
	for (size_t i = 0; i < n && !f->bad; i++)
		member_decode(f, json_array_get(list, i), welcome);
	return 0;
}

static int welcome_decode(struct fields *f, struct welcome *welcome)
{
	(void)take_number(f, "version", LAN_VERSION, LAN_VERSION);
	welcome->peer = take_id(f, "peer");
	welcome->room = take_id(f, "room");
	welcome->mtu = (uint16_t)take_number(f, "mtu", LAN_MTU_MIN, LAN_MTU_MAX);
	take_address(f, &welcome->address);
	int r = members_decode(f, welcome);
	if (!f->bad && list_has(welcome->members, welcome->members_n, welcome->peer))
		fault(f, MESSAGE_DUPLICATE, "members");
	return r;
}

static void reject_decode(struct fields *f, struct reject *reject)
{
	reject->code =
		(enum reject_code)take_word(f, "code", &reject_words, REJECT_OTHER);
	reject->retry = take_bool(f, "retry");
	take_sentence(f, reject->text);
}

static enum leave_code take_leave_code(struct fields *f)
{
	return (enum leave_code)take_word(f, "code", &leave_words, LEAVE_OTHER);
}

static void peer_left_decode(struct fields *f, struct peer_left *left)
{
	left->id = take_id(f, "peer");
	left->code = take_leave_code(f);
	take_sentence(f, left->text);
}

static void stats_decode(struct fields *f, struct member_counts *counts)
{
	counts->rx_frames = take_count(f, "rx_frames");
	counts->tx_frames = take_count(f, "tx_frames");
	counts->rx_bytes = take_count(f, "rx_bytes");
	counts->tx_bytes = take_count(f, "tx_bytes");
	counts->drops = take_count(f, "drops");
	counts->sent = take_count(f, "sent");
	counts->lost = take_count(f, "lost");
	counts->jitter_us = take_count(f, "jitter_us");
}

static void disconnect_decode(struct fields *f, struct disconnect *disconnect)
{
	disconnect->code = take_leave_code(f);
	if (has(f, "wait_ms"))
		disconnect->wait_ms =
			(uint32_t)take_number(f, "wait_ms", 0, MESSAGE_WAIT_MAX_MS);
	take_place(f, "go_to", disconnect->go_to);
	take_sentence(f, disconnect->text);
}

static bool has_mac(const struct mac_list *list, struct weft_mac mac)
{
	for (size_t i = 0; i < list->n; i++)
		if (mac_equal(list->macs[i], mac))
			return true;
	return false;
}

/* The address of a station, which need not be locally administered: an emulator has its own. */
static void station_decode(struct fields *f, const json_t *entry, struct mac_list *list)
{
	struct weft_mac mac = { { 0 } };
	const char *text = json_string_value(entry);
	if (!text)
		fault(f, MESSAGE_WRONG_KIND, "macs");
	else if (weft_mac_parse(text, &mac) < 0 || mac_is_group(mac) || mac_is_zero(mac))
		fault(f, MESSAGE_BAD_TEXT, "macs");
	else if (has_mac(list, mac))
		fault(f, MESSAGE_DUPLICATE, "macs");
	list->macs[list->n++] = mac;
}

static void mac_list_decode(struct fields *f, struct mac_list *list)
{
	const json_t *macs = take(f, "macs", JSON_ARRAY);
	size_t n = json_array_size(macs);
	if (macs && (n == 0 || n > LAN_CLAIMS_MAX))
		fault(f, MESSAGE_OUT_OF_RANGE, "macs");
	for (size_t i = 0; i < n && !f->bad; i++)
		station_decode(f, json_array_get(macs, i), list);
}

/* ---- the whole --------------------------------------------------------------------------- */

static int fields_decode(struct fields *f, struct message *message)
{
	size_t type = take_word(f, "type", &type_words, MESSAGE_TYPES);
	message->type = (enum message_type)type;
	switch (message->type) {
	case MESSAGE_HELLO:
		hello_decode(f, &message->hello);
		break;
	case MESSAGE_WELCOME:
		return welcome_decode(f, &message->welcome);
	case MESSAGE_REJECT:
		reject_decode(f, &message->reject);
		break;
	case MESSAGE_PEER_JOINED:
		peer_decode(f, &message->peer_joined);
		break;
	case MESSAGE_PEER_LEFT:
		peer_left_decode(f, &message->peer_left);
		break;
	case MESSAGE_STATS:
		stats_decode(f, &message->stats);
		break;
	case MESSAGE_DISCONNECT:
		disconnect_decode(f, &message->disconnect);
		break;
	case MESSAGE_CLAIMED:
	case MESSAGE_RELEASED:
		message->claim.peer = take_id(f, "peer");
		mac_list_decode(f, &message->claim);
		break;
	case MESSAGE_DENIED:
		message->claim.code =
			(enum deny_code)take_word(f, "code", &deny_words, DENY_OTHER);
		mac_list_decode(f, &message->claim);
		break;
	case MESSAGE_CLAIM:
	case MESSAGE_RELEASE:
		mac_list_decode(f, &message->claim);
		break;
	case MESSAGE_TYPES:
		fault(f, MESSAGE_UNKNOWN_TYPE, "type");
		break;
	}
	return 0;
}

int message_decode(const struct control_body *body, struct message *ret_message,
		   struct message_error *ret_error)
{
	struct message message = { .type = MESSAGE_TYPES };
	struct fields f = { .bad = false };
	int r = 0;
	json_t *json = json_loadb((const char *)body->data, body->len,
				  JSON_REJECT_DUPLICATES, NULL);
	f.object = json;
	if (!json)
		fault(&f, MESSAGE_NOT_JSON, "");
	else if (!json_is_object(json))
		fault(&f, MESSAGE_NOT_OBJECT, "");
	else
		r = fields_decode(&f, &message);
	json_decref(json);
	if (r == 0 && !f.bad) {
		*ret_message = message;
		return 0;
	}
	message_fini(&message);
	if (r < 0)
		return r;
	*ret_error = f.error;
	return -EBADMSG;
}

void message_fini(struct message *message)
{
	if (message->type != MESSAGE_WELCOME)
		return;
	free(message->welcome.members);
	message->welcome.members = NULL;
	message->welcome.members_n = 0;
}
