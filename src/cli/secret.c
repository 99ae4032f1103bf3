/* SPDX-License-Identifier: MIT */
/*
 * What is typed at the terminal is not shown. The signals of the keyboard are held back while
 * that is so, and looked for between two looks at the terminal: who ends the program there finds
 * a terminal that shows again what is typed.
 */
#include "cli/secret.h"

#include "cli/output.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define TOKEN_BYTES 24u
#define SHA1_BYTES  20u
#define LOOK_MS     100

static int fail(const struct secret_source *source, int r, const char *what,
		const char *why)
{
	char text[OUTPUT_STATUS_LEN];
	(void)snprintf(text, sizeof(text), "%s: %s", what, why);
	(void)output_fail(source->verb, text);
	return r;
}

/* Takes the first line of a stream, without its end. */
static int read_line(const struct secret_source *source, FILE *stream, const char *what,
		     char secret[SECRET_LEN])
{
	char line[SECRET_LEN + 2];
	const bool is_there = fgets(line, (int)sizeof(line), stream) != NULL;
	const size_t len = is_there ? strcspn(line, "\r\n") : 0;
	int r = 0;
	if (len == 0)
		r = fail(source, -EINVAL, what, "there is nothing in the first line");
	else if (len >= SECRET_LEN)
		r = fail(source, -EINVAL, what, "the first line is too long");
	if (r == 0) {
		memcpy(secret, line, len);
		secret[len] = '\0';
	}
	sodium_memzero(line, sizeof(line));
	return r;
}

/* ---- from a file ------------------------------------------------------------------------- */

static void warn_of_mode(const struct secret_source *source, FILE *stream)
{
	struct stat status;
	if (fstat(fileno(stream), &status) == 0 && S_ISREG(status.st_mode) &&
	    (status.st_mode & 077) != 0)
		(void)fprintf(stderr,
			      "weft %s: warning: others than its owner can use %s; run: "
			      "chmod 600 %s\n",
			      source->verb, source->file, source->file);
}

static int read_file(const struct secret_source *source, char secret[SECRET_LEN])
{
	if (strcmp(source->file, "-") == 0)
		return read_line(source, stdin, "<stdin>", secret);
	FILE *stream = fopen(source->file, "re");
	if (!stream)
		return fail(source, -errno, source->file, strerror(errno));
	warn_of_mode(source, stream);
	(void)setvbuf(stream, NULL, _IONBF, 0);
	const int r = read_line(source, stream, source->file, secret);
	(void)fclose(stream);
	return r;
}

/* ---- from the environment ---------------------------------------------------------------- */

/* Wipes it there, where /proc/PID/environ would show it for as long as the program runs. */
static int read_variable(const struct secret_source *source, char *value,
			 char secret[SECRET_LEN])
{
	const size_t len = strlen(value);
	if (len == 0 || len >= SECRET_LEN)
		return fail(source, -EINVAL, source->variable,
			    "it has to have 1 to 1024 bytes");
	memcpy(secret, value, len + 1);
	sodium_memzero(value, len);
	(void)unsetenv(source->variable);
	return 0;
}

/* ---- from a terminal --------------------------------------------------------------------- */

static void hold_signals(sigset_t *ret_held, sigset_t *ret_before)
{
	(void)sigemptyset(ret_held);
	(void)sigaddset(ret_held, SIGINT);
	(void)sigaddset(ret_held, SIGTERM);
	(void)sigaddset(ret_held, SIGHUP);
	(void)sigaddset(ret_held, SIGTSTP);
	(void)sigprocmask(SIG_BLOCK, ret_held, ret_before);
}

static bool is_any_pending(const sigset_t *held)
{
	sigset_t pending;
	(void)sigpending(&pending);
	for (int signal = 1; signal < NSIG; signal++)
		if (sigismember(held, signal) == 1 && sigismember(&pending, signal) == 1)
			return true;
	return false;
}

/* Waits for a line. False if a signal came first. */
static bool wait_for_line(FILE *terminal, const sigset_t *held)
{
	struct pollfd pollfd = { .fd = fileno(terminal), .events = POLLIN };
	while (poll(&pollfd, 1, LOOK_MS) == 0)
		if (is_any_pending(held))
			return false;
	return !is_any_pending(held);
}

static int ask(const struct secret_source *source, FILE *terminal,
	       char secret[SECRET_LEN])
{
	struct termios before, quiet;
	sigset_t held, mask;
	int r = -EINTR;
	if (tcgetattr(fileno(terminal), &before) < 0)
		return fail(source, -errno, "/dev/tty", strerror(errno));
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	hold_signals(&held, &mask);
	(void)tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
	(void)fputs(source->prompt, terminal);
	(void)fflush(terminal);
	if (wait_for_line(terminal, &held))
		r = read_line(source, terminal, "the terminal", secret);
	(void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
	(void)fputc('\n', terminal);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return r;
}

static int read_terminal(const struct secret_source *source, char secret[SECRET_LEN])
{
	FILE *terminal = fopen("/dev/tty", "r+e");
	if (!terminal)
		return fail(source, -ENOTTY, "there is no terminal to ask", source->hint);
	(void)setvbuf(terminal, NULL, _IONBF, 0);
	const int r = ask(source, terminal, secret);
	(void)fclose(terminal);
	return r;
}

int secret_read(const struct secret_source *source, char ret_secret[SECRET_LEN])
{
	char *value = source->variable ? getenv(source->variable) : NULL;
	if (source->file)
		return read_file(source, ret_secret);
	if (value)
		return read_variable(source, value, ret_secret);
	return read_terminal(source, ret_secret);
}

int secret_read_token(const char *verb, const char *file, char ret_token[SECRET_LEN])
{
	const struct secret_source source = {
		.verb = verb,
		.file = file,
		.variable = "WEFT_TOKEN",
		.prompt = "Token: ",
		.hint = "give the token as WEFT_TOKEN, or by --token-file",
	};
	return secret_read(&source, ret_token);
}

int secret_read_open_token(const char *verb, const char *file, char ret_token[SECRET_LEN])
{
	const struct secret_source source = {
		.verb = verb,
		.file = file,
		.variable = "WEFT_OPEN_TOKEN",
	};
	if (!file && !getenv(source.variable))
		return 0;
	const int r = secret_read(&source, ret_token);
	return r < 0 ? r : 1;
}

/* ---- made -------------------------------------------------------------------------------- */

void secret_make(char ret_token[SECRET_TOKEN_TEXT])
{
	uint8_t bytes[TOKEN_BYTES];
	randombytes_buf(bytes, sizeof(bytes));
	(void)sodium_bin2base64(ret_token, SECRET_TOKEN_TEXT, bytes, sizeof(bytes),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
}

int secret_sha1(const char *token, char ret_text[SECRET_SHA1_TEXT])
{
	uint8_t digest[SHA1_BYTES];
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, token, strlen(token), digest) < 0)
		return -ENOTSUP;
	(void)sodium_bin2hex(ret_text, SECRET_SHA1_TEXT, digest, sizeof(digest));
	return 0;
}
