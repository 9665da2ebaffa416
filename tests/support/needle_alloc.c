/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator that looks for secrets; see needle_alloc.h. */
#include "tests/support/needle_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool contains(const uint8_t *hay, size_t len, const uint8_t *needle, size_t needle_len)
{
    for (size_t i = 0; i + needle_len <= len; i++) {
        if (memcmp(hay + i, needle, needle_len) == 0)
            return true;
    }
    return false;
}

int kl_needle_alloc_in(const kl_needle_alloc *n, const void *bytes, size_t len)
{
    for (size_t i = 0; i < n->count; i++) {
        if (contains(bytes, len, n->needles[i].bytes, n->needles[i].len))
            return (int)i + 1;
    }
    return 0;
}

static void look(kl_needle_alloc *n, const void *p, size_t size)
{
    int index = kl_needle_alloc_in(n, p, size);
    n->released++;
    if (index && n->found++ == 0) {
        n->found_size = size;
        n->found_index = (size_t)index - 1;
    }
}

static void *take(void *ctx, size_t size)
{
    kl_needle_alloc *n = ctx;
    void *p = malloc(size);
    if (p) {
        memset(p, 0xa5, size);
        n->live++;
    }
    return p;
}

static void give(void *ctx, void *p, size_t size)
{
    kl_needle_alloc *n = ctx;
    look(n, p, size);
    n->live--;
    free(p);
}

/* Always moves, so that what is left behind is looked at. */
static void *resize(void *ctx, void *p, size_t old_size, size_t size)
{
    void *moved = take(ctx, size);
    if (moved && p) {
        memcpy(moved, p, old_size < size ? old_size : size);
        give(ctx, p, old_size);
    }
    return moved;
}

void kl_needle_alloc_init(kl_needle_alloc *n)
{
    memset(n, 0, sizeof *n);
}

void kl_needle_alloc_add(kl_needle_alloc *n, const void *bytes, size_t len)
{
    if (n->count == KL_NEEDLE_ALLOC_MAX || len < 8)
        abort();
    if (len > sizeof n->needles[0].bytes)
        len = sizeof n->needles[0].bytes;
    memcpy(n->needles[n->count].bytes, bytes, len);
    n->needles[n->count++].len = len;
}

kloop_allocator kl_needle_alloc_table(kl_needle_alloc *n)
{
    return (kloop_allocator){take, resize, give, n};
}

void kl_needle_alloc_check_at(const kl_needle_alloc *n, const char *file, int line)
{
    if (n->found) {
        print_error("secret %zu was left in %zu blocks that were given back, the first of %zu "
                    "bytes\n",
                    n->found_index, n->found, n->found_size);
        _fail(file, line);
    }
    if (n->live) {
        print_error("%zu blocks are left\n", n->live);
        _fail(file, line);
    }
}
