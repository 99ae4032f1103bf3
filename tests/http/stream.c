/* SPDX-License-Identifier: MIT */
/*
 * Streams from a client to a server and back: bytes and their order, back-pressure, and every
 * way to end.
 */
#include "base/proxy.h"
#include "http/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MB (1024ull * 1024)

static struct world w;

/* ---- what is carried --------------------------------------------------------------------- */

static void a_get_is_read_to_its_end(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 5 * MB, .out_ready = 5 * MB });
	struct end *get = world_get(&w, "/any/path?x=1");
	world_until(&w, get->closings && w.served[0].closings);
	assert_int_equal(get->status, 200);
	assert_int_equal(get->responses, 1);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_string_equal(get->err.text, "");
	assert_int_equal(get->in_len, 5 * MB);
	assert_int_equal(w.served[0].end, HTTP_ENDED);
	assert_string_equal(w.last_method, "GET");
	assert_string_equal(w.last_path, "/any/path");
	assert_string_equal(w.last_token, "foo");
	assert_true(w.peer_port > 0);
	world_stop(&w);
}

static void a_put_is_read_to_its_end(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *put = world_put(&w, "/", 5 * MB);
	world_until(&w, put->closings && w.served_n && w.served[0].closings);
	assert_int_equal(put->status, 200);
	assert_int_equal(put->end, HTTP_ENDED);
	assert_int_equal(w.served[0].in_len, 5 * MB);
	assert_int_equal(w.served[0].end, HTTP_ENDED);
	assert_int_equal(w.served[0].asked, 0);
	assert_string_equal(w.last_method, "PUT");
	world_stop(&w);
}

static void both_ways_at_once(void **state)
{
	(void)state;
	world_start(&w,
		    &(struct world_opts){ .out_total = 100 * MB, .out_ready = 100 * MB });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 100 * MB);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->in_len, 100 * MB);
	assert_int_equal(w.served[0].in_len + w.served[1].in_len, 100 * MB);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_int_equal(put->end, HTTP_ENDED);
	world_stop(&w);
}

static void a_put_is_answered_at_its_end(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *put = world_put(&w, "/", 10);
	struct end *counted = world_put(&w, "/count", 3 * MB);
	world_until(&w, put->closings && counted->closings);
	assert_int_equal(put->end, HTTP_ENDED);
	assert_string_equal(put->answer, "OK");
	assert_int_equal(counted->end, HTTP_ENDED);
	assert_string_equal(counted->answer, "3145728 bytes");
	world_stop(&w);
}

static void an_empty_body(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 0);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_int_equal(put->end, HTTP_ENDED);
	assert_int_equal(get->in_len, 0);
	world_stop(&w);
}

static void the_head_comes_before_the_body(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 1 });
	struct end *get = world_get(&w, "/");
	world_until(&w, get->responses);
	assert_string_equal(http_stream_header(get->stream, "x-tun-conf"),
			    "eAUYCjIAAg==");
	assert_null(http_stream_header(get->stream, "x-other"));
	assert_int_equal(http_stream_version(get->stream), 11);
	assert_int_equal(http_stream_version(w.served[0].stream), 11);
	union weft_sockaddr server = http_server_addr(w.server);
	assert_true(weft_sockaddr_equal(http_stream_peer(get->stream), &server));
	world_settle(&w);
	assert_int_equal(get->in_len, 0);
	assert_int_equal(get->end, END_OPEN);
	world_stop(&w);
}

/* ---- bytes that come later --------------------------------------------------------------- */

static void what_is_woken_goes_at_once(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 100 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 100);
	put->out_ready = 0;
	world_until(&w, get->responses && w.served_n == 2);
	struct end *get_served = &w.served[get->status ? 0 : 1];
	if (strcmp(w.last_method, "GET") == 0)
		get_served = &w.served[1];
	struct end *put_served = get_served == w.served ? &w.served[1] : w.served;
	for (unsigned i = 1; i <= 100; i++) {
		end_more(get_served, 1);
		end_more(put, 1);
		world_until(&w, get->in_len == i && put_served->in_len == i);
	}
	/* They may have been asked behind the last byte already, and have ended. */
	if (get_served->stream)
		http_stream_wake(get_served->stream);
	if (put->stream)
		http_stream_wake(put->stream);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_int_equal(put->end, HTTP_ENDED);
	world_stop(&w);
}

