/* SPDX-License-Identifier: MIT */
/*
 * What comes in on a packet: link is what the cable brings. What this machine itself sends on
 * the interface does not come in, so it could never take part through it, and setting the
 * MAC would only cut it off from its network.
 */
#include "cmd/place.h"

#include "cmd/identity.h"

#include <errno.h>
#include <string.h>

static bool is_wired(const char *spec)
{
	return strncmp(spec, "packet:", strlen("packet:")) == 0 ||
	       strstr(spec, ":packet:");
}

static int check_spec(const char *spec, struct weft_error *err)
{
	if (!is_wired(spec))
		return 0;
	return weft_error_set(err, -EINVAL,
			      "--link %s: this machine takes part by a TAP, such as "
			      "tap:weft0; a wired LAN takes part by `weft gateway`",
			      spec);
}

static int check_link(const char *spec, const struct weft_link *link,
		      struct weft_error *err)
{
	struct weft_mac mac;

	if (!(weft_link_caps(link).flags & WEFT_LINK_IP) && weft_link_mac(link, &mac))
		return 0;
	return weft_error_set(err, -EINVAL,
			      "--link %s: a room is an Ethernet, and this is no Ethernet "
			      "device; take a TAP, such as tap:weft0",
			      spec);
}

/* The link's own MAC will do where it is a member's and we may not change it. */
static int set_mac(const struct place_opts *opts, struct weft_link *link,
		   struct weft_error *err, struct weft_mac *ret_mac)
{
	struct weft_mac mac, own;
	bool has_own = weft_link_mac(link, &own);
	int r = identity_mac(opts->state, opts->mac, err, &mac);

	if (r < 0)
		return r;
	if (!has_own || memcmp(&own, &mac, sizeof(own)) != 0)
		r = weft_host_set_mac(opts->host, weft_link_name(link), mac, err);
	if (r == -EPERM && has_own && (own.octet[0] & 3) == 2) {
		mac = own;
		r = 0;
	}
	if (r == 0)
		*ret_mac = mac;
	return r;
}

/* A room without a router needs none of it, so this is no reason to end. */
static void refuse_default_route(const struct place_opts *opts,
				 const struct weft_link *link)
{
	struct weft_error err = { .text = "" };

	if (weft_host_refuse_default_route(opts->host, weft_link_name(link), &err) < 0)
		weft_log_warning(opts->log, "%s", err.text);
}

int place_open(const struct place_opts *opts, struct weft_error *err,
	       struct weft_link **ret_link, struct weft_mac *ret_mac)
{
	struct weft_link *link = NULL;
	int r = check_spec(opts->spec, err);

	if (r == 0)
		r = weft_link_open(opts->spec, err, &link);
	if (r == 0)
		r = check_link(opts->spec, link, err);
	if (r == 0)
		r = set_mac(opts, link, err, ret_mac);
	if (r < 0) {
		weft_link_free(link);
		return r;
	}
	refuse_default_route(opts, link);
	*ret_link = link;
	return 0;
}
