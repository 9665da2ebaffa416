/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of other clusters, brokers without end, and how often anybody at all is knocked at. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;

/* ---- As many brokers as somebody likes to tell of ---- */

/* Somebody tells of ever more brokers, other ones in each answer. A limited number is kept, those
 * of the latest answer come first, and an honest answer afterwards is not turned away for lack of
 * room.
 */
static void more_brokers_than_there_can_be(void **state)
{
    (void)state;
    static kloop_metadata_broker brokers[5000];
    static const kloop_metadata_broker honest = {.node_id = 77, .host = {"b7", 2}, .port = 9097};
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    size_t most = 0;
    for (int32_t round = 0; round < 6; round++) {
        for (int32_t i = 0; i < 5000; i++)
            brokers[i] = (kloop_metadata_broker){
                .node_id = 1000000 * (round + 1) + i, .host = {"b9", 2}, .port = 9099};
        /* The leader is the last one: there is no room for it. */
        host_answer_brokers(&h, host_at(&h, 1), brokers, 5000, brokers[4999].node_id, round + 1);
        host_sleep(&h, 2000);
        host_expect_no_produce(&h);
        host_expect_no_line(&h, "CONNECT b9");
        if (round == 0)
            most = h.memory.live_bytes;
        assert_true(h.memory.live_bytes < most + most / 4);
    }
    host_answer_brokers(&h, host_at(&h, 1), &honest, 1, 77, 7);
    host_run(&h);
    HOST_ANSWER(&h, 7, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* A hint cannot get past the limit either. */
static void no_room_for_the_broker_of_a_hint(void **state)
{
    (void)state;
    static kloop_metadata_broker brokers[4100];
    static const kloop_node_endpoint endpoint = {9, {"b9", 2}, 9099, {NULL, 0}};
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int32_t i = 0; i < 4100; i++)
        brokers[i] = (kloop_metadata_broker){
            .node_id = 100 + i, .host = {i ? "b2" : "b1", 2}, .port = i ? 9092 : 9091};
    host_answer_brokers(&h, host_at(&h, 1), brokers, 4100, 100, 1);
    host_run(&h);
    h.hint = (kloop_leader_hint){9, 2};
    h.endpoints = kloop_array_of(&endpoint, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_expect_no_line(&h, "b9");
    host_end(&h);
}

/* ---- Clusters ---- */

static void another_cluster_answers(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.cluster_id = "ours";
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    /* The name leads to another cluster, with a topic of the same name. */
    h.cluster_id = "theirs";
    t->leaders[0] = 2;
    t->epochs[0] = 9;
    t->partition_count = 5;
    t->incarnation++;
    host_sleep(&h, 1010);
    host_expect_line(&h, "LOG error: b1:9091 belongs to another cluster, 'theirs', not to 'ours'");
    assert_null(host_find(&h, 1));
    assert_int_equal(kloop_topic_partitions(t->handle), 2);
    host_sleep(&h, 3000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_no_produce(&h);
    assert_int_equal(host_stats(&h).epoch_bumps, 0);
    /* Not ten times in a second. */
    assert_true(host_count_lines(&h, "LOG error") < 10);
    /* And back. */
    h.cluster_id = "ours";
    t->leaders[0] = 1;
    t->epochs[0] = 1;
    t->partition_count = 2;
    t->incarnation--;
    host_sleep(&h, 3000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* What it calls itself ends up in a terminal; and once is enough. */
static void cluster_id_that_is_no_text(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "reconnect.backoff.ms", "5000",
             "reconnect.backoff.max.ms", "5000", NULL);
    h.cluster_id = "o\nurs";
    host_add_topic(&h, "t", 1);
    host_run(&h);
    h.cluster_id = "\x1b[2Jtheirs";
    host_sleep(&h, 1010);
    host_expect_line(&h, "LOG error: b1:9091 belongs to another cluster, '?[2Jtheirs', not to "
                         "'o?urs'");
    assert_int_equal(host_count_lines(&h, "LOG"), 1);
    host_end(&h);
}

/* Brokers before 0.10.1 tell none, and others may leave it out: that is no other one. */
static void cluster_without_an_id(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    static const char *const ids[] = {NULL, "ours", NULL, "", "ours"};
    for (size_t i = 0; i < 5; i++) {
        h.cluster_id = ids[i];
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 1010);
    }
    host_expect_no_line(&h, "LOG error");
    host_expect_acked(&h, 1, 5);
    host_end(&h);
}

/* Longer ones than any cluster has are compared as far as they are kept. */
static void long_cluster_ids(void **state)
{
    (void)state;
    static char id[4][400];
    for (int i = 0; i < 4; i++)
        memset(id[i], 'a', i == 3 ? 100 : 399);
    id[1][399 - 1] = 'b';
    id[2][5] = 'b';
    for (int i = 0; i < 4; i++) {
        host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
        host_add_topic(&h, "t", 1);
        h.cluster_id = id[0];
        host_run(&h);
        h.cluster_id = id[i];
        host_sleep(&h, 1010);
        assert_int_equal(host_count_lines(&h, "LOG error") > 0, i >= 2);
        host_end(&h);
    }
}

/* Somebody of another cluster is asked which one it is of, and nothing else: not for a producer id
 * either, which would be somebody else's here. */
static void no_producer_id_from_another_cluster(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.broker_count = 1;
    h.cluster_id = "ours";
    h.id_error = KLOOP_BROKER_COORDINATOR_LOAD_IN_PROGRESS;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 500);
    assert_true(h.id_answers > 0);
    h.cluster_id = "theirs";
    host_sleep(&h, 1000);
    host_expect_line(&h, "LOG error");
    h.id_error = 0;
    int asked = h.id_answers;
    int answers = h.metadata_answers;
    host_sleep(&h, 10000);
    assert_int_equal(h.id_answers, asked);
    assert_true(h.metadata_answers > answers + 3);
    h.cluster_id = "ours";
    host_sleep(&h, 3000);
    /* The entry of bootstrap.servers and the node may have a connection each. */
    for (int i = 0; i < h.conn_count; i++)
        if (h.conns[i].state == HOST_UP && host_waiting(&h.conns[i]))
            host_answer_all(&h, &h.conns[i], 0);
    host_run(&h);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* ---- Strangers among others ---- */

static const char *cluster_of[4];
static bool silent[4]; /* connecting to it takes for ever */
static int asked[4];
static bool busy; /* b1 takes its time with Produce, and so it is asked nothing else */

static bool serve(host_conn *c)
{
    if (c->state == HOST_CONNECTING && !silent[c->node]) {
        c->state = HOST_UP;
        kloop_engine_on_connected(h.e, c->id, h.now);
        return true;
    }
    if (c->state != HOST_UP || host_waiting(c) == 0)
        return false;
    if (host_first(&h, c)->api == KLOOP_METADATA) {
        h.cluster_id = cluster_of[c->node];
        asked[c->node]++;
        host_answer_metadata(&h, c);
        return true;
    }
    if (host_first(&h, c)->api == KLOOP_PRODUCE && !(busy && c->node == 1)) {
        bool stranger = strcmp(cluster_of[c->node], "ours") != 0;
        host_answer_all(&h, c, stranger ? KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER : 0);
        return true;
    }
    return false;
}

static void serve_for(int ms)
{
    for (; ms > 0; ms--) {
        host_sleep(&h, 1);
        for (bool more = true; more; host_run(&h)) {
            more = false;
            for (int i = 0; i < h.conn_count; i++)
                more |= serve(&h.conns[i]);
        }
    }
}

/* b1, b2 and b3 lead a partition each, and have acked a record. */
static host_topic *three_brokers(const char *longest_pause)
{
    memset(silent, 0, sizeof silent);
    memset(asked, 0, sizeof asked);
    busy = false;
    for (int node = 1; node <= 3; node++)
        cluster_of[node] = "ours";
    host_new(&h, "linger.ms", "0", "reconnect.backoff.max.ms", longest_pause,
             "max.in.flight.requests.per.connection", "1", NULL);
    h.broker_count = 3;
    h.hold_metadata = h.manual_connect = true;
    host_topic *t = host_add_topic(&h, "t", 3);
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, t, p, 1);
    serve_for(5000);
    host_expect_acked(&h, 1, 3);
    return t;
}

static void lose_all(void)
{
    for (int node = 1; node <= 3; node++)
        host_lose_connection(&h, node, "reset");
}

/* The address of b2 is another cluster's from now on, and always ready to say so: whenever somebody
 * was to be asked it was, and never b1, which leads its partition by then. */
static void stranger_does_not_starve_others(void **state)
{
    (void)state;
    host_topic *t = three_brokers("50");
    cluster_of[2] = "theirs";
    silent[1] = silent[3] = true;
    lose_all();
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, t, p, 1);
    serve_for(3000);
    silent[1] = silent[3] = false;
    t->leaders[1] = 1;
    t->epochs[1] = 9;
    serve_for(20000);
    host_expect_acked(&h, 4, 6);
    host_end(&h);
}

/* Two that had been another cluster's are back in the same moment. One question served for both,
 * and only the one who was asked was taken for ours again. */
static void strangers_come_back_together(void **state)
{
    (void)state;
    host_topic *t = three_brokers("1000");
    cluster_of[2] = cluster_of[3] = "theirs";
    busy = true;
    host_send(&h, t, 0, 1);
    serve_for(1);
    silent[3] = true;
    host_lose_connection(&h, 2, "reset");
    host_lose_connection(&h, 3, "reset");
    for (int32_t p = 1; p < 3; p++)
        host_send(&h, t, p, 1);
    serve_for(1000);
    silent[2] = true;
    silent[3] = false;
    serve_for(3000);
    assert_true(asked[2] > 0 && asked[3] > 0);
    silent[3] = true;
    serve_for(1500);
    cluster_of[2] = cluster_of[3] = "ours";
    busy = false;
    memset(asked, 0, sizeof asked);
    while (asked[1] == 0)
        serve_for(1);
    silent[2] = silent[3] = false;
    serve_for(10000);
    host_expect_acked(&h, 4, 6);
    host_end(&h);
}

/* b2 and b3 have no power and swallow every attempt, each for longer than the one before. b1 is in
 * good health, leads everything, and was not tried while one of these attempts was under way. */
static void black_holes_do_not_hide_others(void **state)
{
    (void)state;
    host_topic *t = three_brokers("1000");
    for (int p = 0; p < 3; p++) {
        t->leaders[p] = 1;
        t->epochs[p] = 9;
    }
    silent[1] = silent[2] = silent[3] = true;
    lose_all();
    for (int32_t p = 1; p < 3; p++)
        host_send(&h, t, p, 1);
    serve_for(5000);
    silent[1] = false;
    memset(asked, 0, sizeof asked);
    serve_for(15000);
    assert_true(asked[1] > 0);
    host_expect_acked(&h, 4, 5);
    host_end(&h);
}

/* ---- Looking for anybody ---- */

/* b1 is an entry of bootstrap.servers and a node. That the node is not in the latest answer, and
 * the other nodes fail, is no reason to knock at the same door twice as often. */
static void entry_and_node_are_one(void **state)
{
    (void)state;
    static const kloop_metadata_broker both[2] = {{.node_id = 1, .host = {"b1", 2}, .port = 9091},
                                                  {.node_id = 2, .host = {"b2", 2}, .port = 9092}};
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "reconnect.backoff.ms", "500",
             "reconnect.backoff.max.ms", "500", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_answer_brokers(&h, host_at(&h, 1), both, 2, 1, 5);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1100);
    host_answer_brokers(&h, host_at(&h, 1), &both[1], 1, 1, 4);
    host_run(&h);
    h.manual_connect = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_forget_lines(&h);
    host_lose_connection(&h, 1, "reset");
    int lost = h.conn_count;
    for (int ms = 0; ms < 5000; ms++) {
        host_sleep(&h, 1);
        for (; lost < h.conn_count; lost++)
            kloop_engine_on_disconnected(h.e, h.conns[lost].id, "refused", h.now);
    }
    assert_true(host_count_lines(&h, "CONNECT b2") >= 1);
    assert_in_range(host_count_lines(&h, "CONNECT b1"), 5, 11);
    host_end(&h);
}

