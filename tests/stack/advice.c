/* SPDX-License-Identifier: MIT */
/*
 * What routers say about names (RFC 8106): who is believed, for how long, and that a program
 * hears of changes and of nothing else.
 */
#include "base/time.h"
#include "wire/nd_names.h"
#include "world.h"

#define ROUTER  "fe80::1"
#define SERVER  "2001:db8::53"
#define FOREVER UINT32_MAX

struct advised_world {
	struct world w;
	unsigned told_n;
	uint64_t told_at;
	struct weft_advice advice; /* as of the last time */
	struct nd_msg msg;
	struct nd_names names;
};

static void told(void *user, uint64_t now)
{
	struct advised_world *a = user;
	a->told_n++;
	a->told_at = now;
	weft_iface_advice(a->w.iface, &a->advice);
}

static void begin(struct advised_world *a, const struct world_opts *opts)
{
	*a = (struct advised_world){ .msg = { .type = ICMP6_ROUTER_ADVERT,
					      .lifetime_s = 1800 } };
	world_init(&a->w, opts);
	weft_iface_on_advice(a->w.iface, told, a);
}

static void add_server(struct advised_world *a, const char *server, uint32_t lifetime_s)
{
	const struct ip_addr its = addr(server);
	a->names.servers[a->names.servers_n++] =
		(struct nd_server){ addr_to_ip6(&its), lifetime_s };
}

static void add_domain(struct advised_world *a, const char *domain, uint32_t lifetime_s)
{
	struct nd_domain *added = &a->names.domains[a->names.domains_n++];
	added->lifetime_s = lifetime_s;
	assert_int_equal(dns_name_of_text(domain, &added->name), 0);
}

/* Sends the advertisement with the names, and begins with none anew. */
static enum weft_stack_outcome advertise(struct advised_world *a, const char *src)
{
	uint8_t bytes[2048];
	const struct packet p = {
		.src = src,
		.dst = "ff02::1",
		.proto = IPPROTO_ICMPV6,
		.csum_offset = ICMP_OFF_CSUM,
		.ttl = 255,
	};
	int n = nd_msg_emit(bytes, sizeof(bytes), &a->msg);
	assert_true(n > 0);
	int more = nd_names_emit(bytes + n, sizeof(bytes) - (size_t)n, &a->names);
	assert_true(more >= 0);
	a->names = (struct nd_names){ .servers_n = 0 };
	return rx_packet(&a->w, &p, bytes, (size_t)n + (size_t)more);
}

static void assert_servers(const struct advised_world *a, const char *want)
{
	char said[512] = "";
	size_t at = 0;
	for (unsigned i = 0; i < a->advice.dns.servers_n; i++)
		at += (size_t)snprintf(said + at, sizeof(said) - at, "%s%s", i ? " " : "",
				       text(&a->advice.dns.servers[i]));
	assert_string_equal(said, want);
}

static void assert_search(const struct advised_world *a, const char *want)
{
	char said[2048] = "";
	size_t at = 0;
	for (unsigned i = 0; i < a->advice.dns.search_n; i++)
		at += (size_t)snprintf(said + at, sizeof(said) - at, "%s%s", i ? " " : "",
				       a->advice.dns.search[i]);
	assert_string_equal(said, want);
}

static void servers_and_domains_are_told_of(void **state)
{
	struct advised_world a;
	(void)state;
	begin(&a, NULL);
	weft_iface_advice(a.w.iface, &a.advice);
	assert_servers(&a, "");
	add_server(&a, SERVER, 600);
	add_server(&a, "fe80::53", 600);
	add_domain(&a, "LAN.example", 600);
	assert_outcome(advertise(&a, ROUTER), NOTED);
	assert_int_equal(a.told_n, 1);
	assert_servers(&a, SERVER " fe80::53");
	assert_search(&a, "lan.example");
	assert_false(a.advice.has_dhcp6);
	world_fini(&a.w);
}

static void what_is_said_again_is_no_news(void **state)
{
	struct advised_world a;
	(void)state;
	begin(&a, NULL);
	for (unsigned i = 0; i < 5; i++) {
		add_server(&a, SERVER, 600);
		add_domain(&a, "lan.example", 600);
		assert_outcome(advertise(&a, ROUTER), NOTED);
		assert_int_equal(a.told_n, 1);
		world_pass(&a.w, 500 * NS_PER_S);
	}
	world_fini(&a.w);
}

