/* SPDX-License-Identifier: MIT */
/*
 * Stacks that talk to each other over a pair of links, and what they have in common.
 *
 *     [ stack a 10.1.0.1/24 ] ---- pair ---- [ stack b 10.1.0.2/24 ]
 */
#include "base/time.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define TASKS 4u

struct two {
	struct weft_link *link[2];
	struct weft_stack *stack[2];
	struct weft_iface *iface[2];
	struct weft_task *tasks[TASKS];
	uint64_t now;
};

static void run(struct two *t, uint64_t until)
{
	for (unsigned turns = 0; turns < 100000; turns++) {
		uint64_t next = WEFT_NEVER;
		for (size_t i = 0; i < TASKS; i++) {
			if (t->tasks[i]->deadline(t->tasks[i]) <= t->now)
				t->tasks[i]->run(t->tasks[i], t->now);
		}
		for (size_t i = 0; i < TASKS; i++) {
			uint64_t at = t->tasks[i]->deadline(t->tasks[i]);
			next = at < next ? at : next;
		}
		if (next > until) {
			t->now = until;
			return;
		}
		t->now = next > t->now ? next : t->now;
	}
	fail_msg("never at rest");
}

static void two_init(struct two *t)
{
	static const char *const ip4[] = { "10.1.0.1/24", "10.1.0.2/24" };
	static const char *const ip6[] = { "2001:db8::1/64", "2001:db8::2/64" };
	static const uint8_t secrets[2][16] = { "one", "two" };
	memset(t, 0, sizeof(*t));
	t->now = WORLD_START;
	assert_int_equal(weft_link_pair(256, &t->link[0], &t->link[1]), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct weft_stack_opts opts = { .secret = secrets[i] };
		struct weft_ip a4 = ip(ip4[i]), a6 = ip(ip6[i]);
		assert_int_equal(weft_stack_new(&opts, t->now, &t->stack[i]), 0);
		assert_int_equal(weft_stack_add_interface(t->stack[i], t->link[i], NULL,
							  t->now, &t->iface[i]),
				 0);
		assert_int_equal(weft_iface_add_address(t->iface[i], &a4, 0, t->now), 0);
		assert_int_equal(weft_iface_add_address(t->iface[i], &a6, 0, t->now), 0);
		t->tasks[2 * i] = weft_stack_task(t->stack[i]);
		t->tasks[2 * i + 1] = weft_link_task(t->link[i]);
	}
	run(t, t->now + 5 * NS_PER_S);
}

static void two_fini(struct two *t)
{
	for (size_t i = 0; i < 2; i++) {
		weft_stack_free(t->stack[i]);
		weft_link_free(t->link[i]);
	}
}

struct answers {
	unsigned n;
	char from[WEFT_IP_TEXT];
	size_t len;
	int error;
};

static void got_answer(void *user, const struct weft_ping_reply *reply, uint64_t now)
{
	struct answers *answers = user;
	(void)now;
	answers->n++;
	answers->len = reply->len;
	answers->error = reply->error;
	weft_ip_print(&reply->from, answers->from);
}

static void ping(struct two *t, const char *to, size_t len, struct answers *answers)
{
	static uint8_t data[40000];
	const struct weft_ping_request request = {
		.to = ip(to), .sequence = 1, .data = data, .len = len
	};
	struct weft_ping *ping;
	memset(answers, 0, sizeof(*answers));
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	assert_int_equal(weft_ping_new(t->stack[0], got_answer, answers, &ping), 0);
	assert_int_equal(weft_ping_send(ping, &request, t->now), 0);
	run(t, t->now + NS_PER_S / 2);
	weft_ping_free(ping);
}

static void one_pings_the_other(void **state)
{
	static const char *const names[] = { "10.1.0.2", "2001:db8::2" };
	static const size_t lens[] = { 0, 1, 56, 1472, 1473, 5000, 40000 };
	struct two t;
	struct answers answers;
	(void)state;
	two_init(&t);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t j = 0; j < ARRAY_LEN(lens); j++) {
			ping(&t, names[i], lens[j], &answers);
			assert_int_equal(answers.n, 1);
			assert_int_equal(answers.len, lens[j]);
			assert_string_equal(answers.from, names[i]);
		}
	}
	two_fini(&t);
}

