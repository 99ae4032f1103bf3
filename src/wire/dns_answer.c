/* SPDX-License-Identifier: MIT */
/*
 * What an answer says to the question. Servers put a chain of aliases in order, but need not:
 * so the records are walked once for each name of the chain, which has a limit.
 */
#include "wire/dns.h"

#include <errno.h>
#include <string.h>

#define SOA_NUMBERS_LEN 16u /* Before the last of five: serial, refresh, retry, expire. */

/* Checks that it answers the query; leaves r behind the question. */
static int check_question(struct reader *r, uint16_t id, const struct dns_question *asked,
			  struct dns_hdr *ret_hdr)
{
	struct dns_question question;
	if (dns_hdr_parse(r, ret_hdr) < 0)
		return -EBADMSG;
	if (!ret_hdr->is_response || ret_hdr->opcode != 0 || ret_hdr->id != id)
		return -ENOMSG;
	/* A server that could make nothing of the query may not repeat it. */
	if (ret_hdr->questions_n == 0 && ret_hdr->rcode != DNS_NOERROR)
		return 0;
	if (ret_hdr->questions_n != 1)
		return -ENOMSG;
	if (dns_question_parse(r, &question) < 0)
		return -EBADMSG;
	return question.type == asked->type && question.class == asked->class &&
			       dns_name_equal(&question.name, &asked->name)
		       ? 0
		       : -ENOMSG;
}

/* Takes an address; false where the data have not its length. */
static bool take_address(struct dns_answer *a, const struct dns_record *record)
{
	struct reader data = record->data;
	struct weft_ip ip = { .family = record->type == DNS_A ? AF_INET : AF_INET6,
			      .prefix = record->type == DNS_A ? 32 : 128 };
	size_t n = record->type == DNS_A ? 4 : 16;
	if (reader_left(&data) != n)
		return false;
	reader_copy(&data, ip.octet, n);
	if (a->addresses_n < DNS_ADDRESSES_MAX)
		a->addresses[a->addresses_n++] = ip;
	return true;
}

static void shorten(struct dns_answer *a, uint32_t ttl_s)
{
	if (ttl_s < a->ttl_s)
		a->ttl_s = ttl_s;
}

/*
 * Walks the answers for records of a->name: addresses, or the name that it is an alias of.
 * Returns 1 and that name, 0 without an alias, or -EBADMSG.
 */
static int walk(struct reader r, unsigned n, uint16_t type, struct dns_answer *a,
		struct dns_name *ret_alias)
{
	struct dns_record record;
	int found = 0;
	for (; n > 0; n--) {
		if (dns_record_parse(&r, &record) < 0)
			return -EBADMSG;
		if (record.class != DNS_CLASS_IN ||
		    !dns_name_equal(&record.name, &a->name))
			continue;
		if (record.type == type) {
			if (!take_address(a, &record))
				return -EBADMSG;
			shorten(a, record.ttl_s);
		} else if (record.type == DNS_CNAME && found == 0) {
			if (dns_name_parse(&record.data, ret_alias) < 0)
				return -EBADMSG;
			shorten(a, record.ttl_s);
			found = 1;
		}
	}
	return a->addresses_n > 0 ? 0 : found;
}

/* RFC 2308, 5: what is not there is not there for the lesser of the SOA's two times. */
static void take_absence(struct reader r, const struct dns_hdr *hdr, struct dns_answer *a)
{
	struct dns_record record;
	struct dns_name skipped;
	a->ttl_s = 0;
	for (unsigned n = hdr->answers_n + hdr->authorities_n; n > 0; n--) {
		if (dns_record_parse(&r, &record) < 0)
			return;
		struct reader data = record.data;
		if (record.type != DNS_SOA || dns_name_parse(&data, &skipped) < 0 ||
		    dns_name_parse(&data, &skipped) < 0)
			continue;
		reader_skip(&data, SOA_NUMBERS_LEN);
		uint32_t minimum = reader_u32(&data);
		if (data.bad)
			continue;
		a->has_soa = true;
		a->ttl_s = minimum < record.ttl_s ? minimum : record.ttl_s;
	}
}

static int follow_aliases(struct reader r, const struct dns_hdr *hdr, uint16_t type,
			  struct dns_answer *a)
{
	int found = 1;
	while (found > 0) {
		struct dns_name alias;
		found = walk(r, hdr->answers_n, type, a, &alias);
		if (found <= 0)
			break;
		if (a->aliases_n++ == DNS_ALIASES_MAX)
			return -EBADMSG;
		a->name = alias;
	}
	return found;
}

int dns_answer_parse(const uint8_t *data, size_t len, uint16_t id,
		     const struct dns_question *question, struct dns_answer *ret_answer)
{
	struct reader r = reader_of(data, len);
	struct dns_answer answer = { .name = question->name, .ttl_s = UINT32_MAX };
	struct dns_hdr hdr;
	int result = check_question(&r, id, question, &hdr);
	if (result < 0)
		return result;
	answer.rcode = hdr.rcode;
	answer.truncated = hdr.truncated;
	if (!hdr.truncated)
		result = follow_aliases(r, &hdr, question->type, &answer);
	if (result < 0)
		return result;
	if (answer.addresses_n == 0)
		take_absence(r, &hdr, &answer);
	*ret_answer = answer;
	return 0;
}
