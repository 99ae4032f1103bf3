/* SPDX-License-Identifier: MIT */
/*
 * weft's narrow face on QUIC (ngtcp2 and GnuTLS).
 *
 * An *endpoint* is one datagram socket with any number of connections; it is a task. It
 * knows nothing of frames or rooms: it carries DATAGRAMs (RFC 9221) with a bounded queue per
 * connection and priority for small ones, and reliable streams for control messages.
 *
 *   socket -> dgram_recv -> route by connection id -> ngtcp2 -> events
 *   send_datagram -> queue (two priorities, time-limited) -> ngtcp2 -> batch -> dgram_send
 *
 * The first one-way stream of each side (ids 2 and 3) is the endpoint's own: it may carry
 * bytes without meaning, whose acknowledgement says that a path still works.
 *
 * Congestion control holds for DATAGRAMs too (RFC 9221, 5.4), so a queue stands in front of
 * it. It is short on purpose: what waits longer than QUIC_QUEUE_NS is dropped from the head,
 * because a tunnel that keeps packets for long ruins every flow inside it. A turn of the endpoint
 * that comes late drops nothing that has come since the one before.
 */
#ifndef QUIC_QUIC_H
#define QUIC_QUIC_H

#include "base/time.h"
#include "io/dgram.h"
#include "quic/tls.h"

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quic_endpoint;
struct quic_conn;

enum quic_cc { QUIC_CC_BBR, QUIC_CC_CUBIC, QUIC_CC_RENO };

/** Why a connection ended. */
struct quic_close {
	enum {
		QUIC_CLOSE_LOCAL,     /**< quic_conn_close was called. */
		QUIC_CLOSE_PEER_APP,  /**< The peer closed: its code and reason. */
		QUIC_CLOSE_TRANSPORT, /**< A protocol or TLS error; reason says which. */
		QUIC_CLOSE_TIMEOUT, /**< Idle or handshake time-out: the peer is not there. */
		QUIC_CLOSE_RESET, /**< Stateless reset: the peer has lost its state. */
		QUIC_CLOSE_IDENTITY, /**< The peer's key or certificate is not the expected one. */
	} kind;
	uint64_t code;
	char reason[128]; /**< Printable ASCII: what else came is replaced. */
};

/** What came on a stream, borrowed for the call. */
struct quic_stream_input {
	int64_t stream;
	const uint8_t *data; /**< NULL with len 0. */
	size_t len;
	bool fin; /**< The end; also by a reset, and then what is missing never comes. */
};

/**
 * What the user of an endpoint is told. All are called from the endpoint's run (never from
 * within a quic_conn_* call). A connection may be closed or written to from any of them.
 */
struct quic_events {
	/** The handshake is complete, on either side. A server sees a connection here first. */
	void (*established)(void *user, struct quic_conn *conn, uint64_t now);
	/** One DATAGRAM; data is borrowed for the call. */
	void (*datagram)(void *user, struct quic_conn *conn, const uint8_t *data,
			 size_t len, uint64_t now);
	/** Something came on a stream, in order; flow control is extended by its bytes. */
	void (*stream)(void *user, struct quic_conn *conn,
		       const struct quic_stream_input *input, uint64_t now);
	/**
	 * End of the connection; conn is freed when the call returns. Called once for each
	 * connection that quic_connect made or that established has shown.
	 */
	void (*closed)(void *user, struct quic_conn *conn, const struct quic_close *why,
		       uint64_t now);
	/**
	 * The path changed: its addresses, its largest datagram (path MTU found), or discovery
	 * has ended (quic_conn_path_is_settled). May be NULL.
	 */
	void (*path)(void *user, struct quic_conn *conn, uint64_t now);
};

struct quic_endpoint_opts {
	struct dgram *dgram;        /**< Becomes the endpoint's. */
	const struct quic_tls *tls; /**< Borrowed; outlives the endpoint. */
	bool is_server;             /**< Takes connections. */
	const struct quic_events *events;
	void *user;
	/** 32 bytes, kept over restarts: tokens of all kinds, hash keys. Copied. */
	const uint8_t *secret;
	enum quic_cc cc;
	uint64_t idle_timeout_ns;      /**< 0 for 30 s. */
	uint64_t keep_alive_ns;        /**< PING when silent for this long; 0 for 10 s. */
	uint64_t handshake_timeout_ns; /**< 0 for 10 s. */
	uint32_t conns_max;            /**< 0 for 4,096. */
	/** Unfinished ones before Retry is demanded; 0 for 64. */
	uint32_t handshakes_max;
	uint32_t handshake_rate; /**< New ones a second before Retry is; 0: no limit. */
	uint32_t conns_per_peer_max; /**< For an IPv4 address or IPv6 /64; 0: no limit. */
	bool always_retry; /**< Validate every address by Retry (RFC 9000, 8.1.2). */
	uint16_t udp_payload_max; /**< Probe no larger; 0 for 1,444. */
};

/** Makes an endpoint. Returns 0 or -Exxx; on failure opts->dgram is still the caller's. */
int quic_endpoint_new(const struct quic_endpoint_opts *opts,
		      struct quic_endpoint **ret_endpoint) WEFT_MUST_CHECK;

/**
 * Closes what is open without waiting (one CONNECTION_CLOSE each) and without events, frees.
 * Not from within an event. NULL is allowed.
 */
void quic_endpoint_free(struct quic_endpoint *endpoint);

/** The endpoint as a task. */
struct weft_task *quic_endpoint_task(struct quic_endpoint *endpoint);

