/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of one that is ill and all others, who do not notice. */
#include "tests/sim/scenario.h"

/* From here on no record to a partition that is well may take longer than so; the ill one is
 * partition 0 of topic 0, whatever is the matter with it. */
static void judge_neighbours(sim *s)
{
    s->plan.neighbours = true;
    s->plan.sick_topic = 0;
    s->plan.sick_partition = 0;
    s->plan.sick_node = KL_NO_NODE;
}

static void begin(sim *s, int32_t partitions)
{
    sim_set(s, "linger.ms", "5");
    sim_topic(s, "t", partitions, 1);
    sim_start(s);
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
    judge_neighbours(s);
    for (int32_t p = 1; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

/* A little to everybody, for some seconds. */
static void go_on(sim *s, int32_t partitions, int rounds)
{
    uint32_t judged = s->neighbours.judged;
    for (int i = 0; i < rounds; i++) {
        for (int32_t p = 0; p < partitions; p++)
            sim_send_to(s, 0, p, 2);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->neighbours.judged - judged > (uint32_t)(partitions - 1) * (uint32_t)rounds,
               "the others were looked at");
}

SIM_SCENARIO(neighbour_without_leader)
{
    begin(s, 6);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    go_on(s, 6, 50);
    sim_brokers_move_leader(s, 0, 0, 1);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Refused for ever, with each code that is tried again. */
SIM_SCENARIO(neighbour_refused_for_ever)
{
    begin(s, 6);
    sim_fault_at(s, SIM_FAULT_ERROR_RETRIABLE, 1000000);
    go_on(s, 6, 150);
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
}

/* What fails for good raises the epoch each time, and nobody else waits for that. */
SIM_SCENARIO(neighbour_fails_for_good)
{
    begin(s, 6);
    sim_fault_at(s, SIM_FAULT_ERROR_DEFINITE, 1000000);
    go_on(s, 6, 50);
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
}

SIM_SCENARIO(neighbour_too_large)
{
    begin(s, 6);
    sim_fault_at(s, SIM_FAULT_ERROR_TOO_LARGE, 900000);
    go_on(s, 6, 50);
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
}

SIM_SCENARIO(neighbour_out_of_order)
{
    begin(s, 6);
    sim_fault_at(s, SIM_FAULT_ERROR_SEQUENCE, 700000);
    go_on(s, 6, 100);
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
}

/* A broker that takes nothing any more and says nothing, and that nobody can connect to again. */
SIM_SCENARIO(neighbour_broker_silent)
{
    begin(s, 6);
    s->plan.sick_node = 1;
    sim_hole(s, 1);
    sim_brokers_refuse(s, 1, s->world.now_ns + 8 * KL_SECOND);
    uint32_t judged = s->neighbours.judged;
    for (int i = 0; i < 100; i++) {
        for (int32_t p = 0; p < 6; p++)
            sim_send_to(s, 0, p, 2);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->neighbours.judged - judged > 700, "the others were looked at");
    sim_drain(s, 12 * KL_SECOND);
}

/* A broker that asks to be left alone, a second each time, for ever. */
SIM_SCENARIO(throttled_for_ever)
{
    begin(s, 6);
    s->plan.sick_node = 1;
    s->faults.on = true;
    s->faults.rate[SIM_FAULT_THROTTLE] = 1000000;
    uint64_t before = s->book.produce_requests;
    for (int i = 0; i < 300; i++) {
        for (int32_t p = 0; p < 6; p++)
            sim_send_to(s, 0, p, 2);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->book.produce_requests - before > 100, "others are not held back");
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
}

static void no_such_topic(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = response;
    if (request->api_key != KLOOP_METADATA)
        return;
    kloop_metadata_topic *topics = sim_elements(&r->topics);
    for (int32_t i = 0; i < r->topics.count; i++)
        if (topics[i].name.len == 7) {
            topics[i].error_code = 3;
            topics[i].partitions.count = 0;
        }
    (void)s;
}

/* A topic that nobody has is asked for all the time. */
SIM_SCENARIO(neighbour_topic_never_there)
{
    sim_set(s, "linger.ms", "5");
    sim_topic(s, "t", 6, 1);
    sim_topic(s, "nowhere", 6, 1);
    sim_answers_pass(s, no_such_topic);
    sim_start(s);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
    judge_neighbours(s);
    for (int i = 0; i < 100; i++) {
        sim_send(s, 1, 2);
        for (int32_t p = 0; p < 6; p++)
            sim_send_to(s, 0, p, 2);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->neighbours.judged > 900, "the others were looked at");
    sim_drain(s, 6 * KL_SECOND);
}

/* A thousand partitions, every seventh of them without a leader. */
SIM_SCENARIO(thousand_partitions_some_leaderless)
{
    sim_set(s, "linger.ms", "20");
    sim_topic(s, "t", 1000, 1);
    sim_start(s);
    for (int32_t p = 0; p < 1000; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    for (int32_t p = 0; p < 1000; p += 7)
        sim_brokers_move_leader(s, 0, p, KL_NO_NODE);
    judge_neighbours(s);
    for (int i = 0; i < 10; i++) {
        for (int32_t p = 0; p < 1000; p++)
            sim_send_to(s, 0, p, 1);
        sim_go(s, 200 * KL_MS);
    }
    sim_expect(s, s->neighbours.judged > 7000, "the others were looked at");
    s->plan.neighbours = false;
    for (int32_t p = 0; p < 1000; p += 7)
        sim_brokers_move_leader(s, 0, p, p % 3 + 1);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
