/* SPDX-License-Identifier: MIT */
/*
 * A plug on a socket that peers connect to (SOCK_STREAM, SOCK_SEQPACKET), in all forms that
 * an address has:
 *
 *     listening    accept -> link_new -> plugged; any number of peers
 *     connect      connect -> link_new -> plugged; again after a pause when the peer has gone
 *     fd:N, -      link_new -> plugged; when it ends the plug is over
 *
 * The dialect says how a connection becomes a link, and nothing else:
 *
 *     struct my_plug { struct listen_plug listen; uint32_t mtu; };
 *     struct my_plug *p = calloc(1, sizeof(*p));
 *     p->listen.frame_len_max = ...;
 *     return listen_open(&p->listen, &my_listen_ops, spec, err, ret_plug);
 */
#ifndef LINK_LISTEN_H
#define LINK_LISTEN_H

#include "link/local.h"
#include "link/plug.h"

/** Most peers that one run accepts. */
#define LISTEN_ACCEPT_MAX 16u

struct listen_plug;

struct listen_ops {
	int socket_type; /**< SOCK_STREAM or SOCK_SEQPACKET. */
	/**
	 * Makes a link of a connection, which it takes over if it succeeds. Returns 0 and the
	 * link, or -Exxx.
	 */
	int (*link_new)(struct listen_plug *listen, const struct local_ends *ends,
			struct weft_link **ret_link);
	/**
	 * In front of link_new: a peer has come and is not plugged in yet; listen_plug_in does
	 * that later. Takes over the descriptors in any case. NULL for at once.
	 */
	void (*came)(struct listen_plug *listen, const struct local_ends *ends,
		     uint64_t now);
	/** Frees what the dialect has besides; the object itself is freed. NULL for nothing. */
	void (*fini)(struct listen_plug *listen);
};

enum listen_state {
	LISTEN_WAITING,    /**< For peers (the task's fd), or for the time to connect. */
	LISTEN_CONNECTING, /**< The connection is under way. */
	LISTEN_CONNECTED,  /**< ends are there and no link has been made of them yet. */
	LISTEN_PLUGGED,    /**< In connect form: there is a link. */
};

/** First member of a dialect's plug, which is allocated with calloc. */
struct listen_plug {
	struct weft_plug plug;
	const struct listen_ops *ops;
	uint32_t frame_len_max; /**< Set before listen_open: see struct weft_plug. */
	struct local_opts opts;
	struct local_address bound; /**< What is listened on. */
	enum listen_state state;
	struct local_ends ends;
	uint64_t resume_at; /**< When to accept or to connect again. */
	/** Peers that came (ops->came) and are not plugged in yet. */
	uint32_t pending_n;
};

/**
 * Opens the socket that spec names and sets the plug up. It takes over listen, which is
 * freed with it, or here when it fails. Returns 0, or -Exxx with err.
 */
int listen_open(struct listen_plug *listen, const struct listen_ops *ops,
		const struct spec *spec, struct weft_error *err,
		struct weft_plug **ret_plug) WEFT_MUST_CHECK;

/** Makes a link of a connection by link_new and plugs it in; peer NULL: printed from it. */
void listen_plug_in(struct listen_plug *listen, const struct local_ends *ends,
		    const char *peer, uint64_t now);

/** A peer that came has gone and there was no link of it: sees to it that another can come. */
void listen_settle(struct listen_plug *listen, uint64_t now);

#endif
