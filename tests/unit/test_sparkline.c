/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures of letters: their heights, their lengths, and nothing beyond the room they are given. */
#include "cli/sparkline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void columns(void **state)
{
    (void)state;
    char text[8 * KL_SPARK_LETTER_MAX + 1];
    static const double rising[] = {0, 1, 2, 3, 4, 5, 6, 7};
    size_t len = kl_sparkline(text, rising, 8, true);
    assert_string_equal(text, "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588");
    assert_int_equal(len, strlen(text));
    kl_sparkline(text, rising, 8, false);
    assert_string_equal(text, "_.,-=+*#");
    /* The highest is as high as it goes, whatever it is. */
    static const double small[] = {0.001, 0.002};
    kl_sparkline(text, small, 2, false);
    assert_string_equal(text, "=#");
}

static void nothing_to_show(void **state)
{
    (void)state;
    char text[3 * KL_SPARK_LETTER_MAX + 1] = "x";
    static const double zeros[] = {0, 0, 0};
    assert_int_equal(kl_sparkline(text, zeros, 0, true), 0);
    assert_string_equal(text, "");
    kl_sparkline(text, zeros, 3, false);
    assert_string_equal(text, "___");
}

static void bars(void **state)
{
    (void)state;
    char text[10 * KL_SPARK_LETTER_MAX + 1];
    assert_int_equal(kl_spark_bar(text, 0.5, 10, false), 5);
    assert_string_equal(text, "#####");
    assert_int_equal(kl_spark_bar(text, 0.55, 10, true), 6);
    assert_string_equal(text, "\u2588\u2588\u2588\u2588\u2588\u258C");
    assert_int_equal(kl_spark_bar(text, 0, 10, true), 0);
    assert_string_equal(text, "");
    static const double odd[] = {-1, 1, 1.5, INFINITY, NAN};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        unsigned wide = kl_spark_bar(text, odd[i], 10, true);
        assert_int_equal(wide, odd[i] >= 1 ? 10 : 0);
        assert_int_equal(strlen(text), wide * KL_SPARK_LETTER_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(nothing_to_show),
        cmocka_unit_test(bars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
