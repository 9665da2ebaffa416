/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The border: events in, actions out, and the order of the work between them.
 *
 *     event --> the file whose matter it is --> marks: poked brokers, settled batches ...
 *     next  --> an action that waits, else one piece of work; again, until there is neither
 *
 * Work that can hold the loop (the codec, records that are moved) has a quota, which each new turn
 * of the host renews; what is left then makes the deadline now.
 */
#include "core/engine_state.h"

#include "core/accumulator.h"
#include "core/actions.h"
#include "core/authentication.h"
#include "core/budget.h"
#include "core/chunk.h"
#include "core/completion.h"
#include "core/folding.h"
#include "core/handshake.h"
#include "core/hook_calls.h"
#include "core/idempotence.h"
#include "core/known_brokers.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/parking.h"
#include "core/purge.h"
#include "core/readiness.h"
#include "core/reshape.h"
#include "core/sender.h"
#include "core/shutdown.h"
#include "core/slots.h"
#include "core/sticky.h"
#include "core/topic_share.h"
#include "core/trace_points.h"
#include "core/warm_up.h"

#include <stdio.h>

/* In units of about 50 us. */
#define TURN_WORK    10
#define TURN_REPORTS 2

/* Deadlines that are settled in one call. Ten thousand batches may run out of time at one instant;
 * the rest of them is the next turn's. */
#define TIMERS_MAX 256

/* ---- Life ---- */

static void init_lists(kloop_engine *e)
{
    kl_list_init(&e->topic_list);
    kl_list_init(&e->broker_list);
    kl_list_init(&e->ready_brokers);
    kl_list_init(&e->poked);
    kl_list_init(&e->conn_actions);
    kl_list_init(&e->broker_actions);
    kl_list_init(&e->opened);
    kl_list_init(&e->hurried);
    kl_list_init(&e->reviewed);
    kl_list_init(&e->folding);
    kl_list_init(&e->reshaping);
    kl_list_init(&e->unpark);
    kl_list_init(&e->unpark_aside);
    kl_list_init(&e->reports);
    kl_list_init(&e->paused);
    kl_list_init(&e->asked);
    kl_list_init(&e->chunks);
    kl_list_init(&e->chunks_done);
    kl_list_init(&e->generations);
    kl_list_init(&e->flushed);
    kl_list_init(&e->shares);
    kl_list_init(&e->warm_ups);
    kl_list_init(&e->warmed);
    kl_list_init(&e->login.working);
    kl_list_init(&e->login.waiting);
}

static bool init_memory(kloop_engine *e)
{
    kl_pool_init(&e->pool, &e->alloc, e->set.memory_bytes);
    kl_slab_init(&e->batches, &e->pool.slabs, KL_BATCH_MEMORY_BYTES);
    kl_heap_init(&e->timers, &e->alloc);
    kl_map_init(&e->topics, &e->alloc, kl_prng_next(&e->prng));
    kl_map_init(&e->topics_by_id, &e->alloc, kl_prng_next(&e->prng));
    kl_map_init(&e->brokers, &e->alloc, kl_prng_next(&e->prng));
    kl_buf_init(&e->scratch, &e->alloc);
    kl_timer_init(&e->metadata_timer, KL_TIMER_METADATA);
    kl_timer_init(&e->id_timer, KL_TIMER_PRODUCER_ID);
    kl_timer_init(&e->close_timer, KL_TIMER_CLOSE);
    kl_timer_init(&e->trim_timer, KL_TIMER_TRIM);
    kl_timer_init(&e->compressors.timer, KL_TIMER_COMPRESSORS);
    kl_timer_init(&e->unpark_timer, KL_TIMER_UNPARK);
    kl_timer_init(&e->tries_timer, KL_TIMER_TRIES);
    kl_timer_init(&e->asked_timer, KL_TIMER_ASKED);
    kl_timer_init(&e->login.token_timer, KL_TIMER_TOKEN);
    e->timer_count = 9;
    bool logs = kl_log_begin(e);
    kl_generation *g = kl_mem_zalloc(&e->alloc, 1, sizeof *g);
    if (g) {
        kl_list_init(&g->flushes);
        kl_list_push_back(&e->generations, &g->in_generations);
    }
    return logs && g && kl_heap_reserve(&e->timers, e->timer_count);
}

