/* SPDX-License-Identifier: MIT */
/*
 * A thousand members that come at once to a hundred rooms, all in this process, and what one
 * of them costs the relay when all is quiet. All memory of the process is counted while the
 * relay runs, but not while it is in its socket, whose packets belong to the network. That is
 * a simpler one than tests/sim, because a thousand sockets are to be looked after in a time
 * that a test may take.
 */
#include "../unit.h"
#include "party.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROOMS            100u
#define MEMBERS_PER_ROOM 10u
#define MEMBERS          (ROOMS * MEMBERS_PER_ROOM)

#define BYTES_PER_MEMBER_MAX 61440

/* ---- memory ------------------------------------------------------------------------------ */

/*
 * Bytes allocated and not freed while is_counting; and slabs, of which those pages count that
 * have been touched (src/quic/memory.h says why there are such).
 */
static int64_t counted_bytes;
static bool is_counting;

#define SLABS_MAX 1024u
#define PAGE_LEN  4096u

static struct slab {
	uint8_t *pages;
	size_t len;
} slabs[SLABS_MAX];
static size_t slabs_n;

/* Sanitizers put functions of their own in these places, so there is no counting with them. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED __has_feature(address_sanitizer)
#else
#define IS_SANITIZED 0
#endif

#if defined(__GLIBC__) && !IS_SANITIZED
#define CAN_COUNT 1

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *old, size_t len);
void *__libc_memalign(size_t alignment, size_t len);
void __libc_free(void *memory);

static void *count(void *memory, int sign)
{
	if (is_counting && memory)
		counted_bytes += sign * (int64_t)malloc_usable_size(memory);
	return memory;
}

/* The program's definitions go before those of the C library, for all libraries. */
WEFT_API void *malloc(size_t len)
{
	return count(__libc_malloc(len), 1);
}

WEFT_API void *calloc(size_t n, size_t len)
{
	return count(__libc_calloc(n, len), 1);
}

WEFT_API void *realloc(void *old, size_t len)
{
	return count(__libc_realloc(count(old, -1), len), 1);
}

WEFT_API void *aligned_alloc(size_t alignment, size_t len)
{
	void *memory = __libc_memalign(alignment, len);
	if (!is_counting || !memory)
		return memory;
	if (alignment != PAGE_LEN || slabs_n == SLABS_MAX)
		abort();
	slabs[slabs_n++] = (struct slab){ .pages = memory, .len = len };
	return memory;
}

/* Slabs live as long as the relay, and are freed after the counting. */
WEFT_API void free(void *memory)
{
	__libc_free(count(memory, -1));
}
#else
#define CAN_COUNT 0
#endif

/* Says whether what is allocated next is the relay's. Returns what was true before. */
static bool count_for_relay(bool counts)
{
	bool before = is_counting;
	is_counting = counts;
	return before;
}

/* ---- the hall: a network for many, with one millisecond to everywhere -------------------- */

#define DELAY_NS 1000000u

struct packet {
	struct list node;
	uint64_t arrives_at;
	union weft_sockaddr from;
	size_t len;
	uint8_t data[];
};

struct hall;

/* A place in the hall: a socket, and the task that reads it. */
struct seat {
	struct dgram dgram;
	struct hall *hall;
	struct list arriving, reading; /* What was read is valid until the next read. */
	struct weft_task *task;
};

struct hall {
	uint64_t now;
	struct seat relay;
	struct seat *members;
};

/* 10.2.x.y is member 256 x + y; everything else is the relay. */
static struct seat *seat_at(struct hall *hall, const union weft_sockaddr *addr)
{
	const uint8_t *octets = (const uint8_t *)&addr->in.sin_addr;
	return octets[1] == 2 ? &hall->members[256u * octets[2] + octets[3]]
			      : &hall->relay;
}

static void forget_packets(struct list *packets)
{
	struct list *node;
	while ((node = list_pop_front(packets)))
		free(container_of(node, struct packet, node));
}

static int seat_recv(struct dgram *d, struct dgram_msg *ret_msgs, size_t n)
{
	struct seat *seat = container_of(d, struct seat, dgram);
	bool before = count_for_relay(false);
	int got = 0;
	forget_packets(&seat->reading);
	while ((size_t)got < n && !list_is_empty(&seat->arriving)) {
		struct packet *packet =
			container_of(seat->arriving.next, struct packet, node);
		if (packet->arrives_at > seat->hall->now)
			break;
		list_remove(&packet->node);
		list_push_back(&seat->reading, &packet->node);
		ret_msgs[got++] = (struct dgram_msg){ .peer = packet->from,
						      .data = packet->data,
						      .len = packet->len };
	}
	count_for_relay(before);
	return got > 0 ? got : -EAGAIN;
}

