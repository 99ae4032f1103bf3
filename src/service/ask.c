/* SPDX-License-Identifier: MIT */
/*
 * One question, asked of one server after the other until one knows.
 *
 *     due:  ask the next server by UDP --- no answer in time ------------> due
 *             |                        '-- refused, unreachable, failed -> due, at once
 *             |--- too long ---> the same server by TCP --- likewise ---> due
 *             |--- EDNS not understood -> the same server without ------> (once)
 *             |--- an alias that leads out of the answer --> asks for that, from the begin
 *             '--- addresses, or none: done
 *
 * Each attempt has a port, chosen by the stack, and an id of its own, and only who is asked is
 * listened to: so an answer has to be guessed by its 32 random bits and in time (RFC 5452, 9).
 */
#include "base/time.h"
#include "service/resolver.h"
#include "wire/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS  (2 * NS_PER_S) /* in the first round; doubled in the second */
#define TCP_NS       (5 * NS_PER_S)
#define ROUNDS       2u
#define STREAM_MAX   16384u /* a longer answer is none */
#define DATAGRAM_MAX 4096u

static void close_all(struct ask *ask, uint64_t now)
{
	weft_udp_free(ask->udp);
	if (ask->stream.tcp)
		weft_tcp_abort(ask->stream.tcp, now);
	free(ask->stream.data);
	ask->udp = NULL;
	ask->stream = (struct ask_stream){ .tcp = NULL };
}

/* The sockets are closed by the next run, which is not within one of their callbacks. */
static void done(struct ask *ask, int error)
{
	ask->is_done = true;
	ask->facts.error = error;
	ask->due = 0;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void next_server(struct ask *ask, enum weft_resolver_outcome why)
{
	resolver_count(ask->resolver, why);
	ask->facts.error = why == WEFT_RESOLVER_REFUSED ? -EIO : -ETIMEDOUT;
	ask->due = 0;
}

/* Goes on with what the name stands for. */
static void follow_alias(struct ask *ask, const struct dns_answer *answer)
{
	ask->aliases_n += answer->aliases_n;
	if (ask->aliases_n > DNS_ALIASES_MAX) {
		done(ask, -ENOENT);
		return;
	}
	ask->question.name = answer->name;
	ask->attempts = 0;
	ask->due = 0;
}

static void take_facts(struct ask *ask, const struct dns_answer *answer, uint64_t now)
{
	struct weft_resolver *r = ask->resolver;
	ask->facts.n = answer->addresses_n;
	memcpy(ask->facts.addresses, answer->addresses, sizeof(answer->addresses));
	done(ask, answer->addresses_n > 0 ? 0 : -ENOENT);
	resolver_count(r, WEFT_RESOLVER_ANSWERED);
	r->first = ask->server_index;
	name_cache_put(r, &ask->name, ask->question.type, &ask->facts, answer->ttl_s,
		       now);
}

static void judge(struct ask *ask, const struct dns_answer *answer, uint64_t now)
{
	bool dislikes_edns = answer->rcode == DNS_FORMERR || answer->rcode == DNS_NOTIMP;
	bool leads_out = answer->rcode == DNS_NOERROR && answer->addresses_n == 0 &&
			 answer->aliases_n > 0 && !answer->has_soa;
	if (leads_out) {
		follow_alias(ask, answer);
	} else if (answer->rcode == DNS_NOERROR || answer->rcode == DNS_NXDOMAIN) {
		take_facts(ask, answer, now);
	} else if (dislikes_edns && ask->has_edns) {
		ask->has_edns = false;
		ask->attempts--;
		ask->due = 0;
	} else {
		next_server(ask, WEFT_RESOLVER_REFUSED);
	}
}

/* ---- TCP --------------------------------------------------------------------------------- */

static void stream_take(struct ask *ask, uint64_t now)
{
	struct dns_answer answer;
	int r = dns_answer_parse(ask->stream.data, ask->stream.len, ask->id,
				 &ask->question, &answer);
	if (r == 0 && !answer.truncated)
		judge(ask, &answer, now);
	else
		next_server(ask, WEFT_RESOLVER_DROP_MALFORMED);
}

/* Room for what is read next: the length, then the message. Returns NULL for none. */
static uint8_t *stream_room(struct ask_stream *s, size_t *ret_len)
{
	if (s->got < sizeof(s->head)) {
		*ret_len = sizeof(s->head) - s->got;
		return s->head + s->got;
	}
	size_t len = load_be16(s->head);
	if (!s->data && len <= STREAM_MAX)
		s->data = malloc(len > 0 ? len : 1);
	if (!s->data)
		return NULL;
	s->len = len;
	*ret_len = len - (s->got - sizeof(s->head));
	return s->data + (s->got - sizeof(s->head));
}

static void stream_readable(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct ask *ask = user;
	struct ask_stream *s = &ask->stream;
	while (!ask->is_done && ask->due > 0) {
		size_t len;
		uint8_t *room = stream_room(s, &len);
		if (room && len == 0) {
			stream_take(ask, now);
			return;
		}
		int n = room ? weft_tcp_receive(tcp, room, len, now) : -EMSGSIZE;
		if (n == -EAGAIN)
			return;
		if (n <= 0)
			next_server(ask, room ? WEFT_RESOLVER_UNREACHABLE
					      : WEFT_RESOLVER_DROP_MALFORMED);
		else
			s->got += (size_t)n;
	}
}

static void stream_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct ask *ask = user;
	(void)error;
	stream_readable(ask, tcp, now);
	if (!ask->is_done && ask->due > 0)
		next_server(ask, WEFT_RESOLVER_UNREACHABLE);
}

