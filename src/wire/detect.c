/* SPDX-License-Identifier: MIT */
/*
 * Each candidate is asked how well what is there fits it.
 */
#include "wire/detect.h"

#include "base/array.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/frame_size.h"
#include "wire/hdlc.h"
#include "wire/vde.h"
#include "wire/vpnkit.h"

#include <assert.h>
#include <errno.h>

#define LENGTH_MAX 69632u /* Of QEMU, which has the longest. */
#define FCS_LEN    4u

/* Longer ones of a type that cannot be sized are text, whose letters make a long length. */
#define LIKELY_MAX 2048u

enum fit { FIT_NO, FIT_MORE, FIT_LIKELY, FIT_SURE };

static_assert(DETECT_LEN >= 4 + FRAME_SIZE_MIN + 8, "a header and what frame_size needs");

/* How a frame of length bytes, of which len are there, goes with its own headers. */
static enum fit frame_fit(const uint8_t *frame, size_t len, uint32_t length)
{
	uint16_t type = 0;

	if (length < ETHER_LEN || length > LENGTH_MAX)
		return FIT_NO;
	if (len > length)
		len = length;
	if (len > ETHER_OFF_SRC && (frame[ETHER_OFF_SRC] & 1))
		return FIT_NO;
	int size = frame_size(frame, len, &type);
	if (size == 0)
		return len == length ? FIT_NO : FIT_MORE;
	if (size < 0)
		return size == -EPROTONOSUPPORT && length <= LIKELY_MAX ? FIT_LIKELY
									: FIT_NO;
	uint32_t own = (uint32_t)size;
	bool is_padded = length <= FRAME_SIZE_MIN || length - own <= FCS_LEN;
	return own <= length && is_padded ? FIT_SURE : FIT_NO;
}

static enum fit u32_be_fit(const uint8_t *data, size_t len)
{
	return len < 4 ? FIT_MORE : frame_fit(data + 4, len - 4, load_be32(data));
}

static enum fit u16_le_fit(const uint8_t *data, size_t len)
{
	return len < 2 ? FIT_MORE : frame_fit(data + 2, len - 2, load_le16(data));
}

static enum fit u16_be_fit(const uint8_t *data, size_t len)
{
	return len < 2 ? FIT_MORE : frame_fit(data + 2, len - 2, load_be16(data));
}

/* Of a type that cannot be sized, nothing more could be read. */
static enum fit bare_fit(const uint8_t *data, size_t len)
{
	uint16_t type;
	if (len > ETHER_OFF_SRC && (data[ETHER_OFF_SRC] & 1))
		return FIT_NO;
	int size = frame_size(data, len, &type);
	if (size < 0)
		return FIT_NO;
	return size == 0 ? FIT_MORE : FIT_SURE;
}

/* Those that begin with bytes of their own. */
static enum detect_result detect_magic(const uint8_t *data, size_t len)
{
	if (vpnkit_is_init(data, len))
		return len < VPNKIT_MAGIC_LEN ? DETECT_MORE : DETECT_VPNKIT;
	if (len >= 4 && (load_be32(data) == VDE_MAGIC || load_le32(data) == VDE_MAGIC))
		return DETECT_VDE_CTL;
	if (data[0] == HDLC_FLAG && len >= 2 && data[1] == 0xff)
		return DETECT_PPP;
	if (len >= 4 && data[2] == HDLC_FLAG && data[3] == 0xff)
		return DETECT_PPP;
	return DETECT_UNKNOWN;
}

enum detect_result detect(const uint8_t *data, size_t len, bool is_final)
{
	static const struct {
		enum detect_result result;
		enum fit (*fit)(const uint8_t *data, size_t len);
	} candidates[] = {
		{ DETECT_U32_BE, u32_be_fit },
		{ DETECT_U16_LE, u16_le_fit },
		{ DETECT_U16_BE, u16_be_fit },
		{ DETECT_BARE, bare_fit },
	};
	enum detect_result best = DETECT_UNKNOWN;
	enum fit best_fit = FIT_MORE;

	if (len == 0)
		return is_final ? DETECT_UNKNOWN : DETECT_MORE;
	enum detect_result magic = detect_magic(data, len);
	if (magic != DETECT_UNKNOWN)
		return magic == DETECT_MORE && is_final ? DETECT_UNKNOWN : magic;
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		enum fit fit = candidates[i].fit(data, len);
		if (fit == FIT_MORE && !is_final)
			return DETECT_MORE;
		if (fit > best_fit) {
			best_fit = fit;
			best = candidates[i].result;
		}
	}
	return best;
}
