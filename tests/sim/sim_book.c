/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of batches and their numbers. */
#include "tests/sim/sim.h"

#include "protocol/record_batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In place of the number of a batch: this attempt has had its answer. */
#define ANSWERED UINT32_MAX

void sim_book_init(sim *s)
{
    s->book.reader = kloop_batch_reader_new(NULL, 64 << 20);
    if (!s->book.reader)
        abort();
}

void sim_book_deinit(sim *s)
{
    kloop_batch_reader_del(s->book.reader);
    free(s->book.batches);
    free(s->book.members);
    free(s->book.attempts);
}

static uint32_t push(uint32_t **list, uint32_t *count, uint32_t *cap, uint32_t value)
{
    if (*count == *cap) {
        *cap = *cap ? 2 * *cap : 64;
        *list = sim_grow(*list, *cap, sizeof **list);
    }
    (*list)[*count] = value;
    return (*count)++;
}

/* Where the broker sets the time, the CRC of a batch is the broker's; then the first record tells
 * which batch it is. */
static sim_batch *find_by_record(sim *s, const kl_stored_batch *stored)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    uint8_t topic;
    int32_t partition;
    kloop_batch_reader_start(s->book.reader, stored->bytes, stored->byte_count);
    if (kloop_batch_reader_next(s->book.reader, &header, NULL) || !header ||
        kloop_batch_reader_record(s->book.reader, &record, NULL) || !record)
        return NULL;
    uint32_t number = sim_payload_number(s, record, &topic, &partition);
    const sim_record *r = number ? sim_ledger_record(s, number) : NULL;
    return r && r->batch ? &s->book.batches[r->batch - 1] : NULL;
}

/* Of what a broker leaves as it is. */
static uint64_t body_hash(const uint8_t *bytes, size_t len)
{
    return sim_hash(0, bytes + KL_BATCH_CRC_FROM, len - KL_BATCH_CRC_FROM);
}

sim_batch *sim_book_find(sim *s, const sim_part *part, const kl_stored_batch *stored)
{
    bool resealed = s->plan.topics[part->topic].append_time;
    /* Two batches of a run may have one CRC. */
    uint64_t body = s->plan.idempotent ? 0 : body_hash(stored->bytes, stored->byte_count);
    if (resealed && !s->plan.idempotent)
        return find_by_record(s, stored);
    for (uint32_t i = part->batch_count; i-- > 0;) {
        sim_batch *b = &s->book.batches[part->batches[i]];
        if (b->sequence == stored->base_sequence && b->producer_id == stored->producer_id &&
            b->producer_epoch == stored->producer_epoch && (resealed || b->crc == stored->crc) &&
            (s->plan.idempotent || b->body_hash == body))
            return b;
    }
    return NULL;
}

/* ---- What is in a batch ---- */

/* Reads the records behind the header; their numbers go to the end of members. */
static void read_members(sim *s, const sim_part *part, const kloop_batch_header *header)
{
    sim_book *book = &s->book;
    const kloop_batch_record *record;
    kloop_fault fault;
    int64_t max_timestamp = INT64_MIN;
    int32_t n = 0;
    while (!kloop_batch_reader_record(book->reader, &record, &fault) && record) {
        uint8_t topic = 0;
        int32_t partition = -1;
        uint32_t number = sim_payload_number(s, record, &topic, &partition);
        if (!number)
            sim_fail(s, "I12", "a record goes out that was never sent, or is damaged");
        const sim_record *r = sim_ledger_record(s, number);
        if (topic != part->topic || r->content != sim_payload_hash_of(record))
            sim_fail(s, "I12", "record %u goes out with other bytes, or to another topic", number);
        if (record->offset != header->base_offset + n)
            sim_fail(s, "I15", "record %u has offset delta %" PRId64 " at place %d", number,
                     record->offset - header->base_offset, n);
        if (n == 0 && record->timestamp != header->base_timestamp)
            sim_fail(s, "I15", "a batch has another base timestamp than its first record");
        if (record->timestamp > max_timestamp)
            max_timestamp = record->timestamp;
        push(&book->members, &book->member_count, &book->member_cap, number);
        n++;
    }
    if (fault.status)
        sim_fail(s, "I15", "a batch cannot be read: status %d at byte %zu", fault.status, fault.at);
    if (n == 0 || header->last_offset_delta != n - 1 || header->max_timestamp != max_timestamp)
        sim_fail(s, "I15", "the header of a batch does not fit its %d records", n);
}

