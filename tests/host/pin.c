/* SPDX-License-Identifier: MIT */
/*
 * Pins on a machine in memory: a home network by eth0, and a room by weft0 whose network has
 * the relay's address in it.
 *
 *     default via 192.0.2.254 on eth0          192.0.2.0/24 on eth0
 *     198.51.100.0/24 on weft0                 the relay: 198.51.100.7
 */
#include "../unit.h"
#include "host/host.h"
#include "machine.h"
#include "state_dir.h"

#include <string.h>

#define PIN      "route to 198.51.100.7 by way of 192.0.2.254 on eth0"
#define WLAN_PIN "route to 198.51.100.7 by way of 203.0.113.1 on wlan0"

struct world {
	struct machine machine;
	struct weft_host *host, *others; /* ours; and what else changes routes */
	struct weft_host_pin *pin;
};

static struct weft_ip ip(const char *text)
{
	struct weft_ip value;
	assert_int_equal(weft_ip_parse(text, &value), 0);
	return value;
}

static struct weft_route route_of(const char *dest, const char *gateway,
				  const char *ifname)
{
	struct weft_route route = { .dest = ip(dest) };
	if (gateway)
		route.gateway = ip(gateway);
	memcpy(route.ifname, ifname, strlen(ifname) + 1);
	return route;
}

static void add(struct world *w, const char *dest, const char *gateway,
		const char *ifname)
{
	const struct weft_route route = route_of(dest, gateway, ifname);
	assert_int_equal(weft_host_add_route(w->others, &route, NULL), 0);
}

static void del(struct world *w, const char *dest, const char *gateway,
		const char *ifname)
{
	const struct weft_route route = route_of(dest, gateway, ifname);
	assert_int_equal(weft_host_remove_route(w->others, &route, NULL), 0);
}

static struct weft_host *new_host(struct world *w, const struct state_dir *dir)
{
	const struct weft_host_opts opts = { .state_dir = dir->path };
	struct weft_host *host;
	assert_int_equal(
		host_new_on(&opts, machine_netlink(&w->machine, 100), NULL, &host), 0);
	return host;
}

static void begin(struct world *w, const struct state_dir *dir)
{
	const struct weft_ip relay = ip("198.51.100.7");
	*w = (struct world){ .pin = NULL };
	machine_init(&w->machine);
	w->machine.interfaces[2] = (struct weft_interface){ .name = "eth0", .index = 2 };
	w->machine.interfaces[3] = (struct weft_interface){ .name = "wlan0", .index = 3 };
	w->host = new_host(w, dir);
	w->others = new_host(w, dir);
	add(w, "192.0.2.0/24", NULL, "eth0");
	add(w, "0.0.0.0/0", "192.0.2.254", "eth0");
	assert_int_equal(weft_host_pin_new(w->host, &relay, "weft0", &w->pin), 0);
}

static void end(struct world *w)
{
	weft_host_pin_free(w->pin);
	weft_host_free(w->host);
	weft_host_free(w->others);
	assert_int_equal(w->machine.n_things, 0);
}

static int update(struct world *w)
{
	struct weft_error err = { "" };
	int r = weft_host_pin_update(w->pin, NULL, &err);
	if (r < 0)
		print_error("%s\n", err.text);
	return r;
}

