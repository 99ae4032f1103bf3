/* SPDX-License-Identifier: MIT */
/*
 * Files of certificates and keys that a configuration names: whether they are there, hold what
 * they should, and belong together. Nothing of what is in a key is kept.
 */
#ifndef CLI_PEM_H
#define CLI_PEM_H

#include <stdbool.h>

#define PEM_TEXT_LEN 320u

/** Called for each thing that is wrong, or only suspicious; text is borrowed. */
typedef void pem_fault_fn(void *user, bool is_warning, const char *what,
			  const char *text);

/** What may be wrong with a file of certificates. what is the name of it for fn. */
void pem_check_certs(const char *what, const char *path, pem_fault_fn *fn, void *user);

/** With a server's certificate and its key: "cert", "key" or "" for the two together. */
void pem_check_pair(const char *cert, const char *key, pem_fault_fn *fn, void *user);

#endif
