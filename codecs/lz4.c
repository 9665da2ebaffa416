/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lz4 frames (LZ4 frame format 1.5.1) over the block functions of liblz4.
 *
 *     04 22 4d 18 | FLG BD HC | { size of the block, bit 31: stored raw | block }... | 0 0 0 0
 *
 * Written: blocks of 64 KiB that do not refer to each other, no sizes, no checksums, so that the
 * header is always 60 40 82; a block that does not get smaller is stored raw. Level 9, the default,
 * means the fast compressor and any other level the thorough one, as with Java's client, whose
 * output this equals byte for byte given the same liblz4. LZ4F, the library's own frames, would do
 * as well but takes its memory in a way of its own for each version.
 *
 * Read, as Kafka's Lz4BlockInputStream does: a content size is passed over, the checksum of the
 * header is verified, those of blocks too if there are any, the checksum of the content is passed
 * over. Not read: blocks that refer to each other, dictionaries, reserved bits, another version, a
 * block above the frame's maximum.
 *
 * A match at offset 0 is corrupt by the block format. liblz4 takes it and writes zeroes, and so
 * does each decompressor of lz4-java, with which Kafka 4.3.1 reads: such a batch reaches its
 * consumers. What they read is what we show.
 *
 * Kafka reads the first frame only and ignores what is behind it. Here that is CORRUPT: nobody
 * would ever see those bytes, no producer writes them, and a tool that is asked about a batch must
 * not keep quiet about a part of it.
 *
 * Fails: NO_MEMORY; the decompressor CORRUPT, TRUNCATED, TOO_LARGE.
 */
#include "codecs/codec_parts.h"

#include "base/le.h"
#include "codecs/xxh32.h"

#include <lz4.h>
#include <lz4hc.h>

#define MAGIC              0x184d2204u
#define BLOCK_BYTES        65536
#define STORED             0x80000000u
#define MAGIC_SIZE         4
#define FLAGS_AT           4
#define FLAG_CONTENT_CHECK 0x04
#define FLAG_CONTENT_SIZE  0x08
#define FLAG_BLOCK_CHECK   0x10
#define FLAG_INDEPENDENT   0x20
#define FLAGS_ALLOWED                                                                              \
    (FLAG_CONTENT_CHECK | FLAG_CONTENT_SIZE | FLAG_BLOCK_CHECK | FLAG_INDEPENDENT | VERSION_1)
#define VERSION_1    0x40
#define VERSION_MASK 0xc0
#define LEVEL_FAST   9
#define SLACK        64 /* liblz4 wants no more room than this beyond what it writes */

static const uint8_t our_header[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82};

typedef struct lz4_compressor {
    kl_compressor base;
    int32_t level;
    void *state;
    size_t state_bytes;
    uint8_t *packed;
    size_t packed_bytes;
} lz4_compressor;

typedef struct lz4_decompressor {
    kl_decompressor base;
    kl_buf row;   /* a block that lies in several slices */
    kl_buf aside; /* what a block with an unusual end unfolds to */
    size_t block_max;
    uint8_t flags;
} lz4_decompressor;

/* --- compression --- */

static kl_codec_status compressor_init(kl_compressor *base, int32_t level)
{
    lz4_compressor *c = (lz4_compressor *)base;
    c->level = level;
    /* Asked at run time: the library may be newer than its header was when we were built. */
    c->state_bytes = (size_t)(level == LEVEL_FAST ? LZ4_sizeofState() : LZ4_sizeofStateHC());
    c->state = kl_mem_alloc(&base->alloc, c->state_bytes);
    /*
     * Room for the worst case, even for a block that will be stored raw: with less, the library
     * gives up early, and on blocks that do get a little smaller.
     */
    c->packed_bytes = (size_t)LZ4_compressBound(BLOCK_BYTES);
    c->packed = kl_mem_alloc(&base->alloc, c->packed_bytes);
    return c->state && c->packed ? KL_CODEC_OK : KL_CODEC_NO_MEMORY;
}

static void compressor_deinit(kl_compressor *base)
{
    lz4_compressor *c = (lz4_compressor *)base;
    kl_mem_release(&base->alloc, c->state, c->state_bytes);
    kl_mem_release(&base->alloc, c->packed, c->packed_bytes);
}

static kl_codec_status begin(kl_compressor *base, size_t total_len)
{
    (void)base;
    (void)total_len;
    return KL_CODEC_OK;
}

static bool write_block(lz4_compressor *c, const uint8_t *data, size_t len, kl_chain *out)
{
    const char *from = (const char *)data;
    char *to = (char *)c->packed;
    int n = c->level == LEVEL_FAST
                ? LZ4_compress_fast_extState(c->state, from, to, (int)len, (int)c->packed_bytes, 1)
                : LZ4_compress_HC_extStateHC(c->state, from, to, (int)len, (int)c->packed_bytes,
                                             c->level);
    bool smaller = n > 0 && (size_t)n < len;
    uint32_t size = smaller ? (uint32_t)n : (uint32_t)len | STORED;
    uint8_t head[4];
    kl_le_store32(head, size);
    return kl_chain_append(out, head, sizeof head) &&
           kl_chain_append(out, smaller ? c->packed : data, smaller ? (size_t)n : len);
}

