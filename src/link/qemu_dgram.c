/* SPDX-License-Identifier: MIT */
/*
 * Bare frames in datagrams, as QEMU's -netdev dgram and -netdev socket,udp= and mcast=, xemu's
 * UDP tunnel and l2tunnel have them. Four forms, by what the address is:
 *
 *     qemu-dgram:5000                           every sender is a peer (senders.h)
 *     qemu-dgram:/run/lan,remote=/run/vm        one peer, both addresses fixed (twin.h)
 *     qemu-dgram:192.0.2.1:5000,connect         one peer, who answers whoever sends
 *     qemu-dgram:230.0.0.1:1234                 a multicast group: one link for all in it
 *
 * Who sends to a group hears itself, if the loop that others on this machine need is on. QEMU
 * sends from the group's own port, so that nobody could tell it from its neighbours. Our
 * frames leave by a second socket with a port of its own, and what comes from that is left
 * out.
 */
#include "base/container.h"
#include "link/dial.h"
#include "link/drivers.h"
#include "link/senders.h"
#include "link/twin.h"
#include "wire/ether.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QEMU_DGRAM_REMOTE = LOCAL_OPTIONS_N, QEMU_DGRAM_IDLE, QEMU_DGRAM_VIA };

/* ---- every sender ------------------------------------------------------------------------ */

/* Anything that can be a frame is worth a peer. */
static int qemu_greet(struct senders *s, const struct datagram *datagram, uint64_t now)
{
	(void)s;
	(void)now;
	return datagram->len >= ETHER_LEN && !datagram->is_cut ? 1 : -EBADMSG;
}

static const struct packets_ops qemu_packets = { .quiet = senders_quiet };

static const struct senders_ops qemu_senders = {
	.packets = &qemu_packets,
	.greet = qemu_greet,
};

static int open_senders(const struct spec *spec, struct weft_error *err,
			struct weft_plug **ret_plug)
{
	struct senders *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->quiet_ns = strchr(spec->name, '/') ? SENDERS_PROBE_NS
					      : spec->values[QEMU_DGRAM_IDLE].number;
	return senders_open(s, &qemu_senders, spec, err, ret_plug);
}

/* ---- one peer that is connected to ------------------------------------------------------- */

static int one_open(struct dial *d, struct weft_error *err)
{
	return local_connect(&d->opts, SOCK_DGRAM, err);
}

static int one_link_new(struct dial *d, struct weft_link **ret_link)
{
	struct packets *p;
	const struct packets_opts opts = {
		.name = d->plug.kind,
		.fd = d->fd,
		.queue_len = d->opts.queue_len,
	};

	int r = packets_new(&opts, &p);
	if (r < 0)
		return r;
	*ret_link = &p->link;
	return 0;
}

static const struct dial_ops one_ops = { .open = one_open, .link_new = one_link_new };

static int open_one(const struct spec *spec, const struct local_opts *opts,
		    struct weft_error *err, struct weft_plug **ret_plug)
{
	if (opts->address.kind == LOCAL_UNIX)
		return weft_error_set(err, -EINVAL,
				      "%s:%s: the peer needs a path to answer to: write "
				      "%s:OWN-PATH,remote=%s",
				      spec->driver->kind, opts->address.path,
				      spec->driver->kind, opts->address.path);
	struct dial *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->opts = *opts;
	*ret_plug = dial_new(d, &one_ops, spec->driver->kind);
	return 0;
}

/* ---- two addresses ----------------------------------------------------------------------- */

static int open_twin(const struct spec *spec, const struct local_opts *own,
		     struct weft_error *err, struct weft_plug **ret_plug)
{
	struct twin_opts opts = {
		.kind = spec->driver->kind,
		.own = *own,
		.is_patient = true,
	};
	const char *remote = spec->values[QEMU_DGRAM_REMOTE].text;

	int r = local_parse(remote, err, &opts.other);
	if (r < 0)
		return r;
	if (opts.other.kind != own->address.kind ||
	    (own->address.kind != LOCAL_UNIX && own->address.kind != LOCAL_INET))
		return weft_error_set(
			err, -EINVAL,
			"remote=%.100s: both addresses have to be paths, or "
			"both of them HOST:PORT",
			remote);
	return twin_new(&opts, ret_plug);
}

/* ---- a group ----------------------------------------------------------------------------- */

struct group {
	struct dial dial;
	struct in_addr via; /* The interface's own address; 0: the system chooses. */
};

static bool is_group(const struct local_address *address)
{
	/* The first byte, in network order, whatever this machine's is. */
	const uint8_t *octets = (const uint8_t *)&address->inet.in.sin_addr;
	return address->kind == LOCAL_INET && address->inet.sa.sa_family == AF_INET &&
	       octets[0] >= 224 && octets[0] < 240;
}

