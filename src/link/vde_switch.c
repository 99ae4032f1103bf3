/* SPDX-License-Identifier: MIT */
/*
 * A VDE switch for libvdeplug's plugs (vde_plug, 86Box, SIMH, QEMU's -netdev vde): a directory
 * with the socket "ctl" in it, and a data socket for each plug.
 *
 *     DIR/ctl  --accept--> port: waits for its request -- checked --> link over its data socket
 *                            '-- end of its control connection --> unplugged
 *
 * The request names a path, and we send frames there: it has to be a socket of the very user
 * who asks, so that nobody lets a weft that runs as root write where he may not himself.
 */
#include "base/container.h"
#include "base/time.h"
#include "link/packets.h"
#include "link/vde.h"
#include "wire/vde.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Connections that have not said what they want: how many, and how long. */
#define PENDING_MAX 16u
#define PATIENCE_NS (5 * NS_PER_S)

struct vde_switch {
	struct weft_plug plug;
	struct local_opts opts; /* The directory. */
	struct local_address ctl;
	bool made_dir;
	struct list ports;
	unsigned pending; /* Of the ports, those without a link. */
	unsigned serial;
	uint64_t resume_at; /* Nobody is accepted until then; 0: now. */
};

struct port {
	struct list node;
	struct vde_switch *vde;
	struct weft_task task;   /* Of the control connection. */
	struct packets *packets; /* NULL while it waits for the request. */
	struct local_address data;
	uint64_t until;
	bool is_over; /* To be freed by the plug's next run. */
	uint8_t request[VDE_REQUEST_LEN_MAX];
	size_t request_len;
};

static struct vde_switch *vde_switch(struct weft_plug *plug)
{
	return container_of(plug, struct vde_switch, plug);
}

/* ---- ports ------------------------------------------------------------------------------- */

static void port_free(struct port *port)
{
	struct vde_switch *vde = port->vde;

	vde->plug.runner.remove(vde->plug.runner.user, &port->task);
	list_remove(&port->node);
	if (!port->packets)
		vde->pending--;
	(void)close(port->task.fd);
	local_unlink(&port->data);
	free(port);
}

/* The switch's data socket of a port, which the plug's user may write to. */
static int data_open(struct port *port, unsigned number, uid_t uid,
		     struct weft_error *err)
{
	struct local_opts opts = port->vde->opts;
	char name[32];

	(void)snprintf(name, sizeof(name), "%03u.%u", number, port->vde->serial++);
	int r = vde_path(port->vde->opts.address.path, name, err, opts.address.path);
	if (r < 0)
		return r;
	if (geteuid() == 0 && opts.uid == (uid_t)-1)
		opts.uid = uid;
	return local_listen(&opts, SOCK_DGRAM, err, &port->data);
}

static int data_answer(const struct port *port)
{
	uint8_t answer[VDE_ADDRESS_LEN];

	vde_address_emit(answer, port->data.path);
	ssize_t n = send(port->task.fd, answer, sizeof(answer), MSG_DONTWAIT);
	return n == (ssize_t)sizeof(answer) ? 0 : -EPIPE;
}

/* Opens the data socket, connects it to the plug's, and tells the plug. -Exxx with err. */
static int data_connect(struct port *port, const struct vde_request *request, uid_t uid,
			int theirs, struct weft_error *err)
{
	int fd = data_open(port, request->port, uid, err);
	if (fd < 0)
		return fd;
	int r = local_connect_held(fd, theirs);
	if (r == 0)
		r = data_answer(port);
	if (r == 0)
		return fd;
	(void)close(fd);
	return weft_error_set(err, r, "%s: %s", request->path, strerror(-r));
}

/* The path is held meanwhile: it could be moved between the look at whose it is and its use. */
static int data_join(struct port *port, const struct vde_request *request,
		     struct weft_error *err)
{
	uid_t uid;

	int r = datagram_peer_uid(port->task.fd, &uid);
	if (r < 0)
		return weft_error_set(err, r, "who asks cannot be told: %s",
				      strerror(-r));
	int theirs = local_hold(request->path, uid);
	if (theirs < 0)
		return weft_error_set(err, theirs, "%s is no socket of uid %u",
				      request->path, (unsigned)uid);
	int fd = data_connect(port, request, uid, theirs, err);
	(void)close(theirs);
	return fd;
}

