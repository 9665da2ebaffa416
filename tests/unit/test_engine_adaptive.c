/* SPDX-License-Identifier: BSD-2-Clause */
/* Records without a key keep away from where much waits, and from brokers that take nothing. */
#include "base/prng.h"
#include "core/sticky.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* More than goes to one partition in a row. */
#define BATCH_BYTES 17000

static host h;
static host_seen seen;
static host_topic *t;

static void begin(int32_t partitions, const char *key, const char *value)
{
    host_new(&h, "linger.ms", "0", "batch.size", "17000", "metadata.max.age.ms", "1000",
             "delivery.timeout.ms", "60000", key, value, NULL);
    h.broker_count = 2;
    t = host_add_topic(&h, "t", partitions);
    host_run(&h);
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

static void send(int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(host_send_bytes(&h, t, -1, BATCH_BYTES), KLOOP_OK);
        host_run(&h);
    }
}

static void serve(int node)
{
    while (host_produces(&h, node)) {
        host_expect_produce(&h, node, &seen);
        host_answer(&h, node, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
}

static size_t line_of(int32_t partition)
{
    const kl_partition *p = t->handle->partitions[partition];
    return p ? p->line_count : 0;
}

/* Of the brokers in turn: partition 0 is of the first, and so on. */
static size_t line_at(int node)
{
    size_t count = 0;
    for (int32_t i = 0; i < t->partition_count; i++)
        if (t->leaders[i] == node)
            count += line_of(i);
    return count;
}

/* ---- The tree knows the lines ---- */

static void expect_tree(void)
{
    const kloop_topic *topic = t->handle;
    if (!topic->tree || topic->tree_stale)
        return;
    assert_int_equal(topic->tree->count, topic->partition_count);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        kl_sticky_sums sums = kl_sticky_tree_get(topic->tree, (uint32_t)i);
        assert_int_equal(sums.present, topic->leaders[i].node >= 0);
        assert_int_equal(sums.waiting, sums.present ? line_of(i) : 0);
    }
}

/* Batches that are refused, split, given up and sent again; leaders that come and go. */
static void whatever_happens_to_batches(void **state)
{
    (void)state;
    static const int16_t codes[] = {0,
                                    0,
                                    0,
                                    KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER,
                                    KLOOP_BROKER_MESSAGE_TOO_LARGE,
                                    KLOOP_BROKER_INVALID_TIMESTAMP,
                                    KLOOP_BROKER_NOT_ENOUGH_REPLICAS};
    kl_prng prng;
    kl_prng_init(&prng, 8);
    begin(5, "max.block.ms", "3000");
    int checked = 0;
    for (int step = 0; step < 3000; step++) {
        int node = 1 + (int)kl_prng_below(&prng, 2);
        int32_t partition = (int32_t)kl_prng_below(&prng, 5);
        switch (kl_prng_below(&prng, 8)) {
        case 0:
            host_sleep(&h, kl_prng_below(&prng, 400));
            break;
        case 1:
            t->leaders[partition] = kl_prng_below(&prng, 4) ? node : -1;
            t->epochs[partition]++;
            break;
        case 2:
            if (host_find(&h, node) && kl_prng_below(&prng, 10) == 0)
                host_lose_connection(&h, node, "reset");
            break;
        case 3:
        case 4:
            if (host_produces(&h, node)) {
                int16_t all[HOST_BATCHES_MAX];
                host_expect_produce(&h, node, &seen);
                for (size_t i = 0; i < seen.batch_count; i++)
                    all[i] = codes[kl_prng_below(&prng, sizeof codes / sizeof codes[0])];
                host_answer(&h, node, all, seen.batch_count);
            }
            break;
        case 5:
            kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED, h.now);
            host_run(&h);
            break;
        default:
            for (int i = 0; i < 5; i++)
                host_send_bytes(&h, t, i < 3 ? -1 : partition, kl_prng_below(&prng, 9000));
            host_run(&h);
        }
        expect_tree();
        checked += t->handle->tree != NULL;
    }
    assert_true(checked > 2500);
    end();
}

static void only_where_it_is_needed(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        begin(6, "partitioner.class", kind == 0 ? "sticky" : kind == 1 ? "round_robin" : "random");
        for (int32_t i = 0; i < 40; i++) {
            kloop_record r = {.key = {(const uint8_t *)&i, sizeof i}};
            assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
            host_send(&h, t, i % 6, 1);
        }
        host_run(&h);
        serve(1);
        serve(2);
        assert_null(t->handle->tree);
        /* Without leaders for all, turns have to look where there is one; keys do not. */
        t->leaders[3] = -1;
        host_sleep(&h, 1001);
        kloop_record r = {.key = {(const uint8_t *)"k", 1}};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
        assert_int_equal(t->handle->tree != NULL, kind > 0);
        host_send(&h, t, -1, 1);
        assert_non_null(t->handle->tree);
        end();
    }
}

