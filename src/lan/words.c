/* SPDX-License-Identifier: MIT */
/*
 * Tables of words. The words of messages are part of the protocol and are not changed within
 * a version; a code that is not in its table is read as "other".
 */
#include "lan/words.h"

#include "base/array.h"
#include "lan/message.h"

#include <assert.h>
#include <string.h>

static const char *const role_texts[] = {
	[WEFT_ROLE_CLIENT] = "client",
	[WEFT_ROLE_GATEWAY] = "gateway",
};

static const char *const type_texts[] = {
	[MESSAGE_HELLO] = "hello",           [MESSAGE_WELCOME] = "welcome",
	[MESSAGE_REJECT] = "reject",         [MESSAGE_PEER_JOINED] = "peer-joined",
	[MESSAGE_PEER_LEFT] = "peer-left",   [MESSAGE_STATS] = "stats",
	[MESSAGE_DISCONNECT] = "disconnect", [MESSAGE_CLAIM] = "claim",
	[MESSAGE_RELEASE] = "release",       [MESSAGE_CLAIMED] = "claimed",
	[MESSAGE_RELEASED] = "released",     [MESSAGE_DENIED] = "denied",
};
static_assert(ARRAY_LEN(type_texts) == MESSAGE_TYPES, "each type has a word");

static const char *const fault_texts[] = {
	[MESSAGE_NOT_JSON] = "not JSON",
	[MESSAGE_NOT_OBJECT] = "not an object",
	[MESSAGE_UNKNOWN_TYPE] = "unknown type",
	[MESSAGE_MISSING_FIELD] = "missing field",
	[MESSAGE_WRONG_KIND] = "wrong kind of value",
	[MESSAGE_OUT_OF_RANGE] = "out of range",
	[MESSAGE_BAD_TEXT] = "bad text",
	[MESSAGE_DUPLICATE] = "duplicate",
};
static_assert(ARRAY_LEN(fault_texts) == MESSAGE_FAULTS, "each fault has a word");

static const char *const reject_texts[] = {
	[REJECT_OTHER] = "other",           [REJECT_BAD_HELLO] = "bad-hello",
	[REJECT_VERSION] = "version",       [REJECT_WRONG_KEY] = "wrong-key",
	[REJECT_BAD_PROOF] = "bad-proof",   [REJECT_GATEWAY_TAKEN] = "gateway-taken",
	[REJECT_MAC_TAKEN] = "mac-taken",   [REJECT_ROOM_FULL] = "room-full",
	[REJECT_ROOMS_FULL] = "rooms-full", [REJECT_PATH_TOO_SMALL] = "path-too-small",
	[REJECT_NO_MEMORY] = "no-memory",   [REJECT_PASS] = "pass",
	[REJECT_OPEN_TOKEN] = "open-token", [REJECT_ADDRESS] = "address",
};
static_assert(ARRAY_LEN(reject_texts) == REJECT_CODES, "each code has a word");

static const char *const leave_texts[] = {
	[LEAVE_OTHER] = "other",         [LEAVE_NORMAL] = "left",
	[LEAVE_TIMED_OUT] = "timed-out", [LEAVE_PROTOCOL_ERROR] = "protocol-error",
	[LEAVE_SHUTDOWN] = "shutdown",
};
static_assert(ARRAY_LEN(leave_texts) == LEAVE_CODES, "each code has a word");

static const char *const deny_texts[] = {
	[DENY_OTHER] = "other",
	[DENY_MAC_TAKEN] = "mac-taken",
	[DENY_LIMIT] = "limit",
};
static_assert(ARRAY_LEN(deny_texts) == DENY_CODES, "each code has a word");

static const char *const close_texts[] = {
	[CLOSE_NORMAL] = "normal",
	[CLOSE_PROTOCOL] = "protocol",
	[CLOSE_HELLO_TIMEOUT] = "hello-timeout",
	[CLOSE_REFUSED] = "refused",
	[CLOSE_SHUTDOWN] = "shutdown",
	[CLOSE_TOO_SLOW] = "too-slow",
	[CLOSE_TOO_MANY] = "too-many",
	[CLOSE_INTERNAL] = "internal",
	[CLOSE_KICKED] = "kicked",
};
static_assert(ARRAY_LEN(close_texts) == CLOSE_CODES, "each code has a word");

const struct words role_words = { role_texts, ARRAY_LEN(role_texts) };
const struct words type_words = { type_texts, ARRAY_LEN(type_texts) };
const struct words fault_words = { fault_texts, ARRAY_LEN(fault_texts) };
const struct words reject_words = { reject_texts, ARRAY_LEN(reject_texts) };
const struct words leave_words = { leave_texts, ARRAY_LEN(leave_texts) };
const struct words deny_words = { deny_texts, ARRAY_LEN(deny_texts) };
const struct words close_words = { close_texts, ARRAY_LEN(close_texts) };

size_t words_find(const struct words *words, const char *text)
{
	size_t i = 0;
	while (i < words->n && strcmp(words->texts[i], text) != 0)
		i++;
	return i;
}

static const char *word(const struct words *words, size_t i)
{
	return i < words->n ? words->texts[i] : "unknown";
}

const char *role_name(enum weft_role role)
{
	return word(&role_words, role);
}

const char *message_type_name(enum message_type type)
{
	return word(&type_words, type);
}

const char *message_fault_name(enum message_fault fault)
{
	return word(&fault_words, fault);
}

const char *reject_code_name(enum reject_code code)
{
	return word(&reject_words, code);
}

const char *leave_code_name(enum leave_code code)
{
	return word(&leave_words, code);
}

const char *deny_code_name(enum deny_code code)
{
	return word(&deny_words, code);
}
