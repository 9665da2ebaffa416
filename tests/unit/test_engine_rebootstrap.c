/* SPDX-License-Identifier: BSD-2-Clause */
/* When what is known of the cluster leads nowhere any more: beginning anew with bootstrap.servers.
 */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ANEW "beginning anew with bootstrap.servers"

static host h;

static void revive_all(void)
{
    memset(h.dead, 0, sizeof h.dead);
}

static void run_for(uint64_t ms)
{
    h.manual_connect = true;
    host_sleep_connecting(&h, ms);
}

static void kill_node(int node)
{
    h.dead[node] = true;
    for (int i = 0; i < h.conn_count; i++)
        if (h.conns[i].node == node && h.conns[i].state == HOST_UP)
            kloop_engine_on_disconnected(h.e, h.conns[i].id, "reset", h.now);
    host_run(&h);
}

static host_topic *begin(const char *key, const char *value)
{
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "b6:9096", key, value, NULL);
    h.cluster_id = "ours";
    host_topic *t = host_add_topic(&h, "t", 3);
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, t, p, 1);
    run_for(10);
    for (int node = 1; node <= 3; node++)
        HOST_ANSWER(&h, node, 0);
    host_expect_acked(&h, 1, 3);
    host_forget_lines(&h);
    return t;
}

/* The whole cluster has moved; its names for beginners lead to where it is now. What was in flight
 * counts as with any lost connection. */
static void cluster_that_has_moved(void **state)
{
    (void)state;
    host_topic *t = begin("client.id", "x");
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, t, p, 1);
    run_for(5);
    assert_int_equal(host_produces(&h, 1), 1);
    for (int node = 1; node <= 3; node++)
        kill_node(node);
    for (int node = 1; node <= 3; node++)
        h.moved[node] = node + 8;
    run_for(6000);
    host_expect_line(&h, "LOG warn: no known broker can be reached: " ANEW);
    host_expect_line(&h, "RESOLVE b6:9096");
    for (int node = 9; node <= 11; node++)
        HOST_ANSWER(&h, node, 0);
    host_expect_acked(&h, 4, 6);
    /* Under the old numbers: they may have been stored before. */
    assert_int_equal(host_stats(&h).epoch_bumps, 0);
    host_end(&h);
}

static void one_node_is_left(void **state)
{
    (void)state;
    host_topic *t = begin("client.id", "x");
    kill_node(1);
    kill_node(2);
    host_send(&h, t, 0, 1);
    run_for(5000);
    host_expect_no_line(&h, ANEW);
    host_expect_no_line(&h, "b6");
    host_end(&h);
}

/* None: those that are known are tried, and nobody else. */
static void strategy_none(void **state)
{
    (void)state;
    host_topic *t = begin("metadata.recovery.strategy", "none");
    for (int node = 1; node <= 3; node++)
        kill_node(node);
    host_send(&h, t, 0, 1);
    run_for(20000);
    host_expect_no_line(&h, ANEW);
    host_expect_no_line(&h, "b6");
    revive_all();
    run_for(2000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 4);
    host_end(&h);
}

/* Whoever is at the bootstrap address tells of brokers that cannot be reached: nobody goes round in
 * circles, each door is knocked at as often as its backoff says. */
