/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which member of which struct a field lands in: hand-made bytes with a different value for each
 * field. And what the members are that no bytes were there for: after kloop_message_init, and after
 * decoding a version that has fewer fields.
 */
#include "tests/support/expect_fault.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_guard guard;

static int open_guard(void **state)
{
    (void)state;
    kl_guard_init(&guard, 70000);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    kl_guard_deinit(&guard);
    return 0;
}

static void decode(int16_t key, kloop_half half, int version, const char *hex, void *message,
                   size_t size)
{
    kloop_slice bytes = kl_hex_guarded(&guard, hex);
    kloop_fault fault;
    char text[200];
    memset(message, 0xa5, size);
    if (kloop_decode_sized(key, half, (int16_t)version, bytes.data, bytes.len, message, size,
                           &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        fail_msg("%s", text);
    }
    /* The same bytes come out again: of a list that was decoded, too. */
    uint8_t again[400];
    size_t used;
    assert_int_equal(kloop_encode_sized(key, half, (int16_t)version, message, size, again,
                                        sizeof again, &used, &fault),
                     KLOOP_OK);
    kl_expect_bytes(again, used, hex);
}

#define REQUEST(key, version, hex, m)                                                              \
    decode(KLOOP_##key, KLOOP_REQUEST, (version), (hex), (m), sizeof *(m))
#define RESPONSE(key, version, hex, m)                                                             \
    decode(KLOOP_##key, KLOOP_RESPONSE, (version), (hex), (m), sizeof *(m))

static void init(int16_t key, kloop_half half, void *message, size_t size)
{
    memset(message, 0xa5, size);
    assert_int_equal(kloop_message_init_sized(key, half, message, size), KLOOP_OK);
}

#define INIT_REQUEST(key, m)  init(KLOOP_##key, KLOOP_REQUEST, (m), sizeof *(m))
#define INIT_RESPONSE(key, m) init(KLOOP_##key, KLOOP_RESPONSE, (m), sizeof *(m))

static void expect_array(const kloop_array *array, int32_t count)
{
    assert_int_equal(array->count, count);
}

/* The index-th element; every list here is short. */
static void element(const kloop_array *array, int index, void *to, size_t size)
{
    kloop_iter it = kloop_iterate(array);
    memset(to, 0xa5, size);
    for (int i = 0; i <= index; i++)
        assert_true(kloop_next_sized(&it, to, size));
}

#define ELEMENT_AT(array, index, to) element((array), (index), (to), sizeof *(to))

static void expect_number(const kloop_array *array, int index, int32_t number)
{
    int32_t found;
    ELEMENT_AT(array, index, &found);
    assert_int_equal(found, number);
}

#define NO_ID   "00000000000000000000000000000000"
#define SOME_ID "01000000000000000000000000000002"

static void expect_id(const kloop_uuid *id, const char *hex)
{
    kl_expect_bytes(id->bytes, 16, hex);
}

/* ---- ApiVersions ---- */

static void api_versions_request(void **state)
{
    (void)state;
    kloop_api_versions_request m;
    REQUEST(API_VERSIONS, 4, "06 6b6c6f6f70 04 302e31 00", &m);
    kl_expect_text(m.client_software_name, "kloop");
    kl_expect_text(m.client_software_version, "0.1");
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            INIT_REQUEST(API_VERSIONS, &m);
        else
            REQUEST(API_VERSIONS, 0, "", &m);
        kl_expect_text(m.client_software_name, "");
        kl_expect_text(m.client_software_version, "");
    }
}

static void api_versions_response(void **state)
{
    (void)state;
    kloop_api_versions_response m;
    kloop_api_version api;
    RESPONSE(API_VERSIONS, 4,
             "0023 03 0001 0002 0003 00 0004 0005 0006 00 00000007 04"
             "00 08 02 02 73 0008 0009 00"
             "01 08 000000000000000a"
             "02 08 02 02 66 000c 000b 00"
             "03 01 01",
             &m);
    assert_int_equal(m.error_code, 35);
    expect_array(&m.api_keys, 2);
    ELEMENT_AT(&m.api_keys, 0, &api);
    assert_int_equal(api.api_key, 1);
    assert_int_equal(api.min_version, 2);
    assert_int_equal(api.max_version, 3);
    ELEMENT_AT(&m.api_keys, 1, &api);
    assert_int_equal(api.api_key, 4);
    assert_int_equal(api.min_version, 5);
    assert_int_equal(api.max_version, 6);
    assert_int_equal(m.throttle_time_ms, 7);
    kloop_supported_feature supported;
    expect_array(&m.supported_features, 1);
    ELEMENT_AT(&m.supported_features, 0, &supported);
    kl_expect_text(supported.name, "s");
    assert_int_equal(supported.min_version, 8);
    assert_int_equal(supported.max_version, 9);
    assert_int_equal(m.finalized_features_epoch, 10);
    kloop_finalized_feature finalized;
    expect_array(&m.finalized_features, 1);
    ELEMENT_AT(&m.finalized_features, 0, &finalized);
    kl_expect_text(finalized.name, "f");
    assert_int_equal(finalized.max_version_level, 12);
    assert_int_equal(finalized.min_version_level, 11);
    assert_true(m.zk_migration_ready);

    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            INIT_RESPONSE(API_VERSIONS, &m);
            assert_int_equal(m.error_code, 0);
            expect_array(&m.api_keys, 0);
        } else {
            RESPONSE(API_VERSIONS, 0, "0023 00000001 0001 0002 0003", &m);
            assert_int_equal(m.error_code, 35);
            expect_array(&m.api_keys, 1);
        }
        assert_int_equal(m.throttle_time_ms, 0);
        expect_array(&m.supported_features, 0);
        assert_int_equal(m.finalized_features_epoch, -1);
        expect_array(&m.finalized_features, 0);
        assert_false(m.zk_migration_ready);
    }
}

