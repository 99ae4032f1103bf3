/* SPDX-License-Identifier: MIT */
/*
 * What a server of DOSBox's IPX and a client of one have in common.
 */
#ifndef LINK_DOSBOX_H
#define LINK_DOSBOX_H

#include "wire/ipx.h"

#include <weft/addr.h>
#include <weft/frame.h>

/**
 * Makes an Ethernet frame of a frame that holds a bare IPX packet with the header hdr, using
 * its headroom. Returns 1, or -EBADMSG if the packet is too long for Ethernet.
 */
int dosbox_frame(struct weft_frame *frame, enum ipx_framing framing,
		 const struct ipx_hdr *hdr);

/** The node that a server gives the peer at an address: a locally administered MAC. */
struct weft_mac dosbox_node(const union weft_sockaddr *addr);

#endif
