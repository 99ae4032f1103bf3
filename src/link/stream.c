/* SPDX-License-Identifier: MIT */
/*
 * In: bytes are read behind what is left of the last read, and decoded where they lie. What
 * stays is the beginning of one frame; it moves to the front only when there is no room for
 * a whole read behind it.
 *
 *     | headroom | decoded ... | rest (< one frame) | room for a read ...       |
 *                 ^ start                            ^ end                       RX_LEN
 *
 * Out: the header of a frame goes into its headroom where there is enough, so that header
 * and frame are one piece; and frames that lie one behind the other, as those of another
 * stream do, are one piece together. A message has whole frames only, at most MESSAGE_LEN
 * bytes of them unless one is longer: what the kernel puts into one buffer of a UNIX socket
 * (UNIX_SKB_FRAGS_SZ in net/unix/af_unix.c).
 */
#include "link/stream.h"

#include "base/container.h"
#include "io/poller.h"
#include "link/backlog.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define RX_LEN      (WEFT_HEADROOM + LINK_RUN_BYTES + WEFT_FRAME_LEN_MAX + FRAMING_HDR_MAX)
#define MESSAGE_LEN 32768u

static_assert(STREAM_FIRST_MAX < LINK_RUN_BYTES, "what comes first fits");

struct stream {
	struct weft_link link;
	struct framing framing;
	struct local_ends ends;
	bool is_socket; /* What is written to; a pipe knows no sendmsg(2). */
	/* In. */
	uint8_t *rx; /* RX_LEN bytes. */
	size_t start, end;
	size_t skip;    /* Of a frame that is too long, what is yet to come. */
	bool has_first; /* There are bytes in rx that nobody has looked at. */
	struct stream_greeting *greeting; /* NULL once frames may pass. */
	uint64_t patience_until;          /* 0 before the first run. */
	/* Out. */
	struct backlog backlog;
	size_t head_sent; /* Of the backlog's oldest packet, bytes that are out. */
	bool tx_broken;   /* The peer reads no more; what it has sent is still read. */
	/* Two pipes are watched through a poller, as two tasks. NULL for a socket. */
	struct poller *poller;
	struct weft_task in_task, out_task;
};

static struct stream *stream_of(struct weft_link *link)
{
	return (struct stream *)(void *)link;
}

/* ---- Out ---- */

/* One message: what sendmsg gets, and which frames those are. */
struct message {
	struct iovec iov[2 * LINK_BATCH];
	uint8_t hdrs[LINK_BATCH][FRAMING_HDR_MAX];
	size_t iov_n;
	size_t frames_n;
	size_t len;
};

/* Waits for room only while something waits for it. */
static void stream_watch_out(struct stream *s)
{
	bool waits = !backlog_is_empty(&s->backlog) && !s->tx_broken;
	if (s->poller) {
		s->out_task.events = waits ? WEFT_WRITABLE : 0;
		poller_watch(s->poller);
	} else if (!s->link.is_down) {
		s->link.task.events = WEFT_READABLE | (waits ? WEFT_WRITABLE : 0);
	}
}

/* Writes what it can. Returns how many bytes, 0 when there is no room or no reader. */
static size_t stream_write(struct stream *s, struct iovec *iov, size_t iov_n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = iov_n };
	ssize_t sent;
	do {
		sent = s->is_socket
			       ? sendmsg(s->ends.out, &msg, MSG_DONTWAIT | MSG_NOSIGNAL)
			       : writev(s->ends.out, iov, (int)iov_n);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		s->tx_broken = true;
	return sent > 0 ? (size_t)sent : 0;
}

static void message_add(struct message *m, void *data, size_t len)
{
	struct iovec *last = m->iov_n > 0 ? &m->iov[m->iov_n - 1] : NULL;
	m->len += len;
	if (last && (uint8_t *)last->iov_base + last->iov_len == data)
		last->iov_len += len;
	else
		m->iov[m->iov_n++] = (struct iovec){ data, len };
}

static void message_add_frame(struct message *m, const struct framing_ops *ops,
			      const struct weft_frame *frame)
{
	const uint32_t hdr_len = ops->hdr_len;

	if (hdr_len == 0) {
		message_add(m, frame->data, frame->len);
	} else if (frame->headroom >= hdr_len) {
		ops->encode(frame->data - hdr_len, frame->len);
		message_add(m, frame->data - hdr_len, hdr_len + (size_t)frame->len);
	} else {
		uint8_t *hdr = m->hdrs[m->frames_n];
		ops->encode(hdr, frame->len);
		message_add(m, hdr, hdr_len);
		message_add(m, frame->data, frame->len);
	}
	m->frames_n++;
}

