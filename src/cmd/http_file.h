/* SPDX-License-Identifier: MIT */
/*
 * `weft http`: what a request asks for (RFC 9110, 9112), and the file that answers it. No
 * sockets here: text in, a decision out.
 */
#ifndef CMD_HTTP_FILE_H
#define CMD_HTTP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Most bytes of a request's line and fields together. */
#define HTTP_REQUEST_MAX 8192u

/** Most bytes of a path in the directory. */
#define HTTP_PATH_MAX 1024u

/** Room for the line and fields of any answer. */
#define HTTP_HEAD_MAX (HTTP_PATH_MAX * 3 + 512u)

/** What a request says. */
struct http_request {
	bool is_head;
	bool keep_alive;
	bool has_range;
	bool is_suffix; /**< The last range_last bytes. */
	uint64_t range_first;
	uint64_t range_last;      /**< UINT64_MAX: to the end. */
	char path[HTTP_PATH_MAX]; /**< Decoded; begins with '/'. */
};

/**
 * Reads a request of len bytes, the empty line included. Returns 0, or the status to refuse it
 * with: 400, 405, 414, 501 or 505. Then the connection has to be closed.
 */
unsigned http_request_parse(const char *text, size_t len,
			    struct http_request *ret_request);

/** What is sent back; http_answer_end frees what it holds. */
struct http_answer {
	unsigned status;
	int fd;            /**< The file, or -1; ... */
	char *text;        /**< ... or a page in its place, or NULL. */
	uint64_t off, end; /**< Its bytes from off to end are the body. */
	size_t head_len;
	char head[HTTP_HEAD_MAX];
};

/**
 * Finds the file in the directory dir_fd, and makes the answer: 200, 206, 301, 404 or 416. lists:
 * a directory without an index.html is answered with a page of what is in it.
 */
void http_answer_make(int dir_fd, const struct http_request *request, bool lists,
		      struct http_answer *ret_answer);

/** Makes an answer with a status alone, after which the connection is closed. */
void http_answer_refuse(unsigned status, struct http_answer *ret_answer);

/**
 * Reads on in the body, at most len bytes (> 0). Returns how many; 0 or less where a file is
 * shorter by now than its answer has said.
 */
ssize_t http_answer_read(struct http_answer *answer, void *buf, size_t len)
	__attribute__((warn_unused_result));

/** Closes the file and frees the page. May be called again. */
void http_answer_end(struct http_answer *answer);

/** Whether a character of a URL stands for itself (RFC 3986, 2.3: unreserved). */
bool http_is_unreserved(char c);

#endif
