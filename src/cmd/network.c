/* SPDX-License-Identifier: MIT */
/*
 * The network's kind is what stands last in a spec, and takes all of the rest: neither an
 * invitation nor a path has to have its colons escaped.
 */
#include "cmd/network.h"

#include "cli/run.h"
#include "cli/units.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is under way has so long to leave: a pacer may hold a packet back for milliseconds. */
#define LEAVING_NS (NS_PER_S / 50)

#define WRAPPERS_LEN 400u

static const char *const kinds[] = { "weft://", "weft:@", "tunnel:" };

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Where the network is named in a spec, behind its wrappers; its length where none is. */
static size_t find(const char *spec)
{
	for (const char *at = spec;; at++) {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (begins(at, kinds[i]))
				return (size_t)(at - spec);
		if (strcmp(at, "weft:") == 0)
			return (size_t)(at - spec);
		at = strchr(at, ':');
		if (!at)
			return strlen(spec);
	}
}

bool network_is_named(const char *spec)
{
	return spec[find(spec)] != '\0';
}

/* Puts the wrappers that stand in front around the program's end. */
static int wrap(struct network *n, const char *spec, size_t len)
{
	char wrappers[WRAPPERS_LEN];
	struct weft_error err;
	if (len == 0)
		return STATUS_OK;
	if (len > sizeof(wrappers))
		return options_fail(n->command, "so many wrappers are too many");
	(void)snprintf(wrappers, sizeof(wrappers), "%.*s", (int)len - 1, spec);
	int r = weft_link_wrap(wrappers, &err, &n->link);
	return r < 0 ? output_fail_link(n->command->verb, r, err.text) : STATUS_OK;
}

int network_open(struct network *n, char *spec)
{
	const size_t at = find(spec);
	char *text = spec + at;
	int status = begins(text, "tunnel:")
			     ? network_open_tunnel(n, text + strlen("tunnel:"))
			     : network_open_room(n, text);
	return status == STATUS_OK ? wrap(n, spec, at) : status;
}

void network_entered(struct network *n)
{
	n->is_in = true;
	if (n->is_waited_for)
		weft_loop_stop(n->loop);
	else if (n->changed)
		n->changed(n->user);
}

void network_fail(struct network *n, const char *reason)
{
	(void)weft_error_set(&n->failure, -ECONNABORTED, "%s: %s", n->title, reason);
	if (n->is_waited_for)
		weft_loop_stop(n->loop);
}

int network_wait(struct network *n)
{
	n->is_waited_for = true;
	if (!n->is_in && !n->failure.text[0])
		(void)weft_loop_run(n->loop);
	n->is_waited_for = false;
	if (n->failure.text[0])
		return output_fail(n->command->verb, n->failure.text);
	if (n->is_in)
		return STATUS_OK;
	(void)weft_error_set(&n->failure, -EINTR, "%s was not entered", n->title);
	return output_fail(n->command->verb, n->failure.text);
}

void network_linger(struct network *n)
{
	if (n->is_in)
		run_on(n->loop, LEAVING_NS);
}

void network_close(struct network *n)
{
	weft_member_free(n->member);
	weft_tunnels_free(n->tunnels);
	weft_tunnel_config_free(n->config);
	if (n->far)
		weft_loop_remove(n->loop, weft_link_task(n->far));
	weft_link_free(n->far);
	if (n->link)
		weft_loop_remove(n->loop, weft_link_task(n->link));
	weft_link_free(n->link);
	n->link = n->far = NULL;
}
