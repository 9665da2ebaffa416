/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaders and topics: who comes and who goes. */
#include "tests/sim/sim_partitions.h"

#include "broker/truth.h"
#include "tests/sim/sim.h"

#include <stdlib.h>

#define RANDOM SIM_STREAM_FAULTS

static int64_t now_of(const sim *s)
{
    return (int64_t)s->world.now_ns;
}

/* ---- Partitions ---- */

int sim_partitions_any_topic(sim *s)
{
    int topic = (int)sim_below(s, RANDOM, (uint64_t)s->plan.topic_count);
    return s->brokers.handles[topic] == KL_NO_TOPIC ? -1 : topic;
}

int32_t sim_partitions_count(const sim *s, int topic)
{
    kl_topic_info info;
    kl_cluster_topic_info(s->brokers.cluster, s->brokers.handles[topic], &info);
    return info.partitions;
}

/* A member of the ISR that is up, or KL_NO_NODE. */
static int32_t any_in_sync(sim *s, int topic, int32_t partition)
{
    kl_partition_info info;
    kl_cluster_partition_info(s->brokers.cluster, s->brokers.handles[topic], partition, &info);
    int32_t chosen = KL_NO_NODE;
    uint64_t seen = 0;
    for (int32_t i = 0; i < info.isr_count; i++)
        if (kl_cluster_broker_is_up(s->brokers.cluster, info.isr[i]) &&
            sim_below(s, RANDOM, ++seen) == 0)
            chosen = info.isr[i];
    return chosen;
}

void sim_brokers_move_leader(sim *s, int topic, int32_t partition, int32_t node)
{
    sim_note(s, SIM_NOTE_TOPIC, "new leader", topic, partition, node, 0);
    kl_cluster_elect(s->brokers.cluster, s->brokers.handles[topic], partition, node, now_of(s));
    sim_link_pump_brokers(s);
}

static void move_any(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (topic < 0)
        return;
    int32_t partition = (int32_t)sim_below(s, RANDOM, (uint64_t)sim_partitions_count(s, topic));
    int32_t node = any_in_sync(s, topic, partition);
    if (node != KL_NO_NODE)
        sim_brokers_move_leader(s, topic, partition, node);
}

static void move_all(sim *s)
{
    for (int topic = 0; topic < s->plan.topic_count; topic++)
        for (int32_t p = 0;
             s->brokers.handles[topic] != KL_NO_TOPIC && p < sim_partitions_count(s, topic); p++) {
            int32_t node = any_in_sync(s, topic, p);
            if (node != KL_NO_NODE)
                sim_brokers_move_leader(s, topic, p, node);
        }
}

void sim_partitions_elect_missing(sim *s, int topic, int32_t partition)
{
    kl_partition_info info;
    if (s->brokers.handles[topic] == KL_NO_TOPIC || partition >= sim_partitions_count(s, topic))
        return;
    kl_cluster_partition_info(s->brokers.cluster, s->brokers.handles[topic], partition, &info);
    int32_t node = any_in_sync(s, topic, partition);
    if (info.leader == KL_NO_NODE && node != KL_NO_NODE)
        sim_brokers_move_leader(s, topic, partition, node);
}

static void leader_returns(sim *s, void *thing, uint64_t a)
{
    (void)thing;
    sim_partitions_elect_missing(s, (int)(a >> 32), (int32_t)(a & UINT32_MAX));
}

static void lose_leader(sim *s)
{
    int topic = s->plan.neighbours ? s->plan.sick_topic : sim_partitions_any_topic(s);
    if (topic < 0 || s->brokers.handles[topic] == KL_NO_TOPIC)
        return;
    uint64_t p = s->plan.neighbours
                     ? (uint64_t)s->plan.sick_partition
                     : sim_below(s, RANDOM, (uint64_t)sim_partitions_count(s, topic));
    sim_brokers_move_leader(s, topic, (int32_t)p, KL_NO_NODE);
    sim_after(s, sim_scale(s, RANDOM, 50, 5000) * KL_MS, leader_returns, NULL,
              (uint64_t)topic << 32 | p);
}

