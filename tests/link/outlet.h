/* SPDX-License-Identifier: MIT */
/*
 * A plug under test, run by hand: its tasks in an array, the time virtual, and its events
 * remembered. The sockets are real ones, in a directory of the test's own or on loopback; what
 * is sent there has arrived when the call returns, so that nothing has to be waited for.
 */
#ifndef TESTS_LINK_OUTLET_H
#define TESTS_LINK_OUTLET_H

#include "inbox.h"
#include "link/datagram.h"
#include "link/plug.h"

#define OUTLET_LINKS 16u
#define OUTLET_TASKS 64u

/* A second, and where time begins: 0 is no time. */
#define SECOND 1000000000u
#define START  (1000u * (uint64_t)SECOND)

struct outlet_link {
	struct weft_link *link; /* NULL once it is unplugged. */
	char peer[DATAGRAM_ADDR_TEXT];
	char reason[200]; /* Why it was unplugged. */
	struct inbox inbox;
};

struct outlet {
	struct weft_plug *plug;
	struct weft_task *tasks[OUTLET_TASKS];
	size_t tasks_n;
	struct outlet_link *links[OUTLET_LINKS]; /* In the order in which they came. */
	size_t links_n;
	char trouble[400]; /* The last one told. */
	unsigned troubles;
	bool closes; /* Once a peer is plugged in, as who wants only one does. */
	uint64_t now;
};

/* Opens the plug; fails the test if it cannot be. */
void outlet_open(struct outlet *o, const char *spec);
/* The error's text is copied to ret_text. Returns what opening did. */
int outlet_try(struct outlet *o, const char *spec, struct weft_error *err);
void outlet_close(struct outlet *o);

/* Runs until nothing is ready or due. */
void outlet_run(struct outlet *o);
/* Lets time pass, deadline by deadline. */
void outlet_pass(struct outlet *o, uint64_t ns);
/* The earliest of all deadlines. */
uint64_t outlet_deadline(const struct outlet *o);

/* Sends a numbered frame of len bytes by the i-th link. */
void outlet_send(struct outlet *o, size_t i, uint32_t len, uint32_t number);

/* A directory for sockets, made by test_dir_make; test_path gives a path in it. */
int test_dir_make(void **state);
int test_dir_remove(void **state);
const char *test_path(const char *name);
bool test_path_exists(const char *name);

/* Sockets of a peer, non-blocking. Paths are names in the directory. */
int peer_bound(const char *name);
int peer_connected(const char *own, const char *other);
int peer_udp(uint16_t port);
void peer_send_to(int fd, const char *name, const void *data, size_t len);
/* To the plug's own address, which is UDP on 127.0.0.1. */
void peer_send_udp(int fd, const struct outlet *o, const void *data, size_t len);
/* Sends a numbered frame by a connected socket. Returns 0 or -Exxx. */
int peer_send_frame(int fd, uint32_t len, uint32_t number);
/* The next datagram, or -1 if there is none. */
int peer_recv(int fd, uint8_t *buf, size_t len);
/* Asserts that the next datagram is the numbered frame. */
void peer_expect_frame(int fd, uint32_t len, uint32_t number);
void peer_expect_text(int fd, const char *text);
void peer_expect_nothing(int fd);

#endif
