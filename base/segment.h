/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments: reference-counted blocks of memory in three grades, from a pool that keeps the idle
 * ones.
 *
 * A partition that holds one small record must not cost a big block, and a partition that fills
 * must not cost a thousand small ones; hence 512 B, 4 KiB and 64 KiB. A block's size counts its
 * header, so that the allocator sees round numbers and a budget can count what is really held.
 *
 * Who owns what: a segment is born with one reference, which belongs to the chain that asked for
 * it. A write that is under way pins it (one more reference) until the bytes are out of our hands.
 * The last reference gives it back to its pool. Bytes that were pinned never change. The pool
 * outlives its segments.
 *
 * Fails: kl_segment_get answers NULL when there is no memory.
 */
#ifndef KL_BASE_SEGMENT_H
#define KL_BASE_SEGMENT_H

#include <kloop/types.h>

typedef enum kl_grade { KL_GRADE_SMALL, KL_GRADE_MEDIUM, KL_GRADE_LARGE } kl_grade;

#define KL_GRADE_COUNT 3

typedef struct kl_segment kl_segment;
typedef struct kl_pool kl_pool;

struct kl_segment {
    kl_segment *next; /* in its chain, or in the pool's list of idle ones */
    kl_pool *pool;
    uint32_t refs;
    uint32_t used; /* bytes that hold data; for a chain's last segment the chain knows better */
    uint32_t capacity;
    kl_grade grade;
    uint8_t bytes[];
};

struct kl_pool {
    kloop_allocator alloc;
    kl_segment *idle[KL_GRADE_COUNT];
    size_t idle_bytes; /* in the lists above, headers included */
    /* What comes back beyond this goes to the allocator at once; and before the allocator is asked,
     * as much as lets idle and given out together stay within it. */
    size_t idle_bytes_max;
    size_t held_bytes; /* given out, headers included */
};

/* The whole block, header included. */
size_t kl_grade_size(kl_grade grade);
/* The smallest grade whose room holds len bytes, or the largest grade. */
kl_grade kl_grade_for(size_t len);

void kl_pool_init(kl_pool *pool, const kloop_allocator *alloc, size_t idle_bytes_max);
/* All segments must be back. */
void kl_pool_deinit(kl_pool *pool);
/* Gives idle segments back to the allocator until at most keep_bytes stay. */
void kl_pool_trim(kl_pool *pool, size_t keep_bytes);

kl_segment *kl_segment_get(kl_pool *pool, kl_grade grade);
void kl_segment_pin(kl_segment *segment);
void kl_segment_unpin(kl_segment *segment);

#endif
