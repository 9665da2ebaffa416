/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be numbered how, and when. */
#include "tests/sim/sim_numbers.h"

#include "tests/sim/sim.h"

#include <inttypes.h>

/* ---- What became of a batch ---- */

static bool reported(sim *s, const sim_batch *b)
{
    uint32_t last = s->book.members[b->first_record + (uint32_t)b->count - 1];
    const sim_record *r = sim_ledger_record(s, last);
    /* Of a chunk's record nobody is told when it is settled. */
    return r->state != SIM_RECORD_PENDING || r->chunk;
}

/* Errors that do not tell whether the batch is in the log. */
bool sim_numbers_says_nothing(int16_t error)
{
    return !(kloop_broker_error_classes(error) & (KLOOP_CLASS_SUCCESS | KLOOP_CLASS_NOT_STORED));
}

/* It was answered with an error that is the end of it; the report may be on its way. */
static bool is_refused(const sim_batch *b)
{
    const uint32_t again =
        KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_REFRESH_METADATA | KLOOP_CLASS_SEQUENCE;
    return b->last_answer_ns && !(kloop_broker_error_classes(b->last_error) & again);
}

static void settle(sim *s, sim_part *part)
{
    while (part->settled < part->batch_count) {
        const sim_batch *b = &s->book.batches[part->batches[part->settled]];
        bool over = b->renumbered || b->split || b->stored_answered || reported(s, b) ||
                    (is_refused(b) && !sim_numbers_says_nothing(b->last_error));
        if (!over)
            break;
        part->settled++;
    }
}

static bool is_open(sim *s, const sim_batch *b)
{
    return !b->renumbered && !b->split && !b->stored_answered && !reported(s, b);
}

/* By their numbers where they are of one epoch, for parts of a batch go out behind later ones. */
static bool is_before(const sim_batch *a, const sim_batch *b)
{
    uint32_t ahead = ((uint32_t)b->sequence - (uint32_t)a->sequence) & INT32_MAX;
    if (a->producer_id == b->producer_id && a->producer_epoch == b->producer_epoch && ahead != 0)
        return ahead < (uint32_t)1 << 30;
    return a < b;
}

/* Nobody has stored it, and nobody will. */
static bool is_proved_absent(const sim_batch *b)
{
    return !b->unanswered && !b->maybe_answered && !b->stored_answered;
}

/* Of a batch that was split: did its end go out again under these numbers? */
static bool is_sent_to_the_end(sim *s, const sim_batch *whole)
{
    uint32_t last = s->book.members[whole->first_record + (uint32_t)whole->count - 1];
    const sim_batch *b = &s->book.batches[sim_ledger_record(s, last)->batch - 1];
    return b != whole && b->producer_id == whole->producer_id &&
           b->producer_epoch == whole->producer_epoch;
}

/* Was something before it, under the same numbers, surely not stored? */
static bool is_behind_gap(sim *s, const sim_batch *old)
{
    const sim_part *part = old->part;
    for (uint32_t i = part->batch_count; i-- > 0;) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (!is_before(b, old) || b->producer_id != old->producer_id ||
            b->producer_epoch != old->producer_epoch)
            continue;
        if (b->split ? !is_sent_to_the_end(s, b) : is_proved_absent(b))
            return true;
    }
    return false;
}

/* It may not go out once more: with few retries a torn request counts, which nobody has seen. */
static bool is_used_up(sim *s, const sim_batch *b)
{
    /* Those under other numbers count too. */
    const sim_record *r = sim_ledger_record(s, s->book.members[b->first_record]);
    return r->attempts > s->plan.retries || (s->plan.retries < 1000 && s->links.torn);
}

/* Its time is over, or that of an older fellow in its batch; the report may be on its way. */
static bool is_expiring(sim *s, const sim_batch *b)
{
    const sim_plan *p = &s->plan;
    const sim_record *r = sim_ledger_record(s, s->book.members[b->first_record]);
    uint64_t early = p->delivery_timeout_ns / 16;
    if (early < p->linger_ns)
        early = p->linger_ns;
    return s->world.now_ns + early >= r->accepted_ns + p->delivery_timeout_ns;
}

