/* SPDX-License-Identifier: MIT */
/*
 * A whole plane on links in memory, set up by a configuration.
 */
#include "tunnel/plane.h"

#include "../unit.h"
#include "site.h"
#include "wire/tcp.h"
#include "wires.h"

#include <errno.h>
#include <string.h>

static const uint8_t secret[16] = { 1, 2, 3 };

struct fixture {
	struct site site;
	const struct weft_tunnel_interface *conf;
	struct wire device, wires[SITE_CLIENTS_MAX];
	size_t wires_n;
	struct plane *plane;
	struct plane_port *ports[SITE_CLIENTS_MAX];
};

static void begin(struct fixture *f)
{
	f->conf = &f->site.conf;
	f->wires_n = f->conf->clients_n;
	unsigned flags = f->conf->mode == WEFT_TUNNEL_IP ? WEFT_LINK_IP : 0;
	wire_init(&f->device, flags);
	assert_int_equal(plane_new(f->conf, secret, &f->device.link, NULL, &f->plane), 0);
	for (size_t i = 0; i < f->wires_n; i++) {
		wire_init(&f->wires[i], flags);
		assert_int_equal(plane_add(f->plane, &f->conf->clients[i],
					   &f->wires[i].link, NULL, &f->ports[i]),
				 0);
		plane_join(f->ports[i], &f->conf->clients[i]);
	}
}

/* The clients are those that it has; who of them is who is for plane_join to say. */
static void change(struct fixture *f, const struct site *after)
{
	assert_int_equal(plane_prepare(f->plane, &after->conf, NULL), 0);
	plane_commit(f->plane);
}

static void end(struct fixture *f)
{
	plane_free(f->plane);
	wire_fini(&f->device);
	for (size_t i = 0; i < f->wires_n; i++)
		wire_fini(&f->wires[i]);
}

/* How many came out since the last call: at the device, and at each client. */
static void assert_out(struct fixture *f, size_t device, size_t a, size_t b)
{
	assert_int_equal(wire_take(&f->device), device);
	assert_int_equal(wire_take(&f->wires[0]), a);
	assert_int_equal(wire_take(&f->wires[1]), b);
}

/* How many packets ended like that; of one client, or of all. */
static json_int_t counted(const struct fixture *f, int client, const char *outcome)
{
	json_t *json = client < 0 ? plane_json(f->plane, 0)
				  : plane_port_json(f->ports[client], 0);
	assert_non_null(json);
	json_int_t n = json_integer_value(
		json_object_get(json_object_get(json, "packets"), outcome));
	json_decref(json);
	return n;
}

/* ---- mode ip ----------------------------------------------------------------------------- */

static void begin_two_sites(struct fixture *f)
{
	site_init(&f->site, "10.0.0.1/24 192.168.0.0/24");
	site_client(&f->site, "a", "", "10.0.0.2 192.168.1.0/24", "");
	site_client(&f->site, "b", "", "10.0.0.3", "10.0.0.2");
	begin(f);
}

static void packets_go_where_the_configuration_says(void **state)
{
	static struct fixture f;
	(void)state;
	begin_two_sites(&f);
	wire_in(&f.device, "10.0.0.1", "10.0.0.2");
	assert_out(&f, 0, 1, 0);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 1, 0);
	wire_in(&f.wires[1], "10.0.0.3", "192.168.1.9");
	assert_out(&f, 0, 1, 0);
	wire_in(&f.wires[0], "10.0.0.2", "198.51.100.1");
	assert_out(&f, 0, 0, 1);
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.1");
	wire_in(&f.wires[0], "10.0.0.2", "192.168.0.1");
	wire_in(&f.wires[1], "10.0.0.3", "198.51.100.1");
	assert_out(&f, 3, 0, 0);
	assert_int_equal(counted(&f, 0, "uplink"), 2);
	assert_int_equal(counted(&f, 0, "pinned"), 1);
	assert_int_equal(counted(&f, -1, "uplink"), 3);
	assert_int_equal(plane_dropped(f.plane), 0);
	end(&f);
}

