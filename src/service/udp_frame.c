/* SPDX-License-Identifier: MIT */
/*
 * From the outside in: what is not for the port is somebody else's and no error, what is for it
 * has to be right.
 */
#include "service/udp_frame.h"

#include "wire/checksum.h"
#include "wire/ether.h"
#include "wire/ip4.h"
#include "wire/udp.h"

#include <errno.h>
#include <netinet/in.h>

/* Finds the UDP datagram in the frame. Returns the offset of the IPv4 header, or -ENOMSG. */
static int find_udp(const struct weft_frame *frame, struct ether_hdr *ret_ether,
		    struct ip4_hdr *ret_ip4, struct reader *ret_udp)
{
	int off = ether_hdr_parse(frame->data, frame->len, ret_ether);
	if (off < 0 || ret_ether->tags_n > 0 || ret_ether->type != ETHER_TYPE_IP4)
		return -ENOMSG;
	const uint8_t *packet = frame->data + off;
	int ip4_len = ip4_hdr_parse(packet, frame->len - (size_t)off, ret_ip4);
	if (ip4_len < 0 || ret_ip4->proto != IPPROTO_UDP || ip4_is_fragment(ret_ip4))
		return -ENOMSG;
	*ret_udp = reader_of(packet + ip4_len, ret_ip4->total_len - (size_t)ip4_len);
	return off;
}

static bool checksums_are_right(const struct weft_frame *frame, const uint8_t *ip4,
				const struct reader *udp, size_t udp_len)
{
	const unsigned settled = WEFT_OFFLOAD_NEEDS_CSUM | WEFT_OFFLOAD_CSUM_VALID;
	if (!checksum_is_right(0, ip4, (size_t)(udp->data - ip4)))
		return false;
	if (frame->offload.flags & settled)
		return true;
	uint32_t pseudo = checksum_pseudo4(ip4 + IP4_OFF_SRC, ip4 + IP4_OFF_DST,
					   IPPROTO_UDP, (uint16_t)udp_len);
	return checksum_udp_is_right(pseudo, udp->data, udp_len, false);
}

int udp_frame_parse(const struct weft_frame *frame, uint16_t dport,
		    struct udp_path *ret_path, struct reader *ret_payload)
{
	struct ether_hdr ether;
	struct ip4_hdr ip4;
	struct reader udp;
	int off = find_udp(frame, &ether, &ip4, &udp);
	if (off < 0)
		return off;
	struct udp_hdr hdr;
	if (udp_hdr_peek(udp.data, udp.len, &hdr) < 0 || hdr.dport != dport)
		return -ENOMSG;
	if (udp_hdr_parse(udp.data, udp.len, &hdr) < 0 ||
	    !checksums_are_right(frame, frame->data + off, &udp, hdr.len))
		return -EBADMSG;
	*ret_path = (struct udp_path){
		.src_mac = ether.src,
		.dst_mac = ether.dst,
		.src = ip4.src,
		.dst = ip4.dst,
		.sport = hdr.sport,
		.dport = hdr.dport,
	};
	*ret_payload = reader_of(udp.data + UDP_LEN, hdr.len - UDP_LEN);
	return 0;
}
