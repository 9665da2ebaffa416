/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lz4: the frame that is written, and each thing that Kafka's reader takes or refuses, in frames
 * made by hand.
 */
#include "codecs/xxh32.h"
#include "tests/support/codec_trip.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char plain[] = "hello hello hello hello kafka kafka kafka\n";
#define PLAIN_LEN (sizeof plain - 1)

/* Made by Kafka 4.3.1's Lz4Compression at level 9. */
static const uint8_t from_java[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0x17, 0x00, 0x00,
                                    0x00, 0x6e, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x06, 0x00,
                                    0x54, 0x6b, 0x61, 0x66, 0x6b, 0x61, 0x06, 0x00, 0x50, 0x61,
                                    0x66, 0x6b, 0x61, 0x0a, 0x00, 0x00, 0x00, 0x00};
/* The block in it. */
#define BLOCK     (from_java + 11)
#define BLOCK_LEN 23

/* Made by lz4 1.9.4: blocks of up to 4 MiB with checksums, content size, content checksum. */
static const uint8_t from_tool[] = {
    0x04, 0x22, 0x4d, 0x18, 0x7c, 0x40, 0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x92, 0x17, 0x00, 0x00, 0x00, 0x6e, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x06, 0x00,
    0x54, 0x6b, 0x61, 0x66, 0x6b, 0x61, 0x06, 0x00, 0x50, 0x61, 0x66, 0x6b, 0x61, 0x0a,
    0x31, 0xa9, 0xd2, 0xa9, 0x00, 0x00, 0x00, 0x00, 0xbb, 0xe3, 0x4d, 0xac};

static void put_le32(kl_buf *b, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        assert_true(kl_buf_append_byte(b, (uint8_t)(v >> (8 * i))));
}

/* A header with a right checksum; the content size only if the flags say so. */
static void put_header(kl_buf *b, uint8_t flags, uint8_t descriptor)
{
    put_le32(b, 0x184d2204);
    size_t start = b->len;
    assert_true(kl_buf_append_byte(b, flags));
    assert_true(kl_buf_append_byte(b, descriptor));
    if (flags & 0x08)
        /* Nobody believes it. */
        assert_true(kl_buf_append(b, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8));
    assert_true(
        kl_buf_append_byte(b, (uint8_t)(kl_xxh32(b->data + start, b->len - start, 0) >> 8)));
}

static void put_block(kl_buf *b, uint8_t flags, uint32_t stored, const uint8_t *data, size_t len)
{
    put_le32(b, (uint32_t)len | stored);
    assert_true(kl_buf_append(b, data, len));
    if (flags & 0x10)
        put_le32(b, kl_xxh32(data, len, 0));
}

static void put_end(kl_buf *b, uint8_t flags)
{
    put_le32(b, 0);
    if (flags & 0x04)
        put_le32(b, 0xdeadbeef); /* not verified, like Kafka's reader */
}

#define STORED 0x80000000u

static void reads_what_others_write(void **state)
{
    (void)state;
    kl_codec_expect(KL_CODEC_LZ4, from_java, sizeof from_java, plain, PLAIN_LEN);
    kl_codec_expect(KL_CODEC_LZ4, from_tool, sizeof from_tool, plain, PLAIN_LEN);
    for (size_t n = 0; n < sizeof from_tool; n++)
        kl_codec_refuse(KL_CODEC_LZ4, from_tool, n, MIB, KL_CODEC_TRUNCATED);
}

static void writes_what_java_writes(void **state)
{
    (void)state;
    kl_buf packed;
    kl_buf_init(&packed, &kl_mem_libc);
    kl_codec_pack(KL_CODEC_LZ4, 9, plain, PLAIN_LEN, &packed);
    assert_int_equal(packed.len, sizeof from_java);
    assert_memory_equal(packed.data, from_java, sizeof from_java);
    kl_buf_deinit(&packed);
}

static void an_empty_stream_is_header_and_end(void **state)
{
    (void)state;
    kl_buf packed;
    kl_buf_init(&packed, &kl_mem_libc);
    kl_codec_pack(KL_CODEC_LZ4, 9, "", 0, &packed);
    assert_int_equal(packed.len, 11);
    assert_memory_equal(packed.data, "\x04\x22\x4d\x18\x60\x40\x82\0\0\0\0", 11);
    kl_buf_deinit(&packed);
}

static uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Blocks of 64 KiB; what does not get smaller is stored. */
static void noise_is_stored_in_blocks(void **state)
{
    (void)state;
    const size_t len = 65536 * 2 + 5;
    uint8_t *data = malloc(len);
    assert_non_null(data);
    kl_sample_fill(KL_SAMPLE_NOISE, 3, data, len);
    for (int32_t level = 9; level <= 10; level++) {
        kl_buf packed;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_codec_pack(KL_CODEC_LZ4, level, data, len, &packed);
        assert_int_equal(packed.len, 7 + 3 * 4 + len + 4);
        assert_int_equal(get_le32(packed.data + 7), STORED | 65536);
        assert_int_equal(get_le32(packed.data + 7 + 4 + 65536), STORED | 65536);
        assert_int_equal(get_le32(packed.data + 7 + 2 * (4 + 65536)), STORED | 5);
        assert_memory_equal(packed.data + 11, data, 65536);
        kl_buf_deinit(&packed);
    }
    free(data);
}

/* Level 9 is the fast compressor, its neighbours are not, and what is above 12 is 12. */
static void levels_mean_what_they_mean_in_java(void **state)
{
    (void)state;
    const size_t len = 100000;
    uint8_t *data = malloc(len);
    assert_non_null(data);
    kl_sample_fill(KL_SAMPLE_RECORDS, 3, data, len);
    kl_buf packed[18];
    for (int32_t level = 1; level <= 17; level++) {
        kl_buf_init(&packed[level], &kl_mem_libc);
        kl_codec_pack(KL_CODEC_LZ4, level, data, len, &packed[level]);
    }
    for (int32_t level = 1; level <= 17; level++)
        if (level != 9)
            assert_true(packed[level].len < packed[9].len);
    for (int32_t level = 13; level <= 17; level++) {
        assert_int_equal(packed[level].len, packed[12].len);
        assert_memory_equal(packed[level].data, packed[12].data, packed[12].len);
    }
    for (int32_t level = 1; level <= 17; level++)
        kl_buf_deinit(&packed[level]);
    free(data);
}

/* All 256 values of FLG, each with a header that is right otherwise. */
static void flags(void **state)
{
    (void)state;
    for (unsigned flg = 0; flg < 256; flg++) {
        kl_buf frame;
        kl_buf_init(&frame, &kl_mem_libc);
        put_header(&frame, (uint8_t)flg, 0x40);
        put_block(&frame, (uint8_t)flg, 0, BLOCK, BLOCK_LEN);
        put_block(&frame, (uint8_t)flg, STORED, (const uint8_t *)plain, PLAIN_LEN);
        put_end(&frame, (uint8_t)flg);
        bool version_1 = flg >> 6 == 1;
        bool independent = flg >> 5 & 1;
        bool reserved = flg & 3; /* bit 0 announces a dictionary */
        if (version_1 && independent && !reserved) {
            char twice[2 * PLAIN_LEN];
            memcpy(twice, plain, PLAIN_LEN);
            memcpy(twice + PLAIN_LEN, plain, PLAIN_LEN);
            kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, twice, sizeof twice);
            for (size_t n = 0; n < frame.len; n++)
                kl_codec_refuse(KL_CODEC_LZ4, frame.data, n, MIB, KL_CODEC_TRUNCATED);
        } else {
            kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, MIB, KL_CODEC_CORRUPT);
        }
        kl_buf_deinit(&frame);
    }
}

/* All 256 values of BD. */
static void block_descriptors(void **state)
{
    (void)state;
    for (unsigned bd = 0; bd < 256; bd++) {
        kl_buf frame;
        kl_buf_init(&frame, &kl_mem_libc);
        put_header(&frame, 0x60, (uint8_t)bd);
        put_block(&frame, 0x60, 0, BLOCK, BLOCK_LEN);
        put_end(&frame, 0x60);
        if (bd == 0x40 || bd == 0x50 || bd == 0x60 || bd == 0x70)
            kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, plain, PLAIN_LEN);
        else
            kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, MIB, KL_CODEC_CORRUPT);
        kl_buf_deinit(&frame);
    }
}

