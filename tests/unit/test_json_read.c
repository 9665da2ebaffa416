/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON reader, corner by corner of RFC 8259: words, numbers and structure, what is refused and
 * at which byte, depth and memory. Strings and keys have tests of their own.
 */
#include "tests/support/json_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char too_early[] = "the JSON text ends too early";
static const char not_a_value[] = "not a JSON value";

/* ---- Values ---- */

static void words(void **state)
{
    kl_json_reading *x = *state;
    assert_int_equal(kl_json_type_of(kl_json_reading_ok(x, "null")), KL_JSON_NULL);
    kl_json *v = kl_json_reading_ok(x, "true");
    assert_int_equal(kl_json_type_of(v), KL_JSON_BOOL);
    assert_true(v->as.boolean);
    v = kl_json_reading_ok(x, " \t\r\nfalse \n");
    assert_int_equal(kl_json_type_of(v), KL_JSON_BOOL);
    assert_false(v->as.boolean);
    assert_int_equal(kl_json_offset(v), 4);
    kl_json_refused(x, "nul", too_early, 3);
    kl_json_refused(x, "n", too_early, 1);
    kl_json_refused(x, "fals", too_early, 4);
    kl_json_refused(x, "nulx", not_a_value, 0);
    kl_json_refused(x, "Null", not_a_value, 0);
    kl_json_refused(x, "TRUE", not_a_value, 0);
    kl_json_refused(x, "nulll", "text behind the JSON value", 4);
    kl_json_refused(x, "[truefalse]", "no ',' or ']' behind a value", 5);
    kl_json_refused(x, "NaN", not_a_value, 0);
    kl_json_refused(x, "Infinity", not_a_value, 0);
    kl_json_refused(x, "-Infinity", "a digit is missing in a number", 1);
    kl_json_refused(x, "undefined", not_a_value, 0);
}

