/* SPDX-License-Identifier: MIT */
/*
 * What stands in a room beside the bridge and takes bytes of strangers: the relay's servers of
 * DHCP and names, frames that come in two parts, and a gateway's watch for loops. The first byte
 * chooses which, the rest is a list of events; time passes between them.
 *
 *     input:  which { what  pause  length (2)  bytes }
 *     which:  0 DHCP   1 names   2 parts   3 loops
 *
 * Bytes are given as they are, or made right as far as needed to get past the first gate.
 */
#include "check.h"
#include "lan/loopcheck.h"
#include "lan/parts.h"
#include "service/dhcp_frame.h"
#include "service/dhcpd.h"
#include "service/dnsd.h"
#include "wire/compose.h"
#include "wire/cursor.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MS      UINT64_C(1000000)
#define NETWORK 0x64400700u /* 100.64.7.0 */
#define SERVER  (NETWORK | DHCPD_HOST_SERVER)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct event {
	uint8_t what;
	const uint8_t *bytes;
	size_t len;
	uint64_t now;
};

static const struct weft_mac server_mac = { { 2, 0, 0, 0, 0, 254 } };

static struct weft_mac client_mac(uint8_t what)
{
	return (struct weft_mac){ { 2, 0, 0, 0, 0, (uint8_t)(what >> 4) } };
}

/* False at the end of the input. */
static bool event_next(struct reader *in, uint64_t unit_ns, struct event *event)
{
	event->what = reader_u8(in);
	event->now += reader_u8(in) * unit_ns;
	const uint16_t len = reader_u16(in);
	if (in->bad)
		return false;
	event->len = len < reader_left(in) ? len : reader_left(in);
	event->bytes = reader_bytes(in, event->len);
	return true;
}

/* A frame in memory of its own, so that a byte too many is noticed. */
struct copy {
	uint8_t *data;
	struct weft_frame frame;
};

static struct copy copy_of(const void *bytes, size_t len)
{
	uint8_t *data = malloc(len ? len : 1);
	CHECK(data);
	if (len > 0)
		memcpy(data, bytes, len);
	return (struct copy){ .data = data,
			      .frame = { .data = data, .len = (uint32_t)len } };
}

/* ---- DHCP -------------------------------------------------------------------------------- */

#define OFFERED_HOST 9u
#define TAKEN_HOST   1u

static bool has_offer(struct weft_mac mac)
{
	return mac.octet[5] == 3;
}

static uint8_t host_of(void *user, struct weft_mac mac)
{
	(void)user;
	return has_offer(mac) ? OFFERED_HOST : 0;
}

static bool is_taken(void *user, uint8_t host)
{
	(void)user;
	return host == TAKEN_HOST || host == OFFERED_HOST;
}

/* An address goes to one client, and to none that is another's without a lease. */
static void check_reply(const struct dhcpd *d, const struct weft_frame *frame,
			uint64_t now)
{
	struct udp_path path;
	struct dhcp_msg msg;
	struct weft_mac mac;
	CHECK(dhcp_frame_parse(frame, DHCP_CLIENT_PORT, &path, &msg) == 0);
	CHECK(msg.server_id == SERVER && path.src == SERVER);
	if (msg.yiaddr == 0)
		return;
	const uint8_t host = (uint8_t)msg.yiaddr;
	CHECK((msg.yiaddr ^ host) == NETWORK && host >= 1 && host <= DHCPD_HOST_MAX);
	CHECK(host != TAKEN_HOST && (host == OFFERED_HOST) == has_offer(msg.chaddr));
	CHECK(dhcpd_lease(d, host, now, &mac) > 0);
	CHECK(memcmp(&mac, &msg.chaddr, sizeof(mac)) == 0);
}

