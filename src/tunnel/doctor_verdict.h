/* SPDX-License-Identifier: MIT */
/*
 * From what was measured to what is wrong and how to mend it: no clock and no network here.
 *
 *     struct doctor_facts ---- doctor_judge ----> findings, each with lines for a proxy
 */
#ifndef TUNNEL_DOCTOR_VERDICT_H
#define TUNNEL_DOCTOR_VERDICT_H

#include <weft/doctor.h>

/** Who answers. */
enum doctor_proxy {
	DOCTOR_NGINX,
	DOCTOR_CADDY,
	DOCTOR_HAPROXY,
	DOCTOR_APACHE,
	DOCTOR_KNOWN,                /**< How many are known. */
	DOCTOR_OTHER = DOCTOR_KNOWN, /**< There is one, and it does not say which. */
	DOCTOR_NO_PROXY,
};

/** Whether there is a server, from the first request to the last. */
enum doctor_reach {
	DOCTOR_REACHED,
	DOCTOR_NO_ANSWER,   /**< failure says why. */
	DOCTOR_REDIRECTED,  /**< To location. */
	DOCTOR_WRONG_TOKEN, /**< weft itself says 403. */
	DOCTOR_BARRED,      /**< 401, 403, 407 by somebody else. */
	DOCTOR_NO_BACKEND,  /**< 502, 503, 504: a proxy does not get to the server. */
	DOCTOR_ELSEWHERE,   /**< 404 and so on, or an answer that is not weft's. */
	DOCTOR_OLD_SERVER,  /**< A tunnel, and nobody there who answers a doctor. */
	DOCTOR_FULL,        /**< It has no room for this examination beside others. */
	DOCTOR_GONE,        /**< It answers no more at the end; failure says why. */
	DOCTOR_RESTARTED,   /**< Another one answers at the end. */
};

/** How small pieces crossed, in one direction. */
struct doctor_way {
	bool is_tried;
	bool is_refused; /**< With this status, before anything of it came about. */
	bool is_cut;
	unsigned status;
	uint64_t held_ms; /**< By how much later than others some bytes came. */
};

/** How a request that is silent, or long, fared. */
struct doctor_patience {
	bool is_tried;
	bool is_cut;
	uint64_t tried_ns; /**< What was asked for, */
	uint64_t cut_ns;   /**< and when it ended instead. */
	unsigned status;
};

/** Beside the summary's. */
struct doctor_facts {
	struct weft_doctor_summary summary;
	enum doctor_proxy proxy;
	const char *url;
	enum doctor_reach reach;
	unsigned status; /**< Of the first answer. */
	char failure[400], location[200];
	bool is_tls;
	bool is_compressed;   /**< Without having been asked for. */
	bool has_forwarded;   /**< X-Forwarded-For reaches the server. */
	unsigned head_status; /**< What became of long headers; 200: they came through, */
	bool is_head_cut;     /**< though not whole. */
	struct doctor_way down, up;   /**< HTTP/1.1 */
	struct doctor_way down2, up2; /**< HTTP/2 */
	uint64_t late_ms; /**< So much longer than others some request took meanwhile. */
	struct doctor_patience down_silent, up_silent, down_long, up_long;
	unsigned body_status; /**< Of a large upload that was refused; else 0. */
	bool is_body_cut;
	uint64_t body_len; /**< What had come of it. */
};

/** "nginx" and so on, "a proxy"; NULL for none. */
const char *doctor_proxy_name(enum doctor_proxy proxy);

/**
 * Whether bytes came late, and no later than a machine that is busy may explain: the pieces should
 * be sent again.
 */
bool doctor_is_unclear(const struct doctor_facts *facts);

/** Calls fn for each finding. Returns whether none of them is an error. */
bool doctor_judge(const struct doctor_facts *facts,
		  void (*fn)(void *user, const struct weft_doctor_finding *finding),
		  void *user);

#endif
