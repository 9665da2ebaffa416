/* SPDX-License-Identifier: BSD-2-Clause */
/* The brokers' side: reading requests, putting answers together. See engine_host.h. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNSUPPORTED_VERSION 35

/* ---- Requests ---- */

size_t host_waiting(const host_conn *c)
{
    return c->request_count - c->request_first;
}

const host_request *host_first(host *h, host_conn *c)
{
    if (host_waiting(c) == 0)
        fail_msg("b%d was asked nothing:\n%.4000s", c->node, h->transcript);
    return &c->requests[c->request_first];
}

void host_drop(host_conn *c)
{
    c->request_first++;
}

static void read_request(const host_conn *c, const host_request *r, void *message, size_t size)
{
    kloop_fault fault;
    char text[200];
    if (kloop_decode_sized(r->api, KLOOP_REQUEST, r->version, c->stream + r->at, r->len, message,
                           size, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        fail_msg("request %d version %d: %s", r->api, r->version, text);
    }
}

/* ---- Answers ---- */

void host_respond(host *h, host_conn *c, const void *message, size_t message_size)
{
    const host_request *r = host_first(h, c);
    kloop_size size;
    kloop_fault fault = {0};
    char text[200];
    if (kloop_measure_response_sized(r->api, r->version, message, message_size, &size, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        fail_msg("answer %d version %d: %s", r->api, r->version, text);
    }
    uint8_t *bytes = malloc(size.total);
    if (!bytes)
        abort();
    assert_int_equal(kloop_encode_response_sized(r->api, r->version, r->correlation, message,
                                                 message_size, bytes, size.total, &fault),
                     KLOOP_OK);
    host_drop(c);
    host_receive(h, c, bytes, size.total);
    free(bytes);
}

void host_answer_versions(host *h, host_conn *c)
{
    host_request *r = &c->requests[c->request_first];
    assert_int_equal(r->api, KLOOP_API_VERSIONS);
    kloop_api_versions_response m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    kloop_api_version keys[64];
    int32_t count = 0;
    for (int16_t api = 0; api < 64; api++) {
        const kloop_api *known = kloop_api_find(api);
        if (h->max_version[api] < 0 || !known)
            continue;
        int16_t min =
            known->min_version < h->max_version[api] ? known->min_version : h->max_version[api];
        keys[count++] = (kloop_api_version){api, min, h->max_version[api]};
    }
    m.api_keys = kloop_array_of(keys, count);
    if (r->version > h->max_version[KLOOP_API_VERSIONS]) {
        /* Kafka answers in version 0 then. */
        m.error_code = UNSUPPORTED_VERSION;
        r->version = 0;
    }
    host_respond(h, c, &m, sizeof m);
}

static host_topic *topic_named(host *h, kloop_string name)
{
    for (int i = 0; i < h->topic_count; i++)
        if (strlen(h->topics[i].name) == name.len &&
            memcmp(h->topics[i].name, name.data, name.len) == 0)
            return &h->topics[i];
    return NULL;
}

static kloop_uuid id_of(const host *h, const host_topic *t)
{
    return (kloop_uuid){{(uint8_t)(t - h->topics + 1), [15] = (uint8_t)(t->incarnation + 1)}};
}

static host_topic *topic_with_id(host *h, const kloop_uuid *id)
{
    for (int i = 0; i < h->topic_count; i++)
        if (id->bytes[0] == i + 1)
            return &h->topics[i];
    return NULL;
}

static void fill_topic(host *h, int16_t version, const host_topic *t, kloop_string name,
                       kloop_metadata_topic *to, kloop_metadata_partition *partitions)
{
    static const int32_t replicas[] = {1, 2, 3};
    *to = (kloop_metadata_topic){.name = name, .topic_authorized_operations = INT32_MIN};
    to->error_code = t ? t->error : KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    if (to->error_code)
        return;
    if (version >= 10 && !t->nameless)
        to->topic_id = id_of(h, t);
    for (int32_t i = 0; i < t->partition_count; i++)
        partitions[i] = (kloop_metadata_partition){
            .partition_index = i,
            .error_code = t->leaders[i] < 0 ? KLOOP_BROKER_LEADER_NOT_AVAILABLE : 0,
            .leader_id = t->leaders[i],
            .leader_epoch = version >= 7 ? t->epochs[i] : -1,
            .replica_nodes = kloop_array_of(replicas, 3),
            .isr_nodes = kloop_array_of(replicas, 3),
        };
    to->partitions = kloop_array_of(partitions, t->partition_count);
}

void host_answer_metadata(host *h, host_conn *c)
{
    const host_request *r = host_first(h, c);
    assert_int_equal(r->api, KLOOP_METADATA);
    kloop_metadata_request q;
    read_request(c, r, &q, sizeof q);
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    kloop_metadata_broker brokers[HOST_BROKERS_MAX];
    char names[HOST_BROKERS_MAX][8];
    int known = 0;
    for (int i = 0; i < h->broker_count; i++) {
        int at = h->moved[i + 1] ? h->moved[i + 1] : i + 1;
        snprintf(names[i], sizeof names[i], "b%d", at);
        if (!h->gone[i + 1])
            brokers[known++] = (kloop_metadata_broker){
                .node_id = i + 1, .host = kloop_text(names[i]), .port = 9090 + at};
    }
    m.brokers = kloop_array_of(brokers, known);
    if (h->cluster_id && r->version >= 2)
        m.cluster_id = kloop_text(h->cluster_id);
    m.throttle_time_ms = r->version >= 3 ? h->throttle_ms : 0;
    if (r->version >= 13)
        m.error_code = h->metadata_error;
    kloop_metadata_topic topics[HOST_TOPICS_MAX * 2];
    static kloop_metadata_partition partitions[HOST_TOPICS_MAX * 2][HOST_PARTITIONS_MAX];
    int32_t count = 0;
    kloop_metadata_request_topic asked;
    for (kloop_iter i = kloop_iterate(&q.topics); kloop_next(&i, &asked); count++) {
        assert_true(count < HOST_TOPICS_MAX * 2);
        fill_topic(h, r->version, topic_named(h, asked.name), asked.name, &topics[count],
                   partitions[count]);
    }
    m.topics = kloop_array_of(topics, count);
    h->metadata_answers++;
    host_respond(h, c, &m, sizeof m);
}

void host_answer_brokers(host *h, host_conn *c, const kloop_metadata_broker *brokers, int32_t count,
                         int32_t leader, int32_t epoch)
{
    kloop_metadata_partition p = {.leader_id = leader, .leader_epoch = epoch};
    kloop_metadata_topic topic = {.name = kloop_text("t"),
                                  .topic_id = {{1, [15] = 1}},
                                  .topic_authorized_operations = INT32_MIN,
                                  .partitions = kloop_array_of(&p, 1)};
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.topics = kloop_array_of(&topic, 1);
    m.brokers = kloop_array_of(brokers, count);
    assert_int_equal(host_first(h, c)->api, KLOOP_METADATA);
    host_respond(h, c, &m, sizeof m);
}

void host_answer_id(host *h, host_conn *c)
{
    assert_int_equal(host_first(h, c)->api, KLOOP_INIT_PRODUCER_ID);
    kloop_init_producer_id_response m;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, &m);
    m.throttle_time_ms = h->throttle_ms;
    m.error_code = h->id_error;
    if (!h->id_error) {
        m.producer_id = h->producer_id++;
        m.producer_epoch = h->producer_epoch;
    }
    h->id_answers++;
    host_respond(h, c, &m, sizeof m);
}

/* ---- Produce ---- */

static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static size_t user_in(kloop_slice value)
{
    size_t user = 0;
    if (value.len < 2 || value.data[0] != 'v')
        return 0;
    for (size_t i = 1; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return 0;
        user = user * 10 + (size_t)(value.data[i] - '0');
    }
    return user;
}

/* Exactly one batch, every record of it sound, users without a gap downwards. */
static void read_batch(kloop_slice bytes, host_seen_batch *to)
{
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 64 << 20);
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault;
    char text[200];
    assert_non_null(reader);
    kloop_batch_reader_start(reader, bytes.data, bytes.len);
    if (kloop_batch_reader_next(reader, &header, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        fail_msg("a batch: %s", text);
    }
    assert_non_null(header);
    to->producer_id = header->producer_id;
    to->epoch = header->producer_epoch;
    to->sequence = header->base_sequence;
    to->count = header->record_count;
    to->codec = kloop_batch_codec(header);
    assert_int_equal(header->last_offset_delta, header->record_count - 1);
    for (int64_t place = 0;; place++) {
        if (kloop_batch_reader_record(reader, &record, &fault)) {
            kloop_fault_text(&fault, text, sizeof text);
            fail_msg("a record: %s", text);
        }
        if (!record)
            break;
        assert_int_equal(record->offset, header->base_offset + place);
        size_t user = user_in(record->value);
        if (user == 0)
            continue;
        assert_true(user > to->last);
        to->last = user;
        if (to->first == 0)
            to->first = user;
    }
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    assert_null(header);
    kloop_batch_reader_del(reader);
}

static void read_produce(host *h, const host_conn *c, const host_request *r, host_seen *seen)
{
    kloop_produce_request q;
    read_request(c, r, &q, sizeof q);
    *seen = (host_seen){
        .version = r->version, .acks = q.acks, .timeout_ms = q.timeout_ms, .len = r->len};
    assert_null(q.transactional_id.data);
    kloop_produce_topic topic;
    for (kloop_iter i = kloop_iterate(&q.topic_data); kloop_next(&i, &topic);) {
        const host_topic *t =
            r->version >= 13 ? topic_with_id(h, &topic.topic_id) : topic_named(h, topic.name);
        assert_non_null(t);
        kloop_produce_partition p;
        for (kloop_iter j = kloop_iterate(&topic.partition_data); kloop_next(&j, &p);) {
            assert_true(seen->batch_count < HOST_BATCHES_MAX);
            host_seen_batch *b = &seen->batches[seen->batch_count++];
            snprintf(b->topic, sizeof b->topic, "%s", t->name);
            b->incarnation = r->version >= 13 ? topic.topic_id.bytes[15] - 1 : -1;
            b->partition = p.index;
            b->len = p.records.head.len;
            b->hash = hash_of(p.records.head.data, p.records.head.len);
            read_batch(p.records.head, b);
            for (host_seen_batch *other = seen->batches; other < b; other++)
                if (other->partition == b->partition && strcmp(other->topic, b->topic) == 0)
                    fail_msg("two batches of %s/%d", b->topic, (int)b->partition);
        }
    }
}

size_t host_produces(host *h, int node)
{
    const host_conn *c = host_find(h, node);
    size_t count = 0;
    for (size_t i = c ? c->request_first : 0; c && i < c->request_count; i++)
        count += c->requests[i].api == KLOOP_PRODUCE;
    return count;
}

void host_expect_no_produce(host *h)
{
    for (int node = 1; node <= h->broker_count; node++)
        if (host_produces(h, node))
            fail_msg("b%d has a Produce:\n%.4000s", node, h->transcript);
}

void host_expect_produce_at(host *h, int node, size_t nth, host_seen *seen)
{
    const host_conn *c = host_at(h, node);
    for (size_t i = c->request_first; i < c->request_count; i++)
        if (c->requests[i].api == KLOOP_PRODUCE && nth-- == 0) {
            read_produce(h, c, &c->requests[i], seen);
            return;
        }
    fail_msg("b%d has no such Produce:\n%.4000s", node, h->transcript);
}

void host_expect_produce(host *h, int node, host_seen *seen)
{
    host_expect_produce_at(h, node, 0, seen);
}

static void answer_produce(host *h, host_conn *c, const int16_t *codes, size_t count)
{
    const host_request *r = host_first(h, c);
    assert_int_equal(r->api, KLOOP_PRODUCE);
    kloop_produce_request q;
    read_request(c, r, &q, sizeof q);
    host_seen seen;
    read_produce(h, c, r, &seen);
    if (seen.batch_count != count)
        fail_msg("%zu batches, and codes for %zu", seen.batch_count, count);
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    m.throttle_time_ms = h->throttle_ms;
    kloop_produce_topic_response topics[HOST_TOPICS_MAX];
    kloop_produce_partition_response partitions[HOST_BATCHES_MAX];
    int32_t topic_count = 0;
    size_t n = 0;
    kloop_produce_topic topic;
    for (kloop_iter i = kloop_iterate(&q.topic_data); kloop_next(&i, &topic); topic_count++) {
        size_t first = n;
        for (int32_t j = 0; j < topic.partition_data.count; j++, n++) {
            const host_seen_batch *b = &seen.batches[n];
            host_topic *t = topic_named(h, kloop_text(b->topic));
            partitions[n] = (kloop_produce_partition_response){
                .index = b->partition,
                .error_code = codes[n],
                .base_offset = -1,
                .log_append_time_ms = -1,
                .log_start_offset = -1,
                .current_leader = {-1, -1},
            };
            if (r->version >= 10 && codes[n] != 0)
                partitions[n].current_leader = h->hint;
            if (codes[n] == 0) {
                partitions[n].base_offset = t->offsets[b->partition];
                t->offsets[b->partition] += b->count;
            }
        }
        topics[topic_count] = (kloop_produce_topic_response){
            .name = topic.name,
            .topic_id = topic.topic_id,
            .partition_responses = kloop_array_of(&partitions[first], (int32_t)(n - first)),
        };
    }
    m.responses = kloop_array_of(topics, topic_count);
    if (r->version >= 10)
        m.node_endpoints = h->endpoints;
    host_respond(h, c, &m, sizeof m);
}

void host_answer_all(host *h, host_conn *c, int16_t code)
{
    int16_t codes[HOST_BATCHES_MAX];
    host_seen seen;
    read_produce(h, c, host_first(h, c), &seen);
    for (size_t i = 0; i < seen.batch_count; i++)
        codes[i] = code;
    answer_produce(h, c, codes, seen.batch_count);
}

void host_answer_only(host *h, int node, const int16_t *codes, size_t count)
{
    answer_produce(h, host_at(h, node), codes, count);
}

void host_answer(host *h, int node, const int16_t *codes, size_t count)
{
    host_answer_only(h, node, codes, count);
    host_run(h);
}