static void advertised_places_lead_nowhere(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "bootstrap.servers", "b6:9096", "delivery.timeout.ms", "200000",
             NULL);
    h.dead[1] = h.dead[2] = h.dead[3] = true;
    host_topic *t = host_add_topic(&h, "t", 3);
    for (int32_t p = 0; p < 3; p++)
        host_send(&h, t, p, 1);
    run_for(5000);
    host_forget_lines(&h);
    run_for(20000);
    for (int node = 1; node <= 3; node++) {
        char line[32];
        snprintf(line, sizeof line, "CONNECT b%d", node);
        assert_in_range(host_count_lines(&h, line), 10, 30);
    }
    assert_in_range(host_count_lines(&h, "CONNECT b6"), 0, 25);
    revive_all();
    run_for(3000);
    for (int node = 1; node <= 3; node++)
        HOST_ANSWER(&h, node, 0);
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* Brokers are there and answer nothing about the cluster. */
static void questions_in_vain(void **state)
{
    (void)state;
    host_topic *t = begin("metadata.recovery.rebootstrap.trigger.ms", "5000");
    /* All is well: however long, nothing is begun anew. */
    run_for(12000);
    host_expect_no_line(&h, ANEW);
    h.metadata_error = KLOOP_BROKER_COORDINATOR_LOAD_IN_PROGRESS;
    host_send(&h, t, 0, 1);
    run_for(5);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    run_for(4900);
    host_expect_no_line(&h, ANEW);
    run_for(1500);
    host_expect_line(
        &h, "no answer to Metadata for metadata.recovery.rebootstrap.trigger.ms=5000: " ANEW);
    host_expect_line(&h, "RESOLVE b6:9096");
    assert_int_equal(host_count_lines(&h, "LOG warn: no answer to Metadata"), 1);
    run_for(5500);
    assert_int_equal(host_count_lines(&h, "LOG warn: no answer to Metadata"), 2);
    h.metadata_error = 0;
    run_for(3000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 4);
    host_forget_lines(&h);
    run_for(12000);
    host_expect_no_line(&h, ANEW);
    host_end(&h);
}

static void trigger_of_no_time(void **state)
{
    (void)state;
    host_topic *t = begin("metadata.recovery.rebootstrap.trigger.ms", "0");
    h.metadata_error = KLOOP_BROKER_COORDINATOR_LOAD_IN_PROGRESS;
    host_send(&h, t, 0, 1);
    run_for(5);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    run_for(10000);
    assert_in_range(host_count_lines(&h, "LOG warn: no answer to Metadata"), 3, 10);
    host_end(&h);
}

/* Another cluster has taken the place: nothing is sent there. */
static void another_cluster_is_there(void **state)
{
    (void)state;
    host_topic *t = begin("client.id", "x");
    for (int node = 1; node <= 3; node++)
        kill_node(node);
    for (int node = 1; node <= 3; node++)
        h.moved[node] = node + 8;
    h.cluster_id = "theirs";
    host_send(&h, t, 0, 1);
    run_for(5000);
    host_expect_line(&h, "belongs to another cluster, 'theirs', not to 'ours'");
    host_expect_no_produce(&h);
    h.cluster_id = "ours";
    run_for(5000);
    HOST_ANSWER(&h, 9, 0);
    host_expect_acked(&h, 4, 4);
    host_end(&h);
}

/* Asked to begin anew: also connections that are well are closed, and the names asked anew. */
static void asked_for(void **state)
{
    (void)state;
    host_topic *t = begin("metadata.max.age.ms", "1000");
    h.metadata_error = KLOOP_BROKER_REBOOTSTRAP_REQUIRED;
    host_send(&h, t, 0, 1);
    host_run(&h);
    run_for(1500);
    host_expect_line(&h, "REBOOTSTRAP_REQUIRED: " ANEW);
    for (int node = 1; node <= 3; node++)
        assert_null(host_find(&h, node));
    host_expect_line(&h, "RESOLVE b6:9096");
    h.metadata_error = 0;
    run_for(3000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 4);
    host_end(&h);
}

/* With acks and idempotence off as well, and with records that wait for a topic. */
static void parked_records_wait_on(void **state)
{
    (void)state;
    host_topic *t = begin("enable.idempotence", "false");
    (void)t;
    host_topic *late = host_add_topic(&h, "late", 1);
    late->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, late, 0, 2);
    run_for(300);
    for (int node = 1; node <= 3; node++)
        kill_node(node);
    run_for(2000);
    host_expect_line(&h, ANEW);
    revive_all();
    late->error = 0;
    run_for(3000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 5);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cluster_that_has_moved),
        cmocka_unit_test(one_node_is_left),
        cmocka_unit_test(strategy_none),
        cmocka_unit_test(advertised_places_lead_nowhere),
        cmocka_unit_test(questions_in_vain),
        cmocka_unit_test(trigger_of_no_time),
        cmocka_unit_test(another_cluster_is_there),
        cmocka_unit_test(asked_for),
        cmocka_unit_test(parked_records_wait_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