static void integers(void **state)
{
    kl_json_reading *x = *state;
    static const struct {
        const char *text;
        int64_t value;
    } sound[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-1", -1},
        {"10", 10},
        {"2147483648", INT64_C(2147483648)},
        {"9007199254740993", INT64_C(9007199254740993)}, /* no double holds it */
        {"9223372036854775806", INT64_MAX - 1},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775807", -INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        kl_json *v = kl_json_reading_ok(x, sound[i].text);
        assert_int_equal(kl_json_type_of(v), KL_JSON_INTEGER);
        assert_true(v->as.integer == sound[i].value);
    }
    static const char *const huge[] = {
        "9223372036854775808",  "-9223372036854775809",
        "9223372036854775810",  "-9223372036854775810",
        "10000000000000000000", "18446744073709551615",
        "18446744073709551616", "18446744073709551617",
        "99999999999999999999", "123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++)
        assert_int_equal(kl_json_type_of(kl_json_reading_ok(x, huge[i])), KL_JSON_HUGE);
}

static void reals_are_checked_for_form(void **state)
{
    kl_json_reading *x = *state;
    static const char *const sound[] = {
        "1.0",     "0.0",         "-0.0",  "1e3",    "1E3",
        "1e+3",    "1e-3",        "0e0",   "1.5e10", "-0e1",
        "0.00001", "1e999999999", "12.50", "1e0003", "123456789012345678901234567890.5"};
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
        assert_int_equal(kl_json_type_of(kl_json_reading_ok(x, sound[i])), KL_JSON_REAL);
    static const char digit[] = "a digit is missing in a number";
    static const char zero[] = "a number with a leading zero";
    kl_json_refused(x, "-", too_early, 1);
    kl_json_refused(x, "1.", too_early, 2);
    kl_json_refused(x, "1e", too_early, 2);
    kl_json_refused(x, "1e+", too_early, 3);
    kl_json_refused(x, "1.e3", digit, 2);
    kl_json_refused(x, "1.x", digit, 2);
    kl_json_refused(x, "1ex", digit, 2);
    kl_json_refused(x, "1e+-3", digit, 3);
    kl_json_refused(x, "-a", digit, 1);
    kl_json_refused(x, "--1", digit, 1);
    kl_json_refused(x, "-.5", digit, 1);
    kl_json_refused(x, ".5", not_a_value, 0);
    kl_json_refused(x, "+1", not_a_value, 0);
    kl_json_refused(x, "01", zero, 0);
    kl_json_refused(x, "[00]", zero, 1);
    kl_json_refused(x, "-01", zero, 0);
    kl_json_refused(x, "-00", zero, 0);
    kl_json_refused(x, "01.5", zero, 0);
    kl_json_refused(x, "1.5.5", "text behind the JSON value", 3);
    kl_json_refused(x, "1e5e5", "text behind the JSON value", 3);
    kl_json_refused(x, "1e5.5", "text behind the JSON value", 3);
    kl_json_refused(x, "0x10", "text behind the JSON value", 1);
    kl_json_refused(x, "1a", "text behind the JSON value", 1);
    kl_json_refused(x, "1 2", "text behind the JSON value", 2);
    kl_json_refused(x, "1_000", "text behind the JSON value", 1);
}

/* ---- Structure ---- */

static void arrays(void **state)
{
    kl_json_reading *x = *state;
    kl_json *v = kl_json_reading_ok(x, "[]");
    assert_int_equal(kl_json_type_of(v), KL_JSON_ARRAY);
    assert_int_equal(v->count, 0);
    v = kl_json_reading_ok(x, " [ 1 , [ 2 , [ ] ] , { \"a\" : 3 } , 4 ] ");
    assert_int_equal(v->count, 4);
    assert_int_equal(kl_json_offset(v), 1);
    kl_json *e = kl_json_first(v);
    assert_int_equal(e->as.integer, 1);
    assert_int_equal(kl_json_offset(e), 3);
    e = kl_json_next(e);
    assert_int_equal(kl_json_type_of(e), KL_JSON_ARRAY);
    assert_int_equal(e->count, 2);
    assert_int_equal(kl_json_next(kl_json_first(e))->count, 0);
    e = kl_json_next(e);
    assert_int_equal(kl_json_type_of(e), KL_JSON_OBJECT);
    assert_int_equal(e->count, 1);
    assert_int_equal(kl_json_offset(e), 21);
    e = kl_json_next(e);
    assert_int_equal(e->as.integer, 4);
    assert_int_equal(kl_json_offset(e), 35);

    static const char behind[] = "no ',' or ']' behind a value";
    kl_json_refused(x, "[1,]", not_a_value, 3);
    kl_json_refused(x, "[,1]", not_a_value, 1);
    kl_json_refused(x, "[1,,2]", not_a_value, 3);
    kl_json_refused(x, "[1 2]", behind, 3);
    kl_json_refused(x, "[1}", behind, 2);
    kl_json_refused(x, "[1:2]", behind, 2);
    kl_json_refused(x, "[\"a\":1]", behind, 4);
    kl_json_refused(x, "[1;2]", behind, 2);
    kl_json_refused(x, "[1", too_early, 2);
    kl_json_refused(x, "[1 ", too_early, 3);
    kl_json_refused(x, "[", too_early, 1);
    kl_json_refused(x, "]", not_a_value, 0);
    kl_json_refused(x, "[]]", "text behind the JSON value", 2);
    kl_json_refused(x, "[] []", "text behind the JSON value", 3);
}

static void objects(void **state)
{
    kl_json_reading *x = *state;
    kl_json *v = kl_json_reading_ok(x, "{}");
    assert_int_equal(kl_json_type_of(v), KL_JSON_OBJECT);
    assert_int_equal(v->count, 0);
    v = kl_json_reading_ok(x, "{\"a\":[1,2],\"\":null , \"c\\n\" : {\"d\":{}}}");
    assert_int_equal(v->count, 3);
    kl_json *key = kl_json_first(v);
    kl_json_assert_text(key, "a", 1);
    assert_int_equal(kl_json_offset(key), 1);
    kl_json *value = kl_json_next(key);
    assert_int_equal(value->count, 2);
    assert_int_equal(kl_json_offset(value), 5);
    key = kl_json_next(value);
    kl_json_assert_text(key, "", 0);
    value = kl_json_next(key);
    assert_int_equal(kl_json_type_of(value), KL_JSON_NULL);
    key = kl_json_next(value);
    kl_json_assert_text(key, "c\n", 2);
    value = kl_json_next(key);
    assert_int_equal(value->count, 1);
    assert_ptr_equal(kl_json_next(value), kl_json_next(v));

    static const char key_missing[] = "no key where one must be";
    static const char colon[] = "no ':' behind a key";
    static const char behind[] = "no ',' or '}' behind a value";
    kl_json_refused(x, "{\"a\":1,}", key_missing, 7);
    kl_json_refused(x, "{,}", key_missing, 1);
    kl_json_refused(x, "{a:1}", key_missing, 1);
    kl_json_refused(x, "{'a':1}", key_missing, 1);
    kl_json_refused(x, "{1:1}", key_missing, 1);
    kl_json_refused(x, "{null:1}", key_missing, 1);
    kl_json_refused(x, "{]", key_missing, 1);
    kl_json_refused(x, "{\"a\":1,,\"b\":2}", key_missing, 7);
    kl_json_refused(x, "{\"a\"}", colon, 4);
    kl_json_refused(x, "{\"a\",1}", colon, 4);
    kl_json_refused(x, "{\"a\" 1}", colon, 5);
    kl_json_refused(x, "{\"a\"=1}", colon, 4);
    kl_json_refused(x, "{\"a\":}", not_a_value, 5);
    kl_json_refused(x, "{\"a\"::1}", not_a_value, 5);
    kl_json_refused(x, "{\"a\":1 \"b\":2}", behind, 7);
    kl_json_refused(x, "{\"a\":1]", behind, 6);
    kl_json_refused(x, "{\"a\":1:2}", behind, 6);
    kl_json_refused(x, "}", not_a_value, 0);
    kl_json_refused(x, "{\"a\":1}}", "text behind the JSON value", 7);
}

static void space_and_what_is_none(void **state)
{
    kl_json_reading *x = *state;
    assert_int_equal(
        kl_json_reading_ok(x, "\t\n\r [\t\n\r 1\t\n\r ,\t\n\r 2\t\n\r ]\t\n\r ")->count, 2);
    kl_json_refused(x, "", "no JSON text", 0);
    kl_json_refused(x, " \n", "no JSON text", 2);
    kl_json_refused(x, "\v1", not_a_value, 0);
    kl_json_refused(x, "\f1", not_a_value, 0);
    kl_json_refused(x,
                    "\xc2\xa0"
                    "1",
                    not_a_value, 0);
    kl_json_refused(x, "1\v", "text behind the JSON value", 1);
    kl_json_refused_bytes(x, "\0", 1, not_a_value, 0);
    kl_json_refused_bytes(x, "1\0", 2, "text behind the JSON value", 1);
    kl_json_refused_bytes(x, "[\0]", 3, not_a_value, 1);
    kl_json_refused_bytes(x, "\"a\0b\"", 5, "control character in a string", 2);
    kl_json_refused(x, "\"a\nb\"", "control character in a string", 2);
    kl_json_refused(x, "// a\n1", not_a_value, 0);
    kl_json_refused(x, "/* a */ 1", not_a_value, 0);
    kl_json_refused(x, "1 // a", "text behind the JSON value", 2);
    kl_json_refused(x, "[1 /* a */]", "no ',' or ']' behind a value", 3);
    kl_json_refused(x, "'a'", not_a_value, 0);
}

static const char sample[] =
    "{\"name\":\"kl\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80\",\"esc\\\"aped\" : "
    "\"\\ud83d\\uDE00\\n\\/\\u00e4 and more text\" ,"
    "\"numbers\":[0,-12,9223372036854775807,1.50e-10,2E+3 , 7],\"words\":[true,false,null],"
    "\"deep\":{\"a\":{\"b\":[[[{}]],[]]}},\"empty\":\"\" , \"last\" : -1 }";

static void each_truncation_ends_too_early(void **state)
{
    kl_json_reading *x = *state;
    size_t len = sizeof(sample) - 1;
    assert_int_equal(kl_json_reading_ok(x, sample)->count, 7);
    kl_json_refused_bytes(x, sample, 0, "no JSON text", 0);
    for (size_t n = 1; n < len; n++)
        kl_json_refused_bytes(x, sample, n, too_early, n);
}

/* One byte replaced by each other: never beyond the text, and an error stands inside it. */
static void each_replaced_byte_is_survived(void **state)
{
    kl_json_reading *x = *state;
    size_t len = sizeof(sample) - 1;
    size_t sound = 0;
    char text[sizeof(sample)];
    for (size_t at = 0; at < len; at++) {
        for (int c = 0; c < 256; c++) {
            memcpy(text, sample, sizeof(sample));
            text[at] = (char)c;
            if (kl_json_reading_bytes(x, text, len))
                sound++;
            else
                assert_true(x->doc.error.offset <= len);
        }
    }
    assert_true(sound > 0 && sound < len * 256);
}

static void nesting_is_limited(void **state)
{
    kl_json_reading *x = *state;
    enum { MANY = 1000000 };
    char *text = malloc(MANY);
    assert_non_null(text);
    memset(text, '[', MANY / 2);
    memset(text + MANY / 2, ']', MANY / 2);
    kl_json_refused_bytes(x, text, MANY, "nesting deeper than 64", 64);
    kl_json_refused_bytes(x, text + MANY / 2 - 65, 130, "nesting deeper than 64", 64);
    kl_json *v = kl_json_reading_bytes(x, text + MANY / 2 - 64, 128);
    assert_non_null(v);
    for (int i = 0; i < 63; i++) {
        assert_int_equal(v->count, 1);
        v = kl_json_first(v);
    }
    assert_int_equal(v->count, 0);
    /* A scalar is no level of its own; depth counts what is open, not what was. */
    text[MANY / 2 - 1] = '1';
    assert_non_null(kl_json_reading_bytes(x, text + MANY / 2 - 65, 129));
    size_t n = 0;
    for (size_t i = 0; i < 200000; i++) {
        memcpy(text + n, i == 0 ? "[[]," : i == 199999 ? "[]]" : "[],", 4);
        n += i == 0 ? 4 : 3;
    }
    v = kl_json_reading_bytes(x, text, n);
    assert_non_null(v);
    assert_int_equal(v->count, 200000);
    n = 0;
    for (size_t i = 0; i < 100000; i++, n += 5)
        memcpy(text + n, "{\"a\":", 5);
    kl_json_refused_bytes(x, text, n, "nesting deeper than 64", 64 * 5);
    free(text);
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    for (int a = KL_JSON_NULL; a <= KL_JSON_OBJECT; a++)
        for (int b = KL_JSON_NULL; b < a; b++)
            assert_string_not_equal(kl_json_type_name((kl_json_type)a),
                                    kl_json_type_name((kl_json_type)b));
}

/* ---- Memory ---- */

static char *text_with_everything(size_t *len)
{
    char *text = malloc(200000);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "[%s", sample);
    for (size_t i = 0; i < 300; i++)
        n += (size_t)sprintf(text + n, ",\"escaped %zu \\n and so on, to fill the arena\"", i);
    n += (size_t)sprintf(text + n, ",{");
    for (size_t i = 0; i < 200; i++)
        n += (size_t)sprintf(text + n, "\"k%zu\":[{},[]],", i);
    n += (size_t)sprintf(text + n - 1, "}]") - 1;
    *len = n;
    return text;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    size_t len;
    char *text = text_with_everything(&len);
    for (int all_after = 0; all_after < 2; all_after++) {
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            f.all_after = all_after != 0;
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kl_json_doc doc;
            kl_json_doc_init(&doc, &alloc);
            kl_json *root = kl_json_read(&doc, text, len);
            assert_true((root == NULL) == (f.refused > 0));
            assert_true(doc.error.no_memory == (root == NULL));
            if (!root) {
                assert_string_equal(doc.error.reason, "no memory");
                assert_true(doc.error.offset < len);
                /* With memory back, the same document reads the next text. */
                f.all_after = false;
                root = kl_json_read(&doc, text, len);
                assert_null(doc.error.reason);
            }
            assert_non_null(root);
            assert_int_equal(root->count, 302);
            kl_json_doc_deinit(&doc);
            kl_fail_alloc_check(&f);
            if (f.refused == 0)
                break;
            assert_true(nth < 100);
        }
    }
    free(text);
}

