/* SPDX-License-Identifier: MIT */
/*
 * IPX over UDP as DOSBox's IPXNET has it, and ipxbox, IPXWrapper and others after it: a server
 * that is on our bridge, where the same packets are Ethernet frames.
 *
 *     DOSBox --UDP--> IPX packet  <-->  | dst src | framing | IPX packet |  bridge
 *
 *     DOSBox                                     here
 *     dst 0:000000000000:2, src 0:0:2     --->                  registration
 *                                         <---  dst 0:NODE:2, src 1:FFFFFFFFFFFF:2
 *     dst 0:FFFFFFFFFFFF:2, src NODE      --->  to everybody, who answer to NODE: a ping
 *
 * The node that a peer is given must do as its MAC, for a real machine answers to the MAC that
 * the node says. It is the peer's IPv4 address and port, which DOSBox shows as such, with the
 * first octet made that of a locally administered unicast address: 127.0.0.1 becomes 126.0.0.1,
 * 192.168.1.2 becomes 194.168.1.2. A peer that sends by another node than its own is not heard.
 *
 * Which framing the machines on the bridge use nobody says; "auto" follows what was heard
 * last, and is 802.2 until then, NetWare's own default since 3.12.
 *
 * A DOSBox that ends says nothing; it answers pings as long as it lives, and pings are what a
 * silent peer gets.
 *
 * With connect it is the other way round: link/dosbox_client.c.
 */
#include "link/dosbox.h"

#include "base/container.h"
#include "base/mac.h"
#include "base/time.h"
#include "link/drivers.h"
#include "link/senders.h"
#include "wire/cursor.h"
#include "wire/ipx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long a silent peer is left alone. */
#define PING_NS (10 * NS_PER_S)

#define PORT_TEXT "213"

/* Of a node, all but the first octet. */
#define NODE_REST 0xffffffffffu

/* So that with LLC and SNAP in front a frame still has a length and no type. */
#define PACKET_LEN_MAX 1492u

enum { DOSBOX_FRAMING = LOCAL_OPTIONS_N, DOSBOX_IDLE, DOSBOX_STATION };

/* "auto" stands behind the framings. */
#define FRAMING_WORDS "ethernet2|802.3|802.2|snap|auto"

struct server {
	struct senders senders;
	struct dosbox_opts opts;
};

struct dosbox_peer {
	struct packets packets;
	struct server *server;
	struct weft_mac node;
};

static struct dosbox_peer *dosbox_peer(struct packets *p)
{
	return container_of(p, struct dosbox_peer, packets);
}

static const struct weft_mac everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

/* Whom pings come from: answers to it are ours, and not for the bridge. */
static const struct weft_mac pinger = { { 0x02, 0xff, 0xff, 0xff, 0x00, 0x00 } };

static bool is_registration(const struct ipx_hdr *hdr)
{
	return hdr->dst.socket == IPX_SOCKET_ECHO && mac_is_zero(hdr->dst.node);
}

void dosbox_say(struct packets *p, const struct ipx_hdr *hdr)
{
	uint8_t buf[IPX_LEN];
	ipx_hdr_emit(buf, hdr);
	packets_say(p, buf, sizeof(buf));
}

static void say_registered(struct dosbox_peer *peer)
{
	const struct ipx_hdr hdr = {
		.checksum = IPX_NO_CHECKSUM,
		.len = IPX_LEN,
		.dst = { .node = peer->node, .socket = IPX_SOCKET_ECHO },
		.src = { .network = 1, .node = everybody, .socket = IPX_SOCKET_ECHO },
	};
	dosbox_say(&peer->packets, &hdr);
}

static void say_ping(struct dosbox_peer *peer)
{
	const struct ipx_hdr hdr = {
		.checksum = IPX_NO_CHECKSUM,
		.len = IPX_LEN,
		.dst = { .node = everybody, .socket = IPX_SOCKET_ECHO },
		.src = { .node = pinger, .socket = IPX_SOCKET_ECHO },
	};
	dosbox_say(&peer->packets, &hdr);
}

/* ---- packets and frames ------------------------------------------------------------------ */

