/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a record costs inside the engine, from submit to report, against canned answers: no socket,
 * no clock, no broker. One operation is 1,000 records, so that a round is never a part of a batch.
 *
 *     bench_engine                     times
 *     bench_engine --count CASE N      sends N records, in thousands, after a million to warm up
 *
 * The second is for callgrind: the difference between two N is free of what start and end cost.
 */
#include "bench/bench.h"
#include "bench/canned_broker.h"

#include <kloop/wire.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP_RECORDS   1000
#define WARM_UP_OPS  1000
#define COUNT(table) (sizeof(table) / sizeof *(table))

static uint8_t payload[65536];

typedef struct engine_case {
    const char *name;
    size_t record_bytes;
    int32_t partitions;
    int32_t window; /* of partitions that one answer speaks of */
    bool in_turn;   /* else the engine chooses */
    bool at_a_rate; /* 50 records in a millisecond, as they come */
    bool borrowed;  /* values are lent */
    bool in_chunks; /* of 1,000 records each */
    uint32_t hold;
    const char *settings[9];
    canned_broker broker;
    int32_t next;
    bool made;
} engine_case;

static engine_case hundred = {
    .name = "100 B, batches of 1 MB",
    .record_bytes = 100,
    .partitions = 12,
    .window = 12,
    .hold = 3,
    .settings = {"linger.ms", "5"},
};
/* One batch filling, up to four sealed or in flight, of 1 MB each. */
static engine_case thousand_bytes = {
    .name = "1 KB, batches of 1 MB",
    .record_bytes = 1024,
    .partitions = 12,
    .window = 12,
    .hold = 3,
    .settings = {"linger.ms", "5"},
};
static engine_case hundred_in_chunks = {
    .name = "100 B, in chunks of 1,000",
    .record_bytes = 100,
    .partitions = 12,
    .window = 12,
    .in_chunks = true,
    .hold = 3,
    .settings = {"linger.ms", "5"},
};
static engine_case large = {
    .name = "64 KB",
    .record_bytes = 65536,
    .partitions = 12,
    .window = 12,
    .hold = 3,
    .settings = {"linger.ms", "5"},
};
static engine_case large_borrowed = {
    .name = "64 KB, borrowed",
    .record_bytes = 65536,
    .partitions = 12,
    .window = 12,
    .borrowed = true,
    .hold = 3,
    .settings = {"linger.ms", "5"},
};
/* 1,000 x 200 x 108 bytes are 21.6 MB that wait at once, and as much in flight. */
static engine_case many_partitions = {
    .name = "100 B, 1,000 partitions in turn",
    .record_bytes = 100,
    .partitions = 1000,
    .window = 1000,
    .in_turn = true,
    .hold = 0,
    .settings = {"linger.ms", "10000", "batch.size", "22000", "buffer.memory", "134217728",
                 "request.bytes.max", "67108864"},
};

/* 50,000 records a second: linger.ms gathers 250 of them, and each is a batch of its own. */
static engine_case lone_records = {
    .name = "100 B, 1,000 partitions, a record a batch",
    .record_bytes = 100,
    .partitions = 1000,
    .window = 250,
    .at_a_rate = true,
    .hold = 0,
    .settings = {"linger.ms", "5"},
};
static engine_case lone_records_of_many = {
    .name = "100 B, 10,000 partitions, a record a batch",
    .record_bytes = 100,
    .partitions = 10000,
    .window = 250,
    .at_a_rate = true,
    .hold = 0,
    .settings = {"linger.ms", "5"},
};

static void run(void *ctx, uint64_t iterations);

static void make(engine_case *c)
{
    if (c->made)
        return;
    canned_broker_init(&c->broker, c->partitions, c->window, c->hold, c->settings);
    c->made = true;
    /* Memory that is touched for the first time belongs to the kernel's account. */
    run(c, c->record_bytes > 1024 ? WARM_UP_OPS / 50 : WARM_UP_OPS);
}

static void run_chunks(engine_case *c, kloop_record *record, uint64_t chunks)
{
    record->set = KLOOP_SET_CHUNK;
    for (uint64_t n = 0; n < chunks; n++) {
        if (kloop_engine_chunk(c->broker.engine, c, &record->chunk))
            abort();
        for (int i = 0; i < OP_RECORDS; i++)
            canned_broker_send(&c->broker, record);
        kloop_engine_chunk_end(record->chunk);
    }
}