/* A message in a client's frame; false for bytes that are none. */
static bool request_of(const struct event *event, struct copy *ret_copy)
{
	const struct udp_path path = { .src_mac = client_mac(event->what),
				       .dst_mac = server_mac,
				       .dst = UINT32_MAX,
				       .sport = DHCP_CLIENT_PORT,
				       .dport = DHCP_SERVER_PORT };
	uint8_t buf[DHCP_FRAME_LEN_MAX];
	struct dhcp_msg msg;
	if (dhcp_msg_parse(event->bytes, event->len, &msg) < 0)
		return false;
	msg.op = DHCP_OP_REQUEST;
	msg.chaddr = path.src_mac;
	const int n = dhcp_frame_emit(buf, sizeof(buf), &path, &msg);
	if (n < 0)
		return false;
	*ret_copy = copy_of(buf, (size_t)n);
	return true;
}

static void fuzz_dhcpd(struct reader *in)
{
	const struct dhcpd_opts opts = { .mac = server_mac,
					 .network = NETWORK,
					 .mtu = 1400,
					 .domain = "friday.weft",
					 .host_of = host_of,
					 .is_taken = is_taken };
	struct event event = { .now = 1000 * MS };
	struct dhcpd *d;
	CHECK(dhcpd_new(&opts, &d) == 0);
	while (event_next(in, 5000 * MS, &event)) {
		uint8_t reply[DHCP_FRAME_LEN_MAX];
		struct copy copy;
		if (!(event.what & 1) || !request_of(&event, &copy))
			copy = copy_of(event.bytes, event.len);
		const size_t len = dhcpd_input(d, &copy.frame, event.now, reply);
		const struct weft_frame answer = { .data = reply, .len = (uint32_t)len };
		CHECK(len <= sizeof(reply));
		if (len > 0)
			check_reply(d, &answer, event.now);
		free(copy.data);
	}
	dhcpd_free(d);
}

/* ---- names ------------------------------------------------------------------------------- */

static size_t find(void *user, const char *name,
		   uint32_t ret_addresses[DNSD_ADDRESSES_MAX])
{
	(void)user;
	for (uint32_t i = 0; i < DNSD_ADDRESSES_MAX; i++)
		ret_addresses[i] = NETWORK | (i + 1);
	return strlen(name) % (DNSD_ADDRESSES_MAX + 1);
}

static bool name_of(void *user, uint32_t address, char ret_name[DNSD_NAME_TEXT])
{
	(void)user;
	memcpy(ret_name, "alice", sizeof("alice"));
	return (address & 1) != 0;
}

static struct weft_ip ip_of(uint32_t number)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = 32 };
	store_be32(ip.octet, number);
	return ip;
}

static struct copy query_of(const struct event *event)
{
	const struct compose packet = { .is_ether = true,
					.dst_mac = server_mac,
					.src_mac = client_mac(event->what),
					.src = ip_of(NETWORK | 2),
					.dst = ip_of(SERVER),
					.sport = 4053,
					.dport = 53 };
	uint8_t buf[1514];
	const int n = compose_udp(&packet, event->bytes, event->len, buf, sizeof(buf));
	return n < 0 ? copy_of(event->bytes, event->len) : copy_of(buf, (size_t)n);
}

static void fuzz_dnsd(struct reader *in)
{
	const struct dnsd_opts opts = { .mac = server_mac,
					.address = SERVER,
					.domain = "friday.weft",
					.find = find,
					.name_of = name_of };
	struct event event = { .now = 0 };
	struct dnsd *d;
	CHECK(dnsd_new(&opts, &d) == 0);
	while (event_next(in, 0, &event)) {
		uint8_t reply[DNSD_FRAME_LEN_MAX];
		struct udp_path path;
		struct reader payload;
		const struct copy copy = event.what & 1 ? query_of(&event)
							: copy_of(event.bytes, event.len);
		const size_t len = dnsd_input(d, &copy.frame, reply);
		const struct weft_frame answer = { .data = reply, .len = (uint32_t)len };
		CHECK(len <= sizeof(reply));
		if (len > 0 && event.what & 1) {
			CHECK(udp_frame_parse(&answer, 4053, &path, &payload) == 0);
			CHECK(path.src == SERVER && reader_left(&payload) >= 12);
		}
		free(copy.data);
	}
	dnsd_free(d);
}

/* ---- parts ------------------------------------------------------------------------------- */

