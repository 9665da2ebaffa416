/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One record: every shape against a plain twin, in one segment and across every cut, back from
 * bytes, and each way in which bytes are no record.
 */
#include "base/mem.h"
#include "protocol/record.h"
#include "tests/support/expect_fault.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB 1048576

/* ---- The twin: fields one after the other into a large room ---- */

static uint8_t *plain_varint(uint8_t *p, int64_t v)
{
    uint64_t rest = v < 0 ? 2 * (uint64_t)(-(v + 1)) + 1 : 2 * (uint64_t)v;
    while (rest > 127) {
        *p++ = (uint8_t)(rest % 128 + 128);
        rest /= 128;
    }
    *p++ = (uint8_t)rest;
    return p;
}

static uint8_t *plain_slice(uint8_t *p, kloop_slice s)
{
    if (!s.data)
        return plain_varint(p, -1);
    p = plain_varint(p, (int64_t)s.len);
    for (size_t i = 0; i < s.len; i++)
        *p++ = s.data[i];
    return p;
}

static size_t plain_record(uint8_t *to, const kl_record *r, int64_t timestamp, int32_t offset)
{
    static uint8_t body[2 * MIB];
    uint8_t *p = body;
    *p++ = (uint8_t)r->attributes;
    p = plain_varint(p, timestamp);
    p = plain_varint(p, offset);
    p = plain_slice(p, r->key);
    p = plain_slice(p, r->value);
    p = plain_varint(p, r->header_count);
    for (uint32_t i = 0; i < r->header_count; i++) {
        p = plain_slice(
            p, (kloop_slice){(const uint8_t *)r->headers[i].key.data, r->headers[i].key.len});
        p = plain_slice(p, r->headers[i].value);
    }
    size_t len = (size_t)(p - body);
    p = plain_varint(to, (int64_t)len);
    memcpy(p, body, len);
    return (size_t)(p - to) + len;
}

/* ---- Records of many shapes ---- */

static uint8_t content[MIB + 16];

static const kloop_record_header some_headers[] = {
    {{"h", 1}, {NULL, 0}},
    {{"", 0}, {(const uint8_t *)"", 0}},
    {{"k\xc3\xa9y", 4}, {(const uint8_t *)"0123456789", 10}},
    {{"a-long-header-key-of-more-than-sixty-three-bytes-to-need-two-for-its-length", 74},
     {(const uint8_t *)content, 70}},
};

static const int64_t timestamps[] = {0,    1,    -1,    63,      64,        -64,       -65,
                                     8191, 8192, -8193, 1 << 20, INT32_MAX, INT64_MAX, INT64_MIN};
static const int32_t offsets[] = {0,       1,       63,        64, 8191,  8192,
                                  1048575, 1048576, INT32_MAX, -1, -8193, INT32_MIN};
static const int32_t lengths[] = {-1,  0,   1,   56,   57,   58,   63,   64,
                                  127, 128, 500, 8170, 8185, 8191, 8192, 70000};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static kloop_slice slice_of(int32_t len, size_t from)
{
    /* The length of a null must not matter. */
    return len < 0 ? (kloop_slice){NULL, 77} : (kloop_slice){content + from, (size_t)len};
}

typedef void (*shape_fn)(const kl_record *r, int64_t timestamp, int32_t offset);

static void for_each_shape(shape_fn fn)
{
    for (size_t i = 0; i < COUNT(content); i++)
        content[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t t = 0; t < COUNT(timestamps); t++)
        for (size_t o = 0; o < COUNT(offsets); o++)
            fn(&(kl_record){.value = slice_of(100, 3)}, timestamps[t], offsets[o]);
    for (size_t k = 0; k < COUNT(lengths); k++)
        for (size_t v = 0; v < COUNT(lengths); v++)
            fn(&(kl_record){.key = slice_of(lengths[k], 1), .value = slice_of(lengths[v], 5)}, 5,
               9);
    for (uint32_t h = 1; h <= COUNT(some_headers); h++)
        for (size_t v = 0; v < COUNT(lengths); v++)
            fn(&(kl_record){.value = slice_of(lengths[v], 5),
                            .headers = some_headers,
                            .header_count = h},
               0, 0);
    fn(&(kl_record){.key = slice_of(3, 1), .attributes = -128}, 0, 0);
    fn(&(kl_record){.key = slice_of(3, 1),
                    .value = slice_of(MIB, 2),
                    .headers = some_headers,
                    .header_count = 3,
                    .attributes = 7},
       -1, 1000000);
}

