/* SPDX-License-Identifier: BSD-2-Clause */
/* Fates and reports. See completion.h. */
#include "core/completion.h"

#include "core/backoff.h"
#include "core/bad_records.h"
#include "core/batch_ceiling.h"
#include "core/chunk.h"
#include "core/codec_choice.h"
#include "core/error.h"
#include "core/folding.h"
#include "core/hook_calls.h"
#include "core/idempotence.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/parking.h"
#include "core/policy.h"
#include "core/readiness.h"
#include "core/report_text.h"
#include "core/reshape.h"
#include "core/shutdown.h"
#include "core/sticky.h"
#include "core/topic_share.h"
#include "core/trace_points.h"

/* ---- Settling ---- */

/* Out of whatever it is waiting for. */
static void withdraw(kloop_engine *e, kl_batch *b)
{
    kl_heap_remove(&e->timers, &b->expiry);
    if (b->stage == KL_STAGE_FOLDING)
        kl_folding_forget(e, b);
    if (b->stage == KL_STAGE_RESHAPING)
        kl_reshape_forget(e, b);
    if (b->partition && kl_topics_open(b->partition) == b) {
        kl_topics_set_open(b->partition, NULL);
        kl_list_remove(&b->partition->in_opened);
    }
}

static void forget_lined(kloop_engine *e, kl_partition *p)
{
    p->line_count--;
    e->lined_batches--;
    if (--p->topic->lined_batches == 0 && p->topic->share)
        kl_pool_unhold(&p->topic->share->pool, 0);
    kl_sticky_line_changed(e, p);
}

/* The first of a line, if it may be reported. */
static kl_batch *settled_first(const kl_list *line)
{
    kl_link *at = kl_list_first(line);
    kl_batch *b = at ? KL_CONTAINER_OF(at, kl_batch, in_line) : NULL;
    return b && b->stage == KL_STAGE_SETTLED ? b : NULL;
}

/* What is parked comes after all that was moved out of there before: that was sent earlier, and may
 * be for the same partitions. */
static void release_parked(kloop_engine *e, kloop_topic *t)
{
    kl_batch *b;
    if (t->lined_batches > 0 || !settled_first(&t->parked))
        return;
    while ((b = settled_first(&t->parked))) {
        kl_list_remove(&b->in_line);
        kl_parking_forget(e, b);
        kl_list_push_back(&e->reports, &b->in_queue);
    }
    kl_parking_go_on(e, t);
}

static void release_line(kloop_engine *e, kl_partition *p)
{
    kl_batch *b;
    while ((b = settled_first(&p->line))) {
        kl_list_remove(&b->in_line);
        forget_lined(e, p);
        kl_list_push_back(&e->reports, &b->in_queue);
    }
    release_parked(e, p->topic);
}

