/* SPDX-License-Identifier: MIT */
/*
 * The TLS handshake of one connection (RFC 9001): a GnuTLS session that ngtcp2's crypto
 * helper feeds with CRYPTO frames and takes keys from.
 */
#ifndef QUIC_SESSION_H
#define QUIC_SESSION_H

#include <weft/frame.h>

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quic_tls;

#define TLS_EXPORTER_LEN 32u

/** Embedded in a connection; must not move, because GnuTLS points at it. */
struct tls_session {
	ngtcp2_crypto_conn_ref ref; /**< How the helper finds the ngtcp2_conn. */
	gnutls_session_t gnutls;    /**< NULL before init and after fini. */
	const struct quic_tls *tls;
	char *server_name; /**< Client: whom it wants to talk to. NULL when a key is pinned. */
	bool is_refused; /**< The peer is not who it should be; why says so. */
	char why[100];
	uint8_t exporter[TLS_EXPORTER_LEN]; /**< Secret of tls_session_export. */
};

/**
 * Sets up a session; s->ref has been filled in. server_name may be NULL for a server
 * and where a key is pinned. Returns 0, -ENOMEM or -EINVAL.
 */
int tls_session_init(struct tls_session *s, const struct quic_tls *tls,
		     const char *server_name) WEFT_MUST_CHECK;

/** Frees what init has taken and wipes it; harmless on zeroed memory and twice. */
void tls_session_fini(struct tls_session *s);

/** The handshake is complete: keeps what export needs. Returns 0 or -EINVAL. */
int tls_session_complete(struct tls_session *s) WEFT_MUST_CHECK;

/** Frees the session of a complete handshake. What is left can still export. */
void tls_session_release(struct tls_session *s);

/** len bytes (at most 64) that belong to this session and label. */
void tls_session_export(const struct tls_session *s, const char *label, uint8_t *out,
			size_t len);

#endif
