/* SPDX-License-Identifier: MIT */
/*
 * An 802.1D/802.1Q-style learning bridge: joins Ethernet links into one segment.
 *
 * A link's place on the bridge is a port. The flags of a port use the words of the Linux
 * bridge(8): learning, flood, isolated, locked. A relay's room, a gateway and `weft bridge`
 * are the same bridge with different flags.
 *
 *     struct weft_bridge *bridge;
 *     if (weft_bridge_new(NULL, &bridge) < 0)
 *             fail("out of memory");
 *     for (size_t i = 0; i < n; i++)
 *             if (weft_bridge_add(bridge, links[i], NULL, &ports[i]) < 0)
 *                     fail("not an Ethernet link");
 *     weft_loop_add(loop, weft_bridge_task(bridge));
 */
#ifndef WEFT_BRIDGE_H
#define WEFT_BRIDGE_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/link.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_bridge;
struct weft_bridge_port;

/** How a frame that came in on a port can end. Each is counted, per port and per bridge. */
enum weft_bridge_outcome {
	WEFT_BRIDGE_FORWARDED,       /**< To one known port. */
	WEFT_BRIDGE_FLOODED,         /**< Group or unknown address: to all who take it. */
	WEFT_BRIDGE_DROP_RUNT,       /**< Shorter than an Ethernet header. */
	WEFT_BRIDGE_DROP_BAD_SOURCE, /**< Source is zero or a group address. */
	WEFT_BRIDGE_DROP_SPOOFED, /**< Source is bound elsewhere, or not here and locked. */
	WEFT_BRIDGE_DROP_RESERVED, /**< 01:80:C2:00:00:0x: never forwarded (802.1D 7.12.6). */
	WEFT_BRIDGE_DROP_SAME_PORT, /**< The destination is where it came from. */
	WEFT_BRIDGE_DROP_ISOLATED,  /**< Both ports are isolated. */
	WEFT_BRIDGE_DROP_NO_TARGET, /**< To be flooded, and no port takes it. */
	WEFT_BRIDGE_OUTCOMES
};

/** "drop-spoofed" and the like; the same words that --json prints. */
WEFT_API const char *weft_bridge_outcome_name(enum weft_bridge_outcome outcome);

/** What a bridge has done beside forwarding. */
enum weft_bridge_event {
	WEFT_BRIDGE_GROUP_REPORT, /**< IGMP or MLD that says who is in a group. */
	WEFT_BRIDGE_GROUP_QUERY,  /**< Another querier's. */
	WEFT_BRIDGE_GROUP_ASKED,  /**< Queries of our own, one per port and family. */
	WEFT_BRIDGE_GROUP_PRUNED, /**< Frames kept from those who did not ask for them. */
	WEFT_BRIDGE_GROUP_FULL, /**< No place to note a group: everyone gets its frames. */
	WEFT_BRIDGE_IPX_TRANSLATED, /**< Packets sent in the framing of who they are for. */
	WEFT_BRIDGE_TOO_BIG, /**< Senders told that a packet does not fit the way on. */
	WEFT_BRIDGE_EVENTS
};

/** "group-pruned" and the like; the same words that --json prints. */
WEFT_API const char *weft_bridge_event_name(enum weft_bridge_event event);

/** Zero is the defaults. Copied, the secret too. */
struct weft_bridge_opts {
	/** Most learned addresses, and most bound ones; 0 for 4,096. */
	uint32_t fdb_max;
	uint32_t ports_max; /**< Most ports; 0 for 1,024. */
	uint64_t ageing_ns; /**< Forget an address unseen for this long; 0 for 300 s. */
	/** 16 random bytes that key the hash; NULL only in tests. */
	const uint8_t *secret;
	bool too_big; /**< Tell senders of IP whose frames a port does not take. */
	bool ipx;     /**< Each station gets IPX in the framing that it speaks itself. */
	/**
	 * IGMP and MLD snooping (RFC 4541): streams of a group go to its members. Ports behind
	 * which there is more than one station get everything, and so do those that do not
	 * answer queries. The bridge asks them itself, under asker_mac and asker_ip4 (which
	 * may be 0), while it hears nobody else ask.
	 */
	bool snooping;
	struct weft_mac asker_mac;
	uint32_t asker_ip4; /**< 192.0.2.1 is 0xc0000201. */
};

