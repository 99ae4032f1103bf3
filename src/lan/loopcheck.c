/* SPDX-License-Identifier: MIT */
/*
 * Clocks of two gateways are never compared: each says for how long it has been in the room,
 * and who hears it subtracts. Those that came within a second of each other are told apart by
 * their random ids, so that exactly one of them gives way.
 */
#include "lan/loopcheck.h"

#include "base/mac.h"
#include "base/time.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <weft/loop.h>

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define VERSION    1u
#define TAG_LEN    16u
#define MARK_LEN   8u
#define SAME_MS    1000u /* Closer than that nobody came first. */
#define SIGNED_LEN (LOOPCHECK_FRAME_LEN - ETHER_LEN - TAG_LEN)

static const char mark[] = "weftloop";
static const char key_domain[] = "weft loop key 1";
static const char tag_domain[] = "weft loop tag 1";
static const struct weft_mac group = { { 0x03, 0x57, 0x45, 0x46, 0x54, 0x01 } };

struct probe_body {
	enum loopcheck_side side;
	uint32_t number;
	uint64_t age_ms;
	uint8_t id[8], tag[TAG_LEN];
};

const char *loopcheck_verdict_name(enum loopcheck_verdict verdict)
{
	static const char *const names[] = {
		[LOOPCHECK_NO_PROBE] = "no-probe", [LOOPCHECK_FOREIGN] = "foreign",
		[LOOPCHECK_LATER] = "later",       [LOOPCHECK_EARLIER] = "earlier",
		[LOOPCHECK_CABLE] = "loop-cable",  [LOOPCHECK_MEMBER] = "loop-member",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == LOOPCHECK_VERDICTS,
		      "each verdict has a name");
	return verdict < LOOPCHECK_VERDICTS ? names[verdict] : "unknown";
}

static void derive(const char *domain, const struct weft_invite *invite, uint8_t *out,
		   size_t len)
{
	crypto_generichash_state hash;
	(void)crypto_generichash_init(&hash, invite->secret, sizeof(invite->secret), len);
	(void)crypto_generichash_update(&hash, (const uint8_t *)domain, strlen(domain));
	(void)crypto_generichash_update(&hash, (const uint8_t *)invite->room,
					strlen(invite->room));
	(void)crypto_generichash_final(&hash, out, len);
}

void loopcheck_init(struct loopcheck *check, const struct weft_invite *invite,
		    const uint8_t id[8])
{
	*check = (struct loopcheck){ .since_ns = WEFT_NEVER, .probe_at = WEFT_NEVER };
	memcpy(check->id, id, sizeof(check->id));
	derive(key_domain, invite, check->key, sizeof(check->key));
	derive(tag_domain, invite, check->tag, sizeof(check->tag));
}

void loopcheck_enter(struct loopcheck *check, uint64_t now)
{
	check->since_ns = now;
	check->probe_at = now;
}

void loopcheck_leave(struct loopcheck *check)
{
	check->since_ns = WEFT_NEVER;
	check->probe_at = WEFT_NEVER;
	check->is_blocked = false;
}

void loopcheck_hurry(struct loopcheck *check, uint64_t now)
{
	if (check->since_ns != WEFT_NEVER && check->probe_at > now + LOOPCHECK_HURRY_NS)
		check->probe_at = now + LOOPCHECK_HURRY_NS;
}

uint64_t loopcheck_deadline(const struct loopcheck *check)
{
	return check->probe_at;
}

