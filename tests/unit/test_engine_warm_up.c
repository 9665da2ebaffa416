/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections before there are records: what a warm-up makes, when it is over, and what it says. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;

static void warm_up(kloop_topic *topic, uint64_t timeout_ms, size_t user)
{
    assert_int_equal(kloop_engine_warm_up(h.e, topic, timeout_ms, (void *)(uintptr_t)user, h.now),
                     KLOOP_OK);
}

/* Connecting to this node fails, for so long. */
static void run_without(int node, uint64_t ms)
{
    h.manual_connect = h.dead[node] = true;
    host_sleep_connecting(&h, ms);
    h.manual_connect = h.dead[node] = false;
}

static void leaders_of_a_topic(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 5);
    t->leaders[2] = 1;
    t->leaders[3] = 2;
    t->leaders[4] = 2;
    warm_up(t->handle, 5000, 7);
    assert_true(kloop_engine_busy(h.e));
    host_run(&h);
    host_expect_line(&h, "WARM 7: 5 of 5 partitions led, 2 of 2 brokers ready");
    assert_null(host_find(&h, 3));
    assert_false(kloop_engine_busy(h.e));
    /* The first records need no connection any more. */
    host_forget_lines(&h);
    host_send(&h, t, 0, 1);
    host_send(&h, t, 3, 1);
    host_run(&h);
    host_expect_no_line(&h, "CONNECT");
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 2);
    /* All is warm: that is said at once. */
    warm_up(t->handle, 5000, 8);
    host_pump(&h);
    host_expect_line(&h, "WARM 8: 5 of 5 partitions led, 2 of 2 brokers ready");
    host_end(&h);
}

static void all_brokers(void **state)
{
    (void)state;
    host_new(&h, NULL);
    warm_up(NULL, 5000, 1);
    host_run(&h);
    host_expect_line(&h, "WARM 1: 0 of 0 partitions led, 3 of 3 brokers ready");
    for (int node = 1; node <= 3; node++)
        assert_non_null(host_find(&h, node));
    host_end(&h);
}

/* Who cannot be reached is tried again meanwhile, and named in the end. */
static void one_is_out_of_reach(void **state)
{
    (void)state;
    host_new(&h, NULL);
    warm_up(NULL, 3000, 1);
    run_without(2, 2998);
    host_expect_no_line(&h, "WARM");
    assert_in_range(host_count_lines(&h, "CONNECT b2"), 3, 12);
    run_without(2, 3);
    host_expect_line(&h,
                     "WARM 1: 0 of 0 partitions led, 2 of 3 brokers ready: 1 of 3 brokers are not "
                     "ready; b2:9092: refused");
    host_end(&h);
}

static void it_comes_up_meanwhile(void **state)
{
    (void)state;
    host_new(&h, NULL);
    warm_up(NULL, 10000, 1);
    run_without(2, 1000);
    host_expect_no_line(&h, "WARM");
    host_sleep(&h, 1500);
    host_expect_line(&h, "WARM 1: 0 of 0 partitions led, 3 of 3 brokers ready\n");
    host_end(&h);
}

static void nobody_is_there(void **state)
{
    (void)state;
    host_new(&h, "bootstrap.servers", "b1:9091,b2:9092", NULL);
    h.manual_resolve = true;
    warm_up(NULL, 2000, 1);
    for (int ms = 0; ms < 2001; ms++) {
        host_sleep(&h, 1);
        while (h.resolving_count > 0)
            kloop_engine_on_resolved(h.e, h.resolving[--h.resolving_count], NULL, 0, "no such name",
                                     h.now);
    }
    host_expect_line(&h,
                     "WARM 1: 0 of 0 partitions led, 0 of 0 brokers ready: no broker has told of "
                     "the cluster; ");
    host_expect_line(&h, "b1:9091: the name could not be resolved: no such name; b2:9092: the name "
                         "could not be resolved: no such name");
    host_end(&h);
}

