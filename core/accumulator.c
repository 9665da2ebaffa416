/* SPDX-License-Identifier: BSD-2-Clause */
/* Records into batches. See accumulator.h. */
#include "core/accumulator.h"

#include "core/budget.h"
#include "core/metadata.h"
#include "core/parking.h"
#include "core/partitioner.h"
#include "core/readiness.h"
#include "core/shutdown.h"

kloop_status kl_accumulator_check(const kloop_record *r)
{
    if (KL_UNLIKELY((!r->key.data && r->key.len) || (!r->value.data && r->value.len)))
        return KLOOP_BAD_ARGUMENT;
    if (KL_UNLIKELY((r->set & KLOOP_SET_TIMESTAMP) && r->timestamp_ms < 0))
        return KLOOP_BAD_TIMESTAMP;
    if (KL_UNLIKELY((r->set & KLOOP_SET_PARTITION) && r->partition < 0))
        return KLOOP_BAD_PARTITION;
    if (KL_LIKELY(r->header_count == 0))
        return KLOOP_OK;
    if (r->header_count > KLOOP_HEADERS_MAX || !r->headers)
        return KLOOP_BAD_HEADERS;
    for (uint32_t i = 0; i < r->header_count; i++)
        if (!r->headers[i].key.data || (!r->headers[i].value.data && r->headers[i].value.len))
            return KLOOP_BAD_HEADERS;
    return KLOOP_OK;
}

/* The sum over fewer bytes costs more of its beginning and end than of them. */
#define SUM_UP_BYTES 16384

/* ---- Which partition ---- */

static size_t queued(const kloop_topic *t, int32_t i)
{
    return t->partitions[i] ? t->partitions[i]->line_count : 0;
}

static int32_t any_with_leader(kloop_engine *e, const kloop_topic *t)
{
    int32_t i = 0;
    for (int tries = 0; tries < 8; tries++) {
        i = (int32_t)kl_prng_below(&e->prng, (uint64_t)t->partition_count);
        if (t->leaders[i].node >= 0)
            break;
    }
    return i;
}

/* Of two at random the one with the shorter line: a slow broker gets less, at a cost that does not
 * grow with the number of partitions. */
static int32_t choose_sticky(kloop_engine *e, kloop_topic *t)
{
    int32_t i = any_with_leader(e, t);
    if (e->set.adaptive_partitioning && t->partition_count > 1) {
        int32_t other = any_with_leader(e, t);
        if (t->leaders[other].node >= 0 && queued(t, other) < queued(t, i))
            i = other;
    }
    t->sticky = i;
    t->sticky_bytes = 0;
    return i;
}

int32_t kl_accumulator_choose(kloop_engine *e, kloop_topic *t, const kloop_record *r)
{
    if (r->set & KLOOP_SET_PARTITION)
        return r->partition < t->partition_count ? r->partition : -1;
    if (r->key.data && !e->set.ignore_keys)
        return kl_partition_for_key(r->key.data, r->key.len, t->partition_count);
    return t->sticky >= 0 ? t->sticky : choose_sticky(e, t);
}

/* ---- Into the batch ---- */

static kl_record view_of(const kloop_record *r)
{
    return (kl_record){
        .key = r->key, .value = r->value, .headers = r->headers, .header_count = r->header_count};
}

/* The record and its user, or neither. */
static kl_record_appended append_both(kl_batch *b, const kloop_record *r, int64_t timestamp_ms,
                                      size_t bytes_max, size_t batch_bytes)
{
    kl_chain_mark users = kl_chain_here(&b->users);
    if (!kl_chain_append(&b->users, &r->user, sizeof r->user))
        return KL_RECORD_NO_MEMORY;
    kl_record record = view_of(r);
    kl_record_appended appended =
        kl_batch_builder_append(&b->builder, &record, timestamp_ms, bytes_max);
    if (appended != KL_RECORD_APPENDED) {
        kl_chain_rewind(&b->users, users);
        return appended;
    }
    b->limit = kl_batch_builder_limit(&b->builder, batch_bytes);
    return KL_RECORD_APPENDED;
}