/* Fills a message with the first of n frames. */
static void message_fill(struct message *m, const struct framing_ops *ops,
			 const struct weft_frame *frames, size_t n)
{
	m->iov_n = 0;
	m->frames_n = 0;
	m->len = 0;
	while (m->frames_n < n && m->frames_n < LINK_BATCH) {
		const struct weft_frame *frame = &frames[m->frames_n];
		if (m->frames_n > 0 && m->len + ops->hdr_len + frame->len > MESSAGE_LEN)
			return;
		message_add_frame(m, ops, frame);
	}
}

static int stream_keep(struct stream *s, const struct weft_frame *frame)
{
	uint8_t hdr[FRAMING_HDR_MAX];
	const struct framing_ops *ops = s->framing.ops;
	if (ops->hdr_len > 0)
		ops->encode(hdr, frame->len);
	return backlog_push(&s->backlog, (struct backlog_packet){ hdr, ops->hdr_len },
			    (struct backlog_packet){ frame->data, frame->len });
}

/*
 * Of n frames in a message, sent bytes are out: those that are out as a whole are done, and
 * the one that is out in part has to be kept. Returns how many are done either way.
 */
static size_t stream_account(struct stream *s, const struct weft_frame *frames, size_t n,
			     size_t sent)
{
	const uint32_t hdr_len = s->framing.ops->hdr_len;
	size_t done = 0;
	while (done < n && sent >= hdr_len + (size_t)frames[done].len)
		sent -= hdr_len + (size_t)frames[done++].len;
	if (sent == 0)
		return done;
	if (stream_keep(s, &frames[done]) < 0) {
		link_end(&s->link, "out of memory in the middle of a frame");
		return done;
	}
	s->head_sent = sent;
	return done + 1;
}

/* Sends what goes out at once. Returns how many of the frames are done. */
static size_t stream_send_now(struct stream *s, const struct weft_frame *frames, size_t n)
{
	struct message m;
	size_t done = 0;

	while (done < n && backlog_is_empty(&s->backlog) && !s->tx_broken) {
		message_fill(&m, s->framing.ops, frames + done, n - done);
		size_t sent = stream_write(s, m.iov, m.iov_n);
		if (sent == m.len) {
			done += m.frames_n;
			continue;
		}
		done += stream_account(s, frames + done, m.frames_n, sent);
		break;
	}
	return done;
}

/* How many frames come before one without a byte: its length would wedge Dolphin's reader. */
static size_t stream_sendable(const struct weft_frame *frames, size_t n)
{
	size_t i = 0;
	while (i < n && frames[i].len > 0)
		i++;
	return i;
}

static size_t stream_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct stream *s = stream_of(link);
	(void)now;

	if (s->greeting || s->tx_broken)
		return 0;
	n = stream_sendable(frames, n);
	size_t done = backlog_is_empty(&s->backlog) ? stream_send_now(s, frames, n) : 0;
	while (done < n && !s->tx_broken && stream_keep(s, &frames[done]) == 0)
		done++;
	stream_watch_out(s);
	return done;
}

/* Sends one message of what waits. Returns whether all of it went out. */
static bool stream_flush_some(struct stream *s)
{
	struct backlog_packet packets[LINK_BATCH];
	struct iovec iov[LINK_BATCH];
	size_t n = backlog_peek(&s->backlog, packets, LINK_BATCH);
	size_t len = 0, used = 0, done = 0;

	for (; used < n && (used == 0 || len + packets[used].len <= MESSAGE_LEN);
	     used++) {
		size_t out = used == 0 ? s->head_sent : 0;
		union {
			const uint8_t *in;
			uint8_t *out;
		} data = { packets[used].data + out };
		iov[used] = (struct iovec){ data.out, packets[used].len - out };
		len += iov[used].iov_len;
	}
	size_t sent = stream_write(s, iov, used);
	bool is_all = sent == len;
	while (done < used && sent >= iov[done].iov_len)
		sent -= iov[done++].iov_len;
	s->head_sent = done > 0 ? sent : s->head_sent + sent;
	backlog_pop(&s->backlog, done);
	return is_all;
}

static void stream_flush(struct stream *s)
{
	while (!backlog_is_empty(&s->backlog) && !s->tx_broken && stream_flush_some(s))
		;
	stream_watch_out(s);
}

