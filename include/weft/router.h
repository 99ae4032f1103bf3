/* SPDX-License-Identifier: MIT */
/*
 * Joins IP links (WEFT_LINK_IP): each packet goes to the port with the longest network that
 * its destination lies in, or to the port to which its source is pinned, or to the uplink.
 *
 *     uplink (TUN) ----.              .---- client A: 10.0.0.2, 192.168.5.0/24
 *                       [  router  ] -+---- client B: 10.0.0.3, pin 10.0.0.2
 *                                     '---- client C: 10.0.0.4
 *
 * The way of a packet, in this order:
 *
 *   0. IPv6 that no router forwards ends here: from or to an address of the link (fe80::/10),
 *      a group (ff00::/8: nobody routes multicast here), ::1 or :: (RFC 4291 2.5, RFC 4007 9).
 *      So do neighbour discovery and router solicitations, of which a TUN is full.
 *   1. Source check, unless the port has none: the answer to the packet would go to the port
 *      (strict reverse path, RFC 3704 2.2). So the longest network of its source is the
 *      port's; or its source lies in no network and is not exempt (4), and its destination
 *      is pinned to the port, or the port is an exit for it: a way out that answers for the
 *      rest of the world.
 *   2. The longest network that is not the port's own.
 *   3. The pin of the source, with the longest prefix; even one to the port itself.
 *   4. But what does not come from the uplink, and is for the server's own address or for
 *      an exempt network, is not pinned.
 *   5. The exit that a hook chooses among several; never for what is exempt.
 *   6. The uplink, unless it comes from there.
 *
 * What has a way then still needs the consent of the policy, another hook. Without hooks, 5 is
 * left out, everything passes, and a packet costs what it did before.
 *
 * These are tapotun's rules, and a server of its kind is: the TUN as uplink; per client a
 * port with its address and routes as networks and its sources as pins; the server's own
 * address and the top-level routes exempt (further addresses of the interface are not, there);
 * no_source_check on every port. What differs, on purpose:
 *
 *   - host bits of a network are masked; there, such a network never matches;
 *   - IPv6 by the same rules, after 0; there, it is dropped;
 *   - the source check is on, and isolated ports exist; there, neither is known.
 *
 * What does not differ: the TTL is not touched, so a router is one hop for nobody. Packets
 * for the server itself that a client's network covers go to that client (2). Group and
 * broadcast addresses of IPv4 are addresses like others.
 *
 * Super-frames pass whole. Networks come and go while packets flow.
 *
 *     const struct weft_router_port_opts up = { .uplink = true };
 *     if (weft_router_new(NULL, &router) < 0 ||
 *         weft_router_add(router, tun, &up, &uplink) < 0 ||
 *         weft_router_add(router, session, NULL, &client) < 0 ||
 *         weft_router_add_network(router, client, &ip) < 0)
 *             fail("no memory, or the network is somebody else's");
 */
#ifndef WEFT_ROUTER_H
#define WEFT_ROUTER_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/link.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_router;
struct weft_router_port;

/** How a packet that came in on a port can end. Each is counted, per port and per router. */
enum weft_router_outcome {
	WEFT_ROUTER_FORWARDED,   /**< To the port with the longest network. */
	WEFT_ROUTER_PINNED,      /**< To the port to which its source is pinned. */
	WEFT_ROUTER_EXIT,        /**< To the port that the exit hook has chosen. */
	WEFT_ROUTER_UPLINK,      /**< To the uplink, because to nobody else. */
	WEFT_ROUTER_DROP_NOT_IP, /**< Neither version 4 nor 6. */
	WEFT_ROUTER_DROP_MALFORMED, /**< The header does not fit its own or its frame's length. */
	WEFT_ROUTER_DROP_SCOPE,    /**< IPv6 that does not leave its link. */
	WEFT_ROUTER_DROP_SPOOFED,  /**< The source check. */
	WEFT_ROUTER_DROP_ISOLATED, /**< Both ports are isolated. */
	WEFT_ROUTER_DROP_DENIED,   /**< The policy hook. */
	WEFT_ROUTER_DROP_NO_ROUTE, /**< Nobody takes it, and there is no uplink to go to. */
	WEFT_ROUTER_DROP_NO_LINK, /**< Whom it is for has no link now; or no exit is usable. */
	WEFT_ROUTER_OUTCOMES
};

