/* SPDX-License-Identifier: BSD-2-Clause */
/* See meta_picture.h. */
#include "cli/meta_picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Order ---- */

static int by_broker_id(const void *a, const void *b)
{
    const kl_meta_broker *x = a, *y = b;
    return (x->it.node_id > y->it.node_id) - (x->it.node_id < y->it.node_id);
}

static int by_index(const void *a, const void *b)
{
    const kl_meta_partition *x = a, *y = b;
    int32_t i = x->it.partition_index, k = y->it.partition_index;
    return (i > k) - (i < k);
}

static int by_name(const void *a, const void *b)
{
    const kl_meta_topic *x = a, *y = b;
    kloop_string s = x->it.name, t = y->it.name;
    size_t len = s.len < t.len ? s.len : t.len;
    int order = len > 0 ? memcmp(s.data, t.data, len) : 0;
    return order ? order : (s.len > t.len) - (s.len < t.len);
}

/* ---- Brokers ---- */

static bool add_brokers(kl_meta_picture *p, const kl_meta_answer *a)
{
    kloop_metadata_broker broker;
    p->brokers = kl_arena_zalloc(&p->arena, (size_t)a->metadata.brokers.count, sizeof *p->brokers);
    if (!p->brokers)
        return false;
    for (kloop_iter i = kloop_iterate(&a->metadata.brokers); kloop_next(&i, &broker);) {
        kl_dialog *dialog = p->broker_count < a->broker_count ? a->brokers[p->broker_count] : NULL;
        p->brokers[p->broker_count++] = (kl_meta_broker){broker, dialog};
        p->silent_broker_count += dialog && !kl_dialog_versions(dialog);
    }
    qsort(p->brokers, p->broker_count, sizeof *p->brokers, by_broker_id);
    return true;
}

/* Is this broker found where somebody was asked? */
static bool is_at(const kloop_metadata_broker *b, const char *place)
{
    char text[320];
    bool ipv6 = b->host.len > 0 && memchr(b->host.data, ':', b->host.len);
    snprintf(text, sizeof text, ipv6 ? "[%.*s]:%d" : "%.*s:%d", (int)b->host.len, b->host.data,
             b->port);
    return strcasecmp(text, place) == 0;
}

static void name_origin(kl_meta_picture *p, const kl_dialog *origin)
{
    char address[KL_DIALOG_PLACE_MAX];
    const char *place = kl_dialog_place(origin);
    kl_dialog_address(origin, address);
    p->origin_id = -1;
    for (size_t i = 0; i < p->broker_count && p->origin_id < 0; i++) {
        if (is_at(&p->brokers[i].it, place) || is_at(&p->brokers[i].it, address))
            p->origin_id = p->brokers[i].it.node_id;
    }
    if (p->origin_id < 0)
        snprintf(p->origin, sizeof p->origin, "%s/bootstrap", place);
    else
        snprintf(p->origin, sizeof p->origin, "%s/%d", place, p->origin_id);
}

/* ---- Topics ---- */

static bool add_partitions(kl_meta_picture *p, kl_meta_topic *topic)
{
    kloop_metadata_partition it;
    size_t count = (size_t)topic->it.partitions.count;
    topic->partitions = kl_arena_zalloc(&p->arena, count, sizeof *topic->partitions);
    if (!topic->partitions)
        return false;
    for (kloop_iter i = kloop_iterate(&topic->it.partitions); kloop_next(&i, &it);) {
        kl_meta_partition *to = &topic->partitions[topic->partition_count++];
        *to = (kl_meta_partition){
            .it = it,
            .leaderless = it.leader_id < 0,
            .under_replicated =
                it.isr_nodes.count<it.replica_nodes.count, .offline = it.offline_replicas.count> 0};
        p->leaderless_count += to->leaderless;
        p->under_replicated_count += to->under_replicated;
        p->offline_count += to->offline;
    }
    p->partition_count += count;
    qsort(topic->partitions, count, sizeof *topic->partitions, by_index);
    return true;
}

static bool is_wanted(const kl_meta_question *q, kloop_string name)
{
    for (size_t i = 0; i < q->topic_count; i++) {
        if (strlen(q->topics[i]) == name.len && memcmp(q->topics[i], name.data, name.len) == 0)
            return true;
    }
    return q->topic_count == 0;
}

static bool is_there(const kl_meta_picture *p, const char *name)
{
    for (size_t i = 0; i < p->topic_count; i++) {
        kloop_string other = p->topics[i].it.name;
        if (other.len == strlen(name) && memcmp(other.data, name, other.len) == 0)
            return true;
    }
    return false;
}

static bool add_topics(kl_meta_picture *p, const kl_meta_question *q, const kl_meta_answer *a)
{
    kloop_metadata_topic it;
    size_t room = (size_t)a->metadata.topics.count + q->topic_count;
    p->topics = kl_arena_zalloc(&p->arena, room, sizeof *p->topics);
    if (!p->topics)
        return false;
    for (kloop_iter i = kloop_iterate(&a->metadata.topics); kloop_next(&i, &it);) {
        if (!it.name.data || !is_wanted(q, it.name))
            continue;
        kl_meta_topic *topic = &p->topics[p->topic_count++];
        topic->it = it;
        p->refused_topic_count += it.error_code != 0;
        if (!add_partitions(p, topic))
            return false;
    }
    /* Who was asked for all topics does not say which ones are missing. */
    for (size_t i = 0; i < q->topic_count && a->asked_all; i++) {
        if (is_there(p, q->topics[i]))
            continue;
        p->topics[p->topic_count++].it =
            (kloop_metadata_topic){.error_code = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION,
                                   .name = kloop_text(q->topics[i])};
        p->refused_topic_count++;
    }
    qsort(p->topics, p->topic_count, sizeof *p->topics, by_name);
    return true;
}

/* "a,b" */
static bool join_asked(kl_meta_picture *p, const kl_meta_question *q)
{
    size_t size = 1;
    if (q->topic_count == 0)
        return true;
    for (size_t i = 0; i < q->topic_count; i++)
        size += strlen(q->topics[i]) + 1;
    char *to = kl_arena_alloc_bytes(&p->arena, size);
    if (!to)
        return false;
    p->asked = to;
    for (size_t i = 0; i < q->topic_count; i++)
        to += sprintf(to, i > 0 ? ",%s" : "%s", q->topics[i]);
    return true;
}

bool kl_meta_picture_make(kl_meta_picture *p, const kl_meta_question *q, const kl_meta_answer *a)
{
    *p = (kl_meta_picture){.cluster_id = a->metadata.cluster_id,
                           .controller_id = a->metadata.controller_id};
    kl_arena_init(&p->arena, &kl_mem_libc);
    if (!join_asked(p, q) || !add_brokers(p, a) || !add_topics(p, q, a))
        return false;
    name_origin(p, a->origin);
    return true;
}

void kl_meta_picture_deinit(kl_meta_picture *p)
{
    kl_arena_deinit(&p->arena);
}
