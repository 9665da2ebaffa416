/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PLAIN (RFC 4616): user and password as they are, once.
 *
 *     begin --SAY "\0 user \0 password"--> challenge, which must be empty --> DONE
 *
 * A kl_plain owns the message; init can fail for want of memory or because user or password cannot
 * be said.
 */
#ifndef KL_SASL_PLAIN_H
#define KL_SASL_PLAIN_H

#include "sasl/secret.h"

#include <kloop/sasl.h>

typedef struct kl_plain {
    kl_secret message;
} kl_plain;

/* KLOOP_BAD_CONFIG, KLOOP_NO_MEMORY: nothing is owned. */
kloop_status kl_plain_init(kl_plain *p, const kloop_allocator *alloc, kloop_string user,
                           kloop_string password, kloop_error *error);
void kl_plain_deinit(kl_plain *p, const kloop_allocator *alloc);
kloop_sasl_mechanism kl_plain_mechanism(kl_plain *p);

#endif
