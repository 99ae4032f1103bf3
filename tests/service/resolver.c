/* SPDX-License-Identifier: MIT */
/*
 * A resolver on a stack, and a name server on another one that does as it is told: in time, too
 * late, by the wrong id, too long, with aliases, or not at all. Time is virtual.
 *
 *     test --- [ resolver, 10.1.0.1 ] --- pair --- [ name server, 10.1.0.2 ... .4 ]
 */
#include "../unit.h"
#include "base/time.h"
#include "wire/dns.h"

#include <weft/link.h>
#include <weft/resolver.h>
#include <weft/stack.h>
#include <weft/tcp.h>
#include <weft/udp.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SERVERS    3u
#define TASKS      5u
#define ASKED_MAX  64u
#define RECORD_MAX 16u

/* What the zone of the test holds. data of a CNAME is a name. */
struct entry {
	const char *name;
	const char *data;
	uint32_t ttl_s;
	uint16_t type;
};

/* How a server behaves. */
enum manner {
	ANSWERS,
	IS_SILENT,
	REFUSES,
	HAS_OTHER_ID, /* then answers */
	SAYS_GARBAGE, /* then answers */
	TRUNCATES,    /* by UDP */
	KNOWS_NO_EDNS,
	HANGS_UP, /* truncates, and closes by TCP */
	IS_LATE,
};

struct world;

struct server {
	struct world *world;
	struct weft_udp *udp;
	struct weft_tcp_listener *listener;
	struct weft_tcp *tcp;
	enum manner manner;
	unsigned asked, asked_tcp;
	uint16_t port; /* of the last who asked */
	uint16_t id;
};

struct world {
	uint64_t now;
	struct weft_link *link[2];
	struct weft_stack *stack[2];
	struct weft_resolver *resolver;
	struct server servers[SERVERS];
	const struct entry *zone;
	char asked[ASKED_MAX][64]; /* "A alice.friday.weft" */
	uint16_t ports[ASKED_MAX]; /* by UDP: of who asked */
	unsigned asked_n;
	/* What was found. */
	unsigned found_n;
	uint64_t found_at;
	int error;
	size_t n;
	struct weft_ip addresses[WEFT_RESOLVER_ADDRESSES_MAX];
};

/* ---- the name server --------------------------------------------------------------------- */

static size_t data_of(const struct entry *e, uint8_t buf[DNS_NAME_LEN_MAX])
{
	struct dns_name name;
	struct weft_ip ip;
	if (e->type == DNS_CNAME) {
		assert_int_equal(dns_name_of_text(e->data, &name), 0);
		memcpy(buf, name.octet, name.len);
		return name.len;
	}
	assert_int_equal(weft_ip_parse(e->data, &ip), 0);
	memcpy(buf, ip.octet, e->type == DNS_A ? 4 : 16);
	return e->type == DNS_A ? 4 : 16;
}

static bool knows_name(const struct world *w, const struct dns_name *name)
{
	for (const struct entry *e = w->zone; e->name; e++) {
		struct dns_name its;
		assert_int_equal(dns_name_of_text(e->name, &its), 0);
		if (dns_name_equal(&its, name))
			return true;
	}
	return false;
}

/* The records of the name, or its alias; what that stands for is not told. */
static uint16_t write_records(const struct world *w, const struct dns_question *q,
			      struct writer *writer)
{
	uint16_t n = 0;
	for (const struct entry *e = w->zone; e->name; e++) {
		struct dns_record record = { .type = e->type,
					     .class = DNS_CLASS_IN,
					     .ttl_s = e->ttl_s };
		uint8_t data[DNS_NAME_LEN_MAX];
		assert_int_equal(dns_name_of_text(e->name, &record.name), 0);
		if (!dns_name_equal(&record.name, &q->name) ||
		    (e->type != q->type && e->type != DNS_CNAME))
			continue;
		size_t len = data_of(e, data);
		dns_record_emit(writer, &record, len);
		writer_bytes(writer, data, len);
		n++;
	}
	return n;
}