static void run(void *ctx, uint64_t iterations)
{
    engine_case *c = ctx;
    make(c);
    kloop_record record = {.value = {payload, c->record_bytes}, .user = c};
    if (c->in_chunks) {
        run_chunks(c, &record, iterations);
        return;
    }
    record.set = c->borrowed ? KLOOP_SET_BORROWED : 0;
    uint64_t records = iterations * OP_RECORDS;
    if (!c->in_turn && !c->at_a_rate) {
        for (uint64_t i = 0; i < records; i++)
            canned_broker_send(&c->broker, &record);
        return;
    }
    record.set = KLOOP_SET_PARTITION;
    for (uint64_t i = 0; i < records; i++) {
        record.partition = c->next;
        c->next = c->next + 1 == c->partitions ? 0 : c->next + 1;
        if (!c->at_a_rate) {
            canned_broker_send(&c->broker, &record);
        } else {
            canned_broker_put(&c->broker, &record);
            if ((i + 1) % 50 == 0)
                canned_broker_pass(&c->broker, 1000000);
        }
    }
}

static engine_case *const engine_cases[] = {&hundred,      &thousand_bytes,      &hundred_in_chunks,
                                            &large,        &large_borrowed,      &many_partitions,
                                            &lone_records, &lone_records_of_many};

static int count_only(const char *name, uint64_t records)
{
    for (size_t i = 0; i < COUNT(engine_cases); i++) {
        engine_case *c = engine_cases[i];
        if (strcmp(c->name, name) != 0)
            continue;
        make(c);
        uint64_t before = c->broker.allocations;
        run(c, records / OP_RECORDS);
        canned_broker_drain(&c->broker);
        kloop_stats stats;
        kloop_engine_stats(c->broker.engine, &stats);
        if (stats.retries > 0) {
            fprintf(stderr, "bench_engine: the answers did not fit the requests\n");
            return 2;
        }
        printf("{\"records\":%llu,\"batches\":%llu,\"requests\":%llu,\"allocations\":%llu}\n",
               (unsigned long long)stats.acked, (unsigned long long)stats.batches,
               (unsigned long long)stats.requests,
               (unsigned long long)(c->broker.allocations - before));
        canned_broker_deinit(&c->broker);
        return 0;
    }
    fprintf(stderr, "bench_engine: there is no case '%s'\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    memset(payload, 'x', sizeof payload);
    if (argc == 4 && strcmp(argv[1], "--count") == 0)
        return count_only(argv[2], strtoull(argv[3], NULL, 10));
    static const bench_case cases[] = {
        {.name = "100 B, batches of 1 MB",
         .run = run,
         .ctx = &hundred,
         .bytes_per_op = 100 * OP_RECORDS},
        {.name = "1 KB, batches of 1 MB",
         .run = run,
         .ctx = &thousand_bytes,
         .bytes_per_op = 1024 * OP_RECORDS},
        {.name = "100 B, in chunks of 1,000",
         .run = run,
         .ctx = &hundred_in_chunks,
         .bytes_per_op = 100 * OP_RECORDS},
        {.name = "64 KB", .run = run, .ctx = &large, .bytes_per_op = 65536 * OP_RECORDS},
        {.name = "64 KB, borrowed",
         .run = run,
         .ctx = &large_borrowed,
         .bytes_per_op = 65536 * OP_RECORDS},
        {.name = "100 B, 1,000 partitions in turn",
         .run = run,
         .ctx = &many_partitions,
         .bytes_per_op = 100 * OP_RECORDS},
        {.name = "100 B, 1,000 partitions, a record a batch",
         .run = run,
         .ctx = &lone_records,
         .bytes_per_op = 100 * OP_RECORDS},
        {.name = "100 B, 10,000 partitions, a record a batch",
         .run = run,
         .ctx = &lone_records_of_many,
         .bytes_per_op = 100 * OP_RECORDS},
    };
    static const bench_ratio ratios[] = {
        {.label = "1,000 records of 100 B", .of = "100 B, batches of 1 MB", .at_most = 20000},
        {.label = "1,000 records of 1 KB", .of = "1 KB, batches of 1 MB", .at_most = 70000},
        {.label = "1,000 records, 1,000 partitions",
         .of = "100 B, 1,000 partitions in turn",
         .at_most = 32000},
        {.label = "chunks against reports",
         .of = "100 B, in chunks of 1,000",
         .by = "100 B, batches of 1 MB",
         .at_most = 1.5},
        {.label = "64 KB borrowed against copied",
         .of = "64 KB, borrowed",
         .by = "64 KB",
         .at_most = 0.8},
        {.label = "1,000 records, each in a batch of its own",
         .of = "100 B, 1,000 partitions, a record a batch",
         .at_most = 350000},
        {.label = "10,000 partitions against 1,000",
         .of = "100 B, 10,000 partitions, a record a batch",
         .by = "100 B, 1,000 partitions, a record a batch",
         .at_most = 1.5},
    };
    for (size_t i = 0; i < COUNT(engine_cases); i++)
        make(engine_cases[i]);
    int code = bench_main("engine", argc, argv, cases, COUNT(cases), ratios, COUNT(ratios));
    for (size_t i = 0; i < COUNT(engine_cases); i++)
        if (engine_cases[i]->made)
            canned_broker_deinit(&engine_cases[i]->broker);
    return code;
}
