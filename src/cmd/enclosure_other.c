/* SPDX-License-Identifier: MIT */
/*
 * Namespaces are Linux's.
 */
#include "cmd/enclosure.h"

#include <errno.h>

int enclosure_open(struct enclosure *e, char *const argv[], const struct weft_log *log,
		   struct weft_error *err)
{
	(void)argv;
	(void)log;
	e->task.fd = -1;
	return weft_error_set(err, -ENOTSUP,
			      "this system has no network namespaces; `weft join --user` "
			      "needs none");
}

int enclosure_set_up(struct enclosure *e, unsigned mtu, struct weft_error *err)
{
	(void)e;
	(void)mtu;
	return weft_error_set(err, -ENOTSUP, "no namespaces");
}

int enclosure_set_address(struct enclosure *e, const struct weft_ip *address,
			  const struct weft_ip *router, struct weft_error *err)
{
	(void)e;
	(void)address;
	(void)router;
	return weft_error_set(err, -ENOTSUP, "no namespaces");
}

void enclosure_clear_address(struct enclosure *e, const struct weft_ip *address)
{
	(void)e;
	(void)address;
}

void enclosure_use_names(struct enclosure *e, const char *text)
{
	(void)e;
	(void)text;
}

int enclosure_start(struct enclosure *e, struct weft_error *err)
{
	(void)e;
	return weft_error_set(err, -ENOTSUP, "no namespaces");
}

void enclosure_signal(struct enclosure *e, int signo)
{
	(void)e;
	(void)signo;
}

void enclosure_close(struct enclosure *e)
{
	(void)e;
}