static void note(struct server *s, const struct dns_question *q)
{
	struct world *w = s->world;
	char name[DNS_NAME_TEXT];
	assert_true(w->asked_n < ASKED_MAX);
	(void)snprintf(w->asked[w->asked_n++], sizeof(w->asked[0]), "%s %.50s",
		       q->type == DNS_A ? "A" : "AAAA", dns_name_print(&q->name, name));
}

/* Answers a query as the server is told. Returns the answer's length; 0: says nothing. */
static size_t answer(struct server *s, const uint8_t *data, size_t len, bool is_tcp,
		     uint8_t *buf, size_t buf_len)
{
	struct reader r = reader_of(data, len);
	struct writer w = writer_of(buf, buf_len);
	struct dns_question q;
	struct dns_hdr hdr;
	assert_int_equal(dns_hdr_parse(&r, &hdr), 0);
	assert_int_equal(dns_question_parse(&r, &q), 0);
	note(s, &q);
	s->id = hdr.id;
	bool has_edns = hdr.additionals_n > 0;
	hdr.is_response = true;
	hdr.additionals_n = 0;
	hdr.truncated = !is_tcp && (s->manner == TRUNCATES || s->manner == HANGS_UP);
	if (s->manner == REFUSES)
		hdr.rcode = DNS_REFUSED;
	else if (s->manner == KNOWS_NO_EDNS && has_edns)
		hdr.rcode = DNS_FORMERR;
	else if (!knows_name(s->world, &q.name))
		hdr.rcode = DNS_NXDOMAIN;
	dns_hdr_emit(&w, &hdr);
	dns_question_emit(&w, &q);
	if (hdr.rcode == DNS_NOERROR && !hdr.truncated)
		hdr.answers_n = write_records(s->world, &q, &w);
	assert_false(w.bad);
	struct writer head = writer_of(buf, DNS_HDR_LEN);
	dns_hdr_emit(&head, &hdr);
	return w.off;
}

static void udp_say(struct server *s, const struct weft_udp_message *to,
		    const uint8_t *data, size_t len)
{
	struct weft_udp_message msg = {
		.peer = to->peer, .local = to->local, .data = data, .len = len
	};
	assert_int_equal(weft_udp_send(s->udp, &msg, s->world->now), 0);
}

static void udp_got(void *user, struct weft_udp *udp, const struct weft_udp_message *msg,
		    uint64_t now)
{
	struct server *s = user;
	uint8_t buf[1500];
	(void)udp;
	(void)now;
	s->asked++;
	s->port = weft_sockaddr_port(&msg->peer);
	size_t n = answer(s, msg->data, msg->len, false, buf, sizeof(buf));
	s->world->ports[s->world->asked_n - 1] = s->port;
	if (s->manner == IS_SILENT || s->manner == IS_LATE)
		return;
	if (s->manner == HAS_OTHER_ID || s->manner == SAYS_GARBAGE) {
		size_t at = s->manner == HAS_OTHER_ID ? 0 : n - 1;
		size_t less = s->manner == HAS_OTHER_ID ? n : n - 1;
		buf[at] ^= 0x55;
		udp_say(s, msg, buf, less);
		buf[at] ^= 0x55;
	}
	udp_say(s, msg, buf, n);
}

static void tcp_got(void *user, struct weft_tcp *tcp, uint64_t now)
{
	struct server *s = user;
	uint8_t in[1500], out[1500];
	int n = weft_tcp_receive(tcp, in, sizeof(in), now);
	if (n <= 0)
		return;
	s->asked_tcp++;
	assert_int_equal(load_be16(in), n - 2);
	size_t len = answer(s, in + 2, (size_t)n - 2, true, out + 2, sizeof(out) - 2);
	store_be16(out, (uint16_t)len);
	/* In two pieces, of which the first cuts the length in two. */
	assert_int_equal(weft_tcp_send(tcp, out, 1, now), 1);
	assert_int_equal(weft_tcp_send(tcp, out + 1, len + 1, now), (int)len + 1);
}

