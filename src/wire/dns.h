/* SPDX-License-Identifier: MIT */
/*
 * DNS messages (RFC 1035, 4), with what RFC 6891 adds for longer datagrams.
 *
 *     +--------+--------+--------+--------+--------+--------+
 *     |   id   | flags  |   qd   |   an   |   ns   |   ar   |   how many of each
 *     +--------+--------+--------+--------+--------+--------+
 *     | question: name, type, class                    * qd |
 *     | record:   name, type, class, ttl, length, data * an, ns, ar
 *
 *     flags     QR | opcode, 4 | AA | TC | RD | RA | 0 | AD | CD | rcode, 4
 *     name      3 w w w 4 w e f t 0      or, from any label on, 11 | offset of an earlier name
 *
 * All readers run over the whole message, which is what the offsets in names count from. Names
 * are kept as they stand on the wire, without pointers and in lower case: equal names are equal
 * bytes. Nothing in here assumes that a name is a text.
 */
#ifndef WIRE_DNS_H
#define WIRE_DNS_H

#include "wire/cursor.h"

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_PORT         53u
#define DNS_HDR_LEN      12u
#define DNS_NAME_LEN_MAX 255u /**< On the wire, with the root's 0. */
#define DNS_LABEL_MAX    63u
#define DNS_NAME_TEXT    1008u /**< Bytes of a name as text, with its NUL. */
#define DNS_OPT_LEN      11u   /**< Of an OPT record without options. */
#define DNS_CLASS_IN     1u

/**
 * Longest datagram that is asked for and sent: what fits into an unfragmented packet on any
 * path of IPv6 (the value that resolvers agreed on in 2020).
 */
#define DNS_UDP_LEN_MAX   1232u
#define DNS_UDP_LEN_OLD   512u /**< For who does not speak EDNS (RFC 1035, 4.2.1). */
#define DNS_QUERY_LEN_MAX (DNS_HDR_LEN + DNS_NAME_LEN_MAX + 4u + DNS_OPT_LEN)

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_ANY = 255,
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
};

/** A name as on the wire, uncompressed and in lower case. len 0: none. */
struct dns_name {
	uint8_t len; /**< With the root's 0. */
	uint8_t octet[DNS_NAME_LEN_MAX];
};

struct dns_hdr {
	uint16_t id;
	bool is_response;
	uint8_t opcode; /**< 0: a query. */
	bool authoritative, truncated, recursion_desired, recursion_available;
	uint8_t rcode; /**< enum dns_rcode and others; its lower four bits. */
	uint16_t questions_n, answers_n, authorities_n, additionals_n;
};

struct dns_question {
	struct dns_name name;
	uint16_t type, class;
};

struct dns_record {
	struct dns_name name;
	uint16_t type, class;
	uint32_t ttl_s; /**< 0 where the sender's is negative (RFC 2181, 8). */
	/** At its data, and ending with them, in the whole message. */
	struct reader data;
};

/* ---- names ------------------------------------------------------------------------------- */

/**
 * Reads "www.weft.example" or "www.weft.example." ("." is the root). Returns 0, or -EINVAL for
 * an empty label, one of more than 63 bytes, or more than 255 in all.
 */
int dns_name_of_text(const char *text, struct dns_name *ret_name) WEFT_MUST_CHECK;

/** As text, without a dot at the end; what is no letter, digit, "-" or "_" as \DDD. Returns buf. */
const char *dns_name_print(const struct dns_name *name, char buf[DNS_NAME_TEXT]);

/**
 * As text into buf of len bytes, for those who write it into a file or a command line: false for
 * the root, for no name, and where a label has other bytes than letters, digits, "-" and "_", or
 * the text does not fit with its NUL; then buf is empty.
 */
bool dns_name_print_plain(const struct dns_name *name, char *buf, size_t len);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/** Whether name is zone or lies in it. All names are in the root; none in no name. */
bool dns_name_is_in(const struct dns_name *name, const struct dns_name *zone);

/** name.zone. Returns 0 or -EINVAL where that is too long. */
int dns_name_join(const struct dns_name *name, const struct dns_name *zone,
		  struct dns_name *ret_name) WEFT_MUST_CHECK;

/**
 * Reads a name, wherever its labels stand. A pointer leads to what is before the piece that it
 * ends, so that there is an end. Returns 0 or -EBADMSG; then r is bad.
 */
int dns_name_parse(struct reader *r, struct dns_name *ret_name) WEFT_MUST_CHECK;

/**
 * Reads a name that may have no pointers, as DHCPv6 and router advertisements have them
 * (RFC 8415, 10; RFC 8106, 5.2). Returns 0 or -EBADMSG; then r is bad.
 */
int dns_name_parse_whole(struct reader *r, struct dns_name *ret_name) WEFT_MUST_CHECK;

/** Writes a name, uncompressed. */
void dns_name_emit(struct writer *w, const struct dns_name *name);

/* ---- messages ---------------------------------------------------------------------------- */

/** Each returns 0, or -EBADMSG where the message ends before. r begins with the message. */
int dns_hdr_parse(struct reader *r, struct dns_hdr *ret_hdr) WEFT_MUST_CHECK;
int dns_question_parse(struct reader *r,
		       struct dns_question *ret_question) WEFT_MUST_CHECK;
int dns_record_parse(struct reader *r, struct dns_record *ret_record) WEFT_MUST_CHECK;

void dns_hdr_emit(struct writer *w, const struct dns_hdr *hdr);
void dns_question_emit(struct writer *w, const struct dns_question *question);

/**
 * Writes all of a record but its data, of which there will be data_len bytes. A name of len 0
 * stands for that of the message's question, and is a pointer to it.
 */
void dns_record_emit(struct writer *w, const struct dns_record *record, size_t data_len);

/** Writes an OPT record: datagrams of DNS_UDP_LEN_MAX bytes are welcome. */
void dns_opt_emit(struct writer *w);

/**
 * Writes a query for a recursive server. Returns its length, at most DNS_QUERY_LEN_MAX, or
 * -ENOBUFS.
 */
int dns_query_emit(uint8_t *buf, size_t len, uint16_t id,
		   const struct dns_question *question, bool has_edns) WEFT_MUST_CHECK;

/* ---- answers ----------------------------------------------------------------------------- */

#define DNS_ADDRESSES_MAX 8u /**< Most that are taken of one answer. */
#define DNS_ALIASES_MAX   8u /**< Most CNAMEs that are followed. */

/** What a server says to a question for A or AAAA. */
struct dns_answer {
	uint8_t rcode;
	bool truncated;       /**< Ask again by TCP; nothing else counts. */
	struct dns_name name; /**< Where the aliases end; the question's without any. */
	unsigned aliases_n;   /**< That led there. */
	bool has_soa;         /**< The server knows that there is no address. */
	unsigned addresses_n;
	struct weft_ip addresses[DNS_ADDRESSES_MAX];
	uint32_t ttl_s; /**< Of the addresses and aliases; of their absence (RFC 2308). */
};

/**
 * Reads the answer to the query with that id and question. Records of other names, types and
 * classes are passed over. Returns 0; -ENOMSG where it is another's answer, or none; -EBADMSG
 * where it ends too early, or aliases lead in a circle or through more than DNS_ALIASES_MAX.
 */
int dns_answer_parse(const uint8_t *data, size_t len, uint16_t id,
		     const struct dns_question *question,
		     struct dns_answer *ret_answer) WEFT_MUST_CHECK;

#endif