kloop_status kloop_engine_new(kloop_engine **out, const kloop_config *config,
                              const kloop_allocator *alloc, uint64_t seed, kloop_now now,
                              void *host, kloop_error *error)
{
    *out = NULL;
    if (!alloc)
        alloc = &kl_mem_libc;
    kl_settings settings;
    kloop_status status = kl_settings_load(&settings, config, alloc, error);
    if (status)
        return status;
    kloop_engine *e = kl_mem_zalloc(alloc, 1, sizeof *e);
    if (!e) {
        kl_settings_deinit(&settings);
    } else {
        e->alloc = *alloc;
        e->set = settings;
        e->host = host;
        e->now = now;
        e->turn_work = e->login.turn_work = TURN_WORK;
        e->turn_reports = TURN_REPORTS;
        e->login.secured = !settings.tls && !settings.sasl;
        e->taking = true;
        e->plain = true;
        e->stirred = true;
        e->meters.born_ns = now.mono_ns;
        e->meters.metadata_ns = KL_NEVER;
        kl_prng_init(&e->prng, seed);
        init_lists(e);
        kl_reshape_init(e);
        if (init_memory(e) && !kl_known_init(e)) {
            kloop_error note;
            for (size_t i = 0; kloop_config_note(config, i, &note); i++)
                kl_log(e, KLOOP_LOG_INFO, "%s", note.text);
            e->metadata_full = true;
            e->metadata_at = now.mono_ns;
            e->metadata_since = KL_NEVER;
            *out = e;
            return KLOOP_OK;
        }
        kloop_engine_del(e);
    }
    if (error) {
        error->status = KLOOP_NO_MEMORY;
        snprintf(error->text, sizeof error->text, "no memory for a producer");
    }
    return KLOOP_NO_MEMORY;
}

static void del_flushes(kloop_engine *e, kl_list *list)
{
    kl_link *at;
    while ((at = kl_list_pop_front(list))) {
        kl_flush *f = KL_CONTAINER_OF(at, kl_flush, in_list);
        kl_mem_release(&e->alloc, f, sizeof *f);
    }
}

void kloop_engine_del(kloop_engine *e)
{
    if (!e)
        return;
    if (e->sealing)
        kl_folding_forget(e, e->sealing);
    kl_compressors_del_all(e);
    kl_reshape_deinit(e);
    for (uint32_t i = 0; i < e->slot_count; i++)
        if (e->slots[i].conn)
            kl_conn_del(e, e->slots[i].conn);
    kl_topics_del_all(e);
    kl_link *at;
    while ((at = kl_list_pop_front(&e->reports)))
        kl_batch_del(e, KL_CONTAINER_OF(at, kl_batch, in_queue));
    kl_known_del_all(e);
    while ((at = kl_list_pop_front(&e->generations))) {
        kl_generation *g = KL_CONTAINER_OF(at, kl_generation, in_generations);
        del_flushes(e, &g->flushes);
        kl_mem_release(&e->alloc, g, sizeof *g);
    }
    del_flushes(e, &e->flushed);
    kl_warm_up_del_all(e);
    kl_mem_release(&e->alloc, e->slots, e->slot_cap * sizeof *e->slots);
    kl_log_del(e);
    kl_map_deinit(&e->topics);
    kl_map_deinit(&e->topics_by_id);
    kl_map_deinit(&e->brokers);
    kl_heap_deinit(&e->timers);
    kl_buf_deinit(&e->scratch);
    kl_chunk_del_all(e);
    kl_loans_forget(&e->pool);
    kl_topic_share_del_all(e);
    kl_pool_deinit(&e->pool);
    kl_settings_deinit(&e->set);
    kloop_allocator alloc = e->alloc;
    kl_mem_release(&alloc, e, sizeof *e);
}

void *kloop_engine_host(const kloop_engine *e)
{
    return e->host;
}

/* ---- The user's side ---- */

kloop_status kloop_engine_topic(kloop_engine *e, kloop_string name, kloop_topic **topic)
{
    kl_hook_guard(e);
    return kl_topics_intern(e, name, topic);
}

kloop_engine *kloop_topic_engine(const kloop_topic *topic)
{
    return topic->engine;
}

kloop_string kloop_topic_name(const kloop_topic *topic)
{
    return (kloop_string){topic->name, topic->name_len};
}

int32_t kloop_topic_partitions(const kloop_topic *topic)
{
    return topic->partition_count;
}

