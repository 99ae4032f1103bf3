/* SPDX-License-Identifier: MIT */
/*
 * Who is believed to be whom: pinned keys, chains to an authority, names; and what a user is
 * told about files that are no good.
 */
#include "quic/tls.h"

#include "../unit.h"
#include "quic/world.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- a small authority ------------------------------------------------------------------- */

struct authority {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;
	char file[40];
};

static char *to_text(gnutls_datum_t *datum)
{
	char *text = strndup((const char *)datum->data, datum->size);
	gnutls_free(datum->data);
	assert_non_null(text);
	return text;
}

static char *cert_text(gnutls_x509_crt_t cert)
{
	gnutls_datum_t out;
	assert_int_equal(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &out), 0);
	return to_text(&out);
}

static char *key_text(gnutls_x509_privkey_t key)
{
	gnutls_datum_t out;
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &out), 0);
	return to_text(&out);
}

static gnutls_x509_privkey_t make_key(void)
{
	gnutls_x509_privkey_t key;
	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(
				 key, GNUTLS_PK_ECDSA,
				 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
			 0);
	return key;
}

/* What a certificate is to say; the days count from today, 0 and 0 for around it. */
struct terms {
	const char *name;
	int first_day, last_day;
	bool is_ca;
};

static time_t day(int days)
{
	return time(NULL) + (time_t)days * 86400;
}

static gnutls_x509_crt_t make_cert(gnutls_x509_privkey_t key, const struct terms *terms)
{
	const char *name = terms->name;
	bool is_ca = terms->is_ca;
	bool is_dated = terms->first_day || terms->last_day;
	gnutls_x509_crt_t cert;
	assert_int_equal(gnutls_x509_crt_init(&cert), 0);
	assert_int_equal(gnutls_x509_crt_set_version(cert, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(cert, "\1\2\3\4", 4), 0);
	assert_int_equal(gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME,
						       0, name, (unsigned)strlen(name)),
			 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(
				 cert, day(is_dated ? terms->first_day : -1)),
			 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(
				 cert, day(is_dated ? terms->last_day : 1)),
			 0);
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(cert, is_ca, -1), 0);
	assert_int_equal(
		gnutls_x509_crt_set_key_usage(cert, is_ca ? GNUTLS_KEY_KEY_CERT_SIGN
							  : GNUTLS_KEY_DIGITAL_SIGNATURE),
		0);
	/* What is no host's name stays the common name alone. */
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz.-")] == '\0')
		assert_int_equal(gnutls_x509_crt_set_subject_alt_name(
					 cert, GNUTLS_SAN_DNSNAME, name,
					 (unsigned)strlen(name), GNUTLS_FSAN_SET),
				 0);
	assert_int_equal(gnutls_x509_crt_set_key(cert, key), 0);
	return cert;
}

