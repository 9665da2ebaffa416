/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot in Prometheus's exposition format. See <kloop/stats_text.h>.
 *
 * One table of families; of each, a row for the producer, or one for each broker, topic or
 * partition. All rows of a family stand together, as the format wants it.
 */
#include "driver/text_window.h"

#include <kloop/stats_text.h>

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

typedef enum row_level { OF_PRODUCER, OF_BROKER, OF_TOPIC, OF_PARTITION } row_level;

/* What stands at the offset, and what becomes of it. */
typedef enum value_kind {
    COUNTER,    /* uint64_t */
    GAUGE,      /* uint64_t */
    GAUGE_32,   /* uint32_t, or an int32_t that is not negative */
    GAUGE_NS,   /* uint64_t, into seconds */
    FLAG,       /* bool */
    IS_READY,   /* kloop_broker_state */
    IS_HELD_UP, /* kloop_waiting */
    SECONDS,    /* a histogram of microseconds */
    AMOUNTS,    /* a histogram of anything else */
} value_kind;

typedef struct family {
    const char *name; /* behind kloop_ */
    const char *help;
    uint8_t level;
    uint8_t kind;
    uint16_t at;
} family;

#define PRODUCER(what, kind, field, help)                                                          \
    {                                                                                              \
        what, help, OF_PRODUCER, kind, offsetof(kloop_snapshot, field)                             \
    }
#define BROKER(what, kind, field, help)                                                            \
    {                                                                                              \
        "broker_" what, help, OF_BROKER, kind, offsetof(kloop_broker_stats, field)                 \
    }
#define TOPIC(what, kind, field, help)                                                             \
    {                                                                                              \
        "topic_" what, help, OF_TOPIC, kind, offsetof(kloop_topic_stats, field)                    \
    }
#define PARTITION(what, kind, field, help)                                                         \
    {                                                                                              \
        "partition_" what, help, OF_PARTITION, kind, offsetof(kloop_partition_stats, field)        \
    }

