/* SPDX-License-Identifier: BSD-2-Clause */
/* Which version is spoken with a broker, under all that can limit it. */
#include "cli/common_version.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_what_both_know(void **state)
{
    (void)state;
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 0, 13, ""), 13);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 0, 7, ""), 7);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 0, 99, NULL), 13);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 13, 99, ""), 13);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 14, 99, ""), -1);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 0, 2, ""), -1);
    /* Nothing that kloop knows. */
    assert_int_equal(kl_common_version(1, 4, 18, ""), -1);
}

static void test_limits(void **state)
{
    static const char list[] = " Produce = 9 ,Metadata=4, ApiVersions=0";
    (void)state;
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 0, 13, list), 9);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 0, 7, list), 7);
    assert_int_equal(kl_common_version(KLOOP_PRODUCE, 10, 13, list), -1);
    assert_int_equal(kl_common_version(KLOOP_METADATA, 0, 13, list), 4);
    assert_int_equal(kl_common_version(KLOOP_API_VERSIONS, 0, 4, list), 0);
    assert_int_equal(kl_common_version(KLOOP_INIT_PRODUCER_ID, 0, 5, list), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_both_know),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
