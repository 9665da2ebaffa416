/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not used any more: topics are forgotten but for their names, connections that were only
 * needed to begin with are closed, and an idle producer sleeps. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;

/* Its partitions are forgotten; the next records begin at 0 under a newer epoch, for the broker
 * remembers the old numbers and would take what comes under these for a repetition. */
static void topic_is_forgotten(void **state)
{
    (void)state;
    host_seen seen;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "metadata.max.idle.ms", "5000",
             NULL);
    host_topic *t = host_add_topic(&h, "t", 40);
    host_topic *busy = host_add_topic(&h, "busy", 1);
    for (int32_t p = 0; p < 40; p += 3)
        host_send(&h, t, p, 1);
    host_send(&h, busy, 0, 1);
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        host_answer_all(&h, host_at(&h, 1), 0);
        host_run(&h);
    }
    size_t users = h.user_count;
    host_expect_acked(&h, 1, users);
    size_t used = h.memory.live_bytes;
    for (int i = 0; i < 8; i++) {
        host_sleep(&h, 1000);
        host_send(&h, busy, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(kloop_topic_partitions(t->handle), 0);
    assert_int_equal(kloop_topic_partitions(busy->handle), 1);
    /* 24 bytes for each partition, and more than 100 for each that was used. */
    assert_true(h.memory.live_bytes + 40 * 24 + 14 * 100 < used);
    assert_int_equal(host_stats(&h).epoch_bumps, 1);
    users = h.user_count;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].epoch, 1);
    assert_int_equal(seen.batches[0].sequence, 0);
    HOST_ANSWER(&h, 1, 0);
    /* Those that were never forgotten have gone over to it, too. */
    host_send(&h, busy, 0, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].epoch, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, users + 1, users + 2);
    host_end(&h);
}

static int asked_for_partition;

static int32_t third(const kloop_topic *topic, const kloop_record *r, int32_t count, void *me)
{
    (void)topic;
    (void)r;
    assert_int_equal(count, 4);
    assert_ptr_equal(me, &h);
    asked_for_partition++;
    return 2;
}

/* Whatever waits anywhere. */
static void answer_everybody(void)
{
    for (bool any = true; any;) {
        any = false;
        for (int node = 1; node <= 3; node++)
            for (; host_produces(&h, node); any = true) {
                host_answer_all(&h, host_at(&h, node), 0);
                host_run(&h);
            }
    }
}

static host_topic *forget_one(void)
{
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "metadata.max.idle.ms", "5000",
             "partitioner.availability.timeout.ms", "100", "max.request.size", "10000",
             "batch.size", "8000", NULL);
    host_topic *t = host_add_topic(&h, "t", 4);
    kloop_error error;
    assert_int_equal(kloop_topic_set(t->handle, "buffer.memory", "60000", &error), KLOOP_OK);
    /* Without keys: some partition is the sticky one. */
    host_send(&h, t, -1, 20);
    host_run(&h);
    answer_everybody();
    host_sleep(&h, 8000);
    assert_int_equal(kloop_topic_partitions(t->handle), 0);
    host_expect_acked(&h, 1, 20);
    return t;
}

/* What belongs to it and not to its partitions stays, and can be changed meanwhile. */
static void forgotten_topic_keeps_its_own(void **state)
{
    (void)state;
    host_topic *t = forget_one();
    kloop_error error;
    assert_int_equal(kloop_topic_set(t->handle, "linger.ms", "3", &error), KLOOP_OK);
    assert_int_equal(kloop_topic_set(t->handle, "batch.size", "4000", &error), KLOOP_OK);
    assert_int_equal(kloop_topic_set(t->handle, "buffer.memory", "50000", &error), KLOOP_OK);
    kloop_topic_set_partitioner(t->handle, third, &h);
    assert_int_equal(
        kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT, h.now), 0);
    host_run(&h);
    /* A broker that says nothing is kept away from, in all topics. */
    host_topic *busy = host_add_topic(&h, "busy", 1);
    host_send(&h, busy, 0, 5);
    host_run(&h);
    host_send(&h, busy, 0, 5);
    host_sleep(&h, 300);
    answer_everybody();
    size_t first = h.user_count + 1;
    asked_for_partition = 0;
    host_send(&h, t, -1, 10);
    host_sleep(&h, 10);
    assert_true(asked_for_partition >= 10);
    host_seen seen;
    host_expect_produce(&h, 3, &seen);
    assert_int_equal(seen.batches[0].partition, 2);
    assert_int_equal(seen.batches[0].sequence, 0);
    assert_true(seen.batches[0].epoch > 0);
    answer_everybody();
    host_expect_acked(&h, first, first + 9);
    /* Its share is what it was set to last, and not used up. */
    int taken = 0;
    while (host_send_bytes(&h, t, 0, 1000) == KLOOP_OK)
        taken++;
    assert_in_range(taken, 20, 50);
    host_sleep(&h, 10);
    answer_everybody();
    assert_int_equal(h.writables, 1);
    host_end(&h);
}

