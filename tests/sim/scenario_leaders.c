/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of leaders and brokers that come and go, and of what a cluster does as a whole. */
#include "tests/sim/scenario.h"

#include <stdio.h>

/* Each partition has been delivered to. */
static void begin(sim *s, int32_t partitions, int16_t replicas)
{
    sim_topic(s, "t", partitions, replicas);
    sim_set(s, "linger.ms", "0");
    sim_start(s);
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

static void to_each(sim *s, int32_t partitions, uint32_t n)
{
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, n);
}

/* ---- Leaders ---- */

/* The last one in sync is lost with its log: what it had acked is gone, and offsets begin again. */
SIM_SCENARIO(unclean_election)
{
    s->plan.lossy = true;
    begin(s, 1, 3);
    static const int32_t alone[] = {1};
    sim_followers(s, true);
    kl_cluster_set_isr(s->brokers.cluster, 0, 0, alone, 1, (int64_t)s->world.now_ns);
    sim_send(s, 0, 50);
    sim_drain(s, 2 * KL_SECOND);
    sim_brokers_kill(s, 1);
    sim_brokers_fail_over(s, 1);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_send(s, 0, 50);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.acked >= 51 + 40, "it goes on with what the new leader has");
    sim_send(s, 0, 10);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, 111)->state == SIM_RECORD_ACKED, "and stays so");
}

SIM_SCENARIO(every_partition_leaderless)
{
    begin(s, 6, 3);
    for (int32_t p = 0; p < 6; p++)
        sim_brokers_move_leader(s, 0, p, KL_NO_NODE);
    to_each(s, 6, 5);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6 && s->ledger.failed == 0, "records wait");
    for (int32_t p = 0; p < 6; p++)
        sim_brokers_move_leader(s, 0, p, 1 + p % 3);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Under load, with five requests under way to the old ones. */