/* ---- Metadata ---- */

static void metadata_request(void **state)
{
    (void)state;
    kloop_metadata_request m;
    kloop_metadata_request_topic topic;
    REQUEST(METADATA, 13, "03 " SOME_ID " 02 74 00 " NO_ID " 00 00 00 01 00", &m);
    expect_array(&m.topics, 2);
    ELEMENT_AT(&m.topics, 0, &topic);
    expect_id(&topic.topic_id, SOME_ID);
    kl_expect_text(topic.name, "t");
    ELEMENT_AT(&m.topics, 1, &topic);
    expect_id(&topic.topic_id, NO_ID);
    assert_null(topic.name.data);
    assert_false(m.allow_auto_topic_creation);
    assert_false(m.include_cluster_authorized_operations);
    assert_true(m.include_topic_authorized_operations);

    REQUEST(METADATA, 8, "00000001 0001 74 00 01 00", &m);
    ELEMENT_AT(&m.topics, 0, &topic);
    expect_id(&topic.topic_id, NO_ID);
    kl_expect_text(topic.name, "t");
    assert_false(m.allow_auto_topic_creation);
    assert_true(m.include_cluster_authorized_operations);
    assert_false(m.include_topic_authorized_operations);

    REQUEST(METADATA, 1, "ffffffff", &m);
    expect_array(&m.topics, -1);
    assert_true(m.allow_auto_topic_creation);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            INIT_REQUEST(METADATA, &m);
        else
            REQUEST(METADATA, 0, "00000001 0001 74", &m);
        expect_array(&m.topics, i);
        assert_true(m.allow_auto_topic_creation);
        assert_false(m.include_cluster_authorized_operations);
        assert_false(m.include_topic_authorized_operations);
    }
    ELEMENT_AT(&m.topics, 0, &topic);
    expect_id(&topic.topic_id, NO_ID);
    kl_expect_text(topic.name, "t");
}

