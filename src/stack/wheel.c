/* SPDX-License-Identifier: MIT */
/*
 * The wheel's time is a tick. A timer's place follows from that and its own tick alone: the
 * level of the highest digit in which they differ, and that digit of the timer's. Moving the
 * time on keeps all places right as long as it does not enter a slot that holds timers; when
 * it does, that slot is spread over the levels below. What is due in the present tick stands
 * in level 0, in the slot of the time's own digit.
 */
#include "stack/wheel.h"

#include <weft/loop.h>

#define DIGIT_MASK (WHEEL_SLOTS - 1u)
#define TICK_MAX   ((UINT64_C(1) << (WHEEL_LEVELS * WHEEL_DIGIT_BITS)) - 1)

static unsigned digit_of(uint64_t tick, unsigned level)
{
	return (unsigned)(tick >> (level * WHEEL_DIGIT_BITS)) & DIGIT_MASK;
}

void wheel_init(struct wheel *w, void *user, uint64_t now)
{
	*w = (struct wheel){ .tick = now >> WHEEL_TICK_SHIFT, .user = user };
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
	}
}

struct place {
	unsigned level, slot;
};

/* Where a timer for the time at belongs now. */
static struct place place_of(const struct wheel *w, uint64_t at)
{
	uint64_t tick = at >> WHEEL_TICK_SHIFT;
	if (tick > TICK_MAX)
		tick = TICK_MAX;
	if (tick < w->tick)
		tick = w->tick;
	uint64_t differs = tick ^ w->tick;
	struct place place = { 0 };
	if (differs)
		place.level =
			(63u - (unsigned)__builtin_clzll(differs)) / WHEEL_DIGIT_BITS;
	place.slot = digit_of(tick, place.level);
	return place;
}

static void put(struct wheel *w, struct timer *timer)
{
	struct place place = place_of(w, timer->at);
	list_push_back(&w->slots[place.level][place.slot], &timer->of_slot);
	w->used[place.level] |= UINT64_C(1) << place.slot;
}

/* Whichever list the timer is on. Its place, if it is in one, is still the one it was put in. */
static void take(struct wheel *w, struct timer *timer)
{
	struct place place = place_of(w, timer->at);
	list_remove(&timer->of_slot);
	if (list_is_empty(&w->slots[place.level][place.slot]))
		w->used[place.level] &= ~(UINT64_C(1) << place.slot);
	timer->of_slot = (struct list){ NULL, NULL };
}

void wheel_arm(struct wheel *w, struct timer *timer, uint64_t at)
{
	if (timer_is_armed(timer))
		take(w, timer);
	else
		w->count++;
	timer->at = at;
	put(w, timer);
}

void wheel_cancel(struct wheel *w, struct timer *timer)
{
	if (!timer_is_armed(timer))
		return;
	take(w, timer);
	w->count--;
}

/* The next tick, from the present one on, in which a slot of some level begins; level 0 first. */
static bool find_next(const struct wheel *w, uint64_t *ret_tick, unsigned *ret_level)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned shift = level * WHEEL_DIGIT_BITS;
		uint64_t ahead =
			w->used[level] & (UINT64_MAX << digit_of(w->tick, level));
		if (!ahead)
			continue;
		unsigned slot = (unsigned)__builtin_ctzll(ahead);
		uint64_t above = w->tick >> shift >> WHEEL_DIGIT_BITS;
		*ret_tick = (above << WHEEL_DIGIT_BITS | slot) << shift;
		*ret_level = level;
		return true;
	}
	return false;
}

/*
 * Enters the slot that begins at tick: its timers go to the levels below. There can be thousands,
 * each in memory of its own, so each is touched once: the slot is emptied first and not by taking
 * them out.
 */
static void enter(struct wheel *w, uint64_t tick, unsigned level)
{
	unsigned slot = digit_of(tick, level);
	struct list *head = &w->slots[level][slot], *node = head->next;
	list_init(head);
	w->used[level] &= ~(UINT64_C(1) << slot);
	w->tick = tick;
	while (node != head) {
		struct list *next = node->next;
		put(w, container_of(node, struct timer, of_slot));
		node = next;
	}
}

/* Takes what is due out of the slot of the present tick. */
static void collect_due(struct wheel *w, uint64_t now, struct list *due)
{
	unsigned slot = digit_of(w->tick, 0);
	struct list *from = &w->slots[0][slot];
	list_for_each (node, from) {
		if (container_of(node, struct timer, of_slot)->at > now)
			continue;
		list_remove(node);
		list_push_back(due, node);
	}
	if (list_is_empty(from))
		w->used[0] &= ~(UINT64_C(1) << slot);
}

void wheel_run(struct wheel *w, uint64_t now)
{
	const uint64_t now_tick = now >> WHEEL_TICK_SHIFT;
	struct list due;
	uint64_t tick = 0;
	unsigned level = 0;
	list_init(&due);
	while (find_next(w, &tick, &level) && tick <= now_tick) {
		if (level > 0) {
			enter(w, tick, level);
			continue;
		}
		w->tick = tick;
		collect_due(w, now, &due);
		if (tick == now_tick)
			break;
	}
	if (w->tick < now_tick)
		w->tick = now_tick;
	while (!list_is_empty(&due)) {
		struct timer *timer = container_of(due.next, struct timer, of_slot);
		wheel_cancel(w, timer);
		timer->fire(timer, w->user, now);
	}
}

/* The earliest of a slot of level 0: all of them are of the same tick. */
static uint64_t earliest_in(const struct list *slot)
{
	uint64_t at = WEFT_NEVER;
	for (const struct list *node = slot->next; node != slot; node = node->next) {
		const struct timer *timer =
			container_of_const(node, struct timer, of_slot);
		if (timer->at < at)
			at = timer->at;
	}
	return at;
}

uint64_t wheel_next(const struct wheel *w)
{
	uint64_t tick = 0;
	unsigned level = 0;
	if (!find_next(w, &tick, &level))
		return WEFT_NEVER;
	if (level == 0)
		return earliest_in(&w->slots[0][digit_of(tick, 0)]);
	return tick << WHEEL_TICK_SHIFT;
}