/* A whole frame has the part that came last where its type says. */
static void check_whole(const uint8_t *buf, size_t whole, const struct overlay_hdr *hdr,
			const struct event *event)
{
	const size_t off = hdr->type == OVERLAY_LAST ? whole - event->len : 0;
	CHECK(whole >= event->len && whole <= PARTS_FRAME_MAX);
	CHECK(memcmp(buf + off, event->bytes, event->len) == 0);
}

static void fuzz_parts(struct reader *in)
{
	struct parts parts = { .n = 0 };
	struct event event = { .now = 0 };
	while (event_next(in, MS, &event)) {
		const struct overlay_hdr hdr = { .type = event.what & 1 ? OVERLAY_LAST
									: OVERLAY_FIRST,
						 .number = event.what >> 1 };
		uint8_t buf[PARTS_FRAME_MAX];
		const struct copy part = copy_of(event.bytes, event.len);
		const unsigned before = parts.n;
		const int r =
			parts_take(&parts, &hdr, part.data, event.len, event.now, buf);
		CHECK(parts.n <= PARTS_MAX && parts.n <= before + 1);
		if (r > 0)
			check_whole(buf, (size_t)r, &hdr, &event);
		free(part.data);
	}
	parts_fini(&parts);
	CHECK(parts.n == 0 && !parts.newest);
}

/* ---- loops ------------------------------------------------------------------------------- */

/* A probe that is right: our own, or that of another gateway of the room. */
static struct copy probe_of(const struct loopcheck *check, const struct event *event)
{
	uint8_t frame[LOOPCHECK_FRAME_LEN];
	loopcheck_frame(check, event->what & 4 ? LOOPCHECK_ROOM : LOOPCHECK_LAN,
			client_mac(event->what), event->now, frame);
	return copy_of(frame, sizeof(frame));
}

/* What is changed of a probe behind its addresses is believed by nobody. */
static void check_changed(struct loopcheck *check, const struct copy *probe,
			  const struct event *event)
{
	if (event->len < 2 || event->bytes[1] == 0)
		return;
	const size_t off = 14 + event->bytes[0] % (LOOPCHECK_FRAME_LEN - 14);
	const struct copy changed = copy_of(probe->data, probe->frame.len);
	changed.data[off] ^= event->bytes[1];
	CHECK(loopcheck_input(check, &changed.frame, event->now) <= LOOPCHECK_FOREIGN);
	free(changed.data);
}

static void fuzz_loopcheck(struct reader *in)
{
	static const uint8_t ids[2][8] = { { 5 }, { 6 } };
	const struct weft_invite invite = { .room = "friday", .secret = { 7 } };
	struct loopcheck gateways[2];
	struct event event = { .now = 1000 * MS };
	for (size_t i = 0; i < 2; i++) {
		loopcheck_init(&gateways[i], &invite, ids[i]);
		loopcheck_enter(&gateways[i], event.now);
	}
	while (event_next(in, 200 * MS, &event)) {
		struct loopcheck *check = &gateways[0];
		(void)loopcheck_run(check, event.now);
		CHECK(loopcheck_deadline(check) > event.now);
		const bool was_blocked = check->is_blocked;
		const struct copy copy =
			event.what & 1 ? probe_of(&gateways[event.what >> 1 & 1], &event)
				       : copy_of(event.bytes, event.len);
		if (event.what & 1)
			check_changed(check, &copy, &event);
		CHECK(check->is_blocked == was_blocked);
		const enum loopcheck_verdict verdict =
			loopcheck_input(check, &copy.frame, event.now);
		CHECK(event.what & 1 || verdict <= LOOPCHECK_FOREIGN);
		CHECK(check->is_blocked == (was_blocked || verdict >= LOOPCHECK_EARLIER));
		free(copy.data);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parts[])(struct reader * in) = { fuzz_dhcpd, fuzz_dnsd,
							     fuzz_parts, fuzz_loopcheck };
	struct reader in = reader_of(data, size);
	parts[reader_u8(&in) % 4](&in);
	return 0;
}
