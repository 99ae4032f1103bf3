/* SPDX-License-Identifier: MIT */
/*
 * Everything on a server between the device and its clients' links: who gets which packet.
 *
 *     mode ip        TUN (uplink) ---- router ---- a port per client: addresses, routes, sources
 *                                      |    `- exits: ways out for what is for no network
 *                                      `- ACL: who may begin to talk to whom
 *
 *     mode ethernet  TAP ------------- bridge ---- a port per client: learning, flooding
 *
 * Whoever has a plane does not see which of the two it is. Clients' ports are there while
 * their clients are away: their links then forget what they are sent.
 *
 * A plane keeps pointers into its configuration. The first one is put in with
 * plane_new, then plane_add and plane_join for each client. Another one is put in like this,
 * with no packet in between; what comes after plane_commit cannot fail:
 *
 *     plane_prepare(plane, after, ...)      whether it is possible at all
 *     plane_add(plane, client, link, ...)   of each new client
 *     plane_commit(plane)                   rules, exits; no client has its networks any more
 *     plane_remove(port)                    of each client that is no more
 *     plane_join(port, client)              of each other, new or not
 *
 * Then the former configuration may be freed. What the ACL knows of flows stays; each is judged
 * again by the new rules at its next packet. Whoever thinks better of it before plane_commit
 * removes what was added, and calls plane_cancel.
 */
#ifndef TUNNEL_PLANE_H
#define TUNNEL_PLANE_H

#include <weft/error.h>
#include <weft/link.h>
#include <weft/router.h>
#include <weft/tunnel.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct plane;
struct plane_port;

/**
 * Makes the plane of a server, with the device and without clients. conf must outlive it or
 * be replaced; the device, too, gets the plane as its receiver. device may be NULL for a plane
 * that is only asked. Returns 0, or -Exxx with err: -EEXIST for a network that two clients
 * have, -ENOSPC for more clients or networks than there can be.
 */
int plane_new(const struct weft_tunnel_interface *conf, const uint8_t secret[16],
	      struct weft_link *device, struct weft_error *err,
	      struct plane **ret_plane) WEFT_MUST_CHECK;

/**
 * Puts another device in the place of the one that it was made with, which has no receiver then.
 * Returns 0, or -Exxx with err, and then there is none.
 */
int plane_attach(struct plane *p, struct weft_link *device,
		 struct weft_error *err) WEFT_MUST_CHECK;

/** Frees it with its ports. Links have no receiver then. NULL is allowed. */
void plane_free(struct plane *p);

/**
 * Adds a client of the plane's configuration, or of the one that is prepared; before plane_join
 * it has no networks. The link stays the caller's and must outlive the port; NULL only with
 * mode ip. Returns 0 or -Exxx with err.
 */
int plane_add(struct plane *p, const struct weft_tunnel_client *conf,
	      struct weft_link *link, struct weft_error *err,
	      struct plane_port **ret_port) WEFT_MUST_CHECK;

/** Takes a client off; its link has no receiver then. NULL is allowed. */
void plane_remove(struct plane_port *port);

/**
 * Does all that can fail on the way to another configuration; mode must be the same. Returns 0,
 * or -Exxx with err as plane_new, and then nothing is prepared.
 */
int plane_prepare(struct plane *p, const struct weft_tunnel_interface *conf,
		  struct weft_error *err) WEFT_MUST_CHECK;

/** Replaces the configuration by the one that is prepared. */
void plane_commit(struct plane *p);

/** Forgets the one that is prepared; harmless if none is. */
void plane_cancel(struct plane *p);

/** Gives a port, which must have no networks, its client's entry in the plane's configuration. */
void plane_join(struct plane_port *port, const struct weft_tunnel_client *conf);

/**
 * Says how a client does, each second or so: exits are chosen by it. rtt_ns is 0 where nobody
 * has measured.
 */
void plane_set_health(struct plane_port *port, bool is_connected, uint64_t rtt_ns,
		      uint32_t loss_permille, uint64_t now);

/** Sees to what ages; to be called each second or so. */
void plane_tick(struct plane *p, uint64_t now);

/** Packets, or frames, that went no further, by whatever name. */
uint64_t plane_dropped(const struct plane *p);

/**
 * Says what becomes of a packet between two addresses, as weft_router_explain does, if all
 * exits are good. Returns 0, -EINVAL, or -ENOENT with mode ethernet. party_of_port (policy.h)
 * says whose ports the verdict names.
 */
int plane_explain(struct plane *p, const struct weft_ip *src, const struct weft_ip *dst,
		  struct weft_router_verdict *ret_verdict) WEFT_MUST_CHECK;

/** {"packets": {outcome: how many}}, and what else the plane has; for json_object_update_new. */
json_t *plane_json(const struct plane *p, uint64_t now);

/** {"packets": {outcome: how many of those that came from the client}} */
json_t *plane_port_json(const struct plane_port *port, uint64_t now);

#endif
