/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which member of which struct a field lands in, in the messages that tell of the cluster:
 * hand-made bytes with a different value for each field. And what the members are that no bytes
 * were there for: after kloop_message_init, and after decoding a version that has fewer fields.
 */
#include "tests/support/expect_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- ApiVersions ---- */

static void api_versions_request(void **state)
{
    (void)state;
    kloop_api_versions_request m;
    KL_EXPECT_REQUEST(API_VERSIONS, 4, "06 6b6c6f6f70 04 302e31 00", &m);
    kl_expect_text(m.client_software_name, "kloop");
    kl_expect_text(m.client_software_version, "0.1");
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            KL_EXPECT_INIT(API_VERSIONS, REQUEST, &m);
        else
            KL_EXPECT_REQUEST(API_VERSIONS, 0, "", &m);
        kl_expect_text(m.client_software_name, "");
        kl_expect_text(m.client_software_version, "");
    }
}

static void api_versions_response(void **state)
{
    (void)state;
    kloop_api_versions_response m;
    kloop_api_version api;
    KL_EXPECT_RESPONSE(API_VERSIONS, 4,
                       "0023 03 0001 0002 0003 00 0004 0005 0006 00 00000007 04"
                       "00 08 02 02 73 0008 0009 00"
                       "01 08 000000000000000a"
                       "02 08 02 02 66 000c 000b 00"
                       "03 01 01",
                       &m);
    assert_int_equal(m.error_code, 35);
    assert_int_equal(m.api_keys.count, 2);
    KL_EXPECT_ELEMENT(&m.api_keys, 0, &api);
    assert_int_equal(api.api_key, 1);
    assert_int_equal(api.min_version, 2);
    assert_int_equal(api.max_version, 3);
    KL_EXPECT_ELEMENT(&m.api_keys, 1, &api);
    assert_int_equal(api.api_key, 4);
    assert_int_equal(api.min_version, 5);
    assert_int_equal(api.max_version, 6);
    assert_int_equal(m.throttle_time_ms, 7);
    kloop_supported_feature supported;
    assert_int_equal(m.supported_features.count, 1);
    KL_EXPECT_ELEMENT(&m.supported_features, 0, &supported);
    kl_expect_text(supported.name, "s");
    assert_int_equal(supported.min_version, 8);
    assert_int_equal(supported.max_version, 9);
    assert_int_equal(m.finalized_features_epoch, 10);
    kloop_finalized_feature finalized;
    assert_int_equal(m.finalized_features.count, 1);
    KL_EXPECT_ELEMENT(&m.finalized_features, 0, &finalized);
    kl_expect_text(finalized.name, "f");
    assert_int_equal(finalized.max_version_level, 12);
    assert_int_equal(finalized.min_version_level, 11);
    assert_true(m.zk_migration_ready);

    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            KL_EXPECT_INIT(API_VERSIONS, RESPONSE, &m);
            assert_int_equal(m.error_code, 0);
            assert_int_equal(m.api_keys.count, 0);
        } else {
            KL_EXPECT_RESPONSE(API_VERSIONS, 0, "0023 00000001 0001 0002 0003", &m);
            assert_int_equal(m.error_code, 35);
            assert_int_equal(m.api_keys.count, 1);
        }
        assert_int_equal(m.throttle_time_ms, 0);
        assert_int_equal(m.supported_features.count, 0);
        assert_int_equal(m.finalized_features_epoch, -1);
        assert_int_equal(m.finalized_features.count, 0);
        assert_false(m.zk_migration_ready);
    }
}

/* ---- Metadata ---- */

static void metadata_request(void **state)
{
    (void)state;
    kloop_metadata_request m;
    kloop_metadata_request_topic topic;
    KL_EXPECT_REQUEST(METADATA, 13, "03 " KL_SOME_ID " 02 74 00 " KL_NO_ID " 00 00 00 01 00", &m);
    assert_int_equal(m.topics.count, 2);
    KL_EXPECT_ELEMENT(&m.topics, 0, &topic);
    kl_expect_id(&topic.topic_id, KL_SOME_ID);
    kl_expect_text(topic.name, "t");
    KL_EXPECT_ELEMENT(&m.topics, 1, &topic);
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    assert_null(topic.name.data);
    assert_false(m.allow_auto_topic_creation);
    assert_false(m.include_cluster_authorized_operations);
    assert_true(m.include_topic_authorized_operations);

    KL_EXPECT_REQUEST(METADATA, 8, "00000001 0001 74 00 01 00", &m);
    KL_EXPECT_ELEMENT(&m.topics, 0, &topic);
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    kl_expect_text(topic.name, "t");
    assert_false(m.allow_auto_topic_creation);
    assert_true(m.include_cluster_authorized_operations);
    assert_false(m.include_topic_authorized_operations);

    KL_EXPECT_REQUEST(METADATA, 1, "ffffffff", &m);
    assert_int_equal(m.topics.count, -1);
    assert_true(m.allow_auto_topic_creation);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            KL_EXPECT_INIT(METADATA, REQUEST, &m);
        else
            KL_EXPECT_REQUEST(METADATA, 0, "00000001 0001 74", &m);
        assert_int_equal(m.topics.count, i);
        assert_true(m.allow_auto_topic_creation);
        assert_false(m.include_cluster_authorized_operations);
        assert_false(m.include_topic_authorized_operations);
    }
    KL_EXPECT_ELEMENT(&m.topics, 0, &topic);
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    kl_expect_text(topic.name, "t");
}

