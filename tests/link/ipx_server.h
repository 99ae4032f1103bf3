/* SPDX-License-Identifier: MIT */
/*
 * A server of DOSBox's IPX that says what a test has it say, to a plug that connects to it. What
 * is said has been heard when the call returns.
 */
#ifndef TESTS_LINK_IPX_SERVER_H
#define TESTS_LINK_IPX_SERVER_H

#include "outlet.h"
#include "wire/ipx.h"

/* A game's socket. */
#define DOOM 0x869cu

struct ipx_server {
	struct outlet *o; /* The plug. */
	int fd;
	union weft_sockaddr client; /* Where it was heard last. */
	struct weft_mac node;       /* That address, as DOSBox makes a node of it. */
};

/* Opens the plug, which has then asked; options begin with a comma. */
struct ipx_server asked(struct outlet *o, const char *options);
/* And is answered: the link is there. */
struct ipx_server registered(struct outlet *o, const char *options);
/* Closes both. */
void server_close(struct ipx_server *s);

/* A packet without data, both ends at one socket. */
struct ipx_hdr header(struct weft_mac dst, struct weft_mac src, uint16_t socket);

void says_bytes(struct ipx_server *s, const void *data, size_t len);
/* With as many bytes behind the header as it says. */
void says(struct ipx_server *s, const struct ipx_hdr *hdr);
/* Four bytes of a game's. */
void says_doom(struct ipx_server *s, struct weft_mac dst, struct weft_mac src);
void says_registered(struct ipx_server *s, struct weft_mac node);

/* The next packet; fails the test if there is none. */
struct ipx_hdr hears(struct ipx_server *s);
/* Asserts that it is a registration from a node, zero for that of the client's address. */
void hears_registration(struct ipx_server *s, struct weft_mac from);

#endif
