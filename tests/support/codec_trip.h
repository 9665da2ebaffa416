/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes to compress, and the way there and back in one call each.
 *
 * A failed call fails the running cmocka test. Buffers are the caller's; each call uses a codec of
 * its own.
 */
#ifndef KL_TESTS_SUPPORT_CODEC_TRIP_H
#define KL_TESTS_SUPPORT_CODEC_TRIP_H

#include "codecs/codec.h"

typedef enum kl_sample {
    KL_SAMPLE_ZEROES,
    KL_SAMPLE_RECORDS, /* log lines in JSON */
    KL_SAMPLE_NOISE,
    KL_SAMPLE_PERIOD, /* noise that repeats every 1009 bytes */
    /* Few letters, at random: a match everywhere, none of them long. Dearest to compress. */
    KL_SAMPLE_TWO_LETTERS,
    KL_SAMPLE_FOUR_LETTERS,
    KL_SAMPLE_PATCHES, /* runs of the six above */
} kl_sample;

#define KL_SAMPLE_COUNT    7

#define COUNT(a)           (sizeof(a) / sizeof((a)[0]))
#define KIB                1024u
#define MIB                (1024u * KIB)

#define FOR_EACH_CODEC(id) for (int id = KL_CODEC_GZIP; id < KL_CODEC_COUNT; id++)

/* A stream of numbers from a seed that is not 0. */
uint32_t kl_sample_next(uint32_t *state);

/* The same bytes for the same arguments, on every machine. */
void kl_sample_fill(kl_sample sample, uint32_t seed, uint8_t *dst, size_t len);

/* The same in memory of malloc, which is the caller's. There is one byte more, so that 0 is a
 * length too. */
uint8_t *kl_sample_new(kl_sample sample, size_t len);

/* Appends the compressed form of data to *out. */
void kl_codec_pack(kl_codec_id id, int32_t level, const void *data, size_t len, kl_buf *out);

/* Appends what bytes unfold to; fault_at may be NULL. */
kl_codec_status kl_codec_unpack(kl_codec_id id, const void *bytes, size_t len, size_t limit,
                                kl_buf *out, size_t *fault_at);

/* The bytes must unfold to exactly data. */
#define kl_codec_expect(id, bytes, len, data, data_len)                                            \
    kl_codec_expect_at((id), (bytes), (len), (data), (data_len), __FILE__, __LINE__)
void kl_codec_expect_at(kl_codec_id id, const void *bytes, size_t len, const void *data,
                        size_t data_len, const char *file, int line);

/* They must be refused in this way, with nothing appended. */
#define kl_codec_refuse(id, bytes, len, limit, status)                                             \
    kl_codec_refuse_at((id), (bytes), (len), (limit), (status), __FILE__, __LINE__)
void kl_codec_refuse_at(kl_codec_id id, const void *bytes, size_t len, size_t limit,
                        kl_codec_status status, const char *file, int line);

#endif
