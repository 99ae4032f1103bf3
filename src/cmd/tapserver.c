/* SPDX-License-Identifier: MIT */
/*
 * tapserver: `weft serve` with the options, the defaults, the words and the life cycle of the
 * program of that name (github.com/fuzziqersoftware/tapserver), which is for macOS alone.
 *
 * One client, the interface made when it connects and gone when it leaves, status 0; or 3
 * where something goes wrong with the client there. What its options mean on Linux:
 *
 *   --network-device-number=N      the TAP is called feth<N>
 *   --io-device-number=N           nothing: a TAP has no second device
 *   --ip-address=A.B.C.D           with the length of the address's class, as ifconfig had it;
 *                                  A.B.C.D/LEN and IPv6 are understood as well
 *   --metric=N                     of the route to that network
 *   --disable-nud                  neighbours stay reachable for a day (no kernel's switch
 *                                  turns the probing off)
 *   --enable-router-advertisements accept_ra is 2, and else 0
 *   --ifconfig-command=COMMAND     nothing: the kernel is asked directly
 */
#include "cmd/cmd.h"
#include "cmd/serving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TAPSERVER_FAILED 3

/* Largest number whose name fits an interface. */
#define DEVICE_MAX 9999999u

static const char usage[] =
	"Usage: tapserver --listen=<port | addr:port | socket path> [options]\n"
	"\n"
	"Gives the program that connects a network interface of this machine's: what it\n"
	"writes are frames that come in on the interface, what it reads are those that\n"
	"go out. `weft serve --help` tells of a server for many clients and dialects.\n"
	"\n"
	"Options:\n"
	"  --help\n"
	"    Show this text.\n"
	"  --network-device-number=N\n"
	"    The interface is called fethN. (Default 1)\n"
	"  --io-device-number=N\n"
	"    Understood and not used: Linux needs no second device. (Default 2)\n"
	"  --mac-address=XX:XX:XX:XX:XX:XX\n"
	"    MAC address of the interface. (Default 90:90:90:90:90:90)\n"
	"  --ip-address=A.B.C.D[/LEN]\n"
	"    IP address of the interface. (Default 172.30.0.1)\n"
	"  --mtu=N\n"
	"    MTU of the interface, in bytes. (Default 1500)\n"
	"  --metric=N\n"
	"    Metric of the route to the interface's network. (Default 0)\n"
	"  --disable-nud\n"
	"    Do not probe whether IPv6 neighbors are still there.\n"
	"  --enable-router-advertisements\n"
	"    Take IPv6 router advertisements on the interface.\n"
	"  --ifconfig-command=COMMAND\n"
	"    Understood and not used.\n"
	"  --listen=PORT\n"
	"    Listen for a client on this TCP port.\n"
	"  --listen=ADDR:PORT, --listen=[IPV6]:PORT\n"
	"    Listen for a client on this TCP port of one address.\n"
	"  --listen=PATH\n"
	"    Listen for a client on this UNIX socket, which anybody may connect to.\n"
	"  --show-data\n"
	"    Print a hex/ASCII dump of all frames.\n"
	"  --show-size-warnings\n"
	"    Print a hex/ASCII dump of all frames whose size the non-framed protocol\n"
	"    would get wrong.\n"
	"  --use-framed-protocol\n"
	"    Put the length of each frame in front of it (2 bytes, little-endian).\n"
	"\n";

struct args {
	struct option_list listen;
	uint32_t mtu;
	const char *network_device, *io_device, *metric, *mac, *ip, *ifconfig;
	bool disable_nud, enable_ra, show_data, show_size_warnings, framed;
};