static kl_codec_status block(kl_compressor *base, const uint8_t *data, size_t len, bool first,
                             bool last, kl_chain *out)
{
    static const uint8_t end_mark[4] = {0};
    lz4_compressor *c = (lz4_compressor *)base;
    bool ok = !first || kl_chain_append(out, our_header, sizeof our_header);
    ok = ok && (len == 0 || write_block(c, data, len, out));
    ok = ok && (!last || kl_chain_append(out, end_mark, sizeof end_mark));
    return ok ? KL_CODEC_OK : KL_CODEC_NO_MEMORY;
}

/* --- decompression --- */

static kl_codec_status decompressor_init(kl_decompressor *base)
{
    lz4_decompressor *d = (lz4_decompressor *)base;
    kl_buf_init(&d->row, &base->alloc);
    kl_buf_init(&d->aside, &base->alloc);
    return KL_CODEC_OK;
}

static void decompressor_deinit(kl_decompressor *base)
{
    lz4_decompressor *d = (lz4_decompressor *)base;
    kl_buf_deinit(&d->row);
    kl_buf_deinit(&d->aside);
}

static kl_codec_status read_header(kl_codec_input *in, uint8_t *flags, size_t *block_max)
{
    uint8_t bytes[MAGIC_SIZE + 2 + 8 + 1];
    size_t size = MAGIC_SIZE + 2 + 1;
    if (in->left < size)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, bytes, size);
    if (kl_le_load32(bytes) != MAGIC)
        return KL_CODEC_CORRUPT;
    const uint8_t flg = bytes[FLAGS_AT];
    const uint8_t bd = bytes[FLAGS_AT + 1];
    if ((flg & VERSION_MASK) != VERSION_1 || !(flg & FLAG_INDEPENDENT) ||
        (flg & ~FLAGS_ALLOWED) != 0)
        return KL_CODEC_CORRUPT;
    const unsigned class = bd >> 4;
    if ((bd & 0x0f) != 0 || class < 4 || class > 7)
        return KL_CODEC_CORRUPT;
    if (flg & FLAG_CONTENT_SIZE)
        size += 8;
    if (in->left < size)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, bytes, size);
    uint32_t hash = kl_xxh32(bytes + FLAGS_AT, size - 1 - FLAGS_AT, 0);
    if (bytes[size - 1] != (uint8_t)(hash >> 8))
        return KL_CODEC_CORRUPT;
    *flags = flg;
    *block_max = (size_t)1 << (8 + 2 * class);
    kl_codec_input_skip(in, size);
    return KL_CODEC_OK;
}

/*
 * A length that does not fit its four bits goes on in bytes until one is not 255. false: the block
 * ends before.
 */
static bool long_length(const uint8_t **p, const uint8_t *end, size_t *len)
{
    if (*len < 15)
        return true;
    uint8_t more;
    do {
        if (*p == end)
            return false;
        more = *(*p)++;
        *len += more;
    } while (more == 255);
    return true;
}

/*
 * How many bytes a block unfolds to, by its lengths alone; counts no further than just above most.
 * SIZE_MAX: it is no block. liblz4 answers the same -1 to a block that is wrong and to one that is
 * larger than the room, and we must tell them apart; so this runs only after such an answer.
 */
static size_t unfolded_len(const uint8_t *p, size_t len, size_t most)
{
    const uint8_t *end = p + len;
    size_t total = 0;
    while (p < end && total <= most) {
        size_t literals = *p >> 4;
        size_t match = *p & 15;
        p++;
        if (!long_length(&p, end, &literals) || literals > (size_t)(end - p))
            return SIZE_MAX;
        p += literals;
        total += literals;
        if (p == end)
            return total;
        if (end - p < 2)
            return SIZE_MAX;
        size_t offset = kl_le_load16(p);
        p += 2;
        if (offset > total || !long_length(&p, end, &match))
            return SIZE_MAX;
        total += match + 4;
    }
    return total > most ? total : SIZE_MAX; /* a block ends with literals */
}

/*
 * liblz4 refuses a block that fits its room to the byte when the end is unusual, say four literals
 * behind a match. Kafka's reader, who always has the room of a whole block, takes it; and what is
 * an error must not depend on the limit. So such a block is unfolded elsewhere, with room to spare,
 * and copied: *out stays within its limit.
 */
