/* SPDX-License-Identifier: MIT */
/*
 * Wired interfaces where weft has no driver for them yet.
 */
#include "link/drivers.h"

#include <errno.h>

int packet_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link)
{
	(void)inner;
	(void)ret_link;
	return weft_error_set(err, -ENOTSUP, "%s is not available on this system",
			      spec->driver->kind);
}
