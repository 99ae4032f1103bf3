/* SPDX-License-Identifier: MIT */
/*
 * What a relay adds to the small frames of many rooms: a relay in a process of its own
 * (relay_alone.h), and all members in another, over loopback.
 *
 *     bench-rooms [-r ROOMS] [-m MEMBERS] [-t TALKERS] [-s SECONDS] [-b PERCENT] [-k KBIT]
 *                 [-u SOCKETS]
 *
 *     -r, -m  rooms (1,000), and members of each (10; an even number)
 *     -t      members who talk, two with each other: a frame of 160 bytes each 40 ms (800)
 *     -s      seconds of each row (5)
 *     -b, -k  percentage of members who saturate their links in the last row (30), and how
 *             much such a link takes (64 kbit/s), in frames of 1,100 bytes
 *     -u      sockets of the members (16): from and to one of them the kernel takes packets
 *             together, as it cannot with members on machines of their own
 *
 *     member --- QUIC ---.                    .--- QUIC ---> the next member of the room
 *      sent at: now      '--- relay, alone --'               delay: now - sent at
 *
 * A member here is a connection that says hello as docs/protocol.md has it, and no more: no
 * device, no bridge. All of them share one loop, whose own turns are part of
 * each delay; so there is a first row with one talker, and what the load adds is what the
 * others have beyond it. Memory is what the relay has resident beyond what it began with.
 */
#include "base/container.h"
#include "lan/channel.h"
#include "lan/message.h"
#include "lan/proof.h"
#include "quic/quic.h"
#include "relay_alone.h"
#include "rooms_row.h"
#include "rooms_turns.h"
#include "wire/ether.h"
#include "wire/overlay.h"

#include <weft/loop.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND         UINT64_C(1000000000)
#define PERIOD_NS      UINT64_C(40000000) /* Of one who talks. */
#define KEEP_ALIVE_NS  (5 * SECOND) /* As members have it that are told nothing else. */
#define SMALL_LEN      160u
#define LARGE_LEN      1100u
#define HANDSHAKES_MAX 32u /* Fewer than those that make the relay ask for a Retry. */
#define SOCKETS_MAX    2000u
#define JOINING_S      600u
#define DRAIN_NS       (SECOND / 5)

struct options {
	struct rooms_shape shape;
	unsigned talkers, seconds, bulk_percent, bulk_kbit, sockets;
};

struct member {
	struct bench *bench;
	struct quic_conn *conn;
	struct control_reader reader;
	unsigned number;
	struct weft_mac mac;
	struct overlay_hdr hdr; /* Of its datagrams; zero until the welcome. */
};

struct bench {
	struct options opts;
	struct weft_loop *loop;
	struct quic_endpoint *endpoints[SOCKETS_MAX];
	struct relay_alone relay;
	struct weft_task task;
	struct member *members;
	unsigned members_n, dialled, established, joined;
	struct turns talkers, bulk;
	struct row row;
	uint64_t until;
	bool is_joining; /* Until all are in. */
};

/* The loop's clock stands still while it works. */
static uint64_t clock_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* 127.0.0.1, at a port of the kernel's choice. */
static union weft_sockaddr loopback(void)
{
	union weft_sockaddr addr;
	int r = weft_listen_parse("127.0.0.1:1", &addr);
	if (r < 0)
		die("loopback", r);
	addr.in.sin_port = 0;
	return addr;
}

/* ---- members: the way in ----------------------------------------------------------------- */

static void say_hello(struct member *member)
{
	static const uint8_t secret[WEFT_ROOM_SECRET_LEN] = "0123456789abcde";
	struct message message = { .type = MESSAGE_HELLO,
				   .hello = { .has_version = true,
					      .role = WEFT_ROLE_CLIENT,
					      .mac = member->mac,
					      .budget = 1200 } };
	struct hello *hello = &message.hello;
	struct proof_claim claim = { .role = hello->role, .room = hello->room };
	struct message_frame frame;
	int64_t stream;
	(void)snprintf(hello->room, sizeof(hello->room), "ROOM%u",
		       member->number / member->bench->opts.shape.members);
	int r = quic_conn_export(member->conn, PROOF_LABEL, claim.binding,
				 sizeof(claim.binding));
	if (r < 0)
		die("export", r);
	proof_key(secret, hello->key);
	proof_sign(secret, &claim, hello->proof);
	if ((r = message_encode(&message, &frame)) < 0 ||
	    (r = quic_conn_open_stream(member->conn, false, &stream)) < 0 ||
	    (r = quic_conn_send_stream(member->conn, stream, frame.data, frame.len,
				       false)) < 0)
		die("hello", r);
	free(frame.data);
}

