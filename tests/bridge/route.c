/* SPDX-License-Identifier: MIT */
/*
 * Where packets go, rule by rule: tapotun's (with no source check), and what weft adds. The
 * server is 10.0.0.1, with a further address that is not exempt:
 *
 *     uplink --- server 10.0.0.1, 10.9.9.9
 *                  +-- A: 10.0.0.2, 192.168.0.0/16, 2001:db8::2      pins B and C and itself
 *                  +-- B: 10.0.0.3, 192.168.5.0/24, 2001:db8::3
 *                  '-- C: 10.0.0.4
 */
#include "../unit.h"

#include <weft/router.h>

#include <errno.h>
#include <string.h>

enum { UP, A, B, C, PORTS };

struct world {
	struct weft_router *router;
	struct weft_router_port *ports[PORTS];
};

static struct weft_ip ip(const char *text)
{
	struct weft_ip parsed;
	assert_int_equal(weft_ip_parse(text, &parsed), 0);
	return parsed;
}

static void network(const struct world *w, int port, const char *text)
{
	struct weft_ip parsed = ip(text);
	assert_int_equal(weft_router_add_network(w->router, w->ports[port], &parsed), 0);
}

static void pin(const struct world *w, int port, const char *text)
{
	struct weft_ip parsed = ip(text);
	assert_int_equal(weft_router_add_pin(w->router, w->ports[port], &parsed), 0);
}

static void exempt(const struct world *w, const char *text)
{
	struct weft_ip parsed = ip(text);
	assert_int_equal(weft_router_exempt(w->router, &parsed), 0);
}

static void make(struct world *w, struct weft_router_port_opts client)
{
	const struct weft_router_port_opts up = { .uplink = true };
	assert_int_equal(weft_router_new(NULL, &w->router), 0);
	for (int i = 0; i < PORTS; i++)
		assert_int_equal(weft_router_add(w->router, NULL, i == UP ? &up : &client,
						 &w->ports[i]),
				 0);
	network(w, A, "10.0.0.2");
	network(w, A, "192.168.0.0/16");
	network(w, A, "2001:db8::2");
	network(w, B, "10.0.0.3");
	network(w, B, "192.168.5.0/24");
	network(w, B, "2001:db8::3");
	network(w, C, "10.0.0.4");
	pin(w, A, "10.0.0.3");
	pin(w, A, "2001:db8::3");
	pin(w, A, "10.0.0.2");
	pin(w, A, "172.16.0.0/12");
	pin(w, C, "172.16.9.0/24");
	exempt(w, "10.0.0.1");
	exempt(w, "10.77.0.0/16");
}

static struct world world;

static int set_up_original(void **state)
{
	make(&world, (struct weft_router_port_opts){ .no_source_check = true });
	*state = &world;
	return 0;
}

static int set_up_checked(void **state)
{
	make(&world, (struct weft_router_port_opts){ 0 });
	*state = &world;
	return 0;
}

static int set_up_isolated(void **state)
{
	make(&world,
	     (struct weft_router_port_opts){ .no_source_check = true, .isolated = true });
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	weft_router_free(world.router);
	return 0;
}

static struct weft_router_verdict verdict(int from, const char *src, const char *dst)
{
	struct weft_router_verdict v;
	struct weft_ip s = ip(src), d = ip(dst);
	assert_int_equal(weft_router_explain(world.router, world.ports[from], &s, &d, &v),
			 0);
	assert_ptr_equal(v.ingress, world.ports[from]);
	return v;
}

#define assert_goes(from, src, dst, how, to)                             \
	do {                                                             \
		struct weft_router_verdict v_ = verdict(from, src, dst); \
		assert_int_equal(v_.outcome, how);                       \
		assert_ptr_equal(v_.egress, world.ports[to]);            \
	} while (0)

#define assert_dropped(from, src, dst, how)                              \
	do {                                                             \
		struct weft_router_verdict v_ = verdict(from, src, dst); \
		assert_int_equal(v_.outcome, how);                       \
		assert_null(v_.egress);                                  \
	} while (0)

/* ---- the original's rules ---------------------------------------------------------------- */

static void from_the_tun_the_longest_prefix_decides(void **state)
{
	(void)state;
	assert_goes(UP, "8.8.8.8", "10.0.0.2", WEFT_ROUTER_FORWARDED, A);
	assert_goes(UP, "8.8.8.8", "192.168.1.1", WEFT_ROUTER_FORWARDED, A);
	assert_goes(UP, "8.8.8.8", "192.168.5.1", WEFT_ROUTER_FORWARDED, B);
	/* Before the source is asked. */
	assert_goes(UP, "172.16.0.1", "10.0.0.4", WEFT_ROUTER_FORWARDED, C);
}

