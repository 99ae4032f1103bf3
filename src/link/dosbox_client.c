/* SPDX-License-Identifier: MIT */
/*
 * A client of somebody else's server of IPX: a DOSBox with IPXNET STARTSERVER, or ipxbox.
 *
 *     bridge                           here                          server
 *
 *     STATION > everybody      --->  NODE > everybody       --->     to all but NODE
 *     M(other) > STATION       <---  other > NODE           <---     to NODE's address
 *     STATION > M(other)       --->  NODE > other           --->
 *
 * A server knows nodes only, and gives each address one, by which it finds the address again:
 * NODE is all that it will ever see of us. So one machine of the bridge has it, the *station*:
 * the one that was named, or the first that sends IPX, until it has been silent for idle_ns.
 * Each further one would cost another registration; a DOSBox has room for 16 and never forgets
 * one. What other stations send does not go, and is counted as dropped.
 *
 * DOSBox's nodes are addresses as they are, so that 127.0.0.1 would be a group as a MAC. M(node)
 * is the MAC that our own server would give; the nodes that differ from theirs are remembered,
 * as that cannot be undone.
 *
 * A registration names our address as its source: by that a DOSBox sees that it has it already,
 * and one that is asked twice does not register us twice. A server that is silent is asked
 * again, which registers us anew where it was started again.
 */
#include "base/container.h"
#include "base/mac.h"
#include "base/time.h"
#include "link/dial.h"
#include "link/dosbox.h"
#include "link/senders.h"
#include "wire/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* How long a silent server is left alone, and when it has gone. */
#define ASK_NS  (10 * NS_PER_S)
#define GONE_NS (60 * NS_PER_S)

/* Then the user is told, and another socket may find another way. */
#define ASKS_MAX 30u

/* Nodes that are not their MACs; the oldest makes room. DOSBox has no more than 16 clients. */
#define NODES_MAX 64u

struct client {
	struct packets packets;
	struct dosbox_opts opts;
	struct weft_mac node;    /* What the server calls us. */
	struct weft_mac station; /* Who that is on the bridge; zero while nobody is. */
	uint64_t station_at;     /* When it was last heard. */
	uint64_t now; /* As of what came last: who sends is not told the time. */
	struct weft_mac nodes[NODES_MAX];
	unsigned nodes_n; /* Ever remembered. */
};

static struct client *client(struct packets *p)
{
	return container_of(p, struct client, packets);
}

/* ---- registration ------------------------------------------------------------------------ */

static struct ipx_hdr registration(struct weft_mac own)
{
	return (struct ipx_hdr){
		.checksum = IPX_NO_CHECKSUM,
		.len = IPX_LEN,
		.dst = { .socket = IPX_SOCKET_ECHO },
		.src = { .node = own, .socket = IPX_SOCKET_ECHO },
	};
}

static bool is_registered(const struct ipx_hdr *hdr)
{
	return hdr->len == IPX_LEN && hdr->src.network == 1 &&
	       hdr->src.socket == IPX_SOCKET_ECHO && hdr->dst.socket == IPX_SOCKET_ECHO &&
	       !mac_is_zero(hdr->dst.node) && !mac_is_broadcast(hdr->dst.node);
}

static bool is_ping(const struct ipx_hdr *hdr)
{
	return hdr->dst.socket == IPX_SOCKET_ECHO && mac_is_broadcast(hdr->dst.node);
}

/* As DOSBox does: without it ipxbox takes us for gone. */
static void say_pong(struct client *c, const struct ipx_hdr *ping)
{
	const struct ipx_hdr hdr = {
		.checksum = IPX_NO_CHECKSUM,
		.len = IPX_LEN,
		.dst = { ping->src.network, ping->src.node, IPX_SOCKET_ECHO },
		.src = { .node = c->node, .socket = IPX_SOCKET_ECHO },
	};
	dosbox_say(&c->packets, &hdr);
}

/* ---- nodes ------------------------------------------------------------------------------- */

