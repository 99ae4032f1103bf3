/* SPDX-License-Identifier: MIT */
/*
 * The framings with a length are one function with three ways to load it. The bare framing
 * has one more thing to know: a sender that pads short frames, as a cable wants it, leaves
 * zeros behind a frame that its headers say is shorter.
 *
 *     | ARP, 42 bytes | 00 00 ... 00 | next frame        18 zeros: 42 + 18 = 60
 *
 * Behind a frame of less than 60 bytes, so many zeros are padding if at least 6 of them
 * stand there, for no frame is for the address of all zeros. Fewer than 6 zeros may be the
 * beginning of a real address (00:00:00:... is Xerox's). They are padding only if what stands
 * there is no frame as it is, and is one behind them; or is one by its 802.3 length only,
 * which some bytes of an address may look like, and one with an EtherType behind them. The
 * same goes for the one byte that evens out IPX.
 */
#include "wire/framing.h"

#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/frame_size.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* QEMU's NET_BUFSIZE: no peer of that dialect sends or takes more. */
#define U32_LENGTH_MAX (4096u + 65536u)

static WEFT_PRINTF(2, 3) enum framing_outcome
	broken(struct framing *f, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(f->why, sizeof(f->why), format, args);
	va_end(args);
	return FRAMING_BROKEN;
}

/* ---- a length in front ------------------------------------------------------------------- */

static enum framing_outcome length_decode(const struct framing *f, uint32_t frame_len,
					  size_t len, struct framing_unit *ret_unit)
{
	const uint32_t hdr_len = f->ops->hdr_len;
	const size_t unit_len = (size_t)hdr_len + frame_len;
	bool fits = frame_len >= f->frame_len_min && frame_len <= f->frame_len_max;

	if (fits && len < unit_len)
		return FRAMING_MORE;
	*ret_unit = (struct framing_unit){ .len = unit_len,
					   .frame_off = hdr_len,
					   .frame_len = frame_len };
	return fits ? FRAMING_FRAME : FRAMING_BAD;
}

static enum framing_outcome u16_le_decode(struct framing *f, uint8_t *data, size_t len,
					  struct framing_unit *ret_unit)
{
	if (len < 2)
		return FRAMING_MORE;
	return length_decode(f, load_le16(data), len, ret_unit);
}

static enum framing_outcome u16_be_decode(struct framing *f, uint8_t *data, size_t len,
					  struct framing_unit *ret_unit)
{
	if (len < 2)
		return FRAMING_MORE;
	return length_decode(f, load_be16(data), len, ret_unit);
}

/* Any length of 16 bits may be; most of 32 bits are text or another dialect. */
static enum framing_outcome u32_be_decode(struct framing *f, uint8_t *data, size_t len,
					  struct framing_unit *ret_unit)
{
	if (len < 4)
		return FRAMING_MORE;
	uint32_t frame_len = load_be32(data);
	if (frame_len > U32_LENGTH_MAX)
		return broken(f,
			      "it announced a frame of %u bytes (0x%08x), so that it "
			      "speaks another dialect",
			      frame_len, frame_len);
	return length_decode(f, frame_len, len, ret_unit);
}

static void u16_le_encode(uint8_t *hdr, uint32_t len)
{
	store_le16(hdr, (uint16_t)len);
}

static void u16_be_encode(uint8_t *hdr, uint32_t len)
{
	store_be16(hdr, (uint16_t)len);
}

static void u32_be_encode(uint8_t *hdr, uint32_t len)
{
	store_be32(hdr, len);
}

const struct framing_ops framing_u16_le = {
	.hdr_len = 2,
	.decode = u16_le_decode,
	.encode = u16_le_encode,
};

const struct framing_ops framing_u16_be = {
	.hdr_len = 2,
	.decode = u16_be_decode,
	.encode = u16_be_encode,
};

const struct framing_ops framing_u32_be = {
	.hdr_len = 4,
	.decode = u32_be_decode,
	.encode = u32_be_encode,
};

/* ---- bare frames ------------------------------------------------------------------------- */

enum padding { PADDING_NONE, PADDING_UNSURE, PADDING_HERE };

