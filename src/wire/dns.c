/* SPDX-License-Identifier: MIT */
/*
 * Headers, questions and records, one after the other.
 */
#include "wire/dns.h"

#include <errno.h>

#define FLAG_RESPONSE      0x8000u
#define FLAG_AUTHORITATIVE 0x0400u
#define FLAG_TRUNCATED     0x0200u
#define FLAG_RD            0x0100u
#define FLAG_RA            0x0080u
#define OPCODE_SHIFT       11u
#define NIBBLE             0xfu
#define TTL_MAX            0x7fffffffu
#define POINTER            0xc000u

int dns_hdr_parse(struct reader *r, struct dns_hdr *ret_hdr)
{
	struct dns_hdr hdr = { .id = reader_u16(r) };
	uint16_t flags = reader_u16(r);
	hdr.is_response = flags & FLAG_RESPONSE;
	hdr.opcode = (flags >> OPCODE_SHIFT) & NIBBLE;
	hdr.authoritative = flags & FLAG_AUTHORITATIVE;
	hdr.truncated = flags & FLAG_TRUNCATED;
	hdr.recursion_desired = flags & FLAG_RD;
	hdr.recursion_available = flags & FLAG_RA;
	hdr.rcode = flags & NIBBLE;
	hdr.questions_n = reader_u16(r);
	hdr.answers_n = reader_u16(r);
	hdr.authorities_n = reader_u16(r);
	hdr.additionals_n = reader_u16(r);
	if (r->bad)
		return -EBADMSG;
	*ret_hdr = hdr;
	return 0;
}

int dns_question_parse(struct reader *r, struct dns_question *ret_question)
{
	struct dns_question question;
	int result = dns_name_parse(r, &question.name);
	question.type = reader_u16(r);
	question.class = reader_u16(r);
	if (result < 0 || r->bad)
		return -EBADMSG;
	*ret_question = question;
	return 0;
}

int dns_record_parse(struct reader *r, struct dns_record *ret_record)
{
	struct dns_record record;
	int result = dns_name_parse(r, &record.name);
	record.type = reader_u16(r);
	record.class = reader_u16(r);
	record.ttl_s = reader_u32(r);
	uint16_t len = reader_u16(r);
	size_t begin = r->off;
	reader_skip(r, len);
	if (result < 0 || r->bad)
		return -EBADMSG;
	if (record.ttl_s > TTL_MAX)
		record.ttl_s = 0;
	record.data = reader_of(r->data, r->off);
	record.data.off = begin;
	*ret_record = record;
	return 0;
}

void dns_hdr_emit(struct writer *w, const struct dns_hdr *hdr)
{
	unsigned flags =
		(unsigned)(hdr->opcode & NIBBLE) << OPCODE_SHIFT | (hdr->rcode & NIBBLE);
	flags |= hdr->is_response ? FLAG_RESPONSE : 0;
	flags |= hdr->authoritative ? FLAG_AUTHORITATIVE : 0;
	flags |= hdr->truncated ? FLAG_TRUNCATED : 0;
	flags |= hdr->recursion_desired ? FLAG_RD : 0;
	flags |= hdr->recursion_available ? FLAG_RA : 0;
	writer_u16(w, hdr->id);
	writer_u16(w, (uint16_t)flags);
	writer_u16(w, hdr->questions_n);
	writer_u16(w, hdr->answers_n);
	writer_u16(w, hdr->authorities_n);
	writer_u16(w, hdr->additionals_n);
}

void dns_question_emit(struct writer *w, const struct dns_question *question)
{
	dns_name_emit(w, &question->name);
	writer_u16(w, question->type);
	writer_u16(w, question->class);
}

void dns_record_emit(struct writer *w, const struct dns_record *record, size_t data_len)
{
	if (record->name.len == 0)
		writer_u16(w, POINTER | DNS_HDR_LEN);
	else
		dns_name_emit(w, &record->name);
	writer_u16(w, record->type);
	writer_u16(w, record->class);
	writer_u32(w, record->ttl_s);
	writer_u16(w, (uint16_t)data_len);
}

/* RFC 6891, 6.1.2: owned by the root, and its class is the length. */
void dns_opt_emit(struct writer *w)
{
	const struct dns_record opt = { .name = { .len = 1 },
					.type = DNS_OPT,
					.class = DNS_UDP_LEN_MAX };
	dns_record_emit(w, &opt, 0);
}

int dns_query_emit(uint8_t *buf, size_t len, uint16_t id,
		   const struct dns_question *question, bool has_edns)
{
	const struct dns_hdr hdr = { .id = id,
				     .recursion_desired = true,
				     .questions_n = 1,
				     .additionals_n = has_edns };
	struct writer w = writer_of(buf, len);
	dns_hdr_emit(&w, &hdr);
	dns_question_emit(&w, question);
	if (has_edns)
		dns_opt_emit(&w);
	return w.bad ? -ENOBUFS : (int)w.off;
}
