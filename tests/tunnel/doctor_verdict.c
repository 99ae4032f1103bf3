/* SPDX-License-Identifier: MIT */
/*
 * From facts to findings, without a network: each fact that is spoilt gives its finding, with
 * the lines for the right proxy, and nothing else.
 */
#include "tunnel/doctor_verdict.h"

#include "../unit.h"
#include "tunnel/doctor_trial.h"

#include <stdio.h>
#include <string.h>

#define S 1000000000ull

/* What was found last, and how much. */
static struct weft_doctor_finding found[16];
static size_t found_n;

static void on_finding(void *user, const struct weft_doctor_finding *finding)
{
	(void)user;
	assert_in_range(found_n, 0, 15);
	found[found_n++] = *finding;
}

static bool judge(const struct doctor_facts *facts)
{
	found_n = 0;
	return doctor_judge(facts, on_finding, NULL);
}

/* A way on which nothing is wrong. */
static struct doctor_facts good(enum doctor_proxy proxy)
{
	return (struct doctor_facts){
		.summary = { .version = 11, .version_up = 11, .has_http2 = true },
		.proxy = proxy,
		.reach = DOCTOR_REACHED,
		.is_tls = true,
		.has_forwarded = true,
		.head_status = 200,
		.down = { .is_tried = true, .status = 200 },
		.up = { .is_tried = true, .status = 200 },
		.down_silent = { .is_tried = true },
		.up_silent = { .is_tried = true },
	};
}

static void expect(const struct doctor_facts *facts, const char *id, const char *line)
{
	bool is_fit = judge(facts);
	assert_int_equal(found_n, 1);
	assert_string_equal(found[0].id, id);
	assert_int_equal(is_fit, found[0].severity != WEFT_DOCTOR_ERROR);
	if (line)
		assert_string_equal(found[0].lines[0].text, line);
	else
		assert_int_equal(found[0].lines_n, 0);
}

static void nothing_is_found_where_nothing_is_wrong(void **state)
{
	(void)state;
	for (unsigned proxy = 0; proxy <= DOCTOR_NO_PROXY; proxy++) {
		const struct doctor_facts facts = good((enum doctor_proxy)proxy);
		assert_true(judge(&facts));
		assert_int_equal(found_n, 0);
	}
}

static void bytes_that_are_held(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_NGINX);
	facts.down.held_ms = 1500;
	assert_true(judge(&facts));
	facts.down.held_ms = 1501;
	expect(&facts, "response-buffered", "proxy_buffering off;");
	facts = good(DOCTOR_APACHE);
	facts.up2 = (struct doctor_way){ .is_tried = true, .held_ms = 3000 };
	expect(&facts, "request-buffered", "SetEnv proxy-sendchunked 1");
	assert_non_null(strstr(found[0].text, "over HTTP/2"));
}

/* A machine that is busy keeps small requests as long as pieces; a proxy that buffers does not. */
static void bytes_that_are_as_late_as_requests(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_NGINX);
	assert_false(doctor_is_unclear(&facts));
	facts.up.held_ms = 1500;
	facts.late_ms = 5000;
	assert_false(doctor_is_unclear(&facts));
	facts.up.held_ms = 2900;
	facts.late_ms = 700;
	assert_true(doctor_is_unclear(&facts));
	assert_true(judge(&facts));
	expect(&facts, "busy", NULL);
	assert_non_null(strstr(found[0].text, "0.7 s"));
	facts.late_ms = 699;
	assert_false(doctor_is_unclear(&facts));
	expect(&facts, "request-buffered", "proxy_request_buffering off;");
	facts.up.held_ms = 0;
	facts.down2 = (struct doctor_way){ .is_tried = true, .held_ms = 3000 };
	expect(&facts, "response-buffered", "proxy_buffering off;");
	facts.late_ms = 2000;
	expect(&facts, "busy", NULL);
	facts.reach = DOCTOR_NO_BACKEND;
	assert_false(doctor_is_unclear(&facts));
}

static void http10_explains_held_uploads(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_NGINX);
	facts.summary.version_up = 10;
	facts.up.held_ms = 3000;
	expect(&facts, "http10", "proxy_http_version 1.1;");
}

static void streams_that_are_cut(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_HAPROXY);
	facts.down_silent.is_cut = true;
	facts.down_silent.cut_ns = 3 * S;
	expect(&facts, "response-timeout", "timeout server 95m");
	assert_non_null(strstr(found[0].text, "3.0 s"));
	facts = good(DOCTOR_APACHE);
	facts.up_silent = (struct doctor_patience){ .is_cut = true, .status = 408 };
	expect(&facts, "request-timeout",
	       "RequestReadTimeout header=20-40,MinRate=500 body=0");
	assert_non_null(strstr(found[0].text, "(408)"));
	facts = good(DOCTOR_CADDY);
	facts.up_long.is_cut = true;
	judge(&facts);
	assert_string_equal(found[0].id, "request-length");
	facts = good(DOCTOR_NGINX);
	facts.down_long.is_cut = true;
	expect(&facts, "response-length", "proxy_read_timeout 95m;");
}

static void sizes(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_NGINX);
	facts.is_body_cut = true;
	facts.body_len = 1048576;
	facts.body_status = 413;
	expect(&facts, "body-limit", "client_max_body_size 0;");
	assert_non_null(strstr(found[0].text, "1.0 MiB (413)"));
	facts = good(DOCTOR_NGINX);
	facts.head_status = 502;
	expect(&facts, "head-limit", "proxy_buffer_size 64k;");
	facts.head_status = 200;
	facts.is_head_cut = true;
	expect(&facts, "head-limit", "proxy_buffer_size 64k;");
}

