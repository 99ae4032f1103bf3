/* SPDX-License-Identifier: MIT */
/*
 * weft reload [NAME | CONFIG.json]: has a tunnel that runs take another configuration.
 *
 * The file is read here and its text sent (cmd/tunnel.c says why), so that what is wrong is
 * shown with its line, as `weft check` does, and nothing is sent then.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cmd/cmd.h"
#include "cmd/config_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command command = {
	.verb = "reload",
	.operands = "[NAME | CONFIG.json]",
	.operands_max = 1,
	.summary = "Has a running tunnel read its configuration again, or another one.",
	.options = output_options,
	.notes =
		"NAME is what `weft status` calls it, or its process ID; none is needed while\n"
		"only one runs. A file stands for the tunnel that was started with it, or for the\n"
		"only one. The configuration is checked whole: if anything is wrong, or cannot be\n"
		"done while it runs, the old one stays. Clients whom nothing of it concerns keep\n"
		"their connections. With --json: \"reloaded\" with \"changes\".",
};

/* ---- which one --------------------------------------------------------------------------- */

/* A tunnel that runs, and its file. */
struct found {
	struct remote_place place;
	char *path; /* NULL if it was started with none */
};

static bool is_file(const char *operand)
{
	return operand && (strchr(operand, '/') || strchr(operand, '.'));
}

/* A word that a program says of itself, to be freed; NULL where it has none. */
static char *word_of(const struct remote_place *place, const char *key)
{
	struct weft_error err;
	json_t *answer;
	if (remote_ask_status(place, &err, &answer) < 0)
		return NULL;
	const char *word = json_string_value(json_object_get(answer, key));
	char *copy = word ? strdup(word) : NULL;
	json_decref(answer);
	return copy;
}

static char *path_of(const struct remote_place *place)
{
	return word_of(place, "config");
}

/* Leaves the tunnels among those that run; returns how many. */
static int keep_tunnels(struct remote_place *places, int n)
{
	int kept = 0;
	for (int i = 0; i < n; i++) {
		char *verb = word_of(&places[i], "command");
		if (verb && strcmp(verb, "tunnel") == 0)
			places[kept++] = places[i];
		free(verb);
	}
	return kept;
}

static int say_which(const struct remote_place *places, int n, struct weft_error *err)
{
	char names[200] = "";
	for (int i = 0; i < n && strlen(names) < sizeof(names) - REMOTE_NAME_LEN - 24;
	     i++)
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names),
			       "%s%.*s (%ld)", i > 0 ? ", " : "",
			       (int)REMOTE_NAME_LEN - 1, places[i].name, places[i].pid);
	return weft_error_set(err, -EEXIST, "several run: %s; name one", names);
}

/* The one that was started with this file, if any of them was. */
static int find_by_file(const struct remote_place *places, int n, const char *file,
			struct weft_error *err)
{
	char *path = realpath(file, NULL);
	int found = n == 1 ? 0 : -1;
	for (int i = 0; i < n && path && n > 1; i++) {
		char *its = path_of(&places[i]);
		if (its && strcmp(its, path) == 0)
			found = i;
		free(its);
	}
	free(path);
	return found >= 0 ? found : say_which(places, n, err);
}

static int find(const char *operand, struct weft_error *err, struct found *ret_found)
{
	struct remote_place places[REMOTE_PLACES_MAX];
	const char *name = is_file(operand) ? NULL : operand;
	int n = remote_find_here(name, places, err);
	if (n < 0)
		return n;
	if (n == 0 && name)
		return weft_error_set(err, -ENOENT, "no program called %s runs here",
				      name);
	n = keep_tunnels(places, n);
	if (n == 0 && name)
		return weft_error_set(err, -ENOENT, "%s is no tunnel", name);
	if (n == 0)
		return weft_error_set(err, -ENOENT,
				      "no tunnel runs here that you may speak to");
	int i = is_file(operand) ? find_by_file(places, n, operand, err)
		: n == 1         ? 0
				 : say_which(places, n, err);
	if (i < 0)
		return i;
	ret_found->place = places[i];
	ret_found->path = is_file(operand) ? strdup(operand) : path_of(&places[i]);
	return 0;
}

/* ---- what it says ------------------------------------------------------------------------ */

static void print_changes(struct output *out, const struct remote_place *place,
			  json_t *changes)
{
	size_t i;
	const json_t *text;
	output_event(out, "reloaded",
		     json_pack("{s:s, s:I, s:O}", "name", place->name, "pid",
			       (json_int_t)place->pid, "changes", changes));
	if (out->json)
		return;
	if (json_array_size(changes) == 0)
		(void)printf("%s: nothing has changed\n", place->name);
	json_array_foreach(changes, i, text)(void) puts(json_string_value(text));
}

static int send_text(struct output *out, const struct found *found,
		     const struct config_file *file, struct weft_error *err)
{
	json_t *answer;
	int r = remote_ask(
		&found->place,
		json_pack("{s:s, s:s%}", "do", "reload", "text", file->text, file->len),
		err, &answer);
	if (r < 0)
		return r;
	print_changes(out, &found->place, json_object_get(answer, "changes"));
	json_decref(answer);
	return 0;
}

/* Returns the exit status. */
static int reload(struct output *out, const struct found *found)
{
	struct weft_tunnel_config *config = NULL;
	struct weft_error err;
	struct config_file file;
	if (!found->path)
		return output_fail(command.verb,
				   "it was started without a file: name one");
	if (config_file_read(&file, out, command.verb, found->path) < 0)
		return STATUS_FAILED;
	int r = config_file_parse(&file, &config);
	weft_tunnel_config_free(config);
	if (r < 0) {
		config_file_fini(&file);
		return output_fail(command.verb, "the configuration stays as it was");
	}
	r = send_text(out, found, &file, &err);
	config_file_fini(&file);
	return r < 0 ? output_fail(command.verb, err.text) : STATUS_OK;
}

int cmd_reload(int argc, char **argv)
{
	struct output_args args = { .output = { .json = false } };
	struct weft_error err;
	struct found found = { .path = NULL };
	struct output out;
	int status;
	int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	output_init(&out, &args.output);
	int r = find(n > 0 ? argv[1] : NULL, &err, &found);
	status = r < 0 ? output_fail(command.verb, err.text) : reload(&out, &found);
	free(found.path);
	output_end(&out);
	return status;
}
