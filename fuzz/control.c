/* SPDX-License-Identifier: MIT */
/*
 * Control streams from a stranger: framing, then each message. What must hold whatever comes:
 * the frame is the same however the stream is cut into pieces, and a message that is taken is
 * valid, which shows in that it can be encoded, and decoded again to the same bytes.
 *
 *     input:  length of the first piece (1), bytes of the stream
 */
#include "lan/control.h"

#include "lan/message.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	size_t cut = data[0] < len ? data[0] : len - 1;
	struct control_body whole = { .data = data + 1, .len = len - 1 };
	struct control_body first = { .data = data + 1, .len = cut };
	struct control_body rest = { .data = data + 1 + cut, .len = len - 1 - cut };
	struct control_reader one = { 0 }, two = { 0 };
	struct control_body body, same;

	int r = control_reader_feed(&one, &whole, true, &body);
	int s = control_reader_feed(&two, &first, false, &same);
	if (s == 0)
		s = control_reader_feed(&two, &rest, true, &same);
	else if (s == 1 && rest.len > 0)
		s = control_reader_feed(&two, &rest, true, &same);
	CHECK(r == s);
	if (r == 1) {
		CHECK(body.len == same.len &&
		      memcmp(body.data, same.data, body.len) == 0);
		check_message(&body);
	}
	control_reader_fini(&one);
	control_reader_fini(&two);
	return 0;
}
