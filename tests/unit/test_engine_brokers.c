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

/* One of two brokers never answers for its name; the other one serves. */
static void one_bootstrap_broker_is_enough(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "x:1,b1:9091,y:2", NULL);
    h.manual_resolve = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    for (int i = 0; i < 10 && !host_find(&h, 1); i++) {
        host_run(&h);
        while (h.resolving_count > 0) {
            kloop_id id = h.resolving[--h.resolving_count];
            const char *last = strrchr(h.transcript, 'R');
            kloop_address address = {.bytes = {10, 0, 0, 1}, .family = 4};
            bool b1 = last && strncmp(last, "RESOLVE b1", 10) == 0;
            if (b1)
                h.manual_resolve = false;
            kloop_engine_on_resolved(h.e, id, &address, b1, b1 ? NULL : "no such name", h.now);
        }
        host_sleep(&h, 500);
    }
    host_sleep(&h, 1000);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_without_brokers),
        cmocka_unit_test(connection_lost_while_asking),
        cmocka_unit_test(one_bootstrap_broker_is_enough),
        cmocka_unit_test(broker_moves),
        cmocka_unit_test(impossible_brokers_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
