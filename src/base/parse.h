/* SPDX-License-Identifier: MIT */
/*
 * Numbers as people write them on a command line or in a link spec. The whole text must
 * belong to the number: no sign, no space, nothing after the unit. Units are in any case;
 * a number may have up to six decimals where a unit follows. A plain "0" needs no unit.
 *
 * All return 0; -EINVAL when the text is not of the form; -ERANGE when the value is outside
 * the limits or does not fit.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <weft/frame.h>

#include <stdint.h>

/** Decimal digits, min <= value <= max. */
int parse_u64(const char *text, uint64_t min, uint64_t max,
	      uint64_t *ret_value) WEFT_MUST_CHECK;

/** "150us", "20ms", "1.5s", "5min", "2h" (also "ns"); into nanoseconds. */
int parse_duration_ns(const char *text, uint64_t *ret_ns) WEFT_MUST_CHECK;

/** "64kbit", "200mbit", "1.5gbit" (also "bit", "tbit"; powers of 1000); into bits per second. */
int parse_rate_bps(const char *text, uint64_t *ret_bps) WEFT_MUST_CHECK;

/** "1500", "64k", "1.5m", "1g" (powers of 1024); into bytes. */
int parse_size(const char *text, uint64_t *ret_bytes) WEFT_MUST_CHECK;

/** "1%", "0.1%", at most "100%"; into a fraction 0..1. */
int parse_percent(const char *text, double *ret_fraction) WEFT_MUST_CHECK;

#endif
