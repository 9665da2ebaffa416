/* SPDX-License-Identifier: BSD-2-Clause */
/* Loans and chunks. */
#include "tests/sim/sim_lending.h"

#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM            SIM_STREAM_USER
#define BATCH_RECORDS_MAX 64

void sim_lending_deinit(sim *s)
{
    sim_lending *l = &s->lending;
    for (uint32_t i = 0; i < l->loan_count; i++)
        free(l->loans[i].bytes);
    free(l->loans);
    free(l->chunks);
    kloop_batch_writer_del(l->writer);
}

/* ---- Loans ---- */

static uint32_t lend(sim *s, kloop_slice from)
{
    sim_lending *l = &s->lending;
    if (l->loan_count == l->loan_cap) {
        l->loan_cap = l->loan_cap ? 2 * l->loan_cap : 64;
        l->loans = sim_grow(l->loans, l->loan_cap, sizeof *l->loans);
    }
    sim_loan *loan = &l->loans[l->loan_count];
    *loan = (sim_loan){.bytes = sim_zalloc(from.len + 1, 1), .len = from.len};
    memcpy(loan->bytes, from.data, from.len);
    loan->hash = sim_hash(0, loan->bytes, loan->len);
    return ++l->loan_count;
}

static void take_back(sim *s, sim_loan *loan)
{
    sim_link_check_release(s, loan->bytes, loan->len);
    memset(loan->bytes, SIM_POISON, loan->len);
    loan->back = true;
}

static void lent(sim *s, uint32_t number, bool taken)
{
    if (!number)
        return;
    sim_loan *loan = &s->lending.loans[number - 1];
    loan->taken = taken;
    s->lending.out += taken;
    if (!taken)
        take_back(s, loan);
}

void sim_lending_on_release(sim *s, const kloop_loan *loans, size_t count)
{
    sim_lending *l = &s->lending;
    if (!count)
        sim_fail(s, "loan", "RELEASE of nothing");
    for (size_t i = 0; i < count; i++) {
        uintptr_t number = (uintptr_t)loans[i].lender;
        if (number == 0 || number > l->loan_count)
            sim_fail(s, "loan", "RELEASE of what was never lent");
        sim_loan *loan = &l->loans[number - 1];
        sim_note(s, SIM_NOTE_RELEASE, NULL, (int64_t)number, (int64_t)loan->len, 0, 0);
        if (!loan->taken || loan->back)
            sim_fail(s, "loan", "loan %" PRIuPTR " is given back, and %s", number,
                     loan->back ? "was before" : "its record was refused");
        if (loans[i].value.len != loan->len || (loan->len && loans[i].value.data != loan->bytes))
            sim_fail(s, "loan", "loan %" PRIuPTR " is given back as another one", number);
        if (sim_hash(0, loan->bytes, loan->len) != loan->hash)
            sim_fail(s, "loan", "loan %" PRIuPTR " was written to", number);
        take_back(s, loan);
        l->out--;
    }
}

/* ---- Records ---- */

uint32_t sim_lending_dress(sim *s, kloop_record *r, uint32_t *chunk)
{
    sim_lending *l = &s->lending;
    uint32_t loan = 0;
    *chunk = l->present;
    if (*chunk) {
        r->set |= KLOOP_SET_CHUNK;
        r->chunk = l->chunks[*chunk - 1].handle;
        r->user = NULL;
    }
    if (r->value.data && sim_chance(s, RANDOM, s->plan.borrows)) {
        loan = lend(s, r->value);
        r->value.data = l->loans[loan - 1].bytes;
        r->set |= KLOOP_SET_BORROWED;
        r->lender = (void *)(uintptr_t)loan;
    }
    return loan;
}

static void enter(sim *s, uint32_t number, uint32_t chunk)
{
    sim_chunk *c = &s->lending.chunks[chunk - 1];
    sim_ledger_record(s, number)->chunk = chunk;
    c->first = c->count ? c->first : number;
    c->last = number;
    c->count++;
    c->due_ns = kl_time_add(s->world.now_ns, s->plan.delivery_timeout_ns);
    s->lending.untold++;
}

void sim_lending_sent(sim *s, uint32_t number, uint32_t loan, uint32_t chunk, bool taken)
{
    lent(s, loan, taken);
    if (chunk && taken)
        enter(s, number, chunk);
}

/* ---- Batches ---- */

