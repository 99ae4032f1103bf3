/* SPDX-License-Identifier: MIT */
/*
 * DHCP messages. The option fields are walked once to see that every option ends within its
 * field; after that an option is looked up by its code, and the lookup joins the pieces of
 * an option that comes in several (RFC 3396). That makes a dozen walks over a few hundred
 * bytes: nobody sends DHCP fast.
 */
#include "wire/dhcp.h"

#include "base/mac.h"
#include "wire/cursor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define DHCP_MAGIC        0x63825363u
#define HTYPE_ETHERNET    1u
#define FLAG_BROADCAST    0x8000u
#define SNAME_LEN         64u
#define FILE_LEN          128u
#define OVERLOAD_FILE     1u
#define OVERLOAD_SNAME    2u
#define OPTION_LEN_MAX    255u
#define CHADDR_FIELD_LEN  16u
#define DNS_SELECTION_LEN 9u /* Before the domains. */

/* The fields that hold options, in the order in which pieces are joined. */
struct fields {
	struct reader field[3];
	size_t n;
};

/*
 * Moves to the next option of r that is not padding. Returns 1 with its code and value, 0 at
 * the end, and -EBADMSG when the option goes past the field.
 */
static int next_option(struct reader *r, uint8_t *ret_code, struct reader *ret_value)
{
	uint8_t code = DHCP_OPT_PAD;
	while (code == DHCP_OPT_PAD && reader_left(r) > 0)
		code = reader_u8(r);
	if (code == DHCP_OPT_PAD || code == DHCP_OPT_END)
		return 0;
	uint8_t len = reader_u8(r);
	struct reader value = reader_sub(r, len);
	if (r->bad)
		return -EBADMSG;
	*ret_code = code;
	*ret_value = value;
	return 1;
}

static int check_field(struct reader field)
{
	uint8_t code;
	struct reader value;
	int r;
	do
		r = next_option(&field, &code, &value);
	while (r > 0);
	return r;
}

/* Joins the pieces of an option in buf. Returns the bytes, 0 if it is absent, at most len. */
static size_t find_option(const struct fields *fields, uint8_t wanted, void *buf,
			  size_t len)
{
	struct writer w = writer_of(buf, len);
	for (size_t i = 0; i < fields->n; i++) {
		struct reader field = fields->field[i];
		struct reader value;
		uint8_t code;
		while (next_option(&field, &code, &value) > 0) {
			if (code != wanted)
				continue;
			size_t n =
				value.len < writer_left(&w) ? value.len : writer_left(&w);
			writer_bytes(&w, value.data, n);
		}
	}
	return w.off;
}

/* Options of one number: 0 if absent or of another length. */
static uint8_t option_u8(const struct fields *fields, uint8_t code)
{
	uint8_t buf[2];
	return find_option(fields, code, buf, sizeof(buf)) == 1 ? buf[0] : 0;
}

static uint16_t option_u16(const struct fields *fields, uint8_t code)
{
	uint8_t buf[3];
	return find_option(fields, code, buf, sizeof(buf)) == 2 ? load_be16(buf) : 0;
}

static uint32_t option_u32(const struct fields *fields, uint8_t code)
{
	uint8_t buf[5];
	return find_option(fields, code, buf, sizeof(buf)) == 4 ? load_be32(buf) : 0;
}

/* A list of addresses; returns how many were stored. */
static uint8_t option_addrs(const struct fields *fields, uint8_t code,
			    uint32_t ret_addrs[DHCP_ADDRS_MAX])
{
	uint8_t buf[DHCP_ADDRS_MAX * 4];
	size_t n = find_option(fields, code, buf, sizeof(buf)) / 4;
	for (size_t i = 0; i < n; i++)
		ret_addrs[i] = load_be32(buf + i * 4);
	return (uint8_t)n;
}

