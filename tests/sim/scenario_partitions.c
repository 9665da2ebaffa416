/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of where records go: away from who is slow, and with a key never anywhere else. */
#include "tests/sim/scenario.h"

#define PARTITIONS 6

/* Partition p is led by node p % 3 + 1. */
static void begin(sim *s, int16_t replicas)
{
    sim_set(s, "linger.ms", "0");
    sim_topic(s, "t", PARTITIONS, replicas);
    sim_start(s);
    for (int32_t p = 0; p < PARTITIONS; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

/* From record first on, those that were in requests to the partitions of this node. */
static uint32_t sent_to_node(sim *s, uint32_t first, int32_t node)
{
    uint32_t n = 0;
    for (uint32_t i = first; i <= s->ledger.count; i++) {
        const sim_record *r = sim_ledger_record(s, i);
        n += r->sent_to >= 0 && r->sent_to % 3 + 1 == node;
    }
    return n;
}

static uint32_t pending_from(sim *s, uint32_t first)
{
    uint32_t n = 0;
    for (uint32_t i = first; i <= s->ledger.count; i++)
        n += sim_ledger_record(s, i)->state == SIM_RECORD_PENDING;
    return n;
}

/* What node 3 is told takes a second; the others answer in a millisecond. */
static uint32_t share_of_slow(sim *s, const char *adaptive)
{
    sim_set(s, "partitioner.adaptive.partitioning.enable", adaptive);
    sim_set(s, "batch.size", "200");
    s->plan.keyed = 0;
    begin(s, 1);
    uint32_t first = s->ledger.count + 1;
    for (int i = 0; i < 200; i++) {
        if (i % 20 == 0)
            sim_stall(s, 3, 990 * KL_MS);
        sim_send_sized(s, 0, 60, 400);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    return 100 * sent_to_node(s, first, 3) / (s->ledger.count - first + 1);
}

SIM_SCENARIO(slow_broker_gets_less)
{
    uint32_t percent = share_of_slow(s, "true");
    sim_expect(s, percent > 1 && percent < 22, "a slow broker gets less than its third");
}

SIM_SCENARIO(slow_broker_gets_the_same)
{
    uint32_t percent = share_of_slow(s, "false");
    sim_expect(s, percent > 27 && percent < 40, "without the adaptive choice it gets its third");
}

/* Node 3 swallows everything. Records with a key still wait for it. */
SIM_SCENARIO(silent_broker_is_avoided)
{
    sim_set(s, "partitioner.availability.timeout.ms", "300");
    sim_set(s, "request.timeout.ms", "6000");
    s->plan.keyed = 0;
    begin(s, 1);
    sim_hole(s, 3);
    /* Until it has taken its five requests, and a little longer. */
    for (int i = 0; i < 60; i++) {
        sim_send(s, 0, 40);
        sim_go(s, 20 * KL_MS);
    }
    uint32_t first = s->ledger.count + 1;
    for (int i = 0; i < 100; i++) {
        sim_send(s, 0, 40);
        sim_go(s, 20 * KL_MS);
    }
    sim_expect(s, pending_from(s, first) <= 80, "what comes later waits for nobody");
    sim_expect(s, sent_to_node(s, first, 3) == 0, "nothing goes to who takes nothing");
    sim_expect(s, pending_from(s, 1) > 0, "what went there before waits");
    /* The connection is given up in the end, and the next one works: it is asked again. */
    sim_drain(s, 9 * KL_SECOND);
    first = s->ledger.count + 1;
    for (int i = 0; i < 50; i++) {
        sim_send_sized(s, 0, 60, 400);
        sim_go(s, 20 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sent_to_node(s, first, 3) > 200, "who takes something gets its part");
}

/* Each record with a key is watched, by a second hash of it. */
SIM_SCENARIO(keys_never_move)
{
    sim_set(s, "partitioner.class", "fnv1a_random");
    sim_set(s, "partitioner.availability.timeout.ms", "100");
    s->plan.keyed = 1000000;
    begin(s, 3);
    for (int i = 0; i < 60; i++) {
        sim_send(s, 0, 40);
        sim_brokers_move_leader(s, 0, i % PARTITIONS, i % 3 + 1);
        if (i % 10 == 5)
            sim_stall(s, i % 3 + 1, 500 * KL_MS);
        if (i % 7 == 3)
            sim_brokers_move_leader(s, 0, i % PARTITIONS, KL_NO_NODE);
        sim_go(s, 50 * KL_MS);
    }
    for (int32_t p = 0; p < PARTITIONS; p++)
        sim_brokers_move_leader(s, 0, p, 1);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* 1,000 partitions, and nobody is left out. */
SIM_SCENARIO(round_robin_reaches_all)
{
    sim_set(s, "partitioner.class", "round_robin");
    sim_topic(s, "t", 1000, 1);
    sim_start(s);
    /* Those that are parked, too. */
    for (int i = 0; i < 30; i++) {
        sim_send(s, 0, 100);
        sim_go(s, 10 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    uint8_t seen[1000] = {0};
    /* Without memory some went nowhere. */
    for (uint32_t i = 1; i <= s->ledger.count; i++)
        if (sim_ledger_record(s, i)->sent_to >= 0)
            seen[sim_ledger_record(s, i)->sent_to]++;
    for (int p = 0; p < 1000; p++)
        sim_expect(s, seen[p] == 3, "each partition gets the same number of records");
}
