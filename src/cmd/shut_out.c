/* SPDX-License-Identifier: MIT */
/*
 * A line that is no key is an error: a relay that passes over it may let somebody in who was to
 * stay out.
 */
#include "cmd/shut_out.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "shut-out"

/* In hex, without a line's end. */
#define HEX_LEN ((size_t)2 * WEFT_PASS_KEY_LEN)

static int take_line(const char *line, size_t len, struct weft_relay *relay)
{
	uint8_t key[WEFT_PASS_KEY_LEN];
	size_t key_len = 0;
	if (len != HEX_LEN ||
	    sodium_hex2bin(key, sizeof(key), line, len, NULL, &key_len, NULL) != 0 ||
	    key_len != sizeof(key))
		return -EBADMSG;
	return weft_relay_shut_out(relay, key);
}

int shut_out_load(const struct state *state, struct weft_relay *relay,
		  struct weft_error *err)
{
	char *text = NULL;
	int r = state_load(state, FILE_NAME, err, &text);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = 0;
	unsigned number = 1;
	for (const char *line = text; *line && r == 0; number++) {
		size_t len = strcspn(line, "\n");
		r = take_line(line, len, relay);
		line += len + (line[len] == '\n');
	}
	free(text);
	if (r == -EBADMSG)
		return weft_error_set(err, r,
				      "%s/" FILE_NAME ":%u: this is no key of a pass, 64 "
				      "digits 0-9a-f; take the line out",
				      state->dir, number - 1);
	return r < 0 ? weft_error_set(err, r, "%s/" FILE_NAME ": %s", state->dir,
				      strerror(-r))
		     : 0;
}

int shut_out_add(const struct state *state, const char *hex, struct weft_error *err)
{
	char *text = NULL;
	if (strlen(hex) != HEX_LEN || strspn(hex, "0123456789abcdef") != HEX_LEN)
		return weft_error_set(err, -EBADMSG, "the relay named no key of a pass");
	int r = state_load(state, FILE_NAME, err, &text);
	if (r < 0 && r != -ENOENT)
		return r;
	const size_t len = r < 0 ? 0 : (size_t)r;
	/* Who has edited it may have left the last line without an end. */
	const bool is_open = len > 0 && text[len - 1] != '\n';
	char *longer = malloc(len + HEX_LEN + 3);
	if (longer) {
		memcpy(longer, text ? text : "", len);
		int n = snprintf(longer + len, HEX_LEN + 3, "%s%s\n", is_open ? "\n" : "",
				 hex);
		r = state_store(state, FILE_NAME, longer, len + (size_t)n, err);
	} else {
		r = weft_error_set(err, -ENOMEM, "out of memory");
	}
	free(longer);
	free(text);
	return r;
}
