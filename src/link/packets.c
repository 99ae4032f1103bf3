/* SPDX-License-Identifier: MIT */
/*
 * Sending in batches: what a batch could not send goes to the backlog, and while that is not
 * empty all frames go there, so that order is kept. The backlog holds what encode made, so
 * that no frame is encoded twice.
 *
 * What the system says of a datagram has four meanings: it went; the peer has no room (keep
 * it); this one cannot go (drop it); nobody is there any more (end the link).
 */
#include "link/packets.h"

#include "base/container.h"
#include "base/time.h"
#include "wire/ether.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The pause of a link that cannot wait for room: twice as long each time that nothing moves. */
#define RETRY_MIN_NS 50000u
#define RETRY_MAX_NS (5 * NS_PER_MS)

/* ENOBUFS in a row until the oldest packet is given up. */
#define NOBUFS_MAX 32u

/* What the kernel keeps for a datagram besides its bytes, about. */
#define DATAGRAM_COST 768u

enum verdict { WENT, FULL, REFUSED, GONE };

static struct packets *packets(struct weft_link *link)
{
	return container_of(link, struct packets, link);
}

struct packets *packets_of(struct weft_link *link)
{
	while (link->inner)
		link = link->inner;
	return packets(link);
}

/* ---- in ---------------------------------------------------------------------------------- */

/* A datagram as a frame. Returns 1, 0, or -EBADMSG. */
static int input_one(struct packets *p, const struct datagram *datagram, uint64_t now,
		     struct weft_frame *ret_frame)
{
	struct weft_frame frame = {
		.data = datagram->data,
		.len = datagram->len,
		.headroom = WEFT_HEADROOM,
	};

	if (p->skip.len > 0 && datagram_addr_equal(datagram->from, &p->skip))
		return 0;
	if (datagram->is_cut)
		return -EMSGSIZE;
	int r = p->ops->decode ? p->ops->decode(p, &frame, now) : 1;
	if (r > 0 && (frame.len < ETHER_LEN || frame.len > WEFT_FRAME_LEN_MAX))
		return -EBADMSG;
	*ret_frame = frame;
	return r;
}

void packets_input(struct packets *p, const struct datagram *datagrams, size_t n,
		   uint64_t now)
{
	struct weft_frame frames[LINK_BATCH];
	size_t frames_n = 0;

	assert(n <= LINK_BATCH);
	p->heard_at = now;
	p->unheard = 0;
	for (size_t i = 0; i < n && !p->link.is_down; i++) {
		int r = input_one(p, &datagrams[i], now, &frames[frames_n]);
		if (r > 0)
			frames_n++;
		else if (r < 0)
			p->link.stats.rx_errors++;
	}
	link_deliver(&p->link, frames, frames_n, now);
}

static void on_recv_error(struct packets *p, int error)
{
	if (error == EAGAIN || error == EINTR)
		return;
	/* UDP reports here what ICMP said of a datagram that was sent. */
	if (p->is_inet || error == ENOBUFS || error == ENOMEM)
		return;
	link_end(&p->link, "the peer's socket is gone (%s)", strerror(error));
}

/* Datagrams before the end of a SOCK_SEQPACKET, which is an empty one. */
static size_t until_end(const struct datagram *datagrams, size_t n)
{
	size_t i = 0;

	while (i < n && datagrams[i].len > 0)
		i++;
	return i;
}

static void packets_read(struct packets *p, uint64_t now)
{
	struct datagram datagrams[LINK_BATCH];

	if (!p->batch && datagram_batch_new(&p->batch) < 0)
		return;
	int got = datagram_recv(p->batch, p->link.task.fd, datagrams);
	if (got < 0) {
		on_recv_error(p, -got);
		return;
	}
	size_t n = (size_t)got;
	if (p->is_stream_like)
		n = until_end(datagrams, n);
	if (n > 0)
		packets_input(p, datagrams, n, now);
	if (n < (size_t)got)
		link_end(&p->link, "the peer hung up");
}

/* ---- out --------------------------------------------------------------------------------- */

