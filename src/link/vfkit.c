/* SPDX-License-Identifier: MIT */
/*
 * Bare frames over UNIX datagrams as vfkit, gvproxy, vmnet-helper and libkrun (unixgram) have
 * them: the server has a path, each client binds one of its own, and its first datagram may
 * be the four bytes VFKT. They say nothing but that it is there, which is all that a server
 * needs to send it frames before it has sent any.
 */
#include "link/drivers.h"
#include "link/senders.h"
#include "link/twin.h"
#include "wire/ether.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC     "VFKT"
#define MAGIC_LEN 4u

enum { VFKIT_LOCAL = LOCAL_OPTIONS_N, VFKIT_MAGIC };

static bool is_magic(const uint8_t *data, size_t len)
{
	return len == MAGIC_LEN && memcmp(data, MAGIC, MAGIC_LEN) == 0;
}

static int vfkit_greet(struct senders *s, const struct datagram *datagram, uint64_t now)
{
	(void)s;
	(void)now;
	bool is_frame = datagram->len >= ETHER_LEN && !datagram->is_cut;
	return is_frame || is_magic(datagram->data, datagram->len) ? 1 : -EBADMSG;
}

static int vfkit_decode(struct packets *p, struct weft_frame *frame, uint64_t now)
{
	(void)p;
	(void)now;
	return is_magic(frame->data, frame->len) ? 0 : 1;
}

static const struct packets_ops vfkit_packets = {
	.decode = vfkit_decode,
	.quiet = senders_quiet,
};

static const struct senders_ops vfkit_senders = {
	.packets = &vfkit_packets,
	.greet = vfkit_greet,
};

/* A path of our own beside the server's, where whoever may use that may make another. */
static int own_path(const struct spec *spec, const struct local_opts *opts,
		    struct weft_error *err, struct local_address *ret_own)
{
	char text[LOCAL_PATH_MAX + 16];

	if (spec->given[VFKIT_LOCAL])
		return local_parse(spec->values[VFKIT_LOCAL].text, err, ret_own);
	(void)snprintf(text, sizeof(text), "%s.%d", opts->address.path, (int)getpid());
	int r = local_parse(text, NULL, ret_own);
	if (r < 0)
		return weft_error_set(err, r,
				      "%s: too long for a path beside it; give one "
				      "with local=PATH",
				      opts->address.path);
	return 0;
}

static int open_client(const struct spec *spec, const struct local_opts *server,
		       struct weft_error *err, struct weft_plug **ret_plug)
{
	struct twin_opts opts = {
		.kind = spec->driver->kind,
		.own = *server,
		.other = server->address,
		.packets = &vfkit_packets,
		.hello = spec->values[VFKIT_MAGIC].flag ? MAGIC : NULL,
	};

	int r = own_path(spec, server, err, &opts.own.address);
	return r < 0 ? r : twin_new(&opts, ret_plug);
}

static int vfkit_plug(const struct spec *spec, struct weft_error *err,
		      struct weft_plug **ret_plug)
{
	struct local_opts opts;

	int r = local_opts_of(spec, err, &opts);
	if (r < 0)
		return r;
	if (opts.address.kind != LOCAL_UNIX)
		return weft_error_set(
			err, -EINVAL,
			"%s:%s: give a path with a \"/\" in it; for UDP or a "
			"descriptor there is qemu-dgram",
			spec->driver->kind, spec->name);
	if (opts.connect)
		return open_client(spec, &opts, err, ret_plug);
	struct senders *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->quiet_ns = SENDERS_PROBE_NS;
	return senders_open(s, &vfkit_senders, spec, err, ret_plug);
}

static const struct spec_option vfkit_options[] = {
	LOCAL_OPTIONS,
	[VFKIT_LOCAL] = { "local", SPEC_TEXT, "PATH", NULL,
			  "with connect: the own path; else beside the other" },
	[VFKIT_MAGIC] = { "magic", SPEC_FLAG, "on|off", "on",
			  "with connect: say VFKT first" },
	{ 0 },
};

const struct spec_driver vfkit_driver = {
	.kind = "vfkit",
	.name_syntax = "PATH",
	.needs_name = true,
	.summary = "vfkit, gvproxy, vmnet-helper, libkrun: UNIX datagrams",
	.example = "vfkit:/run/lan.sock",
	.options = vfkit_options,
	.plug = vfkit_plug,
};
