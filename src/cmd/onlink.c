/* SPDX-License-Identifier: MIT */
/*
 * The order of things: make the loop, open the link, drop privileges, enter the network if the
 * link is of one, make the stack, put an interface on the link, give it addresses and routes,
 * run.
 */
#include "cmd/onlink.h"

#include "cli/privilege.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/onlink_acd.h"
#include "cmd/onlink_dhcp.h"

#include <weft/error.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SECRET_LEN 16u
#define WATCH_NS   (NS_PER_S / 50)

/* A router is asked for within two seconds, answers at once, and is asked again after four more;
   a DHCPv6 server within another second. So one packet of them may be lost. */
#define PATIENCE_NS (8 * NS_PER_S)

static uint64_t time_now(const struct onlink *on)
{
	return weft_loop_now(on->loop);
}

static int usage(const struct onlink *on, const char *text)
{
	return options_fail(on->command, text);
}

static int fail(const struct onlink *on, int r)
{
	return output_fail(on->command->verb, strerror(-r));
}

void onlink_tell_address(struct onlink *on, const struct weft_ip *address)
{
	char text[WEFT_IP_TEXT];
	on->has_told = true;
	weft_ip_print(address, text);
	output_event(&on->out, "address", json_pack("{s:s}", "address", text));
	weft_log_info(&on->out.log, "the address is %s", text);
}

/* ---- addresses --------------------------------------------------------------------------- */

static int add_dhcp(struct onlink *on)
{
	if (weft_link_caps(on->link).flags & WEFT_LINK_IP)
		return usage(on, "--address dhcp wants a link of Ethernet");
	int r = on->dhcpc ? 0 : onlink_dhcp_start(on);
	return r < 0 ? fail(on, r) : STATUS_OK;
}

static int add_address(struct onlink *on, const char *text)
{
	struct weft_ip ip;
	if (strcmp(text, "dhcp") == 0)
		return add_dhcp(on);
	if (weft_ip_parse(text, &ip) < 0 || !strchr(text, '/') ||
	    weft_iface_add_address(on->iface, &ip, WEFT_ADDRESS_NO_ACD, time_now(on)) < 0)
		return usage(on, "--address wants a host's address and its network, as "
				 "10.1.0.2/24");
	int r = onlink_acd_start(on, &ip);
	return r < 0 ? fail(on, r) : STATUS_OK;
}

static int add_gateway(struct onlink *on)
{
	struct weft_ip gateway;
	struct weft_ip any = { 0 };
	if (!on->args->gateway)
		return STATUS_OK;
	if (weft_ip_parse(on->args->gateway, &gateway) < 0)
		return usage(on, "--gateway wants an address");
	any.family = gateway.family;
	if (weft_stack_add_route(on->stack, &any, &gateway, on->iface) < 0)
		return usage(on, "--gateway wants the address of another host");
	return STATUS_OK;
}

static bool is_usable(const struct onlink *on, const struct weft_ip *ip)
{
	const enum weft_address_state state = weft_iface_address_state(on->iface, ip);
	return state == WEFT_ADDRESS_PREFERRED || state == WEFT_ADDRESS_DEPRECATED;
}

static bool has_given(const struct onlink *on, const char *text)
{
	struct weft_ip ip;
	if (strcmp(text, "dhcp") == 0)
		return on->leased.family != 0;
	return weft_ip_parse(text, &ip) == 0 && is_usable(on, &ip);
}

static bool is_link_local(const struct weft_ip *ip)
{
	return ip->family == AF_INET6 && ip->octet[0] == 0xfe &&
	       (ip->octet[1] & 0xc0) == 0x80;
}

/* Finds an address that can be used and reaches beyond the link. */
static bool find_address(const struct onlink *on, struct weft_ip *ret_ip)
{
	for (unsigned i = 0; weft_iface_address(on->iface, i, ret_ip); i++)
		if (!is_link_local(ret_ip) && is_usable(on, ret_ip))
			return true;
	return false;
}

static bool has_address(const struct onlink *on)
{
	struct weft_ip ip;
	return find_address(on, &ip);
}

/* Whether routers may still say something that counts: to who has no IPv6, or is on a link of IP,
   none says anything. */