void kl_completion_settle(kloop_engine *e, kl_batch *b, kloop_outcome outcome, kloop_cause cause)
{
    KL_ASSERT(b->stage < KL_STAGE_SETTLED);
    bool lined = kl_link_is_linked(&b->in_line);
    KL_TRACE(e, batch, b, KLOOP_TRACE_SETTLED, (int)cause, outcome, b->request != NULL);
    withdraw(e, b);
    b->stage = KL_STAGE_SETTLED;
    b->outcome = outcome;
    b->cause = cause;
    kl_partition *p = b->partition;
#ifdef KL_PLANT_PURGE_REUSES_SEQUENCE
    if (b->numbered && cause == KLOOP_CAUSE_PURGED) {
        p->next_sequence = b->sequence;
        b->numbered = false;
    }
#endif
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
        release_line(e, p);
    else
        release_parked(e, b->topic);
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

/* Nothing of p goes out for so long. */
static void hold_back(kloop_engine *e, kl_partition *p, uint64_t ns)
{
    uint64_t until = kl_time_add(e->now.mono_ns, ns);
    if (p->backoff_until < until)
        p->backoff_until = until;
}

/* After so many failures, of what may fail at once. */
static uint64_t pause_of(kloop_engine *e, uint32_t failures)
{
    return kl_backoff_pause(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns, failures,
                            &e->prng);
}

void kl_completion_put_off(kloop_engine *e, kl_batch *b)
{
    hold_back(e, b->partition, pause_of(e, b->attempts));
    kl_readiness_update(e, b->partition);
}

void kl_completion_put_off_long(kloop_engine *e, kl_batch *b)
{
    hold_back(e, b->partition,
              kl_backoff_in_vain(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns, UINT32_MAX,
                                 &e->prng));
    kl_readiness_update(e, b->partition);
}

void kl_completion_retry(kloop_engine *e, kl_batch *b, kloop_cause cause)
{
    kl_partition *p = b->partition;
    p->steady = false;
    if (b->attempts >= e->set.retries) {
        kl_completion_give_up(e, b, cause);
        return;
    }
    /* What fails without anybody else must not go round inside a turn. */
    uint64_t wait = cause == KLOOP_CAUSE_NO_MEMORY
                        ? pause_of(e, b->attempts)
                        : kl_backoff(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns,
                                     b->attempts, &e->prng);
    b->attempts++;
    e->stats.retries++;
    KL_TRACE(e, batch, b, KLOOP_TRACE_RETRIED, (int)cause, (int64_t)wait, b->attempts);
#ifdef KL_PLANT_RETRY_OVERTAKES
    kl_link *successor = kl_list_next(&p->line, &b->in_line);
    if (successor) {
        kl_list_remove(&b->in_line);
        kl_list_insert_after(successor, &b->in_line);
    }
#endif
    hold_back(e, p, wait);
    kl_readiness_update(e, p);
}

/* b was refused, and may come again in another shape. */
static void be_careful(kloop_engine *e, const kl_batch *b)
{
    kl_partition *p = b->partition;
    /* What is in flight behind it will be refused for its numbers. */
    p->steady = false;
    if (!b->piece)
        return;
    /* A broker that takes nothing at all must not be asked about every half of a half at once, nor
     * about several together: not before it has taken one. */
    p->known_to_leader = false;
    hold_back(e, p, pause_of(e, 0));
}

/* More bytes than the broker takes. */
static void too_large(kloop_engine *e, kl_batch *b)
{
    bool many = b->builder.count > 1 && !b->whole;
    if (many)
        kl_batch_ceiling_refused(e, b);
    be_careful(e, b);
    if (!many || b->fate_unknown) {
        b->raw_bytes = kl_batch_builder_len(&b->builder);
        kl_completion_give_up(e, b, KLOOP_CAUSE_BROKER);
        return;
    }
    kl_reshape_split(e, b);
    kl_readiness_update(e, b->partition);
}

/* The broker will never take b as it is; perhaps it says which records are to blame. */
static void refused(kloop_engine *e, kl_batch *b, const kloop_produce_partition_response *answer,
                    kl_conn *c)
{
    be_careful(e, b);
    if (answer->error_code == KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE &&
        kl_codec_choice_refused(c, b)) {
        hold_back(e, b->partition, pause_of(e, 0));
        kl_reshape_refold(e, b);
        kl_readiness_update(e, b->partition);
        return;
    }
    /* One that was encoded elsewhere has no places to tell apart. */
    kl_bad_found found = b->whole ? KL_BAD_NONE : kl_bad_records_take(e, b, answer);
    if (found == KL_BAD_NO_MEMORY && !b->fate_unknown) {
        /* It will say so again. */
        kl_completion_retry(e, b, KLOOP_CAUSE_NO_MEMORY);
        return;
    }
    if (found == KL_BAD_SOME && !b->fate_unknown) {
        kl_reshape_purify(e, b);
        kl_readiness_update(e, b->partition);
        return;
    }
    kl_completion_give_up(e, b, found == KL_BAD_SOME ? KLOOP_CAUSE_NEIGHBOUR : KLOOP_CAUSE_BROKER);
}

/* The broker expected another number than b's. */
static void out_of_sequence(kloop_engine *e, kl_batch *b)
{
    kl_partition *p = b->partition;
    if (kl_list_first(&p->line) != &b->in_line || (!b->fate_unknown && p->hole)) {
        /* Those before it are to be settled first, or it waits for its new number. */
        kl_completion_retry(e, b, KLOOP_CAUSE_BROKER);
        return;
    }
    if (b->fate_unknown) {
        /* Nothing that may come can close the gap before it, and under other numbers it could be
         * stored twice. */
        kl_completion_settle(e, b, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
        return;
    }
    kl_idempotence_hole(e, p);
    kl_completion_retry(e, b, KLOOP_CAUSE_BROKER);
}

static void stored(kloop_engine *e, kl_batch *b, int64_t base_offset, int64_t append_time_ms)
{
    b->base_offset = base_offset;
    b->append_time_ms = append_time_ms;
    kl_meters_stored(e, b);
    kl_partition *p = b->partition;
    /* Behind one that was refused it is no reason to be less careful with that. */
    p->steady = kl_list_first(&p->line) == &b->in_line;
    p->known_to_leader = true;
    p->last_error = 0;
    kl_completion_settle(e, b, KLOOP_OUTCOME_ACKED, KLOOP_CAUSE_NONE);
}

/* -1 also for one that leaves the last records of the batch without an offset: there is none. */
static int64_t offset_in(const kl_batch *b, const kloop_produce_partition_response *answer)
{
    int64_t base = answer->base_offset;
#ifdef KL_PLANT_OFFSET_FROM_MINUS_ONE
    if (base == -1)
        base += b->builder.count;
#endif
    return base >= 0 && base <= INT64_MAX - (int64_t)b->builder.count ? base : -1;
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
    char code[KL_ERROR_CODE_TEXT];
#ifdef KL_PLANT_LATE_ANSWER_CLOSES_HOLE
    if (b->stage != KL_STAGE_IN_FLIGHT)
        b->partition->hole = false;
#endif
    kl_conn *c = b->partition->flight_conn;
    if (!land(e, b))
        return;
#ifdef KL_PLANT_AFTER_APPEND_IS_REFUSAL
    if (answer->error_code == KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND)
        ruling.maybe_stored = false;
#endif
    b->fate_unknown |= ruling.maybe_stored;
    b->cut_off = false;
    b->left_out = false;
    if (answer->error_code != 0)
        b->broker_error = b->partition->last_error = answer->error_code;
    switch (ruling.verdict) {
    case KL_VERDICT_DONE:
        kl_batch_ceiling_stored(b);
        stored(e, b, offset_in(b, answer), answer->log_append_time_ms);
        return;
    case KL_VERDICT_DONE_BEFORE:
        stored(e, b, -1, -1);
        return;
    case KL_VERDICT_RETRY:
        kl_completion_retry(e, b, KLOOP_CAUSE_BROKER);
        return;
    case KL_VERDICT_RETRY_ONCE:
        if (b->odd_code_met) {
            kl_completion_give_up(e, b, KLOOP_CAUSE_BROKER);
            return;
        }
        b->odd_code_met = true;
        kl_completion_retry(e, b, KLOOP_CAUSE_BROKER);
        return;
    case KL_VERDICT_SEQUENCE:
        out_of_sequence(e, b);
        return;
    case KL_VERDICT_FATAL:
        kl_completion_give_up(e, b, KLOOP_CAUSE_BROKER);
        kl_shutdown_fatal(e, "topic '%s' partition %d: %s: %s", t->name, (int)index,
                          kl_error_code(answer->error_code, code),
                          kloop_broker_error_explain(answer->error_code));
        return;
    case KL_VERDICT_SPLIT:
        too_large(e, b);
        return;
    case KL_VERDICT_FAIL:
        refused(e, b, answer, c);
        return;
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
#ifndef KL_PLANT_LOST_IS_REFUSED
    if (doubtful && b->stage == KL_STAGE_IN_FLIGHT)
        b->fate_unknown = true;
#endif
    if (!land(e, b))
        return;
    if (doubtful) {
        b->cut_off = true;
        b->left_out = false;
        kl_completion_retry(e, b, KLOOP_CAUSE_TIMEOUT);
        return;
    }
    /* It never left: this was no attempt. */
    p->steady = false;
    kl_readiness_update(e, p);
}

void kl_completion_left_out(kloop_engine *e, kl_batch *b)
{
    kl_completion_lost(e, b, true);
    /* The request holds it: it is there, whatever became of it. */
    b->left_out = true;
}

void kl_completion_handed_over(kloop_engine *e, kl_batch *b)
{
    if (land(e, b))
        stored(e, b, -1, -1);
}

/* ---- Reports ---- */

/* So much of chunks is settled for a unit of a turn's work: a run is a step, and to give back a
 * batch is as much as so many. */
#define REPORT_STEPS_MAX 1024
#define BATCH_STEPS      8

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
    kl_chunk_runs_del(e, b);
#ifdef KL_PLANT_FLUSH_LEAKS
    if (b->outcome != KLOOP_OUTCOME_FAILED)
#endif
        b->generation->outstanding--;
    b->generation = NULL;
    b->stage = KL_STAGE_REPORTED;
    kl_batch_let_go(e, b);
    release_flushes(e);
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
    e->report_bad = 0;
    e->report_chunks = kl_chunk_read(b);
    /* The users of records that were sent anew are with other batches. */
    for (size_t skip = b->moved * sizeof(void *); skip > 0;)
        skip -= kl_chain_read_some(&e->report_at, skip).len;
}

/* How many of b's list from this one on are next to each other and have one story. */
static uint32_t bad_run(const kl_batch *b, uint32_t n)
{
    const kl_bad_record *first = kl_bad_records_at(b, n);
    uint32_t count = 1;
    for (const kl_bad_record *r; (r = kl_bad_records_at(b, n + count)); count++)
        if (r->place != first->place + count || r->text_at != first->text_at ||
            r->code != first->code || r->left_out != first->left_out)
            break;
    return count;
}

/* What is told of the next run of b, but for its users. Answers how many there are at most. */
static size_t next_run(const kloop_engine *e, const kl_batch *b, kloop_report *run,
                       const char **said)
{
    const kl_bad_record *bad = kl_bad_records_at(b, e->report_bad);
    /* Member by member: a run may be of one record. */
    run->topic = b->topic;
    run->topic_name = (kloop_string){b->topic->name, b->topic->name_len};
    run->partition = b->partition ? b->partition->index : b->asked_partition;
    run->outcome = b->outcome;
    run->cause = b->cause;
    run->broker_error = b->outcome == KLOOP_OUTCOME_ACKED ? 0 : b->broker_error;
    run->base_offset = -1;
    run->timestamp_ms = b->append_time_ms;
    run->text = e->report_text;
    *said = "";
    if (bad && bad->place == e->report_count) {
        if (bad->left_out)
            run->outcome = KLOOP_OUTCOME_FAILED;
        run->cause = KLOOP_CAUSE_BROKER;
        run->broker_error = bad->code;
        run->timestamp_ms = -1;
        *said = kl_bad_records_text(b, bad);
        return bad_run(b, e->report_bad);
    }
    /* Those that were left out have no offset. */
    if (b->base_offset >= 0)
        run->base_offset = b->base_offset + (e->report_count - e->report_bad);
    return bad ? bad->place - e->report_count : SIZE_MAX / sizeof(void *);
}

/* What was shown or settled is behind us. */
static void step_on(kloop_engine *e, const kloop_report *run)
{
    const kl_bad_record *bad = kl_bad_records_at(e->reporting, e->report_bad);
    if (bad && bad->place == e->report_count)
        e->report_bad += (uint32_t)run->count;
    e->report_count += (uint32_t)run->count;
    kl_meters_reported(e, e->reporting, run->outcome, run->record_count);
}

/* Whole batches may be settled without an action that would give the host a look at its clock. Some
 * of that may be done in each turn, whatever else there is to do: chunks once waited until the
 * codec had nothing left. */
static bool may_settle(const kloop_engine *e)
{
    return e->turn_reports > 0 || e->turn_work > 0;
}

static void count_steps(kloop_engine *e, uint32_t steps)
{
    e->report_steps += steps;
    if (e->report_steps < REPORT_STEPS_MAX || !may_settle(e))
        return;
    e->report_steps = 0;
    if (e->turn_reports > 0)
        e->turn_reports--;
    else
        e->turn_work--;
}

/* The next run, for the user or for its chunk, which is then set. */
static void take_run(kloop_engine *e, kloop_report *run, kloop_chunk **chunk)
{
    const kl_batch *b = e->reporting;
    const char *said;
    size_t most = next_run(e, b, run, &said);
    *chunk = kl_chunk_reader_at(&e->report_chunks, b->moved + e->report_count, &most);
    kloop_slice users = kl_chain_read_some(&e->report_at, most * sizeof(void *));
    KL_ASSERT(users.data && users.len % sizeof(void *) == 0);
    run->users = (void *const *)(const void *)users.data;
    run->count = users.len / sizeof(void *);
    run->record_count = run->count * kl_batch_records_each(b);
    if (!*chunk || e->hooks.on_outcome || kl_chunk_wants_text(*chunk, run->outcome))
        kl_report_text(e, b, run, said);
    KL_TRACE(e, batch, b, KLOOP_TRACE_REPORTED, (int)run->cause, (int64_t)run->record_count,
             run->base_offset);
    if (KL_UNLIKELY(e->hooks.on_outcome != NULL))
        kl_hook_outcome(e, b, run, *chunk != NULL);
}

bool kl_completion_next_report(kloop_engine *e, kloop_report *report)
{
    for (;;) {
        if (e->reporting && kl_chain_read_all(&e->report_at))
            finish_report(e);
        if (!e->reporting) {
            if (kl_list_is_empty(&e->reports))
                return false;
            begin_report(e);
            if (e->reporting->chunks)
                count_steps(e, BATCH_STEPS);
        }
        if (e->reporting->chunks && !may_settle(e))
            return false;
        kloop_chunk *chunk;
        take_run(e, report, &chunk);
        step_on(e, report);
        if (!chunk)
            return true;
        kl_chunk_settle(e, chunk, report);
        count_steps(e, 1);
    }
}
