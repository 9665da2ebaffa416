/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON values as what is wanted of them: every type where another one is needed, limits of numbers,
 * base64 and ids, unknown keys; with the reason and the place in the text.
 */
#include "tests/support/expect_fault.h"
#include "tests/support/json_reading.h"
#include "wiretools/json_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One value of each type, in the order of kl_json_type, and what a reason calls it. */
static const char every_type[] =
    "[null, true, 5, 99999999999999999999, 1.5, \"AAAA\", [1], {\"a\":1}]";
static const char *const type_names[] = {
    "null",     "a bool",   "an integer", "a number out of range", "a fractional number",
    "a string", "an array", "an object"};

enum { TYPE_COUNT = sizeof type_names / sizeof type_names[0] };

static kl_json *value_of_type(kl_json *list, int type)
{
    kl_json *value = kl_json_first(list);
    for (int i = 0; i < type; i++)
        value = kl_json_next(value);
    return value;
}

static kl_load_error error;

static void expect_error(const char *reason, size_t offset)
{
    assert_string_equal(error.reason, reason);
    assert_int_equal(error.offset, offset);
}

/* What is asked of a value. */
typedef enum wish { INTEGER, BOOL, TEXT, BYTES, ID, ARRAY, OBJECT, WISH_COUNT } wish;

static bool grant(wish which, const kl_json *value, const char *name, kl_arena *arena)
{
    int64_t number;
    bool truth;
    kloop_string text;
    kloop_slice bytes;
    kloop_uuid id;
    switch (which) {
    case INTEGER:
        return kl_json_value_integer(value, name, INT64_MIN, INT64_MAX, &number, &error);
    case BOOL:
        return kl_json_value_bool(value, name, &truth, &error);
    case TEXT:
        return kl_json_value_text(value, name, &text, &error);
    case BYTES:
        return kl_json_value_bytes(value, name, arena, &bytes, &error);
    case ID:
        return kl_json_value_uuid(value, name, &id, &error);
    case ARRAY:
        return kl_json_value_array(value, name, &error);
    default:
        return kl_json_value_object(value, name, &error);
    }
}

static void every_type_where_another_is_needed(void **state)
{
    static const char *const needed[] = {"an integer",
                                         "true or false",
                                         "a string",
                                         "a base64 string",
                                         "an id of 22 base64url characters",
                                         "an array",
                                         "an object"};
    /* The types that are good for each wish; a string is no id of itself, an integer may be huge.
     */
    static const unsigned good[] = {
        1u << KL_JSON_INTEGER, 1u << KL_JSON_BOOL,   1u << KL_JSON_STRING, 1u << KL_JSON_STRING, 0,
        1u << KL_JSON_ARRAY,   1u << KL_JSON_OBJECT,
    };
    kl_json_reading *x = *state;
    kl_json *list = kl_json_reading_ok(x, every_type);
    kl_arena arena;
    kl_arena_init(&arena, &kl_mem_libc);
    for (wish which = INTEGER; which < WISH_COUNT; which++) {
        for (int type = 0; type < TYPE_COUNT; type++) {
            kl_json *value = value_of_type(list, type);
            assert_int_equal(kl_json_type_of(value), type);
            for (int named = 0; named <= 1; named++) {
                char wanted[200];
                bool ok = grant(which, value, named ? "port" : NULL, &arena);
                assert_int_equal(ok, (good[which] >> type) & 1);
                if (ok || (which == ID && type == KL_JSON_STRING) ||
                    (which == INTEGER && type == KL_JSON_HUGE))
                    continue;
                snprintf(wanted, sizeof wanted, "%s%s where %s is needed", named ? "port: " : "",
                         type_names[type], needed[which]);
                expect_error(wanted, kl_json_offset(value));
            }
        }
    }
    kl_arena_deinit(&arena);
}

