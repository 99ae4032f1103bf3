/* SPDX-License-Identifier: MIT */
/*
 * What stays is not touched: connections hang on it.
 */
#include "cmd/network_host.h"

#include <errno.h>
#include <string.h>

static bool is_among(const struct weft_ip *ip, const struct weft_ip *ips, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(ip, &ips[i], sizeof(*ip)) == 0)
			return true;
	return false;
}

int network_host_route(struct network_host *h)
{
	const struct weft_ip any4 = { .family = AF_INET }, any6 = { .family = AF_INET6 };
	int r = weft_stack_add_route(h->stack, &any4, NULL, h->iface);
	return r < 0 ? r : weft_stack_add_route(h->stack, &any6, NULL, h->iface);
}

static void drop_others(struct network_host *h, const struct network_terms *terms,
			uint64_t now)
{
	size_t kept = 0;
	for (size_t i = 0; i < h->ips_n; i++) {
		const struct weft_ip ip = h->ips[i];
		if (is_among(&ip, terms->ips, terms->ips_n))
			h->ips[kept++] = ip;
		else
			weft_iface_remove_address(h->iface, &ip, now);
	}
	h->ips_n = kept;
}

void network_host_apply(struct network_host *h, const struct network_terms *terms,
			uint64_t now)
{
	char text[WEFT_IP_TEXT];
	drop_others(h, terms, now);
	for (size_t i = 0; i < terms->ips_n; i++) {
		const struct weft_ip ip = terms->ips[i];
		if (is_among(&ip, h->ips, h->ips_n))
			continue;
		int r = weft_iface_add_address(h->iface, &ip, 0, now);
		if (r < 0 && r != -EEXIST)
			weft_log_warning(&h->output->log, "%s cannot be used: %s",
					 weft_ip_print(&ip, text), strerror(-r));
		else
			h->ips[h->ips_n++] = ip;
	}
}
