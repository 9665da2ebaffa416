/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is ill, and who must not notice. */
#include "tests/sim/sim_neighbours.h"

#include "broker/truth.h"
#include "tests/sim/sim.h"

#include <inttypes.h>

#define RANDOM SIM_STREAM_PLAN

static const sim_fault_id of_partition[] = {SIM_FAULT_ERROR_RETRIABLE, SIM_FAULT_ERROR_AFTER_APPEND,
                                            SIM_FAULT_ERROR_DEFINITE,  SIM_FAULT_ERROR_UNKNOWN,
                                            SIM_FAULT_ERROR_TOO_LARGE, SIM_FAULT_ERROR_SEQUENCE,
                                            SIM_FAULT_ERROR_RECORDS,   SIM_FAULT_ERROR_RECORDS_ODD};

static const sim_fault_id of_node[] = {SIM_FAULT_CONNECT_REFUSED,
                                       SIM_FAULT_CONNECT_SILENT,
                                       SIM_FAULT_CONNECT_SLOW,
                                       SIM_FAULT_ACCEPT_AND_DROP,
                                       SIM_FAULT_RESET,
                                       SIM_FAULT_PEER_CLOSES,
                                       SIM_FAULT_STALL,
                                       SIM_FAULT_BLACK_HOLE,
                                       SIM_FAULT_HOLE_TO_BROKER,
                                       SIM_FAULT_REQUEST_DROPPED,
                                       SIM_FAULT_HOLE_FROM_BROKER,
                                       SIM_FAULT_REFUSED_FOR_A_WHILE,
                                       SIM_FAULT_ANSWER_LOST,
                                       SIM_FAULT_ANSWER_SILENT,
                                       SIM_FAULT_ANSWER_CUT,
                                       SIM_FAULT_ANSWER_SLOW,
                                       SIM_FAULT_WORK_SLOW,
                                       SIM_FAULT_THROTTLE,
                                       SIM_FAULT_BROKER_RESTARTS};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static bool maybe(sim *s, uint32_t per_cent)
{
    return sim_chance(s, RANDOM, per_cent * 10000);
}

void sim_neighbours_draw(sim *s)
{
    sim_plan *p = &s->plan;
    p->sick_topic = (int)sim_below(s, RANDOM, (uint64_t)p->topic_count);
    p->sick_partition =
        (int32_t)sim_below(s, RANDOM, (uint64_t)p->topics[p->sick_topic].partitions);
    p->sick_node = KL_NO_NODE;
    /* Without a leader, for seconds each time. */
    if (maybe(s, 40))
        s->faults.rate[SIM_FAULT_LEADER_MISSING] = (uint32_t)sim_between(s, RANDOM, 500, 8000);
    for (size_t i = 0; i < COUNT(of_partition); i++)
        if (maybe(s, 35))
            s->faults.rate[of_partition[i]] = (uint32_t)sim_scale(s, RANDOM, 20000, 1000000);
    if (p->brokers == 1 || maybe(s, 30))
        return;
    p->sick_node = 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)p->brokers);
    for (size_t i = 0; i < COUNT(of_node); i++)
        if (maybe(s, 25))
            sim_fault_enable(s, of_node[i]);
}

bool sim_neighbours_may_harm(const sim *s, int32_t handle, int32_t partition)
{
    const sim_plan *p = &s->plan;
    return !p->neighbours ||
           (s->brokers.handles[p->sick_topic] == handle && partition == p->sick_partition);
}

bool sim_neighbours_may_harm_node(const sim *s, int32_t node)
{
    return !s->plan.neighbours || s->plan.sick_node == node;
}

/* What a record may take where all is well. */
static uint64_t bound_ns(const sim *s)
{
    const sim_plan *p = &s->plan;
    return p->linger_ns + 20 * (s->links.delay_ns + s->links.jitter_ns) + 4 * p->answer_delay_ns +
           4 * (s->host.tick_ns + s->host.write_delay_ns) + SIM_NEIGHBOUR_BOUND_NS;
}

void sim_neighbours_report(sim *s, uint32_t number, int32_t partition)
{
    sim_neighbours *n = &s->neighbours;
    const sim_record *r = sim_ledger_record(s, number);
    kl_partition_info info;
    if (!s->plan.neighbours || s->plan.starved || partition < 0 || r->purged || s->user.closing)
        return;
    kl_cluster_partition_info(s->brokers.cluster, s->brokers.handles[r->topic], partition, &info);
    if (info.leader < 0 || info.leader == s->plan.sick_node ||
        (r->topic == s->plan.sick_topic && partition == s->plan.sick_partition))
        return;
    uint64_t met = n->met_ns[info.leader];
    if (!met && r->state == SIM_RECORD_ACKED)
        n->met_ns[info.leader] = s->world.now_ns;
    /* Before, somebody had to be found and asked, and the first one may have been the ill one. */
    if (!met || r->accepted_ns < met || r->parked)
        return;
    uint64_t took = s->world.now_ns - r->accepted_ns;
    n->judged++;
    if (n->worst_ns < took)
        n->worst_ns = took;
    if (r->state != SIM_RECORD_ACKED || took > bound_ns(s))
        sim_fail(s, "I36",
                 "record %u (topic %d, partition %d of node %d, where all is well) is %s after "
                 "%" PRIu64 " ms, %" PRIu64 " are enough",
                 number, r->topic, partition, info.leader, sim_record_state_name(r->state),
                 took / KL_MS, bound_ns(s) / KL_MS);
}