static bool may_be_told(const struct onlink *on, uint64_t now)
{
	const struct option_list *addresses = &on->args->addresses;
	bool wants_ip6 = addresses->n == 0;
	for (size_t i = 0; i < addresses->n; i++)
		wants_ip6 |= strchr(addresses->items[i], ':') != NULL;
	return wants_ip6 && now < on->patience_until &&
	       !(weft_link_caps(on->link).flags & WEFT_LINK_IP);
}

static bool are_usable(const struct onlink *on, uint64_t now)
{
	if (on->args->addresses.n == 0 && on->dhcpc)
		return on->leased.family != 0;
	if (on->args->addresses.n == 0)
		return has_address(on) || !may_be_told(on, now);
	for (size_t i = 0; i < on->args->addresses.n; i++)
		if (!has_given(on, on->args->addresses.items[i]))
			return false;
	return true;
}

/* ---- the network that the link may be of ------------------------------------------------- */

/* What the network says counts where the command line says nothing. */
static void take_terms(struct onlink *on)
{
	const struct network_terms *terms = &on->network.terms;
	if (!terms->has_lan)
		naming_lease(&on->naming, &terms->names);
	if (on->args->addresses.n > 0)
		return;
	network_host_apply(&on->host, terms, time_now(on));
	int r = terms->has_lan && !on->dhcpc ? onlink_dhcp_start(on) : 0;
	if (r < 0)
		weft_log_warning(&on->out.log, "no address can be asked for: %s",
				 strerror(-r));
}

static void terms_changed(void *user)
{
	take_terms(user);
}

static int network_begin(struct onlink *on)
{
	on->host = (struct network_host){ .stack = on->stack,
					  .iface = on->iface,
					  .output = &on->out };
	if ((weft_link_caps(on->link).flags & WEFT_LINK_IP) && !on->args->gateway &&
	    network_host_route(&on->host) < 0)
		return output_fail(on->command->verb, "out of memory");
	on->network.changed = terms_changed;
	on->network.user = on;
	take_terms(on);
	return STATUS_OK;
}

static int link_open(struct onlink *on)
{
	struct weft_error err;
	if (network_is_named(on->args->link)) {
		on->network = (struct network){ .command = on->command,
						.loop = on->loop,
						.output = &on->out,
						.name = on->args->name,
						.mac = on->args->mac };
		const int status = network_open(&on->network, on->args->link);
		on->link = on->network.link;
		return status;
	}
	int r = weft_link_open(on->args->link, &err, &on->link);
	return r < 0 ? output_fail_link(on->command->verb, r, err.text) : STATUS_OK;
}

const char *onlink_title(const struct onlink *on)
{
	return on->network.link ? on->network.title : weft_link_name(on->link);
}

/* ---- the host ---------------------------------------------------------------------------- */

/* DHCP is spoken with an address that the stack has not got yet. */
static bool look_at_frame(void *user, const struct weft_frame *frame, uint64_t now)
{
	const struct onlink *on = user;
	onlink_acd_input(on, frame);
	return on->dhcpc && weft_dhcpc_input(on->dhcpc, frame, now);
}

static int stack_make(struct onlink *on)
{
	const bool has_network = on->network.link != NULL;
	const struct weft_iface_opts iface = {
		.mac = has_network ? on->network.mac : on->args->mac,
		.mtu = on->args->mtu || !has_network ? on->args->mtu
						     : on->network.terms.mtu,
	};
	uint8_t secret[SECRET_LEN];
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return output_fail(on->command->verb, "no random numbers");
	const struct weft_stack_opts opts = { .secret = secret };
	int r = weft_stack_new(&opts, time_now(on), &on->stack);
	if (r == 0)
		r = weft_stack_add_interface(on->stack, on->link, &iface, time_now(on),
					     &on->iface);
	if (r == -EINVAL)
		return usage(on, "--link or --mtu: a link of Ethernet or IP is needed, "
				 "and an MTU that it carries");
	if (r < 0)
		return fail(on, r);
	weft_iface_on_frame(on->iface, look_at_frame, on);
	return STATUS_OK;
}