/** Zero is an ordinary learning port. */
struct weft_bridge_port_opts {
	bool no_learning; /**< Do not learn sources. */
	bool no_flood;    /**< Unknown unicast does not go out here. */
	bool isolated;    /**< Talks to no other isolated port. */
	bool locked;      /**< Takes only frames whose source is bound to this port. */
	bool router;      /**< Leads to multicast routers: gets every group's frames. */
	/** Most addresses learned on this port; 0 for no limit of its own. */
	uint32_t fdb_max;
};

/** What the forwarding database holds now, and what became of addresses so far. */
struct weft_bridge_fdb_stats {
	uint32_t learned, bound; /**< Addresses known now. */
	uint64_t moved;   /**< Learned addresses that showed up behind another port. */
	uint64_t aged;    /**< Forgotten because unseen for ageing_ns. */
	uint64_t refused; /**< Not learned or not moved: a limit, or memory. */
};

/** Makes an empty bridge. opts may be NULL. Returns 0 or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_bridge_new(const struct weft_bridge_opts *opts,
					     struct weft_bridge **ret_bridge);

/**
 * Frees the bridge and its ports, not the links, which have no receiver then. NULL is
 * allowed; a receiver must not call it.
 */
WEFT_API void weft_bridge_free(struct weft_bridge *bridge);

/**
 * Puts a link on the bridge; the bridge becomes its receiver. The link stays the caller's
 * and must outlive the port. opts may be NULL. Returns 0, -EINVAL for an IP or PPP link,
 * -ENOSPC at ports_max, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_bridge_add(struct weft_bridge *bridge,
					     struct weft_link *link,
					     const struct weft_bridge_port_opts *opts,
					     struct weft_bridge_port **ret_port);

/**
 * Takes a port off; every address behind it is forgotten, bound or not. The port is gone for
 * the caller, the link has no receiver and may be freed. Allowed from a receiver, and from
 * within a link's send.
 */
WEFT_API void weft_bridge_remove(struct weft_bridge *bridge,
				 struct weft_bridge_port *port);

/** The link that stands on the port. */
WEFT_API struct weft_link *weft_bridge_port_link(const struct weft_bridge_port *port);

/**
 * Binds an address to a port: never ages, never moves. Returns 0, -EEXIST if it is bound to
 * another port, -EINVAL for a group address or zero, -ENOSPC at fdb_max bound addresses,
 * -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_bridge_bind(struct weft_bridge *bridge,
					      struct weft_mac mac,
					      struct weft_bridge_port *port);

/** Undoes weft_bridge_bind; no-op for an address that is not bound. */
WEFT_API void weft_bridge_unbind(struct weft_bridge *bridge, struct weft_mac mac);

/** The port behind which an address is known, learned or bound; NULL for none. */
WEFT_API const struct weft_bridge_port *weft_bridge_lookup(
	const struct weft_bridge *bridge, struct weft_mac mac);

/** Ageing and queries, as a task for weft_loop_add. Belongs to the bridge. */
WEFT_API struct weft_task *weft_bridge_task(struct weft_bridge *bridge);

/** Frames that ended in the given way, on one port, or on all when port is NULL. */
WEFT_API uint64_t weft_bridge_count(const struct weft_bridge *bridge,
				    const struct weft_bridge_port *port,
				    enum weft_bridge_outcome outcome);

/** How often it has happened. */
WEFT_API uint64_t weft_bridge_event_count(const struct weft_bridge *bridge,
					  enum weft_bridge_event event);

/** The counts of the forwarding database. */
WEFT_API struct weft_bridge_fdb_stats weft_bridge_fdb_stats(
	const struct weft_bridge *bridge);

/** Calls fn for each known address; age_ns is 0 for a bound one. fn must not change the bridge. */
WEFT_API void weft_bridge_each(const struct weft_bridge *bridge, uint64_t now,
			       void (*fn)(void *user, struct weft_mac mac,
					  const struct weft_bridge_port *port, bool bound,
					  uint64_t age_ns),
			       void *user);

#ifdef __cplusplus
}
#endif
#endif