static void from_the_tun_the_source_is_next(void **state)
{
	(void)state;
	assert_goes(UP, "172.16.0.1", "8.8.8.8", WEFT_ROUTER_PINNED, A);
	assert_goes(UP, "172.16.9.1", "8.8.8.8", WEFT_ROUTER_PINNED, C);
	/* The exemption is for what comes from clients. */
	assert_goes(UP, "172.16.0.1", "10.77.0.1", WEFT_ROUTER_PINNED, A);
	assert_goes(UP, "172.16.0.1", "10.0.0.1", WEFT_ROUTER_PINNED, A);
}

static void from_the_tun_the_rest_is_dropped(void **state)
{
	(void)state;
	assert_dropped(UP, "8.8.8.8", "9.9.9.9", WEFT_ROUTER_DROP_NO_ROUTE);
	assert_dropped(UP, "10.0.0.1", "224.0.0.1", WEFT_ROUTER_DROP_NO_ROUTE);
}

static void clients_reach_each_other(void **state)
{
	(void)state;
	assert_goes(A, "10.0.0.2", "10.0.0.4", WEFT_ROUTER_FORWARDED, C);
	assert_goes(C, "10.0.0.4", "192.168.5.1", WEFT_ROUTER_FORWARDED, B);
	assert_goes(C, "10.0.0.4", "192.168.6.1", WEFT_ROUTER_FORWARDED, A);
	/* Also where the source is pinned. */
	assert_goes(B, "10.0.0.3", "10.0.0.4", WEFT_ROUTER_FORWARDED, C);
}

/* What is longest but one's own makes room for what is shorter and another's. */
static void a_clients_own_entries_do_not_count(void **state)
{
	(void)state;
	assert_goes(B, "10.0.0.9", "192.168.5.1", WEFT_ROUTER_FORWARDED, A);
	assert_goes(C, "10.0.0.4", "10.0.0.4", WEFT_ROUTER_UPLINK, UP);
	assert_goes(A, "10.0.0.9", "192.168.1.1", WEFT_ROUTER_UPLINK, UP);
}

static void a_pinned_source_goes_to_its_client(void **state)
{
	(void)state;
	assert_goes(B, "10.0.0.3", "8.8.8.8", WEFT_ROUTER_PINNED, A);
	assert_goes(C, "172.16.1.1", "8.8.8.8", WEFT_ROUTER_PINNED, A);
	assert_goes(B, "172.16.9.1", "8.8.8.8", WEFT_ROUTER_PINNED, C);
}

static void even_to_the_client_itself(void **state)
{
	(void)state;
	assert_goes(A, "10.0.0.2", "8.8.8.8", WEFT_ROUTER_PINNED, A);
}

static void not_to_the_server_nor_its_routes(void **state)
{
	(void)state;
	assert_goes(B, "10.0.0.3", "10.0.0.1", WEFT_ROUTER_UPLINK, UP);
	assert_goes(B, "10.0.0.3", "10.77.1.2", WEFT_ROUTER_UPLINK, UP);
	/* The server's further addresses are not exempt. */
	assert_goes(B, "10.0.0.3", "10.9.9.9", WEFT_ROUTER_PINNED, A);
}

static void the_rest_of_a_client_is_written_to_the_tun(void **state)
{
	(void)state;
	assert_goes(C, "10.0.0.4", "8.8.8.8", WEFT_ROUTER_UPLINK, UP);
	assert_goes(C, "10.0.0.4", "10.0.0.1", WEFT_ROUTER_UPLINK, UP);
	assert_goes(C, "10.0.0.4", "224.0.0.1", WEFT_ROUTER_UPLINK, UP);
}

/* No check: the original takes whatever a client says. */
static void a_source_may_be_anything(void **state)
{
	(void)state;
	assert_goes(C, "10.0.0.2", "10.0.0.3", WEFT_ROUTER_FORWARDED, B);
	assert_goes(C, "10.0.0.1", "8.8.8.8", WEFT_ROUTER_UPLINK, UP);
}

/* A network that covers the server's own address comes before it. */
static void a_network_may_cover_the_server(void **state)
{
	const struct world *w = *state;
	network(w, B, "10.0.0.0/24");
	assert_goes(C, "10.0.0.4", "10.0.0.1", WEFT_ROUTER_FORWARDED, B);
}

/* ---- what differs ------------------------------------------------------------------------ */

