/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parked records. See parking.h.
 *
 *     parked_record | key | value | for each header: parked_header | key | value
 *     parked_record | key | for each header ... | value, where it is borrowed
 *
 * The user of a record that belongs to a chunk is that chunk. A batch that was encoded elsewhere is
 * a record whose value it is, in a parked batch of its own.
 */
#include "core/parking.h"

#include "core/accumulator.h"
#include "core/budget.h"
#include "core/chunk.h"
#include "core/completion.h"
#include "core/encoded.h"
#include "core/metadata.h"
#include "core/readiness.h"
#include "core/topic_share.h"
#include "core/trace_points.h"

/* A null has this length. */
#define NULL_LEN UINT32_MAX

typedef struct parked_record {
    int64_t timestamp_ms;
    uint64_t body_bytes; /* of all that follows this struct */
    int32_t partition;
    uint32_t set;
    uint32_t key_len;
    uint32_t value_len;
    uint32_t header_count;
} parked_record;

typedef struct parked_header {
    uint32_t key_len;
    uint32_t value_len;
} parked_header;

/* How much of it is sent anew at once; and with each record that is sent while the partitions
 * are known, so that a user who sends without a pause does not keep the line from ending. */
#define SLICE_RECORDS 512
#define SLICE_BYTES   (256 * 1024)
#define STEP_RECORDS  8
/* To begin a batch takes as long as so many more records, and in a topic of many partitions nearly
 * each of them does: ten thousand once held the loop for 3 ms. */
#define BATCH_RECORDS 8

/* A parked batch is given back when it was moved to its last record, and until then the records are
 * in memory twice. */
#define PARKED_BATCH_BYTES (64 * 1024)

/* No record of a batch is younger than its first one by more than this part of the time that it
 * has. */
#define AGE_PARTS 16

static uint32_t len_of(kloop_slice s)
{
    return s.data ? (uint32_t)s.len : NULL_LEN;
}

static bool append_slice(kl_chain *chain, kloop_slice s)
{
    return !s.data || kl_chain_append(chain, s.data, s.len);
}

static bool append_record(kl_chain *chain, const kloop_record *r, const parked_record *head)
{
    bool borrowed = (r->set & KLOOP_SET_BORROWED) != 0;
    if (!kl_chain_append(chain, head, sizeof *head) || !append_slice(chain, r->key) ||
        (!borrowed && !append_slice(chain, r->value)))
        return false;
    for (uint32_t i = 0; i < r->header_count; i++) {
        const kloop_record_header *h = &r->headers[i];
        parked_header lens = {(uint32_t)h->key.len, len_of(h->value)};
        if (!kl_chain_append(chain, &lens, sizeof lens) ||
            !kl_chain_append(chain, h->key.data, h->key.len) || !append_slice(chain, h->value))
            return false;
    }
    return !borrowed || kl_chain_lend(chain, r->value, 0, r->lender);
}

static size_t body_bytes(const kloop_record *r)
{
    size_t bytes = r->key.data ? r->key.len : 0;
    if (r->value.data && !(r->set & KLOOP_SET_BORROWED))
        bytes += r->value.len;
    for (uint32_t i = 0; i < r->header_count; i++)
        bytes += sizeof(parked_header) + r->headers[i].key.len +
                 (r->headers[i].value.data ? r->headers[i].value.len : 0);
    return bytes;
}

static kl_batch *last_of(const kloop_topic *t)
{
    kl_link *last = kl_list_last(&t->parked);
    return last ? KL_CONTAINER_OF(last, kl_batch, in_line) : NULL;
}

static uint64_t patience_ns(const kloop_engine *e)
{
    return kl_time_min(e->set.max_block_ns, e->set.delivery_timeout_ns);
}

/* When a parked batch is given up. Once partitions are known there is no metadata to wait for, and
 * nothing but delivery.timeout.ms counts. That max.block.ms went on counting once had a record
 * reported before an earlier one of the partition it had asked for. */
