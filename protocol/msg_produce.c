/* SPDX-License-Identifier: BSD-2-Clause */
/* Produce: record batches for partitions, and what became of each. */
#include "protocol/api.h"
#include "protocol/record_error.h"
#include "protocol/varint.h"
#include "protocol/walk.h"

/*
 * The fields of the description below in one go, where records are copied: a request of many small
 * batches is nothing else. false: nothing was counted or written.
 */
static bool write_copied(kl_walk *w, const kloop_produce_partition *m)
{
    const kloop_records *r = &m->records;
    bool measuring = w->mode == KL_MEASURE;
    if (!w->copy_max || !w->flexible || !r->head.data || r->head.len > w->copy_max)
        return false;
    size_t body_len = 0;
    for (size_t i = 0; i < r->body_count; i++) {
        if (r->body[i].len > w->copy_max - body_len)
            return false;
        body_len += r->body[i].len;
    }
    uint32_t length = (uint32_t)(r->head.len + body_len) + 1;
    size_t bytes = 4 + kl_uvarint32_size(length) + length - 1 + 1;
    if (measuring) {
        w->own += bytes;
        return true;
    }
    if (w->mode != KL_ENCODE || (size_t)(w->out_end - w->out) < bytes)
        return false;
    kl_be_store32(w->out, (uint32_t)m->index);
    uint8_t *p = kl_uvarint32_put(w->out + 4, length);
    memcpy(p, r->head.data, r->head.len);
    p += r->head.len;
    for (size_t i = 0; i < r->body_count; p += r->body[i++].len)
        memcpy(p, r->body[i].data, r->body[i].len);
    *p++ = 0;
    w->out = p;
    return true;
}

static void walk_partition(kl_walk *w, void *element)
{
    kloop_produce_partition *m = element;
    if ((w->mode == KL_MEASURE || w->mode == KL_ENCODE) && write_copied(w, m))
        return;
    INT32(index, "index");
    RECORDS(records, "records", NULLABLE(0));
    NO_TAGS();
}

KL_STRUCT_TYPE(partition_type, kloop_produce_partition, walk_partition);

static void walk_topic(kl_walk *w, void *element)
{
    kloop_produce_topic *m = element;
    STRING(name, "name", .until = 12, .ignorable = true);
    UUID(topic_id, "topicId", .since = 13, .ignorable = true);
    ARRAY(partition_data, partition_type, "partitionData");
    NO_TAGS();
}

KL_STRUCT_TYPE(topic_type, kloop_produce_topic, walk_topic);

static void walk_request(kl_walk *w, void *message)
{
    kloop_produce_request *m = message;
    STRING(transactional_id, "transactionalId", NULLABLE(3), .null_default = true);
    INT16(acks, "acks");
    INT32(timeout_ms, "timeoutMs");
    ARRAY(topic_data, topic_type, "topicData");
    NO_TAGS();
}

static void walk_leader_hint(kl_walk *w, void *message)
{
    kloop_leader_hint *m = message;
    INT32(leader_id, "leaderId", .fallback = -1);
    INT32(leader_epoch, "leaderEpoch", .fallback = -1);
    NO_TAGS();
}

/* Each partition of nearly each response leaves the hint out, so its default is kept ready. */
static const kloop_leader_hint no_hint = {.leader_id = -1, .leader_epoch = -1};

static const kloop_message_type leader_hint_type = {.name = "kloop_leader_hint",
                                                    .size = sizeof(kloop_leader_hint),
                                                    .walk = walk_leader_hint,
                                                    .kind = KL_STRUCT,
                                                    .defaults = &no_hint};

/*
 * Of the fields of the description below, those that a plain answer has: no errors of records, no
 * message, no hint. Nearly each one is like that, and where each batch has one record it is read as
 * often as there are records. false: nothing was read.
 */
static bool read_plain_response(kl_walk *w, kloop_produce_partition_response *m)
{
    enum { WIDTH = 4 + 2 + 8 + 8 + 8 + 1 + 1 + 1, LISTS = WIDTH - 3 };
    const uint8_t *p = w->pos;
    if (!w->fast || !w->flexible || w->end - p < WIDTH || p[LISTS] != 1 || p[LISTS + 1] != 0 ||
        p[LISTS + 2] != 0)
        return false;
    m->index = (int32_t)kl_be_load32(p);
    m->error_code = (int16_t)kl_be_load16(p + 4);
    m->base_offset = (int64_t)kl_be_load64(p + 6);
    m->log_append_time_ms = (int64_t)kl_be_load64(p + 14);
    m->log_start_offset = (int64_t)kl_be_load64(p + 22);
    m->record_errors = (kloop_array){p + LISTS + 1, 0, &kl_record_error_type, 0, w->version, true};
    m->error_message = (kloop_string){NULL, 0};
    m->current_leader = no_hint;
    w->pos = p + WIDTH;
    return true;
}

static void walk_partition_response(kl_walk *w, void *element)
{
    kloop_produce_partition_response *m = element;
    if (read_plain_response(w, m))
        return;
    INT32(index, "index");
    INT16(error_code, "errorCode");
    INT64(base_offset, "baseOffset");
    INT64(log_append_time_ms, "logAppendTimeMs", .fallback = -1, .ignorable = true);
    INT64(log_start_offset, "logStartOffset", .since = 5, .fallback = -1, .ignorable = true);
    ARRAY(record_errors, kl_record_error_type, "recordErrors", .since = 8, .ignorable = true);
    STRING(error_message, "errorMessage", .since = 8, NULLABLE(8), .null_default = true,
           .ignorable = true);
    TAGS_BEGIN();
    TAGGED(0, KL_STRUCT, current_leader, "currentLeader", ELEMENT(leader_hint_type), .since = 10);
    TAGS_END();
}

KL_STRUCT_TYPE(partition_response_type, kloop_produce_partition_response, walk_partition_response);

static void walk_topic_response(kl_walk *w, void *element)
{
    kloop_produce_topic_response *m = element;
    STRING(name, "name", .until = 12, .ignorable = true);
    UUID(topic_id, "topicId", .since = 13, .ignorable = true);
    ARRAY(partition_responses, partition_response_type, "partitionResponses");
    NO_TAGS();
}

static void walk_node_endpoint(kl_walk *w, void *element)
{
    kloop_node_endpoint *m = element;
    INT32(node_id, "nodeId");
    STRING(host, "host");
    INT32(port, "port");
    STRING(rack, "rack", NULLABLE(10), .null_default = true);
    NO_TAGS();
}

KL_STRUCT_TYPE(topic_response_type, kloop_produce_topic_response, walk_topic_response);
KL_STRUCT_TYPE(node_endpoint_type, kloop_node_endpoint, walk_node_endpoint);

static void walk_response(kl_walk *w, void *message)
{
    kloop_produce_response *m = message;
    ARRAY(responses, topic_response_type, "responses");
    INT32(throttle_time_ms, "throttleTimeMs", .ignorable = true);
    TAGS_BEGIN();
    TAGGED(0, KL_ARRAY, node_endpoints, "nodeEndpoints", ELEMENT(node_endpoint_type), .since = 10);
    TAGS_END();
}

KL_MESSAGE_TYPE(kl_produce_request_type, kloop_produce_request, KL_FLEXIBLE_PRODUCE, walk_request);
KL_MESSAGE_TYPE(kl_produce_response_type, kloop_produce_response, KL_FLEXIBLE_PRODUCE,
                walk_response);
