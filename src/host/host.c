/* SPDX-License-Identifier: MIT */
/*
 * The public calls: each makes a struct change out of its arguments, and all changes take
 * the same way:
 *
 *     is it so already?  --yes-->  nothing to do, nothing to undo: it is not ours
 *            | no
 *     on record (journal_append)
 *            |
 *     netlink_apply      --fails-> off the record (journal_cancel), and say why
 */
#include "host/host.h"

#include "base/container.h"
#include "base/net.h"
#include "host/undo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_DIR "/run/weft"

struct weft_host {
	struct netlink *nl;
	struct journal *journal;
	int dir_fd;
};

int host_new_on(const struct weft_host_opts *opts, struct netlink *nl,
		struct weft_error *err, struct weft_host **ret_host)
{
	const char *dir = opts && opts->state_dir ? opts->state_dir : STATE_DIR;
	struct weft_host *host = calloc(1, sizeof(*host));
	int r;
	if (!host) {
		r = weft_error_set(err, -ENOMEM, "out of memory");
		goto fail_netlink;
	}
	r = journal_dir_open(dir, err);
	if (r < 0)
		goto fail_host;
	host->dir_fd = r;
	r = journal_create(host->dir_fd, &nl->place, &host->journal);
	if (r < 0) {
		weft_error_set(err, r, "cannot make a journal in %s: %s", dir,
			       strerror(-r));
		goto fail_dir;
	}
	host->nl = nl;
	*ret_host = host;
	return 0;

fail_dir:
	(void)close(host->dir_fd);
fail_host:
	free(host);
fail_netlink:
	netlink_free(nl);
	return r;
}

int weft_host_new(const struct weft_host_opts *opts, struct weft_error *err,
		  struct weft_host **ret_host)
{
	struct netlink *nl;
	int r = netlink_new(&nl);
	if (r < 0)
		return weft_error_set(err, r,
				      "cannot speak to the kernel by rtnetlink: %s",
				      strerror(-r));
	return host_new_on(opts, nl, err, ret_host);
}

static void host_release(struct weft_host *host)
{
	netlink_free(host->nl);
	(void)close(host->dir_fd);
	free(host);
}

void weft_host_free(struct weft_host *host)
{
	if (!host)
		return;
	const struct undo_report silent = { .fn = NULL };
	if (undo_journal(host->journal, host->nl, &silent) < 0)
		journal_close(host->journal);
	else
		journal_remove(host->journal);
	host_release(host);
}

void weft_host_forget(struct weft_host *host)
{
	if (!host)
		return;
	journal_remove(host->journal);
	host_release(host);
}

int weft_host_recover(struct weft_host *host,
		      void (*report)(void *user, const char *text), void *user)
{
	const struct undo_report to = { .fn = report, .user = user };
	return undo_dead(host->dir_fd, host->nl, &to);
}

/* A sentence for a change that the kernel refused. */
static int explain(struct weft_error *err, int error, const struct change *change)
{
	char what[200];
	struct fmt f;
	fmt_init(&f, what, sizeof(what));
	change_print(change, &f);
	switch (error) {
	case -EPERM:
	case -EACCES:
		return weft_error_set(err, error,
				      "cannot set %s: needs CAP_NET_ADMIN (run as "
				      "root)",
				      what);
	case -EEXIST:
		return weft_error_set(err, error,
				      "cannot set %s: something else is in its "
				      "place",
				      what);
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return weft_error_set(err, error,
				      "cannot set %s: no interface that is up leads "
				      "to it",
				      what);
	default:
		return weft_error_set(err, error, "cannot set %s: %s", what,
				      strerror(-error));
	}
}

static int make(struct weft_host *host, const struct change *change,
		struct weft_error *err)
{
	int r = netlink_is_made(host->nl, change);
	if (r != 0)
		return r > 0 ? 0 : explain(err, r, change);
	struct journal_entry *entry;
	r = journal_append(host->journal, change, &entry);
	if (r < 0)
		return weft_error_set(err, r, "cannot write the journal of changes: %s",
				      strerror(-r));
	r = netlink_apply(host->nl, change);
	if (r < 0) {
		journal_cancel(host->journal, entry);
		return explain(err, r, change);
	}
	return 0;
}

