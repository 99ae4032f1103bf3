/* SPDX-License-Identifier: MIT */
/*
 * Ports on devices in memory. Most tests run twice, with a protocol that makes the port a TUN
 * and with one that makes it a TAP.
 */
#include "../unit.h"
#include "recorder.h"

#include <weft/port.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct weft_device_memory *memory;
static struct weft_loop *loop;
static struct weft_port *port;
static struct recorder protocol;
static unsigned kind; /* WEFT_DEVICE_TUN or WEFT_DEVICE_TAP */

/* What the port told. */
static struct {
	unsigned failed, ended;
	char protocol[40], handler[40];
	int code;
} told;

static unsigned tun = WEFT_DEVICE_TUN;
static unsigned tap = WEFT_DEVICE_TAP;

static const char *kind_text(void)
{
	return kind == WEFT_DEVICE_TAP ? "tap" : "tun";
}

static void on_failed(void *user, const char *name, const char *handler, int code)
{
	assert_ptr_equal(user, &told);
	told.failed++;
	told.code = code;
	assert_true(strlen(name) < sizeof(told.protocol));
	strcpy(told.protocol, name);
	strcpy(told.handler, handler);
}

static void on_ended(void *user, struct weft_port *ended, int code)
{
	assert_ptr_equal(user, &told);
	assert_ptr_equal(ended, port);
	assert_false(weft_port_is_started(port));
	told.ended++;
	told.code = code;
}

static struct weft_port_opts default_opts(void)
{
	return (struct weft_port_opts){
		.name = "weft0",
		.protocol = &protocol.protocol,
		.system = weft_device_memory_system(memory),
		.loop = loop,
		.events = { .failed = on_failed, .ended = on_ended },
		.user = &told,
	};
}

