/* SPDX-License-Identifier: MIT */
/*
 * A session takes no offload: super-frames are cut in front of it (link/adapter), because
 * what the other side gets is a frame at a time anyway. On the way in, merging is up to the
 * link that the frames go out by.
 */
#include "lan/session.h"

#include "base/container.h"
#include "wire/ether.h"
#include "wire/mss.h"
#include "wire/overlay.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Longest SYN that is looked at: its headers and options, and some early data. */
#define CLAMP_LEN_MAX 256u

const char *session_outcome_name(enum session_outcome outcome)
{
	static const char *const names[] = {
		[SESSION_RECEIVED] = "received",
		[SESSION_TAKEN] = "taken",
		[SESSION_PART] = "part",
		[SESSION_DROP_MALFORMED] = "drop-malformed",
		[SESSION_DROP_WRONG_IDS] = "drop-wrong-ids",
		[SESSION_DROP_RUNT] = "drop-runt",
		[SESSION_DROP_TOO_LONG] = "drop-too-long",
		[SESSION_DROP_FILTERED] = "drop-filtered",
		[SESSION_DROP_NO_MEMORY] = "drop-no-memory",
		[SESSION_DROP_LOOP] = "drop-loop",
		[SESSION_SENT] = "sent",
		[SESSION_SPLIT] = "split",
		[SESSION_HELD] = "held",
		[SESSION_DROP_UNCLAIMED] = "drop-unclaimed",
		[SESSION_DROP_PATH] = "drop-path",
		[SESSION_DROP_QUEUE] = "drop-queue",
		[SESSION_DROP_CLOSED] = "drop-closed",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == SESSION_OUTCOMES,
		      "each outcome has a name");
	return outcome < SESSION_OUTCOMES ? names[outcome] : "unknown";
}

/* Most bytes of a frame that one datagram of the path holds now. */
static size_t whole_max(const struct session *session)
{
	size_t max = quic_conn_datagram_max(session->conn);
	return max > OVERLAY_LEN ? max - OVERLAY_LEN : 0;
}

/* The IP MTU at which every frame is whole, tag and all. */
static unsigned whole_mtu(const struct session *session)
{
	const unsigned head = ETHER_LEN + ETHER_TAG_LEN;
	size_t max = whole_max(session);
	return max > head && max - head < session->ids.mtu ? (unsigned)(max - head)
							   : session->ids.mtu;
}

/* A copy of a frame whose MSS is too large for one datagram, in buf; or the frame as it is. */
static struct weft_frame clamp(const struct session *session,
			       const struct weft_frame *frame, uint8_t buf[CLAMP_LEN_MAX])
{
	struct weft_frame clamped = *frame;
	if (frame->len > CLAMP_LEN_MAX)
		return clamped;
	const unsigned mtu = whole_mtu(session);
	size_t mss_off = mss_find(frame, mtu);
	if (mss_off == 0)
		return clamped;
	memcpy(buf, frame->data, frame->len);
	clamped.data = buf;
	clamped.headroom = 0;
	mss_clamp(&clamped, mss_off, mtu);
	return clamped;
}

static enum session_outcome send_datagram(struct session *session,
					  const struct overlay_hdr *hdr,
					  const struct quic_datagram *body, uint64_t now)
{
	uint8_t head[OVERLAY_LEN];
	struct quic_datagram whole = *body;
	overlay_hdr_emit(head, hdr);
	whole.head = head;
	whole.head_len = sizeof(head);
	switch (quic_conn_send_datagram(session->conn, &whole, now)) {
	case 0:
		return SESSION_SENT;
	case -EMSGSIZE:
		return SESSION_DROP_PATH;
	case -ENOTCONN:
		return SESSION_DROP_CLOSED;
	default:
		return SESSION_DROP_QUEUE;
	}
}

/* The first part as long as can be. Neither overtakes: nothing is won by half a frame. */
static enum session_outcome send_split(struct session *session,
				       const struct weft_frame *frame, size_t first_len,
				       uint64_t now)
{
	struct overlay_hdr hdr = { .type = OVERLAY_FIRST,
				   .number = ++session->split_number,
				   .room = session->ids.room,
				   .peer = session->ids.peer };
	struct quic_datagram part = { .body = frame->data,
				      .body_len = first_len,
				      .in_order = true };
	enum session_outcome outcome = send_datagram(session, &hdr, &part, now);
	if (outcome != SESSION_SENT)
		return outcome;
	hdr.type = OVERLAY_LAST;
	part.body = frame->data + first_len;
	part.body_len = frame->len - first_len;
	outcome = send_datagram(session, &hdr, &part, now);
	return outcome == SESSION_SENT ? SESSION_SPLIT : outcome;
}

static enum session_outcome send_one(struct session *session,
				     const struct weft_frame *frame, bool in_order,
				     uint64_t now)
{
	const struct overlay_hdr hdr = { .type = OVERLAY_ETHERNET,
					 .room = session->ids.room,
					 .peer = session->ids.peer };
	const struct quic_datagram whole = { .body = frame->data,
					     .body_len = frame->len,
					     .in_order = in_order };
	size_t max = whole_max(session);
	if (max > 0 && frame->len > max)
		return send_split(session, frame, max, now);
	return send_datagram(session, &hdr, &whole, now);
}

