/* SPDX-License-Identifier: MIT */
/*
 * The text protocol between an application (an emulator) and XLink Kai's engine: "Direct Data
 * Socket" on UDP port 34523. A datagram is words divided by ";", or "e;e;" and a bare frame.
 *
 *     application                              engine
 *     connect;ID;APPLICATION;000...     --->
 *                                       <---   connected;ID;
 *     e;e;frame                         <-->   e;e;frame
 *                                       <---   keepalive;
 *     keepalive;                        --->                      (the same bytes back)
 *     disconnect;ID;                    --->
 *                                       <---   disconnected;ID;REASON;
 *     discover;      (broadcast)        --->
 *                                       <---   xlink_here;
 *
 * The engine also sends chat;TEXT; message;TEXT; directmessage;TEXT; the application
 * setting;NAME;VALUE; -- all of which carry no frames.
 */
#ifndef WIRE_KAI_H
#define WIRE_KAI_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KAI_PREFIX_LEN 4u  /**< "e;e;" in front of a frame. */
#define KAI_ID_LEN     64u /**< An identifier and its NUL. */
#define KAI_TEXT_LEN   128u
#define KAI_LEN_MAX    256u /**< Longest message that kai_msg_emit writes. */

enum kai_type {
	KAI_CONNECT,      /**< id, text: the application's name. */
	KAI_CONNECTED,    /**< id. */
	KAI_DISCONNECT,   /**< id, or none. */
	KAI_DISCONNECTED, /**< id, or none; text: the reason. */
	KAI_DISCOVER,
	KAI_HERE,
	KAI_KEEPALIVE,
	KAI_CHAT,    /**< text; also message and directmessage. */
	KAI_SETTING, /**< text: its name. */
};

struct kai_msg {
	enum kai_type type;
	char id[KAI_ID_LEN];
	char text[KAI_TEXT_LEN]; /**< Printable ASCII; what is longer is cut. */
};

/** True for a datagram that carries a frame, behind KAI_PREFIX_LEN bytes. */
static inline bool kai_is_frame(const uint8_t *data, size_t len)
{
	return len >= KAI_PREFIX_LEN && data[0] == 'e' && data[1] == ';' &&
	       data[2] == 'e' && data[3] == ';';
}

static inline void kai_prefix_emit(uint8_t buf[KAI_PREFIX_LEN])
{
	buf[0] = buf[2] = 'e';
	buf[1] = buf[3] = ';';
}

/**
 * Reads a message. Returns 0, or -EBADMSG for a frame, an unknown word, or an identifier that
 * is missing where it is needed, too long or not printable.
 */
int kai_msg_parse(const uint8_t *data, size_t len,
		  struct kai_msg *ret_msg) WEFT_MUST_CHECK;

/**
 * Writes a message with the fields that its type has; returns its length. A ";" in a field
 * becomes ",".
 */
size_t kai_msg_emit(char buf[KAI_LEN_MAX], const struct kai_msg *msg);

#endif