static void who_lies_about_its_address_is_not_heard(void **state)
{
	static struct fixture f;
	(void)state;
	begin_two_sites(&f);
	wire_in(&f.wires[0], "10.0.0.3", "10.0.0.1");
	wire_in(&f.wires[0], "10.0.0.1", "10.0.0.3");
	assert_out(&f, 0, 0, 0);
	assert_int_equal(counted(&f, 0, "drop-spoofed"), 2);
	assert_int_equal(plane_dropped(f.plane), 2);
	end(&f);
}

static void a_removed_client_is_nobody(void **state)
{
	static struct fixture f;
	(void)state;
	begin_two_sites(&f);
	plane_remove(f.ports[0]);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.1");
	assert_out(&f, 0, 0, 0);
	assert_int_equal(counted(&f, -1, "drop-no-route"), 1);
	assert_int_equal(plane_add(f.plane, &f.conf->clients[0], &f.wires[0].link, NULL,
				   &f.ports[0]),
			 0);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 0, 0);
	plane_join(f.ports[0], &f.conf->clients[0]);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 1, 0);
	end(&f);
}

/* The network of one client is given to the other, whose port is the first to be changed. */
static void a_changed_configuration_is_applied(void **state)
{
	static struct fixture f;
	(void)state;
	begin_two_sites(&f);
	static struct site after;
	site_init(&after, "10.0.0.1/24");
	site_client(&after, "b", "", "10.0.0.3 192.168.1.0/24", "");
	site_client(&after, "a", "", "10.0.0.2", "10.0.0.3");
	change(&f, &after);
	plane_join(f.ports[1], &after.clients[0]);
	plane_join(f.ports[0], &after.clients[1]);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 0, 1);
	wire_in(&f.wires[1], "10.0.0.3", "192.168.0.1"); /* not exempt any more */
	assert_out(&f, 0, 1, 0);
	wire_in(&f.wires[0], "10.0.0.2", "198.51.100.1"); /* not pinned any more */
	assert_out(&f, 1, 0, 0);
	end(&f);
}

/* ---- ACL --------------------------------------------------------------------------------- */

static void begin_with_rules(struct fixture *f)
{
	site_init(&f->site, "10.0.0.1/24 fd00::1/64");
	site_client(&f->site, "a", "office", "10.0.0.2 fd00::2 192.168.1.0/24", "");
	site_client(&f->site, "b", "shop", "10.0.0.3 fd00::3", "");
	site_rule(&f->site, "office", "shop", IPPROTO_TCP, "80");
	site_rule(&f->site, "*", WEFT_TUNNEL_SELF, 0, "");
	begin(f);
}

static void only_what_a_rule_allows_passes(void **state)
{
	static struct fixture f;
	(void)state;
	begin_with_rules(&f);
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP, .sport = 5,
		.dport = 80, .flags = TCP_SYN);
	wire_in(&f.wires[0], "fd00::2", "fd00::3", .protocol = IPPROTO_TCP, .sport = 5,
		.dport = 80, .flags = TCP_SYN);
	assert_out(&f, 0, 0, 2);
	wire_in(&f.wires[1], "10.0.0.3", "10.0.0.2", .protocol = IPPROTO_TCP, .sport = 80,
		.dport = 5, .flags = TCP_SYN | TCP_ACK);
	wire_in(&f.wires[1], "fd00::3", "fd00::2", .protocol = IPPROTO_TCP, .sport = 80,
		.dport = 5, .flags = TCP_SYN | TCP_ACK);
	assert_out(&f, 0, 2, 0);
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP, .sport = 5,
		.dport = 81, .flags = TCP_SYN);
	wire_in(&f.wires[1], "10.0.0.3", "10.0.0.2", .protocol = IPPROTO_TCP, .sport = 80,
		.dport = 6, .flags = TCP_SYN);
	wire_in(&f.device, "10.0.0.1", "10.0.0.3", .dport = 80);
	assert_out(&f, 0, 0, 0);
	wire_in(&f.wires[1], "10.0.0.3", "10.0.0.1", .dport = 53);
	wire_in(&f.wires[1], "10.0.0.3", "198.51.100.1", .dport = 53);
	assert_out(&f, 2, 0, 0);
	assert_int_equal(counted(&f, 0, "drop-denied"), 1);
	assert_int_equal(counted(&f, 1, "drop-denied"), 1);
	assert_int_equal(counted(&f, -1, "drop-denied"), 3);
	end(&f);
}