/* One after the other is drawn, put down and forgotten. */
static uint32_t write_records(sim *s, int topic, int32_t partition, uint32_t n, int codec,
                              size_t bytes_max, kloop_slice *batch)
{
    sim_lending *l = &s->lending;
    uint32_t first = s->ledger.count + 1;
    kloop_batch_record records[BATCH_RECORDS_MAX];
    kloop_batch_header header;
    kloop_fault fault;
    int64_t base = sim_world_wall_ms(s);
    if (!l->writer && !(l->writer = kloop_batch_writer_new(NULL)))
        abort();
    kloop_batch_header_init(&header);
    header.attributes = (int16_t)codec;
    header.last_offset_delta = (int32_t)n - 1;
    header.base_timestamp = base;
    header.max_timestamp = base + (int64_t)n - 1;
    kloop_batch_writer_start(l->writer, &header);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t number = first + i;
        sim_payload_make(s, number, (uint8_t)topic, partition, bytes_max);
        kloop_record *r = &s->payload.record;
        int64_t timestamp = base + (int64_t)i;
        records[i] = (kloop_batch_record){
            .offset = (int64_t)i,
            .timestamp = timestamp,
            .key = r->key,
            .value = r->value,
            .headers = kloop_record_headers_of(r->headers, (int32_t)r->header_count)};
        sim_record line = {.accepted_ns = s->world.now_ns,
                           .content = sim_payload_hash(r, timestamp),
                           .offset = -1,
                           .reported_offset = -1,
                           .home = KL_NO_TOPIC,
                           .partition = partition,
                           .sent_to = -1,
                           .topic = (uint8_t)topic,
                           .encoded = (uint8_t)(i == 0 ? n : 1),
                           .codec = (uint8_t)codec,
                           .parked = kloop_topic_partitions(s->user.topics[topic]) == 0};
        if (kloop_batch_writer_add(l->writer, &records[i], &fault))
            abort();
        sim_payload_poison(s);
        sim_ledger_add(s, &line);
    }
    if (kloop_batch_writer_end(l->writer, batch, &fault))
        abort();
    return first;
}

uint32_t sim_lending_send_batch(sim *s, int topic, int32_t partition, uint32_t n, int codec,
                                size_t bytes_max)
{
    sim_lending *l = &s->lending;
    kloop_slice batch;
    if (n > BATCH_RECORDS_MAX)
        n = BATCH_RECORDS_MAX;
    uint32_t first = write_records(s, topic, partition, n, codec, bytes_max, &batch);
    kloop_encoded e = {.bytes = batch, .user = (void *)(uintptr_t)first};
    uint32_t loan = 0;
    uint32_t chunk = l->present;
    /* What was encoded is the writer's: a copy, for it to be poisoned. */
    uint32_t copy = lend(s, batch);
    e.bytes.data = l->loans[copy - 1].bytes;
    if (sim_chance(s, RANDOM, s->plan.borrows)) {
        loan = copy;
        e.set |= KLOOP_SET_BORROWED;
        e.lender = (void *)(uintptr_t)loan;
    }
    if (partition >= 0) {
        e.set |= KLOOP_SET_PARTITION;
        e.partition = partition;
    }
    if (chunk) {
        e.set |= KLOOP_SET_CHUNK;
        e.chunk = l->chunks[chunk - 1].handle;
    }
    kloop_status status = kloop_engine_send_batch(s->user.topics[topic], &e);
    sim_note(s, SIM_NOTE_SEND_BATCH, NULL, first, n, topic, status);
    if (!loan)
        take_back(s, &l->loans[copy - 1]);
    lent(s, loan, status == KLOOP_OK);
    if (status != KLOOP_OK) {
        sim_user_check_batch_refusal(s, topic, &e, status);
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        sim_ledger_accepted(s, first + i);
        s->checks.parked |= sim_ledger_record(s, first + i)->parked;
        if (chunk)
            enter(s, first + i, chunk);
    }
    return first;
}

/* ---- Chunks ---- */

