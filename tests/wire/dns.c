/* SPDX-License-Identifier: MIT */
/*
 * Names with their pointers, and answers: whole, cut at each byte, of somebody else, with
 * aliases in order, out of order and in circles.
 */
#include "wire/dns.h"

#include "../unit.h"
#include "base/array.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ID 0x1234u

static struct dns_name name_of(const char *text)
{
	struct dns_name name;
	assert_int_equal(dns_name_of_text(text, &name), 0);
	return name;
}

static void expect_text(const struct dns_name *name, const char *text)
{
	char buf[DNS_NAME_TEXT];
	assert_string_equal(dns_name_print(name, buf), text);
}

/* ---- names ------------------------------------------------------------------------------- */

static void names_are_texts_with_dots(void **state)
{
	struct dns_name name;
	char text[260];
	(void)state;
	name = name_of("AlicE.FridAZ.WEFT.");
	assert_int_equal(name.len, 19);
	expect_text(&name, "alice.fridaz.weft");
	name = name_of(".");
	expect_text(&name, ".");
	name = name_of("a b");
	expect_text(&name, "a\\032b");

	assert_int_equal(dns_name_of_text("", &name), -EINVAL);
	assert_int_equal(dns_name_of_text("a..b", &name), -EINVAL);
	assert_int_equal(dns_name_of_text(".a", &name), -EINVAL);
	/* 63 bytes are a label, 64 are none; 255 on the wire are a name, 256 are none. */
	(void)snprintf(text, sizeof(text), "%063d", 0);
	assert_int_equal(dns_name_of_text(text, &name), 0);
	(void)snprintf(text, sizeof(text), "%064d", 0);
	assert_int_equal(dns_name_of_text(text, &name), -EINVAL);
	(void)snprintf(text, sizeof(text), "%063d.%063d.%063d.%061d", 0, 0, 0, 0);
	assert_int_equal(dns_name_of_text(text, &name), 0);
	assert_int_equal(name.len, DNS_NAME_LEN_MAX);
	(void)snprintf(text, sizeof(text), "%063d.%063d.%063d.%062d", 0, 0, 0, 0);
	assert_int_equal(dns_name_of_text(text, &name), -EINVAL);
}

/* What goes into a file or a command line is plain, whole, and no longer than its buffer. */
static void plain_names_are_letters_and_dots(void **state)
{
	static const char *const odd[] = { ".", "a b", "a;b.weft", "$(x)" };
	struct dns_name name = name_of("al-1_c.weft");
	char text[12];
	(void)state;
	assert_true(dns_name_print_plain(&name, text, sizeof(text)));
	assert_string_equal(text, "al-1_c.weft");
	assert_false(dns_name_print_plain(&name, text, sizeof(text) - 1));
	assert_string_equal(text, "");
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		name = name_of(odd[i]);
		text[0] = 'x';
		assert_false(dns_name_print_plain(&name, text, sizeof(text)));
		assert_string_equal(text, "");
	}
	name.len = 0;
	assert_false(dns_name_print_plain(&name, text, sizeof(text)));
}

static void the_longest_name_can_be_printed(void **state)
{
	struct dns_name name = { .len = 0 };
	char buf[DNS_NAME_TEXT];
	(void)state;
	for (unsigned n = 63; name.len < 254;
	     n = 254u - name.len < 64 ? 253u - name.len : 63) {
		name.octet[name.len] = (uint8_t)n;
		memset(name.octet + name.len + 1, '*', n);
		name.len = (uint8_t)(name.len + 1 + n);
	}
	name.octet[name.len++] = 0;
	assert_int_equal(name.len, DNS_NAME_LEN_MAX);
	assert_int_equal(strlen(dns_name_print(&name, buf)), 4 * 250 + 3);
}

