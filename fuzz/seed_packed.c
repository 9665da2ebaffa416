/* SPDX-License-Identifier: BSD-2-Clause */
/* One function for each library. See seed_packed.h. */
#include "fuzz/seed_packed.h"

#include "codecs/snappy_raw.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#define BOMB_BYTES ((size_t)1 << 20)

static uint8_t *reserve(kl_buf *out, size_t size)
{
    uint8_t *to = kl_buf_reserve(out, size, NULL);
    KL_FUZZ_CHECK(to);
    return to;
}

/* ---- gzip ---- */

static void add_member(kloop_slice content, int level, bool named, kl_buf *out)
{
    static char name[] = "name";
    static char comment[] = "comment";
    static uint8_t extra[] = {1, 2, 3};
    gz_header header;
    z_stream z;
    memset(&z, 0, sizeof z);
    memset(&header, 0, sizeof header);
    KL_FUZZ_CHECK(deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    if (named) {
        header.name = (Bytef *)name;
        header.comment = (Bytef *)comment;
        header.extra = extra;
        header.extra_len = sizeof extra;
        header.hcrc = 1;
        header.time = 1700000000;
    }
    KL_FUZZ_CHECK(deflateSetHeader(&z, &header) == Z_OK);
    size_t room = deflateBound(&z, (uLong)content.len) + 64;
    z.next_in = (Bytef *)(uintptr_t)content.data;
    z.avail_in = (uInt)content.len;
    z.next_out = reserve(out, room);
    z.avail_out = (uInt)room;
    KL_FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    kl_buf_commit(out, room - z.avail_out);
    deflateEnd(&z);
}

static bool pack_gzip(int variant, kloop_slice content, kl_buf *out)
{
    switch (variant) {
    case 0:
        add_member(content, 6, true, out);
        return true;
    case 1: /* stored */
        add_member(content, 0, false, out);
        return true;
    case 2:
        add_member(content, 1, false, out);
        add_member((kloop_slice){content.data, content.len / 2}, 9, true, out);
        add_member((kloop_slice){content.data, 0}, 9, false, out);
        return true;
    default:
        return false;
    }
}

/* ---- lz4 ---- */

static bool pack_lz4(int variant, kloop_slice content, kl_buf *out)
{
    static const struct {
        LZ4F_blockMode_t mode;
        LZ4F_contentChecksum_t content_check;
        LZ4F_blockChecksum_t block_check;
        LZ4F_blockSizeID_t size_id;
        bool sized;
        unsigned dict_id;
    } forms[] = {
        {LZ4F_blockIndependent, LZ4F_noContentChecksum, LZ4F_noBlockChecksum, LZ4F_max64KB, false,
         0},
        {LZ4F_blockIndependent, LZ4F_contentChecksumEnabled, LZ4F_blockChecksumEnabled,
         LZ4F_max256KB, true, 0},
        {LZ4F_blockLinked, LZ4F_noContentChecksum, LZ4F_noBlockChecksum, LZ4F_max64KB, false, 0},
        {LZ4F_blockIndependent, LZ4F_contentChecksumEnabled, LZ4F_noBlockChecksum, LZ4F_max4MB,
         false, 0},
        {LZ4F_blockIndependent, LZ4F_noContentChecksum, LZ4F_blockChecksumEnabled, LZ4F_max1MB,
         false, 7},
    };
    if (variant < 0 || (size_t)variant >= sizeof forms / sizeof forms[0])
        return false;
    LZ4F_preferences_t p;
    memset(&p, 0, sizeof p);
    p.frameInfo.blockMode = forms[variant].mode;
    p.frameInfo.contentChecksumFlag = forms[variant].content_check;
    p.frameInfo.blockChecksumFlag = forms[variant].block_check;
    p.frameInfo.blockSizeID = forms[variant].size_id;
    p.frameInfo.contentSize = forms[variant].sized ? content.len : 0;
    p.frameInfo.dictID = forms[variant].dict_id;
    size_t room = LZ4F_compressFrameBound(content.len, &p);
    size_t n = LZ4F_compressFrame(reserve(out, room), room, content.data, content.len, &p);
    KL_FUZZ_CHECK(!LZ4F_isError(n));
    kl_buf_commit(out, n);
    return true;
}

/* ---- zstd ---- */

static void add_frame(kloop_slice content, int level, int checksum, int sized, kl_buf *out)
{
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, checksum);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, sized);
    size_t room = ZSTD_compressBound(content.len);
    size_t n = ZSTD_compress2(ctx, reserve(out, room), room, content.data, content.len);
    KL_FUZZ_CHECK(!ZSTD_isError(n));
    kl_buf_commit(out, n);
    ZSTD_freeCCtx(ctx);
}

