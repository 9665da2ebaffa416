/* SPDX-License-Identifier: BSD-2-Clause */
/* Topics: made, grown, deleted, wished for. See cluster.h. */
#include "base/check.h"
#include "broker/cluster_parts.h"
#include "broker/replication.h"

#include <string.h>

#define NAME_LEN_MAX 249

kl_partition *kl_cluster_partition(const kl_cluster *c, int32_t topic, int32_t partition)
{
    KL_ASSERT(topic >= 0 && (size_t)topic < c->topic_count);
    const kl_topic *t = c->topics[topic];
    KL_ASSERT(partition >= 0 && partition < t->partition_count);
    return t->partitions[partition];
}

kl_replica *kl_partition_replica(const kl_partition *p, int32_t node_id)
{
    for (int32_t i = 0; i < p->topic->replica_count; i++) {
        if (p->replicas[i].node_id == node_id)
            return (kl_replica *)(uintptr_t)&p->replicas[i];
    }
    return NULL;
}

bool kl_cluster_name_is_legal(const char *name, size_t len)
{
    if (len == 0 || len > NAME_LEN_MAX || (len <= 2 && memcmp(name, "..", len) == 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        char ch = name[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
              ch == '.' || ch == '_' || ch == '-'))
            return false;
    }
    return true;
}

bool kl_topic_name_is_internal(const char *name, size_t len)
{
    static const char *const names[] = {"__consumer_offsets", "__transaction_state",
                                        "__share_group_state"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return true;
    }
    return false;
}

static bool reserve_topic(kl_cluster *c)
{
    if (c->topic_count < c->topic_cap)
        return true;
    size_t cap = c->topic_cap ? c->topic_cap * 2 : 4;
    kl_topic **topics =
        kl_mem_resize(&c->alloc, c->topics, c->topic_cap * sizeof *topics, cap * sizeof *topics);
    if (!topics)
        return false;
    c->topics = topics;
    c->topic_cap = cap;
    return true;
}

/* One for each replica that may come to follow. */
static size_t timers_of(size_t partitions, size_t replicas)
{
    return replicas > 1 ? partitions * replicas : 0;
}

static kl_partition *new_partition(kl_cluster *c, kl_topic *topic, int32_t index,
                                   const int32_t *node_ids)
{
    size_t replicas = (size_t)topic->replica_count;
    kl_partition *p = kl_mem_zalloc(&c->alloc, 1, sizeof *p + replicas * sizeof(kl_replica));
    if (!p)
        return NULL;
    p->topic = topic;
    p->index = index;
    p->last_leader = node_ids[0];
    for (size_t i = 0; i < replicas; i++) {
        kl_replica *r = &p->replicas[i];
        r->partition = p;
        r->node_id = node_ids[i];
        r->follows_epoch = -1;
        kl_log_init(&r->log, &c->alloc, c->config.seed);
        kl_timer_init(&r->fetch, KL_TIMER_FETCH);
        kl_list_init(&r->waiters);
    }
    return p;
}

/* The replicas of the partitions from first on: each begins one broker further. */
static void assign(const kl_cluster *c, int32_t *node_ids, int32_t first, int32_t partitions,
                   int32_t replicas)
{
    for (int32_t p = first; p < partitions; p++) {
        for (int32_t r = 0; r < replicas; r++)
            node_ids[(size_t)p * (size_t)replicas + (size_t)r] =
                c->nodes[(size_t)(p + r) % c->node_count]->node_id;
    }
}

/*
 * Partitions from first on, which are to be in place of those at topic->partitions: two arrays and
 * the new partitions themselves. false: no memory, and nothing has changed.
 */
static bool make_partitions(kl_cluster *c, kl_topic *topic, int32_t partitions,
                            kl_partition ***array, int32_t **node_ids)
{
    size_t replicas = (size_t)topic->replica_count;
    int32_t first = topic->partition_count;
    int32_t made = first;
    *array = kl_mem_zalloc(&c->alloc, (size_t)partitions, sizeof **array);
    *node_ids = kl_mem_zalloc(&c->alloc, (size_t)partitions, replicas * sizeof **node_ids);
    bool room = *array && *node_ids;
    if (room) {
        size_t timers = timers_of((size_t)(partitions - first), replicas);
        room = kl_heap_reserve(&c->timers, c->timer_count + timers);
        if (room && first > 0) {
            memcpy(*array, topic->partitions, (size_t)first * sizeof **array);
            memcpy(*node_ids, topic->node_ids, (size_t)first * replicas * sizeof **node_ids);
        }
        assign(c, *node_ids, first, partitions, topic->replica_count);
        for (; room && made < partitions; made++) {
            (*array)[made] = new_partition(c, topic, made, *node_ids + (size_t)made * replicas);
            room = (*array)[made] != NULL;
        }
        if (room) {
            c->timer_count += timers;
            return true;
        }
    }
    for (int32_t i = first; *array && i < partitions; i++)
        kl_mem_release(&c->alloc, (*array)[i],
                       sizeof(kl_partition) + replicas * sizeof(kl_replica));
    kl_mem_release(&c->alloc, *array, (size_t)partitions * sizeof **array);
    kl_mem_release(&c->alloc, *node_ids, (size_t)partitions * replicas * sizeof **node_ids);
    return false;
}

