/* SPDX-License-Identifier: BSD-2-Clause */
/* Metadata: which brokers there are, and which of them leads which partition. */
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request_topic(kl_walk *w, void *element)
{
    kloop_metadata_request_topic *m = element;
    UUID(topic_id, "topicId", .since = 10, .ignorable = true);
    STRING(name, "name", NULLABLE(10));
    NO_TAGS();
}

KL_STRUCT_TYPE(request_topic_type, kloop_metadata_request_topic, walk_request_topic);

static void walk_request(kl_walk *w, void *message)
{
    kloop_metadata_request *m = message;
    /* v0 has no null list: there an empty one asks for all topics. */
    ARRAY(topics, request_topic_type, "topics", NULLABLE(1));
    BOOL(allow_auto_topic_creation, "allowAutoTopicCreation", .since = 4, .fallback = true);
    BOOL(include_cluster_authorized_operations, "includeClusterAuthorizedOperations", .since = 8,
         .until = 10);
    BOOL(include_topic_authorized_operations, "includeTopicAuthorizedOperations", .since = 8);
    NO_TAGS();
}

static void walk_broker(kl_walk *w, void *element)
{
    kloop_metadata_broker *m = element;
    INT32(node_id, "nodeId");
    STRING(host, "host");
    INT32(port, "port");
    STRING(rack, "rack", .since = 1, NULLABLE(1), .null_default = true, .ignorable = true);
    NO_TAGS();
}

static void walk_partition(kl_walk *w, void *element)
{
    kloop_metadata_partition *m = element;
    INT16(error_code, "errorCode");
    INT32(partition_index, "partitionIndex");
    INT32(leader_id, "leaderId");
    INT32(leader_epoch, "leaderEpoch", .since = 7, .fallback = -1, .ignorable = true);
    ARRAY(replica_nodes, kl_int32_element, "replicaNodes");
    ARRAY(isr_nodes, kl_int32_element, "isrNodes");
    ARRAY(offline_replicas, kl_int32_element, "offlineReplicas", .since = 5, .ignorable = true);
    NO_TAGS();
}

KL_STRUCT_TYPE(broker_type, kloop_metadata_broker, walk_broker);
KL_STRUCT_TYPE(partition_type, kloop_metadata_partition, walk_partition);

static void walk_topic(kl_walk *w, void *element)
{
    kloop_metadata_topic *m = element;
    INT16(error_code, "errorCode");
    STRING(name, "name", NULLABLE(12));
    UUID(topic_id, "topicId", .since = 10, .ignorable = true);
    BOOL(is_internal, "isInternal", .since = 1, .ignorable = true);
    ARRAY(partitions, partition_type, "partitions");
    INT32(topic_authorized_operations, "topicAuthorizedOperations", .since = 8,
          .fallback = INT32_MIN);
    NO_TAGS();
}

KL_STRUCT_TYPE(topic_type, kloop_metadata_topic, walk_topic);

static void walk_response(kl_walk *w, void *message)
{
    kloop_metadata_response *m = message;
    INT32(throttle_time_ms, "throttleTimeMs", .since = 3, .ignorable = true);
    ARRAY(brokers, broker_type, "brokers");
    STRING(cluster_id, "clusterId", .since = 2, NULLABLE(2), .null_default = true,
           .ignorable = true);
    INT32(controller_id, "controllerId", .since = 1, .fallback = -1, .ignorable = true);
    ARRAY(topics, topic_type, "topics");
    INT32(cluster_authorized_operations, "clusterAuthorizedOperations", .since = 8, .until = 10,
          .fallback = INT32_MIN);
    INT16(error_code, "errorCode", .since = 13, .ignorable = true);
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_metadata_request_type, kloop_metadata_request, KL_FLEXIBLE_METADATA,
                walk_request);
KL_MESSAGE_TYPE(kl_metadata_response_type, kloop_metadata_response, KL_FLEXIBLE_METADATA,
                walk_response);