static unsigned nodes_len(const struct client *c)
{
	return c->nodes_n < NODES_MAX ? c->nodes_n : NODES_MAX;
}

/* The MAC of a node that was heard. */
static struct weft_mac mac_of(struct client *c, struct weft_mac node)
{
	struct weft_mac mac = dosbox_mac(node);

	if (mac_equal(mac, node))
		return mac;
	for (unsigned i = 0; i < nodes_len(c); i++) {
		if (mac_equal(c->nodes[i], node))
			return mac;
	}
	c->nodes[c->nodes_n++ % NODES_MAX] = node;
	return mac;
}

static struct weft_mac node_of(const struct client *c, struct weft_mac mac)
{
	for (unsigned i = 0; i < nodes_len(c); i++) {
		if (mac_equal(dosbox_mac(c->nodes[i]), mac))
			return c->nodes[i];
	}
	return mac;
}

/* ---- the station ------------------------------------------------------------------------- */

/* What was heard before there was a time is as old as the first time. */
static void clock_set(struct client *c, uint64_t now)
{
	if (c->now == 0)
		c->station_at = now;
	c->now = now;
}

static bool station_is_free(const struct client *c)
{
	if (mac_is_zero(c->station))
		return true;
	return mac_is_zero(c->opts.station) && c->opts.idle_ns > 0 &&
	       c->now - c->station_at >= c->opts.idle_ns;
}

/* True if who sent the frame is the station, or becomes it. */
static bool station_is(struct client *c, const struct weft_frame *frame,
		       struct weft_mac node)
{
	/* Of another network, behind a router: answers to the node would not find it. */
	if (!mac_equal(mac_load(frame->data + ETHER_OFF_SRC), node))
		return false;
	if (mac_is_group(node) || mac_is_zero(node))
		return false;
	if (station_is_free(c))
		c->station = node;
	if (!mac_equal(c->station, node))
		return false;
	c->station_at = c->now;
	return true;
}

/* ---- packets and frames ------------------------------------------------------------------ */

/* Both nodes as they are on the bridge. Returns 1; 0 to drop it; -EBADMSG to have it counted. */
static int translate_in(struct client *c, struct ipx_hdr *hdr)
{
	if (mac_equal(hdr->src.node, c->node))
		return 0; /* Our own, from a server that sends it to all. */
	if (mac_is_zero(hdr->src.node) || mac_is_broadcast(hdr->src.node))
		return -EBADMSG;
	hdr->src.node = mac_of(c, hdr->src.node);
	if (mac_equal(hdr->src.node, c->station))
		return -EBADMSG;
	if (mac_is_broadcast(hdr->dst.node))
		return 1;
	if (!mac_equal(hdr->dst.node, c->node))
		return -EBADMSG;
	hdr->dst.node = c->station;
	return !mac_is_zero(c->station);
}

static int client_decode(struct packets *p, struct weft_frame *frame, uint64_t now)
{
	struct client *c = client(p);
	struct ipx_hdr hdr;

	clock_set(c, now);
	/* Pings of ipxbox have none. */
	if (frame->len == IPX_LEN && load_be16(frame->data + IPX_OFF_LENGTH) == 0)
		store_be16(frame->data + IPX_OFF_LENGTH, IPX_LEN);
	if (ipx_hdr_parse(frame->data, frame->len, &hdr) < 0)
		return -EBADMSG;
	if (is_registered(&hdr)) {
		c->node = hdr.dst.node;
		return 0;
	}
	if (is_ping(&hdr)) {
		say_pong(c, &hdr);
		return 0;
	}
	int r = translate_in(c, &hdr);
	if (r <= 0)
		return r;
	/* It covers the nodes. */
	hdr.checksum = IPX_NO_CHECKSUM;
	ipx_hdr_emit(frame->data, &hdr);
	return dosbox_frame(frame, c->opts.framing, &hdr);
}

static int client_encode(struct packets *p, const struct weft_frame *frame,
			 struct packets_out *ret_out)
{
	struct client *c = client(p);
	struct ipx_place place;

