/* SPDX-License-Identifier: MIT */
/*
 * How a program tests its own protocol: on a device in memory, without root and without a
 * network. The protocol counts what it is sent and answers with the sum; the test sends it
 * numbers, takes the answers off the wire, and lets the queue be full for once.
 */
#include <weft/port.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                        \
	do {                                                                    \
		if (!(condition)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			exit(1);                                                \
		}                                                               \
	} while (0)

/* ---- the program ------------------------------------------------------------------------- */

struct adder {
	struct weft_protocol protocol;
	long sum;
};

static int on_number(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	struct adder *adder = protocol->user;
	char text[20] = "";
	size_t len = packet->len < sizeof(text) ? packet->len : sizeof(text) - 1;
	memcpy(text, packet->data, len);
	adder->sum += strtol(text, NULL, 10);
	snprintf(text, sizeof(text), "%ld", adder->sum);
	return weft_udp_reply(packet, text, strlen(text));
}

/* ---- its test ---------------------------------------------------------------------------- */

static int failed_with;

static void on_failed(void *user, const char *protocol, const char *handler, int code)
{
	(void)user;
	CHECK(strcmp(protocol, "adder") == 0 && strcmp(handler, "received") == 0);
	failed_with = code;
}

int main(void)
{
	struct adder adder = { .protocol = { .layer = WEFT_LAYER_DATAGRAM } };
	struct weft_device_memory *memory;
	struct weft_protocol *ip, *udp;
	struct weft_port *port;
	struct weft_ip to, back;
	char answer[20] = "";

	adder.protocol.name = "adder";
	adder.protocol.received = on_number;
	adder.protocol.user = &adder;
	CHECK(weft_ip_parse("192.0.2.1", &to) == 0);
	CHECK(weft_ip_parse(WEFT_TUNNEL_UDP_IP4, &back) == 0);
	CHECK(weft_protocol_new_ip(NULL, &ip) == 0 && weft_protocol_new_udp(&udp) == 0);
	CHECK(weft_protocol_add(ip, 17, udp, NULL) == 0);
	CHECK(weft_protocol_add(udp, 9, &adder.protocol, NULL) == 0);
	CHECK(weft_device_memory_new(NULL, &memory) == 0);

	struct weft_port_opts opts = { .name = "adder0", .protocol = ip };
	opts.system = weft_device_memory_system(memory);
	opts.events.failed = on_failed;
	CHECK(weft_port_new(&opts, NULL, &port) == 0 && weft_port_start(port, NULL) == 0);
	struct weft_tunnel *wire = weft_device_memory_tunnel(memory, weft_port_fd(port));

	CHECK(weft_tunnel_put_udp(wire, &to, 9, "40", 2) == 0);
	CHECK(weft_tunnel_put_udp(wire, &to, 9, "2", 1) == 0);
	CHECK(weft_tunnel_fail_writes(wire, -ENOBUFS, 1) == 0);
	CHECK(weft_port_read(port, 0) == 2);
	CHECK(failed_with == -ENOBUFS); /* the first answer is lost, and known to be */
	CHECK(weft_tunnel_take_udp(wire, &back, WEFT_TUNNEL_UDP_PORT, answer, 20) == 2);
	CHECK(strcmp(answer, "42") == 0);

	weft_port_free(port);
	CHECK(weft_device_memory_open_count(memory) == 0);
	weft_device_memory_free(memory);
	weft_protocol_free(udp);
	weft_protocol_free(ip);
	return 0;
}
