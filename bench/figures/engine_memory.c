/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory the engine takes, for what: one line of JSON for each question. Against canned
 * answers, so that nothing but the engine is in the figures, and in virtual time.
 *
 *     figure_engine_memory RECORDS     so many, where records are what is counted
 *
 * Each question has a process of its own: "bytes" is what the engine had asked its allocator for,
 * "rss" what the system says, the C library's part included; both less what was there before.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench/canned_broker.h"

#include "base/now.h"

#include <kloop/wire.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORD_BYTES    100
#define MANY_PARTITIONS 10000
#define MOST_PARTITIONS 100000
#define REST_NS         (120 * KL_SECOND)
#define NEVER           UINT32_MAX /* no Produce is answered */

static uint8_t payload[RECORD_BYTES];
static const char *const settings[] = {"buffer.memory", "1073741824", "linger.ms", "5", NULL};

typedef struct held {
    uint64_t bytes;
    uint64_t rss;
} held;

static uint64_t rss_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%llu %llu", &size, &resident) != 2) {
        fprintf(stderr, "figure_engine_memory: /proc/self/statm does not tell\n");
        exit(2);
    }
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static held held_by(const canned_broker *c)
{
    return (held){c->live_bytes, rss_bytes()};
}

/* What was taken since before, for each of count. */
static void tell(const char *what, held before, held now, uint64_t count, size_t payload_bytes)
{
    double rss = now.rss > before.rss ? (double)(now.rss - before.rss) : 0;
    printf("{\"what\":\"%s\",\"count\":%" PRIu64 ",\"bytes_each\":%.2f,\"rss_each\":%.2f,\"bytes\":"
           "%" PRIu64 ",\"rss\":%.0f}\n",
           what, count, (double)(now.bytes - before.bytes) / (double)count - (double)payload_bytes,
           rss / (double)count - (double)payload_bytes, now.bytes - before.bytes, rss);
}

static void send_to_each(canned_broker *c, int32_t partitions)
{
    kloop_record record = {.value = {payload, sizeof payload}, .set = KLOOP_SET_PARTITION};
    for (record.partition = 0; record.partition < partitions; record.partition++)
        canned_broker_send(c, &record);
}

/* Records in full batches that wait: the broker has stopped answering. */
static void queued(uint64_t records)
{
    static canned_broker c;
    canned_broker_init(&c, 12, 12, 0, settings);
    send_to_each(&c, 12);
    canned_broker_drain(&c);
    canned_broker_rest(&c, REST_NS);
    c.hold = NEVER;
    held before = held_by(&c);
    kloop_record record = {.value = {payload, sizeof payload}, .user = &c};
    for (uint64_t i = 0; i < records; i++)
        canned_broker_send(&c, &record);
    tell("queued", before, held_by(&c), records, RECORD_BYTES);
}

/* Records of a topic of which nothing is known yet. */
static void parked(uint64_t records)
{
    static canned_broker c;
    canned_broker_init(&c, 1, 1, 0, settings);
    kloop_topic *topic;
    if (kloop_engine_topic(c.engine, kloop_text("unknown"), &topic))
        exit(2);
    held before = held_by(&c);
    kloop_record record = {.value = {payload, sizeof payload}, .user = &c};
    for (uint64_t i = 0; i < records; i++) {
        if (kloop_engine_send(topic, &record))
            exit(2);
    }
    tell("parked", before, held_by(&c), records, RECORD_BYTES);
}

/* Of a topic with many partitions, less what one with a single partition takes. */
static void never_used(uint64_t records)
{
    static canned_broker one, many;
    (void)records;
    canned_broker_init(&one, 1, 1, 0, settings);
    canned_broker_rest(&one, REST_NS);
    held before = {one.live_bytes, rss_bytes()};
    canned_broker_init(&many, MOST_PARTITIONS, MOST_PARTITIONS, 0, settings);
    canned_broker_rest(&many, REST_NS);
    tell("never used", before, held_by(&many), MOST_PARTITIONS - 1, 0);
}

/* The same when each has had a record, and all is quiet again. */
static void once_used(uint64_t records)
{
    static canned_broker one, many;
    (void)records;
    canned_broker_init(&one, 1, 1, 0, settings);
    send_to_each(&one, 1);
    canned_broker_drain(&one);
    canned_broker_rest(&one, REST_NS);
    held before = {one.live_bytes, rss_bytes()};
    canned_broker_init(&many, MOST_PARTITIONS, MOST_PARTITIONS, 0, settings);
    send_to_each(&many, MOST_PARTITIONS);
    canned_broker_drain(&many);
    canned_broker_rest(&many, REST_NS);
    tell("once used", before, held_by(&many), MOST_PARTITIONS - 1, 0);
}

/* Everything, the engine itself included, when each partition has one record that waits. */
static void one_each(uint64_t records)
{
    static canned_broker c;
    (void)records;
    held before = {0, rss_bytes()};
    canned_broker_init(&c, MANY_PARTITIONS, MANY_PARTITIONS, NEVER, settings);
    send_to_each(&c, MANY_PARTITIONS);
    tell("one each", before, held_by(&c), MANY_PARTITIONS, 0);
}

/* The same without idempotence's first question, and with what a topic of such a size costs left
 * out: what a record alone in its partition takes. */
static void one_each_more(uint64_t records)
{
    static canned_broker c;
    (void)records;
    canned_broker_init(&c, MANY_PARTITIONS, MANY_PARTITIONS, 0, settings);
    send_to_each(&c, MANY_PARTITIONS);
    canned_broker_drain(&c);
    canned_broker_rest(&c, REST_NS);
    c.hold = NEVER;
    held before = held_by(&c);
    send_to_each(&c, MANY_PARTITIONS);
    tell("one more each", before, held_by(&c), MANY_PARTITIONS, 0);
}

int main(int argc, char **argv)
{
    static void (*const questions[])(uint64_t) = {queued,    parked,   never_used,
                                                  once_used, one_each, one_each_more};
    uint64_t records = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    if (records == 0) {
        fprintf(stderr, "figure_engine_memory RECORDS\n");
        return 2;
    }
    memset(payload, 'x', sizeof payload);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            questions[i](records);
            fflush(stdout);
            /* What is held is not given back: nobody waits for that. */
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 0) {
            fprintf(stderr, "figure_engine_memory: question %zu has no answer\n", i + 1);
            return 1;
        }
    }
    return 0;
}
