/* SPDX-License-Identifier: MIT */
/*
 * An invitation that is wrong stays readable on the command line: no secret was found in it.
 */
#include "cmd/invitation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Reads the first line of a stream into buf, without its end. */
static int read_line(FILE *stream, char *buf, size_t len)
{
	errno = 0;
	if (!fgets(buf, (int)len, stream))
		return errno ? -errno : -ENODATA;
	buf[strcspn(buf, "\r\n")] = '\0';
	return 0;
}

static int read_file(const char *path, char *buf, size_t len, struct weft_error *err)
{
	FILE *stream = fopen(path, "re");
	int r = stream ? read_line(stream, buf, len) : -errno;

	if (stream)
		(void)fclose(stream);
	if (r < 0)
		return weft_error_set(err, r, "%s: no invitation can be read from it: %s",
				      path, r == -ENODATA ? "it is empty" : strerror(-r));
	return 0;
}

int invitation_read(char *operand, struct weft_error *err, struct weft_invite *ret_invite)
{
	char line[WEFT_INVITE_TEXT];
	char *secret = strchr(operand, '#');
	int r = 0;

	if (strcmp(operand, "-") == 0) {
		r = read_line(stdin, line, sizeof(line));
		if (r < 0)
			return weft_error_set(err, r,
					      "no invitation came on standard input");
		return weft_invite_parse(line, err, ret_invite);
	}
	if (operand[0] == '@') {
		r = read_file(operand + 1, line, sizeof(line), err);
		return r < 0 ? r : weft_invite_parse(line, err, ret_invite);
	}
	r = weft_invite_parse(operand, err, ret_invite);
	if (r == 0 && secret)
		memset(secret + 1, '*', strlen(secret + 1));
	return r;
}