/* ---- Helpers ---- */

static kl_pool pool;

static int pool_up(void **unused)
{
    (void)unused;
    kl_pool_init(&pool, &kl_mem_libc, SIZE_MAX);
    return 0;
}

static int pool_down(void **unused)
{
    (void)unused;
    kl_pool_deinit(&pool);
    return 0;
}

static uint8_t *flat(const kl_chain *chain)
{
    uint8_t *bytes = malloc(kl_chain_len(chain) + 1);
    assert_non_null(bytes);
    kl_chain_copy(chain, bytes);
    return bytes;
}

/* A chain whose last segment, a small one, has just that much room. */
static void chain_with_room(kl_chain *chain, size_t room)
{
    kl_chain_init(chain, &pool);
    assert_true(kl_chain_grow(chain, 400));
    while (kl_chain_room(chain) > room)
        assert_true(kl_chain_append(chain, "#", 1));
}

static void expect_record(const kl_chain *chain, size_t before, const kl_record *r,
                          int64_t timestamp, int32_t offset)
{
    static uint8_t expected[2 * MIB];
    size_t size = plain_record(expected, r, timestamp, offset);
    assert_int_equal(kl_chain_len(chain), before + size);
    uint8_t *got = flat(chain);
    for (size_t i = 0; i < before; i++)
        assert_int_equal(got[i], '#');
    assert_memory_equal(got + before, expected, size);
    free(got);
}

/* ---- Encoding ---- */

static bool append(kl_chain *chain, const kl_record *r, int64_t timestamp, int32_t offset)
{
    return kl_record_append_within(chain, r, timestamp, offset, SIZE_MAX) == KL_RECORD_APPENDED;
}

static void golden_records(void **unused)
{
    (void)unused;
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    assert_true(append(
        &chain, &(kl_record){.key = {(const uint8_t *)"k", 1}, .value = {(const uint8_t *)"v", 1}},
        0, 0));
    assert_true(append(&chain,
                       &(kl_record){.value = {(const uint8_t *)"hello", 5},
                                    .headers = some_headers,
                                    .header_count = 1},
                       5, 1));
    uint8_t *bytes = flat(&chain);
    kl_expect_bytes(bytes, kl_chain_len(&chain),
                    "10 00 00 00 02 6b 02 76 00"
                    "1c 00 0a 02 01 0a 68656c6c6f 02 02 68 01");
    free(bytes);
    kl_chain_clear(&chain);
}

static void one_shape(const kl_record *r, int64_t timestamp, int32_t offset)
{
    static uint8_t expected[2 * MIB];
    size_t size = plain_record(expected, r, timestamp, offset);
    assert_int_equal(kl_record_size(r, timestamp, offset), size);

    kl_chain chain;
    kl_chain_init(&chain, &pool);
    assert_true(append(&chain, r, timestamp, offset));
    expect_record(&chain, 0, r, timestamp, offset);
    kl_chain_clear(&chain);

    /* Into a segment where it fits, the short way and the long way. */
    for (int way = 0; way < 2; way++) {
        assert_true(kl_chain_grow(&chain, 65000));
        kl_record_appended appended =
            way ? kl_record_append_any(&chain, r, timestamp, offset, size)
                : kl_record_append_within(&chain, r, timestamp, offset, size);
        assert_int_equal(appended, KL_RECORD_APPENDED);
        expect_record(&chain, 0, r, timestamp, offset);
        /* One byte less is not enough, and nothing changes. */
        uint8_t *pos = chain.pos;
        appended = way ? kl_record_append_any(&chain, r, timestamp, offset, size - 1)
                       : kl_record_append_within(&chain, r, timestamp, offset, size - 1);
        assert_int_equal(appended, KL_RECORD_TOO_LARGE);
        assert_ptr_equal(chain.pos, pos);
        assert_int_equal(kl_chain_len(&chain), size);
        kl_chain_clear(&chain);
    }
}

