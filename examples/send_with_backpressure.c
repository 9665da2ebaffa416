/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends COUNT records as fast as the broker takes them, on a libuv loop, without ever holding more
 * than the producer's buffer.memory.
 *
 *     send_with_backpressure localhost:9092 events 1000000
 *     tail -f log | send_with_backpressure localhost:9092 events -
 *
 * With "-" the records are the lines of standard input. The whole trick is in go_on(): send until
 * KLOOP_FULL, return to the loop, and be called again when there is room.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/kloop.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct job {
    kloop_topic *topic;
    unsigned long long count; /* to be made; ignored when lines are read */
    unsigned long long sent;
    unsigned long long acked;
    unsigned long long lost;
    bool reads_lines;
    bool waits; /* for room, with a record in its hands */
    char record[65536];
    size_t len;
} job;

/* The next record is put into j->record; false: there is none. */
static bool next_record(job *j)
{
    if (!j->reads_lines) {
        if (j->sent == j->count)
            return false;
        j->len = (size_t)snprintf(j->record, sizeof j->record, "record %llu of %llu", j->sent + 1,
                                  j->count);
        return true;
    }
    if (!fgets(j->record, sizeof j->record, stdin))
        return false;
    j->len = strcspn(j->record, "\n");
    return true;
}

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    job *j = me;
    (void)p;
    if (run->outcome == KLOOP_OUTCOME_ACKED) {
        j->acked += run->count;
        return;
    }
    j->lost += run->count;
    fprintf(stderr, "%zu records: %s\n", run->count, run->text);
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)me;
    if (level <= KLOOP_LOG_WARN)
        fprintf(stderr, "%s\n", text);
}

static void on_closed(kloop_producer *p, void *me)
{
    (void)p;
    (void)me;
}

static void go_on(kloop_producer *p, void *me)
{
    job *j = me;
    while (j->waits || next_record(j)) {
        const kloop_record record = {
            .value = {(const uint8_t *)j->record, j->len},
        };
        kloop_status status = kloop_send(j->topic, &record);
        j->waits = status == KLOOP_FULL;
        if (j->waits)
            return; /* the loop calls us again when there is room */
        if (status) {
            char text[512];
            kloop_send_error(j->topic, &record, status, text, sizeof text);
            fprintf(stderr, "%s\n", text);
            j->lost++;
        }
        j->sent++;
    }
    /* That was all: deliver what is on its way, a minute at most, and end. */
    kloop_close(p, 60000, on_closed, NULL);
}

int main(int argc, char **argv)
{
    static job j;
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST:PORT TOPIC COUNT|-\n", argv[0]);
        return 2;
    }
    char *end;
    j.reads_lines = strcmp(argv[3], "-") == 0;
    errno = 0;
    j.count = strtoull(argv[3], &end, 10);
    if (!j.reads_lines && (*end || errno || argv[3][0] == '-')) {
        fprintf(stderr, "'%s' is no number of records\n", argv[3]);
        return 2;
    }

    uv_loop_t loop;
    if (uv_loop_init(&loop)) {
        fprintf(stderr, "there is no loop\n");
        return 1;
    }
    kloop_config *config = kloop_config_new(NULL);
    kloop_producer *p;
    kloop_error error;
    if (!config) {
        fprintf(stderr, "there is no memory\n");
        return 1;
    }
    /* A key that is wrong is remembered and told by kloop_open. */
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    kloop_config_set(config, "linger.ms", "5");
    kloop_status status = kloop_open(&p, &loop, config, &error);
    kloop_config_del(config);
    if (status) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    kloop_on_delivery(p, on_delivery, &j);
    kloop_on_writable(p, go_on, &j);
    kloop_on_log(p, on_log, NULL);
    if (kloop_topic_get(p, argv[2], &j.topic, &error)) {
        fprintf(stderr, "%s\n", error.text);
        j.lost = 1;
        kloop_close(p, 0, on_closed, NULL);
    } else {
        go_on(p, &j);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    printf("%llu sent, %llu acked, %llu not\n", j.sent, j.acked, j.lost);
    return j.lost ? 1 : 0;
}
