/* SPDX-License-Identifier: MIT */
/*
 * What the library counts, as JSON: the names are those of the structs in <weft/...>, so that
 * the header is the documentation of both. Each function returns a new reference, or NULL
 * when memory is out, which output_event takes as it is.
 */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include <weft/bridge.h>
#include <weft/link.h>
#include <weft/serve.h>

#include <jansson.h>

/** {"link": spec, "name": ..., "mac": ..., "up": ..., "rx_frames": ..., ...} */
json_t *facts_link(const char *spec, const struct weft_link *link);

/** {"forwarded": ..., "flooded": ..., "drop-runt": ...}; port NULL: of the whole bridge. */
json_t *facts_outcomes(const struct weft_bridge *bridge,
		       const struct weft_bridge_port *port);

/** {"learned": ..., "bound": ..., "moved": ..., "aged": ..., "refused": ...} */
json_t *facts_fdb(const struct weft_bridge *bridge);

/** {"client", "peer", "plug"}: who is plugged in, and where. */
json_t *facts_client(const struct weft_serve_client *client);

#endif