static void one_pings_itself(void **state)
{
	static const char *const names[] = { "127.0.0.1", "127.1.2.3", "::1", "10.1.0.1",
					     "2001:db8::1" };
	struct two t;
	struct answers answers;
	(void)state;
	two_init(&t);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ping(&t, names[i], 56, &answers);
		assert_int_equal(answers.n, 1);
		assert_string_equal(answers.from, names[i]);
	}
	two_fini(&t);
}

static void nobody_answers_for_who_is_not_there(void **state)
{
	struct two t;
	struct answers answers;
	(void)state;
	two_init(&t);
	ping(&t, "10.1.0.77", 56, &answers);
	assert_int_equal(answers.n, 0);
	run(&t, t.now + 3 * NS_PER_S);
	assert_int_equal(weft_stack_event_count(t.stack[0], WEFT_STACK_NEIGH_FAILED), 1);
	two_fini(&t);
}

static void needs_a_secret(void **state)
{
	struct weft_stack *stack = NULL;
	(void)state;
	assert_int_equal(weft_stack_new(&(struct weft_stack_opts){ 0 }, 1, &stack),
			 -EINVAL);
	assert_int_equal(weft_stack_new(NULL, 1, &stack), -EINVAL);
	assert_null(stack);
	weft_stack_free(NULL);
}

/* What no option can change: how far a walk over headers goes, and how wide an identifier is. */
static void options_have_a_most(void **state)
{
	static const uint8_t secret[16] = "secret";
	static const struct weft_stack_opts most = {
		.secret = secret,
		.extension_headers_max = 8,
		.extension_bytes_max = 512,
		.pings_max = 32768,
	};
	struct weft_stack_opts opts = most;
	struct weft_stack *stack = NULL;
	(void)state;
	assert_int_equal(weft_stack_new(&opts, 1, &stack), 0);
	weft_stack_free(stack);
	opts.extension_headers_max++;
	assert_int_equal(weft_stack_new(&opts, 1, &stack), -EINVAL);
	opts = most;
	opts.extension_bytes_max++;
	assert_int_equal(weft_stack_new(&opts, 1, &stack), -EINVAL);
	opts = most;
	opts.pings_max++;
	assert_int_equal(weft_stack_new(&opts, 1, &stack), -EINVAL);
}

static void pings_have_a_limit(void **state)
{
	static const uint32_t given[] = { 0, 3 }, limits[] = { 64, 3 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		const struct world_opts opts = { .stack = { .pings_max = given[i] } };
		struct weft_ping *pings[64], *more;
		struct world w;
		world_init(&w, &opts);
		for (uint32_t n = 0; n < limits[i]; n++)
			assert_int_equal(
				weft_ping_new(w.stack, got_answer, NULL, &pings[n]), 0);
		assert_int_equal(weft_ping_new(w.stack, got_answer, NULL, &more),
				 -ENOSPC);
		weft_ping_free(pings[0]);
		assert_int_equal(weft_ping_new(w.stack, got_answer, NULL, &more), 0);
		world_fini(&w);
	}
}

/* A batch of requests makes one batch of answers. */
static void answers_of_a_batch_are_sent_at_once(void **state)
{
	struct world w;
	uint8_t bytes[40][128];
	struct weft_frame frames[40];
	const struct packet p = { .src = "10.1.0.1",
				  .dst = "10.1.0.2",
				  .proto = IPPROTO_ICMP,
				  .csum_offset = 2 };
	const uint8_t echo[20] = { ICMP4_ECHO };
	(void)state;
	world_init(&w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		size_t len = make(&w, &p, echo, sizeof(echo), bytes[i], sizeof(bytes[i]));
		frames[i] = (struct weft_frame){ .data = bytes[i], .len = (uint32_t)len };
	}
	link_deliver(&w.link, frames, ARRAY_LEN(frames), w.now);
	assert_int_equal(w.sends, 1);
	assert_int_equal(w.sent_n, ARRAY_LEN(frames));
	world_fini(&w);
}

