/* SPDX-License-Identifier: MIT */
/* A turn is a number below that of the senders, whatever it is that they send. */
#include "rooms_turns.h"

struct turns turns_of(unsigned n, uint64_t period_ns, uint64_t now)
{
	return (struct turns){ .n = n,
			       .step_ns = n > 0 ? period_ns / n : 0,
			       .next_at = now };
}

bool turns_next(struct turns *turns, uint64_t now, unsigned *ret_turn)
{
	if (turns->n == 0 || turns->next_at > now)
		return false;
	*ret_turn = turns->next;
	turns->next = (turns->next + 1) % turns->n;
	turns->next_at += turns->step_ns;
	return true;
}

unsigned turns_talker(const struct turns *turns, const struct rooms_shape *shape,
		      unsigned turn)
{
	unsigned pairs = (turns->n + 1) / 2, pair = turn % pairs;
	unsigned room = pair % shape->rooms, place = pair / shape->rooms * 2;
	return room * shape->members + place + turn / pairs;
}

unsigned turns_bulk(const struct rooms_shape *shape, unsigned turn)
{
	unsigned room = turn % shape->rooms, place = turn / shape->rooms;
	return room * shape->members + shape->members - 1 - place;
}
