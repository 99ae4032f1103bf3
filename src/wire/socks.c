/* SPDX-License-Identifier: MIT */
/*
 * A message that ends too early is not whole yet: the longest is short, so that whoever reads
 * a stream needs no other bound than its buffer.
 */
#include "wire/socks.h"

#include "wire/cursor.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define VERSION          5u
#define PASSWORD_VERSION 1u

enum { TYPE_IP4 = 1, TYPE_NAME = 3, TYPE_IP6 = 4 };

static int whole(const struct reader *r)
{
	return r->bad ? 0 : (int)r->off;
}

int socks_greeting_parse(const uint8_t *data, size_t len, bool *ret_has_none,
			 bool *ret_has_password)
{
	struct reader r = reader_of(data, len);
	if (reader_u8(&r) != VERSION && !r.bad)
		return -EBADMSG;
	uint8_t n = reader_u8(&r);
	const uint8_t *methods = reader_bytes(&r, n);
	if (!methods)
		return 0;
	*ret_has_none = memchr(methods, SOCKS_METHOD_NONE, n) != NULL;
	*ret_has_password = memchr(methods, SOCKS_METHOD_PASSWORD, n) != NULL;
	return whole(&r);
}

int socks_password_parse(const uint8_t *data, size_t len,
			 struct socks_password *ret_password)
{
	struct reader r = reader_of(data, len);
	struct socks_password p;
	if (reader_u8(&r) != PASSWORD_VERSION && !r.bad)
		return -EBADMSG;
	p.user_len = reader_u8(&r);
	p.user = reader_bytes(&r, p.user_len);
	p.password_len = reader_u8(&r);
	p.password = reader_bytes(&r, p.password_len);
	if (!r.bad)
		*ret_password = p;
	return whole(&r);
}

/* ---- addresses --------------------------------------------------------------------------- */

static bool name_is_sane(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' &&
		    name[i] != '_' && name[i] != '.')
			return false;
	return len > 0;
}

/* Clients put addresses as text into names, too; ':' makes no host's name otherwise. */
static bool is_address(const char *name, struct weft_ip *ret_ip)
{
	return !strchr(name, '/') && weft_ip_parse(name, ret_ip) == 0;
}

static int name_read(struct reader *r, struct socks_address *a)
{
	uint8_t n = reader_u8(r);
	reader_copy(r, a->name, n);
	a->name[n] = '\0';
	if (r->bad)
		return 0;
	if (strlen(a->name) == n && is_address(a->name, &a->ip))
		return 0;
	return name_is_sane(a->name, n) ? 0 : -EBADMSG;
}

static int address_read(struct reader *r, struct socks_address *ret_address)
{
	struct socks_address a = { .ip = { .family = 0 } };
	uint8_t type = reader_u8(r);
	int error = 0;
	if (type == TYPE_IP4) {
		a.ip = (struct weft_ip){ .family = AF_INET, .prefix = 32 };
		reader_copy(r, a.ip.octet, 4);
	} else if (type == TYPE_IP6) {
		a.ip = (struct weft_ip){ .family = AF_INET6, .prefix = 128 };
		reader_copy(r, a.ip.octet, 16);
	} else if (type == TYPE_NAME) {
		error = name_read(r, &a);
	} else if (!r->bad) {
		error = -EAFNOSUPPORT;
	}
	a.port = reader_u16(r);
	if (!r->bad && error == 0)
		*ret_address = a;
	return error;
}

static void address_write(struct writer *w, const union weft_sockaddr *address)
{
	static const uint8_t zero[4];
	if (address && address->sa.sa_family == AF_INET6) {
		writer_u8(w, TYPE_IP6);
		writer_bytes(w, &address->in6.sin6_addr, 16);
	} else {
		writer_u8(w, TYPE_IP4);
		if (address)
			writer_bytes(w, &address->in.sin_addr, 4);
		else
			writer_bytes(w, zero, sizeof(zero));
	}
	writer_u16(w, address ? weft_sockaddr_port(address) : 0);
}

/* ---- requests and replies ---------------------------------------------------------------- */

int socks_request_parse(const uint8_t *data, size_t len,
			struct socks_request *ret_request)
{
	struct reader r = reader_of(data, len);
	struct socks_request request = { .command = 0 };
	if (reader_u8(&r) != VERSION && !r.bad)
		return -EBADMSG;
	request.command = reader_u8(&r);
	reader_skip(&r, 1);
	int error = address_read(&r, &request.address);
	if (error < 0)
		return error;
	if (!r.bad)
		*ret_request = request;
	return whole(&r);
}

size_t socks_reply_emit(uint8_t buf[SOCKS_REPLY_MAX], enum socks_reply reply,
			const union weft_sockaddr *address)
{
	struct writer w = writer_of(buf, SOCKS_REPLY_MAX);
	writer_u8(&w, VERSION);
	writer_u8(&w, (uint8_t)reply);
	writer_u8(&w, 0);
	address_write(&w, address);
	return w.off;
}

/* ---- datagrams --------------------------------------------------------------------------- */

int socks_datagram_parse(const uint8_t *data, size_t len,
			 struct socks_address *ret_address)
{
	struct reader r = reader_of(data, len);
	struct socks_address address = { .port = 0 };
	reader_skip(&r, 2);
	if (reader_u8(&r) != 0)
		return -ENOTSUP;
	int error = address_read(&r, &address);
	if (error < 0 || r.bad)
		return -EBADMSG;
	*ret_address = address;
	return (int)r.off;
}

size_t socks_datagram_emit(uint8_t buf[SOCKS_DATAGRAM_HEADER_MAX],
			   const union weft_sockaddr *from)
{
	struct writer w = writer_of(buf, SOCKS_DATAGRAM_HEADER_MAX);
	writer_u16(&w, 0);
	writer_u8(&w, 0);
	address_write(&w, from);
	return w.off;
}