/* Returns 0, or -Exxx with err. */
static int port_plug_in(struct port *port, struct weft_error *err, uint64_t now)
{
	struct vde_switch *vde = port->vde;
	struct vde_request request;
	struct packets *p;

	int r = vde_request_parse(port->request, port->request_len, &request);
	if (r == -EPROTONOSUPPORT)
		return weft_error_set(err, r,
				      "a plug speaks another version of VDE than %u",
				      VDE_VERSION);
	if (r < 0)
		return weft_error_set(err, r, "a request makes no sense");
	if (plug_is_full(&vde->plug))
		return weft_error_set(err, -ENOSPC, "%s was refused: there are %u plugs",
				      request.description, vde->plug.links_n);
	int fd = data_join(port, &request, err);
	if (fd < 0)
		return fd;
	const struct packets_opts opts = {
		.name = vde->plug.kind,
		.fd = fd,
		.queue_len = vde->opts.queue_len,
	};
	r = packets_new(&opts, &p);
	if (r < 0) {
		(void)close(fd);
		return weft_error_set(err, r, "out of memory");
	}
	port->packets = p;
	vde->pending--;
	r = plug_add(&vde->plug, &p->link, request.description, now);
	if (r < 0) {
		port->packets = NULL;
		vde->pending++;
		return weft_error_set(err, r, "%s: %s", request.description,
				      strerror(-r));
	}
	return 0;
}

static void port_end(struct port *port)
{
	if (port->packets)
		link_end(&port->packets->link, "unplugged");
	port->is_over = true;
	port->task.events = 0;
}

/* What is said after the request has no meaning; the end of it has. */
static void port_run(struct weft_task *task, uint64_t now)
{
	struct port *port = container_of(task, struct port, task);
	struct weft_error err = { "" };
	uint8_t more[VDE_REQUEST_LEN_MAX];

	if (port->is_over)
		return;
	bool waits = !port->packets;
	uint8_t *buf = waits ? port->request + port->request_len : more;
	size_t room = waits ? sizeof(port->request) - port->request_len : sizeof(more);
	ssize_t got = recv(task->fd, buf, room, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		port_end(port);
		return;
	}
	port->request_len += waits ? (size_t)got : 0;
	if (!waits || port->request_len < VDE_REQUEST_LEN)
		return;
	if (port_plug_in(port, &err, now) < 0) {
		plug_trouble(&port->vde->plug, now, "%s", err.text);
		port_end(port);
	}
}

static void port_new(struct vde_switch *vde, int fd, uint64_t now)
{
	struct port *port = vde->pending < PENDING_MAX ? calloc(1, sizeof(*port)) : NULL;

	if (!port) {
		(void)close(fd);
		return;
	}
	port->vde = vde;
	port->until = now + PATIENCE_NS;
	port->task = (struct weft_task){
		.fd = fd,
		.events = WEFT_READABLE,
		.run = port_run,
	};
	vde->pending++;
	list_push_back(&vde->ports, &port->node);
	if (vde->plug.runner.add(vde->plug.runner.user, &port->task) < 0)
		port_free(port);
}

/* ---- the plug ---------------------------------------------------------------------------- */

static void switch_accept(struct vde_switch *vde, uint64_t now)
{
	struct weft_task *task = &vde->plug.task;

	if (now < vde->resume_at)
		return;
	vde->resume_at = 0;
	task->events = WEFT_READABLE;
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		int fd = local_accept(task->fd);
		if (fd < 0 && fd != -EAGAIN && !plug_is_passing(fd))
			vde->resume_at = plug_pause(&vde->plug, fd, now);
		if (fd < 0)
			return;
		port_new(vde, fd, now);
	}
}

static void switch_run(struct weft_plug *plug, uint64_t now)
{
	struct vde_switch *vde = vde_switch(plug);

	list_for_each (node, &vde->ports) {
		struct port *port = container_of(node, struct port, node);
		if (!port->packets && (port->is_over || now >= port->until))
			port_free(port);
	}
	switch_accept(vde, now);
}

