/* SPDX-License-Identifier: MIT */
/*
 * Rules as text, and the life of a forwarder.
 */
#include "service/forward.h"

#include "base/container.h"
#include "base/time.h"
#include "stack/addr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STREAMS_DEFAULT 512u
#define FLOWS_DEFAULT   256u
#define PATIENCE_NS     (30 * NS_PER_S)

/* ---- rules ------------------------------------------------------------------------------- */

struct rule_text {
	char left[WEFT_FORWARD_HOST_MAX + 16], right[WEFT_FORWARD_HOST_MAX + 16];
	bool is_udp;
};

static int copy_part(char *dst, size_t dst_len, const char *text, size_t len)
{
	if (len == 0 || len >= dst_len)
		return -EINVAL;
	memcpy(dst, text, len);
	dst[len] = '\0';
	return 0;
}

static int rule_split(const char *text, struct rule_text *ret_parts)
{
	bool is_udp = strncasecmp(text, "udp:", 4) == 0;
	if (!is_udp && strncasecmp(text, "tcp:", 4) != 0)
		return -EINVAL;
	text += 4;
	const char *equals = strchr(text, '=');
	struct rule_text parts = { .is_udp = is_udp };
	if (!equals ||
	    copy_part(parts.left, sizeof(parts.left), text, (size_t)(equals - text)) <
		    0 ||
	    copy_part(parts.right, sizeof(parts.right), equals + 1, strlen(equals + 1)) <
		    0)
		return -EINVAL;
	*ret_parts = parts;
	return 0;
}

static bool is_number(const char *text)
{
	return text[0] && strspn(text, "0123456789") == strlen(text);
}

/* A bare port is one of this machine alone. */
static int local_parse(const char *text, union weft_sockaddr *ret_addr)
{
	char full[32];
	if (!is_number(text))
		return weft_listen_parse(text, ret_addr);
	(void)snprintf(full, sizeof(full), "127.0.0.1:%.10s", text);
	return weft_listen_parse(full, ret_addr);
}

static int target_parse(const char *text, struct weft_forward_rule *rule)
{
	if (is_number(text) ||
	    weft_hostport_parse(text, 0, rule->host, sizeof(rule->host), &rule->port) < 0)
		return -EINVAL;
	return rule->port ? 0 : -EINVAL;
}

int weft_forward_parse(const char *text, struct weft_error *err,
		       struct weft_forward_rule *ret_rule)
{
	struct weft_forward_rule rule = { .is_udp = false };
	struct rule_text parts;
	int r = rule_split(text, &parts);
	if (r == 0)
		r = local_parse(parts.left, &rule.listen);
	if (r == 0)
		r = target_parse(parts.right, &rule);
	if (r < 0)
		return weft_error_set(err, r,
				      "\"%s\": a program here and an address in the room "
				      "are needed, as in tcp:8080=10.0.0.5:80",
				      text);
	rule.is_udp = parts.is_udp;
	*ret_rule = rule;
	return 0;
}

int weft_expose_parse(const char *text, struct weft_error *err,
		      struct weft_forward_rule *ret_rule)
{
	struct weft_forward_rule rule = { .is_udp = false };
	union weft_sockaddr target;
	struct rule_text parts;
	int r = rule_split(text, &parts);
	if (r == 0)
		r = weft_listen_parse(parts.left, &rule.listen);
	if (r == 0)
		r = local_parse(parts.right, &target);
	if (r < 0)
		return weft_error_set(err, r,
				      "\"%s\": a port in the room and an address of this "
				      "machine are needed, as in "
				      "tcp:25565=127.0.0.1:25565",
				      text);
	struct ip_addr addr;
	(void)addr_of_sockaddr(&target, &addr, &rule.port);
	const struct weft_ip ip = addr_to_ip(&addr, ADDR_BITS);
	(void)weft_ip_print(&ip, rule.host);
	rule.is_udp = parts.is_udp;
	*ret_rule = rule;
	return 0;
}

/* ---- limits ------------------------------------------------------------------------------ */

bool forward_enter(struct weft_forwarder *f)
{
	if (f->streams_n >= f->opts.streams_max) {
		forward_count(f, WEFT_FORWARD_DROP_FULL);
		return false;
	}
	f->streams_n++;
	return true;
}

void forward_leave(struct weft_forwarder *f)
{
	f->streams_n--;
}

/* ---- life -------------------------------------------------------------------------------- */

int weft_forwarder_new(const struct weft_forwarder_opts *opts,
		       struct weft_forwarder **ret_forwarder)
{
	struct weft_forwarder *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->opts = *opts;
	if (!f->opts.streams_max)
		f->opts.streams_max = STREAMS_DEFAULT;
	if (!f->opts.flows_max)
		f->opts.flows_max = FLOWS_DEFAULT;
	if (!f->opts.patience_ns)
		f->opts.patience_ns = PATIENCE_NS;
	list_init(&f->doors);
	list_init(&f->socks);
	list_init(&f->flow_rules);
	list_init(&f->streams);
	*ret_forwarder = f;
	return 0;
}

