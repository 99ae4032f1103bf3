/* SPDX-License-Identifier: MIT */
/*
 * `weft check`: all that is wrong with a tunnel's configuration, and what a good one means.
 */
#include "cmd/cmd.h"
#include "cmd/config_file.h"
#include "cmd/meaning.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/units.h"

#include <weft/tunnel.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct args {
	struct output_opts output;
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
	{ 0 },
};

static const struct command command = {
	.verb = "check",
	.operands = "CONFIG.json",
	.operands_min = 1,
	.operands_max = 1,
	.summary =
		"Checks the configuration of a tunnel: shows all that is wrong with it, "
		"and how\nto mend it; and if nothing is, what it means.",
	.options = options,
	.notes =
		"weft check tunnel.json\n"
		"weft check - < tunnel.json   from standard input\n"
		"\n"
		"Warnings are of what can be used and looks wrong. Exit status: 0 it can "
		"be\n"
		"used, 1 it cannot (or could not be read), 2 the command line is wrong.\n"
		"With --json: \"fault\" for each, \"interface\" for each, and "
		"\"checked\".",
};

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

int cmd_check(int argc, char **argv)
{
	struct args args = { 0 };
	struct output out;
	struct config_file file;
	struct weft_tunnel_config *config = NULL;
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	output_init(&out, &args.output);
	if (config_file_read(&file, &out, "check", argv[1]) < 0)
		return STATUS_FAILED;
	int r = config_file_parse(&file, &config);
	if (r == 0)
		tell_meaning(&out, config);
	if (r == -ENOMEM)
		(void)output_fail("check", strerror(ENOMEM));
	else
		tell_summary(&out, &file, r == 0);
	config_file_fini(&file);
	weft_tunnel_config_free(config);
	return r == 0 && fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}
