/* SPDX-License-Identifier: MIT */
/*
 * What the program keeps between runs: a relay's key and certificate, room secrets, this
 * machine's identity. Small files of mode 0600 in one directory of mode 0700:
 *
 *   --state DIR, else $STATE_DIRECTORY (a service's, systemd.exec(5)), else /var/lib/weft for
 *   root, else $XDG_STATE_HOME/weft, else ~/.local/state/weft
 *
 * A file is written beside its place and renamed into it, so that a crash leaves either the
 * old one or the new one. It belongs to whom the directory belongs to.
 */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include <weft/error.h>

#include <stddef.h>
#include <stdint.h>

#define STATE_PATH_LEN 512u

struct state {
	char dir[STATE_PATH_LEN];
};

/** Finds (and makes) the directory; dir may be NULL. Returns 0 or -Exxx with err. */
int state_open(const char *dir, struct weft_error *err,
	       struct state *ret_state) WEFT_MUST_CHECK;

/**
 * Where what does not outlive the boot is: journals of this machine's settings, for
 * weft_host_opts, and the sockets of cli/remote.h. A service's own ($RUNTIME_DIRECTORY), else
 * /run/weft for root, else a directory of this user's. It need not be there. Returns buf.
 */
const char *state_runtime_dir(char buf[STATE_PATH_LEN]);

/** Makes a directory, and those above it, where they are missing. Returns 0 or -Exxx. */
int state_make_dir(const char *path) WEFT_MUST_CHECK;

/**
 * Reads a whole file; a NUL follows the last byte. The caller frees it.
 * Returns the length, -ENOENT when there is none (err untouched), or -Exxx with err.
 */
int state_load(const struct state *state, const char *name, struct weft_error *err,
	       char **ret_bytes) WEFT_MUST_CHECK;

/** Writes a whole file. Returns 0 or -Exxx with err. */
int state_store(const struct state *state, const char *name, const void *bytes,
		size_t len, struct weft_error *err) WEFT_MUST_CHECK;

/**
 * Fills buf with len bytes that stay the same over runs: from the file, or, the first time,
 * from fill. A file of another length is an error, never overwritten.
 */
int state_keep(const struct state *state, const char *name,
	       void (*fill)(uint8_t *, size_t), uint8_t *buf, size_t len,
	       struct weft_error *err) WEFT_MUST_CHECK;

#endif
