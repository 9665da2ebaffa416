/* SPDX-License-Identifier: BSD-2-Clause */
/* Back-pressure. See budget.h. */
#include "core/budget.h"

#include "core/readiness.h"

/* How long a burst is remembered, and what is never worth giving back. */
#define TRIM_NS    (5 * KL_SECOND)
#define KEEP_BYTES ((size_t)1 << 20)

size_t kl_budget_growth_max(const kl_chain *chain, size_t len)
{
    size_t room = kl_chain_room(chain);
    if (len <= room)
        return 0;
    size_t rest = len - room;
    /* A chain's next segment is as large as what it has by then, or as the piece that comes. Pieces
     * come small first, so each smaller grade may be taken once on the way. */
    size_t held = kl_chain_len(chain) + room;
    size_t expected = rest > held ? rest : held;
    switch (kl_grade_for(expected)) {
    case KL_GRADE_SMALL:
        return 2 * kl_grade_size(KL_GRADE_SMALL);
    case KL_GRADE_MEDIUM:
        return kl_grade_size(KL_GRADE_SMALL) + 2 * kl_grade_size(KL_GRADE_MEDIUM);
    case KL_GRADE_LARGE:
        break;
    }
    size_t block = kl_grade_size(KL_GRADE_LARGE);
    size_t content = block - sizeof(kl_segment);
    return (rest + content - 1) / content * block +
           (held < content ? kl_grade_size(KL_GRADE_SMALL) + 2 * kl_grade_size(KL_GRADE_MEDIUM)
                           : 0);
}

kloop_status kl_budget_admit(kloop_engine *e, size_t bytes)
{
    size_t held = kl_budget_held(e);
    if (held + bytes <= e->set.memory_bytes)
        return KLOOP_OK;
    if (held == 0)
        return KLOOP_TOO_LARGE;
    e->stats.refused_full++;
    if (!e->refused || e->refused_bytes < bytes)
        e->refused_bytes = bytes;
    if (!e->refused) {
        e->refused = true;
        kl_readiness_hurry(e);
    }
    return KLOOP_FULL;
}

void kl_budget_trim(kloop_engine *e)
{
    size_t held = kl_budget_held(e);
    size_t spare = e->held_peak > held ? e->held_peak - held : 0;
    kl_pool_trim(&e->pool, spare > KEEP_BYTES ? spare : KEEP_BYTES);
    e->held_peak = held;
    if (e->pool.idle_bytes > KEEP_BYTES)
        kl_heap_set(&e->timers, &e->trim_timer, kl_time_add(e->now.mono_ns, TRIM_NS));
}

void kl_budget_released(kloop_engine *e)
{
    if (!kl_timer_is_set(&e->trim_timer) && e->pool.idle_bytes > KEEP_BYTES &&
        e->life == KL_LIFE_OPEN)
        kl_heap_set(&e->timers, &e->trim_timer, kl_time_add(e->now.mono_ns, TRIM_NS));
    if (!e->refused || e->writable_due)
        return;
    size_t held = kl_budget_held(e);
    size_t room = held < e->set.memory_bytes ? e->set.memory_bytes - held : 0;
    size_t low_water = e->set.memory_bytes / 8;
    size_t wanted = e->refused_bytes > low_water ? e->refused_bytes : low_water;
    if (held == 0 || room >= wanted) {
        e->refused = false;
        e->refused_bytes = 0;
        e->writable_due = true;
#ifdef KL_PLANT_WRITABLE_LOST
        e->writable_due = e->stats.refused_full % 2 == 0;
#endif
    }
}
