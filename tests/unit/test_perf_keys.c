/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys are the numbers below the bound, in turn or all as likely as each other. */
#include "cli/perf_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void in_turn(void **state)
{
    (void)state;
    kl_perf_keys k;
    kl_perf_keys_init(&k, KL_PERF_KEYS_RANGE, 12, 0);
    for (int round = 0; round < 3; round++) {
        for (int n = 0; n < 12; n++) {
            char wanted[8];
            kloop_slice key = kl_perf_keys_next(&k);
            snprintf(wanted, sizeof wanted, "%d", n);
            assert_int_equal(key.len, strlen(wanted));
            assert_memory_equal(key.data, wanted, key.len);
        }
    }
}

static void at_random(void **state)
{
    (void)state;
    kl_perf_keys k, again;
    int seen[10] = {0};
    kl_perf_keys_init(&k, KL_PERF_KEYS_RANDOM, 10, 5);
    kl_perf_keys_init(&again, KL_PERF_KEYS_RANDOM, 10, 5);
    for (int i = 0; i < 10000; i++) {
        kloop_slice key = kl_perf_keys_next(&k);
        assert_int_equal(key.len, 1);
        assert_memory_equal(key.data, kl_perf_keys_next(&again).data, 1);
        seen[key.data[0] - '0']++;
    }
    for (int n = 0; n < 10; n++)
        assert_in_range(seen[n], 850, 1150);
}

static void the_largest(void **state)
{
    (void)state;
    kl_perf_keys k;
    kl_perf_keys_init(&k, KL_PERF_KEYS_RANGE, UINT64_MAX, 0);
    k.next = UINT64_MAX - 1;
    kloop_slice key = kl_perf_keys_next(&k);
    assert_int_equal(key.len, 20);
    assert_memory_equal(key.data, "18446744073709551614", 20);
    assert_int_equal(kl_perf_keys_next(&k).data[0], '0');
}

static void words(void **state)
{
    (void)state;
    kl_perf_key_kind kind;
    assert_true(kl_perf_key_kind_parse("none", &kind) && kind == KL_PERF_KEYS_NONE);
    assert_true(kl_perf_key_kind_parse("range", &kind) && kind == KL_PERF_KEYS_RANGE);
    assert_true(kl_perf_key_kind_parse("random", &kind) && kind == KL_PERF_KEYS_RANDOM);
    assert_false(kl_perf_key_kind_parse("zipf", &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_turn),
        cmocka_unit_test(at_random),
        cmocka_unit_test(the_largest),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
