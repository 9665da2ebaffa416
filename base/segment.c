/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool and its reference counts. See segment.h for who owns what. */
#include "base/segment.h"

#include "base/check.h"
#include "base/mem.h"

static const uint32_t grade_size[KL_GRADE_COUNT] = {512, 4096, 65536};

size_t kl_grade_size(kl_grade grade)
{
    return grade_size[grade];
}

static uint32_t grade_capacity(kl_grade grade)
{
    return grade_size[grade] - (uint32_t)sizeof(kl_segment);
}

kl_grade kl_grade_for(size_t len)
{
    if (len <= grade_capacity(KL_GRADE_SMALL))
        return KL_GRADE_SMALL;
    if (len <= grade_capacity(KL_GRADE_MEDIUM))
        return KL_GRADE_MEDIUM;
    return KL_GRADE_LARGE;
}

void kl_pool_init(kl_pool *pool, const kloop_allocator *alloc, size_t idle_bytes_max)
{
    *pool = (kl_pool){.alloc = *alloc, .idle_bytes_max = idle_bytes_max};
}

void kl_pool_deinit(kl_pool *pool)
{
    KL_ASSERT(pool->held_bytes == 0);
    kl_pool_trim(pool, 0);
}

void kl_pool_trim(kl_pool *pool, size_t keep_bytes)
{
    /* Large ones first: they give back the most with the fewest calls. */
    for (int grade = KL_GRADE_COUNT - 1; grade >= 0; grade--) {
        while (pool->idle_bytes > keep_bytes && pool->idle[grade]) {
            kl_segment *segment = pool->idle[grade];
            pool->idle[grade] = segment->next;
            pool->idle_bytes -= grade_size[grade];
            kl_mem_release(&pool->alloc, segment, grade_size[grade]);
        }
    }
}

/* Idle segments of other grades must not add to what is given out without end. */
static void make_room(kl_pool *pool, size_t size)
{
    size_t wanted = pool->held_bytes + size;
    size_t keep = wanted < pool->idle_bytes_max ? pool->idle_bytes_max - wanted : 0;
    if (pool->idle_bytes > keep)
        kl_pool_trim(pool, keep);
}

kl_segment *kl_segment_get(kl_pool *pool, kl_grade grade)
{
    kl_segment *segment = pool->idle[grade];
    if (segment) {
        pool->idle[grade] = segment->next;
        pool->idle_bytes -= grade_size[grade];
    } else {
        make_room(pool, grade_size[grade]);
        segment = kl_mem_alloc(&pool->alloc, grade_size[grade]);
        if (!segment)
            return NULL;
        segment->pool = pool;
        segment->capacity = grade_capacity(grade);
        segment->grade = grade;
    }
    segment->next = NULL;
    segment->refs = 1;
    segment->used = 0;
    pool->held_bytes += grade_size[grade];
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
    kl_pool *pool = segment->pool;
    size_t size = grade_size[segment->grade];
    KL_ASSERT(pool->held_bytes >= size);
    pool->held_bytes -= size;
    if (pool->idle_bytes + size > pool->idle_bytes_max) {
        kl_mem_release(&pool->alloc, segment, size);
        return;
    }
    segment->next = pool->idle[segment->grade];
    pool->idle[segment->grade] = segment;
    pool->idle_bytes += size;
}
