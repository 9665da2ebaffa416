/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several brokers: acks=all waits for followers, leaders move, what was not copied is lost, brokers
 * that know an old world act by it.
 */
#include "tests/support/broker_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct loss {
    int64_t offsets[16];
    int32_t nodes[16];
    bool everywhere[16];
    size_t count;
} loss;

static void on_truncate(void *user, int32_t node_id, const kl_stored_batch *batch, bool everywhere)
{
    loss *l = user;
    assert_true(l->count < 16);
    l->offsets[l->count] = batch->base_offset;
    l->nodes[l->count] = node_id;
    l->everywhere[l->count++] = everywhere;
}

typedef struct world {
    kl_cluster *c;
    int32_t topic;  /* one partition on brokers 1, 2, 3 */
    kl_client a[4]; /* by node id */
    loss lost;
} world;

static void open_world(world *w, kl_cluster_config *config)
{
    memset(w, 0, sizeof *w);
    config->hooks.user = &w->lost;
    config->hooks.on_truncate = on_truncate;
    w->c = kl_client_cluster(config);
    w->topic = kl_client_topic(w->c, "events", 1, 3);
    for (int32_t id = 1; id <= 3; id++)
        kl_client_open(&w->a[id], w->c, id);
}

static void open_plain(world *w)
{
    kl_cluster_config config = kl_client_config(3);
    open_world(w, &config);
}

static void close_world(world *w)
{
    for (int32_t id = 1; id <= 3; id++)
        kl_client_close(&w->a[id]);
    kl_cluster_del(w->c);
}

static kloop_slice some(int32_t count)
{
    return kl_client_batch(&(kl_client_batch_spec){.count = count});
}

static kloop_slice sequenced(int32_t sequence)
{
    return kl_client_batch(&(kl_client_batch_spec){
        .idempotent = true, .producer_id = 7, .sequence = sequence, .timestamp = 1700000000000});
}

static void send(world *w, int32_t node_id, kloop_slice batch, int16_t acks)
{
    kl_client_produce_acks(&w->a[node_id], 12, "events", 0, batch, acks, 1000);
}

static int16_t put(world *w, int32_t node_id, kloop_slice batch, int16_t acks)
{
    send(w, node_id, batch, acks);
    return kl_client_produced(&w->a[node_id], 12);
}

static size_t log_count(const world *w, int32_t node_id)
{
    return kl_cluster_log_count(w->c, w->topic, 0, node_id);
}

static void elect(world *w, int32_t node_id)
{
    kl_cluster_elect(w->c, w->topic, 0, node_id, kl_client_now);
}

static void set_isr(world *w, const int32_t *nodes, int32_t count)
{
    assert_int_equal(kl_cluster_set_isr(w->c, w->topic, 0, nodes, count, kl_client_now),
                     KL_CLUSTER_OK);
}

/* ---- acks=all ---- */

static void without_delay_all_have_it_at_once(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(put(&w, 1, some(2), -1), 0);
    for (int32_t id = 1; id <= 3; id++)
        assert_int_equal(log_count(&w, id), 1);
    assert_ptr_equal(kl_cluster_log_at(w.c, w.topic, 0, 1, 0),
                     kl_cluster_log_at(w.c, w.topic, 0, 3, 0));
    assert_int_equal(kl_client_watermark(w.c, w.topic, 0), 2);
    close_world(&w);
}

static void acks_all_waits_for_the_followers(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(3);
    config.replication_delay_ns = 20 * KL_CLIENT_MS;
    world w;
    open_world(&w, &config);
    kl_client_wait(w.c, 100);
    send(&w, 1, some(2), -1);
    assert_false(kl_client_take(&w.a[1]));
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 2);
    assert_int_equal(kl_client_watermark(w.c, w.topic, 0), 0);
    assert_int_equal(kl_cluster_deadline(w.c), 120 * KL_CLIENT_MS);
    kl_client_wait(w.c, 19);
    assert_false(kl_client_take(&w.a[1]));
    kl_client_wait(w.c, 1);
    assert_int_equal(kl_client_produced(&w.a[1], 12), 0);
    assert_int_equal(w.a[1].produced_partition.base_offset, 0);
    assert_int_equal(kl_client_watermark(w.c, w.topic, 0), 2);
    /* acks=1 does not wait. */
    assert_int_equal(put(&w, 1, some(1), 1), 0);
    assert_int_equal(log_count(&w, 2), 1);
    close_world(&w);
}