/* The user has given it up; the report may be on its way, or behind others. */
static bool is_purged(sim *s, const sim_batch *b)
{
    return sim_ledger_record(s, s->book.members[b->first_record])->purged;
}

/* What leaves now may have been put together before that time, and waited for the host. */
static bool was_queued(const sim_conn *c, uint64_t at_ns)
{
    return at_ns && c->behind_since_ns <= at_ns;
}

static bool is_mate(sim *s, const sim_batch *b, const sim_batch *mine)
{
    return b != mine && !b->split && !b->renumbered && is_before(b, mine) &&
           b->producer_id == mine->producer_id && b->producer_epoch == mine->producer_epoch &&
           !reported(s, b);
}

/* From the first open one on, those count too that are stored: a broker remembers five in all. */
static void check_five(sim *s, const sim_part *part, const sim_batch *mine)
{
    const sim_batch *first = NULL;
    uint32_t open = 0;
    for (uint32_t i = part->settled; i < part->batch_count; i++) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (is_mate(s, b, mine) && !b->stored_answered && (!first || is_before(b, first)))
            first = b;
    }
    for (uint32_t i = part->settled; first && i < part->batch_count; i++) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        open += is_mate(s, b, mine) && !is_before(b, first);
    }
    if (open >= 5)
        sim_fail(s, "I18",
                 "topic %d partition %d: %u batches are open from sequence %d on, and sequence %d "
                 "goes out",
                 part->topic, part->partition, open, first->sequence, mine->sequence);
}

/* That one which was out of order was given up, a host learns later that takes I/O alone in
 * between, or has asked for nothing since the answer came. */
static bool is_told_later(const sim *s, const sim_batch *b)
{
    const sim_host *h = &s->host;
    bool not_asked = h->asks_from_ns > b->last_answer_ns && h->whole_ns < b->last_answer_ns;
    return (h->early_pump || not_asked) && b->last_answer_ns &&
           kloop_broker_error_classes(b->last_error) & KLOOP_CLASS_SEQUENCE;
}

/* No batch passes one before it whose fate is open, unless that one is right in front of it. */
void sim_numbers_check_order(sim *s, const sim_conn *c, sim_part *part, const sim_batch *mine)
{
    settle(s, part);
    for (uint32_t i = part->settled; i < part->batch_count; i++) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (b == mine || !is_before(b, mine) || !is_open(s, b) || is_refused(b) ||
            is_used_up(s, b) || is_expiring(s, b) || is_purged(s, b) ||
            b->producer_epoch != mine->producer_epoch || b->producer_id != mine->producer_id ||
            was_queued(c, b->last_answer_ns) || is_told_later(s, b))
            continue;
        if (b->last_conn != c->number || b->last_answer_ns)
            sim_fail(s, "I18",
                     "topic %d partition %d: sequence %d goes out on #%" PRId64
                     ", and sequence %d before it is open (last on #%" PRId64 ", error %d)",
                     part->topic, part->partition, mine->sequence, c->number, b->sequence,
                     b->last_conn, b->last_error);
    }
    if (s->plan.idempotent)
        check_five(s, part, mine);
}

/* A batch that was given up is a hole, unless its answer told later that it is stored. */
static void check_hole(sim *s, const sim_conn *c, const sim_part *part, const kloop_batch_header *h)
{
    const sim_batch *stored = NULL;
    for (uint32_t i = part->batch_count; i-- > 0;) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (b->producer_id != h->producer_id || b->producer_epoch != h->producer_epoch)
            break;
        if (b->stored_answered && (!stored || is_before(stored, b)))
            stored = b;
        /* Where one is stored, so are those before it. */
        if (stored && !part->has_split)
            break;
        if (b->split || b == stored || (stored && is_before(b, stored)))
            continue;
        uint32_t last = s->book.members[b->first_record + (uint32_t)b->count - 1];
        const sim_record *r = sim_ledger_record(s, last);
        bool lost = !r->chunk && (r->state == SIM_RECORD_UNKNOWN || r->state == SIM_RECORD_FAILED);
        bool refused = is_refused(b) && !sim_numbers_says_nothing(b->last_error);
        bool given_up = (lost && !was_queued(c, r->reported_ns)) ||
                        (refused && !was_queued(c, b->last_answer_ns));
        /* It may be not new at all: a request that was torn is seen by nobody. */
        if (s->links.torn_ns >= b->first_sent_ns)
            continue;
        if (given_up && !b->renumbered)
            sim_fail(s, "I11",
                     "topic %d partition %d: sequence %d is new in epoch %d, and sequence "
                     "%d of it was given up",
                     part->topic, part->partition, h->base_sequence, h->producer_epoch,
                     b->sequence);
    }
}

