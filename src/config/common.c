/* SPDX-License-Identifier: MIT */
/*
 * What servers and clients have in common: a name, what they carry, a mark, and whether their
 * peers are the original program.
 */
#include "base/array.h"
#include "config/config.h"

#include <weft/nearest.h>

#include <string.h>

/* ---- the name ---------------------------------------------------------------------------- */

/* What the kernel would refuse or take for something else; NULL if it takes the name. */
static const char *name_fault(const char *name)
{
	static const char *const reserved[] = { ".", "..", "all", "default", "lo" };
	if (name[0] == '\0' || strlen(name) > WEFT_TUNNEL_NAME_MAX)
		return CONFIG_NAME_WANT;
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (strcmp(name, reserved[i]) == 0)
			return "another name; the system has a use of its own for this "
			       "one";
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f || strchr("/:%", *name))
			return "letters, digits, \"-\", \"_\" and \".\"";
	return NULL;
}

/* Says what is wrong with the name of an interface, or returns true. */
static bool check_name(struct reader *reader, const struct node *node)
{
	const char *name = field_text(node), *fault = name_fault(name);
	char quote[NODE_QUOTE_LEN];
	if (fault)
		reader_fault(reader, SEVERITY_ERROR, node, "found \"%s\"; it must be %s",
			     node_quote(name, strlen(name), quote), fault);
	return !fault;
}

void config_read_name(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	const char *name = field_text(node);
	if (!check_name(reader, node))
		return;
	memcpy(interface->name, name, strlen(name) + 1);
	field_stake(reader, &reader->names,
		    &(struct stake){ .text = name, .node = node });
}

void config_read_bridge(struct reader *reader, const struct node *node, void *object)
{
	const struct node *name = node_get(node->parent, "name");
	if (!check_name(reader, node))
		return;
	if (name && name->type == JSON_STRING &&
	    strcmp(field_text(name), field_text(node)) == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "this is the interface itself, which becomes a port of the "
			     "bridge; the bridge has a name of its own, such as \"br0\"");
	else
		field_copy(reader, node,
			   &((struct weft_tunnel_interface *)object)->bridge);
}

/* ---- the mark ---------------------------------------------------------------------------- */

static void read_mark_number(struct reader *reader, const struct node *node,
			     uint32_t *number)
{
	uint64_t value;
	if (field_number(reader, node, 0, UINT32_MAX, &value))
		*number = (uint32_t)value;
}

static void read_mark_value(struct reader *reader, const struct node *node, void *object)
{
	read_mark_number(reader, node, &((struct weft_tunnel_mark *)object)->value);
}

static void read_mark_table(struct reader *reader, const struct node *node, void *object)
{
	read_mark_number(reader, node, &((struct weft_tunnel_mark *)object)->table);
}

/* What does not go together in a mark that is on. */
static void check_mark(struct reader *reader, const struct node *node,
		       const struct weft_tunnel_mark *mark)
{
	static const char *const owners[] = { "default", "main", "local" };
	const struct node *value = node_get(node, "value"),
			  *table = node_get(node, "table");
	const struct stake value_stake = { .number = mark->value, .node = value };
	const struct stake table_stake = { .number = mark->table, .node = table };
	if (!table) {
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"\"table\" is missing: the routing table for what carries the "
			"mark, such as 100");
		return;
	}
	if (mark->table == 0 && table->type == JSON_INTEGER)
		reader_fault(
			reader, SEVERITY_ERROR, table,
			"there is no table 0; take one that nothing uses, such as 100");
	else if (mark->table >= 253 && mark->table <= 255)
		reader_fault(reader, SEVERITY_ERROR, table,
			     "table %u is the system's own (%s), which the tunnel would "
			     "empty; take one that nothing uses, such as 100",
			     mark->table, owners[mark->table - 253]);
	else if (mark->table != 0)
		field_stake(reader, &reader->mark_tables, &table_stake);
	field_stake(reader, &reader->mark_values, &value_stake);
	if (reader->mode == WEFT_TUNNEL_ETHERNET)
		reader_fault(
			reader, SEVERITY_WARNING, node,
			"in mode \"ethernet\" a packet goes to a machine on the same "
			"network; whoever is asked for every address that has the mark "
			"must answer for all of them (proxy ARP)");
}

