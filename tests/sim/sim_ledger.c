/* SPDX-License-Identifier: BSD-2-Clause */
/* What was promised for each record, and whether it was kept. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_keys.h"

#include "broker/truth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A turn that finds more to do than it may do at once comes again so soon. */
#define PIECES_NS (200 * KL_US)

void sim_ledger_deinit(sim *s)
{
    sim_ledger *l = &s->ledger;
    for (int t = 0; t < SIM_TOPICS_MAX; t++)
        for (int p = 0; p < SIM_PARTITIONS_MAX; p++)
            free(l->parts[t][p].batches);
    free(l->records);
    free(l->flushes);
}

const char *sim_record_state_name(uint8_t state)
{
    static const char *const names[] = {"refused", "pending", "acked", "failed", "unknown"};
    return names[state];
}

sim_record *sim_ledger_record(sim *s, uint32_t number)
{
    return &s->ledger.records[number - 1];
}

uint32_t sim_ledger_add(sim *s, const sim_record *r)
{
    sim_ledger *l = &s->ledger;
    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 1024;
        l->records = sim_grow(l->records, l->cap, sizeof *l->records);
    }
    l->records[l->count] = *r;
    return ++l->count;
}

void sim_ledger_accepted(sim *s, uint32_t number)
{
    sim_record *r = sim_ledger_record(s, number);
    r->state = SIM_RECORD_PENDING;
    s->ledger.accepted++;
}

static void pass_reported(sim_ledger *l)
{
    while (l->oldest < l->count &&
           (l->records[l->oldest].state != SIM_RECORD_PENDING || l->records[l->oldest].chunk))
        l->oldest++;
}

uint32_t sim_ledger_purge(sim *s, int topic, bool all)
{
    sim_ledger *l = &s->ledger;
    uint32_t n = 0;
    pass_reported(l);
    for (uint32_t i = s->lending.untold ? 0 : l->oldest; i < l->count; i++) {
        sim_record *r = &l->records[i];
        if (r->state != SIM_RECORD_PENDING || (topic >= 0 && r->topic != topic))
            continue;
        r->purged = true;
        if (all && !r->purged_ns)
            r->purged_ns = s->world.now_ns;
        n++;
    }
    return n;
}

/* ---- Flushes ---- */

uint32_t sim_ledger_flush(sim *s)
{
    sim_ledger *l = &s->ledger;
    if (l->flush_count == l->flush_cap) {
        l->flush_cap = l->flush_cap ? 2 * l->flush_cap : 16;
        l->flushes = sim_grow(l->flushes, l->flush_cap, sizeof *l->flushes);
    }
    l->flushes[l->flush_count] = (sim_flush_line){.covers = l->count};
    l->flushes_open++;
    sim_lending_flush(s, l->flush_count + 1);
    return ++l->flush_count;
}

void sim_ledger_flushed(sim *s, uint64_t flush)
{
    sim_ledger *l = &s->ledger;
    if (flush == 0 || flush > l->flush_count)
        sim_fail(s, "border", "FLUSHED names a flush that was never asked for");
    sim_flush_line *f = &l->flushes[flush - 1];
    if (f->done)
        sim_fail(s, "border", "flush %" PRIu64 " is over for the second time", flush);
    pass_reported(l);
    if (l->oldest < f->covers)
        sim_fail(s, "flush",
                 "flush %" PRIu64 " is over, and record %u, which it covers, is not "
                 "reported",
                 flush, l->oldest + 1);
    sim_lending_flushed(s, flush);
    f->done = true;
    l->flushes_open--;
}

/* ---- Reports ---- */

