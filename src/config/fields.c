/* SPDX-License-Identifier: MIT */
/*
 * A message says what was found, what has to be there, and what to write instead where that
 * can be known. No message repeats what could be a secret.
 */
#include "config/fields.h"

#include "base/fmt.h"
#include "base/net.h"

#include <weft/nearest.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reader_fault(struct reader *reader, enum severity severity, const struct node *node,
		  const char *format, ...)
{
	char path[NODE_PATH_LEN], text[sizeof(((struct weft_tunnel_fault *)0)->text)];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	faults_add(reader->faults, node->at, severity, node_path(node, path), "%s", text);
}

const char *field_text(const struct node *node)
{
	return json_string_value(node->scalar);
}

void field_copy(struct reader *reader, const struct node *node, char **text)
{
	free(*text);
	*text = strdup(field_text(node));
	if (!*text)
		reader->r = -ENOMEM;
}

void field_stake(struct reader *reader, struct stakes *stakes, const struct stake *stake)
{
	if (stakes_add(stakes, stake) < 0)
		reader->r = -ENOMEM;
}

/* ---- types ------------------------------------------------------------------------------- */

static const char *type_name(json_type type)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a text",    [JSON_INTEGER] = "a number",
		[JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};
	return names[type];
}

static bool has_type(const struct node *node, json_type type)
{
	return node->type == type || (type == JSON_TRUE && node->type == JSON_FALSE);
}

/* Whether a text is a number that somebody has put in quotes. */
static bool is_digits(const char *text)
{
	size_t n = strspn(text, "0123456789");
	return n > 0 && n < 20 && text[n] == '\0';
}

void field_is_not(struct reader *reader, const struct node *node, json_type type,
		  const char *want)
{
	char hint[NODE_PATH_LEN] = "";
	if (node->type == JSON_NULL)
		(void)snprintf(hint, sizeof(hint), "; leave out what has no value");
	else if (type == JSON_INTEGER && node->type == JSON_STRING &&
		 is_digits(field_text(node)))
		(void)snprintf(hint, sizeof(hint), "; write %s without the quotes",
			       field_text(node));
	else if (type == JSON_STRING && json_is_number(node->scalar))
		(void)snprintf(hint, sizeof(hint), "; put it in double quotes");
	else if (type == JSON_ARRAY)
		(void)snprintf(hint, sizeof(hint), "; put it in [ ]");
	reader_fault(reader, SEVERITY_ERROR, node, "found %s; it must be %s%s",
		     type_name(node->type), want, hint);
}

/* ---- objects ----------------------------------------------------------------------------- */

static const struct field *find_field(const struct fields *fields, const char *key)
{
	for (const struct field *field = fields->table; field->name; field++)
		if (strcmp(field->name, key) == 0)
			return field;
	return NULL;
}

/* Keys for people: remarks, and what another program keeps in the file. */
static bool is_remark(const char *key)
{
	return strncmp(key, "//", 2) == 0 || strncmp(key, "x-", 2) == 0;
}

static void tell_unknown(struct reader *reader, const struct node *node,
			 const struct fields *fields)
{
	char path[NODE_PATH_LEN], quote[NODE_QUOTE_LEN];
	char text[sizeof(((struct weft_tunnel_fault *)0)->text)];
	const char *comma = "";
	struct weft_nearest nearest = { 0 };
	struct fmt f;
	fmt_init(&f, text, sizeof(text));
	(void)node_quote(node->key, strlen(node->key), quote);
	for (const struct field *field = fields->table; field->name; field++)
		weft_nearest_offer(&nearest, node->key, field->name);
	if (fields->other && find_field(fields->other, node->key)) {
		fmt_add(&f,
			"\"%s\" is a key of %s, and this is %s; make two of it, or take "
			"the key out",
			quote, fields->other->whose, fields->whose);
	} else if (nearest.word) {
		fmt_add(&f, "%s has no key \"%s\"; did you mean \"%s\"?", fields->whose,
			quote, nearest.word);
	} else {
		fmt_add(&f, "%s has no key \"%s\", but ", fields->whose, quote);
		for (const struct field *field = fields->table; field->name; field++) {
			fmt_add(&f, "%s%s", comma, field->name);
			comma = ", ";
		}
		fmt_add(&f, "; one of your own begins with \"x-\"");
	}
	faults_add(reader->faults, node->key_at, SEVERITY_ERROR, node_path(node, path),
		   "%s", text);
}