static uint64_t given_up_at(const kloop_engine *e, const kloop_topic *t, const kl_batch *b)
{
    return kl_time_add(b->created_ns, kl_link_is_linked(&t->in_unpark) ? e->set.delivery_timeout_ns
                                                                       : patience_ns(e));
}

/* May the batch take one more? Not when it is being read, nor when it is old; nor when it is so
 * large that its bytes would be held twice for long: it is given back when all of it was sent anew.
 */
static bool takes_more(const kloop_engine *e, const kloop_topic *t, const kl_batch *b)
{
    if (t->unparking && kl_list_first(&t->parked) == &b->in_line)
        return false;
    if (b->stage != KL_STAGE_PARKED || b->whole || b->generation != kl_batch_generation(e) ||
        kl_chain_len(&b->builder.payload) >= PARKED_BATCH_BYTES)
        return false;
    return e->now.mono_ns < kl_time_add(b->created_ns, patience_ns(e) / AGE_PARTS);
}

/* The record, its user and its chunk, or nothing of these. */
static bool append_all(kloop_engine *e, kl_batch *b, const kloop_record *r,
                       const parked_record *head)
{
    void *user = r->user;
    kl_chunk_run *run = NULL;
    if (r->set & KLOOP_SET_CHUNK) {
        user = r->chunk;
        run = kl_chunk_runs_at(e, b, b->parked, r->chunk);
        if (!run)
            return false;
    }
    kl_chain_mark records = kl_chain_here(&b->builder.payload);
    kl_chain_mark users = kl_chain_here(&b->users);
    if (!append_record(&b->builder.payload, r, head) ||
        !kl_chain_append(&b->users, &user, sizeof user)) {
        kl_chain_rewind(&b->builder.payload, records);
        kl_chain_rewind(&b->users, users);
        return false;
    }
    if (run)
        run->count++;
    b->parked++;
    return true;
}

/* whole: as many records, encoded elsewhere; else 0. */
static kloop_status park(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                         int64_t timestamp_ms, uint32_t whole)
{
    parked_record head = {
        .timestamp_ms = timestamp_ms,
        .body_bytes = body_bytes(r),
        .partition = r->partition,
        .set = r->set,
        .key_len = len_of(r->key),
        .value_len = len_of(r->value),
        .header_count = r->header_count,
    };
    kl_batch *b = last_of(t);
    if (b && (whole || !takes_more(e, t, b)))
        b = NULL;
    kloop_status status = kl_budget_admit(
        e, t, kl_budget_record_growth_max(b, r, sizeof head + (size_t)head.body_bytes));
    if (status)
        return status;

    bool fresh = !b;
    if (fresh && !(b = kl_batch_new(e, t, NULL, KL_STAGE_PARKED)))
        return KLOOP_NO_MEMORY;
    if (!append_all(e, b, r, &head)) {
        if (fresh)
            kl_batch_del(e, b);
        return KLOOP_NO_MEMORY;
    }
    if (fresh) {
        b->whole = whole;
        KL_TRACE(e, batch, b, KLOOP_TRACE_PARKED, 0, 0, 0);
#ifdef KL_PLANT_PARKED_LOSE_ORDER
        kl_list_push_front(&t->parked, &b->in_line);
#else
        kl_list_push_back(&t->parked, &b->in_line);
#endif
        kl_topics_judge(e, t);
#ifndef KL_PLANT_DEADLINE_MISSED_WHILE_PARKED
        kl_heap_set(&e->timers, &b->expiry, given_up_at(e, t, b));
#endif
        t->used_ns = e->now.mono_ns;
        kl_metadata_want_topic(e, t);
    }
    return KLOOP_OK;
}

