/* SPDX-License-Identifier: MIT */
/*
 * Uploads in large pieces, for a proxy that keeps small ones. Apache httpd does: what its
 * mod_proxy_http has of a request goes to the server only when there are 4 KiB of it (the
 * THRESHOLD_MIN_WRITE of its core output filter; flushpackets is for responses alone). Without
 * help, a ping through the tunnel would wait for more traffic.
 *
 *     | record | record | 0 0 | 0 0 | 0 0 | ... up to 4 KiB
 *
 * The ballast is made of the format's own pings, two zeros each, which all peers pass over.
 */
#ifndef TUNNEL_BALLAST_H
#define TUNNEL_BALLAST_H

#include <stddef.h>
#include <stdint.h>

/** The least that an upload is to come in, by the header Server of an answer (or NULL); 0: any. */
size_t ballast_least(const char *server);

/**
 * Fills buf, which has room for len bytes and n of whole records, up to least. Returns how many
 * bytes there are now: n where no ballast is needed, or none fits.
 */
size_t ballast_add(uint8_t *buf, size_t len, size_t n, size_t least);

#endif
