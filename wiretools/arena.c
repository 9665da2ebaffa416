/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bump allocator. A piece that would waste the better part of a chunk gets a chunk of its own,
 * put behind the one being filled, so that the free part of that one is not lost.
 */
#include "wiretools/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

#define FIRST_SIZE   ((size_t)4096)
#define LARGEST_SIZE ((size_t)1 << 20)

typedef struct kl_arena_chunk {
    struct kl_arena_chunk *next;
    size_t size;         /* with this header */
    max_align_t bytes[]; /* so that the first piece is aligned for any type */
} chunk;

void kl_arena_init(kl_arena *a, const kloop_allocator *alloc)
{
    *a = (kl_arena){.next_size = FIRST_SIZE, .alloc = *alloc};
}

static void release_all(kl_arena *a, chunk *but)
{
    for (chunk *c = a->chunks; c;) {
        chunk *next = c->next;
        if (c != but)
            kl_mem_release(&a->alloc, c, c->size);
        c = next;
    }
}

void kl_arena_deinit(kl_arena *a)
{
    release_all(a, NULL);
    kloop_allocator alloc = a->alloc;
    kl_arena_init(a, &alloc);
}

static void fill_from(kl_arena *a, chunk *c)
{
    a->chunks = c;
    a->at = (uint8_t *)c->bytes;
    a->left = c->size - sizeof(chunk);
}

void kl_arena_reset(kl_arena *a)
{
    chunk *keep = NULL;
    for (chunk *c = a->chunks; c; c = c->next)
        if (c->size <= LARGEST_SIZE && (!keep || c->size > keep->size))
            keep = c;
    release_all(a, keep);
    if (!keep) {
        kloop_allocator alloc = a->alloc;
        kl_arena_init(a, &alloc);
        return;
    }
    keep->next = NULL;
    fill_from(a, keep);
}

static chunk *chunk_new(kl_arena *a, size_t size)
{
    chunk *c = kl_mem_alloc(&a->alloc, size);
    if (c)
        *c = (chunk){.size = size};
    return c;
}

/* The piece does not fit what is free. The start of a chunk is aligned for every piece. */
static void *alloc_slow(kl_arena *a, size_t size)
{
    if (size > (size_t)PTRDIFF_MAX - sizeof(chunk))
        return NULL;
    size_t whole = sizeof(chunk) + size;
    bool alone = a->chunks && whole > a->next_size / 4;
    chunk *c = chunk_new(a, alone || whole > a->next_size ? whole : a->next_size);
    if (!c)
        return NULL;
    if (a->next_size < LARGEST_SIZE)
        a->next_size *= 2;
    if (alone) {
        c->next = a->chunks->next;
        a->chunks->next = c;
        return c->bytes;
    }
    c->next = a->chunks;
    fill_from(a, c);
    a->at += size;
    a->left -= size;
    return c->bytes;
}

static void *alloc_aligned(kl_arena *a, size_t size, size_t alignment)
{
    if (size == 0)
        size = 1;
    size_t skip = (size_t)(-(uintptr_t)a->at) & (alignment - 1);
    if (skip > a->left || size > a->left - skip)
        return alloc_slow(a, size);
    void *p = a->at + skip;
    a->at += skip + size;
    a->left -= skip + size;
    return p;
}

void *kl_arena_alloc(kl_arena *a, size_t size)
{
    return alloc_aligned(a, size, alignof(max_align_t));
}

void *kl_arena_alloc_bytes(kl_arena *a, size_t size)
{
    return alloc_aligned(a, size, 1);
}

void *kl_arena_zalloc(kl_arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (!kl_mem_mul(count, size, &bytes))
        return NULL;
    void *p = kl_arena_alloc(a, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}
