/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd (RFC 8878) through libzstd.
 *
 * Written: one frame as Java's client writes it, without content size, checksum or dictionary.
 * libzstd is told the size all the same: its tables are then no larger than the batch needs, which
 * is most of the cost of a small one. Each block of input is flushed (the last one ends the frame):
 * unflushed, input would gather to 128 KiB before anything is done, and one step would take eight
 * times as long. That costs 0.4 % of output on prose, 3 % on log records.
 *
 * Read: frames in a row, skippable ones among them, as Java's stream does. Not read: dictionaries,
 * windows above 128 MiB (its reader's limit), the formats from before RFC 8878. No input at all is
 * TRUNCATED, where Java sees an empty stream.
 *
 * The decoder's memory. A frame's header announces a window, and libzstd would allocate it before
 * the first block was seen. Hence we let it write straight into our buffer, which then is the
 * window. Such a buffer must stay in place as long as a frame lasts: when it turns out to be too
 * small it grows fourfold and the frame starts over. Memory then follows what came out, and all
 * attempts together decode less than 7/3 of the frame; most need one. For the same reason the
 * frame's header is checked here and a plainer one is given to libzstd, without the content size,
 * which would be taken at its word.
 *
 * Needs ZSTD_STATIC_LINKING_ONLY for the allocator (ZSTD_customMem) and for writing straight into a
 * buffer (ZSTD_d_stableOutBuffer); Debian's shared library exports both.
 *
 * Fails: NO_MEMORY, LIBRARY when the libzstd found at run time knows no such parameter; the
 * decompressor CORRUPT, TRUNCATED, TOO_LARGE.
 */
#include "codecs/codec_parts.h"

#include "base/le.h"
#include "codecs/lib_alloc.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

typedef struct zstd_compressor {
    kl_compressor base;
    ZSTD_CCtx *ctx;
    int level;
    /* libzstd asks for one large block, which has to be taken from the system page by page when it
     * is written to for the first time: 14 MB of level 9 cost 7 ms in one go. So it is got and
     * touched beforehand, in steps. */
    void *large; /* what libzstd has */
    size_t large_bytes;
    uint8_t *spare; /* what it gets next */
    size_t spare_bytes;
    size_t touched; /* of spare */
} zstd_compressor;

/* Less is not worth a step of its own. */
#define LARGE_BYTES ((size_t)512 * 1024)
/* Of one step, about 50 us. */
#define TOUCH_BYTES ((size_t)256 * 1024)
#define PAGE_BYTES  4096

static void *zstd_alloc(void *opaque, size_t size)
{
    return kl_lib_alloc(opaque, size);
}

static void zstd_free(void *opaque, void *p)
{
    kl_lib_free(opaque, p);
}

/* The same for a compressor, which keeps its large block. */
static void *compressor_alloc(void *opaque, size_t size)
{
    zstd_compressor *c = opaque;
    if (size < LARGE_BYTES)
        return kl_lib_alloc(&c->base.alloc, size);
    if (c->spare && size <= c->spare_bytes) {
        c->large = c->spare;
        c->large_bytes = c->spare_bytes;
        c->spare = NULL;
        return c->large;
    }
    c->large = kl_lib_alloc(&c->base.alloc, size);
    c->large_bytes = size;
    return c->large;
}

/* libzstd gives its block back for a larger one, and for a smaller one after many small batches:
 * the next large batch would have to get it anew. */
static void compressor_free(void *opaque, void *p)
{
    zstd_compressor *c = opaque;
    if (!p || p != c->large) {
        kl_lib_free(&c->base.alloc, p);
        return;
    }
    c->large = NULL;
    if (c->spare && c->spare_bytes >= c->large_bytes) {
        kl_lib_free(&c->base.alloc, p);
        return;
    }
    kl_lib_free(&c->base.alloc, c->spare);
    c->spare = p;
    c->spare_bytes = c->touched = c->large_bytes;
}

static kl_codec_status status_of(size_t rc)
{
    if (!ZSTD_isError(rc))
        return KL_CODEC_OK;
    return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? KL_CODEC_NO_MEMORY
                                                                 : KL_CODEC_LIBRARY;
}

/* --- compression --- */

static kl_codec_status set_parameter(ZSTD_CCtx *ctx, ZSTD_cParameter parameter, int value)
{
    return status_of(ZSTD_CCtx_setParameter(ctx, parameter, value));
}

static kl_codec_status compressor_init(kl_compressor *base, int32_t level)
{
    zstd_compressor *c = (zstd_compressor *)base;
    c->level = level;
    c->ctx = ZSTD_createCCtx_advanced((ZSTD_customMem){compressor_alloc, compressor_free, c});
    if (!c->ctx)
        return KL_CODEC_NO_MEMORY;
    kl_codec_status status = set_parameter(c->ctx, ZSTD_c_compressionLevel, level);
    if (status == KL_CODEC_OK)
        status = set_parameter(c->ctx, ZSTD_c_contentSizeFlag, 0);
    if (status == KL_CODEC_OK)
        status = set_parameter(c->ctx, ZSTD_c_checksumFlag, 0);
    return status;
}

static void compressor_deinit(kl_compressor *base)
{
    zstd_compressor *c = (zstd_compressor *)base;
    ZSTD_freeCCtx(c->ctx);
    kl_lib_free(&base->alloc, c->spare);
}

static kl_codec_status prepare(kl_compressor *base, size_t total_len, bool *done)
{
    zstd_compressor *c = (zstd_compressor *)base;
    size_t wanted = ZSTD_estimateCStreamSize_usingCParams(ZSTD_getCParams(c->level, total_len, 0));
    *done = ZSTD_isError(wanted) || wanted < LARGE_BYTES || (c->large && wanted <= c->large_bytes);
    if (*done)
        return KL_CODEC_OK;
    if (!c->spare || c->spare_bytes < wanted) {
        kl_lib_free(&base->alloc, c->spare);
        c->spare = kl_lib_alloc(&base->alloc, wanted);
        c->spare_bytes = wanted;
        c->touched = 0;
        if (!c->spare)
            return KL_CODEC_NO_MEMORY;
    }
    size_t left = c->spare_bytes - c->touched;
    size_t end = c->touched + (left < TOUCH_BYTES ? left : TOUCH_BYTES);
    for (size_t at = c->touched; at < end; at += PAGE_BYTES)
        *(volatile uint8_t *)(c->spare + at) = 0;
    c->touched = end;
    *done = end == c->spare_bytes;
    return KL_CODEC_OK;
}

static kl_codec_status begin(kl_compressor *base, size_t total_len)
{
    zstd_compressor *c = (zstd_compressor *)base;
    size_t rc = ZSTD_CCtx_reset(c->ctx, ZSTD_reset_session_only);
    if (!ZSTD_isError(rc))
        rc = ZSTD_CCtx_setPledgedSrcSize(c->ctx, total_len);
    /*
     * An empty call: libzstd gets its memory and clears its tables now, and not on top of the first
     * block.
     */
    ZSTD_inBuffer in = {NULL, 0, 0};
    ZSTD_outBuffer out = {NULL, 0, 0};
    if (!ZSTD_isError(rc))
        rc = ZSTD_compressStream2(c->ctx, &out, &in, ZSTD_e_continue);
    return status_of(rc);
}

static kl_codec_status run(ZSTD_CCtx *ctx, const uint8_t *data, size_t len, ZSTD_EndDirective how,
                           kl_chain *out)
{
    ZSTD_inBuffer in = {data, len, 0};
    for (;;) {
        if (!kl_chain_grow(out, 1))
            return KL_CODEC_NO_MEMORY;
        ZSTD_outBuffer room = {out->pos, kl_chain_room(out), 0};
        size_t rc = ZSTD_compressStream2(ctx, &room, &in, how);
        if (ZSTD_isError(rc))
            return status_of(rc);
        out->pos += room.pos;
        if (how == ZSTD_e_continue ? in.pos == in.size : rc == 0)
            return KL_CODEC_OK;
    }
}

static kl_codec_status block(kl_compressor *base, const uint8_t *data, size_t len, bool first,
                             bool last, kl_chain *out)
{
    zstd_compressor *c = (zstd_compressor *)base;
    if (!last)
        return run(c->ctx, data, len, ZSTD_e_flush, out);
    if (first)
        return run(c->ctx, data, len, ZSTD_e_end, out);
    /*
     * In two calls, so that libzstd copies the block next to the ones before. Given data with the
     * end, it compresses them where they lie if there is room for the output, and else as here:
     * other bytes would come out.
     */
    kl_codec_status status = run(c->ctx, data, len, ZSTD_e_continue, out);
    if (status == KL_CODEC_OK)
        status = run(c->ctx, data, 0, ZSTD_e_end, out);
    return status;
}

/* --- the frame's header --- */

#define MAGIC               0xfd2fb528u
#define SKIPPABLE_MAGIC     0x184d2a50u
#define SKIPPABLE_MASK      0xfffffff0u
#define HEADER_MAX          18
#define PLAIN_HEADER        6
#define WINDOW_LOG_MIN      10
#define WINDOW_LOG_MAX      27
#define FLAG_CHECKSUM       0x04
#define FLAG_RESERVED       0x08
#define FLAG_SINGLE_SEGMENT 0x20
#define BLOCK_HEADER        3
#define BLOCK_LAST          1
#define BLOCK_TYPE_SHIFT    1
#define BLOCK_TYPE_MASK     3
#define BLOCK_RLE           1
#define BLOCK_SIZE_SHIFT    3

typedef struct frame_header {
    uint8_t plain[PLAIN_HEADER]; /* what libzstd gets to see */
    bool has_size;
    uint64_t size;
} frame_header;

/* The descriptor of a window that size bytes fit into. */
static uint8_t window_for(uint64_t size)
{
    unsigned log = 17; /* below this, blocks too would have to be shorter than 128 KiB */
    while ((UINT64_C(1) << log) < size)
        log++;
    return (uint8_t)((log - WINDOW_LOG_MIN) << 3);
}

/* Reads the header behind the magic number, and goes on behind it. */
static kl_codec_status read_header(kl_codec_input *in, frame_header *header)
{
    static const uint8_t id_sizes[4] = {0, 1, 2, 4};
    static const uint8_t content_sizes[4] = {0, 2, 4, 8};
    if (in->left < 5)
        return KL_CODEC_TRUNCATED;
    uint8_t bytes[HEADER_MAX];
    kl_codec_input_peek(in, bytes, 5);
    const uint8_t flags = bytes[4];
    const bool single = flags & FLAG_SINGLE_SEGMENT;
    const size_t window_size = single ? 0 : 1;
    const size_t id_size = id_sizes[flags & 3];
    size_t content_size = content_sizes[flags >> 6];
    if (single && content_size == 0)
        content_size = 1;
    const size_t header_size = 5 + window_size + id_size + content_size;
    if (in->left < header_size)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, bytes, header_size);

    if (flags & FLAG_RESERVED)
        return KL_CODEC_CORRUPT;
    if (kl_le_load(bytes + 5 + window_size, id_size) != 0)
        return KL_CODEC_CORRUPT; /* the data needs a dictionary */
    header->has_size = content_size > 0;
    header->size = kl_le_load(bytes + 5 + window_size + id_size, content_size);
    if (content_size == 2)
        header->size += 256; /* sizes below have a field of one byte */
    if (single && header->size > UINT64_C(1) << WINDOW_LOG_MAX)
        return KL_CODEC_CORRUPT; /* such a frame is its own window */
    memcpy(header->plain, bytes, 4);
    header->plain[4] = flags & FLAG_CHECKSUM;
    header->plain[5] = single ? window_for(header->size) : bytes[5];
    kl_codec_input_skip(in, header_size);
    return KL_CODEC_OK;
}

