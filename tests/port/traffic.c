/* SPDX-License-Identifier: MIT */
/*
 * What goes through a port: reading a turn of packets, handlers that fail or turn on their own
 * port, writing, and the ways to run it. Each test runs on a TUN and on a TAP.
 */
#include "../unit.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------------------------- */

static void reads_nothing_after(int code)
{
	start();
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), code, 1), 0);
	put("behind it");
	assert_int_equal(weft_port_read(port, 1), 0);
	assert_int_equal(protocol.n, 0);
	assert_int_equal(told.ended, 0);
	assert_int_equal(weft_port_read(port, 2), 1);
	assert_record(&protocol, 0, "behind it");
}

static void eagain_ends_a_turn(void **state)
{
	(void)state;
	reads_nothing_after(-EAGAIN);
}

static void ewouldblock_ends_a_turn(void **state)
{
	(void)state;
	reads_nothing_after(-EWOULDBLOCK);
}

static void eintr_ends_a_turn(void **state)
{
	(void)state;
	reads_nothing_after(-EINTR);
}

/* A system that breaks its contract: it says that it read more than there was room for. */
static int lying_read(void *user, int fd, void *buf, size_t len)
{
	(void)user;
	(void)fd;
	memset(buf, 0, len);
	return (int)len + 1;
}

static void what_no_device_may_do_is_an_error(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	alter_device(&opts)->read = lying_read;
	make_port(&opts);
	start();
	assert_int_equal(weft_port_read(port, 1), -EPROTO);
	assert_int_equal(protocol.n, 0);
}

static void an_error_of_the_device_is_passed_on(void **state)
{
	(void)state;
	start();
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), -EPERM, 1), 0);
	assert_int_equal(weft_port_read(port, 1), -EPERM);
	assert_true(weft_port_is_started(port));
}

/* Run as a task, the port ends with it and says why. */
static void an_error_ends_the_task(void **state)
{
	struct weft_task *task = weft_port_task(port);
	(void)state;
	start();
	assert_int_equal(weft_tunnel_fail_reads(the_tunnel(), -EPERM, 1), 0);
	task->run(task, 1);
	assert_int_equal(told.ended, 1);
	assert_int_equal(told.code, -EPERM);
	assert_false(weft_port_is_started(port));
	assert_int_equal(protocol.stopped, 1);
	task->run(task, 2);
	assert_int_equal(told.ended, 1);
	start();
}

static void free_it(void *user, struct weft_port *ended, int code)
{
	(void)user;
	(void)code;
	weft_port_free(ended);
	port = NULL;
}

static void a_read_of_nothing_is_the_end_of_the_device(void **state)
{
	struct weft_task *task = weft_port_task(port);
	(void)state;
	start();
	assert_int_equal(weft_tunnel_put(the_tunnel(), NULL, 0), 0);
	assert_int_equal(weft_port_read(port, 1), -ENODEV);
	assert_int_equal(weft_tunnel_put(the_tunnel(), NULL, 0), 0);
	task->run(task, 2);
	assert_int_equal(told.ended, 1);
	assert_int_equal(told.code, -ENODEV);
	assert_int_equal(protocol.n, 0);
	assert_null(task->loop_state);
}

static void the_end_may_free_the_port(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.events.ended = free_it;
	make_port(&opts);
	start();
	assert_int_equal(weft_tunnel_put(the_tunnel(), NULL, 0), 0);
	weft_port_task(port)->run(weft_port_task(port), 1);
	assert_null(port);
}

