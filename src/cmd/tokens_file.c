/* SPDX-License-Identifier: MIT */
/*
 * The file is only ever added to, so that nothing that a person has written into it is lost,
 * and read without a buffer of the library's, in which tokens would stay.
 */
#include "cmd/tokens_file.h"

#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_LEN (TOKENS_NAME_LEN + SECRET_LEN + 8u)
#define SPACE    " \t\r\n"

static int fail(const char *verb, const char *path, int r, const char *why)
{
	char text[OUTPUT_STATUS_LEN];
	(void)snprintf(text, sizeof(text), "--tokens-file: %s: %s", path, why);
	(void)output_fail(verb, text);
	return r;
}

static struct tokens_entry *append(struct tokens *tokens)
{
	if (tokens->n == TOKENS_MAX)
		return NULL;
	/* No realloc, which would leave tokens in the memory that it frees. */
	struct tokens_entry *items = calloc(tokens->n + 1, sizeof(*items));
	if (!items)
		return NULL;
	if (tokens->n > 0)
		memcpy(items, tokens->items, tokens->n * sizeof(*items));
	const size_t n = tokens->n;
	tokens_fini(tokens);
	*tokens = (struct tokens){ items, n + 1 };
	return &items[n];
}

void tokens_fini(struct tokens *tokens)
{
	if (tokens->items)
		sodium_memzero(tokens->items, tokens->n * sizeof(*tokens->items));
	free(tokens->items);
	*tokens = (struct tokens){ 0 };
}

static struct tokens_entry *find(const struct tokens *tokens, const char *name)
{
	for (size_t i = 0; i < tokens->n; i++)
		if (strcmp(tokens->items[i].name, name) == 0)
			return &tokens->items[i];
	return NULL;
}

/* Whether a line of the file can begin with it, and be found again. */
static bool is_name(const char *name)
{
	const size_t len = strlen(name);
	return len > 0 && len < TOKENS_NAME_LEN && name[0] != '#' &&
	       !strchr(SPACE, name[0]) && !strchr(SPACE, name[len - 1]);
}

struct tokens_entry *tokens_want(struct tokens *tokens, const char *name)
{
	struct tokens_entry *entry = find(tokens, name);
	if (!entry && is_name(name))
		entry = append(tokens);
	if (!entry)
		return NULL;
	if (entry->name[0] == '\0') {
		(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
		secret_make(entry->token);
		entry->is_new = true;
	}
	entry->is_wanted = true;
	return entry;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* A name may have spaces; a token has none, and is the last word. */
static int read_entry(struct tokens *tokens, char *line)
{
	size_t len = strlen(line);
	while (len > 0 && strchr(SPACE, line[len - 1]))
		line[--len] = '\0';
	size_t token = len;
	while (token > 0 && !strchr(SPACE, line[token - 1]))
		token--;
	size_t name_end = token;
	while (name_end > 0 && strchr(SPACE, line[name_end - 1]))
		name_end--;
	if (len == 0 || line[0] == '#')
		return 0;
	if (name_end == 0 || name_end >= TOKENS_NAME_LEN || len - token >= SECRET_LEN)
		return -EINVAL;
	line[name_end] = '\0';
	if (find(tokens, line))
		return -EEXIST;
	struct tokens_entry *entry = append(tokens);
	if (!entry)
		return -ENOMEM;
	memcpy(entry->name, line, name_end + 1);
	memcpy(entry->token, line + token, len - token + 1);
	return 0;
}

static int read_entries(struct tokens *tokens, FILE *stream, const char *verb,
			const char *path)
{
	char line[LINE_LEN], why[128];
	unsigned number = 0;
	int r = 0;
	while (r == 0 && fgets(line, (int)sizeof(line), stream)) {
		number++;
		r = strchr(line, '\n') || feof(stream) ? read_entry(tokens, line)
						       : -EINVAL;
	}
	sodium_memzero(line, sizeof(line));
	if (r == 0)
		return 0;
	(void)snprintf(why, sizeof(why), "line %u: %s", number,
		       r == -EEXIST   ? "this name stands in an earlier line, too"
		       : r == -EINVAL ? "each line is a client's name and its token"
				      : "too many clients");
	return fail(verb, path, r, why);
}

int tokens_read(struct tokens *tokens, const char *verb, const char *path)
{
	FILE *stream = fopen(path, "re");
	struct stat status;
	if (!stream && errno == ENOENT)
		return 0;
	if (!stream)
		return fail(verb, path, -errno, strerror(errno));
	if (fstat(fileno(stream), &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_mode & 077) != 0)
		(void)fprintf(stderr,
			      "weft %s: warning: others than its owner can use %s; run: "
			      "chmod 600 %s\n",
			      verb, path, path);
	(void)setvbuf(stream, NULL, _IONBF, 0);
	const int r = read_entries(tokens, stream, verb, path);
	(void)fclose(stream);
	return r;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Editors differ in whether they end the last line of a file. */
static bool last_line_is_open(int fd, off_t len)
{
	char last;
	return len > 0 && pread(fd, &last, 1, len - 1) == 1 && last != '\n';
}

static int write_entries(const struct tokens *tokens, FILE *stream)
{
	const off_t len = ftello(stream);
	if (len == 0)
		(void)fputs("# weft tunnel: tokens of clients\n", stream);
	if (last_line_is_open(fileno(stream), len))
		(void)fputc('\n', stream);
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->items[i].is_new)
			(void)fprintf(stream, "%s %s\n", tokens->items[i].name,
				      tokens->items[i].token);
	return fflush(stream) == 0 && fsync(fileno(stream)) == 0 ? 0 : -errno;
}

int tokens_write(const struct tokens *tokens, const char *verb, const char *path)
{
	bool is_any = false;
	for (size_t i = 0; i < tokens->n; i++)
		is_any |= tokens->items[i].is_new;
	if (!is_any)
		return 0;
	const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "a+");
	if (!stream) {
		const int error = errno;
		if (fd >= 0)
			(void)close(fd);
		return fail(verb, path, -error, strerror(error));
	}
	(void)fseek(stream, 0, SEEK_END);
	const int r = write_entries(tokens, stream);
	(void)fclose(stream);
	return r < 0 ? fail(verb, path, r, strerror(-r)) : 0;
}
