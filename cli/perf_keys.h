/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of `kloop perf`'s records: none, or the numbers below a bound as decimal text, in turn
 * or drawn at random.
 *
 * A plain value; nothing is owned, nothing fails. A key is good until the next one is asked for.
 */
#ifndef KL_CLI_PERF_KEYS_H
#define KL_CLI_PERF_KEYS_H

#include "base/prng.h"

#include <kloop/types.h>

#include <stdbool.h>

/* --key-distribution */
typedef enum kl_perf_key_kind {
    KL_PERF_KEYS_NONE = 0,
    KL_PERF_KEYS_RANGE,  /* 0, 1, 2, ... and from the beginning */
    KL_PERF_KEYS_RANDOM, /* each as likely as the others */
} kl_perf_key_kind;

typedef struct kl_perf_keys {
    kl_perf_key_kind kind;
    uint64_t range; /* --record-key-range: how many there are, at least 1 */
    uint64_t next;
    kl_prng prng;
    char digits[24];
} kl_perf_keys;

/* false: the word is none of none, range and random. */
bool kl_perf_key_kind_parse(const char *word, kl_perf_key_kind *kind);

void kl_perf_keys_init(kl_perf_keys *k, kl_perf_key_kind kind, uint64_t range, uint64_t seed);

/* Of a kind that is not NONE. */
kloop_slice kl_perf_keys_next(kl_perf_keys *k);

#endif
