/* SPDX-License-Identifier: MIT */
/*
 * XLink Kai's "Direct Data Socket" (wire/kai.h), from both sides. Who listens here plays Kai's
 * engine: Dolphin's BBA, PCSX2 and the like connect as if Kai ran here, and are on our bridge.
 * Who connects plays the emulator, towards a real engine.
 *
 *     engine        a peer is known by its address, its identifier is its own: the same
 *                   identifier from elsewhere means that it was started again, and the old
 *                   one is told so and unplugged
 *     application   asks until it is connected; an engine that says nothing for a minute
 *                   has gone, and is asked anew
 */
#include "wire/kai.h"

#include "base/container.h"
#include "base/time.h"
#include "link/dial.h"
#include "link/drivers.h"
#include "link/senders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An engine asks who is silent for so long, and gives up who stays silent. */
#define KEEPALIVE_NS (10 * NS_PER_S)
#define SILENCE_NS   (60 * NS_PER_S)

/* An engine answers "discover" so often at most. */
#define HERE_NS (2 * NS_PER_S)

/* Questions until an application begins anew. */
#define ASKS_MAX 5u

#define PORT_TEXT "34523"

enum { KAI_OPTION_ID = LOCAL_OPTIONS_N };

/* Both sides' links. */
struct kai_peer {
	struct packets packets;
	char id[KAI_ID_LEN];
	bool said_bye; /* The other side ended it: it needs no goodbye. */
};

static struct kai_peer *kai_peer(struct packets *p)
{
	return container_of(p, struct kai_peer, packets);
}

static struct kai_msg kai_msg(enum kai_type type, const char *id, const char *text)
{
	struct kai_msg msg = { .type = type };

	(void)snprintf(msg.id, sizeof(msg.id), "%s", id);
	(void)snprintf(msg.text, sizeof(msg.text), "%s", text);
	return msg;
}

static void kai_say(struct packets *p, enum kai_type type, const char *id,
		    const char *text)
{
	char buf[KAI_LEN_MAX];
	const struct kai_msg msg = kai_msg(type, id, text);
	packets_say(p, buf, kai_msg_emit(buf, &msg));
}

static int kai_encode(struct packets *p, const struct weft_frame *frame,
		      struct packets_out *ret_out)
{
	(void)p;
	(void)frame;
	kai_prefix_emit(ret_out->prefix);
	ret_out->prefix_len = KAI_PREFIX_LEN;
	return 1;
}

static int frame_take(struct weft_frame *frame)
{
	frame->data += KAI_PREFIX_LEN;
	frame->len -= KAI_PREFIX_LEN;
	frame->headroom += KAI_PREFIX_LEN;
	return 1;
}

static int kai_peer_new(const struct packets_opts *opts, const char *id,
			struct packets **ret_packets)
{
	struct kai_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	packets_init(&peer->packets, opts);
	(void)snprintf(peer->id, sizeof(peer->id), "%s", id);
	*ret_packets = &peer->packets;
	return 0;
}

/* ---- the engine -------------------------------------------------------------------------- */

struct engine {
	struct senders senders;
	uint64_t here_at; /* When "discover" is answered again. */
};

static int engine_decode(struct packets *p, struct weft_frame *frame, uint64_t now)
{
	struct kai_peer *peer = kai_peer(p);
	struct kai_msg msg;
	(void)now;

	if (kai_is_frame(frame->data, frame->len))
		return frame_take(frame);
	if (kai_msg_parse(frame->data, frame->len, &msg) < 0)
		return -EBADMSG;
	if (msg.type == KAI_CONNECT) {
		(void)snprintf(peer->id, sizeof(peer->id), "%s", msg.id);
		kai_say(p, KAI_CONNECTED, peer->id, "");
	} else if (msg.type == KAI_DISCONNECT) {
		kai_say(p, KAI_DISCONNECTED, peer->id, "goodbye");
		peer->said_bye = true;
		link_end(&p->link, "%s disconnected", peer->id);
	}
	return 0;
}