kloop_status kloop_engine_check(const kloop_topic *topic, const kloop_record *record)
{
    if (!topic || !record)
        return KLOOP_BAD_ARGUMENT;
    kloop_status status = kl_accumulator_check(record);
    if (status)
        return status;
    /* The settings of a producer never change; nothing else of it is looked at. */
    const kl_record r = {.key = record->key,
                         .value = record->value,
                         .headers = record->headers,
                         .header_count = record->header_count};
    uint64_t size = kl_record_size(&r, INT64_MAX, INT32_MAX);
    return KLOOP_BATCH_HEADER_BYTES + size > topic->engine->set.record_bytes_max ? KLOOP_TOO_LARGE
                                                                                 : KLOOP_OK;
}

kloop_status kloop_engine_flush(kloop_engine *e, void *user, kloop_now now)
{
    kloop_engine_clock(e, now);
    return kl_shutdown_flush(e, user);
}

kloop_status kloop_engine_warm_up(kloop_engine *e, kloop_topic *topic, uint64_t timeout_ms,
                                  void *user, kloop_now now)
{
    kloop_engine_clock(e, now);
    return kl_warm_up_begin(e, topic, timeout_ms, user);
}

void kloop_engine_close(kloop_engine *e, uint64_t timeout_ms, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_shutdown_close(e, timeout_ms);
}

uint64_t kloop_engine_purge(kloop_engine *e, kloop_topic *topic, unsigned what, kloop_now now)
{
    kloop_engine_clock(e, now);
    return kl_purge(e, topic, what);
}

bool kloop_engine_busy(const kloop_engine *e)
{
    if (e->life == KL_LIFE_CLOSED)
        return e->closed_due;
    const kl_generation *g =
        KL_CONTAINER_OF(kl_list_first(&e->generations), kl_generation, in_generations);
    return kl_completion_pending(e) > 0 || e->life != KL_LIFE_OPEN || e->refused ||
           e->shares_refused > 0 || e->writable_due || !kl_list_is_empty(&e->flushed) ||
           !kl_list_is_empty(&g->flushes) || kl_completion_has_report(e) || kl_chunk_any_done(e) ||
           e->pool.returned || kl_warm_up_pending(e);
}

const char *kloop_engine_fatal_text(const kloop_engine *e)
{
    return e->fatal ? e->fatal_text : NULL;
}

void kloop_engine_stats(const kloop_engine *e, kloop_stats *stats)
{
    *stats = e->stats;
    stats->pending = kl_completion_pending(e);
    stats->held_bytes = kl_budget_held(e);
    stats->receive_bytes = e->receive_bytes;
}

/* ---- Events ---- */

/* Another turn of the host: work that was cut off goes on. */
static void renew_turn(kloop_engine *e)
{
    e->turn_work = e->login.turn_work = TURN_WORK;
    e->turn_reports = TURN_REPORTS;
    /* Others may be refused before the user hears: it is no time for WRITABLE. */
    if (e->pool.sunk)
        kl_parking_retry(e);
    if (!kl_list_is_empty(&e->folding) || !kl_list_is_empty(&e->reshaping) ||
        kl_readiness_has_steps(e) || !kl_list_is_empty(&e->unpark) || kl_authentication_has_work(e))
        e->stirred = true;
}

void kloop_engine_clock(kloop_engine *e, kloop_now now)
{
    kl_hook_guard(e);
    if (now.mono_ns > e->now.mono_ns) {
        e->now.mono_ns = now.mono_ns;
        renew_turn(e);
    }
    e->now.wall_ms = now.wall_ms;
}

/* NULL also for one that the host has not been told of. */
static kl_conn *told_conn(const kloop_engine *e, kloop_id id)
{
    kl_conn *c = kl_slots_conn(e, id);
    return c && !(c->pending & KL_PENDING_CONNECT) ? c : NULL;
}

void kloop_engine_on_resolved(kloop_engine *e, kloop_id id, const kloop_address *addresses,
                              size_t count, const char *why, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_broker *b = kl_slots_broker(e, id);
    if (b && !(b->pending & KL_PENDING_RESOLVE))
        kl_nodes_resolved(e, b, addresses, count, why);
}

void kloop_engine_on_connected(kloop_engine *e, kloop_id conn, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_conn *c = told_conn(e, conn);
    if (c)
        kl_conn_connected(e, c);
}

uint8_t *kloop_engine_read_space(kloop_engine *e, kloop_id conn, size_t *room)
{
    kl_conn *c = told_conn(e, conn);
    *room = 0;
    return c ? kl_conn_space(e, c, room) : NULL;
}

void kloop_engine_on_received(kloop_engine *e, kloop_id conn, size_t n, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_conn *c = told_conn(e, conn);
    if (c)
        kl_conn_received(e, c, n);
}

