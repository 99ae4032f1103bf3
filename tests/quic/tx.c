/* SPDX-License-Identifier: MIT */
/*
 * How packets become messages: which share one, and what happens when the socket is full.
 */
#include "quic/tx.h"

#include "../unit.h"
#include "base/container.h"

#include <errno.h>
#include <string.h>

/* A socket that takes so many messages and remembers their shapes. */
struct fake {
	struct dgram dgram;
	int takes;
	size_t count;
	struct dgram_msg msgs[100];
};

static int fake_send(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	struct fake *f = container_of(d, struct fake, dgram);
	int taken = 0;
	while (taken < (int)n && f->takes > 0) {
		f->msgs[f->count++] = msgs[taken++];
		f->takes--;
	}
	return taken;
}

static int fake_fail(struct dgram *d, const struct dgram_msg *msgs, size_t n)
{
	(void)d;
	(void)msgs;
	(void)n;
	return -EPERM;
}

static struct fake make_fake(int takes)
{
	static const struct dgram_ops ops = { .send = fake_send };
	return (struct fake){ .dgram = { .ops = &ops }, .takes = takes };
}

/* A path from 10.0.0.1 to 10.0.0.n. */
struct way {
	union weft_sockaddr local, remote;
	ngtcp2_path path;
};

static void make_way(struct way *w, uint8_t n)
{
	memset(w, 0, sizeof(*w));
	w->local.in.sin_family = w->remote.in.sin_family = AF_INET;
	memcpy(&w->local.in.sin_addr, "\12\0\0\1", 4);
	memcpy(&w->remote.in.sin_addr, (uint8_t[]){ 10, 0, 0, n }, 4);
	w->path.local = (ngtcp2_addr){ &w->local.sa, sizeof(w->local.in) };
	w->path.remote = (ngtcp2_addr){ &w->remote.sa, sizeof(w->remote.in) };
}

static void add(struct tx *tx, const struct way *w, size_t len, unsigned ecn)
{
	uint8_t *room = tx_room(tx, 1500);
	assert_non_null(room);
	memset(room, (int)len, len);
	tx_add(tx, &w->path, len, ecn, 64);
}

static void equal_packets_share_a_message(void **state)
{
	(void)state;
	struct tx tx;
	struct way a;
	struct fake f = make_fake(100);
	make_way(&a, 2);
	assert_int_equal(tx_init(&tx), 0);
	add(&tx, &a, 1200, 0);
	add(&tx, &a, 1200, 0);
	add(&tx, &a, 700, 0);
	add(&tx, &a, 700, 0);
	add(&tx, &a, 1200, 0);
	assert_true(tx_send(&tx, &f.dgram));
	assert_int_equal(f.count, 3);
	assert_int_equal(f.msgs[0].len, 3100);
	assert_int_equal(f.msgs[0].segment_len, 1200);
	assert_int_equal(f.msgs[1].len, 700);
	assert_int_equal(f.msgs[2].len, 1200);
	assert_int_equal(tx.packets, 5);
	tx_fini(&tx);
}

static void other_paths_and_marks_do_not(void **state)
{
	(void)state;
	struct tx tx;
	struct way a, b;
	struct fake f = make_fake(100);
	make_way(&a, 2);
	make_way(&b, 3);
	assert_int_equal(tx_init(&tx), 0);
	add(&tx, &a, 1200, 0);
	add(&tx, &b, 1200, 0);
	add(&tx, &b, 1200, 2);
	assert_true(tx_send(&tx, &f.dgram));
	assert_int_equal(f.count, 3);
	assert_true(weft_sockaddr_equal(&f.msgs[1].peer, &b.remote));
	assert_true(weft_sockaddr_equal(&f.msgs[1].local, &b.local));
	assert_int_equal(f.msgs[2].ecn, 2);
	tx_fini(&tx);
}

static void the_source_may_be_left_to_the_kernel(void **state)
{
	(void)state;
	struct tx tx;
	struct way a;
	struct fake f = make_fake(100);
	make_way(&a, 2);
	assert_int_equal(tx_init(&tx), 0);
	tx.any_source = true;
	add(&tx, &a, 1200, 0);
	assert_true(tx_send(&tx, &f.dgram));
	assert_int_equal(weft_sockaddr_len(&f.msgs[0].local), 0);
	tx_fini(&tx);
}

static void messages_are_limited(void **state)
{
	(void)state;
	struct tx tx;
	struct way a;
	struct fake f = make_fake(100);
	make_way(&a, 2);
	assert_int_equal(tx_init(&tx), 0);
	for (unsigned i = 0; i < 66; i++)
		add(&tx, &a, 60, 0);
	while (tx_room(&tx, 1500))
		add(&tx, &a, 1444, 0);
	assert_true(tx_send(&tx, &f.dgram));
	assert_int_equal(f.msgs[0].len, 64 * 60);
	assert_int_equal(f.msgs[1].len, 2 * 60);
	assert_in_range(f.msgs[2].len, 60000, 65000);
	tx_fini(&tx);
}

static void a_full_socket_is_tried_again(void **state)
{
	(void)state;
	struct tx tx;
	struct way a;
	struct fake f = make_fake(1);
	make_way(&a, 2);
	assert_int_equal(tx_init(&tx), 0);
	add(&tx, &a, 100, 0);
	add(&tx, &a, 200, 0);
	add(&tx, &a, 300, 0);
	assert_false(tx_send(&tx, &f.dgram));
	assert_true(tx.is_blocked);
	assert_null(tx_room(&tx, 100));
	assert_false(tx_send(&tx, &f.dgram));
	f.takes = 5;
	assert_true(tx_send(&tx, &f.dgram));
	assert_int_equal(f.count, 3);
	assert_int_equal(f.msgs[2].len, 300);
	assert_non_null(tx_room(&tx, 100));
	tx_fini(&tx);
}

static void an_error_is_a_loss(void **state)
{
	(void)state;
	static const struct dgram_ops ops = { .send = fake_fail };
	struct dgram d = { .ops = &ops };
	struct tx tx;
	struct way a;
	make_way(&a, 2);
	assert_int_equal(tx_init(&tx), 0);
	add(&tx, &a, 100, 0);
	add(&tx, &a, 200, 0);
	assert_true(tx_send(&tx, &d));
	assert_int_equal(tx.count, 0);
	tx_fini(&tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_packets_share_a_message),
		cmocka_unit_test(other_paths_and_marks_do_not),
		cmocka_unit_test(the_source_may_be_left_to_the_kernel),
		cmocka_unit_test(messages_are_limited),
		cmocka_unit_test(a_full_socket_is_tried_again),
		cmocka_unit_test(an_error_is_a_loss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
