/* SPDX-License-Identifier: MIT */
/*
 * A plug that finds out which dialect each peer speaks (wire/detect.h). Until then a peer is
 * no link: its first bytes are collected here, and handed to the link of what they are.
 *
 *     accept -> silent --bytes--> undecided --found--> link, plugged: "qemu, uid 1000, ..."
 *                  |                  '------ 2 s, or nothing fits -----> closed, trouble
 *                  '-- the longest silent gives way when all places are taken
 *
 * A peer may be silent for as long as it likes: a machine that boots, or waits for us, has
 * nothing to say. But nothing can be sent to it before it has spoken.
 */
#include "base/container.h"
#include "base/list.h"
#include "base/time.h"
#include "link/dialects.h"
#include "link/drivers.h"
#include "link/listen.h"
#include "link/vpnkit.h"
#include "wire/detect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* From the first byte on: the rest of one frame's header cannot take longer. */
#define WAIT_NS (2 * NS_PER_S)

struct auto_plug {
	struct listen_plug listen;
	struct list pending;         /* Of struct pending, the oldest first. */
	const struct pending *found; /* For link_new, during listen_plug_in. */
};

struct pending {
	struct list node;
	struct auto_plug *plug;
	struct weft_task task;
	struct local_ends ends;
	uint64_t until; /* When to decide without any more bytes; 0 before the first. */
	size_t len;
	uint8_t bytes[DETECT_LEN];
	enum detect_result result;
};

static struct auto_plug *auto_of(struct listen_plug *listen)
{
	return container_of(listen, struct auto_plug, listen);
}

/* What there is no link for, and what to do instead. */
static const char *advice_for(enum detect_result result)
{
	switch (result) {
	case DETECT_VDE_CTL:
		return "a peer speaks vde, which needs a socket of that kind: use "
		       "vde:PATH";
	case DETECT_PPP:
		return "a peer speaks PPP, as a modem does: use modem:ADDRESS";
	default:
		return "cannot tell from its first bytes which dialect a peer speaks: "
		       "name the dialect";
	}
}

static const struct dialect *dialect_for(enum detect_result result)
{
	switch (result) {
	case DETECT_U32_BE:
		return &dialect_qemu;
	case DETECT_U16_LE:
		return &dialect_tapserver;
	case DETECT_U16_BE:
		return &dialect_vde_stream;
	case DETECT_BARE:
		return &dialect_bare;
	default:
		return NULL;
	}
}

/* ---- peers that are no links yet --------------------------------------------------------- */

/* Takes a peer out of its place; its descriptors stay open. */
static void pending_leave(struct pending *p)
{
	struct weft_plug *plug = &p->plug->listen.plug;
	plug->runner.remove(plug->runner.user, &p->task);
	list_remove(&p->node);
	p->plug->listen.pending_n--;
}

static void pending_drop(struct pending *p)
{
	pending_leave(p);
	local_ends_close(&p->ends);
	free(p);
}

static void pending_refuse(struct pending *p, const char *why, uint64_t now)
{
	struct listen_plug *listen = &p->plug->listen;
	plug_trouble(&listen->plug, now, "%s: %s", listen->plug.name, why);
	pending_drop(p);
	listen_settle(listen, now);
}

static void pending_plug_in(struct pending *p, uint64_t now)
{
	struct auto_plug *plug = p->plug;
	const struct dialect *dialect = dialect_for(p->result);
	char who[LOCAL_TEXT], text[LOCAL_TEXT + 32];

	(void)snprintf(text, sizeof(text), "%s, %s", dialect ? dialect->kind : "vpnkit",
		       local_peer_print(p->ends.in, who));
	pending_leave(p);
	plug->found = p;
	listen_plug_in(&plug->listen, &p->ends, text, now);
	plug->found = NULL;
	free(p);
}