static void all_shapes_are_the_twins(void **unused)
{
    (void)unused;
    for_each_shape(one_shape);
}

static void every_cut_between_two_segments(void **unused)
{
    (void)unused;
    static const kl_record records[] = {
        {.value = {content, 100}},
        {.key = {content, 8}, .value = {content + 9, 64}},
        {.key = {content, 0}, .value = {NULL, 0}},
        {.value = {content, 3}, .headers = some_headers, .header_count = 4},
        {.value = {content, 140}, .headers = some_headers, .header_count = 1},
    };
    for (size_t i = 0; i < COUNT(records); i++) {
        size_t size = kl_record_size(&records[i], 1000, 70);
        for (size_t room = 0; room <= size + 3; room++) {
            kl_chain chain;
            chain_with_room(&chain, room);
            size_t before = kl_chain_len(&chain);
            assert_true(append(&chain, &records[i], 1000, 70));
            expect_record(&chain, before, &records[i], 1000, 70);
            assert_int_equal(kl_chain_slice_count(&chain), room < size && room > 0 ? 2
                                                           : room == 0             ? 2
                                                                                   : 1);
            kl_chain_clear(&chain);
        }
    }
}

static void a_new_segment_is_chosen_for_the_whole_rest(void **unused)
{
    (void)unused;
    kl_chain chain;
    chain_with_room(&chain, 3);
    assert_true(append(&chain, &(kl_record){.value = {content, 40000}}, 0, 0));
    assert_int_equal(kl_chain_slice_count(&chain), 2);
    assert_int_equal(kl_segment_size(chain.last), kl_grade_size(KL_GRADE_LARGE));
    kl_chain_clear(&chain);
}

static void too_large_for_kafka(void **unused)
{
    (void)unused;
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    /* The size is judged before a byte is read. */
    kl_record r = {.key = {content, 100}, .value = {content, (size_t)INT32_MAX}};
    assert_int_equal(kl_record_append_within(&chain, &r, 0, 0, SIZE_MAX), KL_RECORD_TOO_LARGE);
    r.value.len = (size_t)INT32_MAX * 3;
    assert_int_equal(kl_record_append_within(&chain, &r, 0, 0, SIZE_MAX), KL_RECORD_TOO_LARGE);
    assert_false(append(&chain, &r, 0, 0));
    r.value.len = 0;
    assert_true(append(&chain, &r, 0, 0));
    kl_chain_clear(&chain);
}

/* Views of the same bytes whose lengths add up to 0 in a size_t. Nothing may be read or written. */
static void sums_of_lengths_do_not_wrap_around(void **unused)
{
    (void)unused;
    const size_t half = SIZE_MAX / 2 + 1;
    const size_t quarter = SIZE_MAX / 4 + 1;
    const kloop_slice same = {content, quarter};
    const kloop_record_header values[] = {
        {{"a", 1}, same}, {{"b", 1}, same}, {{"c", 1}, same}, {{"d", 1}, same}};
    const kloop_record_header keys[] = {{{"k", half}, {NULL, 0}}, {{"k", half}, {NULL, 0}}};
    const kl_record records[] = {
        {.headers = values, .header_count = 4},
        {.headers = keys, .header_count = 2},
        {.key = {content, half}, .value = {content, half}},
        {.key = {content, half}, .value = {content, 3}},
        {.key = {content, SIZE_MAX}, .value = {content, SIZE_MAX}},
        {.key = same, .value = same, .headers = values, .header_count = 2},
    };
    for (size_t i = 0; i < COUNT(records); i++) {
        kl_chain chain;
        kl_chain_init(&chain, &pool);
        assert_true(kl_chain_grow(&chain, 65000));
        assert_true(kl_record_body_size(&records[i], 0, 0) > INT32_MAX);
        assert_true(kl_record_size(&records[i], 0, 0) > INT32_MAX);
        assert_int_equal(kl_record_append_within(&chain, &records[i], 0, 0, SIZE_MAX),
                         KL_RECORD_TOO_LARGE);
        assert_int_equal(kl_record_append_any(&chain, &records[i], 0, 0, SIZE_MAX),
                         KL_RECORD_TOO_LARGE);
        assert_int_equal(kl_chain_len(&chain), 0);
        kl_chain_clear(&chain);
    }
}

