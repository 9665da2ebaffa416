/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic on time: what does not fit is never, and never stays never. */
#include "base/now.h"
#include "tests/support/asserted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void units_are_nanoseconds(void **state)
{
    (void)state;
    assert_true(KL_US == 1000);
    assert_true(KL_MS == 1000 * KL_US);
    assert_true(KL_SECOND == 1000 * KL_MS);
    assert_int_equal(sizeof(KL_SECOND), 8);
}

static void sums_saturate(void **state)
{
    (void)state;
    assert_true(kl_time_add(5, 7) == 12);
    assert_true(kl_time_add(0, 0) == 0);
    assert_true(kl_time_add(KL_NEVER - 7, 6) == KL_NEVER - 1);
    assert_true(kl_time_add(KL_NEVER - 7, 7) == KL_NEVER);
    assert_true(kl_time_add(KL_NEVER - 7, 8) == KL_NEVER);
    assert_true(kl_time_add(8, KL_NEVER - 7) == KL_NEVER);
    assert_true(kl_time_add(KL_NEVER, 0) == KL_NEVER);
    assert_true(kl_time_add(0, KL_NEVER) == KL_NEVER);
    assert_true(kl_time_add(KL_NEVER, KL_NEVER) == KL_NEVER);
}

static void never_is_later_than_all(void **state)
{
    (void)state;
    assert_true(kl_time_min(3, 4) == 3);
    assert_true(kl_time_min(4, 3) == 3);
    assert_true(kl_time_min(4, 4) == 4);
    assert_true(kl_time_min(KL_NEVER, KL_NEVER - 1) == KL_NEVER - 1);
    assert_true(kl_time_min(0, KL_NEVER) == 0);
}

static void milliseconds_saturate(void **state)
{
    (void)state;
    assert_true(kl_ms_to_ns(0) == 0);
    assert_true(kl_ms_to_ns(1) == KL_MS);
    assert_true(kl_ms_to_ns(INT32_MAX) == INT32_MAX * KL_MS);
    /* 2^64 - 1 is 18446744073709.551615 ms. */
    assert_true(kl_ms_to_ns(INT64_C(18446744073709)) == UINT64_C(18446744073709000000));
    assert_true(kl_ms_to_ns(INT64_C(18446744073710)) == KL_NEVER);
    assert_true(kl_ms_to_ns(INT64_MAX) == KL_NEVER);
}

static void convert(void *ctx)
{
    const int64_t *ms = ctx;
    (void)kl_ms_to_ns(*ms);
}

static void negative_spans_are_mistakes(void **state)
{
    (void)state;
    int64_t ms = -1;
    assert_true(kl_asserted(convert, &ms));
    ms = INT64_MIN;
    assert_true(kl_asserted(convert, &ms));
    ms = 0;
    assert_false(kl_asserted(convert, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_nanoseconds),       cmocka_unit_test(sums_saturate),
        cmocka_unit_test(never_is_later_than_all),     cmocka_unit_test(milliseconds_saturate),
        cmocka_unit_test(negative_spans_are_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
