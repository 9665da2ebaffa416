/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records into other batches. See reshape.h.
 *
 *     payload --gather, or the codec--> raw --move--> children --replace--> the line
 */
#include "core/reshape.h"

#include "core/bad_records.h"
#include "core/budget.h"
#include "core/chunk.h"
#include "core/completion.h"
#include "core/folding.h"
#include "core/idempotence.h"
#include "core/log.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/sticky.h"
#include "core/trace_points.h"
#include "protocol/record_move.h"

#include <kloop/broker_error.h>

/* What a unit of work is, about 50 us. */
#define GATHER_BYTES ((size_t)128 * 1024)
#define MOVE_BYTES   ((size_t)64 * 1024)
#define MOVE_RECORDS 1024

/* A batch has at least a segment for its records and one for its users: many small pieces at once
 * would take far more memory than the batch they are made of. */
#define PIECES_MAX 8

void kl_reshape_init(kloop_engine *e)
{
    kl_buf_init(&e->reshape.raw, &e->alloc);
    kl_buf_init(&e->reshape.slices, &e->alloc);
    kl_list_init(&e->reshape.children);
    kl_chain_init(&e->reshape.plain, &e->pool);
}

static void end_unfolding(kl_reshape *w)
{
    kl_decompressor_del(w->unfolder);
    w->unfolder = NULL;
    kl_buf_deinit(&w->slices);
}

/* Whatever was begun is as if it had not been. */
static void drop_work(kloop_engine *e)
{
    kl_reshape *w = &e->reshape;
    kl_link *at;
    while ((at = kl_list_pop_front(&w->children)))
        kl_batch_del(e, KL_CONTAINER_OF(at, kl_batch, in_queue));
    end_unfolding(w);
    kl_buf_deinit(&w->raw);
    kl_chain_clear(&w->plain);
    w->batch = NULL;
}

void kl_reshape_deinit(kloop_engine *e)
{
    drop_work(e);
}

static void enqueue(kloop_engine *e, kl_batch *b, kloop_trace_reshape into)
{
    KL_ASSERT(b->stage == KL_STAGE_READY);
    KL_TRACE(e, batch, b, KLOOP_TRACE_RESHAPED, (int)into, 0, 0);
    b->stage = KL_STAGE_RESHAPING;
    e->stirred = true;
    kl_list_push_back(&e->reshaping, &b->in_queue);
}

void kl_reshape_split(kloop_engine *e, kl_batch *b)
{
    KL_ASSERT(b->builder.count > 1 && !b->fate_unknown);
    enqueue(e, b, KLOOP_RESHAPE_SPLIT);
    b->to_split = true;
}

void kl_reshape_purify(kloop_engine *e, kl_batch *b)
{
    KL_ASSERT(b->builder.count > 1 && !b->fate_unknown);
    enqueue(e, b, KLOOP_RESHAPE_PURIFY);
}

void kl_reshape_refold(kloop_engine *e, kl_batch *b)
{
    KL_ASSERT(kl_batch_is_folded(b) && !b->whole);
    enqueue(e, b, KLOOP_RESHAPE_RECODE);
    b->to_refold = true;
}

void kl_reshape_forget(kloop_engine *e, kl_batch *b)
{
    if (e->reshape.batch == b)
        drop_work(e);
    kl_list_remove(&b->in_queue);
    b->stage = KL_STAGE_READY;
    b->to_split = false;
    b->to_refold = false;
}

/* There is no memory now. It stays what it is, and readiness.c begins anew with it. */
static void put_off(kloop_engine *e, kl_batch *b)
{
    kl_log_trouble(e, KLOOP_LOG_WARN,
                   "topic '%s' partition %d: out of memory for putting a batch together anew; "
                   "trying again",
                   b->topic->name, (int)b->partition->index);
    kl_reshape_forget(e, b);
    kl_completion_put_off(e, b);
}

/* Its bytes are not what was folded, which does not get better: the refusal stands. */
static void give_up(kloop_engine *e, kl_batch *b, kl_codec_status why)
{
    kl_log(e, KLOOP_LOG_ERROR,
           "topic '%s' partition %d: a batch cannot be put together anew: %s, in our own memory. "
           "It is given up.",
           b->topic->name, (int)b->partition->index, kl_codec_status_text(why));
    kloop_cause cause = b->to_split ? KLOOP_CAUSE_BROKER : KLOOP_CAUSE_NEIGHBOUR;
    /* Others were refused in its place. */
    if (b->broker_error == 0)
        b->broker_error = KLOOP_BROKER_MESSAGE_TOO_LARGE;
    kl_completion_give_up(e, b, cause);
}

