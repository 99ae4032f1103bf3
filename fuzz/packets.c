/* SPDX-License-Identifier: MIT */
/*
 * The dialects of datagrams on what a peer sent: the first byte chooses which, the rest is the
 * datagram. The parsers first; then whole plugs on real sockets, which hear a train of
 * datagrams, each with its length in two bytes in front.
 */
#include "link/drivers.h"
#include "link/plug.h"
#include "wire/cursor.h"
#include "wire/ipx.h"
#include "wire/kai.h"
#include "wire/vde.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- parsers ----------------------------------------------------------------------------- */

static void fuzz_kai(const uint8_t *data, size_t size)
{
	char once[KAI_LEN_MAX], twice[KAI_LEN_MAX];
	struct kai_msg msg, again;

	if (kai_msg_parse(data, size, &msg) < 0)
		return;
	assert(strlen(msg.id) < KAI_ID_LEN && strlen(msg.text) < KAI_TEXT_LEN);
	size_t len = kai_msg_emit(once, &msg);
	assert(len < KAI_LEN_MAX);
	assert(kai_msg_parse((uint8_t *)once, len, &again) == 0);
	assert(kai_msg_emit(twice, &again) == len && memcmp(once, twice, len) == 0);
}

static void fuzz_vde(const uint8_t *data, size_t size)
{
	uint8_t once[VDE_REQUEST_LEN_MAX];
	struct vde_request request, again;
	char path[VDE_PATH_LEN];

	if (vde_address_parse(data, size, path) == 0)
		assert(path[0] && strlen(path) < VDE_PATH_LEN);
	if (vde_request_parse(data, size, &request) < 0)
		return;
	assert(strlen(request.path) < VDE_PATH_LEN);
	size_t len = vde_request_emit(once, &request);
	assert(vde_request_parse(once, len, &again) == 0);
	assert(memcmp(&request, &again, sizeof(again)) == 0);
}

static void fuzz_ipx(const uint8_t *data, size_t size)
{
	uint8_t out[IPX_LEN];
	struct ipx_hdr hdr;

	if (ipx_hdr_parse(data, size, &hdr) < 0)
		return;
	assert(hdr.len >= IPX_LEN && hdr.len <= size);
	ipx_hdr_emit(out, &hdr);
	assert(memcmp(out, data, IPX_LEN) == 0);
}

static void fuzz_ipx_frame(const uint8_t *data, size_t size)
{
	struct ipx_place place;

	if (ipx_frame_parse(data, size, &place) < 0)
		return;
	assert(place.off == ipx_frame_hdr_len(place.framing));
	assert(place.off + place.hdr.len <= size);
}

/* ---- plugs ------------------------------------------------------------------------------- */

static int task_add(void *user, struct weft_task *task)
{
	(void)user;
	(void)task;
	return 0;
}

static void task_remove(void *user, struct weft_task *task)
{
	(void)user;
	(void)task;
}

/* The task that reads the plug's socket is the last one that was added before any peer. */
struct bench {
	struct weft_plug *plug;
	struct weft_task *reader;
	struct weft_link *link;
};

static int bench_add(void *user, struct weft_task *task)
{
	struct bench *b = user;
	if (task->fd >= 0 && !b->reader)
		b->reader = task;
	return task_add(user, task);
}

static void bench_receive(void *user, struct weft_link *link,
			  const struct weft_frame *frames, size_t n, uint64_t now)
{
	(void)user;
	/* What came in goes out again: the way back is tried as well. */
	for (size_t i = 0; i < n; i++)
		assert(frames[i].len >= 14 && frames[i].headroom <= WEFT_HEADROOM);
	weft_link_send(link, frames, n, now);
}

static void bench_plugged(void *user, struct weft_link *link, const char *peer,
			  uint64_t now)
{
	struct bench *b = user;
	(void)peer;
	(void)now;
	b->link = link;
	weft_link_on_receive(link, bench_receive, b);
}

static void bench_unplugged(void *user, struct weft_link *link, uint64_t now)
{
	struct bench *b = user;
	(void)link;
	(void)now;
	b->link = NULL;
}

static const struct weft_plug_events bench_events = { .plugged = bench_plugged,
						      .unplugged = bench_unplugged };