kloop_status kl_parking_add(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                            int64_t timestamp_ms)
{
    kl_record as_record = {
        .key = r->key, .value = r->value, .headers = r->headers, .header_count = r->header_count};
    uint64_t size = kl_record_size(&as_record, INT64_MAX, INT32_MAX);
    if (KLOOP_BATCH_HEADER_BYTES + size > e->set.record_bytes_max)
        return KLOOP_TOO_LARGE;
    return park(e, t, r, timestamp_ms, 0);
}

kloop_status kl_parking_add_whole(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                                  uint32_t whole)
{
    return park(e, t, r, -1, whole);
}

void kl_parking_open(kloop_engine *e, kloop_topic *t)
{
    if (kl_list_is_empty(&t->parked) || kl_link_is_linked(&t->in_unpark))
        return;
    e->stirred = true;
    kl_list_push_back(&e->unpark, &t->in_unpark);
    for (kl_link *at = kl_list_first(&t->parked); at; at = kl_list_next(&t->parked, at)) {
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage == KL_STAGE_PARKED)
            kl_heap_set(&e->timers, &b->expiry, given_up_at(e, t, b));
    }
}

/* What can go on waits for something of t's own, not for the whole producer. */
static void set_aside(kloop_engine *e, kloop_topic *t)
{
    kl_list_remove(&t->in_unpark);
    kl_list_push_back(&e->unpark_aside, &t->in_unpark);
}

static void take_up(kloop_engine *e, kloop_topic *t)
{
    kl_list_remove(&t->in_unpark);
    kl_list_push_back(&e->unpark, &t->in_unpark);
    e->stirred = true;
}

bool kl_parking_yields(kloop_engine *e, kl_batch *b)
{
    if (b->stage != KL_STAGE_PARKED || b->yielded || kl_heap_when(&e->timers) > e->now.mono_ns)
        return false;
    b->yielded = true;
    kl_heap_set(&e->timers, &b->expiry, e->now.mono_ns);
    return true;
}

void kl_parking_forget(kloop_engine *e, kl_batch *b)
{
    kloop_topic *t = b->topic;
    /* Only the first of the line is ever being read, and it is the one that leaves. */
    t->unparking = false;
    kl_topics_judge(e, t);
    if (!kl_list_is_empty(&t->parked) || !kl_link_is_linked(&t->in_unpark))
        return;
    kl_list_remove(&t->in_unpark);
    if (t->share)
        t->share->unpark_waits = false;
    /* Batches were spared the look at their age meanwhile. */
    kl_readiness_review(e, t, false);
}

uint64_t kl_parking_count(const kloop_topic *t)
{
    uint64_t records = 0;
    for (kl_link *at = kl_list_first(&t->parked); at; at = kl_list_next(&t->parked, at)) {
        const kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage == KL_STAGE_PARKED)
            records += (uint64_t)(b->parked - b->moved) * kl_batch_records_each(b);
    }
    return records;
}

void kl_parking_go_on(kloop_engine *e, kloop_topic *t)
{
    if (kl_link_is_linked(&t->in_unpark) && !(t->share && t->share->unpark_waits))
        take_up(e, t);
}

void kl_parking_fail(kloop_engine *e, kloop_topic *t, int16_t broker_error, kloop_cause cause)
{
    kl_link *next;
    for (kl_link *at = kl_list_first(&t->parked); at; at = next) {
        next = kl_list_next(&t->parked, at);
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage != KL_STAGE_PARKED)
            continue;
        b->broker_error = broker_error;
        kl_completion_settle(e, b, KLOOP_OUTCOME_FAILED, cause);
    }
}

void kl_parking_shut_out(kloop_engine *e, int16_t broker_error)
{
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        if (t->partition_count == 0)
            kl_parking_fail(e, t, broker_error, KLOOP_CAUSE_SECURITY);
    }
}

/* ---- Reading them back ---- */