static void engine_quiet(struct packets *p, uint64_t silence_ns, uint64_t now)
{
	if (silence_ns >= SILENCE_NS)
		senders_quiet(p, silence_ns, now);
	else
		kai_say(p, KAI_KEEPALIVE, "", "");
}

static void engine_bye(struct packets *p)
{
	const struct kai_peer *peer = kai_peer(p);
	const char *reason = p->link.down_reason[0] ? p->link.down_reason : "weft ends";

	if (!peer->said_bye)
		kai_say(p, KAI_DISCONNECTED, peer->id, reason);
}

static void engine_answer(struct senders *s, const struct datagram_addr *to,
			  const struct kai_msg *msg)
{
	char buf[KAI_LEN_MAX];
	senders_say(s, to, buf, kai_msg_emit(buf, msg));
}

static int engine_greet(struct senders *s, const struct datagram *datagram, uint64_t now)
{
	struct engine *engine = container_of(s, struct engine, senders);
	struct kai_msg msg;

	if (kai_msg_parse(datagram->data, datagram->len, &msg) < 0)
		return -EBADMSG;
	if (msg.type == KAI_DISCOVER && now >= engine->here_at) {
		engine->here_at = now + HERE_NS;
		msg = kai_msg(KAI_HERE, "", "");
		engine_answer(s, datagram->from, &msg);
		return 0;
	}
	if (msg.type != KAI_CONNECT)
		return 0;
	if (plug_is_full(&s->plug)) {
		msg = kai_msg(KAI_DISCONNECTED, msg.id, "there is no room");
		engine_answer(s, datagram->from, &msg);
	}
	return 1;
}

/* Who has this identifier by another address is an earlier life of the one who comes. */
static void engine_end_namesake(const struct senders *s, const char *id)
{
	struct table_iter it;
	const void *key;
	void *value;

	table_iter_init(&it, s->peers);
	while (table_iter_next(&it, &key, &value)) {
		struct packets *p = value;
		if (strcmp(kai_peer(p)->id, id) == 0)
			link_end(&p->link, "%s connected from another address", id);
	}
}

static int engine_peer_new(struct senders *s, const struct packets_opts *opts,
			   const struct datagram *datagram, struct packets **ret_packets)
{
	struct kai_msg msg;

	int r = kai_msg_parse(datagram->data, datagram->len, &msg);
	if (r < 0)
		return r;
	engine_end_namesake(s, msg.id);
	return kai_peer_new(opts, msg.id, ret_packets);
}

static const struct packets_ops engine_packets = {
	.decode = engine_decode,
	.encode = kai_encode,
	.quiet = engine_quiet,
	.bye = engine_bye,
};

static const struct senders_ops engine_senders = {
	.packets = &engine_packets,
	.greet = engine_greet,
	.peer_new = engine_peer_new,
};

/* ---- the application --------------------------------------------------------------------- */

struct app {
	struct dial dial;
	char id[KAI_ID_LEN];
};

static struct app *app(struct dial *d)
{
	return container_of(d, struct app, dial);
}

static int app_open(struct dial *d, struct weft_error *err)
{
	return local_connect(&d->opts, SOCK_DGRAM, err);
}

static int app_ask(struct dial *d, struct weft_error *err)
{
	const struct kai_msg msg = kai_msg(KAI_CONNECT, app(d)->id, "weft");
	char buf[KAI_LEN_MAX];
	(void)err;

	/* An engine that is not there yet is asked again. */
	(void)!send(d->fd, buf, kai_msg_emit(buf, &msg), MSG_DONTWAIT);
	return 0;
}

