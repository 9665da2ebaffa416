/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows, sorted and printed. See perf_metrics.h. */
#include "cli/perf_metrics.h"

#include "base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 640
#define MS             1e3 /* in microseconds */

typedef struct metric {
    char name[NAME_MAX_BYTES];
    double value;
} metric;

typedef struct metrics {
    kl_buf rows; /* of metric */
    char tags[NAME_MAX_BYTES / 2];
    const char *group;
    double age_s;
} metrics;

static void add(metrics *m, const char *name, double value)
{
    metric row = {.value = value};
    snprintf(row.name, sizeof row.name, "%s:%s:{%s}", m->group, name, m->tags);
    kl_buf_append(&m->rows, &row, sizeof row);
}

/* name-total, and name-rate since the producer was opened. */
static void add_total(metrics *m, const char *name, uint64_t total)
{
    char text[64];
    snprintf(text, sizeof text, "%s-total", name);
    add(m, text, (double)total);
    snprintf(text, sizeof text, "%s-rate", name);
    add(m, text, m->age_s > 0 ? (double)total / m->age_s : 0);
}

/* name-avg and name-max; as in Java there is no number where nothing was measured. */
static void add_values(metrics *m, const char *name, const kloop_histogram *h, double unit)
{
    char text[64];
    uint64_t count = h ? kloop_histogram_count(h) : 0;
    snprintf(text, sizeof text, "%s-avg", name);
    add(m, text, count ? (double)h->sum / (double)count / unit : NAN);
    snprintf(text, sizeof text, "%s-max", name);
    add(m, text, count ? (double)h->max / unit : NAN);
}

static double per(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static void merge(kloop_histogram *all, const kloop_histogram *one)
{
    if (one)
        kloop_histogram_merge(all, one);
}

static void add_brokers_together(metrics *m, const kloop_snapshot *s)
{
    kloop_histogram rtt = {0}, wait = {0}, throttle = {0};
    uint64_t in_flight = 0, ready = 0;
    for (size_t i = 0; i < s->broker_count; i++) {
        const kloop_broker_stats *b = &s->brokers[i];
        merge(&rtt, b->rtt_us);
        merge(&wait, b->wait_us);
        merge(&throttle, b->throttle_us);
        in_flight += b->in_flight;
        ready += b->state == KLOOP_BROKER_READY;
    }
    add_values(m, "request-latency", &rtt, MS);
    add_values(m, "record-queue-time", &wait, MS);
    add_values(m, "produce-throttle-time", &throttle, MS);
    add(m, "requests-in-flight", (double)in_flight);
    add(m, "connection-count", (double)ready);
}

static void add_producer(metrics *m, const kloop_snapshot *s)
{
    const kloop_stats *t = &s->totals;
    m->group = "producer-metrics";
    add_values(m, "batch-size", s->batch_bytes, 1);
    add_total(m, "batch-split", t->batches_split);
    add(m, "buffer-total-bytes", (double)s->memory_bytes);
    add(m, "buffer-available-bytes", (double)s->memory_bytes - (double)t->held_bytes);
    add(m, "compression-rate-avg", per(s->sent_bytes, s->sent_plain_bytes));
    add_total(m, "connection-close", t->disconnects);
    add_total(m, "connection-creation", t->connects);
    add_total(m, "incoming-byte", t->bytes_in);
    add_total(m, "outgoing-byte", t->bytes_out);
    if (s->metadata_age_ns != UINT64_MAX)
        add(m, "metadata-age", (double)s->metadata_age_ns / 1e9);
    add_total(m, "record-error", t->failed);
    add_total(m, "record-send", s->sent);
    add(m, "records-per-request-avg", per(s->sent, s->produce_requests));
    add_total(m, "request", t->requests);
    add_total(m, "response", s->answers);
    add_brokers_together(m, s);
    /* Ours. */
    add(m, "batch-total", (double)s->sent_batches);
    add(m, "batch-retry-total", (double)t->retries);
    add(m, "record-ack-total", (double)t->acked);
    add(m, "record-unknown-total", (double)t->unknown);
    add(m, "epoch-bump-total", (double)t->epoch_bumps);
    add(m, "payload-byte-total", (double)t->bytes_payload);
    add(m, "send-full-total", (double)t->refused_full);
}

static void add_broker(metrics *m, const kloop_broker_stats *b)
{
    m->group = "producer-node-metrics";
    add_total(m, "request", b->requests);
    add_total(m, "response", b->answers);
    add_total(m, "incoming-byte", b->bytes_in);
    add_total(m, "outgoing-byte", b->bytes_out);
    add_values(m, "request-latency", b->rtt_us, MS);
}

static void add_topic(metrics *m, const kloop_topic_stats *t)
{
    m->group = "producer-topic-metrics";
    add_total(m, "record-send", t->sent);
    add_total(m, "record-error", t->failed);
    add_total(m, "byte", t->sent_bytes);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const metric *)a)->name, ((const metric *)b)->name);
}

static void print_rows(const metrics *m, FILE *to)
{
    metric *rows = (metric *)(void *)m->rows.data;
    size_t count = m->rows.len / sizeof *rows;
    int width = 0;
    if (count)
        qsort(rows, count, sizeof *rows, by_name);
    for (size_t i = 0; i < count; i++) {
        int len = (int)strlen(rows[i].name);
        width = len > width ? len : width;
    }
    fprintf(to, "\n%-*s   %s\n", width, "Metric Name", "Value");
    for (size_t i = 0; i < count; i++) {
        if (isnan(rows[i].value))
            fprintf(to, "%-*s : NaN\n", width, rows[i].name);
        else
            fprintf(to, "%-*s : %.3f\n", width, rows[i].name, rows[i].value);
    }
    if (m->rows.failed)
        fputs("... and more, for which there was no memory\n", to);
}

void kl_perf_print_metrics(const kloop_snapshot *s, FILE *to)
{
    metrics m = {.age_s = (double)s->age_ns / 1e9};
    kl_buf_init(&m.rows, &kl_mem_libc);
    snprintf(m.tags, sizeof m.tags, "client-id=%s", s->client_id.data);
    add_producer(&m, s);
    for (size_t i = 0; i < s->broker_count; i++) {
        /* Java writes it so: node-1, and node--1 for the first bootstrap server. */
        snprintf(m.tags, sizeof m.tags, "client-id=%s, node-id=node-%d", s->client_id.data,
                 (int)s->brokers[i].id);
        add_broker(&m, &s->brokers[i]);
    }
    for (size_t i = 0; i < s->topic_count; i++) {
        snprintf(m.tags, sizeof m.tags, "client-id=%s, topic=%s", s->client_id.data,
                 s->topics[i].name.data);
        add_topic(&m, &s->topics[i]);
    }
    print_rows(&m, to);
    kl_buf_deinit(&m.rows);
}
