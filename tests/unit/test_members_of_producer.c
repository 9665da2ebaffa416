/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which member of which struct a field lands in, in the messages that are a producer's own:
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

/* ---- InitProducerId ---- */

static void init_producer_id_request(void **state)
{
    (void)state;
    kloop_init_producer_id_request m;
    KL_EXPECT_REQUEST(INIT_PRODUCER_ID, 6, "02 78 00000001 0000000000000002 0003 01 00 00", &m);
    kl_expect_text(m.transactional_id, "x");
    assert_int_equal(m.transaction_timeout_ms, 1);
    assert_int_equal(m.producer_id, 2);
    assert_int_equal(m.producer_epoch, 3);
    assert_true(m.enable_2pc);
    assert_false(m.keep_prepared_txn);
    KL_EXPECT_REQUEST(INIT_PRODUCER_ID, 6, "00 00000001 0000000000000002 0003 00 01 00", &m);
    assert_null(m.transactional_id.data);
    assert_false(m.enable_2pc);
    assert_true(m.keep_prepared_txn);
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            KL_EXPECT_INIT(INIT_PRODUCER_ID, REQUEST, &m);
            /* Nullable, and "" all the same: so says the specification. */
            kl_expect_text(m.transactional_id, "");
            assert_int_equal(m.transaction_timeout_ms, 0);
        } else {
            KL_EXPECT_REQUEST(INIT_PRODUCER_ID, 0, "ffff 00000001", &m);
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
    KL_EXPECT_RESPONSE(INIT_PRODUCER_ID, 6,
                       "00000001 0002 0000000000000003 0004 0000000000000005 0006 00", &m);
    assert_int_equal(m.throttle_time_ms, 1);
    assert_int_equal(m.error_code, 2);
    assert_int_equal(m.producer_id, 3);
    assert_int_equal(m.producer_epoch, 4);
    assert_int_equal(m.ongoing_txn_producer_id, 5);
    assert_int_equal(m.ongoing_txn_producer_epoch, 6);
    KL_EXPECT_INIT(INIT_PRODUCER_ID, RESPONSE, &m);
    assert_int_equal(m.throttle_time_ms, 0);
    assert_int_equal(m.error_code, 0);
    assert_int_equal(m.producer_id, -1);
    assert_int_equal(m.producer_epoch, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(m.ongoing_txn_producer_id, -1);
        assert_int_equal(m.ongoing_txn_producer_epoch, -1);
        KL_EXPECT_RESPONSE(INIT_PRODUCER_ID, 0, "00000001 0002 0000000000000003 0004", &m);
    }
}

/* ---- Produce ---- */

static void produce_request(void **state)
{
    (void)state;
    kloop_produce_request m;
    kloop_produce_topic topic;
    kloop_produce_partition partition;
    KL_EXPECT_REQUEST(PRODUCE, 12,
                      "02 78 ffff 00000002 02 02 74 03 00000003 03 0001 00 00000004 00 00 00 00",
                      &m);
    kl_expect_text(m.transactional_id, "x");
    assert_int_equal(m.acks, -1);
    assert_int_equal(m.timeout_ms, 2);
    assert_int_equal(m.topic_data.count, 1);
    KL_EXPECT_ELEMENT(&m.topic_data, 0, &topic);
    kl_expect_text(topic.name, "t");
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    assert_int_equal(topic.partition_data.count, 2);
    KL_EXPECT_ELEMENT(&topic.partition_data, 0, &partition);
    assert_int_equal(partition.index, 3);
    kl_expect_bytes(partition.records.head.data, partition.records.head.len, "0001");
    assert_null(partition.records.body);
    assert_int_equal(partition.records.body_count, 0);
    KL_EXPECT_ELEMENT(&topic.partition_data, 1, &partition);
    assert_int_equal(partition.index, 4);
    assert_null(partition.records.head.data);

    KL_EXPECT_REQUEST(PRODUCE, 13, "00 0001 00000002 02 " KL_SOME_ID " 01 00 00", &m);
    assert_null(m.transactional_id.data);
    KL_EXPECT_ELEMENT(&m.topic_data, 0, &topic);
    kl_expect_text(topic.name, "");
    kl_expect_id(&topic.topic_id, KL_SOME_ID);
    assert_int_equal(topic.partition_data.count, 0);

    KL_EXPECT_REQUEST(PRODUCE, 3,
                      "ffff 0001 00000002 00000001 0001 74 00000001 00000003 00000002 0001", &m);
    KL_EXPECT_ELEMENT(&m.topic_data, 0, &topic);
    kl_expect_text(topic.name, "t");
    kl_expect_id(&topic.topic_id, KL_NO_ID);

    KL_EXPECT_INIT(PRODUCE, REQUEST, &m);
    assert_null(m.transactional_id.data);
    assert_int_equal(m.acks, 0);
    assert_int_equal(m.timeout_ms, 0);
    assert_int_equal(m.topic_data.count, 0);
}