/* Writes a text to a new file under /tmp. */
static void write_file(char file[40], const char *text)
{
	strcpy(file, "/tmp/weft-test-tls-XXXXXX");
	int fd = mkstemp(file);
	assert_true(fd >= 0);
	FILE *out = fdopen(fd, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void authority_init(struct authority *ca, const char *name)
{
	ca->key = make_key();
	ca->cert = make_cert(ca->key, &(struct terms){ .name = name, .is_ca = true });
	assert_int_equal(
		gnutls_x509_crt_sign2(ca->cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0),
		0);
	char *text = cert_text(ca->cert);
	write_file(ca->file, text);
	free(text);
}

static void authority_fini(struct authority *ca)
{
	unlink(ca->file);
	gnutls_x509_crt_deinit(ca->cert);
	gnutls_x509_privkey_deinit(ca->key);
}

static void issue(const struct authority *ca, const struct terms *terms, char **ret_cert,
		  char **ret_key)
{
	gnutls_x509_privkey_t key = make_key();
	gnutls_x509_crt_t cert = make_cert(key, terms);
	assert_int_equal(
		gnutls_x509_crt_sign2(cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0), 0);
	*ret_cert = cert_text(cert);
	*ret_key = key_text(key);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
}

/* ---- who is let in ----------------------------------------------------------------------- */

static void a_wrong_pin_is_refused(void **state)
{
	(void)state;
	struct world w;
	uint8_t pin[QUIC_PIN_LEN] = { 1, 2, 3 };
	struct weft_error err;
	world_init(&w, 1);
	quic_tls_free(w.client_tls);
	assert_int_equal(quic_tls_client_new(pin, NULL, WORLD_ALPN, &err, &w.client_tls),
			 0);
	world_start(&w);
	world_connect(&w);
	world_run(&w, 1000);
	assert_int_equal(w.client.established + w.server.established, 0);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_IDENTITY);
	assert_int_equal(w.client.why.code, QUIC_FAULT_KEY);
	/* What its invitations begin with. */
	uint8_t shown[QUIC_PIN_LEN];
	char text[13];
	quic_tls_pin(w.server_tls, shown);
	sodium_bin2base64(text, sizeof(text), shown, 9,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	assert_string_equal(w.client.why.reason, text);
	/* The server has never been told of it. */
	assert_int_equal(w.server.closed, 0);
	world_fini(&w);
}

static void another_protocol_is_refused(void **state)
{
	(void)state;
	struct world w;
	uint8_t pin[QUIC_PIN_LEN];
	struct weft_error err;
	world_init(&w, 1);
	quic_tls_pin(w.server_tls, pin);
	quic_tls_free(w.client_tls);
	assert_int_equal(quic_tls_client_new(pin, NULL, "h3", &err, &w.client_tls), 0);
	world_start(&w);
	world_connect(&w);
	world_run(&w, 1000);
	assert_int_equal(w.client.established + w.server.established, 0);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.why.kind, QUIC_CLOSE_TRANSPORT);
	/* TLS alert no_application_protocol. */
	assert_int_equal(w.client.why.code, 0x100 + 120);
	assert_true(w.client.why.reason[0] != '\0');
	world_fini(&w);
}

/* Connects to a server with this identity, trusting ca_file alone and asking for name. */
static struct side connect_to(const char *cert, const char *key, const char *ca_file,
			      const char *name)
{
	struct world w;
	struct weft_error err;
	world_init(&w, 1);
	quic_tls_free(w.client_tls);
	quic_tls_free(w.server_tls);
	assert_int_equal(quic_tls_server_new(cert, key, WORLD_ALPN, &err, &w.server_tls),
			 0);
	assert_int_equal(
		quic_tls_client_new(NULL, ca_file, WORLD_ALPN, &err, &w.client_tls), 0);
	world_start(&w);
	assert_int_equal(quic_connect(w.client.endpoint,
				      quic_endpoint_addr(w.server.endpoint), name,
				      sim_now(w.sim), &w.client.conn),
			 0);
	world_run(&w, 1000);
	struct side result = w.client;
	world_fini(&w);
	return result;
}

/* Connects for "relay.example" to a server with a certificate of ca on these terms. */
static struct side connect_on(const struct authority *ca, const char *ca_file,
			      const struct terms *terms)
{
	char *cert, *key;
	issue(ca, terms, &cert, &key);
	struct side client = connect_to(cert, key, ca_file, "relay.example");
	free(cert);
	free(key);
	return client;
}

/* "relay.example, valid from 2020-01-01 to 2020-02-01, signed by weft test CA" */
static const char *words(const struct terms *terms, const char *issuer, char buf[160])
{
	char first[16], last[16];
	time_t from = day(terms->first_day), to = day(terms->last_day);
	strftime(first, sizeof(first), "%F", gmtime(&from));
	strftime(last, sizeof(last), "%F", gmtime(&to));
	snprintf(buf, 160, "%s, valid from %s to %s, signed by %s", terms->name, first,
		 last, issuer);
	return buf;
}

static void assert_refused(const struct side *client, enum quic_fault fault,
			   const char *reason)
{
	assert_int_equal(client->established, 0);
	assert_int_equal(client->closed, 1);
	assert_int_equal(client->why.kind, QUIC_CLOSE_IDENTITY);
	assert_int_equal(client->why.code, fault);
	assert_string_equal(client->why.reason, reason);
}

static void a_chain_to_the_authority_is_believed(void **state)
{
	(void)state;
	struct authority ca;
	authority_init(&ca, "weft test CA");
	struct side client =
		connect_on(&ca, ca.file, &(struct terms){ .name = "relay.example" });
	assert_int_equal(client.established, 1);
	authority_fini(&ca);
}

static void each_fault_of_a_certificate_has_its_name(void **state)
{
	(void)state;
	static const struct {
		enum quic_fault fault;
		struct terms terms;
	} rows[] = {
		{ QUIC_FAULT_EXPIRED, { "relay.example", -400, -30, false } },
		{ QUIC_FAULT_NOT_YET, { "relay.example", 30, 400, false } },
		{ QUIC_FAULT_NAME, { "other.example", -30, 30, false } },
		/* A date that is wrong goes before a name that is wrong as well. */
		{ QUIC_FAULT_EXPIRED, { "other.example", -400, -30, false } },
	};
	struct authority ca;
	char text[160];
	authority_init(&ca, "weft test CA");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct side client = connect_on(&ca, ca.file, &rows[i].terms);
		assert_refused(&client, rows[i].fault,
			       words(&rows[i].terms, "weft test CA", text));
	}
	authority_fini(&ca);
}