static void ip6_goes_by_the_same_rules(void **state)
{
	(void)state;
	assert_goes(UP, "2001:db8:1::1", "2001:db8::2", WEFT_ROUTER_FORWARDED, A);
	assert_goes(A, "2001:db8::2", "2001:db8::3", WEFT_ROUTER_FORWARDED, B);
	assert_goes(B, "2001:db8::3", "2600::1", WEFT_ROUTER_PINNED, A);
	assert_goes(A, "2001:db8::2", "2600::1", WEFT_ROUTER_UPLINK, UP);
	assert_dropped(UP, "2600::1", "2600::2", WEFT_ROUTER_DROP_NO_ROUTE);
}

static void host_bits_do_not_matter(void **state)
{
	const struct world *w = *state;
	network(w, C, "192.168.5.77/28");
	assert_goes(UP, "8.8.8.8", "192.168.5.65", WEFT_ROUTER_FORWARDED, C);
	struct weft_ip same = ip("192.168.5.70/28");
	assert_int_equal(weft_router_add_network(w->router, w->ports[B], &same), -EEXIST);
	weft_router_remove_network(w->router, &same);
	assert_goes(UP, "8.8.8.8", "192.168.5.65", WEFT_ROUTER_FORWARDED, B);
}

static void a_client_sends_from_what_is_its_own(void **state)
{
	(void)state;
	assert_goes(C, "10.0.0.4", "8.8.8.8", WEFT_ROUTER_UPLINK, UP);
	assert_goes(B, "192.168.5.9", "10.0.0.4", WEFT_ROUTER_FORWARDED, C);
	assert_goes(A, "192.168.1.1", "10.0.0.4", WEFT_ROUTER_FORWARDED, C);
	assert_dropped(C, "10.0.0.2", "10.0.0.3", WEFT_ROUTER_DROP_SPOOFED);
	assert_dropped(C, "10.0.0.5", "8.8.8.8", WEFT_ROUTER_DROP_SPOOFED);
	assert_dropped(C, "10.0.0.1", "10.0.0.3", WEFT_ROUTER_DROP_SPOOFED);
	/* In its network, but in a longer one of another. */
	assert_dropped(A, "192.168.5.9", "10.0.0.4", WEFT_ROUTER_DROP_SPOOFED);
	/* To have what others send does not make it one's own. */
	assert_dropped(A, "172.16.0.1", "8.8.8.8", WEFT_ROUTER_DROP_SPOOFED);
}

/* Whoever sends it; and what begins like it is somebody's. */
static void ip6_of_the_link_stays_there(void **state)
{
	static const char *const local[] = { "fe80::1", "febf:ffff::1", "ff02::2",
					     "ff0e::1", "::1",          "::" };
	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		assert_dropped(A, local[i], "2001:db8::3", WEFT_ROUTER_DROP_SCOPE);
		assert_dropped(A, "2001:db8::2", local[i], WEFT_ROUTER_DROP_SCOPE);
		assert_dropped(UP, local[i], "2001:db8::3", WEFT_ROUTER_DROP_SCOPE);
		assert_dropped(UP, "2600::1", local[i], WEFT_ROUTER_DROP_SCOPE);
	}
	assert_goes(A, "2001:db8::2", "::2", WEFT_ROUTER_UPLINK, UP);
	assert_goes(A, "2001:db8::2", "fec0::1", WEFT_ROUTER_UPLINK, UP);
	assert_goes(C, "10.0.0.4", "255.255.255.255", WEFT_ROUTER_UPLINK, UP);
}

/* A is B's way out: what the world answers to B comes from A, and from nobody else. */
static void a_way_out_answers_for_the_world(void **state)
{
	(void)state;
	assert_goes(A, "8.8.8.8", "10.0.0.3", WEFT_ROUTER_FORWARDED, B);
	assert_dropped(C, "8.8.8.8", "10.0.0.3", WEFT_ROUTER_DROP_SPOOFED);
	assert_dropped(A, "8.8.8.8", "10.0.0.4", WEFT_ROUTER_DROP_SPOOFED);
	/* For no client, and not for the server or its side. */
	assert_dropped(A, "10.0.0.4", "10.0.0.3", WEFT_ROUTER_DROP_SPOOFED);
	assert_dropped(A, "10.0.0.1", "10.0.0.3", WEFT_ROUTER_DROP_SPOOFED);
	assert_dropped(A, "10.77.0.1", "10.0.0.3", WEFT_ROUTER_DROP_SPOOFED);
}

static void isolated_ports_meet_only_others(void **state)
{
	(void)state;
	struct weft_router_verdict v = verdict(C, "10.0.0.4", "10.0.0.2");
	assert_int_equal(v.outcome, WEFT_ROUTER_DROP_ISOLATED);
	assert_ptr_equal(v.egress, world.ports[A]);
	v = verdict(B, "10.0.0.3", "8.8.8.8");
	assert_int_equal(v.outcome, WEFT_ROUTER_DROP_ISOLATED);
	assert_goes(UP, "8.8.8.8", "10.0.0.4", WEFT_ROUTER_FORWARDED, C);
	assert_goes(C, "10.0.0.4", "8.8.8.8", WEFT_ROUTER_UPLINK, UP);
	assert_goes(A, "10.0.0.2", "8.8.8.8", WEFT_ROUTER_PINNED, A);
}

