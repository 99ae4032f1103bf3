/* SPDX-License-Identifier: MIT */
/*
 * From a member back to the struct it is embedded in: how intrusive lists, heaps and tasks
 * find the object they belong to.
 *
 *     struct conn { int fd; struct heap_node timer; };
 *     struct conn *c = container_of(node, struct conn, timer);
 */
#ifndef BASE_CONTAINER_H
#define BASE_CONTAINER_H

#include <stddef.h>

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/** The same for a pointer to const. */
#define container_of_const(ptr, type, member) \
	((const type *)(const void *)((const char *)(ptr)-offsetof(type, member)))

#endif
