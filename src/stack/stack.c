/* SPDX-License-Identifier: MIT */
/*
 * The stack as a whole: its life, its task, and what happens to a batch.
 *
 *     batch comes in -> each frame through iface_input, counted by how it ended
 *                    -> each protocol's flush (one ACK for many segments)
 *                    -> each interface's batch to its link
 *
 * What a program sends outside of a run waits in the interfaces' batches; then the task is due
 * at once, which is in the same turn of the loop.
 */
#include "stack/stack.h"

#include "base/array.h"
#include "base/container.h"
#include "stack/icmp.h"
#include "wire/ip6.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PINGS_MOST 32768u /* Half of the identifiers: a free one is soon found. */

static const struct ip_protocol *const protocols[] = {
	&icmp4_protocol, &icmp6_protocol, &igmp_protocol, &tcp_protocol, &udp_protocol,
};

const struct ip_protocol *stack_protocol(uint8_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (protocols[i]->number == number)
			return protocols[i];
	}
	return NULL;
}

/* ---- runs -------------------------------------------------------------------------------- */

static struct weft_iface *iface_of(struct list *node)
{
	return container_of(node, struct weft_iface, of_stack);
}

/* The outermost receiver or run ends: everything that was put off is done. */
static void end_run(struct weft_stack *stack, uint64_t now)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (protocols[i]->flush)
			protocols[i]->flush(stack, now);
	}
	stack->busy--;
	if (stack->busy > 0)
		return;
	list_for_each (node, &stack->ifaces)
		iface_flush(iface_of(node), now);
}

void stack_receive(struct weft_stack *stack, struct weft_iface *iface,
		   const struct weft_frame *frames, size_t n, uint64_t now)
{
	stack->busy++;
	for (size_t i = 0; i < n; i++)
		stack->counts[iface_input(iface, &frames[i], now)]++;
	end_run(stack, now);
}

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_stack *stack = container_of(task, struct weft_stack, task);
	stack->busy++;
	wheel_run(&stack->wheel, now);
	end_run(stack, now);
}

static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_stack *stack =
		container_of_const(task, struct weft_stack, task);
	list_for_each (node, &stack->ifaces) {
		if (iface_of(node)->frames_n > 0)
			return 0;
	}
	return wheel_next(&stack->wheel);
}

uint8_t *stack_scratch(struct weft_stack *stack)
{
	if (!stack->scratch)
		stack->scratch = malloc(SCRATCH_LEN);
	return stack->scratch;
}

/* ---- life -------------------------------------------------------------------------------- */

static void set_default(uint32_t *option, uint32_t value)
{
	if (*option == 0)
		*option = value;
}

static struct weft_stack_opts with_defaults(const struct weft_stack_opts *opts)
{
	struct weft_stack_opts o = *opts;
	set_default(&o.interfaces_max, 64);
	set_default(&o.addresses_max, 32);
	set_default(&o.advertised_addresses_max, 8);
	set_default(&o.routes_max, 256);
	set_default(&o.advertised_routes_max, 16);
	set_default(&o.neighbours_max, 1024);
	set_default(&o.neighbour_queue_max, 64);
	set_default(&o.fragments_max, 64);
	set_default(&o.fragment_pieces_max, 128);
	set_default(&o.extension_headers_max, IP6_EXT_COUNT_MAX);
	set_default(&o.extension_bytes_max, IP6_EXT_LEN_MAX);
	set_default(&o.path_mtus_max, 256);
	set_default(&o.groups_max, 32);
	set_default(&o.udp_sockets_max, 1024);
	set_default(&o.socket_groups_max, 32);
	set_default(&o.pings_max, 64);
	set_default(&o.errors_per_s, 1000);
	if (o.fragment_bytes_max == 0)
		o.fragment_bytes_max = 1u << 20;
	if (o.neighbour_bytes_max == 0)
		o.neighbour_bytes_max = 1u << 20;
	return o;
}

/* A walk over headers has an end of its own, and identifiers of pings are 16 bits. */
static bool can_be(const struct weft_stack_opts *opts)
{
	return opts->secret && opts->extension_headers_max <= IP6_EXT_COUNT_MAX &&
	       opts->extension_bytes_max <= IP6_EXT_LEN_MAX &&
	       opts->pings_max <= PINGS_MOST;
}

/* What is random in a stack follows from its secret: the same secret makes the same run. */
static void seed(struct weft_stack *stack)
{
	static const uint8_t label[] = "weft stack";
	rng_init(&stack->rng, hash_bytes(stack->secret, label, sizeof(label)));
	for (size_t i = 0; i < IP4_IDS; i++)
		stack->ip4_ids[i] = (uint16_t)rng_u64(&stack->rng);
	for (size_t i = 0; i < IP6_IDS; i++)
		stack->ip6_ids[i] = (uint32_t)rng_u64(&stack->rng);
}

static int init_parts(struct weft_stack *stack, uint64_t now)
{
	int r = neigh_init(stack);
	if (r == 0)
		r = dest_init(stack);
	if (r == 0)
		r = frag_init(stack);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(protocols); i++) {
		if (protocols[i]->init)
			r = protocols[i]->init(stack);
	}
	return r < 0 ? r : iface_add_loopback(stack, now);
}

int weft_stack_new(const struct weft_stack_opts *opts, uint64_t now,
		   struct weft_stack **ret_stack)
{
	if (!opts || !can_be(opts))
		return -EINVAL;
	struct weft_stack *stack = calloc(1, sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	stack->opts = with_defaults(opts);
	memcpy(stack->secret, opts->secret, sizeof(stack->secret));
	stack->opts.secret = stack->secret;
	stack->task = (struct weft_task){
		.fd = -1,
		.run = task_run,
		.deadline = task_deadline,
	};
	stack->generation = 1;
	list_init(&stack->ifaces);
	list_init(&stack->pings);
	seed(stack);
	wheel_init(&stack->wheel, stack, now);
	routes_init(stack);
	icmp_init_limits(stack);
	int r = init_parts(stack, now);
	if (r < 0) {
		weft_stack_free(stack);
		return r;
	}
	*ret_stack = stack;
	return 0;
}

void weft_stack_free(struct weft_stack *stack)
{
	if (!stack)
		return;
	assert(!stack->busy && !stack->task.loop_state);
	for (size_t i = ARRAY_LEN(protocols); i-- > 0;) {
		if (protocols[i]->fini)
			protocols[i]->fini(stack);
	}
	/* Time does not matter any more: nothing that is armed now fires. */
	list_for_each (node, &stack->ifaces)
		weft_stack_remove_interface(iface_of(node), 0);
	frag_fini(stack);
	dest_fini(stack);
	neigh_fini(stack);
	routes_fini(stack);
	cutter_fini(&stack->cutter);
	free(stack->scratch);
	free(stack);
}

struct weft_task *weft_stack_task(struct weft_stack *stack)
{
	return &stack->task;
}

uint64_t weft_stack_count(const struct weft_stack *stack, enum weft_stack_outcome outcome)
{
	return outcome < WEFT_STACK_OUTCOMES ? stack->counts[outcome] : 0;
}

uint64_t weft_stack_event_count(const struct weft_stack *stack,
				enum weft_stack_event event)
{
	return event < WEFT_STACK_EVENTS ? stack->events[event] : 0;
}
