/* SPDX-License-Identifier: MIT */
/*
 * A room's filter with two clients and a gateway, driven by the input, and what must hold
 * whatever comes: each frame has one outcome, which is counted; the gateway is bound by no
 * rule for clients; what is remembered has its limits; nobody is answered for the LAN, nor
 * somebody who is not known.
 *
 *     input:  rules  { who and whether known  pause  length (2)  bytes }
 */
#include "bridge/filter.h"

#include "bridge/suppress.h"
#include "bridge/too_big.h"
#include "check.h"
#include "wire/cursor.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS 3u
#define FRAME   256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_for_clients(enum filter_outcome outcome)
{
	return outcome == FILTER_DROP_VLAN || outcome == FILTER_DROP_DHCP_SERVER ||
	       outcome == FILTER_DROP_DHCP6_SERVER || outcome == FILTER_DROP_ROUTER ||
	       outcome == FILTER_DROP_QUERY || outcome == FILTER_DROP_FRAGMENT ||
	       outcome == FILTER_DROP_ADDRESS || outcome >= FILTER_DROP_GROUP_RATE;
}

/* What a room does with a frame that has passed. */
static void suppress(struct filter *f, const struct filter_member *member,
		     const struct weft_frame *frame, uint64_t now)
{
	struct suppress_question question;
	struct filter_binding binding;
	uint8_t buf[SUPPRESS_FRAME_MAX];
	if (!suppress_parse(frame, &question) ||
	    !filter_find(f, &question.target, now, &binding))
		return;
	switch (suppress_decide(&question, member, &binding)) {
	case SUPPRESS_ANSWER:
		CHECK(binding.is_fresh && !binding.member->is_gateway);
		CHECK(binding.member != member);
		CHECK(suppress_answer(&question, &binding, buf) > 0);
		break;
	case SUPPRESS_DIRECT:
		CHECK(suppress_direct(frame, &binding, buf) == frame->len);
		filter_note_directed(f, &question.target, now);
		break;
	default:
		break;
	}
}

/* A frame in memory of its own, so that a byte too many is noticed. */
static void send_one(struct filter *f, struct filter_member members[MEMBERS],
		     struct reader *in, uint64_t *now)
{
	uint8_t what = reader_u8(in);
	struct filter_member *member = &members[what % MEMBERS];
	*now += (uint64_t)reader_u8(in) * 1000000000u;
	size_t len = reader_u16(in) % FRAME;
	const uint8_t *bytes = reader_bytes(in, len);
	if (!bytes || len < 14)
		return;
	uint8_t *copy = malloc(len);
	CHECK(copy);
	memcpy(copy, bytes, len);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)len };
	enum filter_outcome outcome = filter_decide(f, member, &frame, what & 0x80, *now);
	CHECK(outcome < FILTER_OUTCOMES);
	CHECK(member->counts[outcome] > 0);
	CHECK(!member->is_gateway || !is_for_clients(outcome));
	CHECK(member->is_gateway || member->addresses_n <= FILTER_CLIENT_ADDRESSES_MAX);
	uint8_t answer[TOO_BIG_FRAME_MAX];
	CHECK(too_big_answer(&frame, 68, answer) <= sizeof(answer));
	CHECK(too_big_answer(&frame, FRAME, answer) == 0);
	if (outcome == FILTER_PASS)
		suppress(f, member, &frame, *now);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[HASH_SECRET_LEN] = { 1 };
	struct reader in = reader_of(data, size);
	struct filter_opts opts = filter_defaults();
	struct filter_member members[MEMBERS];
	struct filter *f;
	uint64_t now = 0;
	opts.off = reader_u8(&in);
	opts.group.rate = 3;
	CHECK(filter_new(&opts, secret, &f) == 0);
	for (uint16_t i = 0; i < MEMBERS; i++)
		filter_join(f, &members[i], i == 0);
	opts.off = reader_u8(&in); /* another's rules */
	opts.addresses_max = 2;
	filter_change(&members[1], &opts);
	while (in.len > 0 && !in.bad)
		send_one(f, members, &in, &now);
	for (unsigned i = 0; i < MEMBERS; i++)
		filter_leave(f, &members[i]);
	filter_free(f);
	return 0;
}
