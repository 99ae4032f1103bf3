/* SPDX-License-Identifier: MIT */
/*
 * Where the peer's address comes from when nobody has given one: DHCP, on the Ethernet, while
 * the peer waits for IPCP. The server is played by the test.
 */
#include "../unit.h"
#include "dialler.h"

#include <string.h>

static struct dialler line;

static int start(void **state)
{
	(void)state;
	dialler_start(&line, (struct ppp_opts){ .hostname = "gamecube" });
	return 0;
}

static int stop(void **state)
{
	(void)state;
	dialler_stop(&line);
	return 0;
}

/* From the peer's first word to its address, whoever is first. */
static void take_lease(void)
{
	dialler_dhcp(&line, DHCP_OFFER);
	dialler_dhcp(&line, DHCP_ACK);
	dialler_pass(&line, s(1));
}

static void the_first_word_starts_dhcp(void **state)
{
	(void)state;
	dialler_pass(&line, s(60));
	expect(&line, "");
	dialler_say(&line, "c021 01 01 0004");
	expect(&line, "ppp: LCP request 1 2=00000000 3=c023 5=magic\n"
		      "ppp: LCP ack 1\n"
		      "eth: DHCPDISCOVER\n");
	assert_string_equal(line.dhcp.host_name, "gamecube");
	assert_memory_equal(&line.dhcp.chaddr, &dialler_mac, sizeof(dialler_mac));
}

/* What it asked by then is answered when there is an answer, and not three seconds later. */
static void a_peer_waits_for_the_lease(void **state)
{
	(void)state;
	dialler_log_in(&line);
	dialler_say(&line, "8021 01 01 0004"); /* Only the last one counts. */
	dialler_say(&line, "8021 01 02 0010 0306 00000000 8106 00000000");
	expect(&line, "");
	take_lease();
	expect(&line, "eth: DHCPREQUEST\n"
		      "eth: who has 10.0.0.44? 0.0.0.0\n"
		      "eth: who has 10.0.0.44? 0.0.0.0\n"
		      "ppp: IPCP request 1 3=0a0000fe\n"
		      "ppp: IPCP nak 2 3=0a00002c 129=0a000035\n"
		      "eth: who has 10.0.0.44? 10.0.0.44\n");
	dialler_agree(&line);
	dialler_say(&line, "8021 01 03 0010 0306 0a00002c 8106 0a000035");
	expect(&line, "ppp: IPCP ack 3 3=0a00002c 129=0a000035\n"
		      "up: 10.0.0.44/24\n");
}

static void a_lease_may_be_there_first(void **state)
{
	(void)state;
	dialler_say(&line, "c021 01 01 0004");
	take_lease();
	dialler_forget(&line);
	dialler_agree(&line);
	dialler_say(&line, "c023 01 01 0006 00 00");
	expect(&line, "ppp: PAP ack 1\n"
		      "logged in\n"
		      "ppp: IPCP request 1 3=0a0000fe\n");
}

static void without_a_server_the_peer_is_hung_up_on(void **state)
{
	(void)state;
	dialler_log_in(&line);
	dialler_pass(&line, PPP_ADDRESS_WAIT_NS - 1);
	assert_null(strstr(fmt_text(&line.log), "down"));
	dialler_forget(&line);
	dialler_pass(&line, 1);
	expect(&line, "down: there is no address for it: no DHCP server has answered\n"
		      "ppp: LCP term-request 2\n");
	/* It dials again, and this time there is one. */
	dialler_say(&line, "c021 06 02 0004");
	dialler_log_in(&line);
	dialler_pass(&line, s(20));
	take_lease();
	assert_non_null(strstr(fmt_text(&line.log), "IPCP request 1 3=0a0000fe"));
}

static void a_peer_that_dials_again_keeps_its_address(void **state)
{
	(void)state;
	dialler_log_in(&line);
	take_lease();
	dialler_connect(&line);
	dialler_say(&line, "c021 05 09 0004");
	dialler_pass(&line, s(600));
	dialler_forget(&line);
	dialler_log_in(&line);
	dialler_say(&line, "8021 01 02 000a 0306 00000000");
	expect(&line, "ppp: IPCP nak 2 3=0a00002c\n");
}

static void a_lease_that_is_over_ends_the_call(void **state)
{
	(void)state;
	dialler_log_in(&line);
	take_lease();
	dialler_connect(&line);
	/* The server does not answer any more, until the hour is over. */
	dialler_pass(&line, s(3590));
	assert_null(strstr(fmt_text(&line.log), "down"));
	dialler_pass(&line, s(60));
	assert_non_null(
		strstr(fmt_text(&line.log),
		       "down: its address is another's now: the lease is over\n"));
	assert_false(ppp_host(line.end)->peer_is_up);
	assert_int_equal(ppp_host(line.end)->place.address, 0);
}

static void options_win_over_the_lease(void **state)
{
	(void)state;
	dialler_stop(&line);
	dialler_start(&line, (struct ppp_opts){
				     .router = { 2, 24, { 10, 0, 0, 7 } },
				     .dns = { { 2, 32, { 9, 9, 9, 9 } } },
			     });
	dialler_log_in(&line);
	dialler_say(&line, "8021 01 02 0010 0306 00000000 8106 00000000");
	take_lease();
	assert_non_null(strstr(fmt_text(&line.log), "IPCP request 1 3=0a000007"));
	assert_non_null(strstr(fmt_text(&line.log), "3=0a00002c 129=09090909"));
}

/* Nobody can have an address that has not been leased. */
static void before_the_lease_nothing_is_answered(void **state)
{
	(void)state;
	dialler_say(&line, "c021 01 01 0004");
	dialler_forget(&line);
	dialler_ethernet(&line, "ffffffffffff 020000000009 0806 0001 0800 06 04 0001 "
				"020000000009 0a000009 000000000000 00000000");
	expect(&line, "");
	assert_int_equal(ppp_host(line.end)->counts[IPHOST_DROP_NO_ADDRESS], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_word_starts_dhcp),
		TEST(a_peer_waits_for_the_lease),
		TEST(a_lease_may_be_there_first),
		TEST(without_a_server_the_peer_is_hung_up_on),
		TEST(a_peer_that_dials_again_keeps_its_address),
		TEST(a_lease_that_is_over_ends_the_call),
		TEST(options_win_over_the_lease),
		TEST(before_the_lease_nothing_is_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
