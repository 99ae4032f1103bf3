/* SPDX-License-Identifier: MIT */
/*
 * Each form waits for two messages of the other, in order; step counts them. What frames
 * follow the last one is told by stream_link_greeted.
 */
#include "link/vpnkit.h"

#include "base/container.h"
#include "base/time.h"
#include "link/drivers.h"
#include "link/listen.h"
#include "link/stream.h"
#include "wire/ether.h"
#include "wire/vpnkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* HyperKit's retries are a second apart; more than a few is no client of this dialect. */
#define PATIENCE_NS (10 * NS_PER_S)

struct handshake {
	struct stream_greeting greeting;
	uint16_t mtu;
	bool has_mac;
	struct weft_mac mac;
	char uuid[VPNKIT_UUID_LEN + 1];
	unsigned step; /* Messages of the peer that are done. */
};

static struct handshake *handshake_of(struct stream_greeting *greeting)
{
	return container_of(greeting, struct handshake, greeting);
}

static void handshake_free(struct stream_greeting *greeting)
{
	free(handshake_of(greeting));
}

/* ---- as the server ----------------------------------------------------------------------- */

static size_t server_init(struct handshake *h, struct weft_link *link,
			  const uint8_t *data, size_t len)
{
	if (!vpnkit_is_init(data, len)) {
		link_end(link, "it does not speak vpnkit: no VMN3T to begin with");
		return 0;
	}
	if (len < VPNKIT_INIT_LEN)
		return 0;
	stream_link_say(link, data, VPNKIT_INIT_LEN);
	h->step++;
	return VPNKIT_INIT_LEN;
}

static size_t server_command(struct handshake *h, struct weft_link *link,
			     const uint8_t *data, size_t len)
{
	uint8_t uuid[VPNKIT_UUID_LEN], reply_bytes[VPNKIT_REPLY_LEN];
	struct vpnkit_reply reply = { .mtu = h->mtu, .mac = h->mac };

	if (len < VPNKIT_COMMAND_LEN)
		return 0;
	if (vpnkit_command_parse(data, uuid) < 0) {
		link_end(link, "its vpnkit command %u is unknown", data[0]);
		return 0;
	}
	if (!h->has_mac)
		reply.mac = vpnkit_mac_of(uuid);
	vpnkit_reply_emit(reply_bytes, &reply);
	stream_link_say(link, reply_bytes, sizeof(reply_bytes));
	stream_link_greeted(link, h->mtu + ETHER_LEN);
	return VPNKIT_COMMAND_LEN;
}

static size_t server_input(struct stream_greeting *greeting, struct weft_link *link,
			   const uint8_t *data, size_t len)
{
	struct handshake *h = handshake_of(greeting);
	return h->step == 0 ? server_init(h, link, data, len)
			    : server_command(h, link, data, len);
}

static const struct stream_greeting_ops server_ops = {
	.input = server_input,
	.free = handshake_free,
};

/* ---- as the client ----------------------------------------------------------------------- */

static void client_begin(struct stream_greeting *greeting, struct weft_link *link)
{
	uint8_t init[VPNKIT_INIT_LEN];
	(void)greeting;
	vpnkit_init_emit(init);
	stream_link_say(link, init, sizeof(init));
}

static size_t client_init(struct handshake *h, struct weft_link *link,
			  const uint8_t *data, size_t len)
{
	uint8_t command[VPNKIT_COMMAND_LEN];

	if (!vpnkit_is_init(data, len)) {
		link_end(link, "it does not speak vpnkit: no VMN3T to begin with");
		return 0;
	}
	if (len < VPNKIT_INIT_LEN)
		return 0;
	vpnkit_command_emit(command, h->uuid);
	stream_link_say(link, command, sizeof(command));
	h->step++;
	return VPNKIT_INIT_LEN;
}

static size_t client_reply(struct weft_link *link, const uint8_t *data, size_t len)
{
	struct vpnkit_reply reply;

	if (len < VPNKIT_REPLY_LEN)
		return 0;
	if (vpnkit_reply_parse(data, &reply) < 0) {
		link_end(link, "its vpnkit reply makes no sense");
		return 0;
	}
	if (reply.is_refused) {
		link_end(link, "it refused: %s", reply.why);
		return 0;
	}
	link->mac = reply.mac;
	link->has_mac = true;
	stream_link_greeted(link, reply.mtu + ETHER_LEN);
	return VPNKIT_REPLY_LEN;
}

