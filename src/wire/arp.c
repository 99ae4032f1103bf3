/* SPDX-License-Identifier: MIT */
/*
 * ARP. Whether a packet is to be believed is for whoever keeps neighbours: here only its
 * form is checked.
 */
#include "wire/arp.h"

#include "base/mac.h"
#include "wire/cursor.h"
#include "wire/ether.h"

#include <errno.h>

#define HTYPE_ETHERNET 1u
#define HTYPE_IEEE_802 6u
#define IP4_ADDR_LEN   4u

int arp_hdr_parse(const uint8_t *data, size_t len, struct arp_hdr *ret_hdr)
{
	if (len < ARP_LEN)
		return -EBADMSG;
	const uint16_t htype = load_be16(data + ARP_OFF_HTYPE);
	if ((htype != HTYPE_ETHERNET && htype != HTYPE_IEEE_802) ||
	    load_be16(data + ARP_OFF_PTYPE) != ETHER_TYPE_IP4)
		return -EPROTONOSUPPORT;
	if (data[ARP_OFF_HLEN] != MAC_LEN || data[ARP_OFF_PLEN] != IP4_ADDR_LEN)
		return -EPROTONOSUPPORT;
	*ret_hdr = (struct arp_hdr){
		.op = load_be16(data + ARP_OFF_OP),
		.sender_mac = mac_load(data + ARP_OFF_SENDER_MAC),
		.sender_ip = load_be32(data + ARP_OFF_SENDER_IP),
		.target_mac = mac_load(data + ARP_OFF_TARGET_MAC),
		.target_ip = load_be32(data + ARP_OFF_TARGET_IP),
	};
	return ARP_LEN;
}

int arp_hdr_emit(uint8_t *buf, size_t len, const struct arp_hdr *hdr)
{
	if (len < ARP_LEN)
		return -ENOBUFS;
	store_be16(buf + ARP_OFF_HTYPE, HTYPE_ETHERNET);
	store_be16(buf + ARP_OFF_PTYPE, ETHER_TYPE_IP4);
	buf[ARP_OFF_HLEN] = MAC_LEN;
	buf[ARP_OFF_PLEN] = IP4_ADDR_LEN;
	store_be16(buf + ARP_OFF_OP, hdr->op);
	mac_store(buf + ARP_OFF_SENDER_MAC, hdr->sender_mac);
	store_be32(buf + ARP_OFF_SENDER_IP, hdr->sender_ip);
	mac_store(buf + ARP_OFF_TARGET_MAC, hdr->target_mac);
	store_be32(buf + ARP_OFF_TARGET_IP, hdr->target_ip);
	return ARP_LEN;
}
