/* SPDX-License-Identifier: MIT */
/*
 * Invitations: the one string that a member needs.
 *
 *     weft://relay.example.net:8443/FRIDAY#AmX0...
 *            '------ host:port ------' room  '- base64url, no padding (RFC 4648 5):
 *                                               pin (32 bytes) || secret (16): 64 letters
 *                                               secret alone:                  22 letters
 *                                               pin || pass (132):            219 letters
 *                                               pass alone:                   176 letters
 *
 * The key stands behind "#", the part of a URL that browsers and other programs do not send.
 * People paste invitations out of chats, so each part that is wrong is named, and white space
 * around the whole is not an error.
 */
#include "base/fmt.h"
#include "lan/pass.h"
#include "wire/cursor.h"

#include <weft/lan.h>

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "weft://"

/* Bytes of a pass: seed, room's key, expiry, signature. */
#define PASS_BYTES (2 * WEFT_PASS_SEED_LEN + 4 + PROOF_LEN)
#define KEY_BYTES  (WEFT_PIN_LEN + PASS_BYTES)

/* Letters of base64url that n bytes make. */
#define LETTERS(n) ((unsigned)((n)*4 + 2) / 3)

#define KEY_TEXT_LEN LETTERS(KEY_BYTES)

static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-_.";

bool weft_room_name_is_valid(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= WEFT_ROOM_NAME_MAX && strspn(name, name_letters) == len;
}

const char *weft_room_domain(const char *room, char buf[WEFT_ROOM_DOMAIN_TEXT])
{
	(void)snprintf(buf, WEFT_ROOM_DOMAIN_TEXT, "%.*s.weft", (int)WEFT_ROOM_NAME_MAX,
		       room);
	return buf;
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

/* What the key's length says is in it. */
static const struct key_form {
	size_t len;
	bool has_pin, has_pass;
} key_forms[] = {
	{ WEFT_PIN_LEN + WEFT_ROOM_SECRET_LEN, true, false },
	{ WEFT_ROOM_SECRET_LEN, false, false },
	{ WEFT_PIN_LEN + PASS_BYTES, true, true },
	{ PASS_BYTES, false, true },
};

static const struct key_form *find_form(size_t letters)
{
	for (size_t i = 0; i < sizeof(key_forms) / sizeof(key_forms[0]); i++)
		if (LETTERS(key_forms[i].len) == letters)
			return &key_forms[i];
	return NULL;
}

static void pass_read(const uint8_t *bytes, struct weft_pass *pass)
{
	memcpy(pass->seed, bytes, WEFT_PASS_SEED_LEN);
	bytes += WEFT_PASS_SEED_LEN;
	memcpy(pass->room_key, bytes, WEFT_PASS_SEED_LEN);
	bytes += WEFT_PASS_SEED_LEN;
	pass->expires_s = load_be32(bytes);
	memcpy(pass->signature, bytes + 4, sizeof(pass->signature));
}

static void pass_write(const struct weft_pass *pass, uint8_t *bytes)
{
	memcpy(bytes, pass->seed, WEFT_PASS_SEED_LEN);
	bytes += WEFT_PASS_SEED_LEN;
	memcpy(bytes, pass->room_key, WEFT_PASS_SEED_LEN);
	bytes += WEFT_PASS_SEED_LEN;
	store_be32(bytes, pass->expires_s);
	memcpy(bytes + 4, pass->signature, sizeof(pass->signature));
}

/* A pass that the room has not signed was not copied right: nobody need ask the relay. */
static int pass_verify(const struct weft_invite *invite, struct weft_error *err)
{
	struct pass pass = { .expires_s = invite->pass.expires_s };
	pass_key(invite->pass.seed, pass.key);
	memcpy(pass.signature, invite->pass.signature, sizeof(pass.signature));
	if (pass_check(&pass, invite->pass.room_key, invite->room) == 0)
		return 0;
	return weft_error_set(
		err, -EINVAL,
		"the invitation's pass is not one of room %s: a letter of it "
		"was changed",
		invite->room);
}

static int key_decode(const char *text, struct weft_error *err,
		      struct weft_invite *invite)
{
	uint8_t key[KEY_BYTES];
	size_t text_len = strlen(text), len = 0;
	const struct key_form *form = find_form(text_len);
	if (!form)
		return weft_error_set(
			err, -EINVAL,
			"the key of the invitation should have %u letters (or %u, %u, "
			"%u) and has %zu: it was not copied whole",
			LETTERS(key_forms[0].len), LETTERS(key_forms[1].len),
			LETTERS(key_forms[2].len), LETTERS(key_forms[3].len), text_len);
	if (sodium_base642bin(key, sizeof(key), text, text_len, NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return weft_error_set(
			err, -EINVAL,
			"the key of the invitation holds something that is no "
			"letter, digit, \"-\" or \"_\", or has a letter wrong");
	invite->has_pin = form->has_pin;
	invite->has_pass = form->has_pass;
	const uint8_t *rest = key + (form->has_pin ? WEFT_PIN_LEN : 0);
	if (form->has_pin)
		memcpy(invite->pin, key, WEFT_PIN_LEN);
	if (form->has_pass)
		pass_read(rest, &invite->pass);
	else
		memcpy(invite->secret, rest, WEFT_ROOM_SECRET_LEN);
	sodium_memzero(key, sizeof(key));
	return form->has_pass ? pass_verify(invite, err) : 0;
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

int weft_invite_restrict(const struct weft_invite *invite, uint32_t expires_s,
			 struct weft_invite *ret_invite)
{
	struct weft_invite restricted = *invite;
	struct weft_pass *pass = &restricted.pass;
	struct pass signed_pass;
	if (invite->has_pass)
		return -EINVAL;
	randombytes_buf(pass->seed, sizeof(pass->seed));
	pass_make(invite->secret, invite->room, expires_s, pass->seed, &signed_pass);
	proof_key(invite->secret, pass->room_key);
	pass->expires_s = expires_s;
	memcpy(pass->signature, signed_pass.signature, sizeof(pass->signature));
	sodium_memzero(restricted.secret, sizeof(restricted.secret));
	restricted.has_pass = true;
	*ret_invite = restricted;
	return 0;
}

const char *weft_invite_print(const struct weft_invite *invite,
			      char buf[WEFT_INVITE_TEXT])
{
	uint8_t key[KEY_BYTES];
	char key_text[KEY_TEXT_LEN + 1];
	size_t len = invite->has_pin ? WEFT_PIN_LEN : 0;
	memcpy(key, invite->pin, len);
	if (invite->has_pass)
		pass_write(&invite->pass, key + len);
	else
		memcpy(key + len, invite->secret, WEFT_ROOM_SECRET_LEN);
	len += invite->has_pass ? PASS_BYTES : WEFT_ROOM_SECRET_LEN;
	(void)sodium_bin2base64(key_text, sizeof(key_text), key, len,
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