/* It is as large as the topic is. */
static void topics_that_grow(void **state)
{
    (void)state;
    begin(2, "linger.ms", "0");
    send(4);
    serve(1);
    serve(2);
    expect_tree();
    t->partition_count = 60;
    for (int32_t i = 0; i < 60; i++)
        t->leaders[i] = 1 + i % 2;
    host_sleep(&h, 1001);
    size_t used = 0;
    for (int i = 0; i < 200; i++) {
        send(1);
        expect_tree();
        serve(1);
        serve(2);
    }
    assert_int_equal(t->handle->tree->count, 60);
    for (int32_t i = 0; i < 60; i++)
        used += t->handle->partitions[i] != NULL;
    assert_in_range(used, 50, 60);
    end();
}

static void without_memory_all_are_alike(void **state)
{
    (void)state;
    begin(8, "linger.ms", "0");
    send(1);
    serve(1);
    serve(2);
    for (int i = 0; i < 40; i++) {
        kl_sticky_drop_tree(h.e, t->handle);
        /* The first two allocations of a send that draws are those of the tree. */
        h.memory.nth = h.memory.calls + 1 + (size_t)(i % 2);
        assert_int_equal(host_send_bytes(&h, t, -1, BATCH_BYTES), KLOOP_OK);
        assert_true(h.memory.nth <= h.memory.calls);
        assert_null(t->handle->tree);
        h.memory.nth = 0;
        host_run(&h);
        serve(1);
        serve(2);
        send(1);
        assert_non_null(t->handle->tree);
        expect_tree();
        serve(1);
        serve(2);
    }
    end();
}

/* ---- Where records go ---- */

/* Broker 2 answers once while broker 1 answers ten times. Answers how many of 200 batches it got.
 */
static size_t share_of_slow(const char *adaptive)
{
    begin(2, "partitioner.adaptive.partitioning.enable", adaptive);
    size_t slow = 0;
    for (int i = 0; i < 200; i++) {
        size_t had = line_at(2);
        send(1);
        slow += line_at(2) - had;
        serve(1);
        if (i % 10 == 9 && host_produces(&h, 2)) {
            host_expect_produce(&h, 2, &seen);
            HOST_ANSWER(&h, 2, 0);
        }
    }
    /* Let the rest go. */
    serve(2);
    host_expect_acked(&h, 1, 200);
    end();
    return slow;
}

static void the_slow_one_gets_less(void **state)
{
    (void)state;
    assert_in_range(share_of_slow("false"), 75, 125);
    /* One in ten is what it can take, and what waits makes it rarer still. */
    assert_in_range(share_of_slow("true"), 10, 50);
}

static void keys_do_not_care(void **state)
{
    (void)state;
    begin(2, "partitioner.availability.timeout.ms", "100");
    kloop_record r = {.key = {(const uint8_t *)"kafka", 5}, .value = {(const uint8_t *)"v", 1}};
    for (int i = 0; i < 20; i++) {
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
        host_sleep(&h, 100);
    }
    serve(1);
    serve(2);
    host_expect_acked(&h, 1, 20);
    for (size_t user = 2; user <= 20; user++)
        assert_int_equal(host_report_of(&h, user)->partition, host_report_of(&h, 1)->partition);
    end();
}

/* ---- Brokers that take nothing ---- */

/* Until something waits at broker 2, which has one batch in flight and takes no more. */
static void fill_slow(void)
{
    while (line_at(2) < 2) {
        send(1);
        serve(1);
    }
}

static void who_takes_nothing_gets_nothing(void **state)
{
    (void)state;
    begin(6, "partitioner.availability.timeout.ms", "1000");
    fill_slow();
    size_t waiting = line_at(2);
    host_sleep(&h, 1000);
    for (int i = 0; i < 100; i++) {
        send(1);
        serve(1);
        assert_int_equal(line_at(2), waiting);
    }
    /* It is asked again once it has taken something. */
    host_expect_produce(&h, 2, &seen);
    host_answer(&h, 2, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    waiting = line_at(2);
    for (int i = 0; i < 50; i++) {
        send(1);
        serve(1);
    }
    assert_true(line_at(2) > waiting);
    serve(2);
    host_expect_acked(&h, 1, h.user_count);
    end();
}

/* Not even into the batch that is open there. */
static void the_sticky_one_is_left_at_once(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "30000", "partitioner.availability.timeout.ms", "1000", NULL);
    h.broker_count = 2;
    t = host_add_topic(&h, "t", 2);
    host_run(&h);
    /* One in flight to broker 2, one that waits for it, and an open one behind them. */
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 1, 1);
        if (i < 2)
            assert_int_equal(kloop_engine_flush(h.e, NULL, h.now), KLOOP_OK);
        host_run(&h);
    }
    while (t->handle->sticky != 1) {
        t->handle->sticky = -1;
        host_send(&h, t, -1, 1);
    }
    host_send(&h, t, -1, 1);
    assert_int_equal(t->handle->sticky, 1);
    host_sleep(&h, 999);
    assert_int_equal(t->handle->sticky, 1);
    host_sleep(&h, 1);
    for (int i = 0; i < 20; i++) {
        host_send(&h, t, -1, 1);
        assert_int_equal(t->handle->sticky, 0);
    }
    end();
}