/* ---- Its records, one behind the other ---- */

static size_t raw_bytes(const kl_batch *b)
{
    return kl_batch_raw_len(b) - KLOOP_BATCH_HEADER_BYTES;
}

/* How large a piece may be: half of what was refused, or less if less is known to be needed. */
static size_t piece_bytes(const kl_batch *b)
{
    size_t raw = raw_bytes(b);
    size_t ceiling = b->topic->batch_bytes;
    size_t fits = ceiling > KLOOP_BATCH_HEADER_BYTES ? ceiling - KLOOP_BATCH_HEADER_BYTES : 0;
    if (fits > raw / 2)
        fits = raw / 2;
    return fits > raw / PIECES_MAX ? fits : raw / PIECES_MAX;
}

static kl_codec_status begin(kloop_engine *e, kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    kl_buf_reset(&w->raw);
    kl_buf_set_limit(&w->raw, raw_bytes(b));
    if (!kl_buf_reserve(&w->raw, raw_bytes(b), NULL))
        return KL_CODEC_NO_MEMORY;
    w->batch = b;
    w->at = 0;
    w->folded = kl_chain_read(&b->builder.payload);
    w->users = kl_chain_read(&b->users);
    w->user = 0;
    w->bad = 0;
    w->begun_at = 0;
    w->child_bytes = b->to_split ? piece_bytes(b) : SIZE_MAX;
    return KL_CODEC_OK;
}

static kl_codec_status begin_unfolding(kloop_engine *e, const kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    const kl_chain *payload = &b->builder.payload;
    size_t count = kl_chain_slice_count(payload);
    kloop_slice *slices =
        (kloop_slice *)(void *)kl_buf_reserve(&w->slices, count * sizeof *slices, NULL);
    if (!slices)
        return KL_CODEC_NO_MEMORY;
    kl_chain_slices(payload, slices, count);
    kl_codec_status status = kl_decompressor_new(&w->unfolder, b->builder.codec, &e->alloc);
    if (!status)
        kl_decompress_begin(w->unfolder, slices, count, raw_bytes(b), &w->raw);
    return status;
}

/* A step of the codec's. No more comes out than went in, for which raw has its room: whatever its
 * bytes say, this is no bomb. */
static kl_codec_status unfold(kloop_engine *e, const kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    if (!w->unfolder)
        return begin_unfolding(e, b);
    bool done;
    kl_codec_status status = kl_decompress_some(w->unfolder, &done);
    if (status || !done)
        return status;
    end_unfolding(w);
    return w->raw.len == raw_bytes(b) ? KL_CODEC_OK : KL_CODEC_CORRUPT;
}

/* Some more of its records into raw, which has room for all. */
static kl_codec_status gather(kloop_engine *e, kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    if (kl_batch_is_folded(b))
        return unfold(e, b);
    for (size_t left = GATHER_BYTES; left > 0;) {
        kloop_slice piece = kl_chain_read_some(&w->folded, left);
        if (!piece.data)
            break;
        kl_buf_append(&w->raw, piece.data, piece.len);
        left -= piece.len;
    }
    return KL_CODEC_OK;
}

/* ---- Into children ---- */

static kl_batch *last_child(const kl_reshape *w)
{
    kl_link *last = kl_list_last(&w->children);
    return last ? KL_CONTAINER_OF(last, kl_batch, in_queue) : NULL;
}

/* The last child has all that it gets. false: no memory. */
static bool finish_child(kloop_engine *e, const kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    kl_batch *child = last_child(w);
    return !child || (kl_bad_records_hand_down(e, b, w->begun_at, w->user, child) &&
                      kl_chunk_runs_hand_down(e, b, w->begun_at, w->user, child));
}