static int resolver_make(struct onlink *on)
{
	uint8_t secret[SECRET_LEN];
	struct weft_error err;
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return output_fail(on->command->verb, "no random numbers");
	const struct weft_resolver_opts opts = { .stack = on->stack, .secret = secret };
	int r = weft_resolver_new(&opts, &on->resolver);
	if (r < 0)
		return fail(on, r);
	on->naming = (struct naming){ .stack = on->stack,
				      .loop = on->loop,
				      .resolver = on->resolver,
				      .given = on->args->dns };
	if (naming_begin(&on->naming, &err) < 0)
		return usage(on, err.text);
	naming_watch(&on->naming, on->iface);
	return STATUS_OK;
}

static int host_make(struct onlink *on)
{
	int status = stack_make(on);
	if (status == STATUS_OK)
		status = resolver_make(on);
	for (size_t i = 0; status == STATUS_OK && i < on->args->addresses.n; i++)
		status = add_address(on, on->args->addresses.items[i]);
	if (status == STATUS_OK && on->network.link)
		status = network_begin(on);
	return status == STATUS_OK ? add_gateway(on) : status;
}

static int tasks_add(struct onlink *on)
{
	int r = weft_loop_add(on->loop, weft_link_task(on->link));
	if (r == 0)
		r = weft_loop_add(on->loop, weft_stack_task(on->stack));
	if (r == 0)
		r = weft_loop_add(on->loop, weft_resolver_task(on->resolver));
	return r;
}

static int loop_make(struct onlink *on)
{
	int r = weft_loop_new(NULL, &on->loop);
	if (r == 0)
		r = stop_on_signals(on->loop);
	return r < 0 ? fail(on, r) : STATUS_OK;
}

/* What a network needs is open; a link's peers may come later. */
static int give_up_rights(const struct onlink *on)
{
	struct writable writable = { .n = 0 };
	struct privilege_opts privileges = { .writable = &writable };
	struct weft_error err;
	if (!on->network.link)
		privileges.keep_net_admin = writable_add_spec(&writable, on->args->link);
	int r = privilege_drop(&privileges, &err);
	return r < 0 ? output_fail(on->command->verb, err.text) : STATUS_OK;
}

int onlink_start(struct onlink *on, const struct command *command,
		 const struct onlink_args *args, const struct output_opts *output)
{
	on->command = command;
	on->args = args;
	output_init(&on->out, output);
	if (!args->link)
		return usage(on, "--link is needed");
	int status = loop_make(on);
	if (status == STATUS_OK)
		status = link_open(on);
	if (status != STATUS_OK)
		return status;
	if (args->trace)
		trace_start(&on->trace, on->link);
	status = give_up_rights(on);
	if (status == STATUS_OK && on->network.link)
		status = network_wait(&on->network);
	if (status == STATUS_OK)
		status = host_make(on);
	int r = status == STATUS_OK ? tasks_add(on) : 0;
	return r < 0 ? fail(on, r) : status;
}

/* ---- names ------------------------------------------------------------------------------- */

static const char *explain_name(int error)
{
	switch (error) {
	case -ENOENT:
		return "there is no host of that name";
	case -EDESTADDRREQ:
		return "a name needs a name server: --dns, or a network that "
		       "tells of one";
	case -ETIMEDOUT:
		return "no name server answers";
	case -EINVAL:
		return "it is neither an address nor a name";
	default:
		return "the name servers cannot say";
	}
}

static void fail_name(struct onlink *on, int error)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "%.255s: %s", on->sought, explain_name(error));
	onlink_fail(on, text);
}

static void on_found(void *user, int error, const struct weft_ip *addresses, size_t n,
		     uint64_t now)
{
	struct onlink *on = user;
	if (n > 0)
		on->found(on->user, &addresses[0], now);
	else
		fail_name(on, error);
}

static void seek(struct onlink *on, uint64_t now)
{
	const struct weft_query query = { .name = on->sought,
					  .found = on_found,
					  .user = on };
	struct weft_lookup *lookup; /* it ends with the resolver */
	on->is_seeking = false;
	int r = weft_resolver_find(on->resolver, &query, now, &lookup);
	if (r < 0)
		fail_name(on, r);
}

