/* SPDX-License-Identifier: MIT */
/*
 * A wrapper around the stream, which knows nothing of flags: the decoder is fed whatever
 * piece of the line comes, so that a length that is wrong costs a frame and not the line.
 */
#include "link/modem.h"

#include "link/drivers.h"
#include "link/listen.h"
#include "link/stream.h"
#include "wire/hdlc.h"
#include "wire/ppp.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A PPP frame of ours, as it is and on the line. */
#define FRAME_MAX (PPP_HDR_LEN + PPP_MRU)
#define LINE_MAX  HDLC_ENCODED_MAX(FRAME_MAX)
#define UNITS_MAX 2u

/* Of the socket's send buffer; the kernel doubles it, for its own needs. */
#define SOCKET_LEN 8192

static_assert(LINE_MAX <= UNITS_MAX * MODEM_UNIT_MAX, "the worst frame fits");

struct modem {
	struct weft_link link;
	struct hdlc_decoder decoder;
	uint32_t accm; /* The peer's. */
	uint8_t room[WEFT_HEADROOM + HDLC_CONTENT_MAX];
};

static struct modem *modem_of(struct weft_link *link)
{
	return (struct modem *)(void *)link;
}

/* ---- out --------------------------------------------------------------------------------- */

/* The ACCM in the options of a Configure-Ack; without one it is the standard (RFC 1662, 7.1). */
static uint32_t accm_of(const struct ppp_packet *ack)
{
	struct reader r = reader_of(ack->data, ack->len);
	struct ppp_option option;
	while (ppp_option_next(&r, &option) > 0)
		if (option.type == LCP_ACCM)
			return ppp_option_u32(&option);
	return HDLC_ACCM_ALL;
}

/* What is to be escaped in a frame. LCP is escaped in full, always; its Acks are read. */
static uint32_t modem_accm(struct modem *m, const struct weft_frame *frame)
{
	struct ppp_packet packet;
	uint16_t protocol;
	int off = ppp_hdr_parse(frame->data, frame->len, &protocol);
	if (off < 0 || protocol != PPP_LCP)
		return m->accm;
	int r = ppp_packet_parse(frame->data + off, frame->len - (size_t)off, &packet);
	if (r >= 0 && packet.code == PPP_CONFIGURE_ACK)
		m->accm = accm_of(&packet);
	return HDLC_ACCM_ALL;
}

/* Sends a line's bytes in as few units as take them. False if one of them found no room: the
   stream has counted a unit that nobody asks about, and the frame is refused. */
static bool send_line(struct modem *m, const struct weft_frame *line, uint64_t now)
{
	struct weft_frame units[UNITS_MAX];
	const struct weft_link_stats *stats = &m->link.inner->stats;
	uint32_t unit_max = m->link.inner->caps.frame_len_max;
	uint64_t dropped = stats->tx_dropped;
	size_t n = 0;
	for (uint32_t off = 0; off < line->len && n < UNITS_MAX; n++) {
		uint32_t left = line->len - off;
		units[n] = (struct weft_frame){ .data = line->data + off,
						.len = left < unit_max ? left : unit_max,
						.headroom = n ? 0 : line->headroom };
		off += units[n].len;
	}
	weft_link_send(m->link.inner, units, n, now);
	return stats->tx_dropped == dropped;
}

static size_t modem_send(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	struct modem *m = modem_of(link);
	uint8_t buf[WEFT_HEADROOM + LINE_MAX];
	struct weft_frame line = { .data = buf + WEFT_HEADROOM,
				   .headroom = WEFT_HEADROOM };
	for (size_t i = 0; i < n; i++) {
		const struct hdlc_content content = { frames[i].data, frames[i].len };
		int len = hdlc_emit(line.data, LINE_MAX, &content,
				    modem_accm(m, &frames[i]));
		if (len < 0)
			return i;
		line.len = (uint32_t)len;
		if (!send_line(m, &line, now))
			return i;
	}
	return n;
}

/* ---- in ---------------------------------------------------------------------------------- */

static void receive_content(struct modem *m, const struct hdlc_content *content,
			    uint64_t now)
{
	const struct weft_frame frame = { .data = m->room + WEFT_HEADROOM,
					  .len = (uint32_t)content->len,
					  .headroom = WEFT_HEADROOM };
	memcpy(frame.data, content->data, content->len);
	link_deliver(&m->link, &frame, 1, now);
}

static uint64_t decoder_errors(const struct hdlc_decoder *d)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < HDLC_OUTCOMES; i++)
		sum += i == HDLC_TAKEN ? 0 : d->counts[i];
	return sum;
}

