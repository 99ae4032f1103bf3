/* SPDX-License-Identifier: MIT */
/*
 * The tree of a document: what is asked of its nodes, and how they are named to a person.
 */
#include "base/fmt.h"
#include "config/document.h"

#include <stdlib.h>
#include <string.h>

void document_free(struct node *root)
{
	while (root) {
		struct node *next = root->next;
		document_free(root->first);
		json_decref(root->scalar);
		free(root->key);
		free(root);
		root = next;
	}
}

const struct node *node_get(const struct node *object, const char *key)
{
	for (const struct node *member = object->first; member; member = member->next)
		if (member->key && strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

const char *node_path(const struct node *node, char buf[NODE_PATH_LEN])
{
	const struct node *chain[DOCUMENT_DEPTH_MAX + 2];
	size_t n = 0;
	for (; node && node->parent; node = node->parent)
		chain[n++] = node;
	struct fmt f;
	char key[NODE_QUOTE_LEN];
	fmt_init(&f, buf, NODE_PATH_LEN);
	while (n-- > 0) {
		if (chain[n]->key)
			fmt_add(&f, ".%s",
				node_quote(chain[n]->key, strlen(chain[n]->key), key));
		else
			fmt_add(&f, "[%zu]", chain[n]->index);
	}
	return fmt_text(&f);
}

const char *node_quote(const char *text, size_t len, char buf[NODE_QUOTE_LEN])
{
	static const char dots[] = "...";
	const size_t room = NODE_QUOTE_LEN - sizeof(dots);
	size_t n = len < room ? len : room;
	while (n > 0 && n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--; /* No half characters. */
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)text[i];
		buf[i] = text[i];
		if (c < 0x20 || c == 0x7f)
			buf[i] = '?';
	}
	memcpy(buf + n, n < len ? dots : "", n < len ? sizeof(dots) : 1);
	return buf;
}