/* Whether there is somebody to ask, and an address to ask from. */
static bool can_seek(const struct onlink *on, uint64_t now)
{
	return (weft_resolver_has_server(on->resolver) && has_address(on)) ||
	       !may_be_told(on, now);
}

/*
 * A link-local address may be written with its link, as ping(8) has it: fe80::1%tap0. There is but
 * the one, which is also number 1. Returns what remains to be sought.
 */
static const char *cut_scope(struct onlink *on, const char *name)
{
	const char *percent = strchr(name, '%');
	size_t len = percent ? (size_t)(percent - name) : 0;
	bool is_here = percent && (strcmp(percent + 1, weft_link_name(on->link)) == 0 ||
				   strcmp(percent + 1, "1") == 0);
	if (!is_here || len >= sizeof(on->unscoped))
		return name;
	memcpy(on->unscoped, name, len);
	on->unscoped[len] = 0;
	return on->unscoped;
}

void onlink_find(struct onlink *on, const char *name,
		 void (*found)(void *user, const struct weft_ip *ip, uint64_t now))
{
	struct weft_ip ip;
	on->found = found;
	on->sought = cut_scope(on, name);
	if (weft_ip_parse(on->sought, &ip) == 0)
		seek(on, time_now(on));
	else
		on->is_seeking = true;
}

/* ---- running ----------------------------------------------------------------------------- */

/* The end of a capture is no failure. */
static void link_ended(struct onlink *on)
{
	const char *reason = weft_link_down_reason(on->link);
	struct weft_mac mac;
	if (weft_link_mac(on->link, &mac))
		onlink_fail(on, *reason ? reason : "the device is gone");
	else
		weft_loop_stop(on->loop);
}

/* By a router's word, where none was asked for. */
static void look_for_address(struct onlink *on)
{
	struct weft_ip ip;
	if (on->args->addresses.n > 0 || on->has_told || !find_address(on, &ip))
		return;
	onlink_tell_address(on, &ip);
}

static void watch(void *user, uint64_t now)
{
	struct onlink *on = user;
	look_for_address(on);
	onlink_acd_look(on);
	if (on->begin && !on->has_begun && are_usable(on, now)) {
		on->has_begun = true;
		on->begin(on->user, now);
	}
	if (on->is_seeking && can_seek(on, now))
		seek(on, now);
	if (on->network.failure.text[0])
		onlink_fail(on, on->network.failure.text);
	else if (weft_link_is_down(on->link))
		link_ended(on);
}

/* What a program says while it waits for the end does not count any more. */
static int leave(struct onlink *on)
{
	const int status = on->status;
	ticker_stop(&on->watch, on->loop);
	onlink_dhcp_end(on);
	network_linger(&on->network);
	return status;
}

int onlink_run(struct onlink *on, void (*begin)(void *user, uint64_t now), void *user)
{
	on->begin = begin;
	on->user = user;
	on->patience_until = time_now(on) + PATIENCE_NS;
	int r = ticker_start(&on->watch, on->loop, WATCH_NS, watch, on);
	if (r < 0)
		return fail(on, r);
	(void)weft_loop_run(on->loop);
	return leave(on);
}

/* ---- the end ----------------------------------------------------------------------------- */

void onlink_stop(struct onlink *on, int status)
{
	on->status = status;
	weft_loop_stop(on->loop);
}

void onlink_fail(struct onlink *on, const char *text)
{
	onlink_stop(on, output_fail(on->command->verb, text));
}

static void host_free(struct onlink *on)
{
	onlink_acd_end(on);
	naming_end(&on->naming);
	if (on->resolver) {
		weft_loop_remove(on->loop, weft_resolver_task(on->resolver));
		weft_resolver_free(on->resolver, time_now(on));
	}
	if (on->stack)
		weft_loop_remove(on->loop, weft_stack_task(on->stack));
	weft_stack_free(on->stack);
}

void onlink_end(struct onlink *on)
{
	onlink_dhcp_end(on);
	host_free(on);
	if (on->network.loop) {
		network_close(&on->network);
	} else if (on->link) {
		weft_loop_remove(on->loop, weft_link_task(on->link));
		weft_link_free(on->link);
	}
	weft_loop_free(on->loop);
}
