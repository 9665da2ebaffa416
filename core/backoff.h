/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long to wait before trying again: twice as long after each failure, up to a limit, and never
 * quite as long as everybody else.
 *
 *     failures so far    0    1    2    3    4    5
 *     100 to 1000 ms   100  200  400  800 1000 1000   each times 0.8 to 1.2, never more than 1000
 *
 * The factor counts at the limit too (Kafka does the same): clients that lost one broker together
 * must not come back together, however long it takes. The same rule makes the time that a
 * connection may take for its setup. Nothing is owned, nothing fails.
 */
#ifndef KL_CORE_BACKOFF_H
#define KL_CORE_BACKOFF_H

#include "base/now.h"
#include "base/prng.h"

/*
 * n: how often it failed before, 0 for the first wait. Where max_ns is not above initial_ns the
 * answer is max_ns, without a factor, and p is not asked for a number.
 */
uint64_t kl_backoff(uint64_t initial_ns, uint64_t max_ns, uint32_t n, kl_prng *p);

/* The same for what may fail at once, without anybody else: never 0, so that trying again has to
 * wait for a turn of the loop and cannot go round inside one. */
static inline uint64_t kl_backoff_pause(uint64_t initial_ns, uint64_t max_ns, uint32_t n,
                                        kl_prng *p)
{
    uint64_t wait = kl_backoff(initial_ns, max_ns, n, p);
    return wait > 0 ? wait : KL_MS;
}

/* For questions and connections: however short a pause was wished for, what was in vain so often is
 * not tried more than five times in a second. Brokers that refuse everything have enough to do. */
#define KL_BACKOFF_FREE    4
#define KL_BACKOFF_LONG_NS (200 * KL_MS)

static inline uint64_t kl_backoff_in_vain(uint64_t initial_ns, uint64_t max_ns, uint32_t n,
                                          kl_prng *p)
{
    uint64_t wait = kl_backoff_pause(initial_ns, max_ns, n, p);
    return n < KL_BACKOFF_FREE || wait > KL_BACKOFF_LONG_NS ? wait : KL_BACKOFF_LONG_NS;
}

#endif
