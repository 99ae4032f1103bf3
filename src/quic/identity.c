/* SPDX-License-Identifier: MIT */
/*
 * A relay's own identity: a P-256 key and a certificate signed by itself.
 *
 * Nobody checks such a certificate's name or dates, because clients pin the key. It still
 * carries both, for the eyes of whoever looks at it, and it never expires (RFC 5280,
 * 4.1.2.5): an invitation stays good for as long as the key is kept.
 */
#include "quic/tls.h"

#include <weft/addr.h>

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERIAL_LEN     16u
#define DAY_IN_SECONDS 86400

/* RFC 5280, 4.1.2.2: positive, at most 20 octets. */
static int set_serial(gnutls_x509_crt_t cert)
{
	uint8_t serial[SERIAL_LEN];
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
	if (r < 0)
		return r;
	serial[0] = (uint8_t)((serial[0] & 0x3fu) | 0x40u);
	return gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
}

/* Names the holder: as common name, and as the kind of alternative name that it is. */
static int set_names(gnutls_x509_crt_t cert, const char *name)
{
	int r = gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, name,
					      (unsigned)strlen(name));
	if (r < 0)
		return r;
	struct weft_ip ip;
	if (weft_ip_parse(name, &ip) == 0)
		return gnutls_x509_crt_set_subject_alt_name(
			cert, GNUTLS_SAN_IPADDRESS, ip.octet,
			ip.family == AF_INET ? 4 : 16, GNUTLS_FSAN_SET);
	return gnutls_x509_crt_set_subject_alt_name(
		cert, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
}

static int set_use(gnutls_x509_crt_t cert)
{
	int r = gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r < 0)
		return r;
	r = gnutls_x509_crt_set_key_purpose_oid(cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r < 0)
		return r;
	return gnutls_x509_crt_set_basic_constraints(cert, 0, -1);
}

static int fill_certificate(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key,
			    const char *name, uint64_t unix_time)
{
	int r = gnutls_x509_crt_set_version(cert, 3);
	if (r == 0)
		r = set_serial(cert);
	if (r == 0)
		r = set_names(cert, name);
	if (r == 0)
		r = set_use(cert);
	/* A day of grace for clocks that run behind. */
	if (r == 0)
		r = gnutls_x509_crt_set_activation_time(cert, (time_t)unix_time -
								      DAY_IN_SECONDS);
	if (r == 0)
		r = gnutls_x509_crt_set_expiration_time(
			cert, GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION);
	if (r == 0)
		r = gnutls_x509_crt_set_key(cert, key);
	if (r == 0)
		r = gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
	return r;
}

/* A NUL-terminated copy from malloc; GnuTLS's own copy is wiped and freed. */
static char *take_text(gnutls_datum_t *datum)
{
	char *text = malloc((size_t)datum->size + 1);
	if (text) {
		memcpy(text, datum->data, datum->size);
		text[datum->size] = '\0';
	}
	gnutls_memset(datum->data, 0, datum->size);
	gnutls_free(datum->data);
	return text;
}

static int export_pem(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key,
		      char **ret_cert_pem, char **ret_key_pem)
{
	gnutls_datum_t datum;
	if (gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &datum) < 0)
		return -ENOMEM;
	char *cert_pem = take_text(&datum);
	if (!cert_pem)
		return -ENOMEM;
	if (gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
					      GNUTLS_PKCS_PLAIN, &datum) < 0) {
		free(cert_pem);
		return -ENOMEM;
	}
	char *key_pem = take_text(&datum);
	if (!key_pem) {
		free(cert_pem);
		return -ENOMEM;
	}
	*ret_cert_pem = cert_pem;
	*ret_key_pem = key_pem;
	return 0;
}

int quic_tls_make_identity(const char *common_name, uint64_t unix_time,
			   char **ret_cert_pem, char **ret_key_pem)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;
	if (gnutls_x509_privkey_init(&key) < 0)
		return -ENOMEM;
	if (gnutls_x509_crt_init(&cert) < 0) {
		gnutls_x509_privkey_deinit(key);
		return -ENOMEM;
	}
	int r = gnutls_x509_privkey_generate(
		key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
		0);
	if (r == 0)
		r = fill_certificate(cert, key, common_name, unix_time);
	if (r == 0)
		r = export_pem(cert, key, ret_cert_pem, ret_key_pem);
	else
		r = r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
	return r;
}
