/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of batches and their numbers. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_numbers.h"

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
    if ((resealed || s->book.folded_anew) && !s->plan.idempotent)
        return find_by_record(s, stored);
    for (uint32_t i = part->batch_count; i-- > 0;) {
        sim_batch *b = &s->book.batches[part->batches[i]];
        if (b->sequence == stored->base_sequence && b->producer_id == stored->producer_id &&
            b->producer_epoch == stored->producer_epoch &&
            (resealed || b->folded_anew || b->crc == stored->crc) &&
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
        uint32_t codecs =
            r->encoded ? (uint32_t)1 << r->codec | 1 : s->plan.topics[part->topic].codecs | 1;
        if (!(codecs >> kloop_batch_codec(header) & 1))
            sim_fail(s, "I15", "record %u goes out with codec %d", number,
                     kloop_batch_codec(header));
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
    if (bytes > plan->request_size_max + KLOOP_BATCH_HEADER_BYTES)
        sim_fail(s, "I15", "a batch of %zu bytes, max.request.size is %zu", bytes,
                 plan->request_size_max);
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
        for (uint32_t i = sim_numbers_is_next(part, h) ? 0 : part->batch_count;
             i-- > part->jumped;) {
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

/* The same records under another codec, which its topic allows: brokers that know the first one by
 * its numbers know this one too. */
static bool is_folded_anew(sim *s, const sim_part *part, const sim_batch *b,
                           const kloop_batch_header *h, uint32_t first_member)
{
    sim_book *book = &s->book;
    uint32_t codecs = s->plan.topics[part->topic].codecs;
    if (!(codecs & (codecs - 1)) || b->count != h->record_count)
        return false;
    if (book->member_count == first_member)
        read_members(s, part, h);
    for (int32_t i = 0; i < b->count; i++)
        if (book->members[first_member + (uint32_t)i] !=
            book->members[b->first_record + (uint32_t)i])
            return false;
    return true;
}

/* true: its records went out before. */
static bool batch_out(sim *s, sim_conn *c, sim_part *part, kloop_slice bytes, bool by_name)
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
    sim_batch *whole = NULL;
    if (s->plan.idempotent) {
        sim_told_check_producer(s, h.producer_id, h.producer_epoch);
        if (b ? b->hash != hash && h.record_count < b->count : !sim_numbers_is_next(part, &h))
            whole = b ? b : sim_numbers_find_whole(s, part, &h);
        b = whole ? NULL : b;
    }
    sim_told_check_leader(s, c, part);
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
        bool same = b->hash == hash && b->count == h.record_count;
        if (!same && is_folded_anew(s, part, b, &h, first_member))
            same = true;
        book->member_count = first_member;
        if (same && b->hash != hash) {
            b->folded_anew = book->folded_anew = true;
            b->hash = hash;
            b->crc = h.crc;
            b->body_hash = body_hash(bytes.data, bytes.len);
        }
        if (!same)
            sim_fail(s, "I17", "topic %d partition %d: sequence %d goes out again and differs",
                     part->topic, part->partition, b->sequence);
        if (b->renumbered && honest)
            sim_fail(s, "I19",
                     "topic %d partition %d: epoch %d sequence %d goes out after it was "
                     "renumbered",
                     part->topic, part->partition, b->producer_epoch, b->sequence);
        sim_pace_batch(s, c, b);
    } else {
        if (whole)
            sim_numbers_check_part(s, whole, &h, first_member);
        else if (s->plan.idempotent && honest)
            sim_numbers_check_new(s, c, part, &h);
        uint32_t entry = enter(s, part, &h, hash, first_member);
        b = &book->batches[entry];
        b->body_hash = body_hash(bytes.data, bytes.len);
        b->first_made_ns = c->behind_since_ns;
        sim_numbers_check_again(s, b);
        push(&part->batches, &part->batch_count, &part->batch_cap, entry);
        if (s->plan.idempotent && !whole) {
            part->numbered = true;
            part->producer_id = h.producer_id;
            part->producer_epoch = h.producer_epoch;
            part->next_sequence = sequence_after(h.base_sequence, h.record_count);
        }
    }
    if (ordered)
        sim_numbers_check_order(s, c, part, b);
    char which[48];
    snprintf(which, sizeof which, ", %d records from %u", b->count, book->members[b->first_record]);
    sim_note(s, SIM_NOTE_BATCH, which, part->topic, part->partition, b->producer_epoch,
             b->sequence);
    uint32_t number = (uint32_t)(b - book->batches);
    bool again = sim_ledger_record(s, book->members[b->first_record])->attempts > 0;
    for (int32_t i = 0; i < b->count; i++)
        sim_ledger_sent(s, book->members[b->first_record + (uint32_t)i], part, number,
                        c->watch.early);
    b->attempts++;
    b->by_name |= by_name;
    if (b->last_node != c->node)
        b->refusals = 0;
    b->last_node = c->node;
    b->last_answer_ns = 0;
    b->last_error = 0;
    if (s->plan.acks != 0) {
        part->in_flight++;
        b->unanswered++;
        push(&book->attempts, &book->attempt_count, &book->attempt_cap, number);
    }
    return again;
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
    bool again = false;
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
            again |= batch_out(s, c, part, p.records.head, version < 13);
        }
    }
    if (again)
        sim_pace_again(s, c);
    return s->plan.acks != 0;
}

/* ---- What the answers say ---- */

static void result(sim *s, sim_batch *b, const kloop_produce_partition_response *p)
{
    sim_note(s, SIM_NOTE_RESULT, NULL, b->part->topic, b->part->partition, p->error_code,
             p->base_offset);
    b->unanswered--;
    b->part->in_flight--;
    b->last_error = p->error_code;
    b->last_answer_ns = s->world.now_ns;
    b->refusals = p->error_code ? b->refusals + 1 : 0;
    if (p->error_code == 0 || p->error_code == 46) {
        b->stored_answered = true;
        sim_pace_progress(s, b->last_node);
    } else if (sim_numbers_says_nothing(p->error_code)) {
        b->maybe_answered = true;
    }
}

/* What the answer leaves out is not under way any more, and its fate is open. */
static void land_rest(sim *s, const sim_asked *asked)
{
    for (uint32_t k = 0; k < asked->attempt_count; k++) {
        uint32_t attempt = s->book.attempts[asked->first_attempt + k];
        if (attempt != ANSWERED)
            s->book.batches[attempt].part->in_flight--;
    }
}

void sim_book_over(sim *s, const sim_conn *c)
{
    const sim_watch *w = &c->watch;
    for (size_t i = w->asked_start; i < w->asked_count; i++)
        land_rest(s, &w->asked[i]);
}

bool sim_book_answer(sim *s, const sim_asked *asked, const uint8_t *body, size_t len)
{
    kloop_produce_response r;
    if (kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, asked->version, body, len, &r, NULL)) {
        land_rest(s, asked);
        return false;
    }
    kloop_produce_topic_response topic;
    for (kloop_iter t = kloop_iterate(&r.responses); kloop_next(&t, &topic);) {
        int number = asked->version >= 13 ? sim_brokers_topic_by_id(s, &topic.topic_id)
                                          : sim_plan_topic_by_name(s, topic.name);
        kloop_produce_partition_response p;
        for (kloop_iter i = kloop_iterate(&topic.partition_responses); kloop_next(&i, &p);) {
            if (number >= 0)
                sim_told_hint(s, number, p.index, &p.current_leader, asked);
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
    land_rest(s, asked);
    return true;
}