/* Leaders and ISRs of the partitions from first on, in the true view. */
static void lead(kl_cluster *c, const kl_topic *topic, int32_t first)
{
    for (int32_t i = first; i < topic->partition_count; i++) {
        kl_view_partition *v = kl_view_find(&c->truth, topic, i);
        const int32_t *node_ids = topic->node_ids + (size_t)i * (size_t)topic->replica_count;
        v->leader = node_ids[0];
        v->leader_epoch = 0;
        v->isr_count = topic->replica_count;
        memcpy(kl_view_isr(&c->truth, topic, i), node_ids,
               (size_t)topic->replica_count * sizeof *node_ids);
        kl_replication_changed(c, topic->partitions[i]);
    }
}

static kl_topic *new_topic(kl_cluster *c, const kl_topic_config *config, size_t name_len)
{
    kl_topic *topic = kl_mem_zalloc(&c->alloc, 1, sizeof *topic + name_len);
    if (!topic)
        return NULL;
    char *name = (char *)(topic + 1);
    memcpy(name, config->name, name_len);
    *topic = (kl_topic){
        .handle = (int32_t)c->topic_count,
        .name = {name, name_len},
        .internal = kl_topic_name_is_internal(name, name_len),
        .replica_count = config->replication_factor,
        .message_max_bytes =
            config->message_max_bytes ? config->message_max_bytes : c->config.message_max_bytes,
        .min_isr = config->min_isr ? config->min_isr : c->config.min_isr,
        .append_time = config->append_time,
        .compacted = config->compacted,
    };
    /* As Kafka's ids: version 4 of the variants that are random. */
    for (size_t i = 0; i < sizeof topic->id.bytes; i++)
        topic->id.bytes[i] = (uint8_t)kl_prng_next(&c->prng);
    topic->id.bytes[6] = (uint8_t)(0x40 | (topic->id.bytes[6] & 0x0f));
    topic->id.bytes[8] = (uint8_t)(0x80 | (topic->id.bytes[8] & 0x3f));
    return topic;
}

static void drop_new_topic(kl_cluster *c, kl_topic *topic)
{
    size_t replicas = (size_t)topic->replica_count;
    size_t partitions = (size_t)topic->partition_count;
    for (size_t i = 0; i < partitions; i++)
        kl_mem_release(&c->alloc, topic->partitions[i],
                       sizeof(kl_partition) + replicas * sizeof(kl_replica));
    c->timer_count -= timers_of(partitions, replicas);
    kl_mem_release(&c->alloc, topic->partitions, partitions * sizeof *topic->partitions);
    kl_mem_release(&c->alloc, topic->node_ids, partitions * replicas * sizeof *topic->node_ids);
    kl_mem_release(&c->alloc, topic, sizeof *topic + topic->name.len);
}

kl_cluster_status kl_cluster_add_topic(kl_cluster *c, const kl_topic_config *config,
                                       int32_t *handle)
{
    size_t name_len = strlen(config->name);
    if (!kl_cluster_name_is_legal(config->name, name_len))
        return KL_CLUSTER_BAD_NAME;
    if (kl_cluster_find_topic(c, config->name, name_len) != KL_NO_TOPIC)
        return KL_CLUSTER_EXISTS;
    if (config->partitions < 1 || config->replication_factor < 1 ||
        (size_t)config->replication_factor > c->node_count ||
        (c->config.discard && config->replication_factor > 1))
        return KL_CLUSTER_BAD_COUNT;
    if (!reserve_topic(c))
        return KL_CLUSTER_NO_MEMORY;
    kl_topic *topic = new_topic(c, config, name_len);
    if (!topic)
        return KL_CLUSTER_NO_MEMORY;
    if (make_partitions(c, topic, config->partitions, &topic->partitions, &topic->node_ids)) {
        topic->partition_count = config->partitions;
        if (kl_view_add_topic(&c->truth, topic)) {
            c->topics[c->topic_count++] = topic;
            lead(c, topic, 0);
            *handle = topic->handle;
            return KL_CLUSTER_OK;
        }
    } else {
        topic->partitions = NULL;
        topic->node_ids = NULL;
    }
    drop_new_topic(c, topic);
    return KL_CLUSTER_NO_MEMORY;
}

