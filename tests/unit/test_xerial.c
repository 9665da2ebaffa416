/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snappy: the stream that is written, and what its reader takes: streams in a row, raw blocks,
 * chunks made by hand.
 */
#include "codecs/snappy_raw.h"
#include "tests/support/codec_trip.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char plain[] = "hello hello hello hello kafka kafka kafka\n";
#define PLAIN_LEN (sizeof plain - 1)

/* Made by Kafka 4.3.1's SnappyCompression. */
static const uint8_t from_java[] = {0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0x00, 0x00,
                                    0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x1e,
                                    0x2a, 0x14, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x46, 0x06,
                                    0x00, 0x44, 0x6b, 0x61, 0x66, 0x6b, 0x61, 0x20, 0x6b, 0x61,
                                    0x66, 0x6b, 0x61, 0x20, 0x6b, 0x61, 0x66, 0x6b, 0x61, 0x0a};
#define HEADER     from_java
#define HEADER_LEN 16
#define BLOCK      (from_java + 20)
#define BLOCK_LEN  30

static void put_be32(kl_buf *b, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        assert_true(kl_buf_append_byte(b, (uint8_t)(v >> (24 - 8 * i))));
}

static void put_chunk(kl_buf *b, const void *block, size_t len)
{
    put_be32(b, (uint32_t)len);
    assert_true(kl_buf_append(b, block, len));
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static void reads_what_java_writes(void **state)
{
    (void)state;
    kl_codec_expect(KL_CODEC_SNAPPY, from_java, sizeof from_java, plain, PLAIN_LEN);
}

static void writes_a_header_and_chunks_of_32_kib(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 32767, 32768, 32769, 65536, 100000};
    uint8_t *data = malloc(100000);
    assert_non_null(data);
    kl_sample_fill(KL_SAMPLE_PATCHES, 3, data, 100000);
    for (size_t i = 0; i < COUNT(lens); i++) {
        kl_buf packed;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_codec_pack(KL_CODEC_SNAPPY, KL_CODEC_LEVEL_DEFAULT, data, lens[i], &packed);
        assert_true(packed.len >= HEADER_LEN);
        assert_memory_equal(packed.data, HEADER, HEADER_LEN);
        size_t at = HEADER_LEN;
        for (size_t left = lens[i]; left > 0;) {
            uint32_t announced;
            size_t preamble;
            assert_true(at + 4 < packed.len);
            size_t chunk = get_be32(packed.data + at);
            at += 4;
            assert_true(chunk > 0 && chunk <= packed.len - at);
            assert_int_equal(
                kl_snappy_uncompressed_len(packed.data + at, chunk, &announced, &preamble),
                KL_SNAPPY_OK);
            assert_int_equal(announced, left < 32768 ? left : 32768);
            at += chunk;
            left -= announced;
        }
        assert_int_equal(at, packed.len);
        kl_buf_deinit(&packed);
    }
    free(data);
}

/* What a reader gets that stops at a chunk's end is a stream too: nothing marks the end. */
static void a_stream_may_end_after_any_chunk(void **state)
{
    (void)state;
    uint8_t *data = malloc(100000);
    assert_non_null(data);
    kl_sample_fill(KL_SAMPLE_RECORDS, 3, data, 100000);
    kl_buf packed;
    kl_buf_init(&packed, &kl_mem_libc);
    kl_codec_pack(KL_CODEC_SNAPPY, KL_CODEC_LEVEL_DEFAULT, data, 100000, &packed);
    size_t at = HEADER_LEN;
    for (size_t done = 0; done < 98304; done += 32768) {
        kl_codec_expect(KL_CODEC_SNAPPY, packed.data, at, data, done);
        for (size_t n = 1; n < 30; n++)
            kl_codec_refuse(KL_CODEC_SNAPPY, packed.data, at + n, MIB, KL_CODEC_TRUNCATED);
        at += 4 + get_be32(packed.data + at);
    }
    kl_codec_refuse(KL_CODEC_SNAPPY, packed.data, packed.len - 1, MIB, KL_CODEC_TRUNCATED);
    kl_buf_deinit(&packed);
    free(data);
}

static void streams_in_a_row(void **state)
{
    (void)state;
    kl_buf row;
    kl_buf expected;
    kl_buf_init(&row, &kl_mem_libc);
    kl_buf_init(&expected, &kl_mem_libc);
    for (size_t i = 0; i < 4; i++) {
        assert_true(kl_buf_append(&row, from_java, sizeof from_java));
        assert_true(kl_buf_append(&row, HEADER, HEADER_LEN)); /* an empty one */
        assert_true(kl_buf_append(&expected, plain, PLAIN_LEN));
        kl_codec_expect(KL_CODEC_SNAPPY, row.data, row.len, expected.data, expected.len);
    }
    for (size_t n = 1; n < HEADER_LEN; n++)
        kl_codec_refuse(KL_CODEC_SNAPPY, row.data, row.len - n, MIB, KL_CODEC_TRUNCATED);
    row.data[sizeof from_java + 5]++; /* neither a header nor a length that could be */
    kl_codec_refuse(KL_CODEC_SNAPPY, row.data, row.len, MIB, KL_CODEC_CORRUPT);
    kl_buf_deinit(&row);
    kl_buf_deinit(&expected);
}