static int seat_send(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	struct seat *seat = container_of(d, struct seat, dgram);
	bool before = count_for_relay(false);
	for (size_t i = 0; i < n; i++) {
		struct seat *to = seat_at(seat->hall, &msgs[i].peer);
		struct packet *packet = malloc(sizeof(*packet) + msgs[i].len);
		assert_non_null(packet);
		packet->from = d->bound;
		packet->arrives_at = seat->hall->now + DELAY_NS;
		packet->len = msgs[i].len;
		memcpy(packet->data, msgs[i].data, msgs[i].len);
		list_push_back(&to->arriving, &packet->node);
	}
	count_for_relay(before);
	return (int)n;
}

/* The hall keeps the seat. */
static void seat_free(struct dgram *d)
{
	struct seat *seat = container_of(d, struct seat, dgram);
	forget_packets(&seat->arriving);
	forget_packets(&seat->reading);
}

static void seat_init(struct seat *seat, struct hall *hall, const char *address)
{
	static const struct dgram_ops ops = { .recv = seat_recv,
					      .send = seat_send,
					      .free = seat_free };
	seat->hall = hall;
	seat->dgram = (struct dgram){ .ops = &ops, .fd = -1, .segments_max = 1 };
	list_init(&seat->arriving);
	list_init(&seat->reading);
	assert_int_equal(weft_listen_parse(address, &seat->dgram.bound), 0);
}

/* When the seat's task has something to do next. */
static uint64_t seat_due(const struct seat *seat)
{
	uint64_t due = seat->task->deadline(seat->task);
	if (list_is_empty(&seat->arriving))
		return due;
	uint64_t arrives_at =
		container_of(seat->arriving.next, struct packet, node)->arrives_at;
	return arrives_at < due ? arrives_at : due;
}

static uint64_t seat_run(struct seat *seat)
{
	if (!seat->task)
		return WEFT_NEVER;
	struct hall *hall = seat->hall;
	uint64_t due = seat_due(seat);
	if (due > hall->now)
		return due;
	count_for_relay(seat == &hall->relay);
	seat->task->run(seat->task, hall->now);
	count_for_relay(false);
	return 0;
}

static void hall_run(struct hall *hall, uint64_t ms)
{
	uint64_t until = hall->now + ms * 1000000u;
	for (;;) {
		uint64_t next = seat_run(&hall->relay);
		for (unsigned i = 0; i < MEMBERS; i++) {
			uint64_t due = seat_run(&hall->members[i]);
			next = due < next ? due : next;
		}
		if (next > until)
			break;
		hall->now = next > hall->now ? next : hall->now;
	}
	hall->now = until;
}

/* ---- the crowd --------------------------------------------------------------------------- */

struct crowd {
	struct party party; /* For its identity; its network stays empty. */
	struct hall hall;
	struct guest *guests;
};

static void open_relay(struct crowd *crowd)
{
	struct party *party = &crowd->party;
	struct hall *hall = &crowd->hall;
	party_init(party, test_seed());
	hall->now = 1000000000u;
	hall->members = calloc(MEMBERS, sizeof(*hall->members));
	assert_non_null(hall->members);
	seat_init(&hall->relay, hall, PARTY_RELAY);
	assert_int_equal(
		relay_new_on(&party->relay_opts, &hall->relay.dgram, NULL, &party->relay),
		0);
	weft_relay_pin(party->relay, party->venue.invite.pin);
	hall->relay.task = weft_relay_task(party->relay);
}

static void start_member(struct crowd *crowd, unsigned i)
{
	static const uint8_t secret[32] = { 9 };
	struct guest *guest = &crowd->guests[i];
	struct seat *seat = &crowd->hall.members[i];
	const struct member_env env = {
		.dgram = &seat->dgram, .secret = secret, .seed = i, .now = crowd->hall.now
	};
	guest_init(guest, &crowd->party, "someone", 1);
	(void)snprintf(guest->address, sizeof(guest->address), "10.2.%u.%u:1000", i >> 8,
		       i & 255);
	(void)snprintf(guest->opts.invite.room, sizeof(guest->opts.invite.room), "ROOM%u",
		       i % ROOMS);
	guest->opts.mac.octet[4] = (uint8_t)(i >> 8);
	guest->opts.mac.octet[5] = (uint8_t)i;
	seat_init(seat, &crowd->hall, guest->address);
	assert_int_equal(member_new_on(&guest->opts, &env, NULL, &guest->member), 0);
	seat->task = member_task(guest->member);
}