static void check_report_time(sim *s, uint32_t number, const sim_record *r,
                              const kloop_report *report)
{
    const sim_plan *plan = &s->plan;
    uint64_t due = r->accepted_ns + plan->delivery_timeout_ns;
    uint64_t age = s->world.now_ns - r->accepted_ns;
    if (s->world.now_ns > kl_time_add(due, s->host.slack_ns + PIECES_NS))
        sim_fail(s, "I30", "record %u is reported %" PRIu64 " us after its delivery.timeout.ms",
                 number, (s->world.now_ns - due) / KL_US);
    if (s->host.turn_before_ns > due + PIECES_NS)
        sim_fail(s, "I30",
                 "record %u should have been reported in the turn before: its time was "
                 "over by %" PRIu64 " us then",
                 number, (s->host.turn_before_ns - due) / KL_US);
    if (report->cause != KLOOP_CAUSE_TIMEOUT || plan->retries < 1000)
        return;
    /* Behind a hole, an answer that is out of order settles it that nothing will be known. */
    if (report->outcome == KLOOP_OUTCOME_UNKNOWN && r->batch &&
        s->book.batches[r->batch - 1].last_error == 45)
        return;
    uint64_t early = plan->delivery_timeout_ns / 16;
    if (plan->topics[r->topic].linger_ns > early)
        early = plan->topics[r->topic].linger_ns;
    uint64_t least = plan->delivery_timeout_ns > early ? plan->delivery_timeout_ns - early : 0;
    /* Without memory those before it may be parked still when it comes. */
    if ((r->parked || plan->starved) && plan->max_block_ns < plan->delivery_timeout_ns)
        least = plan->max_block_ns > early ? plan->max_block_ns - early : 0;
    /* A batch that is full of time is closed in the next turn. */
    if (age + KL_MS + s->host.slack_ns < least)
        sim_fail(s, "I30", "record %u has timed out after %" PRIu64 " ms, which is too early",
                 number, age / KL_MS);
}

static void check_report_order(sim *s, uint32_t number, const sim_record *r,
                               const kloop_report *report)
{
    sim_ledger *l = &s->ledger;
    int32_t partition = report->partition >= 0 ? report->partition : r->partition;
    if (report->partition < -1 || report->partition >= SIM_PARTITIONS_MAX)
        sim_fail(s, "border", "record %u is reported for partition %d", number, report->partition);
    if (r->partition >= 0 && report->partition >= 0 && report->partition != r->partition)
        sim_fail(s, "I14", "record %u was for partition %d, and is reported for %d", number,
                 r->partition, report->partition);
    if (r->sent_to >= 0 && report->partition != r->sent_to)
        sim_fail(s, "I14", "record %u went to partition %d, and is reported for %d", number,
                 r->sent_to, report->partition);
    if (report->partition < 0) {
        if (l->unassigned_reported[r->topic] > number)
            sim_fail(s, "I4", "record %u is reported after record %u", number,
                     l->unassigned_reported[r->topic]);
        l->unassigned_reported[r->topic] = number;
    }
    if (partition < 0 || partition >= SIM_PARTITIONS_MAX)
        return;
    /* For want of memory it has stayed behind those of its partition that were sent before. */
    if (report->partition < 0 && s->plan.starved)
        return;
    sim_part *part = &l->parts[r->topic][partition];
    if (part->last_reported > number)
        sim_fail(s, "I4", "record %u is reported after record %u of the same partition", number,
                 part->last_reported);
    part->last_reported = number;
}

static void check_acked(sim *s, uint32_t number, sim_record *r, const kloop_report *report,
                        size_t i)
{
    const sim_plan *plan = &s->plan;
    int64_t offset = kloop_report_offset(report, i);
    r->reported_offset = offset;
    if (report->cause != KLOOP_CAUSE_NONE)
        sim_fail(s, "border", "record %u is acked, with cause %d", number, report->cause);
    if (plan->hostile)
        return;
    if (plan->acks == 0) {
        if (offset != -1)
            sim_fail(s, "I13", "record %u has an offset, with acks=0", number);
        if (!r->attempts && !sim_link_is_torn(s))
            sim_fail(s, "I5", "record %u is reported as handed over, and never was", number);
        return;
    }
    if (!r->appended)
        sim_fail(s, "I5", "record %u is acked, and no broker has it", number);
    if (offset >= 0 && r->appended == 1 && offset != r->offset)
        sim_fail(s, "I13", "record %u is at offset %" PRId64 ", the report says %" PRId64, number,
                 r->offset, offset);
    /* Old brokers have no offset for what they know to be stored. */
    if (offset < 0 && !s->faults.rate[SIM_FAULT_OFFSET_MISSING] &&
        !s->faults.rate[SIM_FAULT_ERROR_DUPLICATE] && !s->faults.rate[SIM_FAULT_VERSIONS_CHANGE])
        sim_fail(s, "I13", "record %u is acked without an offset, which every answer had", number);
}

