/* SPDX-License-Identifier: BSD-2-Clause */
/* The libc allocator and checked arithmetic on sizes. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *libc_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void *libc_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    (void)ctx;
    (void)old_size;
    return realloc(p, size);
}

static void libc_release(void *ctx, void *p, size_t size)
{
    (void)ctx;
    (void)size;
    free(p);
}

const kloop_allocator kl_mem_libc = {libc_alloc, libc_resize, libc_release, NULL};

bool kl_mem_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

bool kl_mem_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

void kl_mem_zero(void *p, size_t size)
{
    memset(p, 0, size);
}

void *kl_mem_zalloc(const kloop_allocator *a, size_t count, size_t size)
{
    size_t bytes;
    if (!kl_mem_mul(count, size, &bytes))
        return NULL;
    void *p = kl_mem_alloc(a, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}