static void names_lie_in_zones(void **state)
{
	const struct dns_name alice = name_of("alice.friday.weft"),
			      weft = name_of("weft"), friday = name_of("FRIDAY.weft"),
			      day = name_of("day.weft"), root = name_of("."),
			      none = { .len = 0 };
	struct dns_name joined;
	(void)state;
	assert_true(dns_name_is_in(&alice, &friday));
	assert_true(dns_name_is_in(&alice, &weft));
	assert_true(dns_name_is_in(&alice, &root));
	assert_true(dns_name_is_in(&friday, &friday));
	assert_false(dns_name_is_in(&alice, &day));
	assert_false(dns_name_is_in(&weft, &friday));
	assert_false(dns_name_is_in(&alice, &none));
	const struct dns_name bob = name_of("bob");
	assert_int_equal(dns_name_join(&bob, &friday, &joined), 0);
	expect_text(&joined, "bob.friday.weft");
	assert_int_equal(dns_name_join(&bob, &root, &joined), 0);
	assert_true(dns_name_equal(&joined, &bob));
}

/* Parses at off of len bytes; returns where it ended, or the error. */
static int parse_at(const uint8_t *data, size_t len, size_t off,
		    struct dns_name *ret_name)
{
	struct reader r = reader_of(data, len);
	r.off = off;
	int result = dns_name_parse(&r, ret_name);
	assert_true(r.bad == (result < 0));
	return result < 0 ? result : (int)r.off;
}

static void pointers_lead_to_earlier_names(void **state)
{
	static const uint8_t data[] = { 4,    'w', 'E',  'f', 't', 0, /* 0: weft */
					1,    'a', 0xc0, 0,           /* 6: a.weft */
					1,    'b', 0xc0, 6,           /* 10: b.a.weft */
					0xc0, 10,                     /* 14: b.a.weft */
					0xc0, 16,                     /* 16: itself */
					1,    'c', 0xc0, 18,          /* 18: c.c.c ... */
					0xc0, 24,  0xc0, 22, /* 22, 24: each other */
					0x41, 'x', 0,        /* 26: no label type */
					3,    'a', 'b' };    /* 29: cut */
	struct dns_name name;
	(void)state;
	assert_int_equal(parse_at(data, sizeof(data), 6, &name), 10);
	expect_text(&name, "a.weft");
	assert_int_equal(parse_at(data, sizeof(data), 14, &name), 16);
	expect_text(&name, "b.a.weft");
	for (size_t off = 16; off < sizeof(data); off++) {
		bool is_good = off == 17 || off == 23 || off == 28;
		if (!is_good)
			assert_int_equal(parse_at(data, sizeof(data), off, &name),
					 -EBADMSG);
	}
	for (size_t len = 0; len < 6; len++)
		assert_int_equal(parse_at(data, len, 0, &name), -EBADMSG);
	/* Where there may be none, what stands behind it is not read either. */
	struct reader r = reader_of(data, sizeof(data));
	assert_int_equal(dns_name_parse_whole(&r, &name), 0);
	assert_int_equal(dns_name_parse_whole(&r, &name), -EBADMSG);
	assert_true(r.bad);
}

/* Pieces of one label each, of which each points to the one before. */
static void a_chain_of_pointers_is_as_long_as_a_name_at_most(void **state)
{
	uint8_t data[1024] = { 1, 'a', 0 };
	struct dns_name name;
	size_t at = 3, before = 0;
	unsigned labels = 1;
	(void)state;
	for (; at + 4 < sizeof(data); at += 4, labels++) {
		data[at] = 1;
		data[at + 1] = 'a';
		data[at + 2] = (uint8_t)(0xc0 | before >> 8);
		data[at + 3] = (uint8_t)before;
		before = at;
		int r = parse_at(data, sizeof(data), at, &name);
		if (labels + 1 <= 127)
			assert_int_equal(r, (int)at + 4);
		else
			assert_int_equal(r, -EBADMSG);
	}
	assert_true(labels > 130);
}

/* ---- messages ---------------------------------------------------------------------------- */

