/* SPDX-License-Identifier: MIT */
/*
 * Who a QUIC peer is: TLS 1.3 credentials (GnuTLS).
 *
 * A relay has a key and a certificate: made by itself at its first start and kept, or given
 * as files signed by a CA. A client knows the relay by the SHA-256 of its public key
 * (SubjectPublicKeyInfo, as RFC 7469 pins), which an invitation carries; without a pin it
 * asks the system's CAs and checks the name.
 */
#ifndef QUIC_TLS_H
#define QUIC_TLS_H

#include <weft/error.h>

#include <stdint.h>

#define QUIC_PIN_LEN 32u

struct quic_tls;

/**
 * What is wrong with a peer that is not who it should be: quic_close.code, where its kind is
 * QUIC_CLOSE_IDENTITY. Its reason is then what was shown: of a key, the first letters that it
 * has in an invitation; of a certificate, "relay.example, valid from 2020-01-01 to
 * 2020-02-01, signed by Some CA"; else a sentence.
 */
enum quic_fault {
	QUIC_FAULT_OTHER,
	QUIC_FAULT_KEY,       /**< Not the one that was pinned. */
	QUIC_FAULT_AUTHORITY, /**< Signed by nobody who is trusted here. */
	QUIC_FAULT_EXPIRED,
	QUIC_FAULT_NOT_YET, /**< Valid from a day on that is still to come. */
	QUIC_FAULT_NAME,    /**< For somebody else. */
};

/**
 * Makes a self-signed certificate with a fresh P-256 key, as PEM text for the caller to keep.
 * The texts are allocated; the caller frees them (and wipes the key).
 */
int quic_tls_make_identity(const char *common_name, uint64_t unix_time,
			   char **ret_cert_pem, char **ret_key_pem) WEFT_MUST_CHECK;

/**
 * Server credentials from PEM text. Returns 0, or -Exxx with err naming which of the two is
 * no good, and why (not PEM, key and certificate do not belong together).
 */
int quic_tls_server_new(const char *cert_pem, const char *key_pem, const char *alpn,
			struct weft_error *err,
			struct quic_tls **ret_tls) WEFT_MUST_CHECK;

/**
 * Client credentials: with a pin only that public key is accepted, whatever its certificate
 * says; without (NULL) the chain must lead to ca_file's (NULL: the system's) authorities and
 * carry the server's name.
 */
int quic_tls_client_new(const uint8_t *pin, const char *ca_file, const char *alpn,
			struct weft_error *err,
			struct quic_tls **ret_tls) WEFT_MUST_CHECK;

/** SHA-256 of the server's public key: what an invitation carries. */
void quic_tls_pin(const struct quic_tls *tls, uint8_t ret_pin[QUIC_PIN_LEN]);

/** NULL is allowed. */
void quic_tls_free(struct quic_tls *tls);

#endif