static void a_timeout_is_answered_although_it_is_stored(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    send(&w, 1, sequenced(0), -1);
    assert_int_equal(kl_cluster_deadline(w.c), 1000 * KL_CLIENT_MS);
    kl_client_wait(w.c, 999);
    assert_false(kl_client_take(&w.a[1]));
    kl_client_wait(w.c, 1);
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_REQUEST_TIMED_OUT);
    assert_int_equal(w.a[1].produced_partition.base_offset, 0);
    assert_int_equal(w.a[1].produced_partition.log_start_offset, 0);
    assert_int_equal(log_count(&w, 1), 1);
    /* The retry is the same batch again, and waits too. */
    send(&w, 1, sequenced(0), -1);
    assert_false(kl_client_take(&w.a[1]));
    kl_cluster_stall_follower(w.c, 3, false, kl_client_now);
    assert_int_equal(kl_client_produced(&w.a[1], 12), 0);
    assert_int_equal(w.a[1].produced_partition.base_offset, 0);
    assert_int_equal(log_count(&w, 1), 1);
    close_world(&w);
}

static void a_timeout_of_nothing_is_one_at_once(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    kl_client_produce_acks(&w.a[1], 12, "events", 0, some(1), -1, 0);
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_REQUEST_TIMED_OUT);
    close_world(&w);
}

static void a_shrunken_isr_waits_for_fewer(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    send(&w, 1, some(1), -1);
    assert_false(kl_client_take(&w.a[1]));
    set_isr(&w, (const int32_t[]){1, 2}, 2);
    assert_int_equal(kl_client_produced(&w.a[1], 12), 0);
    /* Back again it has all, also what it did not copy by itself. */
    assert_int_equal(log_count(&w, 3), 0);
    set_isr(&w, (const int32_t[]){2, 3, 1}, 3);
    assert_int_equal(log_count(&w, 3), 1);
    close_world(&w);
}

static void too_small_an_isr_is_refused(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(3);
    config.min_isr = 2;
    world w;
    open_world(&w, &config);
    set_isr(&w, (const int32_t[]){1}, 1);
    assert_int_equal(put(&w, 1, some(1), -1), KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    assert_int_equal(w.a[1].produced_partition.log_start_offset, 0);
    assert_int_equal(log_count(&w, 1), 0);
    assert_int_equal(put(&w, 1, some(1), 1), 0);
    set_isr(&w, (const int32_t[]){1, 2}, 2);
    assert_int_equal(put(&w, 1, some(1), -1), 0);
    /* Never more than a topic has replicas. */
    int32_t lone = kl_client_topic(w.c, "lone", 1, 1);
    assert_int_equal(kl_client_put(&w.a[1], "lone", 0, some(1)), 0);
    assert_int_equal(kl_client_watermark(w.c, lone, 0), 1);
    close_world(&w);
}

/* The ISR gets too small while the request waits: brokers from 4.0 on, and those before. */
static void expect_too_small_later(bool old, int16_t error)
{
    kl_cluster_config config = kl_client_config(3);
    config.min_isr = 2;
    config.old_min_isr = old;
    world w;
    open_world(&w, &config);
    kl_cluster_stall_follower(w.c, 2, true, kl_client_now);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    send(&w, 1, some(1), -1);
    set_isr(&w, (const int32_t[]){1}, 1);
    if (!old) {
        assert_false(kl_client_take(&w.a[1]));
        kl_client_wait(w.c, 1000);
    }
    assert_int_equal(kl_client_produced(&w.a[1], 12), error);
    assert_int_equal(log_count(&w, 1), 1);
    close_world(&w);
}

static void an_isr_that_gets_too_small_later(void **state)
{
    (void)state;
    expect_too_small_later(true, KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND);
    expect_too_small_later(false, KLOOP_BROKER_REQUEST_TIMED_OUT);
}

/* ---- Leaders ---- */

static void who_does_not_lead_says_who_does(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_set_address(w.c, 2, "two.example", 9999, "r2");
    elect(&w, 2);
    kl_client_produce(&w.a[1], 12, "events", 0, some(1));
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a[1].produced_partition.current_leader.leader_id, 2);
    assert_int_equal(w.a[1].produced_partition.current_leader.leader_epoch, 1);
    assert_int_equal(w.a[1].produced_partition.log_start_offset, -1);
    assert_int_equal(w.a[1].produced.node_endpoints.count, 1);
    kloop_node_endpoint e;
    kloop_iter i = kloop_iterate(&w.a[1].produced.node_endpoints);
    assert_true(kloop_next(&i, &e));
    assert_int_equal(e.node_id, 2);
    assert_int_equal(e.port, 9999);
    assert_memory_equal(e.host.data, "two.example", 11);
    assert_memory_equal(e.rack.data, "r2", 2);
    /* Before version 10 there is no place for it. */
    kl_client_produce(&w.a[1], 9, "events", 0, some(1));
    assert_int_equal(kl_client_produced(&w.a[1], 9), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a[1].produced_partition.current_leader.leader_id, -1);
    /* Nobody leads. */
    elect(&w, KL_NO_NODE);
    kl_client_produce(&w.a[2], 13, "events", 0, some(1));
    assert_int_equal(kl_client_produced(&w.a[2], 13), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a[2].produced_partition.current_leader.leader_id, -1);
    assert_int_equal(w.a[2].produced_partition.current_leader.leader_epoch, 2);
    assert_int_equal(w.a[2].produced.node_endpoints.count, 0);
    close_world(&w);
}

