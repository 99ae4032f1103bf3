/* SPDX-License-Identifier: MIT */
/*
 * A plug on one datagram socket that many peers send to: each address that speaks the dialect
 * becomes a link.
 *
 *     socket --recvmmsg--> by sender --+--> link of 192.0.2.7:4000
 *                                      |--> link of 192.0.2.7:4001
 *                                      '--> unknown: greet --> a new link, or not
 *
 * A datagram socket is not told when a peer goes. A UNIX peer's socket is looked at while the
 * peer is silent, so that silence alone ends nothing; one behind UDP that has been silent for
 * its dialect's time is taken for gone, and is plugged in again by its next datagram. The
 * number of links is bounded by links_max, the table of addresses is keyed with a secret.
 */
#ifndef LINK_SENDERS_H
#define LINK_SENDERS_H

#include "base/table.h"
#include "base/time.h"
#include "link/local.h"
#include "link/packets.h"
#include "link/plug.h"

/** While a UNIX peer is silent, its socket is looked at so often. */
#define SENDERS_PROBE_NS (5 * NS_PER_S)

struct senders;

struct senders_ops {
	/** Of the links; quiet should be senders_quiet or do what that does. */
	const struct packets_ops *packets;
	uint32_t frame_len_max; /**< 0 for the most that a frame has. */
	/**
	 * A datagram from an unknown address. Returns 1 if it comes with it: the link is then
	 * made and given the datagram; 0 if it has been dealt with; -EBADMSG if it is nobody.
	 */
	int (*greet)(struct senders *s, const struct datagram *datagram, uint64_t now);
	/** Makes the link of a new peer, instead of packets_new. 0 or -Exxx. NULL for that. */
	int (*peer_new)(struct senders *s, const struct packets_opts *opts,
			const struct datagram *datagram, struct packets **ret_packets);
};

/** First member of a dialect's plug, which is allocated with calloc. */
struct senders {
	struct weft_plug plug;
	const struct senders_ops *ops;
	struct local_opts opts;
	struct local_address bound;
	/** Of the socket: it is read also after the plug is closed. */
	struct weft_task reader;
	struct table *peers; /**< By address; of struct packets. */
	size_t key_len;
	struct datagram_batch *batch;
	uint64_t quiet_ns; /**< Set by the dialect: see struct packets_opts. */
};

/**
 * Opens the socket that spec names and sets the plug up. It takes over s, which is freed with
 * it, or here when it fails. Returns 0, or -Exxx with err.
 */
int senders_open(struct senders *s, const struct senders_ops *ops,
		 const struct spec *spec, struct weft_error *err,
		 struct weft_plug **ret_plug) WEFT_MUST_CHECK;

/** Answers an address that has no link. */
void senders_say(struct senders *s, const struct datagram_addr *to, const void *data,
		 size_t len);

/** For packets_ops: ends the link if its UNIX socket is gone, or at once behind UDP. */
void senders_quiet(struct packets *p, uint64_t silence_ns, uint64_t now);

#endif
