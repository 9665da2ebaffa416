/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snappy in the stream framing of Java's snappy library (xerial's), over our own raw blocks.
 *
 *     82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version 1 | compatible 1 | { chunk's length | raw block }...
 *
 * with all numbers big-endian in 32 bits. Written: one header, chunks of 32 KiB of input, no
 * levels.
 *
 * Read: such a stream, also several in a row (a chunk's place may be taken by another header); or,
 * when the first 16 bytes are no such header, all of the input as one raw block, which is what
 * clients other than Java's write. A stream may end after any chunk, for nothing marks its end; a
 * length or a header that is cut off is TRUNCATED, where Java's reader stops in silence. No input
 * at all is TRUNCATED, a header alone is an empty stream.
 *
 * A raw block announces its length. It is believed as far as that many bytes can be in a block of
 * that size, which is 22 times as many at most, and checked against the limit before anything is
 * allocated.
 *
 * Fails: NO_MEMORY; the decompressor CORRUPT, TRUNCATED, TOO_LARGE.
 */
#include "codecs/codec_parts.h"

#include "base/be.h"
#include "codecs/snappy_raw.h"

#define CHUNK_BYTES 32768
#define CHUNK_MAX   0x20000000 /* the default of Java's reader */
#define MAGIC_SIZE  8
#define HEADER_SIZE 16

static const uint8_t our_header[HEADER_SIZE] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                                0,    0,   0,   1,   0,   0,   0,   1};

typedef struct snappy_compressor {
    kl_compressor base;
    uint8_t *packed;
    size_t packed_bytes;
    uint16_t table[KL_SNAPPY_TABLE_SIZE];
} snappy_compressor;

typedef struct snappy_decompressor {
    kl_decompressor base;
    kl_buf row; /* a chunk that lies in several slices */
} snappy_decompressor;

/* --- compression --- */

static kl_codec_status compressor_init(kl_compressor *base, int32_t level)
{
    snappy_compressor *c = (snappy_compressor *)base;
    (void)level;
    c->packed_bytes = kl_snappy_bound(CHUNK_BYTES);
    c->packed = kl_mem_alloc(&base->alloc, c->packed_bytes);
    return c->packed ? KL_CODEC_OK : KL_CODEC_NO_MEMORY;
}

static void compressor_deinit(kl_compressor *base)
{
    snappy_compressor *c = (snappy_compressor *)base;
    kl_mem_release(&base->alloc, c->packed, c->packed_bytes);
}

static kl_codec_status begin(kl_compressor *base, size_t total_len)
{
    (void)base;
    (void)total_len;
    return KL_CODEC_OK;
}

static bool write_chunk(snappy_compressor *c, const uint8_t *data, size_t len, kl_chain *out)
{
    size_t n = kl_snappy_compress_block(data, len, c->packed, c->table);
    uint8_t head[4];
    kl_be_store32(head, (uint32_t)n);
    return kl_chain_append(out, head, sizeof head) && kl_chain_append(out, c->packed, n);
}

static kl_codec_status block(kl_compressor *base, const uint8_t *data, size_t len, bool first,
                             bool last, kl_chain *out)
{
    snappy_compressor *c = (snappy_compressor *)base;
    (void)last;
    bool ok = !first || kl_chain_append(out, our_header, sizeof our_header);
    ok = ok && (len == 0 || write_chunk(c, data, len, out));
    return ok ? KL_CODEC_OK : KL_CODEC_NO_MEMORY;
}

/* --- decompression --- */

static kl_codec_status decompressor_init(kl_decompressor *base)
{
    snappy_decompressor *d = (snappy_decompressor *)base;
    kl_buf_init(&d->row, &base->alloc);
    return KL_CODEC_OK;
}

static void decompressor_deinit(kl_decompressor *base)
{
    snappy_decompressor *d = (snappy_decompressor *)base;
    kl_buf_deinit(&d->row);
}

static kl_codec_status status_of(kl_snappy_error error)
{
    switch (error) {
    case KL_SNAPPY_OK:
        return KL_CODEC_OK;
    case KL_SNAPPY_TRUNCATED:
    case KL_SNAPPY_TOO_SHORT:
        return KL_CODEC_TRUNCATED;
    case KL_SNAPPY_NO_ROOM:
        return KL_CODEC_TOO_LARGE;
    case KL_SNAPPY_BAD_LENGTH:
    case KL_SNAPPY_BAD_OFFSET:
    case KL_SNAPPY_TOO_LONG:
        break;
    }
    return KL_CODEC_CORRUPT;
}

/* The raw block that the next len bytes are. */
static kl_codec_status read_raw(snappy_decompressor *d, kl_codec_input *in, size_t len, kl_buf *out)
{
    const kl_codec_input start = *in;
    const uint8_t *data = kl_codec_input_take(in, len, &d->row);
    if (!data)
        return KL_CODEC_NO_MEMORY;
    uint32_t announced;
    size_t preamble;
    size_t written;
    size_t fault_at = 0;
    kl_codec_status status =
        status_of(kl_snappy_uncompressed_len(data, len, &announced, &preamble));
    if (status == KL_CODEC_OK && announced / 64 > len / 3 + 1)
        status = KL_CODEC_CORRUPT;
    else if (status == KL_CODEC_OK && announced > kl_codec_allowed(out))
        status = KL_CODEC_TOO_LARGE;
    if (status == KL_CODEC_OK) {
        uint8_t *to = kl_buf_reserve(out, announced, NULL);
        if (!to)
            status = kl_codec_no_room(out);
        else
            status = status_of(
                kl_snappy_decompress_block(data, len, to, announced, &written, &fault_at));
    }
    if (status == KL_CODEC_OK) {
        kl_buf_commit(out, written);
    } else {
        *in = start;
        kl_codec_input_skip(in, fault_at);
    }
    return status;
}

/*
 * Whether a header comes next. Only the magic number tells; Java's reader looks at neither version.
 */
static bool header_ahead(const kl_codec_input *in)
{
    uint8_t magic[MAGIC_SIZE];
    if (in->left < HEADER_SIZE)
        return false;
    kl_codec_input_peek(in, magic, sizeof magic);
    return memcmp(magic, our_header, MAGIC_SIZE) == 0;
}

/* No raw block starts like a header: a length, then a copy from before the start. */
static bool header_cut_off(const kl_codec_input *in)
{
    uint8_t bytes[HEADER_SIZE];
    if (in->left >= HEADER_SIZE)
        return false;
    kl_codec_input_peek(in, bytes, in->left);
    return memcmp(bytes, our_header, in->left < MAGIC_SIZE ? in->left : MAGIC_SIZE) == 0;
}

static kl_codec_status read_chunk(snappy_decompressor *d, kl_codec_input *in, kl_buf *out)
{
    uint8_t word[4];
    if (in->left < sizeof word)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, word, sizeof word);
    if (memcmp(word, our_header, sizeof word) == 0) {
        if (!header_ahead(in))
            return header_cut_off(in) ? KL_CODEC_TRUNCATED : KL_CODEC_CORRUPT;
        kl_codec_input_skip(in, HEADER_SIZE);
        return KL_CODEC_OK;
    }
    size_t len = kl_be_load32(word);
    if (len == 0 || len > CHUNK_MAX)
        return KL_CODEC_CORRUPT;
    if (len > in->left - sizeof word)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_skip(in, sizeof word);
    kl_codec_status status = read_raw(d, in, len, out);
    /* A block that ends too early inside its chunk is no matter of missing input. */
    return status == KL_CODEC_TRUNCATED ? KL_CODEC_CORRUPT : status;
}

