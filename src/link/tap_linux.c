/* SPDX-License-Identifier: MIT */
/*
 * TAP and TUN devices of Linux (Documentation/networking/tuntap.rst).
 *
 * One read(2) brings one frame, which with TSO and USO is up to 64 KiB; there is no call
 * that brings several. A run reads until the device has no more, or LINK_BATCH frames or
 * LINK_RUN_BYTES, packed into one arena, and delivers them as one batch:
 *
 *   arena  | headroom | vnet hdr | frame | pad | headroom | vnet hdr | frame | ...
 *                     ^ read() writes from here; the header lies in the headroom
 *
 * That the device has no more is told by a read that finds nothing, and costs as much as one
 * that brings a short frame. Where frames come one by one, as questions do that wait for their
 * answers, it is left out most of the time: the loop finds the descriptor readable if not.
 *
 * The next question is often there as soon as the answer is written: on a CPU that both share,
 * whoever waited for it runs before the write returns. So a run that has found something guesses
 * that there is more by now, and has itself run again without asking the loop's descriptors
 * first. Where that is a habit it saves each exchange a system call; where it is not, a wrong
 * guess costs one that finds nothing, and the next guess waits the longer for it.
 *
 * Each run starts at the front of the arena again, so that a device with little traffic
 * stays within a page of it. A write takes the frame with its header in the headroom, which
 * the kernel copies in one piece; what lies in pieces anyway has the header beside it.
 */
#include "base/mac.h"
#include "link/drivers.h"
#include "link/link.h"
#include "link/local.h"
#include "link/pieces.h"
#include "link/vnet_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* In the kernel's headers since 6.2; an older kernel answers EINVAL. */
#define TAP_F_USO4 0x20u
#define TAP_F_USO6 0x40u

#define SLOT_ALIGN 64u
#define ALONE_MANY 4u  /* So many runs make a habit, */
#define LOOK_EVERY 32u /* and so often it is looked whether it still is one. */
#define ARENA_LEN  (LINK_RUN_BYTES + 2 * WEFT_HEADROOM + WEFT_FRAME_LEN_MAX)

/* Runs without a guess after a wrong one: twice as many each time, up to the last. */
#define GUESS_FIRST 8u
#define GUESS_LAST  256u

/* Shorter than an Ethernet header, an IPv4 header. */
#define TAP_FRAME_LEN_MIN 14u
#define TUN_FRAME_LEN_MIN 20u

struct tap {
	struct weft_link link;
	uint8_t *arena; /* Allocated by the first run. */
	uint32_t frame_len_min;
	/* Runs, of late and in a row, that have found one frame and no more. */
	unsigned alone;
	unsigned unseen; /* Runs since then that have not looked for a second one. */
	bool is_guess;   /* There is more by now: to be run again at once. */
	unsigned wrong;  /* Runs to go without a guess, after the last wrong one, ... */
	unsigned pause;  /* ... and how many of them are left. */
};

static struct tap *tap_of(struct weft_link *link)
{
	return (struct tap *)(void *)link;
}

/* EBADFD: the device was deleted. EIO: it is being deleted. */
static void tap_on_read_error(struct tap *tap, int error)
{
	if (error == EBADFD || error == EIO)
		link_set_down(&tap->link);
	else if (error != EAGAIN && error != EINTR)
		tap->link.stats.rx_errors++;
}

/*
 * Reads one frame into slot. Returns 1 with the frame, 0 for one that was no good, or -1
 * when there is nothing more to read.
 */
static int tap_read(struct tap *tap, uint8_t *slot, struct weft_frame *ret_frame)
{
	uint8_t *data = slot + WEFT_HEADROOM;
	uint8_t *hdr = data - VNET_HDR_LEN;
	ssize_t got = read(tap->link.task.fd, hdr, VNET_HDR_LEN + WEFT_FRAME_LEN_MAX);
	if (got < 0) {
		tap_on_read_error(tap, errno);
		return -1;
	}
	struct weft_frame frame = { .data = data, .headroom = WEFT_HEADROOM };
	if (got < (ssize_t)(VNET_HDR_LEN + tap->frame_len_min)) {
		tap->link.stats.rx_errors++;
		return 0;
	}
	frame.len = (uint32_t)got - VNET_HDR_LEN;
	if (vnet_load(hdr, frame.len, &frame.offload) < 0) {
		tap->link.stats.rx_errors++;
		return 0;
	}
	*ret_frame = frame;
	return 1;
}