static kl_codec_status unfold_aside(lz4_decompressor *d, const uint8_t *data, size_t len,
                                    size_t room, kl_buf *out)
{
    kl_buf_reset(&d->aside);
    uint8_t *to = kl_buf_reserve(&d->aside, room, NULL);
    if (!to)
        return KL_CODEC_NO_MEMORY;
    int n = LZ4_decompress_safe((const char *)data, (char *)to, (int)len, (int)room);
    if (n < 0)
        return KL_CODEC_CORRUPT;
    return kl_buf_append(out, to, (size_t)n) ? KL_CODEC_OK : kl_codec_no_room(out);
}

/* block_max is at most 4 MiB, so that every number here fits an int. */
static kl_codec_status unfold_block(lz4_decompressor *d, const uint8_t *data, size_t len,
                                    size_t block_max, kl_buf *out)
{
    const size_t allowed = kl_codec_allowed(out);
    const size_t most = allowed < block_max ? allowed : block_max;
    /* Enough for most blocks; not block_max at once, which one byte of the header announces. */
    size_t wish = 8 * len + SLACK;
    for (;;) {
        size_t room;
        uint8_t *to = kl_buf_reserve(out, wish < most ? wish : most, &room);
        if (!to)
            return kl_codec_no_room(out);
        if (room > most)
            room = most;
        int n = LZ4_decompress_safe((const char *)data, (char *)to, (int)len, (int)room);
        if (n >= 0) {
            kl_buf_commit(out, (size_t)n);
            return KL_CODEC_OK;
        }
        size_t need = unfolded_len(data, len, most);
        if (need > block_max)
            return KL_CODEC_CORRUPT;
        if (need > allowed)
            return KL_CODEC_TOO_LARGE;
        const size_t ample = need + SLACK < block_max ? need + SLACK : block_max;
        if (room >= ample)
            return KL_CODEC_CORRUPT; /* the room was not the reason */
        if (room == most)
            return unfold_aside(d, data, len, ample, out);
        wish = ample;
    }
}

/* One block, or the end mark and what follows it. */
static kl_codec_status read_block(lz4_decompressor *d, kl_codec_input *in, kl_buf *out, bool *ended)
{
    const uint8_t flags = d->flags;
    const size_t block_max = d->block_max;
    uint8_t word[4];
    if (in->left < sizeof word)
        return KL_CODEC_TRUNCATED;
    kl_codec_input_peek(in, word, sizeof word);
    const bool stored = kl_le_load32(word) & STORED;
    const size_t size = kl_le_load32(word) & ~STORED;
    if (size > block_max)
        return KL_CODEC_CORRUPT;
    /* Kafka takes a stored block of no bytes for the end too. */
    *ended = size == 0;
    const size_t check_size = flags & (*ended ? FLAG_CONTENT_CHECK : FLAG_BLOCK_CHECK) ? 4 : 0;
    if (in->left - sizeof word < size + check_size)
        return KL_CODEC_TRUNCATED;
    const kl_codec_input start = *in;
    kl_codec_input_skip(in, sizeof word);
    const uint8_t *data = kl_codec_input_take(in, size, &d->row);
    if (!data)
        return KL_CODEC_NO_MEMORY;
    kl_codec_status status = KL_CODEC_OK;
    if (check_size) {
        kl_codec_input_peek(in, word, sizeof word);
        kl_codec_input_skip(in, sizeof word);
        if (!*ended && kl_le_load32(word) != kl_xxh32(data, size, 0))
            status = KL_CODEC_CORRUPT;
    }
    if (status == KL_CODEC_OK && stored && !kl_buf_append(out, data, size))
        status = kl_codec_no_room(out);
    else if (status == KL_CODEC_OK && !stored && !*ended)
        status = unfold_block(d, data, size, block_max, out);
    if (status != KL_CODEC_OK)
        *in = start;
    return status;
}

static kl_codec_status unfold(kl_decompressor *base, bool first, kl_codec_input *in, kl_buf *out,
                              bool *done)
{
    lz4_decompressor *d = (lz4_decompressor *)base;
    kl_codec_status status = first ? read_header(in, &d->flags, &d->block_max) : KL_CODEC_OK;
    if (status == KL_CODEC_OK)
        status = read_block(d, in, out, done);
    return status == KL_CODEC_OK && *done && in->left > 0 ? KL_CODEC_CORRUPT : status;
}

static const kl_codec_ops ops = {
    .compressor_bytes = sizeof(lz4_compressor),
    .block_bytes = BLOCK_BYTES,
    .compressor_init = compressor_init,
    .compressor_deinit = compressor_deinit,
    .begin = begin,
    .block = block,
    .decompressor_bytes = sizeof(lz4_decompressor),
    .decompressor_init = decompressor_init,
    .decompressor_deinit = decompressor_deinit,
    .unfold = unfold,
};

const kl_codec kl_codec_lz4 = {
    .name = "lz4",
    .id = KL_CODEC_LZ4,
    .level_min = 1,
    .level_max = 17, /* liblz4 goes up to 12 and takes more for 12 */
    .level_default = LEVEL_FAST,
    .ops = &ops,
};
