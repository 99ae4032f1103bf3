/* SPDX-License-Identifier: MIT */
/*
 * From faults that are named in the code to sentences that name them for people.
 */
#include "lan/channel.h"

#include <errno.h>
#include <stdlib.h>

void channel_init(struct channel *channel, struct quic_conn *conn)
{
	*channel = (struct channel){ .conn = conn };
}

void channel_fini(struct channel *channel)
{
	control_reader_fini(&channel->reader);
}

int channel_feed(struct channel *channel, const struct quic_stream_input *input,
		 struct weft_error *ret_error)
{
	if (input->stream != CHANNEL_STREAM)
		return weft_error_set(ret_error, -EPROTO,
				      "a stream that the protocol has no use for");
	if (input->fin)
		return weft_error_set(ret_error, -EPROTO, "the control stream has ended");
	control_reader_feed(&channel->reader, input->data, input->len);
	return 0;
}

static int explain_frame(struct weft_error *err, int reason)
{
	switch (reason) {
	case -EMSGSIZE:
		return weft_error_set(err, -EPROTO,
				      "a control message is longer than %u bytes",
				      CONTROL_BODY_MAX);
	case -EBADMSG:
		return weft_error_set(err, -EPROTO, "a control message is empty");
	default:
		return weft_error_set(err, -ENOMEM, "out of memory");
	}
}

int channel_next(struct channel *channel, struct message *ret_message,
		 struct weft_error *ret_error)
{
	struct control_body body;
	struct message_error fault;
	int r = control_reader_next(&channel->reader, &body);
	if (r == 0)
		return 0;
	if (r < 0)
		return explain_frame(ret_error, r);
	r = message_decode(&body, ret_message, &fault);
	if (r == 0)
		return 1;
	if (r != -EBADMSG)
		return explain_frame(ret_error, r);
	return weft_error_set(ret_error, -EPROTO, "a control message is wrong: %s%s%s",
			      fault.field, fault.field[0] ? ": " : "",
			      message_fault_name(fault.fault));
}

int channel_send(struct channel *channel, const struct message *message)
{
	struct message_frame frame;
	int r = message_encode(message, &frame);
	if (r < 0)
		return r;
	r = quic_conn_send_stream(channel->conn, CHANNEL_STREAM, frame.data, frame.len,
				  false);
	free(frame.data);
	return r;
}

int channel_open(struct channel *channel, const struct message *message)
{
	int64_t stream;
	int r = quic_conn_open_stream(channel->conn, false, &stream);
	return r < 0 ? r : channel_send(channel, message);
}
