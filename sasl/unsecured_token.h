/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens that anybody could make (RFC 7519, section 6): a JWT with the algorithm "none" and no
 * signature. For tests and first steps; a broker that takes them believes everybody. Kafka's own
 * client makes them of options of sasl.jaas.config, librdkafka of sasl.oauthbearer.config.
 *
 * A kl_unsecured owns what it will say but the time. Adding can fail for want of memory and because
 * of what is added; nothing has changed then.
 */
#ifndef KL_SASL_UNSECURED_TOKEN_H
#define KL_SASL_UNSECURED_TOKEN_H

#include "sasl/secret.h"

#include <kloop/sasl.h>

typedef struct kl_unsecured {
    kl_secret claims; /* ,"NAME":VALUE in a row */
    uint64_t life_s;
} kl_unsecured;

/* All zero is one without claims. */
void kl_unsecured_deinit(kl_unsecured *u, const kloop_allocator *alloc);

/* KLOOP_NO_MEMORY; KLOOP_BAD_CONFIG for iat and exp, which are made here, and for what is no
 * number. */
kloop_status kl_unsecured_add_string(kl_unsecured *u, const kloop_allocator *alloc,
                                     kloop_string name, kloop_string value, kloop_error *error);
kloop_status kl_unsecured_add_number(kl_unsecured *u, const kloop_allocator *alloc,
                                     kloop_string name, kloop_string value, kloop_error *error);
/* Elements with this character between them. */
kloop_status kl_unsecured_add_list(kl_unsecured *u, const kloop_allocator *alloc, kloop_string name,
                                   kloop_string elements, char between, kloop_error *error);

/* A token that is good from now on for life_s. false: no memory. */
bool kl_unsecured_make(const kl_unsecured *u, const kloop_allocator *alloc, kloop_now now,
                       kl_secret *token, uint64_t *expires_ms);

#endif
