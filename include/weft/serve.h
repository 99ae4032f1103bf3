/* SPDX-License-Identifier: MIT */
/*
 * A server of network interfaces over local sockets: any number of plugs and one uplink on
 * one learning bridge.
 *
 *     emulator --- plug ---.
 *     VM --------- plug ---+--- bridge --- uplink (a TAP, a wired NIC, any Ethernet link)
 *     program ---- plug ---'
 *
 * Clients come and go with their sockets, and the uplink may come later, go, and come again.
 * A client that is slow costs itself the frames that its own queue has no room for, and
 * nobody else anything; one that ends takes along what was learned of it.
 *
 *     struct weft_serve *serve;
 *     struct weft_error err;
 *     if (weft_serve_new(NULL, loop, &serve) < 0)
 *             fail("out of memory");
 *     if (weft_serve_plug(serve, "qemu:/run/lan.sock", &err) < 0 ||
 *         weft_link_open("tap:weft0", &err, &tap) < 0 ||
 *         weft_serve_set_uplink(serve, tap, &err) < 0)
 *             fail(err.text);
 */
#ifndef WEFT_SERVE_H
#define WEFT_SERVE_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/frame.h>
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/plug.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_serve;

/** A client as events tell of it; borrowed for the call. */
struct weft_serve_client {
	uint32_t id;                  /**< Counts from 1; never used again. */
	const char *peer;             /**< Who it is, as far as one can know. */
	const struct weft_plug *plug; /**< Where it came in. */
	const struct weft_link *link; /**< As the plug brought it. */
};

/**
 * What a server tells. Each may be NULL. None may free the server; setting or taking away
 * the uplink is allowed in all but shown and misjudged.
 */
struct weft_serve_events {
	/** A client is on the bridge; nothing of what it sent has been read yet. */
	void (*plugged)(void *user, const struct weft_serve_client *client, uint64_t now);
	/** A client has gone, and why; the reason may be empty. */
	void (*unplugged)(void *user, const struct weft_serve_client *client,
			  const char *reason, uint64_t now);
	/** A peer could not be taken, or could not be reached; one sentence. */
	void (*trouble)(void *user, const char *text, uint64_t now);
	/** What a modem does: dials in, gets its address, hangs up; one sentence. */
	void (*modem)(void *user, const struct weft_serve_client *client,
		      const char *text, uint64_t now);
	/** The uplink has ended by itself and is freed; the reason may be empty. */
	void (*uplink_ended)(void *user, const char *name, const char *reason,
			     uint64_t now);
	/**
	 * A frame passes, from the client or to it. That this is set costs each frame a
	 * call; clients that are there already are not shown.
	 */
	void (*shown)(void *user, const struct weft_serve_client *client,
		      bool from_client, const struct weft_frame *frame, uint64_t now);
	/**
	 * A frame passes whose length a reader of bare frames (dialect "bare") would get
	 * wrong: computed is what its headers say, 0 where they are cut off, < 0 where they
	 * say nothing. Same cost.
	 */
	void (*misjudged)(void *user, const struct weft_serve_client *client,
			  bool from_client, const struct weft_frame *frame, int computed,
			  uint64_t now);
};

/** Zero is a server with the defaults and silent. */
struct weft_serve_opts {
	const struct weft_serve_events *events; /**< Must outlive the server. */
	void *user;
	const uint8_t *secret; /**< 16 random bytes for the bridge; NULL only in tests. */
	uint64_t ageing_ns; /**< Forget an address unseen for this long; 0 for 300 s. */
	uint32_t fdb_max;   /**< Most addresses on the bridge; 0 for 4,096. */
	uint32_t client_fdb_max; /**< Most addresses behind one client; 0 for 256. */
	uint32_t clients_max;    /**< Most clients of each plug; 0 for 64. */
	/**
	 * IPv4 of the first client that comes by PPP (a modem), with the prefix length of the
	 * network; others have those that follow. Family 0: DHCP asks the network for one.
	 */
	struct weft_ip modem_address;
	struct weft_ip modem_router; /**< That modems send through; family 0: none. */
	struct weft_ip modem_dns[2]; /**< As many as have a family. */
	bool isolated;               /**< Clients reach the uplink and not each other. */
};

/** What a server has now (clients), and counts that only grow. */
struct weft_serve_stats {
	uint32_t clients;             /**< Plugged in now. */
	uint64_t plugged;             /**< So far. */
	uint64_t rx_frames, rx_bytes; /**< From clients, also from those who are gone. */
	uint64_t tx_frames, tx_bytes; /**< To them. */
	uint64_t drops;               /**< No room, too long, or the bridge's reasons. */
	uint64_t rx_errors;           /**< From clients: not to be made sense of. */
};

/**
 * Makes a server without plugs and uplink, and adds what it needs to the loop, which must
 * outlive it. opts may be NULL and is copied. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_serve_new(const struct weft_serve_opts *opts,
					    struct weft_loop *loop,
					    struct weft_serve **ret_serve);

/** Ends every client and the uplink without telling. NULL is allowed. */
WEFT_API void weft_serve_free(struct weft_serve *serve);

/**
 * Opens a plug (see weft_plug_new for specs and errors) that brings clients onto the bridge.
 * Returns how many plugs there are now, of which it is the last, or -Exxx with err.
 */
WEFT_API WEFT_MUST_CHECK int weft_serve_plug(struct weft_serve *serve, const char *spec,
					     struct weft_error *err);

/** The plug with that index, in the order of opening; NULL past the last. */
WEFT_API const struct weft_plug *weft_serve_plug_at(const struct weft_serve *serve,
						    size_t index);

/** Takes no more clients, from the loop's next turn on; those that are there stay. */
WEFT_API void weft_serve_close(struct weft_serve *serve);

/** True once every plug is over (weft_plug_is_over): nobody is there, nobody can come. */
WEFT_API bool weft_serve_is_over(const struct weft_serve *serve);

/**
 * Puts an Ethernet link on the bridge as the uplink, in place of the one before, which is
 * freed. The server takes it over and runs it. A client's frames from the link's own address
 * are dropped ("drop-spoofed"). Not to be called from a receiver. Returns 0, or -Exxx with err
 * and the link still the caller's: -EINVAL for a link of bare IP packets, -ENOMEM, or what the
 * loop says.
 */
WEFT_API WEFT_MUST_CHECK int weft_serve_set_uplink(struct weft_serve *serve,
						   struct weft_link *link,
						   struct weft_error *err);

/** Takes the uplink off the bridge and frees it, if there is one. Not from a receiver. */
WEFT_API void weft_serve_drop_uplink(struct weft_serve *serve);

/** The uplink, or NULL. Belongs to the server. */
WEFT_API struct weft_link *weft_serve_uplink(const struct weft_serve *serve);

/** The figures of now. */
WEFT_API struct weft_serve_stats weft_serve_stats(const struct weft_serve *serve);

/**
 * All facts as one JSON object: "plugs", "clients" (with their counters), "uplink", "gone"
 * (sums of clients who have left), "fdb", "frames" (by what became of them on the bridge).
 * Clients at a modem also have "ppp" and "packets", by what became of them between the two.
 * The caller frees it with free(); NULL without memory.
 */
WEFT_API char *weft_serve_json(const struct weft_serve *serve, uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