static void who_has_nothing_is_not_asked(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 1 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 1);
	put->out_ready = 0;
	world_until(&w, get->responses && w.served_n == 2 && put->asked);
	world_settle(&w);
	assert_int_equal(w.served[0].asked + w.served[1].asked, 1);
	assert_int_equal(put->asked, 1);
	/* Awake without a byte: asked once more. */
	http_stream_wake(put->stream);
	world_settle(&w);
	assert_int_equal(put->asked, 2);
	world_stop(&w);
}

/* ---- back-pressure ----------------------------------------------------------------------- */

static void a_client_that_does_not_read_stops_the_server(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .is_wild = true });
	struct end *get = world_get(&w, "/");
	world_until(&w, get->in_len > 0);
	http_stream_read(get->stream, false);
	uint64_t came = get->in_len;
	world_until_still(&w);
	assert_int_equal(get->in_len, came);
	assert_true(w.served[0].out_len - came < 32 * MB); /* Sockets' buffers. */
	http_stream_read(get->stream, true);
	world_until(&w, get->in_len > came + 64 * MB);
	world_stop(&w);
}

static void a_server_that_does_not_read_stops_the_client(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *put = world_put(&w, "/", 0);
	put->is_wild = true;
	world_until(&w, w.served_n && w.served[0].in_len > 0);
	http_stream_read(w.served[0].stream, false);
	uint64_t came = w.served[0].in_len;
	world_until_still(&w);
	assert_int_equal(w.served[0].in_len, came);
	assert_true(put->out_len - came < 32 * MB);
	http_stream_read(w.served[0].stream, true);
	world_until(&w, w.served[0].in_len > came + 64 * MB);
	world_stop(&w);
}

static void reading_goes_on_and_off(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 8 * MB, .out_ready = 8 * MB });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 8 * MB);
	for (unsigned i = 0; !get->closings || !put->closings; i++) {
		if (get->stream)
			http_stream_read(get->stream, i % 3 == 0);
		for (unsigned k = 0; k < w.served_n; k++) {
			if (w.served[k].stream)
				http_stream_read(w.served[k].stream, i % 2 == 0);
		}
		world_turn(&w);
		assert_true(i < 1000000);
	}
	assert_int_equal(get->in_len, 8 * MB);
	assert_int_equal(w.served[0].in_len + w.served[1].in_len, 8 * MB);
	world_stop(&w);
}

/* ---- refused ----------------------------------------------------------------------------- */

static void a_refusal_is_told(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *get = world_get(&w, "/refuse");
	struct end *put = world_put(&w, "/refuse", 1000);
	struct end *silent = world_put(&w, "/refuse", 1000);
	silent->out_ready = 0;
	struct end *wild = world_put(&w, "/refuse", 0);
	wild->is_wild = true;
	world_until(&w,
		    get->closings && put->closings && silent->closings && wild->closings);
	for (unsigned i = 0; i < w.opened_n; i++) {
		assert_int_equal(w.opened[i].status, 403);
		assert_string_equal(w.opened[i].why, "a whim");
		assert_int_equal(w.opened[i].end, HTTP_FAILED);
		assert_int_equal(w.opened[i].in_len, 0);
		assert_non_null(strstr(w.opened[i].err.text, "answers 403"));
	}
	assert_int_equal(w.refused_n, 4);
	assert_int_equal(w.served_n, 0);
	world_stop(&w);
}

static void nobody_there(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 1);
	http_server_free(w.server);
	w.server = NULL;
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_FAILED);
	assert_int_equal(put->end, HTTP_FAILED);
	assert_non_null(strstr(get->err.text, "check that the server runs"));
	world_stop(&w);
}