	if (dosbox_place(&c->opts, frame, &place) < 0)
		return 0;
	if (!station_is(c, frame, place.hdr.src.node))
		return -EBUSY;
	if (!dosbox_may_be_sent_to(place.hdr.dst.node))
		return 0;
	place.hdr.checksum = IPX_NO_CHECKSUM;
	place.hdr.src.node = c->node;
	place.hdr.dst.node = node_of(c, place.hdr.dst.node);
	ipx_hdr_emit(ret_out->prefix, &place.hdr);
	ret_out->prefix_len = IPX_LEN;
	ret_out->data = frame->data + place.off + IPX_LEN;
	ret_out->len = place.hdr.len - IPX_LEN;
	return 1;
}

static void client_quiet(struct packets *p, uint64_t silence_ns, uint64_t now)
{
	struct client *c = client(p);
	const struct ipx_hdr hdr = registration(c->node);

	clock_set(c, now);
	if (silence_ns >= GONE_NS)
		senders_quiet(p, silence_ns, now);
	else
		dosbox_say(p, &hdr);
}

static const struct packets_ops client_packets = {
	.decode = client_decode,
	.encode = client_encode,
	.quiet = client_quiet,
};

/* ---- the plug ---------------------------------------------------------------------------- */

struct caller {
	struct dial dial;
	struct dosbox_opts opts;
	struct weft_mac node; /* Of the server's answer. */
};

static struct caller *caller(struct dial *d)
{
	return container_of(d, struct caller, dial);
}

static int caller_open(struct dial *d, struct weft_error *err)
{
	return local_connect(&d->opts, SOCK_DGRAM, err);
}

static int caller_ask(struct dial *d, struct weft_error *err)
{
	union weft_sockaddr own = { 0 };
	socklen_t len = sizeof(own);
	uint8_t buf[IPX_LEN];

	if (getsockname(d->fd, &own.sa, &len) < 0)
		return weft_error_set(err, -errno, "the socket has no address");
	const struct ipx_hdr hdr = registration(dosbox_node(&own));
	ipx_hdr_emit(buf, &hdr);
	/* A server that is not there yet is asked again. */
	(void)!send(d->fd, buf, sizeof(buf), MSG_DONTWAIT);
	return 0;
}

static int caller_answer(struct dial *d, struct weft_error *err)
{
	uint8_t buf[IPX_LEN];
	struct ipx_hdr hdr;
	(void)err;

	ssize_t got = recv(d->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (got < 0 || ipx_hdr_parse(buf, (size_t)got, &hdr) < 0 || !is_registered(&hdr))
		return 0;
	caller(d)->node = hdr.dst.node;
	return 1;
}

static int caller_link_new(struct dial *d, struct weft_link **ret_link)
{
	struct client *c = calloc(1, sizeof(*c));
	const struct packets_opts opts = {
		.name = d->plug.kind,
		.ops = &client_packets,
		.fd = d->fd,
		.frame_len_max = DOSBOX_FRAME_LEN_MAX,
		.queue_len = d->opts.queue_len,
		.quiet_ns = ASK_NS,
	};

	if (!c)
		return -ENOMEM;
	packets_init(&c->packets, &opts);
	c->opts = caller(d)->opts;
	c->station = c->opts.station;
	c->node = caller(d)->node;
	*ret_link = &c->packets.link;
	return 0;
}

static const struct dial_ops caller_ops = {
	.open = caller_open,
	.ask = caller_ask,
	.answer = caller_answer,
	.link_new = caller_link_new,
	.asks_max = ASKS_MAX,
	.frame_len_max = DOSBOX_FRAME_LEN_MAX,
};

int dosbox_client_plug(const struct local_opts *opts,
		       const struct dosbox_opts *dosbox_opts, const char *kind,
		       struct weft_plug **ret_plug)
{
	struct caller *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->dial.opts = *opts;
	c->opts = *dosbox_opts;
	*ret_plug = dial_new(&c->dial, &caller_ops, kind);
	return 0;
}
