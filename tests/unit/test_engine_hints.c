/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaders that are named in answers to Produce: which hints are followed, and how far. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOT_LEADER KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER
#define FENCED     KLOOP_BROKER_FENCED_LEADER_EPOCH

static host h;
static host_seen seen;

/* Broker 1 has acked a record of the only partition, and nothing was asked for some seconds. */
static host_topic *settled_topic(int16_t produce_version)
{
    host_new(&h, "linger.ms", "0", NULL);
    h.max_version[KLOOP_PRODUCE] = produce_version;
    host_topic *t = host_add_topic(&h, "t", 1);
    t->epochs[0] = 4;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 5000);
    return t;
}

/* Metadata, which is asked all the same, still tells of the old leader, and undoes nothing. */
static void followed_at_once(void **state)
{
    (void)state;
    static const int16_t codes[] = {NOT_LEADER, FENCED};
    static const int16_t versions[] = {10, 12, 13};
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 3; j++) {
            host_topic *t = settled_topic(versions[j]);
            int answers = h.metadata_answers;
            host_send(&h, t, 0, 1);
            host_run(&h);
            h.hint = (kloop_leader_hint){2, 5};
            HOST_ANSWER(&h, 1, codes[i]);
            host_expect_produce(&h, 2, &seen);
            assert_int_equal(seen.batches[0].first, 2);
            assert_int_equal(seen.batches[0].sequence, 1);
            assert_int_equal(h.metadata_answers, answers + 1);
            HOST_ANSWER(&h, 2, 0);
            host_sleep(&h, 5000);
            host_send(&h, t, 0, 1);
            host_run(&h);
            HOST_ANSWER(&h, 2, 0);
            host_expect_acked(&h, 1, 3);
            host_end(&h);
        }
    }
}

/* Nothing but the two codes that say "not me" has a leader to tell of. */
static void other_codes_carry_no_hint(void **state)
{
    (void)state;
    static const int16_t codes[] = {KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION,
                                    KLOOP_BROKER_REQUEST_TIMED_OUT,
                                    KLOOP_BROKER_NOT_ENOUGH_REPLICAS};
    for (int i = 0; i < 3; i++) {
        host_topic *t = settled_topic(13);
        host_send(&h, t, 0, 1);
        host_run(&h);
        h.hint = (kloop_leader_hint){2, 5};
        HOST_ANSWER(&h, 1, codes[i]);
        host_sleep(&h, 2000);
        assert_int_equal(host_produces(&h, 1), 1);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 2);
        host_end(&h);
    }
}

static void hints_that_are_not_followed(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'x', sizeof longest);
    const struct {
        kloop_leader_hint hint;
        kloop_node_endpoint endpoint;
    } cases[] = {
        {{-1, 5}, {-1, {"b2", 2}, 9092, {NULL, 0}}},
        {{-2, 5}, {-2, {"b2", 2}, 9092, {NULL, 0}}},
        {{2, -1}, {2, {"b2", 2}, 9092, {NULL, 0}}},
        {{2, -7}, {2, {"b2", 2}, 9092, {NULL, 0}}},
        {{2, 3}, {2, {"b2", 2}, 9092, {NULL, 0}}},
        {{2, 4}, {2, {"b2", 2}, 9092, {NULL, 0}}},
        /* Nobody has said where this one is, or not in a way that would lead there. */
        {{7, 5}, {8, {"b2", 2}, 9092, {NULL, 0}}},
        {{7, 5}, {7, {"b2", 2}, 0, {NULL, 0}}},
        {{7, 5}, {7, {"b2", 2}, -1, {NULL, 0}}},
        {{7, 5}, {7, {"b2", 2}, 65536, {NULL, 0}}},
        {{7, 5}, {7, {"", 0}, 9092, {NULL, 0}}},
        {{7, 5}, {7, {longest, 256}, 9092, {NULL, 0}}},
        {{7, 5}, {7, {"b\0.", 3}, 9092, {NULL, 0}}},
        /* Somebody else is there. */
        {{7, 5}, {7, {"b2", 2}, 9092, {NULL, 0}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        host_topic *t = settled_topic(13);
        host_send(&h, t, 0, 1);
        host_run(&h);
        h.hint = cases[i].hint;
        h.endpoints = kloop_array_of(&cases[i].endpoint, 1);
        size_t connects = host_count_lines(&h, "CONNECT");
        HOST_ANSWER(&h, 1, NOT_LEADER);
        assert_int_equal(host_produces(&h, 1), 0);
        host_sleep(&h, 1000);
        assert_int_equal(host_count_lines(&h, "CONNECT"), connects);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 2);
        host_end(&h);
    }
}

