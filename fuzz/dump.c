/* SPDX-License-Identifier: MIT */
/*
 * The decoders of frames: one line, and every field. Whatever the bytes and the offload facts
 * are, the text fits, is of printable characters, and consists of whole lines of the form that
 * --trace and `weft dump --headers` rely on; in a buffer that is too short it is cut.
 *
 *     input:   how   length of the buffer   frame
 *     how      bit 0: a bare IP packet;  bits 1 to 3: offload flags
 */
#include "wire/cursor.h"

#include <weft/dump.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                  \
	do {                                                         \
		if (!(what)) {                                       \
			(void)fprintf(stderr, "false: %s\n", #what); \
			abort();                                     \
		}                                                    \
	} while (0)

static void check_characters(const char *text)
{
	for (; *text; text++)
		CHECK((*text >= ' ' && *text <= '~') || *text == '\n');
}

/* A header's line begins with its name, a field's with spaces; both have a colon. */
static const char *check_line(const char *line)
{
	size_t len = strcspn(line, "\n");
	CHECK(line[len] == '\n');
	CHECK(memchr(line, ':', len));
	return line + len + 1;
}

static void check_lines(const char *text)
{
	CHECK(*text && *text != ' ');
	while (*text)
		text = check_line(text);
}

/* A short buffer gets the beginning of the same text. */
static void check_short(const struct weft_frame *frame, bool is_ip, const char *whole,
			size_t len)
{
	char *text = malloc(len);
	CHECK(text);
	CHECK(weft_dump_headers(frame, is_ip, text, len) == text);
	CHECK(strlen(text) < len);
	size_t same = strlen(text) > 3 ? strlen(text) - 3 : 0;
	CHECK(memcmp(text, whole, same) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[WEFT_DUMP_LEN], headers[WEFT_DUMP_HEADERS_LEN];
	struct reader in = reader_of(data, size);
	uint8_t how = reader_u8(&in);
	size_t short_len = 1u + reader_u8(&in);
	size_t len = reader_left(&in);
	uint8_t *bytes = malloc(len ? len : 1);
	CHECK(bytes);
	if (len > 0)
		memcpy(bytes, data + size - len, len);
	const struct weft_frame frame = {
		.data = bytes,
		.len = (uint32_t)len,
		.offload = { .flags = how >> 1 & 7 },
	};
	bool is_ip = how & 1;
	CHECK(weft_dump_frame(&frame, is_ip, line, sizeof(line)) == line);
	check_characters(line);
	CHECK(!strchr(line, '\n'));
	CHECK(weft_dump_headers(&frame, is_ip, headers, sizeof(headers)) == headers);
	check_characters(headers);
	check_lines(headers);
	CHECK(strlen(headers) + 4 < sizeof(headers));
	check_short(&frame, is_ip, headers, short_len);
	free(bytes);
	return 0;
}