/* Whether a key has a meaning in the mode of the interface. */
static bool check_mode(struct reader *reader, const struct node *node,
		       const struct field *field)
{
	const unsigned other =
		reader->mode == WEFT_TUNNEL_ETHERNET ? FIELD_IP : FIELD_ETHERNET;
	char path[NODE_PATH_LEN];
	if (!reader->knows_mode || !(field->flags & other))
		return true;
	faults_add(reader->faults, node->key_at, SEVERITY_ERROR, node_path(node, path),
		   other == FIELD_IP
			   ? "\"%s\" means nothing in mode \"ethernet\", in which frames "
			     "go by their addresses, as on a switch; take it out"
			   : "\"%s\" means something in mode \"ethernet\" alone; take it "
			     "out, or add \"mode\": \"ethernet\" to the interface",
		   field->name);
	return false;
}

static void check_compat(struct reader *reader, const struct node *node,
			 const struct field *field)
{
	char path[NODE_PATH_LEN];
	if (reader->is_compat && (field->flags & FIELD_NEW))
		faults_add(reader->faults, node->key_at, SEVERITY_WARNING,
			   node_path(node, path),
			   "the original program, which is at the other end of this "
			   "interface (\"compat\"), knows nothing of \"%s\"",
			   field->name);
}

static void read_member(struct reader *reader, const struct node *node,
			const struct fields *fields, void *object)
{
	if (node->is_bad || is_remark(node->key))
		return;
	const struct field *field = find_field(fields, node->key);
	if (!field) {
		tell_unknown(reader, node, fields);
		return;
	}
	if (!check_mode(reader, node, field))
		return;
	check_compat(reader, node, field);
	if (!(field->flags & FIELD_ANY_TYPE) && !has_type(node, field->type))
		field_is_not(reader, node, field->type, field->want);
	else if (field->read)
		field->read(reader, node, object);
}

bool fields_read(struct reader *reader, const struct node *node,
		 const struct fields *fields, void *object)
{
	if (node->is_bad)
		return false;
	if (node->type != JSON_OBJECT) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found %s; %s is an object: { ... }", type_name(node->type),
			     fields->whose);
		return false;
	}
	for (const struct node *member = node->first; member; member = member->next)
		read_member(reader, member, fields, object);
	for (const struct field *field = fields->table; field->name; field++)
		if ((field->flags & FIELD_REQUIRED) && !node_get(node, field->name))
			reader_fault(reader, SEVERITY_ERROR, node,
				     "\"%s\" is missing: %s", field->name, field->want);
	return true;
}

/* ---- values ------------------------------------------------------------------------------ */

bool field_number(struct reader *reader, const struct node *node, uint64_t min,
		  uint64_t max, uint64_t *ret_value)
{
	json_int_t value = json_integer_value(node->scalar);
	if (value >= 0 && (uint64_t)value >= min && (uint64_t)value <= max) {
		*ret_value = (uint64_t)value;
		return true;
	}
	reader_fault(reader, SEVERITY_ERROR, node,
		     "found %" JSON_INTEGER_FORMAT "; it must be %" PRIu64 " to %" PRIu64,
		     value, min, max);
	return false;
}

bool field_word(struct reader *reader, const struct node *node, const char *const *words,
		unsigned *ret_index)
{
	const char *text = field_text(node);
	char quote[NODE_QUOTE_LEN], all[NODE_PATH_LEN];
	struct weft_nearest nearest = { 0 };
	struct fmt f;
	fmt_init(&f, all, sizeof(all));
	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_index = i;
			return true;
		}
		weft_nearest_offer(&nearest, text, words[i]);
		fmt_add(&f, "%s\"%s\"",
			i == 0         ? ""
			: words[i + 1] ? ", "
				       : " or ",
			words[i]);
	}
	reader_fault(reader, SEVERITY_ERROR, node, "found \"%s\"; it must be %s%s%s%s",
		     node_quote(text, strlen(text), quote), fmt_text(&f),
		     nearest.word ? "; did you mean \"" : "",
		     nearest.word ? nearest.word : "", nearest.word ? "\"?" : "");
	return false;
}

