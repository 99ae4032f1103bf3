/* SPDX-License-Identifier: MIT */
/*
 * A tun or tap device in memory, and the other end of its wire.
 *
 *     device                                        test
 *     read  <--- faults, then [frame][frame] <----- put, put_packet, put_udp
 *     write ---> faults, then [frame][frame] -----> take, take_udp
 *
 * Frames are kept as the wire has them: protocol information, for devices that asked for it,
 * is put before a frame as it is read, and stands before one that was written.
 */
#include "link/device_tunnel.h"

#include "base/list.h"
#include "wire/checksum.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/layout.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A frame that is on its way. */
struct datagram {
	struct list node;
	size_t len;
	uint8_t data[];
};

/* An answer that a call gives instead of doing anything, n times. */
struct fault {
	struct list node;
	int code;
	size_t n;
};

struct weft_tunnel {
	struct weft_tunnel_facts facts;
	struct list unread;                    /* struct datagram.node */
	struct list written;                   /* struct datagram.node */
	struct list read_faults, write_faults; /* struct fault.node */
	size_t written_len;
	size_t send_buffer_len;
};

static bool has_pi(const struct weft_tunnel *tunnel)
{
	return !(tunnel->facts.flags & WEFT_DEVICE_NO_PI);
}

/* Frames behind the protocol information are bare packets. */
static bool is_ip(const struct weft_tunnel *tunnel)
{
	return (tunnel->facts.flags & WEFT_DEVICE_KIND) == WEFT_DEVICE_TUN;
}

/* ---- queues ------------------------------------------------------------------------------ */

static struct datagram *datagram_new(size_t len)
{
	struct datagram *d = malloc(sizeof(*d) + len);
	if (d)
		d->len = len;
	return d;
}

static void datagram_free(struct datagram *d)
{
	list_remove(&d->node);
	free(d);
}

static void faults_clear(struct list *faults)
{
	list_for_each (node, faults)
		free(container_of(node, struct fault, node));
	list_init(faults);
}

static void datagrams_clear(struct list *datagrams)
{
	list_for_each (node, datagrams)
		datagram_free(container_of(node, struct datagram, node));
}

/* The next answer that a test has ordered, or 0. */
static int fault_next(struct list *faults)
{
	struct list *node = list_first(faults);
	if (!node)
		return 0;
	struct fault *fault = container_of(node, struct fault, node);
	int code = fault->code;
	if (--fault->n == 0) {
		list_remove(node);
		free(fault);
	}
	return code;
}

static int fault_add(struct list *faults, int code, size_t n)
{
	if (code >= 0)
		return -EINVAL;
	if (n == 0)
		return 0;
	struct fault *fault = malloc(sizeof(*fault));
	if (!fault)
		return -ENOMEM;
	*fault = (struct fault){ .code = code, .n = n };
	list_push_back(faults, &fault->node);
	return 0;
}

static size_t count(const struct list *head)
{
	size_t n = 0;
	list_for_each (node, head)
		n++;
	return n;
}

/* ---- the special file -------------------------------------------------------------------- */

static int tunnel_open(void *user, unsigned flags, void **ret_file)
{
	const size_t *send_buffer_len = user;
	struct weft_tunnel *tunnel = calloc(1, sizeof(*tunnel));
	if (!tunnel)
		return -ENOMEM;
	list_init(&tunnel->unread);
	list_init(&tunnel->written);
	list_init(&tunnel->read_faults);
	list_init(&tunnel->write_faults);
	tunnel->facts.open_flags = flags;
	tunnel->send_buffer_len = *send_buffer_len;
	*ret_file = tunnel;
	return 0;
}

/* The name is never quite the one that was asked for: who relies on that finds out. */
static void choose_name(struct weft_tunnel_facts *facts)
{
	char wanted[WEFT_DEVICE_NAME_LEN] = "";
	memcpy(wanted, facts->requested, sizeof(wanted) - 1);
	wanted[strcspn(wanted, "%")] = '\0';
	(void)snprintf(facts->name, sizeof(facts->name), "%.12s123", wanted);
}

