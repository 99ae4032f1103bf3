/* SPDX-License-Identifier: MIT */
/*
 * What a client's device has after each word of its server's. The machine under it is a list of
 * lines, one for each address and route: what assigned.c calls of it is defined here.
 */
#include "tunnel/assigned.h"

#include "../unit.h"
#include "base/net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINES_MAX 40u
#define SERVER    "192.0.2.1"
#define SECOND    "192.0.2.2"

struct machine {
	char lines[LINES_MAX][96]; /* in the order in which they came; "": free */
	const char *refused;       /* a route's network that cannot be set; NULL: none */
	bool is_cut_off;           /* no way leads anywhere */
	unsigned addressings;
	unsigned mtu;
};

struct fixture {
	struct machine machine;
	struct environment env;
	struct weft_tunnel_interface conf;
	struct netif netif;
	struct assigned assigned;
	struct hello_conf said;
	struct weft_ip accepted[4];
};

static struct machine *machine;

/* ---- the machine ------------------------------------------------------------------------- */

static char *find(const char *line)
{
	for (unsigned i = 0; i < LINES_MAX; i++)
		if (strcmp(machine->lines[i], line) == 0)
			return machine->lines[i];
	return NULL;
}

static int add(const char *line)
{
	if (find(line))
		return -EEXIST;
	char *place = find("");
	assert_non_null(place);
	(void)snprintf(place, sizeof(machine->lines[0]), "%s", line);
	return 0;
}

static void take_away(const char *line)
{
	char *place = find(line);
	if (place)
		place[0] = '\0';
}

/* "192.0.2.1 dev eth0" */
static const char *text_of(const struct weft_ip *ip, const char *device)
{
	static char text[96];
	char address[WEFT_IP_TEXT];
	(void)snprintf(text, sizeof(text), "%s dev %s", weft_ip_print(ip, address),
		       device);
	return text;
}

const char *weft_link_name(const struct weft_link *link)
{
	(void)link;
	return "tun0";
}

bool netif_is_of_machine(const struct netif *i)
{
	(void)i;
	return true;
}

int netif_set_mtu(const struct netif *i, uint32_t mtu, struct weft_error *err)
{
	(void)i;
	(void)err;
	machine->mtu = mtu;
	return 0;
}

int netif_set_addresses(const struct netif *i, const struct weft_tunnel_networks *before,
			const struct weft_tunnel_networks *after, struct weft_error *err)
{
	(void)i;
	(void)err;
	machine->addressings++;
	for (size_t n = 0; n < before->n; n++)
		take_away(text_of(&before->items[n], "address"));
	for (size_t n = 0; n < after->n; n++)
		(void)add(text_of(&after->items[n], "address"));
	return 0;
}

int weft_host_add_route(struct weft_host *host, const struct weft_route *route,
			struct weft_error *err)
{
	char network[WEFT_IP_TEXT];
	(void)host;
	(void)weft_ip_print(&route->dest, network);
	if (machine->refused && strcmp(network, machine->refused) == 0)
		return weft_error_set(err, -EEXIST, "%s is in use", network);
	return add(text_of(&route->dest, route->ifname));
}

int weft_host_remove_route(struct weft_host *host, const struct weft_route *route,
			   struct weft_error *err)
{
	(void)host;
	(void)err;
	take_away(text_of(&route->dest, route->ifname));
	return 0;
}

static bool leads_into_the_tunnel(const struct weft_ip *dest)
{
	for (unsigned i = 0; i < LINES_MAX; i++) {
		char network[96];
		struct weft_ip ip;
		const char *end = strstr(machine->lines[i], " dev tun0");
		if (!end)
			continue;
		(void)snprintf(network, sizeof(network), "%.*s",
			       (int)(end - machine->lines[i]), machine->lines[i]);
		assert_int_equal(weft_ip_parse(network, &ip), 0);
		if (net_contains(&ip, dest))
			return true;
	}
	return false;
}

