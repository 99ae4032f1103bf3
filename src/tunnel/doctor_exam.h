/* SPDX-License-Identifier: MIT */
/*
 * What an examination consists of, and what is read from its trials.
 */
#ifndef TUNNEL_DOCTOR_EXAM_H
#define TUNNEL_DOCTOR_EXAM_H

#include "tunnel/doctor_trial.h"
#include "tunnel/doctor_verdict.h"

enum exam_stage {
	EXAM_REACH,
	EXAM_TURNS,
	EXAM_STREAMS,
	EXAM_LOADS,
	EXAM_NOTES,
	EXAM_STAGES, /* also: none has begun */
};

/** Each PUT's number is its "part" in the server's report. */
enum exam_trial {
	EXAM_LOOK,  /**< Is there a server, and who is in front of it? */
	EXAM_TURN,  /**< How long does a request take? */
	EXAM_HEAD,  /**< With long headers, both ways. */
	EXAM_ODD,   /**< A request that HAProxy does not let through. */
	EXAM_LOOK2, /**< Over HTTP/2. */
	EXAM_DRIP,  /**< Small pieces from the server, */
	EXAM_SIP,   /**< and to it; */
	EXAM_DRIP2, /**< the same over HTTP/2. */
	EXAM_SIP2,
	EXAM_PACE,      /**< Small requests meanwhile, one after the other. */
	EXAM_HUSH_DOWN, /**< Silence from the server, */
	EXAM_HUSH_UP,   /**< and to it. */
	EXAM_LONG_DOWN, /**< Minutes of small pieces. */
	EXAM_LONG_UP,
	EXAM_FLOOD_DOWN, /**< As much as goes. */
	EXAM_FLOOD_UP,
	EXAM_REPORT, /**< What the server has seen of the PUTs. */
	EXAM_TRIALS,
};

struct exam {
	struct trial trials[EXAM_TRIALS];
	bool is_long, is_tls;
	uint64_t rtt_ns; /**< The shortest turn so far; 0 for none. */
	/** By how much longer the slowest request of EXAM_PACE took. */
	uint64_t late_ns;
};

/** The first trial has come to a server that answers. */
bool exam_is_reached(const struct exam *exam);

/** Nobody on the way has said who it is. */
bool exam_is_anonymous(const struct exam *exam);

bool exam_has_http2(const struct exam *exam);

/** The trial of a turn is over. */
void exam_note_turn(struct exam *exam);

/** A request of EXAM_PACE that was due then is over now. */
void exam_note_pace(struct exam *exam, uint64_t due, uint64_t now);

/** Whether small pieces are still under way. */
bool exam_has_pieces(const struct exam *exam);

/** Puts together what all trials tell. */
void exam_facts(const struct exam *exam, struct doctor_facts *ret_facts);

#endif
