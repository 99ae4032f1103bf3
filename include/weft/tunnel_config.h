/* SPDX-License-Identifier: MIT */
/*
 * The tunnel's configuration: a JSON array of interfaces, each a server (it has a port) or a
 * client. It is checked as a whole: every fault is found at once, with where it stands and how
 * to mend it, and a faulty one is never used in part.
 */
#ifndef WEFT_TUNNEL_CONFIG_H
#define WEFT_TUNNEL_CONFIG_H

#include <weft/addr.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_TUNNEL_NAME_MAX 15u /**< Of an interface, in bytes. */

/** Longest configuration, in bytes. */
#define WEFT_TUNNEL_CONFIG_LEN_MAX 1048576u

/** Policy routing of what carries a mark (ip-rule(8)); value 0: none. */
struct weft_tunnel_mark {
	uint32_t value;
	uint32_t table;
};

/** What an interface carries. */
enum weft_tunnel_mode {
	WEFT_TUNNEL_IP,       /**< A TUN: IP packets, routed. */
	WEFT_TUNNEL_ETHERNET, /**< A TAP: Ethernet frames, bridged. */
};

/** Networks, or addresses of full length. */
struct weft_tunnel_networks {
	struct weft_ip *items;
	size_t n;
};

/**
 * Those of whom a rule speaks: each text is a network or an address ("10.0.0.0/8"), a glob
 * ("office-*") over the tags and names of clients, or WEFT_TUNNEL_SELF for the server itself.
 */
struct weft_tunnel_selectors {
	char **items;
	size_t n;
};

#define WEFT_TUNNEL_SELF "__self__"

/** Ports from first to last. */
struct weft_tunnel_ports {
	uint16_t first, last;
};

/** Who may begin to talk to whom; the answers pass as well. */
struct weft_tunnel_acl_rule {
	struct weft_tunnel_selectors from, to;
	uint8_t protocol; /**< IPPROTO_TCP, _UDP, _ICMP (for ICMPv6, too); 0 for any. */
	struct weft_tunnel_ports *ports; /**< Of the destination; none: all. */
	size_t ports_n;
	unsigned line; /**< Where it begins in the file. */
};

/** Clients that lead out, for what is for no network. */
struct weft_tunnel_exit {
	struct weft_tunnel_selectors from; /**< Whose packets; none: everybody's. */
	struct weft_tunnel_selectors via;  /**< Clients, by tags and names. */
	bool balance; /**< Flows are spread over the good ones; else the best has all. */
	unsigned line;
};

/** One who may connect. */
struct weft_tunnel_client {
	char *name; /**< For people: from the configuration, or its address. */
	char *token; /**< Hash of the token as the file has it (SHA-1 in hex, or argon2id). */
	/** IPv4 before IPv6, full length; none only with Ethernet. */
	struct weft_ip *ips;
	struct weft_ip *routes;  /**< Networks behind it. */
	struct weft_ip *sources; /**< Whose packets go to it when no route does. */
	size_t ips_n, routes_n, sources_n;
	bool has_ip; /**< The first address stands in the file as "ip". */
	/** Routes that it is told, beside the server's. */
	struct weft_tunnel_networks push;
	char **tags;
	size_t tags_n;
	bool no_source_check; /**< May send from any address. */
	unsigned line;
};

