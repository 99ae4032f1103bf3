/* SPDX-License-Identifier: MIT */
/*
 * VDE's two sides: a switch that plugs connect to, and a plug of somebody's switch. Which of
 * them a spec means is its option "connect".
 */
#ifndef LINK_VDE_H
#define LINK_VDE_H

#include "link/local.h"
#include "link/plug.h"

/** Puts the name of a file in a directory together. Returns 0 or -ENAMETOOLONG with err. */
int vde_path(const char *dir, const char *name, struct weft_error *err,
	     char ret_path[LOCAL_PATH_MAX]) WEFT_MUST_CHECK;

/** The directory as the other side has to know it: absolute. Returns 0 or -Exxx with err. */
int vde_dir(const char *dir, struct weft_error *err,
	    char ret_dir[LOCAL_PATH_MAX]) WEFT_MUST_CHECK;

/** A switch in the directory that opts names. Returns 0 or -Exxx with err. */
int vde_switch_new(const char *kind, const struct local_opts *opts,
		   struct weft_error *err, struct weft_plug **ret_plug) WEFT_MUST_CHECK;

/** A plug of the switch in the directory that opts names. Returns 0 or -ENOMEM. */
int vde_client_new(const char *kind, const struct local_opts *opts, uint32_t port,
		   struct weft_plug **ret_plug) WEFT_MUST_CHECK;

#endif
