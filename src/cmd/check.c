/* SPDX-License-Identifier: MIT */
/*
 * `weft check`: all that is wrong with a tunnel's configuration, and what a good one means.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/config_file.h"
#include "cmd/meaning.h"

#include <weft/tunnel.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Ends the program where the packet that was asked about does not pass. */
#define STATUS_DENIED 3

struct args {
	struct output_opts output;
	const char *explain, *interface;
	unsigned protocol;
	uint32_t port;
};

static const struct option options[] = {
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, output.json),
	  .help = "print what was found as JSON, one object per line" },
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, output.quiet),
	  .help = "print what is wrong only" },
	{ .name = "explain",
	  .letter = 'e',
	  .type = OPTION_TEXT,
	  .syntax = "SRC DST",
	  .offset = OFFSET(struct args, explain),
	  .help = "say what becomes of a packet instead; each is an\n" OPTION_INDENT
		  "address, a client's name, or __self__, the server" },
	{ .name = "protocol",
	  .type = OPTION_CHOICE,
	  .syntax = "any|tcp|udp|icmp",
	  .offset = OFFSET(struct args, protocol),
	  .help = "of that packet [any]" },
	{ .name = "port",
	  .type = OPTION_NUMBER,
	  .syntax = "N",
	  .max = 65535,
	  .offset = OFFSET(struct args, port),
	  .help = "to this port [any]" },
	{ .name = "interface",
	  .type = OPTION_TEXT,
	  .syntax = "NAME",
	  .offset = OFFSET(struct args, interface),
	  .help = "at this server [the one that has SRC or DST]" },
	{ 0 },
};

static const struct command command = {
	.verb = "check",
	.operands = "CONFIG.json",
	.operands_min = 1,
	.operands_max = 2,
	.summary =
		"Checks the configuration of a tunnel: shows all that is wrong with it, and how\n"
		"to mend it; and if nothing is, what it means.",
	.options = options,
	.notes =
		"weft check tunnel.json\n"
		"weft check - < tunnel.json   from standard input\n"
		"weft check --explain office 192.168.1.9 --protocol tcp --port 443 tunnel.json\n"
		"\n"
		"Warnings are of what can be used and looks wrong. Exit status: 0 it can be\n"
		"used, or the packet passes; 1 it cannot, or could not be read; 2 the command\n"
		"line is wrong; 3 the packet does not pass. With --json: \"fault\" for each,\n"
		"\"interface\" for each, or \"explained\", and \"checked\".",
};

/* ---- a packet ---------------------------------------------------------------------------- */

struct answer {
	const struct config_file *file;
	json_t *lines;
};

/* Prints a sentence with the file in front of a line's number: "line 7" is "a.json:7". */
static void print_sentence(const struct config_file *file, const char *text)
{
	const char *line;
	while ((line = strstr(text, "line ")) != NULL) {
		const char *number = line + strlen("line ");
		const bool is_line = *number >= '0' && *number <= '9';
		printf("%.*s%s%s", (int)(line - text), text,
		       is_line ? file->path : "line", is_line ? ":" : " ");
		text = number;
	}
	puts(text);
}

static void on_sentence(void *user, const char *text)
{
	struct answer *answer = user;
	if (answer->lines)
		(void)json_array_append_new(answer->lines, json_string(text));
	else
		print_sentence(answer->file, text);
}

static int explain(const struct args *args, const char *dst, struct config_file *file,
		   const struct weft_tunnel_config *config)
{
	static const uint8_t protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	const struct weft_tunnel_question question = { .src = args->explain,
						       .dst = dst,
						       .protocol =
							       protocols[args->protocol],
						       .port = (uint16_t)args->port,
						       .interface = args->interface };
	struct answer answer = { file, file->out->json ? json_array() : NULL };
	struct weft_error err = { .text = "" };
	const int r = weft_tunnel_explain(config, &question, on_sentence, &answer, &err);
	if (r >= 0 && answer.lines)
		output_event(file->out, "explained",
			     json_pack("{s:s, s:s, s:b, s:O}", "src", question.src, "dst",
				       dst, "passes", r > 0, "sentences", answer.lines));
	json_decref(answer.lines);
	if (r == -ENOMEM)
		return output_fail(command.verb, strerror(ENOMEM));
	if (r < 0)
		return options_fail(&command, err.text);
	return r > 0 ? STATUS_OK : STATUS_DENIED;
}

/* ---- the verb ---------------------------------------------------------------------------- */

static void tell_meaning(struct output *out, const struct weft_tunnel_config *config)
{
	for (size_t i = 0; i < config->interfaces_n; i++) {
		if (out->json)
			output_event(out, "interface",
				     meaning_json(&config->interfaces[i]));
		else if (!out->quiet)
			meaning_print(&config->interfaces[i]);
	}
}

static void tell_summary(struct output *out, const struct config_file *file,
			 bool is_usable)
{
	char errors[UNITS_COUNT_TEXT], warnings[UNITS_COUNT_TEXT];
	if (out->json) {
		output_event(out, "checked",
			     json_pack("{s:s, s:b, s:i, s:i}", "file", file->path,
				       "usable", is_usable, "errors", (int)file->errors,
				       "warnings", (int)file->warnings));
		return;
	}
	if (out->quiet && file->errors + file->warnings == 0)
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s, %s: %s\n", file->path,
		      units_print_count(file->errors, "error", "errors", errors),
		      units_print_count(file->warnings, "warning", "warnings", warnings),
		      is_usable ? "it can be used" : "it cannot be used");
}

/* What is asked of a configuration that can be used. */
static int answer(const struct args *args, char **operands, struct config_file *file,
		  const struct weft_tunnel_config *config)
{
	if (args->explain)
		return explain(args, operands[0], file, config);
	tell_meaning(file->out, config);
	return STATUS_OK;
}

static int check(const struct args *args, char **operands, const char *path)
{
	struct output out;
	struct config_file file;
	struct weft_tunnel_config *config = NULL;
	int status = STATUS_FAILED;
	output_init(&out, &args->output);
	if (config_file_read(&file, &out, command.verb, path) < 0)
		return STATUS_FAILED;
	const int r = config_file_parse(&file, &config);
	if (r == 0)
		status = answer(args, operands, &file, config);
	if (r == -ENOMEM)
		(void)output_fail(command.verb, strerror(ENOMEM));
	else if (r < 0 || !args->explain || out.json)
		tell_summary(&out, &file, r == 0);
	config_file_fini(&file);
	weft_tunnel_config_free(config);
	return fflush(stdout) == 0 ? status : STATUS_FAILED;
}

int cmd_check(int argc, char **argv)
{
	struct args args = { .explain = NULL };
	int status;
	const int n = options_parse(&command, argc, argv, &args, &status);
	if (n < 0)
		return status;
	if (args.explain && n < 2)
		return options_fail(&command, "--explain needs SRC, DST and CONFIG.json");
	if (!args.explain && n > 1)
		return options_fail(&command,
				    "one file at a time; two operands are --explain's");
	if (!args.explain && (args.protocol || args.port || args.interface))
		return options_fail(&command,
				    "--protocol, --port and --interface say more "
				    "of the packet of --explain");
	return check(&args, argv + 1, argv[n]);
}