uint32_t sim_lending_begin_chunk(sim *s)
{
    sim_lending *l = &s->lending;
    kloop_chunk *handle;
    if (l->present)
        return l->present;
    kloop_status status =
        kloop_engine_chunk(s->host.engine, (void *)(uintptr_t)(l->chunk_count + 1), &handle);
    sim_note(s, SIM_NOTE_CHUNK_BEGUN, NULL, l->chunk_count + 1, status, 0, 0);
    if (status == KLOOP_OK && (!handle || kloop_chunk_engine(handle) != s->host.engine))
        sim_fail(s, "chunk", "a chunk of another engine, or none");
    if (status != KLOOP_OK) {
        bool may = (status == KLOOP_CLOSED && s->user.closing) ||
                   (status == KLOOP_FATAL && kloop_engine_fatal_text(s->host.engine)) ||
                   (status == KLOOP_NO_MEMORY && s->plan.starved);
        if (!may || handle)
            sim_fail(s, "chunk", "a chunk is refused with status %d", status);
        return 0;
    }
    if (l->chunk_count == l->chunk_cap) {
        l->chunk_cap = l->chunk_cap ? 2 * l->chunk_cap : 16;
        l->chunks = sim_grow(l->chunks, l->chunk_cap, sizeof *l->chunks);
    }
    l->chunks[l->chunk_count] = (sim_chunk){.handle = handle};
    l->chunks_open++;
    return l->present = ++l->chunk_count;
}

void sim_lending_end_chunk(sim *s)
{
    sim_lending *l = &s->lending;
    if (!l->present)
        return;
    sim_chunk *c = &l->chunks[l->present - 1];
    sim_note(s, SIM_NOTE_CHUNK_ENDED, NULL, l->present, c->count, 0, 0);
    if (c->due_ns < s->world.now_ns)
        c->due_ns = s->world.now_ns;
    kloop_engine_chunk_end(c->handle);
    c->handle = NULL;
    l->present = 0;
}

void sim_lending_drop_chunk(sim *s)
{
    sim_lending *l = &s->lending;
    if (!l->present)
        return;
    sim_chunk *c = &l->chunks[l->present - 1];
    sim_note(s, SIM_NOTE_CHUNK_ENDED, "dropped", l->present, c->count, 0, 0);
    kloop_engine_chunk_drop(c->handle);
    c->handle = NULL;
    c->dropped = true;
    l->present = 0;
    l->chunks_open--;
    l->untold -= c->count;
    s->ledger.dropped += c->count;
    for (uint32_t i = c->count ? c->first : 1; i <= c->last; i++) {
        sim_record *r = sim_ledger_record(s, i);
        if (r->chunk == (uint32_t)(c - l->chunks) + 1)
            r->state = SIM_RECORD_UNKNOWN;
    }
}

void sim_lending_flush(sim *s, uint32_t flush)
{
    sim_lending *l = &s->lending;
    for (uint32_t i = l->chunk_count; l->chunks_open && i-- > 0;)
        if (!l->chunks[i].handle && !l->chunks[i].flush)
            l->chunks[i].flush = flush;
}

void sim_lending_flushed(sim *s, uint64_t flush)
{
    sim_lending *l = &s->lending;
    for (uint32_t i = 0; l->chunks_open && i < l->chunk_count; i++) {
        const sim_chunk *c = &l->chunks[i];
        if (c->flush && c->flush <= flush && !c->told && !c->dropped)
            sim_fail(s, "flush", "flush %" PRIu64 " is over, and chunk %u before it is not told",
                     flush, i + 1);
    }
}

/* What is known of its records now: of all of them alike, or of none in particular. */
static void settle(sim *s, uint32_t chunk, uint8_t state)
{
    const sim_chunk *c = &s->lending.chunks[chunk - 1];
    for (uint32_t i = c->count ? c->first : 1; i <= c->last; i++) {
        sim_record *r = sim_ledger_record(s, i);
        if (r->chunk != chunk)
            continue;
        r->state = state;
        r->reported_ns = s->world.now_ns;
        if (s->plan.hostile)
            continue;
        if (state == SIM_RECORD_ACKED && s->plan.acks != 0 && !r->appended)
            sim_fail(s, "I5", "record %u of a chunk is acked, and no broker has it", i);
        if (state == SIM_RECORD_FAILED)
            sim_ledger_check_failed(s, i);
    }
}

