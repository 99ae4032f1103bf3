/* SPDX-License-Identifier: MIT */
/*
 * The head of a large frame is copied and not looked at: most frames are large, and most small
 * ones are known by their addresses to be of another flow.
 */
#include "lan/burst.h"

#include "quic/quic.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/tcp.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#define PORTS_LEN 4u

static_assert(BURST_HEAD_LEN == ETHER_LEN + IP6_LEN + PORTS_LEN,
	      "it ends with the ports");

/* Between the same stations, of the same protocol, version and length of header. */
static bool may_be_of_flow(const struct burst *burst, const struct weft_frame *frame)
{
	return frame->len > ETHER_LEN &&
	       memcmp(burst->head, frame->data, ETHER_LEN + 1) == 0;
}

/* Addresses and ports lie behind each other; with options between them no flow is known. */
static bool is_of_flow(const struct burst *burst, const uint8_t *data,
		       const struct layout *at)
{
	const bool is_4 = at->version == 4;
	const size_t proto = ETHER_LEN + (is_4 ? IP4_OFF_PROTO : IP6_OFF_NEXT);
	const size_t begin = ETHER_LEN + (is_4 ? IP4_OFF_SRC : IP6_OFF_SRC);
	const size_t end = at->transport_off + PORTS_LEN;
	return end <= BURST_HEAD_LEN && burst->head[proto] == data[proto] &&
	       memcmp(burst->head + begin, data + begin, end - begin) == 0;
}

/* What moves the sequence number: of that the order is seen. */
static bool has_data(const uint8_t *data, const struct layout *at)
{
	const uint8_t flags = data[at->transport_off + TCP_OFF_FLAGS + 1];
	return at->payload_off < at->end || (flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
}

bool burst_note(struct burst *burst, const struct weft_frame *frame, uint64_t now)
{
	struct layout at;
	if (frame->len > QUIC_SMALL_LEN) {
		memcpy(burst->head, frame->data, sizeof(burst->head));
		burst->at = now;
		return false;
	}
	if (!may_be_of_flow(burst, frame) || now > burst->at + QUIC_QUEUE_NS ||
	    layout_find(frame->data, frame->len, false, &at) < 0)
		return false;
	return at.ip_off == ETHER_LEN && at.proto == IPPROTO_TCP && !at.is_fragment &&
	       is_of_flow(burst, frame->data, &at) && has_data(frame->data, &at);
}
