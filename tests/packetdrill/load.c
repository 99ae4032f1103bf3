/* SPDX-License-Identifier: MIT */
/*
 * The shared object as google's packetdrill loads it: opened by its name, asked for one function,
 * and called through the table that this fills in. What packetdrill does with it is done here
 * once, so that the table's order and what its calls promise cannot change unnoticed:
 *
 *      time     only by usleep, gettimeofday (a microsecond each time) and netdev_receive
 *      packets  without a link's header, in by netdev_send, out by netdev_receive with their time
 *      calls    as the manual has them, with errno; one that waits is made by another thread
 *
 * It knows nothing of the stack but that table, and makes its segments by hand.
 */
#include "interface.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                        \
	do {                                                                    \
		if (!(condition)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			exit(1);                                                \
		}                                                               \
	} while (0)

/* The table is one of pointers, in the order of packetdrill's own header. */
#define IS_AT(member, n)                                                \
	static_assert(offsetof(struct packetdrill_interface, member) == \
			      (n) * sizeof(void *),                     \
		      #member " is where packetdrill looks for it")
IS_AT(userdata, 0);
IS_AT(free, 1);
IS_AT(socket, 2);
IS_AT(bind, 3);
IS_AT(listen, 4);
IS_AT(accept, 5);
IS_AT(connect, 6);
IS_AT(read, 7);
IS_AT(readv, 8);
IS_AT(recv, 9);
IS_AT(recvfrom, 10);
IS_AT(recvmsg, 11);
IS_AT(write, 12);
IS_AT(writev, 13);
IS_AT(send, 14);
IS_AT(sendto, 15);
IS_AT(sendmsg, 16);
IS_AT(fcntl, 17);
IS_AT(ioctl, 18);
IS_AT(close, 19);
IS_AT(shutdown, 20);
IS_AT(getsockopt, 21);
IS_AT(setsockopt, 22);
IS_AT(poll, 23);
IS_AT(netdev_send, 24);
IS_AT(netdev_receive, 25);
IS_AT(usleep, 26);
IS_AT(gettimeofday, 27);
IS_AT(epoll_create, 28);
IS_AT(epoll_ctl, 29);
IS_AT(epoll_wait, 30);
IS_AT(pipe, 31);
IS_AT(splice, 32);
static_assert(sizeof(struct packetdrill_interface) == 33 * sizeof(void *),
	      "packetdrill has no more than this");

#define IP_LEN      20u
#define TCP_LEN     20u
#define PACKET_MAX  2048u
#define LOCAL       0xc0a80001u /* 192.168.0.1, where packetdrill has the stack. */
#define REMOTE      0xc0000201u /* 192.0.2.1. */
#define PORT        8080u
#define REMOTE_PORT 40000u
#define FIN         0x01u
#define SYN         0x02u
#define PSH         0x08u
#define ACK         0x10u

static struct packetdrill_interface so;

static void load(const char *path)
{
	void (*init)(const char *, struct packetdrill_interface *);
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(object);
	void *symbol = dlsym(object, "packetdrill_interface_init");
	CHECK(symbol);
	memcpy(&init, &symbol, sizeof(init)); /* As POSIX has a function come of dlsym. */
	init(NULL, &so);
	/* All of the table is there, whatever the call can do. */
	void *pointers[sizeof(so) / sizeof(void *)];
	memcpy(pointers, &so, sizeof(so));
	for (size_t i = 0; i < sizeof(so) / sizeof(void *); i++)
		CHECK(pointers[i]);
}

/* ---- packets ----------------------------------------------------------------------------- */

/* A segment of either side. Without options, but for what the stack sends with its SYN. */
struct segment {
	uint8_t flags;
	uint32_t seq, ack;
	const char *data;
	size_t len;
	long long at_us;
};

static void put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

static uint32_t get32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

/* The one's complement sum of RFC 1071, of an even number of bytes and perhaps one more. */
static unsigned sum_of(unsigned sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (unsigned)bytes[i] << (i % 2 ? 0 : 8);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of the segment in a packet: with the pseudo-header. */
static unsigned tcp_sum(const uint8_t *packet, size_t tcp_len)
{
	unsigned sum = sum_of(6 + (unsigned)tcp_len, packet + 12, 8);
	return sum_of(sum, packet + IP_LEN, tcp_len);
}

static void send_segment(const struct segment *s)
{
	uint8_t packet[PACKET_MAX] = { 0x45, [6] = 0x40, [8] = 255, [9] = 6 };
	uint8_t *tcp = packet + IP_LEN;
	size_t tcp_len = TCP_LEN + s->len;
	put16(packet + 2, (unsigned)(IP_LEN + tcp_len));
	put32(packet + 12, REMOTE);
	put32(packet + 16, LOCAL);
	put16(packet + 10, ~sum_of(0, packet, IP_LEN) & 0xffff);
	put16(tcp, REMOTE_PORT);
	put16(tcp + 2, PORT);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = 0x50;
	tcp[13] = s->flags;
	put16(tcp + 14, 32792);
	if (s->len > 0)
		memcpy(tcp + TCP_LEN, s->data, s->len);
	put16(tcp + 16, ~tcp_sum(packet, tcp_len) & 0xffff);
	CHECK(so.netdev_send(so.userdata, packet, IP_LEN + tcp_len) == 0);
}

/* The next segment that the stack sends, whenever that is. Its data is the packet's. */
static struct segment receive_segment(void)
{
	static uint8_t packet[PACKET_MAX];
	struct segment s;
	size_t len = sizeof(packet);
	CHECK(so.netdev_receive(so.userdata, packet, &len, &s.at_us) == 0);
	CHECK(len >= IP_LEN + TCP_LEN && packet[0] == 0x45 && packet[9] == 6);
	CHECK(get32(packet + 12) == LOCAL && get32(packet + 16) == REMOTE);
	CHECK(sum_of(0, packet, IP_LEN) == 0xffff);
	CHECK(tcp_sum(packet, len - IP_LEN) == 0xffff);
	const uint8_t *tcp = packet + IP_LEN;
	size_t header = (size_t)(tcp[12] >> 4) * 4;
	s.seq = get32(tcp + 4);
	s.ack = get32(tcp + 8);
	s.flags = tcp[13];
	s.data = (const char *)tcp + header;
	s.len = len - IP_LEN - header;
	return s;
}

/* ---- time -------------------------------------------------------------------------------- */

static long long now_us(void)
{
	struct timeval tv;
	CHECK(so.gettimeofday(so.userdata, &tv, NULL) == 0);
	return (long long)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void time_is_what_it_makes_of_it(void)
{
	long long before = now_us();
	CHECK(now_us() == before + 1);
	CHECK(so.usleep(so.userdata, 63 * 1000000u) == 0);
	CHECK(now_us() == before + 2 + 63 * 1000000ll);
}

/* ---- a script ---------------------------------------------------------------------------- */

static struct sockaddr_in address_of(uint32_t host, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	sin.sin_addr.s_addr = htonl(host);
	return sin;
}

static int listen_at_port(void)
{
	struct sockaddr_in local = address_of(0, PORT);
	int one = 1;
	int fd = so.socket(so.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	CHECK(fd >= 0);
	CHECK(so.setsockopt(so.userdata, fd, SOL_SOCKET, SO_REUSEADDR, &one,
			    sizeof(one)) == 0);
	CHECK(so.bind(so.userdata, fd, (const struct sockaddr *)&local, sizeof(local)) ==
	      0);
	CHECK(so.listen(so.userdata, fd, 1) == 0);
	return fd;
}

#define LOOKS 1000 /* Microseconds, each of which is looked for. */

/*
 * What packetdrill's second thread does with a call that the script says takes a while: it looks
 * at the clock until the call is to begin, which its first thread waits for, makes it, and looks
 * again.
 */
struct waiting {
	pthread_t thread;
	pthread_barrier_t begins;
	int listener, result;
	struct sockaddr_in peer;
	long long began_us, ended_us;
};

static void *accept_one(void *user)
{
	struct waiting *w = user;
	socklen_t len = sizeof(w->peer);
	for (int i = 0; i < LOOKS; i++)
		CHECK(now_us() == ++w->began_us);
	(void)pthread_barrier_wait(&w->begins);
	w->result =
		so.accept(so.userdata, w->listener, (struct sockaddr *)&w->peer, &len);
	w->ended_us = now_us();
	return NULL;
}

/* accept waits for 200 ms of the stack's time, and returns when the handshake is over. */
static int accept_what_comes(int listener, uint32_t *ret_iss)
{
	struct waiting w = { .listener = listener, .began_us = now_us() };
	CHECK(pthread_barrier_init(&w.begins, NULL, 2) == 0);
	CHECK(pthread_create(&w.thread, NULL, accept_one, &w) == 0);
	(void)pthread_barrier_wait(&w.begins);
	CHECK(so.usleep(so.userdata, 100000) == 0);
	send_segment(&(struct segment){ .flags = SYN, .seq = 1000 });
	struct segment s = receive_segment();
	CHECK(s.flags == (SYN | ACK) && s.ack == 1001);
	CHECK(s.at_us >= w.began_us + 100000 && s.at_us < w.began_us + 100010);
	CHECK(so.usleep(so.userdata, 100000) == 0);
	send_segment(&(struct segment){ .flags = ACK, .seq = 1001, .ack = s.seq + 1 });
	CHECK(so.usleep(so.userdata, 1000) == 0);
	CHECK(pthread_join(w.thread, NULL) == 0);
	(void)pthread_barrier_destroy(&w.begins);
	CHECK(w.result >= 0 && w.peer.sin_port == htons(REMOTE_PORT));
	CHECK(w.peer.sin_addr.s_addr == htonl(REMOTE));
	*ret_iss = s.seq;
	return w.result;
}

static void data_goes_both_ways(int fd, uint32_t iss)
{
	char buf[16];
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	CHECK(so.fcntl(so.userdata, fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	errno = 0;
	CHECK(so.read(so.userdata, fd, buf, sizeof(buf)) == -1 && errno == EAGAIN);
	CHECK(so.poll(so.userdata, &poll, 1, 0) == 0);
	send_segment(&(struct segment){ ACK | PSH, 1001, iss + 1, "hello", 5, 0 });
	CHECK(so.poll(so.userdata, &poll, 1, 0) == 1 && poll.revents == POLLIN);
	CHECK(so.read(so.userdata, fd, buf, sizeof(buf)) == 5);
	CHECK(memcmp(buf, "hello", 5) == 0);
	char first[] = "wor", second[] = "ld";
	struct iovec iov[] = { { first, 3 }, { second, 2 } };
	long long before = now_us();
	CHECK(so.writev(so.userdata, fd, iov, 2) == 5);
	struct segment s = receive_segment();
	CHECK(s.len == 5 && memcmp(s.data, "world", 5) == 0 && s.seq == iss + 1);
	CHECK(s.ack == 1006 && s.at_us <= before + 1);
	/* Nobody acknowledges: what is sent again is waited for, however long it takes. */
	s = receive_segment();
	CHECK(s.len == 5 && s.seq == iss + 1 && s.at_us > before + 100000);
	send_segment(&(struct segment){ .flags = ACK, .seq = 1006, .ack = iss + 6 });
}

static void it_ends(int fd, uint32_t iss)
{
	char buf[16];
	send_segment(
		&(struct segment){ .flags = FIN | ACK, .seq = 1006, .ack = iss + 6 });
	struct segment s = receive_segment();
	CHECK(s.flags == ACK && s.ack == 1007);
	CHECK(so.recv(so.userdata, fd, buf, sizeof(buf), 0) == 0);
	CHECK(so.close(so.userdata, fd) == 0);
	s = receive_segment();
	CHECK(s.flags == (FIN | ACK) && s.seq == iss + 6);
	send_segment(&(struct segment){ .flags = ACK, .seq = 1007, .ack = iss + 7 });
	errno = 0;
	CHECK(so.close(so.userdata, fd) == -1 && errno == EBADF);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	load(argv[1]);
	time_is_what_it_makes_of_it();
	int listener = listen_at_port();
	uint32_t iss = 0;
	int fd = accept_what_comes(listener, &iss);
	data_goes_both_ways(fd, iss);
	it_ends(fd, iss);
	errno = 0;
	CHECK(so.pipe(so.userdata, (int[2]){ 0 }) == -1 && errno == ENOSYS);
	so.free(so.userdata);
	return 0;
}
