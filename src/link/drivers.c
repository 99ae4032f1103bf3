/* SPDX-License-Identifier: MIT */
/*
 * The rows of all kinds of link, weft_link_open and the help text, which are both made from
 * the rows: what is not in a row can neither be given nor read about.
 */
#include "link/drivers.h"

#include "base/fmt.h"
#include "link/local.h"
#include "link/solo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twice the help text of today; what does not fit is cut, and a test would see it. */
#define HELP_LEN_MAX 24576u

static const struct spec_option tap_options[] = {
	[TAP_PERSIST] = { "persist", SPEC_FLAG, NULL, "off",
			  "keep the device when weft ends" },
	[TAP_MULTIQUEUE] = { "multiqueue", SPEC_FLAG, NULL, "off",
			     "one queue of several: open the name again for the next" },
	[TAP_OFFLOAD] = { "offload", SPEC_FLAG, "on|off", "on",
			  "take super-frames of 64 KiB (TSO, USO) from the kernel" },
	[TAP_FD] = { "fd", SPEC_NUMBER, "N", NULL,
		     "an open /dev/net/tun, perhaps of another namespace" },
	[TAP_MAC] = { "mac", SPEC_MAC, "MAC", NULL, "the device's own address" },
	{ 0 },
};

/* A TUN has no MAC; the rest is the same, in the same places. */
static const struct spec_option tun_options[] = {
	[TAP_PERSIST] = { "persist", SPEC_FLAG, NULL, "off",
			  "keep the device when weft ends" },
	[TAP_MULTIQUEUE] = { "multiqueue", SPEC_FLAG, NULL, "off",
			     "one queue of several: open the name again for the next" },
	[TAP_OFFLOAD] = { "offload", SPEC_FLAG, "on|off", "on",
			  "take super-frames of 64 KiB (TSO, USO) from the kernel" },
	[TAP_FD] = { "fd", SPEC_NUMBER, "N", NULL,
		     "an open /dev/net/tun, perhaps of another namespace" },
	{ 0 },
};

static const struct spec_option packet_options[] = {
	[PACKET_PROMISC] = { "promisc", SPEC_FLAG, "on|off", "on",
			     "take frames for other addresses than the NIC's own" },
	[PACKET_BUFFER] = { "buffer", SPEC_SIZE, "SIZE", "4m",
			    "socket buffer in each direction" },
	[PACKET_SENT] = { "sent", SPEC_FLAG, NULL, "off",
			  "and frames that others on this machine send, to look at "
			  "them" },
	{ 0 },
};

static const struct spec_option replay_options[] = {
	[REPLAY_RATE] = { "rate", SPEC_CHOICE, "real|fast", "real",
			  "as captured, or as fast as it can be read" },
	[REPLAY_LOOP] = { "loop", SPEC_FLAG, NULL, "off", "begin again at the end" },
	{ 0 },
};

static const struct spec_option capture_options[] = {
	[CAPTURE_SNAP] = { "snap", SPEC_SIZE, "SIZE", "256k",
			   "record so much of each frame" },
	{ 0 },
};

static const struct spec_option impair_options[] = {
	[IMPAIR_LOSS] = { "loss", SPEC_PERCENT, "PERCENT", "0%", "frames that are lost" },
	[IMPAIR_DELAY] = { "delay", SPEC_DURATION, "TIME", "0", "time under way" },
	[IMPAIR_JITTER] = { "jitter", SPEC_DURATION, "TIME", "0",
			    "the delay varies by so much; order is kept" },
	[IMPAIR_DUPLICATE] = { "duplicate", SPEC_PERCENT, "PERCENT", "0%",
			       "frames that come twice" },
	[IMPAIR_REORDER] = { "reorder", SPEC_PERCENT, "PERCENT", "0%",
			     "frames that skip the delay and overtake" },
	[IMPAIR_RATE] = { "rate", SPEC_RATE, "RATE", "0",
			  "bottleneck, such as 200mbit; 0 for none" },
	[IMPAIR_LIMIT] = { "limit", SPEC_LIMIT, "FRAMES|SIZE", "1000",
			   "queue in front of it: 1000 frames, or 64k bytes" },
	[IMPAIR_DIR] = { "dir", SPEC_CHOICE, "both|tx|rx", "both",
			 "which way; tx is into the link" },
	[IMPAIR_SEED] = { "seed", SPEC_NUMBER, "NUMBER", "1",
			  "of chance: the same seed, the same run" },
	{ 0 },
};

