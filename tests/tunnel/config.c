/* SPDX-License-Identifier: MIT */
/*
 * Configurations: that the original's are taken unchanged and mean what they meant, and for
 * each thing that can be wrong, that it is told where it stands.
 *
 * A fault is expected as "LINE:COLUMN error|warning PATH: part of the text".
 */
#include "../unit.h"

#include <weft/tunnel.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEAD_LEN 128u

/* ---- expecting --------------------------------------------------------------------------- */

struct expected {
	const char *const *faults; /* Ends with NULL. */
	size_t seen;
};

static void expect_fault(void *user, const struct weft_tunnel_fault *fault)
{
	struct expected *expected = user;
	const char *want = expected->faults[expected->seen];
	char head[HEAD_LEN];
	(void)snprintf(head, sizeof(head), "%u:%u %s %s: ", fault->line, fault->column,
		       fault->is_warning ? "warning" : "error", fault->path);
	if (!want)
		fail_msg("one too many: %s%s", head, fault->text);
	size_t len = strlen(head);
	if (strncmp(want, head, len) != 0 || !strstr(fault->text, want + len))
		fail_msg("want \"%s\", got \"%s%s\"", want, head, fault->text);
	expected->seen++;
}

/* Reads text, which must have these faults and no others. */
static struct weft_tunnel_config *read_with(const char *text, const char *const *faults)
{
	struct expected expected = { .faults = faults };
	struct weft_tunnel_config *config = NULL;
	bool is_wrong = false;
	for (size_t i = 0; faults[i]; i++)
		is_wrong |= strstr(faults[i], " error ") != NULL;
	int r = weft_tunnel_config_parse(text, strlen(text), expect_fault, &expected,
					 &config);
	if (faults[expected.seen])
		fail_msg("not told: \"%s\"", faults[expected.seen]);
	assert_int_equal(r, is_wrong ? -EINVAL : 0);
	assert_true(is_wrong == (config == NULL));
	return config;
}

/* clang-format off */
#define EXPECT(text, ...) \
	weft_tunnel_config_free(read_with(text, (const char *const[]){ __VA_ARGS__ }))
/* clang-format on */

/* ---- what the original takes ------------------------------------------------------------- */

#define TEST "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3" /* The hash of "test", */
#define FOO  "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33" /* and of "foo". */

static const char every_field[] =
	"[\n"
	"  {\n"
	"    \"name\": \"tun0\",\n"
	"    \"port\": 8080,\n"
	"    \"net\": \"10.50.10.1/24\",\n"
	"    \"mtu\": 1500,\n"
	"    \"mark\": { \"value\": 100, \"table\": 100 },\n"
	"    \"ips\": [ \"10.60.0.1/16\" ],\n"
	"    \"routes\": [ \"192.168.0.0/24\" ],\n"
	"    \"clients\": [\n"
	"      { \"token\": \"" TEST "\", \"ip\": \"10.50.10.2\",\n"
	"        \"routes\": [ \"192.168.7.0/24\", \"172.16.0.0/12\" ],\n"
	"        \"sources\": [ \"10.50.10.3/32\" ] },\n"
	"      { \"token\": \"" FOO "\", \"ip\": \"10.50.10.3\" }\n"
	"    ]\n"
	"  },\n"
	"  {\n"
	"    \"name\": \"tun1\",\n"
	"    \"server\": \"https://tunnel.example.org/path\",\n"
	"    \"token\": \"test\",\n"
	"    \"mark\": { \"value\": 0, \"table\": 0 }\n"
	"  }\n"
	"]\n";

static void assert_ip(const struct weft_ip *ip, const char *want)
{
	char text[WEFT_IP_TEXT];
	assert_string_equal(weft_ip_print(ip, text), want);
}

static void takes_every_field_of_a_server(void **state)
{
	(void)state;
	struct weft_tunnel_config *config =
		read_with(every_field, (const char *const[]){ NULL });
	assert_int_equal(config->interfaces_n, 2);
	const struct weft_tunnel_interface *server = &config->interfaces[0];
	assert_string_equal(server->name, "tun0");
	assert_true(server->is_server);
	assert_int_equal(server->line, 2);
	assert_int_equal(server->port, 8080);
	assert_int_equal(server->mtu, 1500);
	assert_int_equal(server->mark.value, 100);
	assert_int_equal(server->mark.table, 100);
	assert_ip(&server->net, "10.50.10.1/24");
	assert_int_equal(server->ips_n, 1);
	assert_ip(&server->ips[0], "10.60.0.1/16");
	assert_int_equal(server->routes_n, 1);
	assert_ip(&server->routes[0], "192.168.0.0/24");
	assert_int_equal(server->clients_n, 2);
	const struct weft_tunnel_client *client = &server->clients[0];
	assert_string_equal(client->token, TEST);
	assert_string_equal(client->name, "10.50.10.2");
	assert_int_equal(client->ips_n, 1);
	assert_ip(&client->ips[0], "10.50.10.2");
	assert_int_equal(client->routes_n, 2);
	assert_ip(&client->routes[1], "172.16.0.0/12");
	assert_int_equal(client->sources_n, 1);
	assert_ip(&client->sources[0], "10.50.10.3");
	assert_int_equal(server->clients[1].routes_n, 0);
	weft_tunnel_config_free(config);
}

static void takes_every_field_of_a_client(void **state)
{
	(void)state;
	struct weft_tunnel_config *config =
		read_with(every_field, (const char *const[]){ NULL });
	const struct weft_tunnel_interface *client = &config->interfaces[1];
	assert_string_equal(client->name, "tun1");
	assert_false(client->is_server);
	assert_int_equal(client->line, 17);
	assert_string_equal(client->url, "https://tunnel.example.org/path");
	assert_string_equal(client->raw_token, "test");
	assert_int_equal(client->mark.value, 0);
	weft_tunnel_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_field_of_a_server),
		cmocka_unit_test(takes_every_field_of_a_client),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
