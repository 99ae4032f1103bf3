/* SPDX-License-Identifier: MIT */
/*
 * The interface is made when the relay, or the tunnel's server, has said what the MTU is.
 * Listeners in the stack need none: they are for all of its addresses.
 */
#include "cmd/rootless.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Frames on the way between the stack and the member, or the tunnel. */
#define PAIR_LEN   4096u
#define SECRET_LEN 16u
#define LINE_LEN   (2 * WEFT_FORWARD_USER_MAX + 3)
#define MTU_MIN    1280u

/* ---- the command line -------------------------------------------------------------------- */

const char *rootless_contradiction(const struct rootless_args *args)
{
	if (args->is_user ||
	    (!args->socks && !args->socks_user && args->forwards.n == 0 &&
	     args->exposes.n == 0 && args->dns.n == 0))
		return NULL;
	return "--socks, --forward, --expose and --dns are for a host in this process: "
	       "--user";
}

static int read_line(const char *path, char *buf, size_t len)
{
	FILE *stream = fopen(path, "re");
	int r = 0;
	if (!stream)
		return -errno;
	if (!fgets(buf, (int)len, stream))
		r = -ENODATA;
	(void)fclose(stream);
	if (r == 0)
		buf[strcspn(buf, "\r\n")] = '\0';
	return r;
}

/* Cuts NAME:PASSWORD in two. */
static int read_password(const char *path, char line[LINE_LEN],
			 struct weft_socks_opts *opts, struct weft_error *err)
{
	int r = read_line(path, line, LINE_LEN);
	if (r < 0)
		return weft_error_set(err, r, "--socks-user %s: %s", path,
				      r == -ENODATA ? "it is empty" : strerror(-r));
	char *colon = strchr(line, ':');
	if (!colon || colon == line || colon - line > (int)WEFT_FORWARD_USER_MAX ||
	    strlen(colon + 1) > WEFT_FORWARD_USER_MAX)
		return weft_error_set(err, -EINVAL,
				      "--socks-user %s: a line NAME:PASSWORD is needed",
				      path);
	*colon = '\0';
	opts->user = line;
	opts->password = colon + 1;
	return 0;
}

static int parse_socks(const char *text, union weft_sockaddr *ret_addr)
{
	char full[64];
	bool is_port = strspn(text, "0123456789") == strlen(text);
	(void)snprintf(full, sizeof(full), "%s%s", is_port ? "127.0.0.1:" : "", text);
	return weft_listen_parse(full, ret_addr);
}

static int open_socks(struct rootless *r, const struct rootless_args *args,
		      struct weft_error *err)
{
	struct weft_socks_opts opts = { .user = NULL };
	char line[LINE_LEN];
	int result = 0;
	if (!args->socks)
		return 0;
	if (parse_socks(args->socks, &opts.listen) < 0)
		return weft_error_set(err, -EINVAL,
				      "--socks \"%s\": a port is needed, as 1080 or "
				      "127.0.0.1:1080",
				      args->socks);
	if (args->socks_user)
		result = read_password(args->socks_user, line, &opts, err);
	if (result == 0)
		result = weft_forwarder_socks(r->forwarder, &opts, err);
	explicit_bzero(line, sizeof(line));
	return result;
}

/* Puts the option before what is wrong with its rule, with which err begins. */
static int fail_rule(const char *option, int r, struct weft_error *err)
{
	const struct weft_error why = *err;
	return weft_error_set(err, r, "%s %s", option, why.text);
}

static int open_rules(struct rootless *r, const struct rootless_args *args,
		      struct weft_error *err)
{
	struct weft_forward_rule rule;
	int result = 0;
	for (size_t i = 0; i < args->forwards.n && result == 0; i++) {
		result = weft_forward_parse(args->forwards.items[i], err, &rule);
		if (result < 0)
			return fail_rule("--forward", result, err);
		result = weft_forwarder_forward(r->forwarder, &rule, err);
	}
	for (size_t i = 0; i < args->exposes.n && result == 0; i++) {
		result = weft_expose_parse(args->exposes.items[i], err, &rule);
		if (result < 0)
			return fail_rule("--expose", result, err);
		result = weft_forwarder_expose(r->forwarder, &rule, err);
	}
	return result;
}

/* ---- the host ---------------------------------------------------------------------------- */

static int make_resolver(struct rootless *r)
{
	uint8_t secret[SECRET_LEN];
	const struct weft_resolver_opts opts = { .stack = r->stack, .secret = secret };
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -EAGAIN;
	int result = weft_resolver_new(&opts, &r->resolver);
	return result < 0 ? result
			  : weft_loop_add(r->loop, weft_resolver_task(r->resolver));
}

