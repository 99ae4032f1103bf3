/* SPDX-License-Identifier: MIT */
/*
 * The one place that knows which ngtcp2 this is: 0.12 (Debian 12) or 1.x (Debian 13). The
 * rest of quic/ uses only what both have under one name, and these few functions.
 */
#ifndef QUIC_COMPAT_H
#define QUIC_COMPAT_H

#include "quic/quic.h"

#include <ngtcp2/ngtcp2.h>
#include <stddef.h>
#include <stdint.h>

/** What a token in an Initial is for (RFC 9000, 8.1). */
enum compat_token_kind {
	COMPAT_TOKEN_RETRY, /**< An answer to a Retry. */
	COMPAT_TOKEN_NEW,   /**< From an earlier connection. */
};

/** Most bytes of a Retry token. */
#define COMPAT_RETRY_TOKEN_LEN_MAX 256u

/** Chooses the congestion control algorithm: BBR means version 2 of it in both. */
void compat_set_cc(ngtcp2_settings *settings, enum quic_cc cc);

/**
 * The token of an Initial: a client's that it is to send, or a server's that came and is right.
 * Borrowed until conn_*_new.
 */
void compat_set_token(ngtcp2_settings *settings, const uint8_t *token, size_t len,
		      enum compat_token_kind kind);

/**
 * Says which sizes path MTU discovery tries, up to settings->max_tx_udp_payload_size, which
 * has been set. probes is room for COMPAT_PROBES_MAX that lives until conn_*_new. Returns
 * the largest one that will be tried, in bytes of UDP payload.
 */
size_t compat_set_probes(ngtcp2_settings *settings, uint16_t *probes);
#define COMPAT_PROBES_MAX 8u

/** Server: the Destination Connection ID of the client's first Initial. */
void compat_set_original_dcid(ngtcp2_transport_params *params, const ngtcp2_cid *odcid);

/** The token in an Initial's header; *ret_len is 0 without one. */
const uint8_t *compat_token(const ngtcp2_pkt_hd *hd, size_t *ret_len);

/** Whether a token was made for a Retry by compat_make_retry_token. */
bool compat_is_retry_token(const ngtcp2_pkt_hd *hd);

/** What binds a Retry token: who asked, and what he was answered. */
struct compat_retry {
	const uint8_t *secret; /**< 32 bytes. */
	uint32_t version;
	const union weft_sockaddr *peer;
	const ngtcp2_cid *retry_scid; /**< The id that the Retry gives to the server. */
	uint64_t now;
};

/** Writes a token for original id odcid. Returns its length or -EINVAL. */
int compat_make_retry_token(const struct compat_retry *retry, const ngtcp2_cid *odcid,
			    uint8_t ret_token[COMPAT_RETRY_TOKEN_LEN_MAX]);

/** Checks the token of an Initial. Returns 0 and the original id, or -EINVAL. */
int compat_check_retry_token(const struct compat_retry *retry, const ngtcp2_pkt_hd *hd,
			     ngtcp2_cid *ret_odcid);

/** Most bytes of a token for later. */
#define COMPAT_TOKEN_LEN_MAX 64u

/**
 * Gives the client a token by which it is believed, for a day, to be at its address, whatever the
 * port. Without memory it gets none.
 */
void compat_give_token(ngtcp2_conn *conn, const uint8_t secret[32],
		       const union weft_sockaddr *peer, uint64_t now);

/** Whether an Initial has such a token, of this peer's and not too old. */
bool compat_has_token(const ngtcp2_pkt_hd *hd, const uint8_t secret[32],
		      const union weft_sockaddr *peer, uint64_t now);

/** The recv_new_token callback. Calls conn_on_token. */
#if NGTCP2_VERSION_NUM >= 0x010000
int compat_on_token(ngtcp2_conn *ng, const uint8_t *token, size_t len, void *user_data);
#else
int compat_on_token(ngtcp2_conn *ng, const ngtcp2_vec *token, void *user_data);
#endif

/**
 * How a server sees the addresses of a client. 0.12 ends the process (by two assertions in
 * ngtcp2_conn.c) and 1.11 the connection, or it stays silent on the new path until that has
 * been validated,
 *
 *   - when a client comes back to an address that is still kept to fall back to, while path
 *     MTU discovery runs on the one it leaves (discovery is started twice);
 *   - when after a rebinding (RFC 9000, 9.3: another address, the same connection id) a change
 *     takes a new id (the old one is retired twice).
 *
 * So no address is ever shown twice: each change of path gets a number, which ngtcp2 sees in
 * the place of the port, while the true one travels in a field that it carries along and
 * does not look at. And after a rebinding a server stays with the id of the peer that it has:
 * what could make it take another one is shown as if it came from the path in use. That is
 * the first packet with an id of ours that is new, and what may hold a PATH_CHALLENGE, which
 * comes in no less than 1,200 bytes (8.2.1); the next small packet changes the path. All zero
 * at the start.
 */
