/* SPDX-License-Identifier: MIT */
/*
 * A name server for one domain (RFC 1035), whose names somebody else knows: those of a room's
 * members. Frames go in, answers come out, and nothing else is done.
 *
 *     alice.friday.weft  A            100.64.7.2           as find says
 *     2.7.64.100.in-addr.arpa  PTR    alice.friday.weft    as name_of says
 *     all else                        REFUSED
 *
 * It asks nobody, so that a client that has another network, too, goes on to ask there.
 */
#ifndef SERVICE_DNSD_H
#define SERVICE_DNSD_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNSD_ADDRESSES_MAX 8u
#define DNSD_NAME_TEXT     64u /**< Bytes of a name without the domain, with its NUL. */

/** Longest frame of an answer. */
#define DNSD_FRAME_LEN_MAX (14u + 20u + 8u + 1232u)

/** How a frame can end. Each is counted. */
enum dnsd_outcome {
	DNSD_NOT_DNS,  /**< Not to the server's address and port. */
	DNSD_ANSWERED, /**< With what was asked for. */
	DNSD_NO_NAME, /**< Nobody has that name or address, or it has nothing of that type. */
	DNSD_REFUSED, /**< Another domain, or no query. */
	DNSD_DROP_MALFORMED,
	DNSD_OUTCOMES
};

/** "answered", "no-name" and the like. */
const char *dnsd_outcome_name(enum dnsd_outcome outcome);

struct dnsd_opts {
	struct weft_mac mac; /**< The server's. */
	uint32_t address;    /**< The server's; names are in its /24. */
	const char *domain;
	/** Finds the addresses of a name, which is in lower case. Returns how many. */
	size_t (*find)(void *user, const char *name,
		       uint32_t ret_addresses[DNSD_ADDRESSES_MAX]);
	/** Finds the name of an address; false for none. */
	bool (*name_of)(void *user, uint32_t address, char ret_name[DNSD_NAME_TEXT]);
	void *user;
};

struct dnsd;

/** opts are copied. Returns 0, -EINVAL for what is no domain, or -ENOMEM. */
int dnsd_new(const struct dnsd_opts *opts, struct dnsd **ret_dnsd) WEFT_MUST_CHECK;

/** NULL is allowed. */
void dnsd_free(struct dnsd *d);

/** Takes a frame. Returns the length of the answer's frame in reply; 0 for none. */
size_t dnsd_input(struct dnsd *d, const struct weft_frame *frame,
		  uint8_t reply[DNSD_FRAME_LEN_MAX]);

uint64_t dnsd_count(const struct dnsd *d, enum dnsd_outcome outcome);

#endif
