/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of a rule. Each of those who send gets a flow: a port of its own at the other side,
 * by which answers find back to it.
 *
 *     forward   client --- socket of the rule | flow: UDP of the stack, one per client --- room
 *     expose    room --- UDP of the rule | flow: socket, one per peer --- program
 *
 * The flow that was used last stands first in its rule's list: it is found at once, and the one
 * that has been silent for longest is at the end, where it is over after three minutes (RFC 4787,
 * REQ-5: two at least). Where there are too many the one of all rules that has been silent for
 * longest gives way; to an address that has more than half of them, one of its own. What comes to
 * a flow is taken from anybody in the room, so that those who answer to a broadcast are heard
 * (REQ-8).
 */
#include "base/container.h"
#include "base/time.h"
#include "io/hostsock.h"
#include "service/forward.h"
#include "stack/addr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_NS      (180 * NS_PER_S)
#define BATCH_MAX    64u /* datagrams per run */
#define DATAGRAM_MAX 65536u
#define FIRST_IFACE  1u

struct flow {
	struct weft_task task; /* exposed: of the socket to the program; else fd is -1 */
	struct weft_udp *udp;  /* forwarded: its own; exposed: by which the peer comes */
	struct list node;      /* of rule->flows */
	struct flow_rule *rule;
	union weft_sockaddr peer;  /* who sends */
	union weft_sockaddr local; /* exposed: to which address */
	union weft_sockaddr to;    /* forwarded: to whom; family 0 until that is found */
	struct post post;          /* forwarded: what waits for that */
	uint64_t used_at;
};

struct flow_rule {
	struct weft_task task;   /* forwarded: of the clients' socket; else fd is -1 */
	struct weft_udp *udp[2]; /* exposed: one for each family */
	struct weft_forwarder *forwarder;
	struct list node;           /* of forwarder->flow_rules */
	struct list flows;          /* struct flow.node */
	union weft_sockaddr target; /* exposed: the program */
	char *host;                 /* forwarded: whom */
	uint16_t port;
};

/* ---- flows ------------------------------------------------------------------------------- */

static void flow_free(struct flow *flow)
{
	struct weft_forwarder *f = flow->rule->forwarder;
	weft_loop_remove(f->opts.loop, &flow->task);
	post_end(&flow->post, weft_loop_now(f->opts.loop));
	if (flow->task.fd >= 0)
		hostsock_close(flow->task.fd);
	else
		weft_udp_free(flow->udp);
	list_remove(&flow->node);
	f->flows_n--;
	free(flow);
}

static struct flow *oldest_flow(const struct flow_rule *rule)
{
	return list_is_empty(&rule->flows)
		       ? NULL
		       : container_of(rule->flows.prev, struct flow, node);
}

/* Puts it in front of all others. */
static void touch(struct flow *flow, uint64_t now)
{
	flow->used_at = now;
	list_remove(&flow->node);
	list_push_front(&flow->rule->flows, &flow->node);
}

static struct flow *find_flow(struct flow_rule *rule, const union weft_sockaddr *peer)
{
	list_for_each (node, &rule->flows) {
		struct flow *flow = container_of(node, struct flow, node);
		if (weft_sockaddr_equal(&flow->peer, peer))
			return flow;
	}
	return NULL;
}

static void to_room(void *user, const union weft_sockaddr *to, const void *data,
		    size_t len, uint64_t now);

/* Of those that give way to one more: who has been silent for longest. */
struct candidates {
	struct ip_addr addr;     /* of the one more */
	struct flow *all, *same; /* of all flows; of those with the address */
	uint32_t same_n;
};

static struct flow *longer_silent(struct flow *a, struct flow *b)
{
	return !a || b->used_at < a->used_at ? b : a;
}

static void look_at(const struct flow_rule *rule, struct candidates *c)
{
	list_for_each (node, &rule->flows) {
		struct flow *flow = container_of(node, struct flow, node);
		struct ip_addr addr;
		uint16_t port;
		c->all = longer_silent(c->all, flow);
		if (!addr_of_sockaddr(&flow->peer, &addr, &port) ||
		    !addr_equal(&addr, &c->addr))
			continue;
		c->same = longer_silent(c->same, flow);
		c->same_n++;
	}
}

/* Frees a flow of any rule, so that there is room for one with the peer. */
static void make_room(struct weft_forwarder *f, const union weft_sockaddr *peer)
{
	struct candidates c = { .all = NULL };
	uint16_t port;
	(void)addr_of_sockaddr(peer, &c.addr, &port);
	list_for_each (node, &f->flow_rules)
		look_at(container_of(node, struct flow_rule, node), &c);
	struct flow *flow = c.same_n > f->opts.flows_max / 2 ? c.same : c.all;
	if (flow)
		flow_free(flow);
}

