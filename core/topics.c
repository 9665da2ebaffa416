/* SPDX-License-Identifier: BSD-2-Clause */
/* Topics and partitions. See topics.h. */
#include "core/topics.h"

#include "core/engine_state.h"
#include "core/idempotence.h"
#include "core/known_brokers.h"
#include "core/metadata.h"
#include "core/readiness.h"
#include "core/sticky.h"
#include "core/topic_share.h"
#include "core/trace_points.h"

static kloop_slice key_of(const char *text, size_t len)
{
    return (kloop_slice){(const uint8_t *)text, len};
}

kloop_topic *kl_topics_by_name(const kloop_engine *e, kloop_string name)
{
    return name.data ? kl_map_get(&e->topics, key_of(name.data, name.len)) : NULL;
}

kloop_topic *kl_topics_by_id(const kloop_engine *e, const kloop_uuid *id)
{
    return kl_map_get(&e->topics_by_id, (kloop_slice){id->bytes, sizeof id->bytes});
}

kloop_status kl_topics_intern(kloop_engine *e, kloop_string name, kloop_topic **topic)
{
    *topic = NULL;
    if (!kl_topic_name_is_legal(name))
        return KLOOP_BAD_TOPIC;
    kloop_topic *t = kl_topics_by_name(e, name);
    if (t) {
        *topic = t;
        return KLOOP_OK;
    }
    if (e->life != KL_LIFE_OPEN)
        return KLOOP_CLOSED;
    t = kl_mem_zalloc(&e->alloc, 1, sizeof *t);
    char *text = t ? kl_mem_zalloc(&e->alloc, name.len + 1, 1) : NULL;
    if (text)
        memcpy(text, name.data, name.len);
    if (t) {
        t->engine = e;
        t->name = text;
        t->name_len = name.len;
    }
    if (!text || !kl_topic_settings_begin(e, t) ||
        !kl_map_put(&e->topics, key_of(text, name.len), t)) {
        if (text) {
            kl_topic_settings_end(e, t);
            kl_topic_share_del(e, t);
        }
        kl_mem_release(&e->alloc, text, name.len + 1);
        kl_mem_release(&e->alloc, t, sizeof *t);
        return KLOOP_NO_MEMORY;
    }
    t->batch_bytes = t->set->batch_bytes;
    t->refused_bytes = SIZE_MAX;
    t->used_ns = e->now.mono_ns;
    kl_list_init(&t->parked);
    kl_list_init(&t->gather);
    kl_sticky_set_partitioning(e, t, &t->set->partitioning);
    kl_list_push_back(&e->topic_list, &t->in_topics);
    e->meters.topic_name_bytes += name.len + 1;
    *topic = t;
    kl_metadata_want_topic(e, t);
    return KLOOP_OK;
}

kl_partition *kl_topics_partition(kloop_engine *e, kloop_topic *t, int32_t index)
{
    kl_partition *p = t->partitions[index];
    if (p)
        return p;
    if (!kl_heap_reserve(&e->timers, e->timer_count + 1))
        return NULL;
    p = kl_mem_zalloc(&e->alloc, 1, sizeof *p);
    if (!p)
        return NULL;
    e->timer_count++;
    p->topic = t;
    p->index = index;
    p->producer_id = -1;
    kl_list_init(&p->line);
    kl_list_init(&p->flight);
    kl_timer_init(&p->due, KL_TIMER_PARTITION);
    p->leader = kl_known_broker(e, t->leaders[index].node);
    t->partitions[index] = p;
    return p;
}