static void queries_say_what_is_asked(void **state)
{
	const struct dns_question asked = { .name = name_of("weft.example"),
					    .type = DNS_AAAA,
					    .class = DNS_CLASS_IN };
	uint8_t buf[DNS_QUERY_LEN_MAX];
	struct dns_question question;
	struct dns_record opt;
	struct dns_hdr hdr;
	(void)state;
	int n = dns_query_emit(buf, sizeof(buf), ID, &asked, true);
	assert_int_equal(n, 12 + 14 + 4 + 11);
	struct reader r = reader_of(buf, (size_t)n);
	assert_int_equal(dns_hdr_parse(&r, &hdr), 0);
	assert_int_equal(hdr.id, ID);
	assert_true(hdr.recursion_desired && !hdr.is_response && hdr.opcode == 0);
	assert_int_equal(hdr.questions_n, 1);
	assert_int_equal(hdr.additionals_n, 1);
	assert_int_equal(dns_question_parse(&r, &question), 0);
	assert_true(dns_name_equal(&question.name, &asked.name));
	assert_int_equal(question.type, DNS_AAAA);
	assert_int_equal(dns_record_parse(&r, &opt), 0);
	assert_int_equal(opt.type, DNS_OPT);
	assert_int_equal(opt.class, DNS_UDP_LEN_MAX);
	assert_int_equal(opt.name.len, 1);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(dns_query_emit(buf, sizeof(buf), ID, &asked, false), n - 11);
	assert_int_equal(dns_query_emit(buf, (size_t)n - 1, ID, &asked, true), -ENOBUFS);
}

/* Each flag is one bit of its own (RFC 1035, 4.1.1). */
static void flags_stand_alone(void **state)
{
	static const struct {
		struct dns_hdr hdr;
		uint16_t flags;
	} rows[] = {
		{ { .is_response = true }, 0x8000 },
		{ { .opcode = 15 }, 0x7800 },
		{ { .authoritative = true }, 0x0400 },
		{ { .truncated = true }, 0x0200 },
		{ { .recursion_desired = true }, 0x100 },
		{ { .recursion_available = true }, 0x80 },
		{ { .rcode = 15 }, 0x000f },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[DNS_HDR_LEN] = { 0 };
		struct writer w = writer_of(buf, sizeof(buf));
		dns_hdr_emit(&w, &rows[i].hdr);
		assert_int_equal(load_be16(buf + 2), rows[i].flags);
		struct reader r = reader_of(buf, sizeof(buf));
		struct dns_hdr back;
		assert_int_equal(dns_hdr_parse(&r, &back), 0);
		w = writer_of(buf, sizeof(buf));
		dns_hdr_emit(&w, &back);
		assert_int_equal(load_be16(buf + 2), rows[i].flags);
	}
}

static void a_negative_time_to_live_is_none(void **state)
{
	static const uint8_t data[] = { 0, 0, 1, 0, 1, 0x80, 0, 0, 0, 0, 0 };
	struct reader r = reader_of(data, sizeof(data));
	struct dns_record record;
	(void)state;
	assert_int_equal(dns_record_parse(&r, &record), 0);
	assert_int_equal(record.ttl_s, 0);
}

/* ---- answers ----------------------------------------------------------------------------- */

struct message {
	uint8_t data[2048];
	struct writer w;
	struct dns_question question;
	struct dns_hdr hdr;
};

static void begin(struct message *m, const char *name, uint16_t type, uint8_t rcode)
{
	memset(m, 0, sizeof(*m));
	m->w = writer_of(m->data, sizeof(m->data));
	m->question = (struct dns_question){ .name = name_of(name),
					     .type = type,
					     .class = DNS_CLASS_IN };
	m->hdr = (struct dns_hdr){
		.id = ID, .is_response = true, .rcode = rcode, .questions_n = 1
	};
	dns_hdr_emit(&m->w, &m->hdr);
	dns_question_emit(&m->w, &m->question);
}

static void put_header(struct message *m)
{
	struct writer w = writer_of(m->data, DNS_HDR_LEN);
	dns_hdr_emit(&w, &m->hdr);
}

static void add(struct message *m, const char *name, uint16_t type, uint32_t ttl_s,
		const void *data, size_t len)
{
	const struct dns_record record = {
		.name = name_of(name), .type = type, .class = DNS_CLASS_IN, .ttl_s = ttl_s
	};
	dns_record_emit(&m->w, &record, len);
	writer_bytes(&m->w, data, len);
	m->hdr.answers_n++;
	put_header(m);
}

static void add_a(struct message *m, const char *name, uint32_t ttl_s, uint8_t last)
{
	const uint8_t ip[4] = { 192, 0, 2, last };
	add(m, name, DNS_A, ttl_s, ip, sizeof(ip));
}