/* The answer's own list makes a broker known that Metadata has not told of, and only the one that
 * is needed. What Metadata does not say afterwards changes nothing. */
static void endpoint_makes_a_broker_known(void **state)
{
    (void)state;
    host_topic *t = settled_topic(13);
    static const kloop_node_endpoint endpoints[] = {{6, {"b6", 2}, 9096, {NULL, 0}},
                                                    {5, {"b5", 2}, 9095, {NULL, 0}}};
    h.hint = (kloop_leader_hint){5, 5};
    h.endpoints = kloop_array_of(endpoints, 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, NOT_LEADER);
    host_expect_line(&h, "CONNECT b5:9095");
    host_expect_no_line(&h, "b6:9096");
    HOST_ANSWER(&h, 5, 0);
    host_sleep(&h, 5000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 5, 0);
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* Where a node is that Metadata tells of, Metadata says: a hint neither moves it nor cuts it off.
 */
static void endpoint_moves_nobody(void **state)
{
    (void)state;
    static const kloop_node_endpoint elsewhere = {2, {"b7", 2}, 9097, {NULL, 0}};
    static const kloop_node_endpoint same = {2, {"b2", 2}, 9092, {NULL, 0}};
    for (int connected = 0; connected < 2; connected++) {
        for (int moved = 0; moved < 2; moved++) {
            host_topic *t = settled_topic(13);
            if (connected) {
                host_topic *u = host_add_topic(&h, "u", 2);
                host_send(&h, u, 1, 1);
                host_run(&h);
                HOST_ANSWER(&h, 2, 0);
            }
            host_send(&h, t, 0, 1);
            host_run(&h);
            h.hint = (kloop_leader_hint){2, 5};
            h.endpoints = kloop_array_of(moved ? &elsewhere : &same, 1);
            HOST_ANSWER(&h, 1, NOT_LEADER);
            host_expect_no_line(&h, "CLOSE");
            host_expect_no_line(&h, "b7");
            assert_int_equal(host_count_lines(&h, "CONNECT b2:9092"), 1);
            HOST_ANSWER(&h, 2, 0);
            host_expect_acked(&h, 1, connected ? 3 : 2);
            host_end(&h);
        }
    }
}

/* A node that has left, and is said to be back elsewhere. */
static void endpoint_of_one_that_had_left(void **state)
{
    (void)state;
    host_topic *t = settled_topic(13);
    static const kloop_node_endpoint back = {2, {"b7", 2}, 9097, {NULL, 0}};
    h.gone[2] = true;
    host_topic *u = host_add_topic(&h, "u", 1);
    host_run(&h);
    assert_int_equal(kloop_topic_partitions(u->handle), 1);
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    h.hint = (kloop_leader_hint){2, 5};
    HOST_ANSWER(&h, 1, NOT_LEADER);
    host_expect_no_line(&h, "CONNECT b2");
    host_sleep(&h, 1000);
    h.endpoints = kloop_array_of(&back, 1);
    HOST_ANSWER(&h, 1, NOT_LEADER);
    host_expect_line(&h, "CONNECT b7:9097");
    HOST_ANSWER(&h, 7, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* All that was in flight is refused, and goes to the new leader in its order, without a pause; but
 * not before the last answer has come. */
static void whole_flight_follows(void **state)
{
    (void)state;
    host_topic *t = settled_topic(13);
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 3);
    h.hint = (kloop_leader_hint){2, 5};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(host_produces(&h, 2), 0);
        HOST_ANSWER(&h, 1, NOT_LEADER);
    }
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            assert_int_equal(host_produces(&h, 2), 1);
        host_expect_produce(&h, 2, &seen);
        assert_int_equal(seen.batches[0].first, i + 2);
        assert_int_equal(seen.batches[0].sequence, i + 1);
        HOST_ANSWER(&h, 2, 0);
    }
    host_expect_acked(&h, 1, 4);
    host_end(&h);
}

