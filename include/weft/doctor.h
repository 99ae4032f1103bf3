/* SPDX-License-Identifier: MIT */
/*
 * The doctor: what is wrong with the way to a tunnel's server, and which line of which proxy
 * mends it.
 *
 *     this end === proxies === server of weft
 *
 * Both ends make streams like a tunnel's and compare when bytes went and when they came. That
 * shows what a proxy does to them: holds bytes back, cuts what is silent or long, limits sizes,
 * asks its server in HTTP/1.0. Each thing that is wrong is a finding, with the lines for the
 * proxy that was recognised, or for all that are known. A client's token is needed; its own
 * streams are not touched.
 *
 *     static void on_finding(void *user, const struct weft_doctor_finding *finding)
 *     {
 *             printf("%s\n", finding->text);
 *     }
 *     ...
 *     const struct weft_doctor_opts opts = { .url = url, .token = token };
 *     r = weft_doctor_new(loop, &opts, &events, user, &err, &doctor);
 */
#ifndef WEFT_DOCTOR_H
#define WEFT_DOCTOR_H

#include <weft/error.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_loop;
struct weft_doctor;

enum weft_doctor_severity {
	WEFT_DOCTOR_NOTE,    /**< Good to know. */
	WEFT_DOCTOR_WARNING, /**< A tunnel works, and less well than it could. */
	WEFT_DOCTOR_ERROR,   /**< A tunnel does not work, or is cut again and again. */
};

/** What mends it: a line of a proxy's configuration. */
struct weft_doctor_line {
	const char *proxy; /**< "nginx", "Caddy", "HAProxy", "Apache httpd" */
	const char *text;
};

#define WEFT_DOCTOR_LINES_MAX 12u

/** One thing that was found. */
struct weft_doctor_finding {
	enum weft_doctor_severity severity;
	/** For programs: "request-buffered" and so on, see docs/proxies.md. */
	const char *id;
	char text[480]; /**< For people: one or two sentences. */
	struct weft_doctor_line lines[WEFT_DOCTOR_LINES_MAX];
	size_t lines_n;
};

/** What was measured; zero where it was not. */
struct weft_doctor_summary {
	bool is_fit;       /**< Nothing was found that is an error. */
	const char *proxy; /**< As in a line; "a proxy" for another one, NULL for none. */
	char server[64];   /**< What it calls itself (headers Server or Via). */
	unsigned version;  /**< Of HTTP here, ten times the number, */
	unsigned version_up;       /**< and at the server. */
	bool has_http2;            /**< HTTP/2 is spoken here where it is wanted. */
	uint64_t rtt_ns;           /**< Of the fastest of several requests. */
	uint64_t down_bps, up_bps; /**< Bits per second for a moment, one stream. */
	uint64_t silent_ns;        /**< How long silence was tried, */
	uint64_t long_ns;          /**< and how long a request. */
};

struct weft_doctor_opts {
	const char *url;
	const char *token;
	/** On the way: "http://...", "socks5h://..."; NULL for none. */
	const char *proxy;
	const char *ca_file; /**< PEM; NULL for the system's. */
	unsigned family;     /**< AF_INET or AF_INET6 only; 0 for both. */
	bool is_long; /**< Takes five minutes, and finds the time-outs below that. */
	const uint8_t *secret; /**< 8 random bytes, which name this examination. */
};

/** What happens; each may be NULL. What is pointed to is borrowed for the call. */
struct weft_doctor_events {
	/** Something begins: half a sentence, and how long it takes, in seconds. */
	void (*step)(void *user, const char *text, unsigned seconds);
	void (*finding)(void *user, const struct weft_doctor_finding *finding);
	/** It is over; called exactly once, after all findings. */
	void (*done)(void *user, const struct weft_doctor_summary *summary);
};

/**
 * Begins to examine. The loop and events must outlive it; opts are copied. Returns 0, or -Exxx
 * with err: -EINVAL for what is no proxy, -ENOENT for the file of a CA, -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_doctor_new(struct weft_loop *loop,
					     const struct weft_doctor_opts *opts,
					     const struct weft_doctor_events *events,
					     void *user, struct weft_error *err,
					     struct weft_doctor **ret_doctor);

/** Breaks off what is under way. Not from within an event. NULL is allowed. */
WEFT_API void weft_doctor_free(struct weft_doctor *doctor);

#ifdef __cplusplus
}
#endif
#endif