static int tunnel_configure(void *file, unsigned request,
			    struct weft_device_config *config)
{
	struct weft_tunnel *tunnel = file;
	unsigned kind = config->flags & WEFT_DEVICE_KIND;
	if (request != WEFT_DEVICE_SETIFF)
		return -EINVAL;
	if (tunnel->facts.flags)
		return -EEXIST;
	if (kind != WEFT_DEVICE_TUN && kind != WEFT_DEVICE_TAP)
		return -EINVAL;
	tunnel->facts.flags = config->flags;
	memcpy(tunnel->facts.requested, config->name, sizeof(config->name));
	choose_name(&tunnel->facts);
	memcpy(config->name, tunnel->facts.name, sizeof(config->name));
	return 0;
}

/* A read that would block is one that never ends: nobody else runs here. */
static int tunnel_read(void *file, void *buf, size_t len)
{
	struct weft_tunnel *tunnel = file;
	int code = fault_next(&tunnel->read_faults);
	if (code < 0)
		return code;
	struct list *node = list_first(&tunnel->unread);
	if (!node)
		return tunnel->facts.open_flags & WEFT_DEVICE_NONBLOCK ? -EAGAIN
								       : -EDEADLK;
	struct datagram *d = container_of(node, struct datagram, node);
	struct writer w = writer_of(buf, len);
	if (has_pi(tunnel))
		writer_fill(&w, 0, WEFT_DEVICE_PI_LEN);
	size_t fits = writer_left(&w);
	writer_bytes(&w, d->data, d->len < fits ? d->len : fits);
	datagram_free(d);
	return (int)w.off;
}

static int tunnel_write(void *file, const void *buf, size_t len)
{
	struct weft_tunnel *tunnel = file;
	int code = fault_next(&tunnel->write_faults);
	if (code < 0)
		return code;
	if (len > tunnel->send_buffer_len - tunnel->written_len)
		return -ENOBUFS;
	struct datagram *d = datagram_new(len);
	if (!d)
		return -ENOMEM;
	if (len > 0)
		memcpy(d->data, buf, len);
	list_push_back(&tunnel->written, &d->node);
	tunnel->written_len += len;
	return (int)len;
}

static bool tunnel_is_readable(const void *file)
{
	const struct weft_tunnel *tunnel = file;
	return !list_is_empty(&tunnel->unread) || !list_is_empty(&tunnel->read_faults);
}

static void tunnel_close(void *file)
{
	struct weft_tunnel *tunnel = file;
	datagrams_clear(&tunnel->unread);
	datagrams_clear(&tunnel->written);
	faults_clear(&tunnel->read_faults);
	faults_clear(&tunnel->write_faults);
	free(tunnel);
}

const struct weft_device_special *tunnel_special(void)
{
	static const struct weft_device_special special = {
		.open = tunnel_open,
		.configure = tunnel_configure,
		.read = tunnel_read,
		.write = tunnel_write,
		.is_readable = tunnel_is_readable,
		.close = tunnel_close,
	};
	return &special;
}

/* ---- what a test puts in ----------------------------------------------------------------- */

struct weft_tunnel_facts weft_tunnel_facts(const struct weft_tunnel *tunnel)
{
	return tunnel->facts;
}

int weft_tunnel_put(struct weft_tunnel *tunnel, const void *data, size_t len)
{
	struct datagram *d = datagram_new(len);
	if (!d)
		return -ENOMEM;
	if (len > 0)
		memcpy(d->data, data, len);
	list_push_back(&tunnel->unread, &d->node);
	return 0;
}

int weft_tunnel_put_packet(struct weft_tunnel *tunnel, const void *data, size_t len)
{
	uint8_t frame[ETHER_LEN + WEFT_FRAME_LEN_MAX];
	if (len > WEFT_FRAME_LEN_MAX)
		return -EMSGSIZE;
	if (is_ip(tunnel))
		return weft_tunnel_put(tunnel, data, len);
	const uint8_t *bytes = data;
	const struct ether_hdr ether = {
		.dst = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		.type = len > 0 && bytes[0] >> 4 == 6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4,
	};
	int n = ether_hdr_emit(frame, sizeof(frame), &ether);
	if (n < 0)
		return n;
	if (len > 0)
		memcpy(frame + n, data, len);
	return weft_tunnel_put(tunnel, frame, (size_t)n + len);
}

int weft_tunnel_put_udp(struct weft_tunnel *tunnel, const struct weft_ip *to,
			uint16_t port, const void *payload, size_t len)
{
	uint8_t packet[IP6_LEN + UINT16_MAX];
	struct compose headers = { .dst = *to,
				   .sport = WEFT_TUNNEL_UDP_PORT,
				   .dport = port };
	int r = weft_ip_parse(to->family == AF_INET6 ? WEFT_TUNNEL_UDP_IP6
						     : WEFT_TUNNEL_UDP_IP4,
			      &headers.src);
	if (r < 0)
		return r;
	r = compose_udp(&headers, payload, len, packet, sizeof(packet));
	return r < 0 ? r : weft_tunnel_put_packet(tunnel, packet, (size_t)r);
}