/* clang-format off */
static const struct option options[] = {
	{ .name = "listen", .type = OPTION_LIST, .syntax = "WHERE",
	  .offset = OFFSET(struct args, listen) },
	{ .name = "network-device-number", .type = OPTION_TEXT, .syntax = "N",
	  .offset = OFFSET(struct args, network_device) },
	{ .name = "io-device-number", .type = OPTION_TEXT, .syntax = "N",
	  .offset = OFFSET(struct args, io_device) },
	{ .name = "mac-address", .type = OPTION_TEXT, .syntax = "MAC",
	  .offset = OFFSET(struct args, mac) },
	{ .name = "ip-address", .type = OPTION_TEXT, .syntax = "IP",
	  .offset = OFFSET(struct args, ip) },
	{ .name = "mtu", .type = OPTION_NUMBER, .syntax = "N", .min = 68, .max = 65535,
	  .offset = OFFSET(struct args, mtu) },
	{ .name = "metric", .type = OPTION_TEXT, .syntax = "N",
	  .offset = OFFSET(struct args, metric) },
	{ .name = "disable-nud", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, disable_nud) },
	{ .name = "enable-router-advertisements", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, enable_ra) },
	{ .name = "ifconfig-command", .type = OPTION_TEXT, .syntax = "COMMAND",
	  .offset = OFFSET(struct args, ifconfig) },
	{ .name = "show-data", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, show_data) },
	{ .name = "show-size-warnings", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, show_size_warnings) },
	{ .name = "use-framed-protocol", .type = OPTION_FLAG,
	  .offset = OFFSET(struct args, framed) },
	{ 0 },
};
/* clang-format on */

static const struct command command = {
	.verb = "tapserver",
	.options = options,
};

/* ---- words ------------------------------------------------------------------------------- */

static void listening(struct output *out, const struct weft_plug *plug)
{
	const char *address = weft_plug_address(plug);
	const char *port = strrchr(address, ':');
	if (strchr(address, '/'))
		weft_log_info(&out->log, "listening on unix socket %s", address);
	else
		weft_log_info(&out->log, "listening on port %s",
			      port ? port + 1 : address);
}

static void waiting(struct output *out)
{
	weft_log_info(&out->log, "waiting for connection");
}

static void connected(struct output *out, const struct weft_serve_client *client)
{
	(void)client;
	weft_log_info(&out->log, "client connected");
}

/* A client that goes is the normal end; one that is ended for what it sent is none. */
static int disconnected(struct output *out, const struct weft_serve_client *client,
			const char *reason)
{
	static const char its_fault[] = "it sent ";
	(void)client;
	if (strncmp(reason, its_fault, sizeof(its_fault) - 1) == 0) {
		weft_log_error(&out->log,
			       "cannot determine frame size: %s; that is "
			       "--use-framed-protocol",
			       reason);
		return TAPSERVER_FAILED;
	}
	weft_log_info(&out->log, "client disconnected");
	return STATUS_OK;
}

static void uplink_ended(struct output *out, const char *name, const char *reason)
{
	(void)name;
	(void)reason;
	weft_log_info(&out->log, "tap disconnected");
}

static int cannot_start(int r, const char *text)
{
	(void)r;
	(void)fprintf(stderr, "error: %s\n", text);
	return STATUS_FAILED;
}

static const struct serving_words words = {
	.verb = "tapserver",
	.failed = TAPSERVER_FAILED,
	.listening = listening,
	.waiting = waiting,
	.connected = connected,
	.disconnected = disconnected,
	.uplink_ended = uplink_ended,
	.cannot_start = cannot_start,
};

/* ---- the command line -------------------------------------------------------------------- */

static int invalid(const char *why)
{
	(void)fprintf(stderr, "invalid arguments: %s\n\n%s", why, usage);
	return STATUS_USAGE;
}

