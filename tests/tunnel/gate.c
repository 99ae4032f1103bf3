/* SPDX-License-Identifier: MIT */
/*
 * Who is known, who is not, and what a slow hash may cost. Its parameters are the least there
 * are here, so that no test waits.
 */
#include "tunnel/gate.h"

#include "../unit.h"
#include "fake_http.h"
#include "packets.h"
#include "tunnel/verifier.h"

#include <weft/loop.h>

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define START (100 * S)

static const uint8_t secret[16] = { 1 };
static char sha1_of_test[] = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3";

struct world {
	struct weft_loop *loop;
	struct gate *gate;
	char slow[crypto_pwhash_STRBYTES];
	struct weft_tunnel_client clients[2];
	struct weft_tunnel_interface conf;
	struct weft_ip from;
	size_t client; /* that was found last */
};

static void hash_slowly(struct world *w, const char *token)
{
	assert_int_equal(crypto_pwhash_str(w->slow, token, strlen(token),
					   crypto_pwhash_OPSLIMIT_MIN,
					   crypto_pwhash_MEMLIMIT_MIN),
			 0);
}

static void on_ready(void *user)
{
	struct world *w = user;
	weft_loop_stop(w->loop);
}

static int setup(void **state)
{
	static struct world world;
	struct world *w = &world;
	*w = (struct world){ .gate = NULL };
	assert_true(sodium_init() >= 0);
	assert_int_equal(weft_loop_new(NULL, &w->loop), 0);
	const struct gate_opts opts = {
		.secret = secret, .loop = w->loop, .ready = on_ready, .user = w
	};
	assert_int_equal(gate_new(&opts, &w->gate), 0);
	hash_slowly(w, "slow");
	w->clients[0].token = w->slow;
	w->clients[1].token = sha1_of_test;
	w->conf.clients = w->clients;
	w->conf.clients_n = 2;
	assert_int_equal(weft_ip_parse("192.0.2.1", &w->from), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	gate_free(w->gate);
	weft_loop_free(w->loop);
	return 0;
}

static enum gate_verdict ask_once(struct world *w, const char *token, uint64_t now)
{
	w->client = 77;
	return gate_ask(w->gate, &w->conf, token, &w->from, now, &w->client);
}

/* Asks until it is known; nothing waits but for the thread. */
static enum gate_verdict ask(struct world *w, const char *token, uint64_t now)
{
	enum gate_verdict verdict;
	while ((verdict = ask_once(w, token, now)) == GATE_LATER)
		weft_loop_run(w->loop);
	return verdict;
}

/* Another address each time, so that none is silenced. */
static enum gate_verdict ask_as_another(struct world *w, const char *token, uint64_t now)
{
	w->from.octet[3]++;
	return ask(w, token, now);
}

static void each_client_has_its_token(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask(w, "test", START), GATE_KNOWN);
	assert_int_equal(w->client, 1);
	assert_int_equal(ask(w, "slow", START), GATE_KNOWN);
	assert_int_equal(w->client, 0);
	assert_int_equal(ask(w, "Slow", START), GATE_WRONG);
	assert_int_equal(ask(w, "", START), GATE_WRONG);
	assert_int_equal(ask(w, NULL, START), GATE_WRONG);
	assert_int_equal(w->client, 77);
}

static void a_hash_is_no_token(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask(w, sha1_of_test, START), GATE_WRONG);
	assert_int_equal(ask(w, w->slow, START), GATE_WRONG);
}

static void wrong_ones_silence_their_address(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(ask(w, "guess", START), GATE_WRONG);
	assert_int_equal(ask(w, "test", START), GATE_SILENT);
	assert_int_equal(ask_as_another(w, "test", START), GATE_KNOWN);
	w->from.octet[3]--;
	assert_int_equal(ask(w, "test", START + S), GATE_KNOWN);
}

static void spend_all(struct world *w)
{
	char token[16];
	for (unsigned i = 0; i < GATE_BURST; i++) {
		(void)snprintf(token, sizeof(token), "guess %u", i);
		assert_int_equal(ask_as_another(w, token, START), GATE_WRONG);
	}
}

