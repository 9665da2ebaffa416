/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool and its reference counts. See segment.h for who owns what. */
#include "base/segment.h"

#include "base/check.h"

static const uint32_t grade_size[KL_GRADE_COUNT] = {128, 256, 512, 4096, 16384, 65536};

size_t kl_grade_size(kl_grade grade)
{
    return grade_size[grade];
}

kl_grade kl_grade_for(size_t len)
{
    kl_grade grade = KL_GRADE_TINY;
    while (grade < KL_GRADE_LARGE && len > grade_size[grade] - sizeof(kl_segment))
        grade++;
    return grade;
}

void kl_pool_init(kl_pool *pool, const kloop_allocator *alloc, size_t idle_bytes_max)
{
    *pool = (kl_pool){.parent = NULL};
    kl_list_init(&pool->sunk_children);
    kl_slabs_init(&pool->slabs, alloc, idle_bytes_max);
    for (kl_grade grade = KL_GRADE_TINY; grade < KL_GRADE_COUNT; grade++)
        kl_slab_init(&pool->grades[grade], &pool->slabs, grade_size[grade]);
}

void kl_pool_init_child(kl_pool *pool, kl_pool *parent)
{
    KL_ASSERT(!parent->parent);
    *pool = (kl_pool){.parent = parent};
}

void kl_pool_deinit(kl_pool *pool)
{
    KL_ASSERT(pool->held_bytes == 0);
    kl_slabs_deinit(&pool->slabs);
}

void kl_pool_hold(kl_pool *pool, size_t bytes)
{
    pool->held_bytes += bytes;
    if (pool->parent)
        pool->parent->held_bytes += bytes;
}

void kl_pool_unhold(kl_pool *pool, size_t bytes)
{
    KL_ASSERT(pool->held_bytes >= bytes);
    pool->held_bytes -= bytes;
    pool->sunk = true;
    kl_pool *parent = pool->parent;
    if (!parent)
        return;
    parent->held_bytes -= bytes;
    parent->sunk = true;
    if (!kl_link_is_linked(&pool->in_sunk))
        kl_list_push_back(&parent->sunk_children, &pool->in_sunk);
}

kl_pool *kl_pool_take_sunk(kl_pool *parent)
{
    kl_link *at = kl_list_pop_front(&parent->sunk_children);
    return at ? KL_CONTAINER_OF(at, kl_pool, in_sunk) : NULL;
}

kl_segment *kl_segment_get(kl_pool *account, kl_grade grade)
{
    kl_unit *unit;
    kl_segment *segment = kl_slab_get(&kl_pool_root(account)->grades[grade], &unit);
    if (!segment)
        return NULL;
    segment->next = NULL;
    segment->pool = account;
    segment->unit = unit;
    segment->refs = 1;
    segment->used = 0;
    kl_pool_hold(account, grade_size[grade]);
    return segment;
}

void kl_segment_pin(kl_segment *segment)
{
    KL_ASSERT(segment->refs > 0 && segment->refs < UINT32_MAX);
    segment->refs++;
}

void kl_segment_unpin(kl_segment *segment)
{
    KL_ASSERT(segment->refs > 0);
    if (--segment->refs > 0)
        return;
    kl_pool_unhold(segment->pool, kl_segment_size(segment));
    kl_slab_put(segment->unit, segment);
}
