/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of codecs and the front they share.
 *
 * The life of a stream:
 *
 *     closed --begin--> open --some*--> open, done --end--> closed
 *        ^                |  any error: the chain is rewound
 *        +----------------+
 *
 * The last block goes to the codec as soon as its last byte is here, so that end costs nothing
 * (except for an empty stream, which has no last byte).
 */
#include "codecs/codec.h"

#include "base/check.h"
#include "codecs/codec_parts.h"

static const kl_codec *const table[KL_CODEC_COUNT] = {
    [KL_CODEC_GZIP] = &kl_codec_gzip,
    [KL_CODEC_SNAPPY] = &kl_codec_snappy,
    [KL_CODEC_LZ4] = &kl_codec_lz4,
    [KL_CODEC_ZSTD] = &kl_codec_zstd,
};

const kl_codec *kl_codec_by_id(int id)
{
    return id >= 0 && id < KL_CODEC_COUNT ? table[id] : NULL;
}

const kl_codec *kl_codec_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < KL_CODEC_COUNT; i++)
        if (table[i] && strlen(table[i]->name) == len && memcmp(table[i]->name, name, len) == 0)
            return table[i];
    return NULL;
}

bool kl_codec_has_level(const kl_codec *codec, int32_t level)
{
    if (level == KL_CODEC_LEVEL_DEFAULT)
        return true;
    if (codec->level_min > codec->level_max)
        return false;
    return level == codec->level_default ||
           (level >= codec->level_min && level <= codec->level_max);
}

const char *kl_codec_status_text(kl_codec_status status)
{
    switch (status) {
    case KL_CODEC_OK:
        return "no fault";
    case KL_CODEC_NO_MEMORY:
        return "out of memory";
    case KL_CODEC_BAD_LEVEL:
        return "the codec has no such level";
    case KL_CODEC_CORRUPT:
        return "the compressed bytes are corrupt";
    case KL_CODEC_TRUNCATED:
        return "the compressed bytes end too early";
    case KL_CODEC_TOO_LARGE:
        return "more bytes would come out than the limit allows";
    case KL_CODEC_LIBRARY:
        return "the codec's library refused";
    }
    return "unknown codec status";
}

/* --- compression --- */

kl_codec_status kl_compressor_new(kl_compressor **out, kl_codec_id id, int32_t level,
                                  const kloop_allocator *alloc)
{
    *out = NULL;
    const kl_codec *codec = kl_codec_by_id((int)id);
    KL_ASSERT(codec);
    if (!kl_codec_has_level(codec, level))
        return KL_CODEC_BAD_LEVEL;
    kl_compressor *c = kl_mem_zalloc(alloc, 1, codec->ops->compressor_bytes);
    if (!c)
        return KL_CODEC_NO_MEMORY;
    c->codec = codec;
    c->alloc = *alloc;
    c->step_bytes = KL_CODEC_STEP_BYTES;
    c->block = kl_mem_alloc(alloc, codec->ops->block_bytes);
    kl_codec_status status = KL_CODEC_NO_MEMORY;
    if (c->block)
        status = codec->ops->compressor_init(
            c, level == KL_CODEC_LEVEL_DEFAULT ? codec->level_default : level);
    if (status != KL_CODEC_OK) {
        kl_compressor_del(c);
        return status;
    }
    *out = c;
    return KL_CODEC_OK;
}

void kl_compressor_del(kl_compressor *c)
{
    if (!c)
        return;
    const kl_codec_ops *ops = c->codec->ops;
    ops->compressor_deinit(c);
    kloop_allocator alloc = c->alloc;
    kl_mem_release(&alloc, c->block, ops->block_bytes);
    kl_mem_release(&alloc, c, ops->compressor_bytes);
}

const kl_codec *kl_compressor_codec(const kl_compressor *c)
{
    return c->codec;
}

size_t kl_compressor_step_bytes(const kl_compressor *c)
{
    return c->step_bytes;
}

kl_codec_status kl_compressor_prepare(kl_compressor *c, size_t total_len, bool *done)
{
    KL_ASSERT(!c->open);
    *done = true;
    return c->codec->ops->prepare ? c->codec->ops->prepare(c, total_len, done) : KL_CODEC_OK;
}

kl_codec_status kl_compress_begin(kl_compressor *c, size_t total_len, kl_chain *out)
{
    c->open = false;
    kl_codec_status status = c->codec->ops->begin(c, total_len);
    if (status != KL_CODEC_OK)
        return status;
    c->open = true;
    c->first = true;
    c->done = false;
    c->held = 0;
    c->left = total_len;
    c->out = out;
    c->start = kl_chain_here(out);
    return KL_CODEC_OK;
}

void kl_compress_abort(kl_compressor *c)
{
    if (!c->open)
        return;
    kl_chain_rewind(c->out, c->start);
    c->open = false;
}