static void check_words(sim *s, uint32_t chunk, const kloop_chunk_report *report)
{
    bool all = !report->failed && !report->unknown;
    kloop_outcome right = all               ? KLOOP_OUTCOME_ACKED
                          : report->unknown ? KLOOP_OUTCOME_UNKNOWN
                                            : KLOOP_OUTCOME_FAILED;
    if (report->outcome != right)
        sim_fail(s, "chunk", "chunk %u: %" PRIu64 " failed, %" PRIu64 " unknown, and outcome %d",
                 chunk, report->failed, report->unknown, (int)report->outcome);
    if (!report->text || all != (report->text[0] == '\0') ||
        all != (report->cause == KLOOP_CAUSE_NONE) || all != (report->topic == NULL))
        sim_fail(s, "chunk", "chunk %u: %" PRIu64 " failed, %" PRIu64 " unknown, cause %d, \"%s\"",
                 chunk, report->failed, report->unknown, (int)report->cause,
                 report->text ? report->text : "NULL");
    if (!all && sim_user_topic_of(s, report->topic) < 0)
        sim_fail(s, "chunk", "chunk %u: its first error is of a topic that was never opened",
                 chunk);
}

void sim_lending_on_chunk(sim *s, const kloop_chunk_report *report)
{
    sim_lending *l = &s->lending;
    uintptr_t number = (uintptr_t)report->user;
    sim_note(s, SIM_NOTE_CHUNK, report->text, (int64_t)number, (int64_t)report->acked,
             (int64_t)report->failed, (int64_t)report->unknown);
    if (number == 0 || number > l->chunk_count)
        sim_fail(s, "chunk", "CHUNK names one that never was");
    sim_chunk *c = &l->chunks[number - 1];
    if (c->told || c->dropped)
        sim_fail(s, "chunk", "chunk %" PRIuPTR " is told %s", number,
                 c->told ? "twice" : "and was dropped");
    if (c->handle && !s->user.closing)
        sim_fail(s, "chunk", "chunk %" PRIuPTR " is told before it was ended", number);
    if (report->acked + report->failed + report->unknown != c->count)
        sim_fail(s, "chunk",
                 "chunk %" PRIuPTR " has %u records: %" PRIu64 " acked, %" PRIu64
                 " failed, %" PRIu64 " unknown",
                 number, c->count, report->acked, report->failed, report->unknown);
    check_words(s, (uint32_t)number, report);
    if (l->present == number)
        l->present = 0;
    c->handle = NULL;
    c->told = true;
    c->acked = report->acked;
    c->failed = report->failed;
    l->chunks_open--;
    l->untold -= c->count;
    s->ledger.acked += (uint32_t)report->acked;
    s->ledger.failed += (uint32_t)report->failed;
    s->ledger.unknown += (uint32_t)report->unknown;
    settle(s, (uint32_t)number,
           report->acked == c->count    ? SIM_RECORD_ACKED
           : report->failed == c->count ? SIM_RECORD_FAILED
                                        : SIM_RECORD_UNKNOWN);
}

/* ---- Checks ---- */

void sim_lending_check_turn(sim *s)
{
    sim_lending *l = &s->lending;
    for (uint32_t i = l->chunk_count, open = l->chunks_open; open && i-- > 0;) {
        const sim_chunk *c = &l->chunks[i];
        if (c->told || c->dropped)
            continue;
        open--;
        if (!c->handle && s->world.now_ns > kl_time_add(c->due_ns, s->host.slack_ns + KL_MS))
            sim_fail(s, "I30", "chunk %u is not told, %" PRIu64 " us after its last record was due",
                     i + 1, (s->world.now_ns - c->due_ns) / KL_US);
    }
}

void sim_lending_check_closed(sim *s)
{
    if (s->lending.out)
        sim_fail(s, "loan", "CLOSED, and %u loans were not given back", s->lending.out);
    if (s->lending.chunks_open)
        sim_fail(s, "chunk", "CLOSED, and %u chunks are not told", s->lending.chunks_open);
}

void sim_lending_check_logs(sim *s)
{
    sim_lending *l = &s->lending;
    const sim_plan *p = &s->plan;
    if (p->hostile || p->lossy || p->acks != -1 || s->brokers.deletions)
        return;
    for (uint32_t n = 1; n <= l->chunk_count; n++) {
        const sim_chunk *c = &l->chunks[n - 1];
        uint64_t stored = 0;
        for (uint32_t i = c->first; c->count && i <= c->last; i++) {
            const sim_record *r = sim_ledger_record(s, i);
            stored += r->chunk == n && r->copies;
        }
        if (c->told && (stored < c->acked || c->count - stored < c->failed))
            sim_fail(s, "I7",
                     "chunk %u: %" PRIu64 " acked, %" PRIu64 " failed, and %" PRIu64
                     " of its %u records are in a log",
                     n, c->acked, c->failed, stored, c->count);
    }
}