/* Reads on. Returns false if the peer has gone. */
static bool pending_read(struct pending *p, uint64_t now)
{
	ssize_t got = read(p->ends.in, p->bytes + p->len, sizeof(p->bytes) - p->len);
	if (got < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	if (got > 0 && p->len == 0)
		p->until = now + WAIT_NS;
	p->len += (size_t)got;
	return got > 0;
}

static void pending_run(struct weft_task *task, uint64_t now)
{
	struct pending *p = container_of(task, struct pending, task);
	bool is_final = p->until != 0 && now >= p->until;

	if (!pending_read(p, now))
		is_final = true;
	p->result = detect(p->bytes, p->len, is_final);
	if (p->result == DETECT_MORE)
		return;
	if (p->len == 0)
		pending_refuse(p, "a peer went before it had said anything", now);
	else if (p->result == DETECT_VPNKIT || dialect_for(p->result))
		pending_plug_in(p, now);
	else
		pending_refuse(p, advice_for(p->result), now);
}

static uint64_t pending_deadline(const struct weft_task *task)
{
	const struct pending *p = container_of_const(task, struct pending, task);
	return p->until ? p->until : WEFT_NEVER;
}

/* Makes room by the one that has been silent for longest. Returns whether there is any. */
static bool auto_make_room(struct auto_plug *a)
{
	const struct listen_plug *listen = &a->listen;
	if (listen->plug.links_n + listen->pending_n < listen->plug.links_max)
		return true;
	list_for_each (node, &a->pending) {
		struct pending *p = container_of(node, struct pending, node);
		if (p->len > 0)
			continue;
		pending_drop(p);
		return true;
	}
	return false;
}

static void auto_came(struct listen_plug *listen, const struct local_ends *ends,
		      uint64_t now)
{
	struct auto_plug *a = auto_of(listen);
	struct weft_plug *plug = &listen->plug;
	struct pending *p = auto_make_room(a) ? calloc(1, sizeof(*p)) : NULL;

	if (!p) {
		plug_trouble(plug, now, "%s: refused a peer: there is no room",
			     plug->name);
		local_ends_close(ends);
		return;
	}
	p->plug = a;
	p->ends = *ends;
	p->task = (struct weft_task){ .fd = ends->in,
				      .events = WEFT_READABLE,
				      .run = pending_run,
				      .deadline = pending_deadline };
	list_push_back(&a->pending, &p->node);
	listen->pending_n++;
	if (plug->runner.add(plug->runner.user, &p->task) < 0)
		pending_refuse(p, "cannot wait for what a peer says", now);
}

/* ---- the plug ---------------------------------------------------------------------------- */

static int auto_link_new(struct listen_plug *listen, const struct local_ends *ends,
			 struct weft_link **ret_link)
{
	static const struct vpnkit_opts vpnkit = { .mtu = VPNKIT_MTU };
	const struct pending *p = auto_of(listen)->found;
	const struct dialect_peer peer = {
		.ends = *ends,
		.queue_len = listen->opts.queue_len,
		.first = p->bytes,
		.first_len = p->len,
	};
	if (p->result == DETECT_VPNKIT)
		return vpnkit_link_new(&vpnkit, &peer, ret_link);
	return dialect_link_new(dialect_for(p->result), &peer, ret_link);
}

static void auto_fini(struct listen_plug *listen)
{
	list_for_each (node, &auto_of(listen)->pending)
		pending_drop(container_of(node, struct pending, node));
}

static const struct listen_ops auto_listen_ops = {
	.socket_type = SOCK_STREAM,
	.link_new = auto_link_new,
	.came = auto_came,
	.fini = auto_fini,
};

static int auto_plug(const struct spec *spec, struct weft_error *err,
		     struct weft_plug **ret_plug)
{
	struct auto_plug *a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	list_init(&a->pending);
	a->listen.frame_len_max = WEFT_FRAME_LEN_MAX;
	return listen_open(&a->listen, &auto_listen_ops, spec, err, ret_plug);
}

static const struct spec_option auto_options[] = {
	LOCAL_OPTIONS,
	{ 0 },
};

const struct spec_driver auto_driver = {
	.kind = "auto",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "finds out what stream dialect each peer speaks",
	.example = "auto:/run/lan.sock",
	.options = auto_options,
	.plug = auto_plug,
};
