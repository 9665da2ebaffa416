/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for libraries that give a block back without naming its size: a header in front of the
 * block remembers it.
 *
 * zlib and libzstd take two function pointers and a context; the context is our allocator table,
 * which must stay where it is as long as the library holds a block. Fails: NULL when there is no
 * memory.
 */
#ifndef KL_CODECS_LIB_ALLOC_H
#define KL_CODECS_LIB_ALLOC_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

typedef union kl_lib_block {
    size_t size; /* header included */
    max_align_t align;
} kl_lib_block;

static inline void *kl_lib_alloc(const kloop_allocator *a, size_t size)
{
    size_t whole;
    if (!kl_mem_add(size, sizeof(kl_lib_block), &whole))
        return NULL;
    kl_lib_block *block = kl_mem_alloc(a, whole);
    if (!block)
        return NULL;
    block->size = whole;
    return block + 1;
}

/* p may be NULL. */
static inline void kl_lib_free(const kloop_allocator *a, void *p)
{
    if (!p)
        return;
    kl_lib_block *block = (kl_lib_block *)p - 1;
    kl_mem_release(a, block, block->size);
}

#endif