static void who_waits_is_told_when_the_leader_moves(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    send(&w, 1, sequenced(0), -1);
    elect(&w, 2);
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a[1].produced_partition.base_offset, 0);
    assert_int_equal(w.a[1].produced_partition.current_leader.leader_id, 2);
    /* It was copied in time: the new leader knows the batch and the producer. */
    assert_int_equal(log_count(&w, 2), 1);
    kl_cluster_stall_follower(w.c, 3, false, kl_client_now);
    assert_int_equal(put(&w, 2, sequenced(0), -1), 0);
    assert_int_equal(w.a[2].produced_partition.base_offset, 0);
    assert_int_equal(put(&w, 2, sequenced(1), -1), 0);
    assert_int_equal(log_count(&w, 1), 2);
    assert_int_equal(w.lost.count, 0);
    close_world(&w);
}

static void a_deleted_topic_lets_nobody_wait(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    send(&w, 1, some(1), -1);
    kl_cluster_delete_topic(w.c, w.topic, kl_client_now);
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
    close_world(&w);
}

static void what_was_not_copied_is_lost_in_an_unclean_election(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(put(&w, 1, sequenced(0), -1), 0);
    kl_cluster_stall_follower(w.c, 2, true, kl_client_now);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    set_isr(&w, (const int32_t[]){1}, 1);
    /* Acknowledged, with acks=1 and then even by the whole ISR. */
    assert_int_equal(put(&w, 1, sequenced(1), 1), 0);
    assert_int_equal(put(&w, 1, sequenced(2), -1), 0);
    assert_int_equal(kl_client_watermark(w.c, w.topic, 0), 3);
    elect(&w, 3);
    assert_int_equal(kl_cluster_count(w.c).unclean, 1);
    assert_int_equal(w.lost.count, 2);
    assert_int_equal(w.lost.offsets[0], 2);
    assert_int_equal(w.lost.nodes[0], 1);
    assert_true(w.lost.everywhere[0] && w.lost.everywhere[1]);
    assert_int_equal(kl_cluster_count(w.c).lost_batches, 2);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 1);
    kl_cluster_stall_follower(w.c, 2, false, kl_client_now);
    kl_cluster_stall_follower(w.c, 3, false, kl_client_now);
    /* The producers' state went with it: what follows the lost ones is out of order. */
    assert_int_equal(put(&w, 3, sequenced(3), -1), KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(put(&w, 3, sequenced(1), -1), 0);
    assert_int_equal(w.a[3].produced_partition.base_offset, 1);
    close_world(&w);
}

