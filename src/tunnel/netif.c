/* SPDX-License-Identifier: MIT */
/*
 * Everything but the device itself is done through the host, which undoes it. Another host than
 * this machine has its own ways for the five things that it is asked for.
 *
 * `mark` is policy routing: what carries the firewall mark looks into a table of its own, in
 * which everything leads into the tunnel (ip-rule(8), fwmark).
 */
#include "tunnel/netif.h"

#include "base/net.h"
#include "base/time.h"
#include "http/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the first time that a device cannot be made to the second, twice as long later, at most. */
#define RETRY_MIN_NS NS_PER_S
#define RETRY_MAX_NS (30 * NS_PER_S)

static const uint8_t families[] = { AF_INET, AF_INET6 };

/* ---- this machine ------------------------------------------------------------------------ */

static int machine_begin(void *user, const struct weft_tunnel_interface *conf,
			 struct weft_error *err, struct weft_link **ret_link)
{
	const char *kind = conf->mode == WEFT_TUNNEL_ETHERNET ? "tap" : "tun";
	char spec[WEFT_TUNNEL_NAME_MAX + 5];
	(void)user;
	(void)snprintf(spec, sizeof(spec), "%s:%s", kind, conf->name);
	return weft_link_open(spec, err, ret_link);
}

static int machine_set_mtu(void *user, struct weft_link *link, uint32_t mtu,
			   struct weft_error *err)
{
	return weft_host_set_mtu(user, weft_link_name(link), mtu, err);
}

static int machine_add_address(void *user, struct weft_link *link,
			       const struct weft_ip *address, struct weft_error *err)
{
	return weft_host_add_address(user, weft_link_name(link), address, err);
}

static int machine_remove_address(void *user, struct weft_link *link,
				  const struct weft_ip *address, struct weft_error *err)
{
	return weft_host_remove_address(user, weft_link_name(link), address, err);
}

const struct weft_tunnels_devices netif_machine = {
	.begin = machine_begin,
	.set_mtu = machine_set_mtu,
	.add_address = machine_add_address,
	.remove_address = machine_remove_address,
};

bool netif_is_of_machine(const struct netif *i)
{
	return i->env->devices == &netif_machine;
}

const char *netif_name(const struct netif *i)
{
	return netif_is_of_machine(i) ? weft_link_name(i->device) : i->conf->name;
}

int netif_set_mtu(const struct netif *i, uint32_t mtu, struct weft_error *err)
{
	return i->env->devices->set_mtu(i->env->devices_user, i->device, mtu, err);
}

/* ---- mark -------------------------------------------------------------------------------- */

static const struct weft_tunnel_mark no_mark = { .value = 0 };

static struct weft_rule mark_rule(const struct weft_tunnel_mark *mark, uint8_t family)
{
	return (struct weft_rule){ .family = family,
				   .mark = mark->value,
				   .table = mark->table };
}

static struct weft_route mark_route(const struct netif *i,
				    const struct weft_tunnel_mark *mark, uint8_t family)
{
	struct weft_route route = { .dest = { .family = family }, .table = mark->table };
	(void)snprintf(route.ifname, sizeof(route.ifname), "%s",
		       weft_link_name(i->device));
	return route;
}

static int mark_add_family(const struct netif *i, const struct weft_tunnel_mark *mark,
			   uint8_t family, struct weft_error *err)
{
	const struct weft_route route = mark_route(i, mark, family);
	const struct weft_rule rule = mark_rule(mark, family);
	int r = weft_host_add_route(i->env->host, &route, err);
	return r < 0 ? r : weft_host_add_rule(i->env->host, &rule, err);
}

/* A machine may have no IPv6; then nothing of it carries the mark either. */
static int mark_add(const struct netif *i, const struct weft_tunnel_mark *mark,
		    struct weft_error *err)
{
	struct weft_error refusal;
	if (mark->value == 0)
		return 0;
	int r = mark_add_family(i, mark, AF_INET, err);
	if (r == 0 && mark_add_family(i, mark, AF_INET6, &refusal) < 0)
		weft_log_warning(i->env->log, "the mark is for IPv4 alone: %s",
				 refusal.text);
	return r;
}

