/* SPDX-License-Identifier: MIT */
/*
 * A table of sixteen entries, searched from its start: stations behind a member are few.
 */
#include "lan/claims.h"

#include "base/mac.h"
#include "wire/ether.h"

#include <weft/loop.h>

#include <stdlib.h>
#include <string.h>

void claims_init(struct claims *claims, struct weft_mac own)
{
	*claims = (struct claims){ .own = own };
}

void claims_fini(struct claims *claims)
{
	for (size_t i = 0; i < claims->held_n; i++)
		free(claims->held[i].data);
	claims->held_n = 0;
}

void claims_restart(struct claims *claims, uint64_t now)
{
	for (size_t i = 0; i < claims->n; i++)
		claims->entries[i].state = CLAIM_NEW;
	claims->released_n = 0;
	claims->ask_at = now;
}

/* ---- the table --------------------------------------------------------------------------- */

static struct claim *find(struct claims *claims, struct weft_mac mac)
{
	for (size_t i = 0; i < claims->n; i++)
		if (mac_equal(claims->entries[i].mac, mac))
			return &claims->entries[i];
	return NULL;
}

/* The place of the one that has been silent longest, if that is long enough. */
static struct claim *evict(struct claims *claims, uint64_t now)
{
	struct claim *oldest = &claims->entries[0];
	for (size_t i = 1; i < claims->n; i++)
		if (claims->entries[i].used_ns < oldest->used_ns)
			oldest = &claims->entries[i];
	if (now < oldest->used_ns + CLAIMS_SILENT_NS ||
	    claims->released_n == LAN_CLAIMS_MAX)
		return NULL;
	if (oldest->state == CLAIM_OURS || oldest->state == CLAIM_ASKED)
		claims->released[claims->released_n++] = oldest->mac;
	return oldest;
}

static struct claim *add(struct claims *claims, struct weft_mac mac, uint64_t now)
{
	struct claim *claim = claims->n < LAN_CLAIMS_MAX ? &claims->entries[claims->n++]
							 : evict(claims, now);
	if (claim)
		*claim = (struct claim){ .mac = mac, .used_ns = now };
	return claim;
}

static enum claims_verdict hold(struct claims *claims, const struct weft_frame *frame)
{
	if (claims->held_n == CLAIMS_HELD_MAX)
		return CLAIMS_DROP;
	uint8_t *copy = malloc(frame->len);
	if (!copy)
		return CLAIMS_DROP;
	memcpy(copy, frame->data, frame->len);
	claims->held[claims->held_n] = *frame;
	claims->held[claims->held_n].data = copy;
	claims->held[claims->held_n].headroom = 0;
	claims->held_n++;
	return CLAIMS_HELD;
}

enum claims_verdict claims_judge(struct claims *claims, const struct weft_frame *frame,
				 uint64_t now)
{
	if (frame->len < ETHER_LEN)
		return CLAIMS_DROP;
	struct weft_mac source = mac_load(frame->data + ETHER_OFF_SRC);
	if (mac_equal(source, claims->own))
		return CLAIMS_PASS;
	if (mac_is_group(source) || mac_is_zero(source))
		return CLAIMS_DROP;
	struct claim *claim = find(claims, source);
	if (!claim)
		claim = add(claims, source, now);
	if (!claim)
		return CLAIMS_DROP;
	claim->used_ns = now;
	if (claim->state == CLAIM_DENIED && now >= claim->asked_ns + CLAIMS_DENIED_NS)
		claim->state = CLAIM_NEW;
	if (claim->state == CLAIM_OURS)
		return CLAIMS_PASS;
	return claim->state == CLAIM_DENIED ? CLAIMS_DROP : hold(claims, frame);
}

/* ---- asking ------------------------------------------------------------------------------ */

static bool wants_to_ask(const struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		if (claims->entries[i].state == CLAIM_NEW)
			return true;
	return claims->released_n > 0;
}

uint64_t claims_deadline(const struct claims *claims)
{
	return wants_to_ask(claims) ? claims->ask_at : WEFT_NEVER;
}

static void ask(struct claims *claims, struct mac_list *list, uint64_t now)
{
	for (size_t i = 0; i < claims->n; i++) {
		struct claim *claim = &claims->entries[i];
		if (claim->state != CLAIM_NEW)
			continue;
		claim->state = CLAIM_ASKED;
		claim->asked_ns = now;
		list->macs[list->n++] = claim->mac;
	}
}

bool claims_next(struct claims *claims, struct message *ret_message, uint64_t now)
{
	struct message message = { .type = MESSAGE_CLAIM };
	if (now < claims->ask_at || !wants_to_ask(claims))
		return false;
	if (claims->released_n > 0) {
		message.type = MESSAGE_RELEASE;
		message.claim.n = claims->released_n;
		memcpy(message.claim.macs, claims->released, sizeof(claims->released));
		claims->released_n = 0;
	} else {
		ask(claims, &message.claim, now);
		claims->ask_at = now + CLAIMS_ASK_NS;
	}
	*ret_message = message;
	return true;
}

void claims_answer(struct claims *claims, const struct message *answer, uint64_t now)
{
	const struct mac_list *list = &answer->claim;
	for (size_t i = 0; i < list->n; i++) {
		struct claim *claim = find(claims, list->macs[i]);
		if (!claim)
			continue;
		claim->state =
			answer->type == MESSAGE_CLAIMED ? CLAIM_OURS : CLAIM_DENIED;
		claim->asked_ns = now;
	}
}

/* ---- what is held ------------------------------------------------------------------------ */

static enum claims_verdict verdict_of(struct claims *claims,
				      const struct weft_frame *frame)
{
	const struct claim *claim = find(claims, mac_load(frame->data + ETHER_OFF_SRC));
	if (!claim || claim->state == CLAIM_DENIED)
		return CLAIMS_DROP;
	return claim->state == CLAIM_OURS ? CLAIMS_PASS : CLAIMS_HELD;
}

bool claims_unhold(struct claims *claims, struct weft_frame *ret_frame,
		   enum claims_verdict *ret_verdict)
{
	for (size_t i = 0; i < claims->held_n; i++) {
		enum claims_verdict verdict = verdict_of(claims, &claims->held[i]);
		if (verdict == CLAIMS_HELD)
			continue;
		*ret_frame = claims->held[i];
		*ret_verdict = verdict;
		claims->held_n--;
		memmove(&claims->held[i], &claims->held[i + 1],
			(claims->held_n - i) * sizeof(claims->held[0]));
		return true;
	}
	return false;
}
