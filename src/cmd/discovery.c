/* SPDX-License-Identifier: MIT */
/*
 * Two routes. They are of metric 0, so that they come before any that a network manager may
 * have made for its interfaces.
 */
#include "cmd/discovery.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

static const struct weft_ip everybody[] = {
	{ .family = AF_INET, .prefix = 32, .octet = { 255, 255, 255, 255 } },
	{ .family = AF_INET, .prefix = 4, .octet = { 224 } },
};

static struct weft_route route_to(const struct weft_ip *dest, const char *ifname)
{
	struct weft_route route = { .dest = *dest };
	(void)snprintf(route.ifname, sizeof(route.ifname), "%s", ifname);
	return route;
}

void discovery_begin(struct weft_host *host, const char *ifname,
		     const struct weft_log *log)
{
	for (size_t i = 0; i < sizeof(everybody) / sizeof(everybody[0]); i++) {
		const struct weft_route route = route_to(&everybody[i], ifname);
		char text[WEFT_IP_TEXT];
		struct weft_error err;
		if (weft_host_add_route(host, &route, &err) < 0)
			weft_log_warning(
				log,
				"what is sent to %s goes elsewhere, so games may "
				"not find each other in the room: %s",
				weft_ip_print(&everybody[i], text), err.text);
	}
}

void discovery_end(struct weft_host *host, const char *ifname, const struct weft_log *log)
{
	for (size_t i = 0; i < sizeof(everybody) / sizeof(everybody[0]); i++) {
		const struct weft_route route = route_to(&everybody[i], ifname);
		struct weft_error err;
		if (weft_host_remove_route(host, &route, &err) < 0)
			weft_log_warning(log, "%s", err.text);
	}
}
