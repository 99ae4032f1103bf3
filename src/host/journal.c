/* SPDX-License-Identifier: MIT */
/*
 * Journal files: making, locking, reading, appending.
 *
 * Two races are worth a word. Between making a file and locking it, a recovery may find it
 * unlocked, take it for a dead process's and remove it; and two recoveries may open the
 * same file, of which the second gets the lock when the first has removed it. Both show in
 * the same way: the file that we have locked has no name any more (its link count is 0).
 */
#include "host/journal.h"

#include "base/container.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION       1
#define LINE_LEN_MAX  (CHANGE_LINE_MAX + 1u)
#define NAME_PREFIX   "journal-"
#define NAMES_PER_PID 1000u

bool place_equal(const struct place *a, const struct place *b)
{
	return strcmp(a->boot, b->boot) == 0 && a->netns == b->netns &&
	       a->cookie == b->cookie;
}

static int check_dir(int fd, const char *path, struct weft_error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return weft_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return weft_error_set(
			err, -EACCES,
			"%s must belong to the user that runs weft, and others "
			"must not be able to write to it",
			path);
	return 0;
}

int journal_dir_open(const char *path, struct weft_error *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return weft_error_set(err, -errno,
				      "cannot make the state directory %s: %s", path,
				      strerror(errno));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return weft_error_set(err, -errno,
				      "cannot open the state directory %s: %s", path,
				      strerror(errno));
	int r = check_dir(fd, path, err);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

bool journal_is_name(const char *name)
{
	return strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) == 0;
}

static struct journal *journal_alloc(int dir_fd, const char *name)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	if (!journal)
		return NULL;
	list_init(&journal->entries);
	journal->dir_fd = dir_fd;
	journal->fd = -1;
	(void)snprintf(journal->name, sizeof(journal->name), "%s", name);
	return journal;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	list_for_each (node, &journal->entries) {
		list_remove(node);
		free(container_of(node, struct journal_entry, node));
	}
	if (journal->fd >= 0)
		(void)close(journal->fd);
	free(journal);
}

void journal_remove(struct journal *journal)
{
	if (!journal)
		return;
	/* Without the rights that we began with, the file may have to stay; as an empty one
	   it means nothing, and the next recovery removes it. */
	if (unlinkat(journal->dir_fd, journal->name, 0) < 0 &&
	    ftruncate(journal->fd, 0) < 0)
		journal->bad++;
	journal_close(journal);
}

/* Locks the journal's file. Returns 0, -EAGAIN if another holds the lock and op has
   LOCK_NB, or -ENOENT if the file has been removed. */
static int lock(struct journal *journal, int op)
{
	int r;
	do
		r = flock(journal->fd, op);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	struct stat st;
	if (fstat(journal->fd, &st) < 0)
		return -errno;
	return st.st_nlink == 0 ? -ENOENT : 0;
}

/* Writes all of it or nothing. */
static int write_at(struct journal *journal, const char *data, size_t len, uint64_t off)
{
	ssize_t n = pwrite(journal->fd, data, len, (off_t)off);
	if (n == (ssize_t)len)
		return 0;
	int error = n < 0 ? -errno : -ENOSPC;
	/* What a failure here leaves is half a line at the end, which is skipped when read. */
	(void)!ftruncate(journal->fd, (off_t)off);
	return error;
}

static int write_header(struct journal *journal)
{
	json_t *header = json_pack("{s:i, s:I, s:s, s:I, s:I}", "journal", VERSION, "pid",
				   (json_int_t)journal->pid, "boot", journal->place.boot,
				   "netns", (json_int_t)journal->place.netns, "cookie",
				   (json_int_t)journal->place.cookie);
	char line[LINE_LEN_MAX];
	size_t len = json_dumpb(header, line, sizeof(line) - 1, JSON_COMPACT);
	json_decref(header);
	if (len == 0 || len >= sizeof(line))
		return -ENOMEM;
	line[len++] = '\n';
	journal->head_len = len;
	return write_at(journal, line, len, 0);
}

/* Makes a file under a name of this process's own; several hosts may live in one process,
   and one process id in several PID namespaces. */
