/* SPDX-License-Identifier: MIT */
/*
 * A capture file that is being written. Its name says in which form:
 *
 *     FILE.pcapng    pcapng: also which way each frame went, and on what
 *     any other      pcap, of the kind with nanoseconds
 *
 * tcpdump, Wireshark and the link pcap: read both. Bytes wait in stdio's buffer until they are
 * flushed.
 */
#ifndef LINK_RECORDING_H
#define LINK_RECORDING_H

#include <weft/error.h>
#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

struct recording;

struct recording_opts {
	const char *path;  /**< It is overwritten. */
	const char *name;  /**< What the frames pass. */
	unsigned flags;    /**< That one's WEFT_LINK_*, for the type of its frames. */
	uint32_t snap_len; /**< Most bytes of each frame. */
};

/** Begins a file. Returns 0, -ENOMEM, or -EIO with err. */
int recording_new(const struct recording_opts *opts, struct weft_error *err,
		  struct recording **ret_recording) WEFT_MUST_CHECK;

/** Ends it. NULL is allowed. */
void recording_free(struct recording *recording);

/** Adds a frame that passed at a time, in ns since 1970. */
void recording_add(struct recording *recording, const struct weft_frame *frame,
		   int64_t at_ns, bool is_outbound);

/** Returns whether all that was added is in the file. */
bool recording_flush(struct recording *recording);

#endif
