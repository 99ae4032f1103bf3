/* SPDX-License-Identifier: MIT */
/*
 * A whole plane on links in memory, set up by a configuration.
 */
#include "tunnel/plane.h"

#include "../unit.h"
#include "site.h"
#include "wires.h"

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
	}
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
	assert_int_equal(plane_apply(f.plane, &after.conf, NULL), 0);
	assert_int_equal(plane_port_apply(f.ports[1], &after.clients[0], NULL), 0);
	assert_int_equal(plane_port_apply(f.ports[0], &after.clients[1], NULL), 0);
	wire_in(&f.device, "10.0.0.1", "192.168.1.9");
	assert_out(&f, 0, 0, 1);
	wire_in(&f.wires[1], "10.0.0.3", "192.168.0.1"); /* not exempt any more */
	assert_out(&f, 0, 1, 0);
	wire_in(&f.wires[0], "10.0.0.2", "198.51.100.1"); /* not pinned any more */
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