static int app_answer(struct dial *d, struct weft_error *err)
{
	uint8_t buf[KAI_LEN_MAX];
	struct kai_msg msg;

	ssize_t got = recv(d->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (got < 0 || kai_msg_parse(buf, (size_t)got, &msg) < 0)
		return 0;
	if (msg.type == KAI_DISCONNECTED)
		return weft_error_set(err, -ECONNREFUSED, "%s refuses us: %s",
				      d->plug.address,
				      msg.text[0] ? msg.text : "no reason given");
	return msg.type == KAI_CONNECTED && strcmp(msg.id, app(d)->id) == 0;
}

static int app_decode(struct packets *p, struct weft_frame *frame, uint64_t now)
{
	struct kai_msg msg;
	(void)now;

	if (kai_is_frame(frame->data, frame->len))
		return frame_take(frame);
	if (kai_msg_parse(frame->data, frame->len, &msg) < 0)
		return -EBADMSG;
	if (msg.type == KAI_KEEPALIVE) {
		kai_say(p, KAI_KEEPALIVE, "", "");
	} else if (msg.type == KAI_DISCONNECTED) {
		kai_peer(p)->said_bye = true;
		link_end(&p->link, "the engine ended it: %s",
			 msg.text[0] ? msg.text : "no reason given");
	}
	return 0;
}

static void app_bye(struct packets *p)
{
	const struct kai_peer *peer = kai_peer(p);

	if (!peer->said_bye)
		kai_say(p, KAI_DISCONNECT, peer->id, "");
}

static const struct packets_ops app_packets = {
	.decode = app_decode,
	.encode = kai_encode,
	.quiet = senders_quiet,
	.bye = app_bye,
};

static int app_link_new(struct dial *d, struct weft_link **ret_link)
{
	struct packets *p;
	const struct packets_opts opts = {
		.name = d->plug.kind,
		.ops = &app_packets,
		.fd = d->fd,
		.queue_len = d->opts.queue_len,
		.quiet_ns = SILENCE_NS,
	};

	int r = kai_peer_new(&opts, app(d)->id, &p);
	if (r < 0)
		return r;
	*ret_link = &p->link;
	return 0;
}

static const struct dial_ops app_ops = {
	.open = app_open,
	.ask = app_ask,
	.answer = app_answer,
	.link_new = app_link_new,
	.asks_max = ASKS_MAX,
};

static int open_app(const struct spec *spec, const struct local_opts *opts,
		    struct weft_error *err, struct weft_plug **ret_plug)
{
	char id[KAI_ID_LEN];
	const char *text = spec->values[KAI_OPTION_ID].text;

	(void)snprintf(id, sizeof(id), "weft%d", (int)getpid());
	if (spec->given[KAI_OPTION_ID] && (strlen(text) >= KAI_ID_LEN || !text[0]))
		return weft_error_set(err, -EINVAL, "id=: 1 to %u characters",
				      KAI_ID_LEN - 1);
	struct app *a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	(void)snprintf(a->id, sizeof(a->id), "%s",
		       spec->given[KAI_OPTION_ID] ? text : id);
	a->dial.opts = *opts;
	*ret_plug = dial_new(&a->dial, &app_ops, spec->driver->kind);
	return 0;
}

/* ---- the kind ---------------------------------------------------------------------------- */

static int kai_plug(const struct spec *spec, struct weft_error *err,
		    struct weft_plug **ret_plug)
{
	struct spec own = *spec;
	struct local_opts opts;

	int r = local_udp_opts_of(&own, PORT_TEXT, err, &opts);
	if (r < 0)
		return r;
	if (opts.connect)
		return open_app(spec, &opts, err, ret_plug);
	struct engine *engine = calloc(1, sizeof(*engine));
	if (!engine)
		return -ENOMEM;
	engine->senders.quiet_ns = KEEPALIVE_NS;
	return senders_open(&engine->senders, &engine_senders, &own, err, ret_plug);
}

static const struct spec_option kai_options[] = {
	LOCAL_OPTIONS,
	[KAI_OPTION_ID] = { "id", SPEC_TEXT, "NAME", NULL,
			    "with connect: the name that the engine knows us by" },
	{ 0 },
};

const struct spec_driver kai_driver = {
	.kind = "kai",
	.name_syntax = "[ADDRESS]",
	.summary = "XLink Kai (DDS), as Dolphin and others speak it; UDP " PORT_TEXT,
	.example = "kai:127.0.0.1:" PORT_TEXT,
	.options = kai_options,
	.plug = kai_plug,
};
