/* SPDX-License-Identifier: MIT */
/*
 * A spec is "dialect:address,option=value"; what means something in one and is part of an
 * address has a backslash in front.
 */
#include "cmd/plug_specs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Appends text, with a backslash in front of what means something in a spec. */
static void append_escaped(char *spec, const char *text)
{
	size_t len = strlen(spec);
	for (; *text && len + 2 < PLUG_SPEC_LEN; text++) {
		if (strchr(",:=\\", *text))
			spec[len++] = '\\';
		spec[len++] = *text;
	}
	spec[len] = '\0';
}

/* Permissions are for sockets that are files. */
static void append_options(char *spec, const char *options)
{
	size_t len = strlen(spec);
	if (options && *options && strchr(spec, '/') && !strstr(spec, ",mode=") &&
	    !strstr(spec, ",owner="))
		(void)snprintf(spec + len, PLUG_SPEC_LEN - len, ",%s", options);
}

/* The place for a spec that is no longer than len, or NULL. */
static char *next_spec(struct plug_specs *specs, size_t len, const char *options,
		       int *ret_status)
{
	size_t whole = len + (options ? strlen(options) : 0) + sizeof(",");
	*ret_status = 0;
	if (specs->n == PLUG_SPECS_MAX)
		*ret_status = -ENOSPC;
	else if (whole > PLUG_SPEC_LEN)
		*ret_status = -ENAMETOOLONG;
	return *ret_status < 0 ? NULL : specs->items[specs->n++];
}

int plug_specs_add(struct plug_specs *specs, const char *dialect, const char *address,
		   const char *options)
{
	int r;
	char *spec =
		next_spec(specs, strlen(dialect) + 1 + 2 * strlen(address), options, &r);
	if (!spec)
		return r;
	(void)snprintf(spec, PLUG_SPEC_LEN, "%s:", dialect);
	append_escaped(spec, address);
	append_options(spec, options);
	return 0;
}

int plug_specs_add_text(struct plug_specs *specs, const char *text, const char *options)
{
	int r;
	char *spec = next_spec(specs, strlen(text), options, &r);
	if (!spec)
		return r;
	(void)snprintf(spec, PLUG_SPEC_LEN, "%s", text);
	append_options(spec, options);
	return 0;
}

int plug_socket_type(const char *dialect)
{
	static const struct {
		const char *dialect;
		int type;
	} others[] = {
		{ "bess", SOCK_SEQPACKET },
		{ "qemu-dgram", SOCK_DGRAM },
		{ "vfkit", SOCK_DGRAM },
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(dialect, others[i].dialect) == 0)
			return others[i].type;
	return SOCK_STREAM;
}
