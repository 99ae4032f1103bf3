/* SPDX-License-Identifier: MIT */
/*
 * What stands on the bridge for a client: the plug's link itself, as a rule. A modem's link
 * gets an end point around it that makes an Ethernet host of it, and a client whose frames
 * are to be shown, a watch:
 *
 *     bridge --- [ watch ] --- [ modem's end point --- loan ] --- the plug's link
 *
 * The end point owns what it stands around, and the plug's link is the plug's: so there is a
 * loan between the two, a watch that nobody looks through.
 */
#ifndef SERVE_FACE_H
#define SERVE_FACE_H

#include <weft/link.h>

struct serve_client;

struct face {
	/** On the bridge; the plug's own where nothing is around. */
	struct weft_link *link;
	struct weft_link *modem; /**< NULL where the client is none. */
	unsigned modem_number;   /**< From 0 on: which of the addresses it has. */
};

/** Makes the face of a client whose link is known. Returns 0, -ENOSPC (no address), -ENOMEM. */
int face_init(struct serve_client *client) WEFT_MUST_CHECK;

/** Takes it away. The port must be off the bridge. */
void face_fini(struct serve_client *client);

#endif
