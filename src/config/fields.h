/* SPDX-License-Identifier: MIT */
/*
 * Objects of a configuration read by tables: each key with the type of its value and who
 * reads it. What is missing, unknown, of another type or somebody else's is found here, for
 * every object in the same words.
 */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include "config/document.h"
#include "config/faults.h"
#include "config/stakes.h"

#include <weft/tunnel_config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the readers of all fields share. */
struct reader {
	struct faults *faults;
	int r; /**< 0 or -ENOMEM. */
	/* Of the interface that is read. */
	bool is_compat;
	bool knows_mode; /**< Else every key is taken as one that means something. */
	enum weft_tunnel_mode mode;
	/* Of all interfaces. */
	struct stakes names, ports, mark_values, mark_tables;
	/* Of the server that is read. */
	struct stakes tokens, addresses, routes, sources, own_routes, client_names;
};

/** What else is to be known of a key. */
enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_ANY_TYPE = 2, /**< Its reader looks at the type. */
	FIELD_IP = 4,       /**< Means something in mode "ip" alone ... */
	FIELD_ETHERNET = 8, /**< ... or in mode "ethernet". */
	FIELD_NEW = 16, /**< The other end has to know it, which the original does not. */
};

struct field {
	const char *name; /**< NULL ends a table. */
	json_type type;   /**< JSON_TRUE stands for JSON_FALSE, too. */
	unsigned flags;   /**< enum field_flags */
	const char *want; /**< What it has to be, as in "it must be ...". */
	void (*read)(struct reader *reader, const struct node *node, void *object);
};

/** The keys of a kind of object. */
struct fields {
	const char *whose; /**< "a server" */
	const struct field *table;
	const struct fields *other; /**< Which it may be taken for; or NULL. */
};

/** How an address is written. */
enum ip_form {
	IP_HOST,        /**< "10.0.0.2" */
	IP_LOCAL,       /**< One of this machine's, such as "127.0.0.1" */
	IP_HOST_PREFIX, /**< "10.0.0.1/24" */
	IP_NETWORK,     /**< "10.0.0.0/24" */
};

/** Adds a fault that stands at the node's value. */
void reader_fault(struct reader *reader, enum severity severity, const struct node *node,
		  const char *format, ...) WEFT_PRINTF(4, 5);

/** Reads the members of a node into object. False if it is no object; that was told. */
bool fields_read(struct reader *reader, const struct node *node,
		 const struct fields *fields, void *object);

/** Reads a number within limits. False if it is not; that was told. */
bool field_number(struct reader *reader, const struct node *node, uint64_t min,
		  uint64_t max, uint64_t *ret_value);

/** Reads an address of a form. False if it is none; that was told. */
bool field_ip(struct reader *reader, const struct node *node, enum ip_form form,
	      struct weft_ip *ret_ip);

/** Says that a node is not what it has to be: "found a number; it must be WANT". */
void field_is_not(struct reader *reader, const struct node *node, json_type type,
		  const char *want);

/** The text of a node that is one. */
const char *field_text(const struct node *node);

/**
 * Reads one of some words, which end with NULL. False if it is none of them; that was told, with
 * the nearest one.
 */
bool field_word(struct reader *reader, const struct node *node, const char *const *words,
		unsigned *ret_index);

/** Keeps a copy of a node's text in place of what is there. */
void field_copy(struct reader *reader, const struct node *node, char **text);

/** Adds a stake, and notes where there is no memory for it. */
void field_stake(struct reader *reader, struct stakes *stakes, const struct stake *stake);

#endif
