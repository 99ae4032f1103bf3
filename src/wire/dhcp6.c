/* SPDX-License-Identifier: MIT */
/*
 * The options of DHCPv6. Each may stand once (RFC 8415, 21): of an option that comes again the
 * first counts, and of lists that come again what is in all of them does no harm.
 */
#include "wire/dhcp6.h"

#include "wire/cursor.h"

#include <errno.h>
#include <string.h>

#define DUID_LEN_MIN  3u /* A type, and something. */
#define DUID_LL       3u
#define HTYPE_ETHER   1u
#define STATUS_LEN    2u /* And a text. */
#define SECONDS_LEN   4u
#define REQUESTED_LEN 2u

struct dhcp6_duid dhcp6_duid_of_mac(struct weft_mac mac)
{
	struct dhcp6_duid duid = { .len = 0 };
	struct writer w = writer_of(duid.octet, sizeof(duid.octet));
	writer_u16(&w, DUID_LL);
	writer_u16(&w, HTYPE_ETHER);
	writer_bytes(&w, mac.octet, sizeof(mac.octet));
	duid.len = (uint8_t)w.off;
	return duid;
}

bool dhcp6_duid_equal(const struct dhcp6_duid *a, const struct dhcp6_duid *b)
{
	return a->len == b->len && memcmp(a->octet, b->octet, a->len) == 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Each takes the value of one option, whole. */

static void read_duid(struct reader *r, struct dhcp6_duid *duid)
{
	const size_t len = reader_left(r);
	if (duid->len > 0 || len < DUID_LEN_MIN || len > DHCP6_DUID_MAX)
		return;
	reader_copy(r, duid->octet, len);
	duid->len = (uint8_t)len;
}

static void read_requested(struct reader *r, struct dhcp6_msg *msg)
{
	if (reader_left(r) % REQUESTED_LEN != 0)
		return;
	while (reader_left(r) > 0 && msg->requested_n < DHCP6_REQUESTED_MAX)
		msg->requested[msg->requested_n++] = reader_u16(r);
}

static void read_servers(struct reader *r, struct dhcp6_msg *msg)
{
	if (reader_left(r) % IP6_ADDR_LEN != 0)
		return;
	while (reader_left(r) > 0 && msg->servers_n < DHCP6_SERVERS_MAX) {
		struct ip6_addr *server = &msg->servers[msg->servers_n++];
		reader_copy(r, server->octet, sizeof(server->octet));
	}
}

/* One that is none makes the whole list none. */
static void read_domains(struct reader *r, struct dhcp6_msg *msg)
{
	const uint8_t before = msg->domains_n;
	while (reader_left(r) > 0 && msg->domains_n < DHCP6_DOMAINS_MAX) {
		if (dns_name_parse_whole(r, &msg->domains[msg->domains_n]) < 0) {
			msg->domains_n = before;
			return;
		}
		msg->domains_n++;
	}
}

static void read_seconds(struct reader *r, uint32_t *seconds)
{
	if (reader_left(r) == SECONDS_LEN && *seconds == 0)
		*seconds = reader_u32(r);
}

static void read_refresh(struct reader *r, struct dhcp6_msg *msg)
{
	if (msg->has_refresh || reader_left(r) != SECONDS_LEN)
		return;
	msg->has_refresh = true;
	msg->refresh_s = reader_u32(r);
}

static void read_elapsed(struct reader *r, struct dhcp6_msg *msg)
{
	if (msg->has_elapsed || reader_left(r) != sizeof(msg->elapsed_cs))
		return;
	msg->has_elapsed = true;
	msg->elapsed_cs = reader_u16(r);
}

static void read_status(struct reader *r, struct dhcp6_msg *msg)
{
	if (msg->status == 0 && reader_left(r) >= STATUS_LEN)
		msg->status = reader_u16(r);
}

static void read_option(struct reader *r, uint16_t code, struct dhcp6_msg *msg)
{
	switch (code) {
	case DHCP6_OPT_CLIENT_ID:
		read_duid(r, &msg->client_id);
		break;
	case DHCP6_OPT_SERVER_ID:
		read_duid(r, &msg->server_id);
		break;
	case DHCP6_OPT_REQUEST:
		read_requested(r, msg);
		break;
	case DHCP6_OPT_ELAPSED:
		read_elapsed(r, msg);
		break;
	case DHCP6_OPT_STATUS:
		read_status(r, msg);
		break;
	case DHCP6_OPT_DNS_SERVERS:
		read_servers(r, msg);
		break;
	case DHCP6_OPT_DOMAINS:
		read_domains(r, msg);
		break;
	case DHCP6_OPT_REFRESH:
		read_refresh(r, msg);
		break;
	case DHCP6_OPT_SOL_MAX_RT:
		read_seconds(r, &msg->sol_max_rt_s);
		break;
	case DHCP6_OPT_INF_MAX_RT:
		read_seconds(r, &msg->inf_max_rt_s);
		break;
	default:
		break;
	}
}

int dhcp6_msg_parse(const uint8_t *data, size_t len, struct dhcp6_msg *ret_msg)
{
	struct reader r = reader_of(data, len);
	struct dhcp6_msg msg = { .type = reader_u8(&r) };
	msg.xid = reader_u24(&r);
	if (r.bad)
		return -EBADMSG;
	if (msg.type == DHCP6_RELAY_FORWARD || msg.type == DHCP6_RELAY_REPLY)
		return -EPROTONOSUPPORT;
	while (reader_left(&r) > 0) {
		const uint16_t code = reader_u16(&r);
		struct reader value = reader_sub(&r, reader_u16(&r));
		if (r.bad)
			return -EBADMSG;
		read_option(&value, code, &msg);
	}
	*ret_msg = msg;
	return 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_head(struct writer *w, uint16_t code, size_t len)
{
	writer_u16(w, code);
	writer_u16(w, (uint16_t)len);
}

static void write_duid(struct writer *w, uint16_t code, const struct dhcp6_duid *duid)
{
	if (duid->len == 0)
		return;
	write_head(w, code, duid->len);
	writer_bytes(w, duid->octet, duid->len);
}

static void write_u16(struct writer *w, uint16_t code, uint16_t value)
{
	write_head(w, code, sizeof(value));
	writer_u16(w, value);
}

static void write_seconds(struct writer *w, uint16_t code, uint32_t seconds)
{
	write_head(w, code, SECONDS_LEN);
	writer_u32(w, seconds);
}

static void write_names(struct writer *w, const struct dhcp6_msg *msg)
{
	size_t len = 0;
	if (msg->servers_n > 0)
		write_head(w, DHCP6_OPT_DNS_SERVERS,
			   (size_t)msg->servers_n * IP6_ADDR_LEN);
	for (unsigned i = 0; i < msg->servers_n; i++)
		writer_bytes(w, msg->servers[i].octet, IP6_ADDR_LEN);
	for (unsigned i = 0; i < msg->domains_n; i++)
		len += msg->domains[i].len;
	if (msg->domains_n > 0)
		write_head(w, DHCP6_OPT_DOMAINS, len);
	for (unsigned i = 0; i < msg->domains_n; i++)
		dns_name_emit(w, &msg->domains[i]);
}

static void write_requested(struct writer *w, const struct dhcp6_msg *msg)
{
	if (msg->requested_n == 0)
		return;
	write_head(w, DHCP6_OPT_REQUEST, (size_t)msg->requested_n * REQUESTED_LEN);
	for (unsigned i = 0; i < msg->requested_n; i++)
		writer_u16(w, msg->requested[i]);
}

static void write_numbers(struct writer *w, const struct dhcp6_msg *msg)
{
	if (msg->has_elapsed)
		write_u16(w, DHCP6_OPT_ELAPSED, msg->elapsed_cs);
	if (msg->status)
		write_u16(w, DHCP6_OPT_STATUS, msg->status);
	if (msg->has_refresh)
		write_seconds(w, DHCP6_OPT_REFRESH, msg->refresh_s);
	if (msg->sol_max_rt_s)
		write_seconds(w, DHCP6_OPT_SOL_MAX_RT, msg->sol_max_rt_s);
	if (msg->inf_max_rt_s)
		write_seconds(w, DHCP6_OPT_INF_MAX_RT, msg->inf_max_rt_s);
}

static bool fits(const struct dhcp6_msg *msg)
{
	return msg->client_id.len <= DHCP6_DUID_MAX &&
	       msg->server_id.len <= DHCP6_DUID_MAX &&
	       msg->requested_n <= DHCP6_REQUESTED_MAX &&
	       msg->servers_n <= DHCP6_SERVERS_MAX && msg->domains_n <= DHCP6_DOMAINS_MAX;
}

int dhcp6_msg_emit(uint8_t *buf, size_t len, const struct dhcp6_msg *msg)
{
	struct writer w = writer_of(buf, len);
	if (!fits(msg))
		return -EINVAL;
	writer_u8(&w, msg->type);
	writer_u24(&w, msg->xid);
	write_duid(&w, DHCP6_OPT_CLIENT_ID, &msg->client_id);
	write_duid(&w, DHCP6_OPT_SERVER_ID, &msg->server_id);
	write_requested(&w, msg);
	write_numbers(&w, msg);
	write_names(&w, msg);
	return w.bad ? -ENOBUFS : (int)w.off;
}
