/* SPDX-License-Identifier: MIT */
/*
 * The one cursor for everything hostile: a reader over bytes that a peer sent, and the
 * writer that mirrors it.
 *
 *      data        off                 len
 *      |<-- read -->|<----- left ------>|
 *
 * A read past the end gives zero, moves to the end and sets bad, which stays set: so a
 * parser reads a whole structure straight through and tests bad once, before it uses or
 * returns anything. Room is always checked by subtracting from what is left, never by adding
 * to a pointer. A writer that is full drops the rest and sets bad in the same way.
 *
 *     struct reader r = reader_of(data, len);
 *     uint8_t kind = reader_u8(&r);
 *     struct reader body = reader_sub(&r, reader_u16(&r));
 *     if (r.bad)
 *             return -EBADMSG;
 *
 * Fixed headers take a shorter way: one length check, then load_be16 and the like at named
 * offsets. Numbers are big-endian (RFC 1700) unless the name says _le. Together these are the
 * only functions of weft that assemble integers from bytes.
 */
#ifndef WIRE_CURSOR_H
#define WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raw loads and stores: the caller has checked that the bytes are there. */

static inline uint16_t load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t load_be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t load_be64(const uint8_t *p)
{
	return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline uint16_t load_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t load_le64(const uint8_t *p)
{
	return (uint64_t)load_le32(p + 4) << 32 | load_le32(p);
}

static inline void store_be16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void store_be24(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 16);
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)value;
}

static inline void store_be32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

static inline void store_be64(uint8_t *p, uint64_t value)
{
	store_be32(p, (uint32_t)(value >> 32));
	store_be32(p + 4, (uint32_t)value);
}

static inline void store_le16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void store_le32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)(value >> 16);
	p[3] = (uint8_t)(value >> 24);
}

static inline void store_le64(uint8_t *p, uint64_t value)
{
	store_le32(p, (uint32_t)value);
	store_le32(p + 4, (uint32_t)(value >> 32));
}

/** Reads the borrowed bytes data[0..len), of which off are read. */
struct reader {
	const uint8_t *data;
	size_t len;
	size_t off;
	bool bad; /**< A read went past the end: nothing that was read counts. */
};

static inline struct reader reader_of(const uint8_t *data, size_t len)
{
	return (struct reader){ .data = data, .len = len };
}

/** Bytes not read yet. */
static inline size_t reader_left(const struct reader *r)
{
	return r->len - r->off;
}

/** Borrows the next n bytes, or gives NULL and sets bad. Also NULL where data is NULL. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	if (n > r->len - r->off) {
		r->off = r->len;
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->data ? r->data + r->off : NULL;
	r->off += n;
	return p;
}

/** Passes over n bytes. */
static inline void reader_skip(struct reader *r, size_t n)
{
	(void)reader_bytes(r, n);
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);
	return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);
	return p ? load_be16(p) : 0;
}

static inline uint32_t reader_u24(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 3);
	return p ? load_be24(p) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);
	return p ? load_be32(p) : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 8);
	return p ? load_be64(p) : 0;
}

static inline uint16_t reader_u16_le(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);
	return p ? load_le16(p) : 0;
}

static inline uint32_t reader_u32_le(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);
	return p ? load_le32(p) : 0;
}

static inline uint64_t reader_u64_le(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 8);
	return p ? load_le64(p) : 0;
}

/** A reader over the next n bytes, which r passes over; an empty, bad one if r is shorter. */
struct reader reader_sub(struct reader *r, size_t n);

/** Copies the next n bytes to dst, or fills dst with zeros and sets bad. */
void reader_copy(struct reader *r, void *dst, size_t n);

/** Writes into data[0..len), of which off are written. */
struct writer {
	uint8_t *data;
	size_t len;
	size_t off;
	bool bad; /**< A write did not fit: what was written is not to be used. */
};

static inline struct writer writer_of(uint8_t *data, size_t len)
{
	return (struct writer){ .data = data, .len = len };
}

/** Bytes that still fit. */
static inline size_t writer_left(const struct writer *w)
{
	return w->len - w->off;
}

/** Reserves n bytes for the caller to fill in, or gives NULL and sets bad. */
static inline uint8_t *writer_reserve(struct writer *w, size_t n)
{
	if (n > w->len - w->off) {
		w->len = w->off;
		w->bad = true;
		return NULL;
	}
	uint8_t *p = w->data ? w->data + w->off : NULL;
	w->off += n;
	return p;
}

static inline void writer_u8(struct writer *w, uint8_t value)
{
	uint8_t *p = writer_reserve(w, 1);
	if (p)
		p[0] = value;
}

static inline void writer_u16(struct writer *w, uint16_t value)
{
	uint8_t *p = writer_reserve(w, 2);
	if (p)
		store_be16(p, value);
}

static inline void writer_u24(struct writer *w, uint32_t value)
{
	uint8_t *p = writer_reserve(w, 3);
	if (p)
		store_be24(p, value);
}

static inline void writer_u32(struct writer *w, uint32_t value)
{
	uint8_t *p = writer_reserve(w, 4);
	if (p)
		store_be32(p, value);
}

static inline void writer_u64(struct writer *w, uint64_t value)
{
	uint8_t *p = writer_reserve(w, 8);
	if (p)
		store_be64(p, value);
}

static inline void writer_u16_le(struct writer *w, uint16_t value)
{
	uint8_t *p = writer_reserve(w, 2);
	if (p)
		store_le16(p, value);
}

static inline void writer_u32_le(struct writer *w, uint32_t value)
{
	uint8_t *p = writer_reserve(w, 4);
	if (p)
		store_le32(p, value);
}

static inline void writer_u64_le(struct writer *w, uint64_t value)
{
	uint8_t *p = writer_reserve(w, 8);
	if (p)
		store_le64(p, value);
}

/** Appends n bytes. src may be NULL if n is 0. */
void writer_bytes(struct writer *w, const void *src, size_t n);

/** Appends n bytes of the same value. */
void writer_fill(struct writer *w, uint8_t value, size_t n);

#endif
