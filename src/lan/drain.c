/* SPDX-License-Identifier: MIT */
/*
 * The end of a relay, in two steps, so that nobody has to find out by silence:
 *
 *     drain    every member is told on its control stream, which is repeated until it arrives,
 *              and in what time to come back: a random part of it, so that a thousand members
 *              are not a thousand handshakes in one second. Whoever comes now is turned away.
 *              Members may be told of another relay, where they meet in the meantime.
 *     drained  all are gone, or RELAY_DRAIN_NS are over. The owner frees the relay, which says
 *              goodbye to who is left without waiting for an answer.
 */
#include "base/container.h"
#include "lan/visitor.h"

#include <weft/log.h>

#include <string.h>

static uint32_t wait_ms(const struct weft_relay *relay)
{
	uint64_t ms =
		UINT64_C(1000) * weft_relay_stats(relay).members / relay->handshake_rate;
	if (ms < RELAY_WAIT_MIN_MS)
		return RELAY_WAIT_MIN_MS;
	return ms < RELAY_WAIT_MAX_MS ? (uint32_t)ms : RELAY_WAIT_MAX_MS;
}

void weft_relay_drain(struct weft_relay *relay, uint64_t now)
{
	struct message message = { .type = MESSAGE_DISCONNECT,
				   .disconnect = { .code = LEAVE_SHUTDOWN,
						   .wait_ms = wait_ms(relay),
						   .text = VISITOR_SHUTDOWN } };
	if (relay_is_draining(relay))
		return;
	memcpy(message.disconnect.go_to, relay->drain_to, sizeof(relay->drain_to));
	weft_log_info(relay->log, "the relay ends, and %s%s",
		      relay->drain_to[0] ? "sends its members to " : "tells its members",
		      relay->drain_to);
	relay->drain_until = now + RELAY_DRAIN_NS;
	list_for_each (node, &relay->visitors)
		visitor_dismiss(container_of(node, struct visitor, node), &message, now);
}

void relay_look_drained(struct weft_relay *relay, uint64_t now)
{
	void (*fn)(void *user) = relay->on_drained;
	if (!fn || !relay_is_draining(relay))
		return;
	if (now < relay->drain_until && !list_is_empty(&relay->visitors))
		return;
	relay->on_drained = NULL;
	fn(relay->user);
}
