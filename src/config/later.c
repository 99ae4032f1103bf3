/* SPDX-License-Identifier: MIT */
/*
 * tapotun's later generation (7ebc02e) has a file of another form: a network of nodes, of which
 * one is the server itself, and exit nodes. It is not read here, but it is known when it is seen,
 * and each of its keys is told with what stands for it in this form.
 */
#include "config/config.h"

static const struct {
	const char *key, *instead;
} keys[] = {
	{ "network", "write \"net\" instead: the server's own address with the prefix of "
		     "that network, such as \"10.20.0.1/24\"" },
	{ "nodes",
	  "write \"clients\" instead: [ { \"name\": ..., \"token\": ..., \"ip\": "
	  "..., \"routes\": ..., \"tags\": ... } ], one for each node but "
	  "\"__self__\", whose address is that of \"net\"; \"token\" is a hash, see "
	  "`weft tunnel token`" },
	{ "exit_nodes",
	  "write \"exits\" instead: \"from\" and \"via\" mean the same there" },
};

#define KEYS_N (sizeof(keys) / sizeof(keys[0]))

bool config_is_later(const struct node *node)
{
	for (size_t i = 0; i < KEYS_N; i++)
		if (node->type == JSON_OBJECT && node_get(node, keys[i].key))
			return true;
	return false;
}

void config_tell_later(struct reader *reader, const struct node *node)
{
	char path[NODE_PATH_LEN];
	reader_fault(reader, SEVERITY_ERROR, node,
		     "this is for a later tapotun, whose file has another form; how to "
		     "convert it is said at each key, and in docs/tunnel.md");
	for (size_t i = 0; i < KEYS_N; i++) {
		const struct node *member = node_get(node, keys[i].key);
		if (member)
			faults_add(reader->faults, member->key_at, SEVERITY_ERROR,
				   node_path(member, path), "%s", keys[i].instead);
	}
}
