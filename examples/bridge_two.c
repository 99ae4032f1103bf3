/* SPDX-License-Identifier: MIT */
/*
 * Joins two links, whatever they are, by a learning bridge. `weft help links` lists the kinds.
 *
 *     # ./bridge_two tap:weft0 qemu:/run/vm.sock     a device and a virtual machine's socket
 *     # ./bridge_two packet:eth0 impair:delay=20ms:tap:far
 */
#include <weft/bridge.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

struct program {
	struct weft_loop *loop;
	struct weft_bridge *bridge;
	struct weft_link *links[2];
};

static void on_signal(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

static int set_up(struct program *p)
{
	/* so that no stranger knows where in the table an address goes */
	uint8_t secret[16];
	const struct weft_bridge_opts opts = { .secret = secret };
	int r = weft_loop_new(NULL, &p->loop);
	if (r < 0)
		return r;
	if ((r = weft_loop_on_signal(p->loop, SIGTERM, on_signal, p->loop)) < 0 ||
	    (r = weft_loop_on_signal(p->loop, SIGINT, on_signal, p->loop)) < 0)
		return r;
	if (getrandom(secret, sizeof(secret), 0) < 0)
		return -errno;
	if ((r = weft_bridge_new(&opts, &p->bridge)) < 0)
		return r;
	return weft_loop_add(p->loop, weft_bridge_task(p->bridge));
}

static int join(struct program *p, size_t i, const char *spec, struct weft_error *err)
{
	struct weft_bridge_port *port;
	int r = weft_link_open(spec, err, &p->links[i]);
	if (r < 0)
		return r;
	r = weft_bridge_add(p->bridge, p->links[i], NULL, &port);
	if (r < 0)
		return weft_error_set(err, r, "%s carries no Ethernet", spec);
	return weft_loop_add(p->loop, weft_link_task(p->links[i]));
}

static void print_counters(const struct weft_link *link)
{
	struct weft_link_stats stats = weft_link_stats(link);
	printf("%s: %llu frames in, %llu out\n", weft_link_name(link),
	       (unsigned long long)stats.rx_frames, (unsigned long long)stats.tx_frames);
}

/* The loop goes first: tasks must be out of it before they are freed. */
static void tear_down(struct program *p)
{
	weft_loop_free(p->loop);
	weft_bridge_free(p->bridge);
	for (size_t i = 0; i < 2; i++)
		weft_link_free(p->links[i]);
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	struct weft_error err = { "" };
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3) {
		fprintf(stderr, "usage: %s LINK LINK\n", argv[0]);
		return 2;
	}
	int r = set_up(&p);
	for (size_t i = 0; i < 2 && r >= 0; i++)
		r = join(&p, i, argv[i + 1], &err);
	if (r >= 0) {
		printf("%s - %s\n", weft_link_name(p.links[0]),
		       weft_link_name(p.links[1]));
		r = weft_loop_run(p.loop);
		print_counters(p.links[0]);
		print_counters(p.links[1]);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	tear_down(&p);
	return r < 0;
}