struct compat_paths {
	uint16_t count;  /**< Of the changes: the number of the latest path. */
	bool is_rebound; /**< There has been a rebinding ... */
	bool has_moved;  /**< ... and the client has used another id since. */
	ngtcp2_cid id;   /**< Ours that it used last on a new path. */
};

/** An address as ngtcp2 is to see it: the client's first one, for ngtcp2_conn_server_new. */
void compat_path_hide(union weft_sockaddr *remote);

/** Puts the true address into a path that came from ngtcp2; any other path stays. */
void compat_path_reveal(ngtcp2_path *path);

/** The peer's true address on the path in use. */
union weft_sockaddr compat_path_peer(ngtcp2_conn *conn);

/** A packet and how it came. */
struct compat_packet {
	const ngtcp2_path *path;
	ngtcp2_pkt_info info;
	const uint8_t *data;
	size_t len;
	uint64_t now;
};

/**
 * Server: reads a packet, from whatever path. Returns as ngtcp2_conn_read_pkt, besides
 * NGTCP2_ERR_NO_VIABLE_PATH after 65,535 changes of path.
 */
int compat_server_read(struct compat_paths *paths, ngtcp2_conn *conn,
		       const struct compat_packet *packet);

/** What happens to an id of the peer. */
#if NGTCP2_VERSION_NUM >= 0x010000
typedef ngtcp2_connection_id_status_type compat_id_status;
#else
typedef int compat_id_status;
#endif

/** The dcid_status callback: the last resort against the second of these assertions. */
int compat_on_dcid_status(ngtcp2_conn *ng, compat_id_status type, uint64_t seq,
			  const ngtcp2_cid *cid, const uint8_t *token, void *user_data);

/**
 * Whether packets with nothing but DATAGRAMs leave this ngtcp2 without a probe time-out (0.12
 * does, against RFC 9002, 6.2.1), so that write.c has to see to it: see is_probe_due.
 */
#define COMPAT_NEEDS_TAIL_PROBE (NGTCP2_VERSION_NUM < 0x010000)

/**
 * True while the congestion window is full and no timer will ever look after what fills it:
 * the same defect of 0.12, where a tail probe was lost, is to be sent again, and has to wait
 * for room behind DATAGRAMs that were lost as well. Never true in 1.x.
 */
bool compat_is_stuck(ngtcp2_conn *conn);

/**
 * Sets when a silent connection sends a PING. 0.12 does not repeat one that was lost: as long
 * as something is out that no timer looks after, the next follows much earlier than period.
 * To be called after writing.
 */
void compat_set_keep_alive(ngtcp2_conn *conn, uint64_t period_ns);

/** How far a handshake's keys have got (RFC 9001, 4.1.4). */
#if NGTCP2_VERSION_NUM >= 0x010000
typedef ngtcp2_encryption_level compat_level;
#else
typedef ngtcp2_crypto_level compat_level;
#endif

/** The path_validation callback, which is told more in 1.x. Calls conn_on_path_validated. */
#if NGTCP2_VERSION_NUM >= 0x010000
int compat_on_path_validated(ngtcp2_conn *ng, uint32_t flags, const ngtcp2_path *path,
			     const ngtcp2_path *fallback_path,
			     ngtcp2_path_validation_result result, void *user_data);
#else
int compat_on_path_validated(ngtcp2_conn *ng, uint32_t flags, const ngtcp2_path *path,
			     ngtcp2_path_validation_result result, void *user_data);
#endif

/** What a CONNECTION_CLOSE frame says. */
struct compat_close {
	bool is_application;
	uint64_t code;
	const uint8_t *reason; /**< Bytes, not a string; NULL for none. */
	size_t reason_len;
};

/** The transport error that belongs to a library error. */
struct compat_close compat_close_of(ngtcp2_conn *conn, int liberr);

/** The frame that the peer has sent. */
struct compat_close compat_close_received(ngtcp2_conn *conn);

/** Writes a packet with the frame; path is a true one. Returns its length, 0 or an error. */
ngtcp2_ssize compat_write_close(ngtcp2_conn *conn, ngtcp2_path *path, uint8_t *buf,
				size_t len, const struct compat_close *close,
				uint64_t now);

/** Whether compat_open_pacer has a way. */
#define COMPAT_PACER_OPENS (NGTCP2_VERSION_NUM < 0x010000)

/**
 * Has the pacer, which would hold back until then, hold back nothing until it is told again. False
 * where another timer comes first. 1.x never does: its clock may not be set back.
 */
bool compat_open_pacer(ngtcp2_conn *conn, uint64_t until);

/**
 * Tells the pacer that so many bytes have been sent, all since it was last told: it holds back
 * from then on. Returns until when, or 0 where that does not come out.
 */
uint64_t compat_tell_pacer(ngtcp2_conn *conn, size_t len, uint64_t from);

/** The latest and the smoothed round trip; 0 while the path has none. */
void compat_trips(ngtcp2_conn *conn, uint64_t *ret_latest_ns, uint64_t *ret_smoothed_ns);

/** Fills in what the library counts. */
void compat_stats(ngtcp2_conn *conn, struct quic_conn_stats *stats);

#endif