static int mark_remove_family(const struct netif *i, const struct weft_tunnel_mark *mark,
			      const struct weft_tunnel_mark *kept, uint8_t family,
			      struct weft_error *err)
{
	const struct weft_rule rule = mark_rule(mark, family);
	const struct weft_route route = mark_route(i, mark, family);
	const bool has_table = kept->value && kept->table == mark->table;
	int r = 0;
	if (!has_table || kept->value != mark->value)
		r = weft_host_remove_rule(i->env->host, &rule, err);
	return r == 0 && !has_table ? weft_host_remove_route(i->env->host, &route, err)
				    : r;
}

/* Takes away what one mark has had set, and another has not. */
static void mark_remove(const struct netif *i, const struct weft_tunnel_mark *mark,
			const struct weft_tunnel_mark *kept)
{
	struct weft_error err;
	if (mark->value == 0)
		return;
	for (size_t n = 0; n < sizeof(families); n++)
		if (mark_remove_family(i, mark, kept, families[n], &err) < 0)
			weft_log_warning(i->env->log, "%s", err.text);
}

/* ---- addresses --------------------------------------------------------------------------- */

static bool is_among(const struct weft_ip *ip, const struct weft_tunnel_networks *set)
{
	for (size_t n = 0; n < set->n; n++)
		if (net_is_same(&set->items[n], ip))
			return true;
	return false;
}

/* What is there already stays as it is. */
static int add_addresses(const struct netif *i, const struct weft_tunnel_networks *set,
			 struct weft_error *err)
{
	int r = 0;
	for (size_t n = 0; n < set->n && r == 0; n++)
		r = i->env->devices->add_address(i->env->devices_user, i->device,
						 &set->items[n], err);
	return r;
}

/*
 * What one set has and another has not. With the first address of a network Linux takes away the
 * others of that network as well, unless promote_secondaries is set, so those that are kept are
 * looked at again.
 */
static int remove_addresses(const struct netif *i, const struct weft_tunnel_networks *set,
			    const struct weft_tunnel_networks *kept,
			    struct weft_error *err)
{
	bool has_removed = false;
	int r = 0;
	for (size_t n = 0; n < set->n && r == 0; n++) {
		if (is_among(&set->items[n], kept))
			continue;
		has_removed = true;
		r = i->env->devices->remove_address(i->env->devices_user, i->device,
						    &set->items[n], err);
	}
	return r == 0 && has_removed ? add_addresses(i, kept, err) : r;
}

/* The new ones first: so the device is never without one. */
int netif_set_addresses(const struct netif *i, const struct weft_tunnel_networks *before,
			const struct weft_tunnel_networks *after, struct weft_error *err)
{
	int r = add_addresses(i, after, err);
	return r < 0 ? r : remove_addresses(i, before, after, err);
}

/* All of a server's own. The caller frees the items. */
static int collect(const struct weft_tunnel_interface *conf,
		   struct weft_tunnel_networks *ret_set)
{
	struct weft_tunnel_networks set = { .n = 0 };
	set.items = calloc(conf->ips_n + 2, sizeof(*set.items));
	if (!set.items)
		return -ENOMEM;
	if (conf->net.family)
		set.items[set.n++] = conf->net;
	if (conf->net6.family)
		set.items[set.n++] = conf->net6;
	for (size_t n = 0; n < conf->ips_n; n++)
		set.items[set.n++] = conf->ips[n];
	*ret_set = set;
	return 0;
}

/*
 * A server knows all of it; what a client gets is told by its server. What conf has is added to
 * what is there,
 */
static int own_add(const struct netif *i, const struct weft_tunnel_interface *conf,
		   struct weft_error *err)
{
	struct weft_tunnel_networks set = { .n = 0 };
	if (!conf->is_server)
		return 0;
	int r = netif_set_mtu(i, conf->mtu, err);
	if (r == 0 && collect(conf, &set) < 0)
		r = weft_error_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		r = add_addresses(i, &set, err);
	free(set.items);
	return r;
}

/* and then what conf has, and kept has not, is taken away. */
static int own_remove(const struct netif *i, const struct weft_tunnel_interface *conf,
		      const struct weft_tunnel_interface *kept, struct weft_error *err)
{
	struct weft_tunnel_networks from = { .n = 0 }, to = { .n = 0 };
	int r = 0;
	if (!conf->is_server)
		return 0;
	if (collect(conf, &from) < 0 || collect(kept, &to) < 0)
		r = weft_error_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		r = remove_addresses(i, &from, &to, err);
	free(from.items);
	free(to.items);
	return r;
}