static const struct spec_driver tap_driver = {
	.kind = "tap",
	.name_syntax = "[NAME]",
	.summary = "an Ethernet device of this machine; no NAME: the next free weftN",
	.example = "tap:weft0,mac=02:00:00:00:00:01",
	.options = tap_options,
	.open = tap_open,
};

static const struct spec_driver tun_driver = {
	.kind = "tun",
	.name_syntax = "[NAME]",
	.summary = "an IP device of this machine, without Ethernet",
	.example = "tun:weft0,persist",
	.options = tun_options,
	.open = tun_open,
};

static const struct spec_driver packet_driver = {
	.kind = "packet",
	.name_syntax = "NAME",
	.needs_name = true,
	.summary = "a wired network interface: all frames on its cable",
	.example = "packet:eth0",
	.options = packet_options,
	.open = packet_open,
};

static const struct spec_driver replay_driver = {
	.kind = "pcap",
	.name_syntax = "FILE",
	.needs_name = true,
	.summary = "replays a capture file (pcap, pcapng)",
	.example = "pcap:trace.pcapng,rate=fast",
	.options = replay_options,
	.open = replay_open,
};

static const struct spec_driver capture_driver = {
	.kind = "capture",
	.name_syntax = "FILE",
	.needs_name = true,
	.is_wrapper = true,
	.summary = "records what passes LINK, both ways (pcap, or .pcapng)",
	.example = "capture:trace.pcapng:tap:weft0",
	.options = capture_options,
	.open = capture_open,
};

static const struct spec_driver impair_driver = {
	.kind = "impair",
	.is_wrapper = true,
	.summary = "makes LINK as bad as a real one",
	.example = "impair:loss=1%,delay=20ms,jitter=5ms:tap:weft0",
	.options = impair_options,
	.open = impair_open,
};

const struct spec_driver *const link_drivers[] = {
	&tap_driver,
	&tun_driver,
	&packet_driver,
	&replay_driver,
	&capture_driver,
	&impair_driver,

	&tapserver_driver,
	&bare_driver,
	&qemu_driver,
	&gvproxy_driver,
	&vde_stream_driver,
	&vpnkit_driver,
	&auto_driver,
	&modem_driver,
	&modem_raw_driver,
	/* Dialects of datagrams. */
	&qemu_dgram_driver,
	&vfkit_driver,
	&bess_driver,
	&vde_driver,
	&vde_p2p_driver,
	&kai_driver,
	&dosbox_driver,

	NULL,
};

/* A spec in its parts: the wrappers from outside to inside, and the link at the end. */
struct chain {
	struct spec specs[SPEC_DEPTH_MAX + 1];
	size_t n;
	char *text; /* What the parts point into. */
};

static void chain_fini(struct chain *c)
{
	free(c->text);
}

static const struct spec *chain_innermost(const struct chain *c)
{
	return &c->specs[c->n - 1];
}

static int chain_parse_parts(struct chain *c, const struct spec_source *source,
			     struct weft_error *err)
{
	size_t offset = 0;
	for (;;) {
		if (c->n > SPEC_DEPTH_MAX)
			return weft_error_set(err, -EINVAL,
					      "more than %u wrappers around a link",
					      SPEC_DEPTH_MAX);
		struct spec *spec = &c->specs[c->n];
		int r = spec_parse(source, offset, err, spec);
		if (r < 0)
			return r;
		c->n++;
		if (!spec->driver->is_wrapper)
			return 0;
		offset = (size_t)(spec->inner - source->text);
	}
}