static bool any_half_written(const sim *s)
{
    for (size_t i = 0; i < s->links.count; i++) {
        const sim_conn *c = s->links.all[i];
        if (c->state < SIM_CONN_CLOSING && (c->watch.out_len || c->shown_left || c->wants_write))
            return true;
    }
    return false;
}

/* Numbers are continued only as long as something hangs on them: not under an older epoch by a
 * partition that has nothing open, nor where the topic has become another one. */
static void check_newest(sim *s, const sim_conn *c, sim_part *part, const kloop_batch_header *h)
{
    const sim_book *book = &s->book;
    const sim_record *first =
        sim_ledger_record(s, book->members[book->member_count - (uint32_t)h->record_count]);
    bool is_younger = first->accepted_ns > s->told.topics[part->topic].id_ns;
    /* In a request that was torn, which nobody has seen, it may have had its numbers before; not if
     * it was sent later. */
    if (sim_told_is_other_topic(s, c, part, part->begun_ns) &&
        (is_younger || (s->links.torn_ns < part->begun_ns && !any_half_written(s))))
        sim_fail(s, "I20",
                 "topic %d partition %d: sequence %d continues epoch %d, begun %" PRIu64
                 " us ago, and the topic became another one %" PRIu64 " us ago",
                 part->topic, part->partition, h->base_sequence, h->producer_epoch,
                 (s->world.now_ns - part->begun_ns) / KL_US,
                 (s->world.now_ns - s->told.topics[part->topic].id_ns) / KL_US);
    if ((h->producer_id == book->newest_id && h->producer_epoch == book->newest_epoch) ||
        part->in_flight || was_queued(c, book->newest_ns) || any_half_written(s))
        return;
    settle(s, part);
    for (uint32_t i = part->settled; i < part->batch_count; i++)
        if (is_open(s, &book->batches[part->batches[i]]))
            return;
    sim_fail(s, "I19",
             "topic %d partition %d: sequence %d is new in epoch %d, nothing of it is open, and "
             "epoch %d was begun %" PRIu64 " us ago",
             part->topic, part->partition, h->base_sequence, h->producer_epoch, book->newest_epoch,
             (s->world.now_ns - book->newest_ns) / KL_US);
}

void sim_numbers_check_new(sim *s, const sim_conn *c, sim_part *part, const kloop_batch_header *h)
{
    bool same = part->numbered && part->producer_id == h->producer_id &&
                part->producer_epoch == h->producer_epoch;
    if (same) {
        if (h->base_sequence != part->next_sequence)
            sim_fail(s, "I16", "topic %d partition %d: sequence %d, %d should come", part->topic,
                     part->partition, h->base_sequence, part->next_sequence);
        check_hole(s, c, part, h);
        check_newest(s, c, part, h);
        return;
    }
    if (!s->book.newest_ns || s->book.newest_id != h->producer_id ||
        s->book.newest_epoch < h->producer_epoch) {
        s->book.newest_id = h->producer_id;
        s->book.newest_epoch = h->producer_epoch;
        s->book.newest_ns = s->world.now_ns;
    }
    part->begun_ns = s->world.now_ns;
    if (part->numbered && part->producer_id == h->producer_id &&
        part->producer_epoch > h->producer_epoch)
        sim_fail(s, "I16", "topic %d partition %d: epoch %d after epoch %d", part->topic,
                 part->partition, h->producer_epoch, part->producer_epoch);
    if (h->base_sequence != s->plan.first_sequence)
        sim_fail(s, "I16", "topic %d partition %d: epoch %d begins with sequence %d", part->topic,
                 part->partition, h->producer_epoch, h->base_sequence);
    settle(s, part);
    /* Where the first one is surely absent, so are those behind it: a broker takes no gap. */
    for (uint32_t i = part->settled; i < part->batch_count; i++) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (!is_open(s, b))
            continue;
        /* Out of order behind a hole: given up, the report is on its way. */
        bool out_of_order =
            b->last_answer_ns && kloop_broker_error_classes(b->last_error) & KLOOP_CLASS_SEQUENCE;
        bool used_up = is_used_up(s, b);
        if (!is_refused(b) && !out_of_order && !used_up && !is_expiring(s, b) && !is_purged(s, b) &&
            !is_behind_gap(s, b) && (b->unanswered || b->maybe_answered))
            sim_fail(s, "I19",
                     "topic %d partition %d: epoch %d begins, and the fate of sequence %d "
                     "of epoch %d is open",
                     part->topic, part->partition, h->producer_epoch, b->sequence,
                     b->producer_epoch);
        break;
    }
}

