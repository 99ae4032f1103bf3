/* SPDX-License-Identifier: MIT */
/*
 * A modem line in a world of enemies: a decoder of the framing, the modem on a line, and the
 * whole end point behind it, with DHCP. The input is a list of events; what is said as PPP
 * gets framed, so that it passes the FCS, and answers to our own requests can be given the
 * right id. Whatever comes: nothing is read or written out of bounds, nobody asks to be run
 * for ever at one time, what goes out fits the line and the Ethernet.
 *
 *     input:  { what  length 16 bits  bytes }
 *     what:   0 octets of the line     1 a PPP frame      2 an answer: code, options
 *             3 a frame of the Ethernet                    4 a DHCP reply
 *             5 time passes             6 agree with what was asked last
 */
#include "serve/ppp.h"

#include "check.h"
#include "link/modem.h"
#include "service/dhcp_frame.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/hdlc.h"
#include "wire/ppp.h"

#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 200u

struct fuzz {
	struct weft_link line; /* What the modem stands on. */
	struct weft_link *end;
	uint64_t now;
	struct hdlc_decoder far; /* The peer's ear. */
	struct dhcp_msg dhcp;    /* The last message of its client. */
	uint16_t asked_protocol;
	uint8_t asked[64]; /* The last Configure-Request. */
	size_t asked_len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct weft_mac mac = { { 2, 0, 0, 0, 0, 7 } };

/* ---- what comes out ---------------------------------------------------------------------- */

static void hear(struct fuzz *f, const struct hdlc_content *content)
{
	uint16_t protocol;
	struct ppp_packet packet;
	CHECK(content->len <= PPP_HDR_LEN + PPP_MRU);
	int off = ppp_hdr_parse(content->data, content->len, &protocol);
	CHECK(off == PPP_HDR_LEN);
	if (protocol == PPP_IP4)
		return;
	int len = ppp_packet_parse(content->data + off, content->len - PPP_HDR_LEN,
				   &packet);
	CHECK(len == (int)content->len - off);
	if (packet.code != PPP_CONFIGURE_REQUEST || len > (int)sizeof(f->asked))
		return;
	f->asked_protocol = protocol;
	memcpy(f->asked, content->data + off, (size_t)len);
	f->asked_len = (size_t)len;
}

static size_t line_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
			uint64_t now)
{
	struct fuzz *f = (struct fuzz *)(void *)link;
	struct hdlc_content content;
	CHECK(now == f->now);
	for (size_t i = 0; i < n; i++) {
		CHECK(frames[i].len <= MODEM_UNIT_MAX);
		for (size_t off = 0; off < frames[i].len;) {
			off += hdlc_decode(&f->far, frames[i].data + off,
					   frames[i].len - off, &content);
			if (content.data)
				hear(f, &content);
		}
	}
	return n;
}

static void line_free(struct weft_link *link)
{
	link_fini(link);
}

static const struct link_ops line_ops = { .send = line_send, .free = line_free };

static void on_ethernet(void *user, struct weft_link *link,
			const struct weft_frame *frames, size_t n, uint64_t now)
{
	struct fuzz *f = user;
	struct udp_path path;
	struct dhcp_msg msg;
	(void)link;
	CHECK(now == f->now);
	for (size_t i = 0; i < n; i++) {
		CHECK(frames[i].len >= ETHER_LEN);
		CHECK(frames[i].len <= ETHER_LEN + IPHOST_MTU);
		CHECK(memcmp(frames[i].data + ETHER_OFF_SRC, &mac, sizeof(mac)) == 0);
		if (dhcp_frame_parse(&frames[i], DHCP_SERVER_PORT, &path, &msg) == 0)
			f->dhcp = msg;
	}
}

/* ---- what goes in ------------------------------------------------------------------------ */

/* A copy of its own size, so that a read past the end is seen. */
static struct weft_frame copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	CHECK(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return (struct weft_frame){ .data = copy, .len = (uint32_t)len };
}

static void input_octets(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	struct weft_frame frame = copy_of(bytes, len);
	link_deliver(&f->line, &frame, 1, f->now);
	free(frame.data);
}

