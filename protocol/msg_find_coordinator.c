/* SPDX-License-Identifier: BSD-2-Clause */
/* FindCoordinator: which broker looks after a group or a transactional id. */
#define KL_WALK_RARE
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request(kl_walk *w, void *message)
{
    kloop_find_coordinator_request *m = message;
    STRING(key, "key", .until = 3);
    INT8(key_type, "keyType", .since = 1);
    ARRAY(coordinator_keys, kl_string_element, "coordinatorKeys", .since = 4);
    NO_TAGS();
}

static void walk_coordinator(kl_walk *w, void *element)
{
    kloop_coordinator *m = element;
    STRING(key, "key");
    INT32(node_id, "nodeId");
    STRING(host, "host");
    INT32(port, "port");
    INT16(error_code, "errorCode");
    STRING(error_message, "errorMessage", NULLABLE(4), .ignorable = true);
    NO_TAGS();
}

KL_STRUCT_TYPE(coordinator_type, kloop_coordinator, walk_coordinator);

static void walk_response(kl_walk *w, void *message)
{
    kloop_find_coordinator_response *m = message;
    INT32(throttle_time_ms, "throttleTimeMs", .since = 1, .ignorable = true);
    INT16(error_code, "errorCode", .until = 3);
    STRING(error_message, "errorMessage", .since = 1, .until = 3, NULLABLE(1), .ignorable = true);
    INT32(node_id, "nodeId", .until = 3);
    STRING(host, "host", .until = 3);
    INT32(port, "port", .until = 3);
    ARRAY(coordinators, coordinator_type, "coordinators", .since = 4);
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_find_coordinator_request_type, kloop_find_coordinator_request,
                KL_FLEXIBLE_FIND_COORDINATOR, walk_request);
KL_MESSAGE_TYPE(kl_find_coordinator_response_type, kloop_find_coordinator_response,
                KL_FLEXIBLE_FIND_COORDINATOR, walk_response);
