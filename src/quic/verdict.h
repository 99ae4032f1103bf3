/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with the peer of a handshake that was refused, for a person to read.
 */
#ifndef QUIC_VERDICT_H
#define QUIC_VERDICT_H

#include "quic/tls.h"

#include <stddef.h>

struct tls_session;

/**
 * Finds the fault of a client's session that is_refused, and fills text with what was shown,
 * as quic/tls.h says it for each fault. What the peer wrote into its certificate is copied as
 * it is: control characters are still in it.
 */
enum quic_fault verdict_of(const struct tls_session *s, char *text, size_t len);

#endif