static size_t client_input(struct stream_greeting *greeting, struct weft_link *link,
			   const uint8_t *data, size_t len)
{
	struct handshake *h = handshake_of(greeting);
	return h->step == 0 ? client_init(h, link, data, len)
			    : client_reply(link, data, len);
}

static const struct stream_greeting_ops client_ops = {
	.begin = client_begin,
	.input = client_input,
	.free = handshake_free,
};

/* ---- the link and the plug --------------------------------------------------------------- */

int vpnkit_link_new(const struct vpnkit_opts *opts, const struct dialect_peer *peer,
		    struct weft_link **ret_link)
{
	struct handshake *h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->greeting.ops = opts->is_client ? &client_ops : &server_ops;
	h->greeting.patience_ns = PATIENCE_NS;
	h->mtu = opts->mtu;
	h->has_mac = opts->has_mac;
	h->mac = opts->mac;
	if (opts->uuid)
		memcpy(h->uuid, opts->uuid, VPNKIT_UUID_LEN);
	const struct stream_opts stream = {
		.kind = "vpnkit",
		.framing = framing_of(&framing_u16_le, UINT16_MAX),
		.frame_len_max = opts->mtu + ETHER_LEN,
		.queue_len = peer->queue_len,
		.greeting = &h->greeting,
		.first = peer->first,
		.first_len = peer->first_len,
	};
	int r = stream_link_new(&stream, &peer->ends, ret_link);
	if (r < 0)
		free(h);
	return r;
}

enum vpnkit_option { VPNKIT_OPT_MAC = LOCAL_OPTIONS_N, VPNKIT_OPT_MTU, VPNKIT_OPT_UUID };

struct vpnkit_plug {
	struct listen_plug listen;
	struct vpnkit_opts opts;
	char uuid[VPNKIT_UUID_LEN + 1];
};

static int vpnkit_peer_new(struct listen_plug *listen, const struct local_ends *ends,
			   struct weft_link **ret_link)
{
	const struct vpnkit_plug *p = container_of(listen, struct vpnkit_plug, listen);
	const struct dialect_peer peer = {
		.ends = *ends,
		.queue_len = listen->opts.queue_len,
	};
	return vpnkit_link_new(&p->opts, &peer, ret_link);
}

static const struct listen_ops vpnkit_listen_ops = {
	.socket_type = SOCK_STREAM,
	.link_new = vpnkit_peer_new,
};

static int vpnkit_plug(const struct spec *spec, struct weft_error *err,
		       struct weft_plug **ret_plug)
{
	uint64_t mtu = spec->values[VPNKIT_OPT_MTU].number;
	const char *uuid = spec->values[VPNKIT_OPT_UUID].text;

	if (mtu < 68 || mtu > UINT16_MAX - ETHER_LEN)
		return weft_error_set(err, -EINVAL, "mtu=: give 68 to %u bytes",
				      UINT16_MAX - ETHER_LEN);
	if (strlen(uuid) != VPNKIT_UUID_LEN)
		return weft_error_set(err, -EINVAL,
				      "uuid=: give %u characters, as uuidgen prints them",
				      VPNKIT_UUID_LEN);
	struct vpnkit_plug *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	memcpy(p->uuid, uuid, VPNKIT_UUID_LEN);
	p->opts = (struct vpnkit_opts){
		.mtu = (uint16_t)mtu,
		.has_mac = spec->given[VPNKIT_OPT_MAC],
		.mac = spec->values[VPNKIT_OPT_MAC].mac,
		.is_client = spec->values[LOCAL_CONNECT].flag,
		.uuid = p->uuid,
	};
	p->listen.frame_len_max = (uint32_t)mtu + ETHER_LEN;
	return listen_open(&p->listen, &vpnkit_listen_ops, spec, err, ret_plug);
}

static const struct spec_option vpnkit_options[] = {
	LOCAL_OPTIONS,
	[VPNKIT_OPT_MAC] = { "mac", SPEC_MAC, "MAC", NULL,
			     "told to each client; without it one by its UUID" },
	[VPNKIT_OPT_MTU] = { "mtu", SPEC_SIZE, "SIZE", "1500", "told to each client" },
	[VPNKIT_OPT_UUID] = { "uuid", SPEC_TEXT, "UUID",
			      "00000000-0000-4000-8000-000000000001",
			      "ours, with connect" },
	{ 0 },
};

const struct spec_driver vpnkit_driver = {
	.kind = "vpnkit",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "HyperKit and other clients of VPNKit",
	.example = "vpnkit:/run/vpnkit.eth.sock",
	.options = vpnkit_options,
	.plug = vpnkit_plug,
};