static void metadata_response(void **state)
{
    (void)state;
    kloop_metadata_response m;
    kloop_metadata_broker broker;
    kloop_metadata_topic topic;
    kloop_metadata_partition partition;
    RESPONSE(METADATA, 10,
             "00000001 02 00000002 02 68 00000003 02 72 00 02 63 00000004"
             "02 0005 02 74 " SOME_ID " 01"
             "02 0006 00000007 00000008 00000009"
             "03 0000000a 0000000b 02 0000000c 04 0000000d 0000000e 0000000f 00"
             "00000010 00 00000011 00",
             &m);
    assert_int_equal(m.throttle_time_ms, 1);
    expect_array(&m.brokers, 1);
    ELEMENT_AT(&m.brokers, 0, &broker);
    assert_int_equal(broker.node_id, 2);
    kl_expect_text(broker.host, "h");
    assert_int_equal(broker.port, 3);
    kl_expect_text(broker.rack, "r");
    kl_expect_text(m.cluster_id, "c");
    assert_int_equal(m.controller_id, 4);
    expect_array(&m.topics, 1);
    ELEMENT_AT(&m.topics, 0, &topic);
    assert_int_equal(topic.error_code, 5);
    kl_expect_text(topic.name, "t");
    expect_id(&topic.topic_id, SOME_ID);
    assert_true(topic.is_internal);
    expect_array(&topic.partitions, 1);
    ELEMENT_AT(&topic.partitions, 0, &partition);
    assert_int_equal(partition.error_code, 6);
    assert_int_equal(partition.partition_index, 7);
    assert_int_equal(partition.leader_id, 8);
    assert_int_equal(partition.leader_epoch, 9);
    expect_array(&partition.replica_nodes, 2);
    expect_number(&partition.replica_nodes, 0, 10);
    expect_number(&partition.replica_nodes, 1, 11);
    expect_array(&partition.isr_nodes, 1);
    expect_number(&partition.isr_nodes, 0, 12);
    expect_array(&partition.offline_replicas, 3);
    expect_number(&partition.offline_replicas, 2, 15);
    assert_int_equal(topic.topic_authorized_operations, 16);
    assert_int_equal(m.cluster_authorized_operations, 17);
    assert_int_equal(m.error_code, 0);

    RESPONSE(METADATA, 13, "00000001 01 00 00000004 01 0012 00", &m);
    expect_array(&m.brokers, 0);
    assert_null(m.cluster_id.data);
    assert_int_equal(m.error_code, 18);
    assert_int_equal(m.cluster_authorized_operations, INT32_MIN);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            INIT_RESPONSE(METADATA, &m);
        else
            RESPONSE(METADATA, 0,
                     "00000001 00000002 0001 68 00000003"
                     "00000001 0005 0001 74"
                     "00000001 0006 00000007 00000008 00000002 0000000a 0000000b 00000001 0000000c",
                     &m);
        expect_array(&m.brokers, i);
        expect_array(&m.topics, i);
        assert_int_equal(m.throttle_time_ms, 0);
        assert_null(m.cluster_id.data);
        assert_int_equal(m.controller_id, -1);
        assert_int_equal(m.cluster_authorized_operations, INT32_MIN);
        assert_int_equal(m.error_code, 0);
    }
    ELEMENT_AT(&m.brokers, 0, &broker);
    assert_int_equal(broker.port, 3);
    assert_null(broker.rack.data);
    ELEMENT_AT(&m.topics, 0, &topic);
    expect_id(&topic.topic_id, NO_ID);
    assert_false(topic.is_internal);
    assert_int_equal(topic.topic_authorized_operations, INT32_MIN);
    ELEMENT_AT(&topic.partitions, 0, &partition);
    assert_int_equal(partition.leader_id, 8);
    assert_int_equal(partition.leader_epoch, -1);
    expect_array(&partition.isr_nodes, 1);
    expect_array(&partition.offline_replicas, 0);
}

/* ---- InitProducerId ---- */

static void init_producer_id_request(void **state)
{
    (void)state;
    kloop_init_producer_id_request m;
    REQUEST(INIT_PRODUCER_ID, 6, "02 78 00000001 0000000000000002 0003 01 00 00", &m);
    kl_expect_text(m.transactional_id, "x");
    assert_int_equal(m.transaction_timeout_ms, 1);
    assert_int_equal(m.producer_id, 2);
    assert_int_equal(m.producer_epoch, 3);
    assert_true(m.enable_2pc);
    assert_false(m.keep_prepared_txn);
    REQUEST(INIT_PRODUCER_ID, 6, "00 00000001 0000000000000002 0003 00 01 00", &m);
    assert_null(m.transactional_id.data);
    assert_false(m.enable_2pc);
    assert_true(m.keep_prepared_txn);
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            INIT_REQUEST(INIT_PRODUCER_ID, &m);
            /* Nullable, and "" all the same: so says the specification. */
            kl_expect_text(m.transactional_id, "");
            assert_int_equal(m.transaction_timeout_ms, 0);
        } else {
            REQUEST(INIT_PRODUCER_ID, 0, "ffff 00000001", &m);
            assert_null(m.transactional_id.data);
            assert_int_equal(m.transaction_timeout_ms, 1);
        }
        assert_int_equal(m.producer_id, -1);
        assert_int_equal(m.producer_epoch, -1);
        assert_false(m.enable_2pc);
        assert_false(m.keep_prepared_txn);
    }
}

