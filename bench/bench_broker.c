/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model broker as a sink: Produce requests in, answers out, no socket. The copy stands for what
 * a socket does anyway. Discarding, it is to look at headers only, so that what it adds to the copy
 * is the same however many records there are; with checking every byte and record is looked at.
 *
 * A request of a million bytes holds 10,000 records of 100 bytes: 1 ms for it is 10 million records
 * a second.
 */
#include "base/check.h"
#include "bench/bench.h"
#include "broker/peer.h"

#include <kloop/wire.h>

#include <stdlib.h>
#include <string.h>

#define PARTITIONS 1000

typedef struct work {
    bool check;
    bool discard;
    int32_t partitions; /* in a request */
    int32_t records;    /* in a batch */
    int16_t codec;
    kl_cluster *cluster;
    kl_peer *peer;
    uint8_t *frame;
    size_t frame_len;
    uint8_t *copy;
    int64_t now_ns;
} work;

static void *room_for(size_t size)
{
    void *p = malloc(size);
    KL_ASSERT(p != NULL);
    return p;
}

static kloop_slice make_batch(const work *w)
{
    static uint8_t value[90];
    kloop_batch_record *records = room_for((size_t)w->records * sizeof *records);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    kloop_batch_header header;
    kloop_slice batch;
    for (int32_t i = 0; i < w->records; i++)
        records[i] = (kloop_batch_record){
            .offset = i, .timestamp = 1700000000000, .value = {value, sizeof value}};
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 37);
    kloop_batch_header_fit(&header, records, (size_t)w->records);
    header.attributes = w->codec;
    kloop_batch_writer_start(writer, &header);
    for (int32_t i = 0; i < w->records; i++)
        kloop_batch_writer_add(writer, &records[i], NULL);
    KL_ASSERT(kloop_batch_writer_end(writer, &batch, NULL) == KLOOP_OK);
    uint8_t *bytes = room_for(batch.len);
    memcpy(bytes, batch.data, batch.len);
    kloop_batch_writer_del(writer);
    free(records);
    return (kloop_slice){bytes, batch.len};
}

static void make_frame(work *w)
{
    kloop_produce_partition *parts = room_for((size_t)w->partitions * sizeof *parts);
    kloop_slice batch = make_batch(w);
    for (int32_t i = 0; i < w->partitions; i++)
        parts[i] = (kloop_produce_partition){.index = i, .records = {.head = batch}};
    kloop_produce_topic topic = {.name = kloop_text("events"),
                                 .partition_data = kloop_array_of(parts, w->partitions)};
    kloop_produce_request request;
    kloop_size size;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = -1;
    request.timeout_ms = 1000;
    request.topic_data = kloop_array_of(&topic, 1);
    KL_ASSERT(kloop_measure_request(KLOOP_PRODUCE, 12, kloop_text("bench"), &request, &size,
                                    NULL) == KLOOP_OK);
    w->frame_len = size.total;
    w->frame = room_for(size.total);
    w->copy = room_for(size.total);
    KL_ASSERT(kloop_encode_request(KLOOP_PRODUCE, 12, 1, kloop_text("bench"), &request, w->frame,
                                   size.total, NULL) == KLOOP_OK);
    free((void *)(uintptr_t)batch.data);
    free(parts);
}

static void set_up(work *w)
{
    kl_cluster_config config;
    int32_t topic;
    kl_cluster_config_init(&config);
    config.check = w->check;
    config.discard = w->discard;
    w->cluster = kl_cluster_new(&config);
    KL_ASSERT(w->cluster != NULL);
    KL_ASSERT(
        kl_cluster_add_topic(
            w->cluster,
            &(kl_topic_config){.name = "events", .partitions = PARTITIONS, .replication_factor = 1},
            &topic) == KL_CLUSTER_OK);
    w->peer = kl_peer_open(w->cluster, 1, NULL, 0);
    make_frame(w);
}

static void produce(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    if (!w->cluster)
        set_up(w);
    while (iterations--) {
        KL_ASSERT(kl_peer_receive(w->peer, w->frame, w->frame_len, ++w->now_ns));
        size_t answer = kl_peer_output_bytes(w->peer);
        KL_ASSERT(answer > 0);
        kl_peer_wrote(w->peer, answer, w->now_ns);
    }
}

static void copy(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    if (!w->cluster)
        set_up(w);
    while (iterations--) {
        memcpy(w->copy, w->frame, w->frame_len);
        bench_keep(w->copy);
    }
}

static work large = {.discard = true, .partitions = 1, .records = 10000};
static work large_checked = {.discard = true, .check = true, .partitions = 1, .records = 10000};
static work large_lz4 = {
    .discard = true, .check = true, .partitions = 1, .records = 10000, .codec = 3};
static work wide = {.discard = true, .partitions = PARTITIONS, .records = 1};
static work one = {.discard = true, .partitions = 1, .records = 1};

static const bench_case cases[] = {
    {"copy of 10,000 records", copy, &large, 1000000},
    {"10,000 records, discarded", produce, &large, 1000000},
    {"10,000 records, checked", produce, &large_checked, 1000000},
    {"10,000 records in lz4, checked", produce, &large_lz4, 1000000},
    {"1,000 partitions of 1 record, discarded", produce, &wide, 0},
    {"1 record, discarded", produce, &one, 0},
};

static const bench_ratio ratios[] = {
    {"ns of 10,000 records beyond the copy; 1,000,000 is 10 M/s", "10,000 records, discarded", NULL,
     "copy of 10,000 records", 0, 1000000},
    {"ns of 10,000 records checked", "10,000 records, checked", NULL, NULL, 0, 1000000},
    {"ns of 1,000 partitions", "1,000 partitions of 1 record, discarded", NULL, NULL, 0, 1000000},
};

int main(int argc, char **argv)
{
    return bench_main("broker", argc, argv, cases, sizeof cases / sizeof cases[0], ratios,
                      sizeof ratios / sizeof ratios[0]);
}
