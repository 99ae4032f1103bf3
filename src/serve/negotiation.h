/* SPDX-License-Identifier: MIT */
/*
 * The option negotiation automaton of PPP (RFC 1661, 4), which LCP and IPCP share.
 *
 *                up                 each has acknowledged what the other asks for
 *   STARTING ----------> REQ_SENT ----> ACK_RCVD or ACK_SENT ----> OPENED
 *      |                    ^  |                |                    |
 *      | wait               |  '---- no answer -+                    | fail, or the peer's
 *      v    Configure-      |                   v                    v Terminate-Request
 *   STOPPED ----------------+                STOPPED <----------- STOPPING
 *             Request
 *
 * Both sides ask at the same time, each for what it wants of the other: the options of a
 * Configure-Request say how its sender is to be spoken to. The answer takes all of them
 * (Ack), names better values (Nak) or takes exception to some at all (Reject).
 *
 * The end point is always willing to talk: the states for an administrator who has closed a
 * layer (Initial, Closed, Closing) do not exist here. From STOPPED on the peer begins.
 *
 * What the options mean is the protocol's (struct negotiation_ops: lcp.c, ipcp.c); what comes
 * of it is its owner's (struct negotiation_events: ppp.c).
 */
#ifndef SERVE_NEGOTIATION_H
#define SERVE_NEGOTIATION_H

#include "base/time.h"
#include "wire/ppp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 1661, 4.6. */
#define NEGOTIATION_RESTART_NS    (3 * NS_PER_S)
#define NEGOTIATION_CONFIGURE_MAX 10u /**< Configure-Requests without an answer. */
#define NEGOTIATION_TERMINATE_MAX 2u

/** Naks in a row before what they name is rejected. */
#define NEGOTIATION_FAILURE_MAX 5u

/** Most bytes of options that we ask for ourselves. */
#define NEGOTIATION_OWN_MAX 32u

/** States of RFC 1661, 4.2. */
enum negotiation_state {
	NEGOTIATION_STARTING, /**< The layer below is down. */
	NEGOTIATION_STOPPED,  /**< Waiting for the peer to begin. */
	NEGOTIATION_STOPPING, /**< Waiting for the peer to have heard of the end. */
	NEGOTIATION_REQ_SENT, /**< Configure-Request sent. */
	NEGOTIATION_ACK_RCVD, /**< The peer has agreed to ours. */
	NEGOTIATION_ACK_SENT, /**< We have agreed to the peer's. */
	NEGOTIATION_OPENED,   /**< Both. */
	NEGOTIATION_STATES
};

/** "req-sent" and the like. */
const char *negotiation_state_name(enum negotiation_state state);

/** What to answer to one option. */
enum negotiation_verdict { NEGOTIATION_ACK, NEGOTIATION_NAK, NEGOTIATION_REJECT };

struct negotiation;

/** A protocol's options. */
struct negotiation_ops {
	uint16_t protocol;
	/** A Configure-Request is about to be judged: what the last one said is forgotten. */
	void (*begin)(struct negotiation *n);
	/** Judges an option of it; for NEGOTIATION_NAK writes a better one. */
	enum negotiation_verdict (*judge)(struct negotiation *n,
					  const struct ppp_option *option,
					  struct writer *nak);
	/** All are judged: writes those that the peer should have sent. NULL for none. */
	void (*demand)(struct negotiation *n, struct writer *nak);
	/** Writes what we ask for, at most NEGOTIATION_OWN_MAX bytes. */
	void (*request)(struct negotiation *n, struct writer *options);
	/** The peer does not take an option of ours: names another value, or rejects it. */
	void (*refused)(struct negotiation *n, const struct ppp_option *option,
			bool is_reject);
	/** A code behind Code-Reject. Returns false if it is not known. NULL for none. */
	bool (*extra)(struct negotiation *n, const struct ppp_packet *packet,
		      uint64_t now);
};

/** What a layer tells whoever it belongs to. None may free it. */
struct negotiation_events {
	/** This-Layer-Up and This-Layer-Down of RFC 1661, 4.4. */
	void (*up)(void *user, struct negotiation *n, uint64_t now);
	void (*down)(void *user, struct negotiation *n, uint64_t now);
	/** This-Layer-Finished: STOPPED now; the peer may begin again. */
	void (*finished)(void *user, struct negotiation *n, uint64_t now);
	void (*send)(void *user, uint16_t protocol, const struct ppp_packet *packet,
		     uint64_t now);
};

struct negotiation {
	const struct negotiation_ops *ops;
	const struct negotiation_events *events;
	void *user;
	enum negotiation_state state;
	unsigned restarts; /**< The restart counter: sends that are left. */
	uint64_t due;      /**< Of the restart timer; WEFT_NEVER while it does not run. */
	unsigned failures; /**< Naks sent since the last Ack. */
	bool is_asking;    /**< Our last Configure-Request has had no answer. */
	uint8_t request_id;  /**< Of our last Configure-Request, */
	uint8_t request_len; /**< and what it asked for. */
	uint8_t request[NEGOTIATION_OWN_MAX];
	uint8_t last_id; /**< Of anything that we have sent by ourselves. */
};

/** Sets up a layer in STARTING. */
void negotiation_init(struct negotiation *n, const struct negotiation_ops *ops,
		      const struct negotiation_events *events, void *user);

/** The layer below is up: begins. */
void negotiation_up(struct negotiation *n, uint64_t now);

/** The layer below is up: waits for the peer to begin. */
void negotiation_wait(struct negotiation *n);

/** The layer below is down. */
void negotiation_down(struct negotiation *n, uint64_t now);

/** Ends an open layer for a reason of our own (RXJ- of RFC 1661: Terminate-Request). */
void negotiation_fail(struct negotiation *n, uint64_t now);

/**
 * A packet of the layer's protocol has come. Returns 0; -EBADMSG for one with false lengths;
 * -ENOMSG for an answer to nothing, and for anything while STARTING.
 */
int negotiation_input(struct negotiation *n, const uint8_t *data, size_t len,
		      uint64_t now);

/** Does what is due at n->due. */
void negotiation_run(struct negotiation *n, uint64_t now);

/** Sends a packet of a code that has no answer, under a new id: Protocol-Reject. */
void negotiation_send(struct negotiation *n, uint8_t code, const uint8_t *data,
		      size_t len, uint64_t now);

#endif
