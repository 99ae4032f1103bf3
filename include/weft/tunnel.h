/* SPDX-License-Identifier: MIT */
/*
 * The tunnel: IP in long-lived HTTP(S) streams, compatible with tapotun in its configuration
 * and on the wire.
 *
 *     TUN --- router --- client's queue === GET ===> client --- TUN
 *                   '--- <============ PUT ========'
 *
 * What a file says of its ends is in <weft/tunnel_config.h>.
 */
#ifndef WEFT_TUNNEL_H
#define WEFT_TUNNEL_H

#include <weft/error.h>
#include <weft/frame.h>
#include <weft/tunnel_config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- running ----------------------------------------------------------------------------- */

struct weft_host;
struct weft_log;
struct weft_loop;

/** All interfaces of a configuration, with their devices, servers and clients. */
struct weft_tunnels;

/** Who is at the other end of an interface's streams. Borrowed for the call. */
struct weft_tunnel_peer {
	const char *interface; /**< Name of the interface, as the kernel has it. */
	const char *name; /**< A server's: of the client. A client's: the server's URL. */
	/** Where it comes from, or the own address in the tunnel. */
	const char *address;
};

/** What happens; each may be NULL. now is monotonic, in ns. */
struct weft_tunnels_events {
	/** A server's client is there, or a client has been accepted and configured. */
	void (*connected)(void *user, const struct weft_tunnel_peer *peer, uint64_t now);
	/** It is not any more; one sentence. */
	void (*disconnected)(void *user, const struct weft_tunnel_peer *peer,
			     const char *reason, uint64_t now);
	/** Somebody came to a server with a wrong token, or none: the first ten in a minute. */
	void (*refused)(void *user, const char *interface, const char *address,
			uint64_t now);
	/** So many more came in that minute, which is over. */
	void (*refused_more)(void *user, const char *interface, uint64_t n, uint64_t now);
	/**
	 * Somebody has taken the device of an interface away; the reason may be empty. Another is
	 * made, as soon as that can be.
	 */
	void (*lost)(void *user, const char *interface, const char *reason, uint64_t now);
	/** It was made. */
	void (*restored)(void *user, const char *interface, uint64_t now);
};

struct weft_link;

/**
 * Who is the host on the tunnels' interfaces in place of this machine: one in user space, say.
 * Nothing of this machine is changed then, which takes no rights; "mark" and "bridge", which are
 * its own, are refused, and routes are not told: it is for the host to send into the tunnel what
 * it wants to. All get devices_user of the options; what returns int, returns 0 or -Exxx with err.
 */
struct weft_tunnels_devices {
	/**
	 * Makes the link of an interface: of IP, or Ethernet, as its mode is. The tunnels put it
	 * into their loop, receive on it, and free it.
	 */
	int (*begin)(void *user, const struct weft_tunnel_interface *conf,
		     struct weft_error *err, struct weft_link **ret_link);
	/** The link is about to be freed. May be NULL. */
	void (*end)(void *user, struct weft_link *link);
	/** The interface's MTU: before its first address, and whenever it may be another. */
	int (*set_mtu)(void *user, struct weft_link *link, uint32_t mtu,
		       struct weft_error *err);
	/** It has this address, which it may have had before. */
	int (*add_address)(void *user, struct weft_link *link,
			   const struct weft_ip *address, struct weft_error *err);
	/** It has it no more. */
	int (*remove_address)(void *user, struct weft_link *link,
			      const struct weft_ip *address, struct weft_error *err);
};

struct weft_tunnels_opts {
	struct weft_host *host; /**< Makes all changes; must outlive the tunnels. */
	/** Must outlive them; NULL for this machine's. With it, host may be NULL. */
	const struct weft_tunnels_devices *devices;
	void *devices_user;
	const struct weft_log *log; /**< Must outlive them; NULL for silence. */
	const struct weft_tunnels_events *events; /**< Must outlive them; may be NULL. */
	void *user;
	const uint8_t *secret; /**< 16 random bytes. */
};

