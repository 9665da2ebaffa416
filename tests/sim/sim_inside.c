/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot has to say of a world. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <string.h>

#define LOOKS_EVERY 97

static void expect(sim *s, const char *what, bool is, uint64_t a, uint64_t b)
{
    if (!is)
        sim_fail(s, "inside", "%s: %" PRIu64 " and %" PRIu64, what, a, b);
}

static void same(sim *s, const char *what, uint64_t a, uint64_t b)
{
    expect(s, what, a == b, a, b);
}

static void at_most(sim *s, const char *what, uint64_t a, uint64_t b)
{
    expect(s, what, a <= b, a, b);
}

/* ---- Brokers ---- */

static void check_brokers(sim *s, const kloop_snapshot *i)
{
    kloop_broker_stats all = {0};
    uint64_t waits = 0, answered = 0;
    for (size_t n = 0; n < i->broker_count; n++) {
        const kloop_broker_stats *b = &i->brokers[n];
        all.requests += b->requests;
        all.answers += b->answers;
        all.bytes_out += b->bytes_out;
        all.bytes_in += b->bytes_in;
        all.connects += b->connects;
        all.disconnects += b->disconnects;
        all.batches += b->batches;
        all.retries += b->retries;
        waits += b->wait_us ? kloop_histogram_count(b->wait_us) : 0;
        answered += b->rtt_us ? kloop_histogram_count(b->rtt_us) : 0;
        at_most(s, "a broker's answers, requests", b->answers, b->requests);
        at_most(s, "requests in flight, not answered", b->in_flight, b->requests - b->answers);
    }
    at_most(s, "retries of brokers, in all", all.retries, i->totals.retries);
    at_most(s, "answers to Produce, requests", answered, i->produce_requests);
    /* Where there were too many, some are gone, with what they had counted. */
    if (s->faults.fired[SIM_FAULT_MANY_BROKERS])
        return;
    same(s, "requests of brokers, in all", all.requests, i->totals.requests);
    same(s, "answers of brokers, in all", all.answers, i->answers);
    same(s, "bytes to brokers, in all", all.bytes_out, i->totals.bytes_out);
    same(s, "bytes from brokers, in all", all.bytes_in, i->totals.bytes_in);
    same(s, "connects to brokers, in all", all.connects, i->totals.connects);
    same(s, "disconnects of brokers, in all", all.disconnects, i->totals.disconnects);
    same(s, "waits of batches, sent", waits, i->sent_batches);
    at_most(s, "batches sent once, each time", i->sent_batches, all.batches);
}

/* ---- Topics ---- */

static void check_row(sim *s, kloop_topic *t, const kloop_partition_stats *p)
{
    uint64_t waiting = p->queued + p->in_flight;
    char text[200];
    expect(s, "a partition in which records wait, and for what", !waiting || p->waiting, waiting,
           p->waiting);
    if (kloop_why_waiting(t, p->index, text, sizeof text) != p->waiting &&
        (p->waiting || kloop_topic_partitions(t)))
        sim_fail(s, "inside", "partition %d waits for %s, and is said to: %s", (int)p->index,
                 kloop_waiting_name(p->waiting), text);
    sim_login_look_at_text(s, p->waiting ? text : NULL);
    if (p->waiting && !text[0])
        sim_fail(s, "inside", "partition %d waits for %s, without a word", (int)p->index,
                 kloop_waiting_name(p->waiting));
    at_most(s, "batches of a partition in flight, records", p->in_flight_batches, p->in_flight);
}

static void check_topic(sim *s, const kloop_snapshot *i, const kloop_topic_stats *t)
{
    kloop_partition_stats all = {0};
    kloop_topic *handle;
    if (kloop_engine_topic(s->host.engine, t->name, &handle))
        sim_fail(s, "inside", "topic %s is not there", t->name.data);
    for (size_t n = 0; n < t->row_count; n++) {
        const kloop_partition_stats *p = &i->partitions[t->first_row + n];
        same(s, "a row's index", (uint64_t)p->index, n);
        all.acked += p->acked;
        all.failed += p->failed;
        all.unknown += p->unknown;
        all.acked_bytes += p->acked_bytes;
        check_row(s, handle, p);
    }
    /* Less where partitions were forgotten, or records never had one. */
    at_most(s, "acked of partitions, of their topic", all.acked, t->acked);
    at_most(s, "failed of partitions, of their topic", all.failed, t->failed);
    at_most(s, "unknown of partitions, of their topic", all.unknown, t->unknown);
    at_most(s, "bytes of partitions, of their topic", all.acked_bytes, t->acked_bytes);
    at_most(s, "records acked, sent", t->acked, t->sent);
    at_most(s, "led, partitions", (uint64_t)t->led, (uint64_t)t->partition_count);
    at_most(s, "partitions, rows", (uint64_t)t->partition_count, t->row_count);
}

