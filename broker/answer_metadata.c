/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metadata, as Kafka 4.3.1 answers it. See answer_metadata.h.
 *
 * Kafka's lists come in the order of its hash tables. Ours come in the order of the question, or of
 * the topics' making; each topic once. Whoever compares has to compare sets.
 */
#include "broker/answer_metadata.h"

#include "base/check.h"

#include <kloop/broker_error.h>
#include <kloop/wire.h>

#include <string.h>

/* The first version that can ask by id. From 10 on there is a field for it. */
#define IDS_SINCE 12

/* What a broker without an authorizer says: all that can be done to a topic, to the cluster. */
#define TOPIC_OPERATIONS   3576
#define CLUSTER_OPERATIONS 8096

typedef struct metadata {
    kl_request *r;
    const kloop_metadata_request *q;
    const kl_view *view;
    int16_t version;
    kloop_metadata_response response;
    kloop_metadata_topic *topics;
    int32_t count;
} metadata;

static void *take(metadata *m, size_t count, size_t size)
{
    return kl_scratch_take(&m->r->scratch, count, size);
}

/* ---- Brokers ---- */

static bool add_brokers(metadata *m)
{
    kloop_metadata_broker *brokers = take(m, m->view->broker_count, sizeof *brokers);
    int32_t count = 0;
    if (!brokers)
        return false;
    for (size_t i = 0; i < m->view->broker_count; i++) {
        const kl_view_broker *b = &m->view->brokers[i];
        if (b->listed)
            brokers[count++] = (kloop_metadata_broker){.node_id = b->node_id,
                                                       .host = kloop_text(b->host),
                                                       .port = b->port,
                                                       .rack = kloop_text(b->rack)};
    }
    m->response.brokers = kloop_array_of(brokers, count);
    return true;
}

static bool is_listed(const metadata *m, int32_t node_id)
{
    const kl_view_broker *b = kl_view_find_broker(m->view, node_id);
    return b && b->listed;
}

/* Those of the nodes that are listed, or those that are not. */
static bool pick(metadata *m, const int32_t *nodes, int32_t count, bool listed, kloop_array *list)
{
    int32_t *picked = take(m, (size_t)count, sizeof *picked);
    int32_t n = 0;
    if (!picked)
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (is_listed(m, nodes[i]) == listed)
            picked[n++] = nodes[i];
    }
    *list = kloop_array_of(picked, n);
    return true;
}

static bool copy(metadata *m, const int32_t *nodes, int32_t count, kloop_array *list)
{
    int32_t *copied = take(m, (size_t)count, sizeof *copied);
    if (!copied)
        return false;
    if (count > 0)
        memcpy(copied, nodes, (size_t)count * sizeof *copied);
    *list = kloop_array_of(copied, count);
    return true;
}

/* ---- Topics ---- */

static bool fill_partition(metadata *m, const kl_topic *topic, int32_t index,
                           kloop_metadata_partition *p)
{
    const kl_view_partition *v = kl_view_find(m->view, topic, index);
    const int32_t *isr = kl_view_isr(m->view, topic, index);
    int32_t replicas = topic->replica_count;
    const int32_t *nodes = topic->node_ids + (size_t)index * (size_t)replicas;
    /* Version 0 can only speak of brokers that are there. */
    bool whole = m->version > 0;
    bool made = whole ? copy(m, nodes, replicas, &p->replica_nodes) &&
                            copy(m, isr, v->isr_count, &p->isr_nodes)
                      : pick(m, nodes, replicas, true, &p->replica_nodes) &&
                            pick(m, isr, v->isr_count, true, &p->isr_nodes);
    if (!made || !pick(m, nodes, replicas, false, &p->offline_replicas))
        return false;
    p->partition_index = index;
    p->leader_id = v->leader;
    p->leader_epoch = v->leader_epoch;
    if (v->leader == KL_NO_NODE)
        p->error_code = KLOOP_BROKER_LEADER_NOT_AVAILABLE;
    else if (p->replica_nodes.count < replicas || p->isr_nodes.count < v->isr_count)
        p->error_code = KLOOP_BROKER_REPLICA_NOT_AVAILABLE;
    return true;
}

static kloop_metadata_topic *add_topic(metadata *m, int16_t error_code, kloop_string name)
{
    kloop_metadata_topic *t = &m->topics[m->count++];
    *t = (kloop_metadata_topic){.error_code = error_code,
                                .name = name,
                                .partitions = kloop_array_of(NULL, 0),
                                .topic_authorized_operations = INT32_MIN};
    if (m->q->include_topic_authorized_operations)
        t->topic_authorized_operations = TOPIC_OPERATIONS;
    return t;
}

static bool add_known(metadata *m, kl_topic *topic)
{
    if (topic->named_by == m->r->info.request_id)
        return true;
    topic->named_by = m->r->info.request_id;
    int32_t count = m->view->topics[topic->handle].partition_count;
    kloop_metadata_partition *partitions = take(m, (size_t)count, sizeof *partitions);
    if (!partitions)
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (!fill_partition(m, topic, i, &partitions[i]))
            return false;
    }
    kloop_metadata_topic *t = add_topic(m, 0, topic->name);
    t->topic_id = topic->id;
    t->is_internal = topic->internal;
    t->partitions = kloop_array_of(partitions, count);
    return true;
}