/* The topic to which it was appended last is no more. */
static bool is_homeless(const sim *s, const sim_record *r)
{
    kl_topic_info info;
    if (r->home == KL_NO_TOPIC || r->rehomed)
        return r->rehomed;
    kl_cluster_topic_info(s->brokers.cluster, r->home, &info);
    return info.deleted;
}

void sim_ledger_check_failed(sim *s, uint32_t number)
{
    const sim_record *r = sim_ledger_record(s, number);
    if (r->appended && !r->strayed && !is_homeless(s, r))
        sim_fail(s, "I5", "record %u is reported as surely not stored, and is at offset %" PRId64,
                 number, r->offset);
}

static void check_not_acked(sim *s, uint32_t number, const sim_record *r,
                            const kloop_report *report)
{
    if (report->cause == KLOOP_CAUSE_NONE)
        sim_fail(s, "border", "record %u is %s, and nothing says why", number,
                 sim_record_state_name(r->state));
    if (!report->text || !report->text[0])
        sim_fail(s, "border", "record %u is %s, and there is no sentence about it", number,
                 sim_record_state_name(r->state));
    if (report->cause == KLOOP_CAUSE_PURGED && !r->purged)
        sim_fail(s, "purge", "record %u is reported as given up, and nobody has asked for that",
                 number);
    if (report->cause == KLOOP_CAUSE_BROKER && report->broker_error == 0)
        sim_fail(s, "border", "record %u was refused by a broker with error 0", number);
    if (s->plan.hostile)
        return;
    if (r->state == SIM_RECORD_FAILED)
        sim_ledger_check_failed(s, number);
    if (r->state == SIM_RECORD_UNKNOWN && !r->attempts && !sim_link_is_torn(s))
        sim_fail(s, "I6", "record %u is reported as maybe stored, and never went out", number);
}

static void report_one(sim *s, const kloop_report *report, size_t i, uint8_t topic)
{
    sim_ledger *l = &s->ledger;
    /* A batch of the user's has one user for all of it. */
    uintptr_t number = report->count == report->record_count ? (uintptr_t)report->users[i]
                                                             : (uintptr_t)report->users[0] + i;
    if (number == 0 || number > l->count)
        sim_fail(s, "I2", "a report names record %" PRIuPTR ", which never was", number);
    sim_record *r = sim_ledger_record(s, (uint32_t)number);
    if (r->state == SIM_RECORD_REFUSED)
        sim_fail(s, "I2", "record %" PRIuPTR " was refused, and is reported", number);
    if (r->state != SIM_RECORD_PENDING)
        sim_fail(s, "I1", "record %" PRIuPTR " is reported twice, first as %s", number,
                 sim_record_state_name(r->state));
    if (r->chunk)
        sim_fail(s, "chunk", "record %" PRIuPTR " is reported, and belongs to chunk %u", number,
                 r->chunk);
    if (r->topic != topic)
        sim_fail(s, "I12", "record %" PRIuPTR " is reported for another topic", number);
    check_report_time(s, (uint32_t)number, r, report);
    check_report_order(s, (uint32_t)number, r, report);
    r->cause = (uint8_t)report->cause;
    l->purged_reported += report->cause == KLOOP_CAUSE_PURGED;
    r->broker_error = report->broker_error;
    r->reported_ns = s->world.now_ns;
    sim_note(s, SIM_NOTE_RECORD, NULL, (int64_t)number, kloop_report_offset(report, i), 0, 0);
    switch (report->outcome) {
    case KLOOP_OUTCOME_ACKED:
        r->state = SIM_RECORD_ACKED;
        l->acked++;
        l->acked_ns[topic] = s->world.now_ns;
        check_acked(s, (uint32_t)number, r, report, i);
        sim_neighbours_report(s, (uint32_t)number, report->partition);
        return;
    case KLOOP_OUTCOME_FAILED:
        r->state = SIM_RECORD_FAILED;
        l->failed++;
        break;
    case KLOOP_OUTCOME_UNKNOWN:
        r->state = SIM_RECORD_UNKNOWN;
        l->unknown++;
        break;
    }
    check_not_acked(s, (uint32_t)number, r, report);
    sim_neighbours_report(s, (uint32_t)number, report->partition);
    if (report->partition >= 0)
        l->parts[topic][report->partition].last_unknown = (uint32_t)number;
}

