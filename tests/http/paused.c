/* SPDX-License-Identifier: MIT */
/*
 * Streams whose path is full: they are not asked for output before their time, and then they are,
 * though nobody wakes them. loopback has no queue, so that their pauses are made by hand.
 */
#include "base/container.h"
#include "http/served.h"
#include "http/transfer.h"
#include "http/world.h"

#define TOTAL (8ull * 1024 * 1024)
#define LATER UINT64_C(20000000)

static struct world w;

static struct served *served_of_end(const struct end *end)
{
	return container_of(end->stream, struct served, stream);
}

static struct transfer *transfer_of_end(const struct end *end)
{
	return container_of(end->stream, struct transfer, stream);
}

static void pause_served(struct served *c, uint64_t until)
{
	assert_true(c->direct.is_open);
	due_wait(&c->pause, &c->server->paused, until);
}

static void pause_transfer(struct transfer *t, uint64_t until)
{
	assert_true(t->direct.is_open);
	due_wait(&t->pause, &t->client->paused, until);
}

static void a_server_goes_on_by_itself(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = TOTAL, .out_ready = 1 });
	struct end *get = world_get(&w, "/");
	world_until(&w, get->in_len == 1);
	const uint64_t until = world_clock() + LATER;
	pause_served(served_of_end(&w.served[0]), until);
	w.served[0].out_ready = TOTAL;
	world_until(&w, get->in_len > 1);
	assert_true(world_clock() >= until);
	world_until(&w, get->closings);
	assert_int_equal(get->in_len, TOTAL);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_false(get->is_wrong);
	world_stop(&w);
}

static void a_client_goes_on_by_itself(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *put = world_put(&w, "/", TOTAL);
	put->out_ready = 1;
	world_until(&w, w.served_n > 0 && w.served[0].in_len == 1);
	const uint64_t until = world_clock() + LATER;
	pause_transfer(transfer_of_end(put), until);
	put->out_ready = TOTAL;
	world_until(&w, w.served[0].in_len > 1);
	assert_true(world_clock() >= until);
	world_until(&w, put->closings);
	assert_int_equal(w.served[0].in_len, TOTAL);
	assert_int_equal(put->end, HTTP_ENDED);
	assert_false(w.served[0].is_wrong);
	world_stop(&w);
}

static void a_stream_ends_while_it_is_paused(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = TOTAL, .out_ready = 1 });
	struct end *get = world_get(&w, "/");
	world_until(&w, get->in_len == 1);
	struct end *put = world_put(&w, "/", TOTAL);
	put->out_ready = 1;
	world_until(&w, w.served_n == 2 && w.served[1].in_len == 1);
	pause_served(served_of_end(&w.served[0]), UINT64_MAX);
	pause_transfer(transfer_of_end(put), UINT64_MAX);
	http_stream_abort(w.served[0].stream);
	http_stream_abort(put->stream);
	world_until(&w, w.served[0].closings && put->closings && get->closings &&
				w.served[1].closings);
	world_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_goes_on_by_itself),
		cmocka_unit_test(a_client_goes_on_by_itself),
		cmocka_unit_test(a_stream_ends_while_it_is_paused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
