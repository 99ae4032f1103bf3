/* SPDX-License-Identifier: MIT */
/*
 * A UDP service on a TUN, without a socket: answers each datagram to port 7 in capitals, at
 * any address of the TUN's network.
 *
 *     # ./udp_service weft0 &
 *     # ip address add 192.0.2.1/24 dev weft0 && ip link set weft0 up
 *     # echo hello | nc -u -w1 192.0.2.99 7
 *     HELLO
 */
#include <weft/port.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PORT 7

static int on_datagram(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	char answer[1400], from[WEFT_IP_TEXT];
	size_t len = packet->len < sizeof(answer) ? packet->len : sizeof(answer);
	(void)protocol;
	for (size_t i = 0; i < len; i++)
		answer[i] = (char)toupper(packet->data[i]);
	printf("%zu bytes from %s port %d\n", packet->len,
	       weft_ip_print(&packet->ip->src, from), packet->udp->src_port);
	return weft_udp_reply(packet, answer, len);
}

/* A full queue (-EAGAIN, -ENOBUFS) loses an answer, as UDP may; the rest is worth a line. */
static void on_failed(void *user, const char *protocol, const char *handler, int code)
{
	(void)user;
	fprintf(stderr, "%s.%s: %s\n", protocol, handler, strerror(-code));
}

static void on_ended(void *user, struct weft_port *port, int code)
{
	(void)port;
	fprintf(stderr, "the device is gone: %s\n", strerror(-code));
	weft_loop_stop(user);
}

static void on_signal(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

int main(int argc, char **argv)
{
	struct weft_protocol service = { .layer = WEFT_LAYER_DATAGRAM,
					 .name = "capitals" };
	struct weft_port_opts opts = { .name = argc > 1 ? argv[1] : "" };
	struct weft_protocol *ip = NULL, *udp = NULL;
	struct weft_loop *loop = NULL;
	struct weft_port *port = NULL;
	struct weft_error err = { "" };
	char text[WEFT_PORT_TEXT];
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	service.received = on_datagram;
	if ((r = weft_loop_new(NULL, &loop)) < 0 ||
	    (r = weft_loop_on_signal(loop, SIGTERM, on_signal, loop)) < 0 ||
	    (r = weft_protocol_new_ip(NULL, &ip)) < 0 ||
	    (r = weft_protocol_new_udp(&udp)) < 0 ||
	    (r = weft_protocol_add(ip, 17, udp, &err)) < 0 ||
	    (r = weft_protocol_add(udp, PORT, &service, &err)) < 0)
		goto end;
	opts.protocol = ip;
	opts.loop = loop;
	opts.user = loop;
	opts.events = (struct weft_port_events){ .failed = on_failed, .ended = on_ended };
	if ((r = weft_port_new(&opts, &err, &port)) < 0 ||
	    (r = weft_port_start(port, &err)) < 0)
		goto end;
	printf("%s\n", weft_port_print(port, text));
	r = weft_loop_run(loop);
end:
	if (r < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	weft_port_free(port);
	weft_protocol_free(ip);
	weft_protocol_free(udp);
	weft_loop_free(loop);
	return r < 0;
}