/** One interface of the configuration. */
struct weft_tunnel_interface {
	char name[WEFT_TUNNEL_NAME_MAX + 1];
	bool is_server;
	bool is_compat; /**< Its peers are the original program ("compat"). */
	unsigned line;  /**< Where it begins in the file. */
	enum weft_tunnel_mode mode;
	struct weft_tunnel_mark mark;
	char *congestion; /**< Of its TCP connections ("bbr"); NULL for the system's. */
	char *bridge; /**< Linux bridge that the TAP becomes a port of; NULL for none. */
	/* A server's. */
	uint16_t port;
	struct weft_ip listen; /**< Address to listen at; family 0 for all. */
	struct weft_ip net;  /**< Own address with the prefix of the tunnel's network. */
	struct weft_ip net6; /**< The same for IPv6; family 0 for none. */
	unsigned mtu;
	struct weft_ip *ips;    /**< Further addresses on the interface. */
	struct weft_ip *routes; /**< Networks that never go to a pinned client. */
	struct weft_tunnel_client *clients;
	size_t ips_n, routes_n, clients_n;
	struct weft_tunnel_networks push; /**< Routes that every client is told. */
	struct weft_tunnel_acl_rule *acl; /**< In order; has_acl and none: nobody may. */
	struct weft_tunnel_exit *exits;   /**< The first whose from holds the source. */
	size_t acl_n, exits_n;
	bool has_acl;             /**< What no rule allows is dropped. */
	char *tls_cert, *tls_key; /**< PEM files; NULL for plain HTTP. */
	/* A client's. */
	char *url;
	char *raw_token;
	char *proxy;     /**< URL of an HTTP or SOCKS proxy; NULL for none. */
	char *ca_file;   /**< PEM; NULL for the system's. */
	uint8_t pin[32]; /**< SHA-256 of the server's public key, if has_pin. */
	bool has_pin;
	bool http2;            /**< Where the other end speaks it. */
	unsigned family;       /**< AF_INET or AF_INET6 only; 0 for both. */
	unsigned first_family; /**< Of both: AF_INET or AF_INET6 first; 0 for none. */
	unsigned streams; /**< Each way, side by side: 1 to WEFT_TUNNEL_STREAMS_MAX. */
	bool no_routes;   /**< Takes no pushed routes. */
	/** Takes pushed ones only in these, if any. */
	struct weft_tunnel_networks accept;
	char **headers; /**< Further ones of each request: "name: value". */
	size_t headers_n;
};

#define WEFT_TUNNEL_STREAMS_MAX 8u

/** Clients of one server with mode ip, and with mode ethernet. */
#define WEFT_TUNNEL_CLIENTS_MAX          4095u
#define WEFT_TUNNEL_ETHERNET_CLIENTS_MAX 1023u
/** Of one server: addresses and routes of all clients, their sources, or its own routes. */
#define WEFT_TUNNEL_NETWORKS_MAX         65536u

/** A server has no room to say more of one client: its addresses, and the routes it is told. */
#define WEFT_TUNNEL_CLIENT_IPS_MAX  64u
#define WEFT_TUNNEL_CLIENT_PUSH_MAX 1024u

struct weft_tunnel_config {
	struct weft_tunnel_interface *interfaces;
	size_t interfaces_n;
};

/** One thing that is wrong, or looks so, with a configuration. */
struct weft_tunnel_fault {
	bool is_warning;       /**< Suspicious; the configuration can be used. */
	unsigned line, column; /**< From 1. */
	char path[96];         /**< Such as "[0].clients[2].token". */
	char text[320];        /**< What was found, what is allowed, the likely fix. */
};

/** Called for each fault, in the order of the file; borrowed. */
typedef void weft_tunnel_fault_fn(void *user, const struct weft_tunnel_fault *fault);

/**
 * Reads and checks a configuration. text need not end with NUL. fn gets every fault; it may be
 * NULL. Returns 0 and the configuration when there are only warnings, -EINVAL otherwise, or
 * -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tunnel_config_parse(
	const char *text, size_t len, weft_tunnel_fault_fn *fn, void *user,
	struct weft_tunnel_config **ret_config);

/** Wipes the secrets and frees. NULL is allowed. */
WEFT_API void weft_tunnel_config_free(struct weft_tunnel_config *config);

/** Gets one sentence on a difference ("tun0: client 10.0.0.3 is new"); borrowed. */
typedef void weft_tunnel_change_fn(void *user, const char *text);

#ifdef __cplusplus
}
#endif
#endif