void kl_topics_set_leader(kloop_engine *e, kloop_topic *t, int32_t index, int32_t node,
                          int32_t epoch)
{
    kl_leader *now = &t->leaders[index];
    bool moved = now->node != node || now->epoch != epoch;
    t->led_count += (node >= 0) - (now->node >= 0);
    /* That the same one is told of again, after it was forgotten, is none. */
    bool is_news = node >= 0 && (epoch > now->epoch || now->node >= 0);
    *now = (kl_leader){node, epoch};
    if (moved)
        KL_TRACE(e, leader, t, index);
    kl_partition *p = t->partitions[index];
    kl_broker *leader = p ? kl_known_broker(e, node) : NULL;
    if (moved)
        kl_sticky_leader_changed(e, t, index);
    if (!p || (!moved && p->leader == leader))
        return;
    kl_sticky_set_waits(e, p, false);
    kl_topics_place(p, KL_PLACE_NOWHERE, NULL);
    p->leader = leader;
    p->flight_old = p->flight_count > 0;
    p->spares = true;
    p->steady = false;
    p->known_to_leader = false;
    if (is_news)
        p->backoff_until = 0;
    kl_readiness_update(e, p);
}

/* Everything by index is one block: leaders, partitions, open batches. */
static size_t table_bytes(size_t count)
{
    return count * (sizeof(kl_leader) + sizeof(kl_partition *) + sizeof(kl_batch *));
}

bool kl_topics_grow(kloop_engine *e, kloop_topic *t, int32_t partition_count)
{
    if (partition_count <= t->partition_count)
        return true;
    kl_sticky_drop_tree(e, t);
    if (partition_count <= t->table_count) {
        t->partition_count = partition_count;
        kl_topics_judge(e, t);
        return true;
    }
    size_t had = (size_t)t->table_count;
    size_t has = (size_t)partition_count;
    kl_batch **open = kl_mem_zalloc(&e->alloc, 1, table_bytes(has));
    if (!open)
        return false;
    kl_partition **partitions = (kl_partition **)(void *)(open + has);
    kl_leader *leaders = (kl_leader *)(void *)(partitions + has);
    if (had) {
        memcpy(open, t->open, had * sizeof(kl_batch *));
        memcpy(partitions, t->partitions, had * sizeof(kl_partition *));
        memcpy(leaders, t->leaders, had * sizeof *leaders);
        kl_mem_release(&e->alloc, t->open, table_bytes(had));
    }
    for (size_t i = had; i < has; i++)
        leaders[i] = (kl_leader){-1, -1};
    t->open = open;
    t->partitions = partitions;
    t->leaders = leaders;
    e->meters.rows += has - had;
    t->table_count = partition_count;
    t->partition_count = partition_count;
    kl_topics_judge(e, t);
    return true;
}

void kl_topics_shrink(kloop_engine *e, kloop_topic *t, int32_t partition_count)
{
    kl_sticky_drop_tree(e, t);
    t->partition_count = partition_count;
    if (t->sticky >= partition_count)
        t->sticky = -1;
    for (int32_t i = partition_count; i < t->table_count; i++)
        kl_topics_set_leader(e, t, i, -1, -1);
    kl_topics_judge(e, t);
}

static kloop_slice id_key(const kloop_uuid *id)
{
    return (kloop_slice){id->bytes, sizeof id->bytes};
}

static void forget_former(kloop_engine *e, kloop_topic *t)
{
    if (t->has_former)
        kl_map_remove(&e->topics_by_id, id_key(&t->former_id));
    t->has_former = false;
}