/* ---- saying why -------------------------------------------------------------------------- */

static void assert_ip(const struct weft_ip *got, const char *expected)
{
	char text[WEFT_IP_TEXT] = "";
	assert_string_equal(got->family ? weft_ip_print(got, text) : "", expected);
}

static void assert_why(const struct weft_router_verdict *v, const char *network_text,
		       const char *pin_text, const char *exempt_text)
{
	assert_ip(&v->network, network_text);
	assert_ip(&v->pin, pin_text);
	assert_ip(&v->exempt, exempt_text);
}

static void a_verdict_says_why(void **state)
{
	(void)state;
	struct weft_router_verdict v = verdict(UP, "8.8.8.8", "192.168.5.1");
	assert_why(&v, "192.168.5.0/24", "", "");
	v = verdict(UP, "172.16.0.1", "8.8.8.8");
	assert_why(&v, "", "172.16.0.0/12", "");
	v = verdict(B, "10.0.0.3", "10.77.1.2");
	assert_why(&v, "", "10.0.0.3", "10.77.0.0/16");
	v = verdict(C, "10.0.0.4", "8.8.8.8");
	assert_why(&v, "", "", "");
	v = verdict(C, "192.168.5.9", "8.8.8.8");
	assert_int_equal(v.outcome, WEFT_ROUTER_DROP_SPOOFED);
	assert_why(&v, "192.168.5.0/24", "", "");
}

static void where_it_comes_in_is_found(void **state)
{
	const struct world *w = *state;
	struct weft_router_verdict v;
	struct weft_ip a = ip("192.168.1.1"), b = ip("10.0.0.3"),
		       world_ip = ip("8.8.8.8");
	assert_int_equal(weft_router_explain(w->router, NULL, &a, &b, &v), 0);
	assert_ptr_equal(v.ingress, w->ports[A]);
	assert_ptr_equal(v.egress, w->ports[B]);
	assert_int_equal(weft_router_explain(w->router, NULL, &world_ip, &b, &v), 0);
	assert_ptr_equal(v.ingress, w->ports[UP]);
	weft_router_remove(w->router, w->ports[UP]);
	assert_int_equal(weft_router_explain(w->router, NULL, &world_ip, &b, &v),
			 -ENOENT);
}

static void only_addresses_can_be_asked_about(void **state)
{
	const struct world *w = *state;
	struct weft_router_verdict v;
	struct weft_ip a = ip("10.0.0.2"), net = ip("10.0.0.0/24"), v6 = ip("::1"),
		       none = { 0 };
	assert_int_equal(weft_router_explain(w->router, NULL, &a, &net, &v), -EINVAL);
	assert_int_equal(weft_router_explain(w->router, NULL, &net, &a, &v), -EINVAL);
	assert_int_equal(weft_router_explain(w->router, NULL, &a, &v6, &v), -EINVAL);
	assert_int_equal(weft_router_explain(w->router, NULL, &none, &a, &v), -EINVAL);
	/* As many bits as an address of the other family has. */
	struct weft_ip net6 = ip("2001:db8::/32");
	assert_int_equal(weft_router_explain(w->router, NULL, &a, &net6, &v), -EINVAL);
}

#define original(f) cmocka_unit_test_setup_teardown(f, set_up_original, tear_down)
#define checked(f)  cmocka_unit_test_setup_teardown(f, set_up_checked, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		original(from_the_tun_the_longest_prefix_decides),
		original(from_the_tun_the_source_is_next),
		original(from_the_tun_the_rest_is_dropped),
		original(clients_reach_each_other),
		original(a_clients_own_entries_do_not_count),
		original(a_pinned_source_goes_to_its_client),
		original(even_to_the_client_itself),
		original(not_to_the_server_nor_its_routes),
		original(the_rest_of_a_client_is_written_to_the_tun),
		original(a_source_may_be_anything),
		original(a_network_may_cover_the_server),
		original(ip6_goes_by_the_same_rules),
		original(host_bits_do_not_matter),
		original(ip6_of_the_link_stays_there),
		checked(a_client_sends_from_what_is_its_own),
		checked(a_way_out_answers_for_the_world),
		cmocka_unit_test_setup_teardown(isolated_ports_meet_only_others,
						set_up_isolated, tear_down),
		checked(a_verdict_says_why),
		checked(where_it_comes_in_is_found),
		checked(only_addresses_can_be_asked_about),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
