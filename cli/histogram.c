/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of equal width within a power of two. See histogram.h.
 *
 *     value      0 ... 255   256 ... 511   512 ... 1023   ...
 *     slot       0 ... 255   256 ... 383   384 ... 511
 *     width          1            2             4
 */
#include "cli/histogram.h"

#define HALF    ((uint64_t)1 << KL_HISTOGRAM_HALF_BITS)
#define TOP     (((uint64_t)1 << KL_HISTOGRAM_TOP_BITS) - 1)
#define MILLION 1000000u

static unsigned shift_of(uint64_t value)
{
    unsigned bits = 63u - (unsigned)__builtin_clzll(value | 1);
    return bits > KL_HISTOGRAM_HALF_BITS ? bits - KL_HISTOGRAM_HALF_BITS : 0;
}

static uint64_t slot_of(uint64_t value)
{
    unsigned shift = shift_of(value);
    return shift * HALF + (value >> shift);
}

uint64_t kl_histogram_top_of(uint64_t slot)
{
    if (slot < 2 * HALF)
        return slot;
    unsigned shift = (unsigned)(slot / HALF) - 1;
    return ((slot % HALF + HALF + 1) << shift) - 1;
}

void kl_histogram_add(kl_histogram *h, uint64_t value, uint64_t n)
{
    h->count += n;
    h->sum += value * n;
    if (value > h->max)
        h->max = value;
    h->slots[slot_of(value < TOP ? value : TOP)] += n;
}

uint64_t kl_histogram_at_since(const kl_histogram *h, const kl_histogram *earlier,
                               uint32_t per_million)
{
    uint64_t count = h->count - earlier->count;
    /* count * per_million / million without overflow */
    uint64_t rank = count / MILLION * per_million + count % MILLION * per_million / MILLION;
    uint64_t seen = 0;
    for (uint64_t slot = 0; slot < KL_HISTOGRAM_SLOTS; slot++) {
        seen += h->slots[slot] - earlier->slots[slot];
        if (seen > rank)
            return kl_histogram_top_of(slot) < h->max ? kl_histogram_top_of(slot) : h->max;
    }
    return count ? h->max : 0;
}

uint64_t kl_histogram_at(const kl_histogram *h, uint32_t per_million)
{
    static const kl_histogram nothing;
    return kl_histogram_at_since(h, &nothing, per_million);
}

uint64_t kl_histogram_up_to(const kl_histogram *h, uint64_t top)
{
    uint64_t count = 0;
    if (top >= h->max)
        return h->count;
    for (uint64_t slot = 0; slot < KL_HISTOGRAM_SLOTS && kl_histogram_top_of(slot) <= top; slot++)
        count += h->slots[slot];
    return count;
}
