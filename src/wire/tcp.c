/* SPDX-License-Identifier: MIT */
/*
 * The TCP header and its options. An option's length byte counts its kind and itself, so 0
 * and 1 are lies that would keep a careless loop turning for ever.
 */
#include "wire/tcp.h"

#include "wire/cursor.h"

#include <errno.h>
#include <string.h>

/* Lengths of options, with kind and length. */
#define MSS_LEN            4u
#define WSCALE_LEN         3u
#define SACK_PERMITTED_LEN 2u
#define SACK_HEAD_LEN      2u
#define SACK_BLOCK_LEN     8u
#define TIMESTAMPS_LEN     10u

/*
 * NOP, NOP, timestamps: all the options of nearly every segment (RFC 7323, A), which have a short
 * way of their own in and out.
 */
#define ALONE_HEAD UINT32_C(0x0101080a)
#define ALONE_LEN  12u

int tcp_hdr_parse(const uint8_t *data, size_t len, struct tcp_hdr *ret_hdr)
{
	if (len < TCP_LEN)
		return -EBADMSG;
	uint16_t field = load_be16(data + TCP_OFF_FLAGS);
	size_t hdr_len = (size_t)(field >> 12) * 4;
	if (hdr_len < TCP_LEN || hdr_len > len)
		return -EBADMSG;
	*ret_hdr = (struct tcp_hdr){
		.sport = load_be16(data + TCP_OFF_SPORT),
		.dport = load_be16(data + TCP_OFF_DPORT),
		.seq = load_be32(data + TCP_OFF_SEQ),
		.ack = load_be32(data + TCP_OFF_ACK),
		.flags = field & TCP_FLAGS_MASK,
		.window = load_be16(data + TCP_OFF_WINDOW),
		.csum = load_be16(data + TCP_OFF_CSUM),
		.urgent = load_be16(data + TCP_OFF_URGENT),
		.options = data + TCP_LEN,
		.options_len = (uint8_t)(hdr_len - TCP_LEN),
	};
	return (int)hdr_len;
}

int tcp_hdr_emit(uint8_t *buf, size_t len, const struct tcp_hdr *hdr)
{
	if (hdr->options_len > TCP_OPTIONS_MAX || hdr->options_len % 4)
		return -EINVAL;
	size_t hdr_len = TCP_LEN + hdr->options_len;
	if (len < hdr_len)
		return -ENOBUFS;
	store_be16(buf + TCP_OFF_SPORT, hdr->sport);
	store_be16(buf + TCP_OFF_DPORT, hdr->dport);
	store_be32(buf + TCP_OFF_SEQ, hdr->seq);
	store_be32(buf + TCP_OFF_ACK, hdr->ack);
	store_be16(buf + TCP_OFF_FLAGS,
		   (uint16_t)(hdr_len / 4 << 12 | (hdr->flags & TCP_FLAGS_MASK)));
	store_be16(buf + TCP_OFF_WINDOW, hdr->window);
	store_be16(buf + TCP_OFF_CSUM, hdr->csum);
	store_be16(buf + TCP_OFF_URGENT, hdr->urgent);
	/* A copy of a length that the compiler knows is a few stores, any other a loop. */
	if (hdr->options_len == ALONE_LEN)
		memcpy(buf + TCP_LEN, hdr->options, ALONE_LEN);
	else if (hdr->options_len > 0)
		memcpy(buf + TCP_LEN, hdr->options, hdr->options_len);
	return (int)hdr_len;
}

static void read_sacks(struct reader *r, struct tcp_opts *opts)
{
	opts->sacks_n = 0;
	while (reader_left(r) >= SACK_BLOCK_LEN && opts->sacks_n < TCP_SACKS_MAX) {
		struct tcp_sack *sack = &opts->sacks[opts->sacks_n++];
		sack->left = reader_u32(r);
		sack->right = reader_u32(r);
	}
}

/* Takes the body of one option, len bytes long with its head. Returns 1 if it is known. */
static int read_option(struct reader *body, uint8_t kind, size_t len,
		       struct tcp_opts *opts)
{
	if (kind == TCP_OPT_MSS && len == MSS_LEN) {
		opts->has_mss = true;
		opts->mss = reader_u16(body);
	} else if (kind == TCP_OPT_WSCALE && len == WSCALE_LEN) {
		uint8_t shift = reader_u8(body);
		opts->has_wscale = true;
		opts->wscale = shift > TCP_WSCALE_MAX ? TCP_WSCALE_MAX : shift;
	} else if (kind == TCP_OPT_SACK_PERMITTED && len == SACK_PERMITTED_LEN) {
		opts->sack_permitted = true;
	} else if (kind == TCP_OPT_SACK && len > SACK_HEAD_LEN &&
		   (len - SACK_HEAD_LEN) % SACK_BLOCK_LEN == 0) {
		read_sacks(body, opts);
	} else if (kind == TCP_OPT_TIMESTAMPS && len == TIMESTAMPS_LEN) {
		opts->has_timestamps = true;
		opts->ts_val = reader_u32(body);
		opts->ts_ecr = reader_u32(body);
	} else {
		return 0;
	}
	return 1;
}