/* What the former leader acks late says nothing of what the new one counts: still one batch at a
 * time. It was taken for an ack of the new one. */
static void late_ack_of_the_former_leader(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    /* Broker 2 is connected as well, and answers Metadata while broker 1 is busy. */
    host_topic *u = host_add_topic(&h, "u", 2);
    host_send(&h, t, 0, 1);
    host_send(&h, u, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, 0);
    for (int i = 0; i < 2; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    t->leaders[0] = 2;
    t->epochs[0] = 2;
    host_sleep(&h, 1500);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 2), 1);
    HOST_ANSWER(&h, 2, 0);
    assert_true(host_produces(&h, 2) > 0);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 6);
    host_end(&h);
}

/* Two brokers that name each other for ever, each with a newer epoch. */
static void naming_each_other(void **state)
{
    (void)state;
    host_topic *t = settled_topic(13);
    host_send(&h, t, 0, 1);
    h.hint.leader_epoch = 4;
    int refused = 0;
    for (int ms = 0; ms < 20000; ms++) {
        host_sleep(&h, 1);
        for (int node = 1; node <= 2; node++) {
            if (!host_produces(&h, node))
                continue;
            h.hint = (kloop_leader_hint){3 - node, h.hint.leader_epoch + 1};
            HOST_ANSWER(&h, node, NOT_LEADER);
            refused++;
        }
    }
    /* A pause before most of them, and growing. */
    assert_true(refused >= 20 && refused <= 60);
    host_end(&h);
}

/* Epochs count within a topic: one that is led by nobody now goes on from there. */
static void metadata_goes_on_from_the_hint(void **state)
{
    (void)state;
    host_topic *t = settled_topic(13);
    h.hint = (kloop_leader_hint){2, 9};
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, NOT_LEADER);
    HOST_ANSWER(&h, 2, 0);
    /* The lagging answers have an end, and the leader moves again. */
    t->epochs[0] = 8;
    t->leaders[0] = 3;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    host_sleep(&h, 3000);
    assert_int_equal(host_produces(&h, 2), 1);
    t->epochs[0] = 10;
    HOST_ANSWER(&h, 2, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    host_sleep(&h, 3000);
    HOST_ANSWER(&h, 3, 0);
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* One that is newer than anything there will ever be is followed, and not for ever. */
static void hint_of_the_last_epoch(void **state)
{
    (void)state;
    host_topic *t = settled_topic(13);
    t->epochs[0] = 5;
    host_send(&h, t, 0, 1);
    host_run(&h);
    h.hint = (kloop_leader_hint){2, INT32_MAX};
    HOST_ANSWER(&h, 1, NOT_LEADER);
    h.hint = (kloop_leader_hint){1, 5};
    for (int ms = 0; ms < 10000 && !host_produces(&h, 1); ms++) {
        if (host_produces(&h, 2))
            HOST_ANSWER(&h, 2, NOT_LEADER);
        host_sleep(&h, 1);
    }
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(followed_at_once),
        cmocka_unit_test(other_codes_carry_no_hint),
        cmocka_unit_test(hints_that_are_not_followed),
        cmocka_unit_test(endpoint_makes_a_broker_known),
        cmocka_unit_test(endpoint_moves_nobody),
        cmocka_unit_test(endpoint_of_one_that_had_left),
        cmocka_unit_test(whole_flight_follows),
        cmocka_unit_test(late_ack_of_the_former_leader),
        cmocka_unit_test(naming_each_other),
        cmocka_unit_test(metadata_goes_on_from_the_hint),
        cmocka_unit_test(hint_of_the_last_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
