/* SPDX-License-Identifier: MIT */
/*
 * Rules as a table of questions, and rules by chance beside a model that reads the selectors'
 * texts for each question anew.
 */
#include "tunnel/acl.h"

#include "../unit.h"
#include "base/rng.h"
#include "site.h"
#include "tunnel/selection.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct prefix address(const char *text)
{
	struct weft_ip ip;
	struct prefix p;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	assert_int_equal(prefix_of(&ip, &p), 0);
	return p;
}

struct ask {
	uint32_t from, to;
	const char *src, *dst;
	int protocol, port;
};

static unsigned line_of(const struct acl *acl, const struct ask *ask)
{
	const struct acl_question q = { .from = ask->from,
					.to = ask->to,
					.src = address(ask->src),
					.dst = address(ask->dst),
					.protocol = ask->protocol,
					.port = ask->port };
	const struct weft_tunnel_acl_rule *rule = acl_match(acl, &q);
	return rule ? rule->line : 0;
}

/* ---- a table ----------------------------------------------------------------------------- */

#define SELF   PARTY_SELF
#define NOBODY PARTY_NOBODY

static void the_first_rule_that_fits_allows(void **state)
{
	static struct site s;
	static const struct {
		unsigned line;
		struct ask ask;
	} table[] = {
		/* Tags, names and globs speak of parties. */
		{ 1, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 80 } },
		{ 1, { 0, 1, "192.168.9.9", "10.0.0.3", IPPROTO_TCP, 80 } },
		{ 0, { 1, 0, "10.0.0.3", "10.0.0.2", IPPROTO_TCP, 80 } },
		{ 0, { NOBODY, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 80 } },
		{ 0, { SELF, 1, "10.0.0.1", "10.0.0.3", IPPROTO_TCP, 80 } },
		/* Ports. */
		{ 1, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 8000 } },
		{ 1, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 8100 } },
		{ 0, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 8101 } },
		{ 0, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 7999 } },
		{ 0, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, ACL_NONE } },
		{ 1, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, ACL_ANY } },
		{ 1, { 0, 1, "10.0.0.2", "10.0.0.3", ACL_ANY, ACL_ANY } },
		/* Protocols. */
		{ 0, { 0, 1, "10.0.0.2", "10.0.0.3", IPPROTO_UDP, 80 } },
		{ 2, { 1, SELF, "10.0.0.3", "10.0.0.1", IPPROTO_ICMP, ACL_NONE } },
		{ 2, { 1, SELF, "fd00::3", "fd00::1", IPPROTO_ICMPV6, ACL_NONE } },
		{ 0, { 1, SELF, "10.0.0.3", "10.0.0.1", IPPROTO_UDP, 53 } },
		/* Networks speak of addresses, of whomever. */
		{ 3, { NOBODY, NOBODY, "10.9.0.1", "8.8.8.8", IPPROTO_UDP, 1 } },
		{ 3, { 2, 0, "10.9.255.255", "2.2.2.2", IPPROTO_ESP, ACL_NONE } },
		{ 0, { 2, 0, "10.10.0.0", "2.2.2.2", IPPROTO_ESP, ACL_NONE } },
		{ 4, { SELF, 2, "fd00::1", "fd00:0:0:1::", IPPROTO_UDP, 5 } },
		{ 0, { SELF, 2, "fd00::1", "fd00:0:0:2::", IPPROTO_UDP, 5 } },
		{ 0, { 2, 2, "fd00::1", "fd00:0:0:1::", IPPROTO_UDP, 5 } },
		{ 0, { SELF, 2, "10.0.0.1", "0.0.0.1", IPPROTO_UDP, 5 } },
	};
	struct acl *acl;
	(void)state;
	site_init(&s, "10.0.0.1/24");
	site_client(&s, "berlin", "office eu", "10.0.0.2", "");
	site_client(&s, "shop-1", "shop", "10.0.0.3", "");
	site_client(&s, "other", "", "10.0.0.4", "");
	site_rule(&s, "off*", "shop-?", IPPROTO_TCP, "80 8000-8100");
	site_rule(&s, "*", WEFT_TUNNEL_SELF, IPPROTO_ICMP, "");
	site_rule(&s, "nobody 10.9.0.0/16", "0.0.0.0/0", 0, "");
	site_rule(&s, WEFT_TUNNEL_SELF, "fd00:0:0:1::/64", 0, "");
	assert_int_equal(acl_new(&s.conf, &acl), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const unsigned line = line_of(acl, &table[i].ask);
		if (line != table[i].line)
			fail_msg("row %zu: line %u, not %u", i, line, table[i].line);
	}
	acl_free(acl);
	acl_free(NULL);
}

static void no_rules_allow_nothing(void **state)
{
	static struct site s;
	static const struct ask ask = { SELF, 0, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 1 };
	struct acl *acl;
	(void)state;
	site_init(&s, "10.0.0.1/24");
	site_client(&s, "a", "", "10.0.0.2", "");
	assert_int_equal(acl_new(&s.conf, &acl), 0);
	assert_int_equal(line_of(acl, &ask), 0);
	acl_free(acl);
}

