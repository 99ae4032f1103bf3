/* SPDX-License-Identifier: MIT */
/*
 * An invitation that is wrong stays readable on the command line: no secret was found in it.
 */
#include "cmd/invitation.h"

#include "cli/secret.h"
#include "cli/units.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

#define HINT "give it as WEFT_INVITATION, as '@FILE', or as '-' on standard input"

/* Without an operand. */
static int ask(const char *verb, struct weft_error *err, struct weft_invite *ret_invite)
{
	const struct secret_source source = {
		.verb = verb,
		.variable = "WEFT_INVITATION",
		.prompt = "Invitation: ",
		.hint = HINT,
	};
	char text[SECRET_LEN];

	/* Whose standard input is no terminal is a script, which nobody sits before. */
	if (!getenv(source.variable) && !isatty(STDIN_FILENO))
		return weft_error_set(
			err, -EINVAL,
			"no INVITATION is given, and there is no terminal to "
			"ask: " HINT);
	int r = secret_read(&source, text);

	if (r < 0) {
		err->text[0] = '\0';
		return r == -EINVAL ? -ENODATA : r;
	}
	r = weft_invite_parse(text, err, ret_invite);
	sodium_memzero(text, sizeof(text));
	return r;
}

int invitation_read(const char *verb, char *operand, struct weft_error *err,
		    struct weft_invite *ret_invite)
{
	char line[WEFT_INVITE_TEXT];
	int r = 0;

	if (!operand || strcmp(operand, "weft:") == 0)
		return ask(verb, err, ret_invite);
	char *secret = strchr(operand, '#');
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

int64_t invitation_expiry(uint64_t after_ns)
{
	if (after_ns == 0)
		return WEFT_PASS_NEVER;
	const uint64_t at = (uint64_t)time(NULL) + after_ns / NS_PER_S;
	return at < WEFT_PASS_NEVER ? (int64_t)at : -1;
}