int weft_host_find_route(struct weft_host *host, const struct weft_ip *dest,
			 struct weft_error *err, struct weft_route *ret_route)
{
	(void)host;
	if (machine->is_cut_off)
		return weft_error_set(err, -ENETUNREACH, "no way");
	*ret_route = (struct weft_route){ .dest = *dest };
	(void)snprintf(ret_route->ifname, sizeof(ret_route->ifname), "%s",
		       leads_into_the_tunnel(dest) ? "tun0" : "eth0");
	return 0;
}

/* ---- a client ---------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	machine = &f->machine;
	f->conf.accept.items = f->accepted;
	f->netif = (struct netif){ .env = &f->env, .conf = &f->conf };
	f->assigned.netif = &f->netif;
	f->said = (struct hello_conf){ .mtu = 1400, .lanes = 1 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip = { .family = 0 };
	if (text)
		assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static void accept_route(struct fixture *f, const char *network)
{
	f->accepted[f->conf.accept.n++] = ip_of(network);
}

/* Texts are ended by NULL. */
static void say_ips(struct fixture *f, const char *const *texts)
{
	for (f->said.ips_n = 0; *texts; texts++)
		f->said.ips[f->said.ips_n++] = ip_of(*texts);
}

static void say_routes(struct fixture *f, const char *const *texts)
{
	for (f->said.routes_n = 0; *texts; texts++)
		f->said.routes[f->said.routes_n++] = ip_of(*texts);
}

#define IPS(f, ...)    say_ips(f, (const char *const[]){ __VA_ARGS__ })
#define ROUTES(f, ...) say_routes(f, (const char *const[]){ __VA_ARGS__ })

/* Reached at an address; NULL: unknown. */
static void set(struct fixture *f, const char *server)
{
	const struct weft_ip address = ip_of(server);
	struct weft_error err;
	assert_int_equal(assigned_set(&f->assigned, &f->said, &address, &err), 0);
}

static unsigned lines(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < LINES_MAX; i++)
		n += machine->lines[i][0] != '\0';
	return n;
}

/* ---- addresses --------------------------------------------------------------------------- */

static void what_is_assigned_is_on_the_device(void **state)
{
	struct fixture *f = *state;
	IPS(f, "10.0.0.2/24", "fd00::2/64", NULL);
	set(f, SERVER);
	assert_int_equal(machine->mtu, 1400);
	assert_string_equal(f->assigned.text, "10.0.0.2/24");
	assert_non_null(find("10.0.0.2/24 dev address"));
	assert_non_null(find("fd00::2/64 dev address"));
	IPS(f, "10.0.0.3/24", NULL);
	set(f, SERVER);
	assert_non_null(find("10.0.0.3/24 dev address"));
	assert_int_equal(lines(), 1);
	IPS(f, NULL);
	set(f, SERVER);
	assert_string_equal(f->assigned.text, "");
	assert_int_equal(lines(), 0);
}

/* The first part is better than nothing, and worse than what was there. */
static void a_part_does_not_take_the_place_of_all(void **state)
{
	struct fixture *f = *state;
	f->said.has_more = true;
	IPS(f, "10.0.0.2/24", NULL);
	ROUTES(f, "10.1.0.0/16", NULL);
	set(f, SERVER);
	assert_int_equal(lines(), 2);
	f->said.has_more = false;
	IPS(f, "10.0.0.2/24", "10.0.0.3/24", NULL);
	ROUTES(f, "10.1.0.0/16", "10.2.0.0/16", NULL);
	set(f, SERVER);
	assert_int_equal(lines(), 4);
	f->said.has_more = true;
	IPS(f, "10.0.0.9/24", NULL);
	ROUTES(f, "10.3.0.0/16", NULL);
	set(f, SERVER);
	assert_non_null(find("10.0.0.2/24 dev address"));
	assert_non_null(find("10.3.0.0/16 dev tun0"));
	assert_int_equal(lines(), 5);
	f->said.has_more = false;
	set(f, SERVER);
	assert_non_null(find("10.0.0.9/24 dev address"));
	assert_non_null(find("10.3.0.0/16 dev tun0"));
	assert_int_equal(lines(), 2);
}

