/* SPDX-License-Identifier: BSD-2-Clause */
/* Which brokers there are, as bootstrap.servers and Metadata tell, and how they are reached. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;

static void answer_without_brokers(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.broker_count = 0;
    h.topic_count = 0;
    kloop_topic *t;
    assert_int_equal(kloop_engine_topic(h.e, kloop_text("t"), &t), KLOOP_OK);
    host_run(&h);
    host_expect_line(&h, "the answer names no broker");
    h.broker_count = 3;
    host_sleep(&h, 3000);
    assert_true(h.metadata_answers >= 2);
    host_end(&h);
}

static void connection_lost_while_asking(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_lose_connection(&h, 1, "reset");
    h.hold_metadata = false;
    host_sleep(&h, 2000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* Two of three names lead nowhere; the third broker serves. */
static void one_bootstrap_broker_is_enough(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "x:1,b1:9091,y:2", NULL);
    h.manual_resolve = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    for (int ms = 0; ms < 2000; ms++) {
        const char *line = h.transcript;
        for (int i = 0; i < h.resolving_count; i++) {
            line = strstr(line, "RESOLVE ") + strlen("RESOLVE ");
            kloop_address address = {.bytes = {10, 0, 0, 1}, .family = 4};
            bool b1 = strncmp(line, "b1", 2) == 0;
            kloop_engine_on_resolved(h.e, h.resolving[i], &address, b1, b1 ? NULL : "none", h.now);
        }
        h.resolving_count = 0;
        host_forget_lines(&h);
        host_sleep(&h, 1);
    }
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* The node is elsewhere now: its connection is given up, and the next one goes to the new place. */
static void broker_moves(void **state)
{
    (void)state;
    for (int resolving = 0; resolving < 2; resolving++) {
        host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "10", NULL);
        h.hold_metadata = true;
        h.broker_count = 1;
        host_topic *t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_conn *c = host_at(&h, 1);
        static const kloop_metadata_broker places[2] = {
            {.node_id = 1, .host = {"b7", 2}, .port = 700},
            {.node_id = 1, .host = {"b8", 2}, .port = 800}};
        kloop_metadata_partition p = {.leader_id = 1, .leader_epoch = 1};
        kloop_metadata_topic topic = {.name = kloop_text("t"),
                                      .topic_id = {{1, [15] = 1}},
                                      .topic_authorized_operations = INT32_MIN,
                                      .partitions = kloop_array_of(&p, 1)};
        kloop_metadata_response m;
        kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
        m.topics = kloop_array_of(&topic, 1);
        m.brokers = kloop_array_of(&places[0], 1);
        host_respond(&h, c, &m, sizeof m);
        h.manual_resolve = resolving;
        host_run(&h);
        host_expect_line(&h, "RESOLVE b7:700");
        kloop_topic *other;
        assert_int_equal(kloop_engine_topic(h.e, kloop_text("other"), &other), KLOOP_OK);
        host_run(&h);
        /* Asked where there still is a connection. */
        c = resolving ? host_at(&h, 1) : host_find(&h, 7) ? host_at(&h, 7) : host_at(&h, 1);
        if (host_waiting(c) == 0 || host_first(&h, c)->api != KLOOP_METADATA)
            c = host_at(&h, 1);
        m.brokers = kloop_array_of(&places[1], 1);
        host_respond(&h, c, &m, sizeof m);
        h.manual_resolve = false;
        for (int i = 0; i < h.resolving_count; i++) {
            /* The answer for a place that it has left. */
            kloop_address address = {.bytes = {10, 0, 0, 7}, .family = 4};
            kloop_engine_on_resolved(h.e, h.resolving[i], &address, 1, NULL, h.now);
        }
        host_sleep(&h, 2000);
        host_expect_line(&h, "CONNECT b8:800");
        if (resolving)
            host_expect_no_line(&h, "CONNECT b7");
        else
            host_expect_line(&h, "broker 1 has moved to b8:800");
        HOST_ANSWER(&h, 8, 0);
        host_expect_acked(&h, 1, 1);
        host_end(&h);
    }
}

