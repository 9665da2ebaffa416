/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told_broker TOPIC PARTITIONS
 *
 * A model cluster of two brokers that does what it is told, for tests of programs that are driven
 * by a script. Its first line says where it is. Each line of standard input is an order, answered
 * with one line or more:
 *
 *     stall      nobody is read from or accepted any more     -> stalled
 *     go on      they are again                               -> going on
 *     reset      all connections end                          -> reset
 *     values     the value of every record, by partition, each behind "PARTITION ", then "."
 *
 * It ends with its input.
 */
#define _GNU_SOURCE
#include "broker/truth.h"
#include "tests/support/loop_broker.h"

#include <kloop/batch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct told {
    uv_loop_t loop;
    uv_pipe_t orders;
    kl_cluster *cluster;
    kl_loop_broker *broker;
    int32_t topic;
    int32_t partitions;
    char text[256];
    size_t len;
} told;

static void print_batch(kloop_batch_reader *reader, int32_t partition, kloop_slice bytes)
{
    kloop_fault fault;
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_batch_reader_start(reader, bytes.data, bytes.len);
    while (kloop_batch_reader_next(reader, &header, &fault) == KLOOP_OK && header) {
        while (kloop_batch_reader_record(reader, &record, &fault) == KLOOP_OK && record)
            printf("%d %.*s\n", partition, (int)record->value.len,
                   (const char *)record->value.data);
    }
}

static void print_values(const told *t)
{
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1 << 26);
    for (int32_t p = 0; p < t->partitions; p++) {
        size_t count = kl_cluster_log_count(t->cluster, t->topic, p, KL_NO_NODE);
        for (size_t i = 0; i < count; i++) {
            const kl_stored_batch *batch =
                kl_cluster_log_at(t->cluster, t->topic, p, KL_NO_NODE, i);
            print_batch(reader, p, (kloop_slice){batch->bytes, batch->byte_count});
        }
    }
    kloop_batch_reader_del(reader);
    puts(".");
}

static void obey(told *t, const char *order)
{
    if (strcmp(order, "stall") == 0) {
        kl_loop_broker_stall(t->broker, true);
        puts("stalled");
    } else if (strcmp(order, "go on") == 0) {
        kl_loop_broker_stall(t->broker, false);
        puts("going on");
    } else if (strcmp(order, "reset") == 0) {
        kl_loop_broker_reset(t->broker);
        puts("reset");
    } else if (strcmp(order, "values") == 0) {
        print_values(t);
    } else {
        printf("nobody here knows '%s'\n", order);
    }
    fflush(stdout);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    told *t = handle->data;
    (void)suggested;
    *room = uv_buf_init(t->text + t->len, (unsigned)(sizeof t->text - 1 - t->len));
}

static void on_orders(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
    told *t = stream->data;
    (void)room;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        kl_loop_broker_close(t->broker);
        return;
    }
    t->len += (size_t)n;
    t->text[t->len] = 0;
    char *end;
    while ((end = memchr(t->text, '\n', t->len))) {
        *end = 0;
        obey(t, t->text);
        t->len -= (size_t)(end + 1 - t->text);
        memmove(t->text, end + 1, t->len);
    }
}

int main(int argc, char **argv)
{
    static told t;
    if (argc != 3) {
        fprintf(stderr, "usage: %s TOPIC PARTITIONS\n", argv[0]);
        return 2;
    }
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = 2;
    t.partitions = (int32_t)strtol(argv[2], NULL, 10);
    t.cluster = kl_cluster_new(&config);
    kl_topic_config made = {.name = argv[1], .partitions = t.partitions, .replication_factor = 1};
    if (uv_loop_init(&t.loop) || !t.cluster || kl_cluster_add_topic(t.cluster, &made, &t.topic))
        return 2;
    t.broker = kl_loop_broker_new(&t.loop, t.cluster, config.broker_count);
    uv_pipe_init(&t.loop, &t.orders, 0);
    uv_pipe_open(&t.orders, 0);
    t.orders.data = &t;
    uv_read_start((uv_stream_t *)&t.orders, on_room, on_orders);
    printf("listening on %s\n", kl_loop_broker_servers(t.broker));
    fflush(stdout);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    int error = uv_loop_close(&t.loop);
    kl_cluster_del(t.cluster);
    return error != 0;
}
