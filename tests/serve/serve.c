/* SPDX-License-Identifier: MIT */
/*
 * A server with clients on socket pairs and one end of a pair in memory as its uplink:
 *
 *     test --- socketpair --- plug ---.
 *     test --- socketpair --- plug ---+--- server --- pair --- inbox of the test
 *
 * The clients speak tapserver's dialect: a length of two bytes, little-endian, and the frame.
 */
#include "../link/inbox.h"
#include "../unit.h"
#include "base/container.h"
#include "link/link.h"
#include "wire/hdlc.h"

#include <weft/serve.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_LEN  60u
#define ROUNDS_MAX 10000u

/* What was told, one letter each, and the last text. */
struct told {
	char events[64];
	size_t n;
	char text[256];
	uint32_t client;
	int computed;
	bool drops_uplink; /* Does so when a client has gone. */
	struct weft_serve *serve;
};

struct world {
	struct weft_loop *loop;
	struct weft_serve *serve;
	struct told told;
	struct weft_link *far; /* The test's end of the uplink. */
	struct inbox *inbox;
	struct weft_task pacer; /* Ends each run of the loop. */
	unsigned rounds;
};

/* ---- what is told ------------------------------------------------------------------------ */

static void tell(struct told *told, char event, uint32_t client, const char *text)
{
	assert_true(told->n + 1 < sizeof(told->events));
	told->events[told->n++] = event;
	told->events[told->n] = '\0';
	told->client = client;
	(void)snprintf(told->text, sizeof(told->text), "%s", text);
}

static void on_plugged(void *user, const struct weft_serve_client *client, uint64_t now)
{
	(void)now;
	tell(user, 'p', client->id, client->peer);
}

static void on_unplugged(void *user, const struct weft_serve_client *client,
			 const char *reason, uint64_t now)
{
	struct told *told = user;
	(void)now;
	tell(told, 'u', client->id, reason);
	if (told->drops_uplink)
		weft_serve_drop_uplink(told->serve);
}

static void on_trouble(void *user, const char *text, uint64_t now)
{
	(void)now;
	tell(user, 't', 0, text);
}

static void on_modem(void *user, const struct weft_serve_client *client, const char *text,
		     uint64_t now)
{
	(void)now;
	tell(user, 'm', client->id, text);
}

static void on_uplink_ended(void *user, const char *name, const char *reason,
			    uint64_t now)
{
	(void)reason;
	(void)now;
	tell(user, 'e', 0, name);
}

static void on_shown(void *user, const struct weft_serve_client *client, bool from_client,
		     const struct weft_frame *frame, uint64_t now)
{
	(void)frame;
	(void)now;
	tell(user, from_client ? '>' : '<', client->id, "");
}

static void on_misjudged(void *user, const struct weft_serve_client *client,
			 bool from_client, const struct weft_frame *frame, int computed,
			 uint64_t now)
{
	(void)frame;
	(void)now;
	tell(user, from_client ? ')' : '(', client->id, "");
	((struct told *)user)->computed = computed;
}

static const struct weft_serve_events quiet_events = {
	.plugged = on_plugged,
	.unplugged = on_unplugged,
	.trouble = on_trouble,
	.modem = on_modem,
	.uplink_ended = on_uplink_ended,
};

static const struct weft_serve_events all_events = {
	.plugged = on_plugged,
	.unplugged = on_unplugged,
	.trouble = on_trouble,
	.shown = on_shown,
	.misjudged = on_misjudged,
};

/* ---- the world --------------------------------------------------------------------------- */

static void pace(struct weft_task *task, uint64_t now)
{
	struct world *w = container_of(task, struct world, pacer);
	(void)now;
	w->rounds++;
	weft_loop_stop(w->loop);
}

static uint64_t pace_at_once(const struct weft_task *task)
{
	(void)task;
	return 0;
}

static void world_init(struct world *w, const struct weft_serve_opts *given)
{
	struct weft_serve_opts opts = { .events = &quiet_events };
	*w = (struct world){ .pacer = {
				     .fd = -1, .run = pace, .deadline = pace_at_once } };
	w->inbox = calloc(1, sizeof(*w->inbox));
	assert_non_null(w->inbox);
	if (given)
		opts = *given;
	opts.user = &w->told;
	assert_int_equal(weft_loop_new(NULL, &w->loop), 0);
	assert_int_equal(weft_serve_new(&opts, w->loop, &w->serve), 0);
	assert_int_equal(weft_loop_add(w->loop, &w->pacer), 0);
	w->told.serve = w->serve;
}