static void nothing_is_touched_without_need(void **state)
{
	struct world w;
	const struct weft_ip elsewhere = ip("100.64.7.2/24");
	struct weft_route route;
	begin(&w, *state);
	const unsigned n = w.machine.n_things;
	assert_int_equal(update(&w), 0);
	assert_int_equal(weft_host_pin_update(w.pin, &elsewhere, NULL), 0);
	add(&w, "100.64.7.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 0);
	assert_int_equal(w.machine.n_things, n + 1);
	assert_false(weft_host_pin_route(w.pin, &route));
	end(&w);
}

static void it_is_there_before_the_network_is(void **state)
{
	struct world w;
	const struct weft_ip coming = ip("198.51.100.33/24");
	struct weft_route route;
	begin(&w, *state);
	assert_int_equal(weft_host_pin_update(w.pin, &coming, NULL), 1);
	assert_true(machine_has(&w.machine, PIN));
	assert_true(weft_host_pin_route(w.pin, &route));
	assert_string_equal(route.ifname, "eth0");
	add(&w, "198.51.100.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 0);
	assert_true(machine_has(&w.machine, PIN));
	weft_host_pin_free(w.pin);
	w.pin = NULL;
	assert_false(machine_has(&w.machine, PIN));
	end(&w);
}

static void it_goes_with_the_need(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "198.51.100.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 1);
	assert_true(machine_has(&w.machine, PIN));
	del(&w, "198.51.100.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 1);
	assert_false(machine_has(&w.machine, PIN));
	end(&w);
}

static void it_follows_the_default_route(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "198.51.100.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 1);
	del(&w, "0.0.0.0/0", "192.0.2.254", "eth0");
	assert_int_equal(update(&w), 1);
	assert_false(machine_has(&w.machine, PIN)); /* It would lead nowhere. */
	add(&w, "0.0.0.0/0", "203.0.113.1", "wlan0");
	assert_int_equal(update(&w), 1);
	assert_true(machine_has(&w.machine, WLAN_PIN));
	add(&w, "198.51.0.0/16", "192.0.2.254", "eth0"); /* Longer than the default. */
	assert_int_equal(update(&w), 1);
	assert_true(machine_has(&w.machine, PIN));
	assert_false(machine_has(&w.machine, WLAN_PIN));
	end(&w);
}

/* An interface that goes down takes the pin along, without a word to us. */
static void it_comes_back_after_the_kernel_removed_it(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "198.51.100.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 1);
	machine_drop(&w.machine, PIN);
	assert_int_equal(update(&w), 1);
	assert_true(machine_has(&w.machine, PIN));
	end(&w);
}

static void somebody_elses_is_borrowed_and_stays(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "198.51.100.7/32", "192.0.2.254", "eth0");
	const unsigned n = w.machine.n_things;
	add(&w, "198.51.100.0/24", NULL, "weft0");
	assert_int_equal(update(&w), 0);
	assert_int_equal(w.machine.n_things, n + 1);
	weft_host_pin_free(w.pin);
	w.pin = NULL;
	assert_true(machine_has(&w.machine, PIN));
	end(&w);
}

static void a_default_route_into_the_room_does_not_take_it(void **state)
{
	struct world w;
	begin(&w, *state);
	add(&w, "0.0.0.0/0", "100.64.7.254", "weft0");
	assert_int_equal(update(&w), 1);
	assert_true(machine_has(&w.machine, PIN));
	end(&w);
}

static void ipv6_is_no_different(void **state)
{
	struct world w;
	const struct weft_ip relay = ip("2001:db8:1::7"), coming = ip("2001:db8:1::/64");
	struct weft_host_pin *pin;
	begin(&w, *state);
	add(&w, "::/0", "fe80::1", "eth0");
	assert_int_equal(weft_host_pin_new(w.host, &relay, "weft0", &pin), 0);
	assert_int_equal(weft_host_pin_update(pin, &coming, NULL), 1);
	assert_true(machine_has(&w.machine, "route to 2001:db8:1::7 by way of "
					    "fe80::1 on eth0"));
	weft_host_pin_free(pin);
	assert_false(machine_has(&w.machine, "route to 2001:db8:1::7 by way of "
					     "fe80::1 on eth0"));
	end(&w);
}

static void a_refusal_is_explained(void **state)
{
	struct world w;
	const struct weft_ip coming = ip("198.51.100.33/24");
	struct weft_error err = { "" };
	begin(&w, *state);
	w.machine.refusal = -1; /* -EPERM */
	assert_int_equal(weft_host_pin_update(w.pin, &coming, &err), -1);
	assert_non_null(strstr(err.text, "198.51.100.7"));
	w.machine.refusal = 0;
	end(&w);
}

#define PIN_TEST(name) \
	cmocka_unit_test_setup_teardown(name, state_dir_make, state_dir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_TEST(nothing_is_touched_without_need),
		PIN_TEST(it_is_there_before_the_network_is),
		PIN_TEST(it_goes_with_the_need),
		PIN_TEST(it_follows_the_default_route),
		PIN_TEST(it_comes_back_after_the_kernel_removed_it),
		PIN_TEST(somebody_elses_is_borrowed_and_stays),
		PIN_TEST(a_default_route_into_the_room_does_not_take_it),
		PIN_TEST(ipv6_is_no_different),
		PIN_TEST(a_refusal_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
