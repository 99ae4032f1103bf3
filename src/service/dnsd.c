/* SPDX-License-Identifier: MIT */
/*
 * The question is answered within the call that brings it, from what the room knows then; so
 * there is nothing to keep, and nothing that grows.
 */
#include "service/dnsd.h"

#include "service/udp_frame.h"
#include "wire/compose.h"
#include "wire/dns.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members come and go, and nobody is bothered by a question. */
#define TTL_S       10u
#define CLASS_ANY   255u
#define ADDRESS_LEN 4u
#define SOA_SERIAL  1u

struct dnsd {
	struct dnsd_opts opts;
	struct dns_name domain;
	struct dns_name reverse; /* of the network: z.y.x.in-addr.arpa */
	uint64_t counts[DNSD_OUTCOMES];
};

const char *dnsd_outcome_name(enum dnsd_outcome outcome)
{
	static const char *const names[] = {
		[DNSD_NOT_DNS] = "not-dns",
		[DNSD_ANSWERED] = "answered",
		[DNSD_NO_NAME] = "no-name",
		[DNSD_REFUSED] = "refused",
		[DNSD_DROP_MALFORMED] = "drop-malformed",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == DNSD_OUTCOMES,
		      "each outcome has a name");
	return (unsigned)outcome < DNSD_OUTCOMES ? names[outcome] : "unknown";
}

uint64_t dnsd_count(const struct dnsd *d, enum dnsd_outcome outcome)
{
	return (unsigned)outcome < DNSD_OUTCOMES ? d->counts[outcome] : 0;
}

/* RFC 1035, 3.5: the octets from the last to the first. */
static int reverse_domain(uint32_t network, struct dns_name *ret_name)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "%u.%u.%u.in-addr.arpa", network >> 8 & 0xff,
		       network >> 16 & 0xff, network >> 24);
	return dns_name_of_text(text, ret_name);
}

int dnsd_new(const struct dnsd_opts *opts, struct dnsd **ret_dnsd)
{
	struct dnsd *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->opts = *opts;
	d->opts.domain = NULL;
	if (dns_name_of_text(opts->domain, &d->domain) < 0 ||
	    reverse_domain(opts->address, &d->reverse) < 0) {
		free(d);
		return -EINVAL;
	}
	*ret_dnsd = d;
	return 0;
}

void dnsd_free(struct dnsd *d)
{
	free(d);
}

/* ---- answers ----------------------------------------------------------------------------- */

/* What is being answered, and with what. */
struct exchange {
	struct dns_hdr query;
	struct dns_question question;
	bool has_edns;
	struct dns_hdr reply;
	struct writer w;
};

static void add_answer(struct exchange *x, uint16_t type, const void *data, size_t len)
{
	const struct dns_record record = { .type = type,
					   .class = DNS_CLASS_IN,
					   .ttl_s = TTL_S };
	dns_record_emit(&x->w, &record, len);
	writer_bytes(&x->w, data, len);
	x->reply.answers_n++;
}

/* RFC 2308: for how long what is not there may be taken as not there. */
static enum dnsd_outcome say_none(const struct dnsd *d, struct exchange *x,
				  const struct dns_name *zone, uint8_t rcode)
{
	const struct dns_record soa = {
		.name = *zone, .type = DNS_SOA, .class = DNS_CLASS_IN, .ttl_s = TTL_S
	};
	static const uint32_t times[] = { SOA_SERIAL, TTL_S, TTL_S, TTL_S, TTL_S };
	size_t len = (size_t)2 * d->domain.len + sizeof(times);
	x->reply.rcode = rcode;
	x->reply.authorities_n = 1;
	dns_record_emit(&x->w, &soa, len);
	dns_name_emit(&x->w, &d->domain); /* the server, and who is responsible */
	dns_name_emit(&x->w, &d->domain);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		writer_u32(&x->w, times[i]);
	return DNSD_NO_NAME;
}

/* The labels in front of a domain that the name is in, as text. */
static const char *print_inside(const struct dns_name *name,
				const struct dns_name *domain, char buf[DNS_NAME_TEXT])
{
	struct dns_name inside = *name;
	inside.len = (uint8_t)(name->len - domain->len + 1);
	inside.octet[inside.len - 1] = 0;
	return dns_name_print(&inside, buf);
}

static enum dnsd_outcome answer_forward(const struct dnsd *d, struct exchange *x)
{
	uint32_t addresses[DNSD_ADDRESSES_MAX];
	const struct dns_question *q = &x->question;
	char name[DNS_NAME_TEXT];
	uint8_t data[ADDRESS_LEN];
	if (dns_name_equal(&q->name, &d->domain))
		return say_none(d, x, &d->domain, DNS_NOERROR);
	size_t n = d->opts.find(d->opts.user, print_inside(&q->name, &d->domain, name),
				addresses);
	if (n == 0)
		return say_none(d, x, &d->domain, DNS_NXDOMAIN);
	if (q->type != DNS_A && q->type != DNS_ANY)
		return say_none(d, x, &d->domain, DNS_NOERROR);
	for (size_t i = 0; i < n && i < DNSD_ADDRESSES_MAX; i++) {
		store_be32(data, addresses[i]);
		add_answer(x, DNS_A, data, sizeof(data));
	}
	return DNSD_ANSWERED;
}

/* The host number of "7" in front of the reverse domain; 0 for what is none. */
static unsigned host_of(const struct dnsd *d, const struct dns_name *name)
{
	char buf[DNS_NAME_TEXT];
	const char *text = print_inside(name, &d->reverse, buf);
	const unsigned long host = strtoul(text, NULL, 10);
	const bool is_number = text[strspn(text, "0123456789")] == '\0' && text[0] != '0';
	return is_number && host < 255 ? (unsigned)host : 0;
}

