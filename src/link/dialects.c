/* SPDX-License-Identifier: MIT */
/*
 * The dialects that are nothing but a framing (docs/dialects.md): a row for the spec, and
 * the framing with its longest frame.
 */
#include "link/dialects.h"

#include "base/container.h"
#include "link/drivers.h"
#include "link/listen.h"
#include "link/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Dolphin's BBA_RECV_SIZE: what is longer it reads and drops, or overruns its buffer (2020). */
#define TAPSERVER_FRAME_MAX 2048u
#define U16_FRAME_MAX       65535u

enum tapserver_option { TAPSERVER_MAX = LOCAL_OPTIONS_N };

struct dialect_plug {
	struct listen_plug listen;
	const struct dialect *dialect;
	uint32_t frame_len_max;
};

const struct dialect dialect_tapserver = { "tapserver", &framing_u16_le,
					   TAPSERVER_FRAME_MAX };
const struct dialect dialect_bare = { "bare", &framing_bare, WEFT_FRAME_LEN_MAX };
const struct dialect dialect_qemu = { "qemu", &framing_u32_be, WEFT_FRAME_LEN_MAX };
const struct dialect dialect_gvproxy = { "gvproxy", &framing_u16_le, U16_FRAME_MAX };
const struct dialect dialect_vde_stream = { "vde-stream", &framing_u16_be,
					    U16_FRAME_MAX };

/* A peer may send longer frames than it takes: only what weft itself cannot carry is too long. */
int dialect_link_new(const struct dialect *dialect, const struct dialect_peer *peer,
		     struct weft_link **ret_link)
{
	uint32_t framed_max =
		dialect->framing->hdr_len == 2 ? U16_FRAME_MAX : WEFT_FRAME_LEN_MAX;
	const struct stream_opts opts = {
		.kind = dialect->kind,
		.framing = framing_of(dialect->framing, framed_max),
		.frame_len_max = peer->frame_len_max ? peer->frame_len_max
						     : dialect->frame_len_max,
		.queue_len = peer->queue_len,
		.first = peer->first,
		.first_len = peer->first_len,
	};
	return stream_link_new(&opts, &peer->ends, ret_link);
}

static int dialect_peer_new(struct listen_plug *listen, const struct local_ends *ends,
			    struct weft_link **ret_link)
{
	const struct dialect_plug *p = container_of(listen, struct dialect_plug, listen);
	const struct dialect_peer peer = {
		.ends = *ends,
		.frame_len_max = p->frame_len_max,
		.queue_len = listen->opts.queue_len,
	};
	return dialect_link_new(p->dialect, &peer, ret_link);
}

static const struct listen_ops dialect_listen_ops = {
	.socket_type = SOCK_STREAM,
	.link_new = dialect_peer_new,
};

static int dialect_open(const struct dialect *dialect, uint32_t frame_len_max,
			const struct spec *spec, struct weft_error *err,
			struct weft_plug **ret_plug)
{
	struct dialect_plug *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->dialect = dialect;
	p->frame_len_max = frame_len_max;
	p->listen.frame_len_max = frame_len_max;
	return listen_open(&p->listen, &dialect_listen_ops, spec, err, ret_plug);
}

static int tapserver_plug(const struct spec *spec, struct weft_error *err,
			  struct weft_plug **ret_plug)
{
	uint64_t max = spec->values[TAPSERVER_MAX].number;
	if (max < 64 || max > U16_FRAME_MAX)
		return weft_error_set(err, -EINVAL,
				      "max=: a frame of tapserver has 64 to %u bytes",
				      U16_FRAME_MAX);
	return dialect_open(&dialect_tapserver, (uint32_t)max, spec, err, ret_plug);
}

static int bare_plug(const struct spec *spec, struct weft_error *err,
		     struct weft_plug **ret_plug)
{
	return dialect_open(&dialect_bare, dialect_bare.frame_len_max, spec, err,
			    ret_plug);
}

static int qemu_plug(const struct spec *spec, struct weft_error *err,
		     struct weft_plug **ret_plug)
{
	return dialect_open(&dialect_qemu, dialect_qemu.frame_len_max, spec, err,
			    ret_plug);
}

static int gvproxy_plug(const struct spec *spec, struct weft_error *err,
			struct weft_plug **ret_plug)
{
	return dialect_open(&dialect_gvproxy, dialect_gvproxy.frame_len_max, spec, err,
			    ret_plug);
}

static int vde_stream_plug(const struct spec *spec, struct weft_error *err,
			   struct weft_plug **ret_plug)
{
	return dialect_open(&dialect_vde_stream, dialect_vde_stream.frame_len_max, spec,
			    err, ret_plug);
}

/* ---- the rows ---------------------------------------------------------------------------- */

static const struct spec_option local_options[] = {
	LOCAL_OPTIONS,
	{ 0 },
};

static const struct spec_option tapserver_options[] = {
	LOCAL_OPTIONS,
	[TAPSERVER_MAX] = { "max", SPEC_SIZE, "SIZE", "2048",
			    "longest frame sent; Dolphin takes no longer ones" },
	{ 0 },
};

const struct spec_driver tapserver_driver = {
	.kind = "tapserver",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "Dolphin and other clients of tapserver (16-bit length, LE)",
	.example = "tapserver:/tmp/dolphin-tap",
	.options = tapserver_options,
	.plug = tapserver_plug,
};

const struct spec_driver bare_driver = {
	.kind = "bare",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "frames with nothing between them, as tapserver's unframed mode",
	.example = "bare:127.0.0.1:5059",
	.options = local_options,
	.plug = bare_plug,
};

const struct spec_driver qemu_driver = {
	.kind = "qemu",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "QEMU stream, passt, socket_vmnet, libkrun (32-bit length, BE)",
	.example = "qemu:/run/lan.sock,mode=0660",
	.options = local_options,
	.plug = qemu_plug,
};

const struct spec_driver gvproxy_driver = {
	.kind = "gvproxy",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "gvproxy's stdio and its kin (16-bit length, LE)",
	.example = "gvproxy:-",
	.options = local_options,
	.plug = gvproxy_plug,
};

const struct spec_driver vde_stream_driver = {
	.kind = "vde-stream",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "vde_plug under dpipe (16-bit length, BE)",
	.example = "vde-stream:-",
	.options = local_options,
	.plug = vde_stream_plug,
};
