/* SPDX-License-Identifier: MIT */
/*
 * What an interface of a tunnel's configuration means: for people in a few lines, and as JSON
 * with every key at the value that holds. Secrets are in neither.
 */
#ifndef CMD_MEANING_H
#define CMD_MEANING_H

#include <weft/tunnel.h>

#include <jansson.h>

/** Prints an interface on stdout. */
void meaning_print(const struct weft_tunnel_interface *interface);

/** All of an interface but its secrets. The caller has the reference. */
json_t *meaning_json(const struct weft_tunnel_interface *interface);

/** A URL without user and password. Returns buf, or a text for one that is too long. */
#define MEANING_URL_LEN 512u
const char *meaning_url(const char *url, char buf[MEANING_URL_LEN]);

/** "tcp", "udp", "icmp", or "any" for 0. */
const char *meaning_protocol(uint8_t protocol);

#endif
