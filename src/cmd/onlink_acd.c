/* SPDX-License-Identifier: MIT */
/*
 * One weft_acd for each IPv4 address that was given. The stack is told to leave them alone, so
 * that only one of the two announces and defends.
 */
#include "cmd/onlink_acd.h"

#include <weft/acd.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct onlink_acd {
	struct onlink *on;
	struct weft_acd *acd;
	struct weft_ip address;
	struct onlink_acd *next;
};

/* A capture that is replayed takes no frames: who has the address there answers nobody. */
static bool has_asked(const struct onlink *on)
{
	return weft_link_stats(on->link).tx_frames > 0;
}

static void fail(struct onlink *on, const struct weft_ip *address)
{
	char ip[WEFT_IP_TEXT], text[WEFT_IP_TEXT + 32];
	if (!has_asked(on))
		return;
	weft_ip_print(address, ip);
	(void)snprintf(text, sizeof(text), "%.*s is another host's",
		       (int)strcspn(ip, "/"), ip);
	onlink_fail(on, text);
}

static void warn(struct onlink *on, const struct weft_ip *address, struct weft_mac mac)
{
	char ip[WEFT_IP_TEXT], text[WEFT_MAC_TEXT];
	weft_ip_print(address, ip);
	weft_mac_print(mac, text);
	output_event(&on->out, "conflict",
		     json_pack("{s:s, s:s}", "address", ip, "mac", text));
	weft_log_warning(&on->out.log,
			 "another host (%s) has taken %.*s: one of the two needs "
			 "another address",
			 text, (int)strcspn(ip, "/"), ip);
}

static void acd_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	const struct onlink_acd *a = user;
	weft_link_send(a->on->link, frame, 1, now);
}

static void acd_conflict(void *user, enum weft_acd_state state, struct weft_mac mac)
{
	const struct onlink_acd *a = user;
	if (state == WEFT_ACD_PROBING)
		fail(a->on, &a->address);
	else
		warn(a->on, &a->address, mac);
}

int onlink_acd_start(struct onlink *on, const struct weft_ip *address)
{
	struct weft_acd_opts opts = { .mac = weft_iface_mac(on->iface),
				      .address = *address,
				      .is_used = true,
				      .send = acd_send,
				      .conflict = acd_conflict };
	if (address->family != AF_INET || weft_link_caps(on->link).flags & WEFT_LINK_IP)
		return 0;
	if (getrandom(&opts.seed, sizeof(opts.seed), 0) != (ssize_t)sizeof(opts.seed))
		return -EIO;
	struct onlink_acd *a = malloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	opts.user = a;
	*a = (struct onlink_acd){ .on = on, .address = *address, .next = on->acds };
	int r = weft_acd_new(&opts, &a->acd);
	if (r < 0) {
		free(a);
		return r;
	}
	on->acds = a;
	return weft_loop_add(on->loop, weft_acd_task(a->acd));
}

void onlink_acd_input(const struct onlink *on, const struct weft_frame *frame)
{
	for (const struct onlink_acd *a = on->acds; a; a = a->next)
		weft_acd_input(a->acd, frame);
}

void onlink_acd_look(struct onlink *on)
{
	struct weft_ip ip;
	for (size_t i = 0; i < on->args->addresses.n; i++) {
		const char *text = on->args->addresses.items[i];
		if (weft_ip_parse(text, &ip) < 0)
			ip = on->leased;
		if (weft_iface_address_state(on->iface, &ip) != WEFT_ADDRESS_CONFLICT)
			continue;
		fail(on, &ip);
		return;
	}
}

void onlink_acd_end(struct onlink *on)
{
	while (on->acds) {
		struct onlink_acd *a = on->acds;
		on->acds = a->next;
		weft_loop_remove(on->loop, weft_acd_task(a->acd));
		weft_acd_free(a->acd);
		free(a);
	}
}
