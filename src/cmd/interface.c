/* SPDX-License-Identifier: MIT */
/*
 * MTU and the kernel's switches come before "up", because from there on the kernel speaks:
 * it makes a link-local address and asks for routers.
 */
#include "cmd/interface.h"

#include "cli/state.h"
#include "cli/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPEC_LEN 400u

static bool has_mac(const struct interface_opts *opts)
{
	return !weft_mac_is_zero(opts->mac);
}

static bool has_settings(const struct interface_opts *opts)
{
	return opts->mtu || opts->addresses_n || has_mac(opts) || opts->nud || opts->ra;
}

/* ---- the device -------------------------------------------------------------------------- */

static bool is_there(struct weft_host *host, const char *name)
{
	struct weft_interface facts;
	return name && weft_host_interface(host, name, NULL, &facts) == 0;
}

/* A TAP that is made gets its MAC at once; one that is there, like any other setting. */
static int open_tap(const struct interface_opts *opts, bool is_own,
		    struct weft_error *err, struct weft_link **ret_link)
{
	char spec[SPEC_LEN], mac[WEFT_MAC_TEXT];
	const char *name = opts->name ? opts->name : "";
	if (is_own && has_mac(opts))
		(void)snprintf(spec, sizeof(spec), "tap:%s%smac=%s", name,
			       *name ? "," : "", weft_mac_print(opts->mac, mac));
	else
		(void)snprintf(spec, sizeof(spec), "tap:%s", name);
	return weft_link_open(spec, err, ret_link);
}

static int check_device(const struct interface_opts *opts, const struct weft_link *link,
			bool is_device, struct weft_error *err)
{
	if (is_device || !has_settings(opts))
		return 0;
	return weft_error_set(err, -EINVAL,
			      "%s is no device of this machine, so it can have no "
			      "address, MAC or MTU; leave those options out",
			      opts->link ? opts->link : weft_link_name(link));
}

/* ---- settings ---------------------------------------------------------------------------- */

/* Switches that this kernel has not are no reason to end. */
static void turn(const struct interface_opts *opts, const char *path, const char *value)
{
	int r = sysctl_write(path, value);
	if (r < 0)
		weft_log_warning(opts->log, "cannot set %s to %s: %s", path, value,
				 strerror(-r));
}

/*
 * NUD cannot be turned off in Linux. What comes close is to believe that a neighbour is
 * reachable for a day. Advertisements are taken with 2 even where this machine forwards.
 */
static void turn_switches(const struct interface_opts *opts, const char *device)
{
	char path[128];
	if (opts->nud != SWITCH_SYSTEM) {
		(void)snprintf(path, sizeof(path),
			       "net/ipv6/neigh/%s/base_reachable_time_ms", device);
		turn(opts, path, opts->nud == SWITCH_OFF ? "86400000" : "30000");
	}
	if (opts->ra != SWITCH_SYSTEM) {
		(void)snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", device);
		turn(opts, path, opts->ra == SWITCH_ON ? "2" : "0");
	}
}

static int set_addresses(const struct interface_opts *opts, struct weft_host *host,
			 const char *device, struct weft_error *err)
{
	int r = 0;
	for (size_t i = 0; i < opts->addresses_n && r == 0; i++) {
		const struct weft_ip *address = &opts->addresses[i];
		r = opts->metric ? weft_host_add_address_metric(host, device, address,
								opts->metric, err)
				 : weft_host_add_address(host, device, address, err);
	}
	return r;
}

static int set_up(const struct interface_opts *opts, struct weft_host *host,
		  const char *device, struct weft_error *err)
{
	struct weft_interface facts;
	int r = weft_host_interface(host, device, err, &facts);
	if (r == 0 && has_mac(opts) &&
	    memcmp(&facts.mac, &opts->mac, sizeof(facts.mac)) != 0)
		r = weft_host_set_mac(host, device, opts->mac, err);
	if (r == 0 && opts->mtu)
		r = weft_host_set_mtu(host, device, opts->mtu, err);
	if (r < 0)
		return r;
	turn_switches(opts, device);
	r = weft_host_set_up(host, device, true, err);
	return r < 0 ? r : set_addresses(opts, host, device, err);
}

/* ---- both -------------------------------------------------------------------------------- */

static void report_recovered(void *user, const char *text)
{
	weft_log_info(user, "after an earlier crash: %s", text);
}

static int open_host(const struct interface_opts *opts, struct weft_error *err,
		     struct weft_host **ret_host)
{
	char runtime[STATE_PATH_LEN];
	const struct weft_host_opts host = { .state_dir = state_runtime_dir(runtime) };
	const struct weft_log *log = opts->log;
	/* The log is not changed by it; its user pointer is. */
	union {
		const struct weft_log *given;
		void *wanted;
	} user = { .given = log };
	int r = weft_host_new(&host, err, ret_host);
	if (r == 0)
		(void)weft_host_recover(*ret_host, report_recovered, user.wanted);
	return r;
}

static int open_link(const struct interface_opts *opts, struct weft_host *host,
		     struct weft_error *err, struct interface *interface,
		     bool *ret_is_own)
{
	struct weft_mac mac;
	bool is_own = !opts->link && !is_there(host, opts->name);
	int r = opts->link ? weft_link_open(opts->link, err, &interface->link)
			   : open_tap(opts, is_own, err, &interface->link);
	if (r < 0)
		return r;
	bool is_device = weft_link_mac(interface->link, &mac);
	if (is_device)
		(void)snprintf(interface->name, sizeof(interface->name), "%s",
			       weft_link_name(interface->link));
	*ret_is_own = is_own;
	return check_device(opts, interface->link, is_device, err);
}

int interface_open(const struct interface_opts *opts, struct weft_error *err,
		   struct interface *ret_interface)
{
	struct interface interface = { .name = "" };
	bool is_own = false;
	int r = open_host(opts, err, &interface.host);
	if (r < 0)
		return r;
	r = open_link(opts, interface.host, err, &interface, &is_own);
	if (r == 0 && interface.name[0])
		r = set_up(opts, interface.host, interface.name, err);
	if (r < 0) {
		weft_link_free(interface.link);
		weft_host_free(interface.host);
		return r;
	}
	if (is_own || !interface.name[0]) {
		weft_host_forget(interface.host);
		interface.host = NULL;
	}
	*ret_interface = interface;
	return 0;
}

void interface_close(struct interface *interface)
{
	weft_host_free(interface->host);
	interface->host = NULL;
}
