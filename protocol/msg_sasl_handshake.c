/* SPDX-License-Identifier: BSD-2-Clause */
/* SaslHandshake: the mechanism a client wants, and those a broker offers. */
#define KL_WALK_RARE
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request(kl_walk *w, void *message)
{
    kloop_sasl_handshake_request *m = message;
    STRING(mechanism, "mechanism");
    NO_TAGS();
}

static void walk_response(kl_walk *w, void *message)
{
    kloop_sasl_handshake_response *m = message;
    INT16(error_code, "errorCode");
    ARRAY(mechanisms, kl_string_element, "mechanisms");
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_sasl_handshake_request_type, kloop_sasl_handshake_request,
                KL_FLEXIBLE_SASL_HANDSHAKE, walk_request);
KL_MESSAGE_TYPE(kl_sasl_handshake_response_type, kloop_sasl_handshake_response,
                KL_FLEXIBLE_SASL_HANDSHAKE, walk_response);
