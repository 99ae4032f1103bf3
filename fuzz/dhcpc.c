/* SPDX-License-Identifier: MIT */
/*
 * A DHCP client in a room of enemies. The input is a list of events; frames are given as they
 * are, or as a DHCP message whose xid and hardware address are put right, so that it gets
 * past the first gate. Whatever comes: the user is told bound and lost in turn, with an
 * address that can be used, and the client does not ask to be run for ever at one time.
 *
 *     input:  { what  length 16 bits  bytes }
 *     what:   0 frame   1 DHCP message to us   2 time passes   3 hurry
 */
#include "check.h"
#include "service/dhcp_frame.h"
#include "service/dhcp_lease.h"
#include "wire/cursor.h"

#include <weft/dhcpc.h>

#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 16u

struct fuzz {
	struct weft_dhcpc *client;
	uint64_t now;
	uint32_t xid; /* Of the last message it sent. */
	bool is_bound;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct weft_mac mac = { { 2, 0, 0, 0, 0, 7 } };

static void on_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct fuzz *f = user;
	struct udp_path path;
	struct dhcp_msg msg;
	CHECK(now == f->now);
	if (dhcp_frame_parse(frame, DHCP_SERVER_PORT, &path, &msg) == 0)
		f->xid = msg.xid;
}

static void on_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct fuzz *f = user;
	CHECK(lease->address.prefix >= 8 && lease->address.prefix <= 30);
	CHECK(dhcp_is_host(dhcp_ip_number(&lease->address)));
	CHECK(lease->lease_s >= DHCP_LEASE_MIN_S);
	CHECK(lease->renew_s <= lease->rebind_s && lease->rebind_s <= lease->lease_s);
	f->is_bound = true;
}

static void on_lost(void *user)
{
	struct fuzz *f = user;
	CHECK(f->is_bound);
	f->is_bound = false;
}

static void run(struct fuzz *f)
{
	unsigned runs = 0;
	while (weft_dhcpc_deadline(f->client) <= f->now) {
		CHECK(runs++ < RUNS_MAX);
		weft_dhcpc_run(f->client, f->now);
	}
}

/* A copy of its own size, so that a read past the end is seen. */
static void input_frame(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	CHECK(copy);
	memcpy(copy, bytes, len);
	const struct weft_frame frame = { .data = copy, .len = (uint32_t)len };
	(void)weft_dhcpc_input(f->client, &frame, f->now);
	free(copy);
}

static void input_message(struct fuzz *f, const uint8_t *bytes, size_t len)
{
	const struct udp_path path = { .src = 0x0a000001,
				       .dst = UINT32_MAX,
				       .sport = DHCP_SERVER_PORT,
				       .dport = DHCP_CLIENT_PORT };
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	struct dhcp_msg msg;
	if (dhcp_msg_parse(bytes, len, &msg) < 0)
		return;
	msg.op = DHCP_OP_REPLY;
	msg.xid = f->xid;
	msg.chaddr = mac;
	int n = dhcp_frame_emit(buf, sizeof(buf), &path, &msg);
	if (n > 0)
		input_frame(f, buf, (size_t)n);
}

static void one_event(struct fuzz *f, struct reader *in)
{
	uint8_t what = reader_u8(in);
	uint16_t len = reader_u16(in);
	if (what % 4 == 2) {
		f->now += (uint64_t)len * len * 1000000;
	} else if (what % 4 == 3) {
		weft_dhcpc_hurry(f->client, f->now);
	} else {
		struct reader bytes = reader_sub(in, len);
		if (bytes.data && what % 4 == 0)
			input_frame(f, bytes.data, bytes.len);
		else if (bytes.data)
			input_message(f, bytes.data, bytes.len);
	}
	run(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .now = 1000000000 };
	const struct weft_dhcpc_opts opts = { .mac = mac,
					      .no_check = size % 2 == 0,
					      .send = on_send,
					      .bound = on_bound,
					      .lost = on_lost,
					      .user = &f };
	CHECK(weft_dhcpc_new(&opts, &f.client) == 0);
	run(&f);
	struct reader in = reader_of(data, size);
	while (reader_left(&in) > 0)
		one_event(&f, &in);
	weft_dhcpc_release(f.client, f.now);
	weft_dhcpc_free(f.client);
	return 0;
}