static void logs_that_diverged_become_the_same(void **state)
{
    (void)state;
    kl_cluster_config config = kl_client_config(3);
    config.replication_delay_ns = 10 * KL_CLIENT_MS;
    world w;
    open_world(&w, &config);
    assert_int_equal(put(&w, 1, sequenced(0), 1), 0);
    kl_client_wait(w.c, 20);
    assert_int_equal(put(&w, 1, sequenced(1), 1), 0);
    /* A clean election, but what acks=1 had is lost. */
    elect(&w, 2);
    assert_int_equal(kl_cluster_count(w.c).unclean, 0);
    assert_int_equal(put(&w, 2, sequenced(1), 1), 0);
    kl_client_wait(w.c, 20);
    assert_int_equal(w.lost.count, 1);
    assert_int_equal(w.lost.nodes[0], 1);
    assert_int_equal(w.lost.offsets[0], 1);
    for (int32_t id = 1; id <= 3; id++) {
        assert_int_equal(log_count(&w, id), 2);
        assert_ptr_equal(kl_cluster_log_at(w.c, w.topic, 0, id, 1),
                         kl_cluster_log_at(w.c, w.topic, 0, 2, 1));
    }
    assert_int_equal(kl_client_watermark(w.c, w.topic, 0), 2);
    close_world(&w);
}

/* ---- Brokers that know an old world ---- */

static void a_leader_that_does_not_know_it_is_none_any_more(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(put(&w, 1, sequenced(0), -1), 0);
    assert_int_equal(kl_cluster_freeze_view(w.c, 1), KL_CLUSTER_OK);
    elect(&w, 2);
    /* It goes on taking records; nobody copies them. */
    assert_int_equal(put(&w, 1, sequenced(1), 1), 0);
    send(&w, 1, sequenced(2), -1);
    assert_false(kl_client_take(&w.a[1]));
    /* The true leader is another. */
    assert_int_equal(put(&w, 2, some(5), 1), 0);
    assert_int_equal(kl_client_next_offset(w.c, w.topic, 0), 6);
    assert_int_equal(log_count(&w, 1), 3);
    assert_int_equal(log_count(&w, 3), 2);
    kl_cluster_thaw_view(w.c, 1, kl_client_now);
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.lost.count, 2);
    assert_int_equal(log_count(&w, 1), 2);
    assert_ptr_equal(kl_cluster_log_at(w.c, w.topic, 0, 1, 1),
                     kl_cluster_log_at(w.c, w.topic, 0, 2, 1));
    close_world(&w);
}

/* The simulator lost an acknowledged record here: a leader of before took what its follower has
 * appended since as a leader for a copy of its own. */
