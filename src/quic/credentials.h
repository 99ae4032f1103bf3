/* SPDX-License-Identifier: MIT */
/*
 * The inside of struct quic_tls: what every connection of an endpoint shares.
 */
#ifndef QUIC_CREDENTIALS_H
#define QUIC_CREDENTIALS_H

#include "quic/tls.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUIC_ALPN_LEN_MAX 32u

struct quic_tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	/** The one protocol that is spoken (RFC 7301). */
	uint8_t alpn[QUIC_ALPN_LEN_MAX];
	size_t alpn_len;
	uint8_t pin[QUIC_PIN_LEN]; /**< Server: its own. Client: the expected one. */
	bool is_server;
	bool has_pin;
};

#endif
