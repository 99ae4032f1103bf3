/* SPDX-License-Identifier: MIT */
/*
 * The option negotiation automaton of PPP (RFC 1661, 4), which LCP and IPCP share.
 *
 *      lower layer comes up           both sides have acknowledged the other's options
 *   STARTING ----> REQ_SENT ----> ACK_RCVD or ACK_SENT ----> OPENED ----> STOPPING
 *                     ^                                                      |
 *                     '------ Configure-Request ------ STOPPED <-------------'
 *
 * The end point is always willing to talk, so that the states for an administrator who has
 * closed the layer (Initial, Closed, Closing) do not exist here.
 */
#ifndef SERVE_NEGOTIATION_H
#define SERVE_NEGOTIATION_H

/** States of RFC 1661, 4.2. */
enum negotiation_state {
	NEGOTIATION_STARTING, /**< The layer below is down. */
	NEGOTIATION_STOPPED,  /**< Waiting for the peer to begin. */
	NEGOTIATION_STOPPING, /**< Terminate-Request sent, or the peer's acknowledged. */
	NEGOTIATION_REQ_SENT, /**< Configure-Request sent. */
	NEGOTIATION_ACK_RCVD, /**< The peer has agreed to ours. */
	NEGOTIATION_ACK_SENT, /**< We have agreed to the peer's. */
	NEGOTIATION_OPENED,   /**< Both. */
	NEGOTIATION_STATES
};

/** "req-sent" and the like. */
const char *negotiation_state_name(enum negotiation_state state);

#endif
