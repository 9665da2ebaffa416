/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding hand-made bytes, field by field: every way in which they can be wrong, with the exact
 * place, numbers and path of the fault; and that what could not be read is at its default.
 *
 * Each case is decoded twice, on the inline paths and on those that a tool takes, from bytes that
 * end at a closed page.
 */
#include "protocol/walk.h"
#include "tests/support/expect_fault.h"
#include "tests/support/one_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_guard guard;

static int open_guard(void **state)
{
    (void)state;
    kl_guard_init(&guard, 70000);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    kl_guard_deinit(&guard);
    return 0;
}

/* ---- A tap that looks at nothing: with it the walk leaves its inline paths ---- */

static void no_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                     const uint8_t *from)
{
    (void)tap, (void)w, (void)field, (void)kind, (void)value, (void)from;
}

static bool any_array(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                      const uint8_t *from)
{
    (void)tap, (void)w, (void)field, (void)array, (void)from;
    return true;
}

static bool any_struct(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    (void)tap, (void)w, (void)field, (void)index;
    return true;
}

static void no_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)tap, (void)w, (void)field;
}

static kl_tap blind = {no_value, any_array, no_end, any_struct, no_end};

typedef enum path { INLINE_PATH, TOOL_PATH, PATH_COUNT } path;

static kloop_status decode(const kloop_message_type *type, int version, kloop_slice bytes,
                           path which, void *message, kl_walk *w)
{
    if (which == INLINE_PATH)
        kl_walk_decode(w, bytes.data, bytes.len);
    else
        kl_walk_decode_shown(w, bytes.data, bytes.len, &blind);
    memset(message, 0xa5, type->size);
    return kl_walk_message(w, type, (int16_t)version, message);
}

/* ---- One field that is wrong ---- */

typedef struct bad_case {
    const kloop_message_type *type;
    int version;
    const char *hex;
    kloop_status status;
    size_t at;
    int64_t a;
    int64_t b;
    const char *path; /* NULL: "value" */
} bad_case;

static void expect_bad(const bad_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const bad_case *c = &cases[i];
        kloop_slice bytes = kl_hex_guarded(&guard, c->hex);
        for (path which = 0; which < PATH_COUNT; which++) {
            kl_one message, defaults;
            kl_walk w;
            if (decode(c->type, c->version, bytes, which, &message, &w) == KLOOP_OK)
                fail_msg("%s v%d '%s' was taken", c->type->name, c->version, c->hex);
            if (w.fault.status != c->status || w.fault.at != c->at)
                print_error("%s v%d '%s':\n", c->type->name, c->version, c->hex);
            kl_expect_fault(&w.fault, c->status, c->at, c->a, c->b, c->path ? c->path : "value");
            memset(&defaults, 0xa5, sizeof defaults);
            kl_walk_reset(c->type, &defaults);
            assert_memory_equal(&message, &defaults, c->type->size);
        }
    }
}

#define EXPECT_BAD(cases) expect_bad(cases, sizeof(cases) / sizeof(cases)[0])