/* Puts a packet of len bytes, whose first tells it from others. */
static void put_long(size_t len, uint8_t first)
{
	static uint8_t data[10000];
	data[0] = first;
	for (size_t i = 1; i < len; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(weft_tunnel_put(the_tunnel(), data, len), 0);
}

static void a_small_packet_is_delivered_whole(void **state)
{
	(void)state;
	start();
	put_long(8191, 1);
	put_long(8192, 2);
	assert_int_equal(weft_port_read(port, 17), 2);
	assert_int_equal(protocol.records[0].len, 8191);
	assert_int_equal(protocol.records[0].data[8190],
			 (uint8_t)(8190 * 7 + 8190 / 256));
	assert_false(protocol.records[0].partial);
	assert_int_equal(protocol.records[0].now, 17);
	assert_int_equal(protocol.records[1].len, 8192);
	assert_false(protocol.records[1].partial);
	assert_int_equal(weft_port_stats(port).rx_partial, 0);
}

static void a_large_packet_is_cut_and_known_to_be(void **state)
{
	(void)state;
	start();
	put_long(8193, 1);
	put("next");
	assert_int_equal(weft_port_read(port, 1), 2);
	assert_int_equal(protocol.records[0].len, 8192);
	assert_int_equal(protocol.records[0].data[8191],
			 (uint8_t)(8191 * 7 + 8191 / 256));
	assert_true(protocol.records[0].partial);
	assert_record(&protocol, 1, "next");
	assert_int_equal(weft_port_stats(port).rx_partial, 1);
	assert_int_equal(weft_port_stats(port).rx_bytes, 8192 + 4);
}

static void a_turn_reads_so_much_and_leaves_the_rest(void **state)
{
	(void)state;
	start();
	for (uint8_t i = 0; i < 33; i++)
		put_long(8192, i);
	assert_int_equal(weft_port_read(port, 1), 32);
	assert_int_equal(protocol.n, 32);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(protocol.records[i].data[0], i);
	assert_int_equal(weft_tunnel_unread(the_tunnel()), 1);
	assert_int_equal(weft_port_read(port, 2), 1);
}

static void the_limits_can_be_set(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.packet_len_max = 3;
	opts.turn_bytes_max = 7;
	make_port(&opts);
	start();
	for (unsigned i = 0; i < 4; i++)
		put("abc");
	put("abcd");
	assert_int_equal(weft_port_read(port, 1), 3);
	assert_int_equal(weft_port_read(port, 2), 2);
	assert_record(&protocol, 4, "abc");
	assert_true(protocol.records[4].partial);
}

static void reading_a_stopped_port_is_enotconn(void **state)
{
	(void)state;
	assert_int_equal(weft_port_read(port, 1), -ENOTCONN);
	start();
	weft_port_stop(port);
	assert_int_equal(weft_port_read(port, 1), -ENOTCONN);
}

/* ---- handlers ---------------------------------------------------------------------------- */

static void a_failing_handler_is_told_once_and_reading_goes_on(void **state)
{
	(void)state;
	start();
	protocol.result = -EDOM;
	put("first");
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_int_equal(told.failed, 1);
	put("second");
	put("third");
	assert_int_equal(weft_port_read(port, 2), 2);
	assert_int_equal(protocol.n, 3);
	assert_int_equal(told.failed, 3);
	assert_int_equal(weft_port_stats(port).failures, 3);
	assert_int_equal(told.ended, 0);
}

static void a_failing_handler_is_told_by_name(void **state)
{
	(void)state;
	start();
	protocol.result = -EDOM;
	put("datagram");
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_string_equal(told.protocol, "recorder");
	assert_string_equal(told.handler, "received");
	assert_int_equal(told.code, -EDOM);
}

static void failing_to_start_or_stop_is_told_and_contained(void **state)
{
	(void)state;
	protocol.started_result = -EIO;
	protocol.stopped_result = -EDOM;
	start();
	assert_string_equal(told.handler, "started");
	assert_int_equal(told.code, -EIO);
	put("still there");
	assert_int_equal(weft_port_read(port, 1), 1);
	weft_port_stop(port);
	assert_string_equal(told.handler, "stopped");
	assert_int_equal(told.code, -EDOM);
	assert_int_equal(told.failed, 2);
}

static void nobody_needs_to_listen_to_failures(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.events = (struct weft_port_events){ 0 };
	make_port(&opts);
	protocol.result = -1;
	start();
	put("a");
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_int_equal(weft_port_stats(port).failures, 1);
	assert_int_equal(weft_tunnel_put(the_tunnel(), NULL, 0), 0);
	weft_port_task(port)->run(weft_port_task(port), 1);
	assert_false(weft_port_is_started(port));
}

static void stop_on_received(struct recorder *r, const struct weft_packet *packet)
{
	(void)r;
	weft_port_stop(packet->port);
}

static void a_handler_may_stop_its_port(void **state)
{
	(void)state;
	protocol.on_received = stop_on_received;
	start();
	put("first");
	put("never read");
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_int_equal(protocol.n, 1);
	assert_false(weft_port_is_started(port));
}

static void restart_on_received(struct recorder *r, const struct weft_packet *packet)
{
	(void)r;
	weft_port_stop(packet->port);
	assert_int_equal(weft_port_start(packet->port, NULL), 0);
	assert_int_equal(weft_tunnel_put(the_tunnel(), "new", 3), 0);
}

/* The turn ends with the device that it began on. */
static void a_handler_may_restart_its_port(void **state)
{
	(void)state;
	protocol.on_received = restart_on_received;
	start();
	put("first");
	put("never read");
	assert_int_equal(weft_port_read(port, 1), 1);
	protocol.on_received = NULL;
	assert_int_equal(weft_port_read(port, 2), 1);
	assert_record(&protocol, 1, "new");
	assert_int_equal(protocol.started, 2);
}

static void read_on_received(struct recorder *r, const struct weft_packet *packet)
{
	(void)r;
	assert_int_equal(weft_port_read(packet->port, packet->now), -EBUSY);
	weft_port_task(packet->port)->run(weft_port_task(packet->port), packet->now);
	assert_int_equal(weft_port_write(packet->port, packet->data, packet->len),
			 packet->len);
}

static void a_handler_may_write_and_not_read(void **state)
{
	char answer[10];
	(void)state;
	protocol.on_received = read_on_received;
	start();
	put("ping");
	assert_int_equal(weft_port_read(port, 1), 1);
	assert_int_equal(weft_tunnel_take(the_tunnel(), answer, sizeof(answer)), 4);
	assert_memory_equal(answer, "ping", 4);
	assert_int_equal(told.ended, 0);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void assert_written(const char *text)
{
	char got[100];
	assert_int_equal(weft_tunnel_take(the_tunnel(), got, sizeof(got)), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void a_write_is_one_packet(void **state)
{
	(void)state;
	start();
	assert_int_equal(weft_port_write(port, "datagram", 8), 8);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 1);
	assert_written("datagram");
	assert_int_equal(weft_port_stats(port).tx_packets, 1);
	assert_int_equal(weft_port_stats(port).tx_bytes, 8);
}

static void an_interrupted_write_is_made_again(void **state)
{
	(void)state;
	start();
	assert_int_equal(weft_tunnel_fail_writes(the_tunnel(), -EINTR, 2), 0);
	assert_int_equal(weft_port_write(port, "datagram", 8), 8);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 1);
	assert_written("datagram");
	assert_int_equal(weft_port_stats(port).tx_errors, 0);
}

static void a_full_queue_is_passed_up(void **state)
{
	const struct weft_device_memory_opts small = { .send_buffer_len = 1024 };
	static const uint8_t data[1025];
	struct weft_device_memory *other;
	struct weft_port_opts opts = default_opts();
	(void)state;
	assert_int_equal(weft_device_memory_new(&small, &other), 0);
	opts.system = weft_device_memory_system(other);
	make_port(&opts);
	start();
	struct weft_tunnel *tunnel = weft_device_memory_tunnel(other, weft_port_fd(port));
	assert_int_equal(weft_port_write(port, data, 1025), -ENOBUFS);
	assert_int_equal(weft_tunnel_written(tunnel), 0);
	assert_int_equal(weft_port_write(port, data, 1024), 1024);
	assert_int_equal(weft_port_write(port, data, 1), -ENOBUFS);
	assert_int_equal(weft_tunnel_fail_writes(tunnel, -EAGAIN, 1), 0);
	assert_int_equal(weft_port_write(port, data, 1), -EAGAIN);
	assert_int_equal(weft_port_stats(port).tx_errors, 3);
	assert_int_equal(weft_port_stats(port).tx_packets, 1);
	weft_port_free(port);
	port = NULL;
	weft_device_memory_free(other);
}

static void pieces_are_joined(void **state)
{
	const struct weft_piece pieces[] = {
		{ "data", 4 }, { NULL, 0 }, { "g", 1 }, { "ram", 3 }
	};
	(void)state;
	start();
	assert_int_equal(weft_port_writev(port, pieces, 4), 8);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 1);
	assert_written("datagram");
}

static void pieces_that_are_too_much_are_refused(void **state)
{
	static const uint8_t data[WEFT_FRAME_LEN_MAX];
	const struct weft_piece pieces[] = { { data, WEFT_FRAME_LEN_MAX }, { "x", 1 } };
	(void)state;
	start();
	assert_int_equal(weft_port_writev(port, pieces, 2), -EMSGSIZE);
	assert_int_equal(weft_tunnel_written(the_tunnel()), 0);
	assert_int_equal(weft_port_writev(port, pieces, 1), WEFT_FRAME_LEN_MAX);
}

static void writing_to_a_stopped_port_is_enotconn(void **state)
{
	const struct weft_piece piece = { "x", 1 };
	(void)state;
	assert_int_equal(weft_port_write(port, "x", 1), -ENOTCONN);
	assert_int_equal(weft_port_writev(port, &piece, 1), -ENOTCONN);
	start();
	weft_port_stop(port);
	assert_int_equal(weft_port_write(port, "x", 1), -ENOTCONN);
}

/* ---- ways to run it ---------------------------------------------------------------------- */

static void stop_loop(struct recorder *r, const struct weft_packet *packet)
{
	(void)packet;
	if (r->n == 3)
		weft_loop_stop(loop);
}

/* A device in memory has no descriptor: the deadline says that there is something. */
static void the_loop_runs_it(void **state)
{
	(void)state;
	protocol.on_received = stop_loop;
	start();
	for (unsigned i = 0; i < 3; i++)
		put("packet");
	assert_int_equal(weft_loop_run(loop), 0);
	assert_int_equal(protocol.n, 3);
	assert_true(protocol.records[0].now > 0);
}

/* What any other loop would do. */
static void it_runs_by_hand(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.loop = NULL;
	make_port(&opts);
	struct weft_task *task = weft_port_task(port);
	start();
	assert_null(task->loop_state);
	assert_true(task->deadline(task) == WEFT_NEVER);
	put("packet");
	assert_int_equal(task->deadline(task), 0);
	task->run(task, 5);
	assert_int_equal(protocol.n, 1);
	assert_true(task->deadline(task) == WEFT_NEVER);
}

static int pollable_fd(void *user, int fd)
{
	(void)user;
	(void)fd;
	return 0;
}

static void a_device_that_can_be_polled_has_no_deadline(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	alter_device(&opts)->poll_fd = pollable_fd;
	opts.loop = NULL;
	make_port(&opts);
	start();
	struct weft_task *task = weft_port_task(port);
	put("packet");
	assert_int_equal(task->fd, 0);
	assert_int_equal(task->events, WEFT_READABLE);
	assert_true(task->deadline(task) == WEFT_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(eagain_ends_a_turn),
		BOTH(ewouldblock_ends_a_turn),
		BOTH(eintr_ends_a_turn),
		BOTH(what_no_device_may_do_is_an_error),
		BOTH(an_error_of_the_device_is_passed_on),
		BOTH(an_error_ends_the_task),
		BOTH(a_read_of_nothing_is_the_end_of_the_device),
		BOTH(the_end_may_free_the_port),
		BOTH(a_small_packet_is_delivered_whole),
		BOTH(a_large_packet_is_cut_and_known_to_be),
		BOTH(a_turn_reads_so_much_and_leaves_the_rest),
		BOTH(the_limits_can_be_set),
		BOTH(reading_a_stopped_port_is_enotconn),
		BOTH(a_failing_handler_is_told_once_and_reading_goes_on),
		BOTH(a_failing_handler_is_told_by_name),
		BOTH(failing_to_start_or_stop_is_told_and_contained),
		BOTH(nobody_needs_to_listen_to_failures),
		BOTH(a_handler_may_stop_its_port),
		BOTH(a_handler_may_restart_its_port),
		BOTH(a_handler_may_write_and_not_read),
		BOTH(a_write_is_one_packet),
		BOTH(an_interrupted_write_is_made_again),
		BOTH(a_full_queue_is_passed_up),
		BOTH(pieces_are_joined),
		BOTH(pieces_that_are_too_much_are_refused),
		BOTH(writing_to_a_stopped_port_is_enotconn),
		BOTH(the_loop_runs_it),
		BOTH(it_runs_by_hand),
		BOTH(a_device_that_can_be_polled_has_no_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
