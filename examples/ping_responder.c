/* SPDX-License-Identifier: MIT */
/*
 * Answers pings to every address of a TUN's network, over IPv4 and IPv6.
 *
 *     # ./ping_responder weft0 &
 *     # ip address add 192.0.2.1/24 dev weft0 && ip link set weft0 up
 *     # ping 192.0.2.99
 */
#include <weft/port.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Echo request and reply (RFC 792, RFC 4443), and where both have their checksum. */
enum { ECHO4 = 8, ECHO4_REPLY = 0, ECHO6 = 128, ECHO6_REPLY = 129, CSUM_OFFSET = 2 };

static int on_icmp(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	(void)protocol;
	int is_ip4 = packet->ip->version == 4;
	uint8_t reply[8192];
	if (packet->len < 8 || packet->len > sizeof(reply))
		return 0;
	if (packet->data[0] != (is_ip4 ? ECHO4 : ECHO6) || !weft_packet_is_intact(packet))
		return 0;
	memcpy(reply, packet->data, packet->len);
	reply[0] = is_ip4 ? ECHO4_REPLY : ECHO6_REPLY;
	return weft_ip_reply(packet, reply, packet->len, CSUM_OFFSET);
}

static void on_failed(void *user, const char *protocol, const char *handler, int code)
{
	(void)user;
	fprintf(stderr, "%s.%s: %s\n", protocol, handler, strerror(-code));
}

static void on_signal(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

static int run(const char *device, struct weft_error *err)
{
	struct weft_protocol ping = { .layer = WEFT_LAYER_TRANSPORT, .name = "ping" };
	struct weft_loop *loop = NULL;
	struct weft_protocol *ip = NULL;
	struct weft_port *port = NULL;
	char text[WEFT_PORT_TEXT];
	ping.received = on_icmp;

	int r = weft_loop_new(NULL, &loop);
	if (r < 0)
		goto end;
	if ((r = weft_loop_on_signal(loop, SIGTERM, on_signal, loop)) < 0 ||
	    (r = weft_loop_on_signal(loop, SIGINT, on_signal, loop)) < 0)
		goto end;
	if ((r = weft_protocol_new_ip(NULL, &ip)) < 0 ||
	    (r = weft_protocol_add(ip, 1, &ping, err)) < 0 ||
	    (r = weft_protocol_add(ip, 58, &ping, err)) < 0)
		goto end;

	const struct weft_port_opts opts = { .name = device,
					     .protocol = ip,
					     .loop = loop,
					     .events = { .failed = on_failed } };
	if ((r = weft_port_new(&opts, err, &port)) < 0 ||
	    (r = weft_port_start(port, err)) < 0)
		goto end;
	printf("%s\n", weft_port_print(port, text));
	r = weft_loop_run(loop);
end:
	weft_port_free(port);
	weft_protocol_free(ip);
	weft_loop_free(loop);
	return r;
}

int main(int argc, char **argv)
{
	struct weft_error err = { "" };
	setvbuf(stdout, NULL, _IOLBF, 0);
	int r = run(argc > 1 ? argv[1] : "", &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	return r < 0;
}
