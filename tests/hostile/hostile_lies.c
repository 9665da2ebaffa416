/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong values in ApiVersions and Metadata. See hostile_lies.h. */
#include "tests/hostile/hostile_lies.h"

#include <string.h>

#define NOT_LEADER  6
#define UNSUPPORTED 35

static bool answers(const hostile_reply *r, int16_t api)
{
    return r->api == api;
}

/* ---- ApiVersions ---- */

HOSTILE_LIE(hostile_versions_error)
{
    (void)w;
    (void)c;
    if (answers(r, KLOOP_API_VERSIONS))
        r->versions.error_code = (int16_t)n;
}

HOSTILE_LIE(hostile_versions_empty)
{
    (void)w;
    (void)c;
    (void)n;
    r->api_count = 0;
}

HOSTILE_LIE(hostile_versions_crossed)
{
    (void)w;
    (void)c;
    (void)n;
    for (int32_t i = 0; i < r->api_count; i++)
        r->apis[i] = (kloop_api_version){r->apis[i].api_key, 9, 4};
}

HOSTILE_LIE(hostile_versions_below_0)
{
    (void)w;
    (void)c;
    (void)n;
    for (int32_t i = 0; i < r->api_count; i++)
        r->apis[i] = (kloop_api_version){r->apis[i].api_key, INT16_MIN, -1};
}

HOSTILE_LIE(hostile_versions_old)
{
    (void)w;
    (void)c;
    (void)n;
    for (int32_t i = 0; i < r->api_count; i++)
        r->apis[i] = (kloop_api_version){r->apis[i].api_key, 0, 1};
}

HOSTILE_LIE(hostile_versions_refused)
{
    (void)w;
    (void)c;
    (void)n;
    if (!answers(r, KLOOP_API_VERSIONS))
        return;
    r->version = 0;
    r->versions.error_code = UNSUPPORTED;
    /* It says that it knows the next older one; it does not. */
    for (int32_t i = 0; i < r->api_count; i++)
        r->apis[i] = (kloop_api_version){r->apis[i].api_key, 0, 3};
}

HOSTILE_LIE(hostile_versions_lowest)
{
    (void)w;
    (void)c;
    (void)n;
    for (int32_t i = 0; i < r->api_count; i++)
        r->apis[i].max_version = r->apis[i].min_version;
}

HOSTILE_LIE(hostile_versions_change)
{
    if (c->serial % 2 == 0)
        hostile_versions_lowest(w, c, r, n);
    /* Only a new connection sees other versions. */
    if (answers(r, KLOOP_PRODUCE) && ++c->answers % n == 0)
        hostile_end_after(c, HOSTILE_CLOSES);
}

HOSTILE_LIE(hostile_versions_produce)
{
    (void)w;
    (void)c;
    for (int32_t i = 0; i < r->api_count; i++)
        if (r->apis[i].api_key == KLOOP_PRODUCE)
            r->apis[i].max_version = (int16_t)n;
}

HOSTILE_LIE(hostile_versions_many)
{
    (void)c;
    if (!answers(r, KLOOP_API_VERSIONS))
        return;
    kloop_api_version *more = hostile_take(w, (size_t)(n + r->api_count), sizeof *more);
    for (int64_t i = 0; i < n; i++)
        more[i] = (kloop_api_version){(int16_t)(100 + i), (int16_t)i, INT16_MAX};
    memcpy(more + n, r->apis, (size_t)r->api_count * sizeof *more);
    r->apis = more;
    r->api_count += (int32_t)n;
}

HOSTILE_LIE(hostile_versions_without)
{
    (void)w;
    (void)c;
    for (int32_t i = 0; i < r->api_count; i++)
        if (r->apis[i].api_key == n)
            r->apis[i--] = r->apis[--r->api_count];
}

/* ---- Metadata ---- */

HOSTILE_LIE(hostile_metadata_error)
{
    (void)w;
    (void)c;
    r->metadata.error_code = (int16_t)n;
}

HOSTILE_LIE(hostile_metadata_no_brokers)
{
    (void)w;
    (void)c;
    (void)n;
    r->broker_count = 0;
}

HOSTILE_LIE(hostile_metadata_no_topics)
{
    (void)w;
    (void)c;
    (void)n;
    r->topic_count = 0;
}

HOSTILE_LIE(hostile_metadata_topic_error)
{
    (void)w;
    (void)c;
    if (r->topic_count > 0)
        r->topics[0].error_code = (int16_t)n;
    r->partition_count = 0;
}

HOSTILE_LIE(hostile_metadata_topic_name)
{
    static char endless[32000];
    static const kloop_string names[] = {
        [HOSTILE_NAMES_OTHER] = {"eventz", 6},
        [HOSTILE_NAMES_NULL] = {NULL, 0},
        [HOSTILE_NAMES_LONG] = {endless, sizeof endless},
    };
    (void)w;
    (void)c;
    memset(endless, 'e', sizeof endless);
    if (r->topic_count > 0)
        r->topics[0].name = names[n];
}

HOSTILE_LIE(hostile_metadata_many_topics)
{
    (void)c;
    if (r->topic_count == 0)
        return;
    kloop_metadata_topic asked = r->topics[0];
    r->topics = hostile_take(w, (size_t)n + 1, sizeof *r->topics);
    r->topic_count = (int32_t)n + 1;
    for (int32_t i = 0; i < n; i++) {
        r->topics[i] = asked;
        r->topics[i].name = kloop_text("nobody-asked-for-this");
        r->topics[i].topic_id.bytes[15] = 1;
    }
    r->topics[n] = asked;
}

HOSTILE_LIE(hostile_metadata_no_partitions)
{
    (void)w;
    (void)c;
    (void)n;
    r->partition_count = 0;
}

