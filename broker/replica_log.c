/* SPDX-License-Identifier: BSD-2-Clause */
/* A replica's log. See replica_log.h. */
#include "broker/replica_log.h"

#include "base/check.h"
#include "base/mem.h"

kl_stored *kl_stored_new(const kloop_allocator *alloc, size_t byte_count)
{
    kl_stored *stored = kl_mem_alloc(alloc, sizeof *stored + byte_count);
    if (!stored)
        return NULL;
    *stored = (kl_stored){.batch = {.byte_count = byte_count, .bytes = stored->bytes}, .refs = 1};
    return stored;
}

bool kl_stored_drop(const kloop_allocator *alloc, kl_stored *stored)
{
    KL_ASSERT(stored->refs > 0);
    if (--stored->refs > 0)
        return false;
    kl_mem_release(alloc, stored, sizeof *stored + stored->batch.byte_count);
    return true;
}

void kl_log_init(kl_log *log, const kloop_allocator *alloc, uint64_t seed)
{
    *log = (kl_log){.alloc = *alloc};
    kl_producers_init(&log->producers, alloc, seed);
}

void kl_log_deinit(kl_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        kl_stored_drop(&log->alloc, log->batches[i]);
    kl_mem_release(&log->alloc, log->batches, log->cap * sizeof *log->batches);
    kl_producers_clear(&log->producers);
}

bool kl_log_reserve(kl_log *log)
{
    if (log->count < log->cap)
        return true;
    size_t cap = log->cap ? log->cap * 2 : 8;
    size_t size;
    if (!kl_mem_mul(cap, sizeof *log->batches, &size))
        return false;
    kl_stored **batches =
        kl_mem_resize(&log->alloc, log->batches, log->cap * sizeof *log->batches, size);
    if (!batches)
        return false;
    log->batches = batches;
    log->cap = cap;
    return true;
}

void kl_log_count_only(kl_log *log, int32_t record_count, size_t byte_count)
{
    log->next_offset += record_count;
    log->record_count += (uint64_t)record_count;
    log->byte_count += byte_count;
    log->batch_count++;
}

void kl_log_append(kl_log *log, kl_stored *stored)
{
    KL_ASSERT(log->count < log->cap && stored->batch.base_offset == log->next_offset);
    log->batches[log->count++] = stored;
    kl_log_count_only(log, stored->batch.record_count, stored->batch.byte_count);
}

size_t kl_log_common(const kl_log *a, const kl_log *b)
{
    size_t n = a->count < b->count ? a->count : b->count;
    while (n > 0 && a->batches[n - 1] != b->batches[n - 1])
        n--;
    return n;
}

kl_stored *kl_log_take_last(kl_log *log)
{
    KL_ASSERT(log->count > 0);
    kl_stored *stored = log->batches[--log->count];
    log->next_offset = stored->batch.base_offset;
    log->record_count -= (uint64_t)stored->batch.record_count;
    log->byte_count -= stored->batch.byte_count;
    log->batch_count--;
    if (log->high_watermark > log->next_offset)
        log->high_watermark = log->next_offset;
    if (log->producers_from > log->next_offset)
        log->producers_from = log->next_offset;
    /* What a producer had before its last batch is not remembered, so all is computed anew. */
    if (log->applied > log->count) {
        kl_producers_clear(&log->producers);
        log->applied = 0;
    }
    return stored;
}

static bool apply(kl_log *log, const kl_stored *stored)
{
    const kl_stored_batch *b = &stored->batch;
    if (b->producer_id < 0 || b->base_offset < log->producers_from)
        return true;
    kl_producer *producer = kl_producers_find_or_add(&log->producers, b->producer_id);
    if (!producer)
        return false;
    kloop_batch_header header = {.base_sequence = b->base_sequence,
                                 .last_offset_delta = b->record_count - 1};
    kl_producer_apply(producer, b->producer_epoch,
                      &(kl_producer_batch){.first_sequence = b->base_sequence,
                                           .last_sequence = kl_sequence_last(&header),
                                           .base_offset = b->base_offset,
                                           .max_timestamp = stored->max_timestamp,
                                           .crc = stored->sent_crc});
    return true;
}

kl_producers *kl_log_producers(kl_log *log)
{
    for (; log->applied < log->count; log->applied++) {
        if (!apply(log, log->batches[log->applied]))
            return NULL;
    }
    return &log->producers;
}

void kl_log_applied_last(kl_log *log)
{
    KL_ASSERT(log->applied + 1 == log->count);
    log->applied++;
}

void kl_log_forget_producers(kl_log *log)
{
    kl_producers_clear(&log->producers);
    log->applied = 0;
    log->producers_from = log->next_offset;
}
