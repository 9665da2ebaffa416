/* SPDX-License-Identifier: BSD-2-Clause */
/* RequestHeader and ResponseHeader: what stands before every body. */
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request_header(kl_walk *w, void *message)
{
    kloop_request_header *m = message;
    INT16(api_key, "requestApiKey");
    INT16(api_version, "requestApiVersion");
    INT32(correlation_id, "correlationId");
    /* Old brokers must be able to read the header of a newer ApiVersions request: never compact. */
    STRING(client_id, "clientId", NULLABLE(1), .never_compact = true);
    NO_TAGS();
}

static void walk_response_header(kl_walk *w, void *message)
{
    kloop_response_header *m = message;
    INT32(correlation_id, "correlationId");
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_request_header_type, kloop_request_header, 2, walk_request_header);
KL_MESSAGE_TYPE(kl_response_header_type, kloop_response_header, 1, walk_response_header);
