/* SPDX-License-Identifier: MIT */
/*
 * Protocols: who gets the packets that come in on a port, one object per layer.
 *
 *     port (TAP) -- Ethernet --0x0800-- IP --17-- UDP --7--- echo
 *                       |      0x86dd---'|            '-53-- names, then a log of them
 *                       '-0x0806-- ARP   '--1-- ping
 *
 * A protocol says in `layer` what it takes. Ethernet, IP and UDP are weft's own and hand each
 * packet on to those that were added under its number, all of them, in the order added.
 * Everything else is a program's own: a struct that it fills in.
 *
 *     static int on_ping(struct weft_protocol *me, const struct weft_packet *packet);
 *     struct weft_protocol ping = {
 *             .layer = WEFT_LAYER_TRANSPORT, .name = "ping", .received = on_ping,
 *     };
 *     struct weft_protocol *ip;
 *     if (weft_protocol_new_ip(NULL, &ip) < 0 || weft_protocol_add(ip, 1, &ping, &err) < 0)
 *             fail(err.text);
 *
 * What hostile peers send is no error: each packet that a protocol of weft's is given ends in
 * exactly one enum weft_outcome, counted. A handler that fails returns a negative number;
 * that is told to the port's `failed`, and everybody else still gets the packet.
 */
#ifndef WEFT_PROTOCOL_H
#define WEFT_PROTOCOL_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_port;
struct weft_protocol;
struct weft_protocol_kind;

/** What a protocol takes. */
enum weft_layer {
	WEFT_LAYER_ETHERNET = 1, /**< Whole frames. On a port, it makes a TAP. */
	WEFT_LAYER_PACKET,       /**< What a frame carries. On a port, it makes a TUN. */
	WEFT_LAYER_TRANSPORT,    /**< What an IP packet carries. */
	WEFT_LAYER_DATAGRAM,     /**< What a UDP datagram carries. */
};

/** The name of a layer for people: "Ethernet frames", "packets" and so on. */
WEFT_API const char *weft_layer_name(enum weft_layer layer);

/** An Ethernet header without tags. */
struct weft_ethernet_header {
	struct weft_mac dst, src;
	uint16_t type; /**< EtherType; below 0x0600 a length in bytes (802.3). */
};

/** An IP header: what IPv4 and IPv6 have in common, and the rest as 0. */
struct weft_ip_header {
	struct weft_ip src, dst;
	uint8_t version;  /**< 4 or 6. */
	uint8_t proto;    /**< Behind extension headers: 17 for UDP. */
	uint8_t ttl;      /**< Or hop limit. */
	uint8_t tos;      /**< Or traffic class. */
	uint16_t hdr_len; /**< In bytes, with options or extension headers. */
	/** Header and payload in bytes; of the whole, if reassembled. */
	uint32_t total_len;
	uint32_t id; /**< Of fragments; in IPv6 0 where there is no such header. */
	uint32_t flow_label;
	uint16_t fragment_offset; /**< In bytes. */
	bool dont_fragment;
	bool more_fragments;
	bool reassembled; /**< Made of fragments; offset and more_fragments are then 0. */
};

/** A UDP header. */
struct weft_udp_header {
	uint16_t src_port, dst_port;
	uint16_t len;      /**< Header and payload in bytes. */
	bool has_checksum; /**< It was right, then. Without one only over IPv4. */
};

/** What a handler is given. All of it is borrowed for the call. */
struct weft_packet {
	const uint8_t *data; /**< The payload for this protocol's layer. */
	size_t len;
	bool partial; /**< The packet was cut at the port: bytes at its end are missing. */
	uint64_t now;           /**< As handed to the port, in ns. */
	struct weft_port *port; /**< Where it came in; NULL if it was fed by hand. */
	/* The headers in front of data; NULL where there is none, or nobody looked. */
	const struct weft_ethernet_header *ethernet;
	const struct weft_ip_header *ip;
	const struct weft_udp_header *udp;
};

