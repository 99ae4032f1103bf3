/* SPDX-License-Identifier: MIT */
/*
 * A path is walked one name at a time, each opened in the directory before it, with O_NOFOLLOW
 * and without "..": so that nothing outside of the directory can be reached, whatever the path
 * says and whatever links lie about.
 */
#include "cmd/http_file.h"

#include "cmd/http_listing.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INDEX      "index.html"
#define DATE_LEN   40u
#define LENGTH_LEN 160u

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".htm", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".md", "text/plain; charset=utf-8" },
	{ ".xml", "application/xml" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".jpeg", "image/jpeg" },
	{ ".gif", "image/gif" },
	{ ".webp", "image/webp" },
	{ ".ico", "image/x-icon" },
	{ ".pdf", "application/pdf" },
	{ ".wasm", "application/wasm" },
	{ ".mp3", "audio/mpeg" },
	{ ".ogg", "audio/ogg" },
	{ ".mp4", "video/mp4" },
	{ ".webm", "video/webm" },
	{ ".zip", "application/zip" },
	{ ".gz", "application/gzip" },
};

static const char *type_of(const char *name)
{
	const char *suffix = strrchr(name, '.');
	for (size_t i = 0; suffix && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(suffix, types[i].suffix) == 0)
			return types[i].type;
	return "application/octet-stream";
}