SIM_SCENARIO(hundred_leaders_move)
{
    s->plan.pipelined = true;
    sim_set(s, "batch.size", "300");
    begin(s, 100, 3);
    s->plan.answer_delay_ns = 20 * KL_MS;
    for (int32_t round = 1; round <= 3; round++) {
        to_each(s, 100, 6);
        sim_go(s, 5 * KL_MS);
        for (int32_t p = 0; p < 100; p++)
            sim_brokers_move_leader(s, 0, p, 1 + (p + round) % 3);
        to_each(s, 100, 3);
        sim_go(s, 200 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* What the old leader was sent and the new one never got is sent there first. */
SIM_SCENARIO(answers_of_two_leaders)
{
    s->plan.pipelined = true;
    sim_set(s, "batch.size", "200");
    begin(s, 1, 3);
    sim_answers_order(s, &(sim_order){.api_key = KLOOP_PRODUCE,
                                      .count = 1,
                                      .fate = {.answer_delay_ns = (int64_t)(800 * KL_MS)},
                                      .node = 1});
    for (int i = 0; i < 10; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_go(s, 10 * KL_MS);
    sim_brokers_move_leader(s, 0, 0, 2);
    for (int i = 0; i < 10; i++) {
        sim_send_sized(s, 0, 1, 150);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Brokers ---- */

SIM_SCENARIO(no_controller)
{
    begin(s, 3, 3);
    kl_cluster_set_controller(s->brokers.cluster, KL_NO_NODE);
    for (int i = 0; i < 20; i++) {
        to_each(s, 3, 2);
        sim_go(s, 100 * KL_MS);
    }
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "a producer needs none");
}

SIM_SCENARIO(broker_removed)
{
    sim_set(s, "metadata.max.age.ms", "500");
    begin(s, 3, 3);
    sim_brokers_kill(s, 3);
    sim_brokers_fail_over(s, 3);
    to_each(s, 3, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    size_t before = s->links.count;
    for (int i = 0; i < 30; i++) {
        to_each(s, 3, 1);
        sim_go(s, KL_SECOND);
    }
    sim_expect(s, s->links.count <= before + 1, "nobody looks for it any more");
}

static void move_house(sim *s, int32_t node)
{
    char host[24];
    snprintf(host, sizeof host, "node-%d-new", (int)node);
    kl_cluster_set_address(s->brokers.cluster, node, host, SIM_PORT, NULL);
}

SIM_SCENARIO(broker_moves_house)
{
    sim_set(s, "metadata.max.age.ms", "300");
    begin(s, 3, 3);
    uint64_t before = sim_stats(s).disconnects;
    move_house(s, 2);
    for (int i = 0; i < 10; i++) {
        to_each(s, 3, 2);
        sim_go(s, 100 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == before + 1, "the old connection is closed");
}

/* What is known of brokers leads nowhere any more: only bootstrap.servers does. */
static void nowhere(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_METADATA)
        return;
    kloop_metadata_broker *all = sim_elements(&r->brokers);
    for (int32_t i = 0; i < r->brokers.count; i++)
        all[i].host = (kloop_string){"gone", 4};
}

SIM_SCENARIO(whole_cluster_moves)
{
    sim_set(s, "metadata.max.age.ms", "300");
    begin(s, 3, 3);
    sim_answers_pass(s, nowhere);
    sim_go(s, 500 * KL_MS);
    for (int32_t node = 1; node <= 3; node++) {
        move_house(s, node);
        sim_readdress(s, node);
    }
    to_each(s, 3, 5);
    sim_go(s, 2 * KL_SECOND);
    sim_answers_pass(s, NULL);
    sim_drain(s, 7 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->links.count < 60, "without going in circles");
}

SIM_SCENARIO(release_changes)
{
    begin(s, 3, 3);
    static const int16_t produce[] = {12, 9, 5, 3, 13};
    static const int16_t metadata[] = {12, 8, 5, 4, 13};
    for (int i = 0; i < 5; i++)
        for (int32_t node = 1; node <= 3; node++) {
            sim_brokers_kill(s, node);
            kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_PRODUCE, 3, produce[i]);
            kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_METADATA, 0, metadata[i]);
            to_each(s, 3, 2);
            sim_go(s, 300 * KL_MS);
            sim_brokers_revive(s, node);
            to_each(s, 3, 2);
            sim_go(s, 300 * KL_MS);
        }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Followers fetch nothing for a while: acks=all has to wait, and five requests are all there is. */
SIM_SCENARIO(followers_stall)
{
    s->plan.pipelined = true;
    sim_set(s, "batch.size", "300");
    begin(s, 1, 3);
    sim_followers(s, true);
    uint64_t before = s->book.produce_requests;
    for (int i = 0; i < 60; i++)
        sim_send_sized(s, 0, 1, 200);
    sim_go(s, 2 * KL_SECOND);
    sim_expect(s, s->book.produce_requests - before == 5, "five requests wait, never six");
    sim_followers(s, false);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 0, "waiting is no reason to reconnect");
}

SIM_SCENARIO(disk_full)
{
    begin(s, 1, 3);
    uint64_t asked = s->book.metadata_requests;
    sim_next_error(s, 56, false, 4);
    sim_send(s, 0, 10);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->book.metadata_requests > asked, "perhaps another one leads by now");
}

/* Ten minutes of it: each attempt costs a Produce and a Metadata request, with pauses. */
SIM_SCENARIO(ten_minutes_not_leader)
{
    sim_set(s, "delivery.timeout.ms", "600000");
    begin(s, 1, 3);
    sim_next_error(s, 6, false, 1000000);
    uint64_t before = s->brokers.requests;
    sim_send(s, 0, 10);
    sim_drain(s, 601 * KL_SECOND);
    sim_expect(s, s->brokers.requests - before < 3000, "asked again with pauses");
    sim_expect(s, s->brokers.requests - before > 500, "but asked again");
    sim_expect(s, s->ledger.unknown == 10, "such an answer can come after the append too");
}
