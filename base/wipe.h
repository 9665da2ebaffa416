/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For bytes that are secret: forgetting them, and comparing them without telling by the time it
 * takes where they differ. Nothing is owned, nothing can fail.
 */
#ifndef KL_BASE_WIPE_H
#define KL_BASE_WIPE_H

#include "base/mem.h"

#include <string.h>

/* Zeroes, also where the compiler sees that nobody reads it any more: it must suppose that the asm
 * does. p may be NULL when size is 0. */
static inline void kl_wipe(void *p, size_t size)
{
    if (size == 0)
        return;
    memset(p, 0, size);
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* kl_wipe, then kl_mem_release. p may be NULL. */
void kl_wipe_release(const kloop_allocator *a, void *p, size_t size);

/* The time depends on size alone. */
bool kl_wipe_equal(const void *a, const void *b, size_t size);

#endif
