/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bearer token in the form in which it is said (RFC 7628):
 *
 *     n,,^A auth=Bearer TOKEN ^A KEY=VALUE ^A ... ^A        without the spaces, ^A being byte 1
 *
 * It is shared: by who keeps the latest one, and by the sessions that said it, whose bytes must
 * stay as they are. The last to let go of it wipes it.
 */
#ifndef KL_SASL_BEARER_H
#define KL_SASL_BEARER_H

#include "sasl/secret.h"

#include <kloop/sasl.h>

/* Kafka takes frames of half a megabyte before somebody is authenticated. */
#define KL_BEARER_MAX 262144

typedef struct kl_bearer {
    uint32_t holders;
    uint64_t expires_ms;
    kl_secret message;
} kl_bearer;

/* Why this extension cannot be said, without its words; NULL: it can. */
const char *kl_bearer_extension_fault(kloop_string key, kloop_string value);

/*
 * extensions, KEY=VALUE^A in a row, are said too, but for those that the token has itself. Held
 * once. KLOOP_BAD_ARGUMENT: it cannot be said; KLOOP_NO_MEMORY; *out is NULL.
 */
kloop_status kl_bearer_new(kl_bearer **out, const kloop_allocator *alloc, const kloop_token *token,
                           kloop_string extensions, kloop_error *error);
void kl_bearer_hold(kl_bearer *b);
/* b may be NULL. */
void kl_bearer_let_go(kl_bearer *b, const kloop_allocator *alloc);

#endif