/** "drop-spoofed" and the like; the same words that --json prints. */
WEFT_API const char *weft_router_outcome_name(enum weft_router_outcome outcome);

struct weft_router_opts {
	uint32_t ports_max; /**< Most ports; 0 for 4,096. */
	/** Most networks, most pins, and most exempt; 0 for 65,536. */
	uint32_t networks_max;
};

/** Zero is a client: its source is checked. */
struct weft_router_port_opts {
	bool uplink; /**< Takes what nobody else does; one at most. Not checked. */
	bool no_source_check; /**< Takes any source. */
	bool isolated;        /**< Talks to no other isolated port. */
	void *user;           /**< For weft_router_port_user. */
};

/** Where a packet would go, and why. Addresses of family 0 say that there is none. */
struct weft_router_verdict {
	enum weft_router_outcome outcome;       /**< As if every port had a link. */
	const struct weft_router_port *ingress; /**< Where it comes in. */
	/** To whom, or would be to if not isolated or denied; else NULL. */
	const struct weft_router_port *egress;
	struct weft_ip network; /**< Of egress, that decided; or the spoofed source's. */
	struct weft_ip pin;     /**< Of the source, if it came to that. */
	struct weft_ip exempt;  /**< Because of which the pin did not count. */
};

/** What a hook is asked about. Borrowed for the call. */
struct weft_router_query {
	const struct weft_router_port *ingress; /**< Where it comes in. */
	/** Where it is to go; NULL if that is asked. */
	const struct weft_router_port *egress;
	struct weft_ip src, dst;        /**< Whole addresses. */
	const struct weft_frame *frame; /**< NULL if only the addresses are known. */
	uint64_t now;                   /**< As the frame was received; 0 without one. */
};

/**
 * Decisions that tables do not make. Each may be NULL, is asked with every packet that comes
 * to it, must not change the router, and is asked by weft_router_explain without a frame.
 */
struct weft_router_hooks {
	/** Whether a packet may pass from ingress to egress. Without a frame: whether any may. */
	bool (*policy)(void *user, const struct weft_router_query *query);
	/**
	 * The exit for a packet that is for no network, is not pinned and not exempt. Returns
	 * 1 and a port of the router, 0 when it has no exits and is the uplink's, or -ENOLINK
	 * when it has some and none can be used: it is dropped then, and goes nowhere else.
	 */
	int (*exit)(void *user, const struct weft_router_query *query,
		    struct weft_router_port **ret_port);
	/**
	 * Whether ingress may bring answers from anywhere to dst, which is egress's: whether
	 * it is an exit, now or at other times, for what comes from there. The answer holds
	 * until hooks, ports or networks change.
	 */
	bool (*is_exit)(void *user, const struct weft_router_query *query);
	void *user; /**< For all of them. */
};

/** Makes an empty router. opts may be NULL. Returns 0 or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_router_new(const struct weft_router_opts *opts,
					     struct weft_router **ret_router);

/**
 * Frees the router and its ports, not the links, which have no receiver then. NULL is
 * allowed; a receiver must not call it.
 */
WEFT_API void weft_router_free(struct weft_router *router);

/**
 * Makes a port. The link (NULL for none yet) stays the caller's, must outlive the port or be
 * taken off, and gets the router as receiver. opts may be NULL. Returns 0, -EINVAL for a link
 * that does not carry IP, -EEXIST for a second uplink, -ENOSPC at ports_max, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_router_add(struct weft_router *router,
					     struct weft_link *link,
					     const struct weft_router_port_opts *opts,
					     struct weft_router_port **ret_port);

/**
 * Takes a port off with its networks and pins. The port is gone for the caller, the link has
 * no receiver and may be freed. Allowed from a receiver, and from within a link's send.
 */