void kl_cluster_delete_topic(kl_cluster *c, int32_t handle, int64_t now_ns)
{
    KL_ASSERT(handle >= 0 && (size_t)handle < c->topic_count);
    kl_topic *topic = c->topics[handle];
    kl_cluster_begin(c, now_ns);
    kl_view_remove_topic(&c->truth, topic);
    for (int32_t i = 0; i < topic->partition_count; i++)
        kl_replication_changed(c, topic->partitions[i]);
    kl_cluster_settle(c);
}

void kl_cluster_set_message_max(kl_cluster *c, int32_t handle, int32_t message_max_bytes)
{
    KL_ASSERT(handle >= 0 && (size_t)handle < c->topic_count && message_max_bytes > 0);
    c->topics[handle]->message_max_bytes = message_max_bytes;
}

kl_cluster_status kl_cluster_grow_topic(kl_cluster *c, int32_t handle, int32_t partitions)
{
    KL_ASSERT(handle >= 0 && (size_t)handle < c->topic_count);
    kl_topic *topic = c->topics[handle];
    size_t old_count = (size_t)topic->partition_count;
    size_t replicas = (size_t)topic->replica_count;
    kl_partition **array;
    int32_t *node_ids;
    KL_ASSERT(kl_view_find(&c->truth, topic, 0));
    if (partitions <= topic->partition_count)
        return KL_CLUSTER_BAD_COUNT;
    if (!make_partitions(c, topic, partitions, &array, &node_ids))
        return KL_CLUSTER_NO_MEMORY;
    bool grown = kl_view_grow_topic(&c->truth, topic, partitions);
    if (grown) {
        kl_mem_release(&c->alloc, topic->partitions, old_count * sizeof *array);
        kl_mem_release(&c->alloc, topic->node_ids, old_count * replicas * sizeof *node_ids);
        topic->partitions = array;
        topic->node_ids = node_ids;
        topic->partition_count = partitions;
        lead(c, topic, (int32_t)old_count);
        return KL_CLUSTER_OK;
    }
    for (size_t i = old_count; i < (size_t)partitions; i++)
        kl_mem_release(&c->alloc, array[i], sizeof(kl_partition) + replicas * sizeof(kl_replica));
    c->timer_count -= timers_of((size_t)partitions - old_count, replicas);
    kl_mem_release(&c->alloc, array, (size_t)partitions * sizeof *array);
    kl_mem_release(&c->alloc, node_ids, (size_t)partitions * replicas * sizeof *node_ids);
    return KL_CLUSTER_NO_MEMORY;
}

int32_t kl_cluster_find_topic(const kl_cluster *c, const char *name, size_t len)
{
    const kl_topic *topic = kl_view_find_name(&c->truth, name, len);
    return topic ? topic->handle : KL_NO_TOPIC;
}

/* ---- Topics that are made by asking for them ---- */

void kl_cluster_want_topic(kl_cluster *c, const char *name, size_t len)
{
    for (kl_link *l = kl_list_first(&c->creations); l; l = kl_list_next(&c->creations, l)) {
        const kl_creation *creation = KL_CONTAINER_OF(l, kl_creation, link);
        if (creation->name_len == len && memcmp(creation->name, name, len) == 0)
            return;
    }
    kl_creation *creation = kl_mem_zalloc(&c->alloc, 1, sizeof *creation + len);
    if (!creation)
        return;
    if (!kl_cluster_add_timer(c)) {
        kl_mem_release(&c->alloc, creation, sizeof *creation + len);
        return;
    }
    creation->name_len = len;
    memcpy(creation->name, name, len);
    kl_timer_init(&creation->timer, KL_TIMER_CREATION);
    kl_list_push_back(&c->creations, &creation->link);
    kl_cluster_set_timer(c, &creation->timer,
                         kl_cluster_later(c->now_ns, c->config.auto_create_delay_ns));
}

void kl_creation_on_timer(kl_cluster *c, kl_creation *creation)
{
    char name[NAME_LEN_MAX + 1];
    int32_t handle;
    KL_ASSERT(creation->name_len <= NAME_LEN_MAX);
    memcpy(name, creation->name, creation->name_len);
    name[creation->name_len] = '\0';
    kl_list_remove(&creation->link);
    kl_cluster_remove_timer(c, &creation->timer);
    kl_mem_release(&c->alloc, creation, sizeof *creation + creation->name_len);
    /* What cannot be made stays unknown: there is nobody to tell. */
    kl_cluster_add_topic(
        c,
        &(kl_topic_config){.name = name,
                           .partitions = c->config.auto_create_partitions,
                           .replication_factor = c->config.auto_create_replication_factor},
        &handle);
}