/* ---- life -------------------------------------------------------------------------------- */

/* What is this machine's alone. Returns 0 or -EOPNOTSUPP with err. */
static int check_machine(const struct environment *env,
			 const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	if (env->devices == &netif_machine || (!conf->bridge && conf->mark.value == 0))
		return 0;
	return weft_error_set(err, -EOPNOTSUPP,
			      "%s: \"%s\" is for a device of this machine, and here is "
			      "none",
			      conf->name, conf->bridge ? "bridge" : "mark");
}

static int set_up(struct netif *i, struct weft_error *err)
{
	const char *device = weft_link_name(i->device);
	int r = i->conf->bridge
			? weft_host_set_bridge(i->env->host, device, i->conf->bridge, err)
			: 0;
	if (r == 0)
		r = weft_host_set_up(i->env->host, device, true, err);
	if (r < 0)
		return r;
	i->mark = i->conf->mark;
	return mark_add(i, &i->mark, err);
}

int netif_open(struct netif *i, const struct environment *env,
	       const struct weft_tunnel_interface *conf, struct weft_error *err)
{
	i->env = env;
	i->conf = conf;
	int r = check_machine(env, conf, err);
	if (r == 0)
		r = env->devices->begin(env->devices_user, conf, err, &i->device);
	if (r == 0)
		r = own_add(i, conf, err);
	return r == 0 && netif_is_of_machine(i) ? set_up(i, err) : r;
}

int netif_start(struct netif *i, struct weft_error *err)
{
	int r = weft_loop_add(i->env->loop, weft_link_task(i->device));
	if (r < 0)
		return weft_error_set(err, r, "cannot watch %s: %s", netif_name(i),
				      strerror(-r));
	return 0;
}

static void undo(const struct netif *i)
{
	struct weft_error err;
	mark_remove(i, &i->mark, &no_mark);
	if (weft_host_undo_interface(i->env->host, weft_link_name(i->device), &err) < 0)
		weft_log_warning(i->env->log, "%s", err.text);
}

static void take_back(const struct netif *i)
{
	if (netif_is_of_machine(i))
		undo(i);
	if (i->env->devices->end)
		i->env->devices->end(i->env->devices_user, i->device);
}

void netif_close(struct netif *i)
{
	if (!i->device)
		return;
	if (!i->is_lost)
		take_back(i);
	netif_bury(i, i->device);
	i->device = NULL;
}

/* ---- another configuration --------------------------------------------------------------- */

static int check_bridge(const struct netif *i, const struct weft_tunnel_interface *conf,
			struct weft_error *err)
{
	struct weft_interface bridge;
	if (!conf->bridge)
		return 0;
	int r = weft_host_interface(i->env->host, conf->bridge, err, &bridge);
	return r < 0 || bridge.is_bridge
		       ? r
		       : weft_error_set(err, -EINVAL, "%s is no bridge", conf->bridge);
}

static int check(const struct netif *i, const struct weft_tunnel_interface *conf,
		 struct weft_error *err)
{
	int r = check_machine(i->env, conf, err);
	return r < 0 ? r : check_bridge(i, conf, err);
}

int netif_prepare(struct netif *i, const struct weft_tunnel_interface *conf,
		  struct weft_error *err)
{
	int r = check(i, conf, err);
	if (r < 0)
		return r;
	i->next = conf;
	r = own_add(i, conf, err);
	if (r == 0)
		r = mark_add(i, &conf->mark, err);
	if (r < 0)
		netif_cancel(i);
	return r;
}

static void change_bridge(const struct netif *i, const char *before, const char *after)
{
	const char *device = weft_link_name(i->device);
	struct weft_error err;
	if (strcmp(before ? before : "", after ? after : "") == 0)
		return;
	int r = weft_host_leave_bridge(i->env->host, device, &err);
	if (r == 0 && after)
		r = weft_host_set_bridge(i->env->host, device, after, &err);
	if (r < 0)
		weft_log_error(i->env->log, "%s", err.text);
}