/* Who lies is not even asked about. */
static void a_rule_speaks_of_who_sends(void **state)
{
	static struct fixture f;
	(void)state;
	begin_with_rules(&f);
	wire_in(&f.wires[1], "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP, .dport = 80,
		.flags = TCP_SYN);
	wire_in(&f.wires[1], "fe80::1", "ff02::1");
	assert_out(&f, 0, 0, 0);
	assert_int_equal(counted(&f, 1, "drop-spoofed"), 1);
	assert_int_equal(counted(&f, 1, "drop-scope"), 1);
	wire_in(&f.wires[0], "192.168.1.7", "10.0.0.3", .protocol = IPPROTO_TCP,
		.dport = 80, .flags = TCP_SYN);
	assert_out(&f, 0, 0, 1);
	end(&f);
}

/* The flow to port 80 goes on, that to port 22 ends, and a new one is judged by new rules. */
static void new_rules_end_what_they_deny(void **state)
{
	static struct fixture f;
	static struct site after;
	(void)state;
	site_init(&f.site, "10.0.0.1/24");
	site_client(&f.site, "a", "office", "10.0.0.2", "");
	site_client(&f.site, "b", "shop", "10.0.0.3", "");
	site_rule(&f.site, "office", "shop", IPPROTO_TCP, "22 80");
	begin(&f);
	for (uint16_t port = 22; port <= 80; port += 58) {
		wire_in(&f.wires[0], "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP,
			.sport = 5, .dport = port, .flags = TCP_SYN);
		wire_in(&f.wires[1], "10.0.0.3", "10.0.0.2", .protocol = IPPROTO_TCP,
			.sport = port, .dport = 5, .flags = TCP_SYN | TCP_ACK);
	}
	assert_out(&f, 0, 2, 2);
	site_init(&after, "10.0.0.1/24");
	site_client(&after, "b", "shop", "10.0.0.3", "");
	site_client(&after, "a", "office", "10.0.0.2", "");
	site_rule(&after, "office", "shop", IPPROTO_TCP, "80 443");
	change(&f, &after);
	plane_join(f.ports[0], &after.clients[1]);
	plane_join(f.ports[1], &after.clients[0]);
	wire_in(&f.wires[1], "10.0.0.3", "10.0.0.2", .protocol = IPPROTO_TCP, .sport = 80,
		.dport = 5, .flags = TCP_ACK);
	assert_out(&f, 0, 1, 0);
	wire_in(&f.wires[1], "10.0.0.3", "10.0.0.2", .protocol = IPPROTO_TCP, .sport = 22,
		.dport = 5, .flags = TCP_ACK);
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP, .sport = 5,
		.dport = 22, .flags = TCP_ACK);
	assert_out(&f, 0, 0, 0);
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.3", .protocol = IPPROTO_TCP, .sport = 5,
		.dport = 443, .flags = TCP_SYN);
	assert_out(&f, 0, 0, 1);
	end(&f);
}

/* ---- exits ------------------------------------------------------------------------------- */

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static void begin_with_exits(struct fixture *f, bool balance)
{
	site_init(&f->site, "10.0.0.1/24 192.168.0.0/24");
	site_client(&f->site, "a", "gate", "10.0.0.2", "");
	site_client(&f->site, "b", "gate", "10.0.0.3", "");
	site_client(&f->site, "c", "office", "10.0.0.4", "");
	site_client(&f->site, "d", "", "10.0.0.5", "");
	site_exit(&f->site, "office", "gate", balance);
	begin(f);
}