static void somebody_must_get_them(void **state)
{
    (void)state;
    begin(4, "partitioner.availability.timeout.ms", "1000");
    send(40);
    assert_true(line_at(1) > 2 && line_at(2) > 2);
    host_sleep(&h, 1000);
    size_t one = line_at(1);
    size_t two = line_at(2);
    send(40);
    assert_true(line_at(1) > one + 5);
    assert_true(line_at(2) > two + 5);
    /* One of them takes again, and gets all from now on. */
    host_expect_produce(&h, 1, &seen);
    host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    two = line_at(2);
    send(20);
    assert_int_equal(line_at(2), two);
    end();
}

/* Also then not one without a leader. */
static void somebody_with_a_leader(void **state)
{
    (void)state;
    begin(4, "partitioner.availability.timeout.ms", "1000");
    t->leaders[3] = -1;
    host_sleep(&h, 1001);
    send(40);
    host_sleep(&h, 1000);
    send(40);
    assert_int_equal(line_of(3), 0);
    for (int32_t i = 0; i < 3; i++)
        assert_true(line_of(i) > 10);
    end();
}

/* They were drawn from partitions without a leader: the tree held those of the one that takes, and
 * was empty when these were gone. */
static void the_last_that_takes_goes(void **state)
{
    (void)state;
    begin(3, "partitioner.availability.timeout.ms", "1000");
    t->leaders[2] = -1;
    host_sleep(&h, 1001);
    fill_slow();
    host_sleep(&h, 1000);
    /* Twice to the first one, so that there is a tree, and it is without the second. */
    for (int i = 0; i < 2; i++) {
        send(1);
        serve(1);
    }
    size_t two = line_of(1);
    t->leaders[0] = -1;
    t->epochs[0]++;
    host_sleep(&h, 3000);
    assert_int_equal(t->handle->led_count, 1);
    send(40);
    assert_int_equal(line_of(0), 0);
    assert_int_equal(line_of(2), 0);
    assert_int_equal(line_of(1), two + 40);
    end();
}

/* What waited for it waits for another one now. */
static void whose_partitions_move_away(void **state)
{
    (void)state;
    begin(4, "partitioner.availability.timeout.ms", "3000");
    fill_slow();
    /* The one that waits there leaves before its time is over. */
    for (int32_t i = 1; i < 4; i += 2)
        if (line_of(i) > 0) {
            t->leaders[i] = 1;
            t->epochs[i]++;
        }
    host_sleep(&h, 1001);
    int32_t other = t->leaders[1] == 2 ? 1 : t->leaders[3] == 2 ? 3 : -1;
    host_sleep(&h, 5000);
    assert_int_not_equal(other, -1);
    size_t had = line_of(other);
    send(40);
    assert_true(line_of(other) > had);
    end();
}

/* Nothing is there for it any more: nobody would ever ask it again. */
static void given_up_and_tried_again(void **state)
{
    (void)state;
    begin(2, "partitioner.availability.timeout.ms", "1000");
    fill_slow();
    host_sleep(&h, 1000);
    size_t waiting = line_at(2);
    send(20);
    assert_int_equal(line_at(2), waiting);
    kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now);
    host_run(&h);
    waiting = line_at(2);
    send(20);
    serve(1);
    assert_true(line_at(2) > waiting);
    end();
}

/* As in Java: it is a part of the adaptive choice. */
static void not_without_adaptive(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "batch.size", "17000", "partitioner.availability.timeout.ms",
             "1000", "partitioner.adaptive.partitioning.enable", "false", NULL);
    h.broker_count = 2;
    t = host_add_topic(&h, "t", 2);
    host_run(&h);
    fill_slow();
    host_sleep(&h, 1000);
    size_t waiting = line_at(2);
    for (int i = 0; i < 20; i++) {
        send(1);
        serve(1);
    }
    assert_true(line_at(2) > waiting + 4);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_to_batches),
        cmocka_unit_test(only_where_it_is_needed),
        cmocka_unit_test(topics_that_grow),
        cmocka_unit_test(without_memory_all_are_alike),
        cmocka_unit_test(the_slow_one_gets_less),
        cmocka_unit_test(keys_do_not_care),
        cmocka_unit_test(who_takes_nothing_gets_nothing),
        cmocka_unit_test(the_sticky_one_is_left_at_once),
        cmocka_unit_test(somebody_must_get_them),
        cmocka_unit_test(somebody_with_a_leader),
        cmocka_unit_test(the_last_that_takes_goes),
        cmocka_unit_test(whose_partitions_move_away),
        cmocka_unit_test(given_up_and_tried_again),
        cmocka_unit_test(not_without_adaptive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