/* The next len bytes in one piece: where they lie, or gathered behind what scratch holds. */
static const uint8_t *take(kloop_engine *e, kl_chain_cursor *at, size_t len)
{
    if (len == 0)
        return (const uint8_t *)"";
    kloop_slice first = kl_chain_read_some(at, len);
    if (first.len == len)
        return first.data;
    size_t start = e->scratch.len;
    kl_buf_append(&e->scratch, first.data, first.len);
    for (size_t have = first.len; have < len;) {
        kloop_slice more = kl_chain_read_some(at, len - have);
        KL_ASSERT(more.data);
        kl_buf_append(&e->scratch, more.data, more.len);
        have += more.len;
    }
    return e->scratch.failed ? NULL : e->scratch.data + start;
}

static kloop_slice slice_at(const uint8_t **at, uint32_t len)
{
    if (len == NULL_LEN)
        return (kloop_slice){NULL, 0};
    kloop_slice s = {*at, len};
    *at += len;
    return s;
}

/* The record at the cursor; its views are good until scratch is used again. false: no memory. */
static bool read_record(kloop_engine *e, kl_chain_cursor *at, kloop_record *r,
                        int64_t *timestamp_ms)
{
    kl_buf_reset(&e->scratch);
    parked_record head;
    const uint8_t *bytes = take(e, at, sizeof head);
    if (!bytes)
        return false;
    memcpy(&head, bytes, sizeof head);
    kl_buf_reset(&e->scratch);
    /* Room for the headers first: what is gathered must not move any more. */
    size_t table = head.header_count * sizeof(kloop_record_header);
    if (!kl_buf_reserve(&e->scratch, table + head.body_bytes, NULL))
        return false;
    kl_buf_commit(&e->scratch, table);
    bytes = take(e, at, head.body_bytes);
    if (!bytes)
        return false;
    *r = (kloop_record){.set = head.set, .partition = head.partition};
    bool borrowed = (head.set & KLOOP_SET_BORROWED) != 0;
    r->key = slice_at(&bytes, head.key_len);
    if (!borrowed)
        r->value = slice_at(&bytes, head.value_len);
    kloop_record_header *headers = (kloop_record_header *)(void *)e->scratch.data;
    for (uint32_t i = 0; i < head.header_count; i++) {
        parked_header lens;
        memcpy(&lens, bytes, sizeof lens);
        bytes += sizeof lens;
        kloop_slice key = slice_at(&bytes, lens.key_len);
        headers[i].key = (kloop_string){(const char *)key.data, key.len};
        headers[i].value = slice_at(&bytes, lens.value_len);
    }
    r->headers = head.header_count ? headers : NULL;
    r->header_count = head.header_count;
    *timestamp_ms = head.timestamp_ms;
    if (borrowed) {
        r->lender = kl_chain_next_loan(at)->lender;
        r->value = kl_chain_read_some(at, SIZE_MAX);
        KL_ASSERT(r->value.len == head.value_len);
    }
    return true;
}

/* What to tell of a record that was refused; -1: it did not ask for any. */
static int32_t asked_partition(const kloop_topic *t, const kloop_record *r, kloop_cause cause)
{
    if (r->set & KLOOP_SET_PARTITION)
        return r->partition;
    int32_t bad = cause == KLOOP_CAUSE_PARTITION ? t->partitioner.bad_answer : -1;
    return bad < -1 ? -1 : bad;
}

/* A record that cannot go where it wants to, reported alone. false: no memory. */
static bool reject(kloop_engine *e, const kl_batch *parked, const kloop_record *r,
                   kloop_cause cause)
{
    kl_batch *b = kl_batch_new(e, parked->topic, NULL, KL_STAGE_PARKED);
    if (!b)
        return false;
    kl_chunk_run *run = NULL;
    if (r->set & KLOOP_SET_CHUNK)
        run = kl_chunk_runs_at(e, b, 0, r->chunk);
    if ((!run && (r->set & KLOOP_SET_CHUNK)) ||
        !kl_chain_append(&b->users, &r->user, sizeof r->user)) {
        kl_batch_del(e, b);
        return false;
    }
    if (run)
        run->count++;
    b->whole = parked->whole;
    /* It counts for the flush that its fellows count for. */
    kl_batch_join_generation(b, parked->generation);
    b->parked = 1;
    b->asked_partition = asked_partition(parked->topic, r, cause);
    kl_completion_settle(e, b, KLOOP_OUTCOME_FAILED, cause);
    return true;
}

