/* SPDX-License-Identifier: MIT */
/*
 * What a name server says. An answer is read to the question that it repeats, so that each
 * input gets past that gate; a name that is read is written and read again as it was.
 */
#include "wire/dns.h"

#include "check.h"

#include <string.h>

static void check_name(const struct dns_name *name)
{
	uint8_t buf[DNS_NAME_LEN_MAX];
	char text[DNS_NAME_TEXT];
	struct dns_name again;
	struct writer w = writer_of(buf, sizeof(buf));
	dns_name_emit(&w, name);
	CHECK(!w.bad && name->len > 0);
	struct reader r = reader_of(buf, w.off);
	CHECK(dns_name_parse(&r, &again) == 0 && reader_left(&r) == 0);
	CHECK(dns_name_equal(name, &again) && dns_name_is_in(name, &again));
	CHECK(strlen(dns_name_print(name, text)) < sizeof(text));
	if (!strchr(text, '\\'))
		CHECK(dns_name_of_text(text, &again) == 0 &&
		      dns_name_equal(name, &again));
}

static void check_answer(const uint8_t *data, size_t len, uint16_t id,
			 const struct dns_question *question)
{
	struct dns_answer answer;
	if (dns_answer_parse(data, len, id, question, &answer) < 0)
		return;
	CHECK(answer.addresses_n <= DNS_ADDRESSES_MAX);
	CHECK(answer.aliases_n <= DNS_ALIASES_MAX);
	CHECK(answer.ttl_s <= INT32_MAX);
	check_name(&answer.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	struct dns_question question = { .name = { .len = 1 } };
	struct dns_record record;
	struct dns_hdr hdr;
	if (dns_hdr_parse(&r, &hdr) < 0)
		return 0;
	if (dns_question_parse(&r, &question) == 0)
		check_name(&question.name);
	check_answer(data, size, hdr.id, &question);
	while (dns_record_parse(&r, &record) == 0) {
		CHECK(reader_left(&record.data) <= size);
		check_name(&record.name);
	}
	return 0;
}
