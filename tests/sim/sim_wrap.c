/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps of sequences. The only place that reaches into the engine. */
#include "tests/sim/sim_wrap.h"

#include "broker/truth.h"
#include "core/engine_state.h"
#include "tests/sim/sim.h"

#define RANDOM SIM_STREAM_FAULTS

void sim_wrap_jump(sim *s, int topic, int32_t partition, int32_t sequence)
{
    const kloop_topic *t = s->user.topics[topic];
    if (!t || partition >= t->partition_count || !t->partitions[partition])
        return;
    kl_partition *p = t->partitions[partition];
    p->next_sequence = sequence;
    /* A broker that knows nothing takes any first number: the engine must not count on it. */
    p->steady = false;
    p->known_to_leader = false;
    s->ledger.parts[topic][partition].next_sequence = sequence;
    s->ledger.parts[topic][partition].jumped = s->ledger.parts[topic][partition].batch_count;
    kl_cluster_forget_producers(s->brokers.cluster, s->brokers.handles[topic], partition);
}

/* Are all batches of it acked, by answers to all their attempts, under the numbers of now? */
static bool is_clean(sim *s, int topic, int32_t partition)
{
    const kloop_topic *t = s->user.topics[topic];
    const sim_part *part = &s->ledger.parts[topic][partition];
    /* A second jump would give numbers again that brokers have seen. */
    if (!t || partition >= t->partition_count || !t->partitions[partition] || !part->numbered ||
        part->jumped)
        return false;
    const kl_partition *p = t->partitions[partition];
    if (!kl_list_is_empty(&p->line) || p->flight_count > 0 || p->hole ||
        p->producer_id != part->producer_id || p->epoch != part->producer_epoch ||
        p->next_sequence != part->next_sequence)
        return false;
    for (uint32_t i = 0; i < part->batch_count; i++)
        if (s->book.batches[part->batches[i]].unanswered)
            return false;
    return true;
}

static int32_t partition_count(const sim *s, int topic)
{
    kl_topic_info info;
    if (s->brokers.handles[topic] == KL_NO_TOPIC)
        return 0;
    kl_cluster_topic_info(s->brokers.cluster, s->brokers.handles[topic], &info);
    return info.partitions < SIM_PARTITIONS_MAX ? info.partitions : SIM_PARTITIONS_MAX;
}

/* A replica that is behind, or away, would remember what the others have forgotten. */
static bool all_replicas_follow(const sim *s)
{
    for (int32_t node = 1; node <= s->brokers.count; node++)
        if (s->brokers.stalled[node] || s->brokers.failed_over[node] || s->brokers.frozen[node])
            return false;
    return !s->brokers.isr_small;
}

void sim_wrap_strike(sim *s)
{
    /* A request that was torn is seen by nobody, and may be anywhere. */
    if (!s->plan.idempotent || s->plan.hostile || s->host.gone || s->links.torn ||
        !all_replicas_follow(s))
        return;
    int topic = -1;
    int32_t partition = -1;
    uint64_t seen = 0;
    /* Where the brokers set the time, batches are told apart by their numbers alone. */
    for (int t = 0; t < s->plan.topic_count; t++)
        for (int32_t p = 0; !s->plan.topics[t].append_time && p < partition_count(s, t); p++)
            if (is_clean(s, t, p) && sim_below(s, RANDOM, ++seen) == 0) {
                topic = t;
                partition = p;
            }
    if (topic < 0)
        return;
    sim_note(s, SIM_NOTE_TOPIC, "sequences jump", topic, partition, 0, 0);
    sim_wrap_jump(s, topic, partition, INT32_MAX - (int32_t)sim_below(s, RANDOM, 40));
}
