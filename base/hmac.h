/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HMAC (RFC 2104) over SHA-256 and SHA-512, and PBKDF2 (RFC 8018) in pieces.
 *
 * States are plain structs that own nothing; nothing can fail. They are made of a secret: the
 * functions that end one wipe it, whoever gives one up before wipes it himself (base/wipe.h).
 */
#ifndef KL_BASE_HMAC_H
#define KL_BASE_HMAC_H

#include "base/sha2.h"

/* A key, ready for use any number of times. */
typedef struct kl_hmac_key {
    kl_sha2_words inner;
    kl_sha2_words outer;
    kl_sha2_kind kind;
} kl_hmac_key;

typedef struct kl_hmac {
    kl_sha2 inner;
    kl_sha2_words outer;
} kl_hmac;

void kl_hmac_key_init(kl_hmac_key *key, kl_sha2_kind kind, const void *bytes, size_t len);

void kl_hmac_init(kl_hmac *h, const kl_hmac_key *key);
/* data may be NULL when len is 0. */
void kl_hmac_update(kl_hmac *h, const void *data, size_t len);
/* Writes kl_sha2_size() bytes and wipes h. */
void kl_hmac_final(kl_hmac *h, uint8_t *mac);

/* All at once. */
void kl_hmac_of(kl_sha2_kind kind, const void *key, size_t key_len, const void *data, size_t len,
                uint8_t *mac);

/*
 * The first block of PBKDF2, which is as long as a digest: what SCRAM calls Hi(). An iteration is
 * two compressions.
 *
 *     kl_pbkdf2 d;
 *     kl_pbkdf2_init(&d, KL_SHA2_512, password, password_len, salt, salt_len, iterations);
 *     while (!kl_pbkdf2_go_on(&d, 100))
 *         give way to others
 *     kl_pbkdf2_final(&d, key);
 */
typedef struct kl_pbkdf2 {
    kl_hmac_key key;
    uint8_t latest[KL_SHA2_SIZE_MAX]; /* what the latest iteration made */
    uint8_t sum[KL_SHA2_SIZE_MAX];    /* of all so far */
    uint32_t left;                    /* iterations */
} kl_pbkdf2;

/* iterations is not 0; the first is done here. */
void kl_pbkdf2_init(kl_pbkdf2 *d, kl_sha2_kind kind, const void *password, size_t password_len,
                    const void *salt, size_t salt_len, uint32_t iterations);
/* Does at most so many iterations; true when none is left. */
bool kl_pbkdf2_go_on(kl_pbkdf2 *d, uint32_t iterations);
/* Writes kl_sha2_size() bytes and wipes d. None is left. */
void kl_pbkdf2_final(kl_pbkdf2 *d, uint8_t *key);

#endif
