/* SPDX-License-Identifier: MIT */
/*
 * What a gateway does beside carrying frames: it shows the members' MACs to the switches of its
 * LAN (lan/refresh.h), and watches for loops (lan/loopcheck.h). Frames of its own leave by the
 * local link and, past the gate that it closes itself, into the session.
 */
#include "base/mac.h"
#include "lan/member.h"
#include "wire/ether.h"

#include <weft/log.h>

#include <sodium.h>

static bool is_on(const struct weft_member *member)
{
	return member->opts.role == WEFT_ROLE_GATEWAY && !member->opts.no_upkeep;
}

void member_gateway_init(struct weft_member *member, const uint8_t secret[16])
{
	uint8_t id[8];
	randombytes_buf(id, sizeof(id));
	refresh_init(&member->refresh, secret);
	loopcheck_init(&member->loopcheck, &member->opts.invite, id);
}

void member_gateway_fini(struct weft_member *member)
{
	refresh_fini(&member->refresh);
	sodium_memzero(&member->loopcheck, sizeof(member->loopcheck));
}

/* ---- loops ------------------------------------------------------------------------------- */

static const char *loop_text(enum loopcheck_verdict verdict)
{
	switch (verdict) {
	case LOOPCHECK_CABLE:
		return "what this gateway sends on the LAN comes back to it: a cable (or "
		       "a bridge) closes a ring; find it and pull it out";
	case LOOPCHECK_MEMBER:
		return "what this gateway sends into the room comes back by the LAN: a "
		       "member of the room is on this LAN too, and bridges the two; one "
		       "of both has to go";
	default:
		return "another gateway joins this LAN with the same room, and was here "
		       "before; one of both has to go";
	}
}

static void tell_loop(const struct weft_member *member, const char *reason, uint64_t now)
{
	const struct weft_member_events *events = member->opts.events;
	const bool is_blocked = member->loopcheck.is_blocked;
	if (events && events->loop)
		events->loop(member->opts.user, is_blocked, reason, now);
}

/* Where the LAN is no device (a capture file, say), probes come from a MAC made up for them. */
static struct weft_mac own_mac(const struct weft_member *member)
{
	struct weft_mac mac = { { 0x02, 0x57, 0x45, 0x46, 0x54, 0x01 } };
	(void)weft_link_mac(member->opts.link, &mac);
	return mac;
}

static void send_probe(struct weft_member *member, struct weft_link *link,
		       enum loopcheck_side side, uint64_t now)
{
	uint8_t bytes[LOOPCHECK_FRAME_LEN];
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	loopcheck_frame(&member->loopcheck, side, own_mac(member), now, bytes);
	member->is_probing = true;
	weft_link_send(link, &frame, 1, now);
	member->is_probing = false;
}

static void probe(struct weft_member *member, uint64_t now)
{
	const bool was_blocked = member->loopcheck.is_blocked;
	if (!loopcheck_run(&member->loopcheck, now))
		return;
	if (was_blocked && !member->loopcheck.is_blocked)
		tell_loop(member, "", now);
	send_probe(member, member->opts.link, LOOPCHECK_LAN, now);
	send_probe(member, &member->session.link, LOOPCHECK_ROOM, now);
}

/* ---- frames that pass -------------------------------------------------------------------- */

enum session_outcome member_gateway_from_room(struct weft_member *member,
					      const struct weft_frame *frame,
					      uint64_t now)
{
	if (!is_on(member))
		return SESSION_RECEIVED;
	/* Nobody in the room has to say anything about the LAN. */
	if (member->loopcheck.is_blocked || loopcheck_is_probe(frame))
		return SESSION_DROP_LOOP;
	refresh_saw(&member->refresh, mac_load(frame->data + ETHER_OFF_SRC), now);
	return SESSION_RECEIVED;
}

enum session_outcome member_gateway_from_lan(struct weft_member *member,
					     const struct weft_frame *frame, uint64_t now)
{
	if (!is_on(member) || member->is_probing)
		return SESSION_SENT;
	const bool was_blocked = member->loopcheck.is_blocked;
	const enum loopcheck_verdict verdict =
		loopcheck_input(&member->loopcheck, frame, now);
	if (member->loopcheck.is_blocked && !was_blocked)
		tell_loop(member, loop_text(verdict), now);
	return member->loopcheck.is_blocked || verdict != LOOPCHECK_NO_PROBE
		       ? SESSION_DROP_LOOP
		       : SESSION_SENT;
}

/* ---- who is there ------------------------------------------------------------------------ */

void member_gateway_enter(struct weft_member *member, uint64_t now)
{
	if (is_on(member))
		loopcheck_enter(&member->loopcheck, now);
}

void member_gateway_leave(struct weft_member *member)
{
	refresh_fini(&member->refresh);
	loopcheck_leave(&member->loopcheck);
}

void member_gateway_add(struct weft_member *member, struct weft_mac mac, uint64_t now)
{
	char text[WEFT_MAC_TEXT];
	loopcheck_hurry(&member->loopcheck, now);
	if (is_on(member) && refresh_add(&member->refresh, mac, now) < 0)
		weft_log_warning(member->opts.log,
				 "the LAN's switches may forget %s: out of memory",
				 weft_mac_print(mac, text));
}

void member_gateway_remove(struct weft_member *member, struct weft_mac mac)
{
	refresh_remove(&member->refresh, mac);
}

/* ---- time -------------------------------------------------------------------------------- */

uint64_t member_gateway_deadline(const struct weft_member *member)
{
	const uint64_t a = refresh_deadline(&member->refresh);
	const uint64_t b = loopcheck_deadline(&member->loopcheck);
	return a < b ? a : b;
}

void member_gateway_run(struct weft_member *member, uint64_t now)
{
	uint8_t bytes[REFRESH_FRAME_LEN];
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	struct weft_mac mac;
	if (!member->room_port)
		return;
	probe(member, now);
	while (refresh_next(&member->refresh, now, &mac)) {
		refresh_frame(mac, bytes);
		if (!member->loopcheck.is_blocked)
			weft_link_send(member->opts.link, &frame, 1, now);
	}
}
