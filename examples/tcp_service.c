/* SPDX-License-Identifier: MIT */
/*
 * A TCP service with an address of its own on a TAP: the kernel sees a host on a cable, and has
 * no socket of it. Sends back in capitals what comes to port 7, on any number of connections,
 * with the calls that everybody knows.
 *
 *     # ./tcp_service weft0 &
 *     # ip address add 192.0.2.1/24 dev weft0 && ip link set weft0 up
 *     # echo hello | nc -N 192.0.2.2 7
 *     HELLO
 */
#include <weft/link.h>
#include <weft/loop.h>
#include <weft/socket.h>
#include <weft/stack.h>

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define ADDRESSES 2
#define READY_MAX 16

static const char *const addresses[ADDRESSES] = { "192.0.2.2/24", "2001:db8::2/64" };

/* What has been read and not been sent: nothing more is read before it is. */
struct client {
	char bytes[4096];
	size_t len, sent;
};

static void hang_up(struct weft_sockets *set, int s, struct client *client, uint64_t now)
{
	weft_socket_close(set, s, now);
	free(client);
}

/* Sends what has been read. Returns 0 when all of it is gone, or the call's error. */
static int answer(struct weft_sockets *set, int s, struct client *client, uint64_t now)
{
	while (client->sent < client->len) {
		int n = weft_socket_send(set, s, client->bytes + client->sent,
					 client->len - client->sent, now);
		if (n < 0)
			return n;
		client->sent += (size_t)n;
	}
	return 0;
}

static void to_capitals(char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)toupper((unsigned char)bytes[i]);
}

/* Returns how many bytes have come, which are capitals now; 0 at the end; or the call's error. */
static int listen_to(struct weft_sockets *set, int s, struct client *client, uint64_t now)
{
	int n = weft_socket_recv(set, s, client->bytes, sizeof(client->bytes), now);
	client->len = n > 0 ? (size_t)n : 0;
	client->sent = 0;
	to_capitals(client->bytes, client->len);
	return n;
}

/* Goes on until a call has to wait. Returns false when there is no more to do. */
static bool serve(struct weft_sockets *set, int s, struct client *client, uint64_t now)
{
	int r;
	while ((r = answer(set, s, client, now)) == 0) {
		r = listen_to(set, s, client, now);
		if (r <= 0)
			break;
	}
	return r == -EAGAIN;
}

static void welcome(struct weft_sockets *set, int listener, uint64_t now)
{
	union weft_sockaddr peer;
	char text[WEFT_SOCKADDR_TEXT];
	int s;
	while ((s = weft_socket_accept(set, listener, now)) >= 0) {
		struct client *client = calloc(1, sizeof(*client));
		if (!client) {
			weft_socket_close(set, s, now);
			continue;
		}
		weft_socket_set_user(set, s, client);
		if (weft_socket_peer(set, s, &peer) == 0)
			printf("connection from %s\n", weft_sockaddr_print(&peer, text));
	}
}

static void look_after(struct weft_sockets *set, const struct weft_ready *ready,
		       uint64_t now)
{
	struct client *client = ready->user;
	if (!client)
		welcome(set, ready->socket, now);
	else if (!serve(set, ready->socket, client, now))
		hang_up(set, ready->socket, client, now);
}

/* Edge-triggered, as epoll can be: whoever is on the list is served until it says -EAGAIN. */
static void on_ready(void *user, struct weft_sockets *set, uint64_t now)
{
	struct weft_ready ready[READY_MAX];
	size_t n;
	(void)user;
	while ((n = weft_sockets_ready(set, ready, READY_MAX)) > 0) {
		for (size_t i = 0; i < n; i++)
			look_after(set, &ready[i], now);
	}
}

/* One listener takes both families. */
static int listen_at(struct weft_sockets *set, const char *where)
{
	union weft_sockaddr local;
	int s, r;
	if ((r = weft_listen_parse(where, &local)) < 0)
		return r;
	if ((s = weft_socket_open(set, local.sa.sa_family, SOCK_STREAM)) < 0)
		return s;
	if ((r = weft_socket_bind(set, s, &local)) < 0)
		return r;
	return weft_socket_listen(set, s, 0);
}

static int add_addresses(struct weft_iface *iface, uint64_t now)
{
	struct weft_ip ip;
	int r = 0;
	for (size_t i = 0; i < ADDRESSES && r >= 0; i++) {
		if ((r = weft_ip_parse(addresses[i], &ip)) == 0)
			r = weft_iface_add_address(iface, &ip, 0, now);
	}
	return r;
}

static void on_signal(void *user, int signo)
{
	(void)signo;
	weft_loop_stop(user);
}

static int run(const char *device, struct weft_error *err)
{
	const struct weft_sockets_opts sockets_opts = { .on_ready = on_ready };
	struct weft_stack_opts opts = { 0 };
	struct weft_loop *loop = NULL;
	struct weft_link *link = NULL;
	struct weft_stack *stack = NULL;
	struct weft_sockets *set = NULL;
	struct weft_iface *iface;
	uint8_t secret[16];
	char spec[64];
	int r;

	(void)snprintf(spec, sizeof(spec), "tap:%s", device);
	opts.secret = secret;
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -EIO;
	if ((r = weft_loop_new(NULL, &loop)) < 0 ||
	    (r = weft_loop_on_signal(loop, SIGTERM, on_signal, loop)) < 0 ||
	    (r = weft_link_open(spec, err, &link)) < 0)
		goto end;
	uint64_t now = weft_loop_now(loop);
	if ((r = weft_stack_new(&opts, now, &stack)) < 0 ||
	    (r = weft_stack_add_interface(stack, link, NULL, now, &iface)) < 0 ||
	    (r = add_addresses(iface, now)) < 0 ||
	    (r = weft_sockets_new(stack, &sockets_opts, &set)) < 0 ||
	    (r = listen_at(set, "[::]:7")) < 0 ||
	    (r = weft_loop_add(loop, weft_link_task(link))) < 0 ||
	    (r = weft_loop_add(loop, weft_stack_task(stack))) < 0)
		goto end;
	printf("%s port 7 on %s\n", addresses[0], spec);
	r = weft_loop_run(loop);
end:
	weft_sockets_free(set, loop ? weft_loop_now(loop) : 0);
	weft_loop_free(loop);
	weft_stack_free(stack);
	weft_link_free(link);
	return r;
}

int main(int argc, char **argv)
{
	struct weft_error err = { "" };
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	int r = run(argc > 1 ? argv[1] : "", &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-r));
	return r < 0;
}
