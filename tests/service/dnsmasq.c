/* SPDX-License-Identifier: MIT */
/*
 * The DHCP client against a real server, with the address set through the host as
 * `weft join` does it:
 *
 *     +---- namespace ----+            +---- namespace ---------------+
 *     |  client -- weft0  |----veth----|  lan0 192.168.77.1  dnsmasq  |
 *     +-------------------+            +------------------------------+
 *
 * The client's frames go through a packet socket on weft0; its clock is the real one and
 * what the test adds to it, so that a lease of an hour is renewed at once. Skipped, with the
 * reason, where namespaces are not permitted or dnsmasq is missing. The time-outs only end a
 * test that has failed.
 */
#include "../platform/netns.h"
#include "../unit.h"
#include "base/time.h"

#include <weft/dhcpc.h>
#include <weft/host.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS (10 * NS_PER_S)
#define MAC_TEXT    "02:00:00:00:00:07"

/* One test's network, server and client. */
struct lan {
	char dir[64];
	pid_t server;
	int socket; /* On weft0. */
	struct weft_host *host;
	struct weft_dhcpc *client;
	uint64_t skipped_ns; /* Added to the real time. */
	unsigned bound_n, lost_n;
	struct weft_dhcpc_lease lease;
};

static uint64_t real_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t now_of(const struct lan *lan)
{
	return real_now() + lan->skipped_ns;
}

/* The server */

/* In the child: waits in its own namespace until lan0 has been moved there. */
static void serve(const struct lan *lan, const char *set_up, int ready, int go)
{
	char byte = 0;
	char command[800];
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || !netns_try_enter() ||
	    write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	snprintf(
		command, sizeof(command),
		"ip link set lan0 addrgenmode none up && ip link set lo up && "
		"ip addr add 192.168.77.1/24 dev lan0 && %s && PATH=$PATH:/usr/sbin exec "
		"dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --no-ping "
		"--interface=lan0 --user= --group= --pid-file= "
		"--dhcp-range=192.168.77.100,192.168.77.100,1h --dhcp-authoritative "
		"--dhcp-leasefile=%s/leases --log-dhcp --log-facility=%s/log",
		set_up, lan->dir, lan->dir);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(1);
}

