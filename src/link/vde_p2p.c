/* SPDX-License-Identifier: MIT */
/*
 * VDE point to point: two plugs without a switch between them. One binds the path P, the
 * other P+; each sends to the other's. Who listens here is P (vde_plug has it as PATH[]),
 * who connects is P+ (vde_plug PATH).
 */
#include "link/drivers.h"
#include "link/twin.h"

#include <errno.h>
#include <string.h>

static int plus_path(const struct local_address *address, struct weft_error *err,
		     struct local_address *ret_plus)
{
	size_t len = strlen(address->path);

	if (len + 2 > LOCAL_PATH_MAX)
		return weft_error_set(err, -ENAMETOOLONG,
				      "%s: there is no room for a \"+\"", address->path);
	*ret_plus = *address;
	memcpy(ret_plus->path + len, "+", 2);
	return 0;
}

static int vde_p2p_plug(const struct spec *spec, struct weft_error *err,
			struct weft_plug **ret_plug)
{
	struct twin_opts opts = { .kind = spec->driver->kind };
	struct local_address plus;

	int r = local_opts_of(spec, err, &opts.own);
	if (r < 0)
		return r;
	opts.other = opts.own.address;
	if (opts.other.kind != LOCAL_UNIX)
		return weft_error_set(err, -EINVAL,
				      "%s:%s: give a path with a \"/\" in it",
				      spec->driver->kind, spec->name);
	r = plus_path(&opts.other, err, &plus);
	if (r < 0)
		return r;
	opts.is_patient = !opts.own.connect;
	if (opts.own.connect)
		opts.own.address = plus;
	else
		opts.other = plus;
	return twin_new(&opts, ret_plug);
}

static const struct spec_option vde_p2p_options[] = { LOCAL_OPTIONS, { 0 } };

const struct spec_driver vde_p2p_driver = {
	.kind = "vde-p2p",
	.name_syntax = "PATH",
	.needs_name = true,
	.summary = "VDE point to point: the paths PATH and PATH+",
	.example = "vde-p2p:/run/cable",
	.options = vde_p2p_options,
	.plug = vde_p2p_plug,
};