static void on_established(void *user, struct quic_conn *conn, uint64_t now)
{
	(void)user, (void)now;
	struct member *member = quic_conn_user(conn);
	member->bench->established++;
	say_hello(member);
}

static void on_message(struct member *member, const struct message *message)
{
	if (message->type == MESSAGE_REJECT) {
		fprintf(stderr, "bench-rooms: the relay says: %s\n",
			message->reject.text);
		exit(1);
	}
	if (message->type != MESSAGE_WELCOME)
		return;
	member->hdr = (struct overlay_hdr){ .type = OVERLAY_ETHERNET,
					    .room = message->welcome.room,
					    .peer = message->welcome.peer };
	member->bench->joined++;
}

static void on_stream(void *user, struct quic_conn *conn,
		      const struct quic_stream_input *input, uint64_t now)
{
	(void)user, (void)now;
	struct member *member = quic_conn_user(conn);
	struct control_body body;
	control_reader_feed(&member->reader, input->data, input->len);
	while (control_reader_next(&member->reader, &body) > 0) {
		struct message message;
		struct message_error error;
		int r = message_decode(&body, &message, &error);
		if (r < 0)
			die(error.field, r);
		on_message(member, &message);
		message_fini(&message);
	}
}

static void on_closed(void *user, struct quic_conn *conn, const struct quic_close *why,
		      uint64_t now)
{
	(void)user, (void)now;
	const struct member *member = quic_conn_user(conn);
	fprintf(stderr, "bench-rooms: member %u was closed: %s\n", member->number,
		why->reason);
	exit(1);
}

/* ---- members: frames --------------------------------------------------------------------- */

static void send_frame(struct member *from, const struct member *to, size_t len,
		       uint64_t now)
{
	struct bench *bench = from->bench;
	struct row *row = &bench->row;
	uint8_t head[OVERLAY_LEN], frame[LARGE_LEN] = { 0 };
	const struct ether_hdr hdr = { .dst = to->mac,
				       .src = from->mac,
				       .type = ETHER_TYPE_LOCAL_EXPERIMENT };
	overlay_hdr_emit(head, &from->hdr);
	int r = ether_hdr_emit(frame, sizeof(frame), &hdr);
	if (r < 0)
		die("frame", r);
	uint64_t sent_at = clock_now();
	memcpy(frame + ETHER_LEN, &sent_at, sizeof(sent_at));
	const struct quic_datagram datagram = {
		.head = head, .head_len = sizeof(head), .body = frame, .body_len = len
	};
	if (quic_conn_send_datagram(from->conn, &datagram, now) < 0)
		row->refused++;
	else if (len == SMALL_LEN)
		row->sent++;
	else
		row->bulk_sent++;
}

static void on_datagram(void *user, struct quic_conn *conn, const uint8_t *data,
			size_t len, uint64_t now)
{
	(void)user, (void)now;
	struct member *member = quic_conn_user(conn);
	struct row *row = &member->bench->row;
	uint64_t sent_at;
	if (len != OVERLAY_LEN + SMALL_LEN) {
		row->bulk_received++;
		return;
	}
	memcpy(&sent_at, data + OVERLAY_LEN + ETHER_LEN, sizeof(sent_at));
	row_add_delay(row, (uint32_t)((clock_now() - sent_at) / 1000));
}

/* Two who talk answer each other. */
static void talk(struct bench *bench, unsigned number, uint64_t now)
{
	send_frame(&bench->members[number], &bench->members[number ^ 1u], SMALL_LEN, now);
}

/* Bulk goes to the next in the room. */
static void send_bulk(struct bench *bench, unsigned number, uint64_t now)
{
	unsigned per_room = bench->opts.shape.members;
	unsigned place = number % per_room;
	unsigned next = number - place + (place + 1) % per_room;
	send_frame(&bench->members[number], &bench->members[next], LARGE_LEN, now);
}

/* ---- the members' own task: dials, and sends what is due --------------------------------- */

static void dial(struct bench *bench, uint64_t now)
{
	struct member *member = &bench->members[bench->dialled];
	unsigned number = bench->dialled++;
	*member = (struct member){
		.bench = bench,
		.number = number,
		.mac = { { 2, 0, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			   (uint8_t)(number >> 8), (uint8_t)number } }
	};
	struct quic_endpoint *endpoint = bench->endpoints[number % bench->opts.sockets];
	int r = quic_connect(endpoint, &bench->relay.addr, "relay", now, &member->conn);
	if (r < 0)
		die("connect", r);
	quic_conn_set_user(member->conn, member);
}

