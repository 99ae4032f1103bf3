/* SPDX-License-Identifier: MIT */
/*
 * DHCP in Ethernet frames. Emitting goes from the inside out, because each header holds the
 * length of what is in it; parsing goes from the outside in.
 */
#include "service/dhcp_frame.h"

#include "wire/checksum.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>

#define OFF_IP4  ETHER_LEN
#define OFF_UDP  (OFF_IP4 + IP4_LEN)
#define OFF_DHCP (OFF_UDP + UDP_LEN)
#define TTL      64u

/* The sum over the UDP datagram of udp_len bytes behind the IPv4 header at ip4. */
static uint16_t udp_checksum(const uint8_t *ip4, size_t udp_len)
{
	uint32_t sum = checksum_pseudo4(ip4 + IP4_OFF_SRC, ip4 + IP4_OFF_DST, IPPROTO_UDP,
					(uint16_t)udp_len);
	return checksum_finish_udp(checksum_add(sum, ip4 + IP4_LEN, udp_len));
}

static int emit_headers(uint8_t *buf, const struct udp_path *path, size_t dhcp_len)
{
	const struct ether_hdr ether = {
		.dst = path->dst_mac,
		.src = path->src_mac,
		.type = ETHER_TYPE_IP4,
	};
	const struct ip4_hdr ip4 = {
		.total_len = (uint16_t)(IP4_LEN + UDP_LEN + dhcp_len),
		.df = true,
		.ttl = TTL,
		.proto = IPPROTO_UDP,
		.src = path->src,
		.dst = path->dst,
	};
	const struct udp_hdr udp = {
		.sport = path->sport,
		.dport = path->dport,
		.len = (uint16_t)(UDP_LEN + dhcp_len),
	};
	if (ether_hdr_emit(buf, ETHER_LEN, &ether) < 0 ||
	    ip4_hdr_emit(buf + OFF_IP4, IP4_LEN, &ip4) < 0 ||
	    udp_hdr_emit(buf + OFF_UDP, UDP_LEN, &udp) < 0)
		return -EINVAL;
	store_be16(buf + OFF_UDP + UDP_OFF_CSUM, udp_checksum(buf + OFF_IP4, udp.len));
	return 0;
}

int dhcp_frame_emit(uint8_t *buf, size_t len, const struct udp_path *path,
		    const struct dhcp_msg *msg)
{
	if (len < OFF_DHCP)
		return -ENOBUFS;
	int dhcp_len = dhcp_msg_emit(buf + OFF_DHCP, len - OFF_DHCP, msg);
	if (dhcp_len < 0)
		return dhcp_len;
	int r = emit_headers(buf, path, (size_t)dhcp_len);
	return r < 0 ? r : (int)OFF_DHCP + dhcp_len;
}

int dhcp_frame_parse(const struct weft_frame *frame, uint16_t dport,
		     struct udp_path *ret_path, struct dhcp_msg *ret_msg)
{
	struct reader payload;
	struct udp_path path;
	struct dhcp_msg msg;
	int r = udp_frame_parse(frame, dport, &path, &payload);
	if (r < 0)
		return r;
	if (dhcp_msg_parse(payload.data, payload.len, &msg) < 0)
		return -EBADMSG;
	*ret_path = path;
	*ret_msg = msg;
	return 0;
}