/* Parses all of a spec. Returns 0, or -Exxx with err and nothing to clean up. */
static int chain_parse(const char *spec, bool is_of_plug, struct weft_error *err,
		       struct chain *ret_chain)
{
	if (strlen(spec) > SPEC_LEN_MAX) {
		weft_error_set(err, -EINVAL, "a link has at most %u characters",
			       SPEC_LEN_MAX);
		return -EINVAL;
	}
	struct chain c = { .text = strdup(spec) };
	if (!c.text) {
		weft_error_set(err, -ENOMEM, "out of memory");
		return -ENOMEM;
	}
	const struct spec_source source = { .drivers = link_drivers,
					    .whole = spec,
					    .text = c.text,
					    .is_of_plug = is_of_plug };
	int r = chain_parse_parts(&c, &source, err);
	if (r < 0) {
		chain_fini(&c);
		return r;
	}
	*ret_chain = c;
	return 0;
}

/*
 * Puts the wrappers of a chain around a link, from inside to outside. One with a name writes a
 * file of that name (capture): each link of a plug but the first has its number behind it.
 */
static int chain_wrap(const struct chain *c, uint32_t number, struct weft_error *err,
		      struct weft_link **link)
{
	char name[SPEC_LEN_MAX + sizeof(".4294967295")];
	for (size_t i = c->n - 1; i-- > 0;) {
		struct spec spec = c->specs[i];
		if (number > 1 && spec.driver->needs_name) {
			(void)snprintf(name, sizeof(name), "%s.%u", spec.name, number);
			spec.name = name;
		}
		int r = spec.driver->open(&spec, *link, err, link);
		if (r < 0)
			return r;
	}
	return 0;
}

static int innermost_open(const struct spec *spec, struct weft_error *err,
			  struct weft_link **ret_link)
{
	if (spec->driver->open)
		return spec->driver->open(spec, NULL, err, ret_link);
	return solo_open(spec, err, ret_link);
}

int weft_link_open(const char *spec, struct weft_error *err, struct weft_link **ret_link)
{
	struct weft_link *link = NULL;
	struct chain c;
	int r = chain_parse(spec, false, err, &c);
	if (r < 0)
		return r;
	r = innermost_open(chain_innermost(&c), err, &link);
	if (r == 0)
		r = chain_wrap(&c, 1, err, &link);
	chain_fini(&c);
	if (r < 0) {
		weft_link_free(link);
		return r == -ENOMEM ? weft_error_set(err, r, "out of memory") : r;
	}
	*ret_link = link;
	return 0;
}

int drivers_wrap(const char *spec, uint32_t number, struct weft_error *err,
		 struct weft_link **link)
{
	struct chain c;
	int r = chain_parse(spec, true, err, &c);
	if (r < 0)
		return r;
	r = chain_wrap(&c, number, err, link);
	chain_fini(&c);
	return r;
}

/* The parser wants a link behind wrappers; the one that is named here is never opened. */
int weft_link_wrap(const char *wrappers, struct weft_error *err, struct weft_link **link)
{
	char spec[SPEC_LEN_MAX + 1];
	struct chain c;
	int len = snprintf(spec, sizeof(spec), "%s:tap", wrappers);
	if (len < 0 || (size_t)len >= sizeof(spec))
		return weft_error_set(err, -EINVAL, "wrappers are too long");
	int r = chain_parse(spec, false, err, &c);
	if (r < 0)
		return r;
	if (c.n < 2 || chain_innermost(&c)->name[0] != '\0')
		r = weft_error_set(err, -EINVAL, "%s: %s goes around no link", wrappers,
				   chain_innermost(&c)->driver->kind);
	else
		r = chain_wrap(&c, 1, err, link);
	chain_fini(&c);
	return r;
}

static int fail_no_plug(const char *kind, struct weft_error *err)
{
	char kinds[200];
	struct fmt f;

	fmt_init(&f, kinds, sizeof(kinds));
	for (size_t i = 0; link_drivers[i]; i++) {
		if (link_drivers[i]->plug)
			fmt_add(&f, "%s%s", f.off ? ", " : "", link_drivers[i]->kind);
	}
	return weft_error_set(err, -EINVAL, "%s is no plug; plugs are: %s", kind,
			      fmt_text(&f));
}