static void check_header(sim *s, const kloop_batch_header *h, size_t bytes)
{
    const sim_plan *plan = &s->plan;
    bool numbered = h->producer_id >= 0 && h->producer_epoch >= 0 && h->base_sequence >= 0;
    bool unnumbered = h->producer_id == -1 && h->producer_epoch == -1 && h->base_sequence == -1;
    if (plan->idempotent ? !numbered : !unnumbered)
        sim_fail(s, "I16", "a batch with producer id %" PRId64 ", epoch %d, sequence %d",
                 h->producer_id, h->producer_epoch, h->base_sequence);
    if (h->magic != 2 || h->base_offset != 0)
        sim_fail(s, "I15", "a batch of magic %d with base offset %" PRId64, h->magic,
                 h->base_offset);
    int codec = kloop_batch_codec(h);
    if (codec != 0 && codec != (int)plan->codec)
        sim_fail(s, "I15", "a batch with codec %d, codec %d was asked for", codec, plan->codec);
    if (bytes > plan->request_size_max + KLOOP_BATCH_HEADER_BYTES)
        sim_fail(s, "I15", "a batch of %zu bytes, max.request.size is %zu", bytes,
                 plan->request_size_max);
}

/* ---- Numbers ---- */

static bool reported(sim *s, const sim_batch *b)
{
    uint32_t last = s->book.members[b->first_record + (uint32_t)b->count - 1];
    return sim_ledger_record(s, last)->state != SIM_RECORD_PENDING;
}

/* Errors that do not tell whether the batch is in the log. */
static bool says_nothing(int16_t error)
{
    return error == -1 || error == 7 || error == 13 || error == 20 ||
           !kloop_broker_error_name(error);
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
        bool over = b->renumbered || b->stored_answered || reported(s, b) ||
                    (is_refused(b) && !says_nothing(b->last_error));
        if (!over)
            break;
        part->settled++;
    }
}

static bool is_open(sim *s, const sim_batch *b)
{
    return !b->renumbered && !b->stored_answered && !reported(s, b);
}

/* Was something before it, under the same numbers, surely not stored? */
static bool is_behind_gap(sim *s, const sim_batch *old)
{
    const sim_part *part = old->part;
    for (uint32_t i = part->batch_count; i-- > 0;) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (b < old && b->producer_id == old->producer_id &&
            b->producer_epoch == old->producer_epoch && !b->stored_answered && !b->unanswered &&
            !b->maybe_answered)
            return true;
    }
    return false;
}

/* It may not go out once more: with few retries a torn request counts, which nobody has seen. */
static bool is_used_up(const sim *s, const sim_batch *b)
{
    return b->attempts > s->plan.retries || (s->plan.retries < 1000 && s->links.torn);
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

/* What leaves now may have been put together before that time, and waited for the host. */
static bool was_queued(const sim_conn *c, uint64_t at_ns)
{
    return at_ns && c->behind_since_ns <= at_ns;
}

/* No batch passes one before it whose fate is open, unless that one is right in front of it. */
static void check_overtaking(sim *s, const sim_conn *c, sim_part *part, const sim_batch *mine)
{
    settle(s, part);
    uint32_t open = 0;
    for (uint32_t i = part->settled; i < part->batch_count; i++) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        if (b >= mine)
            break;
        bool mates = b->producer_epoch == mine->producer_epoch && !b->renumbered;
        /* Those that were stored behind an open one count: a broker remembers five in all. */
        if (mates && !reported(s, b) && (open || !b->stored_answered))
            open++;
        if (!is_open(s, b) || is_refused(b) || is_used_up(s, b) || is_expiring(s, b) ||
            b->producer_epoch != mine->producer_epoch || b->producer_id != mine->producer_id ||
            was_queued(c, b->last_answer_ns))
            continue;
        if (b->last_conn != c->number || b->last_answer_ns)
            sim_fail(s, "I18",
                     "topic %d partition %d: sequence %d goes out on #%" PRId64
                     ", and sequence %d before it is open (last on #%" PRId64 ", error %d)",
                     part->topic, part->partition, mine->sequence, c->number, b->sequence,
                     b->last_conn, b->last_error);
    }
    if (s->plan.idempotent && open >= 5)
        sim_fail(s, "I18", "topic %d partition %d: %u batches are open, and a further one goes out",
                 part->topic, part->partition, open);
}

