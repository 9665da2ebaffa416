/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A password and salts into keys, which is what SCRAM is slow at on purpose, a piece at a time.
 *
 *     free --hold--> BUSY --work, until no iteration is left--> READY
 *      ^               '--given up by all: stays, goes on when somebody holds it again
 *      '--the place is needed for another salt: wiped, unless somebody holds it
 *
 * All brokers of a cluster have the same salt for a user, and have it for a long time. So keys are
 * kept here, and who needs one that another is making works on the same: ten connections pay once,
 * and one that is made again pays nothing. There are a few places; while all are held, others wait
 * and help.
 *
 * A kl_scram_keys owns nothing but itself; deinit wipes it. Nothing can fail.
 */
#ifndef KL_SASL_SCRAM_KEYS_H
#define KL_SASL_SCRAM_KEYS_H

#include "base/hmac.h"
#include "sasl/scram_message.h"

#include <kloop/types.h>

#define KL_SCRAM_KEYS_COUNT 4

/* Iterations of a piece: 50 us of a processor of 2021 with SHA-512 in plain C. */
#define KL_SCRAM_KEYS_PIECE 100

typedef struct kl_scram_key {
    uint32_t holders;
    uint32_t iterations; /* 0: free */
    size_t salt_len;
    uint8_t salt[KL_SCRAM_SALT_MAX];
    bool ready;
    uint64_t used; /* the later the higher */
    kl_pbkdf2 work;
    uint8_t salted[KL_SHA2_SIZE_MAX]; /* once it is ready */
} kl_scram_key;

typedef struct kl_scram_keys {
    kl_sha2_kind kind;
    kloop_string password; /* the caller's, as long as this is */
    uint64_t uses;
    kl_scram_key key[KL_SCRAM_KEYS_COUNT];
} kl_scram_keys;

void kl_scram_keys_init(kl_scram_keys *k, kl_sha2_kind kind, kloop_string password);
void kl_scram_keys_deinit(kl_scram_keys *k);

/* The key of this salt, to be let go of when it is not needed any more; NULL: all places are held
 * by others, a later call may find one. */
kl_scram_key *kl_scram_keys_hold(kl_scram_keys *k, const kl_scram_first *first);
void kl_scram_keys_let_go(kl_scram_key *key);

/* Does a piece, if it is not ready; key may be NULL: any that is being made. */
void kl_scram_keys_work(kl_scram_keys *k, kl_scram_key *key);

#endif