/* Java's reader looks at neither number. */
static void versions_do_not_matter(void **state)
{
    (void)state;
    uint8_t bytes[sizeof from_java];
    memcpy(bytes, from_java, sizeof bytes);
    for (unsigned v = 0; v < 256; v += 51) {
        bytes[8] = bytes[11] = bytes[15] = (uint8_t)v;
        kl_codec_expect(KL_CODEC_SNAPPY, bytes, sizeof bytes, plain, PLAIN_LEN);
    }
}

static void a_raw_block_is_taken(void **state)
{
    (void)state;
    kl_codec_expect(KL_CODEC_SNAPPY, BLOCK, BLOCK_LEN, plain, PLAIN_LEN);
    kl_codec_expect(KL_CODEC_SNAPPY, "\0", 1, "", 0);
    for (size_t n = 0; n < BLOCK_LEN; n++)
        kl_codec_refuse(KL_CODEC_SNAPPY, BLOCK, n, MIB, KL_CODEC_TRUNCATED);
    kl_codec_refuse(KL_CODEC_SNAPPY, BLOCK, BLOCK_LEN, PLAIN_LEN - 1, KL_CODEC_TOO_LARGE);

    /* One of a length beyond a chunk's, in one piece and in many. */
    const size_t len = 300000;
    uint8_t *data = malloc(len);
    uint8_t *block = malloc(kl_snappy_bound(len));
    uint16_t *table = calloc(KL_SNAPPY_TABLE_SIZE, sizeof *table);
    assert_non_null(data);
    assert_non_null(block);
    assert_non_null(table);
    kl_sample_fill(KL_SAMPLE_PATCHES, 5, data, len);
    size_t n = kl_snappy_compress_block(data, len, block, table);
    kl_codec_expect(KL_CODEC_SNAPPY, block, n, data, len);
    kl_decompressor *d;
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    assert_int_equal(kl_decompressor_new(&d, KL_CODEC_SNAPPY, &kl_mem_libc), KL_CODEC_OK);
    kloop_slice pieces[3] = {{block, 7}, {block + 7, n / 2}, {block + 7 + n / 2, n - 7 - n / 2}};
    assert_int_equal(kl_decompress(d, pieces, 3, len, &out, NULL), KL_CODEC_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, data, len);
    kl_decompressor_del(d);
    kl_buf_deinit(&out);
    free(data);
    free(block);
    free(table);
}

/* A header that is cut off is no raw block, though its first byte could start one. */
static void a_header_that_is_cut_off(void **state)
{
    (void)state;
    for (size_t n = 0; n < HEADER_LEN; n++)
        kl_codec_refuse(KL_CODEC_SNAPPY, from_java, n, MIB, KL_CODEC_TRUNCATED);
    /* A magic number that is wrong in its last byte makes a raw block of it, and no good one. */
    uint8_t bytes[sizeof from_java];
    memcpy(bytes, from_java, sizeof bytes);
    bytes[7] = 1;
    kl_codec_refuse(KL_CODEC_SNAPPY, bytes, sizeof bytes, MIB, KL_CODEC_CORRUPT);
}

static void chunk_lengths(void **state)
{
    (void)state;
    static const struct {
        uint32_t len;
        kl_codec_status status;
    } cases[] = {
        {0, KL_CODEC_CORRUPT},          {0xffffffff, KL_CODEC_CORRUPT},
        {0x80000000, KL_CODEC_CORRUPT}, {0x7fffffff, KL_CODEC_CORRUPT},
        {0x20000001, KL_CODEC_CORRUPT}, {0x20000000, KL_CODEC_TRUNCATED},
        {31, KL_CODEC_TRUNCATED},       {29, KL_CODEC_CORRUPT},
        {1, KL_CODEC_CORRUPT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kl_buf b;
        kl_buf_init(&b, &kl_mem_libc);
        assert_true(kl_buf_append(&b, HEADER, HEADER_LEN));
        put_be32(&b, cases[i].len);
        assert_true(kl_buf_append(&b, BLOCK, BLOCK_LEN));
        kl_codec_refuse(KL_CODEC_SNAPPY, b.data, b.len, MIB, cases[i].status);
        kl_buf_deinit(&b);
    }
}

static void broken_chunks(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } blocks[] = {
        {"\x05", 1},                     /* nothing behind the length */
        {"\x80", 1},                     /* half a length */
        {"\xff\xff\xff\xff\xff\x01", 6}, /* a length beyond 32 bits */
        {"\x05\x0c"
         "abcd",
         6}, /* one byte short */
        {"\x03\x0c"
         "abcd",
         6}, /* one byte more than announced */
        {"\x08\x0c"
         "abcd\x01\x00",
         8}, /* a copy of offset 0 */
        {"\x08\x0c"
         "abcd\x01\x05",
         8}, /* from before the start */
    };
    for (size_t i = 0; i < COUNT(blocks); i++) {
        kl_buf b;
        kl_buf_init(&b, &kl_mem_libc);
        assert_true(kl_buf_append(&b, HEADER, HEADER_LEN));
        put_chunk(&b, BLOCK, BLOCK_LEN);
        put_chunk(&b, blocks[i].bytes, blocks[i].len);
        put_chunk(&b, BLOCK, BLOCK_LEN);
        kl_codec_refuse(KL_CODEC_SNAPPY, b.data, b.len, MIB, KL_CODEC_CORRUPT);
        kl_buf_deinit(&b);
    }
}

