/* SPDX-License-Identifier: MIT */
/*
 * Lines of a journal that was damaged: what change_parse takes is a whole change, which can
 * be written and said, and comes back the same.
 */
#include "base/fmt.h"
#include "check.h"
#include "host/change.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct change change;
	struct change back;
	char line[CHANGE_LINE_MAX];
	char again[CHANGE_LINE_MAX];
	char text[200];
	struct fmt f;
	if (change_parse((const char *)data, size, &change) < 0)
		return 0;
	fmt_init(&f, text, sizeof(text));
	change_print(&change, &f);
	int len = change_emit(&change, line, sizeof(line));
	CHECK(len > 0);
	CHECK(change_parse(line, (size_t)len, &back) == 0);
	CHECK(change_emit(&back, again, sizeof(again)) == len);
	CHECK(memcmp(line, again, (size_t)len) == 0);
	return 0;
}