/* Bare IP packets (a TUN, a tunnel): no MACs, no ARP, and the same for the rest. */
static void an_ip_link_has_no_neighbours(void **state)
{
	static const char *const pairs[][2] = { { "10.1.0.1", "10.1.0.2" },
						{ "2001:db8::1", "2001:db8::2" } };
	const struct world_opts opts = { .link_flags = WEFT_LINK_IP };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_outcome(rx_echo(&w, pairs[i][0], pairs[i][1]), ANSWERED);
		const struct sent *sent = tx(&w);
		assert_int_equal(sent->bytes[0] >> 4, i == 0 ? 4 : 6);
		assert_int_equal(sent->len, 18 + (i == 0 ? IP4_LEN : IP6_LEN));
	}
	/* Nobody is asked for, who has never been heard of. */
	const struct weft_ping_request request = { .to = ip("10.1.0.99") };
	struct weft_ping *ping;
	assert_int_equal(weft_ping_new(w.stack, got_answer, NULL, &ping), 0);
	assert_int_equal(weft_ping_send(ping, &request, w.now), 0);
	assert_int_equal(tx(&w)->bytes[IP4_OFF_DST + 3], 99);
	assert_outcome(rx(&w, "\x10\x20", 2), DROP_IP_HEADER);
	assert_outcome(rx(&w, "", 0), DROP_IP_HEADER);
	tx_none(&w);
	world_fini(&w);
}

static void every_outcome_and_event_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WEFT_STACK_OUTCOMES; i++)
		assert_string_not_equal(
			weft_stack_outcome_name((enum weft_stack_outcome)i), "unknown");
	for (unsigned i = 0; i < WEFT_STACK_EVENTS; i++)
		assert_string_not_equal(weft_stack_event_name((enum weft_stack_event)i),
					"unknown");
	assert_string_equal(weft_stack_outcome_name(WEFT_STACK_OUTCOMES), "unknown");
	assert_string_equal(weft_stack_event_name(WEFT_STACK_EVENTS), "unknown");
}

static void what_there_is_not_is_counted_as_none(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_stack_count(w.stack, WEFT_STACK_OUTCOMES), 0);
	assert_int_equal(weft_stack_event_count(w.stack, WEFT_STACK_EVENTS), 0);
	world_fini(&w);
}

/* As the header and the docs say. */
static void limits_have_defaults(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	const struct weft_stack_opts *o = &w.stack->opts;
	assert_int_equal(o->interfaces_max, 64);
	assert_int_equal(o->addresses_max, 32);
	assert_int_equal(o->routes_max, 256);
	assert_int_equal(o->neighbours_max, 1024);
	assert_int_equal(o->neighbour_queue_max, 64);
	assert_int_equal(o->neighbour_bytes_max, 1048576);
	assert_int_equal(o->fragments_max, 64);
	assert_int_equal(o->fragment_bytes_max, 1048576);
	assert_int_equal(o->path_mtus_max, 256);
	assert_int_equal(o->groups_max, 32);
	assert_int_equal(o->udp_sockets_max, 1024);
	assert_int_equal(o->errors_per_s, 1000);
	assert_int_equal(o->echoes_per_s, 0);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pings_the_other),
		cmocka_unit_test(one_pings_itself),
		cmocka_unit_test(nobody_answers_for_who_is_not_there),
		cmocka_unit_test(pings_have_a_limit),
		cmocka_unit_test(needs_a_secret),
		cmocka_unit_test(options_have_a_most),
		cmocka_unit_test(answers_of_a_batch_are_sent_at_once),
		cmocka_unit_test(an_ip_link_has_no_neighbours),
		cmocka_unit_test(every_outcome_and_event_has_a_name),
		cmocka_unit_test(what_there_is_not_is_counted_as_none),
		cmocka_unit_test(limits_have_defaults),
	};
	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
