/* SPDX-License-Identifier: MIT */
/*
 * What hosts and routers of one network say to each other about multicast groups: IGMP over
 * IPv4 (RFC 1112, 2236, 3376) and MLD over IPv6 (RFC 2710, 3810), which is the same protocol
 * with longer addresses. MLDv1 is called version 2 here and MLDv2 version 3, as of IGMP.
 *
 *     query         "who is in which group?"     to 224.0.0.1, ff02::1, or the group asked for
 *     report        "I am in this group"         to the group (1, 2), 224.0.0.22, ff02::16 (3)
 *     leave         "I was in this group"        to 224.0.0.2, ff02::2; version 3 reports it
 *
 *     IGMP 1, 2   | type | max | checksum | group |
 *     IGMP 3      | 0x22 |  -  | checksum | -, records | type, aux, sources, group, ... | ...
 *     MLD         | ICMPv6 header | max, - or -, records | ...
 *
 * A message says what its sender wants; a record of version 3 may also list senders that it
 * wants to hear, which nobody here looks at: whoever wants some wants the group.
 */
#ifndef WIRE_IGMP_H
#define WIRE_IGMP_H

#include "wire/cursor.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest query frame that igmp_query_emit makes, in bytes. */
#define IGMP_QUERY_FRAME_MAX 96u

/** An IGMP message of version 1 or 2, and what one of version 3 begins with, in bytes. */
#define IGMP_LEN 8u

enum igmp_type {
	IGMP_TYPE_QUERY = 0x11,
	IGMP_TYPE_REPORT1 = 0x12,
	IGMP_TYPE_REPORT2 = 0x16,
	IGMP_TYPE_LEAVE = 0x17,
	IGMP_TYPE_REPORT3 = 0x22,
};

/** Types of a record (RFC 3376, 4.2.12; RFC 3810, 5.2.12). */
enum igmp_record_type {
	IGMP_RECORD_IS_INCLUDE = 1,
	IGMP_RECORD_IS_EXCLUDE = 2,
	IGMP_RECORD_TO_INCLUDE = 3,
	IGMP_RECORD_TO_EXCLUDE = 4,
	IGMP_RECORD_ALLOW = 5,
	IGMP_RECORD_BLOCK = 6,
};

enum igmp_kind { IGMP_QUERY, IGMP_REPORT, IGMP_LEAVE };

struct igmp_msg {
	enum igmp_kind kind;
	uint8_t family;     /**< AF_INET for IGMP, AF_INET6 for MLD. */
	bool is_general;    /**< A query about all groups. */
	bool has_records;   /**< Version 3: the groups are in records. */
	unsigned records_n; /**< Groups that igmp_next has not shown yet. */
	struct reader rest; /**< Borrowed from the frame: what igmp_next reads. */
};

/** One group of a report or a leave. */
struct igmp_record {
	struct weft_ip group;
	bool is_member; /**< Or was. */
};

/**
 * Finds a message in an untagged Ethernet frame. Returns 0; -ENOMSG where there is none;
 * -EBADMSG where one is not as it has to be: cut short, with a wrong checksum, MLD from
 * beyond the link (RFC 3810, 5).
 */
int igmp_find(const struct weft_frame *frame, struct igmp_msg *ret_msg) WEFT_MUST_CHECK;

/** The next group of a report or leave; false at its end, or where it is cut short. */
bool igmp_next(struct igmp_msg *msg, struct igmp_record *ret_record);

/** The group that a frame of IP goes to; false for anything else, and for tagged frames. */
bool igmp_group_of(const struct weft_frame *frame, struct weft_ip *ret_group);

/** What a general query says of who asks. */
struct igmp_querier {
	struct weft_mac mac; /**< MLD's address is the link-local one of it. */
	uint32_t ip4;        /**< 0 for a switch that has none (RFC 4541, 2.1.1). */
	unsigned interval_s; /**< Between two queries, below 128. */
	unsigned answer_ms;  /**< What hosts have for their answers, below 12,800. */
};

/** Writes the frame of a general query of version 3 for the family; returns its length. */
size_t igmp_query_emit(uint8_t buf[IGMP_QUERY_FRAME_MAX], uint8_t family,
		       const struct igmp_querier *querier);

#endif