int dosbox_frame(struct weft_frame *frame, enum ipx_framing framing,
		 const struct ipx_hdr *hdr)
{
	size_t hdr_len = ipx_frame_hdr_len(framing);

	if (hdr->len > PACKET_LEN_MAX)
		return -EBADMSG;
	if (framing == IPX_8023)
		store_be16(frame->data + IPX_OFF_CHECKSUM, IPX_NO_CHECKSUM);
	frame->len = hdr->len;
	/* Old drivers want an even number of bytes; there is always room for one more. */
	if (frame->len % 2)
		frame->data[frame->len++] = 0;
	frame->data -= hdr_len;
	frame->len += (uint32_t)hdr_len;
	frame->headroom -= (uint32_t)hdr_len;
	ipx_frame_emit(frame->data, framing, hdr);
	return 1;
}

int dosbox_place(struct dosbox_opts *opts, const struct weft_frame *frame,
		 struct ipx_place *ret_place)
{
	int r = ipx_frame_parse(frame->data, frame->len, ret_place);

	if (r == 0 && opts->follows)
		opts->framing = ret_place->framing;
	return r;
}

bool dosbox_may_be_sent_to(struct weft_mac node)
{
	return mac_is_broadcast(node) || (!mac_is_group(node) && !mac_is_zero(node));
}

static int server_decode(struct packets *p, struct weft_frame *frame, uint64_t now)
{
	struct dosbox_peer *peer = dosbox_peer(p);
	struct ipx_hdr hdr;
	(void)now;

	if (ipx_hdr_parse(frame->data, frame->len, &hdr) < 0)
		return -EBADMSG;
	if (is_registration(&hdr)) {
		say_registered(peer);
		return 0;
	}
	if (!mac_equal(hdr.src.node, peer->node) || !dosbox_may_be_sent_to(hdr.dst.node))
		return -EBADMSG;
	if (mac_equal(hdr.dst.node, pinger))
		return 0;
	return dosbox_frame(frame, peer->server->opts.framing, &hdr);
}

/* A DOSBox looks at sockets only: what is for another node must not come to it. */
static int server_encode(struct packets *p, const struct weft_frame *frame,
			 struct packets_out *ret_out)
{
	const struct dosbox_peer *peer = dosbox_peer(p);
	struct ipx_place place;

	if (dosbox_place(&peer->server->opts, frame, &place) < 0)
		return 0;
	if (!mac_is_broadcast(place.hdr.dst.node) &&
	    !mac_equal(place.hdr.dst.node, peer->node))
		return 0;
	ret_out->data = frame->data + place.off;
	ret_out->len = place.hdr.len;
	return 1;
}

static void server_quiet(struct packets *p, uint64_t silence_ns, uint64_t now)
{
	struct dosbox_peer *peer = dosbox_peer(p);
	uint64_t idle_ns = peer->server->opts.idle_ns;

	if (idle_ns > 0 && silence_ns >= idle_ns)
		senders_quiet(p, silence_ns, now);
	else
		say_ping(peer);
}

/* ---- peers ------------------------------------------------------------------------------- */

static bool node_is_taken(const struct senders *s, struct weft_mac node)
{
	struct table_iter it;
	const void *key;
	void *value;

	table_iter_init(&it, s->peers);
	while (table_iter_next(&it, &key, &value)) {
		struct packets *p = value;
		if (mac_equal(dosbox_peer(p)->node, node))
			return true;
	}
	return mac_equal(node, pinger);
}

struct weft_mac dosbox_node(const union weft_sockaddr *addr)
{
	struct weft_mac node;
	const uint8_t *ip = (const uint8_t *)&addr->in.sin_addr;

	/* IPv4 also in the form that a socket for both families gives it. */
	if (addr->sa.sa_family == AF_INET6)
		ip = addr->in6.sin6_addr.s6_addr + 12;
	memcpy(node.octet, ip, 4);
	store_be16(node.octet + 4, weft_sockaddr_port(addr));
	return node;
}

struct weft_mac dosbox_mac(struct weft_mac node)
{
	node.octet[0] = (uint8_t)((node.octet[0] & 0xfcu) | 0x02u);
	return node;
}

