/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts and limits of topics. See topic_share.h. */
#include "core/topic_share.h"

#include "core/budget.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/trace_points.h"

static void judge(kloop_engine *e, kl_topic_share *s)
{
    if (!s->refused || !kl_budget_has_room(kl_topic_share_held(s), s->limit, s->refused_bytes))
        return;
    s->refused = false;
    s->refused_bytes = 0;
    e->shares_refused--;
    e->writable_due = true;
#ifdef KL_PLANT_SHARE_WRITABLE_LOST
    e->writable_due = false;
#endif
}

bool kl_topic_share_make(kloop_engine *e, kloop_topic *t)
{
    if (t->share)
        return true;
    kl_topic_share *s = kl_mem_zalloc(&e->alloc, 1, sizeof *s);
    if (!s)
        return false;
    kl_pool_init_child(&s->pool, &e->pool);
    s->topic = t;
    s->limit = SIZE_MAX;
    kl_list_push_back(&e->shares, &s->in_shares);
    t->share = s;
    return true;
}

void kl_topic_share_limit(kloop_topic *t, size_t bytes)
{
    if (!t->share)
        return;
    t->share->limit = bytes ? bytes : SIZE_MAX;
    /* As good as that something was given back. */
    kl_pool_unhold(&t->share->pool, 0);
}

static void del(kloop_engine *e, kl_topic_share *s)
{
    KL_ASSERT(kl_topic_share_held(s) == 0);
    kl_list_drop(&s->pool.in_sunk);
    kl_mem_release(&e->alloc, s, sizeof *s);
}

void kl_topic_share_del(kloop_engine *e, kloop_topic *t)
{
    if (!t->share)
        return;
    kl_list_remove(&t->share->in_shares);
    del(e, t->share);
    t->share = NULL;
}

void kl_topic_share_del_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&e->shares)))
        del(e, KL_CONTAINER_OF(at, kl_topic_share, in_shares));
}

bool kl_topic_share_admit(kloop_engine *e, kloop_topic *t, size_t bytes)
{
    kl_topic_share *s = t->share;
    size_t held = kl_topic_share_held(s);
    if (held == 0 || (held < s->limit && bytes <= s->limit - held))
        return true;
    if (s->refused_bytes < bytes)
        s->refused_bytes = bytes;
    if (!s->refused) {
        s->refused = true;
        KL_TRACE(e, engine, e, KLOOP_TRACE_FULL, t, (int64_t)held, (int64_t)bytes);
        e->shares_refused++;
        kl_readiness_review(e, t, true);
    }
    return false;
}

bool kl_topic_share_moves(kloop_engine *e, kloop_topic *t)
{
    if (kl_topic_share_held(t->share) <= t->share->limit || t->lined_batches == 0)
        return true;
    kl_readiness_review(e, t, true);
    return false;
}

void kl_topic_share_settle(kloop_engine *e)
{
    kl_pool *pool;
    while ((pool = kl_pool_take_sunk(&e->pool))) {
        kl_topic_share *s = KL_CONTAINER_OF(pool, kl_topic_share, pool);
        judge(e, s);
        kl_parking_retry_share(e, s->topic);
    }
}