static kloop_status status_of(kl_record_appended appended)
{
    switch (appended) {
    case KL_RECORD_APPENDED:
        return KLOOP_OK;
    case KL_RECORD_TOO_LARGE:
        return KLOOP_TOO_LARGE;
    case KL_RECORD_NO_MEMORY:
        break;
    }
    return KLOOP_NO_MEMORY;
}

/* This way comes about each time a segment is full: time to look at it while it is in the cache. */
static void sum_up_sometimes(const kloop_engine *e, kl_batch *b)
{
    if (e->set.codec == KL_CODEC_NONE &&
        kl_chain_len(&b->builder.payload) - b->builder.summed_bytes >= SUM_UP_BYTES)
        kl_batch_builder_sum_up(&b->builder);
}

/* The first record of a batch; a batch of one may be as large as a record may. */
static kloop_status begin_batch(kloop_engine *e, kl_partition *p, const kloop_record *r,
                                int64_t timestamp_ms, uint64_t created_ns)
{
    kl_batch *b = kl_batch_new(e, p->topic, p, KL_STAGE_OPEN);
    if (!b)
        return KLOOP_NO_MEMORY;
    size_t batch_bytes = p->topic->batch_bytes;
    b->builder.payload.reach = batch_bytes;
    kl_record_appended appended =
        append_both(b, r, timestamp_ms, e->set.record_bytes_max, batch_bytes);
    if (appended != KL_RECORD_APPENDED) {
        kl_batch_del(e, b);
        return status_of(appended);
    }
    b->created_ns = created_ns;
    b->due = e->set.linger_ns == 0 || e->refused || e->life != KL_LIFE_OPEN;
    kl_list_push_back(&p->line, &b->in_line);
    p->line_count++;
    e->lined_batches++;
    kl_topics_set_open(p, b);
    kl_list_push_back(&e->opened, &p->in_opened);
    kl_heap_set(&e->timers, &b->expiry, kl_time_add(created_ns, e->set.delivery_timeout_ns));
    p->topic->used_ns = e->now.mono_ns;
    kl_readiness_update(e, p);
    return KLOOP_OK;
}

kloop_status kl_accumulator_add(kloop_engine *e, kl_partition *p, const kloop_record *r,
                                int64_t timestamp_ms, uint64_t created_ns, bool admit)
{
    kl_record record = view_of(r);
    /* With the longest time and offset: an upper bound, as Java's producer uses it. */
    uint64_t size = kl_record_size(&record, INT64_MAX, INT32_MAX);
    if (KLOOP_BATCH_HEADER_BYTES + size > e->set.record_bytes_max)
        return KLOOP_TOO_LARGE;
    size_t batch_bytes = p->topic->batch_bytes;
    kl_batch *b = kl_topics_open(p);
    if (b && kl_batch_builder_len(&b->builder) + size > batch_bytes)
        b = NULL;
    /* Its deadline is that of its first record, and would come too early for this one. */
    if (b && created_ns > kl_time_add(b->created_ns, kl_readiness_seal_after_ns(e)))
        b = NULL;

    if (admit) {
        const kl_chain empty = {.pool = &e->pool};
        size_t bytes = kl_budget_growth_max(b ? &b->builder.payload : &empty, (size_t)size) +
                       kl_budget_growth_max(b ? &b->users : &empty, sizeof r->user) +
                       (b ? 0 : KL_BATCH_MEMORY_BYTES);
        kloop_status status = kl_budget_admit(e, bytes);
        if (status)
            return status;
    }
    if (b) {
        kl_record_appended appended = append_both(b, r, timestamp_ms, batch_bytes, batch_bytes);
        if (appended != KL_RECORD_TOO_LARGE) {
            sum_up_sometimes(e, b);
            return status_of(appended);
        }
    }
    if (kl_topics_open(p)) {
        kl_readiness_close_batch(e, p);
        kl_readiness_update(e, p);
    }
    return begin_batch(e, p, r, timestamp_ms, created_ns);
}

