/* SPDX-License-Identifier: MIT */
/*
 * What a relay remembers of its rooms over a restart: the file "rooms" in its state directory,
 * as weft_relay_save has it. It is opened before the relay gives up the right to open files, and
 * written in place from then on, now and then and at the end; one that a crash has cut short is
 * no text of weft_relay_save's any more, and is passed over with a word.
 */
#ifndef CMD_ROOMS_FILE_H
#define CMD_ROOMS_FILE_H

#include "cli/state.h"

#include <weft/lan.h>
#include <weft/log.h>

struct rooms_file {
	int fd;      /**< -1 for none. */
	char *saved; /**< What stands in it; NULL while that is not known. */
};

/**
 * Has the relay go on where the file says, and keeps the file open. A relay without it works,
 * so what is wrong is logged.
 */
void rooms_file_open(struct rooms_file *file, const struct state *state,
		     struct weft_relay *relay, const struct weft_log *log, uint64_t now);

/** Writes what has changed since. */
void rooms_file_save(struct rooms_file *file, const struct weft_relay *relay,
		     uint64_t now);

/** Without writing. */
void rooms_file_close(struct rooms_file *file);

#endif
