/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks, units, pieces. See slab.h.
 *
 *     piece  given out <-> idle, or fresh again with all of its unit
 *     unit   free <-> of a kind: among those with pieces to give, or full
 *     block  empty <-> some <-> full
 */
#include "base/slab.h"

#include "base/mem.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
void __asan_poison_memory_region(const volatile void *p, size_t len);
void __asan_unpoison_memory_region(const volatile void *p, size_t len);
#define HIDE(p, len) __asan_poison_memory_region((p), (len))
#define SHOW(p, len) __asan_unpoison_memory_region((p), (len))
#else
#define HIDE(p, len) ((void)(p), (void)(len))
#define SHOW(p, len) ((void)(p), (void)(len))
#endif

#define UNITS_MIN 2
#define UNITS_MAX 16
/* Blocks are so small a part of what may be used. */
#define PARTS 8

struct kl_block {
    kl_slabs *slabs;
    kl_link in_blocks;
    void *memory;  /* of the block, before it was aligned */
    uint8_t *base; /* of its first unit */
    uint32_t free; /* a bit for each unit */
    kl_unit units[];
};

static size_t head_bytes(uint32_t units)
{
    size_t bytes = sizeof(kl_block) + units * sizeof(kl_unit);
    return (bytes + KL_SLAB_ALIGN - 1) / KL_SLAB_ALIGN * KL_SLAB_ALIGN;
}

static uint32_t all_free(const kl_slabs *s)
{
    return (UINT32_C(1) << s->units_max) - 1;
}

void kl_slabs_init(kl_slabs *s, const kloop_allocator *alloc, size_t empty_bytes_max)
{
    size_t units = empty_bytes_max / PARTS / KL_SLAB_UNIT_BYTES;
    *s = (kl_slabs){.alloc = *alloc, .empty_bytes_max = empty_bytes_max};
    s->units_max = units < UNITS_MIN ? UNITS_MIN : units > UNITS_MAX ? UNITS_MAX : (uint32_t)units;
    s->block_bytes = KL_SLAB_ALIGN + head_bytes(s->units_max) + s->units_max * KL_SLAB_UNIT_BYTES;
    kl_list_init(&s->some);
    kl_list_init(&s->full);
    kl_list_init(&s->empty);
}

/* ---- Blocks ---- */

static void del_block(kl_slabs *s, kl_block *block)
{
    kl_list_remove(&block->in_blocks);
    s->blocks_bytes -= s->block_bytes;
    s->empty_bytes -= s->block_bytes;
    void *memory = block->memory;
    SHOW(memory, s->block_bytes);
    kl_mem_release(&s->alloc, memory, s->block_bytes);
}

static kl_block *new_block(kl_slabs *s)
{
    uint8_t *memory = kl_mem_alloc(&s->alloc, s->block_bytes);
    if (!memory)
        return NULL;
    size_t off = (uintptr_t)memory % KL_SLAB_ALIGN;
    kl_block *block = (kl_block *)(void *)(memory + (off ? KL_SLAB_ALIGN - off : 0));
    *block = (kl_block){.slabs = s, .memory = memory, .free = all_free(s)};
    block->base = (uint8_t *)block + head_bytes(s->units_max);
    for (uint32_t i = 0; i < s->units_max; i++)
        block->units[i] = (kl_unit){.block = block};
    HIDE(block->base, s->units_max * KL_SLAB_UNIT_BYTES);
    s->blocks_bytes += s->block_bytes;
    s->empty_bytes += s->block_bytes;
    kl_list_push_back(&s->empty, &block->in_blocks);
    return block;
}

void kl_slabs_trim(kl_slabs *s, size_t keep_bytes)
{
    kl_link *at;
    while ((at = kl_list_last(&s->empty)) &&
           (keep_bytes == 0 || s->empty_bytes - s->block_bytes >= keep_bytes))
        del_block(s, KL_CONTAINER_OF(at, kl_block, in_blocks));
}

void kl_slabs_deinit(kl_slabs *s)
{
    KL_ASSERT(kl_list_is_empty(&s->some) && kl_list_is_empty(&s->full));
    kl_slabs_trim(s, 0);
}

