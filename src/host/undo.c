/* SPDX-License-Identifier: MIT */
/*
 * A change is undone only while it is still in force. The kernel is asked first: an MTU
 * that is neither the former one nor ours was set by somebody else, and is theirs.
 *
 * Journals of another namespace stay where they are. The namespace may be gone for good,
 * but that cannot be told from here (nothing lists namespaces that have no name), and what
 * is left is a few hundred bytes of memory until the next boot.
 */
#include "host/undo.h"

#include "base/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 256u

static void report_change(const struct undo_report *report, const struct journal *journal,
			  const struct change *change, int error)
{
	if (!report->fn)
		return;
	char text[TEXT_MAX];
	struct fmt f;
	fmt_init(&f, text, sizeof(text));
	fmt_add(&f, "%s ", error ? "could not undo" : "undone:");
	change_print(change, &f);
	if (error)
		fmt_add(&f, ": %s", strerror(-error));
	fmt_add(&f, " (left by process %ld)", journal->pid);
	report->fn(report->user, fmt_text(&f));
}

static void report_bad(const struct undo_report *report, const struct journal *journal)
{
	if (!report->fn || journal->bad == 0)
		return;
	char text[TEXT_MAX];
	struct fmt f;
	fmt_init(&f, text, sizeof(text));
	fmt_add(&f, "%s: %u unreadable line%s skipped", journal->name, journal->bad,
		journal->bad == 1 ? "" : "s");
	report->fn(report->user, fmt_text(&f));
}

/* What these say is that there is nothing to undo: the device has gone, and with it all
   that was set on it; or the thing itself was removed a moment ago. */
static bool is_gone(int error)
{
	return error == -ENODEV || error == -ESRCH || error == -ENOENT ||
	       error == -EADDRNOTAVAIL || error == -ENXIO;
}

int undo_change(struct netlink *nl, const struct change *change)
{
	int r = netlink_is_made(nl, change);
	if (r > 0) {
		r = netlink_revert(nl, change);
		r = r < 0 ? r : 1;
	}
	return is_gone(r) ? 0 : r;
}

int undo_journal(struct journal *journal, struct netlink *nl,
		 const struct undo_report *report)
{
	int undone = 0;
	int failure = 0;
	struct list *previous;
	for (struct list *node = journal->entries.prev; node != &journal->entries;
	     node = previous) {
		struct journal_entry *entry =
			container_of(node, struct journal_entry, node);
		previous = node->prev;
		int r = undo_change(nl, &entry->change);
		if (r != 0)
			report_change(report, journal, &entry->change, r < 0 ? r : 0);
		if (r < 0) {
			failure = failure ? failure : r;
			continue;
		}
		undone += r;
		journal_cancel(journal, entry);
	}
	return failure ? failure : undone;
}

/* An unreadable header tells of no place to undo anything at. A file without one line is
   what a process leaves that died while it made its journal: there is no bad one in it. */
static int remove_unreadable(struct journal *journal, const struct undo_report *report)
{
	report_bad(report, journal);
	journal_remove(journal);
	return 0;
}

static int undo_file(int dir_fd, const char *name, struct netlink *nl,
		     const struct undo_report *report)
{
	struct journal *journal;
	int r = journal_adopt(dir_fd, name, &journal);
	if (r == -EBADMSG)
		return remove_unreadable(journal, report);
	if (r < 0)
		return r == -EAGAIN || r == -ENOENT ? 0 : r;

	if (strcmp(journal->place.boot, nl->place.boot) != 0) {
		journal_remove(journal);
		return 0;
	}
	if (!place_equal(&journal->place, &nl->place)) {
		journal_close(journal);
		return 0;
	}
	report_bad(report, journal);
	r = undo_journal(journal, nl, report);
	if (r < 0)
		journal_close(journal);
	else
		journal_remove(journal);
	return r;
}

/* A descriptor of its own for readdir, which would move the offset of ours. */
static DIR *open_listing(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	if (!listing && fd >= 0)
		(void)close(fd);
	return listing;
}

int undo_dead(int dir_fd, struct netlink *nl, const struct undo_report *report)
{
	DIR *listing = open_listing(dir_fd);
	if (!listing)
		return -errno;
	int undone = 0;
	int failure = 0;
	const struct dirent *entry;
	while ((entry = readdir(listing))) {
		if (!journal_is_name(entry->d_name))
			continue;
		int r = undo_file(dir_fd, entry->d_name, nl, report);
		if (r < 0)
			failure = failure ? failure : r;
		else
			undone += r;
	}
	closedir(listing);
	return failure ? failure : undone;
}