static void tcp_closed(void *user, struct weft_tcp *tcp, int error, uint64_t now)
{
	struct server *s = user;
	(void)error;
	weft_tcp_close(tcp, now);
	s->tcp = NULL;
}

static void tcp_accept(void *user, struct weft_tcp_listener *listener, uint64_t now)
{
	static const struct weft_tcp_events events = { .on_readable = tcp_got,
						       .on_closed = tcp_closed };
	struct server *s = user;
	const struct weft_tcp_opts opts = { .events = &events,
					    .user = s,
					    .nodelay = true };
	assert_int_equal(weft_tcp_accept(listener, &opts, now, &s->tcp), 0);
	if (s->manner == HANGS_UP) {
		weft_tcp_abort(s->tcp, now);
		s->tcp = NULL;
	} else {
		tcp_got(s, s->tcp, now);
	}
}

/* ---- the world --------------------------------------------------------------------------- */

static union weft_sockaddr at(const char *text)
{
	union weft_sockaddr sa;
	assert_int_equal(weft_listen_parse(text, &sa), 0);
	return sa;
}

static void make_stack(struct world *w, unsigned i, const char *const addresses[])
{
	static const uint8_t secrets[][16] = { "one stack", "the other stack" };
	const struct weft_stack_opts opts = { .secret = secrets[i] };
	struct weft_iface *iface;
	struct weft_ip ip;
	assert_int_equal(weft_stack_new(&opts, w->now, &w->stack[i]), 0);
	assert_int_equal(
		weft_stack_add_interface(w->stack[i], w->link[i], NULL, w->now, &iface),
		0);
	for (; *addresses; addresses++) {
		assert_int_equal(weft_ip_parse(*addresses, &ip), 0);
		assert_int_equal(weft_iface_add_address(iface, &ip, 0, w->now), 0);
	}
}

static void make_server(struct world *w, unsigned i)
{
	struct server *s = &w->servers[i];
	const struct weft_udp_opts udp = { .on_receive = udp_got, .user = s };
	const struct weft_tcp_listen_opts tcp = { .on_acceptable = tcp_accept,
						  .user = s };
	char text[32];
	(void)snprintf(text, sizeof(text), "10.1.0.%u:53", i + 2);
	const union weft_sockaddr local = at(text);
	s->world = w;
	assert_int_equal(weft_udp_new(w->stack[1], &udp, &s->udp), 0);
	assert_int_equal(weft_udp_bind(s->udp, &local), 0);
	assert_int_equal(weft_tcp_listen(w->stack[1], &local, &tcp, &s->listener), 0);
}

static void world_init(struct world *w, const struct entry *zone, uint32_t cache_max)
{
	static const char *const here[] = { "10.1.0.1/24", NULL };
	static const char *const there[] = { "10.1.0.2/24", "10.1.0.3/24", "10.1.0.4/24",
					     NULL };
	*w = (struct world){ .now = 1000 * NS_PER_S, .zone = zone };
	assert_int_equal(weft_link_pair(64, &w->link[0], &w->link[1]), 0);
	make_stack(w, 0, here);
	make_stack(w, 1, there);
	for (unsigned i = 0; i < SERVERS; i++)
		make_server(w, i);
	const struct weft_resolver_opts opts = {
		.stack = w->stack[0],
		.secret = (const uint8_t *)"sixteen bytes ..",
		.lookups_max = 4,
		.cache_max = cache_max
	};
	assert_int_equal(weft_resolver_new(&opts, &w->resolver), 0);
}

static void use_servers(struct world *w, unsigned n)
{
	static const char *const texts[] = { "10.1.0.2:53", "10.1.0.3:53",
					     "10.1.0.4:53" };
	for (unsigned i = 0; i < n; i++) {
		union weft_sockaddr server = at(texts[i]);
		server.in.sin_port = i == 0 ? 0 : server.in.sin_port;
		assert_int_equal(weft_resolver_add_server(w->resolver, &server, NULL), 0);
		assert_int_equal(weft_resolver_add_server(w->resolver, &server, NULL),
				 -EEXIST);
	}
}