/* Whether it is worth looking for a second frame. */
static bool expects_more(struct tap *tap)
{
	if (tap->alone < ALONE_MANY)
		return true;
	tap->unseen = (tap->unseen + 1) % LOOK_EVERY;
	return tap->unseen == 0;
}

/* Reads as much as a run may. Returns how many frames that are any good. */
static size_t tap_read_batch(struct tap *tap, struct weft_frame frames[LINK_BATCH])
{
	size_t n = 0, off = 0;
	unsigned reads = 0;
	int r = 1;
	for (; r >= 0 && reads < LINK_BATCH && off < LINK_RUN_BYTES; reads++) {
		if (reads == 1 && !expects_more(tap))
			return n;
		r = tap_read(tap, tap->arena + off, &frames[n]);
		if (r <= 0)
			continue;
		off += WEFT_HEADROOM + frames[n].len;
		off += (SLOT_ALIGN - off % SLOT_ALIGN) % SLOT_ALIGN;
		n++;
	}
	if (reads == 2)
		tap->alone++;
	else if (reads > 2)
		tap->alone = 0;
	return n;
}

/* Learns from this run whether the last guess was right, and makes the next one. */
static void tap_guess(struct tap *tap, bool found)
{
	if (tap->is_guess && found) {
		tap->wrong = 0;
	} else if (tap->is_guess) {
		tap->wrong = tap->wrong ? 2 * tap->wrong : GUESS_FIRST;
		tap->wrong = tap->wrong < GUESS_LAST ? tap->wrong : GUESS_LAST;
		tap->pause = tap->wrong;
	}
	if (found && tap->pause > 0)
		tap->pause--;
	tap->is_guess = found && tap->pause == 0;
}

static void tap_run(struct weft_link *link, uint64_t now)
{
	struct tap *tap = tap_of(link);
	struct weft_frame frames[LINK_BATCH];

	if (!tap->arena)
		tap->arena = malloc(ARENA_LEN);
	if (!tap->arena || link->is_down)
		return;
	size_t n = tap_read_batch(tap, frames);
	tap_guess(tap, n > 0);
	link_deliver(link, frames, n, now);
}

static uint64_t tap_deadline(const struct weft_link *link)
{
	const struct tap *tap = (const void *)link;
	return tap->is_guess && (link->task.events & WEFT_READABLE) ? 0 : WEFT_NEVER;
}

/* EIO is a device that is not up: the frame is lost, as on a cable that is not plugged in. */
static bool tap_is_sent(struct tap *tap, ssize_t sent)
{
	if (sent < 0 && errno == EBADFD)
		link_set_down(&tap->link);
	return sent >= 0;
}

static bool tap_writev(struct tap *tap, const struct iovec *iov, size_t n)
{
	ssize_t sent;
	do {
		sent = writev(tap->link.task.fd, iov, (int)n);
	} while (sent < 0 && errno == EINTR);
	return tap_is_sent(tap, sent);
}