static void the_better_exit_has_all_and_the_other_takes_over(void **state)
{
	static struct fixture f;
	(void)state;
	begin_with_exits(&f, false);
	plane_set_health(f.ports[0], true, 20 * MS, 0, S);
	plane_set_health(f.ports[1], true, 40 * MS, 0, S);
	wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .now = S);
	assert_out(&f, 0, 1, 0);
	plane_set_health(f.ports[0], false, 0, 0, 2 * S);
	wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .now = 2 * S);
	assert_out(&f, 0, 0, 1);
	plane_set_health(f.ports[1], true, 501 * MS, 0, 3 * S);
	wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .now = 3 * S);
	assert_out(&f, 0, 0, 0);
	assert_int_equal(counted(&f, 2, "exit"), 2);
	assert_int_equal(counted(&f, 2, "drop-no-link"), 1);
	end(&f);
}

static void what_stays_here_has_no_exit(void **state)
{
	static struct fixture f;
	(void)state;
	begin_with_exits(&f, false);
	plane_set_health(f.ports[0], true, 0, 0, 0);
	wire_in(&f.wires[2], "10.0.0.4", "10.0.0.1");
	wire_in(&f.wires[2], "10.0.0.4", "192.168.0.9");
	wire_in(&f.wires[0], "10.0.0.2", "198.51.100.1"); /* itself an exit */
	assert_out(&f, 3, 0, 0);
	wire_in(&f.device, "192.168.0.9", "198.51.100.1"); /* no office */
	wire_in(&f.wires[2], "10.0.0.4", "10.0.0.3");
	assert_out(&f, 0, 0, 1);
	end(&f);
}

/* Those that are not its first one, which is exempt anyway. */
static void the_servers_addresses_have_no_exit(void **state)
{
	static struct fixture f;
	static struct weft_ip ips[] = {
		{ .family = AF_INET, .prefix = 24, .octet = { 203, 0, 113, 1 } },
	};
	(void)state;
	site_init(&f.site, "10.0.0.1/24");
	f.site.conf.ips = ips;
	f.site.conf.ips_n = 1;
	site_client(&f.site, "a", "gate", "10.0.0.2", "");
	site_client(&f.site, "b", "", "10.0.0.3", "");
	site_exit(&f.site, "b", "gate", false);
	begin(&f);
	plane_set_health(f.ports[0], true, 0, 0, 0);
	wire_in(&f.wires[1], "10.0.0.3", "203.0.113.1");
	assert_out(&f, 1, 0, 0);
	wire_in(&f.wires[1], "10.0.0.3", "203.0.113.2");
	assert_out(&f, 0, 1, 0);
	wire_in(&f.wires[0], "203.0.113.1", "10.0.0.3");
	assert_out(&f, 0, 0, 0);
	wire_in(&f.wires[0], "203.0.113.2", "10.0.0.3");
	assert_out(&f, 0, 0, 1);
	end(&f);
}

static void exits_answer_to_those_who_use_them(void **state)
{
	static struct fixture f;
	(void)state;
	begin_with_exits(&f, true);
	wire_in(&f.wires[0], "198.51.100.1", "10.0.0.4");
	wire_in(&f.wires[1], "198.51.100.1", "10.0.0.4");
	assert_int_equal(wire_take(&f.wires[2]), 2);
	wire_in(&f.wires[0], "198.51.100.1", "10.0.0.1");
	wire_in(&f.wires[0], "198.51.100.1", "10.0.0.3");
	wire_in(&f.wires[0], "192.168.0.9", "10.0.0.4");
	wire_in(&f.wires[2], "198.51.100.1", "10.0.0.2");
	wire_in(&f.wires[3], "198.51.100.1", "10.0.0.4");
	assert_out(&f, 0, 0, 0);
	assert_int_equal(wire_take(&f.wires[2]), 0);
	assert_int_equal(counted(&f, -1, "drop-spoofed"), 5);
	end(&f);
}

