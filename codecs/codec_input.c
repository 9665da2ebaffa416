/* SPDX-License-Identifier: BSD-2-Clause */
/* The cursor over slices. See codec_input.h. */
#include "codecs/codec_input.h"

#include "base/check.h"

kl_codec_input kl_codec_input_of(const kloop_slice *slices, size_t count)
{
    kl_codec_input in = {.slice = slices};
    for (size_t i = 0; i < count; i++) {
        bool fits = kl_mem_add(in.left, slices[i].len, &in.left);
        KL_ASSERT(fits);
    }
    return in;
}

kloop_slice kl_codec_input_piece(kl_codec_input *in)
{
    if (in->left == 0)
        return (kloop_slice){NULL, 0};
    while (in->offset == in->slice->len) {
        in->slice++;
        in->offset = 0;
    }
    return (kloop_slice){in->slice->data + in->offset, in->slice->len - in->offset};
}

void kl_codec_input_skip(kl_codec_input *in, size_t n)
{
    KL_ASSERT(n <= in->left);
    while (n > 0) {
        size_t step = kl_codec_input_piece(in).len;
        if (step > n)
            step = n;
        in->offset += step;
        in->at += step;
        in->left -= step;
        n -= step;
    }
}

void kl_codec_input_peek(const kl_codec_input *in, uint8_t *dst, size_t n)
{
    KL_ASSERT(n <= in->left);
    kl_codec_input ahead = *in;
    while (n > 0) {
        kloop_slice piece = kl_codec_input_piece(&ahead);
        size_t step = piece.len < n ? piece.len : n;
        memcpy(dst, piece.data, step);
        kl_codec_input_skip(&ahead, step);
        dst += step;
        n -= step;
    }
}

const uint8_t *kl_codec_input_take(kl_codec_input *in, size_t n, kl_buf *scratch)
{
    KL_ASSERT(n <= in->left);
    kloop_slice piece = kl_codec_input_piece(in);
    if (piece.len >= n && piece.data) {
        kl_codec_input_skip(in, n);
        return piece.data;
    }
    kl_buf_reset(scratch);
    uint8_t *row = kl_buf_reserve(scratch, n, NULL);
    if (!row)
        return NULL;
    kl_codec_input_peek(in, row, n);
    kl_buf_commit(scratch, n);
    kl_codec_input_skip(in, n);
    return row;
}