/* Its dates are wrong as well, and mean nothing. */
static void another_authority_is_refused(void **state)
{
	(void)state;
	const struct terms terms = { "relay.example", -400, -30, false };
	struct authority ours, theirs, namesake;
	char text[160];
	authority_init(&ours, "Ours");
	authority_init(&theirs, "Theirs");
	authority_init(&namesake, "Ours");
	struct side client = connect_on(&ours, theirs.file, &terms);
	assert_refused(&client, QUIC_FAULT_AUTHORITY, words(&terms, "Ours", text));
	client = connect_on(&ours, namesake.file, &terms);
	assert_refused(&client, QUIC_FAULT_AUTHORITY, words(&terms, "Ours", text));
	authority_fini(&namesake);
	authority_fini(&theirs);
	authority_fini(&ours);
}

static void a_certificate_of_its_own_is_no_authority(void **state)
{
	(void)state;
	struct authority ca;
	char *cert, *key;
	authority_init(&ca, "weft test CA");
	assert_int_equal(quic_tls_make_identity("relay.example", 1700000000, &cert, &key),
			 0);
	struct side client = connect_to(cert, key, ca.file, "relay.example");
	assert_refused(&client, QUIC_FAULT_AUTHORITY,
		       "relay.example, valid from 2023-11-13 on, signed by itself");
	free(cert);
	free(key);
	authority_fini(&ca);
}

/* The leaf is good; what expired stands between it and the authority. */
static void an_expired_intermediate_is_found(void **state)
{
	(void)state;
	const struct terms between = { "Middle CA", -400, -30, true };
	struct authority ca, middle;
	char *leaf, *leaf_key, *middle_cert, *middle_key, chain[8192], text[160];
	authority_init(&ca, "weft test CA");
	issue(&ca, &between, &middle_cert, &middle_key);
	const gnutls_datum_t pem = { (unsigned char *)middle_cert,
				     (unsigned)strlen(middle_cert) };
	const gnutls_datum_t key_pem = { (unsigned char *)middle_key,
					 (unsigned)strlen(middle_key) };
	authority_init(&middle, "to be Middle CA");
	/* An import into a key that is there leaks it. */
	gnutls_x509_privkey_deinit(middle.key);
	assert_int_equal(gnutls_x509_privkey_init(&middle.key), 0);
	assert_int_equal(gnutls_x509_crt_import(middle.cert, &pem, GNUTLS_X509_FMT_PEM),
			 0);
	assert_int_equal(
		gnutls_x509_privkey_import(middle.key, &key_pem, GNUTLS_X509_FMT_PEM), 0);
	issue(&middle, &(struct terms){ .name = "relay.example" }, &leaf, &leaf_key);
	snprintf(chain, sizeof(chain), "%s%s", leaf, middle_cert);
	struct side client = connect_to(chain, leaf_key, ca.file, "relay.example");
	assert_refused(&client, QUIC_FAULT_EXPIRED,
		       words(&between, "weft test CA", text));
	free(leaf);
	free(leaf_key);
	free(middle_cert);
	free(middle_key);
	authority_fini(&middle);
	authority_fini(&ca);
}