static void no_such_url(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/", "http://",
					    "file:///etc/passwd", "nothing:" };
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct end *e = world_open(&w, urls[i], false, 0);
		world_until(&w, e->closings);
		assert_int_equal(e->end, HTTP_FAILED);
		assert_non_null(strstr(e->err.text, "write http://HOST"));
	}
	assert_int_equal(w.served_n, 0);
	world_stop(&w);
}

/* ---- broken off -------------------------------------------------------------------------- */

static void the_client_breaks_off(void **state)
{
	static const uint64_t at[] = { 1, 1000, 300000, 3 * MB };
	(void)state;
	world_start(&w, &(struct world_opts){ .is_wild = true });
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct end *get = world_get(&w, "/");
		struct end *put = world_put(&w, "/", 0);
		put->is_wild = true;
		get->abort_at = put->abort_at = at[i];
		world_until(&w, get->closings && put->closings);
		assert_int_equal(get->end, HTTP_ABORTED);
		assert_int_equal(put->end, HTTP_ABORTED);
	}
	world_skip(&w, 2000000000u);
	for (unsigned i = 0; i < w.served_n; i++) {
		world_until(&w, w.served[i].closings);
		assert_int_equal(w.served[i].end, HTTP_ABORTED);
	}
	world_stop(&w);
}

static void the_server_finds_out_that_a_silent_client_has_gone(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 9 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 9);
	put->out_ready = 0;
	world_until(&w, w.served_n == 2 && get->responses);
	http_stream_abort(get->stream);
	http_stream_abort(put->stream);
	world_until(&w, get->closings && put->closings);
	world_skip(&w, 2000000000u);
	world_until(&w, w.served[0].closings && w.served[1].closings);
	world_stop(&w);
}

static void the_client_breaks_off_before_anything(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	struct end *get = world_get(&w, "/");
	http_stream_abort(get->stream);
	http_stream_abort(get->stream);
	assert_int_equal(get->closings, 0);
	world_turn(&w);
	assert_int_equal(get->closings, 1);
	assert_int_equal(get->end, HTTP_ABORTED);
	/* After each turn of connecting. */
	for (unsigned turns = 1; turns < 8; turns++) {
		struct end *e = turns % 2 ? world_get(&w, "/") : world_put(&w, "/", 9);
		for (unsigned i = 0; i < turns; i++)
			world_turn(&w);
		if (e->stream)
			http_stream_abort(e->stream);
		world_until(&w, e->closings);
	}
	world_stop(&w);
}

static void the_server_breaks_off(void **state)
{
	static const uint64_t at[] = { 1, 1000, 300000, 3 * MB };
	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		world_start(&w, &(struct world_opts){ .is_wild = true,
						      .served_abort_at = at[i] });
		struct end *get = world_get(&w, "/");
		struct end *put = world_put(&w, "/", 0);
		put->is_wild = true;
		world_until(&w, get->closings && put->closings);
		assert_int_not_equal(get->end, HTTP_ENDED);
		assert_int_equal(put->end, HTTP_ABORTED);
		assert_int_equal(w.served[0].end, HTTP_ABORTED);
		assert_int_equal(w.served[1].end, HTTP_ABORTED);
		world_stop(&w);
	}
}

static void the_server_breaks_silent_streams_off(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 9 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 9);
	put->out_ready = 0;
	world_until(&w, w.served_n == 2 && get->responses);
	http_stream_abort(w.served[0].stream);
	http_stream_abort(w.served[1].stream);
	assert_int_equal(w.served[0].closings + w.served[1].closings, 0);
	world_until(&w, w.served[0].closings && w.served[1].closings);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_ABORTED);
	assert_int_equal(put->end, HTTP_ABORTED);
	world_stop(&w);
}

static void the_server_breaks_off_at_once(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .abort_in_request = true });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 10);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_FAILED);
	assert_int_not_equal(put->end, HTTP_ENDED);
	world_until(&w, w.served[0].closings && w.served[1].closings);
	world_stop(&w);
}

