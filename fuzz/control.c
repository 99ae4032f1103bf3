/* SPDX-License-Identifier: MIT */
/*
 * Control streams from a stranger: framing, then each message. What must hold whatever comes:
 * the frame is the same however the stream is cut into pieces, and a message that is taken is
 * valid, which shows in that it can be encoded, and decoded again to the same bytes.
 *
 *     input:  length of the first piece (1), bytes of the stream
 */
#include "lan/control.h"

#include "check.h"
#include "lan/message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct message_frame encode(const struct message *message)
{
	struct message_frame frame;
	CHECK(message_encode(message, &frame) == 0);
	return frame;
}

/* Of a hello in another version only that is known. */
static bool is_whole(const struct message *message)
{
	return message->type != MESSAGE_HELLO || message->hello.has_version;
}

static void check_message(const struct control_body *body)
{
	struct message message, again;
	struct message_error error = { .fault = MESSAGE_FAULTS };
	if (message_decode(body, &message, &error) < 0) {
		CHECK(error.fault < MESSAGE_FAULTS && error.field);
		return;
	}
	if (is_whole(&message)) {
		struct message_frame first = encode(&message);
		struct control_body inner;
		CHECK(control_find(first.data, first.len, &inner) == (int)first.len);
		CHECK(message_decode(&inner, &again, &error) == 0);
		struct message_frame second = encode(&again);
		CHECK(second.len == first.len);
		CHECK(memcmp(second.data, first.data, first.len) == 0);
		free(first.data);
		free(second.data);
		message_fini(&again);
	}
	message_fini(&message);
}

/* The bodies of a stream, one behind the other. */
struct found {
	uint8_t data[1 << 17];
	size_t len;
	int end; /* What the reader said last. */
};

static void read_all(struct control_reader *reader, const uint8_t *data, size_t len,
		     struct found *found)
{
	struct control_body body;
	if (found->end < 0)
		return;
	control_reader_feed(reader, data, len);
	while ((found->end = control_reader_next(reader, &body)) > 0) {
		CHECK(body.len > 0 && body.len <= sizeof(found->data) - found->len);
		memcpy(found->data + found->len, body.data, body.len);
		found->len += body.len;
		check_message(&body);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct found once, twice;
	struct control_reader one = { 0 }, two = { 0 };
	if (len < 1 || len > sizeof(once.data))
		return 0;
	size_t cut = data[0] < len ? data[0] : len - 1;
	data++;
	len--;
	once.len = twice.len = 0;
	once.end = twice.end = 0;
	read_all(&one, data, len, &once);
	read_all(&two, data, cut, &twice);
	read_all(&two, data + cut, len - cut, &twice);
	CHECK(once.end == twice.end && once.len == twice.len);
	CHECK(memcmp(once.data, twice.data, once.len) == 0);
	control_reader_fini(&one);
	control_reader_fini(&two);
	return 0;
}
