/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values drawn from a fuzzer's input, front to back. When the input is used up every draw is 0, so
 * any input is a complete script and a shorter one a simpler script.
 */
#ifndef KL_FUZZ_DRAWN_H
#define KL_FUZZ_DRAWN_H

#include <kloop/types.h>

#include <stdbool.h>

typedef struct kl_drawn {
    const uint8_t *pos;
    const uint8_t *end;
} kl_drawn;

static inline kl_drawn kl_drawn_from(const uint8_t *data, size_t size)
{
    return (kl_drawn){data, data + size};
}

static inline size_t kl_drawn_left(const kl_drawn *d)
{
    return (size_t)(d->end - d->pos);
}

static inline uint8_t kl_drawn_u8(kl_drawn *d)
{
    return d->pos < d->end ? *d->pos++ : 0;
}

static inline uint16_t kl_drawn_u16(kl_drawn *d)
{
    uint16_t high = kl_drawn_u8(d);
    return (uint16_t)(high << 8 | kl_drawn_u8(d));
}

static inline uint32_t kl_drawn_u32(kl_drawn *d)
{
    uint32_t high = kl_drawn_u16(d);
    return high << 16 | kl_drawn_u16(d);
}

static inline uint64_t kl_drawn_u64(kl_drawn *d)
{
    uint64_t high = kl_drawn_u32(d);
    return high << 32 | kl_drawn_u32(d);
}

/* Below n, which is at most 256. */
static inline unsigned kl_drawn_below(kl_drawn *d, unsigned n)
{
    return kl_drawn_u8(d) % n;
}

/* A view of the next bytes, at most max and at most what is left. */
static inline kloop_slice kl_drawn_bytes(kl_drawn *d, size_t max)
{
    size_t len = kl_drawn_left(d) < max ? kl_drawn_left(d) : max;
    kloop_slice bytes = {d->pos, len};
    d->pos += len;
    return bytes;
}

static inline kloop_slice kl_drawn_rest(kl_drawn *d)
{
    return kl_drawn_bytes(d, kl_drawn_left(d));
}

/* A number of up to 64 bits that is often small, often at a border of its width, and sometimes
 * anything. */
int64_t kl_drawn_number(kl_drawn *d, unsigned bits);

/*
 * Cuts bytes into at most max slices (max > 0) at drawn places; some slices are empty. Answers how
 * many there are.
 */
size_t kl_drawn_cuts(kl_drawn *d, kloop_slice bytes, kloop_slice *slices, size_t max);

#endif
