/* SPDX-License-Identifier: MIT */
/*
 * How far away a peer is, and how much is lost on the way: by small questions with a number,
 * which it answers at once.
 *
 *     probe 7 --->           sent every second for the first five, then every 10 s
 *           <--- echo 7      within 5 s, else it is lost
 *
 * Of the last eight questions the six quickest answers make the round-trip time: one that met a
 * full queue says little about the path.
 */
#ifndef TUNNEL_PROBE_H
#define TUNNEL_PROBE_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define PROBE_LAST    8u                   /**< So many are looked at, */
#define PROBE_BEST    6u                   /**< and so many of their answers. */
#define PROBE_FAST    5u                   /**< The first so many go out each second. */
#define PROBE_FAST_NS NS_PER_S             /**< Between these, */
#define PROBE_NS      (10 * NS_PER_S)      /**< and between all others. */
#define PROBE_LOST_NS (5 * NS_PER_S)       /**< One without an answer for so long. */
#define PROBE_ID_MAX  UINT32_C(0x1fffffff) /**< After this number comes 1 again. */

/** One question. */
struct probe_trial {
	uint32_t id; /**< 0: none yet. */
	bool is_answered;
	uint64_t at;     /**< When it was sent. */
	uint64_t rtt_ns; /**< If it was answered. */
};

/** Zero is one that has asked nothing, and is to ask at once. */
struct probe {
	struct probe_trial trials[PROBE_LAST];
	uint32_t last_id;
	uint64_t due;
	/** When the first was sent since the last answer; 0: none was. */
	uint64_t asked_at;
};

/** What is known of a path. */
struct probe_result {
	uint64_t rtt_ns;
	uint32_t loss_permille;
	bool is_measured; /**< At least one answer is among the last questions. */
};

/** Whether to ask now; then with the number *ret_id, which is not 0. */
bool probe_ask(struct probe *p, uint64_t now, uint32_t *ret_id);

/** An answer. Returns whether it is one to a question that still waited. */
bool probe_answer(struct probe *p, uint32_t id, uint64_t now);

struct probe_result probe_result(const struct probe *p, uint64_t now);

/** For how long nothing that was asked has been answered, not even late; 0: nothing waits. */
uint64_t probe_unanswered(const struct probe *p, uint64_t now);

/** What was asked so far went another way: it is not waited for any more. */
void probe_forgive(struct probe *p);

#endif
