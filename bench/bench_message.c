/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of the size that a busy producer meets: a Produce request and its response with 1,000
 * partitions, the metadata of 10,000. Decoding includes reading every field of every partition
 * through the iterators; encoding includes measuring, and leaves the payload where it is. Nothing
 * here allocates per partition: the walk has no allocator, and the buffers are made once.
 */
#include "base/check.h"
#include "bench/bench.h"

#include <kloop/wire.h>

#include <stdio.h>
#include <stdlib.h>

#define PRODUCE_PARTITIONS  1000
#define METADATA_TOPICS     100
#define METADATA_PARTITIONS 100 /* of each topic */
#define PAYLOAD_BYTES       1000

typedef struct encoded {
    int16_t version;
    uint8_t *bytes;
    size_t len;
} encoded;

typedef struct request_work {
    int16_t version;
    kloop_produce_request request;
    uint8_t *buffer;
    size_t capacity;
    kloop_slice *slices;
    size_t slice_max;
} request_work;

static void *room_for(size_t count, size_t size)
{
    void *p = calloc(count, size);
    KL_ASSERT(p != NULL);
    return p;
}

static void must(kloop_status status, const kloop_fault *fault)
{
    char text[200];
    if (status == KLOOP_OK)
        return;
    kloop_fault_text(fault, text, sizeof text);
    fprintf(stderr, "bench_message: %s\n", text);
    exit(1);
}

/* ---- What is encoded and decoded ---- */

static uint8_t batch_header[KLOOP_BATCH_HEADER_BYTES];
static uint8_t payload[PAYLOAD_BYTES];
static const kloop_slice payload_slice = {payload, sizeof payload};

static void make_request(request_work *work, int16_t version)
{
    kloop_produce_partition *partitions = room_for(PRODUCE_PARTITIONS, sizeof *partitions);
    for (int32_t i = 0; i < PRODUCE_PARTITIONS; i++) {
        partitions[i].index = i;
        partitions[i].records.head = (kloop_slice){batch_header, sizeof batch_header};
        partitions[i].records.body = &payload_slice;
        partitions[i].records.body_count = 1;
    }
    kloop_produce_topic *topic = room_for(1, sizeof *topic);
    topic->name = kloop_text("events");
    topic->topic_id.bytes[0] = 7;
    topic->partition_data = kloop_array_of(partitions, PRODUCE_PARTITIONS);
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &work->request);
    work->version = version;
    work->request.acks = -1;
    work->request.timeout_ms = 30000;
    work->request.topic_data = kloop_array_of(topic, 1);

    kloop_size size;
    kloop_fault fault;
    must(kloop_measure_request(KLOOP_PRODUCE, version, kloop_text("bench"), &work->request, &size,
                               &fault),
         &fault);
    work->buffer = room_for(size.own, 1);
    work->capacity = size.own;
    work->slices = room_for(size.slices, sizeof *work->slices);
    work->slice_max = size.slices;
}

static void keep_encoded(encoded *to, int16_t version, kloop_size size)
{
    to->version = version;
    to->len = size.total;
    to->bytes = room_for(size.total, 1);
}

static void make_produce_response(encoded *to, int16_t version)
{
    kloop_produce_partition_response *partitions = room_for(PRODUCE_PARTITIONS, sizeof *partitions);
    for (int32_t i = 0; i < PRODUCE_PARTITIONS; i++) {
        partitions[i].index = i;
        partitions[i].base_offset = 1000 * (int64_t)i;
        partitions[i].log_append_time_ms = -1;
        partitions[i].current_leader = (kloop_leader_hint){-1, -1};
    }
    kloop_produce_topic_response topic = {.name = kloop_text("events"), .topic_id = {{7}}};
    topic.partition_responses = kloop_array_of(partitions, PRODUCE_PARTITIONS);
    kloop_produce_response response;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &response);
    response.responses = kloop_array_of(&topic, 1);
    kloop_size size;
    kloop_fault fault;
    size_t used;
    must(kloop_measure(KLOOP_PRODUCE, KLOOP_RESPONSE, version, &response, &size, &fault), &fault);
    keep_encoded(to, version, size);
    must(kloop_encode(KLOOP_PRODUCE, KLOOP_RESPONSE, version, &response, to->bytes, to->len, &used,
                      &fault),
         &fault);
    free(partitions);
}

static void make_metadata(encoded *to, int16_t version)
{
    static const int32_t replicas[] = {1, 2, 3};
    static char names[METADATA_TOPICS][16];
    kloop_metadata_topic *topics = room_for(METADATA_TOPICS, sizeof *topics);
    kloop_metadata_partition *partitions = room_for(METADATA_PARTITIONS, sizeof *partitions);
    for (int32_t i = 0; i < METADATA_PARTITIONS; i++) {
        partitions[i].partition_index = i;
        partitions[i].leader_id = 1 + i % 3;
        partitions[i].leader_epoch = 5;
        partitions[i].replica_nodes = kloop_array_of(replicas, 3);
        partitions[i].isr_nodes = kloop_array_of(replicas, 3);
    }
    for (int i = 0; i < METADATA_TOPICS; i++) {
        snprintf(names[i], sizeof names[i], "topic-%d", i);
        topics[i].name = kloop_text(names[i]);
        topics[i].topic_id.bytes[0] = (uint8_t)i;
        topics[i].topic_authorized_operations = INT32_MIN;
        topics[i].partitions = kloop_array_of(partitions, METADATA_PARTITIONS);
    }
    kloop_metadata_broker brokers[3];
    for (int32_t i = 0; i < 3; i++)
        brokers[i] = (kloop_metadata_broker){
            .node_id = 1 + i, .host = kloop_text("broker.example"), .port = 9092};
    kloop_metadata_response response;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &response);
    response.brokers = kloop_array_of(brokers, 3);
    response.topics = kloop_array_of(topics, METADATA_TOPICS);
    kloop_size size;
    kloop_fault fault;
    size_t used;
    must(kloop_measure(KLOOP_METADATA, KLOOP_RESPONSE, version, &response, &size, &fault), &fault);
    keep_encoded(to, version, size);
    must(kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, version, &response, to->bytes, to->len, &used,
                      &fault),
         &fault);
    free(partitions);
    free(topics);
}

