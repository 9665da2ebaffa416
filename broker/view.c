/* SPDX-License-Identifier: BSD-2-Clause */
/* What the controller has written, and copies of it. See view.h. */
#include "broker/view.h"

#include "base/check.h"
#include "base/mem.h"
#include "broker/cluster_parts.h"

#include <string.h>

void kl_view_init(kl_view *v, const kloop_allocator *alloc, uint64_t seed)
{
    *v = (kl_view){.alloc = *alloc, .controller = KL_NO_NODE};
    kl_map_init(&v->by_name, alloc, seed);
    kl_map_init(&v->by_id, alloc, seed);
}

/* ---- Brokers ---- */

static char *copy_text(const kloop_allocator *alloc, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = kl_mem_alloc(alloc, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static void release_text(const kloop_allocator *alloc, char *text)
{
    if (text)
        kl_mem_release(alloc, text, strlen(text) + 1);
}

kl_view_broker *kl_view_find_broker(const kl_view *v, int32_t node_id)
{
    for (size_t i = 0; i < v->broker_count; i++) {
        if (v->brokers[i].node_id == node_id)
            return &v->brokers[i];
    }
    return NULL;
}

bool kl_view_set_address(kl_view_broker *b, const kloop_allocator *alloc, const char *host,
                         int32_t port, const char *rack)
{
    char *new_host = copy_text(alloc, host);
    char *new_rack = rack ? copy_text(alloc, rack) : NULL;
    if (!new_host || (rack && !new_rack)) {
        release_text(alloc, new_host);
        release_text(alloc, new_rack);
        return false;
    }
    release_text(alloc, b->host);
    release_text(alloc, b->rack);
    b->host = new_host;
    b->rack = new_rack;
    b->port = port;
    return true;
}

bool kl_view_add_broker(kl_view *v, int32_t node_id, const char *host, int32_t port)
{
    size_t size = v->broker_count * sizeof *v->brokers;
    kl_view_broker added = {.node_id = node_id, .listed = true};
    if (!kl_view_set_address(&added, &v->alloc, host, port, NULL))
        return false;
    kl_view_broker *brokers = kl_mem_resize(&v->alloc, v->brokers, size, size + sizeof *v->brokers);
    if (!brokers) {
        release_text(&v->alloc, added.host);
        return false;
    }
    v->brokers = brokers;
    v->brokers[v->broker_count++] = added;
    return true;
}

/* ---- Topics ---- */

static size_t block_size(int32_t partitions, int32_t replicas)
{
    return (size_t)partitions * (sizeof(kl_view_partition) + (size_t)replicas * sizeof(int32_t));
}

static void release_block(const kl_view *v, kl_view_topic *t)
{
    kl_mem_release(&v->alloc, t->partitions, block_size(t->partition_count, t->replica_count));
    t->partitions = NULL;
    t->isr = NULL;
    t->partition_count = 0;
}

/* Room for so many partitions, the first ones as they are in from. */
static bool make_block(const kl_view *v, kl_view_topic *t, int32_t partitions,
                       const kl_view_topic *from)
{
    kl_view_partition *p = kl_mem_alloc(&v->alloc, block_size(partitions, t->replica_count));
    if (!p)
        return false;
    int32_t *isr = (int32_t *)(void *)(p + partitions);
    size_t replicas = (size_t)t->replica_count;
    int32_t same = from->partition_count;
    if (same > 0) {
        memcpy(p, from->partitions, (size_t)same * sizeof *p);
        memcpy(isr, from->isr, (size_t)same * replicas * sizeof *isr);
    }
    for (int32_t i = same; i < partitions; i++)
        p[i] =
            (kl_view_partition){.leader = KL_NO_NODE, .leader_epoch = -1, .eligible = KL_NO_NODE};
    t->partitions = p;
    t->isr = isr;
    t->partition_count = partitions;
    return true;
}

static bool reserve_topic(kl_view *v)
{
    if (v->topic_count < v->topic_cap)
        return true;
    size_t cap = v->topic_cap ? v->topic_cap * 2 : 8;
    kl_view_topic *topics =
        kl_mem_resize(&v->alloc, v->topics, v->topic_cap * sizeof *topics, cap * sizeof *topics);
    if (!topics)
        return false;
    v->topics = topics;
    v->topic_cap = cap;
    return true;
}

static kloop_slice name_key(const kl_topic *topic)
{
    return (kloop_slice){(const uint8_t *)topic->name.data, topic->name.len};
}

static kloop_slice id_key(const kloop_uuid *id)
{
    return (kloop_slice){id->bytes, sizeof id->bytes};
}

static bool put_keys(kl_view *v, kl_topic *topic)
{
    if (!kl_map_put(&v->by_name, name_key(topic), topic))
        return false;
    if (kl_map_put(&v->by_id, id_key(&topic->id), topic))
        return true;
    kl_map_remove(&v->by_name, name_key(topic));
    return false;
}

bool kl_view_add_topic(kl_view *v, kl_topic *topic)
{
    KL_ASSERT((size_t)topic->handle == v->topic_count);
    kl_view_topic none = {.topic = topic};
    kl_view_topic t = {.topic = topic, .exists = true, .replica_count = topic->replica_count};
    if (!reserve_topic(v) || !make_block(v, &t, topic->partition_count, &none))
        return false;
    if (!put_keys(v, topic)) {
        release_block(v, &t);
        return false;
    }
    v->topics[v->topic_count++] = t;
    return true;
}

void kl_view_remove_topic(kl_view *v, const kl_topic *topic)
{
    kl_view_topic *t = &v->topics[topic->handle];
    KL_ASSERT(t->exists);
    t->exists = false;
    kl_map_remove(&v->by_name, name_key(topic));
    kl_map_remove(&v->by_id, id_key(&topic->id));
    release_block(v, t);
}

bool kl_view_grow_topic(kl_view *v, const kl_topic *topic, int32_t partitions)
{
    kl_view_topic *t = &v->topics[topic->handle];
    kl_view_topic old = *t;
    if (!make_block(v, t, partitions, &old))
        return false;
    release_block(v, &old);
    return true;
}

kl_topic *kl_view_find_name(const kl_view *v, const char *name, size_t len)
{
    return kl_map_get(&v->by_name, (kloop_slice){(const uint8_t *)name, len});
}

kl_topic *kl_view_find_id(const kl_view *v, const kloop_uuid *id)
{
    return kl_map_get(&v->by_id, id_key(id));
}

kl_view_partition *kl_view_find(const kl_view *v, const kl_topic *topic, int32_t partition)
{
    if ((size_t)topic->handle >= v->topic_count)
        return NULL;
    const kl_view_topic *t = &v->topics[topic->handle];
    if (!t->exists || partition < 0 || partition >= t->partition_count)
        return NULL;
    return &t->partitions[partition];
}

int32_t *kl_view_isr(const kl_view *v, const kl_topic *topic, int32_t partition)
{
    const kl_view_topic *t = &v->topics[topic->handle];
    return t->isr + (size_t)partition * (size_t)t->replica_count;
}

bool kl_view_in_isr(const kl_view *v, const kl_topic *topic, int32_t partition, int32_t node_id)
{
    const kl_view_partition *p = kl_view_find(v, topic, partition);
    const int32_t *isr = p ? kl_view_isr(v, topic, partition) : NULL;
    for (int32_t i = 0; p && i < p->isr_count; i++) {
        if (isr[i] == node_id)
            return true;
    }
    return false;
}

/* ---- Copies ---- */

static bool copy_brokers(kl_view *to, const kl_view *from)
{
    for (size_t i = 0; i < from->broker_count; i++) {
        const kl_view_broker *b = &from->brokers[i];
        if (!kl_view_add_broker(to, b->node_id, b->host, b->port))
            return false;
        kl_view_broker *added = &to->brokers[i];
        added->listed = b->listed;
        if (b->rack && !kl_view_set_address(added, &to->alloc, b->host, b->port, b->rack))
            return false;
    }
    return true;
}

static bool copy_topics(kl_view *to, const kl_view *from)
{
    for (size_t i = 0; i < from->topic_count; i++) {
        const kl_view_topic *t = &from->topics[i];
        kl_view_topic copy = {.topic = t->topic, .replica_count = t->replica_count};
        if (!reserve_topic(to))
            return false;
        if (t->exists) {
            if (!make_block(to, &copy, t->partition_count, t))
                return false;
            copy.exists = put_keys(to, t->topic);
            if (!copy.exists) {
                release_block(to, &copy);
                return false;
            }
        }
        to->topics[to->topic_count++] = copy;
    }
    return true;
}

kl_view *kl_view_copy(const kl_view *v)
{
    kl_view *copy = kl_mem_alloc(&v->alloc, sizeof *copy);
    if (!copy)
        return NULL;
    kl_view_init(copy, &v->alloc, v->by_name.seed);
    copy->controller = v->controller;
    if (copy_brokers(copy, v) && copy_topics(copy, v))
        return copy;
    kl_view_del(copy);
    return NULL;
}

void kl_view_deinit(kl_view *v)
{
    for (size_t i = 0; i < v->broker_count; i++) {
        release_text(&v->alloc, v->brokers[i].host);
        release_text(&v->alloc, v->brokers[i].rack);
    }
    kl_mem_release(&v->alloc, v->brokers, v->broker_count * sizeof *v->brokers);
    for (size_t i = 0; i < v->topic_count; i++)
        release_block(v, &v->topics[i]);
    kl_mem_release(&v->alloc, v->topics, v->topic_cap * sizeof *v->topics);
    kl_map_deinit(&v->by_name);
    kl_map_deinit(&v->by_id);
}

void kl_view_del(kl_view *v)
{
    if (!v)
        return;
    kloop_allocator alloc = v->alloc;
    kl_view_deinit(v);
    kl_mem_release(&alloc, v, sizeof *v);
}
