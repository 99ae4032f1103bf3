/* SPDX-License-Identifier: MIT */
/*
 * The order of things: open the link, make the loop and the stack, put an interface on the
 * link, give it addresses and routes, drop privileges, run. A DHCP client, if there is one,
 * sees each frame before the stack does, which has no use for frames to an address that it
 * has not got yet.
 */
#include "cmd/onlink.h"

#include "cli/privilege.h"
#include "cli/units.h"
#include "cmd/cmd.h"

#include <weft/error.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SECRET_LEN 16u
#define WATCH_NS   (NS_PER_S / 50)

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

/* ---- DHCP -------------------------------------------------------------------------------- */

static void dhcp_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct onlink *on = user;
	weft_link_send(on->link, frame, 1, now);
}

static bool dhcp_look(void *user, const struct weft_frame *frame, uint64_t now)
{
	return weft_dhcpc_input(user, frame, now);
}

static void dhcp_lost(void *user)
{
	struct onlink *on = user;
	const struct weft_ip any = { .family = AF_INET };
	if (on->router.family)
		weft_stack_remove_route(on->stack, &any, on->iface);
	if (on->leased.family)
		weft_iface_remove_address(on->iface, &on->leased, time_now(on));
	on->router.family = on->leased.family = 0;
}

/* What the command line says counts for more, and was judged when it began. */
static void use_names(struct onlink *on, const struct weft_dhcpc_lease *lease)
{
	struct names names = names_of_lease(lease);
	struct weft_error err;
	if (names_give(&names, &on->args->dns, &err) == 0)
		names_use(&names, on->resolver);
}

/* A renewal gives the same again, which is no change. */
static void dhcp_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct onlink *on = user;
	const struct weft_ip any = { .family = AF_INET };
	char text[WEFT_IP_TEXT];
	if (on->leased.family)
		return;
	int r = weft_iface_add_address(on->iface, &lease->address, 0, time_now(on));
	if (r < 0) {
		weft_log_warning(&on->out.log, "%s cannot be used: %s",
				 weft_ip_print(&lease->address, text), strerror(-r));
		return;
	}
	on->leased = lease->address;
	use_names(on, lease);
	if (lease->router.family &&
	    weft_stack_add_route(on->stack, &any, &lease->router, on->iface) == 0)
		on->router = lease->router;
	weft_ip_print(&lease->address, text);
	output_event(&on->out, "address", json_pack("{s:s}", "address", text));
	weft_log_info(&on->out.log, "the address is %s", text);
}

static int dhcp_start(struct onlink *on)
{
	struct weft_dhcpc_opts opts = {
		.mac = weft_iface_mac(on->iface),
		.allow_public = true,
		.send = dhcp_send,
		.bound = dhcp_bound,
		.lost = dhcp_lost,
		.user = on,
	};
	if (getrandom(&opts.seed, sizeof(opts.seed), 0) != (ssize_t)sizeof(opts.seed))
		return -EIO;
	int r = weft_dhcpc_new(&opts, &on->dhcpc);
	if (r < 0)
		return r;
	weft_iface_on_frame(on->iface, dhcp_look, on->dhcpc);
	return weft_loop_add(on->loop, weft_dhcpc_task(on->dhcpc));
}

static void dhcp_end(struct onlink *on)
{
	if (!on->dhcpc)
		return;
	weft_iface_on_frame(on->iface, NULL, NULL);
	weft_dhcpc_release(on->dhcpc, time_now(on));
	weft_loop_remove(on->loop, weft_dhcpc_task(on->dhcpc));
	weft_dhcpc_free(on->dhcpc);
	/* Some links send at their next run. */
	(void)weft_loop_turn(on->loop);
}

/* ---- addresses --------------------------------------------------------------------------- */

static int add_dhcp(struct onlink *on)
{
	if (weft_link_caps(on->link).flags & WEFT_LINK_IP)
		return usage(on, "--address dhcp wants a link of Ethernet");
	int r = on->dhcpc ? 0 : dhcp_start(on);
	return r < 0 ? fail(on, r) : STATUS_OK;
}

