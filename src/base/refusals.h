/* SPDX-License-Identifier: MIT */
/*
 * Which of those who are refused are told one by one: somebody who has many addresses can show
 * thousands of wrong tokens or keys, and would fill a disk with what is said of them. The rest of
 * a minute is told by its number.
 */
#ifndef BASE_REFUSALS_H
#define BASE_REFUSALS_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/** Told one by one in a minute, which begins with the first. */
#define REFUSALS_TOLD      10u
#define REFUSALS_MINUTE_NS (60 * NS_PER_S)

/** Zero is nothing yet. */
struct refusals {
	uint64_t since;
	unsigned told;
	uint64_t rest;
};

/** One more. Whether it is to be told. */
bool refusals_tell(struct refusals *r, uint64_t now);

/** Once the minute is over: how many were not told in it. 0 before, and after it was asked. */
uint64_t refusals_rest(struct refusals *r, uint64_t now);

#endif
