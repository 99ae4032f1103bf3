/* SPDX-License-Identifier: MIT */
/*
 * PPP's packets. Every length in them is an octet or two that a peer chose: the cursor checks
 * each against what is left of what holds it.
 */
#include "wire/ppp.h"

#include <errno.h>

int ppp_hdr_parse(const uint8_t *data, size_t len, uint16_t *ret_protocol)
{
	struct reader r = reader_of(data, len);
	uint16_t protocol = reader_u8(&r);
	if (protocol % 2 == 0)
		protocol = (uint16_t)(protocol << 8 | reader_u8(&r));
	if (r.bad || protocol % 2 == 0)
		return -EBADMSG;
	*ret_protocol = protocol;
	return (int)r.off;
}

int ppp_hdr_emit(uint8_t *buf, size_t len, uint16_t protocol)
{
	if (len < PPP_HDR_LEN)
		return -ENOBUFS;
	store_be16(buf, protocol);
	return PPP_HDR_LEN;
}

int ppp_packet_parse(const uint8_t *data, size_t len, struct ppp_packet *ret_packet)
{
	struct reader r = reader_of(data, len);
	uint8_t code = reader_u8(&r);
	uint8_t id = reader_u8(&r);
	uint16_t packet_len = reader_u16(&r);
	if (r.bad || packet_len < PPP_PACKET_LEN || packet_len > len)
		return -EBADMSG;
	*ret_packet = (struct ppp_packet){
		.code = code,
		.id = id,
		.data = data + PPP_PACKET_LEN,
		.len = packet_len - PPP_PACKET_LEN,
	};
	return packet_len;
}

int ppp_packet_emit(uint8_t *buf, size_t len, const struct ppp_packet *packet)
{
	if (packet->len > UINT16_MAX - PPP_PACKET_LEN)
		return -ENOBUFS;
	struct writer w = writer_of(buf, len);
	writer_u8(&w, packet->code);
	writer_u8(&w, packet->id);
	writer_u16(&w, (uint16_t)(PPP_PACKET_LEN + packet->len));
	writer_bytes(&w, packet->data, packet->len);
	return w.bad ? -ENOBUFS : (int)w.off;
}

int ppp_option_next(struct reader *r, struct ppp_option *ret_option)
{
	if (reader_left(r) == 0)
		return 0;
	uint8_t type = reader_u8(r);
	uint8_t len = reader_u8(r);
	if (r->bad || len < PPP_OPTION_LEN)
		return -EBADMSG;
	uint8_t value_len = (uint8_t)(len - PPP_OPTION_LEN);
	const uint8_t *value = reader_bytes(r, value_len);
	if (r->bad)
		return -EBADMSG;
	*ret_option = (struct ppp_option){ type, value_len, value_len ? value : NULL };
	return 1;
}

void ppp_option_put(struct writer *w, const struct ppp_option *option)
{
	writer_u8(w, option->type);
	writer_u8(w, (uint8_t)(PPP_OPTION_LEN + option->len));
	writer_bytes(w, option->value, option->len);
}

void ppp_option_put_u16(struct writer *w, uint8_t type, uint16_t value)
{
	writer_u8(w, type);
	writer_u8(w, PPP_OPTION_LEN + sizeof(value));
	writer_u16(w, value);
}

void ppp_option_put_u32(struct writer *w, uint8_t type, uint32_t value)
{
	writer_u8(w, type);
	writer_u8(w, PPP_OPTION_LEN + sizeof(value));
	writer_u32(w, value);
}

uint16_t ppp_option_u16(const struct ppp_option *option)
{
	return option->len == sizeof(uint16_t) ? load_be16(option->value) : 0;
}

uint32_t ppp_option_u32(const struct ppp_option *option)
{
	return option->len == sizeof(uint32_t) ? load_be32(option->value) : 0;
}

int pap_request_parse(const uint8_t *data, size_t len, struct pap_request *ret_request)
{
	struct pap_request request = { 0 };
	struct reader r = reader_of(data, len);
	request.name_len = reader_u8(&r);
	request.name = reader_bytes(&r, request.name_len);
	request.password_len = reader_u8(&r);
	request.password = reader_bytes(&r, request.password_len);
	if (r.bad)
		return -EBADMSG;
	*ret_request = request;
	return 0;
}