/* ---- by chance --------------------------------------------------------------------------- */

static const char *const selectors[] = {
	"a",           "b",           "odd",         "even",           "*",         "o*",
	"10.0.0.0/24", "10.0.0.0/25", "10.0.0.2/32", WEFT_TUNNEL_SELF, "fd00::/16",
};
static const char *const addresses[] = { "10.0.0.1", "10.0.0.2", "10.0.0.130",
					 "10.0.1.1", "fd00::1",  "fe00::1" };

/* What a selector speaks of, without a word of the code under test. */
static bool model_selects(const char *selector, uint32_t party, const char *addr)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	const bool is_client = party < 4;
	struct weft_ip net, ip;
	if (strcmp(selector, WEFT_TUNNEL_SELF) == 0)
		return party == SELF;
	if (weft_ip_parse(selector, &net) < 0) {
		const char *tag = party % 2 ? "odd" : "even";
		return is_client &&
		       (strcmp(selector, "*") == 0 || strcmp(selector, tag) == 0 ||
			strcmp(selector, names[party]) == 0 ||
			(strcmp(selector, "o*") == 0 && party % 2));
	}
	assert_int_equal(weft_ip_parse(addr, &ip), 0);
	if (net.family != ip.family)
		return false;
	for (unsigned bit = 0; bit < net.prefix; bit++)
		if ((net.octet[bit / 8] ^ ip.octet[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool model_holds(const struct weft_tunnel_selectors *list, uint32_t party,
			const char *addr)
{
	for (size_t i = 0; i < list->n; i++)
		if (model_selects(list->items[i], party, addr))
			return true;
	return false;
}

static unsigned model_line(const struct site *s, const struct ask *ask)
{
	for (size_t i = 0; i < s->conf.acl_n; i++) {
		const struct weft_tunnel_acl_rule *rule = &s->rules[i];
		const bool has_port =
			rule->ports_n == 0 || (ask->port >= rule->ports[0].first &&
					       ask->port <= rule->ports[0].last);
		if ((rule->protocol == 0 || rule->protocol == ask->protocol) &&
		    has_port && model_holds(&rule->from, ask->from, ask->src) &&
		    model_holds(&rule->to, ask->to, ask->dst))
			return rule->line;
	}
	return 0;
}

static const char *some_of(struct rng *rng, const char *const *items, size_t n)
{
	return items[rng_below(rng, n)];
}

static void make_rules(struct site *s, struct rng *rng)
{
	static const char *const tags[] = { "even", "odd", "even", "odd" };
	static const char *const names[] = { "a", "b", "c", "d" };
	static const char *const ports[] = { "", "5", "4-6" };
	char from[64], to[64];
	const size_t n = sizeof(selectors) / sizeof(selectors[0]);
	site_init(s, "10.0.0.1/24");
	for (size_t i = 0; i < 4; i++)
		site_client(s, names[i], tags[i], "", "");
	for (uint64_t i = rng_below(rng, 5); i > 0; i--) {
		(void)snprintf(from, sizeof(from), "%s %s", some_of(rng, selectors, n),
			       some_of(rng, selectors, n));
		(void)snprintf(to, sizeof(to), "%s", some_of(rng, selectors, n));
		site_rule(s, from, to, rng_below(rng, 2) ? IPPROTO_TCP : 0,
			  some_of(rng, ports, 3));
	}
}

static uint32_t some_party(struct rng *rng)
{
	const uint64_t n = rng_below(rng, 6);
	return n < 4 ? (uint32_t)n : n == 4 ? SELF : NOBODY;
}

static void it_does_as_the_model(void **state)
{
	static struct site s;
	struct rng rng;
	size_t allowed = 0, denied = 0;
	(void)state;
	rng_init(&rng, test_seed());
	for (unsigned i = 0; i < 300; i++) {
		struct acl *acl;
		make_rules(&s, &rng);
		assert_int_equal(acl_new(&s.conf, &acl), 0);
		for (unsigned k = 0; k < 50; k++) {
			const struct ask ask = {
				.from = some_party(&rng),
				.to = some_party(&rng),
				.src = some_of(&rng, addresses, 6),
				.dst = some_of(&rng, addresses, 6),
				.protocol =
					rng_below(&rng, 2) ? IPPROTO_TCP : IPPROTO_UDP,
				.port = (int)(3 + rng_below(&rng, 5)),
			};
			const unsigned line = line_of(acl, &ask);
			assert_int_equal(line, model_line(&s, &ask));
			allowed += line > 0;
			denied += line == 0;
		}
		acl_free(acl);
	}
	assert_true(allowed > 1000 && denied > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_fits_allows),
		cmocka_unit_test(no_rules_allow_nothing),
		cmocka_unit_test(it_does_as_the_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