/* A text, which ends at the first NUL that is in it (RFC 2132, 2). */
static void option_text(const struct fields *fields, uint8_t code,
			char ret[DHCP_TEXT_LEN])
{
	size_t n = find_option(fields, code, ret, DHCP_TEXT_LEN - 1);
	ret[n] = '\0';
}

/*
 * RFC 6731, 4.3: flags, two servers, the domains that they are for. A domain of the root would
 * make it a server for all names, which is what DHCP_OPT_DNS is for.
 */
static void option_dns_selection(const struct fields *fields, struct dhcp_msg *msg)
{
	uint8_t buf[DNS_SELECTION_LEN + DNS_NAME_LEN_MAX];
	struct reader r = reader_of(
		buf, find_option(fields, DHCP_OPT_DNS_SELECTION, buf, sizeof(buf)));
	struct dns_name domain;
	reader_skip(&r, 1);
	uint32_t server = reader_u32(&r);
	reader_skip(&r, 4);
	if (dns_name_parse(&r, &domain) < 0 || domain.len == 1)
		return;
	msg->domain_dns = server;
	msg->domain_dns_domain = domain;
}

/* Finds and checks the option fields. data holds DHCP_LEN bytes at least. */
static int find_fields(const uint8_t *data, size_t len, struct fields *ret_fields)
{
	struct fields fields = { .n = 1 };
	fields.field[0] = reader_of(data + DHCP_LEN, len - DHCP_LEN);
	if (check_field(fields.field[0]) < 0)
		return -EBADMSG;
	uint8_t overload = option_u8(&fields, DHCP_OPT_OVERLOAD);
	if (overload & OVERLOAD_FILE)
		fields.field[fields.n++] = reader_of(data + DHCP_OFF_FILE, FILE_LEN);
	if (overload & OVERLOAD_SNAME)
		fields.field[fields.n++] = reader_of(data + DHCP_OFF_SNAME, SNAME_LEN);
	for (size_t i = 1; i < fields.n; i++) {
		if (check_field(fields.field[i]) < 0)
			return -EBADMSG;
	}
	*ret_fields = fields;
	return 0;
}

static void read_fixed(const uint8_t *data, struct dhcp_msg *msg)
{
	msg->op = data[DHCP_OFF_OP];
	msg->hops = data[DHCP_OFF_HOPS];
	msg->xid = load_be32(data + DHCP_OFF_XID);
	msg->secs = load_be16(data + DHCP_OFF_SECS);
	msg->broadcast = load_be16(data + DHCP_OFF_FLAGS) & FLAG_BROADCAST;
	msg->ciaddr = load_be32(data + DHCP_OFF_CIADDR);
	msg->yiaddr = load_be32(data + DHCP_OFF_YIADDR);
	msg->siaddr = load_be32(data + DHCP_OFF_SIADDR);
	msg->giaddr = load_be32(data + DHCP_OFF_GIADDR);
	msg->chaddr = mac_load(data + DHCP_OFF_CHADDR);
}

static void read_options(const struct fields *fields, struct dhcp_msg *msg)
{
	msg->type = option_u8(fields, DHCP_OPT_TYPE);
	msg->subnet_mask = option_u32(fields, DHCP_OPT_SUBNET_MASK);
	msg->broadcast_addr = option_u32(fields, DHCP_OPT_BROADCAST);
	msg->requested_ip = option_u32(fields, DHCP_OPT_REQUESTED_IP);
	msg->server_id = option_u32(fields, DHCP_OPT_SERVER_ID);
	msg->lease_s = option_u32(fields, DHCP_OPT_LEASE);
	msg->renewal_s = option_u32(fields, DHCP_OPT_RENEWAL);
	msg->rebinding_s = option_u32(fields, DHCP_OPT_REBINDING);
	msg->mtu = option_u16(fields, DHCP_OPT_MTU);
	msg->len_max = option_u16(fields, DHCP_OPT_MAX_LEN);
	msg->routers_n = option_addrs(fields, DHCP_OPT_ROUTER, msg->routers);
	msg->dns_n = option_addrs(fields, DHCP_OPT_DNS, msg->dns);
	msg->params_n = (uint8_t)find_option(fields, DHCP_OPT_PARAMS, msg->params,
					     sizeof(msg->params));
	msg->client_id_len = (uint8_t)find_option(fields, DHCP_OPT_CLIENT_ID,
						  msg->client_id, sizeof(msg->client_id));
	option_dns_selection(fields, msg);
	option_text(fields, DHCP_OPT_HOST_NAME, msg->host_name);
	option_text(fields, DHCP_OPT_DOMAIN, msg->domain);
	option_text(fields, DHCP_OPT_MESSAGE, msg->message);
}

