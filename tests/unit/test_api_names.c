/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of APIs: those that kloop speaks are the same in both tables. */
#include "broker/api_names.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_those_that_are_spoken(void **state)
{
    (void)state;
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        if (api->key >= 0)
            assert_string_equal(kl_api_name(api->key), api->name);
    }
}

static void test_the_others(void **state)
{
    (void)state;
    assert_string_equal(kl_api_name(1), "Fetch");
    assert_string_equal(kl_api_name(60), "DescribeCluster");
    assert_string_equal(kl_api_name(71), "GetTelemetrySubscriptions");
    assert_string_equal(kl_api_name(92), "DeleteShareGroupOffsets");
    assert_null(kl_api_name(93));
    assert_null(kl_api_name(-1));
    assert_null(kl_api_name(INT16_MIN));
    assert_null(kl_api_name(INT16_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_those_that_are_spoken),
        cmocka_unit_test(test_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
