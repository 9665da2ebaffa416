/* SPDX-License-Identifier: BSD-2-Clause */
/* The default of each kind of field: what it is set to, and what counts as being at it. */
#include "protocol/walk_parts.h"
#include "tests/support/expect_fault.h"
#include "tests/support/one_field.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Sets the default into memory that held something else, and finds it to be the default. */
static void set(const kl_field *f, void *value, size_t size)
{
    memset(value, 0xa5, size);
    kl_walk_set_default(f, value);
    assert_true(kl_walk_is_default(f, value));
}

#define SET(f, value) set((f), (value), sizeof *(value))

static void numbers(void **state)
{
    (void)state;
    for (int32_t fallback = -1; fallback <= 1; fallback++) {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        SET((&(kl_field){.kind = KL_INT8, .fallback = fallback}), &i8);
        SET((&(kl_field){.kind = KL_INT16, .fallback = fallback}), &i16);
        SET((&(kl_field){.kind = KL_INT32, .fallback = fallback}), &i32);
        SET((&(kl_field){.kind = KL_INT64, .fallback = fallback}), &i64);
        assert_int_equal(i8, fallback);
        assert_int_equal(i16, fallback);
        assert_int_equal(i32, fallback);
        assert_true(i64 == fallback);
        i8++, i16++, i32++, i64++;
        assert_false(kl_walk_is_default(&(kl_field){.kind = KL_INT8, .fallback = fallback}, &i8));
        assert_false(kl_walk_is_default(&(kl_field){.kind = KL_INT16, .fallback = fallback}, &i16));
        assert_false(kl_walk_is_default(&(kl_field){.kind = KL_INT32, .fallback = fallback}, &i32));
        assert_false(kl_walk_is_default(&(kl_field){.kind = KL_INT64, .fallback = fallback}, &i64));
    }
    bool truth;
    SET((&(kl_field){.kind = KL_BOOL}), &truth);
    assert_false(truth);
    assert_false(kl_walk_is_default(&(kl_field){.kind = KL_BOOL, .fallback = true}, &truth));
    SET((&(kl_field){.kind = KL_BOOL, .fallback = true}), &truth);
    assert_true(truth);
    assert_false(kl_walk_is_default(&(kl_field){.kind = KL_BOOL}, &truth));
}

static void ids(void **state)
{
    (void)state;
    const kl_field f = {.kind = KL_UUID};
    kloop_uuid id;
    SET(&f, &id);
    for (int i = 0; i < 16; i++)
        assert_int_equal(id.bytes[i], 0);
    id.bytes[15] = 1;
    assert_false(kl_walk_is_default(&f, &id));
}

static void text_and_bytes(void **state)
{
    (void)state;
    static const kl_kind kinds[] = {KL_STRING, KL_BYTES};
    for (int k = 0; k < 2; k++) {
        const kl_field never_null = {.kind = kinds[k]};
        const kl_field nullable = {.kind = kinds[k], .nullable = true};
        const kl_field null = {.kind = kinds[k], .nullable = true, .null_default = true};
        /* Both structs are a pointer and a length. */
        kloop_string empty, none = {NULL, 0}, some = {"x", 1};
        SET(&never_null, &empty);
        assert_non_null(empty.data);
        assert_int_equal(empty.len, 0);
        assert_false(kl_walk_is_default(&never_null, &some));
        /* Where there is no null, a struct that was never filled in is as good as empty. */
        assert_true(kl_walk_is_default(&never_null, &none));

        SET(&nullable, &empty);
        assert_non_null(empty.data);
        assert_false(kl_walk_is_default(&nullable, &none));
        assert_false(kl_walk_is_default(&nullable, &some));

        kloop_string found;
        SET(&null, &found);
        assert_null(found.data);
        assert_false(kl_walk_is_default(&null, &empty));
        assert_false(kl_walk_is_default(&null, &some));
    }
}

static void records(void **state)
{
    (void)state;
    const kl_field f = {.kind = KL_RECORDS, .nullable = true};
    kloop_slice piece = {(const uint8_t *)"x", 1};
    kloop_records r;
    SET(&f, &r);
    assert_null(r.head.data);
    assert_null(r.body);
    r.body = &piece;
    r.body_count = 1;
    assert_false(kl_walk_is_default(&f, &r));
    r = (kloop_records){.head = {(const uint8_t *)"", 0}};
    assert_false(kl_walk_is_default(&f, &r));
}

static void lists(void **state)
{
    (void)state;
    const kl_field empty = {.kind = KL_ARRAY, .type = &kl_int32_element, .nullable = true};
    const kl_field null = {
        .kind = KL_ARRAY, .type = &kl_int32_element, .nullable = true, .null_default = true};
    static const int32_t one[] = {1};
    kloop_array a;
    SET(&empty, &a);
    assert_int_equal(a.count, 0);
    assert_null(a.type);
    assert_false(kl_walk_is_default(&null, &a));
    SET(&null, &a);
    assert_int_equal(a.count, -1);
    assert_false(kl_walk_is_default(&empty, &a));
    a = kloop_array_of(one, 1);
    assert_false(kl_walk_is_default(&empty, &a));
    assert_false(kl_walk_is_default(&null, &a));
}

static void structs(void **state)
{
    (void)state;
    static const kl_pair ready = {-7, {"", 0}};
    kloop_message_type kept = kl_pair_type;
    kept.defaults = &ready;
    const kl_field walked = {.kind = KL_STRUCT, .type = &kl_pair_type};
    const kl_field copied = {.kind = KL_STRUCT, .type = &kept};
    for (int i = 0; i < 2; i++) {
        const kl_field *f = i == 0 ? &walked : &copied;
        kl_pair pair;
        SET(f, &pair);
        assert_int_equal(pair.number, -7);
        kl_expect_text(pair.name, "");
        pair.number = 0;
        assert_false(kl_walk_is_default(f, &pair));
        pair.number = -7;
        pair.name = kloop_text("x");
        assert_false(kl_walk_is_default(f, &pair));
    }
    /* A struct in a struct. */
    const kl_field outer = {.kind = KL_STRUCT, .type = &kl_one_struct_type};
    kl_one_struct nested;
    SET(&outer, &nested);
    nested.value.number = 1;
    assert_false(kl_walk_is_default(&outer, &nested));
}

/* Nothing is read or written by these walks, so there is no place in them either. */
static void walks_without_bytes_are_nowhere(void **state)
{
    (void)state;
    kl_walk w;
    kl_tap tap;
    kl_walk_load(&w, &tap);
    assert_int_equal(kl_walk_at(&w), 0);
    kl_walk_begin(&w, KL_PROBE);
    assert_int_equal(kl_walk_at(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(ids),
        cmocka_unit_test(text_and_bytes),
        cmocka_unit_test(records),
        cmocka_unit_test(lists),
        cmocka_unit_test(structs),
        cmocka_unit_test(walks_without_bytes_are_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