static int add_address(struct onlink *on, const char *text)
{
	struct weft_ip ip;
	if (strcmp(text, "dhcp") == 0)
		return add_dhcp(on);
	if (weft_ip_parse(text, &ip) < 0 || !strchr(text, '/') ||
	    weft_iface_add_address(on->iface, &ip, 0, time_now(on)) < 0)
		return usage(on, "--address wants a host's address and its network, as "
				 "10.1.0.2/24");
	return STATUS_OK;
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

static bool is_usable(const struct onlink *on, const char *text)
{
	struct weft_ip ip;
	if (strcmp(text, "dhcp") == 0)
		return on->leased.family != 0;
	return weft_ip_parse(text, &ip) == 0 &&
	       weft_iface_address_state(on->iface, &ip) != WEFT_ADDRESS_TENTATIVE;
}

static bool are_usable(const struct onlink *on)
{
	for (size_t i = 0; i < on->args->addresses.n; i++)
		if (!is_usable(on, on->args->addresses.items[i]))
			return false;
	return true;
}

/* ---- the host ---------------------------------------------------------------------------- */

static int stack_make(struct onlink *on)
{
	const struct weft_iface_opts iface = { .mac = on->args->mac,
					       .mtu = on->args->mtu };
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
	return r < 0 ? fail(on, r) : STATUS_OK;
}

/* Asks whom the command line names, until DHCP names others. */
static int resolver_make(struct onlink *on)
{
	uint8_t secret[SECRET_LEN];
	struct weft_error err;
	struct names names = { .servers_n = 0 };
	if (names_give(&names, &on->args->dns, &err) < 0)
		return usage(on, err.text);
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return output_fail(on->command->verb, "no random numbers");
	const struct weft_resolver_opts opts = { .stack = on->stack, .secret = secret };
	int r = weft_resolver_new(&opts, &on->resolver);
	if (r < 0)
		return fail(on, r);
	names_use(&names, on->resolver);
	return STATUS_OK;
}

static int host_make(struct onlink *on)
{
	int status = stack_make(on);
	if (status == STATUS_OK)
		status = resolver_make(on);
	for (size_t i = 0; status == STATUS_OK && i < on->args->addresses.n; i++)
		status = add_address(on, on->args->addresses.items[i]);
	return status == STATUS_OK ? add_gateway(on) : status;
}

static int tasks_add(struct onlink *on)
{
	int r = weft_loop_add(on->loop, weft_link_task(on->link));
	if (r == 0)
		r = weft_loop_add(on->loop, weft_stack_task(on->stack));
	if (r == 0)
		r = weft_loop_add(on->loop, weft_resolver_task(on->resolver));
	return r == 0 ? stop_on_signals(on->loop) : r;
}

int onlink_start(struct onlink *on, const struct command *command,
		 const struct onlink_args *args, const struct output_opts *output)
{
	const struct privilege_opts privileges = { 0 };
	struct weft_error err = { "" };
	on->command = command;
	on->args = args;
	output_init(&on->out, output);
	if (!args->link)
		return usage(on, "--link is needed");
	int r = weft_link_open(args->link, &err, &on->link);
	if (r < 0)
		return output_fail_link(command->verb, r, err.text);
	if (args->trace)
		trace_start(&on->trace, on->link);
	r = weft_loop_new(NULL, &on->loop);
	if (r < 0)
		return fail(on, r);
	int status = host_make(on);
	if (status != STATUS_OK)
		return status;
	r = tasks_add(on);
	if (r < 0)
		return fail(on, r);
	if (privilege_drop(&privileges, &err) < 0)
		return output_fail(command->verb, err.text);
	return STATUS_OK;
}

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

static void watch(void *user, uint64_t now)
{
	struct onlink *on = user;
	if (on->begin && !on->has_begun && are_usable(on)) {
		on->has_begun = true;
		on->begin(on->user, now);
	}
	if (weft_link_is_down(on->link))
		link_ended(on);
}

int onlink_run(struct onlink *on, void (*begin)(void *user, uint64_t now), void *user)
{
	on->begin = begin;
	on->user = user;
	int r = ticker_start(&on->watch, on->loop, WATCH_NS, watch, on);
	if (r < 0)
		return fail(on, r);
	(void)weft_loop_run(on->loop);
	return on->status;
}

/* ---- names ------------------------------------------------------------------------------- */

static const char *explain_name(int error)
{
	switch (error) {
	case -ENOENT:
		return "there is no host of that name";
	case -EDESTADDRREQ:
		return "a name needs a name server: --dns, or --address dhcp";
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

void onlink_find(struct onlink *on, const char *name,
		 void (*found)(void *user, const struct weft_ip *ip, uint64_t now))
{
	const struct weft_query query = { .name = name, .found = on_found, .user = on };
	struct weft_lookup *lookup; /* it ends with the resolver */
	on->found = found;
	on->sought = name;
	int r = weft_resolver_find(on->resolver, &query, time_now(on), &lookup);
	if (r < 0)
		fail_name(on, r);
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

void onlink_end(struct onlink *on)
{
	dhcp_end(on);
	if (on->loop)
		weft_resolver_free(on->resolver, time_now(on));
	weft_loop_free(on->loop);
	weft_stack_free(on->stack);
	weft_link_free(on->link);
}
