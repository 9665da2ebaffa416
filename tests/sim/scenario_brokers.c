/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of brokers that die, move, refuse, stall, or are old. */
#include "tests/sim/scenario.h"

/* The leader dies with a request half written; the batch must reach the new leader once. */
SIM_SCENARIO(leader_dies_mid_write)
{
    sim_topic(s, "t", 1, 3);
    sim_start(s);
    sim_go(s, 200 * KL_MS);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_cut_after(s, 1, 700);
    sim_send(s, 0, 100);
    sim_go(s, 10 * KL_MS);
    sim_brokers_kill(s, 1);
    sim_go(s, 300 * KL_MS);
    sim_brokers_fail_over(s, 1);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(answer_lost)
{
    sim_topic(s, "t", 1, 3);
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_send(s, 0, 20);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 1, "the batch is sent twice");
}

SIM_SCENARIO(half_an_answer)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_TRUNCATE, .keep_bytes = 9});
    sim_send(s, 0, 20);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(leader_moves)
{
    sim_topic(s, "t", 2, 3);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "500");
    sim_start(s);
    for (int i = 0; i < 30; i++) {
        sim_send(s, 0, 10);
        sim_go(s, 10 * KL_MS);
        if (i % 7 == 3)
            sim_brokers_move_leader(s, 0, i & 1, 1 + (i / 7 + (i & 1) + 1) % 3);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(no_leader)
{
    sim_topic(s, "t", 2, 3);
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    sim_send_to(s, 0, 0, 10);
    sim_send_to(s, 0, 1, 10);
    sim_go(s, KL_SECOND);
    sim_expect(s, s->ledger.acked == 10, "the other partition is delivered");
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(stalled_broker)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    sim_send_to(s, 0, 0, 1);
    sim_send_to(s, 0, 1, 1);
    sim_send_to(s, 0, 2, 1);
    sim_drain(s, KL_SECOND);
    sim_hole(s, 1);
    for (int i = 0; i < 20; i++) {
        for (int32_t p = 0; p < 3; p++)
            sim_send_to(s, 0, p, 2);
        sim_go(s, 50 * KL_MS);
    }
    sim_expect(s, s->ledger.acked >= 33 + 76, "two of three brokers go on as if nothing were");
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(isr_too_small)
{
    static const int32_t alone[] = {1};
    static const int32_t all[] = {1, 2, 3};
    sim_topic(s, "t", 1, 3);
    s->plan.min_isr = 2;
    sim_start(s);
    kl_cluster_set_isr(s->brokers.cluster, 0, 0, alone, 1, (int64_t)s->world.now_ns);
    sim_send(s, 0, 10);
    sim_go(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 0, "nothing is stored");
    kl_cluster_set_isr(s->brokers.cluster, 0, 0, all, 3, (int64_t)s->world.now_ns);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(rolling_restart)
{
    sim_topic(s, "t", 6, 3);
    sim_start(s);
    for (int i = 0; i < 120; i++) {
        sim_send(s, 0, 20);
        sim_go(s, 100 * KL_MS);
        if (i % 40 == 10) {
            sim_brokers_kill(s, 1 + i / 40);
            sim_brokers_fail_over(s, 1 + i / 40);
        }
        if (i % 40 == 30)
            sim_brokers_revive(s, 1 + i / 40);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(all_down)
{
    sim_topic(s, "t", 3, 3);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_kill(s, node);
    sim_send(s, 0, 30);
    sim_go(s, 6 * KL_SECOND);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_revive(s, node);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->links.count < 80, "attempts to connect are paced");
}

SIM_SCENARIO(throttled)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.throttle_ms = 2000});
    sim_send(s, 0, 1);
    sim_drain(s, 300 * KL_MS);
    sim_send(s, 0, 1);
    sim_go(s, 1500 * KL_MS);
    sim_expect(s, s->book.produce_requests == 1, "what comes next waits");
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(old_versions)
{
    sim_cluster(s, 2);
    sim_topic(s, "t", 4, 2);
    sim_brokers_start(s);
    for (int32_t node = 1; node <= 2; node++) {
        kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_PRODUCE, 3, 5);
        kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_METADATA, 0, 5);
        kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_INIT_PRODUCER_ID, 0, 0);
        kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_API_VERSIONS, 0, 1);
    }
    sim_user_open(s);
    sim_send(s, 0, 100);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(version_refused)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    sim_brokers_start(s);
    kl_cluster_set_versions(s->brokers.cluster, 1, KLOOP_API_VERSIONS, 0, 3);
    sim_user_open(s);
    sim_send(s, 0, 10);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(reset_in_handshake)
{
    sim_topic(s, "t", 1, 1);
    s->plan.answer_delay_ns = 20 * KL_MS;
    sim_start(s);
    sim_send(s, 0, 5);
    for (int i = 0; i < 40; i++) {
        sim_go(s, 10 * KL_MS);
        sim_reset(s, KL_NO_NODE);
    }
    sim_expect(s, s->book.produce_requests == 0, "nobody was reached yet");
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