static void world_fini(struct world *w)
{
	weft_resolver_free(w->resolver, w->now);
	for (unsigned i = 0; i < 2; i++) {
		weft_stack_free(w->stack[i]);
		weft_link_free(w->link[i]);
	}
}

/* Runs what is due; then time goes on to what is due next. */
static void step(struct world *w)
{
	struct weft_task *tasks[TASKS] = { weft_link_task(w->link[0]),
					   weft_link_task(w->link[1]),
					   weft_stack_task(w->stack[0]),
					   weft_stack_task(w->stack[1]),
					   weft_resolver_task(w->resolver) };
	uint64_t next = WEFT_NEVER;
	for (unsigned i = 0; i < TASKS; i++) {
		if (tasks[i]->deadline(tasks[i]) <= w->now)
			tasks[i]->run(tasks[i], w->now);
	}
	for (unsigned i = 0; i < TASKS; i++) {
		uint64_t due = tasks[i]->deadline(tasks[i]);
		next = due < next ? due : next;
	}
	assert_true(next < WEFT_NEVER);
	w->now = next > w->now ? next : w->now;
}

static void found(void *user, int error, const struct weft_ip *addresses, size_t n,
		  uint64_t now)
{
	struct world *w = user;
	assert_true(now == w->now);
	assert_true(n <= WEFT_RESOLVER_ADDRESSES_MAX && (n > 0) == (error == 0));
	w->found_n++;
	w->found_at = now;
	w->error = error;
	w->n = n;
	if (n > 0)
		memcpy(w->addresses, addresses, n * sizeof(*addresses));
}

static int begin(struct world *w, const char *name, int family,
		 struct weft_lookup **ret_lookup)
{
	const struct weft_query query = {
		.name = name, .family = family, .found = found, .user = w
	};
	return weft_resolver_find(w->resolver, &query, w->now, ret_lookup);
}

/* Looks up, waits for the end, and returns its error. */
static int look_up(struct world *w, const char *name, int family)
{
	struct weft_lookup *lookup;
	unsigned before = w->found_n;
	w->asked_n = 0;
	assert_int_equal(begin(w, name, family, &lookup), 0);
	assert_int_equal(w->found_n, before); /* never within the call */
	for (unsigned i = 0; i < 100000 && w->found_n == before; i++)
		step(w);
	assert_int_equal(w->found_n, before + 1);
	return w->error;
}

static void expect_address(const struct world *w, size_t i, const char *text)
{
	char buf[WEFT_IP_TEXT];
	assert_true(i < w->n);
	assert_string_equal(weft_ip_print(&w->addresses[i], buf), text);
}

static void expect_asked(const struct world *w, unsigned n, const char *const asked[])
{
	assert_int_equal(w->asked_n, n);
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(w->asked[i], asked[i]);
}

static uint64_t count(const struct world *w, enum weft_resolver_outcome outcome)
{
	return weft_resolver_count(w->resolver, outcome);
}

static const struct entry zone[] = {
	{ "weft.example", "192.0.2.1", 300, DNS_A },
	{ "weft.example", "192.0.2.2", 300, DNS_A },
	{ "weft.example", "2001:db8::1", 300, DNS_AAAA },
	{ "four.example", "192.0.2.4", 300, DNS_A },
	{ "alice.friday.weft", "100.64.7.2", 5, DNS_A },
	{ "nas", "192.168.1.9", 60, DNS_A },
	{ "a.example", "b.example", 300, DNS_CNAME },
	{ "b.example", "weft.example", 20, DNS_CNAME },
	{ "round.example", "about.example", 300, DNS_CNAME },
	{ "about.example", "round.example", 300, DNS_CNAME },
	{ "brief.example", "192.0.2.7", 0, DNS_A },
	{ 0 },
};

/* ---- tests ------------------------------------------------------------------------------- */

