/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OAUTHBEARER (RFC 7628, KIP-255): a token that somebody else has given out, said once.
 *
 * A kl_oauthbearer keeps the latest token that it was given, or makes unsecured ones itself. init
 * takes what it is to own from its settings and cannot fail.
 */
#ifndef KL_SASL_OAUTHBEARER_H
#define KL_SASL_OAUTHBEARER_H

#include "sasl/bearer.h"
#include "sasl/unsecured_token.h"

typedef struct kl_oauthbearer {
    kloop_allocator alloc;
    kl_secret extensions; /* said with each token: KEY=VALUE^A in a row */
    bool makes_tokens;
    kl_unsecured unsecured;
    kl_bearer *token; /* the latest; NULL: none yet */
} kl_oauthbearer;

/* All zero before. */
void kl_oauthbearer_init(kl_oauthbearer *o, const kloop_allocator *alloc);
void kl_oauthbearer_deinit(kl_oauthbearer *o);

/* One more extension for each token. KLOOP_BAD_CONFIG, KLOOP_NO_MEMORY: nothing has changed. */
kloop_status kl_oauthbearer_extend(kl_oauthbearer *o, kloop_string key, kloop_string value,
                                   kloop_error *error);

/* Once all is there. */
kloop_sasl_mechanism kl_oauthbearer_mechanism(kl_oauthbearer *o);

#endif