int weft_tunnel_fail_reads(struct weft_tunnel *tunnel, int code, size_t n)
{
	return fault_add(&tunnel->read_faults, code, n);
}

int weft_tunnel_fail_writes(struct weft_tunnel *tunnel, int code, size_t n)
{
	return fault_add(&tunnel->write_faults, code, n);
}

size_t weft_tunnel_unread(const struct weft_tunnel *tunnel)
{
	return count(&tunnel->unread);
}

size_t weft_tunnel_written(const struct weft_tunnel *tunnel)
{
	return count(&tunnel->written);
}

/* ---- what a test takes out --------------------------------------------------------------- */

/* Copies data out of d, which ends with that. */
static int hand_out(struct weft_tunnel *tunnel, struct datagram *d, struct reader data,
		    void *buf, size_t len)
{
	size_t left = reader_left(&data);
	size_t n = left < len ? left : len;
	if (n > 0)
		memcpy(buf, data.data + data.off, n);
	tunnel->written_len -= d->len;
	datagram_free(d);
	return (int)n;
}

int weft_tunnel_take(struct weft_tunnel *tunnel, void *buf, size_t len)
{
	struct list *node = list_first(&tunnel->written);
	if (!node)
		return -EAGAIN;
	struct datagram *d = container_of(node, struct datagram, node);
	return hand_out(tunnel, d, reader_of(d->data, d->len), buf, len);
}

/* The address at p, of the packet's family. */
static struct weft_ip ip_at(const uint8_t *p, uint8_t version)
{
	struct weft_ip ip = { .family = version == 4 ? AF_INET : AF_INET6 };
	memcpy(ip.octet, p, version == 4 ? 4 : IP6_ADDR_LEN);
	return ip;
}

/*
 * The payload if the frame is a whole and right UDP datagram to that address and port, which
 * is what a socket would ask; otherwise a reader that is bad.
 */
static struct reader find_udp(const struct weft_tunnel *tunnel, const struct datagram *d,
			      const struct weft_ip *to, uint16_t port)
{
	const struct reader none = { .bad = true };
	size_t pi = has_pi(tunnel) ? WEFT_DEVICE_PI_LEN : 0;
	struct layout at;
	struct udp_hdr udp;
	if (d->len < pi || layout_find(d->data + pi, d->len - pi, is_ip(tunnel), &at) < 0)
		return none;
	if (at.version == 0 || at.proto != IPPROTO_UDP || at.is_fragment)
		return none;
	const uint8_t *ip = d->data + pi + at.ip_off;
	const uint8_t *upper = d->data + pi + at.transport_off;
	bool is_ip4 = at.version == 4;
	if (is_ip4 && !checksum_is_right(0, ip, at.transport_off - at.ip_off))
		return none;
	struct weft_ip src = ip_at(ip + (is_ip4 ? IP4_OFF_SRC : IP6_OFF_SRC), at.version);
	struct weft_ip dst = ip_at(ip + (is_ip4 ? IP4_OFF_DST : IP6_OFF_DST), at.version);
	if (udp_hdr_parse(upper, at.end - at.transport_off, &udp) < 0)
		return none;
	bool is_for = dst.family == to->family && udp.dport == port &&
		      memcmp(dst.octet, to->octet, sizeof(dst.octet)) == 0;
	if (!is_for)
		return none;
	uint32_t pseudo = compose_pseudo(&src, &dst, IPPROTO_UDP, udp.len);
	if (!checksum_udp_is_right(pseudo, upper, udp.len, !is_ip4))
		return none;
	return reader_of(upper + UDP_LEN, udp.len - UDP_LEN);
}

int weft_tunnel_take_udp(struct weft_tunnel *tunnel, const struct weft_ip *to,
			 uint16_t port, void *buf, size_t len)
{
	list_for_each (node, &tunnel->written) {
		struct datagram *d = container_of(node, struct datagram, node);
		struct reader payload = find_udp(tunnel, d, to, port);
		if (!payload.bad)
			return hand_out(tunnel, d, payload, buf, len);
	}
	return -EAGAIN;
}
