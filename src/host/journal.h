/* SPDX-License-Identifier: MIT */
/*
 * What a process has changed on this machine, on record while it lives and found after it
 * has died.
 *
 * Each process has one file in the state directory (/run/weft) and holds a lock on it
 * (flock) that the kernel drops with the process, whatever ended it. So a file whose lock
 * can be taken belongs to a dead process, and who takes the lock inherits the file: no two
 * processes undo the same change.
 *
 *     {"journal":1,"pid":812,"boot":"f0bb...","netns":4026531840,"cookie":1}      header
 *     {"change":"up","ifindex":7,"ifname":"weft0","before":false,"after":true}    a change
 *     #"change":"address","ifindex":7, ...                                        undone
 *
 * A line is written before its change is made: a crash in between leaves a line too many,
 * which undoing finds not to be so, and never a change without a line. A change that is
 * taken back while others stand loses its line's first byte (one byte, so there is no half
 * state); undone lines at the end are cut off, so that a lease which comes and goes for
 * weeks does not make the file grow. Nothing is synced: /run is memory, and what it
 * describes does not outlive the kernel either.
 */
#ifndef HOST_JOURNAL_H
#define HOST_JOURNAL_H

#include "base/list.h"
#include "host/change.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Where changes are made: this boot of this kernel, and this network namespace. An inode
 * number names a namespace while it exists and is given out again afterwards; the cookie
 * (SO_NETNS_COOKIE, Linux 5.14) never is, and is 0 where the kernel has none.
 */
struct place {
	char boot[40]; /**< /proc/sys/kernel/random/boot_id. */
	uint64_t netns;
	uint64_t cookie;
};

bool place_equal(const struct place *a, const struct place *b);

/** One change on record. Belongs to its journal. */
struct journal_entry {
	struct list node;
	struct change change;
	uint64_t off, len; /**< Of its line in the file, in bytes, with the newline. */
};

struct journal {
	struct list entries; /**< struct journal_entry, in the order they were made. */
	struct place place;
	long pid;       /**< Whose it is, for people. */
	unsigned bad;   /**< Lines that journal_adopt could not read. */
	int dir_fd, fd; /**< dir_fd is borrowed. */
	uint64_t head_len;
	char name[48];
};

/** Most bytes of a journal that are read: ten thousand changes. */
#define JOURNAL_LEN_MAX 1048576u

/**
 * Opens the directory of journals, making it (mode 0700) if it is missing. What stands in
 * it is undone with our rights, so it must be ours and nobody else may write to it.
 * Returns the descriptor, or -Exxx with err.
 */
int journal_dir_open(const char *path, struct weft_error *err) WEFT_MUST_CHECK;

/** Makes this process's journal, locked. dir_fd stays the caller's. Returns 0 or -Exxx. */
int journal_create(int dir_fd, const struct place *place,
		   struct journal **ret_journal) WEFT_MUST_CHECK;

/**
 * Takes over the journal of a dead process. Unreadable lines are counted in bad and skipped.
 * Returns 0; -EAGAIN while its process lives; -ENOENT when another has dealt with it;
 * -EBADMSG when its header cannot be read: nobody can tell what it was about, and the
 * caller may remove it by journal_remove (ret_journal is set in this case too, and empty).
 */
int journal_adopt(int dir_fd, const char *name,
		  struct journal **ret_journal) WEFT_MUST_CHECK;

/** True for a file name that journal_create gives. */
bool journal_is_name(const char *name);

/** Puts a change on record, before it is made. Returns 0 or -Exxx (-ENOSPC, ...). */
int journal_append(struct journal *journal, const struct change *change,
		   struct journal_entry **ret_entry) WEFT_MUST_CHECK;

/** Takes an entry off the record, after its change was undone or was not made; frees it. */
void journal_cancel(struct journal *journal, struct journal_entry *entry);

/** Lets go of the journal and leaves its file for the next recovery. NULL is allowed. */
void journal_close(struct journal *journal);

/** Removes the file and lets go of the journal. NULL is allowed. */
void journal_remove(struct journal *journal);

#endif