static bool may_dial(const struct bench *bench)
{
	return bench->dialled < bench->members_n &&
	       bench->dialled - bench->joined < HANDSHAKES_MAX;
}

static bool has_all_in(const struct bench *bench)
{
	return bench->is_joining && bench->joined == bench->members_n;
}

static uint64_t bench_deadline(const struct weft_task *task)
{
	const struct bench *bench = container_of_const(task, struct bench, task);
	uint64_t due = bench->until;
	if (may_dial(bench) || has_all_in(bench))
		return 0;
	if (bench->talkers.n > 0 && bench->talkers.next_at < due)
		due = bench->talkers.next_at;
	if (bench->bulk.n > 0 && bench->bulk.next_at < due)
		due = bench->bulk.next_at;
	return due;
}

static void bench_run(struct weft_task *task, uint64_t now)
{
	struct bench *bench = container_of(task, struct bench, task);
	if (may_dial(bench))
		dial(bench, now);
	const struct rooms_shape *shape = &bench->opts.shape;
	unsigned turn;
	while (turns_next(&bench->talkers, now, &turn))
		talk(bench, turns_talker(&bench->talkers, shape, turn), now);
	while (turns_next(&bench->bulk, now, &turn))
		send_bulk(bench, turns_bulk(shape, turn), now);
	if (now >= bench->until || has_all_in(bench))
		weft_loop_stop(bench->loop);
}

static void run_for(struct bench *bench, uint64_t ns)
{
	bench->until = clock_now() + ns;
	(void)weft_loop_run(bench->loop);
}

/* ---- the rows ---------------------------------------------------------------------------- */

/* Frames that grew too old in the queues of those who sent them. */
static uint64_t drops_at_senders(const struct bench *bench)
{
	uint64_t drops = 0;
	for (unsigned i = 0; i < bench->members_n; i++)
		drops += quic_conn_stats(bench->members[i].conn).drop_queue_old;
	return drops;
}

static void run_row(struct bench *bench, const char *name, unsigned talkers,
		    unsigned bulk)
{
	const uint64_t bulk_ns = SECOND * LARGE_LEN * 8u / 1000u / bench->opts.bulk_kbit;
	struct row *row = &bench->row;
	*row = (struct row){ .name = name,
			     .seconds = bench->opts.seconds,
			     .delays_us = row->delays_us };
	double before = relay_alone_cpu_s(&bench->relay);
	uint64_t old = drops_at_senders(bench);
	row->before = row_machine_now();
	bench->talkers = turns_of(talkers, PERIOD_NS, clock_now());
	bench->bulk = turns_of(bulk, bulk_ns, clock_now());
	run_for(bench, bench->opts.seconds * SECOND);
	bench->talkers.n = bench->bulk.n = 0;
	run_for(bench, DRAIN_NS);
	row->after = row_machine_now();
	row->sender_drops = drops_at_senders(bench) - old;
	row->relay_cpu_s = relay_alone_cpu_s(&bench->relay) - before;
	row_print(row);
}

static void run_rows(struct bench *bench)
{
	const struct options *opts = &bench->opts;
	unsigned bulk_n = bench->members_n * opts->bulk_percent / 100;
	row_print_head();
	run_row(bench, "one talks", 1, 0);
	run_row(bench, "all who talk", opts->talkers, 0);
	run_row(bench, "and links saturated", opts->talkers, bulk_n);
}

/* ---- the beginning ----------------------------------------------------------------------- */

static void start_relay(struct bench *bench)
{
	const struct weft_relay_opts opts = {
		.listen = loopback(),
		.rooms_max = bench->opts.shape.rooms,
		.room_members_max = bench->opts.shape.members,
		.address_sessions_max = UINT32_MAX,
		.handshake_rate = 1000000,
	};
	relay_alone_start(&opts, &bench->relay);
}

static void start_endpoint(struct bench *bench, struct quic_endpoint_opts *quic,
			   struct quic_endpoint **ret_endpoint)
{
	struct dgram_udp_opts udp = { .bind = loopback() };
	struct weft_error err = { "" };
	int r = dgram_udp_new(&udp, &err, &quic->dgram);
	if (r < 0)
		die(err.text, r);
	if ((r = quic_endpoint_new(quic, ret_endpoint)) < 0 ||
	    (r = weft_loop_add(bench->loop, quic_endpoint_task(*ret_endpoint))) < 0)
		die("endpoint", r);
}