static void init_producer_id_response(void **state)
{
    (void)state;
    kloop_init_producer_id_response m;
    RESPONSE(INIT_PRODUCER_ID, 6, "00000001 0002 0000000000000003 0004 0000000000000005 0006 00",
             &m);
    assert_int_equal(m.throttle_time_ms, 1);
    assert_int_equal(m.error_code, 2);
    assert_int_equal(m.producer_id, 3);
    assert_int_equal(m.producer_epoch, 4);
    assert_int_equal(m.ongoing_txn_producer_id, 5);
    assert_int_equal(m.ongoing_txn_producer_epoch, 6);
    INIT_RESPONSE(INIT_PRODUCER_ID, &m);
    assert_int_equal(m.throttle_time_ms, 0);
    assert_int_equal(m.error_code, 0);
    assert_int_equal(m.producer_id, -1);
    assert_int_equal(m.producer_epoch, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(m.ongoing_txn_producer_id, -1);
        assert_int_equal(m.ongoing_txn_producer_epoch, -1);
        RESPONSE(INIT_PRODUCER_ID, 0, "00000001 0002 0000000000000003 0004", &m);
    }
}

/* ---- Produce ---- */

static void produce_request(void **state)
{
    (void)state;
    kloop_produce_request m;
    kloop_produce_topic topic;
    kloop_produce_partition partition;
    REQUEST(PRODUCE, 12, "02 78 ffff 00000002 02 02 74 03 00000003 03 0001 00 00000004 00 00 00 00",
            &m);
    kl_expect_text(m.transactional_id, "x");
    assert_int_equal(m.acks, -1);
    assert_int_equal(m.timeout_ms, 2);
    expect_array(&m.topic_data, 1);
    ELEMENT_AT(&m.topic_data, 0, &topic);
    kl_expect_text(topic.name, "t");
    expect_id(&topic.topic_id, NO_ID);
    expect_array(&topic.partition_data, 2);
    ELEMENT_AT(&topic.partition_data, 0, &partition);
    assert_int_equal(partition.index, 3);
    kl_expect_bytes(partition.records.head.data, partition.records.head.len, "0001");
    assert_null(partition.records.body);
    assert_int_equal(partition.records.body_count, 0);
    ELEMENT_AT(&topic.partition_data, 1, &partition);
    assert_int_equal(partition.index, 4);
    assert_null(partition.records.head.data);

    REQUEST(PRODUCE, 13, "00 0001 00000002 02 " SOME_ID " 01 00 00", &m);
    assert_null(m.transactional_id.data);
    ELEMENT_AT(&m.topic_data, 0, &topic);
    kl_expect_text(topic.name, "");
    expect_id(&topic.topic_id, SOME_ID);
    expect_array(&topic.partition_data, 0);

    REQUEST(PRODUCE, 3, "ffff 0001 00000002 00000001 0001 74 00000001 00000003 00000002 0001", &m);
    ELEMENT_AT(&m.topic_data, 0, &topic);
    kl_expect_text(topic.name, "t");
    expect_id(&topic.topic_id, NO_ID);

    INIT_REQUEST(PRODUCE, &m);
    assert_null(m.transactional_id.data);
    assert_int_equal(m.acks, 0);
    assert_int_equal(m.timeout_ms, 0);
    expect_array(&m.topic_data, 0);
}

