/* SPDX-License-Identifier: BSD-2-Clause */
/* Fates and reports. See completion.h. */
#include "core/completion.h"

#include "core/backoff.h"
#include "core/budget.h"
#include "core/folding.h"
#include "core/idempotence.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/parking.h"
#include "core/policy.h"
#include "core/readiness.h"
#include "core/report_text.h"
#include "core/shutdown.h"

/* ---- Settling ---- */

/* Out of whatever it is waiting for. */
static void withdraw(kloop_engine *e, kl_batch *b)
{
    kl_heap_remove(&e->timers, &b->expiry);
    if (b->stage == KL_STAGE_FOLDING)
        kl_folding_forget(e, b);
    if (b->partition && kl_topics_open(b->partition) == b) {
        kl_topics_set_open(b->partition, NULL);
        kl_list_remove(&b->partition->in_opened);
    }
}

static void forget_lined(kloop_engine *e, kl_partition *p)
{
    p->line_count--;
    e->lined_batches--;
}

/* The settled ones at the head of the line may be reported. */
static void release_line(kloop_engine *e, kl_list *line, kl_partition *p)
{
    kl_link *at;
    while ((at = kl_list_first(line))) {
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage != KL_STAGE_SETTLED)
            return;
        kl_list_remove(at);
        if (p)
            forget_lined(e, p);
        else
            kl_parking_forget(e, b);
        kl_list_push_back(&e->reports, &b->in_queue);
    }
}

void kl_completion_settle(kloop_engine *e, kl_batch *b, kloop_outcome outcome, kloop_cause cause)
{
    KL_ASSERT(b->stage < KL_STAGE_SETTLED);
    bool lined = kl_link_is_linked(&b->in_line);
    withdraw(e, b);
    b->stage = KL_STAGE_SETTLED;
    b->outcome = outcome;
    b->cause = cause;
    kl_partition *p = b->partition;
#ifdef KL_PLANT_SEQUENCE_REUSED_AFTER_EXPIRY
    if (b->numbered && cause == KLOOP_CAUSE_TIMEOUT)
        p->next_sequence = b->sequence;
    else
#endif
        if (b->numbered && outcome != KLOOP_OUTCOME_ACKED)
        kl_idempotence_hole(e, p);
    if (!lined)
        kl_list_push_back(&e->reports, &b->in_queue);
    else if (p)
        release_line(e, &p->line, p);
    else
        release_line(e, &b->topic->parked, NULL);
    kl_batch_let_go(e, b);
    if (p)
        kl_readiness_update(e, p);
}

void kl_completion_give_up(kloop_engine *e, kl_batch *b, kloop_cause cause)
{
    /* What waits for its topic was stopped by what metadata says of that, if anything. */
    if (!b->partition && b->broker_error == 0)
        b->broker_error = b->topic->error;
    /* What is in a request will be sent, even if not a byte of it has left yet. */
    bool doubtful = b->fate_unknown || b->request;
#ifdef KL_PLANT_EXPIRED_IN_FLIGHT_REPORTED_FAILED
    doubtful = b->fate_unknown;
#endif
    kl_completion_settle(e, b, doubtful ? KLOOP_OUTCOME_UNKNOWN : KLOOP_OUTCOME_FAILED, cause);
}

/* ---- Answers ---- */

/* Out of flight; false: it is a ghost, and that was all. */
static bool land(kloop_engine *e, kl_batch *b)
{
    kl_partition *p = b->partition;
    kl_list_remove(&b->in_flight);
    p->flight_count--;
    if (p->flight_count == 0)
        p->flight_conn = NULL;
    b->request = NULL;
    if (b->stage == KL_STAGE_IN_FLIGHT) {
        b->stage = KL_STAGE_READY;
        return true;
    }
    kl_batch_let_go(e, b);
    kl_readiness_update(e, p);
    return false;
}

