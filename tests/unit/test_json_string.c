/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of JSON strings: plain runs, escapes, surrogates, UTF-8. */
#include "tests/support/json_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void strings_without_escapes_point_into_the_text(void **state)
{
    kl_json_reading *x = *state;
    kl_json *v = kl_json_reading_ok(x, "  \"hello, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 / \x7f\"");
    kl_json_assert_text(v, "hello, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 / \x7f", 20);
    assert_ptr_equal(kl_json_string(v).data, x->text + 3);
    assert_int_equal(kl_json_offset(v), 2);
    v = kl_json_reading_ok(x, "\"\"");
    kl_json_assert_text(v, "", 0);
}

static void escapes(void **state)
{
    kl_json_reading *x = *state;
    kl_json_assert_text(kl_json_reading_ok(x, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t",
                        8);
    kl_json_assert_text(kl_json_reading_ok(x, "\"\\u0041\\u00e4\\u20AC\\u20ac\""),
                        "A\xc3\xa4\xe2\x82\xac\xe2\x82\xac", 9);
    kl_json_assert_text(kl_json_reading_ok(x, "\"a\\u0000b\""), "a\0b", 3);
    kl_json_assert_text(kl_json_reading_ok(x, "\"\\u007f\\u0080\\u07ff\\u0800\""),
                        "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", 8);
    kl_json_assert_text(kl_json_reading_ok(x, "\"\\ud7ff\\ue000\\uffff\\ufffe\""),
                        "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xef\xbf\xbe", 12);
    kl_json_assert_text(kl_json_reading_ok(x, "\"\\ud800\\udc00\\uDBFF\\uDFFF\""),
                        "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
    kl_json_assert_text(kl_json_reading_ok(x, "\"<\\ud83d\\ude00>\""), "<\xf0\x9f\x98\x80>", 6);
    /* Not twice: what an escape stands for is no escape again. */
    kl_json_assert_text(kl_json_reading_ok(x, "\"\\\\u0041\\u005cn\""), "\\u0041\\n", 8);
    kl_json_assert_text(
        kl_json_reading_ok(x, "\"plain text before and after \\n, longer than a word\""),
        "plain text before and after \n, longer than a word", 49);

    static const char unknown[] = "unknown escape in a string";
    static const char digits[] = "\\u without four hex digits";
    kl_json_refused(x, "\"a\\x41\"", unknown, 2);
    kl_json_refused(x, "\"\\'\"", unknown, 1);
    kl_json_refused(x, "\"\\0\"", unknown, 1);
    kl_json_refused(x, "\"\\U0041\"", unknown, 1);
    kl_json_refused(x, "\"\\\n\"", unknown, 1);
    kl_json_refused_bytes(x, "\"\\\0\"", 4, unknown, 1);
    kl_json_refused(x, "\"\\u004\"", digits, 6);
    kl_json_refused(x, "\"\\u\"", digits, 3);
    kl_json_refused(x, "\"\\u00g0\"", digits, 5);
    kl_json_refused(x, "\"\\u-041\"", digits, 3);
    kl_json_refused(x, "\"\\u 041\"", digits, 3);
}

static void lone_surrogates(void **state)
{
    kl_json_reading *x = *state;
    static const char lone[] = "half a surrogate pair in a string";
    kl_json_refused(x, "\"\\ud800\"", lone, 1);
    kl_json_refused(x, "\"ab\\udbff\"", lone, 3);
    kl_json_refused(x, "\"\\udc00\"", lone, 1);
    kl_json_refused(x, "\"\\udfff\\ud800\"", lone, 1);
    kl_json_refused(x, "\"\\ud800x\"", lone, 1);
    kl_json_refused(x, "\"\\ud800\\n\"", lone, 1);
    kl_json_refused(x, "\"\\ud800\\u0041\"", lone, 1);
    kl_json_refused(x, "\"\\ud800\\ud800\"", lone, 1);
    kl_json_refused(x, "\"\\ud800\\ue000\"", lone, 1);
    kl_json_refused(x, "\"\\ud800\\ud800\\udc00\"", lone, 1);
    kl_json_refused(x, "\"\\ud800\\udc0x\"", "\\u without four hex digits", 12);
    kl_json_refused(x, "\"\\ud83d\\ude00\\ude00\"", lone, 13);
    /* A pair of surrogates in UTF-8 (CESU-8) is no character either. */
    kl_json_refused(x, "\"\xed\xa0\xbd\xed\xb8\x80\"", "invalid UTF-8 in a string", 1);
}

static void invalid_utf8(void **state)
{
    kl_json_reading *x = *state;
    static const struct {
        const char *bytes;
        size_t at;
    } bad[] = {
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0}, /* overlong U+0000 */
        {"\xc1\xbf", 0}, /* overlong U+007F */
        {"\xc2", 0},     /* cut off by the quote */
        {"\xc2\x41", 0}, /* no continuation */
        {"\xc2\xc2", 0},
        {"\xe0\x80\x80", 0}, /* overlong */
        {"\xe0\x9f\xbf", 0}, /* overlong U+07FF */
        {"\xe2\x82", 0},     /* cut off */
        {"\xe2\x82\x41", 0},
        {"\xe2\x41\xac", 0},
        {"\xed\xa0\x80", 0},     /* U+D800 */
        {"\xed\xbf\xbf", 0},     /* U+DFFF */
        {"\xf0\x80\x80\x80", 0}, /* overlong */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong U+FFFF */
        {"\xf0\x9f\x98", 0},
        {"\xf0\x9f\x98\x41", 0},
        {"\xf4\x90\x80\x80", 0}, /* U+110000 */
        {"\xf5\x80\x80\x80", 0},
        {"\xf8\x88\x80\x80\x80", 0},
        {"\xfe", 0},
        {"\xff", 0},
        {"abcdefgh\xff", 8},
        {"abcdefghijk\xc3\xa4\x80", 13},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[64];
        int n = snprintf(text, sizeof(text), "[\"%s\"]", bad[i].bytes);
        kl_json_refused_bytes(x, text, (size_t)n, "invalid UTF-8 in a string", 2 + bad[i].at);
    }
    static const char *const sound[] = {"\xc2\x80",         "\xdf\xbf",         "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",     "\xee\x80\x80",     "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "\"%s\"", sound[i]);
        kl_json_assert_text(kl_json_reading_ok(x, text), sound[i], strlen(sound[i]));
    }
    kl_json_refused(x, "\xef\xbb\xbf[]", "not a JSON value", 0); /* a byte order mark */
    kl_json_refused(x, "\xc3\xa4", "not a JSON value", 0);
}

/* Every byte alone in strings of every length up to three words, at every place: only the plain
 * ones are taken. */
static void each_byte_at_each_place_of_a_string(void **state)
{
    kl_json_reading *x = *state;
    for (size_t len = 1; len <= 24; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                char text[32];
                memset(text, 'z', sizeof(text));
                text[0] = '"';
                text[1 + at] = (char)c;
                text[1 + len] = '"';
                bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
                kl_json *v = kl_json_reading_bytes(x, text, len + 2);
                if ((v != NULL) != plain)
                    fail_msg("byte %d at %zu of %zu", c, at, len);
                if (v)
                    assert_int_equal(kl_json_string(v).len, len);
                else if (c < 0x20)
                    assert_int_equal(x->doc.error.offset, 1 + at);
            }
        }
    }
}

int main(void)
{
#define TEST(f)                                                                                    \
    cmocka_unit_test_setup_teardown(f, kl_json_reading_set_up, kl_json_reading_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(strings_without_escapes_point_into_the_text),
        TEST(escapes),
        TEST(lone_surrogates),
        TEST(invalid_utf8),
        TEST(each_byte_at_each_place_of_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
