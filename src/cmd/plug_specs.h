/* SPDX-License-Identifier: MIT */
/*
 * The specs of plugs (`weft help links`) that a command line asks for, as a spec, or as a
 * dialect and an address that is whatever a path may be.
 */
#ifndef CMD_PLUG_SPECS_H
#define CMD_PLUG_SPECS_H

#include <stddef.h>

#define PLUG_SPECS_MAX 64u
#define PLUG_SPEC_LEN  512u

struct plug_specs {
	char items[PLUG_SPECS_MAX][PLUG_SPEC_LEN];
	size_t n;
};

/**
 * Adds a plug of a dialect: its address, in which what means something in a spec is escaped,
 * and options such as "mode=0777" (may be NULL), which are left out where the address is no
 * UNIX path. Returns 0, -ENOSPC or -ENAMETOOLONG.
 */
int plug_specs_add(struct plug_specs *specs, const char *dialect, const char *address,
		   const char *options) __attribute__((warn_unused_result));

/** The same by a whole spec, which may have its own of these options already. */
int plug_specs_add_text(struct plug_specs *specs, const char *text, const char *options)
	__attribute__((warn_unused_result));

/**
 * The type of socket that a dialect is spoken on: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
 */
int plug_socket_type(const char *dialect);

#endif