bool loopcheck_run(struct loopcheck *check, uint64_t now)
{
	if (now < check->probe_at)
		return false;
	if (check->is_blocked && now >= check->heard_ns + LOOPCHECK_BLOCK_NS)
		check->is_blocked = false;
	check->probe_at = now + LOOPCHECK_PERIOD_NS;
	check->number++;
	return true;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void sign(const struct loopcheck *check, const uint8_t *body,
		 uint8_t ret_tag[TAG_LEN])
{
	(void)crypto_generichash(ret_tag, TAG_LEN, body, SIGNED_LEN, check->key,
				 sizeof(check->key));
}

void loopcheck_frame(const struct loopcheck *check, enum loopcheck_side side,
		     struct weft_mac mac, uint64_t now,
		     uint8_t ret_frame[LOOPCHECK_FRAME_LEN])
{
	const struct ether_hdr head = { .dst = group,
					.src = mac,
					.type = ETHER_TYPE_LOCAL_EXPERIMENT };
	struct writer w = writer_of(ret_frame + ETHER_LEN, SIGNED_LEN);
	int r = ether_hdr_emit(ret_frame, ETHER_LEN, &head);
	writer_bytes(&w, mark, MARK_LEN);
	writer_u8(&w, VERSION);
	writer_u8(&w, (uint8_t)side);
	writer_u16(&w, 0);
	writer_u32(&w, check->number);
	writer_u64(&w, (now - check->since_ns) / NS_PER_MS);
	writer_bytes(&w, check->id, sizeof(check->id));
	writer_bytes(&w, check->tag, TAG_LEN);
	assert(r == (int)ETHER_LEN && writer_left(&w) == 0);
	(void)r;
	sign(check, ret_frame + ETHER_LEN, ret_frame + ETHER_LEN + SIGNED_LEN);
}

bool loopcheck_is_probe(const struct weft_frame *frame)
{
	return frame->len >= ETHER_LEN + MARK_LEN &&
	       load_be16(frame->data + ETHER_OFF_TYPE) == ETHER_TYPE_LOCAL_EXPERIMENT &&
	       mac_equal(mac_load(frame->data + ETHER_OFF_DST), group) &&
	       memcmp(frame->data + ETHER_LEN, mark, MARK_LEN) == 0;
}

/* True if who sent it has the room's secret. Longer frames have padding. */
static bool open_probe(const struct loopcheck *check, const struct weft_frame *frame,
		       struct probe_body *ret_body)
{
	const uint8_t *bytes = frame->data + ETHER_LEN;
	uint8_t tag[TAG_LEN];
	struct probe_body body;
	if (frame->len < LOOPCHECK_FRAME_LEN)
		return false;
	sign(check, bytes, tag);
	if (sodium_memcmp(tag, bytes + SIGNED_LEN, TAG_LEN) != 0)
		return false;
	struct reader r = reader_of(bytes, SIGNED_LEN);
	reader_skip(&r, MARK_LEN);
	const uint8_t version = reader_u8(&r);
	body.side = reader_u8(&r) == LOOPCHECK_ROOM ? LOOPCHECK_ROOM : LOOPCHECK_LAN;
	reader_skip(&r, 2);
	body.number = reader_u32(&r);
	body.age_ms = reader_u64(&r);
	reader_copy(&r, body.id, sizeof(body.id));
	reader_copy(&r, body.tag, sizeof(body.tag));
	*ret_body = body;
	return version == VERSION && memcmp(body.tag, check->tag, TAG_LEN) == 0;
}

/* ---- judging ----------------------------------------------------------------------------- */

static bool came_before(const struct loopcheck *check, const struct probe_body *other,
			uint64_t now)
{
	const uint64_t own_ms = (now - check->since_ns) / NS_PER_MS;
	if (other->age_ms > own_ms + SAME_MS)
		return true;
	if (own_ms > other->age_ms + SAME_MS)
		return false;
	return memcmp(other->id, check->id, sizeof(check->id)) < 0;
}

static enum loopcheck_verdict judge(const struct loopcheck *check,
				    const struct weft_frame *frame, uint64_t now)
{
	struct probe_body body;
	if (!loopcheck_is_probe(frame))
		return LOOPCHECK_NO_PROBE;
	if (check->since_ns == WEFT_NEVER || !open_probe(check, frame, &body))
		return LOOPCHECK_FOREIGN;
	if (memcmp(body.id, check->id, sizeof(check->id)) != 0) {
		if (body.side != LOOPCHECK_LAN)
			return LOOPCHECK_FOREIGN;
		return came_before(check, &body, now) ? LOOPCHECK_EARLIER
						      : LOOPCHECK_LATER;
	}
	if (body.number != check->number)
		return LOOPCHECK_FOREIGN;
	return body.side == LOOPCHECK_LAN ? LOOPCHECK_CABLE : LOOPCHECK_MEMBER;
}

enum loopcheck_verdict loopcheck_input(struct loopcheck *check,
				       const struct weft_frame *frame, uint64_t now)
{
	const enum loopcheck_verdict verdict = judge(check, frame, now);
	check->counts[verdict]++;
	if (verdict >= LOOPCHECK_EARLIER) {
		check->is_blocked = true;
		check->heard_ns = now;
	}
	return verdict;
}
