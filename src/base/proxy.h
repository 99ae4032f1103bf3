/* SPDX-License-Identifier: MIT */
/*
 * The proxies of a client that are known: what a configuration may name, and what the streams
 * go through.
 */
#ifndef BASE_PROXY_H
#define BASE_PROXY_H

/** With what the URL of a proxy begins, in small or large letters; ends with NULL. */
extern const char *const proxy_schemes[];

/** The same for people. */
#define PROXY_SCHEMES_TEXT \
	"http://, https://, socks4://, socks4a://, socks5:// or socks5h://"

#endif
