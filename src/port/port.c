/* SPDX-License-Identifier: MIT */
/*
 * The life of a port, and the ways in and out.
 *
 *     new --> stopped --start--> started --stop--> stopped --> free
 *                 ^                |
 *                 '-- device gone -'  (tells ended)
 *
 * Handlers may stop and even restart the port that is just reading. So each start is
 * numbered, and a turn of reading ends when the number is no longer the one it began with.
 * The buffer that a handler looks at belongs to the port and lives as long as it does.
 *
 * The device is read with one byte more than is wanted: that it comes is the only way to
 * know that a packet was cut.
 */
#include "port/port.h"

#include "base/container.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_LEN_MAX_DEFAULT 8192u
#define TURN_BYTES_MAX_DEFAULT 262144u

/* What the kernel is asked for where the program has no name: it fills in a number. */
#define NAME_DEFAULT "weft%d"

struct weft_port {
	struct weft_task task;
	struct weft_protocol *protocol;
	const struct weft_device_system *system;
	struct weft_loop *loop;
	struct weft_port_events events;
	void *user;
	uint32_t packet_len_max;
	uint32_t turn_bytes_max;
	struct weft_port_address requested;
	struct weft_port_address address; /* The device's own while it is started. */
	int fd;                           /* -1 while stopped. */
	uint64_t starts;
	bool is_reading;
	uint8_t *buffer;  /* packet_len_max + 1 bytes. */
	uint8_t *scratch; /* PORT_SCRATCH_LEN bytes; NULL until first used. */
	struct weft_port_stats stats;
};

/* ---- reading ----------------------------------------------------------------------------- */

void port_report(struct weft_port *port, const struct weft_protocol *protocol,
		 const char *handler, int code)
{
	port->stats.failures++;
	if (port->events.failed)
		port->events.failed(port->user, protocol->name, handler, code);
}

static void deliver(struct weft_port *port, uint32_t got, uint64_t now)
{
	bool partial = got > port->packet_len_max;
	const struct weft_packet packet = {
		.data = port->buffer,
		.len = partial ? port->packet_len_max : got,
		.partial = partial,
		.now = now,
		.port = port,
	};
	port->stats.rx_packets++;
	port->stats.rx_bytes += packet.len;
	port->stats.rx_partial += partial;
	(void)weft_protocol_receive(port->protocol, &packet);
}

/* Reads once. Returns the bytes, 0 when there is nothing to read for now, or -Exxx. */
static int read_one(const struct weft_port *port)
{
	uint32_t room = port->packet_len_max + 1;
	int got = weft_device_read(port->system, port->fd, port->buffer, room);
	if (got == -EAGAIN || got == -EWOULDBLOCK || got == -EINTR)
		return 0;
	if (got == 0)
		return -ENODEV;
	return got > 0 && (uint32_t)got > room ? -EPROTO : got;
}

static int read_turn(struct weft_port *port, uint64_t now)
{
	uint64_t start = port->starts;
	uint32_t bytes = 0;
	int n = 0;
	while (port->fd >= 0 && port->starts == start && bytes < port->turn_bytes_max) {
		int got = read_one(port);
		if (got < 0)
			return got;
		if (got == 0)
			break;
		deliver(port, (uint32_t)got, now);
		bytes += (uint32_t)got;
		n++;
	}
	return n;
}

int weft_port_read(struct weft_port *port, uint64_t now)
{
	if (port->fd < 0)
		return -ENOTCONN;
	if (port->is_reading)
		return -EBUSY;
	port->is_reading = true;
	int r = read_turn(port, now);
	port->is_reading = false;
	return r;
}

/* ---- the task ---------------------------------------------------------------------------- */

static void task_run(struct weft_task *task, uint64_t now)
{
	struct weft_port *port = container_of(task, struct weft_port, task);
	int r = weft_port_read(port, now);
	if (r >= 0 || r == -ENOTCONN || r == -EBUSY)
		return;
	weft_port_stop(port);
	if (port->events.ended)
		port->events.ended(port->user, port, r);
}

