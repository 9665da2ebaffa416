/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over bytes that lie in several slices, for the decompressors.
 *
 * Owns nothing; the slices and their bytes stay the caller's. A cursor is a plain value: a copy of
 * it is a place to go back to. Only kl_codec_input_take can fail, for want of memory.
 */
#ifndef KL_CODECS_CODEC_INPUT_H
#define KL_CODECS_CODEC_INPUT_H

#include "base/buf.h"

#include <kloop/types.h>

#include <stdbool.h>

typedef struct kl_codec_input {
    const kloop_slice *slice; /* the present one; only looked at while left > 0 */
    size_t offset;            /* in the present one */
    size_t at;                /* in all of them */
    size_t left;
} kl_codec_input;

/* The slices may be empty, and there may be none. */
kl_codec_input kl_codec_input_of(const kloop_slice *slices, size_t count);

/* The bytes in a row that come next; empty only at the end. */
kloop_slice kl_codec_input_piece(kl_codec_input *in);

/* Goes on by n bytes, at most in->left. */
void kl_codec_input_skip(kl_codec_input *in, size_t n);

/* Copies the next n bytes to dst without going on; n is at most in->left. */
void kl_codec_input_peek(const kl_codec_input *in, uint8_t *dst, size_t n);

/*
 * The next n bytes in a row, n at most in->left, and goes on behind them. They lie where they were
 * when one slice has them all, else in scratch, whose earlier content is dropped. NULL when scratch
 * cannot grow; nothing moved then.
 */
const uint8_t *kl_codec_input_take(kl_codec_input *in, size_t n, kl_buf *scratch);

#endif
