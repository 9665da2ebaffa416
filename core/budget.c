/* SPDX-License-Identifier: BSD-2-Clause */
/* Back-pressure. See budget.h. */
#include "core/budget.h"

#include "core/chunk.h"
#include "core/conn.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/topic_share.h"
#include "core/trace_points.h"

/* How long a burst is remembered. */
#define TRIM_NS (5 * KL_SECOND)

size_t kl_budget_growth_max(const kl_chain *chain, size_t len)
{
    size_t room = kl_chain_room(chain);
    if (len <= room)
        return 0;
    size_t rest = len - room;
    /* A chain's next segment is as large as what it has by then, or as the piece that comes; a
     * short one doubles. Pieces come small first, so each smaller grade may be taken once on the
     * way. */
    size_t held = kl_chain_len(chain) + room;
    size_t all = held + rest;
    size_t begun = kl_grade_size(KL_GRADE_SMALL);
    size_t wanted = all < begun ? 2 * all : held > 2 * begun ? held : 2 * begun;
    kl_grade top = kl_grade_for(rest > wanted ? rest : wanted);
    size_t bytes = 0;
    for (kl_grade grade = kl_grade_for(held ? held : 1); grade < top; grade++)
        bytes += kl_grade_size(grade);
    size_t content = kl_grade_size(top) - sizeof(kl_segment);
    if (top < KL_GRADE_LARGE)
        return bytes + (rest > content / 2 ? 2 : 1) * kl_grade_size(top);
    if (held < content)
        bytes += kl_grade_size(KL_GRADE_MEDIUM) + kl_grade_size(KL_GRADE_BIG);
    /* Big ones and large ones come in any order. All but the last are filled, and a large one is
     * taken for more than a big one holds, or by a chain that will become long. */
    size_t big = kl_grade_size(KL_GRADE_BIG);
    size_t big_content = big - sizeof(kl_segment);
    size_t others = rest > big_content ? rest - big_content : 0;
    return bytes + (others + big_content - 1) / big_content * big + kl_grade_size(top);
}

size_t kl_budget_record_growth_max(const kl_batch *b, const kloop_record *r, size_t copied_bytes)
{
    static const kl_chain empty;
    const kl_chain *payload = b ? &b->builder.payload : &empty;
    size_t bytes = kl_budget_growth_max(payload, copied_bytes) +
                   kl_budget_growth_max(b ? &b->users : &empty, sizeof r->user) +
                   (b ? 0 : KL_BATCH_MEMORY_BYTES);
    if (r->set & KLOOP_SET_BORROWED)
        bytes += kl_chain_lend_growth_max(payload) + r->value.len;
    if (r->set & KLOOP_SET_CHUNK)
        bytes += kl_chunk_runs_growth_max(b);
    return bytes;
}

kloop_status kl_budget_admit(kloop_engine *e, kloop_topic *t, size_t bytes)
{
    if (t->share && !kl_topic_share_admit(e, t, bytes)) {
        e->stats.refused_full++;
        return KLOOP_FULL;
    }
    size_t held = kl_budget_held(e);
    if (held + bytes <= e->set.memory_bytes || held == 0)
        return KLOOP_OK;
    e->stats.refused_full++;
    if (!e->refused || e->refused_bytes < bytes)
        e->refused_bytes = bytes;
    if (!e->refused) {
        e->refused = true;
        KL_TRACE(e, engine, e, KLOOP_TRACE_FULL, NULL, (int64_t)held, (int64_t)bytes);
        kl_readiness_hurry(e);
    }
    return KLOOP_FULL;
}

void kl_budget_trim_soon(kloop_engine *e)
{
#ifdef KL_PLANT_TRIM_NEVER
    if (e->life == KL_LIFE_OPEN)
        return;
#endif
    if (!kl_timer_is_set(&e->trim_timer) && e->life == KL_LIFE_OPEN)
        kl_heap_set(&e->timers, &e->trim_timer, kl_time_add(e->now.mono_ns, TRIM_NS));
}

void kl_budget_trim(kloop_engine *e)
{
    size_t held = kl_budget_held(e);
    /* What was held at once lately may be needed again. */
    kl_pool_trim(&e->pool, e->held_peak > held ? e->held_peak - held : 0);
    e->held_peak = held;
    kl_conn_give_back_space(e);
    if (e->scratch.cap > KL_BUDGET_SCRATCH_KEEP_BYTES)
        kl_buf_deinit(&e->scratch);
    kl_heap_give_back(&e->timers, e->timer_count);
    if (kl_pool_idle_bytes(&e->pool) > 0)
        kl_budget_trim_soon(e);
}

bool kl_budget_has_room(size_t held, size_t limit, size_t refused_bytes)
{
    size_t room = held < limit ? limit - held : 0;
    size_t wanted = refused_bytes > limit / 8 ? refused_bytes : limit / 8;
    return held == 0 || room >= wanted;
}

static void judge(kloop_engine *e)
{
    if (!e->refused ||
        !kl_budget_has_room(kl_budget_held(e), e->set.memory_bytes, e->refused_bytes))
        return;
    e->refused = false;
    e->refused_bytes = 0;
    e->writable_due = true;
#ifdef KL_PLANT_WRITABLE_LOST
    e->writable_due = e->stats.refused_full % 2 == 0;
#endif
}

void kl_budget_settle(kloop_engine *e)
{
    e->pool.sunk = false;
    if (kl_pool_idle_bytes(&e->pool) > 0)
        kl_budget_trim_soon(e);
    judge(e);
    kl_topic_share_settle(e);
    kl_parking_retry(e);
}
