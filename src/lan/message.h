/* SPDX-License-Identifier: MIT */
/*
 * The control messages, as values and as JSON. docs/protocol.md has every field.
 *
 *     hello        member -> relay     who I am, which room, the proof
 *     welcome      relay -> member     your ids, the MTU, who is here
 *     reject       relay -> member     no, and why
 *     peer-joined  relay -> member     somebody came
 *     peer-left    relay -> member     somebody left
 *     stats        member -> relay     what I counted
 *     claim        member -> relay     stations behind me have these MACs, too
 *     release      member -> relay     and these no longer
 *     claimed      relay -> members    the claim holds: frames for them go to that peer
 *     released     relay -> members    and no longer
 *     denied       relay -> member     the claim does not hold
 *     disconnect   both ways           I leave, and why
 *
 * What has been decoded is valid: each field is there, of its kind and inside its limits, and
 * every text is printable. Fields that are not known are passed over, so that a newer peer can
 * say more; a message whose type is not known is an error.
 */
#ifndef LAN_MESSAGE_H
#define LAN_MESSAGE_H

#include "lan/control.h"
#include "lan/opening.h"
#include "lan/pass.h"

#include <weft/lan.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** ALPN token (RFC 7301) of all that docs/protocol.md describes. */
#define LAN_ALPN    "weft/1"
#define LAN_VERSION 1u

/** Most members of a room: as many as a welcome of 64 KiB can list. */
#define LAN_MEMBERS_MAX 512u

/** Most MACs that a member claims beside its own, and most in one message. */
#define LAN_CLAIMS_MAX 16u

/** Ids of peers and rooms. The others are reserved. */
#define LAN_ID_MIN 1u
#define LAN_ID_MAX 65534u

/** IP MTU of a room in bytes. */
#define LAN_MTU_MIN 1000u
#define LAN_MTU_MAX 1500u

#define MESSAGE_TEXT_MAX     240u /**< A sentence for people, in bytes. */
#define MESSAGE_VERSIONS_MAX 16u
#define MESSAGE_WAIT_MAX_MS  600000u /**< Of a disconnect. */
#define MESSAGE_PLACE_MAX    240u    /**< A relay's host and port, in bytes. */

enum message_type {
	MESSAGE_HELLO,
	MESSAGE_WELCOME,
	MESSAGE_REJECT,
	MESSAGE_PEER_JOINED,
	MESSAGE_PEER_LEFT,
	MESSAGE_STATS,
	MESSAGE_DISCONNECT,
	MESSAGE_CLAIM,
	MESSAGE_RELEASE,
	MESSAGE_CLAIMED,
	MESSAGE_RELEASED,
	MESSAGE_DENIED,
	MESSAGE_TYPES
};

/** Why a relay refuses a member. */
enum reject_code {
	REJECT_OTHER,         /**< A code that this version does not know. */
	REJECT_BAD_HELLO,     /**< Not a hello, or one with a wrong field. */
	REJECT_VERSION,       /**< No version in common. */
	REJECT_WRONG_KEY,     /**< The room belongs to another secret. */
	REJECT_BAD_PROOF,     /**< The signature does not fit key and connection. */
	REJECT_GATEWAY_TAKEN, /**< The room has its gateway. */
	REJECT_MAC_TAKEN,     /**< A member, or a station of the LAN, has it. */
	REJECT_ROOM_FULL,
	REJECT_ROOMS_FULL,     /**< The relay has no room for another room. */
	REJECT_PATH_TOO_SMALL, /**< Datagrams of this path cannot carry the room's MTU. */
	REJECT_NO_MEMORY,
	REJECT_PASS,       /**< It has expired, was shut out, or is none of the room. */
	REJECT_OPEN_TOKEN, /**< The room is not there, and opening one takes a token. */
	REJECT_ADDRESS,    /**< Where it comes from is shut out of the room. */
	REJECT_CODES
};

/** Why a member is no longer there. */
enum leave_code {
	LEAVE_OTHER, /**< A code that this version does not know. */
	LEAVE_NORMAL,
	LEAVE_TIMED_OUT,
	LEAVE_PROTOCOL_ERROR,
	LEAVE_SHUTDOWN, /**< The relay ends. */
	LEAVE_CODES
};

/** Why a claim does not hold. */
enum deny_code {
	DENY_OTHER,     /**< A code that this version does not know. */
	DENY_MAC_TAKEN, /**< A member, or a station of the LAN, has it. */
	DENY_LIMIT,     /**< The member, or the room, has as many as it may. */
	DENY_CODES
};

/** Application error codes with which a connection is closed (RFC 9000 19.19). */
enum close_code {
	CLOSE_NORMAL = 0,   /**< A member leaves. */
	CLOSE_PROTOCOL = 1, /**< The peer has broken the protocol; the reason says how. */
	CLOSE_HELLO_TIMEOUT = 2, /**< No hello came. */
	CLOSE_REFUSED = 3,       /**< A reject has been sent and not been acted on. */
	CLOSE_SHUTDOWN = 4,      /**< The relay ends. */
	CLOSE_TOO_SLOW = 5,      /**< The peer takes no control messages any more. */
	CLOSE_TOO_MANY = 6,      /**< The peer sends too many control messages. */
	CLOSE_INTERNAL = 7,      /**< Out of memory, for instance. */
	CLOSE_KICKED = 8,        /**< The relay's operator has thrown the member out. */
	CLOSE_CODES
};

