/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gzip: the header that is written, members in a row, optional header fields, and what the trailer
 * guards.
 */
#include "tests/support/codec_trip.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <zlib.h>

static const char plain[] = "hello hello hello hello kafka kafka kafka\n";
#define PLAIN_LEN (sizeof plain - 1)

/* Made by Kafka 4.3.1's GzipCompression at its default level. */
static const uint8_t from_java[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                    0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0xc0,
                                    0x20, 0xb3, 0x13, 0xd3, 0xb2, 0x13, 0x91, 0x49, 0x2e,
                                    0x00, 0x33, 0xae, 0x1d, 0x08, 0x2a, 0x00, 0x00, 0x00};
#define TRAILER 8

static void reads_what_java_writes(void **state)
{
    (void)state;
    kl_codec_expect(KL_CODEC_GZIP, from_java, sizeof from_java, plain, PLAIN_LEN);
}

static void writes_one_plain_member(void **state)
{
    (void)state;
    kl_buf packed;
    kl_buf_init(&packed, &kl_mem_libc);
    kl_codec_pack(KL_CODEC_GZIP, KL_CODEC_LEVEL_DEFAULT, plain, PLAIN_LEN, &packed);
    assert_memory_equal(packed.data, from_java, 10);
    assert_memory_equal(packed.data + packed.len - TRAILER, from_java + sizeof from_java - TRAILER,
                        TRAILER);
    kl_buf_deinit(&packed);
}

/* However large a step is: zlib sees portions of one size, and what comes out is as short. */
static void small_portions_cost_no_bytes(void **state)
{
    (void)state;
    static uint8_t data[150000];
    static uint8_t room[2 * sizeof data];
    for (int kind = 0; kind < KL_SAMPLE_COUNT; kind++) {
        kl_sample_fill((kl_sample)kind, 3, data, sizeof data);
        for (int level = 1; level <= 7; level++) {
            kl_buf packed;
            kl_buf_init(&packed, &kl_mem_libc);
            kl_codec_pack(KL_CODEC_GZIP, level, data, sizeof data, &packed);
            z_stream z = {0};
            assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                             Z_OK);
            z.next_in = data;
            z.avail_in = sizeof data;
            z.next_out = room;
            z.avail_out = sizeof room;
            assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
            assert_true(packed.len <= z.total_out + z.total_out / 200 + 16);
            deflateEnd(&z);
            kl_buf_deinit(&packed);
        }
    }
}

static void members_in_a_row(void **state)
{
    (void)state;
    kl_buf packed;
    kl_buf expected;
    kl_buf_init(&packed, &kl_mem_libc);
    kl_buf_init(&expected, &kl_mem_libc);
    for (size_t i = 0; i < 5; i++) {
        kl_codec_pack(KL_CODEC_GZIP, KL_CODEC_LEVEL_DEFAULT, plain, i == 2 ? 0 : PLAIN_LEN,
                      &packed);
        assert_true(kl_buf_append(&expected, plain, i == 2 ? 0 : PLAIN_LEN));
        kl_codec_expect(KL_CODEC_GZIP, packed.data, packed.len, expected.data, expected.len);
        kl_codec_refuse(KL_CODEC_GZIP, packed.data, packed.len - 1, MIB, KL_CODEC_TRUNCATED);
    }
    kl_codec_refuse(KL_CODEC_GZIP, packed.data, packed.len, expected.len - 1, KL_CODEC_TOO_LARGE);
    /* The start of one more member, and something that is none. */
    assert_true(kl_buf_append(&packed, from_java, 1));
    kl_codec_refuse(KL_CODEC_GZIP, packed.data, packed.len, MIB, KL_CODEC_TRUNCATED);
    assert_true(kl_buf_append_byte(&packed, 0x8c));
    kl_codec_refuse(KL_CODEC_GZIP, packed.data, packed.len, MIB, KL_CODEC_CORRUPT);
    kl_buf_deinit(&packed);
    kl_buf_deinit(&expected);
}

static void zeroes_behind_are_corrupt(void **state)
{
    (void)state;
    uint8_t bytes[sizeof from_java + 2] = {0};
    memcpy(bytes, from_java, sizeof from_java);
    kl_codec_refuse(KL_CODEC_GZIP, bytes, sizeof bytes, MIB, KL_CODEC_CORRUPT);
    kl_buf out;
    size_t fault_at = 0;
    kl_buf_init(&out, &kl_mem_libc);
    assert_int_equal(kl_codec_unpack(KL_CODEC_GZIP, bytes, sizeof bytes, MIB, &out, &fault_at),
                     KL_CODEC_CORRUPT);
    assert_int_equal(fault_at, sizeof from_java);
    kl_buf_deinit(&out);
}

static void optional_header_fields_are_passed_over(void **state)
{
    (void)state;
    /* An extra field of 3 bytes, a name, a comment. */
    static const uint8_t fields[] = {3, 0, 'x', 'y', 'z', 'n', 'a', 'm', 'e', 0, 'w', 'h', 'y', 0};
    kl_buf bytes;
    kl_buf_init(&bytes, &kl_mem_libc);
    assert_true(kl_buf_append(&bytes, from_java, 10));
    bytes.data[3] = 0x1c;
    assert_true(kl_buf_append(&bytes, fields, sizeof fields));
    assert_true(kl_buf_append(&bytes, from_java + 10, sizeof from_java - 10));
    kl_codec_expect(KL_CODEC_GZIP, bytes.data, bytes.len, plain, PLAIN_LEN);
    for (size_t n = 0; n < bytes.len; n++)
        kl_codec_refuse(KL_CODEC_GZIP, bytes.data, n, MIB, KL_CODEC_TRUNCATED);
    kl_buf_deinit(&bytes);
}

static void refused(size_t at, uint8_t value)
{
    uint8_t bytes[sizeof from_java];
    memcpy(bytes, from_java, sizeof bytes);
    bytes[at] = value;
    kl_codec_refuse(KL_CODEC_GZIP, bytes, sizeof bytes, MIB, KL_CODEC_CORRUPT);
}

static void wrong_bytes_are_corrupt(void **state)
{
    (void)state;
    refused(0, 0x1e);
    refused(1, 0x8a);
    refused(2, 7);                       /* another method than deflate */
    refused(3, 0x20);                    /* a reserved flag */
    refused(10, 0x07 | 0xc8);            /* a reserved kind of block */
    refused(sizeof from_java - 8, 0x34); /* the CRC */
    refused(sizeof from_java - 4, 0x2b); /* the length */
}

/* Raw deflate and zlib's own framing are something else. */
static void other_framings_are_corrupt(void **state)
{
    (void)state;
    static const uint8_t zlib_framed[] = {0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01};
    kl_codec_refuse(KL_CODEC_GZIP, zlib_framed, sizeof zlib_framed, MIB, KL_CODEC_CORRUPT);
    kl_codec_refuse(KL_CODEC_GZIP, from_java + 10, sizeof from_java - 18, MIB, KL_CODEC_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_java_writes),
        cmocka_unit_test(writes_one_plain_member),
        cmocka_unit_test(small_portions_cost_no_bytes),
        cmocka_unit_test(members_in_a_row),
        cmocka_unit_test(zeroes_behind_are_corrupt),
        cmocka_unit_test(optional_header_fields_are_passed_over),
        cmocka_unit_test(wrong_bytes_are_corrupt),
        cmocka_unit_test(other_framings_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
