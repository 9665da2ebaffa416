/* SPDX-License-Identifier: BSD-2-Clause */
/* In integers: thousandths instead of a real factor, so that all machines wait equally long. */
#include "core/backoff.h"

#define FACTOR_MIN 800
#define FACTOR_MAX 1200
#define THOUSAND   1000

uint64_t kl_backoff(uint64_t initial_ns, uint64_t max_ns, uint32_t n, kl_prng *p)
{
    if (max_ns <= initial_ns)
        return max_ns;
    uint64_t wait = initial_ns;
    /* Shifting back tells whether bits would fall off. */
    if (n < 64 && wait << n >> n == wait)
        wait <<= n;
    else if (wait > 0)
        wait = max_ns;
    if (wait > max_ns)
        wait = max_ns;
    uint64_t factor = (uint64_t)kl_prng_between(p, FACTOR_MIN, FACTOR_MAX);
    /* In two parts, as the product may not fit. */
    uint64_t whole = wait / THOUSAND;
    if (whole >= UINT64_MAX / FACTOR_MAX)
        return max_ns;
    wait = whole * factor + wait % THOUSAND * factor / THOUSAND;
    return wait < max_ns ? wait : max_ns;
}
