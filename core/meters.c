/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting. See meters.h. */
#include "core/meters.h"

#include "core/engine_state.h"

static uint64_t us_since(const kloop_engine *e, uint64_t from)
{
    return e->now.mono_ns > from ? (e->now.mono_ns - from) / KL_US : 0;
}

bool kl_meters_make(kloop_engine *e, kl_broker *b)
{
    if (!b->meters)
        b->meters = kl_mem_zalloc(&e->alloc, 1, sizeof *b->meters);
    return b->meters;
}

void kl_meters_del(kloop_engine *e, kl_broker *b)
{
    if (b->meters)
        kl_mem_release(&e->alloc, b->meters->throttle_us, sizeof *b->meters->throttle_us);
    kl_mem_release(&e->alloc, b->meters, sizeof *b->meters);
}

void kl_meters_add(kl_broker *b, kl_meter which, uint64_t ns)
{
    kloop_histogram_add(&b->meters->meters[which], ns / KL_US, 1);
}

void kl_meters_throttled(kloop_engine *e, kl_broker *b, uint64_t ns)
{
    kl_broker_meters *m = b->meters;
    m->throttles++;
    if (!m->throttle_us)
        m->throttle_us = kl_mem_zalloc(&e->alloc, 1, sizeof *m->throttle_us);
    if (m->throttle_us)
        kloop_histogram_add(m->throttle_us, ns / KL_US, 1);
}

void kl_meters_left(kloop_engine *e, kl_broker *to, const kl_batch *b)
{
    to->meters->batches++;
    if (b->launches > 1)
        return;
    kl_meters *m = &e->meters;
    kl_sent *of_topic = &b->topic->sent;
    uint64_t records = (uint64_t)b->builder.count;
    uint64_t bytes = kl_batch_builder_len(&b->builder);
    m->sent.records += records;
    m->sent.batches++;
    m->sent.bytes += bytes;
    m->sent_plain_bytes += kl_batch_raw_len(b);
    of_topic->records += records;
    of_topic->batches++;
    of_topic->bytes += bytes;
    kloop_histogram_add(&m->batch_bytes, bytes, 1);
    kloop_histogram_add(&m->batch_records, records, 1);
    kl_meters_add(to, KL_METER_WAIT, e->now.mono_ns - b->created_ns);
}

void kl_meters_stored(kloop_engine *e, const kl_batch *b)
{
    uint64_t bytes = kl_batch_builder_len(&b->builder);
    b->partition->tally.acked_bytes += bytes;
    b->topic->tally.acked_bytes += bytes;
    kloop_histogram_add(&e->meters.age_us, us_since(e, b->created_ns), (uint64_t)b->builder.count);
}

static void count(kl_tally *t, kloop_outcome outcome, uint64_t records)
{
    switch (outcome) {
    case KLOOP_OUTCOME_ACKED:
        t->acked += records;
        return;
    case KLOOP_OUTCOME_FAILED:
        t->failed += records;
        return;
    case KLOOP_OUTCOME_UNKNOWN:
        t->unknown += records;
        return;
    }
}

void kl_meters_reported(kloop_engine *e, const kl_batch *b, kloop_outcome outcome, uint64_t records)
{
    switch (outcome) {
    case KLOOP_OUTCOME_ACKED:
        e->stats.acked += records;
        break;
    case KLOOP_OUTCOME_FAILED:
        e->stats.failed += records;
        break;
    case KLOOP_OUTCOME_UNKNOWN:
        e->stats.unknown += records;
        break;
    }
    count(&b->topic->tally, outcome, records);
    if (b->partition)
        count(&b->partition->tally, outcome, records);
}