static void new_tokens_wait_for_slow_hashes(void **state)
{
	struct world *w = *state;
	spend_all(w);
	assert_int_equal(ask_as_another(w, "one more", START), GATE_BUSY);
	assert_int_equal(ask_as_another(w, "slow", START), GATE_BUSY);
	assert_int_equal(ask_as_another(w, "slow", START + S - 1), GATE_BUSY);
	assert_int_equal(ask_as_another(w, "slow", START + S), GATE_KNOWN);
	assert_int_equal(ask_as_another(w, "one more", START + S), GATE_BUSY);
	assert_int_equal(ask_as_another(w, "one more", START + 2 * S), GATE_WRONG);
}

static void known_ones_do_not_wait(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask_as_another(w, "slow", START - 60 * S), GATE_KNOWN);
	spend_all(w);
	assert_int_equal(ask_as_another(w, "test", START), GATE_KNOWN);
	assert_int_equal(ask_as_another(w, "slow", START), GATE_KNOWN);
	assert_int_equal(w->client, 0);
	assert_int_equal(ask_as_another(w, "guess 0", START), GATE_WRONG);
}

static void nothing_is_limited_without_slow_hashes(void **state)
{
	struct world *w = *state;
	w->clients[0].token = sha1_of_test;
	spend_all(w);
	assert_int_equal(ask_as_another(w, "one more", START), GATE_WRONG);
}

static void another_hash_ends_what_was_known(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask(w, "slow", START), GATE_KNOWN);
	hash_slowly(w, "new");
	gate_forget_wrong(w->gate);
	assert_int_equal(ask(w, "slow", START), GATE_WRONG);
	assert_int_equal(ask(w, "new", START), GATE_KNOWN);
}

static void what_was_wrong_may_become_right(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask(w, "new", START), GATE_WRONG);
	hash_slowly(w, "new");
	gate_forget_wrong(w->gate);
	assert_int_equal(ask(w, "new", START), GATE_KNOWN);
}

static void the_oldest_gives_way(void **state)
{
	struct world *w = *state;
	char token[16];
	assert_int_equal(ask(w, "slow", START), GATE_KNOWN);
	for (unsigned i = 0; i <= GATE_MEMORY; i++) {
		(void)snprintf(token, sizeof(token), "guess %u", i);
		assert_int_equal(ask_as_another(w, token, START + i * S), GATE_WRONG);
	}
	uint64_t now = START + S * 2 * GATE_MEMORY;
	for (unsigned i = 0; i < GATE_BURST; i++) {
		(void)snprintf(token, sizeof(token), "late %u", i);
		assert_int_equal(ask_as_another(w, token, now), GATE_WRONG);
	}
	assert_int_equal(ask_as_another(w, "guess 100", now), GATE_WRONG);
	assert_int_equal(ask_as_another(w, "guess 0", now), GATE_BUSY);
	assert_int_equal(ask_as_another(w, "slow", now), GATE_KNOWN);
}

/* ---- while tokens are tried -------------------------------------------------------------- */

/* The same token is tried once, however many show it, and others do not wait for it. */
static void nobody_waits_for_a_token_that_is_tried(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask_once(w, "slow", START), GATE_LATER);
	assert_int_equal(ask_once(w, "slow", START), GATE_LATER);
	assert_int_equal(ask_once(w, "test", START), GATE_KNOWN);
	assert_int_equal(w->client, 1);
	weft_loop_run(w->loop);
	assert_int_equal(ask_once(w, "slow", START), GATE_KNOWN);
	assert_int_equal(w->client, 0);
	for (unsigned i = 0; i < GATE_BURST - 1; i++)
		assert_int_not_equal(
			ask_once(w, (char[]){ (char)('a' + i), '\0' }, START), GATE_BUSY);
	assert_int_equal(ask_once(w, "one more", START), GATE_BUSY);
}

