/* SPDX-License-Identifier: MIT */
/*
 * The table of verbs.
 */
#include "cmd/cmd.h"

#include <weft/nearest.h>

#include <stdio.h>
#include <string.h>

const struct verb verbs[] = {
	{ "host", cmd_host, "open a room, take part in it, and invite others" },
	{ "join", cmd_join, "join a room with an invitation" },
	{ "relay", cmd_relay, "run rooms for others" },
	{ "invite", cmd_invite, "make an invitation for one person" },
	{ "members", cmd_members, "say who is in a room, and how well it is reached" },
	{ "filter", cmd_filter, "show what a room lets through, or change it" },
	{ "kick", cmd_kick, "throw a member out of a room" },
	{ "gateway", cmd_gateway, "join the wired LAN on an interface to a room" },
	{ "run", cmd_run, "run a program whose only network is a room" },
	{ "serve", cmd_serve, "give network interfaces to emulators, VMs and programs" },
	{ "tapserver", cmd_tapserver, "the same for one client, as tapserver has it" },
	{ "tunnel", cmd_tunnel, "carry IP or Ethernet in HTTP streams" },
	{ "bridge", cmd_bridge, "join any links, as a learning switch does" },
	{ "echo", cmd_echo, "be a host on a link that sends back what comes" },
	{ "nc", cmd_nc, "connect stdin and stdout with a peer, as such a host" },
	{ "ping", cmd_ping, "ask another host whether it is there, as such a host" },
	{ "http", cmd_http, "serve a directory's files, as such a host" },
	{ "status", cmd_status, "say what of weft runs here" },
	{ "reload", cmd_reload, "have a tunnel take another configuration" },
	{ "check", cmd_check, "say what is wrong with a tunnel's configuration" },
	{ "doctor", cmd_doctor, "say what a proxy does to a tunnel's streams" },
	{ "dump", cmd_dump, "show what passes on a link, one line per frame" },
	{ "help", cmd_help, "explain a command, or the links there are" },
	{ "version", cmd_version, "say which weft this is, and on which libraries" },
	{ 0 },
};

const struct verb *verb_find(const struct verb *table, const char *name)
{
	for (const struct verb *verb = table; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

const char *verb_nearest(const struct verb *table, const char *name)
{
	struct weft_nearest nearest = { 0 };
	for (const struct verb *verb = table; verb->name; verb++)
		weft_nearest_offer(&nearest, name, verb->name);
	return nearest.word;
}

int verb_unknown(const char *name)
{
	const char *nearest = verb_nearest(verbs, name);
	(void)fprintf(stderr, "weft: there is no command \"%s\"", name);
	if (nearest)
		(void)fprintf(stderr, "; did you mean \"%s\"?", nearest);
	(void)fputs(" (see `weft help`)\n", stderr);
	return STATUS_USAGE;
}
