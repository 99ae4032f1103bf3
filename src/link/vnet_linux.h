/* SPDX-License-Identifier: MIT */
/*
 * The virtio-net header (VIRTIO 1.2, 5.1.6) that Linux puts before each frame of a TAP, a
 * TUN and an AF_PACKET socket which ask for it, to and from struct weft_offload.
 *
 *   0        1          2         4          6            8             10
 *   | flags  | gso_type | hdr_len | gso_size | csum_start | csum_offset |   frame ...
 *
 * The fields are in the byte order of the machine, as long as nobody asks for another.
 */
#ifndef LINK_VNET_LINUX_H
#define LINK_VNET_LINUX_H

#include <weft/frame.h>

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#define VNET_HDR_LEN ((uint32_t)sizeof(struct virtio_net_hdr))

/**
 * Reads the header in front of a frame of frame_len bytes.
 * Returns 0, or -EBADMSG for facts that cannot be true of such a frame.
 */
int vnet_load(const uint8_t hdr[VNET_HDR_LEN], uint32_t frame_len,
	      struct weft_offload *ret_offload) WEFT_MUST_CHECK;

/** The header to put before a frame. */
struct virtio_net_hdr vnet_hdr(const struct weft_offload *offload);

#endif
