/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts and limits of topics. See topic_share.h. */
#include "core/topic_share.h"

/* NULL: nobody's but the engine's. */
static kl_topic_share *share_of(const kloop_engine *e, kl_pool *pool)
{
    return pool == &e->pool ? NULL : KL_CONTAINER_OF(pool, kl_topic_share, pool);
}

static void judge(kloop_engine *e, kl_topic_share *s)
{
    if (!s->refused)
        return;
    size_t held = kl_topic_share_held(s);
    size_t room = held < s->limit ? s->limit - held : 0;
    size_t wanted = s->refused_bytes > s->limit / 8 ? s->refused_bytes : s->limit / 8;
    if (held > 0 && room < wanted)
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
    s->limit = SIZE_MAX;
    kl_list_push_back(&e->shares, &s->in_shares);
    t->share = s;
    return true;
}

void kl_topic_share_limit(kloop_engine *e, kloop_topic *t, size_t bytes)
{
    if (!t->share)
        return;
    t->share->limit = bytes ? bytes : SIZE_MAX;
    judge(e, t->share);
}

void kl_topic_share_del_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&e->shares))) {
        kl_topic_share *s = KL_CONTAINER_OF(at, kl_topic_share, in_shares);
        KL_ASSERT(kl_topic_share_held(s) == 0);
        kl_mem_release(&e->alloc, s, sizeof *s);
    }
}

/* What it has open becomes due, so that there is room again: in slices, like what a full buffer
 * makes due (readiness.h). */
static void hurry(kloop_engine *e, const kloop_topic *t)
{
    for (int32_t i = 0; i < t->table_count; i++) {
        if (!t->open[i])
            continue;
        kl_link *link = &t->partitions[i]->in_opened;
        kl_list_remove(link);
        kl_list_push_back(&e->hurried, link);
    }
    e->stirred = true;
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
        e->shares_refused++;
        hurry(e, t);
    }
    return false;
}

void kl_topic_share_add_batch(kloop_engine *e, kl_pool *pool, size_t bytes)
{
    kl_topic_share *s = share_of(e, pool);
    if (s)
        s->batch_bytes += bytes;
}

void kl_topic_share_remove_batch(kloop_engine *e, kl_pool *pool, size_t bytes)
{
    kl_topic_share *s = share_of(e, pool);
    if (!s)
        return;
    s->batch_bytes -= bytes;
    judge(e, s);
}

void kl_topic_share_released(kloop_engine *e, kl_pool *pool)
{
    kl_topic_share *s = share_of(e, pool);
    if (s)
        judge(e, s);
}
