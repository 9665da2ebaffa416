/* SPDX-License-Identifier: BSD-2-Clause */
/* How replicas become alike. See replication.h. */
#include "broker/replication.h"

#include "base/check.h"
#include "broker/answer_produce.h"

/* After a copy for which there was no memory. */
#define RETRY_NS 1000000

/* ---- Who leads ---- */

bool kl_replica_leads(const kl_cluster *c, const kl_replica *r, int32_t *epoch)
{
    const kl_node *node = kl_cluster_find_node(c, r->node_id);
    const kl_view_partition *p =
        kl_view_find(kl_node_view(c, node), r->partition->topic, r->partition->index);
    if (!node->up || !p || p->leader != r->node_id)
        return false;
    if (epoch)
        *epoch = p->leader_epoch;
    return true;
}

int32_t kl_replica_min_isr(const kl_cluster *c, const kl_replica *leader, int32_t *isr_count)
{
    const kl_topic *topic = leader->partition->topic;
    const kl_view *view = kl_node_view(c, kl_cluster_find_node(c, leader->node_id));
    *isr_count = kl_view_find(view, topic, leader->partition->index)->isr_count;
    return topic->min_isr < topic->replica_count ? topic->min_isr : topic->replica_count;
}

/* The leader that the follower's broker believes in and may copy from, NULL if there is none. */
static kl_replica *leader_for(const kl_cluster *c, const kl_replica *follower, int32_t *epoch)
{
    const kl_node *node = kl_cluster_find_node(c, follower->node_id);
    const kl_partition *p = follower->partition;
    const kl_view_partition *seen = kl_view_find(kl_node_view(c, node), p->topic, p->index);
    if (!node->up || node->stalled || !seen || seen->leader == KL_NO_NODE ||
        seen->leader == follower->node_id)
        return NULL;
    kl_replica *leader = kl_partition_replica(p, seen->leader);
    return kl_replica_leads(c, leader, epoch) && *epoch == seen->leader_epoch ? leader : NULL;
}

/* ---- The high watermark ---- */

static int64_t isr_minimum(const kl_cluster *c, const kl_replica *leader, int32_t epoch)
{
    const kl_partition *p = leader->partition;
    const kl_view *view = kl_node_view(c, kl_cluster_find_node(c, leader->node_id));
    const int32_t *isr = kl_view_isr(view, p->topic, p->index);
    int32_t isr_count = kl_view_find(view, p->topic, p->index)->isr_count;
    int64_t lowest = leader->log.next_offset;
    for (int32_t i = 0; i < isr_count; i++) {
        if (isr[i] == leader->node_id)
            continue;
        const kl_replica *r = kl_partition_replica(p, isr[i]);
        if (r->follows_epoch != epoch)
            return leader->log.high_watermark;
        if (r->log.next_offset < lowest)
            lowest = r->log.next_offset;
    }
    return lowest;
}

/* Raises the leader's high watermark as far as the ISR allows, and wakes who waited for it. */
static void advance(kl_cluster *c, kl_replica *leader)
{
    int32_t epoch;
    int32_t isr_count;
    if (!kl_replica_leads(c, leader, &epoch))
        return;
    if (kl_replica_min_isr(c, leader, &isr_count) <= isr_count || c->config.old_min_isr) {
        int64_t reached = isr_minimum(c, leader, epoch);
        if (reached > leader->log.high_watermark)
            leader->log.high_watermark = reached;
    }
    kl_produce_on_watermark(c, leader);
}

/* ---- Copying ---- */

static void truncate(kl_cluster *c, kl_replica *r, size_t keep)
{
    while (r->log.count > keep) {
        kl_stored *stored = kl_log_take_last(&r->log);
        bool everywhere = stored->refs == 1;
        if (everywhere)
            c->totals.lost_batches++;
        if (c->config.hooks.on_truncate)
            c->config.hooks.on_truncate(c->config.hooks.user, r->node_id, &stored->batch,
                                        everywhere);
        kl_stored_drop(&c->alloc, stored);
    }
}