/* Something points at it: it stays, however many others there are. */
static void needed_brokers_make_no_room(void **state)
{
    (void)state;
    static kloop_metadata_broker brokers[5000];
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    static const kloop_metadata_broker leader = {.node_id = 77, .host = {"b7", 2}, .port = 9097};
    host_answer_brokers(&h, host_at(&h, 1), &leader, 1, 77, 9);
    host_run(&h);
    host_sleep(&h, 1100);
    for (int32_t round = 0; round < 3; round++) {
        for (int32_t i = 0; i < 5000; i++)
            brokers[i] = (kloop_metadata_broker){
                .node_id = 1000000 * (round + 1) + i, .host = {"b1", 2}, .port = 9091};
        host_conn *c = host_waiting(host_at(&h, 1)) ? host_at(&h, 1) : host_at(&h, 7);
        if (c->requests[c->request_first].api != KLOOP_METADATA)
            c = host_at(&h, 1);
        host_answer_brokers(&h, c, brokers, 5000, 77, 3);
        host_sleep(&h, 1100);
    }
    HOST_ANSWER(&h, 7, 0);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 7, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* A hundred brokers that cannot be reached: their doors are knocked at, but not all at once. */
static void many_brokers_in_trouble(void **state)
{
    (void)state;
    static kloop_metadata_broker brokers[200];
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "-1", "bootstrap.servers",
             "b1:9091,b2:9092", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int32_t i = 0; i < 200; i++)
        brokers[i] =
            (kloop_metadata_broker){.node_id = 100 + i, .host = {"x.example", 9}, .port = 9000 + i};
    host_conn *c = host_find(&h, 1) ? host_at(&h, 1) : host_at(&h, 2);
    host_answer_brokers(&h, c, brokers, 200, -1, 1);
    host_run(&h);
    h.manual_resolve = true;
    if (host_find(&h, 1))
        host_lose_connection(&h, 1, "reset");
    if (host_find(&h, 2))
        host_lose_connection(&h, 2, "reset");
    host_forget_lines(&h);
    for (int ms = 0; ms < 10000; ms++) {
        host_sleep(&h, 1);
        while (h.resolving_count > 0)
            kloop_engine_on_resolved(h.e, h.resolving[--h.resolving_count], NULL, 0, "no such name",
                                     h.now);
    }
    size_t tries = host_count_lines(&h, "RESOLVE");
    assert_true(tries >= 50 && tries <= 110);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_brokers_than_there_can_be),
        cmocka_unit_test(no_room_for_the_broker_of_a_hint),
        cmocka_unit_test(another_cluster_answers),
        cmocka_unit_test(cluster_id_that_is_no_text),
        cmocka_unit_test(cluster_without_an_id),
        cmocka_unit_test(long_cluster_ids),
        cmocka_unit_test(no_producer_id_from_another_cluster),
        cmocka_unit_test(stranger_does_not_starve_others),
        cmocka_unit_test(strangers_come_back_together),
        cmocka_unit_test(black_holes_do_not_hide_others),
        cmocka_unit_test(entry_and_node_are_one),
        cmocka_unit_test(needed_brokers_make_no_room),
        cmocka_unit_test(many_brokers_in_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
