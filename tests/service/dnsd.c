/* SPDX-License-Identifier: MIT */
/*
 * The name server of a room: who is known by name and by address, what is not there, what is
 * not its to say, and what is no question.
 */
#include "service/dnsd.h"

#include "../unit.h"
#include "service/udp_frame.h"
#include "wire/compose.h"
#include "wire/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NETWORK 0x64400700u /* 100.64.7.0 */
#define SERVER  0x644007feu
#define MANY    8u

static const struct weft_mac server_mac = { { 2, 0xff, 0, 0, 0, 1 } };
static const struct weft_mac client_mac = { { 2, 0, 0, 0, 0, 7 } };

struct scene {
	struct dnsd *dnsd;
	uint8_t message[DNS_UDP_LEN_MAX]; /* the last answer */
	size_t len;                       /* 0: none */
	struct dns_hdr hdr;
};

/* Alice is there once, bob twice, and many as often as can be. */
static size_t find(void *user, const char *name, uint32_t ret[DNSD_ADDRESSES_MAX])
{
	(void)user;
	size_t n = strcmp(name, "alice") == 0       ? 1
		   : strcmp(name, "my.laptop") == 0 ? 2
		   : strncmp(name, "many", 4) == 0  ? MANY
						    : 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = NETWORK | (uint32_t)(2 + i);
	return n;
}

static bool name_of(void *user, uint32_t address, char ret_name[DNSD_NAME_TEXT])
{
	(void)user;
	if (address == (NETWORK | 2))
		memcpy(ret_name, "alice", sizeof("alice"));
	return address == (NETWORK | 2);
}

static void begin(struct scene *s)
{
	const struct dnsd_opts opts = { .mac = server_mac,
					.address = SERVER,
					.domain = "Friday.weft",
					.find = find,
					.name_of = name_of };
	*s = (struct scene){ .len = 0 };
	assert_int_equal(dnsd_new(&opts, &s->dnsd), 0);
}

/* Sends a message to an address; reads the answer. */
static void rx_to(struct scene *s, uint32_t dst, const uint8_t *data, size_t len)
{
	struct compose c = { .is_ether = true,
			     .dst_mac = server_mac,
			     .src_mac = client_mac,
			     .src = { .family = AF_INET, .octet = { 100, 64, 7, 9 } },
			     .dst = { .family = AF_INET },
			     .sport = 5353,
			     .dport = DNS_PORT };
	uint8_t buf[1500], answer[DNSD_FRAME_LEN_MAX];
	struct reader payload;
	struct udp_path path;
	store_be32(c.dst.octet, dst);
	int n = compose_udp(&c, data, len, buf, sizeof(buf));
	assert_true(n > 0);
	const struct weft_frame frame = { .data = buf, .len = (uint32_t)n };
	s->len = dnsd_input(s->dnsd, &frame, answer);
	if (s->len == 0)
		return;
	const struct weft_frame back = { .data = answer, .len = (uint32_t)s->len };
	assert_int_equal(udp_frame_parse(&back, 5353, &path, &payload), 0);
	assert_int_equal(path.src, SERVER);
	assert_int_equal(path.dst, NETWORK | 9);
	assert_int_equal(path.sport, DNS_PORT);
	assert_memory_equal(&path.src_mac, &server_mac, sizeof(server_mac));
	assert_memory_equal(&path.dst_mac, &client_mac, sizeof(client_mac));
	s->len = payload.len;
	memcpy(s->message, payload.data, payload.len);
	struct reader r = payload;
	assert_int_equal(dns_hdr_parse(&r, &s->hdr), 0);
	assert_true(s->hdr.is_response);
}

static struct dns_question question(const char *name, uint16_t type)
{
	struct dns_question q = { .type = type, .class = DNS_CLASS_IN };
	assert_int_equal(dns_name_of_text(name, &q.name), 0);
	return q;
}

/* Asks; the answer's rcode. */
static unsigned ask(struct scene *s, const char *name, uint16_t type, bool has_edns)
{
	const struct dns_question q = question(name, type);
	uint8_t buf[DNS_QUERY_LEN_MAX];
	int n = dns_query_emit(buf, sizeof(buf), 77, &q, has_edns);
	assert_true(n > 0);
	rx_to(s, SERVER, buf, (size_t)n);
	assert_true(s->len > 0);
	assert_int_equal(s->hdr.id, 77);
	assert_int_equal(s->hdr.additionals_n, has_edns);
	return s->hdr.rcode;
}