void netif_commit(struct netif *i)
{
	const struct weft_tunnel_interface *before = i->conf;
	struct weft_error err;
	i->conf = i->next;
	i->next = NULL;
	mark_remove(i, &i->mark, &i->conf->mark);
	i->mark = i->conf->mark;
	change_bridge(i, before->bridge, i->conf->bridge);
	if (own_remove(i, before, i->conf, &err) < 0)
		weft_log_error(i->env->log, "%s", err.text);
}

void netif_cancel(struct netif *i)
{
	struct weft_error err;
	if (!i->next)
		return;
	mark_remove(i, &i->next->mark, &i->mark);
	if (own_remove(i, i->next, i->conf, &err) < 0)
		weft_log_error(i->env->log, "%s", err.text);
	if (own_add(i, i->conf, &err) < 0)
		weft_log_error(i->env->log, "%s", err.text);
	i->next = NULL;
}

void netif_yield_mark(struct netif *i)
{
	mark_remove(i, &i->mark, i->next ? &i->next->mark : &no_mark);
	i->mark = no_mark;
}

void netif_restore_mark(struct netif *i)
{
	struct weft_error err;
	if (i->mark.value == i->conf->mark.value)
		return;
	i->mark = i->conf->mark;
	if (mark_add(i, &i->mark, &err) < 0)
		weft_log_error(i->env->log, "%s", err.text);
}

/* ---- a device that somebody takes away --------------------------------------------------- */

bool netif_is_lost(struct netif *i, uint64_t now)
{
	if (i->is_lost || !weft_link_is_down(i->device))
		return i->is_lost;
	i->is_lost = true;
	i->retry_at = now;
	take_back(i);
	if (i->env->events->lost)
		i->env->events->lost(i->env->user, netif_name(i),
				     weft_link_down_reason(i->device), now);
	return true;
}

static void put_off(struct netif *i, const struct weft_error *err, uint64_t now)
{
	const uint64_t pause = RETRY_MIN_NS << i->tries;
	i->retry_at = now + (pause < RETRY_MAX_NS ? pause : RETRY_MAX_NS);
	if (pause < RETRY_MAX_NS)
		i->tries++;
	weft_log_warning(i->env->log, "%s cannot be made anew: %s; trying again",
			 netif_name(i), err->text);
}

struct weft_link *netif_renew(struct netif *i, uint64_t now)
{
	struct netif next = { .env = i->env };
	struct weft_link *before = i->device;
	struct weft_error err;
	if (!i->is_lost || now < i->retry_at)
		return NULL;
	int r = netif_open(&next, i->env, i->conf, &err);
	if (r == 0)
		r = netif_start(&next, &err);
	if (r < 0) {
		netif_close(&next);
		put_off(i, &err, now);
		return NULL;
	}
	*i = next;
	if (i->env->events->restored)
		i->env->events->restored(i->env->user, netif_name(i), now);
	return before;
}

void netif_bury(const struct netif *i, struct weft_link *link)
{
	weft_loop_remove(i->env->loop, weft_link_task(link));
	weft_link_free(link);
}

/* ---- events ------------------------------------------------------------------------------ */

static struct weft_tunnel_peer peer_of(const struct netif *i, const char *name,
				       const char *address)
{
	return (struct weft_tunnel_peer){ .interface = netif_name(i),
					  .name = name,
					  .address = address };
}

void netif_connected(const struct netif *i, const char *name, const char *address,
		     uint64_t now)
{
	const struct weft_tunnel_peer peer = peer_of(i, name, address);
	if (i->env->events->connected)
		i->env->events->connected(i->env->user, &peer, now);
}

void netif_disconnected(const struct netif *i, const char *name, const char *address,
			const char *reason, uint64_t now)
{
	const struct weft_tunnel_peer peer = peer_of(i, name, address);
	if (i->env->events->disconnected)
		i->env->events->disconnected(i->env->user, &peer, reason, now);
}

void netif_refused(const struct netif *i, const char *address, uint64_t now)
{
	if (i->env->events->refused)
		i->env->events->refused(i->env->user, netif_name(i), address, now);
}

void netif_refused_more(const struct netif *i, uint64_t n, uint64_t now)
{
	if (i->env->events->refused_more)
		i->env->events->refused_more(i->env->user, netif_name(i), n, now);
}

const char *netif_reason(unsigned end, const struct weft_error *err)
{
	if (err && err->text[0])
		return err->text;
	return end == HTTP_ENDED ? "the stream has come to its end"
				 : "the connection was lost";
}
