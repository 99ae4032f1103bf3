/* SPDX-License-Identifier: MIT */
/*
 * The stateless DHCPv6 client on a stack, with the test as its server: what it says and when,
 * whom it believes, and when it asks anew. Time is virtual.
 *
 *     [ client, stack, fe80::.. ] --- wire --- the test: fe80::1
 */
#include "../stack/world.h"
#include "base/mac.h"
#include "base/time.h"
#include "wire/dhcp6.h"
#include "wire/udp.h"

#include <weft/dhcp6c.h>

#include <errno.h>
#include <string.h>

#define SERVER   "fe80::1"
#define ASKS_MAX 64u
#define HOUR_NS  (3600 * NS_PER_S)
#define DAY_S    86400u
#define DAY_NS   (DAY_S * NS_PER_S)

struct net {
	struct world w;
	struct weft_dhcp6c *client;
	/* What it has asked, and when. */
	struct dhcp6_msg asked[ASKS_MAX];
	uint64_t asked_at[ASKS_MAX];
	unsigned asked_n;
	struct weft_ip own; /* where it asked from */
	/* What the user has heard. */
	struct weft_dns dns;
	unsigned told_n;
};

static void on_told(void *user, const struct weft_dns *dns, uint64_t now)
{
	struct net *net = user;
	assert_true(now == net->w.now);
	net->dns = *dns;
	net->told_n++;
}

static struct weft_dhcp6c_opts opts_of(struct net *net)
{
	return (struct weft_dhcp6c_opts){ .stack = net->w.stack,
					  .iface = net->w.iface,
					  .seed = test_seed(),
					  .told = on_told,
					  .user = net };
}

/* An interface whose link-local address is there already, and nothing else. */
static void begin(struct net *net)
{
	const struct world_opts world = { .is_bare = true };
	*net = (struct net){ .told_n = 0 };
	world_init(&net->w, &world);
	world_pass(&net->w, 20 * NS_PER_S);
	tx_forget(&net->w);
	const struct weft_dhcp6c_opts opts = opts_of(net);
	assert_int_equal(weft_dhcp6c_new(&opts, &net->client), 0);
}

static void end(struct net *net)
{
	weft_dhcp6c_free(net->client);
	world_fini(&net->w);
}

static void note(struct net *net, const struct seen *s)
{
	struct dhcp6_msg *msg = &net->asked[net->asked_n];
	struct udp_hdr udp;
	const int n =
		s->proto == IPPROTO_UDP ? udp_hdr_parse(s->payload, s->len, &udp) : -1;
	if (n < 0)
		return;
	assert_int_equal(udp.sport, DHCP6_CLIENT_PORT);
	assert_int_equal(udp.dport, DHCP6_SERVER_PORT);
	assert_string_equal(text(&s->dst), "ff02::1:2");
	assert_true(net->asked_n < ASKS_MAX);
	assert_int_equal(dhcp6_msg_parse(s->payload + n, udp.len - (size_t)n, msg), 0);
	net->asked_at[net->asked_n++] = net->w.now;
	net->own = s->src;
}

static void run(struct net *net)
{
	struct weft_task *task = weft_dhcp6c_task(net->client);
	for (unsigned i = 0; task->deadline(task) <= net->w.now; i++) {
		assert_true(i < 8);
		task->run(task, net->w.now);
	}
	world_run(&net->w);
	while (net->w.taken < net->w.sent_n) {
		const struct seen s = see(&net->w.sent[net->w.taken++]);
		note(net, &s);
	}
	tx_forget(&net->w);
}

/* Lets time pass until it asks the next time, or the time is over; true if it asked. */
static bool wait_for_asking(struct net *net, uint64_t ns)
{
	const unsigned before = net->asked_n;
	struct weft_task *task = weft_dhcp6c_task(net->client);
	const uint64_t until = net->w.now + ns;
	run(net);
	while (net->asked_n == before && task->deadline(task) <= until) {
		world_pass(&net->w, task->deadline(task) - net->w.now);
		run(net);
	}
	if (net->asked_n == before)
		world_pass(&net->w, until - net->w.now);
	return net->asked_n > before;
}

