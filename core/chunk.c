/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks and their runs. See chunk.h. */
#include "core/chunk.h"

#include "core/budget.h"

/* ---- The caller's side ---- */

kloop_status kloop_engine_chunk(kloop_engine *e, void *user, kloop_chunk **chunk)
{
    *chunk = NULL;
    if (!e->taking)
        return e->fatal ? KLOOP_FATAL : KLOOP_CLOSED;
    kloop_chunk *c = kl_mem_zalloc(&e->alloc, 1, sizeof *c);
    if (!c)
        return KLOOP_NO_MEMORY;
    c->engine = e;
    c->user = user;
    kl_list_push_back(&e->chunks, &c->in_chunks);
    *chunk = c;
    return KLOOP_OK;
}

kloop_engine *kloop_chunk_engine(const kloop_chunk *chunk)
{
    return chunk->engine;
}

static void del(kloop_engine *e, kloop_chunk *c)
{
    kl_mem_release(&e->alloc, c->text, c->text_bytes);
    kl_mem_release(&e->alloc, c, sizeof *c);
}

static void judge(kloop_engine *e, kloop_chunk *c)
{
    if (!c->ended || c->taken > c->acked + c->failed + c->unknown)
        return;
    kl_list_remove(&c->in_chunks);
    if (c->dropped)
        del(e, c);
    else
        kl_list_push_back(&e->chunks_done, &c->in_chunks);
}

static void end(kloop_chunk *c, bool dropped)
{
    if (c->left_open) {
        c->left_open = false;
        c->dropped = dropped;
        if (dropped) {
            kl_list_remove(&c->in_chunks);
            del(c->engine, c);
        }
        return;
    }
    KL_ASSERT(!c->ended);
    c->ended = true;
    c->dropped = dropped;
    judge(c->engine, c);
}

void kloop_engine_chunk_end(kloop_chunk *chunk)
{
    end(chunk, false);
}

void kloop_engine_chunk_drop(kloop_chunk *chunk)
{
    end(chunk, true);
}

/* ---- Runs ---- */

/* Runs are looked at where they lie. */
_Static_assert((4096 - sizeof(kl_segment)) % sizeof(kl_chunk_run) == 0,
               "a run lies across segments");

static kl_chunk_runs *runs_of(kloop_engine *e, kl_batch *b)
{
    if (b->chunks)
        return b->chunks;
    kl_chunk_runs *runs = kl_mem_zalloc(&e->alloc, 1, sizeof *runs);
    if (!runs)
        return NULL;
    kl_chain_init(&runs->list, b->users.pool);
    kl_pool_hold(runs->list.pool, sizeof *runs);
    kl_budget_note_peak(e);
    b->chunks = runs;
    return runs;
}

kl_chunk_run *kl_chunk_runs_at(kloop_engine *e, kl_batch *b, uint32_t place, kloop_chunk *c)
{
    kl_chunk_runs *runs = runs_of(e, b);
    if (!runs)
        return NULL;
    kl_chunk_run *last = runs->last;
    const kl_chunk_run fresh = {.first = place, .chunk = c};
    if (last && last->chunk == c && last->first + last->count == place)
        return last;
    if (last && last->count == 0) {
        *last = fresh;
        return last;
    }
    if (!kl_chain_append(&runs->list, &fresh, sizeof fresh))
        return NULL;
    runs->last = (kl_chunk_run *)(void *)(runs->list.pos - sizeof fresh);
    return runs->last;
}

size_t kl_chunk_runs_growth_max(const kl_batch *b)
{
    if (b && b->chunks)
        return kl_budget_growth_max(&b->chunks->list, sizeof(kl_chunk_run));
    return sizeof(kl_chunk_runs) + kl_grade_size(KL_GRADE_SMALL);
}

void kl_chunk_runs_del(kloop_engine *e, kl_batch *b)
{
    if (!b->chunks)
        return;
    kl_chain_clear(&b->chunks->list);
    kl_pool_unhold(b->chunks->list.pool, sizeof *b->chunks);
    kl_mem_release(&e->alloc, b->chunks, sizeof *b->chunks);
    b->chunks = NULL;
}

kl_chunk_reader kl_chunk_read(const kl_batch *b)
{
    kl_chunk_reader r = {.ended = !b->chunks};
    if (b->chunks)
        r.at = kl_chain_read(&b->chunks->list);
    return r;
}

static void read_next(kl_chunk_reader *r)
{
    kloop_slice bytes = kl_chain_read_some(&r->at, sizeof(kl_chunk_run));
    r->ended = !bytes.data;
    r->run = r->ended ? NULL : (const kl_chunk_run *)(const void *)bytes.data;
}

