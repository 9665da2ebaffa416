/* SPDX-License-Identifier: BSD-2-Clause */
/* Sample bytes from a small counter-based generator (the finisher of splitmix64). */
#include "tests/support/snappy_samples.h"

#include <string.h>

static const char *const words[] = {
    "the",       "of",         "and",      "a",        "to",           "in",       "is",
    "that",      "record",     "batch",    "offset",   "leader",       "segment",  "topic",
    "partition", "epoch",      "request",  "response", "header",       "timeout",  "retry",
    "flush",     "compressed", "sequence", "\"key\":", "\"ts\":",      "{\"id\"",  "}\n",
    "false",     "null",       "17",       "4096",     "producer",     "consumer", "replica",
    "metadata",  "linger",     "queue",    "network",  "acknowledged", "kangaroo", "zephyr",
    "quixotic",  "fjord",      "mnemonic", "jovial",   "obelisk",      "vortex",
};

uint64_t kl_snappy_sample_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

size_t kl_snappy_sample_below(uint64_t *state, size_t n)
{
    return (size_t)(kl_snappy_sample_next(state) % n);
}

static void fill_runs(uint64_t *state, uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint8_t byte = (uint8_t)kl_snappy_sample_next(state);
        for (size_t n = kl_snappy_sample_below(state, 100) + 1; n > 0 && i < len; n--)
            to[i++] = byte;
    }
}

static void fill_text(uint64_t *state, uint8_t *to, size_t len)
{
    const size_t count = sizeof words / sizeof words[0];
    for (size_t i = 0; i < len;) {
        /* The smaller of two is low more often than high. */
        size_t one = kl_snappy_sample_below(state, count);
        size_t other = kl_snappy_sample_below(state, count);
        for (const char *c = words[one < other ? one : other]; *c && i < len; c++)
            to[i++] = (uint8_t)*c;
        if (i < len)
            to[i++] = ' ';
    }
}

static void fill_random(uint64_t *state, uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)kl_snappy_sample_next(state);
}

void kl_snappy_sample_fill(kl_snappy_sample_kind kind, uint64_t seed, uint8_t *to, size_t len)
{
    uint64_t state = seed * KL_SNAPPY_SAMPLE_COUNT + (uint64_t)kind;
    size_t period = (size_t)(seed % 97) + 1;
    if (len == 0)
        return;
    switch (kind) {
    case KL_SNAPPY_SAMPLE_ZEROS:
    case KL_SNAPPY_SAMPLE_COUNT:
        memset(to, 0, len);
        break;
    case KL_SNAPPY_SAMPLE_RUNS:
        fill_runs(&state, to, len);
        break;
    case KL_SNAPPY_SAMPLE_TEXT:
        fill_text(&state, to, len);
        break;
    case KL_SNAPPY_SAMPLE_RANDOM:
        fill_random(&state, to, len);
        break;
    case KL_SNAPPY_SAMPLE_LOW_ENTROPY:
        for (size_t i = 0; i < len; i++)
            to[i] = (uint8_t)('a' + (kl_snappy_sample_next(&state) & 1));
        break;
    case KL_SNAPPY_SAMPLE_PERIODIC:
        fill_random(&state, to, period < len ? period : len);
        for (size_t i = period; i < len; i++)
            to[i] = to[i - period];
        break;
    case KL_SNAPPY_SAMPLE_PATCHES:
        for (size_t i = 0, n; i < len; i += n) {
            n = kl_snappy_sample_below(&state, 600) + 1;
            n = n < len - i ? n : len - i;
            if (kl_snappy_sample_next(&state) & 1)
                fill_text(&state, to + i, n);
            else
                fill_random(&state, to + i, n);
        }
        break;
    }
}