static void refused_with(size_t at, uint8_t value)
{
    uint8_t bytes[sizeof from_tool];
    memcpy(bytes, from_tool, sizeof bytes);
    bytes[at] = value;
    kl_codec_refuse(KL_CODEC_LZ4, bytes, sizeof bytes, MIB, KL_CODEC_CORRUPT);
}

static void checksums_and_magic(void **state)
{
    (void)state;
    refused_with(0, 0x05);
    refused_with(3, 0x19);
    refused_with(6, 0x2b);  /* the content size, which only the header's checksum guards */
    refused_with(14, 0x93); /* that checksum */
    refused_with(20, 'H');  /* a literal in the block */
    refused_with(44, 0xd3); /* the block's checksum */
    /* The magic number of a skippable frame: Kafka's reader knows none. */
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'};
    kl_codec_refuse(KL_CODEC_LZ4, skippable, sizeof skippable, MIB, KL_CODEC_CORRUPT);

    uint8_t bytes[sizeof from_tool];
    memcpy(bytes, from_tool, sizeof bytes);
    bytes[sizeof bytes - 1] ^= 0xff; /* the content's checksum, which is not verified */
    kl_codec_expect(KL_CODEC_LZ4, bytes, sizeof bytes, plain, PLAIN_LEN);
}

/* A block's two sizes against the frame's maximum, for each of the four. */
static void blocks_up_to_the_maximum(void **state)
{
    (void)state;
    uint8_t *data = calloc(4 * MIB + 1, 1);
    assert_non_null(data);
    for (unsigned class = 4; class <= 7; class ++) {
        const size_t max = (size_t)1 << (8 + 2 * class);
        for (size_t over = 0; over <= 1; over++) {
            kl_buf frame;
            kl_buf_init(&frame, &kl_mem_libc);
            put_header(&frame, 0x60, (uint8_t)(class << 4));
            put_block(&frame, 0x60, STORED, data, max + over);
            put_end(&frame, 0x60);
            if (over)
                kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, 16 * MIB, KL_CODEC_CORRUPT);
            else
                kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, data, max);
            kl_buf_reset(&frame);

            /* One literal, a long match, five literals. */
            kl_buf block;
            kl_buf_init(&block, &kl_mem_libc);
            size_t more = max + over - 1 - 5 - 4 - 15;
            assert_true(kl_buf_append(&block, "\x1f\0\x01\0", 4));
            for (size_t i = 0; i < more / 255; i++)
                assert_true(kl_buf_append_byte(&block, 0xff));
            assert_true(kl_buf_append_byte(&block, (uint8_t)(more % 255)));
            assert_true(kl_buf_append(&block, "\x50\0\0\0\0\0", 6));
            put_header(&frame, 0x60, (uint8_t)(class << 4));
            put_block(&frame, 0x60, 0, block.data, block.len);
            put_end(&frame, 0x60);
            if (over) {
                kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, 16 * MIB, KL_CODEC_CORRUPT);
            } else {
                kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, data, max);
                kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, max - 1, KL_CODEC_TOO_LARGE);
                kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, 0, KL_CODEC_TOO_LARGE);
            }
            kl_buf_deinit(&block);
            kl_buf_deinit(&frame);
        }
    }
    free(data);
}

/* A length field of 2 GiB is no reason to allocate anything. */
static void a_forged_block_size_costs_nothing(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf frame;
    kl_buf_init(&frame, &kl_mem_libc);
    put_header(&frame, 0x68, 0x70);
    const size_t head = frame.len;
    for (uint32_t size = 0x7fffffff; size > 0; size /= 2) {
        kl_buf_truncate(&frame, head);
        put_le32(&frame, size);
        assert_true(kl_buf_append(&frame, "\x1f\0\x01\0\xff\xff\xff\xff", 8));
        kl_decompressor *d;
        kl_buf out;
        kl_buf_init(&out, &alloc);
        kloop_slice in = {frame.data, frame.len};
        assert_int_equal(kl_decompressor_new(&d, KL_CODEC_LZ4, &alloc), KL_CODEC_OK);
        assert_int_not_equal(kl_decompress(d, &in, 1, SIZE_MAX, &out, NULL), KL_CODEC_OK);
        assert_true(f.peak_bytes < 2000);
        kl_decompressor_del(d);
        kl_buf_deinit(&out);
    }
    kl_buf_deinit(&frame);
    kl_fail_alloc_check(&f);
}

