/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judging partitions. See readiness.h.
 *
 *     open, young ------ linger is over, flush, full ------> due
 *       leader->open:                                          leader->ready, unless
 *       goes along when others go                              - no leader, or it is backing off
 *                                                              - order or numbers forbid it
 *                                                              - the codec has it first
 */
#include "core/readiness.h"

#include "core/bad_records.h"
#include "core/batch_ceiling.h"
#include "core/codec_choice.h"
#include "core/folding.h"
#include "core/idempotence.h"
#include "core/metadata.h"
#include "core/reshape.h"
#include "core/sticky.h"
#include "core/trace_points.h"

/* How many batches of a producer and partition a broker remembers. */
#ifdef KL_PLANT_SIX_IN_FLIGHT
#define FLIGHT_MAX 6
#else
#define FLIGHT_MAX 5
#endif

/* What is looked at for a unit of a turn's work. */
#define HURRY_MAX 128
/* And of those that may have nothing open. */
#define LOOKED_AT_MAX 4096

/* How much goes to one partition before records without a key may go to another. */
#define STICKY_BYTES 16384

kl_batch *kl_readiness_next(const kl_partition *p)
{
    for (kl_link *at = kl_list_first(&p->line); at; at = kl_list_next(&p->line, at)) {
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage < KL_STAGE_IN_FLIGHT)
            return b;
    }
    return NULL;
}

/*
 * A broker knows the last five batches of a producer and partition again. So of those that have
 * left and are not done with, the oldest must never be further back than that, also when all behind
 * it were acked: or its retry would be no duplicate any more, but out of order.
 */
static bool in_window(const kl_partition *p, const kl_batch *b)
{
    int before = 0;
    for (kl_link *at = kl_list_first(&p->line); at != &b->in_line; at = kl_list_next(&p->line, at))
        if (++before == FLIGHT_MAX)
            return false;
    return true;
}

bool kl_readiness_may_go(const kloop_engine *e, const kl_partition *p, const kl_batch *b)
{
    if (!p->leader || p->backoff_until > e->now.mono_ns)
        return false;
    if (p->flight_count > 0) {
        /* What is in flight to another leader may still end up anywhere. */
        if (p->flight_conn != p->leader->conn)
            return false;
#ifndef KL_PLANT_PIPELINE_TO_NEW_LEADER
        if (e->set.idempotent && !p->steady)
            return false;
#endif
    }
    return !e->set.idempotent || (in_window(p, b) && kl_idempotence_may_number(e, p, b));
}

void kl_readiness_count_closed(kloop_engine *e, const kl_batch *b)
{
    e->stats.batches++;
    e->stats.bytes_payload += kl_chain_len(&b->builder.payload);
    /* A run of small records must not sit in one partition, nor move on after each of them. */
    kloop_topic *t = b->topic;
    if (t->sticky == b->partition->index) {
        t->sticky_bytes += kl_batch_builder_len(&b->builder);
        if (t->sticky_bytes >= STICKY_BYTES)
            t->sticky = -1;
    }
}

void kl_readiness_close_batch(kloop_engine *e, kl_partition *p, kloop_trace_seal why)
{
    kl_batch *b = kl_topics_open(p);
    kl_topics_set_open(p, NULL);
    kl_list_remove(&p->in_opened);
    kl_readiness_count_closed(e, b);
    KL_TRACE(e, sealed, b, why);
    kl_folding_begin(e, b);
}

/* Of the open batch: what its age asks for. Answers when to look again. */
static uint64_t age(kloop_engine *e, kl_partition *p)
{
    kl_batch *b = kl_topics_open(p);
    uint64_t close_at = kl_time_add(b->created_ns, p->topic->set->seal_after_ns);
    /* Records that were parked are old, and more of them are to come. */
    if (kl_link_is_linked(&p->topic->in_unpark))
        close_at = KL_NEVER;
    if (e->now.mono_ns >= close_at) {
        kl_readiness_close_batch(e, p, KLOOP_SEAL_AGE);
        return KL_NEVER;
    }
    uint64_t due_at = kl_time_add(b->created_ns, p->topic->set->linger_ns);
    if (!b->due && e->now.mono_ns >= due_at)
        b->due = true;
    return b->due ? close_at : kl_time_min(due_at, close_at);
}