void kloop_engine_on_wrote(kloop_engine *e, kloop_id conn, size_t n, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_conn *c = told_conn(e, conn);
    if (c)
        kl_conn_wrote(e, c, n);
}

void kloop_engine_on_disconnected(kloop_engine *e, kloop_id conn, const char *why, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_conn *c = told_conn(e, conn);
    if (c)
        kl_conn_lose(e, c, "%s:%u: %s%s", c->broker->host, (unsigned)c->broker->port,
                     why ? why : "the connection was lost", kl_handshake_hung_up(e, c));
}

void kloop_engine_on_untrusted(kloop_engine *e, kloop_id conn, const char *why, kloop_now now)
{
    kl_conn *c = told_conn(e, conn);
    if (c)
        c->refused = true;
    kloop_engine_on_disconnected(e, conn, why, now);
}

void kloop_engine_on_closed(kloop_engine *e, kloop_id conn, kloop_now now)
{
    kloop_engine_clock(e, now);
    kl_conn *c = told_conn(e, conn);
    if (!c)
        return;
    kl_conn_lose(e, c, "%s:%u: the host closed it", c->broker->host, (unsigned)c->broker->port);
    kl_conn_del(e, c);
    kl_conn_resume_paused(e);
}

static void fire(kloop_engine *e, kl_timer *timer)
{
    switch ((kl_timer_kind)timer->kind) {
    case KL_TIMER_BATCH:
        if (!kl_parking_yields(e, KL_CONTAINER_OF(timer, kl_batch, expiry)))
            kl_completion_give_up(e, KL_CONTAINER_OF(timer, kl_batch, expiry), KLOOP_CAUSE_TIMEOUT);
        return;
    case KL_TIMER_PARTITION:
        kl_readiness_update(e, KL_CONTAINER_OF(timer, kl_partition, due));
        return;
    case KL_TIMER_CONN:
        kl_conn_timer(e, KL_CONTAINER_OF(timer, kl_conn, timer));
        return;
    case KL_TIMER_BROKER:
        kl_nodes_timer(e, KL_CONTAINER_OF(timer, kl_broker, timer));
        return;
    case KL_TIMER_METADATA:
        kl_metadata_timer(e);
        return;
    case KL_TIMER_PRODUCER_ID:
        return;
    case KL_TIMER_TRIES:
        kl_nodes_tries_timer(e);
        return;
    case KL_TIMER_ASKED:
        kl_sticky_timer(e);
        return;
    case KL_TIMER_UNPARK:
        kl_parking_timer(e);
        return;
    case KL_TIMER_WARM_UP:
        kl_warm_up_timer(e, timer);
        return;
    case KL_TIMER_COMPRESSORS:
        kl_compressors_timer(e);
        return;
    case KL_TIMER_TOKEN:
        kl_authentication_timer(e);
        return;
    case KL_TIMER_LOG:
        kl_log_timer(e);
        return;
    case KL_TIMER_TRIM:
        kl_budget_trim(e);
        return;
    case KL_TIMER_CLOSE:
        kl_shutdown_timer(e);
        return;
    }
}

void kloop_engine_on_time(kloop_engine *e, kloop_now now)
{
    kloop_engine_clock(e, now);
    renew_turn(e);
    e->stirred = true;
    for (int n = 0; n < TIMERS_MAX && kl_heap_when(&e->timers) <= e->now.mono_ns; n++) {
        kl_timer *timer = kl_heap_first(&e->timers);
        kl_heap_remove(&e->timers, timer);
        fire(e, timer);
    }
}

/* ---- Actions ---- */

/* One piece of work; false: there is none that could be done now. */
static bool work(kloop_engine *e)
{
    if (KL_UNLIKELY(kl_authentication_has_work(e)) && kl_authentication_work(e))
        return true;
    if (kl_shutdown_step(e) || kl_readiness_step(e) || kl_warm_up_step(e) ||
        kl_idempotence_step(e) || kl_metadata_step(e) || kl_parking_step(e) || kl_reshape_step(e) ||
        kl_folding_step(e))
        return true;
    kl_link *at = kl_list_pop_front(&e->poked);
    if (!at)
        return false;
    kl_sender_serve(e, KL_CONTAINER_OF(at, kl_broker, in_poked));
    return true;
}

bool kloop_engine_next_io(kloop_engine *e, kloop_action *action)
{
    kl_hook_guard(e);
    do {
        if (kl_actions_take(e, action))
            return true;
    } while (work(e));
    /* Work that cannot be done yet may have asked for a connection. */
    if (kl_actions_take(e, action))
        return true;
    e->stirred = false;
    return false;
}

