/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments: reference-counted pieces of memory in grades, from a pool (slab.h).
 *
 * A partition that holds one small record must not cost a big segment, and a partition that fills
 * must not cost a thousand small ones; hence grades from 128 B to 64 KiB. A segment's size counts
 * its header, so that a budget can count what is really held.
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

#include "base/slab.h"

typedef enum kl_grade {
    KL_GRADE_TINY,   /* 128 B */
    KL_GRADE_LITTLE, /* 256 B */
    KL_GRADE_SMALL,  /* 512 B */
    KL_GRADE_MEDIUM, /* 4 KiB */
    KL_GRADE_BIG,    /* 16 KiB */
    KL_GRADE_LARGE,  /* 64 KiB */
} kl_grade;

#define KL_GRADE_COUNT 6

typedef struct kl_segment kl_segment;
typedef struct kl_pool kl_pool;

struct kl_segment {
    kl_segment *next; /* in its chain */
    kl_pool *pool;    /* that counts it */
    kl_unit *unit;
    uint32_t refs;
    uint32_t used; /* bytes that hold data; for a chain's last segment the chain knows better */
    uint8_t bytes[];
};

/* The whole of it, header included. */
static inline uint32_t kl_segment_size(const kl_segment *segment)
{
    return segment->unit->kind->piece_bytes;
}

/* Bytes that it has room for. */
static inline uint32_t kl_segment_capacity(const kl_segment *segment)
{
    return kl_segment_size(segment) - (uint32_t)sizeof(kl_segment);
}

struct kl_pool {
    kl_pool *parent; /* NULL, or the one that has the memory and counts what is held as well */
    kl_slabs slabs;
    kl_slab grades[KL_GRADE_COUNT];
    size_t held_bytes; /* given out, headers included; and what is held elsewhere in its name */
    /* Held bytes have sunk since somebody has looked, here or, for the parent, in these. */
    bool sunk;
    kl_list sunk_children;
    kl_link in_sunk;
    /* Loans that are due to their lenders: a ring, its last segment, and how much of the first was
     * taken. */
    kl_segment *returned;
    uint32_t returned_at;
};

/* A whole segment, header included. */
size_t kl_grade_size(kl_grade grade);
/* The smallest grade whose room holds len bytes, or the largest grade. */
kl_grade kl_grade_for(size_t len);

/* No more than idle_bytes_max is kept for later; about as much will be held at most. The pool must
 * stay where it is. */
void kl_pool_init(kl_pool *pool, const kloop_allocator *alloc, size_t idle_bytes_max);
/* One that has nothing of its own and counts what was taken through it, of a parent that has no
 * parent itself and outlives it. Nothing is to be given back but its segments. */
void kl_pool_init_child(kl_pool *pool, kl_pool *parent);
/* All segments must be back. */
void kl_pool_deinit(kl_pool *pool);
/* Memory in which nothing is held, and which could go back to the allocator. */
static inline size_t kl_pool_idle_bytes(const kl_pool *pool)
{
    return pool->slabs.empty_bytes;
}
/* Gives it back, as long as keep_bytes stay. */
static inline void kl_pool_trim(kl_pool *pool, size_t keep_bytes)
{
    kl_slabs_trim(&pool->slabs, keep_bytes);
}

/* So many bytes more count as held, whosoever they are, or not any more. All that is given back
 * goes through the second, which leaves the mark that they have sunk; 0 leaves nothing but that. */
void kl_pool_hold(kl_pool *pool, size_t bytes);
void kl_pool_unhold(kl_pool *pool, size_t bytes);
/* The next child with that mark, which is taken from it; NULL: none. */
kl_pool *kl_pool_take_sunk(kl_pool *parent);

/* The pool that a segment's memory comes from. */
static inline kl_pool *kl_pool_root(kl_pool *pool)
{
    return pool->parent ? pool->parent : pool;
}

kl_segment *kl_segment_get(kl_pool *pool, kl_grade grade);
void kl_segment_pin(kl_segment *segment);
void kl_segment_unpin(kl_segment *segment);

#endif