/* --- decompression --- */

/*
 *     no frame --header--> anew --room--> in its blocks --last--> no frame
 *                            ^                |
 *                            +-- more room ---+
 */
typedef struct zstd_decompressor {
    kl_decompressor base;
    ZSTD_DCtx *ctx;
    bool in_frame;
    bool anew; /* its blocks are to be read from the first one on, into more room */
    frame_header header;
    kl_codec_input blocks;
    ZSTD_outBuffer decoded; /* in room that stays where it is */
    size_t wish;            /* for room */
    size_t wants;           /* input; 0: there is no more of the frame */
} zstd_decompressor;

static kl_codec_status decompressor_init(kl_decompressor *base)
{
    zstd_decompressor *d = (zstd_decompressor *)base;
    d->ctx = ZSTD_createDCtx_advanced((ZSTD_customMem){zstd_alloc, zstd_free, &base->alloc});
    if (!d->ctx)
        return KL_CODEC_NO_MEMORY;
    size_t rc = ZSTD_DCtx_setParameter(d->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    if (!ZSTD_isError(rc))
        rc = ZSTD_DCtx_setParameter(d->ctx, ZSTD_d_stableOutBuffer, 1);
    return status_of(rc);
}

static void decompressor_deinit(kl_decompressor *base)
{
    zstd_decompressor *d = (zstd_decompressor *)base;
    ZSTD_freeDCtx(d->ctx);
}

/*
 * How many bytes the blocks of this frame take, by their headers; at most what is left. What lies
 * behind the frame has no say in its memory: there may be a million small frames in a row.
 */
static size_t blocks_len(const kl_codec_input *in)
{
    kl_codec_input ahead = *in;
    for (bool last = false; !last && ahead.left >= BLOCK_HEADER;) {
        uint8_t head[BLOCK_HEADER];
        kl_codec_input_peek(&ahead, head, sizeof head);
        const uint64_t word = kl_le_load(head, sizeof head);
        last = word & BLOCK_LAST;
        size_t len = (word >> BLOCK_TYPE_SHIFT & BLOCK_TYPE_MASK) == BLOCK_RLE
                         ? 1
                         : (size_t)(word >> BLOCK_SIZE_SHIFT);
        len += sizeof head;
        kl_codec_input_skip(&ahead, len < ahead.left ? len : ahead.left);
    }
    return in->left - ahead.left;
}

static kl_codec_status begin_frame(zstd_decompressor *d, kl_codec_input *in, const kl_buf *out)
{
    kl_codec_status status = read_header(in, &d->header);
    if (status != KL_CODEC_OK)
        return status;
    if (d->header.has_size && d->header.size > kl_codec_allowed(out))
        return KL_CODEC_TOO_LARGE;
    /* Enough for most frames at once, and in keeping with the bytes that are here. */
    const size_t packed = blocks_len(in);
    d->wish = packed < SIZE_MAX / 8 ? 8 * packed : packed;
    if (d->header.has_size && d->header.size < d->wish)
        d->wish = (size_t)d->header.size;
    d->blocks = *in;
    d->in_frame = true;
    d->anew = true;
    return KL_CODEC_OK;
}

/* It does not fit. */
static kl_codec_status want_room(zstd_decompressor *d, const kl_buf *out)
{
    const size_t room = d->decoded.size;
    if (d->header.has_size && room >= d->header.size)
        return KL_CODEC_CORRUPT; /* there is more than was announced */
    if (room == kl_codec_allowed(out))
        return KL_CODEC_TOO_LARGE;
    d->wish = room <= SIZE_MAX / 4 ? 4 * room + 1 : SIZE_MAX;
    if (d->header.has_size && d->header.size < d->wish)
        d->wish = (size_t)d->header.size;
    d->anew = true;
    return KL_CODEC_OK;
}

/* What libzstd answered. */
static kl_codec_status judge(zstd_decompressor *d, size_t rc, const kl_buf *out)
{
    if (!ZSTD_isError(rc)) {
        d->wants = rc;
        return KL_CODEC_OK;
    }
    switch (ZSTD_getErrorCode(rc)) {
    case ZSTD_error_dstSize_tooSmall:
        return want_room(d, out);
    case ZSTD_error_memory_allocation:
        return KL_CODEC_NO_MEMORY;
    default:
        return KL_CODEC_CORRUPT;
    }
}

static kl_codec_status begin_blocks(zstd_decompressor *d, kl_codec_input *in, kl_buf *out)
{
    const size_t allowed = kl_codec_allowed(out);
    size_t room = 0;
    uint8_t *to = kl_buf_reserve(out, d->wish < allowed ? d->wish : allowed, &room);
    if (!to)
        return kl_codec_no_room(out);
    d->anew = false;
    d->decoded = (ZSTD_outBuffer){to, room, 0};
    *in = d->blocks;
    size_t rc = ZSTD_DCtx_reset(d->ctx, ZSTD_reset_session_only);
    ZSTD_inBuffer from = {d->header.plain, PLAIN_HEADER, 0};
    if (!ZSTD_isError(rc))
        rc = ZSTD_decompressStream(d->ctx, &d->decoded, &from);
    return judge(d, rc, out);
}

/* libzstd tells how much it wants next: a block and the header of the one behind. So a fault is
 * known to a block. */
static kl_codec_status read_blocks(zstd_decompressor *d, kl_codec_input *in, kl_buf *out)
{
    size_t stop = d->decoded.pos + KL_CODEC_UNFOLD_BYTES;
    while (d->wants > 0 && !d->anew && d->decoded.pos < stop) {
        kloop_slice piece = kl_codec_input_piece(in);
        if (piece.len == 0)
            return KL_CODEC_TRUNCATED;
        ZSTD_inBuffer from = {piece.data, piece.len < d->wants ? piece.len : d->wants, 0};
        size_t rc = ZSTD_decompressStream(d->ctx, &d->decoded, &from);
        if (!ZSTD_isError(rc))
            kl_codec_input_skip(in, from.pos);
        kl_codec_status status = judge(d, rc, out);
        if (status != KL_CODEC_OK)
            return status;
    }
    if (d->wants > 0 || d->anew)
        return KL_CODEC_OK;
    if (d->header.has_size && d->decoded.pos != d->header.size)
        return KL_CODEC_CORRUPT;
    kl_buf_commit(out, d->decoded.pos);
    d->in_frame = false;
    return KL_CODEC_OK;
}

static kl_codec_status skip_frame(kl_codec_input *in)
{
    uint8_t head[8];
    if (in->left < sizeof head)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, head, sizeof head);
    uint64_t len = sizeof head + (uint64_t)kl_le_load32(head + 4);
    if (in->left < len)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_skip(in, (size_t)len);
    return KL_CODEC_OK;
}

