/* SPDX-License-Identifier: MIT */
/*
 * A program with a libuv loop of its own, which hosts weft's: one uv_poll on weft_loop_fd, and
 * weft_loop_turn whenever it is readable. It prints each frame that comes in on a link, and
 * says hello on it by a timer of its own.
 *
 *     # ./on_libuv tap:weft0
 *     # ip link set weft0 up
 */
#include <weft/dump.h>
#include <weft/link.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

struct program {
	uv_poll_t weft;
	uv_timer_t hello;
	uv_signal_t interrupt;
	struct weft_loop *loop;
	struct weft_link *link;
};

static void print_frames(void *user, struct weft_link *link,
			 const struct weft_frame *frames, size_t n, uint64_t now)
{
	char line[WEFT_DUMP_LEN];
	(void)user;
	(void)link;
	(void)now;
	for (size_t i = 0; i < n; i++)
		printf("%s\n", weft_dump_frame(&frames[i], false, line, sizeof(line)));
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct program *p = poll->data;
	(void)status;
	(void)events;
	(void)weft_loop_turn(p->loop);
}

/* EtherType 0x88b5 is for experiments (IEEE 802, 9.2.3). */
static void on_timer(uv_timer_t *timer)
{
	static uint8_t bytes[] = "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x88\xb5Hello";
	const struct weft_frame frame = { .data = bytes, .len = sizeof(bytes) - 1 };
	struct program *p = timer->data;
	weft_link_send(p->link, &frame, 1, weft_loop_now(p->loop));
	/* The link has got work outside of a turn, so one is due. */
	(void)weft_loop_turn(p->loop);
}

static void on_signal(uv_signal_t *signal, int signo)
{
	(void)signo;
	uv_stop(signal->loop);
}

static int start(struct program *p, const char *spec, struct weft_error *err)
{
	int r, fd;
	if ((r = weft_loop_new(NULL, &p->loop)) < 0 ||
	    (r = fd = weft_loop_fd(p->loop)) < 0 ||
	    (r = weft_link_open(spec, err, &p->link)) < 0 ||
	    (r = weft_loop_add(p->loop, weft_link_task(p->link))) < 0 ||
	    (r = uv_poll_init(uv_default_loop(), &p->weft, fd)) < 0)
		return r;
	weft_link_on_receive(p->link, print_frames, NULL);
	p->weft.data = p->hello.data = p;
	uv_timer_init(uv_default_loop(), &p->hello);
	uv_timer_start(&p->hello, on_timer, 1000, 1000);
	uv_signal_init(uv_default_loop(), &p->interrupt);
	uv_signal_start(&p->interrupt, on_signal, SIGTERM);
	uv_poll_start(&p->weft, UV_READABLE, on_ready);
	(void)weft_loop_turn(p->loop);
	return 0;
}

int main(int argc, char **argv)
{
	struct program p = { .link = NULL };
	struct weft_error err = { "" };
	setvbuf(stdout, NULL, _IOLBF, 0);
	int r = start(&p, argc > 1 ? argv[1] : "tap:", &err);
	if (r >= 0) {
		printf("%s\n", weft_link_name(p.link));
		uv_run(uv_default_loop(), UV_RUN_DEFAULT);
		uv_poll_stop(&p.weft); /* before its descriptor is closed */
	} else {
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	}
	weft_loop_free(p.loop);
	weft_link_free(p.link);
	return r < 0;
}