void stream_link_say(struct weft_link *link, const uint8_t *bytes, size_t n)
{
	struct stream *s = stream_of(link);
	const struct backlog_packet none = { NULL, 0 };
	if (backlog_push(&s->backlog, none, (struct backlog_packet){ bytes, n }) < 0)
		link_end(link, "out of memory");
	stream_flush(s);
}

/* ---- In ---- */

/* Frames that are decoded, and not delivered yet. */
struct rx_batch {
	struct weft_frame frames[LINK_BATCH];
	size_t n;
};

static void rx_deliver(struct stream *s, struct rx_batch *batch, uint64_t now)
{
	link_deliver(&s->link, batch->frames, batch->n, now);
	batch->n = 0;
}

/* Passes over the next n bytes, of which some may not be here yet. */
static void rx_pass(struct stream *s, size_t n)
{
	size_t here = s->end - s->start;
	s->skip = n > here ? n - here : 0;
	s->start += n - s->skip;
}

/* The bytes in front of a frame are its own header, and nobody's any more. */
static void rx_frame(struct stream *s, const struct framing_unit *unit,
		     struct rx_batch *batch)
{
	batch->frames[batch->n++] = (struct weft_frame){
		.data = s->rx + s->start + unit->frame_off,
		.len = unit->frame_len,
		.headroom = (uint32_t)unit->frame_off,
	};
	s->start += unit->len;
}

/* Takes one unit. Returns false when there is none. */
static bool rx_take(struct stream *s, struct rx_batch *batch)
{
	struct framing_unit unit;

	switch (framing_decode(&s->framing, s->rx + s->start, s->end - s->start, &unit)) {
	case FRAMING_MORE:
		return false;
	case FRAMING_FRAME:
		rx_frame(s, &unit, batch);
		return true;
	case FRAMING_BAD:
		s->link.stats.rx_errors++;
		rx_pass(s, unit.len);
		return true;
	case FRAMING_PAD:
		rx_pass(s, unit.len);
		return true;
	case FRAMING_BROKEN:
		break;
	}
	s->link.stats.rx_errors++;
	link_end(&s->link, "%s", s->framing.why);
	return false;
}

/* Lets the greeting have what it wants. Returns whether it is over. */
static bool rx_greet(struct stream *s)
{
	while (s->greeting && s->start < s->end && !s->link.is_down) {
		size_t taken = s->greeting->ops->input(
			s->greeting, &s->link, s->rx + s->start, s->end - s->start);
		if (taken == 0 && s->greeting)
			return false;
		s->start += taken;
	}
	return !s->greeting && !s->link.is_down;
}

static void rx_decode(struct stream *s, uint64_t now)
{
	struct rx_batch batch;
	batch.n = 0;

	if (s->skip > 0)
		rx_pass(s, s->skip);
	if (s->greeting && !rx_greet(s))
		return;
	while (s->start < s->end && rx_take(s, &batch)) {
		if (batch.n == LINK_BATCH)
			rx_deliver(s, &batch, now);
		if (s->link.is_down)
			return;
	}
	rx_deliver(s, &batch, now);
}

/* The end of the stream, when all that came before it has been delivered. */
static void rx_ended(struct stream *s, int error)
{
	if (error)
		link_end(&s->link, "the connection was lost: %s", strerror(error));
	else if (s->greeting)
		link_end(&s->link, "the peer went before it had said what it is");
	else if (s->start < s->end || s->skip > 0)
		link_end(&s->link, "the peer went in the middle of a frame");
	else
		link_end(&s->link, "the peer has gone");
}

/* What is left of the last read goes to the front when there is too little room behind it. */
static void rx_make_room(struct stream *s)
{
	size_t rest = s->end - s->start;
	if (rest > 0 && RX_LEN - s->end >= LINK_RUN_BYTES)
		return;
	memmove(s->rx + WEFT_HEADROOM, s->rx + s->start, rest);
	s->start = WEFT_HEADROOM;
	s->end = s->start + rest;
}

static void stream_read(struct stream *s, uint64_t now)
{
	ssize_t got;

	rx_make_room(s);
	do {
		got = read(s->ends.in, s->rx + s->end, LINK_RUN_BYTES);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		s->end += (size_t)got;
		rx_decode(s, now);
	} else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
		rx_ended(s, got == 0 ? 0 : errno);
	}
}

/* ---- The greeting ---- */