/* What has no descriptor to wait for is asked whether it has something. */
static uint64_t task_deadline(const struct weft_task *task)
{
	const struct weft_port *port = container_of_const(task, struct weft_port, task);
	if (port->fd < 0 || task->fd >= 0)
		return WEFT_NEVER;
	return weft_device_is_readable(port->system, port->fd) ? 0 : WEFT_NEVER;
}

struct weft_task *weft_port_task(struct weft_port *port)
{
	return &port->task;
}

/* ---- start and stop ---------------------------------------------------------------------- */

static const char *kind_name(unsigned kind)
{
	return kind == WEFT_DEVICE_TAP ? "tap" : "tun";
}

/* Makes a sentence of what open or configure gave. Returns code. */
static int fail_start(const struct weft_port *port, int code, struct weft_error *err)
{
	char text[WEFT_PORT_ADDRESS_TEXT];
	const char *what = strerror(-code);
	const char *advice = "";
	if (code == -EPERM || code == -EACCES)
		advice = ": run as root, or give the program CAP_NET_ADMIN and the right "
			 "to open " WEFT_DEVICE_PATH;
	else if (code == -ENOENT || code == -ENODEV || code == -ENXIO)
		advice = ": load the module (`sudo modprobe tun`), or "
			 "hand " WEFT_DEVICE_PATH " to the container";
	else if (code == -EBUSY)
		advice = ": another process has it; take another name";
	else if (code == -EINVAL)
		advice = ": an interface of another kind has that name";
	return weft_error_set(err, code, "%s cannot be opened: %s%s",
			      weft_port_address_print(&port->requested, text), what,
			      advice);
}

/* Opens the device and makes it what it is to be. Returns its descriptor or -Exxx. */
static int device_open(const struct weft_port *port,
		       struct weft_port_address *ret_address)
{
	const unsigned flags =
		WEFT_DEVICE_RDWR | WEFT_DEVICE_NONBLOCK | WEFT_DEVICE_CLOEXEC;
	struct weft_port_address address = port->requested;
	struct weft_device_config config = {
		.flags = address.kind | WEFT_DEVICE_NO_PI,
	};
	memcpy(config.name, address.name, sizeof(config.name));
	int fd = weft_device_open(port->system, WEFT_DEVICE_PATH, flags);
	if (fd < 0)
		return fd;
	int r = weft_device_configure(port->system, fd, WEFT_DEVICE_SETIFF, &config);
	if (r < 0) {
		(void)weft_device_close(port->system, fd);
		return r;
	}
	(void)snprintf(address.name, sizeof(address.name), "%.*s",
		       (int)WEFT_DEVICE_NAME_LEN - 1, config.name);
	*ret_address = address;
	return fd;
}

static int enter_loop(struct weft_port *port, struct weft_error *err)
{
	if (!port->loop)
		return 0;
	int r = weft_loop_add(port->loop, &port->task);
	if (r < 0)
		return weft_error_set(err, r, "the loop does not take the device: %s",
				      strerror(-r));
	return 0;
}

static void protocol_started(struct weft_port *port)
{
	struct weft_protocol *protocol = port->protocol;
	protocol->port = port;
	int r = protocol->started ? protocol->started(protocol, port) : 0;
	if (r < 0)
		port_report(port, protocol, "started", r);
}

static void protocol_stopped(struct weft_port *port)
{
	struct weft_protocol *protocol = port->protocol;
	protocol->port = NULL;
	int r = protocol->stopped ? protocol->stopped(protocol, port) : 0;
	if (r < 0)
		port_report(port, protocol, "stopped", r);
}