static void bytes_that_end_too_early(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_bool_type, 0, "", KLOOP_TRUNCATED, 0, 1, 0, NULL},
        {&kl_one_int8_type, 0, "", KLOOP_TRUNCATED, 0, 1, 0, NULL},
        {&kl_one_int16_type, 0, "", KLOOP_TRUNCATED, 0, 2, 0, NULL},
        {&kl_one_int16_type, 0, "01", KLOOP_TRUNCATED, 0, 2, 1, NULL},
        {&kl_one_int32_type, 0, "01 02 03", KLOOP_TRUNCATED, 0, 4, 3, NULL},
        {&kl_one_int64_type, 0, "01 02 03 04 05 06 07", KLOOP_TRUNCATED, 0, 8, 7, NULL},
        {&kl_one_uuid_type, 0, "0102030405060708 090a0b0c0d0e0f", KLOOP_TRUNCATED, 0, 16, 15, NULL},
        /* lengths */
        {&kl_one_string_type, 0, "", KLOOP_TRUNCATED, 0, 2, 0, NULL},
        {&kl_one_string_type, 0, "00", KLOOP_TRUNCATED, 0, 2, 1, NULL},
        {&kl_one_string_type, 2, "", KLOOP_TRUNCATED, 0, 1, 0, NULL},
        {&kl_one_string_type, 2, "80", KLOOP_TRUNCATED, 0, 2, 1, NULL},
        {&kl_one_string_type, 2, "80 80 80 80", KLOOP_TRUNCATED, 0, 5, 4, NULL},
        {&kl_one_bytes_type, 0, "00 00 00", KLOOP_TRUNCATED, 0, 4, 3, NULL},
        {&kl_one_bytes_type, 2, "ff", KLOOP_TRUNCATED, 0, 2, 1, NULL},
        {&kl_one_records_type, 0, "", KLOOP_TRUNCATED, 0, 4, 0, NULL},
        {&kl_one_records_type, 2, "", KLOOP_TRUNCATED, 0, 1, 0, NULL},
        /* counts */
        {&kl_one_numbers_type, 0, "00 00 00", KLOOP_TRUNCATED, 0, 4, 3, NULL},
        {&kl_one_numbers_type, 2, "", KLOOP_TRUNCATED, 0, 1, 0, NULL},
        {&kl_one_pairs_type, 2, "81", KLOOP_TRUNCATED, 0, 2, 1, NULL},
        /* what a length announces */
        {&kl_one_string_type, 0, "0003 6162", KLOOP_TRUNCATED, 2, 3, 2, NULL},
        {&kl_one_string_type, 2, "04 6162", KLOOP_TRUNCATED, 1, 3, 2, NULL},
        {&kl_one_nullable_string_type, 2, "02", KLOOP_TRUNCATED, 1, 1, 0, NULL},
        {&kl_one_bytes_type, 0, "00000001", KLOOP_TRUNCATED, 4, 1, 0, NULL},
        {&kl_one_bytes_type, 0, "7fffffff 00", KLOOP_TRUNCATED, 4, INT32_MAX, 1, NULL},
        {&kl_one_bytes_type, 2, "8080808008 00", KLOOP_TRUNCATED, 5, INT32_MAX, 1, NULL},
        {&kl_one_records_type, 0, "00000005 01020304", KLOOP_TRUNCATED, 4, 5, 4, NULL},
        {&kl_one_records_type, 2, "06 01020304", KLOOP_TRUNCATED, 1, 5, 4, NULL},
        /* elements */
        {&kl_one_names_type, 0, "00000002 0001 61 00", KLOOP_TRUNCATED, 7, 2, 1, "value[1]"},
        {&kl_one_names_type, 0, "00000002 0001 61 0002 62", KLOOP_TRUNCATED, 9, 2, 1, "value[1]"},
        {&kl_one_names_type, 2, "02 04 6161", KLOOP_TRUNCATED, 2, 3, 2, "value[0]"},
        {&kl_one_pairs_type, 0, "00000001 000000", KLOOP_TRUNCATED, 4, 4, 3, "value[0].number"},
        {&kl_one_pairs_type, 0, "00000002 00000001 0000 00000002", KLOOP_TRUNCATED, 14, 2, 0,
         "value[1].name"},
        {&kl_one_pairs_type, 2, "02 00000001 01", KLOOP_TRUNCATED, 6, 1, 0, "value[0]"},
        {&kl_one_struct_type, 0, "00000001 0001", KLOOP_TRUNCATED, 6, 1, 0, "value.name"},
    };
    /* The last case but all others leaves a struct that is partly read: seen below. */
    expect_bad(cases, sizeof cases / sizeof cases[0] - 1);

    const bad_case *last = &cases[sizeof cases / sizeof cases[0] - 1];
    kloop_slice bytes = kl_hex_guarded(&guard, last->hex);
    for (path which = 0; which < PATH_COUNT; which++) {
        kl_one_struct message;
        kl_walk w;
        decode(last->type, 0, bytes, which, &message, &w);
        kl_expect_fault(&w.fault, last->status, last->at, last->a, last->b, last->path);
        assert_int_equal(message.value.number, 1);
        kl_expect_text(message.value.name, "");
    }
}

