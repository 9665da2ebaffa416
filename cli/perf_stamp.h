/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a record of `kloop perf` carries through the producer, in its user pointer: when it was
 * sent, how much later than intended, and whether it belongs to the steady state. So no record
 * needs memory of its own, and neighbours that were sent at one reading of the clock have equal
 * pointers.
 *
 *     63       62       61 ... 38            37 ... 0
 *     steady   coarse   lag                  sent
 *
 * Both in microseconds, sent since the start of the run (76 hours of them; a longer run wraps, and
 * so does the difference to now). A lag above 16 s is kept in units of 1024.
 */
#ifndef KL_CLI_PERF_STAMP_H
#define KL_CLI_PERF_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define KL_STAMP_SENT_BITS 38
#define KL_STAMP_LAG_BITS  24
#define KL_STAMP_SENT_MAX  ((UINT64_C(1) << KL_STAMP_SENT_BITS) - 1)
#define KL_STAMP_LAG_MAX   ((UINT64_C(1) << KL_STAMP_LAG_BITS) - 1)

_Static_assert(sizeof(void *) == 8, "a stamp has 64 bits");

static inline void *kl_stamp_make(uint64_t sent_us, uint64_t lag_us, bool steady)
{
    uint64_t coarse = lag_us > KL_STAMP_LAG_MAX;
    if (coarse)
        lag_us >>= 10;
    if (lag_us > KL_STAMP_LAG_MAX)
        lag_us = KL_STAMP_LAG_MAX;
    return (void *)(uintptr_t)((uint64_t)steady << 63 | coarse << 62 |
                               lag_us << KL_STAMP_SENT_BITS | (sent_us & KL_STAMP_SENT_MAX));
}

static inline bool kl_stamp_steady(const void *stamp)
{
    return (uint64_t)(uintptr_t)stamp >> 63;
}

/* From the sending until now. */
static inline uint64_t kl_stamp_age_us(const void *stamp, uint64_t now_us)
{
    return (now_us - (uint64_t)(uintptr_t)stamp) & KL_STAMP_SENT_MAX;
}

/* From the intended time of sending until the real one. */
static inline uint64_t kl_stamp_lag_us(const void *stamp)
{
    uint64_t bits = (uint64_t)(uintptr_t)stamp;
    uint64_t lag = bits >> KL_STAMP_SENT_BITS & KL_STAMP_LAG_MAX;
    return bits >> 62 & 1 ? lag << 10 : lag;
}

#endif
