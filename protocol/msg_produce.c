/* SPDX-License-Identifier: BSD-2-Clause */
/* Produce: record batches for partitions, and what became of each. */
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_partition(kl_walk *w, void *element)
{
    kloop_produce_partition *m = element;
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

static void walk_record_error(kl_walk *w, void *element)
{
    kloop_record_error *m = element;
    INT32(batch_index, "batchIndex");
    STRING(batch_index_error_message, "batchIndexErrorMessage", NULLABLE(8), .null_default = true);
    NO_TAGS();
}

static void walk_leader_hint(kl_walk *w, void *message)
{
    kloop_leader_hint *m = message;
    INT32(leader_id, "leaderId", .fallback = -1);
    INT32(leader_epoch, "leaderEpoch", .fallback = -1);
    NO_TAGS();
}

KL_STRUCT_TYPE(record_error_type, kloop_record_error, walk_record_error);

/* Each partition of nearly each response leaves the hint out, so its default is kept ready. */
static const kloop_leader_hint no_hint = {.leader_id = -1, .leader_epoch = -1};

static const kloop_message_type leader_hint_type = {.name = "kloop_leader_hint",
                                                    .size = sizeof(kloop_leader_hint),
                                                    .walk = walk_leader_hint,
                                                    .kind = KL_STRUCT,
                                                    .defaults = &no_hint};

static void walk_partition_response(kl_walk *w, void *element)
{
    kloop_produce_partition_response *m = element;
    INT32(index, "index");
    INT16(error_code, "errorCode");
    INT64(base_offset, "baseOffset");
    INT64(log_append_time_ms, "logAppendTimeMs", .fallback = -1, .ignorable = true);
    INT64(log_start_offset, "logStartOffset", .since = 5, .fallback = -1, .ignorable = true);
    ARRAY(record_errors, record_error_type, "recordErrors", .since = 8, .ignorable = true);
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
