/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of the kinds that a compressor meets, the same on every machine for the same seed. Nothing
 * is owned, nothing fails.
 */
#ifndef KL_TESTS_SUPPORT_SNAPPY_SAMPLES_H
#define KL_TESTS_SUPPORT_SNAPPY_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

typedef enum kl_snappy_sample_kind {
    KL_SNAPPY_SAMPLE_ZEROS,
    KL_SNAPPY_SAMPLE_RUNS,        /* one byte up to 100 times, then another */
    KL_SNAPPY_SAMPLE_TEXT,        /* words from a list, some much more often than others */
    KL_SNAPPY_SAMPLE_RANDOM,      /* cannot be compressed */
    KL_SNAPPY_SAMPLE_LOW_ENTROPY, /* a's and b's */
    KL_SNAPPY_SAMPLE_PERIODIC,    /* a random stretch of seed % 97 + 1 bytes, again and again */
    KL_SNAPPY_SAMPLE_PATCHES,     /* text and random bytes in turn */
    KL_SNAPPY_SAMPLE_COUNT
} kl_snappy_sample_kind;

void kl_snappy_sample_fill(kl_snappy_sample_kind kind, uint64_t seed, uint8_t *to, size_t len);

/* The next of a sequence of numbers; *state may start anywhere. */
uint64_t kl_snappy_sample_next(uint64_t *state);
/* The same, below n. */
size_t kl_snappy_sample_below(uint64_t *state, size_t n);

#endif
