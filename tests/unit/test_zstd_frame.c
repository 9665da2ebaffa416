/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd: the frame that is written, and what the reader takes or refuses, in frames made by hand of
 * raw and RLE blocks.
 */
#include "tests/support/codec_trip.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char plain[] = "hello hello hello hello kafka kafka kafka\n";
#define PLAIN_LEN (sizeof plain - 1)

/* Made by Kafka 4.3.1's ZstdCompression at its default level. */
static const uint8_t from_java[] = {
    0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0xa4, 0x00, 0x00, 0x60, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20,
    0x6b, 0x61, 0x66, 0x6b, 0x61, 0x0a, 0x02, 0x00, 0x80, 0xd3, 0xf1, 0x4a, 0x11, 0x01, 0x00, 0x00};

/* Made by zstd 1.5.4: one segment with its size, and a checksum. */
static const uint8_t from_tool[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x2a, 0xa5, 0x00, 0x00,
                                    0x60, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x6b, 0x61,
                                    0x66, 0x6b, 0x61, 0x0a, 0x02, 0x00, 0x80, 0xd3, 0xf1,
                                    0x4a, 0x11, 0x42, 0x45, 0x20, 0xf7};

/* The same, of 100,000 bytes of zero. */
static const uint8_t zeroes_from_tool[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0xa0, 0x86, 0x01, 0x00,
                                           0x55, 0x00, 0x00, 0x10, 0x00, 0x00, 0x01, 0x00, 0x9b,
                                           0x86, 0x39, 0xc0, 0x02, 0xdb, 0x23, 0x4e, 0xf3};

enum { RAW = 0, RLE = 1, PACKED = 2, RESERVED = 3 };

static void put_le(kl_buf *b, uint64_t v, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_true(kl_buf_append_byte(b, (uint8_t)(v >> (8 * i))));
}

static void put_magic(kl_buf *b)
{
    put_le(b, 0xfd2fb528, 4);
}

/* A header with a window of 128 KiB and nothing else. */
static void put_header(kl_buf *b)
{
    put_magic(b);
    put_le(b, 0x3800, 2);
}

static void put_block(kl_buf *b, unsigned type, bool last, const void *data, size_t len)
{
    put_le(b, (uint64_t)(len << 3 | type << 1 | last), 3);
    assert_true(kl_buf_append(b, data, type == RLE ? 1 : len));
}

/* --- what is written --- */

static void writes_javas_header(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 100, 1000, 16384, 16385, 100000, 300000};
    uint8_t *data = malloc(300000);
    assert_non_null(data);
    kl_sample_fill(KL_SAMPLE_RECORDS, 3, data, 300000);
    for (size_t i = 0; i < COUNT(lens); i++) {
        kl_buf packed;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_codec_pack(KL_CODEC_ZSTD, 3, data, lens[i], &packed);
        assert_true(packed.len > 6);
        /* No size, no checksum, no dictionary. */
        assert_memory_equal(packed.data, "\x28\xb5\x2f\xfd\0", 5);
        /* libzstd knew the size all the same: the window is no larger than the batch asks for. */
        size_t window = (size_t)1 << (10 + (packed.data[5] >> 3));
        assert_true(window <= 1024 || window < 2 * lens[i]);
        kl_buf_deinit(&packed);
    }
    free(data);
}

/* Every 16 KiB of input come out when they are in: that keeps a step short. */
static void each_step_comes_out(void **state)
{
    (void)state;
    const size_t step = KL_CODEC_STEP_BYTES;
    const size_t len = 10 * step + 1;
    uint8_t *data = malloc(len);
    assert_non_null(data);
    kl_sample_fill(KL_SAMPLE_NOISE, 3, data, len);
    kl_pool pool;
    kl_pool_init(&pool, &kl_mem_libc, 0);
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    kl_compressor *c;
    assert_int_equal(kl_compressor_new(&c, KL_CODEC_ZSTD, 9, &kl_mem_libc), KL_CODEC_OK);
    assert_int_equal(kl_compress_begin(c, len, &chain), KL_CODEC_OK);
    for (size_t done = 0; done < len; done += step) {
        kloop_slice in = {data + done, len - done < step ? len - done : step};
        assert_int_equal(kl_compress_some(c, &in, 1), KL_CODEC_OK);
        assert_true(kl_chain_len(&chain) >= done + in.len);
    }
    assert_int_equal(kl_compress_end(c), KL_CODEC_OK);
    kl_compressor_del(c);
    kl_chain_clear(&chain);
    kl_pool_deinit(&pool);
    free(data);
}

/* --- what is read --- */