/* What a resolver makes of the last answer. */
static struct dns_answer answer_to(const struct scene *s, const char *name, uint16_t type)
{
	const struct dns_question q = question(name, type);
	struct dns_answer a;
	assert_int_equal(dns_answer_parse(s->message, s->len, 77, &q, &a), 0);
	return a;
}

static void members_have_addresses(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_int_equal(ask(&s, "ALICE.friday.weft", DNS_A, true), DNS_NOERROR);
	assert_true(s.hdr.authoritative);
	struct dns_answer a = answer_to(&s, "alice.friday.weft", DNS_A);
	assert_int_equal(a.addresses_n, 1);
	assert_int_equal(load_be32(a.addresses[0].octet), NETWORK | 2);
	assert_int_equal(a.ttl_s, 10);
	assert_int_equal(ask(&s, "my.laptop.friday.weft", DNS_A, false), DNS_NOERROR);
	a = answer_to(&s, "my.laptop.friday.weft", DNS_A);
	assert_int_equal(a.addresses_n, 2);
	assert_int_equal(dnsd_count(s.dnsd, DNSD_ANSWERED), 2);
	dnsd_free(s.dnsd);
}

static void what_is_not_there_is_not_there_for_a_while(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		unsigned rcode;
	} cases[] = {
		{ "carol.friday.weft", DNS_A, DNS_NXDOMAIN },
		{ "alice.friday.weft", DNS_AAAA, DNS_NOERROR },
		{ "friday.weft", DNS_A, DNS_NOERROR },
	};
	struct scene s;
	(void)state;
	begin(&s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ask(&s, cases[i].name, cases[i].type, true),
				 cases[i].rcode);
		const struct dns_answer a = answer_to(&s, cases[i].name, cases[i].type);
		assert_int_equal(a.addresses_n, 0);
		assert_true(a.has_soa);
		assert_int_equal(a.ttl_s, 10);
		assert_int_equal(s.hdr.answers_n, 0);
		assert_int_equal(s.hdr.authorities_n, 1);
	}
	assert_int_equal(dnsd_count(s.dnsd, DNSD_NO_NAME), 3);
	dnsd_free(s.dnsd);
}

static void addresses_have_names(void **state)
{
	const struct dns_question q = question("2.7.64.100.in-addr.arpa", DNS_PTR);
	struct dns_question again;
	struct dns_record record;
	struct dns_name name;
	struct dns_hdr hdr;
	struct scene s;
	char text[DNS_NAME_TEXT];
	(void)state;
	begin(&s);
	assert_int_equal(ask(&s, "2.7.64.100.in-addr.arpa", DNS_PTR, false), DNS_NOERROR);
	struct reader r = reader_of(s.message, s.len);
	assert_int_equal(dns_hdr_parse(&r, &hdr), 0);
	assert_int_equal(dns_question_parse(&r, &again), 0);
	assert_int_equal(dns_record_parse(&r, &record), 0);
	assert_true(dns_name_equal(&record.name, &q.name));
	assert_int_equal(record.type, DNS_PTR);
	assert_int_equal(dns_name_parse(&record.data, &name), 0);
	assert_string_equal(dns_name_print(&name, text), "alice.friday.weft");
	assert_int_equal(ask(&s, "3.7.64.100.in-addr.arpa", DNS_PTR, false),
			 DNS_NXDOMAIN);
	assert_int_equal(ask(&s, "x.7.64.100.in-addr.arpa", DNS_PTR, false),
			 DNS_NXDOMAIN);
	assert_int_equal(ask(&s, "2.7.64.100.in-addr.arpa", DNS_A, false), DNS_NOERROR);
	dnsd_free(s.dnsd);
}

/* Each address has one name here, and what is above them is there as well. */
static void only_numbers_of_hosts_are_addresses(void **state)
{
	static const char *const none[] = { "258", "255", "0",  "02",
					    "+2",  "2.2", "2x", "18446744073709551618" };
	struct scene s;
	char name[64];
	(void)state;
	begin(&s);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s.7.64.100.in-addr.arpa", none[i]);
		assert_int_equal(ask(&s, name, DNS_PTR, false), DNS_NXDOMAIN);
	}
	assert_int_equal(ask(&s, "7.64.100.in-addr.arpa", DNS_PTR, false), DNS_NOERROR);
	dnsd_free(s.dnsd);
}

