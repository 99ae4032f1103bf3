/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a configuration, collected from everywhere and handed out at the end in
 * the order of the file: the checks need not be made in that order.
 */
#ifndef CONFIG_FAULTS_H
#define CONFIG_FAULTS_H

#include <weft/tunnel_config.h>

#include <stdbool.h>
#include <stddef.h>

/** So many are kept; a file with more of them is no configuration. Of the rest the number. */
#define FAULTS_MAX 1000u

/** Where something begins. Both from 1; a column is a character, also where that is a tab. */
struct place {
	unsigned line, column;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/** All zero: nothing wrong yet. */
struct faults {
	struct weft_tunnel_fault *items; /**< In the order of the file. */
	size_t n, room;
	size_t errors;     /**< Those that are no warnings, also those not kept. */
	size_t left_out;   /**< Those not kept, warnings before errors. */
	bool is_no_memory; /**< A fault could not be kept. */
};

/** Forgets and frees. */
void faults_fini(struct faults *faults);

/** Adds one; of two at the same place the first added is the first. */
void faults_add(struct faults *faults, struct place at, enum severity severity,
		const char *path, const char *format, ...) WEFT_PRINTF(5, 6);

/** Hands all of them to fn, and at the end how many were left out. */
void faults_tell(const struct faults *faults, weft_tunnel_fault_fn *fn, void *user);

/** Two places compared as numbers are: negative if a stands before b. */
int place_compare(struct place a, struct place b);

#endif
