/* SPDX-License-Identifier: MIT */
/*
 * `weft version`: what to put into a bug report.
 */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/syscalls.h"
#include "cmd/cmd.h"

#include <weft/version.h>

#include <gnutls/gnutls.h>
#include <jansson.h>
#include <netlink/version.h>
#include <ngtcp2/ngtcp2.h>
#include <pcap/pcap.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

struct args {
	bool json;
};

static const struct option options[] = {
	{ .name = "json",
	  .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, json),
	  .help = "print as JSON" },
	{ 0 },
};

static const struct command command = {
	.verb = "version",
	.summary = "Says which weft this is, and on which libraries it runs.",
	.options = options,
};

/* libpcap puts its name in front. */
static const char *pcap_version(void)
{
	static const char prefix[] = "libpcap version ";
	const char *text = pcap_lib_version();
	return strncmp(text, prefix, sizeof(prefix) - 1) == 0 ? text + sizeof(prefix) - 1
							      : text;
}

struct library {
	const char *name;
	const char *version;
};

static void print_json(const struct library *libraries, size_t n)
{
	json_t *versions = json_object();
	for (size_t i = 0; i < n; i++)
		(void)json_object_set_new(versions, libraries[i].name,
					  json_string(libraries[i].version));
	(void)output_json(json_pack("{s:s, s:s, s:o}", "event", "version", "version",
				    weft_version(), "libraries", versions));
}

static void print_text(const struct library *libraries, size_t n)
{
	printf("weft %s\n", weft_version());
	for (size_t i = 0; i < n; i++)
		printf("  %-10s %s\n", libraries[i].name, libraries[i].version);
}

int cmd_version(int argc, char **argv)
{
	struct args args = { 0 };
	int status;
	if (options_parse(&command, argc, argv, &args, &status) < 0)
		return status;
	char netlink[32];
	(void)snprintf(netlink, sizeof(netlink), "%d.%d.%d", nl_ver_maj, nl_ver_min,
		       nl_ver_mic);
	char seccomp[SYSCALLS_TEXT];
	const struct library libraries[] = {
		{ "libuv", uv_version_string() },
		{ "ngtcp2", ngtcp2_version(0)->version_str },
		{ "GnuTLS", gnutls_check_version(NULL) },
		{ "libsodium", sodium_version_string() },
		{ "Jansson", jansson_version_str() },
		{ "libnl", netlink },
		{ "libpcap", pcap_version() },
		{ "libseccomp", syscalls_library(seccomp) },
	};
	const size_t all = sizeof(libraries) / sizeof(libraries[0]);
	const size_t n = libraries[all - 1].version ? all : all - 1;
	if (args.json)
		print_json(libraries, n);
	else
		print_text(libraries, n);
	return fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}