/** Local address. */
const union weft_sockaddr *quic_endpoint_addr(const struct quic_endpoint *endpoint);

/** Counters of what never reached a connection; they only grow. */
struct quic_endpoint_stats {
	uint64_t rx_packets, tx_packets, rx_batches, tx_batches;
	uint64_t drop_unknown;   /**< No connection with that id, and not an Initial. */
	uint64_t drop_malformed; /**< Not QUIC. */
	uint64_t drop_limit;     /**< conns_max or conns_per_peer_max reached. */
	uint64_t retries, resets, version_negotiations;
	uint64_t refusals; /**< Connections refused before they were any. */
	uint64_t tx_taken; /**< Batches that the kernel has sent. */
	int tx_refusal;    /**< No counter: why not the last of the others, or 0. */
};

struct quic_endpoint_stats quic_endpoint_stats(const struct quic_endpoint *endpoint);

/**
 * Replaces the socket of a client endpoint and migrates its connections to the new path
 * (RFC 9000, 9.2). dgram becomes the endpoint's; the old one is freed. The task must be out
 * of its loop during the call, because its descriptor changes.
 */
int quic_endpoint_rebind(struct quic_endpoint *endpoint, struct dgram *dgram,
			 uint64_t now) WEFT_MUST_CHECK;

/**
 * Starts a connection. server_name is sent as SNI and checked unless tls pins a key.
 * Returns 0 or -Exxx; success is told by events.established, failure by events.closed.
 */
int quic_connect(struct quic_endpoint *endpoint, const union weft_sockaddr *peer,
		 const char *server_name, uint64_t now,
		 struct quic_conn **ret_conn) WEFT_MUST_CHECK;

void quic_conn_set_user(struct quic_conn *conn, void *user);
void *quic_conn_user(const struct quic_conn *conn);

/** Says goodbye with an application code and a short reason; events.closed follows. */
void quic_conn_close(struct quic_conn *conn, uint64_t code, const char *reason,
		     uint64_t now);

/** Largest DATAGRAM payload in bytes that fits the path now; 0 before established. */
size_t quic_conn_datagram_max(const struct quic_conn *conn);

/** True when path MTU discovery has ended, so that quic_conn_datagram_max is stable. */
bool quic_conn_path_is_settled(const struct quic_conn *conn);

/** Longest wait of a DATAGRAM in the queue, in ns, if the endpoint has its turns. */
#define QUIC_QUEUE_NS (15 * NS_PER_MS)

/** Those with a body of at most so many bytes, whatever their head, go first. */
#define QUIC_SMALL_LEN 300u

/** A DATAGRAM in two pieces, so that a header needs no copy of the body. */
struct quic_datagram {
	const uint8_t *head;
	size_t head_len;
	const uint8_t *body;
	size_t body_len;
	bool in_order; /**< Never overtakes, however small: the last segment of a burst. */
};

/**
 * Queues a datagram; bytes are copied. Small ones (QUIC_SMALL_LEN) go before large ones
 * unless in_order is set. Returns 0, -EMSGSIZE when it does not fit the path now, -ENOBUFS when
 * the queue is full (counted), -ENOTCONN before established or after close.
 */
int quic_conn_send_datagram(struct quic_conn *conn, const struct quic_datagram *datagram,
			    uint64_t now) WEFT_MUST_CHECK;

/**
 * Opens a stream, both ways or only out. Returns 0, -ENOTCONN, or -EAGAIN at the peer's limit:
 * 16 both ways at a time, and 64 one way. (Where the peer has ngtcp2 0.12, which never counts
 * one of the latter as closed, those 64 are all that a connection ever gets.)
 */
int quic_conn_open_stream(struct quic_conn *conn, bool is_uni,
			  int64_t *ret_stream) WEFT_MUST_CHECK;

/**
 * Queues bytes on a stream; they are copied and kept until acknowledged. Returns 0, -ENOBUFS
 * when more than 256 KiB would wait on this connection, -ENOTCONN, -ENOENT for no such stream,
 * -EPIPE behind its end, or -ENOMEM.
 */
int quic_conn_send_stream(struct quic_conn *conn, int64_t stream, const uint8_t *data,
			  size_t len, bool fin) WEFT_MUST_CHECK;

/**
 * Keying material bound to this connection and label (by RFC 8446, 7.5): 16 to 64 bytes. Both
 * sides get the same bytes, nobody else can. Returns 0 or -ENOTCONN.
 */
int quic_conn_export(const struct quic_conn *conn, const char *label, uint8_t *out,
		     size_t len) WEFT_MUST_CHECK;

struct quic_conn_stats {
	uint64_t srtt_ns, rttvar_ns, min_rtt_ns;
	uint64_t jitter_ns; /**< Of the round trip (RFC 3550, 6.4.1). */
	uint64_t cwnd, bytes_in_flight;
	uint64_t datagrams_rx, datagrams_tx;
	uint64_t datagrams_lost; /**< Declared lost by loss detection. */
	uint64_t recent_tx,
		recent_lost; /**< The same in the last half minute to minute. */
	uint64_t drop_queue_full, drop_queue_old, drop_too_long;
	uint64_t migrations;  /**< Path changes that were validated. */
	uint16_t udp_payload; /**< Path's largest UDP payload in bytes now. */
};

struct quic_conn_stats quic_conn_stats(const struct quic_conn *conn);

/** Address of the peer now. */
const union weft_sockaddr *quic_conn_peer(const struct quic_conn *conn);

#endif
