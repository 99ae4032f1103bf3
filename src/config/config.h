/* SPDX-License-Identifier: MIT */
/*
 * The parts of which the reading of a configuration is made: what both kinds of interface
 * have, a server's, a client's.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/fields.h"

#include <weft/tunnel_config.h>

#define CONFIG_NAME_WANT "an interface's name of 1 to 15 characters, such as \"tun0\""
/** Of a token as it is: it travels in one line of a header. */
#define CONFIG_TOKEN_MAX 1024u
/** Of a client's name, a tag, and what selects them. */
#define CONFIG_WORD_MAX  64u
/** Of an access list, and of the exits: each packet of a new flow is held against them. */
#define CONFIG_RULES_MAX 4096u

/** The rows that both kinds of interface have. */
#define CONFIG_COMMON_FIELDS                                                            \
	{ "name", JSON_STRING, FIELD_REQUIRED, CONFIG_NAME_WANT, config_read_name },    \
		{ "mark", JSON_OBJECT, 0,                                               \
		  "an object: { \"value\": 100, \"table\": 100 }", config_read_mark },  \
		{ "compat", JSON_TRUE, 0, "true or false", config_read_compat },        \
		{ "mode", JSON_STRING, 0, "\"ip\" or \"ethernet\"", config_read_mode }, \
		{ "congestion", JSON_STRING, 0,                                         \
		  "the name of a congestion control, such as \"bbr\"",                  \
		  config_read_congestion },                                             \
	{                                                                               \
		"bridge", JSON_STRING, FIELD_ETHERNET,                                  \
			"the name of a bridge, such as \"br0\"", config_read_bridge     \
	}

/** All of these read into a struct weft_tunnel_interface. */
extern const struct fields config_server_fields, config_client_fields;

void config_read_name(struct reader *reader, const struct node *node, void *object);
void config_read_mark(struct reader *reader, const struct node *node, void *object);
void config_read_compat(struct reader *reader, const struct node *node, void *object);
void config_read_mode(struct reader *reader, const struct node *node, void *object);
void config_read_congestion(struct reader *reader, const struct node *node, void *object);
void config_read_bridge(struct reader *reader, const struct node *node, void *object);
void config_read_acl(struct reader *reader, const struct node *node, void *object);
void config_read_exits(struct reader *reader, const struct node *node, void *object);
void config_read_proxy(struct reader *reader, const struct node *node, void *object);
void config_read_ca(struct reader *reader, const struct node *node, void *object);
void config_read_pin(struct reader *reader, const struct node *node, void *object);
void config_read_family(struct reader *reader, const struct node *node, void *object);
void config_read_headers(struct reader *reader, const struct node *node, void *object);

/** Reads one who may connect to a server. */
void config_read_peer(struct reader *reader, const struct node *node,
		      struct weft_tunnel_client *client);

/** Whether an object is of the form that tapotun's later generation has. */
bool config_is_later(const struct node *node);

/** Says so, and how it is converted. */
void config_tell_later(struct reader *reader, const struct node *node);

/** Notes for the reader what the interface says of itself, whatever the order of its keys. */
void config_begin_interface(struct reader *reader, const struct node *node);

/* ---- lists ------------------------------------------------------------------------------- */

/** Where a list of addresses goes. */
struct config_list {
	struct weft_ip **items; /**< Grows by what is read. */
	size_t *n;
	enum ip_form form;
	struct stakes *stakes; /**< Of whoever has them; NULL for none. */
};

void config_read_ips(struct reader *reader, const struct node *node,
		     const struct config_list *list);

/** Networks of which each stands once. */
void config_read_networks(struct reader *reader, const struct node *node,
			  struct weft_tunnel_networks *networks);

/** One text or several, of those of whom a rule speaks. */
void config_read_selectors(struct reader *reader, const struct node *node,
			   struct weft_tunnel_selectors *selectors);

/** An array of tags. */
void config_read_tags(struct reader *reader, const struct node *node, void *object);

/** The first of the texts that a node is or holds; next the one behind it. NULL at the end. */
const struct node *config_first_text(const struct node *node);
const struct node *config_next_text(const struct node *text);

/** Whether 1 to CONFIG_WORD_MAX bytes without control characters. */
bool config_is_word(const char *text);

/** Whether a text is meant as an address or a network, right or wrong. */
bool config_is_like_address(const char *text);

/** A path in the file system. */
void config_read_path(struct reader *reader, const struct node *node, char **path);

/* ---- a URL ------------------------------------------------------------------------------- */

struct config_url {
	const char *what;           /**< "a tunnel" */
	const char *const *schemes; /**< "http://", ...; ends with NULL. */
	const char *wants;          /**< All of them for a person. */
	const char *scheme;         /**< The likely one of a URL without, */
	const char *plain_scheme;   /**< and of one with a port that is not TLS's. */
	const char *example;
};

/**
 * Reads a URL into *ret_url. What it repeats of one is at most the host, as there may be a
 * password in it.
 */
void config_read_url(struct reader *reader, const struct node *node,
		     const struct config_url *kind, char **ret_url);

/** The host of a good URL, without brackets. */
void config_url_host(const char *url, char *ret_host, size_t len);

/* ---- selectors, once all clients are read ------------------------------------------------ */

/** Whether a selector speaks of a client, by its name or a tag. */
bool config_selects(const char *selector, const struct weft_tunnel_client *client);

/** The first client of whom a selector speaks, or NULL. */
const struct weft_tunnel_client *config_selected(
	const char *selector, const struct weft_tunnel_interface *interface);

/** Whether two networks have addresses in common. */
bool config_overlaps(const struct weft_ip *a, const struct weft_ip *b);

/** Says that no client has the tag or name that a node is, and which may be meant. */
void config_no_client(struct reader *reader, enum severity severity,
		      const struct node *node,
		      const struct weft_tunnel_interface *interface);

/** Warns of a selector that speaks of nobody. */
void config_selector_check(struct reader *reader, const struct node *node,
			   const struct weft_tunnel_interface *interface);

/** Whether those of whom b speaks are all among those of whom a does. */
bool config_selectors_cover(const struct weft_tunnel_selectors *a,
			    const struct weft_tunnel_selectors *b);

/* ---- the whole of a server, and of a client ---------------------------------------------- */

/**
 * Checks what concerns several fields of a server that was read from node, and forgets what
 * reader keeps of one server.
 */
void config_server_check(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface);

/** What an access list says, beside the server's clients and networks. */
void config_acl_check(struct reader *reader, const struct node *node,
		      const struct weft_tunnel_interface *interface);

/** The same of its exits. */
void config_exits_check(struct reader *reader, const struct node *node,
			const struct weft_tunnel_interface *interface);

void config_client_check(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface);

#endif