static int fail_group(struct dial *d, int fd, const char *what, struct weft_error *err)
{
	int error = errno;

	(void)close(fd);
	return weft_error_set(err, -error, "%s: %s: %s", d->plug.address, what,
			      strerror(error));
}

/* The socket that hears the group. */
static int group_open(struct dial *d, struct weft_error *err)
{
	const struct sockaddr_in *name = &d->opts.address.inet.in;
	const struct ip_mreq join = {
		.imr_multiaddr = name->sin_addr,
		.imr_interface = container_of(d, struct group, dial)->via,
	};
	const int on = 1;

	int fd = datagram_socket(AF_INET);
	if (fd < 0)
		return fd;
	/* Everybody in the group on this machine has the same port. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &d->opts.address.inet.sa, sizeof(*name)) < 0)
		return fail_group(d, fd, "cannot bind", err);
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) < 0)
		return fail_group(
			d, fd,
			"cannot join the group (is there an interface or a route "
			"for it? via=ADDRESS names one)",
			err);
	datagram_set_buffers(fd, PACKETS_BUFFER_LEN);
	return fd;
}

/* The socket that sends to it. Returns its descriptor or -Exxx; ret_own is its address. */
static int group_socket(struct dial *d, struct datagram_addr *ret_own)
{
	const struct in_addr via = container_of(d, struct group, dial)->via;
	struct datagram_addr own = { .len = sizeof(own.u) };
	const unsigned char on = 1;

	int fd = datagram_socket(AF_INET);
	if (fd < 0)
		return fd;
	if ((via.s_addr != 0 &&
	     setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &via, sizeof(via)) < 0) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) < 0 ||
	    connect(fd, &d->opts.address.inet.sa, sizeof(struct sockaddr_in)) < 0 ||
	    getsockname(fd, &own.u.sa, &own.len) < 0) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	*ret_own = own;
	return fd;
}

static int group_link_new(struct dial *d, struct weft_link **ret_link)
{
	struct packets *p;
	struct packets_opts opts = {
		.name = d->plug.kind,
		.fd = d->fd,
		.queue_len = d->opts.queue_len,
	};

	int fd = group_socket(d, &opts.skip);
	if (fd < 0)
		return fd;
	opts.own_send_fd = fd;
	int r = packets_new(&opts, &p);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_link = &p->link;
	return 0;
}

static const struct dial_ops group_ops = { .open = group_open,
					   .link_new = group_link_new };

static int open_group(const struct spec *spec, const struct local_opts *opts,
		      struct weft_error *err, struct weft_plug **ret_plug)
{
	struct weft_ip via = { .family = AF_INET };
	const char *text = spec->values[QEMU_DGRAM_VIA].text;

	if (spec->given[QEMU_DGRAM_VIA] &&
	    (weft_ip_parse(text, &via) < 0 || via.family != AF_INET || via.prefix != 32))
		return weft_error_set(err, -EINVAL,
				      "via=%.60s: give the IPv4 address of an interface",
				      text);
	struct group *g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	memcpy(&g->via, via.octet, sizeof(g->via));
	g->dial.opts = *opts;
	*ret_plug = dial_new(&g->dial, &group_ops, spec->driver->kind);
	return 0;
}

static int qemu_dgram_plug(const struct spec *spec, struct weft_error *err,
			   struct weft_plug **ret_plug)
{
	struct local_opts opts;

	int r = local_opts_of(spec, err, &opts);
	if (r < 0)
		return r;
	if (is_group(&opts.address))
		return open_group(spec, &opts, err, ret_plug);
	if (spec->given[QEMU_DGRAM_REMOTE])
		return open_twin(spec, &opts, err, ret_plug);
	if (opts.connect || opts.address.kind == LOCAL_FD ||
	    opts.address.kind == LOCAL_STDIO)
		return open_one(spec, &opts, err, ret_plug);
	return open_senders(spec, err, ret_plug);
}

static const struct spec_option qemu_dgram_options[] = {
	LOCAL_OPTIONS,
	[QEMU_DGRAM_REMOTE] = { "remote", SPEC_TEXT, "ADDRESS", NULL,
				"the one peer's own address" },
	[QEMU_DGRAM_IDLE] = { "idle", SPEC_DURATION, "TIME", "10min",
			      "a UDP peer silent for so long has gone; 0 for never" },
	[QEMU_DGRAM_VIA] = { "via", SPEC_TEXT, "ADDRESS", NULL,
			     "of a group: the address of the interface it is on" },
	{ 0 },
};

const struct spec_driver qemu_dgram_driver = {
	.kind = "qemu-dgram",
	.name_syntax = "ADDRESS",
	.needs_name = true,
	.summary = "QEMU's dgram, socket,udp= and mcast=; xemu; l2tunnel: bare frames",
	.example = "qemu-dgram:/run/lan.sock,remote=/run/vm.sock",
	.options = qemu_dgram_options,
	.plug = qemu_dgram_plug,
};