static size_t count_zeros(const uint8_t *data, size_t len)
{
	size_t n = 0;
	while (n < len && data[n] == 0)
		n++;
	return n;
}

/* How sure it is that a frame begins somewhere. */
enum begin { BEGIN_MORE = -1, BEGIN_NO, BEGIN_LENGTH, BEGIN_TYPE };

/* The two service access points of LLC are one in practice, but for the lowest bit. */
static bool is_llc(const uint8_t *payload)
{
	return payload[0] >> 1 == payload[1] >> 1;
}

static enum begin frame_begins(const uint8_t *data, size_t len)
{
	uint16_t type;
	if (len > ETHER_OFF_SRC && (data[ETHER_OFF_SRC] & 1))
		return BEGIN_NO; /* No frame is from a group. */
	int size = frame_size(data, len, &type);
	if (size <= 0)
		return size == 0 ? BEGIN_MORE : BEGIN_NO;
	if (load_be16(data + ETHER_OFF_TYPE) >= ETHER_TYPE_FIRST)
		return BEGIN_TYPE;
	if (len < ETHER_LEN + 2)
		return BEGIN_MORE;
	return is_llc(data + ETHER_LEN) ? BEGIN_LENGTH : BEGIN_NO;
}

static enum padding padding_find(const struct framing *f, const uint8_t *data, size_t len)
{
	const uint32_t pad = f->pad_max;
	size_t zeros = count_zeros(data, len < pad ? len : pad);

	if (zeros < pad && zeros < len)
		return PADDING_NONE; /* Something else stands there. */
	if (zeros < pad)
		return PADDING_UNSURE;
	if (pad >= ETHER_OFF_SRC)
		return PADDING_HERE;
	enum begin here = frame_begins(data, len);
	if (here == BEGIN_TYPE)
		return PADDING_NONE;
	enum begin behind = len > pad ? frame_begins(data + pad, len - pad) : BEGIN_MORE;
	if (here == BEGIN_MORE || behind == BEGIN_MORE)
		return PADDING_UNSURE;
	return behind > here ? PADDING_HERE : PADDING_NONE;
}

static enum framing_outcome fail_size(struct framing *f, int error, uint16_t type)
{
	const char *what = type < ETHER_TYPE_FIRST ? "length" : "type";
	if (error == -EPROTONOSUPPORT)
		return broken(
			f,
			"it sent a frame of type 0x%04x, whose length cannot be told "
			"without framing: use the framed mode (tapserver)",
			type);
	return broken(f,
		      "it sent a frame of %s 0x%04x with a length that cannot be: the "
		      "framed mode (tapserver) does not depend on it",
		      what, type);
}

/* What may follow a frame without being one. */
static uint32_t padding_after(const uint8_t *frame, uint32_t len)
{
	if (len < FRAME_SIZE_MIN)
		return FRAME_SIZE_MIN - len;
	bool is_odd_ipx =
		(len & 1) && load_be16(frame + ETHER_OFF_TYPE) == ETHER_TYPE_IPX;
	return is_odd_ipx ? 1 : 0;
}

static enum framing_outcome bare_decode(struct framing *f, uint8_t *data, size_t len,
					struct framing_unit *ret_unit)
{
	uint16_t type = 0;

	if (f->pad_max > 0) {
		enum padding padding = padding_find(f, data, len);
		if (padding == PADDING_UNSURE)
			return FRAMING_MORE;
		uint32_t pad = f->pad_max;
		f->pad_max = 0;
		if (padding == PADDING_HERE) {
			*ret_unit = (struct framing_unit){ .len = pad };
			return FRAMING_PAD;
		}
	}
	int size = frame_size(data, len, &type);
	if (size < 0)
		return fail_size(f, size, type);
	bool fits = (uint32_t)size <= f->frame_len_max;
	if (size == 0 || (fits && len < (size_t)size))
		return FRAMING_MORE;
	*ret_unit =
		(struct framing_unit){ .len = (size_t)size, .frame_len = (uint32_t)size };
	f->pad_max = padding_after(data, (uint32_t)size);
	return fits ? FRAMING_FRAME : FRAMING_BAD;
}

const struct framing_ops framing_bare = {
	.decode = bare_decode,
};
