/* SPDX-License-Identifier: MIT */
/*
 * What the user that checks may not read, another may that runs the tunnel; so that is a warning,
 * and everything else that keeps a server from beginning an error.
 */
#include "cli/pem.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PEM_SIZE_MAX 1048576

/* Whose fault it would be, and who hears of it. */
struct look {
	const char *what, *path;
	pem_fault_fn *fn;
	void *user;
};

__attribute__((format(printf, 3, 4))) static void tell(const struct look *look,
						       bool is_warning,
						       const char *format, ...)
{
	char text[PEM_TEXT_LEN];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	look->fn(look->user, is_warning, look->what, text);
}

static void tell_errno(const struct look *look, int error)
{
	if (error == EACCES)
		tell(look, true,
		     "cannot read %s: %s; whoever runs the tunnel has to be able to",
		     look->path, strerror(error));
	else
		tell(look, false, "cannot read %s: %s", look->path, strerror(error));
}

/*
 * Reads a file, once it is known to be one: opening a pipe could take for ever. ret_mode are its
 * permissions. False if it cannot be read; that was told.
 */
static bool load(const struct look *look, gnutls_datum_t *ret_data, unsigned *ret_mode)
{
	struct stat status;
	if (stat(look->path, &status) < 0) {
		tell_errno(look, errno);
		return false;
	}
	if (!S_ISREG(status.st_mode) || status.st_size > PEM_SIZE_MAX) {
		tell(look, false, "%s is no file in PEM", look->path);
		return false;
	}
	errno = EIO;
	if (gnutls_load_file(look->path, ret_data) < 0) {
		tell_errno(look, errno);
		return false;
	}
	*ret_mode = status.st_mode & 07777;
	return true;
}

static void unload(gnutls_datum_t *data)
{
	gnutls_memset(data->data, 0, data->size);
	gnutls_free(data->data);
}

/* ---- certificates ------------------------------------------------------------------------ */

struct certs {
	gnutls_x509_crt_t *items;
	unsigned n;
};

static void certs_free(struct certs *certs)
{
	for (unsigned i = 0; i < certs->n; i++)
		gnutls_x509_crt_deinit(certs->items[i]);
	gnutls_free(certs->items);
}

static bool certs_load(const struct look *look, struct certs *ret_certs)
{
	gnutls_datum_t data;
	unsigned mode;
	struct certs certs = { 0 };
	if (!load(look, &data, &mode))
		return false;
	const int r = gnutls_x509_crt_list_import2(&certs.items, &certs.n, &data,
						   GNUTLS_X509_FMT_PEM, 0);
	unload(&data);
	if (r < 0) {
		tell(look, false, "%s holds no certificate in PEM (%s)", look->path,
		     gnutls_strerror(r));
		return false;
	}
	*ret_certs = certs;
	return true;
}

void pem_check_certs(const char *what, const char *path, pem_fault_fn *fn, void *user)
{
	const struct look look = { what, path, fn, user };
	struct certs certs;
	if (certs_load(&look, &certs))
		certs_free(&certs);
}

/* Whether it is the time of a certificate. */
static void check_time(const struct look *look, gnutls_x509_crt_t cert)
{
	const time_t now = time(NULL), end = gnutls_x509_crt_get_expiration_time(cert);
	char day[sizeof("2026-01-01")];
	struct tm tm;
	if (end == (time_t)-1 || end > now || !gmtime_r(&end, &tm))
		return;
	(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	tell(look, true, "the certificate in %s ended on %s; clients refuse it",
	     look->path, day);
}

/* ---- a key ------------------------------------------------------------------------------- */

static bool key_load(const struct look *look, gnutls_x509_privkey_t *ret_key)
{
	gnutls_datum_t data;
	unsigned mode;
	gnutls_x509_privkey_t key;
	if (!load(look, &data, &mode))
		return false;
	if (mode & 077)
		tell(look, true,
		     "mode %04o: others than its owner can use the key %s; run: chmod "
		     "600 %s",
		     mode, look->path, look->path);
	int r = gnutls_x509_privkey_init(&key);
	if (r >= 0)
		r = gnutls_x509_privkey_import2(key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	unload(&data);
	if (r >= 0) {
		*ret_key = key;
		return true;
	}
	if (r == GNUTLS_E_DECRYPTION_FAILED)
		tell(look, false,
		     "%s is locked by a password, for which nobody can be asked",
		     look->path);
	else
		tell(look, false, "%s holds no key in PEM (%s)", look->path,
		     gnutls_strerror(r));
	gnutls_x509_privkey_deinit(key);
	return false;
}

/* ---- both -------------------------------------------------------------------------------- */

/* Whether a key is that of the first certificate. */
static bool is_pair(const struct certs *certs, gnutls_x509_privkey_t key)
{
	gnutls_certificate_credentials_t credentials;
	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return false;
	const int r = gnutls_certificate_set_x509_key(credentials, certs->items,
						      (int)certs->n, key);
	gnutls_certificate_free_credentials(credentials);
	return r >= 0;
}

void pem_check_pair(const char *cert, const char *key, pem_fault_fn *fn, void *user)
{
	const struct look of_cert = { "cert", cert, fn, user };
	const struct look of_key = { "key", key, fn, user };
	const struct look of_both = { "", cert, fn, user };
	gnutls_x509_privkey_t private_key;
	struct certs certs;
	const bool has_certs = certs_load(&of_cert, &certs);
	const bool has_key = key_load(&of_key, &private_key);
	if (has_certs)
		check_time(&of_cert, certs.items[0]);
	if (has_certs && has_key && !is_pair(&certs, private_key))
		tell(&of_both, false,
		     "the key in %s is not that of the first certificate in %s", key,
		     cert);
	if (has_key)
		gnutls_x509_privkey_deinit(private_key);
	if (has_certs)
		certs_free(&certs);
}
