/* SPDX-License-Identifier: MIT */
/*
 * The line of a frame, up to where IP begins:
 *
 *     02:00:00:00:00:01 > 02:00:00:00:00:02, vlan 7 p 3, IP ... , super-frame 45 x 1448
 *     '-------- addresses ----------------'  '-- tags -'  payload  '---- offload -----'
 *
 * Every part appends what it knows and gives up with a mark where the bytes end: a decoder
 * is a parser of hostile input like any other.
 */
#include "wire/dump.h"

#include "wire/arp.h"
#include "wire/ether.h"

#include <weft/addr.h>

#include <errno.h>

void dump_flaw(struct fmt *f, size_t len, size_t need)
{
	fmt_add(f, len < need ? "[truncated]" : "[malformed]");
}

static void add_mac(struct fmt *f, struct weft_mac mac)
{
	char text[WEFT_MAC_TEXT];
	fmt_add(f, "%s", weft_mac_print(mac, text));
}

static void add_ip4(struct fmt *f, uint32_t addr)
{
	fmt_add(f, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 0xff, addr >> 8 & 0xff,
		addr & 0xff);
}

static void dump_arp(struct fmt *f, const uint8_t *data, size_t len)
{
	struct arp_hdr arp;
	int r = arp_hdr_parse(data, len, &arp);
	fmt_add(f, "ARP ");
	if (r == -EPROTONOSUPPORT) {
		fmt_add(f, "for other addresses, length %zu", len);
	} else if (r < 0) {
		dump_flaw(f, len, ARP_LEN);
	} else if (arp.op == ARP_OP_REQUEST) {
		fmt_add(f, "who-has ");
		add_ip4(f, arp.target_ip);
		fmt_add(f, " tell ");
		add_ip4(f, arp.sender_ip);
	} else if (arp.op == ARP_OP_REPLY) {
		add_ip4(f, arp.sender_ip);
		fmt_add(f, " is-at ");
		add_mac(f, arp.sender_mac);
	} else {
		fmt_add(f, "operation %u", arp.op);
	}
}

/* The payload of an 802.3 frame whose length field is given. */
static void dump_llc(struct fmt *f, const uint8_t *data, size_t len, uint16_t length)
{
	struct llc_hdr llc;
	fmt_add(f, "802.3 ");
	if (llc_hdr_parse(data, len < length ? len : length, &llc) < 0)
		dump_flaw(f, len, length);
	else if (llc.is_snap)
		fmt_add(f, "SNAP oui %06x type 0x%04x, length %u", llc.oui, llc.type,
			length);
	else if (llc.dsap == LLC_SAP_STP && llc.ssap == LLC_SAP_STP)
		fmt_add(f, "STP, length %u", length);
	else
		fmt_add(f, "LLC dsap 0x%02x ssap 0x%02x, length %u", llc.dsap, llc.ssap,
			length);
}

static const char *ether_type_name(uint16_t type)
{
	switch (type) {
	case ETHER_TYPE_IPX:
		return "IPX";
	case ETHER_TYPE_SLOW:
		return "slow protocol";
	case ETHER_TYPE_PPPOE_DISCOVERY:
		return "PPPoE discovery";
	case ETHER_TYPE_PPPOE_SESSION:
		return "PPPoE";
	case ETHER_TYPE_EAPOL:
		return "EAPOL";
	case ETHER_TYPE_LOCAL_EXPERIMENT:
		return "local experiment";
	case ETHER_TYPE_LLDP:
		return "LLDP";
	default:
		return "ethertype";
	}
}

/* What stands behind the Ethernet header. Returns the bytes to be cut, as dump_ip4 does. */
static size_t dump_payload(struct fmt *f, uint16_t type, const uint8_t *data, size_t len)
{
	switch (type) {
	case ETHER_TYPE_IP4:
		return dump_ip4(f, data, len);
	case ETHER_TYPE_IP6:
		return dump_ip6(f, data, len);
	case ETHER_TYPE_ARP:
		dump_arp(f, data, len);
		return 0;
	default:
		break;
	}
	if (type < ETHER_TYPE_FIRST)
		dump_llc(f, data, len, type);
	else
		fmt_add(f, "%s 0x%04x, length %zu", ether_type_name(type), type, len);
	return 0;
}

static void add_tag(struct fmt *f, struct ether_tag tag)
{
	fmt_add(f, "%s %u", tag.tpid == ETHER_TYPE_VLAN ? "vlan" : "s-vlan",
		tag.tci & ETHER_VID_MASK);
	if (tag.tci >> 13)
		fmt_add(f, " p %u", tag.tci >> 13);
	fmt_add(f, ", ");
}

static size_t dump_ether(struct fmt *f, const uint8_t *data, size_t len)
{
	struct ether_hdr hdr;
	int hdr_len = ether_hdr_parse(data, len, &hdr);
	if (hdr_len < 0) {
		fmt_add(f, "Ethernet [truncated]");
		return 0;
	}
	add_mac(f, hdr.src);
	fmt_add(f, " > ");
	add_mac(f, hdr.dst);
	fmt_add(f, ", ");
	for (size_t i = 0; i < hdr.tags_n; i++)
		add_tag(f, hdr.tags[i]);
	return dump_payload(f, hdr.type, data + hdr_len, len - (size_t)hdr_len);
}

static size_t dump_bare_ip(struct fmt *f, const uint8_t *data, size_t len)
{
	unsigned version = len > 0 ? data[0] >> 4 : 0;
	if (version == 4)
		return dump_ip4(f, data, len);
	if (version == 6)
		return dump_ip6(f, data, len);
	fmt_add(f, "IP ");
	dump_flaw(f, len, 1);
	return 0;
}

const char *weft_dump_frame(const struct weft_frame *frame, bool is_ip, char *buf,
			    size_t len)
{
	struct fmt f;
	fmt_init(&f, buf, len);
	size_t payload_len = is_ip ? dump_bare_ip(&f, frame->data, frame->len)
				   : dump_ether(&f, frame->data, frame->len);
	size_t gso_size = frame->offload.gso_size;
	if (frame->offload.gso != WEFT_GSO_NONE && gso_size > 0)
		fmt_add(&f, ", super-frame %zu x %zu",
			(payload_len + gso_size - 1) / gso_size, gso_size);
	return fmt_text(&f);
}
