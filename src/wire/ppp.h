/* SPDX-License-Identifier: MIT */
/*
 * What PPP carries: the protocol field (RFC 1661, 2), the packets that negotiate (LCP of
 * RFC 1661, IPCP of RFC 1332, both alike), their options, and PAP (RFC 1334).
 *
 *     +----------+------+----+--------+-------------------------------+
 *     | protocol | code | id | length | data                          |   a control packet
 *     +----------+------+----+--------+-------------------------------+
 *       2 (or 1)    1     1      2     |<- length - 4                ->|   behind it: padding
 *
 *     +------+--------+--------------+------+--------+--
 *     | type | length | value        | type | length | ...           options in the data of
 *     +------+--------+--------------+------+--------+--             Configure-...
 *       1       1      length - 2
 */
#ifndef WIRE_PPP_H
#define WIRE_PPP_H

#include "wire/cursor.h"

#include <weft/frame.h>

#include <stddef.h>
#include <stdint.h>

#define PPP_HDR_LEN    2u    /**< The protocol field as it is sent, in bytes. */
#define PPP_PACKET_LEN 4u    /**< Code, identifier and length. */
#define PPP_OPTION_LEN 2u    /**< Type and length. */
#define PPP_MRU        1500u /**< The information that anybody takes without being asked. */

enum ppp_protocol {
	PPP_IP4 = 0x0021,
	PPP_IP6 = 0x0057,
	PPP_IPCP = 0x8021,
	PPP_LCP = 0xc021,
	PPP_PAP = 0xc023,
	PPP_CHAP = 0xc223,
};

/** Codes of LCP; IPCP has those up to Code-Reject. */
enum ppp_code {
	PPP_CONFIGURE_REQUEST = 1,
	PPP_CONFIGURE_ACK = 2,
	PPP_CONFIGURE_NAK = 3,
	PPP_CONFIGURE_REJECT = 4,
	PPP_TERMINATE_REQUEST = 5,
	PPP_TERMINATE_ACK = 6,
	PPP_CODE_REJECT = 7,
	PPP_PROTOCOL_REJECT = 8,
	PPP_ECHO_REQUEST = 9,
	PPP_ECHO_REPLY = 10,
	PPP_DISCARD_REQUEST = 11,
	PPP_IDENTIFICATION = 12, /**< RFC 1570. */
	PPP_TIME_REMAINING = 13, /**< RFC 1570. */
};

enum pap_code {
	PAP_REQUEST = 1,
	PAP_ACK = 2,
	PAP_NAK = 3,
};

/** Options of LCP (RFC 1661, 6; ACCM: RFC 1662, 7.1). */
enum lcp_option {
	LCP_MRU = 1,   /**< 16 bits. */
	LCP_ACCM = 2,  /**< 32 bits. */
	LCP_AUTH = 3,  /**< A protocol, and what it needs more. */
	LCP_MAGIC = 5, /**< 32 bits. */
	LCP_PFC = 7,   /**< Protocol field compression; no value. */
	LCP_ACFC = 8,  /**< Address and control field compression; no value. */
};

/** Options of IPCP (RFC 1332, 3; DNS: RFC 1877). Addresses are 32 bits. */
enum ipcp_option {
	IPCP_ADDRESS = 3,
	IPCP_DNS1 = 129,
	IPCP_DNS2 = 131,
};

/**
 * Reads the protocol field, which is one octet where it is odd (RFC 1661, 6.5). Returns its
 * length, or -EBADMSG when it is cut short or even in the end.
 */
int ppp_hdr_parse(const uint8_t *data, size_t len,
		  uint16_t *ret_protocol) WEFT_MUST_CHECK;

/** Writes the field, uncompressed. Returns 2, or -ENOBUFS. */
int ppp_hdr_emit(uint8_t *buf, size_t len, uint16_t protocol) WEFT_MUST_CHECK;

/** One control packet; data is borrowed. */
struct ppp_packet {
	uint8_t code, id;
	const uint8_t *data;
	size_t len; /**< Of data. */
};

/**
 * Reads the packet behind the protocol field. Octets behind its length are padding. Returns
 * the length, or -EBADMSG when that is below 4 or past the end.
 */
int ppp_packet_parse(const uint8_t *data, size_t len,
		     struct ppp_packet *ret_packet) WEFT_MUST_CHECK;

/** Writes a packet; returns its length, or -ENOBUFS. */
int ppp_packet_emit(uint8_t *buf, size_t len,
		    const struct ppp_packet *packet) WEFT_MUST_CHECK;

/** One option; value is borrowed, and NULL where len is 0. */
struct ppp_option {
	uint8_t type;
	uint8_t len; /**< Of the value. */
	const uint8_t *value;
};

/**
 * Moves to the next option of a list. Returns 1; 0 at the end; -EBADMSG when a length is
 * below 2 or past the end.
 */
int ppp_option_next(struct reader *r, struct ppp_option *ret_option) WEFT_MUST_CHECK;

/** Appends an option as it stands, or with a number as its value. */
void ppp_option_put(struct writer *w, const struct ppp_option *option);
void ppp_option_put_u16(struct writer *w, uint8_t type, uint16_t value);
void ppp_option_put_u32(struct writer *w, uint8_t type, uint32_t value);

/** The value as a number; 0 if it has another length. */
uint16_t ppp_option_u16(const struct ppp_option *option);
uint32_t ppp_option_u32(const struct ppp_option *option);

/** Who a peer says it is: any bytes, borrowed, not ended by NUL. */
struct pap_request {
	const uint8_t *name, *password;
	uint8_t name_len, password_len;
};

/** Reads the data of a PAP_REQUEST. Returns 0, or -EBADMSG when a length goes past the end. */
int pap_request_parse(const uint8_t *data, size_t len,
		      struct pap_request *ret_request) WEFT_MUST_CHECK;

#endif
