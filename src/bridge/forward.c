/* SPDX-License-Identifier: MIT */
/*
 * Tags are not looked at: a tagged frame goes where its addresses say, tag and all, as in a
 * bridge that is not VLAN-aware (802.1Q 5.14).
 */
#include "bridge/forward.h"

#include "base/mac.h"
#include "wire/ether.h"

#include <string.h>

/* 01:80:C2:00:00:00 to 0F: spanning tree, pause, LACP, 802.1X, LLDP. (802.1D table 7-10) */
static bool is_reserved(struct weft_mac mac)
{
	static const uint8_t prefix[] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };
	return memcmp(mac.octet, prefix, sizeof(prefix)) == 0 && mac.octet[5] <= 0x0f;
}

/* Whether the source may be what it says; fills in what to learn or the reason why not. */
static bool source_passes(const struct fdb *fdb, const struct forward_port *ingress,
			  struct weft_mac src, struct forward *way)
{
	if (mac_is_group(src) || mac_is_zero(src)) {
		way->outcome = WEFT_BRIDGE_DROP_BAD_SOURCE;
		return false;
	}
	struct fdb_entry *entry = fdb_lookup(fdb, src);
	bool here = entry && entry->port == &ingress->fdb;
	bool bound = entry && entry->bound;
	if ((bound || ingress->opts.locked) && !(bound && here)) {
		way->outcome = WEFT_BRIDGE_DROP_SPOOFED;
		return false;
	}
	if (bound || ingress->opts.no_learning)
		return true;
	way->learn = !here;
	way->source = here ? entry : NULL;
	return true;
}

/* Forwards to the port behind which the destination is known. */
static void decide_known(const struct forward_port *ingress,
			 const struct fdb_entry *entry, struct forward *way)
{
	struct forward_port *egress = container_of(entry->port, struct forward_port, fdb);
	if (egress == ingress) {
		way->outcome = WEFT_BRIDGE_DROP_SAME_PORT;
	} else if (ingress->opts.isolated && egress->opts.isolated) {
		way->outcome = WEFT_BRIDGE_DROP_ISOLATED;
	} else {
		way->outcome = WEFT_BRIDGE_FORWARDED;
		way->target = egress;
	}
}

struct forward forward_decide(const struct fdb *fdb, const struct forward_port *ingress,
			      const struct weft_frame *frame)
{
	struct forward way = { .outcome = WEFT_BRIDGE_DROP_RUNT };
	if (frame->len < ETHER_LEN)
		return way;
	struct weft_mac src = mac_load(frame->data + ETHER_OFF_SRC);
	struct weft_mac dst = mac_load(frame->data + ETHER_OFF_DST);
	if (!source_passes(fdb, ingress, src, &way))
		return way;
	if (is_reserved(dst)) {
		way.outcome = WEFT_BRIDGE_DROP_RESERVED;
		return way;
	}
	if (mac_equal(dst, src)) {
		way.outcome = WEFT_BRIDGE_DROP_SAME_PORT;
		return way;
	}
	const struct fdb_entry *entry = mac_is_group(dst) ? NULL : fdb_lookup(fdb, dst);
	if (entry) {
		decide_known(ingress, entry, &way);
		return way;
	}
	way.outcome = WEFT_BRIDGE_FLOODED;
	way.unknown = !mac_is_group(dst);
	return way;
}

bool forward_floods_to(const struct forward *way, const struct forward_port *ingress,
		       const struct forward_port *egress)
{
	return egress != ingress && !(way->unknown && egress->opts.no_flood) &&
	       !(ingress->opts.isolated && egress->opts.isolated);
}