static void produce_response(void **state)
{
    (void)state;
    kloop_produce_response m;
    kloop_produce_topic_response topic;
    kloop_produce_partition_response partition;
    kloop_record_error error;
    kloop_node_endpoint node;
    KL_EXPECT_RESPONSE(
        PRODUCE, 12,
        "02 02 74 02 00000001 0002 0000000000000003 0000000000000004 0000000000000005"
        "03 00000006 04 626164 00 00000007 00 00 02 65"
        "01 00 09 00000008 00000009 00 00"
        "0000000a 01 00 0e 02 0000000b 02 68 0000000c 02 72 00",
        &m);
    assert_int_equal(m.responses.count, 1);
    KL_EXPECT_ELEMENT(&m.responses, 0, &topic);
    kl_expect_text(topic.name, "t");
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    assert_int_equal(topic.partition_responses.count, 1);
    KL_EXPECT_ELEMENT(&topic.partition_responses, 0, &partition);
    assert_int_equal(partition.index, 1);
    assert_int_equal(partition.error_code, 2);
    assert_int_equal(partition.base_offset, 3);
    assert_int_equal(partition.log_append_time_ms, 4);
    assert_int_equal(partition.log_start_offset, 5);
    assert_int_equal(partition.record_errors.count, 2);
    KL_EXPECT_ELEMENT(&partition.record_errors, 0, &error);
    assert_int_equal(error.batch_index, 6);
    kl_expect_text(error.batch_index_error_message, "bad");
    KL_EXPECT_ELEMENT(&partition.record_errors, 1, &error);
    assert_int_equal(error.batch_index, 7);
    assert_null(error.batch_index_error_message.data);
    kl_expect_text(partition.error_message, "e");
    assert_int_equal(partition.current_leader.leader_id, 8);
    assert_int_equal(partition.current_leader.leader_epoch, 9);
    assert_int_equal(m.throttle_time_ms, 10);
    assert_int_equal(m.node_endpoints.count, 1);
    KL_EXPECT_ELEMENT(&m.node_endpoints, 0, &node);
    assert_int_equal(node.node_id, 11);
    kl_expect_text(node.host, "h");
    assert_int_equal(node.port, 12);
    kl_expect_text(node.rack, "r");

    KL_EXPECT_RESPONSE(PRODUCE, 13, "02 " KL_SOME_ID " 01 00 0000000a 00", &m);
    KL_EXPECT_ELEMENT(&m.responses, 0, &topic);
    kl_expect_text(topic.name, "");
    kl_expect_id(&topic.topic_id, KL_SOME_ID);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            KL_EXPECT_INIT(PRODUCE, RESPONSE, &m);
        else
            KL_EXPECT_RESPONSE(
                PRODUCE, 3,
                "00000001 0001 74 00000001 00000001 0002 0000000000000003 0000000000000004"
                "0000000a",
                &m);
        assert_int_equal(m.responses.count, i);
        assert_int_equal(m.throttle_time_ms, 10 * i);
        assert_int_equal(m.node_endpoints.count, 0);
    }
    KL_EXPECT_ELEMENT(&m.responses, 0, &topic);
    kl_expect_id(&topic.topic_id, KL_NO_ID);
    KL_EXPECT_ELEMENT(&topic.partition_responses, 0, &partition);
    assert_int_equal(partition.log_append_time_ms, 4);
    assert_int_equal(partition.log_start_offset, -1);
    assert_int_equal(partition.record_errors.count, 0);
    assert_null(partition.error_message.data);
    assert_int_equal(partition.current_leader.leader_id, -1);
    assert_int_equal(partition.current_leader.leader_epoch, -1);
}

