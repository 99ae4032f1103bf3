/* SPDX-License-Identifier: MIT */
/*
 * Two networks overlap where one holds the other. A route to less than a /8 of IPv4, or a /16 of
 * IPv6, stands for everything: a VPN has two of a /1 in the place of a default route.
 */
#include "cmd/collision.h"

#include <errno.h>
#include <string.h>

/* Shortest prefixes of a network that somebody lives in, in bits. */
#define PREFIX4_MIN 8u
#define PREFIX6_MIN 16u

struct search {
	const struct weft_ip *network;
	const char *device;
	bool is_found;
	struct weft_route found;
};

static bool same_bits(const struct weft_ip *a, const struct weft_ip *b, unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a->octet, b->octet, whole) != 0)
		return false;
	return rest == 0 ||
	       ((a->octet[whole] ^ b->octet[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

static bool overlap(const struct weft_ip *a, const struct weft_ip *b)
{
	const unsigned bits = a->prefix < b->prefix ? a->prefix : b->prefix;
	return a->family == b->family && same_bits(a, b, bits);
}

static bool is_somewhere(const struct weft_ip *dest)
{
	const bool is_ip6 = dest->family == AF_INET6;
	if (is_ip6 && dest->octet[0] == 0xfe && (dest->octet[1] & 0xc0) == 0x80)
		return false; /* each link has its own fe80::/10 */
	return dest->prefix >= (is_ip6 ? PREFIX6_MIN : PREFIX4_MIN) &&
	       dest->prefix < (is_ip6 ? 128 : 32);
}

/* The longest prefix is what is nearest, and says most. */
static void look_at(void *user, const struct weft_route *route)
{
	struct search *search = user;
	if (!is_somewhere(&route->dest) || strcmp(route->ifname, search->device) == 0 ||
	    !overlap(&route->dest, search->network))
		return;
	if (search->is_found && route->dest.prefix <= search->found.dest.prefix)
		return;
	search->is_found = true;
	search->found = *route;
}

bool collision_find(struct weft_host *host, const struct weft_ip *network,
		    const char *device, struct weft_route *ret_route)
{
	struct search search = { .network = network, .device = device };
	if (weft_host_each_route(host, network->family, look_at, &search, NULL) < 0 ||
	    !search.is_found)
		return false;
	*ret_route = search.found;
	return true;
}

/* An address of the smaller network that is nobody's here: the last but one, or before it. */
static struct weft_ip sample_of(const struct weft_ip *own, const struct weft_ip *other)
{
	const bool own_is_smaller = own->prefix >= other->prefix;
	struct weft_ip sample = own_is_smaller ? *own : *other;
	const unsigned len = sample.family == AF_INET6 ? 16 : 4;
	for (unsigned bit = sample.prefix; bit < 8 * len; bit++)
		sample.octet[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	sample.octet[len - 1] &= (uint8_t)~1u;
	if (memcmp(sample.octet, own->octet, len) == 0)
		sample.octet[len - 1] ^= 2u;
	sample.prefix = (uint8_t)(8 * len);
	return sample;
}

bool collision_is_won(struct weft_host *host, const struct weft_ip *own,
		      const struct weft_route *other, const char *device)
{
	const struct weft_ip sample = sample_of(own, &other->dest);
	struct weft_route now;
	return weft_host_find_route(host, &sample, NULL, &now) == 0 &&
	       strcmp(now.ifname, device) == 0;
}

void collision_warn(struct weft_host *host, struct output *out, const char *device,
		    const struct weft_ip *address, const char *remedy)
{
	char own[WEFT_IP_TEXT], other[WEFT_IP_TEXT];
	struct weft_route route;
	if (!collision_find(host, address, device, &route))
		return;
	const bool is_won = collision_is_won(host, address, &route, device);
	weft_ip_print(address, own);
	weft_ip_print(&route.dest, other);
	output_event(out, "collision",
		     json_pack("{s:s, s:s, s:s, s:b}", "address", own, "other", other,
			       "device", route.ifname, "room_wins", is_won));
	weft_log_warning(&out->log,
			 "%s in the room lies in %s, which %s leads to as well: %s; to "
			 "have both, one of the networks needs other addresses (%s)",
			 own, other, route.ifname,
			 is_won ? "while you are in the room, machines there are not "
				  "reached"
				: "what is meant for the room goes there",
			 remedy);
}