static void a_follower_that_leads_meanwhile_counts_for_nobody(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(put(&w, 1, sequenced(0), -1), 0);
    set_isr(&w, (const int32_t[]){1, 2}, 2);
    assert_int_equal(kl_cluster_freeze_view(w.c, 1), KL_CLUSTER_OK);
    elect(&w, 2);
    assert_int_equal(put(&w, 2, some(5), 1), 0);
    /* The other one has more than it has, and followed it last in the epoch that it knows. */
    send(&w, 1, sequenced(1), -1);
    assert_false(kl_client_take(&w.a[1]));
    kl_cluster_thaw_view(w.c, 1, kl_client_now);
    assert_int_equal(kl_client_produced(&w.a[1], 12), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    close_world(&w);
}

static void a_leader_that_does_not_know_it_is_one(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(kl_cluster_freeze_view(w.c, 2), KL_CLUSTER_OK);
    elect(&w, 2);
    assert_int_equal(put(&w, 2, some(1), 1), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a[2].produced_partition.current_leader.leader_id, 1);
    assert_int_equal(put(&w, 1, some(1), 1), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(w.a[1].produced_partition.current_leader.leader_id, 2);
    kl_cluster_thaw_view(w.c, 2, kl_client_now);
    assert_int_equal(put(&w, 2, some(1), -1), 0);
    close_world(&w);
}

/* ---- Brokers that die ---- */

static void a_dead_broker_takes_its_requests_with_it(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_stall_follower(w.c, 3, true, kl_client_now);
    send(&w, 1, sequenced(0), -1);
    kl_cluster_broker_down(w.c, 1, kl_client_now);
    assert_false(kl_cluster_broker_is_up(w.c, 1));
    assert_true(kl_client_is_closed(&w.a[1]));
    assert_false(kl_client_take(&w.a[1]));
    assert_null(kl_peer_open(w.c, 1, NULL, kl_client_now));
    assert_int_equal(kl_cluster_deadline(w.c), KL_CLUSTER_NEVER);
    /* Its log is still there, and the controller makes the next in the ISR the leader. */
    assert_int_equal(log_count(&w, 1), 1);
    kl_cluster_fail_over(w.c, 1, kl_client_now);
    kl_partition_info info;
    kl_cluster_partition_info(w.c, w.topic, 0, &info);
    assert_int_equal(info.leader, 2);
    assert_int_equal(info.leader_epoch, 1);
    assert_int_equal(info.isr_count, 2);
    kl_cluster_stall_follower(w.c, 3, false, kl_client_now);
    assert_int_equal(put(&w, 2, sequenced(0), -1), 0);
    assert_int_equal(put(&w, 2, sequenced(1), -1), 0);
    /* Back again it follows, and then is in the ISR. */
    kl_cluster_broker_up(w.c, 1, kl_client_now);
    assert_int_equal(log_count(&w, 1), 2);
    kl_cluster_rejoin(w.c, 1, kl_client_now);
    kl_cluster_partition_info(w.c, w.topic, 0, &info);
    assert_int_equal(info.isr_count, 3);
    assert_int_equal(info.leader, 2);
    close_world(&w);
}

/* A real cluster showed it: the order of the ISR, in which broker 2 is last by then, is of no
 * account. */
static void replicas_lead_in_their_order(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    kl_cluster_broker_down(w.c, 2, kl_client_now);
    kl_cluster_fail_over(w.c, 2, kl_client_now);
    kl_cluster_broker_up(w.c, 2, kl_client_now);
    kl_cluster_rejoin(w.c, 2, kl_client_now);
    kl_cluster_broker_down(w.c, 1, kl_client_now);
    kl_cluster_fail_over(w.c, 1, kl_client_now);
    kl_partition_info info;
    kl_cluster_partition_info(w.c, w.topic, 0, &info);
    assert_int_equal(info.isr[0], 3);
    assert_int_equal(info.leader, 2);
    close_world(&w);
}

static void the_last_of_the_isr_is_waited_for(void **state)
{
    (void)state;
    world w;
    open_plain(&w);
    assert_int_equal(put(&w, 1, some(1), -1), 0);
    set_isr(&w, (const int32_t[]){1}, 1);
    kl_cluster_broker_down(w.c, 1, kl_client_now);
    kl_cluster_fail_over(w.c, 1, kl_client_now);
    kl_partition_info info;
    kl_cluster_partition_info(w.c, w.topic, 0, &info);
    assert_int_equal(info.leader, KL_NO_NODE);
    assert_int_equal(info.isr_count, 0);
    assert_int_equal(info.next_offset, 1);
    kl_cluster_broker_up(w.c, 1, kl_client_now);
    kl_cluster_rejoin(w.c, 1, kl_client_now);
    kl_cluster_partition_info(w.c, w.topic, 0, &info);
    assert_int_equal(info.leader, 1);
    assert_int_equal(info.leader_epoch, 2);
    assert_int_equal(info.isr_count, 1);
    assert_int_equal(kl_cluster_count(w.c).unclean, 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_delay_all_have_it_at_once),
        cmocka_unit_test(acks_all_waits_for_the_followers),
        cmocka_unit_test(a_timeout_is_answered_although_it_is_stored),
        cmocka_unit_test(a_timeout_of_nothing_is_one_at_once),
        cmocka_unit_test(a_shrunken_isr_waits_for_fewer),
        cmocka_unit_test(too_small_an_isr_is_refused),
        cmocka_unit_test(an_isr_that_gets_too_small_later),
        cmocka_unit_test(who_does_not_lead_says_who_does),
        cmocka_unit_test(who_waits_is_told_when_the_leader_moves),
        cmocka_unit_test(a_deleted_topic_lets_nobody_wait),
        cmocka_unit_test(what_was_not_copied_is_lost_in_an_unclean_election),
        cmocka_unit_test(logs_that_diverged_become_the_same),
        cmocka_unit_test(a_leader_that_does_not_know_it_is_none_any_more),
        cmocka_unit_test(a_follower_that_leads_meanwhile_counts_for_nobody),
        cmocka_unit_test(a_leader_that_does_not_know_it_is_one),
        cmocka_unit_test(a_dead_broker_takes_its_requests_with_it),
        cmocka_unit_test(replicas_lead_in_their_order),
        cmocka_unit_test(the_last_of_the_isr_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