int weft_host_interface(struct weft_host *host, const char *ifname,
			struct weft_error *err, struct weft_interface *ret_interface)
{
	int r = netlink_interface(host->nl, ifname, ret_interface);
	if (r >= 0)
		return 0;
	if (r != -ENODEV)
		return weft_error_set(err, r, "cannot read interface %s: %s", ifname,
				      strerror(-r));
	char names[256];
	struct fmt f;
	fmt_init(&f, names, sizeof(names));
	if (netlink_list(host->nl, &f) < 0)
		fmt_add(&f, "(unknown)");
	return weft_error_set(err, r, "no interface %s; there are: %s", ifname,
			      fmt_text(&f));
}

/* Begins a change of an interface; the interface is read for what was before. */
static int begin(struct weft_host *host, enum change_kind kind, const char *ifname,
		 struct weft_error *err, struct change *ret_change,
		 struct weft_interface *ret_interface)
{
	int r = weft_host_interface(host, ifname, err, ret_interface);
	if (r < 0)
		return r;
	*ret_change = (struct change){ .kind = kind, .ifindex = ret_interface->index };
	memcpy(ret_change->ifname, ret_interface->name, sizeof(ret_change->ifname));
	return 0;
}

int weft_host_add_address(struct weft_host *host, const char *ifname,
			  const struct weft_ip *address, struct weft_error *err)
{
	struct weft_interface interface;
	struct change change;
	int r = begin(host, CHANGE_ADDRESS, ifname, err, &change, &interface);
	if (r < 0)
		return r;
	change.address = *address;
	return make(host, &change, err);
}

int weft_host_add_address_metric(struct weft_host *host, const char *ifname,
				 const struct weft_ip *address, uint32_t metric,
				 struct weft_error *err)
{
	struct weft_interface interface;
	struct change change;
	struct weft_route route = { .dest = net_of(address), .metric = metric };
	int r = begin(host, CHANGE_ADDRESS, ifname, err, &change, &interface);
	if (r < 0)
		return r;
	change.address = *address;
	change.without_route = true;
	memcpy(route.ifname, interface.name, sizeof(route.ifname));
	r = make(host, &change, err);
	return r < 0 ? r : weft_host_add_route(host, &route, err);
}

/* The entry of a thing (address, route, rule) that this host has added, or NULL. */
static struct journal_entry *find_thing(struct weft_host *host,
					const struct change *thing)
{
	list_for_each (node, &host->journal->entries) {
		struct journal_entry *entry =
			container_of(node, struct journal_entry, node);
		if (change_is_same_thing(&entry->change, thing))
			return entry;
	}
	return NULL;
}

static int undo_entry(struct weft_host *host, struct journal_entry *entry,
		      struct weft_error *err)
{
	int r = undo_change(host->nl, &entry->change);
	if (r < 0)
		return explain(err, r, &entry->change);
	journal_cancel(host->journal, entry);
	return 0;
}

static int remove_thing(struct weft_host *host, const struct change *thing,
			struct weft_error *err)
{
	struct journal_entry *entry = find_thing(host, thing);
	return entry ? undo_entry(host, entry, err) : 0;
}

int weft_host_remove_address(struct weft_host *host, const char *ifname,
			     const struct weft_ip *address, struct weft_error *err)
{
	struct change thing = { .kind = CHANGE_ADDRESS, .address = *address };
	(void)snprintf(thing.ifname, sizeof(thing.ifname), "%s", ifname);
	return remove_thing(host, &thing, err);
}

int weft_host_remove_route(struct weft_host *host, const struct weft_route *route,
			   struct weft_error *err)
{
	struct change thing = { .kind = CHANGE_ROUTE, .route = *route };
	memcpy(thing.ifname, route->ifname, sizeof(thing.ifname));
	return remove_thing(host, &thing, err);
}

int weft_host_remove_rule(struct weft_host *host, const struct weft_rule *rule,
			  struct weft_error *err)
{
	const struct change thing = { .kind = CHANGE_RULE, .rule = *rule };
	return remove_thing(host, &thing, err);
}

int weft_host_undo_interface(struct weft_host *host, const char *ifname,
			     struct weft_error *err)
{
	struct list *entries = &host->journal->entries, *previous;
	int failure = 0;
	for (struct list *node = entries->prev; node != entries; node = previous) {
		struct journal_entry *entry =
			container_of(node, struct journal_entry, node);
		previous = node->prev;
		if (strcmp(entry->change.ifname, ifname) != 0)
			continue;
		int r = undo_entry(host, entry, failure ? NULL : err);
		failure = failure ? failure : r;
	}
	return failure;
}

