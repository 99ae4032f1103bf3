/* SPDX-License-Identifier: MIT */
/*
 * QR codes: what is printed, read back block by block, is what the library has made, with
 * its margin.
 */
#include "cli/qr.h"

#include "../unit.h"

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>
#include <string.h>

#define TEXT                                                              \
	"weft://198.51.100.7/lan#vR7pK2mXoQ0tLw9sYbZ3cD5eF6gH8iJ1kN4qU_-" \
	"AaBbCcDdEeFfGgHhIiJjKk"

static char *print(const char *text, int *ret_status)
{
	char *printed = NULL;
	size_t len;
	FILE *stream = open_memstream(&printed, &len);
	assert_non_null(stream);
	*ret_status = qr_print(stream, text);
	assert_int_equal(fclose(stream), 0);
	return printed;
}

/* The two modules of the block at *at, which is moved behind it. */
static void take_block(const char **at, bool *ret_upper, bool *ret_lower)
{
	static const char *const blocks[] = { " ", "\u2584", "\u2580", "\u2588" };
	for (unsigned i = 0; i < 4; i++) {
		if (strncmp(*at, blocks[i], strlen(blocks[i])) != 0)
			continue;
		*at += strlen(blocks[i]);
		*ret_upper = i & 2;
		*ret_lower = i & 1;
		return;
	}
	fail_msg("no block: %.8s", *at);
}

static bool module(const QRcode *code, int x, int y)
{
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
	       (code->data[y * code->width + x] & 1);
}

static void every_module_is_there(void **state)
{
	(void)state;
	int status;
	char *printed = print(TEXT, &status);
	const char *at = printed;
	QRcode *code = QRcode_encodeString(TEXT, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	assert_int_equal(status, 0);
	assert_non_null(code);
	for (int y = -4; y < code->width + 4; y += 2) {
		assert_memory_equal(at, "\033[30;47m", 8);
		at += 8;
		for (int x = -4; x < code->width + 4; x++) {
			bool upper = false, lower = false;
			take_block(&at, &upper, &lower);
			assert_int_equal(upper, module(code, x, y));
			assert_int_equal(lower, module(code, x, y + 1));
		}
		assert_memory_equal(at, "\033[0m\n", 5);
		at += 5;
	}
	assert_int_equal(*at, '\0');
	QRcode_free(code);
	free(printed);
}

static void what_is_too_long(void **state)
{
	(void)state;
	static char text[4000];
	int status;
	memset(text, 'x', sizeof(text) - 1);
	free(print(text, &status));
	assert_int_equal(status, -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_module_is_there),
		cmocka_unit_test(what_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
