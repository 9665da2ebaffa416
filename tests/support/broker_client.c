/* SPDX-License-Identifier: BSD-2-Clause */
/* See broker_client.h. */
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BATCHES       8
#define VALUE_LEN_MAX 4096

int64_t kl_client_now;

/* ---- The cluster ---- */

void kl_client_wait(kl_cluster *c, int64_t ms)
{
    kl_client_now += ms * KL_CLIENT_MS;
    kl_cluster_on_time(c, kl_client_now);
}

kl_cluster_config kl_client_config(int32_t brokers)
{
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = brokers;
    kl_client_now = 0;
    return config;
}

kl_cluster *kl_client_cluster(const kl_cluster_config *config)
{
    kl_cluster *c = kl_cluster_new(config);
    assert_non_null(c);
    return c;
}

int32_t kl_client_topic(kl_cluster *c, const char *name, int32_t partitions, int16_t replicas)
{
    int32_t topic;
    kl_topic_config config = {
        .name = name, .partitions = partitions, .replication_factor = replicas};
    assert_int_equal(kl_cluster_add_topic(c, &config, &topic), KL_CLUSTER_OK);
    return topic;
}

int64_t kl_client_next_offset(const kl_cluster *c, int32_t topic, int32_t partition)
{
    kl_partition_info info;
    kl_cluster_partition_info(c, topic, partition, &info);
    return info.next_offset;
}

int64_t kl_client_watermark(const kl_cluster *c, int32_t topic, int32_t partition)
{
    kl_partition_info info;
    kl_cluster_partition_info(c, topic, partition, &info);
    return info.high_watermark;
}

/* ---- The connection ---- */

void kl_client_open(kl_client *a, kl_cluster *c, int32_t node_id)
{
    *a = (kl_client){.cluster = c};
    a->peer = kl_peer_open(c, node_id, a, kl_client_now);
    assert_non_null(a->peer);
}

void kl_client_close(kl_client *a)
{
    if (a->peer)
        kl_peer_close(a->peer, kl_client_now);
    a->peer = NULL;
    free(a->frame);
    a->frame = NULL;
}

bool kl_client_is_closed(const kl_client *a)
{
    return kl_peer_wants_close(a->peer);
}

void kl_client_send_raw(kl_client *a, const void *bytes, size_t len)
{
    assert_true(kl_peer_receive(a->peer, bytes, len, kl_client_now));
}

void kl_client_send_sized(kl_client *a, int16_t api_key, int16_t version, const void *message,
                          size_t size)
{
    kloop_string me = kloop_text("test");
    kloop_size measured;
    kloop_fault fault;
    assert_int_equal(
        kloop_measure_request_sized(api_key, version, me, message, size, &measured, &fault),
        KLOOP_OK);
    uint8_t *bytes = malloc(measured.total);
    assert_non_null(bytes);
    assert_int_equal(kloop_encode_request_sized(api_key, version, ++a->correlation_id, me, message,
                                                size, bytes, measured.total, &fault),
                     KLOOP_OK);
    kl_client_send_raw(a, bytes, measured.total);
    free(bytes);
}

/* All that waits to be written, in one piece; the caller frees. */
static uint8_t *gather(const kl_client *a, size_t *len)
{
    kloop_slice slices[64];
    size_t n = kl_peer_output(a->peer, slices, 64);
    *len = 0;
    for (size_t i = 0; i < n; i++)
        *len += slices[i].len;
    uint8_t *bytes = malloc(*len + 1);
    assert_non_null(bytes);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes + at, slices[i].data, slices[i].len);
        at += slices[i].len;
    }
    return bytes;
}

bool kl_client_take(kl_client *a)
{
    size_t len;
    size_t used;
    kloop_slice frame;
    uint8_t *bytes = gather(a, &len);
    assert_int_equal(kloop_frame_next(bytes, len, 1 << 24, &frame, &used, NULL), KLOOP_OK);
    if (!frame.data) {
        free(bytes);
        return false;
    }
    free(a->frame);
    a->frame = bytes;
    a->frame_len = used;
    kl_peer_wrote(a->peer, used, kl_client_now);
    return true;
}

