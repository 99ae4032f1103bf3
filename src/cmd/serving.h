/* SPDX-License-Identifier: MIT */
/*
 * What `weft serve` and `tapserver` have in common, which is all but their options and the
 * words that they report in.
 *
 *     plugs are opened --> interface made --> rights given up --> clients
 *     plugs are opened --> most rights given up --> a client --> interface made --> the rest
 *                                                                (--once, --on-demand)
 */
#ifndef CMD_SERVING_H
#define CMD_SERVING_H

#include "cli/options.h"
#include "cli/output.h"
#include "cmd/interface.h"
#include "cmd/plug_specs.h"

#include <weft/plug.h>
#include <weft/serve.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** When there is an interface. */
enum serving_life {
	SERVING_STAYS,     /**< From the start to the end. */
	SERVING_ON_DEMAND, /**< While a client is plugged in. */
	SERVING_ONCE,      /**< The same, and the first client is the only one. */
};

struct serving_args {
	struct output_opts output;
	struct plug_specs plugs;
	struct interface_opts interface;
	enum serving_life life;
	bool no_link;
	bool isolated;
	bool show_data, show_size_warnings;
	bool busy_poll;
	uint32_t clients_max, client_fdb_max;
	struct weft_ip modem_address, modem_router,
		modem_dns[2]; /**< See weft/serve.h. */
	uint64_t interval_ns; /**< Between status lines; 0: there are none. */
	const char *user;     /**< Whose process this becomes; NULL: nobody. */
	char *const *program; /**< Arguments of what is started; NULL for none. */
	const char *dialect;  /**< That the program speaks. */
};

/** How a verb reports. Each is called with what has happened. */
struct serving_words {
	const char *verb;
	int failed; /**< Exit status where something goes wrong with a client there. */
	void (*listening)(struct output *out, const struct weft_plug *plug);
	/** All plugs are open. */
	void (*waiting)(struct output *out);
	void (*connected)(struct output *out, const struct weft_serve_client *client);
	/** Returns STATUS_OK, or the status to end with if that was the only client. */
	int (*disconnected)(struct output *out, const struct weft_serve_client *client,
			    const char *reason);
	void (*uplink_ended)(struct output *out, const char *name, const char *reason);
	/** It ends before it has begun, for the reason r; returns the exit status. */
	int (*cannot_start)(int r, const char *text);
};

/** Runs the server until it ends; returns the exit status. */
int serving_run(const struct serving_args *args, const struct serving_words *words);

#endif