static void each_ends_with_its_lifetime(void **state)
{
	struct advised_world a;
	(void)state;
	begin(&a, NULL);
	const uint64_t begun = a.w.now;
	add_server(&a, SERVER, 600);
	add_server(&a, "2001:db8::54", 900);
	add_server(&a, "2001:db8::55", FOREVER);
	add_domain(&a, "lan.example", 900);
	assert_outcome(advertise(&a, ROUTER), NOTED);
	world_pass(&a.w, 599 * NS_PER_S);
	assert_int_equal(a.told_n, 1);
	world_pass(&a.w, 2 * NS_PER_S);
	assert_int_equal(a.told_n, 2);
	assert_true(a.told_at >= begun + 600 * NS_PER_S);
	assert_servers(&a, "2001:db8::54 2001:db8::55");
	world_pass(&a.w, 300 * NS_PER_S);
	assert_int_equal(a.told_n, 3);
	assert_servers(&a, "2001:db8::55");
	assert_search(&a, "");
	world_pass(&a.w, 1000000 * NS_PER_S);
	assert_int_equal(a.told_n, 3);
	world_fini(&a.w);
}

static void a_lifetime_of_zero_takes_back(void **state)
{
	struct advised_world a;
	(void)state;
	begin(&a, NULL);
	add_server(&a, SERVER, FOREVER);
	add_domain(&a, "lan.example", FOREVER);
	assert_outcome(advertise(&a, ROUTER), NOTED);
	add_server(&a, SERVER, 0);
	add_domain(&a, "lan.example", 0);
	assert_outcome(advertise(&a, ROUTER), NOTED);
	assert_int_equal(a.told_n, 2);
	assert_servers(&a, "");
	assert_search(&a, "");
	/* What was never said needs not be taken back. */
	add_server(&a, SERVER, 0);
	assert_outcome(advertise(&a, ROUTER), NOTED);
	assert_int_equal(a.told_n, 2);
	world_fini(&a.w);
}

/* RFC 8106, 6.1: what is new comes in place of what would have ended first. */
static void a_flood_has_limits(void **state)
{
	struct advised_world a;
	(void)state;
	begin(&a, NULL);
	for (unsigned i = 0; i < 500; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "2001:db8::%x", i + 1);
		add_server(&a, name, i == 100 ? FOREVER : 600 + i);
		(void)snprintf(name, sizeof(name), "lan%u.example", i);
		add_domain(&a, name, 600);
		assert_outcome(advertise(&a, ROUTER), NOTED);
	}
	assert_int_equal(a.advice.dns.servers_n, WEFT_DNS_SERVERS_MAX);
	assert_int_equal(a.advice.dns.search_n, WEFT_DNS_SEARCH_MAX);
	assert_string_equal(text(&a.advice.dns.servers[0]), "2001:db8::65");
	assert_string_equal(text(&a.advice.dns.servers[7]), "2001:db8::1f4");
	world_fini(&a.w);
}

static void what_can_be_no_server_is_passed_over(void **state)
{
	struct advised_world a;
	(void)state;
	begin(&a, NULL);
	add_server(&a, "::", 600);
	add_server(&a, "::1", 600);
	add_server(&a, "ff02::1", 600);
	add_server(&a, "10.1.0.1", 600);
	add_domain(&a, "lan\nnameserver 10.6.6.6", 600);
	assert_outcome(advertise(&a, ROUTER), NOTED);
	assert_int_equal(a.told_n, 0);
	/* Not from somebody who is not link-local, nor for who wants nothing of routers. */
	add_server(&a, SERVER, 600);
	assert_outcome(advertise(&a, "2001:db8::1"), DROP_ND);
	assert_int_equal(a.told_n, 0);
	world_fini(&a.w);
	begin(&a, &(const struct world_opts){ .iface = { .no_slaac = true } });
	add_server(&a, SERVER, 600);
	assert_outcome(advertise(&a, ROUTER), IGNORED);
	assert_int_equal(a.told_n, 0);
	world_fini(&a.w);
}

/* RFC 4861, 4.2: M says more than O, and includes it. */
static void a_dhcp_server_is_told_of_once(void **state)
{
	struct advised_world a;
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&a, NULL);
		assert_outcome(advertise(&a, ROUTER), NOTED);
		assert_int_equal(a.told_n, 0);
		a.msg.other_config = i == 0;
		a.msg.managed = i == 1;
		assert_outcome(advertise(&a, ROUTER), NOTED);
		assert_int_equal(a.told_n, 1);
		assert_outcome(advertise(&a, ROUTER), NOTED);
		assert_int_equal(a.told_n, 1);
		assert_true(a.advice.has_dhcp6);
		world_fini(&a.w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_and_domains_are_told_of),
		cmocka_unit_test(what_is_said_again_is_no_news),
		cmocka_unit_test(each_ends_with_its_lifetime),
		cmocka_unit_test(a_lifetime_of_zero_takes_back),
		cmocka_unit_test(a_flood_has_limits),
		cmocka_unit_test(what_can_be_no_server_is_passed_over),
		cmocka_unit_test(a_dhcp_server_is_told_of_once),
	};
	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
