/* SPDX-License-Identifier: MIT */
/*
 * The kind "vde" of a link spec. The address is a switch's directory.
 */
#include "link/vde.h"

#include "base/fmt.h"
#include "link/drivers.h"
#include "wire/vde.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VDE_PORT = LOCAL_OPTIONS_N };

int vde_path(const char *dir, const char *name, struct weft_error *err,
	     char ret_path[LOCAL_PATH_MAX])
{
	if (strlen(dir) + 1 + strlen(name) >= LOCAL_PATH_MAX)
		return weft_error_set(err, -ENAMETOOLONG,
				      "%s is too long for a directory of sockets", dir);
	struct fmt f;
	fmt_init(&f, ret_path, LOCAL_PATH_MAX);
	fmt_add(&f, "%s/%s", dir, name);
	return 0;
}

int vde_dir(const char *dir, struct weft_error *err, char ret_dir[LOCAL_PATH_MAX])
{
	char *real = realpath(dir, NULL);

	if (!real)
		return weft_error_set(err, -errno, "%s: %s", dir, strerror(errno));
	size_t len = strlen(real);
	if (len < LOCAL_PATH_MAX)
		memcpy(ret_dir, real, len + 1);
	free(real);
	if (len >= LOCAL_PATH_MAX)
		return weft_error_set(err, -ENAMETOOLONG,
				      "%s is too long for a directory of sockets", dir);
	return 0;
}

static int vde_plug(const struct spec *spec, struct weft_error *err,
		    struct weft_plug **ret_plug)
{
	struct local_opts opts;

	int r = local_opts_of(spec, err, &opts);
	if (r < 0)
		return r;
	if (opts.address.kind != LOCAL_UNIX)
		return weft_error_set(err, -EINVAL,
				      "%s:%s: give a directory with a \"/\" in it",
				      spec->driver->kind, spec->name);
	char path[LOCAL_PATH_MAX];
	r = vde_path(opts.address.path, "ctl", err, path);
	if (r < 0)
		return r;
	if (spec->values[VDE_PORT].number > VDE_PORT_MAX)
		return weft_error_set(err, -EINVAL, "port=: at most %u", VDE_PORT_MAX);
	if (opts.connect)
		return vde_client_new(spec->driver->kind, &opts,
				      (uint32_t)spec->values[VDE_PORT].number, ret_plug);
	return vde_switch_new(spec->driver->kind, &opts, err, ret_plug);
}

static const struct spec_option vde_options[] = {
	LOCAL_OPTIONS,
	[VDE_PORT] = { "port", SPEC_NUMBER, "NUMBER", "0",
		       "with connect: the switch's port; 0 for any" },
	{ 0 },
};

const struct spec_driver vde_driver = {
	.kind = "vde",
	.name_syntax = "DIR",
	.needs_name = true,
	.summary = "a VDE switch in DIR; with connect: a plug of the one that is there",
	.example = "vde:/run/vde.ctl,connect",
	.options = vde_options,
	.plug = vde_plug,
};
