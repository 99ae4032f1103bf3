/* SPDX-License-Identifier: MIT */
/*
 * What kinds of link there are the library knows, and says of each in lines of its own.
 */
#include "cmd/help_links.h"

#include "cli/exit_status.h"
#include "cli/output.h"

#include <weft/link.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What weft's own programs know beyond the library. */
static const char networks[] =
	"\n"
	"echo, nc, ping, http, dump and bridge enter a network by themselves, without a\n"
	"device and without root. What stands behind the kind is taken as it is:\n"
	"\n"
	"  weft://HOST/ROOM#KEY   a room, by its invitation; its key is blanked in `ps`\n"
	"  weft:@FILE             a room, by the invitation in the first line of FILE\n"
	"  weft:                  a room, by $WEFT_INVITATION, or what is typed unseen\n"
	"  tunnel:CONFIG.json     a tunnel's one end, a client's or a server's\n"
	"      e.g. impair:delay=20ms:tunnel:/etc/weft/site.json\n";

/* All that there is to say of links; the caller frees it. NULL without memory. */
static char *links_text(void)
{
	char *links = weft_link_help();
	const size_t len = links ? strlen(links) + sizeof(networks) : 0;
	char *text = links ? malloc(len) : NULL;
	if (text)
		(void)snprintf(text, len, "%s%s", links, networks);
	free(links);
	return text;
}

/* Whether a line begins to tell of a kind: "  tap:[NAME]  ..." */
static bool tells_of(const char *line, const char *kind)
{
	const size_t len = strlen(kind);
	return strncmp(line, "  ", 2) == 0 && strncmp(line + 2, kind, len) == 0 &&
	       line[2 + len] == ':';
}

/* What is said of one kind goes from its first line to an empty one. */
static int print_kind(const char *text, const char *kind)
{
	const char *line = text;
	while (line && !tells_of(line, kind)) {
		line = strchr(line, '\n');
		line += line != NULL;
	}
	if (!line) {
		(void)fprintf(stderr,
			      "weft: no link is called \"%s\" (see `weft help links`)\n",
			      kind);
		return STATUS_USAGE;
	}
	const char *end = strstr(line, "\n\n");
	(void)fwrite(line, 1, end ? (size_t)(end + 1 - line) : strlen(line), stdout);
	return STATUS_OK;
}

int help_links(const char *kind)
{
	int status = STATUS_OK;
	char *text = links_text();
	if (!text)
		return output_fail("help", "out of memory");
	if (kind)
		status = print_kind(text, kind);
	else
		(void)fputs(text, stdout);
	free(text);
	return status;
}
