/* SPDX-License-Identifier: MIT */
/*
 * What servers and clients have in common: a name, a mark, and whether their peers are the
 * original program.
 */
#include "base/array.h"
#include "tunnel/config.h"

#include <errno.h>
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

void config_read_name(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_interface *interface = object;
	const char *name = field_text(node), *fault = name_fault(name);
	const struct stake stake = { .text = name, .node = node };
	char quote[NODE_QUOTE_LEN];
	if (fault) {
		reader_fault(reader, SEVERITY_ERROR, node, "found \"%s\"; it must be %s",
			     node_quote(name, strlen(name), quote), fault);
		return;
	}
	memcpy(interface->name, name, strlen(name) + 1);
	if (stakes_add(&reader->names, &stake) < 0)
		reader->r = -ENOMEM;
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
	else if (mark->table != 0 && stakes_add(&reader->mark_tables, &table_stake) < 0)
		reader->r = -ENOMEM;
	if (stakes_add(&reader->mark_values, &value_stake) < 0)
		reader->r = -ENOMEM;
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