static void input_ppp(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	static uint8_t buf[HDLC_ENCODED_MAX(UINT16_MAX)];
	const struct hdlc_content content = { bytes, len };
	int n = hdlc_emit(buf, sizeof(buf), &content, (uint32_t)len * 0x01010101u);
	CHECK(n > 0);
	input_octets(f, buf, (size_t)n);
}

/* A code and options, as an answer to what was asked last. */
static void input_answer(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	uint8_t buf[1000];
	if (len == 0 || len > sizeof(buf) - 10)
		return;
	const struct ppp_packet packet = { bytes[0], f->asked[1], bytes + 1, len - 1 };
	store_be16(buf, f->asked_protocol);
	int n = ppp_packet_emit(buf + 2, sizeof(buf) - 2, &packet);
	CHECK(n > 0);
	input_ppp(f, buf, 2 + (size_t)n);
}

static void input_agreement(struct fuzz *f)
{
	uint8_t buf[sizeof(f->asked) + 2];
	store_be16(buf, f->asked_protocol);
	memcpy(buf + 2, f->asked, f->asked_len);
	buf[2] = PPP_CONFIGURE_ACK;
	input_ppp(f, buf, 2 + f->asked_len);
}

static void input_ethernet(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	struct weft_frame frame = copy_of(bytes, len);
	weft_link_send(f->end, &frame, 1, f->now);
	free(frame.data);
}

/* Any message, but to this client; or, of no bytes, an offer that it will like. */
static void input_dhcp(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	const struct udp_path path = { .src_mac = { { 2, 0, 0, 0, 0, 1 } },
				       .src = 0x0a000001,
				       .dst = UINT32_MAX,
				       .sport = DHCP_SERVER_PORT,
				       .dport = DHCP_CLIENT_PORT };
	struct dhcp_msg msg = {
		.type = f->dhcp.type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK,
		.server_id = 0x0a000001,
		.yiaddr = 0x0a00002c,
		.subnet_mask = 0xffffff00,
		.lease_s = 60,
	};
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	if (len > 0 && dhcp_msg_parse(bytes, len, &msg) < 0)
		return;
	msg.op = DHCP_OP_REPLY;
	msg.xid = f->dhcp.xid;
	msg.chaddr = mac;
	int n = dhcp_frame_emit(buf, sizeof(buf), &path, &msg);
	if (n > 0)
		input_ethernet(f, buf, (size_t)n);
}

static void run(struct fuzz *f)
{
	struct weft_task *task = weft_link_task(f->end);
	unsigned runs = 0;
	while (task->deadline(task) <= f->now) {
		CHECK(runs++ < RUNS_MAX);
		task->run(task, f->now);
	}
}

static void one_event(struct fuzz *f, struct reader *in)
{
	uint8_t what = reader_u8(in);
	uint16_t len = reader_u16(in);
	if (what % 7 == 5) {
		f->now += (uint64_t)len * len * 1000000;
	} else if (what % 7 == 6) {
		input_agreement(f);
	} else {
		static void (*const inputs[])(struct fuzz *, const uint8_t *, size_t) = {
			input_octets, input_ppp, input_answer, input_ethernet, input_dhcp,
		};
		struct reader bytes = reader_sub(in, len);
		if (bytes.data)
			inputs[what % 7](f, bytes.data, bytes.len);
	}
	run(f);
}

static void start(struct fuzz *f, uint8_t how)
{
	const struct weft_link_caps caps = { .frame_len_max = MODEM_UNIT_MAX };
	struct ppp_opts opts = { .mac = mac, .seed = 1 };
	struct weft_link *modem;
	if (how & 1)
		opts.address = (struct weft_ip){ 2, how % 33, { 10, 0, 0, 5 } };
	if (how & 2)
		opts.router = (struct weft_ip){ 2, 32, { 10, 0, 0, 1 } };
	link_init(&f->line, &line_ops, "line", -1, caps);
	CHECK(modem_new(&f->line, &modem) == 0);
	CHECK(ppp_new(&opts, modem, &f->end) == 0);
	weft_link_on_receive(f->end, on_ethernet, f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	struct reader in = reader_of(data, size);
	f = (struct fuzz){ .now = 1000000000, .asked_len = 4 };
	start(&f, reader_u8(&in));
	run(&f);
	while (reader_left(&in) > 0)
		one_event(&f, &in);
	weft_link_free(f.end);
	return 0;
}
