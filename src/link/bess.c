/* SPDX-License-Identifier: MIT */
/*
 * Bare frames over SOCK_SEQPACKET, as User-mode Linux has them (vec0:transport=bess) and
 * BESS's VPort: packets that are kept apart, on a connection that has an end.
 */
#include "link/drivers.h"
#include "link/listen.h"
#include "link/packets.h"

#include <errno.h>
#include <stdlib.h>

static int bess_link_new(struct listen_plug *listen, const struct local_ends *ends,
			 struct weft_link **ret_link)
{
	struct packets *p;
	const struct packets_opts opts = {
		.name = listen->plug.kind,
		.fd = ends->in,
		.is_stream_like = true,
		.queue_len = listen->opts.queue_len,
	};

	int r = packets_new(&opts, &p);
	if (r < 0)
		return r;
	*ret_link = &p->link;
	return 0;
}

static const struct listen_ops bess_ops = {
	.socket_type = SOCK_SEQPACKET,
	.link_new = bess_link_new,
};

static int bess_plug(const struct spec *spec, struct weft_error *err,
		     struct weft_plug **ret_plug)
{
	struct listen_plug *listen = calloc(1, sizeof(*listen));

	if (!listen)
		return -ENOMEM;
	listen->frame_len_max = WEFT_FRAME_LEN_MAX;
	return listen_open(listen, &bess_ops, spec, err, ret_plug);
}

static const struct spec_option bess_options[] = { LOCAL_OPTIONS, { 0 } };

const struct spec_driver bess_driver = {
	.kind = "bess",
	.name_syntax = "PATH",
	.needs_name = true,
	.summary = "User-mode Linux (vec0:transport=bess): packets over a UNIX socket",
	.example = "bess:/run/lan.sock",
	.options = bess_options,
	.plug = bess_plug,
};
