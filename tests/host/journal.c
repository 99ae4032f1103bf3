/* SPDX-License-Identifier: MIT */
/*
 * Journal files: who owns one, what is read back, and what damage does to it. The dead
 * process of these tests is a journal that is closed without being removed.
 */
#include "host/journal.h"

#include "../unit.h"
#include "base/array.h"
#include "base/container.h"
#include "base/rng.h"
#include "state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct place here = { .boot = "first-boot",
				   .netns = 4026531840,
				   .cookie = 1 };

static struct change mtu(uint32_t before, uint32_t after)
{
	return (struct change){ .kind = CHANGE_MTU,
				.ifindex = 7,
				.ifname = "weft0",
				.mtu = { before, after } };
}

static struct journal *create(const struct state_dir *dir)
{
	struct journal *journal;
	assert_int_equal(journal_create(dir->fd, &here, &journal), 0);
	return journal;
}

static struct journal_entry *append(struct journal *journal, uint32_t before,
				    uint32_t after)
{
	struct journal_entry *entry;
	const struct change change = mtu(before, after);
	assert_int_equal(journal_append(journal, &change, &entry), 0);
	return entry;
}

/* Dies: the file stays, its lock goes. Returns its name for journal_adopt. */
static const char *die(struct journal *journal)
{
	static char name[sizeof(journal->name)];
	memcpy(name, journal->name, sizeof(name));
	journal_close(journal);
	return name;
}

/* The journal's entries by the MTU that each sets: "1400 1300". */
static const char *entries(const struct journal *journal)
{
	static char text[200];
	struct fmt f;
	fmt_init(&f, text, sizeof(text));
	for (const struct list *node = journal->entries.next; node != &journal->entries;
	     node = node->next) {
		const struct journal_entry *entry =
			container_of_const(node, struct journal_entry, node);
		fmt_add(&f, "%s%u", node->prev == &journal->entries ? "" : " ",
			entry->change.mtu.after);
	}
	return fmt_text(&f);
}

static void test_a_living_process_keeps_its_journal(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	struct journal *taken;
	assert_int_equal(journal_adopt(dir->fd, mine->name, &taken), -EAGAIN);
	journal_remove(mine);
	assert_int_equal(state_dir_files(dir), 0);
}

static void test_a_dead_process_is_read_back(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	append(mine, 1500, 1400);
	append(mine, 1400, 1300);
	struct journal *found;
	assert_int_equal(journal_adopt(dir->fd, die(mine), &found), 0);
	assert_string_equal(entries(found), "1400 1300");
	assert_true(place_equal(&found->place, &here));
	assert_int_equal(found->pid, getpid());
	assert_int_equal(found->bad, 0);
	journal_remove(found);
	assert_int_equal(state_dir_files(dir), 0);
}

static void test_only_one_adopts(void **state)
{
	const struct state_dir *dir = *state;
	const char *name = die(create(dir));
	struct journal *first;
	struct journal *second;
	assert_int_equal(journal_adopt(dir->fd, name, &first), 0);
	assert_int_equal(journal_adopt(dir->fd, name, &second), -EAGAIN);
	journal_remove(first);
	assert_int_equal(journal_adopt(dir->fd, name, &second), -ENOENT);
}

static void test_two_in_one_process(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *a = create(dir);
	struct journal *b = create(dir);
	assert_string_not_equal(a->name, b->name);
	assert_true(journal_is_name(a->name));
	journal_remove(a);
	journal_remove(b);
	assert_int_equal(state_dir_files(dir), 0);
}

static void test_cancelled_changes_are_not_read_back(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	struct journal_entry *first = append(mine, 1500, 1400);
	append(mine, 1400, 1300);
	struct journal_entry *third = append(mine, 1300, 1200);
	append(mine, 1200, 1100);
	journal_cancel(mine, first);
	journal_cancel(mine, third);
	struct journal *found;
	assert_int_equal(journal_adopt(dir->fd, die(mine), &found), 0);
	assert_string_equal(entries(found), "1300 1100");
	assert_int_equal(found->bad, 0);
	journal_remove(found);
}

/* Cancelled lines at the end are cut off, and what stands before them is still cancelled. */
static void test_the_end_is_cut_off(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	struct journal_entry *first = append(mine, 1500, 1400);
	append(mine, 1400, 1300);
	struct journal_entry *third = append(mine, 1300, 1200);
	struct journal_entry *fourth = append(mine, 1200, 1100);
	journal_cancel(mine, first);
	journal_cancel(mine, third);
	journal_cancel(mine, fourth);
	append(mine, 1300, 1250);
	struct journal *found;
	assert_int_equal(journal_adopt(dir->fd, die(mine), &found), 0);
	assert_string_equal(entries(found), "1300 1250");
	assert_int_equal(found->bad, 0);
	journal_remove(found);
}

static void test_coming_and_going_does_not_grow_it(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	append(mine, 1500, 1400);
	char before[4096];
	char after[4096];
	size_t len = state_dir_read(dir, before, sizeof(before));
	for (unsigned i = 0; i < 1000; i++)
		journal_cancel(mine, append(mine, 1400, 1300));
	assert_int_equal(state_dir_read(dir, after, sizeof(after)), len);
	assert_string_equal(after, before);
	journal_remove(mine);
}

/* Who adopts goes on where the dead one stopped: its undoing is on record as well. */
static void test_adopted_journals_are_cancelled_too(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	append(mine, 1500, 1400);
	append(mine, 1400, 1300);
	struct journal *found;
	assert_int_equal(journal_adopt(dir->fd, die(mine), &found), 0);
	journal_cancel(found,
		       container_of(found->entries.prev, struct journal_entry, node));
	assert_int_equal(journal_adopt(dir->fd, die(found), &found), 0);
	assert_string_equal(entries(found), "1400");
	journal_remove(found);
}

