/* SPDX-License-Identifier: BSD-2-Clause */
/* Latency of late: what was long ago does not count any more. */
#include "cli/perf_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static kl_perf_live live;
static kl_histogram all;

static void ask(uint64_t at_s, kl_live_figures *f)
{
    *f = (kl_live_figures){.p50_us = KL_LIVE_NOT_TOLD, .p99_us = KL_LIVE_NOT_TOLD};
    kl_perf_live_latency(&live, &all, (at_s + 1) * SECOND, f);
}

static void what_is_old_is_forgotten(void **state)
{
    (void)state;
    kl_live_figures f;
    ask(0, &f);
    assert_true(f.p50_us == KL_LIVE_NOT_TOLD && f.p99_us == KL_LIVE_NOT_TOLD);
    kl_histogram_add(&all, 200, 1000);
    ask(1, &f);
    assert_int_equal(f.p50_us, 200);
    for (uint64_t s = 2; s <= 12; s++) {
        kl_histogram_add(&all, 100, 10);
        ask(s, &f);
        assert_int_equal(f.p50_us, s < 10 ? 200 : 100);
    }
    assert_int_equal(f.p99_us, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_old_is_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