static void tags_that_are_missing(void **state)
{
    (void)state;
    /* The fault is the whole message's: there is no field to name, and the field was read. */
    kloop_slice bytes = kl_hex_guarded(&guard, "0102");
    for (path which = 0; which < PATH_COUNT; which++) {
        kl_one_int16 message;
        kl_walk w;
        decode(&kl_one_int16_type, 2, bytes, which, &message, &w);
        kl_expect_fault(&w.fault, KLOOP_TRUNCATED, 2, 1, 0, "");
        assert_int_equal(message.value, 0x0102);
    }
}

static void lengths_that_are_none(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_string_type, 0, "fffe 6162", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        {&kl_one_string_type, 0, "8000 6162", KLOOP_BAD_LENGTH, 0, INT16_MIN, 0, NULL},
        {&kl_one_nullable_string_type, 1, "fffe 6162", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        {&kl_one_bytes_type, 0, "fffffffe", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        {&kl_one_bytes_type, 0, "80000000", KLOOP_BAD_LENGTH, 0, INT32_MIN, 0, NULL},
        {&kl_one_nullable_bytes_type, 1, "fffffffe", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        {&kl_one_records_type, 0, "80000000", KLOOP_BAD_LENGTH, 0, INT32_MIN, 0, NULL},
        {&kl_one_nullable_records_type, 1, "fffffffe", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        {&kl_one_numbers_type, 0, "fffffffe 00000000", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        {&kl_one_numbers_type, 0, "80000000 00000000", KLOOP_BAD_LENGTH, 0, INT32_MIN, 0, NULL},
        {&kl_one_nullable_pairs_type, 1, "fffffffe", KLOOP_BAD_LENGTH, 0, -2, 0, NULL},
        /* Compact ones have no sign; what Kafka would read as negative is too large a number. */
        {&kl_one_bytes_type, 2, "8180808008", KLOOP_BAD_LENGTH, 0, INT64_C(0x80000000), 0, NULL},
        {&kl_one_bytes_type, 2, "ffffffff0f", KLOOP_BAD_LENGTH, 0, INT64_C(0xfffffffe), 0, NULL},
        {&kl_one_numbers_type, 2, "ffffffff0f 00", KLOOP_BAD_LENGTH, 0, INT64_C(0xfffffffe), 0,
         NULL},
        {&kl_one_string_type, 2, "ffffffff0f", KLOOP_BAD_LENGTH, 0, INT64_C(0xfffffffe), 0, NULL},
        /* In a list each has its own place. */
        {&kl_one_names_type, 0, "00000002 0001 61 fffe", KLOOP_BAD_LENGTH, 7, -2, 0, "value[1]"},
    };
    EXPECT_BAD(cases);
}

static void counts_beyond_the_bytes(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_numbers_type, 0, "00000002 00000001 000000", KLOOP_BAD_COUNT, 0, 2, 7, NULL},
        {&kl_one_numbers_type, 0, "7fffffff 00000001", KLOOP_BAD_COUNT, 0, INT32_MAX, 4, NULL},
        {&kl_one_numbers_type, 0, "40000000", KLOOP_BAD_COUNT, 0, 0x40000000, 0, NULL},
        {&kl_one_numbers_type, 0, "40000001 00000001", KLOOP_BAD_COUNT, 0, 0x40000001, 4, NULL},
        {&kl_one_numbers_type, 2, "03 00000001 000000", KLOOP_BAD_COUNT, 0, 2, 7, NULL},
        {&kl_one_numbers_type, 2, "7f 00000001", KLOOP_BAD_COUNT, 0, 126, 4, NULL},
        {&kl_one_numbers_type, 2, "8001 00000001", KLOOP_BAD_COUNT, 0, 127, 4, NULL},
        {&kl_one_numbers_type, 2, "8080808008 00000001", KLOOP_BAD_COUNT, 0, INT32_MAX, 4, NULL},
        {&kl_one_names_type, 0, "00000003 0000", KLOOP_BAD_COUNT, 0, 3, 2, NULL},
        {&kl_one_names_type, 2, "04 0101", KLOOP_BAD_COUNT, 0, 3, 2, NULL},
        {&kl_one_pairs_type, 0, "7fffffff 00", KLOOP_BAD_COUNT, 0, INT32_MAX, 1, NULL},
        {&kl_one_pairs_type, 2, "8080808008", KLOOP_BAD_COUNT, 0, INT32_MAX, 0, NULL},
    };
    EXPECT_BAD(cases);
}

static void varints_beyond_32_bits(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_string_type, 2, "8080808080 00", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_string_type, 2, "ffffffffff", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_nullable_string_type, 2, "8180808080 01", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_bytes_type, 2, "ffffffff10", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_records_type, 2, "ffffffff7f", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_numbers_type, 2, "8080808080 00", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_pairs_type, 2, "8080808080 00", KLOOP_BAD_VARINT, 0, 0, 0, NULL},
        {&kl_one_names_type, 2, "03 02 61 8080808080", KLOOP_BAD_VARINT, 3, 0, 0, "value[1]"},
    };
    EXPECT_BAD(cases);
}

