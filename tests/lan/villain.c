/* SPDX-License-Identifier: MIT */
/*
 * The deeds. Each is one turn of a villain who is in, a hundred times a second. Alice has MAC
 * number 1 and bob 2; alice's address is 10.9.0.1.
 */
#include "villain.h"

#include "../unit.h"
#include "base/array.h"
#include "base/fmt.h"
#include "base/time.h"
#include "lan/channel.h"
#include "lan/visitor.h"
#include "wire/arp.h"
#include "wire/compose.h"
#include "wire/cursor.h"
#include "wire/ether.h"
#include "wire/icmp.h"
#include "wire/igmp.h"
#include "wire/nd.h"
#include "wire/overlay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define AWAY_MS     300u
/* Until the relay has nearly given him up. */
#define KNOCK_TURNS 900u
#define FRAME_MAX   1514u

/* ---- datagrams and frames ---------------------------------------------------------------- */

struct forged {
	uint8_t data[OVERLAY_LEN + FRAME_MAX];
	size_t len;
};

static uint8_t *frame_of(struct forged *forged)
{
	return forged->data + OVERLAY_LEN;
}

/* What his connection does not take is lost, as a villain's frames may be. */
static void throw_datagram(struct villain *villain, const struct forged *forged)
{
	int r = stranger_throws(&villain->stranger, forged->data, forged->len);
	assert_true(r == 0 || r == -ENOBUFS || r == -EMSGSIZE);
}

static void put_header(const struct villain *villain, struct forged *forged)
{
	const struct overlay_hdr hdr = { .type = OVERLAY_ETHERNET,
					 .room = villain->stranger.welcome.room,
					 .peer = villain->stranger.welcome.peer };
	overlay_hdr_emit(forged->data, &hdr);
}

/* A frame that nothing is wrong with. */
static struct forged right_frame(const struct villain *villain, struct weft_mac dst,
				 size_t len)
{
	struct forged forged = { .len = OVERLAY_LEN + len };
	const struct ether_hdr hdr = { .dst = dst,
				       .src = guest_mac(villain->number),
				       .type = VILLAIN_ETHER_TYPE };
	put_header(villain, &forged);
	assert_true(ether_hdr_emit(frame_of(&forged), FRAME_MAX, &hdr) > 0);
	return forged;
}

static void put_type(struct forged *forged, uint16_t type)
{
	store_be16(frame_of(forged) + ETHER_LEN - 2, type);
}