static void broken_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } blocks[] = {
        {"\x10", 1}, /* a literal is missing */
        {"\xf0", 1}, /* the rest of a length is missing */
        {"\xf0\xff", 2},
        {"\x10x\x01", 3},                     /* half an offset */
        {"\x10x\x02\x00\x50yyyyy", 10},       /* from before the start */
        {"\x1fx\x01\x00", 4},                 /* the rest of a match's length is missing */
        {"\x10x\x01\x00", 4},                 /* ends with a match */
        {"\x1fx\x01\x00\xff\xff\xff\xff", 8}, /* the same, and a long one */
        {"\x10xy", 3},                        /* something behind the last literals */
    };
    for (size_t i = 0; i < COUNT(blocks); i++) {
        kl_buf frame;
        kl_buf_init(&frame, &kl_mem_libc);
        put_header(&frame, 0x60, 0x40);
        put_block(&frame, 0x60, 0, (const uint8_t *)blocks[i].bytes, blocks[i].len);
        put_end(&frame, 0x60);
        kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, MIB, KL_CODEC_CORRUPT);
        kl_buf_deinit(&frame);
    }
}

/*
 * Ends that liblz4 takes only with some room to spare: they are taken at the limit too, as Kafka's
 * reader takes them, who always has the room of a whole block.
 */
static void unusual_ends_at_the_limit(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *content;
    } blocks[] = {
        {"\x04", 1, ""}, /* no literals, and a match that never comes */
        /* Four literals behind a match; the format asks for five. */
        {"\x1fx\x01\x00\x00\x40yyyy", 10, "xxxxxxxxxxxxxxxxxxxxyyyy"},
        {"\x80"
         "abcdefgh",
         9, "abcdefgh"},
    };
    for (size_t i = 0; i < COUNT(blocks); i++) {
        kl_buf frame;
        kl_buf_init(&frame, &kl_mem_libc);
        put_header(&frame, 0x60, 0x40);
        put_block(&frame, 0x60, 0, (const uint8_t *)blocks[i].bytes, blocks[i].len);
        put_end(&frame, 0x60);
        size_t len = strlen(blocks[i].content);
        kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, blocks[i].content, len);
        for (size_t less = 1; less <= len; less++)
            kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, len - less, KL_CODEC_TOO_LARGE);
        kl_buf_deinit(&frame);
    }
}

/*
 * What liblz4 makes of a match at offset 0, Kafka's consumers read as well: zeroes. The second one
 * is long, the third overlaps the place where liblz4 looks at every byte for itself.
 */
static void a_match_at_offset_0_is_zeroes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        size_t zeroes;
    } blocks[] = {
        {"\x10"
         "a\0\0\xc0"
         "0123456789ab",
         17, 4},
        {"\x1f"
         "a\0\0\xff\x64\xc0"
         "0123456789ab",
         19, 4 + 15 + 255 + 100},
        {"\x1e"
         "a\0\0\xc0"
         "0123456789ab",
         17, 18},
    };
    for (size_t i = 0; i < COUNT(blocks); i++) {
        uint8_t content[1 + 400 + 12] = {'a'};
        const size_t len = 1 + blocks[i].zeroes + 12;
        memcpy(content + 1 + blocks[i].zeroes, "0123456789ab", 12);
        kl_buf frame;
        kl_buf_init(&frame, &kl_mem_libc);
        put_header(&frame, 0x60, 0x40);
        put_block(&frame, 0x60, 0, (const uint8_t *)blocks[i].bytes, blocks[i].len);
        put_end(&frame, 0x60);
        kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, content, len);
        kl_codec_refuse(KL_CODEC_LZ4, frame.data, frame.len, len - 1, KL_CODEC_TOO_LARGE);
        kl_buf_deinit(&frame);
    }
}

/*
 * A stored block, a plain one, and one with an unusual end: for every limit the buffer has no more
 * than that, neither in the end nor on the way.
 */
