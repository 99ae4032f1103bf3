/* SPDX-License-Identifier: MIT */
/*
 * How many clients and networks a server can have. The texts are too long to be written out, so
 * each item stands on a line of its own.
 */
#include "expect.h"

#include <stdarg.h>
#include <stdlib.h>

static char text[WEFT_TUNNEL_CONFIG_LEN_MAX + 1];
static size_t text_n;

static void WEFT_PRINTF(1, 2) add(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text + text_n, sizeof(text) - text_n, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(text) - text_n);
	text_n += (size_t)n;
}

static void begin(const char *keys)
{
	text_n = 0;
	add("[{\"name\":\"t0\",\"port\":80,%s,\n", keys);
}

/* Reads what was added, with one fault or none (NULL). */
static void expect_of_it(const char *fault)
{
	add("}]");
	weft_tunnel_config_free(read_with(text, (const char *const[]){ fault, NULL }));
}

/* The first client stands in line 2. */
static void add_clients(unsigned n, bool has_ip)
{
	add("\"clients\":[");
	for (unsigned i = 0; i < n; i++) {
		add("%s{\"token\":\"%040x\",\"name\":\"c%u\"", i ? ",\n" : "", i, i);
		if (has_ip)
			add(",\"ip\":\"10.1.%u.%u\"", (i + 2) >> 8, (i + 2) & 255);
		add("}");
	}
	add("]");
}

static void so_many_clients(void **state)
{
	(void)state;
	begin("\"net\":\"10.1.0.1/16\"");
	add_clients(4095, true);
	expect_of_it(NULL);
	begin("\"net\":\"10.1.0.1/16\"");
	add_clients(4097, true);
	expect_of_it(
		"4097:1 error [0].clients[4095]: found 4097 clients; a server with mode "
		"\"ip\" has at most 4095: from here on they need another server");
	begin("\"mode\":\"ethernet\"");
	add_clients(1023, false);
	expect_of_it(NULL);
	begin("\"mode\":\"ethernet\"");
	add_clients(1024, false);
	expect_of_it(
		"1025:1 error [0].clients[1023]: found 1024 clients; a server with mode "
		"\"ethernet\" has at most 1023");
}

/* So many addresses, each as a network, from a.0.0.0 on. */
static void add_networks(const char *key, unsigned a, unsigned n)
{
	add(",\"%s\":[", key);
	for (unsigned i = 0; i < n; i++)
		add("%s\"%u.%u.%u.%u/32\"", i ? "," : "", a, i >> 16, i >> 8 & 255,
		    i & 255);
	add("]");
}

/* Of two clients, each with an address. */
static void begin_two(const char *key, unsigned first, unsigned second)
{
	begin("\"net\":\"10.1.0.1/24\"");
	add("\"clients\":[{\"token\":\"%040x\",\"ip\":\"10.1.0.2\"", 1);
	add_networks(key, 1, first);
	add("},\n{\"token\":\"%040x\",\"ip\":\"10.1.0.3\"", 2);
	add_networks(key, 2, second);
	add("}]");
}

static void so_many_networks(void **state)
{
	(void)state;
	begin_two("routes", 32767, 32767);
	expect_of_it(NULL);
	begin_two("routes", 32767, 32768);
	expect_of_it(
		"3:1 error [0].clients[1]: up to this client there are 65537 addresses "
		"and routes; a server has at most 65536: from here on they need "
		"another server, or larger networks");
	begin_two("sources", 32768, 32769);
	expect_of_it(
		"3:1 error [0].clients[1]: up to this client there are 65537 sources");
}

/* The shortest that there are so many of. */
static void begin_with_routes(unsigned n)
{
	begin("\"net\":\"10.1.0.1/24\"");
	add_clients(1, true);
	add(",\n\"routes\":[");
	for (unsigned i = 0; i < n; i++)
		add("%s\"2::%x:0/112\"", i ? "," : "", i);
	add("]");
}

static void so_many_routes_of_the_server(void **state)
{
	(void)state;
	begin_with_routes(65535);
	expect_of_it(NULL);
	begin_with_routes(65536);
	expect_of_it(
		"3:10 error [0].routes: found 65536 routes; with its own addresses a "
		"server has at most 65536 networks: write larger ones");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_clients),
		cmocka_unit_test(so_many_networks),
		cmocka_unit_test(so_many_routes_of_the_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
