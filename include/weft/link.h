/* SPDX-License-Identifier: MIT */
/*
 * A link carries frames: a TAP or TUN device, a wired NIC, a capture file, one end of a
 * pair in memory, a session with a relay, or a wrapper around another link.
 *
 * Each link says in its capabilities what it takes. weft_link_send cuts super-frames, fills
 * in checksums or merges segments back so that the link's driver sees only what it takes:
 * callers send what they have.
 *
 *     struct weft_link *link;
 *     struct weft_error err;
 *     if (weft_link_open("tap:weft0", &err, &link) < 0)
 *             fail(err.text);
 *     weft_link_on_receive(link, got_frames, me);
 *     weft_loop_add(loop, weft_link_task(link));
 */
#ifndef WEFT_LINK_H
#define WEFT_LINK_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/frame.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_link;

/** What a link takes from weft_link_send without help. */
struct weft_link_caps {
	unsigned flags;         /**< WEFT_LINK_* bits. */
	uint32_t frame_len_max; /**< Longest frame in bytes that is not a super-frame. */
};

/** Counters of one link; they only grow. A super-frame counts as one frame. */
struct weft_link_stats {
	uint64_t rx_frames, rx_bytes;
	uint64_t tx_frames, tx_bytes;
	uint64_t rx_errors;   /**< Frames that the driver could not make sense of. */
	uint64_t tx_dropped;  /**< No room, or the device refused. */
	uint64_t tx_too_long; /**< Longer than frame_len_max and not to be cut. */
	uint64_t cut;         /**< Super-frames cut into segments. */
	uint64_t merged;      /**< Frames absorbed into super-frames. */
};

/** Called with a batch of n frames that came in on link; borrowed for the call. */
typedef void weft_link_receiver(void *user, struct weft_link *link,
				const struct weft_frame *frames, size_t n, uint64_t now);

/**
 * Opens the link that spec names (`weft help links` documents the syntax), such as
 * "tap:weft0", "packet:eth0", "pcap:file.pcap", "impair:loss=1%,delay=20ms:tap:x".
 * Returns 0 and the link, or -Exxx with err (may be NULL) saying what to mend:
 * -EINVAL for a bad spec, -EPERM/-EACCES without the right, -ENODEV, -EBUSY, -ENOTSUP.
 */
WEFT_API WEFT_MUST_CHECK int weft_link_open(const char *spec, struct weft_error *err,
					    struct weft_link **ret_link);

/**
 * Puts wrappers around a link that is open: "impair:loss=1%", "capture:a.pcap:impair:rate=1mbit".
 * link becomes the outermost, which owns the others, also when this fails half-way. Returns 0, or
 * -Exxx with err (may be NULL).
 */
WEFT_API WEFT_MUST_CHECK int weft_link_wrap(const char *wrappers, struct weft_error *err,
					    struct weft_link **link);

/**
 * Makes two ends in memory: what is sent into one is received by the other at its next run. Each
 * queue has room for queue_len frames; the rest is dropped and counted. Each end is freed by
 * itself, in any order. Returns 0, -EINVAL for a queue_len of 0, or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_link_pair(unsigned queue_len, struct weft_link **ret_a,
					    struct weft_link **ret_b);

/** As weft_link_pair, for IP packets without Ethernet. */
WEFT_API WEFT_MUST_CHECK int weft_link_ip_pair(unsigned queue_len,
					       struct weft_link **ret_a,
					       struct weft_link **ret_b);

/**
 * Closes and frees. The link must have been taken out of its loop, and must not be in the
 * middle of its run (do not free it from its own receiver). NULL is allowed.
 */
WEFT_API void weft_link_free(struct weft_link *link);

/** Says who gets the frames that come in, from the task's run. NULL drops them. */
WEFT_API void weft_link_on_receive(struct weft_link *link, weft_link_receiver *fn,
				   void *user);

/** Called with frames that come in on link, or are sent; borrowed for the call. */
typedef void weft_link_watcher(void *user, struct weft_link *link, bool is_sent,
			       const struct weft_frame *frames, size_t n);

/**
 * Has fn look at each batch before the receiver gets it, and as callers send it: before it is
 * cut or merged. It only looks. NULL: nobody.
 */
WEFT_API void weft_link_on_pass(struct weft_link *link, weft_link_watcher *fn,
				void *user);

/**
 * Sends a batch of n frames. They are borrowed and their bytes not changed. What does not fit
 * is counted in the link's stats, never an error: a bad frame must not stop a link. now is
 * CLOCK_MONOTONIC in ns. Never blocks; allowed from any receiver. Some links send at once,
 * others at their task's next run, which is due at once then.
 */
WEFT_API void weft_link_send(struct weft_link *link, const struct weft_frame *frames,
			     size_t n, uint64_t now);

/** The link as a task, for weft_loop_add. Belongs to the link. */
WEFT_API struct weft_task *weft_link_task(struct weft_link *link);

/** Name for people: the device's name where there is one ("weft0"). Belongs to the link. */
WEFT_API const char *weft_link_name(const struct weft_link *link);

/** The device's own MAC; false where a link has none. */
WEFT_API bool weft_link_mac(const struct weft_link *link, struct weft_mac *ret_mac);

/** What it takes without help. */
WEFT_API struct weft_link_caps weft_link_caps(const struct weft_link *link);
/** The counters of now. */
WEFT_API struct weft_link_stats weft_link_stats(const struct weft_link *link);

/** True once the link can carry nothing more: device removed, capture at its end. */
WEFT_API bool weft_link_is_down(const struct weft_link *link);

/** Why it is down, as one sentence for people; empty while it is not, or where nobody knows. */
WEFT_API const char *weft_link_down_reason(const struct weft_link *link);

/**
 * The text of `weft help links`: every kind of link with its options, made from the table
 * that weft_link_open parses by. The caller frees it with free(); NULL without memory.
 */
WEFT_API char *weft_link_help(void);

#ifdef __cplusplus
}
#endif
#endif
