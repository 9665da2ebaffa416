/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator is xoshiro256** by Blackman and Vigna, which passes the known batteries of tests;
 * its state is filled by splitmix64, which never leaves it all zero.
 */
#include "base/prng.h"
#include "base/check.h"

#define MILLION 1000000

static uint64_t splitmix(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

void kl_prng_init(kl_prng *p, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        p->s[i] = splitmix(&seed);
}

uint64_t kl_prng_next(kl_prng *p)
{
    uint64_t *s = p->s;
    uint64_t number = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return number;
}

uint64_t kl_prng_below(kl_prng *p, uint64_t n)
{
    KL_ASSERT(n > 0);
    /* 2^64 mod n: without that many of the smallest numbers, the rest is a multiple of n. */
    uint64_t too_many = (UINT64_MAX - n + 1) % n;
    uint64_t number;
    do {
        number = kl_prng_next(p);
    } while (number < too_many);
    return number % n;
}

int64_t kl_prng_between(kl_prng *p, int64_t lo, int64_t hi)
{
    KL_ASSERT(lo <= hi);
    uint64_t span = (uint64_t)hi - (uint64_t)lo;
    uint64_t above = span == UINT64_MAX ? kl_prng_next(p) : kl_prng_below(p, span + 1);
    uint64_t sum = (uint64_t)lo + above;
    /* To the signed number with these bits, without a conversion that compilers may choose. */
    return sum <= INT64_MAX ? (int64_t)sum : -(int64_t)(UINT64_MAX - sum) - 1;
}

bool kl_prng_chance(kl_prng *p, uint32_t per_million)
{
    return kl_prng_below(p, MILLION) < per_million;
}

kl_prng kl_prng_fork(kl_prng *p)
{
    kl_prng child;
    kl_prng_init(&child, kl_prng_next(p));
    return child;
}
