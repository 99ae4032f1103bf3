/* SPDX-License-Identifier: MIT */
/*
 * A server's answers to those who examine the path to it (include/weft/doctor.h): streams of
 * which both ends know what was sent when, so that what a proxy does to them can be told.
 *
 *     x-weft: doctor; test=T; run=<16 hex digits>; ...
 *
 *     look    GET   what has reached us of this request, as JSON. pad=N: with x-pad of N bytes
 *                   in the answer
 *     drip    GET   count=N pieces of size=N bytes, the first at once, then one each gap=MS
 *     flood   GET   as many bytes as go out, until ms=MS have passed or size=N are out
 *     sip     PUT   notes when which bytes of it came, under part=N
 *     report  GET   all such notes of the run, as JSON
 *
 * Each answer has the header x-weft-doctor, and the JSON a number ("since") that is another one
 * when the server has begun anew. A stream is a *visit*; there are at most DOCTOR_VISITS_MAX of
 * them, and further ones are told to come back (503, with that header). A PUT's notes are kept
 * for DOCTOR_KEPT_NS after its last byte, and while others of its run go on. Whoever asks has
 * shown a client's token, and nothing of that client's own streams is touched.
 */
#ifndef TUNNEL_DOCTOR_H
#define TUNNEL_DOCTOR_H

#include "base/time.h"
#include "http/http.h"

#define DOCTOR_VISITS_MAX 64u
#define DOCTOR_KEPT_NS    (120 * NS_PER_S)

/** Most notes on one PUT; what comes after them is added to the last. */
#define DOCTOR_NOTES_MAX 64u

/** Longest header that an answer is padded with. */
#define DOCTOR_PAD_MAX 8192u

struct doctor;

/** Returns 0 or -ENOMEM. */
int doctor_new(uint64_t now, struct doctor **ret_doctor) WEFT_MUST_CHECK;

/** To be called after the HTTP server was freed. NULL is allowed. */
void doctor_free(struct doctor *d);

struct weft_task *doctor_task(struct doctor *d);

/** Whether a request is for the doctor. */
bool doctor_is_asked(const struct http_stream *stream);

/** Answers such a request, of somebody who has shown a token. */
void doctor_request(struct doctor *d, struct http_stream *stream,
		    const struct http_request *request, struct http_answer *ret_answer,
		    uint64_t now);

#endif
