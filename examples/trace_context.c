/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distributed tracing without a library for it: each record carries a W3C trace context in its
 * headers, and each outcome ends a span.
 *
 *     trace_context localhost:9092 events 1000
 *
 * A header "traceparent" is added by a hook, right before the record is appended: what sends need
 * not know of tracing, and nothing is allocated for it. Another hook is told what became of each
 * run of records, with how often they were sent and how long they waited; one line for each run's
 * first record stands for what would go to a collector.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/hooks.h>
#include <kloop/kloop.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* 00-TRACE-SPAN-01: 32 and 16 hexadecimal digits */
#define TRACEPARENT_BYTES 55

/* What is known of a record while it is under way: its user pointer leads here. */
typedef struct span {
    uint64_t trace_high, trace_low;
    uint64_t id;
} span;

typedef struct tracer {
    kloop_topic *topic;
    span *spans;
    unsigned long long records;
    unsigned long long sent;
    unsigned long long ended;
    unsigned long long lost;
    uint64_t state; /* of the numbers that ids are made of */
} tracer;

/* splitmix64: ids have to be different, not secret. */
static uint64_t next_number(tracer *t)
{
    uint64_t z = t->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool add_context(kloop_append *append, void *me)
{
    const span *s = append->record->user;
    (void)me;
    /* There is room for it here; the producer copies it before the send returns. */
    snprintf((char *)append->bytes, KLOOP_APPEND_BYTES,
             "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-01", s->trace_high, s->trace_low,
             s->id);
    append->headers[0].key = (kloop_string){"traceparent", 11};
    append->headers[0].value = (kloop_slice){append->bytes, TRACEPARENT_BYTES};
    append->header_count = 1;
    return true;
}

static void end_spans(const kloop_settled *settled, void *me)
{
    static const char *const outcomes[] = {"acked", "failed", "unknown"};
    tracer *t = me;
    const kloop_report *run = settled->run;
    const span *first = run->users[0];
    t->ended += run->count;
    if (run->outcome != KLOOP_OUTCOME_ACKED)
        t->lost += run->count;
    printf("span %016" PRIx64 " of trace %016" PRIx64 "%016" PRIx64
           ": send %s, partition %d, offset %" PRId64 ", %s, %zu records, attempts %u, queued %.3f "
           "ms, took %.3f ms%s%s\n",
           first->id, first->trace_high, first->trace_low, run->topic_name.data,
           (int)run->partition, run->base_offset, outcomes[run->outcome], run->count,
           (unsigned)settled->attempts, (double)settled->queued_ns / 1e6,
           (double)settled->age_ns / 1e6, run->text[0] ? ": " : "", run->text);
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)me;
    if (level <= KLOOP_LOG_WARN)
        fprintf(stderr, "%s\n", text);
}

/* At first, and whenever there is room again. */
static void go_on(kloop_producer *p, void *me)
{
    tracer *t = me;
    for (; t->sent < t->records; t->sent++) {
        span *s = &t->spans[t->sent];
        *s = (span){next_number(t), next_number(t), next_number(t)};
        const kloop_record record = {
            .value = {(const uint8_t *)"an event", 8},
            .user = s,
        };
        kloop_status status = kloop_send(t->topic, &record);
        if (status == KLOOP_FULL)
            return; /* the loop calls us again */
        if (status) {
            char text[512];
            kloop_send_error(t->topic, &record, status, text, sizeof text);
            fprintf(stderr, "%s\n", text);
            t->lost++;
            t->ended++;
        }
    }
    /* That was all: deliver what is on its way, a minute at most, and end. */
    kloop_close(p, 60000, NULL, NULL);
}

int main(int argc, char **argv)
{
    static tracer t;
    uv_loop_t loop;
    kloop_producer *p;
    kloop_error error;
    if (argc == 4)
        t.records = strtoull(argv[3], NULL, 10);
    if (t.records == 0 || t.records > 10000000) {
        fprintf(stderr, "usage: %s HOST:PORT TOPIC RECORDS\n", argv[0]);
        return 2;
    }
    t.spans = calloc(t.records, sizeof *t.spans);
    kloop_config *config = kloop_config_new(NULL);
    if (uv_loop_init(&loop) || !config || !t.spans) {
        fprintf(stderr, "there is no loop, or no memory\n");
        return 1;
    }
    uv_random(NULL, NULL, &t.state, sizeof t.state, 0, NULL);
    /* A key that is wrong is remembered and told by kloop_open. */
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    kloop_config_set(config, "linger.ms", "5");
    kloop_status status = kloop_open(&p, &loop, config, &error);
    kloop_config_del(config);
    if (status == KLOOP_OK) {
        kloop_set_hooks(
            p, &(kloop_hooks){.before_append = add_context, .on_outcome = end_spans, .me = &t});
        kloop_on_log(p, on_log, NULL);
        kloop_on_writable(p, go_on, &t);
        status = kloop_topic_get(p, argv[2], &t.topic, &error);
        if (status == KLOOP_OK)
            go_on(p, &t);
        else
            kloop_close(p, 0, NULL, NULL);
    }
    if (status)
        fprintf(stderr, "%s\n", error.text);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(t.spans);
    printf("%llu spans ended, %llu of them in vain\n", t.ended, t.lost);
    return status || t.lost || t.ended != t.records;
}
