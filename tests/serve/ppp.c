/* SPDX-License-Identifier: MIT */
/*
 * The end point as transcripts: a game dials in the way that console modems do, and reaches
 * a host on the Ethernet; then everything that can go wrong with that.
 */
#include "serve/ppp.h"

#include "../unit.h"
#include "dialler.h"

#include <errno.h>
#include <string.h>

#define OPTS                                            \
	(struct ppp_opts)                               \
	{                                               \
		.address = { 2, 24, { 10, 0, 0, 5 } },  \
		.router = { 2, 24, { 10, 0, 0, 1 } },   \
		.dns = { { 2, 32, { 10, 0, 0, 53 } } }, \
	}

/* What a console's modem stack asks for: MRU, ACCM, magic number, PFC, ACFC. */
#define GAME_REQUEST "c021 01 01 0018 0104 05dc 0206 000a0000 0506 12345678 0702 0802"

static struct dialler line;

static int stop(void **state)
{
	(void)state;
	dialler_stop(&line);
	return 0;
}

static void a_game_dials_in(void **state)
{
	(void)state;
	dialler_start(&line, OPTS);
	dialler_pass(&line, s(60));
	expect(&line, ""); /* A modem is silent until it is spoken to. */

	dialler_say(&line, GAME_REQUEST);
	expect(&line, "ppp: LCP request 1 2=00000000 3=c023 5=magic\n"
		      "ppp: LCP ack 1 1=05dc 2=000a0000 5=magic 7 8\n"
		      "eth: who has 10.0.0.5? 10.0.0.5\n"); /* An announcement. */
	dialler_agree(&line);
	expect(&line, "");
	dialler_say(&line, "c023 01 01 000c 03 70736f 03 313233");
	expect(&line, "ppp: PAP ack 1\n"
		      "logged in: pso\n"
		      "ppp: IPCP request 1 3=0a000001\n");
	dialler_agree(&line);
	expect(&line, "");

	/* Address and name servers unknown; header compression is old hat. */
	dialler_say(&line, "8021 01 02 001c 0206 002d0f01 0306 00000000 8106 00000000 "
			   "8306 00000000");
	expect(&line, "ppp: IPCP reject 2 2=002d0f01\n");
	dialler_say(&line, "8021 01 03 0016 0306 00000000 8106 00000000 8306 00000000");
	expect(&line, "ppp: IPCP nak 3 3=0a000005 129=0a000035 131=0a000035\n");
	dialler_say(&line, "8021 01 04 0016 0306 0a000005 8106 0a000035 8306 0a000035");
	expect(&line, "ppp: IPCP ack 4 3=0a000005 129=0a000035 131=0a000035\n"
		      "up: 10.0.0.5/24\n");
}

#define HOST 0x0a000009u /* 10.0.0.9, which has the MAC 02:00:00:00:00:09. */

/* There and back: the first packet waits for ARP, and goes out with its answer. */
static void a_ping_goes_through(void **state)
{
	uint8_t buf[1600] = "\x00\x21";
	(void)state;
	dialler_start(&line, OPTS);
	dialler_connect(&line);
	size_t len = dialler_echo(buf + 2, 1500,
				  &(struct echo){ 0x0a000005, HOST, 84, false });
	dialler_say_bytes(&line, buf, 2 + len);
	expect(&line, "eth: who has 10.0.0.9? 10.0.0.5\n");
	dialler_ethernet(&line, "020000000007 020000000009 0806 0001 0800 06 04 0002 "
				"020000000009 0a000009 020000000007 0a000005");
	expect(&line,
	       "eth: to 02:00:00:00:00:09 10.0.0.5 > 10.0.0.9 84 bytes icmp 8/0\n");
	assert_memory_equal(line.last_ether + 14, buf + 2, len);

	memcpy(buf, "\x02\0\0\0\0\x07\x02\0\0\0\0\x09\x08", 14);
	len = dialler_echo(buf + 14, 1500, &(struct echo){ HOST, 0x0a000005, 84, false });
	dialler_ethernet_bytes(&line, buf, 14 + len);
	expect(&line, "ppp: 10.0.0.9 > 10.0.0.5 84 bytes icmp 8/0\n");
	assert_memory_equal(line.last_ppp + 2, buf + 14, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_game_dials_in, stop),
		cmocka_unit_test_teardown(a_ping_goes_through, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