static int hex_digit(char c)
{
	const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Six bytes of two hex digits each; whatever stands between them divides them. */
static bool parse_mac(const char *text, struct weft_mac *ret_mac)
{
	struct weft_mac mac = { .octet = { 0 } };
	size_t n = 0;
	while (*text) {
		int high = hex_digit(text[0]);
		if (high < 0) {
			text++;
			continue;
		}
		int low = hex_digit(text[1]);
		if (low < 0 || n == sizeof(mac.octet))
			return false;
		mac.octet[n++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	*ret_mac = mac;
	return n == sizeof(mac.octet);
}

/* Without a length the address has that of its class (RFC 791, 3.2), as ifconfig does it. */
static bool parse_ip(const char *text, struct weft_ip *ret_ip)
{
	if (weft_ip_parse(text, ret_ip) < 0)
		return false;
	if (strchr(text, '/'))
		return true;
	if (ret_ip->family != AF_INET)
		ret_ip->prefix = 64;
	else if (ret_ip->octet[0] < 128)
		ret_ip->prefix = 8;
	else
		ret_ip->prefix = ret_ip->octet[0] < 192 ? 16 : 24;
	return true;
}

/* Numbers that may be 0, which those of cli/options.h may not. */
static bool parse_number(const char *text, uint32_t max, uint32_t *ret_number)
{
	unsigned long value = strtoul(text, NULL, 10);
	if (!*text || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text) ||
	    value > max)
		return false;
	*ret_number = (uint32_t)value;
	return true;
}

static const char *take_listen(const struct args *args, struct serving_args *serving)
{
	const char *where = args->listen.n ? args->listen.items[0] : "";
	if (args->listen.n > 1)
		return "--listen may only be given once";
	if (!*where)
		return "--listen must be given";
	if (where[0] != '/' && strchr(where, '/'))
		return "--listen must be an addr:port, port, or unix socket path (which "
		       "begins with a /)";
	if (plug_specs_add(&serving->plugs, args->framed ? "tapserver" : "bare", where,
			   "mode=0777") < 0)
		return "--listen is too long";
	return NULL;
}

static const char *take_args(const struct args *args, struct serving_args *serving,
			     char name[16])
{
	struct interface_opts *interface = &serving->interface;
	uint32_t device, io_device;
	const char *wrong = take_listen(args, serving);
	if (wrong)
		return wrong;
	if (!parse_number(args->network_device, DEVICE_MAX, &device) ||
	    !parse_number(args->io_device, DEVICE_MAX, &io_device))
		return "a device number is from 0 to 9999999";
	if (!parse_number(args->metric, UINT32_MAX, &interface->metric))
		return "--metric must be a number";
	if (!parse_mac(args->mac, &interface->mac))
		return "--mac-address must be 6 hexadecimal bytes";
	if (!parse_ip(args->ip, &interface->addresses[0]))
		return "--ip-address must be 4 decimal bytes";
	(void)snprintf(name, 16, "feth%u", (unsigned)device);
	interface->name = name;
	interface->addresses_n = 1;
	interface->mtu = args->mtu;
	interface->nud = args->disable_nud ? SWITCH_OFF : SWITCH_SYSTEM;
	interface->ra = args->enable_ra ? SWITCH_ON : SWITCH_OFF;
	serving->life = SERVING_ONCE;
	serving->show_data = args->show_data;
	serving->show_size_warnings = args->show_size_warnings;
	return NULL;
}

/* Like the original: on stderr, and the rest of the command line is not looked at. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int cmd_tapserver(int argc, char **argv)
{
	struct args args = { .network_device = "1",
			     .io_device = "2",
			     .metric = "0",
			     .mtu = 1500,
			     .mac = "90:90:90:90:90:90",
			     .ip = "172.30.0.1",
			     .ifconfig = "ifconfig" };
	struct serving_args *serving;
	char name[16];
	int status;
	if (wants_help(argc, argv)) {
		(void)fputs(usage, stderr);
		return STATUS_OK;
	}
	if (options_parse(&command, argc, argv, &args, &status) < 0) {
		(void)fprintf(stderr, "\n%s", usage);
		return status;
	}
	serving = calloc(1, sizeof(*serving));
	if (!serving)
		return invalid("out of memory");
	const char *wrong = take_args(&args, serving, name);
	status = wrong ? invalid(wrong) : serving_run(serving, &words);
	free(serving);
	return status;
}
