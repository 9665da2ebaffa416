/* SPDX-License-Identifier: BSD-2-Clause */
/* Birth and end of a batch. See batch.h. */
#include "core/batch.h"

#include "core/bad_records.h"
#include "core/budget.h"
#include "core/topic_share.h"
#include "core/chunk.h"

kl_generation *kl_batch_generation(const kloop_engine *e)
{
    return KL_CONTAINER_OF(kl_list_last(&e->generations), kl_generation, in_generations);
}

kl_batch *kl_batch_new(kloop_engine *e, kloop_topic *topic, kl_partition *partition, kl_stage stage)
{
    if (!kl_heap_reserve(&e->timers, e->timer_count + 1))
        return NULL;
    kl_unit *unit;
    kl_batch *b = kl_slab_get(&e->batches, &unit);
    if (!b)
        return NULL;
    /* What stands before it is made below. */
    kl_mem_zero((uint8_t *)b + offsetof(kl_batch, limit), sizeof *b - offsetof(kl_batch, limit));
    b->unit = unit;
    e->timer_count++;
    b->topic = topic;
    b->partition = partition;
    b->stage = stage;
    b->created_ns = e->now.mono_ns;
    b->number = ++e->batches_begun;
    b->asked_partition = -1;
    b->base_offset = -1;
    b->append_time_ms = -1;
    b->generation = kl_batch_generation(e);
    b->generation->outstanding++;
    kl_timer_init(&b->expiry, KL_TIMER_BATCH);
    kl_pool *pool = kl_topic_share_pool(e, topic);
    kl_batch_builder_init(&b->builder, pool);
    kl_chain_init(&b->users, pool);
    kl_pool_hold(pool, KL_BATCH_MEMORY_BYTES);
    kl_budget_note_peak(e);
    return b;
}

bool kl_batch_is_folded(const kl_batch *b)
{
    return b->builder.state == KL_BATCH_SEALED && b->builder.codec != KL_CODEC_NONE;
}

size_t kl_batch_raw_len(const kl_batch *b)
{
    return kl_batch_is_folded(b) ? KLOOP_BATCH_HEADER_BYTES + b->raw_bytes
                                 : kl_batch_builder_len(&b->builder);
}

void kl_batch_join_generation(kl_batch *b, kl_generation *generation)
{
    b->generation->outstanding--;
    b->generation = generation;
    b->generation->outstanding++;
}

void kl_batch_let_go(kloop_engine *e, kl_batch *b)
{
#ifdef KL_PLANT_REUSE_BEFORE_WROTE
    if (b->stage == KL_STAGE_SETTLED)
        kl_batch_builder_clear(&b->builder);
#endif
    if (b->stage < KL_STAGE_SETTLED || b->refs > 0 || b->request)
        return;
    if (b->stage == KL_STAGE_REPORTED) {
        kl_batch_del(e, b);
        return;
    }
    kl_batch_builder_clear(&b->builder);
}

void kl_batch_del(kloop_engine *e, kl_batch *b)
{
    if (b->generation)
        b->generation->outstanding--;
    kl_heap_remove(&e->timers, &b->expiry);
    kl_batch_builder_clear(&b->builder);
    kl_bad_records_del(e, b);
    kl_chunk_runs_del(e, b);
    kl_pool *pool = b->users.pool;
    kl_chain_clear(&b->users);
    kl_pool_unhold(pool, KL_BATCH_MEMORY_BYTES);
    e->timer_count--;
    kl_slab_put(b->unit, b);
}