static const family families[] = {
    PRODUCER("records_accepted_total", COUNTER, totals.accepted, "Records taken by send."),
    PRODUCER("records_acked_total", COUNTER, totals.acked, "Records that were stored."),
    PRODUCER("records_failed_total", COUNTER, totals.failed, "Records surely not stored."),
    PRODUCER("records_unknown_total", COUNTER, totals.unknown, "Records that may be stored."),
    PRODUCER("records_pending", GAUGE, totals.pending, "Records not reported yet."),
    PRODUCER("sends_refused_total", COUNTER, totals.refused_full, "Sends answered with FULL."),
    PRODUCER("records_sent_total", COUNTER, sent, "Records that left, retries not counted."),
    PRODUCER("batches_sent_total", COUNTER, sent_batches, "Batches that left, likewise."),
    PRODUCER("batches_sent_bytes_total", COUNTER, sent_bytes, "Their size as they were sent."),
    PRODUCER("batches_plain_bytes_total", COUNTER, sent_plain_bytes, "Their size uncompressed."),
    PRODUCER("batches_split_total", COUNTER, totals.batches_split, "Batches split as too large."),
    PRODUCER("batch_retries_total", COUNTER, totals.retries, "Batches sent again."),
    PRODUCER("requests_total", COUNTER, totals.requests, "Requests of any kind."),
    PRODUCER("produce_requests_total", COUNTER, produce_requests, "Of these, Produce."),
    PRODUCER("responses_total", COUNTER, answers, "Answers to requests."),
    PRODUCER("written_bytes_total", COUNTER, totals.bytes_out, "Bytes sent to brokers."),
    PRODUCER("read_bytes_total", COUNTER, totals.bytes_in, "Bytes received from brokers."),
    PRODUCER("connects_total", COUNTER, totals.connects, "Connections that were tried."),
    PRODUCER("disconnects_total", COUNTER, totals.disconnects, "Connections that were lost."),
    PRODUCER("authentications_total", COUNTER, totals.authentications, "Logins by SASL."),
    PRODUCER("reauthentications_total", COUNTER, totals.reauthentications,
             "Of these, on connections in use."),
    PRODUCER("refusals_total", COUNTER, totals.refusals,
             "Connections lost to SASL or a certificate that was refused."),
    PRODUCER("epoch_bumps_total", COUNTER, totals.epoch_bumps, "New epochs of the producer id."),
    PRODUCER("buffer_used_bytes", GAUGE, totals.held_bytes, "What is held of buffer.memory."),
    PRODUCER("buffer_limit_bytes", GAUGE, memory_bytes, "buffer.memory."),
    PRODUCER("buffer_full", FLAG, full, "1 while a refused send waits for room."),
    PRODUCER("receive_buffer_bytes", GAUGE, totals.receive_bytes, "Receive buffers."),
    PRODUCER("inlet_records", GAUGE, totals.inlet_records, "Records of other threads, waiting."),
    PRODUCER("inlet_bytes", GAUGE, totals.inlet_bytes, "Their size."),
    PRODUCER("inlet_refused_total", COUNTER, totals.inlet_full, "Sends of other threads refused."),
    PRODUCER("age_seconds", GAUGE_NS, age_ns, "Since the producer was opened."),
    PRODUCER("metadata_age_seconds", GAUGE_NS, metadata_age_ns, "Since the last metadata."),
    PRODUCER("record_age_seconds", SECONDS, age_us,
             "From send to report, of stored records, as old as the oldest of their batch."),
    PRODUCER("batch_bytes", AMOUNTS, batch_bytes, "Size of batches as they were sent."),
    PRODUCER("batch_records", AMOUNTS, batch_records, "Records in a batch."),

    BROKER("ready", IS_READY, state, "1 while connected and ready for records."),
    BROKER("in_flight_requests", GAUGE_32, in_flight, "Requests that await an answer."),
    BROKER("requests_total", COUNTER, requests, "Requests of any kind."),
    BROKER("responses_total", COUNTER, answers, "Answers to requests."),
    BROKER("written_bytes_total", COUNTER, bytes_out, "Bytes sent to it."),
    BROKER("read_bytes_total", COUNTER, bytes_in, "Bytes received from it."),
    BROKER("connects_total", COUNTER, connects, "Connections that were tried."),
    BROKER("connect_failures_total", COUNTER, failures, "Attempts that led to nobody."),
    BROKER("disconnects_total", COUNTER, disconnects, "Connections that were lost."),
    BROKER("request_timeouts_total", COUNTER, timeouts, "Connections given up for silence."),
    BROKER("batches_total", COUNTER, batches, "Batches sent to it, retries included."),
    BROKER("batch_retries_total", COUNTER, retries, "Batches to be sent again because of it."),
    BROKER("throttles_total", COUNTER, throttles, "Answers that asked to be left alone."),
    BROKER("produce_seconds", SECONDS, rtt_us, "From the last byte of a Produce to its answer."),
    BROKER("write_seconds", SECONDS, write_us, "From putting a Produce together to its last byte."),
    BROKER("batch_wait_seconds", SECONDS, wait_us, "From a batch's first record to its sending."),
    BROKER("throttle_seconds", SECONDS, throttle_us, "How long it asked to be left alone."),

    TOPIC("records_acked_total", COUNTER, acked, "Records that were stored."),
    TOPIC("records_failed_total", COUNTER, failed, "Records surely not stored."),
    TOPIC("records_unknown_total", COUNTER, unknown, "Records that may be stored."),
    TOPIC("acked_bytes_total", COUNTER, acked_bytes, "Stored batches, as they were sent."),
    TOPIC("records_sent_total", COUNTER, sent, "Records that left, retries not counted."),
    TOPIC("batches_sent_total", COUNTER, sent_batches, "Batches that left, likewise."),
    TOPIC("batches_sent_bytes_total", COUNTER, sent_bytes, "Their size as they were sent."),
    TOPIC("batches_waiting", GAUGE, batches_waiting, "Batches not reported yet."),
    TOPIC("parked_records", GAUGE, parked, "Records whose partition is not known."),
    TOPIC("partitions", GAUGE_32, partition_count, "Partitions, as far as known."),
    TOPIC("partitions_led", GAUGE_32, led, "Of these, those with a known leader."),

    PARTITION("records_acked_total", COUNTER, acked, "Records that were stored."),
    PARTITION("records_failed_total", COUNTER, failed, "Records surely not stored."),
    PARTITION("records_unknown_total", COUNTER, unknown, "Records that may be stored."),
    PARTITION("acked_bytes_total", COUNTER, acked_bytes, "Stored batches, as they were sent."),
    PARTITION("queued_records", GAUGE, queued, "Records that are in no request."),
    PARTITION("queued_bytes", GAUGE, queued_bytes, "Their batches."),
    PARTITION("in_flight_records", GAUGE, in_flight, "Records that await an answer."),
    PARTITION("suspended", IS_HELD_UP, waiting, "1 while something holds its records up."),
};

