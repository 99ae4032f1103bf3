/* SPDX-License-Identifier: MIT */
/*
 * The options of RFC 8106. Their reserved half word stands where that of the others stands, so
 * that the lifetime is aligned; names are filled up with zeros to whole units of 8 bytes.
 */
#include "wire/nd_names.h"

#include <errno.h>

#define ADVERT_LEN 16u /* In front of the options (RFC 4861, 4.2). */
#define UNIT_LEN   8u

enum { OPTION_SERVERS = 25, OPTION_DOMAINS = 31 };

/* Each takes what stands behind the reserved bytes. */

static void read_servers(struct reader *r, struct nd_names *names)
{
	const uint32_t lifetime_s = reader_u32(r);
	if (r->bad || reader_left(r) % IP6_ADDR_LEN != 0)
		return;
	while (reader_left(r) > 0 && names->servers_n < ND_SERVERS_MAX) {
		struct nd_server *server = &names->servers[names->servers_n++];
		server->lifetime_s = lifetime_s;
		reader_copy(r, server->addr.octet, sizeof(server->addr.octet));
	}
}

static void read_domains(struct reader *r, struct nd_names *names)
{
	struct nd_domain domain = { .lifetime_s = reader_u32(r) };
	const uint8_t before = names->domains_n;
	while (reader_left(r) > 0 && names->domains_n < ND_DOMAINS_MAX) {
		if (dns_name_parse_whole(r, &domain.name) < 0) {
			names->domains_n = before;
			return;
		}
		if (domain.name.len == 1)
			return; /* The root is what the rest is filled up with. */
		names->domains[names->domains_n++] = domain;
	}
}

int nd_names_parse(const uint8_t *data, size_t len, struct nd_names *ret_names)
{
	struct reader r = reader_of(data, len);
	struct nd_names names = { .servers_n = 0 };
	struct nd_option option;
	reader_skip(&r, ADVERT_LEN);
	while (nd_option_next(&r, &option)) {
		reader_skip(&option.value, 2);
		if (option.type == OPTION_SERVERS)
			read_servers(&option.value, &names);
		else if (option.type == OPTION_DOMAINS)
			read_domains(&option.value, &names);
	}
	if (r.bad)
		return -EBADMSG;
	*ret_names = names;
	return 0;
}

static void write_head(struct writer *w, uint8_t type, size_t body_len,
		       uint32_t lifetime_s)
{
	writer_u8(w, type);
	writer_u8(w, (uint8_t)(1 + (body_len + UNIT_LEN - 1) / UNIT_LEN));
	writer_u16(w, 0);
	writer_u32(w, lifetime_s);
}

int nd_names_emit(uint8_t *buf, size_t len, const struct nd_names *names)
{
	struct writer w = writer_of(buf, len);
	if (names->servers_n > ND_SERVERS_MAX || names->domains_n > ND_DOMAINS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < names->servers_n; i++) {
		const struct nd_server *server = &names->servers[i];
		write_head(&w, OPTION_SERVERS, IP6_ADDR_LEN, server->lifetime_s);
		writer_bytes(&w, server->addr.octet, IP6_ADDR_LEN);
	}
	for (unsigned i = 0; i < names->domains_n; i++) {
		const struct nd_domain *domain = &names->domains[i];
		const size_t name_len = domain->name.len;
		write_head(&w, OPTION_DOMAINS, name_len, domain->lifetime_s);
		dns_name_emit(&w, &domain->name);
		writer_fill(&w, 0, (UNIT_LEN - name_len % UNIT_LEN) % UNIT_LEN);
	}
	return w.bad ? -ENOBUFS : (int)w.off;
}