/* NULL: no memory. */
static kl_batch *add_child(kloop_engine *e, const kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    if (!finish_child(e, b))
        return NULL;
    w->begun_at = w->user;
    kl_batch *child = kl_batch_new(e, b->topic, b->partition, KL_STAGE_RESHAPING);
    if (!child)
        return NULL;
    kl_batch_join_generation(child, b->generation);
    child->created_ns = b->created_ns;
    child->left_ns = b->left_ns;
    child->attempts = b->attempts;
    child->launches = b->launches;
    child->broker_error = b->broker_error;
    child->odd_code_met = b->odd_code_met;
    child->piece = true;
    size_t rest = w->raw.len - w->at;
    child->builder.payload.reach = rest < w->child_bytes ? rest : w->child_bytes;
    kl_list_push_back(&w->children, &child->in_queue);
    return child;
}

/* false: no memory. */
static bool move_user(kl_reshape *w, kl_batch *to)
{
    kl_chain_cursor at = w->users;
    kloop_slice user = kl_chain_read_some(&at, sizeof(void *));
    KL_ASSERT(user.len == sizeof(void *));
    if (!kl_chain_append(&to->users, user.data, user.len))
        return false;
    w->users = at;
    w->user++;
    return true;
}

/* The user of a record that is left out, or was before. */
static kl_codec_status move_bad(kloop_engine *e, const kl_batch *b, const kl_bad_record *bad)
{
    kl_reshape *w = &e->reshape;
    kl_moved_record r = {.bytes = 0};
    if (!bad->left_out && !kl_record_move_read(w->raw.data + w->at, w->raw.len - w->at, &r))
        return KL_CODEC_CORRUPT;
    kl_batch *child = last_child(w);
    if (!child)
        child = add_child(e, b);
    if (!child || !move_user(w, child))
        return KL_CODEC_NO_MEMORY;
    w->at += r.bytes;
    w->bad++;
    return KL_CODEC_OK;
}

static bool has_room(const kl_reshape *w, const kl_batch *child, const kl_moved_record *r,
                     int64_t timestamp)
{
    return child->builder.count == 0 ||
           kl_chain_len(&child->builder.payload) +
                   kl_record_move_size(&child->builder, r, timestamp) <=
               w->child_bytes;
}

static kl_codec_status move_record(kloop_engine *e, const kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    kl_moved_record r;
    if (!kl_record_move_read(w->raw.data + w->at, w->raw.len - w->at, &r))
        return KL_CODEC_CORRUPT;
    int64_t timestamp =
        (int64_t)((uint64_t)b->builder.base_timestamp + (uint64_t)r.timestamp_delta);
    kl_batch *child = last_child(w);
    if (!child || !has_room(w, child, &r, timestamp))
        child = add_child(e, b);
#ifdef KL_PLANT_PIECES_LOSE_RECORDS
    if (child && child->builder.count > 0 && w->at + r.bytes == w->raw.len) {
        w->at += r.bytes;
        return move_user(w, child) ? KL_CODEC_OK : KL_CODEC_NO_MEMORY;
    }
#endif
    if (!child || !kl_record_move_append(&child->builder, &r, timestamp) || !move_user(w, child))
        return KL_CODEC_NO_MEMORY;
    w->at += r.bytes;
    return KL_CODEC_OK;
}

/* Some more users with their records. */
static kl_codec_status move_some(kloop_engine *e, const kl_batch *b, bool *done)
{
    kl_reshape *w = &e->reshape;
    size_t stop = w->at + MOVE_BYTES;
    for (int n = 0; n < MOVE_RECORDS && w->at < stop; n++) {
        if (kl_chain_read_all(&w->users)) {
            *done = true;
            return finish_child(e, b) ? KL_CODEC_OK : KL_CODEC_NO_MEMORY;
        }
        const kl_bad_record *bad = kl_bad_records_at(b, w->bad);
        kl_codec_status status =
            bad && bad->place == w->user ? move_bad(e, b, bad) : move_record(e, b);
        if (status)
            return status;
    }
    return KL_CODEC_OK;
}

/* ---- Into the line ---- */

/* The child stands in the line, before b, and goes its own way. */
static void settle_in(kloop_engine *e, kl_batch *b, kl_batch *child)
{
    kl_partition *p = b->partition;
    kl_list_insert_before(&b->in_line, &child->in_line);
    p->line_count++;
    p->topic->lined_batches++;
    e->lined_batches++;
    kl_sticky_line_changed(e, p);
    kl_heap_set(&e->timers, &child->expiry,
                kl_time_add(child->created_ns, e->set.delivery_timeout_ns));
    if (b->numbered && !p->hole) {
        child->numbered = true;
        child->producer_id = b->producer_id;
        child->epoch = b->epoch;
        child->sequence = b->sequence;
#ifndef KL_PLANT_PIECES_SHARE_SEQUENCE
        b->sequence =
            (int32_t)(((uint32_t)b->sequence + (uint32_t)child->builder.count) & INT32_MAX);
#endif
    }
    child->folded_before = kl_batch_is_folded(b);
    kl_folding_begin(e, child);
}

