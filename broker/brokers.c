/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers: they come and go, stall, freeze, offer this and that. See cluster.h. */
#include "base/check.h"
#include "broker/cluster_parts.h"
#include "broker/login_parts.h"
#include "broker/peer_parts.h"
#include "broker/replication.h"

#define FIRST_PORT 9091

kl_node *kl_cluster_find_node(const kl_cluster *c, int32_t node_id)
{
    for (size_t i = 0; i < c->node_count; i++) {
        if (c->nodes[i]->node_id == node_id)
            return c->nodes[i];
    }
    return NULL;
}

static kl_node *node_of(const kl_cluster *c, int32_t node_id)
{
    kl_node *node = kl_cluster_find_node(c, node_id);
    KL_ASSERT(node);
    return node;
}

const kl_view *kl_node_view(const kl_cluster *c, const kl_node *node)
{
    return node->frozen ? node->frozen : &c->truth;
}

static bool reserve_node(kl_cluster *c)
{
    if (c->node_count < c->node_cap)
        return true;
    size_t cap = c->node_cap ? c->node_cap * 2 : 4;
    kl_node **nodes =
        kl_mem_resize(&c->alloc, c->nodes, c->node_cap * sizeof *nodes, cap * sizeof *nodes);
    if (!nodes)
        return false;
    c->nodes = nodes;
    c->node_cap = cap;
    return true;
}

kl_cluster_status kl_cluster_add_broker(kl_cluster *c, int32_t node_id)
{
    KL_ASSERT(node_id >= 0);
    if (kl_cluster_find_node(c, node_id))
        return KL_CLUSTER_EXISTS;
    if (!reserve_node(c))
        return KL_CLUSTER_NO_MEMORY;
    kl_node *node = kl_mem_zalloc(&c->alloc, 1, sizeof *node);
    if (!node)
        return KL_CLUSTER_NO_MEMORY;
    if (!kl_view_add_broker(&c->truth, node_id, "127.0.0.1", FIRST_PORT + node_id)) {
        kl_mem_release(&c->alloc, node, sizeof *node);
        return KL_CLUSTER_NO_MEMORY;
    }
    *node = (kl_node){.node_id = node_id, .up = true};
    kl_list_init(&node->peers);
    kl_versions_init(&node->versions);
    kl_node_login_init(&node->login);
    c->nodes[c->node_count++] = node;
    return KL_CLUSTER_OK;
}

kl_cluster_status kl_cluster_set_address(kl_cluster *c, int32_t node_id, const char *host,
                                         int32_t port, const char *rack)
{
    kl_view_broker *b = kl_view_find_broker(&c->truth, node_id);
    KL_ASSERT(b);
    return kl_view_set_address(b, &c->alloc, host, port, rack) ? KL_CLUSTER_OK
                                                               : KL_CLUSTER_NO_MEMORY;
}

void kl_cluster_broker_down(kl_cluster *c, int32_t node_id, int64_t now_ns)
{
    kl_node *node = node_of(c, node_id);
    kl_cluster_begin(c, now_ns);
    node->up = false;
    for (kl_link *l = kl_list_first(&node->peers); l; l = kl_list_next(&node->peers, l))
        kl_peer_broker_died(KL_CONTAINER_OF(l, kl_peer, of_node));
    kl_replication_node_changed(c, node);
    kl_cluster_settle(c);
}

static void thaw(kl_node *node)
{
    kl_view_del(node->frozen);
    node->frozen = NULL;
}

void kl_cluster_broker_up(kl_cluster *c, int32_t node_id, int64_t now_ns)
{
    kl_node *node = node_of(c, node_id);
    kl_cluster_begin(c, now_ns);
    node->up = true;
    thaw(node);
    kl_replication_node_changed(c, node);
    kl_cluster_settle(c);
}

bool kl_cluster_broker_is_up(const kl_cluster *c, int32_t node_id)
{
    return node_of(c, node_id)->up;
}

void kl_cluster_stall_follower(kl_cluster *c, int32_t node_id, bool stalled, int64_t now_ns)
{
    kl_node *node = node_of(c, node_id);
    kl_cluster_begin(c, now_ns);
    node->stalled = stalled;
    kl_replication_node_changed(c, node);
    kl_cluster_settle(c);
}

kl_cluster_status kl_cluster_freeze_view(kl_cluster *c, int32_t node_id)
{
    kl_node *node = node_of(c, node_id);
    KL_ASSERT(!c->config.discard);
    if (node->frozen)
        return KL_CLUSTER_OK;
    node->frozen = kl_view_copy(&c->truth);
    return node->frozen ? KL_CLUSTER_OK : KL_CLUSTER_NO_MEMORY;
}

void kl_cluster_thaw_view(kl_cluster *c, int32_t node_id, int64_t now_ns)
{
    kl_node *node = node_of(c, node_id);
    kl_cluster_begin(c, now_ns);
    thaw(node);
    kl_replication_node_changed(c, node);
    kl_cluster_settle(c);
}

void kl_cluster_set_controller(kl_cluster *c, int32_t node_id)
{
    KL_ASSERT(node_id == KL_NO_NODE || kl_cluster_find_node(c, node_id));
    c->truth.controller = node_id;
}

void kl_cluster_set_sequence_era(kl_cluster *c, int32_t node_id, kl_sequence_era era)
{
    node_of(c, node_id)->era = era;
}

void kl_cluster_set_versions(kl_cluster *c, int32_t node_id, int16_t api_key, int16_t min_version,
                             int16_t max_version)
{
    bool served =
        kl_versions_set(&node_of(c, node_id)->versions, api_key, min_version, max_version);
    KL_ASSERT(served);
}
