/* SPDX-License-Identifier: BSD-2-Clause */
/* Large blocks straight from the system. See block_memory.h. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "driver/block_memory.h"

#include "base/mem.h"

#include <string.h>
#include <sys/mman.h>

static void *block_alloc(void *ctx, size_t size)
{
    (void)ctx;
    if (size < KL_BLOCK_MEMORY_MIN)
        return kl_mem_alloc(&kl_mem_libc, size);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void block_release(void *ctx, void *p, size_t size)
{
    (void)ctx;
    if (size < KL_BLOCK_MEMORY_MIN)
        kl_mem_release(&kl_mem_libc, p, size);
    else if (p)
        munmap(p, size);
}

static void *block_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    if (old_size < KL_BLOCK_MEMORY_MIN && size < KL_BLOCK_MEMORY_MIN)
        return kl_mem_resize(&kl_mem_libc, p, old_size, size);
    void *moved = block_alloc(ctx, size);
    if (!moved)
        return NULL;
    if (p)
        memcpy(moved, p, old_size < size ? old_size : size);
    block_release(ctx, p, old_size);
    return moved;
}

const kloop_allocator kl_block_memory = {block_alloc, block_resize, block_release, NULL};
