/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator that counts: what is alive, the most that ever was, how often it was asked; and that
 * can refuse one call.
 *
 * Sizes told when memory comes back are taken at their word, so a wrong one shows as a count that
 * does not end at zero. Blocks come from malloc alone, so that the address sanitizer guards them.
 */
#ifndef KL_FUZZ_COUNTED_MEMORY_H
#define KL_FUZZ_COUNTED_MEMORY_H

#include <kloop/types.h>

#include <stdbool.h>

typedef struct kl_counted_memory {
    size_t live_bytes;
    size_t live_blocks;
    size_t peak_bytes; /* a resize counts with its difference, as a host would count it */
    size_t calls;      /* alloc and resize, refused ones too */
    size_t nth;        /* the call that is refused, from 1; 0: none */
    bool all_after;    /* and each one behind it */
    size_t refused;
} kl_counted_memory;

void kl_counted_memory_init(kl_counted_memory *m, size_t nth);
/* *m must stay where it is as long as the table is used. */
kloop_allocator kl_counted_memory_table(kl_counted_memory *m);
/* Everything must be back. */
void kl_counted_memory_end(const kl_counted_memory *m);

#endif