int weft_port_start(struct weft_port *port, struct weft_error *err)
{
	char text[WEFT_PORT_ADDRESS_TEXT];
	if (port->fd >= 0)
		return weft_error_set(err, -EALREADY, "%s is started already",
				      weft_port_address_print(&port->address, text));
	if (port->protocol->port)
		return weft_error_set(
			err, -EBUSY,
			"%s is on %s already: make a second protocol for a second port",
			port->protocol->name,
			weft_port_address_print(&port->protocol->port->address, text));
	assert(!port->task.loop_state);
	int fd = device_open(port, &port->address);
	if (fd < 0)
		return fail_start(port, fd, err);
	port->task.fd = weft_device_poll_fd(port->system, fd);
	port->task.events = port->task.fd >= 0 ? WEFT_READABLE : 0;
	int r = enter_loop(port, err);
	if (r < 0) {
		port->task.fd = -1;
		port->address = port->requested;
		(void)weft_device_close(port->system, fd);
		return r;
	}
	port->fd = fd;
	port->starts++;
	protocol_started(port);
	return 0;
}

void weft_port_stop(struct weft_port *port)
{
	if (port->fd < 0)
		return;
	if (port->loop)
		weft_loop_remove(port->loop, &port->task);
	assert(!port->task.loop_state);
	(void)weft_device_close(port->system, port->fd);
	port->fd = -1;
	port->task.fd = -1;
	port->task.events = 0;
	port->address = port->requested;
	protocol_stopped(port);
}

bool weft_port_is_started(const struct weft_port *port)
{
	return port->fd >= 0;
}

int weft_port_fd(const struct weft_port *port)
{
	return port->fd;
}

/* ---- writing ----------------------------------------------------------------------------- */

int weft_port_write(struct weft_port *port, const void *data, size_t len)
{
	if (port->fd < 0)
		return -ENOTCONN;
	int sent;
	do {
		sent = weft_device_write(port->system, port->fd, data, len);
	} while (sent == -EINTR);
	if (sent < 0) {
		port->stats.tx_errors++;
		return sent;
	}
	port->stats.tx_packets++;
	port->stats.tx_bytes += (uint64_t)sent;
	return sent;
}

uint8_t *port_scratch(struct weft_port *port)
{
	if (!port->scratch)
		port->scratch = malloc(PORT_SCRATCH_LEN);
	return port->scratch;
}

int weft_port_writev(struct weft_port *port, const struct weft_piece *pieces, size_t n)
{
	uint8_t *packet = port_scratch(port);
	size_t len = 0;
	if (!packet)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].len > PORT_SCRATCH_LEN - len)
			return -EMSGSIZE;
		if (pieces[i].len > 0)
			memcpy(packet + len, pieces[i].data, pieces[i].len);
		len += pieces[i].len;
	}
	return weft_port_write(port, packet, len);
}

struct weft_port_stats weft_port_stats(const struct weft_port *port)
{
	return port->stats;
}

/* ---- beginning and end ------------------------------------------------------------------- */

/* What the kernel asks of a name (dev_valid_name), as far as it can be said better here. */
static int check_name(const char *name, struct weft_error *err)
{
	if (strlen(name) >= WEFT_DEVICE_NAME_LEN)
		return weft_error_set(err, -EINVAL,
				      "\"%.40s\": an interface name has at most %u bytes",
				      name, WEFT_DEVICE_NAME_LEN - 1);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    name[strcspn(name, "/: \t\n\v\f\r")])
		return weft_error_set(
			err, -EINVAL,
			"\"%s\": an interface name has no space, '/' or ':'", name);
	return 0;
}

/* Which device carries what the protocol takes. Returns its kind or -EINVAL. */
static int choose_kind(const struct weft_protocol *protocol, struct weft_error *err)
{
	if (!protocol || !protocol->received)
		return weft_error_set(err, -EINVAL,
				      "a port needs a protocol with a `received`");
	if (protocol->layer == WEFT_LAYER_ETHERNET)
		return (int)WEFT_DEVICE_TAP;
	if (protocol->layer == WEFT_LAYER_PACKET)
		return (int)WEFT_DEVICE_TUN;
	return weft_error_set(err, -EINVAL,
			      "%s takes %s, which no device carries: add it to an IP "
			      "protocol (weft_protocol_add), and put that on the port",
			      protocol->name, weft_layer_name(protocol->layer));
}

