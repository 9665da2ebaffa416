/* SPDX-License-Identifier: BSD-2-Clause */
/* What a broker says that it offers, and what it takes. */
#include "broker/versions.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void at_first_it_is_as_in_4_3_1(void **state)
{
    (void)state;
    kl_version_table t;
    kl_versions_init(&t);
    assert_int_equal(kl_versions_find(&t, KLOOP_PRODUCE)->min_version, 0);
    assert_int_equal(kl_versions_find(&t, KLOOP_PRODUCE)->max_version, 13);
    assert_int_equal(kl_versions_find(&t, KLOOP_INIT_PRODUCER_ID)->max_version, 5);
    /* Said, for old clients' sake, and not taken. */
    assert_false(kl_versions_accepts(&t, KLOOP_PRODUCE, 2));
    assert_true(kl_versions_accepts(&t, KLOOP_PRODUCE, 3));
    assert_true(kl_versions_accepts(&t, KLOOP_PRODUCE, 13));
    assert_false(kl_versions_accepts(&t, KLOOP_PRODUCE, 14));
    assert_false(kl_versions_accepts(&t, KLOOP_PRODUCE, -1));
    assert_non_null(kl_versions_find(&t, 1));
    assert_false(kl_versions_accepts(&t, 1, 4));
    assert_null(kl_versions_find(&t, 19));
    assert_false(kl_versions_accepts(&t, 19, 2));
    for (size_t i = 1; i < KL_VERSIONS_COUNT; i++)
        assert_true(t.ranges[i - 1].api_key < t.ranges[i].api_key);
}

static void ranges_can_be_narrowed_and_apis_taken_away(void **state)
{
    (void)state;
    kl_version_table t;
    kl_versions_init(&t);
    assert_true(kl_versions_set(&t, KLOOP_METADATA, 2, 8));
    assert_false(kl_versions_accepts(&t, KLOOP_METADATA, 1));
    assert_true(kl_versions_accepts(&t, KLOOP_METADATA, 2));
    assert_false(kl_versions_accepts(&t, KLOOP_METADATA, 9));
    assert_true(kl_versions_set(&t, KLOOP_INIT_PRODUCER_ID, 0, -1));
    assert_null(kl_versions_find(&t, KLOOP_INIT_PRODUCER_ID));
    assert_false(kl_versions_accepts(&t, KLOOP_INIT_PRODUCER_ID, 0));
    assert_true(kl_versions_set(&t, KLOOP_INIT_PRODUCER_ID, 0, 6));
    assert_true(kl_versions_accepts(&t, KLOOP_INIT_PRODUCER_ID, 6));
    assert_false(kl_versions_set(&t, KLOOP_METADATA, 0, 14));
    assert_false(kl_versions_set(&t, 1, 4, 5));
    assert_false(kl_versions_set(&t, 77, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_first_it_is_as_in_4_3_1),
        cmocka_unit_test(ranges_can_be_narrowed_and_apis_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