struct weft_tunnels_stats {
	uint32_t interfaces;
	uint32_t peers; /**< Clients that are there, and servers that have accepted. */
	uint64_t rx_packets, rx_bytes; /**< From peers. A super-frame is one packet. */
	uint64_t tx_packets, tx_bytes; /**< To peers. */
	uint64_t drops;                /**< Packets that went no further. */
};

/**
 * Makes the devices, sets them up and begins to listen and to connect, in the loop, which must
 * outlive the tunnels; so must the configuration. Where one interface fails, none is left.
 * Needs CAP_NET_ADMIN and, for ports below 1024, CAP_NET_BIND_SERVICE; afterwards a client's
 * device and what is undone at the end still need the former.
 * Returns 0, or -Exxx with err saying what to mend: -EPERM, -EBUSY for a device in use,
 * -EADDRINUSE for a port, -ENOMEM ...
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnels_new(const struct weft_tunnel_config *config,
					      struct weft_loop *loop,
					      const struct weft_tunnels_opts *opts,
					      struct weft_error *err,
					      struct weft_tunnels **ret_tunnels);

/**
 * Puts another configuration in place of the present one: looks first whether all of it can be
 * applied, then tells fn (may be NULL) each difference, and applies it. Interfaces are known by
 * their names, and clients of a server by theirs; whom nothing of it concerns keeps its streams.
 * Returns 0, and from then on config must outlive the tunnels in place of the former, which may
 * be freed; or -Exxx with err, and nothing has changed, but that streams of an interface begin anew
 * that was to make way for one of another kind. Must not be called from an event.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnels_apply(struct weft_tunnels *tunnels,
						const struct weft_tunnel_config *config,
						weft_tunnel_change_fn *fn, void *user,
						struct weft_error *err);

/**
 * Begins to end: servers give their clients what waits for them and a regular end, so that they
 * come back at once when the server does, and accept nobody; clients end their uploads, so that
 * the server does not take it for an accident. Returns whether none is left; to be called again
 * until then, or until patience ends, while the loop runs.
 */
WEFT_API bool weft_tunnels_end(struct weft_tunnels *tunnels);

/** Ends all streams and takes the devices away. Calls no event. NULL is allowed. */
WEFT_API void weft_tunnels_free(struct weft_tunnels *tunnels);

/** Sums over all interfaces, as of now. */
WEFT_API struct weft_tunnels_stats weft_tunnels_stats(const struct weft_tunnels *tunnels);

/**
 * All facts as one JSON object: "interfaces", each with its device's counters, its peers and
 * what became of packets. The caller frees it with free(); NULL without memory.
 */
WEFT_API char *weft_tunnels_json(const struct weft_tunnels *tunnels, uint64_t now);

/* ---- asking ------------------------------------------------------------------------------ */

/** A packet that is asked about. */
struct weft_tunnel_question {
	/** Each an address, the name of a client, or WEFT_TUNNEL_SELF. */
	const char *src, *dst;
	uint8_t protocol; /**< IPPROTO_TCP, _UDP, _ICMP (for ICMPv6, too) ...; 0 for any. */
	uint16_t port;    /**< Of the destination; 0 for any. */
	/** Name of the server; NULL for the first that has a client of either end, or any. */
	const char *interface;
};

/**
 * Says, in sentences, what a server with this configuration does with the first packet of a
 * flow: where it comes in, to whom it goes and why, and the rule that allows it, with its line
 * in the file. Nothing is sent, and nobody need be connected: it is as if all clients were.
 * fn gets each line, without a newline; borrowed.
 * Returns 1 if it passes, or may, depending on what was not asked; 0 if it does not; -EINVAL
 * with err for a question that makes no sense; -ENOENT for no such server or client; -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_explain(
	const struct weft_tunnel_config *config,
	const struct weft_tunnel_question *question,
	void (*fn)(void *user, const char *line), void *user, struct weft_error *err);

#ifdef __cplusplus
}
#endif
#endif