static struct weft_ip ip_of(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

static void run_away(struct villain *villain)
{
	villain_fini(villain);
	villain->back_at = villain->venue->now(villain->venue) + AWAY_MS * NS_PER_MS;
}

/* ---- those who forge --------------------------------------------------------------------- */

/* No more than four a second, which is borne for half a minute. */
static void forge_headers(struct villain *villain)
{
	struct forged forged = right_frame(villain, guest_mac(2), 60);
	if (villain->turn % 27 != 1)
		return;
	forged.data[villain->turn / 27 % OVERLAY_LEN] ^= 0x40;
	throw_datagram(villain, &forged);
}

static void spoof_sources(struct villain *villain)
{
	static const uint8_t sources[][6] = {
		{ 2, 0, 0, 0, 0, 1 },
		{ 2, 0, 0, 0, 0, 2 },
		{ 2, 0, 0, 0, 0, 0 },
		{ 0, 22, 62, 0, 0, 7 },
		{ 0, 0, 0, 0, 0, 0 },
		{ 3, 0, 0, 0, 0, 1 },
		{ 255, 255, 255, 255, 255, 255 },
	};
	struct forged forged = right_frame(villain, guest_mac(2), 160);
	memcpy(frame_of(&forged) + 6, sources[villain->turn % ARRAY_LEN(sources)], 6);
	/* As alice's own frames are, that bob believes. */
	put_type(&forged, ETHER_TYPE_LOCAL_EXPERIMENT);
	throw_datagram(villain, &forged);
}

static void send_control_frames(struct villain *villain)
{
	static const uint16_t types[] = { ETHER_TYPE_EAPOL, ETHER_TYPE_LLDP,
					  ETHER_TYPE_SLOW,  ETHER_TYPE_VLAN,
					  ETHER_TYPE_QINQ,  ETHER_TYPE_QINQ_OLD };
	struct forged forged = right_frame(villain, party_broadcast, 60);
	put_type(&forged, types[villain->turn % ARRAY_LEN(types)]);
	throw_datagram(villain, &forged);
	forged = right_frame(
		villain, (struct weft_mac){ { 1, 0x80, 0xc2, 0, 0, villain->turn & 15 } },
		60);
	throw_datagram(villain, &forged);
}

static void throw_packet(struct villain *villain, const struct compose *packet,
			 const void *payload, size_t len)
{
	struct forged forged = { .len = 0 };
	put_header(villain, &forged);
	int n = packet->proto == IPPROTO_UDP
			? compose_udp(packet, payload, len, frame_of(&forged), FRAME_MAX)
			: compose_ip(packet, payload, len, frame_of(&forged), FRAME_MAX);
	assert_true(n > 0);
	forged.len = OVERLAY_LEN + (size_t)n;
	throw_datagram(villain, &forged);
}

/* "I am alice", in ARP of each type; a router, and DHCP servers of both versions and any port. */
static void be_someone_else(struct villain *villain)
{
	static const uint8_t router[16] = { ICMP6_ROUTER_ADVERT };
	static const uint8_t redirect[36] = { ICMP4_REDIRECT };
	const uint16_t own_port = villain->turn & 1 ? 0 : 1000;
	const struct arp_hdr arp = { .op = ARP_OP_REPLY,
				     .sender_mac = guest_mac(villain->number),
				     .sender_ip = 0x0a090001,
				     .target_ip = 0x0a090001 };
	struct forged forged = right_frame(villain, party_broadcast, 60);
	put_type(&forged, ETHER_TYPE_ARP);
	assert_true(arp_hdr_emit(frame_of(&forged) + ETHER_LEN, ARP_LEN, &arp) > 0);
	store_be16(frame_of(&forged) + ETHER_LEN + ARP_OFF_HTYPE,
		   (uint16_t)(1 + villain->turn % 8));
	throw_datagram(villain, &forged);

	struct compose packet = { .is_ether = true,
				  .dst_mac = party_broadcast,
				  .src_mac = guest_mac(villain->number),
				  .src = ip_of("fe80::9"),
				  .dst = ip_of("ff02::1"),
				  .proto = IPPROTO_ICMPV6,
				  .ttl = 255,
				  .csum_offset = 2 };
	throw_packet(villain, &packet, router, sizeof(router));
	packet.proto = IPPROTO_UDP;
	packet.sport = 547 + own_port;
	packet.dport = 546;
	throw_packet(villain, &packet, router, sizeof(router));
	packet.src = ip_of("10.9.0.99");
	packet.dst = ip_of("255.255.255.255");
	packet.sport = 67 + own_port;
	packet.dport = 68;
	throw_packet(villain, &packet, router, sizeof(router));
	packet.proto = IPPROTO_ICMP;
	throw_packet(villain, &packet, redirect, sizeof(redirect));
}

/* Says by IGMP 2 that he is in ever more groups: only routers hear it, and tables are bounded. */
static void be_in_every_group(struct villain *villain)
{
	for (unsigned i = 0; i < 2; i++) {
		const unsigned number = 2 * villain->deeds + i;
		uint8_t report[8] = { IGMP_TYPE_REPORT2 };
		struct compose packet = { .is_ether = true,
					  .dst_mac = { { 1, 0, 0x5e, 1 } },
					  .src_mac = guest_mac(villain->number),
					  .src = ip_of("10.9.0.98"),
					  .dst = ip_of("239.1.0.0"),
					  .proto = IPPROTO_IGMP,
					  .ttl = 1,
					  .csum_offset = 2 };
		store_be16(packet.dst.octet + 2, (uint16_t)number);
		store_be16(packet.dst_mac.octet + 4, (uint16_t)number);
		memcpy(report + 4, packet.dst.octet, 4);
		throw_packet(villain, &packet, report, sizeof(report));
	}
}

/* Advertises ever more addresses of IPv6 as his, to a station that nobody knows. */
static void have_every_address(struct villain *villain)
{
	struct nd_msg nd = { .type = ICMP6_NEIGHBOR_ADVERT, .override = true };
	struct compose packet = { .is_ether = true,
				  .dst_mac = { { 2, 0, 0, 0, 9, 9 } },
				  .src_mac = guest_mac(villain->number),
				  .dst = ip_of("fe80::98"),
				  .proto = IPPROTO_ICMPV6,
				  .ttl = ND_HOP_LIMIT,
				  .csum_offset = ICMP_OFF_CSUM };
	uint8_t icmp[64];
	packet.src = ip_of("fd00::");
	store_be32(packet.src.octet + 12, villain->deeds);
	nd.target = ip6_addr_load(packet.src.octet);
	const int len = nd_msg_emit(icmp, sizeof(icmp), &nd);
	assert_true(len > 0);
	throw_packet(villain, &packet, icmp, (size_t)len);
}

/* A gateway may say what is on its LAN, but not that alice is: and it has very many stations. */
static void be_a_large_lan(struct villain *villain)
{
	for (unsigned i = 0; i < 6; i++) {
		unsigned number = 6 * villain->deeds + i;
		struct forged forged = right_frame(villain, guest_mac(2), 60);
		uint8_t src[6] = {
			0, 0x16, 0x3e, 1, (uint8_t)(number >> 8), (uint8_t)number
		};
		memcpy(frame_of(&forged) + 6, src, 6);
		throw_datagram(villain, &forged);
	}
	struct forged forged = right_frame(villain, guest_mac(2), 160);
	const struct weft_mac alice = guest_mac(1);
	memcpy(frame_of(&forged) + 6, alice.octet, 6);
	put_type(&forged, ETHER_TYPE_LOCAL_EXPERIMENT);
	throw_datagram(villain, &forged);
}

/* ---- those who flood --------------------------------------------------------------------- */

static void flood(struct villain *villain, struct weft_mac dst, size_t len, unsigned n)
{
	const struct forged forged = right_frame(villain, dst, len);
	for (unsigned i = 0; i < n; i++)
		throw_datagram(villain, &forged);
}

static void flood_everybody(struct villain *villain)
{
	flood(villain, party_broadcast, 60, 20);
}

static void flood_nobody(struct villain *villain)
{
	flood(villain, (struct weft_mac){ { 0, 1, 2, 3, 4, (uint8_t)villain->turn } }, 60,
	      20);
}

static void flood_bob(struct villain *villain)
{
	flood(villain, guest_mac(2), 1300, 8);
}

static void throw_noise(struct villain *villain)
{
	struct forged forged = { .len = 1 + villain->turn * 37 % 1200 };
	for (size_t i = 0; i < forged.len; i++)
		forged.data[i] = (uint8_t)(villain->deeds * 2654435761u >> (i % 24));
	for (unsigned i = 0; i < 3; i++)
		throw_datagram(villain, &forged);
}

static void throw_part(struct villain *villain, enum overlay_type type, unsigned number)
{
	struct forged forged = right_frame(villain, guest_mac(2), 1000);
	const struct overlay_hdr hdr = { .type = (uint8_t)type,
					 .number = (uint16_t)number,
					 .room = villain->stranger.welcome.room,
					 .peer = villain->stranger.welcome.peer };
	overlay_hdr_emit(forged.data, &hdr);
	throw_datagram(villain, &forged);
}

/* Beginnings without an end, and ends without a beginning. */
static void throw_parts(struct villain *villain)
{
	for (unsigned i = 0; i < 4; i++)
		throw_part(villain, i & 1 ? OVERLAY_LAST : OVERLAY_FIRST,
			   4 * villain->turn + i);
}

/* Frames of 2,000 bytes, which only come in parts. */
static void throw_giants(struct villain *villain)
{
	for (unsigned i = 0; i < 2; i++) {
		throw_part(villain, OVERLAY_FIRST, 2 * villain->turn + i);
		throw_part(villain, OVERLAY_LAST, 2 * villain->turn + i);
	}
}

/* Of each length from nothing to one byte less than a frame. */
static void throw_runts(struct villain *villain)
{
	struct forged forged = right_frame(villain, guest_mac(2), 60);
	for (forged.len = 0; forged.len < OVERLAY_LEN + ETHER_LEN; forged.len++)
		throw_datagram(villain, &forged);
}

/* ---- those who talk ---------------------------------------------------------------------- */

/* What he has not read the answers to may fill his connection. */
static void write_bytes(struct villain *villain, const void *data, size_t len)
{
	int r = stranger_writes(&villain->stranger, data, len);
	assert_true(r == 0 || r == -ENOBUFS);
}

static void write_json(struct villain *villain, const char *json)
{
	int r = stranger_writes_json(&villain->stranger, json);
	assert_true(r == 0 || r == -ENOBUFS);
}

static void write_hello(struct villain *villain, const struct hello *hello, size_t len)
{
	const struct message message = { .type = MESSAGE_HELLO, .hello = *hello };
	struct message_frame frame;
	assert_int_equal(message_encode(&message, &frame), 0);
	if (len > frame.len)
		len = frame.len;
	write_bytes(villain, frame.data, len);
	free(frame.data);
}

static void chatter(struct villain *villain)
{
	write_json(villain, "{\"type\":\"stats\",\"rx_frames\":1}");
}

static void claim_others(struct villain *villain)
{
	static const char *const claims[] = {
		"{\"type\":\"claim\",\"macs\":[\"02:00:00:00:00:01\"]}",
		("{\"type\":\"claim\",\"macs\":[\"02:00:00:00:00:02\","
		 "\"02:00:00:00:00:03\"]}"),
		"{\"type\":\"release\",\"macs\":[\"02:00:00:00:00:01\"]}",
	};
	if (villain->turn % 120 == 1)
		write_json(villain, claims[villain->turn / 120 % ARRAY_LEN(claims)]);
}

static void talk_nonsense(struct villain *villain)
{
	static const char *const texts[] = {
		"{\"type\":\"hallo\"}",
		"{\"type\":\"stats\",\"rx_frames\":-1}",
		"stats",
		"[]",
		"{}",
		"{\"type\":7}",
		"{\"type\":\"peer-left\",\"peer\":1,\"code\":\"left\"}",
		"{\"type\":\"claim\",\"macs\":[\"ff:ff:ff:ff:ff:ff\"]}",
		"{\"type\":\"claim\",\"macs\":{}}",
		"{\"type\":\"stats\",\"rx_frames\":9223372036854775808}",
		"{\"type\":\"stats\",\"type\":\"stats\"}",
		"{\"type\":\"disconnect\",\"code\":\"left\",\"text\":\"\\u0000\"}",
		"{\"type\":\"disconnect\",\"code\":\"left\",\"text\":\"\xff\"}",
		"{\"type\":\"stats\"} {\"type\":\"stats\"}",
	};
	write_json(villain, texts[villain->visits % ARRAY_LEN(texts)]);
}

/* Nothing, a byte too much, and as much as there can be. */
static void announce_wrong_lengths(struct villain *villain)
{
	static const uint8_t heads[][CONTROL_HEAD_LEN] = { { 0, 0, 0, 0 },
							   { 0, 1, 0, 1 },
							   { 0xff, 0xff, 0xff, 0xff } };
	write_bytes(villain, heads[villain->visits % ARRAY_LEN(heads)], CONTROL_HEAD_LEN);
}

/* As deep as a message is long. */
static void nest_deeply(struct villain *villain)
{
	static uint8_t frame[CONTROL_HEAD_LEN + CONTROL_BODY_MAX];
	control_emit_head(frame, CONTROL_BODY_MAX);
	memset(frame + CONTROL_HEAD_LEN, '[', CONTROL_BODY_MAX);
	if (villain->turn == 1)
		write_bytes(villain, frame, sizeof(frame));
}

/* 64 KiB of which only a little comes at a time. */
static void talk_slowly(struct villain *villain)
{
	static const uint8_t head[] = { 0, 1, 0, 0, '{' };
	if (villain->turn == 1)
		write_bytes(villain, head, sizeof(head));
	else
		write_bytes(villain, " ", 1);
}

static void say_hello_again(struct villain *villain)
{
	const struct hello hello = stranger_hello(&villain->stranger);
	write_hello(villain, &hello, SIZE_MAX);
}

/* As many as the relay lets him. */
static void open_streams(struct villain *villain)
{
	struct quic_conn *conn = villain->stranger.conn;
	const bool is_uni = villain->visits & 1;
	int64_t stream;
	while (villain->turn == 1 && quic_conn_open_stream(conn, is_uni, &stream) == 0)
		assert_int_equal(quic_conn_send_stream(conn, stream, (const uint8_t *)"x",
						       1, false),
				 0);
}

static void end_the_stream(struct villain *villain)
{
	if (villain->turn == 1)
		assert_int_equal(quic_conn_send_stream(villain->stranger.conn,
						       CHANNEL_STREAM, NULL, 0, true),
				 0);
}

/* Claims all that he may and gives it back, so often as is borne, and takes his leave. */
static void come_and_go(struct villain *villain)
{
	char macs[LAN_CLAIMS_MAX * sizeof("\"00:00:00:00:00:00\",")] = "", json[512];
	struct fmt f;
	if (villain->turn > 1)
		return;
	fmt_init(&f, macs, sizeof(macs));
	for (unsigned i = 0; i < LAN_CLAIMS_MAX; i++)
		fmt_add(&f, "%s\"02:00:00:01:%02x:%02x\"", i > 0 ? "," : "",
			villain->number, i);
	for (unsigned i = 0; i + 1 < VISITOR_MESSAGES_BURST; i++) {
		(void)snprintf(json, sizeof(json), "{\"type\":\"%s\",\"macs\":[%s]}",
			       i & 1 ? "release" : "claim", macs);
		write_json(villain, json);
	}
	write_json(villain, "{\"type\":\"disconnect\",\"code\":\"left\"}");
}

/* ---- those who are not let in ------------------------------------------------------------ */

static void say_nothing(struct villain *villain)
{
	(void)villain;
}

static void say_half_a_hello(struct villain *villain)
{
	const struct hello hello = stranger_hello(&villain->stranger);
	if (villain->turn == 1)
		write_hello(villain, &hello, 100);
}

static void throw_early(struct villain *villain)
{
	villain->stranger.welcome = (struct welcome){ .room = 1, .peer = 1 };
	flood(villain, guest_mac(2), 60, 3);
}

static void prove_nothing(struct villain *villain)
{
	struct hello hello = stranger_hello(&villain->stranger);
	hello.proof[villain->visits % sizeof(hello.proof)] ^= 1;
	if (villain->turn == 1)
		write_hello(villain, &hello, SIZE_MAX);
}

/* The right hello of the connection before, as one in the middle would pass it on. */
static void replay_a_proof(struct villain *villain)
{
	const struct hello own = stranger_hello(&villain->stranger);
	if (villain->turn > 1)
		return;
	if (villain->has_kept) {
		write_hello(villain, &villain->kept, SIZE_MAX);
		return;
	}
	villain->kept = own;
	villain->has_kept = true;
	prove_nothing(villain);
}

static void want_alices_mac(struct villain *villain)
{
	struct hello hello = stranger_hello(&villain->stranger);
	hello.mac = guest_mac(1);
	if (villain->turn == 1)
		write_hello(villain, &hello, SIZE_MAX);
}

/* Is in, and from then on nothing of his arrives: no acknowledgement either. */
static void fall_silent(struct villain *villain)
{
	villain->stranger.socket->messages_left = 0;
}

/* The other way round: hears nothing from then on, and sends. */
static void read_nothing(struct villain *villain)
{
	villain->stranger.socket->is_deaf = true;
	flood(villain, guest_mac(2), 60, 1);
}

/* Begins connections that go no further than his first packet. */
static void knock_and_run(struct villain *villain)
{
	if (villain->turn == KNOCK_TURNS)
		run_away(villain);
}

const struct villain_kind villain_kinds[] = {
	{ "forges headers", forge_headers, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "spoofs sources", spoof_sources, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "sends what is for switches", send_control_frames, VILLAIN_JOINS,
	  VILLAIN_STAYS },
	{ "is someone else", be_someone_else, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "is in every group", be_in_every_group, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "has every address", have_every_address, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "is a large LAN", be_a_large_lan, VILLAIN_IS_GATEWAY, VILLAIN_STAYS },
	{ "floods everybody", flood_everybody, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "floods nobody", flood_nobody, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "floods bob", flood_bob, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "throws noise", throw_noise, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "throws parts", throw_parts, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "throws giants", throw_giants, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "throws runts", throw_runts, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "chatters", chatter, VILLAIN_JOINS, CLOSE_TOO_MANY },
	{ "claims others' MACs", claim_others, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "talks nonsense", talk_nonsense, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "nests deeply", nest_deeply, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "announces wrong lengths", announce_wrong_lengths, VILLAIN_JOINS,
	  CLOSE_PROTOCOL },
	{ "talks slowly", talk_slowly, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "says hello again", say_hello_again, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "opens streams", open_streams, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "ends the stream", end_the_stream, VILLAIN_JOINS, CLOSE_PROTOCOL },
	{ "comes and goes", come_and_go, VILLAIN_JOINS, CLOSE_NORMAL },
	{ "falls silent", fall_silent, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "reads nothing", read_nothing, VILLAIN_JOINS, VILLAIN_STAYS },
	{ "says nothing", say_nothing, VILLAIN_CONNECTS, CLOSE_HELLO_TIMEOUT },
	{ "says half a hello", say_half_a_hello, VILLAIN_CONNECTS, CLOSE_HELLO_TIMEOUT },
	{ "is early", throw_early, VILLAIN_CONNECTS, CLOSE_HELLO_TIMEOUT },
	{ "proves nothing", prove_nothing, VILLAIN_CONNECTS, CLOSE_REFUSED },
	{ "replays a proof", replay_a_proof, VILLAIN_CONNECTS, CLOSE_REFUSED },
	{ "wants alice's MAC", want_alices_mac, VILLAIN_CONNECTS, CLOSE_REFUSED },
	{ "knocks and runs", knock_and_run, VILLAIN_KNOCKS, VILLAIN_STAYS },
};
const size_t villain_kinds_n = ARRAY_LEN(villain_kinds);

/* ---- coming and going -------------------------------------------------------------------- */

void villain_init(struct villain *villain, const struct villain_kind *kind,
		  struct venue *venue, uint8_t number)
{
	*villain = (struct villain){ .kind = kind, .venue = venue, .number = number };
}

static void leave(struct villain *villain)
{
	const struct quic_close *why = &villain->stranger.why;
	if (why->kind == QUIC_CLOSE_PEER_APP &&
	    why->code == (uint64_t)villain->kind->end) {
		villain->ends++;
	} else {
		print_message("# who %s was closed: kind %d, code %llu, %s\n",
			      villain->kind->name, (int)why->kind,
			      (unsigned long long)why->code, why->reason);
		villain->other_ends++;
	}
	run_away(villain);
}

static void dial(struct villain *villain)
{
	struct stranger *stranger = &villain->stranger;
	stranger_dials(stranger, villain->venue, villain->number);
	if (villain->kind->way == VILLAIN_KNOCKS) {
		stranger->socket->messages_left = 1;
		stranger->socket->is_deaf = true;
	}
	villain->is_here = true;
	villain->said_hello = false;
	villain->turn = 0;
	villain->visits++;
}

/* True when he is where his deeds are done. */
static bool is_in(struct villain *villain)
{
	struct stranger *stranger = &villain->stranger;
	if (!stranger->is_established)
		return villain->kind->way == VILLAIN_KNOCKS;
	if (villain->kind->way == VILLAIN_CONNECTS)
		return true;
	if (!villain->said_hello) {
		const struct hello hello = stranger_hello(stranger);
		write_hello(villain, &hello, SIZE_MAX);
		villain->said_hello = true;
	}
	return stranger->heard[MESSAGE_WELCOME] > 0;
}

void villain_turn(struct villain *villain)
{
	if (!villain->is_here && villain->venue->now(villain->venue) < villain->back_at)
		return;
	if (!villain->is_here) {
		dial(villain);
	} else if (!villain->stranger.conn) {
		leave(villain);
	} else if (is_in(villain)) {
		villain->turn++;
		villain->deeds++;
		villain->kind->deed(villain);
	}
}

void villain_fini(struct villain *villain)
{
	if (!villain->is_here)
		return;
	villain->denials += villain->stranger.heard[MESSAGE_DENIED];
	villain->sent += villain->stranger.socket->sent;
	villain->received += villain->stranger.socket->received;
	stranger_fini(&villain->stranger);
	villain->is_here = false;
}