int dhcp_msg_parse(const uint8_t *data, size_t len, struct dhcp_msg *ret_msg)
{
	if (len < DHCP_LEN || load_be32(data + DHCP_OFF_MAGIC) != DHCP_MAGIC)
		return -EBADMSG;
	uint8_t op = data[DHCP_OFF_OP];
	if (op != DHCP_OP_REQUEST && op != DHCP_OP_REPLY)
		return -EBADMSG;
	if (data[DHCP_OFF_HTYPE] != HTYPE_ETHERNET || data[DHCP_OFF_HLEN] != MAC_LEN)
		return -EPROTONOSUPPORT;
	struct fields fields;
	if (find_fields(data, len, &fields) < 0)
		return -EBADMSG;
	struct dhcp_msg msg = { 0 };
	read_fixed(data, &msg);
	read_options(&fields, &msg);
	*ret_msg = msg;
	return 0;
}

static void write_fixed(struct writer *w, const struct dhcp_msg *msg)
{
	writer_u8(w, msg->op);
	writer_u8(w, HTYPE_ETHERNET);
	writer_u8(w, MAC_LEN);
	writer_u8(w, msg->hops);
	writer_u32(w, msg->xid);
	writer_u16(w, msg->secs);
	writer_u16(w, msg->broadcast ? FLAG_BROADCAST : 0);
	writer_u32(w, msg->ciaddr);
	writer_u32(w, msg->yiaddr);
	writer_u32(w, msg->siaddr);
	writer_u32(w, msg->giaddr);
	writer_bytes(w, msg->chaddr.octet, MAC_LEN);
	writer_fill(w, 0, CHADDR_FIELD_LEN - MAC_LEN);
	writer_fill(w, 0, SNAME_LEN + FILE_LEN);
	writer_u32(w, DHCP_MAGIC);
}

static void put_bytes(struct writer *w, uint8_t code, const void *value, size_t n)
{
	if (n == 0)
		return;
	writer_u8(w, code);
	writer_u8(w, (uint8_t)n);
	writer_bytes(w, value, n);
}

static void put_u8(struct writer *w, uint8_t code, uint8_t value)
{
	put_bytes(w, code, &value, value ? 1 : 0);
}

static void put_u16(struct writer *w, uint8_t code, uint16_t value)
{
	uint8_t buf[2];
	store_be16(buf, value);
	put_bytes(w, code, buf, value ? sizeof(buf) : 0);
}

static void put_u32(struct writer *w, uint8_t code, uint32_t value)
{
	uint8_t buf[4];
	store_be32(buf, value);
	put_bytes(w, code, buf, value ? sizeof(buf) : 0);
}

static void put_addrs(struct writer *w, uint8_t code, const uint32_t *addrs, size_t n)
{
	uint8_t buf[DHCP_ADDRS_MAX * 4];
	assert(n <= DHCP_ADDRS_MAX); /* dhcp_msg_emit has looked */
	for (size_t i = 0; i < n; i++)
		store_be32(buf + i * 4, addrs[i]);
	put_bytes(w, code, buf, n * 4);
}

