/* SPDX-License-Identifier: MIT */
/*
 * Datagrams become segments and segments datagrams.
 *
 *      ip_rx    ->  checksum, header, options  ->  tcp_rx  ->  tcp_input
 *      ip_tx    <-  header as bytes            <-  tcp_tx  <-  emit
 *
 * A segment that cannot be sent (no route, no buffer, too long for a path that has changed) is
 * lost, and is sent again as any other that the network loses.
 */
#include "stack/tcp_ip.h"

#include "stack/stack.h"
#include "stack/tcp_error.h"

#include <errno.h>
#include <stdlib.h>

#define SLICES_MAX 33u /* The header, and those of tcp_emit.c. */

struct tcp_host {
	struct tcp tcp;
};

struct tcp *tcp_of_stack(struct weft_stack *stack)
{
	return &stack->tcp->tcp;
}

/* ---- out --------------------------------------------------------------------------------- */

static int find_path(void *user, const struct tcp_flow *flow, uint64_t now,
		     struct ip_path *ret_path)
{
	struct weft_iface *iface = flow->scope ? iface_of_index(user, flow->scope) : NULL;
	struct ip_path path;
	if (flow->scope && !iface)
		return -ENETUNREACH; /* It is gone. */
	int r = ip_path_find(user, &flow->local, &flow->remote, iface, now, &path);
	if (r < 0)
		return r;
	if (path.is_group)
		return -ENETUNREACH;
	*ret_path = path;
	return 0;
}

/* The path that the connection knows; else IP finds one, unless the flow says by which link. */
static const struct ip_path *path_of(struct weft_stack *stack, const struct tcp_tx *tx,
				     uint64_t now, struct ip_path *buf)
{
	if (tx->path && ip_path_is_current(stack, tx->path))
		return tx->path;
	return tx->flow->scope && find_path(stack, tx->flow, now, buf) == 0 ? buf : NULL;
}

static void emit(void *user, const struct tcp_tx *tx, uint64_t now)
{
	struct weft_stack *stack = user;
	uint8_t header[TCP_LEN + TCP_OPTIONS_MAX];
	struct ip_slice slices[SLICES_MAX];
	struct ip_path found;
	int len = tcp_hdr_emit(header, sizeof(header), &tx->hdr);
	if (len < 0 || tx->slices_n >= SLICES_MAX)
		return;
	slices[0] = (struct ip_slice){ .data = header, .len = (size_t)len };
	for (size_t i = 0; i < tx->slices_n; i++)
		slices[i + 1] = tx->slices[i];
	struct ip_tx datagram = {
		.path = path_of(stack, tx, now, &found),
		.src = tx->flow->local,
		.dst = tx->flow->remote,
		.protocol = IPPROTO_TCP,
		.tos = tx->tos,
		.ttl = tx->ttl,
		.dont_fragment = true,
		.csum_offset = TCP_OFF_CSUM,
		.slices_stay = true,
		.slices = slices,
		.slices_n = tx->slices_n + 1,
	};
	if (tx->gso_size != 0) {
		datagram.gso =
			addr_is_ip4(&tx->flow->remote) ? WEFT_GSO_TCP4 : WEFT_GSO_TCP6;
		datagram.gso_size = tx->gso_size;
		datagram.hdr_len = (uint16_t)len;
	}
	/* Not sent is lost: see above. */
	(void)!ip_output(stack, &datagram, now);
}

static bool path_is_current(void *user, const struct ip_path *path)
{
	return ip_path_is_current(user, path);
}

static void confirm(void *user, const struct ip_path *path, uint64_t now)
{
	ip_path_confirm(user, path, now);
}

static void doubt(void *user, const struct ip_path *path, uint64_t now)
{
	ip_path_doubt(user, path, now);
}

static const struct tcp_ops ops = {
	.emit = emit,
	.find_path = find_path,
	.path_is_current = path_is_current,
	.confirm = confirm,
	.doubt = doubt,
};

/* ---- in ---------------------------------------------------------------------------------- */

static enum weft_stack_outcome tcp_ip_input(struct weft_stack *stack,
					    const struct ip_rx *rx, uint64_t now)
{
	struct tcp *tcp = tcp_of_stack(stack);
	struct tcp_hdr hdr;
	struct tcp_opts opts;
	int len = tcp_hdr_parse(rx->payload, rx->len, &hdr);
	if (len < 0 || tcp_opts_parse(hdr.options, hdr.options_len, &opts) < 0)
		return tcp_outcome_of_stack(tcp_input_bad(tcp, TCP_DROP_HEADER));
	if (!ip_checksum_is_right(rx))
		return WEFT_STACK_DROP_TCP_CHECKSUM;
	const struct tcp_rx segment = {
		.flow = { .local = rx->dst,
			  .remote = rx->src,
			  .lport = hdr.dport,
			  .rport = hdr.sport,
			  .scope = ip_scope_of(rx->iface, &rx->dst, &rx->src) },
		.hdr = hdr,
		.opts = opts,
		.tos = rx->tos,
		.is_group = rx->is_group,
		.gso_size = rx->gso ? rx->gso_size : 0,
		.payload = rx->payload + len,
		.len = rx->len - (size_t)len,
		.stays = rx->stays,
	};
	return tcp_outcome_of_stack(tcp_input(tcp, &segment, now));
}

/* Of the segment that is quoted, at least ports and sequence number are there. */
static bool tcp_ip_error(struct weft_stack *stack, const struct ip_error *error,
			 uint64_t now)
{
	const uint8_t *quoted = error->transport;
	struct tcp_flow flow = {
		.local = error->src,
		.remote = error->dst,
		.lport = load_be16(quoted + TCP_OFF_SPORT),
		.rport = load_be16(quoted + TCP_OFF_DPORT),
		.scope = error->scope,
	};
	(void)now;
	return tcp_on_error(tcp_of_stack(stack), &flow, load_be32(quoted + TCP_OFF_SEQ),
			    error);
}

static void tcp_ip_flush(struct weft_stack *stack, uint64_t now)
{
	tcp_flush(tcp_of_stack(stack), now);
}

/* ---- life -------------------------------------------------------------------------------- */

static void before_free(void *user)
{
	ip_settle(user);
}

static int tcp_ip_init(struct weft_stack *stack)
{
	struct tcp_setup setup = {
		.secret = stack->secret,
		.ops = &ops,
		.user = stack,
		.wheel = &stack->wheel,
	};
	stack->tcp = malloc(sizeof(*stack->tcp));
	if (!stack->tcp)
		return -ENOMEM;
	int r = tcp_init(&stack->tcp->tcp, &setup);
	stack->tcp->tcp.budget.before_free = before_free;
	stack->tcp->tcp.budget.user = stack;
	return r;
}

static void tcp_ip_fini(struct weft_stack *stack)
{
	if (stack->tcp)
		tcp_fini(&stack->tcp->tcp);
	free(stack->tcp);
	stack->tcp = NULL;
}

const struct ip_protocol tcp_protocol = {
	.number = IPPROTO_TCP,
	.init = tcp_ip_init,
	.fini = tcp_ip_fini,
	.input = tcp_ip_input,
	.error = tcp_ip_error,
	.flush = tcp_ip_flush,
};
