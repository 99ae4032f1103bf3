/* SPDX-License-Identifier: MIT */
/*
 * A tunnel as a program's network: whoever has it is the host on its interface. The file's one
 * interface may be a server's; that is entered at once.
 */
#include "cmd/cmd.h"
#include "cmd/config_file.h"
#include "cmd/network.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Frames on the way between the program and the tunnel. */
#define PAIR_LEN 4096u

/* ---- what it says of its interface ------------------------------------------------------- */

static int begin_link(void *user, const struct weft_tunnel_interface *conf,
		      struct weft_error *err, struct weft_link **ret_link)
{
	struct network *n = user;
	int r = conf->mode == WEFT_TUNNEL_IP
			? weft_link_ip_pair(PAIR_LEN, &n->link, ret_link)
			: weft_link_pair(PAIR_LEN, &n->link, ret_link);
	return r < 0 ? weft_error_set(err, r, "%s: %s", conf->name, strerror(-r)) : 0;
}

static void tell_change(struct network *n)
{
	if (n->is_in)
		network_entered(n);
}

static int set_mtu(void *user, struct weft_link *link, uint32_t mtu,
		   struct weft_error *err)
{
	struct network *n = user;
	(void)link;
	(void)err;
	n->terms.mtu = mtu;
	return 0;
}

static size_t find_ip(const struct network_terms *terms, const struct weft_ip *ip)
{
	size_t i = 0;
	while (i < terms->ips_n && memcmp(&terms->ips[i], ip, sizeof(*ip)) != 0)
		i++;
	return i;
}

static int add_address(void *user, struct weft_link *link, const struct weft_ip *address,
		       struct weft_error *err)
{
	struct network *n = user;
	(void)link;
	if (find_ip(&n->terms, address) < n->terms.ips_n)
		return 0;
	if (n->terms.ips_n == NETWORK_IPS_MAX)
		return weft_error_set(err, -ENOSPC, "%s: more than %u addresses",
				      n->title, NETWORK_IPS_MAX);
	n->terms.ips[n->terms.ips_n++] = *address;
	tell_change(n);
	return 0;
}

static int remove_address(void *user, struct weft_link *link,
			  const struct weft_ip *address, struct weft_error *err)
{
	struct network *n = user;
	size_t at = find_ip(&n->terms, address);
	(void)link;
	(void)err;
	if (at == n->terms.ips_n)
		return 0;
	n->terms.ips[at] = n->terms.ips[--n->terms.ips_n];
	tell_change(n);
	return 0;
}

static const struct weft_tunnels_devices devices = {
	.begin = begin_link,
	.set_mtu = set_mtu,
	.add_address = add_address,
	.remove_address = remove_address,
};

/* ---- what happens ------------------------------------------------------------------------ */

static void on_connected(void *user, const struct weft_tunnel_peer *peer, uint64_t now)
{
	struct network *n = user;
	(void)now;
	weft_log_info(&n->output->log, "%s: %s is connected", n->title, peer->name);
	if (!n->is_in)
		network_entered(n);
}

static void on_disconnected(void *user, const struct weft_tunnel_peer *peer,
			    const char *reason, uint64_t now)
{
	struct network *n = user;
	(void)now;
	weft_log_warning(&n->output->log, "%s: %s is gone (%s)", n->title, peer->name,
			 reason);
}

static void on_refused(void *user, const char *interface, const char *address,
		       uint64_t now)
{
	struct network *n = user;
	(void)interface;
	(void)now;
	weft_log_warning(&n->output->log, "%s: %s came with a wrong token", n->title,
			 address);
}

static void on_refused_more(void *user, const char *interface, uint64_t count,
			    uint64_t now)
{
	struct network *n = user;
	(void)interface;
	(void)now;
	weft_log_warning(&n->output->log, "%s: %" PRIu64 " more came with wrong tokens",
			 n->title, count);
}

static const struct weft_tunnels_events events = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.refused = on_refused,
	.refused_more = on_refused_more,
};

/* ---- beginning --------------------------------------------------------------------------- */

/* What is wrong with it has been said when this fails. */
static int load(struct network *n, const char *path)
{
	struct config_file file;
	const char *verb = n->command->verb;
	int r = config_file_read(&file, n->output, verb, path);
	if (r < 0)
		return STATUS_FAILED;
	r = config_file_parse(&file, &n->config);
	config_file_fini(&file);
	if (r == -ENOMEM)
		return output_fail(verb, strerror(ENOMEM));
	if (r < 0)
		return STATUS_FAILED;
	if (n->config->interfaces_n == 1)
		return STATUS_OK;
	return output_fail(verb, "a link is one interface of a tunnel, and this file has "
				 "others, too");
}

int network_open_tunnel(struct network *n, const char *path)
{
	int status = load(n, path);
	if (status != STATUS_OK)
		return status;
	uint8_t secret[16];
	struct weft_error err;
	const struct weft_tunnel_interface *conf = &n->config->interfaces[0];
	const struct weft_tunnels_opts opts = { .devices = &devices,
						.devices_user = n,
						.log = &n->output->log,
						.events = &events,
						.user = n,
						.secret = secret };
	(void)snprintf(n->title, sizeof(n->title), "tunnel %s", conf->name);
	if (sodium_init() < 0)
		return output_fail(n->command->verb, "no random numbers");
	randombytes_buf(secret, sizeof(secret));
	if (weft_tunnels_new(n->config, n->loop, &opts, &err, &n->tunnels) < 0)
		return output_fail(n->command->verb, err.text);
	n->is_in = conf->is_server;
	return STATUS_OK;
}