static enum verdict verdict_of(const struct packets *p, int error)
{
	switch (error) {
	case 0:
		return WENT;
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
		return FULL;
	case ECONNREFUSED: /* Nobody has the socket open any more; */
	case ENOENT:       /* its path is gone, */
	case ECONNRESET:
	case EPIPE:
	case ENOTCONN:
	case EPERM: /* or it listens to somebody else. */
	case EPROTOTYPE:
		return p->is_inet ? REFUSED : GONE;
	default:
		return REFUSED;
	}
}

/* True for a peer that may have stopped, and would fill a buffer that is others' as well. */
static bool has_to_wait(const struct packets *p)
{
	size_t room, taken;

	if (!p->sharers || p->unheard <= PACKETS_SHARE_MIN ||
	    datagram_send_room(p->send_fd, &room, &taken) < 0)
		return false;
	return taken > room / 2 && p->unheard > room / 2 / *p->sharers;
}

/* Sends until one does not go. Returns how many went, and why not more. */
static size_t packets_write(struct packets *p, struct datagram_out *outs, size_t n,
			    int *ret_error)
{
	size_t sent = 0;

	*ret_error = has_to_wait(p) ? EAGAIN : 0;
	while (sent < n && *ret_error == 0) {
		int r = datagram_send(p->send_fd, &p->to, outs + sent, n - sent);
		if (r < 0)
			*ret_error = -r;
		for (int i = 0; i < r; i++, sent++)
			p->unheard += DATAGRAM_COST + outs[sent].parts[1].iov_len;
	}
	if (sent > 0) {
		p->retry_ns = RETRY_MIN_NS;
		p->nobufs = 0;
	}
	return sent;
}

/* True for a link whose own socket becomes writable when there is room. */
static bool can_wait(const struct packets *p)
{
	return p->link.task.fd >= 0 && p->send_fd == p->link.task.fd;
}

/*
 * There is no room. A link that can wait is run once more in this turn: what is wrapped
 * around it sees only then that it waits to be writable.
 */
static void packets_pause(struct packets *p, int error, uint64_t now)
{
	bool waits = can_wait(p) && error != ENOBUFS && error != ENOMEM;

	if (waits && !(p->link.task.events & WEFT_WRITABLE)) {
		p->link.task.events |= WEFT_WRITABLE;
		p->retry_at = 0;
	} else if (waits) {
		p->retry_at = WEFT_NEVER;
	} else {
		p->retry_at = now + p->retry_ns;
		p->retry_ns =
			p->retry_ns * 2 < RETRY_MAX_NS ? p->retry_ns * 2 : RETRY_MAX_NS;
	}
	p->nobufs += error == ENOBUFS || error == ENOMEM;
}

static void packets_gone(struct packets *p, int error)
{
	link_end(&p->link, "the peer's socket is gone (%s)", strerror(error));
}

/* Drops the oldest packet, which was counted as sent when it was taken. */
static void backlog_give_up(struct packets *p)
{
	backlog_pop(&p->backlog, 1);
	p->link.stats.tx_dropped++;
	p->nobufs = 0;
}

/* Sends what the peer had no room for. */
static void packets_flush(struct packets *p, uint64_t now)
{
	struct backlog_packet packet[LINK_BATCH];
	struct datagram_out outs[LINK_BATCH];
	int error = 0;

	p->retry_at = WEFT_NEVER;
	while (!backlog_is_empty(&p->backlog) && error == 0) {
		size_t n = backlog_peek(&p->backlog, packet, LINK_BATCH);
		for (size_t i = 0; i < n; i++) {
			outs[i].parts[0] = (struct iovec){ NULL, 0 };
			outs[i].parts[1] = (struct iovec){
				p->backlog.block + (packet[i].data - p->backlog.block),
				packet[i].len,
			};
		}
		backlog_pop(&p->backlog, packets_write(p, outs, n, &error));
		if (verdict_of(p, error) == REFUSED) {
			backlog_give_up(p);
			error = 0;
		}
	}
	if (error == 0) {
		p->link.task.events &= ~WEFT_WRITABLE;
		return;
	}
	if (verdict_of(p, error) == GONE) {
		packets_gone(p, error);
		return;
	}
	if (p->nobufs >= NOBUFS_MAX)
		backlog_give_up(p);
	packets_pause(p, error, now);
}

