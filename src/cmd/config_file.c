/* SPDX-License-Identifier: MIT */
/*
 * Columns are characters, so a line is printed character by character: a tab stays one, also
 * in front of the caret, which then stands below what it points at however wide tabs are. Of
 * a long line (a whole configuration may be one) only what is around the column is shown.
 */
#include "cmd/config_file.h"

#include "cli/pem.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Up to this column a line is shown from its beginning on, and at most so much of it. */
#define SHOWN_WHOLE 100u
#define SHOWN_MAX   140u

/* ---- a line of the file ------------------------------------------------------------------ */

struct line {
	const char *text;
	size_t len;
	size_t secret, secret_end; /* Offsets of a secret in it. */
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The line of a number from 1. A byte order mark has no column. */
static struct line find_line(const struct config_file *file, unsigned number)
{
	const char *text = file->text, *end = file->text + file->len;
	if (file->len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (number-- > 1) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			break;
		text = newline + 1;
	}
	const char *newline = memchr(text, '\n', (size_t)(end - text));
	size_t len = (size_t)((newline ? newline : end) - text);
	if (len > 0 && text[len - 1] == '\r')
		len--;
	return (struct line){ .text = text, .len = len };
}

/* Whether the line goes on with a word, in letters of any size. */
static bool is_at(const struct line *line, size_t off, const char *word)
{
	const size_t len = strlen(word);
	return line->len - off >= len && strncasecmp(line->text + off, word, len) == 0;
}

/* Notes the text that begins behind a key, in quotes of any kind. */
static void find_value(struct line *line, size_t off)
{
	while (off < line->len && line->text[off] != '\0' &&
	       strchr("\"' \t:", line->text[off]))
		off++;
	const char quote = line->text[off - 1];
	if (quote != '"' && quote != '\'')
		return;
	line->secret = off;
	for (; off < line->len && line->text[off] != quote; off++)
		off += line->text[off] == '\\';
	line->secret_end = off;
}

/* Notes the user and password of a URL, which go up to the last "@" of its authority. */
static void find_user(struct line *line, size_t off)
{
	size_t at = off;
	for (size_t i = off; i < line->len && !strchr("/?#\"' ", line->text[i]); i++)
		if (line->text[i] == '@')
			at = i;
	if (at == off)
		return;
	line->secret = off;
	line->secret_end = at;
}

/* If a key whose value is a secret begins at off, or a user's name in a URL, notes where. */
static void find_secret(struct line *line, size_t off)
{
	static const char *const keys[] = { "token", "authorization", "cookie" };
	const char lower = (char)(line->text[off] | 0x20);
	if (lower != 't' && lower != 'a' && lower != 'c' && lower != ':')
		return; /* Of a line of 1 MiB each fault looks at each character. */
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (is_at(line, off, keys[i]))
			find_value(line, off + strlen(keys[i]));
	if (is_at(line, off, "://"))
		find_user(line, off + 3);
}

/* The first column that is shown if this one has to be. */
static unsigned first_shown(unsigned column)
{
	return column < SHOWN_WHOLE ? 1 : column - SHOWN_WHOLE / 2;
}

static void print_line(struct line line, unsigned column)
{
	const unsigned first = first_shown(column);
	unsigned at = 0; /* Column of the character that off belongs to. */
	for (size_t off = 0; off < line.len && at < first + SHOWN_MAX; off++) {
		const char c = line.text[off];
		at += !is_continuation(c);
		find_secret(&line, off);
		const bool is_secret = off >= line.secret && off < line.secret_end;
		if (at < first || (is_secret && is_continuation(c)))
			continue;
		if (is_secret)
			(void)fputc('*', stderr);
		else
			(void)fputc((unsigned char)c < ' ' && c != '\t' ? '?' : c,
				    stderr);
	}
	(void)fputc('\n', stderr);
}

/* Spaces, and tabs where the line has them, up to the caret. */
static void print_caret(struct line line, unsigned column)
{
	const unsigned first = first_shown(column);
	unsigned at = 0;
	for (size_t off = 0; off < line.len && at < column; off++) {
		at += !is_continuation(line.text[off]);
		if (at >= first && at < column && !is_continuation(line.text[off]))
			(void)fputc(line.text[off] == '\t' ? '\t' : ' ', stderr);
	}
	(void)fputs("^\n", stderr);
}

/* ---- faults ------------------------------------------------------------------------------ */

static void count(struct config_file *file, bool is_warning)
{
	if (is_warning)
		file->warnings++;
	else
		file->errors++;
}

static const char *severity_name(bool is_warning)
{
	return is_warning ? "warning" : "error";
}

/* What is wrong with an option, or with what none of them has said. */
static void show_option(const struct config_file *file, bool is_warning, const char *path,
			const char *text)
{
	const char *option = file->line->option(path);
	const char *only = file->line->only;
	if (only && (!option || strcmp(option, only) != 0))
		return;
	if (file->out->json)
		output_event(file->out, "fault",
			     json_pack("{s:s, s:s*, s:s, s:s}", "severity",
				       severity_name(is_warning), "option", option,
				       "path", path, "text", text));
	else
		(void)fprintf(stderr, "weft %s: %s%s%s%s\n", file->line->verb,
			      is_warning ? "warning: " : "", option ? option : "",
			      option ? ": " : "", text);
}

/* Shows the line of the file with a caret below the column. */
static void show_place(const struct config_file *file,
		       const struct weft_tunnel_fault *fault)
{
	const struct line line = find_line(file, fault->line);
	(void)fprintf(stderr, "%s:%u:%u: %s: %s%s%s\n%4u | ", file->path, fault->line,
		      fault->column, severity_name(fault->is_warning), fault->path,
		      fault->path[0] ? ": " : "", fault->text, fault->line);
	print_line(line, fault->column);
	(void)fputs("     | ", stderr);
	print_caret(line, fault->column);
}

static void show_fault(void *user, const struct weft_tunnel_fault *fault)
{
	struct config_file *file = user;
	count(file, fault->is_warning);
	if (file->line)
		show_option(file, fault->is_warning, fault->path, fault->text);
	else if (file->out->json)
		output_event(file->out, "fault",
			     json_pack("{s:s, s:s, s:i, s:i, s:s, s:s}", "severity",
				       severity_name(fault->is_warning), "file",
				       file->path, "line", (int)fault->line, "column",
				       (int)fault->column, "path", fault->path, "text",
				       fault->text));
	else
		show_place(file, fault);
}

/* What a configuration holds that is not for everybody; NULL: it could not be read. */
static const char *secrets_of(const struct weft_tunnel_config *config)
{
	bool has_token = false, has_hash = false;
	for (size_t i = 0; config && i < config->interfaces_n; i++) {
		has_token |= config->interfaces[i].raw_token != NULL;
		has_hash |= config->interfaces[i].clients_n > 0;
	}
	if (has_token)
		return has_hash ? "tokens, and hashes that tokens can be guessed by"
				: "a token";
	return has_hash ? "hashes that tokens can be guessed by"
			: "tokens or their hashes";
}

static void show_mode(struct config_file *file, const struct weft_tunnel_config *config)
{
	char text[160];
	(void)snprintf(text, sizeof(text),
		       "others than its owner can use this file, and it holds %s; run: "
		       "chmod 600",
		       secrets_of(config));
	file->warnings++;
	if (file->out->json)
		output_event(file->out, "fault",
			     json_pack("{s:s, s:s, s:o}", "severity", "warning", "file",
				       file->path, "text",
				       json_sprintf("%s %s", text, file->path)));
	else
		(void)fprintf(stderr, "%s: warning: mode %04o: %s %s\n", file->path,
			      file->mode, text, file->path);
}

/* Whether the text holds a token, also where it cannot be parsed. */
static bool has_token(const struct config_file *file)
{
	return memmem(file->text, file->len, "\"token\"", 7) != NULL;
}

/* ---- the files that it names ------------------------------------------------------------- */

/* An interface of which a file is looked at. */
struct named {
	struct config_file *file;
	size_t index;
	const char *key; /* That the files are of. */
};

static void show_file_fault(void *user, bool is_warning, const char *what,
			    const char *text)
{
	const struct named *named = user;
	struct config_file *file = named->file;
	char path[64];
	(void)snprintf(path, sizeof(path), "[%zu].%s%s%s", named->index, named->key,
		       what[0] ? "." : "", what);
	count(file, is_warning);
	if (file->line)
		show_option(file, is_warning, path, text);
	else if (file->out->json)
		output_event(file->out, "fault",
			     json_pack("{s:s, s:s, s:s, s:s}", "severity",
				       severity_name(is_warning), "file", file->path,
				       "path", path, "text", text));
	else
		(void)fprintf(stderr, "%s: %s: %s: %s\n", file->path,
			      severity_name(is_warning), path, text);
}

static void check_files(struct config_file *file, const struct weft_tunnel_config *config)
{
	for (size_t i = 0; i < config->interfaces_n; i++) {
		const struct weft_tunnel_interface *interface = &config->interfaces[i];
		struct named tls = { file, i, "tls" }, ca = { file, i, "ca" };
		if (interface->tls_cert)
			pem_check_pair(interface->tls_cert, interface->tls_key,
				       show_file_fault, &tls);
		if (interface->ca_file)
			pem_check_certs("", interface->ca_file, show_file_fault, &ca);
	}
}

int config_file_parse(struct config_file *file, struct weft_tunnel_config **ret_config)
{
	struct weft_tunnel_config *config = NULL;
	int r = weft_tunnel_config_parse(file->text, file->len, show_fault, file,
					 &config);
	if (file->mode != 0 && has_token(file))
		show_mode(file, config);
	if (r < 0)
		return r;
	check_files(file, config);
	if (file->errors > 0) {
		weft_tunnel_config_free(config);
		return -EINVAL;
	}
	*ret_config = config;
	return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int fail(const char *verb, const char *path, int r)
{
	char text[OUTPUT_STATUS_LEN];
	const char *hint = "";
	if (r == -EACCES)
		hint = " (`ls -l` shows who may read it)";
	else if (r == -EISDIR)
		hint = " (a file in it is meant)";
	(void)snprintf(text, sizeof(text), "cannot read %s: %s%s", path, strerror(-r),
		       hint);
	(void)output_fail(verb, text);
	return r;
}

/* One byte more than is allowed, so that what is too large is seen to be. */
static int read_all(struct config_file *file, FILE *stream)
{
	const size_t room = (size_t)WEFT_TUNNEL_CONFIG_LEN_MAX + 1;
	file->text = malloc(room);
	if (!file->text)
		return -ENOMEM;
	errno = EIO;
	file->len = fread(file->text, 1, room, stream);
	return ferror(stream) ? -errno : 0;
}

int config_file_read(struct config_file *file, struct output *out, const char *verb,
		     const char *path)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	struct stat status;
	*file = (struct config_file){ .out = out, .path = is_stdin ? "<stdin>" : path };
	FILE *stream = is_stdin ? stdin : fopen(path, "re");
	if (!stream)
		return fail(verb, file->path, -errno);
	int r = read_all(file, stream);
	if (r == 0 && fstat(fileno(stream), &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_mode & 077) != 0 && !is_stdin)
		file->mode = status.st_mode & 07777;
	if (!is_stdin)
		(void)fclose(stream);
	if (r < 0) {
		config_file_fini(file);
		return fail(verb, file->path, r);
	}
	return 0;
}

int config_file_make(struct config_file *file, struct output *out,
		     const struct config_line *line)
{
	*file = (struct config_file){ .out = out,
				      .line = line,
				      .path = "the command line" };
	file->text = strdup(line->text);
	file->len = strlen(line->text);
	return file->text ? 0 : -ENOMEM;
}

void config_file_fini(struct config_file *file)
{
	if (file->text)
		sodium_memzero(file->text, file->len);
	free(file->text);
	file->text = NULL;
}
