/* SPDX-License-Identifier: MIT */
/*
 * A telephone line under test: a peer that is played by the test, octet for octet, on one
 * side of the end point, and an Ethernet on the other. All that comes out of either side is
 * a line of the transcript. Time is virtual; the end point is run exactly when it asks to.
 *
 *     test --say--> [ fake modem | end point ] --"eth: ..."--> transcript
 *     transcript <--"ppp: ..."-- [            ] <--ethernet-- test
 */
#ifndef TESTS_SERVE_DIALLER_H
#define TESTS_SERVE_DIALLER_H

#include "base/fmt.h"
#include "serve/ppp.h"
#include "wire/dhcp.h"
#include "wire/ppp.h"

#include <weft/link.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIALLER_TEXT 8000u

struct dialler {
	struct weft_link *modem; /* The fake; belongs to end. */
	struct weft_link *end;
	uint64_t now;
	bool is_cut; /* What the end point sends is lost on the way. */
	char text[DIALLER_TEXT];
	struct fmt log;
	/* The last Configure-Request of the end point, whole. */
	uint16_t asked_protocol;
	uint8_t asked[64];
	size_t asked_len;
	/* The last DHCP message of the end point. */
	struct dhcp_msg dhcp;
	/* The last frames on either side. */
	uint8_t last_ppp[2048], last_ether[2048];
	size_t last_ppp_len, last_ether_len;
};

static inline uint64_t ms(uint64_t n)
{
	return n * 1000000;
}

static inline uint64_t s(uint64_t n)
{
	return n * 1000000000;
}

/* The end point's own MAC, unless opts say otherwise. */
extern const struct weft_mac dialler_mac;

void dialler_start(struct dialler *d, struct ppp_opts opts);
void dialler_stop(struct dialler *d);

/* Lets time pass, running the end point whenever it asks to. */
void dialler_pass(struct dialler *d, uint64_t span);

/* The peer sends a PPP frame, in hex: protocol and information. Then all that is due is done. */
void dialler_say(struct dialler *d, const char *hex);
void dialler_say_bytes(struct dialler *d, const uint8_t *data, size_t len);

/* The peer takes all that the end point's last Configure-Request asks for. */
void dialler_agree(struct dialler *d);

/* The peer answers it with a packet of that code and these options, in hex. */
void dialler_answer(struct dialler *d, uint8_t code, const char *hex);

/* A frame comes from the Ethernet, in hex, or as bytes. */
void dialler_ethernet(struct dialler *d, const char *hex);
void dialler_ethernet_bytes(struct dialler *d, const uint8_t *data, size_t len);

/* LCP and PAP. Nothing is left in the transcript. */
void dialler_log_in(struct dialler *d);

/* The same, and IPCP with an address: the common beginning. */
void dialler_connect(struct dialler *d);

/* The DHCP server 10.0.0.1 answers: DHCP_OFFER, DHCP_ACK (10.0.0.44/24, router, a name server,
   an hour) or DHCP_NAK. */
void dialler_dhcp(struct dialler *d, enum dhcp_type type);

/* Forgets the transcript so far. */
void dialler_forget(struct dialler *d);

/* The transcript since the last time. */
#define expect(d, words)                                         \
	do {                                                     \
		assert_string_equal(fmt_text(&(d)->log), words); \
		dialler_forget(d);                               \
	} while (0)

/* An IPv4 packet with an ICMP echo of len bytes in all. Returns len. */
struct echo {
	uint32_t src, dst;
	uint16_t len;
	bool df;
};
size_t dialler_echo(uint8_t *buf, size_t buf_len, const struct echo *echo);

#endif