/* ---- SASL ---- */

static void sasl_handshake(void **state)
{
    (void)state;
    kloop_sasl_handshake_request request;
    KL_EXPECT_REQUEST(SASL_HANDSHAKE, 1, "0005 504c41494e", &request);
    kl_expect_text(request.mechanism, "PLAIN");
    KL_EXPECT_INIT(SASL_HANDSHAKE, REQUEST, &request);
    kl_expect_text(request.mechanism, "");

    kloop_sasl_handshake_response response;
    kloop_string name;
    KL_EXPECT_RESPONSE(SASL_HANDSHAKE, 1, "0021 00000002 0001 41 0001 42", &response);
    assert_int_equal(response.error_code, 33);
    assert_int_equal(response.mechanisms.count, 2);
    KL_EXPECT_ELEMENT(&response.mechanisms, 0, &name);
    kl_expect_text(name, "A");
    KL_EXPECT_ELEMENT(&response.mechanisms, 1, &name);
    kl_expect_text(name, "B");
    KL_EXPECT_INIT(SASL_HANDSHAKE, RESPONSE, &response);
    assert_int_equal(response.error_code, 0);
    assert_int_equal(response.mechanisms.count, 0);
}

static void sasl_authenticate(void **state)
{
    (void)state;
    kloop_sasl_authenticate_request request;
    KL_EXPECT_REQUEST(SASL_AUTHENTICATE, 2, "03 0001 00", &request);
    kl_expect_bytes(request.auth_bytes.data, request.auth_bytes.len, "0001");
    KL_EXPECT_INIT(SASL_AUTHENTICATE, REQUEST, &request);
    assert_non_null(request.auth_bytes.data);
    assert_int_equal(request.auth_bytes.len, 0);

    kloop_sasl_authenticate_response response;
    KL_EXPECT_RESPONSE(SASL_AUTHENTICATE, 2, "003a 03 6e6f 02 02 0000000000000003 00", &response);
    assert_int_equal(response.error_code, 58);
    kl_expect_text(response.error_message, "no");
    kl_expect_bytes(response.auth_bytes.data, response.auth_bytes.len, "02");
    assert_int_equal(response.session_lifetime_ms, 3);
    KL_EXPECT_RESPONSE(SASL_AUTHENTICATE, 0, "003a ffff 00000001 02", &response);
    assert_null(response.error_message.data);
    assert_int_equal(response.session_lifetime_ms, 0);
    KL_EXPECT_INIT(SASL_AUTHENTICATE, RESPONSE, &response);
    assert_int_equal(response.error_code, 0);
    kl_expect_text(response.error_message, "");
    assert_non_null(response.auth_bytes.data);
    assert_int_equal(response.auth_bytes.len, 0);
    assert_int_equal(response.session_lifetime_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_producer_id_request), cmocka_unit_test(init_producer_id_response),
        cmocka_unit_test(produce_request),          cmocka_unit_test(produce_response),
        cmocka_unit_test(sasl_handshake),           cmocka_unit_test(sasl_authenticate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