/* A batch of the user's is reported alone, and as a whole. */
static void check_record_count(sim *s, const kloop_report *report)
{
    uintptr_t first = (uintptr_t)report->users[0];
    bool encoded =
        first && first <= s->ledger.count && sim_ledger_record(s, (uint32_t)first)->encoded != 0;
    uint64_t right =
        encoded ? sim_ledger_record(s, (uint32_t)first)->encoded : (uint64_t)report->count;
    if (report->record_count != right || (encoded && report->count != 1))
        sim_fail(s, "border", "a report of %zu users and %" PRIu64 " records, %" PRIu64 " is right",
                 report->count, report->record_count, right);
}

void sim_ledger_report(sim *s, const kloop_report *report)
{
    if (report->count == 0)
        sim_fail(s, "border", "a report of no records");
    if ((unsigned)report->outcome > KLOOP_OUTCOME_UNKNOWN)
        sim_fail(s, "border", "an outcome that is none");
    int topic = sim_user_topic_of(s, report->topic);
    if (topic < 0)
        sim_fail(s, "I12", "a report for a topic that was never opened");
    if (strcmp(report->topic_name.data, s->plan.topics[topic].name) ||
        report->topic_name.len != strlen(s->plan.topics[topic].name))
        sim_fail(s, "I12", "a report with the name of another topic");
    check_record_count(s, report);
    for (size_t i = 0; i < report->record_count; i++)
        report_one(s, report, i, (uint8_t)topic);
}

void sim_ledger_check_deadlines(sim *s)
{
    sim_ledger *l = &s->ledger;
    pass_reported(l);
    if (l->oldest == l->count)
        return;
    const sim_record *r = &l->records[l->oldest];
    uint64_t due = r->accepted_ns + s->plan.delivery_timeout_ns + s->host.slack_ns + PIECES_NS;
    if (s->world.now_ns > due)
        sim_fail(s, "I30",
                 "record %u is not reported, %" PRIu64 " us after its delivery.timeout.ms",
                 l->oldest + 1, (s->world.now_ns - due) / KL_US);
}

/* ---- The wire and the logs ---- */

static void check_key_partition(sim *s, uint32_t number, const sim_record *r, int32_t partition)
{
    const sim_topic_plan *t = &s->plan.topics[r->topic];
    /* An answer may have left one out. */
    int32_t lacking = s->faults.rate[SIM_FAULT_METADATA_LACKS_PARTITION] ? 1 : 0;
    for (int i = 0; i < t->count_changes; i++)
        for (int32_t n = t->counts[i]; n > 0 && n >= t->counts[i] - lacking; n--)
            if (partition == (t->choosy ? (int32_t)(r->key_hash % (uint32_t)n)
                                        : sim_keys_partition(s, r->topic, r->key_hash, n)))
                return;
    sim_fail(s, "I14", "record %u has a key, and went to partition %d", number, partition);
}