bool kloop_engine_has_io(const kloop_engine *e)
{
    return e->stirred;
}

static bool take_flushed(kloop_engine *e, kloop_action *a)
{
    kl_link *at = kl_list_pop_front(&e->flushed);
    if (!at)
        return false;
    kl_flush *f = KL_CONTAINER_OF(at, kl_flush, in_list);
    *a = (kloop_action){.kind = KLOOP_ACT_FLUSHED, .user = f->user};
    kl_mem_release(&e->alloc, f, sizeof *f);
    return true;
}

static bool take_log(kloop_engine *e, kloop_action *a)
{
    const kl_log_line *line = kl_log_take(e);
    if (!line)
        return false;
    *a = (kloop_action){.kind = KLOOP_ACT_LOG, .level = line->level, .text = line->text};
    return true;
}

static bool take_chunk(kloop_engine *e, kloop_action *a)
{
    const kloop_chunk_report *done = kl_chunk_take_done(e);
    if (done)
        *a = (kloop_action){.kind = KLOOP_ACT_CHUNK, .chunk = done};
    return done != NULL;
}

static bool take_released(kloop_engine *e, kloop_action *a)
{
    kl_loan loans[sizeof e->loans / sizeof *e->loans];
    if (KL_LIKELY(!e->pool.returned))
        return false;
    size_t count = kl_loans_take(&e->pool, loans, sizeof loans / sizeof *loans);
#ifdef KL_PLANT_LOAN_LOST
    if (count > 1)
        count--;
#endif
    if (count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        const kl_loan *l = &loans[i];
        /* Of a null, nothing is in front. */
        const uint8_t *data = l->front ? l->data - l->front : l->data;
        e->loans[i] = (kloop_loan){.value = {data, (size_t)l->len + l->front}, .lender = l->lender};
    }
    *a = (kloop_action){.kind = KLOOP_ACT_RELEASE, .loans = e->loans, .loan_count = count};
    return true;
}

/* What the user is to hear. */
static bool take_news(kloop_engine *e, kloop_action *a)
{
    if (take_log(e, a))
        return true;
    /* In place, and no other member is anything then: where each batch has one record, to empty and
     * to copy an action was a good part of what a record cost. */
    if (kl_completion_next_report(e, &a->report)) {
        a->kind = KLOOP_ACT_DELIVER;
        return true;
    }
    if (take_chunk(e, a) || take_released(e, a) || take_flushed(e, a) || kl_warm_up_take(e, a) ||
        kl_authentication_take(e, a))
        return true;
    kl_budget_settle_if_sunk(e);
    if (e->writable_due) {
        e->writable_due = false;
        if (e->life == KL_LIFE_OPEN && !e->fatal) {
            KL_TRACE(e, engine, e, KLOOP_TRACE_WRITABLE, NULL, (int64_t)kl_budget_held(e), 0);
            *a = (kloop_action){.kind = KLOOP_ACT_WRITABLE};
            return true;
        }
    }
    if (e->closed_due) {
        e->closed_due = false;
        *a = (kloop_action){.kind = KLOOP_ACT_CLOSED};
        return true;
    }
    return false;
}

/* Is there surely no I/O and no work? Reports come in long runs, and nothing is stirred by most. */
static bool is_quiet(const kloop_engine *e)
{
    return !e->stirred && e->life == KL_LIFE_OPEN && !e->fatal_due;
}

bool kloop_engine_next(kloop_engine *e, kloop_action *action)
{
    if (!is_quiet(e) && kloop_engine_next_io(e, action))
        return true;
    if (take_news(e, action))
        return true;
    /* What was given back may let work go on that was waiting for it, and that may give back more.
     */
    do {
        if (kloop_engine_next_io(e, action) || take_news(e, action))
            return true;
    } while (e->stirred);
    return false;
}

size_t kloop_engine_write_vec(kloop_engine *e, kloop_id conn, kloop_slice *slices, size_t max)
{
    kl_conn *c = told_conn(e, conn);
    return c ? kl_conn_write_vec(e, c, slices, max) : 0;
}

uint64_t kloop_engine_deadline(const kloop_engine *e)
{
    if (!kl_list_is_empty(&e->folding) || !kl_list_is_empty(&e->reshaping) ||
        kl_readiness_has_steps(e) || (!kl_list_is_empty(&e->unpark) && !e->unpark_waits) ||
        kl_completion_has_report(e) || kl_authentication_has_work(e))
        return e->now.mono_ns;
    return kl_heap_when(&e->timers);
}
