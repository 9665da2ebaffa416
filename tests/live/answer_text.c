/* SPDX-License-Identifier: BSD-2-Clause */
/* See answer_text.h. */
#include "tests/live/answer_text.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 160

/* ---- Names instead of what was drawn ---- */

/* All texts go into NAME_MAX_BYTES at out. */
static const char *id_text(const kl_talk *t, const kloop_uuid *id, char *out)
{
    static const kloop_uuid none;
    const kl_side_topic *topic = kl_side_names_topic_of(&t->names, id);
    if (topic)
        snprintf(out, NAME_MAX_BYTES, "id of %s", topic->name);
    else
        snprintf(out, NAME_MAX_BYTES, "%s",
                 memcmp(id, &none, sizeof none) == 0 ? "none" : "unknown");
    return out;
}

static const char *string_text(kloop_string text, char *out)
{
    if (!text.data)
        return "null";
    snprintf(out, NAME_MAX_BYTES, "\"%.*s\"", (int)(text.len < 100 ? text.len : 100), text.data);
    return out;
}

static const char *presence(kloop_string text)
{
    return text.data ? "given" : "null";
}

/* A copy of the list's elements, for sorting; the caller frees. */
static void *elements_of(const kloop_array *list, size_t element_size)
{
    size_t count = list->count > 0 ? (size_t)list->count : 0;
    uint8_t *all = calloc(count + 1, element_size);
    KL_ASSERT(all);
    kloop_iter it = kloop_iterate(list);
    for (size_t i = 0; i < count; i++)
        KL_ASSERT(kloop_next_sized(&it, all + i * element_size, element_size));
    return all;
}

