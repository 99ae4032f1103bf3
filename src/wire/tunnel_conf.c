/* SPDX-License-Identifier: MIT */
/*
 * The header comes from a server that the client has chosen, and possibly through somebody
 * who stands between: it is read like any other packet.
 */
#include "wire/tunnel_conf.h"

#include "wire/cursor.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define IP4_ADDR_LEN   4u
#define IP4_PREFIX_MAX 32u
#define SHORT_LEN      7u
#define LONG_LEN_MAX   (5u + TUNNEL_CONF_IPS_MAX * (4u + 5u))

_Static_assert(TUNNEL_CONF_TEXT ==
		       sodium_base64_ENCODED_LEN(SHORT_LEN,
						 sodium_base64_VARIANT_ORIGINAL),
	       "the short form fits");

static struct weft_ip read_ip4(struct reader *r, uint8_t prefix)
{
	struct weft_ip ip = { .family = AF_INET, .prefix = prefix };

	reader_copy(r, ip.octet, IP4_ADDR_LEN);
	return ip;
}

static void read_long(struct reader *r, uint8_t prefix, struct tunnel_conf *conf)
{
	conf->ips_n = reader_u8(r);
	for (unsigned i = 0; i < conf->ips_n; i++)
		conf->ips[i] = read_ip4(r, prefix);
	conf->routes_n = reader_u8(r);
	for (unsigned i = 0; i < conf->routes_n; i++) {
		conf->routes[i] = read_ip4(r, 0);
		conf->routes[i].prefix = reader_u8(r);
		r->bad |= conf->routes[i].prefix > IP4_PREFIX_MAX;
	}
}

int tunnel_conf_parse(const char *text, struct tunnel_conf *ret_conf)
{
	uint8_t bytes[LONG_LEN_MAX];
	struct tunnel_conf conf = { 0 };
	size_t len;

	if (sodium_base642bin(bytes, sizeof(bytes), text, strlen(text), NULL, &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		return -EBADMSG;
	struct reader r = reader_of(bytes, len);
	conf.mtu = reader_u16_le(&r);
	uint8_t prefix = reader_u8(&r);
	if (len == SHORT_LEN) {
		conf.ips_n = 1;
		conf.ips[0] = read_ip4(&r, prefix);
	} else {
		read_long(&r, prefix, &conf);
	}
	if (r.bad || reader_left(&r) > 0 || conf.ips_n == 0)
		return -EBADMSG;
	if (prefix > IP4_PREFIX_MAX || conf.mtu < TUNNEL_CONF_MTU_MIN)
		return -EBADMSG;
	*ret_conf = conf;
	return 0;
}

int tunnel_conf_print(uint16_t mtu, const struct weft_ip *ip,
		      char ret_text[TUNNEL_CONF_TEXT])
{
	uint8_t bytes[SHORT_LEN];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (ip->family != AF_INET || ip->prefix > IP4_PREFIX_MAX ||
	    mtu < TUNNEL_CONF_MTU_MIN)
		return -EINVAL;
	writer_u16_le(&w, mtu);
	writer_u8(&w, ip->prefix);
	writer_bytes(&w, ip->octet, IP4_ADDR_LEN);
	(void)sodium_bin2base64(ret_text, TUNNEL_CONF_TEXT, bytes, sizeof(bytes),
				sodium_base64_VARIANT_ORIGINAL);
	return 0;
}
