/* SPDX-License-Identifier: MIT */
/*
 * A relay's socket has a file that outlives it, because by then the relay has given up the right to
 * remove it; so what those before it have left is looked for at the start.
 */
#include "cmd/relay_asked.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *facts_of(const struct relaying *r)
{
	char *text = weft_relay_json(r->relay, weft_loop_now(r->loop));
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return object;
}

/* Whom it has shut out goes with it, for who keeps that over runs. */
static json_t *kick(struct relaying *r, const json_t *request, struct weft_error *err)
{
	const char *room = json_string_value(json_object_get(request, "room"));
	const char *member = json_string_value(json_object_get(request, "member"));
	const bool by_address = json_is_true(json_object_get(request, "address"));
	struct weft_kicked kicked;
	if (!room || !member) {
		(void)weft_error_set(err, -EINVAL, "room and member have to be named");
		return NULL;
	}
	int stays_out = weft_relay_kick(r->relay, room, member, by_address, err, &kicked);
	if (stays_out < 0)
		return NULL;
	weft_log_info(&r->output.log, "room %s: %s was thrown out%s", room, member,
		      stays_out ? " and stays out" : "");
	json_t *shut_out = json_array();
	if (kicked.pass[0])
		(void)json_array_append_new(shut_out, json_string(kicked.pass));
	if (kicked.address[0])
		(void)json_array_append_new(shut_out, json_string(kicked.address));
	return json_pack("{s:s, s:s, s:i, s:o}", "name", kicked.name, "from", kicked.from,
			 "others", (int)kicked.others, "shut_out", shut_out);
}

/* Of whom a request is, as weft_relay_shut_out takes it. NULL with err. */
static const char *who_of(const json_t *request, struct weft_error *err)
{
	const char *who = json_string_value(json_object_get(request, "who"));
	if (!who)
		(void)weft_error_set(err, -EINVAL, "it has to be said who");
	return who;
}

/* An invitation is taken back, or an address kept out. */
static json_t *revoke(struct relaying *r, const json_t *request, struct weft_error *err)
{
	const char *who = who_of(request, err);
	const int n = who ? weft_relay_revoke(r->relay, who, err) : -EINVAL;
	if (n < 0)
		return NULL;
	weft_log_info(&r->output.log, "%s is shut out; %d members were thrown out", who,
		      n);
	return json_pack("{s:i}", "members", n);
}

static json_t *let_in(struct relaying *r, const json_t *request, struct weft_error *err)
{
	const char *who = who_of(request, err);
	if (!who || weft_relay_let_in(r->relay, who, err) < 0)
		return NULL;
	weft_log_info(&r->output.log, "%s is shut out no more", who);
	return json_object();
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
		return revoke(r, request, err);
	if (strcmp(what, "let-in") == 0)
		return let_in(r, request, err);
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