void stream_link_greeted(struct weft_link *link, uint32_t frame_len_max)
{
	struct stream *s = stream_of(link);
	link->caps.frame_len_max = frame_len_max;
	s->greeting->ops->free(s->greeting);
	s->greeting = NULL;
}

static void stream_greet(struct stream *s, uint64_t now)
{
	if (s->patience_until == 0) {
		s->patience_until = now + s->greeting->patience_ns;
		if (s->greeting->ops->begin)
			s->greeting->ops->begin(s->greeting, &s->link);
	} else if (now >= s->patience_until) {
		link_end(&s->link, "the peer did not say what it is in time");
	}
}

/* ---- The link ---- */

static void stream_run(struct weft_link *link, uint64_t now)
{
	struct stream *s = stream_of(link);

	if (link->is_down)
		return;
	if (s->greeting)
		stream_greet(s, now);
	if (s->has_first && !link->is_down) {
		s->has_first = false;
		rx_decode(s, now);
	}
	if (s->poller) {
		poller_run(s->poller, now);
		return;
	}
	if (!backlog_is_empty(&s->backlog))
		stream_flush(s);
	if (!link->is_down)
		stream_read(s, now);
}

static void in_task_run(struct weft_task *task, uint64_t now)
{
	struct stream *s = container_of(task, struct stream, in_task);
	if (!s->link.is_down)
		stream_read(s, now);
	if (s->link.is_down)
		task->events = 0;
}

static void out_task_run(struct weft_task *task, uint64_t now)
{
	struct stream *s = container_of(task, struct stream, out_task);
	(void)now;
	stream_flush(s);
}

static uint64_t stream_deadline(const struct weft_link *link)
{
	const struct stream *s = (const struct stream *)(const void *)link;

	if (link->is_down)
		return WEFT_NEVER;
	if (s->has_first)
		return 0;
	uint64_t deadline = s->poller ? poller_deadline(s->poller) : WEFT_NEVER;
	if (s->greeting && s->patience_until < deadline)
		return s->patience_until;
	return deadline;
}

static void stream_free(struct weft_link *link)
{
	struct stream *s = stream_of(link);
	link_fini(link);
	poller_free(s->poller);
	local_ends_close(&s->ends);
	backlog_fini(&s->backlog);
	if (s->greeting)
		s->greeting->ops->free(s->greeting);
	free(s->rx);
	free(s);
}

static const struct link_ops stream_ops = {
	.run = stream_run,
	.deadline = stream_deadline,
	.send = stream_send,
	.free = stream_free,
};

static int stream_watch_ends(struct stream *s)
{
	int r = poller_new(&s->poller);
	if (r < 0)
		return r;
	s->in_task = (struct weft_task){ .fd = s->ends.in,
					 .events = WEFT_READABLE,
					 .run = in_task_run };
	s->out_task = (struct weft_task){ .fd = s->ends.out, .run = out_task_run };
	r = poller_add(s->poller, &s->in_task);
	if (r == 0)
		r = poller_add(s->poller, &s->out_task);
	if (r < 0)
		poller_free(s->poller);
	return r;
}

static bool fd_is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static int stream_init(struct stream *s, const struct stream_opts *opts,
		       const struct local_ends *ends)
{
	s->rx = malloc(RX_LEN);
	if (!s->rx)
		return -ENOMEM;
	s->ends = *ends;
	s->is_socket = fd_is_socket(ends->out);
	s->framing = opts->framing;
	s->start = WEFT_HEADROOM;
	s->end = s->start + opts->first_len;
	s->has_first = opts->first_len > 0;
	if (opts->first_len > 0)
		memcpy(s->rx + s->start, opts->first, opts->first_len);
	return ends->in == ends->out ? 0 : stream_watch_ends(s);
}

int stream_link_new(const struct stream_opts *opts, const struct local_ends *ends,
		    struct weft_link **ret_link)
{
	const struct weft_link_caps caps = { .frame_len_max = opts->frame_len_max };
	/* One frame must find room: the one that a full socket took in part. */
	const size_t queue_min = 2 * ((size_t)opts->frame_len_max + STREAM_FIRST_MAX);
	struct stream *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int r = stream_init(s, opts, ends);
	if (r < 0) {
		free(s->rx);
		free(s);
		return r;
	}
	link_init(&s->link, &stream_ops, opts->kind,
		  s->poller ? poller_fd(s->poller) : ends->in, caps);
	s->greeting = opts->greeting;
	backlog_init(&s->backlog,
		     opts->queue_len > queue_min ? opts->queue_len : queue_min);
	*ret_link = &s->link;
	return 0;
}