static void lead_all(hostile_reply *r, int32_t leader, int32_t epoch)
{
    for (int32_t p = 0; p < r->partition_count; p++) {
        r->partitions[p].leader_id = leader;
        r->partitions[p].leader_epoch = epoch;
    }
}

HOSTILE_LIE(hostile_metadata_leader)
{
    (void)w;
    (void)c;
    lead_all(r, (int32_t)n, 5);
}

HOSTILE_LIE(hostile_metadata_port)
{
    (void)w;
    (void)c;
    for (int32_t i = 0; i < r->broker_count; i++)
        r->brokers[i].port = (int32_t)n;
}

HOSTILE_LIE(hostile_metadata_host)
{
    static char endless[300];
    static const kloop_string hosts[] = {
        [HOSTILE_HOSTS_EMPTY] = {"", 0},
        [HOSTILE_HOSTS_LONG] = {endless, sizeof endless},
        [HOSTILE_HOSTS_DOTS] = {"broker..nowhere", 15},
        [HOSTILE_HOSTS_NUL] = {"127.0.0.1\0.test", 15},
        [HOSTILE_HOSTS_UNKNOWN] = {"broker.test", 11},
    };
    (void)w;
    (void)c;
    memset(endless, 'h', sizeof endless);
    for (int32_t i = 0; i < r->broker_count; i++)
        r->brokers[i].host = hosts[n];
}

static void more_brokers(hostile_world *w, hostile_reply *r, int32_t first_id, int64_t count)
{
    uint16_t port = w->ports->ports[0];
    r->brokers = hostile_take(w, (size_t)count, sizeof *r->brokers);
    r->broker_count = (int32_t)count;
    for (int32_t i = 0; i < r->broker_count; i++)
        r->brokers[i] = (kloop_metadata_broker){
            .node_id = first_id + i, .host = kloop_text("127.0.0.1"), .port = port};
}

HOSTILE_LIE(hostile_metadata_many_brokers)
{
    (void)c;
    if (!answers(r, KLOOP_METADATA))
        return;
    more_brokers(w, r, 1, n);
    lead_all(r, (int32_t)n, 5);
}

HOSTILE_LIE(hostile_metadata_many_partitions)
{
    (void)c;
    if (r->topic_count == 0)
        return;
    r->partitions = hostile_take(w, (size_t)n, sizeof *r->partitions);
    r->partition_count = (int32_t)n;
    for (int32_t p = 0; p < r->partition_count; p++)
        r->partitions[p] =
            (kloop_metadata_partition){.partition_index = p, .leader_id = 1, .leader_epoch = 5};
}

HOSTILE_LIE(hostile_metadata_index)
{
    (void)w;
    (void)c;
    if (r->partition_count > 1)
        r->partitions[1].partition_index = (int32_t)n;
}

HOSTILE_LIE(hostile_metadata_cluster)
{
    static const char *const names[] = {"hostile", "friendly"};
    (void)c;
    (void)n;
    if (answers(r, KLOOP_METADATA))
        r->metadata.cluster_id = kloop_text(names[w->turn++ % 2]);
    /* It has to be asked again. */
    for (int32_t i = 0; i < r->ack_count; i++)
        r->acks[i].error_code = NOT_LEADER;
}

HOSTILE_LIE(hostile_metadata_same_place)
{
    (void)c;
    if (!answers(r, KLOOP_METADATA))
        return;
    more_brokers(w, r, 1, n);
    for (int32_t p = 0; p < r->partition_count; p++)
        r->partitions[p].leader_id = 1 + p * (int32_t)(n / 4);
}

HOSTILE_LIE(hostile_metadata_v8)
{
    (void)w;
    (void)c;
    (void)n;
    for (int32_t i = 0; i < r->api_count; i++)
        if (r->apis[i].api_key == KLOOP_METADATA)
            r->apis[i].max_version = 8;
}

/* ---- Leaders in circles ---- */

static void refuse(hostile_reply *r)
{
    hostile_produce_error(NULL, NULL, r, NOT_LEADER);
}

HOSTILE_LIE(hostile_leader_flips)
{
    (void)c;
    (void)n;
    refuse(r);
    if (answers(r, KLOOP_METADATA)) {
        w->turn++;
        lead_all(r, 1 + (int32_t)(w->turn % w->ports->nodes), 5 + (int32_t)w->turn);
    }
}

HOSTILE_LIE(hostile_leader_epoch_falls)
{
    (void)c;
    (void)n;
    refuse(r);
    if (answers(r, KLOOP_METADATA)) {
        w->turn++;
        lead_all(r, 1 + (int32_t)(w->turn % w->ports->nodes), 1000 - (int32_t)w->turn);
    }
}

HOSTILE_LIE(hostile_leader_elsewhere)
{
    (void)n;
    refuse(r);
    if (answers(r, KLOOP_METADATA))
        lead_all(r, 1 + (c->node + 1) % w->ports->nodes, 5 + (int32_t)w->turn++);
}

HOSTILE_LIE(hostile_leader_new_id)
{
    (void)c;
    refuse(r);
    if (!answers(r, KLOOP_METADATA))
        return;
    int32_t first = 1 + (int32_t)(w->turn++ * n);
    more_brokers(w, r, first, n);
    lead_all(r, first, 5 + (int32_t)w->turn);
}

HOSTILE_LIE(hostile_leader_moves_port)
{
    (void)c;
    (void)n;
    refuse(r);
    if (!answers(r, KLOOP_METADATA))
        return;
    r->broker_count = 1;
    r->brokers[0].port = w->ports->ports[++w->turn % w->ports->nodes];
    lead_all(r, 1, 5 + (int32_t)w->turn);
}
