/* SPDX-License-Identifier: MIT */
/*
 * An echo server as the RFC's calls have one write it, and as microps' test program tcps.exe is
 * written: OPEN, RECEIVE and SEND until there is no more, CLOSE. One connection after the other,
 * each call waiting for what it asks for: while it does, the loop runs.
 *
 *     # ./tcp_by_the_rfc weft0 &
 *     # ip address add 192.0.2.1/24 dev weft0 && ip link set weft0 up
 *     # echo hello | nc -N 192.0.2.2 7
 *     hello
 */
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/tcb.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

struct server {
	struct weft_loop *loop;
	struct weft_link *link;
	struct weft_stack *stack;
	struct weft_tcbs *tcbs;
	bool is_ending;
};

static void on_change(void *user, struct weft_tcbs *tcbs, int name, uint64_t now)
{
	const struct server *server = user;
	(void)tcbs;
	(void)name;
	(void)now;
	weft_loop_stop(server->loop);
}

static void on_signal(void *user, int signo)
{
	struct server *server = user;
	(void)signo;
	server->is_ending = true;
	weft_loop_stop(server->loop);
}

/* Lets the world go on until a call can say something else. False: it is time to end. */
static bool wait_for_change(struct server *server)
{
	return !server->is_ending && weft_loop_run(server->loop) == 0 &&
	       !server->is_ending;
}

/* The calls as they are where they may wait. */
static int receive(struct server *server, int name, char *buf, size_t len)
{
	int n;
	do
		n = weft_tcb_receive(server->tcbs, name, buf, len,
				     weft_loop_now(server->loop));
	while (n == -EAGAIN && wait_for_change(server));
	return n;
}

static int send_all(struct server *server, int name, const char *data, size_t len)
{
	size_t done = 0;
	while (done < len) {
		int n = weft_tcb_send(server->tcbs, name, data + done, len - done,
				      weft_loop_now(server->loop));
		if (n < 0 && (n != -EAGAIN || !wait_for_change(server)))
			return n;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void print_state(const struct server *server, int name)
{
	struct weft_tcb_status status;
	if (weft_tcb_status(server->tcbs, name, &status) == 0)
		printf("%s\n", status.state);
}

/* One connection, from the OPEN to the CLOSE. */
static int serve(struct server *server)
{
	struct weft_tcb_params params = { 0 };
	char buf[4096];
	int n, r = weft_listen_parse("192.0.2.2:7", &params.local);
	if (r < 0)
		return r;
	int name = weft_tcb_open(server->tcbs, &params, weft_loop_now(server->loop));
	if (name < 0)
		return name;
	print_state(server, name);
	while ((n = receive(server, name, buf, sizeof(buf))) > 0) {
		if ((n = send_all(server, name, buf, (size_t)n)) < 0)
			break;
	}
	if (n != -EAGAIN)
		printf("%s\n", weft_tcb_words(n) ? weft_tcb_words(n) : strerror(-n));
	weft_tcb_close(server->tcbs, name, weft_loop_now(server->loop));
	return 0;
}

static int begin(struct server *server, const char *device, struct weft_error *err)
{
	const struct weft_tcbs_opts tcbs_opts = { .on_change = on_change,
						  .user = server };
	struct weft_stack_opts opts = { 0 };
	struct weft_iface *iface;
	struct weft_ip ip;
	uint8_t secret[16];
	char spec[64];
	int r;

	(void)snprintf(spec, sizeof(spec), "tap:%s", device);
	opts.secret = secret;
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -EIO;
	if ((r = weft_loop_new(NULL, &server->loop)) < 0 ||
	    (r = weft_loop_on_signal(server->loop, SIGTERM, on_signal, server)) < 0 ||
	    (r = weft_link_open(spec, err, &server->link)) < 0)
		return r;
	uint64_t now = weft_loop_now(server->loop);
	if ((r = weft_stack_new(&opts, now, &server->stack)) < 0 ||
	    (r = weft_stack_add_interface(server->stack, server->link, NULL, now,
					  &iface)) < 0 ||
	    (r = weft_ip_parse("192.0.2.2/24", &ip)) < 0 ||
	    (r = weft_iface_add_address(iface, &ip, 0, now)) < 0 ||
	    (r = weft_tcbs_new(server->stack, &tcbs_opts, &server->tcbs)) < 0 ||
	    (r = weft_loop_add(server->loop, weft_link_task(server->link))) < 0 ||
	    (r = weft_loop_add(server->loop, weft_stack_task(server->stack))) < 0)
		return r;
	printf("port 7 of 192.0.2.2 on %s\n", spec);
	return 0;
}

static void end(struct server *server)
{
	weft_tcbs_free(server->tcbs, server->loop ? weft_loop_now(server->loop) : 0);
	weft_loop_free(server->loop);
	weft_stack_free(server->stack);
	weft_link_free(server->link);
}

int main(int argc, char **argv)
{
	struct server server = { 0 };
	struct weft_error err = { "" };
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	int r = begin(&server, argc > 1 ? argv[1] : "", &err);
	while (r == 0 && !server.is_ending)
		r = serve(&server);
	end(&server);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	return r < 0;
}
