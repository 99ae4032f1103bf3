/* SPDX-License-Identifier: MIT */
/*
 * One connection: an ngtcp2_conn, its TLS session, what waits to be sent, and its ids.
 *
 *   established ----------------------------------------------.
 *       ^                                                     v
 *   handshake ---- close, error, time-out, reset ----> closed (event, freed)
 *                                                          '--> struct closing, for 3 PTO
 *
 * ngtcp2 must not be entered again from its own callbacks, and users call quic_conn_* from
 * events, which are such callbacks. So those functions only leave work behind (a datagram, a
 * stream's bytes, the wish to close) and mark the connection dirty; conn_flush does it.
 */
#ifndef QUIC_CONN_H
#define QUIC_CONN_H

#include "base/heap.h"
#include "base/list.h"
#include "base/time.h"
#include "quic/blackhole.h"
#include "quic/compat.h"
#include "quic/pace.h"
#include "quic/quality.h"
#include "quic/queue.h"
#include "quic/quic.h"
#include "quic/quota.h"
#include "quic/session.h"
#include "quic/stream.h"

#include <ngtcp2/ngtcp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Announced as max_ack_delay (RFC 9000, 18.2): the longest that an ACK waits for company, and
 * what a busy machine may add. A probe time-out of the peer's is longer by as much.
 */
#define CONN_MAX_ACK_DELAY_NS (75 * NS_PER_MS)

/** By which ngtcp2 tells what became of a DATAGRAM: what packet it went in. */
enum conn_datagram {
	CONN_DATAGRAM_SMALL,
	CONN_DATAGRAM_LARGE, /**< Above BLACKHOLE_BASE_LEN. */
};

struct quic_conn {
	struct quic_endpoint *endpoint;
	ngtcp2_conn *ng;
	struct tls_session session;
	void *user;
	struct list node;  /**< In the endpoint's conns. */
	struct list dirty; /**< In the endpoint's dirty: has something to do at once. */
	struct list routes;
	struct heap_node timer;
	struct datagram_queue queue;
	struct pace pace;
	struct streams streams;
	int64_t probe_stream; /**< Ours for tail probes; -1 before it is needed. */
	bool probe_is_out;    /**< A tail probe has not been acknowledged yet. */
	uint64_t stuck_since; /**< See compat_is_stuck; 0 while it is not. */
	struct compat_paths paths;
	union weft_sockaddr peer;
	struct quota_key quota;      /**< Under which a server has counted it. */
	bool is_counted, is_charged; /**< By quota_take, by quota_charge. */
	size_t datagram_max;
	size_t probe_max;    /**< Largest UDP payload that path MTU discovery will try. */
	uint64_t settle_at;  /**< When discovery counts as ended. */
	unsigned unanswered; /**< Packets received since conn_write last wrote. */
	bool owes_stream_ack; /**< With bytes of a stream among them, which are kept for it. */
	bool is_established;
	bool is_settled;
	bool is_closing; /**< Nothing may be sent any more; close says why. */
	bool was_reset;  /**< A stateless reset has come. */
	struct quic_close close;
	struct quality quality;
	struct blackhole blackhole;
	uint64_t datagrams_rx, datagrams_tx, datagrams_lost, drop_too_long, migrations;
};

/** Begins a connection to peer. Returns 0, -ENOMEM, -EINVAL (server_name). */
int conn_new_client(struct quic_endpoint *endpoint, const union weft_sockaddr *peer,
		    const char *server_name, struct quic_conn **ret_conn) WEFT_MUST_CHECK;

/** The packet that makes a server take a connection. */
struct conn_initial {
	const ngtcp2_pkt_hd *hd;
	const ngtcp2_path *path;
	const ngtcp2_cid *odcid; /**< From a validated Retry token, or NULL. */
	bool is_known; /**< There is a validated token from an earlier connection. */
};

/** Begins the server's side. The packet itself is read afterwards. 0, -ENOMEM or -EINVAL. */
int conn_new_server(struct quic_endpoint *endpoint, const struct conn_initial *initial,
		    struct quic_conn **ret_conn) WEFT_MUST_CHECK;

/** The address that it came from has proved itself: by a Retry, or by the handshake. */
void conn_charge(struct quic_conn *conn);

/** Frees without a word to anyone. */
void conn_free(struct quic_conn *conn);

/** Largest UDP payload that may be sent on the path now, in bytes. */
size_t conn_payload_max(const struct quic_conn *conn);

/** Puts the connection on the endpoint's list of those that have something to do. */
void conn_mark_dirty(struct quic_conn *conn);

/** Reads one packet. The connection may be gone when this returns. */
void conn_receive(struct quic_conn *conn, const ngtcp2_path *path, unsigned ecn,
		  const uint8_t *packet, size_t len);

/**
 * Handles timers that are due, writes what may be written, and sets the next deadline. The
 * connection may be gone when this returns. True when there is more to write at once.
 */
bool conn_flush(struct quic_conn *conn);

/**
 * Writes packets into the endpoint's tx until nothing more may be written or a bound is
 * reached. Returns 1 when there is more to write at once, 0 when not, or a library error.
 */
int conn_write(struct quic_conn *conn);

/** When to be flushed next, besides when marked dirty; in ns. */
void conn_set_deadline(struct quic_conn *conn, uint64_t deadline);

/**
 * The first one-way stream of each side (2 the client's, 3 the server's) is no user's: it
 * carries tail probes, bytes without meaning. Opens it if that has not been done. Returns 0
 * or -EAGAIN.
 */
int conn_open_probe_stream(struct quic_conn *conn) WEFT_MUST_CHECK;

/** Whether the peer sends its tail probes on this stream. */
bool conn_is_peer_probe_stream(const struct quic_conn *conn, int64_t stream);

/** Ends the connection because of a library error. The connection is gone on return. */
void conn_fail(struct quic_conn *conn, int liberr);

/** Ends a connection that cannot go on though its peer may be there. Gone on return. */
void conn_give_up(struct quic_conn *conn);

/** Says goodbye as conn->close has it. The connection is gone on return. */
void conn_close_now(struct quic_conn *conn);

/** Says goodbye to the peer and nothing to the user. The connection is gone on return. */
void conn_abandon(struct quic_conn *conn);

/** Client: goes on from another local address (RFC 9000, 9.2). */
void conn_migrate(struct quic_conn *conn, const union weft_sockaddr *local);

/**
 * Reads from ngtcp2 what the path is now. conn->is_settled becomes true when the largest
 * probe has arrived or the time for it is over. True if something has changed.
 */
bool conn_update_path(struct quic_conn *conn);

/** A path has been validated, or found not to work. */
void conn_on_path_validated(struct quic_conn *conn, bool is_good);

/** A client has been given a token for its next connection. */
void conn_on_token(struct quic_conn *conn, const uint8_t *token, size_t len);

/** Fills in text that came from the peer or a library; what is no printable ASCII is "?". */
void conn_set_reason(struct quic_close *close, const void *text, size_t len);

/** The callbacks for ngtcp2; user_data is the struct quic_conn. */
const ngtcp2_callbacks *conn_callbacks(void);

#endif
