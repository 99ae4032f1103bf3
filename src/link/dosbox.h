/* SPDX-License-Identifier: MIT */
/*
 * What a server of DOSBox's IPX and a client of one have in common: the way between bare IPX
 * packets and Ethernet frames, and nodes that are made of addresses.
 */
#ifndef LINK_DOSBOX_H
#define LINK_DOSBOX_H

#include "link/local.h"
#include "link/packets.h"
#include "link/plug.h"
#include "wire/ether.h"
#include "wire/ipx.h"

#include <weft/addr.h>
#include <weft/frame.h>

#define DOSBOX_FRAME_LEN_MAX (ETHER_LEN + 1500u)

struct dosbox_opts {
	enum ipx_framing framing; /**< Of frames for the bridge. */
	bool follows;             /**< It is that of what was heard last from there. */
	uint64_t idle_ns;         /**< Who is silent for so long has gone; 0: never. */
	struct weft_mac station; /**< With connect: whom it is for; zero for the first. */
};

/**
 * Makes an Ethernet frame of a frame that holds a bare IPX packet with the header hdr, using
 * its headroom. Returns 1, or -EBADMSG if the packet is too long for Ethernet.
 */
int dosbox_frame(struct weft_frame *frame, enum ipx_framing framing,
		 const struct ipx_hdr *hdr);

/** Finds IPX in a frame of the bridge's, and follows its framing. 0, or -EBADMSG for none. */
int dosbox_place(struct dosbox_opts *opts, const struct weft_frame *frame,
		 struct ipx_place *ret_place) WEFT_MUST_CHECK;

/** Everybody, or a node that is neither zero nor a group. */
bool dosbox_may_be_sent_to(struct weft_mac node);

/** Sends a packet that is a header only. */
void dosbox_say(struct packets *p, const struct ipx_hdr *hdr);

/** IPv4 address and port as a node, which is how DOSBox makes nodes. */
struct weft_mac dosbox_node(const union weft_sockaddr *addr);

/** A node as a MAC: its first octet becomes that of a locally administered unicast address. */
struct weft_mac dosbox_mac(struct weft_mac node);

/** The connecting form. Returns 0 or -ENOMEM. */
int dosbox_client_plug(const struct local_opts *opts,
		       const struct dosbox_opts *dosbox_opts, const char *kind,
		       struct weft_plug **ret_plug) WEFT_MUST_CHECK;

#endif
