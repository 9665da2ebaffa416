/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions about what is really there. See truth.h. */
#include "broker/truth.h"

#include "base/check.h"
#include "broker/cluster_parts.h"

int32_t kl_cluster_topic_count(const kl_cluster *c)
{
    return (int32_t)c->topic_count;
}

void kl_cluster_topic_info(const kl_cluster *c, int32_t topic, kl_topic_info *info)
{
    KL_ASSERT(topic >= 0 && (size_t)topic < c->topic_count);
    const kl_topic *t = c->topics[topic];
    *info = (kl_topic_info){.name = t->name,
                            .id = t->id,
                            .partitions = t->partition_count,
                            .deleted = !c->truth.topics[topic].exists};
}

static const kl_replica *replica_of(const kl_partition *p, int32_t node_id)
{
    const kl_replica *r = kl_partition_replica(p, node_id == KL_NO_NODE ? p->last_leader : node_id);
    KL_ASSERT(r);
    return r;
}

void kl_cluster_partition_info(const kl_cluster *c, int32_t topic, int32_t partition,
                               kl_partition_info *info)
{
    const kl_partition *p = kl_cluster_partition(c, topic, partition);
    const kl_topic *t = p->topic;
    const kl_log *log = &replica_of(p, KL_NO_NODE)->log;
    const kl_view_partition *v = kl_view_find(&c->truth, t, partition);
    *info = (kl_partition_info){
        .leader = v ? v->leader : KL_NO_NODE,
        .leader_epoch = v ? v->leader_epoch : -1,
        .replicas = t->node_ids + (size_t)partition * (size_t)t->replica_count,
        .replica_count = t->replica_count,
        .isr = v ? kl_view_isr(&c->truth, t, partition) : NULL,
        .isr_count = v ? v->isr_count : 0,
        .next_offset = log->next_offset,
        .high_watermark = log->high_watermark,
        .records = log->record_count,
        .bytes = log->byte_count,
        .batches = log->batch_count,
    };
}

size_t kl_cluster_log_count(const kl_cluster *c, int32_t topic, int32_t partition, int32_t node_id)
{
    return replica_of(kl_cluster_partition(c, topic, partition), node_id)->log.count;
}

const kl_stored_batch *kl_cluster_log_at(const kl_cluster *c, int32_t topic, int32_t partition,
                                         int32_t node_id, size_t index)
{
    const kl_log *log = &replica_of(kl_cluster_partition(c, topic, partition), node_id)->log;
    KL_ASSERT(index < log->count);
    return &log->batches[index]->batch;
}

kl_cluster_totals kl_cluster_count(const kl_cluster *c)
{
    return c->totals;
}

uint64_t kl_cluster_complaints(const kl_cluster *c, kl_complaint_kind kind)
{
    return c->complaint_counts[kind];
}

const char *kl_cluster_complaint(const kl_cluster *c, size_t index, kl_complaint_kind *kind)
{
    if (index >= c->complaint_count)
        return NULL;
    if (kind)
        *kind = c->complaints[index].kind;
    return c->complaints[index].text;
}