static void a_name_has_addresses_of_both_families(void **state)
{
	static const char *const asked[] = { "A weft.example", "AAAA weft.example" };
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	assert_int_equal(look_up(&w, "WEFT.example", AF_UNSPEC), 0);
	expect_asked(&w, 2, asked);
	assert_int_equal(w.n, 3);
	expect_address(&w, 0, "192.0.2.1");
	expect_address(&w, 2, "2001:db8::1");
	assert_int_equal(look_up(&w, "weft.example", AF_INET6), 0);
	assert_int_equal(w.n, 1);
	expect_address(&w, 0, "2001:db8::1");
	assert_int_equal(look_up(&w, "four.example", AF_INET6), -ENOENT);
	assert_int_equal(look_up(&w, "four.example", AF_UNSPEC), 0);
	assert_int_equal(w.n, 1);
	world_fini(&w);
}

static void an_address_is_found_without_a_server(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	assert_int_equal(look_up(&w, "192.0.2.5", AF_UNSPEC), 0);
	expect_address(&w, 0, "192.0.2.5");
	assert_int_equal(look_up(&w, "fe80::1", AF_UNSPEC), 0);
	assert_int_equal(look_up(&w, "weft.example", AF_UNSPEC), -EDESTADDRREQ);
	world_fini(&w);
}

static void what_is_no_name_is_not_looked_up(void **state)
{
	struct weft_lookup *lookup;
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	assert_int_equal(begin(&w, "a..b", AF_UNSPEC, &lookup), -EINVAL);
	assert_int_equal(begin(&w, "", AF_UNSPEC, &lookup), -EINVAL);
	assert_int_equal(begin(&w, "a", AF_UNIX, &lookup), -EAFNOSUPPORT);
	world_fini(&w);
}

/* Without a dot in the domains first, with one as it is first, with one at its end only so. */
static void names_are_looked_for_in_domains(void **state)
{
	static const char *const alice[] = { "A alice.none.example",
					     "A alice.friday.weft" };
	static const char *const nas[] = { "A nas.none.example", "A nas.friday.weft",
					   "A nas" };
	static const char *const dot[] = { "A alice.friday",
					   "A alice.friday.none.example",
					   "A alice.friday.friday.weft",
					   "A alice.friday.weft" };
	static const char *const whole[] = { "A alice" };
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	assert_int_equal(weft_resolver_add_search(w.resolver, "none.example"), 0);
	assert_int_equal(weft_resolver_add_search(w.resolver, "Friday.weft."), 0);
	assert_int_equal(weft_resolver_add_search(w.resolver, "friday.weft"), -EEXIST);
	assert_int_equal(weft_resolver_add_search(w.resolver, "."), -EINVAL);
	assert_int_equal(look_up(&w, "alice", AF_INET), 0);
	expect_asked(&w, 2, alice);
	expect_address(&w, 0, "100.64.7.2");
	assert_int_equal(look_up(&w, "nas", AF_INET), 0);
	expect_asked(&w, 3, nas);
	assert_int_equal(look_up(&w, "alice.", AF_INET), -ENOENT);
	expect_asked(&w, 1, whole);
	assert_int_equal(weft_resolver_add_search(w.resolver, "weft"), 0);
	assert_int_equal(look_up(&w, "alice.friday", AF_INET), 0);
	/* The last of them is known from before. */
	expect_asked(&w, 3, dot);
	world_fini(&w);
}

static void a_silent_server_gives_way_to_the_next(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 2);
	w.servers[0].manner = IS_SILENT;
	uint64_t begun = w.now;
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_true(w.found_at - begun >= 2 * NS_PER_S &&
		    w.found_at - begun < 3 * NS_PER_S);
	assert_int_equal(count(&w, WEFT_RESOLVER_TIMED_OUT), 1);
	/* Who has answered is asked first from now on. */
	begun = w.now;
	assert_int_equal(look_up(&w, "four.example", AF_INET), 0);
	assert_true(w.found_at - begun < NS_PER_S);
	assert_int_equal(w.servers[0].asked, 1);
	world_fini(&w);
}

