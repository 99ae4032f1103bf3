/* SPDX-License-Identifier: MIT */
/*
 * Invitations: the one string that a member needs.
 *
 *     weft://relay.example.net:8443/FRIDAY#AmX0...
 *            '------ host:port ------' room  '- base64url, no padding (RFC 4648 5):
 *                                               pin (32 bytes) || secret (16): 64 letters
 *                                               secret alone:                  22 letters
 *
 * The key stands behind "#", the part of a URL that browsers and other programs do not send.
 * People paste invitations out of chats, so each part that is wrong is named, and white space
 * around the whole is not an error.
 */
#include "base/fmt.h"

#include <weft/lan.h>

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "weft://"

#define KEY_BYTES     (WEFT_PIN_LEN + WEFT_ROOM_SECRET_LEN)
#define KEY_TEXT_LEN  64u /* Letters of base64url that 48 bytes make. */
#define KEY_SHORT_LEN 22u /* That 16 bytes make. */

static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-_.";

bool weft_room_name_is_valid(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= WEFT_ROOM_NAME_MAX && strspn(name, name_letters) == len;
}

void weft_room_secret_make(uint8_t ret_secret[WEFT_ROOM_SECRET_LEN])
{
	randombytes_buf(ret_secret, WEFT_ROOM_SECRET_LEN);
}

/* A copy of an invitation, cut at "/" and "#". */
struct parts {
	char text[WEFT_INVITE_TEXT];
	char *host;
	char *room;
	char *key;
};

/* Copies text without the white space around it. */
static int copy_trimmed(const char *text, struct weft_error *err,
			char ret_text[WEFT_INVITE_TEXT])
{
	while (isspace((unsigned char)*text))
		text++;
	size_t len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= WEFT_INVITE_TEXT)
		return weft_error_set(err, -EINVAL,
				      "the invitation is longer than %u letters",
				      WEFT_INVITE_TEXT - 1);
	memcpy(ret_text, text, len);
	ret_text[len] = '\0';
	return 0;
}

static int parts_cut(const char *text, struct weft_error *err, struct parts *ret_parts)
{
	struct parts *parts = ret_parts;
	int r = copy_trimmed(text, err, parts->text);
	if (r < 0)
		return r;
	if (strncasecmp(parts->text, SCHEME, strlen(SCHEME)) != 0)
		return weft_error_set(err, -EINVAL,
				      "an invitation begins with \"" SCHEME
				      "\" and looks "
				      "like " SCHEME "host:port/ROOM#KEY");
	parts->host = parts->text + strlen(SCHEME);
	parts->room = strchr(parts->host, '/');
	if (!parts->room)
		return weft_error_set(
			err, -EINVAL,
			"the invitation names no room: \"/ROOM\" is missing "
			"behind the host");
	*parts->room++ = '\0';
	parts->key = strchr(parts->room, '#');
	if (!parts->key)
		return weft_error_set(
			err, -EINVAL,
			"the invitation has no key: \"#KEY\" is missing at its "
			"end, so it was not copied whole");
	*parts->key++ = '\0';
	return 0;
}

static int key_decode(const char *text, struct weft_error *err,
		      struct weft_invite *invite)
{
	uint8_t key[KEY_BYTES];
	size_t text_len = strlen(text), len = 0;
	if (text_len != KEY_TEXT_LEN && text_len != KEY_SHORT_LEN)
		return weft_error_set(
			err, -EINVAL,
			"the key of the invitation should have %u letters (or %u) "
			"and has %zu: it was not copied whole",
			KEY_TEXT_LEN, KEY_SHORT_LEN, text_len);
	if (sodium_base642bin(key, sizeof(key), text, text_len, NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return weft_error_set(
			err, -EINVAL,
			"the key of the invitation holds something that is no "
			"letter, digit, \"-\" or \"_\", or has a letter wrong");
	invite->has_pin = len == KEY_BYTES;
	if (invite->has_pin)
		memcpy(invite->pin, key, WEFT_PIN_LEN);
	memcpy(invite->secret, key + len - WEFT_ROOM_SECRET_LEN, WEFT_ROOM_SECRET_LEN);
	sodium_memzero(key, sizeof(key));
	return 0;
}

int weft_invite_parse(const char *text, struct weft_error *err,
		      struct weft_invite *ret_invite)
{
	struct parts parts = { .host = NULL };
	struct weft_invite invite = { .has_pin = false };
	int r = parts_cut(text, err, &parts);
	if (r < 0)
		return r;
	assert(parts.host && parts.room && parts.key);
	if (weft_hostport_parse(parts.host, WEFT_RELAY_PORT, invite.host,
				sizeof(invite.host), &invite.port) < 0)
		return weft_error_set(
			err, -EINVAL,
			"\"%.260s\" in the invitation is no host, host:port, "
			"IPv4:port or [IPv6]:port",
			parts.host);
	if (!weft_room_name_is_valid(parts.room))
		return weft_error_set(
			err, -EINVAL,
			"\"%.40s\" is no room: 1 to %u letters, digits, \"-\", "
			"\"_\" and \".\" are",
			parts.room, WEFT_ROOM_NAME_MAX);
	(void)snprintf(invite.room, sizeof(invite.room), "%s", parts.room);
	r = key_decode(parts.key, err, &invite);
	sodium_memzero(&parts, sizeof(parts));
	if (r < 0)
		return r;
	*ret_invite = invite;
	return 0;
}

const char *weft_invite_print(const struct weft_invite *invite,
			      char buf[WEFT_INVITE_TEXT])
{
	uint8_t key[KEY_BYTES];
	char key_text[KEY_TEXT_LEN + 1];
	size_t pin_len = invite->has_pin ? WEFT_PIN_LEN : 0;
	memcpy(key, invite->pin, pin_len);
	memcpy(key + pin_len, invite->secret, WEFT_ROOM_SECRET_LEN);
	(void)sodium_bin2base64(key_text, sizeof(key_text), key,
				pin_len + WEFT_ROOM_SECRET_LEN,
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	struct fmt f;
	const char *brackets = strchr(invite->host, ':') ? "[]" : "";
	fmt_init(&f, buf, WEFT_INVITE_TEXT);
	fmt_add(&f, SCHEME "%.1s%s%s", brackets, invite->host, brackets[0] ? "]" : "");
	if (invite->port != WEFT_RELAY_PORT)
		fmt_add(&f, ":%u", invite->port);
	fmt_add(&f, "/%s#%s", invite->room, key_text);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(key_text, sizeof(key_text));
	return buf;
}