static void receive_piece(struct modem *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct hdlc_content content;
	while (len > 0) {
		size_t taken = hdlc_decode(&m->decoder, data, len, &content);
		if (content.data)
			receive_content(m, &content, now);
		data += taken;
		len -= taken;
	}
}

static void modem_received(void *user, struct weft_link *inner,
			   const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct modem *m = user;
	(void)inner;
	for (size_t i = 0; i < n; i++)
		receive_piece(m, frames[i].data, frames[i].len, now);
	m->link.stats.rx_errors = decoder_errors(&m->decoder);
}

/* ---- the link ---------------------------------------------------------------------------- */

static void modem_free(struct weft_link *link)
{
	link_fini(link);
	free(modem_of(link));
}

static const struct link_ops modem_ops = {
	.send = modem_send,
	.free = modem_free,
};

static void modem_init(struct modem *m, struct weft_link *inner)
{
	link_init_wrapper(&m->link, &modem_ops, inner, modem_received);
	m->link.caps = (struct weft_link_caps){ .flags = WEFT_LINK_PPP,
						.frame_len_max = FRAME_MAX };
	m->accm = HDLC_ACCM_ALL;
}

int modem_new(struct weft_link *inner, struct weft_link **ret_link)
{
	struct modem *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	modem_init(m, inner);
	*ret_link = &m->link;
	return 0;
}

/* ---- the plugs --------------------------------------------------------------------------- */

/* A line without units: whatever is at hand is a piece of it. */
/* NOLINTNEXTLINE(readability-non-const-parameter): framing.h decides the parameters. */
static enum framing_outcome line_decode(struct framing *f, uint8_t *data, size_t len,
					struct framing_unit *ret_unit)
{
	(void)f;
	(void)data;
	*ret_unit = (struct framing_unit){ .len = len, .frame_len = (uint32_t)len };
	return FRAMING_FRAME;
}

static const struct framing_ops framing_line = { .decode = line_decode };

struct modem_plug {
	struct listen_plug listen;
	struct stream_opts stream;
};

/* What waits in front of a slow line delays everything behind it, LCP's echoes too: a second
   or two of 115,200 baud, and no more. Where it cannot be set (a pipe), so be it. */
static void limit_socket(int fd)
{
	const int len = SOCKET_LEN;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
}

static int modem_link_new(struct listen_plug *listen, const struct local_ends *ends,
			  struct weft_link **ret_link)
{
	struct modem_plug *p = (struct modem_plug *)(void *)listen;
	struct weft_link *line;
	struct modem *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	limit_socket(ends->out);
	p->stream.queue_len = listen->opts.queue_len;
	int r = stream_link_new(&p->stream, ends, &line);
	if (r < 0) {
		free(m);
		return r;
	}
	modem_init(m, line);
	*ret_link = &m->link;
	return 0;
}

static const struct listen_ops modem_listen_ops = {
	.socket_type = SOCK_STREAM,
	.link_new = modem_link_new,
};

static int plug_open(const struct stream_opts *stream, const struct spec *spec,
		     struct weft_error *err, struct weft_plug **ret_plug)
{
	struct modem_plug *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->stream = *stream;
	p->listen.frame_len_max = FRAME_MAX;
	int r = listen_open(&p->listen, &modem_listen_ops, spec, err, ret_plug);
	if (r == 0)
		(*ret_plug)->link_flags = WEFT_LINK_PPP;
	return r;
}

static int modem_plug(const struct spec *spec, struct weft_error *err,
		      struct weft_plug **ret_plug)
{
	const struct stream_opts stream = {
		.kind = "modem",
		.framing = { .ops = &framing_u16_le,
			     .frame_len_min = 1,
			     .frame_len_max = UINT16_MAX },
		.frame_len_max = MODEM_UNIT_MAX,
	};
	return plug_open(&stream, spec, err, ret_plug);
}

static int modem_raw_plug(const struct spec *spec, struct weft_error *err,
			  struct weft_plug **ret_plug)
{
	const struct stream_opts stream = {
		.kind = "modem-raw",
		.framing = { .ops = &framing_line },
		.frame_len_max = LINE_MAX,
	};
	return plug_open(&stream, spec, err, ret_plug);
}

static const struct spec_option modem_options[] = {
	LOCAL_OPTIONS_WITH_QUEUE("32k"),
	{ 0 },
};

const struct spec_driver modem_driver = {
	.kind = "modem",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "Dolphin's modem adapter: PPP, for weft serve",
	.example = "modem:/tmp/dolphin-modem-tap",
	.options = modem_options,
	.plug = modem_plug,
};

const struct spec_driver modem_raw_driver = {
	.kind = "modem-raw",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "PPP on a serial line, without lengths",
	.example = "modem-raw:/run/ttyS1.sock",
	.options = modem_options,
	.plug = modem_raw_plug,
};
