/* SPDX-License-Identifier: BSD-2-Clause */
/* Never by realloc(), which would leave a copy where a block lay before. */
#include "cli/wiped_memory.h"

#include "base/wipe.h"

#include <string.h>

static void *take(void *ctx, size_t size)
{
    (void)ctx;
    return kl_mem_alloc(&kl_mem_libc, size);
}

static void wipe(void *ctx, void *p, size_t size)
{
    (void)ctx;
    kl_wipe_release(&kl_mem_libc, p, size);
}

static void *move(void *ctx, void *p, size_t old_size, size_t size)
{
    void *moved = take(ctx, size);
    if (!moved || !p)
        return moved;
    memcpy(moved, p, old_size < size ? old_size : size);
    wipe(ctx, p, old_size);
    return moved;
}

const kloop_allocator kl_wiped_memory = {take, move, wipe, NULL};