void config_read_mark(struct reader *reader, const struct node *node, void *object)
{
	static const struct field table[] = {
		{ "value", JSON_INTEGER, false, "a number; 0 for no mark",
		  read_mark_value },
		{ "table", JSON_INTEGER, false, "a routing table's number, such as 100",
		  read_mark_table },
		{ 0 },
	};
	static const struct fields fields = { "a mark", table, NULL };
	struct weft_tunnel_mark mark = { 0 };
	if (!fields_read(reader, node, &fields, &mark))
		return;
	if (mark.value != 0)
		check_mark(reader, node, &mark);
	else if (mark.table != 0 && !node_get(node, "value"))
		reader_fault(reader, SEVERITY_WARNING, node,
			     "without \"value\" the mark is off and its table not used");
	((struct weft_tunnel_interface *)object)->mark = mark;
}

void config_read_compat(struct reader *reader, const struct node *node, void *object)
{
	(void)reader;
	((struct weft_tunnel_interface *)object)->is_compat = node->type == JSON_TRUE;
}

/* ---- what it carries --------------------------------------------------------------------- */

static const char *const modes[] = { "ip", "ethernet", NULL };

/* The rest of the interface is read with what these two say, wherever they stand. */
void config_begin_interface(struct reader *reader, const struct node *node)
{
	const struct node *compat = node_get(node, "compat"),
			  *mode = node_get(node, "mode");
	const char *text = mode && mode->type == JSON_STRING ? field_text(mode) : NULL;
	const bool is_ethernet = text && strcmp(text, modes[1]) == 0;
	reader->is_compat = compat && compat->type == JSON_TRUE;
	reader->mode = is_ethernet ? WEFT_TUNNEL_ETHERNET : WEFT_TUNNEL_IP;
	reader->knows_mode =
		!mode || is_ethernet || (text && strcmp(text, modes[0]) == 0);
}

void config_read_mode(struct reader *reader, const struct node *node, void *object)
{
	const char *text = field_text(node);
	unsigned i;
	if (strcmp(text, "tap") == 0 || strcmp(text, "tun") == 0) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found \"%s\"; a TUN is mode \"ip\", a TAP mode "
			     "\"ethernet\"",
			     text);
		return;
	}
	if (!field_word(reader, node, modes, &i))
		return;
	((struct weft_tunnel_interface *)object)->mode = (enum weft_tunnel_mode)i;
	if (i == WEFT_TUNNEL_ETHERNET && reader->is_compat)
		reader_fault(reader, SEVERITY_WARNING, node,
			     "the original program, which is at the other end of this "
			     "interface (\"compat\"), carries IP alone");
}

/* ---- congestion control ------------------------------------------------------------------ */

#define CONGESTION_MAX 15u /* TCP_CA_NAME_MAX without its NUL. */

/* Those that Linux has had; which of them a machine has, its kernel says when it runs. */
static const char *const congestions[] = {
	"bbr",       "bbr2",  "bbr3",  "bic",      "cdg",  "cubic", "dctcp",
	"highspeed", "htcp",  "hybla", "illinois", "lp",   "nv",    "reno",
	"scalable",  "vegas", "veno",  "westwood", "yeah",
};

void config_read_congestion(struct reader *reader, const struct node *node, void *object)
{
	const char *text = field_text(node);
	const size_t len = strlen(text);
	struct weft_nearest nearest = { 0 };
	char quote[NODE_QUOTE_LEN];
	(void)node_quote(text, len, quote);
	if (len == 0 || len > CONGESTION_MAX ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") != len) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "found \"%s\"; a congestion control has 1 to %u small "
			     "letters, digits and \"_\", such as \"bbr\" or \"cubic\"",
			     quote, CONGESTION_MAX);
		return;
	}
	field_copy(reader, node, &((struct weft_tunnel_interface *)object)->congestion);
	for (size_t i = 0; i < ARRAY_LEN(congestions); i++) {
		if (strcmp(text, congestions[i]) == 0)
			return;
		weft_nearest_offer(&nearest, text, congestions[i]);
	}
	reader_fault(reader, SEVERITY_WARNING, node,
		     "no congestion control of Linux is called \"%s\"%s%s%s", quote,
		     nearest.word ? "; did you mean \"" : "",
		     nearest.word ? nearest.word : "", nearest.word ? "\"?" : "");
}
