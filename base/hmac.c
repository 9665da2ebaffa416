/* SPDX-License-Identifier: BSD-2-Clause */
/* HMAC and PBKDF2; see hmac.h. */
#include "base/hmac.h"
#include "base/be.h"
#include "base/check.h"
#include "base/wipe.h"

#include <string.h>

void kl_hmac_key_init(kl_hmac_key *key, kl_sha2_kind kind, const void *bytes, size_t len)
{
    uint8_t block[KL_SHA2_BLOCK_MAX] = {0};
    size_t block_len = kl_sha2_block(kind);
    if (len > block_len)
        kl_sha2_of(kind, bytes, len, block);
    else if (len)
        memcpy(block, bytes, len);
    key->kind = kind;
    for (size_t i = 0; i < block_len; i++)
        block[i] ^= 0x36;
    kl_sha2_begin(&key->inner, kind);
    kl_sha2_compress(&key->inner, kind, block);
    for (size_t i = 0; i < block_len; i++)
        block[i] ^= 0x36 ^ 0x5c;
    kl_sha2_begin(&key->outer, kind);
    kl_sha2_compress(&key->outer, kind, block);
    kl_wipe(block, sizeof block);
}

/* A digest as the only content of a message behind one block: all that is hashed here is of this
 * form, so its padding is always the same. */
static void pad(uint8_t block[KL_SHA2_BLOCK_MAX], kl_sha2_kind kind)
{
    size_t size = kl_sha2_size(kind);
    size_t block_len = kl_sha2_block(kind);
    memset(block + size, 0, block_len - size);
    block[size] = 0x80;
    kl_be_store16(block + block_len - 2, (uint16_t)(8 * (block_len + size)));
}

void kl_hmac_init(kl_hmac *h, const kl_hmac_key *key)
{
    kl_sha2_init(&h->inner, key->kind);
    h->inner.words = key->inner;
    h->inner.len = kl_sha2_block(key->kind);
    h->outer = key->outer;
}

void kl_hmac_update(kl_hmac *h, const void *data, size_t len)
{
    kl_sha2_update(&h->inner, data, len);
}

void kl_hmac_final(kl_hmac *h, uint8_t *mac)
{
    kl_sha2_kind kind = h->inner.kind;
    uint8_t block[KL_SHA2_BLOCK_MAX];
    kl_sha2_final(&h->inner, block);
    pad(block, kind);
    kl_sha2_compress(&h->outer, kind, block);
    kl_sha2_store(&h->outer, kind, mac);
    kl_wipe(block, sizeof block);
    kl_wipe(h, sizeof *h);
}

void kl_hmac_of(kl_sha2_kind kind, const void *key, size_t key_len, const void *data, size_t len,
                uint8_t *mac)
{
    kl_hmac_key ready;
    kl_hmac h;
    kl_hmac_key_init(&ready, kind, key, key_len);
    kl_hmac_init(&h, &ready);
    kl_hmac_update(&h, data, len);
    kl_hmac_final(&h, mac);
    kl_wipe(&ready, sizeof ready);
}

void kl_pbkdf2_init(kl_pbkdf2 *d, kl_sha2_kind kind, const void *password, size_t password_len,
                    const void *salt, size_t salt_len, uint32_t iterations)
{
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    KL_ASSERT(iterations > 0);
    kl_hmac_key_init(&d->key, kind, password, password_len);
    kl_hmac h;
    kl_hmac_init(&h, &d->key);
    kl_hmac_update(&h, salt, salt_len);
    kl_hmac_update(&h, first_block, sizeof first_block);
    kl_hmac_final(&h, d->latest);
    memcpy(d->sum, d->latest, sizeof d->sum);
    d->left = iterations - 1;
}

bool kl_pbkdf2_go_on(kl_pbkdf2 *d, uint32_t iterations)
{
    kl_sha2_kind kind = d->key.kind;
    size_t size = kl_sha2_size(kind);
    uint8_t block[KL_SHA2_BLOCK_MAX];
    memcpy(block, d->latest, size);
    pad(block, kind);
    if (iterations > d->left)
        iterations = d->left;
    d->left -= iterations;
    kl_sha2_words words;
    for (; iterations > 0; iterations--) {
        words = d->key.inner;
        kl_sha2_compress(&words, kind, block);
        kl_sha2_store(&words, kind, block);
        words = d->key.outer;
        kl_sha2_compress(&words, kind, block);
        kl_sha2_store(&words, kind, block);
        for (size_t i = 0; i < size; i++)
            d->sum[i] ^= block[i];
    }
    memcpy(d->latest, block, size);
    kl_wipe(block, sizeof block);
    kl_wipe(&words, sizeof words);
    return d->left == 0;
}

void kl_pbkdf2_final(kl_pbkdf2 *d, uint8_t *key)
{
    KL_ASSERT(d->left == 0);
    memcpy(key, d->sum, kl_sha2_size(d->key.kind));
    kl_wipe(d, sizeof *d);
}