/* So many that even the 64 bits of the sum would not do. */
static void nor_do_those_of_many_headers(void **unused)
{
    (void)unused;
    enum { MANY = 65536 };
    kloop_record_header *headers = calloc(MANY, sizeof(*headers));
    assert_non_null(headers);
    for (size_t i = 0; i < MANY; i++)
        headers[i] = (kloop_record_header){{"k", 1}, {content, SIZE_MAX}};
    kl_record r = {.headers = headers, .header_count = MANY};
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    assert_true(kl_record_size(&r, 0, 0) > INT32_MAX);
    assert_int_equal(kl_record_append_within(&chain, &r, 0, 0, SIZE_MAX), KL_RECORD_TOO_LARGE);
    kl_chain_clear(&chain);
    free(headers);
}

static void without_memory_nothing_changes(void **unused)
{
    (void)unused;
    const kloop_record_header long_headers[] = {{{"k", 1}, {content, 70000}},
                                                {{"k", 1}, {content, 70000}}};
    kl_record big = {.key = {content, 300},
                     .value = {content, 200000},
                     .headers = long_headers,
                     .header_count = 2};
    for (size_t held = 0; held < 600; held += 100) {
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, 0);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kl_pool small;
            kl_pool_init(&small, &alloc, 0);
            kl_chain chain;
            kl_chain_init(&chain, &small);
            for (size_t i = 0; i < held; i++)
                assert_true(kl_chain_append(&chain, "#", 1));
            f.nth = f.calls + nth;
            kl_record_appended appended = kl_record_append_within(&chain, &big, 1, 1, SIZE_MAX);
            if (f.refused > 0) {
                assert_int_equal(appended, KL_RECORD_NO_MEMORY);
                assert_int_equal(kl_chain_len(&chain), held);
                /* And it works once there is some. */
                appended = kl_record_append_within(&chain, &big, 1, 1, SIZE_MAX);
            }
            assert_int_equal(appended, KL_RECORD_APPENDED);
            expect_record(&chain, held, &big, 1, 1);
            kl_chain_clear(&chain);
            kl_pool_deinit(&small);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
        }
    }
}

/* ---- Decoding ---- */

static kl_guard guard;

static int guard_up(void **unused)
{
    (void)unused;
    kl_guard_init(&guard, 2 * MIB);
    return 0;
}

static int guard_down(void **unused)
{
    (void)unused;
    kl_guard_deinit(&guard);
    return 0;
}

static void expect_slice(kloop_slice got, kloop_slice expected)
{
    assert_int_equal(!got.data, !expected.data);
    if (!expected.data)
        return;
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, expected.len);
}

