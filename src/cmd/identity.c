/* SPDX-License-Identifier: MIT */
/*
 * Files: relay.crt and relay.key (PEM), relay.secret (32 bytes), room-NAME.secret (16 bytes)
 * and mac (6 bytes). Certificate and key are written once, key first: a key without its
 * certificate is made anew, because no invitation can have carried it yet.
 */
#include "cmd/identity.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_random(uint8_t *buf, size_t len)
{
	randombytes_buf(buf, len);
}

static void fill_mac(uint8_t *buf, size_t len)
{
	randombytes_buf(buf, len);
	buf[0] = (uint8_t)((buf[0] & 0xfcu) | 0x02u); /* unicast, locally administered */
}

static void wipe(char *text)
{
	if (text)
		sodium_memzero(text, strlen(text));
	free(text);
}

/* Reads a PEM file that the user named: the state directory is not involved. */
static int load_file(const char *path, struct weft_error *err, char **ret_pem)
{
	const char *slash = strrchr(path, '/');
	struct state place = { .dir = "." };
	int r;

	if (slash && (size_t)(slash - path) >= sizeof(place.dir))
		return weft_error_set(err, -ENAMETOOLONG, "%s: the path is too long",
				      path);
	if (slash) {
		memcpy(place.dir, path, (size_t)(slash - path));
		place.dir[slash - path] = '\0';
	}
	if (slash == path)
		place.dir[0] = '\0'; /* in the root directory */
	r = state_load(&place, slash ? slash + 1 : path, err, ret_pem);
	if (r == -ENOENT)
		return weft_error_set(err, r, "%s: there is no such file", path);
	return r < 0 ? r : 0;
}

static int make_own(const struct state *state, struct weft_error *err,
		    struct relay_identity *identity)
{
	int r = weft_relay_make_identity(&identity->cert_pem, &identity->key_pem);

	if (r < 0)
		return weft_error_set(err, r, "cannot make a key for the relay: %s",
				      strerror(-r));
	r = state_store(state, "relay.key", identity->key_pem, strlen(identity->key_pem),
			err);
	if (r == 0)
		r = state_store(state, "relay.crt", identity->cert_pem,
				strlen(identity->cert_pem), err);
	return r;
}

static int load_own(const struct state *state, struct weft_error *err,
		    struct relay_identity *identity)
{
	int r = state_load(state, "relay.crt", err, &identity->cert_pem);

	if (r == -ENOENT)
		return make_own(state, err, identity);
	if (r < 0)
		return r;
	r = state_load(state, "relay.key", err, &identity->key_pem);
	if (r == -ENOENT)
		return weft_error_set(
			err, r,
			"%s/relay.crt is there but relay.key is not; put it back, or "
			"remove relay.crt to have both made anew (old invitations "
			"then stop working)",
			state->dir);
	return r < 0 ? r : 0;
}

int identity_relay(const struct state *state, const char *cert_file, const char *key_file,
		   struct weft_error *err, struct relay_identity *ret_identity)
{
	struct relay_identity identity = { 0 };
	int r;

	if (cert_file) {
		r = load_file(cert_file, err, &identity.cert_pem);
		if (r == 0)
			r = load_file(key_file, err, &identity.key_pem);
	} else {
		r = load_own(state, err, &identity);
	}
	if (r == 0)
		r = state_keep(state, "relay.secret", fill_random, identity.secret,
			       sizeof(identity.secret), err);
	if (r < 0) {
		identity_relay_fini(&identity);
		return r;
	}
	*ret_identity = identity;
	return 0;
}

void identity_relay_fini(struct relay_identity *identity)
{
	free(identity->cert_pem);
	wipe(identity->key_pem);
	sodium_memzero(identity, sizeof(*identity));
}

#define ROOM_FILE_LEN (sizeof("room-.secret") + WEFT_ROOM_NAME_MAX)

static int name_room_file(const char *room, struct weft_error *err,
			  char ret_name[ROOM_FILE_LEN])
{
	if (!weft_room_name_is_valid(room))
		return weft_error_set(
			err, -EINVAL,
			"'%s' cannot be a room's name: 1 to %u letters, digits, "
			"'-', '_' and '.'",
			room, WEFT_ROOM_NAME_MAX);
	(void)snprintf(ret_name, ROOM_FILE_LEN, "room-%s.secret", room);
	return 0;
}

int identity_room(const struct state *state, const char *room, struct weft_error *err,
		  uint8_t ret_secret[WEFT_ROOM_SECRET_LEN])
{
	char name[ROOM_FILE_LEN];
	int r = name_room_file(room, err, name);

	return r < 0 ? r
		     : state_keep(state, name, fill_random, ret_secret,
				  WEFT_ROOM_SECRET_LEN, err);
}

int identity_new_room(const struct state *state, const char *room, struct weft_error *err)
{
	uint8_t secret[WEFT_ROOM_SECRET_LEN];
	char name[ROOM_FILE_LEN];
	int r = name_room_file(room, err, name);

	if (r < 0)
		return r;
	weft_room_secret_make(secret);
	r = state_store(state, name, secret, sizeof(secret), err);
	sodium_memzero(secret, sizeof(secret));
	return r;
}

static int own_mac(const struct state *state, struct weft_error *err,
		   struct weft_mac *ret_mac)
{
	struct weft_mac mac;
	int r = state_keep(state, "mac", fill_mac, mac.octet, sizeof(mac.octet), err);

	if (r < 0)
		return r;
	if ((mac.octet[0] & 3) != 2)
		return weft_error_set(err, -EBADMSG,
				      "%s/mac is damaged (not an address for a TAP); "
				      "remove it to have a new one made",
				      state->dir);
	*ret_mac = mac;
	return 0;
}

int identity_mac(const struct state *state, struct weft_mac wanted,
		 struct weft_error *err, struct weft_mac *ret_mac)
{
	if (weft_mac_is_zero(wanted))
		return own_mac(state, err, ret_mac);
	*ret_mac = wanted;
	return 0;
}