/* Each of them counts for its address, though all were shown before one was known. */
static void many_at_once_silence_their_address_as_well(void **state)
{
	struct world *w = *state;
	char token[2] = "a";
	for (; token[0] < 'a' + (int)GATE_BURST; token[0]++)
		assert_int_equal(ask_once(w, token, START), GATE_LATER);
	for (token[0] = 'a'; token[0] < 'a' + (int)GATE_BURST; token[0]++)
		assert_int_equal(ask(w, token, START), GATE_WRONG);
	assert_int_equal(ask(w, "a", START), GATE_WRONG);
	assert_int_equal(ask_once(w, "test", START), GATE_SILENT);
}

static void only_so_many_wait_to_be_tried(void **state)
{
	struct world *w = *state;
	struct verifier *v;
	uint8_t id[VERIFIER_ID_LEN] = { 0 };
	assert_int_equal(verifier_new(w->loop, NULL, NULL, &v), 0);
	for (; id[0] <= VERIFIER_QUEUE_MAX; id[0]++)
		assert_int_equal(verifier_try(v, id, "guess", &w->conf), 0);
	assert_int_equal(verifier_try(v, id, "guess", &w->conf), -EBUSY);
	assert_false(verifier_has(v, id));
	id[0]--;
	assert_true(verifier_has(v, id));
	verifier_free(v);
}

/* What is found to be wrong after the hash has become another one says nothing. */
static void a_configuration_may_change_while_a_token_is_tried(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask_once(w, "new", START), GATE_LATER);
	hash_slowly(w, "new");
	gate_forget_wrong(w->gate);
	assert_int_equal(ask(w, "new", START), GATE_KNOWN);
	assert_int_equal(ask_once(w, "newer", START), GATE_LATER);
	w->conf.clients_n = 0; /* and may be gone */
	weft_loop_run(w->loop);
	assert_int_equal(ask(w, "newer", START), GATE_WRONG);
}

#define gate_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* What stands in the header is anybody's word, but for that of a proxy on this machine. */
static void only_a_proxy_here_says_who_comes(void **state)
{
	static const struct {
		const char *peer, *forwarded_for, *expected;
	} rows[] = {
		{ "127.0.0.1:7", "203.0.113.9, 198.51.100.1", "198.51.100.1" },
		{ "127.9.9.9:7", "2001:db8::1", "2001:db8::1" },
		{ "[::1]:7", "198.51.100.1", "198.51.100.1" },
		{ "127.0.0.1:7", NULL, "127.0.0.1" },
		{ "127.0.0.1:7", "198.51.100.1, unknown", "127.0.0.1" },
		{ "192.0.2.7:7", "198.51.100.1", "192.0.2.7" },
		{ "[2001:db8::7]:7", "198.51.100.1", "2001:db8::7" },
		{ "[7f00::1]:7", "198.51.100.1", "7f00::1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_stream stream = { .forwarded_for = rows[i].forwarded_for };
		char text[WEFT_IP_TEXT];
		assert_int_equal(weft_listen_parse(rows[i].peer, &stream.peer), 0);
		const struct weft_ip from = gate_address(&stream);
		assert_string_equal(weft_ip_print(&from, text), rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		gate_test(each_client_has_its_token),
		gate_test(a_hash_is_no_token),
		gate_test(wrong_ones_silence_their_address),
		gate_test(new_tokens_wait_for_slow_hashes),
		gate_test(known_ones_do_not_wait),
		gate_test(nothing_is_limited_without_slow_hashes),
		gate_test(another_hash_ends_what_was_known),
		gate_test(what_was_wrong_may_become_right),
		gate_test(the_oldest_gives_way),
		gate_test(nobody_waits_for_a_token_that_is_tried),
		gate_test(many_at_once_silence_their_address_as_well),
		gate_test(only_so_many_wait_to_be_tried),
		gate_test(a_configuration_may_change_while_a_token_is_tried),
		gate_test(only_a_proxy_here_says_who_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
