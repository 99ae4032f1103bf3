/* SPDX-License-Identifier: MIT */
/*
 * Differences are said in the log and told as an event, whoever has asked for them.
 */
#include "cmd/reloading.h"

#include "cmd/config_file.h"

#include <errno.h>
#include <string.h>

static void keep_change(void *user, const char *text)
{
	(void)json_array_append_new(user, json_string(text));
}

static void tell_changes(const struct reloading *of, json_t *changes)
{
	size_t i;
	const json_t *text;
	if (json_array_size(changes) == 0)
		weft_log_info(&of->output->log, "the configuration has not changed");
	json_array_foreach(changes, i, text)
		weft_log_info(&of->output->log, "%s", json_string_value(text));
	output_event(of->output, "reloaded", json_pack("{s:O}", "changes", changes));
}

/* Takes config over. Returns the differences, or NULL with err. */
static json_t *apply(const struct reloading *of, struct weft_tunnel_config *config,
		     struct weft_error *err)
{
	json_t *changes = json_array();
	struct weft_error cause;
	int r = weft_tunnels_apply(of->tunnels, config, keep_change, changes, &cause);
	if (r < 0) {
		const bool is_right = r == -EPERM || r == -EACCES;
		json_decref(changes);
		weft_tunnel_config_free(config);
		(void)weft_error_set(err, r, "%s%s", cause.text,
				     is_right ? "; weft has given up the right to that "
						"since it began: restart it"
					      : "");
		return NULL;
	}
	weft_tunnel_config_free(*of->config);
	*of->config = config;
	tell_changes(of, changes);
	return changes;
}

static void tell_refusal(const struct reloading *of, const char *text)
{
	weft_log_error(&of->output->log, "the configuration stays as it was: %s", text);
	output_event(of->output, "not-reloaded", json_pack("{s:s}", "error", text));
}

void reloading_file(const struct reloading *of, const char *path)
{
	struct weft_tunnel_config *config;
	struct config_file file;
	struct weft_error err;
	if (config_file_read(&file, of->output, "tunnel", path) < 0) {
		tell_refusal(of, "it cannot be read");
		return;
	}
	int r = config_file_parse(&file, &config);
	config_file_fini(&file);
	if (r < 0) {
		tell_refusal(of, "it cannot be used");
		return;
	}
	json_t *changes = apply(of, config, &err);
	if (!changes)
		tell_refusal(of, err.text);
	json_decref(changes);
}

static void first_fault(void *user, const struct weft_tunnel_fault *fault)
{
	struct weft_error *err = user;
	if (!fault->is_warning && !err->text[0])
		(void)weft_error_set(err, -EINVAL, "line %u, column %u: %s: %s",
				     fault->line, fault->column, fault->path,
				     fault->text);
}

/* Who asks has shown all that is wrong with it: the first of that is enough. */
json_t *reloading_text(const struct reloading *of, const char *text,
		       struct weft_error *err)
{
	struct weft_tunnel_config *config;
	struct weft_error fault = { .text = "" };
	if (!text) {
		(void)weft_error_set(err, -EINVAL, "there is no \"text\"");
		return NULL;
	}
	if (weft_tunnel_config_parse(text, strlen(text), first_fault, &fault, &config) <
	    0) {
		(void)weft_error_set(err, -EINVAL, "%s", fault.text);
		return NULL;
	}
	json_t *changes = apply(of, config, err);
	if (!changes)
		tell_refusal(of, err->text);
	return changes;
}
