/* SPDX-License-Identifier: MIT */
/*
 * The addresses of modems: the first one that is not in use, from the one in the options on,
 * within its network and without the network's own broadcast address.
 */
#include "serve/face.h"

#include "base/container.h"
#include "link/link.h"
#include "serve/ppp.h"
#include "serve/serve.h"
#include "serve/watch.h"
#include "wire/cursor.h"
#include "wire/frame_size.h"

#include <errno.h>
#include <stdio.h>

/* ---- what is shown ----------------------------------------------------------------------- */

/* Zeros up to the least length on a cable are padding, which readers pass over. */
static bool is_padding(const uint8_t *data, size_t len, size_t whole)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != 0)
			return false;
	return len == 0 || whole <= FRAME_SIZE_MIN;
}

/* Whether a reader of bare frames would find the end of this one; if not, what it would find. */
static bool is_judged_right(const struct weft_frame *frame, int *ret_computed)
{
	uint16_t type;
	int computed = frame_size(frame->data, frame->len, &type);
	*ret_computed = computed < 0 ? -1 : computed;
	if (computed <= 0 || (uint32_t)computed > frame->len)
		return false;
	return is_padding(frame->data + computed, frame->len - (uint32_t)computed,
			  frame->len);
}

static void on_seen(void *user, bool from_link, const struct weft_frame *frame,
		    uint64_t now)
{
	const struct serve_client *client = user;
	const struct weft_serve_opts *opts = &client->serve->opts;
	bool is_right = true;
	int computed;
	if (opts->events->misjudged)
		is_right = is_judged_right(frame, &computed);
	if (!is_right)
		opts->events->misjudged(opts->user, &client->facts, from_link, frame,
					computed, now);
	if (opts->events->shown)
		opts->events->shown(opts->user, &client->facts, from_link, frame, now);
}

static int make_watch(struct serve_client *client)
{
	const struct weft_serve_events *events = client->serve->opts.events;
	const struct watch_opts opts = { .link = client->face.link,
					 .see = on_seen,
					 .user = client };
	return events->shown || events->misjudged ? watch_new(&opts, &client->face.link)
						  : 0;
}

/* ---- modems ------------------------------------------------------------------------------ */

static bool number_is_used(const struct weft_serve *serve, unsigned number)
{
	list_for_each (node, &serve->clients) {
		const struct serve_client *client =
			container_of(node, struct serve_client, node);
		if (client->face.modem && client->face.modem_number == number)
			return true;
	}
	return false;
}

/* Adds number to an IPv4 address; false where that leads out of its network. */
static bool address_add(struct weft_ip *address, unsigned number)
{
	const uint64_t first = load_be32(address->octet), sum = first + number;
	const uint64_t hosts = UINT64_C(0xffffffff) >> address->prefix;
	if ((sum & ~hosts) != (first & ~hosts) || (sum & hosts) == hosts)
		return false;
	store_be32(address->octet, (uint32_t)sum);
	return true;
}

static void on_told(void *user, struct weft_link *link, enum ppp_event event,
		    const char *text, uint64_t now)
{
	static const char *const words[] = {
		[PPP_LOGGED_IN] = "dialled in",
		[PPP_UP] = "has the address",
		[PPP_DOWN] = "hung up",
	};
	const struct serve_client *client = user;
	const struct weft_serve_opts *opts = &client->serve->opts;
	char sentence[200];
	(void)link;
	if (!opts->events->modem)
		return;
	(void)snprintf(sentence, sizeof(sentence), "%s%s%s", words[event],
		       !*text                   ? ""
		       : event == PPP_LOGGED_IN ? " as "
		       : event == PPP_DOWN      ? ": "
						: " ",
		       text);
	opts->events->modem(opts->user, &client->facts, sentence, now);
}

/* Gives the modem the first number that is free, and the address that goes with it. */
static int choose_address(struct serve_client *client, struct weft_ip *address)
{
	struct face *face = &client->face;
	if (!address->family)
		return 0;
	while (number_is_used(client->serve, face->modem_number))
		face->modem_number++;
	return address_add(address, face->modem_number) ? 0 : -ENOSPC;
}

static int make_modem(struct serve_client *client)
{
	const struct weft_serve *serve = client->serve;
	struct face *face = &client->face;
	const struct watch_opts loan_opts = { .link = client->link };
	struct ppp_opts opts = { .seed = serve->seed + serve->plugged_n,
				 .address = serve->opts.modem_address,
				 .router = serve->opts.modem_router,
				 .dns = { serve->opts.modem_dns[0],
					  serve->opts.modem_dns[1] },
				 .told = on_told,
				 .user = client };
	struct weft_link *loan = NULL;
	int r = choose_address(client, &opts.address);
	if (r == 0)
		r = watch_new(&loan_opts, &loan);
	if (r < 0)
		return r;
	r = ppp_new(&opts, loan, &face->modem);
	if (r < 0) {
		weft_link_free(loan);
		return r;
	}
	r = weft_loop_add(serve->loop, weft_link_task(face->modem));
	if (r < 0) {
		weft_link_free(face->modem);
		face->modem = NULL;
		return r;
	}
	face->link = face->modem;
	return 0;
}

/* ---- both -------------------------------------------------------------------------------- */

int face_init(struct serve_client *client)
{
	bool is_modem = weft_link_caps(client->link).flags & WEFT_LINK_PPP;
	int r = 0;
	client->face = (struct face){ .link = client->link };
	if (is_modem)
		r = make_modem(client);
	return r < 0 ? r : make_watch(client);
}

void face_fini(struct serve_client *client)
{
	struct face *face = &client->face;
	if (face->link && face->link != face->modem && face->link != client->link)
		weft_link_free(face->link);
	if (face->modem) {
		weft_loop_remove(client->serve->loop, weft_link_task(face->modem));
		weft_link_free(face->modem);
	}
	*face = (struct face){ .link = NULL };
}
