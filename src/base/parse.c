/* SPDX-License-Identifier: MIT */
/*
 * Everything but a plain integer is a decimal number and a unit. Both are integers here (a
 * whole part, and up to six decimals as millionths), so that "0.1s" is exactly 100 ms and no
 * locale changes what '.' means.
 */
#include "base/parse.h"

#include "base/array.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

#define MILLION 1000000u

/* Largest scale of a unit: with it, 999,999 millionths still fit in 64 bits. */
#define SCALE_MAX (UINT64_MAX / MILLION)

struct unit {
	const char *name;
	uint64_t scale;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits at *text and moves past them. Returns 0, -EINVAL without any, -ERANGE. */
static int take_digits(const char **text, uint64_t *ret_value)
{
	if (!is_digit(**text))
		return -EINVAL;
	uint64_t value = 0;
	bool overflow = false;
	for (; is_digit(**text); (*text)++) {
		overflow |= __builtin_mul_overflow(value, 10u, &value);
		overflow |=
			__builtin_add_overflow(value, (uint64_t)(**text - '0'), &value);
	}
	if (overflow)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

/* Reads ".ddd" at *text, if it is there, as millionths. Returns 0 or -EINVAL. */
static int take_decimals(const char **text, uint64_t *ret_millionths)
{
	uint64_t value = 0, weight = MILLION;
	if (**text == '.') {
		(*text)++;
		if (!is_digit(**text))
			return -EINVAL;
		for (; is_digit(**text) && weight > 1; (*text)++) {
			weight /= 10;
			value += weight * (uint64_t)(**text - '0');
		}
	}
	*ret_millionths = value;
	return is_digit(**text) ? -EINVAL : 0;
}

static const struct unit *find_unit(const char *name, const struct unit *units, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(name, units[i].name) == 0)
			return &units[i];
	return NULL;
}

/* Parses "12.5unit" into 12.5 times the scale of the unit, rounded down. */
static int parse_scaled(const char *text, const struct unit *units, size_t n,
			uint64_t *ret_value)
{
	uint64_t whole, millionths;
	int r = take_digits(&text, &whole);
	if (r < 0)
		return r;
	r = take_decimals(&text, &millionths);
	if (r < 0)
		return r;
	bool bare_zero = *text == '\0' && whole == 0 && millionths == 0;
	const struct unit *unit = bare_zero ? &units[0] : find_unit(text, units, n);
	if (!unit || (unit->name[0] == '\0' && millionths > 0))
		return -EINVAL;
	uint64_t value;
	if (__builtin_mul_overflow(whole, unit->scale, &value) ||
	    __builtin_add_overflow(value, millionths * unit->scale / MILLION, &value))
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	int r = take_digits(&text, &value);
	if (*text != '\0')
		return -EINVAL;
	if (r < 0)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int parse_duration_ns(const char *text, uint64_t *ret_ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },       { "us", NS_PER_US },      { "ms", NS_PER_MS },
		{ "s", NS_PER_S }, { "min", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
	};
	static_assert(3600 * NS_PER_S <= SCALE_MAX, "decimals of an hour fit");
	return parse_scaled(text, units, ARRAY_LEN(units), ret_ns);
}

int parse_rate_bps(const char *text, uint64_t *ret_bps)
{
	static const struct unit units[] = {
		{ "bit", 1 },           { "kbit", 1000 },          { "mbit", 1000000 },
		{ "gbit", 1000000000 }, { "tbit", 1000000000000 },
	};
	return parse_scaled(text, units, ARRAY_LEN(units), ret_bps);
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "k", (uint64_t)1 << 10 },
		{ "m", (uint64_t)1 << 20 },
		{ "g", (uint64_t)1 << 30 },
		{ "t", (uint64_t)1 << 40 },
	};
	return parse_scaled(text, units, ARRAY_LEN(units), ret_bytes);
}

int parse_percent(const char *text, double *ret_fraction)
{
	static const struct unit units[] = { { "%", MILLION } };
	uint64_t millionths;
	int r = parse_scaled(text, units, ARRAY_LEN(units), &millionths);
	if (r < 0)
		return r;
	if (millionths > (uint64_t)100 * MILLION)
		return -ERANGE;
	*ret_fraction = (double)millionths / (100.0 * MILLION);
	return 0;
}