static kl_codec_status give_block(kl_compressor *c, const uint8_t *data, size_t len)
{
    bool last = c->left == 0;
    kl_codec_status status = c->codec->ops->block(c, data, len, c->first, last, c->out);
    c->first = false;
    c->done = last;
    if (status != KL_CODEC_OK)
        kl_compress_abort(c);
    return status;
}

static kl_codec_status feed(kl_compressor *c, const uint8_t *data, size_t len)
{
    const size_t block_bytes = c->codec->ops->block_bytes;
    KL_ASSERT(len <= c->left);
    while (len > 0) {
        kl_codec_status status = KL_CODEC_OK;
        size_t n = block_bytes - c->held;
        if (n > len)
            n = len;
        c->left -= n;
        if (c->held == 0 && (n == block_bytes || c->left == 0)) {
            /* A whole block in a row: no need to collect it first. */
            status = give_block(c, data, n);
        } else {
            memcpy(c->block + c->held, data, n);
            c->held += n;
            if (c->held == block_bytes || c->left == 0) {
                size_t held = c->held;
                c->held = 0;
                status = give_block(c, c->block, held);
            }
        }
        if (status != KL_CODEC_OK)
            return status;
        data += n;
        len -= n;
    }
    return KL_CODEC_OK;
}

kl_codec_status kl_compress_some(kl_compressor *c, const kloop_slice *in, size_t count)
{
    KL_ASSERT(c->open);
    for (size_t i = 0; i < count; i++) {
        kl_codec_status status = feed(c, in[i].data, in[i].len);
        if (status != KL_CODEC_OK)
            return status;
    }
    return KL_CODEC_OK;
}

kl_codec_status kl_compress_end(kl_compressor *c)
{
    KL_ASSERT(c->open && c->left == 0);
    if (!c->done) {
        kl_codec_status status = give_block(c, c->block, 0);
        if (status != KL_CODEC_OK)
            return status;
    }
    c->open = false;
    return KL_CODEC_OK;
}

/* --- decompression --- */

kl_codec_status kl_decompressor_new(kl_decompressor **out, kl_codec_id id,
                                    const kloop_allocator *alloc)
{
    *out = NULL;
    const kl_codec *codec = kl_codec_by_id((int)id);
    KL_ASSERT(codec);
    kl_decompressor *d = kl_mem_zalloc(alloc, 1, codec->ops->decompressor_bytes);
    if (!d)
        return KL_CODEC_NO_MEMORY;
    d->codec = codec;
    d->alloc = *alloc;
    kl_codec_status status = codec->ops->decompressor_init(d);
    if (status != KL_CODEC_OK) {
        kl_decompressor_del(d);
        return status;
    }
    *out = d;
    return KL_CODEC_OK;
}

void kl_decompressor_del(kl_decompressor *d)
{
    if (!d)
        return;
    const kl_codec_ops *ops = d->codec->ops;
    ops->decompressor_deinit(d);
    kloop_allocator alloc = d->alloc;
    kl_mem_release(&alloc, d, ops->decompressor_bytes);
}

void kl_decompress_begin(kl_decompressor *d, const kloop_slice *in, size_t count, size_t limit,
                         kl_buf *out)
{
    d->in = kl_codec_input_of(in, count);
    d->out = out;
    d->start = out->len;
    d->own_limit = out->limit;
    d->first = true;
    size_t end;
    if (kl_mem_add(out->len, limit, &end) && end < out->limit)
        kl_buf_set_limit(out, end);
}

/* Nothing more is written to *out. */
static void close_stream(kl_decompressor *d, kl_codec_status status)
{
    kl_buf *out = d->out;
    d->out = NULL;
    kl_buf_set_limit(out, d->own_limit);
    if (status == KL_CODEC_OK)
        return;
    kl_buf_truncate(out, d->start);
    /* The status tells it all; a mark that stays would spoil what the caller writes next. */
    out->failed = false;
    out->over_limit = false;
}

kl_codec_status kl_decompress_some(kl_decompressor *d, bool *done)
{
    KL_ASSERT(d->out);
    *done = false;
    bool first = d->first;
    d->first = false;
    kl_codec_status status = d->codec->ops->unfold(d, first, &d->in, d->out, done);
    if (status != KL_CODEC_OK || *done)
        close_stream(d, status);
    return status;
}

kl_codec_status kl_decompress(kl_decompressor *d, const kloop_slice *in, size_t count, size_t limit,
                              kl_buf *out, size_t *fault_at)
{
    if (out->failed) {
        if (fault_at)
            *fault_at = 0;
        return kl_codec_no_room(out);
    }
    kl_decompress_begin(d, in, count, limit, out);
    kl_codec_status status = KL_CODEC_OK;
    for (bool done = false; status == KL_CODEC_OK && !done;)
        status = kl_decompress_some(d, &done);
    if (status != KL_CODEC_OK && fault_at)
        *fault_at = d->in.at;
    return status;
}

bool kl_compressor_busy(const kl_compressor *c)
{
    return c->open;
}