/** A protocol. A program's own is filled in by it, and must outlive what it is added to. */
struct weft_protocol {
	enum weft_layer layer;
	const char *name; /**< For people: in failures and in what a port prints. */
	/** Gets each packet. Returns >= 0, or what failed as a negative number. */
	int (*received)(struct weft_protocol *protocol, const struct weft_packet *packet);
	/** The port that this protocol was given to was started. May be NULL. */
	int (*started)(struct weft_protocol *protocol, struct weft_port *port);
	/** The port was stopped, or its device has gone. May be NULL. */
	int (*stopped)(struct weft_protocol *protocol, struct weft_port *port);
	void *user;             /**< The program's own. */
	struct weft_port *port; /**< weft's own: the started port it is on, or NULL. */
	const struct weft_protocol_kind *kind; /**< weft's own; NULL in a program's. */
};

/** How a packet ended that a protocol of weft's was given. */
enum weft_outcome {
	WEFT_OUTCOME_DELIVERED,
	WEFT_OUTCOME_HELD,           /**< A fragment that waits for the others. */
	WEFT_OUTCOME_DROP_SHORT,     /**< Ends before its header does. */
	WEFT_OUTCOME_DROP_MALFORMED, /**< Its lengths or versions contradict each other. */
	WEFT_OUTCOME_DROP_CHECKSUM,
	WEFT_OUTCOME_DROP_CUT, /**< Partial, so that it cannot be put together or summed. */
	WEFT_OUTCOME_DROP_FRAGMENT, /**< Overlaps another, or is too much for the limits. */
	WEFT_OUTCOME_DROP_UNKNOWN, /**< Nobody was added under its number. */
	WEFT_OUTCOMES,
};

/** "delivered", "held", "drop-short" and so on. */
WEFT_API const char *weft_outcome_name(enum weft_outcome outcome);

/**
 * Ethernet (takes frames, added to a port). Protocols are added by EtherType, 0x0600 to
 * 0xffff, and get what stands behind the 14 bytes; tagged frames belong to the number of
 * their outermost tag. Under the number 0 come all frames that have a length in place of a
 * type (802.3, LLC), without their padding. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_protocol_new_ethernet(
	struct weft_protocol **ret_ethernet);

/** Zero is the defaults. */
struct weft_ip_opts {
	/** Fragments are delivered as they are, with their offset, instead of together. */
	bool deliver_fragments;
	/** Most packets that are put together at once; beyond it the oldest goes. 0: 16. */
	uint32_t reassembly_max;
	/** How long the first fragment waits for the last, in ns. 0: 30 s. */
	uint64_t reassembly_ns;
};

/**
 * IPv4 and IPv6 (takes packets: on a port, which is then a TUN, or under Ethernet's 0x0800
 * and 0x86dd). Protocols are added by protocol number, 0 to 255, and get what stands behind
 * options or extension headers, as long as the packet says. The header checksum has to be
 * right. Fragments are put together (RFC 791 3.2, RFC 8200 4.5); one that overlaps another
 * ends its packet (RFC 5722). opts may be NULL. Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_protocol_new_ip(const struct weft_ip_opts *opts,
						  struct weft_protocol **ret_ip);

/** What an IP protocol has to do with fragments. The counts only grow. */
struct weft_reassembly_stats {
	uint64_t completed; /**< Packets put together. */
	uint64_t given_up;  /**< By time, for want of room, or for an overlap. */
	uint32_t waiting;   /**< Packets of which some fragment is missing; now. */
};

/** The counts of what weft_protocol_new_ip made. */
WEFT_API struct weft_reassembly_stats weft_protocol_reassembly(
	const struct weft_protocol *ip);

/**
 * UDP (takes what IP carries: added under 17). Protocols are added by destination port, 0 to
 * 65,535, and get the payload, as long as the header says. The checksum has to be right;
 * there may be none over IPv4 (RFC 768) and has to be one over IPv6 (RFC 8200 8.1).
 * Returns 0 or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_protocol_new_udp(struct weft_protocol **ret_udp);

/** Frees a protocol that weft made; not what was added to it. NULL is allowed. */
WEFT_API void weft_protocol_free(struct weft_protocol *protocol);

