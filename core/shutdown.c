/* SPDX-License-Identifier: BSD-2-Clause */
/* Flush, close, the fatal end. See shutdown.h. */
#include "core/shutdown.h"

#include "core/actions.h"
#include "core/chunk.h"
#include "core/completion.h"
#include "core/log.h"
#include "core/readiness.h"
#include "core/trace_points.h"
#include "core/warm_up.h"

#include <stdarg.h>
#include <stdio.h>

kloop_status kl_shutdown_flush(kloop_engine *e, void *user)
{
    if (e->life > KL_LIFE_CLOSING)
        return KLOOP_CLOSED;
    kl_flush *f = kl_mem_zalloc(&e->alloc, 1, sizeof *f);
    if (!f)
        return KLOOP_NO_MEMORY;
    f->user = user;
    KL_TRACE(e, engine, e, KLOOP_TRACE_FLUSH, NULL, (int64_t)kl_completion_pending(e), 0);
    kl_generation *g = kl_batch_generation(e);
    bool nothing = g->outstanding == 0 && kl_list_first(&e->generations) == &g->in_generations;
    if (nothing) {
        kl_list_push_back(&e->flushed, &f->in_list);
        return KLOOP_OK;
    }
    if (g->outstanding > 0) {
        /* What is sent from now on belongs to the next flush. */
        kl_generation *next = kl_mem_zalloc(&e->alloc, 1, sizeof *next);
        if (!next) {
            kl_mem_release(&e->alloc, f, sizeof *f);
            return KLOOP_NO_MEMORY;
        }
        kl_list_init(&next->flushes);
        kl_list_push_back(&e->generations, &next->in_generations);
    } else {
        g = KL_CONTAINER_OF(g->in_generations.prev, kl_generation, in_generations);
    }
    kl_list_push_back(&g->flushes, &f->in_list);
    kl_readiness_hurry(e);
    return KLOOP_OK;
}

/* ---- Giving everything up ---- */

static void settle_line(kloop_engine *e, kl_list *line, kloop_cause cause)
{
    /* The first of a line is never settled: those leave it at once, with all that follow. What is
     * parked does when nothing is in its topic's lines. */
    kl_link *at;
    while ((at = kl_list_first(line)))
        kl_completion_give_up(e, KL_CONTAINER_OF(at, kl_batch, in_line), cause);
}

static void settle_all(kloop_engine *e, kloop_cause cause)
{
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        for (int32_t i = 0; i < t->table_count; i++)
            if (t->partitions[i])
                settle_line(e, &t->partitions[i]->line, cause);
        settle_line(e, &t->parked, cause);
    }
}

static void stop_taking(kloop_engine *e)
{
    e->taking = false;
    e->plain = false;
    e->stirred = true;
    kl_warm_up_end(e);
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at))
        kl_topics_judge(e, KL_CONTAINER_OF(at, kloop_topic, in_topics));
}

void kl_shutdown_fatal(kloop_engine *e, const char *format, ...)
{
    if (e->fatal)
        return;
    e->fatal = true;
    va_list args;
    va_start(args, format);
    vsnprintf(e->fatal_text, sizeof e->fatal_text, format, args);
    va_end(args);
    stop_taking(e);
    KL_TRACE(e, engine, e, KLOOP_TRACE_FATAL, NULL, 0, 0);
    kl_log(e, KLOOP_LOG_ERROR, "%s", e->fatal_text);
    e->fatal_due = true;
}

/* ---- Closing ---- */

void kl_shutdown_close(kloop_engine *e, uint64_t timeout_ms)
{
    uint64_t ns = timeout_ms > KL_NEVER / KL_MS ? KL_NEVER : timeout_ms * KL_MS;
    uint64_t at = kl_time_add(e->now.mono_ns, ns);
    if (e->life > KL_LIFE_CLOSING || (e->life == KL_LIFE_CLOSING && at >= e->close_at))
        return;
#ifdef KL_PLANT_ZERO_TIMEOUT_NEVER
    if (timeout_ms == 0)
        at = KL_NEVER;
#endif
    bool first = e->life == KL_LIFE_OPEN;
    e->life = KL_LIFE_CLOSING;
    stop_taking(e);
    KL_TRACE(e, engine, e, KLOOP_TRACE_CLOSING, NULL,
             at == KL_NEVER ? INT64_MAX : kl_trace_ns(at - e->now.mono_ns),
             (int64_t)kl_completion_pending(e));
    e->close_at = at;
    if (first)
        kl_readiness_hurry(e);
    kl_heap_set(&e->timers, &e->close_timer, at);
    if (at <= e->now.mono_ns)
        kl_shutdown_timer(e);
}

void kl_shutdown_timer(kloop_engine *e)
{
    if (e->life == KL_LIFE_CLOSING)
        settle_all(e, KLOOP_CAUSE_CLOSED);
}

/* Nothing is left to be told: every handle is asked back. */
static void hang_up(kloop_engine *e)
{
    e->life = KL_LIFE_HANGING_UP;
    kl_chunk_end_all(e);
    kl_heap_remove(&e->timers, &e->close_timer);
    kl_heap_remove(&e->timers, &e->metadata_timer);
    kl_heap_remove(&e->timers, &e->id_timer);
    kl_heap_remove(&e->timers, &e->trim_timer);
    kl_heap_remove(&e->timers, &e->compressors.timer);
    kl_heap_remove(&e->timers, &e->unpark_timer);
    kl_heap_remove(&e->timers, &e->tries_timer);
    kl_heap_remove(&e->timers, &e->login.token_timer);
    kl_log_end(e);
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        kl_heap_remove(&e->timers, &b->timer);
        if (b->conn)
            kl_conn_lose(e, b->conn, "%s:%u: the producer is closed", b->host, (unsigned)b->port);
        if (b->pending & KL_PENDING_RESOLVE)
            kl_nodes_unresolve(e, b);
        else if (b->resolving.gen != 0 && !b->resolve_stale)
            kl_actions_of_broker(e, b, KL_PENDING_CANCEL);
    }
}

bool kl_shutdown_step(kloop_engine *e)
{
    if (e->fatal_due) {
        e->fatal_due = false;
        settle_all(e, KLOOP_CAUSE_FATAL);
        return true;
    }
    if (e->life == KL_LIFE_CLOSING && kl_completion_pending(e) == 0 &&
        !kl_completion_has_report(e) && kl_list_is_empty(&e->flushed) && !kl_warm_up_pending(e)) {
        hang_up(e);
        return true;
    }
    if (e->life == KL_LIFE_HANGING_UP && e->slots_used == 0) {
        e->life = KL_LIFE_CLOSED;
        e->closed_due = true;
        return true;
    }
    return false;
}