void kl_client_answer_sized(kl_client *a, int16_t api_key, int16_t version, void *response,
                            size_t size)
{
    size_t header_len;
    kloop_response_header header;
    kloop_fault fault;
    assert_true(kl_client_take(a));
    assert_int_equal(kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE,
                                         kloop_response_header_version(api_key, version),
                                         a->frame + 4, a->frame_len - 4, &header_len, &header,
                                         &fault),
                     KLOOP_OK);
    assert_int_equal(header.correlation_id, a->correlation_id);
    assert_int_equal(kloop_decode_sized(api_key, KLOOP_RESPONSE, version, a->frame + 4 + header_len,
                                        a->frame_len - 4 - header_len, response, size, &fault),
                     KLOOP_OK);
}

/* ---- Batches ---- */

static uint8_t batch_bytes[BATCHES][1 << 20];
static unsigned batch_turn;

kloop_slice kl_client_batch(const kl_client_batch_spec *spec)
{
    static char value[VALUE_LEN_MAX];
    int32_t count = spec->count ? spec->count : 1;
    size_t value_len = spec->value_len ? spec->value_len : 10;
    uint8_t *bytes = batch_bytes[batch_turn++ % BATCHES];
    kloop_batch_record *records = calloc((size_t)count, sizeof *records);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    kloop_batch_header header;
    size_t used;
    assert_true(records && writer && value_len <= sizeof value);
    memset(value, spec->fill ? spec->fill : 'v', sizeof value);
    for (int32_t i = 0; i < count; i++) {
        records[i].offset = i;
        records[i].timestamp = spec->timestamp + i;
        records[i].value = (kloop_slice){(const uint8_t *)value, value_len};
        if (spec->keys)
            records[i].key = (kloop_slice){(const uint8_t *)"k", 1};
    }
    kloop_batch_header_fit(&header, records, (size_t)count);
    header.attributes = spec->attributes;
    if (spec->idempotent) {
        header.producer_id = spec->producer_id;
        header.producer_epoch = spec->epoch;
        header.base_sequence = spec->sequence;
    }
    assert_int_equal(kloop_batch_encode(writer, &header, records, (size_t)count, bytes,
                                        sizeof batch_bytes[0], &used, NULL),
                     KLOOP_OK);
    kloop_batch_writer_del(writer);
    free(records);
    return (kloop_slice){bytes, used};
}

uint8_t *kl_client_batch_bytes(kloop_slice batch)
{
    return (uint8_t *)(uintptr_t)batch.data;
}

/* ---- Produce ---- */

static void name_topic(const kl_client *a, const char *name, kloop_produce_topic *topic,
                       int16_t version)
{
    if (version < 13) {
        topic->name = kloop_text(name);
        return;
    }
    kl_topic_info info = {.id = {{9}}};
    int32_t handle = kl_cluster_find_topic(a->cluster, name, strlen(name));
    if (handle != KL_NO_TOPIC)
        kl_cluster_topic_info(a->cluster, handle, &info);
    topic->topic_id = info.id;
}

void kl_client_produce_acks(kl_client *a, int16_t version, const char *name, int32_t partition,
                            kloop_slice batch, int16_t acks, int32_t timeout_ms)
{
    kloop_produce_partition part = {.index = partition, .records = {.head = batch}};
    kloop_produce_topic topic = {.partition_data = kloop_array_of(&part, 1),
                                 .name = kloop_text("")};
    kloop_produce_request request;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    name_topic(a, name, &topic, version);
    request.acks = acks;
    request.timeout_ms = timeout_ms;
    request.topic_data = kloop_array_of(&topic, 1);
    kl_client_send(a, KLOOP_PRODUCE, version, &request);
}

void kl_client_produce(kl_client *a, int16_t version, const char *topic, int32_t partition,
                       kloop_slice batch)
{
    kl_client_produce_acks(a, version, topic, partition, batch, -1, 1000);
}

int16_t kl_client_produced(kl_client *a, int16_t version)
{
    kl_client_answer(a, KLOOP_PRODUCE, version, &a->produced);
    assert_int_equal(a->produced.responses.count, 1);
    kloop_iter topics = kloop_iterate(&a->produced.responses);
    assert_true(kloop_next(&topics, &a->produced_topic));
    assert_int_equal(a->produced_topic.partition_responses.count, 1);
    kloop_iter partitions = kloop_iterate(&a->produced_topic.partition_responses);
    assert_true(kloop_next(&partitions, &a->produced_partition));
    return a->produced_partition.error_code;
}

int16_t kl_client_put(kl_client *a, const char *topic, int32_t partition, kloop_slice batch)
{
    kl_client_produce(a, 12, topic, partition, batch);
    return kl_client_produced(a, 12);
}
