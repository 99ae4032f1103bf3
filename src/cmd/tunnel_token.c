/* SPDX-License-Identifier: MIT */
/*
 * weft tunnel token: a token for a client, and the hash of it that the server's configuration
 * has. What chance made is safe as SHA-1; what somebody made up needs a hash that is slow.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/secret.h"
#include "cmd/cmd.h"
#include "cmd/tunnel.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct args {
	const char *file;
	bool ask, json;
};

static const struct option options[] = {
	{ .name = "ask",
	  .letter = 'a',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, ask),
	  .help = "ask for a token instead of making one, and print its\n" OPTION_INDENT
		  "argon2id, which is slow to guess" },
	{ .name = "token-file",
	  .letter = 't',
	  .type = OPTION_TEXT,
	  .syntax = "FILE",
	  .offset = OFFSET(struct args, file),
	  .help = "it is the first line of FILE, or of stdin: -" },
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, json),
	  .help = "print it as JSON" },
	{ 0 },
};

static const struct command command = {
	.verb = "tunnel token",
	.summary =
		"Makes a random token for a tunnel's client, and prints it with its hash:\n"
		"the token is for the client, the hash for the server's configuration.",
	.options = options,
	.notes =
		"A token that somebody made up is to have a slow hash: use --ask. It costs the\n"
		"server 64 MiB and a tenth of a second when the client connects.",
};

static int print(const struct args *args, const char *token, const char *hash)
{
	if (args->json)
		return output_json(
			json_pack("{s:s*, s:s}", "token", token, "hash", hash));
	if (token)
		printf("token  %s\n", token);
	printf("hash   %s\n", hash);
	return fflush(stdout) == 0 ? 0 : -EIO;
}

static int make(const struct args *args)
{
	char token[SECRET_TOKEN_TEXT], hash[SECRET_SHA1_TEXT];
	secret_make(token);
	int r = secret_sha1(token, hash);
	if (r < 0)
		return output_fail(command.verb, "this system forbids SHA-1; use --ask");
	r = print(args, token, hash);
	sodium_memzero(token, sizeof(token));
	return r < 0 ? STATUS_FAILED : STATUS_OK;
}

/* The slow hash of a token that is there already. */
static int hash_given(const struct args *args)
{
	const struct secret_source source = { .verb = command.verb,
					      .file = args->file,
					      .prompt = "Token: ",
					      .hint = "use --token-file" };
	char token[SECRET_LEN], hash[crypto_pwhash_STRBYTES];
	if (secret_read(&source, token) < 0)
		return STATUS_FAILED;
	int r = crypto_pwhash_str(hash, token, strlen(token),
				  crypto_pwhash_OPSLIMIT_INTERACTIVE,
				  crypto_pwhash_MEMLIMIT_INTERACTIVE);
	sodium_memzero(token, sizeof(token));
	if (r < 0)
		return output_fail(command.verb, "there are no 64 MiB of memory");
	return print(args, NULL, hash) < 0 ? STATUS_FAILED : STATUS_OK;
}

int tunnel_token(int argc, char **argv)
{
	struct args args = { .ask = false };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	if (sodium_init() < 0)
		return output_fail(command.verb, "no random numbers");
	return args.ask || args.file ? hash_given(&args) : make(&args);
}