static void silence_has_an_end(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 3);
	assert_int_equal(weft_resolver_add_search(w.resolver, "friday.weft"), 0);
	for (unsigned i = 0; i < SERVERS; i++)
		w.servers[i].manner = IS_SILENT;
	uint64_t begun = w.now;
	assert_int_equal(look_up(&w, "alice", AF_INET), -ETIMEDOUT);
	assert_true(w.found_at - begun == (uint64_t)3 * (2 + 4) * NS_PER_S);
	for (unsigned i = 0; i < SERVERS; i++)
		assert_int_equal(w.servers[i].asked, 2);
	world_fini(&w);
}

static void a_refusal_is_no_answer(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 2);
	w.servers[0].manner = REFUSES;
	uint64_t begun = w.now;
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_true(w.found_at - begun < NS_PER_S);
	w.servers[1].manner = REFUSES;
	assert_int_equal(look_up(&w, "four.example", AF_INET), -EIO);
	assert_int_equal(count(&w, WEFT_RESOLVER_REFUSED), 5);
	world_fini(&w);
}

static void a_server_that_is_not_there_gives_way(void **state)
{
	const union weft_sockaddr nobody = at("10.1.0.2:54");
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	assert_int_equal(weft_resolver_add_server(w.resolver, &nobody, NULL), 0);
	use_servers(&w, 1);
	uint64_t begun = w.now;
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_true(w.found_at - begun < NS_PER_S);
	assert_int_equal(count(&w, WEFT_RESOLVER_UNREACHABLE), 1);
	world_fini(&w);
}

/* RFC 5452, 9.1: the right answer is still taken when a wrong one came first. */
static void guesses_are_passed_over(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	w.servers[0].manner = HAS_OTHER_ID;
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(count(&w, WEFT_RESOLVER_DROP_NOT_OURS), 1);
	w.servers[0].manner = SAYS_GARBAGE;
	assert_int_equal(look_up(&w, "four.example", AF_INET), 0);
	assert_int_equal(count(&w, WEFT_RESOLVER_DROP_MALFORMED), 1);
	world_fini(&w);
}

static void ports_and_ids_cannot_be_guessed(void **state)
{
	uint32_t seen[32];
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	for (unsigned i = 0; i < 32; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "no%u.example", i);
		assert_int_equal(look_up(&w, name, AF_INET), -ENOENT);
		seen[i] = (uint32_t)w.servers[0].port << 16 | w.servers[0].id;
	}
	/* Never the next number, in neither half, more than by chance. */
	unsigned next_ports = 0, next_ids = 0;
	for (unsigned i = 1; i < 32; i++) {
		uint32_t by = seen[i] - seen[i - 1];
		next_ports += (uint16_t)((by + 0x8000) >> 16) < 16;
		next_ids += (uint16_t)by < 16;
	}
	assert_true(next_ports < 8);
	assert_true(next_ids < 8);
	world_fini(&w);
}

static void a_long_answer_comes_by_tcp(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 2);
	w.servers[0].manner = TRUNCATES;
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.servers[0].asked_tcp, 1);
	assert_int_equal(count(&w, WEFT_RESOLVER_TCP), 1);
	w.servers[0].manner = HANGS_UP;
	assert_int_equal(look_up(&w, "four.example", AF_INET), 0);
	assert_int_equal(count(&w, WEFT_RESOLVER_UNREACHABLE), 1);
	assert_int_equal(w.servers[1].asked, 1);
	world_fini(&w);
}

static void a_server_without_edns_is_asked_without(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	w.servers[0].manner = KNOWS_NO_EDNS;
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(w.servers[0].asked, 2);
	world_fini(&w);
}

/* Of the bare name there is nobody to ask, but the one that is, has denied the other. */
static void a_denial_counts_for_more_than_nobody_to_ask(void **state)
{
	const union weft_sockaddr server = at("10.1.0.2:53");
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	assert_int_equal(weft_resolver_add_server(w.resolver, &server, "friday.weft"), 0);
	assert_int_equal(weft_resolver_add_search(w.resolver, "friday.weft"), 0);
	assert_int_equal(look_up(&w, "nobody", AF_UNSPEC), -ENOENT);
	assert_int_equal(look_up(&w, "nobody.example", AF_UNSPEC), -ENOENT);
	assert_int_equal(look_up(&w, "nobody.example.", AF_UNSPEC), -EDESTADDRREQ);
	world_fini(&w);
}