static void flows_are_spread_and_each_stays(void **state)
{
	static struct fixture f;
	(void)state;
	begin_with_exits(&f, true);
	plane_set_health(f.ports[0], true, 20 * MS, 0, 0);
	plane_set_health(f.ports[1], true, 40 * MS, 0, 0);
	size_t n[2] = { 0, 0 };
	for (uint16_t i = 0; i < 300; i++) {
		wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .sport = i);
		wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .sport = i);
		const size_t a = wire_take(&f.wires[0]), b = wire_take(&f.wires[1]);
		assert_true((a == 2 && b == 0) || (a == 0 && b == 2));
		n[0] += a;
		n[1] += b;
	}
	/* Of 300 flows about 200 and 100; the secret is always the same. */
	assert_true(n[0] + n[1] == 600 && n[0] > 340 && n[0] < 460);
	end(&f);
}

/* All clients stay, one more comes: a flow goes on where it was. */
static void exits_go_on_with_a_changed_configuration(void **state)
{
	static struct fixture f;
	static struct site after;
	(void)state;
	begin_with_exits(&f, false);
	plane_set_health(f.ports[0], true, 100 * MS, 0, S);
	plane_tick(f.plane, S);
	plane_set_health(f.ports[1], true, 90 * MS, 0, 2 * S);
	site_init(&after, "10.0.0.1/24");
	site_client(&after, "new", "gate", "10.0.0.9", "");
	site_client(&after, "c", "office", "10.0.0.4", "");
	site_client(&after, "b", "gate", "10.0.0.3", "");
	site_client(&after, "a", "gate", "10.0.0.2", "");
	site_exit(&after, "office", "gate", false);
	change(&f, &after);
	for (unsigned i = 0; i < 3; i++)
		plane_join(f.ports[i], &after.clients[3 - i]);
	wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .now = 3 * S);
	assert_out(&f, 0, 1, 0);
	plane_remove(f.ports[0]);
	wire_in(&f.wires[2], "10.0.0.4", "198.51.100.1", .now = 3 * S);
	assert_out(&f, 0, 0, 1);
	end(&f);
}

/* ---- more than one ----------------------------------------------------------------------- */

/* Lets what came out of one link come in on another. */
static void pass_on(struct wire *from, struct wire *to, size_t n)
{
	assert_int_equal(wire_take(from), n);
	const struct weft_frame frame = { .data = from->sent, .len = from->sent_len };
	if (n > 0)
		link_deliver(&to->link, &frame, 1, 0);
}

/* A client of the first server is the machine of the second: 10.0.0.3 --- 10.1.0.1. */
static void two_planes_in_a_row(void **state)
{
	static struct fixture near, far;
	(void)state;
	site_init(&near.site, "10.0.0.1/24 fd00::1/64");
	site_client(&near.site, "a", "", "10.0.0.2 fd00::2", "");
	site_client(&near.site, "b", "", "10.0.0.3 10.1.0.0/24 fd01::/64", "");
	site_rule(&near.site, "a", "b", 0, "");
	begin(&near);
	site_init(&far.site, "10.1.0.1/24 fd01::1/64");
	site_client(&far.site, "c", "", "10.1.0.2 fd01::2", "");
	site_client(&far.site, "d", "", "10.1.0.3 fd01::3", "");
	site_rule(&far.site, WEFT_TUNNEL_SELF, "c", IPPROTO_UDP, "53");
	begin(&far);
	static const char *const ends[][3] = { { "10.0.0.2", "10.1.0.2", "10.1.0.3" },
					       { "fd00::2", "fd01::2", "fd01::3" } };
	for (size_t i = 0; i < 2; i++) {
		const char *a = ends[i][0], *c = ends[i][1], *d = ends[i][2];
		wire_in(&near.wires[0], a, c, .sport = 9, .dport = 53);
		pass_on(&near.wires[1], &far.device, 1);
		assert_out(&far, 0, 1, 0);
		wire_in(&far.wires[0], c, a, .sport = 53, .dport = 9);
		pass_on(&far.device, &near.wires[1], 1);
		assert_out(&near, 0, 1, 0);
		/* The near one lets it pass, the far one does not, */
		wire_in(&near.wires[0], a, d, .sport = 9, .dport = 53);
		pass_on(&near.wires[1], &far.device, 1);
		assert_out(&far, 0, 0, 0);
		/* nor anybody there speak first, nor lie. */
		wire_in(&far.wires[1], d, a, .sport = 53, .dport = 9);
		wire_in(&far.wires[1], c, a, .sport = 53, .dport = 9);
		assert_out(&far, 0, 0, 0);
	}
	assert_int_equal(counted(&far, 1, "drop-denied"), 2);
	assert_int_equal(counted(&far, 1, "drop-spoofed"), 2);
	assert_int_equal(counted(&far, -1, "drop-denied"), 4);
	end(&near);
	end(&far);
}

