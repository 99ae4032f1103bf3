/* SPDX-License-Identifier: MIT */
/*
 * A question that waits for its answer is neither lost nor good. A clock that has gone back
 * makes an answer without a time, which is none.
 */
#include "tunnel/probe.h"

#include <stddef.h>

static struct probe_trial *trial_of(struct probe *p, uint32_t id)
{
	return &p->trials[id % PROBE_LAST];
}

bool probe_ask(struct probe *p, uint64_t now, uint32_t *ret_id)
{
	if (now < p->due)
		return false;
	p->last_id = p->last_id < PROBE_ID_MAX ? p->last_id + 1 : 1;
	*trial_of(p, p->last_id) = (struct probe_trial){ .id = p->last_id, .at = now };
	if (p->asked_at == 0)
		p->asked_at = now;
	p->due = now + (p->last_id < PROBE_FAST ? PROBE_FAST_NS : PROBE_NS);
	*ret_id = p->last_id;
	return true;
}

static bool is_late(const struct probe_trial *trial, uint64_t now)
{
	return now > trial->at && now - trial->at > PROBE_LOST_NS;
}

bool probe_answer(struct probe *p, uint32_t id, uint64_t now)
{
	struct probe_trial *trial = trial_of(p, id);
	if (id != 0 && id <= p->last_id)
		p->asked_at = 0;
	if (id == 0 || trial->id != id || trial->is_answered || now < trial->at ||
	    is_late(trial, now))
		return false;
	trial->is_answered = true;
	trial->rtt_ns = now - trial->at;
	return true;
}

/* Puts a time where it belongs among the n best so far. Returns how many there are now. */
static size_t insert(uint64_t best[PROBE_BEST], size_t n, uint64_t rtt)
{
	size_t i = n;
	if (n == PROBE_BEST && rtt >= best[n - 1])
		return n;
	if (n == PROBE_BEST)
		i--;
	for (; i > 0 && best[i - 1] > rtt; i--)
		best[i] = best[i - 1];
	best[i] = rtt;
	return n < PROBE_BEST ? n + 1 : n;
}

static uint64_t mean(const uint64_t *values, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return n > 0 ? sum / n : 0;
}

uint64_t probe_unanswered(const struct probe *p, uint64_t now)
{
	return p->asked_at != 0 && now > p->asked_at ? now - p->asked_at : 0;
}

void probe_forgive(struct probe *p)
{
	p->asked_at = 0;
}

struct probe_result probe_result(const struct probe *p, uint64_t now)
{
	uint64_t best[PROBE_BEST];
	size_t best_n = 0;
	uint32_t answered = 0, lost = 0;
	for (size_t i = 0; i < PROBE_LAST; i++) {
		const struct probe_trial *trial = &p->trials[i];
		if (trial->id != 0 && trial->is_answered)
			best_n = insert(best, best_n, trial->rtt_ns);
		answered += trial->id != 0 && trial->is_answered;
		lost += trial->id != 0 && !trial->is_answered && is_late(trial, now);
	}
	return (struct probe_result){
		.rtt_ns = mean(best, best_n),
		.loss_permille = lost > 0 ? lost * 1000 / (answered + lost) : 0,
		.is_measured = answered > 0,
	};
}
