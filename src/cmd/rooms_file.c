/* SPDX-License-Identifier: MIT */
/*
 * Not synced to the disk: what it is for is a relay that was restarted, and not a machine that
 * has lost its power. A write would otherwise stop all frames for as long as a disk takes.
 */
#include "cmd/rooms_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "rooms"

static void restore(const struct state *state, struct weft_relay *relay,
		    const struct weft_log *log, uint64_t now)
{
	struct weft_error err;
	char *text = NULL;
	int r = state_load(state, FILE_NAME, &err, &text);
	if (r == -ENOENT)
		return;
	if (r > 0)
		r = weft_relay_restore(relay, text, now, &err);
	free(text);
	if (r < 0)
		weft_log_warning(log,
				 "%s/" FILE_NAME " cannot be used: %s; rooms begin anew",
				 state->dir, err.text);
	else if (r > 0)
		weft_log_info(log, "places in %d room%s are kept for who was in them", r,
			      r == 1 ? "" : "s");
}

void rooms_file_open(struct rooms_file *file, const struct state *state,
		     struct weft_relay *relay, const struct weft_log *log, uint64_t now)
{
	char path[STATE_PATH_LEN + sizeof("/" FILE_NAME)];
	restore(state, relay, log, now);
	(void)snprintf(path, sizeof(path), "%s/" FILE_NAME, state->dir);
	*file = (struct rooms_file){
		.fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
	};
	if (file->fd < 0)
		weft_log_warning(log,
				 "cannot write %s: %s; rooms begin anew after a restart",
				 path, strerror(errno));
}

void rooms_file_save(struct rooms_file *file, const struct weft_relay *relay,
		     uint64_t now)
{
	char *text = file->fd >= 0 ? weft_relay_save(relay, now) : NULL;
	if (!text)
		return;
	const size_t len = strlen(text);
	if (file->saved && strcmp(file->saved, text) == 0) {
		free(text);
		return;
	}
	if (pwrite(file->fd, text, len, 0) == (ssize_t)len &&
	    ftruncate(file->fd, (off_t)len) == 0) {
		free(file->saved);
		file->saved = text;
	} else {
		free(text);
	}
}

void rooms_file_close(struct rooms_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	free(file->saved);
	*file = (struct rooms_file){ .fd = -1 };
}
