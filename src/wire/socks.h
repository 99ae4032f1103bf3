/* SPDX-License-Identifier: MIT */
/*
 * SOCKS 5 (RFC 1928) and its passwords (RFC 1929), as a server sees them.
 *
 *     client                                                        server
 *       | greeting:  5 | n | method[n]                                |
 *       |------------------------------------------------------------>|
 *       |<-------------------------------- 5 | method, or 255 for none |
 *       | password:  1 | n | user[n] | n | password[n]                |  (method 2)
 *       |------------------------------------------------------------>|
 *       |<------------------------------------------ 1 | 0, or 1 for no |
 *       | request:   5 | command | 0 | address                        |
 *       |------------------------------------------------------------>|
 *       |<-------------------------------- 5 | reply | 0 | address      |  (BIND: two of them)
 *
 *     address:   1 | IPv4[4] | port u16     3 | n | name[n] | port u16     4 | IPv6[16] | port u16
 *     datagram:  0 0 | fragment | address | data
 *
 * Parsers of the stream return how many bytes the message has, 0 while it is not whole, or
 * -EBADMSG: they can be tried again with each byte that comes.
 */
#ifndef WIRE_SOCKS_H
#define WIRE_SOCKS_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest message of a client (a password), and of the server. */
#define SOCKS_MESSAGE_MAX         513u
#define SOCKS_REPLY_MAX           22u
/** Longest header of a datagram to a client. */
#define SOCKS_DATAGRAM_HEADER_MAX 22u

enum socks_method {
	SOCKS_METHOD_NONE = 0,
	SOCKS_METHOD_PASSWORD = 2,
	SOCKS_NO_METHOD = 255
};

enum socks_command { SOCKS_CONNECT = 1, SOCKS_BIND = 2, SOCKS_UDP_ASSOCIATE = 3 };

enum socks_reply {
	SOCKS_SUCCEEDED,
	SOCKS_FAILURE,
	SOCKS_NOT_ALLOWED,
	SOCKS_NETWORK_UNREACHABLE,
	SOCKS_HOST_UNREACHABLE,
	SOCKS_REFUSED,
	SOCKS_TTL_EXPIRED,
	SOCKS_NO_COMMAND,
	SOCKS_NO_ADDRESS_TYPE,
};

/** An address, or a name. */
struct socks_address {
	struct weft_ip ip; /**< family 0: name is the host's. */
	char name[256];    /**< Of letters, digits, '-', '_' and '.' only. */
	uint16_t port;
};

/** Reads a greeting: which of the two methods are offered. */
int socks_greeting_parse(const uint8_t *data, size_t len, bool *ret_has_none,
			 bool *ret_has_password) WEFT_MUST_CHECK;

/** Borrowed from the message. */
struct socks_password {
	const uint8_t *user, *password;
	uint8_t user_len, password_len;
};

int socks_password_parse(const uint8_t *data, size_t len,
			 struct socks_password *ret_password) WEFT_MUST_CHECK;

struct socks_request {
	uint8_t command;
	struct socks_address address;
};

/** -EAFNOSUPPORT for an unknown type of address. */
int socks_request_parse(const uint8_t *data, size_t len,
			struct socks_request *ret_request) WEFT_MUST_CHECK;

/** Writes a reply with the address (NULL: 0.0.0.0:0). Returns its length. */
size_t socks_reply_emit(uint8_t buf[SOCKS_REPLY_MAX], enum socks_reply reply,
			const union weft_sockaddr *address);

/**
 * Reads the header of a whole datagram. Returns its length, behind which the data are, or
 * -EBADMSG; fragments, which nobody has to take (RFC 1928, 7), are -ENOTSUP.
 */
int socks_datagram_parse(const uint8_t *data, size_t len,
			 struct socks_address *ret_address) WEFT_MUST_CHECK;

/** Writes the header of a datagram that came from there. Returns its length. */
size_t socks_datagram_emit(uint8_t buf[SOCKS_DATAGRAM_HEADER_MAX],
			   const union weft_sockaddr *from);

#endif