void weft_forwarder_free(struct weft_forwarder *forwarder)
{
	if (!forwarder)
		return;
	uint64_t now = weft_loop_now(forwarder->opts.loop);
	socks_abort_all(forwarder, now);
	stream_abort_all(forwarder, now);
	flow_end_all(forwarder);
	for (struct list *node; (node = list_first(&forwarder->doors));)
		door_close(container_of(node, struct door, node), now);
	free(forwarder);
}

static int explain(int r, const char *what, const union weft_sockaddr *addr,
		   struct weft_error *err)
{
	char text[WEFT_SOCKADDR_TEXT];
	return r < 0 ? weft_error_set(err, r, "%s %s: %s", what,
				      weft_sockaddr_print(addr, text), strerror(-r))
		     : 0;
}

int weft_forwarder_forward(struct weft_forwarder *forwarder,
			   const struct weft_forward_rule *rule, struct weft_error *err)
{
	struct weft_ip ip;
	if (!forwarder->opts.resolver && weft_ip_parse(rule->host, &ip) < 0)
		return weft_error_set(err, -EINVAL, "%s is no address", rule->host);
	int r = rule->is_udp
			? flow_forward(forwarder, &rule->listen, rule->host, rule->port)
			: door_open(forwarder, &rule->listen, rule->host, rule->port,
				    stream_admit);
	return explain(r, "cannot listen on", &rule->listen, err);
}

/* The address of a host of this machine, which is named by it. */
static int find_here(const struct weft_forward_rule *rule, union weft_sockaddr *ret_addr)
{
	struct weft_ip ip;
	struct ip_addr addr;
	unsigned bits;
	if (weft_ip_parse(rule->host, &ip) < 0 || !addr_of_ip(&ip, &addr, &bits))
		return -EINVAL;
	*ret_addr = addr_to_sockaddr(&addr, rule->port, 0);
	return 0;
}

int weft_forwarder_expose(struct weft_forwarder *forwarder,
			  const struct weft_forward_rule *rule, struct weft_error *err)
{
	union weft_sockaddr target;
	int r = find_here(rule, &target);
	if (r < 0)
		return weft_error_set(err, r, "%s is no address", rule->host);
	r = rule->is_udp ? flow_expose(forwarder, &rule->listen, &target)
			 : door_open_inside(forwarder, &rule->listen, &target);
	return explain(r, "cannot listen in the room on", &rule->listen, err);
}

static bool is_loopback(const union weft_sockaddr *addr)
{
	struct ip_addr a;
	uint16_t port;
	return addr_of_sockaddr(addr, &a, &port) && addr_is_loopback(&a);
}

int weft_forwarder_socks(struct weft_forwarder *forwarder,
			 const struct weft_socks_opts *opts, struct weft_error *err)
{
	char text[WEFT_SOCKADDR_TEXT];
	if (!opts->user && !is_loopback(&opts->listen))
		return weft_error_set(err, -EACCES,
				      "a SOCKS proxy on %s could be used by others: it "
				      "needs a password",
				      weft_sockaddr_print(&opts->listen, text));
	if (opts->user) {
		forwarder->has_password = true;
		(void)snprintf(forwarder->user, sizeof(forwarder->user), "%s",
			       opts->user);
		(void)snprintf(forwarder->password, sizeof(forwarder->password), "%s",
			       opts->password ? opts->password : "");
	}
	int r = door_open(forwarder, &opts->listen, NULL, 0, socks_admit);
	return explain(r, "cannot listen on", &opts->listen, err);
}

static const char *const names[] = {
	[WEFT_FORWARD_STREAM] = "stream",
	[WEFT_FORWARD_DATAGRAM] = "datagram",
	[WEFT_FORWARD_DROP_FULL] = "drop-full",
	[WEFT_FORWARD_DROP_TARGET] = "drop-target",
	[WEFT_FORWARD_DROP_NAME] = "drop-name",
	[WEFT_FORWARD_DROP_SOCKS] = "drop-socks",
	[WEFT_FORWARD_DROP_AUTH] = "drop-auth",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == WEFT_FORWARD_OUTCOMES,
	       "each outcome has a name");

const char *weft_forward_outcome_name(enum weft_forward_outcome outcome)
{
	return (unsigned)outcome < WEFT_FORWARD_OUTCOMES ? names[outcome] : "unknown";
}

uint64_t weft_forwarder_count(const struct weft_forwarder *forwarder,
			      enum weft_forward_outcome outcome)
{
	return (unsigned)outcome < WEFT_FORWARD_OUTCOMES ? forwarder->counts[outcome] : 0;
}