static int make_host(struct rootless *r)
{
	uint8_t secret[SECRET_LEN];
	const struct weft_stack_opts opts = { .secret = secret };
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -EAGAIN;
	int result = weft_stack_new(&opts, weft_loop_now(r->loop), &r->stack);
	if (result == 0)
		result = make_resolver(r);
	const struct weft_forwarder_opts forwarder = { .stack = r->stack,
						       .loop = r->loop,
						       .resolver = r->resolver };
	if (result == 0)
		result = weft_forwarder_new(&forwarder, &r->forwarder);
	if (result == 0)
		result = weft_loop_add(r->loop, weft_link_task(r->inside));
	if (result == 0)
		result = weft_loop_add(r->loop, weft_stack_task(r->stack));
	return result;
}

int rootless_open(struct rootless *rootless, const struct rootless_args *args,
		  struct weft_loop *loop, struct weft_error *err,
		  struct weft_link **ret_link)
{
	int r = rootless->is_ip ? weft_link_ip_pair(PAIR_LEN, &rootless->inside, ret_link)
				: weft_link_pair(PAIR_LEN, &rootless->inside, ret_link);
	rootless->loop = loop;
	if (r == 0)
		r = make_host(rootless);
	if (r < 0)
		return weft_error_set(err, r, "no host can be made: %s", strerror(-r));
	rootless->naming = (struct naming){ .stack = rootless->stack,
					    .loop = loop,
					    .resolver = rootless->resolver,
					    .given = args->dns };
	r = naming_begin(&rootless->naming, err);
	if (r == 0)
		r = open_socks(rootless, args, err);
	return r < 0 ? r : open_rules(rootless, args, err);
}

/* There is one way out, and all go by it. */
static int add_routes(struct rootless *rootless)
{
	const struct weft_ip any4 = { .family = AF_INET }, any6 = { .family = AF_INET6 };
	int r = weft_stack_add_route(rootless->stack, &any4, NULL, rootless->iface);
	return r < 0 ? r
		     : weft_stack_add_route(rootless->stack, &any6, NULL,
					    rootless->iface);
}

void rootless_joined(struct rootless *rootless, struct weft_mac mac, unsigned mtu)
{
	const struct weft_iface_opts opts = { .mac = mac,
					      .mtu = mtu < MTU_MIN ? MTU_MIN : mtu };
	uint64_t now = weft_loop_now(rootless->loop);
	if (rootless->iface)
		return;
	if (mtu < MTU_MIN)
		weft_log_warning(&rootless->output->log,
				 "the network's MTU is %u, and less than %u: what is "
				 "long will be lost",
				 mtu, MTU_MIN);
	int r = weft_stack_add_interface(rootless->stack, rootless->inside, &opts, now,
					 &rootless->iface);
	if (r == 0 && rootless->is_ip)
		r = add_routes(rootless);
	if (r < 0)
		weft_log_error(&rootless->output->log, "no interface in the network: %s",
			       strerror(-r));
	else
		naming_watch(&rootless->naming, rootless->iface);
}

int rootless_add_address(struct rootless *rootless, const struct weft_ip *address,
			 unsigned flags, const struct weft_ip *router)
{
	const struct weft_ip any = { .family = address->family };
	if (!rootless->iface)
		return -ENETDOWN;
	int r = weft_iface_add_address(rootless->iface, address, flags,
				       weft_loop_now(rootless->loop));
	/* Without the router, the network itself is still reached. */
	if (r == 0 && router && router->family &&
	    weft_stack_add_route(rootless->stack, &any, router, rootless->iface) == 0)
		rootless->gateway = *router;
	return r;
}

void rootless_remove_address(struct rootless *rootless, const struct weft_ip *address)
{
	const struct weft_ip any = { .family = address->family };
	if (!rootless->iface)
		return;
	if (rootless->gateway.family)
		weft_stack_remove_route(rootless->stack, &any, rootless->iface);
	rootless->gateway.family = 0;
	weft_iface_remove_address(rootless->iface, address,
				  weft_loop_now(rootless->loop));
}

void rootless_use_names(struct rootless *rootless, const struct names *names)
{
	naming_lease(&rootless->naming, names);
}

/* ---- the end ----------------------------------------------------------------------------- */

void rootless_end(struct rootless *rootless)
{
	weft_forwarder_free(rootless->forwarder);
	rootless->forwarder = NULL;
}

void rootless_close(struct rootless *rootless)
{
	rootless_end(rootless);
	naming_end(&rootless->naming);
	if (rootless->resolver)
		weft_loop_remove(rootless->loop, weft_resolver_task(rootless->resolver));
	if (rootless->loop)
		weft_resolver_free(rootless->resolver, weft_loop_now(rootless->loop));
	if (rootless->stack)
		weft_loop_remove(rootless->loop, weft_stack_task(rootless->stack));
	weft_stack_free(rootless->stack);
	if (rootless->inside)
		weft_loop_remove(rootless->loop, weft_link_task(rootless->inside));
	weft_link_free(rootless->inside);
	*rootless = (struct rootless){ .output = NULL };
}