static int encode_one(struct packets *p, const struct weft_frame *frame,
		      struct packets_out *ret_out)
{
	ret_out->prefix_len = 0;
	ret_out->data = frame->data;
	ret_out->len = frame->len;
	return p->ops->encode ? p->ops->encode(p, frame, ret_out) : 1;
}

static int backlog_add(struct packets *p, const struct packets_out *out)
{
	const struct backlog_packet prefix = { out->prefix, out->prefix_len };
	const struct backlog_packet body = { out->data, out->len };
	return backlog_push(&p->backlog, prefix, body);
}

/* All frames behind the backlog. Returns how many it took. */
static size_t send_behind(struct packets *p, const struct weft_frame *frames, size_t n)
{
	struct packets_out out;

	for (size_t i = 0; i < n; i++) {
		int r = encode_one(p, &frames[i], &out);
		if (r < 0 || (r > 0 && backlog_add(p, &out) < 0))
			return i;
	}
	return n;
}

/* One batch on its way out; of[] says which frame each datagram is. */
struct tx {
	struct packets_out out[LINK_BATCH];
	struct datagram_out parts[LINK_BATCH];
	size_t of[LINK_BATCH];
	size_t n;      /* Datagrams. */
	size_t frames; /* Frames looked at. */
};

/*
 * The bytes of a frame are not changed by sending; an iovec only has no const. Stops in front
 * of a frame that the dialect refuses.
 */
static void tx_fill(struct packets *p, struct tx *tx, const struct weft_frame *frames,
		    size_t n)
{
	tx->n = 0;
	for (tx->frames = 0; tx->frames < n && tx->frames < LINK_BATCH; tx->frames++) {
		const struct weft_frame *frame = &frames[tx->frames];
		struct packets_out *out = &tx->out[tx->n];
		int r = encode_one(p, frame, out);
		if (r < 0)
			return;
		if (r == 0)
			continue;
		tx->parts[tx->n].parts[0] =
			(struct iovec){ out->prefix, out->prefix_len };
		tx->parts[tx->n].parts[1] = (struct iovec){
			frame->data + (out->data - frame->data),
			out->len,
		};
		tx->of[tx->n++] = tx->frames;
	}
}

/* Sends one batch. Returns how many of its frames were taken, all or up to a refused one. */
static size_t tx_send(struct packets *p, struct tx *tx, uint64_t now)
{
	int error;
	size_t sent = packets_write(p, tx->parts, tx->n, &error);

	if (sent == tx->n)
		return tx->frames;
	enum verdict verdict = verdict_of(p, error);
	if (verdict == GONE)
		packets_gone(p, error);
	if (verdict != FULL)
		return tx->of[sent];
	packets_pause(p, error, now);
	for (size_t i = sent; i < tx->n; i++) {
		if (backlog_add(p, &tx->out[i]) < 0)
			return tx->of[i];
	}
	return tx->frames;
}

static size_t packets_send(struct weft_link *link, const struct weft_frame *frames,
			   size_t n, uint64_t now)
{
	struct packets *p = packets(link);
	size_t taken = 0;
	struct tx tx;

	while (taken < n) {
		if (!backlog_is_empty(&p->backlog))
			return taken + send_behind(p, frames + taken, n - taken);
		size_t batch = n - taken < LINK_BATCH ? n - taken : LINK_BATCH;
		tx_fill(p, &tx, frames + taken, batch);
		size_t went = tx_send(p, &tx, now);
		taken += went;
		if (went < batch)
			break;
	}
	return taken;
}

void packets_say(struct packets *p, const void *data, size_t len)
{
	uint8_t copy[PACKETS_SAY_MAX];
	struct datagram_out out = { .parts = { { NULL, 0 }, { copy, len } } };

	assert(len <= sizeof(copy));
	memcpy(copy, data, len);
	(void)!datagram_send(p->send_fd, &p->to, &out, 1);
}

