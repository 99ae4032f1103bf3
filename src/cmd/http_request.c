/* SPDX-License-Identifier: MIT */
/*
 * A request is one line and fields (RFC 9112, 3 and 5):
 *
 *     GET /music/a%20b.ogg?x HTTP/1.1 CRLF  Host: 10.1.0.2 CRLF  Range: bytes=0-99 CRLF  CRLF
 *
 * A request with a body is refused: nothing here takes one, and where the next request would
 * begin must not be a matter of opinion (RFC 9112, 11.2).
 */
#include "cmd/http_file.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Text that is not ended by a NUL. */
struct span {
	const char *at;
	size_t len;
};

static bool span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static struct span span_trim(struct span s)
{
	while (s.len > 0 && (*s.at == ' ' || *s.at == '\t')) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Cuts off what stands before the letter, and the letter. Returns false if it is not there. */
static bool span_cut(struct span *s, char letter, struct span *ret_head)
{
	const char *end = memchr(s->at, letter, s->len);
	if (!end)
		return false;
	ret_head->at = s->at;
	ret_head->len = (size_t)(end - s->at);
	s->at = end + 1;
	s->len -= ret_head->len + 1;
	return true;
}

/* A line without its CRLF; a bare LF ends one as well (RFC 9112, 2.2). */
static bool line_cut(struct span *s, struct span *ret_line)
{
	if (!span_cut(s, '\n', ret_line))
		return false;
	if (ret_line->len > 0 && ret_line->at[ret_line->len - 1] == '\r')
		ret_line->len--;
	return true;
}

/* ---- the path ---------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one character, perhaps written as %41. Returns it, or -1. */
static int path_letter(struct span *s)
{
	char c = *s->at;
	size_t n = c == '%' ? 3 : 1;
	if (s->len < n)
		return -1;
	int high = n == 3 ? hex_digit(s->at[1]) : 0;
	int low = n == 3 ? hex_digit(s->at[2]) : 0;
	s->at += n;
	s->len -= n;
	if (n == 1)
		return (unsigned char)c;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static unsigned path_decode(struct span target, char path[HTTP_PATH_MAX])
{
	size_t n = 0;
	const char *query = memchr(target.at, '?', target.len);
	if (query)
		target.len = (size_t)(query - target.at);
	if (target.len == 0 || *target.at != '/')
		return 400;
	while (target.len > 0) {
		int letter = path_letter(&target);
		if (letter <= 0)
			return 400;
		if (n + 1 >= HTTP_PATH_MAX)
			return 414;
		path[n++] = (char)letter;
	}
	path[n] = '\0';
	return 0;
}

/* ---- fields ------------------------------------------------------------------------------ */

/* At most 18 digits, so that it cannot overflow. */
static bool number_parse(struct span s, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (s.len == 0 || s.len > 18)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!isdigit((unsigned char)s.at[i]))
			return false;
		number = number * 10 + (uint64_t)(s.at[i] - '0');
	}
	*ret_number = number;
	return true;
}

/* One range of bytes; several, or what is no range, mean the whole file (RFC 9110, 14.2). */
static void range_parse(struct span value, struct http_request *r)
{
	static const char unit[] = "bytes=";
	struct span first;
	if (value.len < sizeof(unit) - 1 ||
	    strncasecmp(value.at, unit, sizeof(unit) - 1) != 0)
		return;
	value.at += sizeof(unit) - 1;
	value.len -= sizeof(unit) - 1;
	if (!span_cut(&value, '-', &first))
		return;
	r->is_suffix = first.len == 0;
	r->range_first = 0;
	r->range_last = UINT64_MAX;
	if (!r->is_suffix && !number_parse(first, &r->range_first))
		return;
	if ((r->is_suffix || value.len > 0) && !number_parse(value, &r->range_last))
		return;
	r->has_range = r->is_suffix || r->range_first <= r->range_last;
}

static unsigned field_parse(struct span line, struct http_request *r, unsigned *hosts)
{
	struct span name;
	if (!span_cut(&line, ':', &name) || name.len == 0 ||
	    memchr(name.at, ' ', name.len) || memchr(name.at, '\t', name.len))
		return 400;
	struct span value = span_trim(line);
	if (span_is(name, "Host"))
		(*hosts)++;
	else if (span_is(name, "Connection") && span_is(value, "close"))
		r->keep_alive = false;
	else if (span_is(name, "Range"))
		range_parse(value, r);
	else if (span_is(name, "Transfer-Encoding") ||
		 (span_is(name, "Content-Length") && !span_is(value, "0")))
		return 400;
	return 0;
}

static unsigned fields_parse(struct span text, struct http_request *r, bool needs_host)
{
	struct span line;
	unsigned hosts = 0;
	while (line_cut(&text, &line) && line.len > 0) {
		unsigned status = field_parse(line, r, &hosts);
		if (status)
			return status;
	}
	return hosts > 1 || (needs_host && hosts == 0) ? 400 : 0;
}

/* ---- the line ---------------------------------------------------------------------------- */

static unsigned method_parse(struct span method, struct http_request *r)
{
	static const char *const others[] = { "POST",    "PUT",   "DELETE", "OPTIONS",
					      "CONNECT", "TRACE", "PATCH" };
	r->is_head = span_is(method, "HEAD");
	if (r->is_head || span_is(method, "GET"))
		return 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (span_is(method, others[i]))
			return 405;
	return 501;
}

unsigned http_request_parse(const char *text, size_t len,
			    struct http_request *ret_request)
{
	struct http_request r = { 0 };
	struct span rest = { text, len };
	struct span line, method, target;
	if (memchr(text, '\0', len) || !line_cut(&rest, &line) ||
	    !span_cut(&line, ' ', &method) || !span_cut(&line, ' ', &target))
		return 400;
	bool is_10 = span_is(line, "HTTP/1.0");
	if (!is_10 && !span_is(line, "HTTP/1.1"))
		return line.len > 5 && strncmp(line.at, "HTTP/", 5) == 0 ? 505 : 400;
	r.keep_alive = !is_10;
	unsigned status = method_parse(method, &r);
	if (!status)
		status = path_decode(target, r.path);
	if (!status)
		status = fields_parse(rest, &r, !is_10);
	if (!status)
		*ret_request = r;
	return status;
}