static void elect_uncleanly(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (topic < 0)
        return;
    int32_t partition = (int32_t)sim_below(s, RANDOM, (uint64_t)sim_partitions_count(s, topic));
    kl_partition_info info;
    kl_cluster_partition_info(s->brokers.cluster, s->brokers.handles[topic], partition, &info);
    int32_t node = info.replicas[sim_below(s, RANDOM, (uint64_t)info.replica_count)];
    if (kl_cluster_broker_is_up(s->brokers.cluster, node))
        sim_brokers_move_leader(s, topic, partition, node);
}

/* Kafka forgets those who were silent for long. Were it in the middle of several batches, the first
 * one could be refused for the moment and the second one taken as the first of all; then the first
 * comes again, is called a duplicate, and there is nothing by which a producer could tell. */
static void forget_producers(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (topic < 0)
        return;
    int32_t partition = (int32_t)sim_below(s, RANDOM, (uint64_t)sim_partitions_count(s, topic));
    if (s->ledger.parts[topic][partition].in_flight > 0)
        return;
    sim_note(s, SIM_NOTE_TOPIC, "producers forgotten", topic, partition, 0, 0);
    kl_cluster_forget_producers(s->brokers.cluster, s->brokers.handles[topic], partition);
}

void sim_brokers_grow(sim *s, int topic, int32_t partitions)
{
    sim_topic_plan *t = &s->plan.topics[topic];
    if (t->count_changes == (int)(sizeof t->counts / sizeof t->counts[0]) ||
        partitions > SIM_PARTITIONS_MAX || s->brokers.handles[topic] == KL_NO_TOPIC)
        return;
    sim_note(s, SIM_NOTE_TOPIC, "grows", topic, partitions, 0, 0);
    if (kl_cluster_grow_topic(s->brokers.cluster, s->brokers.handles[topic], partitions) !=
        KL_CLUSTER_OK)
        abort();
    t->counts[t->count_changes++] = partitions;
    sim_brokers_pass_over_absent(s);
}

/* To and fro, each time with a higher epoch. */
static void flip(sim *s, void *thing, uint64_t a)
{
    int topic = (int)(a >> 40);
    int32_t partition = (int32_t)(a >> 16 & 0xffffff);
    uint64_t left = a & 0xffff;
    (void)thing;
    if (!s->faults.on || s->brokers.handles[topic] == KL_NO_TOPIC ||
        partition >= sim_partitions_count(s, topic))
        return;
    kl_partition_info info;
    kl_cluster_partition_info(s->brokers.cluster, s->brokers.handles[topic], partition, &info);
    int32_t node = any_in_sync(s, topic, partition);
    for (int i = 0; i < 4 && node == info.leader; i++)
        node = any_in_sync(s, topic, partition);
    if (node != KL_NO_NODE)
        sim_brokers_move_leader(s, topic, partition, node);
    if (left)
        sim_after(s, sim_scale(s, RANDOM, 5, 200) * KL_MS, flip, NULL, a - 1);
}

static void flip_any(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (topic < 0)
        return;
    uint64_t p = sim_below(s, RANDOM, (uint64_t)sim_partitions_count(s, topic));
    flip(s, NULL, (uint64_t)topic << 40 | p << 16 | sim_between(s, RANDOM, 5, 40));
}

/* ---- Topics come and go ---- */

static void remember_count(sim_topic_plan *t, int32_t partitions)
{
    for (int i = 0; i < t->count_changes; i++)
        if (t->counts[i] == partitions)
            return;
    if (t->count_changes < (int)(sizeof t->counts / sizeof t->counts[0]))
        t->counts[t->count_changes++] = partitions;
}

void sim_brokers_delete_topic(sim *s, int topic)
{
    int32_t handle = s->brokers.handles[topic];
    if (handle == KL_NO_TOPIC)
        return;
    sim_note(s, SIM_NOTE_TOPIC, "deleted", topic, 0, 0, 0);
    s->brokers.handles[topic] = KL_NO_TOPIC;
    s->brokers.deletions++;
    if (s->plan.auto_create)
        remember_count(&s->plan.topics[topic], s->plan.topics[0].counts[0]);
    kl_cluster_delete_topic(s->brokers.cluster, handle, now_of(s));
    sim_link_pump_brokers(s);
}

