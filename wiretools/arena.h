/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bump allocator: many small pieces that die together. The tools use one for what belongs to one
 * line of input and empty it before the next.
 *
 * The arena owns its chunks; a piece is good until the next kl_arena_reset or kl_arena_deinit and
 * is never given back alone. Chunks grow with the amount in use, so that n bytes in pieces take
 * O(n) time and O(log n) calls up to a megabyte, one call a megabyte beyond. Only memory can fail:
 * NULL, and everything is as it was.
 */
#ifndef KL_WIRETOOLS_ARENA_H
#define KL_WIRETOOLS_ARENA_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct kl_arena_chunk;

typedef struct kl_arena {
    struct kl_arena_chunk *chunks; /* the first one is being filled */
    uint8_t *at;                   /* its free part */
    size_t left;                   /* and how long that is */
    size_t next_size;              /* of the next chunk */
    kloop_allocator alloc;
} kl_arena;

/* Allocates nothing. The table is copied. */
void kl_arena_init(kl_arena *a, const kloop_allocator *alloc);

/* Gives everything back; may be called twice. The arena can be used again afterwards. */
void kl_arena_deinit(kl_arena *a);

/* All pieces are gone; one chunk of at most a megabyte is kept for the next use. */
void kl_arena_reset(kl_arena *a);

/* Aligned for any type, unset. size may be 0. */
void *kl_arena_alloc(kl_arena *a, size_t size);

/* For bytes and text: without alignment, so that small pieces lie side by side. */
void *kl_arena_alloc_bytes(kl_arena *a, size_t size);

/* Zeroed; NULL too when count * size does not fit a size_t. */
void *kl_arena_zalloc(kl_arena *a, size_t count, size_t size);

#endif
