/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of idempotence, as a partition's leader keeps them. See producer_state.h. */
#include "broker/producer_state.h"

#include "base/be.h"
#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void kl_producers_init(kl_producers *p, const kloop_allocator *alloc, uint64_t seed)
{
    p->alloc = *alloc;
    kl_map_init(&p->by_id, alloc, seed);
}

void kl_producers_clear(kl_producers *p)
{
    uint32_t cursor = 0;
    for (kl_producer *producer; (producer = kl_map_next(&p->by_id, &cursor)) != NULL;)
        kl_mem_release(&p->alloc, producer, sizeof *producer);
    kl_map_deinit(&p->by_id);
}

kl_producer *kl_producers_find_or_add(kl_producers *p, int64_t id)
{
    uint8_t key[8];
    kl_be_store64(key, (uint64_t)id);
    kl_producer *producer = kl_map_get(&p->by_id, (kloop_slice){key, sizeof key});
    if (producer)
        return producer;
    producer = kl_mem_zalloc(&p->alloc, 1, sizeof *producer);
    if (!producer)
        return NULL;
    memcpy(producer->key, key, sizeof key);
    producer->epoch = -1;
    if (kl_map_put(&p->by_id, (kloop_slice){producer->key, sizeof key}, producer))
        return producer;
    kl_mem_release(&p->alloc, producer, sizeof *producer);
    return NULL;
}

int32_t kl_sequence_last(const kloop_batch_header *batch)
{
    uint32_t last = (uint32_t)batch->base_sequence + (uint32_t)batch->last_offset_delta;
    return (int32_t)(last & INT32_MAX);
}

static kl_sequence_verdict judge_unknown(kl_sequence_era era, int32_t first)
{
    if (first == 0 || era == KL_SEQUENCES_2_5)
        return KL_SEQUENCE_NEW; /* maybe it has expired: any number begins */
    return era == KL_SEQUENCES_1_0 ? KL_SEQUENCE_UNKNOWN : KL_SEQUENCE_OUT_OF_ORDER;
}

static kl_sequence_verdict judge_next(const kl_producer *producer, kl_sequence_era era,
                                      const kloop_batch_header *batch)
{
    KL_ASSERT(producer->count > 0);
    int32_t last = producer->batches[producer->count - 1].last_sequence;
    int32_t next = last == INT32_MAX ? 0 : last + 1;
    if (batch->base_sequence == next)
        return KL_SEQUENCE_NEW;
    /* Numbers come round, so before is what lies less than half a round back. */
    uint32_t back =
        ((uint32_t)producer->batches[0].first_sequence - (uint32_t)kl_sequence_last(batch)) &
        INT32_MAX;
    bool before = back > 0 && back < (uint32_t)1 << 30;
    return before && era == KL_SEQUENCES_1_0 ? KL_SEQUENCE_STORED : KL_SEQUENCE_OUT_OF_ORDER;
}

kl_sequence_verdict kl_producer_judge(const kl_producer *producer, kl_sequence_era era,
                                      const kloop_batch_header *batch,
                                      const kl_producer_batch **same)
{
    int32_t first = batch->base_sequence;
    unsigned oldest = era == KL_SEQUENCES_0_11 && producer->count > 1 ? producer->count - 1u : 0;
    if (batch->producer_epoch == producer->epoch) {
        for (unsigned i = oldest; i < producer->count; i++) {
            *same = &producer->batches[i];
            if ((*same)->first_sequence == first &&
                (*same)->last_sequence == kl_sequence_last(batch))
                return KL_SEQUENCE_DUPLICATE;
        }
    }
    if (batch->producer_epoch < producer->epoch)
        return KL_SEQUENCE_OLD_EPOCH;
    if (producer->epoch == -1)
        return judge_unknown(era, first);
    if (batch->producer_epoch > producer->epoch)
        return first == 0 ? KL_SEQUENCE_NEW : KL_SEQUENCE_OUT_OF_ORDER;
    return judge_next(producer, era, batch);
}

void kl_producer_apply(kl_producer *producer, int16_t epoch, const kl_producer_batch *batch)
{
    if (epoch != producer->epoch) {
        producer->epoch = epoch;
        producer->count = 0;
    }
    if (producer->count == KL_PRODUCER_BATCHES) {
        memmove(producer->batches, producer->batches + 1,
                (KL_PRODUCER_BATCHES - 1) * sizeof *batch);
        producer->count--;
    }
    producer->batches[producer->count++] = *batch;
}