/* The fault of a chunk is where its block says so; the chunks before it do not matter. */
static void a_fault_names_its_place(void **state)
{
    (void)state;
    kl_buf b;
    kl_buf out;
    size_t fault_at = 0;
    kl_buf_init(&b, &kl_mem_libc);
    kl_buf_init(&out, &kl_mem_libc);
    assert_true(kl_buf_append(&b, HEADER, HEADER_LEN));
    put_chunk(&b, BLOCK, BLOCK_LEN);
    put_chunk(&b,
              "\x08\x0c"
              "abcd\x01\x05",
              8);
    assert_int_equal(kl_codec_unpack(KL_CODEC_SNAPPY, b.data, b.len, MIB, &out, &fault_at),
                     KL_CODEC_CORRUPT);
    assert_int_equal(fault_at, HEADER_LEN + 4 + BLOCK_LEN + 4 + 6);
    kl_buf_deinit(&b);
    kl_buf_deinit(&out);
}

/* 4 GiB announced by a few bytes: refused before anything is allocated, raw or in a chunk. */
static void a_forged_length_costs_nothing(void **state)
{
    (void)state;
    static const char block[] = "\xff\xff\xff\xff\x0f\x0c"
                                "abcd\xfe\x01\x00\xfe\x01\x00\xfe\x01\x00";
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    assert_true(kl_buf_append(&b, HEADER, HEADER_LEN));
    put_chunk(&b, block, sizeof block - 1);
    for (size_t raw = 0; raw <= 1; raw++) {
        kloop_slice in = {b.data + (raw ? HEADER_LEN + 4 : 0), b.len - (raw ? HEADER_LEN + 4 : 0)};
        kl_decompressor *d;
        kl_buf out;
        kl_buf_init(&out, &alloc);
        assert_int_equal(kl_decompressor_new(&d, KL_CODEC_SNAPPY, &alloc), KL_CODEC_OK);
        size_t before = f.calls;
        assert_int_equal(kl_decompress(d, &in, 1, SIZE_MAX, &out, NULL), KL_CODEC_CORRUPT);
        assert_int_equal(kl_decompress(d, &in, 1, 1000, &out, NULL), KL_CODEC_CORRUPT);
        assert_int_equal(f.calls, before);
        kl_decompressor_del(d);
        kl_buf_deinit(&out);
    }
    kl_buf_deinit(&b);
    kl_fail_alloc_check(&f);
}

/* The densest block there is, copies of 64 bytes in 3 each, is no forgery. */
static void the_densest_block_is_taken(void **state)
{
    (void)state;
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    const size_t copies = 5000;
    const size_t len = 1 + 64 * copies;
    for (size_t v = len; v > 0; v >>= 7)
        assert_true(kl_buf_append_byte(&b, (uint8_t)(v >= 128 ? (v & 127) | 128 : v)));
    assert_true(kl_buf_append(&b, "\0a", 2));
    for (size_t i = 0; i < copies; i++)
        assert_true(kl_buf_append(&b, "\xfe\x01\x00", 3));
    uint8_t *data = malloc(len);
    assert_non_null(data);
    memset(data, 'a', len);
    kl_codec_expect(KL_CODEC_SNAPPY, b.data, b.len, data, len);
    kl_codec_refuse(KL_CODEC_SNAPPY, b.data, b.len, len - 1, KL_CODEC_TOO_LARGE);
    free(data);
    kl_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_java_writes),
        cmocka_unit_test(writes_a_header_and_chunks_of_32_kib),
        cmocka_unit_test(a_stream_may_end_after_any_chunk),
        cmocka_unit_test(streams_in_a_row),
        cmocka_unit_test(versions_do_not_matter),
        cmocka_unit_test(a_raw_block_is_taken),
        cmocka_unit_test(a_header_that_is_cut_off),
        cmocka_unit_test(chunk_lengths),
        cmocka_unit_test(broken_chunks),
        cmocka_unit_test(a_fault_names_its_place),
        cmocka_unit_test(a_forged_length_costs_nothing),
        cmocka_unit_test(the_densest_block_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
