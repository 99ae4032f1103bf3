/* SPDX-License-Identifier: MIT */
/*
 * A stream needs an entry only while its message is incomplete, or complete but without its
 * fin yet; most messages come whole, in one packet, and never make one.
 */
#include "lan/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The two low bits of a stream's id: who opened it, and for how many directions. (2.1) */
enum {
	STREAM_BITS = 3,
	STREAM_UNI_OF_CLIENT = 2,
	STREAM_UNI_OF_SERVER = 3,
};

struct incoming {
	struct list node;
	int64_t stream;
	struct control_reader reader;
};

struct waiting {
	struct list node;
	struct message_frame frame;
};

void channel_init(struct channel *channel, struct quic_conn *conn, bool is_relay)
{
	*channel = (struct channel){ .conn = conn, .is_relay = is_relay };
	list_init(&channel->incoming);
	list_init(&channel->waiting);
}

static void incoming_free(struct channel *channel, struct incoming *in)
{
	list_remove(&in->node);
	control_reader_fini(&in->reader);
	free(in);
	channel->incoming_n--;
}

static void waiting_free(struct channel *channel, struct waiting *waiting)
{
	list_remove(&waiting->node);
	channel->waiting_len -= waiting->frame.len;
	free(waiting->frame.data);
	free(waiting);
}

void channel_fini(struct channel *channel)
{
	list_for_each (node, &channel->incoming)
		incoming_free(channel, container_of(node, struct incoming, node));
	list_for_each (node, &channel->waiting)
		waiting_free(channel, container_of(node, struct waiting, node));
}

/* ---- in ---------------------------------------------------------------------------------- */

static struct incoming *incoming_find(const struct channel *channel, int64_t stream)
{
	list_for_each (node, &channel->incoming) {
		struct incoming *in = container_of(node, struct incoming, node);
		if (in->stream == stream)
			return in;
	}
	return NULL;
}

/* Keeps what a reader has, because its stream goes on. */
static int incoming_new(struct channel *channel, int64_t stream,
			const struct control_reader *reader)
{
	if (channel->incoming_n >= CHANNEL_INCOMING_MAX)
		return -ENOSPC;
	struct incoming *in = malloc(sizeof(*in));
	if (!in)
		return -ENOMEM;
	*in = (struct incoming){ .stream = stream, .reader = *reader };
	list_push_back(&channel->incoming, &in->node);
	channel->incoming_n++;
	return 0;
}

static bool stream_is_allowed(const struct channel *channel, int64_t stream)
{
	int64_t kind = channel->is_relay ? STREAM_UNI_OF_CLIENT : STREAM_UNI_OF_SERVER;
	return stream == CHANNEL_FIRST || (stream & STREAM_BITS) == kind;
}

static int broken(struct weft_error *err, int reason)
{
	switch (reason) {
	case -EMSGSIZE:
		return weft_error_set(err, -EPROTO,
				      "a control message is longer than %u bytes",
				      CONTROL_BODY_MAX);
	case -EBADMSG:
		return weft_error_set(err, -EPROTO,
				      "a control stream is not one frame: cut off, "
				      "empty, or with bytes behind it");
	case -ENOSPC:
		return weft_error_set(err, -EPROTO,
				      "more than %u control streams are incomplete",
				      CHANNEL_INCOMING_MAX);
	default:
		return weft_error_set(err, -ENOMEM, "out of memory");
	}
}

static int decode(const struct control_body *body, struct message *ret_message,
		  struct weft_error *err)
{
	struct message_error fault;
	int r = message_decode(body, ret_message, &fault);
	if (r == 0)
		return 1;
	if (r != -EBADMSG)
		return broken(err, r);
	return weft_error_set(err, -EPROTO, "a control message is wrong: %s%s%s",
			      fault.field, fault.field[0] ? ": " : "",
			      message_fault_name(fault.fault));
}

/* Feeds a stream that has an entry. */
static int input_known(struct channel *channel, struct incoming *in,
		       const struct channel_input *input, struct message *ret_message,
		       struct weft_error *err)
{
	const struct control_body piece = { .data = input->data, .len = input->len };
	struct control_body body;
	int r = control_reader_feed(&in->reader, &piece, input->fin, &body);
	if (r == 1)
		r = decode(&body, ret_message, err);
	else if (r < 0)
		r = broken(err, r);
	if (input->fin || r < 0)
		incoming_free(channel, in);
	return r;
}

/* The first bytes of a stream, and often the last. */
static int input_new(struct channel *channel, const struct channel_input *input,
		     struct message *ret_message, struct weft_error *err)
{
	const struct control_body piece = { .data = input->data, .len = input->len };
	struct control_reader reader = { 0 };
	struct control_body body;
	int r = control_reader_feed(&reader, &piece, input->fin, &body);
	if (r == 1)
		r = decode(&body, ret_message, err);
	else if (r < 0)
		r = broken(err, r);
	if (r >= 0 && !input->fin) {
		int kept = incoming_new(channel, input->stream, &reader);
		if (kept == 0)
			return r;
		if (r == 1)
			message_fini(ret_message);
		r = broken(err, kept);
	}
	control_reader_fini(&reader);
	return r;
}

int channel_input(struct channel *channel, const struct channel_input *input,
		  struct message *ret_message, struct weft_error *ret_error)
{
	if (!stream_is_allowed(channel, input->stream))
		return weft_error_set(ret_error, -EPROTO,
				      "a stream that the protocol has no use for");
	struct incoming *in = incoming_find(channel, input->stream);
	return in ? input_known(channel, in, input, ret_message, ret_error)
		  : input_new(channel, input, ret_message, ret_error);
}

/* ---- out --------------------------------------------------------------------------------- */

static int send_on(struct channel *channel, int64_t stream, const struct message *message)
{
	struct message_frame frame;
	int r = message_encode(message, &frame);
	if (r < 0)
		return r;
	r = quic_conn_send_stream(channel->conn, stream, frame.data, frame.len, true);
	free(frame.data);
	return r;
}

int channel_open(struct channel *channel, const struct message *message)
{
	int64_t stream;
	int r = quic_conn_open_stream(channel->conn, false, &stream);
	if (r < 0)
		return r;
	return send_on(channel, stream, message);
}

int channel_answer(struct channel *channel, const struct message *message)
{
	return send_on(channel, CHANNEL_FIRST, message);
}

/* Takes the frame over when it returns 0. */
static int wait_for_stream(struct channel *channel, const struct message_frame *frame)
{
	if (frame->len > CHANNEL_WAITING_MAX - channel->waiting_len)
		return -ENOBUFS;
	struct waiting *waiting = malloc(sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	waiting->frame = *frame;
	list_push_back(&channel->waiting, &waiting->node);
	channel->waiting_len += frame->len;
	return 0;
}

int channel_send(struct channel *channel, const struct message *message)
{
	struct message_frame frame;
	int r = message_encode(message, &frame);
	if (r < 0)
		return r;
	r = wait_for_stream(channel, &frame);
	if (r < 0) {
		free(frame.data);
		return r;
	}
	return channel_flush(channel);
}

int channel_flush(struct channel *channel)
{
	list_for_each (node, &channel->waiting) {
		struct waiting *waiting = container_of(node, struct waiting, node);
		const struct message_frame *frame = &waiting->frame;
		int64_t stream;
		int r = quic_conn_open_stream(channel->conn, true, &stream);
		if (r == 0)
			r = quic_conn_send_stream(channel->conn, stream, frame->data,
						  frame->len, true);
		if (r < 0)
			return r == -EAGAIN ? 0 : r;
		waiting_free(channel, waiting);
	}
	return 0;
}
