/* SPDX-License-Identifier: MIT */
/*
 * Who is deaf takes everything from the socket, so that the kernel does not wake him for it.
 */
#include "muffle.h"

#include "../unit.h"
#include "base/container.h"

#include <errno.h>
#include <limits.h>

static int muffle_recv(struct dgram *d, struct dgram_msg *ret_msgs, size_t n)
{
	struct muffle *muffle = container_of(d, struct muffle, base);
	int got;
	do {
		got = dgram_recv(muffle->under, ret_msgs, n);
		for (int i = 0; i < got; i++)
			muffle->received += ret_msgs[i].len;
	} while (muffle->is_deaf && got > 0);
	return got;
}

static int muffle_send(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	struct muffle *muffle = container_of(d, struct muffle, base);
	const size_t loud = n < muffle->messages_left ? n : muffle->messages_left;
	const int taken = loud > 0 ? dgram_send(muffle->under, msgs, loud) : 0;
	for (int i = 0; i < taken; i++)
		muffle->sent += msgs[i].len;
	if (muffle->messages_left != UINT_MAX && taken > 0)
		muffle->messages_left -= (unsigned)taken;
	return taken < (int)loud ? taken : (int)n;
}

static void muffle_free(struct dgram *d)
{
	struct muffle *muffle = container_of(d, struct muffle, base);
	dgram_free(muffle->under);
	free(muffle);
}

struct muffle *muffle_new(struct dgram *under)
{
	static const struct dgram_ops ops = { .recv = muffle_recv,
					      .send = muffle_send,
					      .free = muffle_free };
	struct muffle *muffle = calloc(1, sizeof(*muffle));
	assert_non_null(muffle);
	muffle->base = *under;
	muffle->base.ops = &ops;
	muffle->under = under;
	muffle->messages_left = UINT_MAX;
	return muffle;
}
