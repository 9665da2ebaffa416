/* SPDX-License-Identifier: BSD-2-Clause */
/* A world for each thread. See loop_world.h. */
#define _GNU_SOURCE
#include "tests/threads/loop_world.h"

#include <kloop/batch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_MS 240000

void loop_world_die(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static void on_guard(uv_timer_t *guard)
{
    *(bool *)guard->data = true;
}

static _Thread_local bool late;

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    loop_world *w = me;
    (void)p;
    w->reported[run->outcome] += run->record_count;
    w->causes[run->cause] += run->record_count;
    if (run->outcome != KLOOP_OUTCOME_ACKED)
        snprintf(w->text, sizeof w->text, "%s", run->text);
}

void loop_world_on_flushed(kloop_producer *p, void *me)
{
    loop_world *w = me;
    (void)p;
    w->flushed++;
    w->acked_at_flush = w->reported[KLOOP_OUTCOME_ACKED];
}

void loop_world_on_closed(kloop_producer *p, void *me)
{
    loop_world *w = me;
    if (w->on_closing)
        w->on_closing(p, w);
    kloop_get_stats(p, &w->stats);
    w->closed++;
}

void loop_world_open_cluster(loop_world *w)
{
    memset(w, 0, sizeof *w);
    late = false;
    MUST(uv_loop_init(&w->loop) == 0);
    uv_timer_init(&w->loop, &w->guard);
    w->guard.data = &late;
    uv_timer_start(&w->guard, on_guard, GUARD_MS, 0);
    uv_unref((uv_handle_t *)&w->guard);
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = 1;
    w->cluster = kl_cluster_new(&config);
    MUST(w->cluster);
    kl_topic_config topic = {
        .name = "events", .partitions = LOOP_WORLD_PARTITIONS, .replication_factor = 1};
    MUST(kl_cluster_add_topic(w->cluster, &topic, &w->topic_handle) == KL_CLUSTER_OK);
    w->broker = kl_loop_broker_new(&w->loop, w->cluster, 1);
}

kloop_producer *loop_world_new_producer(loop_world *w, const char *const *settings)
{
    kloop_producer *p;
    kloop_error error = {0};
    kloop_config *config = kloop_config_new(NULL);
    MUST(!kloop_config_set(config, "bootstrap.servers", kl_loop_broker_servers(w->broker)));
    for (; settings && *settings; settings += 2)
        MUST(!kloop_config_set(config, settings[0], settings[1]));
    MUST(!kloop_open(&p, &w->loop, config, &error));
    kloop_config_del(config);
    kloop_on_delivery(p, on_delivery, w);
    return p;
}

void loop_world_open(loop_world *w, const char *const *settings)
{
    loop_world_open_cluster(w);
    w->producer = loop_world_new_producer(w, settings);
    MUST(!kloop_topic_get(w->producer, "events", &w->topic, NULL));
}

void loop_world_turn(loop_world *w, const char *waiting_for)
{
    uv_run(&w->loop, UV_RUN_ONCE);
    if (late)
        loop_world_die(__FILE__, __LINE__, waiting_for);
}

void loop_world_close(loop_world *w, uint64_t timeout_ms)
{
    if (w->producer) {
        if (!w->closed)
            kloop_close(w->producer, timeout_ms, loop_world_on_closed, w);
        LOOP_WORLD_UNTIL(w, w->closed);
        const kloop_stats *s = &w->stats;
        MUST(s->pending == 0 && s->inlet_records == 0);
        MUST(s->accepted == s->acked + s->failed + s->unknown);
        MUST(s->acked == w->reported[KLOOP_OUTCOME_ACKED]);
        MUST(s->failed == w->reported[KLOOP_OUTCOME_FAILED]);
        MUST(s->unknown == w->reported[KLOOP_OUTCOME_UNKNOWN]);
    }
    kl_loop_broker_close(w->broker);
    uv_close((uv_handle_t *)&w->guard, NULL);
    MUST(uv_run(&w->loop, UV_RUN_DEFAULT) == 0);
    MUST(uv_loop_close(&w->loop) == 0);
    kl_cluster_del(w->cluster);
}

/* ---- Logs ---- */

void loop_world_value(uint8_t value[16], uint64_t stream, uint64_t number)
{
    memcpy(value, &stream, 8);
    memcpy(value + 8, &number, 8);
}

static void read_log(loop_world *w, int32_t partition, uint64_t *seen)
{
    uint64_t next[LOOP_WORLD_STREAMS] = {0};
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 64 << 20);
    MUST(reader);
    size_t batches = kl_cluster_log_count(w->cluster, w->topic_handle, partition, KL_NO_NODE);
    for (size_t i = 0; i < batches; i++) {
        const kl_stored_batch *b =
            kl_cluster_log_at(w->cluster, w->topic_handle, partition, KL_NO_NODE, i);
        const kloop_batch_header *header;
        const kloop_batch_record *record;
        kloop_batch_reader_start(reader, b->bytes, b->byte_count);
        MUST(!kloop_batch_reader_next(reader, &header, NULL) && header);
        while (!kloop_batch_reader_record(reader, &record, NULL) && record) {
            uint64_t stream, number;
            MUST(record->value.len == 16);
            memcpy(&stream, record->value.data, 8);
            memcpy(&number, record->value.data + 8, 8);
            MUST(stream < LOOP_WORLD_STREAMS);
            /* In order, so none twice. */
            MUST(number >= next[stream]);
            next[stream] = number + 1;
            seen[stream]++;
        }
    }
    kloop_batch_reader_del(reader);
}

void loop_world_expect_logs(loop_world *w, const uint64_t *counts)
{
    uint64_t seen[LOOP_WORLD_STREAMS] = {0};
    for (int32_t p = 0; p < LOOP_WORLD_PARTITIONS; p++)
        read_log(w, p, seen);
    for (int i = 0; i < LOOP_WORLD_STREAMS; i++)
        MUST(seen[i] == counts[i]);
}

uint64_t loop_world_stored(const loop_world *w)
{
    uint64_t records = 0;
    for (int32_t p = 0; p < LOOP_WORLD_PARTITIONS; p++) {
        kl_partition_info info;
        kl_cluster_partition_info(w->cluster, w->topic_handle, p, &info);
        records += info.records;
    }
    return records;
}
