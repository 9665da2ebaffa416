/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of topics with settings of their own, and of several codecs. */
#include "tests/sim/scenario.h"

#include <stdio.h>

/* Said before the start. */
static void own(sim *s, int topic, const char *key, const char *value)
{
    sim_topic_plan *t = &s->plan.topics[topic];
    t->set_keys[t->set_count] = key;
    snprintf(t->set_values[t->set_count++], sizeof t->set_values[0], "%s", value);
}

static void go_on(sim *s, uint64_t ns)
{
    sim_host_wake(s);
    sim_go(s, ns);
}

/* ---- Linger, size, codec ---- */

/* What is urgent does not wait with the rest, and is compressed otherwise. */
SIM_SCENARIO(topic_with_its_own_linger)
{
    sim_set(s, "linger.ms", "500");
    sim_set(s, "compression.type", "gzip");
    /* At different leaders: with what is due, others of the same leader go along. */
    sim_cluster(s, 2);
    sim_topic(s, "bulk", 1, 1);
    sim_topic(s, "urgent", 2, 1);
    own(s, 1, "linger.ms", "0");
    own(s, 1, "compression.type", "lz4");
    own(s, 1, "batch.size", "2000");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_send_to(s, 1, 1, 1);
    sim_drain(s, 2 * KL_SECOND);
    sim_send_sized(s, 0, 30, 100);
    sim_send_to(s, 1, 1, 30);
    go_on(s, 100 * KL_MS);
    sim_expect(s, s->ledger.acked == 32, "what is urgent was delivered, the rest still waits");
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void set_now(sim *s, int topic, const char *key, const char *value)
{
    kloop_error error;
    if (kloop_topic_set(s->user.topics[topic], key, value, &error))
        sim_fail(s, "scenario", "%s", error.text);
}

/* In the middle of the traffic, back and forth. */
SIM_SCENARIO(settings_change_under_load)
{
    static const char *const codecs[] = {"none", "zstd,lz4,none", "gzip", "snappy", "lz4,none"};
    static const char *const lingers[] = {"0", "20", "3"};
    static const char *const sizes[] = {"1000000", "0", "700", "5000"};
    sim_topic(s, "t", 4, 3);
    sim_start(s);
    s->plan.topics[0].codecs = UINT32_MAX;
    s->plan.topics[0].linger_ns = 20 * KL_MS;
    sim_send(s, 0, 1);
    sim_drain(s, 2 * KL_SECOND);
    for (int i = 0; i < 60; i++) {
        set_now(s, 0, "compression.type", codecs[i % 5]);
        set_now(s, 0, "linger.ms", lingers[i % 3]);
        set_now(s, 0, "batch.size", sizes[i % 4]);
        sim_send_sized(s, 0, 20, 150);
        go_on(s, (uint64_t)(i % 7) * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Shares ---- */

/* The leader of one topic stands still: its share is used up, and the other topic does not notice.
 */
SIM_SCENARIO(topic_at_its_limit)
{
    sim_cluster(s, 2);
    sim_set(s, "max.request.size", "20000");
    sim_set(s, "buffer.memory", "2000000");
    sim_set(s, "linger.ms", "0");
    sim_topic(s, "slow", 1, 1);
    sim_topic(s, "fast", 2, 1);
    own(s, 0, "buffer.memory", "100000");
    sim_start(s);
    sim_send_to(s, 0, 0, 1);
    sim_send_to(s, 1, 1, 1);
    sim_drain(s, 2 * KL_SECOND);
    sim_stall(s, 1, 2 * KL_SECOND);
    uint64_t full = sim_stats(s).refused_full;
    for (int i = 0; i < 60; i++) {
        if (sim_stats(s).refused_full == full)
            sim_send_sized(s, 0, 20, 500);
        for (int n = 0; n < 20; n++)
            sim_send_to(s, 1, 1, 1);
        go_on(s, 20 * KL_MS);
    }
    sim_expect(s, sim_stats(s).refused_full > full, "the slow topic has met its limit");
    sim_expect(s, sim_stats(s).held_bytes < 300000, "and no more is held for it");
    sim_expect(s, s->ledger.acked >= 2 + 1100, "the other one goes on");
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_send(s, 0, 10);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Codecs ---- */

static void without_zstd(sim *s, int32_t node)
{
    kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_PRODUCE, 3, 6);
    s->brokers.without_zstd[node] = true;
}

/* Each leader gets what it takes, and what was folded for another one is folded anew. */
SIM_SCENARIO(old_broker_among_new)
{
    sim_set(s, "compression.type", "zstd,lz4,none");
    sim_set(s, "linger.ms", "5");
    sim_topic(s, "t", 3, 3);
    sim_brokers_start(s);
    without_zstd(s, 2);
    sim_user_open(s);
    for (int round = 0; round < 12; round++) {
        for (int32_t p = 0; p < 3; p++)
            sim_send_to(s, 0, p, 40);
        go_on(s, 6 * KL_MS);
        if (round % 3 == 2)
            for (int32_t p = 0; p < 3; p++)
                sim_brokers_move_leader(s, 0, p, 1 + (p + round / 3) % 3);
        go_on(s, 30 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* The answer is lost, and the leader is an old one then: the same numbers, in other bytes. */
SIM_SCENARIO(older_leader_after_a_lost_answer)
{
    sim_set(s, "compression.type", "zstd,gzip");
    sim_set(s, "linger.ms", "5");
    sim_topic(s, "t", 1, 3);
    sim_brokers_start(s);
    without_zstd(s, 2);
    without_zstd(s, 3);
    sim_user_open(s);
    sim_send(s, 0, 10);
    sim_drain(s, 2 * KL_SECOND);
    for (int32_t round = 0; round < 4; round++) {
        sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
        sim_send_sized(s, 0, 30, 200);
        go_on(s, 20 * KL_MS);
        sim_brokers_move_leader(s, 0, 0, 1 + (round + 1) % 3);
        sim_drain(s, 5 * KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A broker of another make: it answers with what Kafka says to zstd in an old version. */
SIM_SCENARIO(codec_refused_and_another_left)
{
    sim_set(s, "compression.type", "lz4,gzip,none");
    sim_topic(s, "t", 2, 1);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, 2 * KL_SECOND);
    for (int i = 0; i < 6; i++) {
        sim_next_error(s, 76, false, 1);
        sim_send_sized(s, 0, 60, 300);
        go_on(s, 10 * KL_MS);
        sim_send_sized(s, 0, 60, 300);
        sim_drain(s, 5 * KL_SECOND);
        sim_no_more(s);
        /* What is known of a broker ends with its connection. */
        if (i % 2)
            sim_reset(s, KL_NO_NODE);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}
