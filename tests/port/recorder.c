/* SPDX-License-Identifier: MIT */
/*
 * Remembering packets, and making them field by field.
 */
#include "recorder.h"

#include "../unit.h"
#include "wire/checksum.h"
#include "wire/cursor.h"

#include <errno.h>
#include <string.h>

static void *copy_of(const void *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	if (!copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

static int recorder_received(struct weft_protocol *protocol,
			     const struct weft_packet *packet)
{
	static unsigned order;
	struct recorder *r = protocol->user;
	assert_true(r->n < RECORDS_MAX);
	struct record *record = &r->records[r->n++];
	*record = (struct record){
		.data = copy_of(packet->data, packet->len),
		.len = packet->len,
		.partial = packet->partial,
		.now = packet->now,
		.order = order++,
		.has_ethernet = packet->ethernet,
		.has_ip = packet->ip,
		.has_udp = packet->udp,
	};
	if (packet->ethernet)
		record->ethernet = *packet->ethernet;
	if (packet->ip)
		record->ip = *packet->ip;
	if (packet->udp)
		record->udp = *packet->udp;
	if (r->on_received)
		r->on_received(r, packet);
	return r->result;
}

static int recorder_started(struct weft_protocol *protocol, struct weft_port *port)
{
	struct recorder *r = protocol->user;
	assert_ptr_equal(protocol->port, port);
	r->started++;
	return r->started_result;
}

static int recorder_stopped(struct weft_protocol *protocol, struct weft_port *port)
{
	struct recorder *r = protocol->user;
	assert_null(protocol->port);
	assert_false(weft_port_is_started(port));
	r->stopped++;
	return r->stopped_result;
}

void recorder_init(struct recorder *r, enum weft_layer layer, const char *name)
{
	*r = (struct recorder){
		.protocol = { .layer = layer,
			      .name = name,
			      .received = recorder_received,
			      .started = recorder_started,
			      .stopped = recorder_stopped,
			      .user = r },
	};
}

void recorder_clear(struct recorder *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->records[i].data);
	r->n = 0;
}

void assert_record(const struct recorder *r, size_t i, const char *text)
{
	assert_true(i < r->n);
	assert_int_equal(r->records[i].len, strlen(text));
	assert_memory_equal(r->records[i].data, text, strlen(text));
}

struct weft_ip test_ip(const char *text)
{
	struct weft_ip ip;
	assert_int_equal(weft_ip_parse(text, &ip), 0);
	return ip;
}

size_t put_ip4(uint8_t *buf, const struct ip4_fields *fields, const void *payload,
	       size_t len)
{
	struct weft_ip src = test_ip(fields->src ? fields->src : "1.2.3.4");
	struct weft_ip dst = test_ip(fields->dst ? fields->dst : "5.6.7.8");
	size_t hdr_len = 20 + (size_t)fields->options_len;
	memset(buf, 0, 20);
	buf[0] = (uint8_t)(0x40 | hdr_len / 4);
	buf[1] = fields->tos;
	store_be16(buf + 2, (uint16_t)(hdr_len + len));
	store_be16(buf + 4, fields->id);
	store_be16(buf + 6, fields->frag);
	buf[8] = fields->ttl ? fields->ttl : 64;
	buf[9] = fields->proto ? fields->proto : 17;
	memcpy(buf + 12, src.octet, 4);
	memcpy(buf + 16, dst.octet, 4);
	if (fields->options_len > 0)
		memcpy(buf + 20, fields->options, fields->options_len);
	store_be16(buf + 10, checksum(buf, hdr_len));
	if (len > 0)
		memcpy(buf + hdr_len, payload, len);
	return hdr_len + len;
}

size_t put_udp(uint8_t *buf, uint16_t sport, uint16_t dport, const char *payload)
{
	size_t len = strlen(payload);
	store_be16(buf, sport);
	store_be16(buf + 2, dport);
	store_be16(buf + 4, (uint16_t)(8 + len));
	store_be16(buf + 6, 0);
	memcpy(buf + 8, payload, len);
	return 8 + len;
}

static void feed_packet(struct weft_protocol *protocol, struct weft_packet packet)
{
	uint8_t *copy = copy_of(packet.data, packet.len);
	packet.data = copy;
	assert_true(weft_protocol_receive(protocol, &packet) >= 0);
	free(copy);
}

void feed(struct weft_protocol *protocol, const void *data, size_t len)
{
	feed_packet(protocol, (struct weft_packet){ .data = data, .len = len });
}

void feed_partial(struct weft_protocol *protocol, const void *data, size_t len)
{
	feed_packet(protocol,
		    (struct weft_packet){ .data = data, .len = len, .partial = true });
}

void feed_at(struct weft_protocol *protocol, const void *data, size_t len, uint64_t now)
{
	feed_packet(protocol,
		    (struct weft_packet){ .data = data, .len = len, .now = now });
}

void assert_outcome(const struct weft_protocol *protocol, enum weft_outcome outcome,
		    uint64_t n)
{
	for (unsigned i = 0; i < WEFT_OUTCOMES; i++) {
		uint64_t count = weft_protocol_count(protocol, i);
		if (count != (i == outcome ? n : 0))
			fail_msg("%s: %llu", weft_outcome_name(i),
				 (unsigned long long)count);
	}
}

void make_layers(struct weft_protocol **ret_ethernet, struct weft_protocol **ret_ip,
		 struct weft_protocol **ret_udp)
{
	assert_int_equal(weft_protocol_new_ethernet(ret_ethernet), 0);
	assert_int_equal(weft_protocol_new_ip(NULL, ret_ip), 0);
	assert_int_equal(weft_protocol_new_udp(ret_udp), 0);
	assert_int_equal(weft_protocol_add(*ret_ethernet, 0x0800, *ret_ip, NULL), 0);
	assert_int_equal(weft_protocol_add(*ret_ethernet, 0x86dd, *ret_ip, NULL), 0);
	assert_int_equal(weft_protocol_add(*ret_ip, 17, *ret_udp, NULL), 0);
}

void add(struct weft_protocol *parent, int64_t number, struct recorder *child)
{
	struct weft_error err = { "" };
	if (weft_protocol_add(parent, number, &child->protocol, &err) < 0)
		fail_msg("%s", err.text);
}

void assert_add_refused(struct weft_protocol *parent, int64_t number,
			struct weft_protocol *child, int code, const char *text)
{
	struct weft_error err = { "" };
	assert_int_equal(weft_protocol_add(parent, number, child, &err), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_int_equal(weft_protocol_add(parent, number, child, NULL), code);
}