static enum dnsd_outcome answer_reverse(const struct dnsd *d, struct exchange *x)
{
	uint32_t network = d->opts.address & 0xffffff00u;
	unsigned host = host_of(d, &x->question.name);
	struct dns_name name, full;
	char text[DNSD_NAME_TEXT];
	if (dns_name_equal(&x->question.name, &d->reverse))
		return say_none(d, x, &d->reverse, DNS_NOERROR);
	if (host == 0 || !d->opts.name_of(d->opts.user, network | host, text) ||
	    dns_name_of_text(text, &name) < 0 ||
	    dns_name_join(&name, &d->domain, &full) < 0)
		return say_none(d, x, &d->reverse, DNS_NXDOMAIN);
	if (x->question.type != DNS_PTR && x->question.type != DNS_ANY)
		return say_none(d, x, &d->reverse, DNS_NOERROR);
	add_answer(x, DNS_PTR, full.octet, full.len);
	return DNSD_ANSWERED;
}

static enum dnsd_outcome answer(const struct dnsd *d, struct exchange *x)
{
	const struct dns_question *q = &x->question;
	bool is_ours = q->class == DNS_CLASS_IN || q->class == CLASS_ANY;
	x->reply.authoritative = true;
	if (is_ours && dns_name_is_in(&q->name, &d->domain))
		return answer_forward(d, x);
	if (is_ours && dns_name_is_in(&q->name, &d->reverse))
		return answer_reverse(d, x);
	x->reply.authoritative = false;
	x->reply.rcode = DNS_REFUSED;
	return DNSD_REFUSED;
}

/* ---- messages ---------------------------------------------------------------------------- */

/* RFC 6891, 6.1.1: an OPT record is answered by one. */
static bool has_opt(struct reader r, unsigned records)
{
	struct dns_record record;
	while (records-- > 0 && dns_record_parse(&r, &record) == 0)
		if (record.type == DNS_OPT)
			return true;
	return false;
}

static int read_query(struct reader r, struct exchange *x)
{
	if (dns_hdr_parse(&r, &x->query) < 0 || x->query.is_response)
		return -EBADMSG;
	if (x->query.questions_n != 1 || x->query.opcode != 0)
		return 0;
	if (dns_question_parse(&r, &x->question) < 0)
		return -EBADMSG;
	x->has_edns = has_opt(r, (unsigned)x->query.answers_n + x->query.authorities_n +
					 x->query.additionals_n);
	return 0;
}

/* Writes the answer to a query that has been read. */
static enum dnsd_outcome write_reply(const struct dnsd *d, struct exchange *x,
				     uint8_t *buf, size_t len)
{
	enum dnsd_outcome outcome = DNSD_REFUSED;
	x->w = writer_of(buf, x->has_edns ? len : DNS_UDP_LEN_OLD);
	x->reply = (struct dns_hdr){ .id = x->query.id,
				     .is_response = true,
				     .opcode = x->query.opcode,
				     .recursion_desired = x->query.recursion_desired };
	dns_hdr_emit(&x->w, &x->reply);
	if (x->question.name.len > 0) {
		x->reply.questions_n = 1;
		dns_question_emit(&x->w, &x->question);
		outcome = answer(d, x);
	} else {
		x->reply.rcode = x->query.opcode ? DNS_NOTIMP : DNS_FORMERR;
	}
	if (x->has_edns) {
		x->reply.additionals_n = 1;
		dns_opt_emit(&x->w);
	}
	struct writer head = writer_of(buf, DNS_HDR_LEN);
	dns_hdr_emit(&head, &x->reply);
	return x->w.bad ? DNSD_DROP_MALFORMED : outcome;
}

static size_t compose_reply(const struct dnsd *d, const struct udp_path *path,
			    const uint8_t *message, size_t len,
			    uint8_t reply[DNSD_FRAME_LEN_MAX])
{
	struct compose c = { .is_ether = true,
			     .dst_mac = path->src_mac,
			     .src_mac = d->opts.mac,
			     .src = { .family = AF_INET, .prefix = 32 },
			     .dst = { .family = AF_INET, .prefix = 32 },
			     .sport = DNS_PORT,
			     .dport = path->sport };
	store_be32(c.src.octet, path->dst);
	store_be32(c.dst.octet, path->src);
	int n = compose_udp(&c, message, len, reply, DNSD_FRAME_LEN_MAX);
	return n > 0 ? (size_t)n : 0;
}

size_t dnsd_input(struct dnsd *d, const struct weft_frame *frame,
		  uint8_t reply[DNSD_FRAME_LEN_MAX])
{
	uint8_t message[DNS_UDP_LEN_MAX];
	struct exchange x = { .has_edns = false };
	struct reader payload;
	struct udp_path path;
	int r = udp_frame_parse(frame, DNS_PORT, &path, &payload);
	if (r == -ENOMSG || (r == 0 && path.dst != d->opts.address)) {
		d->counts[DNSD_NOT_DNS]++;
		return 0;
	}
	enum dnsd_outcome outcome = DNSD_DROP_MALFORMED;
	if (r == 0 && read_query(payload, &x) == 0)
		outcome = write_reply(d, &x, message, sizeof(message));
	d->counts[outcome]++;
	if (outcome == DNSD_DROP_MALFORMED)
		return 0;
	return compose_reply(d, &path, message, x.w.off, reply);
}
