/* SPDX-License-Identifier: MIT */
/*
 * A link over a socket that keeps datagrams apart: one datagram is one frame, as it is or in
 * what the dialect puts around it.
 *
 *     socket --recvmmsg--> decode --> receiver              (LINK_BATCH at a time)
 *     frames --encode--> sendmmsg --> socket
 *                           '-- peer is full --> backlog --when it is not--'
 *
 * The socket is the link's own and connected, or is shared by all peers of a plug
 * (link/senders.h), which then reads it and gives each link what came from its peer. A shared
 * socket cannot tell when a single peer has room again: such a link tries again after a pause
 * that grows while nothing moves, and so does every link whose system says ENOBUFS.
 *
 * What a UNIX peer has not read yet takes room in the send buffer of the socket that it was
 * sent by. Where that is shared, a peer that has stopped would fill it for all: once half of
 * it is full, who has been sent more than a share of it without being heard waits.
 *
 * A peer that does not read costs its backlog, and then its frames. One whose UNIX socket is
 * gone ends its link; one behind UDP can only be silent, and the dialect decides what that
 * means (quiet).
 */
#ifndef LINK_PACKETS_H
#define LINK_PACKETS_H

#include "link/backlog.h"
#include "link/datagram.h"
#include "link/link.h"

/** Most bytes that a dialect puts in front of a frame. */
#define PACKETS_PREFIX_MAX 32u

/** Kept for a peer that is slow, unless the options say otherwise. */
#define PACKETS_QUEUE_LEN 1048576u

/** Longest greeting and the like. */
#define PACKETS_SAY_MAX 256u

/** Socket buffers, in each direction. */
#define PACKETS_BUFFER_LEN 4194304

/** The least that a share of a shared socket's send buffer is, in bytes. */
#define PACKETS_SHARE_MIN 65536u

/** Longest frame over UDP: a datagram, less what a dialect may put in front. */
#define PACKETS_UDP_FRAME_MAX (65507u - PACKETS_PREFIX_MAX)

struct packets;

/** A frame as it goes out: a prefix, and a part of the frame. */
struct packets_out {
	uint8_t prefix[PACKETS_PREFIX_MAX];
	size_t prefix_len;
	const uint8_t *data;
	size_t len;
};

struct packets_ops {
	/**
	 * A datagram came in: makes an Ethernet frame of it, in place and in the headroom.
	 * Returns 1; 0 if it was for the dialect; -EBADMSG to have it counted. NULL: as it is.
	 */
	int (*decode)(struct packets *p, struct weft_frame *frame, uint64_t now);
	/** A frame goes out. Returns 1; 0 if it is nothing for this peer. NULL: as it is. */
	int (*encode)(struct packets *p, const struct weft_frame *frame,
		      struct packets_out *ret_out);
	/** Nothing has been heard for silence_ns; called each quiet_ns of that. */
	void (*quiet)(struct packets *p, uint64_t silence_ns, uint64_t now);
	/** The link is about to be freed, its socket still open: says goodbye. NULL: no. */
	void (*bye)(struct packets *p);
};

struct packets_opts {
	const char *name;
	const struct packets_ops *ops; /**< NULL: bare frames. */
	int fd;                  /**< To read from: taken over. -1: the plug reads. */
	int send_fd;             /**< To send by where fd is -1, and stays the plug's. */
	const uint32_t *sharers; /**< With send_fd: how many links send by it. */
	/** Not 0: to send by another socket than fd; taken over (multicast). */
	int own_send_fd;
	struct datagram_addr to; /**< len 0: the socket is connected. */
	/** What comes from there is left out; len 0: nothing. */
	struct datagram_addr skip;
	bool is_stream_like;    /**< SOCK_SEQPACKET: an empty packet is the end. */
	uint32_t frame_len_max; /**< 0 for the most that a frame has. */
	size_t queue_len;       /**< 0 for PACKETS_QUEUE_LEN. */
	uint64_t quiet_ns;      /**< 0: ops->quiet is never called. */
};

/** A dialect may embed it as the first member of its own struct. */
struct packets {
	struct weft_link link;
	const struct packets_ops *ops;
	int send_fd;
	bool owns_send_fd;
	const uint32_t *sharers; /**< Of a UNIX socket; NULL if it is the link's own. */
	bool is_inet;            /**< Errors of single datagrams do not end the link. */
	bool is_stream_like;
	struct datagram_addr to, skip;
	/** Of an own socket; allocated by the first run. */
	struct datagram_batch *batch;
	struct backlog backlog;
	uint64_t retry_at; /**< When to try the backlog again; or WEFT_NEVER. */
	uint64_t retry_ns; /**< Pause before the next try; grows. */
	unsigned nobufs;   /**< ENOBUFS in a row. */
	size_t unheard;    /**< Bytes sent since it was heard. */
	uint64_t heard_at;
	uint64_t quiet_at; /**< When to look whether it is quiet; or WEFT_NEVER. */
	uint64_t quiet_ns;
};

/**
 * Makes a plain link. Returns 0 or -ENOMEM; on failure nothing has been taken over.
 */
int packets_new(const struct packets_opts *opts,
		struct packets **ret_packets) WEFT_MUST_CHECK;

/** The same in memory of the dialect's, from malloc, which is freed with the link. */
void packets_init(struct packets *p, const struct packets_opts *opts);

/** Datagrams that a plug read for this link; borrowed, changed in place. */
void packets_input(struct packets *p, const struct datagram *datagrams, size_t n,
		   uint64_t now);

/**
 * Sends up to PACKETS_SAY_MAX bytes that are no frame, such as a greeting; what does not go at
 * once is lost.
 */
void packets_say(struct packets *p, const void *data, size_t len);

/** The plain link behind a link of a plug, inside of its wrappers. */
struct packets *packets_of(struct weft_link *link);

#endif