static void memory_is_used_again_and_given_back(void **state)
{
    kl_json_reading *x = *state;
    size_t len;
    char *text = text_with_everything(&len);
    assert_non_null(kl_json_reading_bytes(x, text, len));
    size_t calls = 0;
    for (int i = 0; i < 50; i++) {
        assert_non_null(kl_json_reading_bytes(x, text, len));
        if (i == 2)
            calls = x->alloc.calls; /* by now the arena keeps one chunk that holds it all */
    }
    assert_int_equal(x->alloc.calls, calls);
    free(text);

    enum { MANY = 400000 };
    text = malloc(2 * MANY + 1);
    assert_non_null(text);
    for (size_t i = 0; i < MANY; i++)
        memcpy(text + 2 * i, i == 0 ? "[1" : ",1", 2);
    text[2 * (size_t)MANY] = ']';
    kl_json *v = kl_json_reading_bytes(x, text, 2 * MANY + 1);
    assert_non_null(v);
    assert_int_equal(v->count, MANY);
    assert_true(x->alloc.live_bytes > 24 * MANY);
    free(text);
    kl_json_reading_ok(x, "1");
    assert_true(x->alloc.live_bytes < 3 << 20);
}

int main(void)
{
#define TEST(f)                                                                                    \
    cmocka_unit_test_setup_teardown(f, kl_json_reading_set_up, kl_json_reading_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(words),
        TEST(integers),
        TEST(reals_are_checked_for_form),
        TEST(arrays),
        TEST(objects),
        TEST(space_and_what_is_none),
        TEST(each_truncation_ends_too_early),
        TEST(each_replaced_byte_is_survived),
        TEST(nesting_is_limited),
        TEST(every_type_has_a_name),
        TEST(each_allocation_may_fail),
        TEST(memory_is_used_again_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
