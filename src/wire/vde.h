/* SPDX-License-Identifier: MIT */
/*
 * What a VDE switch and its plugs say to each other on the control socket (VDE 2, "ctl"):
 * the plug sends a request that names its data socket, the switch answers with the name of
 * its own. From there on frames travel as bare datagrams between the two.
 *
 *     0       4         8            12                         122
 *     +-------+---------+------------+--------------------------+----------------
 *     | magic | version | type, port | sockaddr_un              | description
 *     +-------+---------+------------+--------------------------+----------------
 *                        8 bit, 24     family, path of 108        at most 128, any end
 *
 * The answer is a sockaddr_un alone. Both sides run on one machine, so numbers are in its own
 * order and the addresses as Linux lays them out. Nothing says how long the description is: it
 * ends where the request's one write ended.
 */
#ifndef WIRE_VDE_H
#define WIRE_VDE_H

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define VDE_MAGIC           0xfeedfaceu
#define VDE_VERSION         3u
#define VDE_PATH_LEN        108u /**< sun_path, with the NUL that it must have. */
#define VDE_ADDRESS_LEN     110u
#define VDE_REQUEST_LEN     122u /**< Up to the description. */
#define VDE_DESCRIPTION_LEN 128u
#define VDE_REQUEST_LEN_MAX (VDE_REQUEST_LEN + VDE_DESCRIPTION_LEN)

/** Highest port that a request can ask for; 0 leaves the choice to the switch. */
#define VDE_PORT_MAX 0x7fffffu

/* Offsets in bytes. */
#define VDE_OFF_MAGIC       0u
#define VDE_OFF_VERSION     4u
#define VDE_OFF_TYPE        8u
#define VDE_OFF_ADDRESS     12u
#define VDE_OFF_DESCRIPTION 122u

enum vde_type {
	VDE_NEW_CONTROL = 0, /**< An ordinary port. */
	VDE_NEW_PORT0 = 1,   /**< The management's port. */
};

struct vde_request {
	uint8_t type;                              /**< enum vde_type. */
	uint32_t port;                             /**< 0..VDE_PORT_MAX. */
	char path[VDE_PATH_LEN];                   /**< Of the plug's data socket. */
	char description[VDE_DESCRIPTION_LEN + 1]; /**< Printable ASCII. */
};

/**
 * Reads a request. Returns 0; -EPROTONOSUPPORT for another version; -EBADMSG when it is too
 * short or wrong in anything else: magic, type, family, a path that is empty or has no end.
 */
int vde_request_parse(const uint8_t *data, size_t len,
		      struct vde_request *ret_request) WEFT_MUST_CHECK;

/** Writes a request into VDE_REQUEST_LEN_MAX bytes; returns its length. */
size_t vde_request_emit(uint8_t buf[VDE_REQUEST_LEN_MAX],
			const struct vde_request *request);

/** Reads the answer: the path of the switch's data socket. Returns 0 or -EBADMSG. */
int vde_address_parse(const uint8_t *data, size_t len,
		      char ret_path[VDE_PATH_LEN]) WEFT_MUST_CHECK;

/** Writes an answer. path must be shorter than VDE_PATH_LEN. */
void vde_address_emit(uint8_t buf[VDE_ADDRESS_LEN], const char *path);

#endif
