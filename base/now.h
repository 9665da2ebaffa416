/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Points in time and spans of it, in nanoseconds of a clock that only goes forward.
 *
 * Nothing here reads a clock: the host tells the time, and everything else is arithmetic on it. The
 * arithmetic saturates, so that a deadline too far away to be written is one that never comes, and
 * not one that is past. Nothing is owned, nothing fails.
 */
#ifndef KL_BASE_NOW_H
#define KL_BASE_NOW_H

#include "base/check.h"

#include <stdint.h>

/* A point in time that does not come; later than every other. */
#define KL_NEVER UINT64_MAX

/* Spans. */
#define KL_US     UINT64_C(1000)
#define KL_MS     UINT64_C(1000000)
#define KL_SECOND UINT64_C(1000000000)

/* ns after at; KL_NEVER when that is too far, or when one of the two is KL_NEVER. */
static inline uint64_t kl_time_add(uint64_t at, uint64_t ns)
{
    return ns > KL_NEVER - at ? KL_NEVER : at + ns;
}

/* The earlier one. */
static inline uint64_t kl_time_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * A span given in milliseconds, as people and protocols give them; KL_NEVER when it does not fit.
 * ms must not be negative: -1 means something else in each place that knows it, and that place has
 * to say what.
 */
static inline uint64_t kl_ms_to_ns(int64_t ms)
{
    KL_ASSERT(ms >= 0);
    return (uint64_t)ms > KL_NEVER / KL_MS ? KL_NEVER : (uint64_t)ms * KL_MS;
}

#endif