kloop_chunk *kl_chunk_reader_at(kl_chunk_reader *r, uint32_t place, size_t *most)
{
    while (!r->ended && (!r->run || r->run->first + r->run->count <= place))
        read_next(r);
    if (r->ended)
        return NULL;
    bool before = place < r->run->first;
    size_t left = before ? r->run->first - place : r->run->first + r->run->count - place;
    if (*most > left)
        *most = left;
    return before ? NULL : r->run->chunk;
}

bool kl_chunk_runs_hand_down(kloop_engine *e, const kl_batch *b, uint32_t from, uint32_t to,
                             kl_batch *child)
{
    kl_chunk_reader r = kl_chunk_read(b);
    uint32_t count;
    for (uint32_t place = from; place < to; place += count) {
        size_t most = to - place;
        kloop_chunk *c = kl_chunk_reader_at(&r, place, &most);
        count = (uint32_t)most;
        if (!c)
            continue;
        kl_chunk_run *run = kl_chunk_runs_at(e, child, place - from, c);
        if (!run)
            return false;
        run->count += count;
    }
    return true;
}

/* ---- Fates ---- */

bool kl_chunk_wants_text(const kloop_chunk *c, kloop_outcome outcome)
{
    return outcome != KLOOP_OUTCOME_ACKED && !c->topic && !c->dropped;
}

static void blame(kloop_engine *e, kloop_chunk *c, const kloop_report *run)
{
    c->topic = run->topic;
    c->partition = run->partition;
    c->cause = run->cause;
    c->broker_error = run->broker_error;
    size_t bytes = strlen(run->text) + 1;
    c->text = kl_mem_alloc(&e->alloc, bytes);
    if (!c->text)
        return;
    c->text_bytes = bytes;
    memcpy(c->text, run->text, bytes);
}

void kl_chunk_settle(kloop_engine *e, kloop_chunk *c, const kloop_report *run)
{
    if (kl_chunk_wants_text(c, run->outcome))
        blame(e, c, run);
    switch (run->outcome) {
    case KLOOP_OUTCOME_ACKED:
        c->acked += run->record_count;
        break;
    case KLOOP_OUTCOME_FAILED:
        c->failed += run->record_count;
        break;
    case KLOOP_OUTCOME_UNKNOWN:
        c->unknown += run->record_count;
#ifdef KL_PLANT_CHUNK_UNKNOWN_IS_FAILED
        c->unknown -= run->record_count;
        c->failed += run->record_count;
#endif
        break;
    }
    judge(e, c);
}

bool kl_chunk_any_done(const kloop_engine *e)
{
    return !kl_list_is_empty(&e->chunks_done);
}

const kloop_chunk_report *kl_chunk_take_done(kloop_engine *e)
{
    if (e->chunk_told) {
        del(e, e->chunk_told);
        e->chunk_told = NULL;
    }
    kl_link *at = kl_list_pop_front(&e->chunks_done);
    if (!at)
        return NULL;
    kloop_chunk *c = KL_CONTAINER_OF(at, kloop_chunk, in_chunks);
    c->left_open = false;
    e->chunk_told = c;
    e->chunk_report = (kloop_chunk_report){
        .user = c->user,
        .outcome = c->unknown  ? KLOOP_OUTCOME_UNKNOWN
                   : c->failed ? KLOOP_OUTCOME_FAILED
                               : KLOOP_OUTCOME_ACKED,
        .acked = c->acked,
        .failed = c->failed,
        .unknown = c->unknown,
        .text = "",
    };
    if (c->topic) {
        kloop_chunk_report *report = &e->chunk_report;
        report->topic = c->topic;
        report->topic_name = (kloop_string){c->topic->name, c->topic->name_len};
        report->partition = c->partition;
        report->cause = c->cause;
        report->broker_error = c->broker_error;
        report->text = c->text ? c->text : "there was no memory to tell what happened";
    }
    return &e->chunk_report;
}

void kl_chunk_end_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_first(&e->chunks))) {
        kloop_chunk *c = KL_CONTAINER_OF(at, kloop_chunk, in_chunks);
        /* All that was taken is settled: nobody is left in the list but those that were not ended.
         */
        end(c, false);
        c->left_open = true;
    }
}

void kl_chunk_del_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&e->chunks)))
        del(e, KL_CONTAINER_OF(at, kloop_chunk, in_chunks));
    while ((at = kl_list_pop_front(&e->chunks_done)))
        del(e, KL_CONTAINER_OF(at, kloop_chunk, in_chunks));
    if (e->chunk_told)
        del(e, e->chunk_told);
    e->chunk_told = NULL;
}
