/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that are made in pieces and kept; see scram_keys.h. */
#include "sasl/scram_keys.h"
#include "base/check.h"
#include "base/wipe.h"

void kl_scram_keys_init(kl_scram_keys *k, kl_sha2_kind kind, kloop_string password)
{
    memset(k, 0, sizeof *k);
    k->kind = kind;
    k->password = password;
}

void kl_scram_keys_deinit(kl_scram_keys *k)
{
    kl_wipe(k, sizeof *k);
}

static bool is_for(const kl_scram_key *key, const kl_scram_first *first)
{
    return key->iterations == first->iterations && key->salt_len == first->salt_len &&
           memcmp(key->salt, first->salt, key->salt_len) == 0;
}

/* The place that was not used for the longest time, of those that nobody holds. */
static kl_scram_key *oldest(kl_scram_keys *k)
{
    kl_scram_key *found = NULL;
    for (size_t i = 0; i < KL_SCRAM_KEYS_COUNT; i++) {
        kl_scram_key *key = &k->key[i];
        if (key->holders == 0 && (!found || key->used < found->used))
            found = key;
    }
    return found;
}

kl_scram_key *kl_scram_keys_hold(kl_scram_keys *k, const kl_scram_first *first)
{
    KL_ASSERT(first->iterations > 0);
    kl_scram_key *key = NULL;
    for (size_t i = 0; i < KL_SCRAM_KEYS_COUNT && !key; i++)
        key = is_for(&k->key[i], first) ? &k->key[i] : NULL;
    if (!key) {
        key = oldest(k);
        if (!key)
            return NULL;
        kl_wipe(key, sizeof *key);
        key->iterations = first->iterations;
        key->salt_len = first->salt_len;
        memcpy(key->salt, first->salt, first->salt_len);
        kl_pbkdf2_init(&key->work, k->kind, k->password.data, k->password.len, first->salt,
                       first->salt_len, first->iterations);
    }
    key->holders++;
    key->used = ++k->uses;
    return key;
}

void kl_scram_keys_let_go(kl_scram_key *key)
{
    KL_ASSERT(key->holders > 0);
    key->holders--;
}

void kl_scram_keys_work(kl_scram_keys *k, kl_scram_key *key)
{
    for (size_t i = 0; i < KL_SCRAM_KEYS_COUNT && !key; i++)
        key = k->key[i].iterations && !k->key[i].ready ? &k->key[i] : NULL;
    if (!key || key->ready || !kl_pbkdf2_go_on(&key->work, KL_SCRAM_KEYS_PIECE))
        return;
    kl_pbkdf2_final(&key->work, key->salted);
    key->ready = true;
}