/* A good answer to what was asked last. */
static struct dhcp6_msg answer(const struct net *net)
{
	const struct dhcp6_msg *asked = &net->asked[net->asked_n - 1];
	const struct weft_mac server = { { 2, 0, 0, 0, 0, 9 } };
	const struct ip_addr dns = addr("2001:db8::53");
	struct dhcp6_msg msg = { .type = DHCP6_REPLY,
				 .xid = asked->xid,
				 .client_id = asked->client_id,
				 .server_id = dhcp6_duid_of_mac(server),
				 .servers_n = 1,
				 .servers = { addr_to_ip6(&dns) },
				 .domains_n = 1 };
	assert_int_equal(dns_name_of_text("LAN.example", &msg.domains[0]), 0);
	return msg;
}

static void say_bytes(struct net *net, const uint8_t *bytes, size_t len)
{
	char own[WEFT_IP_TEXT];
	const struct packet p = { .src = SERVER,
				  .dst = weft_ip_print(&net->own, own),
				  .proto = IPPROTO_UDP,
				  .ttl = 64,
				  .sport = DHCP6_SERVER_PORT,
				  .dport = DHCP6_CLIENT_PORT };
	assert_outcome(rx_packet(&net->w, &p, bytes, len), DELIVERED);
	run(net);
}

static void say(struct net *net, const struct dhcp6_msg *msg)
{
	uint8_t bytes[DHCP6_LEN_MAX];
	const int n = dhcp6_msg_emit(bytes, sizeof(bytes), msg);
	assert_true(n > 0);
	say_bytes(net, bytes, (size_t)n);
}

static uint64_t count(const struct net *net, enum weft_dhcp6c_outcome outcome)
{
	return weft_dhcp6c_count(net->client, outcome);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void asks_all_servers_within_a_second(void **state)
{
	struct net net;
	(void)state;
	begin(&net);
	const uint64_t begun = net.w.now;
	assert_true(wait_for_asking(&net, NS_PER_S));
	const struct dhcp6_msg *msg = &net.asked[0];
	const struct dhcp6_duid duid = dhcp6_duid_of_mac(net.w.iface->mac);
	assert_in_range(net.asked_at[0] - begun, 0, NS_PER_S);
	assert_int_equal(msg->type, DHCP6_INFORMATION_REQUEST);
	assert_true(dhcp6_duid_equal(&msg->client_id, &duid));
	assert_int_equal(msg->server_id.len, 0);
	assert_true(msg->has_elapsed && msg->elapsed_cs == 0);
	assert_int_equal(msg->requested_n, 4);
	assert_int_equal(msg->requested[0], DHCP6_OPT_DNS_SERVERS);
	assert_int_equal(msg->requested[1], DHCP6_OPT_DOMAINS);
	assert_int_equal(msg->requested[2], DHCP6_OPT_REFRESH);
	assert_int_equal(msg->requested[3], DHCP6_OPT_INF_MAX_RT);
	assert_true(net.own.octet[0] == 0xfe && net.own.octet[1] == 0x80);
	end(&net);
}

/* RFC 8415, 15: each pause is twice the last, give or take a tenth, up to INF_MAX_RT. */
static void asks_again_after_twice_as_long(void **state)
{
	struct net net;
	uint64_t last = 0;
	(void)state;
	begin(&net);
	for (unsigned i = 0; i < 16; i++)
		assert_true(wait_for_asking(&net, 2 * HOUR_NS));
	for (unsigned i = 1; i < net.asked_n; i++) {
		const uint64_t pause = net.asked_at[i] - net.asked_at[i - 1];
		const uint64_t elapsed =
			(net.asked_at[i] - net.asked_at[0]) / (10 * NS_PER_MS);
		const uint64_t least = i == 1 ? NS_PER_S * 9 / 10 : last * 19 / 10;
		const uint64_t most = i == 1 ? NS_PER_S * 11 / 10 : last * 21 / 10 + 1;
		if (most < 3600 * NS_PER_S)
			assert_in_range(pause, least, most);
		assert_true(pause <= 3960 * NS_PER_S);
		if (i >= 14)
			assert_true(pause >= 3240 * NS_PER_S);
		assert_int_equal(net.asked[i].xid, net.asked[0].xid);
		assert_int_equal(net.asked[i].elapsed_cs,
				 elapsed < UINT16_MAX ? elapsed : UINT16_MAX);
		last = pause;
	}
	end(&net);
}

/* RFC 8415, 21.25: the limit is the server's, if it is a sensible one. */
static void the_server_sets_the_longest_pause(void **state)
{
	static const uint32_t said[] = { 120, 59, 86401, 0 };
	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(said); k++) {
		struct net net;
		const uint64_t limit_ns = (k == 0 ? 120 : 3600) * NS_PER_S;
		begin(&net);
		assert_true(wait_for_asking(&net, NS_PER_S));
		struct dhcp6_msg msg = answer(&net);
		msg.inf_max_rt_s = said[k];
		say(&net, &msg);
		assert_int_equal(net.told_n, 1);
		for (unsigned i = 0; i < 15; i++)
			assert_true(wait_for_asking(&net, 2 * DAY_NS));
		const uint64_t pause =
			net.asked_at[net.asked_n - 1] - net.asked_at[net.asked_n - 2];
		assert_in_range(pause, limit_ns * 9 / 10, limit_ns * 11 / 10);
		end(&net);
	}
}