static void test_a_line_cut_short_is_skipped(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	append(mine, 1500, 1400);
	append(mine, 1400, 1300);
	char text[4096];
	size_t len = state_dir_read(dir, text, sizeof(text));
	const char *name = die(mine);
	state_dir_put(dir, name, text, len - 5);
	struct journal *found;
	assert_int_equal(journal_adopt(dir->fd, name, &found), 0);
	assert_string_equal(entries(found), "1400");
	assert_int_equal(found->bad, 1);
	journal_remove(found);
}

static void test_lines_of_rubbish_are_skipped(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	append(mine, 1500, 1400);
	append(mine, 1400, 1300);
	char text[4096];
	char damaged[4200];
	state_dir_read(dir, text, sizeof(text));
	char *second = strchr(text, '\n') + 1;
	int n = snprintf(damaged, sizeof(damaged), "%.*s\n\xff{rubbish\n%s",
			 (int)(second - text), text, second);
	const char *name = die(mine);
	state_dir_put(dir, name, damaged, (size_t)n);
	struct journal *found;
	assert_int_equal(journal_adopt(dir->fd, name, &found), 0);
	assert_string_equal(entries(found), "1400 1300");
	assert_int_equal(found->bad, 2); /* The empty line and the rubbish. */
	journal_remove(found);
}

static void test_unreadable_headers(void **state)
{
	const struct state_dir *dir = *state;
	static const char *const headers[] = {
		"",
		"\n",
		"{}\n",
		"#\n",
		"{\"journal\":1",
		"{\"journal\":2,\"pid\":1,\"boot\":\"b\",\"netns\":1,\"cookie\":1}\n",
		"{\"journal\":1,\"pid\":1,\"boot\":7,\"netns\":1,\"cookie\":1}\n",
		"{\"journal\":1,\"pid\":1,\"netns\":1,\"cookie\":1}\n",
		"{\"journal\":1,\"boot\":\"of-forty-characters-and-so-one-too-many-\"}\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct journal *found;
		state_dir_put(dir, "journal-1-0", headers[i], strlen(headers[i]));
		assert_int_equal(journal_adopt(dir->fd, "journal-1-0", &found), -EBADMSG);
		assert_string_equal(entries(found), "");
		journal_remove(found);
		assert_int_equal(state_dir_files(dir), 0);
	}
}

static void test_random_damage(void **state)
{
	const struct state_dir *dir = *state;
	struct journal *mine = create(dir);
	for (uint32_t i = 0; i < 5; i++)
		append(mine, 1500 - i, 1499 - i);
	char text[4096];
	size_t len = state_dir_read(dir, text, sizeof(text));
	const char *name = die(mine);
	struct rng rng;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 500; i++) {
		char damaged[sizeof(text)];
		memcpy(damaged, text, len);
		for (unsigned k = 0; k < 4; k++)
			damaged[rng_below(&rng, len)] = (char)rng_u64(&rng);
		state_dir_put(dir, name, damaged, (size_t)rng_below(&rng, len + 1));
		struct journal *found;
		int r = journal_adopt(dir->fd, name, &found);
		assert_true(r == 0 || r == -EBADMSG);
		journal_remove(found);
	}
}

static void test_others_must_not_write_to_the_directory(void **state)
{
	const struct state_dir *dir = *state;
	struct weft_error err;
	assert_int_equal(chmod(dir->path, 0770), 0);
	assert_int_equal(journal_dir_open(dir->path, &err), -EACCES);
	assert_non_null(strstr(err.text, dir->path));
	assert_int_equal(chmod(dir->path, 0755), 0);
	int fd = journal_dir_open(dir->path, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void test_a_link_is_no_state_directory(void **state)
{
	const struct state_dir *dir = *state;
	struct weft_error err;
	char path[96];
	snprintf(path, sizeof(path), "%s/link", dir->path);
	assert_int_equal(symlink(dir->path, path), 0);
	assert_int_equal(journal_dir_open(path, &err), -ENOTDIR);
}

static void test_the_directory_is_made(void **state)
{
	const struct state_dir *dir = *state;
	struct weft_error err;
	char path[96];
	struct stat st;
	snprintf(path, sizeof(path), "%s/made", dir->path);
	int fd = journal_dir_open(path, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/no/such", dir->path);
	assert_int_equal(journal_dir_open(path, &err), -ENOENT);
}

#define in_state_dir(test) \
	cmocka_unit_test_setup_teardown(test, state_dir_make, state_dir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_state_dir(test_a_living_process_keeps_its_journal),
		in_state_dir(test_a_dead_process_is_read_back),
		in_state_dir(test_only_one_adopts),
		in_state_dir(test_two_in_one_process),
		in_state_dir(test_cancelled_changes_are_not_read_back),
		in_state_dir(test_the_end_is_cut_off),
		in_state_dir(test_coming_and_going_does_not_grow_it),
		in_state_dir(test_adopted_journals_are_cancelled_too),
		in_state_dir(test_a_line_cut_short_is_skipped),
		in_state_dir(test_lines_of_rubbish_are_skipped),
		in_state_dir(test_unreadable_headers),
		in_state_dir(test_random_damage),
		in_state_dir(test_others_must_not_write_to_the_directory),
		in_state_dir(test_a_link_is_no_state_directory),
		in_state_dir(test_the_directory_is_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
