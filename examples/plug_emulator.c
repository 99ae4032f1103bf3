/* SPDX-License-Identifier: MIT */
/*
 * A network for emulators and virtual machines: each that plugs in at a socket becomes a link,
 * and they all share one learning bridge with an uplink.
 *
 *     # ./plug_emulator qemu:/run/lan.sock tap:weft0
 */
#include <weft/bridge.h>
#include <weft/plug.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

#define CLIENTS_MAX 16

struct program {
	struct weft_loop *loop;
	struct weft_bridge *bridge;
	struct weft_link *uplink;
	struct weft_plug *plug;
	struct weft_bridge_port *ports[CLIENTS_MAX]; /* NULL where nobody is. */
};

static void on_plugged(void *user, struct weft_link *link, const char *peer, uint64_t now)
{
	struct program *p = user;
	size_t i = 0;
	(void)now;
	while (i + 1 < CLIENTS_MAX && p->ports[i])
		i++;
	if (weft_bridge_add(p->bridge, link, NULL, &p->ports[i]) < 0)
		weft_plug_drop(p->plug, link, "it does not go onto the bridge");
	else
		printf("plugged in: %s\n", peer);
}

static void on_unplugged(void *user, struct weft_link *link, uint64_t now)
{
	struct program *p = user;
	(void)now;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (!p->ports[i] || weft_bridge_port_link(p->ports[i]) != link)
			continue;
		printf("unplugged: %s\n", weft_link_down_reason(link));
		weft_bridge_remove(p->bridge, p->ports[i]);
		p->ports[i] = NULL;
	}
}

static void on_signal(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

static int run(struct program *p, char **argv, struct weft_error *err)
{
	static const struct weft_plug_events events = { on_plugged, on_unplugged, NULL };
	const struct weft_plug_opts opts = { argv[1], &events, p, CLIENTS_MAX };
	/* so that no stranger knows where in the table an address goes */
	uint8_t secret[16];
	const struct weft_bridge_opts bridge_opts = { .secret = secret };
	struct weft_bridge_port *port;
	int r;
	if (getrandom(secret, sizeof(secret), 0) < 0)
		return -errno;
	if ((r = weft_loop_new(NULL, &p->loop)) < 0 ||
	    (r = weft_loop_on_signal(p->loop, SIGTERM, on_signal, p->loop)) < 0 ||
	    (r = weft_bridge_new(&bridge_opts, &p->bridge)) < 0 ||
	    (r = weft_loop_add(p->loop, weft_bridge_task(p->bridge))) < 0 ||
	    (r = weft_link_open(argv[2], err, &p->uplink)) < 0 ||
	    (r = weft_bridge_add(p->bridge, p->uplink, NULL, &port)) < 0 ||
	    (r = weft_loop_add(p->loop, weft_link_task(p->uplink))) < 0 ||
	    (r = weft_plug_new(&opts, p->loop, err, &p->plug)) < 0)
		return r;
	printf("%s - %s\n", weft_plug_name(p->plug), weft_link_name(p->uplink));
	return weft_loop_run(p->loop);
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	struct weft_error err = { "out of memory, or a link without Ethernet" };
	setvbuf(stdout, NULL, _IOLBF, 0);
	int r = argc == 3 ? run(&p, argv, &err)
			  : weft_error_set(&err, -1, "usage: %s PLUG LINK", argv[0]);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	/* The bridge goes before the links that are on it, which the plug takes along. */
	if (p.bridge)
		weft_loop_remove(p.loop, weft_bridge_task(p.bridge));
	weft_bridge_free(p.bridge);
	weft_plug_free(p.plug);
	weft_loop_free(p.loop);
	weft_link_free(p.uplink);
	return r < 0;
}
