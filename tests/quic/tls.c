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
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- A small authority ---- */

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

static gnutls_x509_crt_t make_cert(gnutls_x509_privkey_t key, const char *name,
				   bool is_ca)
{
	gnutls_x509_crt_t cert;
	assert_int_equal(gnutls_x509_crt_init(&cert), 0);
	assert_int_equal(gnutls_x509_crt_set_version(cert, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(cert, "\1\2\3\4", 4), 0);
	assert_int_equal(gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME,
						       0, name, (unsigned)strlen(name)),
			 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(cert, time(NULL) - 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(cert, is_ca, -1), 0);
	assert_int_equal(
		gnutls_x509_crt_set_key_usage(cert, is_ca ? GNUTLS_KEY_KEY_CERT_SIGN
							  : GNUTLS_KEY_DIGITAL_SIGNATURE),
		0);
	if (!is_ca)
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

static void authority_init(struct authority *ca)
{
	ca->key = make_key();
	ca->cert = make_cert(ca->key, "weft test CA", true);
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

static void issue(struct authority *ca, const char *name, char **ret_cert, char **ret_key)
{
	gnutls_x509_privkey_t key = make_key();
	gnutls_x509_crt_t cert = make_cert(key, name, false);
	assert_int_equal(
		gnutls_x509_crt_sign2(cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0), 0);
	*ret_cert = cert_text(cert);
	*ret_key = key_text(key);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
}

/* ---- Who is let in ---- */

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
	assert_non_null(strstr(w.client.why.reason, "key is not the one"));
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

/* Connects to a server with a certificate of ca for cert_name, asking for name. */
static struct side connect_with_ca(struct authority *ca, const char *ca_file,
				   const char *cert_name, const char *name)
{
	struct world w;
	char *cert, *key;
	struct weft_error err;
	world_init(&w, 1);
	quic_tls_free(w.client_tls);
	quic_tls_free(w.server_tls);
	issue(ca, cert_name, &cert, &key);
	assert_int_equal(
		quic_tls_server_new_pem(cert, key, WORLD_ALPN, &err, &w.server_tls), 0);
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
	free(cert);
	free(key);
	return result;
}

static void a_chain_to_the_authority_is_believed(void **state)
{
	(void)state;
	struct authority ca;
	authority_init(&ca);
	struct side client =
		connect_with_ca(&ca, ca.file, "relay.example", "relay.example");
	assert_int_equal(client.established, 1);
	authority_fini(&ca);
}

static void another_name_is_refused(void **state)
{
	(void)state;
	struct authority ca;
	authority_init(&ca);
	struct side client =
		connect_with_ca(&ca, ca.file, "relay.example", "other.example");
	assert_int_equal(client.established, 0);
	assert_int_equal(client.why.kind, QUIC_CLOSE_IDENTITY);
	authority_fini(&ca);
}

static void another_authority_is_refused(void **state)
{
	(void)state;
	struct authority ours, theirs;
	authority_init(&ours);
	authority_init(&theirs);
	struct side client =
		connect_with_ca(&ours, theirs.file, "relay.example", "relay.example");
	assert_int_equal(client.established, 0);
	assert_int_equal(client.why.kind, QUIC_CLOSE_IDENTITY);
	authority_fini(&theirs);
	authority_fini(&ours);
}

static void a_chain_needs_a_name_to_check(void **state)
{
	(void)state;
	struct world w;
	struct authority ca;
	struct weft_error err;
	authority_init(&ca);
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

/* ---- Files ---- */

static void a_made_identity_loads_and_has_one_pin(void **state)
{
	(void)state;
	char cert[40], key[40];
	uint8_t from_text[QUIC_PIN_LEN], from_file[QUIC_PIN_LEN];
	struct quic_tls *tls;
	struct weft_error err;
	assert_int_equal(quic_tls_server_new_pem(world_cert(), world_key(), WORLD_ALPN,
						 &err, &tls),
			 0);
	quic_tls_pin(tls, from_text);
	quic_tls_free(tls);
	write_file(cert, world_cert());
	write_file(key, world_key());
	assert_int_equal(quic_tls_server_new(cert, key, WORLD_ALPN, &err, &tls), 0);
	quic_tls_pin(tls, from_file);
	quic_tls_free(tls);
	assert_memory_equal(from_text, from_file, QUIC_PIN_LEN);
	unlink(cert);
	unlink(key);
}

static void identities_differ(void **state)
{
	(void)state;
	char *cert, *key;
	assert_int_equal(quic_tls_make_identity("192.0.2.1", 1700000000, &cert, &key), 0);
	assert_string_not_equal(cert, world_cert());
	assert_string_not_equal(key, world_key());
	struct quic_tls *tls;
	struct weft_error err;
	assert_int_equal(
		quic_tls_server_new_pem(cert, world_key(), WORLD_ALPN, &err, &tls),
		-EINVAL);
	assert_non_null(strstr(err.text, "belong"));
	free(cert);
	free(key);
}

static void a_bad_file_is_named(void **state)
{
	(void)state;
	char good[40], bad[40];
	struct quic_tls *tls;
	struct weft_error err;
	write_file(good, world_cert());
	write_file(bad, "this is no PEM\n");
	assert_int_equal(
		quic_tls_server_new("/no/such/file", bad, WORLD_ALPN, &err, &tls),
		-ENOENT);
	assert_non_null(strstr(err.text, "/no/such/file"));
	assert_int_equal(
		quic_tls_server_new(good, "/no/such/key", WORLD_ALPN, &err, &tls),
		-ENOENT);
	assert_non_null(strstr(err.text, "/no/such/key"));
	assert_int_equal(quic_tls_server_new(bad, good, WORLD_ALPN, &err, &tls), -EINVAL);
	assert_non_null(strstr(err.text, bad));
	assert_int_equal(quic_tls_server_new(good, bad, WORLD_ALPN, &err, &tls), -EINVAL);
	assert_non_null(strstr(err.text, bad));
	assert_int_equal(quic_tls_client_new(NULL, bad, WORLD_ALPN, &err, &tls), -EINVAL);
	assert_non_null(strstr(err.text, bad));
	unlink(good);
	unlink(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_pin_is_refused),
		cmocka_unit_test(another_protocol_is_refused),
		cmocka_unit_test(a_chain_to_the_authority_is_believed),
		cmocka_unit_test(another_name_is_refused),
		cmocka_unit_test(another_authority_is_refused),
		cmocka_unit_test(a_chain_needs_a_name_to_check),
		cmocka_unit_test(a_made_identity_loads_and_has_one_pin),
		cmocka_unit_test(identities_differ),
		cmocka_unit_test(a_bad_file_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
