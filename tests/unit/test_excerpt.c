/* SPDX-License-Identifier: BSD-2-Clause */
/* Quoting text from outside: whole when it fits, one line always, never a broken character. */
#include "base/excerpt.h"
#include "base/utf8.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_that_fits_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "Metadata",
        "\xc3\xa4 \xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "'quoted' \\n",
        /* the first and the last character of each length */
        " ~",
        "\xc2\xa0\xdf\xbf",
        "\xe0\xa0\x80\xef\xbf\xbf",
        "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char to[KL_EXCERPT_SIZE];
        kloop_string text = {texts[i], strlen(texts[i])};
        assert_ptr_equal(kl_excerpt(to, sizeof to, text), to);
        assert_string_equal(to, texts[i]);
    }
}

static void what_would_break_a_line_does_not_come_through(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *wanted;
    } cases[] = {
        {"a\nb", 3, "a?b"},
        {"a\0b", 3, "a?b"},
        {"\r\t\x1b\x7f", 4, "????"},
        {"\xc2\x80\xc2\x9f", 4, "????"}, /* control characters of two bytes */
        {"\xff\xfe", 2, "??"},
        {"\xc3", 1, "?"}, /* begun and not ended */
        {"\xe2\x82", 2, "??"},
        {"\xf0\x9f\x98", 3, "???"},
        {"\x80z", 2, "?z"},         /* continued and not begun */
        {"\xed\xa0\x80", 3, "???"}, /* a surrogate */
        {"\xc0\x80", 2, "??"},      /* overlong */
        {"\xc3(", 2, "?("},
        {"\xc2\x9b"
         "2J",
         4, "??2J"}, /* a terminal's command */
        {"\xc2\xa0", 2, "\xc2\xa0"},
        {"\xf8\x88\x80\x80\x80", 5, "?????"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char to[KL_EXCERPT_SIZE];
        kl_excerpt(to, sizeof to, (kloop_string){cases[i].text, cases[i].len});
        assert_string_equal(to, cases[i].wanted);
    }
}

static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    kl_guard guard;
    kl_guard_init(&guard, 64);
    static const char *const letters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t l = 0; l < 4; l++) {
        size_t width = strlen(letters[l]);
        for (size_t count = 0; count < 20; count++) {
            char text[100] = "";
            for (size_t i = 0; i < count; i++)
                strcat(text, letters[l]);
            for (size_t size = 8; size <= 40; size++) {
                char *to = (char *)kl_guard_at_end(&guard, size);
                kl_excerpt(to, size, (kloop_string){text, strlen(text)});
                size_t len = strlen(to);
                assert_true(len < size);
                assert_int_equal(kl_utf8_valid_len(to, len), len);
                if (strlen(text) < size) {
                    assert_string_equal(to, text);
                    continue;
                }
                /* As many whole characters as leave room for the dots. */
                size_t kept = (size - 4) / width * width;
                assert_int_equal(len, kept + 3);
                assert_memory_equal(to, text, kept);
                assert_string_equal(to + kept, "...");
            }
        }
    }
    kl_guard_deinit(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_fits_stays),
        cmocka_unit_test(what_would_break_a_line_does_not_come_through),
        cmocka_unit_test(long_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
