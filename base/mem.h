/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory through the allocator table (kloop_allocator in <kloop/types.h>), with sizes that cannot
 * overflow.
 *
 * Every function here answers NULL when there is no memory; nothing else fails. Whoever allocates
 * names the size again when it gives back, so that a counting allocator needs no header of its own.
 */
#ifndef KL_BASE_MEM_H
#define KL_BASE_MEM_H

#include <kloop/types.h>

#include <stdbool.h>

/* malloc, realloc and free of the C library. */
extern const kloop_allocator kl_mem_libc;

static inline void *kl_mem_alloc(const kloop_allocator *a, size_t size)
{
    return a->alloc(a->ctx, size);
}

/* Zeroed; NULL too when count * size does not fit a size_t. */
void *kl_mem_zalloc(const kloop_allocator *a, size_t count, size_t size);

static inline void *kl_mem_resize(const kloop_allocator *a, void *p, size_t old_size, size_t size)
{
    return a->resize(a->ctx, p, old_size, size);
}

/* memset to 0 for a struct of some hundred bytes: the compiler's own way to do that, where it knows
 * the size, takes longer to begin than the C library's to end. */
void kl_mem_zero(void *p, size_t size);

/* p may be NULL. */
static inline void kl_mem_release(const kloop_allocator *a, void *p, size_t size)
{
    if (p)
        a->release(a->ctx, p, size);
}

/* false when a * b or a + b does not fit. */
bool kl_mem_mul(size_t a, size_t b, size_t *product);
bool kl_mem_add(size_t a, size_t b, size_t *sum);

#endif