static void drop_far_end(struct world *w)
{
	if (w->far)
		weft_loop_remove(w->loop, weft_link_task(w->far));
	weft_link_free(w->far);
	w->far = NULL;
}

static void world_fini(struct world *w)
{
	weft_serve_free(w->serve);
	drop_far_end(w);
	weft_loop_free(w->loop);
	inbox_clear(w->inbox);
	free(w->inbox);
}

static void give_uplink(struct world *w)
{
	struct weft_link *near;
	struct weft_error err;
	drop_far_end(w);
	assert_int_equal(weft_link_pair(64, &near, &w->far), 0);
	weft_link_on_receive(w->far, inbox_receive, w->inbox);
	assert_int_equal(weft_loop_add(w->loop, weft_link_task(w->far)), 0);
	assert_int_equal(weft_serve_set_uplink(w->serve, near, &err), 0);
	assert_ptr_equal(weft_serve_uplink(w->serve), near);
}

/* A client; returns the test's end of its socket, which does not block. */
static int plug_in(struct world *w, const char *dialect)
{
	int ends[2];
	char spec[64];
	struct weft_error err;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	(void)snprintf(spec, sizeof(spec), "%s:fd:%d", dialect, ends[1]);
	if (weft_serve_plug(w->serve, spec, &err) < 0)
		fail_msg("%s", err.text);
	return ends[0];
}

/* A turn of the loop; the pacer sees to it that it does not sleep. */
static void turn(struct world *w)
{
	assert_true(w->rounds < ROUNDS_MAX);
	weft_loop_run(w->loop);
}

static void wait_told(struct world *w, const char *events)
{
	while (strcmp(w->told.events, events) != 0 && w->told.n <= strlen(events) &&
	       w->rounds < ROUNDS_MAX)
		turn(w);
	assert_string_equal(w->told.events, events);
}

/* ---- frames ------------------------------------------------------------------------------ */

/* A broadcast, or a frame to the station of that number, of an experimental type. */
static void fill_frame(uint8_t frame[FRAME_LEN], uint8_t to, uint8_t from)
{
	memset(frame, 0, FRAME_LEN);
	memset(frame, to ? 0 : 0xff, 6);
	if (to)
		frame[0] = 2;
	if (to)
		frame[5] = to;
	frame[6] = 2;
	frame[11] = from;
	frame[12] = 0x88;
	frame[13] = 0xb5;
	frame[14] = from;
}

static void client_sends(int fd, uint8_t to, uint8_t from)
{
	uint8_t bytes[2 + FRAME_LEN] = { FRAME_LEN, 0 };
	fill_frame(bytes + 2, to, from);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
}

/* Waits for a frame and returns the number of who sent it. */
static uint8_t client_reads(struct world *w, int fd)
{
	uint8_t bytes[2 + FRAME_LEN];
	ssize_t got;
	while ((got = read(fd, bytes, sizeof(bytes))) < 0)
		turn(w);
	assert_int_equal(got, sizeof(bytes));
	assert_int_equal(bytes[0], FRAME_LEN);
	assert_int_equal(bytes[1], 0);
	return bytes[2 + 14];
}

