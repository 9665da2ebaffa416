/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677): both sides prove that they know what was
 * made of the password, and nobody who listens learns it.
 *
 * User and password are taken as the UTF-8 that they are, as Kafka's own client and tools do: not
 * prepared by SASLprep. For ASCII that is the same. A password with other characters must be typed
 * in the very same form of Unicode as when its credentials were made.
 *
 * A kl_scram owns a copy of the credentials, and the keys that are made of them. init can fail for
 * want of memory or because user or password cannot be used.
 */
#ifndef KL_SASL_SCRAM_H
#define KL_SASL_SCRAM_H

#include "sasl/scram_keys.h"
#include "sasl/secret.h"

typedef struct kl_scram {
    kl_sha2_kind kind;
    uint32_t iterations_max;
    kl_secret name; /* the user's, as it stands in messages */
    kl_secret password;
    const char *extension; /* behind the nonce: "" or ",tokenauth=true" */
    kl_hmac_key nonces;    /* the nonce of session n is made of this and n */
    uint64_t sessions;
    kl_scram_keys keys;
} kl_scram;

typedef struct kl_scram_settings {
    kl_sha2_kind kind;
    kloop_string user;
    kloop_string password;
    bool tokenauth; /* they are the id and the secret of a delegation token */
    uint32_t iterations_max;
    const uint8_t *entropy; /* 32 bytes */
} kl_scram_settings;

/* KLOOP_BAD_CONFIG, KLOOP_NO_MEMORY: nothing is owned. */
kloop_status kl_scram_init(kl_scram *s, const kloop_allocator *alloc,
                           const kl_scram_settings *settings, kloop_error *error);
void kl_scram_deinit(kl_scram *s, const kloop_allocator *alloc);
kloop_sasl_mechanism kl_scram_mechanism(kl_scram *s);

#endif
