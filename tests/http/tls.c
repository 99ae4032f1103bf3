/* SPDX-License-Identifier: MIT */
/*
 * Streams inside TLS: whom the client believes, and a server that changes its certificate.
 */
#include "http/world.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MB (1024ull * 1024)

static struct world w;

/* ---- a certificate that signs itself, in files ------------------------------------------- */

struct identity {
	char cert_file[40], key_file[40];
	uint8_t pin[32];
};

static struct identity first, second;

static void write_file(const char *path, const gnutls_datum_t *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
	assert_int_equal(fclose(file), 0);
}

static gnutls_x509_crt_t make_cert(gnutls_x509_privkey_t key)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	gnutls_x509_crt_t cert;
	assert_int_equal(gnutls_x509_crt_init(&cert), 0);
	assert_int_equal(gnutls_x509_crt_set_version(cert, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(cert, "\1\2\3\4", 4), 0);
	assert_int_equal(gnutls_x509_crt_set_dn(cert, "CN=weft test", NULL), 0);
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS,
							      loopback, 4,
							      GNUTLS_FSAN_SET),
			 0);
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(cert, 1, -1), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(cert, time(NULL) - 86400),
			 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 86400),
			 0);
	assert_int_equal(gnutls_x509_crt_set_key(cert, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
	return cert;
}

/* Into files that are there already, when they are. */
static void make_identity(struct identity *identity)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t text;
	size_t pin_len = sizeof(identity->pin);

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(
				 key, GNUTLS_PK_ECDSA,
				 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
			 0);
	gnutls_x509_crt_t cert = make_cert(key);
	assert_int_equal(gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256,
						    identity->pin, &pin_len),
			 0);
	assert_int_equal(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &text), 0);
	write_file(identity->cert_file, &text);
	gnutls_free(text.data);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
	write_file(identity->key_file, &text);
	gnutls_free(text.data);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
}

static void name_files(struct identity *identity)
{
	(void)snprintf(identity->cert_file, sizeof(identity->cert_file),
		       "/tmp/weft-http-cert-XXXXXX");
	(void)snprintf(identity->key_file, sizeof(identity->key_file),
		       "/tmp/weft-http-key-XXXXXX");
	(void)close(mkstemp(identity->cert_file));
	(void)close(mkstemp(identity->key_file));
}

static int setup(void **state)
{
	(void)state;
	name_files(&first);
	name_files(&second);
	make_identity(&first);
	make_identity(&second);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(first.cert_file);
	(void)unlink(first.key_file);
	(void)unlink(second.cert_file);
	(void)unlink(second.key_file);
	return 0;
}

static struct world_opts tls_opts(void)
{
	return (struct world_opts){ .server.terms.cert_file = first.cert_file,
				    .server.terms.key_file = first.key_file,
				    .out_total = 1000,
				    .out_ready = 1000 };
}

/* ---- whom the client believes ------------------------------------------------------------ */

static void both_ways_in_tls(void **state)
{
	struct world_opts opts = tls_opts();
	(void)state;
	opts.client.pin = first.pin;
	opts.out_total = opts.out_ready = 20 * MB;
	world_start(&w, &opts);
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 20 * MB);
	world_until(&w, get->closings && put->closings);
	assert_string_equal(get->err.text, "");
	assert_int_equal(get->in_len, 20 * MB);
	assert_int_equal(w.served[0].in_len + w.served[1].in_len, 20 * MB);
	assert_int_equal(put->end, HTTP_ENDED);
	world_stop(&w);
}

