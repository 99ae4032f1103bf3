/* SPDX-License-Identifier: MIT */
/*
 * Ordinary sockets of this machine joined to a stack: so programs that know nothing of it reach
 * the network behind it, and are reached from there, without a TAP and without any right.
 *
 *     program --- socket --- [ forwarder ] --- stack --- link     a room, a tunnel ...
 *
 *     forward   what connects to a port of this machine reaches one address in the network
 *     expose    what comes to a port of the stack reaches one address of this machine
 *     socks     a SOCKS5 proxy (RFC 1928, 1929): any address in the network
 *
 * TCP: back-pressure, the end of one direction, and resets are passed on. A refusal can only be
 * told to a forwarded or exposed program by a reset, as the connection is there by then; SOCKS
 * has words for it. UDP: each of those who send gets a port of its own at the other side, until
 * it is silent for three minutes.
 *
 *     struct weft_forward_rule rule;
 *     if (weft_forwarder_new(&(struct weft_forwarder_opts){ .stack = stack, .loop = loop },
 *                            &forwarder) < 0 ||
 *         weft_forward_parse("tcp:8080=10.0.0.5:80", &err, &rule) < 0 ||
 *         weft_forwarder_forward(forwarder, &rule, &err) < 0)
 *             fail(err.text);
 */
#ifndef WEFT_FORWARD_H
#define WEFT_FORWARD_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/frame.h>
#include <weft/loop.h>
#include <weft/resolver.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_forwarder;

#define WEFT_FORWARD_HOST_MAX 255u /**< Length of a name. */
#define WEFT_FORWARD_USER_MAX 255u /**< Length of a user's name, and of a password. */

/** From where to where. */
struct weft_forward_rule {
	bool is_udp;
	union weft_sockaddr listen; /**< Here to forward, in the stack to expose. */
	/** An address; to forward, a name as well, where there is a resolver. */
	char host[WEFT_FORWARD_HOST_MAX + 1];
	uint16_t port;
};

/**
 * Parses PROTOCOL:LOCAL=ROOM, such as "tcp:8080=10.0.0.5:80" or "udp:[::1]:53=10.0.0.1:53". A
 * bare port is one of 127.0.0.1. Returns 0 or -EINVAL with err.
 */
WEFT_API WEFT_MUST_CHECK int weft_forward_parse(const char *text, struct weft_error *err,
						struct weft_forward_rule *ret_rule);

/**
 * Parses PROTOCOL:ROOM=LOCAL, such as "tcp:25565=127.0.0.1:25565" or "udp:27015=27015". A bare
 * port is, at the left, one of all addresses of the stack, at the right, of 127.0.0.1. Returns 0
 * or -EINVAL with err.
 */
WEFT_API WEFT_MUST_CHECK int weft_expose_parse(const char *text, struct weft_error *err,
					       struct weft_forward_rule *ret_rule);

/** stack and loop are needed; the rest may be zero. */
struct weft_forwarder_opts {
	struct weft_stack *stack;
	struct weft_loop *loop;
	/** Knows the names in the network; NULL: only addresses are known. Outlives it. */
	struct weft_resolver *resolver;
	uint32_t streams_max; /**< TCP connections, of all kinds together; 0 for 512. */
	uint32_t flows_max;   /**< UDP: who sends to whom; 0 for 256. */
	/** For a client of SOCKS to say what it wants; 0 for 30 s. */
	uint64_t patience_ns;
};

/** Makes one that does nothing yet. opts is copied. Returns 0 or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_forwarder_new(const struct weft_forwarder_opts *opts,
						struct weft_forwarder **ret_forwarder);

/** Resets all connections and frees; before its stack and its loop. NULL is allowed. */
WEFT_API void weft_forwarder_free(struct weft_forwarder *forwarder);

/**
 * Listens on this machine for what is to go into the network. A name is looked up for each
 * connection, and for each who sends datagrams. Returns 0 or -Exxx with err: -EINVAL,
 * -EADDRINUSE, -EACCES, -EADDRNOTAVAIL, -EMFILE, -ENOMEM ...
 */
WEFT_API WEFT_MUST_CHECK int weft_forwarder_forward(struct weft_forwarder *forwarder,
						    const struct weft_forward_rule *rule,
						    struct weft_error *err);

/**
 * Listens in the stack for what is to go to a program on this machine. Returns 0, or -Exxx with
 * err: -EADDRINUSE, -ENOMEM ...
 */
WEFT_API WEFT_MUST_CHECK int weft_forwarder_expose(struct weft_forwarder *forwarder,
						   const struct weft_forward_rule *rule,
						   struct weft_error *err);

/** Who may use a SOCKS proxy. */
struct weft_socks_opts {
	union weft_sockaddr listen;
	/** Asked of each client unless NULL; at most WEFT_FORWARD_USER_MAX bytes. Copied. */
	const char *user, *password;
};

/**
 * Is a SOCKS5 proxy into the network. Returns 0, or -Exxx with err: -EACCES for one without a
 * password that others than this machine could reach; else as weft_forwarder_forward.
 */
WEFT_API WEFT_MUST_CHECK int weft_forwarder_socks(struct weft_forwarder *forwarder,
						  const struct weft_socks_opts *opts,
						  struct weft_error *err);

/** How a connection or a datagram can end. Each is counted. */
enum weft_forward_outcome {
	WEFT_FORWARD_STREAM,      /**< A connection was joined with another. */
	WEFT_FORWARD_DATAGRAM,    /**< A datagram was passed on. */
	WEFT_FORWARD_DROP_FULL,   /**< streams_max or flows_max, or no memory. */
	WEFT_FORWARD_DROP_TARGET, /**< Nobody there, or no way there. */
	WEFT_FORWARD_DROP_NAME,   /**< A name that nobody knows. */
	WEFT_FORWARD_DROP_SOCKS,  /**< Not SOCKS5, or not what it allows. */
	WEFT_FORWARD_DROP_AUTH,   /**< Without the password. */
	WEFT_FORWARD_OUTCOMES
};

/** "drop-full" and the like. */
WEFT_API const char *weft_forward_outcome_name(enum weft_forward_outcome outcome);

/** How many ended in the given way. */
WEFT_API uint64_t weft_forwarder_count(const struct weft_forwarder *forwarder,
				       enum weft_forward_outcome outcome);

#ifdef __cplusplus
}
#endif
#endif