static void make_port(const struct weft_port_opts *opts)
{
	struct weft_error err = { "" };
	weft_port_free(port);
	port = NULL;
	if (weft_port_new(opts, &err, &port) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	kind = **(unsigned **)state;
	memset(&told, 0, sizeof(told));
	recorder_init(&protocol,
		      kind == WEFT_DEVICE_TAP ? WEFT_LAYER_ETHERNET : WEFT_LAYER_PACKET,
		      "recorder");
	assert_int_equal(weft_device_memory_new(NULL, &memory), 0);
	assert_int_equal(weft_loop_new(NULL, &loop), 0);
	const struct weft_port_opts opts = default_opts();
	make_port(&opts);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft_port_free(port);
	port = NULL;
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	weft_device_memory_free(memory);
	weft_loop_free(loop);
	recorder_clear(&protocol);
	return 0;
}

static void start(void)
{
	struct weft_error err = { "" };
	if (weft_port_start(port, &err) < 0)
		fail_msg("%s", err.text);
}

static struct weft_tunnel *the_tunnel(void)
{
	struct weft_tunnel *tunnel =
		weft_device_memory_tunnel(memory, weft_port_fd(port));
	assert_non_null(tunnel);
	return tunnel;
}

static void put(const char *text)
{
	assert_int_equal(weft_tunnel_put(the_tunnel(), text, strlen(text)), 0);
}

static void assert_start_refused(int code, const char *text)
{
	struct weft_error err = { "" };
	assert_int_equal(weft_port_start(port, &err), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_int_equal(weft_port_start(port, NULL), code);
}

/* ---- starting ---------------------------------------------------------------------------- */

static void a_new_port_runs_on_the_kernels_devices(void **state)
{
	(void)state;
	struct weft_port_opts opts = default_opts();
	opts.system = NULL;
	make_port(&opts);
	assert_non_null(weft_device_real());
	assert_false(weft_port_is_started(port));
	/* Nobody may open a device without a right to it, nor one whose name is a file's. */
	assert_int_equal(weft_device_memory_open_count(memory), 0);
}

/* The whole of what a port offers, on one that never ran. */
static void a_port_offers_all_that_listens(void **state)
{
	struct weft_task *task = weft_port_task(port);
	(void)state;
	assert_non_null(task->run);
	assert_non_null(task->deadline);
	assert_int_equal(task->fd, -1);
	assert_true(task->deadline(task) == WEFT_NEVER);
	assert_int_equal(weft_port_fd(port), -1);
	weft_port_stop(port);
	start();
	weft_port_stop(port);
}

static void start_opens_the_device(void **state)
{
	const char requested[WEFT_DEVICE_NAME_LEN] = "weft0";
	(void)state;
	start();
	struct weft_tunnel_facts facts = weft_tunnel_facts(the_tunnel());
	assert_int_equal(facts.open_flags,
			 WEFT_DEVICE_RDWR | WEFT_DEVICE_CLOEXEC | WEFT_DEVICE_NONBLOCK);
	assert_int_equal(facts.flags, kind | WEFT_DEVICE_NO_PI);
	assert_memory_equal(facts.requested, requested, sizeof(requested));
	assert_string_equal(weft_port_address(port).name, facts.name);
}

static void start_sets_started(void **state)
{
	(void)state;
	assert_false(weft_port_is_started(port));
	start();
	assert_true(weft_port_is_started(port));
}

static void start_connects_the_protocol(void **state)
{
	(void)state;
	assert_null(protocol.protocol.port);
	start();
	assert_ptr_equal(protocol.protocol.port, port);
	assert_int_equal(protocol.started, 1);
}

static void start_enters_the_loop(void **state)
{
	(void)state;
	assert_null(weft_port_task(port)->loop_state);
	start();
	assert_non_null(weft_port_task(port)->loop_state);
}

static void a_refused_open_is_told(void **state)
{
	(void)state;
	weft_device_memory_permit(memory, WEFT_DEVICE_MAY_CONFIGURE);
	assert_start_refused(-EPERM, "CAP_NET_ADMIN");
	assert_false(weft_port_is_started(port));
	assert_int_equal(protocol.started, 0);
}

/* And nothing is left open by it, which is what went wrong elsewhere. */
static void a_refused_configuration_is_told_and_leaks_nothing(void **state)
{
	(void)state;
	weft_device_memory_permit(memory, WEFT_DEVICE_MAY_OPEN);
	assert_start_refused(-EPERM, "weft0");
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	assert_null(weft_port_task(port)->loop_state);
	weft_device_memory_permit(memory,
				  WEFT_DEVICE_MAY_OPEN | WEFT_DEVICE_MAY_CONFIGURE);
	start();
}

static void a_second_start_is_refused(void **state)
{
	(void)state;
	start();
	assert_start_refused(-EALREADY, "started already");
	assert_int_equal(weft_device_memory_open_count(memory), 1);
	assert_int_equal(protocol.started, 1);
}

static void a_protocol_is_on_one_port_at_a_time(void **state)
{
	const struct weft_port_opts opts = default_opts();
	struct weft_port *second;
	struct weft_error err = { "" };
	(void)state;
	start();
	assert_int_equal(weft_port_new(&opts, &err, &second), 0);
	assert_int_equal(weft_port_start(second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "make a second protocol"));
	assert_non_null(strstr(err.text, "weft0123"));
	assert_int_equal(weft_device_memory_open_count(memory), 1);
	weft_port_stop(port);
	assert_int_equal(weft_port_start(second, &err), 0);
	assert_ptr_equal(protocol.protocol.port, second);
	weft_port_free(second);
	assert_null(protocol.protocol.port);
}

/* The loop takes a device that can be polled, and not this: a descriptor that is none. */
static int bad_poll_fd(void *user, int fd)
{
	(void)user;
	(void)fd;
	return 8000; /* more than any test has open */
}

static void what_the_loop_refuses_is_told_and_leaks_nothing(void **state)
{
	struct weft_port_opts opts = default_opts();
	struct weft_device_system system = *opts.system;
	struct weft_device_ops ops = *system.ops;
	(void)state;
	ops.poll_fd = bad_poll_fd;
	system.ops = &ops;
	opts.system = &system;
	make_port(&opts);
	assert_start_refused(-EBADF, "the loop does not take the device");
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	assert_int_equal(protocol.started, 0);
	assert_int_equal(weft_port_task(port)->fd, -1);
	weft_port_free(port);
	port = NULL;
}

/* ---- what is refused at once ------------------------------------------------------------- */

static void assert_new_refused(const struct weft_port_opts *opts, int code,
			       const char *text)
{
	struct weft_error err = { "" };
	struct weft_port *none = NULL;
	assert_int_equal(weft_port_new(opts, &err, &none), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_null(none);
}

static void names_that_are_none_are_refused(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.name = "a-name-of-16-byt";
	assert_new_refused(&opts, -EINVAL, "at most 15 bytes");
	opts.name = "a-name-of-15-by";
	make_port(&opts);
	start();
	assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "a-name-of-15-by");
	opts.name = "a/b";
	assert_new_refused(&opts, -EINVAL, "no space, '/' or ':'");
	opts.name = "a b";
	assert_new_refused(&opts, -EINVAL, "no space, '/' or ':'");
	opts.name = "..";
	assert_new_refused(&opts, -EINVAL, "no space, '/' or ':'");
}

static void without_a_name_the_kernel_chooses(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	opts.name = NULL;
	make_port(&opts);
	start();
	assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "weft%d");
	assert_string_equal(weft_port_address(port).name, "weft123");
	opts.name = "";
	make_port(&opts);
	start();
	assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "weft%d");
}

