/* SPDX-License-Identifier: MIT */
/*
 * RFC 8106, 5.3.1, has what DHCP says stand before what routers say. A resolver whose servers
 * change forgets what it knows, so it is told of changes alone.
 */
#include "cmd/naming.h"

#include <sys/random.h>

/* What is given by hand was judged when it began. */
static void use(struct naming *n)
{
	struct names names = n->leased;
	struct weft_advice advice = { .has_dhcp6 = false };
	struct weft_error err;
	if (n->iface)
		weft_iface_advice(n->iface, &advice);
	names_add(&names, &n->told);
	names_add(&names, &advice.dns);
	if (names_give(&names, &n->given, &err) < 0 || names_equal(&names, &n->used))
		return;
	n->used = names;
	names_use(&names, n->resolver);
}

/* ---- DHCPv6 ------------------------------------------------------------------------------ */

static void dhcp6_told(void *user, const struct weft_dns *dns, uint64_t now)
{
	struct naming *n = user;
	(void)now;
	n->told = *dns;
	use(n);
}

/* Without it there is what the routers say. */
static void start_dhcp6(struct naming *n)
{
	struct weft_dhcp6c_opts opts = {
		.stack = n->stack, .iface = n->iface, .told = dhcp6_told, .user = n
	};
	if (getrandom(&opts.seed, sizeof(opts.seed), 0) != (ssize_t)sizeof(opts.seed) ||
	    weft_dhcp6c_new(&opts, &n->dhcp6c) < 0)
		return;
	if (weft_loop_add(n->loop, weft_dhcp6c_task(n->dhcp6c)) == 0)
		return;
	weft_dhcp6c_free(n->dhcp6c);
	n->dhcp6c = NULL;
}

/* ---- routers ----------------------------------------------------------------------------- */

static void advised(void *user, uint64_t now)
{
	struct naming *n = user;
	struct weft_advice advice;
	(void)now;
	weft_iface_advice(n->iface, &advice);
	if (advice.has_dhcp6 && !n->dhcp6c)
		start_dhcp6(n);
	use(n);
}

void naming_watch(struct naming *naming, struct weft_iface *iface)
{
	naming->iface = iface;
	weft_iface_on_advice(iface, advised, naming);
}

/* ---- beginning and end ------------------------------------------------------------------- */

int naming_begin(struct naming *naming, struct weft_error *err)
{
	struct names names = { .servers_n = 0 };
	int r = names_give(&names, &naming->given, err);
	if (r == 0)
		use(naming);
	return r;
}

void naming_lease(struct naming *naming, const struct names *leased)
{
	naming->leased = leased ? *leased : (struct names){ .servers_n = 0 };
	use(naming);
}

void naming_end(struct naming *naming)
{
	if (naming->iface)
		weft_iface_on_advice(naming->iface, NULL, NULL);
	if (naming->dhcp6c)
		weft_loop_remove(naming->loop, weft_dhcp6c_task(naming->dhcp6c));
	weft_dhcp6c_free(naming->dhcp6c);
	naming->dhcp6c = NULL;
	naming->iface = NULL;
}