static void reads_what_others_write(void **state)
{
    (void)state;
    kl_codec_expect(KL_CODEC_ZSTD, from_java, sizeof from_java, plain, PLAIN_LEN);
    kl_codec_expect(KL_CODEC_ZSTD, from_tool, sizeof from_tool, plain, PLAIN_LEN);
    /*
     * So little input for so much output: the decoder starts over with more room, and the checksum
     * still fits.
     */
    uint8_t *zeroes = calloc(100000, 1);
    assert_non_null(zeroes);
    kl_codec_expect(KL_CODEC_ZSTD, zeroes_from_tool, sizeof zeroes_from_tool, zeroes, 100000);
    kl_codec_refuse(KL_CODEC_ZSTD, zeroes_from_tool, sizeof zeroes_from_tool, 99999,
                    KL_CODEC_TOO_LARGE);
    free(zeroes);
    for (size_t n = 0; n < sizeof from_tool; n++)
        kl_codec_refuse(KL_CODEC_ZSTD, from_tool, n, MIB, KL_CODEC_TRUNCATED);
}

static void checksums_are_verified(void **state)
{
    (void)state;
    for (size_t i = sizeof from_tool - 4; i < sizeof from_tool; i++) {
        uint8_t bytes[sizeof from_tool];
        memcpy(bytes, from_tool, sizeof bytes);
        bytes[i] ^= 1;
        kl_codec_refuse(KL_CODEC_ZSTD, bytes, sizeof bytes, MIB, KL_CODEC_CORRUPT);
    }
    uint8_t bytes[sizeof from_tool];
    memcpy(bytes, from_tool, sizeof bytes);
    bytes[10] = 'H'; /* a literal */
    kl_codec_refuse(KL_CODEC_ZSTD, bytes, sizeof bytes, MIB, KL_CODEC_CORRUPT);
}

static void frames_in_a_row(void **state)
{
    (void)state;
    kl_buf row;
    kl_buf expected;
    kl_buf_init(&row, &kl_mem_libc);
    kl_buf_init(&expected, &kl_mem_libc);
    for (size_t i = 0; i < 16; i++) {
        /* Skippable frames have sixteen magic numbers. */
        put_le(&row, 0x184d2a50 + i, 4);
        put_le(&row, i, 4);
        assert_true(kl_buf_append(&row, "((((((((((((((((", i));
        kl_codec_expect(KL_CODEC_ZSTD, row.data, row.len, expected.data, expected.len);
        for (size_t n = 1; n < 8 + i; n++)
            kl_codec_refuse(KL_CODEC_ZSTD, row.data, row.len - n, MIB, KL_CODEC_TRUNCATED);
        assert_true(kl_buf_append(&row, i % 2 ? from_java : from_tool,
                                  i % 2 ? sizeof from_java : sizeof from_tool));
        assert_true(kl_buf_append(&expected, plain, PLAIN_LEN));
        kl_codec_expect(KL_CODEC_ZSTD, row.data, row.len, expected.data, expected.len);
        kl_codec_refuse(KL_CODEC_ZSTD, row.data, row.len, expected.len - 1, KL_CODEC_TOO_LARGE);
    }
    put_le(&row, 0x184d2a60, 4);
    kl_codec_refuse(KL_CODEC_ZSTD, row.data, row.len, MIB, KL_CODEC_CORRUPT);
    kl_buf_deinit(&row);
    kl_buf_deinit(&expected);
}

/* The room for a frame follows that frame, not all that comes behind it. */
static void small_frames_take_little_memory(void **state)
{
    (void)state;
    const size_t count = 50000;
    kl_buf row;
    kl_buf out;
    kl_buf_init(&row, &kl_mem_libc);
    kl_buf_init(&out, &kl_mem_libc);
    for (size_t i = 0; i < count; i++) {
        put_header(&row);
        put_block(&row, i % 2 ? RLE : RAW, true, "x", 1);
    }
    assert_int_equal(kl_codec_unpack(KL_CODEC_ZSTD, row.data, row.len, SIZE_MAX, &out, NULL),
                     KL_CODEC_OK);
    assert_int_equal(out.len, count);
    assert_true(out.cap <= 2 * count + 512);
    kl_buf_deinit(&row);
    kl_buf_deinit(&out);
}

static void a_skippable_frame_of_4_gib_is_cut_off(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 0};
    kl_codec_refuse(KL_CODEC_ZSTD, bytes, sizeof bytes, MIB, KL_CODEC_TRUNCATED);
}