static void protocols_that_no_device_carries_are_refused(void **state)
{
	struct weft_port_opts opts = default_opts();
	(void)state;
	protocol.protocol.layer = WEFT_LAYER_TRANSPORT;
	assert_new_refused(&opts, -EINVAL, "add it to an IP protocol");
	protocol.protocol.layer = WEFT_LAYER_DATAGRAM;
	assert_new_refused(&opts, -EINVAL, "takes what UDP carries");
	protocol.protocol.layer = (enum weft_layer)0;
	assert_new_refused(&opts, -EINVAL, "nothing that is known");
	opts.protocol = NULL;
	assert_new_refused(&opts, -EINVAL, "needs a protocol");
	opts = default_opts();
	protocol.protocol.layer = WEFT_LAYER_PACKET;
	opts.packet_len_max = WEFT_FRAME_LEN_MAX + 1;
	assert_new_refused(&opts, -EMSGSIZE, "65557");
}

/* ---- stopping ---------------------------------------------------------------------------- */

static void stop_leaves_the_loop_and_closes(void **state)
{
	(void)state;
	start();
	int fd = weft_port_fd(port);
	weft_port_stop(port);
	assert_null(weft_port_task(port)->loop_state);
	assert_int_equal(weft_device_close(weft_device_memory_system(memory), fd),
			 -EBADF);
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	assert_int_equal(weft_port_fd(port), -1);
	assert_int_equal(weft_port_task(port)->events, 0);
}

static void stop_unsets_started(void **state)
{
	(void)state;
	start();
	weft_port_stop(port);
	assert_false(weft_port_is_started(port));
}

static void stop_disconnects_the_protocol(void **state)
{
	(void)state;
	start();
	weft_port_stop(port);
	assert_null(protocol.protocol.port);
	assert_int_equal(protocol.stopped, 1);
}

static void stopping_a_stopped_port_is_nothing(void **state)
{
	(void)state;
	weft_port_stop(port);
	assert_int_equal(protocol.stopped, 0);
	assert_false(weft_port_is_started(port));
}

static void a_second_stop_is_nothing(void **state)
{
	(void)state;
	start();
	weft_port_stop(port);
	weft_port_stop(port);
	assert_int_equal(protocol.stopped, 1);
}

/* Freeing is the other way to stop. */
static void free_stops(void **state)
{
	(void)state;
	start();
	weft_port_free(port);
	port = NULL;
	assert_int_equal(protocol.stopped, 1);
	assert_null(protocol.protocol.port);
	assert_int_equal(weft_device_memory_open_count(memory), 0);
	weft_port_free(NULL);
}

