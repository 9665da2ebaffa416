/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kafka's messages as C structs, one pair (request, response) for each API that a producer speaks.
 *
 * A struct serves all versions of its message: a field that a version does not carry is set to its
 * default by decode, and must be at its default when encoding for that version (unless Kafka marks
 * it ignorable). A struct that is all zero is not at its defaults; start from kloop_message_init().
 *
 * Strings and bytes are views. After a decode they point into the bytes that were decoded, so those
 * must stay. An array (kloop_array) is either a view of decoded bytes or a C array of the element
 * structs named beside it; both can be iterated and encoded. See <kloop/wire.h>.
 *
 * Names are Kafka's; "v" in a comment means version, "tagged" a field that is left out at its
 * default.
 */
#ifndef KLOOP_MESSAGES_H
#define KLOOP_MESSAGES_H

#include <kloop/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kloop_message_type kloop_message_type;

/* A list inside a message. Made by decode, by kloop_array_of() or by kloop_array_null(). */
typedef struct kloop_array {
    const void *data; /* decoded: the elements' bytes; else the first of count structs */
    size_t len;       /* decoded: how many bytes */
    const kloop_message_type *type; /* decoded: of the elements; else NULL */
    int32_t count;                  /* -1: Kafka's null */
    int16_t version;                /* decoded: of the message */
    bool flexible;
} kloop_array;

/*
 * The record batches of a partition, null if both parts are. head is copied into the encoded
 * request, body is a list of slices that kloop_encode_request_slices() refers to and does not copy.
 * After a decode all bytes are in head.
 */
typedef struct kloop_records {
    kloop_slice head;
    const kloop_slice *body;
    size_t body_count;
} kloop_records;

/* ---- RequestHeader v1-2, ResponseHeader v0-1 ---- */

typedef struct kloop_request_header {
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    kloop_string client_id; /* nullable */
} kloop_request_header;

typedef struct kloop_response_header {
    int32_t correlation_id;
} kloop_response_header;

/* ---- ApiVersions v0-4 ---- */

typedef struct kloop_api_versions_request {
    kloop_string client_software_name;    /* v3+ */
    kloop_string client_software_version; /* v3+ */
} kloop_api_versions_request;

typedef struct kloop_api_version {
    int16_t api_key;
    int16_t min_version;
    int16_t max_version;
} kloop_api_version;

typedef struct kloop_supported_feature {
    kloop_string name;
    int16_t min_version;
    int16_t max_version;
} kloop_supported_feature;

typedef struct kloop_finalized_feature {
    kloop_string name;
    int16_t max_version_level;
    int16_t min_version_level;
} kloop_finalized_feature;

typedef struct kloop_api_versions_response {
    int16_t error_code;
    kloop_array api_keys;             /* of kloop_api_version */
    int32_t throttle_time_ms;         /* v1+ */
    kloop_array supported_features;   /* v3+, tagged, of kloop_supported_feature */
    int64_t finalized_features_epoch; /* v3+, tagged, -1 */
    kloop_array finalized_features;   /* v3+, tagged, of kloop_finalized_feature */
    bool zk_migration_ready;          /* v3+, tagged */
} kloop_api_versions_response;

/* ---- Metadata v0-13 ---- */

typedef struct kloop_metadata_request_topic {
    kloop_uuid topic_id; /* v10+; brokers look at it from v12 on */
    kloop_string name;   /* nullable v10+ */
} kloop_metadata_request_topic;

typedef struct kloop_metadata_request {
    kloop_array topics;             /* of kloop_metadata_request_topic; null (v1+): all topics */
    bool allow_auto_topic_creation; /* v4+, true */
    bool include_cluster_authorized_operations; /* v8-10 */
    bool include_topic_authorized_operations;   /* v8+ */
} kloop_metadata_request;

typedef struct kloop_metadata_broker {
    int32_t node_id;
    kloop_string host;
    int32_t port;
    kloop_string rack; /* v1+, nullable */
} kloop_metadata_broker;

typedef struct kloop_metadata_partition {
    int16_t error_code;
    int32_t partition_index;
    int32_t leader_id;
    int32_t leader_epoch;         /* v7+, -1 */
    kloop_array replica_nodes;    /* of int32_t */
    kloop_array isr_nodes;        /* of int32_t */
    kloop_array offline_replicas; /* v5+, of int32_t */
} kloop_metadata_partition;

typedef struct kloop_metadata_topic {
    int16_t error_code;
    kloop_string name;                   /* nullable v12+ */
    kloop_uuid topic_id;                 /* v10+ */
    bool is_internal;                    /* v1+ */
    kloop_array partitions;              /* of kloop_metadata_partition */
    int32_t topic_authorized_operations; /* v8+, -2^31 */
} kloop_metadata_topic;

typedef struct kloop_metadata_response {
    int32_t throttle_time_ms;              /* v3+ */
    kloop_array brokers;                   /* of kloop_metadata_broker */
    kloop_string cluster_id;               /* v2+, nullable */
    int32_t controller_id;                 /* v1+, -1 */
    kloop_array topics;                    /* of kloop_metadata_topic */
    int32_t cluster_authorized_operations; /* v8-10, -2^31 */
    int16_t error_code;                    /* v13+ */
} kloop_metadata_response;

