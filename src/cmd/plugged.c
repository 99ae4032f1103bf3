/* SPDX-License-Identifier: MIT */
/*
 * The pair carries a burst from one task to the next in the same turn; it is long enough for
 * what the largest read of a plug can bring.
 */
#include "cmd/plugged.h"

#include "cli/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

/* Frames on the way between the plugs' bridge and the member. */
#define PAIR_LEN 1024u

static void on_plugged(void *user, const struct weft_serve_client *client, uint64_t now)
{
	struct plugged *plugged = user;

	(void)now;
	output_event(plugged->output, "plugged", facts_client(client));
	weft_log_info(&plugged->output->log, "client %" PRIu32 " plugged in: %s (%s)",
		      client->id, client->peer, weft_plug_name(client->plug));
}

static void on_unplugged(void *user, const struct weft_serve_client *client,
			 const char *reason, uint64_t now)
{
	struct plugged *plugged = user;
	json_t *fields = facts_client(client);

	(void)now;
	(void)json_object_set_new(fields, "reason", json_string(reason));
	output_event(plugged->output, "unplugged", fields);
	weft_log_info(&plugged->output->log, "client %" PRIu32 " is gone%s%s", client->id,
		      *reason ? ": " : "", reason);
}

static void on_trouble(void *user, const char *text, uint64_t now)
{
	struct plugged *plugged = user;

	(void)now;
	output_event(plugged->output, "trouble", json_pack("{s:s}", "text", text));
	weft_log_warning(&plugged->output->log, "%s", text);
}

static void tell_listening(struct plugged *plugged)
{
	const struct weft_plug *plug;

	for (size_t i = 0; (plug = weft_serve_plug_at(plugged->serve, i)); i++) {
		output_event(plugged->output, "listening",
			     json_pack("{s:s, s:s}", "plug", weft_plug_name(plug),
				       "address", weft_plug_address(plug)));
		weft_log_info(&plugged->output->log, "%s", weft_plug_name(plug));
	}
}

static int make_server(struct plugged *plugged, struct weft_loop *loop)
{
	static const struct weft_serve_events events = { .plugged = on_plugged,
							 .unplugged = on_unplugged,
							 .trouble = on_trouble };
	uint8_t secret[16];
	const struct weft_serve_opts opts = { .events = &events,
					      .user = plugged,
					      .secret = secret };

	if (getentropy(secret, sizeof(secret)) < 0)
		return -errno;
	return weft_serve_new(&opts, loop, &plugged->serve);
}

static int open_plugs(struct plugged *plugged, const struct option_list *specs,
		      struct weft_error *err)
{
	for (size_t i = 0; i < specs->n; i++) {
		int r = weft_serve_plug(plugged->serve, specs->items[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int plugged_open(struct plugged *plugged, const struct option_list *specs,
		 struct weft_loop *loop, struct weft_error *err,
		 struct weft_link **ret_link)
{
	struct weft_link *inside, *outside;
	int r = make_server(plugged, loop);

	if (r < 0)
		return weft_error_set(err, r, "no plug can be opened: %s", strerror(-r));
	r = open_plugs(plugged, specs, err);
	if (r < 0)
		goto close;
	r = weft_link_pair(PAIR_LEN, &inside, &outside);
	if (r < 0) {
		weft_error_set(err, r, "out of memory");
		goto close;
	}
	r = weft_serve_set_uplink(plugged->serve, inside, err);
	if (r < 0)
		goto free_pair;
	tell_listening(plugged);
	*ret_link = outside;
	return 0;

free_pair:
	weft_link_free(inside);
	weft_link_free(outside);
close:
	plugged_close(plugged);
	return r;
}

void plugged_close(struct plugged *plugged)
{
	weft_serve_free(plugged->serve);
	plugged->serve = NULL;
}