static void add_alias(struct message *m, const char *name, const char *target)
{
	const struct dns_name to = name_of(target);
	add(m, name, DNS_CNAME, 60, to.octet, to.len);
}

static int parse(const struct message *m, struct dns_answer *ret_answer)
{
	return dns_answer_parse(m->data, m->w.off, ID, &m->question, ret_answer);
}

static void an_answer_has_addresses(void **state)
{
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "weft.example", DNS_A, DNS_NOERROR);
	add_a(&m, "WEFT.example", 300, 1);
	add_a(&m, "weft.example", 200, 2);
	add_a(&m, "other.example", 1, 3);
	assert_int_equal(parse(&m, &a), 0);
	assert_int_equal(a.addresses_n, 2);
	assert_int_equal(a.addresses[1].octet[3], 2);
	assert_int_equal(a.addresses[1].prefix, 32);
	assert_int_equal(a.ttl_s, 200);
	assert_int_equal(a.aliases_n, 0);
	/* Every beginning ends too early. */
	for (size_t len = 0; len < m.w.off; len++)
		assert_int_equal(dns_answer_parse(m.data, len, ID, &m.question, &a),
				 -EBADMSG);
}

static void an_answer_is_to_the_question(void **state)
{
	struct dns_question other;
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "weft.example", DNS_A, DNS_NOERROR);
	add_a(&m, "weft.example", 300, 1);
	assert_int_equal(dns_answer_parse(m.data, m.w.off, ID + 1, &m.question, &a),
			 -ENOMSG);
	other = m.question;
	other.type = DNS_AAAA;
	assert_int_equal(dns_answer_parse(m.data, m.w.off, ID, &other, &a), -ENOMSG);
	other = m.question;
	other.name = name_of("left.example");
	assert_int_equal(dns_answer_parse(m.data, m.w.off, ID, &other, &a), -ENOMSG);
	m.hdr.is_response = false;
	put_header(&m);
	assert_int_equal(parse(&m, &a), -ENOMSG);
	m.hdr.is_response = true;
	m.hdr.opcode = 5;
	put_header(&m);
	assert_int_equal(parse(&m, &a), -ENOMSG);
}

/* In any order; records that nothing leads to do not count. */
static void aliases_lead_to_addresses(void **state)
{
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "www.example", DNS_A, DNS_NOERROR);
	add_a(&m, "host.example", 300, 9);
	add_a(&m, "evil.example", 300, 66);
	add_alias(&m, "cdn.example", "host.example");
	add_alias(&m, "www.example", "cdn.example");
	assert_int_equal(parse(&m, &a), 0);
	assert_int_equal(a.aliases_n, 2);
	assert_int_equal(a.addresses_n, 1);
	assert_int_equal(a.addresses[0].octet[3], 9);
	assert_int_equal(a.ttl_s, 60);
	expect_text(&a.name, "host.example");
}

static void an_alias_may_lead_out_of_the_answer(void **state)
{
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "www.example", DNS_AAAA, DNS_NOERROR);
	add_alias(&m, "www.example", "far.example");
	assert_int_equal(parse(&m, &a), 0);
	assert_int_equal(a.addresses_n, 0);
	assert_int_equal(a.aliases_n, 1);
	expect_text(&a.name, "far.example");
}

static void aliases_have_an_end(void **state)
{
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "a.example", DNS_A, DNS_NOERROR);
	add_alias(&m, "a.example", "b.example");
	add_alias(&m, "b.example", "a.example");
	assert_int_equal(parse(&m, &a), -EBADMSG);

	for (unsigned n = DNS_ALIASES_MAX; n <= DNS_ALIASES_MAX + 1; n++) {
		char from[32], to[32];
		begin(&m, "0.example", DNS_A, DNS_NOERROR);
		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(from, sizeof(from), "%u.example", i);
			(void)snprintf(to, sizeof(to), "%u.example", i + 1);
			add_alias(&m, from, to);
		}
		assert_int_equal(parse(&m, &a), n <= DNS_ALIASES_MAX ? 0 : -EBADMSG);
	}
}

