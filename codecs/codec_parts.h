/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a single codec gives to the common front in codec.c. Only the files of the codecs include
 * this.
 *
 * The front does all that is the same for each of them: memory for the structs, levels, cutting the
 * input into blocks, the chain's mark and its rewinding, the limit of the output. A codec sees its
 * input in blocks of exactly block_bytes, the last one excepted; so its output cannot depend on how
 * the caller cut it up.
 *
 * Who owns what: the front allocates the structs, zeroed, and frees them. What init adds, deinit
 * takes away; deinit is called after a failed init too and finds zeroes where init did not get to.
 */
#ifndef KL_CODECS_CODEC_PARTS_H
#define KL_CODECS_CODEC_PARTS_H

#include "codecs/codec.h"
#include "codecs/codec_input.h"

/* The first member of each codec's own struct. */
struct kl_compressor {
    const kl_codec *codec;
    kloop_allocator alloc; /* libraries may point here */
    size_t step_bytes;     /* KL_CODEC_STEP_BYTES, unless init puts less */
    uint8_t *block;        /* block_bytes, the first held of them in use */
    size_t held;
    size_t left; /* input of this stream that is still to come */
    kl_chain *out;
    kl_chain_mark start;
    bool open;
    bool first; /* no block went through yet */
    bool done;  /* the last block went through */
};

struct kl_decompressor {
    const kl_codec *codec;
    kloop_allocator alloc;
    kl_codec_input in;
    kl_buf *out; /* NULL: no stream is open */
    size_t start;
    size_t own_limit; /* of *out */
    bool first;       /* no step was made yet */
};

/* What one step of a decompressor should bring, where the stream's own blocks are not larger. */
#define KL_CODEC_UNFOLD_BYTES 32768

typedef struct kl_codec_ops {
    size_t compressor_bytes;
    size_t block_bytes;
    kl_codec_status (*compressor_init)(kl_compressor *c, int32_t level);
    void (*compressor_deinit)(kl_compressor *c);
    /* See kl_compressor_prepare(); NULL: there is nothing to prepare. */
    kl_codec_status (*prepare)(kl_compressor *c, size_t total_len, bool *done);
    /* Forgets the stream before. Writes nothing. */
    kl_codec_status (*begin)(kl_compressor *c, size_t total_len);
    /*
     * The next block; at least one per stream, and exactly one with last set. Only the last may be
     * shorter than block_bytes, down to 0 bytes when the whole stream is empty. first is set for
     * the first one.
     */
    kl_codec_status (*block)(kl_compressor *c, const uint8_t *data, size_t len, bool first,
                             bool last, kl_chain *out);

    size_t decompressor_bytes;
    kl_codec_status (*decompressor_init)(kl_decompressor *d);
    void (*decompressor_deinit)(kl_decompressor *d);
    /* Some of *in, to *out, whose limit is set; first is set for the first step of a stream. *done,
     * which is false before: that was all. in->at is where a fault was seen. */
    kl_codec_status (*unfold)(kl_decompressor *d, bool first, kl_codec_input *in, kl_buf *out,
                              bool *done);
} kl_codec_ops;

extern const kl_codec kl_codec_gzip;
extern const kl_codec kl_codec_snappy;
extern const kl_codec kl_codec_lz4;
extern const kl_codec kl_codec_zstd;

/* Why a reserve in out answered NULL. */
static inline kl_codec_status kl_codec_no_room(const kl_buf *out)
{
    return out->over_limit ? KL_CODEC_TOO_LARGE : KL_CODEC_NO_MEMORY;
}

/* What the limit leaves. */
static inline size_t kl_codec_allowed(const kl_buf *out)
{
    return out->limit > out->len ? out->limit - out->len : 0;
}

#endif
