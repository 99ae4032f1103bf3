/* SPDX-License-Identifier: MIT */
/*
 * The handshake asked one question, whether this is the right peer, and is over. Only now
 * does anybody want to know more, so it is found out here and not on the way: the chain is
 * checked once more, and the certificate that the fault is in is looked for.
 *
 *     root (in the user's file) <--- intermediate <--- leaf        the chain as it is shown:
 *                                         ^              ^         leaf first, without root
 *                     its dates may be at fault     its name, too
 *
 * Where several things are wrong, the one that makes the others meaningless is named: a chain
 * that leads nowhere before a date, a date before a name.
 */
#include "quic/verdict.h"

#include "base/array.h"
#include "base/fmt.h"
#include "quic/credentials.h"
#include "quic/session.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#define CHAIN_MAX 8u

/* Of a name in a certificate, as much as anybody reads; and a day. */
#define NAME_LEN 41u
#define DAY_LEN  sizeof("2020-02-01")

/* So many bytes of a key's hash are told: 12 letters, as they stand in an invitation. */
#define KEY_BYTES 9u
#define KEY_LEN   sizeof("tGoHYMNgc8n1")

struct chain {
	gnutls_x509_crt_t certs[CHAIN_MAX];
	unsigned n;
};

static void chain_read(struct chain *chain, gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &n);
	chain->n = 0;
	for (unsigned i = 0; shown && i < n && i < CHAIN_MAX; i++) {
		gnutls_x509_crt_t *cert = &chain->certs[chain->n];
		if (gnutls_x509_crt_init(cert) < 0)
			return;
		chain->n++;
		if (gnutls_x509_crt_import(*cert, &shown[i], GNUTLS_X509_FMT_DER) < 0)
			return;
	}
}

static void chain_free(struct chain *chain)
{
	for (unsigned i = 0; i < chain->n; i++)
		gnutls_x509_crt_deinit(chain->certs[i]);
}

/* ---- what a certificate says ------------------------------------------------------------- */

static void put_name(char name[NAME_LEN], const char *text)
{
	struct fmt f;
	fmt_init(&f, name, NAME_LEN);
	fmt_add(&f, "%s", text);
}

/* Whom it is for: the name that clients look at (RFC 9525), or else the common name. */
static void subject_of(gnutls_x509_crt_t cert, char name[NAME_LEN])
{
	char text[256] = "";
	size_t len = sizeof(text);
	int r = gnutls_x509_crt_get_subject_alt_name(cert, 0, text, &len, NULL);
	len = sizeof(text);
	if (r != GNUTLS_SAN_DNSNAME)
		r = gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
						  text, &len);
	put_name(name, r >= 0 && text[0] ? text : "nobody");
}

static void issuer_of(gnutls_x509_crt_t cert, char name[NAME_LEN])
{
	char text[256] = "";
	size_t len = sizeof(text);
	if (gnutls_x509_crt_check_issuer(cert, cert)) {
		put_name(name, "itself");
		return;
	}
	int r = gnutls_x509_crt_get_issuer_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0,
						     0, text, &len);
	len = sizeof(text);
	if (r < 0)
		r = gnutls_x509_crt_get_issuer_dn(cert, text, &len);
	put_name(name, r >= 0 && text[0] ? text : "nobody");
}

static void print_day(time_t at, char day[DAY_LEN])
{
	struct tm utc;
	if (!gmtime_r(&at, &utc) || strftime(day, DAY_LEN, "%Y-%m-%d", &utc) == 0)
		memcpy(day, "?", 2);
}

static void describe(gnutls_x509_crt_t cert, struct fmt *f)
{
	const time_t end = gnutls_x509_crt_get_expiration_time(cert);
	char subject[NAME_LEN], issuer[NAME_LEN], first[DAY_LEN], last[DAY_LEN] = "";
	const bool is_endless = end == GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION;
	subject_of(cert, subject);
	issuer_of(cert, issuer);
	print_day(gnutls_x509_crt_get_activation_time(cert), first);
	if (!is_endless)
		print_day(end, last);
	fmt_add(f, "%s, valid from %s %s%s, signed by %s", subject, first,
		is_endless ? "on" : "to ", last, issuer);
}

static void describe_key(gnutls_x509_crt_t cert, struct fmt *f)
{
	uint8_t id[QUIC_PIN_LEN];
	char text[KEY_LEN] = "?";
	size_t len = sizeof(id);
	if (gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, id, &len) == 0)
		(void)sodium_bin2base64(text, sizeof(text), id, KEY_BYTES,
					sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	fmt_add(f, "%s", text);
}

/* ---- what is wrong ----------------------------------------------------------------------- */

/* In the order in which they are named. */
static const struct {
	unsigned status;
	enum quic_fault fault;
} faults[] = {
	{ GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA |
		  GNUTLS_CERT_SIGNATURE_FAILURE,
	  QUIC_FAULT_AUTHORITY },
	{ GNUTLS_CERT_EXPIRED, QUIC_FAULT_EXPIRED },
	{ GNUTLS_CERT_NOT_ACTIVATED, QUIC_FAULT_NOT_YET },
	{ GNUTLS_CERT_UNEXPECTED_OWNER, QUIC_FAULT_NAME },
};

static enum quic_fault fault_of(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (status & faults[i].status)
			return faults[i].fault;
	return QUIC_FAULT_OTHER;
}

/* A certificate that is its own authority has only its dates left to be wrong. */
static bool has_wrong_date(gnutls_x509_crt_t cert)
{
	unsigned status = 0;
	return gnutls_x509_crt_verify(cert, &cert, 1, 0, &status) == 0 &&
	       (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED));
}

/* The certificate that the fault is in; the leaf, where it is none that was shown. */
static gnutls_x509_crt_t culprit(const struct chain *chain, enum quic_fault fault)
{
	bool is_date = fault == QUIC_FAULT_EXPIRED || fault == QUIC_FAULT_NOT_YET;
	for (unsigned i = 0; is_date && i < chain->n; i++)
		if (has_wrong_date(chain->certs[i]))
			return chain->certs[i];
	return chain->certs[0];
}

/* The chain's fault once more; a pinned key can have but one. */
static enum quic_fault judge(const struct tls_session *s)
{
	unsigned status = 0;
	if (s->tls->has_pin)
		return QUIC_FAULT_KEY;
	if (gnutls_certificate_verify_peers3(s->gnutls, s->server_name, &status) < 0)
		return QUIC_FAULT_OTHER;
	return fault_of(status);
}

/* Without a protocol in common nobody looked at the certificate. */
static bool has_alpn(gnutls_session_t session)
{
	gnutls_datum_t alpn;
	return gnutls_alpn_get_selected_protocol(session, &alpn) == 0;
}

enum quic_fault verdict_of(const struct tls_session *s, char *text, size_t len)
{
	enum quic_fault fault = has_alpn(s->gnutls) ? judge(s) : QUIC_FAULT_OTHER;
	struct chain chain;
	struct fmt f;
	fmt_init(&f, text, len);
	chain_read(&chain, s->gnutls);
	if (chain.n == 0)
		fault = QUIC_FAULT_OTHER;
	if (fault == QUIC_FAULT_OTHER)
		fmt_add(&f, "%s", s->why);
	else if (fault == QUIC_FAULT_KEY)
		describe_key(chain.certs[0], &f);
	else
		describe(culprit(&chain, fault), &f);
	chain_free(&chain);
	return fault;
}
