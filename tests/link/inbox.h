/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a link under test: an inbox remembers what a receiver was given, a recorder is
 * a driver that remembers what it was told to send. Both keep copies.
 */
#ifndef TESTS_LINK_INBOX_H
#define TESTS_LINK_INBOX_H

#include "link/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBOX_MAX 4096u

struct inbox {
	struct weft_frame frames[INBOX_MAX]; /* data is the inbox's own. */
	uint64_t times[INBOX_MAX];
	size_t n;
	size_t calls; /* Batches. */
};

/* A receiver for weft_link_on_receive, with the inbox as user. */
void inbox_receive(void *user, struct weft_link *link, const struct weft_frame *frames,
		   size_t n, uint64_t now);
void inbox_clear(struct inbox *box);

/* A frame of len bytes that is known by its number, in a buffer of the caller's. */
struct weft_frame numbered_frame(uint8_t *buf, uint32_t len, uint32_t number);
uint32_t frame_number(const struct weft_frame *frame);

struct recorder {
	struct weft_link link;
	struct inbox sent;
	uint32_t refuse; /* Refuses the frames of this number. */
	bool refuses;
	size_t runs;
};

/* frame_len_max is 1514. To be freed with weft_link_free; then the inbox is still valid. */
void recorder_init(struct recorder *rec, unsigned flags, bool wants_merge);

/* What a loop does at the given time. */
void link_run_at(struct weft_link *link, uint64_t now);
uint64_t link_deadline(struct weft_link *link);

void assert_same_frame(const struct weft_frame *got, const struct weft_frame *expected);

#endif