/* The server tells of one alias at a time. */
static void aliases_are_followed(void **state)
{
	static const char *const asked[] = { "A a.example", "A b.example",
					     "A weft.example" };
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	assert_int_equal(look_up(&w, "a.example", AF_INET), 0);
	expect_asked(&w, 3, asked);
	assert_int_equal(w.n, 2);
	assert_int_equal(look_up(&w, "round.example", AF_INET), -ENOENT);
	assert_true(w.asked_n <= DNS_ALIASES_MAX + 1);
	world_fini(&w);
}

static void answers_are_kept_as_long_as_they_say(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	assert_int_equal(look_up(&w, "alice.friday.weft", AF_INET), 0);
	w.now += 4 * NS_PER_S;
	assert_int_equal(look_up(&w, "alice.friday.weft", AF_INET), 0);
	assert_int_equal(w.asked_n, 0);
	assert_int_equal(count(&w, WEFT_RESOLVER_CACHED), 1);
	w.now += 2 * NS_PER_S;
	assert_int_equal(look_up(&w, "alice.friday.weft", AF_INET), 0);
	assert_int_equal(w.asked_n, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(look_up(&w, "brief.example", AF_INET), 0);
		assert_int_equal(w.asked_n, 1);
	}
	/* What has changed is forgotten. */
	weft_resolver_clear(w.resolver);
	assert_false(weft_resolver_has_server(w.resolver));
	assert_int_equal(look_up(&w, "alice.friday.weft", AF_INET), -EDESTADDRREQ);
	world_fini(&w);
}

/* Its places are for those that hold: an answer whose time is over leaves none taken. */
static void what_is_over_takes_no_place(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 2);
	use_servers(&w, 1);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(look_up(&w, "alice.friday.weft", AF_INET), 0);
		assert_int_equal(w.asked_n, 1);
		w.now += 6 * NS_PER_S;
	}
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(look_up(&w, "four.example", AF_INET), 0);
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(w.asked_n, 0);
	world_fini(&w);
}