static void silence_ends_a_stream(void **state)
{
	const uint64_t minute = 60000000000ull;
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 9 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 9);
	put->out_ready = 0;
	world_until(&w, w.served_n == 2 && get->responses);
	world_skip(&w, 90 * minute);
	world_settle(&w);
	assert_int_equal(w.served[0].closings + w.served[1].closings, 0);
	world_skip(&w, 2 * minute);
	world_until(&w, w.served[0].closings && w.served[1].closings);
	assert_int_equal(w.served[0].end, HTTP_ABORTED);
	assert_int_equal(w.served[1].end, HTTP_ABORTED);
	world_until(&w, get->closings && put->closings);
	world_stop(&w);
}

/* ---- congestion control ------------------------------------------------------------------ */

static void a_congestion_control_can_be_chosen(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 9 * MB,
					      .out_ready = 9 * MB,
					      .server.terms.congestion = "reno",
					      .client.congestion = "reno" });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 9 * MB);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_ENDED);
	assert_int_equal(put->end, HTTP_ENDED);
	world_stop(&w);
}

static void a_congestion_control_that_is_none(void **state)
{
	struct weft_error err;
	struct http_server *server;
	struct http_client *client;
	(void)state;
	struct http_server_opts server_opts = { .terms.congestion = "warp" };
	server_opts.listen.in.sin_family = AF_INET;
	server_opts.listen.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(http_server_new(&server_opts, &err, &server), -ENOENT);
	assert_non_null(strstr(err.text, "no congestion control \"warp\", but "));
	assert_non_null(strstr(err.text, "reno"));
	const struct http_client_opts client_opts = { .congestion = "warp" };
	assert_int_equal(http_client_new(&client_opts, &err, &client), -ENOENT);
	assert_non_null(strstr(err.text, "no congestion control \"warp\", but "));
}

static int try_proxy(const char *url, struct weft_error *err)
{
	struct http_client *client = NULL;
	const int r =
		http_client_new(&(struct http_client_opts){ .proxy = url }, err, &client);
	http_client_free(client);
	return r;
}

static void proxies_of_each_kind(void **state)
{
	struct weft_error err;
	char url[32];
	(void)state;
	for (const char *const *scheme = proxy_schemes; *scheme; scheme++) {
		(void)snprintf(url, sizeof(url), "%s10.0.0.1:1", *scheme);
		assert_int_equal(try_proxy(url, &err), 0);
	}
	assert_int_equal(try_proxy("SOCKS5h://[::1]:1080", &err), 0);
	assert_int_equal(try_proxy("ftp://me:word@proxy", &err), -EINVAL);
	assert_non_null(strstr(err.text, "begins with http://, "));
	assert_null(strstr(err.text, "word"));
	assert_int_equal(try_proxy("proxy:3128", &err), -EINVAL);
}

/* ---- freed ------------------------------------------------------------------------------- */

static void one_is_freed_first(bool is_server)
{
	world_start(&w, &(struct world_opts){ .out_total = 5 });
	struct end *get = world_get(&w, "/");
	struct end *put = world_put(&w, "/", 5);
	put->out_ready = 0;
	world_until(&w, w.served_n == 2 && get->responses);
	if (is_server) {
		http_server_free(w.server);
		w.server = NULL;
		world_until(&w, get->closings && put->closings);
		assert_int_equal(get->end, HTTP_ENDED);
		assert_int_equal(put->end, HTTP_ABORTED);
	} else {
		http_client_free(w.client);
		w.client = NULL;
		assert_int_equal(get->closings + put->closings, 2);
		world_settle(&w);
	}
	world_stop(&w);
}

static void the_server_is_freed_first(void **state)
{
	(void)state;
	one_is_freed_first(true);
}

/* Either all that was put out comes, with a regular end, or both say that it was broken off. */
static void the_server_is_freed_while_a_client_does_not_read(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .is_wild = true });
	struct end *get = world_get(&w, "/");
	world_until(&w, get->in_len > 0);
	http_stream_read(get->stream, false);
	world_until_still(&w);
	http_server_free(w.server);
	w.server = NULL;
	assert_int_equal(w.served[0].closings, 1);
	http_stream_read(get->stream, true);
	world_until(&w, get->closings);
	assert_int_equal(get->end, w.served[0].end);
	assert_false(get->is_wrong);
	if (get->end == HTTP_ENDED)
		assert_int_equal(get->in_len, w.served[0].out_len);
	world_stop(&w);
}

