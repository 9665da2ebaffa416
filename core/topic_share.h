/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A topic's share of buffer.memory: an account of what its batches hold, and a limit to that.
 *
 * The chains of such a topic draw on a pool of their own, which has nothing but the count and takes
 * its memory from the engine's (base/segment.h). So a record costs nothing more, and the limit is
 * looked at where the whole budget is: when a segment or a batch is needed. Batches that were begun
 * before the topic had a share do not count.
 *
 * One record always goes in when nothing is held, as with the whole budget. At the limit the
 * topic's open batches become due, and WRITABLE is owed; it comes when there is room for what was
 * refused and for an eighth of the share, or nothing is held for the topic at all.
 *
 * Who owns what: the engine owns the shares, which outlive the topics' batches.
 */
#ifndef KL_CORE_TOPIC_SHARE_H
#define KL_CORE_TOPIC_SHARE_H

#include "core/engine_state.h"

typedef struct kl_topic_share {
    kl_pool pool;
    kloop_topic *topic;
    kl_link in_shares;
    size_t limit; /* SIZE_MAX: no more */
    bool refused; /* WRITABLE is owed for it */
    size_t refused_bytes;
    bool unpark_waits; /* its topic is in the engine's unpark_aside */
} kl_topic_share;

static inline size_t kl_topic_share_held(const kl_topic_share *s)
{
    return s->pool.held_bytes;
}

/* t has one from now on, without a limit if it is new; false: no memory. */
bool kl_topic_share_make(kloop_engine *e, kloop_topic *t);
/* 0: no limit. t has a share, unless that is 0. */
void kl_topic_share_limit(kloop_topic *t, size_t bytes);
/* Of a topic that is given up before anything was held for it; it may have none. */
void kl_topic_share_del(kloop_engine *e, kloop_topic *t);
void kl_topic_share_del_all(kloop_engine *e);

/* What a batch of t draws on. */
static inline kl_pool *kl_topic_share_pool(kloop_engine *e, const kloop_topic *t)
{
    return t->share ? &t->share->pool : &e->pool;
}

/* May t take so much more? If not, WRITABLE is owed. t has a share. */
bool kl_topic_share_admit(kloop_engine *e, kloop_topic *t, size_t bytes);
/* Has t, which has a share, room for parked records in its batches? Not while more is held than its
 * share and batches are there that will leave; they become due then. */
bool kl_topic_share_moves(kloop_engine *e, kloop_topic *t);
/* Of those that have sunk: is it time for WRITABLE, may parked records move? */
void kl_topic_share_settle(kloop_engine *e);

#endif
