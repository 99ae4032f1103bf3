/* SPDX-License-Identifier: MIT */
/*
 * The number of elements of an array (not of a pointer).
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
