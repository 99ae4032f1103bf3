/* SPDX-License-Identifier: MIT */
/*
 * Questions and their answers, word by word: what a person reads who wants to know why a
 * packet does not arrive.
 */
#include "../unit.h"
#include "site.h"

#include <weft/tunnel.h>

#include <errno.h>
#include <string.h>

static struct site site;
static char answer[4096];

static void note(void *user, const char *line)
{
	(void)user;
	assert_true(strlen(answer) + strlen(line) + 2 < sizeof(answer));
	strcat(answer, line);
	strcat(answer, "\n");
}

static int ask(const struct weft_tunnel_question *q, struct weft_error *err)
{
	const struct weft_tunnel_config config = { .interfaces = &site.conf,
						   .interfaces_n = 1 };
	answer[0] = '\0';
	return weft_tunnel_explain(&config, q, note, NULL, err);
}

#define ASK(from, ...)                                                                 \
	ask(&(const struct weft_tunnel_question){ .src = (from), .dst = __VA_ARGS__ }, \
	    NULL)

static void begin(void)
{
	site_init(&site, "10.0.0.1/24 fd00::1/64 192.168.0.0/24");
	site_client(&site, "berlin", "office", "10.0.0.2 fd00::2 192.168.1.0/24", "");
	site_client(&site, "shop", "", "10.0.0.3 fd00::3", "10.9.0.0/16");
	site_client(&site, "gate-a", "gate", "10.0.0.4", "");
	site_client(&site, "gate-b", "gate", "10.0.0.5", "");
}

static void without_rules_all_passes(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ASK("shop", "192.168.1.9"), 1);
	assert_string_equal(answer,
			    "tun0: a packet from 10.0.0.3 to 192.168.1.9\n"
			    "comes in from client \"shop\"\n"
			    "goes to client \"berlin\", which has 192.168.1.0/24\n"
			    "passes: there are no rules (\"acl\")\n");
	assert_int_equal(ASK("10.9.0.1", "198.51.100.1"), 1);
	assert_string_equal(
		answer, "tun0: a packet from 10.9.0.1 to 198.51.100.1\n"
			"comes in from the server's side, tun0\n"
			"goes to client \"shop\", whose \"sources\" have 10.9.0.0/16\n"
			"passes: there are no rules (\"acl\")\n");
	assert_int_equal(ASK("fd00::3", "2600::1"), 1);
	assert_non_null(strstr(answer, "\ngoes to the server's side, tun0, because no "
				       "client has the destination\n"));
	assert_int_equal(ASK("198.51.100.1", "198.51.100.2"), 0);
	assert_non_null(strstr(answer,
			       "\nis dropped (drop-no-route): it comes from tun0, "
			       "and no client has the destination\n"));
	assert_int_equal(ASK("berlin", "ff02::1"), 0);
	assert_non_null(strstr(answer, "\nis dropped (drop-scope): "));
}

static void rules_are_told_with_their_line(void **state)
{
	(void)state;
	begin();
	site_rule(&site, "office", "shop", IPPROTO_TCP, "80 8000-8100");
	site_rule(&site, "office", WEFT_TUNNEL_SELF, 0, "");
	assert_int_equal(ASK("berlin", "shop", .protocol = IPPROTO_TCP, .port = 8001), 1);
	assert_string_equal(answer, "tun0: TCP from 10.0.0.2 to 10.0.0.3, port 8001\n"
				    "comes in from client \"berlin\"\n"
				    "goes to client \"shop\", which has 10.0.0.3\n"
				    "passes: the rule in line 1 allows it\n");
	assert_int_equal(ASK("berlin", "shop"), 1);
	assert_non_null(strstr(answer,
			       "\npasses if it is what the rule in line 1 allows: "
			       "TCP to port 80, 8000-8100\n"));
	assert_int_equal(ASK("berlin", "shop", .protocol = IPPROTO_TCP, .port = 81), 0);
	assert_non_null(
		strstr(answer, "\nis dropped (drop-denied): no rule allows it\n"));
	assert_int_equal(ASK("berlin", "shop", .protocol = IPPROTO_ICMP), 0);
	assert_int_equal(ASK("shop", "berlin"), 0);
	assert_non_null(strstr(answer, "\ngoes to client \"berlin\", which has 10.0.0.2\n"
				       "is dropped (drop-denied): no rule allows it\n"));
	assert_int_equal(ASK("fd00::2", WEFT_TUNNEL_SELF), 1);
	assert_non_null(strstr(answer, "from fd00::2 to fd00::1\n"));
	assert_non_null(strstr(answer, "\npasses: the rule in line 2 allows it\n"));
}

