/* SPDX-License-Identifier: MIT */
/*
 * Credentials are read, checked and understood once, here, so that a bad file is told to the
 * user at start and by name, and not to a peer in the middle of a handshake.
 *
 * Cipher order: AES-128-GCM first. With AES instructions it costs a tenth of ChaCha20 in
 * GnuTLS, and QUIC spends most of its time in it.
 */
#include "quic/tls.h"

#include "quic/credentials.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

/* TLS 1.3 without the middlebox compatibility mode, which QUIC forbids (RFC 9001, 8.4). */
#define PRIORITY                                                      \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:"                              \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"   \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:" \
	"%DISABLE_TLS13_COMPAT_MODE"

/* Longest chain that a server may present in a file. */
#define CHAIN_MAX 16u

/* A PEM text and what to call it in an error. */
struct pem {
	gnutls_datum_t text;
	const char *name;
};

static int errno_of(int gnutls_code)
{
	return gnutls_code == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;
}

/* The parts that a server and a client have in common. */
static int tls_new(const char *alpn, bool is_server, struct quic_tls **ret_tls)
{
	size_t alpn_len = strlen(alpn);
	if (alpn_len == 0 || alpn_len > QUIC_ALPN_LEN_MAX)
		return -EINVAL;
	struct quic_tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return -ENOMEM;
	tls->is_server = is_server;
	tls->alpn_len = alpn_len;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, not a string. */
	memcpy(tls->alpn, alpn, alpn_len);
	int r = gnutls_priority_init(&tls->priority, PRIORITY, NULL);
	if (r == GNUTLS_E_SUCCESS)
		r = gnutls_certificate_allocate_credentials(&tls->credentials);
	if (r != GNUTLS_E_SUCCESS) {
		quic_tls_free(tls);
		return errno_of(r);
	}
	*ret_tls = tls;
	return 0;
}

void quic_tls_free(struct quic_tls *tls)
{
	if (!tls)
		return;
	if (tls->credentials)
		gnutls_certificate_free_credentials(tls->credentials);
	if (tls->priority)
		gnutls_priority_deinit(tls->priority);
	free(tls);
}

static void free_chain(gnutls_x509_crt_t *chain, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
}

/* Sets tls->pin to the SHA-256 of the first certificate's SubjectPublicKeyInfo. */
static int set_pin(struct quic_tls *tls, gnutls_x509_crt_t leaf)
{
	size_t len = sizeof(tls->pin);
	int r = gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, tls->pin, &len);
	tls->has_pin = r == GNUTLS_E_SUCCESS && len == sizeof(tls->pin);
	return tls->has_pin ? 0 : -EINVAL;
}

/* Hands the chain and the key to the credentials, which copy them. */
static int set_key(struct quic_tls *tls, gnutls_x509_crt_t *chain, unsigned n,
		   const struct pem *key, struct weft_error *err)
{
	gnutls_x509_privkey_t private;
	int r = gnutls_x509_privkey_init(&private);
	if (r != GNUTLS_E_SUCCESS)
		return errno_of(r);
	r = gnutls_x509_privkey_import2(private, &key->text, GNUTLS_X509_FMT_PEM, NULL,
					0);
	if (r != GNUTLS_E_SUCCESS) {
		r = weft_error_set(err, errno_of(r),
				   "%s is not a private key in PEM form (%s)", key->name,
				   gnutls_strerror(r));
	} else {
		r = gnutls_certificate_set_x509_key(tls->credentials, chain, (int)n,
						    private);
		if (r < 0)
			r = weft_error_set(err, errno_of(r),
					   "%s does not belong to the certificate (%s)",
					   key->name, gnutls_strerror(r));
	}
	gnutls_x509_privkey_deinit(private);
	return r < 0 ? r : 0;
}

static int set_identity(struct quic_tls *tls, const struct pem *cert,
			const struct pem *key, struct weft_error *err)
{
	gnutls_x509_crt_t chain[CHAIN_MAX];
	unsigned n = CHAIN_MAX;
	int r = gnutls_x509_crt_list_import(chain, &n, &cert->text, GNUTLS_X509_FMT_PEM,
					    GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (r < 0)
		return weft_error_set(err, errno_of(r),
				      "%s is not a certificate (chain) in PEM form (%s)",
				      cert->name, gnutls_strerror(r));
	r = set_pin(tls, chain[0]);
	if (r == 0)
		r = set_key(tls, chain, n, key, err);
	free_chain(chain, n);
	return r;
}

static gnutls_datum_t text_datum(const char *text)
{
	/* GnuTLS has no const in its datum, and does not write to what it imports. */
	union {
		const char *in;
		unsigned char *out;
	} cast = { .in = text };
	return (gnutls_datum_t){ .data = cast.out, .size = (unsigned)strlen(text) };
}

int quic_tls_server_new(const char *cert_pem, const char *key_pem, const char *alpn,
			struct weft_error *err, struct quic_tls **ret_tls)
{
	const struct pem cert = { text_datum(cert_pem), "the certificate" };
	const struct pem key = { text_datum(key_pem), "the key" };
	struct quic_tls *tls;
	int r = tls_new(alpn, true, &tls);
	if (r < 0)
		return weft_error_set(err, r, "TLS cannot be set up: %s", strerror(-r));
	r = set_identity(tls, &cert, &key, err);
	if (r < 0) {
		quic_tls_free(tls);
		return r;
	}
	*ret_tls = tls;
	return 0;
}

static int load_file(struct pem *pem, struct weft_error *err)
{
	errno = 0;
	int r = gnutls_load_file(pem->name, &pem->text);
	if (r == GNUTLS_E_SUCCESS)
		return 0;
	int code = errno > 0 ? -errno : -EIO;
	return weft_error_set(err, code, "cannot read %s: %s", pem->name,
			      strerror(-code));
}

/* Loads the authorities that a server's chain must lead to. */
static int set_trust(struct quic_tls *tls, const char *ca_file, struct weft_error *err)
{
	int r;
	if (!ca_file) {
		r = gnutls_certificate_set_x509_system_trust(tls->credentials);
		if (r <= 0)
			return weft_error_set(
				err, -ENOENT,
				"this system has no certificate authorities; "
				"install ca-certificates or pin the key");
		return 0;
	}
	struct pem ca = { .name = ca_file };
	r = load_file(&ca, err);
	if (r < 0)
		return r;
	r = gnutls_certificate_set_x509_trust_mem(tls->credentials, &ca.text,
						  GNUTLS_X509_FMT_PEM);
	gnutls_free(ca.text.data);
	if (r <= 0)
		return weft_error_set(err, -EINVAL, "%s holds no certificate in PEM form",
				      ca_file);
	return 0;
}

int quic_tls_client_new(const uint8_t *pin, const char *ca_file, const char *alpn,
			struct weft_error *err, struct quic_tls **ret_tls)
{
	struct quic_tls *tls;
	int r = tls_new(alpn, false, &tls);
	if (r < 0)
		return weft_error_set(err, r, "TLS cannot be set up: %s", strerror(-r));
	if (pin) {
		memcpy(tls->pin, pin, sizeof(tls->pin));
		tls->has_pin = true;
	} else {
		r = set_trust(tls, ca_file, err);
	}
	if (r < 0) {
		quic_tls_free(tls);
		return r;
	}
	*ret_tls = tls;
	return 0;
}

void quic_tls_pin(const struct quic_tls *tls, uint8_t ret_pin[QUIC_PIN_LEN])
{
	memcpy(ret_pin, tls->pin, QUIC_PIN_LEN);
}