static kl_codec_status begin_any(zstd_decompressor *d, kl_codec_input *in, const kl_buf *out)
{
    uint8_t magic[4];
    if (in->left < sizeof magic)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, magic, sizeof magic);
    uint32_t number = kl_le_load32(magic);
    if (number == MAGIC)
        return begin_frame(d, in, out);
    return (number & SKIPPABLE_MASK) == SKIPPABLE_MAGIC ? skip_frame(in) : KL_CODEC_CORRUPT;
}

static kl_codec_status unfold(kl_decompressor *base, bool first, kl_codec_input *in, kl_buf *out,
                              bool *done)
{
    zstd_decompressor *d = (zstd_decompressor *)base;
    if (first)
        d->in_frame = false;
    kl_codec_status status = !d->in_frame ? begin_any(d, in, out)
                             : d->anew    ? begin_blocks(d, in, out)
                                          : read_blocks(d, in, out);
    *done = !d->in_frame && in->left == 0;
    return status;
}

static const kl_codec_ops ops = {
    .compressor_bytes = sizeof(zstd_compressor),
    .block_bytes = KL_CODEC_STEP_BYTES,
    .compressor_init = compressor_init,
    .compressor_deinit = compressor_deinit,
    .prepare = prepare,
    .begin = begin,
    .block = block,
    .decompressor_bytes = sizeof(zstd_decompressor),
    .decompressor_init = decompressor_init,
    .decompressor_deinit = decompressor_deinit,
    .unfold = unfold,
};

const kl_codec kl_codec_zstd = {
    .name = "zstd",
    .id = KL_CODEC_ZSTD,
    .level_min = -131072,
    .level_max = 22,
    .level_default = 3,
    .ops = &ops,
};
