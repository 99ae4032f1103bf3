/* SPDX-License-Identifier: MIT */
/*
 * One request of an examination, and what became of it: status, headers, body or its length,
 * and when bytes came compared with when they were sent.
 *
 * A body of pieces, one each gap, is sent by the server (drip) or by us (sip). Byte i is sent
 * with piece i / size, at i / size * gap. The path adds the same delay to each, whatever that
 * is; so what counts is by how much the delays differ, and clocks need not agree:
 *
 *     sent     |---|---|---|---|              held = largest delay - smallest
 *     came       |---|---|---|---|            a path without a proxy:   0
 *     came                     |||||          one that holds them back: 4 gaps
 */
#ifndef TUNNEL_DOCTOR_TRIAL_H
#define TUNNEL_DOCTOR_TRIAL_H

#include "http/http.h"

/** Most bytes of a body that are kept. */
#define TRIAL_TEXT_MAX 16384u

/** Bytes that are sent on a schedule. */
struct trial_pieces {
	unsigned count;
	unsigned size; /**< of each, in bytes */
	unsigned gap_ms;
};

/** By how much the delays of bytes differ. Begins as zero. */
struct trial_delays {
	bool is_begun;
	int64_t min_ms, max_ms;
};

/**
 * The bytes from first to before end of such a body came at this time. Those that nobody has sent
 * say nothing.
 */
void trial_delays_note(struct trial_delays *delays, const struct trial_pieces *pieces,
		       uint64_t first, uint64_t end, int64_t ms);

uint64_t trial_delays_held_ms(const struct trial_delays *delays);

struct trial_spec {
	bool is_put;
	struct trial_pieces pieces; /**< Expected of a GET, sent by a PUT. */
	uint64_t flood_ns;          /**< A PUT: sends as much as goes, for so long, */
	uint64_t flood_min,
		flood_max; /**< but so many bytes in any case, and no more than. */
};

struct trial {
	struct trial_spec spec;
	struct http_stream *stream; /**< NULL before it and after it. */
	void (*over)(void *user, struct trial *trial, uint64_t now);
	void *user;
	/* What became of it. */
	bool is_made, is_over, is_given_up; /**< By trial_abort. */
	enum http_end end;
	struct weft_error err;
	unsigned status, version;
	uint64_t begun_at, head_at, over_at; /**< ns; 0: has not come to it */
	uint64_t in_len, out_len;
	uint64_t in_at, out_at; /**< When the last byte moved. */
	struct trial_delays delays;
	char server[64], via[64], location[200], encoding[32], type[64], length[16];
	char cache[32];
	bool has_doctor, has_conf; /**< x-weft-doctor and x-tun-conf were there. */
	char text[TRIAL_TEXT_MAX]; /**< What fits of the body, with a NUL. */
	/* Of a PUT. */
	unsigned sent; /**< Pieces that are out or on their way. */
	uint64_t left; /**< Bytes that can go now. */
	uint64_t due;  /**< Of the next piece. */
};

/** Makes the request; headers as in http_client_request. Returns 0 or -Exxx. */
int trial_begin(struct trial *trial, struct http_client *client, const char *url,
		const char *const *headers, uint64_t now) WEFT_MUST_CHECK;

/** When trial_run has something to do; WEFT_NEVER for not. */
uint64_t trial_deadline(const struct trial *trial);
void trial_run(struct trial *trial, uint64_t now);

/** Breaks it off if it is under way; over is called later. */
void trial_abort(struct trial *trial);

/** It has been answered with success, and came to its regular end. */
bool trial_is_good(const struct trial *trial);

#endif