static void back_again(const kl_record *r, int64_t timestamp, int32_t offset)
{
    static uint8_t bytes[2 * MIB];
    size_t size = plain_record(bytes, r, timestamp, offset);
    const uint8_t *p = kl_guard_copy_at_end(&guard, bytes, size);
    kl_record_view view;
    kloop_fault fault;
    assert_int_equal(kl_record_decode(p, size, &view, &fault), KLOOP_OK);
    assert_true(view.timestamp_delta == timestamp);
    assert_int_equal(view.offset_delta, offset);
    assert_int_equal(view.attributes, r->attributes);
    expect_slice(view.key, r->key);
    expect_slice(view.value, r->value);
    assert_ptr_equal(view.bytes.data, p);
    assert_int_equal(view.bytes.len, size);
    assert_int_equal(view.headers.count, r->header_count);
    kloop_record_header h;
    for (uint32_t i = 0; i < r->header_count; i++) {
        assert_true(kloop_record_headers_next(&view.headers, &h));
        assert_int_equal(h.key.len, r->headers[i].key.len);
        assert_memory_equal(h.key.data, r->headers[i].key.data, h.key.len);
        expect_slice(h.value, r->headers[i].value);
    }
    assert_false(kloop_record_headers_next(&view.headers, &h));

    /* No beginning of it is a record. Long ones are cut at their ends only. */
    for (size_t cut = 0; cut < size; cut++) {
        if (cut > 200 && cut + 200 < size)
            cut = size - 200;
        p = kl_guard_copy_at_end(&guard, bytes, cut);
        assert_int_equal(kl_record_decode(p, cut, &view, &fault), KLOOP_TRUNCATED);
        assert_int_equal(fault.at, 0);
    }
}

static void all_shapes_come_back(void **unused)
{
    (void)unused;
    for_each_shape(back_again);
}

static void refuse(const char *hex, kloop_status status, size_t at, int64_t a, int64_t b,
                   const char *path)
{
    kl_record_view view;
    kloop_fault fault;
    kloop_slice bytes = kl_hex_guarded(&guard, hex);
    assert_int_equal(kl_record_decode(bytes.data, bytes.len, &view, &fault), status);
    kl_expect_fault(&fault, status, at, a, b, path);
}

static void what_is_no_record(void **unused)
{
    (void)unused;
    /* the length */
    refuse("", KLOOP_TRUNCATED, 0, 1, 0, "length");
    refuse("80", KLOOP_TRUNCATED, 0, 2, 1, "length");
    refuse("ffffffffff 01", KLOOP_BAD_VARINT, 0, 0, 0, "length");
    refuse("01", KLOOP_BAD_LENGTH, 0, -1, 0, "length");
    refuse("10 0000", KLOOP_TRUNCATED, 0, 8, 2, "length");
    /* each field beyond the end of the record, where more bytes follow */
    refuse("00 000000", KLOOP_TRUNCATED, 1, 1, 0, "attributes");
    refuse("02 00 000000", KLOOP_TRUNCATED, 2, 1, 0, "timestampDelta");
    refuse("04 00 80 0000", KLOOP_TRUNCATED, 2, 2, 1, "timestampDelta");
    refuse("04 00 00 000000", KLOOP_TRUNCATED, 3, 1, 0, "offsetDelta");
    refuse("06 00 00 00 010100", KLOOP_TRUNCATED, 4, 1, 0, "key");
    refuse("08 00 00 00 01 0100", KLOOP_TRUNCATED, 5, 1, 0, "value");
    refuse("0a 00 00 00 01 01 00", KLOOP_TRUNCATED, 6, 1, 0, "headers");
    /* numbers */
    refuse("1a 00 ffffffffffffffffffff 00 00", KLOOP_BAD_VARINT, 2, 0, 0, "timestampDelta");
    refuse("14 00 00 8080808080 01 01 00", KLOOP_BAD_VARINT, 3, 0, 0, "offsetDelta");
    /* lengths */
    refuse("0c 00 00 00 06 61 62", KLOOP_TRUNCATED, 5, 3, 2, "key");
    refuse("0c 00 00 00 01 06 61 6262", KLOOP_TRUNCATED, 6, 3, 1, "value");
    refuse("12 00 00 00 feffffff0f 00", KLOOP_TRUNCATED, 9, INT32_MAX, 1, "key");
    /* headers */
    refuse("0c 00 00 00 01 01 01", KLOOP_BAD_COUNT, 6, -1, 0, "headers");
    refuse("0e 00 00 00 01 01 04 00", KLOOP_BAD_COUNT, 6, 2, 1, "headers");
    refuse("12 00 00 00 01 01 02 01 6100", KLOOP_BAD_NULL, 7, -1, 0, "headers[0].key");
    refuse("12 00 00 00 01 01 02 03 6100", KLOOP_BAD_LENGTH, 7, -2, 0, "headers[0].key");
    refuse("10 00 00 00 01 01 02 06 61", KLOOP_TRUNCATED, 8, 3, 1, "headers[0].key");
    refuse("10 00 00 00 01 01 02 02 61", KLOOP_TRUNCATED, 9, 1, 0, "headers[0].value");
    refuse("12 00 00 00 01 01 02 02 61 04", KLOOP_TRUNCATED, 10, 2, 0, "headers[0].value");
    refuse("16 00 00 00 01 01 04 00 01 04 61c3", KLOOP_TRUNCATED, 12, 1, 0, "headers[1].value");
    refuse("18 00 00 00 01 01 04 00 01 04 61c3 01", KLOOP_BAD_UTF8, 11, 0, 0, "headers[1].key");
    /* bytes that belong to no field */
    refuse("0e 00 00 00 01 01 00 00", KLOOP_BAD_RECORD, 7, 7, 6, "");
}