void sim_ledger_sent(sim *s, uint32_t number, sim_part *part, uint32_t batch, bool late)
{
    sim_record *r = sim_ledger_record(s, number);
    if (r->state == SIM_RECORD_REFUSED)
        sim_fail(s, "I2", "record %u was refused, and goes out", number);
    if (r->topic != part->topic)
        sim_fail(s, "I12", "record %u goes out to another topic", number);
    if (r->partition >= 0 && r->partition != part->partition)
        sim_fail(s, "I14", "record %u is for partition %d, and goes to %d", number, r->partition,
                 part->partition);
    if (r->sent_to >= 0 && r->sent_to != part->partition)
        sim_fail(s, "I14", "record %u went to partition %d before, and now to %d", number,
                 r->sent_to, part->partition);
    if (r->sent_to < 0 && r->partition < 0 && r->keyed && !s->plan.hostile)
        check_key_partition(s, number, r, part->partition);
    if (r->state == SIM_RECORD_FAILED)
        sim_fail(s, "I6", "record %u goes out after it was reported as surely not stored", number);
    if (r->state == SIM_RECORD_ACKED && s->plan.acks != 0 && !late)
        sim_fail(s, "I9", "record %u goes out after it was acked", number);
    if (r->sent_to < 0) {
        if (part->sent > number)
            sim_fail(s, "I10", "record %u goes out after record %u of the same partition", number,
                     part->sent);
        part->sent = number;
    }
    r->sent_to = part->partition;
    r->batch = batch + 1;
    r->attempts++;
}

static sim_part *part_of(sim *s, const kl_stored_batch *stored)
{
    int topic = sim_brokers_topic_of(s, stored->topic);
    return topic < 0 || stored->partition >= SIM_PARTITIONS_MAX
               ? NULL
               : &s->ledger.parts[topic][stored->partition];
}

static sim_batch *batch_of(sim *s, const kl_stored_batch *stored)
{
    sim_part *part = part_of(s, stored);
    return part ? sim_book_find(s, part, stored) : NULL;
}

/* A request that names a topic may come when another one bears the name, which knows nothing of us
 * and takes it as our first. Nobody can help that, or know of it. */
static bool is_stray(sim *s, const sim_batch *b, const kl_stored_batch *stored)
{
    uint64_t *made_ns = s->brokers.made_ns;
    if (!s->brokers.deletions || stored->topic >= SIM_HANDLES_MAX)
        return false;
    if (!made_ns[stored->topic])
        made_ns[stored->topic] = s->world.now_ns;
    return b->first_sent_ns < made_ns[stored->topic];
}

void sim_ledger_appended(sim *s, const kl_stored_batch *stored)
{
    sim_note(s, SIM_NOTE_APPEND, NULL, stored->node_id, stored->topic, stored->partition,
             stored->base_offset);
    sim_batch *b = batch_of(s, stored);
    if (!b || b->count != stored->record_count)
        sim_fail(s, "I12", "a broker has appended what the engine has never sent");
    for (int32_t i = 0; i < b->count; i++) {
        uint32_t number = s->book.members[b->first_record + (uint32_t)i];
        sim_record *r = sim_ledger_record(s, number);
        r->appended++;
        r->offset = stored->base_offset + i;
        r->rehomed |= r->home != KL_NO_TOPIC && r->home != stored->topic;
        r->home = stored->topic;
        r->strayed |= is_stray(s, b, stored);
        if (r->state == SIM_RECORD_FAILED && !s->plan.hostile && !r->strayed)
            sim_fail(s, "I5", "record %u was reported as surely not stored, and is stored now",
                     number);
    }
}

void sim_ledger_truncated(sim *s, const kl_stored_batch *stored, bool everywhere)
{
    sim_note(s, SIM_NOTE_TRUNCATE, NULL, stored->node_id, stored->topic, stored->partition,
             stored->base_offset);
    if (everywhere)
        s->brokers.lost++;
}

/* ---- At the end ---- */

/* Without numbers order is a promise only where one request is under way at a time. */
static bool keeps_order(const sim_plan *plan)
{
    return plan->idempotent || (plan->in_flight_max == 1 && plan->acks != 0);
}

/* With acks=1 nobody else may have what was acked by a broker that is gone. */
static bool any_left(const sim *s)
{
    for (int32_t node = 1; node <= s->brokers.count; node++)
        if (s->brokers.left[node])
            return true;
    return false;
}

/* What was on its way by name when the topic was made anew: the new log may have taken a later
 * batch and not an earlier one, before anybody could know of it (seed 9319). */