/* So that who has the Internet, too, asks there. */
static void other_names_are_not_its_to_say(void **state)
{
	struct scene s;
	(void)state;
	begin(&s);
	assert_int_equal(ask(&s, "example.com", DNS_A, true), DNS_REFUSED);
	assert_false(s.hdr.authoritative);
	assert_int_equal(ask(&s, "saturday.weft", DNS_A, true), DNS_REFUSED);
	assert_int_equal(ask(&s, "2.8.64.100.in-addr.arpa", DNS_PTR, true), DNS_REFUSED);
	assert_int_equal(ask(&s, ".", DNS_ANY, true), DNS_REFUSED);
	assert_int_equal(dnsd_count(s.dnsd, DNSD_REFUSED), 4);
	dnsd_free(s.dnsd);
}

/* 512 bytes hold as many members as are told of, whatever their names. */
static void an_answer_without_edns_is_short(void **state)
{
	char name[256] = "many";
	struct scene s;
	(void)state;
	begin(&s);
	memset(name + 4, 'x', 59);
	memcpy(name + 63, ".friday.weft", sizeof(".friday.weft"));
	assert_int_equal(ask(&s, name, DNS_A, false), DNS_NOERROR);
	assert_true(s.len <= DNS_UDP_LEN_OLD);
	assert_int_equal(answer_to(&s, name, DNS_A).addresses_n, MANY);
	dnsd_free(s.dnsd);
}

static void what_is_no_question_is_refused_or_dropped(void **state)
{
	const struct dns_question q = question("alice.friday.weft", DNS_A);
	uint8_t buf[DNS_QUERY_LEN_MAX];
	struct scene s;
	(void)state;
	begin(&s);
	int n = dns_query_emit(buf, sizeof(buf), 77, &q, true);
	assert_true(n > 0);
	/* Every beginning of a query; a header alone says that there is a question. */
	for (size_t len = 0; len < (size_t)n - DNS_OPT_LEN; len++) {
		rx_to(&s, SERVER, buf, len);
		assert_int_equal(s.len, 0);
	}
	assert_int_equal(dnsd_count(s.dnsd, DNSD_DROP_MALFORMED),
			 (size_t)n - DNS_OPT_LEN);
	rx_to(&s, SERVER - 1, buf, (size_t)n);
	assert_int_equal(s.len, 0);
	assert_int_equal(dnsd_count(s.dnsd, DNSD_NOT_DNS), 1);
	buf[2] |= 0x28; /* an update */
	rx_to(&s, SERVER, buf, (size_t)n);
	assert_int_equal(s.hdr.rcode, DNS_NOTIMP);
	buf[2] = 0;
	buf[5] = 2; /* questions */
	rx_to(&s, SERVER, buf, (size_t)n);
	assert_int_equal(s.hdr.rcode, DNS_FORMERR);
	/* An answer is not answered, or two servers could go on for ever. */
	buf[2] = 0x80;
	buf[5] = 1;
	rx_to(&s, SERVER, buf, (size_t)n);
	assert_int_equal(s.len, 0);
	dnsd_free(s.dnsd);
}

static void a_domain_is_needed(void **state)
{
	const struct dnsd_opts opts = { .domain = "no..domain" };
	struct dnsd *dnsd;
	(void)state;
	assert_int_equal(dnsd_new(&opts, &dnsd), -EINVAL);
	assert_string_equal(dnsd_outcome_name(DNSD_NO_NAME), "no-name");
	assert_string_equal(dnsd_outcome_name(DNSD_OUTCOMES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_have_addresses),
		cmocka_unit_test(what_is_not_there_is_not_there_for_a_while),
		cmocka_unit_test(addresses_have_names),
		cmocka_unit_test(only_numbers_of_hosts_are_addresses),
		cmocka_unit_test(other_names_are_not_its_to_say),
		cmocka_unit_test(an_answer_without_edns_is_short),
		cmocka_unit_test(what_is_no_question_is_refused_or_dropped),
		cmocka_unit_test(a_domain_is_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
