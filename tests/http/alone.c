/* SPDX-License-Identifier: MIT */
/*
 * How much a server reads at once of a body that MHD has left to it: more of one that nobody else's
 * comes between. What it asks its socket for is seen on the way there.
 */
#include "http/world.h"
#include "io/socket.h"

#define ALONE  HTTP_OUTPUT_MAX
#define BESIDE (HTTP_OUTPUT_MAX / 2)

static struct world w;
static size_t asked; /* At last. */

int __real_socket_recv(int fd, uint8_t *buf, size_t len);
int __wrap_socket_recv(int fd, uint8_t *buf, size_t len);

int __wrap_socket_recv(int fd, uint8_t *buf, size_t len)
{
	asked = len;
	return __real_socket_recv(fd, buf, len);
}

/* A PUT of which nothing but the head has come. */
static struct end *put_asked(void)
{
	const unsigned served = w.served_n;
	struct end *put = world_put(&w, "/plain", UINT64_MAX);
	put->out_ready = 0;
	world_until(&w, w.served_n > served);
	world_settle(&w);
	return put;
}

/* How much is asked for when some more of a body comes. */
static size_t asked_for(struct end *put)
{
	asked = 0;
	put->out_ready += 1000;
	http_stream_wake(put->stream);
	world_until(&w, asked > 0);
	return asked;
}

static void who_is_alone_is_read_more_of(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 0 });
	struct end *one = put_asked();
	assert_int_equal(asked_for(one), BESIDE);
	assert_int_equal(asked_for(one), ALONE);
	struct end *other = put_asked();
	assert_int_equal(asked_for(one),
			 ALONE); /* The other one has brought nothing yet. */
	assert_int_equal(asked_for(other), BESIDE);
	assert_int_equal(asked_for(one), BESIDE);
	assert_int_equal(asked_for(other), BESIDE);
	assert_int_equal(asked_for(other), ALONE);
	http_stream_abort(other->stream);
	world_until(&w, other->closings);
	world_settle(&w);
	assert_int_equal(asked_for(one), BESIDE);
	assert_int_equal(asked_for(one), ALONE);
	world_stop(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_alone_is_read_more_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