/* Reads options one by one. */
static int read_options(const uint8_t *data, size_t len, struct tcp_opts *ret_opts)
{
	struct reader r = reader_of(data, len);
	struct tcp_opts opts = { 0 };
	int known = 0;
	while (reader_left(&r) > 0) {
		uint8_t kind = reader_u8(&r);
		if (kind == TCP_OPT_END)
			break;
		if (kind == TCP_OPT_NOP)
			continue;
		uint8_t option_len = reader_u8(&r);
		if (option_len < 2)
			return -EBADMSG;
		struct reader body = reader_sub(&r, option_len - 2u);
		if (r.bad)
			return -EBADMSG;
		known += read_option(&body, kind, option_len, &opts);
	}
	*ret_opts = opts;
	return known;
}

int tcp_opts_parse(const uint8_t *data, size_t len, struct tcp_opts *ret_opts)
{
	if (len != ALONE_LEN || load_be32(data) != ALONE_HEAD)
		return read_options(data, len, ret_opts);
	*ret_opts = (struct tcp_opts){
		.has_timestamps = true,
		.ts_val = load_be32(data + 4),
		.ts_ecr = load_be32(data + 8),
	};
	return 1;
}

/* The head of an option of len bytes, pushed back by NOPs so that it ends on 4 bytes. */
static void write_option_head(struct writer *w, uint8_t kind, size_t len)
{
	writer_fill(w, TCP_OPT_NOP, (4 - (w->off + len) % 4) % 4);
	writer_u8(w, kind);
	writer_u8(w, (uint8_t)len);
}

static void write_sacks(struct writer *w, const struct tcp_opts *opts)
{
	size_t n = opts->sacks_n < TCP_SACKS_MAX ? opts->sacks_n : TCP_SACKS_MAX;
	write_option_head(w, TCP_OPT_SACK, SACK_HEAD_LEN + n * SACK_BLOCK_LEN);
	for (size_t i = 0; i < n; i++) {
		writer_u32(w, opts->sacks[i].left);
		writer_u32(w, opts->sacks[i].right);
	}
}

/* Writes options one by one. */
static int write_options(uint8_t buf[TCP_OPTIONS_MAX], const struct tcp_opts *opts)
{
	struct writer w = writer_of(buf, TCP_OPTIONS_MAX);
	if (opts->has_mss) {
		write_option_head(&w, TCP_OPT_MSS, MSS_LEN);
		writer_u16(&w, opts->mss);
	}
	if (opts->sack_permitted && opts->has_timestamps) {
		/* 2 bytes and 10: they end on 4 together, as others pack their SYNs. */
		writer_u8(&w, TCP_OPT_SACK_PERMITTED);
		writer_u8(&w, SACK_PERMITTED_LEN);
	} else if (opts->sack_permitted) {
		write_option_head(&w, TCP_OPT_SACK_PERMITTED, SACK_PERMITTED_LEN);
	}
	if (opts->has_timestamps) {
		write_option_head(&w, TCP_OPT_TIMESTAMPS, TIMESTAMPS_LEN);
		writer_u32(&w, opts->ts_val);
		writer_u32(&w, opts->ts_ecr);
	}
	if (opts->has_wscale) {
		write_option_head(&w, TCP_OPT_WSCALE, WSCALE_LEN);
		writer_u8(&w, opts->wscale);
	}
	if (opts->sacks_n > 0)
		write_sacks(&w, opts);
	return w.bad ? -ENOBUFS : (int)w.off;
}

int tcp_opts_emit(uint8_t buf[TCP_OPTIONS_MAX], const struct tcp_opts *opts)
{
	bool has_more = opts->has_mss || opts->has_wscale || opts->sack_permitted ||
			opts->sacks_n > 0;
	if (has_more || !opts->has_timestamps)
		return write_options(buf, opts);
	store_be32(buf, ALONE_HEAD);
	store_be32(buf + 4, opts->ts_val);
	store_be32(buf + 8, opts->ts_ecr);
	return (int)ALONE_LEN;
}