static bool is_unaware(const sim *s, const sim_batch *b, int32_t handle)
{
    return b->by_name && s->brokers.deletions && handle < SIM_HANDLES_MAX &&
           b->first_made_ns <= s->brokers.told_ns[handle];
}

static void check_log(sim *s, int32_t handle, int32_t partition)
{
    kl_cluster *cluster = s->brokers.cluster;
    size_t n = kl_cluster_log_count(cluster, handle, partition, KL_NO_NODE);
    uint32_t highest = 0;
    int64_t highest_id = -1; /* of the producer that sent it */
    for (size_t i = 0; i < n; i++) {
        const kl_stored_batch *stored =
            kl_cluster_log_at(cluster, handle, partition, KL_NO_NODE, i);
        sim_batch *b = batch_of(s, stored);
        if (!b)
            sim_fail(s, "I12", "a log holds what the engine has never sent");
        for (int32_t k = 0; k < b->count; k++) {
            uint32_t number = s->book.members[b->first_record + (uint32_t)k];
            sim_record *r = sim_ledger_record(s, number);
            r->found |= r->reported_offset == stored->base_offset + k;
            if (r->strayed) {
                r->copies = 1;
                continue;
            }
            /* Without numbers, a request that was given up may still come, behind later ones. */
            if (r->copies++ || (!s->plan.idempotent && r->state != SIM_RECORD_ACKED))
                continue;
            bool lost = s->plan.acks == 1 && (s->brokers.lost || any_left(s));
            if (is_unaware(s, b, handle))
                continue;
            /* Nothing hinders a request under a producer id that was used up from coming late. */
            if (number < highest && b->producer_id != highest_id && r->state != SIM_RECORD_ACKED)
                continue;
            if (number < highest && keeps_order(&s->plan) && !s->plan.lossy && !lost)
                sim_fail(s, "I10", "record %u stands behind record %u in the log", number, highest);
            if (number > highest) {
                highest = number;
                highest_id = b->producer_id;
            }
        }
    }
}

static void check_record(sim *s, uint32_t number)
{
    const sim_plan *plan = &s->plan;
    const sim_record *r = sim_ledger_record(s, number);
    if (r->state == SIM_RECORD_REFUSED && r->copies)
        sim_fail(s, "I2", "record %u was refused, and is in a log", number);
    if (r->state == SIM_RECORD_PENDING)
        sim_fail(s, "I1", "record %u was accepted, and never reported", number);
    if (plan->hostile)
        return;
    bool may_be_lost = plan->lossy || plan->acks == 0 || is_homeless(s, r) ||
                       (plan->acks == 1 && (s->brokers.lost || any_left(s)));
    if (r->state == SIM_RECORD_ACKED && !r->copies && !may_be_lost)
        sim_fail(s, "I7", "record %u was acked, and is in no log", number);
    if (r->state == SIM_RECORD_ACKED && !r->chunk && r->reported_offset >= 0 && !r->found &&
        !may_be_lost)
        sim_fail(s, "I13", "record %u was acked at offset %" PRId64 ", and is not there", number,
                 r->reported_offset);
    if (r->state == SIM_RECORD_FAILED && r->copies && !r->strayed)
        sim_fail(s, "I5", "record %u was reported as surely not stored, and is in a log", number);
    if (plan->idempotent && r->copies > 1 && !plan->lossy)
        sim_fail(s, "I8", "record %u stands %u times in the log", number, r->copies);
    if (r->copies > r->attempts)
        sim_fail(s, "I9", "record %u stands %u times in the log, and was sent %u times", number,
                 r->copies, r->attempts);
}

void sim_ledger_check_logs(sim *s)
{
    for (int32_t h = 0; h < kl_cluster_topic_count(s->brokers.cluster); h++) {
        kl_topic_info info;
        kl_cluster_topic_info(s->brokers.cluster, h, &info);
        for (int32_t p = 0; p < info.partitions && !info.deleted; p++)
            check_log(s, h, p);
    }
    for (uint32_t i = 1; i <= s->ledger.count; i++)
        check_record(s, i);
    sim_lending_check_logs(s);
}