/* An interface whose address is not known to be its own yet cannot send. */
static void begins_before_there_is_an_address(void **state)
{
	const struct world_opts world = { .is_bare = true };
	struct net net = { .told_n = 0 };
	(void)state;
	world_init(&net.w, &world);
	const struct weft_dhcp6c_opts opts = opts_of(&net);
	assert_int_equal(weft_dhcp6c_new(&opts, &net.client), 0);
	assert_true(wait_for_asking(&net, 10 * NS_PER_S));
	struct dhcp6_msg msg = answer(&net);
	say(&net, &msg);
	assert_int_equal(net.told_n, 1);
	end(&net);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void tells_what_a_server_says(void **state)
{
	struct net net;
	(void)state;
	begin(&net);
	assert_true(wait_for_asking(&net, NS_PER_S));
	struct dhcp6_msg msg = answer(&net);
	const struct ip_addr strange[] = { addr("::"), addr("::1"), addr("ff02::1") };
	for (unsigned i = 0; i < ARRAY_LEN(strange); i++)
		msg.servers[msg.servers_n++] = addr_to_ip6(&strange[i]);
	assert_int_equal(dns_name_of_text("two words", &msg.domains[msg.domains_n++]), 0);
	say(&net, &msg);
	assert_int_equal(net.told_n, 1);
	assert_int_equal(net.dns.servers_n, 1);
	assert_string_equal(text(&net.dns.servers[0]), "2001:db8::53");
	assert_int_equal(net.dns.search_n, 1);
	assert_string_equal(net.dns.search[0], "lan.example");
	assert_int_equal(count(&net, WEFT_DHCP6C_TAKEN), 1);
	/* The first counts. */
	say(&net, &msg);
	assert_int_equal(net.told_n, 1);
	assert_int_equal(count(&net, WEFT_DHCP6C_DROP_UNEXPECTED), 1);
	end(&net);
}

/* RFC 8415, 16.10 and 18.2.10: after none of these does it stop asking. */
static void believes_none_but_its_server(void **state)
{
	struct net net;
	(void)state;
	begin(&net);
	assert_true(wait_for_asking(&net, NS_PER_S));
	struct dhcp6_msg msg = answer(&net);
	msg.xid ^= 1;
	say(&net, &msg);
	msg = answer(&net);
	msg.type = DHCP6_INFORMATION_REQUEST;
	say(&net, &msg);
	msg = answer(&net);
	msg.client_id.octet[9] ^= 1;
	say(&net, &msg);
	msg = answer(&net);
	msg.client_id.len = 0;
	say(&net, &msg);
	assert_int_equal(count(&net, WEFT_DHCP6C_DROP_NOT_OURS), 4);
	msg = answer(&net);
	msg.server_id.len = 0;
	say(&net, &msg);
	assert_int_equal(count(&net, WEFT_DHCP6C_DROP_SERVER), 1);
	msg = answer(&net);
	msg.status = 1; /* UnspecFail */
	say(&net, &msg);
	assert_int_equal(count(&net, WEFT_DHCP6C_DROP_STATUS), 1);
	say_bytes(&net, (const uint8_t *)"\x07\0", 2);
	assert_int_equal(count(&net, WEFT_DHCP6C_DROP_MALFORMED), 1);
	assert_int_equal(net.told_n, 0);
	assert_true(wait_for_asking(&net, 3 * NS_PER_S));
	msg = answer(&net);
	say(&net, &msg);
	assert_int_equal(net.told_n, 1);
	end(&net);
}

/* Cut anywhere, an answer says less or nothing, and never what it did not say. */
static void every_truncation_of_an_answer(void **state)
{
	struct net net;
	uint8_t bytes[DHCP6_LEN_MAX];
	(void)state;
	begin(&net);
	assert_true(wait_for_asking(&net, NS_PER_S));
	struct dhcp6_msg msg = answer(&net);
	msg.has_refresh = true;
	const int whole = dhcp6_msg_emit(bytes, sizeof(bytes), &msg);
	for (int n = 0; n < whole; n++) {
		struct dhcp6_msg cut;
		const unsigned before = net.told_n;
		const bool is_message = dhcp6_msg_parse(bytes, (size_t)n, &cut) == 0;
		say_bytes(&net, bytes, (size_t)n);
		if (net.told_n == before)
			continue;
		assert_true(is_message && cut.server_id.len > 0 && cut.client_id.len > 0);
		assert_true(net.dns.servers_n <= cut.servers_n);
		assert_true(wait_for_asking(&net, 2 * DAY_NS));
		msg.xid = net.asked[net.asked_n - 1].xid;
		assert_int_equal(dhcp6_msg_emit(bytes, sizeof(bytes), &msg), whole);
	}
	assert_int_equal(net.told_n, 3); /* behind the identifiers, each time */
	end(&net);
}

/* ---- asking anew ------------------------------------------------------------------------- */

/* RFC 8415, 21.23. */
static void asks_anew_when_it_is_time(void **state)
{
	static const struct {
		bool has_refresh;
		uint32_t said_s, meant_s;
	} cases[] = {
		{ false, 0, DAY_S },
		{ true, 3600, 3600 },
		{ true, 10, 600 },
		{ true, 0, 600 },
	};
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct net net;
		begin(&net);
		assert_true(wait_for_asking(&net, NS_PER_S));
		struct dhcp6_msg msg = answer(&net);
		msg.has_refresh = cases[i].has_refresh;
		msg.refresh_s = cases[i].said_s;
		say(&net, &msg);
		assert_false(wait_for_asking(&net, cases[i].meant_s * NS_PER_S - 1));
		assert_true(wait_for_asking(&net, NS_PER_S + 1));
		assert_int_not_equal(net.asked[1].xid, net.asked[0].xid);
		assert_int_equal(net.asked[1].elapsed_cs, 0);
		/* What it hears now takes the place of what it heard before. */
		msg = answer(&net);
		msg.servers_n = 0;
		say(&net, &msg);
		assert_int_equal(net.told_n, 2);
		assert_int_equal(net.dns.servers_n, 0);
		end(&net);
	}
}