/* A slip of the finger in its name shows here, and not with the first record. */
static void topic_that_never_appears(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "evnets", 1);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    warm_up(t->handle, 2000, 1);
    host_sleep(&h, 1999);
    host_expect_no_line(&h, "WARM");
    host_sleep(&h, 2);
    host_expect_line(&h, "WARM 1: 0 of 0 partitions led, 0 of 0 brokers ready: topic 'evnets': "
                         "UNKNOWN_TOPIC_OR_PARTITION");
    host_end(&h);
}

/* What was refused for good is no matter of patience; and what was refused before is asked again.
 */
static void topic_without_the_right(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->error = KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED;
    warm_up(t->handle, 60000, 1);
    host_sleep(&h, 500);
    host_expect_line(&h, "WARM 1: 0 of 0 partitions led, 0 of 0 brokers ready: topic 't': "
                         "TOPIC_AUTHORIZATION_FAILED");
    t->error = 0;
    host_sleep(&h, 5000);
    warm_up(t->handle, 60000, 2);
    host_sleep(&h, 1500);
    host_expect_line(&h, "WARM 2: 1 of 1 partitions led, 1 of 1 brokers ready\n");
    host_end(&h);
}

static void partition_without_leader(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 3);
    t->leaders[1] = -1;
    warm_up(t->handle, 1000, 1);
    host_sleep(&h, 1001);
    host_expect_line(&h, "WARM 1: 2 of 3 partitions led, 2 of 2 brokers ready: topic 't': 1 of 3 "
                         "partitions have no leader");
    host_end(&h);
}

/* No time at all: how are things? Twice, and what is missing is being made meanwhile. */
static void asked_without_patience(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    warm_up(t->handle, 0, 1);
    host_pump(&h);
    host_expect_line(&h,
                     "WARM 1: 0 of 0 partitions led, 0 of 0 brokers ready: topic 't': no broker "
                     "has told of it\n");
    host_run(&h);
    warm_up(t->handle, 0, 2);
    host_run(&h);
    host_expect_line(&h, "WARM 2: 1 of 1 partitions led, ");
    warm_up(t->handle, 0, 3);
    host_pump(&h);
    host_expect_line(&h, "WARM 3: 1 of 1 partitions led, 1 of 1 brokers ready\n");
    host_end(&h);
}

static void several_and_close(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    h.hold_metadata = true;
    warm_up(t->handle, UINT64_MAX, 1);
    warm_up(NULL, 30000, 2);
    warm_up(t->handle, 1000, 3);
    host_sleep(&h, 1100);
    host_expect_line(&h, "WARM 3: 0 of 0");
    host_expect_no_line(&h, "WARM 1");
    host_expect_no_line(&h, "WARM 2");
    host_close(&h, 1000, 10);
    host_expect_line(&h,
                     "WARM 1: 0 of 0 partitions led, 0 of 0 brokers ready: the producer is being "
                     "closed");
    host_expect_line(&h, "WARM 2: 0 of 0");
    assert_int_equal(kloop_engine_warm_up(h.e, NULL, 1, NULL, h.now), KLOOP_CLOSED);
    host_end(&h);
}

/* The memory of those that are never taken is given back with the engine; host_end looks. */
static void never_taken(void **state)
{
    (void)state;
    host_new(&h, NULL);
    warm_up(NULL, 1000, 1);
    warm_up(NULL, 0, 2);
    h.deaf = true;
    host_sleep(&h, 10);
    host_end(&h);
}

static void fatal_end(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    h.id_error = KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED;
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_topic *other = host_add_topic(&h, "other", 1);
    warm_up(t->handle, 60000, 1);
    host_send(&h, other, 0, 1);
    host_sleep(&h, 1000);
    assert_non_null(kloop_engine_fatal_text(h.e));
    host_expect_line(&h, "WARM 1: ");
    host_expect_line(&h, "CLUSTER_AUTHORIZATION_FAILED");
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaders_of_a_topic),
        cmocka_unit_test(all_brokers),
        cmocka_unit_test(one_is_out_of_reach),
        cmocka_unit_test(it_comes_up_meanwhile),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(topic_that_never_appears),
        cmocka_unit_test(topic_without_the_right),
        cmocka_unit_test(partition_without_leader),
        cmocka_unit_test(asked_without_patience),
        cmocka_unit_test(several_and_close),
        cmocka_unit_test(never_taken),
        cmocka_unit_test(fatal_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
