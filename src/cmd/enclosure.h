/* SPDX-License-Identifier: MIT */
/*
 * A place from which a program sees one network and no other: a network namespace with a TAP,
 * made without root in a user namespace (user_namespaces(7), network_namespaces(7)).
 *
 *     weft, outside                    | keeper, inside: process 1 of its own PID namespace
 *       enclosure_open ------------------> clone; /dev/net/tun is opened inside ...
 *       link tap:weft0 <-- SCM_RIGHTS ---- ... and handed out: frames go in and out by it
 *       orders: up, set, clear, names ---> addresses, routes, /etc/resolv.conf
 *       order: start ------------------> | program
 *       ended <--------------------------- its exit status
 *
 * Outside nothing is changed: the namespaces, and whatever still runs in them, end with the
 * keeper, which ends with weft, however that ends. The program is the user that weft is, with
 * the user's files; only the network, what is mounted over /etc/resolv.conf and over the sockets
 * of those who would look names up outside, and the processes that it sees are others.
 */
#ifndef CMD_ENCLOSURE_H
#define CMD_ENCLOSURE_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/log.h>
#include <weft/loop.h>

#include <stdbool.h>

/** The device that the program sees. */
#define ENCLOSURE_DEVICE "weft0"

/** The status of a program that is not there, as a shell gives it. */
#define ENCLOSURE_NOT_FOUND 127

/** Bytes of a resolv.conf, with its NUL. */
#define ENCLOSURE_NAMES_LEN 1024u

struct enclosure {
	struct weft_task task; /**< Of the socket to the keeper; fd -1: none. */
	int pid;               /**< The keeper's; 0: none. */
	bool is_started, has_ended;
	int status; /**< The program's, as a shell gives it. */
	/** The program has ended: once, from the loop. */
	void (*ended)(void *user, int status);
	void *user;
};

/**
 * Makes the place; argv is started there later, and must live as long. To be called by a process
 * of one thread. Returns an open /dev/net/tun of inside, or -Exxx with err, which says what the
 * system does not allow.
 */
int enclosure_open(struct enclosure *e, char *const argv[], const struct weft_log *log,
		   struct weft_error *err) __attribute__((warn_unused_result));

/** The device is made: it is set up with that MTU. Returns 0 or -Exxx with err. */
int enclosure_set_up(struct enclosure *e, unsigned mtu, struct weft_error *err)
	__attribute__((warn_unused_result));

/** Gives the device an address, and the network's router (family 0 for none). As above. */
int enclosure_set_address(struct enclosure *e, const struct weft_ip *address,
			  const struct weft_ip *router, struct weft_error *err)
	__attribute__((warn_unused_result));

/** Takes it away again. */
void enclosure_clear_address(struct enclosure *e, const struct weft_ip *address);

/** What /etc/resolv.conf says inside from now on. */
void enclosure_use_names(struct enclosure *e, const char *text);

/** Starts the program, the first time. Returns 0 or -Exxx with err. */
int enclosure_start(struct enclosure *e, struct weft_error *err)
	__attribute__((warn_unused_result));

/** Sends the program a signal; before it is started, that ends it. */
void enclosure_signal(struct enclosure *e, int signo);

/** Ends all that is inside, and waits for that. */
void enclosure_close(struct enclosure *e);

#endif