/* false: no memory for all of it. */
static bool copy(kl_cluster *c, kl_replica *follower, kl_replica *leader, int32_t epoch)
{
    if (follower->follows_epoch != epoch) {
        truncate(c, follower, kl_log_common(&follower->log, &leader->log));
        follower->follows_epoch = epoch;
    }
    bool whole = true;
    while (whole && follower->log.count < leader->log.count) {
        whole = kl_log_reserve(&follower->log);
        if (whole) {
            kl_stored *stored = leader->log.batches[follower->log.count];
            stored->refs++;
            kl_log_append(&follower->log, stored);
        }
    }
    advance(c, leader);
    int64_t reached = leader->log.high_watermark;
    if (reached > follower->log.next_offset)
        reached = follower->log.next_offset;
    if (reached > follower->log.high_watermark)
        follower->log.high_watermark = reached;
    return whole;
}

static void fetch(kl_cluster *c, kl_replica *follower)
{
    int32_t epoch;
    kl_replica *leader = leader_for(c, follower, &epoch);
    if (leader && !copy(c, follower, leader, epoch))
        kl_cluster_set_timer(c, &follower->fetch, kl_cluster_later(c->now_ns, RETRY_NS));
}

void kl_replica_on_timer(kl_cluster *c, kl_replica *follower)
{
    fetch(c, follower);
}

/* Sees to it that the follower copies, if it lacks something. */
static void stir(kl_cluster *c, kl_replica *follower)
{
    int32_t epoch;
    const kl_replica *leader = leader_for(c, follower, &epoch);
    if (!leader || (follower->follows_epoch == epoch && follower->log.count == leader->log.count))
        return;
    if (c->config.replication_delay_ns == 0)
        fetch(c, follower);
    else if (!kl_timer_is_set(&follower->fetch))
        kl_cluster_set_timer(c, &follower->fetch,
                             kl_cluster_later(c->now_ns, c->config.replication_delay_ns));
}

void kl_replication_appended(kl_cluster *c, kl_replica *leader)
{
    kl_partition *p = leader->partition;
    for (int32_t i = 0; i < p->topic->replica_count; i++) {
        if (&p->replicas[i] != leader)
            stir(c, &p->replicas[i]);
    }
    advance(c, leader);
}

void kl_replication_changed(kl_cluster *c, kl_partition *p)
{
    for (int32_t i = 0; i < p->topic->replica_count; i++) {
        if (!kl_replica_leads(c, &p->replicas[i], NULL))
            kl_produce_on_leader_lost(c, &p->replicas[i]);
        else
            /* What it appends from now on is nobody else's, whoever still takes it for a follower
             * in an epoch that is over. */
            p->replicas[i].follows_epoch = -1;
    }
    for (int32_t i = 0; i < p->topic->replica_count; i++)
        stir(c, &p->replicas[i]);
    for (int32_t i = 0; i < p->topic->replica_count; i++)
        advance(c, &p->replicas[i]);
}

void kl_replication_node_changed(kl_cluster *c, const kl_node *node)
{
    for (size_t t = 0; t < c->topic_count; t++) {
        const kl_topic *topic = c->topics[t];
        for (int32_t i = 0; i < topic->partition_count; i++) {
            if (kl_partition_replica(topic->partitions[i], node->node_id))
                kl_replication_changed(c, topic->partitions[i]);
        }
    }
}

bool kl_replication_catch_up(kl_cluster *c, kl_replica *follower)
{
    kl_partition *p = follower->partition;
    const kl_view_partition *seen = kl_view_find(&c->truth, p->topic, p->index);
    KL_ASSERT(seen && seen->leader != KL_NO_NODE);
    kl_replica *leader = kl_partition_replica(p, seen->leader);
    return leader == follower || copy(c, follower, leader, seen->leader_epoch);
}

bool kl_replication_try(kl_cluster *c, kl_replica *follower)
{
    int32_t epoch;
    kl_replica *leader = leader_for(c, follower, &epoch);
    return leader && copy(c, follower, leader, epoch);
}