static void null_where_none_is_allowed(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_string_type, 0, "ffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_string_type, 2, "00 00", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_string_type, 2, "8000 00", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_bytes_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_bytes_type, 2, "00 00", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_records_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_records_type, 2, "00 00", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_numbers_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_numbers_type, 2, "00 00", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_pairs_type, 2, "00 00", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_names_type, 0, "00000002 0000 ffff", KLOOP_BAD_NULL, 6, 0, 0, "value[1]"},
        {&kl_one_names_type, 2, "03 01 00 00", KLOOP_BAD_NULL, 2, 0, 0, "value[1]"},
        /* Nullable, but not yet. */
        {&kl_one_nullable_string_type, 0, "ffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_nullable_bytes_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_nullable_records_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_nullable_numbers_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
        {&kl_one_nullable_pairs_type, 0, "ffffffff", KLOOP_BAD_NULL, 0, 0, 0, NULL},
    };
    EXPECT_BAD(cases);
}

static void null_where_it_is_allowed(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *string, *blob;
    } cases[] = {{1, "ffff", "ffffffff"}, {2, "00 00", "00 00"}, {2, "8000 00", "8000 00"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (path which = 0; which < PATH_COUNT; which++) {
            int version = cases[i].version;
            kl_one m;
            kl_walk w;
            kloop_slice bytes = kl_hex_guarded(&guard, cases[i].string);
            assert_int_equal(decode(&kl_one_nullable_string_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_null(m.string.value.data);
            assert_int_equal(m.string.value.len, 0);
            assert_int_equal(kl_walk_at(&w), bytes.len);
            bytes = kl_hex_guarded(&guard, cases[i].blob);
            assert_int_equal(decode(&kl_one_nullable_bytes_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_null(m.bytes.value.data);
            assert_int_equal(decode(&kl_one_nullable_records_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_null(m.records.value.head.data);
            assert_int_equal(m.records.value.body_count, 0);
            assert_int_equal(decode(&kl_one_nullable_numbers_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_int_equal(m.array.value.count, -1);
            assert_int_equal(decode(&kl_one_nullable_pairs_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_int_equal(m.array.value.count, -1);
            assert_int_equal(kl_walk_at(&w), bytes.len);
        }
    }
}

static void empty_is_not_null(void **state)
{
    (void)state;
    for (path which = 0; which < PATH_COUNT; which++) {
        for (int version = 1; version <= 2; version++) {
            kl_one m;
            kl_walk w;
            kloop_slice bytes = kl_hex_guarded(&guard, version == 1 ? "0000" : "01 00");
            assert_int_equal(decode(&kl_one_nullable_string_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            kl_expect_text(m.string.value, "");
            bytes = kl_hex_guarded(&guard, version == 1 ? "00000000" : "01 00");
            assert_int_equal(decode(&kl_one_nullable_bytes_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_non_null(m.bytes.value.data);
            assert_int_equal(m.bytes.value.len, 0);
            assert_int_equal(decode(&kl_one_nullable_records_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_non_null(m.records.value.head.data);
            assert_int_equal(decode(&kl_one_nullable_pairs_type, version, bytes, which, &m, &w),
                             KLOOP_OK);
            assert_int_equal(m.array.value.count, 0);
        }
    }
}

static void text_that_is_not_utf8(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        /* The offset is that of the first byte of the faulty sequence. */
        {&kl_one_string_type, 0, "0001 80", KLOOP_BAD_UTF8, 2, 0, 0, NULL},
        {&kl_one_string_type, 0, "0003 6162ff", KLOOP_BAD_UTF8, 4, 0, 0, NULL},
        {&kl_one_string_type, 2, "04 6162ff", KLOOP_BAD_UTF8, 3, 0, 0, NULL},
        {&kl_one_string_type, 0, "000c 6162636465666768 e282ac c3", KLOOP_BAD_UTF8, 13, 0, 0, NULL},
        {&kl_one_string_type, 2, "05 61 eda080", KLOOP_BAD_UTF8, 2, 0, 0, NULL},
        {&kl_one_string_type, 2, "04 61 c080", KLOOP_BAD_UTF8, 2, 0, 0, NULL},
        {&kl_one_string_type, 2, "06 61 f4908080", KLOOP_BAD_UTF8, 2, 0, 0, NULL},
        {&kl_one_nullable_string_type, 1, "0002 61c3", KLOOP_BAD_UTF8, 3, 0, 0, NULL},
        {&kl_one_names_type, 2, "03 02 61 03 62fe", KLOOP_BAD_UTF8, 5, 0, 0, "value[1]"},
        {&kl_one_pairs_type, 0, "00000001 00000001 0002 61ff", KLOOP_BAD_UTF8, 11, 0, 0,
         "value[0].name"},
    };
    EXPECT_BAD(cases);
}

static void bools_that_are_neither(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_bool_type, 0, "02", KLOOP_BAD_BOOL, 0, 2, 0, NULL},
        {&kl_one_bool_type, 2, "ff 00", KLOOP_BAD_BOOL, 0, 255, 0, NULL},
    };
    EXPECT_BAD(cases);
    for (path which = 0; which < PATH_COUNT; which++) {
        kl_one_bool m;
        kl_walk w;
        decode(&kl_one_bool_type, 0, kl_hex_guarded(&guard, "01"), which, &m, &w);
        assert_true(m.value);
        decode(&kl_one_bool_type, 0, kl_hex_guarded(&guard, "00"), which, &m, &w);
        assert_false(m.value);
        assert_int_equal(w.fault.status, KLOOP_OK);
    }
}

/* ---- The limit of strings ---- */

static void strings_may_take_32767_bytes(void **state)
{
    (void)state;
    static char text[40000];
    memset(text, 'x', sizeof text);
    static const struct {
        int version;
        const char *length;
        size_t len;
        kloop_status status;
    } cases[] = {
        {0, "7fff", 32767, KLOOP_OK},
        /* The plain form cannot even say 32,768: it is a negative length. */
        {0, "8000", 32768, KLOOP_BAD_LENGTH},
        {2, "808002", 32767, KLOOP_OK},
        {2, "818002", 32768, KLOOP_TOO_LONG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[40000];
        size_t prefix = kl_hex_bytes(cases[i].length, bytes, sizeof bytes);
        size_t len = prefix + cases[i].len;
        memcpy(bytes + prefix, text, cases[i].len);
        if (cases[i].version == 2)
            bytes[len++] = 0;
        kloop_slice all = {kl_guard_copy_at_end(&guard, bytes, len), len};
        for (path which = 0; which < PATH_COUNT; which++) {
            kl_one_string m;
            kl_walk w;
            assert_int_equal(decode(&kl_one_string_type, cases[i].version, all, which, &m, &w),
                             cases[i].status);
            if (cases[i].status == KLOOP_OK) {
                assert_int_equal(m.value.len, 32767);
                assert_ptr_equal(m.value.data, all.data + prefix);
            }
        }
        if (cases[i].status == KLOOP_TOO_LONG) {
            kl_one_string m;
            kl_walk w;
            decode(&kl_one_string_type, 2, all, INLINE_PATH, &m, &w);
            kl_expect_fault(&w.fault, KLOOP_TOO_LONG, 0, 32768, 32767, "value");
            kl_expect_text(m.value, "");
        }
    }
}

/* ---- What is right is read, whatever its form ---- */

static void values_come_out_as_they_are(void **state)
{
    (void)state;
    for (path which = 0; which < PATH_COUNT; which++) {
        kl_one m;
        kl_walk w;
        decode(&kl_one_int8_type, 0, kl_hex_guarded(&guard, "80"), which, &m, &w);
        assert_int_equal(m.int8.value, INT8_MIN);
        decode(&kl_one_int16_type, 0, kl_hex_guarded(&guard, "8001"), which, &m, &w);
        assert_int_equal(m.int16.value, INT16_MIN + 1);
        decode(&kl_one_int32_type, 0, kl_hex_guarded(&guard, "80000002"), which, &m, &w);
        assert_int_equal(m.int32.value, INT32_MIN + 2);
        decode(&kl_one_int64_type, 0, kl_hex_guarded(&guard, "8000000000000003"), which, &m, &w);
        assert_true(m.int64.value == INT64_MIN + 3);
        decode(&kl_one_int64_type, 2, kl_hex_guarded(&guard, "0102030405060708 00"), which, &m, &w);
        assert_true(m.int64.value == 0x0102030405060708);
        decode(&kl_one_uuid_type, 0, kl_hex_guarded(&guard, "000102030405060708090a0b0c0d0e0f"),
               which, &m, &w);
        kl_expect_bytes(m.uuid.value.bytes, 16, "000102030405060708090a0b0c0d0e0f");
        decode(&kl_one_string_type, 0, kl_hex_guarded(&guard, "0003 e282ac"), which, &m, &w);
        kl_expect_text(m.string.value, "\xe2\x82\xac");
        decode(&kl_one_bytes_type, 2, kl_hex_guarded(&guard, "03 ff00 00"), which, &m, &w);
        kl_expect_bytes(m.bytes.value.data, m.bytes.value.len, "ff00");
        decode(&kl_one_records_type, 0, kl_hex_guarded(&guard, "00000002 ff00"), which, &m, &w);
        kl_expect_bytes(m.records.value.head.data, m.records.value.head.len, "ff00");
        assert_null(m.records.value.body);
        assert_int_equal(w.fault.status, KLOOP_OK);
        decode(&kl_one_struct_type, 2, kl_hex_guarded(&guard, "00000005 02 61 00 00"), which, &m,
               &w);
        assert_int_equal(m.pair.value.number, 5);
        kl_expect_text(m.pair.value.name, "a");
        /* A length in more bytes than it needs is taken, as Kafka takes it. */
        decode(&kl_one_string_type, 2, kl_hex_guarded(&guard, "8280808000 61 00"), which, &m, &w);
        kl_expect_text(m.string.value, "a");
        assert_int_equal(w.fault.status, KLOOP_OK);
    }
}

static void no_bytes_at_all_need_no_address(void **state)
{
    (void)state;
    kl_one_int8 m;
    kl_walk w;
    kl_walk_decode(&w, NULL, 0);
    assert_int_equal(kl_walk_message(&w, &kl_one_int8_type, 0, &m), KLOOP_TRUNCATED);
    kl_expect_fault(&w.fault, KLOOP_TRUNCATED, 0, 1, 0, "value");
}

/* ---- Many fields ---- */

typedef struct three {
    int32_t first;
    kloop_string second;
    int32_t third;
} three;

static void walk_three(kl_walk *w, void *message)
{
    three *m = message;
    INT32(first, "first");
    STRING(second, "second");
    INT32(third, "third", .fallback = 33);
    NO_TAGS();
}

static const kloop_message_type three_type = {
    .size = sizeof(three), .flexible_since = 2, .walk = walk_three, .kind = KL_STRUCT};

static void only_the_first_fault_counts_and_the_rest_is_at_default(void **state)
{
    (void)state;
    kloop_slice bytes = kl_hex_guarded(&guard, "00000001 fffe 00000002");
    for (path which = 0; which < PATH_COUNT; which++) {
        three m;
        kl_walk w;
        decode(&three_type, 0, bytes, which, &m, &w);
        kl_expect_fault(&w.fault, KLOOP_BAD_LENGTH, 4, -2, 0, "second");
        assert_int_equal(m.first, 1);
        kl_expect_text(m.second, "");
        assert_int_equal(m.third, 33);
    }
}

/* Lists in lists: the path has room for six names, and keeps the innermost. */
#define NEST(outer, inner_type)                                                                    \
    static void walk_##outer(kl_walk *w, void *element)                                            \
    {                                                                                              \
        kl_one_array *m = element;                                                                 \
        ARRAY(value, inner_type, #outer);                                                          \
        NO_TAGS();                                                                                 \
    }                                                                                              \
    static const kloop_message_type outer##_type = {.size = sizeof(kl_one_array),                  \
                                                    .flexible_since = 2,                           \
                                                    .walk = walk_##outer,                          \
                                                    .kind = KL_STRUCT};

NEST(g, kl_int32_element)
NEST(f, g_type)
NEST(e, f_type)
NEST(d, e_type)
NEST(c, d_type)
NEST(b, c_type)
NEST(a, b_type)

static void paths_keep_their_innermost_names(void **state)
{
    (void)state;
    static const char one[] = "00000001";
    char hex[200] = "";
    for (int depth = 0; depth < 6; depth++)
        strcat(hex, one);
    strcat(hex, "00000002 00000000");
    kloop_slice bytes = kl_hex_guarded(&guard, hex);
    for (path which = 0; which < PATH_COUNT; which++) {
        kl_one_array m;
        kl_walk w;
        decode(&a_type, 0, bytes, which, &m, &w);
        kl_expect_fault(&w.fault, KLOOP_BAD_COUNT, 24, 2, 4, "b[0].c[0].d[0].e[0].f[0].g");
        /* One level less fits whole. */
        decode(&b_type, 0, (kloop_slice){bytes.data + 4, bytes.len - 4}, which, &m, &w);
        kl_expect_fault(&w.fault, KLOOP_BAD_COUNT, 20, 2, 4, "b[0].c[0].d[0].e[0].f[0].g");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_end_too_early),
        cmocka_unit_test(tags_that_are_missing),
        cmocka_unit_test(lengths_that_are_none),
        cmocka_unit_test(counts_beyond_the_bytes),
        cmocka_unit_test(varints_beyond_32_bits),
        cmocka_unit_test(null_where_none_is_allowed),
        cmocka_unit_test(null_where_it_is_allowed),
        cmocka_unit_test(empty_is_not_null),
        cmocka_unit_test(text_that_is_not_utf8),
        cmocka_unit_test(bools_that_are_neither),
        cmocka_unit_test(strings_may_take_32767_bytes),
        cmocka_unit_test(values_come_out_as_they_are),
        cmocka_unit_test(no_bytes_at_all_need_no_address),
        cmocka_unit_test(only_the_first_fault_counts_and_the_rest_is_at_default),
        cmocka_unit_test(paths_keep_their_innermost_names),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