#define FAMILY_COUNT (sizeof families / sizeof families[0])

typedef struct writing {
    const kloop_snapshot *s;
    kl_text_window w;
} writing;

/* ---- Rows ---- */

static size_t rows_of(const kloop_snapshot *s, uint8_t level)
{
    switch ((row_level)level) {
    case OF_PRODUCER:
        return 1;
    case OF_BROKER:
        return s->broker_count;
    case OF_TOPIC:
        return s->topic_count;
    case OF_PARTITION:
        return s->partition_count;
    }
    return 0;
}

static const void *row_of(const kloop_snapshot *s, uint8_t level, size_t row)
{
    switch ((row_level)level) {
    case OF_PRODUCER:
        return s;
    case OF_BROKER:
        return &s->brokers[row];
    case OF_TOPIC:
        return &s->topics[row];
    case OF_PARTITION:
        return &s->partitions[row];
    }
    return s;
}

/* Nothing ever came of it. */
static bool is_idle(const kloop_partition_stats *p)
{
    return p->acked + p->failed + p->unknown + p->queued + p->in_flight == 0;
}

static void put_labels(writing *p, uint8_t level, const void *row, uint32_t topic)
{
    kl_text_window *w = &p->w;
    char id[32];
    kl_text_put_text(w, "{client_id=");
    kl_text_put_label(w, p->s->client_id);
    if (level == OF_BROKER) {
        const kloop_broker_stats *b = row;
        snprintf(id, sizeof id, b->id < 0 ? "bootstrap%d" : "%d",
                 (int)(b->id < 0 ? -b->id : b->id));
        kl_text_print(w, ",broker=\"%s\",host=", id);
        kl_text_put_label(w, b->host);
        kl_text_print(w, ",port=\"%u\"", (unsigned)b->port);
    }
    if (level == OF_TOPIC || level == OF_PARTITION) {
        kl_text_put_text(w, ",topic=");
        kl_text_put_label(w, p->s->topics[topic].name);
    }
    if (level == OF_PARTITION)
        kl_text_print(w, ",partition=\"%d\"", (int)((const kloop_partition_stats *)row)->index);
}

/* ---- Values ---- */

static void put_value(kl_text_window *w, uint8_t kind, const void *at)
{
    uint64_t n = 0;
    switch ((value_kind)kind) {
    case COUNTER:
    case GAUGE:
    case GAUGE_NS:
        memcpy(&n, at, sizeof n);
        break;
    case GAUGE_32:
        n = *(const uint32_t *)at;
        break;
    case FLAG:
        n = *(const bool *)at;
        break;
    case IS_READY:
        n = *(const kloop_broker_state *)at == KLOOP_BROKER_READY;
        break;
    case IS_HELD_UP:
        n = *(const kloop_waiting *)at >= KLOOP_WAITING_METADATA;
        break;
    case SECONDS:
    case AMOUNTS:
        return;
    }
    if (kind == GAUGE_NS && n == UINT64_MAX)
        kl_text_put_text(w, "NaN");
    else if (kind == GAUGE_NS)
        kl_text_put_millionths(w, n / 1000);
    else
        kl_text_print(w, "%llu", (ull)n);
}

/* Boundaries are powers of two, of which each is the end of a slot. A time below 128 us, or above
 * two minutes, is of no interest to anybody. */