/* ---- faults and facts -------------------------------------------------------------------- */

/* As it was, though the one that wants another's address is not the last. */
static void a_refused_configuration_changes_nothing(void **state)
{
	static struct fixture f;
	static struct site after;
	struct weft_error err;
	(void)state;
	begin_two_sites(&f);
	site_init(&after, "10.0.0.1/24");
	site_client(&after, "a", "", "10.0.0.2", "");
	site_client(&after, "b", "", "10.0.0.3 10.0.0.2", "");
	site_client(&after, "c", "", "10.0.0.4", "");
	for (unsigned times = 0; times < 2; times++) {
		assert_int_equal(plane_prepare(f.plane, &after.conf, &err), -EEXIST);
		assert_string_equal(err.text,
				    "b: an address, route or source of this client is "
				    "another client's as well");
		wire_in(&f.device, "10.0.0.1", "10.0.0.2");
		wire_in(&f.device, "10.0.0.1", "192.168.1.9");
		wire_in(&f.wires[0], "10.0.0.2", "192.168.0.1");
		assert_out(&f, 1, 2, 0);
	}
	end(&f);
}

static void what_is_prepared_can_be_forgotten(void **state)
{
	static struct fixture f;
	static struct site after;
	static struct wire spare;
	struct plane_port *port;
	(void)state;
	begin_two_sites(&f);
	site_init(&after, "10.0.0.1/24");
	site_client(&after, "c", "", "10.0.0.4 192.168.1.0/24", "");
	wire_init(&spare, WEFT_LINK_IP);
	for (unsigned times = 0; times < 2; times++) {
		assert_int_equal(plane_prepare(f.plane, &after.conf, NULL), 0);
		assert_int_equal(
			plane_add(f.plane, &after.clients[0], &spare.link, NULL, &port),
			0);
		wire_in(&f.device, "10.0.0.1", "192.168.1.9");
		assert_out(&f, 0, 1, 0);
		plane_remove(port);
		plane_cancel(f.plane);
	}
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 1, 0);
	change(&f, &after);
	plane_remove(f.ports[0]);
	plane_join(f.ports[1], &after.clients[0]);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 0, 1);
	wire_fini(&spare);
	end(&f);
}

static void what_cannot_be_is_refused_at_once(void **state)
{
	static struct fixture f;
	static struct wire spare;
	struct weft_error err;
	(void)state;
	site_init(&f.site, "10.0.0.1/24");
	site_client(&f.site, "a", "", "10.0.0.2 192.168.1.0/24", "");
	site_client(&f.site, "b", "", "10.0.0.3 192.168.1.0/24", "");
	assert_int_equal(plane_new(&f.site.conf, secret, NULL, &err, &f.plane), -EEXIST);
	wire_init(&spare, 0);
	assert_int_equal(plane_new(&f.site.conf, secret, &spare.link, &err, &f.plane),
			 -EINVAL);
	wire_fini(&spare);
	/* What one client has twice is no fault. */
	f.site.clients[1].routes = f.site.clients[1].ips;
	begin(&f);
	change(&f, &f.site);
	plane_join(f.ports[0], &f.site.clients[0]);
	plane_join(f.ports[1], &f.site.clients[1]);
	plane_remove(NULL);
	end(&f);
}

