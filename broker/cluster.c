/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a model cluster: its making and end, time, complaints. See cluster.h; how a call
 * goes is drawn in cluster_parts.h.
 */
#include "broker/cluster.h"

#include "base/check.h"
#include "broker/cluster_parts.h"
#include "broker/login_parts.h"
#include "broker/peer_parts.h"
#include "broker/replication.h"
#include "broker/request.h"

#include <kloop/wire.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLUSTER_ID_LEN 22

/* A batch that unfolds to more is refused. */
#define UNPACKED_MAX ((size_t)256 << 20)

#define NS_PER_MS    1000000

int64_t kl_cluster_later(int64_t at, int64_t ns)
{
    KL_ASSERT(at >= 0);
    return ns <= 0 ? at : at > KL_CLUSTER_NEVER - ns ? KL_CLUSTER_NEVER : at + ns;
}

/* ---- Making and end ---- */

void kl_cluster_config_init(kl_cluster_config *config)
{
    *config = (kl_cluster_config){
        .broker_count = 1,
        .auto_create_replication_factor = 1,
        .message_max_bytes = 1048588,
        .min_isr = 1,
        .request_max_bytes = 104857600,
        .wall_ms_at_zero = INT64_MIN,
        .timestamp_after_max_ms = 3600000,
        .check = true,
    };
}

static bool make_cluster_id(kl_cluster *c, const char *given)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = given ? strlen(given) : CLUSTER_ID_LEN;
    c->cluster_id = kl_mem_alloc(&c->alloc, len + 1);
    if (!c->cluster_id)
        return false;
    if (given) {
        memcpy(c->cluster_id, given, len);
    } else {
        for (size_t i = 0; i < len; i++)
            c->cluster_id[i] = letters[kl_prng_below(&c->prng, sizeof letters - 1)];
    }
    c->cluster_id[len] = '\0';
    return true;
}

static bool make_brokers(kl_cluster *c)
{
    for (int32_t id = 1; id <= c->config.broker_count; id++) {
        if (kl_cluster_add_broker(c, id))
            return false;
    }
    c->truth.controller = 1;
    return true;
}

kl_cluster *kl_cluster_new(const kl_cluster_config *config)
{
    kloop_allocator alloc = config->alloc ? *config->alloc : kl_mem_libc;
    KL_ASSERT(config->broker_count >= 1 && config->first_producer_id >= 0 &&
              config->first_producer_epoch >= 0 && config->message_max_bytes > 0 &&
              config->min_isr > 0);
    kl_cluster *c = kl_mem_zalloc(&alloc, 1, sizeof *c);
    if (!c)
        return NULL;
    c->config = *config;
    c->alloc = alloc;
    c->config.alloc = &c->alloc;
    c->next_producer_id = config->first_producer_id;
    kl_prng_init(&c->prng, config->seed);
    kl_prng_init(&c->login_prng, config->seed + 1);
    kl_heap_init(&c->timers, &alloc);
    kl_view_init(&c->truth, &alloc, config->seed);
    kl_list_init(&c->creations);
    kl_list_init(&c->runnable);
    kl_list_init(&c->ready);
    bool made = make_cluster_id(c, config->cluster_id) && make_brokers(c);
    c->config.cluster_id = c->cluster_id;
    if (made && config->check) {
        c->reader = kloop_batch_reader_new(&alloc, UNPACKED_MAX);
        made = c->reader != NULL;
    }
    if (made)
        return c;
    kl_cluster_del(c);
    return NULL;
}

static void release_partition(kl_cluster *c, kl_partition *p)
{
    size_t replicas = (size_t)p->topic->replica_count;
    for (size_t i = 0; i < replicas; i++)
        kl_log_deinit(&p->replicas[i].log);
    kl_mem_release(&c->alloc, p, sizeof *p + replicas * sizeof(kl_replica));
}

static void release_topic(kl_cluster *c, kl_topic *topic)
{
    size_t partitions = (size_t)topic->partition_count;
    for (size_t i = 0; i < partitions; i++)
        release_partition(c, topic->partitions[i]);
    kl_mem_release(&c->alloc, topic->partitions, partitions * sizeof *topic->partitions);
    kl_mem_release(&c->alloc, topic->node_ids,
                   partitions * (size_t)topic->replica_count * sizeof *topic->node_ids);
    kl_mem_release(&c->alloc, topic, sizeof *topic + topic->name.len);
}

static void release_node(kl_cluster *c, kl_node *node)
{
    kl_link *l;
    while ((l = kl_list_first(&node->peers)) != NULL) {
        kl_peer *peer = KL_CONTAINER_OF(l, kl_peer, of_node);
        KL_ASSERT(peer->gone);
        kl_peer_del(peer);
    }
    kl_view_del(node->frozen);
    kl_node_login_deinit(c, &node->login);
    kl_mem_release(&c->alloc, node, sizeof *node);
}

