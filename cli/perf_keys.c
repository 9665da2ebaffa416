/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as keys. See perf_keys.h. */
#include "cli/perf_keys.h"

#include "base/check.h"

#include <string.h>

bool kl_perf_key_kind_parse(const char *word, kl_perf_key_kind *kind)
{
    static const char *const words[] = {"none", "range", "random"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) == 0) {
            *kind = (kl_perf_key_kind)i;
            return true;
        }
    }
    return false;
}

void kl_perf_keys_init(kl_perf_keys *k, kl_perf_key_kind kind, uint64_t range, uint64_t seed)
{
    KL_ASSERT(kind == KL_PERF_KEYS_NONE || range > 0);
    *k = (kl_perf_keys){.kind = kind, .range = range};
    kl_prng_init(&k->prng, seed);
}

kloop_slice kl_perf_keys_next(kl_perf_keys *k)
{
    uint64_t n = k->next;
    if (k->kind == KL_PERF_KEYS_RANDOM)
        n = kl_prng_below(&k->prng, k->range);
    else if (++k->next == k->range)
        k->next = 0;
    char *at = k->digits + sizeof k->digits;
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return (kloop_slice){(const uint8_t *)at, (size_t)(k->digits + sizeof k->digits - at)};
}
