/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of equal width within a power of two. See <kloop/stats.h> for their picture.
 *
 *     value >> shift   is 8 ... 15 for all values from 16 on, and shift says which power of two
 *     slot             shift * 8 + (value >> shift)
 */
#include <kloop/stats.h>

#define PARTS_BITS 3
#define PARTS      (1u << PARTS_BITS)
#define TOP        ((UINT64_C(1) << 28) - 1)
#define MILLION    1000000u

_Static_assert(KLOOP_HISTOGRAM_SLOTS == (28 - PARTS_BITS + 1) * PARTS, "what TOP needs");

static unsigned slot_of(uint64_t value)
{
    if (value > TOP)
        value = TOP;
    unsigned bits = 63u - (unsigned)__builtin_clzll(value | PARTS);
    unsigned shift = bits - PARTS_BITS;
    return shift * PARTS + (unsigned)(value >> shift);
}

uint64_t kloop_histogram_floor(unsigned slot)
{
    if (slot < 2 * PARTS)
        return slot;
    if (slot > KLOOP_HISTOGRAM_SLOTS)
        slot = KLOOP_HISTOGRAM_SLOTS;
    return (uint64_t)(slot % PARTS + PARTS) << (slot / PARTS - 1);
}

void kloop_histogram_add(kloop_histogram *h, uint64_t value, uint64_t n)
{
    h->sum += value * n;
    if (value > h->max)
        h->max = value;
    h->slots[slot_of(value)] += n;
}

uint64_t kloop_histogram_count(const kloop_histogram *h)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++)
        count += h->slots[i];
    return count;
}

uint64_t kloop_histogram_at(const kloop_histogram *h, uint32_t per_million)
{
    uint64_t count = kloop_histogram_count(h);
    /* count * per_million / million without overflow */
    uint64_t rank = count / MILLION * per_million + count % MILLION * per_million / MILLION;
    uint64_t seen = 0;
    if (count == 0)
        return 0;
    for (unsigned i = 0; rank < count && i < KLOOP_HISTOGRAM_SLOTS - 1; i++) {
        seen += h->slots[i];
        uint64_t top = kloop_histogram_floor(i + 1) - 1;
        if (seen > rank)
            return top < h->max ? top : h->max;
    }
    return h->max;
}

void kloop_histogram_merge(kloop_histogram *h, const kloop_histogram *other)
{
    h->sum += other->sum;
    if (h->max < other->max)
        h->max = other->max;
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++)
        h->slots[i] += other->slots[i];
}

void kloop_histogram_subtract(kloop_histogram *h, const kloop_histogram *earlier)
{
    unsigned highest = 0;
    h->sum -= earlier->sum;
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++) {
        h->slots[i] -= earlier->slots[i];
        if (h->slots[i] > 0)
            highest = i;
    }
    uint64_t top = kloop_histogram_floor(highest + 1) - 1;
    /* Of the last slot nobody knows the end. */
    if (highest < KLOOP_HISTOGRAM_SLOTS - 1 && top < h->max)
        h->max = h->slots[highest] > 0 ? top : 0;
}
