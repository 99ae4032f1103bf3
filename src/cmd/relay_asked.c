/* SPDX-License-Identifier: MIT */
/*
 * A relay's socket has a file that outlives it, because by then the relay has given up the right to
 * remove it; so what those before it have left is looked for at the start.
 */
#include "cmd/relay_asked.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static json_t *facts_of(const struct relaying *r)
{
	char *text = weft_relay_json(r->relay, weft_loop_now(r->loop));
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return object;
}

/* The key of a pass that was shut out goes with it, for who keeps it over runs. */
static json_t *kick(struct relaying *r, const json_t *request, struct weft_error *err)
{
	const char *room = json_string_value(json_object_get(request, "room"));
	const char *member = json_string_value(json_object_get(request, "member"));
	uint8_t key[WEFT_PASS_KEY_LEN];
	char hex[2 * WEFT_PASS_KEY_LEN + 1];
	if (!room || !member) {
		(void)weft_error_set(err, -EINVAL, "room and member have to be named");
		return NULL;
	}
	int stays_out = weft_relay_kick(r->relay, room, member, err, key);
	if (stays_out < 0)
		return NULL;
	weft_log_info(&r->output.log, "room %s: %s was thrown out%s", room, member,
		      stays_out ? " and stays out" : "");
	if (!stays_out)
		return json_object();
	(void)sodium_bin2hex(hex, sizeof(hex), key, sizeof(key));
	return json_pack("{s:s}", "shut_out", hex);
}

/* Takes back an invitation, which is known by the key of its pass. */
static json_t *take_back(struct relaying *r, const json_t *request,
			 struct weft_error *err)
{
	const char *hex = json_string_value(json_object_get(request, "key"));
	uint8_t key[WEFT_PASS_KEY_LEN];
	size_t len = 0;
	if (!hex ||
	    sodium_hex2bin(key, sizeof(key), hex, strlen(hex), NULL, &len, NULL) != 0 ||
	    len != sizeof(key)) {
		(void)weft_error_set(err, -EINVAL, "the key of a pass has to be named");
		return NULL;
	}
	int n = weft_relay_revoke(r->relay, key);
	if (n < 0) {
		(void)weft_error_set(err, n, "the invitation cannot be taken back: %s",
				     strerror(-n));
		return NULL;
	}
	weft_log_info(&r->output.log,
		      "an invitation was taken back; %d members came with it", n);
	return json_pack("{s:i}", "members", n);
}

static json_t *filter(struct relaying *r, const json_t *request, struct weft_error *err)
{
	const char *rule = json_string_value(json_object_get(request, "rule"));
	if (!rule) {
		(void)weft_error_set(err, -EINVAL, "a rule has to be named");
		return NULL;
	}
	if (weft_relay_rule(r->relay, rule, true, err) < 0)
		return NULL;
	weft_log_info(&r->output.log, "filter: %s", rule);
	rooms_file_save(&r->rooms, r->relay, weft_loop_now(r->loop));
	return json_object();
}

static json_t *on_asked(void *user, const char *what, const json_t *request,
			struct weft_error *err)
{
	struct relaying *r = user;
	if (strcmp(what, "status") == 0)
		return json_pack("{s:s, s:o}", "command", r->verb, "facts", facts_of(r));
	if (strcmp(what, "kick") == 0)
		return kick(r, request, err);
	if (strcmp(what, "revoke") == 0)
		return take_back(r, request, err);
	if (strcmp(what, "filter") == 0)
		return filter(r, request, err);
	(void)weft_error_set(err, -ENOTSUP, "a relay does not understand \"%s\"", what);
	return NULL;
}

void relay_asked_open(struct relaying *r)
{
	char runtime[STATE_PATH_LEN];
	struct weft_error err;
	const struct remote_opts opts = { .dir = state_runtime_dir(runtime),
					  .name = r->verb,
					  .fn = on_asked,
					  .user = r };
	struct remote_place left;
	int status = remote_find(runtime, r->verb, &left, 1, &err);
	if (status >= 0)
		status = remote_new(r->loop, &opts, &err, &r->remote);
	if (status < 0)
		weft_log_warning(
			&r->output.log,
			"`weft status`, `kick` and `filter` will not find this: %s",
			err.text);
}
