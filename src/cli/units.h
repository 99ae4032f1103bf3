/* SPDX-License-Identifier: MIT */
/*
 * Times, rates, bytes, shares and counts as people write and read them, for options and status
 * lines. Link specs take the same forms ("20ms", "1.5s").
 */
#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include <stdint.h>

#define UNITS_TEXT       24
#define UNITS_COUNT_TEXT 40 /* A number of any size, and a word. */

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/**
 * Parses "150us", "20ms", "1.5s", "5min", "2h", "3d" or "0" into nanoseconds.
 * Returns 0, -EINVAL, or -ERANGE for more than 100 years.
 */
int units_parse_duration(const char *text, uint64_t *ret_ns)
	__attribute__((warn_unused_result));

/** Prints a rate in bits per second: "850 bit/s", "3.4 Gbit/s". Returns buf. */
const char *units_print_rate(uint64_t bps, char buf[UNITS_TEXT]);

/** Prints a time: "153 us", "2.1 ms", "3 min 20 s". Returns buf. */
const char *units_print_duration(uint64_t ns, char buf[UNITS_TEXT]);

/** Prints a share of so many millionths: "0.02 %", "3.5 %", "12 %". Returns buf. */
const char *units_print_share(uint32_t ppm, char buf[UNITS_TEXT]);

/** Prints a number of bytes: "512 B", "1.5 MiB". Returns buf. */
const char *units_print_bytes(uint64_t bytes, char buf[UNITS_TEXT]);

/** Prints how many there are of what one and many name: "1 frame", "0 frames". Returns buf. */
const char *units_print_count(uint64_t n, const char *one, const char *many,
			      char buf[UNITS_COUNT_TEXT]);

#endif