static void metadata_response(void **state)
{
    (void)state;
    kloop_metadata_response m;
    kloop_metadata_broker broker;
    kloop_metadata_topic topic;
    kloop_metadata_partition partition;
    KL_EXPECT_RESPONSE(METADATA, 10,
                       "00000001 02 00000002 02 68 00000003 02 72 00 02 63 00000004"
                       "02 0005 02 74 " KL_SOME_ID " 01"
                       "02 0006 00000007 00000008 00000009"
                       "03 0000000a 0000000b 02 0000000c 04 0000000d 0000000e 0000000f 00"
                       "00000010 00 00000011 00",
                       &m);
    assert_int_equal(m.throttle_time_ms, 1);
    assert_int_equal(m.brokers.count, 1);
    KL_EXPECT_ELEMENT(&m.brokers, 0, &broker);
    assert_int_equal(broker.node_id, 2);
    kl_expect_text(broker.host, "h");
    assert_int_equal(broker.port, 3);
    kl_expect_text(broker.rack, "r");
    kl_expect_text(m.cluster_id, "c");
    assert_int_equal(m.controller_id, 4);
    assert_int_equal(m.topics.count, 1);
    KL_EXPECT_ELEMENT(&m.topics, 0, &topic);
    assert_int_equal(topic.error_code, 5);
    kl_expect_text(topic.name, "t");
    kl_expect_id(&topic.topic_id, KL_SOME_ID);
    assert_true(topic.is_internal);
    assert_int_equal(topic.partitions.count, 1);
    KL_EXPECT_ELEMENT(&topic.partitions, 0, &partition);
    assert_int_equal(partition.error_code, 6);
    assert_int_equal(partition.partition_index, 7);
    assert_int_equal(partition.leader_id, 8);
    assert_int_equal(partition.leader_epoch, 9);
    assert_int_equal(partition.replica_nodes.count, 2);
    kl_expect_number(&partition.replica_nodes, 0, 10);
    kl_expect_number(&partition.replica_nodes, 1, 11);
    assert_int_equal(partition.isr_nodes.count, 1);
    kl_expect_number(&partition.isr_nodes, 0, 12);
    assert_int_equal(partition.offline_replicas.count, 3);
    kl_expect_number(&partition.offline_replicas, 2, 15);
    assert_int_equal(topic.topic_authorized_operations, 16);
    assert_int_equal(m.cluster_authorized_operations, 17);
    assert_int_equal(m.error_code, 0);

    KL_EXPECT_RESPONSE(METADATA, 13, "00000001 01 00 00000004 01 0012 00", &m);
    assert_int_equal(m.brokers.count, 0);
    assert_null(m.cluster_id.data);
    assert_int_equal(m.error_code, 18);
    assert_int_equal(m.cluster_authorized_operations, INT32_MIN);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            KL_EXPECT_INIT(METADATA, RESPONSE, &m);
        else
            KL_EXPECT_RESPONSE(
                METADATA, 0,
                "00000001 00000002 0001 68 00000003"
                "00000001 0005 0001 74"
                "00000001 0006 00000007 00000008 00000002 0000000a 0000000b 00000001 0000000c",
                &m);
        assert_int_equal(m.brokers.count, i);
        assert_int_equal(m.topics.count, i);
        assert_int_equal(m.throttle_time_ms, 0);
        assert_null(m.cluster_id.data);
        assert_int_equal(m.controller_id, -1);
        assert_int_equal(m.cluster_authorized_operations, INT32_MIN);
        assert_int_equal(m.error_code, 0);
    }
    KL_EXPECT_ELEMENT(&m.brokers, 0, &broker);
    assert_int_equal(broker.port, 3);
    assert_null(broker.rack.data);
    KL_EXPECT_ELEMENT(&m.topics, 0, &topic);
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    assert_false(topic.is_internal);
    assert_int_equal(topic.topic_authorized_operations, INT32_MIN);
    KL_EXPECT_ELEMENT(&topic.partitions, 0, &partition);
    assert_int_equal(partition.leader_id, 8);
    assert_int_equal(partition.leader_epoch, -1);
    assert_int_equal(partition.isr_nodes.count, 1);
    assert_int_equal(partition.offline_replicas.count, 0);
}