static void the_buffer_stays_within_the_limit(void **state)
{
    (void)state;
    kl_buf frame;
    kl_buf_init(&frame, &kl_mem_libc);
    put_header(&frame, 0x60, 0x70);
    put_block(&frame, 0x60, STORED, (const uint8_t *)plain, PLAIN_LEN);
    put_block(&frame, 0x60, 0, BLOCK, BLOCK_LEN);
    put_block(&frame, 0x60, 0, (const uint8_t *)"\x1fx\x01\x00\x00\x40yyyy", 10);
    put_end(&frame, 0x60);
    const size_t whole = 2 * PLAIN_LEN + 24;
    for (size_t limit = 0; limit <= whole + 100; limit++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_buf out;
        kl_buf_init(&out, &alloc);
        kl_codec_status status =
            kl_codec_unpack(KL_CODEC_LZ4, frame.data, frame.len, limit, &out, NULL);
        assert_int_equal(status, limit < whole ? KL_CODEC_TOO_LARGE : KL_CODEC_OK);
        assert_int_equal(out.len, limit < whole ? 0 : whole);
        assert_true(f.peak_bytes <= limit);
        kl_buf_deinit(&out);
        kl_fail_alloc_check(&f);
    }
    kl_buf_deinit(&frame);
}

/* The place of a fault is the start of its block. */
static void a_fault_names_its_block(void **state)
{
    (void)state;
    kl_buf frame;
    kl_buf out;
    size_t fault_at = 0;
    kl_buf_init(&frame, &kl_mem_libc);
    kl_buf_init(&out, &kl_mem_libc);
    put_header(&frame, 0x70, 0x40);
    put_block(&frame, 0x70, 0, BLOCK, BLOCK_LEN);
    size_t second = frame.len;
    put_block(&frame, 0x70, 0, BLOCK, BLOCK_LEN);
    put_end(&frame, 0x70);
    frame.data[second + 10] ^= 1;
    assert_int_equal(kl_codec_unpack(KL_CODEC_LZ4, frame.data, frame.len, MIB, &out, &fault_at),
                     KL_CODEC_CORRUPT);
    assert_int_equal(fault_at, second);
    kl_buf_deinit(&frame);
    kl_buf_deinit(&out);
}

static void ends(void **state)
{
    (void)state;
    kl_buf frame;
    kl_buf_init(&frame, &kl_mem_libc);
    /* A stored block of no bytes ends a frame too. */
    put_header(&frame, 0x60, 0x40);
    put_block(&frame, 0x60, 0, BLOCK, BLOCK_LEN);
    put_le32(&frame, STORED);
    kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, plain, PLAIN_LEN);
    /* A block that unfolds to nothing does not. */
    kl_buf_reset(&frame);
    put_header(&frame, 0x60, 0x40);
    put_block(&frame, 0x60, 0, (const uint8_t *)"", 1);
    put_block(&frame, 0x60, 0, BLOCK, BLOCK_LEN);
    put_end(&frame, 0x60);
    kl_codec_expect(KL_CODEC_LZ4, frame.data, frame.len, plain, PLAIN_LEN);
    /* One frame is all: Kafka would not see the second. */
    size_t one = frame.len;
    assert_true(kl_buf_append(&frame, from_java, sizeof from_java));
    kl_buf out;
    size_t fault_at = 0;
    kl_buf_init(&out, &kl_mem_libc);
    assert_int_equal(kl_codec_unpack(KL_CODEC_LZ4, frame.data, frame.len, MIB, &out, &fault_at),
                     KL_CODEC_CORRUPT);
    assert_int_equal(fault_at, one);
    kl_buf_deinit(&out);
    kl_buf_deinit(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_others_write),
        cmocka_unit_test(writes_what_java_writes),
        cmocka_unit_test(an_empty_stream_is_header_and_end),
        cmocka_unit_test(noise_is_stored_in_blocks),
        cmocka_unit_test(levels_mean_what_they_mean_in_java),
        cmocka_unit_test(flags),
        cmocka_unit_test(block_descriptors),
        cmocka_unit_test(checksums_and_magic),
        cmocka_unit_test(blocks_up_to_the_maximum),
        cmocka_unit_test(a_forged_block_size_costs_nothing),
        cmocka_unit_test(broken_blocks),
        cmocka_unit_test(unusual_ends_at_the_limit),
        cmocka_unit_test(a_match_at_offset_0_is_zeroes),
        cmocka_unit_test(the_buffer_stays_within_the_limit),
        cmocka_unit_test(a_fault_names_its_block),
        cmocka_unit_test(ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