/* All checks, all ways. */
static __attribute__((noinline)) kloop_status send_slowly(kloop_topic *t, const kloop_record *r)
{
    if (!t || !r)
        return KLOOP_BAD_ARGUMENT;
    kloop_engine *e = t->engine;
    kloop_status status = kl_accumulator_check(r);
    if (status)
        return status;
    if (!e->taking)
        return e->fatal ? KLOOP_FATAL : KLOOP_CLOSED;
    int64_t timestamp_ms = r->set & KLOOP_SET_TIMESTAMP ? r->timestamp_ms : e->now.wall_ms;
    if (!kl_list_is_empty(&t->parked))
        kl_parking_advance(e, t);
    if (t->partition_count > 0 && (r->set & KLOOP_SET_PARTITION) &&
        r->partition >= t->partition_count) {
        /* The topic may have grown since. */
        kl_metadata_want(e);
        return KLOOP_BAD_PARTITION;
    }
    if (t->partition_count == 0 || !kl_list_is_empty(&t->parked)) {
        status = kl_parking_add(e, t, r, timestamp_ms);
    } else {
        int32_t index = kl_accumulator_choose(e, t, r);
        kl_partition *p = kl_topics_partition(e, t, index);
        status =
            p ? kl_accumulator_add(e, p, r, timestamp_ms, e->now.mono_ns, true) : KLOOP_NO_MEMORY;
    }
    if (!status)
        e->stats.accepted++;
    return status;
}

/* ---- Straight into the batch ---- */

static inline kl_batch *open_batch(const kloop_topic *t, int32_t partition)
{
    return (uint32_t)partition < t->direct_count ? t->open[partition] : NULL;
}

/* A plain record into an open batch. medium, a constant: see kl_record_append_plain(). */
KL_INLINE kloop_status send_plainly(kloop_topic *t, const kloop_record *r, kl_batch *b, bool medium)
{
    if (KL_UNLIKELY(!b || kl_chain_room(&b->users) < sizeof r->user ||
                    !kl_batch_builder_append_plain(&b->builder, r->key, r->value,
                                                   t->engine->now.wall_ms, b->limit, medium)))
        return send_slowly(t, r);
    memcpy(b->users.pos, &r->user, sizeof r->user);
    b->users.pos += sizeof r->user;
    t->engine->stats.accepted++;
    return KLOOP_OK;
}

/* Without a key: one partition takes record after record. */
KL_INLINE kloop_status send_along(kloop_topic *t, const kloop_record *r, bool medium)
{
    return send_plainly(t, r, open_batch(t, t->sticky), medium);
}

static __attribute__((noinline)) kloop_status send_along_any_size(kloop_topic *t,
                                                                  const kloop_record *r)
{
    return send_along(t, r, false);
}

/*
 * The next record goes to another partition, and to this one only after many others: what it will
 * touch has left the caches by then. It comes back while those others are sent, if it is asked for
 * now; without that, a record in one of a thousand partitions waits for memory most of its time.
 */
static void expect_more(const kl_batch *b)
{
    __builtin_prefetch(b->builder.payload.pos + 64, 1);
    __builtin_prefetch(b->builder.payload.pos + 128, 1);
    __builtin_prefetch(b->users.pos + 64, 1);
}

/* With a key, or to the partition of the caller's choice. */
static __attribute__((noinline)) kloop_status send_scattered(kloop_topic *t, const kloop_record *r)
{
    if (KL_UNLIKELY(t->direct_count == 0))
        return send_slowly(t, r);
    int32_t partition = r->partition;
    if (!(r->set & KLOOP_SET_PARTITION))
        partition = t->engine->set.ignore_keys
                        ? t->sticky
                        : kl_partition_for_key(r->key.data, r->key.len, t->partition_count);
    kl_batch *b = open_batch(t, partition);
    kloop_status status = kl_record_is_medium(r->key, r->value) ? send_plainly(t, r, b, true)
                                                                : send_plainly(t, r, b, false);
    if (b)
        expect_more(b);
    return status;
}

kloop_status kloop_engine_send(kloop_topic *t, const kloop_record *r)
{
    /* Headers and timestamps of the user's take the long way, and so does whatever is wrong. */
    if (KL_UNLIKELY(!t || !r || r->header_count || (r->set & KLOOP_SET_TIMESTAMP)))
        return send_slowly(t, r);
    if ((r->set & KLOOP_SET_PARTITION) || r->key.data)
        return send_scattered(t, r);
    return kl_record_is_medium(r->key, r->value) ? send_along(t, r, true)
                                                 : send_along_any_size(t, r);
}