/* ---- routes ------------------------------------------------------------------------------ */

static void all_are_taken_but_what_holds_the_server(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, "0.0.0.0/0", "10.1.0.0/16", "192.0.0.0/16", "::/0", "fd01::/16", NULL);
	set(f, SERVER);
	assert_non_null(find("10.1.0.0/16 dev tun0"));
	assert_non_null(find("fd01::/16 dev tun0"));
	assert_int_equal(lines(), 2);
}

static void none_is_taken_where_none_is_wanted(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, "10.1.0.0/16", NULL);
	set(f, SERVER);
	f->conf.no_routes = true;
	set(f, SERVER);
	assert_int_equal(lines(), 0);
}

static void some_are_taken(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "10.9.0.0/16");
	accept_route(f, "10.1.0.0/16");
	ROUTES(f, "10.1.7.0/24", "10.2.0.0/16", "10.0.0.0/8", NULL);
	set(f, SERVER);
	assert_non_null(find("10.1.7.0/24 dev tun0"));
	assert_int_equal(lines(), 1);
}

/* The first of them somebody else has taken away: that is not made up for, and not minded. */
static void what_is_there_stays(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, "10.1.0.0/16", "10.2.0.0/16", "10.1.0.0/16", NULL);
	set(f, SERVER);
	assert_int_equal(f->assigned.now.routes_n, 2);
	take_away("10.1.0.0/16 dev tun0");
	ROUTES(f, "10.1.0.0/16", "10.3.0.0/16", NULL);
	set(f, SERVER);
	assert_null(find("10.1.0.0/16 dev tun0"));
	assert_non_null(find("10.3.0.0/16 dev tun0"));
	assert_int_equal(lines(), 1);
}

static void what_cannot_be_is_left_out(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	machine->refused = "128.0.0.0/1";
	ROUTES(f, "0.0.0.0/0", "10.1.0.0/16", NULL);
	set(f, NULL);
	assert_non_null(find("10.1.0.0/16 dev tun0"));
	assert_int_equal(lines(), 1);
	assert_int_equal(f->assigned.now.routes_n, 1);
}

static void half_of_everything_is_one_route(void **state)
{
	struct fixture *f = *state;
	ROUTES(f, "0.0.0.0/1", "10.1.2.3/16", NULL);
	set(f, SERVER);
	assert_non_null(find("0.0.0.0/1 dev tun0"));
	assert_non_null(find("10.1.0.0/16 dev tun0"));
	assert_int_equal(lines(), 2);
}

/* What has come in parts stays until the last one, and all of it may be more than there can be. */
static void routes_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct hello_conf *now = &f->assigned.now;
	for (; now->routes_n < HELLO_ROUTES_MAX; now->routes_n++)
		now->routes[now->routes_n] = ip_of("10.1.0.0/16");
	f->said.has_more = true;
	ROUTES(f, "10.2.0.0/16", NULL);
	set(f, SERVER);
	assert_int_equal(now->routes_n, HELLO_ROUTES_MAX);
	assert_int_equal(lines(), 0);
}

/* ---- pins -------------------------------------------------------------------------------- */

static void everything_goes_there_but_what_leads_there(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "0.0.0.0/0", "192.0.0.0/8", NULL);
	set(f, SERVER);
	assert_non_null(find("0.0.0.0/1 dev tun0"));
	assert_non_null(find("128.0.0.0/1 dev tun0"));
	assert_non_null(find("192.0.0.0/8 dev tun0"));
	assert_non_null(find(SERVER " dev eth0"));
	assert_int_equal(lines(), 4);
}

/* A stream that begins anew may have come to another of the server's addresses. */
static void each_address_of_the_server_has_a_way(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "0.0.0.0/0", "10.1.0.0/16", NULL);
	set(f, SERVER);
	set(f, SECOND);
	assert_non_null(find(SERVER " dev eth0"));
	assert_non_null(find(SECOND " dev eth0"));
	assert_non_null(find("0.0.0.0/1 dev tun0"));
	assert_int_equal(lines(), 5);
	set(f, SERVER);
	assert_int_equal(f->assigned.pins_n, 2);
	assert_int_equal(lines(), 5);
}