static void a_port_stops_and_starts_as_often_as_one_likes(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		start();
		assert_int_equal(weft_device_memory_open_count(memory), 1);
		assert_string_equal(weft_tunnel_facts(the_tunnel()).requested, "weft0");
		put("again");
		assert_int_equal(weft_port_read(port, i), 1);
		assert_int_equal(weft_port_write(port, "x", 1), 1);
		weft_port_stop(port);
		assert_int_equal(weft_device_memory_open_count(memory), 0);
		assert_int_equal(protocol.started, i);
		assert_int_equal(protocol.stopped, i);
		assert_int_equal(protocol.n, i);
	}
}

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
	struct weft_device_system system = *opts.system;
	struct weft_device_ops ops = *system.ops;
	(void)state;
	ops.read = lying_read;
	system.ops = &ops;
	opts.system = &system;
	make_port(&opts);
	start();
	assert_int_equal(weft_port_read(port, 1), -EPROTO);
	assert_int_equal(protocol.n, 0);
	weft_port_free(port);
	port = NULL;
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
	struct weft_device_system system = *opts.system;
	struct weft_device_ops ops = *system.ops;
	(void)state;
	ops.poll_fd = pollable_fd;
	system.ops = &ops;
	opts.system = &system;
	opts.loop = NULL;
	make_port(&opts);
	start();
	struct weft_task *task = weft_port_task(port);
	put("packet");
	assert_int_equal(task->fd, 0);
	assert_int_equal(task->events, WEFT_READABLE);
	assert_true(task->deadline(task) == WEFT_NEVER);
	weft_port_free(port);
	port = NULL;
}

/* ---- for people -------------------------------------------------------------------------- */

static void the_address_is_the_devices(void **state)
{
	char text[WEFT_PORT_ADDRESS_TEXT];
	(void)state;
	start();
	struct weft_port_address address = weft_port_address(port);
	assert_int_equal(address.kind, kind);
	assert_string_equal(address.name, weft_tunnel_facts(the_tunnel()).name);
	assert_string_equal(weft_port_address_print(&address, text),
			    kind == WEFT_DEVICE_TAP ? "tap:weft0123" : "tun:weft0123");
	weft_port_stop(port);
	assert_string_equal(weft_port_address(port).name, "weft0");
}

static void a_started_port_prints_where_it_is(void **state)
{
	char text[WEFT_PORT_TEXT], expected[WEFT_PORT_TEXT];
	(void)state;
	start();
	snprintf(expected, sizeof(expected), "recorder on %s:weft0123", kind_text());
	assert_string_equal(weft_port_print(port, text), expected);
}

static void a_stopped_port_prints_where_it_is_not(void **state)
{
	char text[WEFT_PORT_TEXT], expected[WEFT_PORT_TEXT];
	(void)state;
	snprintf(expected, sizeof(expected), "recorder not on %s:weft0", kind_text());
	assert_string_equal(weft_port_print(port, text), expected);
}

static void the_prefix_names_protocol_and_kind(void **state)
{
	char text[WEFT_PORT_TEXT], expected[WEFT_PORT_TEXT];
	(void)state;
	snprintf(expected, sizeof(expected), "recorder (%s)", kind_text());
	assert_string_equal(weft_port_prefix(port, text), expected);
}

static void long_names_of_protocols_are_cut(void **state)
{
	char name[1000], text[WEFT_PORT_TEXT];
	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	protocol.protocol.name = name;
	assert_non_null(strstr(weft_port_print(port, text), "x not on"));
	assert_non_null(strstr(weft_port_prefix(port, text), "x ("));
}

/* ---- addresses --------------------------------------------------------------------------- */

static const struct weft_port_address first = { WEFT_DEVICE_TUN, "device" };
static const struct weft_port_address same = { WEFT_DEVICE_TUN | WEFT_DEVICE_TUN,
					       "device" };
