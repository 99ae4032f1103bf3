/* SPDX-License-Identifier: MIT */
/*
 * A block's length is known only once it is written: its place is kept free.
 */
#include "wire/pcapng.h"

#include "wire/cursor.h"

#include <assert.h>
#include <string.h>

#define SECTION_HEADER  0x0a0d0d0au
#define INTERFACE       1u
#define ENHANCED_PACKET 6u

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define VERSION_MAJOR    1u
#define VERSION_MINOR    0u

/* Options, by the block in which they stand. */
#define OPT_END         0u
#define SHB_USERAPPL    4u
#define IF_NAME         2u
#define IF_TSRESOL      9u
#define EPB_FLAGS       2u
#define EPB_INBOUND     1u
#define EPB_OUTBOUND    2u
#define EPB_FLAGS_WHOLE 8u /* The option: code, length, value. */

static size_t padding(size_t len)
{
	return (4 - len % 4) % 4;
}

static void put_option(struct writer *w, uint16_t code, const void *value, size_t len)
{
	writer_u16_le(w, code);
	writer_u16_le(w, (uint16_t)len);
	writer_bytes(w, value, len);
	writer_fill(w, 0, padding(len));
}

static void put_text(struct writer *w, uint16_t code, const char *text)
{
	const size_t len = strlen(text);
	put_option(w, code, text, len < PCAPNG_NAME_MAX ? len : PCAPNG_NAME_MAX);
}

/* Returns where the block begins. */
static size_t begin_block(struct writer *w, uint32_t type)
{
	const size_t begin = w->off;
	writer_u32_le(w, type);
	writer_u32_le(w, 0);
	return begin;
}

static void end_block(struct writer *w, size_t begin)
{
	writer_u32_le(w, OPT_END);
	const uint32_t len = (uint32_t)(w->off - begin) + 4;
	writer_u32_le(w, len);
	assert(!w->bad);
	store_le32(w->data + begin + 4, len);
}

size_t pcapng_head(const struct pcapng_interface *interface,
		   uint8_t ret_bytes[PCAPNG_HEAD_MAX])
{
	static const uint8_t nanoseconds = 9; /* 10^-9 s */
	struct writer w = writer_of(ret_bytes, PCAPNG_HEAD_MAX);
	size_t begin = begin_block(&w, SECTION_HEADER);
	writer_u32_le(&w, BYTE_ORDER_MAGIC);
	writer_u16_le(&w, VERSION_MAJOR);
	writer_u16_le(&w, VERSION_MINOR);
	writer_u64_le(&w, UINT64_MAX); /* a section of unknown length */
	put_text(&w, SHB_USERAPPL, interface->writer);
	end_block(&w, begin);
	begin = begin_block(&w, INTERFACE);
	writer_u16_le(&w, interface->link_type);
	writer_u16_le(&w, 0);
	writer_u32_le(&w, interface->snap_len);
	put_text(&w, IF_NAME, interface->name);
	put_option(&w, IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
	end_block(&w, begin);
	return w.off;
}

/* Of the bytes behind a frame's. */
static size_t tail_len(const struct pcapng_packet *packet)
{
	return padding(packet->caplen) + EPB_FLAGS_WHOLE + 4 + 4;
}

static uint32_t packet_len(const struct pcapng_packet *packet)
{
	return (uint32_t)(PCAPNG_PACKET_HEAD + packet->caplen + tail_len(packet));
}

void pcapng_packet_head(const struct pcapng_packet *packet,
			uint8_t ret_bytes[PCAPNG_PACKET_HEAD])
{
	store_le32(ret_bytes, ENHANCED_PACKET);
	store_le32(ret_bytes + 4, packet_len(packet));
	store_le32(ret_bytes + 8, 0); /* the file's one interface */
	store_le32(ret_bytes + 12, (uint32_t)((uint64_t)packet->at_ns >> 32));
	store_le32(ret_bytes + 16, (uint32_t)packet->at_ns);
	store_le32(ret_bytes + 20, packet->caplen);
	store_le32(ret_bytes + 24, packet->len);
}

size_t pcapng_packet_tail(const struct pcapng_packet *packet,
			  uint8_t ret_bytes[PCAPNG_PACKET_TAIL])
{
	uint8_t flags[4];
	struct writer w = writer_of(ret_bytes, PCAPNG_PACKET_TAIL);
	store_le32(flags, packet->is_outbound ? EPB_OUTBOUND : EPB_INBOUND);
	writer_fill(&w, 0, padding(packet->caplen));
	put_option(&w, EPB_FLAGS, flags, sizeof(flags));
	writer_u32_le(&w, OPT_END);
	writer_u32_le(&w, packet_len(packet));
	assert(!w.bad && w.off == tail_len(packet));
	return w.off;
}