/* Makes a flow without either end; at the limit, in the place of another. */
static struct flow *new_flow(struct flow_rule *rule, const union weft_sockaddr *peer)
{
	struct weft_forwarder *f = rule->forwarder;
	if (f->flows_n >= f->opts.flows_max)
		make_room(f, peer);
	struct flow *flow = f->flows_n < f->opts.flows_max ? malloc(sizeof(*flow)) : NULL;
	if (!flow) {
		forward_count(f, WEFT_FORWARD_DROP_FULL);
		return NULL;
	}
	*flow = (struct flow){ .task = { .fd = -1 },
			       .rule = rule,
			       .peer = *peer,
			       .post = {
				       .forwarder = f, .send = to_room, .user = flow } };
	post_init(&flow->post);
	list_push_front(&rule->flows, &flow->node);
	f->flows_n++;
	return flow;
}

static struct flow *fail_flow(struct flow *flow)
{
	forward_count(flow->rule->forwarder, WEFT_FORWARD_DROP_FULL);
	flow_free(flow);
	return NULL;
}

static void count_sent(struct flow_rule *rule, int r)
{
	forward_count(rule->forwarder,
		      r < 0 ? WEFT_FORWARD_DROP_TARGET : WEFT_FORWARD_DATAGRAM);
}

/* ---- forwarded: clients here, the room there --------------------------------------------- */

static void from_room(void *user, struct weft_udp *udp,
		      const struct weft_udp_message *msg, uint64_t now)
{
	struct flow *flow = user;
	(void)udp;
	touch(flow, now);
	hostsock_send(flow->rule->task.fd, msg->data, msg->len, &flow->peer);
	forward_count(flow->rule->forwarder, WEFT_FORWARD_DATAGRAM);
}

static struct flow *flow_of_client(struct flow_rule *rule,
				   const union weft_sockaddr *client)
{
	struct flow *flow = find_flow(rule, client);
	if (flow)
		return flow;
	flow = new_flow(rule, client);
	if (!flow)
		return NULL;
	const struct weft_udp_opts opts = { .on_receive = from_room,
					    .user = flow,
					    .broadcast = true };
	int r = weft_udp_new(rule->forwarder->opts.stack, &opts, &flow->udp);
	return r < 0 ? fail_flow(flow) : flow;
}

static void to_room(void *user, const union weft_sockaddr *to, const void *data,
		    size_t len, uint64_t now)
{
	struct flow *flow = user;
	const struct weft_udp_message msg = {
		.peer = *to, .data = data, .len = len, .iface = FIRST_IFACE
	};
	flow->to = *to;
	count_sent(flow->rule, weft_udp_send(flow->udp, &msg, now));
}

static void from_client(struct flow_rule *rule, const union weft_sockaddr *client,
			const uint8_t *data, size_t len, uint64_t now)
{
	struct flow *flow = flow_of_client(rule, client);
	if (!flow)
		return;
	touch(flow, now);
	if (flow->to.sa.sa_family)
		to_room(flow, &flow->to, data, len, now);
	else
		post_datagram(&flow->post, rule->host, rule->port, data, len, now);
}

/* One for each run: while others are over, too, the next is due at once. */
static void end_idle(struct flow_rule *rule, uint64_t now)
{
	struct flow *flow = oldest_flow(rule);
	if (flow && now >= flow->used_at + IDLE_NS)
		flow_free(flow);
}

static void rule_run(struct weft_task *task, uint64_t now)
{
	struct flow_rule *rule = container_of(task, struct flow_rule, task);
	uint8_t buf[DATAGRAM_MAX];
	union weft_sockaddr client;
	end_idle(rule, now);
	for (unsigned i = 0; i < BATCH_MAX && task->fd >= 0; i++) {
		int n = hostsock_receive(task->fd, buf, sizeof(buf), &client);
		if (n == -EAGAIN)
			return;
		if (n >= 0)
			from_client(rule, &client, buf, (size_t)n, now);
	}
}

static uint64_t rule_deadline(const struct weft_task *task)
{
	const struct flow *oldest =
		oldest_flow(container_of_const(task, struct flow_rule, task));
	return oldest ? oldest->used_at + IDLE_NS : WEFT_NEVER;
}

/* ---- exposed: peers in the room, a program here ------------------------------------------ */

/* The answers of the program. An error is of an earlier datagram, and lost as that was. */
static void flow_run(struct weft_task *task, uint64_t now)
{
	struct flow *flow = container_of(task, struct flow, task);
	uint8_t buf[DATAGRAM_MAX];
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		int n = hostsock_receive(task->fd, buf, sizeof(buf), NULL);
		if (n == -EAGAIN)
			return;
		if (n < 0)
			continue;
		const struct weft_udp_message msg = { .peer = flow->peer,
						      .local = flow->local,
						      .data = buf,
						      .len = (size_t)n,
						      .iface = FIRST_IFACE };
		touch(flow, now);
		count_sent(flow->rule, weft_udp_send(flow->udp, &msg, now));
	}
}

