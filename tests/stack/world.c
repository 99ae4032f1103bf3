/* SPDX-License-Identifier: MIT */
/*
 * The wire is a link with a link's common part, so that checksums are completed for it as they
 * are for a driver, unless a test wants them as they leave the stack.
 */
#include "world.h"

#include "base/mac.h"
#include "base/time.h"
#include "wire/ether.h"

#include <string.h>

static const uint8_t secret[16] = "not so secret!!";

static size_t wire_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct world *w = container_of(link, struct world, link);
	(void)now;
	w->sends++;
	for (size_t i = 0; i < n; i++) {
		assert_true(w->sent_n < WORLD_SENT_MAX);
		struct sent *sent = &w->sent[w->sent_n++];
		sent->len = frames[i].len;
		sent->offload = frames[i].offload;
		size_t kept = frames[i].len < sizeof(sent->bytes) ? frames[i].len
								  : sizeof(sent->bytes);
		memcpy(sent->bytes, frames[i].data, kept);
	}
	return n;
}

static void wire_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops wire_ops = { .send = wire_send, .free = wire_free };

struct weft_ip ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

struct ip_addr addr(const char *text)
{
	struct weft_ip parsed = ip(text);
	struct ip_addr addr;
	unsigned bits;
	assert_true(addr_of_ip(&parsed, &addr, &bits));
	return addr;
}

const char *text(const struct weft_ip *ip)
{
	static char texts[4][WEFT_IP_TEXT];
	static unsigned next;
	return weft_ip_print(ip, texts[next++ % 4]);
}

union weft_sockaddr at(const char *host, uint16_t port)
{
	struct ip_addr a = addr(host);
	return addr_to_sockaddr(&a, port, 0);
}

struct weft_mac mac(const char *text)
{
	struct weft_mac mac;
	assert_int_equal(weft_mac_parse(text, &mac), 0);
	return mac;
}

static void add_addresses(struct world *w)
{
	struct weft_ip ip4 = ip("10.1.0.2/24"), ip6 = ip("2001:db8::2/64");
	struct weft_ip peer4 = ip("10.1.0.1"), peer6 = ip("2001:db8::1");
	struct weft_mac peer = mac(TEST_MAC);
	unsigned flags = WEFT_ADDRESS_NO_DAD;
	assert_int_equal(weft_iface_add_address(w->iface, &ip4, flags, w->now), 0);
	assert_int_equal(weft_iface_add_neighbour(w->iface, &peer4, peer, w->now), 0);
	if (w->iface->opts.no_ip6)
		return;
	assert_int_equal(weft_iface_add_address(w->iface, &ip6, flags, w->now), 0);
	assert_int_equal(weft_iface_add_neighbour(w->iface, &peer6, peer, w->now), 0);
}

void world_init(struct world *w, const struct world_opts *opts)
{
	static const struct world_opts defaults;
	if (!opts)
		opts = &defaults;
	struct weft_stack_opts stack_opts = opts->stack;
	const struct weft_link_caps caps = { .flags = opts->link_flags,
					     .frame_len_max = 1514 };
	if (!stack_opts.secret)
		stack_opts.secret = secret;
	memset(w, 0, sizeof(*w));
	w->now = WORLD_START;
	link_init(&w->link, &wire_ops, "wire", -1, caps);
	assert_int_equal(weft_stack_new(&stack_opts, w->now, &w->stack), 0);
	assert_int_equal(weft_stack_add_interface(w->stack, &w->link, &opts->iface,
						  w->now, &w->iface),
			 0);
	if (opts->is_bare)
		return;
	add_addresses(w);
	/* What is said at the beginning (announcements, groups, routers) is over then. */
	world_pass(w, 20 * NS_PER_S);
	tx_forget(w);
}

void world_fini(struct world *w)
{
	weft_stack_free(w->stack);
	weft_link_free(&w->link);
}

void world_run(struct world *w)
{
	struct weft_task *task = weft_stack_task(w->stack);
	for (unsigned turns = 0; task->deadline(task) <= w->now; turns++) {
		assert_true(turns < 1000);
		task->run(task, w->now);
	}
}