static void back_pressure_in_tls(void **state)
{
	struct world_opts opts = tls_opts();
	(void)state;
	opts.client.pin = first.pin;
	opts.is_wild = true;
	world_start(&w, &opts);
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 0);
	put->is_wild = true;
	world_until(&w, get->in_len > 0 && w.served_n == 2 &&
				w.served[0].in_len + w.served[1].in_len > 0);
	http_stream_read(get->stream, false);
	http_stream_read(w.served[0].stream, false);
	http_stream_read(w.served[1].stream, false);
	uint64_t came = get->in_len + w.served[0].in_len + w.served[1].in_len;
	world_until_still(&w);
	assert_int_equal(get->in_len + w.served[0].in_len + w.served[1].in_len, came);
	uint64_t went = put->out_len + w.served[0].out_len + w.served[1].out_len;
	assert_true(went - came < 64 * MB); /* Sockets' buffers. */
	http_stream_read(get->stream, true);
	http_stream_read(w.served[0].stream, true);
	http_stream_read(w.served[1].stream, true);
	world_until(&w, get->in_len + w.served[0].in_len + w.served[1].in_len >
				came + 32 * MB);
	world_stop(&w);
}

/* Past the library, as where nothing is encrypted; then in its order with what is asked for. */
static void a_server_sends_at_once_in_tls(void **state)
{
	struct world_opts opts = tls_opts();
	uint8_t bytes[1000];
	(void)state;
	opts.client.pin = first.pin;
	opts.out_total = 5 * MB;
	opts.out_ready = 0;
	world_start(&w, &opts);
	struct end *get = world_get(&w, "/");
	world_until(&w, get->responses && w.served[0].asked);
	struct end *served = &w.served[0];
	for (unsigned round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = pattern(served->out_len + i);
		const struct socket_piece pieces[] = { { bytes, 1 },
						       { bytes + 1, sizeof(bytes) - 1 } };
		assert_true(http_stream_send(served->stream, pieces, 2));
		served->out_len += sizeof(bytes);
		served->out_ready += sizeof(bytes);
		world_until(&w, get->in_len == served->out_len);
	}
	end_more(served, served->out_total - served->out_ready);
	world_until(&w, get->closings);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_int_equal(get->in_len, 5 * MB);
	world_stop(&w);
}

static void a_certificate_in_the_ca_file_is_believed(void **state)
{
	struct world_opts opts = tls_opts();
	(void)state;
	opts.client.ca_file = first.cert_file;
	world_start(&w, &opts);
	struct end *get = world_get(&w, "/");
	world_until(&w, get->closings);
	assert_string_equal(get->err.text, "");
	assert_int_equal(get->end, HTTP_ENDED);
	world_stop(&w);
}

static void expect_refusal(const struct world_opts *opts, const char *why)
{
	world_start(&w, opts);
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 5);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_FAILED);
	assert_int_equal(put->end, HTTP_FAILED);
	if (!strstr(get->err.text, why))
		fail_msg("%s", get->err.text);
	assert_int_equal(w.served_n, 0);
	assert_int_equal(put->out_len, 0);
	world_stop(&w);
}

static void strangers_are_not_believed(void **state)
{
	struct world_opts opts = tls_opts();
	(void)state;
	expect_refusal(&opts, "or pin its key");
	opts.client.ca_file = second.cert_file;
	expect_refusal(&opts, "or pin its key");
	opts.client.ca_file = NULL;
	opts.client.pin = second.pin;
	expect_refusal(&opts, "another key than the pinned one");
	/* A pin is not put right by a CA. */
	opts.client.ca_file = first.cert_file;
	expect_refusal(&opts, "another key than the pinned one");
}

/* ---- another certificate ----------------------------------------------------------------- */

static void a_new_certificate_without_a_restart(void **state)
{
	struct world_opts opts = tls_opts();
	struct weft_error err;
	(void)state;
	opts.client.pin = first.pin;
	opts.out_total = 10 * MB;
	world_start(&w, &opts);
	struct end *before = world_get(&w, "/");
	world_until(&w, before->in_len == 1000);

	make_identity(&first); /* Other keys in the same files. */
	assert_int_equal(http_server_reload(w.server, &err), 0);
	end_more(&w.served[0], 5 * MB);
	world_until(&w, before->in_len == 1000 + 5 * MB);

	struct http_client_opts fresh = { .pin = first.pin };
	struct http_client *old_client = w.client;
	assert_int_equal(http_client_new(&fresh, &err, &w.client), 0);
	struct end *after = world_get(&w, "/");
	world_until(&w, after->in_len == 1000);
	http_client_free(old_client);
	assert_int_equal(before->end, HTTP_ABORTED);
	world_stop(&w);
}