/**
 * Adds child under a number of parent. The same child may be added under several numbers and
 * to several parents. Returns 0, or -Exxx with err (may be NULL) saying what is wrong:
 * -EINVAL: the number is negative or stands for nothing, parent takes no others, child is of
 * another layer; -ERANGE: the number is too large; -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_protocol_add(struct weft_protocol *parent,
					       int64_t number,
					       struct weft_protocol *child,
					       struct weft_error *err);

/**
 * Hands a packet to a protocol as a port would: a failure is told to packet->port, if there
 * is one. Returns what the handler returned; >= 0 from weft's own.
 */
WEFT_API int weft_protocol_receive(struct weft_protocol *protocol,
				   const struct weft_packet *packet);

/** How many packets ended so in a protocol that weft made. */
WEFT_API uint64_t weft_protocol_count(const struct weft_protocol *protocol,
				      enum weft_outcome outcome);

/* ---- bytes for handlers ------------------------------------------------------------------ */

/**
 * True if the checksum in a packet's payload is right: of ICMP, ICMPv6, TCP or UDP, by
 * packet->ip->proto; also if the protocol has none that weft knows. False without an IP
 * header, and for what is partial or a fragment.
 */
WEFT_API bool weft_packet_is_intact(const struct weft_packet *packet);

/** ARP for IPv4 on Ethernet (RFC 826). */
struct weft_arp {
	uint16_t op; /**< 1 asks, 2 answers. */
	struct weft_mac sender_mac, target_mac;
	struct weft_ip sender_ip, target_ip;
};

/** Reads ARP. Returns 0, -EBADMSG, or -EPROTONOSUPPORT for other kinds of addresses. */
WEFT_API WEFT_MUST_CHECK int weft_arp_parse(const struct weft_packet *packet,
					    struct weft_arp *ret_arp);

/** The headers of a packet that is to be made. What is 0 is chosen by weft. */
struct weft_headers {
	/** NULL for none; type is not used. */
	const struct weft_ethernet_header *ethernet;
	struct weft_ip src, dst; /**< Of one family. */
	uint8_t proto;           /**< Of weft_ip_build. */
	uint8_t ttl;             /**< 0: 64. */
	uint8_t tos;
	/**
	 * Of weft_ip_build: where in the payload a checksum is to be filled in, in bytes: 2
	 * for ICMP and ICMPv6, 16 for TCP. 0 for none.
	 */
	uint8_t csum_offset;
	uint16_t src_port, dst_port; /**< Of weft_udp_build. */
};

/**
 * Writes a packet with a payload into buf: UDP, IP, and Ethernet if there is one, with all
 * lengths and checksums. Returns its bytes, -EINVAL for addresses that are no pair or a
 * csum_offset outside of the payload, -EMSGSIZE or -ENOBUFS.
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_build(const struct weft_headers *headers,
					    const void *payload, size_t payload_len,
					    uint8_t *buf, size_t len);
/** The same with any payload of IP, whose protocol is headers->proto. */
WEFT_API WEFT_MUST_CHECK int weft_ip_build(const struct weft_headers *headers,
					   const void *payload, size_t payload_len,
					   uint8_t *buf, size_t len);

/**
 * Answers a packet at once: the same headers with source and destination changed over, and
 * another payload, written to the port that it came in on. Returns the bytes written or what
 * weft_port_write returns; -EINVAL for a packet that has no such header, came in on no port,
 * or was for or from a group, which cannot be a sender (RFC 1122 3.2.1.3).
 */
WEFT_API WEFT_MUST_CHECK int weft_udp_reply(const struct weft_packet *packet,
					    const void *payload, size_t len);
/** The same for IP; csum_offset as in struct weft_headers. */
WEFT_API WEFT_MUST_CHECK int weft_ip_reply(const struct weft_packet *packet,
					   const void *payload, size_t len,
					   uint8_t csum_offset);

#ifdef __cplusplus
}
#endif
#endif
