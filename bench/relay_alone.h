/* SPDX-License-Identifier: MIT */
/*
 * A relay in a process of its own, so that what it takes can be told from what its members take,
 * who are simulated in the parent. Whatever fails ends the benchmark.
 */
#ifndef BENCH_RELAY_ALONE_H
#define BENCH_RELAY_ALONE_H

#include <weft/lan.h>

#include <sys/types.h>

/** How to reach it, and whom to ask what it takes. */
struct relay_alone {
	pid_t pid;
	union weft_sockaddr addr;
	uint8_t pin[WEFT_PIN_LEN];
};

/** Says what failed and why, of the error -Exxx, and ends the process. */
_Noreturn void die(const char *what, int r);

/** Starts it by these options; an identity and a secret are made for it. */
void relay_alone_start(const struct weft_relay_opts *opts, struct relay_alone *ret_relay);

/** Ends it, and waits until it has ended. */
void relay_alone_end(const struct relay_alone *relay);

/** Seconds of CPU that it has taken so far. */
double relay_alone_cpu_s(const struct relay_alone *relay);

/** What it has resident, in KiB. */
double relay_alone_kib(const struct relay_alone *relay);

#endif
