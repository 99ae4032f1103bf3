/* SPDX-License-Identifier: MIT */
/*
 * Taking changes back, newest first: at the end of a host's life, and for dead processes.
 */
#ifndef HOST_UNDO_H
#define HOST_UNDO_H

#include "host/journal.h"
#include "host/netlink.h"

/** Gets one line for a person about each thing that was done, or could not be. */
struct undo_report {
	void (*fn)(void *user, const char *text); /**< NULL for silence. */
	void *user;
};

/**
 * Undoes one change if it is still in force. Returns 1 if it was undone, 0 if there was
 * nothing to undo (somebody else has set it, its device has gone), or -Exxx.
 */
int undo_change(struct netlink *nl, const struct change *change) WEFT_MUST_CHECK;

/**
 * Undoes what a journal holds, in reverse order. A change that is no longer so is left as
 * it is: somebody else has set it meanwhile, or its device has gone. What fails stays on
 * record. Returns how many were undone; -Exxx with the first failure's reason if any failed.
 */
int undo_journal(struct journal *journal, struct netlink *nl,
		 const struct undo_report *report);

/**
 * Undoes and removes the journals of dead processes. Those of another network namespace are
 * left alone, for a recovery that runs there; those of an earlier boot are removed, because
 * what they speak of ended with it. Returns how many changes were undone, or -Exxx.
 */
int undo_dead(int dir_fd, struct netlink *nl, const struct undo_report *report);

#endif
