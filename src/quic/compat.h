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

/** Most bytes of a Retry token. */
#define COMPAT_RETRY_TOKEN_LEN_MAX 256u

/** Chooses the congestion control algorithm: BBR means version 2 of it in both. */
void compat_set_cc(ngtcp2_settings *settings, enum quic_cc cc);

/** A validated token that came with a client's Initial; borrowed until conn_server_new. */
void compat_set_token(ngtcp2_settings *settings, const ngtcp2_pkt_hd *hd);

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

/**
 * ngtcp2 0.12 ends the process when a client's address changes in the wrong rhythm, while the
 * path of the change before is still being validated. After a rebinding (same connection id)
 * a change that takes a new id retires the old one twice; a return to the address before
 * starts path MTU discovery twice; both are assertions. So for as long as validation may take
 * a server reads no packets from third addresses after a rebinding, and none from the
 * addresses before after any change. All zero at the start; of no effect in 1.x.
 */
struct compat_path_guard {
	uint64_t third_until; /**< Closed to third addresses until then, in ns ... */
	uint64_t back_until;  /**< ... and to those before the change. */
	ngtcp2_cid dcid;      /**< The peer's id in use ... */
	/** ... the path, the one before, and the one when the guard was last open. */
	ngtcp2_path_storage path, previous, open;
};

/** Whether a packet from path may be read now. */
bool compat_path_may_read(const struct compat_path_guard *guard, ngtcp2_conn *conn,
			  const ngtcp2_path *path, uint64_t now);

/** To be called after reading: sees whether the path has changed. */
void compat_path_watch(struct compat_path_guard *guard, ngtcp2_conn *conn, uint64_t now);

/** A validation has ended, and another may follow: a guard that is closed stays so longer. */
void compat_path_validated(struct compat_path_guard *guard, ngtcp2_conn *conn,
			   uint64_t now);

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

/** Writes a packet with the frame. Returns its length, 0 or a library error. */
ngtcp2_ssize compat_write_close(ngtcp2_conn *conn, ngtcp2_path *path, uint8_t *buf,
				size_t len, const struct compat_close *close,
				uint64_t now);

/** Fills in what the library counts. */
void compat_stats(ngtcp2_conn *conn, struct quic_conn_stats *stats);

#endif
