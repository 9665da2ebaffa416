/* SPDX-License-Identifier: BSD-2-Clause */
/* Records into batches. See accumulator.h. */
#include "core/accumulator.h"

#include "core/budget.h"
#include "core/chunk.h"
#include "core/hashes.h"
#include "core/hook_calls.h"
#include "core/metadata.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/shutdown.h"
#include "core/sticky.h"
#include "core/topic_share.h"
#include "core/trace_points.h"
#include "protocol/record_lend.h"

/* All that KLOOP_SET_PARTITION does not say, but for the highest bit, which means nothing: with
 * that left out, the test of it and of header_count is one. */
#define SET_SPECIAL 0x7ffffffeu
#define SET_KNOWN   (KLOOP_SET_PARTITION | KLOOP_SET_TIMESTAMP | KLOOP_SET_BORROWED | KLOOP_SET_CHUNK)

kloop_status kl_accumulator_check(const kloop_record *r)
{
    if (KL_UNLIKELY((!r->key.data && r->key.len) || (!r->value.data && r->value.len)))
        return KLOOP_BAD_ARGUMENT;
    if (KL_UNLIKELY(r->set & ~SET_KNOWN))
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

/* What the user's function says; -1: it has no opinion, or, with *refused, no partition. */
static int32_t ask_user(kloop_topic *t, const kloop_record *r, bool *refused)
{
    kl_partitioner *p = &t->partitioner;
    if (!p->fn)
        return -1;
    int32_t answer = p->fn(t, r, t->partition_count, p->me);
    if (answer < -1 || answer >= t->partition_count) {
        p->bad_answer = answer;
        *refused = true;
        return -1;
    }
    return answer;
}

int32_t kl_accumulator_choose(kloop_engine *e, kloop_topic *t, const kloop_record *r)
{
    if (r->set & KLOOP_SET_PARTITION)
        return r->partition < t->partition_count ? r->partition : -1;
    if (!r->key.data && !t->partitioner.each_apart && t->sticky >= 0)
        return t->sticky;
    bool refused = false;
    int32_t partition = ask_user(t, r, &refused);
    if (partition >= 0 || refused)
        return partition;
    switch (kl_partitioner_judge(&t->partitioner.how, r->key, t->partition_count, &partition)) {
    case KL_PARTITION_BY_HASH:
        break;
    case KL_PARTITION_BY_STICKY:
        return kl_sticky_partition(e, t);
    case KL_PARTITION_BY_ROUND_ROBIN:
        return kl_sticky_turn(e, t);
    case KL_PARTITION_BY_RANDOM:
        return kl_sticky_random(e, t);
    }
    return partition;
}

/* ---- Into the batch ---- */

static kl_record view_of(const kloop_record *r)
{
    return (kl_record){
        .key = r->key, .value = r->value, .headers = r->headers, .header_count = r->header_count};
}

static kl_record_appended append_record(kl_batch *b, const kloop_record *r, int64_t timestamp_ms,
                                        size_t bytes_max)
{
    kl_record record = view_of(r);
    if (r->set & KLOOP_SET_BORROWED)
        return kl_batch_builder_lend(&b->builder, &record, timestamp_ms, bytes_max, r->lender);
    return kl_batch_builder_append(&b->builder, &record, timestamp_ms, bytes_max);
}

/* The record, its user and its chunk, or nothing of these. */
static kl_record_appended append_both(kl_batch *b, const kloop_record *r, int64_t timestamp_ms,
                                      size_t bytes_max, size_t batch_bytes)
{
    kl_chunk_run *run = NULL;
    if (r->set & KLOOP_SET_CHUNK) {
        run = kl_chunk_runs_at(b->topic->engine, b, (uint32_t)b->builder.count, r->chunk);
        if (!run)
            return KL_RECORD_NO_MEMORY;
    }
    kl_chain_mark users = kl_chain_here(&b->users);
    if (!kl_chain_append(&b->users, &r->user, sizeof r->user))
        return KL_RECORD_NO_MEMORY;
    kl_record_appended appended = append_record(b, r, timestamp_ms, bytes_max);
    if (appended != KL_RECORD_APPENDED) {
        kl_chain_rewind(&b->users, users);
        return appended;
    }
    if (run)
        run->count++;
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
static void sum_up_sometimes(kl_batch *b)
{
    if (b->topic->set->codecs[0].id == KL_CODEC_NONE &&
        kl_chain_len(&b->builder.payload) - b->builder.summed_bytes >= SUM_UP_BYTES)
        kl_batch_builder_sum_up(&b->builder);
}

void kl_accumulator_line_up(kloop_engine *e, kl_batch *b, uint64_t created_ns)
{
    kl_partition *p = b->partition;
    b->created_ns = created_ns;
    kl_list_push_back(&p->line, &b->in_line);
    p->line_count++;
    p->topic->lined_batches++;
    e->lined_batches++;
    kl_sticky_line_changed(e, p);
    kl_heap_set_in_row(&e->timers, KL_ROW_EXPIRY, &b->expiry,
                       kl_time_add(created_ns, e->set.delivery_timeout_ns));
    p->topic->used_ns = e->now.mono_ns;
}

/* The first record of a batch, of at most so many bytes; a batch of one may be as large as a record
 * may. */
static kloop_status begin_batch(kloop_engine *e, kl_partition *p, const kloop_record *r,
                                size_t bytes, int64_t timestamp_ms, uint64_t created_ns)
{
    kl_batch *b = kl_batch_new(e, p->topic, p, KL_STAGE_OPEN);
    if (!b)
        return KLOOP_NO_MEMORY;
    size_t batch_bytes = p->topic->batch_bytes;
    b->builder.payload.reach = batch_bytes;
    /* Where there is room already, a plain record goes the short way. Without it the long one will
     * say what is wrong. */
    if (!(r->set & KLOOP_SET_BORROWED))
        (void)kl_chain_grow(&b->builder.payload, bytes);
    kl_record_appended appended =
        append_both(b, r, timestamp_ms, e->set.record_bytes_max, batch_bytes);
    if (appended != KL_RECORD_APPENDED) {
        kl_batch_del(e, b);
        return status_of(appended);
    }
    b->due = p->topic->set->linger_ns == 0 || e->refused || e->life != KL_LIFE_OPEN ||
             (p->topic->share && p->topic->share->refused);
    kl_accumulator_line_up(e, b, created_ns);
    kl_topics_set_open(p, b);
    kl_list_push_back(&e->opened, &p->in_opened);
    KL_TRACE(e, batch, b, KLOOP_TRACE_OPENED, 0, 0, 0);
    kl_readiness_update(e, p);
    return KLOOP_OK;
}

/* Is a record of this time too young for b? */
static inline bool is_too_young(const kl_batch *b, uint64_t created_ns)
{
    return created_ns > kl_time_add(b->created_ns, b->topic->set->seal_after_ns);
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
    if (b && is_too_young(b, created_ns))
        b = NULL;

    if (admit) {
        size_t copied = (size_t)size - (r->set & KLOOP_SET_BORROWED ? r->value.len : 0);
        kloop_status status =
            kl_budget_admit(e, p->topic, kl_budget_record_growth_max(b, r, copied));
        if (status)
            return status;
    }
    if (b) {
        kl_record_appended appended = append_both(b, r, timestamp_ms, batch_bytes, batch_bytes);
        if (appended != KL_RECORD_TOO_LARGE) {
            sum_up_sometimes(b);
            return status_of(appended);
        }
    }
    if (kl_topics_open(p)) {
        bool young = is_too_young(kl_topics_open(p), created_ns);
        kl_readiness_close_batch(e, p, young ? KLOOP_SEAL_AGE : KLOOP_SEAL_FULL);
        kl_readiness_update(e, p);
    }
    return begin_batch(e, p, r, (size_t)size, timestamp_ms, created_ns);
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

/* A plain record and its user into an open batch that has room for both; false: nothing was done.
 * medium, a constant: see kl_record_append_plain(). */
KL_INLINE bool append_plainly(const kloop_topic *t, const kloop_record *r, kl_batch *b, bool medium)
{
    if (KL_UNLIKELY(kl_chain_room(&b->users) < sizeof r->user ||
                    !kl_batch_builder_append_plain(&b->builder, r->key, r->value,
                                                   t->engine->now.wall_ms, b->limit, medium)))
        return false;
    memcpy(b->users.pos, &r->user, sizeof r->user);
    b->users.pos += sizeof r->user;
    return true;
}

/* One copy for all callers but those that know more of the record: it is long. */
static __attribute__((noinline)) bool append_any_size(kloop_topic *t, const kloop_record *r,
                                                      kl_batch *b)
{
    return append_plainly(t, r, b, false);
}

/* Where a partition is chosen for each record, most of them find an open batch with room, as those
 * do that go straight there. false: nothing was done. */
static bool append_in_place(kloop_topic *t, const kloop_record *r, int32_t partition)
{
    kl_batch *b = t->open[partition];
    if (!b || r->header_count || (r->set & ~KLOOP_SET_PARTITION) || !append_any_size(t, r, b))
        return false;
    expect_more(b);
    return true;
}

static kloop_status send_slowly(kloop_topic *t, const kloop_record *r);

/* A loan that is not worth it: what it takes to give it back comes first, for that must not fail
 * once the record is taken. */
static kloop_status send_copied(kloop_topic *t, const kloop_record *r)
{
    kl_pool *pool = &t->engine->pool;
    kl_segment *ring = NULL;
    const kl_loan loan = {
        .data = r->value.data, .len = (uint32_t)r->value.len, .lender = r->lender};
    if (!kl_loans_add(pool, &ring, &loan))
        return KLOOP_NO_MEMORY;
    kloop_record copied = *r;
    copied.set &= ~KLOOP_SET_BORROWED;
    /* Where nothing is held a record always goes in, and this is nothing. */
    size_t bytes = kl_segment_size(ring);
    kl_pool_unhold(pool, bytes);
    kloop_status status = send_slowly(t, &copied);
    kl_pool_hold(pool, bytes);
    if (status)
        kl_loans_drop(ring);
    else
        kl_loans_return(pool, ring);
    return status;
}

kloop_status kl_accumulator_route(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                                  int32_t *partition)
{
    *partition = -1;
    if (!kl_list_is_empty(&t->parked))
        kl_parking_advance(e, t);
    if (t->partition_count > 0 && (r->set & KLOOP_SET_PARTITION) &&
        r->partition >= t->partition_count) {
        /* The topic may have grown since. */
        kl_metadata_want(e);
        return KLOOP_BAD_PARTITION;
    }
    if (t->partition_count == 0 || !kl_list_is_empty(&t->parked))
        return KLOOP_OK;
    *partition = kl_accumulator_choose(e, t, r);
    return *partition < 0 ? KLOOP_BAD_PARTITION : KLOOP_OK;
}

/* index below 0: its partition is not known yet. */
KL_INLINE kloop_status append_slowly(kloop_topic *t, const kloop_record *r, int32_t index,
                                     int64_t timestamp_ms)
{
    kloop_engine *e = t->engine;
    if (index < 0)
        return kl_parking_add(e, t, r, timestamp_ms);
    if (t->partitioner.each_apart && append_in_place(t, r, index))
        return KLOOP_OK;
    kl_partition *p = kl_topics_partition(e, t, index);
    return p ? kl_accumulator_add(e, p, r, timestamp_ms, e->now.mono_ns, true) : KLOOP_NO_MEMORY;
}

static __attribute__((cold)) kloop_status append_hooked(kloop_topic *t, const kloop_record *r,
                                                        int32_t index, int64_t timestamp_ms)
{
    kl_hooked_record hooked;
    kloop_status status = kl_hook_append(t->engine, t, r, index, &hooked);
    if (status)
        return status;
    status = append_slowly(t, &hooked.record, index, timestamp_ms);
    kl_hook_end_append(t->engine, &hooked);
    return status;
}

/* plain, a constant: records are taken, and no hook is asked. */
KL_INLINE kloop_status send_checked(kloop_topic *t, const kloop_record *r, bool plain)
{
    kloop_engine *e = t->engine;
    kloop_status status = kl_accumulator_check(r);
    if (status)
        return status;
    if (!plain && !e->taking)
        return e->fatal ? KLOOP_FATAL : KLOOP_CLOSED;
    if ((r->set & KLOOP_SET_CHUNK) && !kl_chunk_takes(e, r->chunk))
        return KLOOP_BAD_CHUNK;
    if ((r->set & KLOOP_SET_BORROWED) && r->value.len < KLOOP_BORROWED_MIN)
        return send_copied(t, r);
    int64_t timestamp_ms = r->set & KLOOP_SET_TIMESTAMP ? r->timestamp_ms : e->now.wall_ms;
    int32_t index;
    status = kl_accumulator_route(e, t, r, &index);
    if (status)
        return status;
    status =
        plain ? append_slowly(t, r, index, timestamp_ms) : append_hooked(t, r, index, timestamp_ms);
    if (status)
        return status;
    e->stats.accepted++;
    if (r->set & KLOOP_SET_CHUNK)
        r->chunk->taken++;
    return KLOOP_OK;
}

static __attribute__((cold)) kloop_status send_not_plainly(kloop_topic *t, const kloop_record *r)
{
    kl_hook_guard(t->engine);
    return send_checked(t, r, false);
}

/* All checks, all ways. */
static __attribute__((noinline)) kloop_status send_slowly(kloop_topic *t, const kloop_record *r)
{
    if (!t || !r)
        return KLOOP_BAD_ARGUMENT;
    return KL_LIKELY(t->engine->plain) ? send_checked(t, r, true) : send_not_plainly(t, r);
}

/* ---- Straight into the batch ---- */

static inline kl_batch *open_batch(const kloop_topic *t, int32_t partition)
{
    return (uint32_t)partition < t->direct_count ? t->open[partition] : NULL;
}

/* b may be NULL in both. */
KL_INLINE kloop_status send_medium(kloop_topic *t, const kloop_record *r, kl_batch *b)
{
    if (KL_UNLIKELY(!b || !append_plainly(t, r, b, true)))
        return send_slowly(t, r);
    t->engine->stats.accepted++;
    return KLOOP_OK;
}

/* Not inlined, so that the short way of the others needs no room on the stack. */
static __attribute__((noinline)) kloop_status send_any_size(kloop_topic *t, const kloop_record *r,
                                                            kl_batch *b)
{
    if (KL_UNLIKELY(!b || !append_plainly(t, r, b, false)))
        return send_slowly(t, r);
    t->engine->stats.accepted++;
    return KLOOP_OK;
}

static __attribute__((noinline)) kloop_status send_along_any_size(kloop_topic *t,
                                                                  const kloop_record *r)
{
    return send_any_size(t, r, open_batch(t, t->sticky));
}

/* Of a key that murmur2 says nothing about; -1: it takes more than a look. */
static __attribute__((noinline)) int32_t partition_otherwise(const kloop_topic *t,
                                                             const kloop_record *r)
{
    int32_t partition = -1;
    kl_partition_by by =
        kl_partitioner_judge(&t->partitioner.how, r->key, t->partition_count, &partition);
    return by == KL_PARTITION_BY_STICKY ? t->sticky : partition;
}

static int32_t partition_of_key(const kloop_topic *t, const kloop_record *r)
{
    return KL_LIKELY(t->partitioner.murmur2_keys)
               ? kl_partition_for_key(r->key.data, r->key.len, t->partition_count)
               : partition_otherwise(t, r);
}

/* With a key, or to the partition of the caller's choice. */
static __attribute__((noinline)) kloop_status send_scattered(kloop_topic *t, const kloop_record *r)
{
    if (KL_UNLIKELY(t->direct_count == 0))
        return send_slowly(t, r);
    int32_t partition = r->set & KLOOP_SET_PARTITION ? r->partition : partition_of_key(t, r);
    kl_batch *b = open_batch(t, partition);
    kloop_status status =
        kl_record_is_medium(r->key, r->value) ? send_medium(t, r, b) : send_any_size(t, r, b);
    if (b)
        expect_more(b);
    return status;
}

/* Which partition is known without a choice; -1: none. */
static int32_t partition_at_hand(const kloop_topic *t, const kloop_record *r)
{
    if (t->direct_count == 0)
        return -1;
    if (r->set & KLOOP_SET_PARTITION)
        return r->partition;
    return r->key.data ? partition_of_key(t, r) : t->sticky;
}

/* One record more of the chunk that the one before it belongs to. */
static kloop_status send_in_chunk(kloop_topic *t, const kloop_record *r, kl_batch *b)
{
    kl_chunk_run *run = b->chunks->last;
    if (KL_UNLIKELY(!run || run->chunk != r->chunk || r->chunk->ended ||
                    run->first + run->count != (uint32_t)b->builder.count ||
                    !append_any_size(t, r, b)))
        return send_slowly(t, r);
    run->count++;
    run->chunk->taken++;
    t->engine->stats.accepted++;
    return KLOOP_OK;
}

/* What is not plain, or not right. */
static __attribute__((noinline)) kloop_status send_specially(kloop_topic *t, const kloop_record *r)
{
    if (!t || !r || r->header_count || (r->set & ~KLOOP_SET_PARTITION) != KLOOP_SET_CHUNK)
        return send_slowly(t, r);
    kl_batch *b = open_batch(t, partition_at_hand(t, r));
    if (!b || !b->chunks)
        return send_slowly(t, r);
    return send_in_chunk(t, r, b);
}

kloop_status kloop_engine_send(kloop_topic *t, const kloop_record *r)
{
    /* Headers and timestamps of the user's take the long way, and so do chunks, loans, and whatever
     * is wrong. */
    if (KL_UNLIKELY(!t || !r || r->header_count || (r->set & SET_SPECIAL)))
        return send_specially(t, r);
    if ((r->set & KLOOP_SET_PARTITION) || r->key.data)
        return send_scattered(t, r);
    /* Without a key one partition takes record after record. */
    return kl_record_is_medium(r->key, r->value) ? send_medium(t, r, open_batch(t, t->sticky))
                                                 : send_along_any_size(t, r);
}