static enum session_outcome pass_gate(const struct session *session,
				      const struct weft_frame *frame, uint64_t now)
{
	return session->gate ? session->gate(session->gate_user, frame, now)
			     : SESSION_SENT;
}

/* Stops at the first frame that is dropped, as the contract of link_ops has it. */
static size_t send_frames(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	struct session *session = container_of(link, struct session, link);
	for (size_t i = 0; i < n; i++) {
		uint8_t buf[CLAMP_LEN_MAX];
		const struct weft_frame frame = clamp(session, &frames[i], buf);
		const bool in_order = burst_note(&session->burst, &frame, now);
		enum session_outcome outcome = pass_gate(session, &frames[i], now);
		if (outcome == SESSION_SENT)
			outcome = send_one(session, &frame, in_order, now);
		session->counts[outcome]++;
		if (outcome != SESSION_SENT && outcome != SESSION_SPLIT &&
		    outcome != SESSION_HELD)
			return i;
	}
	return n;
}

void session_init(struct session *session, struct quic_conn *conn,
		  const struct session_ids *ids, const char *name)
{
	static const struct link_ops ops = { .send = send_frames };
	const struct weft_link_caps caps = {
		.frame_len_max = ETHER_LEN + ETHER_TAG_LEN + ids->mtu,
	};
	*session = (struct session){ .conn = conn, .ids = *ids };
	link_init(&session->link, &ops, name, -1, caps);
}

void session_fini(struct session *session)
{
	assert(!session->link.receive);
	parts_fini(&session->parts);
	link_fini(&session->link);
}

/*
 * A frame is borrowed and its bytes are not changed by anyone (weft/frame.h), but it has no
 * word for const. There is no headroom: what stands in front belongs to QUIC.
 */
static struct weft_frame frame_borrow(const uint8_t *data, size_t len)
{
	struct weft_frame frame = { .len = (uint32_t)len };
	memcpy(&frame.data, &data, sizeof(frame.data));
	return frame;
}

static enum session_outcome check_frame(const struct session *session, size_t len)
{
	if (len < ETHER_LEN)
		return SESSION_DROP_RUNT;
	if (len > session->link.caps.frame_len_max)
		return SESSION_DROP_TOO_LONG;
	return SESSION_RECEIVED;
}

static enum session_outcome receive(struct session *session, const uint8_t *data,
				    size_t len, uint64_t now)
{
	const struct weft_frame frame = frame_borrow(data, len);
	enum session_outcome outcome = check_frame(session, len);
	if (outcome != SESSION_RECEIVED)
		return outcome;
	if (session->filter)
		outcome = session->filter(session->filter_user, &frame, now);
	if (outcome != SESSION_RECEIVED)
		return outcome;
	uint8_t buf[CLAMP_LEN_MAX];
	const struct weft_frame clamped = clamp(session, &frame, buf);
	link_deliver(&session->link, &clamped, 1, now);
	return SESSION_RECEIVED;
}

static enum session_outcome receive_part(struct session *session,
					 const struct overlay_hdr *hdr,
					 const uint8_t *data, size_t len, uint64_t now)
{
	uint8_t buf[PARTS_FRAME_MAX];
	if (len == 0)
		return SESSION_DROP_RUNT;
	int r = parts_take(&session->parts, hdr, data, len, now, buf);
	if (r == 0)
		return SESSION_PART;
	if (r < 0)
		return r == -ENOMEM ? SESSION_DROP_NO_MEMORY : SESSION_DROP_TOO_LONG;
	return receive(session, buf, (size_t)r, now);
}

static enum session_outcome take(struct session *session, const uint8_t *data, size_t len,
				 uint64_t now)
{
	struct overlay_hdr hdr;
	const uint8_t *body = data + OVERLAY_LEN;
	if (overlay_hdr_parse(data, len, &hdr) < 0)
		return SESSION_DROP_MALFORMED;
	if (hdr.room != session->ids.room || hdr.peer != session->ids.peer)
		return SESSION_DROP_WRONG_IDS;
	if (hdr.type == OVERLAY_ETHERNET)
		return receive(session, body, len - OVERLAY_LEN, now);
	return receive_part(session, &hdr, body, len - OVERLAY_LEN, now);
}

enum session_outcome session_input(struct session *session, const uint8_t *data,
				   size_t len, uint64_t now)
{
	enum session_outcome outcome = take(session, data, len, now);
	session->counts[outcome]++;
	if (outcome >= SESSION_DROP_MALFORMED && outcome < SESSION_SENT)
		session->link.stats.rx_errors++;
	return outcome;
}

uint64_t session_drops(const struct session *session)
{
	const struct weft_link_stats *stats = &session->link.stats;
	return stats->rx_errors + stats->tx_dropped + stats->tx_too_long +
	       session->parts.lost;
}