void world_pass(struct world *w, uint64_t ns)
{
	struct weft_task *task = weft_stack_task(w->stack);
	uint64_t end = w->now + ns;
	world_run(w);
	while (task->deadline(task) <= end) {
		w->now = task->deadline(task);
		world_run(w);
	}
	w->now = end;
}

enum weft_stack_outcome rx_frame(struct world *w, const struct weft_frame *frame)
{
	uint64_t before[WEFT_STACK_OUTCOMES];
	unsigned found = WEFT_STACK_OUTCOMES;
	memcpy(before, w->stack->counts, sizeof(before));
	/* A copy of exactly its length, so that a sanitizer sees what is read behind it. */
	uint8_t *bytes = malloc(WEFT_HEADROOM + frame->len);
	struct weft_frame copy = *frame;
	assert_non_null(bytes);
	copy.data = bytes + WEFT_HEADROOM;
	copy.headroom = WEFT_HEADROOM;
	if (frame->len > 0)
		memcpy(copy.data, frame->data, frame->len);
	link_deliver(&w->link, &copy, 1, w->now);
	free(bytes);
	for (unsigned i = 0; i < WEFT_STACK_OUTCOMES; i++) {
		uint64_t counted = w->stack->counts[i] - before[i];
		assert_true(counted <= 1);
		if (counted == 0)
			continue;
		/* Exactly one. */
		assert_int_equal(found, WEFT_STACK_OUTCOMES);
		found = i;
	}
	assert_int_not_equal(found, WEFT_STACK_OUTCOMES);
	return (enum weft_stack_outcome)found;
}

enum weft_stack_outcome rx(struct world *w, const void *bytes, size_t len)
{
	uint8_t copy[WEFT_FRAME_LEN_MAX];
	assert_true(len <= sizeof(copy));
	if (len > 0)
		memcpy(copy, bytes, len);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)len };
	return rx_frame(w, &frame);
}

static struct weft_mac mac_for(const struct world *w, const char *dst)
{
	struct ip_addr a = addr(dst);
	if (addr_is_multicast(&a) || iface_is_broadcast(w->iface, &a))
		return iface_group_mac(&a);
	return w->iface->mac;
}

size_t make(const struct world *w, const struct packet *p, const void *payload,
	    size_t len, uint8_t *buf, size_t buf_len)
{
	const struct compose c = {
		.is_ether = w->iface->is_ethernet,
		.dst_mac = mac_for(w, p->dst),
		.src_mac = mac(TEST_MAC),
		.src = ip(p->src),
		.dst = ip(p->dst),
		.sport = p->sport,
		.dport = p->dport,
		.proto = p->proto,
		.ttl = p->ttl,
		.tos = p->tos,
		.id = p->id,
		.df = p->df,
		.csum_offset = p->csum_offset,
	};
	int n = p->dport ? compose_udp(&c, payload, len, buf, buf_len)
			 : compose_ip(&c, payload, len, buf, buf_len);
	assert_true(n > 0);
	return (size_t)n;
}

enum weft_stack_outcome rx_packet(struct world *w, const struct packet *p,
				  const void *payload, size_t len)
{
	uint8_t frame[WEFT_FRAME_LEN_MAX];
	return rx(w, frame, make(w, p, payload, len, frame, sizeof(frame)));
}

enum weft_stack_outcome rx_icmp(struct world *w, const char *src, const char *dst,
				uint8_t type, uint8_t code, uint32_t rest,
				const void *data, size_t len)
{
	uint8_t message[2000];
	const struct icmp_hdr hdr = { .type = type, .code = code, .rest = rest };
	bool is_ip4 = ip(dst).family == AF_INET;
	const struct packet p = {
		.src = src,
		.dst = dst,
		.proto = is_ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.csum_offset = ICMP_OFF_CSUM,
		.ttl = 255,
	};
	assert_true(len <= sizeof(message) - ICMP_LEN);
	assert_int_equal(icmp_hdr_emit(message, sizeof(message), &hdr), ICMP_LEN);
	if (len > 0)
		memcpy(message + ICMP_LEN, data, len);
	return rx_packet(w, &p, message, ICMP_LEN + len);
}