static const struct weft_tcp_events stream_events = { .on_readable = stream_readable,
						      .on_closed = stream_closed };

/* Asks the same server again, where there is room for an answer of any length. */
static int ask_by_tcp(struct ask *ask, uint64_t now)
{
	const struct weft_tcp_opts opts = { .events = &stream_events, .user = ask };
	uint8_t buf[2 + DNS_QUERY_LEN_MAX];
	int n = dns_query_emit(buf + 2, sizeof(buf) - 2, ask->id, &ask->question,
			       ask->has_edns);
	if (n < 0)
		return n;
	store_be16(buf, (uint16_t)n);
	close_all(ask, now);
	int r = weft_tcp_connect(ask->resolver->opts.stack, &ask->server, &opts, now,
				 &ask->stream.tcp);
	if (r == 0)
		r = weft_tcp_send(ask->stream.tcp, buf, (size_t)n + 2, now);
	ask->due = now + TCP_NS;
	return r < 0 ? r : 0;
}

/* ---- UDP --------------------------------------------------------------------------------- */

static void datagram_take(struct ask *ask, const uint8_t *data, size_t len, uint64_t now)
{
	struct dns_answer answer;
	int r = dns_answer_parse(data, len, ask->id, &ask->question, &answer);
	if (r < 0) {
		/* Of whoever sent it: the right one may still come. */
		resolver_count(ask->resolver, r == -ENOMSG
						      ? WEFT_RESOLVER_DROP_NOT_OURS
						      : WEFT_RESOLVER_DROP_MALFORMED);
	} else if (!answer.truncated) {
		judge(ask, &answer, now);
	} else {
		ask->wants_tcp = true;
		ask->due = 0;
	}
}

static void datagram_ready(void *user, struct weft_udp *udp, uint64_t now)
{
	struct ask *ask = user;
	uint8_t buf[DATAGRAM_MAX];
	struct weft_udp_message msg;
	while (!ask->is_done && ask->due > 0) {
		int n = weft_udp_receive(udp, buf, sizeof(buf), &msg);
		if (n == -EAGAIN)
			return;
		if (n < 0)
			next_server(ask, WEFT_RESOLVER_UNREACHABLE);
		else
			datagram_take(ask, msg.data, msg.len, now);
	}
}