static kl_codec_status unfold(kl_decompressor *base, bool first, kl_codec_input *in, kl_buf *out,
                              bool *done)
{
    snappy_decompressor *d = (snappy_decompressor *)base;
    kl_codec_status status = KL_CODEC_OK;
    if (!first)
        status = read_chunk(d, in, out);
    else if (header_cut_off(in))
        status = KL_CODEC_TRUNCATED;
    else if (header_ahead(in))
        kl_codec_input_skip(in, HEADER_SIZE);
    else
        status = read_raw(d, in, in->left, out);
    *done = in->left == 0;
    return status;
}

static const kl_codec_ops ops = {
    .compressor_bytes = sizeof(snappy_compressor),
    .block_bytes = CHUNK_BYTES,
    .compressor_init = compressor_init,
    .compressor_deinit = compressor_deinit,
    .begin = begin,
    .block = block,
    .decompressor_bytes = sizeof(snappy_decompressor),
    .decompressor_init = decompressor_init,
    .decompressor_deinit = decompressor_deinit,
    .unfold = unfold,
};

const kl_codec kl_codec_snappy = {
    .name = "snappy",
    .id = KL_CODEC_SNAPPY,
    .level_min = 0,
    .level_max = -1,
    .level_default = 0,
    .ops = &ops,
};
