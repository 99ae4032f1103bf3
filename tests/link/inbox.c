/* SPDX-License-Identifier: MIT */
/*
 * The recorder, and the inbox that both it and receivers fill.
 */
#include "inbox.h"

#include "../unit.h"
#include "wire/cursor.h"

#include <string.h>

/* Where numbered_frame keeps its number: behind an Ethernet header. */
#define OFF_NUMBER 14u

void inbox_receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		   size_t n, uint64_t now)
{
	struct inbox *box = user;
	(void)link;
	box->calls++;
	for (size_t i = 0; i < n; i++) {
		assert_true(box->n < INBOX_MAX);
		struct weft_frame *copy = &box->frames[box->n];
		*copy = frames[i];
		copy->data = malloc(frames[i].len + 1u);
		assert_non_null(copy->data);
		memcpy(copy->data, frames[i].data, frames[i].len);
		box->times[box->n++] = now;
	}
}

void inbox_clear(struct inbox *box)
{
	for (size_t i = 0; i < box->n; i++)
		free(box->frames[i].data);
	box->n = 0;
	box->calls = 0;
}

struct weft_frame numbered_frame(uint8_t *buf, uint32_t len, uint32_t number)
{
	assert_true(len >= OFF_NUMBER + 4);
	memset(buf, 0x5a, len);
	store_be32(buf + OFF_NUMBER, number);
	return (struct weft_frame){ .data = buf, .len = len };
}

uint32_t frame_number(const struct weft_frame *frame)
{
	assert_true(frame->len >= OFF_NUMBER + 4);
	return load_be32(frame->data + OFF_NUMBER);
}

static size_t recorder_send(struct weft_link *link, const struct weft_frame *frames,
			    size_t n, uint64_t now)
{
	struct recorder *rec = (struct recorder *)(void *)link;
	size_t taken = 0;
	while (taken < n &&
	       !(rec->refuses && frame_number(&frames[taken]) == rec->refuse))
		taken++;
	inbox_receive(&rec->sent, link, frames, taken, now);
	return taken;
}

static void recorder_run(struct weft_link *link, uint64_t now)
{
	(void)now;
	((struct recorder *)(void *)link)->runs++;
}

static void recorder_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops recorder_ops = {
	.run = recorder_run,
	.send = recorder_send,
	.free = recorder_free,
};

void recorder_init(struct recorder *rec, unsigned flags, bool wants_merge)
{
	const struct weft_link_caps caps = { .flags = flags, .frame_len_max = 1514 };
	memset(rec, 0, sizeof(*rec));
	link_init(&rec->link, &recorder_ops, "recorder", -1, caps);
	rec->link.wants_merge = wants_merge;
}

void link_run_at(struct weft_link *link, uint64_t now)
{
	struct weft_task *task = weft_link_task(link);
	task->run(task, now);
}

uint64_t link_deadline(struct weft_link *link)
{
	const struct weft_task *task = weft_link_task(link);
	return task->deadline ? task->deadline(task) : WEFT_NEVER;
}

void assert_same_frame(const struct weft_frame *got, const struct weft_frame *expected)
{
	assert_int_equal(got->len, expected->len);
	assert_memory_equal(got->data, expected->data, expected->len);
	assert_int_equal(got->offload.gso, expected->offload.gso);
	assert_int_equal(got->offload.gso_size, expected->offload.gso_size);
	assert_int_equal(got->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM,
			 expected->offload.flags & WEFT_OFFLOAD_NEEDS_CSUM);
}