void kl_readiness_update(kloop_engine *e, kl_partition *p)
{
    uint64_t when = kl_topics_open(p) ? age(e, p) : KL_NEVER;
    kl_batch *b = kl_readiness_next(p);
    bool due = b && (b->stage == KL_STAGE_READY || (b->stage == KL_STAGE_OPEN && b->due));
    bool go = b && b->stage != KL_STAGE_FOLDING && kl_readiness_may_go(e, p, b);

    if (due && p->backoff_until > e->now.mono_ns)
        when = kl_time_min(when, p->backoff_until);
    if (due && !p->leader)
        kl_metadata_want(e);
    if (due && e->set.idempotent)
        kl_idempotence_want(e);
    if (due && go && b->stage == KL_STAGE_OPEN && kl_codec_choice_folds(p)) {
        kl_readiness_close_batch(e, p, KLOOP_SEAL_ALONG);
        due = b->stage == KL_STAGE_READY;
        when = KL_NEVER;
    }

    /* There was no memory for that when it was refused. */
    if (due && go && kl_bad_records_any_present(b)) {
        kl_reshape_purify(e, b);
        due = false;
    }
    if (due && go && kl_batch_ceiling_forbids(b)) {
        if (b->stage == KL_STAGE_OPEN) {
            kl_readiness_close_batch(e, p, KLOOP_SEAL_ALONG);
            when = KL_NEVER;
        }
        kl_batch_ceiling_forbade(e, b);
        kl_reshape_split(e, b);
        due = false;
    }

    kl_place place = due && go                              ? KL_PLACE_READY
                     : b && b->stage == KL_STAGE_OPEN && go ? KL_PLACE_OPEN
                                                            : KL_PLACE_NOWHERE;
    KL_ASSERT(p->place != KL_PLACE_GATHER);
    if (p->place != place)
        kl_topics_place(p, place,
                        place == KL_PLACE_READY  ? &p->leader->ready
                        : place == KL_PLACE_OPEN ? &p->leader->open
                                                 : NULL);
    if (place != KL_PLACE_NOWHERE)
        kl_nodes_poke(e, p->leader);
    kl_sticky_set_waits(e, p, due && p->leader && p->backoff_until <= e->now.mono_ns);
    /* All that has just been begun waits equally long. */
    if (when == kl_time_add(e->now.mono_ns, e->set.topic.linger_ns))
        kl_heap_set_in_row(&e->timers, KL_ROW_LINGER, &p->due, when);
    else
        kl_heap_set(&e->timers, &p->due, when);
}

void kl_readiness_hurry(kloop_engine *e)
{
    if (kl_list_is_empty(&e->opened))
        return;
    kl_list_splice_back(&e->hurried, &e->opened);
    e->stirred = true;
}

void kl_readiness_review(kloop_engine *e, kloop_topic *t, bool due)
{
    /* All of them from here on, round the end: to begin at the first each time would let those at
     * the end wait for ever. */
    t->review_left = t->table_count;
    t->review_made_due |= due;
    if (!kl_link_is_linked(&t->in_reviewed))
        kl_list_push_back(&e->reviewed, &t->in_reviewed);
    e->stirred = true;
}

static void hurry_some(kloop_engine *e)
{
    kl_link *at;
    for (int n = 0; n < HURRY_MAX && (at = kl_list_pop_front(&e->hurried)); n++) {
        kl_partition *p = KL_CONTAINER_OF(at, kl_partition, in_opened);
        kl_list_push_back(&e->opened, at);
        kl_topics_open(p)->due = true;
        kl_readiness_update(e, p);
    }
}

static void review_some(kloop_engine *e, kloop_topic *t)
{
    int found = 0;
    for (int n = 0; n < LOOKED_AT_MAX && found < HURRY_MAX && t->review_left > 0; n++) {
        /* The table may have become another since. */
        if (t->review_left > t->table_count)
            t->review_left = t->table_count;
        if (t->review_left == 0)
            break;
        t->review_left--;
        if (t->review_at >= t->table_count)
            t->review_at = 0;
        kl_batch *b = t->open[t->review_at++];
        if (!b)
            continue;
        found++;
        b->limit = kl_batch_builder_limit(&b->builder, t->batch_bytes);
        b->due |= t->review_made_due;
        kl_readiness_update(e, b->partition);
    }
    if (t->review_left > 0)
        return;
    t->review_made_due = false;
    kl_list_remove(&t->in_reviewed);
}

bool kl_readiness_step(kloop_engine *e)
{
    if (!kl_readiness_has_steps(e) || e->turn_work == 0)
        return false;
    e->turn_work--;
    if (!kl_list_is_empty(&e->hurried))
        hurry_some(e);
    else
        review_some(e, KL_CONTAINER_OF(kl_list_first(&e->reviewed), kloop_topic, in_reviewed));
    return true;
}
