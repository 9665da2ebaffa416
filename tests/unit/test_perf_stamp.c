/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes into a stamp comes out of it. */
#include "cli/perf_stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void age(void **state)
{
    (void)state;
    static const uint64_t sent[] = {0,
                                    1,
                                    1000000,
                                    KL_STAMP_SENT_MAX - 1,
                                    KL_STAMP_SENT_MAX,
                                    KL_STAMP_SENT_MAX + 1,
                                    KL_STAMP_SENT_MAX * 3};
    static const uint64_t ages[] = {0, 1, 77, 120000000, KL_STAMP_SENT_MAX};
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        for (size_t j = 0; j < sizeof ages / sizeof ages[0]; j++) {
            const void *stamp = kl_stamp_make(sent[i], UINT64_MAX, true);
            assert_int_equal(kl_stamp_age_us(stamp, sent[i] + ages[j]), ages[j]);
        }
    }
}

static void lag(void **state)
{
    (void)state;
    static const struct {
        uint64_t in, out;
    } cases[] = {
        {0, 0},
        {1, 1},
        {KL_STAMP_LAG_MAX, KL_STAMP_LAG_MAX},
        {KL_STAMP_LAG_MAX + 1, KL_STAMP_LAG_MAX + 1},
        {KL_STAMP_LAG_MAX + 1025, KL_STAMP_LAG_MAX + 1025},
        {KL_STAMP_LAG_MAX + 1026, KL_STAMP_LAG_MAX + 1025}, /* 1024 is the grain up there */
        {KL_STAMP_LAG_MAX << 10, KL_STAMP_LAG_MAX << 10},
        {UINT64_MAX, KL_STAMP_LAG_MAX << 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const void *stamp = kl_stamp_make(KL_STAMP_SENT_MAX, cases[i].in, false);
        assert_int_equal(kl_stamp_lag_us(stamp), cases[i].out);
        assert_int_equal(kl_stamp_age_us(stamp, KL_STAMP_SENT_MAX), 0);
        assert_false(kl_stamp_steady(stamp));
        assert_true(kl_stamp_steady(kl_stamp_make(0, cases[i].in, true)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(age),
        cmocka_unit_test(lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