struct hello {
	bool has_version; /**< LAN_VERSION is among those offered. */
	enum weft_role role;
	char room[WEFT_ROOM_NAME_MAX + 1];
	char name[WEFT_MEMBER_NAME_MAX + 1];
	struct weft_mac mac; /**< Zero for a gateway. */
	uint32_t budget; /**< Largest DATAGRAM payload in bytes that the path carries. */
	struct weft_ip address; /**< That it has had in the room; family 0 for none. */
	uint8_t key[PROOF_KEY_LEN];
	uint8_t proof[PROOF_LEN]; /**< By the room's key, or by that of the pass. */
	bool has_pass;
	struct pass pass;
	bool has_opening;
	uint8_t opening[OPENING_LEN];
};

struct welcome {
	uint16_t peer;
	uint16_t room;
	uint16_t mtu;
	struct weft_ip address; /**< family 0: none is offered. */
	size_t members_n;
	struct weft_peer *members; /**< Without the new one. message_fini frees it. */
};

struct reject {
	enum reject_code code;
	bool retry; /**< It may be different later. */
	char text[MESSAGE_TEXT_MAX + 1];
};

struct peer_left {
	uint16_t id;
	enum leave_code code;
	char text[MESSAGE_TEXT_MAX + 1];
};

struct member_counts {
	uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes, drops;
	uint64_t sent, lost; /**< Datagrams on this connection. */
	uint64_t jitter_us;
};

struct disconnect {
	enum leave_code code;
	/** Come back after a random part of it; 0 where nothing is said. */
	uint32_t wait_ms;
	/** "host:port" of a relay to go to until this one is back; empty for none. */
	char go_to[MESSAGE_PLACE_MAX + 1];
	char text[MESSAGE_TEXT_MAX + 1];
};

/** MACs behind a member: of claim and release (peer is 0), claimed, released and denied. */
struct mac_list {
	uint16_t peer;
	enum deny_code code; /**< Of denied. */
	size_t n;            /**< At least 1; all different, all unicast. */
	struct weft_mac macs[LAN_CLAIMS_MAX];
};

struct message {
	enum message_type type;
	union {
		struct hello hello;
		struct welcome welcome;
		struct reject reject;
		struct weft_peer peer_joined;
		struct peer_left peer_left;
		struct member_counts stats;
		struct disconnect disconnect;
		struct mac_list claim; /**< Of the five that are about claims. */
	};
};

/** What can be wrong with a message. */
enum message_fault {
	MESSAGE_NOT_JSON,
	MESSAGE_NOT_OBJECT,
	MESSAGE_UNKNOWN_TYPE,
	MESSAGE_MISSING_FIELD,
	MESSAGE_WRONG_KIND,   /**< A text where a number belongs, and the like. */
	MESSAGE_OUT_OF_RANGE, /**< A number, or the length of a text or list. */
	MESSAGE_BAD_TEXT,     /**< Not of the form that the field has. */
	MESSAGE_DUPLICATE,    /**< Two members of one id. */
	MESSAGE_FAULTS
};

struct message_error {
	enum message_fault fault;
	const char *field; /**< Static text; empty where it is about the whole. */
};

const char *message_type_name(enum message_type type);
const char *message_fault_name(enum message_fault fault);
const char *reject_code_name(enum reject_code code);
const char *leave_code_name(enum leave_code code);
const char *deny_code_name(enum deny_code code);
const char *role_name(enum weft_role role);

/**
 * Decodes a body. Returns 0 and a message for message_fini; -EBADMSG with ret_error, which
 * is the one output that is written on failure; or -ENOMEM.
 */
int message_decode(const struct control_body *body, struct message *ret_message,
		   struct message_error *ret_error) WEFT_MUST_CHECK;

/** Frees what message_decode allocated. */
void message_fini(struct message *message);

/** A whole frame, head and body. */
struct message_frame {
	uint8_t *data;
	size_t len;
};

/**
 * Encodes a valid message. The caller frees ret_frame->data. Returns 0, -EMSGSIZE when the
 * body would be too long (more members than LAN_MEMBERS_MAX), or -ENOMEM.
 */
int message_encode(const struct message *message,
		   struct message_frame *ret_frame) WEFT_MUST_CHECK;

/** Whether the text can be where a relay is: "host", "host:port" or "[IPv6]:port". */
bool message_place_is_valid(const char *text);

/** Puts printf-formatted text into a message's text field, cut where it does not fit. */
void message_print(char text[MESSAGE_TEXT_MAX + 1], const char *fmt, ...)
	WEFT_PRINTF(2, 3);

#endif
