/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings of loans. See loan.h. */
#include "base/loan.h"

#include "base/check.h"

#include <string.h>

static uint32_t room_of(const kl_segment *segment)
{
    return kl_segment_capacity(segment) - segment->used;
}

/* One loan is common, and many hundreds in a chain are rare. */
static kl_grade next_grade(const kl_segment *last)
{
    kl_grade grade = kl_grade_for(last ? 2 * (size_t)last->used : 1);
    return grade < KL_GRADE_MEDIUM ? grade : KL_GRADE_MEDIUM;
}

size_t kl_loans_growth_max(const kl_segment *last)
{
    return last && room_of(last) >= sizeof(kl_loan) ? 0 : kl_grade_size(next_grade(last));
}

bool kl_loans_add(kl_pool *pool, kl_segment **last, const kl_loan *loan)
{
    kl_segment *segment = *last;
    if (!segment || room_of(segment) < sizeof *loan) {
        segment = kl_segment_get(pool, next_grade(*last));
        if (!segment)
            return false;
        segment->next = segment;
        if (*last) {
            segment->next = (*last)->next;
            (*last)->next = segment;
        }
        *last = segment;
    }
    kl_loan *to = (kl_loan *)(void *)(segment->bytes + segment->used);
    *to = *loan;
    segment->used += (uint32_t)sizeof *loan;
    return true;
}

void kl_loans_return(kl_pool *pool, kl_segment *last)
{
    pool = kl_pool_root(pool);
    kl_segment *due = pool->returned;
    /* Most rings are short. */
    if (due && last->next == last && room_of(due) >= last->used) {
        memcpy(due->bytes + due->used, last->bytes, last->used);
        due->used += last->used;
        kl_loans_drop(last);
        return;
    }
    if (pool->returned) {
        kl_segment *first = last->next;
        last->next = pool->returned->next;
        pool->returned->next = first;
    }
    pool->returned = last;
}

void kl_loans_drop(kl_segment *last)
{
    if (!last)
        return;
    kl_segment *segment = last->next;
    last->next = NULL;
    while (segment) {
        kl_segment *next = segment->next;
        kl_segment_unpin(segment);
        segment = next;
    }
}

static void drop_first(kl_pool *pool)
{
    kl_segment *first = pool->returned->next;
    if (first == pool->returned)
        pool->returned = NULL;
    else
        pool->returned->next = first->next;
    kl_segment_unpin(first);
    pool->returned_at = 0;
}

size_t kl_loans_take(kl_pool *pool, kl_loan *to, size_t max)
{
    size_t count = 0;
    while (count < max && pool->returned) {
        const kl_segment *first = pool->returned->next;
        if (pool->returned_at == first->used) {
            drop_first(pool);
            continue;
        }
        KL_ASSERT(pool->returned_at < first->used);
        const kl_loan *loan = (const kl_loan *)(const void *)(first->bytes + pool->returned_at);
        pool->returned_at += (uint32_t)sizeof *loan;
        if (loan->front != KL_LOAN_HANDED_ON)
            to[count++] = *loan;
    }
    /* What is empty is given back at once: it counts as held. */
    while (pool->returned && pool->returned_at == pool->returned->next->used)
        drop_first(pool);
    return count;
}

void kl_loans_forget(kl_pool *pool)
{
    kl_loans_drop(pool->returned);
    pool->returned = NULL;
    pool->returned_at = 0;
}