int weft_host_set_mtu(struct weft_host *host, const char *ifname, unsigned mtu,
		      struct weft_error *err)
{
	struct weft_interface interface;
	struct change change;
	int r = begin(host, CHANGE_MTU, ifname, err, &change, &interface);
	if (r < 0)
		return r;
	change.mtu.before = interface.mtu;
	change.mtu.after = mtu;
	return make(host, &change, err);
}

int weft_host_set_mac(struct weft_host *host, const char *ifname, struct weft_mac mac,
		      struct weft_error *err)
{
	struct weft_interface interface;
	struct change change;
	int r = begin(host, CHANGE_MAC, ifname, err, &change, &interface);
	if (r < 0)
		return r;
	change.mac.before = interface.mac;
	change.mac.after = mac;
	return make(host, &change, err);
}

int weft_host_set_up(struct weft_host *host, const char *ifname, bool up,
		     struct weft_error *err)
{
	struct weft_interface interface;
	struct change change;
	int r = begin(host, CHANGE_UP, ifname, err, &change, &interface);
	if (r < 0)
		return r;
	change.up.before = interface.is_up;
	change.up.after = up;
	return make(host, &change, err);
}

int weft_host_set_bridge(struct weft_host *host, const char *ifname, const char *bridge,
			 struct weft_error *err)
{
	struct weft_interface interface, master;
	struct change change;
	int r = begin(host, CHANGE_BRIDGE, ifname, err, &change, &interface);
	if (r == 0)
		r = weft_host_interface(host, bridge, err, &master);
	if (r < 0)
		return r;
	if (!master.is_bridge)
		return weft_error_set(err, -EINVAL, "%s is no bridge", bridge);
	if (!interface.is_ethernet)
		return weft_error_set(err, -EINVAL,
				      "%s carries no Ethernet, so no bridge takes it",
				      ifname);
	change.bridge.before = interface.master;
	change.bridge.after = master.index;
	memcpy(change.bridge.name, master.name, sizeof(change.bridge.name));
	return make(host, &change, err);
}

int weft_host_leave_bridge(struct weft_host *host, const char *ifname,
			   struct weft_error *err)
{
	struct change thing = { .kind = CHANGE_BRIDGE };
	(void)snprintf(thing.ifname, sizeof(thing.ifname), "%s", ifname);
	return remove_thing(host, &thing, err);
}

int weft_host_refuse_default_route(struct weft_host *host, const char *ifname,
				   struct weft_error *err)
{
	struct weft_interface interface;
	struct change change;
	int r = begin(host, CHANGE_REFUSAL, ifname, err, &change, &interface);
	return r < 0 ? r : make(host, &change, err);
}

int weft_host_add_route(struct weft_host *host, const struct weft_route *route,
			struct weft_error *err)
{
	struct change change = { .kind = CHANGE_ROUTE };
	if (route->ifname[0]) {
		struct weft_interface interface;
		int r = begin(host, CHANGE_ROUTE, route->ifname, err, &change,
			      &interface);
		if (r < 0)
			return r;
	}
	change.route = *route;
	return make(host, &change, err);
}

int weft_host_add_rule(struct weft_host *host, const struct weft_rule *rule,
		       struct weft_error *err)
{
	const struct change change = { .kind = CHANGE_RULE, .rule = *rule };
	return make(host, &change, err);
}

int weft_host_find_route(struct weft_host *host, const struct weft_ip *address,
			 struct weft_error *err, struct weft_route *ret_route)
{
	char text[WEFT_IP_TEXT];
	int r = netlink_find_route(host->nl, address, ret_route);
	if (r < 0)
		return weft_error_set(err, r, "there is no route to %s: %s",
				      weft_ip_print(address, text), strerror(-r));
	return 0;
}

int weft_host_each_route(struct weft_host *host, uint8_t family,
			 void (*fn)(void *user, const struct weft_route *route),
			 void *user, struct weft_error *err)
{
	int r = netlink_each_route(host->nl, family, fn, user);
	return r < 0 ? weft_error_set(err, r, "cannot read the routes: %s", strerror(-r))
		     : 0;
}
