/* SPDX-License-Identifier: MIT */
/*
 * A host on lwIP, with the ports of bench/tcpload.c, to be held beside bench/stackhost.c:
 *
 *     bench-lwiphost TAP ADDRESS MASK
 *
 * It is the library of Debian as it is (liblwip-dev): windows of 64 KiB, a thread of lwIP's
 * own for the timers. Frames are read from a plain TAP, one by one, and handed to the core
 * under its lock by this thread, so that no frame changes threads. The sink drops what it is
 * shown, the source gives references to 64 MiB that it walks through. SIGUSR1 has it print how
 * much memory is allocated.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <lwip/etharp.h>
#include <lwip/ip4_addr.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <malloc.h>
#include <netif/ethernet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WALK_LEN   ((size_t)64 << 20)
#define PIECE_LEN  ((size_t)16 << 10)
#define FRAME_MAX  1514u
#define MTU        1500u
#define BACKLOG    255u
/* struct ifreq is not to be had beside lwIP's headers: its beginning is a name, then flags. */
#define IFREQ_LEN  40u
#define IFREQ_NAME 16u

static uint8_t *walk;
static size_t walked;
static int tap;
static volatile sig_atomic_t is_asked;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void open_tap(const char *name)
{
	union {
		char bytes[IFREQ_LEN];
		struct {
			char name[IFREQ_NAME];
			short flags;
		} as;
	} request = { .as = { .flags = IFF_TAP | IFF_NO_PI } };
	(void)snprintf(request.as.name, sizeof(request.as.name), "%s", name);
	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &request) < 0)
		die(name);
}

/* ---- the ports --------------------------------------------------------------------------- */

static err_t end(struct tcp_pcb *pcb)
{
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

static err_t sink(void *user, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	(void)user;
	(void)error;
	if (!p)
		return end(pcb);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t echo(void *user, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	(void)user;
	(void)error;
	if (!p)
		return end(pcb);
	err_t r = tcp_write(pcb, p->payload, p->len, TCP_WRITE_FLAG_COPY);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return r == ERR_OK ? tcp_output(pcb) : r;
}

static err_t source(void *user, struct tcp_pcb *pcb, u16_t acked)
{
	size_t len;
	(void)user;
	(void)acked;
	while ((len = tcp_sndbuf(pcb)) > 0) {
		len = len < PIECE_LEN ? len : PIECE_LEN;
		if (tcp_write(pcb, walk + walked, (u16_t)len, 0) != ERR_OK)
			break;
		walked = (walked + len) % (WALK_LEN - PIECE_LEN);
	}
	return tcp_output(pcb);
}

static err_t accept_one(void *user, struct tcp_pcb *pcb, err_t error)
{
	const uint16_t port = *(const uint16_t *)user;
	if (error != ERR_OK)
		return error;
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, port > 5002 ? echo : sink);
	if (port != 5002)
		return ERR_OK;
	tcp_sent(pcb, source);
	return source(NULL, pcb, 0);
}

static void listen_at(uint16_t *port)
{
	struct tcp_pcb *pcb = tcp_new();
	if (!pcb || tcp_bind(pcb, IP4_ADDR_ANY, *port) != ERR_OK)
		die("listen");
	pcb = tcp_listen_with_backlog(pcb, BACKLOG);
	tcp_arg(pcb, port);
	tcp_accept(pcb, accept_one);
}

/* ---- the host ---------------------------------------------------------------------------- */

static err_t output(struct netif *netif, struct pbuf *p)
{
	uint8_t frame[FRAME_MAX];
	(void)netif;
	u16_t len = pbuf_copy_partial(p, frame, sizeof(frame), 0);
	return write(tap, frame, len) == len ? ERR_OK : ERR_IF;
}

static err_t init_netif(struct netif *netif)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 8 };
	netif->output = etharp_output;
	netif->linkoutput = output;
	netif->mtu = MTU;
	netif->hwaddr_len = sizeof(mac);
	memcpy(netif->hwaddr, mac, sizeof(mac));
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static void read_frames(struct netif *netif)
{
	uint8_t frame[FRAME_MAX];
	ssize_t n;
	while ((n = read(tap, frame, sizeof(frame))) > 0) {
		struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);
		if (!p)
			continue;
		(void)pbuf_take(p, frame, (u16_t)n);
		LOCK_TCPIP_CORE();
		if (netif->input(p, netif) != ERR_OK)
			pbuf_free(p);
		UNLOCK_TCPIP_CORE();
	}
}

static void ask(int signo)
{
	(void)signo;
	is_asked = 1;
}

int main(int argc, char **argv)
{
	static struct netif netif;
	static uint16_t ports[] = { 5001, 5002, 5003, 5004 };
	ip4_addr_t address, mask;
	if (argc < 4 || !ip4addr_aton(argv[2], &address) || !ip4addr_aton(argv[3], &mask))
		return 2;
	walk = malloc(WALK_LEN);
	if (!walk)
		die("memory");
	memset(walk, 'w', WALK_LEN);
	(void)signal(SIGUSR1, ask);
	open_tap(argv[1]);
	tcpip_init(NULL, NULL);
	LOCK_TCPIP_CORE();
	netif_add(&netif, &address, &mask, IP4_ADDR_ANY4, NULL, init_netif,
		  ethernet_input);
	netif_set_up(&netif);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		listen_at(&ports[i]);
	UNLOCK_TCPIP_CORE();
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;) {
		struct pollfd fd = { .fd = tap, .events = POLLIN };
		(void)poll(&fd, 1, -1);
		read_frames(&netif);
		if (is_asked)
			(void)printf("memory %zu\n", mallinfo2().uordblks);
		is_asked = 0;
		(void)fflush(stdout);
	}
}