/* All at once for a topic that is forgotten: it is told of anew, and counts as used. */
static void forgotten_topic_is_warmed_up(void **state)
{
    (void)state;
    host_topic *t = forget_one();
    assert_int_equal(kloop_engine_warm_up(h.e, t->handle, 5000, NULL, h.now), KLOOP_OK);
    host_run(&h);
    host_expect_line(&h, "4 of 4 partitions led, 3 of 3 brokers ready");
    host_sleep(&h, 3000);
    assert_int_equal(kloop_topic_partitions(t->handle), 4);
    host_sleep(&h, 5000);
    assert_int_equal(kloop_topic_partitions(t->handle), 0);
    /* Nothing was numbered since: no epoch is used up for that. */
    assert_int_equal(host_stats(&h).epoch_bumps, 1);
    size_t first = h.user_count + 1;
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_seen seen;
    host_expect_produce(&h, 2, &seen);
    assert_int_equal(seen.batches[0].epoch, 1);
    assert_int_equal(seen.batches[0].sequence, 0);
    answer_everybody();
    host_expect_acked(&h, first, first);
    host_end(&h);
}

/* It was made anew while nobody looked: one that was forgotten has nothing to give up for that. */
static void forgotten_topic_was_made_anew(void **state)
{
    (void)state;
    host_topic *t = forget_one();
    t->incarnation++;
    t->partition_count = 2;
    for (int32_t p = 0; p < 2; p++)
        t->epochs[p] = 0;
    size_t first = h.user_count + 1;
    host_send(&h, t, 1, 3);
    host_run(&h);
    assert_int_equal(kloop_topic_partitions(t->handle), 2);
    host_seen seen;
    host_expect_produce(&h, 2, &seen);
    assert_int_equal(seen.batches[0].sequence, 0);
    assert_int_equal(seen.batches[0].incarnation, t->incarnation);
    answer_everybody();
    host_expect_acked(&h, first, first + 2);
    host_end(&h);
}

/* What is in flight or waits keeps all of it. */
static void not_while_something_waits(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "metadata.max.idle.ms", "5000",
             NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 20000);
    assert_int_equal(kloop_topic_partitions(t->handle), 2);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 5000);
    assert_int_equal(kloop_topic_partitions(t->handle), 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* A name that was never right and is not sent to is not asked for to the end of time. */
static void topic_that_is_not_there(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.idle.ms", "60000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_sleep(&h, 70000);
    int asked = h.metadata_answers;
    host_sleep(&h, 600000);
    assert_in_range(h.metadata_answers - asked, 1, 3);
    t->error = 0;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 500);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* The address that one begins with is another name for somebody: when the cluster itself answers,
 * that connection is closed. */
static void bootstrap_connection_goes(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "b6:9096", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_run(&h);
    assert_non_null(host_find(&h, 6));
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_non_null(host_find(&h, 6));
    HOST_ANSWER(&h, 1, 0);
    assert_null(host_find(&h, 6));
    host_expect_line(&h, "LOG debug: b6:9096: not needed any more");
    assert_int_equal(host_stats(&h).disconnects, 0);
    host_end(&h);
}

/* Ten minutes: metadata twice, its memory given back, and the idle connections closed. */
static void idle_producer_is_left_alone(void **state)
{
    (void)state;
    host_new(&h, NULL);
    host_topic *t = host_add_topic(&h, "t", 3);
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, t, p, 10);
    host_sleep(&h, 100);
    for (int node = 1; node <= 3; node++)
        HOST_ANSWER(&h, node, 0);
    host_sleep(&h, 20000);
    int wakes = 0;
    uint64_t end = h.now.mono_ns + UINT64_C(600000000000);
    for (uint64_t ms; (ms = host_deadline(&h)) != HOST_NEVER && h.now.mono_ns < end; wakes++)
        host_sleep(&h, ms ? ms : 1);
    assert_in_range(wakes, 1, 20);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topic_is_forgotten),
        cmocka_unit_test(not_while_something_waits),
        cmocka_unit_test(topic_that_is_not_there),
        cmocka_unit_test(bootstrap_connection_goes),
        cmocka_unit_test(idle_producer_is_left_alone),
        cmocka_unit_test(forgotten_topic_keeps_its_own),
        cmocka_unit_test(forgotten_topic_is_warmed_up),
        cmocka_unit_test(forgotten_topic_was_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