/* ---- life -------------------------------------------------------------------------------- */

static void packets_look(struct packets *p, uint64_t now)
{
	if (p->heard_at == 0)
		p->heard_at = now;
	if (now < p->quiet_at)
		return;
	if (now - p->heard_at < p->quiet_ns) {
		p->quiet_at = p->heard_at + p->quiet_ns;
		return;
	}
	p->quiet_at = now + p->quiet_ns;
	p->ops->quiet(p, now - p->heard_at, now);
}

static void packets_run(struct weft_link *link, uint64_t now)
{
	struct packets *p = packets(link);

	if (link->is_down)
		return;
	if (!backlog_is_empty(&p->backlog) &&
	    (now >= p->retry_at || (link->task.events & WEFT_WRITABLE)))
		packets_flush(p, now);
	if (!link->is_down && link->task.fd >= 0)
		packets_read(p, now);
	if (!link->is_down && p->quiet_ns > 0)
		packets_look(p, now);
}

static uint64_t packets_deadline(const struct weft_link *link)
{
	const struct packets *p = container_of_const(link, struct packets, link);

	if (link->is_down)
		return WEFT_NEVER;
	return p->retry_at < p->quiet_at ? p->retry_at : p->quiet_at;
}

static void packets_free(struct weft_link *link)
{
	struct packets *p = packets(link);

	if (p->ops->bye)
		p->ops->bye(p);
	link_fini(link);
	if (p->owns_send_fd)
		(void)close(p->send_fd);
	if (link->task.fd >= 0)
		(void)close(link->task.fd);
	datagram_batch_free(p->batch);
	backlog_fini(&p->backlog);
	free(p);
}

static const struct link_ops packets_link_ops = {
	.run = packets_run,
	.deadline = packets_deadline,
	.send = packets_send,
	.free = packets_free,
};

static bool socket_is_inet(int fd)
{
	struct datagram_addr own = { .len = sizeof(own.u) };

	return getsockname(fd, &own.u.sa, &own.len) == 0 && own.u.sa.sa_family != AF_UNIX;
}

void packets_init(struct packets *p, const struct packets_opts *opts)
{
	static const struct packets_ops bare;
	const struct weft_link_caps caps = {
		.frame_len_max =
			opts->frame_len_max ? opts->frame_len_max : WEFT_FRAME_LEN_MAX,
	};

	link_init(&p->link, &packets_link_ops, opts->name, opts->fd, caps);
	p->ops = opts->ops ? opts->ops : &bare;
	p->owns_send_fd = opts->own_send_fd > 0;
	p->send_fd = p->owns_send_fd ? opts->own_send_fd
		     : opts->fd >= 0 ? opts->fd
				     : opts->send_fd;
	p->is_inet = socket_is_inet(p->send_fd);
	p->sharers = opts->fd < 0 && !p->is_inet ? opts->sharers : NULL;
	if (p->is_inet && p->link.caps.frame_len_max > PACKETS_UDP_FRAME_MAX)
		p->link.caps.frame_len_max = PACKETS_UDP_FRAME_MAX;
	p->is_stream_like = opts->is_stream_like;
	p->to = opts->to;
	p->skip = opts->skip;
	p->batch = NULL;
	backlog_init(&p->backlog, opts->queue_len ? opts->queue_len : PACKETS_QUEUE_LEN);
	p->retry_at = WEFT_NEVER;
	p->retry_ns = RETRY_MIN_NS;
	p->nobufs = 0;
	p->unheard = 0;
	p->heard_at = 0;
	p->quiet_ns = p->ops->quiet ? opts->quiet_ns : 0;
	p->quiet_at = p->quiet_ns > 0 ? 0 : WEFT_NEVER;
	datagram_set_buffers(p->send_fd, PACKETS_BUFFER_LEN);
}

int packets_new(const struct packets_opts *opts, struct packets **ret_packets)
{
	struct packets *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	packets_init(p, opts);
	*ret_packets = p;
	return 0;
}
