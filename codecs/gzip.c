/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gzip (RFC 1952) through zlib.
 *
 * Written: one member, no name, no time, the system marked unknown, so that the same input gives
 * the same bytes on every host. Read: one member or several in a row, each with its CRC and length
 * verified. What follows must be a member again; Java's GZIPInputStream passes over anything else
 * in silence, we say CORRUPT.
 *
 * Fails: NO_MEMORY, LIBRARY when the zlib found at run time is not of the version we were built
 * for; the decompressor CORRUPT, TRUNCATED, TOO_LARGE.
 */
#include "codecs/codec_parts.h"

#include "codecs/lib_alloc.h"

#define ZLIB_CONST
#include <zlib.h>

/* A window of 32 KiB, and 16 more for "gzip around it, no zlib header". */
#define GZIP_WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL     8
#define SYSTEM_UNKNOWN   255
#define PORTION_BYTES    1024

typedef struct gzip_compressor {
    kl_compressor base;
    z_stream z;
    gz_header header; /* zlib reads it when the first block comes */
} gzip_compressor;

typedef struct gzip_decompressor {
    kl_decompressor base;
    z_stream z;
} gzip_decompressor;

static voidpf zlib_alloc(voidpf opaque, uInt items, uInt size)
{
    size_t bytes;
    return kl_mem_mul(items, size, &bytes) ? kl_lib_alloc(opaque, bytes) : NULL;
}

static void zlib_free(voidpf opaque, voidpf p)
{
    kl_lib_free(opaque, p);
}

static void use_allocator(z_stream *z, kloop_allocator *alloc)
{
    z->zalloc = zlib_alloc;
    z->zfree = zlib_free;
    z->opaque = alloc;
}

static kl_codec_status status_of(int rc)
{
    return rc == Z_OK ? KL_CODEC_OK : rc == Z_MEM_ERROR ? KL_CODEC_NO_MEMORY : KL_CODEC_LIBRARY;
}

/* --- compression --- */

/*
 * By what a KiB of two random letters costs, on which zlib's search for matches takes longest: from
 * level 5 on each level takes two to three times as long as the one before.
 */
static size_t step_bytes(int32_t level)
{
    if (level == Z_DEFAULT_COMPRESSION)
        level = 6;
    return level <= 2   ? KL_CODEC_STEP_BYTES
           : level <= 4 ? 8 * PORTION_BYTES
           : level == 5 ? 4 * PORTION_BYTES
           : level == 6 ? 2 * PORTION_BYTES
                        : PORTION_BYTES;
}

static kl_codec_status compressor_init(kl_compressor *base, int32_t level)
{
    gzip_compressor *c = (gzip_compressor *)base;
    base->step_bytes = step_bytes(level);
    use_allocator(&c->z, &base->alloc);
    c->header.os = SYSTEM_UNKNOWN;
    return status_of(
        deflateInit2(&c->z, level, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY));
}

static void compressor_deinit(kl_compressor *base)
{
    gzip_compressor *c = (gzip_compressor *)base;
    deflateEnd(&c->z);
}

static kl_codec_status begin(kl_compressor *base, size_t total_len)
{
    gzip_compressor *c = (gzip_compressor *)base;
    (void)total_len;
    int rc = deflateReset(&c->z);
    if (rc == Z_OK)
        rc = deflateSetHeader(&c->z, &c->header);
    return status_of(rc);
}

static kl_codec_status block(kl_compressor *base, const uint8_t *data, size_t len, bool first,
                             bool last, kl_chain *out)
{
    gzip_compressor *c = (gzip_compressor *)base;
    (void)first;
    c->z.next_in = data;
    c->z.avail_in = (uInt)len;
    for (;;) {
        if (!kl_chain_grow(out, 1))
            return KL_CODEC_NO_MEMORY;
        uInt room = (uInt)kl_chain_room(out);
        c->z.next_out = out->pos;
        c->z.avail_out = room;
        int rc = deflate(&c->z, last ? Z_FINISH : Z_NO_FLUSH);
        out->pos += room - c->z.avail_out;
        if (rc == Z_STREAM_END)
            return last ? KL_CODEC_OK : KL_CODEC_LIBRARY;
        /* Z_BUF_ERROR: there was nothing to do, which is no error. */
        if (rc != Z_OK && rc != Z_BUF_ERROR)
            return KL_CODEC_LIBRARY;
        if (!last && c->z.avail_out > 0)
            return c->z.avail_in == 0 ? KL_CODEC_OK : KL_CODEC_LIBRARY;
    }
}

