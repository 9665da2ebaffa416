/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The failing, counting allocator. Live blocks stand in an open-addressed table (linear probing,
 * closed up on removal) beside the blocks and not in headers before them, so that the address
 * sanitizer guards both ends of each block. The table itself comes from malloc and counts for
 * nothing.
 */
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct kl_fail_alloc_block {
    void *p; /* NULL: free slot */
    size_t size;
} block;

static size_t home_of(const kl_fail_alloc *f, const void *p)
{
    uint64_t h = (uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 32) & (f->slots - 1);
}

static block *find(kl_fail_alloc *f, const void *p)
{
    if (f->slots == 0)
        return NULL;
    for (size_t i = home_of(f, p);; i = (i + 1) & (f->slots - 1)) {
        if (!f->blocks[i].p)
            return NULL;
        if (f->blocks[i].p == p)
            return &f->blocks[i];
    }
}

static void place(kl_fail_alloc *f, void *p, size_t size)
{
    size_t i = home_of(f, p);
    while (f->blocks[i].p)
        i = (i + 1) & (f->slots - 1);
    f->blocks[i] = (block){p, size};
}

static void insert(kl_fail_alloc *f, void *p, size_t size)
{
    if (f->live_blocks >= f->slots / 2) {
        block *old = f->blocks;
        size_t old_slots = f->slots;
        f->slots = old_slots ? old_slots * 2 : 64;
        f->blocks = calloc(f->slots, sizeof(block));
        if (!f->blocks)
            abort(); /* the machine itself is out of memory: no test can go on */
        for (size_t i = 0; i < old_slots; i++)
            if (old[i].p)
                place(f, old[i].p, old[i].size);
        free(old);
    }
    place(f, p, size);
    f->live_blocks++;
    f->live_bytes += size;
    if (size > f->largest_bytes)
        f->largest_bytes = size;
}

static void note_peak(kl_fail_alloc *f)
{
    if (f->live_bytes > f->peak_bytes)
        f->peak_bytes = f->live_bytes;
}

/* Takes the block out and closes the gap, so that no probe of another block ends too early. */
static void take_out(kl_fail_alloc *f, block *b)
{
    f->live_blocks--;
    f->live_bytes -= b->size;
    size_t gap = (size_t)(b - f->blocks);
    for (size_t i = (gap + 1) & (f->slots - 1); f->blocks[i].p; i = (i + 1) & (f->slots - 1)) {
        size_t home = home_of(f, f->blocks[i].p);
        /* The block at i may move to the gap when its home is not between the gap and i. */
        if (((i - home) & (f->slots - 1)) >= ((i - gap) & (f->slots - 1))) {
            f->blocks[gap] = f->blocks[i];
            gap = i;
        }
    }
    f->blocks[gap] = (block){NULL, 0};
}

/* The first breach is the telling one; the rest often follow from it. */
static void breach(kl_fail_alloc *f, const char *what, size_t told, size_t known)
{
    if (f->fault[0] == '\0')
        snprintf(f->fault, sizeof(f->fault), "%s (told %zu, known %zu, call %zu)", what, told,
                 known, f->calls);
}

static bool refuse(kl_fail_alloc *f)
{
    f->calls++;
    if (f->nth == 0 || f->calls < f->nth || (f->calls > f->nth && !f->all_after))
        return false;
    f->refused++;
    return true;
}

static void *fresh(kl_fail_alloc *f, size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        return NULL;
    memset(p, 0xa5, size);
    insert(f, p, size);
    return p;
}

static void *counted_alloc(void *ctx, size_t size)
{
    kl_fail_alloc *f = ctx;
    if (size == 0)
        breach(f, "an allocation of 0 bytes", 0, 0);
    if (refuse(f))
        return NULL;
    void *p = fresh(f, size);
    note_peak(f);
    return p;
}

static void *counted_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    kl_fail_alloc *f = ctx;
    if (size == 0)
        breach(f, "a resize to 0 bytes", 0, old_size);
    block *b = p ? find(f, p) : NULL;
    if (p && !b) {
        breach(f, "a resize of a block that is not alive", old_size, 0);
        return NULL;
    }
    size_t known = b ? b->size : 0;
    if (known != old_size)
        breach(f, "a resize with a wrong old size", old_size, known);
    if (refuse(f))
        return NULL;
    void *moved = fresh(f, size);
    if (moved && p) {
        memcpy(moved, p, known < size ? known : size);
        take_out(f, find(f, p)); /* looked up again: the table may have grown */
        free(p);
    }
    note_peak(f); /* a resize counts as its difference, as a host would count it */
    return moved;
}

static void counted_release(void *ctx, void *p, size_t size)
{
    kl_fail_alloc *f = ctx;
    block *b = p ? find(f, p) : NULL;
    if (!b) {
        breach(f, "a release of a block that is not alive", size, 0);
        return;
    }
    if (b->size != size)
        breach(f, "a release with a wrong size", size, b->size);
    take_out(f, b);
    free(p);
}

void kl_fail_alloc_init(kl_fail_alloc *f, size_t nth)
{
    *f = (kl_fail_alloc){.nth = nth};
}

kloop_allocator kl_fail_alloc_table(kl_fail_alloc *f)
{
    return (kloop_allocator){counted_alloc, counted_resize, counted_release, f};
}

void kl_fail_alloc_check_at(kl_fail_alloc *f, const char *file, int line)
{
    size_t left = f->live_blocks;
    size_t left_bytes = f->live_bytes;
    for (size_t i = 0; i < f->slots; i++)
        free(f->blocks[i].p);
    free(f->blocks);
    f->blocks = NULL;
    f->slots = 0;
    f->live_blocks = 0;
    f->live_bytes = 0;
    if (left == 0 && f->fault[0] == '\0')
        return;
    if (f->fault[0] != '\0')
        print_error("allocator (failing call %zu): %s\n", f->nth, f->fault);
    if (left > 0)
        print_error("allocator (failing call %zu): %zu blocks, %zu bytes never given back\n",
                    f->nth, left, left_bytes);
    _fail(file, line);
}