/* ---- The cases ---- */

static void encode_request(void *ctx, uint64_t iterations)
{
    request_work *work = ctx;
    kloop_string me = kloop_text("bench");
    while (iterations--) {
        kloop_size size;
        kloop_fault fault;
        must(kloop_measure_request(KLOOP_PRODUCE, work->version, me, &work->request, &size, &fault),
             &fault);
        KL_ASSERT(size.own == work->capacity && size.slices == work->slice_max);
        must(kloop_encode_request_slices(KLOOP_PRODUCE, work->version, 1, me, &work->request,
                                         work->buffer, work->capacity, work->slices,
                                         work->slice_max, &fault),
             &fault);
        bench_keep(work->buffer);
        bench_keep(work->slices);
    }
}

static void read_produce_response(void *ctx, uint64_t iterations)
{
    const encoded *from = ctx;
    while (iterations--) {
        kloop_produce_response response;
        kloop_fault fault;
        int32_t seen = 0;
        must(kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, from->version, from->bytes, from->len,
                          &response, &fault),
             &fault);
        kloop_produce_topic_response topic;
        for (kloop_iter t = kloop_iterate(&response.responses); kloop_next(&t, &topic);) {
            kloop_produce_partition_response partition;
            for (kloop_iter p = kloop_iterate(&topic.partition_responses);
                 kloop_next(&p, &partition); seen++)
                bench_keep(&partition);
        }
        KL_ASSERT(seen == PRODUCE_PARTITIONS);
    }
}

static void read_metadata(void *ctx, uint64_t iterations)
{
    const encoded *from = ctx;
    while (iterations--) {
        kloop_metadata_response response;
        kloop_fault fault;
        int32_t seen = 0;
        must(kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, from->version, from->bytes, from->len,
                          &response, &fault),
             &fault);
        kloop_metadata_topic topic;
        for (kloop_iter t = kloop_iterate(&response.topics); kloop_next(&t, &topic);) {
            kloop_metadata_partition partition;
            for (kloop_iter p = kloop_iterate(&topic.partitions); kloop_next(&p, &partition);
                 seen++)
                bench_keep(&partition);
        }
        KL_ASSERT(seen == METADATA_TOPICS * METADATA_PARTITIONS);
    }
}

static void only_decode_metadata(void *ctx, uint64_t iterations)
{
    const encoded *from = ctx;
    while (iterations--) {
        kloop_metadata_response response;
        kloop_fault fault;
        must(kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, from->version, from->bytes, from->len,
                          &response, &fault),
             &fault);
        bench_keep(&response);
    }
}

#define REQUEST  "Produce v13 request, 1,000 partitions: measure and encode"
#define RESPONSE "Produce v13 response, 1,000 partitions: decode and read all"
#define METADATA "Metadata v13, 10,000 partitions: decode and read all"

int main(int argc, char **argv)
{
    static request_work request, old_request;
    static encoded response, old_response, metadata, old_metadata;
    make_request(&request, 13);
    make_request(&old_request, 7);
    make_produce_response(&response, 13);
    make_produce_response(&old_response, 7);
    make_metadata(&metadata, 13);
    make_metadata(&old_metadata, 7);

    const bench_case cases[] = {
        {.name = REQUEST, .run = encode_request, .ctx = &request},
        {.name = "Produce v7 request", .run = encode_request, .ctx = &old_request},
        {.name = RESPONSE, .run = read_produce_response, .ctx = &response},
        {.name = "Produce v7 response", .run = read_produce_response, .ctx = &old_response},
        {.name = METADATA, .run = read_metadata, .ctx = &metadata, .bytes_per_op = metadata.len},
        {.name = "Metadata v13, decode alone", .run = only_decode_metadata, .ctx = &metadata},
        {.name = "Metadata v7",
         .run = read_metadata,
         .ctx = &old_metadata,
         .bytes_per_op = old_metadata.len},
    };
    const bench_ratio ratios[] = {
        {.label = "ns to encode a Produce request of 1,000 partitions",
         .of = REQUEST,
         .at_most = 60e3},
        {.label = "ns to decode its response", .of = RESPONSE, .at_most = 40e3},
        {.label = "ns to decode the metadata of 10,000 partitions",
         .of = METADATA,
         .at_most = 800e3},
    };
    return bench_main("message", argc, argv, cases, sizeof cases / sizeof cases[0], ratios,
                      sizeof ratios / sizeof ratios[0]);
}