/* --- decompression --- */

static kl_codec_status decompressor_init(kl_decompressor *base)
{
    gzip_decompressor *d = (gzip_decompressor *)base;
    use_allocator(&d->z, &base->alloc);
    return status_of(inflateInit2(&d->z, GZIP_WINDOW_BITS));
}

static void decompressor_deinit(kl_decompressor *base)
{
    gzip_decompressor *d = (gzip_decompressor *)base;
    inflateEnd(&d->z);
}

/*
 * How much room to ask for when there is none: in keeping with what is still to come, and never a
 * lot at once.
 */
static size_t wish(const kl_codec_input *in)
{
    size_t guess = in->left < 16384 ? 4 * in->left : 65536;
    return guess < 512 ? 512 : guess;
}

/* zlib would find out too, but two bytes further on. */
static bool member_ahead(const kl_codec_input *in)
{
    uint8_t magic[2] = {0x1f, 0x8b};
    kl_codec_input_peek(in, magic, in->left < sizeof magic ? in->left : sizeof magic);
    return magic[0] == 0x1f && magic[1] == 0x8b;
}

static kl_codec_status unfold(kl_decompressor *base, bool first, kl_codec_input *in, kl_buf *out,
                              bool *done)
{
    gzip_decompressor *d = (gzip_decompressor *)base;
    z_stream *z = &d->z;
    if (first && inflateReset(z) != Z_OK)
        return KL_CODEC_LIBRARY;
    kloop_slice piece = kl_codec_input_piece(in);
    size_t give = piece.len < UINT32_MAX ? piece.len : UINT32_MAX;
    z->next_in = piece.data;
    z->avail_in = (uInt)give;

    /* At the limit there may still be a trailer to read. A byte that comes out then is one too
     * many. */
    uint8_t excess;
    size_t room = 1;
    bool at_limit = kl_codec_allowed(out) == 0;
    uint8_t *to = at_limit ? &excess : kl_buf_reserve_some(out, wish(in), &room);
    if (!to)
        return kl_codec_no_room(out);
    if (room > KL_CODEC_UNFOLD_BYTES)
        room = KL_CODEC_UNFOLD_BYTES;
    z->next_out = to;
    z->avail_out = (uInt)room;

    int rc = inflate(z, Z_NO_FLUSH);
    size_t used = give - z->avail_in;
    size_t made = room - z->avail_out;
    kl_codec_input_skip(in, used);
    if (made > 0 && at_limit)
        return KL_CODEC_TOO_LARGE;
    if (!at_limit)
        kl_buf_commit(out, made);

    switch (rc) {
    case Z_STREAM_END:
        *done = in->left == 0;
        if (!*done && !member_ahead(in))
            return KL_CODEC_CORRUPT;
        return *done || inflateReset(z) == Z_OK ? KL_CODEC_OK : KL_CODEC_LIBRARY;
    case Z_OK:
    case Z_BUF_ERROR:
        /* It stands still with room to write to: only more input could help. */
        if (used == 0 && made == 0)
            return in->left == 0 ? KL_CODEC_TRUNCATED : KL_CODEC_LIBRARY;
        return KL_CODEC_OK;
    case Z_MEM_ERROR:
        return KL_CODEC_NO_MEMORY;
    case Z_DATA_ERROR:
    case Z_NEED_DICT:
        return KL_CODEC_CORRUPT;
    default:
        return KL_CODEC_LIBRARY;
    }
}

/*
 * zlib sees its input in the same portions for every cut of the caller's: how far its window has
 * slid when a match is looked for depends on them. They are small because the smallest step can be
 * no smaller; zlib does not mind, and what comes out is as short as with large ones.
 */
static const kl_codec_ops ops = {
    .compressor_bytes = sizeof(gzip_compressor),
    .block_bytes = PORTION_BYTES,
    .compressor_init = compressor_init,
    .compressor_deinit = compressor_deinit,
    .begin = begin,
    .block = block,
    .decompressor_bytes = sizeof(gzip_decompressor),
    .decompressor_init = decompressor_init,
    .decompressor_deinit = decompressor_deinit,
    .unfold = unfold,
};

const kl_codec kl_codec_gzip = {
    .name = "gzip",
    .id = KL_CODEC_GZIP,
    .level_min = 1,
    .level_max = Z_BEST_COMPRESSION,
    .level_default = Z_DEFAULT_COMPRESSION,
    .ops = &ops,
};