void kl_cluster_del(kl_cluster *c)
{
    if (!c)
        return;
    kloop_allocator alloc = c->alloc;
    kl_link *l;
    for (size_t i = 0; i < c->node_count; i++)
        release_node(c, c->nodes[i]);
    kl_mem_release(&alloc, c->nodes, c->node_cap * sizeof *c->nodes);
    for (size_t i = 0; i < c->topic_count; i++)
        release_topic(c, c->topics[i]);
    kl_mem_release(&alloc, c->topics, c->topic_cap * sizeof *c->topics);
    while ((l = kl_list_pop_front(&c->creations)) != NULL) {
        kl_creation *creation = KL_CONTAINER_OF(l, kl_creation, link);
        kl_mem_release(&alloc, creation, sizeof *creation + creation->name_len);
    }
    for (size_t i = 0; i < c->complaint_count; i++)
        kl_mem_release(&alloc, c->complaints[i].text, strlen(c->complaints[i].text) + 1);
    if (c->cluster_id)
        kl_mem_release(&alloc, c->cluster_id, strlen(c->cluster_id) + 1);
    kloop_batch_reader_del(c->reader);
    kl_view_deinit(&c->truth);
    kl_heap_deinit(&c->timers);
    kl_mem_release(&alloc, c, sizeof *c);
}

/* ---- Time ---- */

bool kl_cluster_add_timer(kl_cluster *c)
{
    if (!kl_heap_reserve(&c->timers, c->timer_count + 1))
        return false;
    c->timer_count++;
    return true;
}

void kl_cluster_remove_timer(kl_cluster *c, kl_timer *timer)
{
    kl_heap_remove(&c->timers, timer);
    c->timer_count--;
}

void kl_cluster_set_timer(kl_cluster *c, kl_timer *timer, int64_t when_ns)
{
    kl_heap_set(&c->timers, timer, when_ns == KL_CLUSTER_NEVER ? KL_NEVER : (uint64_t)when_ns);
}

int64_t kl_cluster_wall_ms(const kl_cluster *c)
{
    int64_t at_zero = c->config.wall_ms_at_zero;
    return (at_zero == INT64_MIN ? 0 : at_zero) + c->now_ns / NS_PER_MS;
}

int64_t kl_cluster_deadline(const kl_cluster *c)
{
    uint64_t when = kl_heap_when(&c->timers);
    return when == KL_NEVER ? KL_CLUSTER_NEVER : (int64_t)when;
}

static void fire(kl_cluster *c, kl_timer *timer)
{
    kl_heap_remove(&c->timers, timer);
    switch ((kl_timer_kind)timer->kind) {
    case KL_TIMER_REQUEST:
        kl_request_on_timer(KL_CONTAINER_OF(timer, kl_request, timer));
        break;
    case KL_TIMER_PEER:
        kl_peer_on_timer(KL_CONTAINER_OF(timer, kl_peer, unmute));
        break;
    case KL_TIMER_FETCH:
        kl_replica_on_timer(c, KL_CONTAINER_OF(timer, kl_replica, fetch));
        break;
    case KL_TIMER_CREATION:
        kl_creation_on_timer(c, KL_CONTAINER_OF(timer, kl_creation, timer));
        break;
    }
}

void kl_cluster_settle(kl_cluster *c)
{
    for (;;) {
        kl_link *l = kl_list_pop_front(&c->runnable);
        if (l)
            kl_peer_run(KL_CONTAINER_OF(l, kl_peer, runnable));
        else if (kl_cluster_deadline(c) <= c->now_ns)
            fire(c, kl_heap_first(&c->timers));
        else
            break;
    }
}

void kl_cluster_begin(kl_cluster *c, int64_t now_ns)
{
    KL_ASSERT(now_ns >= c->now_ns && now_ns < KL_CLUSTER_NEVER);
    /* Each thing happens at the time it was due, however late the call comes. */
    for (int64_t due; (due = kl_cluster_deadline(c)) <= now_ns;) {
        if (due > c->now_ns)
            c->now_ns = due;
        kl_cluster_settle(c);
    }
    c->now_ns = now_ns;
}

void kl_cluster_on_time(kl_cluster *c, int64_t now_ns)
{
    kl_cluster_begin(c, now_ns);
}

/* ---- Complaints ---- */

void kl_cluster_complain(kl_cluster *c, kl_complaint_kind kind, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->complaint_counts[kind]++;
    if (c->config.hooks.on_complaint)
        c->config.hooks.on_complaint(c->config.hooks.user, kind, text);
    if (c->complaint_count == KL_COMPLAINTS_MAX)
        return;
    size_t size = strlen(text) + 1;
    char *kept = kl_mem_alloc(&c->alloc, size);
    if (!kept)
        return;
    memcpy(kept, text, size);
    c->complaints[c->complaint_count++] = (kl_complaint){kind, kept};
}
