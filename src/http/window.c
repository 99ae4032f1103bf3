/* SPDX-License-Identifier: MIT */
/*
 * A step has two parts: for a round trip nothing is looked at, for what comes back was sent under
 * the window before; what comes back then is what the window has made of the path.
 *
 *      window changed     begins               ends: window changed
 *      |---- a round trip ----|---- half of one ----|---- a round trip ----|----
 */
#include "http/window.h"

#include "base/time.h"

/* How often a path is asked while there is a window, and while there is none. */
#define LOOK_NS      NS_PER_MS
#define LOOK_FREE_NS (4 * NS_PER_MS)

/* A step is looked at for so long at least; and it is no longer than two of the most. */
#define STEP_MIN_NS (4 * NS_PER_MS)
#define STEP_MAX_NS NS_PER_S

/* A window is compared with what there was before once it is so much smaller. */
#define SMALLER 0.875

/* Beyond this TCP's own window is the smaller one. */
#define LEN_MAX (UINT64_C(64) << 20)

size_t window_len(const struct window *w)
{
	return w->len > 0 ? w->len : WINDOW_NONE;
}

void window_is_short(struct window *w)
{
	w->is_short = true;
}

bool window_is_due(const struct window *w, uint64_t now)
{
	return now >= w->look_at;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set(struct window *w, uint64_t len)
{
	w->len = len < LEN_MAX ? (size_t)most(len, WINDOW_MIN) : 0;
}

/* What `len` would be for the round trip that is wanted; a step does not do all at once. */
static uint64_t fit(uint64_t len, uint64_t wanted, uint64_t rtt)
{
	const double ideal = (double)len * (double)wanted / (double)rtt;
	return most((uint64_t)(ideal < 2.0 * (double)len ? ideal : 2.0 * (double)len),
		    len / 2);
}

/*
 * Whether the rate has fallen more like the window than like that of a queue of its own, which
 * would be as it was: by more than half as much.
 */
static bool is_dear(const struct window *w, size_t len, double rate)
{
	if (w->rate_before <= 0)
		return false;
	const double left = (double)len / (double)w->len_before;
	return left < SMALLER && rate / w->rate_before < (1 + left) / 2;
}

static void forget_before(struct window *w)
{
	w->rate_before = 0;
	w->was_dear = false;
}

/* How long a base is believed that is raised now. */
static uint64_t belief(const struct window *w, uint64_t now)
{
	const bool is_again = now < w->doubt_at + w->doubt_ns;
	const uint64_t first = most(WINDOW_DOUBT_RTTS * w->rtt, WINDOW_DOUBT_MIN_NS);
	return least(is_again ? 2 * w->doubt_ns : first, WINDOW_DOUBT_MAX_NS);
}

/* The round trip is what it is, whatever is held back: all of that is given back. */
static void raise_base(struct window *w, uint64_t now)
{
	if (w->base_known == 0) {
		w->base_known = w->base;
		w->doubt_ns = belief(w, now);
		w->doubt_at = now + w->doubt_ns;
	}
	w->base = w->rtt;
	set(w, w->len_before);
	forget_before(w);
}

/* Once may be a processor that was late. */
static void bear_cost(struct window *w, uint64_t now)
{
	if (w->was_dear)
		raise_base(w, now);
	else
		w->was_dear = true;
}

static void doubt_base(struct window *w, uint64_t now)
{
	if (w->base_known == 0 || now < w->doubt_at)
		return;
	w->base = least(w->base, w->base_known);
	w->base_known = 0;
}

static void shrink(struct window *w, size_t len, double rate, uint64_t wanted)
{
	if (w->rate_before == 0) {
		w->rate_before = rate;
		w->len_before = len;
	}
	w->was_dear = false;
	set(w, fit(len, wanted, w->rtt));
}

/* A step has ended. What held nothing back does not grow, and what is no queue is not cut. */
static void judge(struct window *w, double rate, uint64_t now)
{
	const uint64_t wanted = w->base + w->base / 16 + WINDOW_QUEUE_NS;
	const size_t len = least(w->used, window_len(w));
	if (rate > WINDOW_RATE_MAX) {
		w->len = 0;
		forget_before(w);
	} else if (w->rtt <= wanted) {
		forget_before(w);
		if (w->len > 0 && w->is_short)
			set(w, fit(w->len, wanted, w->rtt));
	} else if (is_dear(w, len, rate)) {
		bear_cost(w, now);
	} else if (len > WINDOW_MIN) {
		shrink(w, len, rate, wanted);
	}
}

static void open_step(struct window *w, const struct window_path *path, uint64_t now)
{
	w->is_open = true;
	w->is_short = false;
	w->used = path->under_way;
	w->rtt = path->rtt_ns;
	w->acked = path->acked;
	w->acked_at = now;
	w->ends = now + most(least(path->rtt_ns / 2, STEP_MAX_NS), STEP_MIN_NS);
}

static void close_step(struct window *w, const struct window_path *path, uint64_t now)
{
	const double seconds = (double)(now - w->acked_at) / (double)NS_PER_S;
	const double rate = (double)(path->acked - w->acked) / seconds;
	if (!path->is_losing)
		judge(w, rate, now);
	w->is_open = false;
	w->begins = now + least(path->rtt_ns, STEP_MAX_NS);
}

void window_look(struct window *w, const struct window_path *path, uint64_t now)
{
	w->look_at = now + (w->len > 0 ? LOOK_NS : LOOK_FREE_NS);
	if (path->rtt_ns == 0)
		return;
	doubt_base(w, now);
	w->base = w->base > 0 ? least(w->base, path->rtt_ns) : path->rtt_ns;
	if (now < w->begins)
		return;
	if (!w->is_open) {
		open_step(w, path, now);
		return;
	}
	w->rtt = least(w->rtt, path->rtt_ns);
	w->used = most(w->used, path->under_way);
	if (now >= w->ends)
		close_step(w, path, now);
}
