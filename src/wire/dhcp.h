/* SPDX-License-Identifier: MIT */
/*
 * DHCP for IPv4 (RFC 2131) with the options that a client and a small server need
 * (RFC 2132).
 *
 *     0       1       2       3       4               8      10      12
 *     +-------+-------+-------+-------+---------------+-------+-------+
 *     |  op   | htype | hlen  | hops  |      xid      | secs  | flags |
 *     +-------+-------+-------+-------+---------------+-------+-------+
 *     | ciaddr | yiaddr | siaddr | giaddr, 4 each |  chaddr, 16 ...   28
 *     | sname, 64                                                     44
 *     | file, 128                                                    108
 *     | magic 63 82 53 63 | options: code, length, value ... 255     236
 *
 * Where the option field is too small, option 52 says that file and sname hold options too
 * ("overload"), and an option longer than 255 bytes comes in pieces that are joined in the
 * order options, file, sname (RFC 3396).
 */
#ifndef WIRE_DHCP_H
#define WIRE_DHCP_H

#include "wire/dns.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_SERVER_PORT 67u
#define DHCP_CLIENT_PORT 68u

#define DHCP_LEN            240u /**< Fixed part with the magic, in bytes. */
#define DHCP_LEN_MIN        300u /**< Emit pads to BOOTP's length, which relays ask for. */
#define DHCP_LEN_MAX        1536u /**< No message that emit makes is longer. */
#define DHCP_ADDRS_MAX      4u /**< Most routers and name servers taken from one message. */
#define DHCP_TEXT_LEN       256u /**< Bytes of a text with its NUL. */
#define DHCP_PARAMS_MAX     64u
#define DHCP_DOMAIN_LEN_MAX 246u /**< Of domain_dns_domain: what fits into its option. */
#define DHCP_CLIENT_ID_MAX  64u

/* Offsets in bytes. */
#define DHCP_OFF_OP     0u
#define DHCP_OFF_HTYPE  1u
#define DHCP_OFF_HLEN   2u
#define DHCP_OFF_HOPS   3u
#define DHCP_OFF_XID    4u
#define DHCP_OFF_SECS   8u
#define DHCP_OFF_FLAGS  10u
#define DHCP_OFF_CIADDR 12u
#define DHCP_OFF_YIADDR 16u
#define DHCP_OFF_SIADDR 20u
#define DHCP_OFF_GIADDR 24u
#define DHCP_OFF_CHADDR 28u
#define DHCP_OFF_SNAME  44u
#define DHCP_OFF_FILE   108u
#define DHCP_OFF_MAGIC  236u

enum dhcp_op {
	DHCP_OP_REQUEST = 1, /**< Client to server. */
	DHCP_OP_REPLY = 2,
};

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_DECLINE = 4,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
	DHCP_INFORM = 8,
};

enum dhcp_option {
	DHCP_OPT_PAD = 0,
	DHCP_OPT_SUBNET_MASK = 1,
	DHCP_OPT_ROUTER = 3,
	DHCP_OPT_DNS = 6,
	DHCP_OPT_HOST_NAME = 12,
	DHCP_OPT_DOMAIN = 15,
	DHCP_OPT_MTU = 26,
	DHCP_OPT_BROADCAST = 28,
	DHCP_OPT_REQUESTED_IP = 50,
	DHCP_OPT_LEASE = 51,
	DHCP_OPT_OVERLOAD = 52,
	DHCP_OPT_TYPE = 53,
	DHCP_OPT_SERVER_ID = 54,
	DHCP_OPT_PARAMS = 55,
	DHCP_OPT_MESSAGE = 56,
	DHCP_OPT_MAX_LEN = 57,
	DHCP_OPT_RENEWAL = 58,
	DHCP_OPT_REBINDING = 59,
	DHCP_OPT_CLIENT_ID = 61,
	DHCP_OPT_DNS_SELECTION = 146, /**< RFC 6731, 4.3. */
	DHCP_OPT_END = 255,
};

/** One message. Addresses are numbers; in each option 0 (or empty) means absent. */
struct dhcp_msg {
	uint8_t op;   /**< enum dhcp_op. */
	uint8_t type; /**< enum dhcp_type; 0 is plain BOOTP. */
	uint8_t hops;
	uint32_t xid;
	uint16_t secs;
	bool broadcast; /**< The client cannot take unicast before it has its address. */
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	struct weft_mac chaddr;

	uint32_t subnet_mask, broadcast_addr, requested_ip, server_id;
	uint32_t lease_s, renewal_s, rebinding_s;
	uint16_t mtu, len_max;
	uint8_t routers_n, dns_n;
	uint32_t routers[DHCP_ADDRS_MAX], dns[DHCP_ADDRS_MAX];
	/** A name server for the names of one domain alone; of several, the first. */
	uint32_t domain_dns;
	struct dns_name domain_dns_domain;
	uint8_t params_n, client_id_len;
	/** Codes of the options that a client asks for. */
	uint8_t params[DHCP_PARAMS_MAX];
	uint8_t client_id[DHCP_CLIENT_ID_MAX];
	/** As sent: any byte but NUL. So are the next two. */
	char host_name[DHCP_TEXT_LEN];
	char domain[DHCP_TEXT_LEN];
	char message[DHCP_TEXT_LEN]; /**< Why a server says no. */
};

/**
 * Reads a UDP payload. Options that are unknown or whose length is not their own are passed
 * over; longer lists and texts are cut at the sizes above; an end option may be missing.
 * Returns 0; -EBADMSG when it is shorter than 240 bytes, without the magic, has an op that is
 * neither, or an option goes past its field; -EPROTONOSUPPORT for another network than
 * Ethernet.
 */
int dhcp_msg_parse(const uint8_t *data, size_t len,
		   struct dhcp_msg *ret_msg) WEFT_MUST_CHECK;

/**
 * Writes a UDP payload of DHCP_LEN_MIN to DHCP_LEN_MAX bytes, without overload. Returns its
 * length; -ENOBUFS when buf is too small; -EINVAL when a list or a name of msg is
 * longer than it may be.
 */
int dhcp_msg_emit(uint8_t *buf, size_t len, const struct dhcp_msg *msg) WEFT_MUST_CHECK;

/** "DHCPDISCOVER" and the like; "BOOTP" for 0 and "DHCP" for what is not known. */
const char *dhcp_type_name(uint8_t type);

#endif
