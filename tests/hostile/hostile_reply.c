/* SPDX-License-Identifier: BSD-2-Clause */
/* Honest answers. See hostile_reply.h. */
#include "tests/hostile/hostile_reply.h"

#include "base/be.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEADER_EPOCH 5
#define PRODUCER_ID  4711

static const kloop_uuid topic_id = {{'h', 'o', 's', 't', 'i', 'l', 'e', 1}};

static int32_t partition_count(const hostile_world *w)
{
    return w->row->partitions ? w->row->partitions : 3;
}

int32_t hostile_leader_of(const hostile_world *w, int32_t partition)
{
    return 1 + partition % w->ports->nodes;
}

static void make_versions(hostile_world *w, hostile_reply *r)
{
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &r->versions);
    size_t count = kloop_api_count();
    r->apis = hostile_take(w, count, sizeof *r->apis);
    for (size_t i = 0; i < count; i++) {
        const kloop_api *api = kloop_api_at(i);
        if (api->key < 0)
            continue;
        r->apis[r->api_count++] = (kloop_api_version){api->key, api->min_version, api->max_version};
    }
}

static void make_metadata(hostile_world *w, const kloop_metadata_request *q, hostile_reply *r)
{
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &r->metadata);
    r->metadata.cluster_id = kloop_text("hostile");
    r->metadata.controller_id = 1;
    r->broker_count = w->ports->nodes;
    r->brokers = hostile_take(w, (size_t)r->broker_count, sizeof *r->brokers);
    for (int32_t i = 0; i < r->broker_count; i++)
        r->brokers[i] = (kloop_metadata_broker){
            .node_id = i + 1, .host = kloop_text("127.0.0.1"), .port = w->ports->ports[i]};
    if (q->topics.count <= 0)
        return;
    r->partition_count = partition_count(w);
    r->partitions = hostile_take(w, (size_t)r->partition_count, sizeof *r->partitions);
    for (int32_t p = 0; p < r->partition_count; p++)
        r->partitions[p] = (kloop_metadata_partition){.partition_index = p,
                                                      .leader_id = hostile_leader_of(w, p),
                                                      .leader_epoch = LEADER_EPOCH};
    r->topic_count = 1;
    r->topics = hostile_take(w, 1, sizeof *r->topics);
    r->topics[0] = (kloop_metadata_topic){.name = kloop_text(HOSTILE_TOPIC),
                                          .topic_id = topic_id,
                                          .topic_authorized_operations = INT32_MIN};
}

static void make_init(hostile_reply *r)
{
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, &r->init);
    r->init.producer_id = PRODUCER_ID;
    r->init.producer_epoch = 0;
}

static int64_t records_of(const kloop_records *records)
{
    return records->head.len >= KLOOP_BATCH_HEADER_BYTES ? kl_be_load32(records->head.data + 57)
                                                         : 0;
}

static void make_produce(hostile_world *w, const kloop_produce_request *q, hostile_reply *r)
{
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &r->produce);
    r->none = q->acks == 0;
    r->acked_topics = hostile_take(w, (size_t)q->topic_data.count + 1, sizeof *r->acked_topics);
    kloop_produce_topic topic;
    for (kloop_iter i = kloop_iterate(&q->topic_data); kloop_next(&i, &topic);) {
        kloop_produce_topic_response *t = &r->acked_topics[r->acked_topic_count++];
        t->name = topic.name;
        t->topic_id = topic.topic_id;
        r->acks = hostile_take(w, (size_t)topic.partition_data.count + 2, sizeof *r->acks);
        r->ack_count = 0;
        r->batches = hostile_take(w, (size_t)topic.partition_data.count + 1, sizeof *r->batches);
        r->batch_count = 0;
        kloop_produce_partition partition;
        for (kloop_iter j = kloop_iterate(&topic.partition_data); kloop_next(&j, &partition);) {
            r->acks[r->ack_count++] =
                (kloop_produce_partition_response){.index = partition.index,
                                                   .base_offset = w->next_offset,
                                                   .log_append_time_ms = -1,
                                                   .log_start_offset = 0,
                                                   .error_message = {NULL, 0},
                                                   .current_leader = {-1, -1}};
            r->batches[r->batch_count++] = (hostile_batch){partition.index, partition.records.head};
            w->next_offset += records_of(&partition.records);
        }
    }
}

bool hostile_reply_make(hostile_world *w, hostile_conn *c, const uint8_t *frame, size_t len,
                        hostile_reply *r)
{
    (void)c;
    memset(r, 0, sizeof *r);
    if (len < 8)
        return false;
    r->api = (int16_t)kl_be_load16(frame);
    r->version = (int16_t)kl_be_load16(frame + 2);
    kloop_request_header header;
    size_t used;
    if (kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                            kloop_request_header_version(r->api, r->version), frame, len, &used,
                            &header, NULL))
        return false;
    r->correlation = header.correlation_id;
    const uint8_t *body = frame + used;
    len -= used;
    kloop_metadata_request metadata;
    kloop_produce_request produce;
    switch (r->api) {
    case KLOOP_API_VERSIONS:
        make_versions(w, r);
        return true;
    case KLOOP_METADATA:
        if (kloop_decode(r->api, KLOOP_REQUEST, r->version, body, len, &metadata, NULL))
            return false;
        make_metadata(w, &metadata, r);
        return true;
    case KLOOP_INIT_PRODUCER_ID:
        make_init(r);
        return true;
    case KLOOP_PRODUCE:
        if (kloop_decode(r->api, KLOOP_REQUEST, r->version, body, len, &produce, NULL))
            return false;
        make_produce(w, &produce, r);
        return true;
    default:
        return false;
    }
}