static int ask_by_udp(struct ask *ask, uint64_t now)
{
	const struct weft_udp_opts opts = { .on_ready = datagram_ready, .user = ask };
	uint8_t buf[DNS_QUERY_LEN_MAX];
	struct weft_udp_message msg = { .data = buf };
	int n = dns_query_emit(buf, sizeof(buf), ask->id, &ask->question, ask->has_edns);
	if (n < 0)
		return n;
	int r = weft_udp_new(ask->resolver->opts.stack, &opts, &ask->udp);
	if (r == 0)
		r = weft_udp_connect(ask->udp, &ask->server, now);
	msg.len = (size_t)n;
	return r < 0 ? r : weft_udp_send(ask->udp, &msg, now);
}

/* ---- who is asked ------------------------------------------------------------------------ */

/* How closely a server belongs to a name: 0 not at all, 1 as to all, more by its domain. */
static unsigned fitness(const struct name_server *server, const struct dns_name *name)
{
	if (server->domain.len == 0)
		return 1;
	return dns_name_is_in(name, &server->domain) ? 1u + server->domain.len : 0;
}

static unsigned best_fitness(const struct weft_resolver *r, const struct dns_name *name)
{
	unsigned best = 0;
	for (unsigned i = 0; i < r->servers_n; i++) {
		unsigned f = fitness(&r->servers[i], name);
		best = f > best ? f : best;
	}
	return best;
}

/* Lists those to ask, who answered last first. Returns how many. */
static unsigned list_servers(const struct weft_resolver *r, const struct dns_name *name,
			     unsigned ret_indexes[WEFT_RESOLVER_SERVERS_MAX])
{
	unsigned best = best_fitness(r, name), n = 0;
	for (unsigned i = 0; i < r->servers_n && best > 0; i++) {
		unsigned index = (r->first + i) % r->servers_n;
		if (fitness(&r->servers[index], name) == best)
			ret_indexes[n++] = index;
	}
	return n;
}

static uint16_t new_id(struct weft_resolver *r)
{
	uint64_t number = r->ids++;
	return (uint16_t)hash_bytes(r->secret, &number, sizeof(number));
}

static void ask_next(struct ask *ask, uint64_t now)
{
	unsigned servers[WEFT_RESOLVER_SERVERS_MAX];
	unsigned n = list_servers(ask->resolver, &ask->question.name, servers);
	if (n == 0 || ask->attempts >= ROUNDS * n) {
		done(ask, n == 0 ? -EDESTADDRREQ : ask->facts.error);
		return;
	}
	close_all(ask, now);
	ask->server_index = servers[ask->attempts % n];
	ask->server = ask->resolver->servers[ask->server_index].addr;
	ask->id = new_id(ask->resolver);
	ask->due = now + (PATIENCE_NS << ask->attempts / n);
	ask->attempts++;
	if (ask_by_udp(ask, now) < 0)
		next_server(ask, WEFT_RESOLVER_UNREACHABLE);
}

/* ---- life -------------------------------------------------------------------------------- */

void ask_begin(struct ask *ask, struct weft_resolver *resolver,
	       const struct dns_name *name, uint16_t type, uint64_t now)
{
	*ask = (struct ask){
		.resolver = resolver,
		.question = { .name = *name, .type = type, .class = DNS_CLASS_IN },
		.name = *name,
		.has_edns = true
	};
	if (!name_cache_get(resolver, name, type, now, &ask->facts))
		return;
	resolver_count(resolver, WEFT_RESOLVER_CACHED);
	done(ask, ask->facts.error);
}

void ask_nothing(struct ask *ask)
{
	*ask = (struct ask){ .is_done = true, .facts = { .error = -ENOENT } };
}

void ask_run(struct ask *ask, uint64_t now)
{
	if (ask->is_done) {
		close_all(ask, now);
		return;
	}
	if (now < ask->due)
		return;
	if (ask->due > 0)
		next_server(ask, WEFT_RESOLVER_TIMED_OUT);
	if (!ask->wants_tcp) {
		ask_next(ask, now);
		return;
	}
	ask->wants_tcp = false;
	resolver_count(ask->resolver, WEFT_RESOLVER_TCP);
	if (ask_by_tcp(ask, now) < 0)
		next_server(ask, WEFT_RESOLVER_UNREACHABLE);
}

void ask_end(struct ask *ask, uint64_t now)
{
	close_all(ask, now);
}