static void retry(kloop_engine *e, kl_batch *b, kloop_cause cause)
{
    kl_partition *p = b->partition;
    p->steady = false;
    if (b->attempts >= e->set.retries) {
        kl_completion_give_up(e, b, cause);
        return;
    }
    uint64_t wait =
        kl_backoff(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns, b->attempts, &e->prng);
    b->attempts++;
    e->stats.retries++;
#ifdef KL_PLANT_RETRY_OVERTAKES
    kl_link *successor = kl_list_next(&p->line, &b->in_line);
    if (successor) {
        kl_list_remove(&b->in_line);
        kl_list_insert_after(successor, &b->in_line);
    }
#endif
    uint64_t until = kl_time_add(e->now.mono_ns, wait);
    if (p->backoff_until < until)
        p->backoff_until = until;
    kl_readiness_update(e, p);
}

/* The broker expected another number than b's. */
static void out_of_sequence(kloop_engine *e, kl_batch *b)
{
    kl_partition *p = b->partition;
    if (kl_list_first(&p->line) != &b->in_line || (!b->fate_unknown && p->hole)) {
        /* Those before it are to be settled first, or it waits for its new number. */
        retry(e, b, KLOOP_CAUSE_BROKER);
        return;
    }
    if (b->fate_unknown) {
        /* Nothing that may come can close the gap before it, and under other numbers it could be
         * stored twice. */
        kl_completion_settle(e, b, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
        return;
    }
    kl_idempotence_hole(e, p);
    retry(e, b, KLOOP_CAUSE_BROKER);
}

static void stored(kloop_engine *e, kl_batch *b, int64_t base_offset, int64_t append_time_ms)
{
    b->base_offset = base_offset;
    b->append_time_ms = append_time_ms;
    b->partition->steady = true;
    b->partition->known_to_leader = true;
    kl_completion_settle(e, b, KLOOP_OUTCOME_ACKED, KLOOP_CAUSE_NONE);
}

void kl_completion_answered(kloop_engine *e, kl_batch *b,
                            const kloop_produce_partition_response *answer)
{
    kl_ruling ruling = kl_policy(e->set.idempotent ? KL_QUESTION_IDEMPOTENT : KL_QUESTION_PLAIN,
                                 answer->error_code);
    if (ruling.refresh)
        kl_metadata_want(e);
    kloop_topic *t = b->topic;
    int32_t index = b->partition->index;
    if (!land(e, b))
        return;
    b->fate_unknown |= ruling.maybe_stored;
    b->cut_off = false;
    if (answer->error_code != 0)
        b->broker_error = answer->error_code;
    switch (ruling.verdict) {
    case KL_VERDICT_DONE:
        stored(e, b, answer->base_offset >= 0 ? answer->base_offset : -1,
               answer->log_append_time_ms);
        return;
    case KL_VERDICT_DONE_BEFORE:
        stored(e, b, -1, -1);
        return;
    case KL_VERDICT_RETRY:
        retry(e, b, KLOOP_CAUSE_BROKER);
        return;
    case KL_VERDICT_RETRY_ONCE:
        if (b->odd_code_met) {
            kl_completion_give_up(e, b, KLOOP_CAUSE_BROKER);
            return;
        }
        b->odd_code_met = true;
        retry(e, b, KLOOP_CAUSE_BROKER);
        return;
    case KL_VERDICT_SEQUENCE:
        out_of_sequence(e, b);
        return;
    case KL_VERDICT_FATAL:
        kl_completion_give_up(e, b, KLOOP_CAUSE_BROKER);
        kl_shutdown_fatal(e, "topic '%s' partition %d: %s: %s", t->name, (int)index,
                          kloop_broker_error_name(answer->error_code),
                          kloop_broker_error_explain(answer->error_code));
        return;
    case KL_VERDICT_SPLIT:
    case KL_VERDICT_FAIL:
    case KL_VERDICT_LOWER:
    case KL_VERDICT_RECONNECT:
    case KL_VERDICT_COUNT:
        break;
    }
    kl_completion_give_up(e, b, KLOOP_CAUSE_BROKER);
}

void kl_completion_lost(kloop_engine *e, kl_batch *b, bool doubtful)
{
    kl_partition *p = b->partition;
    if (doubtful && b->stage == KL_STAGE_IN_FLIGHT)
        b->fate_unknown = true;
    if (!land(e, b))
        return;
    if (doubtful) {
        b->cut_off = true;
        retry(e, b, KLOOP_CAUSE_TIMEOUT);
        return;
    }
    /* It never left: this was no attempt. */
    p->steady = false;
    kl_readiness_update(e, p);
}

void kl_completion_handed_over(kloop_engine *e, kl_batch *b)
{
    if (land(e, b))
        stored(e, b, -1, -1);
}

/* ---- Reports ---- */

static void count_reported(kloop_engine *e, kloop_outcome outcome, uint64_t records)
{
    switch (outcome) {
    case KLOOP_OUTCOME_ACKED:
        e->stats.acked += records;
        return;
    case KLOOP_OUTCOME_FAILED:
        e->stats.failed += records;
        return;
    case KLOOP_OUTCOME_UNKNOWN:
        e->stats.unknown += records;
        return;
    }
}

/* Flushes whose records are all reported. */
static void release_flushes(kloop_engine *e)
{
    for (;;) {
        kl_generation *g =
            KL_CONTAINER_OF(kl_list_first(&e->generations), kl_generation, in_generations);
        if (g->outstanding > 0)
            return;
        kl_list_splice_back(&e->flushed, &g->flushes);
        if (kl_list_last(&e->generations) == &g->in_generations)
            return;
        kl_list_remove(&g->in_generations);
        kl_mem_release(&e->alloc, g, sizeof *g);
    }
}

static void finish_report(kloop_engine *e)
{
    kl_batch *b = e->reporting;
#ifdef KL_PLANT_DOUBLE_REPORT_ON_CLOSE
    if (b->cause == KLOOP_CAUSE_CLOSED && !b->raw) {
        b->raw = true;
        e->reporting = NULL;
        return;
    }
#endif
    e->reporting = NULL;
    kl_list_remove(&b->in_queue);
    kl_chain_clear(&b->users);
    b->generation->outstanding--;
    b->generation = NULL;
    b->stage = KL_STAGE_REPORTED;
    kl_batch_let_go(e, b);
    release_flushes(e);
    kl_budget_released(e);
    kl_parking_retry(e);
}

uint64_t kl_completion_pending(const kloop_engine *e)
{
    const kloop_stats *s = &e->stats;
    return s->accepted - s->acked - s->failed - s->unknown;
}

bool kl_completion_has_report(const kloop_engine *e)
{
    return !kl_list_is_empty(&e->reports);
}

static void begin_report(kloop_engine *e)
{
    kl_batch *b = KL_CONTAINER_OF(kl_list_first(&e->reports), kl_batch, in_queue);
    e->reporting = b;
    e->report_at = kl_chain_read(&b->users);
    e->report_count = 0;
    /* The users of records that were sent anew are with other batches. */
    for (size_t skip = b->moved * sizeof(void *); skip > 0;)
        skip -= kl_chain_read_some(&e->report_at, skip).len;
}

bool kl_completion_next_report(kloop_engine *e, kloop_report *report)
{
    if (e->reporting && kl_chain_read_all(&e->report_at))
        finish_report(e);
    if (!e->reporting) {
        if (kl_list_is_empty(&e->reports))
            return false;
        begin_report(e);
    }
    kl_batch *b = e->reporting;
    kloop_slice users = kl_chain_read_some(&e->report_at, SIZE_MAX);
    KL_ASSERT(users.data && users.len % sizeof(void *) == 0);
    size_t count = users.len / sizeof(void *);
    kl_report_text(e, b);
    *report = (kloop_report){
        .topic = b->topic,
        .topic_name = {b->topic->name, b->topic->name_len},
        .partition = b->partition ? b->partition->index : b->asked_partition,
        .outcome = b->outcome,
        .cause = b->cause,
        .broker_error = b->outcome == KLOOP_OUTCOME_ACKED ? 0 : b->broker_error,
        .base_offset = b->base_offset < 0 ? -1 : b->base_offset + e->report_count,
        .timestamp_ms = b->append_time_ms,
        .text = e->report_text,
        .users = (void *const *)(const void *)users.data,
        .count = count,
    };
    e->report_count += (uint32_t)count;
    count_reported(e, b->outcome, count);
    return true;
}