/* Every descriptor, with the fields it asks for and a content of 300 bytes. */
static void every_header(void **state)
{
    (void)state;
    static const size_t id_sizes[] = {0, 1, 2, 4};
    uint8_t data[300];
    memset(data, 'r', sizeof data);
    for (unsigned flags = 0; flags < 256; flags++) {
        if (flags & 0x04)
            continue; /* a checksum: see above */
        bool single = flags & 0x20;
        size_t size_size = flags >> 6 ? (size_t)1 << (flags >> 6) : single;
        for (int64_t off = -1; off <= 1; off++) {
            for (unsigned id = 0; id <= 1; id++) {
                kl_buf b;
                kl_buf_init(&b, &kl_mem_libc);
                put_magic(&b);
                put_le(&b, flags, 1);
                if (!single)
                    put_le(&b, 0x38, 1);
                put_le(&b, id, id_sizes[flags & 3]);
                uint64_t size = (uint64_t)(300 + off);
                put_le(&b, size_size == 2 ? size - 256 : size, size_size);
                put_block(&b, RLE, true, data, 300);
                bool reserved = flags & 0x08;
                bool dictionary = id && (flags & 3);
                bool wrong_size = size_size > 0 && (off != 0 || size_size == 1);
                if (reserved || dictionary || wrong_size)
                    kl_codec_refuse(KL_CODEC_ZSTD, b.data, b.len, 400, KL_CODEC_CORRUPT);
                else
                    kl_codec_expect(KL_CODEC_ZSTD, b.data, b.len, data, sizeof data);
                for (size_t n = 0; n < b.len && !reserved && !dictionary; n++)
                    kl_codec_refuse(KL_CODEC_ZSTD, b.data, n, 400, KL_CODEC_TRUNCATED);
                kl_buf_deinit(&b);
            }
        }
    }
}

/* Up to 128 MiB a window is taken, and none of it is allocated. */
static void windows(void **state)
{
    (void)state;
    for (unsigned window = 0; window < 256; window++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_buf b;
        kl_buf out;
        kl_decompressor *d;
        kl_buf_init(&b, &kl_mem_libc);
        kl_buf_init(&out, &alloc);
        put_magic(&b);
        put_le(&b, window << 8, 2);
        put_block(&b, RAW, true, plain, PLAIN_LEN);
        kloop_slice in = {b.data, b.len};
        assert_int_equal(kl_decompressor_new(&d, KL_CODEC_ZSTD, &alloc), KL_CODEC_OK);
        kl_codec_status status = kl_decompress(d, &in, 1, SIZE_MAX, &out, NULL);
        assert_int_equal(status, window <= 17 << 3 ? KL_CODEC_OK : KL_CODEC_CORRUPT);
        assert_true(f.peak_bytes < 320 * KIB);
        kl_decompressor_del(d);
        kl_buf_deinit(&out);
        kl_buf_deinit(&b);
        kl_fail_alloc_check(&f);
    }
}

/*
 * A header that announces 4 GiB, or all there is: refused without an allocation for it. A frame
 * that is its own window may not even announce more than 128 MiB.
 */
static void forged_sizes_cost_nothing(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        bool single;
        size_t limit;
        kl_codec_status status;
    } cases[] = {
        {UINT64_C(4) << 30, false, MIB, KL_CODEC_TOO_LARGE},
        {UINT64_C(4) << 30, true, MIB, KL_CODEC_CORRUPT},
        {UINT64_MAX, false, MIB, KL_CODEC_TOO_LARGE},
        {UINT64_C(1) << 27, true, MIB, KL_CODEC_TOO_LARGE},
        {UINT64_C(4) << 30, false, SIZE_MAX, KL_CODEC_CORRUPT},
        {UINT64_C(4) << 30, true, SIZE_MAX, KL_CODEC_CORRUPT},
        {UINT64_C(1) << 27, true, SIZE_MAX, KL_CODEC_CORRUPT},
        {MIB, true, SIZE_MAX, KL_CODEC_CORRUPT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_buf b;
        kl_buf out;
        kl_decompressor *d;
        kl_buf_init(&b, &kl_mem_libc);
        kl_buf_init(&out, &alloc);
        put_magic(&b);
        put_le(&b, cases[i].single ? 0xe0 : 0xc0, 1);
        if (!cases[i].single)
            put_le(&b, 0x38, 1);
        put_le(&b, cases[i].size, 8);
        put_block(&b, RLE, true, "x", 100);
        kloop_slice in = {b.data, b.len};
        assert_int_equal(kl_decompressor_new(&d, KL_CODEC_ZSTD, &alloc), KL_CODEC_OK);
        assert_int_equal(kl_decompress(d, &in, 1, cases[i].limit, &out, NULL), cases[i].status);
        assert_true(f.peak_bytes < 320 * KIB);
        kl_decompressor_del(d);
        kl_buf_deinit(&out);
        kl_buf_deinit(&b);
        kl_fail_alloc_check(&f);
    }
}

/* More comes out than the header says, with any room there may be. */
static void more_than_announced(void **state)
{
    (void)state;
    for (size_t announced = 0; announced < 256; announced++) {
        kl_buf b;
        kl_buf_init(&b, &kl_mem_libc);
        put_magic(&b);
        put_le(&b, 0x20, 1);
        put_le(&b, announced, 1);
        put_block(&b, RLE, true, "x", announced + 1);
        for (size_t limit = announced; limit < announced + 3; limit++)
            kl_codec_refuse(KL_CODEC_ZSTD, b.data, b.len, limit, KL_CODEC_CORRUPT);
        kl_buf_deinit(&b);
    }
}