static void a_refused_put_is_told_once(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_APACHE);
	facts.up.is_refused = facts.up.is_cut = true;
	facts.up.status = 405;
	facts.up_silent.is_cut = facts.is_body_cut = true;
	expect(&facts, "put-refused", "Require all granted");
}

static void what_is_said_for_knowledge_only(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_NGINX);
	facts.summary.has_http2 = false;
	expect(&facts, "no-http2", "listen 443 ssl http2; (1.25 and newer: http2 on;)");
	facts = good(DOCTOR_HAPROXY);
	facts.has_forwarded = false;
	expect(&facts, "no-forwarded-for",
	       "http-request set-header X-Forwarded-For %[src]");
	facts = good(DOCTOR_NO_PROXY);
	facts.has_forwarded = facts.summary.has_http2 = facts.is_tls = false;
	assert_true(judge(&facts));
	assert_int_equal(found_n, 0);
	facts.summary.rtt_ns = S;
	expect(&facts, "slow", NULL);
}

static void where_no_server_is_reached(void **state)
{
	static const struct {
		enum doctor_reach reach;
		const char *id, *line;
	} cases[] = {
		{ DOCTOR_NO_ANSWER, "unreachable", NULL },
		{ DOCTOR_REDIRECTED, "redirect", NULL },
		{ DOCTOR_WRONG_TOKEN, "token", NULL },
		{ DOCTOR_BARRED, "barred", "Require all granted" },
		{ DOCTOR_NO_BACKEND, "no-backend",
		  "ProxyPass /tunnel/ http://127.0.0.1:8080/tunnel/ flushpackets=on" },
		{ DOCTOR_ELSEWHERE, "elsewhere", "<Location /tunnel/>" },
		{ DOCTOR_OLD_SERVER, "old-server", NULL },
		{ DOCTOR_FULL, "full", NULL },
		{ DOCTOR_GONE, "gone", NULL },
		{ DOCTOR_RESTARTED, "restarted", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct doctor_facts facts = { .proxy = DOCTOR_APACHE,
					      .reach = cases[i].reach,
					      .failure = "nobody is there" };
		expect(&facts, cases[i].id, cases[i].line);
	}
}

static void another_proxy_gets_the_lines_of_all(void **state)
{
	(void)state;
	struct doctor_facts facts = good(DOCTOR_OTHER);
	bool has[DOCTOR_KNOWN] = { false };
	facts.down.held_ms = 3000;
	judge(&facts);
	for (size_t i = 0; i < found[0].lines_n; i++)
		for (unsigned proxy = 0; proxy < DOCTOR_KNOWN; proxy++)
			has[proxy] |=
				strcmp(found[0].lines[i].proxy,
				       doctor_proxy_name((enum doctor_proxy)proxy)) == 0;
	for (unsigned proxy = 0; proxy < DOCTOR_KNOWN; proxy++)
		assert_true(has[proxy]);
}

/* ---- delays ------------------------------------------------------------------------------ */

static const struct trial_pieces pieces = { .count = 4, .size = 2, .gap_ms = 250 };

static void a_path_that_holds_nothing(void **state)
{
	struct trial_delays delays = { .is_begun = false };
	(void)state;
	for (unsigned i = 0; i < pieces.count; i++)
		trial_delays_note(&delays, &pieces, 2 * i, 2 * i + 2, 70 + 250 * i);
	assert_int_equal(trial_delays_held_ms(&delays), 0);
}

static void a_path_that_holds_all_until_the_end(void **state)
{
	struct trial_delays delays = { .is_begun = false };
	(void)state;
	trial_delays_note(&delays, &pieces, 0, 8, 800);
	assert_int_equal(trial_delays_held_ms(&delays), 750);
}

static void a_path_that_holds_one_piece(void **state)
{
	struct trial_delays delays = { .is_begun = false };
	(void)state;
	trial_delays_note(&delays, &pieces, 0, 2, 10);
	trial_delays_note(&delays, &pieces, 2, 6, 510);
	trial_delays_note(&delays, &pieces, 6, 8, 760);
	assert_int_equal(trial_delays_held_ms(&delays), 250);
}

static void no_bytes_no_delay(void **state)
{
	struct trial_delays delays = { .is_begun = false };
	(void)state;
	trial_delays_note(&delays, &pieces, 4, 4, 10000);
	trial_delays_note(&delays, &(struct trial_pieces){ .size = 0 }, 0, 4, 10000);
	assert_int_equal(trial_delays_held_ms(&delays), 0);
}

static void bytes_that_nobody_has_sent(void **state)
{
	struct trial_delays delays = { .is_begun = false };
	(void)state;
	trial_delays_note(&delays, &pieces, 0, 2, 10);
	trial_delays_note(&delays, &pieces, 2, 1000000, 760);
	trial_delays_note(&delays, &pieces, 8, 10, 5000);
	assert_int_equal(trial_delays_held_ms(&delays), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_where_nothing_is_wrong),
		cmocka_unit_test(bytes_that_are_held),
		cmocka_unit_test(bytes_that_are_as_late_as_requests),
		cmocka_unit_test(http10_explains_held_uploads),
		cmocka_unit_test(streams_that_are_cut),
		cmocka_unit_test(sizes),
		cmocka_unit_test(a_refused_put_is_told_once),
		cmocka_unit_test(what_is_said_for_knowledge_only),
		cmocka_unit_test(where_no_server_is_reached),
		cmocka_unit_test(another_proxy_gets_the_lines_of_all),
		cmocka_unit_test(a_path_that_holds_nothing),
		cmocka_unit_test(a_path_that_holds_all_until_the_end),
		cmocka_unit_test(a_path_that_holds_one_piece),
		cmocka_unit_test(no_bytes_no_delay),
		cmocka_unit_test(bytes_that_nobody_has_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