static void produce_response(void **state)
{
    (void)state;
    kloop_produce_response m;
    kloop_produce_topic_response topic;
    kloop_produce_partition_response partition;
    kloop_record_error error;
    kloop_node_endpoint node;
    RESPONSE(PRODUCE, 12,
             "02 02 74 02 00000001 0002 0000000000000003 0000000000000004 0000000000000005"
             "03 00000006 04 626164 00 00000007 00 00 02 65"
             "01 00 09 00000008 00000009 00 00"
             "0000000a 01 00 0e 02 0000000b 02 68 0000000c 02 72 00",
             &m);
    expect_array(&m.responses, 1);
    ELEMENT_AT(&m.responses, 0, &topic);
    kl_expect_text(topic.name, "t");
    expect_id(&topic.topic_id, NO_ID);
    expect_array(&topic.partition_responses, 1);
    ELEMENT_AT(&topic.partition_responses, 0, &partition);
    assert_int_equal(partition.index, 1);
    assert_int_equal(partition.error_code, 2);
    assert_int_equal(partition.base_offset, 3);
    assert_int_equal(partition.log_append_time_ms, 4);
    assert_int_equal(partition.log_start_offset, 5);
    expect_array(&partition.record_errors, 2);
    ELEMENT_AT(&partition.record_errors, 0, &error);
    assert_int_equal(error.batch_index, 6);
    kl_expect_text(error.batch_index_error_message, "bad");
    ELEMENT_AT(&partition.record_errors, 1, &error);
    assert_int_equal(error.batch_index, 7);
    assert_null(error.batch_index_error_message.data);
    kl_expect_text(partition.error_message, "e");
    assert_int_equal(partition.current_leader.leader_id, 8);
    assert_int_equal(partition.current_leader.leader_epoch, 9);
    assert_int_equal(m.throttle_time_ms, 10);
    expect_array(&m.node_endpoints, 1);
    ELEMENT_AT(&m.node_endpoints, 0, &node);
    assert_int_equal(node.node_id, 11);
    kl_expect_text(node.host, "h");
    assert_int_equal(node.port, 12);
    kl_expect_text(node.rack, "r");

    RESPONSE(PRODUCE, 13, "02 " SOME_ID " 01 00 0000000a 00", &m);
    ELEMENT_AT(&m.responses, 0, &topic);
    kl_expect_text(topic.name, "");
    expect_id(&topic.topic_id, SOME_ID);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            INIT_RESPONSE(PRODUCE, &m);
        else
            RESPONSE(PRODUCE, 3,
                     "00000001 0001 74 00000001 00000001 0002 0000000000000003 0000000000000004"
                     "0000000a",
                     &m);
        expect_array(&m.responses, i);
        assert_int_equal(m.throttle_time_ms, 10 * i);
        expect_array(&m.node_endpoints, 0);
    }
    ELEMENT_AT(&m.responses, 0, &topic);
    expect_id(&topic.topic_id, NO_ID);
    ELEMENT_AT(&topic.partition_responses, 0, &partition);
    assert_int_equal(partition.log_append_time_ms, 4);
    assert_int_equal(partition.log_start_offset, -1);
    expect_array(&partition.record_errors, 0);
    assert_null(partition.error_message.data);
    assert_int_equal(partition.current_leader.leader_id, -1);
    assert_int_equal(partition.current_leader.leader_epoch, -1);
}

/* ---- SASL ---- */

static void sasl_handshake(void **state)
{
    (void)state;
    kloop_sasl_handshake_request request;
    REQUEST(SASL_HANDSHAKE, 1, "0005 504c41494e", &request);
    kl_expect_text(request.mechanism, "PLAIN");
    INIT_REQUEST(SASL_HANDSHAKE, &request);
    kl_expect_text(request.mechanism, "");

    kloop_sasl_handshake_response response;
    kloop_string name;
    RESPONSE(SASL_HANDSHAKE, 1, "0021 00000002 0001 41 0001 42", &response);
    assert_int_equal(response.error_code, 33);
    expect_array(&response.mechanisms, 2);
    ELEMENT_AT(&response.mechanisms, 0, &name);
    kl_expect_text(name, "A");
    ELEMENT_AT(&response.mechanisms, 1, &name);
    kl_expect_text(name, "B");
    INIT_RESPONSE(SASL_HANDSHAKE, &response);
    assert_int_equal(response.error_code, 0);
    expect_array(&response.mechanisms, 0);
}

static void sasl_authenticate(void **state)
{
    (void)state;
    kloop_sasl_authenticate_request request;
    REQUEST(SASL_AUTHENTICATE, 2, "03 0001 00", &request);
    kl_expect_bytes(request.auth_bytes.data, request.auth_bytes.len, "0001");
    INIT_REQUEST(SASL_AUTHENTICATE, &request);
    assert_non_null(request.auth_bytes.data);
    assert_int_equal(request.auth_bytes.len, 0);

    kloop_sasl_authenticate_response response;
    RESPONSE(SASL_AUTHENTICATE, 2, "003a 03 6e6f 02 02 0000000000000003 00", &response);
    assert_int_equal(response.error_code, 58);
    kl_expect_text(response.error_message, "no");
    kl_expect_bytes(response.auth_bytes.data, response.auth_bytes.len, "02");
    assert_int_equal(response.session_lifetime_ms, 3);
    RESPONSE(SASL_AUTHENTICATE, 0, "003a ffff 00000001 02", &response);
    assert_null(response.error_message.data);
    assert_int_equal(response.session_lifetime_ms, 0);
    INIT_RESPONSE(SASL_AUTHENTICATE, &response);
    assert_int_equal(response.error_code, 0);
    kl_expect_text(response.error_message, "");
    assert_non_null(response.auth_bytes.data);
    assert_int_equal(response.auth_bytes.len, 0);
    assert_int_equal(response.session_lifetime_ms, 0);
}

/* ---- FindCoordinator ---- */

