/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of growing size, cut into pieces. See scratch.h. */
#include "broker/scratch.h"

#include <stdalign.h>
#include <string.h>

#define FIRST_BLOCK_BYTES 1024
#define BLOCK_BYTES_MAX   65536

typedef struct kl_scratch_block {
    struct kl_scratch_block *next;
    size_t cap; /* of bytes */
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
} block;

void kl_scratch_init(kl_scratch *s, const kloop_allocator *alloc)
{
    *s = (kl_scratch){.alloc = *alloc};
}

void kl_scratch_deinit(kl_scratch *s)
{
    while (s->blocks) {
        block *b = s->blocks;
        s->blocks = b->next;
        kl_mem_release(&s->alloc, b, sizeof *b + b->cap);
    }
}

static block *add_block(kl_scratch *s, size_t wanted)
{
    size_t cap = s->blocks ? s->blocks->cap * 2 : FIRST_BLOCK_BYTES;
    size_t size;
    if (cap > BLOCK_BYTES_MAX)
        cap = BLOCK_BYTES_MAX;
    if (cap < wanted)
        cap = wanted;
    if (!kl_mem_add(sizeof(block), cap, &size))
        return NULL;
    block *b = kl_mem_alloc(&s->alloc, size);
    if (!b)
        return NULL;
    *b = (block){.next = s->blocks, .cap = cap};
    s->blocks = b;
    return b;
}

void *kl_scratch_take(kl_scratch *s, size_t count, size_t size)
{
    size_t bytes;
    if (!kl_mem_mul(count, size, &bytes) || bytes > SIZE_MAX - alignof(max_align_t))
        return NULL;
    bytes = (bytes + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    block *b = s->blocks;
    if (!b || b->cap - b->used < bytes)
        b = add_block(s, bytes);
    if (!b)
        return NULL;
    void *p = b->bytes + b->used;
    b->used += bytes;
    memset(p, 0, bytes);
    return p;
}

kloop_string kl_scratch_string(kl_scratch *s, kloop_string text)
{
    if (!text.data)
        return text;
    char *copy = kl_scratch_take(s, text.len, 1);
    if (!copy)
        return (kloop_string){NULL, 0};
    memcpy(copy, text.data, text.len);
    return (kloop_string){copy, text.len};
}
