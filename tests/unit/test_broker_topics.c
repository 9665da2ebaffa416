/* SPDX-License-Identifier: BSD-2-Clause */
/* Topics and brokers as things that are made, grow and go. */
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_cluster_status add(kl_cluster *c, const char *name, int32_t partitions, int16_t replicas)
{
    int32_t topic;
    kl_topic_config config = {
        .name = name, .partitions = partitions, .replication_factor = replicas};
    return kl_cluster_add_topic(c, &config, &topic);
}

static void names_have_rules(void **state)
{
    (void)state;
    char longest[251];
    memset(longest, 'a', sizeof longest);
    assert_true(kl_cluster_name_is_legal("a.b_c-D9", 8));
    assert_true(kl_cluster_name_is_legal("...", 3));
    assert_true(kl_cluster_name_is_legal(longest, 249));
    assert_false(kl_cluster_name_is_legal(longest, 250));
    assert_false(kl_cluster_name_is_legal("", 0));
    assert_false(kl_cluster_name_is_legal(".", 1));
    assert_false(kl_cluster_name_is_legal("..", 2));
    assert_false(kl_cluster_name_is_legal("a b", 3));
    assert_false(kl_cluster_name_is_legal("a/b", 3));
}

static void topics_that_cannot_be_are_refused(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(2);
    kl_cluster *c = kl_client_cluster(&config);
    assert_int_equal(add(c, "bad name", 1, 1), KL_CLUSTER_BAD_NAME);
    assert_int_equal(add(c, "t", 0, 1), KL_CLUSTER_BAD_COUNT);
    assert_int_equal(add(c, "t", 1, 0), KL_CLUSTER_BAD_COUNT);
    assert_int_equal(add(c, "t", 1, 3), KL_CLUSTER_BAD_COUNT);
    assert_int_equal(add(c, "t", 1, 2), KL_CLUSTER_OK);
    assert_int_equal(add(c, "t", 1, 2), KL_CLUSTER_EXISTS);
    assert_int_equal(kl_cluster_add_broker(c, 2), KL_CLUSTER_EXISTS);
    assert_int_equal(kl_cluster_topic_count(c), 1);
    kl_cluster_del(c);
    config.discard = true;
    c = kl_client_cluster(&config);
    assert_int_equal(add(c, "t", 1, 2), KL_CLUSTER_BAD_COUNT);
    kl_cluster_del(c);
}

static void handles_and_ids_stay(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    kl_topic_info first, again;
    assert_int_equal(kl_cluster_find_topic(c, "t", 1), KL_NO_TOPIC);
    assert_int_equal(kl_client_topic(c, "t", 2, 1), 0);
    assert_int_equal(kl_cluster_find_topic(c, "t", 1), 0);
    kl_cluster_topic_info(c, 0, &first);
    assert_false(first.deleted);
    kl_cluster_delete_topic(c, 0, 0);
    assert_int_equal(kl_cluster_find_topic(c, "t", 1), KL_NO_TOPIC);
    assert_int_equal(kl_client_topic(c, "t", 3, 1), 1);
    kl_cluster_topic_info(c, 1, &again);
    assert_memory_not_equal(&first.id, &again.id, sizeof first.id);
    assert_int_equal(again.partitions, 3);
    kl_cluster_topic_info(c, 0, &first);
    assert_true(first.deleted);
    assert_int_equal(first.partitions, 2);
    kl_partition_info p;
    kl_cluster_partition_info(c, 0, 1, &p);
    assert_int_equal(p.leader, KL_NO_NODE);
    assert_int_equal(p.isr_count, 0);
    kl_cluster_del(c);
}

static void replicas_are_spread(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(3);
    kl_cluster *c = kl_client_cluster(&config);
    int32_t topic = kl_client_topic(c, "t", 4, 2);
    for (int32_t i = 0; i < 4; i++) {
        kl_partition_info p;
        kl_cluster_partition_info(c, topic, i, &p);
        assert_int_equal(p.replica_count, 2);
        assert_int_equal(p.replicas[0], 1 + i % 3);
        assert_int_equal(p.replicas[1], 1 + (i + 1) % 3);
        assert_int_equal(p.leader, 1 + i % 3);
        assert_int_equal(p.leader_epoch, 0);
        assert_int_equal(p.isr_count, 2);
    }
    kl_cluster_del(c);
}

static void growing_leaves_the_old_partitions_alone(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(3);
    kl_cluster *c = kl_client_cluster(&config);
    int32_t topic = kl_client_topic(c, "t", 2, 3);
    kl_client a;
    kl_client_open(&a, c, 2);
    kloop_slice batch = kl_client_batch(&(kl_client_batch_spec){.count = 3});
    assert_int_equal(kl_client_put(&a, "t", 1, batch), 0);
    assert_int_equal(kl_client_put(&a, "t", 4, batch), KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(kl_cluster_grow_topic(c, topic, 2), KL_CLUSTER_BAD_COUNT);
    assert_int_equal(kl_cluster_grow_topic(c, topic, 5), KL_CLUSTER_OK);
    assert_int_equal(kl_client_put(&a, "t", 4, batch), 0);
    assert_int_equal(kl_client_put(&a, "t", 1, batch), 0);
    assert_int_equal(a.produced_partition.base_offset, 3);
    kl_partition_info p;
    kl_cluster_partition_info(c, topic, 4, &p);
    assert_int_equal(p.leader, 2);
    assert_int_equal(p.high_watermark, 3);
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void brokers_can_be_added(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    for (int32_t id = 10; id < 20; id++)
        assert_int_equal(kl_cluster_add_broker(c, id), KL_CLUSTER_OK);
    assert_true(kl_cluster_broker_is_up(c, 19));
    int32_t topic = kl_client_topic(c, "t", 1, 11);
    kl_partition_info p;
    kl_cluster_partition_info(c, topic, 0, &p);
    assert_int_equal(p.replica_count, 11);
    assert_int_equal(p.replicas[10], 19);
    kl_client a;
    kl_client_open(&a, c, 1);
    assert_int_equal(
        kl_client_put(&a, "t", 0, kl_client_batch(&(kl_client_batch_spec){.count = 1})), 0);
    assert_int_equal(kl_cluster_log_count(c, topic, 0, 19), 1);
    kl_client_close(&a);
    kl_cluster_del(c);
}

static void complaints_are_kept_up_to_a_number(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(1);
    kl_cluster *c = kl_client_cluster(&config);
    for (int i = 0; i < KL_COMPLAINTS_MAX + 10; i++) {
        kl_client a;
        kl_client_open(&a, c, 1);
        kl_client_send_raw(&a, "\0\0\0\0", 4);
        kl_client_close(&a);
    }
    assert_int_equal(kl_cluster_complaints(c, KL_COMPLAINT_PROTOCOL), KL_COMPLAINTS_MAX + 10);
    assert_non_null(kl_cluster_complaint(c, KL_COMPLAINTS_MAX - 1, NULL));
    assert_null(kl_cluster_complaint(c, KL_COMPLAINTS_MAX, NULL));
    kl_cluster_del(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_rules),
        cmocka_unit_test(topics_that_cannot_be_are_refused),
        cmocka_unit_test(handles_and_ids_stay),
        cmocka_unit_test(replicas_are_spread),
        cmocka_unit_test(growing_leaves_the_old_partitions_alone),
        cmocka_unit_test(brokers_can_be_added),
        cmocka_unit_test(complaints_are_kept_up_to_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