static void start_server(struct lan *lan, const char *set_up)
{
	int ready[2];
	int go[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	(void)fflush(NULL);
	lan->server = fork();
	assert_true(lan->server >= 0);
	if (lan->server == 0)
		serve(lan, set_up, ready[1], go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	sh("ip link set lan0 netns %d", (int)lan->server);
	assert_int_equal(write(go[1], &byte, 1), 1);
	for (unsigned i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

/* True if the file in the test's directory holds the words. */
static bool file_has(const struct lan *lan, const char *name, const char *words)
{
	char path[96];
	char text[16384];
	snprintf(path, sizeof(path), "%s/%s", lan->dir, name);
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	return strstr(text, words) != NULL;
}

/* The client */

static void on_send(void *user, const struct weft_frame *frame, uint64_t now)
{
	const struct lan *lan = user;
	(void)now;
	/* Before dnsmasq is up, its side of the cable is down: the client tries again. */
	ssize_t n = send(lan->socket, frame->data, frame->len, 0);
	if (n != (ssize_t)frame->len && errno != ENETDOWN)
		fail_msg("send: %s", strerror(errno));
}

static void on_bound(void *user, const struct weft_dhcpc_lease *lease)
{
	struct lan *lan = user;
	struct weft_error err;
	lan->bound_n++;
	lan->lease = *lease;
	if (weft_host_add_address(lan->host, "weft0", &lease->address, &err) < 0)
		fail_msg("%s", err.text);
}

static void on_lost(void *user)
{
	struct lan *lan = user;
	lan->lost_n++;
}

static void open_socket(struct lan *lan)
{
	lan->socket = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(lan->socket >= 0);
	const struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x0003), /* ETH_P_ALL. */
		.sll_ifindex = (int)if_nametoindex("weft0"),
	};
	assert_int_equal(bind(lan->socket, (const struct sockaddr *)(const void *)&addr,
			      sizeof(addr)),
			 0);
}

static void open_host(struct lan *lan)
{
	char dir[96];
	struct weft_error err;
	snprintf(dir, sizeof(dir), "%s/state", lan->dir);
	const struct weft_host_opts opts = { .state_dir = dir };
	if (weft_host_new(&opts, &err, &lan->host) < 0 ||
	    weft_host_set_up(lan->host, "weft0", true, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_client(struct lan *lan)
{
	const struct weft_dhcpc_opts opts = {
		.mac = { { 2, 0, 0, 0, 0, 7 } },
		.hostname = "player",
		.seed = test_seed(),
		.send = on_send,
		.bound = on_bound,
		.lost = on_lost,
		.user = lan,
	};
	assert_int_equal(weft_dhcpc_new(&opts, &lan->client), 0);
}

/* What veth peers leave to be filled in is not filled in on the way to a packet socket. */
static void receive(struct lan *lan)
{
	uint8_t data[2048];
	ssize_t n;
	while ((n = recv(lan->socket, data, sizeof(data), 0)) > 0) {
		const struct weft_frame frame = {
			.data = data,
			.len = (uint32_t)n,
			.offload = { .flags = WEFT_OFFLOAD_NEEDS_CSUM },
		};
		(void)weft_dhcpc_input(lan->client, &frame, now_of(lan));
	}
}

/* Runs the client until done says so, or patience is at its end. */
static void run_until(struct lan *lan, bool (*done)(const struct lan *lan),
		      const char *what)
{
	uint64_t end = real_now() + PATIENCE_NS;
	while (!done(lan)) {
		if (real_now() > end)
			fail_msg("no %s in time; the client is %s", what,
				 weft_dhcpc_state_name(weft_dhcpc_state(lan->client)));
		uint64_t now = now_of(lan);
		if (weft_dhcpc_deadline(lan->client) <= now)
			weft_dhcpc_run(lan->client, now);
		struct pollfd pollfd = { .fd = lan->socket, .events = POLLIN };
		(void)poll(&pollfd, 1, 5);
		receive(lan);
	}
}

static bool is_bound_once(const struct lan *lan)
{
	return lan->bound_n == 1;
}

static bool is_bound_twice(const struct lan *lan)
{
	return lan->bound_n == 2;
}

static bool is_bound_thrice(const struct lan *lan)
{
	return lan->bound_n == 3;
}

static bool is_declined(const struct lan *lan)
{
	return file_has(lan, "log", "DHCPDECLINE(lan0) 192.168.77.100 " MAC_TEXT);
}

static bool is_released(const struct lan *lan)
{
	return !file_has(lan, "leases", MAC_TEXT);
}

/* Set-up and tear-down */

static void set_up(struct lan *lan, const char *server_set_up)
{
	*lan = (struct lan){ .dir = "/tmp/weft-dnsmasq-XXXXXX", .socket = -1 };
	assert_non_null(mkdtemp(lan->dir));
	sh("ip link add weft0 address " MAC_TEXT " type veth peer name lan0 && "
	   "ip link set weft0 addrgenmode none");
	start_server(lan, server_set_up);
	open_host(lan);
	open_socket(lan);
	open_client(lan);
}

static void tear_down(struct lan *lan)
{
	weft_dhcpc_free(lan->client);
	weft_host_free(lan->host);
	close(lan->socket);
	sh("ip link del weft0");
	kill(lan->server, SIGKILL);
	assert_int_equal(waitpid(lan->server, NULL, 0), lan->server);
	sh("rm -r '%s'", lan->dir);
}

static void test_lease_renewal_rebinding_and_release(void **state)
{
	(void)state;
	struct lan lan;
	char text[WEFT_IP_TEXT];
	set_up(&lan, "true");
	run_until(&lan, is_bound_once, "lease");
	assert_string_equal(weft_ip_print(&lan.lease.address, text), "192.168.77.100/24");
	assert_string_equal(weft_ip_print(&lan.lease.server, text), "192.168.77.1");
	assert_int_equal(lan.lease.lease_s, 3600);
	assert_true(
		file_has(&lan, "leases", MAC_TEXT " 192.168.77.100 player 01:" MAC_TEXT));

	/* To the server alone, which answers to the address that the kernel now has. */
	lan.skipped_ns += lan.lease.renew_s * NS_PER_S;
	run_until(&lan, is_bound_twice, "renewal");

	/* To all. */
	lan.skipped_ns += lan.lease.rebind_s * NS_PER_S;
	run_until(&lan, is_bound_thrice, "rebinding");
	assert_int_equal(lan.lost_n, 0);
	assert_int_equal(weft_dhcpc_count(lan.client, WEFT_DHCPC_TAKEN), 4);
	assert_int_equal(weft_dhcpc_count(lan.client, WEFT_DHCPC_DROP_MALFORMED), 0);

	weft_dhcpc_release(lan.client, now_of(&lan));
	run_until(&lan, is_released, "release");
	tear_down(&lan);
}

/* Somebody, here the server's own kernel, has the only address that there is to give. */
static void test_an_address_in_use_is_declined(void **state)
{
	(void)state;
	struct lan lan;
	set_up(&lan, "ip addr add 192.168.77.100/24 dev lan0");
	run_until(&lan, is_declined, "DHCPDECLINE");
	assert_int_equal(lan.bound_n, 0);
	assert_int_equal(weft_dhcpc_count(lan.client, WEFT_DHCPC_CONFLICT), 1);
	tear_down(&lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease_renewal_rebinding_and_release),
		cmocka_unit_test(test_an_address_in_use_is_declined),
	};
	const char *lack = netns_lacks();
	if (!lack && !try_sh("dnsmasq --version >/dev/null 2>&1"))
		lack = "dnsmasq is missing";
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
