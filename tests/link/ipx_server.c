/* SPDX-License-Identifier: MIT */
/*
 * One socket, and what DOSBox 0.74 would send by it.
 */
#include "ipx_server.h"

#include "../unit.h"
#include "base/mac.h"
#include "link/dosbox.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct weft_mac nobody;

struct ipx_hdr header(struct weft_mac dst, struct weft_mac src, uint16_t socket)
{
	return (struct ipx_hdr){
		.checksum = IPX_NO_CHECKSUM,
		.len = IPX_LEN,
		.dst = { .node = dst, .socket = socket },
		.src = { .node = src, .socket = socket },
	};
}

void says_bytes(struct ipx_server *s, const void *data, size_t len)
{
	ssize_t sent = sendto(s->fd, data, len, 0, &s->client.sa, sizeof(s->client.in));
	assert_int_equal(sent, len);
	outlet_run(s->o);
}

void says(struct ipx_server *s, const struct ipx_hdr *hdr)
{
	uint8_t buf[2048];
	ipx_hdr_emit(buf, hdr);
	memset(buf + IPX_LEN, 'x', hdr->len - IPX_LEN);
	says_bytes(s, buf, hdr->len);
}

void says_doom(struct ipx_server *s, struct weft_mac dst, struct weft_mac src)
{
	struct ipx_hdr hdr = header(dst, src, DOOM);
	hdr.len += 4;
	says(s, &hdr);
}

void says_registered(struct ipx_server *s, struct weft_mac node)
{
	struct ipx_hdr hdr = header(node, nobody, IPX_SOCKET_ECHO);
	hdr.src.network = 1;
	says(s, &hdr);
}

struct ipx_hdr hears(struct ipx_server *s)
{
	uint8_t buf[2048];
	struct ipx_hdr hdr;
	socklen_t len = sizeof(s->client);
	ssize_t got = recvfrom(s->fd, buf, sizeof(buf), 0, &s->client.sa, &len);
	assert_true(got > 0);
	assert_int_equal(ipx_hdr_parse(buf, (size_t)got, &hdr), IPX_LEN);
	assert_int_equal(hdr.len, got);
	assert_int_equal(hdr.checksum, IPX_NO_CHECKSUM);
	s->node = dosbox_node(&s->client);
	return hdr;
}

void hears_registration(struct ipx_server *s, struct weft_mac from)
{
	struct ipx_hdr hdr = hears(s);
	assert_int_equal(hdr.len, IPX_LEN);
	assert_true(mac_is_zero(hdr.dst.node));
	assert_int_equal(hdr.dst.socket, IPX_SOCKET_ECHO);
	assert_true(mac_equal(hdr.src.node, mac_is_zero(from) ? s->node : from));
}

struct ipx_server asked(struct outlet *o, const char *options)
{
	char spec[120];
	struct ipx_server s = { .o = o, .fd = peer_udp(0) };
	socklen_t len = sizeof(s.client);
	assert_int_equal(getsockname(s.fd, &s.client.sa, &len), 0);
	(void)snprintf(spec, sizeof(spec), "dosbox:127.0.0.1:%u,connect%s",
		       weft_sockaddr_port(&s.client), options);
	outlet_open(o, spec);
	outlet_run(o);
	hears_registration(&s, nobody);
	return s;
}

struct ipx_server registered(struct outlet *o, const char *options)
{
	struct ipx_server s = asked(o, options);
	says_registered(&s, s.node);
	assert_int_equal(o->links_n, 1);
	return s;
}

void server_close(struct ipx_server *s)
{
	outlet_close(s->o);
	(void)close(s->fd);
}
