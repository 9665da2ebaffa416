/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for one request: taken in pieces, given back all at once.
 *
 * An answer is a tree of structs and arrays that are all needed until it is encoded, and none after
 * that. Pieces never move.
 *
 * The scratch owns its blocks until deinit. Fails: take, with NULL, when there is no memory; what
 * was taken before stays good.
 */
#ifndef KL_BROKER_SCRATCH_H
#define KL_BROKER_SCRATCH_H

#include "base/mem.h"

typedef struct kl_scratch {
    kloop_allocator alloc;
    struct kl_scratch_block *blocks; /* the latest first */
} kl_scratch;

/* Allocates nothing. The table is copied. */
void kl_scratch_init(kl_scratch *s, const kloop_allocator *alloc);
void kl_scratch_deinit(kl_scratch *s);

/* count things of size bytes, zeroed, aligned for any type. count 0 gives a pointer that is not
 * NULL and must not be looked through. */
void *kl_scratch_take(kl_scratch *s, size_t count, size_t size);

/* A copy of the text, not terminated; null stays null. data is NULL too when there was no memory.
 */
kloop_string kl_scratch_string(kl_scratch *s, kloop_string text);

#endif
