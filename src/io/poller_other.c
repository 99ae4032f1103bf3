/* SPDX-License-Identifier: MIT */
/*
 * Where no descriptor stands for several others, or weft does not use it yet.
 */
#include "io/poller.h"

#include <errno.h>

int poller_new(struct poller **ret_poller)
{
	(void)ret_poller;
	return -ENOTSUP;
}

void poller_free(struct poller *poller)
{
	(void)poller;
}

int poller_fd(const struct poller *poller)
{
	(void)poller;
	return -1;
}

int poller_add(struct poller *poller, struct weft_task *task)
{
	(void)poller;
	(void)task;
	return -ENOTSUP;
}

void poller_remove(struct poller *poller, struct weft_task *task)
{
	(void)poller;
	(void)task;
}

void poller_run(struct poller *poller, uint64_t now)
{
	(void)poller;
	(void)now;
}

uint64_t poller_deadline(const struct poller *poller)
{
	(void)poller;
	return WEFT_NEVER;
}

void poller_watch(struct poller *poller)
{
	(void)poller;
}