static void exits_are_told_with_all_ways(void **state)
{
	(void)state;
	begin();
	site_exit(&site, "berlin", "gate-*", true);
	site_exit(&site, "shop", "gate", false);
	site_exit(&site, "192.168.0.0/24", "nobody", false);
	assert_int_equal(ASK("berlin", "198.51.100.1"), 1);
	assert_string_equal(answer,
			    "tun0: a packet from 10.0.0.2 to 198.51.100.1\n"
			    "comes in from client \"berlin\"\n"
			    "goes to one of the exits of line 101, each flow to its own: "
			    "\"gate-a\", \"gate-b\"\n"
			    "passes: there are no rules (\"acl\")\n");
	assert_int_equal(ASK("shop", "198.51.100.1"), 1);
	assert_non_null(strstr(answer,
			       "\ngoes to the exit of line 102 that is the best at "
			       "the time, of: \"gate-a\", \"gate-b\"\n"));
	assert_int_equal(ASK("192.168.0.7", "198.51.100.1"), 0);
	assert_non_null(strstr(answer,
			       "\nis dropped (drop-no-link): there is no client in "
			       "\"via\" of the exit in line 103\n"));
	assert_int_equal(ASK("berlin", "192.168.0.7"), 1);
	assert_non_null(strstr(answer, "\ngoes to the server's side, tun0, because "
				       "192.168.0.0/24 is never sent out by a client\n"));
	assert_int_equal(ASK("gate-a", "198.51.100.1"), 1);
	assert_non_null(strstr(answer, "\ngoes to the server's side, tun0, because no "));
}

static void assert_refused(const struct weft_tunnel_question *q, int code,
			   const char *text)
{
	struct weft_error err = { .text = "" };
	assert_int_equal(ask(q, &err), code);
	assert_string_equal(err.text, text);
	assert_string_equal(answer, "");
}

#define assert_nonsense(code, text, from, ...)                                     \
	assert_refused(&(const struct weft_tunnel_question){ .src = (from),        \
							     .dst = __VA_ARGS__ }, \
		       code, text)

static void nonsense_is_refused(void **state)
{
	(void)state;
	begin();
	assert_nonsense(-EINVAL, "10.0.0.0/24 is a network; ask about one address in it",
			"10.0.0.0/24", "shop");
	assert_nonsense(-ENOENT,
			"Shop is no address, and no client of tun0 has that name",
			"berlin", "Shop");
	assert_nonsense(-EINVAL,
			"10.0.0.2 and fd00::3 are of different families, so no packet "
			"goes from one to the other",
			"10.0.0.2", "fd00::3");
	assert_nonsense(-EINVAL, "gate-a has no address that fits the other end",
			"fd00::3", "gate-a");
	assert_nonsense(-ENOENT, "there is no server tun9 in the configuration", "berlin",
			"shop", .interface = "tun9");
	site.conf.mode = WEFT_TUNNEL_ETHERNET;
	assert_nonsense(
		-EINVAL,
		"tun0 carries Ethernet: it goes by MAC addresses and has no rules",
		"berlin", "shop");
	site.conf.is_server = false;
	assert_nonsense(-ENOENT, "there is no server in the configuration", "berlin",
			"shop");
}

static void the_server_that_knows_an_end_is_asked(void **state)
{
	(void)state;
	begin();
	struct weft_tunnel_interface both[3] = { { .name = "far" },
						 { .name = "tun9", .is_server = true },
						 site.conf };
	const struct weft_tunnel_config config = { .interfaces = both,
						   .interfaces_n = 3 };
	const struct weft_tunnel_question known = { .src = "198.51.100.1",
						    .dst = "192.168.1.1" };
	const struct weft_tunnel_question other = { .src = "198.51.100.1",
						    .dst = "198.51.100.2" };
	answer[0] = '\0';
	assert_int_equal(weft_tunnel_explain(&config, &known, note, NULL, NULL), 1);
	assert_memory_equal(answer, "tun0:", 5);
	answer[0] = '\0';
	assert_int_equal(weft_tunnel_explain(&config, &other, note, NULL, NULL), 0);
	assert_memory_equal(answer, "tun9:", 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_all_passes),
		cmocka_unit_test(rules_are_told_with_their_line),
		cmocka_unit_test(exits_are_told_with_all_ways),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(the_server_that_knows_an_end_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
