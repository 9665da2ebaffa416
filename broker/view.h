/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view of the cluster: brokers, topics, leaders, ISRs, as the controller has written them. There
 * is one that is true. A broker that lags behind has a copy from an earlier time, and does
 * everything by it: answers Metadata, takes itself for a leader, follows.
 *
 * Owns: its arrays and its copies of hosts and racks. Topics are referred to; they live as long as
 * the cluster. Fails: copies and growth, when there is no memory, with NULL or false.
 */
#ifndef KL_BROKER_VIEW_H
#define KL_BROKER_VIEW_H

#include "base/map.h"

#include <kloop/types.h>

#include <stdbool.h>

typedef struct kl_topic kl_topic;

typedef struct kl_view_broker {
    int32_t node_id;
    bool listed; /* Metadata names it; else it is fenced */
    char *host;
    char *rack; /* or NULL */
    int32_t port;
} kl_view_broker;

typedef struct kl_view_partition {
    int32_t leader; /* KL_NO_NODE: none */
    int32_t leader_epoch;
    int32_t isr_count;
    int32_t eligible; /* who was the last of an ISR that is empty now; KL_NO_NODE: nobody */
} kl_view_partition;

typedef struct kl_view_topic {
    kl_topic *topic;
    bool exists;
    int32_t partition_count;
    int32_t replica_count;         /* of each partition */
    kl_view_partition *partitions; /* in one block with isr */
    int32_t *isr;                  /* replica_count for each partition, isr_count of them in use */
} kl_view_topic;

typedef struct kl_view {
    kloop_allocator alloc;
    int32_t controller;
    kl_view_broker *brokers;
    size_t broker_count;
    kl_view_topic *topics; /* by handle */
    size_t topic_count;
    size_t topic_cap;
    kl_map by_name; /* kl_topic, those that exist */
    kl_map by_id;
} kl_view;

void kl_view_init(kl_view *v, const kloop_allocator *alloc, uint64_t seed);
void kl_view_deinit(kl_view *v);
kl_view *kl_view_copy(const kl_view *v);
void kl_view_del(kl_view *v); /* of a copy; may be NULL */

/* NULL: no such broker. */
kl_view_broker *kl_view_find_broker(const kl_view *v, int32_t node_id);
bool kl_view_add_broker(kl_view *v, int32_t node_id, const char *host, int32_t port);
bool kl_view_set_address(kl_view_broker *b, const kloop_allocator *alloc, const char *host,
                         int32_t port, const char *rack);

/* The next handle. Its partitions have neither leader nor ISR yet. */
bool kl_view_add_topic(kl_view *v, kl_topic *topic);
/* Nobody finds it by name or id any more. */
void kl_view_remove_topic(kl_view *v, const kl_topic *topic);
bool kl_view_grow_topic(kl_view *v, const kl_topic *topic, int32_t partitions);

/* NULL: unknown here. */
kl_topic *kl_view_find_name(const kl_view *v, const char *name, size_t len);
kl_topic *kl_view_find_id(const kl_view *v, const kloop_uuid *id);
/* NULL: the topic or the partition does not exist here. */
kl_view_partition *kl_view_find(const kl_view *v, const kl_topic *topic, int32_t partition);
int32_t *kl_view_isr(const kl_view *v, const kl_topic *topic, int32_t partition);
bool kl_view_in_isr(const kl_view *v, const kl_topic *topic, int32_t partition, int32_t node_id);

#endif