static struct flow *flow_of_peer(struct flow_rule *rule, const union weft_sockaddr *peer)
{
	struct flow *flow = find_flow(rule, peer);
	if (flow)
		return flow;
	flow = new_flow(rule, peer);
	if (!flow)
		return NULL;
	flow->task = (struct weft_task){ .fd = hostsock_udp_to(&rule->target),
					 .events = WEFT_READABLE,
					 .run = flow_run };
	if (flow->task.fd < 0 ||
	    weft_loop_add(rule->forwarder->opts.loop, &flow->task) < 0)
		return fail_flow(flow);
	return flow;
}

static void from_peer(void *user, struct weft_udp *udp,
		      const struct weft_udp_message *msg, uint64_t now)
{
	struct flow_rule *rule = user;
	struct flow *flow = flow_of_peer(rule, &msg->peer);
	if (!flow)
		return;
	touch(flow, now);
	flow->local = msg->local;
	flow->udp = udp;
	hostsock_send(flow->task.fd, msg->data, msg->len, NULL);
	forward_count(rule->forwarder, WEFT_FORWARD_DATAGRAM);
}

/* ---- rules ------------------------------------------------------------------------------- */

static void rule_free(struct flow_rule *rule)
{
	weft_loop_remove(rule->forwarder->opts.loop, &rule->task);
	list_for_each (node, &rule->flows)
		flow_free(container_of(node, struct flow, node));
	if (rule->task.fd >= 0)
		hostsock_close(rule->task.fd);
	weft_udp_free(rule->udp[0]);
	weft_udp_free(rule->udp[1]);
	list_remove(&rule->node);
	free(rule->host);
	free(rule);
}

static int rule_new(struct weft_forwarder *f, int fd, struct flow_rule **ret_rule)
{
	struct flow_rule *rule = malloc(sizeof(*rule));
	if (!rule)
		return -ENOMEM;
	*rule = (struct flow_rule){
		.task = { .fd = fd,
			  .events = WEFT_READABLE,
			  .run = rule_run,
			  .deadline = rule_deadline },
		.forwarder = f,
	};
	list_init(&rule->flows);
	list_push_back(&f->flow_rules, &rule->node);
	int r = weft_loop_add(f->opts.loop, &rule->task);
	if (r < 0) {
		rule->task.fd = -1; /* stays the caller's */
		rule_free(rule);
		return r;
	}
	*ret_rule = rule;
	return 0;
}

int flow_forward(struct weft_forwarder *f, const union weft_sockaddr *local,
		 const char *host, uint16_t port)
{
	struct flow_rule *rule;
	int fd = hostsock_udp(local);
	if (fd < 0)
		return fd;
	int r = rule_new(f, fd, &rule);
	if (r < 0) {
		hostsock_close(fd);
		return r;
	}
	rule->port = port;
	rule->host = strdup(host);
	if (rule->host)
		return 0;
	rule_free(rule);
	return -ENOMEM;
}

static int take_from_room(struct flow_rule *rule, const union weft_sockaddr *local,
			  struct weft_udp **udp)
{
	const struct weft_udp_opts opts = { .on_receive = from_peer,
					    .user = rule,
					    .broadcast = true };
	int r = weft_udp_new(rule->forwarder->opts.stack, &opts, udp);
	return r < 0 ? r : weft_udp_bind(*udp, local);
}

/* All addresses of IPv6 are all of IPv4, too, as for TCP. */
int flow_expose(struct weft_forwarder *f, const union weft_sockaddr *local,
		const union weft_sockaddr *target)
{
	struct flow_rule *rule;
	struct ip_addr addr;
	uint16_t port;
	int r = addr_of_sockaddr(local, &addr, &port) ? 0 : -EINVAL;
	if (r == 0)
		r = rule_new(f, -1, &rule);
	if (r < 0)
		return r;
	rule->target = *target;
	r = take_from_room(rule, local, &rule->udp[0]);
	if (r == 0 && addr_is_unspecified(&addr) && !addr_is_ip4(&addr)) {
		const struct ip_addr any4 = addr_of_ip4(0);
		const union weft_sockaddr local4 = addr_to_sockaddr(&any4, port, 0);
		r = take_from_room(rule, &local4, &rule->udp[1]);
	}
	if (r < 0)
		rule_free(rule);
	return r;
}

void flow_end_all(struct weft_forwarder *f)
{
	list_for_each (node, &f->flow_rules)
		rule_free(container_of(node, struct flow_rule, node));
}
