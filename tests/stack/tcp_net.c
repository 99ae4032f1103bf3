/* SPDX-License-Identifier: MIT */
/*
 * The loop, in virtual time: four tasks, of two links and two stacks.
 */
#include "tcp_net.h"

union weft_sockaddr addr(const char *text)
{
	union weft_sockaddr sa;
	assert_int_equal(weft_listen_parse(text, &sa), 0);
	return sa;
}

void net_init(struct net *n)
{
	struct weft_link *a, *b;
	assert_int_equal(weft_link_pair(1024, &a, &b), 0);
	net_init_links(n, a, b);
}

void net_init_links(struct net *n, struct weft_link *a, struct weft_link *b)
{
	static const char *const addresses[2][2] = {
		{ "10.1.0.1/24", "2001:db8::1/64" }, { "10.1.0.2/24", "2001:db8::2/64" }
	};
	static const uint8_t secrets[2][16] = { "one stack", "the other stack" };
	*n = (struct net){ .now = S(1000), .link = { a, b } };
	for (size_t i = 0; i < 2; i++) {
		struct weft_stack_opts opts = { .secret = secrets[i] };
		assert_int_equal(weft_stack_new(&opts, n->now, &n->stack[i]), 0);
		assert_int_equal(weft_stack_add_interface(n->stack[i], n->link[i], NULL,
							  n->now, &n->iface[i]),
				 0);
		for (size_t j = 0; j < 2; j++) {
			struct weft_ip ip;
			assert_int_equal(weft_ip_parse(addresses[i][j], &ip), 0);
			assert_int_equal(weft_iface_add_address(n->iface[i], &ip,
								WEFT_ADDRESS_NO_DAD,
								n->now),
					 0);
		}
	}
}

void net_fini(struct net *n)
{
	for (size_t i = 0; i < 2; i++) {
		weft_stack_free(n->stack[i]);
		weft_link_free(n->link[i]);
	}
}

static struct weft_task *task_of(const struct net *n, size_t i)
{
	return i < 2 ? weft_link_task(n->link[i]) : weft_stack_task(n->stack[i - 2]);
}

static uint64_t deadline_of(struct weft_task *task)
{
	return task->deadline ? task->deadline(task) : WEFT_NEVER;
}

static void run_due(struct net *n, struct weft_task *task)
{
	if (deadline_of(task) > n->now)
		return;
	task->run(task, n->now);
	if (n->on_event)
		n->on_event(n->user);
}

void net_run(struct net *n, uint64_t until)
{
	while (n->now <= until) {
		uint64_t next = WEFT_NEVER;
		for (size_t i = 0; i < 4; i++)
			run_due(n, task_of(n, i));
		for (size_t i = 0; i < 4; i++) {
			uint64_t deadline = deadline_of(task_of(n, i));
			next = deadline < next ? deadline : next;
		}
		if (next > until)
			break;
		if (next > n->now)
			n->now = next;
	}
	n->now = until;
}