static void a_bad_certificate_changes_nothing(void **state)
{
	struct world_opts opts = tls_opts();
	struct weft_error err;
	const gnutls_datum_t nonsense = { (unsigned char *)strdup("nonsense"), 8 };
	(void)state;
	opts.client.pin = first.pin;
	world_start(&w, &opts);
	write_file(first.cert_file, &nonsense);
	assert_int_equal(http_server_reload(w.server, &err), -EINVAL);
	assert_non_null(strstr(err.text, first.cert_file));
	(void)unlink(first.cert_file);
	assert_int_equal(http_server_reload(w.server, &err), -ENOENT);
	struct end *get = world_get(&w, "/");
	world_until(&w, get->closings);
	assert_int_equal(get->end, HTTP_ENDED);
	world_stop(&w);
	free(nonsense.data);
	make_identity(&first);
}

/* How a request of a new client ends that knows the key with this pin. */
static int end_with(const uint8_t pin[32])
{
	const struct http_client_opts opts = { .pin = pin };
	struct http_client *usual = w.client;
	struct weft_error err;
	assert_int_equal(http_client_new(&opts, &err, &w.client), 0);
	const struct end *get = world_get(&w, "/");
	world_until(&w, get->closings);
	http_client_free(w.client);
	w.client = usual;
	return get->end;
}

static void a_certificate_is_shown_once_it_is_taken(void **state)
{
	struct world_opts opts = tls_opts();
	const struct http_server_terms terms = opts.server.terms;
	struct weft_error err;
	uint8_t old[sizeof(first.pin)];
	(void)state;
	memcpy(old, first.pin, sizeof(old));
	world_start(&w, &opts);
	make_identity(&first); /* Other keys in the same files. */
	assert_int_equal(http_server_prepare(w.server, &terms, &err), 0);
	assert_int_equal(http_server_prepare(w.server, &terms, &err), 0);
	assert_int_equal(end_with(old), HTTP_ENDED);
	http_server_cancel(w.server);
	http_server_commit(w.server);
	assert_int_equal(end_with(old), HTTP_ENDED);
	assert_int_equal(end_with(first.pin), HTTP_FAILED);
	assert_int_equal(http_server_prepare(w.server, &terms, &err), 0);
	http_server_commit(w.server);
	assert_int_equal(end_with(old), HTTP_FAILED);
	assert_int_equal(end_with(first.pin), HTTP_ENDED);
	/* What is prepared, and neither committed nor cancelled, is freed with the server. */
	assert_int_equal(http_server_prepare(w.server, &terms, &err), 0);
	world_stop(&w);
}

static void files_that_do_not_match(void **state)
{
	struct http_server_opts opts = { .listen.in.sin_family = AF_INET,
					 .terms.cert_file = first.cert_file,
					 .terms.key_file = second.key_file };
	struct http_server *server;
	struct weft_error err;
	(void)state;
	assert_int_equal(http_server_new(&opts, &err, &server), -EINVAL);
	assert_non_null(strstr(err.text, "is not the key of"));
	opts.terms.key_file = NULL;
	assert_int_equal(http_server_new(&opts, &err, &server), -EINVAL);
	opts.terms.key_file = "/nowhere/key.pem";
	assert_int_equal(http_server_new(&opts, &err, &server), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/key.pem"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ways_in_tls),
		TEST(back_pressure_in_tls),
		TEST(a_server_sends_at_once_in_tls),
		TEST(a_certificate_in_the_ca_file_is_believed),
		TEST(strangers_are_not_believed),
		TEST(a_new_certificate_without_a_restart),
		TEST(a_bad_certificate_changes_nothing),
		TEST(a_certificate_is_shown_once_it_is_taken),
		TEST(files_that_do_not_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