/* Brokers that nobody can connect to are left out, and the others serve. */
static void impossible_brokers_are_left_out(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    char longest[300];
    memset(longest, 'x', sizeof longest);
    const kloop_metadata_broker brokers[] = {
        {.node_id = -1, .host = {"b1", 2}, .port = 9091},
        {.node_id = 2, .host = {"b2", 2}, .port = 0},
        {.node_id = 3, .host = {"b3", 2}, .port = 65536},
        {.node_id = 4, .host = {"", 0}, .port = 9094},
        {.node_id = 5, .host = {longest, 300}, .port = 9095},
        {.node_id = INT32_MAX, .host = {"b6", 2}, .port = 65535},
    };
    kloop_metadata_partition p = {.leader_id = INT32_MAX, .leader_epoch = 1};
    kloop_metadata_topic topic = {.name = kloop_text("t"),
                                  .topic_id = {{1, [15] = 1}},
                                  .topic_authorized_operations = INT32_MIN,
                                  .partitions = kloop_array_of(&p, 1)};
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.topics = kloop_array_of(&topic, 1);
    m.brokers = kloop_array_of(brokers, 6);
    host_respond(&h, host_at(&h, 1), &m, sizeof m);
    host_sleep(&h, 100);
    host_expect_line(&h, "CONNECT b6:65535");
    HOST_ANSWER(&h, 6, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* One that Metadata tells of no longer is not asked about the cluster any more. */
static void broker_that_has_left_is_not_asked(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    static const kloop_metadata_broker both[2] = {{.node_id = 1, .host = {"b1", 2}, .port = 9091},
                                                  {.node_id = 2, .host = {"b2", 2}, .port = 9092}};
    host_answer_brokers(&h, host_at(&h, 1), both, 2, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1100);
    host_answer_brokers(&h, host_at(&h, 1), &both[1], 1, 2, 2);
    host_sleep(&h, 1100);
    assert_int_equal(host_waiting(host_at(&h, 1)), 0);
    assert_int_equal(host_waiting(host_at(&h, 2)), 1);
    host_end(&h);
}

/* It stops, and comes back in another place, while what is sent waits. */
static void broker_comes_back_elsewhere(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, 0);
    host_send(&h, t, 1, 1);
    host_run(&h);
    h.gone[2] = true;
    h.manual_connect = true;
    host_lose_connection(&h, 2, "reset");
    host_sleep(&h, 3000);
    h.gone[2] = false;
    h.moved[2] = 8;
    h.manual_connect = false;
    host_sleep(&h, 3000);
    host_expect_line(&h, "CONNECT b8:9098");
    HOST_ANSWER(&h, 8, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* The name of the leader leads nowhere any more: somebody is asked where it is. Only connections
 * that were lost had been a reason to ask. */
static void name_that_is_gone(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "500", NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, 0);
    host_sleep(&h, 2000);
    assert_null(host_find(&h, 2));
    h.moved[2] = 8;
    h.manual_resolve = true;
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(h.resolving_count, 1);
    h.manual_resolve = false;
    kloop_engine_on_resolved(h.e, h.resolving[--h.resolving_count], NULL, 0, "no such name", h.now);
    host_sleep(&h, 1000);
    host_expect_line(&h, "CONNECT b8:9098");
    HOST_ANSWER(&h, 8, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* All nodes are said to be at one place, which cannot be reached: all of them have failed then, and
 * bootstrap.servers are asked. They were not for as long as one of the nodes was not tried. */
static void all_nodes_at_a_place_that_is_gone(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "b6:9096", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    for (int node = 1; node <= 3; node++)
        h.moved[node] = 7;
    host_run(&h);
    host_lose_connection(&h, 6, "reset");
    h.manual_resolve = true;
    host_forget_lines(&h);
    host_send(&h, t, 0, 1);
    for (int i = 0; i < 3 && host_count_lines(&h, "RESOLVE b6") == 0; i++) {
        host_sleep(&h, 1000);
        while (h.resolving_count > 0 && host_count_lines(&h, "RESOLVE b6") == 0)
            kloop_engine_on_resolved(h.e, h.resolving[--h.resolving_count], NULL, 0, "no such name",
                                     h.now);
    }
    host_expect_line(&h, "RESOLVE b7");
    host_expect_line(&h, "RESOLVE b6");
    host_end(&h);
}

/* Told of twice in one answer, it is where it was said first, and its connection stays. */
static void broker_told_of_twice(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    static const kloop_metadata_broker twice[2] = {{.node_id = 1, .host = {"b1", 2}, .port = 9091},
                                                   {.node_id = 1, .host = {"b2", 2}, .port = 9092}};
    for (int32_t epoch = 1; epoch < 4; epoch++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_answer_brokers(&h, host_at(&h, 1), twice, 2, 1, epoch);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 1100);
    }
    host_expect_no_line(&h, "CLOSE");
    host_expect_no_line(&h, "b2");
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* "What you know of the brokers is worthless": the next question goes to bootstrap.servers. */
static void told_to_begin_anew(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "b6:9096", "metadata.max.age.ms", "1000",
             "connections.max.idle.ms", "700", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 900);
    assert_null(host_find(&h, 6));
    h.metadata_error = KLOOP_BROKER_REBOOTSTRAP_REQUIRED;
    host_forget_lines(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    host_sleep(&h, 500);
    h.metadata_error = 0;
    host_expect_line(&h, "CLOSE b1: b1:9091: beginning anew with bootstrap.servers");
    host_expect_line(&h, "RESOLVE b6:9096");
    host_sleep(&h, 2000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* Identity is the number: two that share a place have a connection each. */
static void two_at_one_place(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.moved[3] = 2;
    host_topic *t = host_add_topic(&h, "t", 3);
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_conn *first = host_at(&h, 2);
    host_send(&h, t, 2, 1);
    host_run(&h);
    assert_int_equal(host_count_lines(&h, "CONNECT b2:9092"), 2);
    assert_ptr_not_equal(first, host_at(&h, 2));
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 2, 2);
    host_expect_pending(&h, 1, 1);
    host_end(&h);
}

/* What an action shows is good until the next call: also the name of a broker that moves in it. */
static void name_of_a_broker_that_moves(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "enable.idempotence", "false", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    kloop_topic *other;
    assert_int_equal(kloop_engine_topic(h.e, kloop_text("other"), &other), KLOOP_OK);
    static const kloop_metadata_broker places[2] = {
        {.node_id = 5, .host = {"b7", 2}, .port = 700},
        {.node_id = 5, .host = {"b8-with-a-longer-name", 21}, .port = 800}};
    host_answer_brokers(&h, c, &places[0], 1, 5, 1);
    kloop_action a;
    int shown = 0;
    h.manual_write = true;
    while (kloop_engine_next(h.e, &a)) {
        if (a.kind != KLOOP_ACT_RESOLVE)
            continue;
        /* Nothing was called since: the text is whole, and ends where it says. */
        assert_int_equal(a.host.len, 2);
        assert_string_equal(a.host.data, "b7");
        assert_int_equal(a.port, 700);
        shown++;
    }
    assert_int_equal(shown, 1);
    /* It moves before the host has answered: the resolution is called off, with the new name. */
    h.manual_write = false;
    c->writing = true;
    host_sleep(&h, 1000);
    host_answer_brokers(&h, c, &places[1], 1, 5, 1);
    while (kloop_engine_next(h.e, &a)) {
        if (a.kind != KLOOP_ACT_RESOLVE && a.kind != KLOOP_ACT_CANCEL)
            continue;
        assert_int_equal(a.host.len, strlen(a.host.data));
        assert_string_equal(a.host.data, "b8-with-a-longer-name");
        shown++;
    }
    assert_int_equal(shown, 2);
    host_end(&h);
}

/* A connection that was closed because nobody needed it any longer has proved its worth as well. It
 * once had not: the next trouble was met with the longest pause. */
static void good_until_it_was_idle(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "5000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 2;
    host_run(&h);
    h.manual_connect = true;
    host_send(&h, t, 0, 1);
    h.dead[2] = true;
    host_sleep_connecting(&h, 5000);
    h.dead[2] = false;
    host_sleep_connecting(&h, 1500);
    HOST_ANSWER(&h, 2, 0);
    host_sleep_connecting(&h, 7000);
    assert_null(host_find(&h, 2));
    host_forget_lines(&h);
    host_send(&h, t, 0, 1);
    h.dead[2] = true;
    host_sleep_connecting(&h, 400);
    h.dead[2] = false;
    assert_true(host_count_lines(&h, "CONNECT b2") >= 3);
    host_sleep_connecting(&h, 1500);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* Without answers, none tells that all is well again after a lost connection: a question that stays
 * without one held all records back. */
static void nothing_acked_after_a_loss(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "acks", "0", "metadata.max.age.ms", "3000", NULL);
    h.broker_count = 1;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 1000);
    h.hold_metadata = true;
    host_sleep(&h, 3000);
    assert_int_equal(host_waiting(host_at(&h, 1)), 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 100);
    assert_int_equal(h.reported, 2);
    host_end(&h);
}

/* Those that ask for no answer. */
static void drop_produces(void)
{
    while (host_produces(&h, 1))
        host_drop(host_at(&h, 1));
}

/* The broker refuses what nobody waits for by closing the connection: one topic that was deleted
 * let all others at one request for each new connection. */
static void gone_topic_takes_no_others_along(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "acks", "0", "metadata.max.age.ms", "1000", NULL);
    h.broker_count = 1;
    host_topic *gone = host_add_topic(&h, "gone", 2);
    host_topic *here = host_add_topic(&h, "here", 1);
    host_send(&h, gone, 0, 1);
    host_send(&h, here, 0, 1);
    host_run(&h);
    host_expect_acked(&h, 1, 2);
    drop_produces();
    gone->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_sleep(&h, 1500);
    host_send(&h, gone, 0, 1);
    host_send(&h, gone, 1, 1);
    host_send(&h, here, 0, 1);
    host_run(&h);
    host_expect_pending(&h, 3, 4);
    host_expect_acked(&h, 5, 5);
    drop_produces();
    gone->error = 0;
    host_sleep(&h, 1500);
    host_expect_acked(&h, 3, 4);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_without_brokers),
        cmocka_unit_test(connection_lost_while_asking),
        cmocka_unit_test(one_bootstrap_broker_is_enough),
        cmocka_unit_test(broker_moves),
        cmocka_unit_test(impossible_brokers_are_left_out),
        cmocka_unit_test(broker_that_has_left_is_not_asked),
        cmocka_unit_test(broker_comes_back_elsewhere),
        cmocka_unit_test(name_that_is_gone),
        cmocka_unit_test(all_nodes_at_a_place_that_is_gone),
        cmocka_unit_test(broker_told_of_twice),
        cmocka_unit_test(told_to_begin_anew),
        cmocka_unit_test(two_at_one_place),
        cmocka_unit_test(name_of_a_broker_that_moves),
        cmocka_unit_test(good_until_it_was_idle),
        cmocka_unit_test(nothing_acked_after_a_loss),
        cmocka_unit_test(gone_topic_takes_no_others_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
