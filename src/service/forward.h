/* SPDX-License-Identifier: MIT */
/*
 * The inside of a forwarder, for the files that together make it: rules and life (forward.c),
 * streams (stream.c), datagrams (flow.c), and SOCKS (socks.c, socks_bind.c, socks_udp.c).
 */
#ifndef SERVICE_FORWARD_H
#define SERVICE_FORWARD_H

#include "base/list.h"
#include "service/pump.h"
#include "service/target.h"

#include <weft/forward.h>
#include <weft/udp.h>

#include <stdbool.h>
#include <stdint.h>

struct weft_forwarder {
	struct weft_forwarder_opts opts;
	struct list doors;      /* struct door.node */
	struct list socks;      /* struct socks.node: clients of the proxy */
	struct list streams;    /* struct stream.node */
	struct list flow_rules; /* struct flow_rule.node */
	uint32_t flows_n;
	uint32_t bind_port; /* for the next BIND, counted on */
	uint32_t streams_n; /* of both */
	char user[WEFT_FORWARD_USER_MAX + 1], password[WEFT_FORWARD_USER_MAX + 1];
	bool has_password;
	uint64_t counts[WEFT_FORWARD_OUTCOMES];
};

/** Where connections come in: a listening socket here, or a listener of the stack. */
struct door {
	struct weft_task task; /* of the socket; task.fd is -1 for the stack's */
	struct weft_forwarder *forwarder;
	struct list node; /* of forwarder->doors */
	struct weft_tcp_listener *listener;
	union weft_sockaddr target; /* of the stack's: where to on this machine */
	char *host;                 /* of a rule that forwards: whom; the door's own */
	uint16_t port;
	/** Takes a connection over, with its socket. Not for the stack's. */
	void (*admit)(struct door *door, int fd, uint64_t now);
	uint64_t resume_at; /* no descriptors were left; WEFT_NEVER */
};

static inline void forward_count(struct weft_forwarder *f,
				 enum weft_forward_outcome outcome)
{
	f->counts[outcome]++;
}

/** One more stream; false, and counted, where there are too many. */
bool forward_enter(struct weft_forwarder *f);

/** One less. */
void forward_leave(struct weft_forwarder *f);

/** Opens a door for TCP on this machine; host may be NULL. Returns 0 or -Exxx. */
int door_open(struct weft_forwarder *f, const union weft_sockaddr *local,
	      const char *host, uint16_t port,
	      void (*admit)(struct door *door, int fd, uint64_t now)) WEFT_MUST_CHECK;

/** Opens one in the stack. Returns 0 or -Exxx. */
int door_open_inside(struct weft_forwarder *f, const union weft_sockaddr *local,
		     const union weft_sockaddr *target) WEFT_MUST_CHECK;

void door_close(struct door *door, uint64_t now);

/** A door's admit for a rule that forwards. */
void stream_admit(struct door *door, int fd, uint64_t now);

/** Accepts what has come to a door in the stack. */
void stream_accept(struct door *door, uint64_t now);

/** Resets all streams. */
void stream_abort_all(struct weft_forwarder *f, uint64_t now);

/** Forwards datagrams that come to local on this machine to a host. Returns 0 or -Exxx. */
int flow_forward(struct weft_forwarder *f, const union weft_sockaddr *local,
		 const char *host, uint16_t port) WEFT_MUST_CHECK;

/** Hands datagrams that come to local in the stack to target on this machine. As above. */
int flow_expose(struct weft_forwarder *f, const union weft_sockaddr *local,
		const union weft_sockaddr *target) WEFT_MUST_CHECK;

/** Ends all of both. */
void flow_end_all(struct weft_forwarder *f);

/** A door's admit for SOCKS. */
void socks_admit(struct door *door, int fd, uint64_t now);

/** Ends all clients of the proxy. */
void socks_abort_all(struct weft_forwarder *f, uint64_t now);

#endif