void sim_brokers_recreate_topic(sim *s, int topic, int32_t partitions)
{
    sim_topic_plan *t = &s->plan.topics[topic];
    sim_brokers_delete_topic(s, topic);
    t->partitions = partitions;
    remember_count(t, partitions);
    sim_brokers_make_topic(s, topic);
}

static void topic_returns(sim *s, void *thing, uint64_t a)
{
    int topic = (int)(a >> 32);
    (void)thing;
    if (s->brokers.handles[topic] == KL_NO_TOPIC)
        sim_brokers_recreate_topic(s, topic, (int32_t)(a & UINT32_MAX));
}

/* A view that was frozen would go on to take records for a topic that is no more. */
static bool may_delete(const sim *s, int topic)
{
    return topic >= 0 && !sim_brokers_any_frozen(s) &&
           s->plan.topics[topic].count_changes <
               (int)(sizeof s->plan.topics[topic].counts / sizeof(int32_t)) - 2;
}

static void recreate_any(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (!may_delete(s, topic))
        return;
    int32_t partitions = sim_partitions_count(s, topic);
    if (sim_chance(s, RANDOM, 300000))
        partitions = 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)partitions + 3);
    uint64_t back = sim_chance(s, RANDOM, 300000) ? 0 : sim_scale(s, RANDOM, 1, 5000) * KL_MS;
    sim_brokers_delete_topic(s, topic);
    sim_after(s, back, topic_returns, NULL, (uint64_t)topic << 32 | (uint32_t)partitions);
}

static void delete_any(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (may_delete(s, topic))
        sim_brokers_delete_topic(s, topic);
}

void sim_brokers_set_message_max(sim *s, int topic, int32_t bytes)
{
    int32_t at_first = s->plan.topics[topic].message_max;
    if (s->brokers.handles[topic] == KL_NO_TOPIC)
        return;
    if (!bytes)
        bytes = at_first ? at_first : 1048588;
    sim_note(s, SIM_NOTE_TOPIC, "max.message.bytes", topic, bytes, 0, 0);
    kl_cluster_set_message_max(s->brokers.cluster, s->brokers.handles[topic], bytes);
}

static void change_message_max(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    if (topic >= 0)
        sim_brokers_set_message_max(
            s, topic,
            sim_chance(s, RANDOM, 400000) ? 0 : (int32_t)sim_scale(s, RANDOM, 200, 40000));
}

void sim_partitions_strike(sim *s, sim_fault_id id)
{
    switch ((int)id) {
    case SIM_FAULT_LEADER_MOVES:
        move_any(s);
        break;
    case SIM_FAULT_LEADER_MISSING:
        lose_leader(s);
        break;
    case SIM_FAULT_ALL_LEADERS_MOVE:
        move_all(s);
        break;
    case SIM_FAULT_TOPIC_GROWS: {
        int topic = sim_partitions_any_topic(s);
        if (topic >= 0)
            sim_brokers_grow(s, topic,
                             sim_partitions_count(s, topic) + 1 + (int32_t)sim_below(s, RANDOM, 3));
        break;
    }
    case SIM_FAULT_TOPIC_RECREATED:
        recreate_any(s);
        break;
    case SIM_FAULT_TOPIC_DELETED:
        delete_any(s);
        break;
    case SIM_FAULT_LEADER_FLIPS:
        flip_any(s);
        break;
    case SIM_FAULT_MESSAGE_MAX_CHANGES:
        change_message_max(s);
        break;
    case SIM_FAULT_UNCLEAN_ELECTION:
        elect_uncleanly(s);
        break;
    case SIM_FAULT_PRODUCERS_FORGOTTEN:
        forget_producers(s);
        break;
    default:
        abort();
    }
}