static void an_absence_lasts_as_long_as_its_zone_says(void **state)
{
	static const uint8_t numbers[20] = { [19] = 77 };
	const struct dns_name names[] = { name_of("ns.example"),
					  name_of("root.example") };
	uint8_t soa[64];
	struct writer w = writer_of(soa, sizeof(soa));
	struct message m;
	struct dns_answer a;
	(void)state;
	dns_name_emit(&w, &names[0]);
	dns_name_emit(&w, &names[1]);
	writer_bytes(&w, numbers, sizeof(numbers));
	begin(&m, "none.example", DNS_A, DNS_NXDOMAIN);
	add(&m, "example", DNS_SOA, 900, soa, w.off);
	m.hdr.answers_n = 0;
	m.hdr.authorities_n = 1;
	put_header(&m);
	assert_int_equal(parse(&m, &a), 0);
	assert_int_equal(a.rcode, DNS_NXDOMAIN);
	assert_int_equal(a.ttl_s, 77);
	begin(&m, "none.example", DNS_A, DNS_NXDOMAIN);
	add(&m, "example", DNS_SOA, 900, soa, w.off - 1); /* cut: it says nothing */
	m.hdr.answers_n = 0;
	m.hdr.authorities_n = 1;
	put_header(&m);
	assert_int_equal(parse(&m, &a), 0);
	assert_false(a.has_soa);
	assert_int_equal(a.ttl_s, 0);
	begin(&m, "none.example", DNS_A, DNS_NXDOMAIN);
	assert_int_equal(parse(&m, &a), 0);
	assert_int_equal(a.ttl_s, 0);
}

static void what_is_too_long_says_so(void **state)
{
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "weft.example", DNS_A, DNS_NOERROR);
	m.hdr.truncated = true;
	m.hdr.answers_n = 9; /* which are not all there */
	put_header(&m);
	assert_int_equal(parse(&m, &a), 0);
	assert_true(a.truncated);
}

/* A server that knows no EDNS may say no more than that. */
static void a_refusal_needs_no_question(void **state)
{
	static const uint8_t data[] = { 0x12, 0x34, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
	const struct dns_question asked = { .name = name_of("weft.example"),
					    .type = DNS_A,
					    .class = DNS_CLASS_IN };
	struct dns_answer a;
	(void)state;
	assert_int_equal(dns_answer_parse(data, sizeof(data), ID, &asked, &a), 0);
	assert_int_equal(a.rcode, DNS_FORMERR);
}

static void an_address_has_its_length(void **state)
{
	struct message m;
	struct dns_answer a;
	(void)state;
	begin(&m, "weft.example", DNS_A, DNS_NOERROR);
	add(&m, "weft.example", DNS_A, 60, "abcde", 5);
	assert_int_equal(parse(&m, &a), -EBADMSG);
	begin(&m, "weft.example", DNS_A, DNS_NOERROR);
	for (unsigned i = 0; i < 40; i++)
		add_a(&m, "weft.example", 60, (uint8_t)i);
	assert_int_equal(parse(&m, &a), 0);
	assert_int_equal(a.addresses_n, DNS_ADDRESSES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_texts_with_dots),
		cmocka_unit_test(plain_names_are_letters_and_dots),
		cmocka_unit_test(the_longest_name_can_be_printed),
		cmocka_unit_test(names_lie_in_zones),
		cmocka_unit_test(pointers_lead_to_earlier_names),
		cmocka_unit_test(a_chain_of_pointers_is_as_long_as_a_name_at_most),
		cmocka_unit_test(queries_say_what_is_asked),
		cmocka_unit_test(flags_stand_alone),
		cmocka_unit_test(a_negative_time_to_live_is_none),
		cmocka_unit_test(an_answer_has_addresses),
		cmocka_unit_test(an_answer_is_to_the_question),
		cmocka_unit_test(aliases_lead_to_addresses),
		cmocka_unit_test(an_alias_may_lead_out_of_the_answer),
		cmocka_unit_test(aliases_have_an_end),
		cmocka_unit_test(an_absence_lasts_as_long_as_its_zone_says),
		cmocka_unit_test(what_is_too_long_says_so),
		cmocka_unit_test(a_refusal_needs_no_question),
		cmocka_unit_test(an_address_has_its_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
