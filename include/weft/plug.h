/* SPDX-License-Identifier: MIT */
/*
 * A plug brings links: emulators, virtual machines and programs that reach us over a local
 * socket, each of which becomes a link of its own as it comes.
 *
 *     emulator --- socket ---.
 *                             plug --- plugged(link) ---> a bridge, a room, a program
 *     VM --------- socket ---'   '--- unplugged(link)
 *
 * Which bytes a peer speaks is the *dialect*: the kind of the link spec ("qemu", "tapserver",
 * "vde", ...; docs/dialects.md has the bytes of each, `weft help links` the options). The same
 * specs open as single links with weft_link_open, which then wait for one peer at a time.
 *
 *     const struct weft_plug_events events = { .plugged = to_bridge, .unplugged = off_bridge };
 *     const struct weft_plug_opts opts = { .spec = "qemu:/run/lan.sock", .events = &events };
 *     if (weft_plug_new(&opts, loop, &err, &plug) < 0)
 *             fail(err.text);
 */
#ifndef WEFT_PLUG_H
#define WEFT_PLUG_H

#include <weft/error.h>
#include <weft/link.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_plug;

/** What a plug tells. None of them may free the plug. */
struct weft_plug_events {
	/**
	 * A peer plugged in. The link belongs to the plug, which also runs it; set its
	 * receiver here or put it on a bridge. peer says who it is, as far as one can know
	 * ("192.0.2.7:5059", "uid 1000 pid 4711"); borrowed for the call.
	 */
	void (*plugged)(void *user, struct weft_link *link, const char *peer,
			uint64_t now);
	/**
	 * A link is about to be freed: let go of it before this returns. Why it ended is in
	 * weft_link_down_reason. Not called for links that are left when the plug is freed.
	 */
	void (*unplugged)(void *user, struct weft_link *link, uint64_t now);
	/**
	 * A peer could not be taken, or a connecting plug could not connect and will try
	 * again; text is one sentence. May be NULL.
	 */
	void (*trouble)(void *user, const char *text, uint64_t now);
};

/** Only spec is needed; but who is not told of a link cannot use it. */
struct weft_plug_opts {
	const char *spec; /**< Of a kind that is a plug; wrappers go around each link. */
	const struct weft_plug_events *events;
	void *user;
	/** Most peers at once; 0 for 64. A listening plug refuses more. */
	uint32_t links_max;
};

/**
 * Opens the socket that opts->spec names and listens on it, or connects, and adds what it
 * needs to the loop. A connecting plug connects again by itself after a peer has gone.
 * opts is copied but for events and user. Nobody is called back before the loop runs.
 * Returns 0, or -Exxx with err: -EINVAL for a bad spec or a kind that is no plug, -EADDRINUSE,
 * -EACCES, -ENOENT, -ENOTSUP ...
 */
WEFT_API WEFT_MUST_CHECK int weft_plug_new(const struct weft_plug_opts *opts,
					   struct weft_loop *loop, struct weft_error *err,
					   struct weft_plug **ret_plug);

/**
 * Closes the socket and every link of it, and removes a UNIX path that it made; before its
 * loop, and not from within its events. NULL is allowed.
 */
WEFT_API void weft_plug_free(struct weft_plug *plug);

/** Takes no more peers; those that are there stay. */
WEFT_API void weft_plug_close(struct weft_plug *plug);

/** Unplugs one peer, giving why; its link is freed soon after, by way of unplugged. */
WEFT_API void weft_plug_drop(struct weft_plug *plug, struct weft_link *link,
			     const char *reason);

/** "qemu on /run/lan.sock" and the like, for people. Belongs to the plug. */
WEFT_API const char *weft_plug_name(const struct weft_plug *plug);

/**
 * The address it listens on or connects to, as text ("/run/lan.sock", "127.0.0.1:5059" with
 * the port in use). Belongs to the plug.
 */
WEFT_API const char *weft_plug_address(const struct weft_plug *plug);

/** How many peers are plugged in now. */
WEFT_API uint32_t weft_plug_links(const struct weft_plug *plug);

/**
 * True once no peer is there and no other can come: the descriptor or the standard input
 * that it was made of has ended, or weft_plug_close was called and the last peer has gone.
 * In `unplugged` of its last link it is true already.
 */
WEFT_API bool weft_plug_is_over(const struct weft_plug *plug);

/** True if the spec's innermost kind is one that weft_plug_new takes. */
WEFT_API bool weft_plug_is_spec(const char *spec);

#ifdef __cplusplus
}
#endif
#endif
