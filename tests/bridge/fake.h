/* SPDX-License-Identifier: MIT */
/*
 * A link that remembers what was sent into it and delivers what a test hands it, and small
 * frames to go with it: addresses are numbers (3 is 02:00:00:00:00:03), and each frame
 * carries a number to be known by.
 */
#ifndef TESTS_BRIDGE_FAKE_H
#define TESTS_BRIDGE_FAKE_H

#include "link/link.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define FAKE_SENT_MAX  512u
#define FAKE_FRAME_LEN 60u

/* Numbers that stand for special addresses. */
#define MAC_ZERO      0xffff0000u
#define MAC_BROADCAST 0xffff0001u
#define MAC_RESERVED  0xffff0002u /* 01:80:C2:00:00:0E, LLDP. */

struct fake_link {
	struct weft_link link;
	struct weft_frame sent[FAKE_SENT_MAX]; /* data is not to be read. */
	unsigned serials[FAKE_SENT_MAX];
	size_t sent_n;
	size_t calls; /* of send. */
	void (*on_send)(void *user);
	void *on_send_user;
};

/* An Ethernet link that takes super-frames whole if flags say so. */
void fake_init(struct fake_link *fake, unsigned flags);
void fake_fini(struct fake_link *fake);
void fake_clear(struct fake_link *fake);

struct weft_mac test_mac(unsigned number);

/* A frame in a buffer of its own: bytes of FAKE_FRAME_LEN. */
struct weft_frame test_frame(uint8_t bytes[FAKE_FRAME_LEN], unsigned dst, unsigned src,
			     unsigned serial);

/* Lets one frame come in on the link. */
void fake_receive(struct fake_link *fake, unsigned dst, unsigned src, uint64_t now);

#endif
