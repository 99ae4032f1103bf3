/* SPDX-License-Identifier: MIT */
/*
 * A preferred family of addresses that leads nowhere. "localhost" has an address of each, and
 * nobody listens at the one of IPv6; libcurl knows both without asking anybody.
 */
#include "http/world.h"

#include <stdio.h>
#include <string.h>

#define MB (1024ull * 1024)

static struct world w;

static const char *localhost(void)
{
	static char url[64];
	union weft_sockaddr addr = http_server_addr(w.server);
	(void)snprintf(url, sizeof(url), "http://localhost:%u/",
		       weft_sockaddr_port(&addr));
	return url;
}

static void start(unsigned first_family)
{
	world_start(&w, &(struct world_opts){ .client.first_family = first_family,
					      .out_total = MB,
					      .out_ready = MB });
}

static void assert_ended(const struct end *end)
{
	assert_int_equal(end->responses, 1);
	assert_int_equal(end->status, 200);
	assert_int_equal(end->end, HTTP_ENDED);
	assert_string_equal(end->err.text, "");
}

static void the_other_one_is_tried(void **state)
{
	(void)state;
	start(AF_INET6);
	const struct end *get = world_open(&w, localhost(), false, 0);
	const struct end *put = world_open(&w, localhost(), true, MB);
	world_until(&w, get->closings && put->closings);
	assert_ended(get);
	assert_ended(put);
	assert_int_equal(get->in_len, MB);
	assert_int_equal(w.served_n, 2);
	/* And is at once, from then on. */
	const struct end *again = world_open(&w, localhost(), false, 0);
	world_until(&w, again->closings);
	assert_ended(again);
	world_stop(&w);
}

static void the_preferred_one_does(void **state)
{
	(void)state;
	start(AF_INET);
	const struct end *get = world_open(&w, localhost(), false, 0);
	world_until(&w, get->closings);
	assert_ended(get);
	assert_int_equal(w.served_n, 1);
	world_stop(&w);
}

/* Whoever has answered was reached: it is not asked twice. */
static void a_refusal_is_an_answer(void **state)
{
	char url[80];
	(void)state;
	start(AF_INET);
	(void)snprintf(url, sizeof(url), "%srefuse", localhost());
	const struct end *get = world_open(&w, url, false, 0);
	world_until(&w, get->closings);
	assert_int_equal(get->end, HTTP_FAILED);
	assert_int_equal(get->status, 403);
	assert_int_equal(w.refused_n, 1);
	world_stop(&w);
}

static void where_neither_leads_there_it_fails_once(void **state)
{
	char url[64];
	(void)state;
	start(AF_INET6);
	(void)snprintf(url, sizeof(url), "%s", localhost());
	http_server_free(w.server);
	w.server = NULL;
	const struct end *get = world_open(&w, url, false, 0);
	const struct end *put = world_open(&w, url, true, MB);
	world_until(&w, get->closings && put->closings);
	assert_int_equal(get->end, HTTP_FAILED);
	assert_int_equal(put->end, HTTP_FAILED);
	assert_non_null(strstr(get->err.text, "check that the server runs"));
	world_stop(&w);
}

/* After each number of turns: before it begins, between its attempts, behind them. */
static void it_can_be_broken_off_at_any_time(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 12; turns++) {
		start(AF_INET6);
		struct end *aborted = world_open(&w, localhost(), false, 0);
		(void)world_open(&w, localhost(), true, MB); /* freed under way */
		for (unsigned i = 0; i < turns; i++)
			world_turn(&w);
		if (aborted->stream)
			http_stream_abort(aborted->stream);
		world_until(&w, aborted->closings);
		world_stop(&w);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_other_one_is_tried),
		cmocka_unit_test(the_preferred_one_does),
		cmocka_unit_test(a_refusal_is_an_answer),
		cmocka_unit_test(where_neither_leads_there_it_fails_once),
		cmocka_unit_test(it_can_be_broken_off_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