static void put_text(struct writer *w, uint8_t code, const char text[DHCP_TEXT_LEN])
{
	put_bytes(w, code, text, strnlen(text, OPTION_LEN_MAX));
}

static void put_dns_selection(struct writer *w, const struct dhcp_msg *msg)
{
	if (msg->domain_dns == 0)
		return;
	writer_u8(w, DHCP_OPT_DNS_SELECTION);
	writer_u8(w, (uint8_t)(DNS_SELECTION_LEN + msg->domain_dns_domain.len));
	writer_u8(w, 0); /* preference: medium */
	writer_u32(w, msg->domain_dns);
	writer_u32(w, 0);
	dns_name_emit(w, &msg->domain_dns_domain);
}

/* The type comes first, as servers and people expect it. */
static void write_options(struct writer *w, const struct dhcp_msg *msg)
{
	put_u8(w, DHCP_OPT_TYPE, msg->type);
	put_u32(w, DHCP_OPT_SERVER_ID, msg->server_id);
	put_u32(w, DHCP_OPT_REQUESTED_IP, msg->requested_ip);
	put_u32(w, DHCP_OPT_LEASE, msg->lease_s);
	put_u32(w, DHCP_OPT_RENEWAL, msg->renewal_s);
	put_u32(w, DHCP_OPT_REBINDING, msg->rebinding_s);
	put_u32(w, DHCP_OPT_SUBNET_MASK, msg->subnet_mask);
	put_u32(w, DHCP_OPT_BROADCAST, msg->broadcast_addr);
	put_addrs(w, DHCP_OPT_ROUTER, msg->routers, msg->routers_n);
	put_addrs(w, DHCP_OPT_DNS, msg->dns, msg->dns_n);
	put_u16(w, DHCP_OPT_MTU, msg->mtu);
	put_u16(w, DHCP_OPT_MAX_LEN, msg->len_max);
	put_bytes(w, DHCP_OPT_CLIENT_ID, msg->client_id, msg->client_id_len);
	put_bytes(w, DHCP_OPT_PARAMS, msg->params, msg->params_n);
	put_text(w, DHCP_OPT_HOST_NAME, msg->host_name);
	put_text(w, DHCP_OPT_DOMAIN, msg->domain);
	put_text(w, DHCP_OPT_MESSAGE, msg->message);
	put_dns_selection(w, msg);
	writer_u8(w, DHCP_OPT_END);
}

int dhcp_msg_emit(uint8_t *buf, size_t len, const struct dhcp_msg *msg)
{
	if (msg->routers_n > DHCP_ADDRS_MAX || msg->dns_n > DHCP_ADDRS_MAX ||
	    msg->params_n > DHCP_PARAMS_MAX || msg->client_id_len > DHCP_CLIENT_ID_MAX ||
	    msg->domain_dns_domain.len > DHCP_DOMAIN_LEN_MAX)
		return -EINVAL;
	struct writer w = writer_of(buf, len);
	write_fixed(&w, msg);
	write_options(&w, msg);
	if (w.off < DHCP_LEN_MIN)
		writer_fill(&w, DHCP_OPT_PAD, DHCP_LEN_MIN - w.off);
	return w.bad ? -ENOBUFS : (int)w.off;
}

const char *dhcp_type_name(uint8_t type)
{
	static const char *const names[256] = {
		[0] = "BOOTP",
		[DHCP_DISCOVER] = "DHCPDISCOVER",
		[DHCP_OFFER] = "DHCPOFFER",
		[DHCP_REQUEST] = "DHCPREQUEST",
		[DHCP_DECLINE] = "DHCPDECLINE",
		[DHCP_ACK] = "DHCPACK",
		[DHCP_NAK] = "DHCPNAK",
		[DHCP_RELEASE] = "DHCPRELEASE",
		[DHCP_INFORM] = "DHCPINFORM",
	};
	return names[type] ? names[type] : "DHCP";
}