/* A batch that was made for parked records counts for the flush that they count for. */
static void join_generation(kloop_engine *e, kl_batch *b, kl_generation *generation)
{
    kl_batch_join_generation(b, generation);
    if (generation == kl_batch_generation(e) || b->stage != KL_STAGE_OPEN)
        return;
    /* That flush came while they were parked. */
    b->due = true;
    kl_readiness_update(e, b->partition);
}

/* The loan of the record that is being moved is in another batch now. */
static void hand_on(const kloop_topic *t, kl_batch *parked)
{
    kl_chain_cursor at = t->unpark_records;
    kl_chain_hand_on(&parked->builder.payload, kl_chain_next_loan(&at));
}

/*
 * Would a batch of the partition die too early for one of those that were parked together? Of their
 * ages only the first one's is known: the others may have come until the batch took no more.
 */
static bool may_be_too_young(const kloop_engine *e, const kl_batch *open, const kl_batch *parked)
{
    uint64_t youngest =
        kl_time_min(e->now.mono_ns, kl_time_add(parked->created_ns, patience_ns(e) / AGE_PARTS));
    return youngest > kl_time_add(open->created_ns, open->topic->set->seal_after_ns);
}

static void close_open(kloop_engine *e, kl_partition *p, kloop_trace_seal why)
{
    kl_readiness_close_batch(e, p, why);
    kl_readiness_update(e, p);
}

/* false: no memory; the record stays parked. */
static bool send_anew(kloop_engine *e, kloop_topic *t, kl_batch *parked, const kloop_record *r,
                      int64_t timestamp_ms)
{
    int32_t index = kl_accumulator_choose(e, t, r);
    if (index < 0)
        return reject(e, parked, r, KLOOP_CAUSE_PARTITION);
    kl_partition *p = kl_topics_partition(e, t, index);
    if (!p)
        return false;
    /* A batch of another flush would let that flush come before these records. */
    if (kl_topics_open(p) && kl_topics_open(p)->generation != parked->generation)
        close_open(e, p, KLOOP_SEAL_FLUSH);
    else if (kl_topics_open(p) && may_be_too_young(e, kl_topics_open(p), parked))
        close_open(e, p, KLOOP_SEAL_AGE);
    kl_link *had = kl_list_last(&p->line);
    kloop_status status =
        parked->whole ? kl_encoded_add(e, p, r, parked->created_ns, false)
                      : kl_accumulator_add(e, p, r, timestamp_ms, parked->created_ns, false);
    if (status == KLOOP_TOO_LARGE)
        return reject(e, parked, r, KLOOP_CAUSE_NO_MEMORY);
    if (status)
        return false;
    kl_link *last = kl_list_last(&p->line);
    if (last != had)
        join_generation(e, KL_CONTAINER_OF(last, kl_batch, in_line), parked->generation);
    if (r->set & KLOOP_SET_BORROWED)
        hand_on(t, parked);
    return true;
}

/* The first parked batch was moved to its last record: nothing of it is to be reported. */
static void drop_first(kloop_engine *e, kl_batch *b)
{
    KL_TRACE(e, batch, b, KLOOP_TRACE_UNPARKED, 0, b->moved, 0);
    kl_list_remove(&b->in_line);
    kl_parking_forget(e, b);
    kl_batch_del(e, b);
}

/*
 * Is there room for t's records to be in other batches? Some partitions take far more memory for a
 * record than the line does. What was moved has to leave before more is moved; but something must
 * always get on. A topic whose share is full waits alone.
 */
