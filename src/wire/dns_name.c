/* SPDX-License-Identifier: MIT */
/*
 * Names. A label's first byte is its length, and what is above 63 is no length but, with both
 * upper bits set, the first half of a pointer (RFC 1035, 4.1.4).
 */
#include "wire/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POINTER_BITS 0xc0u
#define POINTER_MASK 0x3fffu

static uint8_t to_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Appends a label in front of where the root's 0 will stand. False if there is no room. */
static bool add_label(struct dns_name *name, const uint8_t *label, size_t n)
{
	if (n == 0 || n > DNS_LABEL_MAX || name->len + n + 2 > DNS_NAME_LEN_MAX)
		return false;
	name->octet[name->len++] = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		name->octet[name->len++] = to_lower(label[i]);
	return true;
}

static void add_root(struct dns_name *name)
{
	name->octet[name->len++] = 0;
}

int dns_name_of_text(const char *text, struct dns_name *ret_name)
{
	struct dns_name name = { .len = 0 };
	bool is_root = strcmp(text, ".") == 0;
	while (!is_root && *text) {
		size_t n = strcspn(text, ".");
		if (!add_label(&name, (const uint8_t *)text, n))
			return -EINVAL;
		text += n + (text[n] == '.');
	}
	if (name.len == 0 && !is_root)
		return -EINVAL;
	add_root(&name);
	*ret_name = name;
	return 0;
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

const char *dns_name_print(const struct dns_name *name, char buf[DNS_NAME_TEXT])
{
	size_t at = 0;
	if (name->len == 1)
		buf[at++] = '.';
	for (size_t i = 0; i < name->len && name->octet[i] > 0;) {
		size_t end = i + 1 + name->octet[i];
		if (i > 0)
			buf[at++] = '.';
		for (i++; i < end; i++) {
			if (is_plain(name->octet[i]))
				buf[at++] = (char)name->octet[i];
			else
				at += (size_t)snprintf(buf + at, DNS_NAME_TEXT - at,
						       "\\%03u", name->octet[i]);
		}
	}
	buf[at] = '\0';
	return buf;
}

bool dns_name_print_plain(const struct dns_name *name, char *buf, size_t len)
{
	char text[DNS_NAME_TEXT];
	size_t n = strlen(dns_name_print(name, text));
	buf[0] = '\0';
	if (name->len <= 1 || strchr(text, '\\') || n >= len)
		return false;
	memcpy(buf, text, n + 1);
	return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->len == b->len && memcmp(a->octet, b->octet, a->len) == 0;
}

bool dns_name_is_in(const struct dns_name *name, const struct dns_name *zone)
{
	if (zone->len == 0)
		return false;
	for (size_t i = 0; i < name->len; i += 1u + name->octet[i])
		if (name->len - i == zone->len)
			return memcmp(name->octet + i, zone->octet, zone->len) == 0;
	return false;
}

int dns_name_join(const struct dns_name *name, const struct dns_name *zone,
		  struct dns_name *ret_name)
{
	struct dns_name joined = *name;
	if (name->len == 0 || name->len - 1u + zone->len > DNS_NAME_LEN_MAX)
		return -EINVAL;
	memcpy(joined.octet + name->len - 1, zone->octet, zone->len);
	joined.len = (uint8_t)(name->len - 1u + zone->len);
	*ret_name = joined;
	return 0;
}

/*
 * Follows a pointer whose first byte has been read, from a piece of a name that begins at
 * *piece, to an earlier one. False if it leads nowhere, or back to where one has been.
 */
static bool follow(struct reader *at, uint8_t first, size_t *piece)
{
	size_t target = ((size_t)first << 8 | reader_u8(at)) & POINTER_MASK;
	if (at->bad || target >= *piece)
		return false;
	*piece = at->off = target;
	return true;
}

/* Reads labels at `at` until the root; sets *ret_end to behind the name as it stands there. */
static bool read_labels(struct reader at, struct dns_name *name, size_t *ret_end)
{
	size_t piece = at.off, end = 0;
	for (;;) {
		uint8_t n = reader_u8(&at);
		bool is_pointer = (n & POINTER_BITS) == POINTER_BITS;
		if (is_pointer && end == 0)
			end = at.off + 1;
		if (is_pointer) {
			if (!follow(&at, n, &piece))
				return false;
			continue;
		}
		if (n == 0)
			break;
		const uint8_t *label = reader_bytes(&at, n);
		if (!label || !add_label(name, label, n))
			return false;
	}
	*ret_end = end > 0 ? end : at.off;
	return !at.bad;
}

int dns_name_parse(struct reader *r, struct dns_name *ret_name)
{
	struct dns_name name = { .len = 0 };
	size_t end = 0;
	if (r->bad || !read_labels(*r, &name, &end)) {
		r->bad = true;
		return -EBADMSG;
	}
	add_root(&name);
	r->off = end;
	*ret_name = name;
	return 0;
}

int dns_name_parse_whole(struct reader *r, struct dns_name *ret_name)
{
	const size_t begin = r->off;
	struct dns_name name;
	/* A pointer takes two bytes, and what it stands for takes more, or is the root. */
	if (dns_name_parse(r, &name) < 0 || r->off - begin != name.len) {
		r->bad = true;
		return -EBADMSG;
	}
	*ret_name = name;
	return 0;
}

void dns_name_emit(struct writer *w, const struct dns_name *name)
{
	writer_bytes(w, name->octet, name->len);
}