static int create_file(struct journal *journal)
{
	for (unsigned i = 0; i < NAMES_PER_PID; i++) {
		(void)snprintf(journal->name, sizeof(journal->name), NAME_PREFIX "%ld-%u",
			       journal->pid, i);
		journal->fd =
			openat(journal->dir_fd, journal->name,
			       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (journal->fd < 0 && errno == EEXIST)
			continue;
		if (journal->fd < 0)
			return -errno;
		int r = lock(journal, LOCK_EX);
		if (r != -ENOENT)
			return r;
		(void)close(journal->fd);
		journal->fd = -1;
	}
	return -EEXIST;
}

int journal_create(int dir_fd, const struct place *place, struct journal **ret_journal)
{
	struct journal *journal = journal_alloc(dir_fd, "");
	if (!journal)
		return -ENOMEM;
	journal->place = *place;
	journal->pid = getpid();
	int r = create_file(journal);
	if (r < 0) {
		journal_close(journal);
		return r;
	}
	r = write_header(journal);
	if (r < 0) {
		journal_remove(journal);
		return r;
	}
	*ret_journal = journal;
	return 0;
}

static int entry_add(struct journal *journal, const struct change *change, uint64_t off,
		     uint64_t len, struct journal_entry **ret_entry)
{
	struct journal_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->change = *change;
	entry->off = off;
	entry->len = len;
	list_push_back(&journal->entries, &entry->node);
	*ret_entry = entry;
	return 0;
}

/* Where the next line goes: behind the newest entry; lines after that are undone ones. */
static uint64_t end_of(const struct journal *journal)
{
	if (list_is_empty(&journal->entries))
		return journal->head_len;
	const struct journal_entry *last =
		container_of_const(journal->entries.prev, struct journal_entry, node);
	return last->off + last->len;
}

int journal_append(struct journal *journal, const struct change *change,
		   struct journal_entry **ret_entry)
{
	char line[LINE_LEN_MAX];
	int len = change_emit(change, line, sizeof(line) - 1);
	if (len < 0)
		return len;
	line[len++] = '\n';
	uint64_t off = end_of(journal);
	struct journal_entry *entry;
	int r = entry_add(journal, change, off, (uint64_t)len, &entry);
	if (r < 0)
		return r;
	r = write_at(journal, line, (size_t)len, off);
	if (r < 0) {
		list_remove(&entry->node);
		free(entry);
		return r;
	}
	*ret_entry = entry;
	return 0;
}

void journal_cancel(struct journal *journal, struct journal_entry *entry)
{
	bool is_last = journal->entries.prev == &entry->node;
	uint64_t off = entry->off;
	list_remove(&entry->node);
	free(entry);
	/* Neither can fail on a file that is open and long enough. If it did, recovery would
	   meet a change that is no longer so, and leave the machine as it is. */
	int r = is_last ? ftruncate(journal->fd, (off_t)end_of(journal))
			: (int)pwrite(journal->fd, "#", 1, (off_t)off);
	if (r < 0)
		journal->bad++;
}

static int read_file(int fd, char **ret_text, size_t *ret_len)
{
	char *text = malloc(JOURNAL_LEN_MAX);
	if (!text)
		return -ENOMEM;
	size_t len = 0;
	ssize_t n = 1;
	while (n > 0 && len < JOURNAL_LEN_MAX) {
		n = pread(fd, text + len, JOURNAL_LEN_MAX - len, (off_t)len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) {
		free(text);
		return -EIO;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static int parse_header(struct journal *journal, const char *line, size_t len)
{
	json_t *header = json_loadb(line, len, 0, NULL);
	int version;
	json_int_t pid;
	json_int_t netns;
	json_int_t cookie;
	const char *boot;
	int r = json_unpack(header, "{s:i, s:I, s:s, s:I, s:I}", "journal", &version,
			    "pid", &pid, "boot", &boot, "netns", &netns, "cookie",
			    &cookie);
	if (r == 0 && version == VERSION && strlen(boot) < sizeof(journal->place.boot)) {
		journal->pid = (long)pid;
		memcpy(journal->place.boot, boot, strlen(boot) + 1);
		journal->place.netns = (uint64_t)netns;
		journal->place.cookie = (uint64_t)cookie;
	} else {
		r = -EBADMSG;
	}
	json_decref(header);
	return r;
}

static int parse_line(struct journal *journal, const char *line, size_t len, uint64_t off)
{
	struct change change;
	if (line[0] == '#')
		return 0;
	if (change_parse(line, len, &change) < 0) {
		journal->bad++;
		return 0;
	}
	struct journal_entry *entry;
	return entry_add(journal, &change, off, len + 1, &entry);
}

static int parse_text(struct journal *journal, const char *text, size_t len)
{
	for (size_t off = 0; off < len;) {
		const char *line = text + off;
		const char *newline = memchr(line, '\n', len - off);
		if (!newline) {
			journal->bad++;
			return off == 0 ? -EBADMSG : 0;
		}
		size_t line_len = (size_t)(newline - line);
		int r = off == 0 ? parse_header(journal, line, line_len)
				 : parse_line(journal, line, line_len, off);
		if (r < 0)
			return r;
		off += line_len + 1;
		if (journal->head_len == 0)
			journal->head_len = off;
	}
	return len == 0 ? -EBADMSG : 0;
}

static int load(struct journal *journal)
{
	int r = lock(journal, LOCK_EX | LOCK_NB);
	if (r < 0)
		return r;
	char *text;
	size_t len;
	r = read_file(journal->fd, &text, &len);
	if (r < 0)
		return r;
	r = parse_text(journal, text, len);
	free(text);
	return r;
}

int journal_adopt(int dir_fd, const char *name, struct journal **ret_journal)
{
	struct journal *journal = journal_alloc(dir_fd, name);
	if (!journal)
		return -ENOMEM;
	journal->fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int r = journal->fd < 0 ? -errno : load(journal);
	if (r < 0 && r != -EBADMSG) {
		journal_close(journal);
		return r;
	}
	*ret_journal = journal;
	return r;
}