static bool tap_write(struct tap *tap, const struct weft_frame *frame)
{
	struct virtio_net_hdr hdr = vnet_hdr(&frame->offload);
	if (frame->headroom < VNET_HDR_LEN) {
		const struct iovec iov[] = {
			{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
			{ .iov_base = frame->data, .iov_len = frame->len },
		};
		return tap_writev(tap, iov, 2);
	}
	uint8_t *whole = frame->data - VNET_HDR_LEN;
	ssize_t sent;
	memcpy(whole, &hdr, sizeof(hdr));
	do {
		sent = write(tap->link.task.fd, whole, VNET_HDR_LEN + frame->len);
	} while (sent < 0 && errno == EINTR);
	return tap_is_sent(tap, sent);
}

/* An iovec is not const, although writev only reads. */
static void *unconst(const void *data)
{
	union {
		const void *data;
		void *iov_base;
	} both = { .data = data };
	return both.iov_base;
}

static bool tap_send_pieces(struct weft_link *link, const struct weft_frame *frame,
			    const struct link_piece *pieces, size_t n)
{
	struct virtio_net_hdr hdr = vnet_hdr(&frame->offload);
	struct iovec iov[2 + LINK_PIECES_MAX] = {
		{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = frame->data, .iov_len = frame->len },
	};
	for (size_t i = 0; i < n; i++)
		iov[2 + i] = (struct iovec){ .iov_base = unconst(pieces[i].data),
					     .iov_len = pieces[i].len };
	return tap_writev(tap_of(link), iov, 2 + n);
}

static size_t tap_send(struct weft_link *link, const struct weft_frame *frames, size_t n,
		       uint64_t now)
{
	(void)now;
	for (size_t i = 0; i < n; i++) {
		if (!tap_write(tap_of(link), &frames[i]))
			return i;
	}
	return n;
}

static void tap_free(struct weft_link *link)
{
	struct tap *tap = tap_of(link);
	link_fini(link);
	if (link->task.fd >= 0)
		(void)close(link->task.fd);
	free(tap->arena);
	free(tap);
}

static const struct link_ops tap_ops = {
	.run = tap_run,
	.deadline = tap_deadline,
	.send = tap_send,
	.send_pieces = tap_send_pieces,
	.free = tap_free,
};

static int fail_device(int error, struct weft_error *err)
{
	if (error == ENOENT || error == ENODEV || error == ENXIO)
		return weft_error_set(
			err, -ENODEV,
			"there is no /dev/net/tun: load the module (`sudo modprobe "
			"tun`), or hand the device to the container (`--device "
			"/dev/net/tun`)");
	if (error == EACCES || error == EPERM)
		return weft_error_set(
			err, -error,
			"not allowed to open /dev/net/tun: run as root, or give "
			"your user the device (`sudo setfacl -m u:$USER:rw "
			"/dev/net/tun`)");
	return weft_error_set(err, -error, "/dev/net/tun: %s", strerror(error));
}

static int fail_attach(int error, const struct spec *spec, struct weft_error *err)
{
	const char *kind = spec->driver->kind;
	const char *name = spec->name;

	if (error == EPERM)
		return weft_error_set(
			err, -EPERM,
			"%s needs CAP_NET_ADMIN: run as root, or `sudo setcap "
			"cap_net_admin+ep` this program, or name a persistent "
			"device of your own (`sudo ip tuntap add %s mode %s user "
			"$USER`%s)",
			kind, name[0] ? name : "NAME", kind,
			spec->values[TAP_MULTIQUEUE].flag ? " with multi_queue" : "");
	if (error == EBUSY)
		return weft_error_set(
			err, -EBUSY,
			"%s \"%s\" is in use by another process: end that one, or "
			"take another name (or open both with multiqueue)",
			kind, name);
	if (error == EINVAL)
		return weft_error_set(
			err, if_nametoindex(name) ? -EEXIST : -EINVAL,
			"\"%s\" cannot be a %s here: an interface of another type "
			"has that name, or it was made %s multiqueue, or the name "
			"is not valid",
			name, kind,
			spec->values[TAP_MULTIQUEUE].flag ? "without" : "with");
	return weft_error_set(err, -error, "%s \"%s\": %s", kind, name, strerror(error));
}

static int name_check(const struct spec *spec, struct weft_error *err)
{
	if (strlen(spec->name) < IFNAMSIZ)
		return 0;
	return weft_error_set(err, -EINVAL,
			      "\"%.40s\": an interface name has at most %d letters",
			      spec->name, IFNAMSIZ - 1);
}

/* Makes the device, or attaches to the one that has the name. */
static int tap_attach(int fd, const struct spec *spec, short mode, struct weft_error *err,
		      struct ifreq *ret_ifr)
{
	struct ifreq ifr = { 0 };
	int flags = mode | IFF_NO_PI | IFF_VNET_HDR;
	if (spec->values[TAP_MULTIQUEUE].flag)
		flags |= IFF_MULTI_QUEUE;
	ifr.ifr_flags = (short)flags;
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s",
		       spec->name[0] ? spec->name : "weft%d");
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return fail_attach(errno, spec, err);
	*ret_ifr = ifr;
	return 0;
}

/*
 * Agrees with the kernel on the header and on what it may send us unfinished. Returns the
 * WEFT_LINK_* bits of what it takes from us, which does not depend on that.
 */
static int tap_set_offloads(int fd, bool wants_offload, struct weft_error *err)
{
	const unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	const unsigned long uso = TAP_F_USO4 | TAP_F_USO6;
	const int flags = WEFT_LINK_CSUM | WEFT_LINK_TSO4 | WEFT_LINK_TSO6;
	int hdr_len = (int)VNET_HDR_LEN;

	if (ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) < 0)
		return weft_error_set(err, -errno, "virtio-net header: %s",
				      strerror(errno));
	bool takes_uso = ioctl(fd, TUNSETOFFLOAD, tcp | uso) == 0;
	if (wants_offload && takes_uso)
		return flags | (int)WEFT_LINK_USO;
	if (ioctl(fd, TUNSETOFFLOAD, wants_offload ? tcp : 0) < 0)
		return weft_error_set(err, -errno, "offloads: %s", strerror(errno));
	return takes_uso ? flags | (int)WEFT_LINK_USO : flags;
}

