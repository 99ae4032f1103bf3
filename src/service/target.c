/* SPDX-License-Identifier: MIT */
/*
 * An address is its own answer, at once. A name's answer comes from the resolver's run, never
 * from within the call that asks.
 */
#include "service/target.h"

#include "service/forward.h"
#include "stack/addr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Link-local addresses are looked for on the first interface. */
#define FIRST_IFACE    1u
#define POST_BYTES_MAX 65536u

/* A datagram that waits. */
struct letter {
	struct list node; /* of post->waiting */
	struct post *post;
	struct target target;
	size_t len;
	uint8_t data[];
};

/* ---- hosts ------------------------------------------------------------------------------- */

static void add_address(struct target *t, const struct weft_ip *ip)
{
	struct ip_addr addr;
	unsigned bits;
	if (t->n < TARGET_ADDRESSES_MAX && addr_of_ip(ip, &addr, &bits))
		t->addrs[t->n++] = addr_to_sockaddr(&addr, t->port, FIRST_IFACE);
}

static void on_found(void *user, int error, const struct weft_ip *addresses, size_t n,
		     uint64_t now)
{
	struct target *t = user;
	t->lookup = NULL;
	for (size_t i = 0; i < n; i++)
		add_address(t, &addresses[i]);
	t->found(t->user, error, now);
}

int target_find(struct target *t, const char *host, uint16_t port, uint64_t now)
{
	struct weft_resolver *resolver = t->forwarder->opts.resolver;
	struct weft_ip ip;
	t->port = port;
	t->n = t->next = 0;
	if (weft_ip_parse(host, &ip) == 0 && !strchr(host, '/')) {
		add_address(t, &ip);
		return 0;
	}
	if (!resolver)
		return -ENOENT;
	const struct weft_query query = { .name = host, .found = on_found, .user = t };
	int r = weft_resolver_find(resolver, &query, now, &t->lookup);
	if (r == 0)
		return -EINPROGRESS;
	return r == -EINVAL ? -ENOENT : r;
}

bool target_next(struct target *t, union weft_sockaddr *ret_addr)
{
	if (t->next == t->n)
		return false;
	*ret_addr = t->addrs[t->next++];
	return true;
}

void target_end(struct target *t, uint64_t now)
{
	weft_resolver_cancel(t->lookup, now);
	t->lookup = NULL;
}

/* ---- datagrams --------------------------------------------------------------------------- */

void post_init(struct post *post)
{
	list_init(&post->waiting);
	post->bytes = 0;
}

static void letter_free(struct letter *letter, uint64_t now)
{
	target_end(&letter->target, now);
	list_remove(&letter->node);
	letter->post->bytes -= letter->len;
	free(letter);
}

static void deliver(void *user, int error, uint64_t now)
{
	struct letter *letter = user;
	struct post *post = letter->post;
	union weft_sockaddr to;
	if (error == 0 && target_next(&letter->target, &to))
		post->send(post->user, &to, letter->data, letter->len, now);
	else
		forward_count(post->forwarder, WEFT_FORWARD_DROP_NAME);
	letter_free(letter, now);
}

static struct letter *letter_new(struct post *post, const void *data, size_t len)
{
	struct letter *letter = post->bytes + len <= POST_BYTES_MAX
					? malloc(sizeof(*letter) + len)
					: NULL;
	if (!letter)
		return NULL;
	*letter = (struct letter){ .post = post,
				   .target = { .forwarder = post->forwarder,
					       .found = deliver,
					       .user = letter },
				   .len = len };
	if (len > 0)
		memcpy(letter->data, data, len);
	list_push_back(&post->waiting, &letter->node);
	post->bytes += len;
	return letter;
}

void post_datagram(struct post *post, const char *host, uint16_t port, const void *data,
		   size_t len, uint64_t now)
{
	struct letter *letter = letter_new(post, data, len);
	if (!letter) {
		forward_count(post->forwarder, WEFT_FORWARD_DROP_FULL);
		return;
	}
	int r = target_find(&letter->target, host, port, now);
	if (r != -EINPROGRESS)
		deliver(letter, r, now);
}

void post_end(struct post *post, uint64_t now)
{
	list_for_each (node, &post->waiting)
		letter_free(container_of(node, struct letter, node), now);
}