static const struct weft_port_address other_kind = { WEFT_DEVICE_TAP, "device" };
static const struct weft_port_address other_name = { WEFT_DEVICE_TUN, "tun1" };

static void an_address_equals_itself(void **state)
{
	(void)state;
	assert_true(weft_port_address_equal(&first, &first));
}

static void addresses_of_the_same_values_are_equal(void **state)
{
	(void)state;
	assert_true(weft_port_address_equal(&first, &same));
	assert_true(weft_port_address_equal(&same, &first));
}

static void another_kind_makes_another_address(void **state)
{
	(void)state;
	assert_false(weft_port_address_equal(&first, &other_kind));
}

static void another_name_makes_another_address(void **state)
{
	(void)state;
	assert_false(weft_port_address_equal(&first, &other_name));
}

/* What is behind the NUL is no part of a name; a name of 16 bytes has none. */
static void only_the_name_counts_in_a_name(void **state)
{
	struct weft_port_address dirty = first;
	struct weft_port_address full = { WEFT_DEVICE_TUN, "0123456789abcde" };
	char text[WEFT_PORT_ADDRESS_TEXT];
	(void)state;
	dirty.name[10] = 'x';
	assert_true(weft_port_address_equal(&first, &dirty));
	full.name[15] = 'f';
	assert_string_equal(weft_port_address_print(&full, text), "tun:0123456789abcdef");
}

/* Kind and name are members, not places in a tuple. */
static void an_address_has_a_kind_and_a_name(void **state)
{
	const struct weft_port_address address = { .kind = WEFT_DEVICE_TAP,
						   .name = "tap0" };
	char text[WEFT_PORT_ADDRESS_TEXT];
	(void)state;
	assert_int_equal(address.kind, WEFT_DEVICE_TAP);
	assert_string_equal(address.name, "tap0");
	assert_string_equal(weft_port_address_print(&address, text), "tap:tap0");
	assert_string_equal(weft_port_address_print(&first, text), "tun:device");
}

/* On a TUN, and on a TAP. */
#define BOTH(f)                                       \
	{ #f " [tun]", f, setup, teardown, &tun },    \
	{                                             \
#f " [tap]", f, setup, teardown, &tap \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(a_new_port_runs_on_the_kernels_devices),
		BOTH(a_port_offers_all_that_listens),
		BOTH(start_opens_the_device),
		BOTH(start_sets_started),
		BOTH(start_connects_the_protocol),
		BOTH(start_enters_the_loop),
		BOTH(a_refused_open_is_told),
		BOTH(a_refused_configuration_is_told_and_leaks_nothing),
		BOTH(a_second_start_is_refused),
		BOTH(a_protocol_is_on_one_port_at_a_time),
		BOTH(what_the_loop_refuses_is_told_and_leaks_nothing),
		BOTH(names_that_are_none_are_refused),
		BOTH(without_a_name_the_kernel_chooses),
		BOTH(protocols_that_no_device_carries_are_refused),
		BOTH(stop_leaves_the_loop_and_closes),
		BOTH(stop_unsets_started),
		BOTH(stop_disconnects_the_protocol),
		BOTH(stopping_a_stopped_port_is_nothing),
		BOTH(a_second_stop_is_nothing),
		BOTH(free_stops),
		BOTH(a_port_stops_and_starts_as_often_as_one_likes),
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
		BOTH(the_address_is_the_devices),
		BOTH(a_started_port_prints_where_it_is),
		BOTH(a_stopped_port_prints_where_it_is_not),
		BOTH(the_prefix_names_protocol_and_kind),
		BOTH(long_names_of_protocols_are_cut),
		cmocka_unit_test(an_address_equals_itself),
		cmocka_unit_test(addresses_of_the_same_values_are_equal),
		cmocka_unit_test(another_kind_makes_another_address),
		cmocka_unit_test(another_name_makes_another_address),
		cmocka_unit_test(only_the_name_counts_in_a_name),
		cmocka_unit_test(an_address_has_a_kind_and_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
