/* SPDX-License-Identifier: MIT */
/*
 * Names are anybody's: in the text HTML's own characters are escaped, in a link all that is not
 * unreserved (RFC 3986, 2.3).
 */
#include "cmd/http_listing.h"

#include "cmd/http_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
	char *name;
	bool is_dir;
	uint64_t size;
};

struct entries {
	struct entry *all;
	size_t n;
	bool has_more;
};

/* ---- what there is ----------------------------------------------------------------------- */

static void add_entry(struct entries *e, int dir_fd, const char *name)
{
	struct stat st;
	if (name[0] == '.' || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return;
	struct entry *entry = &e->all[e->n];
	entry->name = strdup(name);
	entry->is_dir = S_ISDIR(st.st_mode);
	entry->size = (uint64_t)st.st_size;
	e->n += entry->name != NULL;
}

/* Directories first, each kind by its names' bytes. */
static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	return a->is_dir != b->is_dir ? b->is_dir - a->is_dir : strcmp(a->name, b->name);
}

static void read_entries(struct entries *e, DIR *dir)
{
	const struct dirent *found = NULL;
	size_t seen = 0;
	while (seen < HTTP_LISTING_MAX && (found = readdir(dir))) {
		add_entry(e, dirfd(dir), found->d_name);
		seen++;
	}
	e->has_more = found && readdir(dir);
	qsort(e->all, e->n, sizeof(*e->all), compare);
}

static void free_entries(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->all[i].name);
	free(e->all);
}

/* ---- the page ---------------------------------------------------------------------------- */

static void put_text(FILE *page, const char *text)
{
	for (; *text; text++) {
		if (strchr("&<>\"'", *text))
			(void)fprintf(page, "&#%d;", *text);
		else
			(void)fputc(*text, page);
	}
}

static void put_link(FILE *page, const char *name)
{
	for (; *name; name++)
		(void)fprintf(page, http_is_unreserved(*name) ? "%c" : "%%%02X",
			      (unsigned char)*name);
}

static void put_entry(FILE *page, const struct entry *entry)
{
	const char *slash = entry->is_dir ? "/" : "";
	(void)fputs("<li><a href=\"", page);
	put_link(page, entry->name);
	(void)fprintf(page, "%s\">", slash);
	put_text(page, entry->name);
	(void)fprintf(page, "%s</a>", slash);
	if (!entry->is_dir)
		(void)fprintf(page, ", %" PRIu64 " bytes", entry->size);
	(void)fputs("</li>\n", page);
}

static void put_page(FILE *page, const struct entries *e, const char *path)
{
	(void)fputs("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>", page);
	put_text(page, path);
	(void)fputs("</title>\n<h1>", page);
	put_text(page, path);
	(void)fputs("</h1>\n<ul>\n", page);
	if (strcmp(path, "/") != 0)
		(void)fputs("<li><a href=\"../\">../</a></li>\n", page);
	for (size_t i = 0; i < e->n; i++)
		put_entry(page, &e->all[i]);
	if (e->has_more)
		(void)fputs("<li>and more</li>\n", page);
	(void)fputs("</ul>\n", page);
}

char *http_listing_make(int dir_fd, const char *path, size_t *ret_len)
{
	struct entries e = { .all = calloc(HTTP_LISTING_MAX, sizeof(*e.all)) };
	char *text = NULL;
	int fd = e.all ? openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	FILE *page = dir ? open_memstream(&text, ret_len) : NULL;
	if (page) {
		read_entries(&e, dir);
		put_page(page, &e, path);
		if (fclose(page) != 0) {
			free(text);
			text = NULL;
		}
	}
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	free_entries(&e);
	return text;
}