/* ---- Which records there are ---- */

/* The answer's word on a partition, the first if there are several. */
static unsigned mark_of(const hostile_reply *r, int32_t partition)
{
    if (r->none || r->acked_topic_count == 0)
        return HOSTILE_TAKEN;
    for (int32_t i = 0; i < r->ack_count; i++) {
        if (r->acks[i].index != partition)
            continue;
        uint32_t classes = kloop_broker_error_classes(r->acks[i].error_code);
        if (classes & KLOOP_CLASS_SUCCESS)
            return HOSTILE_TAKEN | HOSTILE_GRANTED;
        return classes & KLOOP_CLASS_NOT_STORED ? 0 : HOSTILE_TAKEN;
    }
    return HOSTILE_TAKEN;
}

bool hostile_reply_mark(hostile_world *w, const hostile_reply *r)
{
    bool sound = true;
    for (int32_t i = 0; i < r->batch_count; i++) {
        unsigned mark = mark_of(r, r->batches[i].partition);
        kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1 << 20);
        const kloop_batch_header *header;
        const kloop_batch_record *record;
        kloop_batch_reader_start(reader, r->batches[i].bytes.data, r->batches[i].bytes.len);
        while (sound && (sound = kloop_batch_reader_next(reader, &header, NULL) == KLOOP_OK) &&
               header) {
            while ((sound = kloop_batch_reader_record(reader, &record, NULL) == KLOOP_OK) &&
                   record) {
                uint32_t number = kl_be_load32(record->value.data);
                w->result->marks[number % HOSTILE_RECORDS_MAX] |= (uint8_t)mark;
            }
        }
        kloop_batch_reader_del(reader);
    }
    return sound;
}

/* ---- Bytes ---- */

static const uint8_t *encode(hostile_world *w, const hostile_reply *r, const void *message,
                             size_t message_size, size_t *len)
{
    kloop_size size;
    kloop_fault fault;
    kloop_status status =
        kloop_measure_response_sized(r->api, r->version, message, message_size, &size, &fault);
    uint8_t *frame = status ? NULL : hostile_take(w, size.total, 1);
    if (status == KLOOP_OK)
        status = kloop_encode_response_sized(r->api, r->version, r->correlation, message,
                                             message_size, frame, size.total, &fault);
    if (status) {
        char text[256];
        kloop_fault_text(&fault, text, sizeof text);
        fprintf(stderr, "%s: a lie that cannot be told: %s\n", w->row->name, text);
        abort();
    }
    *len = size.total;
    return frame;
}

/* Fields that this version has no place for. */
static void trim_metadata(hostile_reply *r)
{
    static const kloop_uuid none;
    for (int32_t i = 0; i < r->topic_count && r->version < 10; i++)
        r->topics[i].topic_id = none;
    if (r->version < 13)
        r->metadata.error_code = 0;
    for (int32_t i = 0; i < r->partition_count && r->version < 7; i++)
        r->partitions[i].leader_epoch = -1;
}

static void trim_produce(hostile_reply *r)
{
    static const kloop_uuid none;
    for (int32_t i = 0; i < r->acked_topic_count; i++) {
        if (r->version >= 13)
            r->acked_topics[i].name = (kloop_string){"", 0};
        else
            r->acked_topics[i].topic_id = none;
    }
}

const uint8_t *hostile_reply_encode(hostile_world *w, hostile_reply *r, size_t *len)
{
    switch (r->api) {
    case KLOOP_API_VERSIONS:
        r->versions.api_keys = kloop_array_of(r->apis, r->api_count);
        return encode(w, r, &r->versions, sizeof r->versions, len);
    case KLOOP_METADATA:
        trim_metadata(r);
        for (int32_t i = 0; i < r->topic_count; i++)
            if (r->topics[i].partitions.count == 0)
                r->topics[i].partitions = kloop_array_of(r->partitions, r->partition_count);
        r->metadata.brokers = kloop_array_of(r->brokers, r->broker_count);
        r->metadata.topics = kloop_array_of(r->topics, r->topic_count);
        return encode(w, r, &r->metadata, sizeof r->metadata, len);
    case KLOOP_INIT_PRODUCER_ID:
        return encode(w, r, &r->init, sizeof r->init, len);
    default:
        trim_produce(r);
        if (r->acked_topic_count > 0)
            r->acked_topics[0].partition_responses = kloop_array_of(r->acks, r->ack_count);
        r->produce.responses = kloop_array_of(r->acked_topics, r->acked_topic_count);
        r->produce.node_endpoints = kloop_array_of(r->endpoints, r->endpoint_count);
        return encode(w, r, &r->produce, sizeof r->produce, len);
    }
}