/* ---- InitProducerId v0-6 ---- */

typedef struct kloop_init_producer_id_request {
    kloop_string transactional_id; /* nullable */
    int32_t transaction_timeout_ms;
    int64_t producer_id;    /* v3+, -1 */
    int16_t producer_epoch; /* v3+, -1 */
    bool enable_2pc;        /* v6+ */
    bool keep_prepared_txn; /* v6+ */
} kloop_init_producer_id_request;

typedef struct kloop_init_producer_id_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    int64_t producer_id; /* -1 */
    int16_t producer_epoch;
    int64_t ongoing_txn_producer_id;    /* v6+, -1 */
    int16_t ongoing_txn_producer_epoch; /* v6+, -1 */
} kloop_init_producer_id_response;

/* ---- Produce v3-13 ---- */

typedef struct kloop_produce_partition {
    int32_t index;
    kloop_records records; /* nullable */
} kloop_produce_partition;

typedef struct kloop_produce_topic {
    kloop_string name;          /* v3-12 */
    kloop_uuid topic_id;        /* v13+ */
    kloop_array partition_data; /* of kloop_produce_partition */
} kloop_produce_topic;

typedef struct kloop_produce_request {
    kloop_string transactional_id; /* nullable */
    int16_t acks;                  /* -1 all, 1 leader, 0 none: then there is no response at all */
    int32_t timeout_ms;
    kloop_array topic_data; /* of kloop_produce_topic */
} kloop_produce_request;

typedef struct kloop_record_error {
    int32_t batch_index;
    kloop_string batch_index_error_message; /* nullable */
} kloop_record_error;

typedef struct kloop_leader_hint {
    int32_t leader_id;    /* -1 */
    int32_t leader_epoch; /* -1 */
} kloop_leader_hint;

typedef struct kloop_produce_partition_response {
    int32_t index;
    int16_t error_code;
    int64_t base_offset;
    int64_t log_append_time_ms;       /* -1 */
    int64_t log_start_offset;         /* v5+, -1 */
    kloop_array record_errors;        /* v8+, of kloop_record_error */
    kloop_string error_message;       /* v8+, nullable */
    kloop_leader_hint current_leader; /* v10+, tagged */
} kloop_produce_partition_response;

typedef struct kloop_produce_topic_response {
    kloop_string name;               /* v3-12 */
    kloop_uuid topic_id;             /* v13+ */
    kloop_array partition_responses; /* of kloop_produce_partition_response */
} kloop_produce_topic_response;

typedef struct kloop_node_endpoint {
    int32_t node_id;
    kloop_string host;
    int32_t port;
    kloop_string rack; /* nullable */
} kloop_node_endpoint;

typedef struct kloop_produce_response {
    kloop_array responses; /* of kloop_produce_topic_response */
    int32_t throttle_time_ms;
    kloop_array node_endpoints; /* v10+, tagged, of kloop_node_endpoint */
} kloop_produce_response;

/* ---- SaslHandshake v0-1 ---- */

typedef struct kloop_sasl_handshake_request {
    kloop_string mechanism;
} kloop_sasl_handshake_request;

typedef struct kloop_sasl_handshake_response {
    int16_t error_code;
    kloop_array mechanisms; /* of kloop_string */
} kloop_sasl_handshake_response;

/* ---- SaslAuthenticate v0-2 ---- */

typedef struct kloop_sasl_authenticate_request {
    kloop_slice auth_bytes;
} kloop_sasl_authenticate_request;

typedef struct kloop_sasl_authenticate_response {
    int16_t error_code;
    kloop_string error_message; /* nullable */
    kloop_slice auth_bytes;
    int64_t session_lifetime_ms; /* v1+ */
} kloop_sasl_authenticate_response;

/* ---- FindCoordinator v0-6 ---- */

typedef struct kloop_find_coordinator_request {
    kloop_string key;             /* v0-3 */
    int8_t key_type;              /* v1+; 0 group, 1 transaction, 2 share */
    kloop_array coordinator_keys; /* v4+, of kloop_string */
} kloop_find_coordinator_request;

typedef struct kloop_coordinator {
    kloop_string key;
    int32_t node_id;
    kloop_string host;
    int32_t port;
    int16_t error_code;
    kloop_string error_message; /* nullable */
} kloop_coordinator;

typedef struct kloop_find_coordinator_response {
    int32_t throttle_time_ms;   /* v1+ */
    int16_t error_code;         /* v0-3 */
    kloop_string error_message; /* v1-3, nullable */
    int32_t node_id;            /* v0-3 */
    kloop_string host;          /* v0-3 */
    int32_t port;               /* v0-3 */
    kloop_array coordinators;   /* v4+, of kloop_coordinator */
} kloop_find_coordinator_response;

#ifdef __cplusplus
}
#endif

#endif
