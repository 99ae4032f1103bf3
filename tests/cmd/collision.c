/* SPDX-License-Identifier: MIT */
/*
 * Which networks of a machine collide with a room's.
 */
#include "cmd/collision.h"

#include "../host/machine.h"
#include "../host/state_dir.h"
#include "../unit.h"
#include "host/host.h"

#include <string.h>

struct world {
	struct machine machine;
	struct weft_host *host;
};

static struct weft_ip ip(const char *text)
{
	struct weft_ip value;
	assert_int_equal(weft_ip_parse(text, &value), 0);
	return value;
}

static void begin(struct world *w, const struct state_dir *dir)
{
	const struct weft_host_opts opts = { .state_dir = dir->path };
	machine_init(&w->machine);
	w->machine.interfaces[2] = (struct weft_interface){ .name = "eth0", .index = 2 };
	w->machine.interfaces[3] = (struct weft_interface){ .name = "wg0", .index = 3 };
	assert_int_equal(
		host_new_on(&opts, machine_netlink(&w->machine, 1), NULL, &w->host), 0);
}

static void add(struct world *w, const char *dest, const char *ifname, uint32_t table)
{
	struct weft_route route = { .dest = ip(dest), .table = table };
	memcpy(route.ifname, ifname, strlen(ifname) + 1);
	assert_int_equal(weft_host_add_route(w->host, &route, NULL), 0);
}

/* The other network's text; empty for none. */
static const char *collides(struct world *w, const char *network)
{
	static char text[WEFT_IP_TEXT];
	const struct weft_ip wanted = ip(network);
	struct weft_route route;
	if (!collision_find(w->host, &wanted, "weft0", &route))
		return "";
	return weft_ip_print(&route.dest, text);
}

static void networks_overlap_whichever_is_larger(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "192.168.1.0/24", "eth0", 0);
	add(&w, "10.0.0.0/8", "wg0", 0);
	assert_string_equal(collides(&w, "192.168.1.7/24"), "192.168.1.0/24");
	assert_string_equal(collides(&w, "192.168.0.1/16"), "192.168.1.0/24");
	assert_string_equal(collides(&w, "192.168.1.129/25"), "192.168.1.0/24");
	assert_string_equal(collides(&w, "192.168.2.7/24"), "");
	assert_string_equal(collides(&w, "10.77.0.1/24"), "10.0.0.0/8");
	assert_string_equal(collides(&w, "11.0.0.1/9"), "");
	weft_host_free(w.host);
}

static void the_nearest_one_is_told(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "10.0.0.0/8", "wg0", 0);
	add(&w, "10.77.0.0/16", "eth0", 0);
	assert_string_equal(collides(&w, "10.77.3.1/24"), "10.77.0.0/16");
	weft_host_free(w.host);
}

static void what_means_everything_is_none(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "0.0.0.0/0", "eth0", 0);
	add(&w, "0.0.0.0/1", "wg0", 0);
	add(&w, "100.64.7.9/32", "wg0", 0);
	add(&w, "fe80::/64", "eth0", 0);
	assert_string_equal(collides(&w, "100.64.7.1/24"), "");
	assert_string_equal(collides(&w, "fe80::1/64"), "");
	weft_host_free(w.host);
}

static void the_rooms_own_device_is_none(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "100.64.7.0/24", "weft0", 0);
	assert_string_equal(collides(&w, "100.64.7.1/24"), "");
	weft_host_free(w.host);
}

/* As VPNs have them: reached by a rule. */
static void other_tables_count(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "100.64.0.0/10", "wg0", 52);
	assert_string_equal(collides(&w, "100.64.7.1/24"), "100.64.0.0/10");
	weft_host_free(w.host);
}

static void who_wins_is_who_the_kernel_sends_to(void **state)
{
	const struct weft_ip own = ip("192.168.1.254/24");
	struct weft_route other;
	struct world w;
	begin(&w, *state);
	add(&w, "192.168.1.0/24", "eth0", 0);
	add(&w, "192.168.1.0/24", "weft0", 0);
	assert_true(collision_find(w.host, &own, "weft0", &other));
	assert_false(collision_is_won(w.host, &own, &other, "weft0"));
	machine_drop(&w.machine, "route to 192.168.1.0/24 on eth0");
	assert_true(collision_is_won(w.host, &own, &other, "weft0"));
	weft_host_free(w.host);
}

#define COLLISION_TEST(name) \
	cmocka_unit_test_setup_teardown(name, state_dir_make, state_dir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COLLISION_TEST(networks_overlap_whichever_is_larger),
		COLLISION_TEST(the_nearest_one_is_told),
		COLLISION_TEST(what_means_everything_is_none),
		COLLISION_TEST(the_rooms_own_device_is_none),
		COLLISION_TEST(other_tables_count),
		COLLISION_TEST(who_wins_is_who_the_kernel_sends_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
