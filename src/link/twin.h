/* SPDX-License-Identifier: MIT */
/*
 * A plug between two fixed addresses: datagrams come in at its own and go out to the other,
 * and neither side is a server. Two UNIX paths (QEMU's dgram, VDE's P and P+, vfkit's client)
 * or two UDP ports.
 *
 *     own path --bound--> socket --connect--> other path
 *                                   '-- not there yet: again each second, and when a datagram
 *                                       comes, which is a sign that it is there now
 */
#ifndef LINK_TWIN_H
#define LINK_TWIN_H

#include "link/dial.h"

struct twin_opts {
	const char *kind;
	struct local_opts own; /**< Where it is bound; queue, mode and owner count too. */
	struct local_address other;
	const struct packets_ops *packets; /**< NULL: bare frames. */
	const char *hello; /**< Sent first when it is up; NULL for nothing. */
	bool is_patient;   /**< That nobody is there yet is no trouble. */
};

/** Makes the plug; nothing is opened before it is run. Returns 0 or -ENOMEM. */
int twin_new(const struct twin_opts *opts, struct weft_plug **ret_plug) WEFT_MUST_CHECK;

#endif
