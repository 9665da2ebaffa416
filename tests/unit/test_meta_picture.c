/* SPDX-License-Identifier: BSD-2-Clause */
/* An answer to Metadata, put in order: sorted, counted, with what is missing. */
#include "cli/meta_picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int32_t nodes[] = {3, 1, 2};

static kloop_metadata_partition partition(int32_t index, int32_t leader, int32_t replicas,
                                          int32_t isr, int32_t offline)
{
    return (kloop_metadata_partition){.partition_index = index,
                                      .leader_id = leader,
                                      .replica_nodes = kloop_array_of(nodes, replicas),
                                      .isr_nodes = kloop_array_of(nodes, isr),
                                      .offline_replicas = kloop_array_of(nodes, offline)};
}

typedef struct world {
    kl_dialog_config config;
    kl_dialog *origin;
    kloop_metadata_broker brokers[2];
    kloop_metadata_partition partitions[3];
    kloop_metadata_topic topics[3];
    kl_meta_answer answer;
    kl_meta_question question;
} world;

static void make(world *w)
{
    *w = (world){.config = {.client_id = kloop_text("me"), .version_max = ""}};
    /* Where it leads to does not matter. */
    w->origin = kl_dialog_new(&w->config, "127.0.0.1", 9);
    assert_non_null(w->origin);
    w->brokers[0] = (kloop_metadata_broker){.node_id = 7, .host = kloop_text("b"), .port = 9092};
    w->brokers[1] =
        (kloop_metadata_broker){.node_id = 2, .host = kloop_text("127.0.0.1"), .port = 9};
    w->partitions[0] = partition(2, -1, 3, 1, 2);
    w->partitions[1] = partition(0, 3, 3, 3, 0);
    w->partitions[2] = partition(1, 3, 3, 2, 1);
    w->topics[0] = (kloop_metadata_topic){.name = kloop_text("bb")};
    w->topics[0].partitions = kloop_array_of(w->partitions, 3);
    w->topics[1] = (kloop_metadata_topic){.name = kloop_text("b"), .error_code = 29};
    w->topics[2] = (kloop_metadata_topic){.name = kloop_text("a")};
    w->answer.origin = w->origin;
    w->answer.metadata.brokers = kloop_array_of(w->brokers, 2);
    w->answer.metadata.topics = kloop_array_of(w->topics, 3);
    w->answer.metadata.controller_id = 7;
}

static void unmake(world *w)
{
    kl_dialog_del(w->origin);
}

static void expect_name(const kl_meta_topic *t, const char *name)
{
    assert_int_equal(t->it.name.len, strlen(name));
    assert_memory_equal(t->it.name.data, name, strlen(name));
}

static void test_order_and_marks(void **state)
{
    world w;
    kl_meta_picture p;
    (void)state;
    make(&w);
    assert_true(kl_meta_picture_make(&p, &w.question, &w.answer));
    assert_int_equal(p.broker_count, 2);
    assert_int_equal(p.brokers[0].it.node_id, 2);
    assert_int_equal(p.origin_id, 2);
    assert_string_equal(p.origin, "127.0.0.1:9/2");
    assert_null(p.asked);
    assert_int_equal(p.topic_count, 3);
    expect_name(&p.topics[0], "a");
    expect_name(&p.topics[1], "b");
    expect_name(&p.topics[2], "bb");
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(p.topics[2].partitions[i].it.partition_index, i);
    assert_false(p.topics[2].partitions[0].under_replicated);
    assert_true(p.topics[2].partitions[1].under_replicated);
    assert_true(p.topics[2].partitions[2].leaderless);
    assert_int_equal(p.partition_count, 3);
    assert_int_equal(p.leaderless_count, 1);
    assert_int_equal(p.under_replicated_count, 2);
    assert_int_equal(p.offline_count, 2);
    assert_int_equal(p.refused_topic_count, 1);
    kl_meta_picture_deinit(&p);
    unmake(&w);
}

/* An old broker is asked for all topics, so that none is made: the others are left out, and those
 * that are missing are added. */
static void test_topics_that_were_named(void **state)
{
    static const char *const names[] = {"bb", "zz", "0"};
    world w;
    kl_meta_picture p;
    (void)state;
    make(&w);
    w.question.topics = names;
    w.question.topic_count = 3;
    w.answer.asked_all = true;
    assert_true(kl_meta_picture_make(&p, &w.question, &w.answer));
    assert_string_equal(p.asked, "bb,zz,0");
    assert_int_equal(p.topic_count, 3);
    expect_name(&p.topics[0], "0");
    assert_int_equal(p.topics[0].it.error_code, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    expect_name(&p.topics[1], "bb");
    assert_int_equal(p.topics[1].partition_count, 3);
    expect_name(&p.topics[2], "zz");
    assert_int_equal(p.refused_topic_count, 2);
    kl_meta_picture_deinit(&p);
    unmake(&w);
}

static void test_an_origin_that_is_not_in_the_list(void **state)
{
    world w;
    kl_meta_picture p;
    (void)state;
    make(&w);
    w.answer.metadata.brokers = kloop_array_of(w.brokers, 1);
    assert_true(kl_meta_picture_make(&p, &w.question, &w.answer));
    assert_int_equal(p.origin_id, -1);
    assert_string_equal(p.origin, "127.0.0.1:9/bootstrap");
    kl_meta_picture_deinit(&p);
    unmake(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_marks),
        cmocka_unit_test(test_topics_that_were_named),
        cmocka_unit_test(test_an_origin_that_is_not_in_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
