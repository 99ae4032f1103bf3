/* SPDX-License-Identifier: MIT */
/*
 * A server's configuration for tests, made of lists as people would say them:
 *
 *     site_init(&s, "10.0.0.1/24");
 *     site_client(&s, "berlin", "office", "10.0.0.2 192.168.1.0/24", "");
 *     site_rule(&s, "office", "__self__", IPPROTO_TCP, "22 8000-8100");
 *
 * A client's networks are addresses as far as they have full length, and routes behind them.
 */
#ifndef TESTS_TUNNEL_SITE_H
#define TESTS_TUNNEL_SITE_H

#include <weft/tunnel_config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITE_CLIENTS_MAX 8u
#define SITE_RULES_MAX   16u
#define SITE_ITEMS_MAX   256u

struct site {
	struct weft_tunnel_interface conf;
	struct weft_tunnel_client clients[SITE_CLIENTS_MAX];
	struct weft_tunnel_acl_rule rules[SITE_RULES_MAX];
	struct weft_tunnel_exit exits[SITE_RULES_MAX];
	struct weft_ip ips[SITE_ITEMS_MAX];
	struct weft_tunnel_ports ports[SITE_ITEMS_MAX];
	char *words[SITE_ITEMS_MAX];
	char text[8192];
	size_t ips_n, ports_n, words_n, text_n;
};

/* nets: the own address with its prefix, of IPv4 and of IPv6, and top-level routes. */
void site_init(struct site *s, const char *nets);

void site_client(struct site *s, const char *name, const char *tags, const char *networks,
		 const char *sources);

/* A rule; from now on there is an ACL. Lines count from 1. */
void site_rule(struct site *s, const char *from, const char *to, uint8_t protocol,
	       const char *ports);

void site_exit(struct site *s, const char *from, const char *via, bool balance);

#endif
