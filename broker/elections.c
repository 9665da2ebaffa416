/* SPDX-License-Identifier: BSD-2-Clause */
/* What the controller decides: leaders, ISRs, what becomes of a broker that is lost. See cluster.h.
 */
#include "base/check.h"
#include "broker/cluster_parts.h"
#include "broker/replication.h"

/* Asserts that the topic exists. */
static kl_view_partition *true_partition(kl_cluster *c, const kl_partition *p)
{
    kl_view_partition *v = kl_view_find(&c->truth, p->topic, p->index);
    KL_ASSERT(v);
    return v;
}

static void remove_from_isr(kl_cluster *c, const kl_partition *p, int32_t node_id)
{
    kl_view_partition *v = true_partition(c, p);
    int32_t *isr = kl_view_isr(&c->truth, p->topic, p->index);
    int32_t kept = 0;
    for (int32_t i = 0; i < v->isr_count; i++) {
        if (isr[i] != node_id)
            isr[kept++] = isr[i];
    }
    v->isr_count = kept;
}

static void add_to_isr(kl_cluster *c, const kl_partition *p, int32_t node_id)
{
    kl_view_partition *v = true_partition(c, p);
    if (!kl_view_in_isr(&c->truth, p->topic, p->index, node_id))
        kl_view_isr(&c->truth, p->topic, p->index)[v->isr_count++] = node_id;
    v->eligible = KL_NO_NODE;
}

static void elect(kl_cluster *c, kl_partition *p, int32_t node_id)
{
    kl_view_partition *v = true_partition(c, p);
    KL_ASSERT(node_id == KL_NO_NODE || kl_partition_replica(p, node_id));
    if (node_id != KL_NO_NODE && !kl_view_in_isr(&c->truth, p->topic, p->index, node_id)) {
        if (v->eligible != node_id)
            c->totals.unclean++;
        v->isr_count = 0;
        add_to_isr(c, p, node_id);
    }
    v->leader = node_id;
    v->leader_epoch++;
    if (node_id != KL_NO_NODE)
        p->last_leader = node_id;
    kl_replication_changed(c, p);
}

void kl_cluster_elect(kl_cluster *c, int32_t topic, int32_t partition, int32_t node_id,
                      int64_t now_ns)
{
    kl_partition *p = kl_cluster_partition(c, topic, partition);
    kl_cluster_begin(c, now_ns);
    elect(c, p, node_id);
    kl_cluster_settle(c);
}

kl_cluster_status kl_cluster_set_isr(kl_cluster *c, int32_t topic, int32_t partition,
                                     const int32_t *node_ids, int32_t count, int64_t now_ns)
{
    kl_partition *p = kl_cluster_partition(c, topic, partition);
    const kl_view_partition *v = true_partition(c, p);
    bool has_leader = v->leader == KL_NO_NODE;
    KL_ASSERT(count >= 1 && count <= p->topic->replica_count);
    kl_cluster_begin(c, now_ns);
    for (int32_t i = 0; i < count; i++) {
        kl_replica *r = kl_partition_replica(p, node_ids[i]);
        KL_ASSERT(r);
        if (v->leader != KL_NO_NODE && !kl_replication_catch_up(c, r))
            return KL_CLUSTER_NO_MEMORY;
        has_leader |= node_ids[i] == v->leader;
    }
    KL_ASSERT(has_leader);
    true_partition(c, p)->isr_count = 0;
    for (int32_t i = 0; i < count; i++)
        add_to_isr(c, p, node_ids[i]);
    kl_replication_changed(c, p);
    kl_cluster_settle(c);
    return KL_CLUSTER_OK;
}

static void leave(kl_cluster *c, kl_partition *p, int32_t node_id)
{
    kl_view_partition *v = true_partition(c, p);
    const int32_t *isr = kl_view_isr(&c->truth, p->topic, p->index);
    bool was_leader = v->leader == node_id;
    if (v->isr_count == 1 && isr[0] == node_id)
        v->eligible = node_id;
    remove_from_isr(c, p, node_id);
    /* In the order of the replicas: that of the ISR tells who came back last. */
    int32_t next = KL_NO_NODE;
    for (int32_t i = 0; i < p->topic->replica_count && next == KL_NO_NODE; i++) {
        int32_t replica = p->replicas[i].node_id;
        if (kl_view_in_isr(&c->truth, p->topic, p->index, replica) &&
            kl_cluster_find_node(c, replica)->up)
            next = replica;
    }
    if (was_leader)
        elect(c, p, next);
    else
        kl_replication_changed(c, p);
}

static void join(kl_cluster *c, kl_partition *p, int32_t node_id)
{
    const kl_view_partition *v = true_partition(c, p);
    if (v->leader == KL_NO_NODE) {
        if (v->eligible == node_id || kl_view_in_isr(&c->truth, p->topic, p->index, node_id))
            elect(c, p, node_id);
    } else if (v->leader != node_id && kl_replication_try(c, kl_partition_replica(p, node_id))) {
        add_to_isr(c, p, node_id);
        kl_replication_changed(c, p);
    }
}

/* Does it to each partition that exists and has a replica on the node. */
static void for_each_partition(kl_cluster *c, int32_t node_id,
                               void (*act)(kl_cluster *, kl_partition *, int32_t))
{
    for (size_t t = 0; t < c->topic_count; t++) {
        kl_topic *topic = c->topics[t];
        for (int32_t i = 0; i < topic->partition_count; i++) {
            kl_partition *p = topic->partitions[i];
            if (kl_view_find(&c->truth, topic, i) && kl_partition_replica(p, node_id))
                act(c, p, node_id);
        }
    }
}

void kl_cluster_fail_over(kl_cluster *c, int32_t node_id, int64_t now_ns)
{
    KL_ASSERT(kl_cluster_find_node(c, node_id));
    kl_cluster_begin(c, now_ns);
    kl_view_find_broker(&c->truth, node_id)->listed = false;
    for_each_partition(c, node_id, leave);
    kl_cluster_settle(c);
}

void kl_cluster_rejoin(kl_cluster *c, int32_t node_id, int64_t now_ns)
{
    KL_ASSERT(kl_cluster_find_node(c, node_id));
    kl_cluster_begin(c, now_ns);
    kl_view_find_broker(&c->truth, node_id)->listed = true;
    for_each_partition(c, node_id, join);
    kl_cluster_settle(c);
}

void kl_cluster_forget_producers(kl_cluster *c, int32_t topic, int32_t partition)
{
    kl_partition *p = kl_cluster_partition(c, topic, partition);
    for (int32_t i = 0; i < p->topic->replica_count; i++)
        kl_log_forget_producers(&p->replicas[i].log);
}