static bool has_room(kloop_engine *e, kloop_topic *t)
{
    if (t->share && !kl_topic_share_moves(e, t)) {
        set_aside(e, t);
        t->share->unpark_waits = true;
        return false;
    }
    if (kl_budget_held(e) <= e->set.memory_bytes || e->lined_batches == 0)
        return true;
    kl_readiness_hurry(e);
    e->unpark_waits = true;
    return false;
}

/* The first parked record; false: there is no memory for it. */
static bool move_record(kloop_engine *e, kloop_topic *t, kl_batch *b, size_t *bytes)
{
    kl_chain_cursor records = t->unpark_records;
    kl_chain_cursor users = t->unpark_users;
    kloop_record r;
    int64_t timestamp_ms;
    if (!read_record(e, &records, &r, &timestamp_ms))
        return false;
    kloop_slice user = kl_chain_read_some(&users, sizeof r.user);
    KL_ASSERT(user.len == sizeof r.user);
    memcpy(&r.user, user.data, sizeof r.user);
    if (r.set & KLOOP_SET_CHUNK)
        r.chunk = r.user;
    if (!send_anew(e, t, b, &r, timestamp_ms))
        return false;
    t->unpark_records = records;
    t->unpark_users = users;
    b->moved++;
    *bytes += r.key.len + r.value.len;
    return true;
}

/* At most so many records of t's line, until they have to wait: for room, or for the allocator. One
 * that begins a batch counts as batch_records more. */
static void move_some(kloop_engine *e, kloop_topic *t, size_t records_max, size_t batch_records)
{
    size_t bytes = 0, begun = 0;
    for (size_t n = 0; n + begun * batch_records < records_max && bytes < SLICE_BYTES; n++) {
        kl_link *first = kl_list_first(&t->parked);
        if (!first)
            return;
        kl_batch *b = KL_CONTAINER_OF(first, kl_batch, in_line);
        /* Given up, and its report waits for those that were sent before. */
        if (b->stage != KL_STAGE_PARKED) {
            set_aside(e, t);
            return;
        }
        if (!t->unparking) {
            t->unparking = true;
            t->unpark_records = kl_chain_read(&b->builder.payload);
            t->unpark_users = kl_chain_read(&b->users);
        }
        if (!has_room(e, t))
            return;
        size_t lined = e->lined_batches;
        bool moved = move_record(e, t, b, &bytes);
        begun += e->lined_batches > lined;
        if (!moved) {
            /* Nothing tells when the allocator has memory again, and least of all what was begun
             * here and given back. */
            kl_heap_set(&e->timers, &e->unpark_timer,
                        kl_time_add(e->now.mono_ns, e->set.retry_backoff_ns));
            e->unpark_waits = e->unpark_starved = true;
            return;
        }
        if (b->moved == b->parked)
            drop_first(e, b);
    }
}

void kl_parking_advance(kloop_engine *e, kloop_topic *t)
{
    if (kl_link_is_linked(&t->in_unpark) && !e->unpark_waits &&
        !(t->share && t->share->unpark_waits))
        move_some(e, t, STEP_RECORDS, 0);
}

bool kl_parking_step(kloop_engine *e)
{
    kl_link *at = kl_list_first(&e->unpark);
    if (!at || e->turn_work == 0 || e->unpark_waits)
        return false;
    e->turn_work--;
    move_some(e, KL_CONTAINER_OF(at, kloop_topic, in_unpark), SLICE_RECORDS, BATCH_RECORDS);
    return true;
}

void kl_parking_retry(kloop_engine *e)
{
    if (!e->unpark_waits || e->unpark_starved)
        return;
    e->unpark_waits = false;
    e->stirred = true;
}

void kl_parking_timer(kloop_engine *e)
{
    e->unpark_starved = false;
    kl_parking_retry(e);
}

void kl_parking_retry_share(kloop_engine *e, kloop_topic *t)
{
    if (!t->share->unpark_waits)
        return;
    t->share->unpark_waits = false;
    take_up(e, t);
}
