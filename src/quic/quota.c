/* SPDX-License-Identifier: MIT */
/*
 * An address is in the table as long as it has a connection, or has begun some of late; the
 * latter goes when its place is wanted.
 */
#include "quic/quota.h"

#include "base/bucket.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of an IPv6 address: what one subscriber has at least. */
#define PREFIX_LEN 8u

/* Between two walks over all addresses, which a full table asks for. */
#define SWEEP_NS NS_PER_S

struct count {
	uint32_t n;
	struct bucket begins;
};

int quota_init(struct quota *quota, uint32_t each_max, size_t conns_max,
	       const uint8_t secret[HASH_SECRET_LEN])
{
	*quota = (struct quota){ .each_max = each_max };
	return each_max == 0 ? 0
			     : table_new(sizeof(struct quota_key), 2 * conns_max, secret,
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

const char *quota_refuses(const struct quota *quota, const struct quota_key *key,
			  uint64_t now)
{
	const struct count *count = quota->counts ? table_get(quota->counts, key) : NULL;
	if (!count)
		return NULL;
	if (count->n >= quota->each_max)
		return "there are too many connections from this address";
	struct bucket begins = count->begins;
	return bucket_take(&begins, 1, now)
		       ? NULL
		       : "this address has begun too many connections of late";
}

static bool is_of_no_use(const struct count *count, uint64_t now)
{
	return count->n == 0 && count->begins.busy_until <= now;
}

static void sweep(struct quota *quota, uint64_t now)
{
	struct table_iter it;
	const void *key;
	void *count;
	if (quota->swept_ns && now < quota->swept_ns + SWEEP_NS)
		return;
	quota->swept_ns = now;
	table_iter_init(&it, quota->counts);
	while (table_iter_next(&it, &key, &count)) {
		if (!is_of_no_use(count, now))
			continue;
		(void)table_remove(quota->counts, key);
		free(count);
	}
}

/* A small quota still fills by one a second. */
static struct bucket begins_of(const struct quota *quota)
{
	const uint32_t max = quota->each_max, rate = max / QUOTA_REFILL_S;
	return bucket_of(rate > 0 ? rate : 1, max < UINT32_MAX / 2 ? 2 * max : max);
}

static int count_make(struct quota *quota, const struct quota_key *key, uint64_t now,
		      struct count **ret_count)
{
	struct count *count = calloc(1, sizeof(*count));
	if (!count)
		return -ENOMEM;
	count->begins = begins_of(quota);
	int r = table_set(quota->counts, key, count);
	if (r == -ENOSPC) {
		sweep(quota, now);
		r = table_set(quota->counts, key, count);
	}
	if (r < 0) {
		free(count);
		return r;
	}
	*ret_count = count;
	return 0;
}

int quota_take(struct quota *quota, const struct quota_key *key, uint64_t now)
{
	if (!quota->counts)
		return 0;
	struct count *count = table_get(quota->counts, key);
	int r = count ? 0 : count_make(quota, key, now, &count);
	if (r < 0)
		return r;
	count->n++;
	return 0;
}

void quota_charge(struct quota *quota, const struct quota_key *key, uint64_t now)
{
	struct count *count = quota->counts ? table_get(quota->counts, key) : NULL;
	if (count)
		(void)bucket_take(&count->begins, 1, now);
}

void quota_give_back(struct quota *quota, const struct quota_key *key, uint64_t now)
{
	struct count *count = quota->counts ? table_get(quota->counts, key) : NULL;
	if (!quota->counts)
		return;
	assert(count && count->n > 0);
	count->n--;
	if (!is_of_no_use(count, now))
		return;
	(void)table_remove(quota->counts, key);
	free(count);
}
