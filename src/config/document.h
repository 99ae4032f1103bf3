/* SPDX-License-Identifier: MIT */
/*
 * A JSON text as a tree in which every value and every key knows where it stands in the file.
 * Jansson says where only of mistakes in the syntax, and of the first alone; somebody who
 * mends a configuration wants to see all that is wrong, and where.
 *
 *     [ { "port": 80 } ]
 *     |   |     `-- at of the number, whose scalar jansson has read
 *     |   `-- key_at of the same node
 *     `-- at of the root
 *
 * What people write that is not JSON (comments, commas at the end or missing ones, single
 * quotes, keys without quotes) is reported and passed over, so that one such slip does not
 * hide what else is wrong. With any of them the document is no JSON and the errors say so.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "config/faults.h"

#include <weft/frame.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** Objects and arrays in each other. */
#define DOCUMENT_DEPTH_MAX 32u
/** Keys of one object. */
#define DOCUMENT_KEYS_MAX  256u
/** As in struct weft_tunnel_fault. */
#define NODE_PATH_LEN      96u
/** What node_quote writes at most. */
#define NODE_QUOTE_LEN     48u

/** A value. */
struct node {
	json_type type;
	bool is_bad;    /**< It was reported already, and is null here. */
	json_t *scalar; /**< NULL for arrays and objects. */
	char *key;      /**< In an object, decoded; else NULL. */
	struct place key_at, at;
	size_t index; /**< Among the members of parent, from 0. */
	size_t count; /**< Members of its own. */
	struct node *parent, *first, *last, *next;
};

/**
 * Reads a text, which need not end with NUL. Adds what is wrong to faults. Returns 0 and the
 * tree; -EINVAL if the text is so wrong that nothing can be said of what is in it; or -ENOMEM.
 */
int document_parse(const char *text, size_t len, struct faults *faults,
		   struct node **ret_root) WEFT_MUST_CHECK;

/** Frees a tree. NULL is allowed. */
void document_free(struct node *root);

/** The member of an object that has the key, or NULL. */
const struct node *node_get(const struct node *object, const char *key);

/** Writes the path of a node, such as "[0].clients[2].token", and returns buf. */
const char *node_path(const struct node *node, char buf[NODE_PATH_LEN]);

/**
 * Writes len bytes of text for a message, without the quotes: cut to a length that can be read,
 * and harmless on a terminal. Returns buf.
 */
const char *node_quote(const char *text, size_t len, char buf[NODE_QUOTE_LEN]);

#endif