static void broken_blocks(void **state)
{
    (void)state;
    uint8_t *data = calloc(128 * KIB + 1, 1);
    assert_non_null(data);
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    put_header(&b);
    put_block(&b, RAW, true, data, 128 * KIB);
    kl_codec_expect(KL_CODEC_ZSTD, b.data, b.len, data, 128 * KIB);
    kl_buf_reset(&b);
    put_header(&b);
    put_block(&b, RAW, true, data, 128 * KIB + 1);
    kl_codec_refuse(KL_CODEC_ZSTD, b.data, b.len, MIB, KL_CODEC_CORRUPT);
    kl_buf_reset(&b);
    put_header(&b);
    put_block(&b, RESERVED, true, data, 10);
    kl_codec_refuse(KL_CODEC_ZSTD, b.data, b.len, MIB, KL_CODEC_CORRUPT);
    kl_buf_reset(&b);
    put_header(&b);
    put_block(&b, PACKED, true, "\xff\xff\xff\xff\xff\xff", 6);
    kl_codec_refuse(KL_CODEC_ZSTD, b.data, b.len, MIB, KL_CODEC_CORRUPT);
    /* No last block. */
    kl_buf_reset(&b);
    put_header(&b);
    put_block(&b, RAW, false, plain, PLAIN_LEN);
    kl_codec_refuse(KL_CODEC_ZSTD, b.data, b.len, MIB, KL_CODEC_TRUNCATED);
    /* Empty blocks are good ones. */
    put_block(&b, RAW, false, "", 0);
    put_block(&b, RLE, false, "x", 0);
    put_block(&b, RAW, true, "", 0);
    kl_codec_expect(KL_CODEC_ZSTD, b.data, b.len, plain, PLAIN_LEN);
    kl_buf_deinit(&b);
    free(data);
}

static void a_fault_names_its_block(void **state)
{
    (void)state;
    kl_buf b;
    kl_buf out;
    size_t fault_at = 0;
    kl_buf_init(&b, &kl_mem_libc);
    kl_buf_init(&out, &kl_mem_libc);
    assert_true(kl_buf_append(&b, from_java, sizeof from_java));
    put_header(&b);
    put_block(&b, RAW, false, plain, PLAIN_LEN);
    size_t bad = b.len;
    put_block(&b, PACKED, false, "\xff\xff\xff\xff\xff\xff", 6);
    put_block(&b, RAW, true, plain, PLAIN_LEN);
    assert_int_equal(kl_codec_unpack(KL_CODEC_ZSTD, b.data, b.len, MIB, &out, &fault_at),
                     KL_CODEC_CORRUPT);
    assert_true(fault_at >= bad && fault_at <= bad + 3);
    kl_buf_deinit(&b);
    kl_buf_deinit(&out);
}

/* 125 MiB in 4 KB of RLE blocks. */
static void a_bomb_by_hand(void **state)
{
    (void)state;
    kl_buf b;
    kl_buf_init(&b, &kl_mem_libc);
    put_header(&b);
    for (size_t i = 0; i < 1000; i++)
        put_block(&b, RLE, i == 999, "x", 128 * KIB);
    for (size_t limit = 0; limit <= 10 * MIB; limit = limit * 2 + 999) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_decompressor *d;
        kl_buf out;
        kl_buf_init(&out, &alloc);
        kloop_slice in = {b.data, b.len};
        assert_int_equal(kl_decompressor_new(&d, KL_CODEC_ZSTD, &alloc), KL_CODEC_OK);
        assert_int_equal(kl_decompress(d, &in, 1, limit, &out, NULL), KL_CODEC_TOO_LARGE);
        assert_true(f.peak_bytes <= limit + 320 * KIB);
        kl_decompressor_del(d);
        kl_buf_deinit(&out);
        kl_fail_alloc_check(&f);
    }
    kl_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_javas_header),
        cmocka_unit_test(each_step_comes_out),
        cmocka_unit_test(reads_what_others_write),
        cmocka_unit_test(checksums_are_verified),
        cmocka_unit_test(frames_in_a_row),
        cmocka_unit_test(small_frames_take_little_memory),
        cmocka_unit_test(a_skippable_frame_of_4_gib_is_cut_off),
        cmocka_unit_test(every_header),
        cmocka_unit_test(windows),
        cmocka_unit_test(forged_sizes_cost_nothing),
        cmocka_unit_test(more_than_announced),
        cmocka_unit_test(broken_blocks),
        cmocka_unit_test(a_fault_names_its_block),
        cmocka_unit_test(a_bomb_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
