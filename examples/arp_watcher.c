/* SPDX-License-Identifier: MIT */
/*
 * Prints who asks for whom on a TAP, and who says where it is.
 *
 *     # ./arp_watcher weft0 &
 *     # ip address add 192.0.2.1/24 dev weft0 && ip link set weft0 up
 *     # ping -c1 192.0.2.99
 *     192.0.2.1 at 6e:29:ce:14:36:01 asks for 192.0.2.99
 */
#include <weft/port.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
}

static int on_arp(struct weft_protocol *protocol, const struct weft_packet *packet)
{
	struct weft_arp arp;
	char mac[WEFT_MAC_TEXT], sender[WEFT_IP_TEXT], target[WEFT_IP_TEXT];
	(void)protocol;
	int r = weft_arp_parse(packet, &arp);
	if (r < 0)
		return r; /* is told to on_failed */
	weft_mac_print(arp.sender_mac, mac);
	weft_ip_print(&arp.sender_ip, sender);
	weft_ip_print(&arp.target_ip, target);
	if (arp.op == 1)
		printf("%s at %s asks for %s\n", sender, mac, target);
	else if (arp.op == 2)
		printf("%s is at %s, says it to %s\n", sender, mac, target);
	return 0;
}

static void on_failed(void *user, const char *protocol, const char *handler, int code)
{
	(void)user;
	fprintf(stderr, "%s.%s: %s\n", protocol, handler, strerror(-code));
}

/* Without a loop: the descriptor is polled, and the port read by hand. */
static int watch(struct weft_port *port)
{
	struct pollfd ready = { .fd = weft_port_fd(port), .events = POLLIN };
	int r = 0;
	while (!interrupted && r >= 0) {
		if (poll(&ready, 1, 100) > 0)
			r = weft_port_read(port, 0);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct weft_protocol arp = { .layer = WEFT_LAYER_PACKET, .name = "ARP watcher" };
	struct weft_protocol *ethernet = NULL;
	struct weft_port_opts opts = { .name = argc > 1 ? argv[1] : "" };
	struct weft_port *port = NULL;
	struct weft_error err = { "" };
	char text[WEFT_PORT_TEXT];
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	arp.received = on_arp;
	opts.events.failed = on_failed;
	if ((r = weft_protocol_new_ethernet(&ethernet)) < 0 ||
	    (r = weft_protocol_add(ethernet, 0x0806, &arp, &err)) < 0)
		goto end;
	opts.protocol = ethernet;
	if ((r = weft_port_new(&opts, &err, &port)) < 0 ||
	    (r = weft_port_start(port, &err)) < 0)
		goto end;
	printf("%s\n", weft_port_print(port, text));
	r = watch(port);
end:
	if (r < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	weft_port_free(port);
	weft_protocol_free(ethernet);
	return r < 0;
}
