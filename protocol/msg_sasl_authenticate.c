/* SPDX-License-Identifier: BSD-2-Clause */
/* SaslAuthenticate: the tokens of a mechanism, back and forth. */
#define KL_WALK_RARE
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request(kl_walk *w, void *message)
{
    kloop_sasl_authenticate_request *m = message;
    BYTES(auth_bytes, "authBytes");
    NO_TAGS();
}

static void walk_response(kl_walk *w, void *message)
{
    kloop_sasl_authenticate_response *m = message;
    INT16(error_code, "errorCode");
    STRING(error_message, "errorMessage", NULLABLE(0));
    BYTES(auth_bytes, "authBytes");
    INT64(session_lifetime_ms, "sessionLifetimeMs", .since = 1, .ignorable = true);
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_sasl_authenticate_request_type, kloop_sasl_authenticate_request,
                KL_FLEXIBLE_SASL_AUTHENTICATE, walk_request);
KL_MESSAGE_TYPE(kl_sasl_authenticate_response_type, kloop_sasl_authenticate_response,
                KL_FLEXIBLE_SASL_AUTHENTICATE, walk_response);