static void check_topics(sim *s, const kloop_snapshot *i)
{
    kloop_topic_stats all = {0};
    uint64_t waiting = 0;
    for (size_t n = 0; n < i->topic_count; n++) {
        const kloop_topic_stats *t = &i->topics[n];
        check_topic(s, i, t);
        all.acked += t->acked;
        all.failed += t->failed;
        all.unknown += t->unknown;
        all.sent += t->sent;
        all.sent_batches += t->sent_batches;
        all.sent_bytes += t->sent_bytes;
        waiting += t->parked;
    }
    same(s, "acked of topics, in all", all.acked, i->totals.acked);
    same(s, "failed of topics, in all", all.failed, i->totals.failed);
    same(s, "unknown of topics, in all", all.unknown, i->totals.unknown);
    same(s, "sent of topics, in all", all.sent, i->sent);
    same(s, "batches of topics, in all", all.sent_batches, i->sent_batches);
    same(s, "bytes of topics, in all", all.sent_bytes, i->sent_bytes);
    for (size_t n = 0; n < i->partition_count; n++)
        waiting += i->partitions[n].queued + i->partitions[n].in_flight;
    /* What is settled and not reported yet is pending, and waits for nothing. */
    at_most(s, "records that wait, pending", waiting, i->totals.pending);
}

/* ---- The producer ---- */

static void check_rises(sim *s, const kloop_snapshot *i)
{
    sim_inside *in = &s->inside;
    const kloop_stats *was = &in->before;
    const kloop_stats *is = &i->totals;
    at_most(s, "accepted before, now", was->accepted, is->accepted);
    at_most(s, "acked before, now", was->acked, is->acked);
    at_most(s, "failed before, now", was->failed, is->failed);
    at_most(s, "unknown before, now", was->unknown, is->unknown);
    at_most(s, "requests before, now", was->requests, is->requests);
    at_most(s, "retries before, now", was->retries, is->retries);
    at_most(s, "connects before, now", was->connects, is->connects);
    at_most(s, "sent before, now", in->sent, i->sent);
    at_most(s, "answers before, now", in->answers, i->answers);
    in->before = *is;
    in->sent = i->sent;
    in->answers = i->answers;
}

static void check_producer(sim *s, const kloop_snapshot *i)
{
    same(s, "bytes out, as the host knows", i->totals.bytes_out, s->inside.bytes_out);
    same(s, "bytes in, as the host knows", i->totals.bytes_in, s->inside.bytes_in);
    at_most(s, "answers, requests", i->answers, i->totals.requests);
    at_most(s, "Produce, requests", i->produce_requests, i->totals.requests);
    at_most(s, "sent, accepted", i->sent, i->totals.accepted);
    at_most(s, "acked, sent", i->totals.acked, i->sent);
    at_most(s, "acked or unknown, sent", i->totals.acked + i->totals.unknown, i->sent);
    uint64_t ages = i->age_us ? kloop_histogram_count(i->age_us) : 0;
    at_most(s, "acked, ages", i->totals.acked, ages);
    same(s, "batches by size, sent", i->batch_bytes ? kloop_histogram_count(i->batch_bytes) : 0,
         i->sent_batches);
    same(s, "bytes of batches, sent", i->batch_bytes ? i->batch_bytes->sum : 0, i->sent_bytes);
    same(s, "records of batches, sent", i->batch_records ? i->batch_records->sum : 0, i->sent);
}

static void check_suspended(sim *s, const kloop_snapshot *i)
{
    kloop_suspended h;
    bool is = kloop_engine_suspended(s->host.engine, &h);
    expect(s, "suspended, and a word about it", is == (h.text[0] != '\0'), is, 0);
    same(s, "pending, as the suspension says", h.pending, i->totals.pending);
    if (is && !h.pending && !h.full && !h.fatal)
        sim_fail(s, "inside", "nothing is pending, and held up: %s", h.text);
}

void sim_inside_look(sim *s, bool at_end)
{
    kloop_snapshot *i;
    if (!at_end && ++s->inside.turns % LOOKS_EVERY)
        return;
    if (kloop_engine_snapshot(s->host.engine, KLOOP_SNAPSHOT_ALL, NULL, &i)) {
        expect(s, "no snapshot, and nothing of it", i == NULL, 0, 0);
        return;
    }
    expect(s, "a snapshot that is whole", i->whole, 0, 0);
    check_producer(s, i);
    check_rises(s, i);
    check_brokers(s, i);
    check_topics(s, i);
    check_suspended(s, i);
    if (at_end) {
        same(s, "pending, at the end", i->totals.pending, 0);
        same(s, "acked, ages, at the end", i->totals.acked,
             i->age_us ? kloop_histogram_count(i->age_us) : 0);
    }
    kloop_snapshot_del(i);
}