static void what_is_known_is_told(void **state)
{
	static struct fixture f;
	(void)state;
	site_init(&f.site, "10.0.0.1/24");
	site_client(&f.site, "a", "gate", "10.0.0.2", "");
	site_client(&f.site, "b", "", "10.0.0.3", "");
	site_rule(&f.site, "b", "gate", 0, "");
	site_exit(&f.site, "b", "gate", true);
	begin(&f);
	plane_set_health(f.ports[0], true, 0, 0, S);
	plane_tick(f.plane, S);
	wire_in(&f.wires[1], "10.0.0.3", "198.51.100.1", .now = S);
	wire_in(&f.wires[0], "10.0.0.2", "10.0.0.3", .now = S);
	json_t *json = plane_json(f.plane, S);
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"acl\":{\"datagrams\":0,\"datagrams_evicted\":0,"
				  "\"evicted\":0,\"flows\":1,"
				  "\"verdicts\":{\"denied\":1,\"new\":1}},"
				  "\"exits\":[{\"line\":101,\"mode\":\"balance\","
				  "\"shares_permille\":[1000],\"usable\":[\"a\"]}],"
				  "\"packets\":{\"drop-denied\":1,\"exit\":1}}");
	free(text);
	json_decref(json);
	plane_tick(f.plane, 121 * S);
	json = plane_json(f.plane, 121 * S);
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(json, "acl"), "flows")),
			 0);
	json_decref(json);
	end(&f);
}

/* ---- mode ethernet ----------------------------------------------------------------------- */

static void frame_in(struct wire *w, uint8_t dst, uint8_t src)
{
	uint8_t bytes[60] = { 2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 0x88, 0xb5 };
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) };
	link_deliver(&w->link, &frame, 1, 0);
}

static void ethernet_is_bridged(void **state)
{
	static struct fixture f;
	(void)state;
	site_init(&f.site, "");
	f.site.conf.mode = WEFT_TUNNEL_ETHERNET;
	site_client(&f.site, "a", "", "", "");
	site_client(&f.site, "b", "", "", "");
	begin(&f);
	frame_in(&f.wires[0], 9, 1);
	assert_out(&f, 1, 0, 1);
	frame_in(&f.device, 1, 9);
	assert_out(&f, 0, 1, 0);
	frame_in(&f.wires[1], 9, 2);
	assert_out(&f, 1, 0, 0);
	assert_int_equal(counted(&f, 0, "flooded"), 1);
	assert_int_equal(counted(&f, -1, "forwarded"), 2);
	plane_set_health(f.ports[0], true, 0, 0, 0);
	plane_tick(f.plane, 400 * S); /* everything learned is forgotten */
	frame_in(&f.wires[1], 9, 2);
	assert_out(&f, 1, 1, 0);
	plane_remove(f.ports[1]);
	frame_in(&f.wires[0], 9, 1);
	assert_out(&f, 1, 0, 0);
	static struct site after;
	site_init(&after, "");
	after.conf.mode = WEFT_TUNNEL_ETHERNET;
	site_client(&after, "a", "", "", "");
	change(&f, &after);
	plane_join(f.ports[0], &after.clients[0]);
	frame_in(&f.wires[0], 9, 1);
	assert_out(&f, 1, 0, 0);
	end(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_go_where_the_configuration_says),
		cmocka_unit_test(who_lies_about_its_address_is_not_heard),
		cmocka_unit_test(a_removed_client_is_nobody),
		cmocka_unit_test(a_changed_configuration_is_applied),
		cmocka_unit_test(only_what_a_rule_allows_passes),
		cmocka_unit_test(a_rule_speaks_of_who_sends),
		cmocka_unit_test(new_rules_end_what_they_deny),
		cmocka_unit_test(the_better_exit_has_all_and_the_other_takes_over),
		cmocka_unit_test(what_stays_here_has_no_exit),
		cmocka_unit_test(the_servers_addresses_have_no_exit),
		cmocka_unit_test(exits_answer_to_those_who_use_them),
		cmocka_unit_test(two_planes_in_a_row),
		cmocka_unit_test(exits_go_on_with_a_changed_configuration),
		cmocka_unit_test(a_refused_configuration_changes_nothing),
		cmocka_unit_test(what_is_prepared_can_be_forgotten),
		cmocka_unit_test(what_cannot_be_is_refused_at_once),
		cmocka_unit_test(what_is_known_is_told),
		cmocka_unit_test(flows_are_spread_and_each_stays),
		cmocka_unit_test(ethernet_is_bridged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
