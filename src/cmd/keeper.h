/* SPDX-License-Identifier: MIT */
/*
 * What weft and the keeper of an enclosure say to each other: each order is answered by one
 * report, and the program's end is reported once, whenever it comes. Both are the same program,
 * so they are told as structures.
 */
#ifndef CMD_KEEPER_H
#define CMD_KEEPER_H

#include "cmd/enclosure.h"

enum order_kind {
	ORDER_UP,
	ORDER_SET,
	ORDER_CLEAR,
	ORDER_NAMES,
	ORDER_START,
	ORDER_SIGNAL
};

struct order {
	enum order_kind kind;
	unsigned mtu; /* UP */
	int signo;    /* SIGNAL */
	struct weft_ip address, router;
	char names[ENCLOSURE_NAMES_LEN];
};

struct report {
	bool is_end;
	int result; /* 0 or -Exxx; of an end: the exit status */
	struct weft_error err;
};

/** What the keeper needs to know when it begins. */
struct keeper_opts {
	int fd;     /* a socket to weft, of type SOCK_SEQPACKET */
	int parent; /* weft's end of it, which is closed */
	unsigned uid, gid;
	char *const *argv;
	const struct weft_log *log;
};

/**
 * Is the keeper, as the first process of the new namespaces; opts is a struct keeper_opts. Its
 * first report comes with /dev/net/tun. Ends with the program or with weft.
 */
int keeper_main(void *opts);

/** Makes the mounts: /proc, and an empty /etc/resolv.conf whose descriptor is returned. */
int keeper_mount(const struct weft_log *log, int *ret_directory)
	__attribute__((warn_unused_result));

#endif