/* ---- FindCoordinator ---- */

static void find_coordinator_request(void **state)
{
    (void)state;
    kloop_find_coordinator_request m;
    kloop_string key;
    KL_EXPECT_REQUEST(FIND_COORDINATOR, 3, "02 6b 01 00", &m);
    kl_expect_text(m.key, "k");
    assert_int_equal(m.key_type, 1);
    assert_int_equal(m.coordinator_keys.count, 0);
    KL_EXPECT_REQUEST(FIND_COORDINATOR, 6, "01 03 02 61 02 62 00", &m);
    kl_expect_text(m.key, "");
    assert_int_equal(m.key_type, 1);
    assert_int_equal(m.coordinator_keys.count, 2);
    KL_EXPECT_ELEMENT(&m.coordinator_keys, 1, &key);
    kl_expect_text(key, "b");
    KL_EXPECT_INIT(FIND_COORDINATOR, REQUEST, &m);
    kl_expect_text(m.key, "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(m.key_type, 0);
        assert_int_equal(m.coordinator_keys.count, 0);
        KL_EXPECT_REQUEST(FIND_COORDINATOR, 0, "0001 6b", &m);
    }
}

static void find_coordinator_response(void **state)
{
    (void)state;
    kloop_find_coordinator_response m;
    kloop_coordinator found;
    KL_EXPECT_RESPONSE(FIND_COORDINATOR, 3, "00000001 0002 02 65 00000003 02 68 00000004 00", &m);
    assert_int_equal(m.throttle_time_ms, 1);
    assert_int_equal(m.error_code, 2);
    kl_expect_text(m.error_message, "e");
    assert_int_equal(m.node_id, 3);
    kl_expect_text(m.host, "h");
    assert_int_equal(m.port, 4);
    assert_int_equal(m.coordinators.count, 0);
    KL_EXPECT_RESPONSE(FIND_COORDINATOR, 0, "0002 00000003 0001 68 00000004", &m);
    assert_int_equal(m.throttle_time_ms, 0);
    assert_int_equal(m.error_code, 2);
    kl_expect_text(m.error_message, "");
    assert_int_equal(m.port, 4);

    KL_EXPECT_RESPONSE(FIND_COORDINATOR, 6,
                       "00000001 02 02 6b 00000003 02 68 00000004 0002 02 65 00 00", &m);
    assert_int_equal(m.coordinators.count, 1);
    KL_EXPECT_ELEMENT(&m.coordinators, 0, &found);
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
        KL_EXPECT_INIT(FIND_COORDINATOR, RESPONSE, &m);
    }
    assert_int_equal(m.throttle_time_ms, 0);
    assert_int_equal(m.coordinators.count, 0);
}

/* ---- Headers ---- */

static void headers(void **state)
{
    (void)state;
    kloop_request_header request;
    KL_EXPECT_REQUEST(REQUEST_HEADER, 2, "0001 0002 00000003 0001 63 00", &request);
    assert_int_equal(request.api_key, 1);
    assert_int_equal(request.api_version, 2);
    assert_int_equal(request.correlation_id, 3);
    kl_expect_text(request.client_id, "c");
    KL_EXPECT_REQUEST(REQUEST_HEADER, 1, "0001 0002 00000003 ffff", &request);
    assert_null(request.client_id.data);
    KL_EXPECT_INIT(REQUEST_HEADER, REQUEST, &request);
    assert_int_equal(request.api_key, 0);
    assert_int_equal(request.api_version, 0);
    assert_int_equal(request.correlation_id, 0);
    kl_expect_text(request.client_id, "");

    kloop_response_header response;
    KL_EXPECT_RESPONSE(RESPONSE_HEADER, 1, "00000003 00", &response);
    assert_int_equal(response.correlation_id, 3);
    KL_EXPECT_INIT(RESPONSE_HEADER, RESPONSE, &response);
    assert_int_equal(response.correlation_id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_versions_request),
        cmocka_unit_test(api_versions_response),
        cmocka_unit_test(metadata_request),
        cmocka_unit_test(metadata_response),
        cmocka_unit_test(find_coordinator_request),
        cmocka_unit_test(find_coordinator_response),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
