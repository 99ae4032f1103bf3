/* SPDX-License-Identifier: MIT */
/*
 * Whether a peer is who it should be is decided in the verify callback, in the middle of the
 * handshake: the connection never becomes established with the wrong one. Possession of the
 * key itself is proved to GnuTLS by CertificateVerify (RFC 8446, 4.4.3), so that comparing
 * the public key's hash is all that pinning needs.
 *
 * No session tickets: they would buy a round trip at reconnection, and cost the server state
 * and the client a pin that is checked only the first time.
 */
#include "quic/session.h"

#include "base/container.h"
#include "base/fmt.h"
#include "quic/credentials.h"

#include <weft/addr.h>

#include <assert.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/*
 * RFC 8446, 7.5. One secret is taken at the end of the handshake, and what users ask for is
 * derived from it by keyed BLAKE2b, so that the session (a quarter of an idle connection's
 * memory) need not be kept for a question that may never come.
 */
#define EXPORTER_LABEL "EXPORTER-weft"

static int refuse(struct tls_session *s, const char *why)
{
	struct fmt f;
	fmt_init(&f, s->why, sizeof(s->why));
	fmt_add(&f, "%s", why);
	s->is_refused = true;
	return GNUTLS_E_CERTIFICATE_ERROR;
}

static int check_pin(struct tls_session *s)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->gnutls, &n);
	if (!chain || n == 0)
		return refuse(s, "the peer has shown no certificate");
	gnutls_x509_crt_t leaf;
	if (gnutls_x509_crt_init(&leaf) < 0)
		return GNUTLS_E_MEMORY_ERROR;
	uint8_t id[QUIC_PIN_LEN];
	size_t len = sizeof(id);
	int r = gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER);
	if (r == 0)
		r = gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, id, &len);
	gnutls_x509_crt_deinit(leaf);
	if (r < 0 || len != sizeof(id))
		return refuse(s, "the peer's certificate cannot be read");
	if (sodium_memcmp(id, s->tls->pin, sizeof(id)) != 0)
		return refuse(s, "the peer's key is not the one that was expected");
	return 0;
}

static int check_chain(struct tls_session *s)
{
	unsigned status = 0;
	int r = gnutls_certificate_verify_peers3(s->gnutls, s->server_name, &status);
	if (r < 0)
		return refuse(s, "the peer's certificate cannot be checked");
	if (status == 0)
		return 0;
	gnutls_datum_t text = { 0 };
	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text,
							 0) < 0)
		return refuse(s, "the peer's certificate is not trusted");
	r = refuse(s, (const char *)text.data);
	gnutls_free(text.data);
	return r;
}

/* RFC 9001, 8.1: both sides must agree on a protocol. */
static int check_alpn(struct tls_session *s)
{
	gnutls_datum_t alpn;
	if (gnutls_alpn_get_selected_protocol(s->gnutls, &alpn) < 0)
		return refuse(s, "the peer speaks another protocol");
	return 0;
}

static int on_verify(gnutls_session_t gnutls)
{
	ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(gnutls);
	struct tls_session *s = container_of(ref, struct tls_session, ref);
	int r = check_alpn(s);
	if (r < 0)
		return r;
	return s->tls->has_pin ? check_pin(s) : check_chain(s);
}

static int set_alpn(struct tls_session *s)
{
	uint8_t text[QUIC_ALPN_LEN_MAX];
	gnutls_datum_t alpn = { .data = text, .size = (unsigned)s->tls->alpn_len };
	memcpy(text, s->tls->alpn, s->tls->alpn_len);
	return gnutls_alpn_set_protocols(s->gnutls, &alpn, 1, GNUTLS_ALPN_MANDATORY);
}

static int init_server(struct tls_session *s)
{
	return ngtcp2_crypto_gnutls_configure_server_session(s->gnutls) == 0 ? 0
									     : -EINVAL;
}

/* RFC 6066, 3: a literal address is not a name and is not sent as one. */
static int init_client(struct tls_session *s, const char *server_name)
{
	if (ngtcp2_crypto_gnutls_configure_client_session(s->gnutls) != 0)
		return -EINVAL;
	gnutls_session_set_verify_function(s->gnutls, on_verify);
	if (!server_name)
		return s->tls->has_pin ? 0 : -EINVAL;
	struct weft_ip ip;
	if (weft_ip_parse(server_name, &ip) < 0 &&
	    gnutls_server_name_set(s->gnutls, GNUTLS_NAME_DNS, server_name,
				   strlen(server_name)) < 0)
		return -EINVAL;
	if (s->tls->has_pin)
		return 0;
	s->server_name = strdup(server_name);
	return s->server_name ? 0 : -ENOMEM;
}

static int init_common(struct tls_session *s)
{
	gnutls_session_set_ptr(s->gnutls, &s->ref);
	if (gnutls_priority_set(s->gnutls, s->tls->priority) < 0 ||
	    gnutls_credentials_set(s->gnutls, GNUTLS_CRD_CERTIFICATE,
				   s->tls->credentials) < 0 ||
	    set_alpn(s) < 0)
		return -EINVAL;
	return 0;
}

int tls_session_init(struct tls_session *s, const struct quic_tls *tls,
		     const char *server_name)
{
	const unsigned flags = GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_TICKETS;
	s->tls = tls;
	int r = gnutls_init(&s->gnutls,
			    flags | (tls->is_server ? GNUTLS_SERVER : GNUTLS_CLIENT));
	if (r < 0)
		return -ENOMEM;
	r = init_common(s);
	if (r == 0)
		r = tls->is_server ? init_server(s) : init_client(s, server_name);
	if (r < 0)
		tls_session_fini(s);
	return r;
}

void tls_session_fini(struct tls_session *s)
{
	tls_session_release(s);
	sodium_memzero(s->exporter, sizeof(s->exporter));
}

void tls_session_release(struct tls_session *s)
{
	if (s->gnutls)
		gnutls_deinit(s->gnutls);
	s->gnutls = NULL;
	free(s->server_name);
	s->server_name = NULL;
}

int tls_session_complete(struct tls_session *s)
{
	int r = gnutls_prf_rfc5705(s->gnutls, strlen(EXPORTER_LABEL), EXPORTER_LABEL, 0,
				   NULL, sizeof(s->exporter), (char *)s->exporter);
	return r == 0 ? 0 : -EINVAL;
}

void tls_session_export(const struct tls_session *s, const char *label, uint8_t *out,
			size_t len)
{
	assert(len >= crypto_generichash_BYTES_MIN &&
	       len <= crypto_generichash_BYTES_MAX);
	crypto_generichash(out, len, (const uint8_t *)label, strlen(label), s->exporter,
			   sizeof(s->exporter));
}
