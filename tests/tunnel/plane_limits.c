/* SPDX-License-Identifier: MIT */
/*
 * How much a plane holds: at its beginning, and while one configuration makes way for another.
 */
#include "../unit.h"
#include "tunnel/plane.h"
#include "wires.h"

#include <errno.h>
#include <stdlib.h>

static const uint8_t secret[16] = { 1, 2, 3 };

/* So many clients as there can be give way to as many others. */
static void assert_clients_max(enum weft_tunnel_mode mode, size_t max, const char *text)
{
	struct weft_tunnel_client *clients = calloc(max + 1, sizeof(*clients));
	struct wire *wires = calloc(2 * max, sizeof(*wires));
	struct plane_port **ports = calloc(2 * max, sizeof(void *));
	const unsigned flags = mode == WEFT_TUNNEL_IP ? WEFT_LINK_IP : 0;
	struct weft_tunnel_interface conf = {
		.name = "tun0", .mode = mode, .clients = clients, .clients_n = max + 1
	};
	struct weft_error err;
	struct plane *plane;
	static char name[] = "a";
	for (size_t i = 0; i <= max; i++)
		clients[i].name = name;
	assert_int_equal(plane_new(&conf, secret, NULL, &err, &plane), -ENOSPC);
	assert_string_equal(err.text, text);
	conf.clients_n = max;
	assert_int_equal(plane_new(&conf, secret, NULL, &err, &plane), 0);
	for (size_t i = 0; i < 2 * max; i++) {
		wire_init(&wires[i], flags);
		assert_int_equal(plane_add(plane, &clients[i % max], &wires[i].link, &err,
					   &ports[i]),
				 0);
	}
	conf.clients_n = max + 1;
	assert_int_equal(plane_prepare(plane, &conf, &err), -ENOSPC);
	assert_string_equal(err.text, text);
	plane_free(plane);
	for (size_t i = 0; i < 2 * max; i++)
		wire_fini(&wires[i]);
	free(ports);
	free(wires);
	free(clients);
}

static void so_many_clients_and_no_more(void **state)
{
	(void)state;
	assert_clients_max(WEFT_TUNNEL_ETHERNET, 1023,
			   "tun0: 1024 clients; a server with mode \"ethernet\" has at "
			   "most 1023, the rest needs another one");
	assert_clients_max(WEFT_TUNNEL_IP, 4095,
			   "tun0: 4096 clients; a server with mode \"ip\" has at most "
			   "4095, the rest needs another one");
}

static void so_many_networks_and_no_more(void **state)
{
	struct weft_ip *ips = calloc(WEFT_TUNNEL_NETWORKS_MAX + 1, sizeof(*ips));
	char first[] = "a", second[] = "b";
	struct weft_tunnel_client clients[] = {
		{ .name = first, .routes = ips, .routes_n = WEFT_TUNNEL_NETWORKS_MAX },
		{ .name = second, .ips = ips + WEFT_TUNNEL_NETWORKS_MAX },
	};
	struct weft_tunnel_interface conf = { .name = "tun0",
					      .clients = clients,
					      .clients_n = 2 };
	struct weft_error err;
	struct plane *plane;
	(void)state;
	for (unsigned i = 0; i <= WEFT_TUNNEL_NETWORKS_MAX; i++)
		ips[i] = (struct weft_ip){ .family = AF_INET,
					   .prefix = 32,
					   .octet = { 10, (uint8_t)(i >> 16),
						      (uint8_t)(i >> 8), (uint8_t)i } };
	assert_int_equal(plane_new(&conf, secret, NULL, &err, &plane), 0);
	clients[1].ips_n = 1;
	assert_int_equal(plane_prepare(plane, &conf, &err), -ENOSPC);
	assert_string_equal(err.text,
			    "b: with its networks there are more than 65536; the "
			    "rest needs another server");
	plane_free(plane);
	free(ips);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_clients_and_no_more),
		cmocka_unit_test(so_many_networks_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
