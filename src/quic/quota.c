/* SPDX-License-Identifier: MIT */
/*
 * An address is in the table as long as it has a connection.
 */
#include "quic/quota.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of an IPv6 address: what one subscriber has at least. */
#define PREFIX_LEN 8u

struct count {
	uint32_t n;
};

int quota_init(struct quota *quota, uint32_t each_max, size_t conns_max,
	       const uint8_t secret[HASH_SECRET_LEN])
{
	*quota = (struct quota){ .each_max = each_max };
	return each_max == 0 ? 0
			     : table_new(sizeof(struct quota_key), conns_max, secret,
					 &quota->counts);
}

void quota_fini(struct quota *quota)
{
	struct table_iter it;
	const void *key;
	void *count;
	if (!quota->counts)
		return;
	table_iter_init(&it, quota->counts);
	while (table_iter_next(&it, &key, &count))
		free(count);
	table_free(quota->counts);
	quota->counts = NULL;
}

/* An IPv4 address is in a place where no global IPv6 prefix is (RFC 4291, 2.5.5.2). */
struct quota_key quota_key_of(const union weft_sockaddr *peer)
{
	struct quota_key key = { { 0 } };
	if (peer->sa.sa_family == AF_INET6)
		memcpy(key.octet, &peer->in6.sin6_addr, PREFIX_LEN);
	else
		memcpy(key.octet + sizeof(key.octet) - sizeof(peer->in.sin_addr),
		       &peer->in.sin_addr, sizeof(peer->in.sin_addr));
	return key;
}

bool quota_is_used_up(const struct quota *quota, const struct quota_key *key)
{
	const struct count *count = quota->counts ? table_get(quota->counts, key) : NULL;
	return count && count->n >= quota->each_max;
}

int quota_take(struct quota *quota, const struct quota_key *key)
{
	if (!quota->counts)
		return 0;
	struct count *count = table_get(quota->counts, key);
	if (!count) {
		count = calloc(1, sizeof(*count));
		if (!count)
			return -ENOMEM;
		int r = table_set(quota->counts, key, count);
		if (r < 0) {
			free(count);
			return r;
		}
	}
	count->n++;
	return 0;
}

void quota_give_back(struct quota *quota, const struct quota_key *key)
{
	struct count *count = quota->counts ? table_get(quota->counts, key) : NULL;
	if (!quota->counts)
		return;
	assert(count && count->n > 0);
	if (--count->n > 0)
		return;
	(void)table_remove(quota->counts, key);
	free(count);
}