static bool pack_zstd(int variant, kloop_slice content, kl_buf *out)
{
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    /* A window of 128 MiB and one empty last block. */
    static const uint8_t large_window[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00};
    /* A content of 2^62 bytes, announced. */
    static const uint8_t large_content[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0,    0,    0,
                                            0,    0,    0,    0,    0x40, 0x01, 0x00, 0x00};
    switch (variant) {
    case 0:
        add_frame(content, 3, 1, 1, out);
        return true;
    case 1:
        add_frame(content, -5, 0, 0, out);
        return true;
    case 2:
        add_frame(content, 19, 1, 0, out);
        KL_FUZZ_CHECK(kl_buf_append(out, skippable, sizeof skippable));
        add_frame((kloop_slice){content.data, content.len / 2}, 1, 0, 1, out);
        return true;
    case 3:
        return kl_buf_append(out, large_window, sizeof large_window);
    case 4:
        return kl_buf_append(out, large_content, sizeof large_content);
    default:
        return false;
    }
}

/* ---- snappy: raw blocks, as clients other than Java's write them ---- */

static void add_raw(kloop_slice content, bool framed, kl_buf *out)
{
    static uint16_t table[KL_SNAPPY_TABLE_SIZE];
    size_t room = 4 + kl_snappy_bound(content.len);
    uint8_t *to = reserve(out, room);
    size_t head = framed ? 4 : 0;
    size_t n = kl_snappy_compress_block(content.data, content.len, to + head, table);
    for (size_t i = 0; i < head; i++)
        to[i] = (uint8_t)(n >> (24 - 8 * i));
    kl_buf_commit(out, head + n);
}

static bool pack_snappy(int variant, kloop_slice content, kl_buf *out)
{
    static const uint8_t header[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
    /* A chunk of 2 GiB, and one of a negative length (CVE-2023-34455). */
    static const uint8_t large_chunk[] = {0x82, 'S', 'N', 'A', 'P', 'P',  'Y',  0,    0,    0, 0,
                                          1,    0,   0,   0,   1,   0x7f, 0xff, 0xff, 0xff, 0};
    static const uint8_t negative_chunk[] = {0x82, 'S', 'N', 'A', 'P', 'P',  'Y',  0,    0,    0, 0,
                                             1,    0,   0,   0,   1,   0xff, 0xff, 0xff, 0xff, 0};
    switch (variant) {
    case 0:
        add_raw(content, false, out);
        return true;
    case 1: /* several chunks, and a second stream behind the first */
        KL_FUZZ_CHECK(kl_buf_append(out, header, sizeof header));
        add_raw((kloop_slice){content.data, content.len / 2}, true, out);
        add_raw(content, true, out);
        KL_FUZZ_CHECK(kl_buf_append(out, header, sizeof header));
        add_raw(content, true, out);
        return true;
    case 2:
        return kl_buf_append(out, header, sizeof header);
    case 3:
        return kl_buf_append(out, large_chunk, sizeof large_chunk);
    case 4:
        return kl_buf_append(out, negative_chunk, sizeof negative_chunk);
    default:
        return false;
    }
}

/* ---- All ---- */

static bool pack(kl_codec_id id, int variant, kloop_slice content, kl_buf *out)
{
    switch (id) {
    case KL_CODEC_GZIP:
        return pack_gzip(variant, content, out);
    case KL_CODEC_LZ4:
        return pack_lz4(variant, content, out);
    case KL_CODEC_ZSTD:
        return pack_zstd(variant, content, out);
    case KL_CODEC_SNAPPY:
        return pack_snappy(variant, content, out);
    case KL_CODEC_NONE:
        break;
    }
    return false;
}

bool kl_seed_packed(kl_codec_id id, int variant, kloop_slice content, kl_buf *out)
{
    /* Variant 0 is a bomb: a megabyte of the same byte. */
    if (variant > 0)
        return pack(id, variant - 1, content, out);
    uint8_t *same = kl_fuzz_exact_room(BOMB_BYTES);
    memset(same, 'A', BOMB_BYTES);
    bool packed = id != KL_CODEC_LZ4 && id != KL_CODEC_SNAPPY;
    /* These two fold a megabyte to no less than some kilobytes. */
    kloop_slice bomb = {same, packed ? BOMB_BYTES : BOMB_BYTES / 16};
    pack(id, id == KL_CODEC_ZSTD ? 1 : 0, bomb, out);
    free(same);
    return true;
}