static const char *reason_of(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 206:
		return "Partial Content";
	case 301:
		return "Moved Permanently";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 414:
		return "URI Too Long";
	case 416:
		return "Range Not Satisfiable";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

/* ---- the file ---------------------------------------------------------------------------- */

/* A device or a FIFO notices who opens it: it is not. */
static bool is_servable(int dir_fd, const char *name)
{
	struct stat st;
	return strcmp(name, "..") != 0 &&
	       fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* Opens a name in a directory and closes that. O_NONBLOCK: what has become a FIFO meanwhile. */
static int open_in(int dir_fd, const char *name)
{
	int fd = -1;
	if (is_servable(dir_fd, name))
		fd = openat(dir_fd, name,
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	(void)close(dir_fd);
	return fd;
}

/* Returns the descriptor of what the path leads to, or -1. "//" and "/./" are "/". */
static int open_path(int dir_fd, const char *path)
{
	char name[HTTP_PATH_MAX];
	int fd = dup(dir_fd);
	while (fd >= 0 && *path) {
		size_t len = strcspn(path, "/");
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
		path += len + (path[len] == '/');
		if (len > 0 && strcmp(name, ".") != 0)
			fd = open_in(fd, name);
	}
	return fd;
}

/* ---- the answer -------------------------------------------------------------------------- */

static void print_date(time_t at, char text[DATE_LEN])
{
	static const char days[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = { 0 };
	(void)gmtime_r(&at, &tm);
	(void)snprintf(text, DATE_LEN, "%s, %02d %s %04d %02d:%02d:%02d GMT",
		       days[tm.tm_wday % 7], tm.tm_mday % 100, months[tm.tm_mon % 12],
		       (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100,
		       tm.tm_sec % 100);
}

/* Ends an answer's head with fields, each with its CRLF. */
static void head_make(struct http_answer *a, const char *fields, bool keep_alive)
{
	char now[DATE_LEN];
	print_date(time(NULL), now);
	int n = snprintf(a->head, sizeof(a->head),
			 "HTTP/1.1 %u %s\r\nDate: %s\r\nServer: weft\r\n%s%s\r\n",
			 a->status, reason_of(a->status), now, fields,
			 keep_alive ? "" : "Connection: close\r\n");
	a->head_len = n < (int)sizeof(a->head) ? (size_t)n : sizeof(a->head) - 1;
}

bool http_is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c && strchr("-._~", c));
}

/* Says where the directory is: the path as it was, escaped anew, and a slash. */
static void redirect(const struct http_request *request, struct http_answer *a)
{
	char fields[HTTP_PATH_MAX * 3 + 64] = "Content-Length: 0\r\nLocation: /";
	char *end = fields + strlen(fields);
	const char *path = request->path;
	while (*path == '/') /* "//host" would be another host. */
		path++;
	for (; *path; path++)
		end += snprintf(end, 4,
				*path == '/' || http_is_unreserved(*path) ? "%c"
									  : "%%%02X",
				(unsigned char)*path);
	memcpy(end, "/\r\n", sizeof("/\r\n"));
	a->status = 301;
	head_make(a, fields, request->keep_alive);
}

static void say(unsigned status, const char *fields, bool keep_alive,
		struct http_answer *a)
{
	char text[LENGTH_LEN];
	a->status = status;
	(void)snprintf(text, sizeof(text), "%sContent-Length: 0\r\n", fields);
	head_make(a, text, keep_alive);
}

/* Sets off and end by the range. Returns the status: 200, 206 or 416. */
static unsigned range_apply(const struct http_request *r, uint64_t size,
			    struct http_answer *a)
{
	a->off = 0;
	a->end = size;
	if (!r->has_range)
		return 200;
	if (r->is_suffix) {
		a->off = r->range_last < size ? size - r->range_last : 0;
		return r->range_last == 0 || size == 0 ? 416 : 206;
	}
	if (r->range_first >= size)
		return 416;
	a->off = r->range_first;
	if (r->range_last < size)
		a->end = r->range_last + 1;
	return 206;
}

static void answer_file(const struct http_request *r, const char *name,
			const struct stat *st, struct http_answer *a)
{
	char fields[512], modified[DATE_LEN], range[LENGTH_LEN] = "";
	uint64_t size = (uint64_t)st->st_size;
	a->status = range_apply(r, size, a);
	if (a->status == 416) {
		(void)snprintf(range, sizeof(range),
			       "Content-Range: bytes */%" PRIu64 "\r\n", size);
		a->end = a->off;
		say(416, range, r->keep_alive, a);
		return;
	}
	if (a->status == 206)
		(void)snprintf(range, sizeof(range),
			       "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
			       "\r\n",
			       a->off, a->end - 1, size);
	print_date(st->st_mtime, modified);
	(void)snprintf(fields, sizeof(fields),
		       "Content-Type: %s\r\nContent-Length: %" PRIu64
		       "\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n%s",
		       type_of(name), a->end - a->off, modified, range);
	head_make(a, fields, r->keep_alive);
	if (r->is_head)
		a->end = a->off;
}

/* Returns false where the directory may not be looked into. */
static bool answer_listing(int fd, const struct http_request *r, struct http_answer *a)
{
	char fields[LENGTH_LEN];
	size_t len = 0;
	a->text = http_listing_make(fd, r->path, &len);
	if (!a->text)
		return false;
	a->status = 200;
	(void)snprintf(fields, sizeof(fields),
		       "Content-Type: text/html; charset=utf-8\r\nContent-Length: "
		       "%zu\r\n",
		       len);
	head_make(a, fields, r->keep_alive);
	a->off = 0;
	a->end = r->is_head ? 0 : len;
	return true;
}

/* Opens a directory's index in its place; where it has none and is listed, answers. */
static int open_index(int fd, const struct http_request *r, bool lists,
		      struct http_answer *a)
{
	struct stat st;
	bool is_listed = lists && fstatat(fd, INDEX, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
			 answer_listing(fd, r, a);
	if (!is_listed)
		return open_in(fd, INDEX);
	(void)close(fd);
	return -1;
}

void http_answer_make(int dir_fd, const struct http_request *request, bool lists,
		      struct http_answer *ret_answer)
{
	size_t len = strlen(request->path);
	bool is_dir_path = request->path[len - 1] == '/';
	const char *name = is_dir_path ? INDEX : request->path;
	struct stat st = { 0 };
	int fd = open_path(dir_fd, request->path);
	*ret_answer = (struct http_answer){ .fd = -1 };
	bool is_dir = fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	if (is_dir && !is_dir_path) {
		(void)close(fd);
		redirect(request, ret_answer);
		return;
	}
	if (is_dir)
		fd = open_index(fd, request, lists, ret_answer);
	if (ret_answer->text)
		return;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    is_dir == is_dir_path) {
		ret_answer->fd = fd;
		answer_file(request, name, &st, ret_answer);
		return;
	}
	if (fd >= 0)
		(void)close(fd);
	say(404, "", request->keep_alive, ret_answer);
}

void http_answer_refuse(unsigned status, struct http_answer *ret_answer)
{
	*ret_answer = (struct http_answer){ .fd = -1 };
	say(status, status == 405 ? "Allow: GET, HEAD\r\n" : "", false, ret_answer);
}

ssize_t http_answer_read(struct http_answer *answer, void *buf, size_t len)
{
	const uint64_t left = answer->end - answer->off;
	ssize_t n = (ssize_t)(left < len ? left : len);
	if (answer->text)
		memcpy(buf, answer->text + answer->off, (size_t)n);
	else
		n = pread(answer->fd, buf, (size_t)n, (off_t)answer->off);
	if (n > 0)
		answer->off += (uint64_t)n;
	return n;
}

void http_answer_end(struct http_answer *answer)
{
	if (answer->fd >= 0)
		(void)close(answer->fd);
	free(answer->text);
	answer->fd = -1;
	answer->text = NULL;
}