/* ---- Units ---- */

/* A free one; it is in the list of its kind then. */
static kl_unit *take_unit(kl_slab *kind)
{
    kl_slabs *s = kind->slabs;
    kl_link *at = kl_list_first(&s->some);
    if (!at)
        at = kl_list_first(&s->empty);
    kl_block *block = at ? KL_CONTAINER_OF(at, kl_block, in_blocks) : new_block(s);
    if (!block)
        return NULL;
    if (block->free == all_free(s)) {
        s->empty_bytes -= s->block_bytes;
        kl_list_remove(&block->in_blocks);
        kl_list_push_back(&s->some, &block->in_blocks);
    }
    unsigned i = (unsigned)__builtin_ctz(block->free);
    block->free &= block->free - 1;
    if (!block->free) {
        kl_list_remove(&block->in_blocks);
        kl_list_push_back(&s->full, &block->in_blocks);
    }
    kl_unit *unit = &block->units[i];
    unit->kind = kind;
    unit->idle = NULL;
    unit->fresh = block->base + i * KL_SLAB_UNIT_BYTES;
    unit->fresh_count = (uint32_t)(KL_SLAB_UNIT_BYTES / kind->piece_bytes);
    unit->used = 0;
    kl_list_push_back(&kind->some, &unit->in_some);
    return unit;
}

static void free_unit(kl_unit *unit)
{
    kl_block *block = unit->block;
    kl_slabs *s = block->slabs;
    kl_list_drop(&unit->in_some);
    unit->kind = NULL;
    if (!block->free) {
        kl_list_remove(&block->in_blocks);
        kl_list_push_front(&s->some, &block->in_blocks);
    }
    block->free |= UINT32_C(1) << (unit - block->units);
    if (block->free != all_free(s))
        return;
    kl_list_remove(&block->in_blocks);
    kl_list_push_front(&s->empty, &block->in_blocks);
    s->empty_bytes += s->block_bytes;
    if (s->empty_bytes > s->empty_bytes_max && s->empty_bytes > s->block_bytes)
        del_block(s, KL_CONTAINER_OF(kl_list_last(&s->empty), kl_block, in_blocks));
}

/* ---- Pieces ---- */

void kl_slab_init(kl_slab *kind, kl_slabs *s, size_t piece_bytes)
{
    KL_ASSERT(piece_bytes % KL_SLAB_ALIGN == 0 && piece_bytes > 0 &&
              piece_bytes <= KL_SLAB_UNIT_BYTES);
    *kind = (kl_slab){.slabs = s, .piece_bytes = (uint32_t)piece_bytes};
    kl_list_init(&kind->some);
}

void *kl_slab_get(kl_slab *kind, kl_unit **out)
{
    kl_link *at = kl_list_first(&kind->some);
    kl_unit *unit = at ? KL_CONTAINER_OF(at, kl_unit, in_some) : take_unit(kind);
    if (KL_UNLIKELY(!unit))
        return NULL;
    void *piece = unit->idle;
    if (piece) {
        unit->idle = *(void **)piece;
    } else {
        piece = unit->fresh;
        unit->fresh += kind->piece_bytes;
        unit->fresh_count--;
    }
    SHOW(piece, kind->piece_bytes);
    unit->used++;
    if (!unit->idle && unit->fresh_count == 0)
        kl_list_remove(&unit->in_some);
    *out = unit;
    return piece;
}

void kl_slab_put(kl_unit *unit, void *piece)
{
    KL_ASSERT(unit->used > 0);
    if (--unit->used == 0) {
        HIDE(piece, unit->kind->piece_bytes);
        free_unit(unit);
        return;
    }
    *(void **)piece = unit->idle;
    HIDE((uint8_t *)piece + sizeof(void *), unit->kind->piece_bytes - sizeof(void *));
    unit->idle = piece;
    if (!kl_link_is_linked(&unit->in_some))
        kl_list_push_front(&unit->kind->some, &unit->in_some);
}
