/* SPDX-License-Identifier: MIT */
/*
 * A plug of a VDE switch (libvdeplug's part): it binds a data socket, names it on the control
 * connection, and gets the name of the switch's data socket back.
 *
 *     DIR/ctl            <--- request ---   ctl: stays open; its end unplugs
 *                        --- answer --->
 *     DIR/001.7          <=== frames ===>   DIR/.PID-N, or /tmp/vde.PID-N
 */
#include "base/container.h"
#include "link/dial.h"
#include "link/vde.h"
#include "wire/vde.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the switch's directory is not ours to write to. */
#define FALLBACK_DIR "/tmp"

/* Seconds that a switch has to answer in. */
#define ASKS_MAX 5u

struct vde_client {
	struct dial dial;
	struct local_opts ctl; /* With the path of the control socket. */
	uint32_t port;
	unsigned serial; /* So that no two data sockets of this process have one name. */
	int data_fd;     /* -1, or not a link's yet. */
	struct local_address data;
	uint8_t answer[VDE_ADDRESS_LEN];
	size_t answer_len;
};

static struct vde_client *client(struct dial *d)
{
	return container_of(d, struct vde_client, dial);
}

/*
 * The switch has to be able to write to our data socket: root and our own user always can,
 * for others its permissions have to say so, to the switch's group if we may.
 */
static void data_open_up(const struct vde_client *c, struct local_opts *opts)
{
	struct stat st;

	opts->mode = 0600;
	if (stat(c->ctl.address.path, &st) < 0 || st.st_uid == 0 ||
	    st.st_uid == geteuid())
		return;
	opts->mode = 0660;
	opts->gid = st.st_gid;
}

static int data_bind(struct vde_client *c, const char *dir, const char *prefix,
		     struct weft_error *err)
{
	struct local_opts opts = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	char name[48];

	(void)snprintf(name, sizeof(name), "%s%05d-%05u", prefix, (int)getpid(),
		       c->serial++);
	int r = vde_path(dir, name, err, opts.address.path);
	if (r < 0)
		return r;
	data_open_up(c, &opts);
	r = local_listen(&opts, SOCK_DGRAM, err, &c->data);
	if (r == -EPERM && opts.gid != (gid_t)-1) {
		/* The switch's group is not ours: then everybody. */
		opts.gid = (gid_t)-1;
		opts.mode = 0666;
		r = local_listen(&opts, SOCK_DGRAM, err, &c->data);
	}
	return r;
}

static int client_open(struct dial *d, struct weft_error *err)
{
	struct vde_client *c = client(d);

	char dir[LOCAL_PATH_MAX];

	c->answer_len = 0;
	int fd = local_connect(&c->ctl, SOCK_STREAM, err);
	if (fd < 0)
		return fd;
	c->data_fd = vde_dir(d->opts.address.path, err, dir);
	if (c->data_fd == 0)
		c->data_fd = data_bind(c, dir, ".", err);
	if (c->data_fd < 0)
		c->data_fd = data_bind(c, FALLBACK_DIR, "vde.", err);
	if (c->data_fd < 0) {
		(void)close(fd);
		return c->data_fd;
	}
	return fd;
}

/* The request goes out once; further asking is waiting. */
static int client_ask(struct dial *d, struct weft_error *err)
{
	const struct vde_client *c = client(d);
	struct vde_request request = { .type = VDE_NEW_CONTROL, .port = c->port };
	uint8_t buf[VDE_REQUEST_LEN_MAX];

	if (d->asks > 1)
		return 0;
	(void)snprintf(request.path, sizeof(request.path), "%s", c->data.path);
	(void)snprintf(request.description, sizeof(request.description),
		       "weft uid=%u PID=%d", (unsigned)getuid(), (int)getpid());
	size_t len = vde_request_emit(buf, &request);
	if (send(d->fd, buf, len, MSG_DONTWAIT) == (ssize_t)len)
		return 0;
	return weft_error_set(err, -errno, "%s takes no request: %s", d->plug.address,
			      strerror(errno));
}

static int data_connect(struct vde_client *c, struct weft_error *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	const void *generic = &name;

	if (vde_address_parse(c->answer, c->answer_len, name.sun_path) < 0)
		return weft_error_set(err, -EBADMSG, "%s gave no address for data",
				      c->dial.plug.address);
	if (connect(c->data_fd, generic, sizeof(name)) < 0)
		return weft_error_set(err, -errno, "%s: %s", name.sun_path,
				      strerror(errno));
	return 1;
}

static int client_answer(struct dial *d, struct weft_error *err)
{
	struct vde_client *c = client(d);

	ssize_t got = recv(d->fd, c->answer + c->answer_len,
			   sizeof(c->answer) - c->answer_len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0)
		return weft_error_set(err, -ECONNRESET, "%s refused the plug",
				      d->plug.address);
	c->answer_len += (size_t)got;
	return c->answer_len == sizeof(c->answer) ? data_connect(c, err) : 0;
}

static int client_link_new(struct dial *d, struct weft_link **ret_link)
{
	struct vde_client *c = client(d);
	struct packets *p;
	const struct packets_opts opts = {
		.name = d->plug.kind,
		.fd = c->data_fd,
		.queue_len = d->opts.queue_len,
	};

	int r = packets_new(&opts, &p);
	if (r < 0)
		return r;
	c->data_fd = -1;
	*ret_link = &p->link;
	return 0;
}

static void client_talk(struct dial *d)
{
	char text[256];

	ssize_t got = recv(d->fd, text, sizeof(text), MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		link_end(d->link, "the switch unplugged it");
}

static void client_undo(struct dial *d)
{
	struct vde_client *c = client(d);

	if (c->data_fd >= 0)
		(void)close(c->data_fd);
	c->data_fd = -1;
	local_unlink(&c->data);
}

static const struct dial_ops client_ops = {
	.open = client_open,
	.ask = client_ask,
	.answer = client_answer,
	.link_new = client_link_new,
	.talk = client_talk,
	.undo = client_undo,
	.keeps_fd = true,
	.asks_max = ASKS_MAX,
};

int vde_client_new(const char *kind, const struct local_opts *opts, uint32_t port,
		   struct weft_plug **ret_plug)
{
	struct vde_client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->dial.opts = *opts;
	c->ctl = *opts;
	c->port = port;
	c->data_fd = -1;
	int r = vde_path(opts->address.path, "ctl", NULL, c->ctl.address.path);
	if (r < 0) {
		free(c);
		return r;
	}
	*ret_plug = dial_new(&c->dial, &client_ops, kind);
	return 0;
}
