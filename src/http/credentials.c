/* SPDX-License-Identifier: MIT */
/*
 * Files are read, checked and understood here, so that a bad one is told to the user by name
 * when it is named, and not to a peer in the middle of a handshake.
 */
#include "http/credentials.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEY_ID_LEN 32u

/* What GnuTLS says of a file: of the file itself, or of what is in it. */
static int refuse(struct weft_error *err, const char *file, const char *what, int code)
{
	if (code == GNUTLS_E_FILE_ERROR && errno > 0)
		return weft_error_set(err, -errno, "%s: %s", file, strerror(errno));
	return weft_error_set(err, -EINVAL, "%s is not %s in PEM form (%s)", file, what,
			      gnutls_strerror(code));
}

static int load_chain(struct credentials *c, const char *file, struct weft_error *err)
{
	unsigned n = CREDENTIALS_CHAIN_MAX;
	errno = 0;
	int r = gnutls_pcert_list_import_x509_file(c->chain, &n, file,
						   GNUTLS_X509_FMT_PEM, NULL, NULL, 0);
	if (r < 0)
		return refuse(err, file, "a certificate (chain)", r);
	c->chain_len = n;
	return 0;
}

static int load_key(struct credentials *c, const char *file, struct weft_error *err)
{
	gnutls_datum_t text;
	errno = 0;
	int r = gnutls_load_file(file, &text);
	if (r < 0)
		return refuse(err, file, "a private key", r);
	r = gnutls_privkey_import_x509_raw(c->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(text.data, 0, text.size);
	gnutls_free(text.data);
	return r < 0 ? refuse(err, file, "a private key", r) : 0;
}

/* Whether the key is that of the first certificate. */
static bool is_pair(const struct credentials *c)
{
	uint8_t shown[KEY_ID_LEN], own[KEY_ID_LEN];
	size_t shown_len = sizeof(shown), own_len = sizeof(own);
	gnutls_pubkey_t public;
	if (gnutls_pubkey_init(&public) < 0)
		return false;
	bool is = gnutls_pubkey_import_privkey(public, c->key, 0, 0) == 0 &&
		  gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, own,
					   &own_len) == 0 &&
		  gnutls_pubkey_get_key_id(c->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
					   shown, &shown_len) == 0 &&
		  memcmp(own, shown, sizeof(own)) == 0;
	gnutls_pubkey_deinit(public);
	return is;
}

int credentials_load(const char *cert_file, const char *key_file, struct weft_error *err,
		     struct credentials **ret_credentials)
{
	struct credentials *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->users = 1;
	int r = gnutls_privkey_init(&c->key) < 0 ? -ENOMEM : 0;
	if (r == 0)
		r = load_chain(c, cert_file, err);
	if (r == 0)
		r = load_key(c, key_file, err);
	if (r == 0 && !is_pair(c))
		r = weft_error_set(err, -EINVAL, "%s is not the key of %s", key_file,
				   cert_file);
	if (r < 0) {
		credentials_drop(c);
		return r;
	}
	*ret_credentials = c;
	return 0;
}

struct credentials *credentials_use(struct credentials *credentials)
{
	credentials->users++;
	return credentials;
}

void credentials_drop(struct credentials *credentials)
{
	if (!credentials || --credentials->users > 0)
		return;
	for (unsigned i = 0; i < credentials->chain_len; i++)
		gnutls_pcert_deinit(&credentials->chain[i]);
	if (credentials->key)
		gnutls_privkey_deinit(credentials->key);
	free(credentials);
}