/* A certificate's author must not paint on the terminal of who reads of it, nor fill it. */
static void names_in_certificates_are_tamed(void **state)
{
	(void)state;
	struct authority ca;
	authority_init(&ca, "weft test CA");
	struct side client = connect_on(&ca, ca.file,
					&(struct terms){ .name = "evil\033[31m.example",
							 .first_day = -1,
							 .last_day = 1 });
	assert_int_equal(client.why.code, QUIC_FAULT_NAME);
	assert_memory_equal(client.why.reason, "evil?[31m.example, valid", 24);
	client = connect_on(&ca, ca.file,
			    &(struct terms){ .name = "a-very-long-name-of-which-nobody-"
						     "reads-all-that-it-says.example" });
	assert_int_equal(client.why.code, QUIC_FAULT_NAME);
	assert_non_null(strstr(client.why.reason, "nobody-read...,"));
	assert_non_null(strstr(client.why.reason, "signed by weft test CA"));
	authority_fini(&ca);
}

static void a_chain_needs_a_name_to_check(void **state)
{
	(void)state;
	struct world w;
	struct authority ca;
	struct weft_error err;
	authority_init(&ca, "weft test CA");
	world_init(&w, 1);
	quic_tls_free(w.client_tls);
	assert_int_equal(
		quic_tls_client_new(NULL, ca.file, WORLD_ALPN, &err, &w.client_tls), 0);
	world_start(&w);
	assert_int_equal(quic_connect(w.client.endpoint,
				      quic_endpoint_addr(w.server.endpoint), NULL,
				      sim_now(w.sim), &w.client.conn),
			 -EINVAL);
	world_fini(&w);
	authority_fini(&ca);
}

/* ---- what they are made of --------------------------------------------------------------- */

static void identities_differ(void **state)
{
	(void)state;
	char *cert, *key;
	assert_int_equal(quic_tls_make_identity("192.0.2.1", 1700000000, &cert, &key), 0);
	assert_string_not_equal(cert, world_cert());
	assert_string_not_equal(key, world_key());
	struct quic_tls *tls;
	struct weft_error err;
	assert_int_equal(quic_tls_server_new(cert, world_key(), WORLD_ALPN, &err, &tls),
			 -EINVAL);
	assert_non_null(strstr(err.text, "belong"));
	free(cert);
	free(key);
}

static void what_is_no_good_is_named(void **state)
{
	(void)state;
	static const char nonsense[] = "this is no PEM\n";
	char file[40];
	struct quic_tls *tls;
	struct weft_error err;
	assert_int_equal(
		quic_tls_server_new(nonsense, world_key(), WORLD_ALPN, &err, &tls),
		-EINVAL);
	assert_non_null(strstr(err.text, "the certificate is"));
	assert_int_equal(
		quic_tls_server_new(world_cert(), nonsense, WORLD_ALPN, &err, &tls),
		-EINVAL);
	assert_non_null(strstr(err.text, "the key is"));
	assert_int_equal(
		quic_tls_client_new(NULL, "/no/such/file", WORLD_ALPN, &err, &tls),
		-ENOENT);
	assert_non_null(strstr(err.text, "/no/such/file"));
	write_file(file, nonsense);
	assert_int_equal(quic_tls_client_new(NULL, file, WORLD_ALPN, &err, &tls),
			 -EINVAL);
	assert_non_null(strstr(err.text, file));
	unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_pin_is_refused),
		cmocka_unit_test(another_protocol_is_refused),
		cmocka_unit_test(a_chain_to_the_authority_is_believed),
		cmocka_unit_test(each_fault_of_a_certificate_has_its_name),
		cmocka_unit_test(another_authority_is_refused),
		cmocka_unit_test(a_certificate_of_its_own_is_no_authority),
		cmocka_unit_test(an_expired_intermediate_is_found),
		cmocka_unit_test(names_in_certificates_are_tamed),
		cmocka_unit_test(a_chain_needs_a_name_to_check),
		cmocka_unit_test(identities_differ),
		cmocka_unit_test(what_is_no_good_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
