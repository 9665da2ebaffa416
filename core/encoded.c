/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of others. See encoded.h. */
#include "core/encoded.h"

#include "core/accumulator.h"
#include "core/budget.h"
#include "core/chunk.h"
#include "core/hook_calls.h"
#include "core/parking.h"
#include "core/readiness.h"
#include "core/trace_points.h"
#include "protocol/record_lend.h"

#define SET_KNOWN (KLOOP_SET_PARTITION | KLOOP_SET_BORROWED | KLOOP_SET_CHUNK)

/* ---- Into the line ---- */

/* The chunk or the user, and the bytes. false: no memory. */
static bool fill(kloop_engine *e, kl_batch *b, const kloop_record *r, const kl_encoded_view *view)
{
    kl_chunk_run *run = NULL;
    if (r->set & KLOOP_SET_CHUNK) {
        run = kl_chunk_runs_at(e, b, 0, r->chunk);
        if (!run)
            return false;
    }
    if (!kl_chain_append(&b->users, &r->user, sizeof r->user) ||
        !kl_batch_builder_take(&b->builder, view, (r->set & KLOOP_SET_BORROWED) != 0, r->lender))
        return false;
    if (run)
        run->count++;
    b->whole = (uint32_t)view->count;
    return true;
}

kloop_status kl_encoded_add(kloop_engine *e, kl_partition *p, const kloop_record *r,
                            uint64_t created_ns, bool admit)
{
    if (admit) {
        size_t copied = r->set & KLOOP_SET_BORROWED ? 0 : r->value.len;
        kloop_status status =
            kl_budget_admit(e, p->topic, kl_budget_record_growth_max(NULL, r, copied));
        if (status)
            return status;
    }
    kl_encoded_view view = kl_encoded_read(r->value);
    kl_batch *b = kl_batch_new(e, p->topic, p, KL_STAGE_READY);
    if (!b)
        return KLOOP_NO_MEMORY;
    if (!fill(e, b, r, &view)) {
        kl_batch_del(e, b);
        return KLOOP_NO_MEMORY;
    }
    if (kl_topics_open(p))
        kl_readiness_close_batch(e, p, KLOOP_SEAL_WHOLE);
    kl_accumulator_line_up(e, b, created_ns);
    kl_readiness_count_closed(e, b);
    KL_TRACE(e, sealed, b, KLOOP_SEAL_WHOLE);
    kl_readiness_update(e, p);
    return KLOOP_OK;
}

/* ---- The caller's side ---- */

static kloop_status check(const kloop_engine *e, const kloop_encoded *batch)
{
    if (!batch->bytes.data || (batch->set & ~SET_KNOWN))
        return KLOOP_BAD_ARGUMENT;
    if ((batch->set & KLOOP_SET_PARTITION) && batch->partition < 0)
        return KLOOP_BAD_PARTITION;
    if (!e->taking)
        return e->fatal ? KLOOP_FATAL : KLOOP_CLOSED;
    if ((batch->set & KLOOP_SET_CHUNK) && !kl_chunk_takes(e, batch->chunk))
        return KLOOP_BAD_CHUNK;
    if (batch->bytes.len > e->set.record_bytes_max)
        return KLOOP_TOO_LARGE;
    return kl_encoded_check(batch->bytes, NULL);
}

static kloop_status add(kloop_topic *t, const kloop_record *r, uint32_t count)
{
    kloop_engine *e = t->engine;
    int32_t index;
    kloop_status status = kl_accumulator_route(e, t, r, &index);
    if (status)
        return status;
    if (index < 0)
        return kl_parking_add_whole(e, t, r, count);
    kl_partition *p = kl_topics_partition(e, t, index);
    return p ? kl_encoded_add(e, p, r, e->now.mono_ns, true) : KLOOP_NO_MEMORY;
}

kloop_status kloop_engine_send_batch(kloop_topic *t, const kloop_encoded *batch)
{
    if (!t || !batch)
        return KLOOP_BAD_ARGUMENT;
    kloop_engine *e = t->engine;
    kl_hook_guard(e);
    kloop_status status = check(e, batch);
    if (status)
        return status;
    /* From here on it goes the way of a record whose value it is. */
    const kloop_record r = {
        .value = batch->bytes,
        .set = batch->set,
        .partition = batch->partition,
        .user = batch->user,
        .lender = batch->lender,
        .chunk = batch->chunk,
    };
    int32_t count = kl_encoded_read(batch->bytes).count;
    status = add(t, &r, (uint32_t)count);
    if (status)
        return status;
    e->stats.accepted += (uint64_t)count;
    if (r.set & KLOOP_SET_CHUNK)
        r.chunk->taken += (uint64_t)count;
    return KLOOP_OK;
}