static void integers_within_their_limits(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        const char *reason; /* NULL: taken */
        int64_t number;
    } cases[] = {
        {"127", INT8_MIN, INT8_MAX, NULL, 127},
        {"-128", INT8_MIN, INT8_MAX, NULL, -128},
        {"128", INT8_MIN, INT8_MAX, "out of range, -128 to 127 are allowed", 0},
        {"-129", INT8_MIN, INT8_MAX, "out of range, -128 to 127 are allowed", 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, NULL, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, NULL, INT64_MIN},
        {"9223372036854775808", INT64_MIN, INT64_MAX,
         "out of range, -9223372036854775808 to 9223372036854775807 are allowed", 0},
        {"-9223372036854775809", INT64_MIN, INT64_MAX,
         "out of range, -9223372036854775808 to 9223372036854775807 are allowed", 0},
        {"-0", INT8_MIN, INT8_MAX, NULL, 0},
        {"0", 0, 0, NULL, 0},
        {"1", 2, 2, "out of range, 2 to 2 are allowed", 0},
        {"1.0", INT8_MIN, INT8_MAX, "a fractional number where an integer is needed", 0},
        {"1e2", INT8_MIN, INT8_MAX, "a fractional number where an integer is needed", 0},
        {"\"1\"", INT8_MIN, INT8_MAX, "a string where an integer is needed", 0},
    };
    kl_json_reading *x = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t number = 77;
        kl_json *value = kl_json_reading_ok(x, cases[i].text);
        bool ok = kl_json_value_integer(value, NULL, cases[i].min, cases[i].max, &number, &error);
        assert_int_equal(ok, cases[i].reason == NULL);
        if (ok)
            assert_true(number == cases[i].number);
        else
            expect_error(cases[i].reason, 0);
    }
}

static void bools_and_text(void **state)
{
    kl_json_reading *x = *state;
    bool truth = false;
    assert_true(kl_json_value_bool(kl_json_reading_ok(x, "true"), "b", &truth, &error));
    assert_true(truth);
    assert_true(kl_json_value_bool(kl_json_reading_ok(x, "false"), "b", &truth, &error));
    assert_false(truth);
    kloop_string text;
    assert_true(kl_json_value_text(kl_json_reading_ok(x, "\"a\\u00e4\\n\""), "t", &text, &error));
    kl_expect_text(text, "a\xc3\xa4\n");
    assert_true(kl_json_value_text(kl_json_reading_ok(x, "\"\""), "t", &text, &error));
    kl_expect_text(text, "");
}

static void bytes_from_base64(void **state)
{
    static const struct {
        const char *text, *hex, *reason;
    } cases[] = {
        {"\"\"", "", NULL},
        {"\"AA==\"", "00", NULL},
        {"\"//8=\"", "ffff", NULL},
        {"\"+\\/+A\"", "fbff80", NULL},
        {"\"AAA\"", NULL, "bytes: base64 that is no multiple of 4 characters"},
        {"\"A A=\"", NULL, "bytes: not a base64 character"},
        {"\"AA-_\"", NULL, "bytes: not a base64 character"},
        {"\"AB==\"", NULL, "bytes: loose bits at the end of base64"},
        {"\"AAAA====\"", NULL, "bytes: not a base64 character"},
    };
    kl_json_reading *x = *state;
    kl_arena arena;
    kl_arena_init(&arena, &kl_mem_libc);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_slice bytes = {NULL, 77};
        kl_json *value = kl_json_reading_ok(x, cases[i].text);
        bool ok = kl_json_value_bytes(value, "bytes", &arena, &bytes, &error);
        if (cases[i].reason) {
            assert_false(ok);
            expect_error(cases[i].reason, 0);
        } else {
            assert_true(ok);
            assert_non_null(bytes.data);
            kl_expect_bytes(bytes.data, bytes.len, cases[i].hex);
        }
    }
    kl_arena_deinit(&arena);

    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 1);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena_init(&arena, &alloc);
    kloop_slice bytes;
    assert_false(
        kl_json_value_bytes(kl_json_reading_ok(x, " \"AA==\""), "bytes", &arena, &bytes, &error));
    expect_error("bytes: no memory", 1);
    kl_arena_deinit(&arena);
    kl_fail_alloc_check(&f);
}