static void the_client_is_freed_first(void **state)
{
	(void)state;
	one_is_freed_first(false);
}

static void the_client_is_freed_before_it_has_run(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ 0 });
	(void)world_get(&w, "/");
	(void)world_put(&w, "/", 5);
	world_stop(&w);
}

/* ---- many -------------------------------------------------------------------------------- */

static void two_hundred_streams(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 100000, .out_ready = 50000 });
	for (unsigned i = 0; i < 100; i++) {
		(void)world_get(&w, "/");
		(void)world_put(&w, "/", 100000);
	}
	world_until(&w, w.served_n == 200);
	for (unsigned i = 0; i < 200; i++) {
		if (w.served[i].stream)
			end_more(&w.served[i], 50000);
	}
	for (unsigned i = 0; i < 200; i++) {
		world_until(&w, w.opened[i].closings && w.served[i].closings);
		assert_int_equal(w.opened[i].end, HTTP_ENDED);
		assert_int_equal(w.opened[i].in_len + w.opened[i].out_len, 100000);
	}
	world_stop(&w);
}

static void one_more_than_allowed(void **state)
{
	(void)state;
	world_start(&w, &(struct world_opts){ .out_total = 5,
					      .server.conns_per_address_max = 3 });
	for (unsigned i = 0; i < 5; i++)
		(void)world_get(&w, "/");
	world_until(&w, w.served_n == 3);
	world_settle(&w);
	assert_int_equal(w.served_n, 3);
	unsigned refused = 0;
	for (unsigned i = 0; i < 5; i++)
		refused += w.opened[i].end == HTTP_FAILED;
	assert_int_equal(refused, 2);
	world_stop(&w);

	/* Of all: those who come later wait until one has gone. */
	world_start(&w, &(struct world_opts){ .out_total = 5, .server.conns_max = 3 });
	for (unsigned i = 0; i < 4; i++)
		(void)world_get(&w, "/");
	world_until(&w, w.served_n == 3);
	world_settle(&w);
	assert_int_equal(w.served_n, 3);
	http_stream_abort(w.served[0].stream);
	world_until(&w, w.served_n == 4);
	world_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_is_read_to_its_end),
		cmocka_unit_test(a_put_is_read_to_its_end),
		cmocka_unit_test(both_ways_at_once),
		cmocka_unit_test(a_put_is_answered_at_its_end),
		cmocka_unit_test(an_empty_body),
		cmocka_unit_test(the_head_comes_before_the_body),
		cmocka_unit_test(what_is_woken_goes_at_once),
		cmocka_unit_test(who_has_nothing_is_not_asked),
		cmocka_unit_test(a_client_that_does_not_read_stops_the_server),
		cmocka_unit_test(a_server_that_does_not_read_stops_the_client),
		cmocka_unit_test(reading_goes_on_and_off),
		cmocka_unit_test(a_refusal_is_told),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(no_such_url),
		cmocka_unit_test(the_client_breaks_off),
		cmocka_unit_test(the_server_finds_out_that_a_silent_client_has_gone),
		cmocka_unit_test(the_client_breaks_off_before_anything),
		cmocka_unit_test(the_server_breaks_off),
		cmocka_unit_test(the_server_breaks_silent_streams_off),
		cmocka_unit_test(the_server_breaks_off_at_once),
		cmocka_unit_test(silence_ends_a_stream),
		cmocka_unit_test(a_congestion_control_can_be_chosen),
		cmocka_unit_test(a_congestion_control_that_is_none),
		cmocka_unit_test(the_server_is_freed_first),
		cmocka_unit_test(the_server_is_freed_while_a_client_does_not_read),
		cmocka_unit_test(the_client_is_freed_first),
		cmocka_unit_test(the_client_is_freed_before_it_has_run),
		cmocka_unit_test(proxies_of_each_kind),
		cmocka_unit_test(two_hundred_streams),
		cmocka_unit_test(one_more_than_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
