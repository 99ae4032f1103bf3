/* SPDX-License-Identifier: MIT */
/*
 * A list in the order of arrival, short enough to be looked through. The usual case is that
 * it is empty, one part comes, and the next datagram is the other.
 */
#include "lan/parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct part {
	struct part *newer;
	uint64_t since;
	struct overlay_hdr hdr;
	size_t len;
	uint8_t data[];
};

static void take_off(struct parts *parts, struct part *older, struct part *part)
{
	if (older)
		older->newer = part->newer;
	else
		parts->oldest = part->newer;
	if (parts->newest == part)
		parts->newest = older;
	parts->n--;
	free(part);
}

static void lose_oldest(struct parts *parts)
{
	assert(parts->oldest);
	take_off(parts, NULL, parts->oldest);
	parts->lost++;
}

static void expire(struct parts *parts, uint64_t now)
{
	while (parts->oldest && now - parts->oldest->since > PARTS_AGE_NS)
		lose_oldest(parts);
}

void parts_fini(struct parts *parts)
{
	while (parts->oldest)
		take_off(parts, NULL, parts->oldest);
}

static int keep(struct parts *parts, const struct overlay_hdr *hdr, const uint8_t *data,
		size_t len, uint64_t now)
{
	struct part *part = malloc(sizeof(*part) + len);
	if (!part)
		return -ENOMEM;
	if (parts->n == PARTS_MAX)
		lose_oldest(parts);
	*part = (struct part){ .since = now, .hdr = *hdr, .len = len };
	memcpy(part->data, data, len);
	if (parts->newest)
		parts->newest->newer = part;
	else
		parts->oldest = part;
	parts->newest = part;
	parts->n++;
	return 0;
}

/* The frame of which part is one, and data the other. */
static size_t join(const struct part *part, const uint8_t *data, size_t len, uint8_t *buf)
{
	if (part->hdr.type == OVERLAY_FIRST) {
		memcpy(buf, part->data, part->len);
		memcpy(buf + part->len, data, len);
	} else {
		memcpy(buf, data, len);
		memcpy(buf + len, part->data, part->len);
	}
	return part->len + len;
}

int parts_take(struct parts *parts, const struct overlay_hdr *hdr, const uint8_t *data,
	       size_t len, uint64_t now, uint8_t buf[PARTS_FRAME_MAX])
{
	struct part *older = NULL, *part;
	if (len > PARTS_FRAME_MAX)
		return -EMSGSIZE;
	expire(parts, now);
	for (part = parts->oldest; part; older = part, part = part->newer)
		if (part->hdr.number == hdr->number)
			break;
	if (!part)
		return keep(parts, hdr, data, len, now);
	if (part->hdr.type ==
	    hdr->type) { /* its number has come round, or it came twice */
		take_off(parts, older, part);
		parts->lost++;
		return keep(parts, hdr, data, len, now);
	}
	int r = part->len + len > PARTS_FRAME_MAX ? -EMSGSIZE
						  : (int)join(part, data, len, buf);
	take_off(parts, older, part);
	return r;
}