static void ids_from_base64url(void **state)
{
    kl_json_reading *x = *state;
    kloop_uuid id;
    assert_true(kl_json_value_uuid(kl_json_reading_ok(x, "\"_____________________w\""), "topicId",
                                   &id, &error));
    kl_expect_bytes(id.bytes, 16, "ffffffffffffffffffffffffffffffff");
    assert_true(kl_json_value_uuid(kl_json_reading_ok(x, "\"AQIDBAUGBwgJCgsMDQ4PEA\""), "topicId",
                                   &id, &error));
    kl_expect_bytes(id.bytes, 16, "0102030405060708090a0b0c0d0e0f10");
    static const char *const bad[] = {
        "\"\"",
        "\"AAAAAAAAAAAAAAAAAAAAA\"",
        "\"AAAAAAAAAAAAAAAAAAAAAAA\"",
        "\"AAAAAAAAAAAAAAAAAAAAAA==\"",
        "\"////////////////////_w\"",
        "\"AAAAAAAAAAAAAAAAAAAAAB\"", /* loose bits */
        "\"00000000-0000-0000-0000-000000000000\"",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&error, 0, sizeof error);
        assert_false(kl_json_value_uuid(kl_json_reading_ok(x, bad[i]), "topicId", &id, &error));
        assert_memory_equal(error.reason, "topicId: ", 9);
        assert_true(strlen(error.reason) > 9);
        assert_int_equal(error.offset, 0);
    }
}

/* A text of more than 2^31 elements does not fit here: a node that says it has them must do. */
static void lists_have_at_most_as_many_elements_as_kafka_counts(void **state)
{
    (void)state;
    kl_json list = {.head = 9 << 8 | KL_JSON_ARRAY, .count = INT32_MAX};
    assert_true(kl_json_value_array(&list, "topics", &error));
    list.count++;
    assert_false(kl_json_value_array(&list, "topics", &error));
    expect_error("topics: too many elements", 9);
}

static void keys_that_nobody_took(void **state)
{
    kl_json_reading *x = *state;
    kl_json *hint = NULL;
    kl_json *object = kl_json_reading_ok(x, "{\"a\":1, \"b\":{\"c\":2}, \"d\":3}");
    assert_non_null(kl_json_take(object, "a", &hint));
    assert_false(kl_json_value_no_unknown_key(object, "Owner", &error));
    expect_error("Owner has no field 'b'", 8);
    kl_json_take(object, "d", &hint);
    assert_false(kl_json_value_no_unknown_key(object, "Owner", &error));
    expect_error("Owner has no field 'b'", 8);
    /* Keys inside a value are another object's. */
    kl_json_take(object, "b", &hint);
    assert_true(kl_json_value_no_unknown_key(object, "Owner", &error));
    assert_true(kl_json_value_no_unknown_key(kl_json_reading_ok(x, "{}"), "Owner", &error));
}

static void reasons_are_one_short_line(void **state)
{
    kl_json_reading *x = *state;
    kl_json *object = kl_json_reading_ok(x, "{\"a\\nb\\u0000\\u007f\\u001b[2J\":1}");
    assert_false(kl_json_value_no_unknown_key(object, "Owner", &error));
    expect_error("Owner has no field 'a?b???[2J'", 1);
    char text[1000] = "{\"";
    for (int i = 0; i < 300; i++)
        strcat(text, "\xc3\xa4");
    strcat(text, "\":1}");
    assert_false(kl_json_value_no_unknown_key(kl_json_reading_ok(x, text), "Owner", &error));
    char wanted[200] = "Owner has no field '";
    for (int i = 0; i < 30; i++)
        strcat(wanted, "\xc3\xa4");
    strcat(wanted, "...'");
    expect_error(wanted, 1);
    /* A reason that is longer than its room is cut and ends. */
    char name[400];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_false(kl_json_value_refuse(kl_json_reading_ok(x, "1"), name, "why", &error));
    assert_int_equal(strlen(error.reason), sizeof error.reason - 1);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, kl_json_reading_set_up, kl_json_reading_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_type_where_another_is_needed),
        TEST(integers_within_their_limits),
        TEST(bools_and_text),
        TEST(bytes_from_base64),
        TEST(ids_from_base64url),
        TEST(lists_have_at_most_as_many_elements_as_kafka_counts),
        TEST(keys_that_nobody_took),
        TEST(reasons_are_one_short_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
