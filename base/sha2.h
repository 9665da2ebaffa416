/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 and SHA-512 (FIPS 180-4), for SASL.
 *
 *     kl_sha2 h;
 *     kl_sha2_init(&h, KL_SHA2_256);
 *     kl_sha2_update(&h, bytes, len);           any number of times
 *     kl_sha2_final(&h, digest);                kl_sha2_size(KL_SHA2_256) bytes
 *
 * No branch and no address depends on the bytes, only on how many they are. A state is a plain
 * struct that may be copied; it owns nothing, and nothing can fail. final wipes it; whoever gives
 * one up before wipes it himself (base/wipe.h) where the bytes are secret.
 */
#ifndef KL_BASE_SHA2_H
#define KL_BASE_SHA2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kl_sha2_kind {
    KL_SHA2_256,
    KL_SHA2_512,
} kl_sha2_kind;

/* Bytes of a digest, and of the blocks that are worked on at a time. */
#define KL_SHA2_256_SIZE  32
#define KL_SHA2_512_SIZE  64
#define KL_SHA2_SIZE_MAX  KL_SHA2_512_SIZE
#define KL_SHA2_BLOCK_MAX 128

static inline size_t kl_sha2_size(kl_sha2_kind kind)
{
    return kind == KL_SHA2_256 ? KL_SHA2_256_SIZE : KL_SHA2_512_SIZE;
}

static inline size_t kl_sha2_block(kl_sha2_kind kind)
{
    return kind == KL_SHA2_256 ? 64 : 128;
}

/* What whole blocks have made so far. */
typedef union kl_sha2_words {
    uint32_t w32[8];
    uint64_t w64[8];
} kl_sha2_words;

typedef struct kl_sha2 {
    kl_sha2_words words;
    uint64_t len; /* bytes so far */
    uint8_t tail[KL_SHA2_BLOCK_MAX];
    kl_sha2_kind kind;
} kl_sha2;

void kl_sha2_init(kl_sha2 *h, kl_sha2_kind kind);
/* data may be NULL when len is 0. */
void kl_sha2_update(kl_sha2 *h, const void *data, size_t len);
void kl_sha2_final(kl_sha2 *h, uint8_t *digest);

/* All three at once. */
void kl_sha2_of(kl_sha2_kind kind, const void *data, size_t len, uint8_t *digest);

/* ---- For those who know how their blocks look: base/hmac.c and tests ---- */

void kl_sha2_begin(kl_sha2_words *words, kl_sha2_kind kind);
/* One more block. */
void kl_sha2_compress(kl_sha2_words *words, kl_sha2_kind kind, const uint8_t *block);
/* The words as bytes: a digest, when the last block was a padded one. */
void kl_sha2_store(const kl_sha2_words *words, kl_sha2_kind kind, uint8_t *digest);

/* One way to work on a block of SHA-256; all give the same results. For SHA-512 there is one alone.
 */
typedef struct kl_sha2_variant {
    const char *name;
    bool (*usable)(void); /* whether this processor can run it */
    void (*compress_256)(uint32_t words[8], const uint8_t *block);
} kl_sha2_variant;

/* All that were compiled in, the best first; the last one runs everywhere. NULL behind the last. */
const kl_sha2_variant *kl_sha2_variant_at(size_t index);

#endif