static int compare_strings(kloop_string a, kloop_string b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- ApiVersions ---- */

static int by_key(const void *a, const void *b)
{
    return ((const kloop_api_version *)a)->api_key - ((const kloop_api_version *)b)->api_key;
}

static void api_versions_text(kl_talk *t, int16_t version, const kloop_api_versions_response *r)
{
    char name[NAME_MAX_BYTES];
    kl_talk_line(t, "error_code", "%d", r->error_code);
    kloop_api_version *apis = elements_of(&r->api_keys, sizeof *apis);
    qsort(apis, r->api_keys.count > 0 ? (size_t)r->api_keys.count : 0, sizeof *apis, by_key);
    for (int32_t i = 0; i < r->api_keys.count; i++) {
        const kloop_api *api = kloop_api_find(apis[i].api_key);
        if (!api)
            continue;
        snprintf(name, sizeof name, "api %s", api->name);
        kl_talk_line(t, name, "%d to %d", apis[i].min_version, apis[i].max_version);
    }
    free(apis);
    if (version >= 1)
        kl_talk_line(t, "throttle_time_ms", "%d", r->throttle_time_ms);
    if (version >= 3)
        kl_talk_line(t, "zk_migration_ready", "%d", r->zk_migration_ready);
}

/* ---- Metadata ---- */

static int by_node(const void *a, const void *b)
{
    const kloop_metadata_broker *x = a, *y = b;
    return (x->node_id > y->node_id) - (x->node_id < y->node_id);
}

/* Topics without a name by their id's: the unknown ones look alike anyway. */
static int by_name(const void *a, const void *b)
{
    const kloop_metadata_topic *x = a, *y = b;
    return compare_strings(x->name, y->name);
}

static int by_index(const void *a, const void *b)
{
    const kloop_metadata_partition *x = a, *y = b;
    return (x->partition_index > y->partition_index) - (x->partition_index < y->partition_index);
}

static int by_id(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Replicas stand in the order of preference; the others in none. */
static void nodes_text(kl_talk *t, const char *name, const kloop_array *nodes, bool sorted)
{
    char text[NAME_MAX_BYTES] = "";
    size_t len = 0;
    int32_t *all = elements_of(nodes, sizeof *all);
    if (sorted)
        qsort(all, nodes->count > 0 ? (size_t)nodes->count : 0, sizeof *all, by_id);
    for (int32_t i = 0; i < nodes->count && len < sizeof text - 16; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, " %d", all[i]);
    free(all);
    kl_talk_line(t, name, "%d:%s", nodes->count, text);
}

static void partition_text(kl_talk *t, int16_t version, const kloop_metadata_partition *p)
{
    kl_talk_line(t, "partition_index", "%d", p->partition_index);
    kl_talk_line(t, "error_code", "%d", p->error_code);
    kl_talk_line(t, "leader_id", "%d", p->leader_id);
    if (version >= 7)
        kl_talk_line(t, "leader_epoch", "%d", p->leader_epoch);
    nodes_text(t, "replica_nodes", &p->replica_nodes, false);
    nodes_text(t, "isr_nodes", &p->isr_nodes, true);
    if (version >= 5)
        nodes_text(t, "offline_replicas", &p->offline_replicas, true);
}

static bool starts_with(kloop_string name, const char *start)
{
    size_t len = strlen(start);
    return name.data && name.len >= len && memcmp(name.data, start, len) == 0;
}

/* Kafka's own, and those of the scenarios around us. */
static bool is_other_people_s(kloop_string name)
{
    return starts_with(name, "__") || starts_with(name, "live.");
}

static void topic_text(kl_talk *t, int16_t version, const kloop_metadata_topic *topic)
{
    char text[NAME_MAX_BYTES];
    kl_talk_line(t, "topic", "%s", string_text(topic->name, text));
    kl_talk_line(t, "error_code", "%d", topic->error_code);
    if (version >= 1)
        kl_talk_line(t, "is_internal", "%d", topic->is_internal);
    if (version >= 10)
        kl_talk_line(t, "topic_id", "%s", id_text(t, &topic->topic_id, text));
    if (version >= 8)
        kl_talk_line(t, "topic_authorized_operations", "%#x",
                     (unsigned)topic->topic_authorized_operations);
    kloop_metadata_partition *all = elements_of(&topic->partitions, sizeof *all);
    qsort(all, topic->partitions.count > 0 ? (size_t)topic->partitions.count : 0, sizeof *all,
          by_index);
    kl_talk_line(t, "partitions", "%d", topic->partitions.count);
    for (int32_t i = 0; i < topic->partitions.count; i++)
        partition_text(t, version, &all[i]);
    free(all);
}

static void metadata_text(kl_talk *t, int16_t version, const kloop_metadata_response *r)
{
    char text[NAME_MAX_BYTES];
    if (version >= 3)
        kl_talk_line(t, "throttle_time_ms", "%d", r->throttle_time_ms);
    kloop_metadata_broker *brokers = elements_of(&r->brokers, sizeof *brokers);
    bool controller_is_one = false;
    qsort(brokers, r->brokers.count > 0 ? (size_t)r->brokers.count : 0, sizeof *brokers, by_node);
    for (int32_t i = 0; i < r->brokers.count; i++) {
        const kloop_metadata_broker *b = &brokers[i];
        controller_is_one |= b->node_id == r->controller_id;
        kl_talk_line(t, "broker", "%d at %.*s:%d, rack %s", b->node_id, (int)b->host.len,
                     b->host.data, b->port, string_text(b->rack, text));
    }
    free(brokers);
    if (version >= 2)
        kl_talk_line(t, "cluster_id", "%s", presence(r->cluster_id));
    if (version >= 1)
        kl_talk_line(t, "controller_id", controller_is_one ? "one of the brokers" : "none");
    kloop_metadata_topic *topics = elements_of(&r->topics, sizeof *topics);
    qsort(topics, r->topics.count > 0 ? (size_t)r->topics.count : 0, sizeof *topics, by_name);
    for (int32_t i = 0; i < r->topics.count; i++) {
        if (!is_other_people_s(topics[i].name))
            topic_text(t, version, &topics[i]);
    }
    free(topics);
    if (version >= 8 && version <= 10)
        kl_talk_line(t, "cluster_authorized_operations", "%#x",
                     (unsigned)r->cluster_authorized_operations);
    if (version >= 13)
        kl_talk_line(t, "error_code", "%d", r->error_code);
}

/* ---- InitProducerId ---- */

static void producer_id_text(kl_talk *t, int16_t version, const kloop_init_producer_id_response *r)
{
    if (version >= 1)
        kl_talk_line(t, "throttle_time_ms", "%d", r->throttle_time_ms);
    kl_talk_line(t, "error_code", "%d", r->error_code);
    if (r->producer_id < 0)
        kl_talk_line(t, "producer_id", "%lld", (long long)r->producer_id);
    else
        kl_talk_line(t, "producer_id", "producer %zu",
                     kl_side_names_producer(&t->names, r->producer_id));
    kl_talk_line(t, "producer_epoch", "%d", r->producer_epoch);
}

/* ---- Produce ---- */

static int by_answer_index(const void *a, const void *b)
{
    const kloop_produce_partition_response *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* A topic of the answer under the name that its id stands for, so that v13 says the same as others.
 */
typedef struct answered_topic {
    char name[NAME_MAX_BYTES];
    kloop_produce_topic_response topic;
} answered_topic;

static int by_topic_name(const void *a, const void *b)
{
    return strcmp(((const answered_topic *)a)->name, ((const answered_topic *)b)->name);
}

static const char *time_text(const kl_talk *t, int64_t ms, char *out)
{
    if (ms == -1)
        return "none";
    if (ms > t->wall_ms - 600000 && ms < t->wall_ms + 600000)
        return "now";
    snprintf(out, NAME_MAX_BYTES, "%lld", (long long)ms);
    return out;
}

static void offset_text(kl_talk *t, const char *topic, const kloop_produce_partition_response *p)
{
    if (p->base_offset < 0) {
        kl_talk_line(t, "base_offset", "%lld", (long long)p->base_offset);
        return;
    }
    int64_t last = kl_side_names_next_offset(&t->names, topic, p->index, p->base_offset);
    if (last < 0)
        kl_talk_line(t, "base_offset", "some");
    else
        kl_talk_line(t, "base_offset", "%+lld", (long long)(p->base_offset - last));
}

static void stored_text(kl_talk *t, int16_t version, const char *topic,
                        const kloop_produce_partition_response *p)
{
    char line[NAME_MAX_BYTES + 32];
    snprintf(line, sizeof line, "%s-%d error_code", topic, p->index);
    kl_talk_line(t, line, "%d", p->error_code);
    offset_text(t, topic, p);
    kl_talk_line(t, "log_append_time_ms", "%s", time_text(t, p->log_append_time_ms, line));
    if (version >= 5)
        kl_talk_line(t, "log_start_offset", "%lld", (long long)p->log_start_offset);
    kloop_record_error wrong;
    for (kloop_iter i = kloop_iterate(&p->record_errors); kloop_next(&i, &wrong);)
        kl_talk_line(t, "record_error", "at %d, message %s", wrong.batch_index,
                     presence(wrong.batch_index_error_message));
    if (version >= 8)
        kl_talk_line(t, "error_message", "%s", presence(p->error_message));
    if (version >= 10 && p->current_leader.leader_id != -1)
        kl_talk_line(t, "current_leader", "%d, epoch %d", p->current_leader.leader_id,
                     p->current_leader.leader_epoch);
}

static void answered_topic_text(kl_talk *t, int16_t version, const answered_topic *at)
{
    int32_t count = at->topic.partition_responses.count;
    kloop_produce_partition_response *all =
        elements_of(&at->topic.partition_responses, sizeof *all);
    qsort(all, count > 0 ? (size_t)count : 0, sizeof *all, by_answer_index);
    kl_talk_line(t, "partitions", "%d", count);
    for (int32_t i = 0; i < count; i++)
        stored_text(t, version, at->name, &all[i]);
    free(all);
}

static void produce_text(kl_talk *t, int16_t version, const kloop_produce_response *r)
{
    size_t count = r->responses.count > 0 ? (size_t)r->responses.count : 0;
    answered_topic *topics = calloc(count + 1, sizeof *topics);
    KL_ASSERT(topics);
    kloop_iter it = kloop_iterate(&r->responses);
    for (size_t i = 0; i < count && kloop_next(&it, &topics[i].topic); i++) {
        const kloop_produce_topic_response *topic = &topics[i].topic;
        const kl_side_topic *known = kl_side_names_topic_of(&t->names, &topic->topic_id);
        if (version < 13)
            snprintf(topics[i].name, NAME_MAX_BYTES, "%.*s", (int)topic->name.len,
                     topic->name.data);
        else if (known)
            snprintf(topics[i].name, NAME_MAX_BYTES, "%s", known->name);
        else
            id_text(t, &topic->topic_id, topics[i].name);
    }
    qsort(topics, count, sizeof *topics, by_topic_name);
    kl_talk_line(t, "topics", "%zu", count);
    for (size_t i = 0; i < count; i++)
        answered_topic_text(t, version, &topics[i]);
    free(topics);
    kl_talk_line(t, "throttle_time_ms", "%d", r->throttle_time_ms);
    kloop_node_endpoint node;
    for (kloop_iter i = kloop_iterate(&r->node_endpoints); kloop_next(&i, &node);)
        kl_talk_line(t, "node_endpoint", "%d at %.*s:%d", node.node_id, (int)node.host.len,
                     node.host.data, node.port);
}

/* ---- SASL ---- */

static int by_text(const void *a, const void *b)
{
    const kloop_string *one = a, *other = b;
    size_t len = one->len < other->len ? one->len : other->len;
    int order = memcmp(one->data, other->data, len);
    return order ? order : (one->len > other->len) - (one->len < other->len);
}

static void handshake_text(kl_talk *t, const kloop_sasl_handshake_response *r)
{
    kloop_string names[32];
    size_t count = 0;
    kl_talk_line(t, "error_code", "%d", r->error_code);
    for (kloop_iter i = kloop_iterate(&r->mechanisms); count < 32 && kloop_next(&i, &names[count]);)
        count++;
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++)
        kl_talk_line(t, "mechanism", "%.*s", (int)names[i].len, names[i].data);
}

/* Of SCRAM's messages what is the same for both sides: which parts there are, and how long. */
static void scram_text(kl_talk *t, const char *said)
{
    for (const char *part = said; *part; part += *part == ',') {
        size_t len = strcspn(part, ",");
        if (len > 2 && part[0] == 'i')
            kl_talk_line(t, "auth_bytes", "%.*s", (int)len, part);
        else if (len > 2 && part[0] == 'v')
            kl_talk_line(t, "auth_bytes", "v of %zu", len);
        else
            kl_talk_line(t, "auth_bytes", "%c", *part);
        part += len;
    }
}

static void authenticate_text(kl_talk *t, const kloop_sasl_authenticate_response *r)
{
    kl_talk_line(t, "error_code", "%d", r->error_code);
    if (r->error_message.data)
        kl_talk_line(t, "error_message", "%.*s", (int)r->error_message.len, r->error_message.data);
    /* A token's life began when the script did. */
    kl_talk_line(t, "session_lifetime_ms", "%lld",
                 (long long)(r->session_lifetime_ms % 1000
                                 ? (r->session_lifetime_ms + 9000) / 10000 * 10000
                                 : r->session_lifetime_ms));
    t->auth_bytes = calloc(1, r->auth_bytes.len + 1);
    KL_ASSERT(t->auth_bytes);
    if (r->auth_bytes.len)
        memcpy(t->auth_bytes, r->auth_bytes.data, r->auth_bytes.len);
    t->auth_bytes_len = r->auth_bytes.len;
    if (strncmp(t->auth_bytes, "r=", 2) == 0 || strncmp(t->auth_bytes, "v=", 2) == 0)
        scram_text(t, t->auth_bytes);
    else
        kl_talk_line(t, "auth_bytes", "%s", t->auth_bytes);
}

/* ---- All ---- */

void kl_answer_text(kl_talk *t, int16_t api_key, int16_t version, kloop_slice body)
{
    union {
        kloop_api_versions_response api_versions;
        kloop_metadata_response metadata;
        kloop_init_producer_id_response producer_id;
        kloop_produce_response produce;
        kloop_find_coordinator_response coordinator;
        kloop_sasl_handshake_response handshake;
        kloop_sasl_authenticate_response authenticate;
    } m;
    kloop_fault fault;
    char text[300];
#define READ(member)                                                                               \
    kloop_decode(api_key, KLOOP_RESPONSE, version, body.data, body.len, &m.member, &fault)
    kloop_status status = KLOOP_UNKNOWN_API;
    switch (api_key) {
    case KLOOP_API_VERSIONS:
        if (!(status = READ(api_versions)))
            api_versions_text(t, version, &m.api_versions);
        break;
    case KLOOP_METADATA:
        if (!(status = READ(metadata)))
            metadata_text(t, version, &m.metadata);
        break;
    case KLOOP_INIT_PRODUCER_ID:
        if (!(status = READ(producer_id)))
            producer_id_text(t, version, &m.producer_id);
        break;
    case KLOOP_PRODUCE:
        if (!(status = READ(produce)))
            produce_text(t, version, &m.produce);
        break;
    case KLOOP_FIND_COORDINATOR:
        if (!(status = READ(coordinator)))
            kl_talk_line(t, "error_code", "%d", m.coordinator.error_code);
        break;
    case KLOOP_SASL_HANDSHAKE:
        if (!(status = READ(handshake)))
            handshake_text(t, &m.handshake);
        break;
    case KLOOP_SASL_AUTHENTICATE:
        if (!(status = READ(authenticate)))
            authenticate_text(t, &m.authenticate);
        break;
    default:
        kl_talk_line(t, "answer", "%zu bytes", body.len);
        return;
    }
#undef READ
    if (status) {
        kloop_fault_text(&fault, text, sizeof text);
        kl_talk_line(t, "unreadable", "%s", text);
    }
}