static void assert_nothing_to_read(int fd)
{
	uint8_t byte;
	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void uplink_sends(struct world *w, uint8_t to, uint8_t from)
{
	uint8_t bytes[FRAME_LEN];
	const struct weft_frame frame = { .data = bytes, .len = FRAME_LEN };
	fill_frame(bytes, to, from);
	weft_link_send(w->far, &frame, 1, weft_loop_now(w->loop));
}

static void wait_uplink(struct world *w, size_t n)
{
	while (w->inbox->n < n && w->rounds < ROUNDS_MAX)
		turn(w);
	assert_int_equal(w->inbox->n, n);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void test_client_and_uplink_reach_each_other(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	client_sends(fd, 0, 1);
	wait_uplink(&w, 1);
	assert_int_equal(w.inbox->frames[0].data[14], 1);
	uplink_sends(&w, 1, 9);
	assert_int_equal(client_reads(&w, fd), 9);
	assert_string_equal(w.told.events, "p");
	const struct weft_serve_stats stats = weft_serve_stats(w.serve);
	assert_int_equal(stats.clients, 1);
	assert_int_equal(stats.rx_frames, 1);
	assert_int_equal(stats.tx_frames, 1);
	assert_int_equal(stats.drops, 0);
	close(fd);
	world_fini(&w);
}

static void test_known_unicast_is_not_flooded(void **state)
{
	struct world w;
	int fds[3];
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	for (uint8_t i = 0; i < 3; i++)
		fds[i] = plug_in(&w, "tapserver");
	wait_told(&w, "ppp");
	client_sends(fds[0], 0, 1);
	assert_int_equal(client_reads(&w, fds[1]), 1);
	assert_int_equal(client_reads(&w, fds[2]), 1);
	client_sends(fds[1], 1, 2);
	assert_int_equal(client_reads(&w, fds[0]), 2);
	wait_uplink(&w, 1);
	assert_nothing_to_read(fds[2]);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	world_fini(&w);
}

static void test_uplink_comes_later_and_again(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	int fd = plug_in(&w, "tapserver");
	client_sends(fd, 0, 1);
	wait_told(&w, "p");
	assert_null(weft_serve_uplink(w.serve));
	while (weft_serve_stats(w.serve).rx_frames == 0)
		turn(&w);
	assert_int_equal(weft_serve_stats(w.serve).drops, 1); /* To nobody. */
	for (size_t i = 1; i <= 2; i++) {
		give_uplink(&w);
		client_sends(fd, 0, 1);
		wait_uplink(&w, i);
		weft_serve_drop_uplink(w.serve);
		assert_null(weft_serve_uplink(w.serve));
	}
	weft_serve_drop_uplink(w.serve); /* Which is none. */
	assert_string_equal(w.told.events, "p");
	close(fd);
	world_fini(&w);
}

/* Whether learned before or not: a client does not get what is for this machine. */
static void test_the_uplinks_address_is_nobody_elses(void **state)
{
	struct world w;
	struct weft_error err;
	struct weft_link *near, *far;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	int honest = plug_in(&w, "tapserver"), thief = plug_in(&w, "tapserver");
	client_sends(thief, 0, 9);
	assert_int_equal(client_reads(&w, honest), 9);
	assert_int_equal(weft_link_pair(64, &near, &far), 0);
	near->mac = (struct weft_mac){ { 2, 0, 0, 0, 0, 9 } };
	near->has_mac = true;
	assert_int_equal(weft_serve_set_uplink(w.serve, near, &err), 0);
	for (unsigned i = 0; i < 2; i++) {
		client_sends(thief, 0, 9);
		client_sends(honest, 9, 1);
		client_sends(honest, 0, 1);
		assert_int_equal(client_reads(&w, thief), 1); /* The broadcast. */
		assert_nothing_to_read(thief);
		assert_nothing_to_read(honest);
	}
	assert_int_equal(weft_serve_stats(w.serve).drops, 2);
	weft_link_free(far);
	close(honest);
	close(thief);
	world_fini(&w);
}

static void test_uplink_that_ends_is_told(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	drop_far_end(&w);
	wait_told(&w, "e");
	assert_string_equal(w.told.text, "pair-a");
	assert_null(weft_serve_uplink(w.serve));
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	client_sends(fd, 0, 1);
	wait_uplink(&w, 1);
	close(fd);
	world_fini(&w);
}

static void test_uplink_of_packets_is_refused(void **state)
{
	struct world w;
	struct recorder packets;
	struct weft_error err = { "" };
	(void)state;
	world_init(&w, NULL);
	recorder_init(&packets, WEFT_LINK_IP, false);
	give_uplink(&w);
	assert_int_equal(weft_serve_set_uplink(w.serve, &packets.link, &err), -EINVAL);
	assert_non_null(strstr(err.text, "bare IP packets"));
	assert_non_null(weft_serve_uplink(w.serve)); /* The one before. */
	weft_link_free(&packets.link);
	world_fini(&w);
}

static void test_client_that_goes_is_counted_and_forgotten(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	assert_false(weft_serve_is_over(w.serve));
	client_sends(fd, 0, 1);
	client_sends(fd, 0, 1);
	close(fd);
	wait_told(&w, "pu");
	assert_string_equal(w.told.text, "the peer has gone");
	wait_uplink(&w, 2); /* What it sent last has arrived. */
	const struct weft_serve_stats stats = weft_serve_stats(w.serve);
	assert_int_equal(stats.clients, 0);
	assert_int_equal(stats.plugged, 1);
	assert_int_equal(stats.rx_frames, 2);
	assert_true(weft_serve_is_over(w.serve));
	world_fini(&w);
}

static void test_uplink_may_go_with_the_last_client(void **state)
{
	struct world w;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	w.told.drops_uplink = true;
	int fd = plug_in(&w, "tapserver");
	client_sends(fd, 0, 1);
	close(fd);
	wait_told(&w, "pu");
	assert_null(weft_serve_uplink(w.serve));
	world_fini(&w);
}

static void test_isolated_clients_reach_the_uplink_alone(void **state)
{
	const struct weft_serve_opts opts = { .events = &quiet_events, .isolated = true };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	give_uplink(&w);
	int one = plug_in(&w, "tapserver");
	int two = plug_in(&w, "tapserver");
	wait_told(&w, "pp");
	client_sends(one, 0, 1);
	client_sends(two, 0, 2);
	wait_uplink(&w, 2);
	assert_nothing_to_read(one);
	assert_nothing_to_read(two);
	close(one);
	close(two);
	world_fini(&w);
}

static void test_addresses_of_one_client_are_bounded(void **state)
{
	const struct weft_serve_opts opts = { .events = &quiet_events,
					      .client_fdb_max = 3 };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	for (uint8_t from = 1; from <= 10; from++)
		client_sends(fd, 0, from);
	wait_uplink(&w, 10); /* They are forwarded all the same. */
	char *text = weft_serve_json(w.serve, 0);
	assert_non_null(strstr(text, "\"learned\":3"));
	assert_non_null(strstr(text, "\"refused\":7"));
	free(text);
	close(fd);
	world_fini(&w);
}

static void test_frames_are_shown(void **state)
{
	const struct weft_serve_opts opts = { .events = &all_events };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	client_sends(fd, 0, 1); /* Of a type whose length cannot be told. */
	wait_uplink(&w, 1);
	assert_string_equal(w.told.events, "p)>");
	assert_int_equal(w.told.computed, -1);
	uplink_sends(&w, 1, 9);
	assert_int_equal(client_reads(&w, fd), 9);
	assert_string_equal(w.told.events, "p)>(<");
	close(fd);
	wait_told(&w, "p)>(<u");
	world_fini(&w);
}

/* An ARP request, of 42 bytes, with so many behind it. */
static void send_arp(int fd, uint8_t padding, uint8_t fill)
{
	uint8_t bytes[2 + 255] = { (uint8_t)(42 + padding), 0 };
	static const uint8_t arp[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 };
	uint8_t *frame = bytes + 2;
	fill_frame(frame, 0, 1);
	memset(frame + 14, 0, 28);
	memcpy(frame + 12, arp, sizeof(arp));
	memset(frame + 42, fill, padding);
	assert_int_equal(write(fd, bytes, 2 + 42 + (size_t)padding), 44 + padding);
}

static void test_padding_is_not_misjudged(void **state)
{
	const struct weft_serve_opts opts = { .events = &all_events };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	send_arp(fd, 0, 0);
	send_arp(fd, 18, 0); /* To 60 bytes, by zeros. */
	wait_uplink(&w, 2);
	assert_string_equal(w.told.events, "p>>");
	send_arp(fd, 18, 7);
	send_arp(fd, 100, 0);
	wait_uplink(&w, 4);
	assert_string_equal(w.told.events, "p>>)>)>");
	assert_int_equal(w.told.computed, 42);
	close(fd);
	world_fini(&w);
}

static void test_facts(void **state)
{
	struct world w;
	const char *peer, *plug, *uplink;
	static const uint8_t too_short[2 + 5] = { 5 };
	int id, rx, errors, forwarded;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	assert_int_equal(write(fd, too_short, sizeof(too_short)), sizeof(too_short));
	client_sends(fd, 0, 1);
	wait_uplink(&w, 1);
	char *text = weft_serve_json(w.serve, 5);
	json_t *facts = json_loads(text, 0, NULL);
	assert_int_equal(json_unpack(facts,
				     "{s:[{s:i, s:s, s:s, s:i, s:i}], s:{s:s}, s:{s:i}}",
				     "clients", "id", &id, "peer", &peer, "plug", &plug,
				     "rx_frames", &rx, "rx_errors", &errors, "uplink",
				     "name", &uplink, "frames", "flooded", &forwarded),
			 0);
	assert_int_equal(id, 1);
	assert_int_equal(rx, 1);
	assert_int_equal(errors, 1);
	assert_int_equal(weft_serve_stats(w.serve).rx_errors, 1);
	assert_int_equal(forwarded, 1);
	assert_true(strlen(peer) > 0);
	assert_non_null(strstr(plug, "tapserver"));
	assert_string_equal(uplink, "pair-a");
	json_decref(facts);
	free(text);
	close(fd);
	world_fini(&w);
}

static void test_bad_specs_are_refused(void **state)
{
	struct weft_error err = { "" };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	assert_int_equal(weft_serve_plug(w.serve, "nosuch:x", &err), -EINVAL);
	assert_non_null(strstr(err.text, "nosuch"));
	assert_int_equal(weft_serve_plug(w.serve, "tap:x", &err), -EINVAL);
	assert_null(weft_serve_plug_at(w.serve, 0));
	assert_true(weft_serve_is_over(w.serve));
	world_fini(&w);
}

/* Of 10.0.0.1 to .3 in a network of four, the last is the network's own broadcast address. */
static void test_modems_count_up_to_the_end_of_their_network(void **state)
{
	struct weft_serve_opts opts = { .events = &quiet_events };
	struct world w;
	int fds[3];
	(void)state;
	assert_int_equal(weft_ip_parse("10.0.0.1/30", &opts.modem_address), 0);
	world_init(&w, &opts);
	give_uplink(&w);
	for (size_t i = 0; i < 2; i++)
		fds[i] = plug_in(&w, "modem");
	wait_told(&w, "pp");
	fds[2] = plug_in(&w, "modem");
	uint8_t byte;
	while (read(fds[2], &byte, 1) < 0) /* Until it is hung up on. */
		turn(&w);
	assert_string_equal(w.told.events, "pp");
	close(fds[2]);
	close(fds[0]);
	wait_told(&w, "ppu");
	fds[0] = plug_in(&w, "modem"); /* Its address is free again. */
	wait_told(&w, "ppup");
	assert_int_equal(weft_serve_stats(w.serve).clients, 2);
	close(fds[0]);
	close(fds[1]);
	world_fini(&w);
}

/* How many packets of the only client, a modem, ended in a way. */
static int modem_count(const struct world *w, const char *layer, const char *outcome)
{
	int n = 0;
	char *text = weft_serve_json(w->serve, 5);
	json_t *facts = json_loads(text, 0, NULL);
	(void)json_unpack(facts, "{s:[{s:{s:i}}]}", "clients", layer, outcome, &n);
	json_decref(facts);
	free(text);
	return n;
}

/* What is lost between a modem's bytes and the bridge is told as well. */
static void test_facts_of_a_modem(void **state)
{
	static const uint8_t appletalk[] = { 0x80, 0x29, 1, 1, 0, 4 };
	const struct hdlc_content content = { appletalk, sizeof(appletalk) };
	uint8_t bytes[64] = { 0 };
	struct world w;
	(void)state;
	world_init(&w, NULL);
	give_uplink(&w);
	int fd = plug_in(&w, "modem");
	wait_told(&w, "p");
	uplink_sends(&w, 0, 1);
	while (modem_count(&w, "packets", "drop-no-address") == 0)
		turn(&w);
	int n = hdlc_emit(bytes + 2, sizeof(bytes) - 2, &content, HDLC_ACCM_ALL);
	assert_in_range(n, 1, UINT8_MAX);
	bytes[0] = (uint8_t)n;
	assert_int_equal(write(fd, bytes, 2 + (size_t)n), 2 + n);
	while (modem_count(&w, "ppp", "drop-protocol") == 0)
		turn(&w);
	close(fd);
	world_fini(&w);
}

static void test_free_with_everything_there(void **state)
{
	const struct weft_serve_opts opts = { .events = &all_events };
	struct world w;
	(void)state;
	world_init(&w, &opts);
	give_uplink(&w);
	int fd = plug_in(&w, "tapserver");
	int modem = plug_in(&w, "modem");
	wait_told(&w, "pp");
	world_fini(&w);
	uint8_t byte;
	assert_int_equal(read(fd, &byte, 1), 0);
	assert_int_equal(read(modem, &byte, 1), 0);
	close(fd);
	close(modem);
	weft_serve_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_and_uplink_reach_each_other),
		cmocka_unit_test(test_known_unicast_is_not_flooded),
		cmocka_unit_test(test_uplink_comes_later_and_again),
		cmocka_unit_test(test_the_uplinks_address_is_nobody_elses),
		cmocka_unit_test(test_uplink_that_ends_is_told),
		cmocka_unit_test(test_uplink_of_packets_is_refused),
		cmocka_unit_test(test_client_that_goes_is_counted_and_forgotten),
		cmocka_unit_test(test_uplink_may_go_with_the_last_client),
		cmocka_unit_test(test_isolated_clients_reach_the_uplink_alone),
		cmocka_unit_test(test_addresses_of_one_client_are_bounded),
		cmocka_unit_test(test_frames_are_shown),
		cmocka_unit_test(test_padding_is_not_misjudged),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_bad_specs_are_refused),
		cmocka_unit_test(test_modems_count_up_to_the_end_of_their_network),
		cmocka_unit_test(test_facts_of_a_modem),
		cmocka_unit_test(test_free_with_everything_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