static void never_asks_anew_if_it_is_told_so(void **state)
{
	struct net net;
	(void)state;
	begin(&net);
	assert_true(wait_for_asking(&net, NS_PER_S));
	struct dhcp6_msg msg = answer(&net);
	msg.has_refresh = true;
	msg.refresh_s = DHCP6_FOREVER_S;
	say(&net, &msg);
	assert_int_equal(net.told_n, 1);
	struct weft_task *task = weft_dhcp6c_task(net.client);
	assert_true(task->deadline(task) == WEFT_NEVER);
	end(&net);
}

static void there_is_one_on_a_stack(void **state)
{
	struct net net;
	struct weft_dhcp6c *other = NULL;
	(void)state;
	begin(&net);
	struct weft_dhcp6c_opts opts = opts_of(&net);
	assert_int_equal(weft_dhcp6c_new(&opts, &other), -EADDRINUSE);
	opts.iface = net.w.stack->loopback;
	assert_int_equal(weft_dhcp6c_new(&opts, &other), -EINVAL);
	weft_dhcp6c_free(NULL);
	end(&net);
}

static void outcomes_have_names(void **state)
{
	(void)state;
	assert_string_equal(weft_dhcp6c_outcome_name(WEFT_DHCP6C_TAKEN), "taken");
	assert_string_equal(weft_dhcp6c_outcome_name(WEFT_DHCP6C_OUTCOMES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_all_servers_within_a_second),
		cmocka_unit_test(asks_again_after_twice_as_long),
		cmocka_unit_test(the_server_sets_the_longest_pause),
		cmocka_unit_test(begins_before_there_is_an_address),
		cmocka_unit_test(tells_what_a_server_says),
		cmocka_unit_test(believes_none_but_its_server),
		cmocka_unit_test(every_truncation_of_an_answer),
		cmocka_unit_test(asks_anew_when_it_is_time),
		cmocka_unit_test(never_asks_anew_if_it_is_told_so),
		cmocka_unit_test(there_is_one_on_a_stack),
		cmocka_unit_test(outcomes_have_names),
	};
	return cmocka_run_group_tests_name("dhcp6c", tests, NULL, NULL);
}
