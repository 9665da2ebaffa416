/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers from a seed: the same seed gives the same numbers, on every machine, for ever.
 *
 * Simulations, jitter and choices come from here, so the sequence of each function is part of what
 * it promises: a changed one changes every recorded run. Integers only. Not for secrets: who sees a
 * few numbers can compute the rest.
 *
 * The state is a plain value: a copy of it goes on with the same numbers. Nothing is owned, nothing
 * fails.
 */
#ifndef KL_BASE_PRNG_H
#define KL_BASE_PRNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct kl_prng {
    uint64_t s[4];
} kl_prng;

/* Every seed is a good one, 0 too. */
void kl_prng_init(kl_prng *p, uint64_t seed);

/* Any 64 bits. */
uint64_t kl_prng_next(kl_prng *p);

/* 0 to n - 1, each as likely as the others; n must not be 0. */
uint64_t kl_prng_below(kl_prng *p, uint64_t n);

/* lo to hi, both included, each as likely as the others; lo at most hi. */
int64_t kl_prng_between(kl_prng *p, int64_t lo, int64_t hi);

/*
 * true per_million times in a million, on average; never for 0, always from 1,000,000 on. It draws
 * a number even where the answer is certain, so that a run with a changed chance goes on with the
 * same numbers.
 */
bool kl_prng_chance(kl_prng *p, uint32_t per_million);

/* A generator of its own, whose numbers have nothing to do with those that p goes on to give. Who
 * draws from it does not disturb p. */
kl_prng kl_prng_fork(kl_prng *p);

#endif
