/* SPDX-License-Identifier: MIT */
/*
 * What is in a directory, as a page of links: `weft http --list`.
 */
#ifndef CMD_HTTP_LISTING_H
#define CMD_HTTP_LISTING_H

#include <stddef.h>

/** Entries of a directory that are looked at; a page says that there are more. */
#define HTTP_LISTING_MAX 1000u

/**
 * Makes a page (HTML) of the directory's files and directories, in their order. What begins with a
 * dot is left out, and so are links and devices, which are not served either. path: where the
 * directory is on the server, with '/' at both ends. Returns its text, to be freed, and its
 * length; NULL if the directory cannot be read or memory is out.
 */
char *http_listing_make(int dir_fd, const char *path, size_t *ret_len)
	__attribute__((warn_unused_result));

#endif