static int tap_set_mac(int fd, const struct spec *spec, struct weft_error *err)
{
	struct ifreq ifr = { 0 };
	struct weft_mac mac = spec->values[TAP_MAC].mac;
	char text[WEFT_MAC_TEXT];

	if (!spec->given[TAP_MAC])
		return 0;
	if (mac_is_group(mac) || mac_is_zero(mac))
		return weft_error_set(err, -EINVAL,
				      "mac=%s is not the address of one station",
				      weft_mac_print(mac, text));
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac.octet, MAC_LEN);
	if (ioctl(fd, SIOCSIFHWADDR, &ifr) < 0)
		return weft_error_set(err, -errno, "mac=%s: %s",
				      weft_mac_print(mac, text), strerror(errno));
	return 0;
}

static bool tap_get_mac(int fd, struct weft_mac *ret_mac)
{
	struct ifreq ifr = { 0 };
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		return false;
	memcpy(ret_mac->octet, ifr.ifr_hwaddr.sa_data, MAC_LEN);
	return true;
}

/* Everything on the open device. Returns 0 with tap filled in, or -Exxx. */
static int tap_setup(struct tap *tap, int fd, const struct spec *spec, short mode,
		     struct weft_error *err)
{
	struct ifreq ifr;
	int r = tap_attach(fd, spec, mode, err, &ifr);
	if (r < 0)
		return r;
	int flags = tap_set_offloads(fd, spec->values[TAP_OFFLOAD].flag, err);
	if (flags < 0)
		return flags;
	if (mode == IFF_TAP && (r = tap_set_mac(fd, spec, err)) < 0)
		return r;
	if (spec->values[TAP_PERSIST].flag && ioctl(fd, TUNSETPERSIST, 1) < 0)
		return weft_error_set(err, -errno, "persist: %s", strerror(errno));

	const struct weft_link_caps caps = {
		.flags = (unsigned)flags | (mode == IFF_TUN ? WEFT_LINK_IP : 0),
		.frame_len_max = WEFT_FRAME_LEN_MAX,
	};
	link_init(&tap->link, &tap_ops, ifr.ifr_name, fd, caps);
	tap->link.wants_merge = true;
	tap->link.has_mac = mode == IFF_TAP && tap_get_mac(fd, &tap->link.mac);
	tap->frame_len_min = mode == IFF_TAP ? TAP_FRAME_LEN_MIN : TUN_FRAME_LEN_MIN;
	return 0;
}

/* Opens /dev/net/tun, or takes over what was handed to us. Returns it or -Exxx. */
static int tun_fd(const struct spec *spec, struct weft_error *err)
{
	const uint64_t given = spec->values[TAP_FD].number;
	if (!spec->given[TAP_FD]) {
		int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		return fd < 0 ? fail_device(errno, err) : fd;
	}
	int r = given <= INT_MAX ? local_adopt((int)given) : -EBADF;
	return r < 0 ? weft_error_set(err, r, "fd=%" PRIu64 ": %s", given, strerror(-r))
		     : r;
}

static int device_open(const struct spec *spec, short mode, struct weft_error *err,
		       struct weft_link **ret_link)
{
	int r = name_check(spec, err);
	if (r < 0)
		return r;
	struct tap *tap = calloc(1, sizeof(*tap));
	if (!tap)
		return -ENOMEM;
	int fd = tun_fd(spec, err);
	if (fd < 0) {
		r = fd;
		goto free_tap;
	}
	r = tap_setup(tap, fd, spec, mode, err);
	if (r < 0)
		goto close_fd;
	*ret_link = &tap->link;
	return 0;
close_fd:
	(void)close(fd);
free_tap:
	free(tap);
	return r;
}

int tap_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
	     struct weft_link **ret_link)
{
	(void)inner;
	return device_open(spec, IFF_TAP, err, ret_link);
}

int tun_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
	     struct weft_link **ret_link)
{
	(void)inner;
	return device_open(spec, IFF_TUN, err, ret_link);
}
