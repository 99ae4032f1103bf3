/* SPDX-License-Identifier: MIT */
/*
 * Numbers for people have two or three digits that count: one decimal below ten, none from
 * there on.
 */
#include "cli/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NS_MAX (UINT64_C(100) * 365 * 24 * 3600 * NS_PER_S)

static const struct {
	const char *name;
	uint64_t ns;
} times[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", NS_PER_S },
	{ "min", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ "d", 86400 * NS_PER_S },
};

int units_parse_duration(const char *text, uint64_t *ret_ns)
{
	/* strtod knows more forms of numbers than people write. */
	size_t len = strspn(text, "0123456789.");
	char *unit;
	double value = strtod(text, &unit);
	if (len == 0 || unit != text + len)
		return -EINVAL;
	if (value == 0 && *unit == '\0') {
		*ret_ns = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (strcasecmp(unit, times[i].name) != 0)
			continue;
		value *= (double)times[i].ns;
		if (!(value <= (double)NS_MAX))
			return -ERANGE;
		*ret_ns = (uint64_t)(value + 0.5);
		return 0;
	}
	return -EINVAL;
}

/* Prints value in the largest unit that it fills, each being step times the one before. */
static const char *print_scaled(double value, double step, const char *const units[],
				char buf[UNITS_TEXT])
{
	size_t i = 0;
	while (units[i + 1] && value >= step - 0.5) {
		value /= step;
		i++;
	}
	int decimals = i > 0 && value < 9.95 ? 1 : 0;
	(void)snprintf(buf, UNITS_TEXT, "%.*f %s", decimals, value, units[i]);
	return buf;
}

const char *units_print_rate(uint64_t bps, char buf[UNITS_TEXT])
{
	static const char *const units[] = { "bit/s",  "kbit/s", "Mbit/s",
					     "Gbit/s", "Tbit/s", NULL };
	return print_scaled((double)bps, 1000, units, buf);
}

const char *units_print_bytes(uint64_t bytes, char buf[UNITS_TEXT])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };
	return print_scaled((double)bytes, 1024, units, buf);
}

const char *units_print_duration(uint64_t ns, char buf[UNITS_TEXT])
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };
	uint64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;
	if (seconds < 120)
		return print_scaled((double)ns, 1000, units, buf);
	if (seconds < 2 * UINT64_C(3600))
		(void)snprintf(buf, UNITS_TEXT, "%" PRIu64 " min %" PRIu64 " s",
			       seconds / 60, seconds % 60);
	else
		(void)snprintf(buf, UNITS_TEXT, "%" PRIu64 " h %" PRIu64 " min",
			       seconds / 3600, seconds / 60 % 60);
	return buf;
}

const char *units_print_share(uint32_t ppm, char buf[UNITS_TEXT])
{
	const double percent = (double)ppm / 1e4;
	if (ppm > 0 && ppm < 100)
		(void)snprintf(buf, UNITS_TEXT, "< 0.01 %%");
	else
		(void)snprintf(buf, UNITS_TEXT, percent < 10 ? "%.2g %%" : "%.0f %%",
			       percent);
	return buf;
}

const char *units_print_count(uint64_t n, const char *one, const char *many,
			      char buf[UNITS_COUNT_TEXT])
{
	(void)snprintf(buf, UNITS_COUNT_TEXT, "%" PRIu64 " %s", n, n == 1 ? one : many);
	return buf;
}
