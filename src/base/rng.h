/* SPDX-License-Identifier: MIT */
/*
 * A small seeded generator (xoshiro256++) for simulation and jitter: the same seed gives the
 * same run on every machine. Not for secrets; those come from libsodium.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state[4];
};

/** Starts the sequence that belongs to seed; any seed is good, 0 as well. */
void rng_init(struct rng *rng, uint64_t seed);

/** 64 random bits. */
uint64_t rng_u64(struct rng *rng);

/** Uniform in 0 .. n-1; n must not be 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);

/** Uniform in [0, 1), in steps of 2^-53. */
double rng_double(struct rng *rng);

#endif