static void start_members(struct bench *bench)
{
	static const struct quic_events events = { .established = on_established,
						   .datagram = on_datagram,
						   .stream = on_stream,
						   .closed = on_closed };
	static const uint8_t secret[32] = { 2 };
	struct weft_error err = { "" };
	struct quic_tls *tls = NULL;
	struct quic_endpoint_opts quic = { .events = &events,
					   .secret = secret,
					   .keep_alive_ns = KEEP_ALIVE_NS,
					   .conns_max = bench->members_n,
					   .handshakes_max = bench->members_n };
	int r = quic_tls_client_new(bench->relay.pin, NULL, LAN_ALPN, &err, &tls);
	if (r < 0)
		die(err.text, r);
	quic.tls = tls;
	bench->task = (struct weft_task){ .fd = -1,
					  .run = bench_run,
					  .deadline = bench_deadline };
	if ((r = weft_loop_new(NULL, &bench->loop)) < 0 ||
	    (r = weft_loop_add(bench->loop, &bench->task)) < 0)
		die("start", r);
	for (unsigned i = 0; i < bench->opts.sockets; i++)
		start_endpoint(bench, &quic, &bench->endpoints[i]);
}

static void join_all(struct bench *bench)
{
	uint64_t began = clock_now();
	double before_kib = relay_alone_kib(&bench->relay),
	       cpu = relay_alone_cpu_s(&bench->relay);
	bench->is_joining = true;
	run_for(bench, JOINING_S * SECOND);
	bench->is_joining = false;
	if (bench->joined < bench->members_n) {
		fprintf(stderr, "bench-rooms: only %u of %u members could join\n",
			bench->joined, bench->members_n);
		exit(1);
	}
	cpu = relay_alone_cpu_s(&bench->relay) - cpu;
	run_for(bench, 2 * SECOND);
	printf("%u rooms of %u: all in after %.1f s; %.0f us of the relay for each to "
	       "join; %.1f KiB of it for each member\n",
	       bench->opts.shape.rooms, bench->opts.shape.members,
	       (double)(clock_now() - began) / (double)SECOND,
	       cpu * 1e6 / bench->members_n,
	       (relay_alone_kib(&bench->relay) - before_kib) / bench->members_n);
	(void)fflush(stdout);
}

static _Noreturn void usage(void)
{
	fputs("usage: bench-rooms [-r ROOMS] [-m MEMBERS] [-t TALKERS] [-s SECONDS]\n"
	      "                   [-b PERCENT] [-k KBIT] [-u SOCKETS]\n"
	      "bench/rooms.c says what each is\n",
	      stderr);
	exit(2);
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .shape = { .rooms = 1000, .members = 10 },
			     .talkers = 800,
			     .seconds = 5,
			     .bulk_percent = 30,
			     .bulk_kbit = 64,
			     .sockets = 16 };
	unsigned *values[128] = {
		['r'] = &o.shape.rooms, ['m'] = &o.shape.members, ['t'] = &o.talkers,
		['s'] = &o.seconds,     ['b'] = &o.bulk_percent,  ['k'] = &o.bulk_kbit,
		['u'] = &o.sockets
	};
	int c;
	while ((c = getopt(argc, argv, "r:m:t:s:b:k:u:")) != -1) {
		if (c == '?')
			usage();
		*values[c] = (unsigned)strtoul(optarg, NULL, 10);
	}
	if (o.shape.rooms == 0 || o.shape.rooms > 65534 || o.shape.members < 4 ||
	    o.shape.members > 511 || o.sockets == 0 || o.sockets > SOCKETS_MAX ||
	    o.seconds == 0 || o.bulk_percent > 100 || o.bulk_kbit == 0 ||
	    o.talkers == 0 ||
	    o.talkers > o.shape.rooms * o.shape.members * (100 - o.bulk_percent) / 100 ||
	    o.shape.members % 2 > 0) {
		fprintf(stderr,
			"bench-rooms: at least 4 members in a room, an even number, "
			"and no more who talk than there are without bulk\n");
		exit(2);
	}
	return o;
}

int main(int argc, char **argv)
{
	struct bench bench = { .opts = parse(argc, argv) };
	bench.members_n = bench.opts.shape.rooms * bench.opts.shape.members;
	bench.members = calloc(bench.members_n, sizeof(*bench.members));
	bench.row.delays_us = calloc(ROW_DELAYS_MAX, sizeof(*bench.row.delays_us));
	if (!bench.members || !bench.row.delays_us)
		die("members", -ENOMEM);
	start_relay(&bench);
	start_members(&bench);
	join_all(&bench);
	run_rows(&bench);
	relay_alone_end(&bench.relay);
	free(bench.row.delays_us);
	return 0;
}
