/* SPDX-License-Identifier: MIT */
/*
 * The buffer holds one whole super-datagram and a good part of the next: large enough that
 * a system call carries forty packets, small enough to stay in the second-level cache
 * between the write of a packet, its encryption and the kernel's copy.
 */
#include "quic/tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TX_BUF_LEN 98304u

/* Longest message: room is left for what tunnels below may add to 65,535. */
#define TX_MSG_LEN_MAX 65000u

int tx_init(struct tx *tx)
{
	*tx = (struct tx){ .buf = malloc(TX_BUF_LEN) };
	return tx->buf ? 0 : -ENOMEM;
}

void tx_fini(struct tx *tx)
{
	free(tx->buf);
	tx->buf = NULL;
}

uint8_t *tx_room(struct tx *tx, size_t len)
{
	if (tx->is_blocked || tx->count == TX_MSGS_MAX || len > TX_BUF_LEN - tx->len)
		return NULL;
	return tx->buf + tx->len;
}

static bool has_address(const union weft_sockaddr *addr, const ngtcp2_addr *other)
{
	return weft_sockaddr_len(addr) == other->addrlen &&
	       memcmp(addr, other->addr, other->addrlen) == 0;
}

/* Whether a packet can become one more segment of the last message. */
static bool fits_last(const struct tx *tx, const ngtcp2_path *path, size_t len,
		      unsigned ecn)
{
	if (tx->segments == 0)
		return false;
	const struct dgram_msg *last = &tx->msgs[tx->count - 1];
	return len <= last->segment_len && last->len + len <= TX_MSG_LEN_MAX &&
	       last->ecn == ecn && has_address(&last->peer, &path->remote) &&
	       (tx->any_source || has_address(&last->local, &path->local));
}

static void begin_message(struct tx *tx, const ngtcp2_path *path, size_t len,
			  unsigned ecn)
{
	struct dgram_msg *msg = &tx->msgs[tx->count++];
	*msg = (struct dgram_msg){
		.data = tx->buf + tx->len,
		.segment_len = len,
		.ecn = (uint8_t)ecn,
	};
	memcpy(&msg->peer, path->remote.addr, path->remote.addrlen);
	if (!tx->any_source)
		memcpy(&msg->local, path->local.addr, path->local.addrlen);
	tx->segments = 0;
}

void tx_add(struct tx *tx, const ngtcp2_path *path, size_t len, unsigned ecn,
	    unsigned segments_max)
{
	if (!fits_last(tx, path, len, ecn))
		begin_message(tx, path, len, ecn);
	struct dgram_msg *last = &tx->msgs[tx->count - 1];
	last->len += len;
	tx->len += len;
	tx->packets++;
	tx->segments++;
	if (len < last->segment_len || tx->segments >= segments_max)
		tx->segments = 0;
}

bool tx_send(struct tx *tx, struct dgram *dgram)
{
	while (tx->sent < tx->count) {
		int n = dgram_send(dgram, tx->msgs + tx->sent, tx->count - tx->sent);
		tx->batches++;
		/* An error is the loss of one message: QUIC repairs it. */
		if (n < 0 && n != -EAGAIN)
			n = 1;
		tx->is_blocked = n <= 0;
		if (tx->is_blocked)
			return false;
		tx->sent += (size_t)n;
	}
	tx->count = tx->sent = tx->len = tx->segments = 0;
	return true;
}
