/* SPDX-License-Identifier: MIT */
/*
 * Values of which there may be several: addresses, networks, tags, and the texts that say of
 * whom a rule speaks.
 */
#include "base/net.h"
#include "config/config.h"
#include "config/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses --------------------------------------------------------------------------- */

/* Makes room for what is in the node. False without memory. */
static bool grow(struct reader *reader, const struct node *node,
		 const struct config_list *list)
{
	const size_t n = *list->n + node->count + 1;
	struct weft_ip *items = realloc(*list->items, n * sizeof(*items));
	if (!items) {
		reader->r = -ENOMEM;
		return false;
	}
	*list->items = items;
	return true;
}

void config_read_ips(struct reader *reader, const struct node *node,
		     const struct config_list *list)
{
	if (!grow(reader, node, list))
		return;
	for (const struct node *member = node->first; member; member = member->next) {
		struct weft_ip ip;
		if (!field_ip(reader, member, list->form, &ip))
			continue;
		(*list->items)[(*list->n)++] = ip;
		if (list->form == IP_HOST_PREFIX)
			ip = net_host(&ip);
		if (list->stakes)
			field_stake(reader, list->stakes,
				    &(struct stake){ .ip = ip, .node = member });
	}
}

void config_read_networks(struct reader *reader, const struct node *node,
			  struct weft_tunnel_networks *networks)
{
	struct stakes stakes = { 0 };
	config_read_ips(reader, node,
			&(struct config_list){ &networks->items, &networks->n, IP_NETWORK,
					       &stakes });
	stakes_check_unique(&stakes, reader->faults, SEVERITY_WARNING, "this network",
			    "take one of the two out");
	stakes_fini(&stakes);
}

/* ---- texts ------------------------------------------------------------------------------- */

bool config_is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return text[0] != '\0' && strlen(text) <= CONFIG_WORD_MAX;
}

const struct node *config_first_text(const struct node *node)
{
	if (!node || node->type == JSON_STRING)
		return node;
	const struct node *text = node->type == JSON_ARRAY ? node->first : NULL;
	return !text || text->type == JSON_STRING ? text : config_next_text(text);
}

const struct node *config_next_text(const struct node *text)
{
	if (text->parent->type != JSON_ARRAY || text->key)
		return NULL;
	do
		text = text->next;
	while (text && text->type != JSON_STRING);
	return text;
}

bool config_is_like_address(const char *text)
{
	struct weft_ip ip;
	return strchr(text, '/') || weft_ip_parse(text, &ip) == 0 ||
	       (strchr(text, '.') && text[strspn(text, "0123456789.")] == '\0');
}

/* Of whom a rule speaks: what is wrong with the text alone. */
static bool check_selector(struct reader *reader, const struct node *node)
{
	const char *text = field_text(node);
	struct weft_ip ip;
	if (!config_is_word(text)) {
		reader_fault(
			reader, SEVERITY_ERROR, node,
			"a tag, a name or a glob over them has 1 to %u bytes, and no "
			"control characters",
			CONFIG_WORD_MAX);
		return false;
	}
	if (config_is_like_address(text))
		return field_ip(reader, node, strchr(text, '/') ? IP_NETWORK : IP_HOST,
				&ip);
	if (strncmp(text, "__", 2) == 0 && strcmp(text, WEFT_TUNNEL_SELF) != 0) {
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the server itself is \"" WEFT_TUNNEL_SELF
			     "\", and nothing else begins with \"__\"");
		return false;
	}
	return true;
}

/* What tags are made of, so that no rule can take one for something else. */
static bool check_tag(struct reader *reader, const struct node *node)
{
	const char *text = field_text(node);
	if (config_is_word(text) && !glob_is_glob(text) &&
	    !config_is_like_address(text) && strncmp(text, "__", 2) != 0)
		return true;
	reader_fault(reader, SEVERITY_ERROR, node,
		     "a tag has 1 to %u bytes, no control characters, no \"*\", \"?\" or "
		     "\"/\"; it does not begin with \"__\" and is no address",
		     CONFIG_WORD_MAX);
	return false;
}

/* ---- lists of texts ---------------------------------------------------------------------- */

struct texts {
	char **items;
	size_t n;
	bool (*check)(struct reader *reader, const struct node *node);
	const char *want;
	struct stakes stakes;
};

static void add_text(struct reader *reader, const struct node *node, struct texts *texts)
{
	if (node->is_bad)
		return;
	if (node->type != JSON_STRING) {
		field_is_not(reader, node, JSON_STRING, texts->want);
		return;
	}
	if (!texts->check(reader, node))
		return;
	field_stake(reader, &texts->stakes,
		    &(struct stake){ .text = field_text(node), .node = node });
	field_copy(reader, node, &texts->items[texts->n]);
	texts->n += texts->items[texts->n] != NULL;
}

/* Reads one text, or the members of an array. */
static void read_texts(struct reader *reader, const struct node *node,
		       struct texts *texts)
{
	texts->items = calloc(node->count + 1, sizeof(*texts->items));
	if (!texts->items) {
		reader->r = -ENOMEM;
		return;
	}
	if (node->type != JSON_ARRAY)
		add_text(reader, node, texts);
	for (const struct node *member = node->first; node->type == JSON_ARRAY && member;
	     member = member->next)
		add_text(reader, member, texts);
	stakes_check_unique(&texts->stakes, reader->faults, SEVERITY_WARNING, "this text",
			    "take one of the two out");
	stakes_fini(&texts->stakes);
}

void config_read_selectors(struct reader *reader, const struct node *node,
			   struct weft_tunnel_selectors *selectors)
{
	struct texts texts = { .check = check_selector,
			       .want = "a tag, a name, a network, or an array of them" };
	if (node->type == JSON_ARRAY && node->count == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "this names nobody; every client is \"*\", the server "
			     "itself \"" WEFT_TUNNEL_SELF
			     "\", and every address \"0.0.0.0/0\" or \"::/0\"");
	read_texts(reader, node, &texts);
	selectors->items = texts.items;
	selectors->n = texts.n;
}

void config_read_tags(struct reader *reader, const struct node *node, void *object)
{
	struct weft_tunnel_client *client = object;
	struct texts texts = { .check = check_tag, .want = "a text" };
	read_texts(reader, node, &texts);
	client->tags = texts.items;
	client->tags_n = texts.n;
}

/* ---- paths ------------------------------------------------------------------------------- */

void config_read_path(struct reader *reader, const struct node *node, char **path)
{
	const char *text = field_text(node);
	bool is_odd = text[0] == '\0';
	for (const char *c = text; *c; c++)
		is_odd |= (unsigned char)*c < ' ' || *c == 0x7f;
	if (is_odd)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the path of a file is not empty and has no control "
			     "characters");
	else if (strncmp(text, "-----BEGIN", 10) == 0)
		reader_fault(reader, SEVERITY_ERROR, node,
			     "the path of a file belongs here, and this is what stands "
			     "in one");
	else
		field_copy(reader, node, path);
}