static uint64_t switch_deadline(const struct weft_plug *plug)
{
	const struct vde_switch *vde = container_of_const(plug, struct vde_switch, plug);
	uint64_t first = vde->resume_at ? vde->resume_at : WEFT_NEVER;

	for (const struct list *n = vde->ports.next; n != &vde->ports && vde->pending > 0;
	     n = n->next) {
		const struct port *port = container_of_const(n, struct port, node);
		uint64_t at = port->is_over ? 0 : port->until;
		if (!port->packets && at < first)
			first = at;
	}
	return first;
}

static void switch_free_ports(struct vde_switch *vde, bool all)
{
	list_for_each (node, &vde->ports) {
		struct port *port = container_of(node, struct port, node);
		if (all || !port->packets)
			port_free(port);
	}
}

static void switch_close(struct weft_plug *plug)
{
	struct vde_switch *vde = vde_switch(plug);
	int fd = plug->task.fd;

	switch_free_ports(vde, false);
	(void)!plug_watch(plug, -1, 0);
	local_unlink(&vde->ctl);
	if (fd >= 0)
		(void)close(fd);
}

static void switch_left(struct weft_plug *plug, struct weft_link *link, uint64_t now)
{
	struct vde_switch *vde = vde_switch(plug);
	const struct packets *p = packets_of(link);
	(void)now;

	list_for_each (node, &vde->ports) {
		struct port *port = container_of(node, struct port, node);
		if (port->packets == p)
			port_free(port);
	}
}

static void switch_free(struct weft_plug *plug)
{
	struct vde_switch *vde = vde_switch(plug);

	switch_free_ports(vde, true);
	plug_fini(plug);
	if (vde->made_dir)
		(void)rmdir(vde->opts.address.path);
	free(vde);
}

static const struct plug_ops switch_ops = {
	.run = switch_run,
	.deadline = switch_deadline,
	.close = switch_close,
	.left = switch_left,
	.free = switch_free,
};

/* Who may use the sockets may enter the directory and bind his own there. */
static mode_t dir_mode(mode_t mode)
{
	return (mode_t)(S_IRWXU | (mode & S_IWGRP ? S_IRWXG : 0) |
			(mode & S_IWOTH ? S_IRWXO | S_ISVTX : 0));
}

/* Makes the directory unless it is there. Returns 0 or -Exxx with err. */
static int dir_make(struct vde_switch *vde, struct weft_error *err)
{
	const char *dir = vde->opts.address.path;
	struct stat st;

	if (mkdir(dir, S_IRWXU) == 0) {
		vde->made_dir = true;
		if (chmod(dir, dir_mode(vde->opts.mode)) == 0 &&
		    lchown(dir, vde->opts.uid, vde->opts.gid) == 0)
			return 0;
	} else if (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode)) {
		return 0;
	}
	return weft_error_set(err, -errno, "%s: cannot be the switch's directory: %s",
			      dir, strerror(errno));
}

static int switch_open(struct vde_switch *vde, const char *kind, struct weft_error *err)
{
	struct local_opts ctl = vde->opts;

	int r = vde_path(vde->opts.address.path, "ctl", err, ctl.address.path);
	if (r < 0)
		return r;
	r = dir_make(vde, err);
	if (r < 0)
		return r;
	r = vde_dir(vde->opts.address.path, err, vde->opts.address.path);
	if (r < 0)
		return r;
	int fd = local_listen(&ctl, SOCK_STREAM, err, &vde->ctl);
	if (fd < 0)
		return fd;
	plug_init(&vde->plug, &switch_ops, kind, vde->ctl.path, fd);
	vde->plug.frame_len_max = WEFT_FRAME_LEN_MAX;
	return 0;
}

int vde_switch_new(const char *kind, const struct local_opts *opts,
		   struct weft_error *err, struct weft_plug **ret_plug)
{
	struct vde_switch *vde = calloc(1, sizeof(*vde));

	if (!vde)
		return -ENOMEM;
	vde->opts = *opts;
	list_init(&vde->ports);
	int r = switch_open(vde, kind, err);
	if (r < 0) {
		if (vde->made_dir)
			(void)rmdir(vde->opts.address.path);
		free(vde);
		return r;
	}
	*ret_plug = &vde->plug;
	return 0;
}
