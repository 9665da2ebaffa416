/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often which value was seen, in fixed memory: exact below 256, within 0.8 % above, up to 2^40
 * and everything beyond counted there. Count, sum and maximum are exact.
 *
 * A plain value, all zero at first; nothing is owned, nothing fails.
 */
#ifndef KL_CLI_HISTOGRAM_H
#define KL_CLI_HISTOGRAM_H

#include <stdint.h>

#define KL_HISTOGRAM_HALF_BITS 7 /* each power of two is cut into 2^7 parts */
#define KL_HISTOGRAM_TOP_BITS  40
#define KL_HISTOGRAM_SLOTS     ((KL_HISTOGRAM_TOP_BITS - KL_HISTOGRAM_HALF_BITS + 1) << 7)

typedef struct kl_histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint64_t slots[KL_HISTOGRAM_SLOTS];
} kl_histogram;

/* value, seen n times. */
void kl_histogram_add(kl_histogram *h, uint64_t value, uint64_t n);

/* The value below which the part per_million of all lie; 0 when there is none. Never above max. */
uint64_t kl_histogram_at(const kl_histogram *h, uint32_t per_million);

/* The same of what h has seen since it was like earlier. */
uint64_t kl_histogram_at_since(const kl_histogram *h, const kl_histogram *earlier,
                               uint32_t per_million);

/* The largest value that is counted in this slot. */
uint64_t kl_histogram_top_of(uint64_t slot);

/* How many values are not above top, as exactly as the slots tell: never more. */
uint64_t kl_histogram_up_to(const kl_histogram *h, uint64_t top);

#endif