static const char *form_name(enum ip_form form)
{
	static const char *const names[] = {
		[IP_HOST] = "an address, such as \"10.20.0.2\"",
		[IP_LOCAL] = "an address of this machine, such as \"127.0.0.1\"",
		[IP_HOST_PREFIX] = "an address with its prefix, such as \"10.20.0.1/24\"",
		[IP_NETWORK] = "a network, such as \"10.20.0.0/24\"",
	};
	return names[form];
}

/* The prefix of a netmask such as "255.255.255.0", or -EINVAL. */
static int mask_prefix(const char *text)
{
	struct weft_ip mask;
	int prefix = 0;
	if (weft_ip_parse(text, &mask) < 0 || mask.family != AF_INET || mask.prefix != 32)
		return -EINVAL;
	while (prefix < 32 && (mask.octet[prefix / 8] & (0x80 >> prefix % 8)))
		prefix++;
	mask.prefix = (uint8_t)prefix;
	return net_is_network(&mask) ? prefix : -EINVAL;
}

/* A text that is no address at all. */
static void explain_ip(struct reader *reader, const struct node *node, enum ip_form form)
{
	const char *text = field_text(node), *slash = strchr(text, '/');
	char quote[NODE_QUOTE_LEN], hint[NODE_PATH_LEN] = "";
	struct weft_ip ip;
	char host[WEFT_IP_TEXT];
	(void)node_quote(text, strlen(text), quote);
	if (strpbrk(text, " \t"))
		(void)snprintf(hint, sizeof(hint), "; take the spaces out");
	if (slash && (size_t)(slash - text) < sizeof(host)) {
		(void)snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
		int prefix = mask_prefix(slash + 1);
		if (prefix >= 0)
			(void)snprintf(hint, sizeof(hint), "; write \"%s/%d\"", host,
				       prefix);
		else if (weft_ip_parse(host, &ip) == 0)
			(void)snprintf(hint, sizeof(hint),
				       "; the prefix is a number from 0 to %u",
				       net_bits(ip.family));
	}
	reader_fault(reader, SEVERITY_ERROR, node, "\"%s\" is not %s%s", quote,
		     form_name(form), hint);
}

/* Whether the prefix is there where it has to be, and only there. */
static bool check_form(struct reader *reader, const struct node *node, enum ip_form form,
		       const struct weft_ip *ip)
{
	const bool has_prefix = strchr(field_text(node), '/') != NULL;
	const struct weft_ip host = net_host(ip), net = net_of(ip);
	char host_text[WEFT_IP_TEXT], net_text[WEFT_IP_TEXT];
	(void)weft_ip_print(&host, host_text);
	(void)weft_ip_print(&net, net_text);
	const bool is_plain = form == IP_HOST || form == IP_LOCAL;
	if (is_plain && has_prefix) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "this address has no prefix; write \"%s\"", host_text);
		return false;
	}
	if (!is_plain && !has_prefix) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the prefix is missing; write \"%s/%u\" for this address "
			     "alone, or such as \"%s/%u\" for a net",
			     host_text, net_bits(ip->family), host_text,
			     ip->family == AF_INET ? 24u : 64u);
		return false;
	}
	if (form == IP_NETWORK && !net_is_network(ip)) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "\"%s\" has bits set behind its prefix; the network is "
			     "\"%s\"",
			     field_text(node), net_text);
		return false;
	}
	return true;
}

bool field_ip(struct reader *reader, const struct node *node, enum ip_form form,
	      struct weft_ip *ret_ip)
{
	struct weft_ip ip;
	if (node->is_bad)
		return false;
	if (node->type != JSON_STRING) {
		field_is_not(reader, node, JSON_STRING, form_name(form));
		return false;
	}
	if (weft_ip_parse(field_text(node), &ip) < 0) {
		explain_ip(reader, node, form);
		return false;
	}
	if (!check_form(reader, node, form, &ip))
		return false;
	if (form != IP_NETWORK && form != IP_LOCAL && !net_is_usable(&ip)) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "no machine can have the address \"%s\"; private ones are "
			     "10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16",
			     field_text(node));
		return false;
	}
	if (ip.family == AF_INET6 && reader->is_compat && form != IP_LOCAL)
		reader_fault(reader, SEVERITY_WARNING, node,
			     "the original program, for which this interface is "
			     "(\"compat\"), carries no IPv6");
	*ret_ip = ip;
	return true;
}
