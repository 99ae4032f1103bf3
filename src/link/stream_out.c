/* SPDX-License-Identifier: MIT */
/*
 * The header of a frame goes into its headroom where there is enough, so that header and frame
 * are one piece; and frames that lie one behind the other, as those of another stream do, are
 * one piece together. A message has at most MESSAGE_LEN bytes unless one frame is longer: what
 * the kernel puts into one buffer of a UNIX socket (UNIX_SKB_FRAGS_SZ in net/unix/af_unix.c).
 */
#include "link/stream_out.h"

#include "link/link.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MESSAGE_LEN 32768u

/* One message: what sendmsg gets, and which frames those are. */
struct message {
	struct iovec iov[2 * LINK_BATCH];
	uint8_t hdrs[LINK_BATCH][FRAMING_HDR_MAX];
	size_t iov_n;
	size_t frames_n;
	size_t len;
};

static bool fd_is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

void stream_out_init(struct stream_out *out, int fd, const struct framing_ops *framing,
		     size_t queue_len)
{
	*out = (struct stream_out){ .framing = framing,
				    .fd = fd,
				    .is_socket = fd_is_socket(fd) };
	backlog_init(&out->backlog, queue_len);
}

void stream_out_fini(struct stream_out *out)
{
	backlog_fini(&out->backlog);
}

/* ---- messages ---------------------------------------------------------------------------- */

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

/* Writes what it can. Returns how many bytes, 0 when there is no room or no reader. */
static size_t write_some(struct stream_out *out, struct iovec *iov, size_t iov_n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = iov_n };
	ssize_t sent;
	do {
		sent = out->is_socket
			       ? sendmsg(out->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL)
			       : writev(out->fd, iov, (int)iov_n);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		out->is_broken = true;
	return sent > 0 ? (size_t)sent : 0;
}

/* ---- what goes out at once --------------------------------------------------------------- */

static int keep(struct stream_out *out, const struct weft_frame *frame)
{
	uint8_t hdr[FRAMING_HDR_MAX];
	const struct framing_ops *ops = out->framing;
	if (ops->hdr_len > 0)
		ops->encode(hdr, frame->len);
	return backlog_push(&out->backlog, (struct backlog_packet){ hdr, ops->hdr_len },
			    (struct backlog_packet){ frame->data, frame->len });
}

/*
 * Of a message's frames, sent bytes are out: those that are out as a whole are done, and so is
 * the one that is out in part, as its rest is kept. Returns how many are done, or -ENOMEM.
 */
static int account(struct stream_out *out, const struct weft_frame *frames, size_t n,
		   size_t sent)
{
	const uint32_t hdr_len = out->framing->hdr_len;
	size_t done = 0;
	while (done < n && sent >= hdr_len + (size_t)frames[done].len)
		sent -= hdr_len + (size_t)frames[done++].len;
	if (sent == 0)
		return (int)done;
	if (keep(out, &frames[done]) < 0)
		return -ENOMEM;
	out->head_sent = sent;
	return (int)done + 1;
}

/* Sends messages while all of each goes out. Returns how many frames are done, or -ENOMEM. */
static int send_now(struct stream_out *out, const struct weft_frame *frames, size_t n)
{
	struct message m;
	size_t done = 0;

	while (done < n && !out->is_broken) {
		message_fill(&m, out->framing, frames + done, n - done);
		size_t sent = write_some(out, m.iov, m.iov_n);
		if (sent < m.len) {
			int r = account(out, frames + done, m.frames_n, sent);
			return r < 0 ? r : (int)done + r;
		}
		done += m.frames_n;
	}
	return (int)done;
}

int stream_out_send(struct stream_out *out, const struct weft_frame *frames, size_t n)
{
	int done = stream_out_has_rest(out) ? 0 : send_now(out, frames, n);
	if (done < 0)
		return done;
	while ((size_t)done < n && !out->is_broken && keep(out, &frames[done]) == 0)
		done++;
	return done;
}

/* ---- what waits -------------------------------------------------------------------------- */

int stream_out_say(struct stream_out *out, const uint8_t *bytes, size_t n)
{
	const struct backlog_packet none = { NULL, 0 };
	return backlog_push(&out->backlog, none, (struct backlog_packet){ bytes, n });
}

/* Sends one message of what waits. Returns whether all of it went out. */
static bool flush_some(struct stream_out *out)
{
	struct backlog_packet packets[LINK_BATCH];
	struct iovec iov[LINK_BATCH];
	size_t n = backlog_peek(&out->backlog, packets, LINK_BATCH);
	size_t len = 0, used = 0, done = 0;

	for (; used < n && (used == 0 || len + packets[used].len <= MESSAGE_LEN);
	     used++) {
		size_t sent = used == 0 ? out->head_sent : 0;
		union {
			const uint8_t *in;
			uint8_t *out;
		} data = { packets[used].data + sent };
		iov[used] = (struct iovec){ data.out, packets[used].len - sent };
		len += iov[used].iov_len;
	}
	size_t sent = write_some(out, iov, used);
	bool is_all = sent == len;
	while (done < used && sent >= iov[done].iov_len)
		sent -= iov[done++].iov_len;
	out->head_sent = done > 0 ? sent : out->head_sent + sent;
	backlog_pop(&out->backlog, done);
	return is_all;
}

void stream_out_flush(struct stream_out *out)
{
	while (stream_out_waits(out) && flush_some(out))
		continue;
}