static bool same_id(const kloop_uuid *a, const kloop_uuid *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool kl_topics_is_former(const kloop_topic *t, const kloop_uuid *id)
{
    return t->has_id && t->has_former && same_id(id, &t->former_id);
}

kl_topic_id_news kl_topics_set_id(kloop_engine *e, kloop_topic *t, const kloop_uuid *id)
{
    static const kloop_uuid none;
    bool has = !same_id(id, &none);
    if (t->has_id == has && (!has || same_id(id, &t->id)))
        return KL_TOPIC_ID_SAME;
    kloop_topic *owner = has ? kl_topics_by_id(e, id) : NULL;
    /* Two topics of one id: a broker that lies. The first one keeps it. */
    if (owner && owner != t)
        return KL_TOPIC_ID_SAME;
    /* A topic that lost its id for a while, or for which there was no memory, still has a past. */
    bool other = has && (t->has_id || (t->has_former && !same_id(id, &t->former_id)));
    if (owner || t->has_id)
        forget_former(e, t);
    if (t->has_id) {
        /* Answers to what was asked under the old id may still come. */
        kl_map_remove(&e->topics_by_id, id_key(&t->id));
        t->has_id = false;
        t->former_id = t->id;
        t->has_former = kl_map_put(&e->topics_by_id, id_key(&t->former_id), t);
    }
    t->id = *id;
    t->has_id = has && kl_map_put(&e->topics_by_id, id_key(&t->id), t);
    if (t->has_id != has)
        return KL_TOPIC_ID_NO_MEMORY;
    return other ? KL_TOPIC_ID_OTHER : KL_TOPIC_ID_SAME;
}

bool kl_topics_in_use(const kloop_engine *e, const kloop_topic *t)
{
    if (!kl_list_is_empty(&t->parked) ||
        e->now.mono_ns < kl_time_add(t->used_ns, e->set.metadata_max_idle_ns))
        return true;
    for (int32_t i = 0; i < t->table_count; i++) {
        const kl_partition *p = t->partitions[i];
        if (p && (!kl_list_is_empty(&p->line) || p->flight_count > 0))
            return true;
    }
    return false;
}

void kl_topics_judge(const kloop_engine *e, kloop_topic *t)
{
    bool direct =
        e->taking && kl_list_is_empty(&t->parked) && !t->partitioner.fn && !e->hooks.before_append;
    t->direct_count = direct ? (uint32_t)t->partition_count : 0;
}

static void del_line(kloop_engine *e, kl_list *line)
{
    kl_link *at;
    while ((at = kl_list_pop_front(line)))
        kl_batch_del(e, KL_CONTAINER_OF(at, kl_batch, in_line));
}

static void del_partition(kloop_engine *e, kl_partition *p)
{
    kl_heap_remove(&e->timers, &p->due);
    /* Ghosts are in flight and in no line. */
    kl_link *at;
    while ((at = kl_list_pop_front(&p->flight))) {
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_flight);
        if (b->stage == KL_STAGE_REPORTED)
            kl_batch_del(e, b);
    }
    del_line(e, &p->line);
    kl_mem_release(&e->alloc, p, sizeof *p);
}

bool kl_topics_let_go(kloop_engine *e, kloop_topic *t)
{
    /* What was settled and is yet to be reported has left its line and still tells its partition.
     */
    if (t->table_count == 0 || !kl_list_is_empty(&e->reports) || e->reporting)
        return false;
    kl_sticky_drop_tree(e, t);
    for (int32_t i = 0; i < t->table_count; i++) {
        kl_partition *p = t->partitions[i];
        if (!p)
            continue;
        kl_idempotence_forget(e, p);
        kl_topics_place(p, KL_PLACE_NOWHERE, NULL);
        del_partition(e, p);
        e->timer_count--;
    }
    kl_mem_release(&e->alloc, t->open, table_bytes((size_t)t->table_count));
    e->meters.rows -= (size_t)t->table_count;
    t->open = NULL;
    t->partitions = NULL;
    t->leaders = NULL;
    t->table_count = t->partition_count = t->led_count = 0;
    t->older_views = 0;
    t->sticky = -1;
    kl_topics_judge(e, t);
    KL_TRACE(e, topic, t, false);
    return true;
}

void kl_topics_del_all(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&e->topic_list))) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        del_line(e, &t->parked);
        kl_sticky_drop_tree(e, t);
        size_t count = (size_t)t->table_count;
        for (size_t i = 0; i < count; i++)
            if (t->partitions[i])
                del_partition(e, t->partitions[i]);
        kl_mem_release(&e->alloc, t->open, table_bytes(count));
        kl_topic_settings_end(e, t);
        kl_mem_release(&e->alloc, t->name, t->name_len + 1);
        kl_mem_release(&e->alloc, t, sizeof *t);
    }
}
