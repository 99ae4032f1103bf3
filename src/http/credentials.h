/* SPDX-License-Identifier: MIT */
/*
 * A server's certificate chain and key, in GnuTLS's form. It is shared by the server and all
 * connections that have been shown it, so that a new one can take its place at any time: the
 * last of them frees it.
 */
#ifndef HTTP_CREDENTIALS_H
#define HTTP_CREDENTIALS_H

#include <weft/error.h>

#include <gnutls/abstract.h>

/** Longest chain that a file may hold. */
#define CREDENTIALS_CHAIN_MAX 16u

struct credentials {
	unsigned users;
	unsigned chain_len;
	gnutls_pcert_st chain[CREDENTIALS_CHAIN_MAX];
	gnutls_privkey_t key;
};

/** Reads two PEM files; one user has it then. Returns 0, or -Exxx with err. */
int credentials_load(const char *cert_file, const char *key_file, struct weft_error *err,
		     struct credentials **ret_credentials) WEFT_MUST_CHECK;

/** One more user. Returns credentials. */
struct credentials *credentials_use(struct credentials *credentials);

/** One user less. NULL is allowed. */
void credentials_drop(struct credentials *credentials);

#endif