static void put_histogram(writing *p, const family *f, const void *row, uint32_t topic,
                          const kloop_histogram *h)
{
    kl_text_window *w = &p->w;
    bool seconds = f->kind == SECONDS;
    unsigned from = seconds ? 7 : 1;
    uint64_t seen = 0;
    unsigned slot = 0;
    for (unsigned bits = from; bits <= 27; bits++) {
        while (slot < KLOOP_HISTOGRAM_SLOTS && kloop_histogram_floor(slot) < (UINT64_C(1) << bits))
            seen += h->slots[slot++];
        kl_text_print(w, "kloop_%s_bucket", f->name);
        put_labels(p, f->level, row, topic);
        kl_text_put_text(w, ",le=\"");
        if (seconds)
            kl_text_put_millionths(w, UINT64_C(1) << bits);
        else
            kl_text_print(w, "%llu", (UINT64_C(1) << bits) - 1ull);
        kl_text_print(w, "\"} %llu\n", (ull)seen);
    }
    uint64_t count = kloop_histogram_count(h);
    kl_text_print(w, "kloop_%s_bucket", f->name);
    put_labels(p, f->level, row, topic);
    kl_text_print(w, ",le=\"+Inf\"} %llu\nkloop_%s_sum", (ull)count, f->name);
    put_labels(p, f->level, row, topic);
    kl_text_put_text(w, "} ");
    if (seconds)
        kl_text_put_millionths(w, h->sum);
    else
        kl_text_print(w, "%llu", (ull)h->sum);
    kl_text_print(w, "\nkloop_%s_count", f->name);
    put_labels(p, f->level, row, topic);
    kl_text_print(w, "} %llu\n", (ull)count);
}

static void put_row(writing *p, const family *f, const void *row, uint32_t topic)
{
    const void *at = (const char *)row + f->at;
    if (f->level == OF_PARTITION && is_idle(row))
        return;
    if (f->kind == SECONDS || f->kind == AMOUNTS) {
        const kloop_histogram *h = *(const kloop_histogram *const *)at;
        if (h)
            put_histogram(p, f, row, topic, h);
        return;
    }
    kl_text_print(&p->w, "kloop_%s", f->name);
    put_labels(p, f->level, row, topic);
    kl_text_put_text(&p->w, "} ");
    put_value(&p->w, f->kind, at);
    kl_text_put_text(&p->w, "\n");
}

static void put_head(kl_text_window *w, const family *f)
{
    const char *type = f->kind == COUNTER                         ? "counter"
                       : f->kind == SECONDS || f->kind == AMOUNTS ? "histogram"
                                                                  : "gauge";
    kl_text_print(w, "# HELP kloop_%s %s\n# TYPE kloop_%s %s\n", f->name, f->help, f->name, type);
}

/* ---- Piece by piece ---- */

/* inner is the topic that the partition of this row belongs to. */
static void find_topic(const kloop_snapshot *s, kloop_text_place *at)
{
    while (at->inner + 1 < s->topic_count &&
           at->row >= s->topics[at->inner].first_row + s->topics[at->inner].row_count)
        at->inner++;
}

static void step_on(const kloop_snapshot *s, kloop_text_place *at)
{
    at->row++;
    while (at->part < FAMILY_COUNT && at->row >= rows_of(s, families[at->part].level)) {
        at->row = 0;
        at->inner = 0;
        at->part++;
    }
}

size_t kloop_prometheus(const kloop_snapshot *s, kloop_text_place *at, char *buffer, size_t size)
{
    writing p = {.s = s, .w = {.to = buffer, .room = size}};
    while (at->part < FAMILY_COUNT && p.w.len < size) {
        const family *f = &families[at->part];
        size_t before = p.w.len;
        p.w.skip = at->skip;
        if (f->level == OF_PARTITION)
            find_topic(s, at);
        if (at->row == 0)
            put_head(&p.w, f);
        put_row(&p, f, row_of(s, f->level, at->row),
                f->level == OF_PARTITION ? at->inner : at->row);
        if (p.w.full) {
            at->skip += (uint32_t)(p.w.len - before);
            break;
        }
        at->skip = 0;
        step_on(s, at);
    }
    return p.w.len;
}