int drivers_open_plug(const char *spec, struct weft_error *err,
		      struct weft_plug **ret_plug)
{
	struct chain c;
	int r = chain_parse(spec, true, err, &c);
	if (r < 0)
		return r;
	const struct spec *innermost = chain_innermost(&c);
	if (innermost->driver->plug)
		r = innermost->driver->plug(innermost, err, ret_plug);
	else
		r = fail_no_plug(innermost->driver->kind, err);
	chain_fini(&c);
	return r == -ENOMEM ? weft_error_set(err, r, "out of memory") : r;
}

bool drivers_is_plug(const char *spec)
{
	struct chain c;
	if (chain_parse(spec, true, NULL, &c) < 0)
		return false;
	bool is_plug = chain_innermost(&c)->driver->plug != NULL;
	chain_fini(&c);
	return is_plug;
}

/* Width of what stands in front of the text in a line of help. */
#define HELP_COLUMN 20

/* What every plug takes, and help says once. */
static const struct spec_option plug_options[] = { LOCAL_OPTIONS, { 0 } };

/* A plug's options begin with these. One with another default than usual is worth its line. */
static bool is_common(const struct spec_driver *driver, size_t i)
{
	if (!driver->plug || i >= LOCAL_OPTIONS_N)
		return false;
	const char *usual = plug_options[i].standard;
	const char *standard = driver->options[i].standard;
	return usual && standard ? strcmp(usual, standard) == 0 : usual == standard;
}

static void help_option(struct fmt *out, const struct spec_option *option)
{
	char syntax[48];
	struct fmt f;

	fmt_init(&f, syntax, sizeof(syntax));
	fmt_add(&f, "%s%s%s", option->name, option->syntax ? "=" : "",
		option->syntax ? option->syntax : "");
	fmt_add(out, "      %-*s", HELP_COLUMN, fmt_text(&f));
	if (f.off > HELP_COLUMN)
		fmt_add(out, "\n      %*s", HELP_COLUMN, "");
	fmt_add(out, " %s", option->help);
	if (option->syntax && option->standard)
		fmt_add(out, " (%s)", option->standard);
	fmt_add(out, "\n");
}

static void help_driver(struct fmt *out, const struct spec_driver *driver)
{
	char syntax[48];
	struct fmt f;

	fmt_init(&f, syntax, sizeof(syntax));
	fmt_add(&f, "%s:%s%s", driver->kind,
		driver->name_syntax ? driver->name_syntax : "...",
		driver->is_wrapper ? ":LINK" : "");
	fmt_add(out, "\n  %-*s   %s\n", HELP_COLUMN, fmt_text(&f), driver->summary);
	for (size_t i = 0; driver->options && driver->options[i].name; i++) {
		if (!is_common(driver, i))
			help_option(out, &driver->options[i]);
	}
	fmt_add(out, "      e.g. %s\n", driver->example);
}

static void help_plugs(struct fmt *out)
{
	fmt_add(out, "\nA plug takes emulators, virtual machines and programs over a\n"
		     "local socket. ADDRESS is a UNIX path (it holds a /), PORT,\n"
		     "HOST:PORT, fd:N for a descriptor that was inherited, or - for\n"
		     "standard input and output. All plugs have these options:\n");
	for (const struct spec_option *o = plug_options; o->name; o++)
		help_option(out, o);
}

char *weft_link_help(void)
{
	struct fmt out;
	char *text = malloc(HELP_LEN_MAX);
	if (!text)
		return NULL;
	fmt_init(&out, text, HELP_LEN_MAX);
	fmt_add(&out, "A link is written KIND:NAME,OPTION=VALUE,... and a wrapper\n"
		      "KIND:NAME,OPTION=VALUE,...:LINK. A backslash before , : = takes\n"
		      "away its meaning. Defaults are in parentheses.\n");
	for (size_t i = 0; link_drivers[i]; i++) {
		if (!link_drivers[i]->plug)
			help_driver(&out, link_drivers[i]);
	}
	help_plugs(&out);
	for (size_t i = 0; link_drivers[i]; i++) {
		if (link_drivers[i]->plug)
			help_driver(&out, link_drivers[i]);
	}
	return text;
}
