/* SPDX-License-Identifier: MIT */
/*
 * Framing for modems. Damage shows as a wrong FCS and costs the frames on both sides of it
 * at most: the next flag is always a beginning.
 *
 * The FCS is x^16 + x^12 + x^5 + 1, bits reflected. A table by half octets is 16 numbers that
 * can be looked at; octets come as slowly here as a modem of old, give or take a thousand.
 */
#include "wire/hdlc.h"

#include "base/array.h"
#include "wire/cursor.h"

#include <assert.h>
#include <errno.h>

#define ESCAPE        0x7du
#define ESCAPE_FLIP   0x20u
#define ADDRESS_ALL   0xffu /* All stations. */
#define CONTROL_UI    0x03u /* Unnumbered information. */
#define FCS_LEN       2u
#define FCS_INITIAL   0xffffu
#define CONTROL_CHARS 0x20u

const char *hdlc_outcome_name(enum hdlc_outcome outcome)
{
	static const char *const names[] = {
		[HDLC_TAKEN] = "taken",         [HDLC_DROP_ABORTED] = "drop-aborted",
		[HDLC_DROP_FCS] = "drop-fcs",   [HDLC_DROP_ADDRESS] = "drop-address",
		[HDLC_DROP_RUNT] = "drop-runt", [HDLC_DROP_TOO_LONG] = "drop-too-long",
	};
	static_assert(ARRAY_LEN(names) == HDLC_OUTCOMES, "a name for each outcome");
	return names[outcome];
}

/* One octet more; the complement is the caller's. */
static uint16_t fcs_add(uint16_t fcs, uint8_t octet)
{
	static const uint16_t nibbles[16] = {
		0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
		0x8408, 0x9489, 0xa50a, 0xb58b, 0xc60c, 0xd68d, 0xe70e, 0xf78f,
	};
	fcs = (uint16_t)(fcs >> 4 ^ nibbles[(fcs ^ octet) & 0xf]);
	return (uint16_t)(fcs >> 4 ^ nibbles[(fcs ^ octet >> 4) & 0xf]);
}

uint16_t hdlc_fcs(const uint8_t *data, size_t len)
{
	uint16_t fcs = FCS_INITIAL;
	for (size_t i = 0; i < len; i++)
		fcs = fcs_add(fcs, data[i]);
	return (uint16_t)~fcs;
}

/* Decoding */

/* What stands between two flags, judged. */
static enum hdlc_outcome judge(const struct hdlc_decoder *d,
			       struct hdlc_content *ret_content)
{
	if (d->escaped)
		return HDLC_DROP_ABORTED;
	if (d->too_long)
		return HDLC_DROP_TOO_LONG;
	if (d->len <= FCS_LEN)
		return HDLC_DROP_RUNT;
	size_t len = d->len - FCS_LEN;
	if (hdlc_fcs(d->buf, len) != load_le16(d->buf + len))
		return HDLC_DROP_FCS;

	size_t skipped = 0;
	if (d->buf[0] == ADDRESS_ALL) {
		if (len < 2 || d->buf[1] != CONTROL_UI)
			return HDLC_DROP_ADDRESS;
		skipped = 2;
	}
	if (len == skipped)
		return HDLC_DROP_RUNT;
	*ret_content = (struct hdlc_content){ d->buf + skipped, len - skipped };
	return HDLC_TAKEN;
}

/* Two flags in a row are no frame (RFC 1662, 4.4: the time between frames is filled so). */
static void on_flag(struct hdlc_decoder *d, struct hdlc_content *ret_content)
{
	if (d->begun && (d->len > 0 || d->escaped || d->too_long))
		d->counts[judge(d, ret_content)]++;
	d->begun = true;
	d->escaped = false;
	d->too_long = false;
	d->len = 0;
}

static void on_octet(struct hdlc_decoder *d, uint8_t octet)
{
	if (!d->begun || d->too_long)
		return;
	if (octet == ESCAPE) {
		d->escaped = true;
		return;
	}
	if (d->len == sizeof(d->buf)) {
		d->too_long = true;
		return;
	}
	d->buf[d->len++] = (uint8_t)(d->escaped ? octet ^ ESCAPE_FLIP : octet);
	d->escaped = false;
}

size_t hdlc_decode(struct hdlc_decoder *d, const uint8_t *data, size_t len,
		   struct hdlc_content *ret_content)
{
	*ret_content = (struct hdlc_content){ 0 };
	for (size_t i = 0; i < len; i++) {
		if (data[i] != HDLC_FLAG)
			on_octet(d, data[i]);
		else
			on_flag(d, ret_content);
		if (ret_content->data)
			return i + 1;
	}
	return len;
}

/* Encoding */

static bool needs_escape(uint8_t octet, uint32_t accm)
{
	if (octet < CONTROL_CHARS)
		return (accm >> octet & 1u) != 0;
	return octet == HDLC_FLAG || octet == ESCAPE;
}

static void put(struct writer *w, uint8_t octet, uint32_t accm)
{
	if (needs_escape(octet, accm)) {
		writer_u8(w, ESCAPE);
		octet ^= ESCAPE_FLIP;
	}
	writer_u8(w, octet);
}

int hdlc_emit(uint8_t *buf, size_t len, const struct hdlc_content *content, uint32_t accm)
{
	struct writer w = writer_of(buf, len);
	uint16_t fcs = fcs_add(fcs_add(FCS_INITIAL, ADDRESS_ALL), CONTROL_UI);

	writer_u8(&w, HDLC_FLAG);
	put(&w, ADDRESS_ALL, accm);
	put(&w, CONTROL_UI, accm);
	for (size_t i = 0; i < content->len; i++) {
		put(&w, content->data[i], accm);
		fcs = fcs_add(fcs, content->data[i]);
	}
	put(&w, (uint8_t)(~fcs & 0xff), accm);
	put(&w, (uint8_t)(~fcs >> 8 & 0xff), accm);
	writer_u8(&w, HDLC_FLAG);
	return w.bad ? -ENOBUFS : (int)w.off;
}