static void bench_run(struct bench *b, uint64_t now)
{
	if (b->reader)
		b->reader->run(b->reader, now);
	if (b->link)
		weft_link_task(b->link)->run(weft_link_task(b->link), now);
	b->plug->task.run(&b->plug->task, now);
}

/* Sends the train to the plug from one socket, which has its answers thrown away. */
static void bench_feed(struct bench *b, int fd, const union weft_sockaddr *to,
		       struct reader *train)
{
	uint8_t sink[2048];

	for (uint64_t now = 1; reader_left(train) >= 2; now += 1000000000u) {
		struct reader one = reader_sub(train, reader_u16(train) % 1600u);
		if (one.len > 0)
			(void)!sendto(fd, one.data, one.len, MSG_DONTWAIT, &to->sa,
				      sizeof(to->in));
		bench_run(b, now);
		while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) >= 0) {
		}
	}
}

static void fuzz_plug(const char *spec, const uint8_t *data, size_t size)
{
	struct reader train = reader_of(data, size);
	struct bench b = { .plug = NULL };
	union weft_sockaddr to;
	socklen_t len = sizeof(to);

	if (drivers_open_plug(spec, NULL, &b.plug) < 0)
		return; /* No loopback here. */
	b.plug->runner = (struct plug_runner){ bench_add, task_remove, &b };
	b.plug->events = &bench_events;
	b.plug->user = &b;
	b.plug->task.run(&b.plug->task, 1);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0 && b.reader && getsockname(b.reader->fd, &to.sa, &len) == 0)
		bench_feed(&b, fd, &to, &train);
	(void)close(fd);
	weft_plug_free(b.plug);
}

static void fuzz_kai_plug(const uint8_t *data, size_t size)
{
	fuzz_plug("kai:127.0.0.1:0", data, size);
}

static void fuzz_dosbox_plug(const uint8_t *data, size_t size)
{
	fuzz_plug("dosbox:127.0.0.1:0", data, size);
}

/* The plug asks us, and is answered: what comes then is the server's. */
static void bench_serve(struct bench *b, int fd, struct reader *train)
{
	static const uint8_t answer[] = "\xff\xff\0\x1e\0\0"
					"\0\0\0\0\x7f\0\0\1\x12\x34\0\2"
					"\0\0\0\1\0\0\0\0\0\0\0\2";
	union weft_sockaddr to;
	socklen_t len = sizeof(to);
	uint8_t sink[64];

	bench_run(b, 1);
	if (recvfrom(fd, sink, sizeof(sink), MSG_DONTWAIT, &to.sa, &len) < 0)
		return;
	(void)!sendto(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT, &to.sa, len);
	bench_run(b, 1);
	assert(b->link);
	bench_feed(b, fd, &to, train);
}

static void fuzz_dosbox_client(const uint8_t *data, size_t size)
{
	union weft_sockaddr own = { .in = { .sin_family = AF_INET,
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	struct reader train = reader_of(data, size);
	struct bench b = { .plug = NULL };
	socklen_t len = sizeof(own);
	char spec[64];

	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, &own.sa, sizeof(own.in)) < 0 ||
	    getsockname(fd, &own.sa, &len) < 0)
		abort();
	(void)snprintf(spec, sizeof(spec), "dosbox:127.0.0.1:%u,connect",
		       weft_sockaddr_port(&own));
	if (drivers_open_plug(spec, NULL, &b.plug) < 0)
		abort();
	b.plug->runner = (struct plug_runner){ bench_add, task_remove, &b };
	b.plug->events = &bench_events;
	b.plug->user = &b;
	b.reader = &b.plug->task;
	bench_serve(&b, fd, &train);
	(void)close(fd);
	weft_plug_free(b.plug);
}

static void fuzz_qemu_plug(const uint8_t *data, size_t size)
{
	fuzz_plug("qemu-dgram:127.0.0.1:0,idle=1s", data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const uint8_t *, size_t) = {
		fuzz_kai,      fuzz_vde,         fuzz_ipx,       fuzz_ipx_frame,
		fuzz_kai_plug, fuzz_dosbox_plug, fuzz_qemu_plug, fuzz_dosbox_client,
	};

	if (size > 0)
		targets[data[0] % (sizeof(targets) / sizeof(targets[0]))](data + 1,
									  size - 1);
	return 0;
}