static void what_kafka_takes(void **unused)
{
    (void)unused;
    kl_record_view view;
    kloop_fault fault;
    /* Any negative length of a key or value is null; numbers may be longer than needed, and have
     * bits that are dropped. */
    kloop_slice bytes = kl_hex_guarded(
        &guard, "ba00 ff ffffffffffffffffff7f 828080807f 03 ff01 8280808010 8200 61 8100");
    assert_int_equal(kl_record_decode(bytes.data, bytes.len, &view, &fault), KLOOP_OK);
    assert_int_equal(view.attributes, -1);
    assert_true(view.timestamp_delta == INT64_MIN);
    assert_int_equal(view.offset_delta, 0x78000001);
    assert_null(view.key.data);
    assert_null(view.value.data);
    assert_int_equal(view.headers.count, 1);
}

static void headers_of_every_making(void **unused)
{
    (void)unused;
    kloop_record_header h;
    kloop_record_headers rest = kloop_record_headers_of(some_headers, 2);
    assert_true(kloop_record_headers_next(&rest, &h));
    assert_string_equal(h.key.data, "h");
    assert_true(kloop_record_headers_next(&rest, &h));
    assert_false(kloop_record_headers_next(&rest, &h));
    rest = kloop_record_headers_of(NULL, 0);
    assert_false(kloop_record_headers_next(&rest, &h));
    /* Made by others, of bytes that are none: the list ends. */
    rest = kloop_record_headers_of(NULL, 3);
    assert_false(kloop_record_headers_next(&rest, &h));
    assert_int_equal(rest.count, 0);
    rest = (kloop_record_headers){.count = 3, .bytes = kl_hex_guarded(&guard, "02 61 01 02")};
    assert_true(kloop_record_headers_next(&rest, &h));
    assert_false(kloop_record_headers_next(&rest, &h));
    rest = (kloop_record_headers){.count = -5, .bytes = kl_hex_guarded(&guard, "02 61 01 02")};
    assert_false(kloop_record_headers_next(&rest, &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(golden_records, pool_up, pool_down),
        cmocka_unit_test_setup_teardown(all_shapes_are_the_twins, pool_up, pool_down),
        cmocka_unit_test_setup_teardown(every_cut_between_two_segments, pool_up, pool_down),
        cmocka_unit_test_setup_teardown(a_new_segment_is_chosen_for_the_whole_rest, pool_up,
                                        pool_down),
        cmocka_unit_test_setup_teardown(too_large_for_kafka, pool_up, pool_down),
        cmocka_unit_test_setup_teardown(sums_of_lengths_do_not_wrap_around, pool_up, pool_down),
        cmocka_unit_test_setup_teardown(nor_do_those_of_many_headers, pool_up, pool_down),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test_setup_teardown(all_shapes_come_back, guard_up, guard_down),
        cmocka_unit_test_setup_teardown(what_is_no_record, guard_up, guard_down),
        cmocka_unit_test_setup_teardown(what_kafka_takes, guard_up, guard_down),
        cmocka_unit_test_setup_teardown(headers_of_every_making, guard_up, guard_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
