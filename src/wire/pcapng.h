/* SPDX-License-Identifier: MIT */
/*
 * Capture files in the form pcapng (draft-ietf-opsawg-pcapng), as far as one is written: blocks
 * of 32-bit words, each with its length in front and behind.
 *
 *     section header      the byte order, and who wrote it
 *     interface           link type, snap length, name; times are in nanoseconds
 *     enhanced packet     a frame, when it passed and which way; again and again
 *
 * All is little-endian, which the first block says.
 */
#ifndef WIRE_PCAPNG_H
#define WIRE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of a name that are written; what is longer is cut. */
#define PCAPNG_NAME_MAX    64u
/** Room for what a file begins with. */
#define PCAPNG_HEAD_MAX    (128u + 2 * PCAPNG_NAME_MAX)
/** What stands in front of a frame's bytes, and the most behind them. */
#define PCAPNG_PACKET_HEAD 28u
#define PCAPNG_PACKET_TAIL 19u

/* The registry's LINKTYPE_*. */
#define PCAPNG_ETHERNET 1u
#define PCAPNG_PPP      9u
#define PCAPNG_RAW_IP   101u

/** The file's one interface. */
struct pcapng_interface {
	const char *writer; /**< The program, */
	const char *name;   /**< and the interface, in UTF-8. */
	uint16_t link_type;
	uint32_t snap_len;
};

/** A frame; len of it may be less than what passed. */
struct pcapng_packet {
	int64_t at_ns; /**< Since 1970. */
	uint32_t caplen, len;
	bool is_outbound;
};

/** Writes what a file begins with. Returns its length. */
size_t pcapng_head(const struct pcapng_interface *interface,
		   uint8_t ret_bytes[PCAPNG_HEAD_MAX]);

/** Writes what stands in front of a frame's caplen bytes, PCAPNG_PACKET_HEAD bytes. */
void pcapng_packet_head(const struct pcapng_packet *packet,
			uint8_t ret_bytes[PCAPNG_PACKET_HEAD]);

/** Writes what stands behind them. Returns its length. */
size_t pcapng_packet_tail(const struct pcapng_packet *packet,
			  uint8_t ret_bytes[PCAPNG_PACKET_TAIL]);

#endif