/* Two addresses may give one node; the second then gets the next one that is free. */
static struct weft_mac node_choose(const struct senders *s,
				   const union weft_sockaddr *addr)
{
	struct weft_mac node = dosbox_mac(dosbox_node(addr));
	uint64_t first = mac_to_u64(node) & ~NODE_REST;
	uint64_t rest = mac_to_u64(node) & NODE_REST;

	while (node_is_taken(s, node)) {
		rest = (rest + 1) & NODE_REST;
		node = mac_from_u64(first | rest);
	}
	return node;
}

static int server_greet(struct senders *s, const struct datagram *datagram, uint64_t now)
{
	struct ipx_hdr hdr;
	(void)s;
	(void)now;

	if (ipx_hdr_parse(datagram->data, datagram->len, &hdr) < 0)
		return -EBADMSG;
	return is_registration(&hdr);
}

static int server_peer_new(struct senders *s, const struct packets_opts *opts,
			   const struct datagram *datagram, struct packets **ret_packets)
{
	struct dosbox_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	packets_init(&peer->packets, opts);
	peer->server = container_of(s, struct server, senders);
	peer->node = node_choose(s, &datagram->from->u.inet);
	*ret_packets = &peer->packets;
	return 0;
}

static const struct packets_ops server_packets = {
	.decode = server_decode,
	.encode = server_encode,
	.quiet = server_quiet,
};

static const struct senders_ops server_senders = {
	.packets = &server_packets,
	.frame_len_max = DOSBOX_FRAME_LEN_MAX,
	.greet = server_greet,
	.peer_new = server_peer_new,
};

/* ---- the kind ---------------------------------------------------------------------------- */

static struct dosbox_opts opts_of(const struct spec *spec)
{
	size_t framing = spec->values[DOSBOX_FRAMING].choice;
	bool follows = framing >= IPX_FRAMINGS;
	struct dosbox_opts opts = {
		.framing = follows ? IPX_8022 : (enum ipx_framing)framing,
		.follows = follows,
		.idle_ns = spec->values[DOSBOX_IDLE].number,
	};

	if (spec->given[DOSBOX_STATION])
		opts.station = spec->values[DOSBOX_STATION].mac;
	return opts;
}

static int dosbox_plug(const struct spec *spec, struct weft_error *err,
		       struct weft_plug **ret_plug)
{
	const struct dosbox_opts dosbox_opts = opts_of(spec);
	struct spec own = *spec;
	struct local_opts opts;

	int r = local_udp_opts_of(&own, PORT_TEXT, err, &opts);
	if (r < 0)
		return r;
	if (mac_is_group(dosbox_opts.station))
		return weft_error_set(err, -EINVAL, "station=: not the MAC of a machine");
	if (opts.connect)
		return dosbox_client_plug(&opts, &dosbox_opts, spec->driver->kind,
					  ret_plug);
	struct server *server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->opts = dosbox_opts;
	server->senders.quiet_ns = PING_NS;
	return senders_open(&server->senders, &server_senders, &own, err, ret_plug);
}

static const struct spec_option dosbox_options[] = {
	LOCAL_OPTIONS,
	[DOSBOX_FRAMING] = { "framing", SPEC_CHOICE, FRAMING_WORDS, "auto",
			     "how IPX is on the bridge; auto: as heard last" },
	[DOSBOX_IDLE] = { "idle", SPEC_DURATION, "TIME", "10min",
			  "who is silent for so long has gone; 0 for never" },
	[DOSBOX_STATION] = { "station", SPEC_MAC, "MAC", NULL,
			     "with connect: whom it is for; else who sends first" },
	{ 0 },
};

const struct spec_driver dosbox_driver = {
	.kind = "dosbox",
	.name_syntax = "[ADDRESS]",
	.summary = "IPX of DOSBox (IPXNET), ipxbox, IPXWrapper; UDP " PORT_TEXT,
	.example = "dosbox:" PORT_TEXT ",framing=802.3",
	.options = dosbox_options,
	.plug = dosbox_plug,
};
