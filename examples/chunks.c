/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends CHUNKS chunks of RECORDS records each, as an agent does that reads them from files: what it
 * wants to know of a chunk is whether all of it has arrived, and when its memory may go.
 *
 *     chunks localhost:9092 events 100 1000
 *
 * A chunk has one completion for all of its records (kloop_chunk_begin), and its values are lent
 * and not copied (KLOOP_SET_BORROWED): large ones go out from where they lie. The chunk's memory is
 * freed when both are over: it was told of, and all loans are back.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/kloop.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SHORT_BYTES 100
#define LONG_BYTES  6000 /* of each hundredth record */

/* A chunk, and the memory that its records lie in. */
typedef struct chunk {
    kloop_chunk *handle;
    size_t users; /* loans that are out, and one until the chunk is told */
    unsigned long long number;
    unsigned long long sent;
    char bytes[];
} chunk;

typedef struct job {
    kloop_topic *topic;
    unsigned long long chunks;
    unsigned long long records; /* of each */
    unsigned long long begun;
    unsigned long long stored;
    unsigned long long lost;
    chunk *now; /* the one that is being sent, NULL between two */
} job;

static void let_go(chunk *c)
{
    if (--c->users == 0)
        free(c);
}

static size_t len_of(unsigned long long record)
{
    return record % 100 == 0 ? LONG_BYTES : SHORT_BYTES;
}

/* What a real agent would read from a file. NULL: no memory. */
static chunk *read_chunk(const job *j)
{
    size_t bytes = 0;
    for (unsigned long long i = 0; i < j->records; i++)
        bytes += len_of(i);
    chunk *c = malloc(sizeof *c + bytes);
    if (!c)
        return NULL;
    *c = (chunk){.users = 1, .number = j->begun + 1};
    memset(c->bytes, 'a' + (int)(c->number % 26), bytes);
    return c;
}

static void on_chunk(kloop_producer *p, const kloop_chunk_report *report, void *me)
{
    job *j = me;
    chunk *c = report->user;
    (void)p;
    j->stored += report->acked;
    j->lost += report->failed + report->unknown;
    /* Here a real agent marks the chunk as done, or keeps it for another attempt. */
    if (report->outcome != KLOOP_OUTCOME_ACKED)
        fprintf(stderr, "chunk %llu: %llu of %llu records %s: %s\n", c->number,
                (unsigned long long)(report->failed + report->unknown), j->records,
                report->outcome == KLOOP_OUTCOME_UNKNOWN ? "may be lost" : "are not stored",
                report->text);
    let_go(c);
}

static void on_release(kloop_producer *p, const kloop_loan *loans, size_t count, void *me)
{
    (void)p;
    (void)me;
    for (size_t i = 0; i < count; i++)
        let_go(loans[i].lender);
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)me;
    if (level <= KLOOP_LOG_WARN)
        fprintf(stderr, "%s\n", text);
}

/* As much of the present chunk as there is room for; false: there is none for the moment. */
static bool send_chunk(job *j)
{
    chunk *c = j->now;
    size_t at = 0;
    for (unsigned long long i = 0; i < c->sent; i++)
        at += len_of(i);
    for (; c->sent < j->records; at += len_of(c->sent), c->sent++) {
        const kloop_record record = {
            .value = {(const uint8_t *)c->bytes + at, len_of(c->sent)},
            .set = KLOOP_SET_CHUNK | KLOOP_SET_BORROWED,
            .chunk = c->handle,
            .lender = c,
        };
        kloop_status status = kloop_send(j->topic, &record);
        if (status == KLOOP_FULL)
            return false;
        if (status) {
            char text[512];
            kloop_send_error(j->topic, &record, status, text, sizeof text);
            fprintf(stderr, "%s\n", text);
            j->lost++;
            continue; /* it was not taken, and neither was the loan */
        }
        c->users++;
    }
    return true;
}

/* At first, and whenever there is room again. */
static void go_on(kloop_producer *p, void *me)
{
    job *j = me;
    while (j->now || j->begun < j->chunks) {
        if (!j->now) {
            j->now = read_chunk(j);
            if (!j->now || kloop_chunk_begin(p, j->now, &j->now->handle)) {
                fprintf(stderr, "there is no memory for chunk %llu\n", j->begun + 1);
                free(j->now);
                j->now = NULL;
                j->lost += (j->chunks - j->begun) * j->records;
                break;
            }
            j->begun++;
        }
        if (!send_chunk(j))
            return; /* the loop calls us again */
        kloop_chunk_end(j->now->handle);
        j->now = NULL;
    }
    /* That was all: deliver what is on its way, a minute at most, and end. */
    kloop_close(p, 60000, NULL, NULL);
}

static bool read_number(const char *text, unsigned long long *number)
{
    char *end;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && *number > 0 && *number <= 1000000;
}

int main(int argc, char **argv)
{
    static job j;
    if (argc != 5 || !read_number(argv[3], &j.chunks) || !read_number(argv[4], &j.records)) {
        fprintf(stderr, "usage: %s HOST:PORT TOPIC CHUNKS RECORDS\n", argv[0]);
        return 2;
    }
    uv_loop_t loop;
    kloop_config *config = kloop_config_new(NULL);
    if (uv_loop_init(&loop) || !config) {
        fprintf(stderr, "there is no loop, or no memory\n");
        return 1;
    }
    /* A key that is wrong is remembered and told by kloop_open. */
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    kloop_config_set(config, "linger.ms", "5");
    kloop_producer *p;
    kloop_error error;
    kloop_status status = kloop_open(&p, &loop, config, &error);
    kloop_config_del(config);
    if (status) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    kloop_on_chunk(p, on_chunk, &j);
    kloop_on_release(p, on_release, NULL);
    kloop_on_writable(p, go_on, &j);
    kloop_on_log(p, on_log, NULL);
    if (kloop_topic_get(p, argv[2], &j.topic, &error)) {
        fprintf(stderr, "%s\n", error.text);
        j.lost = j.chunks * j.records;
        kloop_close(p, 0, NULL, NULL);
    } else {
        go_on(p, &j);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    printf("%llu chunks, %llu records stored, %llu not\n", j.begun, j.stored, j.lost);
    return j.lost ? 1 : 0;
}