/* Fills in a new port for a device of that kind and name. */
static void take_opts(struct weft_port *port, const struct weft_port_opts *opts,
		      unsigned kind, const char *name)
{
	*port = (struct weft_port){
		.task = { .fd = -1, .run = task_run, .deadline = task_deadline },
		.protocol = opts->protocol,
		.system = opts->system ? opts->system : weft_device_real(),
		.loop = opts->loop,
		.events = opts->events,
		.user = opts->user,
		.packet_len_max = opts->packet_len_max ? opts->packet_len_max
						       : PACKET_LEN_MAX_DEFAULT,
		.turn_bytes_max = opts->turn_bytes_max ? opts->turn_bytes_max
						       : TURN_BYTES_MAX_DEFAULT,
		.requested = { .kind = kind },
		.fd = -1,
	};
	(void)snprintf(port->requested.name, sizeof(port->requested.name), "%s", name);
	port->address = port->requested;
}

int weft_port_new(const struct weft_port_opts *opts, struct weft_error *err,
		  struct weft_port **ret_port)
{
	const char *name = opts->name && opts->name[0] ? opts->name : NAME_DEFAULT;
	int kind = choose_kind(opts->protocol, err);
	if (kind < 0)
		return kind;
	int r = check_name(name, err);
	if (r < 0)
		return r;
	if (opts->packet_len_max > WEFT_FRAME_LEN_MAX)
		return weft_error_set(err, -EMSGSIZE, "no packet is longer than %u bytes",
				      WEFT_FRAME_LEN_MAX);
	struct weft_port *port = calloc(1, sizeof(*port));
	if (!port)
		return weft_error_set(err, -ENOMEM, "out of memory");
	take_opts(port, opts, (unsigned)kind, name);
	port->buffer = malloc((size_t)port->packet_len_max + 1);
	if (!port->buffer) {
		free(port);
		return weft_error_set(err, -ENOMEM, "out of memory");
	}
	*ret_port = port;
	return 0;
}

void weft_port_free(struct weft_port *port)
{
	if (!port)
		return;
	assert(!port->is_reading);
	weft_port_stop(port);
	free(port->scratch);
	free(port->buffer);
	free(port);
}

/* ---- for people -------------------------------------------------------------------------- */

struct weft_port_address weft_port_address(const struct weft_port *port)
{
	return port->address;
}

bool weft_port_address_equal(const struct weft_port_address *a,
			     const struct weft_port_address *b)
{
	return a->kind == b->kind && strncmp(a->name, b->name, sizeof(a->name)) == 0;
}

const char *weft_port_address_print(const struct weft_port_address *address,
				    char buf[WEFT_PORT_ADDRESS_TEXT])
{
	(void)snprintf(buf, WEFT_PORT_ADDRESS_TEXT, "%s:%.*s", kind_name(address->kind),
		       (int)sizeof(address->name), address->name);
	return buf;
}

const char *weft_port_print(const struct weft_port *port, char buf[WEFT_PORT_TEXT])
{
	char address[WEFT_PORT_ADDRESS_TEXT];
	(void)snprintf(buf, WEFT_PORT_TEXT, "%.80s %s %s", port->protocol->name,
		       port->fd >= 0 ? "on" : "not on",
		       weft_port_address_print(&port->address, address));
	return buf;
}

const char *weft_port_prefix(const struct weft_port *port, char buf[WEFT_PORT_TEXT])
{
	(void)snprintf(buf, WEFT_PORT_TEXT, "%.80s (%s)", port->protocol->name,
		       kind_name(port->address.kind));
	return buf;
}