enum weft_stack_outcome rx_echo(struct world *w, const char *src, const char *dst)
{
	uint8_t type = icmp_echo_type(ip(dst).family == AF_INET6);
	return rx_icmp(w, src, dst, type, 0, icmp_echo_rest(7, 1), "0123456789", 10);
}

enum weft_stack_outcome rx_nd(struct world *w, const char *src, const char *dst,
			      const struct nd_msg *msg)
{
	uint8_t message[512];
	int len = nd_msg_emit(message, sizeof(message), msg);
	const struct packet p = {
		.src = src,
		.dst = dst,
		.proto = IPPROTO_ICMPV6,
		.csum_offset = ICMP_OFF_CSUM,
		.ttl = 255,
	};
	assert_true(len > 0);
	return rx_packet(w, &p, message, (size_t)len);
}

const struct sent *tx(struct world *w)
{
	world_run(w);
	assert_true(w->taken < w->sent_n);
	return &w->sent[w->taken++];
}

void tx_none(const struct world *w)
{
	assert_int_equal(w->taken, w->sent_n);
}

void tx_forget(struct world *w)
{
	world_run(w);
	w->sent_n = w->taken = w->sends = 0;
}

static void see_ip4(const uint8_t *packet, size_t len, struct seen *s)
{
	struct ip4_hdr hdr;
	int hdr_len = ip4_hdr_parse(packet, len, &hdr);
	struct ip_addr src, dst;
	assert_true(hdr_len > 0);
	src = addr_of_ip4(hdr.src);
	dst = addr_of_ip4(hdr.dst);
	s->src = addr_to_ip(&src, ADDR_BITS);
	s->dst = addr_to_ip(&dst, ADDR_BITS);
	s->proto = hdr.proto;
	s->ttl = hdr.ttl;
	s->tos = hdr.tos;
	s->df = hdr.df;
	s->id = hdr.id;
	s->frag_off = hdr.frag_off;
	s->more = hdr.mf;
	s->payload = packet + hdr_len;
	s->len = hdr.total_len - (size_t)hdr_len;
}

static void see_ip6(const uint8_t *packet, size_t len, struct seen *s)
{
	struct ip6_hdr hdr;
	struct ip6_ext ext;
	assert_int_equal(ip6_hdr_parse(packet, len, &hdr), IP6_LEN);
	struct ip_addr src = addr_of_ip6(&hdr.src), dst = addr_of_ip6(&hdr.dst);
	int off = ip6_ext_walk(packet, len, hdr.next, &ext);
	assert_true(off > 0);
	s->src = addr_to_ip(&src, ADDR_BITS);
	s->dst = addr_to_ip(&dst, ADDR_BITS);
	s->proto = ext.proto;
	s->ttl = hdr.hop_limit;
	s->tos = hdr.tclass;
	s->id = ext.frag.id;
	s->frag_off = ext.frag.off;
	s->more = ext.frag.more;
	s->payload = packet + off;
	s->len = IP6_LEN + (size_t)hdr.payload_len - (size_t)off;
}

struct seen see(const struct sent *sent)
{
	struct seen s = { 0 };
	struct ether_hdr eth;
	int hdr_len = ether_hdr_parse(sent->bytes, sent->len, &eth);
	assert_true(hdr_len > 0 && sent->len <= sizeof(sent->bytes));
	s.type = eth.type;
	s.dst_mac = eth.dst;
	s.packet = sent->bytes + hdr_len;
	if (eth.type == ETHER_TYPE_IP4)
		see_ip4(s.packet, sent->len - (size_t)hdr_len, &s);
	else if (eth.type == ETHER_TYPE_IP6)
		see_ip6(s.packet, sent->len - (size_t)hdr_len, &s);
	return s;
}
