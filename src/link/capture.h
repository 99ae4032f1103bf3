/* SPDX-License-Identifier: MIT */
/*
 * A wrapper that writes what passes, in both directions, into a capture file, which tcpdump,
 * Wireshark and pcap: read (link/recording.h). Frames are recorded as they pass the wrapper:
 * super-frames whole, and with the checksums that are yet to be filled in.
 */
#ifndef LINK_CAPTURE_H
#define LINK_CAPTURE_H

#include "link/link.h"

struct capture_opts {
	const char *path;
	uint32_t snap_len; /**< Most bytes recorded of each frame; 0: all. */
	/** Added to now for the time stamp: the wall clock's time when now was 0, in ns. */
	int64_t epoch_ns;
};

/**
 * Wraps inner, which it takes over when it succeeds. The file is overwritten.
 * Returns 0, or -Exxx with err saying why the file cannot be written.
 */
int capture_new(const struct capture_opts *opts, struct weft_link *inner,
		struct weft_error *err, struct weft_link **ret_link) WEFT_MUST_CHECK;

#endif
