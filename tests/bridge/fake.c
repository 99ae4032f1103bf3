/* SPDX-License-Identifier: MIT */
/*
 * The fake has a real link's common part, so that weft_link_send cuts for it as it does for a
 * driver.
 */
#include "fake.h"

#include "../unit.h"

#include <string.h>

#define OFF_SERIAL 14u

static size_t fake_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct fake_link *fake = (struct fake_link *)(void *)link;
	(void)now;
	fake->calls++;
	for (size_t i = 0; i < n; i++) {
		assert_true(fake->sent_n < FAKE_SENT_MAX);
		fake->sent[fake->sent_n] = frames[i];
		if (frames[i].len >= OFF_SERIAL + sizeof(unsigned))
			memcpy(&fake->serials[fake->sent_n], frames[i].data + OFF_SERIAL,
			       sizeof(unsigned));
		fake->sent_n++;
	}
	if (fake->on_send)
		fake->on_send(fake->on_send_user);
	return n;
}

static void fake_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops fake_ops = { .send = fake_send, .free = fake_free };

void fake_init(struct fake_link *fake, unsigned flags)
{
	memset(fake, 0, sizeof(*fake));
	const struct weft_link_caps caps = { .flags = flags, .frame_len_max = 1514 };
	link_init(&fake->link, &fake_ops, "fake", -1, caps);
}

void fake_fini(struct fake_link *fake)
{
	weft_link_free(&fake->link);
}

void fake_clear(struct fake_link *fake)
{
	fake->sent_n = 0;
	fake->calls = 0;
}

struct weft_mac test_mac(unsigned number)
{
	if (number == MAC_ZERO)
		return (struct weft_mac){ { 0 } };
	if (number == MAC_BROADCAST)
		return (struct weft_mac){ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	if (number == MAC_RESERVED)
		return (struct weft_mac){ { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e } };
	return (struct weft_mac){ { 0x02, 0, 0, 0, (uint8_t)(number >> 8),
				    (uint8_t)number } };
}

struct weft_frame test_frame(uint8_t bytes[FAKE_FRAME_LEN], unsigned dst, unsigned src,
			     unsigned serial)
{
	struct weft_mac d = test_mac(dst), s = test_mac(src);
	memset(bytes, 0, FAKE_FRAME_LEN);
	memcpy(bytes, d.octet, 6);
	memcpy(bytes + 6, s.octet, 6);
	memcpy(bytes + OFF_SERIAL, &serial, sizeof(serial));
	return (struct weft_frame){ .data = bytes, .len = FAKE_FRAME_LEN };
}

void fake_receive(struct fake_link *fake, unsigned dst, unsigned src, uint64_t now)
{
	uint8_t bytes[FAKE_FRAME_LEN];
	struct weft_frame frame = test_frame(bytes, dst, src, 0);
	link_deliver(&fake->link, &frame, 1, now);
}