static void find_coordinator_request(void **state)
{
    (void)state;
    kloop_find_coordinator_request m;
    kloop_string key;
    REQUEST(FIND_COORDINATOR, 3, "02 6b 01 00", &m);
    kl_expect_text(m.key, "k");
    assert_int_equal(m.key_type, 1);
    expect_array(&m.coordinator_keys, 0);
    REQUEST(FIND_COORDINATOR, 6, "01 03 02 61 02 62 00", &m);
    kl_expect_text(m.key, "");
    assert_int_equal(m.key_type, 1);
    expect_array(&m.coordinator_keys, 2);
    ELEMENT_AT(&m.coordinator_keys, 1, &key);
    kl_expect_text(key, "b");
    INIT_REQUEST(FIND_COORDINATOR, &m);
    kl_expect_text(m.key, "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(m.key_type, 0);
        expect_array(&m.coordinator_keys, 0);
        REQUEST(FIND_COORDINATOR, 0, "0001 6b", &m);
    }
}

static void find_coordinator_response(void **state)
{
    (void)state;
    kloop_find_coordinator_response m;
    kloop_coordinator found;
    RESPONSE(FIND_COORDINATOR, 3, "00000001 0002 02 65 00000003 02 68 00000004 00", &m);
    assert_int_equal(m.throttle_time_ms, 1);
    assert_int_equal(m.error_code, 2);
    kl_expect_text(m.error_message, "e");
    assert_int_equal(m.node_id, 3);
    kl_expect_text(m.host, "h");
    assert_int_equal(m.port, 4);
    expect_array(&m.coordinators, 0);
    RESPONSE(FIND_COORDINATOR, 0, "0002 00000003 0001 68 00000004", &m);
    assert_int_equal(m.throttle_time_ms, 0);
    assert_int_equal(m.error_code, 2);
    kl_expect_text(m.error_message, "");
    assert_int_equal(m.port, 4);

    RESPONSE(FIND_COORDINATOR, 6, "00000001 02 02 6b 00000003 02 68 00000004 0002 02 65 00 00", &m);
    expect_array(&m.coordinators, 1);
    ELEMENT_AT(&m.coordinators, 0, &found);
    kl_expect_text(found.key, "k");
    assert_int_equal(found.node_id, 3);
    kl_expect_text(found.host, "h");
    assert_int_equal(found.port, 4);
    assert_int_equal(found.error_code, 2);
    kl_expect_text(found.error_message, "e");
    assert_int_equal(m.throttle_time_ms, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(m.error_code, 0);
        kl_expect_text(m.error_message, "");
        assert_int_equal(m.node_id, 0);
        kl_expect_text(m.host, "");
        assert_int_equal(m.port, 0);
        INIT_RESPONSE(FIND_COORDINATOR, &m);
    }
    assert_int_equal(m.throttle_time_ms, 0);
    expect_array(&m.coordinators, 0);
}

/* ---- Headers ---- */

static void headers(void **state)
{
    (void)state;
    kloop_request_header request;
    REQUEST(REQUEST_HEADER, 2, "0001 0002 00000003 0001 63 00", &request);
    assert_int_equal(request.api_key, 1);
    assert_int_equal(request.api_version, 2);
    assert_int_equal(request.correlation_id, 3);
    kl_expect_text(request.client_id, "c");
    REQUEST(REQUEST_HEADER, 1, "0001 0002 00000003 ffff", &request);
    assert_null(request.client_id.data);
    INIT_REQUEST(REQUEST_HEADER, &request);
    assert_int_equal(request.api_key, 0);
    assert_int_equal(request.api_version, 0);
    assert_int_equal(request.correlation_id, 0);
    kl_expect_text(request.client_id, "");

    kloop_response_header response;
    RESPONSE(RESPONSE_HEADER, 1, "00000003 00", &response);
    assert_int_equal(response.correlation_id, 3);
    INIT_RESPONSE(RESPONSE_HEADER, &response);
    assert_int_equal(response.correlation_id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_versions_request),
        cmocka_unit_test(api_versions_response),
        cmocka_unit_test(metadata_request),
        cmocka_unit_test(metadata_response),
        cmocka_unit_test(init_producer_id_request),
        cmocka_unit_test(init_producer_id_response),
        cmocka_unit_test(produce_request),
        cmocka_unit_test(produce_response),
        cmocka_unit_test(sasl_handshake),
        cmocka_unit_test(sasl_authenticate),
        cmocka_unit_test(find_coordinator_request),
        cmocka_unit_test(find_coordinator_response),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