/* A batch that was given up is a hole, unless its answer told later that it is stored. */
static void check_hole(sim *s, const sim_conn *c, const sim_part *part, const kloop_batch_header *h)
{
    for (uint32_t i = part->batch_count; i-- > 0;) {
        const sim_batch *b = &s->book.batches[part->batches[i]];
        /* Where one is stored, so are those before it. */
        if (b->producer_id != h->producer_id || b->producer_epoch != h->producer_epoch ||
            b->stored_answered)
            break;
        uint32_t last = s->book.members[b->first_record + (uint32_t)b->count - 1];
        const sim_record *r = sim_ledger_record(s, last);
        bool lost = r->state == SIM_RECORD_UNKNOWN || r->state == SIM_RECORD_FAILED;
        bool refused = is_refused(b) && !says_nothing(b->last_error);
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

static void check_number(sim *s, const sim_conn *c, sim_part *part, const kloop_batch_header *h)
{
    bool same = part->numbered && part->producer_id == h->producer_id &&
                part->producer_epoch == h->producer_epoch;
    if (same) {
        if (h->base_sequence != part->next_sequence)
            sim_fail(s, "I16", "topic %d partition %d: sequence %d, %d should come", part->topic,
                     part->partition, h->base_sequence, part->next_sequence);
        check_hole(s, c, part, h);
        return;
    }
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
        if (!is_refused(b) && !out_of_order && !used_up && !is_expiring(s, b) &&
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
static void check_renumbering(sim *s, const sim_batch *mine)
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

static int32_t sequence_after(int32_t sequence, int32_t count)
{
    return (int32_t)(((int64_t)sequence + count) & INT32_MAX);
}

/* ---- A batch goes out ---- */

static sim_batch *known(sim *s, const sim_part *part, const kloop_batch_header *h,
                        uint32_t first_member)
{
    if (s->plan.idempotent) {
        bool next = part->producer_id == h->producer_id &&
                    part->producer_epoch == h->producer_epoch &&
                    part->next_sequence == h->base_sequence;
        for (uint32_t i = next ? 0 : part->batch_count; i-- > 0;) {
            sim_batch *b = &s->book.batches[part->batches[i]];
            if (b->sequence == h->base_sequence && b->producer_epoch == h->producer_epoch &&
                b->producer_id == h->producer_id)
                return b;
        }
        return NULL;
    }
    const sim_record *r = sim_ledger_record(s, s->book.members[first_member]);
    sim_batch *b = r->batch ? &s->book.batches[r->batch - 1] : NULL;
    return b && s->book.members[b->first_record] == s->book.members[first_member] &&
                   b->count == h->record_count
               ? b
               : NULL;
}

static uint32_t enter(sim *s, sim_part *part, const kloop_batch_header *h, uint64_t hash,
                      uint32_t first_member)
{
    sim_book *book = &s->book;
    if (book->batch_count == book->batch_cap) {
        book->batch_cap = book->batch_cap ? 2 * book->batch_cap : 256;
        book->batches = sim_grow(book->batches, book->batch_cap, sizeof *book->batches);
    }
    book->batches[book->batch_count] = (sim_batch){.part = part,
                                                   .producer_id = h->producer_id,
                                                   .producer_epoch = h->producer_epoch,
                                                   .sequence = h->base_sequence,
                                                   .count = h->record_count,
                                                   .crc = h->crc,
                                                   .hash = hash,
                                                   .first_record = first_member,
                                                   .first_sent_ns = s->world.now_ns};
    return book->batch_count++;
}

/* A second attempt at the same place, after an error that asks for time, comes not at once. */
static void check_pace(sim *s, const sim_conn *c, const sim_batch *b)
{
    static const int16_t paced[] = {3, 5, 7, 19, 20, 56};
    /* A newer leader ends the wait. */
    if (!b->last_answer_ns || b->last_node != c->node ||
        s->book.metadata_answer_ns >= b->last_answer_ns)
        return;
    for (size_t i = 0; i < sizeof paced / sizeof paced[0]; i++)
        if (b->last_error == paced[i] &&
            s->world.now_ns - b->last_answer_ns < s->plan.retry_backoff_ns / 10 * 8)
            sim_fail(s, "I37", "sequence %d goes out again %" PRIu64 " us after error %d",
                     b->sequence, (s->world.now_ns - b->last_answer_ns) / KL_US, b->last_error);
}

static void batch_out(sim *s, sim_conn *c, sim_part *part, kloop_slice bytes)
{
    sim_book *book = &s->book;
    const kloop_batch_header *header;
    kloop_fault fault;
    kloop_batch_reader_start(book->reader, bytes.data, bytes.len);
    if (kloop_batch_reader_next(book->reader, &header, &fault) || !header)
        sim_fail(s, "I15", "a batch cannot be read: status %d at byte %zu", fault.status, fault.at);
    kloop_batch_header h = *header;
    check_header(s, &h, bytes.len);
    uint64_t hash = sim_hash(0, bytes.data, bytes.len);
    uint32_t first_member = book->member_count;
    sim_batch *b = s->plan.idempotent ? known(s, part, &h, 0) : NULL;
    if (!b) {
        read_members(s, part, &h);
        if (kloop_batch_reader_next(book->reader, &header, &fault) || header)
            sim_fail(s, "I15", "a second batch in the same place");
        if (!s->plan.idempotent)
            b = known(s, part, &h, first_member);
    }
    /* What a liar says of batches, the engine may believe. */
    bool honest = !s->plan.hostile;
    bool ordered =
        honest && s->plan.acks != 0 && (s->plan.idempotent || s->plan.in_flight_max == 1);
    if (b) {
        book->member_count = first_member;
        if (b->hash != hash || b->count != h.record_count)
            sim_fail(s, "I17", "topic %d partition %d: sequence %d goes out again and differs",
                     part->topic, part->partition, b->sequence);
        if (b->renumbered && honest)
            sim_fail(s, "I19",
                     "topic %d partition %d: epoch %d sequence %d goes out after it was "
                     "renumbered",
                     part->topic, part->partition, b->producer_epoch, b->sequence);
        check_pace(s, c, b);
    } else {
        if (s->plan.idempotent && honest)
            check_number(s, c, part, &h);
        uint32_t entry = enter(s, part, &h, hash, first_member);
        b = &book->batches[entry];
        b->body_hash = body_hash(bytes.data, bytes.len);
        check_renumbering(s, b);
        push(&part->batches, &part->batch_count, &part->batch_cap, entry);
        if (s->plan.idempotent) {
            part->numbered = true;
            part->producer_id = h.producer_id;
            part->producer_epoch = h.producer_epoch;
            part->next_sequence = sequence_after(h.base_sequence, h.record_count);
        }
    }
    if (ordered)
        check_overtaking(s, c, part, b);
    char which[48];
    snprintf(which, sizeof which, ", %d records from %u", b->count, book->members[b->first_record]);
    sim_note(s, SIM_NOTE_BATCH, which, part->topic, part->partition, b->producer_epoch,
             b->sequence);
    uint32_t number = (uint32_t)(b - book->batches);
    for (int32_t i = 0; i < b->count; i++)
        sim_ledger_sent(s, book->members[b->first_record + (uint32_t)i], part, number);
    b->attempts++;
    b->last_node = c->node;
    b->last_answer_ns = 0;
    b->last_error = 0;
    if (s->plan.acks != 0) {
        b->unanswered++;
        push(&book->attempts, &book->attempt_count, &book->attempt_cap, number);
    }
}

bool sim_book_produce(sim *s, sim_conn *c, int16_t version, const uint8_t *body, size_t len)
{
    kloop_produce_request r;
    kloop_fault fault;
    uint32_t first = s->book.attempt_count;
    if (kloop_decode(KLOOP_PRODUCE, KLOOP_REQUEST, version, body, len, &r, &fault))
        sim_fail(s, "I15", "a Produce request cannot be read: status %d at byte %zu", fault.status,
                 fault.at);
    if (r.acks != s->plan.acks || r.transactional_id.data)
        sim_fail(s, "I15", "a Produce request with acks %d", r.acks);
    s->book.produce_requests++;
    kloop_produce_topic topic;
    for (kloop_iter t = kloop_iterate(&r.topic_data); kloop_next(&t, &topic);) {
        int number = version >= 13 ? sim_brokers_topic_by_id(s, &topic.topic_id)
                                   : sim_plan_topic_by_name(s, topic.name);
        if (number < 0)
            sim_fail(s, "I12", "a Produce request to a topic that nobody has asked for");
        kloop_produce_partition p;
        for (kloop_iter i = kloop_iterate(&topic.partition_data); kloop_next(&i, &p);) {
            if (p.index < 0 || p.index >= SIM_PARTITIONS_MAX)
                sim_fail(s, "I14", "a Produce request to partition %d", p.index);
            sim_part *part = &s->ledger.parts[number][p.index];
            part->topic = (uint8_t)number;
            part->partition = p.index;
            for (uint32_t k = first; k < s->book.attempt_count; k++)
                if (s->book.batches[s->book.attempts[k]].part == part)
                    sim_fail(s, "I15", "a Produce request names partition %d twice", p.index);
            batch_out(s, c, part, p.records.head);
        }
    }
    return s->plan.acks != 0;
}

/* ---- What the answers say ---- */

static void result(sim *s, sim_batch *b, const kloop_produce_partition_response *p)
{
    sim_note(s, SIM_NOTE_RESULT, NULL, b->part->topic, b->part->partition, p->error_code,
             p->base_offset);
    b->unanswered--;
    b->last_error = p->error_code;
    b->last_answer_ns = s->world.now_ns;
    if (p->error_code == 0 || p->error_code == 46)
        b->stored_answered = true;
    else if (says_nothing(p->error_code))
        b->maybe_answered = true;
}

bool sim_book_answer(sim *s, const sim_asked *asked, const uint8_t *body, size_t len)
{
    kloop_produce_response r;
    if (kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, asked->version, body, len, &r, NULL))
        return false;
    kloop_produce_topic_response topic;
    for (kloop_iter t = kloop_iterate(&r.responses); kloop_next(&t, &topic);) {
        int number = asked->version >= 13 ? sim_brokers_topic_by_id(s, &topic.topic_id)
                                          : sim_plan_topic_by_name(s, topic.name);
        kloop_produce_partition_response p;
        for (kloop_iter i = kloop_iterate(&topic.partition_responses); kloop_next(&i, &p);) {
            for (uint32_t k = 0; k < asked->attempt_count; k++) {
                uint32_t *attempt = &s->book.attempts[asked->first_attempt + k];
                sim_batch *b = *attempt == ANSWERED ? NULL : &s->book.batches[*attempt];
                if (!b || b->part->topic != number || b->part->partition != p.index)
                    continue;
                result(s, b, &p);
                *attempt = ANSWERED;
                break;
            }
        }
    }
    return true;
}
