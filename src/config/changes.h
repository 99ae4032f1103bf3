/* SPDX-License-Identifier: MIT */
/*
 * What is different between two configurations, for people: "tun0: client 10.0.0.3 is new".
 * Secrets are not said, only that they are others.
 */
#ifndef CONFIG_CHANGES_H
#define CONFIG_CHANGES_H

#include <weft/tunnel_config.h>

#include <stdbool.h>

/** Tells each difference between two of one name. before or after may be NULL: there is none. */
void changes_tell(const struct weft_tunnel_interface *before,
		  const struct weft_tunnel_interface *after, weft_tunnel_change_fn *fn,
		  void *user);

/** The client of that name, or NULL. */
const struct weft_tunnel_client *changes_find_client(
	const struct weft_tunnel_interface *server, const char *name);

#endif
