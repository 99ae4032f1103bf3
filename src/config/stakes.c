/* SPDX-License-Identifier: MIT */
/*
 * In order of address, then of prefix, a network stands in front of all that lie in it, and
 * those that hold the present one form a chain:
 *
 *     10.0.0.0/8  10.1.0.0/16  10.1.2.0/24  10.7.0.0/16
 *      |           |            `-- inside 10.1.0.0/16, inside 10.0.0.0/8
 *      |           `-- inside 10.0.0.0/8        `-- the chain is cut back to 10.0.0.0/8
 *
 * so that the last one of the chain that holds it is the one to be told of.
 */
#include "config/stakes.h"

#include "base/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Networks in each other: one for each length of prefix. */
#define CHAIN_MAX 129u

void stakes_clear(struct stakes *stakes)
{
	stakes->n = 0;
}

void stakes_fini(struct stakes *stakes)
{
	free(stakes->items);
	*stakes = (struct stakes){ 0 };
}

int stakes_add(struct stakes *stakes, const struct stake *stake)
{
	if (stakes->n == stakes->room) {
		size_t room = stakes->room ? 2 * stakes->room : 16;
		struct stake *items = realloc(stakes->items, room * sizeof(*items));
		if (!items)
			return -ENOMEM;
		stakes->items = items;
		stakes->room = room;
	}
	stakes->items[stakes->n++] = *stake;
	return 0;
}

/* Which of two stakes is the smaller; 0 if they are for the same. */
static int compare(const struct stake *a, const struct stake *b)
{
	int r = strcmp(a->text ? a->text : "", b->text ? b->text : "");
	if (r == 0)
		r = (a->number > b->number) - (a->number < b->number);
	if (r == 0)
		r = a->ip.family - b->ip.family;
	if (r == 0)
		r = memcmp(a->ip.octet, b->ip.octet, sizeof(a->ip.octet));
	return r != 0 ? r : a->ip.prefix - b->ip.prefix;
}

static int compare_items(const void *a, const void *b)
{
	const struct stake *first = a, *second = b;
	int r = compare(first, second);
	return r != 0 ? r : place_compare(first->node->at, second->node->at);
}

void stakes_sort(struct stakes *stakes)
{
	if (stakes->n > 1)
		qsort(stakes->items, stakes->n, sizeof(stakes->items[0]), compare_items);
}

static int compare_claims(const void *a, const void *b)
{
	return compare(a, b);
}

const struct stake *stakes_find(const struct stakes *stakes, const struct stake *like)
{
	return stakes->n > 0 ? bsearch(like, stakes->items, stakes->n,
				       sizeof(stakes->items[0]), compare_claims)
			     : NULL;
}

void stakes_check_unique(struct stakes *stakes, struct faults *faults,
			 enum severity severity, const char *what, const char *why)
{
	stakes_sort(stakes);
	for (size_t i = 1, first = 0; i < stakes->n; i++) {
		const struct stake *stake = &stakes->items[i];
		const struct node *node = stakes->items[first].node;
		char path[NODE_PATH_LEN], other[NODE_PATH_LEN];
		if (compare(stake, &stakes->items[first]) != 0) {
			first = i;
			continue;
		}
		faults_add(faults, stake->node->at, severity,
			   node_path(stake->node, path),
			   "%s is also that of %s (line %u); %s", what,
			   node_path(node, other), node->at.line, why);
	}
}

/* One without an address is in front of all others of its port. */
void stakes_check_ports(struct stakes *stakes, struct faults *faults)
{
	stakes_sort(stakes);
	for (size_t i = 1, first = 0; i < stakes->n; i++) {
		const struct stake *stake = &stakes->items[i];
		const struct stake *other = &stakes->items[first];
		char path[NODE_PATH_LEN], other_path[NODE_PATH_LEN];
		if (stake->number != other->number ||
		    (other->ip.family && compare(stake, other) != 0)) {
			first = i;
			continue;
		}
		faults_add(faults, stake->node->at, SEVERITY_ERROR,
			   node_path(stake->node, path),
			   "this port is also that of %s (line %u)%s; each server needs "
			   "its own",
			   node_path(other->node, other_path), other->node->at.line,
			   stake->ip.family && !other->ip.family
				   ? ", which listens at all addresses"
				   : "");
	}
}

/* ---- networks ---------------------------------------------------------------------------- */

/* A network that lies in outer, or is the same. */
static void tell_overlap(struct faults *faults, const struct stake *stake,
			 const struct stake *outer)
{
	char path[NODE_PATH_LEN], other[NODE_PATH_LEN];
	char inner_text[WEFT_IP_TEXT], outer_text[WEFT_IP_TEXT];
	const unsigned line = outer->node->at.line;
	const bool is_same_client =
		stake->node->parent->parent == outer->node->parent->parent;
	(void)node_path(stake->node, path);
	(void)node_path(outer->node, other);
	(void)weft_ip_print(&stake->ip, inner_text);
	(void)weft_ip_print(&outer->ip, outer_text);
	if (compare(stake, outer) == 0)
		faults_add(faults, stake->node->at,
			   is_same_client ? SEVERITY_WARNING : SEVERITY_ERROR, path,
			   "%s is also %s (line %u); %s", inner_text, other, line,
			   is_same_client ? "take one of the two out"
					  : "its packets can go to one client only");
	else if (is_same_client)
		faults_add(faults, stake->node->at, SEVERITY_WARNING, path,
			   "%s is not needed: it lies in %s, %s (line %u) of the same "
			   "client",
			   inner_text, outer_text, other, line);
	else
		faults_add(faults, stake->node->at, SEVERITY_WARNING, path,
			   "%s lies in %s, %s (line %u); the smaller one wins, so that "
			   "client gets only the rest",
			   inner_text, outer_text, other, line);
}

void stakes_check_networks(struct stakes *stakes, struct faults *faults)
{
	const struct stake *chain[CHAIN_MAX];
	size_t n = 0;
	stakes_sort(stakes);
	for (size_t i = 0; i < stakes->n; i++) {
		const struct stake *stake = &stakes->items[i];
		while (n > 0 && !net_contains(&chain[n - 1]->ip, &stake->ip))
			n--;
		const bool is_same = n > 0 && compare(stake, chain[n - 1]) == 0;
		if (n > 0 && (is_same || chain[n - 1]->ip.prefix > 0))
			tell_overlap(faults, stake, chain[n - 1]);
		if (!is_same)
			chain[n++] = stake;
	}
}
