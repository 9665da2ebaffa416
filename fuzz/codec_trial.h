/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One codec against arbitrary input, both ways. The targets fuzz_codec_*.c say which codec, and
 * bring the codec's own library as a second opinion.
 *
 * Input: how (1 byte), then
 *   even: limit (1 byte), cuts, then bytes to decompress
 *   odd:  level (1 byte), cuts, then bytes to compress
 */
#ifndef KL_FUZZ_CODEC_TRIAL_H
#define KL_FUZZ_CODEC_TRIAL_H

#include "codecs/codec.h"

typedef enum kl_opinion {
    KL_OPINION_SAME,    /* the library reads these bytes to the same content */
    KL_OPINION_REFUSED, /* it does not take them, for a reason that we may not share */
    KL_OPINION_OTHER,   /* it reads something else */
} kl_opinion;

typedef struct kl_codec_trial {
    kl_codec_id id;
    /*
     * What the library makes of packed bytes that we read as content. With content.data NULL: does
     * it take them at all, if content.len bytes are room enough?
     */
    kl_opinion (*second_opinion)(kloop_slice packed, kloop_slice content);
    /* What we call corrupt or cut off, the library does not take either. */
    bool strict;
    /* Puts checksums right, so that a mutation gets past them. May be NULL. */
    void (*mend)(uint8_t *packed, size_t len);
    /* All memory that a decompressor may take beyond the bytes that go in and come out. */
    size_t state_bytes;
    /* What the compressor sees at once. */
    size_t block_bytes;
} kl_codec_trial;

/* For second opinions: made bytes are the content, or any content that fits. */
bool kl_codec_trial_same(const uint8_t *out, size_t made, kloop_slice content);

void kl_codec_trial_run(const kl_codec_trial *trial, const uint8_t *data, size_t size);

#endif