static void pins_are_bounded(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "0.0.0.0/0", NULL);
	for (unsigned i = 0; i < ASSIGNED_PINS_MAX; i++) {
		char server[WEFT_IP_TEXT];
		(void)snprintf(server, sizeof(server), "192.0.2.%u", i + 1);
		set(f, server);
		assert_non_null(find("0.0.0.0/1 dev tun0"));
	}
	assert_int_equal(f->assigned.pins_n, ASSIGNED_PINS_MAX);
	set(f, "192.0.2.99");
	assert_int_equal(f->assigned.pins_n, ASSIGNED_PINS_MAX);
	assert_null(find("0.0.0.0/1 dev tun0"));
}

static void without_a_way_there_is_no_route_over_it(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "0.0.0.0/0", "10.1.0.0/16", NULL);
	machine->is_cut_off = true;
	set(f, SERVER);
	assert_int_equal(lines(), 1);
	assert_int_equal(f->assigned.pins_n, 0);
	machine->is_cut_off = false;
	(void)add("192.0.0.0/8 dev tun0");
	set(f, SERVER);
	assert_int_equal(lines(), 2);
}

static void what_is_released_comes_again(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "0.0.0.0/0", "10.1.0.0/16", NULL);
	set(f, SERVER);
	assigned_release(&f->assigned);
	assert_non_null(find("10.1.0.0/16 dev tun0"));
	assert_int_equal(lines(), 1);
	assigned_release(&f->assigned);
	assert_int_equal(lines(), 1);
	set(f, SECOND);
	assert_non_null(find(SECOND " dev eth0"));
	assert_int_equal(lines(), 4);
}

static void each_route_over_a_pin_is_released(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "192.0.0.0/8", "198.0.0.0/8", NULL);
	set(f, SERVER);
	set(f, "198.51.100.1");
	assert_int_equal(lines(), 4);
	assigned_release(&f->assigned);
	assert_int_equal(lines(), 0);
}

static void nothing_is_left_at_the_end(void **state)
{
	struct fixture *f = *state;
	accept_route(f, "0.0.0.0/0");
	ROUTES(f, "0.0.0.0/0", "10.1.0.0/16", NULL);
	set(f, SERVER);
	assigned_fini(&f->assigned);
	assert_int_equal(lines(), 0);
	assert_int_equal(f->assigned.now.routes_n, 0);
}

static void another_device_gets_all_of_it(void **state)
{
	struct fixture *f = *state;
	IPS(f, "10.0.0.2/24", NULL);
	ROUTES(f, "10.1.0.0/16", NULL);
	set(f, SERVER);
	assigned_forget(&f->assigned);
	take_away("10.0.0.2/24 dev address"); /* with the device */
	assert_int_equal(lines(), 0);
	assert_string_equal(f->assigned.text, "");
	f->said.has_more = true;
	set(f, SERVER);
	assert_int_equal(lines(), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_assigned_is_on_the_device),
		TEST(a_part_does_not_take_the_place_of_all),
		TEST(all_are_taken_but_what_holds_the_server),
		TEST(none_is_taken_where_none_is_wanted),
		TEST(some_are_taken),
		TEST(what_is_there_stays),
		TEST(what_cannot_be_is_left_out),
		TEST(everything_goes_there_but_what_leads_there),
		TEST(each_address_of_the_server_has_a_way),
		TEST(pins_are_bounded),
		TEST(without_a_way_there_is_no_route_over_it),
		TEST(what_is_released_comes_again),
		TEST(half_of_everything_is_one_route),
		TEST(routes_are_bounded),
		TEST(each_route_over_a_pin_is_released),
		TEST(nothing_is_left_at_the_end),
		TEST(another_device_gets_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