/* These records went out before with other numbers: nothing may be open about that. */
void sim_numbers_check_again(sim *s, const sim_batch *mine)
{
    for (int32_t i = 0; i < mine->count; i++) {
        uint32_t number = s->book.members[mine->first_record + (uint32_t)i];
        const sim_record *r = sim_ledger_record(s, number);
        if (!r->batch)
            continue;
        sim_batch *old = &s->book.batches[r->batch - 1];
        old->renumbered = true;
        if (s->plan.hostile)
            continue;
        bool in_doubt = (old->unanswered || old->maybe_answered) && !is_behind_gap(s, old);
        if (s->plan.idempotent && !s->plan.lossy && (in_doubt || old->stored_answered))
            sim_fail(s, "I8",
                     "record %u goes out under epoch %d sequence %d, and its fate under "
                     "epoch %d sequence %d is open",
                     number, mine->producer_epoch, mine->sequence, old->producer_epoch,
                     old->sequence);
    }
}

/* Do these numbers follow those of the latest? */
bool sim_numbers_is_next(const sim_part *part, const kloop_batch_header *h)
{
    return part->producer_id == h->producer_id && part->producer_epoch == h->producer_epoch &&
           part->next_sequence == h->base_sequence;
}

/* ---- Split batches ---- */

/* The batch whose numbers these are a part of, or NULL. */
sim_batch *sim_numbers_find_whole(sim *s, const sim_part *part, const kloop_batch_header *h)
{
    for (uint32_t i = part->batch_count; i-- > part->jumped;) {
        sim_batch *b = &s->book.batches[part->batches[i]];
        uint32_t at = ((uint32_t)h->base_sequence - (uint32_t)b->sequence) & INT32_MAX;
        if (b->producer_id == h->producer_id && b->producer_epoch == h->producer_epoch &&
            at < (uint32_t)b->count && at + (uint32_t)h->record_count <= (uint32_t)b->count &&
            h->record_count < b->count)
            return b;
    }
    return NULL;
}

/* A part of a batch that was refused has the numbers that its records had in there. Its members are
 * the last that were read. */
void sim_numbers_check_part(sim *s, sim_batch *whole, const kloop_batch_header *h,
                            uint32_t first_member)
{
    const sim_book *book = &s->book;
    uint32_t at = ((uint32_t)h->base_sequence - (uint32_t)whole->sequence) & INT32_MAX;
    for (int32_t i = 0; i < h->record_count; i++)
        if (book->members[whole->first_record + at + (uint32_t)i] !=
            book->members[first_member + (uint32_t)i])
            sim_fail(s, "I17",
                     "sequence %d is a part of sequence %d, and holds other records than that",
                     h->base_sequence, whole->sequence);
    if (!s->plan.hostile && !is_proved_absent(whole))
        sim_fail(s, "I17",
                 "topic %d partition %d: sequence %d is split, and it is not proved that it was "
                 "not stored",
                 whole->part->topic, whole->part->partition, whole->sequence);
    whole->split = true;
    whole->part->has_split = true;
}
