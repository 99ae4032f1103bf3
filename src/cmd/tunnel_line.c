/* SPDX-License-Identifier: MIT */
/*
 * The text is made once, and wiped: it may hold a token.
 */
#include "cmd/tunnel_line.h"

#include "cmd/cmd.h"
#include "cmd/tunnel.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_LEN 96u

void line_set(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, json_string(text));
}

void line_set_device(json_t *object, const struct tunnel_line_args *args)
{
	const char *otherwise = args->mode ? "tap0" : "tun0";
	line_set(object, "name", args->name ? args->name : otherwise);
	line_set(object, "mode", args->mode ? "ethernet" : NULL);
}

/* Takes the indices out of a path: "[0].clients[1].ip" becomes ".clients.ip". */
static void strip(const char *path, char stripped[PATH_LEN])
{
	size_t n = 0;
	while (*path && n < PATH_LEN - 1) {
		if (*path == '[')
			path += strcspn(path, "]");
		else
			stripped[n++] = *path;
		path += *path != '\0';
	}
	stripped[n] = '\0';
}

const char *tunnel_line_option(const struct line_option *rows, const char *path)
{
	char stripped[PATH_LEN];
	strip(path, stripped);
	for (; rows->path; rows++)
		if (strcmp(rows->path, stripped) == 0)
			return rows->option;
	return NULL;
}

/* The text of the configuration, or NULL without memory or where an option is no UTF-8. */
static char *make_text(const struct tunnel_line *line, size_t flags)
{
	json_t *array = json_pack("[O]", line->interface);
	char *text = array ? json_dumps(array, flags | JSON_PRESERVE_ORDER) : NULL;
	json_decref(array);
	return text;
}

static void free_text(char *text)
{
	if (text)
		sodium_memzero(text, strlen(text));
	free(text);
}

static int fail(const struct tunnel_line *line)
{
	return output_fail(line->verb, "what the options say is not in UTF-8");
}

bool tunnel_line_is_good(const struct tunnel_line *line, const char *only,
			 const struct output_opts *opts)
{
	char *text = make_text(line, 0);
	const struct config_line made = { line->verb, text, line->option, only };
	struct weft_tunnel_config *config = NULL;
	struct config_file file;
	struct output out;
	output_init(&out, opts);
	int r = text ? config_file_make(&file, &out, &made) : fail(line);
	free_text(text);
	if (r != 0)
		return false;
	r = config_file_parse(&file, &config);
	config_file_fini(&file);
	weft_tunnel_config_free(config);
	return r == 0;
}

static int print(const struct tunnel_line *line)
{
	char *text = make_text(line, JSON_INDENT(2));
	if (!text)
		return fail(line);
	const bool is_printed = puts(text) >= 0 && fflush(stdout) == 0;
	free_text(text);
	return is_printed ? STATUS_OK : STATUS_FAILED;
}

int tunnel_line_run(const struct tunnel_line *line, const struct tunnel_line_args *args)
{
	if (args->print_config)
		return print(line);
	char *text = make_text(line, 0);
	const struct config_line made = { line->verb, text, line->option, "" };
	const struct tunnel_source source = { .line = &made };
	if (!text)
		return fail(line);
	const int status = tunnel_run(&source, &args->rootless, &args->output);
	free_text(text);
	return status;
}
