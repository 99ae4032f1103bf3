/* SPDX-License-Identifier: MIT */
/*
 * Numbers for people have two or three digits that count: one decimal below ten, none from
 * there on. They are rounded to nearest, and carried into the next unit where rounding
 * reaches it (999.7 us is "1.0 ms").
 */
#include "base/fmt.h"

#include "base/array.h"
#include "base/time.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fmt_init(struct fmt *f, char *buf, size_t len)
{
	assert(len >= 1);
	*f = (struct fmt){ .buf = buf, .len = len };
	buf[0] = '\0';
}

static void mark_truncated(struct fmt *f)
{
	static const char mark[] = "...";
	f->truncated = true;
	f->off = f->len - 1;
	f->buf[f->off] = '\0';
	if (f->len >= sizeof(mark))
		memcpy(f->buf + f->len - sizeof(mark), mark, sizeof(mark));
}

void fmt_add(struct fmt *f, const char *format, ...)
{
	if (f->truncated)
		return;
	size_t room = f->len - f->off;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(f->buf + f->off, room, format, args);
	va_end(args);
	if (n < 0)
		f->buf[f->off] = '\0';
	else if ((size_t)n >= room)
		mark_truncated(f);
	else
		f->off += (size_t)n;
}

const char *fmt_text(const struct fmt *f)
{
	return f->buf;
}

/* 1 if value / scale is nearer to the next whole number, else 0. */
static uint64_t rounds_up(uint64_t value, uint64_t scale)
{
	return value % scale >= scale - scale / 2 ? 1 : 0;
}

/* Appends a span of less than a minute in the largest unit that leaves at least 1. */
static void add_short_duration(struct fmt *f, uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	uint64_t scale = 1;
	size_t unit = 0;
	/* Rounded, so that 999.7 of one unit becomes 1.0 of the next and not 1000. */
	while (unit + 1 < ARRAY_LEN(units) && ns / scale + rounds_up(ns, scale) >= 1000) {
		scale *= 1000;
		unit++;
	}
	double scaled = (double)ns / (double)scale;
	fmt_add(f, unit > 0 && scaled < 9.95 ? "%.1f %s" : "%.0f %s", scaled,
		units[unit]);
}

/* Appends the two largest units of a span of a minute or more. */
static void add_long_duration(struct fmt *f, uint64_t seconds)
{
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
	if (days > 0)
		fmt_add(f, "%llu d %llu h", (unsigned long long)days,
			(unsigned long long)(hours % 24));
	else if (hours > 0)
		fmt_add(f, "%llu h %llu min", (unsigned long long)hours,
			(unsigned long long)(minutes % 60));
	else
		fmt_add(f, "%llu min %llu s", (unsigned long long)minutes,
			(unsigned long long)(seconds % 60));
}

void fmt_duration(struct fmt *f, uint64_t ns)
{
	if (ns >= 60 * NS_PER_S - NS_PER_S / 2)
		add_long_duration(f, ns / NS_PER_S + rounds_up(ns, NS_PER_S));
	else
		add_short_duration(f, ns);
}