static bool is_named(const metadata *m, kloop_string name)
{
    for (int32_t i = 0; i < m->count; i++) {
        const kloop_string *other = &m->topics[i].name;
        if (other->len == name.len && memcmp(other->data, name.data, name.len) == 0)
            return true;
    }
    return false;
}

static void add_unknown(metadata *m, kloop_string name)
{
    const kl_cluster_config *config = &m->r->cluster->config;
    bool legal = kl_cluster_name_is_legal(name.data, name.len);
    if (is_named(m, name))
        return;
    kloop_metadata_topic *t = add_topic(
        m, legal ? KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION : KLOOP_BROKER_INVALID_TOPIC_EXCEPTION,
        name);
    t->is_internal = kl_topic_name_is_internal(name.data, name.len);
    if (legal && config->auto_create_partitions > 0 && m->q->allow_auto_topic_creation)
        kl_cluster_want_topic(m->r->cluster, name.data, name.len);
}

/* ---- The ways of asking ---- */

static bool add_all(metadata *m)
{
    m->topics = take(m, m->view->topic_count, sizeof *m->topics);
    if (!m->topics)
        return false;
    for (size_t i = 0; i < m->view->topic_count; i++) {
        if (m->view->topics[i].exists && !add_known(m, m->view->topics[i].topic))
            return false;
    }
    return true;
}

static bool add_by_id(metadata *m)
{
    static const kloop_uuid none;
    kloop_metadata_request_topic asked;
    for (kloop_iter i = kloop_iterate(&m->q->topics); kloop_next(&i, &asked);) {
        if (memcmp(&asked.topic_id, &none, sizeof none) == 0)
            continue;
        kl_topic *topic = kl_view_find_id(m->view, &asked.topic_id);
        if (topic) {
            if (!add_known(m, topic))
                return false;
        } else {
            kloop_metadata_topic *t =
                add_topic(m, KLOOP_BROKER_UNKNOWN_TOPIC_ID, (kloop_string){NULL, 0});
            t->topic_id = asked.topic_id;
            t->topic_authorized_operations = INT32_MIN;
        }
    }
    return true;
}

static bool add_by_name(metadata *m)
{
    kloop_metadata_request_topic asked;
    for (kloop_iter i = kloop_iterate(&m->q->topics); kloop_next(&i, &asked);) {
        kl_topic *topic = kl_view_find_name(m->view, asked.name.data, asked.name.len);
        if (!topic)
            add_unknown(m, asked.name);
        else if (!add_known(m, topic))
            return false;
    }
    return true;
}

/* Kafka gives up on the whole question: each topic gets the error, and there is nothing else. */
static void refuse_all(metadata *m, int16_t error_code)
{
    kloop_metadata_request_topic asked;
    m->response.brokers = kloop_array_of(NULL, 0);
    for (kloop_iter i = kloop_iterate(&m->q->topics); kloop_next(&i, &asked);) {
        kloop_metadata_topic *t =
            add_topic(m, error_code, asked.name.data ? asked.name : kloop_text(""));
        t->topic_id = asked.topic_id;
        t->topic_authorized_operations = INT32_MIN;
    }
    m->response.error_code = error_code;
}

/* 0, or the error that Kafka has for the whole question. *by_id: it asks by id. */
static int16_t look_at_question(const metadata *m, bool *by_id)
{
    static const kloop_uuid none;
    kloop_metadata_request_topic asked;
    bool nameless = false;
    *by_id = false;
    for (kloop_iter i = kloop_iterate(&m->q->topics); kloop_next(&i, &asked);) {
        bool has_id = memcmp(&asked.topic_id, &none, sizeof none) != 0;
        if (m->version < IDS_SINCE && (has_id || !asked.name.data))
            return KLOOP_BROKER_INVALID_REQUEST;
        *by_id |= has_id;
        nameless |= !has_id && !asked.name.data;
    }
    return nameless && !*by_id ? KLOOP_BROKER_UNKNOWN_SERVER_ERROR : 0;
}

static bool fill(metadata *m)
{
    const kloop_array *asked = &m->q->topics;
    bool by_id;
    kl_cluster *c = m->r->cluster;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m->response);
    bool all = asked->count < 0 || (m->version == 0 && asked->count == 0);
    if (!all) {
        m->topics = take(m, (size_t)asked->count, sizeof *m->topics);
        if (!m->topics)
            return false;
        int16_t error_code = look_at_question(m, &by_id);
        if (error_code) {
            refuse_all(m, error_code);
            return true;
        }
    }
    m->response.cluster_id = kloop_text(c->cluster_id);
    m->response.controller_id = m->view->controller;
    if (m->q->include_cluster_authorized_operations)
        m->response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    return add_brokers(m) && (all ? add_all(m) : by_id ? add_by_id(m) : add_by_name(m));
}

void kl_answer_metadata(kl_request *r, const kloop_metadata_request *q)
{
    metadata m = {.r = r,
                  .q = q,
                  .view = kl_node_view(r->cluster, r->peer->node),
                  .version = r->info.version};
    if (!fill(&m)) {
        kl_request_no_memory(r);
        return;
    }
    m.response.topics = kloop_array_of(m.topics, m.count);
    kl_request_answer(r, &m.response);
}