WEFT_API void weft_router_remove(struct weft_router *router,
				 struct weft_router_port *port);

/**
 * Puts another link on the port, or none (NULL); networks and pins stay. The link before has
 * no receiver then and may be freed. Allowed from a receiver, and from within a link's send.
 * Returns 0, or -EINVAL for a link that does not carry IP, which changes nothing.
 */
WEFT_API WEFT_MUST_CHECK int weft_router_attach(struct weft_router_port *port,
						struct weft_link *link);

/** Switches the source check of a port on or off; an uplink has none. */
WEFT_API void weft_router_set_source_check(struct weft_router_port *port, bool is_on);

/** The link that stands on the port; NULL for none. */
WEFT_API struct weft_link *weft_router_port_link(const struct weft_router_port *port);

/** The user of the port's options. */
WEFT_API void *weft_router_port_user(const struct weft_router_port *port);

/**
 * Sends what is for the network (an address is one, with all its bits) to the port, and lets
 * the port send from it. Host bits are masked. Returns 0, -EEXIST if the same network is
 * there, at whatever port, -EINVAL for no address or too long a prefix, -ENOSPC at
 * networks_max, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_router_add_network(struct weft_router *router,
						     struct weft_router_port *port,
						     const struct weft_ip *network);

/** Undoes weft_router_add_network. No-op for a network that is not there. */
WEFT_API void weft_router_remove_network(struct weft_router *router,
					 const struct weft_ip *network);

/**
 * Sends what comes from source, and is for no network, to the port. Errors are those of
 * weft_router_add_network, and -EINVAL for the uplink, which would get back its own.
 */
WEFT_API WEFT_MUST_CHECK int weft_router_add_pin(struct weft_router *router,
						 struct weft_router_port *port,
						 const struct weft_ip *source);

/** Undoes weft_router_add_pin. No-op for a source that is not pinned. */
WEFT_API void weft_router_remove_pin(struct weft_router *router,
				     const struct weft_ip *source);

/**
 * Exempts what is for the network from pins: the server's own addresses, and what is to stay
 * on its side. Errors are those of weft_router_add_network.
 */
WEFT_API WEFT_MUST_CHECK int weft_router_exempt(struct weft_router *router,
						const struct weft_ip *network);

/** Undoes weft_router_exempt. No-op for a network that is not exempt. */
WEFT_API void weft_router_unexempt(struct weft_router *router,
				   const struct weft_ip *network);

/** The port that has exactly this network; NULL for none. */
WEFT_API const struct weft_router_port *weft_router_network_port(
	const struct weft_router *router, const struct weft_ip *network);

/** The port to which exactly this source is pinned; NULL for none. */
WEFT_API const struct weft_router_port *weft_router_pin_port(
	const struct weft_router *router, const struct weft_ip *source);

/**
 * Sets the hooks, which are copied; NULL for none. To be called again when what they would
 * answer has changed, too: the router remembers answers of is_exit.
 */
WEFT_API void weft_router_set_hooks(struct weft_router *router,
				    const struct weft_router_hooks *hooks);

/** Packets that ended in the given way, that came in on one port, or on all if it is NULL. */
WEFT_API uint64_t weft_router_count(const struct weft_router *router,
				    const struct weft_router_port *port,
				    enum weft_router_outcome outcome);

/**
 * Says where a packet from src to dst would go that comes in on a port; NULL for the port
 * that has the longest network of src, or else the uplink. Counts and changes nothing.
 * Returns 0; -EINVAL when they are not two whole addresses of one family; -ENOENT when it
 * could come in nowhere.
 */
WEFT_API WEFT_MUST_CHECK int weft_router_explain(const struct weft_router *router,
						 const struct weft_router_port *ingress,
						 const struct weft_ip *src,
						 const struct weft_ip *dst,
						 struct weft_router_verdict *ret_verdict);

#ifdef __cplusplus
}
#endif
#endif
