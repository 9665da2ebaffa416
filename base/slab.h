/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slabs: memory in pieces of a few sizes, cut out of large blocks that go back as a whole.
 *
 *     block  | head | unit | unit | unit | ...      one allocation, up to a megabyte
 *     unit   | piece | piece | piece | ...          64 KiB, all pieces of one kind
 *
 * What comes and goes in bursts must not be scattered between things that stay for years, or the
 * process never becomes smaller again. A unit without pieces in use serves any kind, and a block
 * without units in use is empty: it is kept for a while, or goes to the allocator. What is used
 * most is used first, so that the others become empty.
 *
 * Who owns what: slabs own their blocks; a piece is its taker's until it is put back. Kinds belong
 * to the caller and live as long as the slabs. A piece begins at a multiple of 64 bytes.
 *
 * Fails: kl_slab_get answers NULL when there is no memory. All is O(1).
 */
#ifndef KL_BASE_SLAB_H
#define KL_BASE_SLAB_H

#include "base/list.h"

#include <kloop/types.h>

#include <stdint.h>

#define KL_SLAB_UNIT_BYTES ((size_t)65536)
#define KL_SLAB_ALIGN      ((size_t)64)

typedef struct kl_slabs {
    kloop_allocator alloc;
    uint32_t units_max;  /* in a block */
    kl_list some;        /* blocks with units in use and others that are free */
    kl_list full;        /* all in use */
    kl_list empty;       /* none */
    size_t block_bytes;  /* of one block */
    size_t blocks_bytes; /* of all of them */
    size_t empty_bytes;  /* of those that are empty */
    size_t empty_bytes_max;
} kl_slabs;

/* A kind of pieces. */
typedef struct kl_slab {
    kl_slabs *slabs;
    uint32_t piece_bytes;
    kl_list some; /* units with pieces to give */
} kl_slab;

typedef struct kl_block kl_block;

typedef struct kl_unit {
    kl_slab *kind;
    kl_block *block;
    void *idle;     /* pieces that came back, each with a pointer to the next */
    uint8_t *fresh; /* those from here on were not given out yet: */
    uint32_t fresh_count;
    uint32_t used; /* pieces that are given out */
    kl_link in_some;
} kl_unit;

/* More empty blocks than empty_bytes_max are never kept; about so much memory will be used at most,
 * for which blocks of a size that fits are chosen. */
void kl_slabs_init(kl_slabs *s, const kloop_allocator *alloc, size_t empty_bytes_max);
/* All pieces must be back. */
void kl_slabs_deinit(kl_slabs *s);
/* Gives empty blocks back to the allocator, as long as keep_bytes stay. */
void kl_slabs_trim(kl_slabs *s, size_t keep_bytes);

/* piece_bytes is a multiple of KL_SLAB_ALIGN, and a unit's at most. */
void kl_slab_init(kl_slab *kind, kl_slabs *s, size_t piece_bytes);
/* *unit is what the piece goes back to. Its bytes are anything. */
void *kl_slab_get(kl_slab *kind, kl_unit **unit);
void kl_slab_put(kl_unit *unit, void *piece);

#endif
