/* SPDX-License-Identifier: MIT */
/*
 * The parts of which the reading of a configuration is made: what both kinds of interface
 * have, a server's, a client's.
 */
#ifndef TUNNEL_CONFIG_H
#define TUNNEL_CONFIG_H

#include "tunnel/fields.h"

#define CONFIG_NAME_WANT "an interface's name of 1 to 15 characters, such as \"tun0\""
/** Of a token as it is: it travels in one line of a header. */
#define CONFIG_TOKEN_MAX 1024u

/** The rows that both kinds of interface have. */
#define CONFIG_COMMON_FIELDS                                                           \
	{ "name", JSON_STRING, true, CONFIG_NAME_WANT, config_read_name },             \
		{ "mark", JSON_OBJECT, false,                                          \
		  "an object: { \"value\": 100, \"table\": 100 }", config_read_mark }, \
	{                                                                              \
		"compat", JSON_TRUE, false, "true or false", config_read_compat        \
	}

/** All of these read into a struct weft_tunnel_interface. */
extern const struct fields config_server_fields, config_client_fields;

void config_read_name(struct reader *reader, const struct node *node, void *object);
void config_read_mark(struct reader *reader, const struct node *node, void *object);
void config_read_compat(struct reader *reader, const struct node *node, void *object);

/**
 * Checks what concerns several fields of a server that was read from node, and forgets what
 * reader keeps of one server.
 */
void config_server_check(struct reader *reader, const struct node *node,
			 const struct weft_tunnel_interface *interface);

#endif
