/* SPDX-License-Identifier: MIT */
/*
 * What all ICMP (RFC 792) and ICMPv6 (RFC 4443) messages begin with.
 *
 *     0               8              16                              31
 *     +---------------+---------------+-------------------------------+
 *     |     type      |     code      |           checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |  rest: identifier and sequence number of an echo, next-hop    |
 *     |  MTU (lower half in ICMP, RFC 1191), pointer, gateway         |
 *     +---------------------------------------------------------------+
 *     |  echo: data;  error: the packet that caused it, cut short
 *
 * The types of the two protocols overlap in value and not in meaning: hence two enums.
 */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICMP_LEN 8u /**< Header in bytes, that of ICMPv6 with the first 4 of its body. */

/* Offsets in bytes. */
#define ICMP_OFF_TYPE 0u
#define ICMP_OFF_CODE 1u
#define ICMP_OFF_CSUM 2u
#define ICMP_OFF_REST 4u

enum icmp4_type {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_SOURCE_QUENCH = 4, /**< Deprecated (RFC 6633). */
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_ROUTER_ADVERT = 9,
	ICMP4_ROUTER_SOLICIT = 10,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAM_PROBLEM = 12,
};

/** Code of ICMP4_UNREACHABLE whose lower half of rest is the next hop's MTU. */
#define ICMP4_CODE_FRAG_NEEDED 4u

enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_PACKET_TOO_BIG = 2, /**< rest is the MTU. */
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAM_PROBLEM = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130,
	ICMP6_MLD_REPORT = 131,
	ICMP6_MLD_DONE = 132,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGHBOR_SOLICIT = 135,
	ICMP6_NEIGHBOR_ADVERT = 136,
	ICMP6_REDIRECT = 137,
	ICMP6_MLD2_REPORT = 143,
};

/** The types of an echo request and its reply in either version. */
static inline uint8_t icmp_echo_type(bool is_ip6)
{
	return is_ip6 ? (uint8_t)ICMP6_ECHO : (uint8_t)ICMP4_ECHO;
}

static inline uint8_t icmp_echo_reply_type(bool is_ip6)
{
	return is_ip6 ? (uint8_t)ICMP6_ECHO_REPLY : (uint8_t)ICMP4_ECHO_REPLY;
}

struct icmp_hdr {
	uint8_t type; /**< enum icmp4_type or enum icmp6_type. */
	uint8_t code;
	uint16_t csum;
	uint32_t rest;
};

/** Reads a header. Returns 8, or -EBADMSG when it is shorter. No checksum is looked at. */
int icmp_hdr_parse(const uint8_t *data, size_t len,
		   struct icmp_hdr *ret_hdr) WEFT_MUST_CHECK;

/** Writes a header with csum as it is given; returns 8, or -ENOBUFS. */
int icmp_hdr_emit(uint8_t *buf, size_t len, const struct icmp_hdr *hdr) WEFT_MUST_CHECK;

static inline uint16_t icmp_echo_id(const struct icmp_hdr *hdr)
{
	return (uint16_t)(hdr->rest >> 16);
}

static inline uint16_t icmp_echo_seq(const struct icmp_hdr *hdr)
{
	return (uint16_t)hdr->rest;
}

/** What rest of an echo or its reply is. */
static inline uint32_t icmp_echo_rest(uint16_t id, uint16_t seq)
{
	return (uint32_t)id << 16 | seq;
}

/** True for the messages that quote a packet, about which no error may be sent. */
static inline bool icmp4_is_error(uint8_t type)
{
	return type == ICMP4_UNREACHABLE || type == ICMP4_REDIRECT ||
	       type == ICMP4_SOURCE_QUENCH || type == ICMP4_TIME_EXCEEDED ||
	       type == ICMP4_PARAM_PROBLEM;
}

/** The same for ICMPv6 (RFC 4443, 2.1: types below 128). */
static inline bool icmp6_is_error(uint8_t type)
{
	return type < 128;
}

#endif
