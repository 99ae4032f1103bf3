/* SPDX-License-Identifier: MIT */
/*
 * The host begins with the interface, so that programs can connect to it while the server is
 * still looked for. Sockets outlive a reconnection, as they do in this machine's kernel: what
 * was assigned before and is assigned again is not touched (tunnel/assigned.h).
 */
#include "cmd/tunnel_user.h"

#include <errno.h>
#include <string.h>

static int begin_host(void *user, const struct weft_tunnel_interface *conf,
		      struct weft_error *err, struct weft_link **ret_link)
{
	struct tunnel_user *u = user;
	if (u->link)
		return weft_error_set(
			err, -EOPNOTSUPP,
			"%s: --user is a host on one interface, and this is "
			"another one",
			conf->name);
	u->rootless.output = u->output;
	u->rootless.is_ip = conf->mode == WEFT_TUNNEL_IP;
	int r = rootless_open(&u->rootless, u->args, u->loop, err, ret_link);
	if (r < 0)
		rootless_close(&u->rootless);
	else
		u->link = *ret_link;
	return r;
}

static void end_host(void *user, struct weft_link *link)
{
	struct tunnel_user *u = user;
	(void)link;
	rootless_close(&u->rootless);
	u->link = NULL;
}

/* A host keeps the MTU that it began with: connections have been made for it. */
static int set_mtu(void *user, struct weft_link *link, uint32_t mtu,
		   struct weft_error *err)
{
	static const struct weft_mac own;
	struct tunnel_user *u = user;
	(void)link;
	(void)err;
	if (u->rootless.iface && u->mtu != mtu)
		weft_log_warning(&u->output->log,
				 "the MTU is %u now, and stays %u here until weft is "
				 "started again",
				 mtu, u->mtu);
	rootless_joined(&u->rootless, own, mtu);
	u->mtu = mtu;
	return 0;
}

static int add_address(void *user, struct weft_link *link, const struct weft_ip *address,
		       struct weft_error *err)
{
	struct tunnel_user *u = user;
	char text[WEFT_IP_TEXT];
	(void)link;
	int r = rootless_add_address(&u->rootless, address, 0, NULL);
	if (r == 0 || r == -EEXIST)
		return 0;
	return weft_error_set(err, r, "%s cannot be used: %s",
			      weft_ip_print(address, text), strerror(-r));
}

static int remove_address(void *user, struct weft_link *link,
			  const struct weft_ip *address, struct weft_error *err)
{
	struct tunnel_user *u = user;
	(void)link;
	(void)err;
	rootless_remove_address(&u->rootless, address);
	return 0;
}

const struct weft_tunnels_devices tunnel_user_devices = {
	.begin = begin_host,
	.end = end_host,
	.set_mtu = set_mtu,
	.add_address = add_address,
	.remove_address = remove_address,
};