static void close_all(struct crowd *crowd)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		crowd->hall.members[i].task = NULL;
		weft_member_free(crowd->guests[i].member);
	}
	hall_run(&crowd->hall, 1000);
	assert_int_equal(weft_relay_stats(crowd->party.relay).rooms, 0);
	weft_relay_free(crowd->party.relay);
	for (unsigned i = 0; i < MEMBERS; i++)
		forget_packets(&crowd->hall.members[i].arriving);
	free(crowd->hall.members);
	free(crowd->guests);
	crowd->party.relay = NULL;
	party_fini(&crowd->party);
}

static void assert_everyone_knows(const struct guest *guests)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct weft_member_stats stats = weft_member_stats(guests[i].member);
		assert_int_equal(stats.state, WEFT_MEMBER_JOINED);
		assert_int_equal(stats.peers, MEMBERS_PER_ROOM - 1);
	}
}

static int64_t touched_bytes(const struct slab *slab)
{
	unsigned char pages[1024];
	int64_t touched = 0;
	assert_in_range(slab->len / PAGE_LEN, 1, sizeof(pages));
	assert_int_equal(mincore(slab->pages, slab->len, pages), 0);
	for (size_t i = 0; i < slab->len / PAGE_LEN; i++)
		touched += (pages[i] & 1) * (int64_t)PAGE_LEN;
	return touched;
}

static void check_memory(void)
{
	int64_t bytes = counted_bytes;
	if (!CAN_COUNT)
		return;
	for (size_t i = 0; i < slabs_n; i++)
		bytes += touched_bytes(&slabs[i]);
	int64_t each = bytes / (int64_t)MEMBERS;
	print_message("# %lld bytes of the relay for each idle member\n",
		      (long long)each);
	assert_in_range(each, 1000, BYTES_PER_MEMBER_MAX);
}

/* As many frames as one turn of the relay reads, and more connections than those: it sends all. */
static void check_turn(struct crowd *crowd)
{
	struct hall *hall = &crowd->hall;
	const unsigned n = 200, half = MEMBERS / 2;
	unsigned heard = 0;
	hall_run(hall, 1);
	for (unsigned i = 0; i < n; i++) {
		struct guest *to = &crowd->guests[half + i];
		probe_sends(&crowd->guests[i].probe, crowd->guests[i].opts.mac,
			    to->opts.mac, 60, hall->now);
		seat_run(&hall->members[i]);
	}
	hall->now += DELAY_NS;
	hall->relay.task->run(hall->relay.task, hall->now);
	for (unsigned i = 0; i < n; i++)
		heard += !list_is_empty(&hall->members[half + i].arriving);
	assert_int_equal(heard, n);
}

static void test_a_thousand_idle_members(void **state)
{
	(void)state;
	struct crowd crowd = { .guests = calloc(MEMBERS, sizeof(*crowd.guests)) };
	assert_non_null(crowd.guests);
	open_relay(&crowd);
	for (unsigned i = 0; i < MEMBERS; i++)
		start_member(&crowd, i);
	hall_run(&crowd.hall, 90000);
	assert_int_equal(weft_relay_stats(crowd.party.relay).members, MEMBERS);
	assert_int_equal(weft_relay_stats(crowd.party.relay).rooms, ROOMS);
	assert_everyone_knows(crowd.guests);
	check_memory();

	/* One speaks, and the nine others of the room hear it. */
	struct guest *speaker = &crowd.guests[5];
	probe_sends(&speaker->probe, speaker->opts.mac, party_broadcast, 60,
		    crowd.hall.now);
	hall_run(&crowd.hall, 100);
	unsigned heard = 0;
	for (unsigned i = 0; i < MEMBERS; i++)
		heard += guest_got(&crowd.guests[i]);
	assert_int_equal(heard, MEMBERS_PER_ROOM - 1);
	check_turn(&crowd);
	close_all(&crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thousand_idle_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
