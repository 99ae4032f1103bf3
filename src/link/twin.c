/* SPDX-License-Identifier: MIT */
/*
 * The socket stays bound while nobody is at the other address: who comes has to find ours.
 */
#include "link/twin.h"

#include "base/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct twin {
	struct dial dial;
	struct twin_opts opts;
	struct local_address bound;
};

static struct twin *twin(struct dial *d)
{
	return container_of(d, struct twin, dial);
}

static int twin_open(struct dial *d, struct weft_error *err)
{
	struct twin *t = twin(d);
	return local_listen(&t->opts.own, SOCK_DGRAM, err, &t->bound);
}

static struct datagram_addr addr_of(const struct local_address *address)
{
	struct datagram_addr addr = { .len = sizeof(addr.u.un) };

	if (address->kind == LOCAL_INET) {
		addr.u.inet = address->inet;
		addr.len = weft_sockaddr_len(&address->inet);
	} else {
		addr.u.un.sun_family = AF_UNIX;
		(void)snprintf(addr.u.un.sun_path, sizeof(addr.u.un.sun_path), "%s",
			       address->path);
	}
	return addr;
}

/* Returns 1 when the other side is there, 0 if not, -Exxx with err. */
static int twin_connect(struct dial *d, struct weft_error *err)
{
	struct twin *t = twin(d);
	const struct datagram_addr other = addr_of(&t->opts.other);
	char text[LOCAL_TEXT];

	if (connect(d->fd, &other.u.sa, other.len) == 0)
		return 1;
	if (t->opts.is_patient && (errno == ENOENT || errno == ECONNREFUSED))
		return 0;
	return weft_error_set(err, -errno, "cannot reach %s: %s",
			      local_print(&t->opts.other, text),
			      errno == ENOENT || errno == ECONNREFUSED ? "nobody is there"
			      : errno == EPERM ? "it talks to somebody else"
					       : strerror(errno));
}

/* What has come before there is a link is from others, or from before the other side bound. */
static void drain(int fd)
{
	char byte;

	for (unsigned i = 0; i < LINK_BATCH; i++) {
		if (recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
			return;
	}
}

static int twin_answer(struct dial *d, struct weft_error *err)
{
	char byte;

	if (recv(d->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0)
		return 0;
	int r = twin_connect(d, err);
	if (r == 0)
		drain(d->fd);
	return r;
}

static int twin_link_new(struct dial *d, struct weft_link **ret_link)
{
	struct twin *t = twin(d);
	struct packets *p;
	const struct packets_opts opts = {
		.name = d->plug.kind,
		.ops = t->opts.packets,
		.fd = d->fd,
		.queue_len = t->opts.own.queue_len,
	};

	int r = packets_new(&opts, &p);
	if (r < 0)
		return r;
	if (t->opts.hello)
		packets_say(p, t->opts.hello, strlen(t->opts.hello));
	*ret_link = &p->link;
	return 0;
}

static void twin_undo(struct dial *d)
{
	local_unlink(&twin(d)->bound);
}

static const struct dial_ops twin_ops = {
	.open = twin_open,
	.ask = twin_connect,
	.answer = twin_answer,
	.link_new = twin_link_new,
	.undo = twin_undo,
};

int twin_new(const struct twin_opts *opts, struct weft_plug **ret_plug)
{
	struct twin *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->opts = *opts;
	t->dial.opts = opts->own;
	*ret_plug = dial_new(&t->dial, &twin_ops, opts->kind);
	return 0;
}
