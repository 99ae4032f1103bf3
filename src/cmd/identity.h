/* SPDX-License-Identifier: MIT */
/*
 * Who this machine is, from what state.h keeps: a relay's key, a room's secret, a member's
 * MAC. Each is made at its first use and stays.
 */
#ifndef CMD_IDENTITY_H
#define CMD_IDENTITY_H

#include "cli/state.h"

#include <weft/lan.h>

#define RELAY_SECRET_LEN 32u

struct relay_identity {
	char *cert_pem;
	char *key_pem;
	uint8_t secret[RELAY_SECRET_LEN];
};

/**
 * Loads a relay's identity. cert_file and key_file, given together, take the place of the
 * self-signed one. Returns 0 or -Exxx with err.
 */
int identity_relay(const struct state *state, const char *cert_file, const char *key_file,
		   struct weft_error *err,
		   struct relay_identity *ret_identity) WEFT_MUST_CHECK;

/** Wipes and frees. */
void identity_relay_fini(struct relay_identity *identity);

/** The secret of a room of this machine's. Returns 0 or -Exxx with err. */
int identity_room(const struct state *state, const char *room, struct weft_error *err,
		  uint8_t ret_secret[WEFT_ROOM_SECRET_LEN]) WEFT_MUST_CHECK;

/** Gives the room another secret, which no invitation from before fits. 0 or -Exxx with err. */
int identity_new_room(const struct state *state, const char *room,
		      struct weft_error *err) WEFT_MUST_CHECK;

/**
 * This machine's MAC in rooms: the one that is wanted, or where that is zero its own, which is
 * locally administered. Returns 0 or -Exxx with err.
 */
int identity_mac(const struct state *state, struct weft_mac wanted,
		 struct weft_error *err, struct weft_mac *ret_mac) WEFT_MUST_CHECK;

#endif