static void the_cache_has_an_end(void **state)
{
	static const char *const names[] = { "weft.example", "four.example", "nas." };
	struct world w;
	(void)state;
	world_init(&w, zone, 2);
	use_servers(&w, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(look_up(&w, names[i], AF_INET), 0);
	assert_int_equal(look_up(&w, "four.example", AF_INET), 0);
	assert_int_equal(w.asked_n, 0);
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(w.asked_n, 1);
	/* In its place nas is gone, which was used before four.example. */
	assert_int_equal(look_up(&w, "four.example", AF_INET), 0);
	assert_int_equal(w.asked_n, 0);
	assert_int_equal(look_up(&w, "nas.", AF_INET), 0);
	assert_int_equal(w.asked_n, 1);
	world_fini(&w);
}

static void a_domain_has_servers_of_its_own(void **state)
{
	const union weft_sockaddr room = at("10.1.0.3:53");
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	assert_int_equal(weft_resolver_add_server(w.resolver, &room, "friday.weft"), 0);
	assert_int_equal(weft_resolver_add_server(w.resolver, &room, "friday.weft"),
			 -EEXIST);
	assert_int_equal(look_up(&w, "alice.friday.weft", AF_INET), 0);
	assert_int_equal(w.servers[0].asked, 0);
	assert_int_equal(w.servers[1].asked, 1);
	/* Also when it says no. */
	assert_int_equal(look_up(&w, "bob.friday.weft", AF_INET), -ENOENT);
	assert_int_equal(look_up(&w, "weft.example", AF_INET), 0);
	assert_int_equal(w.servers[0].asked, 1);
	assert_int_equal(w.servers[1].asked, 2);
	world_fini(&w);
}

static void lookups_are_bounded_and_cancelled(void **state)
{
	struct weft_lookup *lookups[5];
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	w.servers[0].manner = IS_SILENT;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(begin(&w, "weft.example", AF_UNSPEC, &lookups[i]),
				 i < 4 ? 0 : -ENOBUFS);
	for (unsigned i = 0; i < 20; i++)
		step(&w);
	weft_resolver_cancel(lookups[0], w.now);
	weft_resolver_cancel(NULL, w.now);
	w.servers[0].manner = ANSWERS;
	for (unsigned i = 0; i < 100000 && w.found_n < 3; i++)
		step(&w);
	assert_int_equal(w.found_n, 3);
	assert_int_equal(w.error, 0);
	/* One that is under way goes with the resolver. */
	assert_int_equal(begin(&w, "four.example", AF_UNSPEC, &lookups[0]), 0);
	step(&w);
	world_fini(&w);
	assert_int_equal(w.found_n, 3);
}

/* Says something to each port that was asked from: nobody is to be there any more. */
static void expect_all_closed(struct world *w)
{
	const uint64_t before =
		weft_stack_count(w->stack[0], WEFT_STACK_DROP_UDP_NO_SOCKET);
	const struct server *s = &w->servers[0];
	for (unsigned i = 0; i < w->asked_n; i++) {
		struct weft_udp_message msg = { .peer = at("10.1.0.1:1"),
						.data = "late",
						.len = 4 };
		store_be16((uint8_t *)&msg.peer.in.sin_port, w->ports[i]);
		assert_int_equal(weft_udp_send(s->udp, &msg, w->now), 0);
	}
	for (unsigned i = 0; i < 10; i++)
		step(w);
	assert_int_equal(weft_stack_count(w->stack[0], WEFT_STACK_DROP_UDP_NO_SOCKET),
			 before + w->asked_n);
}

/* The next name is asked for with other sockets: those of the one before are closed. */
static void each_name_leaves_nothing_open(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, zone, 0);
	use_servers(&w, 1);
	w.servers[0].manner = REFUSES;
	assert_int_equal(weft_resolver_add_search(w.resolver, "friday.weft"), 0);
	assert_int_equal(weft_resolver_add_search(w.resolver, "none.example"), 0);
	assert_int_equal(look_up(&w, "alice", AF_INET), -EIO);
	assert_int_equal(w.asked_n, 6);
	expect_all_closed(&w);
	world_fini(&w);
}

static void outcomes_have_names(void **state)
{
	(void)state;
	assert_string_equal(weft_resolver_outcome_name(WEFT_RESOLVER_TIMED_OUT),
			    "timed-out");
	assert_string_equal(weft_resolver_outcome_name(WEFT_RESOLVER_OUTCOMES),
			    "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_addresses_of_both_families),
		cmocka_unit_test(an_address_is_found_without_a_server),
		cmocka_unit_test(what_is_no_name_is_not_looked_up),
		cmocka_unit_test(names_are_looked_for_in_domains),
		cmocka_unit_test(a_silent_server_gives_way_to_the_next),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(a_refusal_is_no_answer),
		cmocka_unit_test(a_server_that_is_not_there_gives_way),
		cmocka_unit_test(guesses_are_passed_over),
		cmocka_unit_test(ports_and_ids_cannot_be_guessed),
		cmocka_unit_test(a_long_answer_comes_by_tcp),
		cmocka_unit_test(a_server_without_edns_is_asked_without),
		cmocka_unit_test(a_denial_counts_for_more_than_nobody_to_ask),
		cmocka_unit_test(aliases_are_followed),
		cmocka_unit_test(answers_are_kept_as_long_as_they_say),
		cmocka_unit_test(what_is_over_takes_no_place),
		cmocka_unit_test(the_cache_has_an_end),
		cmocka_unit_test(a_domain_has_servers_of_its_own),
		cmocka_unit_test(lookups_are_bounded_and_cancelled),
		cmocka_unit_test(each_name_leaves_nothing_open),
		cmocka_unit_test(outcomes_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