/* Nobody asks for b any more but the requests that show its bytes. */
static void leave_husk(kloop_engine *e, kl_batch *b)
{
    kl_heap_remove(&e->timers, &b->expiry);
    kl_list_remove(&b->in_queue);
    kl_list_remove(&b->in_line);
    b->partition->line_count--;
    b->topic->lined_batches--;
    e->lined_batches--;
    kl_sticky_line_changed(e, b->partition);
    kl_chain_clear(&b->users);
    kl_chunk_runs_del(e, b);
    b->generation->outstanding--;
    b->generation = NULL;
    b->stage = KL_STAGE_REPORTED;
    kl_batch_let_go(e, b);
}

static void replace(kloop_engine *e, kl_batch *b)
{
    kl_reshape *w = &e->reshape;
    kl_partition *p = b->partition;
#ifndef KL_PLANT_REBUILT_KEEPS_EPOCH
    if (b->numbered && kl_bad_records_any_present(b))
        kl_idempotence_hole(e, p);
#endif
    /* They take its place also in the count of batches. */
    e->stats.batches--;
    e->stats.batches_split += b->to_split;
    int64_t count = 0;
    kl_link *at;
    while ((at = kl_list_pop_front(&w->children))) {
        settle_in(e, b, KL_CONTAINER_OF(at, kl_batch, in_queue));
        e->stats.batches++;
        count++;
    }
    KL_TRACE(e, batch, b, KLOOP_TRACE_REPLACED, 0, count, 0);
    drop_work(e);
    leave_husk(e, b);
    kl_readiness_update(e, p);
}

/* ---- Without the codec ---- */

/* Some more of the records as they were. */
static kl_codec_status spread_some(kl_reshape *w, kl_batch *b, bool *done)
{
    if (w->at == 0) {
        kl_chain_init(&w->plain, b->builder.payload.pool);
        w->plain.reach = w->raw.len;
    }
    size_t left = w->raw.len - w->at;
    size_t n = left < GATHER_BYTES ? left : GATHER_BYTES;
    if (!kl_chain_append(&w->plain, w->raw.data + w->at, n))
        return KL_CODEC_NO_MEMORY;
    w->at += n;
    *done = w->at == w->raw.len;
    return KL_CODEC_OK;
}

/* To the codec again, as if it had just been closed. */
static void fold_again(kloop_engine *e, kl_batch *b)
{
    kl_batch_builder_reopen(&b->builder, &e->reshape.plain);
    drop_work(e);
    kl_list_remove(&b->in_queue);
    b->to_refold = false;
    b->folded_before = true;
    kl_folding_begin(e, b);
    kl_readiness_update(e, b->partition);
}

static kl_codec_status work_at(kloop_engine *e, kl_batch *b, bool *done)
{
    kl_reshape *w = &e->reshape;
    kl_codec_status status = w->batch ? KL_CODEC_OK : begin(e, b);
    if (status)
        return status;
    if (w->unfolder || w->raw.len < raw_bytes(b))
        return gather(e, b);
    return b->to_refold ? spread_some(w, b, done) : move_some(e, b, done);
}

bool kl_reshape_step(kloop_engine *e)
{
    kl_link *at = kl_list_first(&e->reshaping);
    if (!at || e->turn_work == 0)
        return false;
    /* What the last one was made into goes first: it takes more memory than before. */
    if (!e->reshape.batch && e->reshape.unfolded > 0)
        return false;
    e->turn_work--;
    kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_queue);
    bool done = false;
    if (b->to_refold && b->refs > 0) {
        /* A connection that is lost still shows its bytes; the host will close it. */
        kl_reshape_forget(e, b);
        kl_completion_put_off(e, b);
        return true;
    }
    kl_codec_status status = work_at(e, b, &done);
    if (status == KL_CODEC_NO_MEMORY)
        put_off(e, b);
    else if (status)
        give_up(e, b, status);
    else if (done && b->to_refold)
        fold_again(e, b);
    else if (done)
        replace(e, b);
    return true;
}
