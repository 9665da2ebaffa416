/* SPDX-License-Identifier: BSD-2-Clause */
/* The proofs of SCRAM; see scram_proof.h. */
#include "sasl/scram_proof.h"
#include "base/hmac.h"
#include "base/wipe.h"

static void sign(kl_sha2_kind kind, const uint8_t *key, const kloop_slice *said, size_t count,
                 uint8_t *mac)
{
    kl_hmac_key ready;
    kl_hmac h;
    kl_hmac_key_init(&ready, kind, key, kl_sha2_size(kind));
    kl_hmac_init(&h, &ready);
    for (size_t i = 0; i < count; i++)
        kl_hmac_update(&h, said[i].data, said[i].len);
    kl_hmac_final(&h, mac);
    kl_wipe(&ready, sizeof ready);
}

void kl_scram_proof(kl_sha2_kind kind, const uint8_t *salted, const kloop_slice *said, size_t count,
                    uint8_t *proof, uint8_t *signature)
{
    size_t size = kl_sha2_size(kind);
    uint8_t key[KL_SHA2_SIZE_MAX], stored[KL_SHA2_SIZE_MAX];
    kl_hmac_of(kind, salted, size, "Server Key", 10, key);
    sign(kind, key, said, count, signature);
    kl_hmac_of(kind, salted, size, "Client Key", 10, key);
    kl_sha2_of(kind, key, size, stored);
    sign(kind, stored, said, count, proof);
    for (size_t i = 0; i < size; i++)
        proof[i] ^= key[i];
    kl_wipe(key, sizeof key);
    kl_wipe(stored, sizeof stored);
}
